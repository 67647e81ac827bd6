//! What the spec says of one node, its layers laid over each other.
//!
//! From below: the node's own map, the root's overlay of the environment, the overlay beside the node, what the
//! run sets. What it inherits from the project lies beneath all of these and is kept apart, since all nodes of a
//! kind share it.

use std::sync::Arc;

use super::complete::completion;
use super::edge::{Edge, OpenEdge, declared_edges};
use super::file::{Fragment, Saying, lowered_file};
use super::index::{Index, Slot, environments, index, project_address};
use super::merge;
use super::overrides::overrides;
use crate::db::{Db, Project};
use crate::kind::{Record, Type, pack};
use crate::value::{Address, Map, Name, Value};

/// What the spec says of one node: short forms written out, layers merged, nothing filled in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declared {
    /// Its fields.
    pub fields: Map,
    /// The edges that its fields declare, with the fields they were given; those of references are not among them.
    pub edges: Vec<Edge>,
    /// Edges to something that no spec declares.
    pub open: Vec<OpenEdge>,
}

/// Returns what the spec says of the node in an environment.
///
/// A node that no overlay changes is that of the base: the same value, made once.
pub fn declared(db: &dyn Db, project: Project, environment: u16, address: &Address) -> Option<Arc<Declared>> {
    let index = index(db, project);
    if !index.has(Some(environment), address) {
        return None;
    }
    declared_in(db, project, Some(environment), address)
}

/// Returns what the spec says of the node in an environment, or in the base.
pub fn declared_in(
    db: &dyn Db,
    project: Project,
    environment: Option<u16>,
    address: &Address,
) -> Option<Arc<Declared>> {
    let index = index(db, project);
    let base = || declared_at(db, project, None, address.clone()).clone();
    let Some(environment) = environment.filter(|it| index.renames(*it) || index.touches(*it, address)) else {
        return base();
    };
    let own = declared_at(db, project, Some(environment), address.clone()).clone();
    match base() {
        same if same == own => same,
        _ => own,
    }
}

/// Returns the environment under which the complete node is to be kept: none where it is that of the base.
pub fn seen_as(db: &dyn Db, project: Project, environment: u16, address: &Address) -> Option<u16> {
    let index = index(db, project);
    if index.is_base(environment) {
        return None;
    }
    let inherits = || index.touches(environment, &project_address(db, project));
    if !index.renames(environment) && !index.touches(environment, address) && !inherits() {
        return None;
    }
    let base = declared_at(db, project, None, address.clone());
    let changed = declared(db, project, environment, address) != *base
        || inherited(db, project, environment, &address.kind) != inherited_at(db, project, None, address.kind.clone());
    changed.then_some(environment)
}

/// Returns what the nodes of `kind` inherit from the project in an environment, with aliases filled in.
pub fn inherited<'db>(db: &'db dyn Db, project: Project, environment: u16, kind: &Name) -> &'db Map {
    let touched = index(db, project).touches(environment, &project_address(db, project));
    inherited_at(db, project, touched.then_some(environment), kind.clone())
}

/// Returns what the nodes of `kind` inherit from the project, in an environment or in the base.
pub fn inherited_in<'db>(db: &'db dyn Db, project: Project, environment: Option<u16>, kind: &Name) -> &'db Map {
    match environment {
        Some(environment) => inherited(db, project, environment, kind),
        None => inherited_at(db, project, None, kind.clone()),
    }
}

#[salsa::tracked(returns(ref))]
pub(super) fn inherited_at(db: &dyn Db, project: Project, environment: Option<u16>, kind: Name) -> Map {
    let Some(kind) = pack::schema(db, project).kinds.get(&kind) else {
        return Map::default();
    };
    if kind.inherits.is_empty() {
        return Map::default();
    }
    let Some(root) = declared_at(db, project, environment, project_address(db, project)) else {
        return Map::default();
    };
    let record = Type::Record(kind.fields.clone());
    let mut result = Map::default();
    for (from, into) in &kind.inherits {
        let Some(value) = merge::at(&root.fields, &from.0) else {
            continue;
        };
        let Ok(ty) = pack::field_at(&record, into) else {
            continue;
        };
        let Some(value) = fitted(value, &ty) else { continue };
        let below = merge::at(&result, &into.0).cloned().unwrap_or_default();
        result = merge::set(&result, &into.0, merge::patched(&below, &value));
    }
    completion(db, project).aliased(&kind.name, &result)
}

/// Returns `value` without the fields that a value of type `ty` does not have.
pub(super) fn fitted(value: &Value, ty: &Type) -> Option<Value> {
    match (value, ty) {
        (Value::Map(map), Type::Record(record)) if !fits(map, record) => Some(Value::Map(fitted_map(map, record))),
        (Value::Map(_), Type::Record(_) | Type::Map(_) | Type::Any) => Some(value.clone()),
        (Value::Map(_), _) | (_, Type::Record(_) | Type::Map(_)) => None,
        _ => Some(value.clone()),
    }
}

fn fits(map: &Map, record: &Record) -> bool {
    map.iter().all(
        |(name, value)| match (value, record.fields.get(name).map(|it| &it.ty)) {
            (_, None) => false,
            (Value::Map(map), Some(Type::Record(record))) => fits(map, record),
            (Value::Map(_), Some(ty)) => matches!(ty, Type::Map(_) | Type::Any),
            (_, Some(ty)) => !matches!(ty, Type::Record(_) | Type::Map(_)),
        },
    )
}

fn fitted_map(map: &Map, record: &Record) -> Map {
    let known = map.iter().filter_map(|(name, value)| {
        let field = record.fields.get(name)?;
        Some((name.clone(), fitted(value, &field.ty)?))
    });
    known.collect()
}

#[salsa::tracked(returns(ref))]
fn declared_at(db: &dyn Db, project: Project, environment: Option<u16>, address: Address) -> Option<Arc<Declared>> {
    let index = index(db, project);
    let schema = pack::schema(db, project);
    let name = environment.and_then(|it| environments(db, project).get(usize::from(it)));
    let name = name.map(|it| it.name.clone());
    let slot = index.slot(&address);
    let fragment = slot.and_then(|it| fragment(db, it, &address));
    let mut fields = fragment.map(|it| it.fields.clone());
    let mut lay = |saying: &Saying| match (saying, &fields) {
        (None, _) => fields = None,
        (Some(patch), Some(base)) => fields = Some(merge::patched_map(base, patch)),
        (Some(patch), None) => fields = Some(merge::patched_map(&Map::default(), patch)),
    };
    if let (Some(environment), Some(name)) = (environment, &name) {
        root_overlays(db, index, environment, name, &address).for_each(&mut lay);
        let own = fragment.iter().flat_map(|it| &it.overlays).filter(|it| it.0 == *name);
        own.map(|it| &it.1).for_each(&mut lay);
    }
    overrides(db, project).of(name.as_ref(), &address).for_each(&mut lay);
    let fields = fields?;
    let kind = schema.kinds.get(&address.kind)?;
    let (edges, open) = declared_edges(schema, index, environment, &kind.fields, &fields);
    Some(Arc::new(Declared { fields, edges, open }))
}

/// Returns what the file of `slot` says of the node; none where it has been edited, and the names are still those of before.
fn fragment<'db>(db: &'db dyn Db, slot: Slot, address: &Address) -> Option<&'db Fragment> {
    let fragment = lowered_file(db, slot.file).nodes.get(slot.nth);
    fragment.filter(|it| it.address == *address)
}

/// Returns what the overlays of whole files say of a node, the root's first.
fn root_overlays<'db>(
    db: &'db dyn Db,
    index: &'db Index,
    environment: u16,
    name: &Name,
    address: &Address,
) -> impl Iterator<Item = &'db Saying> {
    let files = index
        .difference(environment)
        .map(|it| it.files.as_slice())
        .unwrap_or_default();
    let overlays = files.iter().flat_map(move |it| &lowered_file(db, *it).overlays);
    let named = overlays.filter(move |it| it.environment == *name);
    named.flat_map(move |overlay| {
        let start = overlay.nodes.partition_point(|it| it.0 < *address);
        overlay.nodes[start..]
            .iter()
            .take_while(move |it| it.0 == *address)
            .map(|it| &it.1)
    })
}
