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
use crate::artifact::seen::{SeenRule, SeenRules};
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
    /// The rules, and what there is to know of each.
    rules: Vec<(u32, SeenRule)>,
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

impl<T> Default for Numbers<T> {
    fn default() -> Self {
        Self(FxHashMap::default())
    }
}

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

/// All that is written by its number.
#[derive(Default)]
struct Numbering {
    names: Numbers<Name>,
    nodes: Numbers<Address>,
    maps: Numbers<Map>,
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
    let mut numbering = Numbering::default();
    let numbers: FxHashMap<SourceFile, u32> = files.iter().copied().zip(0..).collect();
    let index = spec::index::index(db, project);
    let index = index.kept(&mut |it| numbering.nodes.of(it), &|it| numbers.get(&it).copied())?;
    let environments = (0_u16..).zip(before.asleep()?);
    let graphs = environments.map(|(at, asleep)| {
        let known = shape::graph_to_know(db, project, at);
        Graph::of(&known, asleep, &mut numbering)
    });
    let graphs = graphs.collect::<Option<_>>()?;
    let rules = before.rules().iter();
    let rules = rules.map(|(id, it)| (numbering.names.of(id), it)).collect();
    let printing: BTreeSet<&Name> = state.fresh.values().map(|it| &it.rule).collect();
    let read = |it: &Name| Some((numbering.names.of(it), reads::reads(db, project, it)?.clone()));
    let reads = printing.into_iter().filter_map(read).collect();
    let made = state
        .cells()
        .map(|(cell, made)| Place::of(state, cell, made, &mut numbering));
    let places = made.collect::<Option<_>>()?;
    let Numbering { mut names, nodes, maps } = numbering;
    let nodes = nodes.into_list();
    let kinds: Vec<u32> = nodes.iter().map(|it| names.of(&it.kind)).collect();
    let names = names.into_list();
    let kept = Kept {
        names: names.iter().map(Name::as_str).collect(),
        nodes: kinds.into_iter().zip(nodes.iter().map(|it| it.name.as_str())).collect(),
        maps: maps.into_list(),
        index,
        graphs,
        rules,
        reads,
        told,
        found: found.clone(),
        places,
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
        let rule = |(id, it): &(u32, SeenRule)| Some((name(*id)?, *it));
        let rules: SeenRules = self.rules.iter().map(rule).collect::<Option<_>>()?;
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
    /// Returns what there is to keep of a graph; none where something in it is wrong.
    fn of(known: &KnownGraph, asleep: &Asleep, numbering: &mut Numbering) -> Option<Self> {
        let phases = known.phases.iter().map(|it| Phase::of(it, numbering));
        let phases = phases.collect::<Option<_>>()?;
        let Numbering { names, nodes, maps } = numbering;
        Some(Self {
            phases,
            nodes: known.snapshot.nodes().iter().map(|it| nodes.of(it)).collect(),
            is_whole: known.is_whole,
            tables: known.snapshot.kept(&mut |it| names.of(it), &mut |it| maps.of(it)),
            asleep: asleep
                .iter()
                .map(|(rule, variable)| (names.of(rule), names.of(variable)))
                .collect(),
        })
    }

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
    /// Returns what there is to keep of what rules derived; none where something in it is wrong.
    fn of(derived: &Derived, Numbering { names, nodes, maps }: &mut Numbering) -> Option<Self> {
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
        Some(Self {
            nodes: derived_nodes,
            edges: derived.edges.iter().map(of_edge).collect(),
        })
    }

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

impl<'a> Place<'a> {
    /// Returns what there is to keep of a place and of what is made there; none where it is not known what that holds.
    fn of(state: &'a State, cell: &Cell, made: &'a Artifacts, numbering: &mut Numbering) -> Option<Self> {
        let printed = |it: &'a Artifact| {
            Some(Printed {
                path: &it.path,
                source: it.fingerprint,
                content: state.fresh.get(&it.path)?.content,
                is_executable: it.mode == Mode::Executable,
            })
        };
        Some(Self {
            environment: cell.environment,
            rule: numbering.names.of(&cell.rule),
            node: numbering.nodes.of(&cell.node),
            artifacts: made.artifacts.iter().map(printed).collect::<Option<_>>()?,
        })
    }

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
