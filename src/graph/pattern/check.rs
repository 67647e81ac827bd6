//! A pattern against the schema: every name known, every edge able to join its ends, every value of its field's type.
//!
//! Kinds are narrowed as far as the declared ends of the edges allow, so that `(s)-[:depends_on]->(t)` knows the
//! fields of both. All mistakes of a pattern are found, not the first alone.

mod fields;

use std::collections::{BTreeMap, BTreeSet};

use fields::default;

use super::step::equal;
use super::syntax::{EdgeSyntax, FilterSyntax, NodeSyntax, Syntax, Way, Word};
use super::{EdgeElement, NodeElement, Pattern, Slot, Variable};
use crate::kind::{EdgeKind, Schema, Type};
use crate::problem::{Place, Problem, Span};
use crate::value::Name;

type Kinds = BTreeSet<Name>;

/// A node, from all places where it is mentioned.
struct NodeDraft<'a> {
    name: Option<Name>,
    kinds: Kinds,
    filters: Vec<&'a FilterSyntax>,
    text: String,
    span: Span,
}

struct EdgeDraft<'a> {
    syntax: &'a EdgeSyntax,
    kinds: Kinds,
    from: usize,
    to: usize,
}

struct Check<'a> {
    schema: &'a Schema,
    outer: &'a BTreeMap<Name, Type>,
    place: &'a dyn Fn(Span) -> Place,
    problems: Vec<Problem>,
    variables: BTreeMap<Name, Slot>,
    /// The named variables by first appearance, and where that is.
    order: Vec<(Name, Slot, Span)>,
    nodes: Vec<NodeDraft<'a>>,
    edges: Vec<EdgeDraft<'a>>,
}

/// Checks `syntax`; there is a pattern where nothing is wrong but warnings.
pub(super) fn check(
    syntax: &Syntax,
    schema: &Schema,
    outer: &BTreeMap<Name, Type>,
    place: &dyn Fn(Span) -> Place,
) -> (Option<Pattern>, Vec<Problem>) {
    let mut check = Check {
        schema,
        outer,
        place,
        problems: Vec::new(),
        variables: BTreeMap::new(),
        order: Vec::new(),
        nodes: Vec::new(),
        edges: Vec::new(),
    };
    for path in &syntax.paths {
        let mut left = check.node(&path.first);
        for (edge, node) in &path.rest {
            let edge_at = check.edges.len();
            check.edge_variable(edge, edge_at);
            let right = check.node(node);
            let (from, to) = match edge.way {
                Way::Right => (left, right),
                Way::Left => (right, left),
            };
            let kinds = check.edge_kinds(&edge.kinds);
            check.edges.push(EdgeDraft {
                syntax: edge,
                kinds,
                from,
                to,
            });
            left = right;
        }
        let alone = path.rest.is_empty() && path.first.name.is_none();
        if alone && path.first.kinds.is_empty() && path.first.filters.is_empty() {
            let problem = Problem::warning("pattern::pointless", "a nameless node alone asks for nothing");
            let problem = problem.at(place(path.first.span), "matches as soon as there is any node");
            check
                .problems
                .push(problem.help("name it, give it a kind, or leave it out"));
        }
    }
    check.narrow();
    check.finish(syntax)
}

impl<'a> Check<'a> {
    fn report(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    fn all_kinds(&self) -> Kinds {
        self.schema.kinds.keys().cloned().collect()
    }

    fn node(&mut self, node: &'a NodeSyntax) -> usize {
        let kinds = self.node_kinds(&node.kinds);
        let fresh = self.nodes.len();
        let Some(word) = &node.name else {
            self.new_node(None, kinds, node);
            return fresh;
        };
        match self.variables.get(&word.name) {
            Some(Slot::Node(known)) => {
                let known = *known;
                self.mention(known, kinds, node);
                return known;
            }
            Some(Slot::Edge(_)) => {
                self.two_roles(word, "an edge", "a node");
                self.new_node(None, kinds, node);
                return fresh;
            }
            None => {}
        }
        self.variables.insert(word.name.clone(), Slot::Node(fresh));
        self.order.push((word.name.clone(), Slot::Node(fresh), word.span));
        let bound = match self.outer.get(&word.name) {
            Some(Type::Node(bound)) => Some(bound),
            Some(Type::Edge(_)) => {
                self.two_roles(word, "an edge", "a node");
                None
            }
            Some(_) => {
                self.two_roles(word, "a value", "a node");
                None
            }
            None => None,
        };
        let outer: Kinds = match bound {
            Some(bound) if !bound.is_empty() => bound.iter().cloned().collect(),
            _ => self.all_kinds(),
        };
        self.new_node(Some(word.name.clone()), outer, node);
        self.mention(fresh, kinds, node);
        fresh
    }

    fn new_node(&mut self, name: Option<Name>, kinds: Kinds, node: &'a NodeSyntax) {
        let filters = if name.is_some() {
            Vec::new()
        } else {
            node.filters.iter().collect()
        };
        let (text, span) = (node.to_string(), node.span);
        self.nodes.push(NodeDraft {
            name,
            kinds,
            filters,
            text,
            span,
        });
    }

    /// Adds what a mention of a named node asks for.
    fn mention(&mut self, at: usize, kinds: Kinds, node: &'a NodeSyntax) {
        self.nodes[at].filters.extend(&node.filters);
        let both: Kinds = self.nodes[at].kinds.intersection(&kinds).cloned().collect();
        if both.is_empty() && !kinds.is_empty() && !self.nodes[at].kinds.is_empty() {
            let earlier = list(&self.nodes[at].kinds, "or");
            let name = self.nodes[at].name.as_deref().unwrap_or_default().to_owned();
            let message = format!("`{name}` can't be {} and {earlier} at once", list(&kinds, "or"));
            let problem = Problem::error("pattern::conflicting_kinds", message)
                .at((self.place)(node.span), format!("{earlier} elsewhere"))
                .help("use another variable, or one kind in both places");
            self.report(problem);
            return;
        }
        self.nodes[at].kinds = both;
    }

    fn two_roles(&mut self, word: &Word, one: &str, other: &str) {
        let message = format!("`{}` is {one}, and can't be {other} too", word.name);
        let problem = Problem::error("pattern::two_roles", message)
            .at((self.place)(word.span), format!("{other} here"))
            .help("use another variable");
        self.report(problem);
    }

    fn edge_variable(&mut self, edge: &EdgeSyntax, at: usize) {
        let Some(word) = &edge.name else {
            return;
        };
        if let Some(reach) = edge.reach {
            let message = format!("`{}` can't stand for the many edges of `*`", word.name);
            let problem = Problem::error("pattern::reach_variable", message)
                .at((self.place)(reach), "one step or more")
                .help("leave the variable out, or the `*`");
            self.report(problem);
        }
        match (self.variables.get(&word.name), self.outer.get(&word.name)) {
            (Some(Slot::Node(_)), _) | (None, Some(Type::Node(_))) => self.two_roles(word, "a node", "an edge"),
            (Some(Slot::Edge(_)), _) | (None, Some(Type::Edge(_))) => {
                let message = format!("the edge `{}` stands twice", word.name);
                let problem = Problem::error("pattern::repeated_edge", message)
                    .at((self.place)(word.span), "bound before")
                    .help("an edge is bound once; nodes may be named again to join paths");
                self.report(problem);
            }
            (None, Some(_)) => self.two_roles(word, "a value", "an edge"),
            (None, None) => {
                self.variables.insert(word.name.clone(), Slot::Edge(at));
                self.order.push((word.name.clone(), Slot::Edge(at), word.span));
            }
        }
    }

    fn node_kinds(&mut self, words: &[Word]) -> Kinds {
        let mut kinds = Kinds::new();
        for word in words {
            if self.schema.kinds.contains_key(&word.name) {
                kinds.insert(word.name.clone());
                continue;
            }
            let problem = Problem::error("pattern::unknown_kind", format!("`{}` is no kind of node", word.name))
                .at((self.place)(word.span), "unknown");
            let problem = if self.schema.edges.contains_key(&word.name) {
                problem.help(format!("`{0}` is a kind of edge, as in `(a)-[:{0}]->(b)`", word.name))
            } else {
                problem.suggest(&word.name, self.schema.kinds.keys().map(|it| &**it))
            };
            self.report(problem);
        }
        if kinds.is_empty() { self.all_kinds() } else { kinds }
    }

    fn edge_kinds(&mut self, words: &[Word]) -> Kinds {
        let mut kinds = Kinds::new();
        for word in words {
            if self.schema.edges.contains_key(&word.name) {
                kinds.insert(word.name.clone());
                continue;
            }
            let problem = Problem::error("pattern::unknown_edge", format!("`{}` is no kind of edge", word.name))
                .at((self.place)(word.span), "unknown");
            let problem = if self.schema.kinds.contains_key(&word.name) {
                problem.help(format!("`{0}` is a kind of node, as in `(a:{0})`", word.name))
            } else {
                problem.suggest(&word.name, self.schema.edges.keys().map(|it| &**it))
            };
            self.report(problem);
        }
        if kinds.is_empty() {
            self.schema.edges.keys().cloned().collect()
        } else {
            kinds
        }
    }

    /// Narrows the kinds of nodes and edges until each of them fits with some of its neighbours'.
    fn narrow(&mut self) {
        let mut impossible = vec![false; self.edges.len()];
        let mut changed = true;
        while changed {
            changed = false;
            for (at, impossible) in impossible.iter_mut().enumerate().filter(|it| !*it.1) {
                match self.narrow_edge(at) {
                    Some(more) => changed |= more,
                    None => {
                        *impossible = true;
                        self.no_fit(at);
                    }
                }
            }
        }
    }

    /// Narrows around one edge; tells whether anything changed, or `None` where nothing fits.
    fn narrow_edge(&mut self, at: usize) -> Option<bool> {
        let EdgeDraft {
            syntax,
            kinds,
            from,
            to,
        } = &self.edges[at];
        let (from, to) = (*from, *to);
        let declared: Vec<&EdgeKind> = kinds.iter().filter_map(|it| self.schema.edges.get(it)).collect();
        let starts = |it: &EdgeKind| fits(&self.nodes[from].kinds, &it.from);
        let ends = |it: &EdgeKind| fits(&self.nodes[to].kinds, &it.to);
        // The first and the last edge of a reach may be of different kinds.
        let (first, last): (Vec<&EdgeKind>, Vec<&EdgeKind>) = if syntax.reach.is_some() {
            let first = declared.iter().copied().filter(|it| starts(it)).collect();
            let last = declared.iter().copied().filter(|it| ends(it)).collect();
            (first, last)
        } else {
            let both: Vec<&EdgeKind> = declared.iter().copied().filter(|it| starts(it) && ends(it)).collect();
            (both.clone(), both)
        };
        if first.is_empty() || last.is_empty() {
            return None;
        }
        let narrowed = |kinds: &Kinds, edges: &[&EdgeKind], end: fn(&EdgeKind) -> &[Name]| -> Kinds {
            let may = |kind: &&Name| edges.iter().any(|it| end(it).is_empty() || end(it).contains(kind));
            kinds.iter().filter(may).cloned().collect()
        };
        let new_from = narrowed(&self.nodes[from].kinds, &first, |it| &it.from);
        let new_to = narrowed(&self.nodes[to].kinds, &last, |it| &it.to);
        let new_kinds: Kinds = if syntax.reach.is_some() {
            kinds.clone()
        } else {
            first.iter().map(|it| it.name.clone()).collect()
        };
        let sizes = |check: &Self| {
            let nodes = (check.nodes[from].kinds.len(), check.nodes[to].kinds.len());
            (nodes, check.edges[at].kinds.len())
        };
        let before = sizes(self);
        // An edge from a node to itself narrows it from both ends.
        self.nodes[from].kinds.retain(|it| new_from.contains(it));
        self.nodes[to].kinds.retain(|it| new_to.contains(it));
        self.edges[at].kinds = new_kinds;
        Some(sizes(self) != before)
    }

    fn no_fit(&mut self, at: usize) {
        let EdgeDraft {
            syntax,
            kinds,
            from,
            to,
        } = &self.edges[at];
        let (from, to) = (&self.nodes[*from].kinds, &self.nodes[*to].kinds);
        let message = format!(
            "no {} leads from {} to {}",
            list(kinds, "or"),
            list(from, "or"),
            list(to, "or")
        );
        let declared = kinds.iter().filter_map(|it| self.schema.edges.get(it)).take(4);
        let ends = |kinds: &[Name]| match kinds {
            [] => "any node".to_owned(),
            kinds => list(&kinds.iter().cloned().collect(), "or"),
        };
        let facts: Vec<String> = declared
            .map(|it| format!("`{}` leads from {} to {}", it.name, ends(&it.from), ends(&it.to)))
            .collect();
        let problem = Problem::error("pattern::no_fit", message).at((self.place)(syntax.span), "joins nothing");
        let problem = if facts.is_empty() {
            problem
        } else {
            problem.help(facts.join("; "))
        };
        self.report(problem);
    }

    fn finish(mut self, syntax: &Syntax) -> (Option<Pattern>, Vec<Problem>) {
        let nodes = std::mem::take(&mut self.nodes);
        let edges = std::mem::take(&mut self.edges);
        let all = self.all_kinds();
        let mut pattern = Pattern {
            text: Name::from(syntax.to_string()),
            variables: Vec::new(),
            nodes: Vec::new(),
            edges: Vec::new(),
        };
        for node in nodes {
            let any = node.kinds == all;
            let ty = Type::Node(if any {
                [].into()
            } else {
                node.kinds.iter().cloned().collect()
            });
            let filters = self.filters(&node.filters, &ty, &|_| Vec::new());
            pattern.nodes.push(NodeElement {
                name: node.name,
                kinds: node.kinds.into_iter().collect(),
                filters,
                text: Name::from(node.text),
                span: node.span,
            });
        }
        for edge in edges {
            let ty = Type::Edge(edge.kinds.iter().cloned().collect());
            let filters: Vec<&FilterSyntax> = edge.syntax.filters.iter().collect();
            let schema = self.schema;
            let default_of = |filter: &FilterSyntax| {
                let has_default =
                    |kind: &&Name| default(schema, kind, &filter.path).is_some_and(|it| equal(it, &filter.value));
                edge.kinds.iter().filter(has_default).cloned().collect()
            };
            let filters = self.filters(&filters, &ty, &default_of);
            pattern.edges.push(EdgeElement {
                name: edge.syntax.name.as_ref().map(|it| it.name.clone()),
                kinds: edge.kinds.into_iter().collect(),
                filters,
                from: edge.from,
                to: edge.to,
                reach: edge.syntax.reach.is_some(),
                text: Name::from(edge.syntax.to_string()),
                span: edge.syntax.span,
            });
        }
        for (name, slot, span) in self.order {
            let ty = match slot {
                Slot::Node(at) if pattern.nodes[at].kinds.len() == all.len() => Type::Node([].into()),
                Slot::Node(at) => Type::Node(pattern.nodes[at].kinds.clone()),
                Slot::Edge(at) => Type::Edge(pattern.edges[at].kinds.clone()),
            };
            pattern.variables.push(Variable { name, ty, span, slot });
        }
        let fine = !self.problems.iter().any(Problem::is_error);
        (fine.then_some(pattern), self.problems)
    }
}

/// Tells whether an edge that declares these ends may be at a node of one of `kinds`.
fn fits(kinds: &Kinds, ends: &[Name]) -> bool {
    ends.is_empty() || ends.iter().any(|it| kinds.contains(it))
}

/// Lists names for people; of many, the first few.
fn list(names: &Kinds, joiner: &str) -> String {
    const MOST: usize = 6;
    let mut shown: Vec<String> = names.iter().take(MOST).map(|it| format!("`{it}`")).collect();
    if names.len() > MOST {
        shown.push(format!("{} more", names.len() - MOST));
    }
    match shown.pop() {
        None => "nothing".to_owned(),
        Some(last) if shown.is_empty() => last,
        Some(last) => format!("{} {joiner} {last}", shown.join(", ")),
    }
}
