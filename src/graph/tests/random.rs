//! Algorithms against naive versions of them, on small random graphs.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::graph::order::Components;

const N: usize = 7;

fn pairs() -> impl Strategy<Value = Vec<(u32, u32)>> {
    prop::collection::vec((0..N as u32, 0..N as u32), 0..16)
}

/// Which nodes reach which, over at least one step: Warshall's way.
fn matrix(pairs: &[(u32, u32)]) -> [[bool; N]; N] {
    let mut reaches = [[false; N]; N];
    for (from, to) in pairs {
        reaches[*from as usize][*to as usize] = true;
    }
    for over in 0..N {
        for from in 0..N {
            for to in 0..N {
                reaches[from][to] |= reaches[from][over] && reaches[over][to];
            }
        }
    }
    reaches
}

fn letter(node: u32) -> Address {
    super::node(&char::from(b'a' + u8::try_from(node).expect("few nodes")).to_string())
}

fn snapshot(kinds: &[(&str, &[(u32, u32)])]) -> Snapshot {
    let edges = kinds.iter().flat_map(|(kind, pairs)| {
        let of_kind = |(from, to): &(u32, u32)| Edge::new(letter(*from), *kind, letter(*to), Map::default());
        pairs.iter().map(of_kind).collect::<Vec<_>>()
    });
    Snapshot::new((0..N as u32).map(letter).collect(), edges.collect())
}

/// The length of the shortest cycle through `node`, by trying ever longer walks.
fn girth(pairs: &[(u32, u32)], node: u32) -> Option<usize> {
    let mut at = BTreeSet::from([node]);
    for length in 1..=N {
        at = pairs.iter().filter(|it| at.contains(&it.0)).map(|it| it.1).collect();
        if at.contains(&node) {
            return Some(length);
        }
    }
    None
}

/// Edges of the two kinds by which a start order is made, required or not.
fn mixed() -> impl Strategy<Value = BTreeSet<(u32, &'static str, u32, bool)>> {
    let kind = prop_oneof![Just("d"), Just("r")];
    prop::collection::btree_set((0..N as u32, kind, 0..N as u32, prop::bool::weighted(0.8)), 0..14)
}

fn of_mixed<'e>(edges: impl IntoIterator<Item = &'e (u32, &'static str, u32, bool)>) -> Vec<Edge> {
    let edges = edges.into_iter().map(|(from, kind, to, required)| {
        let fields = map(&[("required", Value::Bool(*required))]);
        Edge::new(letter(*from), *kind, letter(*to), fields)
    });
    edges.collect()
}

fn with_order(edges: &BTreeSet<(u32, &'static str, u32, bool)>) -> Snapshot {
    let plain = Snapshot::new((0..N as u32).map(letter).collect(), of_mixed(edges));
    let order = starts_after(&plain, &"d".into(), &"r".into());
    plain.with(&"o".into(), order)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn a_graph_made_of_another_is_the_same_as_made_anew(old in mixed(), new in mixed(), nodes in prop::collection::btree_set(0..N as u32, 0..3)) {
        // What leaves other nodes stays.
        let stays = old.iter().filter(|it| !nodes.contains(&it.0));
        let comes = new.iter().filter(|it| nodes.contains(&it.0));
        let edges = stays.chain(comes.clone()).copied().collect();
        let (before, after) = (with_order(&old), with_order(&edges));
        let addresses: Vec<Address> = nodes.iter().map(|it| letter(*it)).collect();
        let plain = before.rewired(&addresses, of_mixed(comes));
        for kind in ["d", "r"] {
            prop_assert_eq!(plain.edges(kind).collect::<Vec<_>>(), after.edges(kind).collect::<Vec<_>>());
        }
        let tangles = |it: &Snapshot, kinds: &[&str]| {
            let kinds: Vec<Name> = kinds.iter().map(|it| Name::from(*it)).collect();
            !cycle::required_cycles(it, &kinds).is_empty()
        };
        if !tangles(&before, &["d"]) {
            let kinds = [&"d".into(), &"r".into(), &"o".into()];
            let is_whole = order::is_whole(&before, kinds);
            let order = order::starts_after_rewired(&before, &plain, &nodes, kinds).filter(|_| is_whole);
            if let Some(order) = &order {
                prop_assert!(order::is_whole(&after, kinds));
                prop_assert_eq!(&plain.clone().leaving(&"o".into(), &nodes, order.clone()), &after);
                prop_assert!(!tangles(&after, &["d"]));
            }
            prop_assert!(order.is_some() || tangles(&before, &["d", "r"]) || tangles(&after, &["d", "r"]));
        }
        // All that is in both, and what is in one only.
        let all = |it: &Snapshot| -> BTreeSet<Edge> {
            let of_kind = |kind: Name| {
                let edges = it.edges(&kind).map(|(from, to, fields)| Edge::new(letter(from), kind.clone(), letter(to), fields.clone()));
                edges.collect::<Vec<_>>()
            };
            it.edge_kinds().into_iter().flat_map(of_kind).collect()
        };
        let (ours, theirs) = (all(&before), all(&after));
        let union = Snapshot::new(before.nodes().to_vec(), ours.union(&theirs).cloned().collect());
        prop_assert_eq!(before.union(&after), union);
        let mut ends = EndsByKind::new();
        for Edge { from, kind, to, .. } in ours.symmetric_difference(&theirs) {
            ends.entry(kind.clone()).or_default().insert((from.clone(), to.clone()));
        }
        prop_assert_eq!(before.differing_edges(&after), ends);
    }

    #[test]
    fn reach_and_cycles_are_those_of_the_matrix(pairs in pairs()) {
        let reaches = matrix(&pairs);
        let graph = snapshot(&[("d", &pairs)]);
        let components = Components::new(&graph.adjacency(&d()));
        for a in 0..N as u32 {
            let row: Vec<Address> =
                (0..N as u32).filter(|b| reaches[a as usize][*b as usize]).map(letter).collect();
            prop_assert_eq!(reach(&graph, &letter(a), &d(), usize::MAX), row);
            let column: Vec<Address> =
                (0..N as u32).filter(|b| reaches[*b as usize][a as usize]).map(letter).collect();
            prop_assert_eq!(dependents(&graph, &letter(a), &d(), usize::MAX), column);
            for b in 0..N as u32 {
                let both = reaches[a as usize][b as usize] && reaches[b as usize][a as usize];
                prop_assert_eq!(components.same_cycle(a, b), both);
            }
        }
    }

    #[test]
    fn layers_are_the_longest_ways_between_components(pairs in pairs(), wanted in prop::collection::btree_set(0..N as u32, 0..N)) {
        let reaches = matrix(&pairs);
        let one = |a: u32, b: u32| a == b || reaches[a as usize][b as usize] && reaches[b as usize][a as usize];
        // The layer of a node is the number of wanted components in the longest chain strictly below it.
        fn depth(node: u32, wanted: &BTreeSet<u32>, below: &dyn Fn(u32, u32) -> bool) -> usize {
            wanted.iter().filter(|it| below(node, **it)).map(|it| 1 + depth(*it, wanted, below)).max().unwrap_or(0)
        }
        let below = |a: u32, b: u32| reaches[a as usize][b as usize] && !one(a, b);
        let mut expected: BTreeMap<usize, Vec<Address>> = BTreeMap::new();
        for node in &wanted {
            expected.entry(depth(*node, &wanted, &below)).or_default().push(letter(*node));
        }
        let asked: Vec<Address> = wanted.iter().map(|it| letter(*it)).collect();
        let expected: Vec<Vec<Address>> = expected.into_values().collect();
        prop_assert_eq!(layers(&snapshot(&[("d", &pairs)]), &asked, &d()), expected);
    }

    #[test]
    fn cycles_are_real_and_shortest(pairs in pairs()) {
        let graph = snapshot(&[("d", &pairs)]);
        let reaches = matrix(&pairs);
        let cycles = cycle::cycles(&graph, &d());
        let mut seen = BTreeSet::new();
        for cycle in &cycles {
            let at: Vec<u32> = cycle.iter().map(|it| graph.index(it).expect("a node")).collect();
            prop_assert_eq!(at.iter().min(), at.first());
            for (from, to) in at.iter().zip(at.iter().cycle().skip(1)) {
                prop_assert!(pairs.contains(&(*from, *to)));
            }
            let component: Vec<u32> = (0..N as u32)
                .filter(|it| reaches[*it as usize][at[0] as usize] && reaches[at[0] as usize][*it as usize]).collect();
            prop_assert_eq!(component.iter().filter_map(|it| girth(&pairs, *it)).min(), Some(at.len()));
            seen.extend(component);
        }
        let cyclic: BTreeSet<u32> = (0..N as u32).filter(|it| reaches[*it as usize][*it as usize]).collect();
        prop_assert_eq!(seen, cyclic);
    }

    #[test]
    fn a_start_order_ends_unless_dependencies_are_cyclic(firm in pairs(), loose in pairs()) {
        let both: Vec<(u32, u32)> = firm.iter().chain(&loose).copied().collect();
        let reaches = matrix(&both);
        let graph = snapshot(&[("d", &firm), ("r", &loose)]);
        let order = starts_after(&graph, &Name::from("d"), &Name::from("r"));
        let found: Vec<(u32, u32)> = order.iter().map(|it| (it.0, it.1)).collect();
        let expected: BTreeSet<(u32, u32)> = firm.iter().copied()
            .chain(loose.iter().copied().filter(|(a, b)| !reaches[*b as usize][*a as usize]))
            .filter(|(a, b)| a != b)
            .collect();
        prop_assert_eq!(found.clone(), expected.into_iter().collect::<Vec<_>>());
        let cyclic = |pairs: &[(u32, u32)]| (0..N).any(|it| matrix(pairs)[it][it]);
        let firm: Vec<(u32, u32)> = firm.into_iter().filter(|(a, b)| a != b).collect();
        prop_assert_eq!(cyclic(&found), cyclic(&firm));
    }

    #[test]
    fn the_longest_path_is_the_longest_walk_of_a_graph_without_cycles(pairs in pairs()) {
        let pairs: Vec<(u32, u32)> = pairs.into_iter().filter(|(a, b)| a < b).collect();
        fn depth(node: u32, pairs: &[(u32, u32)]) -> i64 {
            pairs.iter().filter(|it| it.0 == node).map(|it| 1 + depth(it.1, pairs)).max().unwrap_or(0)
        }
        let graph = snapshot(&[("d", &pairs)]);
        let table = longest(&graph, &d(), Weigh::Count);
        for node in 0..N as u32 {
            prop_assert_eq!(table.from(&graph, &letter(node)), Some(Value::Int(depth(node, &pairs))));
        }
    }
}
