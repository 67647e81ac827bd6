//! Tests of the store: whatever stops it, all is as before or all is done.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::super::disk::{Step, tests::Fault, unknown};
use super::*;
use crate::plan::{Chosen, Decisions, Scope, Wanted, plan, sites};

fn path(text: &str) -> ArtifactPath {
    ArtifactPath::parse(text).expect("a plain path")
}

fn wanted(at: &str, content: &str) -> Wanted {
    let mode = Mode::of("shell", content.as_bytes());
    Wanted::printed(path(at), "tubes/line".into(), content.as_bytes().into(), mode)
}

/// Applies `wanted` to the project at `root`, with `fault` at work.
fn apply(root: &Path, wanted: &[Wanted], decisions: &Decisions, fault: Fault) -> Result<Applied, Problem> {
    let mut disk = Disk::open(root).expect("the folder is there");
    disk.fault = fault;
    let (store, _) = Store::open(&disk, Patience::Fail)?;
    let (manifest, _) = Manifest::load(&disk)?;
    let plan = planned(&disk, &manifest, wanted, decisions);
    let print = |at: &ArtifactPath| match wanted.iter().find(|it| it.path == *at).map(|it| &it.content) {
        Some(crate::plan::Content::Printed(bytes)) => Ok(bytes.clone()),
        _ => Err(Problem::error("shell::stale_cache", "no such artifact")),
    };
    store.apply(&plan, manifest, &print)
}

fn planned(disk: &Disk, manifest: &Manifest, wanted: &[Wanted], decisions: &Decisions) -> Plan {
    let sites = sites(wanted, manifest.records(), &Scope::default());
    let paths: Vec<&ArtifactPath> = sites.iter().map(|it| it.path).collect();
    plan(&sites, &disk.look(&paths, unknown).0, decisions)
}

/// Returns the content of each file below `root`, the cache apart.
fn tree(root: &Path) -> BTreeMap<String, String> {
    fn walk(root: &Path, folder: &Path, into: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(folder).expect("readable") {
            let place = entry.expect("readable").path();
            let name = place.strip_prefix(root).expect("below").to_string_lossy().into_owned();
            if name == ".gen/cache" {
                continue;
            }
            if place.is_dir() {
                into.insert(name + "/", String::new());
                walk(root, &place, into);
            } else {
                into.insert(name, fs::read_to_string(&place).expect("text"));
            }
        }
    }
    let mut into = BTreeMap::new();
    walk(root, root, &mut into);
    into
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("readable") {
        let entry = entry.expect("readable");
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            fs::create_dir(&to).expect("made");
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("copied");
        }
    }
}

/// A project with files to update, delete, move and overwrite, what is wanted of it, and what the user decided.
fn project() -> (tempfile::TempDir, Vec<Wanted>, Decisions) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let first = [
        wanted("old/deep/gone", "gone"),
        wanted("tubes/a", "a1"),
        wanted("tubes/b", "b1"),
        wanted("tubes/from", "moved content"),
        wanted("tubes/same", "same"),
    ];
    apply(folder.path(), &first, &Decisions::default(), Fault::default()).expect("applied");
    fs::write(folder.path().join("tubes/b"), "edited by hand").expect("written");
    fs::write(folder.path().join("tubes/theirs"), "of others").expect("written");
    let next = vec![
        wanted("new/deep/c", "c2 longer than before"),
        wanted("new/to", "moved content"),
        wanted("tubes/a", "a2"),
        wanted("tubes/b", "b2"),
        wanted("tubes/run.sh", "#!/bin/sh\n"),
        wanted("tubes/same", "same"),
        wanted("tubes/theirs", "theirs2"),
    ];
    let decisions = Decisions {
        overwrite: Chosen::All,
        adopt: Chosen::None,
    };
    (folder, next, decisions)
}

#[test]
fn killed_before_any_step_the_next_run_finishes_or_restores() {
    for no_exchange in [false, true] {
        let (start, next, decisions) = project();
        let before = tree(start.path());
        let done = tempfile::tempdir().expect("a temporary folder");
        copy(start.path(), done.path());
        apply(done.path(), &next, &decisions, Fault::default()).expect("applied");
        let after = tree(done.path());
        let mut outcomes = [0, 0];
        for n in 0.. {
            let folder = tempfile::tempdir().expect("a temporary folder");
            copy(start.path(), folder.path());
            let fault = Fault {
                kill_after: Some(n),
                no_exchange,
                ..Fault::default()
            };
            let killed = apply(folder.path(), &next, &decisions, fault);
            let was_killed = match killed {
                Err(_) => true,
                Ok(applied) => !applied.problems.is_empty(),
            };
            // A second process dies while it settles what the first has left; the third one lives.
            for m in [1, 3] {
                let mut disk = Disk::open(folder.path()).expect("the folder is there");
                disk.fault.kill_after = Some(m);
                disk.fault.no_exchange = no_exchange;
                let _ = Store::open(&disk, Patience::Fail);
            }
            let disk = Disk::open(folder.path()).expect("the folder is there");
            drop(Store::open(&disk, Patience::Fail).expect("settled"));
            let now = tree(folder.path());
            assert!(now == before || now == after, "killed after {n} steps: {now:#?}");
            outcomes[usize::from(now == after)] += 1;
            assert!(!is_interrupted(&disk));
            apply(folder.path(), &next, &decisions, Fault::default()).expect("applied");
            assert_eq!(tree(folder.path()), after, "killed after {n} steps");
            if !was_killed {
                break;
            }
        }
        assert!(outcomes[0] > 10 && outcomes[1] > 5, "{outcomes:?}");
    }
}

#[test]
fn a_step_that_fails_puts_everything_back() {
    let (start, next, decisions) = project();
    let before = tree(start.path());
    for step in [
        Step::Intent,
        Step::Folder,
        Step::Begin,
        Step::Half,
        Step::Swap,
        Step::Remove,
        Step::Shard,
        Step::Sync,
    ] {
        for nth in 0..3 {
            let folder = tempfile::tempdir().expect("a temporary folder");
            copy(start.path(), folder.path());
            let fault = Fault {
                fail: Some((step, nth)),
                ..Fault::default()
            };
            if let Err(problem) = apply(folder.path(), &next, &decisions, fault) {
                assert_eq!(problem.code, "shell::write_failed");
                assert_eq!(tree(folder.path()), before, "{step:?} {nth}");
                assert!(
                    !is_interrupted(&Disk::open(folder.path()).expect("there")),
                    "{step:?} {nth}"
                );
            } else {
                assert!(nth > 0, "{step:?} never came");
            }
        }
    }
}

#[test]
fn what_power_loss_tore_is_restored_and_what_someone_edited_stays() {
    let (start, next, decisions) = project();
    let before = tree(start.path());
    // Stopped at the flush: all files have changed places.
    let fault = Fault {
        fail: None,
        kill_after: (0..).find(|n| {
            let folder = tempfile::tempdir().expect("a temporary folder");
            copy(start.path(), folder.path());
            let fault = Fault {
                kill_after: Some(*n),
                ..Fault::default()
            };
            apply(folder.path(), &next, &decisions, fault).is_err_and(|it| it.message.contains("Sync"))
        }),
        ..Fault::default()
    };
    apply(start.path(), &next, &decisions, fault).expect_err("killed");
    fs::write(start.path().join("tubes/a"), "").expect("torn");
    fs::write(start.path().join("new/deep/c"), "c2\0\0\0").expect("torn");
    fs::write(start.path().join("tubes/theirs"), "edited since").expect("edited");
    let disk = Disk::open(start.path()).expect("the folder is there");
    let (_store, recovery) = Store::open(&disk, Patience::Fail).expect("settled");
    assert_eq!(recovery, Recovery::Restored);
    let mut expected = before;
    expected.insert("tubes/theirs".into(), "edited since".into());
    assert_eq!(tree(start.path()), expected);
}

#[test]
fn files_that_do_not_change_keep_their_time_and_scripts_can_run() {
    let (start, next, decisions) = project();
    let place = start.path().join("tubes/same");
    let time = || fs::metadata(&place).expect("there").modified().expect("known");
    let before = time();
    std::thread::sleep(std::time::Duration::from_millis(15));
    apply(start.path(), &next, &decisions, Fault::default()).expect("applied");
    assert_eq!(time(), before);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |it: &str| fs::metadata(start.path().join(it)).expect("there").permissions().mode();
        assert_eq!((mode("tubes/run.sh") & 0o100, mode("tubes/a") & 0o111), (0o100, 0));
    }
    assert!(!start.path().join("old").exists(), "folders that became empty are gone");
    let disk = Disk::open(start.path()).expect("the folder is there");
    let (manifest, _) = Manifest::load(&disk).expect("loaded");
    assert!(
        planned(&disk, &manifest, &next, &Decisions::default()).is_empty(),
        "a plan after an apply is empty"
    );
}

#[test]
fn nothing_is_touched_while_one_file_is_undecided() {
    let (start, next, _) = project();
    let before = tree(start.path());
    let problem = apply(start.path(), &next, &Decisions::default(), Fault::default()).expect_err("refused");
    assert_eq!(problem.code, "plan::edited_by_hand");
    assert_eq!(tree(start.path()), before);
}

#[test]
fn an_adopted_file_stays_and_is_quiet() {
    let (start, next, _) = project();
    let decisions = Decisions {
        overwrite: Chosen::None,
        adopt: Chosen::All,
    };
    apply(start.path(), &next, &decisions, Fault::default()).expect("applied");
    assert_eq!(
        fs::read_to_string(start.path().join("tubes/b")).expect("text"),
        "edited by hand"
    );
    let disk = Disk::open(start.path()).expect("the folder is there");
    let (manifest, _) = Manifest::load(&disk).expect("loaded");
    let plan = planned(&disk, &manifest, &next, &Decisions::default());
    assert_eq!((plan.entries.len(), plan.kept.len()), (0, 2));
}

#[test]
fn a_plan_that_no_longer_fits_is_refused() {
    let (start, next, decisions) = project();
    let disk = Disk::open(start.path()).expect("the folder is there");
    let (store, _) = Store::open(&disk, Patience::Fail).expect("opened");
    let (manifest, _) = Manifest::load(&disk).expect("loaded");
    let plan = planned(&disk, &manifest, &next, &decisions);
    fs::write(start.path().join("tubes/from"), "changed").expect("written");
    let problem = store.apply(&plan, manifest, &|_| Ok([].into())).expect_err("refused");
    assert_eq!(problem.code, "shell::changed_meanwhile");
}

#[cfg(unix)]
#[test]
fn a_link_in_place_of_a_file_is_replaced_and_never_written_through() {
    let (start, next, decisions) = project();
    let target = start.path().join("victim");
    fs::write(&target, "precious").expect("written");
    fs::remove_file(start.path().join("tubes/a")).expect("removed");
    std::os::unix::fs::symlink("../victim", start.path().join("tubes/a")).expect("linked");
    apply(start.path(), &next, &decisions, Fault::default()).expect("applied");
    assert_eq!(fs::read_to_string(&target).expect("text"), "precious");
    assert!(
        start
            .path()
            .join("tubes/a")
            .symlink_metadata()
            .expect("there")
            .is_file()
    );
}

#[cfg(unix)]
#[test]
fn records_of_gen_are_not_written_through_a_link() {
    let (folder, outside) = (
        tempfile::tempdir().expect("a folder"),
        tempfile::tempdir().expect("a folder"),
    );
    std::os::unix::fs::symlink(outside.path(), folder.path().join(".gen")).expect("linked");
    let problem = apply(
        folder.path(),
        &[wanted("a", "x")],
        &Decisions::default(),
        Fault::default(),
    );
    assert_eq!(problem.expect_err("refused").code, "shell::lock");
    assert_eq!(fs::read_dir(outside.path()).expect("readable").count(), 0);
}
