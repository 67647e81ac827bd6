//! Numbers with a unit, written for those who read them: CPU is held in millicores, memory in bytes, a duration in
//! milliseconds.

use super::{Meter, whole};
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
    Ok(Value::string(if millicores % 1_000 == 0 {
        (millicores / 1_000).to_string()
    } else {
        format!("{millicores}m")
    }))
}

pub(super) fn mib(_: &mut Meter, args: &[Value]) -> Result<Value, String> {
    let bytes = not_negative(&args[0])?;
    Ok(Value::Int(bytes / MEBIBYTE + i64::from(bytes % MEBIBYTE != 0)))
}

pub(super) fn quantity(_: &mut Meter, args: &[Value]) -> Result<Value, String> {
    let bytes = not_negative(&args[0])?;
    let units = [(40, "Ti"), (30, "Gi"), (20, "Mi"), (10, "Ki")];
    let fitting = units.iter().find(|(power, _)| bytes > 0 && bytes % (1 << power) == 0);
    Ok(Value::string(match fitting {
        Some((power, unit)) => format!("{}{unit}", bytes >> power),
        None => bytes.to_string(),
    }))
}

pub(super) fn seconds(_: &mut Meter, args: &[Value]) -> Result<Value, String> {
    let milliseconds = not_negative(&args[0])?;
    Ok(Value::Int(milliseconds / 1_000 + i64::from(milliseconds % 1_000 != 0)))
}

pub(super) fn duration_text(_: &mut Meter, args: &[Value]) -> Result<Value, String> {
    let milliseconds = not_negative(&args[0])?;
    let parts = [
        (milliseconds / 3_600_000, "h"),
        (milliseconds / 60_000 % 60, "m"),
        (milliseconds / 1_000 % 60, "s"),
        (milliseconds % 1_000, "ms"),
    ];
    let text: String = parts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, unit)| format!("{number}{unit}"))
        .collect();
    Ok(Value::string(if text.is_empty() { "0s".to_owned() } else { text }))
}
