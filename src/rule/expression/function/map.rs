//! Maps: their keys, their values, two of them in one.

use std::collections::BTreeMap;

use super::Meter;
use crate::rule::expression::seen::Seen;
use crate::value::{Name, Value};

fn entries(meter: &mut Meter, seen: &Seen) -> Result<Vec<(Name, Seen)>, String> {
    let entries = seen
        .entries()
        .ok_or_else(|| format!("a map is wanted here, not {}", seen.noun()))?;
    meter.spend(entries.len())?;
    Ok(entries)
}

pub(super) fn keys(meter: &mut Meter, args: &[Seen]) -> Result<Seen, String> {
    let entries = entries(meter, &args[0])?;
    Ok(Seen::of(Value::list(
        entries.into_iter().map(|(key, _)| Value::String(key)),
    )))
}

pub(super) fn values(meter: &mut Meter, args: &[Seen]) -> Result<Seen, String> {
    let entries = entries(meter, &args[0])?;
    Ok(Seen::list(entries.into_iter().map(|(_, value)| value).collect()))
}

pub(super) fn entries_of(meter: &mut Meter, args: &[Seen]) -> Result<Seen, String> {
    let entries = entries(meter, &args[0])?.into_iter().map(|(key, value)| {
        let key = Seen::of(Value::String(key));
        Seen::record([(Name::from("key"), key), (Name::from("value"), value)])
    });
    Ok(Seen::list(entries.collect()))
}

/// The entries with the blanks that put their values into one column.
pub(super) fn aligned(meter: &mut Meter, args: &[Seen]) -> Result<Seen, String> {
    let entries = entries(meter, &args[0])?;
    let width = entries.iter().map(|(key, _)| key.chars().count()).max().unwrap_or(0);
    let blank = Value::string(" ");
    let mut lines = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        let missing = width - key.chars().count();
        meter.spend(missing)?;
        let pad = Value::list(std::iter::repeat_n(blank.clone(), missing));
        lines.push(Seen::record([
            (Name::from("key"), Seen::of(Value::String(key))),
            (Name::from("pad"), Seen::of(pad)),
            (Name::from("value"), value),
        ]));
    }
    Ok(Seen::list(lines))
}

pub(super) fn merge(meter: &mut Meter, args: &[Seen]) -> Result<Seen, String> {
    let mut all: BTreeMap<Name, Seen> = BTreeMap::new();
    for map in args {
        all.extend(entries(meter, map)?);
    }
    Ok(Seen::record(all))
}
