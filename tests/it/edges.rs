//! One edge, everything: what each edge of `fixtures/shop` became in the files that a platform obeys, read back from
//! these files, and that no other pair has anything.
//!
//! Who is joined with whom is what `gen query` says; the fields of the edges stand in the spec. No rule is asked.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_yaml_ng::Value;

use crate::project::{Project, Tree, tree};
use crate::say;
use crate::tidy::{files, top};

/// The environments of the fixture, with their folders.
const ENVIRONMENTS: [(&str, &str); 3] = [("dev", "dev/"), ("staging", "environments/staging/"), ("prod", "")];
/// What a reference mentions of a node's main port.
const MAIN: [&str; 4] = ["address", "host", "port", "url"];

type Pairs = BTreeSet<(String, String)>;

#[test]
fn every_edge_became_what_its_kind_and_fields_call_for() {
    let fixture = tree(&top().join("fixtures/shop"));
    let project = Project::of(&fixture);
    let spec = Spec::of(&fixture);
    let mut faults = Vec::new();
    for (environment, folder) in ENVIRONMENTS {
        let folder = Folder {
            files: &fixture,
            folder,
        };
        let query = |pattern: &str| pairs(&project, environment, pattern);
        let edges = query("(a:service)-[:depends_on|references]->(b:service|infra)");
        let calls: Vec<Call> = spec.calls(&edges).into_iter().filter(|it| folder.runs(it)).collect();
        let routes = spec.routes(&query("(a:service)-[:routed_by]->(b:infra)"));
        let starts = starts(&query);
        let mut compare = |what: &str, wanted: &Pairs, found: &Pairs| {
            let missing = wanted
                .difference(found)
                .map(|it| format!("{environment}: no {what} for {it:?}"));
            let spare = found
                .difference(wanted)
                .map(|it| format!("{environment}: a {what} for {it:?}, which no edge asks for"));
            faults.extend(missing.chain(spare));
        };

        let reached = |call: &Call| spec.registered(&call.to).then(|| (call.from.clone(), spec.name(call)));
        let allowed: Pairs = calls.iter().filter_map(reached).chain(routes.iter().cloned()).collect();
        compare("intention", &allowed, &folder.intentions());
        let (reads, writes) = folder.policies();
        compare("right to read", &allowed, &reads);
        compare("right to write", &folder.registrations(&writes), &writes);

        let waits: Pairs = starts.iter().filter(|it| folder.waits(&spec, it)).map(bare).collect();
        compare("wait", &waits, &folder.wait_tasks());
        let layers = folder.layers();
        for (from, to) in starts.iter().map(bare) {
            let (Some(later), Some(earlier)) = (layers.get(&from), layers.get(&to)) else {
                continue;
            };
            if later <= earlier {
                faults.push(format!(
                    "{environment}: `{from}` is deployed in layer {later}, `{to}` in {earlier}"
                ));
            }
        }
        say(&format!(
            "edges: shop in {environment}: {} pairs joined, {} of them on this platform; {} intentions, {} rights to read, {} waits, {} layers",
            edges.len(),
            calls.iter().map(|it| (&it.from, &it.to)).collect::<BTreeSet<_>>().len(),
            allowed.len(),
            reads.len(),
            waits.len(),
            layers.values().max().unwrap_or(&0),
        ));
        assert!(
            !allowed.is_empty() && !waits.is_empty() && layers.len() > 5,
            "there is nothing to compare"
        );
    }
    assert!(faults.is_empty(), "edges and files differ:\n{}", faults.join("\n"));
}

#[test]
fn lines_of_a_spec_become_many_lines() {
    let fixture = top().join("fixtures/shop");
    let count = |text: &str| text.lines().filter(|it| !it.trim().is_empty()).count();
    let read =
        |path: &std::path::Path| fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let specs = files(&fixture.join("services"), ".yaml")
        .into_iter()
        .chain([fixture.join("gen.yaml")]);
    let n_in: usize = specs.map(|it| count(&read(&it))).sum();
    let manifest: String = files(&fixture.join(".gen/manifest"), ".txt")
        .iter()
        .map(|it| read(it))
        .collect();
    let generated = manifest
        .lines()
        .filter(|it| !it.starts_with('#'))
        .filter_map(|it| it.split(' ').nth(1));
    let generated: Vec<&str> = generated.collect();
    let n_out: usize = generated.iter().map(|it| count(&read(&fixture.join(it)))).sum();
    say(&format!(
        "edges: shop: {n_in} lines of YAML in, {n_out} lines out, in {} files: {} for each",
        generated.len(),
        n_out / n_in
    ));
    assert!(n_out > 10 * n_in, "{n_in} lines in, only {n_out} lines out");
}

/// Who calls whom on which port; none is the main one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Call {
    from: String,
    to: String,
    port: Option<String>,
}

/// Returns the pairs `a`, `b` that a pattern binds in an environment, as addresses.
fn pairs(project: &Project, environment: &str, pattern: &str) -> Pairs {
    let run = project.run(&["query", "--json", "--env", environment, pattern]);
    assert_eq!(run.code, 0, "gen query {pattern}\n{}", run.snapshot());
    let rows: Vec<BTreeMap<String, String>> = serde_json::from_str(&run.stdout).expect("an array of objects");
    rows.into_iter().map(|it| (it["a"].clone(), it["b"].clone())).collect()
}

/// Returns the pairs of names that decide the start: the required ones, but for mentions within a circle.
fn starts(query: &impl Fn(&str) -> Pairs) -> Pairs {
    let needs = query("(a:service)-[:depends_on {required: true}]->(b:service|infra)");
    let mentions = query("(a:service)-[:references {required: true}]->(b:service|infra)");
    let mut reach: Pairs = needs.union(&mentions).cloned().collect();
    loop {
        let further: Vec<(String, String)> = reach
            .iter()
            .flat_map(|(a, b)| {
                reach
                    .iter()
                    .filter(move |it| it.0 == *b)
                    .map(move |it| (a.clone(), it.1.clone()))
            })
            .filter(|it| !reach.contains(it))
            .collect();
        if further.is_empty() {
            break;
        }
        reach.extend(further);
    }
    let in_a_circle = |it: &(String, String)| reach.contains(&(it.1.clone(), it.0.clone()));
    let mentions = mentions.into_iter().filter(|it| !in_a_circle(it));
    needs.iter().cloned().chain(mentions).collect()
}

/// Returns two addresses as names.
fn bare(pair: &(String, String)) -> (String, String) {
    (name_of(&pair.0), name_of(&pair.1))
}

fn name_of(address: &str) -> String {
    address.split_once('.').map_or(address, |it| it.1).to_owned()
}

/// What the spec says of its services and infrastructure.
struct Spec {
    services: BTreeMap<String, Value>,
    infra: BTreeMap<String, Value>,
}

impl Spec {
    fn of(fixture: &Tree) -> Self {
        let mut spec = Self {
            services: BTreeMap::new(),
            infra: BTreeMap::new(),
        };
        let is_spec = |path: &str| path == "gen.yaml" || path.starts_with("services/");
        for (_, found) in fixture.iter().filter(|it| is_spec(it.0)) {
            let file: Value = serde_yaml_ng::from_slice(&found.bytes).expect("a spec is YAML");
            spec.services.extend(entries(&file["services"]));
            spec.infra.extend(entries(&file["infra"]));
        }
        spec
    }

    /// Returns who calls whom, with the ports that the edges name or the texts mention.
    fn calls(&self, edges: &Pairs) -> Vec<Call> {
        let mut calls = BTreeSet::new();
        for (from, to) in edges {
            let service = &self.services[&name_of(from)];
            let named = |port: Option<&str>| Call {
                from: name_of(from),
                to: to.clone(),
                port: port.filter(|it| !MAIN.contains(it)).map(str::to_owned),
            };
            let depends_on = &service["depends_on"];
            let listed = depends_on
                .as_sequence()
                .is_some_and(|it| it.iter().any(|it| it.as_str() == Some(&*name_of(to))));
            if listed || depends_on.get(name_of(to)).is_some() {
                calls.insert(named(depends_on.get(name_of(to)).and_then(|it| it["port"].as_str())));
            }
            let mut mentioned = Vec::new();
            mentions(service, to, &mut mentioned);
            calls.extend(mentioned.iter().map(|it| named(Some(it))));
            assert!(
                calls.iter().any(|it| it.from == name_of(from) && it.to == *to),
                "the spec does not say why {from} is joined with {to}"
            );
        }
        calls.into_iter().collect()
    }

    /// Returns the way in with the names that it leads to.
    fn routes(&self, edges: &Pairs) -> Pairs {
        let mut routes = Pairs::new();
        for (from, to) in edges {
            for (_, route) in entries(&self.services[&name_of(from)]["deployment"]["routes"]) {
                let port = route.get("port").and_then(Value::as_str).map(str::to_owned);
                let call = Call {
                    from: name_of(to),
                    to: from.clone(),
                    port,
                };
                routes.insert((name_of(to), self.name(&call)));
            }
        }
        routes
    }

    /// Returns the name in the registry that a call is for.
    fn name(&self, call: &Call) -> String {
        let to = name_of(&call.to);
        let ports = self.services.get(&to).map(|it| entries(&it["deployment"]["ports"]));
        let main = ports.as_ref().and_then(|it| {
            if it.contains_key("http") {
                Some("http")
            } else {
                it.keys().next().map(String::as_str)
            }
        });
        match call.port.as_deref() {
            Some(port) if Some(port) != main => format!("{to}-{port}"),
            _ => to,
        }
    }

    /// Tells whether a node is in the registry: infrastructure at a fixed address is not, nor is a job.
    fn registered(&self, address: &str) -> bool {
        let name = name_of(address);
        match self.services.get(&name) {
            Some(service) => service["kind"].as_str() != Some("job"),
            None => self.infra[&name].get("address").is_none(),
        }
    }
}

fn entries(yaml: &Value) -> BTreeMap<String, Value> {
    let map = yaml.as_mapping().cloned().unwrap_or_default();
    map.into_iter()
        .filter_map(|(key, it)| Some((key.as_str()?.to_owned(), it)))
        .collect()
}

/// Collects what texts mention of `address`: `${service.auth.url}`, `${?infra.cache.host}`, but not `$${…}`.
fn mentions(yaml: &Value, address: &str, found: &mut Vec<String>) {
    match yaml {
        Value::String(text) => {
            let text = text.replace("$${", "");
            for part in text.split("${").skip(1) {
                let inner = part.split('}').next().unwrap_or_default().trim_start_matches('?');
                found.extend(inner.strip_prefix(&format!("{address}.")).map(str::to_owned));
            }
        }
        Value::Sequence(items) => items.iter().for_each(|it| mentions(it, address, found)),
        Value::Mapping(map) => map.values().for_each(|it| mentions(it, address, found)),
        _ => {}
    }
}

/// The files of one environment.
struct Folder<'a> {
    files: &'a Tree,
    folder: &'a str,
}

impl Folder<'_> {
    /// Returns the texts below `path` by their names, without the suffix.
    fn texts(&self, path: &str) -> BTreeMap<String, String> {
        let below = format!("{}deployments/nomad/{path}/", self.folder);
        let named = |(path, found): (&String, &crate::project::Found)| {
            let (name, _) = path.strip_prefix(&below)?.rsplit_once('.')?;
            let text = String::from_utf8_lossy(&found.bytes).into_owned();
            (!name.contains('/')).then(|| (name.to_owned(), text))
        };
        self.files.iter().filter_map(named).collect()
    }

    /// Tells whether both ends of a call run on the platform, or are no service.
    fn runs(&self, call: &Call) -> bool {
        let jobs = self.texts("jobs");
        jobs.contains_key(&call.from) && (call.to.starts_with("infra.") || jobs.contains_key(&name_of(&call.to)))
    }

    /// Tells whether the start of a pair is one that a job waits for.
    fn waits(&self, spec: &Spec, pair: &(String, String)) -> bool {
        let call = Call {
            from: name_of(&pair.0),
            to: pair.1.clone(),
            port: None,
        };
        let is_service = pair.1.starts_with("service.");
        self.runs(&call) && (is_service || spec.registered(&pair.1))
    }

    /// Returns who may call which name.
    fn intentions(&self) -> Pairs {
        let mut pairs = Pairs::new();
        for (name, text) in self.texts("intentions") {
            let quoted: Vec<&str> = text
                .lines()
                .filter(|it| it.trim_start().starts_with("Name "))
                .filter_map(|it| it.split('"').nth(1))
                .collect();
            let [destination, sources @ .., last] = &*quoted else {
                panic!("{name}: {text}")
            };
            assert_eq!(*destination, name, "an entry stands in the file of its name");
            assert_eq!(*last, "*", "{name} does not close with what becomes of all others");
            assert_eq!(
                text.matches("Action = \"deny\"").count(),
                1,
                "{name} does not say that all others are denied"
            );
            pairs.extend(sources.iter().map(|it| ((*it).to_owned(), name.clone())));
        }
        pairs
    }

    /// Returns who may read, and who may write, which name.
    fn policies(&self) -> (Pairs, Pairs) {
        let (mut reads, mut writes) = (Pairs::new(), Pairs::new());
        for (job, text) in self.texts("policies/consul") {
            for part in text.split("service \"").skip(1) {
                let name = part.split('"').next().unwrap_or_default().to_owned();
                let into = if part.contains("policy = \"write\"") {
                    &mut writes
                } else {
                    &mut reads
                };
                into.insert((job.clone(), name));
            }
        }
        (reads, writes)
    }

    /// Returns each job with the names that it registers; of what has no job here, what `said` says.
    fn registrations(&self, said: &Pairs) -> Pairs {
        let jobs = self.texts("jobs");
        let mut pairs: Pairs = said
            .iter()
            .filter(|it| !jobs.contains_key(&it.0) && it.1.starts_with(&it.0))
            .cloned()
            .collect();
        for (job, text) in jobs {
            for part in text.split("\n    service {\n").skip(1) {
                let name = part
                    .split("name ")
                    .nth(1)
                    .and_then(|it| it.split('"').nth(1))
                    .expect("a service has a name");
                pairs.insert((job.clone(), name.to_owned()));
            }
        }
        pairs
    }

    /// Returns who waits for whom before it starts.
    fn wait_tasks(&self) -> Pairs {
        let mut pairs = Pairs::new();
        for (job, text) in self.texts("jobs") {
            let tasks = text
                .split("task \"wait-for-")
                .skip(1)
                .filter_map(|it| it.split('"').next());
            pairs.extend(tasks.map(|it| (job.clone(), it.to_owned())));
        }
        pairs
    }

    /// Returns the layer in which each job is deployed.
    fn layers(&self) -> BTreeMap<String, usize> {
        let script = &self.files[&format!("{}scripts/deploy.sh", self.folder)].bytes;
        let script = String::from_utf8_lossy(script);
        let jobs = self.texts("jobs");
        let mut layers = BTreeMap::new();
        let mut layer = 0;
        for line in script.lines() {
            if line.starts_with("echo \"layer ") {
                layer += 1;
            }
            let words = line
                .split_whitespace()
                .skip(1)
                .filter(|it| layer > 0 && jobs.contains_key(*it));
            for word in words {
                layers.entry(word.to_owned()).or_insert(layer);
            }
        }
        layers
    }
}
