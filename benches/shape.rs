//! Monorepos of one extreme shape: a chain, in which each service waits for the one before it, and a hub, for which all
//! others wait.
//!
//! The benches run them at full size, the tests at a smaller one.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// What leads where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Each service depends on the one before it.
    Chain,
    /// Each service depends on the first one.
    Hub,
}

/// What they stand on: all that has something to say of each service.
const INFRASTRUCTURE: &str = "{consul: {acl: true}, vault: {}, traefik: {}, prometheus: {}, alertmanager: {}}";

/// How many services stand in one file.
const IN_A_FILE: usize = 1_000;

/// Returns the files of a monorepo of `n_services` services on `platforms`: paths within the project, and their text.
#[must_use]
pub(crate) fn files(shape: Shape, n_services: usize, platforms: &[String]) -> Vec<(String, String)> {
    let root = format!(
        "version: 0.2\nname: extreme\ninclude: [\"services/*.yaml\"]\ndeployment:\n  platforms: [{}]\n  infrastructure: {INFRASTRUCTURE}\n  kamal: {{registry: {{username: ci}}}}\n",
        platforms.join(", ")
    );
    let mut files = vec![("gen.yaml".to_owned(), root)];
    for first in (0..n_services).step_by(IN_A_FILE) {
        let mut text = String::from("services:\n");
        for at in first..n_services.min(first + IN_A_FILE) {
            service(&mut text, shape, at);
        }
        files.push((format!("services/{first:06}.yaml"), text));
    }
    files
}

fn service(text: &mut String, shape: Shape, at: usize) {
    let _ = writeln!(text, "  s{at}:\n    image: registry.example/s{at}:1.0");
    let target = match shape {
        Shape::Chain => at.checked_sub(1),
        Shape::Hub => (at > 0).then_some(0),
    };
    if let Some(target) = target {
        let _ = writeln!(text, "    depends_on: [s{target}]");
        let _ = writeln!(text, "    env: {{NEXT: \"http://${{service.s{target}.address}}/v1\"}}");
    }
    text.push_str("    deployment: {ports: {http: 8080}, health_check: {path: /health, interval: 10s}}\n");
}

/// Returns the platforms that the built-in packs print for, sorted.
#[must_use]
pub(crate) fn platforms() -> Vec<String> {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    let packs = fs::read_dir(rules).expect("the built-in packs are there").flatten();
    let heads = packs.filter_map(|it| fs::read_to_string(it.path().join("pack.yaml")).ok());
    let named = heads.filter_map(|head| {
        Some(
            head.lines()
                .find_map(|it| it.strip_prefix("platform: "))?
                .trim()
                .to_owned(),
        )
    });
    let mut platforms: Vec<String> = named.collect();
    platforms.sort();
    platforms
}
