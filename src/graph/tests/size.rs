//! A chain of 100,000 edges and a hub of 10,000: nothing overflows a small stack, nothing is quadratic.

#![allow(clippy::disallowed_methods, reason = "a bound on time needs a clock")]

use std::time::{Duration, Instant};

use super::*;

const CHAIN: usize = 100_000;
const HUB: usize = 10_000;

/// Runs `work` on a stack of 512 KB; a debug build on a busy machine has a minute for what takes a second; what is
/// quadratic takes many.
fn small(work: impl FnOnce() + Send + 'static) {
    let start = Instant::now();
    let thread = std::thread::Builder::new().stack_size(512 << 10).spawn(work);
    thread.expect("a thread starts").join().expect("the work ends well");
    assert!(start.elapsed() < Duration::from_secs(60), "took {:?}", start.elapsed());
}

fn numbered(at: usize) -> Address {
    node(&format!("{at:06}"))
}

fn chain(ends: impl Iterator<Item = (usize, usize)>) -> Snapshot {
    let edges = ends.map(|(from, to)| Edge::new(numbered(from), "d", numbered(to), Map::default()));
    Snapshot::new((0..=CHAIN).map(numbered).collect(), edges.collect())
}

#[test]
fn a_long_chain() {
    small(|| {
        let snapshot = chain((0..CHAIN).map(|it| (it, it + 1)));
        assert_eq!(layers(&snapshot, snapshot.nodes(), &d()).len(), CHAIN + 1);
        assert_eq!(reach(&snapshot, &numbered(0), &d(), usize::MAX).len(), CHAIN);
        assert_eq!(dependents(&snapshot, &numbered(CHAIN), &d(), usize::MAX).len(), CHAIN);
        let depth = longest(&snapshot, &d(), Weigh::Count).from(&snapshot, &numbered(0));
        assert_eq!(depth, Some(Value::Int(i64::try_from(CHAIN).expect("small"))));
        assert_eq!(starts_after(&snapshot, &Name::from("d"), &Name::from("r")).len(), CHAIN);
        assert!(cycle::cycles(&snapshot, &d()).is_empty());
    });
}

#[test]
fn a_long_ring() {
    small(|| {
        let snapshot = chain((0..=CHAIN).map(|it| (it, (it + 1) % (CHAIN + 1))));
        let cycles = cycle::cycles(&snapshot, &d());
        assert_eq!((cycles.len(), cycles[0].len()), (1, CHAIN + 1));
        assert_eq!(layers(&snapshot, snapshot.nodes(), &d()).len(), 1);
        assert_eq!(cycle::problem(&cycles[0], &Name::from("d"), None).labels.len(), 24);
    });
}

#[test]
fn two_way_roads_all_along() {
    small(|| {
        let there_and_back = (0..CHAIN).flat_map(|it| [(it, it + 1), (it + 1, it)]);
        let cycles = cycle::cycles(&chain(there_and_back), &d());
        assert_eq!(cycles, [[numbered(0), numbered(1)]]);
    });
}

#[test]
fn rings_of_three_with_long_ways_between() {
    small(|| {
        // Steps of three forwards, of two backwards: cycles of five everywhere, none shorter.
        let ends = (0..CHAIN - 3).flat_map(|it| [(it, it + 3), (it + 2, it)]);
        let cycles = cycle::cycles(&chain(ends), &d());
        assert_eq!(cycles.iter().map(Vec::len).collect::<Vec<_>>(), [5]);
    });
}

#[test]
fn a_hub() {
    small(|| {
        let edges = (1..HUB).flat_map(|it| {
            let (hub, spoke) = (numbered(0), numbered(it));
            let there = Edge::new(spoke.clone(), "d", hub.clone(), Map::default());
            let on = Edge::new(hub, "e", spoke, Map::default());
            [there, on]
        });
        let snapshot = Snapshot::new((0..HUB).map(numbered).collect(), edges.collect());
        assert_eq!(dependents(&snapshot, &numbered(0), &d(), usize::MAX).len(), HUB - 1);
        assert_eq!(layers(&snapshot, snapshot.nodes(), &d()).len(), 2);
        let both = [Name::from("d"), Name::from("e")];
        assert_eq!(cycle::cycles(&snapshot, &both), [[numbered(0), numbered(1)]]);
        for spoke in 1..HUB {
            assert_eq!(reach(&snapshot, &numbered(spoke), &d(), usize::MAX).len(), 1);
        }
    });
}
