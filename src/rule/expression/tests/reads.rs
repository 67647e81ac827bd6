//! What expressions say that they read.

use super::world::{compile, compile_in};
use crate::rule::expression::{GraphFunction, ProjectScope, Uses};

fn uses(source: &str) -> Uses {
    let (expression, problems) = compile_in(source, ProjectScope::Anchored);
    expression.unwrap_or_else(|| panic!("{problems:#?}")).uses().clone()
}

#[test]
fn members_of_variables_are_named() {
    let uses = uses("has(s.ports.http.port) && s.ports.http.port > 1 && s.tag.exists(t, t.value == b.name)");
    assert_eq!(uses.variables.keys().map(|it| &**it).collect::<Vec<_>>(), ["b", "s"]);
    let s = &uses.variables["s"];
    assert!(!s.whole);
    assert!(s.members["ports"].members["http"].members["port"].whole);
    assert!(s.members["tag"].each.as_ref().unwrap().members["value"].whole);
    assert_eq!(uses.relations.iter().map(|it| &**it).collect::<Vec<_>>(), ["tubes/tag"]);
}

#[test]
fn nodes_in_facts_are_named() {
    let uses = uses("s.waits_for.filter(w, w.node.bore > 1).map(w, w.node).map(n, n.tag)");
    assert_eq!(uses.reached.len(), 1);
    let reached = &uses.reached[0];
    assert_eq!(reached.relation.as_deref(), Some("tubes/waits_for"));
    assert_eq!(reached.path.to_string(), "node");
    assert!(reached.reads.members["bore"].whole && reached.reads.members["tag"].whole);
    assert!(uses.relations.contains("tubes/tag"));
}

#[test]
fn questions_to_the_graph_are_named() {
    let uses = uses("reach(s, ['sends_to']).map(n, n.bore).sum() + nodes('tank')[0].bore");
    let reach = &uses.graph[0];
    assert_eq!(reach.function, GraphFunction::Reach);
    assert_eq!(reach.from.iter().map(|it| &**it).collect::<Vec<_>>(), ["s"]);
    assert_eq!(reach.edges.iter().map(|it| &**it).collect::<Vec<_>>(), ["sends_to"]);
    assert!(reach.reads.members["bore"].whole && !reach.reads.whole);
    assert_eq!(uses.graph[1].kind.as_deref(), Some("tank"));
    assert!(uses.graph[1].reads.members["bore"].whole);
    let ends = super::reads::uses("e.to.bore");
    assert!(ends.variables["e"].members["to"].members["bore"].whole);
    assert_eq!(ends.reached[0].path.to_string(), "to");
}

#[test]
fn a_condition_says_what_is_there() {
    let (when, _) = compile("has(s.label) && b.bore > 1");
    let when = when.unwrap();
    let schema = super::world::schema();
    let mut scope = crate::rule::expression::Scope::new(&schema, super::world::types());
    scope.present.extend(when.ensures());
    let file = "x".into();
    let (expression, problems) = crate::rule::expression::Expression::compile("s.label", &file, &|it| it, &scope);
    assert!(expression.is_some(), "{problems:#?}");
}
