//! YAML read against a type: short forms written out, units normalised, references cut out, mistakes told.
//!
//! It fills in no defaults and merges nothing: one file, one layer. What is absent stays absent.

use std::sync::Arc;

use super::unit::{self, DURATION_UNITS, MEMORY_UNITS, UnitMistake};
use super::{Bare, Field, Limits, Record, Type, credential, reference};
use crate::problem::{Place, Problem, Severity, Span, closest};
use crate::value::{Address, Double, Map, Name, Path, Value};
use crate::yaml::{Data, Entry, Yaml};

/// What `null` means in a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// The first word on a node: `null` says nothing.
    Base,
    /// Laid over others: `null` removes, and stays in the value as such.
    Overlay,
}

/// Reads the values of one file.
pub struct Reader<'a> {
    /// The path of the file.
    pub file: &'a Name,
    /// Its text.
    pub text: &'a str,
    /// How many megahertz a core has.
    pub core_mhz: i64,
    /// What `null` means.
    pub layer: Layer,
    /// Whether the file is built in: then the tests have found all of it right.
    pub is_given: bool,
    /// What was wrong so far.
    pub problems: Vec<Problem>,
}

/// How deep an unchecked value may be.
const DEEPEST: u32 = 64;

/// Where in the types the reader is.
#[derive(Clone, Copy)]
struct Spot<'s> {
    /// The field or key, for messages.
    name: &'s str,
    /// The key, where it was free and this is what it stands for.
    key: Option<&'s str>,
    /// What the value, or each within it, must be.
    limits: Option<&'s Limits>,
    depth: u32,
}

impl<'a> Reader<'a> {
    /// Returns a reader of the first layer of `file`, for which a core has 1,000 megahertz.
    #[must_use]
    pub fn new(file: &'a Name, text: &'a str) -> Self {
        Self {
            file,
            text,
            core_mhz: 1000,
            layer: Layer::Base,
            is_given: false,
            problems: Vec::new(),
        }
    }
}

impl Reader<'_> {
    /// Returns the place of `span` in the file.
    #[must_use]
    pub fn place(&self, span: Span) -> Place {
        Place::Text(self.file.clone(), span)
    }

    /// Adds an error about what stands at `span`.
    pub fn error(&mut self, code: &'static str, span: Span, message: String, label: &str) -> &mut Problem {
        let problem = Problem::error(code, message).at(self.place(span), label);
        self.problems.push(problem);
        let last = self.problems.len() - 1;
        &mut self.problems[last]
    }

    /// Returns the fields of `record` that `entries` give; `of` names the whole in messages.
    pub fn fields<'y>(&mut self, record: &Record, entries: impl Iterator<Item = &'y Entry>, of: &str) -> Value {
        self.record(record, entries, of, None, 0)
    }

    /// Returns what `yaml` says where `ty` is wanted, under the name `name`.
    pub fn read(&mut self, ty: &Type, yaml: &Yaml, name: &str) -> Option<Value> {
        self.value(
            ty,
            yaml,
            Spot {
                name,
                key: None,
                limits: None,
                depth: 0,
            },
        )
    }

    fn record<'y>(
        &mut self,
        record: &Record,
        entries: impl Iterator<Item = &'y Entry>,
        of: &str,
        key: Option<&str>,
        depth: u32,
    ) -> Value {
        let mut fields = Vec::new();
        let mut misspelt = Vec::new();
        for entry in entries {
            let Some((name, field)) = record.fields.get_key_value(&*entry.key) else {
                self.unknown_field(record, entry, of);
                misspelt.push(entry);
                continue;
            };
            self.deprecated(field, entry);
            let spot = Spot {
                name,
                key: key.filter(|_| record.short.as_ref() == Some(name)),
                limits: field.limits.as_deref(),
                depth: depth + 1,
            };
            if let Some(value) = self.value(&field.ty, &entry.value, spot) {
                fields.push((name.clone(), value));
            }
        }
        for entry in misspelt {
            fields.extend(self.meant(record, entry, &fields));
        }
        fields.into_iter().collect()
    }

    /// Returns the field that a misspelt key stands for most likely, so that it is not told to be missing as well.
    fn meant(&mut self, record: &Record, entry: &Entry, given: &[(Name, Value)]) -> Option<(Name, Value)> {
        let known: Vec<&str> = record.fields.keys().map(|it| &**it).collect();
        let (name, field) = record.fields.get_key_value(closest(&entry.key, &known)?)?;
        if given.iter().any(|it| it.0 == *name) {
            return None;
        }
        let n_problems = self.problems.len();
        let spot = Spot {
            name,
            key: None,
            limits: None,
            depth: 0,
        };
        let value = self.value(&field.ty, &entry.value, spot);
        // What is wrong with it is said once it stands under its name.
        self.problems.truncate(n_problems);
        Some((name.clone(), value?))
    }

    fn unknown_field(&mut self, record: &Record, entry: &Entry, of: &str) {
        let message = format!("`{}` is no field of `{of}`", entry.key);
        let known = record.fields.keys().map(|it| &**it);
        let problem = Problem::error("spec::unknown_field", message)
            .at(self.place(entry.key_span), "unknown field")
            .suggest(&entry.key, known);
        let is_near = record.fields.keys().any(|it| closest(&entry.key, &[it]).is_some());
        let mut paths = Vec::new();
        if !is_near {
            lower_down(record, &Path::default(), 0, &mut paths);
        }
        let last = |it: &Path| it.0.last().cloned().unwrap_or_default();
        let names: Vec<Name> = paths.iter().map(last).collect();
        let names: Vec<&str> = names.iter().map(|it| &**it).collect();
        let exact = names.iter().copied().find(|it| *it == &*entry.key);
        let meant = exact.or_else(|| closest(&entry.key, &names));
        let path = meant.and_then(|meant| paths.iter().find(|it| *last(it) == *meant));
        self.problems.push(match path {
            Some(path) if exact.is_some() => problem.help(format!("it stands further in: `{path}`")),
            Some(path) => problem.help(format!("did you mean `{path}`?")),
            None => problem,
        });
    }

    fn deprecated(&mut self, field: &Field, entry: &Entry) {
        let Some(instead) = &field.deprecated else { return };
        let message = format!("`{}` is deprecated", entry.key);
        let problem = Problem::warning("spec::deprecated_field", message)
            .at(self.place(entry.key_span), "deprecated")
            .help(instead.clone());
        self.problems.push(problem);
    }

    fn value(&mut self, ty: &Type, yaml: &Yaml, spot: Spot<'_>) -> Option<Value> {
        let value = self.unlimited(ty, yaml, spot)?;
        if let Some(outside) = spot.limits.and_then(|it| it.broken_by(&value)) {
            let written = yaml.as_str().unwrap_or_else(|| yaml.source(self.text));
            let message = format!("`{}` can't be `{written}`", spot.name);
            self.error(outside.code, yaml.span, message, outside.label).help = Some(outside.help.into());
        }
        if let Some(limits) = spot.limits {
            self.near_to_known(limits, &value, yaml.span, spot.name);
        }
        Some(value)
    }

    /// Tells of a value that is none of the known ones, but near to one.
    pub(crate) fn near_to_known(&mut self, limits: &Limits, value: &Value, span: Span, name: &str) {
        let (Some((meant, severity)), Some(written)) = (limits.meant_by(value), value.as_str()) else {
            return;
        };
        let message = format!("no pack knows `{written}` as a value of `{name}`");
        let meant = format!("did you mean `{meant}`?");
        let problem = match severity {
            Severity::Warning => Problem::warning("spec::unknown_value", message).help(meant),
            Severity::Error => Problem::error("spec::unknown_value", message).help(format!(
                "{meant} If not, a pack of yours can add `{written}` to the values of the field"
            )),
        };
        let problem = problem.at(self.place(span), "unknown value");
        self.problems.push(problem);
    }

    fn unlimited(&mut self, ty: &Type, yaml: &Yaml, spot: Spot<'_>) -> Option<Value> {
        match (ty, &yaml.data) {
            (_, Data::Null) => self.null(ty, yaml, spot),
            (Type::Any, _) => self.any(yaml, spot),
            (Type::Bool, Data::Bool(it)) => Some(Value::Bool(*it)),
            (Type::Int, Data::Int(it)) => Some(Value::Int(*it)),
            (Type::Double, Data::Int(it)) => {
                #[expect(clippy::cast_precision_loss, reason = "a double was asked for")]
                let number = *it as f64;
                Some(Value::Double(Double(number)))
            }
            (Type::Double, Data::Double { value, .. }) => Some(Value::Double(Double(*value))),
            (Type::Text, _) => self.written_text(yaml, spot),
            (Type::String, _) => self.written_string(yaml, spot),
            (Type::Choice(choices), _) => self.choice(choices, yaml, spot),
            (Type::Duration | Type::Cpu { .. } | Type::Memory { .. }, _) => self.quantity(ty, yaml, spot),
            (Type::List(item), Data::List(items)) => Some(self.list(item, items, spot)),
            (Type::Map(item), Data::Map(entries)) => Some(self.map(item, entries, spot)),
            (Type::Map(item), Data::List(names)) if matches!(**item, Type::Record(_)) => {
                Some(self.map_of_names(names, spot))
            }
            (Type::Record(record), Data::Map(entries)) => {
                Some(self.record(record, entries.iter(), spot.name, spot.key, spot.depth))
            }
            (Type::Record(record), _) if record.short.is_some() => self.short(record, yaml, spot),
            (Type::Node(kinds), Data::String(_)) => self.node(kinds, yaml, spot),
            _ => self.mismatch(ty, yaml, spot),
        }
    }

    fn null(&mut self, ty: &Type, yaml: &Yaml, spot: Spot<'_>) -> Option<Value> {
        if self.layer == Layer::Overlay {
            return Some(Value::Null);
        }
        match ty {
            Type::Record(_) if spot.key.is_some() => Some(Value::Map(Map::default())),
            _ if spot.key.is_some() => {
                let message = format!("`{}` has no value", spot.name);
                self.error("spec::no_value", yaml.span, message, "a value is wanted here")
                    .help = Some("write `\"\"` for an empty text, or leave the key out".into());
                None
            }
            _ => None,
        }
    }

    fn mismatch(&mut self, ty: &Type, yaml: &Yaml, spot: Spot<'_>) -> Option<Value> {
        let message = format!("`{}` wants {}, found {}", spot.name, wanted(ty), yaml.noun());
        let label = format!("expected {}", wanted(ty));
        let help = match (ty, &yaml.data) {
            (Type::Bool | Type::Int | Type::Double, Data::String(text)) => {
                looks_typed(ty, &text.content).then(|| format!("remove the quotes: `{}`", text.content))
            }
            (Type::List(_), Data::Bool(_) | Data::Int(_) | Data::Double { .. } | Data::String(_)) => {
                Some(format!("write a list: `[{}]`", yaml.source(self.text)))
            }
            (Type::Map(item), Data::String(text)) if matches!(**item, Type::Record(_)) => {
                let names: Vec<&str> = text
                    .content
                    .split([',', ' ', '\n'])
                    .filter(|it| !it.is_empty())
                    .collect();
                Some(format!("write a list of names, `[{}]`, or a map", names.join(", ")))
            }
            (Type::Record(record), _) if !record.fields.is_empty() && record.fields.len() <= 12 => {
                let known: Vec<String> = record.fields.keys().map(|it| format!("`{it}`")).collect();
                Some(format!("its fields are {}", known.join(", ")))
            }
            _ => None,
        };
        let help = help.unwrap_or_else(|| how_to_write(ty, yaml));
        let problem = self.error("spec::wrong_type", yaml.span, message, &label);
        problem.help = Some(help.into());
        None
    }

    /// Returns the characters of a scalar: those of a number or a boolean as they are written.
    fn characters<'y>(&self, yaml: &'y Yaml) -> Option<&'y str>
    where
        Self: 'y,
    {
        match &yaml.data {
            Data::String(text) => Some(&text.content),
            _ => None,
        }
    }

    fn scalar_source(&self, yaml: &Yaml) -> Option<Name> {
        match &yaml.data {
            Data::Bool(_) | Data::Int(_) | Data::Double { .. } => Some(Name::from(yaml.source(self.text))),
            _ => None,
        }
    }

    fn written_text(&mut self, yaml: &Yaml, spot: Spot<'_>) -> Option<Value> {
        let Some(content) = self.characters(yaml) else {
            return match self.scalar_source(yaml) {
                Some(source) => {
                    if !matches!(yaml.data, Data::Bool(_)) {
                        self.credential(&source, yaml, spot.key);
                    }
                    Some(Value::String(source))
                }
                None => self.mismatch(&Type::Text, yaml, spot),
            };
        };
        self.credential(content, yaml, spot.key);
        if reference::is_plain(content) {
            return Some(Value::string(content));
        }
        let read = reference::read(content);
        for bad in &read.bad {
            let written = &content[bad.start..bad.end];
            let message = format!("`{written}` is no reference: {}", bad.why);
            let span = yaml.place(bad.start, bad.end);
            self.error("spec::bad_reference", span, message, bad.why).help =
                Some("write `${KIND.NAME.ATTRIBUTE}`, or `$${` for a literal `${`".into());
        }
        Some(Value::text(read.text))
    }

    fn written_string(&mut self, yaml: &Yaml, spot: Spot<'_>) -> Option<Value> {
        let Some(content) = self.characters(yaml) else {
            return match self.scalar_source(yaml) {
                Some(source) => Some(Value::String(source)),
                None => self.mismatch(&Type::String, yaml, spot),
            };
        };
        self.credential(content, yaml, None);
        if !reference::is_plain(content) {
            let read = reference::read(content);
            if let Some(mention) = read.mentions.first() {
                let (start, end) = mention.whole;
                let message = format!("`{}` can hold no reference", spot.name);
                self.error(
                    "spec::reference_not_allowed",
                    yaml.place(start, end),
                    message,
                    "only a plain string may stand here",
                )
                .help = Some("write `$${` for a literal `${`".into());
                return None;
            }
            // What is no reference means itself here, since none could stand here.
            return Some(Value::string(content.replace("$${", "${")));
        }
        Some(Value::string(content))
    }

    fn credential(&mut self, content: &str, yaml: &Yaml, key: Option<&str>) {
        let Some(what) = credential::looks_like(content, key) else {
            return;
        };
        let message = match key {
            Some(key) => format!("`{key}` holds {what} in the clear"),
            None => format!("this text holds {what} in the clear"),
        };
        self.error("spec::credential_in_literal", yaml.span, message, "a credential")
            .help = Some("refer to a secret instead: `${secret.NAME.KEY}`".into());
    }

    fn choice(&mut self, choices: &Arc<[Name]>, yaml: &Yaml, spot: Spot<'_>) -> Option<Value> {
        let written = match self.characters(yaml) {
            Some(content) => Name::from(content),
            None => match self.scalar_source(yaml) {
                Some(source) => source,
                None => return self.mismatch(&Type::Choice(choices.clone()), yaml, spot),
            },
        };
        if let Some(choice) = choices.iter().find(|it| **it == written) {
            return Some(Value::String(choice.clone()));
        }
        let message = format!("`{written}` is no value of `{}`", spot.name);
        let problem = Problem::error("spec::unknown_choice", message)
            .at(self.place(yaml.span), "unknown value")
            .suggest(&written, choices.iter().map(|it| &**it));
        self.problems.push(problem);
        None
    }

    fn quantity(&mut self, ty: &Type, yaml: &Yaml, spot: Spot<'_>) -> Option<Value> {
        let written = match &yaml.data {
            Data::String(text) => Name::from(&*text.content),
            Data::Int(_) | Data::Double { .. } => Name::from(yaml.source(self.text)),
            _ => return self.mismatch(ty, yaml, spot),
        };
        let read = match ty {
            Type::Cpu { bare } => unit::cpu(&written, *bare, self.core_mhz),
            Type::Memory { bare } => unit::memory(&written, *bare),
            _ => unit::duration(&written),
        };
        match read {
            Ok(number) => Some(Value::Int(number)),
            Err(mistake) => {
                self.bad_quantity(ty, yaml, spot, &written, mistake);
                None
            }
        }
    }

    fn bad_quantity(&mut self, ty: &Type, yaml: &Yaml, spot: Spot<'_>, written: &str, mistake: UnitMistake) {
        let what = wanted(ty);
        let (message, label) = match mistake {
            UnitMistake::NoUnit => (format!("`{}` lacks a unit: `{written}`", spot.name), "no unit"),
            UnitMistake::UnknownUnit => (format!("`{written}` has an unknown unit"), "unknown unit"),
            UnitMistake::OutOfRange => (format!("`{written}` is out of range"), "out of range"),
            UnitMistake::Malformed => (format!("`{}` wants {what}, found `{written}`", spot.name), "malformed"),
        };
        let units = |known: &[(&str, f64)]| {
            let names: Vec<String> = known.iter().map(|(unit, _)| format!("`{unit}`")).collect();
            names.join(", ")
        };
        let help = match (ty, mistake) {
            (Type::Memory { .. }, UnitMistake::NoUnit) => format!("write `{written}Mi` or `{written}M`"),
            (Type::Memory { .. }, UnitMistake::UnknownUnit) => format!("units are {}", units(&MEMORY_UNITS)),
            (Type::Memory { .. }, _) => "write a size such as `256Mi` or `1.5Gi`".to_owned(),
            (Type::Cpu { .. }, UnitMistake::NoUnit) => format!("write `{written}m` for millicores"),
            (Type::Cpu { .. }, _) => "write cores such as `2` or `0.5`, or millicores such as `250m`".to_owned(),
            (_, UnitMistake::NoUnit) => format!("write `{written}s` for seconds"),
            (_, UnitMistake::UnknownUnit) => match unit::duration_meant(written) {
                Some(meant) => format!("write `{meant}`; units are {}", units(&DURATION_UNITS)),
                None => format!("units are {}", units(&DURATION_UNITS)),
            },
            _ => "write a time such as `30s` or `1m30s`".to_owned(),
        };
        self.error("spec::bad_quantity", yaml.span, message, label).help = Some(help.into());
    }

    fn list(&mut self, item: &Type, items: &[Yaml], spot: Spot<'_>) -> Value {
        let mut values = Vec::with_capacity(items.len());
        for yaml in items {
            if yaml.data == Data::Null {
                let message = format!("an item of `{}` is empty", spot.name);
                self.error("spec::no_value", yaml.span, message, "a value is wanted here")
                    .help = Some("write it behind the `-`, `\"\"` for an empty text, or remove the line".into());
                continue;
            }
            let spot = Spot {
                depth: spot.depth + 1,
                ..spot
            };
            values.extend(self.value(item, yaml, spot));
        }
        Value::list(values)
    }

    fn map(&mut self, item: &Type, entries: &[Entry], spot: Spot<'_>) -> Value {
        let mut values = Vec::with_capacity(entries.len());
        for entry in entries {
            if let Some(outside) = spot.limits.and_then(|it| it.broken_by_key(&entry.key)) {
                let message = format!("`{}` can't hold the name `{}`", spot.name, entry.key);
                let problem = self.error(outside.code, entry.key_span, message, outside.label);
                problem.help = Some(outside.help.into());
            }
            let spot = Spot {
                name: &entry.key,
                key: Some(&entry.key),
                limits: spot.limits,
                depth: spot.depth + 1,
            };
            if let Some(value) = self.value(item, &entry.value, spot) {
                values.push((Name::from(&*entry.key), value));
            }
        }
        values.into_iter().collect()
    }

    /// Writes out a list of names where a map of records is wanted.
    fn map_of_names(&mut self, names: &[Yaml], spot: Spot<'_>) -> Value {
        let mut values = Vec::with_capacity(names.len());
        for yaml in names {
            match self.characters(yaml).map(Name::from).or(self.scalar_source(yaml)) {
                Some(name) => values.push((name, Value::Map(Map::default()))),
                None => {
                    let message = format!("`{}` wants names, found {}", spot.name, yaml.noun());
                    self.error("spec::wrong_type", yaml.span, message, "expected a name")
                        .help = Some("write a map instead of a list: `name: {…}`".into());
                }
            }
        }
        values.into_iter().collect()
    }

    fn short(&mut self, record: &Record, yaml: &Yaml, spot: Spot<'_>) -> Option<Value> {
        let name = record.short.as_ref()?;
        let field = record.fields.get(name)?;
        let spot = Spot {
            limits: field.limits.as_deref(),
            ..spot
        };
        let value = self.value(&field.ty, yaml, spot)?;
        Some([(name.clone(), value)].into_iter().collect())
    }

    fn node(&mut self, kinds: &[Name], yaml: &Yaml, spot: Spot<'_>) -> Option<Value> {
        let written = self.characters(yaml)?;
        if let Some((kind, name)) = written.split_once('.')
            && (kinds.is_empty() || kinds.iter().any(|it| **it == *kind))
        {
            return Some(Value::Node(Address::new(kind, name)));
        }
        if let [kind] = kinds {
            return Some(Value::Node(Address::new(kind.clone(), written)));
        }
        let message = format!("`{}` wants a node as `KIND.NAME`, found `{written}`", spot.name);
        self.error("spec::wrong_type", yaml.span, message, "its kind is missing")
            .help = kinds.first().map(|it| format!("write `{it}.{written}`, say").into());
        None
    }

    fn any(&mut self, yaml: &Yaml, spot: Spot<'_>) -> Option<Value> {
        if spot.depth > DEEPEST {
            let message = format!("`{}` is nested too deeply", spot.name);
            self.error("spec::too_deep", yaml.span, message, "too many levels").help =
                Some("lay it out flatter".into());
            return None;
        }
        match &yaml.data {
            Data::Null => Some(Value::Null),
            Data::Bool(it) => Some(Value::Bool(*it)),
            Data::Int(it) => Some(Value::Int(*it)),
            Data::Double { value, .. } => Some(Value::Double(Double(*value))),
            Data::String(_) => self.written_text(yaml, spot),
            Data::List(items) => Some(self.list(&Type::Any, items, spot)),
            Data::Map(entries) => Some(self.any_map(entries, spot)),
        }
    }

    fn any_map(&mut self, entries: &[Entry], spot: Spot<'_>) -> Value {
        let mut values = Vec::with_capacity(entries.len());
        for entry in entries {
            let spot = Spot {
                name: &entry.key,
                key: Some(&entry.key),
                limits: spot.limits,
                depth: spot.depth + 1,
            };
            // A null says nothing in the first layer, here as elsewhere.
            match self.layer {
                Layer::Base if entry.value.data == Data::Null => {}
                _ => values.extend(self.any(&entry.value, spot).map(|it| (Name::from(&*entry.key), it))),
            }
        }
        values.into_iter().collect()
    }
}

/// Names a type for people, as in "expected a whole number".
fn wanted(ty: &Type) -> String {
    let noun = match ty {
        Type::Any => "a value",
        Type::Null => "nothing",
        Type::Bool => "`true` or `false`",
        Type::Int => "a whole number",
        Type::Double => "a number",
        Type::String | Type::Text => "a string",
        Type::Duration => "a time",
        Type::Cpu { .. } => "an amount of CPU",
        Type::Memory { .. } => "a size",
        Type::Choice(choices) => {
            let names: Vec<String> = choices.iter().map(|it| format!("`{it}`")).collect();
            return format!("one of {}", names.join(", "));
        }
        Type::List(_) => "a list",
        Type::Map(_) | Type::Record(_) => "a map",
        Type::Node(_) => "the name of a node",
        Type::Edge(_) => "an edge",
    };
    noun.to_owned()
}

fn looks_typed(ty: &Type, content: &str) -> bool {
    match ty {
        Type::Bool => content == "true" || content == "false",
        Type::Int => content.parse::<i64>().is_ok(),
        _ => content.parse::<f64>().is_ok(),
    }
}

/// Tells whether a number without a unit is refused.
#[must_use]
pub fn wants_unit(ty: &Type) -> bool {
    matches!(
        ty,
        Type::Duration | Type::Cpu { bare: Bare::Refused } | Type::Memory { bare: Bare::Refused }
    )
}

/// Returns how a value of a type is written, where nothing more is known of what was meant.
fn how_to_write(ty: &Type, found: &Yaml) -> String {
    match ty {
        Type::Bool => "write `true` or `false`".to_owned(),
        Type::Int if matches!(found.data, Data::Double { .. }) => "write it without a fraction, such as `2`".to_owned(),
        Type::Int => "write digits alone, such as `2`".to_owned(),
        Type::Double => "write a number, such as `0.5`".to_owned(),
        Type::String | Type::Text | Type::Choice(_) => match found.data {
            Data::List(_) | Data::Map(_) => {
                "write one text; in quotes, if it begins with a bracket or a brace".to_owned()
            }
            _ => "write it in quotes".to_owned(),
        },
        Type::Duration => "write a number with a unit, such as `30s`".to_owned(),
        Type::Cpu { .. } => "write cores, such as `0.5`, or `250m`".to_owned(),
        Type::Memory { .. } => "write a number with a unit, such as `256Mi`".to_owned(),
        Type::List(_) => "write `[…]`, or a line with a `-` for each item".to_owned(),
        Type::Map(_) | Type::Record(_) => "write `NAME: …`, one line for each, indented below it".to_owned(),
        _ => format!("write a {ty}"),
    }
}

/// How far down a field is looked for that stands too high in a spec.
const LOWEST: usize = 3;

/// Adds the paths of all fields within the records of `record`, those near to the top first.
fn lower_down(record: &Record, at: &Path, depth: usize, paths: &mut Vec<Path>) {
    let inner: Vec<(Path, &Arc<Record>)> = record
        .fields
        .iter()
        .filter_map(|(step, field)| match &field.ty {
            Type::Record(inner) => Some((at.join(step.clone()), inner)),
            _ => None,
        })
        .collect();
    for (at, inner) in &inner {
        paths.extend(inner.fields.keys().map(|it| at.join(it.clone())));
    }
    if depth < LOWEST {
        inner
            .iter()
            .for_each(|(at, inner)| lower_down(inner, at, depth + 1, paths));
    }
}
