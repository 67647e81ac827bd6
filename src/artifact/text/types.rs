//! The heads of partials: which parameters they take, and of which types.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::scan;
use crate::kind::{Bare, Schema, Type};
use crate::problem::{Place, Problem, Span};
use crate::value::Name;

/// Returns the parameters that the head of the partial `source`, the text of `file`, declares:
///
/// ```text
/// {{!--
/// One line of a tube.
/// params:
///   name: string
///   bores: list(int)
/// --}}
/// ```
#[must_use]
pub fn partial_params(file: &Name, source: &str, schema: &Schema) -> (BTreeMap<Name, Type>, Vec<Problem>) {
    let mut params = BTreeMap::new();
    let mut problems = Vec::new();
    let Some((text, _)) = scan::head(source) else {
        return (params, problems);
    };
    let offset = source.find("{{!--").map_or(0, |it| it + 5);
    let mut at = offset;
    let mut within = false;
    for line in text.split_inclusive('\n') {
        let span = Span::new(at, at + line.trim_end().len());
        at += line.len();
        let words = line.trim();
        let listed = if let Some(rest) = words.strip_prefix("params:") {
            within = true;
            rest
        } else if within && line.starts_with([' ', '\t']) {
            words
        } else {
            within &= words.is_empty();
            continue;
        };
        for declared in split(listed) {
            let parsed = declared.split_once(':').and_then(|(name, ty)| {
                let name = name.trim();
                let fits = !name.is_empty() && name.chars().all(|it| it.is_alphanumeric() || it == '_' || it == '-');
                fits.then_some(())?;
                Some((Name::from(name), parse_type(ty.trim(), schema)?))
            });
            match parsed {
                Some((name, ty)) => {
                    params.insert(name, ty);
                }
                None => {
                    let message = format!("`{}` declares no parameter", declared.trim());
                    problems.push(
                        Problem::error("template::params", message)
                            .at(Place::Text(file.clone(), span), "here")
                            .help("write `name: type`, with `string`, `text`, `int`, `double`, `bool`, `any`, `list(…)`, `map(…)` or kinds of node"),
                    );
                }
            }
        }
    }
    (params, problems)
}

/// Splits `text` at the commas outside of brackets.
fn split(text: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    let parts = text.split(|ch: char| {
        match ch {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        ch == ',' && depth == 0
    });
    parts.filter(|it| !it.trim().is_empty()).collect()
}

/// Returns the type that `text` writes, as types are printed: `list(string)`, `service|infra`.
#[must_use]
pub fn parse_type(text: &str, schema: &Schema) -> Option<Type> {
    parse_nested(text, schema, 0)
}

fn parse_nested(text: &str, schema: &Schema, depth: usize) -> Option<Type> {
    if depth > 16 {
        return None;
    }
    let inner = |name: &str| {
        let rest = text.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')')?;
        parse_nested(rest.trim(), schema, depth + 1).map(Arc::new)
    };
    Some(match text {
        "any" => Type::Any,
        "bool" => Type::Bool,
        "int" => Type::Int,
        "double" | "float" => Type::Double,
        "string" => Type::String,
        "text" => Type::Text,
        "duration" => Type::Duration,
        "cpu" => Type::Cpu { bare: Bare::Refused },
        "memory" => Type::Memory { bare: Bare::Refused },
        "node" => Type::Node([].into()),
        _ => {
            if let Some(item) = inner("list") {
                return Some(Type::List(item));
            }
            if let Some(item) = inner("map") {
                return Some(Type::Map(item));
            }
            let kinds: Vec<Name> = text.split('|').map(|it| Name::from(it.trim())).collect();
            if !kinds.iter().all(|it| schema.kinds.contains_key(it)) {
                return None;
            }
            Type::Node(kinds.into())
        }
    })
}

/// Tells whether a value of type `from` may stand where `to` is wanted.
pub(super) fn fits(from: &Type, to: &Type) -> bool {
    match (from, to) {
        (_, Type::Any) => true,
        (Type::String | Type::Choice(_) | Type::Text, Type::Text) => true,
        (Type::Choice(_), Type::String) => true,
        (Type::Int, Type::Double) => true,
        (Type::Cpu { .. }, Type::Cpu { .. }) | (Type::Memory { .. }, Type::Memory { .. }) => true,
        (Type::List(from), Type::List(to)) | (Type::Map(from), Type::Map(to)) => fits(from, to),
        (Type::Node(from), Type::Node(to)) => to.is_empty() || (!from.is_empty() && from.iter().all(|it| to.contains(it))),
        (from, to) => from == to,
    }
}
