//! The closed list of functions: one table that the checker, the evaluator and the documentation read.
//!
//! A function is found by its name, by how it is called and by the types of its arguments; several rows may bear
//! one name. Macros stand here for the documentation alone: their arguments are no values.

mod graph;
mod list;
mod map;
mod naming;
mod number;
mod optional;
mod table;
mod text;
mod unit;

use std::fmt::Write as _;

use super::seen::Seen;
use crate::value::Value;

pub use graph::GraphFunction;
pub(crate) use list::sorted_by;
pub(crate) use number::finite;
pub(crate) use table::TABLE;
pub(crate) use text::{pattern, printed};

/// How many steps one evaluation may take: an item visited is one, so are sixteen bytes of text made.
pub const MAX_STEPS: u64 = 1_000_000;

/// How many one may take that is asked once for the whole project, and so may look at all nodes.
pub const MAX_PROJECT_STEPS: u64 = 100_000_000;

/// A row of the table.
#[derive(Debug)]
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// How it is called.
    pub style: Style,
    /// Its parameters with their names; the first is what stands before the dot, where it is called so.
    pub parameters: &'static [(&'static str, Wanted)],
    /// What it returns.
    pub returns: Wanted,
    /// One sentence for its reader.
    pub doc: &'static str,
    /// A comparison that is true, tested.
    pub example: &'static str,
    /// What of its arguments lives on in its result, for the walk backwards.
    pub(crate) flow: Flow,
    /// What it does.
    pub(crate) run: Run,
}

/// There is one of each: a row is itself alone.
impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

/// How a function is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `f(x)`
    Global,
    /// `x.f()`
    Member,
    /// Either.
    Both,
}

/// The type of a parameter or a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Anything.
    Any,
    /// Anything, of the type that the first `T` has.
    Same,
    /// A truth.
    Bool,
    /// A whole number, with a unit or without.
    Int,
    /// A number, with a unit or without.
    Number,
    /// A number of the type that the first `T` has.
    SameNumber,
    /// A double.
    Double,
    /// A string; a text with references is a failure when it is met.
    String,
    /// A string, with references or without.
    Text,
    /// A list of anything.
    List,
    /// A list of `T`.
    ListOfSame,
    /// A list of numbers `T`.
    ListOfNumbers,
    /// A list of strings.
    ListOfString,
    /// A list of strings, with references or without.
    ListOfText,
    /// A list of lists of `T`.
    ListOfLists,
    /// A map whose values are `T`.
    Map,
    /// A list of records of a `key` and a `value` `T`.
    Entries,
    /// The same, with a list of blanks as `pad`.
    Aligned,
    /// A list of records of a `path` and the `values` there.
    Leaves,
    /// An optional `T`.
    Optional,
    /// Computing power.
    Cpu,
    /// A size.
    Memory,
    /// A span of time.
    Duration,
    /// A node.
    Node,
    /// A literal: the name of a kind of edge, or a list of them.
    Edges,
    /// A literal: the name of a kind of node.
    Kind,
    /// A literal: the path of a number among the fields of an edge, or of the nodes at its ends.
    Path,
    /// A literal: the name of a language.
    Language,
    /// The nodes at the far ends of the edges.
    FarNodes,
    /// The nodes at both ends of the edges, in layers.
    Layers,
    /// The nodes of a kind.
    NodesOfKind,
    /// A part of a macro: the name of a variable, or an expression over it.
    Part(&'static str),
}

/// What of a function's arguments lives on in its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// Nothing: they are read whole.
    Read,
    /// The first argument itself, in another order or number.
    Same,
    /// An item of the first argument.
    Item,
}

/// What a function does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Run {
    /// It computes a value from values.
    Values(fn(&mut Meter, &[Value]) -> Result<Value, String>),
    /// It rearranges what it gets, nodes staying unread.
    Seen(fn(&mut Meter, &[Seen]) -> Result<Seen, String>),
    /// It asks the graph.
    Graph(GraphFunction),
    /// The checker turns it into something else.
    Macro,
}

/// The steps that an evaluation has left.
#[derive(Debug)]
pub(crate) struct Meter {
    most: u64,
    left: u64,
}

impl Meter {
    /// Returns a meter with so many steps left.
    pub(crate) fn new(most: u64) -> Self {
        Self { most, left: most }
    }

    /// Returns how many steps there were.
    pub(crate) fn most(&self) -> u64 {
        self.most
    }

    /// Takes `steps` away; `false` where there are not so many left.
    pub(crate) fn take(&mut self, steps: usize) -> bool {
        let left = self.left.checked_sub(steps as u64);
        self.left = left.unwrap_or(self.left);
        left.is_some()
    }

    /// Says that there are no steps left.
    pub(crate) fn exhausted(&self) -> String {
        format!("more than {} steps were taken", self.most)
    }

    /// Takes `steps` away.
    pub(crate) fn spend(&mut self, steps: usize) -> Result<(), String> {
        match self.take(steps) {
            true => Ok(()),
            false => Err(self.exhausted()),
        }
    }

    /// Takes the steps of making `bytes` of text away.
    pub(crate) fn spend_bytes(&mut self, bytes: usize) -> Result<(), String> {
        self.spend(bytes / 16)
    }
}

/// Returns the rows of `name` that are called in `style`.
pub(crate) fn named(name: &str, style: Style) -> impl Iterator<Item = &'static Function> {
    TABLE
        .iter()
        .filter(move |it| it.name == name && (it.style == style || it.style == Style::Both))
}

impl Function {
    /// Returns how it is written, with the types of its parameters and its result.
    #[must_use]
    pub fn signature(&self) -> String {
        let parameter = |(name, wanted): &(&str, Wanted)| match wanted {
            Wanted::Part(part) => (*part).to_owned(),
            _ => format!("{name}: {}", wanted.words()),
        };
        let list =
            |parameters: &[(&'static str, Wanted)]| parameters.iter().map(parameter).collect::<Vec<_>>().join(", ");
        let mut text = String::new();
        if self.style == Style::Global {
            let _ = write!(text, "{}({})", self.name, list(self.parameters));
        } else if let Some((first, rest)) = self.parameters.split_first() {
            let _ = write!(text, "{}.{}({})", first.1.words(), self.name, list(rest));
        }
        let _ = write!(text, " → {}", self.returns.words());
        text
    }
}

impl Wanted {
    /// Returns the words for it in signatures and messages.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Same => "T",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Number | Self::SameNumber => "number",
            Self::Double => "double",
            Self::String => "string",
            Self::Text => "text",
            Self::List => "list",
            Self::ListOfSame => "list(T)",
            Self::ListOfNumbers => "list(number)",
            Self::ListOfString => "list(string)",
            Self::ListOfText => "list(text)",
            Self::ListOfLists => "list(list(T))",
            Self::Map => "map(T)",
            Self::Entries => "list({key, value})",
            Self::Aligned => "list({key, pad, value})",
            Self::Leaves => "list({path, values})",
            Self::Optional => "optional(T)",
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::Duration => "duration",
            Self::Node => "node",
            Self::Edges => "'EDGE' or ['EDGE', …]",
            Self::Kind => "'KIND'",
            Self::Path => "'FIELD'",
            Self::Language => "'LANGUAGE'",
            Self::FarNodes | Self::NodesOfKind => "list(node)",
            Self::Layers => "list(list(node))",
            Self::Part(part) => part,
        }
    }
}

/// Returns the table as Markdown, as it stands in the documentation of expressions.
#[must_use]
pub fn markdown() -> String {
    let mut text = String::from("| function | what it does | for example |\n|---|---|---|\n");
    let cell = |it: &str| it.replace('|', "\\|");
    for row in TABLE {
        let _ = writeln!(
            text,
            "| `{}` | {} | `{}` |",
            cell(&row.signature()),
            cell(row.doc),
            cell(row.example)
        );
    }
    text
}

/// Returns the characters of a string argument.
pub(crate) fn characters(value: &Value) -> Result<&str, String> {
    match value {
        Value::String(text) => Ok(text),
        Value::Text(_) => Err("a text with references or code in it has no characters yet".to_owned()),
        other => Err(format!("a string is wanted here, not {}", other.noun())),
    }
}

/// Returns the number of an argument that is a whole one.
pub(crate) fn whole(value: &Value) -> Result<i64, String> {
    match value {
        Value::Int(number) => Ok(*number),
        other => Err(format!("a whole number is wanted here, not {}", other.noun())),
    }
}

/// Returns the items of an argument that is a list.
pub(crate) fn items(seen: &Seen) -> Result<Vec<Seen>, String> {
    seen.items()
        .ok_or_else(|| format!("a list is wanted here, not {}", seen.noun()))
}
