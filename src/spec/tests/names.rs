//! Names: what nothing bears, what two bear.

use super::project;
use crate::spec::check::problems_given;

#[test]
fn unknown_names_are_told_at_their_characters() {
    let it = project(
        r#"
name: x
services:
  orders:
    depends_on: [atuh, infra.post]
    env:
      A: "http://${service.atuh.url}/x"
      B: ${srvice.auth.url}
      C: ${service.auth.ulr}
      D: ${service.auth.htpp}
      E: ${?infra.nothing.url}
    mentor: auht
  auth: {deployment: {tubes: {port: 80}}}
infra: {postgres: {type: sql}}
"#,
        &[],
    );
    let mut told = it.told();
    told.retain(|it| !it.contains("nothing"));
    assert_eq!(
        told,
        [
            "spec::unknown_attribute | `service.auth` has no attribute `htpp` | htpp | did you mean `http`?",
            "spec::unknown_attribute | `service.auth` has no attribute `ulr` | ulr | did you mean `url`?",
            "spec::unknown_reference | `service.atuh` does not exist | atuh | did you mean `auth`?",
            "spec::unknown_reference | `srvice` is no kind of node | srvice | did you mean `service`?",
            "spec::unknown_target | `depends_on` of `service.orders` names `atuh`, which no spec declares | atuh | did you mean `auth`?",
            "spec::unknown_target | `depends_on` of `service.orders` names `infra.post`, which no spec declares | infra.post | known here: `auth`, `orders`, `postgres`",
            "spec::unknown_target | `service.orders` names `service.auht`, which no spec declares | orders | did you mean `auth`?",
        ]
    );
}

#[test]
fn a_node_that_a_rule_adds_is_no_unknown_one() {
    let it = project(
        "{name: x, services: {a: {depends_on: [queue], env: {Q: '${infra.queue.url}', Z: '${infra.other.url}'}}}}",
        &[],
    );
    assert_eq!(it.problems().len(), 3);
    let left = problems_given(&it.db, it.project, &|it| &*it.name == "queue");
    assert_eq!(left.len(), 1);
    assert_eq!(&*left[0].message, "`infra.other` does not exist");
}

#[test]
fn a_node_stands_in_one_place() {
    let it = project(
        "
name: x
deployment: {infrastructure: {q: {type: queue}}}
infra: {q: {type: queue}}
services: {a: {framework: first}}
",
        &[
            ("1.yaml", "services: {a: {framework: second}}\n"),
            ("2.yaml", "service: a\nframework: third\n"),
        ],
    );
    let problems = it.problems();
    let shown = problems.iter().map(|it| {
        let places = it.labels.iter().map(|it| match &it.place {
            crate::problem::Place::Text(file, span) => format!("{file}:{}", span.start),
            _ => "?".to_owned(),
        });
        format!("{} {} {}", it.code, it.message, places.collect::<Vec<_>>().join(" "))
    });
    assert_eq!(
        shown.collect::<Vec<_>>(),
        [
            "spec::duplicate_node `infra.q` is declared twice gen.yaml:66 gen.yaml:39",
            "spec::duplicate_node `service.a` is declared twice 1.yaml:11 gen.yaml:95",
            "spec::duplicate_node `service.a` is declared twice 2.yaml:9 gen.yaml:95",
        ]
    );
    assert_eq!(it.at("service.a", "framework"), "first");
}

#[test]
fn environments_must_be_declared() {
    let it = project(
        "
name: x
services: {orders: {environments: {prd: {framework: x}}}}
environments: {prod: {services: {ordrs: {framework: x}}}}
",
        &[("a.yaml", "environments: {porod: {services: {}}}")],
    );
    assert_eq!(
        it.told(),
        [
            "spec::unknown_environment | `porod` is no environment of this project | porod | did you mean `prod`?",
            "spec::unknown_environment | `prd` is no environment of this project | prd | did you mean `prod`?",
            "spec::only_in_environment | `service.ordrs` exists in the environment `prod` only | ordrs | did you mean `orders`?",
        ]
    );
    let none = project("{name: x, services: {a: {environments: {prod: {}}}}}", &[]);
    assert_eq!(
        none.told(),
        [
            "spec::unknown_environment | `prod` is no environment of this project | prod | declare it in the root file: `environments: {prod: {}}`"
        ]
    );
}

#[test]
fn names_may_have_dots_dashes_and_capitals() {
    let it = project(
        r#"
name: x
services:
  My-Svc.v2: {deployment: {ports: {web-ui: 80}}}
  b: {depends_on: [My-Svc.v2], env: {A: '${service["My-Svc.v2"].web-ui}'}}
"#,
        &[],
    );
    assert_eq!(it.told(), [""; 0]);
    assert_eq!(it.edges("service.b").len(), 2);
}
