//! What nobody said about a node, filled in: aliases both ways, what the project gives, defaults.
//!
//! Pure: the same for nodes that a spec declares, that rules derive, and that both do.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::edge::{Edge, Mentioned, mentioned};
use super::layer::{Declared, declared_in, fitted, inherited_in};
use super::{Node, merge};
use crate::db::{Db, Project};
use crate::kind::{Alias, Record, Schema, Type, pack};
use crate::problem::{Place, Problem};
use crate::value::{Address, Map, Name, Path, Segment, Text, Value};

/// The fields of a node, complete, and what they mention.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completed {
    /// The fields.
    pub fields: Map,
    /// What its references say of other nodes.
    pub mentioned: BTreeMap<Address, Mentioned>,
}

/// All that is needed to complete nodes, prepared once for a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    schema: Arc<Schema>,
    kinds: BTreeMap<Name, KindPlan>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct KindPlan {
    record: RecordPlan,
    aliases: Vec<AliasPlan>,
    /// The packs' own fields.
    owns: Paths,
    /// The neutral fields of those aliases that work both ways.
    neutrals: Paths,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct AliasPlan {
    alias: Alias,
    own: Type,
    neutral: Type,
}

/// How a record is filled in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct RecordPlan {
    /// What it holds where nothing is said of it.
    defaults: Map,
    required: Vec<Name>,
    /// The fields that are filled in themselves.
    inner: BTreeMap<Name, Plan>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Plan {
    Record(Box<RecordPlan>),
    /// Each item of a list or a map.
    Each(Box<Plan>),
}

/// Returns what completes the nodes of the project.
#[salsa::tracked(returns(ref))]
pub fn completion(db: &dyn Db, project: Project) -> Completion {
    Completion::new(Arc::new(pack::schema(db, project).clone()))
}

/// A node of the spec alone, complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complete {
    /// The node.
    pub node: Arc<Completed>,
    /// What it lacks, and what of it a platform can't honour.
    pub problems: Vec<Problem>,
}

/// Returns a node of the spec alone, in an environment whose overlays speak of it, or in the base.
#[salsa::tracked(returns(ref))]
pub fn complete_node(db: &dyn Db, project: Project, environment: Option<u16>, address: Address) -> Option<Complete> {
    let declared = declared_in(db, project, environment, &address)?;
    let inherited = inherited_in(db, project, environment, &address.kind);
    let (node, problems) = completion(db, project).fields(&address, Some(&declared), &Map::default(), inherited);
    Some(Complete {
        node: Arc::new(node),
        problems,
    })
}

impl Completion {
    /// Prepares the completion of nodes as `schema` describes them.
    #[must_use]
    pub fn new(schema: Arc<Schema>) -> Self {
        let kinds = schema.kinds.values().map(|kind| {
            let record = Type::Record(kind.fields.clone());
            let of_kind = schema.aliases.iter().filter(|it| it.kind == kind.name);
            let aliases = of_kind.filter_map(|alias| {
                Some(AliasPlan {
                    own: pack::field_at(&record, &alias.own).ok()?,
                    neutral: pack::field_at(&record, &alias.neutral).ok()?,
                    alias: alias.clone(),
                })
            });
            let aliases: Vec<AliasPlan> = aliases.collect();
            let both_ways = aliases.iter().enumerate().filter(|it| it.1.alias.shape.is_none());
            let plan = KindPlan {
                record: record_plan(&kind.fields),
                owns: Paths::of(aliases.iter().enumerate().map(|(nth, it)| (nth, &it.alias.own))),
                neutrals: Paths::of(both_ways.map(|(nth, it)| (nth, &it.alias.neutral))),
                aliases,
            };
            (kind.name.clone(), plan)
        });
        Self {
            kinds: kinds.collect(),
            schema: Arc::clone(&schema),
        }
    }

    /// Returns the schema.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Returns the fields of a node: what is `declared` over what rules `derived` over what it `inherited`.
    ///
    /// Derived values have the shape of declared ones: units normalised, short forms written out.
    #[must_use]
    pub fn fields(
        &self,
        address: &Address,
        declared: Option<&Declared>,
        derived: &Map,
        inherited: &Map,
    ) -> (Completed, Vec<Problem>) {
        let Some(plan) = self.kinds.get(&address.kind) else {
            return (Completed::default(), Vec::new());
        };
        let said = plan.said(declared, derived, inherited);
        let problems = self.lacking(address, plan, declared, &said);
        let completed = Completed {
            mentioned: mentioned(address, &said),
            fields: plan.record.filled(&said),
        };
        (completed, problems)
    }

    /// Returns `map` with its aliases filled in, as a layer of nodes of `kind`.
    pub(super) fn aliased(&self, kind: &str, map: &Map) -> Map {
        self.kinds.get(kind).map_or_else(|| map.clone(), |it| it.aliased(map))
    }

    fn lacking(&self, address: &Address, plan: &KindPlan, declared: Option<&Declared>, said: &Map) -> Vec<Problem> {
        let mut missing = Missing::default();
        plan.record.missing(said, &mut missing);
        let mut problems = Vec::new();
        for path in missing.found {
            let name = path.0.last().cloned().unwrap_or_default();
            let message = format!("`{address}` lacks `{path}`");
            let place = Place::Field {
                environment: None,
                node: address.clone(),
                path: Path(path.0[..path.0.len() - 1].to_vec()),
            };
            let problem = Problem::error("spec::missing_field", message)
                .at(place, format!("`{name}` is missing"))
                .help(format!("add `{name}: …`"));
            problems.push(problem);
        }
        if let Some(declared) = declared {
            self.unsupported(address, plan, declared, said, &mut problems);
        }
        problems
    }

    /// Returns a node, complete; see [`Completion::fields`] and [`Completion::edges`].
    #[must_use]
    pub fn node(
        &self,
        address: &Address,
        declared: Option<&Declared>,
        derived: (&Map, &[Edge]),
        inherited: &Map,
        target: &dyn Fn(&Address, &Path) -> Option<Value>,
    ) -> (Node, Vec<Problem>) {
        let (completed, problems) = self.fields(address, declared, derived.0, inherited);
        let own = declared.map(|it| it.edges.as_slice()).unwrap_or_default();
        let node = Node {
            address: address.clone(),
            edges: self.edges(&completed, own, derived.1, target),
            fields: completed.fields,
        };
        (node, problems)
    }

    fn unsupported(
        &self,
        address: &Address,
        plan: &KindPlan,
        declared: &Declared,
        said: &Map,
        problems: &mut Vec<Problem>,
    ) {
        let kind = self.schema.kinds.get(&address.kind);
        let Some(Path(path)) = kind.and_then(|it| it.platforms.as_ref()) else {
            return;
        };
        let platforms = merge::at(said, path).or_else(|| merge::at(&plan.record.defaults, path));
        let platforms = platforms.and_then(Value::as_list).unwrap_or_default();
        if platforms.is_empty() {
            return;
        }
        for unsupported in self.schema.unsupported.iter().filter(|it| it.kind == address.kind) {
            let uses = platforms.iter().any(|it| it.as_str() == Some(&*unsupported.platform));
            let mut found = Vec::new();
            if uses {
                said_at(&declared.fields, &unsupported.path.0, &mut Vec::new(), &mut found);
            }
            for path in found {
                let message = format!("`{}` can't honour `{path}` of `{address}`", unsupported.platform);
                let place = Place::Field {
                    environment: None,
                    node: address.clone(),
                    path,
                };
                let mut problem = Problem::warning("spec::unsupported_field", message).at(place, "has no effect there");
                problem.help.clone_from(&unsupported.reason);
                problems.push(problem);
            }
        }
    }
}

/// Adds to `found` the paths below `map`, which stands at `way`, that fit `path` and hold something; `*` fits each key of
/// a map.
fn said_at(map: &Map, path: &[Name], way: &mut Vec<Name>, found: &mut Vec<Path>) {
    let [step, rest @ ..] = path else { return };
    let mut enter = |key: &Name, value: &Value| {
        way.push(key.clone());
        if rest.is_empty() {
            found.push(Path(way.clone()));
        } else if let Some(map) = value.as_map() {
            said_at(map, rest, way, found);
        }
        way.pop();
    };
    if &**step == "*" {
        map.iter().for_each(|(key, value)| enter(key, value));
    } else if let Some(value) = map.get(step) {
        enter(step, value);
    }
}

impl KindPlan {
    /// Returns what is said of a node, the layers over each other; `inherited` has its aliases filled in.
    fn said(&self, declared: Option<&Declared>, derived: &Map, inherited: &Map) -> Map {
        let mut said = inherited.clone();
        if !derived.is_empty() {
            said = merge::patched_map(&said, &self.aliased(derived));
        }
        if let Some(declared) = declared {
            said = merge::patched_map(&said, &self.aliased(&declared.fields));
        }
        said
    }

    /// Returns `map` with aliases filled in: the neutral where nothing stands there, then each pack's own.
    fn aliased(&self, map: &Map) -> Map {
        if self.aliases.is_empty() || map.is_empty() {
            return map.clone();
        }
        let mut under = Patch::default();
        for (nth, own) in self.owns.present(map) {
            let plan = &self.aliases[nth];
            let given = match &plan.alias.shape {
                Some(shape) => Some(shaped(shape, own)),
                None => fitted(own, &plan.neutral),
            };
            under.lay(&plan.alias.neutral.0, given);
        }
        let map = under.beneath(map);
        let mut under = Patch::default();
        for (nth, neutral) in self.neutrals.present(&map) {
            let plan = &self.aliases[nth];
            under.lay(&plan.alias.own.0, fitted(neutral, &plan.own));
        }
        under.beneath(&map)
    }
}

/// Paths of aliases by their steps, so that only those are looked at of which the first steps are there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Paths {
    here: Vec<usize>,
    next: BTreeMap<Name, Paths>,
}

impl Paths {
    fn of<'p>(paths: impl Iterator<Item = (usize, &'p Path)>) -> Self {
        let mut result = Self::default();
        for (nth, path) in paths {
            let end = path
                .0
                .iter()
                .fold(&mut result, |at, step| at.next.entry(step.clone()).or_default());
            end.here.push(nth);
        }
        result
    }

    /// Returns what stands in `map` at each path, in the order of the aliases.
    fn present<'m>(&self, map: &'m Map) -> Vec<(usize, &'m Value)> {
        let mut found = Vec::new();
        self.collect(map, &mut found);
        found.sort_by_key(|it| it.0);
        found
    }

    fn collect<'m>(&self, map: &'m Map, found: &mut Vec<(usize, &'m Value)>) {
        for (step, next) in &self.next {
            let Some(value) = map.get(step) else { continue };
            found.extend(next.here.iter().map(|nth| (*nth, value)));
            if let Some(map) = value.as_map() {
                next.collect(map, found);
            }
        }
    }
}

/// Values by paths, to be laid beneath a map all at once.
#[derive(Default)]
struct Patch {
    value: Option<Value>,
    next: BTreeMap<Name, Patch>,
}

impl Patch {
    /// Puts `value` at the end of `path`, beneath what was put there before.
    fn lay(&mut self, path: &[Name], value: Option<Value>) {
        let Some(value) = value else { return };
        let end = path
            .iter()
            .fold(self, |at, step| at.next.entry(step.clone()).or_default());
        end.value = Some(match end.value.take() {
            Some(over) => merge::patched(&value, &over),
            None => value,
        });
    }

    fn beneath(self, map: &Map) -> Map {
        match self.into_value() {
            Value::Map(under) => merge::patched_map(&under, map),
            _ => map.clone(),
        }
    }

    fn into_value(self) -> Value {
        if self.next.is_empty() {
            return self.value.unwrap_or(Value::Map(Map::default()));
        }
        let inner = self
            .next
            .into_iter()
            .map(|(step, it)| (step, it.into_value()))
            .collect();
        match self.value {
            Some(value) => merge::patched(&inner, &value),
            None => inner,
        }
    }
}

/// Returns `shape` with `value` for each `${value}` in it.
fn shaped(shape: &Value, value: &Value) -> Value {
    const HOLE: &str = "${value}";
    match shape {
        Value::String(text) if &**text == HOLE => value.clone(),
        Value::String(text) if text.contains(HOLE) => {
            let mut segments = Vec::new();
            for (at, part) in text.split(HOLE).enumerate() {
                if at > 0 {
                    segments.extend(written(value));
                }
                segments.push(Segment::Literal(part.into()));
            }
            Value::text(Text::new(segments))
        }
        Value::List(items) => Value::list(items.iter().map(|it| shaped(it, value))),
        Value::Map(map) => map.iter().map(|(name, it)| (name.clone(), shaped(it, value))).collect(),
        _ => shape.clone(),
    }
}

fn written(value: &Value) -> Vec<Segment> {
    match value {
        Value::Text(text) => text.segments().to_vec(),
        Value::String(text) => vec![Segment::Literal(text.clone())],
        Value::Int(number) => vec![Segment::Literal(number.to_string().into())],
        Value::Bool(truth) => vec![Segment::Literal(truth.to_string().into())],
        Value::Double(number) => vec![Segment::Literal(number.0.to_string().into())],
        _ => Vec::new(),
    }
}

fn record_plan(record: &Record) -> RecordPlan {
    let mut plan = RecordPlan::default();
    let mut defaults: Vec<(Name, Value)> = Vec::new();
    for (name, field) in &record.fields {
        let inner = if field.edge.is_some() {
            None
        } else {
            inner_plan(&field.ty)
        };
        let default = match (&field.default, &inner, &field.ty) {
            (Some(Value::Map(given)), Some(Plan::Record(inner)), _) => Some(Value::Map(inner.filled(given))),
            (Some(given), _, _) => Some(given.clone()),
            (None, Some(Plan::Record(inner)), _) => Some(Value::Map(inner.defaults.clone())),
            (None, _, Type::Record(_) | Type::Map(_)) => Some(Value::Map(Map::default())),
            (None, _, Type::List(_)) => Some(Value::list([])),
            _ => None,
        };
        if field.required && field.default.is_none() {
            plan.required.push(name.clone());
        } else {
            defaults.extend(default.map(|it| (name.clone(), it)));
        }
        plan.inner.extend(inner.map(|it| (name.clone(), it)));
    }
    plan.defaults = defaults.into_iter().collect();
    plan
}

fn inner_plan(ty: &Type) -> Option<Plan> {
    match ty {
        Type::Record(record) => Some(Plan::Record(Box::new(record_plan(record)))),
        Type::List(item) | Type::Map(item) => inner_plan(item).map(|it| Plan::Each(Box::new(it))),
        _ => None,
    }
}

/// Returns `value`, of the type `ty`, with the defaults of the records in it.
pub(super) fn filled(ty: &Type, value: &Value) -> Value {
    match value {
        Value::Map(_) | Value::List(_) => inner_plan(ty).map_or_else(|| value.clone(), |it| it.filled(value)),
        _ => value.clone(),
    }
}

/// Required fields that were found missing, and the way to where one stands.
#[derive(Default)]
struct Missing {
    way: Vec<Name>,
    found: Vec<Path>,
}

impl Missing {
    fn within(&mut self, step: &Name, look: impl FnOnce(&mut Self)) {
        self.way.push(step.clone());
        look(self);
        self.way.pop();
    }
}

impl RecordPlan {
    /// Returns `map` with defaults for what is absent.
    fn filled(&self, map: &Map) -> Map {
        if map.is_empty() {
            return self.defaults.clone();
        }
        let mut entries: Vec<(Name, Value)> = Vec::with_capacity(self.defaults.len() + map.len());
        let mut defaults = self.defaults.iter().peekable();
        for (name, value) in map {
            while let Some(entry) = defaults.next_if(|it| it.0 < *name) {
                entries.push(entry.clone());
            }
            defaults.next_if(|it| it.0 == *name);
            let value = match self.inner.get(name) {
                Some(plan) => plan.filled(value),
                None => value.clone(),
            };
            entries.push((name.clone(), value));
        }
        entries.extend(defaults.cloned());
        entries.into_iter().collect()
    }

    /// Finds the required fields that `map` lacks.
    fn missing(&self, map: &Map, missing: &mut Missing) {
        for name in self.required.iter().filter(|it| map.get(it).is_none()) {
            let path = missing.way.iter().chain([name]).cloned().collect();
            missing.found.push(Path(path));
        }
        for (name, value) in map {
            if let Some(plan) = self.inner.get(name) {
                missing.within(name, |missing| plan.missing(value, missing));
            }
        }
    }
}

impl Plan {
    fn filled(&self, value: &Value) -> Value {
        match (self, value) {
            (Self::Record(plan), Value::Map(map)) => Value::Map(plan.filled(map)),
            (Self::Each(plan), Value::Map(map)) => {
                map.iter().map(|(name, it)| (name.clone(), plan.filled(it))).collect()
            }
            (Self::Each(plan), Value::List(items)) => Value::list(items.iter().map(|it| plan.filled(it))),
            _ => value.clone(),
        }
    }

    fn missing(&self, value: &Value, missing: &mut Missing) {
        match (self, value) {
            (Self::Record(plan), Value::Map(map)) => plan.missing(map, missing),
            (Self::Each(plan), Value::Map(map)) => {
                for (name, value) in map {
                    missing.within(name, |missing| plan.missing(value, missing));
                }
            }
            (Self::Each(plan), Value::List(items)) => {
                for (at, value) in items.iter().enumerate() {
                    let step = Name::from(at.to_string());
                    missing.within(&step, |missing| plan.missing(value, missing));
                }
            }
            _ => {}
        }
    }
}
