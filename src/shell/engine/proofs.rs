//! The proofs of the packs, asked of all that is printed: for `gen check`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;

use super::{Ask, Engine};
use crate::artifact::fresh::Fresh;
use crate::artifact::provenance;
use crate::db::{Project, View, pack_files};
use crate::fact::{self, shape};
use crate::kind::pack;
use crate::problem::{Place, Problem};
use crate::proof::file::{self, Known};
use crate::proof::find::{Document, Of, Origin};
use crate::proof::tree::{self, Tree};
use crate::proof::{Documents, Proof};
use crate::rule::file::Reach;
use crate::rule::set;
use crate::shell::report::Sources;
use crate::spec;
use crate::value::{Address, Map, Name, Value};

/// Of so many problems the line of the template is looked up, for which a file is printed once more.
const MOST_BLAMED: usize = 100;

/// What the proofs of the packs say.
#[derive(Debug, Default)]
pub struct Proved {
    /// How many proofs there are.
    pub n_proofs: usize,
    /// What does not hold.
    pub problems: Vec<Problem>,
    /// The texts in which that stands.
    pub sources: Sources,
}

impl Engine {
    /// Asks the proofs of all packs of what the last outcome printed, in the environments that are asked for.
    #[must_use]
    pub fn prove(&self, ask: &Ask) -> Proved {
        let Some(project) = self.files.project() else {
            return Proved::default();
        };
        let (proofs, mut problems) = self.proofs(project);
        let n_proofs = proofs.len();
        if problems.is_empty() {
            for (environment, _) in self.asked(project, ask) {
                let documents = self.documents(project, environment, &proofs);
                let found = proofs.par_iter().map(|it| it.faults(&documents));
                problems.extend(found.collect::<Vec<_>>().into_iter().flatten());
            }
        }
        let mut sources = Sources::default();
        if !problems.is_empty() {
            sources = self.files.sources(&self.db, project);
            for problem in problems.iter_mut().take(MOST_BLAMED) {
                self.blame_template(project, problem);
            }
            let labels = problems.iter().flat_map(|it| &it.labels);
            for place in labels.map(|it| &it.place) {
                if let Place::Text(path, _) = place
                    && let Some(text) = self.state.texts.get(path)
                {
                    sources.insert(path.clone(), text.clone());
                }
            }
        }
        Proved {
            n_proofs,
            problems: self.located(project, &problems),
            sources,
        }
    }

    fn proofs(&self, project: Project) -> (Vec<Proof>, Vec<Problem>) {
        let mut known = Known::default();
        let files = pack_files(&self.db, project);
        known.rules.extend(set::written(&self.db, project));
        let schema = pack::schema(&self.db, project);
        known.relations.extend(schema.relations.keys().cloned());
        known.edges.extend(schema.edges.keys().cloned());
        let (mut proofs, mut problems) = (Vec::new(), Vec::new());
        for source in files {
            let path = source.path(&self.db);
            if file::is_proof_file(path) {
                let (found, wrong) = file::parse(&set::pack_of(path), path, source.text(&self.db), &known);
                proofs.extend(found);
                problems.extend(wrong);
            }
        }
        (proofs, problems)
    }

    /// Reads what `proofs` speak of.
    fn documents(&self, project: Project, environment: u16, proofs: &[Proof]) -> Documents {
        let (mut rules, mut relations, mut kinds) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for proof in proofs {
            rules.extend(&proof.when);
            for source in proof.needs.iter().chain(&proof.offers) {
                source.visit(&mut |it| match &it.of {
                    Of::Rules(of) => rules.extend(of),
                    Of::Fact(relation) => {
                        relations.insert(relation);
                    }
                    Of::Edges(of) => kinds.extend(of),
                });
            }
        }
        Documents {
            printed: self.printed_by(project, environment, &rules),
            facts: self.facts_of(project, environment, &relations),
            edges: self.edges_of(project, environment, &kinds),
        }
    }

    /// Reads the files that `rules` print in one environment. What stands in a rule's place stands for it here, too.
    fn printed_by(&self, project: Project, environment: u16, rules: &BTreeSet<&Name>) -> BTreeMap<Name, Vec<Document>> {
        let folder = spec::environments(&self.db, project).get(usize::from(environment));
        let folder = folder.map_or(String::new(), |it| it.dir.to_string());
        let is_across = |id: &Name| {
            let rule = set::rule(&self.db, project, id.clone());
            rule.as_ref().is_some_and(|it| it.reach == Reach::Across)
        };
        let mut meant: BTreeMap<Name, Vec<Name>> = BTreeMap::new();
        for id in set::ids(&self.db, project) {
            let Some(source) = set::source(&self.db, project, id.clone()) else {
                continue;
            };
            let replaced = source.replaces.iter().map(|it| it.text.clone());
            let names: Vec<Name> = replaced.chain([id.clone()]).filter(|it| rules.contains(it)).collect();
            if !names.is_empty() && !is_across(id) {
                meant.insert(id.clone(), names);
            }
        }
        let fresh: Vec<_> = self
            .state
            .fresh
            .iter()
            .filter(|(_, it)| it.cell.environment == environment && meant.contains_key(&it.rule))
            .collect();
        let texts = &self.state.texts;
        let read = |(path, fresh): &(&Name, &Fresh)| {
            let text = texts
                .get(*path)
                .expect("whoever proves has all of it derived and printed")
                .clone();
            let within = path.strip_prefix(&*folder).unwrap_or(path).trim_start_matches('/');
            let document = Document {
                origin: Origin::File((*path).clone()),
                path: within.into(),
                trees: tree::documents(path, &text),
                text,
            };
            Some((fresh.rule.clone(), document))
        };
        let documents: Vec<(Name, Document)> = fresh.par_iter().filter_map(read).collect();
        let mut printed: BTreeMap<Name, Vec<Document>> = BTreeMap::new();
        for (rule, document) in documents {
            for name in &meant[&rule] {
                printed.entry(name.clone()).or_default().push(document.clone());
            }
        }
        printed
    }

    fn facts_of(
        &self,
        project: Project,
        environment: u16,
        relations: &BTreeSet<&Name>,
    ) -> BTreeMap<Name, Vec<Document>> {
        let mut facts: BTreeMap<Name, Vec<Document>> = BTreeMap::new();
        let snapshot = shape::snapshot(&self.db, project, View::finished(environment));
        for node in snapshot.nodes() {
            for relation in relations {
                let known = salsa::attach(&self.db, || fact::of(&self.db, project, environment, node, relation));
                for fact in known {
                    let document = record(node, [("of", node)], &fact.fields);
                    facts.entry((*relation).clone()).or_default().push(document);
                }
            }
        }
        facts
    }

    fn edges_of(&self, project: Project, environment: u16, kinds: &BTreeSet<&Name>) -> BTreeMap<Name, Vec<Document>> {
        let snapshot = shape::snapshot(&self.db, project, View::finished(environment));
        let edge = |(from, to, fields): (u32, u32, &Map)| {
            let (from, to) = (snapshot.address(from), snapshot.address(to));
            record(from, [("from", from), ("to", to)], fields)
        };
        let kinds = kinds.iter().copied();
        kinds
            .map(|kind| (kind.clone(), snapshot.edges(kind).map(edge).collect()))
            .collect()
    }

    /// Adds to `problem`, which stands in a printed file, the template's line behind it and the rule that prints it.
    fn blame_template(&self, project: Project, problem: &mut Problem) {
        let Some(Place::Text(path, span)) = problem.labels.first().map(|it| it.place.clone()) else {
            return;
        };
        let (Some(fresh), Some(text)) = (self.state.fresh.get(&path), self.state.texts.get(&path)) else {
            return;
        };
        let lines = salsa::attach(&self.db, || {
            provenance::templates(&self.db, project, &fresh.cell, &path)
        });
        let before = text.get(..span.start as usize).unwrap_or_default();
        let line = lines
            .ok()
            .and_then(|it| it.into_iter().nth(before.matches('\n').count()));
        let mut found = problem.clone();
        if let Some((file, span)) = line.flatten() {
            found = found.at(Place::Text(file, span), "printed by this");
        }
        *problem = found.at(Place::Rule(fresh.rule.clone()), "for this rule");
    }
}

/// Returns a fact or an edge as proofs read it: its fields, and the nodes of which it speaks, each with `kind` and `name`.
fn record<const N: usize>(at: &Address, nodes: [(&str, &Address); N], fields: &Map) -> Document {
    let node = |it: &Address| {
        let parts = [("kind", &it.kind), ("name", &it.name)].into_iter();
        Value::Map(
            parts
                .map(|(key, it)| (Name::from(key), Value::String(it.clone())))
                .collect(),
        )
    };
    let fields = fields.iter().map(|(name, it)| (name.clone(), it.clone()));
    let nodes = nodes.iter().map(|(key, it)| (Name::from(*key), node(it)));
    Document {
        origin: Origin::Node(at.clone()),
        path: Name::default(),
        text: Arc::from(""),
        trees: vec![Tree::of_value(&Value::Map(fields.chain(nodes).collect()))],
    }
}
