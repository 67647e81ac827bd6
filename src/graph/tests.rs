//! Tests of the graph's algorithms: by example, against naive versions, and at sizes that hurt.

mod random;
mod size;

use super::*;
use crate::graph::draw::{Drawing, dot, mermaid, svg, text};
use crate::graph::order::{Components, layers, starts_after};
use crate::graph::reach::{Weigh, dependents, longest, path_prefixes, reach};

fn node(name: &str) -> Address {
    Address::new("pipe", name)
}

fn map(fields: &[(&str, Value)]) -> Map {
    fields
        .iter()
        .map(|(name, value)| (Name::from(*name), value.clone()))
        .collect()
}

/// Reads `a>b` as an edge of kind `d`, `a?b` as a soft one, `a~b` as a reference, `a^b` as a soft reference.
fn graph(edges: &str) -> Snapshot {
    let mut nodes = Vec::new();
    let mut made = Vec::new();
    for word in edges.split_whitespace() {
        let Some(at) = word.find(['>', '?', '~', '^']) else {
            nodes.push(node(word));
            continue;
        };
        let (from, to) = (node(&word[..at]), node(&word[at + 1..]));
        nodes.extend([from.clone(), to.clone()]);
        let sign = &word[at..=at];
        let kind = if matches!(sign, ">" | "?") { "d" } else { "r" };
        let required = matches!(sign, ">" | "~");
        made.push(Edge::new(from, kind, to, map(&[("required", Value::Bool(required))])));
    }
    Snapshot::new(nodes, made)
}

fn d() -> Vec<Name> {
    vec![Name::from("d")]
}

fn names(nodes: &[Address]) -> String {
    nodes.iter().map(|it| it.name.as_str()).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_order_of_the_input_changes_nothing() {
    assert_eq!(graph("a>b b>c a~c"), graph("a~c b>c a>b a>b c b a"));
    assert_ne!(graph("a>b"), graph("a?b"));
}

#[test]
fn an_edge_to_nowhere_is_left_out() {
    let edge = Edge::new(node("a"), "d", node("gone"), Map::default());
    let snapshot = Snapshot::new(vec![node("a")], vec![edge]);
    assert_eq!(snapshot.edge_kinds(), Vec::<Name>::new());
    assert_eq!(reach::reach(&snapshot, &node("a"), &d(), usize::MAX), []);
}

#[test]
fn nodes_of_a_kind_stand_together() {
    let snapshot = Snapshot::new(
        vec![Address::new("b", "y"), Address::new("a", "z"), Address::new("b", "x")],
        Vec::new(),
    );
    assert_eq!(snapshot.of_kind("b"), [Address::new("b", "x"), Address::new("b", "y")]);
    assert_eq!(snapshot.of_kind("c"), []);
}

#[test]
fn edges_are_walked_either_way() {
    let snapshot = graph("a>c b>c a>b");
    let into: Vec<u32> = snapshot.incoming(2, "d").map(|it| it.0).collect();
    assert_eq!(into, [0, 1]);
    let out: Vec<u32> = snapshot.outgoing(0, "d").map(|it| it.0).collect();
    assert_eq!(out, [1, 2]);
}

#[test]
fn layers_begin_with_what_needs_nothing() {
    let snapshot = graph("app>auth app>db auth>db cache");
    let all = layers(&snapshot, snapshot.nodes(), &d());
    let shown: Vec<String> = all.iter().map(|it| names(it)).collect();
    assert_eq!(shown, ["cache db", "auth", "app"]);
}

#[test]
fn a_layer_heeds_nodes_that_it_does_not_show() {
    let snapshot = graph("app>auth auth>db");
    let shown = layers(&snapshot, &[node("app"), node("db")], &d());
    assert_eq!(shown, [[node("db")], [node("app")]]);
}

#[test]
fn a_cycle_shares_a_layer() {
    let snapshot = graph("a>b b>a b>c d>a");
    let shown: Vec<String> = layers(&snapshot, snapshot.nodes(), &d())
        .iter()
        .map(|it| names(it))
        .collect();
    assert_eq!(shown, ["c", "a b", "d"]);
}

#[test]
fn a_node_reaches_itself_over_a_real_cycle_only() {
    let snapshot = graph("a>b b>a b>c self>self");
    assert_eq!(names(&reach(&snapshot, &node("a"), &d(), usize::MAX)), "a b c");
    assert_eq!(names(&reach(&snapshot, &node("c"), &d(), usize::MAX)), "");
    assert_eq!(names(&reach(&snapshot, &node("self"), &d(), usize::MAX)), "self");
    assert_eq!(names(&dependents(&snapshot, &node("c"), &d(), usize::MAX)), "a b");
    let components = Components::new(&snapshot.adjacency(&d()));
    let at = |name: &str| snapshot.index(&node(name)).expect("it is there");
    let same_cycle = |a: &str, b: &str| components.same_cycle(at(a), at(b));
    assert!(same_cycle("a", "b"));
    assert!(!same_cycle("c", "c"));
    assert!(same_cycle("self", "self"));
}

fn start_order(edges: &str) -> String {
    let graph = graph(edges);
    let edges = starts_after(&graph, &Name::from("d"), &Name::from("r"));
    let name = |it: u32| &graph.address(it).name;
    let shown = edges.iter().map(|it| format!("{}>{}", name(it.0), name(it.1)));
    shown.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_reference_orders_the_start_unless_it_closes_a_circle() {
    assert_eq!(start_order("a>b b~c"), "a>b b>c");
    // Two that mention each other: neither waits.
    assert_eq!(start_order("a~b b~a"), "");
    // The dependency stays, the reference back does not count.
    assert_eq!(start_order("a>b b~a"), "a>b");
    assert_eq!(start_order("a>b b>c c~a a~c"), "a>b b>c");
}

#[test]
fn soft_edges_order_no_start() {
    assert_eq!(start_order("a?b a^c"), "");
    // The dependency's own word wins over the reference to the same target.
    assert_eq!(start_order("a?b a~b"), "");
    // A soft edge closes no circle.
    assert_eq!(start_order("a?b b~a"), "b>a");
    // A reference to oneself is no edge.
    assert_eq!(start_order("a~a"), "");
}

#[test]
fn each_component_shows_one_shortest_cycle_from_its_least_node() {
    let snapshot = graph("c>a a>b b>c b>x x>b z>y y>w w>z lone>lone p>q");
    let shown: Vec<String> = cycle::cycles(&snapshot, &d()).iter().map(|it| names(it)).collect();
    assert_eq!(shown, ["b x", "lone", "w z y"]);
}

#[test]
fn a_soft_edge_closes_no_required_cycle() {
    let snapshot = graph("a>b b?a");
    assert_eq!(cycle::required_cycles(&snapshot, &d()), Vec::<Vec<Address>>::new());
    assert_eq!(cycle::cycles(&snapshot, &d()).len(), 1);
}

#[test]
fn a_cycle_is_shown_whole() {
    let cycle = [node("a"), node("b")];
    let problem = cycle::problem(&cycle, &Name::from("d"), None);
    assert_eq!(
        problem.to_string(),
        "`pipe.a` would have to start before itself: `pipe.a` → `pipe.b` → `pipe.a`"
    );
    let labels: Vec<&str> = problem.labels.iter().map(|it| &*it.text).collect();
    assert_eq!(labels, ["`pipe.a` waits for `pipe.b`", "`pipe.b` waits for `pipe.a`"]);
}

#[test]
fn the_longest_path_may_count_edges_or_fields() {
    let edge = |from: &str, to: &str, bar: Value| Edge::new(node(from), "d", node(to), map(&[("bar", bar)]));
    let snapshot = Snapshot::new(
        ["a", "b", "c", "e"].map(node).to_vec(),
        vec![
            edge("a", "b", Value::Int(1)),
            edge("b", "c", Value::Int(1)),
            edge("a", "c", Value::Int(7)),
            edge("c", "e", Value::Double(crate::value::Double(0.5))),
        ],
    );
    let count = longest(&snapshot, &d(), Weigh::Count);
    assert_eq!(count.from(&snapshot, &node("a")), Some(Value::Int(3)));
    assert_eq!(count.from(&snapshot, &node("gone")), None);
    let bar = longest(&snapshot, &d(), Weigh::Edge("bar"));
    assert_eq!(
        bar.from(&snapshot, &node("a")),
        Some(Value::Double(crate::value::Double(7.5)))
    );
    let each = |it: &Address| (&*it.name != "e").then_some(Value::Int(10));
    let nodes = longest(&snapshot, &d(), Weigh::Node(&each));
    assert_eq!(nodes.from(&snapshot, &node("a")), Some(Value::Int(30)));
    assert_eq!(nodes.from(&snapshot, &node("e")), Some(Value::Int(0)));
}

#[test]
fn prefixes_of_a_path_lead_down_to_it() {
    assert_eq!(path_prefixes("/a/b"), ["/", "/a", "/a/b"]);
    assert_eq!(path_prefixes("/"), ["/"]);
    assert_eq!(path_prefixes("a//b/"), ["a", "a/b"]);
    assert_eq!(path_prefixes(""), Vec::<String>::new());
}

#[test]
fn steps_run_out() {
    let mut steps = Steps::new(2);
    assert_eq!(steps.take(), Ok(()));
    assert_eq!(steps.take(), Ok(()));
    assert_eq!(steps.take(), Err(TooManySteps { limit: 2 }));
    assert_eq!(steps.taken(), 2);
}

#[test]
fn a_graph_is_drawn_in_each_language() {
    let snapshot = graph("app>auth app?db auth>db x>y y>x");
    let drawing = Drawing::new(&snapshot, &d(), &[]);
    assert_eq!(
        text(&drawing),
        "layer 1\n  pipe.db\n  pipe.x -> pipe.y\n  pipe.y -> pipe.x\nlayer 2\n  pipe.auth -> pipe.db\nlayer 3\n  \
         pipe.app -> pipe.auth, pipe.db?\ncycles\n  pipe.x -> pipe.y -> pipe.x\n"
    );
    assert!(dot(&drawing).contains("\"pipe.app\" -> \"pipe.db\" [style=dashed];"));
    assert!(dot(&drawing).contains("\"pipe.x\" -> \"pipe.y\" [color=red];"));
    assert!(mermaid(&drawing).contains("  n0 -.-> n2\n"));
    assert_eq!(svg(&drawing).matches("<rect").count(), 5);
    assert_eq!(svg(&drawing).matches("<title>").count(), 5);
}

#[test]
fn names_break_out_of_no_drawing() {
    let hostile = node("a\"]; x[\"<b>&\\\n");
    let edge = Edge::new(hostile.clone(), "d", hostile.clone(), Map::default());
    let drawing = Drawing::new(&Snapshot::new(vec![hostile], vec![edge]), &d(), &[]);
    assert_eq!(text(&drawing).lines().count(), 4);
    assert!(!mermaid(&drawing).contains("\"]; x"));
    assert!(!svg(&drawing).contains("<b>"));
    for line in dot(&drawing).lines() {
        let bare = line.replace("\\\\", "").replace("\\\"", "");
        assert_eq!(bare.matches('"').count() % 2, 0, "{line}");
    }
}
