//! A generator of monorepos: `n` services in as many files, with edges, references, routes and checks.
//!
//! The same number gives the same bytes. It is shared by the benches and by the tests that need a repo of any size.
//! The platform and its pack are the benches' own (`workload/`): what the built-in packs print moves no number.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// How many artifacts a service has.
pub(crate) const N_ARTIFACTS: usize = 5;

/// The files of the benches' own pack: paths within the project, and their text.
const PACK: [(&str, &str); 7] = [
    (
        "rules/freight/pack.yaml",
        include_str!("workload/rules/freight/pack.yaml"),
    ),
    (
        "rules/freight/freight.yaml",
        include_str!("workload/rules/freight/freight.yaml"),
    ),
    (
        "templates/freight/job.hcl.hbs",
        include_str!("workload/templates/freight/job.hcl.hbs"),
    ),
    (
        "templates/freight/policy.hcl.hbs",
        include_str!("workload/templates/freight/policy.hcl.hbs"),
    ),
    (
        "templates/freight/registration.hcl.hbs",
        include_str!("workload/templates/freight/registration.hcl.hbs"),
    ),
    (
        "templates/freight/workload.yaml",
        include_str!("workload/templates/freight/workload.yaml"),
    ),
    (
        "templates/freight/network.yaml",
        include_str!("workload/templates/freight/network.yaml"),
    ),
];

/// Returns the files of a monorepo of `n_services` services: paths within the project, and their text.
#[must_use]
pub(crate) fn files(n_services: usize) -> Vec<(PathBuf, String)> {
    let mut files = vec![(PathBuf::from("gen.yaml"), ROOT.to_owned())];
    files.extend(PACK.map(|(path, text)| (PathBuf::from(path), text.to_owned())));
    files.extend((0..n_services).map(|at| (path(at), service(at))));
    files
}

/// Writes such a monorepo to `folder`.
pub(crate) fn write(folder: &Path, n_services: usize) {
    for (path, text) in files(n_services) {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().expect("it lies in the folder")).expect("the storage can be written");
        fs::write(path, text).expect("the storage can be written");
    }
}

/// Returns what was generated in `folder`, by its path below `deployments/`.
pub(crate) fn outputs(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let top = folder.join("deployments");
    let mut open = vec![top.clone()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("it was written") {
            let path = entry.expect("it was written").path();
            if path.is_dir() {
                open.push(path);
            } else {
                let below = path
                    .strip_prefix(&top)
                    .expect("it was found there")
                    .to_string_lossy()
                    .into_owned();
                found.insert(below, fs::read(&path).expect("it was written"));
            }
        }
    }
    found
}

/// Returns the name of the service at `at`.
#[must_use]
pub(crate) fn name(at: usize) -> String {
    format!("svc-{at:05}")
}

/// Returns the file of the service at `at`, within the project.
#[must_use]
pub(crate) fn path(at: usize) -> PathBuf {
    Path::new("services").join(name(at)).join("service.yaml")
}

const ROOT: &str = r#"version: 0.2
name: mono
include: ["services/*/service.yaml"]
deployment: {platforms: [freight]}
infra:
  postgres: {type: postgresql, version: "15.4"}
  events: {type: rabbitmq}
"#;

/// Returns the spec of the service at `at`: up to three edges to earlier services, two references, two ports.
#[must_use]
pub(crate) fn service(at: usize) -> String {
    let name = name(at);
    let mut text = format!(
        "# The service {name}.\nservices:\n  {name}:\n    kind: domain\n    image: registry.example/{name}:1.{}\n",
        at % 7
    );
    let mut targets: Vec<usize> = Vec::new();
    for target in (1..4).map(|it| (at * 7 + it * 131) % (at + 1)) {
        if target < at && !targets.contains(&target) {
            targets.push(target);
        }
    }
    text.push_str("    depends_on:\n      postgres: {}\n      events: {required: false}\n");
    for target in &targets {
        let _ = writeln!(text, "      {}: {{condition: healthy}}", self::name(*target));
    }
    text.push_str("    env:\n      DATABASE_URL: ${infra.postgres.url}\n      LOG_LEVEL: info\n");
    if let Some(target) = targets.first() {
        let _ = writeln!(
            text,
            "      UPSTREAM: http://${{service.{}.address}}/v1",
            self::name(*target)
        );
    }
    let _ = write!(
        text,
        "    deployment:
      replicas: {}
      ports: {{http: 8080, metrics: 9100}}
      resources: {{cpu: {}m, memory: {}Mi}}
      health_check: {{path: /health, interval: 30s}}
      routes: {{main: {{path: /{name}}}}}
",
        at % 5 + 1,
        100 + at % 9 * 50,
        128 + at % 5 * 64,
    );
    text
}
