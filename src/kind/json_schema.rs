//! The JSON Schema of a spec (draft 2020-12), made from what the packs declare, for editors to complete from.
//!
//! It is more lenient than the reader where JSON Schema can't say more: names of nodes are not looked up, and what
//! must be there is required of whole nodes only by `gen` itself, since overlays and fragments give parts.

use serde_json::{Map, Value as Json, json};

use super::{Bare, Field, Kind, Limits, Record, Schema, Type};
use crate::value::Value;

/// Returns the JSON Schema of spec files: of the root, of fragments, and of a service's own file.
#[must_use]
pub fn json_schema(schema: &Schema) -> Json {
    let mut defs = Map::new();
    for kind in schema.kinds.values() {
        defs.insert(kind.name.to_string(), node(kind));
    }
    defs.insert("overlay".to_owned(), overlay(schema));
    let mut properties = engine_properties();
    properties.extend(collections(schema));
    properties.extend(project_properties(schema));
    let files = schema.kinds.values().filter(|it| it.collection.is_some());
    let files = files.map(|kind| {
        let named =
            json!({"type": "string", "description": format!("The name of the {} that this file declares.", kind.name)});
        json!({
            "required": [*kind.name],
            "properties": {(&*kind.name): named},
            "allOf": [{"$ref": format!("#/$defs/{}", kind.name)}],
        })
    });
    let root = json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    let mut any_of: Vec<Json> = vec![root];
    any_of.extend(files);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A spec of gen",
        "type": "object",
        "anyOf": any_of,
        "$defs": defs,
    })
}

/// Returns the JSON Schema of the config of a generator: the fields of `kind`, each in the one form that is written out,
/// for a form to be made of.
#[must_use]
pub fn config_schema(kind: &Kind) -> Json {
    let mut schema = config_of_record(&kind.fields);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["description"] = json!(*kind.doc);
    schema
}

fn config_of_record(record: &Record) -> Json {
    let properties: Map<String, Json> = record
        .fields
        .iter()
        .map(|(name, field)| {
            let mut schema = described(config_of(&field.ty), field);
            if let Some(limits) = &field.limits {
                limit(&mut schema, &field.ty, limits);
            }
            (name.to_string(), schema)
        })
        .collect();
    let required = record.fields.iter().filter(|(_, it)| it.required);
    let required: Vec<&str> = required.map(|(name, _)| &**name).collect();
    json!({"type": "object", "required": required, "properties": properties, "additionalProperties": false})
}

fn config_of(of: &Type) -> Json {
    match of {
        Type::String | Type::Text => json!({"type": "string"}),
        Type::List(item) => json!({"type": "array", "items": config_of(item)}),
        Type::Map(item) => json!({"type": "object", "additionalProperties": config_of(item)}),
        Type::Record(record) => config_of_record(record),
        other => ty(other),
    }
}

fn engine_properties() -> Map<String, Json> {
    let names = json!({"type": "array", "items": {"type": "string"}});
    let mut properties = Map::new();
    let mut add = |name: &str, doc: &str, mut schema: Json| {
        schema["description"] = json!(doc);
        properties.insert(name.to_owned(), schema);
    };
    add(
        "version",
        "The version of the spec's grammar.",
        json!({"type": ["string", "number"]}),
    );
    add("name", "The name of the project.", json!({"type": "string"}));
    add("include", "Globs of files that are part of this spec.", names.clone());
    add("packs", "Packs from elsewhere, by name.", elsewhere());
    add("disable", "Rules to turn off, as `pack/rule`.", names);
    let overlays =
        json!({"type": "object", "additionalProperties": {"anyOf": [{"$ref": "#/$defs/overlay"}, {"type": "null"}]}});
    add(
        "environments",
        "Overlays by environment: maps merge, null removes, lists replace.",
        overlays,
    );
    properties
}

/// Returns the schema of what is said of packs from elsewhere.
fn elsewhere() -> Json {
    let text = |doc: &str| json!({"description": doc, "type": "string"});
    let revision = |doc: &str| json!({"description": doc, "type": ["string", "number"]});
    let folder = json!({
        "path": text("A folder that holds `rules/NAME/` and `templates/NAME/`."),
    });
    let git = json!({
        "git": text("A repository of git: its URL, or a path."),
        "rev": revision("A commit."),
        "tag": revision("A tag."),
        "branch": revision("A branch, as it was when it was locked."),
        "dir": text("The folder in it that holds `rules/NAME/` and `templates/NAME/`."),
    });
    let form = |required: &str, properties: Json| json!({"type": "object", "required": [required], "properties": properties, "additionalProperties": false});
    json!({
        "type": "object",
        "additionalProperties": {"anyOf": [form("path", folder), form("git", git)]},
    })
}

fn collections(schema: &Schema) -> Map<String, Json> {
    let listed = schema.kinds.values().filter_map(|kind| {
        let collection = kind.collection.as_ref()?;
        let nodes = json!({
            "description": *kind.doc,
            "type": ["object", "null"],
            "additionalProperties": {"anyOf": [{"$ref": format!("#/$defs/{}", kind.name)}, {"type": "null"}]},
        });
        Some((collection.to_string(), nodes))
    });
    listed.collect()
}

fn project_properties(schema: &Schema) -> Map<String, Json> {
    let Some(project) = schema.kinds.get("project") else {
        return Map::new();
    };
    let mut properties = record_properties(&project.fields);
    for (path, kind) in &schema.declares {
        let nodes = json!({"$ref": format!("#/$defs/{kind}")});
        let Some((first, rest)) = path.0.split_first() else {
            continue;
        };
        let start = properties.get_mut(&**first);
        // Each step but the first lies within the record of the one before.
        let end = rest.iter().try_fold(start, |at, step| {
            let inner = at?.get_mut("properties")?.get_mut(&**step);
            inner.is_some().then_some(inner)
        });
        if let Some(Some(found)) = end {
            found["additionalProperties"] = json!({"anyOf": [nodes, {"type": "null"}]});
        }
    }
    properties
}

fn overlay(schema: &Schema) -> Json {
    let mut properties = collections(schema);
    properties.extend(project_properties(schema));
    let dir = json!({"type": "string", "description": "The folder of its artifacts; by default its name."});
    properties.insert("dir".to_owned(), dir);
    json!({"type": "object", "properties": properties, "additionalProperties": false})
}

fn node(kind: &Kind) -> Json {
    let mut properties = record_properties(&kind.fields);
    let overlays = json!({
        "description": "Overlays of this node alone, by environment; they lie over the root's.",
        "type": "object",
        "additionalProperties": {"anyOf": [{"$ref": format!("#/$defs/{}", kind.name)}, {"type": "null"}]},
    });
    properties.insert("environments".to_owned(), overlays);
    if kind.collection.is_some() {
        // The key by which a whole file is one node.
        properties
            .entry(kind.name.to_string())
            .or_insert_with(|| json!({"type": "string"}));
    }
    json!({
        "description": *kind.doc,
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}

fn record_properties(record: &Record) -> Map<String, Json> {
    record
        .fields
        .iter()
        .map(|(name, it)| (name.to_string(), field(it)))
        .collect()
}

fn field(field: &Field) -> Json {
    let mut schema = ty(&field.ty);
    if let Some(limits) = &field.limits {
        limit(&mut schema, &field.ty, limits);
    }
    described(nullable(schema), field)
}

/// Adds to the schema of a field what its reader should know.
fn described(mut schema: Json, field: &Field) -> Json {
    let mut doc = field.doc.to_string();
    if let Some(unit) = &field.unit {
        doc = format!("{doc} In {unit}.").trim_start().to_owned();
    }
    if let Some(instead) = &field.deprecated {
        schema["deprecated"] = json!(true);
        doc = format!("{doc} Deprecated: {instead}.").trim_start().to_owned();
    }
    if !doc.is_empty() {
        schema["description"] = json!(doc);
    }
    let measured = matches!(field.ty, Type::Duration | Type::Cpu { .. } | Type::Memory { .. });
    if let Some(default) = field.default.as_ref().filter(|_| !measured) {
        schema["default"] = plain(default);
    }
    schema
}

/// Adds what `limits` ask for: of a list or map, to what it holds. A quantity has its bounds from `gen` alone, since
/// it is written with its unit.
fn limit(schema: &mut Json, ty: &Type, limits: &Limits) {
    if let (Type::Map(_), Some(keys)) = (ty, &limits.keys) {
        schema["propertyNames"] = json!({"pattern": keys.as_str()});
    }
    let inner = match ty {
        Type::List(item) => Some((item, "items")),
        Type::Map(item) => Some((item, "additionalProperties")),
        _ => None,
    };
    if let Some((item, key)) = inner {
        if let Some(within) = schema.get_mut(key) {
            limit(within, item, limits);
        }
        return;
    }
    if matches!(ty, Type::Int | Type::Double) {
        for (key, bound) in [("minimum", &limits.min), ("maximum", &limits.max)] {
            if let Some(bound) = bound {
                schema[key] = plain(&bound.value);
            }
        }
    }
    if let Some(pattern) = &limits.pattern {
        let pattern = match ty {
            // A text may hold a reference instead.
            Type::Text => format!(r"{}|\$\{{", pattern.as_str()),
            _ => pattern.as_str().to_owned(),
        };
        schema["pattern"] = json!(pattern);
    }
    if !limits.known.is_empty() {
        // Editors offer what is listed, and take what else is written.
        let names: Vec<&str> = limits.known.iter().map(|it| &**it).collect();
        let free = schema.take();
        *schema = json!({"anyOf": [{"enum": names}, free]});
    }
}

/// Lets a field be `null`, which removes it in an overlay.
fn nullable(mut schema: Json) -> Json {
    if let Some(single) = schema.get("type").and_then(Json::as_str).map(str::to_owned) {
        schema["type"] = json!([single, "null"]);
        if let Some(values) = schema.get_mut("enum").and_then(Json::as_array_mut) {
            values.push(Json::Null);
        }
        return schema;
    }
    if let Some(types) = schema.get_mut("type").and_then(Json::as_array_mut) {
        types.push(json!("null"));
        return schema;
    }
    if let Some(choices) = schema.get_mut("anyOf").and_then(Json::as_array_mut) {
        choices.push(json!({"type": "null"}));
    }
    schema
}

fn ty(of: &Type) -> Json {
    match of {
        Type::Any | Type::Edge(_) => json!({}),
        Type::Null => json!({"type": "null"}),
        Type::Bool => json!({"type": "boolean"}),
        Type::Int => json!({"type": "integer"}),
        Type::Double => json!({"type": "number"}),
        // What has a number's form is a text all the same.
        Type::String | Type::Text => json!({"type": ["string", "number", "boolean"]}),
        Type::Node(_) => json!({"type": "string"}),
        Type::Duration => json!({
            "type": "string",
            "pattern": r"^([0-9.]+ ?(ms|s|m|h|d) ?)+$|^0$",
            "examples": ["30s", "1m30s"],
        }),
        Type::Cpu { bare } => {
            let pattern = r"^[0-9.]+ ?(m|MHz|GHz)?$";
            match bare {
                Bare::Refused => json!({"type": "string", "pattern": pattern, "examples": ["250m"]}),
                _ => json!({"type": ["string", "number"], "pattern": pattern, "examples": [2, "250m"]}),
            }
        }
        Type::Memory { bare } => {
            let pattern = r"^[0-9.]+ ?(B|[kKMGT]B?|[KMGT]i|[KMG]iB)?$";
            match bare {
                Bare::Mebibytes => {
                    json!({"type": ["string", "number"], "pattern": pattern, "examples": [256, "256Mi"]})
                }
                _ => json!({"type": "string", "pattern": pattern, "examples": ["256Mi", "1.5Gi"]}),
            }
        }
        Type::Choice(choices) => {
            let names: Vec<&str> = choices.iter().map(|it| &**it).collect();
            json!({"type": "string", "enum": names})
        }
        Type::List(item) => json!({"type": "array", "items": ty(item)}),
        Type::Map(item) => {
            let map = json!({"type": "object", "additionalProperties": nullable(ty(item))});
            if !matches!(**item, Type::Record(_)) {
                return map;
            }
            let names = json!({"type": "array", "items": {"type": "string"}, "uniqueItems": true});
            json!({"anyOf": [map, names]})
        }
        Type::Record(record) => {
            let whole = json!({
                "type": "object",
                "properties": record_properties(record),
                "additionalProperties": false,
            });
            let short = record.short.as_ref().and_then(|it| record.fields.get(it));
            match short {
                Some(short) => {
                    let mut alone = ty(&short.ty);
                    if let Some(limits) = &short.limits {
                        limit(&mut alone, &short.ty, limits);
                    }
                    json!({"anyOf": [alone, whole]})
                }
                None => whole,
            }
        }
    }
}

fn plain(value: &Value) -> Json {
    match value {
        Value::Null | Value::Node(_) | Value::Text(_) => Json::Null,
        Value::Bool(it) => json!(it),
        Value::Int(it) => json!(it),
        Value::Double(it) => json!(it.0),
        Value::String(it) => json!(**it),
        Value::List(items) => Json::Array(items.iter().map(plain).collect()),
        Value::Map(map) => Json::Object(map.iter().map(|(name, it)| (name.to_string(), plain(it))).collect()),
    }
}
