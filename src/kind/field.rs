//! The fields that a pack declares: definitions read to [`Field`]s, and put into the record they belong to.

use std::sync::Arc;

use super::typed::Reader;
use super::{Bare, EdgeDefault, EdgeKind, Field, Record, Type, limits};
use crate::problem::{Place, Problem, Span};
use crate::value::{Name, Path};
use crate::yaml::{Data, Yaml};

use std::collections::BTreeMap;

/// A field with its way from the record it is declared for.
pub(super) struct Declared {
    pub(super) path: Path,
    pub(super) field: Field,
    pub(super) span: Span,
    /// The kind of which this map declares nodes.
    pub(super) declares: Option<(Name, Span)>,
    /// What it holds where nothing gives it, as the target says.
    pub(super) default_from: Vec<EdgeDefault>,
}

/// How deep types and fields may nest.
const MAX_DEPTH: usize = 32;

/// Reads definitions of fields.
pub(super) struct FieldReader<'r, 'a> {
    pub(super) reader: &'r mut Reader<'a>,
    pub(super) pack: &'r Name,
    pub(super) edges: &'r BTreeMap<Name, EdgeKind>,
    /// The platforms that packs are for.
    pub(super) platforms: &'r Arc<[Name]>,
    /// Kinds that were named, to be looked up when all are known.
    pub(super) kinds: &'r mut Vec<(Name, Place)>,
}

const KEYS: [&str; 19] = [
    "type",
    "unit",
    "default",
    "default_from",
    "doc",
    "required",
    "deprecated",
    "edge",
    "fields",
    "items",
    "short",
    "values",
    "bare",
    "declares",
    "min",
    "max",
    "pattern",
    "keys",
    "hint",
];

const TYPES: [&str; 17] = [
    "any", "bool", "int", "double", "string", "text", "duration", "cpu", "memory", "choice", "record", "list", "map",
    "node", "platform", "float", "number",
];

impl FieldReader<'_, '_> {
    /// Returns all fields that the map `yaml` declares, with dotted and nested paths written out.
    pub(super) fn fields(&mut self, yaml: &Yaml) -> Vec<Declared> {
        let mut found = Vec::new();
        self.group(yaml, &Path::default(), &mut found);
        found
    }

    fn group(&mut self, yaml: &Yaml, prefix: &Path, found: &mut Vec<Declared>) {
        if !matches!(yaml.data, Data::Map(_)) {
            let message = format!("fields are a map from name to definition, found {}", yaml.noun());
            self.reader
                .error("pack::bad_field", yaml.span, message, "expected a map")
                .help = Some("write `NAME: TYPE`, or `NAME: {type: TYPE, doc: …}`".into());
            return;
        }
        for entry in yaml.entries() {
            let mut path = prefix.clone();
            path.0.extend(Path::parse(&entry.key).0);
            if path.0.len() > MAX_DEPTH {
                let message = format!("the field lies deeper than {MAX_DEPTH} levels");
                self.reader
                    .error("pack::bad_field", entry.key_span, message, "too deep")
                    .help = Some("declare it nearer to the top".into());
                continue;
            }
            if is_definition(&entry.value) {
                found.extend(self.definition(&entry.value, path, entry.key_span));
            } else {
                self.group(&entry.value, &path, found);
            }
        }
    }

    /// Reads one definition. It is dropped where its type makes no sense.
    fn definition(&mut self, yaml: &Yaml, path: Path, span: Span) -> Option<Declared> {
        for entry in yaml.entries() {
            if !KEYS.contains(&&*entry.key) {
                let message = format!("`{}` is no key of a field's definition", entry.key);
                let problem = Problem::error("pack::unknown_key", message)
                    .at(self.reader.place(entry.key_span), "unknown key")
                    .suggest(&entry.key, KEYS);
                self.reader.problems.push(problem);
            }
        }
        let ty = self.ty(yaml)?;
        let name = path.0.last().cloned().unwrap_or(Name::from(""));
        let default_from = self.default_from(yaml, &ty, &name);
        let mut default = yaml.get("default").and_then(|it| self.reader.read(&ty, it, &name));
        if default.is_none() {
            let last = default_from.iter().find(|it| it.when.is_none());
            default = last.map(|it| it.value.clone());
        }
        let text = |key: &str| yaml.get(key).and_then(Yaml::as_str);
        let edge = text("edge").map(Name::from);
        let limits = limits::read(self.reader, yaml, &ty).map(Arc::new);
        let field = Field {
            ty,
            doc: text("doc").unwrap_or("").into(),
            required: yaml.get("required").is_some_and(|it| it.data == Data::Bool(true)),
            default,
            deprecated: text("deprecated").map(Into::into),
            unit: text("unit").map(Name::from),
            edge,
            limits,
            pack: self.pack.clone(),
        };
        let declares = yaml
            .get("declares")
            .and_then(|it| Some((Name::from(it.as_str()?), it.span)));
        Some(Declared {
            path,
            field,
            span,
            declares,
            default_from,
        })
    }

    fn default_from(&mut self, yaml: &Yaml, ty: &Type, name: &str) -> Vec<EdgeDefault> {
        let Some(list) = yaml.get("default_from") else {
            return Vec::new();
        };
        let mut defaults = Vec::new();
        for item in list.items() {
            let Some(value) = item.get("value").and_then(|it| self.reader.read(ty, it, name)) else {
                let message = "an item of `default_from` has no `value`".to_owned();
                self.reader
                    .error("pack::bad_field", item.span, message, "no value")
                    .help = Some("write `{when: FIELD, value: …}`, and `{value: …}` for all others".into());
                continue;
            };
            defaults.push(EdgeDefault {
                when: item.get("when").and_then(Yaml::as_str).map(Path::parse),
                equals: item
                    .get("equals")
                    .and_then(|it| self.reader.read(&Type::Any, it, "equals")),
                value,
            });
        }
        defaults
    }

    fn ty(&mut self, yaml: &Yaml) -> Option<Type> {
        if let Some(written) = yaml.as_str() {
            return self.parse(written, yaml, yaml);
        }
        if let Some(written) = yaml.get("type") {
            let Some(text) = written.as_str() else {
                let message = format!("`type` wants the name of a type, found {}", written.noun());
                self.reader
                    .error("pack::unknown_type", written.span, message, "no type")
                    .help = Some("write `type: string`, say".into());
                return None;
            };
            return self.parse(text, written, yaml);
        }
        if let Some(edge) = yaml.get("edge") {
            let name = edge.as_str().unwrap_or("");
            let Some(kind) = self.edges.get(name) else {
                let problem = Problem::error("pack::unknown_edge", format!("`{name}` is no kind of edge"))
                    .at(self.reader.place(edge.span), "unknown kind of edge")
                    .suggest(name, self.edges.keys().map(|it| &**it));
                self.reader.problems.push(problem);
                return None;
            };
            return Some(Type::Map(Arc::new(Type::Record(kind.fields.clone()))));
        }
        let leaf = if yaml.get("values").is_some() {
            "choice"
        } else if yaml.get("fields").is_some() {
            "record"
        } else if yaml.get("declares").is_some() {
            "map"
        } else if yaml.get("items").is_some() {
            "list"
        } else {
            let message = "a field has no type".to_owned();
            self.reader
                .error("pack::unknown_type", yaml.span, message, "its `type` is missing")
                .help = Some("add `type: string`, say, or `values: […]` for a choice".into());
            return None;
        };
        self.parse(leaf, yaml, yaml)
    }

    /// Reads the type that `written` names; `at` is where it stands, `definition` gives what it leaves open.
    fn parse(&mut self, written: &str, at: &Yaml, definition: &Yaml) -> Option<Type> {
        let written = written.trim();
        if written.matches('(').count() > MAX_DEPTH {
            let message = format!("the type nests deeper than {MAX_DEPTH} levels");
            self.reader
                .error("pack::unknown_type", at.span, message, "too deep")
                .help = Some("write the inner ones as `items` or `fields`".into());
            return None;
        }
        let inner = |name: &str| {
            let rest = written.strip_prefix(name)?;
            rest.trim_start().strip_prefix('(')?.strip_suffix(')')
        };
        if let Some(item) = inner("list") {
            return Some(Type::List(Arc::new(self.parse(item, at, definition)?)));
        }
        if let Some(item) = inner("map") {
            return Some(Type::Map(Arc::new(self.parse(item, at, definition)?)));
        }
        if let Some(kinds) = inner("node") {
            let kinds: Vec<Name> = kinds.split('|').map(|it| Name::from(it.trim())).collect();
            let place = self.reader.place(at.span);
            self.kinds.extend(kinds.iter().map(|it| (it.clone(), place.clone())));
            return Some(Type::Node(kinds.into()));
        }
        Some(match written {
            "any" => Type::Any,
            "bool" => Type::Bool,
            "int" => Type::Int,
            "double" | "float" | "number" => Type::Double,
            "string" => Type::String,
            "text" => Type::Text,
            "duration" => Type::Duration,
            "cpu" => Type::Cpu {
                bare: self.bare(definition, Bare::Cores),
            },
            "memory" => Type::Memory {
                bare: self.bare(definition, Bare::Refused),
            },
            "choice" => self.choice(definition, at)?,
            // Where no pack is for a platform, none can be known.
            "platform" if self.platforms.is_empty() => Type::String,
            "platform" => Type::Choice(self.platforms.clone()),
            "record" => self.record(definition),
            "list" => Type::List(Arc::new(self.items(definition))),
            "map" => Type::Map(Arc::new(self.items(definition))),
            "node" => Type::Node([].into()),
            _ => {
                let problem = Problem::error("pack::unknown_type", format!("`{written}` is no type"))
                    .at(self.reader.place(at.span), "unknown type")
                    .help(format!("the types are {}", TYPES[..15].join(", ")))
                    .suggest(written, TYPES);
                self.reader.problems.push(problem);
                return None;
            }
        })
    }

    fn bare(&mut self, definition: &Yaml, otherwise: Bare) -> Bare {
        let Some(yaml) = definition.get("bare") else {
            return otherwise;
        };
        match yaml.as_str() {
            Some("refused") => Bare::Refused,
            Some("cores") => Bare::Cores,
            Some("megahertz") => Bare::Megahertz,
            Some("mebibytes") => Bare::Mebibytes,
            other => {
                let known = ["refused", "cores", "megahertz", "mebibytes"];
                let problem = Problem::error("pack::bad_field", "`bare` names no unit")
                    .at(self.reader.place(yaml.span), "unknown unit")
                    .suggest(other.unwrap_or(""), known);
                self.reader.problems.push(problem);
                otherwise
            }
        }
    }

    fn choice(&mut self, definition: &Yaml, at: &Yaml) -> Option<Type> {
        let values = definition.get("values").map(Yaml::items).unwrap_or_default();
        let names: Vec<Name> = values.iter().filter_map(Yaml::as_str).map(Name::from).collect();
        if names.is_empty() || names.len() < values.len() {
            let message = "a choice needs `values`, a list of strings".to_owned();
            self.reader
                .error("pack::bad_field", at.span, message, "nothing to choose from")
                .help = Some("write `values: [one, other]`, numbers and `yes` and `no` in quotes".into());
            return None;
        }
        Some(Type::Choice(names.into()))
    }

    fn items(&mut self, definition: &Yaml) -> Type {
        match definition.get("items") {
            Some(items) => self.ty(items).unwrap_or(Type::Any),
            None => Type::Any,
        }
    }

    fn record(&mut self, definition: &Yaml) -> Type {
        let mut record = Record::default();
        if let Some(fields) = definition.get("fields") {
            for declared in self.fields(fields) {
                let span = declared.span;
                if insert(&mut record, &declared.path.0, declared.field).is_err() {
                    let message = format!("`{}` is declared twice", declared.path);
                    self.reader
                        .error("pack::field_collision", span, message, "declared again")
                        .help = Some("leave one of the two out".into());
                }
            }
        }
        if let Some(short) = definition.get("short") {
            let name = short.as_str().unwrap_or("");
            if record.fields.contains_key(name) {
                record.short = Some(Name::from(name));
            } else {
                let problem = Problem::error("pack::bad_field", format!("`short` names `{name}`, which is no field"))
                    .at(self.reader.place(short.span), "unknown field")
                    .suggest(name, record.fields.keys().map(|it| &**it));
                self.reader.problems.push(problem);
            }
        }
        Type::Record(Arc::new(record))
    }
}

/// Tells a definition from a group of nested fields: a field named `type` has a map under `type`.
fn is_definition(yaml: &Yaml) -> bool {
    let has = |key: &str, fits: fn(&Yaml) -> bool| yaml.get(key).is_some_and(fits);
    let text = |it: &Yaml| it.as_str().is_some();
    let list = |it: &Yaml| matches!(it.data, Data::List(_));
    !matches!(yaml.data, Data::Map(_))
        || has("type", text)
        || has("doc", text)
        || has("edge", text)
        || has("declares", text)
        || has("values", list)
        || has("fields", |it| matches!(it.data, Data::Map(_)))
}

/// Puts `field` at the end of `steps`, making the records on the way; `*` steps into a map's or list's items.
///
/// # Errors
///
/// The pack of the field that stands there already.
pub(super) fn insert(record: &mut Record, steps: &[Name], field: Field) -> Result<(), Name> {
    let [first, rest @ ..] = steps else { return Ok(()) };
    if rest.is_empty() {
        let Some(existing) = record.fields.get_mut(first) else {
            record.fields.insert(first.clone(), field);
            return Ok(());
        };
        if limits::add_known(existing, &field) {
            return Ok(());
        }
        let (Type::Record(into), Type::Record(from)) = (&mut existing.ty, &field.ty) else {
            return Err(existing.pack.clone());
        };
        if existing.doc.is_empty() {
            existing.doc = field.doc.clone();
        }
        let into = Arc::make_mut(into);
        into.short = into.short.take().or(from.short.clone());
        return from
            .fields
            .iter()
            .try_for_each(|(name, it)| insert(into, std::slice::from_ref(name), it.clone()));
    }
    let group = record.fields.entry(first.clone()).or_insert_with(|| Field {
        ty: Type::Record(Arc::default()),
        doc: "".into(),
        required: false,
        default: None,
        deprecated: None,
        unit: None,
        edge: None,
        limits: None,
        pack: field.pack.clone(),
    });
    let pack = group.pack.clone();
    descend(&mut group.ty, rest, field, pack)
}

fn descend(ty: &mut Type, steps: &[Name], field: Field, pack: Name) -> Result<(), Name> {
    match ty {
        Type::Record(record) => insert(Arc::make_mut(record), steps, field),
        Type::Map(item) | Type::List(item) if &*steps[0] == "*" && steps.len() > 1 => {
            descend(Arc::make_mut(item), &steps[1..], field, pack)
        }
        _ => Err(pack),
    }
}
