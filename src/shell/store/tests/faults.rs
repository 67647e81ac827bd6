//! A failure at every system call of an apply: the next run completes it or restores what was there.
//!
//! The whole of `session::apply` runs, with the index and all that it keeps, in one thread, so that the calls come in
//! one order. Each failure is put to each call that can give it.

use std::io::ErrorKind;

use super::*;
use crate::plan::Scope;
use crate::shell::discover::Root;
use crate::shell::engine::{Ask, Engine, Outcome};
use crate::shell::session::{self, Memory, Order, Planned};

const FAILURES: [Failure; 8] = [
    Failure::Kill,
    Failure::Once(ErrorKind::StorageFull),
    Failure::FromThen(ErrorKind::StorageFull),
    Failure::Once(ErrorKind::PermissionDenied),
    Failure::FromThen(ErrorKind::PermissionDenied),
    Failure::FromThen(ErrorKind::ReadOnlyFilesystem),
    Failure::Once(ErrorKind::Interrupted),
    Failure::Once(ErrorKind::Other),
];

/// A project before and after an apply.
struct Story {
    start: tempfile::TempDir,
    outcome: Outcome,
    decisions: Decisions,
    before: BTreeMap<String, String>,
    after: BTreeMap<String, String>,
}

impl Story {
    fn new() -> Self {
        let (start, next, decisions) = project();
        let outcome = Outcome {
            wanted: next,
            ..Outcome::default()
        };
        let before = tree(start.path());
        let mut story = Self {
            start,
            outcome,
            decisions,
            before,
            after: BTreeMap::new(),
        };
        let done = copied(story.start.path());
        story.run(&Disk::open(done.path()).expect("there")).expect("applied");
        story.after = tree(done.path());
        story
    }

    /// Does what the command does.
    fn run(&self, disk: &Disk) -> Result<Planned, Vec<Problem>> {
        let root = Root {
            folder: disk.root().to_path_buf(),
            spec: "gen.yaml".into(),
        };
        let mut engine = Engine::fixed(root, self.outcome.clone());
        let mut memory = Memory::default();
        let order = Order {
            ask: &Ask::default(),
            outcome: &self.outcome,
            scope: &Scope::default(),
            decisions: &self.decisions,
            is_meant: true,
        };
        let applied = session::apply(&mut memory, disk, &mut engine, order, Patience::Fail);
        memory.save(disk, &self.outcome);
        applied.map(|it| it.0).map_err(|it| it.problems)
    }

    /// Lets the call after `n` others fail; tells at which that was, if there is one.
    fn fail(&self, n: usize, failure: Failure, no_exchange: bool) -> Option<Call> {
        let folder = copied(self.start.path());
        let mut disk = Disk::open(folder.path()).expect("the folder is there");
        disk.calls.fault = Fault::after(n, failure);
        disk.calls.no_exchange = no_exchange;
        let result = self.run(&disk);
        let at = disk.calls.fault.first();
        let what = format!("{failure:?} at the call {n}, {at:?}");
        let disk = Disk::open(folder.path()).expect("the folder is there");
        // A folder that can't be looked at stays, empty.
        let is_whole = matches!(
            failure,
            Failure::Kill | Failure::Once(ErrorKind::StorageFull) | Failure::FromThen(ErrorKind::StorageFull)
        );
        let tree = |root: &Path| {
            let mut tree = tree(root);
            tree.retain(|path, _| is_whole || !path.ends_with('/'));
            tree
        };
        let (mut before, mut after) = (self.before.clone(), self.after.clone());
        for tree in [&mut before, &mut after] {
            tree.retain(|path, _| is_whole || !path.ends_with('/'));
        }
        match &result {
            Ok(_) if !is_interrupted(&disk) => assert_eq!(tree(folder.path()), after, "{what}"),
            Err(problems) if !is_interrupted(&disk) => {
                assert_eq!(tree(folder.path()), before, "{what}");
                assert!(problems.iter().any(Problem::is_error), "{what}");
            }
            _ => {}
        }
        if failure == Failure::Kill {
            // A second process dies while it settles what the first has left; the third one lives.
            for m in [1, 3, 6, n % 40] {
                let mut disk = Disk::open(folder.path()).expect("the folder is there");
                disk.calls.fault = Fault::after(m, failure);
                disk.calls.no_exchange = no_exchange;
                let _ = Store::open(&disk, Patience::Fail);
            }
        }
        drop(Store::open(&disk, Patience::Fail).unwrap_or_else(|it| panic!("{what}: not settled: {it:?}")));
        let now = tree(folder.path());
        assert!(now == before || now == after, "{what}: {now:#?}");
        assert!(!is_interrupted(&disk), "{what}");
        if let Err(problems) = self.run(&disk) {
            panic!("{what}: {problems:?}");
        }
        assert_eq!(tree(folder.path()), after, "{what}, then applied again");
        at
    }
}

/// Copies a folder into memory where that can be: a flush of a disk takes longer than all the rest.
fn copied(from: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    let folder = folder.expect("a temporary folder");
    copy(from, folder.path());
    folder
}

#[test]
fn whatever_call_fails_the_next_run_completes_or_restores() {
    let story = Story::new();
    let mut n_points = 0;
    let mut calls: BTreeMap<Call, usize> = BTreeMap::new();
    let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    one_thread.expect("a thread can be had").install(|| {
        for no_exchange in [false, true] {
            for failure in FAILURES {
                let mut n = 0;
                while let Some(call) = story.fail(n, failure, no_exchange) {
                    *calls.entry(call).or_default() += 1;
                    n += 1;
                }
                assert!(n > 30, "{failure:?} came at {n} calls only");
                n_points += n;
            }
        }
    });
    assert!(calls.len() > 14 && n_points > 1_000, "{n_points} points: {calls:?}");
    // Past the capture of the test harness, as the other tests that count.
    let line = format!("faults: {n_points} points of failure, all settled: {calls:?}\n");
    std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes()).expect("stderr takes a line");
}

/// What is generated can be printed again; the spec can't.
#[test]
fn whatever_call_fails_a_spec_that_is_rewritten_is_whole() {
    let start = tempfile::tempdir().expect("a temporary folder");
    fs::create_dir(start.path().join("services")).expect("made");
    let paths = ["gen.yaml", "services/a.yaml"];
    let old = paths.map(|it| format!("old {it}"));
    let new = paths.map(|it| format!("new and longer {it}"));
    for (path, text) in paths.iter().zip(&old) {
        fs::write(start.path().join(path), text).expect("written");
    }
    let texts: BTreeMap<ArtifactPath, (Fingerprint, Arc<[u8]>)> = paths
        .iter()
        .zip(old.iter().zip(&new))
        .map(|(path, (old, new))| {
            let path = ArtifactPath::parse(path).expect("a path");
            (path, (Fingerprint::of(old.as_bytes()), Arc::from(new.as_bytes())))
        })
        .collect();
    let rewrite = |disk: &Disk| Store::open(disk, Patience::Fail)?.0.rewrite(&texts);
    let mut calls: BTreeMap<Call, usize> = BTreeMap::new();
    for no_exchange in [false, true] {
        for failure in FAILURES {
            for n in 0.. {
                let folder = copied(start.path());
                let mut disk = Disk::open(folder.path()).expect("the folder is there");
                disk.calls.fault = Fault::after(n, failure);
                disk.calls.no_exchange = no_exchange;
                let result = rewrite(&disk);
                let Some(call) = disk.calls.fault.first() else {
                    assert!(n > 10, "{failure:?} came at {n} calls only");
                    break;
                };
                *calls.entry(call).or_default() += 1;
                let what = format!("{failure:?} at the call {n}, {call:?}");
                let disk = Disk::open(folder.path()).expect("the folder is there");
                drop(Store::open(&disk, Patience::Fail).unwrap_or_else(|it| panic!("{what}: not settled: {it:?}")));
                let now = paths.map(|it| fs::read_to_string(folder.path().join(it)).expect("it is there"));
                assert!(now == new || result.is_err() && now == old, "{what}: {now:?}");
                if now == old {
                    rewrite(&disk).unwrap_or_else(|it| panic!("{what}: not written then: {it:?}"));
                }
            }
        }
    }
    assert!(calls.contains_key(&Call::Permit), "{calls:?}");
}
