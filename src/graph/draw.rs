//! Drawings of a snapshot for people: plain text, DOT, Mermaid, SVG.
//!
//! Pure text in, text out; the same graph gives the same bytes. What is drawn, and where it goes, is for the
//! command to say.

mod svg;

use std::collections::BTreeSet;
use std::fmt::Write as _;

pub use svg::svg;

use super::cycle::cycles;
use super::order::{Components, layers_of};
use super::{Snapshot, is_required};
use crate::value::{Address, Name};

/// What a drawing shows: layers of nodes, dependencies first, and the edges between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawing {
    layers: Vec<Vec<u32>>,
    edges: Vec<Line>,
    cycles: Vec<Vec<Address>>,
    names: Vec<String>,
    n_kinds: usize,
}

/// One edge as it is drawn.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Line {
    from: u32,
    to: u32,
    kind: Name,
    look: Look,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Look {
    Cyclic,
    Required,
    Soft,
}

impl Drawing {
    /// Returns the drawing of all nodes of `snapshot` and its edges of these kinds, and of those of the kinds `beside`
    /// that are not required and lead where none of the others does. They decide no layer and no cycle.
    #[must_use]
    pub fn new(snapshot: &Snapshot, kinds: &[Name], beside: &[Name]) -> Self {
        let graph = snapshot.adjacency(kinds);
        let components = Components::new(&graph);
        let all: Vec<u32> = graph.nodes().collect();
        let mut edges: Vec<Line> = Vec::new();
        for kind in kinds {
            edges.extend(snapshot.edges(kind).map(|(from, to, fields)| {
                let look = match (components.same_cycle(from, to), is_required(fields)) {
                    (true, _) => Look::Cyclic,
                    (false, true) => Look::Required,
                    (false, false) => Look::Soft,
                };
                let kind = kind.clone();
                Line { from, to, kind, look }
            }));
        }
        let joined: BTreeSet<(u32, u32)> = edges.iter().map(|it| (it.from, it.to)).collect();
        let soft = beside.iter().flat_map(|kind| snapshot.edges(kind));
        let soft = soft.filter(|(from, to, fields)| !is_required(fields) && !joined.contains(&(*from, *to)));
        edges.extend(soft.map(|(from, to, _)| Line {
            from,
            to,
            kind: kinds.first().cloned().unwrap_or_default(),
            look: Look::Soft,
        }));
        edges.sort();
        edges.dedup_by(|b, a| (a.from, a.to, &a.kind) == (b.from, b.to, &b.kind));
        let mut drawn_kinds: Vec<&Name> = kinds.iter().collect();
        drawn_kinds.sort();
        drawn_kinds.dedup();
        Self {
            layers: layers_of(&graph, &all),
            cycles: cycles(snapshot, kinds),
            names: snapshot.nodes().iter().map(ToString::to_string).collect(),
            n_kinds: drawn_kinds.len(),
            edges,
        }
    }

    fn name(&self, node: u32) -> &str {
        &self.names[node as usize]
    }

    /// The edges that leave `node`.
    fn lines(&self, node: u32) -> &[Line] {
        let start = self.edges.partition_point(|it| it.from < node);
        let end = self.edges.partition_point(|it| it.from <= node);
        &self.edges[start..end]
    }

    /// What an edge is called, where there is more than one kind to tell apart.
    fn label<'a>(&self, line: &'a Line) -> Option<&'a str> {
        (self.n_kinds > 1).then_some(&*line.kind)
    }
}

/// Draws plain text: each layer, each node in it with what its edges lead to, then the cycles.
#[must_use]
pub fn text(drawing: &Drawing) -> String {
    let mut text = String::new();
    for (at, layer) in drawing.layers.iter().enumerate() {
        text.push_str(&format!("layer {}\n", at + 1));
        for node in layer {
            text.push_str("  ");
            text.push_str(&plain(drawing.name(*node)));
            for (at, line) in drawing.lines(*node).iter().enumerate() {
                let separator = if at == 0 { " -> " } else { ", " };
                let soft = if line.look == Look::Soft { "?" } else { "" };
                let kind = drawing
                    .label(line)
                    .map_or(String::new(), |it| format!(" ({})", plain(it)));
                let _ = write!(text, "{separator}{}{soft}{kind}", plain(drawing.name(line.to)));
            }
            text.push('\n');
        }
    }
    if !drawing.cycles.is_empty() {
        text.push_str("cycles\n");
    }
    for cycle in &drawing.cycles {
        let ring = cycle.iter().chain(cycle.first());
        let names: Vec<String> = ring.map(|it| plain(&it.to_string())).collect();
        let _ = writeln!(text, "  {}", names.join(" -> "));
    }
    text
}

/// Draws DOT, for Graphviz: soft edges dashed, edges of cycles red.
#[must_use]
pub fn dot(drawing: &Drawing) -> String {
    let mut dot = String::from("digraph gen {\n  rankdir=LR;\n  node [shape=box];\n");
    for layer in &drawing.layers {
        dot.push_str("  {\n    rank=same;\n");
        for node in layer {
            let _ = writeln!(dot, "    {};", dot_string(drawing.name(*node)));
        }
        dot.push_str("  }\n");
    }
    for line in &drawing.edges {
        let mut attributes: Vec<String> = Vec::new();
        attributes.extend(drawing.label(line).map(|it| format!("label={}", dot_string(it))));
        match line.look {
            Look::Cyclic => attributes.push("color=red".to_owned()),
            Look::Soft => attributes.push("style=dashed".to_owned()),
            Look::Required => {}
        }
        let (from, to) = (dot_string(drawing.name(line.from)), dot_string(drawing.name(line.to)));
        let _ = write!(dot, "  {from} -> {to}");
        if !attributes.is_empty() {
            let _ = write!(dot, " [{}]", attributes.join(", "));
        }
        dot.push_str(";\n");
    }
    dot.push_str("}\n");
    dot
}

/// Draws a Mermaid flowchart: soft edges dotted, edges of cycles thick.
#[must_use]
pub fn mermaid(drawing: &Drawing) -> String {
    let mut chart = String::from("flowchart LR\n");
    for node in drawing.layers.iter().flatten() {
        let _ = writeln!(chart, "  n{node}[\"{}\"]", mermaid_text(drawing.name(*node)));
    }
    for line in &drawing.edges {
        let arrow = match line.look {
            Look::Cyclic => "==>",
            Look::Required => "-->",
            Look::Soft => "-.->",
        };
        let label = drawing
            .label(line)
            .map_or(String::new(), |it| format!("|\"{}\"|", mermaid_text(it)));
        let _ = writeln!(chart, "  n{} {arrow}{label} n{}", line.from, line.to);
    }
    chart
}

/// Puts a name on one line, whatever it holds.
fn plain(name: &str) -> String {
    name.chars()
        .map(|it| if it.is_control() { '\u{fffd}' } else { it })
        .collect()
}

/// A string of DOT. Its only escape that the grammar knows is `\"`; a backslash is doubled since labels read escapes.
fn dot_string(name: &str) -> String {
    format!("\"{}\"", plain(name).replace('\\', "\\\\").replace('"', "\\\""))
}

/// Text within quotes of Mermaid, where anything else than letters may mean something: it goes by its number.
fn mermaid_text(name: &str) -> String {
    let mut text = String::new();
    for it in plain(name).chars() {
        if it.is_alphanumeric() || matches!(it, '.' | '_' | '-' | ' ' | '/') {
            text.push(it);
        } else {
            let _ = write!(text, "#{};", u32::from(it));
        }
    }
    text
}
