//! Values laid over each other.

use crate::value::{Map, Name, Value};

/// Returns `base` with `patch` over it, as RFC 7396 says: maps merge, `null` removes, all else replaces.
#[must_use]
pub fn patched(base: &Value, patch: &Value) -> Value {
    match patch {
        Value::Map(patch) => {
            let empty = Map::default();
            Value::Map(patched_map(base.as_map().unwrap_or(&empty), patch))
        }
        _ => patch.clone(),
    }
}

/// Returns `base` with `patch` over it.
#[must_use]
pub fn patched_map(base: &Map, patch: &Map) -> Map {
    if patch.is_empty() {
        return base.clone();
    }
    let mut entries: Vec<(Name, Value)> = Vec::with_capacity(base.len() + patch.len());
    let mut below = base.iter().peekable();
    // Both are sorted by name, so one walk over the two is enough.
    for (name, value) in patch {
        while let Some(entry) = below.next_if(|it| it.0 < *name) {
            entries.push(entry.clone());
        }
        let replaced = below.next_if(|it| it.0 == *name);
        if *value != Value::Null {
            let under = replaced.map_or(&Value::Null, |it| &it.1);
            entries.push((name.clone(), patched(under, value)));
        }
    }
    entries.extend(below.cloned());
    entries.into_iter().collect()
}

/// Returns `map` with `value` at the end of `path`, in place of what stands there.
#[must_use]
pub fn set(map: &Map, path: &[Name], value: Value) -> Map {
    match path {
        [] => map.clone(),
        [last] => map.with(last.clone(), value),
        [first, rest @ ..] => {
            let empty = Map::default();
            let inner = map.get(first).and_then(Value::as_map).unwrap_or(&empty);
            map.with(first.clone(), Value::Map(set(inner, rest, value)))
        }
    }
}

/// Returns `map` without what stands at the end of `path`.
#[must_use]
pub fn without(map: &Map, path: &[Name]) -> Map {
    match path {
        [] => map.clone(),
        [last] => map.iter().filter(|(name, _)| name != last).cloned().collect(),
        [first, rest @ ..] => match map.get(first).and_then(Value::as_map) {
            Some(inner) => map.with(first.clone(), Value::Map(without(inner, rest))),
            None => map.clone(),
        },
    }
}

/// Returns what stands at the end of `path`.
#[must_use]
pub fn at<'m>(map: &'m Map, path: &[Name]) -> Option<&'m Value> {
    let (first, rest) = path.split_first()?;
    map.get(first)?.at(rest)
}
