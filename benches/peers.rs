//! `gen` beside the tools that print manifests too: helm, kustomize, cue and jsonnet, on the same content.
//!
//! 1,000 services, a Deployment and a Service each, as the pack `kubernetes` prints them. What the others read is made
//! of what `gen` prints of one service, so that all print the same objects, which is compared before anything is
//! measured. Figures are processor seconds of whole processes, medians, on storage in memory: once with nothing known,
//! and once after an edit of one field; only `gen` keeps anything between two runs.
//!
//!     GEN_PEERS=$(.ci/judges --peers) cargo bench --bench peers
//!     cargo bench --bench peers -- --write       puts the table into README.md as well
//!     cargo bench --bench peers -- --runs 9      takes the medians of nine
//!     cargo bench --bench peers -- --services 50 of so many services
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a measurement needs a clock, a disk and a place to tell"
)]

#[expect(dead_code, reason = "another bench asks for more")]
mod machine;
#[expect(dead_code, reason = "another bench has rows with budgets")]
mod table;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use machine::{Cost, Storage};
use serde::Deserialize as _;
use serde_json::{Value, json};

/// The binary that is measured.
const GEN: &str = env!("CARGO_BIN_EXE_gen");
/// What a service is called, and the numbers it has, in what the others' sources are made of.
const NAME: &str = "marker";
const PORT: u64 = 54_321;
const REPLICAS: u64 = 77;
/// Rules whose objects are none of the two.
const DISABLED: [&str; 6] = [
    "kubernetes/namespaces",
    "kubernetes/kustomization",
    "kubernetes/kustomization-of-a-service",
    "kubernetes/network-policy",
    "kubernetes/service-account",
    "kubernetes/disruption-budget",
];
/// Between these lines of the README stands the table.
const MARKERS: [&str; 2] = [
    "<!-- peers: begin (written by `cargo bench --bench peers -- --write`) -->",
    "<!-- peers: end -->",
];

/// One service: its name, its port, and how many of it run.
struct Service {
    name: String,
    port: u64,
    replicas: u64,
}

/// Objects by kind and name.
type Objects = BTreeMap<String, Value>;

/// Files by their paths, with their contents.
type Files = Vec<(String, String)>;

/// A tool, how it is run in its folder, and what it reads there.
struct Peer {
    name: &'static str,
    program: PathBuf,
    args: &'static [&'static str],
    files: fn(&[Value], &[Service]) -> Files,
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |flag: &str, usual: usize| {
        let at = args.iter().position(|it| it == flag);
        at.and_then(|at| args.get(at + 1)?.parse().ok()).unwrap_or(usual)
    };
    let (n_runs, n_services) = (number("--runs", 5), number("--services", 1_000));
    let Some(tools) = std::env::var_os("GEN_PEERS").map(PathBuf::from) else {
        panic!("GEN_PEERS names the folder with the other tools: `.ci/judges --peers` installs them and prints it");
    };
    let storage = Storage::find();
    let folder = storage.folder.path();
    let sample = objects_of_sample(&folder.join("sample"));

    let mut text = format!(
        "| tool | {n_services} services, cold: CPU | × gen | one field edited: CPU | × gen |\n|---|---|---|---|---|\n"
    );
    let all = services(n_services);
    let ours = Ours::at(&folder.join("gen"), &all);
    let mut costs: Vec<[Cost; 2]> = (0..n_runs).map(|_| ours.cold_and_edited()).collect();
    let [cold, edited] = medians(&mut costs);
    let printed = ours.objects();
    assert_eq!(printed.len(), 2 * n_services, "a Deployment and a Service each");
    _ = writeln!(
        text,
        "| gen | {} | 1.00 | {} | 1.00 |",
        cold.show_cpu(),
        edited.show_cpu()
    );
    for peer in peers(&tools) {
        let place = folder.join(peer.name);
        let mut costs: Vec<[Cost; 2]> = Vec::new();
        for _ in 0..n_runs {
            let mut services = services(n_services);
            let (first, found) = peer.run(&place, &sample, &services);
            assert_same(peer.name, &found, &printed);
            services[n_services / 2].replicas += 1;
            let (second, _) = peer.run(&place, &sample, &services);
            costs.push([first, second]);
        }
        let [its_cold, its_edited] = medians(&mut costs);
        _ = writeln!(
            text,
            "| {} | {} | {:.2} | {} | {:.2} |",
            peer.name,
            its_cold.show_cpu(),
            its_cold.cpu / cold.cpu,
            its_edited.show_cpu(),
            its_edited.cpu / edited.cpu
        );
    }
    _ = writeln!(text, "\n{}.", machine::facts(&storage));
    println!("\n{text}");
    if args.iter().any(|it| it == "--write") {
        table::put(
            Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")),
            MARKERS,
            &text,
        );
    }
}

fn services(n: usize) -> Vec<Service> {
    let service = |nth: usize| Service {
        name: format!("svc-{nth:04}"),
        port: 8_000 + nth as u64 % 1_000,
        replicas: 2 + nth as u64 % 3,
    };
    (0..n).map(service).collect()
}

/// Returns the medians of both figures by processor time.
fn medians(costs: &mut [[Cost; 2]]) -> [Cost; 2] {
    [0, 1].map(|which| {
        costs.sort_by(|a, b| a[which].cpu.total_cmp(&b[which].cpu));
        costs[costs.len() / 2][which]
    })
}

/// A project of `gen`.
struct Ours<'s> {
    folder: PathBuf,
    services: &'s [Service],
}

impl<'s> Ours<'s> {
    fn at(folder: &Path, services: &'s [Service]) -> Self {
        Self {
            folder: folder.to_owned(),
            services,
        }
    }

    fn cold_and_edited(&self) -> [Cost; 2] {
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder).expect("it is ours");
        }
        let edited = self.services.len() / 2;
        self.write(usize::MAX);
        let cold = self.apply();
        self.write(edited);
        let after = self.apply();
        // What is compared with the others is what stood there before the edit.
        self.write(usize::MAX);
        self.apply();
        [cold, after]
    }

    /// Writes the spec, in which the service at `edited` has one replica more.
    fn write(&self, edited: usize) {
        let disabled = DISABLED.join(", ");
        let mut spec = format!(
            "version: 0.2\nname: peers\ndisable: [{disabled}]\ndeployment: {{platforms: [kubernetes]}}\nservices:\n"
        );
        for (nth, service) in self.services.iter().enumerate() {
            let replicas = service.replicas + u64::from(nth == edited);
            let Service { name, port, .. } = service;
            _ = writeln!(
                spec,
                "  {name}:\n    image: registry.example/{name}:1.0.0\n    env: {{LEVEL: info, SELF: \"{name}.example.org\"}}\n    \
                 deployment: {{ports: {{http: {port}}}, replicas: {replicas}, resources: {{cpu: 100m, memory: 128Mi}}, health_check: /health}}"
            );
        }
        fs::create_dir_all(&self.folder).expect("the storage can be written");
        fs::write(self.folder.join("gen.yaml"), spec).expect("the storage can be written");
    }

    fn apply(&self) -> Cost {
        let mut command = Command::new(GEN);
        command.arg("-C").arg(&self.folder).args(["--quiet", "apply"]);
        machine::run(command.stdout(File::create(self.folder.join(".out")).expect("the storage can be written")))
    }

    fn objects(&self) -> Objects {
        let mut found = Objects::new();
        for service in self.services {
            let folder = self.folder.join("deployments/kubernetes").join(&service.name);
            let files = fs::read_dir(folder).expect("it was printed");
            for file in files.flatten() {
                found.extend(objects(&fs::read_to_string(file.path()).expect("a manifest is text")));
            }
        }
        found
    }
}

/// Returns what `gen` prints of the one service of which the others' sources are made.
fn objects_of_sample(folder: &Path) -> Vec<Value> {
    let sample = [Service {
        name: NAME.to_owned(),
        port: PORT,
        replicas: REPLICAS,
    }];
    let ours = Ours::at(folder, &sample);
    ours.write(usize::MAX);
    ours.apply();
    ours.objects().into_values().collect()
}

fn peers(tools: &Path) -> Vec<Peer> {
    let program = |name: &str| tools.join("bin").join(name);
    vec![
        Peer {
            name: "helm",
            program: program("helm"),
            args: &["template", "peers", "."],
            files: chart,
        },
        Peer {
            name: "jsonnet",
            program: program("jsonnet"),
            args: &["-y", "main.jsonnet"],
            files: jsonnet,
        },
        Peer {
            name: "cue",
            program: program("cue"),
            args: &["export", "--out", "json", "-e", "objects", "main.cue", "services.cue"],
            files: cue,
        },
        Peer {
            name: "kustomize",
            program: program("kustomize"),
            args: &["build", "."],
            files: kustomizations,
        },
    ]
}

impl Peer {
    /// Runs the tool on `services`; returns what that cost, and what it printed.
    fn run(&self, folder: &Path, sample: &[Value], services: &[Service]) -> (Cost, Objects) {
        for (path, text) in (self.files)(sample, services) {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().expect("it lies in the folder")).expect("the storage can be written");
            fs::write(path, text).expect("the storage can be written");
        }
        let out = folder.join("out");
        let mut command = Command::new(&self.program);
        command.args(self.args).current_dir(folder).env("HOME", folder);
        let cost = machine::run(command.stdout(File::create(&out).expect("the storage can be written")));
        (cost, objects(&fs::read_to_string(out).expect("it is text")))
    }
}

/// Returns the objects of a stream of YAML, or of a list in JSON.
fn objects(text: &str) -> Objects {
    let mut found = Objects::new();
    let mut add = |object: Value| {
        let word = |it: &Value| it.as_str().unwrap_or_default().to_owned();
        let name = format!("{}/{}", word(&object["kind"]), word(&object["metadata"]["name"]));
        if !object.is_null() {
            found.insert(name, object);
        }
    };
    for document in serde_yaml_ng::Deserializer::from_str(text) {
        match Value::deserialize(document).expect("objects are YAML") {
            Value::Array(all) => all.into_iter().for_each(&mut add),
            one => add(one),
        }
    }
    found
}

fn assert_same(name: &str, found: &Objects, wanted: &Objects) {
    assert_eq!(found.len(), wanted.len(), "{name} prints another number of objects");
    for (object, wanted) in wanted {
        assert_eq!(found.get(object), Some(wanted), "{name} prints another {object}");
    }
}

/// Returns `value` as source of a language: `text` writes a string, in whose parts a name may stand, `number` a number.
fn source(value: &Value, text: &dyn Fn(&[&str]) -> String, number: &dyn Fn(u64) -> Option<&'static str>) -> String {
    match value {
        Value::String(it) if it.contains(NAME) => text(&it.split(NAME).collect::<Vec<_>>()),
        Value::Number(it) => it
            .as_u64()
            .and_then(number)
            .map_or_else(|| it.to_string(), str::to_owned),
        Value::Array(items) => {
            let items = items.iter().map(|it| source(it, text, number));
            format!("[{}]", items.collect::<Vec<_>>().join(", "))
        }
        Value::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(key, it)| format!("{}: {}", json!(key), source(it, text, number)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

fn member(number: u64) -> Option<&'static str> {
    match number {
        PORT => Some("s.port"),
        REPLICAS => Some("s.replicas"),
        _ => None,
    }
}

/// Returns the services as a list in JSON, which YAML, CUE and Jsonnet read too.
fn list(services: &[Service]) -> String {
    let all = services
        .iter()
        .map(|it| json!({"name": it.name, "port": it.port, "replicas": it.replicas}));
    let all: Vec<String> = all.map(|it| it.to_string()).collect();
    format!("[\n{}\n]", all.join(",\n"))
}

fn chart(sample: &[Value], services: &[Service]) -> Files {
    let mut template = "{{- range $s := .Values.services }}\n".to_owned();
    for object in sample {
        let text = serde_yaml_ng::to_string(object).expect("it is plain data");
        let text = text
            .replace(NAME, "{{ $s.name }}")
            .replace(&PORT.to_string(), "{{ $s.port }}")
            .replace(&REPLICAS.to_string(), "{{ $s.replicas }}");
        _ = write!(template, "---\n{text}");
    }
    template.push_str("{{- end }}\n");
    vec![
        (
            "Chart.yaml".to_owned(),
            "apiVersion: v2\nname: peers\nversion: 0.1.0\n".to_owned(),
        ),
        ("values.yaml".to_owned(), format!("services: {}\n", list(services))),
        ("templates/all.yaml".to_owned(), template),
    ]
}

fn jsonnet(sample: &[Value], services: &[Service]) -> Files {
    let text = |parts: &[&str]| {
        let parts = parts.iter().map(|it| json!(it).to_string());
        format!("({})", parts.collect::<Vec<_>>().join(" + s.name + "))
    };
    let all: Vec<String> = sample.iter().map(|it| source(it, &text, &member)).collect();
    let main = format!(
        "local services = import 'services.json';\n[o for s in services for o in [{}]]\n",
        all.join(", ")
    );
    vec![
        ("main.jsonnet".to_owned(), main),
        ("services.json".to_owned(), list(services)),
    ]
}

fn cue(sample: &[Value], services: &[Service]) -> Files {
    let text = |parts: &[&str]| {
        let parts = parts
            .iter()
            .map(|it| json!(it).to_string().trim_matches('"').to_owned());
        format!("\"{}\"", parts.collect::<Vec<_>>().join("\\(s.name)"))
    };
    let all: Vec<String> = sample.iter().map(|it| source(it, &text, &member)).collect();
    let main = format!(
        "package peers\n\nobjects: [for s in services for o in [{}] {{o}}]\n",
        all.join(", ")
    );
    vec![
        ("main.cue".to_owned(), main),
        (
            "services.cue".to_owned(),
            format!("package peers\n\nservices: {}\n", list(services)),
        ),
    ]
}

/// A base, and for each service a folder that says what is otherwise there.
fn kustomizations(sample: &[Value], services: &[Service]) -> Files {
    let head = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n";
    let mut files = Vec::new();
    let mut base = format!("{head}resources:\n");
    for (nth, object) in sample.iter().enumerate() {
        _ = writeln!(base, "  - object-{nth}.yaml");
        let text = serde_yaml_ng::to_string(object).expect("it is plain data");
        files.push((format!("base/object-{nth}.yaml"), text));
    }
    files.push(("base/kustomization.yaml".to_owned(), base));
    let mut whole = format!("{head}resources:\n");
    for service in services {
        _ = writeln!(whole, "  - {}", service.name);
        let patches: Vec<Value> = sample
            .iter()
            .map(|object| {
                let mut changes = Vec::new();
                differing(object, service, "", &mut changes);
                json!({"target": {"kind": object["kind"], "name": NAME}, "patch": Value::Array(changes).to_string()})
            })
            .collect();
        let text = format!("{head}resources: [../base]\npatches: {}\n", Value::Array(patches));
        files.push((format!("{}/kustomization.yaml", service.name), text));
    }
    files.push(("kustomization.yaml".to_owned(), whole));
    files
}

/// Adds a change for each place at which the object of `service` differs from the sample.
fn differing(value: &Value, service: &Service, path: &str, changes: &mut Vec<Value>) {
    let new = match value {
        Value::Object(fields) => {
            for (key, it) in fields {
                let key = key.replace('~', "~0").replace('/', "~1");
                differing(it, service, &format!("{path}/{key}"), changes);
            }
            return;
        }
        Value::Array(items) => {
            for (nth, it) in items.iter().enumerate() {
                differing(it, service, &format!("{path}/{nth}"), changes);
            }
            return;
        }
        Value::String(it) if it.contains(NAME) => json!(it.replace(NAME, &service.name)),
        Value::Number(it) if it.as_u64() == Some(PORT) => json!(service.port),
        Value::Number(it) if it.as_u64() == Some(REPLICAS) => json!(service.replicas),
        _ => return,
    };
    changes.push(json!({"op": "replace", "path": path, "value": new}));
}
