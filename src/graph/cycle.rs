//! Cycles, each shown whole.
//!
//! Which cycles are mistakes is for the caller to say: it chooses the edges.

use std::collections::VecDeque;

use super::order::Components;
use super::{Adjacency, Snapshot, Steps, TooManySteps};
use crate::problem::{Place, Problem};
use crate::value::{Address, Name, Path};

/// How many steps the search for a shorter cycle may take in one component, by edge and beyond.
const STEPS_BY_EDGE: u64 = 32;
const STEPS: u64 = 200_000;

/// Returns one cycle of these kinds of edge for each strongly connected component that has any, sorted.
#[must_use]
pub fn cycles(snapshot: &Snapshot, edges: &[Name]) -> Vec<Vec<Address>> {
    cycles_of(snapshot, &snapshot.adjacency(edges))
}

/// Returns one cycle of required edges of these kinds for each strongly connected component that has any, sorted.
#[must_use]
pub fn required_cycles(snapshot: &Snapshot, edges: &[Name]) -> Vec<Vec<Address>> {
    cycles_of(snapshot, &snapshot.required(edges))
}

/// Returns one cycle of `graph`, over the nodes of `snapshot`, for each component that has any, sorted.
///
/// Each begins at its least address, leads from each node to the next and from the last to the first, and is a
/// shortest one of its component; of a large and tangled component, a shortest one that a bounded search finds.
#[must_use]
pub fn cycles_of(snapshot: &Snapshot, graph: &Adjacency) -> Vec<Vec<Address>> {
    let components = Components::new(graph);
    let mut search = Search::new(graph, &components);
    let mut cycles: Vec<Vec<u32>> = components.cyclic().map(|it| search.shortest(it)).collect();
    cycles.sort();
    cycles.iter().map(|it| snapshot.addresses(it)).collect()
}

/// Returns the problem of a cycle of dependencies, all of which wait for each other; each edge is a place of it.
#[must_use]
pub fn problem(cycle: &[Address], edge: &Name, environment: Option<&Name>) -> Problem {
    let first = cycle.first().expect("a cycle has a node");
    let ring = if cycle.len() > LABELS {
        let n_more = cycle.len() - 2;
        format!("`{first}` → `{}` → {n_more} more → `{first}`", cycle[1])
    } else {
        let names: Vec<String> = cycle.iter().chain([first]).map(|it| format!("`{it}`")).collect();
        names.join(" → ")
    };
    let mut problem = Problem::error(
        "graph::cycle",
        format!("`{first}` would have to start before itself: {ring}"),
    );
    let next = cycle.iter().cycle().skip(1);
    for (node, target) in cycle.iter().zip(next).take(LABELS) {
        let place = Place::Field {
            environment: environment.cloned(),
            node: node.clone(),
            path: Path::default().join(edge.clone()).join(target.name.clone()),
        };
        problem = problem.at(place, format!("`{node}` waits for `{target}`"));
    }
    problem.help("take one of these dependencies away, or write `required: false` where a start can go on without it")
}

/// How many nodes of a ring a message names, and how many places a problem has.
const LABELS: usize = 24;

struct Search<'a> {
    graph: &'a Adjacency,
    components: &'a Components,
    /// Nodes through which all cycles are known.
    done: Vec<bool>,
    /// How many edges within its component lead on from each node that is not done, and how many come to it.
    left: Vec<[u32; 2]>,
    /// For each node the one before it on the way from the start, and the search that came by.
    before: Vec<(u32, u32)>,
    search: u32,
}

impl<'a> Search<'a> {
    fn new(graph: &'a Adjacency, components: &'a Components) -> Self {
        Self {
            graph,
            components,
            done: vec![false; graph.len()],
            left: vec![[0; 2]; graph.len()],
            before: vec![(0, 0); graph.len()],
            search: 0,
        }
    }

    fn shortest(&mut self, members: &[u32]) -> Vec<u32> {
        let n_edges: u64 = members.iter().map(|it| self.graph.outgoing(*it).len() as u64).sum();
        for member in members {
            let component = self.components.of(*member);
            for next in self.graph.outgoing(*member) {
                if self.components.of(*next) == component {
                    self.left[*member as usize][0] += 1;
                    self.left[*next as usize][1] += 1;
                }
            }
        }
        let mut steps = Steps::new(STEPS + STEPS_BY_EDGE * n_edges);
        let mut best: Option<Vec<u32>> = members
            .iter()
            .find(|it| self.graph.outgoing(**it).contains(it))
            .map(|it| vec![*it]);
        for start in members {
            // Without an edge to itself no cycle is shorter than two.
            if self.done[*start as usize] || best.as_ref().is_some_and(|it| it.len() <= 2) {
                continue;
            }
            let limit = best.as_ref().map_or(usize::MAX, |it| it.len() - 1);
            match self.through(*start, limit, &mut steps) {
                Ok(Some(cycle)) => best = Some(cycle),
                Ok(None) => {}
                Err(TooManySteps { .. }) => break,
            }
            self.discard(*start);
        }
        let mut cycle = best.expect("a component with a cycle has a shortest one within the first search");
        let least = (0..cycle.len()).min_by_key(|it| cycle[*it]).unwrap_or(0);
        cycle.rotate_left(least);
        cycle
    }

    /// Returns a shortest cycle through `start` that has at most `limit` nodes.
    fn through(&mut self, start: u32, limit: usize, steps: &mut Steps) -> Result<Option<Vec<u32>>, TooManySteps> {
        self.search += 1;
        let mut open = VecDeque::from([(start, 1_usize)]);
        while let Some((node, length)) = open.pop_front() {
            if length > limit {
                break;
            }
            for next in self.graph.outgoing(node) {
                steps.take()?;
                if *next == start {
                    return Ok(Some(self.way(start, node)));
                }
                let within = !self.done[*next as usize] && self.components.of(*next) == self.components.of(start);
                if within && self.before[*next as usize].1 != self.search {
                    self.before[*next as usize] = (node, self.search);
                    open.push_back((*next, length + 1));
                }
            }
        }
        Ok(None)
    }

    fn way(&self, start: u32, end: u32) -> Vec<u32> {
        let mut way = vec![end];
        let mut at = end;
        while at != start {
            at = self.before[at as usize].0;
            way.push(at);
        }
        way.reverse();
        way
    }

    /// Takes `node` out, and after it all nodes through which no cycle leads any more: a ring of a
    /// hundred thousand nodes is searched once, not once from each of them.
    fn discard(&mut self, node: u32) {
        let component = self.components.of(node);
        let mut open = vec![node];
        while let Some(gone) = open.pop() {
            if std::mem::replace(&mut self.done[gone as usize], true) {
                continue;
            }
            for (side, around) in [(1, self.graph.outgoing(gone)), (0, self.graph.incoming(gone))] {
                for near in around.iter().filter(|it| self.components.of(**it) == component) {
                    let left = &mut self.left[*near as usize][side];
                    *left -= 1;
                    if *left == 0 {
                        open.push(*near);
                    }
                }
            }
        }
    }
}
