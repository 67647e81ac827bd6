//! Fields: short forms, units, defaults, aliases, what the project gives.

use super::{names, project, project_with};
use crate::spec;

const SEED: &str = r#"
version: 0.2
name: ref

deployment:
  platforms: [tubes]
  tubes:
    line: dc1
    default_resources:
      cpu: 256
      memory: 128
  infrastructure:
    consul:
      enabled: true
      address: "127.0.0.1:8500"
    router:
      type: switch

services:
  todo:
    kind: domain
    deployment:
      tubes:
        port: 8080
        count: 2
"#;

#[test]
fn a_spec_becomes_nodes() {
    let it = project(SEED, &[]);
    assert_eq!(it.told(), [""; 0]);
    let all = spec::addresses(&it.db, it.project, 0);
    assert_eq!(
        names(all),
        ["infra.consul", "infra.router", "project.ref", "service.todo"]
    );
    assert_eq!(it.at("infra.consul", "type"), "consul");
    assert_eq!(it.at("infra.router", "type"), "switch");
    assert_eq!(it.at("infra.consul", "address"), "127.0.0.1:8500");
    assert_eq!(it.at("project.ref", "deployment.infrastructure"), "{}");
}

#[test]
fn the_project_gives_defaults() {
    let it = project(SEED, &[]);
    assert_eq!(it.at("service.todo", "deployment.platforms"), "[tubes]");
    assert_eq!(it.at("service.todo", "deployment.tubes.line"), "dc1");
    assert_eq!(it.at("service.todo", "deployment.tubes.resources.cpu"), "256");
    assert_eq!(
        it.at("service.todo", "deployment.tubes.resources.memory"),
        (128 << 20).to_string()
    );
    assert_eq!(it.at("service.todo", "deployment.tubes.bore"), "80");
    assert_eq!(it.at("service.todo", "deployment.tubes.default_resources"), "absent");
    assert_eq!(it.at("service.todo", "deployment.core_mhz"), "absent");
}

#[test]
fn own_words_fill_neutral_ones() {
    let it = project(SEED, &[]);
    assert_eq!(it.at("service.todo", "deployment.replicas"), "2");
    assert_eq!(
        it.at("service.todo", "deployment.ports"),
        "{http: {port: 8080, static: true}}"
    );
    assert_eq!(it.at("service.todo", "deployment.resources.cpu"), "256");
}

#[test]
fn neutral_words_fill_own_ones_and_own_win() {
    let it = project(
        "
name: x
services:
  a: {deployment: {replicas: 3, resources: {cpu: 1, memory: 1Gi}, tubes: {resources: {cpu: 500}}}}
  b: {deployment: {replicas: 3, tubes: {count: 4, port: 80}, ports: {http: 81, metrics: 90}}}
  c: {}
",
        &[],
    );
    assert_eq!(it.told(), [""; 0]);
    assert_eq!(it.at("service.a", "deployment.tubes.count"), "3");
    assert_eq!(
        it.at("service.a", "deployment.tubes.resources"),
        format!("{{cpu: 500, memory: {}}}", 1 << 30)
    );
    assert_eq!(
        it.at("service.a", "deployment.resources"),
        format!("{{cpu: 1000, memory: {}}}", 1 << 30)
    );
    assert_eq!(it.at("service.b", "deployment.tubes.count"), "4");
    assert_eq!(it.at("service.b", "deployment.replicas"), "3");
    assert_eq!(
        it.at("service.b", "deployment.ports"),
        "{http: {port: 81, static: true}, metrics: {port: 90, static: false}}"
    );
    assert_eq!(it.at("service.b", "deployment.tubes.port"), "80");
    assert_eq!(
        it.at("service.c", "deployment.tubes.count"),
        "1",
        "the default of the neutral field"
    );
}

#[test]
fn what_a_service_says_wins_over_what_the_project_says_in_other_words() {
    let root = "
name: x
deployment: {tubes: {default_resources: {cpu: 256, memory: 128}}}
services:
  a: {deployment: {resources: {cpu: 2}}}
";
    let it = project(root, &[]);
    assert_eq!(it.at("service.a", "deployment.tubes.resources.cpu"), "2000");
    assert_eq!(it.at("service.a", "deployment.resources.cpu"), "2000");
    assert_eq!(
        it.at("service.a", "deployment.resources.memory"),
        (128 << 20).to_string()
    );
}

#[test]
fn megahertz_follow_the_projects_core() {
    let root = "
name: x
deployment: {core_mhz: 2000}
services:
  a: {deployment: {tubes: {resources: {cpu: 500}}}}
  b: {deployment: {resources: {cpu: 250m}}}
";
    let it = project(root, &[]);
    assert_eq!(it.at("service.a", "deployment.resources.cpu"), "250");
    assert_eq!(it.at("service.b", "deployment.tubes.resources.cpu"), "250");
}

#[test]
fn short_forms_are_written_out() {
    let it = project(
        "
name: x
services:
  a:
    depends_on: [b, d]
    deployment: {ports: {http: 8080, admin: {port: 81, static: true}}, health_check: /health}
  b: {depends_on: {c: , d: {required: false}}}
  c:
infra: {d: {type: queue}}
",
        &[],
    );
    assert_eq!(it.told(), [""; 0]);
    assert_eq!(
        it.at("service.a", "deployment.health_check"),
        "{interval: 10000, path: /health}"
    );
    assert_eq!(
        it.at("service.a", "deployment.ports"),
        "{admin: {port: 81, static: true}, http: {port: 8080, static: false}}"
    );
    assert_eq!(it.at("service.a", "depends_on"), "{b: {}, d: {}}");
    assert_eq!(it.at("service.b", "depends_on"), "{c: {}, d: {required: false}}");
}

#[test]
fn absent_records_maps_and_lists_are_there_and_empty() {
    let it = project("{name: x, services: {a: {}}}", &[]);
    assert_eq!(it.at("service.a", "deployment.health_check"), "{interval: 10000}");
    assert_eq!(it.at("service.a", "deployment.ports"), "{}");
    assert_eq!(it.at("service.a", "command"), "[]");
    assert_eq!(it.at("service.a", "depends_on"), "{}");
    assert_eq!(it.at("service.a", "framework"), "absent");
}

#[test]
fn numbers_and_truths_are_text_as_they_are_written() {
    let it = project(
        "
name: x
infra: {db: {type: sql, version: 15.40}}
services:
  a: {env: {N: 007, T: true, F: 1.50, 'odd-Name.x': y}, framework: 3, content: {a: [1, true, {b: null}], '${x}': 2}}
",
        &[],
    );
    assert_eq!(it.told(), [""; 0]);
    assert_eq!(it.at("service.a", "env"), "{F: 1.50, N: 007, T: true, odd-Name.x: y}");
    assert_eq!(it.at("infra.db", "version"), "15.40");
    assert_eq!(it.at("service.a", "content"), "{${x}: 2, a: [1, true, {}]}");
}

#[test]
fn a_run_sets_fields_on_top() {
    let root = "
name: x
environments: {dev: {}, prod: {}}
deployment: {platforms: [tubes]}
services:
  a: {deployment: {replicas: 1}, environments: {prod: {deployment: {replicas: 2}}}}
";
    let packs = [
        ("rules/core/pack.yaml", super::CORE),
        ("rules/tubes/pack.yaml", super::TUBES),
    ];
    let set = [
        ("services.a.deployment.replicas", "7"),
        ("environments.dev.services.a.deployment.ports", "{http: 80}"),
        ("deployment.platforms", "[carts]"),
        ("services.b.deployment.replicas", "7"),
        ("services.a.deployment.replcias", "7"),
        ("environments.dev.deployment.platforms", "nope"),
    ];
    let it = project_with(&packs, root, &[], &set);
    assert_eq!(it.at_in("prod", "service.a", "deployment.replicas"), "7");
    assert_eq!(
        it.at_in("dev", "service.a", "deployment.ports"),
        "{http: {port: 80, static: false}}"
    );
    assert_eq!(it.at_in("prod", "service.a", "deployment.ports"), "{}");
    assert_eq!(it.at_in("prod", "service.a", "deployment.platforms"), "[carts]");
    let codes: Vec<String> = it.problems().iter().map(|it| it.code.to_string()).collect();
    assert_eq!(
        codes,
        ["spec::unknown_field", "spec::unknown_override", "spec::wrong_type"]
    );
}
