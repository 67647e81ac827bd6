//! Text templates: Handlebars' language, compiled with places and types, and rendered over plain values.
//!
//! Handlebars' own parser reads the source; what it gives is checked against the schema and against the lexer of the
//! file's format, and turned into a list of steps in which every name is already resolved. So nothing is looked up
//! by name at rendering, and what was checked is what runs. A template reads no file and computes nothing.

mod check;
mod partial;
mod path;
mod render;
mod resolve;
mod scan;
#[cfg(test)]
mod tests;
mod types;
mod walk;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::format::Format;
use super::lexer::Guard;
use super::literal::Printer;
use super::place::{Place, Shape};
use crate::kind::{Reads, Schema, Type};
use crate::language::Language;
use crate::problem::{Problem, Span};
use crate::value::{Name, Value};

pub use types::{parse_type, partial_params};

/// A partial: what `{{> name a=b}}` prints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartialSource {
    /// Its file, for places.
    pub file: Name,
    /// Its text.
    pub source: Arc<str>,
    /// The parameters that its head declares, as [`partial_params`] reads them.
    pub params: BTreeMap<Name, Type>,
}

/// A text template, compiled: all its names, types and places are known to be right.
#[derive(Clone, Debug)]
pub struct TextTemplate {
    files: Arc<[File]>,
    params: Arc<[Name]>,
    ops: Arc<[Op]>,
    n_slots: usize,
    /// What partials were given as literals, by slot.
    constants: Arc<[(usize, Value)]>,
    reads: BTreeMap<Name, Reads>,
    size: usize,
}

/// A file that a template is made of.
#[derive(Clone, Debug)]
struct File {
    name: Name,
    /// Its last character.
    last: Span,
}

/// A value, by the slot that holds it and the way inwards.
#[derive(Clone, Debug)]
struct Access {
    slot: usize,
    steps: Box<[Name]>,
    /// As the template writes it.
    shown: Box<str>,
}

#[derive(Clone, Debug)]
enum Subject {
    Holds(Access),
    Lacks(Access),
}

/// How a value is written out, as its type says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    Plain,
    Duration,
    Cpu,
    Memory,
}

/// A value to print.
#[derive(Clone, Debug)]
struct Print {
    access: Access,
    style: Style,
    shape: Shape,
    printer: Option<Printer>,
    place: Option<Place>,
    /// Whether words of safe characters may be printed without a look at the place.
    passes: bool,
    file: usize,
    span: Span,
}

/// One step of a template.
#[derive(Clone, Debug)]
enum Op {
    Raw {
        text: Box<str>,
        guard: Guard,
        file: usize,
        span: Span,
    },
    Print(Box<Print>),
    If {
        subject: Subject,
        then: Vec<Op>,
        other: Vec<Op>,
        file: usize,
        span: Span,
    },
    /// The slots from `slot` on hold the item, its key, its index, and whether it is the first and the last.
    Each {
        access: Access,
        slot: usize,
        body: Vec<Op>,
        other: Vec<Op>,
        file: usize,
        span: Span,
    },
    Lang {
        languages: Vec<Language>,
        body: Vec<Op>,
        file: usize,
        span: Span,
    },
}

/// One step from a context inwards.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Into a map or a record.
    Member(Name),
    /// Into a list.
    Index(usize),
}

/// Where in its context a printed value stands: `tags[2].name`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContextPath(pub Vec<Step>);

impl fmt::Display for ContextPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Member(name) if at == 0 => write!(f, "{name}")?,
                Step::Member(name) => write!(f, ".{name}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// A value that can't be printed where the template wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What is wrong, at the template's line.
    pub problem: Problem,
    /// The value, so that the caller can find the line of the spec.
    pub path: ContextPath,
}

/// Where a range of a rendered text comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The range of the text.
    pub range: Span,
    /// The template or the partial.
    pub file: Name,
    /// The placeholder, or the raw text, in that file.
    pub span: Span,
    /// The value that was printed; `None` for raw text.
    pub path: Option<ContextPath>,
}

impl TextTemplate {
    /// Compiles `source`, the text of the file `name`, which prints a file of `format` from `params`.
    ///
    /// There is a template only where nothing is wrong.
    #[must_use]
    pub fn compile(
        name: &Name,
        source: &str,
        format: Format,
        params: &BTreeMap<Name, Type>,
        schema: &Schema,
        partials: &BTreeMap<Name, PartialSource>,
    ) -> (Option<Self>, Vec<Problem>) {
        let mut checked = check::check(name, source, params, schema, partials);
        if checked.problems.is_empty() {
            checked.problems = walk::places(&mut checked.ops, format, &checked.files);
        }
        if !checked.problems.is_empty() {
            return (None, checked.problems);
        }
        settle(&mut checked.ops);
        let template = Self {
            files: checked.files.into(),
            params: params.keys().cloned().collect(),
            ops: checked.ops.into(),
            n_slots: checked.n_slots,
            constants: checked.constants.into(),
            reads: checked.reads,
            size: source.len(),
        };
        (Some(template), Vec::new())
    }

    /// Returns what the template reads of each of its parameters: contexts need hold no more.
    #[must_use]
    pub fn reads(&self) -> &BTreeMap<Name, Reads> {
        &self.reads
    }
}

fn settle(ops: &mut [Op]) {
    for op in ops {
        match op {
            Op::Raw { .. } => {}
            Op::Print(print) => print.passes = print.place.as_ref().is_some_and(Place::passes_safe_words),
            Op::If { then, other, .. } => {
                settle(then);
                settle(other);
            }
            Op::Each { body, other, .. } => {
                settle(body);
                settle(other);
            }
            Op::Lang { body, .. } => settle(body),
        }
    }
}
