//! Handlebars' syntax tree, checked against the closed set of constructs and the types, turned into steps.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use handlebars::template::{BlockParam, DecoratorTemplate, HelperTemplate, Parameter, Template, TemplateElement};

use super::path::{self, Written};
use super::types::fits;
use super::{Access, File, Op, PartialSource, Print, Style, Subject, scan};
use crate::artifact::escape::Language;
use crate::artifact::lexer::Guard;
use crate::artifact::literal::Printer;
use crate::artifact::place::Shape;
use crate::kind::{NoMember, Reads, Schema, Type};
use crate::problem::{Place, Problem, Span};
use crate::value::{Name, Value};

/// A template whose names and types are settled.
pub(super) struct Checked {
    pub(super) ops: Vec<Op>,
    pub(super) files: Vec<File>,
    pub(super) n_slots: usize,
    pub(super) constants: Vec<(usize, Value)>,
    pub(super) reads: BTreeMap<Name, Reads>,
    pub(super) problems: Vec<Problem>,
}

const MAX_PARTIALS: usize = 16;
const MAX_STEPS: usize = 100_000;

/// Checks `source`, the text of the file `name`.
pub(super) fn check(
    name: &Name,
    source: &str,
    params: &BTreeMap<Name, Type>,
    schema: &Schema,
    partials: &BTreeMap<Name, PartialSource>,
) -> Checked {
    let mut checker = Checker {
        schema,
        partials,
        files: Vec::new(),
        file: Current::default(),
        scopes: Vec::new(),
        present: Vec::new(),
        open: Vec::new(),
        n_ops: 0,
        checked: Checked {
            ops: Vec::new(),
            files: Vec::new(),
            n_slots: params.len(),
            constants: Vec::new(),
            reads: BTreeMap::new(),
            problems: Vec::new(),
        },
    };
    let root: BTreeMap<Name, Binding> = params
        .iter()
        .enumerate()
        .map(|(slot, (param, ty))| {
            let binding = Binding {
                slot,
                steps: Vec::new(),
                ty: ty.clone(),
                absent: false,
                read: Some((param.clone(), Vec::new())),
            };
            (param.clone(), binding)
        })
        .collect();
    checker.scopes.push(Scope::root(root));
    let ops = checker.file(name, source);
    let mut checked = checker.checked;
    checked.ops = ops;
    checked.files = checker.files;
    checked
}

/// The file that is being read.
#[derive(Default)]
struct Current {
    index: usize,
    name: Option<Name>,
    source: Arc<str>,
    tags: BTreeMap<usize, Span>,
    line_starts: Vec<usize>,
}

/// A value that a name stands for.
#[derive(Clone)]
struct Binding {
    slot: usize,
    steps: Vec<Name>,
    ty: Type,
    /// Whether it may be missing, for all that is known here.
    absent: bool,
    /// The parameter that it is a part of, and which part.
    read: Option<(Name, Vec<ReadStep>)>,
}

#[derive(Clone)]
enum ReadStep {
    Member(Name),
    Each,
}

struct Scope {
    /// What bare names are members of; `None` at the root.
    this: Option<Binding>,
    names: BTreeMap<Name, Binding>,
    /// The first slot of an `each`, and whether it has keys.
    each: Option<(usize, bool)>,
}

impl Scope {
    fn root(names: BTreeMap<Name, Binding>) -> Self {
        Self {
            this: None,
            names,
            each: None,
        }
    }
}

struct Checker<'a> {
    schema: &'a Schema,
    partials: &'a BTreeMap<Name, PartialSource>,
    files: Vec<File>,
    file: Current,
    scopes: Vec<Scope>,
    present: Vec<(usize, Vec<Name>)>,
    /// The partials that are being read.
    open: Vec<Name>,
    n_ops: usize,
    checked: Checked,
}

impl Checker<'_> {
    fn file(&mut self, name: &Name, source: &str) -> Vec<Op> {
        let known: BTreeSet<Name> = self.scopes.iter().flat_map(|it| it.names.keys().cloned()).collect();
        let scanned = scan::scan(name, source, &|it| known.contains(it));
        let line_starts: Vec<usize> = std::iter::once(0).chain(source.match_indices('\n').map(|(at, _)| at + 1)).collect();
        self.files.push(File {
            name: name.clone(),
            source_len: source.len(),
        });
        self.file = Current {
            index: self.files.len() - 1,
            name: Some(name.clone()),
            source: source.into(),
            tags: scanned.tags,
            line_starts,
        };
        if !scanned.problems.is_empty() {
            self.checked.problems.extend(scanned.problems);
            return Vec::new();
        }
        match Template::compile(&scanned.source) {
            Ok(template) => self.template(&template, Span::default()),
            Err(error) => {
                let at = error.pos().map_or(0, |(line, col)| self.offset(line, col));
                let message = "Handlebars can't read the template";
                let reason = error.reason().to_string();
                let reason = reason.lines().last().unwrap_or("").trim().trim_start_matches("= ");
                let place = Place::Text(name.clone(), Span::new(at, (at + 1).min(source.len())));
                let problem = Problem::error("template::syntax", message).at(place, reason.to_owned());
                self.checked
                    .problems
                    .push(problem.help("each `{{#name …}}` needs its `{{/name}}`; raw braces are written `\\{{`"));
                Vec::new()
            }
        }
    }

    fn offset(&self, line: usize, col: usize) -> usize {
        let start = self.file.line_starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let rest = &self.file.source[start.min(self.file.source.len())..];
        let within = rest.char_indices().nth(col.saturating_sub(1)).map_or(rest.len(), |(at, _)| at);
        start + within
    }

    fn problem(&mut self, code: &'static str, message: String, span: Span, label: &str) -> &mut Problem {
        let name = self.file.name.clone().unwrap_or_else(|| Name::from(""));
        let problem = Problem::error(code, message).at(Place::Text(name, span), label);
        self.checked.problems.push(problem);
        let last = self.checked.problems.len() - 1;
        &mut self.checked.problems[last]
    }

    fn refuse(&mut self, code: &'static str, message: String, span: Span, label: &str, help: &str) {
        let problem = self.problem(code, message, span, label);
        problem.help = Some(help.into());
    }

    fn template(&mut self, template: &Template, outer: Span) -> Vec<Op> {
        let mut ops = Vec::new();
        for (at, element) in template.elements.iter().enumerate() {
            let start = template.mapping.get(at).map(|it| self.offset(it.0, it.1));
            let span = match start {
                Some(start) => self.file.tags.get(&start).copied().unwrap_or(Span::new(start, start)),
                None => outer,
            };
            self.n_ops += 1;
            if self.n_ops > MAX_STEPS {
                let message = "the template, with its partials, is too large".to_owned();
                self.refuse("template::too_deep", message, span, "here", "split the artifact");
                return ops;
            }
            self.element(element, span, &mut ops);
        }
        ops
    }

    fn element(&mut self, element: &TemplateElement, span: Span, ops: &mut Vec<Op>) {
        match element {
            TemplateElement::RawString(text) => self.raw(text, span, ops),
            TemplateElement::Comment(_) => {}
            TemplateElement::Expression(helper) => self.expression(helper, span, ops),
            TemplateElement::HelperBlock(helper) => self.block(helper, span, ops),
            TemplateElement::PartialExpression(partial) => self.partial(partial, span, ops),
            _ => self.refuse(
                "template::decorator",
                "this construct is not allowed".to_owned(),
                span,
                "here",
                "docs/language/templates.md lists what is",
            ),
        }
    }

    fn raw(&mut self, text: &str, span: Span, ops: &mut Vec<Op>) {
        if text.is_empty() {
            return;
        }
        let text = scan::restore(text);
        let start = span.start as usize;
        let source = &self.file.source;
        let window = source.get(start..).unwrap_or("");
        let shift = window.find(text.as_str()).unwrap_or(0);
        let start = start + shift;
        ops.push(Op::Raw {
            span: Span::new(start, (start + text.len()).min(source.len())),
            text: text.into(),
            guard: Guard::None,
            file: self.file.index,
        });
    }

    fn expression(&mut self, helper: &HelperTemplate, span: Span, ops: &mut Vec<Op>) {
        let Some(name) = helper.name.as_name() else {
            return self.refuse(
                "template::sub_expression",
                "a template computes nothing".to_owned(),
                span,
                "here",
                "compute it in the rule, and hand it over under `with`",
            );
        };
        let is_call = !helper.params.is_empty() || !helper.hash.is_empty();
        let printer = if is_call {
            match (Printer::parse(name), &helper.params[..], helper.hash.is_empty()) {
                (Some(printer), [path @ Parameter::Path(_)], true) => Some((printer, path.as_name().unwrap_or("").to_owned())),
                (Some(_), ..) => {
                    let message = format!("`{name}` prints one value");
                    return self.refuse("template::unknown_helper", message, span, "here", "write `{{json path}}`");
                }
                (None, ..) => return self.unknown_helper(name, span),
            }
        } else {
            None
        };
        let written = printer.as_ref().map_or(name, |(_, path)| path.as_str()).to_owned();
        let Some(binding) = self.resolve(&written, span) else {
            return;
        };
        if binding.absent {
            return self.refuse(
                "template::may_be_absent",
                format!("`{written}` may be absent"),
                span,
                "printed here",
                &format!("put it in `{{{{#if {written}}}}}…{{{{/if}}}}`, or give its field a default"),
            );
        }
        let printer = printer.map(|(it, _)| it);
        let Some((shape, style)) = self.shape(&binding.ty, printer, &written, span) else {
            return;
        };
        self.mark(&binding, |it| it.whole = true);
        ops.push(Op::Print(Box::new(Print {
            access: binding.access(&written),
            style,
            shape,
            printer,
            place: None,
            passes: false,
            file: self.file.index,
            span,
        })));
    }

    fn unknown_helper(&mut self, name: &str, span: Span) {
        let known = ["if", "unless", "each", "with", "lang", "json", "yaml", "hcl", "sh"];
        let message = if name == "lookup" {
            "a name can't be looked up at rendering".to_owned()
        } else {
            format!("`{name}` is no known helper")
        };
        let problem = self.problem("template::unknown_helper", message, span, "this one");
        *problem = if name == "lookup" {
            problem.clone().help("look it up in the rule, and hand it over under `with`")
        } else {
            problem.clone().suggest(name, known)
        };
    }

    fn shape(&mut self, ty: &Type, printer: Option<Printer>, written: &str, span: Span) -> Option<(Shape, Style)> {
        let node = matches!(ty, Type::Node(_) | Type::Edge(_));
        if let Some(printer) = printer
            && !node
        {
            return Some((Shape::Literal(printer), Style::Plain));
        }
        Some(match ty {
            Type::String | Type::Choice(_) => (Shape::Plain, Style::Plain),
            Type::Text => (Shape::Text, Style::Plain),
            Type::Duration => (Shape::Plain, Style::Duration),
            Type::Cpu { .. } => (Shape::Plain, Style::Cpu),
            Type::Memory { .. } => (Shape::Plain, Style::Memory),
            Type::Int | Type::Double | Type::Bool => (Shape::Number, Style::Plain),
            Type::Any => (Shape::Any, Style::Plain),
            Type::Null | Type::List(_) | Type::Map(_) | Type::Record(_) | Type::Node(_) | Type::Edge(_) => {
                let help = match ty {
                    Type::List(_) => format!("walk it with `{{{{#each {written}}}}}`, or print it whole: `{{{{json {written}}}}}`"),
                    Type::Map(_) | Type::Record(_) => {
                        format!("name one of its fields, or print it whole: `{{{{json {written}}}}}`")
                    }
                    _ => format!("name one of its fields: `{written}.name`"),
                };
                let message = format!("`{written}` is of type {ty}, which can't be printed");
                self.refuse("template::not_printable", message, span, "printed here", &help);
                return None;
            }
        })
    }

    fn block(&mut self, helper: &HelperTemplate, span: Span, ops: &mut Vec<Op>) {
        let name = helper.name.as_name().unwrap_or("").to_owned();
        match name.as_str() {
            "if" | "unless" => self.condition(helper, name == "if", span, ops),
            "each" => self.each(helper, span, ops),
            "with" => self.with(helper, span, ops),
            "lang" => self.lang(helper, span, ops),
            "raw" => {
                if let Some(template) = &helper.template {
                    ops.extend(self.template(template, span));
                }
            }
            _ => self.unknown_helper(&name, span),
        }
    }

    fn branch(&mut self, template: Option<&Template>, span: Span) -> Vec<Op> {
        template.map(|it| self.template(it, span)).unwrap_or_default()
    }

    fn subject(&mut self, helper: &HelperTemplate, span: Span) -> Option<(Binding, String)> {
        let name = helper.name.as_name().unwrap_or("");
        let [path @ Parameter::Path(_)] = &helper.params[..] else {
            let message = format!("`{name}` takes one path");
            let help = "compute it in the rule, and hand it over under `with`";
            self.refuse("template::condition", message, span, "here", help);
            return None;
        };
        let written = path.as_name().unwrap_or("").to_owned();
        self.resolve(&written, span).map(|it| (it, written))
    }

    fn condition(&mut self, helper: &HelperTemplate, holds: bool, span: Span, ops: &mut Vec<Op>) {
        let Some((binding, written)) = self.subject(helper, span) else {
            self.branch(helper.template.as_ref(), span);
            self.branch(helper.inverse.as_ref(), span);
            return;
        };
        let asks = matches!(
            binding.ty,
            Type::Bool | Type::List(_) | Type::Map(_) | Type::String | Type::Text | Type::Choice(_) | Type::Any
        );
        if !asks && !binding.absent {
            let message = format!("`{written}` is of type {}, which is always there", binding.ty);
            let help = "ask for a truth that the rule hands over; a number that may be zero is no condition";
            self.refuse("template::condition", message, span, "asked here", help);
        }
        self.mark(&binding, |it| match &binding.ty {
            Type::List(_) | Type::Map(_) => {
                it.each.get_or_insert_default();
            }
            Type::Record(_) | Type::Node(_) | Type::Edge(_) => {}
            _ => it.whole = true,
        });
        let known = self.present.len();
        let all: Vec<(usize, Vec<Name>)> =
            (0..=binding.steps.len()).map(|n| (binding.slot, binding.steps[..n].to_vec())).collect();
        if holds {
            self.present.extend(all.clone());
        }
        let first = self.branch(helper.template.as_ref(), span);
        self.present.truncate(known);
        if !holds {
            self.present.extend(all);
        }
        let second = self.branch(helper.inverse.as_ref(), span);
        self.present.truncate(known);
        let access = binding.access(&written);
        ops.push(Op::If {
            subject: if holds { Subject::Holds(access) } else { Subject::Lacks(access) },
            then: first,
            other: second,
            file: self.file.index,
            span,
        });
    }

    fn each(&mut self, helper: &HelperTemplate, span: Span, ops: &mut Vec<Op>) {
        let Some((binding, written)) = self.subject(helper, span) else {
            return;
        };
        let (item, keyed) = match &binding.ty {
            Type::List(item) => ((**item).clone(), false),
            Type::Map(item) => ((**item).clone(), true),
            Type::Any => (Type::Any, true),
            other => {
                let message = format!("`{written}` is of type {other}, which has no items");
                let help = "`each` walks a list or a map; use `if` or `with` for a single value";
                return self.refuse("template::each", message, span, "walked here", help);
            }
        };
        self.mark(&binding, |it| {
            it.each.get_or_insert_default();
        });
        let slot = self.checked.n_slots;
        self.checked.n_slots += 5;
        let this = Binding {
            slot,
            steps: Vec::new(),
            ty: item,
            absent: false,
            read: binding.read.clone().map(|(param, mut steps)| {
                steps.push(ReadStep::Each);
                (param, steps)
            }),
        };
        let key = local(slot + if keyed { 1 } else { 2 }, if keyed { Type::String } else { Type::Int });
        let mut names = BTreeMap::new();
        match &helper.block_param {
            Some(BlockParam::Single(item)) => {
                names.extend(item.as_name().map(|it| (Name::from(it), this.clone())));
            }
            Some(BlockParam::Pair((item, index))) => {
                names.extend(item.as_name().map(|it| (Name::from(it), this.clone())));
                names.extend(index.as_name().map(|it| (Name::from(it), key)));
            }
            _ => {}
        }
        self.scopes.push(Scope {
            this: Some(this),
            names,
            each: Some((slot, keyed)),
        });
        let body = self.branch(helper.template.as_ref(), span);
        self.scopes.pop();
        let other = self.branch(helper.inverse.as_ref(), span);
        ops.push(Op::Each {
            access: binding.access(&written),
            slot,
            body,
            other,
            file: self.file.index,
            span,
        });
    }

    fn with(&mut self, helper: &HelperTemplate, span: Span, ops: &mut Vec<Op>) {
        let Some((mut binding, written)) = self.subject(helper, span) else {
            return;
        };
        let known = self.present.len();
        for n in 0..=binding.steps.len() {
            self.present.push((binding.slot, binding.steps[..n].to_vec()));
        }
        self.mark(&binding, |_| {});
        binding.absent = false;
        let mut names = BTreeMap::new();
        if let Some(BlockParam::Single(name)) = &helper.block_param {
            names.extend(name.as_name().map(|it| (Name::from(it), binding.clone())));
        }
        self.scopes.push(Scope {
            this: Some(binding.clone()),
            names,
            each: None,
        });
        let then = self.branch(helper.template.as_ref(), span);
        self.scopes.pop();
        self.present.truncate(known);
        let other = self.branch(helper.inverse.as_ref(), span);
        ops.push(Op::If {
            subject: Subject::Holds(binding.access(&written)),
            then,
            other,
            file: self.file.index,
            span,
        });
    }

    fn lang(&mut self, helper: &HelperTemplate, span: Span, ops: &mut Vec<Op>) {
        let mut languages = Vec::new();
        for param in &helper.params {
            let name = match param {
                Parameter::Literal(literal) => literal.as_str().unwrap_or(""),
                other => other.as_name().unwrap_or(""),
            };
            match Language::parse(name) {
                Some(language) => languages.push(language),
                None => {
                    let message = format!("`{name}` is no known language");
                    let problem = self.problem("template::language", message, span, "named here");
                    *problem = problem.clone().suggest(name, Language::ALL.map(Language::name));
                }
            }
        }
        if languages.is_empty() && helper.params.is_empty() {
            let help = "write `{{#lang \"go-template\"}}…{{/lang}}`";
            self.refuse("template::language", "`lang` names no language".to_owned(), span, "here", help);
        }
        let body = self.branch(helper.template.as_ref(), span);
        ops.push(Op::Lang {
            languages,
            body,
            file: self.file.index,
            span,
        });
    }

    fn partial(&mut self, call: &DecoratorTemplate, span: Span, ops: &mut Vec<Op>) {
        let name = call.name.as_name().unwrap_or("").to_owned();
        let partials = self.partials;
        let Some(partial) = partials.get(name.as_str()) else {
            let known: Vec<&str> = partials.keys().map(|it| &**it).collect();
            let message = format!("there is no partial `{name}`");
            let problem = self.problem("template::unknown_partial", message, span, "printed here");
            *problem = problem.clone().suggest(&name, known);
            return;
        };
        if self.open.iter().any(|it| **it == *name) || self.open.len() >= MAX_PARTIALS {
            let message = format!("the partial `{name}` prints itself");
            return self.refuse("template::too_deep", message, span, "printed here", "walk a list with `each` instead");
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
                self.refuse("template::may_be_absent", message, span, "here", "put the partial in an `{{#if …}}`");
                sound = false;
            }
            if !fits(&binding.ty, ty) {
                let message = format!("`{param}` of the partial `{name}` is {ty}, and is given {}", binding.ty);
                self.refuse("template::params", message, span, "here", "hand over a value of that type");
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
            self.refuse("template::params", message, span, "here", "hand the value over from the rule");
            return None;
        };
        let slot = self.checked.n_slots;
        self.checked.n_slots += 1;
        self.checked.constants.push((slot, value));
        Some(local(slot, ty))
    }

    /// Returns what the path `raw` stands for.
    fn resolve(&mut self, raw: &str, span: Span) -> Option<Binding> {
        let span = self.span_of(raw, span);
        let written = path::parse(raw);
        let top = self.scopes.len() - 1;
        if written.up > top {
            let message = format!("`{raw}` leads out of the template");
            self.refuse("template::unknown_variable", message, span, "here", "leave a `../` out");
            return None;
        }
        let level = if written.root { 0 } else { top - written.up };
        if let Some(name) = &written.local {
            return self.local_variable(name, &written, level, span);
        }
        let mut steps = written.steps.iter();
        let mut binding = self.start(&written, &mut steps, level, raw, span)?;
        for step in steps {
            binding = self.step(binding, step, span)?;
        }
        Some(binding)
    }

    fn start<'s>(
        &mut self,
        written: &'s Written,
        steps: &mut impl Iterator<Item = &'s String>,
        level: usize,
        raw: &str,
        span: Span,
    ) -> Option<Binding> {
        let scope = &self.scopes[level];
        if written.this {
            if scope.this.is_none() {
                let message = format!("`{raw}` stands outside of `each` and `with`");
                self.refuse("template::unknown_variable", message, span, "here", "name a variable");
            }
            return self.scopes[level].this.clone();
        }
        let first = steps.next()?;
        if !written.root {
            let named = self.scopes[..=level].iter().rev().find_map(|it| match it.this {
                // The names of the root are its context, not block parameters.
                None => None,
                Some(_) => it.names.get(first.as_str()),
            });
            if let Some(binding) = named {
                return Some(binding.clone());
            }
        }
        let scope = &self.scopes[level];
        if let Some(this) = scope.this.clone() {
            if self.schema.member(&this.ty, first).is_err() && self.scopes[0].names.contains_key(first.as_str()) {
                let message = format!("`{first}` is no member of what this block is about");
                let help = format!("write `{}{raw}` or `@root.{raw}`", "../".repeat(level));
                self.refuse("template::unknown_variable", message, span, "here", &help);
                return None;
            }
            return self.step(this, first, span);
        }
        if let Some(binding) = scope.names.get(first.as_str()) {
            return Some(binding.clone());
        }
        let known: Vec<Name> = scope.names.keys().cloned().collect();
        let message = format!("there is no variable `{first}`");
        let problem = self.problem("template::unknown_variable", message, span, "unknown");
        *problem = problem.clone().suggest(first, known.iter().map(|it| &**it));
        None
    }

    fn local_variable(&mut self, name: &str, written: &Written, level: usize, span: Span) -> Option<Binding> {
        let each = self.scopes[..=level].iter().rev().find_map(|it| it.each);
        let found = match (name, each) {
            _ if !written.steps.is_empty() || written.up > 0 => None,
            ("key", Some((slot, true))) => Some(local(slot + 1, Type::String)),
            ("index", Some((slot, _))) => Some(local(slot + 2, Type::Int)),
            ("first", Some((slot, _))) => Some(local(slot + 3, Type::Bool)),
            ("last", Some((slot, _))) => Some(local(slot + 4, Type::Bool)),
            _ => None,
        };
        if found.is_none() {
            let message = format!("`@{name}` is not known here");
            let help = "`@index`, `@first`, `@last`, and over a map `@key`, stand in an `each`; \
                        for an outer one name them: `{{#each x as |item index|}}`";
            self.refuse("template::unknown_variable", message, span, "unknown", help);
        }
        found
    }

    fn step(&mut self, binding: Binding, name: &str, span: Span) -> Option<Binding> {
        let member = match self.schema.member(&binding.ty, name) {
            Ok(member) => member,
            Err(error) => {
                self.no_member(&binding.ty, name, error, span);
                return None;
            }
        };
        let mut steps = binding.steps;
        steps.push(Name::from(name));
        let known = self.present.iter().any(|(slot, it)| *slot == binding.slot && *it == steps);
        Some(Binding {
            slot: binding.slot,
            steps,
            ty: member.ty,
            absent: (member.optional || binding.absent) && !known,
            read: binding.read.map(|(param, mut read)| {
                read.push(ReadStep::Member(Name::from(name)));
                (param, read)
            }),
        })
    }

    fn no_member(&mut self, ty: &Type, name: &str, error: NoMember, span: Span) {
        let message = format!("{ty} has no member `{name}`");
        let problem = self.problem("template::unknown_member", message, span, "unknown");
        let known = |names: &[Name]| {
            let names: Vec<String> = names.iter().map(|it| format!("`{it}`")).collect();
            names.join(", ")
        };
        *problem = match error {
            NoMember::Unknown(names) => problem.clone().suggest(name, names.iter().map(|it| &**it)),
            NoMember::Ambiguous(names) => problem
                .clone()
                .help(format!("several packs have one; write its full name, as in `[pack/name]`: {}", known(&names))),
            NoMember::NotInAll(kinds) => problem.clone().help(format!("these kinds lack it: {}", known(&kinds))),
            NoMember::NoMembers => problem.clone().help(format!("a value of type {ty} has no members")),
        };
    }

    /// Returns the part of a tag that writes `raw`.
    fn span_of(&self, raw: &str, tag: Span) -> Span {
        match tag.of(&self.file.source).find(raw) {
            Some(at) => Span::new(tag.start as usize + at, tag.start as usize + at + raw.len()),
            None => tag,
        }
    }

    fn mark(&mut self, binding: &Binding, with: impl FnOnce(&mut Reads)) {
        let Some((param, steps)) = &binding.read else {
            return;
        };
        let mut reads = self.checked.reads.entry(param.clone()).or_default();
        for step in steps {
            reads = match step {
                ReadStep::Member(name) => reads.members.entry(name.clone()).or_default(),
                ReadStep::Each => reads.each.get_or_insert_default(),
            };
        }
        with(reads);
    }
}

impl Binding {
    fn access(&self, written: &str) -> Access {
        Access {
            slot: self.slot,
            steps: self.steps.clone().into(),
            shown: written.into(),
        }
    }
}

fn local(slot: usize, ty: Type) -> Binding {
    Binding {
        slot,
        steps: Vec::new(),
        ty,
        absent: false,
        read: None,
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
