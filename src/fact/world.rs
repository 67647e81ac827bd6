//! What patterns and expressions ask, answered by queries: whatever is asked is remembered by salsa.

use crate::db::{Db, Project, View};
use crate::fact::{self, matching, shape};
use crate::graph::order::Components;
use crate::graph::reach::{Longest, Weigh};
use crate::graph::{self, pattern};
use crate::kind::{EdgeKind, Shape, pack};
use crate::rule::expression::{GraphFunction, World};
use crate::rule::model::Rule;
use crate::value::{Address, Map, Name, Path, Value};

/// Answers what expressions ask of nodes.
#[derive(Debug)]
pub struct Nodes;

/// The one that there is.
pub static NODES: Nodes = Nodes;

impl World for Nodes {
    fn field(&self, db: &dyn Db, view: View, node: &Address, name: &str) -> Option<Value> {
        shape::node(db, Project::get(db), view, node)?.fields.get(name).cloned()
    }

    fn facts(&self, db: &dyn Db, view: View, node: &Address, relation: &str) -> Option<Value> {
        let project = Project::get(db);
        let facts = fact::of(db, project, view.environment, node, relation);
        let one = pack::schema(db, project)
            .relations
            .get(relation)
            .is_some_and(|it| it.shape == Shape::One);
        if one {
            return facts.first().map(|it| Value::Map(it.fields.clone()));
        }
        Some(Value::list(facts.iter().map(|it| Value::Map(it.fields.clone()))))
    }

    fn call(&self, db: &dyn Db, view: View, function: GraphFunction, args: &[Value]) -> Result<Value, String> {
        let project = Project::get(db);
        let nodes = |all: &[Address]| Value::list(all.iter().cloned().map(Value::Node));
        let layers = |all: &[Vec<Address>]| Value::list(all.iter().map(|it| nodes(it)));
        match (function, args) {
            (GraphFunction::Nodes, [Value::String(kind)]) => Ok(nodes(of_kind(db, project, view, kind.clone()))),
            (GraphFunction::Reach, [Value::Node(node), edges, rest @ ..]) => {
                let most = most_steps(rest);
                Ok(nodes(reach(db, project, view, node.clone(), names(edges), most)))
            }
            (GraphFunction::Dependents, [Value::Node(node), edges, rest @ ..]) => {
                let most = most_steps(rest);
                Ok(nodes(dependents(db, project, view, node.clone(), names(edges), most)))
            }
            (GraphFunction::SameCycle, [Value::Node(a), Value::Node(b), edges]) => {
                let snapshot = shape::snapshot(db, project, view);
                let ends = snapshot.index(a).zip(snapshot.index(b));
                let components = components(db, project, view, names(edges));
                Ok(Value::Bool(ends.is_some_and(|(a, b)| components.same_cycle(a, b))))
            }
            (GraphFunction::Longest, [Value::Node(node), edges, Value::String(field)]) => {
                Ok(longest(db, project, view, node.clone(), names(edges), Path::parse(field)).clone())
            }
            (GraphFunction::Layers, [edges]) => {
                let edges = names(edges);
                let all = ends(db, project, view, &edges);
                Ok(layers(&graph::order::layers(
                    shape::snapshot(db, project, view),
                    &all,
                    &edges,
                )))
            }
            (GraphFunction::Layers, [edges, Value::List(wanted)]) => {
                let wanted = wanted.iter().filter_map(|it| {
                    if let Value::Node(it) = it {
                        Some(it.clone())
                    } else {
                        None
                    }
                });
                let wanted: Vec<Address> = wanted.collect();
                Ok(layers(&graph::order::layers(
                    shape::snapshot(db, project, view),
                    &wanted,
                    &names(edges),
                )))
            }
            _ => Err("the arguments are not of the kinds that it takes".to_owned()),
        }
    }
}

/// Returns the nodes of `kind`.
#[salsa::tracked(returns(deref))]
fn of_kind(db: &dyn Db, project: Project, view: View, kind: Name) -> Vec<Address> {
    shape::snapshot(db, project, view).of_kind(&kind).to_vec()
}

/// Returns the bound on the steps among what follows an argument of edges: none where nothing does.
fn most_steps(args: &[Value]) -> usize {
    match args {
        [Value::Int(most), ..] => usize::try_from(*most).unwrap_or(0),
        _ => usize::MAX,
    }
}

/// Returns what `node` reaches in `most` steps. A firewall: another edge elsewhere changes nothing here.
#[salsa::tracked(returns(deref))]
fn reach(db: &dyn Db, project: Project, view: View, node: Address, edges: Vec<Name>, most: usize) -> Vec<Address> {
    graph::reach::reach(shape::snapshot(db, project, view), &node, &edges, most)
}

/// Returns what reaches `node` in `most` steps.
#[salsa::tracked(returns(deref))]
fn dependents(db: &dyn Db, project: Project, view: View, node: Address, edges: Vec<Name>, most: usize) -> Vec<Address> {
    graph::reach::dependents(shape::snapshot(db, project, view), &node, &edges, most)
}

/// Returns the strongly connected components of the graph of these edges.
#[salsa::tracked(returns(ref))]
fn components(db: &dyn Db, project: Project, view: View, edges: Vec<Name>) -> Components {
    Components::new(&shape::snapshot(db, project, view).adjacency(&edges))
}

/// Returns the longest path from every node: a number that stands on the edges or, failing that, on the nodes.
#[salsa::tracked(returns(ref))]
fn longest_paths(db: &dyn Db, project: Project, view: View, edges: Vec<Name>, field: Path) -> Longest {
    let snapshot = shape::snapshot(db, project, view);
    let schema = pack::schema(db, project);
    let Some((first, rest)) = field.0.split_first() else {
        return graph::reach::longest(snapshot, &edges, Weigh::Count);
    };
    let on_edges = edges
        .iter()
        .filter_map(|it| schema.edges.get(it))
        .any(|it| it.fields.fields.contains_key(first));
    if on_edges {
        return graph::reach::longest(snapshot, &edges, Weigh::Edge(first));
    }
    let weigh = |node: &Address| NODES.field(db, view, node, first)?.at(rest).cloned();
    graph::reach::longest(snapshot, &edges, Weigh::Node(&weigh))
}

/// Returns the sum along the longest path from `node`, 0 where it has none.
#[salsa::tracked(returns(ref))]
fn longest(db: &dyn Db, project: Project, view: View, node: Address, edges: Vec<Name>, field: Path) -> Value {
    let paths = longest_paths(db, project, view, edges, field);
    paths
        .from(shape::snapshot(db, project, view), &node)
        .unwrap_or(Value::Int(0))
}

/// Returns the nodes of all kinds at which such edges may end, whether they have any or not. The project stands for
/// all of them, and in no order with them.
fn ends(db: &dyn Db, project: Project, view: View, edges: &[Name]) -> Vec<Address> {
    let snapshot = shape::snapshot(db, project, view);
    let declared: Vec<&EdgeKind> = edges
        .iter()
        .filter_map(|it| pack::schema(db, project).edges.get(it))
        .collect();
    let open = declared.iter().any(|it| it.from.is_empty() || it.to.is_empty());
    let may_end = |node: &&Address| {
        declared
            .iter()
            .any(|it| it.from.contains(&node.kind) || it.to.contains(&node.kind))
    };
    snapshot
        .nodes()
        .iter()
        .filter(|it| *it.kind != *shape::PROJECT && (open || may_end(it)))
        .cloned()
        .collect()
}

fn names(value: &Value) -> Vec<Name> {
    match value {
        Value::String(name) => vec![name.clone()],
        Value::List(items) => items.iter().filter_map(Value::as_str).map(Name::from).collect(),
        _ => Vec::new(),
    }
}

/// Answers what the pattern of one rule asks of the graph.
#[derive(Clone, Copy)]
pub struct GraphWorld<'a> {
    /// Where the answers come from.
    pub db: &'a dyn Db,
    /// Whose graph it is.
    pub project: Project,
    /// From where it is seen.
    pub view: View,
    /// The rule whose look-ups are asked for.
    pub rule: &'a Rule,
}

/// The edges at one node, by their kinds and their far ends.
#[derive(Debug, Default, PartialEq, Eq)]
struct Adjacent {
    outgoing: Box<[(Name, Address, Map)]>,
    incoming: Box<[(Name, Address, Map)]>,
}

/// Returns the edges at one node. A firewall: an edge elsewhere changes nothing here.
#[salsa::tracked(returns(ref))]
fn adjacent(db: &dyn Db, project: Project, view: View, node: Address) -> Adjacent {
    let snapshot = shape::snapshot(db, project, view);
    let Some(at) = snapshot.index(&node) else {
        return Adjacent::default();
    };
    let edge = |kind: &Name, far: u32, fields: &Map| (kind.clone(), snapshot.address(far).clone(), fields.clone());
    let kinds = snapshot.edge_kinds();
    let outgoing = kinds
        .iter()
        .flat_map(|kind| snapshot.outgoing(at, kind).map(move |it| edge(kind, it.0, it.1)));
    let incoming = kinds
        .iter()
        .flat_map(|kind| snapshot.incoming(at, kind).map(move |it| edge(kind, it.0, it.1)));
    Adjacent {
        outgoing: outgoing.collect(),
        incoming: incoming.collect(),
    }
}

impl pattern::World for GraphWorld<'_> {
    fn outgoing(&self, node: &Address, kind: &Name, each: &mut dyn FnMut(&Address, &Map)) {
        let edges = &adjacent(self.db, self.project, self.view, node.clone()).outgoing;
        let of_kind = edges.iter().filter(|it| it.0 == *kind);
        of_kind.for_each(|(_, to, fields)| each(to, fields));
    }

    fn incoming(&self, node: &Address, kind: &Name, each: &mut dyn FnMut(&Address, &Map)) {
        let edges = &adjacent(self.db, self.project, self.view, node.clone()).incoming;
        let of_kind = edges.iter().filter(|it| it.0 == *kind);
        of_kind.for_each(|(_, from, fields)| each(from, fields));
    }

    fn of_kind(&self, kind: &Name, each: &mut dyn FnMut(&Address)) {
        of_kind(self.db, self.project, self.view, kind.clone())
            .iter()
            .for_each(each);
    }

    fn field(&self, node: &Address, name: &Name) -> Option<Value> {
        NODES.field(self.db, self.view, node, name)
    }

    fn exists(&self, node: &Address) -> bool {
        shape::node(self.db, self.project, self.view, node).is_some()
    }

    fn joined(&self, from: &Name, node: &Address, to: &Name, each: &mut dyn FnMut(&Address)) {
        matching::joined(self, from, node, to).iter().for_each(each);
    }
}
