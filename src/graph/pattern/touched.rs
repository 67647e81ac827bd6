//! Patterns backwards: which nodes an edit may concern.
//!
//! What is returned may be too much, never too little: filters are not looked at, since their fields may have
//! held something else before. The caller walks over the union of the adjacency before and after the edit.

use std::collections::{BTreeSet, VecDeque};

use super::walk::{NotBound, Overrun};
use super::{EdgeElement, Pattern, World};
use crate::graph::{EndsByKind, Steps, TooManySteps};
use crate::value::{Address, Name};

/// What has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change<'a> {
    /// Nodes came, went, or hold something else.
    Nodes(&'a BTreeSet<Address>),
    /// Nodes that this variable may be bound to.
    At(&'a str, &'a BTreeSet<Address>),
    /// Edges came, went, or hold something else: where they start and where they lead, by their kind.
    Edges(&'a EndsByKind),
}

/// How to get from one node of the pattern to the next on the way to the target.
#[derive(Clone, Copy)]
enum Link {
    Edge { edge: usize, forwards: bool },
    Join,
}

impl Pattern {
    /// Returns the nodes which `target` may be bound to in a binding that `change` makes or breaks.
    ///
    /// Of a pattern in several parts without a join between them, a change in one concerns all nodes that
    /// `target` in another may be.
    ///
    /// # Errors
    ///
    /// [`NotBound`] where a name is no node of the pattern, and inside it [`Overrun`] where `limit` steps are
    /// not enough.
    pub fn touched(
        &self,
        world: &dyn World,
        target: &str,
        change: Change<'_>,
        joins: &[(Name, Name)],
        limit: u64,
    ) -> Result<Result<BTreeSet<Address>, Overrun>, NotBound> {
        let node = |name: &str| self.node(name).ok_or_else(|| NotBound(Name::from(name)));
        let target = node(target)?;
        if let Change::At(name, _) = change {
            node(name)?;
        }
        let joins = joins
            .iter()
            .map(|(a, b)| Ok((node(a)?, node(b)?)))
            .collect::<Result<Vec<_>, _>>()?;
        let mut steps = Steps::new(limit);
        let touched = self.spread(world, target, change, &joins, &mut steps);
        let overrun = |it: TooManySteps| Overrun {
            pattern: self.text.clone(),
            limit: it.limit,
        };
        Ok(touched.map_err(overrun))
    }

    fn spread(
        &self,
        world: &dyn World,
        target: usize,
        change: Change<'_>,
        joins: &[(usize, usize)],
        steps: &mut Steps,
    ) -> Result<BTreeSet<Address>, TooManySteps> {
        let (order, next) = self.ways_to(target, joins);
        let mut touched = self.seeds(world, change, &next, steps)?;
        for at in order.into_iter().rev() {
            let Some((link, onwards)) = next[at] else {
                continue;
            };
            let start = std::mem::take(&mut touched[at]);
            let mut found = BTreeSet::new();
            match link {
                Link::Edge { edge, forwards } => {
                    let edge = &self.edges[edge];
                    found = step(world, edge, &start, forwards, steps)?;
                    if edge.reach {
                        let mut open: Vec<Address> = found.iter().cloned().collect();
                        while !open.is_empty() {
                            let more = step(world, edge, &open, forwards, steps)?;
                            open = more.into_iter().filter(|it| found.insert(it.clone())).collect();
                        }
                    }
                }
                Link::Join => {
                    let name = |at: usize| self.nodes[at].name.clone().expect("a join relates variables");
                    let mut counted = Ok(());
                    for node in &start {
                        world.joined(&name(at), node, &name(onwards), &mut |it| {
                            counted = counted.and_then(|()| steps.take());
                            found.insert(it.clone());
                        });
                    }
                    counted?;
                }
            }
            found.retain(|it| self.nodes[onwards].may_be(&it.kind));
            touched[onwards].append(&mut found);
        }
        let elsewhere = (0..self.nodes.len()).any(|at| at != target && !touched[at].is_empty());
        let mut result = std::mem::take(&mut touched[target]);
        if elsewhere {
            // Only nodes from which nothing leads to the target still hold something.
            let mut counted = Ok(());
            for kind in self.nodes[target].kinds.iter() {
                world.of_kind(kind, &mut |it| {
                    counted = counted.and_then(|()| steps.take());
                    result.insert(it.clone());
                });
            }
            counted?;
        }
        Ok(result)
    }

    /// Returns for each node of the pattern what it may have been bound to where the change is, of which something leads
    /// to the target: by `next` from each node.
    fn seeds(
        &self,
        world: &dyn World,
        change: Change<'_>,
        next: &[Option<(Link, usize)>],
        steps: &mut Steps,
    ) -> Result<Vec<BTreeSet<Address>>, TooManySteps> {
        let mut seeds = vec![BTreeSet::new(); self.nodes.len()];
        match change {
            Change::Nodes(nodes) => {
                for (element, seed) in self.nodes.iter().zip(&mut seeds) {
                    seed.extend(nodes.iter().filter(|it| element.may_be(&it.kind)).cloned());
                }
            }
            Change::At(name, nodes) => {
                let at = self.node(name).expect("the name was looked up before");
                seeds[at].extend(nodes.iter().filter(|it| self.nodes[at].may_be(&it.kind)).cloned());
            }
            Change::Edges(edges) => {
                for (at, edge) in self.edges.iter().enumerate() {
                    // From the end that is nearer to the target, so that no other edge of the far end is followed.
                    let forwards = matches!(next[edge.from], Some((Link::Edge { edge, .. }, _)) if edge == at);
                    let ends = edge.kinds.iter().filter_map(|kind| edges.get(kind)).flatten();
                    let near = ends.map(|(from, to)| if forwards { to } else { from });
                    let mut near: BTreeSet<Address> = near.cloned().collect();
                    if edge.reach {
                        // It may be any edge of the way: whatever lies further on is concerned too.
                        let mut open: Vec<Address> = near.iter().cloned().collect();
                        while !open.is_empty() {
                            let more = step(world, edge, &open, forwards, steps)?;
                            open = more.into_iter().filter(|it| near.insert(it.clone())).collect();
                        }
                    }
                    let node = if forwards { edge.to } else { edge.from };
                    near.retain(|it| self.nodes[node].may_be(&it.kind));
                    seeds[node].append(&mut near);
                }
            }
        }
        Ok(seeds)
    }

    /// Returns the nodes of the pattern that hang together with `target`, nearest first, and for each the way
    /// on towards it.
    fn ways_to(&self, target: usize, joins: &[(usize, usize)]) -> (Vec<usize>, Vec<Option<(Link, usize)>>) {
        let mut next: Vec<Option<(Link, usize)>> = vec![None; self.nodes.len()];
        let mut order = vec![target];
        let mut open = VecDeque::from([target]);
        while let Some(at) = open.pop_front() {
            let edges = self.edges.iter().enumerate().flat_map(|(edge, element)| {
                let forwards = (element.to == at).then_some((element.from, Link::Edge { edge, forwards: true }));
                let backwards = (element.from == at).then_some((element.to, Link::Edge { edge, forwards: false }));
                forwards.into_iter().chain(backwards)
            });
            let joined = joins.iter().flat_map(|(a, b)| {
                let first = (*a == at).then_some((*b, Link::Join));
                let second = (*b == at).then_some((*a, Link::Join));
                first.into_iter().chain(second)
            });
            for (before, link) in edges.chain(joined) {
                if before != target && next[before].is_none() {
                    next[before] = Some((link, at));
                    order.push(before);
                    open.push_back(before);
                }
            }
        }
        (order, next)
    }
}

/// Returns the nodes one step from any of `start`.
fn step<'a>(
    world: &dyn World,
    edge: &EdgeElement,
    start: impl IntoIterator<Item = &'a Address>,
    forwards: bool,
    steps: &mut Steps,
) -> Result<BTreeSet<Address>, TooManySteps> {
    let mut found = BTreeSet::new();
    let mut counted = Ok(());
    let mut visit = |node: &Address| {
        counted = counted.and_then(|()| steps.take());
        if counted.is_ok() {
            found.insert(node.clone());
        }
    };
    for node in start {
        for kind in edge.kinds.iter() {
            if forwards {
                world.outgoing(node, kind, &mut |node, _| visit(node));
            } else {
                world.incoming(node, kind, &mut |node, _| visit(node));
            }
        }
    }
    counted.map(|()| found)
}
