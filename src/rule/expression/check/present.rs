//! What is known to be there: `has(s.a)` before `s.a`, and all that follows from a condition being true or false.

use std::collections::BTreeSet;

use cel::common::ast::{Expr, IdedExpr, LiteralValue, operators};

use super::Checker;

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
    pub(crate) fn path(&self, it: &IdedExpr) -> Option<String> {
        match &it.expr {
            Expr::Ident(name) => {
                let local = self.locals.iter().rev().find(|it| *it.name == **name);
                Some(local.map_or_else(|| name.clone(), |it| it.key.clone()))
            }
            Expr::Select(select) => Some(step(&self.path(&select.operand)?, &select.field)),
            Expr::Call(call)
                if matches!(
                    &*call.func_name,
                    operators::INDEX | operators::OPT_INDEX | operators::OPT_SELECT
                ) =>
            {
                let path = self.path(&call.args[0])?;
                match &call.args[1].expr {
                    Expr::Literal(LiteralValue::String(name)) => Some(step(&path, name.inner())),
                    Expr::Literal(LiteralValue::Int(at)) => Some(step_by(&path, &at.inner().to_string())),
                    _ => Some(step_by(&path, &self.path(&call.args[1])?)),
                }
            }
            _ => None,
        }
    }

    /// Returns what follows from the condition `it`.
    pub(crate) fn follows(&self, it: &IdedExpr) -> Follows {
        let Expr::Call(call) = &it.expr else {
            return Follows::default();
        };
        match (&*call.func_name, &call.target, &*call.args) {
            (operators::HAS, None, [field]) => Follows {
                if_true: self.prefixes(field),
                ..Follows::default()
            },
            ("hasValue", Some(optional), []) => Follows {
                if_true: self.prefixes(optional),
                ..Follows::default()
            },
            (operators::IN, None, [key, map]) => Follows {
                if_true: self.key_of(key, map).into_iter().collect(),
                ..Follows::default()
            },
            (operators::LOGICAL_NOT, None, [inner]) => {
                let follows = self.follows(inner);
                Follows {
                    if_true: follows.if_false,
                    if_false: follows.if_true,
                }
            }
            (operators::LOGICAL_AND, None, [a, b]) => {
                let (a, b) = (self.follows(a), self.follows(b));
                Follows {
                    if_true: &a.if_true | &b.if_true,
                    if_false: &a.if_false & &b.if_false,
                }
            }
            (operators::LOGICAL_OR, None, [a, b]) => {
                let (a, b) = (self.follows(a), self.follows(b));
                Follows {
                    if_true: &a.if_true & &b.if_true,
                    if_false: &a.if_false | &b.if_false,
                }
            }
            _ => Follows::default(),
        }
    }

    /// Returns the path of `map[key]`, where both have one.
    fn key_of(&self, key: &IdedExpr, map: &IdedExpr) -> Option<String> {
        let path = self.path(map)?;
        Some(match &key.expr {
            Expr::Literal(LiteralValue::String(name)) => step(&path, name.inner()),
            _ => step_by(&path, &self.path(key)?),
        })
    }

    /// Returns the path of an expression and all that lead to it.
    fn prefixes(&self, it: &IdedExpr) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut it = it;
        while let Some(path) = self.path(it) {
            found.insert(path);
            it = match &it.expr {
                Expr::Select(select) => &select.operand,
                Expr::Call(call) => &call.args[0],
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
