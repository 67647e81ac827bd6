//! Reach: what can be got to from a node, either way, and the longest way to go.
//!
//! Reach takes at least one step, so that a node reaches itself only over a real cycle.

use rustc_hash::FxHashSet;

use super::order::Components;
use super::{Adjacency, Snapshot};
use crate::value::{Address, Double, Map, Name, Value};

/// Returns all nodes to which edges of these kinds lead from `node`, over `most` steps, sorted.
///
/// It costs what is reached, not what there is.
#[must_use]
pub fn reach(snapshot: &Snapshot, node: &Address, edges: &[Name], most: usize) -> Vec<Address> {
    closure(snapshot, [node], most, |at, found| outgoing(snapshot, edges, at, found))
}

/// Returns all nodes that can be reached from any of `nodes`, sorted.
#[must_use]
pub fn reach_of_all<'a>(
    snapshot: &Snapshot,
    nodes: impl IntoIterator<Item = &'a Address>,
    edges: &[Name],
) -> Vec<Address> {
    closure(snapshot, nodes, usize::MAX, |at, found| {
        outgoing(snapshot, edges, at, found)
    })
}

fn outgoing(snapshot: &Snapshot, edges: &[Name], at: u32, found: &mut Vec<u32>) {
    found.extend(edges.iter().flat_map(|kind| snapshot.outgoing(at, kind)).map(|it| it.0));
}

/// Returns all nodes from which edges of these kinds lead to `node`, over `most` steps, sorted.
#[must_use]
pub fn dependents(snapshot: &Snapshot, node: &Address, edges: &[Name], most: usize) -> Vec<Address> {
    closure(snapshot, [node], most, |at, found| incoming(snapshot, edges, at, found))
}

/// Returns all nodes from which any of `nodes` can be reached, sorted.
#[must_use]
pub fn dependents_of_all<'a>(
    snapshot: &Snapshot,
    nodes: impl IntoIterator<Item = &'a Address>,
    edges: &[Name],
) -> Vec<Address> {
    closure(snapshot, nodes, usize::MAX, |at, found| {
        incoming(snapshot, edges, at, found)
    })
}

fn incoming(snapshot: &Snapshot, edges: &[Name], at: u32, found: &mut Vec<u32>) {
    found.extend(edges.iter().flat_map(|kind| snapshot.incoming(at, kind)).map(|it| it.0));
}

/// Walks on from `nodes`, a step at a time, for `most` steps at most.
fn closure<'a>(
    snapshot: &Snapshot,
    nodes: impl IntoIterator<Item = &'a Address>,
    most: usize,
    step: impl Fn(u32, &mut Vec<u32>),
) -> Vec<Address> {
    let mut seen: FxHashSet<u32> = FxHashSet::default();
    let mut reached = Vec::new();
    let mut last: Vec<u32> = nodes.into_iter().filter_map(|it| snapshot.index(it)).collect();
    let mut next = Vec::new();
    let mut n_steps = 0;
    while n_steps < most && !last.is_empty() {
        for at in last.drain(..) {
            step(at, &mut next);
        }
        next.retain(|it| seen.insert(*it));
        reached.extend_from_slice(&next);
        std::mem::swap(&mut last, &mut next);
        n_steps += 1;
    }
    reached.sort_unstable();
    snapshot.addresses(&reached)
}

/// What counts along a path.
#[derive(Clone, Copy)]
pub enum Weigh<'a> {
    /// Each edge counts one.
    Count,
    /// Each edge counts what it holds in this field: nothing, where that is no number.
    Edge(&'a str),
    /// Each node on the path, its first one too, counts what this says of it.
    Node(&'a dyn Fn(&Address) -> Option<Value>),
}

/// The longest path from each node of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Longest(Vec<Value>);

impl Longest {
    /// Returns the total along the longest path from `node`: an `Int` where all that counts along it is whole.
    #[must_use]
    pub fn from(&self, snapshot: &Snapshot, node: &Address) -> Option<Value> {
        self.0.get(snapshot.index(node)? as usize).cloned()
    }
}

/// Returns how long the longest path over these kinds of edge is from each node, in time linear in the graph.
///
/// Cycles are condensed: edges within one count nothing, and its nodes count all together, each once. A path may
/// end anywhere, so no total is below zero (or below what the node itself counts).
#[must_use]
pub fn longest(snapshot: &Snapshot, edges: &[Name], weigh: Weigh<'_>) -> Longest {
    let graph: Adjacency = snapshot.adjacency(edges);
    let components = Components::new(&graph);
    let weight = |fields: &Map| match weigh {
        Weigh::Count => Number::Int(1),
        Weigh::Edge(field) => fields.get(field).map_or(Number::Int(0), Number::of),
        Weigh::Node(_) => Number::Int(0),
    };
    let mut totals: Vec<Number> = Vec::with_capacity(components.members().len());
    for (component, members) in (0_u32..).zip(components.members()) {
        let mut best = Number::Int(0);
        let mut own = Number::Int(0);
        for member in members {
            for (to, fields) in edges.iter().flat_map(|kind| snapshot.outgoing(*member, kind)) {
                if components.of(to) != component {
                    best = best.max(weight(fields).plus(totals[components.of(to) as usize]));
                }
            }
            if let Weigh::Node(weigh) = weigh {
                let value = weigh(snapshot.address(*member));
                own = own.plus(value.as_ref().map_or(Number::Int(0), Number::of));
            }
        }
        totals.push(best.plus(own));
    }
    let of_node = |node: u32| totals[components.of(node) as usize].value();
    Longest(graph.nodes().map(of_node).collect())
}

#[derive(Clone, Copy)]
enum Number {
    Int(i64),
    Double(f64),
}

impl Number {
    fn of(value: &Value) -> Self {
        match value {
            Value::Int(it) => Self::Int(*it),
            Value::Double(it) => Self::Double(it.0),
            _ => Self::Int(0),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a sum with a double is a double")]
    fn double(self) -> f64 {
        match self {
            Self::Int(it) => it as f64,
            Self::Double(it) => it,
        }
    }

    fn plus(self, other: Self) -> Self {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Self::Int(a.saturating_add(b)),
            // Values are finite.
            (a, b) => Self::Double((a.double() + b.double()).clamp(f64::MIN, f64::MAX)),
        }
    }

    /// Returns the greater one; of equal ones, this.
    fn max(self, other: Self) -> Self {
        let less = match (self, other) {
            (Self::Int(a), Self::Int(b)) => a < b,
            (a, b) => a.double() < b.double(),
        };
        if less { other } else { self }
    }

    fn value(self) -> Value {
        match self {
            Self::Int(it) => Value::Int(it),
            Self::Double(it) => Value::Double(Double(it)),
        }
    }
}

/// Returns each path of slashes that leads to `path`, and `path` itself: `/`, `/a`, `/a/b` for `/a/b`.
///
/// Doubled and closing slashes count nothing.
#[must_use]
pub fn path_prefixes(path: &str) -> Vec<String> {
    let mut prefixes = Vec::new();
    let mut prefix = String::new();
    if path.starts_with('/') {
        prefixes.push("/".to_owned());
        prefix.push('/');
    }
    for step in path.split('/').filter(|it| !it.is_empty()) {
        if !prefix.is_empty() && !prefix.ends_with('/') {
            prefix.push('/');
        }
        prefix.push_str(step);
        prefixes.push(prefix.clone());
    }
    prefixes
}
