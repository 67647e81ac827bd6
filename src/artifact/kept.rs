//! What a run found out, in a form that can be written down: names, nodes and maps by their number.
//!
//! Only of a run that found nothing which forbids to write.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::artifact::asleep::Asleep;
use crate::artifact::candidates::Before;
use crate::artifact::found::Found;
use crate::artifact::fresh::{Fresh, State};
use crate::artifact::instance::{Artifact, Artifacts, Cell};
use crate::artifact::reads::{self, KnownReads, TemplateReads};
use crate::artifact::told::Told;
use crate::db::{Database, Project, SourceFile};
use crate::fact::shape::{self, Derived, DerivedNode, KnownGraph, KnownGraphs};
use crate::fingerprint::Fingerprint;
use crate::graph::Snapshot;
use crate::graph::snapshot::KeptTable;
use crate::rule::file::Mode;
use crate::spec::{self, KeptIndex, KnownNames};
use crate::value::{Address, Map, Name};

/// What a run found out.
#[derive(Debug, Serialize, Deserialize)]
pub struct Kept<'a> {
    /// Names of rules, kinds of node and kinds of edge.
    #[serde(borrow)]
    names: Vec<&'a str>,
    /// Nodes: their kinds, by number, and their names.
    #[serde(borrow)]
    nodes: Vec<(u32, &'a str)>,
    /// Fields of edges.
    maps: Vec<Map>,
    index: KeptIndex,
    graphs: Vec<Graph>,
    /// The rules, with the digests of what they say.
    rules: Vec<(u32, Fingerprint)>,
    /// What the templates read of those that have printed something.
    reads: Vec<(u32, TemplateReads)>,
    told: Told,
    found: Found,
    #[serde(borrow)]
    places: Vec<Place<'a>>,
}

/// One environment.
#[derive(Debug, Serialize, Deserialize)]
struct Graph {
    phases: Vec<Phase>,
    nodes: Vec<u32>,
    tables: Vec<KeptTable>,
    is_whole: bool,
    /// The rules that say nothing, each with the variable whose conditions no node fulfils.
    asleep: Vec<(u32, u32)>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Phase {
    /// Nodes, what they hold, and the rules that derive them.
    nodes: Vec<(u32, Map, Vec<u32>)>,
    /// Where edges start, their kind, where they lead, their fields, and the rule.
    edges: Vec<[u32; 5]>,
}

/// What a rule prints at a node.
#[derive(Debug, Serialize, Deserialize)]
struct Place<'a> {
    environment: u16,
    rule: u32,
    node: u32,
    #[serde(borrow)]
    artifacts: Vec<Printed<'a>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Printed<'a> {
    path: &'a str,
    source: Fingerprint,
    content: Fingerprint,
    is_executable: bool,
}

/// Things that are numbered in the order in which they come.
struct Numbers<T>(FxHashMap<T, u32>);

impl<T: Eq + std::hash::Hash + Clone> Numbers<T> {
    fn of(&mut self, thing: &T) -> u32 {
        if let Some(at) = self.0.get(thing) {
            return *at;
        }
        let at = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        self.0.insert(thing.clone(), at);
        at
    }

    fn into_list(self) -> Vec<T> {
        let mut all: Vec<(T, u32)> = self.0.into_iter().collect();
        all.sort_by_key(|it| it.1);
        all.into_iter().map(|it| it.0).collect()
    }
}

/// Hands what `state` found out about the project to `save`; `files` are those of the spec, by their number. Nothing is
/// handed on where something is wrong.
pub fn keep<T>(
    db: &Database,
    project: Project,
    state: &State,
    files: &[SourceFile],
    save: impl FnOnce(&Kept<'_>) -> T,
) -> Option<T> {
    let (before, told, found) = state.to_keep(db, project)?;
    let mut names = Numbers(FxHashMap::default());
    let mut nodes = Numbers(FxHashMap::default());
    let mut maps = Numbers(FxHashMap::default());
    let numbers: FxHashMap<SourceFile, u32> = files.iter().copied().zip(0..).collect();
    let index = spec::index::index(db, project).kept(&mut |it| nodes.of(it), &|it| numbers.get(&it).copied())?;
    let mut graphs = Vec::new();
    for (environment, asleep) in (0_u16..).zip(before.asleep()?) {
        let known = shape::graph_to_know(db, project, environment);
        let mut phases = Vec::new();
        for derived in &known.phases {
            if !derived.problems.is_empty() || !derived.contradictions.is_empty() {
                return None;
            }
            let of_node = |(address, it): (&Address, &DerivedNode)| {
                let rules = it.rules.iter().map(|it| names.of(it)).collect();
                (nodes.of(address), it.fields.clone(), rules)
            };
            let derived_nodes = derived.nodes.iter().map(of_node).collect();
            let of_edge = |((from, kind, to), (fields, rule)): (&(Address, Name, Address), &(Map, Name))| {
                let (from, to) = (nodes.of(from), nodes.of(to));
                [from, names.of(kind), to, maps.of(fields), names.of(rule)]
            };
            phases.push(Phase {
                nodes: derived_nodes,
                edges: derived.edges.iter().map(of_edge).collect(),
            });
        }
        graphs.push(Graph {
            phases,
            nodes: known.snapshot.nodes().iter().map(|it| nodes.of(it)).collect(),
            is_whole: known.is_whole,
            tables: known.snapshot.kept(&mut |it| names.of(it), &mut |it| maps.of(it)),
            asleep: asleep
                .iter()
                .map(|(rule, variable)| (names.of(rule), names.of(variable)))
                .collect(),
        });
    }
    let rules = before.rules().map(|(id, it)| (names.of(id), it)).collect();
    let printing: BTreeSet<&Name> = state.fresh.values().map(|it| &it.rule).collect();
    let read = |it: &&Name| Some((names.of(it), reads::reads(db, project, it)?.clone()));
    let reads = printing.iter().filter_map(read).collect();
    let mut places = Vec::new();
    for (cell, artifacts) in state.cells() {
        let printed = |it: &'_ Artifact| {
            let content = state.fresh.get(&it.path)?.content;
            Some((it.path.clone(), it.fingerprint, content, it.mode == Mode::Executable))
        };
        let printed = artifacts.artifacts.iter().map(printed).collect::<Option<Vec<_>>>()?;
        places.push((cell.environment, names.of(&cell.rule), nodes.of(&cell.node), printed));
    }
    let all_nodes = nodes.into_list();
    let kinds: Vec<u32> = all_nodes.iter().map(|it| names.of(&it.kind)).collect();
    let all_names = names.into_list();
    let kept = Kept {
        names: all_names.iter().map(Name::as_str).collect(),
        nodes: kinds
            .into_iter()
            .zip(all_nodes.iter().map(|it| it.name.as_str()))
            .collect(),
        maps: maps.into_list(),
        index,
        graphs,
        rules,
        reads,
        told,
        found: found.clone(),
        places: places
            .iter()
            .map(|(environment, rule, node, printed)| Place {
                environment: *environment,
                rule: *rule,
                node: *node,
                artifacts: printed
                    .iter()
                    .map(|(path, source, content, is_executable)| Printed {
                        path,
                        source: *source,
                        content: *content,
                        is_executable: *is_executable,
                    })
                    .collect(),
            })
            .collect(),
    };
    Some(save(&kept))
}

impl Kept<'_> {
    /// Makes the database know the names and the graphs, of which `files` are those of the spec; returns the state of
    /// the run that kept them. None where that does not fit together.
    pub fn restore(&self, db: &Database, project: Project, files: &[SourceFile]) -> Option<State> {
        let names: Vec<Name> = self.names.iter().map(|it| Name::from(*it)).collect();
        let name = |at: u32| names.get(at as usize).cloned();
        let address = |(kind, node): &(u32, &str)| Some(Address::new(name(*kind)?, *node));
        let nodes: Vec<Address> = self.nodes.iter().map(address).collect::<Option<_>>()?;
        let numbered = Numbered {
            names: &names,
            nodes: &nodes,
            maps: &self.maps,
        };
        let restore_graphs = || {
            let graphs = self.graphs.iter().map(|it| it.restore(&numbered));
            graphs.collect::<Option<Vec<(KnownGraph, Asleep)>>>()
        };
        let restore_places = || {
            let mut fresh = Vec::new();
            let places = self.places.iter().map(|it| it.restore(&numbered, &mut fresh));
            let cells: BTreeMap<Cell, Arc<Artifacts>> = places.collect::<Option<_>>()?;
            Some((cells, fresh.into_iter().collect::<BTreeMap<Name, Fresh>>()))
        };
        let (graphs, places) = rayon::join(restore_graphs, restore_places);
        let (cells, fresh) = places?;
        let (known, asleep): (Vec<KnownGraph>, Vec<Asleep>) = graphs?.into_iter().unzip();
        let graphs = known.iter().map(|it| it.snapshot.clone()).zip(asleep).collect();
        let rule = |(id, it): &(u32, Fingerprint)| Some((name(*id)?, *it));
        let rules: BTreeMap<Name, Fingerprint> = self.rules.iter().map(rule).collect::<Option<_>>()?;
        let index = self.index.index(&nodes, files)?;
        KnownNames::new(db, index);
        KnownGraphs::new(db, known);
        let read = |(rule, it): &(u32, TemplateReads)| Some((name(*rule)?, Arc::new(it.clone())));
        KnownReads::new(db, self.reads.iter().map(read).collect::<Option<BTreeMap<_, _>>>()?);
        let before = Before::kept(db, project, graphs, rules)?;
        let wrong = (self.told.clone(), self.found.clone());
        Some(State::kept(before, wrong, cells, fresh))
    }
}

/// What the numbers stand for.
struct Numbered<'k> {
    names: &'k [Name],
    nodes: &'k [Address],
    maps: &'k [Map],
}

impl Numbered<'_> {
    fn name(&self, at: u32) -> Option<Name> {
        self.names.get(at as usize).cloned()
    }

    fn node(&self, at: u32) -> Option<Address> {
        self.nodes.get(at as usize).cloned()
    }

    fn map(&self, at: u32) -> Option<Map> {
        self.maps.get(at as usize).cloned()
    }
}

impl Graph {
    /// Returns the graph and the rules that say nothing of it.
    fn restore(&self, numbered: &Numbered<'_>) -> Option<(KnownGraph, Asleep)> {
        let phases = self.phases.iter().map(|it| it.restore(numbered));
        let phases = phases.collect::<Option<_>>()?;
        let nodes = self.nodes.iter().map(|it| numbered.node(*it)).collect::<Option<_>>()?;
        let snapshot = Snapshot::from_kept(nodes, &self.tables, numbered.names, numbered.maps)?;
        let asleep = |(rule, variable): &(u32, u32)| Some((numbered.name(*rule)?, numbered.name(*variable)?));
        let asleep = self.asleep.iter().map(asleep).collect::<Option<_>>()?;
        let snapshot = Arc::new(snapshot);
        let graph = KnownGraph {
            phases,
            snapshot,
            is_whole: self.is_whole,
        };
        Some((graph, asleep))
    }
}

impl Phase {
    fn restore(&self, numbered: &Numbered<'_>) -> Option<Derived> {
        let mut derived = Derived::default();
        for (address, fields, rules) in &self.nodes {
            let rules = rules.iter().map(|it| numbered.name(*it)).collect::<Option<_>>()?;
            let fields = fields.clone();
            derived
                .nodes
                .insert(numbered.node(*address)?, DerivedNode { fields, rules });
        }
        for [from, kind, to, fields, rule] in &self.edges {
            let ends = (numbered.node(*from)?, numbered.name(*kind)?, numbered.node(*to)?);
            derived
                .edges
                .insert(ends, (numbered.map(*fields)?, numbered.name(*rule)?));
        }
        Some(derived)
    }
}

impl Place<'_> {
    /// Returns the place and what is made there; adds what stands at each path to `fresh`.
    fn restore(&self, numbered: &Numbered<'_>, fresh: &mut Vec<(Name, Fresh)>) -> Option<(Cell, Arc<Artifacts>)> {
        let cell = Cell {
            environment: self.environment,
            rule: numbered.name(self.rule)?,
            node: numbered.node(self.node)?,
        };
        let mut artifacts = Artifacts::default();
        for it in &self.artifacts {
            let artifact = Artifact {
                path: it.path.into(),
                rule: cell.rule.clone(),
                fingerprint: it.source,
                mode: match it.is_executable {
                    true => Mode::Executable,
                    false => Mode::Plain,
                },
            };
            let here = Fresh {
                rule: artifact.rule.clone(),
                mode: artifact.mode,
                cell: cell.clone(),
                source: artifact.fingerprint,
                content: it.content,
            };
            fresh.push((artifact.path.clone(), here));
            artifacts.artifacts.push(artifact);
        }
        Some((cell, Arc::new(artifacts)))
    }
}
