//! Which rules may have something to say of a node: the conditions that they put to this node alone.
//!
//! Most rules hold for the nodes of one platform, and say so in the same few words. Each such condition is asked once a
//! node, however many rules put it, and before any pattern is walked. One that fails keeps no rule from being run.

use std::sync::Arc;

use crate::db::{Db, Project, View};
use crate::fact::world::NODES;
use crate::kind::Type;
use crate::rule::expression::{Bindings, Bound, Guard, Variables};
use crate::rule::model::Rule;
use crate::rule::set;
use crate::value::{Address, Name};

/// Rules that are run at nodes of one kind.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Guarded {
    rules: Vec<Entry>,
    guards: Vec<Guard>,
    /// The variables that the guards read.
    variables: Vec<Name>,
}

impl Eq for Guarded {}

/// A rule that is run at nodes of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The rule.
    pub rule: Arc<Rule>,
    /// The variable that the node is bound to.
    pub anchor: Name,
    /// Which of its facts speak of the node, where facts are asked for.
    pub facts: Vec<usize>,
    guards: Vec<usize>,
}

impl Guarded {
    /// Returns those rules of the project that `pick` picks for nodes of `kind`: by their anchor, and which of their facts.
    #[must_use]
    pub fn new(db: &dyn Db, project: Project, kind: &Name, pick: impl Fn(&Rule) -> Vec<(Name, Vec<usize>)>) -> Self {
        let mut guarded = Self::default();
        for id in set::ids(db, project) {
            let Some(rule) = set::rule(db, project, id.clone()) else {
                continue;
            };
            for (anchor, facts) in pick(rule) {
                let is_of_kind = match rule.body.pattern.variable(&anchor).map(|it| &it.ty) {
                    Some(Type::Node(kinds)) => kinds.contains(kind),
                    _ => false,
                };
                if is_of_kind {
                    guarded.add(rule, anchor, facts);
                }
            }
        }
        guarded
    }

    fn add(&mut self, rule: &Arc<Rule>, anchor: Name, facts: Vec<usize>) {
        let mut guards = Vec::new();
        for guard in rule.body.guards.get(&anchor).into_iter().flatten() {
            let known = self.guards.iter().position(|it| it == guard);
            guards.push(known.unwrap_or_else(|| {
                self.guards.push(guard.clone());
                if !self.variables.contains(guard.variable()) {
                    self.variables.push(guard.variable().clone());
                }
                self.guards.len() - 1
            }));
        }
        self.rules.push(Entry {
            rule: rule.clone(),
            anchor,
            facts,
            guards,
        });
    }

    /// Tells whether there is no rule.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Returns the rules that may have something to say of `node`.
    pub fn admitted<'g>(&'g self, db: &'g dyn Db, view: View, node: &'g Address) -> impl Iterator<Item = &'g Entry> {
        let mut known: Vec<Option<Answer>> = vec![None; self.guards.len()];
        let bound = self.variables.iter().map(|it| (it.clone(), Bound::Node(node.clone())));
        let variables: Variables = bound.collect();
        self.rules.iter().filter(move |entry| {
            for at in &entry.guards {
                match known[*at].get_or_insert_with(|| ask(db, view, &self.guards[*at], &variables)) {
                    Answer::Holds => {}
                    Answer::Fails => return true,
                    Answer::HoldsNot => return false,
                }
            }
            true
        })
    }
}

#[derive(Clone, Copy)]
enum Answer {
    Holds,
    HoldsNot,
    Fails,
}

fn ask(db: &dyn Db, view: View, guard: &Guard, variables: &Variables) -> Answer {
    let bindings = Bindings {
        view,
        variables,
        world: &NODES,
    };
    match guard.holds(db, &bindings) {
        Some(true) => Answer::Holds,
        Some(false) => Answer::HoldsNot,
        None => Answer::Fails,
    }
}
