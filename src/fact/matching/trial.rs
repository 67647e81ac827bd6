//! Why a rule says nothing of a node: its steps one by one, as far as they go.

use super::{GraphWorld, MAX_STEPS, Run, bound_items};
use crate::db::{Db, Project, View};
use crate::rule::model::Rule;
use crate::value::{Address, Name, Value};

/// How far a rule comes at a node; the later, the farther.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trial {
    /// Its variable stands for nodes of other kinds.
    OtherKind,
    /// Its pattern matches nothing around the node.
    NoMatch,
    /// One of its `exists` matches nothing, by its place among them.
    Exists(usize),
    /// One of its `unless` matches, by its place among them.
    Unless(usize),
    /// A collection that it walks is empty, by its place among them.
    Empty(usize),
    /// A condition does not hold, by its place among them.
    When(usize),
    /// An expression failed, for this reason.
    Failed(String),
    /// It holds, so many times.
    Holds(usize),
}

/// Returns how far `rule` comes with `node` in the place of its variable `anchor`.
#[must_use]
pub fn trial(db: &dyn Db, project: Project, view: View, rule: &Rule, anchor: &Name, node: &Address) -> Trial {
    let run = Run {
        db,
        project,
        view,
        rule,
    };
    let body = &rule.body;
    if !body.kinds_of(anchor).contains(&node.kind) {
        return Trial::OtherKind;
    }
    let Some(walk) = body.walks.get(anchor) else {
        return Trial::OtherKind;
    };
    let world = GraphWorld {
        db,
        project,
        view,
        rule,
    };
    let found = match walk.matches(&world, std::slice::from_ref(node), MAX_STEPS) {
        Ok(found) => found,
        Err(_) => return Trial::Failed("its pattern takes too many steps".to_owned()),
    };
    let mut farthest = Trial::NoMatch;
    let mut n_held = 0;
    for binding in found {
        let found = run.bound(&binding);
        let one = run.tried(found, &world, &mut n_held);
        farthest = farthest.max(one);
    }
    if n_held > 0 { Trial::Holds(n_held) } else { farthest }
}

impl Run<'_> {
    fn tried(&self, found: super::Match, world: &GraphWorld<'_>, n_held: &mut usize) -> Trial {
        let body = &self.rule.body;
        for (nth, inner) in body.exists.iter().enumerate() {
            match self.holds(&[], std::slice::from_ref(inner), &found, world) {
                Ok(true) => {}
                Ok(false) => return Trial::Exists(nth),
                Err(_) => return Trial::Failed("a pattern takes too many steps".to_owned()),
            }
        }
        for (nth, inner) in body.unless.iter().enumerate() {
            match self.holds(std::slice::from_ref(inner), &[], &found, world) {
                Ok(true) => {}
                Ok(false) => return Trial::Unless(nth),
                Err(_) => return Trial::Failed("a pattern takes too many steps".to_owned()),
            }
        }
        self.tried_each(0, found, n_held)
    }

    fn tried_each(&self, nth: usize, mut found: super::Match, n_held: &mut usize) -> Trial {
        let body = &self.rule.body;
        if let Some((name, expression)) = body.each.get(nth) {
            let all = match self.bound_to(expression, &found) {
                Ok(bound) => bound_items(bound),
                Err(failure) => return Trial::Failed(failure.message.to_string()),
            };
            let mut farthest = Trial::Empty(nth);
            for item in all.into_iter().take(10_000) {
                let mut one = found.clone();
                one.insert(name.clone(), item);
                farthest = farthest.max(self.tried_each(nth + 1, one, n_held));
            }
            return farthest;
        }
        for (name, expression) in &body.lets {
            match self.bound_to(expression, &found) {
                Ok(bound) => found.insert(name.clone(), bound),
                Err(failure) => return Trial::Failed(failure.message.to_string()),
            }
        }
        for (nth, condition) in body.when.iter().enumerate() {
            match self.value(condition, &found) {
                Ok(Value::Bool(true)) => {}
                Ok(_) => return Trial::When(nth),
                Err(failure) => return Trial::Failed(failure.message.to_string()),
            }
        }
        *n_held += 1;
        Trial::Holds(1)
    }
}
