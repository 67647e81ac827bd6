//! Mistakes within one file: each at its place, with what to type.

use super::project;

#[test]
fn every_mistake_of_a_run_is_told_where_it_stands() {
    let it = project(
        r#"
name: x
servces: {}
services:
  a:
    framwork: django
    old: x
    kind: damain
    env: {DB_PASSWORD: hunter2, URL: "amqp://u:p@mq/", EMPTY: , BAD: "say ${HOME}", OK: "${secret.s.k}"}
    framework: "${service.a.url}"
    command: run
    deployment:
      replicas: "2"
      resources: {cpu: 2x, memory: 256}
      health_check: {interval: 30}
      ports: {http: {static: yes}}
      scaling: 3
  b: [x]
secrets: {s: {keys: {k: x}}}
"#,
        &[],
    );
    assert_eq!(
        it.told(),
        [
            "spec::bad_quantity | `2x` has an unknown unit | 2x | write cores such as `2` or `0.5`, or millicores such as `250m`",
            "spec::bad_quantity | `interval` lacks a unit: `30` | 30 | write `30s` for seconds",
            "spec::bad_quantity | `memory` lacks a unit: `256` | 256 | write `256Mi` or `256M`",
            "spec::bad_reference | `${HOME}` is no reference: it has no name | ${HOME} | write `${KIND.NAME.ATTRIBUTE}`, or `$${` for a literal `${`",
            "spec::credential_in_literal | `DB_PASSWORD` holds the value of a secret variable in the clear | hunter2 | refer to a secret instead: `${secret.NAME.KEY}`",
            "spec::credential_in_literal | `URL` holds the password of a URL in the clear | \"amqp://u:p@mq/\" | refer to a secret instead: `${secret.NAME.KEY}`",
            "spec::missing_field | `service.a` lacks `deployment.ports.http.port` | http | add `port: …`",
            "spec::no_value | `EMPTY` has no value |  | write `\"\"` for an empty text, or leave the key out",
            "spec::reference_not_allowed | `framework` can hold no reference | ${service.a.url} | write `$${` for a literal `${`",
            "spec::unknown_choice | `damain` is no value of `kind` | damain | did you mean `domain`?",
            "spec::unknown_field | `framwork` is no field of `a` | framwork | did you mean `framework`?",
            "spec::unknown_field | `servces` is no field of a spec | servces | did you mean `services`?",
            "spec::wrong_type | `b` wants a map, found a list | [x] | its fields are `command`, `content`, `depends_on`, `deployment`, `env`, `framework`, `kind`, `mentor`, `old`, `owns`",
            "spec::wrong_type | `command` wants a list, found a text | run | write a list: `[run]`",
            "spec::wrong_type | `replicas` wants a whole number, found a text | \"2\" | remove the quotes: `2`",
            "spec::wrong_type | `scaling` wants a map, found a whole number | 3 | its fields are `max`, `min`",
            "spec::wrong_type | `static` wants `true` or `false`, found a text | yes | write `true` or `false`",
            "spec::deprecated_field | `old` is deprecated | old | write `framework`",
        ]
    );
}

#[test]
fn what_is_right_beside_a_mistake_is_still_read() {
    let it = project(
        "
name: x
services:
  a: {framwork: x, framework: y, deployment: {replicas: two, ports: {http: 80}}}
",
        &[
            ("b.yaml", "services: {b: {framework: z\n"),
            ("c.yaml", "services: {c: {framework: z}}\n"),
        ],
    );
    assert_eq!(it.at("service.a", "framework"), "y");
    assert_eq!(it.at("service.a", "deployment.ports.http.port"), "80");
    assert_eq!(it.at("service.a", "deployment.replicas"), "1");
    assert_eq!(it.at("service.c", "framework"), "z");
    assert_eq!(it.problems().len(), 3);
}

#[test]
fn an_included_file_speaks_of_nodes_alone() {
    let it = project(
        "{name: x, environments: {prod: {}}}",
        &[(
            "a.yaml",
            "
version: 1
name: y
include: []
deployment: {platforms: [tubes]}
environments: {prod: {deployment: {platforms: [x]}, dir: y, infra: {q: {type: queue}}}}
",
        )],
    );
    assert_eq!(
        it.told(),
        [
            "spec::root_only | `deployment` can stand in the root file only | deployment | move it to the root file",
            "spec::root_only | `deployment` can stand in the root file only | deployment | move it to the root file",
            "spec::root_only | `dir` can stand in the root file only | dir | move it to the root file",
            "spec::root_only | `include` can stand in the root file only | include | move it to the root file",
            "spec::root_only | `name` can stand in the root file only | name | move it to the root file",
        ]
    );
    assert_eq!(it.at_in("prod", "infra.q", "type"), "queue");
}

#[test]
fn the_root_needs_a_name_and_may_be_broken_or_empty() {
    assert_eq!(
        project("services: {}", &[]).told(),
        ["spec::no_name | the project has no name | services | write `name: NAME` at its head"]
    );
    assert_eq!(
        project("", &[("a.yaml", "services: {a: }")]).at("service.a", "kind"),
        "domain"
    );
    assert_eq!(project("[x]", &[]).problems().len(), 1);
    let outside = project(
        "{name: x, environments: {a: {dir: ../y}, b: {dir: /y}, c: {dir: y/z/}}}",
        &[],
    );
    assert_eq!(outside.problems().len(), 2);
}

#[test]
fn a_field_that_the_platform_has_not_is_warned_of() {
    let it = project(
        "
name: x
services:
  a: {deployment: {platforms: [tubes], scaling: {min: 1}}}
  b: {deployment: {scaling: {min: 1}}}
",
        &[],
    );
    assert_eq!(
        it.told(),
        [
            "spec::unsupported_field | `tubes` can't honour `deployment.scaling` of `service.a` | scaling | a tube does not stretch"
        ]
    );
}
