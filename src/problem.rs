//! Everything that can be wrong with a user's files, and where.
//!
//! A [`Problem`] is data: a stable code, one sentence, places with labels, and what to type instead.
//! It knows nothing of terminals; `shell` prints it. A bug in this program is no `Problem`: it panics.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::value::{Address, Name, Path};

/// A byte range of a file's text, end-exclusive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// Returns the span of `start..end`.
    #[must_use]
    pub fn new(start: usize, end: usize) -> Self {
        let fit = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self {
            start: fit(start),
            end: fit(end),
        }
    }

    /// Returns the span of the character of `text` in which the byte `at` lies; empty behind the last one.
    #[must_use]
    pub fn of_char(text: &str, at: usize) -> Self {
        let start = text.floor_char_boundary(at);
        let width = text[start..].chars().next().map_or(0, char::len_utf8);
        Self::new(start, start + width)
    }

    /// Returns this span moved `by` bytes to the right.
    #[must_use]
    pub fn shifted(self, by: u32) -> Self {
        Self {
            start: self.start.saturating_add(by),
            end: self.end.saturating_add(by),
        }
    }

    /// Returns the part of `text` under this span, empty where it does not fit.
    #[must_use]
    pub fn of(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize).unwrap_or("")
    }
}

/// Where something stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Place {
    /// A range of a file, by its path within the project or its pack.
    Text(Name, Span),
    /// A rule, as `pack/name`: its line is looked up when the problem is printed.
    Rule(Name),
    /// A part of a rule: a range of its strings, which are laid end to end as they are read. Its line is looked up when
    /// the problem is printed, so that a moved rule changes no query.
    Within(Name, Span),
    /// A field of a node, in one environment or in all: its lines are looked up when the problem is printed,
    /// so that a moved line changes no query.
    Field {
        /// The environment whose layers are searched first; `None` for the base.
        environment: Option<Name>,
        /// The node.
        node: Address,
        /// The field, as far as it exists.
        path: Path,
    },
}

/// A place and what is wrong right there.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Label {
    /// Where.
    pub place: Place,
    /// What is wrong here, in a few words; may be empty.
    pub text: Arc<str>,
}

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Severity {
    /// Nothing is written while it stands.
    Error,
    /// Said, and passed over.
    Warning,
}

/// One thing that is wrong with a user's files.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// `area::what`; it never changes, and `docs/problems/<area>.<what>.md` explains it. What a rule finds bears
    /// the rule's own name, `pack::rule`.
    pub code: Cow<'static, str>,
    /// The fact, standing alone on one line: lower case, names in back-ticks, no full stop.
    pub message: Arc<str>,
    /// Where it stands; the first is the main one.
    pub labels: Vec<Label>,
    /// What to type.
    pub help: Option<Arc<str>>,
}

impl Problem {
    /// Returns an error with neither place nor help yet.
    pub fn error(code: impl Into<Cow<'static, str>>, message: impl Into<Arc<str>>) -> Self {
        Self {
            severity: Severity::Error,
            code: code.into(),
            message: message.into(),
            labels: Vec::new(),
            help: None,
        }
    }

    /// Returns a warning with neither place nor help yet.
    pub fn warning(code: impl Into<Cow<'static, str>>, message: impl Into<Arc<str>>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, message)
        }
    }

    /// Adds a place and what is wrong there.
    #[must_use]
    pub fn at(mut self, place: Place, label: impl Into<Arc<str>>) -> Self {
        self.labels.push(Label {
            place,
            text: label.into(),
        });
        self
    }

    /// Sets what to type instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<Arc<str>>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds "did you mean `…`?" where one of `known` is close to `wrong`, else lists them, or the nearest of many.
    #[must_use]
    pub fn suggest<'a>(mut self, wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let mut known: Vec<&str> = known.into_iter().collect();
        known.sort_unstable();
        known.dedup();
        if let Some(best) = closest(wrong, &known) {
            self.help = Some(format!("did you mean `{best}`?").into());
        } else if !known.is_empty() {
            let n_known = known.len();
            let which = if n_known > LISTED {
                known.sort_by_cached_key(|it| (distance(wrong, it), *it));
                known.truncate(LISTED);
                known.sort_unstable();
                format!("known here, of {n_known}")
            } else {
                "known here".to_owned()
            };
            let list: Vec<String> = known.iter().map(|it| format!("`{it}`")).collect();
            self.help = Some(format!("{which}: {}", list.join(", ")).into());
        }
        self
    }

    /// Tells whether one of its places is a range of `file`.
    #[must_use]
    pub fn is_placed_in(&self, file: &Name) -> bool {
        let mut places = self.labels.iter().map(|it| &it.place);
        places.any(|it| matches!(it, Place::Text(at, _) if at == file))
    }

    /// Tells whether this stops a write.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// How many names are listed where none is close.
const LISTED: usize = 12;

/// Returns the one of `known` that a typing mistake would turn into `wrong`.
#[must_use]
pub fn closest<'a>(wrong: &str, known: &[&'a str]) -> Option<&'a str> {
    nearest(wrong, known).map(|it| it.1)
}

/// Returns [the closest](closest) one, after the number of single edits to it.
#[must_use]
pub fn nearest<'a>(wrong: &str, known: &[&'a str]) -> Option<(usize, &'a str)> {
    let limit = (wrong.chars().count() / 3).max(1);
    let length = wrong.chars().count();
    known
        .iter()
        .filter(|it| it.chars().count().abs_diff(length) <= limit)
        .map(|it| (distance(wrong, it), *it))
        .filter(|(distance, it)| *distance <= limit && *it != wrong)
        .min()
}

/// Returns the number of single edits between `a` and `b`, a swap of neighbours counting as one.
fn distance(a: &str, b: &str) -> usize {
    let same = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
    let rest = |it: &str| -> Vec<char> { it.chars().skip(same).flat_map(char::to_lowercase).take(64).collect() };
    let (a, b) = (rest(a), rest(b));
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let substitute = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = substitute.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before_last[j - 2] + 1);
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_swap_and_a_missing_letter_are_found() {
        assert_eq!(closest("replcias", &["replicas", "resources"]), Some("replicas"));
        assert_eq!(closest("servce", &["service", "infra"]), Some("service"));
        assert_eq!(closest("zzz", &["service", "infra"]), None);
    }

    #[test]
    fn a_byte_stands_for_its_whole_character() {
        let of = |at: usize| Span::of_char("aé", at);
        assert_eq!(
            [of(0), of(1), of(2), of(3)],
            [(0, 1), (1, 3), (1, 3), (3, 3)].map(|(from, to)| Span::new(from, to))
        );
    }
}
