//! Filled data: what a template becomes before it is printed.

use super::{DataFormat, print};
use crate::problem::Span;
use crate::value::{Name, Value};

/// A filled data template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The template's file.
    pub file: Name,
    /// The format that it is printed in.
    pub format: DataFormat,
    /// The documents; but for YAML there is exactly one.
    pub documents: Vec<Datum>,
    /// What reads the file before its format does; none where nothing does.
    pub around: Option<Around>,
}

/// A language that reads a file as a whole, so that what comes of that is read by the format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Around {
    /// The language.
    pub language: Name,
    /// Its first line, in that language; empty for none.
    pub first: Name,
    /// Its last line; empty for none.
    pub last: Name,
}

/// A value, and where in the template it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datum {
    /// Where the template says it.
    pub at: Span,
    /// What is printed above it, for people.
    pub comment: Option<Name>,
    /// What is noted of where its value comes from, by the place in the notes, counted from 1; 0 for nothing.
    pub note: u32,
    /// The value itself.
    pub kind: Kind,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A null that is printed.
    Null,
    /// A truth.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A finite number.
    Double(crate::value::Double),
    /// A string.
    String(Name),
    /// Source of the language that reads the file first: what comes of it stands here.
    Code(Name),
    /// Values in order.
    List(Vec<Datum>),
    /// Values by key, in the order of the template.
    Map(Vec<(Name, Datum)>),
}

impl Document {
    /// Returns the text of the file, with `head` as comment lines at its top where the format has comments.
    #[must_use]
    pub fn print(&self, head: &[&str]) -> String {
        print::print(self, head, print::Keep::Text).text
    }

    /// Returns the text line by line, each with the place of the template that it comes from and what is noted of it.
    #[must_use]
    pub fn lines(&self, head: &[&str]) -> Vec<print::PrintedLine> {
        print::print(self, head, print::Keep::Origins).into_lines()
    }

    /// Returns the values, for comparing two versions of a file field by field.
    #[must_use]
    pub fn values(&self) -> Vec<Value> {
        self.documents.iter().map(Datum::value).collect()
    }
}

impl Datum {
    /// Returns it as a value, without its places and comments.
    #[must_use]
    pub fn value(&self) -> Value {
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Bool(truth) => Value::Bool(*truth),
            Kind::Int(number) => Value::Int(*number),
            Kind::Double(number) => Value::Double(*number),
            Kind::String(text) | Kind::Code(text) => Value::String(text.clone()),
            Kind::List(items) => Value::list(items.iter().map(Self::value)),
            Kind::Map(entries) => entries.iter().map(|(key, it)| (key.clone(), it.value())).collect(),
        }
    }
}
