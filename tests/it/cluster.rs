//! What stands in the objects of a cluster, read back: who may connect to whom by the policies alone, that whatever is
//! mentioned exists, and that each thing which the systems of two deployment specifications ask for is there.

mod agree;
mod objects;
mod seeds;
mod served;

use std::collections::{BTreeMap, BTreeSet};

use serde_yaml_ng::Value;

use self::objects::{Objects, Pod, fits, labels, list, text};
use crate::project::{Project, Tree, tree};
use crate::say;
use crate::tidy::top;

/// The fixtures with objects of a cluster, and the folder of each of their environments that has some.
const FIXTURES: [(&str, &[(&str, &str)]); 3] = [
    (
        "shop",
        &[("dev", "dev/"), ("staging", "environments/staging/"), ("prod", "")],
    ),
    (
        "generator",
        &[
            ("production", ""),
            ("staging", "staging/"),
            ("local", "local/"),
            ("load", "load/"),
        ],
    ),
    ("webapp", &[("cluster", "cluster/")]),
];
/// Who depends on something or mentions it.
const EDGES: &str = "(a:service)-[:depends_on|references]->(b:service|infra)";
/// The port on which names are found.
const NAMES: i64 = 53;

type Pairs = BTreeSet<(String, String)>;

#[test]
fn policies_allow_what_the_edges_say_and_nothing_else() {
    let mut faults = Vec::new();
    for (fixture, environments) in FIXTURES {
        let files = tree(&top().join("fixtures").join(fixture));
        let edges = edges(&Project::of(&files));
        for &(environment, folder) in environments {
            let objects = Objects::of(&files, folder);
            let pods = objects.pods();
            let mut open = |what: String| faults.push(format!("{fixture} {environment}: {what}"));

            // A pair is joined where the one may go out and the other lets it in, on a port that the other has.
            let mut joined = Pairs::new();
            let (mut n_names, mut n_from_outside, mut n_to_outside) = (0, 0, 0);
            for from in &pods {
                let out = objects.ways(from, "egress");
                let names = out.iter().filter(|it| it.port == NAMES).count();
                n_names += names.min(1);
                if names == 0 {
                    open(format!("{} finds no names", from.by));
                }
                n_to_outside += out.iter().filter(|it| it.labels.is_none() && it.port != NAMES).count();
                for way in out.iter().filter(|it| it.port != NAMES && it.labels.is_some()) {
                    let met: Vec<&Pod> = pods.iter().filter(|it| way.is_to(it)).collect();
                    // What others make is known by its labels alone.
                    if met.is_empty() {
                        let other = way.labels.as_ref().and_then(|it| it.get("app.kubernetes.io/name"));
                        joined.insert((whose(from), other.cloned().unwrap_or_default()));
                    }
                    for to in met {
                        let lets_in = objects.ways(to, "ingress");
                        if !lets_in.iter().any(|it| it.port == way.port && it.is_to(from)) {
                            open(format!("{} does not let {} in on {}", to.by, from.by, way.port));
                        }
                        if !to.ports.contains(&way.port) && whose(from) != whose(to) {
                            open(format!("{} has no port {}", to.by, way.port));
                        }
                        joined.insert((whose(from), whose(to)));
                    }
                }
            }
            for to in &pods {
                for way in objects.ways(to, "ingress") {
                    let met: Vec<&Pod> = pods.iter().filter(|it| way.is_to(it)).collect();
                    n_from_outside += usize::from(met.is_empty());
                    if met.is_empty() && way.labels.as_ref().is_some_and(|it| !it.is_empty()) {
                        open(format!("{} lets {:?} in, which no pod bears", to.by, way.labels));
                    }
                    for from in met {
                        let goes_out = objects.ways(from, "egress");
                        if !goes_out.iter().any(|it| it.port == way.port && it.is_to(to)) {
                            open(format!("{} can't go out to {} on {}", from.by, to.by, way.port));
                        }
                    }
                }
            }

            let known: BTreeSet<String> = pods.iter().map(whose).collect();
            // What listens on nothing is waited for, but never called.
            let listening: BTreeSet<String> = pods.iter().filter(|it| !it.ports.is_empty()).map(whose).collect();
            let asked = edges.get(environment).cloned().unwrap_or_default();
            let spec = infra_elsewhere(&files, environment);
            let wanted: Pairs = asked
                .into_iter()
                .map(|(a, b)| (name_of(&a), b))
                .filter(|(a, b)| {
                    known.contains(a)
                        && (listening.contains(&name_of(b)) || spec.contains(b) && !known.contains(&name_of(b)))
                })
                .map(|(a, b)| (a, name_of(&b)))
                .collect();
            // Pods of one thing that know one another are no edge of the graph.
            let (peers, joined): (Pairs, Pairs) = joined.into_iter().partition(|(a, b)| a == b);
            for pair in wanted.difference(&joined) {
                open(format!("no way for {pair:?}"));
            }
            for pair in joined.difference(&wanted) {
                open(format!("a way for {pair:?}, which no edge asks for"));
            }
            assert!(!joined.is_empty(), "there is nothing to compare");
            say(&format!(
                "cluster: {fixture} in {environment}: {} pods, {} pairs joined, as the graph says; apart from these {} \
                 find names, {} ways lead in from outside, {} out of the cluster, {} know their peers",
                pods.len(),
                joined.len(),
                n_names,
                n_from_outside,
                n_to_outside,
                peers.len(),
            ));
        }
    }
    assert!(faults.is_empty(), "policies and edges differ:\n{}", faults.join("\n"));
}

#[test]
fn whatever_an_object_mentions_exists() {
    let mut faults = Vec::new();
    for (fixture, environments) in FIXTURES {
        let files = tree(&top().join("fixtures").join(fixture));
        for &(environment, folder) in environments {
            let objects = Objects::of(&files, folder);
            let mut n_checked = 0;
            let mut check = |holds: bool, what: String| {
                n_checked += 1;
                if !holds {
                    faults.push(format!("{fixture} {environment}: {what}"));
                }
            };
            selectors(&objects, &mut check);
            mentions(&objects, &given(&files), &mut check);
            assert!(n_checked > 10, "there is nothing to check");
            say(&format!(
                "cluster: {fixture} in {environment}: {n_checked} mentions in {} objects",
                objects.0.len()
            ));
        }
    }
    assert!(faults.is_empty(), "mentioned, but not there:\n{}", faults.join("\n"));
}

/// The shortest way into a cluster: what `gen init` writes for the pattern, for each framework that brings a database, and
/// what becomes of it there and on all platforms together.
#[test]
fn fifteen_lines_become_a_whole_system() {
    for framework in ["fraiseql", "django", "rails"] {
        let project = Project::new().file("blog/README.md", "# Blog\n");
        let run = |arguments: &[&str]| {
            let run = project.run(&[&["-C", "blog"], arguments].concat());
            assert_eq!(run.code, 0, "{framework}: {}", run.snapshot());
        };
        run(&["init", "--framework", framework, "--pattern", "kubernetes"]);
        let said = |files: &Tree| lines(&files["blog/gen.yaml"].bytes);
        let n_said = said(&project.files());
        assert!(n_said <= 15, "{n_said} lines are more than 15");
        run(&["apply"]);
        run(&["check"]);
        let made = |files: &Tree| -> usize {
            let made = files.iter().filter(|it| it.0.starts_with("blog/deployments/"));
            made.map(|it| lines(&it.1.bytes)).sum()
        };
        let files = project.files();
        let objects = Objects::of(&files, "blog/");
        let url = &objects.one("Deployment", "blog")["spec"]["template"]["spec"]["containers"][0]["env"];
        let from = list(url).iter().find(|it| it["name"] == "SECRET_BLOG_DB_APP_URI");
        let from = from.map(|it| text(&it["valueFrom"]["secretKeyRef"]["name"]));
        assert_eq!(from, Some("blog-db-app"), "it logs in by what its operator writes");
        objects.one("Cluster", "blog-db");
        let n_made = made(&files);

        // The same where the spec says nothing of it, and it is chosen for one run.
        let written = String::from_utf8_lossy(&files["blog/gen.yaml"].bytes).into_owned();
        let (head, rest) = written.split_once("deployment:\n").expect("the pattern sets something");
        let (_, services) = rest.split_once("\nservices:").expect("it has services");
        let plain = format!("{head}services:{services}").replace(&format!("    framework: {framework}\n"), "");
        let chosen = Project::new().file("blog/gen.yaml", &plain);
        let flags = [
            "-C",
            "blog",
            "apply",
            "--pattern",
            "kubernetes",
            "--framework",
            framework,
        ];
        let apply = chosen.run(&flags);
        assert_eq!(apply.code, 0, "{framework}: {}", apply.snapshot());
        let mut others = chosen.files();
        others.retain(|path, _| path.starts_with("blog/deployments/"));
        let same = others.iter().all(|(path, found)| files.get(path) == Some(found));
        assert!(
            same && !others.is_empty(),
            "{framework}: what is chosen gives other files"
        );
        assert!(n_made > 400, "{framework}: only {n_made} lines");

        // The other one wants to know a registry and servers, which no pattern can know.
        let platforms = ["kubernetes", "nomad", "docker-compose", "procfile"];
        let flags: Vec<&str> = platforms.iter().flat_map(|it| ["--platform", it]).collect();
        run(&[&["apply"], &flags[..]].concat());
        let n_everywhere = made(&project.files());
        assert!(n_everywhere > n_made, "{framework}: other platforms print nothing");
        say(&format!(
            "cluster: {n_said} lines of a spec for {framework} become {n_made} for a cluster, {n_everywhere} for all platforms but one"
        ));
    }
}

fn lines(bytes: &[u8]) -> usize {
    let text = String::from_utf8_lossy(bytes);
    text.lines().filter(|it| !it.trim().is_empty()).count()
}

/// Checks that each selector selects pods, and each port of a Service is one of theirs.
fn selectors(objects: &Objects, check: &mut impl FnMut(bool, String)) {
    let pods = objects.pods();
    let selected = |namespace: &Value, selector: &Value| -> Vec<&Pod> {
        let selector = labels(selector);
        let here = pods.iter().filter(|it| it.namespace == text(namespace));
        here.filter(|it| fits(&selector, &it.labels)).collect()
    };
    for (kind, path) in [
        ("Service", vec!["selector"]),
        ("NetworkPolicy", vec!["podSelector", "matchLabels"]),
        ("PodDisruptionBudget", vec!["selector", "matchLabels"]),
        ("Deployment", vec!["selector", "matchLabels"]),
        ("StatefulSet", vec!["selector", "matchLabels"]),
        ("DaemonSet", vec!["selector", "matchLabels"]),
    ] {
        for object in objects.kind(kind) {
            let selector = path.iter().fold(&object["spec"], |at, key| &at[*key]);
            let found = selected(&object["metadata"]["namespace"], selector);
            let name = text(&object["metadata"]["name"]);
            check(!found.is_empty(), format!("the selector of {kind} {name}"));
            if kind == "Service" {
                for port in list(&object["spec"]["ports"]) {
                    let target = port["targetPort"].as_i64().unwrap_or_default();
                    let answered = found.iter().any(|it| it.ports.contains(&target));
                    check(answered, format!("port {target} of Service {name}"));
                }
            }
        }
    }
    for object in objects.kind("HorizontalPodAutoscaler") {
        let target = &object["spec"]["scaleTargetRef"];
        let found = objects.kind(text(&target["kind"]));
        let is_there = found.into_iter().any(|it| it["metadata"]["name"] == target["name"]);
        check(is_there, format!("the target {target:?}"));
    }
    for kind in ["HTTPRoute", "GRPCRoute", "TCPRoute", "UDPRoute", "Ingress"] {
        for object in objects.kind(kind) {
            let mut backends = Vec::new();
            find(&object["spec"], "backendRefs", &mut |it| {
                backends.extend(list(it).iter().map(|it| (it["name"].clone(), it["port"].clone())));
            });
            find(&object["spec"], "backend", &mut |it| {
                backends.push((it["service"]["name"].clone(), it["service"]["port"]["number"].clone()));
            });
            for (name, port) in backends {
                let mut services = objects.kind("Service").filter(|it| it["metadata"]["name"] == name);
                let is_there = services.any(|it| list(&it["spec"]["ports"]).iter().any(|it| it["port"] == port));
                check(is_there, format!("the Service {name:?} with port {port:?}"));
            }
        }
    }
}

/// Checks that each account, Secret, ConfigMap, claim and Service that pods mention is there, with its keys.
fn mentions(objects: &Objects, given: &BTreeMap<String, BTreeSet<String>>, check: &mut impl FnMut(bool, String)) {
    let named = |kind: &str, name: &Value| objects.kind(kind).any(|it| it["metadata"]["name"] == *name);
    for pod in objects.pods().iter().filter(|it| !it.spec.is_null()) {
        let by = &pod.by;
        check(
            named("ServiceAccount", &pod.spec["serviceAccountName"]),
            format!("the account of {by}"),
        );
        let mut secrets = Vec::new();
        find(&pod.spec, "secretKeyRef", &mut |it| {
            secrets.push((it["name"].clone(), Some(it["key"].clone())))
        });
        find(&pod.spec, "secret", &mut |it| {
            secrets.push((it["secretName"].clone(), None))
        });
        for (name, key) in secrets {
            let made = objects
                .kind("ExternalSecret")
                .find(|it| it["spec"]["target"]["name"] == name);
            let is_there = match (made, &key) {
                (Some(_), None) => true,
                (Some(made), Some(key)) => list(&made["spec"]["data"]).iter().any(|it| it["secretKey"] == *key),
                (None, key) => given
                    .get(text(&name))
                    .is_some_and(|keys| key.as_ref().is_none_or(|it| keys.contains(text(it)))),
            };
            check(is_there, format!("the Secret {name:?} with the key {key:?}, for {by}"));
        }
        let mut maps = Vec::new();
        find(&pod.spec, "configMapKeyRef", &mut |it| {
            maps.push((it["name"].clone(), Some(it["key"].clone())))
        });
        find(&pod.spec, "configMap", &mut |it| maps.push((it["name"].clone(), None)));
        for (name, key) in maps {
            let made = objects.kind("ConfigMap").find(|it| it["metadata"]["name"] == name);
            // Every namespace has this one.
            let is_there = text(&name) == "kube-root-ca.crt"
                || made.is_some_and(|it| key.as_ref().is_none_or(|key| !it["data"][text(key)].is_null()))
                || given
                    .get(text(&name))
                    .is_some_and(|keys| key.as_ref().is_none_or(|it| keys.contains(text(it))));
            check(
                is_there,
                format!("the ConfigMap {name:?} with the key {key:?}, for {by}"),
            );
        }
        find(&pod.spec, "persistentVolumeClaim", &mut |it| {
            check(
                named("PersistentVolumeClaim", &it["claimName"]),
                format!("the claim {:?} of {by}", it["claimName"]),
            );
        });
        let volumes: BTreeSet<&str> = list(&pod.spec["volumes"]).iter().map(|it| text(&it["name"])).collect();
        let made_for_it = objects
            .kind("StatefulSet")
            .filter(|it| *by == format!("StatefulSet {}", text(&it["metadata"]["name"])));
        let own: BTreeSet<&str> = made_for_it
            .flat_map(|it| list(&it["spec"]["volumeClaimTemplates"]))
            .map(|it| text(&it["metadata"]["name"]))
            .collect();
        find(&pod.spec, "volumeMounts", &mut |mounts| {
            for mount in list(mounts) {
                let name = text(&mount["name"]);
                check(
                    volumes.contains(name) || own.contains(name),
                    format!("the volume `{name}` of {by}"),
                );
            }
        });
    }
    for binding in objects.kind("RoleBinding") {
        check(
            named("Role", &binding["roleRef"]["name"]),
            format!("the role of {:?}", binding["metadata"]["name"]),
        );
        for subject in list(&binding["subjects"]) {
            check(
                named("ServiceAccount", &subject["name"]),
                format!("the account {:?}", subject["name"]),
            );
        }
    }
    for set in objects.kind("StatefulSet") {
        check(
            named("Service", &set["spec"]["serviceName"]),
            format!("the Service of {:?}", set["metadata"]["name"]),
        );
    }
}

/// Calls `visit` with whatever stands under a key, at any depth.
fn find(value: &Value, key: &str, visit: &mut impl FnMut(&Value)) {
    match value {
        Value::Mapping(map) => {
            for (name, inner) in map {
                if text(name) == key {
                    visit(inner);
                }
                find(inner, key, visit);
            }
        }
        Value::Sequence(items) => items.iter().for_each(|it| find(it, key, visit)),
        _ => {}
    }
}

/// Returns the name of the node of the spec whose pods these are.
fn whose(pod: &Pod) -> String {
    let name = &pod
        .labels
        .get("app.kubernetes.io/name")
        .or_else(|| pod.labels.get("cnpg.io/cluster"));
    let name = name.expect("pods bear the name of what they are of");
    name.strip_suffix("-join").unwrap_or(name).to_owned()
}

/// Returns who depends on whom or mentions it, by environment.
fn edges(project: &Project) -> BTreeMap<String, Pairs> {
    let run = project.run(&["query", "--json", EDGES]);
    assert_eq!(run.code, 0, "gen query {EDGES}\n{}", run.snapshot());
    let rows: Vec<BTreeMap<String, String>> = serde_json::from_str(&run.stdout).expect("an array of objects");
    let mut by_environment: BTreeMap<String, Pairs> = BTreeMap::new();
    for row in rows {
        let pairs = by_environment.entry(row["$environment"].clone()).or_default();
        pairs.insert((row["a"].clone(), row["b"].clone()));
    }
    by_environment
}

/// Returns the infrastructure of a spec that is in the cluster, by whomever it is made.
fn infra_elsewhere(files: &Tree, environment: &str) -> BTreeSet<String> {
    let spec: Value = serde_yaml_ng::from_slice(&files["gen.yaml"].bytes).expect("a spec is YAML");
    let declared = [
        &spec["infra"],
        &spec["deployment"]["infrastructure"],
        &spec["environments"][environment]["infra"],
    ];
    let mut found = BTreeSet::new();
    for (name, node) in declared.into_iter().filter_map(Value::as_mapping).flatten() {
        let is_outside = !node["address"].is_null() || node["external"].as_bool() == Some(true);
        if !is_outside {
            found.insert(format!("infra.{}", text(name)));
        }
    }
    found
}

/// Returns the Secrets and ConfigMaps that the spec says somebody else makes, with their keys.
fn given(files: &Tree) -> BTreeMap<String, BTreeSet<String>> {
    let spec: Value = serde_yaml_ng::from_slice(&files["gen.yaml"].bytes).expect("a spec is YAML");
    let mut given: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, secret) in spec["secrets"].as_mapping().into_iter().flatten() {
        let called = secret["kubernetes"]["name"].as_str().unwrap_or(text(name));
        let keys = secret["keys"].as_mapping().into_iter().flatten();
        given.insert(called.to_owned(), keys.map(|it| text(it.0).to_owned()).collect());
    }
    for (name, variable) in spec["variables"].as_mapping().into_iter().flatten() {
        let map = variable["kubernetes"]["config_map"].as_str().unwrap_or("config");
        let key = variable["kubernetes"]["key"].as_str().unwrap_or(text(name));
        given.entry(map.to_owned()).or_default().insert(key.to_owned());
    }
    // The account that infrastructure is made with.
    for name in ["queue", "database"] {
        let keys = ["username", "password", "erlang-cookie"].map(str::to_owned);
        given.insert(format!("{name}-account"), keys.into_iter().collect());
    }
    given
}

fn name_of(address: &str) -> String {
    address.split_once('.').map_or(address, |it| it.1).to_owned()
}
