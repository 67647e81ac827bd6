//! What one process keeps for the next: it is taken over while nothing has changed, and never longer.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use groundplan::shell::discover;
use groundplan::shell::disk::Disk;
use groundplan::shell::engine::{Ask, Content, Engine, Outcome};

use crate::monorepo::Random;
use crate::project::{Found, Project};
use crate::properties::{Profile, profile};

const ROOT: &str = "version: 0.2
name: shop
include: ['services/*/service.yaml', 'teams/**/*.yaml']
deployment: {platforms: [nomad]}
environments: {dev: {}, prod: {}}
";

/// A file younger than the run that reads it proves nothing, so a test waits longer than any clock's tick.
const TICK: Duration = Duration::from_millis(30);

fn service(name: &str, replicas: usize) -> String {
    format!(
        "services: {{{name}: {{image: 'x/{name}:1', deployment: {{replicas: {replicas}, ports: {{http: 8080}}}}}}}}\n"
    )
}

fn shop() -> Project {
    let project = Project::new().file("gen.yaml", ROOT);
    ["auth", "web"].iter().fold(project, |project, name| {
        project.file(&format!("services/{name}/service.yaml"), &service(name, 2))
    })
}

/// Runs as one process would; tells also whether it took over what an earlier one found out.
fn run(dir: &Path) -> (Outcome, Engine, bool) {
    let mut engine = Engine::open(discover::find_root(dir).expect("the spec is there"));
    let disk = Disk::open(dir).expect("the folder is there");
    let recalled = engine.recall(&disk).is_ok();
    let outcome = engine.outcome(&Ask::default());
    engine.remember(&disk, &Ask::default(), &outcome);
    (outcome, engine, recalled)
}

/// Returns what an outcome says, however it was come by.
fn said(outcome: &Outcome) -> Vec<String> {
    let wanted = outcome
        .wanted
        .iter()
        .map(|it| format!("{} {} {} {:?}", it.path, it.digest, it.rule, it.mode));
    let problems = outcome.problems.iter().map(|it| format!("{it:?}"));
    let environments = outcome.environments.iter().map(|it| format!("{it:?}"));
    wanted.chain(problems).chain(environments).collect()
}

fn clean(dir: &Path) -> Vec<String> {
    let mut engine = Engine::open(discover::find_root(dir).expect("the spec is there"));
    said(&engine.outcome(&Ask::default()))
}

/// Runs until a run takes over what the one before it found out.
fn settle(dir: &Path) {
    for _ in 0..3 {
        std::thread::sleep(TICK);
        if run(dir).2 {
            return;
        }
    }
    panic!("nothing has changed, and still nothing is taken over");
}

#[test]
fn what_is_taken_over_is_what_would_be_derived() {
    let project = shop().file(
        "services/auth/service.yaml",
        "services: {auth: {image: 'x/auth:1', deployment: {ports: {http: 8080}, scaling: {min: 1, max: 3, target_cpu: 50}}}}\n",
    );
    let dir = project.dir();
    settle(&dir);
    let (outcome, mut engine, recalled) = run(&dir);
    assert!(recalled && !outcome.wanted.is_empty());
    assert_eq!(said(&outcome), clean(&dir));
    assert!(outcome.wanted.iter().all(|it| matches!(it.content, Content::Known(_))));
    let paths: Vec<_> = outcome.wanted.iter().map(|it| &it.path).collect();
    let printed = engine.print(&paths).expect("printed on demand");
    assert!(
        engine.is_resumed(),
        "who asks for more gets it without all being derived"
    );
    let digests: Vec<_> = printed
        .iter()
        .map(|it| groundplan::fingerprint::Fingerprint::of(it))
        .collect();
    assert_eq!(digests, outcome.wanted.iter().map(|it| it.digest).collect::<Vec<_>>());

    let dev = Ask {
        environments: vec!["dev".into()],
        ..Ask::default()
    };
    let mut again = Engine::open(discover::find_root(&dir).expect("the spec is there"));
    again
        .recall(&Disk::open(&dir).expect("the folder is there"))
        .expect("taken over");
    let part = again.outcome(&dev);
    let mut derived = Engine::open(discover::find_root(&dir).expect("the spec is there"));
    assert_eq!(said(&part), said(&derived.outcome(&dev)));
    assert!(part.wanted.iter().all(|it| it.path.as_str().starts_with("dev/")));
}

#[test]
fn a_warning_is_said_each_time() {
    let project = shop().file(
        "gen.yaml",
        &format!("{ROOT}infra: {{postgres: {{type: postgresql, clustering: true}}}}\n"),
    );
    assert_eq!(project.run(&["apply"]).code, 0);
    settle(&project.dir());
    let said = project.run(&["plan"]);
    assert!(said.stderr.contains("gen.yaml:6:"), "{}", said.stderr);
    fs::remove_dir_all(project.dir().join(".gen/cache")).expect("removed");
    assert_eq!(project.run(&["plan"]).snapshot(), said.snapshot());
}

/// What is done to the files of a project, and how.
type Change<'a> = (&'a str, Box<dyn Fn() + 'a>);

/// Each of these changes what is generated, or could, and is seen.
#[test]
fn no_change_is_missed() {
    let project = shop();
    let dir = project.dir();
    let path = |it: &str| dir.join(it);
    let write = |it: &str, text: &str| Found::text(text).write(&dir.join(it));
    let changes: Vec<Change<'_>> = vec![
        (
            "a field",
            Box::new(|| write("services/web/service.yaml", &service("web", 3))),
        ),
        (
            "a field, with the time put back",
            Box::new(|| {
                let file = path("services/web/service.yaml");
                let then = fs::metadata(&file).and_then(|it| it.modified()).expect("a time");
                fs::write(&file, service("web", 4)).expect("written");
                let file = fs::File::options().write(true).open(file).expect("opened");
                file.set_modified(then).expect("put back");
            }),
        ),
        (
            "a new folder with a service",
            Box::new(|| write("services/cart/service.yaml", &service("cart", 1))),
        ),
        (
            "a folder with nothing in it yet",
            Box::new(|| fs::create_dir(path("services/mail")).expect("made")),
        ),
        (
            "a service in it",
            Box::new(|| write("services/mail/service.yaml", &service("mailer", 1))),
        ),
        (
            "a service that goes",
            Box::new(|| fs::remove_file(path("services/cart/service.yaml")).expect("removed")),
        ),
        (
            "a folder that goes",
            Box::new(|| fs::remove_dir_all(path("services/cart")).expect("removed")),
        ),
        (
            "a file below a new folder",
            Box::new(|| write("teams/a/b/mail.yaml", &service("mail", 1))),
        ),
        (
            "a file beside it",
            Box::new(|| write("teams/a/b/post.yaml", &service("post", 1))),
        ),
        ("a file of ignored names", Box::new(|| write("teams/.gitignore", "b\n"))),
        ("another ignored name", Box::new(|| write("teams/.gitignore", "c\n"))),
        (
            "a link that leads nowhere yet",
            Box::new(|| {
                std::os::unix::fs::symlink("../elsewhere", path("services/later")).expect("linked");
            }),
        ),
        (
            "what it leads to",
            Box::new(|| write("elsewhere/service.yaml", &service("later", 1))),
        ),
        (
            "a rule of its own",
            Box::new(|| write("rules/own/pack.yaml", "pack: own\ndoc: Own.\nrequires: [core]\n")),
        ),
        (
            "another of its files",
            Box::new(|| {
                write(
                    "rules/own/no.yaml",
                    "rules:\n  - {rule: no, doc: No., match: '(s:service)', warn: 'no ${s.name}', at: s}\n",
                )
            }),
        ),
        (
            "an environment",
            Box::new(|| write("gen.yaml", &ROOT.replace("dev: {}", "test: {}"))),
        ),
        ("a mistake", Box::new(|| write("gen.yaml", "version: [\n"))),
        ("no mistake", Box::new(|| write("gen.yaml", ROOT))),
    ];
    for (what, change) in changes {
        if what != "no mistake" {
            settle(&dir);
        }
        change();
        let (outcome, _, recalled) = run(&dir);
        assert!(!recalled, "{what} is missed");
        assert_eq!(said(&outcome), clean(&dir), "after {what}");
    }
}

/// A second change within one tick of the clock leaves size and times as they were.
#[test]
fn two_saves_within_one_tick_are_seen() {
    let project = shop();
    let dir = project.dir();
    let file = dir.join("services/web/service.yaml");
    for n in 0..8 {
        fs::write(&file, service("web", 1 + n % 9)).expect("written");
        run(&dir);
        fs::write(&file, service("web", 1 + (n + 1) % 9)).expect("written");
        assert_eq!(said(&run(&dir).0), clean(&dir), "save {n}");
    }
}

/// Random edits, each seen by a process of its own, with the cache lost or damaged now and then.
#[test]
fn random_edits_across_processes_give_what_a_clean_run_gives() {
    let n_edits = match profile() {
        Profile::Ci => 20,
        Profile::Long => 1_000,
    };
    let mut random = Random(11);
    let project = shop();
    let dir = project.dir();
    let mut n_recalled = 0;
    for n in 0..n_edits {
        let name = *random.one_of(&["auth", "web", "cart", "mail"]);
        let file = dir.join(format!("services/{name}/service.yaml"));
        match random.below(6) {
            0 => _ = fs::remove_file(&file),
            1 | 2 => Found::text(&service(name, 1 + random.below(9))).write(&file),
            3 => damage(&dir.join(".gen/cache/outcome"), &mut random),
            _ => std::thread::sleep(TICK),
        }
        let (outcome, _, recalled) = run(&dir);
        n_recalled += usize::from(recalled);
        assert_eq!(said(&outcome), clean(&dir), "edit {n}");
    }
    crate::say(&format!("recall: {n_edits} edits, {n_recalled} runs derived nothing"));
    assert!(n_recalled > 0, "nothing is ever taken over");
}

/// Takes a file away, cuts it off, or turns one bit of it.
pub(crate) fn damage(file: &Path, random: &mut Random) {
    let Ok(mut bytes) = fs::read(file) else { return };
    match random.below(3) {
        0 => fs::remove_file(file).expect("removed"),
        1 => fs::write(file, &bytes[..random.below(bytes.len())]).expect("written"),
        _ => {
            let at = random.below(bytes.len());
            bytes[at] ^= 1 << random.below(8);
            fs::write(file, bytes).expect("written");
        }
    }
}

/// A file from the future would be as young as every run.
#[test]
fn a_time_in_the_future_is_no_proof() {
    let project = shop();
    let dir = project.dir();
    settle(&dir);
    let file = fs::File::options()
        .write(true)
        .open(dir.join("gen.yaml"))
        .expect("opened");
    file.set_modified(SystemTime::now() + Duration::from_secs(3600))
        .expect("set");
    for _ in 0..3 {
        std::thread::sleep(TICK);
        assert!(!run(&dir).2);
    }
}
