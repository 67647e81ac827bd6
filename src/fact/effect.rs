//! What rules say of the effect of things: the sentences of one state, to be compared with those of another.
//!
//! Nothing is compared here. A state is asked only when a plan wants to tell.

use std::collections::BTreeMap;

use crate::db::{Db, Project, View};
use crate::fact::guard::Guarded;
use crate::fact::matching;
use crate::problem::Problem;
use crate::rule::file::Reach;
use crate::rule::model::Rule;
use crate::value::{Address, Name, Value};

/// By what a saying is known in two states: the rule, and what it is of.
pub type Topic = (Name, Name);

/// What a rule says of one thing.
#[derive(Clone, Debug, PartialEq)]
pub struct Saying {
    /// What is said where the thing comes: `opens`.
    pub new: Option<Name>,
    /// What is said where it goes: `closes`.
    pub gone: Option<Name>,
    /// How much there is of it, and of what.
    pub amount: Option<(f64, Name)>,
}

/// What is said at one node.
pub type Sayings = BTreeMap<Topic, Saying>;

/// Returns the rules that say something of effects, anchored at nodes of `kind`.
#[salsa::tracked(returns(ref))]
fn speakers(db: &dyn Db, project: Project, kind: Name, reach: Reach) -> Guarded {
    Guarded::new(db, project, &kind, |rule| match rule.body.pattern.first() {
        Some(first) if rule.effect.is_some() && rule.reach == reach => vec![(first.name.clone(), Vec::new())],
        _ => Vec::new(),
    })
}

/// Returns what is said at one node, in one environment, and what fails to be said.
#[must_use]
pub fn at(db: &dyn Db, project: Project, environment: u16, anchor: &Address) -> (Sayings, Vec<Problem>) {
    let view = View::finished(environment);
    let (mut sayings, mut problems) = (Sayings::new(), Vec::new());
    // What speaks of all environments at once is asked for in the first alone.
    let reaches = [Reach::Each, Reach::Across].into_iter();
    for reach in reaches.filter(|it| *it == Reach::Each || environment == 0) {
        let speakers = speakers(db, project, anchor.kind.clone(), reach);
        for entry in speakers.admitted(db, view, anchor) {
            say(
                db,
                project,
                view,
                (&entry.rule, &entry.anchor, anchor),
                &mut sayings,
                &mut problems,
            );
        }
    }
    (sayings, problems)
}

fn say(
    db: &dyn Db,
    project: Project,
    view: View,
    (rule, variable, anchor): (&Rule, &Name, &Address),
    sayings: &mut Sayings,
    problems: &mut Vec<Problem>,
) {
    let Some(effect) = &rule.effect else { return };
    let matches = matching::matches(db, project, view, rule, variable, anchor);
    problems.extend(matches.problems);
    for found in &matches.found {
        let said = matching::evaluated(db, project, view, rule, anchor, |run| {
            let text = |it: &_| Ok(Name::from(run.text(it, found)?));
            let amount = effect.amount.as_ref();
            let amount = amount.map(|it| Ok((run.value(&it.expression, found)?, text(&it.unit)?)));
            let saying = Saying {
                new: effect.new.as_ref().map(text).transpose()?,
                gone: effect.gone.as_ref().map(text).transpose()?,
                amount: amount.transpose()?.and_then(|(it, unit)| Some((number(&it)?, unit))),
            };
            Ok((text(&effect.of)?, saying))
        });
        match said {
            Ok((of, saying)) => _ = sayings.insert((rule.id.clone(), of), saying),
            Err(problem) => problems.push(problem),
        }
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        #[expect(clippy::cast_precision_loss, reason = "amounts are small")]
        Value::Int(it) => Some(*it as f64),
        Value::Double(it) => Some(it.0),
        _ => None,
    }
}
