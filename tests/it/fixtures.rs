//! The whole projects `fixtures/<name>/`, whose output is committed in place with its manifest.
//!
//! What `gen` makes of them is right if the judges say so; here it is only held still.

use std::collections::BTreeSet;
use std::path::Path;

use crate::cases::{cut, difference};
use crate::project::{Project, Tree, folders, tree};
use crate::tidy::top;
use crate::{Mode, mode, say};

/// Where the manifest stands.
const MANIFEST: &str = ".gen/manifest/";

#[test]
fn every_fixture_is_what_gen_makes_of_it() {
    let fixtures = folders(&top().join("fixtures"));
    assert!(!fixtures.is_empty(), "there is no fixture below fixtures/");
    let gen_itself = Path::new(env!("CARGO_BIN_EXE_gen"));
    let mut faults = Vec::new();
    for fixture in &fixtures {
        let name = fixture.file_name().unwrap_or_default().to_string_lossy();
        if mode() == Mode::Update {
            // It runs elsewhere, so that nothing but `-C` can tell it where the project is.
            let run = Project::new().run(&["-C", &fixture.to_string_lossy(), "apply"]);
            assert_eq!(run.code, 0, "gen apply in {name}\n{}", run.snapshot());
        }
        match judge(&tree(fixture), gen_itself) {
            Ok(n_files) => say(&format!("fixtures: {name} has {n_files} generated files")),
            Err(found) => faults.push(format!("── {name}\n{}", cut(&found.join("\n")))),
        }
    }
    let faults = faults.join("\n");
    assert!(
        faults.is_empty(),
        "fixtures failed (UPDATE_EXPECT=1 takes what comes):\n{faults}"
    );
}

/// Returns the number of generated files of a fixture, or all that is wrong with it.
fn judge(fixture: &Tree, program: &Path) -> Result<usize, Vec<String>> {
    let kept = committed(fixture);
    let generated = generated(&kept);
    if generated.is_empty() {
        return Err(vec![format!("no file is listed below `{MANIFEST}`")]);
    }
    let mut faults: Vec<String> = generated
        .iter()
        .filter(|it| !kept.contains_key(*it))
        .map(|it| format!("`{it}` is listed and does not exist"))
        .collect();

    let project = Project::of(&kept).program(program);
    let dir = project.dir();
    let dir = dir.to_string_lossy();
    let plan = project.run(&["-C", &dir, "plan", "--detailed-exitcode"]);
    let named: Vec<&str> = generated
        .iter()
        .filter(|it| plan.stdout.contains(*it))
        .map(String::as_str)
        .collect();
    if plan.code != 0 || !named.is_empty() {
        faults.push(format!(
            "a plan must find nothing to do; it names {named:?}:\n{}",
            plan.snapshot()
        ));
    }
    faults.extend(differences("after `gen plan`", &kept, &committed(&project.files())));

    // Once as if the files were deleted by hand, and once as if nothing had ever been generated.
    let sources: Tree = without(&kept, |path| generated.contains(path));
    let beginnings = [
        ("with the manifest alone", sources.clone()),
        ("from nothing", without(&sources, |path| path.starts_with(MANIFEST))),
    ];
    for (what, start) in beginnings {
        let project = Project::of(&start).program(program);
        let apply = project.run(&["-C", &project.dir().to_string_lossy(), "apply"]);
        if apply.code != 0 {
            faults.push(format!("`gen apply` {what} fails:\n{}", apply.snapshot()));
        }
        faults.extend(differences(
            &format!("after `gen apply` {what}"),
            &kept,
            &committed(&project.files()),
        ));
    }
    if faults.is_empty() {
        Ok(generated.len())
    } else {
        Err(faults)
    }
}

/// Returns what git keeps of `files`: of `.gen/`, the manifest.
fn committed(files: &Tree) -> Tree {
    without(files, |path| path.starts_with(".gen/") && !path.starts_with(MANIFEST))
}

fn without(files: &Tree, left_out: impl Fn(&str) -> bool) -> Tree {
    files
        .iter()
        .filter(|(path, _)| !left_out(path))
        .map(|(path, found)| (path.clone(), found.clone()))
        .collect()
}

/// Returns the paths that the manifest lists, in lines of a digest, a path and a rule.
fn generated(files: &Tree) -> BTreeSet<String> {
    let shards = files.iter().filter(|(path, _)| path.starts_with(MANIFEST));
    let texts: Vec<String> = shards
        .map(|(_, it)| String::from_utf8_lossy(&it.bytes).into_owned())
        .collect();
    let lines = texts.iter().flat_map(|it| it.lines()).filter(|it| !it.starts_with('#'));
    lines
        .filter_map(|it| Some(it.split_once(' ')?.1.rsplit_once(' ')?.0.to_owned()))
        .collect()
}

/// Returns each file in which two trees differ, as a diff where both have it.
fn differences(when: &str, expected: &Tree, came: &Tree) -> Vec<String> {
    let paths: BTreeSet<&String> = expected.keys().chain(came.keys()).collect();
    let fault = |path: &String| match (expected.get(path), came.get(path)) {
        (Some(old), Some(new)) if old == new => None,
        (Some(old), Some(new)) if old.bytes == new.bytes => Some(format!("{when}, `{path}` has other permissions")),
        (Some(old), Some(new)) => Some(format!(
            "{when}, `{path}` differs:\n{}",
            difference(path, &old.bytes, &new.bytes)
        )),
        (Some(_), None) => Some(format!("{when}, `{path}` is missing")),
        (None, _) => Some(format!("{when}, `{path}` is there and should not be")),
    };
    paths.into_iter().filter_map(fault).collect()
}

/// Returns all that is wrong with a fixture of these files, where the stand-in plays `gen`.
fn faults(files: &[(&str, &str)]) -> String {
    let fixture = files
        .iter()
        .fold(Project::new(), |it, (path, text)| it.file(path, text));
    judge(&fixture.files(), &top().join("tests/it/fake_gen.sh"))
        .err()
        .unwrap_or_default()
        .join("\n")
}

#[test]
fn a_fixture_that_moves_is_a_fault() {
    let manifest = (".gen/manifest/all.txt", "# head\n0123 out/copy.txt fake/copy\n");
    assert_eq!(faults(&[("gen.yaml", "a\n"), ("out/copy.txt", "a\n"), manifest]), "");

    let stale = faults(&[("gen.yaml", "a\n"), ("out/copy.txt", "b\n"), manifest]);
    assert!(
        stale.contains("a plan must find nothing to do; it names [\"out/copy.txt\"]:\nexit: 2"),
        "{stale}"
    );
    assert!(
        stale.contains("after `gen apply` from nothing, `out/copy.txt` differs:\n"),
        "{stale}"
    );
    let chatty = faults(&[("gen.yaml", "chatty"), ("out/copy.txt", "chatty"), manifest]);
    assert!(
        chatty.starts_with("a plan must find nothing to do; it names [\"out/copy.txt\"]:\nexit: 0"),
        "{chatty}"
    );
    let wrong_record = (".gen/manifest/all.txt", "0124 out/copy.txt fake/copy\n");
    let record = faults(&[("gen.yaml", "a"), ("out/copy.txt", "a"), wrong_record]);
    assert!(
        record.starts_with("after `gen apply` with the manifest alone, `.gen/manifest/all.txt` differs"),
        "{record}"
    );
    let absent = faults(&[("gen.yaml", "a"), manifest]);
    assert!(
        absent.starts_with("`out/copy.txt` is listed and does not exist"),
        "{absent}"
    );
    assert_eq!(
        faults(&[("gen.yaml", "nothing")]),
        "no file is listed below `.gen/manifest/`"
    );
}
