//! Tests of the store: whatever stops it, all is as before or all is done.

mod faults;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::super::calls::Call;
use super::super::calls::tests::{Failure, Fault};
use super::super::disk::unknown;
use super::*;
use crate::plan::{Chosen, Decisions, Scope, Wanted, plan, sites};

fn path(text: &str) -> ArtifactPath {
    ArtifactPath::parse(text).expect("a plain path")
}

fn wanted(at: &str, content: &str) -> Wanted {
    let mode = Mode::of("shell", content.as_bytes());
    Wanted::printed(path(at), "tubes/line".into(), content.as_bytes().into(), mode)
}

/// Applies `wanted` to the project at `root`.
fn apply(root: &Path, wanted: &[Wanted], decisions: &Decisions) -> Result<Applied, Problem> {
    apply_on(&Disk::open(root).expect("the folder is there"), wanted, decisions)
}

fn apply_on(disk: &Disk, wanted: &[Wanted], decisions: &Decisions) -> Result<Applied, Problem> {
    let (store, _) = Store::open(disk, Patience::Fail)?;
    let (manifest, _) = Manifest::load(disk)?;
    let plan = planned(disk, &manifest, wanted, decisions);
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
    apply(folder.path(), &first, &Decisions::default()).expect("applied");
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
        ..Decisions::default()
    };
    (folder, next, decisions)
}

#[test]
fn what_power_loss_tore_is_restored_and_what_someone_edited_stays() {
    let (start, next, decisions) = project();
    let before = tree(start.path());
    // Killed at the first flush after the manifest: all files have changed places.
    let mut disk = Disk::open(start.path()).expect("the folder is there");
    let is_at_the_flush = |n: usize| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        copy(start.path(), folder.path());
        let mut disk = Disk::open(folder.path()).expect("the folder is there");
        disk.calls.fault = Fault::after(n, Failure::Kill);
        apply_on(&disk, &next, &decisions).is_err()
            && disk.calls.fault.first() == Some(Call::Flush)
            && folder.path().join("new/deep/c").exists()
    };
    let n = (0..).find(|n| is_at_the_flush(*n)).expect("it is flushed");
    disk.calls.fault = Fault::after(n, Failure::Kill);
    apply_on(&disk, &next, &decisions).expect_err("killed");
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
    apply(start.path(), &next, &decisions).expect("applied");
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
    let problem = apply(start.path(), &next, &Decisions::default()).expect_err("refused");
    assert_eq!(problem.code, "plan::edited_by_hand");
    assert_eq!(tree(start.path()), before);
}

#[test]
fn an_adopted_file_stays_and_is_quiet() {
    let (start, next, _) = project();
    let decisions = Decisions {
        overwrite: Chosen::None,
        adopt: Chosen::All,
        ..Decisions::default()
    };
    apply(start.path(), &next, &decisions).expect("applied");
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
    apply(start.path(), &next, &decisions).expect("applied");
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
    let problem = apply(folder.path(), &[wanted("a", "x")], &Decisions::default());
    assert_eq!(problem.expect_err("refused").code, "shell::lock");
    assert_eq!(fs::read_dir(outside.path()).expect("readable").count(), 0);
}
