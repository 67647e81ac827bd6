//! The rules as a run saw them, and which of them an edit of packs has changed.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::artifact::instance;
use crate::db::{Database, Project};
use crate::fingerprint::Fingerprint;
use crate::problem::Problem;
use crate::rule::model::Rule;
use crate::rule::{set, strata};
use crate::value::Name;

/// The rules in force without an error, by their id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeenRules(BTreeMap<Name, SeenRule>);

/// What there is to know of a rule, to tell later whether it says something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenRule {
    /// Of the rule and its template.
    digest: Fingerprint,
    /// Whether all that it does is to print: it says nothing that another rule may read.
    prints_alone: bool,
}

/// What an edit of rules and templates has come to.
#[derive(Clone, Debug)]
pub enum PackEdit {
    /// Some rules print from something else, and all else that rules say is as it was.
    Printing(Printing),
    /// Something is wrong with the templates of such rules.
    Wrong(Vec<Problem>),
    /// More than that may differ.
    More,
}

/// The rules that print from something else.
#[derive(Clone, Debug, Default)]
pub struct Printing {
    /// Their ids.
    pub stale: BTreeSet<Name>,
    /// All rules as they are now, where some are stale.
    pub now: SeenRules,
}

impl SeenRules {
    /// Returns the rules as they are now.
    #[must_use]
    pub fn now(db: &Database, project: Project) -> Self {
        let ids = set::ids(db, project).iter();
        ids.filter_map(|id| Some((id.clone(), SeenRule::now(db, project, id)?)))
            .collect()
    }

    /// Returns the ids and the rules, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&Name, SeenRule)> {
        self.0.iter().map(|(id, it)| (id, *it))
    }

    /// Tells whether all of them are the same in `other`.
    #[must_use]
    pub fn are_in(&self, other: &Self) -> bool {
        self.0.iter().all(|(id, it)| other.0.get(id) == Some(it))
    }

    /// Returns the ids of those that are not the same in `other`, or not there.
    #[must_use]
    pub fn differing(&self, other: &Self) -> BTreeSet<Name> {
        let ids = self.0.keys().chain(other.0.keys());
        ids.filter(|id| self.0.get(*id) != other.0.get(*id)).cloned().collect()
    }

    /// Returns what the edits of packs have come to since these rules were seen, in a project whose packs had no problem.
    #[must_use]
    pub fn edit(&self, db: &Database, project: Project) -> PackEdit {
        let now = Self::now(db, project);
        let is_sound = set::problems(db, project).is_empty()
            && strata::strata(db, project).problems.is_empty()
            && instance::partial_problems(db, project).is_empty();
        if !is_sound || !now.0.keys().eq(self.0.keys()) {
            return PackEdit::More;
        }
        let stale = self.differing(&now);
        let print_alone = |it: &Self| stale.iter().all(|id| it.0.get(id).is_some_and(|it| it.prints_alone));
        if !print_alone(self) || !print_alone(&now) {
            return PackEdit::More;
        }
        let templates = stale.iter().map(|id| instance::template(db, project, id.clone()));
        let problems: Vec<Problem> = templates.flat_map(|it| it.problems.iter().cloned()).collect();
        match problems.iter().any(Problem::is_error) {
            true => PackEdit::Wrong(problems),
            false if problems.is_empty() => PackEdit::Printing(Printing { stale, now }),
            false => PackEdit::More,
        }
    }
}

impl FromIterator<(Name, SeenRule)> for SeenRules {
    fn from_iter<T: IntoIterator<Item = (Name, SeenRule)>>(rules: T) -> Self {
        Self(rules.into_iter().collect())
    }
}

impl SeenRule {
    fn now(db: &Database, project: Project, id: &Name) -> Option<Self> {
        let rule = set::rule(db, project, id.clone()).as_ref()?;
        let template = instance::template_fingerprint(db, project, id.clone());
        Some(Self {
            digest: Fingerprint::of(format!("{}{template}", rule.fingerprint).as_bytes()),
            prints_alone: prints_alone(rule),
        })
    }
}

fn prints_alone(rule: &Rule) -> bool {
    rule.artifact.is_some() && rule.facts.is_empty() && !rule.shapes() && !rule.speaks()
}
