//! What nobody said about a node, filled in: aliases both ways, what the project gives, defaults.
//!
//! Pure: the same for nodes that a spec declares, that rules derive, and that both do.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::edge::{Edge, Mentioned, mentioned};
use super::layer::{Declared, fitted};
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
            let plan = KindPlan {
                record: record_plan(&kind.fields),
                aliases: aliases.collect(),
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
        let mut problems = Vec::new();
        let Some(plan) = self.kinds.get(&address.kind) else {
            return (Completed::default(), problems);
        };
        let mut said = plan.aliased(inherited);
        said = merge::patched_map(&said, &plan.aliased(derived));
        if let Some(declared) = declared {
            said = merge::patched_map(&said, &plan.aliased(&declared.fields));
        }
        let mentioned = mentioned(address, &said);
        let mut missing = Vec::new();
        let fields = plan.record.filled(&said, &Path::default(), &mut missing);
        for path in missing {
            let name = path.0.last().cloned().unwrap_or(Name::from(""));
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
            self.unsupported(address, declared, &fields, &mut problems);
        }
        (Completed { fields, mentioned }, problems)
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

    fn unsupported(&self, address: &Address, declared: &Declared, fields: &Map, problems: &mut Vec<Problem>) {
        if &*address.kind != "service" {
            return;
        }
        let platforms = merge::at(fields, &[Name::from("deployment"), Name::from("platforms")]);
        let platforms = platforms.and_then(Value::as_list).unwrap_or_default();
        for unsupported in &self.schema.unsupported {
            let uses = platforms.iter().any(|it| it.as_str() == Some(&*unsupported.platform));
            if !uses || merge::at(&declared.fields, &unsupported.path.0).is_none() {
                continue;
            }
            let message = format!(
                "`{}` can't honour `{}` of `{address}`",
                unsupported.platform, unsupported.path
            );
            let place = Place::Field {
                environment: None,
                node: address.clone(),
                path: unsupported.path.clone(),
            };
            let mut problem = Problem::warning("spec::unsupported_field", message).at(place, "has no effect there");
            problem.help.clone_from(&unsupported.reason);
            problems.push(problem);
        }
    }
}

impl KindPlan {
    /// Returns `map` with aliases filled in: the neutral where nothing stands there, then each pack's own.
    fn aliased(&self, map: &Map) -> Map {
        let mut map = map.clone();
        for plan in &self.aliases {
            let Some(own) = merge::at(&map, &plan.alias.own.0) else {
                continue;
            };
            let given = match &plan.alias.shape {
                Some(shape) => Some(shaped(shape, own)),
                None => fitted(own, &plan.neutral),
            };
            lay_under(&mut map, &plan.alias.neutral, given);
        }
        for plan in self.aliases.iter().filter(|it| it.alias.shape.is_none()) {
            let Some(neutral) = merge::at(&map, &plan.alias.neutral.0) else {
                continue;
            };
            let given = fitted(neutral, &plan.own);
            lay_under(&mut map, &plan.alias.own, given);
        }
        map
    }
}

/// Puts `value` at `path`, beneath what stands there.
fn lay_under(map: &mut Map, path: &Path, value: Option<Value>) {
    let Some(value) = value else { return };
    let merged = match merge::at(map, &path.0) {
        Some(over) => {
            let merged = merge::patched(&value, over);
            if merged == *over {
                return;
            }
            merged
        }
        None => value,
    };
    *map = merge::set(map, &path.0, merged);
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
            (Some(Value::Map(given)), Some(Plan::Record(inner)), _) => {
                Some(Value::Map(inner.filled(given, &Path::default(), &mut Vec::new())))
            }
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

impl RecordPlan {
    fn filled(&self, map: &Map, path: &Path, missing: &mut Vec<Path>) -> Map {
        for name in self.required.iter().filter(|it| map.get(it).is_none()) {
            missing.push(path.join(name.clone()));
        }
        if map.is_empty() {
            return self.defaults.clone();
        }
        let defaults = self
            .defaults
            .iter()
            .filter(|(name, _)| map.get(name).is_none())
            .cloned();
        let given = map.iter().map(|(name, value)| {
            let value = match self.inner.get(name) {
                Some(plan) => plan.filled(value, &path.join(name.clone()), missing),
                None => value.clone(),
            };
            (name.clone(), value)
        });
        let given: Vec<(Name, Value)> = given.collect();
        defaults.chain(given).collect()
    }
}

impl Plan {
    fn filled(&self, value: &Value, path: &Path, missing: &mut Vec<Path>) -> Value {
        match (self, value) {
            (Self::Record(plan), Value::Map(map)) => Value::Map(plan.filled(map, path, missing)),
            (Self::Each(plan), Value::Map(map)) => {
                let items = map.iter().map(|(name, it)| {
                    let value = plan.filled(it, &path.join(name.clone()), missing);
                    (name.clone(), value)
                });
                items.collect()
            }
            (Self::Each(plan), Value::List(items)) => {
                let items = items.iter().enumerate().map(|(at, it)| {
                    let path = path.join(at.to_string());
                    plan.filled(it, &path, missing)
                });
                Value::list(items)
            }
            _ => value.clone(),
        }
    }
}
