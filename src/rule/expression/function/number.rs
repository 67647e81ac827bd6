//! Numbers: conversions, rounding, the smallest and the largest.

use super::{Meter, characters, items};
use crate::rule::expression::seen::{Seen, order};
use crate::value::{Double, Value};

/// Returns the finite number as a value.
pub(crate) fn finite(number: f64) -> Result<Value, String> {
    if number.is_finite() {
        Ok(Value::Double(Double(number)))
    } else {
        Err("the result is no finite number".to_owned())
    }
}

pub(super) fn int(_: &mut Meter, args: &[Value]) -> Result<Value, String> {
    match &args[0] {
        Value::Int(number) => Ok(Value::Int(*number)),
        Value::Double(number) => truncated(number.0),
        other => {
            let text = characters(other)?;
            let number = text.parse().map_err(|_| format!("`{text}` is no whole number"))?;
            Ok(Value::Int(number))
        }
    }
}

fn truncated(number: f64) -> Result<Value, String> {
    if number.abs() < 9_223_372_036_854_775_808.0 {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "it is meant to drop the fraction, and the range is checked"
        )]
        let whole = number.trunc() as i64;
        Ok(Value::Int(whole))
    } else {
        Err(format!("{number} is too large for a whole number"))
    }
}

pub(super) fn double(_: &mut Meter, args: &[Value]) -> Result<Value, String> {
    match &args[0] {
        Value::Double(number) => Ok(Value::Double(*number)),
        #[expect(clippy::cast_precision_loss, reason = "a conversion that was asked for")]
        Value::Int(number) => Ok(Value::Double(Double(*number as f64))),
        other => {
            let text = characters(other)?;
            let number: f64 = text.parse().map_err(|_| format!("`{text}` is no number"))?;
            finite(number)
        }
    }
}

/// Returns the number of an argument as a double.
fn as_double(value: &Value) -> Result<f64, String> {
    match value {
        #[expect(clippy::cast_precision_loss, reason = "rounding is about fractions")]
        Value::Int(number) => Ok(*number as f64),
        Value::Double(number) => Ok(number.0),
        other => Err(format!("a number is wanted here, not {}", other.noun())),
    }
}

pub(super) fn floor(_: &mut Meter, args: &[Value]) -> Result<Value, String> {
    rounded(&args[0], f64::floor)
}

pub(super) fn ceil(_: &mut Meter, args: &[Value]) -> Result<Value, String> {
    rounded(&args[0], f64::ceil)
}

pub(super) fn round(_: &mut Meter, args: &[Value]) -> Result<Value, String> {
    rounded(&args[0], f64::round)
}

fn rounded(value: &Value, how: fn(f64) -> f64) -> Result<Value, String> {
    match value {
        Value::Int(number) => Ok(Value::Int(*number)),
        other => truncated(how(as_double(other)?)),
    }
}

pub(super) fn least(_: &mut Meter, args: &[Seen]) -> Result<Seen, String> {
    Ok(pick(args.to_vec(), |it| it.is_lt()).unwrap_or_else(|| args[0].clone()))
}

pub(super) fn greatest(_: &mut Meter, args: &[Seen]) -> Result<Seen, String> {
    Ok(pick(args.to_vec(), |it| it.is_gt()).unwrap_or_else(|| args[0].clone()))
}

pub(super) fn least_of(meter: &mut Meter, args: &[Seen]) -> Result<Seen, String> {
    of_list(meter, &args[0], |it| it.is_lt())
}

pub(super) fn greatest_of(meter: &mut Meter, args: &[Seen]) -> Result<Seen, String> {
    of_list(meter, &args[0], |it| it.is_gt())
}

fn of_list(meter: &mut Meter, list: &Seen, better: fn(std::cmp::Ordering) -> bool) -> Result<Seen, String> {
    let items = items(list)?;
    meter.spend(items.len())?;
    Ok(Seen::optional(pick(items, better)))
}

fn pick(items: Vec<Seen>, better: fn(std::cmp::Ordering) -> bool) -> Option<Seen> {
    let mut items = items.into_iter();
    let first = items.next()?;
    Some(items.fold(first, |best, it| {
        if better(order(&it.value(), &best.value())) {
            it
        } else {
            best
        }
    }))
}

pub(super) fn sum(meter: &mut Meter, args: &[Value]) -> Result<Value, String> {
    let items = args[0].as_list().unwrap_or_default();
    meter.spend(items.len())?;
    let mut whole = 0_i64;
    let mut part: Option<f64> = None;
    for item in items {
        match item {
            Value::Int(number) => {
                whole = whole
                    .checked_add(*number)
                    .ok_or("the sum is too large for a whole number")?;
            }
            other => part = Some(part.unwrap_or_default() + as_double(other)?),
        }
    }
    match part {
        None => Ok(Value::Int(whole)),
        #[expect(clippy::cast_precision_loss, reason = "the sum of doubles is a double")]
        Some(part) => finite(part + whole as f64),
    }
}
