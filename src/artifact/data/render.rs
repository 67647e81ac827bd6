//! Filling a template: expressions become values, directives are followed, nulls are left out.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use super::compile::{EntryPart, MapPart, Part, What};
use super::document::{Around, Datum, Kind};
use super::{DataFormat, holes, language};
use crate::problem::{Place, Problem, Span};
use crate::rule::expression::{Bindings, Bound, Expression, Failure, Uses, Variables, printed};
use crate::rule::interpolation::{Evaluated, Interpolation};
use crate::value::{Name, Value};

/// The most values that one file may hold: so many take as much room as the longest text that a template may print.
const MAX_VALUES: usize = 4_000_000;

/// The most problems that are told of one file.
const MAX_PROBLEMS: usize = 20;

/// The longest key; a reader of YAML may refuse a longer one.
const MAX_KEY: usize = 1_000;

/// What is noted of a value that was filled in: what it was made of, where that was asked.
#[derive(Clone, Debug)]
pub struct Note {
    /// What its expression reads.
    pub uses: Uses,
    /// What the variables of `$each` stood for: their expressions, and the item.
    pub each: Vec<(Name, Expression, Value)>,
    /// The value.
    pub value: Value,
    /// The keys under which it stands in the value of its expression.
    pub keys: Vec<Name>,
    /// Another note of the same line.
    pub also: u32,
}

/// Notes while a template is filled.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) all: Vec<Note>,
    each: Vec<(Name, Expression, Value)>,
    /// What the expression under way reads.
    uses: Uses,
    keys: Vec<Name>,
}

impl Notes {
    fn add(&mut self, uses: &Uses, value: Value) -> u32 {
        self.all.push(Note {
            uses: uses.clone(),
            each: self.each.clone(),
            value,
            keys: self.keys.clone(),
            also: 0,
        });
        u32::try_from(self.all.len()).unwrap_or(0)
    }

    /// Makes `also` a further note of what bears `note`, and returns what that bears then.
    fn join(&mut self, note: u32, also: u32) -> u32 {
        if note == 0 || also == 0 {
            return note.max(also);
        }
        let mut last = note;
        while let Some(next) = self.all.get(last as usize - 1).map(|it| it.also).filter(|it| *it > 0) {
            last = next;
        }
        self.all[last as usize - 1].also = also;
        note
    }
}

/// The state of a filling.
pub(super) struct Renderer<'a> {
    bindings: &'a Bindings<'a>,
    variables: Variables,
    file: &'a Name,
    format: DataFormat,
    left: usize,
    /// What reads the file before its format does.
    pub(super) around: Option<Around>,
    /// What failed.
    pub(super) problems: Vec<Problem>,
    /// What the values were made of, where that is asked.
    pub(super) notes: Option<Box<Notes>>,
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
            around: None,
            problems: Vec::new(),
            notes: None,
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
            if let Some(notes) = &mut self.notes {
                notes.each.push((name.clone(), expression.clone(), item.clone()));
            }
            self.variables.insert(name.clone(), Bound::Value(item));
            self.repeat(map, depth + 1, run);
            if let Some(notes) = &mut self.notes {
                notes.each.pop();
            }
        }
        self.variables.remove(name);
    }

    /// Returns a filled part, none where it is left out.
    fn part(&mut self, part: &Part) -> Option<Datum> {
        self.spend(part.at)?;
        let kind = match &part.what {
            What::Constant(value) => {
                // What the template itself says is made of nothing else.
                let notes = self.notes.take();
                let datum = self.datum(value, part.at, &[]);
                self.notes = notes;
                return datum;
            }
            What::Null => Kind::Null,
            What::Text(interpolation, languages) => return self.text(interpolation, part.at, languages),
            What::List(parts) => Kind::List(self.items(parts)),
            What::Map(map) => return self.once(map, part.at),
        };
        Some(Datum {
            at: part.at,
            comment: None,
            note: 0,
            kind,
        })
    }

    fn text(&mut self, interpolation: &Interpolation, at: Span, languages: &[Name]) -> Option<Datum> {
        if let Some(notes) = &mut self.notes {
            notes.uses = interpolation.uses().clone();
        }
        if let Some(expression) = interpolation.whole() {
            let value = self.evaluate(expression)?;
            return self.datum(&value, at, languages);
        }
        let parts = self.parts(interpolation)?;
        let text = self.characters(&parts, at, languages)?;
        Some(Datum {
            at,
            comment: None,
            note: self.note(|| Value::string(text.as_str())),
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

    /// Notes what the expression under way has given.
    fn note(&mut self, value: impl FnOnce() -> Value) -> u32 {
        match &mut self.notes {
            None => 0,
            Some(notes) => {
                let uses = std::mem::take(&mut notes.uses);
                let note = notes.add(&uses, value());
                notes.uses = uses;
                note
            }
        }
    }

    /// Runs `run` for what stands under `key` in the value of the expression under way.
    fn beneath<T>(&mut self, key: impl FnOnce() -> Name, run: impl FnOnce(&mut Self) -> T) -> T {
        if let Some(notes) = &mut self.notes {
            notes.keys.push(key());
        }
        let result = run(self);
        if let Some(notes) = &mut self.notes {
            notes.keys.pop();
        }
        result
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
            Value::List(items) => {
                let mut data = Vec::with_capacity(items.len());
                for (nth, item) in items.iter().enumerate() {
                    data.extend(self.beneath(|| nth.to_string().into(), |it| it.datum(item, at, languages)));
                }
                Kind::List(data)
            }
            Value::Map(map) => {
                let mut entries = Vec::with_capacity(map.len());
                for (key, value) in map {
                    self.key_fits(key, at)?;
                    let datum = self.beneath(|| key.clone(), |it| it.datum(value, at, languages));
                    if let Some(datum) = datum {
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
            note: self.note(|| value.clone()),
            kind,
        })
    }

    /// Returns a map for the variables as they are bound, none where its condition does not hold.
    fn once(&mut self, map: &MapPart, at: Span) -> Option<Datum> {
        if map.key.is_none() && !self.holds(map) {
            return None;
        }
        let mut said = 0;
        let comment = match &map.comment {
            Some((interpolation, at)) if map.key.is_none() => {
                let parts = self.parts(interpolation)?;
                let text = Name::from(self.characters(&parts, *at, &[])?);
                said = self.said(interpolation, || Value::String(text.clone()));
                Some(text)
            }
            _ => None,
        };
        let mut datum = match (&map.value, &map.key) {
            (Some(value), None) => self.part(value)?,
            _ => Datum {
                at,
                comment: None,
                note: 0,
                kind: Kind::Map(self.entries(map, at)),
            },
        };
        if comment.is_some() {
            datum.comment = comment;
        }
        self.join(&mut datum, said);
        if let Some(expression) = &map.holes {
            self.holes(expression, &mut datum)?;
        }
        Some(datum)
    }

    /// Notes what a text beside the values has given: a key, a comment. A constant is the template's own.
    fn said(&mut self, text: &Interpolation, value: impl FnOnce() -> Value) -> u32 {
        match &mut self.notes {
            Some(notes) if text.constant().is_none() => notes.add(text.uses(), value()),
            _ => 0,
        }
    }

    fn join(&mut self, datum: &mut Datum, also: u32) {
        if let Some(notes) = &mut self.notes {
            datum.note = notes.join(datum.note, also);
        }
    }

    /// Puts the code of the language that reads the file first in the places that an expression names.
    fn holes(&mut self, expression: &Expression, datum: &mut Datum) -> Option<()> {
        let given = self.evaluate(expression)?;
        let Some(language) = given.get("language").and_then(Value::as_str) else {
            let message = "`$holes` wants `language`, `first`, `last` and `at`, a list of `path` and `code`";
            self.failed(expression.failure(message.to_owned()));
            return None;
        };
        if language.is_empty() {
            return Some(());
        }
        let (at, languages) = (datum.at, [Name::from(language)]);
        let mut code = |value: Option<&Value>| match value {
            None => Some(Name::from("")),
            Some(value) => {
                let parts = [Evaluated::Value(value.clone())];
                self.characters(&parts, at, &languages).map(Name::from)
            }
        };
        let around = Around {
            language: languages[0].clone(),
            first: code(given.get("first"))?,
            last: code(given.get("last"))?,
        };
        for hole in given.get("at").and_then(Value::as_list).unwrap_or_default() {
            let path = hole.get("path").and_then(Value::as_str).unwrap_or_default();
            let source = code(hole.get("code"))?;
            holes::put(datum, path, &source);
        }
        if let Err(message) = holes::writable(datum, language) {
            self.report("data::cannot_escape", message, datum.at);
            return None;
        }
        self.around = Some(around);
        Some(())
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
                EntryPart::Entry(written, at, part) => {
                    let Some(Some(key)) = self.key(written, *at) else {
                        continue;
                    };
                    let said = self.said(written, || Value::String(key.clone()));
                    let Some(mut datum) = self.part(part) else { continue };
                    self.join(&mut datum, said);
                    self.add(&mut entries, key, datum, *at);
                }
                EntryPart::Merge(expression, at) => match self.evaluate(expression) {
                    None | Some(Value::Null) => {}
                    Some(Value::Map(map)) => {
                        if let Some(notes) = &mut self.notes {
                            notes.uses = expression.uses().clone();
                        }
                        for (key, value) in &map {
                            if self.key_fits(key, *at).is_none() {
                                continue;
                            }
                            let datum = self.beneath(|| key.clone(), |it| it.datum(value, *at, &[]));
                            if let Some(datum) = datum {
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
        if let (Some((written, key_at)), Some(value)) = (&map.key, &map.value) {
            self.repeat(map, 0, &mut |it| {
                if !it.holds(map) {
                    return;
                }
                let Some(Some(key)) = it.key(written, *key_at) else {
                    return;
                };
                let mut said = it.said(written, || Value::String(key.clone()));
                let comment = map.comment.as_ref().and_then(|(interpolation, at)| {
                    let parts = it.parts(interpolation)?;
                    let text = it.characters(&parts, *at, &[]).map(Name::from)?;
                    let above = it.said(interpolation, || Value::String(text.clone()));
                    if let Some(notes) = &mut it.notes {
                        said = notes.join(said, above);
                    }
                    Some(text)
                });
                if let Some(mut datum) = it.part(value) {
                    it.join(&mut datum, said);
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
