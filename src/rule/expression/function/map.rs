//! Maps: their keys, their values, two of them in one.

use std::collections::BTreeMap;

use super::{Meter, printed};
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

/// The ends of nested maps and lists, each with its path.
pub(super) fn leaves(meter: &mut Meter, args: &[Value]) -> Result<Value, String> {
    let mut found = Vec::new();
    // What is still to be walked, the next at the end: a value may be nested as deep as a file may be.
    let mut open = vec![(String::new(), args[0].clone())];
    while let Some((path, value)) = open.pop() {
        meter.spend(1)?;
        meter.spend_bytes(path.len())?;
        let values = match &value {
            Value::Null => continue,
            Value::Map(map) => {
                let inner = map.iter().rev().map(|(key, it)| {
                    let point = if path.is_empty() { "" } else { "." };
                    (format!("{path}{point}{key}"), it.clone())
                });
                open.extend(inner);
                continue;
            }
            Value::List(items) if items.iter().any(|it| matches!(it, Value::Map(_) | Value::List(_))) => {
                let inner = items.iter().enumerate().rev();
                open.extend(inner.map(|(at, it)| (format!("{path}[{at}]"), it.clone())));
                continue;
            }
            Value::List(items) => items.iter().map(as_text).collect::<Result<_, String>>()?,
            one => vec![as_text(one)?],
        };
        let fields = [
            (Name::from("path"), Value::string(path)),
            (Name::from("values"), Value::list(values)),
        ];
        found.push(fields.into_iter().collect::<Value>());
    }
    Ok(Value::list(found))
}

fn as_text(value: &Value) -> Result<Value, String> {
    printed(value).map(Value::text)
}
