//! What is known to be there: `has(s.a)` before `s.a`, and all that follows from a condition being true or false.

use std::collections::BTreeSet;

use super::super::syntax::{Form, Syntax};
use super::super::tree::Binary;
use super::Checker;
use crate::value::Value;

/// Between the steps of a path; it stands in no name.
const STEP: char = '\u{1f}';

/// Paths that are known to be there, such as those that a rule's `when` has asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Present(pub(crate) BTreeSet<String>);

impl Present {
    /// Adds what `other` knows.
    pub fn extend(&mut self, other: &Self) {
        self.0.extend(other.0.iter().cloned());
    }
}

/// What follows from a condition.
#[derive(Default)]
pub(crate) struct Follows {
    /// These are there where it is true.
    pub(crate) if_true: BTreeSet<String>,
    /// These are there where it is false.
    pub(crate) if_false: BTreeSet<String>,
}

/// Returns the path to a member.
pub(crate) fn step(path: &str, name: &str) -> String {
    format!("{path}{STEP}{name}")
}

/// Returns the path to an item that another path names.
pub(crate) fn step_by(path: &str, key: &str) -> String {
    format!("{path}{STEP}[{key}]")
}

/// Returns what comes after `path` in each of `paths`, as said of another path.
pub(crate) fn moved<'a>(
    paths: impl IntoIterator<Item = &'a String>,
    from: &'a str,
    to: &'a str,
) -> impl Iterator<Item = String> {
    paths.into_iter().filter_map(move |it| {
        let rest = it.strip_prefix(from)?;
        rest.starts_with(STEP).then(|| format!("{to}{rest}"))
    })
}

impl Checker<'_> {
    /// Returns the path that an expression writes, if it is one.
    pub(crate) fn path(&self, it: &Syntax<'_>) -> Option<String> {
        match &it.form {
            Form::Name(name) => {
                let local = self.locals.iter().rev().find(|it| *it.name == **name);
                Some(local.map_or_else(|| (*name).to_owned(), |it| it.key.clone()))
            }
            Form::Member(of, name, _) => Some(step(&self.path(of)?, name)),
            Form::Index(parts, _) => {
                let path = self.path(&parts[0])?;
                match &parts[1].form {
                    Form::Literal(Value::Int(at)) => Some(step_by(&path, &at.to_string())),
                    _ => match parts[1].as_str() {
                        Some(name) => Some(step(&path, name)),
                        None => Some(step_by(&path, &self.path(&parts[1])?)),
                    },
                }
            }
            _ => None,
        }
    }

    /// Returns what follows from the condition `it`.
    pub(crate) fn follows(&self, it: &Syntax<'_>) -> Follows {
        match &it.form {
            Form::Call("has", args) if args.len() == 1 => Follows {
                if_true: self.prefixes(&args[0]),
                ..Follows::default()
            },
            Form::Method(optional, "hasValue", args) if args.is_empty() => Follows {
                if_true: self.prefixes(optional),
                ..Follows::default()
            },
            Form::Binary(Binary::In, sides) => Follows {
                if_true: self.key_of(&sides[0], &sides[1]).into_iter().collect(),
                ..Follows::default()
            },
            Form::Not(inner) => {
                let follows = self.follows(inner);
                Follows {
                    if_true: follows.if_false,
                    if_false: follows.if_true,
                }
            }
            Form::And(sides) => {
                let [a, b] = sides.each_ref().map(|it| self.follows(it));
                Follows {
                    if_true: &a.if_true | &b.if_true,
                    if_false: &a.if_false & &b.if_false,
                }
            }
            Form::Or(sides) => {
                let [a, b] = sides.each_ref().map(|it| self.follows(it));
                Follows {
                    if_true: &a.if_true & &b.if_true,
                    if_false: &a.if_false | &b.if_false,
                }
            }
            _ => Follows::default(),
        }
    }

    /// Returns the path of `map[key]`, where both have one.
    fn key_of(&self, key: &Syntax<'_>, map: &Syntax<'_>) -> Option<String> {
        let path = self.path(map)?;
        Some(match key.as_str() {
            Some(name) => step(&path, name),
            None => step_by(&path, &self.path(key)?),
        })
    }

    /// Returns the path of an expression and all that lead to it.
    fn prefixes(&self, it: &Syntax<'_>) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut it = it;
        while let Some(path) = self.path(it) {
            found.insert(path);
            it = match &it.form {
                Form::Member(of, ..) => of,
                Form::Index(parts, _) => &parts[0],
                _ => break,
            };
        }
        found
    }

    /// Runs `check` while `paths` are known to be there.
    pub(crate) fn knowing<T>(&mut self, paths: &BTreeSet<String>, check: impl FnOnce(&mut Self) -> T) -> T {
        let new: Vec<String> = paths.iter().filter(|it| !self.present.contains(*it)).cloned().collect();
        self.present.extend(new.iter().cloned());
        let result = check(self);
        for path in &new {
            self.present.remove(path);
        }
        result
    }
}
