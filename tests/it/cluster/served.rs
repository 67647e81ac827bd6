//! What a real API server makes of the objects: it takes all of them, a second time nothing changes, Pod Security lets
//! their pods in, and Helm installs and upgrades the chart.
//!
//! No controller runs beside it, so what only these do is done here: a quota is given its measure, and a namespace its end.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::FIXTURES;
use super::objects::Objects;
use crate::agents::{Server, free_ports, shown};
use crate::project::tree;
use crate::say;
use crate::tidy::{files, top};

/// Namespaces that fixtures and cases say others have made.
const GIVEN: [&str; 2] = ["nginx-gateway", "gateway"];
const CHART: &str = "fixtures/generator/chart/deployments/helm";
/// What a pod that the strict level refuses is.
const UNSAFE: &str = r#"{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "unsafe", "namespace": "shop"},
    "spec": {"serviceAccountName": "catalog", "hostNetwork": true, "containers": [{"name": "a", "image": "a:1"}]}}"#;

/// Objects by their kind, namespace and name.
type Kept = BTreeMap<String, Value>;

#[test]
fn an_api_server_takes_all_objects_and_finds_nothing_to_change_again() {
    let Some(tools) = crate::judges::folder() else {
        return say("cluster: the API server is left out, since there are no judges");
    };
    let start = Instant::now();
    let cluster = Cluster::start(&tools);
    for name in GIVEN {
        cluster.text(&["create", "namespace", name], "");
    }
    for (fixture, environments) in FIXTURES {
        let all = tree(&top().join("fixtures").join(fixture));
        for &(environment, folder) in environments {
            let objects = Objects::of(&all, folder);
            let place = format!("fixtures/{fixture}/{folder}deployments/kubernetes");
            let place = top().join(place).to_string_lossy().into_owned();
            let apply = ["apply", "--server-side", "-k", &place];
            let namespaces = format!("{place}/namespaces.yaml");
            cluster.quietly(&["apply", "--server-side", "-f", &namespaces], "");
            let tried = cluster.quietly(&[&apply[..], &["--dry-run=server"]].concat(), "");
            let n_tried = tried.lines().filter(|it| it.ends_with(" (server dry run)")).count();
            assert_eq!(n_tried, objects.0.len(), "{fixture} {environment}:\n{tried}");
            cluster.quietly(&apply, "");
            let before = cluster.kept(&["-k", &place], "");
            assert_eq!(before.len(), objects.0.len(), "{fixture} {environment}");
            cluster.quietly(&apply, "");
            let after = cluster.kept(&["-k", &place], "");
            assert_eq!(
                before, after,
                "{fixture} {environment}: a second time something changes"
            );

            cluster.measure_quotas();
            let pods = pods(&objects);
            let taken = cluster.quietly(
                &["apply", "--server-side", "--dry-run=server", "-f", "-"],
                &pods.to_string(),
            );
            let n_pods = pods["items"].as_array().map_or(0, Vec::len);
            assert_eq!(taken.lines().count(), n_pods, "{taken}");
            if fixture == "shop" {
                let refused = cluster.kubectl(&["apply", "--dry-run=server", "-f", "-"], UNSAFE);
                let said = refused.expect_err("an unsafe pod is let in");
                assert!(said.contains("violates PodSecurity \"restricted"), "{said}");
            }
            cluster.clear(&place, &objects);
            say(&format!(
                "cluster: {fixture} in {environment}: the API server takes {n_tried} objects, a second time none changes; \
                 {n_pods} pods keep to Pod Security"
            ));
        }
    }
    cluster.takes_cases();
    cluster.helm_installs_and_upgrades();
    say(&format!("cluster: the API server took {} s", start.elapsed().as_secs()));
}

/// Returns the folders with objects of a cluster that cases expect, with these.
fn cases() -> Vec<(PathBuf, Objects)> {
    let all = files(&top().join("tests/cases"), "/kustomization.yaml").into_iter();
    let whole =
        all.filter(|it| it.iter().any(|name| name == "expected") && it.ends_with("kubernetes/kustomization.yaml"));
    whole
        .map(|it| {
            let place = it.parent().expect("a file stands in a folder").to_owned();
            let environment = place.parent().and_then(Path::parent).expect("it is below deployments");
            let objects = Objects::of(&tree(environment), "");
            (place, objects)
        })
        .collect()
}

/// Returns the pods that the objects make, as a list.
fn pods(objects: &Objects) -> Value {
    let mut items = Vec::new();
    for pod in objects.pods().iter().filter(|it| !it.spec.is_null()) {
        let mut spec: Value = serde_json::to_value(&pod.spec).expect("YAML of Kubernetes is JSON");
        // A StatefulSet adds the volumes that it makes for each pod.
        let volumes: BTreeSet<String> = list(&spec["volumes"]).iter().map(|it| it["name"].to_string()).collect();
        let mounted: Vec<Value> = ["containers", "initContainers"]
            .iter()
            .flat_map(|it| list(&spec[*it]))
            .flat_map(|it| list(&it["volumeMounts"]))
            .map(|it| it["name"].clone())
            .collect();
        let added: BTreeSet<String> = mounted
            .iter()
            .map(Value::to_string)
            .filter(|it| !volumes.contains(it))
            .collect();
        let mut all = list(&spec["volumes"]);
        all.extend(
            added
                .iter()
                .map(|it| json!({"name": it.trim_matches('"'), "emptyDir": {}})),
        );
        spec["volumes"] = Value::Array(all);
        let name = pod.by.to_lowercase().replace(' ', "-");
        items.push(json!({"apiVersion": "v1", "kind": "Pod", "spec": spec,
            "metadata": {"name": name, "namespace": pod.namespace, "labels": pod.labels}}));
    }
    json!({"apiVersion": "v1", "kind": "List", "items": items})
}

/// Returns the names of those that are another, or not there.
fn changed(before: &Kept, after: &Kept) -> Vec<String> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changed = names.into_iter().filter(|it| before.get(*it) != after.get(*it));
    changed.cloned().collect()
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

/// An API server with its store, on free ports, and a room for what both keep.
struct Cluster {
    // The API server ends before its store.
    _servers: [Server; 2],
    path: String,
    room: tempfile::TempDir,
}

impl Cluster {
    fn start(tools: &Path) -> Self {
        let room = tempfile::tempdir().expect("a temporary folder can be made");
        let path = format!("{}:/usr/bin:/bin", tools.join("bin").display());
        // Its accounts are signed by a key; any program that makes one will do.
        let key = "consul-agent-ca-key.pem";
        let made = Command::new(tools.join("bin/consul"))
            .args(["tls", "ca", "create"])
            .current_dir(room.path())
            .output();
        assert!(made.is_ok_and(|it| it.status.success()), "no key");
        fs::write(room.path().join("tokens"), "token,admin,admin,system:masters\n").expect("the folder is ours");
        let ports = free_ports(3);
        let (store, peer) = (
            format!("http://127.0.0.1:{}", ports[0]),
            format!("http://127.0.0.1:{}", ports[1]),
        );
        let etcd = [
            "etcd",
            "--data-dir=etcd",
            "--unsafe-no-fsync",
            "--log-level=error",
            &format!("--listen-client-urls={store}"),
            &format!("--advertise-client-urls={store}"),
            &format!("--listen-peer-urls={peer}"),
            &format!("--initial-advertise-peer-urls={peer}"),
            &format!("--initial-cluster=default={peer}"),
        ];
        let api = [
            "kube-apiserver",
            &format!("--etcd-servers={store}"),
            &format!("--secure-port={}", ports[2]),
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            "--cert-dir=certs",
            "--service-account-issuer=https://kubernetes.default.svc",
            &format!("--service-account-key-file={key}"),
            &format!("--service-account-signing-key-file={key}"),
            "--token-auth-file=tokens",
            "--authorization-mode=RBAC",
            "--allow-privileged",
            "--service-cluster-ip-range=10.0.0.0/24",
            // Claims would wait for a controller before they go.
            "--disable-admission-plugins=StorageObjectInUseProtection",
        ];
        let config = json!({"apiVersion": "v1", "kind": "Config", "current-context": "it",
            "clusters": [{"name": "it", "cluster":
                {"server": format!("https://127.0.0.1:{}", ports[2]), "insecure-skip-tls-verify": true}}],
            "users": [{"name": "it", "user": {"token": "token"}}],
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}]});
        fs::write(room.path().join("config"), config.to_string()).expect("the folder is ours");
        let store = Server::start(room.path(), "etcd", &path, &etcd, &[]);
        let api = Server::start(room.path(), "kube-apiserver", &path, &api, &[]);
        let cluster = Self {
            _servers: [api, store],
            path,
            room,
        };
        let start = Instant::now();
        while cluster.kubectl(&["get", "--raw", "/readyz"], "").is_err() {
            assert!(
                start.elapsed() < Duration::from_secs(90),
                "{}",
                cluster._servers[0].said()
            );
            std::thread::sleep(Duration::from_millis(200));
        }
        cluster.define(&tools.join("crds/definitions"));
        cluster
    }

    /// Makes the objects of operators known that the fixtures have.
    fn define(&self, definitions: &Path) {
        let kinds: BTreeSet<String> = FIXTURES
            .iter()
            .flat_map(|(fixture, environments)| {
                let all = tree(&top().join("fixtures").join(fixture));
                let objects = environments.iter().map(move |(_, folder)| Objects::of(&all, folder));
                objects.flat_map(|it| it.0).collect::<Vec<_>>()
            })
            .chain(cases().into_iter().flat_map(|it| it.1.0))
            .filter_map(|it| it["kind"].as_str().map(str::to_owned))
            .collect();
        let mut all: Vec<Value> = files(definitions, ".json")
            .iter()
            .map(|it| serde_json::from_str(&fs::read_to_string(it).unwrap_or_default()).unwrap_or_default())
            .collect();
        all.retain(|it: &Value| {
            it["spec"]["names"]["kind"]
                .as_str()
                .is_some_and(|it| kinds.contains(it))
        });
        assert!(!all.is_empty(), "no definitions in {}", definitions.display());
        let all = json!({"apiVersion": "v1", "kind": "List", "items": all}).to_string();
        self.text(&["apply", "--server-side", "-f", "-"], &all);
        self.text(
            &["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"],
            "",
        );
    }

    fn command(&self, program: &str, args: &[&str], input: &str) -> Result<(String, String), String> {
        let mut child = Command::new(PathBuf::from(self.path.split(':').next().unwrap_or_default()).join(program))
            .args(args)
            .current_dir(top())
            .env_clear()
            .env("PATH", &self.path)
            .env("HOME", self.room.path())
            .env("KUBECONFIG", self.room.path().join("config"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error}"));
        let mut given = child.stdin.take().expect("it has an input");
        let input = input.to_owned();
        let written = std::thread::spawn(move || drop(given.write_all(input.as_bytes())));
        let output = child.wait_with_output().expect("it ends");
        written.join().expect("nothing panics there");
        let (out, said) = (shown(&output.stdout), shown(&output.stderr));
        if output.status.success() {
            Ok((out, said))
        } else {
            Err(format!("{program} {args:?}\n{out}{said}"))
        }
    }

    fn kubectl(&self, args: &[&str], input: &str) -> Result<(String, String), String> {
        self.command("kubectl", args, input)
    }

    /// Returns what kubectl prints; it must end well.
    fn text(&self, args: &[&str], input: &str) -> String {
        self.kubectl(args, input).unwrap_or_else(|error| panic!("{error}")).0
    }

    /// The same, of what the server must not warn either.
    fn quietly(&self, args: &[&str], input: &str) -> String {
        let (out, said) = self.kubectl(args, input).unwrap_or_else(|error| panic!("{error}"));
        assert!(said.is_empty(), "kubectl {args:?} warns:\n{said}");
        out
    }

    fn json(&self, args: &[&str], input: &str) -> Vec<Value> {
        let text = self.text(&[&["get", "-o", "json"], args].concat(), input);
        let found: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{args:?}: {error}\n{text}"));
        match found["items"].as_array() {
            Some(items) => items.clone(),
            None => vec![found],
        }
    }

    /// Returns the objects as they are kept, less what tells of who has written them when.
    fn kept(&self, args: &[&str], input: &str) -> Kept {
        let word = |it: &Value| it.as_str().unwrap_or_default().to_owned();
        let named = |mut it: Value| {
            let meta = &mut it["metadata"];
            let name = format!("{}/{}", word(&meta["namespace"]), word(&meta["name"]));
            for key in ["managedFields", "resourceVersion"] {
                meta.as_object_mut().map(|it| it.remove(key));
            }
            (format!("{}/{name}", word(&it["kind"])), it)
        };
        self.json(args, input).into_iter().map(named).collect()
    }

    /// Says of each quota that nothing is used, as its controller would: before that no pod is taken.
    fn measure_quotas(&self) {
        for quota in self.json(&["resourcequota", "-A"], "") {
            let hard = &quota["spec"]["hard"];
            let none: BTreeMap<&String, &str> = hard.as_object().into_iter().flatten().map(|it| (it.0, "0")).collect();
            let status = json!({"status": {"hard": hard, "used": none}}).to_string();
            let (namespace, name) = (&quota["metadata"]["namespace"], &quota["metadata"]["name"]);
            let (namespace, name) = (
                namespace.as_str().unwrap_or_default(),
                name.as_str().unwrap_or_default(),
            );
            self.text(
                &[
                    "patch",
                    "resourcequota",
                    name,
                    "-n",
                    namespace,
                    "--subresource=status",
                    "--type=merge",
                    "-p",
                    &status,
                ],
                "",
            );
        }
    }

    /// Removes all objects of a folder, then their namespaces, which without a controller end by our word.
    fn clear(&self, place: &str, objects: &Objects) {
        self.text(&["delete", "-k", place, "--wait=false", "--ignore-not-found"], "");
        for namespace in objects.kind("Namespace") {
            let name = namespace["metadata"]["name"].as_str().unwrap_or_default();
            let end = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}, "spec": {"finalizers": []}});
            let path = format!("/api/v1/namespaces/{name}/finalize");
            self.text(&["replace", "--raw", &path, "-f", "-"], &end.to_string());
        }
    }

    /// What cases show of each choice is taken too, though not kept.
    fn takes_cases(&self) {
        let (all, mut n_objects, mut faults) = (cases(), 0, Vec::new());
        for (place, objects) in &all {
            let namespaces = place.join("namespaces.yaml");
            if namespaces.exists() {
                self.quietly(&["apply", "--server-side", "-f", &namespaces.to_string_lossy()], "");
            }
            let place = place.to_string_lossy();
            match self.kubectl(&["apply", "--server-side", "--dry-run=server", "-k", &place], "") {
                Ok((tried, said)) if said.is_empty() => {
                    let n_tried = tried.lines().filter(|it| it.ends_with(" (server dry run)")).count();
                    assert_eq!(n_tried, objects.0.len(), "{place}:\n{tried}");
                    n_objects += n_tried;
                }
                Ok((_, said)) => faults.push(format!("{place} warns:\n{said}")),
                Err(error) => faults.push(error),
            }
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
        assert!(n_objects > 60, "only {n_objects} objects");
        say(&format!(
            "cluster: the API server takes {n_objects} objects of {} cases too",
            all.len()
        ));
    }

    /// The chart is installed; the same again changes nothing, and a value changes what it should.
    fn helm_installs_and_upgrades(&self) {
        let chart = top().join(CHART).to_string_lossy().into_owned();
        let helm = |args: &[&str]| {
            let done = self.command("helm", &[args, &["generator", &chart]].concat(), "");
            done.unwrap_or_else(|error| panic!("{error}"))
        };
        let (notes, _) = helm(&["install"]);
        assert!(notes.contains("STATUS: deployed"), "{notes}");
        let manifest = || {
            self.command("helm", &["get", "manifest", "generator"], "")
                .expect("it is installed")
                .0
        };
        let kept = || self.kept(&["-f", "-"], &manifest());
        let before = kept();
        helm(&["upgrade"]);
        assert_eq!(changed(&before, &kept()), [""; 0], "an upgrade to the same");
        helm(&["upgrade", "--set", "services.api.image=registry.example/other:2"]);
        let changed = changed(&before, &kept());
        assert_eq!(changed, ["Deployment/generator-platform/api"]);
        let (_, _) = self
            .command("helm", &["rollback", "generator", "1"], "")
            .expect("it goes back");
        let api = &self.json(&["deployment", "api", "-n", "generator-platform"], "")[0];
        assert!(
            !api["spec"].to_string().contains("registry.example/other:2"),
            "it is not gone back"
        );
        say(&format!(
            "cluster: helm installs {} objects, upgrades them to the same and to another, and goes back",
            before.len()
        ));
    }
}
