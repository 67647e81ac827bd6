//! Macros: what binds a variable, and what is only asked for.

use std::sync::Arc;

use super::super::function::{self, Style};
use super::super::reads::Trace;
use super::super::syntax::{Form, Syntax};
use super::super::tree::{Binds, Fold, Make, Op, Tree};
use super::super::types::{is_number, is_text};
use super::{Checker, Local, Typed, present, typed};
use crate::kind::Type;
use crate::problem::Problem;

/// Returns what a macro of this name and number of arguments makes, and what it binds.
pub(super) fn fold(name: &str, n_args: usize) -> Option<(Make, Binds)> {
    Some(match (name, n_args) {
        ("all", 2) => (Make::All, Binds::Item),
        ("all", 3) => (Make::All, Binds::Both),
        ("exists", 2) => (Make::Exists, Binds::Item),
        ("exists", 3) => (Make::Exists, Binds::Both),
        ("exists_one" | "existsOne", 2) => (Make::ExistsOne, Binds::Item),
        ("exists_one" | "existsOne", 3) => (Make::ExistsOne, Binds::Both),
        ("filter", 2) => (Make::Filter, Binds::Item),
        ("map", 2 | 3) => (Make::List, Binds::Item),
        ("sortBy", 2) => (Make::Sorted, Binds::Item),
        ("transformList", 3 | 4) => (Make::List, Binds::Both),
        ("transformMap", 3 | 4) => (Make::Map, Binds::Both),
        ("transformMapEntry", 3 | 4) => (Make::Entries, Binds::Both),
        _ => return None,
    })
}

/// Tells whether a macro has this name, with whatever arguments.
pub(super) fn is_fold(name: &str) -> bool {
    name == "existsOne" || (2..=4).any(|n| fold(name, n).is_some())
}

impl Checker<'_> {
    /// Checks a walk over `target`.
    pub(super) fn fold(
        &mut self,
        it: &Syntax<'_>,
        target: &Syntax<'_>,
        args: &[Syntax<'_>],
        what: (Make, Binds),
    ) -> (Tree, Typed) {
        let (make, binds) = what;
        let (of, of_typed) = self.check(target);
        let n_names = if binds == Binds::Both { 2 } else { 1 };
        let Some(names) = self.names(&args[..n_names]) else {
            return (self.tree(it, Op::Broken), Typed::broken());
        };
        let (key, value, is_map) = match &of_typed.ty {
            _ if of_typed.broken => (Typed::broken(), Typed::broken(), false),
            _ if of_typed.optional || (of_typed.nullable && of_typed.ty != Type::Any) => {
                return self.not_walked(target, &of_typed);
            }
            Type::List(item) => {
                let traces = self.places.each(&of_typed.traces, item);
                (
                    Typed::new(Type::Int, Vec::new()),
                    Typed::new((**item).clone(), traces),
                    false,
                )
            }
            Type::Map(item) => {
                let traces = self.places.each(&of_typed.traces, item);
                (
                    Typed::new(Type::String, Vec::new()),
                    Typed::new((**item).clone(), traces),
                    true,
                )
            }
            Type::Record(record) => {
                let item = typed::common(record.fields.values().map(|it| it.ty.clone()));
                self.places.whole(&of_typed.traces);
                let traces = self.places.each(&of_typed.traces, &item);
                (Typed::new(Type::String, Vec::new()), Typed::new(item, traces), true)
            }
            Type::Any => {
                self.places.whole(&of_typed.traces);
                (
                    Typed::new(Type::Any, Vec::new()),
                    Typed::new(Type::Any, Vec::new()),
                    false,
                )
            }
            _ => return self.not_walked(target, &of_typed),
        };
        if is_map && make == Make::Sorted {
            return self.not_walked(target, &of_typed);
        }
        // Which items there are is read in any case.
        let counted = self.places.each(&of_typed.traces, &value.ty);
        if matches!(make, Make::All | Make::Exists | Make::ExistsOne) && counted.is_empty() {
            self.places.whole(&of_typed.traces);
        }
        let path = self.path(target);
        let item = if is_map && binds == Binds::Item {
            key.clone()
        } else {
            value.clone()
        };
        let mut bound = Vec::new();
        match (&*names, binds) {
            ([name], Binds::Item) => bound.push((name.clone(), item.clone())),
            ([first, second], _) => {
                bound.push((first.clone(), key));
                bound.push((second.clone(), value.clone()));
            }
            _ => {}
        }
        let depth = self.locals.len();
        let mut known = std::collections::BTreeSet::new();
        for (name, typed) in bound {
            self.n_locals += 1;
            let local = format!("{name}\u{1e}{}", self.n_locals);
            let is_key = is_map && self.locals.len() == depth;
            if let (true, Some(path)) = (is_key, &path) {
                known.insert(present::step_by(path, &local));
            }
            known.extend(of_typed.items.iter().map(|it| format!("{local}{it}")));
            known.extend(of_typed.keys_of.iter().map(|it| present::step_by(it, &local)));
            self.locals.push(Local {
                name,
                key: local,
                typed,
            });
        }
        let item_key = self.locals.last().map(|it| it.key.clone()).unwrap_or_default();
        let tests = matches!(make, Make::All | Make::Exists | Make::ExistsOne | Make::Filter);
        let (test_arg, body_arg) = match &args[n_names..] {
            [only] if tests => (Some(only), None),
            [only] => (None, Some(only)),
            [test, body, ..] => (Some(test), Some(body)),
            [] => (None, None),
        };
        let mut items = of_typed.items.clone();
        let (test, body) = self.knowing(&known, |it| {
            let test = test_arg.map(|test| it.condition(test));
            let follows = test_arg.map(|test| it.follows(test).if_true).unwrap_or_default();
            if make == Make::Filter && !is_map {
                items.extend(present::moved(&follows, &item_key, ""));
            }
            let body = it.knowing(&follows, |it| body_arg.map(|body| (it.check(body), body.sign)));
            (test, body)
        });
        self.locals.truncate(depth);
        let (body, body_typed) = match body {
            Some(((tree, typed), span)) => (Some(tree), Some((typed, span))),
            None => (None, None),
        };
        let mut typed = self.folded(make, &of_typed, &item, body_typed, items);
        if make == Make::Filter {
            typed.keys_of = if is_map {
                path.into_iter().collect()
            } else {
                of_typed.keys_of.clone()
            };
        }
        let fold = Fold {
            make,
            of,
            binds,
            test,
            body,
        };
        (self.tree(it, Op::Fold(Box::new(fold))), typed)
    }

    /// Returns the type of what a walk makes.
    fn folded(
        &mut self,
        make: Make,
        of: &Typed,
        item: &Typed,
        body: Option<(Typed, crate::problem::Span)>,
        items: std::collections::BTreeSet<String>,
    ) -> Typed {
        let body = match body {
            Some((typed, span)) if typed.optional => {
                let problem = Problem::error("expression::wrong_type", format!("`{}` is an optional", typed.words()));
                self.report(
                    problem.help("give it a value with `.orValue(…)`"),
                    span,
                    "may hold nothing",
                );
                Some((Typed::broken(), span))
            }
            other => other,
        };
        let ty_of = |typed: &Typed| if typed.nullable { Type::Any } else { typed.ty.clone() };
        match (make, body) {
            (Make::Filter, _) => {
                let is_list = matches!(of.ty, Type::List(_));
                let traces = if is_list { of.traces.clone() } else { Vec::new() };
                Typed {
                    items,
                    broken: of.broken,
                    ..Typed::new(Type::List(Arc::new(item.ty.clone())), traces)
                }
            }
            (Make::Sorted, Some((key, span))) => {
                self.places.whole(&key.traces);
                let sortable = key.broken
                    || key.ty == Type::Any
                    || is_number(&key.ty)
                    || is_text(&key.ty)
                    || key.ty == Type::Bool
                    || matches!(key.ty, Type::List(_));
                if !sortable || key.nullable {
                    let message = format!("`{}` has no order", key.words());
                    self.report(
                        Problem::error("expression::wrong_type", message),
                        span,
                        "can't be sorted by",
                    );
                }
                Typed {
                    literal: None,
                    ..of.clone()
                }
            }
            (Make::List, Some((body, _))) => Typed {
                broken: of.broken || body.broken,
                ..Typed::new(
                    Type::List(Arc::new(ty_of(&body))),
                    vec![Trace::Each(Arc::from(body.traces))],
                )
            },
            (Make::Map, Some((body, _))) => Typed {
                broken: of.broken || body.broken,
                ..Typed::new(
                    Type::Map(Arc::new(ty_of(&body))),
                    vec![Trace::Each(Arc::from(body.traces))],
                )
            },
            (Make::Entries, Some((body, span))) => {
                let item = match &body.ty {
                    Type::Map(item) => (**item).clone(),
                    Type::Record(record) => typed::common(record.fields.values().map(|it| it.ty.clone())),
                    Type::Any => Type::Any,
                    _ => {
                        let problem = Problem::error("expression::wrong_type", format!("`{}` is no map", body.words()));
                        self.report(problem.help("write `{key: value}`"), span, "not a map");
                        return Typed::broken();
                    }
                };
                let traces = self.places.each(&body.traces, &item);
                Typed {
                    broken: of.broken || body.broken,
                    ..Typed::new(Type::Map(Arc::new(item)), vec![Trace::Each(traces.into())])
                }
            }
            _ => Typed::new(Type::Bool, Vec::new()),
        }
    }

    fn not_walked(&mut self, target: &Syntax<'_>, typed: &Typed) -> (Tree, Typed) {
        let message = format!("`{}` can't be walked", typed.words());
        let problem = Problem::error("expression::wrong_type", message);
        let problem = if typed.optional {
            problem.help("give it a value with `.orValue([])`")
        } else {
            problem
        };
        self.refuse(problem, target.sign, "neither a list nor a map")
    }

    /// Returns the names that a macro binds.
    fn names(&mut self, args: &[Syntax<'_>]) -> Option<Vec<String>> {
        let mut names: Vec<String> = Vec::new();
        for arg in args {
            match &arg.form {
                Form::Name(name) if names.iter().any(|it| it == name) => {
                    let problem = Problem::error("expression::bad_macro", format!("`{name}` is bound twice"));
                    self.report(problem, arg.sign, "again");
                    return None;
                }
                Form::Name(name) => names.push((*name).to_owned()),
                _ => {
                    let problem = Problem::error("expression::bad_macro", "a macro wants the name of a variable here");
                    self.report(problem.help("as in `list.map(x, x.name)`"), arg.sign, "not a name");
                    return None;
                }
            }
        }
        Some(names)
    }

    /// Checks `cel.bind(x, value, result)`.
    pub(super) fn bind(&mut self, it: &Syntax<'_>, args: &[Syntax<'_>]) -> (Tree, Typed) {
        let [name, value, result] = args else {
            return self.wrong_macro(it, "bind");
        };
        let path = self.path(value);
        let value = self.check(value);
        self.bound(it, name, value, path, result, Op::Bind)
    }

    /// Checks `optional.optMap(x, result)`.
    pub(super) fn optional_map(&mut self, it: &Syntax<'_>, target: &Syntax<'_>, args: &[Syntax<'_>]) -> (Tree, Typed) {
        let [name, result] = args else {
            return self.wrong_macro(it, "optMap");
        };
        let (tree, mut typed) = self.check(target);
        if !typed.optional && !typed.broken {
            let message = format!("`{}` is no optional", typed.words());
            return self.refuse(
                Problem::error("expression::wrong_type", message),
                target.sign,
                "always there",
            );
        }
        typed.optional = false;
        let path = self.path(target);
        let (tree, typed) = self.bound(it, name, (tree, typed), path, result, Op::OptionalMap);
        if typed.optional {
            return self.not_walked(result, &typed);
        }
        (
            tree,
            Typed {
                optional: true,
                ..typed
            },
        )
    }

    fn bound(
        &mut self,
        it: &Syntax<'_>,
        name: &Syntax<'_>,
        value: (Tree, Typed),
        path: Option<String>,
        result: &Syntax<'_>,
        op: fn(Box<[Tree; 2]>) -> Op,
    ) -> (Tree, Typed) {
        let Some(names) = self.names(std::slice::from_ref(name)) else {
            return (self.tree(it, Op::Broken), Typed::broken());
        };
        self.n_locals += 1;
        let key = format!("{}\u{1e}{}", names[0], self.n_locals);
        let known = path
            .map(|path| present::moved(&self.present, &path, &key).collect())
            .unwrap_or_default();
        self.locals.push(Local {
            name: names[0].clone(),
            key,
            typed: value.1,
        });
        let (body, typed) = self.knowing(&known, |it| it.check(result));
        self.locals.pop();
        (self.tree(it, op(Box::new([value.0, body]))), typed)
    }

    pub(super) fn wrong_macro(&mut self, it: &Syntax<'_>, name: &str) -> (Tree, Typed) {
        let mut rows: Vec<String> = function::named(name, Style::Member)
            .chain(function::named(name, Style::Global))
            .map(|it| format!("`{}`", it.signature()))
            .collect();
        rows.dedup();
        let problem = Problem::error("expression::bad_macro", format!("`{name}` is not written so"));
        self.refuse(
            problem.help(format!("write {}", rows.join(" or "))),
            it.sign,
            "wrong arguments",
        )
    }
}
