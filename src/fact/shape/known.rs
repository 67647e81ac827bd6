//! The graph of each environment, kept from one run to the next.

#![expect(missing_docs, reason = "salsa's macros write public functions without docs")]

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{DEPENDS_ON, Derived, REFERENCES, STARTS_AFTER, node_edges, ordered, phase, phases, settled, snapshot};
use crate::db::{Db, Project, View};
use crate::graph::{self, Snapshot, order};
use crate::value::{Address, Name};

/// The graphs as an earlier run found them, where there is reason to believe that they stand.
#[salsa::input(debug, singleton)]
pub struct KnownGraphs {
    /// By environment.
    #[returns(ref)]
    pub of: Vec<KnownGraph>,
}

/// The finished graph of one environment, and how it came to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownGraph {
    /// What each phase adds.
    pub phases: Vec<Derived>,
    /// All nodes and edges.
    pub snapshot: Arc<Snapshot>,
    /// Whether its start order [is whole](order::is_whole).
    pub is_whole: bool,
}

pub(super) fn known_graph(db: &dyn Db, environment: u16) -> Option<&KnownGraph> {
    KnownGraphs::try_get(db)?.of(db).get(usize::from(environment))
}

/// Returns the known graph of an environment with the edges that leave `rewired` made anew; none where there is a cycle
/// of edges that all must be kept, or where rules add to the start order.
#[must_use]
pub fn rewired(db: &dyn Db, project: Project, environment: u16, rewired: &BTreeSet<Address>) -> Option<KnownGraph> {
    let known = known_graph(db, environment)?;
    let view = settled(db, project, View::finished(environment));
    let snapshot = &known.snapshot;
    let mut derived = known.phases.iter().flat_map(|it| it.edges.keys());
    if derived.any(|(_, kind, _)| **kind == *STARTS_AFTER) {
        // Those of the rules and those that follow from others can't be told apart.
        return None;
    }
    let edges = rewired
        .iter()
        .flat_map(|it| node_edges(db, project, view, it.clone()).iter());
    let kinds = kinds_of_order();
    let [depends_on, _, starts_after] = &kinds;
    let plain = Snapshot::clone(snapshot).rewired(rewired, edges.cloned().collect());
    let nodes: BTreeSet<u32> = rewired.iter().filter_map(|it| snapshot.index(it)).collect();
    let again = known
        .is_whole
        .then(|| order::starts_after_rewired(snapshot, &plain, &nodes, kinds.each_ref()));
    if let Some(edges) = again.flatten() {
        return Some(KnownGraph {
            phases: known.phases.clone(),
            snapshot: Arc::new(plain.leaving(starts_after, &nodes, edges)),
            is_whole: true,
        });
    }
    let snapshot = ordered(plain.with(starts_after, Vec::new()));
    graph::cycle::required_cycles(&snapshot, std::slice::from_ref(depends_on))
        .is_empty()
        .then(|| KnownGraph {
            phases: known.phases.clone(),
            is_whole: order::is_whole(&snapshot, kinds.each_ref()),
            snapshot: Arc::new(snapshot),
        })
}

/// Returns the kinds of edge that make the start order, and that of its own edges.
fn kinds_of_order() -> [Name; 3] {
    [DEPENDS_ON, REFERENCES, STARTS_AFTER].map(Name::from)
}

/// Returns the graph of an environment, to be known to a later run.
#[must_use]
pub fn graph_to_know(db: &dyn Db, project: Project, environment: u16) -> KnownGraph {
    let n_phases = u16::try_from(phases(db, project).len()).unwrap_or(u16::MAX);
    let snapshot = snapshot(db, project, View::finished(environment));
    KnownGraph {
        phases: (0..n_phases)
            .map(|it| phase(db, project, environment, it).clone())
            .collect(),
        is_whole: order::is_whole(snapshot, kinds_of_order().each_ref()),
        snapshot: snapshot.clone(),
    }
}
