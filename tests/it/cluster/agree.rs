//! One spec on three platforms: `fixtures/shop`, with all of its services on each of them, and what the artifacts say of
//! every edge and every service, read back and compared: who waits for whom, who may connect, by which address and port,
//! within which limits, and how each is asked whether it is well.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;
use serde_yaml_ng::Value;

use super::objects::{Objects, Pod, list, text};
use crate::project::{Found, Project, Tree, tree};
use crate::say;
use crate::tidy::top;

/// What the services run that the fixture builds elsewhere: a pod must name an image.
const IMAGELESS: [&str; 7] = [
    "auth",
    "metrics-relay",
    "migrate-auth",
    "nightly-report",
    "orders",
    "payments",
    "worker",
];
/// The ways in of two platforms, which are no edges of the graph.
const WAYS_IN: [&str; 2] = ["traefik", "caddy"];
/// A cluster leads to nothing that is not ready, so of what needs only to be started there is nothing to wait for.
const WAITS_ONLY_ELSEWHERE: [(&str, &str); 1] = [("web", "gateway")];

type Names = BTreeSet<String>;

/// What one platform says of a service, in words that all three share.
#[derive(Debug, Default, PartialEq, Eq)]
struct Said {
    /// What it waits for.
    waits: Names,
    /// Who may connect to it.
    lets_in: Names,
    /// What it calls, with the port.
    calls: BTreeSet<(String, String)>,
    /// How much memory it may have, in MiB.
    memory: Option<u64>,
    /// Where it is asked how it is, how often, and how long an answer may take.
    check: Option<(String, String, String)>,
}

#[test]
fn three_platforms_agree_on_every_edge() {
    let project = Project::of(&everywhere());
    let run = project.run(&["apply", "--env", "prod"]);
    assert_eq!(run.code, 0, "{}", run.snapshot());
    let files = project.files();
    let objects = Objects::of(&files, "");
    let compose: Value = serde_yaml_ng::from_str(&at(&files, "deployments/compose/compose.yaml")).expect("it is YAML");
    let jobs: BTreeMap<String, String> = files
        .keys()
        .filter_map(|path| {
            let name = path.strip_prefix("deployments/nomad/jobs/")?.strip_suffix(".nomad")?;
            compose["services"]
                .get(name)
                .map(|_| (name.to_owned(), at(&files, path)))
        })
        .collect();
    let pods: BTreeMap<String, Pod> = objects.pods().into_iter().map(|it| (super::whose(&it), it)).collect();
    let containers: Names = keys(&compose["services"]);

    let (mut faults, mut n_edges, mut n_compared) = (Vec::new(), 0, 0);
    for (name, job) in &jobs {
        let nomad = of_nomad(name, job, &jobs, &files);
        let of_compose = of_compose(name, &compose);
        let mut kubernetes = of_kubernetes(name, &pods, &objects);
        for (_, other) in WAITS_ONLY_ELSEWHERE.iter().filter(|it| it.0 == name) {
            assert!(
                kubernetes.waits.insert((*other).to_owned()),
                "{name} waits for {other} after all"
            );
        }
        let mut compare = |what: &str, said: [String; 3]| {
            n_compared += 1;
            if said[0] != said[1] || said[1] != said[2] {
                faults.push(format!(
                    "{what} of {name}: Nomad {}, Compose {}, Kubernetes {}",
                    said[0], said[1], said[2]
                ));
            }
        };
        // What stands elsewhere has no container here.
        let here = |it: &Names| {
            it.iter()
                .filter(|it| containers.contains(*it))
                .cloned()
                .collect::<Names>()
        };
        let all = [&nomad, &of_compose, &kubernetes];
        compare("waits", all.map(|it| format!("{:?}", here(&it.waits))));
        compare("callers", all.map(|it| format!("{:?}", here(&it.lets_in))));
        // Nomad finds the port when it runs, by the name of a service; where that is one of ours it must be the same.
        let ours = |it: &Said| {
            it.calls
                .iter()
                .filter(|it| jobs.contains_key(&it.0))
                .cloned()
                .collect::<Vec<_>>()
        };
        compare("calls", all.map(|it| format!("{:?}", ours(it))));
        if kubernetes.memory.is_some() && of_compose.memory.is_some() {
            compare("memory", all.map(|it| format!("{:?}", it.memory)));
        }
        compare("check", all.map(|it| format!("{:?}", it.check)));
        let [by_compose, by_kubernetes] = [&of_compose.calls, &kubernetes.calls];
        if by_compose != by_kubernetes {
            faults.push(format!(
                "calls of {name}: Compose {by_compose:?}, Kubernetes {by_kubernetes:?}"
            ));
        }
        n_edges += of_compose
            .lets_in
            .iter()
            .filter(|it| !WAYS_IN.contains(&it.as_str()))
            .count();
    }
    // What is infrastructure here and elsewhere has callers too.
    for name in containers
        .iter()
        .filter(|it| !jobs.contains_key(*it) && pods.contains_key(*it))
    {
        let callers = [
            intentions(name, &files),
            of_compose(name, &compose).lets_in,
            of_kubernetes(name, &pods, &objects).lets_in,
        ];
        n_compared += 1;
        n_edges += callers[1].len();
        if callers[0] != callers[1] || callers[1] != callers[2] {
            faults.push(format!("callers of {name}: {callers:?}"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(
        n_edges > 20 && n_compared > 60,
        "only {n_edges} edges and {n_compared} things"
    );
    say(&format!(
        "cluster: Nomad, Compose and Kubernetes agree on {n_edges} edges, in {n_compared} comparisons"
    ));
}

/// Returns the fixture with all of its services on all three platforms.
fn everywhere() -> Tree {
    let mut files = tree(&top().join("fixtures/shop"));
    files.retain(|path, _| path == "gen.yaml" || path.starts_with("services/"));
    let platforms = Regex::new(r"platforms: \[[a-z, ]*\]").expect("it is right");
    for (path, found) in &mut files {
        let mut spec = String::from_utf8_lossy(&found.bytes).into_owned();
        spec = platforms
            .replace_all(&spec, "platforms: [nomad, kubernetes, docker-compose]")
            .into_owned();
        // A file with a secret needs somebody in the cluster who brings that.
        if let Some(from) = spec.find("      files:").filter(|_| path.ends_with("web/service.yaml")) {
            spec.truncate(from);
        }
        for name in IMAGELESS.iter().filter(|_| path == "gen.yaml") {
            let head = format!("\n  {name}:\n");
            assert!(spec.contains(&head), "there is no {name}");
            spec = spec.replace(&head, &format!("{head}    image: registry.shop.example/{name}:1.0.0\n"));
        }
        *found = Found::text(&spec);
    }
    files
}

fn of_nomad(name: &str, job: &str, jobs: &BTreeMap<String, String>, files: &Tree) -> Said {
    let mut calls = BTreeSet::new();
    for line in job
        .lines()
        .filter(|it| Regex::new(r"^[A-Z_]+=").expect("it is right").is_match(it))
    {
        for called in found(line, r#"\(service "([^"]+)"\)"#) {
            let is_of = |other: &&String| called == **other || called.starts_with(&format!("{other}-"));
            let owner = jobs.keys().filter(is_of).max_by_key(|it| it.len());
            if let Some(owner) = owner.filter(|it| *it != name) {
                calls.insert((owner.clone(), port_of(&jobs[owner], &called)));
            }
        }
    }
    let task = job.rfind(&format!("task \"{name}\"")).map_or(job, |from| &job[from..]);
    let memory = found(task, r"memory_max = (\d+)")
        .pop()
        .or_else(|| found(task, r"memory\s+= (\d+)").pop());
    let checks = Regex::new(r"(?s)check \{(.*?)\n\s*\}\n").expect("it is right");
    let check = checks
        .captures_iter(job)
        .find(|it| it[1].contains("\"health\""))
        .map(|it| {
            let one = |pattern: &str| found(&it[1], pattern).pop().unwrap_or_default();
            (
                one(r#"path\s+= "([^"]+)""#),
                one(r#"interval\s+= "([^"]+)""#),
                one(r#"timeout\s+= "([^"]+)""#),
            )
        });
    Said {
        waits: found(job, r#"task "wait-for-([^"]+)""#).into_iter().collect(),
        lets_in: intentions(name, files),
        calls,
        memory: memory.and_then(|it| it.parse().ok()),
        check: check.filter(|it| !it.0.is_empty()),
    }
}

/// Returns the port behind the name of a service of Consul.
fn port_of(job: &str, service: &str) -> String {
    let label = found(job, &format!(r#"name\s+= "{service}"\n\s+port\s+= "([^"]+)""#)).pop();
    // Within the mesh the port itself stands there.
    let label = label.unwrap_or_default();
    if label.parse::<u16>().is_ok() {
        return label;
    }
    let ports = found(
        job,
        &format!(r#"port "{label}" \{{\n(?:\s+static = \d+\n)?\s+to\s+= (\d+)"#),
    );
    ports
        .into_iter()
        .next()
        .or_else(|| found(job, &format!(r#"port "{label}" \{{\n\s+static = (\d+)"#)).pop())
        .unwrap_or(label)
}

/// Returns whom Consul lets in to a service, on whichever of its ports.
fn intentions(name: &str, files: &Tree) -> Names {
    let mut sources = Names::new();
    for (path, found_there) in files.range("deployments/nomad/intentions/".to_owned()..) {
        let Some(file) = path
            .strip_prefix("deployments/nomad/intentions/")
            .and_then(|it| it.strip_suffix(".hcl"))
        else {
            break;
        };
        let text = String::from_utf8_lossy(&found_there.bytes);
        // A port of its own has a name of its own.
        let port = file.strip_prefix(&format!("{name}-")).unwrap_or_default();
        if file == name || ["grpc", "metrics", "statsd", "management"].contains(&port) {
            let sources_of = text.split("Sources = [").nth(1).unwrap_or_default();
            sources.extend(found(sources_of, r#"\n    Name\s+= "([^"*]+)""#));
        }
    }
    sources.retain(|it| !WAYS_IN.contains(&it.as_str()) && it != "prometheus");
    sources
}

fn of_compose(name: &str, compose: &Value) -> Said {
    let services = &compose["services"];
    let here = &services[name];
    let networks = |name: &str| keys(&services[name]["networks"]);
    let lets_in = keys(services)
        .into_iter()
        .filter(|it| it != name && !WAYS_IN.contains(&it.as_str()))
        .filter(|it| {
            networks(it).contains(&format!("{it}--{name}")) && networks(name).contains(&format!("{it}--{name}"))
        });
    let mut calls = BTreeSet::new();
    let values = here["environment"].as_mapping().into_iter().flatten();
    for value in values.filter_map(|it| it.1.as_str()) {
        for other in keys(services) {
            calls.extend(
                found(value, &format!(r"(?:^|[/@]){other}:(\d+)"))
                    .into_iter()
                    .map(|it| (other.clone(), it)),
            );
        }
    }
    let memory = here["deploy"]["resources"]["limits"]["memory"].as_str();
    let asked = list(&here["healthcheck"]["test"])
        .iter()
        .map(text)
        .collect::<Vec<_>>()
        .join(" ");
    let word = |key: &str| text(&here["healthcheck"][key]).to_owned();
    let path = found(&asked, r"http://127\.0\.0\.1:\d+(/[^' ]*)").into_iter().next();
    Said {
        waits: keys(&here["depends_on"]),
        lets_in: lets_in.collect(),
        calls,
        memory: memory.and_then(|it| it.strip_suffix('M')?.parse().ok()),
        check: path.map(|it| (it, word("interval"), word("timeout"))),
    }
}

fn of_kubernetes(name: &str, pods: &BTreeMap<String, Pod>, objects: &Objects) -> Said {
    let here = &pods[name];
    let named = |it: &Value| text(&it["name"]).strip_prefix("wait-for-").map(str::to_owned);
    let waits = list(&here.spec["initContainers"]).iter().filter_map(named);
    let ways = objects.ways(here, "ingress");
    let lets_in = pods.iter().filter(|(other, pod)| {
        let goes_out = || objects.ways(pod, "egress").into_iter().any(|it| it.is_to(here));
        *other != name && ways.iter().any(|it| it.is_to(pod)) && goes_out()
    });
    let container = list(&here.spec["containers"]).first();
    let env = container.map_or(&[][..], |it| list(&it["env"]));
    let mut calls = BTreeSet::new();
    for value in env.iter().map(|it| text(&it["value"])) {
        for other in pods.keys() {
            let ports = found(value, &format!(r"(?:^|[/@]){other}(?:-rw)?\.shop\.svc:(\d+)"));
            calls.extend(ports.into_iter().map(|it| (other.clone(), it)));
        }
    }
    let memory = container.and_then(|it| it["resources"]["limits"]["memory"].as_str());
    let memory = memory.and_then(|it| match it.strip_suffix("Gi") {
        Some(number) => number.parse::<u64>().ok().map(|it| it * 1024),
        None => it.strip_suffix("Mi")?.parse().ok(),
    });
    let check = container
        .map(|it| &it["readinessProbe"])
        .filter(|it| !it["httpGet"].is_null())
        .map(|it| {
            let seconds = |key: &str| format!("{}s", it[key].as_u64().unwrap_or_default());
            (
                text(&it["httpGet"]["path"]).to_owned(),
                seconds("periodSeconds"),
                seconds("timeoutSeconds"),
            )
        });
    Said {
        waits: waits.collect(),
        lets_in: lets_in.map(|it| it.0.clone()).collect(),
        calls,
        memory,
        check,
    }
}

fn at(files: &Tree, path: &str) -> String {
    let found = files.get(path).unwrap_or_else(|| panic!("there is no {path}"));
    String::from_utf8_lossy(&found.bytes).into_owned()
}

fn keys(map: &Value) -> Names {
    let keys = |it: &serde_yaml_ng::Mapping| it.keys().map(|it| text(it).to_owned()).collect();
    map.as_mapping().map_or_else(Names::new, keys)
}

/// Returns the first group of each match.
fn found(text: &str, pattern: &str) -> Vec<String> {
    let pattern = Regex::new(pattern).expect("the pattern is right");
    pattern.captures_iter(text).map(|it| it[1].to_owned()).collect()
}
