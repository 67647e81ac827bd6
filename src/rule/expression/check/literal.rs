//! Values that are written out: numbers, strings, lists, maps.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::reads::Trace;
use super::super::syntax::{Foreign, Syntax};
use super::super::tree::{Asked, Op, Tree};
use super::{Checker, Typed, typed};
use crate::kind::{Field, Record, Type};
use crate::problem::Problem;
use crate::value::{Name, Value};

impl Checker<'_> {
    pub(super) fn literal(&mut self, it: &Syntax<'_>, value: &Value) -> (Tree, Typed) {
        let ty = match value {
            Value::Null => Type::Null,
            Value::Bool(_) => Type::Bool,
            Value::Int(_) => Type::Int,
            Value::Double(_) => Type::Double,
            _ => Type::String,
        };
        let mut typed = Typed::new(ty, Vec::new());
        typed.nullable = *value == Value::Null;
        typed.literal = Some(value.clone());
        (self.tree(it, Op::Literal(value.clone())), typed)
    }

    /// Refuses what CEL has and we have not.
    pub(super) fn foreign(&mut self, it: &Syntax<'_>, what: Foreign) -> (Tree, Typed) {
        let (message, help, label) = match what {
            Foreign::Unsigned => ("there are no unsigned numbers here", "leave the `u` out", "unsigned"),
            Foreign::Bytes => ("there are no byte strings here", "leave the `b` out", "bytes"),
            Foreign::Message => (
                "messages can't be made in an expression",
                "write a map: `{'field': value}`",
                "not known here",
            ),
        };
        let problem = Problem::error("expression::syntax", message);
        self.refuse(problem.help(help), it.sign, label)
    }

    pub(super) fn list(&mut self, it: &Syntax<'_>, list: &[(Syntax<'_>, Asked)]) -> (Tree, Typed) {
        let mut items = Vec::with_capacity(list.len());
        let mut all: Option<Typed> = None;
        let mut traces: Vec<Trace> = Vec::new();
        let mut mixed = false;
        for (element, asked) in list {
            let (tree, mut typed) = self.check(element);
            typed = self.maybe_left_out(element, typed, *asked);
            traces.extend(typed.traces.iter().cloned());
            typed.literal = None;
            items.push((tree, *asked));
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

    pub(super) fn map(&mut self, it: &Syntax<'_>, map: &[(Syntax<'_>, Syntax<'_>, Asked)]) -> (Tree, Typed) {
        let mut entries = Vec::with_capacity(map.len());
        let mut fields: BTreeMap<Name, Field> = BTreeMap::new();
        let mut traces: BTreeMap<Name, Vec<Trace>> = BTreeMap::new();
        let mut others = Vec::new();
        let mut broken = false;
        let mut computed = false;
        for (key_syntax, value_syntax, asked) in map {
            let (key_tree, key) = self.check(key_syntax);
            self.places.whole(&key.traces);
            if !(key.broken || key.ty == Type::Any || super::super::types::is_text(&key.ty)) || key.optional {
                let message = format!("the keys of a map are strings, not `{}`", key.words());
                let problem = Problem::error("expression::wrong_type", message);
                self.report(problem.help("write it in quotes"), key_syntax.sign, "not a string");
                broken = true;
            }
            let (value_tree, value) = self.check(value_syntax);
            let value = self.maybe_left_out(value_syntax, value, *asked);
            broken |= key.broken || value.broken;
            let ty = if value.nullable { Type::Any } else { value.ty };
            match key_syntax.as_str() {
                Some(name) => {
                    let name = Name::from(name);
                    let mut field = Field::always(ty, "");
                    field.required = *asked == Asked::Plainly;
                    if fields.insert(name.clone(), field).is_some() {
                        let problem =
                            Problem::error("expression::syntax", format!("the key `{name}` stands twice in a map"));
                        let problem = problem.help("leave one of the two out");
                        self.report(problem, key_syntax.sign, "again");
                    }
                    traces.insert(name, value.traces);
                }
                None => {
                    computed = true;
                    traces.entry(Name::from("")).or_default().extend(value.traces);
                    others.push(ty);
                }
            }
            entries.push((key_tree, value_tree, *asked));
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
    fn maybe_left_out(&mut self, it: &Syntax<'_>, mut typed: Typed, asked: Asked) -> Typed {
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
            self.report(problem.help(help), it.sign, "wrong type");
            return Typed::broken();
        }
        typed.optional = false;
        typed
    }
}
