//! What a plan does in effect, in words that rules give: what comes, what goes, what there is more or less of,
//! what becomes another.
//!
//! Two states are compared by what is said of each; where the old one is not known, nothing is said.

use std::collections::{BTreeMap, BTreeSet};

use crate::fact::effect::{Saying, Topic};
use crate::value::{Address, Name};

/// What happens to a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Turn {
    /// It comes.
    New,
    /// It goes.
    Gone,
    /// There is more of it.
    More,
    /// There is less of it.
    Fewer,
    /// It becomes another.
    Other,
}

/// One effect.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Effect {
    /// What happens.
    pub turn: Turn,
    /// The sentence: `opens 5432 from web to pg`.
    pub text: Name,
    /// The rule that says so.
    pub rule: Name,
    /// The environments in which it happens; none where that is all of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub environments: Vec<Name>,
}

/// What is said of a state, by environment (none where it is said of all of them) and by the node at which it is said.
pub type Said = BTreeMap<(Option<Name>, Address, Topic), Saying>;

/// Returns what is different between two states, in one of which there are the `environments`.
#[must_use]
pub fn between(old: &Said, new: &Said, environments: &[Name]) -> Vec<Effect> {
    let mut found: BTreeMap<(Turn, Name, Name), BTreeSet<Option<Name>>> = BTreeMap::new();
    let keys: BTreeSet<&(Option<Name>, Address, Topic)> = old.keys().chain(new.keys()).collect();
    for key in keys {
        let (environment, _, (rule, of)) = key;
        for (turn, text) in turns(of, old.get(key), new.get(key)) {
            let place = found.entry((turn, text, rule.clone())).or_default();
            place.insert(environment.clone());
        }
    }
    let effect = |((turn, text, rule), within): ((Turn, Name, Name), BTreeSet<Option<Name>>)| {
        let is_everywhere = within.contains(&None);
        let mut within: Vec<Name> = within.into_iter().flatten().collect();
        if is_everywhere || environments.iter().all(|it| within.contains(it)) {
            within.clear();
        }
        Effect {
            turn,
            text,
            rule,
            environments: within,
        }
    };
    found.into_iter().map(effect).collect()
}

fn turns(of: &Name, old: Option<&Saying>, new: Option<&Saying>) -> Vec<(Turn, Name)> {
    let said = |turn, word: &Name| (turn, Name::from(format!("{word} {of}")));
    let amount = |it: Option<&Saying>| it.and_then(|it| it.amount.clone());
    let value = |it: Option<&Saying>| it.and_then(|it| it.value.clone());
    let mut turns = Vec::new();
    match (old, new) {
        (None, Some(new)) => turns.extend(new.new.as_ref().map(|it| said(Turn::New, it))),
        (Some(old), None) => turns.extend(old.gone.as_ref().map(|it| said(Turn::Gone, it))),
        _ => {}
    }
    if let (Some((before, _)), Some((after, unit))) = (amount(old), amount(new)) {
        let difference = after - before;
        let (turn, word) = if difference > 0.0 {
            (Turn::More, "more")
        } else {
            (Turn::Fewer, "fewer")
        };
        if difference != 0.0 {
            let by = difference.abs();
            // The unit is in the plural.
            let what = if by == 1.0 {
                format!("one {word} of the {unit}")
            } else {
                format!("{by} {word} {unit}")
            };
            turns.push((turn, Name::from(format!("{of}: {what}, {before} → {after}"))));
        }
    }
    if let (Some(before), Some(after)) = (value(old), value(new))
        && before != after
    {
        turns.push((Turn::Other, Name::from(format!("{of}: {before} → {after}"))));
    }
    turns
}

impl Effect {
    /// Says it on one line.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self.environments.as_slice() {
            [] => self.text.to_string(),
            names => {
                let names: Vec<&str> = names.iter().map(|it| &**it).collect();
                format!("{} in {}", self.text, names.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saying(amount: Option<f64>) -> Saying {
        Saying {
            new: Some("opens".into()),
            gone: Some("closes".into()),
            amount: amount.map(|it| (it, "replicas".into())),
            value: None,
        }
    }

    fn said(all: &[(Option<&str>, &str, Option<f64>)]) -> Said {
        let one = |(environment, of, amount): &(Option<&str>, &str, Option<f64>)| {
            let topic = (Name::from("mine/rule"), Name::from(*of));
            (
                (environment.map(Name::from), Address::new("service", "x"), topic),
                saying(*amount),
            )
        };
        all.iter().map(one).collect()
    }

    fn told(old: &Said, new: &Said, environments: &[&str]) -> Vec<String> {
        let environments: Vec<Name> = environments.iter().map(|it| Name::from(*it)).collect();
        let effects = between(old, new, &environments);
        effects.iter().map(Effect::sentence).collect()
    }

    #[test]
    fn what_comes_goes_and_changes_is_told() {
        let old = said(&[
            (Some(""), "a", None),
            (Some(""), "b", Some(2.0)),
            (Some(""), "c", Some(1.0)),
            (Some(""), "e", Some(1.0)),
        ]);
        let new = said(&[
            (Some(""), "b", Some(5.0)),
            (Some(""), "c", Some(0.5)),
            (Some(""), "d", Some(3.0)),
            (Some(""), "e", Some(2.0)),
        ]);
        assert_eq!(
            told(&old, &new, &[""]),
            [
                "opens d",
                "closes a",
                "b: 3 more replicas, 2 → 5",
                "e: one more of the replicas, 1 → 2",
                "c: 0.5 fewer replicas, 1 → 0.5"
            ]
        );
        assert_eq!(told(&old, &old, &[""]).len(), 0);
    }

    #[test]
    fn a_value_that_becomes_another_is_told() {
        let state = |value: &str| -> Said {
            let mut state = said(&[(Some(""), "the version of a", None)]);
            state.values_mut().for_each(|it| it.value = Some(value.into()));
            state
        };
        assert_eq!(told(&state("15"), &state("16"), &[""]), ["the version of a: 15 → 16"]);
        assert_eq!(told(&state("15"), &state("15"), &[""]).len(), 0);
        assert_eq!(told(&Said::new(), &state("15"), &[""]), ["opens the version of a"]);
    }

    #[test]
    fn environments_are_named_where_it_is_not_all_of_them() {
        let new = said(&[
            (Some("dev"), "a", None),
            (Some("prod"), "a", None),
            (Some("prod"), "b", None),
            (None, "c", None),
        ]);
        assert_eq!(
            told(&Said::new(), &new, &["dev", "prod"]),
            ["opens a", "opens b in prod", "opens c"]
        );
    }
}
