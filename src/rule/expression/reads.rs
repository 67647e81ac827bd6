//! What an expression reads, known before it runs: for the strata of rules, and to walk backwards from what changed.
//!
//! Too much may be named here, never too little. What was really read in one run is salsa's to remember.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::function::GraphFunction;
use crate::kind::{Reads, Schema, Type};
use crate::value::{Name, Path};

/// What an expression reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Uses {
    /// The relations whose facts it reads, by their full names, on whichever node.
    pub relations: BTreeSet<Name>,
    /// What it reads of each variable.
    pub variables: BTreeMap<Name, Reads>,
    /// What it asks of the graph.
    pub graph: Vec<GraphUse>,
    /// Nodes that it reaches through fields and facts, and what it reads of them.
    pub reached: Vec<Reached>,
}

/// A question to the graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphUse {
    /// The function.
    pub function: GraphFunction,
    /// The kinds of edge that it follows; none for `nodes`.
    pub edges: Vec<Name>,
    /// The kind of node that `nodes` lists.
    pub kind: Option<Name>,
    /// The field that `longest` sums.
    pub field: Option<Path>,
    /// The variables that are nodes it starts from; none where it starts elsewhere or everywhere.
    pub from: Vec<Name>,
    /// What is read of each node in the answer.
    pub reads: Reads,
}

/// Nodes that stand in fields or facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    /// The relation in whose facts they stand; none where it is a field of a node or an end of an edge.
    pub relation: Option<Name>,
    /// The way to them, from the fact or from the node or edge.
    pub path: Path,
    /// What is read of them.
    pub reads: Reads,
}

impl Uses {
    /// Adds what `other` reads.
    pub fn extend(&mut self, other: &Self) {
        self.relations.extend(other.relations.iter().cloned());
        for (name, reads) in &other.variables {
            add_reads(self.variables.entry(name.clone()).or_default(), reads);
        }
        for used in &other.graph {
            if !self.graph.contains(used) {
                self.graph.push(used.clone());
            }
        }
        for reached in &other.reached {
            if !self.reached.contains(reached) {
                self.reached.push(reached.clone());
            }
        }
    }
}

/// Adds what `other` names to `reads`.
pub fn add_reads(reads: &mut Reads, other: &Reads) {
    reads.whole |= other.whole;
    for (name, other) in &other.members {
        add_reads(reads.members.entry(name.clone()).or_default(), other);
    }
    if let Some(other) = &other.each {
        add_reads(reads.each.get_or_insert_with(Box::default), other);
    }
}

/// Where a value comes from, as far as the checker can follow it.
#[derive(Clone, Debug)]
pub(crate) enum Trace {
    /// It is part of a variable, or of the graph's answer.
    At(usize),
    /// It is a list made of these.
    Each(Arc<[Trace]>),
    /// It is a map made of these.
    Members(Arc<BTreeMap<Name, Vec<Trace>>>),
}

/// The places that values come from, and what was read of each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    places: Vec<Place>,
    variables: BTreeMap<Name, usize>,
    graph: Vec<(GraphUse, usize)>,
}

#[derive(Clone, Debug, Default)]
struct Place {
    whole: bool,
    members: BTreeMap<Name, usize>,
    each: Option<usize>,
    parent: Option<(usize, Option<Name>)>,
    relation: Option<Name>,
    node: bool,
}

impl Places {
    fn add(&mut self, place: Place) -> usize {
        self.places.push(place);
        self.places.len() - 1
    }

    /// Returns where a variable comes from.
    pub(crate) fn variable(&mut self, name: &Name) -> Trace {
        if let Some(at) = self.variables.get(name) {
            return Trace::At(*at);
        }
        let at = self.add(Place::default());
        self.variables.insert(name.clone(), at);
        Trace::At(at)
    }

    /// Returns where the answer to a question to the graph comes from: a list, or a list of lists.
    pub(crate) fn graph(&mut self, used: GraphUse) -> Trace {
        let at = self.add(Place::default());
        self.graph.push((used, at));
        Trace::At(at)
    }

    /// Returns the variable that a value is, if it is one itself.
    pub(crate) fn name(&self, traces: &[Trace]) -> Vec<Name> {
        let at: Vec<usize> = traces
            .iter()
            .filter_map(|it| if let Trace::At(at) = it { Some(*at) } else { None })
            .collect();
        self.variables
            .iter()
            .filter(|(_, it)| at.contains(it))
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// Returns where a member comes from.
    pub(crate) fn member(&mut self, of: &[Trace], name: &Name, relation: Option<&Name>, ty: &Type) -> Vec<Trace> {
        let mut found = Vec::new();
        for trace in of {
            match trace {
                Trace::At(at) => {
                    let existing = self.places[*at].members.get(name).copied();
                    let member = existing.unwrap_or_else(|| {
                        let member = self.add(Place {
                            parent: Some((*at, Some(name.clone()))),
                            relation: relation.cloned(),
                            node: matches!(ty, Type::Node(_)),
                            ..Place::default()
                        });
                        self.places[*at].members.insert(name.clone(), member);
                        member
                    });
                    found.push(Trace::At(member));
                }
                Trace::Members(members) => found.extend(members.get(name).into_iter().flatten().cloned()),
                Trace::Each(_) => {}
            }
        }
        found
    }

    /// Returns where each item comes from.
    pub(crate) fn each(&mut self, of: &[Trace], ty: &Type) -> Vec<Trace> {
        let mut found = Vec::new();
        for trace in of {
            match trace {
                Trace::At(at) => {
                    let item = self.places[*at].each.unwrap_or_else(|| {
                        let item = self.add(Place {
                            parent: Some((*at, None)),
                            node: matches!(ty, Type::Node(_)),
                            ..Place::default()
                        });
                        self.places[*at].each = Some(item);
                        item
                    });
                    found.push(Trace::At(item));
                }
                Trace::Each(items) => found.extend(items.iter().cloned()),
                Trace::Members(members) => found.extend(members.values().flatten().cloned()),
            }
        }
        found
    }

    /// Says that all of a value is read.
    pub(crate) fn whole(&mut self, traces: &[Trace]) {
        for trace in traces {
            match trace {
                Trace::At(at) => self.places[*at].whole = true,
                Trace::Each(items) => self.whole(items),
                Trace::Members(members) => members.values().for_each(|it| self.whole(it)),
            }
        }
    }

    /// Says that `reads` is read of a value of type `ty`.
    pub(crate) fn read(&mut self, traces: &[Trace], ty: &Type, reads: &Reads, schema: &Schema) {
        if reads.whole {
            self.whole(traces);
        }
        for (name, reads) in &reads.members {
            let Ok(member) = schema.member(ty, name) else { continue };
            let traces = self.member(traces, name, member.relation.as_ref(), &member.ty);
            self.read(&traces, &member.ty, reads, schema);
        }
        if let Some(reads) = &reads.each {
            let item = match ty {
                Type::List(item) | Type::Map(item) => (**item).clone(),
                _ => Type::Any,
            };
            let traces = self.each(traces, &item);
            self.read(&traces, &item, reads, schema);
        }
    }

    /// Returns all that was read.
    pub(crate) fn uses(&self) -> Uses {
        let reached = self.places.iter().enumerate().filter(|(_, it)| it.node);
        Uses {
            relations: self.places.iter().filter_map(|it| it.relation.clone()).collect(),
            variables: self
                .variables
                .iter()
                .map(|(name, at)| (name.clone(), self.reads(*at)))
                .collect(),
            graph: self
                .graph
                .iter()
                .map(|(used, at)| {
                    let answer = self.reads(*at);
                    let item = |reads: &Reads| reads.each.as_deref().cloned().unwrap_or_default();
                    let each = item(&answer);
                    let mut reads = if used.function == GraphFunction::Layers {
                        item(&each)
                    } else {
                        each
                    };
                    reads.whole |= answer.whole;
                    GraphUse { reads, ..used.clone() }
                })
                .collect(),
            reached: reached.filter_map(|(at, _)| self.reached(at)).collect(),
        }
    }

    fn reads(&self, at: usize) -> Reads {
        let place = &self.places[at];
        Reads {
            whole: place.whole,
            members: place
                .members
                .iter()
                .map(|(name, at)| (name.clone(), self.reads(*at)))
                .collect(),
            each: place.each.map(|at| Box::new(self.reads(at))),
        }
    }

    fn reached(&self, node: usize) -> Option<Reached> {
        let mut path = Vec::new();
        let mut at = node;
        while let Some((parent, name)) = &self.places[at].parent {
            path.extend(name.clone());
            if let Some(relation) = &self.places[at].relation {
                path.pop();
                path.reverse();
                return Some(Reached {
                    relation: Some(relation.clone()),
                    path: Path(path),
                    reads: self.reads(node),
                });
            }
            at = *parent;
            if self.places[at].node {
                break;
            }
        }
        // Items of the graph's answer are named there, with what is read of them.
        if path.is_empty() {
            return None;
        }
        path.reverse();
        Some(Reached {
            relation: None,
            path: Path(path),
            reads: self.reads(node),
        })
    }
}

/// How a value is handed on with just what its reader names: nodes become maps of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Projection {
    /// Whether all of it is kept.
    pub(crate) whole: bool,
    /// What is kept of its members, and how each is read of a node: a field, or the facts of a relation.
    pub(crate) members: Vec<(Name, Option<Name>, Projection)>,
    /// What is kept of each item.
    pub(crate) each: Option<Arc<Projection>>,
}

impl Projection {
    /// Returns how `reads` is kept of values of type `ty`.
    #[must_use]
    pub fn new(ty: &Type, reads: &Reads, schema: &Schema) -> Self {
        let members = reads.members.iter().map(|(name, reads)| {
            let member = schema.member(ty, name).ok();
            let relation = member.as_ref().and_then(|it| it.relation.clone());
            let ty = member.map_or(Type::Any, |it| it.ty);
            (name.clone(), relation, Self::new(&ty, reads, schema))
        });
        let item = match ty {
            Type::List(item) | Type::Map(item) => item,
            _ => &Type::Any,
        };
        Self {
            whole: reads.whole,
            members: members.collect(),
            each: reads.each.as_ref().map(|it| Arc::new(Self::new(item, it, schema))),
        }
    }
}
