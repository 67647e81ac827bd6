//! Edges: from fields, from references, and what they hold by default.

use super::project;

#[test]
fn a_target_says_what_is_waited_for() {
    let it = project(
        "
name: x
services:
  a: {depends_on: [started, checked, migrate, db, soft]}
  started: {}
  checked: {deployment: {health_check: /h}}
  migrate: {kind: job, deployment: {health_check: /h}}
  soft: {}
  b: {depends_on: {checked: {condition: started, required: false, port: http}}}
infra: {db: {type: sql}}
",
        &[],
    );
    assert_eq!(it.told(), [""; 0]);
    assert_eq!(
        it.edges("service.a"),
        [
            "depends_on infra.db {condition: started, required: true}",
            "depends_on service.checked {condition: healthy, required: true}",
            "depends_on service.migrate {condition: completed, required: true}",
            "depends_on service.soft {condition: started, required: true}",
            "depends_on service.started {condition: started, required: true}",
        ]
    );
    assert_eq!(
        it.edges("service.b"),
        ["depends_on service.checked {condition: started, port: http, required: false}"]
    );
}

#[test]
fn a_reference_is_an_edge() {
    let it = project(
        r#"
name: x
services:
  a:
    env:
      DB: postgres://app:${secret.a.password}@${infra.db.address}/app
      DB_URL: ${infra.db.url}
      CACHE: redis://:@${?infra.cache.address}:6379/0
      ODD: ${service["b.c"].url}
      SELF: ${service.a.url}
      LITERAL: $${service.nobody.url}
    command: [--auth, "${service.auth.url}"]
    content: {file: ["x ${service.auth.metrics}"]}
  auth: {deployment: {ports: {metrics: 9100}}}
  b.c: {}
infra: {db: {type: sql}, cache: {type: cache}}
secrets: {a: {keys: {password: of the database}}}
"#,
        &[],
    );
    assert_eq!(it.told(), [""; 0]);
    assert_eq!(
        it.edges("service.a"),
        [
            "references infra.cache {attributes: [address], required: false}",
            "references infra.db {attributes: [address, url], required: true}",
            "references secret.a {attributes: [password], port: password, required: true}",
            "references service.auth {attributes: [metrics, url], port: metrics, required: true}",
            r#"references service["b.c"] {attributes: [url], required: true}"#,
        ]
    );
    assert_eq!(it.at("service.a", "env.SELF"), "<service.a url>");
    assert_eq!(it.at("service.a", "env.LITERAL"), "${service.nobody.url}");
}

#[test]
fn what_depends_on_says_of_a_target_wins_over_the_reference() {
    let it = project(
        "
name: x
services:
  a: {depends_on: {b: {required: false, condition: healthy}}, env: {B: '${service.b.url}'}}
  b: {}
",
        &[],
    );
    assert_eq!(
        it.edges("service.a"),
        [
            "depends_on service.b {condition: healthy, required: false}",
            "references service.b {attributes: [url], condition: healthy, required: false}",
        ]
    );
}

#[test]
fn a_target_is_named_with_its_kind_where_it_must_be() {
    let it = project(
        "
name: x
services:
  a: {depends_on: [service.db, infra.db, cache], owns: [Order], mentor: b}
  b: {depends_on: [db]}
  db: {}
  c: {depends_on: [Order]}
infra: {db: {type: sql}, cache: {type: cache}}
entities: {Order: {fields: {id: uuid}}}
",
        &[],
    );
    assert_eq!(
        it.edges("service.a"),
        [
            "depends_on infra.cache {condition: started, required: true}",
            "depends_on infra.db {condition: started, required: true}",
            "depends_on service.db {condition: started, required: true}",
            "owns entity.Order {}",
        ]
    );
    assert_eq!(it.at("service.a", "mentor"), "@service.b");
    assert_eq!(
        it.told(),
        [
            "spec::ambiguous_target | `db` may be `service.db` or `infra.db` | db | write `service.db`",
            "spec::unknown_target | `depends_on` of `service.c` names `Order`, which no spec declares | Order | `Order` is of the kind `entity`, to which no such edge leads",
        ]
    );
}

#[test]
fn inherited_references_are_edges_too() {
    let it = project(
        "
name: x
deployment: {env: {QUEUE: '${?infra.queue.url}'}}
infra: {queue: {type: queue}}
services: {a: {}, b: {deployment: {env: {QUEUE: none}}}}
",
        &[],
    );
    assert_eq!(
        it.edges("service.a"),
        ["references infra.queue {attributes: [url], required: false}"]
    );
    assert_eq!(it.edges("service.b"), [""; 0]);
}
