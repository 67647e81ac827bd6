//! Numbers with a unit, written for those who read them: CPU is held in millicores, memory in bytes, a duration in
//! milliseconds.

use super::{Meter, whole};
use crate::kind::unit;
use crate::value::Value;

/// Bytes in a mebibyte.
const MEBIBYTE: i64 = 1 << 20;

fn not_negative(value: &Value) -> Result<i64, String> {
    let number = whole(value)?;
    if number < 0 {
        return Err(format!("{number} is less than nothing"));
    }
    Ok(number)
}

pub(super) fn mhz(_: &mut Meter, args: &[Value]) -> Result<Value, String> {
    let millicores = not_negative(&args[0])?;
    let core = args.get(1).map_or(Ok(1_000), not_negative)?;
    let product = millicores.checked_mul(core).ok_or("too much computing power")?;
    Ok(Value::Int(product / 1_000 + i64::from(product % 1_000 != 0)))
}

pub(super) fn cores(_: &mut Meter, args: &[Value]) -> Result<Value, String> {
    let millicores = not_negative(&args[0])?;
    Ok(Value::string(unit::cpu_text(millicores)))
}

pub(super) fn mib(_: &mut Meter, args: &[Value]) -> Result<Value, String> {
    let bytes = not_negative(&args[0])?;
    Ok(Value::Int(bytes / MEBIBYTE + i64::from(bytes % MEBIBYTE != 0)))
}

pub(super) fn quantity(_: &mut Meter, args: &[Value]) -> Result<Value, String> {
    let bytes = not_negative(&args[0])?;
    Ok(Value::string(unit::memory_text(bytes)))
}

pub(super) fn seconds(_: &mut Meter, args: &[Value]) -> Result<Value, String> {
    let milliseconds = not_negative(&args[0])?;
    Ok(Value::Int(milliseconds / 1_000 + i64::from(milliseconds % 1_000 != 0)))
}

pub(super) fn duration_text(_: &mut Meter, args: &[Value]) -> Result<Value, String> {
    let milliseconds = not_negative(&args[0])?;
    Ok(Value::string(unit::duration_text(milliseconds)))
}
