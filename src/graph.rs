//! The graph as one can walk it: adjacency, order, cycles, reach, patterns, drawings.
//!
//! Everything here is a pure function over a [`Snapshot`] or a [`pattern::World`]; all of it is iterative and
//! breaks ties by address. How nodes and edges come out of spec files, and what rules make of them, is not
//! known here.

pub mod cycle;
pub mod draw;
pub mod order;
pub mod pattern;
pub mod reach;
pub mod snapshot;
pub mod steps;

use std::collections::{BTreeMap, BTreeSet};

pub use snapshot::{Adjacency, Snapshot};
pub use steps::{Steps, TooManySteps};

use crate::value::{Address, Map, Name, Value};

/// Where edges start and where they lead, by their kind.
pub type EndsByKind = BTreeMap<Name, BTreeSet<(Address, Address)>>;

/// One edge of the graph.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Edge {
    /// Where it starts.
    pub from: Address,
    /// Its kind.
    pub kind: Name,
    /// Where it leads.
    pub to: Address,
    /// Its fields.
    pub fields: Map,
}

impl Edge {
    /// Returns the edge of `kind` that leads `from` one node `to` another.
    #[must_use]
    pub fn new(from: Address, kind: impl Into<Name>, to: Address, fields: Map) -> Self {
        let kind = kind.into();
        Self { from, kind, to, fields }
    }
}

/// Tells whether an edge with these fields is required, as every edge is that does not say otherwise.
#[must_use]
pub fn is_required(fields: &Map) -> bool {
    fields.get("required") != Some(&Value::Bool(false))
}

#[cfg(test)]
mod tests;
