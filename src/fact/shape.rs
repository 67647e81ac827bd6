//! The shape phase: nodes and edges that rules derive, and the finished graph.
//!
//! A pack's shape rules read the declared graph and what earlier packs shaped, never what their own phase adds, so
//! that "unless there is one" always has a meaning. Derived nodes are defaults: a declared node of the same address
//! wins field by field.

mod known;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash as _, Hasher as _};
use std::sync::Arc;

use rustc_hash::FxHasher;

use crate::db::{Db, Project, View};
use crate::fact::guard::Guarded;
use crate::fact::matching;
use crate::graph::{self, Edge, Snapshot};
use crate::kind::pack;
use crate::problem::{Place, Problem};
use crate::rule::model::Rule;
use crate::rule::set;
use crate::spec::{self, Completed};
use crate::value::{Address, Map, Name, Path, Value};
use known::known_graph;
pub use known::{KnownGraph, KnownGraphs, graph_to_know, rewired};

/// The edge of which start order is made, together with references.
pub const DEPENDS_ON: &str = "depends_on";
/// The edge that a mention in a text makes.
pub const REFERENCES: &str = "references";
/// The edge of start order, made by the engine.
pub const STARTS_AFTER: &str = "starts_after";
/// The kind of the node that stands for the whole project.
pub const PROJECT: &str = "project";

/// A node that rules derive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DerivedNode {
    /// What it holds: only what the rules give.
    pub fields: Map,
    /// The rules that derive it, sorted.
    pub rules: Vec<Name>,
}

/// What the shape rules of one pack, or of several, add to the graph.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Derived {
    /// The nodes.
    pub nodes: BTreeMap<Address, DerivedNode>,
    /// The edges by their ends and kind, with their fields and the rule.
    pub edges: BTreeMap<(Address, Name, Address), (Map, Name)>,
    /// Where rules contradict each other in a field of a node: the node, the field, and the two rules. What the spec
    /// says of the field settles it.
    pub contradictions: Vec<(Address, Path, [Name; 2])>,
    /// What failed, and where rules contradict each other in an edge.
    pub problems: Vec<Problem>,
}

/// Returns the packs that have shape rules, in their order: the phases. Rules of a folder that declares no pack come
/// last.
#[salsa::tracked(returns(deref))]
pub fn phases(db: &dyn Db, project: Project) -> Vec<Name> {
    let mut shaping: BTreeSet<Name> = set::ids(db, project)
        .iter()
        .filter_map(|id| set::rule(db, project, id.clone()).as_ref())
        .filter(|it| it.shapes())
        .map(|it| it.pack.clone())
        .collect();
    let declared = pack::packs(db, project).iter().map(|it| it.name.clone());
    let mut phases: Vec<Name> = declared.filter(|it| shaping.remove(it)).collect();
    phases.extend(shaping);
    phases
}

/// Returns the rules of one phase that are anchored at nodes of `kind`.
#[salsa::tracked(returns(ref))]
fn shapers(db: &dyn Db, project: Project, phase: u16, kind: Name) -> Guarded {
    let pack = phases(db, project).get(usize::from(phase));
    Guarded::new(db, project, &kind, |rule| match rule.body.pattern.first() {
        Some(first) if Some(&rule.pack) == pack && rule.shapes() => vec![(first.name.clone(), Vec::new())],
        _ => Vec::new(),
    })
}

/// What the rules of the phase of `view` add to the graph for one node.
#[salsa::tracked(returns(ref))]
fn contribution(db: &dyn Db, project: Project, view: View, anchor: Address) -> Derived {
    let mut derived = Derived::default();
    let shapers = shapers(db, project, view.phase, anchor.kind.clone());
    for shaper in shapers.admitted(db, view, &anchor) {
        let rule = &shaper.rule;
        let matches = matching::matches(db, project, view, rule, &shaper.anchor, &anchor);
        for found in matches.found {
            let added = matching::evaluated(db, project, view, rule, &anchor, |run| {
                let mut added = Derived::default();
                for node in &rule.nodes {
                    let address = run.text(&node.address, &found)?;
                    let fields = run.fields(&node.fields, &found)?;
                    added.node(parse_address(&address), &fields, rule);
                }
                for edge in &rule.edges {
                    let [from, to] = &edge.ends;
                    let (from, to) = (run.address(from, &found)?, run.address(to, &found)?);
                    let fields = run.fields(&edge.fields, &found)?;
                    added.edge((from, edge.kind.clone(), to), fields, rule);
                }
                Ok(added)
            });
            match added {
                Ok(added) => derived.merge(&added),
                Err(problem) => derived.problems.push(problem),
            }
        }
        derived.problems.extend(matches.problems);
    }
    derived
}

/// Returns what the pack of one phase adds to the graph of an environment.
#[salsa::tracked(returns(ref))]
fn phase(db: &dyn Db, project: Project, environment: u16, phase: u16) -> Derived {
    if let Some(known) = known_graph(db, environment).and_then(|it| it.phases.get(usize::from(phase))) {
        return known.clone();
    }
    let view = View { environment, phase };
    let mut derived = Derived::default();
    for anchor in snapshot(db, project, view).nodes() {
        if !shapers(db, project, phase, anchor.kind.clone()).is_empty() {
            derived.merge(contribution(db, project, view, anchor.clone()));
        }
    }
    derived
}

/// Returns the nodes that a variable of a rule may be, by their kind.
#[must_use]
pub fn nodes_of(db: &dyn Db, project: Project, view: View, rule: &Rule, variable: &Name) -> Vec<Address> {
    let snapshot = snapshot(db, project, view);
    rule.body
        .kinds_of(variable)
        .iter()
        .flat_map(|kind| snapshot.of_kind(kind).iter().cloned())
        .collect()
}

/// Returns all that shape rules add before the phase of `view`.
#[salsa::tracked(returns(ref))]
pub fn derived(db: &dyn Db, project: Project, view: View) -> Derived {
    let n_phases = u16::try_from(phases(db, project).len()).unwrap_or(u16::MAX);
    let mut all = Derived::default();
    for earlier in 0..n_phases.min(view.phase) {
        all.merge(phase(db, project, view.environment, earlier));
    }
    all
}

/// Returns the earliest view of the environment that shows what `view` shows: where a phase adds nothing, the graph is
/// that of before it, and neither nodes nor edges are made again.
#[salsa::tracked(returns(copy))]
pub fn settled(db: &dyn Db, project: Project, view: View) -> View {
    let n_phases = u16::try_from(phases(db, project).len()).unwrap_or(u16::MAX);
    let environment = view.environment;
    let mut last = n_phases.min(view.phase);
    while last > 0 && phase(db, project, environment, last - 1).adds_nothing() {
        last -= 1;
    }
    View {
        environment,
        phase: last,
    }
}

/// Tells whether rules derive a node of this address in any environment.
#[must_use]
pub fn is_derived(db: &dyn Db, project: Project, address: &Address) -> bool {
    let mut environments = (0_u16..).zip(spec::environments(db, project));
    environments.any(|(it, _)| derived(db, project, View::finished(it)).nodes.contains_key(address))
}

/// Into how many parts the derived nodes are divided, so that one more concerns only what asks about its part.
const N_PARTS: u64 = 256;

#[salsa::tracked(returns(ref))]
fn derived_part(db: &dyn Db, project: Project, view: View, part: u64) -> BTreeMap<Address, Map> {
    let nodes = derived(db, project, view).nodes.iter();
    let of_part = nodes.filter(|it| part_of(it.0) == part);
    of_part
        .map(|(address, it)| (address.clone(), it.fields.clone()))
        .collect()
}

fn part_of(address: &Address) -> u64 {
    let mut hasher = FxHasher::default();
    address.hash(&mut hasher);
    hasher.finish() % N_PARTS
}

fn derived_fields<'db>(db: &'db dyn Db, project: Project, view: View, address: &Address) -> Option<&'db Map> {
    if view.phase == 0 {
        return None;
    }
    derived_part(db, project, view, part_of(address)).get(address)
}

/// Returns the fields of a node as it is seen in `view`, complete, or nothing where there is no such node.
#[must_use]
pub fn node<'db>(db: &'db dyn Db, project: Project, view: View, address: &Address) -> Option<&'db Arc<Completed>> {
    if view == View::finished(view.environment) {
        return finished_node(db, project, view.environment, address.clone()).as_ref();
    }
    node_at(db, project, view, address)
}

/// What most of all is asked for, by one question instead of many.
#[salsa::tracked(returns(ref))]
fn finished_node(db: &dyn Db, project: Project, environment: u16, address: Address) -> Option<Arc<Completed>> {
    node_at(db, project, View::finished(environment), &address).cloned()
}

fn node_at<'db>(db: &'db dyn Db, project: Project, view: View, address: &Address) -> Option<&'db Arc<Completed>> {
    let view = settled(db, project, view);
    if derived_fields(db, project, view, address).is_some() {
        return shaped(db, project, view, address.clone()).as_ref();
    }
    // What no overlay speaks of is the same in all environments, and made once.
    let environment = spec::seen_as(db, project, view.environment, address);
    Some(
        &spec::complete_node(db, project, environment, address.clone())
            .as_ref()?
            .node,
    )
}

/// Returns what a node holds of which the spec says no more than `declared`, wherever that is said.
#[must_use]
pub fn holding(
    db: &dyn Db,
    project: Project,
    environment: u16,
    address: &Address,
    declared: &spec::Declared,
) -> Completed {
    let view = settled(db, project, View::finished(environment));
    let nothing = Map::default();
    let derived = derived_fields(db, project, view, address).unwrap_or(&nothing);
    let inherited = spec::inherited(db, project, environment, &address.kind);
    spec::completion(db, project)
        .fields(address, Some(declared), derived, inherited)
        .0
}

/// Returns a node that rules derive, with what the spec says of it on top.
#[salsa::tracked(returns(ref))]
fn shaped(db: &dyn Db, project: Project, view: View, address: Address) -> Option<Arc<Completed>> {
    Some(Arc::new(completed(db, project, view, &address)?.0))
}

fn completed(db: &dyn Db, project: Project, view: View, address: &Address) -> Option<(Completed, Vec<Problem>)> {
    let fields = derived_fields(db, project, view, address)?;
    let environment = view.environment;
    let declared = spec::declared(db, project, environment, address);
    let inherited = spec::inherited(db, project, environment, &address.kind);
    Some(spec::completion(db, project).fields(address, declared.as_deref(), fields, inherited))
}

/// Returns the edges that leave a node, complete. A firewall: a field that is no edge changes nothing after it.
#[salsa::tracked(returns(deref))]
fn node_edges(db: &dyn Db, project: Project, view: View, address: Address) -> Vec<Edge> {
    let Some(completed) = node(db, project, view, &address) else {
        return Vec::new();
    };
    let environment = view.environment;
    let declared = spec::declared(db, project, environment, &address);
    let mut own: Vec<spec::Edge> = declared.as_ref().map(|it| it.edges.clone()).unwrap_or_default();
    for open in declared.iter().flat_map(|it| &it.open) {
        // What no spec declares may be derived.
        let to = open.candidates.iter().find(|it| node(db, project, view, it).is_some());
        own.extend(to.map(|to| spec::Edge {
            kind: open.kind.clone(),
            to: to.clone(),
            fields: open.fields.clone(),
        }));
    }
    let derived: Vec<spec::Edge> = derived_edges(db, project, view, address.clone()).to_vec();
    let target = |target: &Address, path: &Path| node(db, project, view, target)?.fields.at(&path.0).cloned();
    let edges = spec::completion(db, project).edges(completed, &own, &derived, &target);
    edges
        .into_iter()
        .map(|it| Edge::new(address.clone(), it.kind, it.to, it.fields))
        .collect()
}

#[salsa::tracked(returns(deref))]
fn derived_edges(db: &dyn Db, project: Project, view: View, from: Address) -> Vec<spec::Edge> {
    let first = (from.clone(), Name::default(), Address::new("", ""));
    let edges = derived(db, project, view).edges.range(first..);
    edges
        .take_while(|((it, _, _), _)| *it == from)
        .filter(|((_, _, to), _)| *to != from)
        .map(|((_, kind, to), (fields, _))| spec::Edge {
            kind: kind.clone(),
            to: to.clone(),
            fields: fields.clone(),
        })
        .collect()
}

/// Makes the edges that a node declares, for whoever asks for the graph later: nodes can be made in parallel.
pub fn declare(db: &dyn Db, project: Project, environment: u16, address: &Address) {
    let view = View { environment, phase: 0 };
    node_edges(db, project, view, address.clone());
}

/// Returns all nodes and edges that are seen in `view`.
#[salsa::tracked(returns(ref))]
pub fn snapshot(db: &dyn Db, project: Project, view: View) -> Arc<Snapshot> {
    let settled = settled(db, project, view);
    if settled != view {
        return snapshot(db, project, settled).clone();
    }
    if let Some(known) = known_graph(db, view.environment)
        && settled == self::settled(db, project, View::finished(view.environment))
    {
        return known.snapshot.clone();
    }
    let derived = derived(db, project, view);
    let mut nodes: Vec<Address> = spec::addresses(db, project, view.environment).to_vec();
    nodes.extend(derived.nodes.keys().cloned());
    nodes.sort();
    nodes.dedup();
    let mut edges: Vec<Edge> = Vec::new();
    for address in &nodes {
        edges.extend(node_edges(db, project, view, address.clone()).iter().cloned());
    }
    Arc::new(ordered(Snapshot::new(nodes, edges)))
}

/// Adds the edges that make the start order.
fn ordered(graph: Snapshot) -> Snapshot {
    let mut order = graph::order::starts_after(&graph, &DEPENDS_ON.into(), &REFERENCES.into());
    let derived = graph.edges(STARTS_AFTER);
    order.extend(derived.map(|(from, to, fields)| (from, to, fields.clone())));
    graph.with(&STARTS_AFTER.into(), order)
}

/// Returns what is wrong with the shape of an environment's graph: contradicting rules, edges to nowhere, cycles.
#[salsa::tracked(returns(deref))]
pub fn problems(db: &dyn Db, project: Project, environment: u16) -> Vec<Problem> {
    let view = settled(db, project, View::finished(environment));
    let derived = derived(db, project, view);
    let snapshot = snapshot(db, project, view);
    let mut problems = derived.problems.clone();
    for (address, path, [first, second]) in &derived.contradictions {
        let declared = spec::declared(db, project, environment, address);
        if declared.is_some_and(|it| it.fields.at(&path.0).is_some()) {
            continue;
        }
        let message = format!("two derivations of `{address}` differ in `{path}`");
        let problem = Problem::error("rule::contradicting_nodes", message)
            .at(Place::Rule(second.clone()), "derives it one way")
            .at(Place::Rule(first.clone()), "derives it another way")
            .help(format!("declare `{path}` of `{address}` in the spec: it wins"));
        problems.push(problem);
    }
    for (address, node) in &derived.nodes {
        let found = completed(db, project, view, address).map(|it| it.1).unwrap_or_default();
        problems.extend(
            found
                .into_iter()
                .map(|it| it.at(Place::Rule(node.rules[0].clone()), "derives this node")),
        );
    }
    for ((from, kind, to), (_, rule)) in &derived.edges {
        for end in [from, to].into_iter().filter(|it| snapshot.index(it).is_none()) {
            let problem = Problem::error(
                "rule::edge_to_nowhere",
                format!("a derived `{kind}` edge ends at `{end}`, which does not exist"),
            )
            .at(Place::Rule(rule.clone()), "derives the edge")
            .help(format!("derive the node `{end}` as well, under `nodes`"));
            problems.push(problem);
        }
    }
    let name = spec::environments(db, project)
        .get(usize::from(environment))
        .map(|it| it.name.clone());
    let name = name.filter(|it| !it.is_empty());
    for cycle in graph::cycle::required_cycles(snapshot, &[DEPENDS_ON.into()]) {
        problems.push(graph::cycle::problem(&cycle, &DEPENDS_ON.into(), name.as_ref()));
    }
    problems
}

impl Rule {
    /// Tells whether this rule adds nodes or edges to the graph.
    #[must_use]
    pub fn shapes(&self) -> bool {
        !self.nodes.is_empty() || !self.edges.is_empty()
    }
}

impl Derived {
    fn adds_nothing(&self) -> bool {
        self.nodes.is_empty() && self.edges.is_empty() && self.problems.is_empty() && self.contradictions.is_empty()
    }

    fn node(&mut self, address: Option<Address>, fields: &Map, rule: &Rule) {
        let Some(address) = address else { return };
        self.merge(&Self {
            nodes: [(
                address,
                DerivedNode {
                    fields: fields.clone(),
                    rules: vec![rule.id.clone()],
                },
            )]
            .into(),
            ..Self::default()
        });
    }

    fn edge(&mut self, ends: (Option<Address>, Name, Option<Address>), fields: Map, rule: &Rule) {
        let (Some(from), kind, Some(to)) = ends else { return };
        self.merge(&Self {
            edges: [((from, kind, to), (fields, rule.id.clone()))].into(),
            ..Self::default()
        });
    }

    /// Adds what another rule derives. Equal addresses become one node; unequal fields of it are a contradiction.
    fn merge(&mut self, other: &Self) {
        for (address, node) in &other.nodes {
            let Some(known) = self.nodes.get_mut(address) else {
                self.nodes.insert(address.clone(), node.clone());
                continue;
            };
            let (fields, unequal) = union(&known.fields, &node.fields, &Path::default());
            let rules = [known.rules[0].clone(), node.rules[0].clone()];
            let unequal = unequal.into_iter().map(|path| (address.clone(), path, rules.clone()));
            self.contradictions.extend(unequal);
            known.fields = fields;
            known.rules.extend(node.rules.iter().cloned());
            known.rules.sort();
            known.rules.dedup();
        }
        for (ends, (fields, rule)) in &other.edges {
            match self.edges.get(ends) {
                None => {
                    self.edges.insert(ends.clone(), (fields.clone(), rule.clone()));
                }
                Some((known, _)) if known == fields => {}
                Some((_, first)) => {
                    let (from, kind, to) = ends;
                    let message = format!("two derivations of the `{kind}` edge from `{from}` to `{to}` differ");
                    let problem = Problem::error("rule::contradicting_edges", message)
                        .at(Place::Rule(rule.clone()), "derives it one way")
                        .at(Place::Rule(first.clone()), "derives it another way")
                        .help("let both give the edge the same fields, or let one rule derive it alone");
                    self.problems.push(problem);
                }
            }
        }
        self.contradictions.extend(other.contradictions.iter().cloned());
        self.problems.extend(other.problems.iter().cloned());
    }
}

/// Returns the fields of both maps, and the paths at which they differ; the first map's values stay there.
fn union(a: &Map, b: &Map, at: &Path) -> (Map, Vec<Path>) {
    let mut unequal = Vec::new();
    let mut fields = a.clone();
    for (key, theirs) in b {
        let path = at.join(key.clone());
        match (a.get(key), theirs) {
            (None, _) => fields = fields.with(key.clone(), theirs.clone()),
            (Some(Value::Map(ours)), Value::Map(theirs)) => {
                let (both, found) = union(ours, theirs, &path);
                unequal.extend(found);
                fields = fields.with(key.clone(), Value::Map(both));
            }
            (Some(ours), theirs) if ours == theirs => {}
            (Some(_), _) => unequal.push(path),
        }
    }
    (fields, unequal)
}

/// Returns the address that `KIND.NAME` writes.
#[must_use]
pub fn parse_address(text: &str) -> Option<Address> {
    let (kind, name) = text.split_once('.')?;
    (!kind.is_empty() && !name.is_empty()).then(|| Address::new(kind, name))
}

/// Returns `fields` given by path as one nested map.
#[must_use]
pub fn nested(fields: Vec<(&Path, Value)>) -> Map {
    if fields.iter().all(|it| it.0.0.len() == 1) {
        return fields
            .into_iter()
            .map(|(path, value)| (path.0[0].clone(), value))
            .collect();
    }
    let mut map = Map::default();
    for (path, value) in fields {
        map = put(&map, &path.0, value);
    }
    map
}

fn put(map: &Map, path: &[Name], value: Value) -> Map {
    match path {
        [] => map.clone(),
        [last] => map.with(last.clone(), value),
        [first, rest @ ..] => {
            let inner = map.get(first).and_then(Value::as_map).cloned().unwrap_or_default();
            map.with(first.clone(), Value::Map(put(&inner, rest, value)))
        }
    }
}
