//! Filling a template: expressions become values, directives are followed, nulls are left out.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use super::compile::{EntryPart, MapPart, Part, What};
use super::document::{Datum, Kind};
use super::{DataFormat, language};
use crate::problem::{Place, Problem, Span};
use crate::rule::expression::{Bindings, Bound, Expression, Failure, Variables, printed};
use crate::rule::interpolation::{Evaluated, Interpolation};
use crate::value::{Name, Value};

/// The most values that one file may hold.
const MAX_VALUES: usize = 1_000_000;

/// The most problems that are told of one file.
const MAX_PROBLEMS: usize = 20;

/// The longest key; a reader of YAML may refuse a longer one.
const MAX_KEY: usize = 1_000;

/// The state of a filling.
pub(super) struct Renderer<'a> {
    bindings: &'a Bindings<'a>,
    variables: Variables,
    file: &'a Name,
    format: DataFormat,
    left: usize,
    /// What failed.
    pub(super) problems: Vec<Problem>,
}

/// Returns what to type where a filled value can't be printed.
fn help(code: &str) -> &'static str {
    match code {
        "data::wrong_documents" => "let `$if` or `$each` leave just one document, or print YAML",
        "data::wrong_value" => "write a map at the top, and leave out what the format can't hold",
        "data::too_large" => "let the rule give less, or print several files by `per`",
        "data::node_value" => "print a field of it: `….name`, `….address`",
        "data::duplicate_key" => "make the keys differ, or leave one of them out by `$if`",
        "data::wrong_key" => "make the key a string: `string(…)`",
        "data::code_without_language" => "name the language above it by `$lang`, or print text that is no code",
        "data::cannot_escape" => "leave those characters out, or pass the value in another way",
        _ => "let the rule's `when` leave such nodes out",
    }
}

impl<'a> Renderer<'a> {
    pub(super) fn new(bindings: &'a Bindings<'a>, file: &'a Name, format: DataFormat) -> Self {
        Self {
            bindings,
            variables: bindings.variables.clone(),
            file,
            format,
            left: MAX_VALUES,
            problems: Vec::new(),
        }
    }

    /// Returns the filled documents.
    pub(super) fn documents(&mut self, parts: &[Part]) -> Vec<Datum> {
        let documents = self.items(parts);
        if self.format != DataFormat::Yaml && documents.len() != 1 && self.problems.is_empty() {
            let message = format!("the file would hold {} documents", documents.len());
            let at = parts.first().map_or_else(Span::default, |it| it.at);
            self.report("data::wrong_documents", message, at);
        }
        if let (DataFormat::Toml, Some(document)) = (self.format, documents.first())
            && !matches!(document.kind, Kind::Map(_))
        {
            self.report("data::wrong_value", "a TOML file holds a map", document.at);
        }
        documents
    }

    fn report(&mut self, code: &'static str, message: impl Into<std::sync::Arc<str>>, at: Span) {
        if self.problems.len() < MAX_PROBLEMS {
            let problem = Problem::error(code, message)
                .at(Place::Text(self.file.clone(), at), "filled here")
                .help(help(code));
            if !self.problems.contains(&problem) {
                self.problems.push(problem);
            }
        }
    }

    fn failed(&mut self, failure: Failure) {
        let problem = failure.problem();
        if self.problems.len() < MAX_PROBLEMS && !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    /// Takes a value from those that are left; none when there are none.
    fn spend(&mut self, at: Span) -> Option<()> {
        if self.left == 0 {
            self.report(
                "data::too_large",
                format!("the file would hold more than {MAX_VALUES} values"),
                at,
            );
            return None;
        }
        self.left -= 1;
        Some(())
    }

    fn evaluate(&mut self, expression: &Expression) -> Option<Value> {
        let bindings = Bindings {
            variables: &self.variables,
            ..*self.bindings
        };
        match expression.evaluate(&bindings) {
            Ok(value) => Some(value),
            Err(failure) => {
                self.failed(failure);
                None
            }
        }
    }

    fn parts(&mut self, interpolation: &Interpolation) -> Option<Vec<Evaluated>> {
        let bindings = Bindings {
            variables: &self.variables,
            ..*self.bindings
        };
        match interpolation.evaluate_parts(&bindings) {
            Ok(parts) => Some(parts),
            Err(failure) => {
                self.failed(failure);
                None
            }
        }
    }

    fn items(&mut self, parts: &[Part]) -> Vec<Datum> {
        let mut items = Vec::new();
        for part in parts {
            match &part.what {
                What::Map(map) if !map.each.is_empty() && map.key.is_none() => {
                    self.repeat(map, 0, &mut |it| items.extend(it.once(map, part.at)));
                }
                _ => items.extend(self.part(part)),
            }
        }
        items
    }

    /// Runs `run` for every binding of the variables of an `$each`.
    fn repeat(&mut self, map: &MapPart, depth: usize, run: &mut dyn FnMut(&mut Self)) {
        let Some((name, expression)) = map.each.get(depth) else {
            run(self);
            return;
        };
        let items: Vec<Value> = match self.evaluate(expression) {
            None => return,
            Some(Value::List(items)) => items.to_vec(),
            Some(Value::Map(map)) => map
                .iter()
                .map(|(key, value)| {
                    let entry = [
                        (Name::from("key"), Value::String(key.clone())),
                        (Name::from("value"), value.clone()),
                    ];
                    entry.into_iter().collect()
                })
                .collect(),
            Some(other) => {
                let failure = expression.failure(format!("`$each` wants a list or a map, not {}", other.noun()));
                self.failed(failure);
                return;
            }
        };
        for item in items {
            if self.left == 0 {
                break;
            }
            self.variables.insert(name.clone(), Bound::Value(item));
            self.repeat(map, depth + 1, run);
        }
        self.variables.remove(name);
    }

    /// Returns a filled part, none where it is left out.
    fn part(&mut self, part: &Part) -> Option<Datum> {
        self.spend(part.at)?;
        let kind = match &part.what {
            What::Constant(value) => return self.datum(value, part.at, &[]),
            What::Null => Kind::Null,
            What::Text(interpolation, languages) => return self.text(interpolation, part.at, languages),
            What::List(parts) => Kind::List(self.items(parts)),
            What::Map(map) => return self.once(map, part.at),
        };
        Some(Datum {
            at: part.at,
            comment: None,
            kind,
        })
    }

    fn text(&mut self, interpolation: &Interpolation, at: Span, languages: &[Name]) -> Option<Datum> {
        if let Some(expression) = interpolation.whole() {
            let value = self.evaluate(expression)?;
            return self.datum(&value, at, languages);
        }
        let parts = self.parts(interpolation)?;
        let text = self.characters(&parts, at, languages)?;
        Some(Datum {
            at,
            comment: None,
            kind: Kind::String(text.into()),
        })
    }

    /// Returns the characters of a text: what the template writes as it is, values as `languages` want them.
    fn characters(&mut self, parts: &[Evaluated], at: Span, languages: &[Name]) -> Option<String> {
        let mut all = String::new();
        for part in parts {
            match part {
                Evaluated::Written(text) => all.push_str(text),
                Evaluated::Value(value) => {
                    let text = printed(value).map_err(|reason| ("data::wrong_value", reason));
                    match text.and_then(|text| language::characters(&text, languages)) {
                        Ok(text) => all.push_str(&text),
                        Err((code, message)) => {
                            self.report(code, message, at);
                            return None;
                        }
                    }
                }
            }
        }
        Some(all)
    }

    /// Returns a value as data, none where it is null.
    fn datum(&mut self, value: &Value, at: Span, languages: &[Name]) -> Option<Datum> {
        self.spend(at)?;
        let kind = match value {
            Value::Null => return None,
            Value::Bool(truth) => Kind::Bool(*truth),
            Value::Int(number) => Kind::Int(*number),
            Value::Double(number) => Kind::Double(*number),
            Value::String(text) if languages.is_empty() => Kind::String(text.clone()),
            Value::String(_) | Value::Text(_) => {
                let parts = [Evaluated::Value(value.clone())];
                Kind::String(self.characters(&parts, at, languages)?.into())
            }
            Value::List(items) => Kind::List(items.iter().filter_map(|it| self.datum(it, at, languages)).collect()),
            Value::Map(map) => {
                let mut entries = Vec::with_capacity(map.len());
                for (key, value) in map {
                    self.key_fits(key, at)?;
                    if let Some(datum) = self.datum(value, at, languages) {
                        entries.push((key.clone(), datum));
                    }
                }
                Kind::Map(entries)
            }
            Value::Node(address) => {
                self.report("data::node_value", format!("the node `{address}` can't be printed"), at);
                return None;
            }
        };
        Some(Datum {
            at,
            comment: None,
            kind,
        })
    }

    /// Returns a map for the variables as they are bound, none where its condition does not hold.
    fn once(&mut self, map: &MapPart, at: Span) -> Option<Datum> {
        if map.key.is_none() && !self.holds(map) {
            return None;
        }
        let comment = match &map.comment {
            Some((interpolation, at)) if map.key.is_none() => {
                let parts = self.parts(interpolation)?;
                Some(Name::from(self.characters(&parts, *at, &[])?))
            }
            _ => None,
        };
        let mut datum = match (&map.value, &map.key) {
            (Some(value), None) => self.part(value)?,
            _ => Datum {
                at,
                comment: None,
                kind: Kind::Map(self.entries(map, at)),
            },
        };
        if comment.is_some() {
            datum.comment = comment;
        }
        Some(datum)
    }

    fn holds(&mut self, map: &MapPart) -> bool {
        match &map.condition {
            None => true,
            Some(condition) => match self.evaluate(condition) {
                Some(Value::Bool(truth)) => truth,
                None => false,
                Some(other) => {
                    let failure = condition.failure(format!("a condition is a boolean, not {}", other.noun()));
                    self.failed(failure);
                    false
                }
            },
        }
    }

    fn entries(&mut self, map: &MapPart, at: Span) -> Vec<(Name, Datum)> {
        let mut entries = Entries::default();
        for entry in &map.entries {
            match entry {
                EntryPart::Entry(key, at, part) => {
                    let Some(Some(key)) = self.key(key, *at) else { continue };
                    let Some(datum) = self.part(part) else { continue };
                    self.add(&mut entries, key, datum, *at);
                }
                EntryPart::Merge(expression, at) => match self.evaluate(expression) {
                    None | Some(Value::Null) => {}
                    Some(Value::Map(map)) => {
                        for (key, value) in &map {
                            if self.key_fits(key, *at).is_none() {
                                continue;
                            }
                            if let Some(datum) = self.datum(value, *at, &[]) {
                                entries.put(key.clone(), datum);
                                entries.merged.insert(key.clone());
                            }
                        }
                    }
                    Some(other) => {
                        let failure = expression.failure(format!("`$merge` wants a map, not {}", other.noun()));
                        self.failed(failure);
                    }
                },
            }
        }
        if let (Some((key, key_at)), Some(value)) = (&map.key, &map.value) {
            self.repeat(map, 0, &mut |it| {
                if !it.holds(map) {
                    return;
                }
                let Some(Some(key)) = it.key(key, *key_at) else { return };
                let comment = map.comment.as_ref().and_then(|(interpolation, at)| {
                    let parts = it.parts(interpolation)?;
                    it.characters(&parts, *at, &[]).map(Name::from)
                });
                if let Some(mut datum) = it.part(value) {
                    datum.comment = comment.or(datum.comment);
                    it.add(&mut entries, key, datum, at);
                }
            });
        }
        entries.all
    }

    fn add(&mut self, entries: &mut Entries, key: Name, datum: Datum, at: Span) {
        if entries.places.contains_key(&key) && !entries.merged.remove(&key) {
            self.report("data::duplicate_key", format!("the key `{key}` is made twice"), at);
        } else {
            entries.put(key, datum);
        }
    }

    /// Returns a filled key; none of a null, nothing at all of one that failed.
    fn key(&mut self, key: &Interpolation, at: Span) -> Option<Option<Name>> {
        if let Some(key) = key.constant_name() {
            self.key_fits(&key, at)?;
            return Some(Some(key));
        }
        let parts = self.parts(key)?;
        if let [Evaluated::Value(Value::Null)] = &*parts {
            return Some(None);
        }
        let key = Name::from(self.characters(&parts, at, &[])?);
        self.key_fits(&key, at)?;
        Some(Some(key))
    }

    fn key_fits(&mut self, key: &Name, at: Span) -> Option<()> {
        if key.len() > MAX_KEY && key.chars().count() > MAX_KEY {
            self.report(
                "data::wrong_key",
                format!("a key has more than {MAX_KEY} characters"),
                at,
            );
            return None;
        }
        Some(())
    }
}

/// The entries of a map as they come.
#[derive(Default)]
struct Entries {
    all: Vec<(Name, Datum)>,
    places: FxHashMap<Name, usize>,
    /// Keys that came by `$merge`, over which an entry may be written.
    merged: BTreeSet<Name>,
}

impl Entries {
    /// Adds an entry, in place of one with its key.
    fn put(&mut self, key: Name, datum: Datum) {
        match self.places.get(&key) {
            Some(at) => self.all[*at].1 = datum,
            None => {
                self.places.insert(key.clone(), self.all.len());
                self.all.push((key, datum));
            }
        }
    }
}
