//! From a template as written to one that can be filled: expressions compiled and typed, directives understood.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::DataFormat;
use super::source::{Written, WrittenData, WrittenText};
use crate::kind::{Field, Reads, Record, Type};
use crate::language::Language;
use crate::problem::{Place, Problem, Span};
use crate::rule::expression::{Expression, Scope, Uses, add_reads};
use crate::rule::interpolation::Interpolation;
use crate::value::{Name, Value};

/// What may stand as a key that begins with a dollar sign.
const DIRECTIVES: [&str; 9] = [
    "$comment", "$each", "$holes", "$if", "$key", "$lang", "$merge", "$null", "$value",
];

/// A part of a template.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Where it stands.
    pub(super) at: Span,
    /// What it is.
    pub(super) what: What,
}

/// What a part of a template is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A value without expressions; null is left out.
    Constant(Value),
    /// A null that is printed.
    Null,
    /// A value with expressions, and the languages that read it later, outermost first.
    Text(Interpolation, Arc<[Name]>),
    /// A list.
    List(Vec<Part>),
    /// A map, or what stands for one.
    Map(Box<MapPart>),
}

/// A map with its directives.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct MapPart {
    /// What it is repeated over, in order.
    pub(super) each: Vec<(Name, Expression)>,
    /// Whether it is there.
    pub(super) condition: Option<Expression>,
    /// What another language, which reads the file first, puts in the place of parts of it.
    pub(super) holes: Option<Expression>,
    /// What is printed above it.
    pub(super) comment: Option<(Interpolation, Span)>,
    /// What stands in its place.
    pub(super) value: Option<Part>,
    /// The key of a repeated entry.
    pub(super) key: Option<(Interpolation, Span)>,
    /// Its entries, in order.
    pub(super) entries: Vec<EntryPart>,
}

/// An entry of a map.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum EntryPart {
    /// A key and its value.
    Entry(Interpolation, Span, Part),
    /// The entries of a map that an expression gives.
    Merge(Expression, Span),
}

/// The state of a compilation.
pub(super) struct Compiler<'a> {
    file: &'a Name,
    format: DataFormat,
    /// What is read.
    pub(super) uses: Uses,
    /// What is wrong.
    pub(super) problems: Vec<Problem>,
}

/// Where a part stands, which decides what `$each` repeats.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Room {
    /// In a list, or as one of several documents.
    Item,
    /// Anywhere else.
    Value,
}

impl<'a> Compiler<'a> {
    pub(super) fn new(file: &'a Name, format: DataFormat) -> Self {
        Self {
            file,
            format,
            uses: Uses::default(),
            problems: Vec::new(),
        }
    }

    fn report(&mut self, code: &'static str, message: impl Into<Arc<str>>, at: Span, label: &str, help: &str) {
        let problem = Problem::error(code, message).at(Place::Text(self.file.clone(), at), label);
        self.problems
            .push(if help.is_empty() { problem } else { problem.help(help) });
    }

    /// Compiles one of the documents.
    pub(super) fn document(&mut self, written: &Written, scope: &Scope<'_>) -> Option<Part> {
        self.part(written, scope, Room::Item, &[].into())
    }

    fn part(&mut self, written: &Written, scope: &Scope<'_>, room: Room, languages: &Arc<[Name]>) -> Option<Part> {
        let what = match &written.data {
            WrittenData::Scalar(Value::Double(number)) if !number.0.is_finite() => {
                self.report(
                    "data::wrong_value",
                    "a number is not finite",
                    written.span,
                    "can't be printed",
                    "",
                );
                return None;
            }
            WrittenData::Scalar(value) => What::Constant(value.clone()),
            WrittenData::Text(text) => match &*text.content {
                "$null" if self.format == DataFormat::Toml => {
                    self.report(
                        "data::wrong_value",
                        "TOML has no null",
                        written.span,
                        "can't be printed",
                        "leave the key out",
                    );
                    return None;
                }
                "$null" => What::Null,
                _ => self.text(text, written.span, scope, languages)?,
            },
            WrittenData::List(items) => {
                let items: Vec<Option<Part>> = items
                    .iter()
                    .map(|it| self.part(it, scope, Room::Item, languages))
                    .collect();
                What::List(items.into_iter().collect::<Option<_>>()?)
            }
            WrittenData::Map(entries) => {
                What::Map(Box::new(self.map(entries, written.span, scope, room, languages)?))
            }
        };
        Some(Part { at: written.span, what })
    }

    fn text(&mut self, text: &WrittenText, span: Span, scope: &Scope<'_>, languages: &Arc<[Name]>) -> Option<What> {
        // `$$null` is the string that would else be a null.
        let (content, skipped) = match &*text.content {
            "$$null" => ("$null", 1),
            other => (other, 0),
        };
        let interpolation = self.interpolation(content, scope, |it| text.place(it.shifted(skipped)))?;
        if let Some(constant) = interpolation.constant() {
            return Some(What::Constant(Value::from(constant)));
        }
        if holds_node(interpolation.ty(), 0) {
            let message = format!("`{}` holds a node, which can't be printed", interpolation.ty());
            self.report(
                "data::node_value",
                message,
                span,
                "not a value",
                "write `.name` or `.address` behind it",
            );
            return None;
        }
        self.uses.extend(interpolation.uses());
        Some(What::Text(interpolation, languages.clone()))
    }

    fn interpolation(&mut self, text: &str, scope: &Scope<'_>, place: impl Fn(Span) -> Span) -> Option<Interpolation> {
        let (interpolation, problems) = Interpolation::compile_at(text, self.file, scope, place);
        self.problems.extend(problems);
        interpolation
    }

    fn expression(&mut self, written: &Written, scope: &Scope<'_>) -> Option<Expression> {
        match &written.data {
            WrittenData::Text(text) => {
                let place = |it| text.place(it);
                let (expression, problems) = Expression::compile(&text.content, self.file, &place, scope);
                self.problems.extend(problems);
                expression
            }
            // `$if: true` is a constant, and a constant is an expression.
            WrittenData::Scalar(Value::Bool(truth)) => {
                let source = if *truth { "true" } else { "false" };
                Expression::compile(source, self.file, &|_| written.span, scope).0
            }
            _ => {
                self.wrong(written.span, "an expression is wanted here", "as in `s.env`");
                None
            }
        }
    }

    fn wrong(&mut self, at: Span, message: &'static str, help: &str) {
        self.report("data::wrong_directive", message, at, "not understood", help);
    }

    fn map(
        &mut self,
        entries: &[(String, Span, Written)],
        span: Span,
        scope: &Scope<'_>,
        room: Room,
        languages: &Arc<[Name]>,
    ) -> Option<MapPart> {
        let n_problems = self.problems.len();
        let directive = |name: &str| entries.iter().find(|it| it.0 == name).map(|it| &it.2);
        for (key, span, _) in entries {
            let escaped = key.starts_with("$$") || key.starts_with("${");
            if key.starts_with('$') && !escaped && !DIRECTIVES.contains(&&**key) || key == "$null" {
                let problem = Problem::error("data::unknown_directive", format!("`{key}` is no directive"))
                    .suggest(key, DIRECTIVES)
                    .at(Place::Text(self.file.clone(), *span), "not known");
                let help = format!(
                    "{}; a key of this name is written `${key}`",
                    problem.help.as_deref().unwrap_or_default()
                );
                self.problems
                    .push(problem.help(help.trim_start_matches("; ").to_owned()));
            }
        }
        // What is read within is known after it is compiled: what `$each` binds is then traced to where it comes from.
        let outside = std::mem::take(&mut self.uses);
        let mut inner = scope.clone();
        let each = directive("$each")
            .and_then(|it| self.each(it, &mut inner))
            .unwrap_or_default();
        let condition = directive("$if").and_then(|it| self.expression(it, &inner));
        if let (Some(condition), Some(written)) = (&condition, directive("$if")) {
            if !matches!(condition.ty(), Type::Bool | Type::Any) || condition.is_nullable() {
                let message = format!("a condition is `bool`, not `{}`", condition.ty());
                let help = "ask a question: `$if: has(s.label)`, `$if: s.count > 0`";
                self.report("data::wrong_directive", message, written.span, "not a condition", help);
            }
            self.uses.extend(condition.uses());
            inner.present.extend(condition.ensures());
        }
        let languages = match directive("$lang") {
            Some(written) => self.languages(written, languages),
            None => languages.clone(),
        };
        let holes = directive("$holes").and_then(|it| {
            if self.format != DataFormat::Yaml {
                let help = "print YAML, or a text template";
                self.report(
                    "data::wrong_directive",
                    "only YAML has holes",
                    it.span,
                    "not here",
                    help,
                );
            }
            self.expression(it, &inner)
        });
        if let Some(holes) = &holes {
            self.uses.extend(holes.uses());
        }
        let comment = directive("$comment").and_then(|it| self.comment(it, &inner));
        let key = self.each_key(
            directive("$key"),
            directive("$value").is_some(),
            !each.is_empty(),
            room,
            span,
            &inner,
        );
        let value = directive("$value").and_then(|it| self.part(it, &inner, Room::Value, &languages));
        let mut parts = Vec::new();
        // Entries that stand beside a `$key` are not repeated with it.
        let outer = if key.is_some() { scope } else { &inner };
        for (name, name_span, written) in entries {
            if name == "$merge" {
                parts.extend(self.merge(written, outer));
            } else if !DIRECTIVES.contains(&&**name) {
                parts.extend(self.entry(name, *name_span, written, outer, &languages));
            }
        }
        if value.is_some() && key.is_none() && !parts.is_empty() {
            self.wrong(
                span,
                "`$value` stands for the whole map, which has other keys",
                "move them into `$value`",
            );
        }
        let uses = std::mem::replace(&mut self.uses, outside);
        self.bring_out(uses, &each, &inner);
        (self.problems.len() == n_problems).then_some(MapPart {
            each,
            condition,
            holes,
            comment,
            value,
            key,
            entries: parts,
        })
    }

    fn entry(
        &mut self,
        name: &str,
        span: Span,
        written: &Written,
        scope: &Scope<'_>,
        languages: &Arc<[Name]>,
    ) -> Option<EntryPart> {
        let (content, skipped) = match name.strip_prefix("$$") {
            Some(rest) if !rest.starts_with('{') => (&name[1..], 1),
            _ => (name, 0),
        };
        let text = WrittenText::key_at(name, span);
        let key = self.interpolation(content, scope, |it| text.place(it.shifted(skipped)));
        if let Some(key) = &key {
            let fits = matches!(
                key.ty(),
                Type::String | Type::Choice(_) | Type::Text | Type::Any | Type::Int | Type::Bool
            );
            if !fits {
                let message = format!("a key is a string, not `{}`", key.ty());
                let help = "make it one: `${string(…)}`";
                self.report("data::wrong_key", message, span, "not a string", help);
            }
            self.uses.extend(key.uses());
        }
        let part = self.part(written, scope, Room::Value, languages);
        Some(EntryPart::Entry(key?, span, part?))
    }

    fn merge(&mut self, written: &Written, scope: &Scope<'_>) -> Vec<EntryPart> {
        let all = match &written.data {
            WrittenData::List(items) => items.iter().collect(),
            _ => vec![written],
        };
        let mut parts = Vec::new();
        for written in all {
            let Some(expression) = self.expression(written, scope) else {
                continue;
            };
            if !matches!(expression.ty(), Type::Map(_) | Type::Record(_) | Type::Any | Type::Null)
                || holds_node(expression.ty(), 0)
            {
                let message = format!("`$merge` wants a map, not `{}`", expression.ty());
                let help = "give a map, or a list of maps: `$merge: s.labels`";
                self.report("data::wrong_directive", message, written.span, "not a map", help);
            }
            self.uses.extend(expression.uses());
            parts.push(EntryPart::Merge(expression, written.span));
        }
        parts
    }

    fn comment(&mut self, written: &Written, scope: &Scope<'_>) -> Option<(Interpolation, Span)> {
        let WrittenData::Text(text) = &written.data else {
            self.wrong(written.span, "a comment is a text", "");
            return None;
        };
        if self.format == DataFormat::Json {
            self.wrong(written.span, "JSON has no comments", "leave `$comment` out");
        }
        let interpolation = self.interpolation(&text.content, scope, |it| text.place(it))?;
        self.uses.extend(interpolation.uses());
        Some((interpolation, written.span))
    }

    fn each_key(
        &mut self,
        key: Option<&Written>,
        has_value: bool,
        has_each: bool,
        room: Room,
        span: Span,
        scope: &Scope<'_>,
    ) -> Option<(Interpolation, Span)> {
        match (key, has_each, room) {
            (None, true, Room::Value) => {
                self.wrong(
                    span,
                    "`$each` outside of a list makes entries, and wants `$key` and `$value`",
                    "",
                );
                None
            }
            (None, ..) => None,
            (Some(_), _, Room::Item) => {
                self.wrong(
                    span,
                    "`$each` in a list repeats the item",
                    "write the key as `\"${…}\": …` instead of `$key`",
                );
                None
            }
            (Some(_), false, _) => {
                self.wrong(span, "`$key` names the entries of an `$each`, and there is none", "");
                None
            }
            (Some(written), ..) => {
                if !has_value {
                    self.wrong(span, "`$key` wants a `$value` beside it", "");
                }
                let WrittenData::Text(text) = &written.data else {
                    self.wrong(written.span, "a key is a text", "");
                    return None;
                };
                let interpolation = self.interpolation(&text.content, scope, |it| text.place(it))?;
                self.uses.extend(interpolation.uses());
                Some((interpolation, written.span))
            }
        }
    }

    /// Compiles what a map is repeated over, each variable being known to those after it.
    fn each(&mut self, written: &Written, scope: &mut Scope<'_>) -> Option<Vec<(Name, Expression)>> {
        let WrittenData::Map(variables) = &written.data else {
            self.wrong(
                written.span,
                "`$each` wants names for the items",
                "as in `$each: {e: s.env}`",
            );
            return None;
        };
        let mut each = Vec::new();
        for (name, span, written) in variables {
            let Some(expression) = self.expression(written, scope) else {
                continue;
            };
            let item = match expression.ty() {
                _ if expression.is_nullable() && *expression.ty() != Type::Any => None,
                Type::List(item) => Some((**item).clone()),
                Type::Map(item) => Some(entry_type((**item).clone())),
                Type::Record(record) => {
                    let mut types = record.fields.values().map(|it| it.ty.clone());
                    let first = types.next().unwrap_or(Type::Any);
                    let same = types.all(|it| it == first);
                    Some(entry_type(if same { first } else { Type::Any }))
                }
                Type::Any => Some(Type::Any),
                _ => None,
            };
            let Some(item) = item else {
                let message = format!("`$each` wants a list or a map, not `{}`", expression.ty());
                self.report(
                    "data::wrong_directive",
                    message,
                    written.span,
                    "can't be repeated over",
                    "",
                );
                continue;
            };
            let is_name = !name.is_empty()
                && name.chars().all(|it| it.is_ascii_alphanumeric() || it == '_')
                && !name.starts_with(|it: char| it.is_ascii_digit());
            if !is_name {
                self.wrong(*span, "the name of a variable is made of letters, digits and `_`", "");
            }
            let name = Name::from(&**name);
            if scope.variables.insert(name.clone(), item).is_some() {
                self.wrong(*span, "there is a variable of this name already", "choose another name");
            }
            each.push((name, expression));
        }
        Some(each)
    }

    /// Adds what was read within a map, where the variables of its `$each` are known no more.
    fn bring_out(&mut self, mut uses: Uses, each: &[(Name, Expression)], scope: &Scope<'_>) {
        for (name, expression) in each.iter().rev() {
            let of_item = uses.variables.remove(name).unwrap_or_default();
            let reads = match expression.ty() {
                Type::Map(_) | Type::Record(_) => {
                    let mut value = of_item.members.get("value").cloned().unwrap_or_default();
                    value.whole |= of_item.whole;
                    Reads {
                        each: Some(Box::new(value)),
                        ..Reads::default()
                    }
                }
                Type::Any => Reads {
                    whole: true,
                    ..Reads::default()
                },
                _ => Reads {
                    each: Some(Box::new(of_item)),
                    ..Reads::default()
                },
            };
            uses.extend(&expression.uses_for(&reads, scope.schema));
        }
        self.uses.relations.append(&mut uses.relations);
        for (name, reads) in &uses.variables {
            add_reads(self.uses.variables.entry(name.clone()).or_default(), reads);
        }
        self.uses.extend(&Uses {
            variables: BTreeMap::new(),
            ..uses
        });
    }

    fn languages(&mut self, written: &Written, around: &Arc<[Name]>) -> Arc<[Name]> {
        let all = match &written.data {
            WrittenData::List(items) => items.iter().collect(),
            _ => vec![written],
        };
        let mut languages = around.to_vec();
        for written in all {
            let WrittenData::Text(text) = &written.data else {
                self.wrong(
                    written.span,
                    "`$lang` wants the name of a language",
                    "as in `$lang: go-template`",
                );
                continue;
            };
            if Language::parse(&text.content).is_none() {
                let names = Language::ALL.map(Language::name);
                let problem = Problem::error(
                    "data::unknown_language",
                    format!("there is no language `{}`", text.content),
                );
                let place = Place::Text(self.file.clone(), written.span);
                self.problems
                    .push(problem.suggest(&text.content, names).at(place, "not known"));
            }
            languages.push(Name::from(&*text.content));
        }
        languages.into()
    }
}

fn entry_type(value: Type) -> Type {
    Type::Record(Arc::new(Record {
        fields: BTreeMap::from([
            (Name::from("key"), Field::always(Type::String, "The key.")),
            (Name::from("value"), Field::always(value, "The value.")),
        ]),
        short: None,
    }))
}

/// Tells whether a value of this type holds a node somewhere.
fn holds_node(ty: &Type, depth: usize) -> bool {
    match ty {
        _ if depth > 32 => false,
        Type::Node(_) | Type::Edge(_) => true,
        Type::List(item) | Type::Map(item) => holds_node(item, depth + 1),
        Type::Record(record) => record.fields.values().any(|it| holds_node(&it.ty, depth + 1)),
        _ => false,
    }
}
