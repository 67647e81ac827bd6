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
    if base.is_empty() && !patch.iter().any(|(_, it)| matches!(it, Value::Null | Value::Map(_))) {
        return patch.clone();
    }
    let kept = base.iter().filter(|(name, _)| patch.get(name).is_none()).cloned();
    let changed = patch
        .iter()
        .filter(|(_, value)| *value != Value::Null)
        .map(|(name, value)| {
            let below = base.get(name).unwrap_or(&Value::Null);
            (name.clone(), patched(below, value))
        });
    kept.chain(changed).collect()
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
