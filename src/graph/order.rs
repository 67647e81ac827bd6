//! Order: strongly connected components, layers, and what starts after what.
//!
//! Cycles are condensed here, never refused; [`super::cycle`] shows them.

use std::collections::BTreeSet;

use petgraph::algo::kosaraju_scc;
use rustc_hash::FxHashSet;

use super::snapshot::Ends;
use super::{Adjacency, Snapshot, is_required};
use crate::value::{Address, Map, Name};

/// The strongly connected components of a graph, each after those to which its edges lead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Components {
    /// The component of each node.
    of: Vec<u32>,
    /// The nodes of each component, sorted.
    members: Vec<Vec<u32>>,
    /// Whether the members of a component lie on a cycle: they are many, or one with an edge to itself.
    cyclic: Vec<bool>,
}

impl Components {
    /// Returns the components of `graph`.
    #[must_use]
    pub fn new(graph: &Adjacency) -> Self {
        // Not `tarjan_scc`, which is recursive in petgraph 0.8 and overflows on long chains.
        let mut members = kosaraju_scc(graph);
        let mut of = vec![0; graph.len()];
        for (component, nodes) in (0..).zip(&mut members) {
            nodes.sort_unstable();
            for node in nodes {
                of[*node as usize] = component;
            }
        }
        let is_cyclic = |nodes: &Vec<u32>| nodes.len() > 1 || graph.outgoing(nodes[0]).contains(&nodes[0]);
        let cyclic = members.iter().map(is_cyclic).collect();
        Self { of, members, cyclic }
    }

    /// Returns the component of `node`.
    #[must_use]
    pub fn of(&self, node: u32) -> u32 {
        self.of[node as usize]
    }

    /// Returns the members of each component, sorted; a component stands after those that it leads to.
    #[must_use]
    pub fn members(&self) -> &[Vec<u32>] {
        &self.members
    }

    /// Returns the members of each component that holds a cycle.
    pub fn cyclic(&self) -> impl Iterator<Item = &[u32]> {
        let all = self.members.iter().zip(&self.cyclic);
        all.filter(|it| *it.1).map(|it| it.0.as_slice())
    }

    /// Tells whether a cycle leads through both nodes; for a node and itself, whether it lies on one.
    #[must_use]
    pub fn same_cycle(&self, a: u32, b: u32) -> bool {
        self.of(a) == self.of(b) && self.cyclic[self.of(a) as usize]
    }
}

/// Returns `nodes` in layers, each after all to which its edges lead, as early as can be; sorted within a layer.
///
/// An edge may lead through nodes that are not asked for: they order the others, and take no layer. Nodes on
/// one cycle share a layer.
#[must_use]
pub fn layers(snapshot: &Snapshot, nodes: &[Address], edges: &[Name]) -> Vec<Vec<Address>> {
    let wanted: Vec<u32> = nodes.iter().filter_map(|it| snapshot.index(it)).collect();
    let layers = layers_of(&snapshot.adjacency(edges), &wanted);
    layers.iter().map(|it| snapshot.addresses(it)).collect()
}

/// Returns the nodes `wanted` of `graph` in layers, as [`layers`] does.
#[must_use]
pub fn layers_of(graph: &Adjacency, wanted: &[u32]) -> Vec<Vec<u32>> {
    let components = Components::new(graph);
    let mut is_wanted = vec![false; graph.len()];
    for node in wanted {
        is_wanted[*node as usize] = true;
    }
    let mut layers: Vec<Vec<u32>> = Vec::new();
    // The number of layers up to and with each component.
    let mut heights = vec![0_usize; components.members.len()];
    for (component, members) in components.members.iter().enumerate() {
        let targets = members.iter().flat_map(|it| graph.outgoing(*it));
        let below = targets
            .map(|it| heights[components.of(*it) as usize])
            .max()
            .unwrap_or(0);
        let mut here = members.iter().copied().filter(|it| is_wanted[*it as usize]).peekable();
        heights[component] = below + usize::from(here.peek().is_some());
        if heights[component] > layers.len() {
            layers.push(Vec::new());
        }
        if here.peek().is_some() {
            layers[below].extend(here);
        }
    }
    for layer in &mut layers {
        layer.sort_unstable();
    }
    layers
}

/// Tells whether the start order of `snapshot` leaves nothing out that a node requires: then no cycle holds a reference.
#[must_use]
pub fn is_whole(snapshot: &Snapshot, [depends_on, references, order]: [&Name; 3]) -> bool {
    let mut nodes = (0..).take(snapshot.nodes().len());
    nodes.all(|it| first_steps(snapshot, it, depends_on, references).len() == snapshot.outgoing(it, order).count())
}

/// Returns the edges of `order` that leave `rewired`, nodes of which other edges of `now` leave than of `before`, whose
/// start order [is whole](is_whole) and has no cycle of dependencies; none where it takes more to tell.
#[must_use]
pub fn starts_after_rewired(
    before: &Snapshot,
    now: &Snapshot,
    rewired: &BTreeSet<u32>,
    [depends_on, references, order]: [&Name; 3],
) -> Option<Vec<Ends>> {
    let mut edges = Vec::new();
    for node in rewired {
        let mut declared = now.outgoing(*node, depends_on);
        if declared.any(|it| it.0 == *node && is_required(it.1)) {
            return None;
        }
        let known: BTreeSet<u32> = before.outgoing(*node, order).map(|it| it.0).collect();
        let steps = first_steps(now, *node, depends_on, references);
        let mut open: Vec<u32> = steps.iter().map(|it| it.0).filter(|it| !known.contains(it)).collect();
        let mut seen: FxHashSet<u32> = open.iter().copied().collect();
        while let Some(at) = open.pop() {
            if at == *node {
                return None;
            }
            let next = first_steps(now, at, depends_on, references).into_iter();
            open.extend(next.map(|it| it.0).filter(|it| seen.insert(*it)));
        }
        edges.extend(steps.into_iter().map(|(to, fields)| (*node, to, fields.clone())));
    }
    Some(edges)
}

/// Returns what `node` starts after, one edge for each, sorted, as long as there is no cycle: see [`starts_after`]. Of
/// several edges to one node the first counts.
fn first_steps<'s>(snapshot: &'s Snapshot, node: u32, depends_on: &Name, references: &Name) -> Vec<(u32, &'s Map)> {
    let is_step = |it: &(u32, &Map)| it.0 != node && is_required(it.1);
    let declared = || snapshot.outgoing(node, depends_on);
    let loose = snapshot.outgoing(node, references);
    let loose = loose.filter(|it| declared().all(|declared| declared.0 != it.0));
    let mut steps: Vec<_> = declared().chain(loose).filter(is_step).collect();
    steps.sort_by_key(|it| it.0);
    steps.dedup_by_key(|it| it.0);
    steps
}

/// Returns the edges that make the start order, one for each pair of nodes, sorted by their ends.
///
/// They are the required edges of both kinds, less the references that lie within one strongly connected
/// component of both together. Where both kinds join the same nodes, the declared dependency decides. A cycle
/// of declared dependencies stays in: it is a mistake that [`super::cycle`] reports.
#[must_use]
pub fn starts_after(snapshot: &Snapshot, depends_on: &Name, references: &Name) -> Vec<Ends> {
    let nodes = (0..).take(snapshot.nodes().len());
    let steps = nodes.flat_map(|from| {
        let steps = first_steps(snapshot, from, depends_on, references);
        steps.into_iter().map(move |(to, fields)| (from, to, fields))
    });
    let mut steps: Vec<(u32, u32, &Map)> = steps.collect();
    let pairs = steps.iter().map(|it| (it.0, it.1)).collect();
    let components = Components::new(&Adjacency::new(snapshot.nodes().len(), pairs));
    let is_declared = |from: u32, to: u32| snapshot.outgoing(from, depends_on).any(|it| it.0 == to);
    steps.retain(|(from, to, _)| components.of(*from) != components.of(*to) || is_declared(*from, *to));
    steps
        .into_iter()
        .map(|(from, to, fields)| (from, to, fields.clone()))
        .collect()
}
