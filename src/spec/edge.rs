//! Edges: read from the fields that declare them and from references, then completed.
//!
//! An edge field is a map from target to the edge's fields. A reference to oneself is no edge. Start order is made
//! of edges by the graph.

use std::collections::{BTreeMap, BTreeSet};

use super::complete::{Completed, Completion, filled};
use super::index::Index;
use super::merge;
use crate::kind::{EdgeDefault, EdgeKind, Record, Schema, Type, pack};
use crate::value::{Address, Map, Name, Path, Reference, Segment, Value};

/// An edge as it leaves its node.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Edge {
    /// Its kind.
    pub kind: Name,
    /// The node at its end.
    pub to: Address,
    /// Its fields.
    pub fields: Map,
}

/// An edge whose target no spec declares: a mistake, or a node that a rule derives.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OpenEdge {
    /// Its kind.
    pub kind: Name,
    /// The field that declares it.
    pub field: Path,
    /// The target as it is written.
    pub name: Name,
    /// The nodes that it may mean, the likeliest first.
    pub candidates: Vec<Address>,
    /// How many of them there are: none, or more than one.
    pub n_found: usize,
    /// Its fields, as written.
    pub fields: Map,
}

/// The kind of edge that references make.
pub const REFERENCES: &str = "references";

/// What a node's references say of one target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mentioned {
    /// Whether one of them is required.
    pub required: bool,
    /// The attributes that they want.
    pub attributes: BTreeSet<Name>,
}

/// Returns the edges that `fields` declare, and those whose target is not clear.
pub(super) fn declared_edges(
    schema: &Schema,
    index: &Index,
    environment: Option<u16>,
    record: &Record,
    fields: &Map,
) -> (Vec<Edge>, Vec<OpenEdge>) {
    let mut found = Vec::new();
    collect(record, fields, &Path::default(), &mut found);
    let mut edges: BTreeMap<(Name, Address), Map> = BTreeMap::new();
    let mut open = Vec::new();
    for (field, kind, targets) in found {
        let Some(edge) = schema.edges.get(&kind) else { continue };
        for (written, value) in targets {
            let value = value.as_map().cloned().unwrap_or_default();
            let candidates = candidates(schema, edge, written);
            let mut there: Vec<&Address> = candidates.iter().filter(|it| index.has(environment, it)).collect();
            if let [only] = there.as_mut_slice() {
                let below = edges.entry((kind.clone(), (*only).clone())).or_default();
                *below = merge::patched_map(below, &value);
                continue;
            }
            open.push(OpenEdge {
                kind: kind.clone(),
                field: field.clone(),
                name: written.clone(),
                n_found: there.len(),
                candidates,
                fields: value,
            });
        }
    }
    let edges = edges.into_iter().map(|((kind, to), fields)| Edge { kind, to, fields });
    (edges.collect(), open)
}

/// Returns what a written target may mean: `KIND.NAME` of a kind that fits, else the name in each kind that fits.
pub(super) fn candidates(schema: &Schema, edge: &EdgeKind, written: &Name) -> Vec<Address> {
    let fits = |kind: &str| match edge.to.is_empty() {
        true => schema.kinds.contains_key(kind),
        false => edge.to.iter().any(|it| **it == *kind),
    };
    let mut found: Vec<Address> = if edge.to.is_empty() {
        schema
            .kinds
            .keys()
            .map(|it| Address::new(it.clone(), written.clone()))
            .collect()
    } else {
        edge.to
            .iter()
            .map(|it| Address::new(it.clone(), written.clone()))
            .collect()
    };
    if let Some((kind, name)) = written.split_once('.')
        && fits(kind)
    {
        found.insert(0, Address::new(kind, name));
    }
    found
}

/// Finds the fields that declare edges, within records.
fn collect<'m>(record: &Record, fields: &'m Map, path: &Path, found: &mut Vec<(Path, Name, &'m Map)>) {
    for (name, value) in fields {
        let (Some(field), Some(map)) = (record.fields.get(name), value.as_map()) else {
            continue;
        };
        if let Some(edge) = &field.edge {
            found.push((path.join(name.clone()), edge.clone(), map));
        } else if let Type::Record(inner) = &field.ty {
            collect(inner, map, &path.join(name.clone()), found);
        }
    }
}

/// Calls `visit` with every reference and every node within `value`.
pub fn visit<'v>(value: &'v Value, visit_one: &mut dyn FnMut(Found<'v>)) {
    match value {
        Value::Text(text) => {
            for segment in text.segments() {
                if let Segment::Reference(reference) = segment {
                    visit_one(Found::Reference(reference));
                }
            }
        }
        Value::Node(address) => visit_one(Found::Node(address)),
        Value::List(items) => items.iter().for_each(|it| visit(it, visit_one)),
        Value::Map(map) => map.iter().for_each(|(_, it)| visit(it, visit_one)),
        _ => {}
    }
}

/// What a value mentions.
#[derive(Clone, Copy, Debug)]
pub enum Found<'v> {
    /// An attribute of a node, within a text.
    Reference(&'v Reference),
    /// A node, as a value.
    Node(&'v Address),
}

/// Returns what `fields` say by references, of each target apart from `own`.
pub(super) fn mentioned(own: &Address, fields: &Map) -> BTreeMap<Address, Mentioned> {
    let mut found: BTreeMap<Address, Mentioned> = BTreeMap::new();
    for (_, value) in fields {
        visit(value, &mut |it| {
            if let Found::Reference(reference) = it
                && reference.node != *own
            {
                let entry = found.entry(reference.node.clone()).or_default();
                entry.required |= reference.required;
                entry.attributes.insert(reference.attribute.clone());
            }
        });
    }
    found
}

impl Completion {
    /// Returns the edges of a node, completed, sorted by kind and target.
    ///
    /// `declared` wins over `derived`, field by field; `target` tells what stands at a path of a complete node.
    pub fn edges(
        &self,
        completed: &Completed,
        declared: &[Edge],
        derived: &[Edge],
        target: &dyn Fn(&Address, &Path) -> Option<Value>,
    ) -> Vec<Edge> {
        let mut edges: BTreeMap<(Name, Address), Map> = BTreeMap::new();
        for edge in derived.iter().chain(declared) {
            let below = edges.entry((edge.kind.clone(), edge.to.clone())).or_default();
            *below = merge::patched_map(below, &edge.fields);
        }
        if let Some(references) = self.schema().edges.get(REFERENCES) {
            for (to, mentioned) in &completed.mentioned {
                let said = self.reference_fields(references, to, mentioned);
                let entry = edges.entry((references.name.clone(), to.clone())).or_default();
                *entry = merge::patched_map(&said, entry);
            }
        }
        // Kinds that yield come last, since they take the complete fields of those they yield to.
        let mut result: BTreeMap<(Name, Address), Map> = BTreeMap::new();
        let yields = |kind: &Name| self.schema().yields.get(kind);
        for ((kind, to), fields) in edges.iter().filter(|it| yields(&it.0.0).is_none()) {
            let fields = self.edge_fields(kind, to, fields.clone(), target);
            result.insert((kind.clone(), to.clone()), fields);
        }
        for ((kind, to), fields) in &edges {
            let Some(over) = yields(kind) else { continue };
            let known = self
                .schema()
                .edges
                .get(kind)
                .map(|it| it.fields.clone())
                .unwrap_or_default();
            let mut fields = fields.clone();
            if let Some(over) = result.get(&(over.clone(), to.clone())) {
                let common = over.iter().filter(|(name, _)| known.fields.contains_key(name));
                fields = merge::patched_map(&fields, &common.cloned().collect());
            }
            let fields = self.edge_fields(kind, to, fields, target);
            result.insert((kind.clone(), to.clone()), fields);
        }
        let edges = result.into_iter();
        edges.map(|((kind, to), fields)| Edge { kind, to, fields }).collect()
    }

    /// Returns what references say of an edge: `required`, `attributes`, and the `port` that they name, if one.
    fn reference_fields(&self, references: &EdgeKind, to: &Address, mentioned: &Mentioned) -> Map {
        let knows = |name: &str| references.fields.fields.contains_key(name);
        let mut fields: Vec<(Name, Value)> = Vec::new();
        if knows("required") {
            fields.push((Name::from("required"), Value::Bool(mentioned.required)));
        }
        let all = mentioned.attributes.iter();
        if knows("attributes") {
            let names = all.clone().map(|it| Value::String(it.clone()));
            fields.push((Name::from("attributes"), Value::list(names)));
        }
        let target = self.schema().kinds.get(&to.kind);
        let from = target.and_then(|it| it.attributes_from.as_ref()?.0.last());
        let own = |it: &&Name| target.is_some_and(|kind| !kind.attributes.contains_key(*it));
        let mut ports = all.filter(own);
        // Keys of another map, a secret's say, are attributes too, but no ports.
        let has_ports = from.is_some_and(|it| &**it == "ports");
        if let (true, Some(port), None) = (knows("port") && has_ports, ports.next(), ports.next()) {
            fields.push((Name::from("port"), Value::String(port.clone())));
        }
        fields.into_iter().collect()
    }

    fn edge_fields(
        &self,
        kind: &Name,
        to: &Address,
        fields: Map,
        target: &dyn Fn(&Address, &Path) -> Option<Value>,
    ) -> Map {
        let Some(edge) = self.schema().edges.get(kind) else {
            return fields;
        };
        let mut given: Vec<(Name, Value)> = Vec::new();
        for (name, field) in &edge.fields.fields {
            if fields.get(name).is_some() {
                continue;
            }
            let rules = self.schema().edge_defaults.get(&(kind.clone(), name.clone()));
            let fitting =
                rules.and_then(|rules| rules.iter().find(|rule| self.fits(rule, to, &|path| target(to, path))));
            let default = fitting.map(|it| it.value.clone()).or_else(|| field.default.clone());
            given.extend(default.map(|it| (name.clone(), it)));
        }
        let said = fields.iter().map(|(name, value)| {
            let field = edge.fields.fields.get(name);
            let value = field.map_or_else(|| value.clone(), |it| filled(&it.ty, value));
            (name.clone(), value)
        });
        given.into_iter().chain(said).collect()
    }

    /// Tells whether a default of an edge is the one of an edge that leads `to` this node; `at` tells what stands at a
    /// path of it.
    #[must_use]
    pub fn fits(&self, default: &EdgeDefault, to: &Address, at: &dyn Fn(&Path) -> Option<Value>) -> bool {
        let Some(path) = &default.when else { return true };
        match (at(path), &default.equals) {
            (found, Some(wanted)) => found.as_ref() == Some(wanted),
            (Some(found), None) => self.says_something(to, path, &found),
            (None, None) => false,
        }
    }

    fn says_something(&self, node: &Address, path: &Path, value: &Value) -> bool {
        let kind = self.schema().kinds.get(&node.kind);
        let ty = kind.and_then(|it| pack::field_at(&Type::Record(it.fields.clone()), path).ok());
        !ty.unwrap_or(Type::Any).is_blank(value)
    }
}
