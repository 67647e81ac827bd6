//! What holds for any monorepo: an edited database gives what a fresh one gives, and no order of anything shows.
//!
//! `GEN_PROFILE=long` makes many more edits of larger monorepos; unset, or `ci`, is what a commit waits for.

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
    let (n_edits, sizes): (usize, &[usize]) = match profile() {
        Profile::Ci => (500, &[6, 12, 25]),
        Profile::Long => (6_000, &[12, 25, 40]),
    };
    let start = Instant::now();
    let share = n_edits.div_ceil(sizes.len());
    let mut n_artifacts = 0;
    for (seed, n_services) in (1..).zip(sizes) {
        n_artifacts += edited(seed, *n_services, share);
    }
    say(&format!(
        "properties: {n_edits} edits, {n_artifacts} artifacts compared, {} s",
        start.elapsed().as_secs()
    ));
}

/// Edits a monorepo again and again; returns how many artifacts were compared.
fn edited(seed: u64, n_services: usize, n_edits: usize) -> usize {
    let mut random = Random(seed);
    let mut repo = Monorepo::random(&mut random, n_services);
    let mut world = World::of(&repo.files(Order::Sorted));
    let mut n_artifacts = 0;
    for n in 0..n_edits {
        let (before, old) = (world.before(), world.cells());
        let what = repo.edit(&mut random);
        let files = repo.files(Order::Sorted);
        world.edit(&files);
        if std::env::var("GEN_DUMP").is_ok() {
            for (p, t) in &files {
                let f = std::path::Path::new("/work/scratch/props").join(p);
                std::fs::create_dir_all(f.parent().unwrap()).unwrap();
                std::fs::write(f, t).unwrap();
            }
            say(&format!("{n} {what}"));
        }
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
