//! A long chain and a large hub through the whole engine: from the spec to the disk by all built-in packs, and back to
//! an empty plan, on small stacks.
//!
//! What a debug build can be asked for at each commit is small. The long form takes a hub of 10,000, and a chain of
//! 100,000 through all that `gen check` does, for the one platform that prints most files of each service; `cargo bench
//! --bench engine -- --extreme` has both applied for all platforms.

#[path = "../../benches/shape.rs"]
mod shape;

use std::time::{Duration, Instant};

use groundplan::plan::{Decisions, Scope};
use groundplan::shell::discover;
use groundplan::shell::disk::Disk;
use groundplan::shell::engine::{Ask, Engine, Outcome};
use groundplan::shell::session::{self, Memory};
use groundplan::shell::store::Patience;

use self::shape::Shape;
use crate::project::Project;
use crate::properties::{Profile, profile};
use crate::say;

/// Less than threads have unless they are told otherwise; frames of a debug build are several times as large.
const STACK: usize = 1 << 20;

#[test]
fn a_chain_of_services_overflows_nothing() {
    applied(Shape::Chain, 2_000);
    if profile() == Profile::Long {
        let few = checked(Shape::Chain, 10_000);
        let many = checked(Shape::Chain, 100_000);
        bounded(few, many, 10);
    }
}

#[test]
fn a_hub_of_services_overflows_nothing() {
    let few = applied(Shape::Hub, 1_000);
    if profile() == Profile::Long {
        let many = applied(Shape::Hub, 10_000);
        bounded(few, many, 10);
    }
}

/// Sees to it that `times` as many took not much more than so many times as long; what is quadratic would take a hundred
/// times, and other work of the machine may double one of the two.
fn bounded(few: Duration, many: Duration, times: u32) {
    assert!(many < few * times * 3, "{many:?}, of a {times}th: {few:?}");
}

/// Applies a monorepo of this shape, on all platforms, and plans it again; returns how long that took.
fn applied(shape: Shape, n_services: usize) -> Duration {
    through(shape, n_services, &shape::platforms(), |engine, disk, outcome| {
        let (scope, decisions) = (Scope::default(), Decisions::default());
        let mut memory = Memory::default();
        let applied = session::apply(
            &mut memory,
            disk,
            engine,
            session::Order {
                ask: &Ask::default(),
                outcome,
                scope: &scope,
                decisions: &decisions,
                is_meant: true,
            },
            Patience::Fail,
        );
        let planned = applied.expect("everything can be written").0;
        let again = session::prepare(disk, &engine.outcome(&Ask::default()), &scope, &decisions);
        assert!(again.is_fresh(), "a plan after an apply is empty");
        planned.plan.counts().create
    })
}

/// Derives and prints all of a monorepo of this shape, reads each text back, and plans it; returns how long that took.
fn checked(shape: Shape, n_services: usize) -> Duration {
    through(shape, n_services, &["nomad".to_owned()], |_, disk, outcome| {
        let planned = session::prepare(disk, outcome, &Scope::default(), &Decisions::default());
        planned.plan.counts().create
    })
}

/// Takes a monorepo of this shape to its outcome and does `the_rest`, which returns how many files there are.
fn through(
    shape: Shape,
    n_services: usize,
    platforms: &[String],
    the_rest: impl FnOnce(&mut Engine, &Disk, &Outcome) -> usize + Send,
) -> Duration {
    let start = Instant::now();
    let project = shape::files(shape, n_services, platforms)
        .iter()
        .fold(Project::new(), |project, (path, text)| project.file(path, text));
    let dir = project.dir();
    let pool = rayon::ThreadPoolBuilder::new().stack_size(STACK).num_threads(2).build();
    let pool = pool.expect("threads can be had");
    let written = pool.install(|| {
        let mut engine = Engine::open(discover::find_root(&dir).expect("the spec is there"));
        let disk = Disk::open(&dir).expect("the folder is there");
        let outcome = engine.outcome(&Ask::default());
        assert!(
            !outcome.is_invalid(),
            "{:#?}",
            &outcome.problems[..outcome.problems.len().min(3)]
        );
        the_rest(&mut engine, &disk, &outcome)
    });
    assert!(written > n_services, "{written} files");
    let taken = start.elapsed();
    say(&format!(
        "size: {shape:?} of {n_services} services, {written} files, {} s",
        taken.as_secs()
    ));
    taken
}
