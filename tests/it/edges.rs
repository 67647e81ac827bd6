//! One edge, everything: what each edge of `fixtures/shop` became in the files that a platform obeys, read back from
//! these files, and that no other pair has anything.
//!
//! Who is joined with whom is what `gen query` says; the fields of the edges stand in the spec. No rule is asked.

mod folder;
mod spec;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use self::folder::Folder;
use self::spec::Spec;
use crate::project::{Project, tree};
use crate::say;
use crate::tidy::{files, top};

/// The environments of the fixture, with their folders.
const ENVIRONMENTS: [(&str, &str); 3] = [("dev", "dev/"), ("staging", "environments/staging/"), ("prod", "")];
/// Who depends on something or mentions it.
const EDGES: &str = "(a:service)-[:depends_on|references]->(b:service|infra)";
/// What is reached from outside, and through what.
const ROUTES: &str = "(a:service)-[:routed_by]->(b:infra)";
/// Who mentions a secret.
const SECRETS: &str = "(a:service)-[:references]->(b:secret)";
/// Who can't do without what it depends on.
const NEEDS: &str = "(a:service)-[:depends_on {required: true}]->(b:service|infra)";
/// Who can't do without what it mentions.
const MENTIONS: &str = "(a:service)-[:references {required: true}]->(b:service|infra)";

type Pairs = BTreeSet<(String, String)>;

#[test]
fn every_edge_became_what_its_kind_and_fields_call_for() {
    let fixture = tree(&top().join("fixtures/shop"));
    let project = Project::of(&fixture);
    let spec = Spec::of(&fixture);
    let graph = Graph::of(&project);
    let mut faults = Vec::new();
    for (environment, folder) in ENVIRONMENTS {
        let folder = Folder {
            files: &fixture,
            folder,
        };
        let query = |pattern: &str| graph.pairs(environment, pattern);
        let edges = query(EDGES);
        let calls: Vec<Call> = spec.calls(&edges).into_iter().filter(|it| folder.runs(it)).collect();
        let routes = spec.routes(&query(ROUTES));
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
        // Who signs by Vault asks it itself, and so looks it up.
        let signs = spec.secrets(&query(SECRETS)).into_iter();
        let signs = signs.filter(|it| it.1.starts_with("transit/") && folder.has_job(&it.0));
        let looked_up: Pairs = signs
            .map(|it| (it.0, "vault".to_owned()))
            .chain(allowed.iter().cloned())
            .collect();
        compare("right to read", &looked_up, &reads);
        compare("right to write", &folder.registrations(&writes), &writes);

        let waits: Pairs = starts.iter().filter(|it| folder.waits(&spec, it)).map(bare).collect();
        compare("wait", &waits, &folder.wait_tasks());
        let secrets = spec.secrets(&query(SECRETS));
        let secrets: Pairs = secrets.into_iter().filter(|it| folder.has_job(&it.0)).collect();
        // What the spec makes of infrastructure reads what its own fields mention; edges are of services.
        let mut entitled = folder.secrets();
        entitled.retain(|it| spec.is_service(&it.0));
        compare("right to a secret", &secrets, &entitled);
        let needs = reach(&starts).into_iter().filter(|it| folder.waits(&spec, it));
        let silent: Pairs = needs.collect();
        compare("silence", &silent, &folder.inhibitions());

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
            "edges: shop in {environment}: {} pairs joined, {} of them on this platform; {} intentions, {} rights to read, {} waits, {} layers, {} rights to secrets, {} silences",
            edges.len(),
            calls.iter().map(|it| (&it.from, &it.to)).collect::<BTreeSet<_>>().len(),
            allowed.len(),
            reads.len(),
            waits.len(),
            layers.values().max().unwrap_or(&0),
            secrets.len(),
            silent.len(),
        ));
        assert!(
            [&allowed, &waits, &secrets, &silent].iter().all(|it| !it.is_empty()) && layers.len() > 5,
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

/// What `gen query` answers: for each pattern, the pairs that it binds as `a` and `b`, by environment, as addresses.
struct Graph(BTreeMap<&'static str, BTreeMap<String, Pairs>>);

impl Graph {
    fn of(project: &Project) -> Self {
        let mut graph = BTreeMap::new();
        for pattern in [EDGES, ROUTES, SECRETS, NEEDS, MENTIONS] {
            let run = project.run(&["query", "--json", pattern]);
            assert_eq!(run.code, 0, "gen query {pattern}\n{}", run.snapshot());
            let rows: Vec<BTreeMap<String, String>> = serde_json::from_str(&run.stdout).expect("an array of objects");
            let mut by_environment: BTreeMap<String, Pairs> = BTreeMap::new();
            for row in rows {
                let pairs = by_environment.entry(row["$environment"].clone()).or_default();
                pairs.insert((row["a"].clone(), row["b"].clone()));
            }
            graph.insert(pattern, by_environment);
        }
        Self(graph)
    }

    fn pairs(&self, environment: &str, pattern: &str) -> Pairs {
        self.0[pattern].get(environment).cloned().unwrap_or_default()
    }
}

/// Returns the pairs that one or more steps of `pairs` join.
fn reach(pairs: &Pairs) -> Pairs {
    let mut reach = pairs.clone();
    loop {
        let further = reach.iter().flat_map(|(a, b)| {
            let steps = pairs.iter().filter(move |it| it.0 == *b);
            steps.map(move |it| (a.clone(), it.1.clone()))
        });
        let further: Pairs = further.filter(|it| !reach.contains(it)).collect();
        if further.is_empty() {
            return reach;
        }
        reach.extend(further);
    }
}

/// Returns the pairs that decide the start: the required ones, but for mentions within a circle.
fn starts(query: &impl Fn(&str) -> Pairs) -> Pairs {
    let needs = query(NEEDS);
    let mentions = query(MENTIONS);
    let reach = reach(&needs.union(&mentions).cloned().collect());
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
