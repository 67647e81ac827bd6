//! The adjacency of a whole graph, compact: nodes are numbers in the order of their addresses.
//!
//! A [`Snapshot`] keeps edges by kind with their fields; an [`Adjacency`] is what algorithms walk, a plain graph
//! of some kinds of edge together. Neither computes anything.

mod difference;

use std::sync::Arc;

use petgraph::Direction;
use petgraph::visit::{GraphBase, IntoNeighbors, IntoNeighborsDirected, IntoNodeIdentifiers, Visitable};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::{Edge, is_required};
use crate::value::{Address, Map, Name};

/// All nodes and edges of a graph, to be walked either way. One that differs little from another shares with it what
/// is the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Sorted, each once.
    nodes: Arc<Vec<Address>>,
    /// Sorted by kind; none is empty.
    tables: Vec<Arc<Table>>,
}

/// The edges of one kind, sorted by their start, their end and their fields.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Table {
    kind: Name,
    /// Where the edges of each node begin; one more than there are nodes.
    starts: Vec<u32>,
    from: Vec<u32>,
    to: Vec<u32>,
    fields: Vec<Map>,
    /// Where in `into` the edges that lead to each node begin.
    into_starts: Vec<u32>,
    /// Edges sorted by their end, then as above.
    into: Vec<u32>,
}

/// Where an edge starts and where it leads, by the numbers of the nodes, and its fields.
pub type Ends = (u32, u32, Map);

/// A plain directed graph: each pair of nodes is joined once or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Adjacency {
    starts: Vec<u32>,
    out: Vec<u32>,
    into_starts: Vec<u32>,
    into: Vec<u32>,
}

/// The edges of one kind as they are kept: the kind and the fields by their number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptTable {
    kind: u32,
    starts: Vec<u32>,
    from: Vec<u32>,
    to: Vec<u32>,
    fields: Vec<u32>,
    into_starts: Vec<u32>,
    into: Vec<u32>,
}

impl Snapshot {
    /// Returns the edges, with their kinds and fields by number.
    pub fn kept(&self, kind: &mut dyn FnMut(&Name) -> u32, fields: &mut dyn FnMut(&Map) -> u32) -> Vec<KeptTable> {
        let tables = self.tables.iter().map(|it| KeptTable {
            kind: kind(&it.kind),
            starts: it.starts.clone(),
            from: it.from.clone(),
            to: it.to.clone(),
            fields: it.fields.iter().map(&mut *fields).collect(),
            into_starts: it.into_starts.clone(),
            into: it.into.clone(),
        });
        tables.collect()
    }

    /// Returns the snapshot of `nodes`, sorted, and of the edges that were kept; none where they don't fit together.
    #[must_use]
    pub fn from_kept(nodes: Vec<Address>, tables: &[KeptTable], kinds: &[Name], fields: &[Map]) -> Option<Self> {
        let table = |it: &KeptTable| {
            let (n_nodes, n_edges) = (nodes.len(), it.from.len());
            let ends = it.from.iter().chain(&it.to).all(|it| (*it as usize) < n_nodes);
            let starts = |starts: &[u32]| {
                starts.len() == n_nodes + 1
                    && starts.is_sorted()
                    && starts.last().is_none_or(|it| *it as usize == n_edges)
            };
            let edges = it.into.len() == n_edges && it.into.iter().all(|it| (*it as usize) < n_edges);
            if !ends || !edges || it.to.len() != n_edges || !starts(&it.starts) || !starts(&it.into_starts) {
                return None;
            }
            let fields = it.fields.iter().map(|at| fields.get(*at as usize).cloned());
            Some(Arc::new(Table {
                kind: kinds.get(it.kind as usize)?.clone(),
                starts: it.starts.clone(),
                from: it.from.clone(),
                to: it.to.clone(),
                fields: fields
                    .collect::<Option<_>>()
                    .filter(|it: &Vec<Map>| it.len() == n_edges)?,
                into_starts: it.into_starts.clone(),
                into: it.into.clone(),
            }))
        };
        let tables = tables.iter().map(table).collect::<Option<Vec<_>>>()?;
        let nodes = Arc::new(nodes);
        Some(Self { nodes, tables })
    }

    /// Returns the snapshot of `nodes` and `edges`, in whichever order they come; what is there twice counts once.
    ///
    /// An edge that starts or ends at none of the nodes is left out: whoever made it has said so.
    #[must_use]
    pub fn new(mut nodes: Vec<Address>, edges: Vec<Edge>) -> Self {
        nodes.sort();
        nodes.dedup();
        let by_address: FxHashMap<&Address, u32> = nodes.iter().zip(0..).collect();
        let mut by_kind: FxHashMap<Name, usize> = FxHashMap::default();
        let mut groups: Vec<(Name, Vec<Ends>)> = Vec::new();
        for edge in edges {
            let (Some(from), Some(to)) = (by_address.get(&edge.from), by_address.get(&edge.to)) else {
                continue;
            };
            let group = *by_kind.entry(edge.kind.clone()).or_insert_with(|| {
                groups.push((edge.kind, Vec::new()));
                groups.len() - 1
            });
            groups[group].1.push((*from, *to, edge.fields));
        }
        groups.sort_by(|a, b| a.0.cmp(&b.0));
        let n_nodes = nodes.len();
        let tables = groups
            .into_iter()
            .map(|(kind, edges)| Arc::new(Table::new(kind, n_nodes, edges)))
            .collect();
        let nodes = Arc::new(nodes);
        Self { nodes, tables }
    }

    /// Returns this snapshot with these edges of `kind`, and no others of it.
    #[must_use]
    pub fn with(self, kind: &Name, edges: Vec<Ends>) -> Self {
        let table = (!edges.is_empty()).then(|| Arc::new(Table::new(kind.clone(), self.nodes.len(), edges)));
        self.put(kind, table)
    }

    /// Returns this snapshot with `table` for the edges of `kind`; without any of it where there is none.
    fn put(mut self, kind: &Name, table: Option<Arc<Table>>) -> Self {
        let known = self.tables.binary_search_by(|it| it.kind.cmp(kind));
        match (known, table) {
            (Ok(at), Some(table)) => self.tables[at] = table,
            (Err(at), Some(table)) => self.tables.insert(at, table),
            (Ok(at), None) => {
                self.tables.remove(at);
            }
            (Err(_), None) => {}
        }
        self
    }

    /// Returns the nodes, sorted.
    #[must_use]
    pub fn nodes(&self) -> &[Address] {
        &self.nodes
    }

    /// Returns the number of the node at `address`.
    #[must_use]
    pub fn index(&self, address: &Address) -> Option<u32> {
        self.nodes
            .binary_search(address)
            .ok()
            .map(|at| u32::try_from(at).expect("a graph has fewer than 2^32 nodes"))
    }

    /// Returns the address of the node with the number `index`, one of this snapshot's own.
    #[must_use]
    pub fn address(&self, index: u32) -> &Address {
        &self.nodes[index as usize]
    }

    /// Returns the addresses behind `indices`, in their order.
    #[must_use]
    pub fn addresses(&self, indices: &[u32]) -> Vec<Address> {
        indices.iter().map(|it| self.address(*it).clone()).collect()
    }

    /// Returns the nodes of `kind`, sorted.
    #[must_use]
    pub fn of_kind(&self, kind: &str) -> &[Address] {
        let start = self.nodes.partition_point(|it| it.kind.as_str() < kind);
        let end = self.nodes.partition_point(|it| it.kind.as_str() <= kind);
        &self.nodes[start..end]
    }

    /// Returns the kinds of edge that there are, sorted.
    #[must_use]
    pub fn edge_kinds(&self) -> Vec<Name> {
        self.tables.iter().map(|it| it.kind.clone()).collect()
    }

    /// Returns the far end and the fields of each edge of `kind` that leaves `node`, sorted.
    pub fn outgoing(&self, node: u32, kind: &str) -> impl Iterator<Item = (u32, &Map)> {
        self.table(kind).into_iter().flat_map(move |table| {
            let edges = range(&table.starts, node);
            edges.map(|edge| (table.to[edge], &table.fields[edge]))
        })
    }

    /// Returns the start and the fields of each edge of `kind` that leads to `node`, sorted.
    pub fn incoming(&self, node: u32, kind: &str) -> impl Iterator<Item = (u32, &Map)> {
        self.table(kind).into_iter().flat_map(move |table| {
            let edges = range(&table.into_starts, node).map(|at| table.into[at] as usize);
            edges.map(|edge| (table.from[edge], &table.fields[edge]))
        })
    }

    /// Returns all edges of `kind`, sorted.
    pub fn edges(&self, kind: &str) -> impl Iterator<Item = (u32, u32, &Map)> {
        self.table(kind).into_iter().flat_map(|table| {
            let ends = table.from.iter().zip(&table.to).zip(&table.fields);
            ends.map(|((from, to), fields)| (*from, *to, fields))
        })
    }

    /// Returns the plain graph of the edges of these kinds.
    #[must_use]
    pub fn adjacency(&self, kinds: &[Name]) -> Adjacency {
        let pairs = kinds.iter().flat_map(|kind| self.edges(kind));
        Adjacency::new(self.nodes.len(), pairs.map(|(from, to, _)| (from, to)).collect())
    }

    /// Returns the plain graph of the required edges of these kinds.
    #[must_use]
    pub fn required(&self, kinds: &[Name]) -> Adjacency {
        let edges = kinds.iter().flat_map(|kind| self.edges(kind));
        let pairs = edges.filter(|(_, _, fields)| is_required(fields));
        Adjacency::new(self.nodes.len(), pairs.map(|(from, to, _)| (from, to)).collect())
    }

    fn table(&self, kind: &str) -> Option<&Arc<Table>> {
        let at = self.tables.binary_search_by(|it| it.kind.as_str().cmp(kind)).ok()?;
        Some(&self.tables[at])
    }
}

impl Table {
    fn new(kind: Name, n_nodes: usize, mut edges: Vec<Ends>) -> Self {
        edges.sort();
        edges.dedup();
        let out_starts = starts(n_nodes, edges.iter().map(|it| it.0));
        let into_starts = starts(n_nodes, edges.iter().map(|it| it.1));
        let mut into: Vec<u32> = (0..).take(edges.len()).collect();
        // Stable: edges with one end stay in the order of their starts.
        into.sort_by_key(|it| edges[*it as usize].1);
        Self {
            kind,
            starts: out_starts,
            from: edges.iter().map(|it| it.0).collect(),
            to: edges.iter().map(|it| it.1).collect(),
            fields: edges.into_iter().map(|it| it.2).collect(),
            into_starts,
            into,
        }
    }
}

impl Adjacency {
    /// Returns the graph of `n_nodes` nodes and the edges `pairs`, in any order.
    #[must_use]
    pub fn new(n_nodes: usize, mut pairs: Vec<(u32, u32)>) -> Self {
        pairs.sort_unstable();
        pairs.dedup();
        let out_starts = starts(n_nodes, pairs.iter().map(|it| it.0));
        let out = pairs.iter().map(|it| it.1).collect();
        for pair in &mut pairs {
            *pair = (pair.1, pair.0);
        }
        pairs.sort_unstable();
        Self {
            starts: out_starts,
            out,
            into_starts: starts(n_nodes, pairs.iter().map(|it| it.0)),
            into: pairs.iter().map(|it| it.1).collect(),
        }
    }

    /// Returns the number of nodes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// Tells whether there is no node.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the nodes.
    pub fn nodes(&self) -> impl Iterator<Item = u32> + use<> {
        (0..).take(self.len())
    }

    /// Returns the nodes to which an edge leads from `node`, sorted.
    #[must_use]
    pub fn outgoing(&self, node: u32) -> &[u32] {
        &self.out[range(&self.starts, node)]
    }

    /// Returns the nodes from which an edge leads to `node`, sorted.
    #[must_use]
    pub fn incoming(&self, node: u32) -> &[u32] {
        &self.into[range(&self.into_starts, node)]
    }
}

/// Returns where the run of each node begins once `nodes` are sorted; they need not be yet.
fn starts(n_nodes: usize, nodes: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut starts = vec![0_u32; n_nodes + 1];
    for node in nodes {
        starts[node as usize + 1] += 1;
    }
    for at in 1..starts.len() {
        starts[at] += starts[at - 1];
    }
    starts
}

fn range(starts: &[u32], node: u32) -> std::ops::Range<usize> {
    starts[node as usize] as usize..starts[node as usize + 1] as usize
}

impl GraphBase for Adjacency {
    type NodeId = u32;
    type EdgeId = (u32, u32);
}

impl<'a> IntoNeighbors for &'a Adjacency {
    type Neighbors = std::iter::Copied<std::slice::Iter<'a, u32>>;
    fn neighbors(self, node: u32) -> Self::Neighbors {
        self.outgoing(node).iter().copied()
    }
}

impl<'a> IntoNeighborsDirected for &'a Adjacency {
    type NeighborsDirected = std::iter::Copied<std::slice::Iter<'a, u32>>;
    fn neighbors_directed(self, node: u32, direction: Direction) -> Self::NeighborsDirected {
        match direction {
            Direction::Outgoing => self.outgoing(node).iter().copied(),
            Direction::Incoming => self.incoming(node).iter().copied(),
        }
    }
}

impl IntoNodeIdentifiers for &Adjacency {
    type NodeIdentifiers = std::iter::Take<std::ops::RangeFrom<u32>>;
    fn node_identifiers(self) -> Self::NodeIdentifiers {
        (0..).take(self.len())
    }
}

/// Which nodes have been seen; petgraph has no visit map for plain numbers without hashing.
#[derive(Clone, Debug, Default)]
pub struct Seen(Vec<bool>);

impl petgraph::visit::VisitMap<u32> for Seen {
    fn visit(&mut self, node: u32) -> bool {
        !std::mem::replace(&mut self.0[node as usize], true)
    }
    fn is_visited(&self, node: &u32) -> bool {
        self.0[*node as usize]
    }
    fn unvisit(&mut self, node: u32) -> bool {
        std::mem::replace(&mut self.0[node as usize], false)
    }
}

impl Visitable for Adjacency {
    type Map = Seen;
    fn visit_map(&self) -> Seen {
        Seen(vec![false; self.len()])
    }
    fn reset_map(&self, map: &mut Seen) {
        map.0.clear();
        map.0.resize(self.len(), false);
    }
}
