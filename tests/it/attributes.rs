//! `gen init --gitattributes`: what git is told of generated files, and that it touches nothing else.

use std::fs;
use std::process::Command;

use crate::project::Project;

const PACK: &str =
    "pack: tubes\ndoc: Tubes.\nkinds: {station: {collection: stations, fields: {bore: {type: int, default: 80}}}}\n";
const RULES: &str = "rules:\n  - rule: line\n    doc: A line.\n    match: (s:station)\n    artifact: {path: 'out/lines/${s.name}.txt', template: \
                     tubes/line.txt.hbs, with: {s: s}}\n  - rule: sign\n    doc: A sign.\n    match: (s:station)\n    artifact: {path: \
                     'signs/of ${s.name}.txt', template: tubes/line.txt.hbs, with: {s: s}}\n";

fn post() -> Project {
    Project::new()
        .file("gen.yaml", "version: 0.2\nname: post\ninclude: ['stations/*.yaml']\n")
        .file("stations/north.yaml", "stations: {north: {}}\n")
        .file("rules/tubes/pack.yaml", PACK)
        .file("rules/tubes/lines.yaml", RULES)
        .file("templates/tubes/line.txt.hbs", "{{s.bore}}\n")
}

#[track_caller]
fn shell(project: &Project, line: &str) {
    assert_eq!(project.shell(line), None, "{line}");
}

#[track_caller]
fn attributed(project: &Project, word: &str) -> String {
    let run = project.run(&["init", "--gitattributes"]);
    assert_eq!(run.code, 0, "{}", run.snapshot());
    assert_eq!(run.stdout, format!("{word:<10} .gitattributes\n"));
    fs::read_to_string(project.dir().join(".gitattributes")).expect("it was written")
}

#[test]
fn git_knows_what_is_generated_and_what_is_not() {
    let project = post()
        .file("signs/mine.txt", "mine\n")
        .file(".gitattributes", "*.png binary");
    shell(&project, "git init -q .");
    assert_eq!(project.run(&["apply"]).code, 0);
    let written = attributed(&project, "updated");
    let block = "# Begin of what `gen init --gitattributes` writes.\n\
                 \"/signs/of north.txt\" linguist-generated\n\
                 /out/** linguist-generated\n\
                 /.gen/manifest/** linguist-generated merge=union\n\
                 /.gen/packs/** linguist-vendored -text\n\
                 /gen.lock linguist-generated -text\n\
                 # End of what `gen init --gitattributes` writes.\n";
    assert_eq!(written, format!("*.png binary\n{block}"));
    let is_generated = |path: &str| {
        let output = Command::new("git")
            .args(["check-attr", "linguist-generated", "--", path])
            .current_dir(project.dir())
            .output()
            .expect("there is git");
        String::from_utf8_lossy(&output.stdout).ends_with(": set\n")
    };
    for path in ["out/lines/north.txt", "signs/of north.txt", ".gen/manifest/+.txt"] {
        assert!(is_generated(path), "{path}");
    }
    for path in [
        "signs/mine.txt",
        "gen.yaml",
        "rules/tubes/lines.yaml",
        "a/out/lines/north.txt",
    ] {
        assert!(!is_generated(path), "{path}");
    }
    assert_eq!(attributed(&project, "unchanged"), written);
    // What comes to stand beside generated files is told apart when the block is written anew.
    let more = format!("{written}*.jpg binary\n");
    let project = project.file(".gitattributes", &more).file("out/mine.txt", "mine\n");
    let again = attributed(&project, "updated");
    assert_eq!(again, more.replace("/out/**", "/out/lines/**"));
    assert_eq!(project.run(&["plan", "--detailed-exitcode"]).code, 0);
}

#[test]
fn a_foreign_file_is_left_as_it_is() {
    let project = post();
    let run = project.run(&["init", "--gitattributes"]);
    assert!(
        run.code == 0 && run.stderr.contains("nothing is generated yet"),
        "{}",
        run.snapshot()
    );
    let torn = "*.png binary\n# Begin of what `gen init --gitattributes` writes.\nmine\n";
    let project = project.file(".gitattributes", torn);
    let run = project.run(&["init", "--gitattributes"]);
    assert!(
        run.code == 1 && run.stderr.contains("shell::torn_block"),
        "{}",
        run.snapshot()
    );
    assert_eq!(
        fs::read_to_string(project.dir().join(".gitattributes")).expect("there"),
        torn
    );
    shell(
        &project,
        "rm .gitattributes; echo theirs > ../theirs; ln -s ../theirs .gitattributes",
    );
    let run = project.run(&["init", "--gitattributes"]);
    assert!(
        run.code == 1 && run.stderr.contains("shell::no_plain_file"),
        "{}",
        run.snapshot()
    );
    assert_eq!(
        fs::read_to_string(project.dir().join("../theirs")).expect("there"),
        "theirs\n"
    );
    // Without the flag nothing is said to git.
    let fresh = Project::new().file("Dockerfile", "FROM scratch\n");
    assert_eq!(fresh.run(&["init"]).code, 0);
    assert!(!fresh.dir().join(".gitattributes").exists());
}

#[test]
fn manifests_of_two_branches_merge_by_themselves() {
    let project = post();
    assert_eq!(project.run(&["apply"]).code, 0);
    attributed(&project, "created");
    let user = "-c user.name=a -c user.email=a@b";
    let commit = format!("git add -A; git {user} commit -qm more");
    shell(
        &project,
        &format!("git init -q -b main .; echo .gen/cache/ > .gitignore; {commit}; git branch other"),
    );
    for (branch, station) in [("main", "east"), ("other", "nord"), ("other", "west")] {
        shell(
            &project,
            &format!("git checkout -q {branch}; echo 'stations: {{{station}: {{}}}}' > stations/{station}.yaml"),
        );
        assert_eq!(project.run(&["apply"]).code, 0);
        shell(&project, &commit);
    }
    shell(&project, &format!("git {user} merge -q --no-edit main"));
    let run = project.run(&["plan", "--detailed-exitcode"]);
    assert_eq!((run.code, &*run.stdout), (0, ""), "{}", run.snapshot());
    assert_eq!(project.run(&["apply"]).code, 0);
    assert_eq!(project.run(&["check"]).code, 0);
}
