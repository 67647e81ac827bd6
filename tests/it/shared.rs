//! Packs from elsewhere: locked from folders and repositories, kept in the project, and used without looking there.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::project::{Project, Run};

const PACK: &str =
    "pack: tubes\ndoc: Tubes.\nkinds: {station: {collection: stations, fields: {bore: {type: int, default: 80}}}}\n";
const RULES: &str = "rules:\n  - rule: line\n    doc: A line.\n    match: (s:station)\n    artifact: {path: 'tubes/${s.name}.txt', template: \
                     tubes/line.txt.hbs, with: {s: s}}\n";

fn spec(source: &str) -> String {
    format!("version: 0.2\nname: post\npacks: {{tubes: {source}}}\nstations: {{north: {{}}}}\n")
}

/// A project that asks for the pack `tubes`, which stands in the folder `../packs` beside it.
fn post(source: &str) -> Project {
    Project::new()
        .file("gen.yaml", &spec(source))
        .file("../packs/rules/tubes/pack.yaml", PACK)
        .file("../packs/rules/tubes/lines.yaml", RULES)
        .file("../packs/rules/tubes/cases/one/gen.yaml", "version: 0.2\nname: one\n")
        .file("../packs/templates/tubes/line.txt.hbs", "{{s.bore}} mm\n")
}

/// The same, where the folder is a repository with a tag.
fn repository(source: &str) -> Project {
    let project = post(source);
    shell(&project, "git init -q -b main ../packs");
    commit(&project, "../packs", "v1");
    project
}

#[track_caller]
fn shell(project: &Project, line: &str) {
    assert_eq!(project.shell(line), None, "{line}");
}

#[track_caller]
fn commit(project: &Project, folder: &str, tag: &str) {
    let user = "-c user.name=a -c user.email=a@b";
    shell(
        project,
        &format!("cd {folder}; git add -A; git {user} commit -qm {tag}; git tag {tag}"),
    );
}

#[track_caller]
fn done(run: Run) -> Run {
    assert_eq!(run.code, 0, "{}", run.snapshot());
    run
}

/// Fails unless `run` says that `part` is wrong, and writes nothing.
#[track_caller]
fn refused(project: &Project, run: &Run, parts: &[&str]) {
    assert_eq!(run.code, 1, "{}", run.snapshot());
    for part in parts {
        assert!(run.stderr.contains(part), "{part}: {}", run.stderr);
    }
    let kept = project.files();
    let is_written = |it: &&String| it.starts_with(".gen/packs") || *it == "gen.lock";
    assert_eq!(kept.keys().find(is_written), None);
}

fn read(project: &Project, path: &str) -> String {
    fs::read_to_string(project.dir().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Runs `gen` in `folder` where no other program is to be found.
fn alone(folder: &Path, words: &[&str]) -> i32 {
    let status = Command::new(env!("CARGO_BIN_EXE_gen"))
        .args(words)
        .current_dir(folder)
        .env_clear()
        .env("PATH", "")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.expect("gen starts").code().expect("it ends by itself")
}

#[test]
fn a_clone_plans_without_the_repository_and_without_git() {
    let project = repository("{git: ../packs, tag: v1}");
    let locked = done(project.run(&["pack", "lock"]));
    assert!(
        locked
            .stdout
            .starts_with("locked     tubes  git ../packs tag v1 commit "),
        "{}",
        locked.stdout
    );
    done(project.run(&["apply"]));
    assert_eq!(read(&project, "tubes/north.txt"), "80 mm\n");
    // The tests of a pack are those of whoever keeps it.
    assert!(!project.files().keys().any(|it| it.contains("cases")));
    shell(&project, "git init -q -b main .; printf '.gen/cache/\\n' > .gitignore");
    commit(&project, ".", "all");
    shell(&project, "git clone -q . ../clone; rm -r ../packs");
    let clone = project.dir().with_file_name("clone");
    assert_eq!(alone(&clone, &["plan", "--detailed-exitcode"]), 0);
    assert_eq!(alone(&clone, &["check"]), 0);
    fs::write(clone.join("gen.yaml"), spec("{git: ../packs, tag: v2}")).expect("ours");
    assert_eq!(alone(&clone, &["plan"]), 1, "it is not what was locked");
}

#[test]
fn a_branch_stays_where_it_was_until_it_is_asked_for_anew() {
    let project = repository("{git: ../packs, branch: main}");
    done(project.run(&["pack", "lock"]));
    done(project.run(&["apply"]));
    let before = read(&project, "gen.lock");
    shell(
        &project,
        "sed -i 's/ mm/ millimetres/' ../packs/templates/tubes/line.txt.hbs",
    );
    commit(&project, "../packs", "v2");
    let run = done(project.run(&["pack", "lock"]));
    assert!(run.stdout.starts_with("unchanged  tubes"), "{}", run.stdout);
    assert_eq!(read(&project, "gen.lock"), before);
    // What was changed or is gone is put back from the commit that was locked.
    shell(
        &project,
        "rm -r .gen/packs/rules; echo x >> .gen/packs/templates/tubes/line.txt.hbs",
    );
    assert_eq!(project.run(&["plan"]).code, 1);
    let run = done(project.run(&["pack", "lock"]));
    assert!(run.stdout.starts_with("restored   tubes"), "{}", run.stdout);
    assert_eq!(project.run(&["plan", "--detailed-exitcode"]).code, 0);
    let run = done(project.run(&["pack", "update", "tubes"]));
    assert!(run.stdout.starts_with("updated    tubes"), "{}", run.stdout);
    assert_ne!(read(&project, "gen.lock"), before);
    let plan = done(project.run(&["plan"]));
    assert!(
        plan.stdout
            .contains("because .gen/packs/templates/tubes/line.txt.hbs:1 changed"),
        "{}",
        plan.stdout
    );
    let again = done(project.run(&["pack", "update"]));
    assert!(again.stdout.starts_with("unchanged  tubes"), "{}", again.stdout);
}

#[test]
fn a_folder_that_has_changed_is_said_and_taken_over_on_request() {
    let project = post("{path: ../packs}");
    done(project.run(&["pack", "lock"]));
    done(project.run(&["apply"]));
    shell(
        &project,
        "sed -i 's/ mm/ millimetres/' ../packs/templates/tubes/line.txt.hbs",
    );
    for _ in 0..2 {
        let plan = project.run(&["plan", "--detailed-exitcode"]);
        assert_eq!(plan.code, 0, "{}", plan.snapshot());
        assert!(plan.stderr.contains("`gen pack update tubes`"), "{}", plan.stderr);
    }
    let run = done(project.run(&["pack", "lock"]));
    assert!(run.stdout.starts_with("unchanged  tubes"), "{}", run.stdout);
    // What was locked is there no more, so that it can't be put back.
    shell(&project, "rm -r .gen/packs");
    let run = project.run(&["pack", "lock"]);
    assert_eq!(run.code, 1);
    assert!(
        run.stderr.contains("`gen pack update tubes` takes what is there now"),
        "{}",
        run.stderr
    );
    done(project.run(&["pack", "update"]));
    let run = done(project.run(&["apply"]));
    assert_eq!(
        (read(&project, "tubes/north.txt"), &*run.stderr),
        ("80 millimetres\n".into(), "done: 1 changed, 0 unchanged\n")
    );
    // A file that comes to stand there is a change, too.
    shell(&project, "printf 'rules: []\\n' > ../packs/rules/tubes/more.yaml");
    assert!(project.run(&["plan"]).stderr.contains("shell::pack_changed"));
}

#[test]
fn what_can_not_be_found_is_said_where_it_is_asked_for() {
    let cases: [(&str, &[&str]); 10] = [
        (
            "{git: ../packs, tag: v2}",
            &[
                "shell::unknown_revision",
                "no tag `v2`",
                "gen.yaml:3:16",
                "did you mean `v1`?",
            ],
        ),
        (
            "{git: ../packs, branch: mian}",
            &["shell::unknown_revision", "no branch `mian`", "did you mean `main`?"],
        ),
        (
            "{git: ../packs, rev: 0123abc}",
            &["shell::unknown_revision", "`0123abc`", "gen.yaml:3:16"],
        ),
        ("{git: ../packs, rev: --help}", &["shell::unknown_revision"]),
        (
            "{git: ../packs, dir: rules}",
            &["shell::no_pack_there", "no `rules/tubes/pack.yaml`"],
        ),
        ("{git: ../packs/rules}", &["shell::no_repository", "say `dir: rules`"]),
        ("{git: ../none}", &["shell::no_repository", "gen.yaml:3:16"]),
        (
            "{git: 'file:///none/of/it'}",
            &["shell::no_repository", "nothing can be fetched"],
        ),
        ("{path: ../none}", &["shell::no_pack_there", "gen.yaml:3:16"]),
        (
            "{path: ../packs/rules}",
            &["shell::no_pack_there", "name the folder that holds `rules/tubes/`"],
        ),
    ];
    let project = repository("{}");
    for (source, parts) in cases {
        let project_file = project.dir().join("gen.yaml");
        fs::write(project_file, spec(source)).expect("the folder is ours");
        refused(&project, &project.run(&["pack", "lock"]), parts);
    }
    let run = project.run(&["pack", "update", "pipes"]);
    refused(&project, &run, &["shell::unknown_pack"]);
}

#[test]
fn a_repository_with_an_address_is_fetched() {
    let project = repository("{}");
    let parent = project.dir().with_file_name("packs");
    let url = format!("file://{}", parent.display());
    let id = |rev: &str| {
        let output = Command::new("git")
            .arg("-C")
            .arg(&parent)
            .args(["rev-parse", rev])
            .output();
        let output = output.expect("there is git").stdout;
        String::from_utf8(output).expect("a hash").trim().to_owned()
    };
    let first = id("v1");
    shell(
        &project,
        "sed -i 's/ mm/ inches/' ../packs/templates/tubes/line.txt.hbs",
    );
    commit(&project, "../packs", "v2");
    for (revision, text) in [
        (String::new(), " inches"),
        (", tag: v1".to_owned(), " mm"),
        (", branch: main".to_owned(), " inches"),
        (format!(", rev: '{first}'"), " mm"),
        (format!(", rev: '{}'", &first[..9]), " mm"),
    ] {
        let source = format!("{{git: '{url}'{revision}}}");
        fs::write(project.dir().join("gen.yaml"), spec(&source)).expect("the folder is ours");
        done(project.run(&["pack", "lock"]));
        done(project.run(&["apply"]));
        assert_eq!(read(&project, "tubes/north.txt"), format!("80{text}\n"), "{source}");
        let commit = if text == " mm" { &first } else { &id("v2") };
        assert!(read(&project, "gen.lock").contains(commit.as_str()), "{source}");
    }
    let source = format!("{{git: '{url}', tag: v3}}");
    fs::write(project.dir().join("gen.yaml"), spec(&source)).expect("the folder is ours");
    let run = project.run(&["pack", "lock"]);
    assert!(run.code == 1 && run.stderr.contains("no tag `v3`"), "{}", run.stderr);
}

#[test]
fn nothing_of_a_strangers_repository_is_run() {
    let project = repository("{git: ../packs, tag: v1}");
    let spell = "#!/bin/sh\ntouch ../project/run-by-$(basename $0) ../run-by-somebody\nexit 1\n";
    for hook in [
        "post-checkout",
        "reference-transaction",
        "pre-receive",
        "post-update",
        "fsmonitor-watchman",
    ] {
        let hook = project.dir().with_file_name("packs").join(".git/hooks").join(hook);
        fs::write(&hook, spell).expect("the folder is ours");
    }
    let spells = "chmod +x .git/hooks/*; cp .git/hooks/post-update spell; git config core.fsmonitor $PWD/spell; git config \
                  core.pager $PWD/spell; git config filter.x.smudge $PWD/spell; git config filter.x.clean $PWD/spell; git \
                  config uploadpack.packObjectsHook $PWD/spell; git config core.sshCommand $PWD/spell; git config \
                  diff.external $PWD/spell; printf '* filter=x\\n' > .git/info/attributes";
    shell(&project, &format!("cd ../packs; {spells}"));
    let source = format!(
        "{{git: 'file://{}', tag: v1}}",
        project.dir().with_file_name("packs").display()
    );
    for source in ["{git: ../packs, tag: v1}", &source] {
        fs::write(project.dir().join("gen.yaml"), spec(source)).expect("the folder is ours");
        done(project.run(&["pack", "update"]));
        done(project.run(&["plan"]));
    }
    let room = project.dir();
    let room = room.parent().expect("it has one");
    let marks = fs::read_dir(room)
        .expect("there")
        .chain(fs::read_dir(project.dir()).expect("there"));
    let marks: Vec<String> = marks
        .flatten()
        .map(|it| it.file_name().to_string_lossy().into_owned())
        .collect();
    assert!(!marks.iter().any(|it| it.starts_with("run-by-")), "{marks:?}");
}

#[test]
fn what_leads_out_is_too_large_or_is_no_text_is_refused() {
    let faults = [
        (
            "ln -s ../../../project/gen.yaml templates/tubes/out.txt",
            "shell::pack_link",
        ),
        ("ln -s /etc/hostname templates/tubes/out.txt", "shell::pack_link"),
        ("ln -s nowhere rules/tubes/out.yaml", "shell::pack_link"),
        ("truncate -s 17M templates/tubes/large.txt", "shell::too_large"),
        ("printf '\\351\\n' > templates/tubes/latin1.txt", "shell::not_utf8"),
        ("touch \"templates/tubes/$(printf 'a\\nb')\"", "plan::unsafe_path"),
    ];
    for (line, code) in faults {
        let project = post("{path: ../packs}");
        shell(&project, &format!("cd ../packs; {line}"));
        refused(&project, &project.run(&["pack", "lock"]), &[code, "gen.yaml:3:16"]);
        let project = repository("{git: ../packs}");
        shell(&project, &format!("cd ../packs; {line}"));
        commit(&project, "../packs", "v2");
        refused(&project, &project.run(&["pack", "lock"]), &[code, "gen.yaml:3:16"]);
    }
    // A link within is the file that it leads to.
    let project = repository("{git: ../packs}");
    shell(&project, "cd ../packs; ln -s line.txt.hbs templates/tubes/same.txt.hbs");
    commit(&project, "../packs", "v2");
    done(project.run(&["pack", "lock"]));
    let kept = project.dir().join(".gen/packs/templates/tubes/same.txt.hbs");
    assert!(fs::symlink_metadata(kept).is_ok_and(|it| it.is_file()));
}

#[test]
fn what_is_kept_is_written_through_no_link() {
    let project = post("{path: ../packs}");
    shell(
        &project,
        "mkdir -p .gen ../victim/tubes; echo mine > ../victim/tubes/pack.yaml; ln -s ../victim .gen/packs",
    );
    let run = project.run(&["pack", "lock"]);
    assert_eq!(run.code, 1, "{}", run.snapshot());
    shell(
        &project,
        "rm .gen/packs; mkdir .gen/packs; ln -s ../../../victim .gen/packs/rules",
    );
    let run = project.run(&["pack", "lock"]);
    assert!(
        run.code == 0 || run.stderr.contains("shell::write_failed"),
        "{}",
        run.snapshot()
    );
    assert_eq!(read(&project, "../victim/tubes/pack.yaml"), "mine\n");
    assert_eq!(
        fs::read_dir(project.dir().join("../victim/tubes"))
            .expect("there")
            .count(),
        1
    );
}

#[test]
fn what_is_asked_for_no_more_goes() {
    let project = post("{path: ../packs}");
    done(project.run(&["pack", "lock"]));
    shell(
        &project,
        "mkdir .gen/packs/rules/other; echo x > .gen/packs/rules/other/x.yaml",
    );
    fs::write(project.dir().join("gen.yaml"), "version: 0.2\nname: post\n").expect("ours");
    let run = done(project.run(&["pack", "lock"]));
    assert_eq!(run.stdout, "removed    tubes  path ../packs\n");
    let left = project.files();
    let left: Vec<&String> = left.keys().filter(|it| !it.starts_with(".gen/cache/")).collect();
    assert_eq!(left, ["gen.yaml"]);
    let run = done(project.run(&["pack", "lock"]));
    assert_eq!(
        (&*run.stdout, &*run.stderr),
        ("", "the spec asks for no pack from elsewhere\n")
    );
}

#[test]
fn a_shared_pack_is_listed_shown_and_copied_as_any_other() {
    let project = post("{path: ../packs}");
    done(project.run(&["pack", "lock"]));
    let list = done(project.run(&["pack", "list"])).stdout;
    let line = list.lines().find(|it| it.starts_with("tubes"));
    assert!(
        line.is_some_and(|it| it.ends_with("  shared    Tubes. (path ../packs)")),
        "{line:?}"
    );
    let list: Value = serde_json::from_str(&project.run(&["pack", "list", "--json"]).stdout).expect("JSON");
    let pack = list
        .as_array()
        .and_then(|it| it.iter().find(|it| it["name"] == "tubes"))
        .expect("listed");
    assert_eq!(
        (&pack["origin"], &pack["from"]),
        (&"shared".into(), &"path ../packs".into())
    );
    assert_eq!(pack["built_in"], Value::Bool(false));
    let doc = done(project.run(&["pack", "doc", "tubes"])).stdout;
    assert!(doc.contains("`bore`"), "{doc}");
    let shown = done(project.run(&["pack", "show", "tubes"])).stdout;
    assert!(
        shown.contains("# rules/tubes/lines.yaml\n") && shown.contains("# templates/tubes/line.txt.hbs\n"),
        "{shown}"
    );
    done(project.run(&["pack", "eject", "tubes"]));
    assert_eq!(read(&project, "rules/tubes/lines.yaml"), RULES);
    shell(&project, "sed -i 's/mm/inches/' templates/tubes/line.txt.hbs");
    let run = done(project.run(&["apply"]));
    assert!(run.stderr.contains("shell::pack_shadowed"), "{}", run.stderr);
    assert_eq!(read(&project, "tubes/north.txt"), "80 inches\n");
}

#[test]
fn that_git_ignores_what_is_kept_is_said() {
    for ignored in [".gen/", "*.hbs", "gen.lock"] {
        let project = post("{path: ../packs}").file(".gitignore", &format!("{ignored}\n"));
        let run = done(project.run(&["pack", "lock"]));
        assert!(run.stderr.contains("shell::pack_ignored"), "{ignored}: {}", run.stderr);
    }
    let project = post("{path: ../packs}").file(".gitignore", "/.gen/cache/\n");
    assert_eq!(done(project.run(&["pack", "lock"])).stderr, "");
}

#[test]
fn a_plan_since_a_revision_knows_the_packs_of_then() {
    let project = post("{path: ../packs}");
    done(project.run(&["pack", "lock"]));
    shell(&project, "git init -q -b main .; printf '.gen/cache/\n' > .gitignore");
    commit(&project, ".", "then");
    shell(
        &project,
        "sed -i 's/ mm/ inches/' ../packs/templates/tubes/line.txt.hbs",
    );
    done(project.run(&["pack", "update"]));
    let plan = done(project.run(&["plan", "--since", "then"]));
    assert!(
        plan.stdout.starts_with("update     tubes/north.txt  tubes/line\n")
            && plan
                .stdout
                .contains(".gen/packs/templates/tubes/line.txt.hbs:1 changed"),
        "{}",
        plan.stdout
    );
    commit(&project, ".", "now");
    let plan = done(project.run(&["plan", "--since", "then..now"]));
    assert!(plan.stdout.starts_with("update     tubes/north.txt"), "{}", plan.stdout);
    shell(&project, "git rm -q --cached .gen/packs/rules/tubes/lines.yaml");
    let user = "-c user.name=a -c user.email=a@b";
    shell(&project, &format!("git {user} commit -qm torn; git tag torn"));
    let plan = project.run(&["plan", "--since", "torn"]);
    assert!(
        plan.code == 1 && plan.stderr.contains("shell::pack_altered"),
        "{}",
        plan.snapshot()
    );
}

#[test]
fn an_own_pack_is_tested_with_the_shared_one_that_it_requires() {
    let project = post("{path: ../packs}")
        .file("rules/flaps/pack.yaml", "pack: flaps\ndoc: Flaps.\nrequires: [tubes]\n")
        .file(
            "rules/flaps/flaps.yaml",
            &RULES
                .replace("rule: line", "rule: flap")
                .replace("tubes/${", "flaps/${"),
        )
        .file(
            "rules/flaps/cases/one/gen.yaml",
            "version: 0.2\nname: one\nstations: {a: {bore: 7}}\n",
        )
        .file("rules/flaps/cases/one/expected/flaps/a.txt", "7 mm\n");
    done(project.run(&["pack", "lock"]));
    // What is said of the project is nothing that the rules find.
    shell(&project, "echo '# more' >> ../packs/rules/tubes/lines.yaml");
    let run = project.run(&["test"]);
    assert_eq!(run.code, 0, "{}", run.snapshot());
    shell(&project, "echo '# more' >> .gen/packs/rules/tubes/lines.yaml");
    let run = project.run(&["test"]);
    assert!(
        run.code == 1 && run.stdout.contains("shell::pack_altered"),
        "{}",
        run.snapshot()
    );
}

#[test]
fn edits_go_on_from_the_last_run() {
    let project = post("{path: ../packs}");
    done(project.run(&["pack", "lock"]));
    done(project.run(&["apply"]));
    // The first apply makes the folder of the manifest.
    done(project.run(&["plan"]));
    for bore in [90, 100] {
        let text = spec("{path: ../packs}").replace("north: {}", &format!("north: {{bore: {bore}}}"));
        fs::write(project.dir().join("gen.yaml"), text).expect("ours");
        let run = done(project.run(&["--log", "steps", "apply"]));
        assert!(run.stderr.contains("went on from the last run"), "{}", run.stderr);
        assert_eq!(read(&project, "tubes/north.txt"), format!("{bore} mm\n"));
    }
    // A pack that changes on the way is not passed over.
    shell(&project, "echo more >> .gen/packs/templates/tubes/line.txt.hbs");
    assert!(project.run(&["plan"]).stderr.contains("shell::pack_altered"));
    fs::write(project.dir().join("gen.yaml"), spec("{path: ../pacts}")).expect("ours");
    assert!(project.run(&["plan"]).stderr.contains("shell::lock_stale"));
}
