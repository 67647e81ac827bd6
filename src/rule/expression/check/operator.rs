//! Signs between values: which types they join, and what can never be equal.

use super::super::syntax::Syntax;
use super::super::tree::{Binary, Op, Tree};
use super::super::types::{self, is_number, is_text, is_whole};
use super::{Checker, Typed};
use crate::kind::Type;
use crate::problem::Problem;
use crate::value::Value;

impl Checker<'_> {
    /// Checks a condition, and returns its checked form.
    pub(super) fn condition(&mut self, it: &Syntax<'_>) -> Tree {
        let (tree, typed) = self.check(it);
        self.places.whole(&typed.traces);
        let fits = typed.broken || (matches!(typed.ty, Type::Bool | Type::Any) && !typed.optional && !typed.nullable);
        if !fits {
            let problem = Problem::error(
                "expression::wrong_type",
                format!("a condition is `bool`, not `{}`", typed.words()),
            );
            let problem = match &typed.ty {
                _ if typed.optional => problem.help("write `.hasValue()` or `.orValue(false)` behind it"),
                ty if is_number(ty) => problem.help("compare it: `… > 0`"),
                ty if is_text(ty) => problem.help("compare it: `… != ''`"),
                Type::List(_) | Type::Map(_) => problem.help("ask for its size: `size(…) > 0`"),
                _ => problem,
            };
            self.report(problem, it.sign, "not a condition");
        }
        tree
    }

    pub(super) fn both(
        &mut self,
        it: &Syntax<'_>,
        [a, b]: &[Syntax<'_>; 2],
        wrap: fn(Box<[Tree; 2]>) -> Op,
    ) -> (Tree, Typed) {
        let first = self.condition(a);
        let follows = self.follows(a);
        let known = if matches!(wrap(Box::new([broken(), broken()])), Op::And(_)) {
            follows.if_true
        } else {
            follows.if_false
        };
        let second = self.knowing(&known, |it| it.condition(b));
        let tree = self.tree(it, wrap(Box::new([first, second])));
        (tree, Typed::new(Type::Bool, Vec::new()))
    }

    pub(super) fn not(&mut self, it: &Syntax<'_>, inner: &Syntax<'_>) -> (Tree, Typed) {
        let inner = self.condition(inner);
        (
            self.tree(it, Op::Not(Box::new(inner))),
            Typed::new(Type::Bool, Vec::new()),
        )
    }

    pub(super) fn negate(&mut self, it: &Syntax<'_>, inner: &Syntax<'_>) -> (Tree, Typed) {
        let (tree, typed) = self.check(inner);
        self.places.whole(&typed.traces);
        if !typed.broken && !(self.is_plain(&typed) && (is_number(&typed.ty) || typed.ty == Type::Any)) {
            let message = format!("`-` wants a number, not `{}`", typed.words());
            return self.refuse(
                Problem::error("expression::wrong_type", message),
                inner.sign,
                "not a number",
            );
        }
        let typed = Typed {
            traces: Vec::new(),
            literal: None,
            ..typed
        };
        (self.tree(it, Op::Negate(Box::new(tree))), typed)
    }

    pub(super) fn conditional(&mut self, it: &Syntax<'_>, args: &[Syntax<'_>; 3]) -> (Tree, Typed) {
        let condition = self.condition(&args[0]);
        let follows = self.follows(&args[0]);
        let (yes, yes_typed) = self.knowing(&follows.if_true, |it| it.check(&args[1]));
        let (no, no_typed) = self.knowing(&follows.if_false, |it| it.check(&args[2]));
        let (a, b) = (yes_typed.words(), no_typed.words());
        let Some(typed) = yes_typed.join(no_typed) else {
            let message = format!("one branch is `{a}`, the other `{b}`");
            let problem = Problem::error("expression::wrong_type", message);
            let problem = problem.help("make them of one type, or write `dyn(…)` around one");
            return self.refuse(problem, it.sign, "types differ");
        };
        (self.tree(it, Op::Conditional(Box::new([condition, yes, no]))), typed)
    }

    /// Tells whether a value is there for certain.
    pub(super) fn is_plain(&self, typed: &Typed) -> bool {
        !typed.optional && (!typed.nullable || typed.ty == Type::Any)
    }

    pub(super) fn binary(&mut self, it: &Syntax<'_>, sign: Binary, args: &[Syntax<'_>; 2]) -> (Tree, Typed) {
        let (a_tree, a) = self.check(&args[0]);
        let (b_tree, b) = self.check(&args[1]);
        // The items of `list + list` live on; everything else is read whole.
        let lists = matches!((&a.ty, &b.ty), (Type::List(_), Type::List(_))) && sign == Binary::Add;
        if !lists {
            self.places.whole(&a.traces);
            self.places.whole(&b.traces);
        }
        let tree = self.tree(it, Op::Binary(sign, Box::new([a_tree, b_tree])));
        if a.broken || b.broken {
            let compares = matches!(
                sign,
                Binary::Equal | Binary::Differ | Binary::In | Binary::Less | Binary::Greater
            );
            let ty = if compares { Type::Bool } else { Type::Any };
            return (
                tree,
                Typed {
                    broken: ty == Type::Any,
                    ..Typed::new(ty, Vec::new())
                },
            );
        }
        for (typed, it) in [(&a, &args[0]), (&b, &args[1])] {
            if typed.optional {
                let problem = Problem::error("expression::wrong_type", format!("`{}` is an optional", typed.words()));
                let problem = problem.help("give it a value with `.orValue(…)`, or ask `.hasValue()`");
                return self.refuse(problem, it.sign, "may hold nothing");
            }
        }
        match sign {
            Binary::Equal | Binary::Differ => {
                self.comparable(it, &a, &b);
                (tree, Typed::new(Type::Bool, Vec::new()))
            }
            Binary::In => {
                self.contained(it, &a, &b);
                (tree, Typed::new(Type::Bool, Vec::new()))
            }
            _ => match self.result(sign, &a, &b) {
                Some(mut typed) => {
                    if lists {
                        typed.traces = a.traces.into_iter().chain(b.traces).collect();
                        typed.items = &a.items & &b.items;
                    }
                    (tree, typed)
                }
                None => {
                    let message = format!(
                        "`{}` can't stand between `{}` and `{}`",
                        sign.sign(),
                        a.words(),
                        b.words()
                    );
                    let mut problem = Problem::error("expression::wrong_type", message);
                    if sign == Binary::Add && (is_text(&a.ty) || is_text(&b.ty)) {
                        let other = if is_text(&a.ty) { &args[1] } else { &args[0] };
                        problem = problem.help(format!("write `string({})`", self.text(other)));
                    } else if a.nullable || b.nullable {
                        problem = problem.help("null is neither a number nor a string");
                    }
                    self.refuse(problem, it.sign, "wrong types")
                }
            },
        }
    }

    fn result(&self, sign: Binary, a: &Typed, b: &Typed) -> Option<Typed> {
        if !self.is_plain(a) || !self.is_plain(b) {
            return None;
        }
        let ty = match (sign, &a.ty, &b.ty) {
            (Binary::Less | Binary::LessOrEqual | Binary::Greater | Binary::GreaterOrEqual, a, b) => {
                let any = *a == Type::Any || *b == Type::Any;
                let texts = is_text(a) && is_text(b);
                let numbers = is_number(a) && is_number(b) && types::unit(a, b).is_some();
                (any || texts || numbers).then_some(Type::Bool)?
            }
            (Binary::Add, a, b) if is_text(a) && is_text(b) => {
                if *a == Type::Text || *b == Type::Text {
                    Type::Text
                } else {
                    Type::String
                }
            }
            (Binary::Add, Type::List(_), Type::List(_)) => {
                return a
                    .clone()
                    .join(b.clone())
                    .or_else(|| Some(Typed::new(Type::List(std::sync::Arc::new(Type::Any)), Vec::new())));
            }
            (_, Type::Any, other) | (_, other, Type::Any) => {
                let added = sign == Binary::Add && (is_text(other) || matches!(other, Type::List(_)));
                (added || is_number(other) || *other == Type::Any).then_some(Type::Any)?
            }
            (Binary::Add | Binary::Subtract, a, b) if is_number(a) && is_number(b) => types::unit(a, b)?,
            (Binary::Remainder, a, b) if is_whole(a) && is_whole(b) => types::unit(a, b)?,
            (Binary::Multiply, a, b) if is_number(a) && is_number(b) => match (a, b) {
                (Type::Double, _) | (_, Type::Double) => Type::Double,
                (Type::Int, other) | (other, Type::Int) => other.clone(),
                _ => return None,
            },
            (Binary::Divide, a, b) if is_number(a) && is_number(b) => match (a, b) {
                (Type::Double, _) | (_, Type::Double) => Type::Double,
                (a, Type::Int) => a.clone(),
                (Type::Int, _) => return None,
                _ => {
                    types::unit(a, b)?;
                    Type::Int
                }
            },
            _ => return None,
        };
        Some(Typed::new(ty, Vec::new()))
    }

    /// Refuses a comparison that always has one answer.
    fn comparable(&mut self, it: &Syntax<'_>, a: &Typed, b: &Typed) {
        if a.ty == Type::Any || b.ty == Type::Any {
            return;
        }
        let message = format!("`{}` is never equal to `{}`", a.words(), b.words());
        let problem = Problem::error("expression::never_equal", message);
        if (a.ty == Type::Null && a.nullable) != (b.ty == Type::Null && b.nullable) {
            let other = if a.ty == Type::Null { b } else { a };
            if !other.nullable {
                let problem = problem.help("an absent field is no null: ask with `has(…)`");
                self.report(problem, it.sign, "always one answer");
            }
            return;
        }
        if let Some(problem) = wrong_choice(a, b) {
            self.report(problem, it.sign, "always one answer");
        } else if !(types::may_equal(&a.ty, &b.ty) || a.empty && b.empty || empties(a, b)) {
            let problem = match (is_text(&a.ty), is_text(&b.ty)) {
                (true, false) if is_number(&b.ty) => {
                    problem.help("write the number in quotes, or convert with `string(…)`")
                }
                (false, true) if is_number(&a.ty) => {
                    problem.help("write the number without quotes, or convert with `int(…)`")
                }
                _ => problem,
            };
            self.report(problem, it.sign, "always one answer");
        }
    }

    fn contained(&mut self, it: &Syntax<'_>, item: &Typed, of: &Typed) {
        match &of.ty {
            Type::Any => {}
            Type::List(wanted) if of.empty || !of.nullable => {
                let wanted = Typed::new((**wanted).clone(), Vec::new());
                if of.empty || wanted.ty == Type::Any || item.ty == Type::Any {
                    return;
                }
                if let Some(problem) = wrong_choice(item, &wanted) {
                    self.report(problem, it.sign, "always one answer");
                } else if !types::may_equal(&item.ty, &wanted.ty) {
                    let message = format!("`{}` is never in `{}`", item.words(), of.words());
                    self.report(
                        Problem::error("expression::never_equal", message),
                        it.sign,
                        "always one answer",
                    );
                }
            }
            Type::Map(_) | Type::Record(_) if !of.nullable => {
                if item.ty != Type::Any && !is_text(&item.ty) {
                    let message = format!("the keys of a map are strings, not `{}`", item.words());
                    self.report(
                        Problem::error("expression::never_equal", message),
                        it.sign,
                        "always one answer",
                    );
                } else if let (Type::Record(record), Some(Value::String(name))) = (&of.ty, &item.literal)
                    && !record.fields.contains_key(name)
                {
                    let problem =
                        Problem::error("expression::unknown_member", format!("there is no field `{name}` here"));
                    let problem = problem.suggest(name, record.fields.keys().map(|it| &**it));
                    self.report(problem, it.sign, "always one answer");
                }
            }
            _ => {
                let message = format!("`in` looks into a list or a map, not into `{}`", of.words());
                let problem = Problem::error("expression::wrong_type", message);
                let problem = if is_text(&of.ty) {
                    problem.help("write `text.contains(part)`")
                } else {
                    problem
                };
                self.report(problem, it.sign, "neither a list nor a map");
            }
        }
    }
}

fn broken() -> Tree {
    Tree {
        span: crate::problem::Span::default(),
        op: Op::Broken,
    }
}

/// Returns the problem of a literal that is none of a closed set of strings.
fn wrong_choice(a: &Typed, b: &Typed) -> Option<Problem> {
    let (choices, literal) = match (&a.ty, &b.ty) {
        (Type::Choice(choices), _) => (choices, b.literal.as_ref()?),
        (_, Type::Choice(choices)) => (choices, a.literal.as_ref()?),
        _ => return None,
    };
    let literal = literal.as_str()?;
    if choices.iter().any(|it| **it == *literal) {
        return None;
    }
    let problem = Problem::error(
        "expression::never_equal",
        format!("`{literal}` is none of the values that may stand there"),
    );
    Some(problem.suggest(literal, choices.iter().map(|it| &**it)))
}

fn empties(a: &Typed, b: &Typed) -> bool {
    let list = |it: &Typed| matches!(it.ty, Type::List(_));
    let map = |it: &Typed| matches!(it.ty, Type::Map(_) | Type::Record(_));
    (a.empty || b.empty) && (list(a) && list(b) || map(a) && map(b))
}
