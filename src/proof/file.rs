//! The proofs of a pack, as `proofs.yaml` declares them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use regex::Regex;

use super::Proof;
use super::find::{Filter, Of, Source, Take, Way, Within};
use crate::db::pack_path;
use crate::problem::{Place, Problem};
use crate::value::Name;
use crate::yaml::{self, Data, Entry, Yaml};

/// What proofs may speak of.
#[derive(Debug, Default)]
pub struct Known {
    /// All rules, as `pack/rule`.
    pub rules: BTreeSet<Name>,
    /// All relations, as `pack/relation`.
    pub relations: BTreeSet<Name>,
    /// All kinds of edge.
    pub edges: BTreeSet<Name>,
}

const PROOF: [&str; 10] = [
    "proof", "doc", "of", "when", "needs", "offers", "given", "says", "surplus", "help",
];
const SOURCE: [&str; 11] = [
    "in", "fact", "edge", "file", "at", "where", "unless", "find", "take", "else", "join",
];

/// Tells whether the file at `path` holds the proofs of a pack.
#[must_use]
pub fn is_proof_file(path: &str) -> bool {
    let path = pack_path(path);
    path.starts_with("rules/") && path.ends_with("/proofs.yaml") && path.matches('/').count() == 2
}

/// Returns the proofs in `text`, the file at `path` of `pack`, and what is wrong with it.
#[must_use]
pub fn parse(pack: &Name, path: &Name, text: &str, known: &Known) -> (Vec<Proof>, Vec<Problem>) {
    let (yaml, mistakes) = yaml::parse(text);
    let mut reader = Reader {
        pack,
        path,
        text,
        known,
        problems: mistakes.iter().map(|it| it.problem(path)).collect(),
    };
    let mut proofs = Vec::new();
    if let Some(yaml) = yaml {
        reader.keys(&yaml, &["proofs"]);
        match yaml.get("proofs").map(|it| &it.data) {
            Some(Data::List(items)) => proofs.extend(items.iter().filter_map(|it| reader.proof(it))),
            _ => reader.wrong(&yaml, "a file of proofs holds `proofs:` with a list"),
        }
    }
    (proofs, reader.problems)
}

struct Reader<'a> {
    pack: &'a Name,
    path: &'a Name,
    text: &'a str,
    known: &'a Known,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn place(&self, yaml: &Yaml) -> Place {
        Place::Text(self.path.clone(), yaml.span)
    }

    fn wrong(&mut self, yaml: &Yaml, message: &str) {
        let problem = Problem::error("proof::wrong_form", message).at(self.place(yaml), "here");
        let help = "docs/language/proofs.md shows how a proof is written";
        self.problems.push(problem.help(help));
    }

    fn keys(&mut self, yaml: &Yaml, known: &[&str]) {
        if !matches!(yaml.data, Data::Map(_)) {
            self.wrong(yaml, "a map is wanted here");
        }
        for entry in yaml.entries().iter().filter(|it| !known.contains(&&*it.key)) {
            let place = Place::Text(self.path.clone(), entry.key_span);
            let problem = Problem::error("proof::wrong_form", format!("`{}` is no key here", entry.key));
            let problem = problem.at(place, "unknown key");
            self.problems.push(problem.suggest(&entry.key, known.iter().copied()));
        }
    }

    fn proof(&mut self, yaml: &Yaml) -> Option<Proof> {
        self.keys(yaml, &PROOF);
        let mut said = |key: &str| match yaml.get(key).and_then(Yaml::as_str) {
            Some(text) => Some(Name::from(text)),
            None => {
                self.wrong(yaml, &format!("a proof has a text under `{key}`"));
                None
            }
        };
        let (name, says, help) = (said("proof"), said("says"), said("help"));
        said("doc");
        let surplus = yaml.get("surplus").and_then(Yaml::as_str).map(Name::from);
        let of = self.names(yaml, "of");
        let needs = self.sources(yaml, "needs");
        let offers = self.sources(yaml, "offers");
        if of.is_empty() || needs.is_empty() || offers.is_empty() {
            self.wrong(yaml, "a proof says `of:`, `needs:` and `offers:`");
        }
        for (source, yaml) in needs.iter().chain(&offers) {
            let names = source.names();
            for missing in of.iter().filter(|it| !names.contains(it)) {
                let message = format!("nothing here gives `{missing}`, by which a thing is known");
                let problem =
                    Problem::error("proof::unknown_value", message).at(self.place(yaml), "names no such value");
                let help = format!("add `take: {{{missing}: …}}`, or a group `(?P<{missing}>…)` to `find`");
                self.problems.push(problem.help(help));
            }
        }
        let mut given = Vec::new();
        for item in yaml.get("given").map(Yaml::items).unwrap_or_default() {
            let likes = item.entries().iter();
            given.push(
                likes
                    .filter_map(|it| Some((Name::from(&*it.key), self.whole(&it.value)?)))
                    .collect(),
            );
        }
        let only = |sources: Vec<(Source, &Yaml)>| sources.into_iter().map(|it| it.0).collect();
        Some(Proof {
            id: format!("{}::{}", self.pack, name?).into(),
            place: self.place(yaml.get("proof")?),
            of,
            when: self.rules(yaml, "when"),
            needs: only(needs),
            offers: only(offers),
            given,
            says: says?,
            surplus,
            help: help?,
        })
    }

    /// Returns the texts under `key`: one, or a list.
    fn names(&mut self, yaml: &Yaml, key: &str) -> Vec<Name> {
        let Some(value) = yaml.get(key) else {
            return Vec::new();
        };
        let items = match &value.data {
            Data::List(items) => items.as_slice(),
            _ => std::slice::from_ref(value),
        };
        let names: Vec<Name> = items.iter().filter_map(|it| it.as_str().map(Name::from)).collect();
        if names.len() < items.len() {
            self.wrong(value, &format!("`{key}` wants a text, or a list of them"));
        }
        names
    }

    fn rules(&mut self, yaml: &Yaml, key: &str) -> Vec<Name> {
        let mut ids = Vec::new();
        for name in self.names(yaml, key) {
            match name.strip_suffix('*') {
                Some(pack) => {
                    let fit = self.known.rules.iter().filter(|it| it.starts_with(pack));
                    let n_before = ids.len();
                    ids.extend(fit.cloned());
                    if ids.len() == n_before {
                        // It names itself, and is refused below.
                        ids.push(name.clone());
                    }
                }
                None => ids.push(self.full(&name)),
            }
        }
        let place = yaml.get(key).unwrap_or(yaml);
        ids.iter()
            .for_each(|it| self.named(place, "rule", it, &self.known.rules));
        ids
    }

    /// Tells of a name that nothing bears.
    fn named(&mut self, yaml: &Yaml, noun: &str, name: &Name, known: &BTreeSet<Name>) {
        if !known.contains(name) {
            let problem = Problem::error("proof::unknown_name", format!("there is no {noun} `{name}`"));
            let problem = problem.at(self.place(yaml), format!("names no {noun}"));
            self.problems.push(problem.suggest(name, known.iter().map(|it| &**it)));
        }
    }

    fn full(&self, name: &Name) -> Name {
        if name.contains('/') {
            name.clone()
        } else {
            format!("{}/{name}", self.pack).into()
        }
    }

    fn sources<'y>(&mut self, yaml: &'y Yaml, key: &str) -> Vec<(Source, &'y Yaml)> {
        let items = match yaml.get(key) {
            None => &[],
            Some(Yaml {
                data: Data::List(items),
                ..
            }) => items.as_slice(),
            Some(one) => std::slice::from_ref(one),
        };
        items.iter().filter_map(|it| Some((self.source(it)?, it))).collect()
    }

    fn source(&mut self, yaml: &Yaml) -> Option<Source> {
        self.keys(yaml, &SOURCE);
        if yaml.get("join").is_some() {
            let joined = self.sources(yaml, "join").into_iter().map(|it| it.0);
            return Some(Source::Join(joined.collect()));
        }
        let of = if let Some(name) = yaml.get("fact").and_then(Yaml::as_str) {
            let relation = self.full(&name.into());
            self.named(yaml.get("fact")?, "relation", &relation, &self.known.relations);
            Of::Fact(relation)
        } else if let Some(edge) = yaml.get("edge") {
            let kinds = self.names(yaml, "edge");
            kinds
                .iter()
                .for_each(|it| self.named(edge, "kind of edge", it, &self.known.edges));
            Of::Edges(kinds)
        } else {
            Of::Rules(self.rules(yaml, "in"))
        };
        if matches!(&of, Of::Rules(rules) if rules.is_empty()) {
            self.wrong(
                yaml,
                "a thing is named `in:` what rules print, by a `fact:` or an `edge:`",
            );
        }
        let mut filters = Vec::new();
        for (key, is_negated) in [("where", false), ("unless", true)] {
            for entry in yaml.get(key).map(Yaml::entries).unwrap_or_default() {
                let (Some(way), Some(like)) = (self.way(entry), self.whole(&entry.value)) else {
                    continue;
                };
                filters.push(Filter { way, like, is_negated });
            }
        }
        let mut take = Vec::new();
        for entry in yaml.get("take").map(Yaml::entries).unwrap_or_default() {
            let (way, find) = match entry.value.get("at") {
                Some(at) => (at, entry.value.get("find").and_then(|it| self.pattern(it, false))),
                None => (&entry.value, None),
            };
            let Some(way) = self.way_of(way) else { continue };
            if find.as_ref().is_some_and(|it| it.captures_len() < 2) {
                self.wrong(&entry.value, "the pattern of what is taken has a group, `(…)`");
            }
            take.push((Name::from(&*entry.key), Take { way, find }));
        }
        let otherwise = yaml.get("else").map(Yaml::entries).unwrap_or_default();
        let otherwise = otherwise
            .iter()
            .map(|it| (Name::from(&*it.key), Arc::from(self.scalar(&it.value))));
        Some(Source::In(Within {
            of,
            otherwise: otherwise.collect::<BTreeMap<_, _>>(),
            file: yaml.get("file").and_then(|it| self.whole(it)),
            at: yaml.get("at").and_then(|it| self.way_of(it)),
            filters,
            find: yaml.get("find").and_then(|it| self.pattern(it, false)),
            take,
        }))
    }

    fn scalar(&self, yaml: &Yaml) -> String {
        yaml.as_str()
            .map_or_else(|| yaml.source(self.text).to_owned(), str::to_owned)
    }

    fn way(&mut self, entry: &Entry) -> Option<Way> {
        let way = Way::parse(&entry.key);
        if way.is_none() {
            self.wrong(&entry.value, &format!("`{}` is no way through a document", entry.key));
        }
        way
    }

    fn way_of(&mut self, yaml: &Yaml) -> Option<Way> {
        let way = yaml.as_str().and_then(Way::parse);
        if way.is_none() {
            self.wrong(
                yaml,
                &format!("`{}` is no way through a document", yaml.source(self.text)),
            );
        }
        way
    }

    /// Returns a pattern that the whole of a text must match.
    fn whole(&mut self, yaml: &Yaml) -> Option<Regex> {
        self.pattern(yaml, true)
    }

    fn pattern(&mut self, yaml: &Yaml, is_whole: bool) -> Option<Regex> {
        let text = self.scalar(yaml);
        let text = if is_whole { format!("^(?:{text})$") } else { text };
        match Regex::new(&text) {
            Ok(pattern) => Some(pattern),
            Err(error) => {
                let why = error.to_string();
                let why = why.lines().last().unwrap_or_default().trim();
                self.wrong(yaml, &format!("this is no regular expression: {why}"));
                None
            }
        }
    }
}
