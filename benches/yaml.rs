//! How long the YAML reader takes beside the quickest one in Rust, which keeps no values. Fails above twice its time.
//!
//! It judges no contents: the tests of `src/yaml` do.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement needs a clock and a place to tell"
)]

use std::fmt::Write;
use std::hint::black_box;
use std::time::{Duration, Instant};

use groundplan::yaml;
use rlsp_yaml_parser::parse_events;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let small: Vec<String> = (0..10_000)
        .map(|index| format!("version: 0.2\nservices:\n{}", service(index)))
        .collect();
    let mut large = String::from("version: 0.2\nname: shop\nservices:\n");
    for index in 0.. {
        large.push_str(&service(index));
        if large.len() > 300_000 {
            break;
        }
    }
    let n_slow = [("10,000 small files", small), ("300 KB, ten times", vec![large; 10])]
        .into_iter()
        .filter(|(name, files)| {
            let (ours, theirs) = measure(files);
            let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
            println!("{name}: {ours:.1?}, events of rlsp-yaml-parser {theirs:.1?}, ratio {ratio:.2}");
            ratio > 2.0
        })
        .count();
    assert_eq!(
        n_slow, 0,
        "the reader takes more than twice the time of the quickest one"
    );
}

/// Takes turns, so that a busy machine is unfair to both.
fn measure(files: &[String]) -> (Duration, Duration) {
    let mut best = (Duration::MAX, Duration::MAX);
    for _ in 0..9 {
        let start = Instant::now();
        for file in files {
            let (value, mistakes) = yaml::parse(black_box(file));
            assert!(mistakes.is_empty());
            black_box(value);
        }
        best.0 = best.0.min(start.elapsed());
        let start = Instant::now();
        for file in files {
            black_box(parse_events(black_box(file)).filter(Result::is_ok).count());
        }
        best.1 = best.1.min(start.elapsed());
    }
    best
}

fn service(index: usize) -> String {
    let (port, other, team) = (8000 + index % 1000, index * 7919 % 10_000, index % 97);
    let mut text = String::new();
    let written = write!(
        text,
        "  svc-{index:05}: # of team {team}
    kind: domain
    framework: django
    owns: [Order{index}]
    depends_on: {{svc-{other:05}: {{condition: healthy}}, postgres: {{}}, events: {{required: false}}}}
    env:
      DATABASE_URL: ${{infra.postgres.url}}
      AUTH_ADDR: \"${{service.svc-{other:05}.address}}\"
      LOG_LEVEL: info
      GREETING: 'it''s {index}'
    deployment:                     # platform-neutral here
      ports: {{http: {port}, metrics: 9100}}
      replicas: 2
      resources: {{cpu: 250m, memory: 256Mi}}
      health_check: {{path: /health, interval: 30s}}
      scaling: {{min: 2, max: 10, target_cpu: 70}}
      routes: {{main: {{path: /orders/{index}, priority: 100}}}}
      nomad: {{update: {{canary: 1}}}}
      tags:
        - traefik.enable=true
        - team={team}
    environments: {{prod: {{deployment: {{replicas: 6}}}}}}
"
    );
    assert!(written.is_ok());
    text
}
