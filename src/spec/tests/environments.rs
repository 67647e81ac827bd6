//! Environments: what is laid over what, and what stays the base's.

use std::sync::Arc;

use super::{Fixture, name, names, project};
use crate::spec;
use crate::value::Address;

fn layered() -> Fixture {
    project(
        "
name: shop
include: [services/*.yaml]
deployment: {platforms: [tubes], tubes: {line: main}}
services:
  a:
    depends_on: [b]
    command: [x, y]
    env: {LOG: info, MODE: base, GONE: yes}
    deployment: {replicas: 1, ports: {http: 80, admin: 81}}
    environments:
      prod: {deployment: {replicas: 6}, env: {MODE: own}}
  b: {}
  c: {deployment: {tubes: {line: own}}}
infra: {db: {type: sql}}
environments:
  dev:
    dir: .
    deployment: {tubes: {line: dev}}
    services: {b: null, x: {kind: job}}
    infra: {db: {version: 9}}
  prod:
    services:
      a:
        depends_on: [db]
        command: [z]
        env: {LOG: warn, GONE: null, MODE: root}
        deployment: {replicas: 3, ports: {admin: null, tls: 443}}
  test:
",
        &[(
            "services/d.yaml",
            "service: d\nenv: {A: b}\nenvironments: {prod: {env: {A: c}}}\n",
        )],
    )
}

#[test]
fn the_service_own_overlay_lies_over_the_roots() {
    let it = layered();
    assert_eq!(it.at_in("prod", "service.a", "deployment.replicas"), "6");
    assert_eq!(it.at_in("prod", "service.a", "env"), "{LOG: warn, MODE: own}");
    assert_eq!(
        it.at_in("dev", "service.a", "env"),
        "{GONE: yes, LOG: info, MODE: base}"
    );
    assert_eq!(it.at_in("prod", "service.d", "env"), "{A: c}");
    assert_eq!(it.at_in("test", "service.d", "env"), "{A: b}");
}

#[test]
fn maps_merge_null_removes_lists_replace() {
    let it = layered();
    assert_eq!(it.at_in("prod", "service.a", "command"), "[z]");
    assert_eq!(
        it.at_in("prod", "service.a", "deployment.ports"),
        "{http: {port: 80, static: false}, tls: {port: 443, static: false}}"
    );
    assert_eq!(
        it.at_in("prod", "service.a", "depends_on"),
        "{b: {}, db: {}}",
        "a list of names is a map"
    );
}

#[test]
fn the_projects_overlay_changes_what_is_inherited() {
    let it = layered();
    assert_eq!(it.at_in("dev", "service.a", "deployment.tubes.line"), "dev");
    assert_eq!(it.at_in("prod", "service.a", "deployment.tubes.line"), "main");
    assert_eq!(it.at_in("dev", "service.c", "deployment.tubes.line"), "own");
    assert_eq!(it.at_in("dev", "project.shop", "deployment.tubes.line"), "dev");
}

#[test]
fn environments_are_sorted_and_have_folders() {
    let it = layered();
    let all = spec::environments(&it.db, it.project)
        .iter()
        .map(|it| format!("{}={}", it.name, it.dir));
    assert_eq!(all.collect::<Vec<_>>(), ["dev=", "prod=prod", "test=test"]);
    let none = project("name: x", &[]);
    assert_eq!(
        spec::environments(&none.db, none.project),
        [spec::EnvironmentInfo::default()]
    );
    let settings = spec::settings(&it.db, it.project);
    assert_eq!(settings.include, [name("services/*.yaml")]);
}

#[test]
fn nodes_come_and_go_with_environments() {
    let it = layered();
    let of = |environment| names(spec::addresses(&it.db, it.project, it.environment(environment)));
    assert_eq!(
        of("test"),
        [
            "infra.db",
            "project.shop",
            "service.a",
            "service.b",
            "service.c",
            "service.d"
        ]
    );
    assert_eq!(
        of("dev"),
        [
            "infra.db",
            "project.shop",
            "service.a",
            "service.c",
            "service.d",
            "service.x"
        ]
    );
    assert_eq!(it.at_in("dev", "service.x", "kind"), "job");
    assert_eq!(it.at_in("dev", "infra.db", "version"), "9");
    assert!(it.node_in("dev", "service.b").is_none());
    assert!(it.node_in("prod", "service.x").is_none());
    assert_eq!(
        it.told(),
        [
            "spec::unknown_target | `depends_on` of `service.a` names `b`, which does not exist in the environment `dev` | b | let the overlay `dev` remove `depends_on.b` too, by `null`"
        ],
        "in dev it is gone"
    );
}

#[test]
fn an_unchanged_node_is_that_of_the_base() {
    let it = layered();
    let of = |environment, name: &str| {
        let environment = it.environment(environment);
        spec::declared(&it.db, it.project, environment, &Address::new("service", name)).expect("it is there")
    };
    assert!(Arc::ptr_eq(&of("test", "c"), &of("dev", "c")));
    assert!(Arc::ptr_eq(&of("test", "a"), &of("test", "a")));
    assert!(!Arc::ptr_eq(&of("test", "a"), &of("prod", "a")));
    let seen = |environment, name: &str| {
        let environment = it.environment(environment);
        spec::seen_as(&it.db, it.project, environment, &Address::new("service", name))
    };
    assert_eq!(seen("test", "a"), None);
    assert_eq!(seen("prod", "c"), None);
    assert_eq!(
        seen("dev", "c"),
        Some(it.environment("dev")),
        "it inherits something else"
    );
}
