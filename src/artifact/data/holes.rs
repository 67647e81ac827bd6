//! Holes: places of filled data in which code stands that another language runs before the format is read.

use super::document::{Datum, Kind};
use crate::language::escape;
use crate::value::Name;

/// Puts code in the place that a path names; nothing happens where the data have no such place.
///
/// A path is steps parted by `/`, `~1` being a slash within one: keys, positions, and `*` for each item of a list.
pub(super) fn put(datum: &mut Datum, path: &str, code: &Name) {
    if path.is_empty() {
        datum.kind = Kind::Code(code.clone());
        return;
    }
    let (step, further) = path.split_once('/').unwrap_or((path, ""));
    match &mut datum.kind {
        Kind::List(items) if step == "*" => items.iter_mut().for_each(|it| put(it, further, code)),
        Kind::List(items) => {
            let item = step.parse::<usize>().ok().and_then(|it| items.get_mut(it));
            item.into_iter().for_each(|it| put(it, further, code));
        }
        Kind::Map(entries) => {
            let key = step.replace("~1", "/");
            let entry = entries.iter_mut().find(|it| *it.0 == *key);
            entry.into_iter().for_each(|(_, it)| put(it, further, code));
        }
        _ => {}
    }
}

/// Tells whether all strings of data can be written so that a language passes them on as they are.
pub(super) fn writable(datum: &Datum, language: &str) -> Result<(), String> {
    let fits = |text: &str| match escape(language, text) {
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    };
    match &datum.kind {
        Kind::String(text) => fits(text),
        Kind::List(items) => items.iter().try_for_each(|it| writable(it, language)),
        Kind::Map(entries) => entries.iter().try_for_each(|(key, it)| {
            fits(key)?;
            writable(it, language)
        }),
        _ => Ok(()),
    }
}
