//! What rules say of the effect of things: the sentences of one state, to be compared with those of another.
//!
//! Nothing is compared here. A state is asked only when a plan wants to tell.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;

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
    /// What it is: where that becomes something else, both are told.
    pub value: Option<Name>,
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

/// Returns what is said at one node, and what fails to be said: in one environment, or of all of them, which is asked in the
/// first.
#[must_use]
pub fn at(db: &dyn Db, project: Project, environment: Option<u16>, anchor: &Address) -> (Sayings, Vec<Problem>) {
    let reach = if environment.is_some() {
        Reach::Each
    } else {
        Reach::Across
    };
    let view = View::finished(environment.unwrap_or(0));
    let (mut sayings, mut problems) = (Sayings::new(), Vec::new());
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
                value: effect.value.as_ref().map(text).transpose()?,
            };
            let of = text(&effect.of)?;
            match sayings.entry((rule.id.clone(), of)) {
                Slot::Vacant(slot) => _ = slot.insert(saying),
                Slot::Occupied(mut slot) => {
                    let of = slot.key().1.clone();
                    let clash = |(one, other)| run.failure(&format!("of `{of}` it says `{one}` and `{other}`"));
                    slot.get_mut().join(saying).map_err(clash)?;
                }
            }
            Ok(())
        });
        problems.extend(said.err());
    }
}

impl Saying {
    /// Adds what another match says of the same thing.
    ///
    /// # Errors
    /// Two words, where the words are not the same.
    fn join(&mut self, other: Self) -> Result<(), (Name, Name)> {
        let words = |it: &Self| {
            [
                it.new.clone(),
                it.gone.clone(),
                it.amount.as_ref().map(|it| it.1.clone()),
                it.value.clone(),
            ]
        };
        let pairs = words(self).into_iter().zip(words(&other));
        if let Some(clash) = pairs.filter_map(|(a, b)| a.zip(b)).find(|(a, b)| a != b) {
            return Err(clash);
        }
        match (&mut self.amount, other.amount) {
            (Some((sum, _)), Some((more, _))) => *sum += more,
            (none, amount) => *none = none.take().or(amount),
        }
        Ok(())
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
