//! Why an artifact changes: which input, what it was and what it is.
//!
//! Made where staleness is decided; the plan only carries it to the reports.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Change, Entry, Plan};
use crate::value::Name;

/// What sort of input changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sort {
    /// A field of the spec.
    Spec,
    /// A rule, or what a pack declares.
    Rule,
    /// A template.
    Template,
    /// A flag of the command line.
    Flag,
    /// The program: what is built in.
    Gen,
    /// The file itself, on the disk.
    Disk,
}

/// One input that changed, and what it was.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
pub struct Reason {
    /// What sort of input it is.
    pub sort: Sort,
    /// The file in which it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<Name>,
    /// The line, counted from 1; of the old file where it no longer exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// What changed, as people name it: `services.orders.deployment.replicas`, `rules/tubes/line.yaml`.
    pub input: Arc<str>,
    /// What it was; `None` where it did not exist.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<Arc<str>>,
    /// What it is now; `None` where it no longer exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<Arc<str>>,
    /// The old and the new name, where only a name differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renamed: Option<(Name, Name)>,
}

impl Reason {
    /// Returns one that says all in `input`, be it of a file or not.
    #[must_use]
    pub fn of(sort: Sort, file: Option<Name>, input: impl Into<Arc<str>>) -> Self {
        Self {
            sort,
            file,
            line: None,
            input: input.into(),
            old: None,
            new: None,
            renamed: None,
        }
    }

    /// Returns the old and the new name, where it says that one took the place of the other: a key, or a value of one word.
    #[must_use]
    pub fn names(&self) -> Option<(Name, Name)> {
        let is_word = |it: &Arc<str>| !it.is_empty() && !it.contains(char::is_whitespace);
        let of_value = || match (self.sort, &self.old, &self.new) {
            (Sort::Spec, Some(old), Some(new)) if is_word(old) && is_word(new) => Some((&**old, &**new)),
            _ => None,
        };
        let name = |it: &str| Name::from(it.trim_matches(['"', '\'']));
        let value = || of_value().map(|(old, new)| (name(old), name(new)));
        self.renamed.clone().or_else(value)
    }

    /// Says it on one line.
    #[must_use]
    pub fn sentence(&self) -> String {
        let place = match (&self.file, self.line) {
            (Some(file), Some(line)) => format!("{file}:{line} "),
            (Some(file), None) if **file != *self.input => format!("{file} "),
            _ => String::new(),
        };
        let input = &self.input;
        match (&self.old, &self.new) {
            (Some(old), Some(new)) => format!("{place}{input} {old} → {new}"),
            (None, Some(new)) => format!("{place}{input} {new}, new"),
            (Some(old), None) => format!("{place}{input} {old}, gone"),
            (None, None) => format!("{place}{input}"),
        }
    }
}

/// Returns `path` with the name `to` in the place of `from`: where that stands as a word, and wherever it stands.
#[must_use]
pub fn under(path: &str, from: &str, to: &str) -> [String; 2] {
    let is_part = |it: Option<char>| it.is_some_and(char::is_alphanumeric);
    let mut words = String::with_capacity(path.len());
    let mut at = 0;
    for (start, found) in path.match_indices(from) {
        let end = start + found.len();
        if !is_part(path[..start].chars().next_back()) && !is_part(path[end..].chars().next()) {
            words.push_str(&path[at..start]);
            words.push_str(to);
            at = end;
        }
    }
    words.push_str(&path[at..]);
    [words, path.replace(from, to)]
}

/// Entries of a plan that change for the same reasons.
#[derive(Debug)]
pub struct Group<'a> {
    /// The reasons; none where they are not known.
    pub reasons: &'a [Reason],
    /// The entries, in the order of their paths.
    pub entries: Vec<&'a Entry>,
}

impl Group<'_> {
    /// Counts its entries by what becomes of them and by rule: the name of the change, the rule, how many, the first.
    #[must_use]
    pub fn by_rule(&self) -> Vec<(&Entry, usize)> {
        let mut counted: BTreeMap<(&'static str, &Name), (&Entry, usize)> = BTreeMap::new();
        for entry in &self.entries {
            let key = (entry.change.name(), &entry.rule);
            counted.entry(key).or_insert((entry, 0)).1 += 1;
        }
        counted.into_values().collect()
    }
}

/// Groups the entries of `plan` by their reasons: those of which none is known first, then by their first path.
#[must_use]
pub fn groups(plan: &Plan) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut places: BTreeMap<&[Reason], usize> = BTreeMap::new();
    for entry in &plan.entries {
        let at = *places.entry(&entry.reasons).or_insert_with(|| {
            groups.push(Group {
                reasons: &entry.reasons,
                entries: Vec::new(),
            });
            groups.len() - 1
        });
        groups[at].entries.push(entry);
    }
    groups.sort_by_key(|it| !it.reasons.is_empty());
    groups
}

/// Tells whether the reason of an entry is worth asking for: what is decided on the disk alone has none in the inputs.
#[must_use]
pub fn is_asked(entry: &Entry) -> bool {
    matches!(
        entry.change,
        Change::Create | Change::Update | Change::Delete | Change::Moved { .. } | Change::EditedByHand(_)
    )
}
