//! `gen fmt`: which files it formats and which it leaves, what it says, and that it touches nothing else.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use groundplan::yaml::format::{Unformatted, formatted};

use crate::project::{Found, Project, folders};
use crate::tidy::{files, shown, top};

const MESSY: &str = "version:   0.2\nname: shop\ninclude: [ services/*.yaml ]\n\n\n# first\nservices:\n    web: { image: 'x/web:1' }  \n";
const TIDY: &str =
    "version: 0.2\nname: shop\ninclude: [services/*.yaml]\n\n# first\nservices:\n  web: {image: 'x/web:1'}\n";
const ORDERS: &str = "service: orders\r\nimage:  'x/orders:1'\r\n";
const ORDERS_TIDY: &str = "service: orders\nimage: 'x/orders:1'\n";
const PACK: &str = "pack: tubes\ndoc: Tubes.\nrequires: [core]\n";
const RULES: &str = "rules:\n- rule: line\n  doc: A line.\n  match: (s:service)\n  artifact: {path: 'out/${s.name}.yaml', template: tubes/line.yaml, with: {s: s}}\n";
const TEMPLATE: &str = "a:   ${s.name}\n";

fn shop() -> Project {
    Project::new()
        .file("gen.yaml", MESSY)
        .file("services/orders.yaml", ORDERS)
        .file("rules/tubes/pack.yaml", PACK)
        .file("rules/tubes/lines.yaml", RULES)
        .file("templates/tubes/line.yaml", TEMPLATE)
        .file("other.yaml", "a:   1\n")
        .file(".gen/packs/rules/far/pack.yaml", "pack:   far\n")
}

fn text(project: &Project, path: &str) -> String {
    fs::read_to_string(project.dir().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn what_gen_reads_of_the_project_is_formatted_and_nothing_else() {
    let project = shop();
    let run = project.run(&["fmt"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(
        run.stdout,
        "formatted  gen.yaml\nformatted  rules/tubes/lines.yaml\nformatted  services/orders.yaml\n"
    );
    assert_eq!(run.stderr, "formatted 3 files; 1 was so already\n");
    assert_eq!(text(&project, "gen.yaml"), TIDY);
    assert_eq!(text(&project, "services/orders.yaml"), ORDERS_TIDY);
    assert!(text(&project, "rules/tubes/lines.yaml").starts_with("rules:\n  - rule: line\n    doc: A line.\n"));
    for (path, same) in [
        ("rules/tubes/pack.yaml", PACK),
        ("templates/tubes/line.yaml", TEMPLATE),
        ("other.yaml", "a:   1\n"),
        (".gen/packs/rules/far/pack.yaml", "pack:   far\n"),
    ] {
        assert_eq!(text(&project, path), same, "{path}");
    }
    let again = project.run(&["fmt"]);
    assert_eq!((again.code, &*again.stdout), (0, ""));
    assert_eq!(again.stderr, "no changes: 4 files are formatted\n");
    let check = project.run(&["fmt", "--check"]);
    assert_eq!((check.code, &*check.stdout), (0, ""), "{}", check.stderr);
}

#[test]
fn a_check_names_what_is_not_formatted_and_writes_nothing() {
    let project = shop();
    let before = project.files();
    let run = project.run(&["fmt", "--check"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert_eq!(
        run.stdout,
        "format     gen.yaml\nformat     rules/tubes/lines.yaml\nformat     services/orders.yaml\n"
    );
    assert_eq!(run.stderr, "3 of 4 files are not formatted: `gen fmt` does it\n");
    let diff = project.run(&["fmt", "--diff", "services"]);
    assert_eq!(diff.code, 0, "{}", diff.stderr);
    let lines: Vec<&str> = diff.stdout.lines().collect();
    assert_eq!(
        lines[..3],
        [
            "format     services/orders.yaml",
            "--- a/services/orders.yaml",
            "+++ b/services/orders.yaml"
        ]
    );
    assert!(diff.stdout.contains("+image: 'x/orders:1'\n"), "{}", diff.stdout);
    let both = project.run(&["fmt", "--diff", "--check", "services"]);
    assert_eq!((both.code, both.stdout), (1, diff.stdout));
    assert!(project.files() == before, "something was written");
}

#[test]
fn paths_choose_files_and_folders() {
    let project = shop();
    let run = project.run(&["fmt", "services", "rules/tubes/pack.yaml"]);
    assert_eq!(
        (run.code, &*run.stdout),
        (0, "formatted  services/orders.yaml\n"),
        "{}",
        run.stderr
    );
    assert_eq!(text(&project, "gen.yaml"), MESSY);
    for (path, code) in [
        ("other.yaml", "shell::nothing_to_format"),
        ("templates", "shell::nothing_to_format"),
        (".gen/packs", "shell::nothing_to_format"),
        ("service/orders.yaml", "did you mean `services/orders.yaml`?"),
        ("../other.yaml", "plan::unsafe_path"),
    ] {
        let run = project.run(&["fmt", path]);
        assert_eq!((run.code, &*run.stdout), (1, ""), "{path}: {}", run.stderr);
        assert!(
            run.stderr.contains(code) && !run.stderr.contains("no changes"),
            "{path}: {}",
            run.stderr
        );
    }
}

#[test]
fn what_is_generated_is_left_even_where_it_is_included() {
    let project = shop();
    let spec = MESSY.replace("services/*.yaml", "services/*.yaml, out/*.txt");
    let rules = RULES.replace(".yaml', template", ".txt', format: yaml, template");
    let project = project.file("gen.yaml", &spec).file("rules/tubes/lines.yaml", &rules);
    let template = "service: made\nimage: ${s.name}\nenv:\n- a\n";
    let project = project.file("templates/tubes/line.yaml", template);
    let apply = project.run(&["apply"]);
    let made = project
        .files()
        .into_iter()
        .filter(|it| it.0.starts_with("out/"))
        .count();
    assert!(made > 0, "{}", apply.snapshot());
    let out = project.dir().join("out");
    for entry in fs::read_dir(&out).expect("it was made") {
        fs::write(entry.expect("readable").path(), "service:   made\n").expect("written");
    }
    let run = project.run(&["fmt", "--check"]);
    assert!(!run.stdout.contains("out/"), "{}", run.stdout);
    assert!(run.stdout.contains("services/"), "{}", run.stdout);
}

#[test]
fn a_file_that_can_not_be_read_is_left_and_the_others_are_formatted() {
    let project = shop().file("services/broken.yaml", "service: broken\nimage: [1\n");
    let check = project.run(&["check"]);
    let run = project.run(&["fmt"]);
    assert_eq!(run.code, 1);
    assert!(
        run.stdout.contains("formatted  services/orders.yaml\n"),
        "{}",
        run.stdout
    );
    assert!(
        run.stderr.contains("yaml::syntax") && run.stderr.contains("services/broken.yaml:2"),
        "{}",
        run.stderr
    );
    let shown = run.stderr.split("\n\n").nth(1).expect("an excerpt");
    assert!(check.stderr.contains(shown), "{}\n{}", check.stderr, run.stderr);
    assert_eq!(text(&project, "services/broken.yaml"), "service: broken\nimage: [1\n");
    // What is named is formatted, whatever else is missing.
    let project = project.file("gen.yaml", "version: 0.2\ninclude: [none.yaml, services/*.yaml]\n");
    let run = project.run(&["fmt", "--check", "services/orders.yaml"]);
    assert_eq!((run.code, &*run.stderr), (0, "no changes: 1 file is formatted\n"));
    let run = project.run(&["fmt", "--check"]);
    assert!(
        run.code == 1 && run.stderr.contains("shell::include_missing"),
        "{}",
        run.stderr
    );
    let spec = project.file("gen.yaml", "version: [\n");
    let run = spec.run(&["fmt", "--check", "rules"]);
    assert_eq!((run.code, &*run.stderr), (0, "no changes: 2 files are formatted\n"));
}

#[test]
fn a_formatted_file_is_not_touched_and_the_others_keep_their_mode() {
    let project = shop();
    let place = |path: &str| project.dir().join(path);
    fs::set_permissions(place("gen.yaml"), fs::Permissions::from_mode(0o640)).expect("it is ours");
    let stat = |path: &str| fs::metadata(place(path)).expect("it is there");
    let before = stat("rules/tubes/pack.yaml");
    assert_eq!(project.run(&["fmt"]).code, 0);
    let after = stat("rules/tubes/pack.yaml");
    assert_eq!((before.ino(), before.mtime_nsec()), (after.ino(), after.mtime_nsec()));
    assert_eq!(stat("gen.yaml").permissions().mode() & 0o777, 0o640);
    assert_eq!(text(&project, "gen.yaml"), TIDY);
}

#[test]
fn gen_writes_through_no_link() {
    let project = shop().file("away/orders.yaml", ORDERS);
    let link = project.dir().join("services/orders.yaml");
    fs::remove_file(&link).expect("it is there");
    std::os::unix::fs::symlink("../away/orders.yaml", &link).expect("the folder is ours");
    let run = project.run(&["fmt"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("shell::no_plain_file"), "{}", run.stderr);
    assert_eq!(run.stdout, "formatted  gen.yaml\nformatted  rules/tubes/lines.yaml\n");
    assert_eq!(text(&project, "away/orders.yaml"), ORDERS);
}

#[test]
fn stdin_is_printed_formatted_wherever_one_stands() {
    let nowhere = Project::new();
    let run = nowhere.run_with(&["fmt", "-"], "a:   1\n");
    assert_eq!((run.code, &*run.stdout, &*run.stderr), (0, "a: 1\n", ""));
    let run = nowhere.run_with(&["fmt", "-"], "a: 1\n");
    assert_eq!((run.code, &*run.stdout), (0, "a: 1\n"));
    let run = nowhere.run_with(&["fmt", "--check", "-"], "a:   1\n");
    assert_eq!((run.code, &*run.stdout), (1, "format     <stdin>\n"));
    let run = nowhere.run_with(&["fmt", "--diff", "-"], "a:   1\n");
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.ends_with("-a:   1\n+a: 1\n"), "{}", run.stdout);
    let run = nowhere.run_with(&["fmt", "-"], "a: [1\n");
    assert_eq!((run.code, &*run.stdout), (1, ""));
    assert!(
        run.stderr.contains("yaml::syntax") && run.stderr.contains("<stdin>:1"),
        "{}",
        run.stderr
    );
    let run = nowhere.run_with(&["fmt", "-", "gen.yaml"], "");
    assert_eq!((run.code, &*run.stdout), (64, ""));
}

/// Each YAML that lies here, whatever it is: what can be read says the same afterwards, and is left alone the second time.
#[test]
fn all_yaml_of_the_repository_can_be_formatted() {
    let folders = ["rules", "templates", "fixtures", "tests", "benches"].map(|it| top().join(it));
    let all = folders.iter().flat_map(|it| files(it, ".yaml"));
    let all: Vec<_> = all.chain(folders.iter().flat_map(|it| files(it, ".yml"))).collect();
    let mut n_formatted = 0;
    for path in all {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        match formatted(&text) {
            Ok(once) => {
                n_formatted += 1;
                assert_eq!(formatted(&once).as_ref(), Ok(&once), "{}", path.display());
                assert_eq!(values(&text), values(&once), "{}", path.display());
            }
            Err(Unformatted::Mistakes(_)) => {}
            Err(Unformatted::Changed) => panic!("{}: it would say something else", path.display()),
        }
    }
    assert!(n_formatted > 1000, "{n_formatted} files only");
}

/// Returns what another reader reads of a text; none where it refuses it, such as for a null that is a key.
fn values(text: &str) -> Option<serde_yaml_ng::Value> {
    serde_yaml_ng::from_str(text).ok()
}

/// What comes with `gen` is laid out as `gen fmt` does it: its packs, and the specs of the fixtures.
#[test]
fn our_own_specs_and_packs_are_formatted() {
    let mut projects = folders(&top().join("fixtures"));
    // The spec of the reference is somebody else's text, kept to the letter.
    projects.retain(|it| it.join("gen.yaml").is_file());
    assert!(projects.len() > 5, "{projects:?}");
    let packs = Project::new().file("gen.yaml", "version: 0.2\nname: packs\n");
    for file in files(&top().join("rules"), ".yaml") {
        let path = shown(&file);
        let text = fs::read_to_string(&file).expect("a rule file is text");
        Found::text(&text).write(&packs.dir().join(path));
    }
    projects.push(packs.dir());
    let nowhere = Project::new();
    for project in projects {
        let folder = project.to_str().expect("paths of tests are UTF-8");
        let run = nowhere.run(&["fmt", "--check", "-C", folder]);
        assert_eq!((run.code, &*run.stdout), (0, ""), "{folder}: {}", run.stderr);
    }
}
