//! The reference page of one pack: all that it lets a spec say and gives to rules, from its own docs.

use std::fmt::Write as _;

use super::pack::PackInfo;
use super::{Field, Limits, Record, Schema, Shape, Type};
use crate::value::{Name, Path, Value};

/// What a page tells of a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuleNote {
    /// Its name within the pack.
    pub name: Name,
    /// One sentence about it.
    pub doc: Name,
    /// The path of the artifact that it prints, as it stands in the rule, if it prints one.
    pub prints: Option<Name>,
}

/// Returns the page of `pack` as Markdown, in which its `rules` stand too.
#[must_use]
pub fn page(schema: &Schema, pack: &PackInfo, rules: &[RuleNote]) -> String {
    let mut page = format!("# The pack `{}`\n\n{}\n", pack.name, pack.doc);
    if let Some(platform) = &pack.platform {
        _ = write!(page, "\nIt is for the platform `{platform}`.\n");
    }
    if !pack.requires.is_empty() {
        _ = write!(page, "\nIt needs {}.\n", names(&pack.requires));
    }
    if let Some(it) = &pack.generator {
        _ = write!(
            page,
            "\nCatalogues of generators list it as {} “{}”, in `{}`, for the executor `{}`; a config is a `{}`. `gen pack \
             show {} --json` prints its schema.\n",
            it.icon, it.name, it.category, it.executor, it.config, pack.name
        );
    }
    if !pack.example.is_empty() {
        _ = write!(page, "\n## An example\n\n```yaml\n{}\n```\n", pack.example.trim_end());
    }
    prints_table(rules, &mut page);
    for pattern in &pack.patterns {
        _ = write!(
            page,
            "\n## The pattern `{}`\n\n{} It sets:\n\n",
            pattern.name, pattern.doc
        );
        for (path, yaml) in &pattern.set {
            _ = writeln!(page, "- `{path}: {yaml}`");
        }
    }
    for kind in schema.kinds.values() {
        let mut fields = Vec::new();
        rows(&kind.fields, &Path::default(), &pack.name, &mut fields);
        let is_own = kind.pack == pack.name;
        if fields.is_empty() && !is_own {
            continue;
        }
        _ = write!(page, "\n## Fields of `{}`\n", kind.name);
        if is_own {
            _ = write!(page, "\n{}\n", kind.doc);
            if let Some(collection) = &kind.collection {
                _ = write!(page, "\nIn a spec, under `{collection}`.\n");
            }
        }
        fields_table(&fields, &mut page);
        if is_own && !kind.attributes.is_empty() {
            _ = write!(page, "\nMentioned in texts as `${{{}.NAME.ATTRIBUTE}}`:\n\n", kind.name);
            for (name, doc) in &kind.attributes {
                _ = writeln!(page, "- `{name}`: {doc}");
            }
            if let Some(path) = &kind.attributes_from {
                _ = writeln!(page, "- each key of `{path}`.");
            }
        }
    }
    for edge in schema.edges.values().filter(|it| it.pack == pack.name) {
        let ends = |kinds: &[Name]| {
            if kinds.is_empty() {
                "any node".to_owned()
            } else {
                names(kinds)
            }
        };
        _ = write!(
            page,
            "\n## The edge `{}`\n\n{} From {} to {}.\n",
            edge.name,
            edge.doc,
            ends(&edge.from),
            ends(&edge.to)
        );
        let mut fields = Vec::new();
        rows(&edge.fields, &Path::default(), &pack.name, &mut fields);
        fields_table(&fields, &mut page);
    }
    let aliases: Vec<_> = schema.aliases.iter().filter(|it| it.pack == pack.name).collect();
    if !aliases.is_empty() {
        page.push_str("\n## Words for words\n\n| written | means |\n|---|---|\n");
        for alias in aliases {
            _ = writeln!(page, "| `{}` | `{}` |", alias.own, alias.neutral);
        }
    }
    let unsupported: Vec<_> = schema.unsupported.iter().filter(|it| it.pack == pack.name).collect();
    if !unsupported.is_empty() {
        page.push_str("\n## Not supported\n\n| field | instead |\n|---|---|\n");
        for field in unsupported {
            _ = writeln!(
                page,
                "| `{}` | {} |",
                field.path,
                cell(field.reason.as_deref().unwrap_or(""))
            );
        }
    }
    let relations: Vec<_> = schema.relations.values().filter(|it| it.pack == pack.name).collect();
    if !relations.is_empty() {
        page.push_str("\n## Relations\n\nWhat rules may read of a node.\n\n| relation | of | fields | what it says |\n|---|---|---|---|\n");
        for relation in relations {
            let fields: Vec<String> = relation.fields.fields.keys().map(|it| format!("`{it}`")).collect();
            let shape = match &relation.shape {
                Shape::One => " One at most.".to_owned(),
                Shape::Set => String::new(),
                Shape::List { order_by } => format!(" In the order of `{order_by}`."),
            };
            _ = writeln!(
                page,
                "| `{}` | {} | {} | {}{shape} |",
                relation.name,
                relation.of.join(", "),
                fields.join(", "),
                cell(&relation.doc)
            );
        }
    }
    if !rules.is_empty() {
        page.push_str("\n## Rules\n\n| rule | what it does |\n|---|---|\n");
        for rule in rules {
            _ = writeln!(page, "| `{}` | {} |", rule.name, cell(&rule.doc));
        }
    }
    page
}

fn prints_table(rules: &[RuleNote], page: &mut String) {
    let mut printing = rules.iter().filter_map(|it| Some((it.prints.as_ref()?, it))).peekable();
    if printing.peek().is_none() {
        return;
    }
    page.push_str(
        "\n## What it prints\n\nPaths as the rules write them, below the folder of an environment.\n\n| file | rule | what it is |\n|---|---|---|\n",
    );
    for (path, rule) in printing {
        _ = writeln!(page, "| `{}` | `{}` | {} |", cell(path), rule.name, cell(&rule.doc));
    }
}

/// Adds the fields of `record` that `pack` declares, each with its way; an edge's own fields stand with the edge.
fn rows<'r>(record: &'r Record, at: &Path, pack: &Name, found: &mut Vec<(Path, &'r Field)>) {
    for (name, field) in &record.fields {
        let path = at.join(name.clone());
        if field.pack == *pack && !(matches!(field.ty, Type::Record(_)) && field.doc.is_empty()) {
            found.push((path.clone(), field));
        }
        if field.edge.is_none() {
            within(&field.ty, &path, pack, found);
        }
    }
}

fn within<'r>(ty: &'r Type, at: &Path, pack: &Name, found: &mut Vec<(Path, &'r Field)>) {
    match ty {
        Type::Record(inner) => rows(inner, at, pack, found),
        Type::List(item) | Type::Map(item) if matches!(**item, Type::Record(_)) => {
            within(item, &at.join("*"), pack, found)
        }
        _ => {}
    }
}

fn fields_table(fields: &[(Path, &Field)], page: &mut String) {
    if fields.is_empty() {
        return;
    }
    page.push_str("\n| field | type | default | what it says |\n|---|---|---|---|\n");
    for (path, field) in fields {
        let default = match &field.default {
            Some(value) => default(value, &field.ty),
            None if field.required => "must be given".to_owned(),
            None => String::new(),
        };
        let mut doc = cell(&field.doc);
        if let Some(limits) = &field.limits {
            doc = format!("{doc} {}", bounds(limits)).trim().to_owned();
        }
        if let Some(instead) = &field.deprecated {
            doc = format!("{doc} Deprecated: {instead}.").trim().to_owned();
        }
        _ = writeln!(page, "| `{path}` | {} | {default} | {doc} |", ty(field));
    }
}

fn ty(field: &Field) -> String {
    if let Some(edge) = &field.edge {
        return format!("edges `{edge}`");
    }
    let mut inner = &field.ty;
    let mut around: Vec<&str> = Vec::new();
    loop {
        match inner {
            Type::List(_) => around.push("list"),
            Type::Map(_) => around.push("map"),
            _ => break,
        }
        let (Type::List(item) | Type::Map(item)) = inner else {
            break;
        };
        inner = item;
    }
    let mut text = match inner {
        Type::Choice(choices) => choices
            .iter()
            .map(|it| format!("`{it}`"))
            .collect::<Vec<_>>()
            .join(", "),
        Type::Record(record) => match &record.short {
            Some(short) => format!("record, short for its `{short}`"),
            None => "record".to_owned(),
        },
        ty => ty.to_string(),
    };
    for what in around.iter().rev() {
        text = format!("{what} of {text}");
    }
    match &field.unit {
        Some(unit) => format!("{text}, {unit}"),
        None => text,
    }
}

fn default(value: &Value, ty: &Type) -> String {
    let text = match (ty, value) {
        (Type::Duration, Value::Int(it)) => super::unit::duration_text(*it),
        (Type::Memory { .. }, Value::Int(it)) => super::unit::memory_text(*it),
        (Type::Cpu { .. }, Value::Int(it)) => super::unit::cpu_text(*it),
        (_, Value::String(it)) if it.is_empty() => "\"\"".to_owned(),
        (_, Value::String(it)) => it.to_string(),
        (_, Value::Bool(it)) => it.to_string(),
        (_, Value::Int(it)) => it.to_string(),
        (_, Value::Double(it)) => it.0.to_string(),
        (Type::List(item), Value::List(items)) => {
            let items: Vec<String> = items.iter().map(|it| default(it, item).replace('`', "")).collect();
            format!("[{}]", items.join(", "))
        }
        _ => "…".to_owned(),
    };
    format!("`{text}`")
}

fn bounds(limits: &Limits) -> String {
    let range = match (&limits.min, &limits.max) {
        (Some(min), Some(max)) => format!("From {} to {}.", min.written, max.written),
        (Some(min), None) => format!("{} or more.", min.written),
        (None, Some(max)) => format!("{} or less.", max.written),
        (None, None) => String::new(),
    };
    let known = match &*limits.known {
        [] => String::new(),
        known => format!("Known are {}.", names(known)),
    };
    match &limits.hint {
        Some(hint) if range.is_empty() => format!("({}) {known}", cell(hint)).trim().to_owned(),
        _ => format!("{range} {known}").trim().to_owned(),
    }
}

fn names(names: &[Name]) -> String {
    let names: Vec<String> = names.iter().map(|it| format!("`{it}`")).collect();
    names.join(", ")
}

/// Returns `text` as it may stand in a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
