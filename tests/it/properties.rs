//! What holds for any monorepo: an edited database gives what a fresh one gives, and no order of anything shows.
//!
//! `GEN_PROFILE=long` makes many more edits of larger monorepos; unset, or `ci`, is what a commit waits for.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use crate::monorepo::{Monorepo, Order, Random, World};
use crate::say;

/// How much is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Little enough to be waited for.
    Ci,
    /// All that is worth it.
    Long,
}

/// Returns what `GEN_PROFILE` asks for.
pub(crate) fn profile() -> Profile {
    match std::env::var("GEN_PROFILE").as_deref() {
        Err(_) | Ok("" | "ci") => Profile::Ci,
        Ok("long") => Profile::Long,
        Ok(other) => panic!("GEN_PROFILE is `{other}`: it is ci, long, or not set"),
    }
}

/// Runs `what` with so many threads.
fn with_threads<T: Send>(n_threads: usize, what: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build();
    pool.expect("threads can be had").install(what)
}

#[test]
fn an_edited_database_gives_what_a_fresh_one_gives() {
    // Each repo has other rules, so that what one of them hides another one shows.
    let (n_repos, n_edits, most) = match profile() {
        Profile::Ci => (10, 50, 8),
        Profile::Long => (12, 500, 40),
    };
    let start = Instant::now();
    let next = AtomicU64::new(1);
    let n_artifacts = AtomicUsize::new(0);
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed > n_repos {
                break;
            }
            let n = with_threads(1, || edited(seed, most, n_edits));
            n_artifacts.fetch_add(n, Ordering::Relaxed);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    say(&format!(
        "properties: {n_repos} × {n_edits} edits, {} artifacts compared, {} s",
        n_artifacts.into_inner(),
        start.elapsed().as_secs()
    ));
}

/// Edits a monorepo again and again; returns how many artifacts were compared.
fn edited(seed: u64, most_services: usize, n_edits: usize) -> usize {
    let mut random = Random(seed);
    let n_services = most_services / 2 + random.below(most_services / 2 + 1);
    let mut repo = Monorepo::random(&mut random, n_services);
    repo.packs.leave_out_some(&mut random);
    let mut world = World::of(&repo.files(Order::Sorted));
    let mut n_artifacts = 0;
    for n in 0..n_edits {
        let (before, old) = (world.before(), world.cells());
        let what = repo.edit(&mut random);
        let files = repo.files(Order::Sorted);
        world.edit(&files);
        let (missed, _) = world.missed(&before, &old);
        let at = || format!("seed {seed}, edit {n} ({what})");
        assert!(
            missed.is_empty(),
            "{}: these differ and are no candidates: {missed:#?}",
            at()
        );
        world.refresh();
        let edited = world.outcome();
        let fresh = World::of(&files).outcome();
        if let Some(difference) = edited.difference(&fresh) {
            panic!("{}: an edited database and a fresh one differ:\n{difference}", at());
        }
        n_artifacts += fresh.artifacts.len();
    }
    n_artifacts
}

#[test]
fn no_order_and_no_number_of_threads_shows() {
    let mut random = Random(7);
    let repo = Monorepo::random(&mut random, 40);
    let plain = with_threads(1, || World::of(&repo.files(Order::Sorted)).outcome());
    assert!(plain.artifacts.len() > 200, "{} artifacts only", plain.artifacts.len());
    for n in 0..20 {
        let files = repo.files(Order::Random(&mut random));
        for n_threads in [1, 8] {
            let other = with_threads(n_threads, || World::of(&files).outcome());
            assert_eq!(plain.messages(), other.messages(), "order {n}, {n_threads} threads");
            let artifacts = |it: &crate::monorepo::Outcome| crate::monorepo::Outcome {
                artifacts: it.artifacts.clone(),
                problems: Vec::new(),
            };
            let difference = artifacts(&plain).difference(&artifacts(&other));
            assert!(
                difference.is_none(),
                "order {n}, {n_threads} threads:\n{}",
                difference.unwrap_or_default()
            );
        }
    }
}
