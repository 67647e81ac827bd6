//! One graph made of another, and what differs between two: what is the same in both is shared, and not looked at.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Ends, Snapshot, Table, range};
use crate::graph::{Edge, EndsByKind};
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
            rewired = rewired.leaving(&kind, &nodes, new.remove(&kind).unwrap_or_default());
        }
        rewired
    }

    /// Returns this snapshot with these edges of `kind`, and no others of it that leave `nodes`.
    #[must_use]
    pub fn leaving(self, kind: &Name, nodes: &BTreeSet<u32>, mut edges: Vec<Ends>) -> Self {
        edges.sort();
        edges.dedup();
        match self.table(kind).cloned() {
            None => self.with(kind, edges),
            Some(table) => {
                let gone = nodes.iter().flat_map(|it| range(&table.starts, *it));
                let gone: Vec<usize> = gone
                    .filter(|it| edges.binary_search(&table.edge(*it)).is_err())
                    .collect();
                self.replaced(&table, &gone, edges)
            }
        }
    }

    /// Returns this snapshot without those edges of `table`, one of its own, that have gone, and with those that have come.
    fn replaced(self, table: &Table, gone: &[usize], come: Vec<Ends>) -> Self {
        let is_new = |it: &Ends| table.find(it).is_err();
        let come: Vec<Ends> = come.into_iter().filter(is_new).collect();
        if gone.is_empty() && come.is_empty() {
            return self;
        }
        let is_empty = gone.len() == table.from.len() && come.is_empty();
        let spliced = (!is_empty).then(|| Arc::new(table.spliced(gone, come)));
        self.put(&table.kind, spliced)
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
            union = match self.table(&table.kind) {
                Some(own) => {
                    let differing = own.differing(table).into_iter().flat_map(|it| range(&table.starts, it));
                    let come = differing.map(|it| table.edge(it)).collect();
                    union.replaced(own, &[], come)
                }
                None => union.put(&table.kind, Some(table.clone())),
            };
        }
        union
    }

    /// Returns the edges that are there in one of the two only: where they start and lead, by their kind.
    #[must_use]
    pub fn differing_edges(&self, other: &Self) -> EndsByKind {
        let mut ends = EndsByKind::new();
        let mut add = |kind: &Name, from: &Address, to: &Address| {
            ends.entry(kind.clone()).or_default().insert((from.clone(), to.clone()));
        };
        if self.nodes != other.nodes {
            let own: BTreeSet<Edge> = self.all_edges().collect();
            let others: BTreeSet<Edge> = other.all_edges().collect();
            own.symmetric_difference(&others)
                .for_each(|it| add(&it.kind, &it.from, &it.to));
            return ends;
        }
        let kinds: BTreeSet<Name> = self.edge_kinds().into_iter().chain(other.edge_kinds()).collect();
        for kind in kinds {
            let mut only = |table: Option<&Arc<Table>>, in_other: Option<&Arc<Table>>| {
                let Some(table) = table else { return };
                let nodes = in_other.map(|it| table.differing(it));
                let nodes = nodes.unwrap_or_else(|| (0..).take(self.nodes.len()).collect());
                for at in nodes.into_iter().flat_map(|it| range(&table.starts, it)) {
                    if in_other.is_none_or(|it| it.find(&table.edge(at)).is_err()) {
                        add(&kind, self.address(table.from[at]), self.address(table.to[at]));
                    }
                }
            };
            only(self.table(&kind), other.table(&kind));
            only(other.table(&kind), self.table(&kind));
        }
        ends
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

    fn edge(&self, at: usize) -> Ends {
        (self.from[at], self.to[at], self.fields[at].clone())
    }

    /// Returns the place of an edge; the one where it would go in, if it is not there.
    fn find(&self, (from, to, fields): &Ends) -> Result<usize, usize> {
        let run = range(&self.starts, *from);
        let key = |at: usize| (self.to[at], &self.fields[at]);
        let (mut low, mut high) = (run.start, run.end);
        while low < high {
            let middle = usize::midpoint(low, high);
            match key(middle).cmp(&(*to, fields)) {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
                Ordering::Equal => return Ok(middle),
            }
        }
        Err(low)
    }

    /// Returns the nodes that edges leave otherwise than in `other`, a table of the same nodes.
    fn differing(&self, other: &Self) -> Vec<u32> {
        if std::ptr::eq(self, other) {
            return Vec::new();
        }
        // Most edges are the same: only between the first and the last one that is not, nodes are compared.
        let (n_own, n_others) = (self.from.len(), other.from.len());
        let same = |(own, others): &(usize, usize)| {
            let ends = |it: &Self, at: usize| (it.from[at], it.to[at]);
            ends(self, *own) == ends(other, *others) && self.fields[*own] == other.fields[*others]
        };
        let n_first = (0..n_own).zip(0..n_others).take_while(same).count();
        let rests = (n_first..n_own).rev().zip((n_first..n_others).rev());
        let n_last = rests.take_while(same).count();
        let between = [
            &self.from[n_first..n_own - n_last],
            &other.from[n_first..n_others - n_last],
        ];
        let nodes = || between.iter().flat_map(|it| [it.first(), it.last()]).flatten().copied();
        let (Some(first), Some(last)) = (nodes().min(), nodes().max()) else {
            return Vec::new();
        };
        let differs = |it: &u32| self.leaving(*it) != other.leaving(*it);
        (first..=last).filter(differs).collect()
    }

    /// Returns this table without the edges at the places that have `gone`, and with those that `come`; both are sorted.
    fn spliced(&self, gone: &[usize], come: Vec<Ends>) -> Self {
        let n_old = self.from.len();
        // Where those that come go in among the old ones, and where each old one stands then.
        let sites: Vec<usize> = come
            .iter()
            .map(|it| self.find(it).unwrap_or_else(|site| site))
            .collect();
        let mut new_at = vec![u32::MAX; n_old];
        let mut places = Vec::with_capacity(come.len());
        let mut spliced = Self {
            kind: self.kind.clone(),
            starts: moved(
                &self.starts,
                gone.iter().map(|it| self.from[*it]),
                come.iter().map(|it| it.0),
            ),
            from: Vec::with_capacity(n_old + come.len()),
            to: Vec::with_capacity(n_old + come.len()),
            fields: Vec::with_capacity(n_old + come.len()),
            into_starts: moved(
                &self.into_starts,
                gone.iter().map(|it| self.to[*it]),
                come.iter().map(|it| it.1),
            ),
            into: Vec::with_capacity(n_old + come.len()),
        };
        let mut done = 0;
        let mut take = |spliced: &mut Self, until: usize| {
            for run in runs(done..until, gone) {
                for (old, new) in run.clone().zip(spliced.from.len()..) {
                    new_at[old] = number(new);
                }
                spliced.from.extend_from_slice(&self.from[run.clone()]);
                spliced.to.extend_from_slice(&self.to[run.clone()]);
                spliced.fields.extend_from_slice(&self.fields[run]);
            }
            done = until;
        };
        for ((from, to, fields), site) in come.into_iter().zip(sites) {
            take(&mut spliced, site);
            places.push((to, number(spliced.from.len())));
            spliced.from.push(from);
            spliced.to.push(to);
            spliced.fields.push(fields);
        }
        take(&mut spliced, n_old);
        // By the same rule: those that lead to one node in the order in which they stand.
        places.sort_unstable();
        let mut places = places.into_iter().peekable();
        for old in &self.into {
            let new = new_at[*old as usize];
            if new == u32::MAX {
                continue;
            }
            let here = (self.to[*old as usize], new);
            while let Some((_, at)) = places.next_if(|it| *it < here) {
                spliced.into.push(at);
            }
            spliced.into.push(new);
        }
        spliced.into.extend(places.map(|it| it.1));
        spliced
    }
}

/// Returns `starts` where the edges of some nodes have gone and those of others have come; both are in any order.
fn moved(starts: &[u32], gone: impl Iterator<Item = u32>, come: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut shifts: BTreeMap<u32, i64> = BTreeMap::new();
    gone.for_each(|it| *shifts.entry(it).or_default() -= 1);
    come.for_each(|it| *shifts.entry(it).or_default() += 1);
    let mut moved = starts.to_vec();
    let mut shifts = shifts.into_iter().peekable();
    let mut shift = 0;
    while let Some((node, by)) = shifts.next() {
        shift += by;
        // What begins behind this node's edges moves, up to the next one that has others.
        let end = shifts.peek().map_or(moved.len(), |it| it.0 as usize + 1);
        for start in &mut moved[node as usize + 1..end] {
            *start = number(usize::try_from(i64::from(*start) + shift).expect("no more edges go than there are"));
        }
    }
    moved
}

/// Returns what is left of `all` without the places that have `gone`, sorted, in runs.
fn runs(all: std::ops::Range<usize>, gone: &[usize]) -> impl Iterator<Item = std::ops::Range<usize>> {
    let first = gone.partition_point(|it| *it < all.start);
    let gone = gone[first..].iter().copied().take_while({
        let end = all.end;
        move |it| *it < end
    });
    let ends = gone.clone().chain([all.end]);
    let starts = [all.start].into_iter().chain(gone.map(|it| it + 1));
    starts.zip(ends).map(|(start, end)| start..end)
}

fn number(at: usize) -> u32 {
    u32::try_from(at).expect("a graph has fewer than 2^32 edges")
}
