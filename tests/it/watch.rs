//! `gen watch` over what it has written: what somebody deletes comes back, what no rule wants any more does not.

use std::cell::RefCell;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::project::Project;

/// How long something may take on a busy machine.
const SOON: Duration = Duration::from_secs(60);

const SPEC: &str = "version: 0.2
name: watched
deployment: {platforms: [procfile]}
services:
  web: {command: [serve]}
";

/// A watch that runs until it is dropped.
struct Watching(Child);

impl Watching {
    fn over(folder: &Path) -> Self {
        Self::heard(folder, &["watch", "--quiet"], Stdio::null())
    }

    /// Begins a watch that speaks to `stderr`.
    fn heard(folder: &Path, words: &[&str], stderr: Stdio) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_gen"))
            .args(words)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(stderr)
            .spawn();
        Self(child.expect("gen starts"))
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        // It may have ended by itself, which the test has seen then.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[track_caller]
fn until(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < SOON, "not so after {SOON:?}: {what}");
        sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_watch_over_no_environment_ends_at_once() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let spec = "version: 0.2\nname: post\nenvironments: {prod: {}}\n";
    fs::write(folder.path().join("gen.yaml"), spec).expect("written");
    let heard = folder.path().join("stderr.txt");
    let stderr = fs::File::create(&heard).expect("the folder is ours");
    let words = ["watch", "--env", "prdo"];
    let watching = RefCell::new(Watching::heard(folder.path(), &words, stderr.into()));
    let ended = || watching.borrow_mut().0.try_wait().expect("it was started");
    until("it has ended", || ended().is_some());
    assert_eq!(ended().and_then(|it| it.code()), Some(1));
    let heard = fs::read_to_string(&heard).expect("text");
    assert!(heard.contains("shell::unknown_environment"), "{heard}");
    assert!(heard.contains("did you mean `prod`?"), "{heard}");
}

#[test]
fn what_is_deleted_under_a_watch_is_written_again() {
    let pack = "pack: tubes\ndoc: Tubes.\nrequires: [core]\n";
    let rules = "rules:\n  - rule: line\n    match: (s:service)\n    artifact: {path: 'out/lines/${s.name}.yaml', template: tubes/line.yaml, with: {s: s}}\n";
    let project = Project::new()
        .file("gen.yaml", SPEC)
        .file("rules/tubes/pack.yaml", pack)
        .file("rules/tubes/line.yaml", rules)
        .file("templates/tubes/line.yaml", "name: ${s.name}\n");
    let folder = project.dir();
    let at = |path: &str| folder.join(path);
    let holds = |path: &str, part: &str| fs::read_to_string(at(path)).is_ok_and(|it| it.contains(part));
    let _watching = Watching::over(&folder);
    until("the first run writes", || {
        holds("out/lines/web.yaml", "web") && holds("Procfile", "serve")
    });

    // The watches of new folders come a moment after the files; of a loss in between nobody hears.
    sleep(Duration::from_secs(3));
    for _ in 0..3 {
        fs::remove_file(at("out/lines/web.yaml")).expect("removed");
        until("a lost file comes back", || holds("out/lines/web.yaml", "web"));
    }
    fs::remove_file(at("Procfile")).expect("removed");
    until("a file at the root comes back", || holds("Procfile", "serve"));
    fs::remove_dir_all(at("out")).expect("removed");
    until("a folder comes back", || holds("out/lines/web.yaml", "web"));
    fs::rename(at("out"), at("elsewhere")).expect("moved");
    until("a folder that is moved away comes back", || {
        holds("out/lines/web.yaml", "web")
    });

    // What a rule takes away stays away.
    fs::write(at("gen.yaml"), SPEC.replace("web:", "shop:")).expect("written");
    until("a rename is followed", || {
        holds("out/lines/shop.yaml", "shop") && !at("out/lines/web.yaml").exists()
    });
    sleep(Duration::from_millis(500));
    assert!(!at("out/lines/web.yaml").exists());
    fs::remove_file(at("out/lines/shop.yaml")).expect("removed");
    until("a new file comes back too", || holds("out/lines/shop.yaml", "shop"));
}

#[test]
fn a_file_edited_by_hand_holds_up_the_others_and_that_is_said() {
    let project = Project::new().file(
        "gen.yaml",
        "version: 0.2\nname: watched\ndeployment: {platforms: [procfile]}\nservices: {web: {command: [serve]}}\n\
         environments: {dev: {}, prod: {}, test: {}}\n",
    );
    let folder = project.dir();
    assert_eq!(project.run(&["apply"]).code, 0);
    let written = project.files();
    let outputs: Vec<&String> = written.keys().filter(|it| it.ends_with("Procfile")).collect();
    assert_eq!(outputs.len(), 3, "{outputs:?}");
    fs::write(folder.join(outputs[0]), "mine\n").expect("written");
    let spec = fs::read_to_string(folder.join("gen.yaml")).expect("there");
    fs::write(folder.join("gen.yaml"), spec.replace("[serve]", "[serve, all]")).expect("written");
    let heard = folder.join("../heard");
    let stderr = fs::File::create(&heard).expect("made");
    let _watching = Watching::heard(&folder, &["watch"], stderr.into());
    until("it says how many wait", || {
        let heard = fs::read_to_string(&heard).unwrap_or_default();
        heard.contains("2 other files wait: `gen apply --overwrite=PATH`")
            && heard.contains(&format!("--overwrite={}", outputs[0]))
    });
}

#[test]
fn what_is_kept_of_a_pack_from_elsewhere_is_watched() {
    let pack = "pack: tubes\ndoc: Tubes.\nrequires: [core]\n";
    let rules = "rules:\n  - rule: line\n    match: (s:service)\n    artifact: {path: 'out/${s.name}.yaml', template: tubes/line.yaml, with: {s: s}}\n";
    let project = Project::new()
        .file(
            "gen.yaml",
            &SPEC.replace("services", "packs: {tubes: {path: ../packs}}\nservices"),
        )
        .file("../packs/rules/tubes/pack.yaml", pack)
        .file("../packs/rules/tubes/line.yaml", rules)
        .file("../packs/templates/tubes/line.yaml", "name: ${s.name}\n");
    let folder = project.dir();
    assert_eq!(project.run(&["pack", "lock"]).code, 0);
    let heard = folder.join("../heard");
    let stderr = fs::File::create(&heard).expect("made");
    let _watching = Watching::heard(&folder, &["watch"], stderr.into());
    let holds = |part: &str| fs::read_to_string(folder.join("out/web.yaml")).is_ok_and(|it| it.contains(part));
    until("the first run writes", || holds("name: web"));
    sleep(Duration::from_secs(1));
    let said = |part: &str| fs::read_to_string(&heard).is_ok_and(|it| it.contains(part));
    assert!(said("watching; 2 files on record"));

    // What was not locked holds up all, until it is put back.
    let kept = folder.join(".gen/packs/templates/tubes/line.yaml");
    fs::write(&kept, "other: ${s.name}\n").expect("written");
    until("a change by hand is refused", || said("shell::pack_altered"));
    assert!(holds("name: web"));
    fs::write(
        folder.join("gen.yaml"),
        fs::read_to_string(folder.join("gen.yaml"))
            .expect("there")
            .replace("web:", "shop:"),
    )
    .expect("written");
    assert_eq!(project.run(&["pack", "lock"]).code, 0);
    until("it goes on once that is put back", || {
        folder.join("out/shop.yaml").exists()
    });
    until("it says that all is well again", || said("mended; 2 files on record"));

    fs::write(folder.join("../packs/templates/tubes/line.yaml"), "new: ${s.name}\n").expect("written");
    assert_eq!(project.run(&["pack", "update"]).code, 0);
    until("what is locked anew is printed", || {
        fs::read_to_string(folder.join("out/shop.yaml")).is_ok_and(|it| it.contains("new: shop"))
    });
}

#[test]
fn a_plan_beside_a_watch_that_rests_knows_the_reasons() {
    let project = Project::new().file("gen.yaml", SPEC);
    let folder = project.dir();
    let edit = |from: &str, to: &str| {
        let spec = fs::read_to_string(folder.join("gen.yaml")).expect("there");
        fs::write(folder.join("gen.yaml"), spec.replace(from, to)).expect("written");
    };
    let kept = |word: &str| fs::read(folder.join(".gen/cache/inputs")).is_ok_and(|it| holds(&it, word));
    let watching = Watching::over(&folder);
    until("the first inputs are kept", || kept("[serve]"));
    edit("[serve]", "[serve, all]");
    until("the next inputs are kept", || kept("[serve, all]"));
    // It is killed, and keeps nothing more.
    drop(watching);
    edit("[serve, all]", "[serve, some]");
    let plan = project.run(&["plan"]).stdout;
    assert!(
        plan.contains("because gen.yaml:5 services.web.command [serve, all] → [serve, some]"),
        "{plan}"
    );
}

fn holds(bytes: &[u8], word: &str) -> bool {
    bytes.windows(word.len()).any(|it| it == word.as_bytes())
}
