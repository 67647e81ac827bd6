//! Optional values, as `.?` gives them.

use super::Meter;
use crate::rule::expression::seen::Seen;
use crate::value::Value;

fn inner(seen: &Seen) -> Result<Option<&Seen>, String> {
    match seen {
        Seen::Optional(inner) => Ok(inner.as_deref()),
        other => Err(format!("an optional value is wanted here, not {}", other.noun())),
    }
}

pub(super) fn or_value(_: &mut Meter, args: &[Seen]) -> Result<Seen, String> {
    Ok(inner(&args[0])?.unwrap_or(&args[1]).clone())
}

pub(super) fn or(_: &mut Meter, args: &[Seen]) -> Result<Seen, String> {
    Ok(if inner(&args[0])?.is_some() { &args[0] } else { &args[1] }.clone())
}

pub(super) fn has_value(_: &mut Meter, args: &[Seen]) -> Result<Seen, String> {
    Ok(Seen::of(inner(&args[0])?.is_some()))
}

pub(super) fn value(_: &mut Meter, args: &[Seen]) -> Result<Seen, String> {
    inner(&args[0])?
        .cloned()
        .ok_or_else(|| "there is no value here: give one with `orValue`".to_owned())
}

pub(super) fn optionally(_: &mut Meter, args: &[Seen]) -> Result<Seen, String> {
    match args[0].value() {
        Value::Bool(truth) => Ok(Seen::optional(truth.then(|| args[1].clone()))),
        other => Err(format!("a condition is wanted here, not {}", other.noun())),
    }
}
