//! A template's file as written: one tree for all three formats, each part with its place.

use std::ops::Range;

use super::DataFormat;
use crate::problem::{Place, Problem, Span};
use crate::value::{Double, Name, Value};
use crate::yaml::{self, Data, Yaml};

/// A value as written.
#[derive(Debug)]
pub(super) struct Written {
    /// Where it stands.
    pub(super) span: Span,
    /// What it is.
    pub(super) data: WrittenData,
}

/// What a value as written is.
#[derive(Debug)]
pub(super) enum WrittenData {
    /// Null, a truth or a number.
    Scalar(Value),
    /// A string.
    Text(WrittenText),
    /// A list.
    List(Vec<Written>),
    /// A map in the order of the file.
    Map(Vec<(String, Span, Written)>),
}

/// A string as written.
#[derive(Debug)]
pub(super) struct WrittenText {
    /// Its characters.
    pub(super) content: String,
    places: Places,
}

#[derive(Debug)]
enum Places {
    /// The reader knows the place of each byte; it counts from here.
    Yaml(Yaml, u32),
    /// The characters stand in the file as they are, from here on.
    InStep(u32),
    /// All bytes stand somewhere in here.
    Somewhere(Span),
}

impl WrittenText {
    /// Returns where a part of the content stands in the file.
    pub(super) fn place(&self, part: Span) -> Span {
        match &self.places {
            Places::Yaml(yaml, base) => yaml.place(part.start as usize, part.end as usize).shifted(*base),
            Places::InStep(start) => part.shifted(*start),
            Places::Somewhere(span) => *span,
        }
    }

    /// Returns the string of a key, which stands at `span` and may be quoted.
    pub(super) fn key_at(content: &str, span: Span) -> Self {
        let length = span.end.saturating_sub(span.start) as usize;
        let places = match length.checked_sub(content.len()) {
            Some(0) => Places::InStep(span.start),
            Some(2) => Places::InStep(span.start + 1),
            _ => Places::Somewhere(span),
        };
        Self {
            content: content.to_owned(),
            places,
        }
    }

    /// Returns a string that is written in one piece.
    fn simple(content: &str, span: Span, file: &str) -> Self {
        let written = span.of(file);
        let quoted = u32::from(written.starts_with(['"', '\'']));
        let inner = written.get(quoted as usize..).unwrap_or_default();
        Self {
            content: content.to_owned(),
            places: if inner.starts_with(content) {
                Places::InStep(span.start + quoted)
            } else {
                Places::Somewhere(span)
            },
        }
    }
}

/// Returns the documents of `source`, and what is wrong with it.
pub(super) fn read(source: &str, file: &Name, format: DataFormat) -> (Vec<Written>, Vec<Problem>) {
    match format {
        DataFormat::Yaml => read_yaml(source, file),
        DataFormat::Json => {
            let (written, mut problems) = read_yaml(source, file);
            if problems.is_empty()
                && let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(source)
            {
                let at = offset(source, error.line(), error.column());
                let problem = Problem::error("data::syntax", "the template is no JSON");
                let place = Place::Text(file.clone(), Span::of_char(source, at));
                problems.push(
                    problem
                        .at(place, "not expected here")
                        .help("quote keys and strings, and leave comments out"),
                );
            }
            (written, problems)
        }
        DataFormat::Toml => read_toml(source, file),
    }
}

fn offset(source: &str, line: usize, column: usize) -> usize {
    let start: usize = source
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    (start + column.saturating_sub(1)).min(source.len().saturating_sub(1))
}

fn read_yaml(source: &str, file: &Name) -> (Vec<Written>, Vec<Problem>) {
    let mut written = Vec::new();
    let mut problems = Vec::new();
    for range in documents(source) {
        let base = Span::new(range.start, range.end).start;
        let (document, mistakes) = yaml::parse(&source[range]);
        for mistake in mistakes {
            let mut problem = mistake.problem(file);
            for label in &mut problem.labels {
                if let Place::Text(_, span) = &mut label.place {
                    *span = span.shifted(base);
                }
            }
            problems.push(problem);
        }
        written.extend(document.map(|it| from_yaml(it, base)));
    }
    (written, problems)
}

/// Returns where the documents stand: between lines that begin with `---`.
fn documents(source: &str) -> Vec<Range<usize>> {
    let mut documents = Vec::new();
    let mut start = 0;
    let mut at = 0;
    for line in source.split_inclusive('\n') {
        if let Some(rest) = line.strip_prefix("---")
            && (rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
        {
            documents.push(start..at);
            start = at + 3;
        }
        at += line.len();
    }
    documents.push(start..source.len());
    documents
}

fn from_yaml(yaml: Yaml, base: u32) -> Written {
    let span = yaml.span.shifted(base);
    let data = match yaml.data {
        Data::Null => WrittenData::Scalar(Value::Null),
        Data::Bool(truth) => WrittenData::Scalar(Value::Bool(truth)),
        Data::Int(number) => WrittenData::Scalar(Value::Int(number)),
        Data::Double { value, .. } => WrittenData::Scalar(Value::Double(Double(value))),
        Data::String(ref text) => WrittenData::Text(WrittenText {
            content: text.content.to_string(),
            places: Places::Yaml(yaml, base),
        }),
        Data::List(items) => WrittenData::List(items.into_iter().map(|it| from_yaml(it, base)).collect()),
        Data::Map(entries) => WrittenData::Map(
            entries
                .into_iter()
                .map(|it| (it.key.to_string(), it.key_span.shifted(base), from_yaml(it.value, base)))
                .collect(),
        ),
    };
    Written { span, data }
}

fn read_toml(source: &str, file: &Name) -> (Vec<Written>, Vec<Problem>) {
    match toml_edit::Document::parse(source) {
        Ok(document) => {
            let table = document.as_table();
            let entries = table
                .iter()
                .map(|(key, item)| toml_entry(source, table.key(key), key, item));
            let written = Written {
                span: Span::new(0, source.len()),
                data: WrittenData::Map(entries.collect()),
            };
            (vec![written], Vec::new())
        }
        Err(error) => {
            let span = error
                .span()
                .map_or_else(Span::default, |it| Span::new(it.start, it.end));
            let message = error.message().lines().next().unwrap_or_default().to_owned();
            let problem = Problem::error("data::syntax", "the template is no TOML").help(message);
            (
                Vec::new(),
                vec![problem.at(Place::Text(file.clone(), span), "not expected here")],
            )
        }
    }
}

fn toml_span(range: Option<Range<usize>>) -> Span {
    range.map_or_else(Span::default, |it| Span::new(it.start, it.end))
}

fn toml_entry(
    source: &str,
    written: Option<&toml_edit::Key>,
    key: &str,
    item: &toml_edit::Item,
) -> (String, Span, Written) {
    let span = toml_span(written.and_then(toml_edit::Key::span));
    (key.to_owned(), span, from_toml(source, item))
}

fn from_toml(source: &str, item: &toml_edit::Item) -> Written {
    let span = toml_span(item.span());
    let data = match item {
        toml_edit::Item::None => WrittenData::Scalar(Value::Null),
        toml_edit::Item::Value(value) => return from_toml_value(source, value),
        toml_edit::Item::Table(table) => WrittenData::Map(
            table
                .iter()
                .map(|(key, item)| toml_entry(source, table.key(key), key, item))
                .collect(),
        ),
        toml_edit::Item::ArrayOfTables(tables) => WrittenData::List(
            tables
                .iter()
                .map(|table| Written {
                    span: toml_span(table.span()),
                    data: WrittenData::Map(
                        table
                            .iter()
                            .map(|(key, item)| toml_entry(source, table.key(key), key, item))
                            .collect(),
                    ),
                })
                .collect(),
        ),
    };
    Written { span, data }
}

fn from_toml_value(source: &str, value: &toml_edit::Value) -> Written {
    let span = toml_span(value.span());
    let data = match value {
        toml_edit::Value::String(text) => WrittenData::Text(WrittenText::simple(text.value(), span, source)),
        toml_edit::Value::Integer(number) => WrittenData::Scalar(Value::Int(*number.value())),
        toml_edit::Value::Float(number) => WrittenData::Scalar(Value::Double(Double(*number.value()))),
        toml_edit::Value::Boolean(truth) => WrittenData::Scalar(Value::Bool(*truth.value())),
        // A date has no type here; it would have to be printed without quotes.
        toml_edit::Value::Datetime(date) => {
            WrittenData::Text(WrittenText::simple(&date.value().to_string(), span, source))
        }
        toml_edit::Value::Array(items) => {
            WrittenData::List(items.iter().map(|it| from_toml_value(source, it)).collect())
        }
        toml_edit::Value::InlineTable(table) => WrittenData::Map(
            table
                .iter()
                .map(|(key, value)| {
                    let span = toml_span(table.key(key).and_then(toml_edit::Key::span));
                    (key.to_owned(), span, from_toml_value(source, value))
                })
                .collect(),
        ),
    };
    Written { span, data }
}
