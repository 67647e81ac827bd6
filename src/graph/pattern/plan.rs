//! The order in which a walk goes through a pattern, and what it may forget on the way.

use std::collections::BTreeSet;

use super::{Pattern, Slot};

/// One step of a walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    /// Along an edge, from an end that is bound; its far end is bound by it.
    Edge { edge: usize, forwards: bool, far: Far },
    /// To the nodes that a `join:` gives for `to`.
    Join { from: usize, to: usize, far: Far },
    /// To each node of the kinds of this one.
    Scan { node: usize },
}

/// The node that a move leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Far {
    /// It is bound by the move.
    Open,
    /// It was bound before, and is compared.
    Bound,
}
impl Move {
    /// The nodes that are bound after it.
    pub(super) fn binds(self, pattern: &Pattern) -> Vec<usize> {
        match self {
            Self::Edge { edge, .. } => vec![pattern.edges[edge].from, pattern.edges[edge].to],
            Self::Join { from, to, .. } => vec![from, to],
            Self::Scan { node } => vec![node],
        }
    }

    /// What must be bound for it.
    fn needs(self, pattern: &Pattern) -> Vec<Slot> {
        match self {
            // The far end counts too: it may be compared.
            Self::Edge { .. } | Self::Join { .. } => self.binds(pattern).into_iter().map(Slot::Node).collect(),
            Self::Scan { .. } => Vec::new(),
        }
    }
}

/// Puts the elements of a pattern in an order in which each starts from what is bound.
pub(super) fn moves(pattern: &Pattern, bound: &[usize], joins: &[(usize, usize)]) -> Vec<Move> {
    let mut is_bound = vec![false; pattern.nodes.len()];
    for node in bound {
        is_bound[*node] = true;
    }
    let mut moves = Vec::new();
    let mut edges: Vec<usize> = (0..pattern.edges.len()).collect();
    let mut joins: Vec<(usize, usize)> = joins.to_vec();
    loop {
        // What only compares comes first, then what leads to few nodes: a node has fewer edges out than in.
        let next_edge = edges
            .iter()
            .filter_map(|at| {
                let edge = &pattern.edges[*at];
                let effort = match (is_bound[edge.from], is_bound[edge.to]) {
                    (false, false) => return None,
                    (true, true) => 0,
                    (true, false) => 1,
                    (false, true) => 2,
                };
                let reach = if edge.reach { 3 } else { 0 };
                Some((effort + reach, *at, is_bound[edge.from]))
            })
            .min();
        let far = |node: usize| if is_bound[node] { Far::Bound } else { Far::Open };
        let next_join = joins.iter().position(|it| is_bound[it.0] || is_bound[it.1]);
        let next = if let Some((_, edge, forwards)) = next_edge {
            edges.retain(|it| *it != edge);
            let element = &pattern.edges[edge];
            let far = far(if forwards { element.to } else { element.from });
            Move::Edge { edge, forwards, far }
        } else if let Some(at) = next_join {
            let (a, b) = joins.remove(at);
            let (from, to) = if is_bound[a] { (a, b) } else { (b, a) };
            Move::Join { from, to, far: far(to) }
        } else {
            let left = (0..pattern.nodes.len()).filter(|it| !is_bound[*it]);
            let filtered = |it: &usize| pattern.nodes[*it].filters.is_empty();
            match left.min_by_key(|it| (filtered(it), pattern.nodes[*it].kinds.len(), *it)) {
                Some(node) => Move::Scan { node },
                None => return moves,
            }
        };
        for node in next.binds(pattern) {
            is_bound[node] = true;
        }
        moves.push(next);
    }
}

/// For each move, what still matters once it is done: what later moves need and what is asked for in the end.
/// `None` where all that is bound does. What is bound at the start never varies and is left out.
pub(super) fn kept(pattern: &Pattern, bound: &[usize], moves: &[Move], outputs: &[Slot]) -> Vec<Option<Vec<Slot>>> {
    let mut known: BTreeSet<Slot> = BTreeSet::new();
    let mut kept = Vec::new();
    for (at, done) in moves.iter().enumerate() {
        known.extend(
            done.binds(pattern)
                .into_iter()
                .filter(|it| !bound.contains(it))
                .map(Slot::Node),
        );
        if let Move::Edge { edge, .. } = done
            && pattern.edges[*edge].name.is_some()
        {
            known.insert(Slot::Edge(*edge));
        }
        let later = moves[at + 1..].iter().flat_map(|it| it.needs(pattern));
        let wanted: BTreeSet<Slot> = later.chain(outputs.iter().copied()).collect();
        let matters: Vec<Slot> = known.intersection(&wanted).copied().collect();
        kept.push((matters.len() < known.len()).then_some(matters));
    }
    kept
}
