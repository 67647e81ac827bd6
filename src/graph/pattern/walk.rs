//! Matching: a pattern made into a walk from nodes that are bound, and the walk done.
//!
//! Depth first, with a stack of its own. A partial match whose remaining part has been tried before, with the
//! same nodes in all places that still matter, is not tried again: bindings are sets, so that a nameless node
//! in the middle costs no product. All work is counted.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::plan::{Far, Move, kept, moves};
use super::step::{admits, one_step, reach};
use super::{NodeElement, Pattern, Slot, World};
use crate::graph::{Edge, Steps, TooManySteps};
use crate::problem::{Place, Problem, Span};
use crate::value::{Address, Name};

/// What a variable is bound to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Bound {
    /// A node.
    Node(Address),
    /// An edge.
    Edge(Edge),
}

impl Bound {
    /// Returns the node.
    #[must_use]
    pub fn as_node(&self) -> Option<&Address> {
        match self {
            Self::Node(node) => Some(node),
            Self::Edge(_) => None,
        }
    }
}

/// What each variable of a pattern is bound to, in the order of [`Pattern::variables`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Binding(pub Arc<[Bound]>);

impl Binding {
    /// Returns what the variable `name` of `pattern` is bound to.
    #[must_use]
    pub fn get(&self, pattern: &Pattern, name: &str) -> Option<&Bound> {
        let at = pattern.variables().iter().position(|it| *it.name == *name)?;
        self.0.get(at)
    }
}

/// Matching took more steps than it was allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overrun {
    /// The pattern.
    pub pattern: Name,
    /// How many steps were allowed.
    pub limit: u64,
}

impl Overrun {
    /// Returns the problem of it.
    #[must_use]
    pub fn problem(&self, place: Place) -> Problem {
        let message = format!("matching `{}` takes more than {} steps", self.pattern, self.limit);
        Problem::error("pattern::too_many_steps", message)
            .at(place, "matches too much")
            .help("name kinds and fields, connect all parts by edges or by `join:`, or ask for less at once")
    }
}

impl fmt::Display for Overrun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "matching `{}` takes more than {} steps", self.pattern, self.limit)
    }
}

impl std::error::Error for Overrun {}

/// The element of a pattern that nothing fits, though all before it found something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// The element as written.
    pub element: Name,
    /// Where it stands in the pattern's text.
    pub span: Span,
}

/// A name that is no node of the pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotBound(pub Name);

/// A pattern with the way to go through it from the nodes that are bound at the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walk {
    pattern: Arc<Pattern>,
    bound: Vec<usize>,
    moves: Vec<Move>,
    /// For each move, what still matters once it is done, if something that was bound has ceased to.
    kept: Vec<Option<Vec<Slot>>>,
    /// The same when no variable matters in the end.
    kept_to_exist: Vec<Option<Vec<Slot>>>,
}

/// What a move may bind.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Choice {
    node: Address,
    edge: Option<Edge>,
}

struct Row {
    nodes: Vec<Option<Address>>,
    edges: Vec<Option<Edge>>,
}

impl Walk {
    /// Tells whether it may lead to more than the node itself names: against an edge's direction, over many edges, or by a
    /// look-up.
    #[must_use]
    pub fn gathers(&self) -> bool {
        self.moves.iter().any(|it| match it {
            Move::Edge { edge, forwards, far } => *far == Far::Open && (!forwards || self.pattern.edges[*edge].reach),
            Move::Join { .. } | Move::Scan { .. } => true,
        })
    }

    /// Returns the walk through `pattern` from the nodes `bound`: the anchor alone, or for a pattern within
    /// another one's reach all nodes that they share. `joins` are the pairs of variables that the equation of
    /// a `join:` relates.
    ///
    /// # Errors
    ///
    /// [`NotBound`] with the first name that is no node of the pattern.
    pub fn new(pattern: Arc<Pattern>, bound: &[&str], joins: &[(Name, Name)]) -> Result<Self, NotBound> {
        let node = |name: &str| pattern.node(name).ok_or_else(|| NotBound(Name::from(name)));
        let bound = bound.iter().map(|it| node(it)).collect::<Result<Vec<_>, _>>()?;
        let joins = joins
            .iter()
            .map(|(a, b)| Ok((node(a)?, node(b)?)))
            .collect::<Result<Vec<_>, _>>()?;
        let moves = moves(&pattern, &bound, &joins);
        let outputs: Vec<Slot> = pattern.variables.iter().map(|it| it.slot).collect();
        Ok(Self {
            kept: kept(&pattern, &bound, &moves, &outputs),
            kept_to_exist: kept(&pattern, &bound, &moves, &[]),
            pattern,
            bound,
            moves,
        })
    }

    /// Returns the pattern.
    #[must_use]
    pub fn pattern(&self) -> &Arc<Pattern> {
        &self.pattern
    }

    /// Returns the nodes, as they are written, for which all nodes of their kinds have to be tried.
    #[must_use]
    pub fn scans(&self) -> Vec<Name> {
        let scanned = self.moves.iter().filter_map(|it| match it {
            Move::Scan { node } => Some(self.pattern.nodes[*node].text.clone()),
            _ => None,
        });
        scanned.collect()
    }

    /// Returns all bindings in which the nodes bound at the start are these, sorted, in at most `limit` steps.
    ///
    /// # Errors
    ///
    /// [`Overrun`] where that is not enough.
    pub fn matches(&self, world: &dyn World, bound: &[Address], limit: u64) -> Result<Vec<Binding>, Overrun> {
        let mut found = Vec::new();
        let mut steps = Steps::new(limit);
        if let ([variable], [node], []) = (&*self.pattern.variables, bound, &*self.moves)
            && variable.slot == Slot::Node(self.bound[0])
        {
            // Most patterns are one node.
            let element = &self.pattern.nodes[self.bound[0]];
            if world.exists(node) && admits(world, element, node, &mut steps).map_err(|it| self.overrun(it))? {
                found.push(Binding([Bound::Node(node.clone())].into()));
            }
            return Ok(found);
        }
        self.go(world, bound, &self.kept, &mut steps, &mut |row| {
            let values = self
                .pattern
                .variables
                .iter()
                .map(|it| row.get(it.slot).expect("the walk is done"));
            found.push(Binding(values.collect()));
            ControlFlow::Continue(())
        })
        .map_err(|it| self.overrun(it))?;
        found.sort();
        found.dedup();
        Ok(found)
    }

    /// Tells whether there is any binding in which the nodes bound at the start are these.
    ///
    /// # Errors
    ///
    /// [`Overrun`] where `limit` steps are not enough to say.
    pub fn exists(&self, world: &dyn World, bound: &[Address], limit: u64) -> Result<bool, Overrun> {
        Ok(self.stuck(world, bound, limit)?.is_none())
    }

    /// Returns where the walk gets no further, of all ways the furthest; `None` where it comes to an end.
    ///
    /// # Errors
    ///
    /// [`Overrun`] where `limit` steps are not enough to say.
    pub fn stuck(&self, world: &dyn World, bound: &[Address], limit: u64) -> Result<Option<Stuck>, Overrun> {
        let mut found = false;
        let mut steps = Steps::new(limit);
        let depth = self
            .go(world, bound, &self.kept_to_exist, &mut steps, &mut |_| {
                found = true;
                ControlFlow::Break(())
            })
            .map_err(|it| self.overrun(it))?;
        let of_node = |at: usize| {
            let NodeElement { text, span, .. } = &self.pattern.nodes[at];
            (text.clone(), *span)
        };
        let (element, span) = match depth {
            _ if found => return Ok(None),
            Depth::Bound(at) => of_node(self.bound[at]),
            Depth::Move(at) => match self.moves[at] {
                Move::Edge { edge, forwards, .. } => {
                    let edge = &self.pattern.edges[edge];
                    let far = &self.pattern.nodes[if forwards { edge.to } else { edge.from }];
                    let (text, span) = (&edge.text, edge.span);
                    // Right after or right before the edge, where the node is written there; else the edge alone.
                    if far.span.start == span.end {
                        let span = Span {
                            end: far.span.end,
                            ..span
                        };
                        (Name::from(format!("{text}{}", far.text)), span)
                    } else {
                        (text.clone(), span)
                    }
                }
                Move::Join { to, .. } => of_node(to),
                Move::Scan { node } => of_node(node),
            },
        };
        Ok(Some(Stuck { element, span }))
    }

    fn overrun(&self, error: TooManySteps) -> Overrun {
        Overrun {
            pattern: self.pattern.text.clone(),
            limit: error.limit,
        }
    }

    /// Walks all ways and shows each that comes to an end; returns how far it got at most.
    fn go(
        &self,
        world: &dyn World,
        bound: &[Address],
        kept: &[Option<Vec<Slot>>],
        steps: &mut Steps,
        found: &mut dyn FnMut(&Row) -> ControlFlow<()>,
    ) -> Result<Depth, TooManySteps> {
        let mut row = Row {
            nodes: vec![None; self.pattern.nodes.len()],
            edges: vec![None; self.pattern.edges.len()],
        };
        assert_eq!(bound.len(), self.bound.len(), "as many nodes as the walk was made for");
        for (at, (slot, node)) in self.bound.iter().zip(bound).enumerate() {
            let differs = row.nodes[*slot].as_ref().is_some_and(|it| it != node);
            if differs || !world.exists(node) || !admits(world, &self.pattern.nodes[*slot], node, steps)? {
                return Ok(Depth::Bound(at));
            }
            row.nodes[*slot] = Some(node.clone());
        }
        if self.moves.is_empty() {
            let _ = found(&row);
            return Ok(Depth::Move(0));
        }
        let mut furthest = 0;
        let mut tried: Vec<FxHashSet<Vec<Bound>>> = vec![FxHashSet::default(); self.moves.len()];
        let mut open = vec![self.choices(0, &row, world, steps)?.into_iter()];
        while let Some(choices) = open.last_mut() {
            let Some(choice) = choices.next() else {
                open.pop();
                continue;
            };
            steps.take()?;
            let depth = open.len() - 1;
            self.apply(depth, choice, &mut row);
            if let Some(slots) = &kept[depth] {
                let rest = slots
                    .iter()
                    .map(|it| row.get(*it).expect("it is kept because it is bound"));
                if !tried[depth].insert(rest.collect()) {
                    continue;
                }
            }
            if depth + 1 == self.moves.len() {
                if found(&row).is_break() {
                    break;
                }
                continue;
            }
            furthest = furthest.max(depth + 1);
            open.push(self.choices(depth + 1, &row, world, steps)?.into_iter());
        }
        Ok(Depth::Move(furthest))
    }

    fn apply(&self, depth: usize, choice: Choice, row: &mut Row) {
        match self.moves[depth] {
            Move::Edge { edge, forwards, .. } => {
                let element = &self.pattern.edges[edge];
                let far = if forwards { element.to } else { element.from };
                row.nodes[far] = Some(choice.node);
                row.edges[edge] = choice.edge;
            }
            Move::Join { to: node, .. } | Move::Scan { node } => row.nodes[node] = Some(choice.node),
        }
    }

    fn choices(
        &self,
        depth: usize,
        row: &Row,
        world: &dyn World,
        steps: &mut Steps,
    ) -> Result<Vec<Choice>, TooManySteps> {
        let nodes = &self.pattern.nodes;
        let mut choices: Vec<Choice> = Vec::new();
        let far = match self.moves[depth] {
            Move::Edge {
                edge,
                forwards,
                far: compare,
            } => {
                let edge = &self.pattern.edges[edge];
                let (near, far) = if forwards {
                    (edge.from, edge.to)
                } else {
                    (edge.to, edge.from)
                };
                let start = row.nodes[near].as_ref().expect("a move starts at a bound node");
                let end = row.nodes[far].as_ref().filter(|_| compare == Far::Bound);
                let fits = |node: &Address| match end {
                    Some(end) => end == node,
                    None => nodes[far].may_be(&node.kind),
                };
                if edge.reach {
                    let reached = reach(world, edge, start, forwards, steps)?;
                    let fitting = reached.into_iter().filter(|it| fits(it));
                    choices.extend(fitting.map(|node| Choice { node, edge: None }));
                } else {
                    one_step(world, edge, start, forwards, steps, &mut |kind, node, fields| {
                        if fits(node) {
                            let made = || {
                                let (from, to) = if forwards { (start, node) } else { (node, start) };
                                Edge::new(from.clone(), kind.clone(), to.clone(), fields.clone())
                            };
                            let edge = edge.name.is_some().then(made);
                            let node = node.clone();
                            choices.push(Choice { node, edge });
                        }
                    })?;
                }
                if end.is_some() {
                    // It was admitted when it was bound.
                    choices.sort();
                    choices.dedup();
                    return Ok(choices);
                }
                far
            }
            Move::Join { from, to, far: compare } => {
                let start = row.nodes[from].as_ref().expect("a join starts at a bound node");
                let name = |at: usize| nodes[at].name.clone().expect("a join relates variables");
                // A row still holds what earlier ways have bound, so that the move itself must know.
                let end = row.nodes[to].as_ref().filter(|_| compare == Far::Bound);
                let mut counted = Ok(());
                world.joined(&name(from), start, &name(to), &mut |node| {
                    counted = counted.and_then(|()| steps.take());
                    if counted.is_ok() && end.is_none_or(|it| it == node) {
                        choices.push(Choice {
                            node: node.clone(),
                            edge: None,
                        });
                    }
                });
                counted?;
                to
            }
            Move::Scan { node } => {
                let mut counted = Ok(());
                for kind in nodes[node].kinds.iter() {
                    world.of_kind(kind, &mut |node| {
                        counted = counted.and_then(|()| steps.take());
                        if counted.is_ok() {
                            choices.push(Choice {
                                node: node.clone(),
                                edge: None,
                            });
                        }
                    });
                }
                counted?;
                node
            }
        };
        choices.sort();
        choices.dedup();
        let mut admitted = Vec::with_capacity(choices.len());
        let mut last: Option<(Address, bool)> = None;
        for choice in choices {
            // Parallel edges lead to one node, which is asked once.
            let known = last.as_ref().filter(|it| it.0 == choice.node).map(|it| it.1);
            let fine = match known {
                Some(fine) => fine,
                None => admits(world, &nodes[far], &choice.node, steps)?,
            };
            last = Some((choice.node.clone(), fine));
            if fine {
                admitted.push(choice);
            }
        }
        Ok(admitted)
    }
}

enum Depth {
    /// This one of the nodes bound at the start did not fit.
    Bound(usize),
    /// This move was the furthest that was tried.
    Move(usize),
}

impl Row {
    fn get(&self, slot: Slot) -> Option<Bound> {
        match slot {
            Slot::Node(at) => self.nodes[at].clone().map(Bound::Node),
            Slot::Edge(at) => self.edges[at].clone().map(Bound::Edge),
        }
    }
}
