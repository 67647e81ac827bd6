//! What a pattern asks of a graph.
//!
//! Small, so that it can be answered by queries that remember what was asked, or by a snapshot that stands still.

use crate::graph::Snapshot;
use crate::value::{Address, Map, Name, Value};

/// A graph that patterns are matched against. The order of its answers changes no result.
pub trait World {
    /// Calls `each` with the far end and the fields of each edge of `kind` that leaves `node`.
    fn outgoing(&self, node: &Address, kind: &Name, each: &mut dyn FnMut(&Address, &Map));

    /// Calls `each` with the start and the fields of each edge of `kind` that leads to `node`.
    fn incoming(&self, node: &Address, kind: &Name, each: &mut dyn FnMut(&Address, &Map));

    /// Calls `each` with each node of `kind`.
    fn of_kind(&self, kind: &Name, each: &mut dyn FnMut(&Address));

    /// Returns what the field called `name` of `node` holds, defaults included.
    fn field(&self, node: &Address, name: &Name) -> Option<Value>;

    /// Tells whether there is such a node. Of those that the other answers name this is not asked: each of them is there.
    fn exists(&self, node: &Address) -> bool;

    /// Calls `each` with the nodes that `to` may be when `from` is `node`, by the equation of a `join:`.
    ///
    /// It is asked only by a walk that was made with a join of these two variables; going backwards, it must know
    /// old and new values both.
    fn joined(&self, _from: &Name, _node: &Address, _to: &Name, _each: &mut dyn FnMut(&Address)) {}
}

/// A world that stands still: a snapshot, and what the fields of its nodes hold.
#[derive(Clone, Copy)]
pub struct Still<'a> {
    /// The nodes and edges.
    pub snapshot: &'a Snapshot,
    /// What a field of a node holds.
    pub field: &'a dyn Fn(&Address, &str) -> Option<Value>,
}

impl World for Still<'_> {
    fn outgoing(&self, node: &Address, kind: &Name, each: &mut dyn FnMut(&Address, &Map)) {
        if let Some(node) = self.snapshot.index(node) {
            let edges = self.snapshot.outgoing(node, kind);
            edges.for_each(|(to, fields)| each(self.snapshot.address(to), fields));
        }
    }

    fn incoming(&self, node: &Address, kind: &Name, each: &mut dyn FnMut(&Address, &Map)) {
        if let Some(node) = self.snapshot.index(node) {
            let edges = self.snapshot.incoming(node, kind);
            edges.for_each(|(from, fields)| each(self.snapshot.address(from), fields));
        }
    }

    fn of_kind(&self, kind: &Name, each: &mut dyn FnMut(&Address)) {
        self.snapshot.of_kind(kind).iter().for_each(each);
    }

    fn field(&self, node: &Address, name: &Name) -> Option<Value> {
        (self.field)(node, name)
    }

    fn exists(&self, node: &Address) -> bool {
        self.snapshot.index(node).is_some()
    }
}
