//! What a rule matches around one node, and its expressions evaluated there.

use std::collections::{BTreeMap, BTreeSet};

use crate::db::{Db, Project, View};
use crate::fact::shape::{self, nested};
use crate::fact::world::{GraphWorld, WORLD};
use crate::graph::pattern::{Binding, Bounds, Pattern};
use crate::problem::{Place, Problem};
use crate::rule::compile::{Filled, Rule};
use crate::rule::expression::{Bindings, Bound, Expression, Failure};
use crate::rule::file::Reach;
use crate::rule::interpolation::Interpolation;
use crate::rule::set;
use crate::spec;
use crate::value::{Address, Map, Name, Path, Value};

/// What the variables of a rule stand for, once everything that it asks for holds.
pub type Match = BTreeMap<Name, Bound>;

/// How many steps a pattern may take around one node before it is given up.
pub const MAX_STEPS: u64 = 2_000_000;

/// What a rule matches around one node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matches {
    /// The matches, each once, in the order of their variables' values.
    pub found: Vec<Match>,
    /// What failed.
    pub problems: Vec<Problem>,
}

/// Evaluates the expressions of one rule in one view.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    db: &'a dyn Db,
    project: Project,
    view: View,
}

impl Run<'_> {
    fn bindings<'m>(&self, found: &'m Match) -> Bindings<'m> {
        Bindings { view: self.view, variables: found, world: &WORLD }
    }

    /// Returns the value of `expression`.
    ///
    /// # Errors
    ///
    /// What failed, in the words of a rule's author.
    pub fn value(&self, expression: &Expression, found: &Match) -> Result<Value, Failure> {
        expression.evaluate(&self.bindings(found))
    }

    /// Returns the value of `text`.
    ///
    /// # Errors
    ///
    /// What failed, in the words of a rule's author.
    pub fn filled(&self, text: &Interpolation, found: &Match) -> Result<Value, Failure> {
        text.evaluate(&self.bindings(found))
    }

    /// Returns the characters of `text`.
    ///
    /// # Errors
    ///
    /// What failed, in the words of a rule's author.
    pub fn text(&self, text: &Interpolation, found: &Match) -> Result<String, Failure> {
        match self.filled(text, found)? {
            Value::String(text) => Ok(text.to_string()),
            other => Err(Failure::new(format!("expected a string, found {}", other.noun()))),
        }
    }

    /// Returns the node that `expression` gives, or writes the address of.
    ///
    /// # Errors
    ///
    /// What failed, in the words of a rule's author.
    pub fn address(&self, expression: &Expression, found: &Match) -> Result<Option<Address>, Failure> {
        match self.value(expression, found)? {
            Value::Node(address) => Ok(Some(address)),
            Value::String(text) => match shape::parse_address(&text) {
                Some(address) => Ok(Some(address)),
                None => Err(Failure::new(format!("`{text}` is no address: expected `KIND.NAME`"))),
            },
            other => Err(Failure::new(format!("expected a node, found {}", other.noun()))),
        }
    }

    /// Returns the values of `fields`, nested by their paths; what is null is left out.
    ///
    /// # Errors
    ///
    /// What failed, in the words of a rule's author.
    pub fn fields(&self, fields: &[(Path, Filled)], found: &Match) -> Result<Map, Failure> {
        let mut values = Vec::with_capacity(fields.len());
        for (path, filled) in fields {
            let value = self.given(filled, found)?;
            if value != Value::Null {
                values.push((path.clone(), value));
            }
        }
        Ok(nested(values))
    }

    /// Returns the value that a rule gives.
    ///
    /// # Errors
    ///
    /// What failed, in the words of a rule's author.
    pub fn given(&self, filled: &Filled, found: &Match) -> Result<Value, Failure> {
        match filled {
            Filled::Constant(value) => Ok(value.clone()),
            Filled::Text(text) => self.filled(text, found),
            Filled::List(items) => {
                items.iter().map(|it| self.given(it, found)).collect::<Result<Vec<_>, _>>().map(Value::list)
            }
        }
    }
}

/// Runs `what` for a rule at a node; a failure becomes a problem that names both.
///
/// # Errors
///
/// The problem.
pub fn evaluated<T>(
    db: &dyn Db,
    project: Project,
    view: View,
    rule: &Rule,
    node: &Address,
    what: impl FnOnce(Run<'_>) -> Result<T, Failure>,
) -> Result<T, Problem> {
    what(Run { db, project, view }).map_err(|failure| failed(rule, node, &failure))
}

fn failed(rule: &Rule, node: &Address, failure: &Failure) -> Problem {
    Problem::error("rule::failed", format!("the rule `{}` failed at `{node}`: {failure}", rule.id))
        .at(Place::Rule(rule.id.clone()), "this rule")
        .at(Place::Field { environment: None, node: node.clone(), path: Path::default() }, "at this node")
}

/// Returns what `rule` matches with `node` in the place of its variable `anchor`.
#[must_use]
pub fn matches(db: &dyn Db, project: Project, view: View, rule: &Rule, anchor: &Name, node: &Address) -> Matches {
    let mut matches = Matches::default();
    match evaluated(db, project, view, rule, node, |run| run.matches(rule, anchor, node)) {
        Ok(found) => matches.found = found,
        Err(problem) => matches.problems.push(problem),
    }
    matches
}

impl Run<'_> {
    fn matches(&self, rule: &Rule, anchor: &Name, node: &Address) -> Result<Vec<Match>, Failure> {
        let body = &rule.body;
        let world = GraphWorld { db: self.db, project: self.project, view: self.view };
        let part = body.pattern.part_of(anchor).unwrap_or(0);
        let bindings = body.pattern.matches(part, anchor, node, &world, MAX_STEPS).map_err(Failure::new)?;
        let mut found: Vec<Match> = Vec::new();
        for binding in bindings {
            let one = self.bound(rule, &binding);
            found.extend(self.joined(rule, part, one)?);
        }
        let mut kept = Vec::with_capacity(found.len());
        for one in found {
            if self.holds(&body.unless, &body.exists, &one, &world)? {
                kept.extend(self.walked(rule, one)?);
            }
        }
        Ok(kept)
    }

    /// Returns the variables of one binding, and those that are always there.
    fn bound(&self, rule: &Rule, binding: &Binding) -> Match {
        let mut found: Match = binding.iter().map(|(name, it)| (name.clone(), Bound::from(it.clone()))).collect();
        match rule.reach {
            Reach::Each => {
                let environment = environment_value(self.db, self.project, self.view.environment);
                found.insert("environment".into(), Bound::Value(environment));
            }
            Reach::Across => {
                found.insert("environments".into(), Bound::Environments(environments(self.db, self.project)));
            }
        }
        found
    }

    fn holds(
        &self,
        unless: &[Pattern],
        exists: &[Pattern],
        found: &Match,
        world: &GraphWorld<'_>,
    ) -> Result<bool, Failure> {
        let bounds: Bounds = found.iter().filter_map(|(name, it)| Some((name.clone(), it.as_node()?.clone()))).collect();
        for pattern in unless {
            if pattern.exists(&bounds, world, MAX_STEPS).map_err(Failure::new)? {
                return Ok(false);
            }
        }
        for pattern in exists {
            if !pattern.exists(&bounds, world, MAX_STEPS).map_err(Failure::new)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Returns `found` with each binding of the pattern's other part that the look-ups give.
    fn joined(&self, rule: &Rule, part: usize, found: Match) -> Result<Vec<Match>, Failure> {
        let pattern = &rule.body.pattern;
        let mut candidates: Option<BTreeSet<Address>> = None;
        let mut variable = None;
        for (at, join) in rule.body.joins.iter().enumerate() {
            let ours = usize::from(pattern.part_of(&join.sides[0].0) != Some(part));
            let mut nodes = BTreeSet::new();
            for key in items(&self.value(&join.sides[ours].1, &found)?) {
                let side = JoinSide { rule: rule.id.clone(), join: at, side: 1 - ours };
                nodes.extend(bucket(self.db, self.project, self.view, side, key).iter().cloned());
            }
            candidates = Some(match candidates {
                None => nodes,
                Some(before) => before.intersection(&nodes).cloned().collect(),
            });
            variable = Some(&join.sides[1 - ours].0);
        }
        let (Some(candidates), Some(variable)) = (candidates, variable) else { return Ok(vec![found]) };
        let world = GraphWorld { db: self.db, project: self.project, view: self.view };
        let other = pattern.part_of(variable).unwrap_or(0);
        let mut all = Vec::new();
        for node in candidates {
            for binding in pattern.matches(other, variable, &node, &world, MAX_STEPS).map_err(Failure::new)? {
                let mut both = found.clone();
                both.extend(binding.iter().map(|(name, it)| (name.clone(), Bound::from(it.clone()))));
                all.push(both);
            }
        }
        Ok(all)
    }

    /// Returns `found` once for each item that the rule walks, where its conditions hold.
    fn walked(&self, rule: &Rule, found: Match) -> Result<Vec<Match>, Failure> {
        let mut all = vec![found];
        for (name, expression) in &rule.body.each {
            let mut next = Vec::new();
            for found in all {
                for item in items(&self.value(expression, &found)?) {
                    let mut one = found.clone();
                    one.insert(name.clone(), Bound::from_value(item));
                    next.push(one);
                }
            }
            all = next;
        }
        let mut kept = Vec::with_capacity(all.len());
        for mut found in all {
            for (name, expression) in &rule.body.lets {
                let value = self.value(expression, &found)?;
                found.insert(name.clone(), Bound::from_value(value));
            }
            let mut holds = true;
            for condition in &rule.body.when {
                if self.value(condition, &found)? != Value::Bool(true) {
                    holds = false;
                    break;
                }
            }
            if holds {
                kept.push(found);
            }
        }
        Ok(kept)
    }
}

/// One side of one look-up of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct JoinSide {
    rule: Name,
    join: usize,
    side: usize,
}

/// Returns the nodes that have each value on one side of a look-up.
#[salsa::tracked(returns(ref))]
fn join_table(db: &dyn Db, project: Project, view: View, side: JoinSide) -> BTreeMap<Value, Vec<Address>> {
    let mut table: BTreeMap<Value, Vec<Address>> = BTreeMap::new();
    let Some(rule) = set::rule(db, project, side.rule) else { return table };
    let (variable, expression) = &rule.body.joins[side.join].sides[side.side];
    let snapshot = shape::snapshot(db, project, view);
    let run = Run { db, project, view };
    for kind in rule.body.pattern.kinds_of(variable) {
        for node in snapshot.of_kind(kind) {
            let found: Match = [(variable.clone(), Bound::Node(node.clone()))].into();
            // What fails here fails again, and is reported, where the rule is run at that node.
            for key in run.value(expression, &found).map(|it| items(&it)).unwrap_or_default() {
                table.entry(key).or_default().push(node.clone());
            }
        }
    }
    table
}

/// A firewall: what looks up one value is not run again because another one changed.
#[salsa::tracked(returns(deref))]
fn bucket(db: &dyn Db, project: Project, view: View, side: JoinSide, key: Value) -> Vec<Address> {
    join_table(db, project, view, side).get(&key).cloned().unwrap_or_default()
}

/// Returns the items of a list, the entries of a map as `{key, value}`, nothing of null, or the one value itself.
fn items(value: &Value) -> Vec<Value> {
    match value {
        Value::Null => Vec::new(),
        Value::List(items) => items.to_vec(),
        Value::Map(map) => map.iter().map(entry).collect(),
        other => vec![other.clone()],
    }
}

fn entry((key, value): &(Name, Value)) -> Value {
    [(Name::from("key"), Value::String(key.clone())), (Name::from("value"), value.clone())].into_iter().collect()
}

/// Returns the value of the variable `environment`.
#[must_use]
pub fn environment_value(db: &dyn Db, project: Project, environment: u16) -> Value {
    let Some(it) = spec::environments(db, project).get(usize::from(environment)) else { return Value::Null };
    [(Name::from("name"), Value::String(it.name.clone())), (Name::from("dir"), Value::String(it.dir.clone()))]
        .into_iter()
        .collect()
}
