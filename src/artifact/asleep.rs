//! Which rules have nothing to say of any node, so that an edit need not be walked back through them.
//!
//! Most rules are those of platforms that nobody uses: a condition on one of their nodes holds nowhere. Such a rule
//! sleeps, until an edit may have changed something that the condition reads on a node which now fulfils it. A rule that
//! was woken is taken to be awake from then on: that may be too much, and is never too little.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

use crate::db::{Database, Project, View};
use crate::fact::shape;
use crate::fact::world::NODES;
use crate::rule::expression::{Bindings, Bound, Guard, Variables};
use crate::rule::file::Reach;
use crate::rule::model::Rule;
use crate::value::{Address, Name};

/// The rules that sleep in one environment, each with the variable whose conditions no node fulfils.
#[derive(Clone, Debug, Default)]
pub struct Asleep(BTreeMap<Name, Name>);

impl Asleep {
    /// Finds those of `rules` that sleep, by asking every node: a condition that holds nowhere is enough.
    #[must_use]
    pub fn find<'r>(db: &Database, project: Project, environment: u16, rules: &'r [Arc<Rule>]) -> Self {
        let view = View::finished(environment);
        let snapshot = shape::snapshot(db, project, view);
        let mut known: Vec<Asked<'r>> = Vec::new();
        let mut holds_nowhere = |kinds: Arc<[Name]>, guard: &'r Guard| {
            if let Some(asked) = known.iter().find(|it| it.kinds == kinds && it.guard == guard) {
                return asked.nowhere;
            }
            let mut nodes = kinds.iter().map(|kind| snapshot.of_kind(kind));
            let nowhere = !nodes.any(|nodes| {
                let asked = nodes
                    .par_iter()
                    .map_with(db.clone(), |db, node| hold(db, view, &[guard], node));
                asked.any(|it| it)
            });
            known.push(Asked { kinds, guard, nowhere });
            nowhere
        };
        let each = rules.iter().filter(|it| it.reach == Reach::Each);
        let asleep = each.filter_map(|rule| {
            let mut variables = rule.body.guards.keys();
            let variable = variables.find(|it| {
                let kinds = rule.body.kinds_of(it);
                guards(rule, it)
                    .into_iter()
                    .any(|guard| holds_nowhere(kinds.clone(), guard))
            });
            Some((rule.id.clone(), variable?.clone()))
        });
        asleep.collect()
    }

    /// Returns the rules that sleep, each with the variable whose conditions no node fulfils.
    pub fn iter(&self) -> impl Iterator<Item = (&Name, &Name)> {
        self.0.iter()
    }

    /// Tells whether `rule` sleeps on after an edit that may have changed the nodes and, by relation, the facts that
    /// `touched` returns.
    pub fn keeps<'t, T: Iterator<Item = &'t Address>>(
        &self,
        db: &Database,
        environment: u16,
        rule: &Rule,
        touched: impl Fn(&[Name]) -> T,
    ) -> bool {
        let Some(variable) = self.0.get(&rule.id) else {
            return false;
        };
        let view = View::finished(environment);
        let kinds = rule.body.kinds_of(variable);
        let guards = guards(rule, variable);
        let relations: Vec<Name> = guards
            .iter()
            .flat_map(|it| it.relations().unwrap_or_default())
            .cloned()
            .collect();
        !touched(&relations).any(|node| kinds.contains(&node.kind) && hold(db, view, &guards, node))
    }

    /// Forgets the rules for which `is_awake` holds.
    pub fn wake(&mut self, is_awake: impl Fn(&Name) -> bool) {
        self.0.retain(|id, _| !is_awake(id));
    }
}

impl FromIterator<(Name, Name)> for Asleep {
    fn from_iter<T: IntoIterator<Item = (Name, Name)>>(rules: T) -> Self {
        Self(rules.into_iter().collect())
    }
}

/// A condition that was put to all nodes of some kinds.
struct Asked<'r> {
    kinds: Arc<[Name]>,
    guard: &'r Guard,
    /// Whether no node fulfils it.
    nowhere: bool,
}

/// Returns the conditions that `rule` puts to the fields and the facts of `variable` alone; those that ask for no facts,
/// which would have to be derived, come first.
fn guards<'r>(rule: &'r Rule, variable: &Name) -> Vec<&'r Guard> {
    let all = rule.body.guards.get(variable).into_iter().flatten();
    let mut guards: Vec<&Guard> = all.filter(|it| it.relations().is_some()).collect();
    guards.sort_by_key(|it| it.relations().is_some_and(|it| !it.is_empty()));
    guards
}

/// Tells whether a node fulfils `guards`, or fails at one: then the rule is run, and says so.
fn hold(db: &Database, view: View, guards: &[&Guard], node: &Address) -> bool {
    let holds = |guard: &Guard| {
        let variables: Variables = [(guard.variable().clone(), Bound::Node(node.clone()))]
            .into_iter()
            .collect();
        let bindings = Bindings {
            view,
            variables: &variables,
            world: &NODES,
        };
        guard.holds(db, &bindings) != Some(false)
    };
    salsa::attach(db, || guards.iter().all(|it| holds(it)))
}
