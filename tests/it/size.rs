//! A long chain and a large hub through the whole engine: from the spec to the disk by all built-in packs, and back to
//! an empty plan, on small stacks.
//!
//! The sizes are those that a debug build can be asked for, larger ones in the long form; `cargo bench --bench engine --
//! --extreme` takes a chain of 100,000.

#[path = "../../benches/shape.rs"]
mod shape;

use std::time::Instant;

use groundplan::plan::{Decisions, Scope};
use groundplan::shell::discover;
use groundplan::shell::disk::Disk;
use groundplan::shell::engine::{Ask, Engine};
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
    through(Shape::Chain, [1_500, 10_000]);
}

#[test]
fn a_hub_of_services_overflows_nothing() {
    through(Shape::Hub, [1_000, 10_000]);
}

/// Applies a monorepo of this shape, of the first size or in the long form of the second, then plans it again.
fn through(shape: Shape, sizes: [usize; 2]) {
    let start = Instant::now();
    let n_services = sizes[usize::from(profile() == Profile::Long)];
    let project = shape::files(shape, n_services)
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
        let (scope, decisions) = (Scope::default(), Decisions::default());
        let mut memory = Memory::default();
        let applied = session::apply(
            &mut memory,
            &disk,
            &mut engine,
            session::Order {
                ask: &Ask::default(),
                outcome: &outcome,
                scope: &scope,
                decisions: &decisions,
            },
            Patience::Fail,
        );
        let planned = applied.expect("everything can be written").0;
        let again = session::prepare(&disk, &engine.outcome(&Ask::default()), &scope, &decisions);
        assert!(again.is_fresh(), "a plan after an apply is empty");
        planned.plan.counts().create
    });
    assert!(written > n_services, "{written} files");
    say(&format!(
        "size: {shape:?} of {n_services} services, {written} files, {} s",
        start.elapsed().as_secs()
    ));
}
