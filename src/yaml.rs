//! YAML with positions: a text becomes values, each with its place, and a list of mistakes.
//!
//! Own reader, because none in Rust is quick, right and exact about places at once (see `benches/yaml.rs`).
//! It follows the core schema of YAML 1.2. It reads no files and knows no spec: what a key means is decided elsewhere.

mod alias;
mod block;
mod document;
mod flow;
pub mod format;
mod mark;
mod mistake;
mod read;
mod resolve;
mod scalar;
mod settle;
#[cfg(test)]
mod tests;

pub use crate::problem::Span;
pub use mistake::{Mistake, MistakeKind};

/// A value and where it stands.
///
/// What an alias or a merge key brings keeps the place of its definition, which lies outside of the value that
/// mentions it. All other values lie within their parent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Yaml {
    /// Where the value stands: with its quotes or brackets, without its anchor and tag.
    pub span: Span,
    /// The value itself.
    pub data: Data,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// `null`, `~`, or nothing at all.
    Null,
    /// `true` or `false`, and no other word.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a point or an exponent.
    Double {
        /// The number, always finite.
        value: f64,
        /// The number as written, since `15.40` may be meant as text.
        source: Box<str>,
    },
    /// A text.
    String(Text),
    /// A list.
    List(Vec<Yaml>),
    /// A map, in the order of the file; entries of `<<` come last.
    Map(Vec<Entry>),
}

// A `Double` is finite, so equality is reflexive.
impl Eq for Data {}

/// A key of a map, and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key; numbers, booleans and nulls are the text they were written as.
    pub key: Box<str>,
    /// Where the key stands.
    pub key_span: Span,
    /// The value.
    pub value: Yaml,
}

/// How a text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// `'…'`
    SingleQuoted,
    /// `"…"`
    DoubleQuoted,
    /// `|`
    Literal,
    /// `>`
    Folded,
}

/// A text: its content, and how it lies in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The content, with escapes and line breaks resolved.
    pub content: Box<str>,
    /// How it is written.
    pub style: Style,
    /// Pairs (offset in the content, offset in the file) from which both run on in step. Empty if they always do.
    jumps: Box<[(u32, u32)]>,
}

impl Yaml {
    /// Returns the value as it is written in `text`, the text it was read from.
    pub fn source<'t>(&self, text: &'t str) -> &'t str {
        self.span.of(text)
    }

    /// Returns the value at `key`, if this is a map that has one.
    pub fn get(&self, key: &str) -> Option<&Yaml> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// Returns the entry of `key`, if this is a map that has one.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| &*entry.key == key)
    }

    /// Returns the content, if this is a text.
    pub fn as_str(&self) -> Option<&str> {
        match &self.data {
            Data::String(text) => Some(&text.content),
            _ => None,
        }
    }

    /// Returns the entries, none if this is no map.
    pub fn entries(&self) -> &[Entry] {
        match &self.data {
            Data::Map(entries) => entries,
            _ => &[],
        }
    }

    /// Returns the items, none if this is no list.
    pub fn items(&self) -> &[Yaml] {
        match &self.data {
            Data::List(items) => items,
            _ => &[],
        }
    }

    /// Returns the word for what this is, as a message says it.
    pub fn noun(&self) -> &'static str {
        match self.data {
            Data::Null => "nothing",
            Data::Bool(_) => "a boolean",
            Data::Int(_) => "a whole number",
            Data::Double { .. } => "a number",
            Data::String(_) => "a text",
            Data::List(_) => "a list",
            Data::Map(_) => "a map",
        }
    }

    /// Returns where the bytes `start..end` of the content of a text stand in the file.
    ///
    /// Exact for every style: a byte that comes from an escape or a folded line break stands where that begins.
    /// For anything but a text it is the whole value.
    pub fn place(&self, start: usize, end: usize) -> Span {
        match &self.data {
            Data::String(text) => text.place(self.span, start, end),
            _ => self.span,
        }
    }
}

impl Text {
    fn place(&self, span: Span, start: usize, end: usize) -> Span {
        let first = self.offset(span, start);
        // The end is one past the place of the last byte, so that it does not run over a jump.
        let last = if end > start {
            self.offset(span, end - 1) + 1
        } else {
            first
        };
        let last = if end >= self.content.len() && end > start {
            last.max(self.tail(span))
        } else {
            last
        };
        Span {
            start: first.min(span.end),
            end: last.clamp(first.min(span.end), span.end),
        }
    }

    /// Returns the offset in the file of a byte of the content.
    fn offset(&self, span: Span, offset: usize) -> u32 {
        let offset = u32::try_from(offset).unwrap_or(u32::MAX);
        let index = self.jumps.partition_point(|(content, _)| *content <= offset);
        match index.checked_sub(1).and_then(|index| self.jumps.get(index)) {
            Some((content, source)) => source.saturating_add(offset - content),
            None => (span.start + self.opening()).saturating_add(offset),
        }
    }

    /// Returns where the content ends in the file, for texts whose last byte may come from a long escape.
    fn tail(&self, span: Span) -> u32 {
        match self.style {
            Style::SingleQuoted | Style::DoubleQuoted => span.end.saturating_sub(1),
            Style::Plain | Style::Literal | Style::Folded => span.end,
        }
    }

    fn opening(&self) -> u32 {
        u32::from(matches!(self.style, Style::SingleQuoted | Style::DoubleQuoted))
    }
}

/// Returns the document of `text`, as far as it can be read, and what is wrong with it.
///
/// An empty text, or one of comments only, has no document and no mistake. After a mistake in the syntax nothing
/// more is read; all other mistakes leave the rest as it is.
pub fn parse(text: &str) -> (Option<Yaml>, Vec<Mistake>) {
    document::read(text)
}
