//! That the runner of golden folders fails where it must: one that lets everything pass would never be noticed.

use super::{cases, cut, in_parallel, judge};
use crate::Mode;
use crate::project::{Project, Tree, tree};
use crate::tidy::top;

/// Returns what `mode` finds wrong with a case of these files, and its folder as it is afterwards.
fn judged(files: &[(&str, &str)], mode: Mode) -> (Vec<String>, Tree) {
    let case = files
        .iter()
        .fold(Project::new(), |case, (path, text)| case.file(path, text));
    let faults = judge(&case.dir(), &top().join("tests/it/fake_gen.sh"), mode);
    (faults, tree(&case.dir()))
}

/// Returns all that is wrong with a case of these files, as one text.
fn faults(files: &[(&str, &str)]) -> String {
    judged(files, Mode::Compare).0.join("\n")
}

#[test]
fn a_right_case_passes() {
    assert_eq!(faults(&[("gen.yaml", "a\n"), ("expected/out/copy.txt", "a\n")]), "");
    assert_eq!(
        faults(&[
            ("hatmax.yml", ""),
            ("gen.yaml", "broken"),
            ("expected/problems.txt", "the spec is broken\n")
        ]),
        ""
    );
    let warning = ("expected/problems.txt", "a warning of [[dir]]\n");
    assert_eq!(
        faults(&[("gen.yaml", "warn"), ("expected/out/copy.txt", "warn"), warning]),
        ""
    );
    let query = ("case.yaml", "run: query '(a) -> (b)'\n");
    let stdout = ("expected/stdout.1.txt", "<query>\n<(a) -> (b)>\n");
    assert_eq!(faults(&[("gen.yaml", "nothing"), query, stdout]), "");
}

#[test]
fn each_sort_of_difference_is_a_fault() {
    let other = faults(&[("gen.yaml", "a\n"), ("expected/out/copy.txt", "b\n")]);
    assert_eq!(
        other,
        "--- expected/out/copy.txt\n+++ out/copy.txt\n@@ -1 +1 @@\n-b\n+a\n"
    );
    let surplus = faults(&[("gen.yaml", "a"), ("expected/x", "")]);
    assert!(
        surplus.starts_with("`x` is expected and did not come\n`out/copy.txt` came and is not expected\n"),
        "{surplus}"
    );
    let executable = faults(&[("gen.yaml", "executable"), ("expected/out/copy.txt", "executable")]);
    assert_eq!(executable, "`out/copy.txt` is executable, and should not be");
    let unsaid = faults(&[("gen.yaml", "warn"), ("expected/out/copy.txt", "warn")]);
    assert!(
        unsaid.starts_with("`problems.txt` came and is not expected"),
        "{unsaid}"
    );
    let unheard = faults(&[
        ("gen.yaml", "a"),
        ("expected/out/copy.txt", "a"),
        ("expected/problems.txt", "x\n"),
    ]);
    assert_eq!(unheard, "`problems.txt` is expected and did not come");
}

#[test]
fn a_case_that_compares_nothing_is_a_fault() {
    assert_eq!(
        faults(&[("gen.yaml", "nothing")]),
        "nothing to compare: `expected/` holds no file"
    );
    assert_eq!(
        faults(&[("expected/x", "")]),
        "no spec: the case has neither `gen.yaml` nor `hatmax.yml`"
    );
}

#[test]
fn what_no_case_may_do_is_not_expected_by_an_update() {
    let wrong = [
        ("restless", "a plan after apply finds something to do"),
        ("crash", "`gen apply` must exit with 0 or 1:\nexit: 101"),
        ("half", "`gen apply` failed and yet wrote out/copy.txt"),
        (
            "broken, quietly",
            "`gen apply` has problems and writes nothing, but does not fail",
        ),
        ("eat", "the input `eaten.txt` is gone"),
    ];
    for (spec, fault) in wrong {
        let (faults, after) = judged(
            &[("gen.yaml", spec), ("eaten.txt", ""), ("expected/old", "")],
            Mode::Update,
        );
        assert!(faults.iter().any(|it| it.starts_with(fault)), "{spec}: {faults:?}");
        assert!(after.contains_key("expected/old"), "{spec}: expected/ was rewritten");
    }
}

#[test]
fn exit_codes_are_as_the_case_says() {
    let expected = ("expected/stdout.1.txt", "<query>\n");
    assert_eq!(
        faults(&[
            ("gen.yaml", "nothing fail"),
            ("case.yaml", "run: query\nexit: 3"),
            expected
        ]),
        ""
    );
    let fails = faults(&[("gen.yaml", "nothing fail"), ("case.yaml", "run: query"), expected]);
    assert!(
        fails.starts_with("`gen query` must exit with 0:\nexit: 3\n--- stdout\n<query>\n"),
        "{fails}"
    );
    let applies = faults(&[("gen.yaml", "nothing"), ("case.yaml", "exit: 1\nrun: query"), expected]);
    assert!(
        applies.starts_with("`gen apply` must exit with 1:\nexit: 0"),
        "{applies}"
    );
}

#[test]
fn an_update_takes_what_came_and_nothing_else() {
    let files = [
        ("gen.yaml", "warn executable"),
        ("case.yaml", "run: query a"),
        ("expected/old", ""),
    ];
    let (faults, after) = judged(&files, Mode::Update);
    assert_eq!(faults, [""; 0]);
    let paths: Vec<&str> = after.keys().map(String::as_str).collect();
    let expected = [
        "expected/out/copy.txt",
        "expected/problems.txt",
        "expected/stdout.1.txt",
    ];
    assert_eq!(paths, [["case.yaml"].as_slice(), &expected, &["gen.yaml"]].concat());
    assert!(after["expected/out/copy.txt"].executable);
}

#[test]
fn a_long_report_is_cut() {
    assert_eq!(cut("a\nb"), "a\nb\n");
    let long = cut(&"line\n".repeat(61));
    assert!(long.ends_with("line\n… and 1 lines more\n"));
    assert_eq!(long.lines().count(), 61);
}

#[test]
fn every_folder_below_an_area_is_a_case() {
    let project = Project::new()
        .file("rule/b/gen.yaml", "")
        .file("rule/a/x", "")
        .file("README.md", "")
        .file("spec/c/d/e", "");
    let names: Vec<String> = cases(&project.dir()).into_iter().map(|it| it.0).collect();
    assert_eq!(names, ["rule/a", "rule/b", "spec/c"]);
}

#[test]
fn cases_that_run_at_one_time_keep_their_order() {
    let items: Vec<u32> = (0..100).collect();
    assert_eq!(
        in_parallel(&items, |it| it * 2),
        items.iter().map(|it| it * 2).collect::<Vec<_>>()
    );
}
