//! What commands say to people, on stderr, where a golden folder looks at stdout alone.

use crate::project::Project;

const PACK: &str = "pack: tubes\ndoc: Tubes.\nkinds: {station: {collection: stations, fields: {bore: {type: int, default: 80}, label: string}}}\n";
const RULES: &str = "rules:\n  - rule: line\n    doc: A line.\n    match: (s:station)\n    artifact: {path: 'tubes/${s.name}.txt', template: \
                     tubes/line.txt.hbs, with: {s: s}}\n";

fn post(spec: &str) -> Project {
    Project::new()
        .file("gen.yaml", spec)
        .file("rules/tubes/pack.yaml", PACK)
        .file("rules/tubes/lines.yaml", RULES)
        .file("templates/tubes/line.txt.hbs", "{{s.bore}}\n")
}

const SPEC: &str = "version: 0.2\nname: post\nstations: {north: {}}\n";

#[test]
fn a_plan_and_a_check_count_the_errors() {
    let project = post("version: 0.2\nname: post\nstations: {north: {bore: wide}}\n");
    for command in ["plan", "check"] {
        let run = project.run(&[command]);
        assert_eq!(run.code, 1, "{}", run.stderr);
        assert!(run.stderr.ends_with("invalid: 1 error\n"), "{command}: {}", run.stderr);
    }
}

#[test]
fn a_check_does_not_send_to_an_apply_that_would_refuse() {
    let project = post(SPEC);
    assert_eq!(project.run(&["apply"]).code, 0);
    std::fs::write(project.dir().join("tubes/north.txt"), "81\n").expect("the folder is ours");
    let run = project.run(&["check"]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    let last = run.stderr.lines().last().unwrap_or_default();
    assert!(
        last.contains("gen apply --overwrite=PATH") && !last.contains("run `gen apply`"),
        "{last}"
    );
    std::fs::remove_file(project.dir().join("tubes/north.txt")).expect("it is there");
    let run = project.run(&["check"]);
    assert!(run.stderr.ends_with("run `gen apply`\n"), "{}", run.stderr);
}

#[test]
fn the_schema_and_the_packs_are_shown_without_a_project() {
    let nowhere = Project::new();
    let schema = nowhere.run(&["schema"]);
    assert_eq!((schema.code, &*schema.stderr), (0, ""));
    assert!(schema.stdout.contains("\"services\""), "{}", schema.stdout);
    for command in [
        &["pack", "list"][..],
        &["pack", "show", "core"],
        &["pack", "doc", "core"],
    ] {
        let run = nowhere.run(command);
        assert_eq!((run.code, &*run.stderr), (0, ""), "{command:?}");
        assert!(run.stdout.contains("core"), "{command:?}");
    }
    // What writes into a project needs one.
    let run = nowhere.run(&["pack", "eject", "core"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("shell::no_spec"), "{}", run.stderr);
}

#[test]
fn a_value_that_is_set_is_yaml() {
    let project = post(SPEC);
    let run = project.run(&["plan", "--set", "stations.north.label=\"a: b\""]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let run = project.run(&["plan", "--set", "stations.north.label=a: b"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    let help = project.run(&["plan", "--help"]).stdout;
    assert!(help.contains("The value is YAML"), "{help}");
}

/// A file of the project in the place of a built-in one: a mistake is shown in the file of the project.
#[test]
fn a_mistake_is_shown_in_the_file_that_was_read() {
    let project = Project::new().file("gen.yaml", "version: 0.2\nname: post\n");
    assert_eq!(project.run(&["pack", "eject", "vault"]).code, 0);
    let path = project.dir().join("rules/vault/secrets.yaml");
    let text = std::fs::read_to_string(&path).expect("it was copied");
    std::fs::write(&path, format!("# One line more.\n{}", text.replace("x.keys", "x.kyes")))
        .expect("the folder is ours");
    let run = project.run(&["check"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(
        run.stderr.contains("x.kyes"),
        "the line that is wrong is shown: {}",
        run.stderr
    );
}

#[test]
fn a_name_without_its_kind_is_known_again() {
    let project = post("version: 0.2\nname: post\nstations: {north: {}}\ninfra: {north: {type: redis}}\n")
        .file("rules/tubes/pack.yaml", &format!("{PACK}requires: [core]\n"));
    let run = project.run(&["explain", "north"]);
    let said = "did you mean `infra.north` or `station.north`?";
    assert!(run.code == 1 && run.stderr.contains(said), "{}", run.stderr);
    let run = project.run(&["explain", "nrth"]);
    assert!(run.stderr.contains(said), "{}", run.stderr);
    let run = project.run(&["explain", "spec::unknown_taget"]);
    let said = "did you mean `spec::unknown_target`?";
    assert!(run.code == 1 && run.stderr.contains(said), "{}", run.stderr);
    let run = project.run(&["explain", "south"]);
    assert!(run.stderr.contains("name a node as `service.orders`"), "{}", run.stderr);
}

/// Where one node alone bears a name, that is enough: of the whole project, too, and where a rule has added it.
#[test]
fn a_node_is_explained_by_its_name_alone() {
    let spec = "version: 0.2\nname: post\ndeployment: {platforms: [docker-compose]}\n\
                services: {post: {framework: django, build: {context: .}}}\n";
    let project = Project::new().file("gen.yaml", spec);
    for (name, node) in [("post", "service.post"), ("post-db", "infra.post-db")] {
        let run = project.run(&["explain", name]);
        assert!(run.code == 0 && run.stdout.starts_with(node), "{}", run.snapshot());
    }
    let run = project.run(&["explain", "core/waits-for", "post-db"]);
    assert!(run.stdout.contains("infra.post-db"), "{}", run.snapshot());
}

/// What is blamed is what would be written, which may not be what somebody looks at.
#[test]
fn a_blamed_file_that_stands_otherwise_is_told() {
    let project = post(SPEC);
    let said = |run: &crate::project::Run| run.stderr.contains("shown is what gen would write");
    let files = project.run(&["plan", "--json"]).stdout;
    let files: serde_json::Value = serde_json::from_str(&files).expect("JSON");
    let path = files["changes"][0]["path"]
        .as_str()
        .expect("a file is planned")
        .to_owned();
    let run = project.run(&["blame", &path]);
    assert!(
        said(&run) && run.stderr.contains("does not stand on the disk yet"),
        "{}",
        run.stderr
    );
    assert_eq!(project.run(&["apply"]).code, 0);
    let run = project.run(&["blame", &path]);
    assert!(run.code == 0 && run.stderr.is_empty(), "{}", run.stderr);
    std::fs::write(project.dir().join(&path), "mine\n").expect("the folder is ours");
    let run = project.run(&["blame", &path]);
    assert!(
        said(&run) && run.stderr.contains("was edited by hand"),
        "{}",
        run.stderr
    );
}

#[test]
fn where_the_time_went_is_said_to_who_asks() {
    let project = post(SPEC);
    let run = project.run(&["plan", "--timings"]);
    for part in [
        "recall ",
        "derive ",
        "  read files ",
        "  facts and rendering ",
        "compare ",
        "total ",
    ] {
        assert!(run.stderr.contains(part), "{part}: {}", run.stderr);
    }
    assert!(!project.run(&["plan"]).stderr.contains(" ms"));
    assert_eq!(project.run(&["plan", "--timings", "--quiet"]).code, 64);
    let run = project.run(&["check", "--output-format", "json", "--timings"]);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    let phases = document["timings"].as_array().expect("phases");
    let derive = phases.iter().find(|it| it["phase"] == "derive").expect("it is derived");
    assert!(
        derive["ms"].is_number() && derive["parts"][0]["phase"] == "read files",
        "{derive}"
    );
}

#[test]
fn a_log_says_why_a_run_derived_anew() {
    let project = post(SPEC);
    let log = || project.run(&["plan", "--log", "steps"]).stderr;
    assert!(log().contains("derived anew: no earlier run is remembered\n"));
    let log_after = |path: &str, text: &str| {
        std::thread::sleep(std::time::Duration::from_millis(30));
        project.run(&["plan"]);
        std::fs::write(project.dir().join(path), text).expect("the folder is ours");
        log()
    };
    let edited = log_after("gen.yaml", &SPEC.replace("{}", "{bore: 90}"));
    assert!(
        edited.contains("went on from the last run: `gen.yaml` may have changed\n"),
        "{edited}"
    );
    let renamed = log_after("gen.yaml", &SPEC.replace("north", "south"));
    assert!(
        renamed.contains("derived anew: `gen.yaml` may have changed; nodes or rules came, went or"),
        "{renamed}"
    );
    let template = log_after("templates/tubes/line.txt.hbs", "{{s.bore}}!\n");
    assert!(
        template.contains("went on from the last run: `templates/tubes/line.txt.hbs` may have changed\n"),
        "{template}"
    );
    let head = std::fs::read_to_string(project.dir().join("rules/tubes/pack.yaml")).expect("it is there");
    let pack = log_after("rules/tubes/pack.yaml", &format!("# Tubes.\n{head}"));
    assert!(
        pack.contains("others than those of the spec, rules and templates changed"),
        "{pack}"
    );
}

#[test]
fn a_trace_says_what_was_asked_and_why() {
    let project = post(SPEC);
    let trace = || project.run(&["apply", "--log", "trace"]).stderr;
    let first = trace();
    let file = "trace: `tubes/north.txt` is printed: nothing is known of it\n";
    assert!(first.contains(file), "{first}");
    assert!(
        first.contains("trace: lowered_file(Id(") && first.contains(") is asked for the first time\n"),
        "{first}"
    );
    std::thread::sleep(std::time::Duration::from_millis(30));
    project.run(&["plan"]);
    std::fs::write(project.dir().join("gen.yaml"), SPEC.replace("{}", "{bore: 90}")).expect("the folder is ours");
    let edited = trace();
    for line in [
        "trace: `station.north` holds something else: what may read that is asked\n",
        "trace: the rule `tubes/line` is asked at `station.north`\n",
        "trace: `tubes/north.txt` is printed: what it is made of has changed\n",
    ] {
        assert!(edited.contains(line), "no {line:?} in {edited}");
    }
    assert!(
        !trace().contains("trace: "),
        "nothing has changed, and something is asked"
    );
}

#[test]
fn there_is_a_manual_page_of_each_command() {
    let nowhere = Project::new();
    let page = nowhere.run(&["man"]);
    assert_eq!((page.code, &*page.stderr), (0, ""));
    assert!(
        page.stdout.contains(".TH gen 1") && page.stdout.contains("gen\\-affected"),
        "{}",
        page.stdout
    );
    let plan = nowhere.run(&["man", "plan"]).stdout;
    assert!(plan.contains("gen\\-plan") || plan.contains("gen-plan"), "{plan}");
    assert!(plan.contains("gen plan [OPTIONS] [PATH]"), "{plan}");
    assert!(plan.contains("\\fB\\-\\-since\\fR \\fI<"), "{plan}");
    let wrong = nowhere.run(&["man", "paln"]);
    assert!(
        wrong.code == 64 && wrong.stderr.contains("did you mean `plan`?"),
        "{}",
        wrong.stderr
    );
}
