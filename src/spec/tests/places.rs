//! Places: from a node's field back to what was written.

use super::{Fixture, project};
use crate::problem::Place;
use crate::spec::{locate, origin};
use crate::value::{Address, Path};

fn layered() -> Fixture {
    project(
        "
name: shop
deployment: {tubes: {line: main, default_resources: {cpu: 256}}}
services:
  a:
    depends_on: [b]
    deployment: {replicas: 11, tubes: {port: 8080}, health_check: /h}
    environments: {prod: {deployment: {replicas: 13}}}
environments:
  prod: {services: {a: {deployment: {replicas: 12}}}, deployment: {tubes: {line: fast}}}
",
        &[("b.yaml", "service: b\ndeployment: {tubes: {count: 21}}\n")],
    )
}

fn found(it: &Fixture, environment: Option<&str>, node: (&str, &str), path: &str) -> String {
    let place = Place::Field {
        environment: environment.map(Into::into),
        node: Address::new(node.0, node.1),
        path: Path::parse(path),
    };
    it.under(&place)
}

#[test]
fn the_winning_layer_is_found() {
    let it = layered();
    let a = ("service", "a");
    assert_eq!(found(&it, None, a, "deployment.replicas"), "11");
    assert_eq!(found(&it, Some("prod"), a, "deployment.replicas"), "13");
    assert_eq!(found(&it, None, a, "deployment.tubes.line"), "main");
    assert_eq!(found(&it, Some("prod"), a, "deployment.tubes.line"), "fast");
    assert_eq!(found(&it, None, a, "deployment.tubes.resources.cpu"), "256");
    assert_eq!(found(&it, None, a, "deployment"), "deployment");
    assert_eq!(found(&it, None, a, ""), "a");
    assert_eq!(found(&it, None, ("service", "b"), ""), "b");
    assert_eq!(found(&it, None, ("project", "shop"), "deployment.tubes.line"), "main");
}

#[test]
fn short_forms_and_aliases_are_seen_through() {
    let it = layered();
    let a = ("service", "a");
    assert_eq!(found(&it, None, a, "depends_on.b"), "b");
    assert_eq!(found(&it, None, a, "deployment.health_check.path"), "/h");
    assert_eq!(found(&it, None, a, "deployment.tubes.count"), "11");
    assert_eq!(found(&it, None, a, "deployment.ports.http.port"), "8080");
    assert_eq!(found(&it, None, ("service", "b"), "deployment.replicas"), "21");
}

#[test]
fn what_nobody_wrote_is_near_its_parent() {
    let it = layered();
    let a = ("service", "a");
    assert_eq!(found(&it, None, a, "deployment.health_check.interval"), "health_check");
    assert_eq!(found(&it, None, a, "env.X"), "a");
    assert_eq!(found(&it, None, ("service", "z"), "env.X"), "nowhere");
}

#[test]
fn all_layers_of_a_field_are_told() {
    let it = layered();
    let prod = it.environment("prod");
    let origins = origin(
        &it.db,
        it.project,
        prod,
        &Address::new("service", "a"),
        &Path::parse("deployment.replicas"),
    );
    let text = it.project.root(&it.db).text(&it.db);
    let shown: Vec<&str> = origins.iter().map(|it| it.span.of(text)).collect();
    assert_eq!(shown, ["13", "12", "11"]);
    let environments: Vec<bool> = origins.iter().map(|it| it.environment.is_some()).collect();
    assert_eq!(environments, [true, true, false]);
    let (file, _) = locate(
        &it.db,
        it.project,
        &Place::Field {
            environment: None,
            node: Address::new("service", "b"),
            path: Path::default(),
        },
    )
    .expect("it is written");
    assert_eq!(&*file, "b.yaml");
}
