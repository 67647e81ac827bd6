//! A generator of monorepos: `n` services in as many files, with edges, references, secrets and overlays.
//!
//! The same number gives the same bytes. It is shared by the benches and by the tests that need a repo of any size.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Returns the files of a monorepo of `n_services` services: paths within the project, and their text.
#[must_use]
pub fn files(n_services: usize) -> Vec<(PathBuf, String)> {
    let mut files = vec![(PathBuf::from("gen.yaml"), root())];
    for at in 0..n_services {
        files.push((
            PathBuf::from(format!("services/{}/service.yaml", name(at))),
            service(at),
        ));
    }
    files
}

/// Returns the name of the service at `at`.
#[must_use]
pub fn name(at: usize) -> String {
    format!("svc-{at:05}")
}

/// Returns the file of the service at `at`, within the project.
#[must_use]
pub fn path(at: usize) -> PathBuf {
    Path::new("services").join(name(at)).join("service.yaml")
}

fn root() -> String {
    r#"version: 0.2
name: mono
include: ["services/*/service.yaml"]
deployment:
  platforms: [nomad, kubernetes]
  nomad: {datacenter: dc1, consul_integration: true, traefik_integration: true}
  infrastructure:
    consul: {enabled: true, address: "127.0.0.1:8500"}
    traefik: {enabled: true, entrypoint: web, domain: localhost}
infra:
  postgres: {type: postgresql, version: "15.4"}
  events: {type: rabbitmq}
"#
    .to_owned()
}

/// Returns the spec of the service at `at`: three edges to earlier services, two references, two ports.
#[must_use]
pub fn service(at: usize) -> String {
    let name = name(at);
    let mut text = format!(
        "# The service {name}.\nservices:\n  {name}:\n    kind: domain\n    image: registry.example/{name}:1.{}\n",
        at % 7
    );
    let targets: Vec<usize> = (1..4)
        .map(|it| (at * 7 + it * 131) % (at + 1))
        .filter(|it| *it < at)
        .collect();
    text.push_str("    depends_on:\n      postgres: {}\n      events: {required: false}\n");
    let mut seen: Vec<usize> = Vec::new();
    for target in targets {
        if !seen.contains(&target) {
            seen.push(target);
            let _ = writeln!(text, "      {}: {{condition: healthy}}", self::name(target));
        }
    }
    text.push_str("    env:\n      DATABASE_URL: ${infra.postgres.url}\n      LOG_LEVEL: info\n");
    if let Some(target) = seen.first() {
        let _ = writeln!(
            text,
            "      UPSTREAM: http://${{service.{}.address}}/v1",
            self::name(*target)
        );
    }
    let _ = write!(
        text,
        "    deployment:\n      replicas: {}\n      ports: {{http: 8080, metrics: 9100}}\n      resources: {{cpu: {}m, memory: {}Mi}}\n      \
         health_check: {{path: /health, interval: 30s}}\n      routes: {{main: {{path: /{name}}}}}\n      nomad:\n        consul: {{tags: [api, v{}]}}\n",
        at % 5 + 1,
        100 + at % 9 * 50,
        128 + at % 5 * 64,
        at % 3,
    );
    text
}
