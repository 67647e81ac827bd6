//! The golden folders `tests/cases/<area>/<case>/`: an input, and in `expected/` all that comes of it.
//!
//! A case is a project: `gen.yaml` (or `hatmax.yml`), `rules/`, `templates/` and whatever else it needs. `gen --quiet
//! apply` runs in a copy of it, then `gen plan --detailed-exitcode`, which must find nothing to do, then what
//! `case.yaml` lists. `expected/` holds, to the byte:
//!
//! - every file that is there afterwards and was not, or not so, before; `.gen/` apart;
//! - `problems.txt`: the stderr of `apply`, where it failed or said anything at all;
//! - `stdout.<n>.txt`: the stdout of the n-th command of `gen` in `case.yaml`.
//!
//! `case.yaml` has a line for each command, as one would type it behind `gen`, and one for its exit code if that is
//! not 0; an `exit:` before all of them is that of `apply`. `sh:` is what somebody does to the files in between:
//!
//! ```yaml
//! run: query "(a:service)-[:depends_on]->(b)"
//! sh: sed -i 's/a/b/' out/one.yaml
//! run: check
//! exit: 2
//! ```
//!
//! All cases are one test; `GEN_CASES=rule/` runs those whose name contains that.

mod checks;
pub(crate) mod script;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use similar::TextDiff;

use self::script::{Script, Step};
use crate::project::{Found, Project, Run, Tree, folders, tree};
use crate::tidy::top;
use crate::{Mode, mode, say};

/// A longer report of one case is cut.
const N_LINES: usize = 60;
/// The names of a spec.
const SPECS: [&str; 2] = ["gen.yaml", "hatmax.yml"];
/// Cases that run at one time.
const N_THREADS: usize = 2;

#[test]
fn every_case_gives_what_it_expects() {
    let all = cases(&top().join("tests/cases"));
    assert!(!all.is_empty(), "there is no case below tests/cases");
    let part = std::env::var("GEN_CASES").unwrap_or_default();
    let chosen: Vec<&(String, PathBuf)> = all.iter().filter(|it| it.0.contains(&part)).collect();
    assert!(
        !chosen.is_empty(),
        "GEN_CASES is `{part}`, which is part of no case's name"
    );
    let gen_itself = Path::new(env!("CARGO_BIN_EXE_gen"));
    let reports = in_parallel(&chosen, |(_, folder)| judge(folder, gen_itself, mode()));
    let reports = chosen.iter().zip(reports).filter(|(_, faults)| !faults.is_empty());
    let failed: Vec<String> = reports
        .map(|((name, _), faults)| format!("── {name}\n{}", cut(&faults.join("\n"))))
        .collect();
    let n_failed = failed.len();
    say(&format!(
        "cases: {} of {} ran, {n_failed} failed",
        chosen.len(),
        all.len()
    ));
    let failed = failed.join("\n");
    assert!(
        failed.is_empty(),
        "{n_failed} cases failed (UPDATE_EXPECT=1 takes what came):\n{failed}"
    );
}

/// Returns the name and folder of each case below `folder`, sorted.
fn cases(folder: &Path) -> Vec<(String, PathBuf)> {
    let named = |case: PathBuf| {
        let name = case
            .strip_prefix(folder)
            .expect("it was found below the folder")
            .display()
            .to_string();
        (name, case)
    };
    folders(folder)
        .iter()
        .flat_map(|area| folders(area))
        .map(named)
        .collect()
}

/// Returns what `work` gives for each of `items`, in their order.
fn in_parallel<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let share = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else { return done };
            done.push((at, work(item)));
        }
    };
    let mut done: Vec<(usize, R)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..N_THREADS).map(|_| scope.spawn(share)).collect();
        threads
            .into_iter()
            .flat_map(|it| it.join().expect("a case panics only where a file can't be read"))
            .collect()
    });
    done.sort_by_key(|it| it.0);
    done.into_iter().map(|it| it.1).collect()
}

/// Returns all that is wrong with the case in `folder`, where `program` stands for `gen`.
///
/// To update takes what came, but never what no case may expect: a crash, or a plan that is not empty after apply.
fn judge(folder: &Path, program: &Path, mode: Mode) -> Vec<String> {
    let (mut faults, came) = match outcome(folder, program) {
        Ok(it) => it,
        Err(fault) => return vec![fault],
    };
    let place = folder.join("expected");
    if mode == Mode::Update && faults.is_empty() {
        if place.exists() {
            fs::remove_dir_all(&place).unwrap_or_else(|error| panic!("{}: {error}", place.display()));
        }
        for (path, found) in &came {
            found.write(&place.join(path));
        }
    }
    let expected = tree(&place);
    if expected.is_empty() {
        faults.push("nothing to compare: `expected/` holds no file".to_owned());
    }
    faults.extend(differences(&expected, &came));
    faults
}

/// Runs a case; returns what no case may do, and all that `expected/` has to hold.
fn outcome(folder: &Path, program: &Path) -> Result<(Vec<String>, Tree), String> {
    let mut before = tree(folder);
    before.retain(|path, _| !path.starts_with("expected/"));
    let script = before.remove("case.yaml").unwrap_or_else(|| Found::text(""));
    let script = Script::parse(&String::from_utf8_lossy(&script.bytes))?;
    if !SPECS.iter().any(|it| before.contains_key(*it)) {
        return Err(format!(
            "no spec: the case has neither {}",
            SPECS.map(|it| format!("`{it}`")).join(" nor ")
        ));
    }
    let project = Project::of(&before).program(program);
    let mut faults = Vec::new();
    let mut said = Tree::new();

    let apply = project.run(&["--quiet", "apply"]);
    if apply.code != 0 || !apply.stderr.is_empty() {
        said.insert("problems.txt".to_owned(), Found::text(&apply.stderr));
    }
    if apply.code == 0 {
        let plan = project.run(&["plan", "--detailed-exitcode"]);
        if plan.code != 0 {
            faults.push(unexpected("a plan after apply finds something to do, or fails", &plan));
        }
    }
    let after_apply = changed(&before, &project.files());
    faults.extend(wrong_exit(&apply, script.apply, &said, &after_apply));

    let mut n_commands = 0;
    for step in &script.steps {
        let command = match step {
            Step::Gen(command) => command,
            Step::Shell(line) => {
                faults.extend(project.shell(line));
                continue;
            }
        };
        n_commands += 1;
        let words: Vec<&str> = command.words.iter().map(String::as_str).collect();
        let run = project.run(&words);
        if run.code != command.exit {
            let wanted = format!("`gen {}` must exit with {}", words.join(" "), command.exit);
            faults.push(unexpected(&wanted, &run));
        }
        said.insert(format!("stdout.{n_commands}.txt"), Found::text(&run.stdout));
    }

    let after = project.files();
    faults.extend(
        before
            .keys()
            .filter(|it| !after.contains_key(*it))
            .map(|it| format!("the input `{it}` is gone")),
    );
    let mut came = changed(&before, &after);
    for (path, found) in said {
        if came.insert(path.clone(), found).is_some() {
            faults.push(format!(
                "no case may generate `{path}`: the runner keeps what was said under that name"
            ));
        }
    }
    Ok((faults, came))
}

/// Returns the files of `after` that `before` has not, or not so, `.gen/` apart.
fn changed(before: &Tree, after: &Tree) -> Tree {
    let new = after
        .iter()
        .filter(|(path, found)| !path.starts_with(".gen/") && before.get(*path) != Some(found));
    new.map(|(path, found)| (path.clone(), found.clone())).collect()
}

/// Returns what is wrong with the exit code of `apply`.
///
/// It fails with 1 and then writes nothing, or it exits with 0. Whether what it said were errors or warnings can't be
/// seen in the words alone: where it said something and wrote nothing it must have failed, unless `wanted` says more.
fn wrong_exit(apply: &Run, wanted: Option<i32>, said: &Tree, written: &Tree) -> Option<String> {
    let fault = match (apply.code, wanted) {
        (code, Some(wanted)) if code != wanted => format!("`gen apply` must exit with {wanted}"),
        (1, _) if !written.is_empty() => {
            let paths: Vec<&str> = written.keys().map(String::as_str).collect();
            format!("`gen apply` failed and yet wrote {}", paths.join(", "))
        }
        (0, None) if !said.is_empty() && written.is_empty() => {
            "`gen apply` has problems and writes nothing, but does not fail; is `exit: 0` right, say so in `case.yaml`"
                .to_owned()
        }
        (0 | 1, _) => return None,
        _ => "`gen apply` must exit with 0 or 1".to_owned(),
    };
    Some(unexpected(&fault, apply))
}

fn unexpected(what: &str, run: &Run) -> String {
    format!("{what}:\n{}", run.snapshot())
}

/// Returns a difference for each file that `came` has otherwise than `expected`, or that only one of them has.
fn differences(expected: &Tree, came: &Tree) -> Vec<String> {
    let mut faults = Vec::new();
    for (path, found) in expected {
        match came.get(path) {
            None => faults.push(format!("`{path}` is expected and did not come")),
            Some(new) if new.bytes != found.bytes => faults.push(difference(path, &found.bytes, &new.bytes)),
            Some(new) if new.executable != found.executable => {
                let state = if new.executable {
                    "is executable, and should not be"
                } else {
                    "is not executable"
                };
                faults.push(format!("`{path}` {state}"));
            }
            Some(_) => {}
        }
    }
    for (path, found) in came.iter().filter(|it| !expected.contains_key(it.0)) {
        faults.push(format!(
            "`{path}` came and is not expected\n{}",
            difference(path, b"", &found.bytes)
        ));
    }
    faults
}

/// Returns what differs between two contents of `path`, as a unified diff.
pub(crate) fn difference(path: &str, expected: &[u8], came: &[u8]) -> String {
    let [old, new] = [expected, came].map(|it| String::from_utf8_lossy(it).into_owned());
    let diff = TextDiff::from_lines(&old, &new);
    diff.unified_diff()
        .header(&format!("expected/{path}"), path)
        .to_string()
}

/// Returns `text` without what is over the ceiling of lines.
pub(crate) fn cut(text: &str) -> String {
    let n_lines = text.lines().count();
    let mut cut: String = text
        .lines()
        .take(N_LINES)
        .fold(String::new(), |all, line| all + line + "\n");
    if n_lines > N_LINES {
        let _ = writeln!(cut, "… and {} lines more", n_lines - N_LINES);
    }
    cut
}
