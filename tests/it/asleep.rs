//! Built-in packs of platforms on which no node is: they say nothing, and wake when one comes.

use groundplan::shell::discover;
use groundplan::shell::disk::Disk;
use groundplan::shell::engine::{Ask, Changed, Engine, Outcome};

use crate::project::Project;

fn spec(platforms: &str) -> String {
    format!(
        "version: 0.2\nname: shop\nservices:\n  web: {{image: 'x/web:1', command: [web], deployment: {{platforms: [{platforms}], ports: {{http: 8080}}}}}}\n"
    )
}

/// Returns the packs whose rules want an artifact, each once.
fn packs(outcome: &Outcome) -> Vec<String> {
    assert!(!outcome.is_invalid(), "{:#?}", outcome.problems);
    let packs = outcome.wanted.iter().filter_map(|it| it.rule.split_once('/'));
    let mut packs: Vec<String> = packs.map(|it| it.0.to_owned()).collect();
    packs.sort();
    packs.dedup();
    packs
}

/// Runs as a process of its own would, after those before it.
fn run(project: &Project) -> Outcome {
    let mut engine = Engine::open(discover::find_root(&project.dir()).expect("the spec is there"));
    let disk = Disk::open(&project.dir()).expect("the folder is there");
    let _: Result<(), String> = engine.recall(&disk);
    let outcome = engine.outcome(&Ask::default());
    engine.remember(&disk, &Ask::default(), &outcome);
    outcome
}

#[test]
fn a_pack_wakes_with_the_first_node_on_its_platform_and_sleeps_after_the_last() {
    let mut project = Project::new().file("gen.yaml", &spec("procfile"));
    let mut engine = Engine::open(discover::find_root(&project.dir()).expect("the spec is there"));
    assert_eq!(packs(&engine.outcome(&Ask::default())), ["procfile"]);
    assert_eq!(packs(&run(&project)), ["procfile"]);
    for (platforms, expected) in [
        ("procfile, kubernetes", &["kubernetes", "procfile"][..]),
        ("kubernetes", &["kubernetes"]),
        ("procfile", &["procfile"]),
    ] {
        project = project.file("gen.yaml", &spec(platforms));
        engine.refresh(&Changed::Paths(vec!["gen.yaml".to_owned()]));
        assert_eq!(
            packs(&engine.outcome(&Ask::default())),
            expected,
            "{platforms}, in one process"
        );
        assert_eq!(packs(&run(&project)), expected, "{platforms}, in another process");
    }
}

#[test]
fn a_rule_of_ones_own_wakes_the_pack_of_the_platform_it_speaks_of() {
    let rule = "rules:
  - rule: second
    match: (p:project)
    nodes: [{node: 'service.twin', fields: {image: 'x/twin:1', command: [twin], deployment: {platforms: [procfile]}}}]
";
    let project = Project::new()
        .file("gen.yaml", &spec("kubernetes"))
        .file("rules/twins.yaml", rule);
    assert_eq!(packs(&run(&project)), ["kubernetes", "procfile"]);
}

#[test]
fn a_rule_that_sleeps_can_be_disabled_and_replaced_and_is_explained() {
    let rule = "rules:
  - rule: own-deployment
    replaces: kubernetes/workload
    match: (s:service)
    artifact: {path: '${s.name}.txt', template: own.txt.hbs, with: {name: s.name}}
";
    let project = Project::new()
        .file("gen.yaml", &format!("{}disable: [nomad/nomad-job]\n", spec("procfile")))
        .file("rules/own.yaml", rule)
        .file("templates/own.txt.hbs", "{{name}}\n");
    assert_eq!(packs(&run(&project)), ["procfile", "project"]);
    let explained = project.run(&["explain", "nomad/nomad-check-of-a-name"]);
    assert!(
        explained.stderr.contains("explain::not_in_force"),
        "{}",
        explained.snapshot()
    );
}
