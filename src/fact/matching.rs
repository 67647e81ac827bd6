//! What a rule matches around one node, and its expressions evaluated there.

pub mod trial;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use crate::db::{Db, Project, View};
use crate::fact::shape::{self, nested};
use crate::fact::world::{GraphWorld, NODES};
use crate::graph::pattern::{self, Overrun};
use crate::graph::{Steps, TooManySteps};
use crate::problem::{Place, Problem, Span};
use crate::rule::expression::{Bindings, Bound, BoundEdge, Expression, Failure, Projection, Variables};
use crate::rule::file::Reach;
use crate::rule::interpolation::Interpolation;
use crate::rule::model::{Filled, Inner, Join, Rule};
use crate::rule::set;
use crate::spec;
use crate::value::{Address, Map, Name, Path, Value};

/// What the variables of a rule stand for, once everything that it asks for holds.
pub type Match = Variables;

/// The variable that every rule has which runs in each environment.
pub const ENVIRONMENT: &str = "environment";

/// How many steps a pattern may take around one node before it is given up.
pub const MAX_STEPS: u64 = 500_000;

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
    rule: &'a Rule,
}

impl Run<'_> {
    fn bindings<'m>(&self, found: &'m Match) -> Bindings<'m> {
        Bindings {
            view: self.view,
            variables: found,
            world: &NODES,
        }
    }

    /// Returns that the rule itself fails, in the words of `message`.
    pub(super) fn failure(&self, message: &dyn std::fmt::Display) -> Failure {
        Failure {
            message: message.to_string().into(),
            place: Box::new(Place::Rule(self.rule.id.clone())),
        }
    }

    /// Returns the value of `expression`.
    ///
    /// # Errors
    ///
    /// What failed, in the words of a rule's author.
    pub fn value(&self, expression: &Expression, found: &Match) -> Result<Value, Failure> {
        expression.evaluate(&self.bindings(found))
    }

    /// Returns what `projection` names of the value of `expression`; nodes become maps of that.
    ///
    /// # Errors
    ///
    /// What failed, in the words of a rule's author.
    pub fn projected(&self, expression: &Expression, found: &Match, projection: &Projection) -> Result<Value, Failure> {
        expression.evaluate_for(&self.bindings(found), projection)
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
            other => {
                let message = format!("expected a string, found {}", other.noun());
                Err(text
                    .whole()
                    .map_or_else(|| self.failure(&message), |it| it.failure(&*message)))
            }
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
                None => Err(expression.failure(format!("`{text}` is no address: expected `KIND.NAME`"))),
            },
            other => Err(expression.failure(format!("expected a node, found {}", other.noun()))),
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
                values.push((path, value));
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
            Filled::List(items) => items
                .iter()
                .map(|it| self.given(it, found))
                .collect::<Result<Vec<_>, _>>()
                .map(Value::list),
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
    what(Run {
        db,
        project,
        view,
        rule,
    })
    .map_err(|mut failure| {
        if let Place::Text(_, span) = *failure.place {
            // The expressions of a rule count among its strings: a file's lines would get into memos.
            *failure.place = Place::Within(rule.id.clone(), span);
        }
        failed(rule, node, &failure)
    })
}

fn failed(rule: &Rule, node: &Address, failure: &Failure) -> Problem {
    Problem::error(
        "rule::failed",
        format!("the rule `{}` failed at `{node}`: {}", rule.id, failure.message),
    )
    .at((*failure.place).clone(), "failed here")
    .at(whole(node), "at this node")
    .help("let `when` leave such nodes out, or decide it by `condition ? one : other`")
}

/// Returns the place of a node, none of its fields in particular.
fn whole(node: &Address) -> Place {
    Place::Field {
        environment: None,
        node: node.clone(),
        path: Path::default(),
    }
}

/// Returns what `rule` matches with `node` in the place of its variable `anchor`.
#[must_use]
pub fn matches(db: &dyn Db, project: Project, view: View, rule: &Rule, anchor: &Name, node: &Address) -> Matches {
    let mut matches = Matches::default();
    let mut overrun = None;
    let found = evaluated(db, project, view, rule, node, |run| match run.matches(anchor, node) {
        Ok(found) => Ok(found),
        Err(Stopped::Failed(failure)) => Err(failure),
        Err(Stopped::Overrun(it, span)) => {
            overrun = Some(
                it.problem(Place::Within(rule.id.clone(), span))
                    .at(whole(node), "around this node"),
            );
            Ok(Vec::new())
        }
        Err(Stopped::Walked(it)) => {
            let problem = Problem::error(
                "rule::too_many_items",
                format!("`{}` walks more than {} items", rule.id, it.limit),
            )
            .at(
                Place::Rule(rule.id.clone()),
                "by its `each`, one collection within the other",
            )
            .at(whole(node), "around this node");
            overrun = Some(problem.help("filter the collections where they are walked: `each: {e: s.env.filter(…)}`"));
            Ok(Vec::new())
        }
    });
    match found {
        Ok(found) => matches.found = found,
        Err(problem) => matches.problems.push(problem),
    }
    matches.problems.extend(overrun);
    matches
}

/// Why there are no matches.
enum Stopped {
    Failed(Failure),
    /// The pattern that stands there among the rule's strings takes too long.
    Overrun(Overrun, Span),
    /// What the rule walks by `each` has too many items.
    Walked(TooManySteps),
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl Run<'_> {
    fn matches(&self, anchor: &Name, node: &Address) -> Result<Vec<Match>, Stopped> {
        let body = &self.rule.body;
        let Some(walk) = body.walks.get(anchor) else {
            return Ok(Vec::new());
        };
        let world = GraphWorld {
            db: self.db,
            project: self.project,
            view: self.view,
            rule: self.rule,
        };
        let mut kept = Vec::new();
        let mut steps = Steps::new(MAX_STEPS);
        for binding in walk
            .matches(&world, std::slice::from_ref(node), MAX_STEPS)
            .map_err(|it| Stopped::Overrun(it, body.span))?
        {
            let found = self.bound(&binding);
            if self.holds(&body.unless, &body.exists, &found, &world)? {
                self.walked(&body.each, found, &mut steps, &mut kept)?;
            }
        }
        Ok(kept)
    }

    /// Returns the variables of one binding, and those that are always there.
    fn bound(&self, binding: &pattern::Binding) -> Match {
        let variables = self.rule.body.pattern.variables().iter().zip(binding.0.iter());
        let mut found: Match = variables
            .map(|(variable, it)| (variable.name.clone(), from_pattern(it)))
            .collect();
        if self.rule.reach == Reach::Across {
            found.insert("environments".into(), environments(self.db, self.project));
        }
        found
    }

    fn holds(
        &self,
        unless: &[Inner],
        exists: &[Inner],
        found: &Match,
        world: &GraphWorld<'_>,
    ) -> Result<bool, Stopped> {
        for (inner, wanted) in unless
            .iter()
            .map(|it| (it, false))
            .chain(exists.iter().map(|it| (it, true)))
        {
            let shared = inner.shared.iter().filter_map(|it| match found.get(it) {
                Some(Bound::Node(node)) => Some(node.clone()),
                _ => None,
            });
            let shared: Vec<Address> = shared.collect();
            if inner
                .walk
                .exists(world, &shared, MAX_STEPS)
                .map_err(|it| Stopped::Overrun(it, inner.span))?
                != wanted
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Adds `found` to `kept` once for each item of the collections that the rule walks, where its conditions hold.
    fn walked(
        &self,
        each: &[(Name, Expression)],
        found: Match,
        steps: &mut Steps,
        kept: &mut Vec<Match>,
    ) -> Result<(), Stopped> {
        let Some(((name, expression), rest)) = each.split_first() else {
            kept.extend(self.holding(found)?);
            return Ok(());
        };
        for item in bound_items(self.bound_to(expression, &found)?) {
            steps.take().map_err(Stopped::Walked)?;
            let mut one = found.clone();
            one.insert(name.clone(), item);
            self.walked(rest, one, steps, kept)?;
        }
        Ok(())
    }

    /// Returns what a name of the rule is bound to. Only who sees all environments has nodes of others.
    fn bound_to(&self, expression: &Expression, found: &Match) -> Result<Bound, Failure> {
        match self.rule.reach {
            Reach::Across => expression.evaluate_bound(&self.bindings(found)),
            Reach::Each => Ok(Bound::Value(self.value(expression, found)?)),
        }
    }

    /// Returns `found` with the names that the rule gives, if its conditions hold.
    fn holding(&self, mut found: Match) -> Result<Option<Match>, Failure> {
        for (name, expression) in &self.rule.body.lets {
            let value = self.bound_to(expression, &found)?;
            found.insert(name.clone(), value);
        }
        for condition in &self.rule.body.when {
            if self.value(condition, &found)? != Value::Bool(true) {
                return Ok(None);
            }
        }
        Ok(Some(found))
    }
}

/// One side of one look-up of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct JoinSide {
    rule: Name,
    join: usize,
    side: usize,
}

/// Returns the nodes that `to` may be where `from` is `node`, by all look-ups of a rule between the two.
#[must_use]
pub fn joined(world: &GraphWorld<'_>, from: &Name, node: &Address, to: &Name) -> BTreeSet<Address> {
    let GraphWorld {
        db,
        project,
        view,
        rule,
    } = *world;
    let run = Run {
        db,
        project,
        view,
        rule,
    };
    let mut joined: Option<BTreeSet<Address>> = None;
    for (at, join) in rule.body.joins.iter().enumerate() {
        let Some(ours) = join.sides.iter().position(|it| it.0 == *from) else {
            continue;
        };
        if join.sides[1 - ours].0 != *to {
            continue;
        }
        let mut nodes = BTreeSet::new();
        for key in run.join_keys(join, ours, node) {
            let side = JoinSide {
                rule: rule.id.clone(),
                join: at,
                side: 1 - ours,
            };
            nodes.extend(bucket(db, project, view, side, key).iter().cloned());
        }
        joined = Some(match joined {
            None => nodes,
            Some(before) => before.intersection(&nodes).cloned().collect(),
        });
    }
    joined.unwrap_or_default()
}

impl Run<'_> {
    /// Returns the values on one side of a look-up, with its variable bound to `node`.
    fn join_keys(&self, join: &Join, side: usize, node: &Address) -> Vec<Value> {
        let (variable, expression) = &join.sides[side];
        let found: Match = [(variable.clone(), Bound::Node(node.clone()))].into();
        // A value that can't be had equals none.
        self.value(expression, &found).map(|it| items(&it)).unwrap_or_default()
    }
}

/// Returns the nodes that have each value on one side of a look-up.
#[salsa::tracked(returns(ref))]
fn join_table(db: &dyn Db, project: Project, view: View, side: JoinSide) -> BTreeMap<Value, Vec<Address>> {
    let mut table: BTreeMap<Value, Vec<Address>> = BTreeMap::new();
    let Some(rule) = set::rule(db, project, side.rule) else {
        return table;
    };
    let Some(join) = rule.body.joins.get(side.join) else {
        return table;
    };
    let snapshot = shape::snapshot(db, project, view);
    let run = Run {
        db,
        project,
        view,
        rule,
    };
    for kind in rule.body.kinds_of(&join.sides[side.side].0).iter() {
        for node in snapshot.of_kind(kind) {
            for key in run.join_keys(join, side.side, node) {
                table.entry(key).or_default().push(node.clone());
            }
        }
    }
    table
}

/// A firewall: what looks up one value is not run again because another one changed.
#[salsa::tracked(returns(deref))]
fn bucket(db: &dyn Db, project: Project, view: View, side: JoinSide, key: Value) -> Vec<Address> {
    join_table(db, project, view, side)
        .get(&key)
        .cloned()
        .unwrap_or_default()
}

fn from_pattern(bound: &pattern::Bound) -> Bound {
    match bound {
        pattern::Bound::Node(node) => Bound::Node(node.clone()),
        pattern::Bound::Edge(edge) => Bound::Edge(Arc::new(BoundEdge {
            kind: edge.kind.clone(),
            from: edge.from.clone(),
            to: edge.to.clone(),
            fields: edge.fields.clone(),
        })),
    }
}

/// Returns the value of the variable `environments`: each with the project as it is there.
fn environments(db: &dyn Db, project: Project) -> Bound {
    let one = |index: u16, it: &spec::EnvironmentInfo| {
        let view = View::finished(index);
        let node = shape::snapshot(db, project, view)
            .of_kind(shape::PROJECT)
            .first()
            .cloned();
        let mut fields: BTreeMap<Name, Bound> = [
            (Name::from("name"), Bound::Value(Value::String(it.name.clone()))),
            (Name::from("dir"), Bound::Value(Value::String(it.dir.clone()))),
        ]
        .into();
        fields.extend(node.map(|it| (Name::from("project"), Bound::Elsewhere(view, it))));
        Bound::Record(Arc::new(fields))
    };
    Bound::List(
        (0..)
            .zip(spec::environments(db, project))
            .map(|(index, it)| one(index, it))
            .collect(),
    )
}

/// Returns the items of what a rule walks.
fn bound_items(bound: Bound) -> Vec<Bound> {
    match bound {
        Bound::Value(value) => items(&value).into_iter().map(Bound::Value).collect(),
        Bound::List(items) => items.to_vec(),
        Bound::Record(fields) => {
            let entry = |(key, value): (&Name, &Bound)| {
                let words = [
                    (Name::from("key"), Bound::Value(Value::String(key.clone()))),
                    (Name::from("value"), value.clone()),
                ];
                Bound::Record(Arc::new(words.into()))
            };
            fields.iter().map(entry).collect()
        }
        other => vec![other],
    }
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
    static WORDS: LazyLock<[Name; 2]> = LazyLock::new(|| [Name::from("key"), Name::from("value")]);
    let [key_word, value_word] = &*WORDS;
    [
        (key_word.clone(), Value::String(key.clone())),
        (value_word.clone(), value.clone()),
    ]
    .into_iter()
    .collect()
}

/// Returns the value of the variable `environment`.
#[salsa::tracked(returns(ref))]
pub fn environment_value(db: &dyn Db, project: Project, environment: u16) -> Value {
    let Some(it) = spec::environments(db, project).get(usize::from(environment)) else {
        return Value::Null;
    };
    [
        (Name::from("name"), Value::String(it.name.clone())),
        (Name::from("dir"), Value::String(it.dir.clone())),
    ]
    .into_iter()
    .collect()
}
