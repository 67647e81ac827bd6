//! Values that are written out: numbers, strings, lists, maps.

use std::collections::BTreeMap;
use std::sync::Arc;

use cel::common::ast::{EntryExpr, Expr, IdedExpr, ListExpr, LiteralValue, MapExpr};

use super::super::reads::Trace;
use super::super::tree::{Asked, Op, Tree};
use super::{Checker, Typed, typed};
use crate::kind::{Field, Record, Type};
use crate::problem::Problem;
use crate::value::{Double, Name, Value};

impl Checker<'_> {
    pub(super) fn literal(&mut self, it: &IdedExpr, literal: &LiteralValue) -> (Tree, Typed) {
        let (value, ty) = match literal {
            LiteralValue::Boolean(truth) => (Value::Bool(*truth.inner()), Type::Bool),
            LiteralValue::Int(number) => (Value::Int(*number.inner()), Type::Int),
            LiteralValue::Double(number) if number.inner().is_finite() => {
                (Value::Double(Double(*number.inner())), Type::Double)
            }
            LiteralValue::String(text) => (Value::from(text.inner()), Type::String),
            LiteralValue::Null => (Value::Null, Type::Null),
            LiteralValue::Double(_) => {
                let problem =
                    Problem::error("expression::syntax", "the number is too large").help("write a smaller one");
                return self.refuse(problem, self.span(it), "not a finite number");
            }
            LiteralValue::UInt(_) => {
                let problem = Problem::error("expression::syntax", "there are no unsigned numbers here");
                return self.refuse(problem.help("leave the `u` out"), self.span(it), "unsigned");
            }
            LiteralValue::Bytes(_) => {
                let problem = Problem::error("expression::syntax", "there are no byte strings here");
                return self.refuse(problem.help("leave the `b` out"), self.span(it), "bytes");
            }
        };
        let mut typed = Typed::new(ty, Vec::new());
        typed.nullable = value == Value::Null;
        typed.literal = Some(value.clone());
        (self.tree(it, Op::Literal(value)), typed)
    }

    pub(super) fn list(&mut self, it: &IdedExpr, list: &ListExpr) -> (Tree, Typed) {
        let mut items = Vec::with_capacity(list.elements.len());
        let mut all: Option<Typed> = None;
        let mut traces: Vec<Trace> = Vec::new();
        let mut mixed = false;
        for (at, element) in list.elements.iter().enumerate() {
            let (tree, mut typed) = self.check(element);
            let asked = if list.optional_indices.contains(&at) {
                Asked::Optionally
            } else {
                Asked::Plainly
            };
            typed = self.maybe_left_out(element, typed, asked);
            traces.extend(typed.traces.iter().cloned());
            typed.literal = None;
            items.push((tree, asked));
            all = match all {
                None => Some(typed),
                Some(before) => {
                    let broken = before.broken || typed.broken;
                    let joined = before.join(typed);
                    mixed |= joined.is_none();
                    Some(joined.unwrap_or_else(|| Typed {
                        broken,
                        ..Typed::new(Type::Any, Vec::new())
                    }))
                }
            };
        }
        let empty = items.is_empty();
        let broken = all.as_ref().is_some_and(|it| it.broken);
        let item = match all {
            Some(typed) if !mixed && !typed.nullable => typed.ty,
            _ => Type::Any,
        };
        let mut typed = Typed::new(Type::List(Arc::new(item)), vec![Trace::Each(traces.into())]);
        typed.empty = empty;
        typed.broken = broken;
        (self.tree(it, Op::List(items)), typed)
    }

    pub(super) fn map(&mut self, it: &IdedExpr, map: &MapExpr) -> (Tree, Typed) {
        let mut entries = Vec::with_capacity(map.entries.len());
        let mut fields: BTreeMap<Name, Field> = BTreeMap::new();
        let mut traces: BTreeMap<Name, Vec<Trace>> = BTreeMap::new();
        let mut others = Vec::new();
        let mut broken = false;
        let mut computed = false;
        for entry in &map.entries {
            let EntryExpr::MapEntry(entry) = &entry.expr else {
                continue;
            };
            let (key_tree, key) = self.check(&entry.key);
            self.places.whole(&key.traces);
            if !(key.broken || key.ty == Type::Any || super::super::types::is_text(&key.ty)) || key.optional {
                let message = format!("the keys of a map are strings, not `{}`", key.words());
                let problem = Problem::error("expression::wrong_type", message);
                self.report(
                    problem.help("write it in quotes"),
                    self.span(&entry.key),
                    "not a string",
                );
                broken = true;
            }
            let asked = if entry.optional {
                Asked::Optionally
            } else {
                Asked::Plainly
            };
            let (value_tree, value) = self.check(&entry.value);
            let value = self.maybe_left_out(&entry.value, value, asked);
            broken |= key.broken || value.broken;
            let ty = if value.nullable { Type::Any } else { value.ty };
            match &entry.key.expr {
                Expr::Literal(LiteralValue::String(name)) => {
                    let name = Name::from(name.inner());
                    let mut field = Field::always(ty, "");
                    field.required = !entry.optional;
                    if fields.insert(name.clone(), field).is_some() {
                        let problem =
                            Problem::error("expression::syntax", format!("the key `{name}` stands twice in a map"));
                        let problem = problem.help("leave one of the two out");
                        self.report(problem, self.span(&entry.key), "again");
                    }
                    traces.insert(name, value.traces);
                }
                _ => {
                    computed = true;
                    traces.entry(Name::from("")).or_default().extend(value.traces);
                    others.push(ty);
                }
            }
            entries.push((key_tree, value_tree, asked));
        }
        let ty = if computed {
            let all = fields.into_values().map(|it| it.ty).chain(others);
            Type::Map(Arc::new(typed::common(all)))
        } else {
            Type::Record(Arc::new(Record { fields, short: None }))
        };
        let trace = if computed {
            Trace::Each(traces.into_values().flatten().collect())
        } else {
            Trace::Members(Arc::new(traces))
        };
        let mut typed = Typed::new(ty, vec![trace]);
        typed.empty = entries.is_empty();
        typed.broken = broken;
        (self.tree(it, Op::Map(entries)), typed)
    }

    /// Checks an item or entry: one with a question mark holds an optional, no other does.
    fn maybe_left_out(&mut self, it: &IdedExpr, mut typed: Typed, asked: Asked) -> Typed {
        if typed.broken {
            return typed;
        }
        if typed.optional != (asked == Asked::Optionally) {
            let problem = Problem::error(
                "expression::wrong_type",
                format!("`{}` can't stand here", typed.words()),
            );
            let help = match asked {
                Asked::Plainly => "give it a value with `orValue(…)`, or write `?` before it to leave it out",
                Asked::Optionally => "leave the `?` out",
            };
            self.report(problem.help(help), self.span(it), "wrong type");
            return Typed::broken();
        }
        typed.optional = false;
        typed
    }
}
