//! Patterns over the graph: the openCypher and GQL subset of rules and of `gen query`.
//!
//! Written (`syntax`), checked against the schema (`check`), then walked from a bound node (`walk`) and, to find
//! what an edit may concern, backwards (`touched`). Expressions are not known here: a `join:` comes in as a
//! look-up that the [`World`] answers.

mod check;
mod lex;
mod plan;
mod step;
mod syntax;
mod touched;
mod walk;
mod world;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

pub use syntax::{EdgeSyntax, FilterSyntax, MOST_ELEMENTS, NodeSyntax, PathSyntax, Syntax, Way, Word};
pub use touched::Change;
pub use walk::{Binding, Bound, NotBound, Overrun, Stuck, Walk};
pub use world::{Still, World};

use crate::kind::{Schema, Type};
use crate::problem::{Place, Problem, Span};
use crate::value::{Name, Path, Value};

/// A pattern whose every name is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: Name,
    variables: Vec<Variable>,
    nodes: Vec<NodeElement>,
    edges: Vec<EdgeElement>,
}

/// A named variable of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: Name,
    /// `Type::Node` or `Type::Edge` of what it may be, as narrow as the pattern makes it.
    pub ty: Type,
    /// Where it stands first in the pattern's text.
    pub span: Span,
    slot: Slot,
}

/// What a variable stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Slot {
    Node(usize),
    Edge(usize),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct NodeElement {
    name: Option<Name>,
    /// Sorted; all of them where it may be any.
    kinds: Arc<[Name]>,
    filters: Vec<Filter>,
    /// How it is written first, and where.
    text: Name,
    span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct EdgeElement {
    name: Option<Name>,
    /// Sorted.
    kinds: Arc<[Name]>,
    filters: Vec<Filter>,
    from: usize,
    to: usize,
    reach: bool,
    text: Name,
    span: Span,
}

/// A field and what it must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Filter {
    path: Path,
    value: Value,
    /// The kinds whose default it is, where nothing else is said.
    default_of: Vec<Name>,
}

impl Pattern {
    /// Reads `text` and checks it against `schema`; `place` says where a range of it stands for the reader.
    #[must_use]
    pub fn read(text: &str, schema: &Schema, place: &dyn Fn(Span) -> Place) -> (Option<Self>, Vec<Problem>) {
        Self::read_within(text, schema, &BTreeMap::new(), place)
    }

    /// Does the same for a question: where no node or edge of it bears a name, each node gets one, that of its kind or
    /// `node`, so that there is something to answer.
    #[must_use]
    pub fn read_naming_all(text: &str, schema: &Schema, place: &dyn Fn(Span) -> Place) -> (Option<Self>, Vec<Problem>) {
        match Syntax::parse(text, place) {
            (Some(mut syntax), _) => {
                syntax.name_all();
                check::check(&syntax, schema, &BTreeMap::new(), place)
            }
            (None, problems) => (None, problems),
        }
    }

    /// Does the same for a pattern within another one's reach (`unless:`, `exists(…)`), of whose variables these
    /// are bound already.
    #[must_use]
    pub fn read_within(
        text: &str,
        schema: &Schema,
        outer: &BTreeMap<Name, Type>,
        place: &dyn Fn(Span) -> Place,
    ) -> (Option<Self>, Vec<Problem>) {
        match Syntax::parse(text, place) {
            (Some(syntax), _) => check::check(&syntax, schema, outer, place),
            (None, problems) => (None, problems),
        }
    }

    /// Returns the named variables in the order in which they first stand in the text.
    #[must_use]
    pub fn variables(&self) -> &[Variable] {
        &self.variables
    }

    /// Returns the kinds of edge that it follows; one may come more than once.
    pub fn edge_kinds(&self) -> impl Iterator<Item = &Name> {
        self.edges.iter().flat_map(|it| it.kinds.iter())
    }

    /// Returns the variable called `name`.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&Variable> {
        self.variables.iter().find(|it| *it.name == *name)
    }

    /// Returns the variable of the first node, the anchor where nothing else is said; `None` where it bears no name.
    #[must_use]
    pub fn first(&self) -> Option<&Variable> {
        self.variable(self.nodes.first()?.name.as_deref()?)
    }

    /// Returns the variables of each connected part, in the order of the text; a part without any is empty.
    ///
    /// Where there is more than one, a `join:` has to say how they hang together.
    #[must_use]
    pub fn parts(&self) -> Vec<Vec<Name>> {
        let parts = self.part_of_nodes();
        let n_parts = parts.iter().max().map_or(0, |it| it + 1);
        let mut named = vec![Vec::new(); n_parts];
        for variable in &self.variables {
            let node = match variable.slot {
                Slot::Node(node) => node,
                Slot::Edge(edge) => self.edges[edge].from,
            };
            named[parts[node]].push(variable.name.clone());
        }
        named
    }

    /// Returns the kinds of node and the kinds of edge that a match may touch, sorted.
    #[must_use]
    pub fn touches(&self) -> (Vec<Name>, Vec<Name>) {
        let unique = |kinds: &mut dyn Iterator<Item = &Name>| {
            let mut kinds: Vec<Name> = kinds.cloned().collect();
            kinds.sort();
            kinds.dedup();
            kinds
        };
        (
            unique(&mut self.nodes.iter().flat_map(|it| it.kinds.iter())),
            unique(&mut self.edges.iter().flat_map(|it| it.kinds.iter())),
        )
    }

    /// Returns the fields that its nodes are compared by, each with the kinds that the node may be of.
    pub fn filtered(&self) -> impl Iterator<Item = (&[Name], &Path)> {
        self.nodes
            .iter()
            .flat_map(move |node| node.filters.iter().map(move |it| (&*node.kinds, &it.path)))
    }

    /// Returns the part to which each node belongs, numbered by first appearance.
    fn part_of_nodes(&self) -> Vec<usize> {
        let mut part: Vec<usize> = (0..self.nodes.len()).collect();
        // At most 64 elements: merging over and over is quick.
        for edge in self.edges.iter().cycle().take(self.edges.len() * self.edges.len()) {
            let least = part[edge.from].min(part[edge.to]);
            part[edge.from] = least;
            part[edge.to] = least;
        }
        let mut numbers: Vec<usize> = part.clone();
        numbers.sort_unstable();
        numbers.dedup();
        part.iter()
            .map(|it| numbers.partition_point(|number| number < it))
            .collect()
    }

    /// Returns the node element called `name`.
    fn node(&self, name: &str) -> Option<usize> {
        match self.variable(name)?.slot {
            Slot::Node(node) => Some(node),
            Slot::Edge(_) => None,
        }
    }
}

impl NodeElement {
    fn may_be(&self, kind: &Name) -> bool {
        self.kinds.binary_search(kind).is_ok()
    }
}

/// The one way to write the pattern.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests;
