//! Partials: printed in place, as if they stood in the template, with nothing known but what they are given.

use std::collections::BTreeMap;

use handlebars::template::{DecoratorTemplate, Parameter};

use super::check::Checker;
use super::resolve::{Binding, Scope, local};
use super::types::fits;
use super::{Op, PartialSource};
use crate::artifact::lexer::Guard;
use crate::kind::Type;
use crate::problem::Span;
use crate::value::{Name, Value};

const MAX_PARTIALS: usize = 16;

impl Checker<'_> {
    pub(super) fn partial(&mut self, call: &DecoratorTemplate, span: Span, ops: &mut Vec<Op>) {
        let name = call.name.as_name().unwrap_or("").to_owned();
        let partials = self.partials;
        let Some(partial) = partials.get(name.as_str()) else {
            let known: Vec<&str> = partials.keys().map(|it| &**it).collect();
            let message = format!("there is no partial `{name}`");
            let problem = self.problem("template::unknown_partial", message, span, "printed here");
            let help = "a partial is a template that the pack or the project names so";
            *problem = problem.clone().help(help).suggest(&name, known);
            return;
        };
        if self.open.iter().any(|it| **it == *name) || self.open.len() >= MAX_PARTIALS {
            let message = format!("the partial `{name}` prints itself");
            return self.refuse(
                "template::too_deep",
                message,
                span,
                "printed here",
                "walk a list with `each` instead",
            );
        }
        if !call.params.is_empty() {
            let message = format!("the partial `{name}` is given a value without a name");
            return self.refuse("template::params", message, span, "here", "write `name=value`");
        }
        let Some(names) = self.arguments(&name, partial, call, span) else {
            return;
        };
        let index = self.file.index;
        let file = std::mem::take(&mut self.file);
        let scopes = std::mem::replace(&mut self.scopes, vec![Scope::root(names)]);
        self.open.push(Name::from(name));
        let mut inner = self.file(&partial.file, &partial.source);
        self.open.pop();
        self.scopes = scopes;
        self.file = file;
        if let Some(indent) = call.indent.as_deref().filter(|it| !it.is_empty()) {
            let mut indented = Indent {
                by: indent,
                at_start: true,
                file: index,
                span,
            };
            inner = indented.ops(inner);
        }
        ops.extend(inner);
    }

    fn arguments(
        &mut self,
        name: &str,
        partial: &PartialSource,
        call: &DecoratorTemplate,
        span: Span,
    ) -> Option<BTreeMap<Name, Binding>> {
        let mut names = BTreeMap::new();
        let mut sound = true;
        let given: BTreeMap<&str, &Parameter> = call.hash.iter().map(|(key, value)| (key.as_str(), value)).collect();
        for key in given.keys() {
            if !partial.params.contains_key(*key) {
                let message = format!("the partial `{name}` has no parameter `{key}`");
                let known: Vec<&str> = partial.params.keys().map(|it| &**it).collect();
                let problem = self.problem("template::params", message, span, "given here");
                *problem = problem.clone().suggest(key, known);
                sound = false;
            }
        }
        for (param, ty) in &partial.params {
            let Some(value) = given.get(&**param) else {
                let message = format!("the partial `{name}` needs `{param}`");
                let help = format!("write `{{{{> {name} {param}=…}}}}`");
                self.refuse("template::params", message, span, "printed here", &help);
                sound = false;
                continue;
            };
            let Some(mut binding) = self.argument(value, span) else {
                sound = false;
                continue;
            };
            if binding.absent {
                let message = format!("`{param}` is given a value that may be absent");
                self.refuse(
                    "template::may_be_absent",
                    message,
                    span,
                    "here",
                    "put the partial in an `{{#if …}}`",
                );
                sound = false;
            }
            if !fits(&binding.ty, ty) {
                let message = format!("`{param}` of the partial `{name}` is {ty}, and is given {}", binding.ty);
                self.refuse(
                    "template::params",
                    message,
                    span,
                    "here",
                    "hand over a value of that type",
                );
                sound = false;
            }
            binding.ty = ty.clone();
            names.insert(param.clone(), binding);
        }
        sound.then_some(names)
    }

    fn argument(&mut self, value: &Parameter, span: Span) -> Option<Binding> {
        let value = match value {
            path @ Parameter::Path(_) => {
                let written = path.as_name().unwrap_or("").to_owned();
                return self.resolve(&written, span);
            }
            Parameter::Literal(literal) => literal,
            Parameter::Name(_) | Parameter::Subexpression(_) => return None,
            _ => return None,
        };
        let (value, ty) = if let Some(text) = value.as_str() {
            (Value::from(text), Type::String)
        } else if let Some(truth) = value.as_bool() {
            (Value::Bool(truth), Type::Bool)
        } else if let Some(number) = value.as_i64() {
            (Value::Int(number), Type::Int)
        } else {
            let message = "only a path, a string, a whole number or a truth can be given to a partial".to_owned();
            self.refuse(
                "template::params",
                message,
                span,
                "here",
                "hand the value over from the rule",
            );
            return None;
        };
        let slot = self.checked.n_slots;
        self.checked.n_slots += 1;
        self.checked.constants.push((slot, value));
        Some(local(slot, ty))
    }
}

/// Puts the blanks before a partial's tag before each of its lines. Values keep theirs: they are not ours to change.
struct Indent<'a> {
    by: &'a str,
    at_start: bool,
    file: usize,
    span: Span,
}

impl Indent<'_> {
    fn ops(&mut self, ops: Vec<Op>) -> Vec<Op> {
        let mut out = Vec::with_capacity(ops.len());
        for op in ops {
            self.op(op, &mut out);
        }
        out
    }

    fn op(&mut self, mut op: Op, out: &mut Vec<Op>) {
        match &mut op {
            Op::Raw { text, .. } => {
                let mut indented = String::with_capacity(text.len());
                for line in text.split_inclusive('\n') {
                    if self.at_start && line != "\n" {
                        indented.push_str(self.by);
                    }
                    indented.push_str(line);
                    self.at_start = line.ends_with('\n');
                }
                *text = indented.into();
            }
            Op::Print(_) => {
                if self.at_start {
                    out.push(Op::Raw {
                        text: self.by.into(),
                        guard: Guard::None,
                        file: self.file,
                        span: self.span,
                    });
                }
                self.at_start = false;
            }
            Op::If { then, other, .. } => self.branches(then, other),
            Op::Each { body, other, .. } => self.branches(body, other),
            Op::Lang { body, .. } => *body = self.ops(std::mem::take(body)),
        }
        out.push(op);
    }

    fn branches(&mut self, first: &mut Vec<Op>, second: &mut Vec<Op>) {
        let start = self.at_start;
        *first = self.ops(std::mem::take(first));
        let after = self.at_start;
        self.at_start = start;
        *second = self.ops(std::mem::take(second));
        self.at_start = if first.is_empty() { self.at_start } else { after };
    }
}
