//! Proofs across artifacts: what one needs, another one offers.
//!
//! Packs declare them in `proofs.yaml`: where in a printed file a thing is named that must be there (a port, a secret,
//! the name of a service), and where it is made. Whatever a file says is read out of the file itself, as its format's
//! parser sees it, so that a mistake in a rule or a template shows. Only `gen check` asks.

pub mod file;
pub mod find;
pub mod tree;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

use crate::problem::{Place, Problem, closest};
use crate::value::Name;
use find::{Document, Source, Thing};

/// What is proved of all artifacts of an environment.
#[derive(Clone, Debug)]
pub struct Proof {
    /// Its name, as `pack/name`.
    pub id: Name,
    /// Where it is declared.
    pub place: Place,
    /// The names of the values by which a thing is known.
    pub of: Vec<Name>,
    /// It is asked for where one of these rules prints anything; everywhere, if there is none.
    pub when: Vec<Name>,
    /// Where things are needed.
    pub needs: Vec<Source>,
    /// Where things are offered.
    pub offers: Vec<Source>,
    /// What is there without any artifact: for each value what it is like.
    pub given: Vec<BTreeMap<Name, Regex>>,
    /// What is said of a thing that is needed and not offered.
    pub says: Name,
    /// What is said of a thing that is offered and not needed; where nothing is said, that is no fault.
    pub surplus: Option<Name>,
    /// What to do about it.
    pub help: Name,
}

/// All that is read of an environment.
#[derive(Debug, Default)]
pub struct Documents {
    /// The files, by the rule that prints them.
    pub printed: BTreeMap<Name, Vec<Document>>,
    /// The facts, by their relation.
    pub facts: BTreeMap<Name, Vec<Document>>,
    /// The edges, by their kind.
    pub edges: BTreeMap<Name, Vec<Document>>,
}

/// A value that stands for any.
const ANY: &str = "*";

impl Proof {
    /// Returns what of `documents` is needed and not offered, or the reverse where that is a fault.
    #[must_use]
    pub fn faults(&self, documents: &Documents) -> Vec<Problem> {
        if !self.when.is_empty() && !self.when.iter().any(|it| documents.printed.contains_key(it)) {
            return Vec::new();
        }
        let things =
            |sources: &[Source]| -> Vec<Thing> { sources.iter().flat_map(|it| it.things(documents)).collect() };
        let (needs, offers) = (things(&self.needs), things(&self.offers));
        let mut faults = self.missing(&needs, &offers, &self.says, "needed here");
        if let Some(surplus) = &self.surplus {
            let mut offers = offers;
            offers.retain(|it| self.key(it).is_some_and(|it| !it.contains(&ANY)));
            faults.extend(self.missing(&offers, &needs, surplus, "offered here"));
        }
        faults
    }

    fn missing(&self, wanted: &[Thing], there: &[Thing], says: &str, label: &'static str) -> Vec<Problem> {
        let there: BTreeSet<Vec<&str>> = there.iter().filter_map(|it| self.key(it)).collect();
        let open: Vec<&Vec<&str>> = there.iter().filter(|it| it.contains(&ANY)).collect();
        let mut told = BTreeSet::new();
        let mut faults = Vec::new();
        for thing in wanted {
            let Some(key) = self.key(thing) else { continue };
            let fits = |it: &&Vec<&str>| it.iter().zip(&key).all(|(a, b)| *a == ANY || a == b);
            let is_there = if key.contains(&ANY) {
                there
                    .iter()
                    .any(|it| key.iter().zip(it).all(|(a, b)| *a == ANY || *b == ANY || a == b))
            } else {
                there.contains(&key) || open.iter().any(fits)
            };
            if is_there || self.is_given(thing) || !told.insert((key.clone(), thing.document.clone())) {
                continue;
            }
            let near = self.near(&key, &there);
            let mut help = written(&self.help, thing).into_owned();
            if let Some(near) = near {
                help = format!("{help}; the nearest is `{near}`");
            }
            let problem = Problem::error(self.id.to_string(), written(says, thing).into_owned());
            faults.push(problem.at(thing.place.clone(), label).help(help));
        }
        faults
    }

    fn key<'t>(&self, thing: &'t Thing) -> Option<Vec<&'t str>> {
        self.of.iter().map(|it| thing.values.get(it).map(|it| &**it)).collect()
    }

    fn is_given(&self, thing: &Thing) -> bool {
        let fits = |(name, like): (&Name, &Regex)| thing.values.get(name).is_some_and(|it| like.is_match(it));
        self.given.iter().any(|it| it.iter().all(fits))
    }

    /// Returns what may be meant, where only one value is another.
    fn near(&self, key: &[&str], there: &BTreeSet<Vec<&str>>) -> Option<String> {
        let [(nth, wrong)] = key.iter().enumerate().collect::<Vec<_>>()[..] else {
            return None;
        };
        let known: Vec<&str> = there.iter().map(|it| it[nth]).collect();
        closest(wrong, &known).map(str::to_owned)
    }
}

/// Writes the values of `thing` where `text` names them.
fn written<'t>(text: &'t str, thing: &Thing) -> Cow<'t, str> {
    let mut text = Cow::Borrowed(text);
    for (name, value) in &thing.values {
        let hole = format!("${{{name}}}");
        if text.contains(&hole) {
            text = Cow::Owned(text.replace(&hole, value));
        }
    }
    text
}
