//! The matcher against one that tries every assignment, on random small worlds and random patterns.
//!
//! The naive one works on the syntax tree, so that it also shows that narrowing loses nothing.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

const NODES: [&str; 4] = ["p.a", "p.b", "q.c", "q.d"];

/// Kinds `p` and `q` with a `size`; `d` leads from `p` to anything, `e` from `q` to `p`, both with a `bar`.
fn small_schema() -> Schema {
    let base = super::schema();
    let mut schema = Schema::default();
    for name in ["p", "q"] {
        let mut kind = base.kinds["clerk"].clone();
        kind.name = name.into();
        kind.fields = record(&[("size", Type::Int)]);
        schema.kinds.insert(name.into(), kind);
    }
    for (name, from, to) in [("d", names(&["p"]), names(&[])), ("e", names(&["q"]), names(&["p"]))] {
        let mut edge = base.edges["knows"].clone();
        (edge.name, edge.from, edge.to) = (name.into(), from, to);
        edge.fields = record(&[("bar", Type::Int)]);
        schema.edges.insert(name.into(), edge);
    }
    schema
}

#[derive(Clone, Debug)]
struct Small {
    edges: Vec<Edge>,
    sizes: [i64; 4],
}

impl Small {
    fn snapshot(&self) -> Snapshot {
        Snapshot::new(NODES.map(at).to_vec(), self.edges.clone())
    }

    fn size(&self, node: &Address) -> Option<i64> {
        let index = NODES.iter().position(|it| at(it) == *node)?;
        Some(self.sizes[index])
    }
}

fn small() -> impl Strategy<Value = Small> {
    let edge = (0..4_usize, 0..4_usize, 0..2_i64).prop_filter_map("an end that is not declared", |(from, to, bar)| {
        let (from, to) = (at(NODES[from]), at(NODES[to]));
        let kind = if &*from.kind == "p" { "d" } else { "e" };
        let fields: Map = [(Name::from("bar"), Value::Int(bar))].into_iter().collect();
        (kind == "d" || &*to.kind == "p").then(|| Edge::new(from, kind, to, fields))
    });
    (prop::collection::vec(edge, 0..8), prop::array::uniform4(0..2_i64))
        .prop_map(|(edges, sizes)| Small { edges, sizes })
}

fn node_text() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["", "x", "y", "z"]);
    let kind = prop::sample::select(vec!["", "", ":p", ":q", ":p|q"]);
    let filter = prop::sample::select(vec!["", "", "", " {size: 1}", " {kind: 'p'}"]);
    (name, kind, filter).prop_map(|(name, kind, filter)| format!("({name}{kind}{filter})"))
}

fn pattern_text() -> impl Strategy<Value = String> {
    let kind = prop::sample::select(vec!["", ":d", ":e", ":d|e"]);
    let star = prop::sample::select(vec!["", "", "*"]);
    let filter = prop::sample::select(vec!["", "", " {bar: 1}"]);
    let edge = (any::<bool>(), any::<bool>(), kind, star, filter);
    let path = (node_text(), prop::collection::vec((edge, node_text()), 0..3));
    prop::collection::vec(path, 1..3).prop_map(|paths| {
        let mut n_edges = 0;
        let mut written = Vec::new();
        for (first, rest) in paths {
            let mut path = first;
            for ((named, right, kind, star, filter), node) in rest {
                let name = if named && star.is_empty() {
                    format!("e{n_edges}")
                } else {
                    String::new()
                };
                n_edges += 1;
                let inner = format!("{name}{kind}{star}{filter}");
                let edge = if right {
                    format!("-[{inner}]->")
                } else {
                    format!("<-[{inner}]-")
                };
                path.push_str(&edge);
                path.push_str(&node);
            }
            written.push(path);
        }
        written.join(", ")
    })
}

/// All bindings of the named variables, by trying every node in every place.
fn naive(syntax: &Syntax, world: &Small) -> BTreeSet<BTreeMap<Name, Bound>> {
    let mut places: Vec<(Name, &NodeSyntax)> = Vec::new();
    let mut edges: Vec<(&EdgeSyntax, usize, usize)> = Vec::new();
    for path in &syntax.paths {
        let name = |node: &NodeSyntax, places: &[_]| {
            let anonymous = Name::from(format!("#{}", places.len()));
            node.name.as_ref().map_or(anonymous, |it| it.name.clone())
        };
        places.push((name(&path.first, &places), &path.first));
        for (edge, node) in &path.rest {
            places.push((name(node, &places), node));
            let (left, right) = (places.len() - 2, places.len() - 1);
            edges.push(if edge.way == Way::Right {
                (edge, left, right)
            } else {
                (edge, right, left)
            });
        }
    }
    let mut slots: Vec<Name> = places.iter().map(|it| it.0.clone()).collect();
    slots.sort();
    slots.dedup();
    let mut found = BTreeSet::new();
    for number in 0..NODES.len().pow(u32::try_from(slots.len()).expect("few")) {
        let digit = |slot: usize| number / NODES.len().pow(u32::try_from(slot).expect("few")) % NODES.len();
        let node = |name: &Name| at(NODES[digit(slots.binary_search(name).expect("a slot"))]);
        if !places
            .iter()
            .all(|(name, syntax)| node_fits(syntax, &node(name), world))
        {
            continue;
        }
        let nodes = slots.iter().filter(|it| !it.starts_with('#'));
        let nodes: BTreeMap<Name, Bound> = nodes.map(|it| (it.clone(), Bound::Node(node(it)))).collect();
        let mut rows = vec![nodes];
        for (edge, from, to) in &edges {
            let (from, to) = (node(&places[*from].0), node(&places[*to].0));
            let fitting: Vec<&Edge> = world.edges.iter().filter(|it| edge_fits(edge, it)).collect();
            if edge.reach.is_some() {
                let mut reached = BTreeSet::from([from.clone()]);
                let mut ends = BTreeSet::new();
                for _ in 0..=NODES.len() {
                    ends.extend(
                        fitting
                            .iter()
                            .filter(|it| reached.contains(&it.from))
                            .map(|it| it.to.clone()),
                    );
                    reached.extend(ends.iter().cloned());
                }
                rows.retain(|_| ends.contains(&to));
                continue;
            }
            let between: Vec<&Edge> = fitting
                .into_iter()
                .filter(|it| it.from == from && it.to == to)
                .collect();
            let with = |row: &BTreeMap<Name, Bound>, found: &Edge| {
                let mut row = row.clone();
                let name = edge.name.as_ref().map(|it| it.name.clone());
                row.extend(name.map(|it| (it, Bound::Edge(found.clone()))));
                row
            };
            rows = rows
                .iter()
                .flat_map(|row| between.iter().map(move |it| with(row, it)))
                .collect();
        }
        found.extend(rows);
    }
    found
}

fn node_fits(syntax: &NodeSyntax, node: &Address, world: &Small) -> bool {
    let of_kind = syntax.kinds.is_empty() || syntax.kinds.iter().any(|it| it.name == node.kind);
    of_kind
        && syntax.filters.iter().all(|it| match &*it.path.to_string() {
            "kind" => it.value.as_str() == Some(&node.kind),
            _ => Some(&it.value) == world.size(node).map(Value::Int).as_ref(),
        })
}

fn edge_fits(syntax: &EdgeSyntax, edge: &Edge) -> bool {
    let of_kind = syntax.kinds.is_empty() || syntax.kinds.iter().any(|it| it.name == edge.kind);
    of_kind
        && syntax
            .filters
            .iter()
            .all(|it| edge.fields.get("bar") == Some(&it.value))
}

fn all_matches(
    pattern: &Arc<Pattern>,
    anchor: &str,
    world: &Small,
    snapshot: &Snapshot,
) -> BTreeMap<Address, Vec<Binding>> {
    let walk = Walk::new(pattern.clone(), &[anchor], &[]).expect("the anchor is a node");
    let field = |node: &Address, field: &str| (field == "size").then(|| world.size(node).map(Value::Int)).flatten();
    let world = Still {
        snapshot,
        field: &field,
    };
    let of_node = |node: &Address| {
        (
            node.clone(),
            walk.matches(&world, std::slice::from_ref(node), LIMIT)
                .expect("few steps"),
        )
    };
    NODES.map(at).iter().map(of_node).collect()
}

fn node_variables(pattern: &Pattern) -> Vec<Name> {
    let nodes = pattern.variables().iter().filter(|it| matches!(it.ty, Type::Node(_)));
    nodes.map(|it| it.name.clone()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_walk_finds_what_trying_everything_finds(text in pattern_text(), small in small()) {
        let syntax = Syntax::parse(&text, &place).0.expect("well written");
        let expected = naive(&syntax, &small);
        let (pattern, problems) = Pattern::read(&text, &small_schema(), &place);
        let Some(pattern) = pattern.map(Arc::new) else {
            // What is refused could never have matched.
            prop_assert_eq!(&expected, &BTreeSet::new(), "{}: {:?}", text, problems);
            return Ok(());
        };
        let snapshot = small.snapshot();
        for anchor in node_variables(&pattern) {
            for (node, bindings) in all_matches(&pattern, &anchor, &small, &snapshot) {
                prop_assert!(bindings.is_sorted());
                let named = |it: &Binding| -> BTreeMap<Name, Bound> {
                    pattern.variables().iter().map(|it| it.name.clone()).zip(it.0.iter().cloned()).collect()
                };
                let found: BTreeSet<_> = bindings.iter().map(named).collect();
                let wanted: BTreeSet<_> =
                    expected.iter().filter(|it| it[&anchor] == Bound::Node(node.clone())).cloned().collect();
                prop_assert_eq!(&found, &wanted, "{} from {} at {}", text, anchor, node);
                let walk = Walk::new(pattern.clone(), &[&anchor], &[]).expect("the anchor is a node");
                let field = |node: &Address, field: &str| (field == "size").then(|| small.size(node).map(Value::Int)).flatten();
                let world = Still { snapshot: &snapshot, field: &field };
                prop_assert_eq!(walk.exists(&world, &[node], LIMIT), Ok(!wanted.is_empty()));
            }
        }
    }

    #[test]
    fn an_edit_changes_nothing_that_is_not_touched(text in pattern_text(), small in small(), at_edge in 0..8_usize, at_node in 0..4_usize) {
        let Some(pattern) = Pattern::read(&text, &small_schema(), &place).0.map(Arc::new) else {
            return Ok(());
        };
        let old = small.snapshot();
        let nowhere = Still { snapshot: &old, field: &|_, _| None };
        for anchor in node_variables(&pattern) {
            let before = all_matches(&pattern, &anchor, &small, &old);
            let differ = |after: BTreeMap<Address, Vec<Binding>>| -> BTreeSet<Address> {
                before.iter().filter(|(node, bindings)| after[*node] != **bindings).map(|it| it.0.clone()).collect()
            };
            let touched = |change: Change<'_>| {
                pattern.touched(&nowhere, &anchor, change, &[], LIMIT).expect("known").expect("few steps")
            };
            // An edge goes; the old graph is the union of both.
            if let Some(edge) = small.edges.get(at_edge) {
                let mut less = small.clone();
                less.edges.retain(|it| it != edge);
                let changed = differ(all_matches(&pattern, &anchor, &less, &less.snapshot()));
                let seen = touched(Change::Edges(&[(edge.kind.clone(), [(edge.from.clone(), edge.to.clone())].into())].into()));
                prop_assert!(changed.is_subset(&seen), "{text} from {anchor}: {changed:?} not in {seen:?}");
            }
            // A node goes, and its edges with it.
            let gone = at(NODES[at_node]);
            let around: Vec<&Edge> = small.edges.iter().filter(|it| it.from == gone || it.to == gone).collect();
            let mut seen = touched(Change::Nodes(&[gone.clone()].into()));
            let mut ends = EndsByKind::new();
            for Edge { from, kind, to, .. } in around {
                ends.entry(kind.clone()).or_default().insert((from.clone(), to.clone()));
            }
            seen.extend(touched(Change::Edges(&ends)));
            let left = NODES.map(at).into_iter().filter(|it| *it != gone).collect();
            let less = Snapshot::new(left, small.edges.clone());
            let changed = differ(all_matches(&pattern, &anchor, &small, &less));
            prop_assert!(changed.is_subset(&seen), "{text} from {anchor}: {changed:?} not in {seen:?}");
            // A node holds something else.
            let node = at(NODES[at_node]);
            let seen = touched(Change::Nodes(&[node].into()));
            let mut other = small.clone();
            other.sizes[at_node] = 1 - other.sizes[at_node];
            let changed = differ(all_matches(&pattern, &anchor, &other, &old));
            prop_assert!(changed.is_subset(&seen), "{text} from {anchor}: {changed:?} not in {seen:?}");
        }
    }

    #[test]
    fn any_text_is_read_or_refused_in_its_place(text in "[-()<>\\[\\]{}:|,.*'\"`\\\\=a-c0-9 äß\n]{0,40}") {
        let schema = small_schema();
        let (pattern, problems) = Pattern::read(&text, &schema, &place);
        prop_assert_eq!(pattern.is_none(), problems.iter().any(Problem::is_error));
        for label in problems.iter().flat_map(|it| &it.labels) {
            let Place::Text(_, span) = &label.place else {
                panic!("a place in the pattern");
            };
            prop_assert!(text.get(span.start as usize..span.end as usize).is_some(), "{:?} of {:?}", span, text);
        }
    }

    #[test]
    fn what_is_written_reads_the_same(text in pattern_text()) {
        let syntax = Syntax::parse(&text, &place).0.expect("well written");
        let again = Syntax::parse(&syntax.to_string(), &place).0.expect("well written");
        prop_assert_eq!(syntax.to_string(), again.to_string());
    }
}
