//! Handlebars' syntax tree, checked against the closed set of constructs and the types, turned into steps.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use handlebars::template::{BlockParam, HelperTemplate, Parameter, Template, TemplateElement};

use super::resolve::{Binding, ReadStep, Scope, local};
use super::{File, Op, PartialSource, Print, Style, Subject, scan};
use crate::artifact::lexer::Guard;
use crate::artifact::literal::Printer;
use crate::artifact::place::Shape;
use crate::kind::{Reads, Schema, Type};
use crate::language::Language;
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
pub(super) struct Current {
    pub(super) index: usize,
    pub(super) name: Option<Name>,
    pub(super) source: Arc<str>,
    pub(super) tags: BTreeMap<usize, Span>,
    pub(super) line_starts: Vec<usize>,
}

pub(super) struct Checker<'a> {
    pub(super) schema: &'a Schema,
    pub(super) partials: &'a BTreeMap<Name, PartialSource>,
    pub(super) files: Vec<File>,
    pub(super) file: Current,
    pub(super) scopes: Vec<Scope>,
    pub(super) present: Vec<(usize, Vec<Name>)>,
    /// The partials that are being read.
    pub(super) open: Vec<Name>,
    pub(super) n_ops: usize,
    pub(super) checked: Checked,
}

impl Checker<'_> {
    /// Reports the innermost block that is opened and never closed, if there is one.
    fn unclosed(&self, file: &Name, source: &str) -> Option<Problem> {
        let mut open: Vec<(&str, Span)> = Vec::new();
        for span in self.file.tags.values() {
            let tag = span.of(source).trim_start_matches('{').trim_start_matches('~');
            if let Some(rest) = tag.strip_prefix('#') {
                open.push((rest.split([' ', '}', '~', '\n']).next()?, *span));
            } else if tag.starts_with('/') {
                open.pop();
            }
        }
        let (block, span) = open.pop()?;
        let problem = Problem::error("template::syntax", format!("`{{{{#{block} …}}}}` is never closed"));
        let problem = problem.at(Place::Text(file.clone(), span), "opened here");
        Some(problem.help(format!("write `{{{{/{block}}}}}` where it ends")))
    }

    pub(super) fn file(&mut self, name: &Name, source: &str) -> Vec<Op> {
        let known: BTreeSet<Name> = self.scopes.iter().flat_map(|it| it.names.keys().cloned()).collect();
        let scanned = scan::scan(name, source, &|it| known.contains(it));
        let line_starts: Vec<usize> = std::iter::once(0)
            .chain(source.match_indices('\n').map(|(at, _)| at + 1))
            .collect();
        self.files.push(File {
            name: name.clone(),
            last: Span::new(source.char_indices().last().map_or(0, |it| it.0), source.len()),
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
                if let Some(problem) = self.unclosed(name, &scanned.source) {
                    self.checked.problems.push(problem);
                    return Vec::new();
                }
                let message = "Handlebars can't read the template";
                let reason = error.reason().to_string();
                let reason = reason.lines().last().unwrap_or("").trim().trim_start_matches("= ");
                let place = Place::Text(name.clone(), Span::of_char(source, at));
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
        let within = rest
            .char_indices()
            .nth(col.saturating_sub(1))
            .map_or(rest.len(), |(at, _)| at);
        start + within
    }

    pub(super) fn problem(&mut self, code: &'static str, message: String, span: Span, label: &str) -> &mut Problem {
        let name = self.file.name.clone().unwrap_or_else(|| Name::from(""));
        let problem = Problem::error(code, message).at(Place::Text(name, span), label);
        self.checked.problems.push(problem);
        let last = self.checked.problems.len() - 1;
        &mut self.checked.problems[last]
    }

    pub(super) fn refuse(&mut self, code: &'static str, message: String, span: Span, label: &str, help: &str) {
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
        let source = &self.file.source;
        let start = begin(source, span.start as usize, &text);
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
                (Some(printer), [path @ Parameter::Path(_)], true) => {
                    Some((printer, path.as_name().unwrap_or("").to_owned()))
                }
                (Some(_), ..) => {
                    let message = format!("`{name}` prints one value");
                    return self.refuse(
                        "template::unknown_helper",
                        message,
                        span,
                        "here",
                        "write `{{json path}}`",
                    );
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
            problem
                .clone()
                .help("look it up in the rule, and hand it over under `with`")
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
                    Type::List(_) => {
                        format!("walk it with `{{{{#each {written}}}}}`, or print it whole: `{{{{json {written}}}}}`")
                    }
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
        let all: Vec<(usize, Vec<Name>)> = (0..=binding.steps.len())
            .map(|n| (binding.slot, binding.steps[..n].to_vec()))
            .collect();
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
            subject: if holds {
                Subject::Holds(access)
            } else {
                Subject::Lacks(access)
            },
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
        let key = local(
            slot + if keyed { 1 } else { 2 },
            if keyed { Type::String } else { Type::Int },
        );
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
            self.refuse(
                "template::language",
                "`lang` names no language".to_owned(),
                span,
                "here",
                help,
            );
        }
        let body = self.branch(helper.template.as_ref(), span);
        ops.push(Op::Lang {
            languages,
            body,
            file: self.file.index,
            span,
        });
    }
}

/// Returns where the raw `text` begins in `source`, of which Handlebars says `start`.
///
/// It counts from the first character that is no blank, and leaves out the rest of a line on which a tag stands alone.
fn begin(source: &str, start: usize, text: &str) -> usize {
    let (before, after) = source.split_at_checked(start).unwrap_or((source, ""));
    let blanks = &text[..text.len() - text.trim_start().len()];
    if !after.starts_with(blanks) && before.ends_with(blanks) {
        return before.len() - blanks.len();
    }
    before.len() + after.find(text).unwrap_or(0)
}
