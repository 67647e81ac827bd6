//! One graph made of another, and what differs between two: what is the same in both is shared, and not looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Ends, Snapshot, Table, range};
use crate::graph::Edge;
use crate::value::{Address, Map, Name};

impl Snapshot {
    /// Returns this snapshot without the edges that leave `nodes`, and with `edges` instead; one that starts or ends at
    /// none of its nodes is left out.
    #[must_use]
    pub fn rewired<'a>(&self, nodes: impl IntoIterator<Item = &'a Address>, edges: Vec<Edge>) -> Self {
        let nodes: BTreeSet<u32> = nodes.into_iter().filter_map(|it| self.index(it)).collect();
        let mut new: BTreeMap<Name, Vec<Ends>> = BTreeMap::new();
        for edge in edges {
            if let (Some(from), Some(to)) = (self.index(&edge.from), self.index(&edge.to)) {
                new.entry(edge.kind).or_default().push((from, to, edge.fields));
            }
        }
        let mut rewired = self.clone();
        let kinds: BTreeSet<Name> = self.edge_kinds().into_iter().chain(new.keys().cloned()).collect();
        for kind in kinds {
            let leaving = nodes.iter().flat_map(|from| {
                let far = self.outgoing(*from, &kind);
                far.map(|(to, fields)| (*from, to, fields.clone()))
            });
            let leaving: Vec<Ends> = leaving.collect();
            let mut wanted = new.remove(&kind).unwrap_or_default();
            wanted.sort();
            wanted.dedup();
            if wanted != leaving {
                let staying = self.edges(&kind).filter(|it| !nodes.contains(&it.0));
                wanted.extend(staying.map(owned));
                rewired = rewired.with(&kind, wanted);
            }
        }
        rewired
    }

    /// Returns all nodes and edges of both.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        if self.nodes != other.nodes {
            let nodes = self.nodes.iter().chain(other.nodes.iter()).cloned().collect();
            return Self::new(nodes, self.all_edges().chain(other.all_edges()).collect());
        }
        let mut union = self.clone();
        for table in &other.tables {
            match self.table(&table.kind) {
                Some(own) if own == table => {}
                _ => {
                    let both = self.edges(&table.kind).chain(other.edges(&table.kind));
                    union = union.with(&table.kind, both.map(owned).collect());
                }
            }
        }
        union
    }

    /// Returns where the edges start, by their kind, that are there in one of the two only.
    #[must_use]
    pub fn differing_starts<'s>(&'s self, other: &'s Self) -> BTreeMap<Name, BTreeSet<Address>> {
        let mut starts: BTreeMap<Name, BTreeSet<Address>> = BTreeMap::new();
        if self.nodes != other.nodes {
            let own: BTreeSet<Edge> = self.all_edges().collect();
            let others: BTreeSet<Edge> = other.all_edges().collect();
            for edge in own.symmetric_difference(&others) {
                starts.entry(edge.kind.clone()).or_default().insert(edge.from.clone());
            }
            return starts;
        }
        let kinds: BTreeSet<Name> = self.edge_kinds().into_iter().chain(other.edge_kinds()).collect();
        for kind in kinds {
            let (own, others) = (self.table(&kind), other.table(&kind));
            if own == others {
                continue;
            }
            let leaving = |table: Option<&'s Arc<Table>>, node| table.map(|it| it.leaving(node)).unwrap_or_default();
            let nodes = (0..).zip(self.nodes.iter());
            let differing = nodes.filter(|(at, _)| leaving(own, *at) != leaving(others, *at));
            let differing: BTreeSet<Address> = differing.map(|it| it.1.clone()).collect();
            starts.insert(kind, differing);
        }
        starts
    }

    fn all_edges(&self) -> impl Iterator<Item = Edge> {
        let address = |it: u32| self.address(it).clone();
        self.tables.iter().flat_map(move |table| {
            let edges = self.edges(&table.kind);
            edges.map(move |(from, to, fields)| {
                Edge::new(address(from), table.kind.clone(), address(to), fields.clone())
            })
        })
    }
}

impl Table {
    /// Returns where the edges lead that leave `node`, and their fields.
    fn leaving(&self, node: u32) -> (&[u32], &[Map]) {
        let edges = range(&self.starts, node);
        (&self.to[edges.clone()], &self.fields[edges])
    }
}

fn owned((from, to, fields): (u32, u32, &Map)) -> Ends {
    (from, to, fields.clone())
}
