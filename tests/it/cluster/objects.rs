//! The objects of a cluster, read back from the files that were generated for it. No rule is asked, and nothing compared.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize as _;
use serde_json::json;
use serde_yaml_ng::Value;

use crate::project::Tree;

/// Labels, or what selects by them.
pub(super) type Labels = BTreeMap<String, String>;

/// All objects of one environment.
pub(super) struct Objects(pub(super) Vec<Value>);

/// Pods that are alike, as whatever makes them describes them.
pub(super) struct Pod {
    /// The kind and the name of what makes them.
    pub(super) by: String,
    pub(super) namespace: String,
    pub(super) labels: Labels,
    /// Their ports; empty where their maker alone knows them.
    pub(super) ports: BTreeSet<i64>,
    /// Their specification; null where their maker alone knows it.
    pub(super) spec: Value,
}

/// A way that a policy opens: the namespaces and the pods at its other end, none for any, and the port.
pub(super) struct Way {
    pub(super) namespace: Option<String>,
    pub(super) labels: Option<Labels>,
    pub(super) port: i64,
}

impl Objects {
    /// Returns the objects of the environment whose folder is `folder`.
    pub(super) fn of(files: &Tree, folder: &str) -> Self {
        let within = format!("{folder}deployments/kubernetes/");
        let mut all = Vec::new();
        for (path, found) in files.range(within.clone()..) {
            if !path.starts_with(&within) {
                break;
            }
            if !path.ends_with(".yaml") || path.ends_with("/kustomization.yaml") {
                continue;
            }
            for document in serde_yaml_ng::Deserializer::from_slice(&found.bytes) {
                let value = Value::deserialize(document).unwrap_or_else(|error| panic!("{path}: {error}"));
                if !value.is_null() {
                    all.push(value);
                }
            }
        }
        assert!(!all.is_empty(), "there are no objects below {within}");
        Self(all)
    }

    /// Returns the objects of a kind.
    pub(super) fn kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.0.iter().filter(move |it| text(&it["kind"]) == kind)
    }

    /// Returns one object, by its kind and name.
    pub(super) fn one(&self, kind: &str, name: &str) -> &Value {
        let mut all = self.0.iter();
        all.find(|it| text(&it["kind"]) == kind && text(&it["metadata"]["name"]) == name)
            .unwrap_or_else(|| panic!("there is no {kind} `{name}`"))
    }

    /// Returns the pods that the objects make.
    pub(super) fn pods(&self) -> Vec<Pod> {
        let mut pods = Vec::new();
        for kind in ["Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"] {
            for object in self.kind(kind) {
                let spec = &object["spec"];
                let template = if kind == "CronJob" {
                    &spec["jobTemplate"]["spec"]["template"]
                } else {
                    &spec["template"]
                };
                let ports = list(&template["spec"]["containers"])
                    .iter()
                    .flat_map(|it| list(&it["ports"]))
                    .filter_map(|it| it["containerPort"].as_i64());
                pods.push(Pod {
                    by: format!("{kind} {}", text(&object["metadata"]["name"])),
                    namespace: text(&object["metadata"]["namespace"]).to_owned(),
                    labels: labels(&template["metadata"]["labels"]),
                    ports: ports.collect(),
                    spec: template["spec"].clone(),
                });
            }
        }
        // The operators of these kinds make the pods, and give them labels of their own.
        for object in self.kind("Cluster") {
            let name = text(&object["metadata"]["name"]).to_owned();
            pods.push(Pod {
                by: format!("Cluster {name}"),
                namespace: text(&object["metadata"]["namespace"]).to_owned(),
                labels: Labels::from([("cnpg.io/cluster".to_owned(), name)]),
                ports: BTreeSet::from([5432, 8000, 9187]),
                spec: Value::Null,
            });
        }
        for object in self.kind("RabbitmqCluster") {
            let name = text(&object["metadata"]["name"]).to_owned();
            pods.push(Pod {
                by: format!("RabbitmqCluster {name}"),
                namespace: text(&object["metadata"]["namespace"]).to_owned(),
                labels: Labels::from([("app.kubernetes.io/name".to_owned(), name)]),
                ports: BTreeSet::from([4369, 5672, 15672, 15692, 25672]),
                spec: Value::Null,
            });
        }
        for kind in ["Redis", "RedisReplication", "RedisCluster"] {
            pods.extend(self.kind(kind).flat_map(of_redis));
        }
        pods
    }

    /// Returns the ways that the policies of `pod` open in a direction, `ingress` or `egress`.
    pub(super) fn ways(&self, pod: &Pod, direction: &str) -> Vec<Way> {
        let (peers, mut ways) = (if direction == "ingress" { "from" } else { "to" }, Vec::new());
        for policy in self.kind("NetworkPolicy") {
            let selects = text(&policy["metadata"]["namespace"]) == pod.namespace
                && fits(&labels(&policy["spec"]["podSelector"]["matchLabels"]), &pod.labels);
            if !selects {
                continue;
            }
            for rule in list(&policy["spec"][direction]) {
                for port in list(&rule["ports"]) {
                    let port = port["port"].as_i64().expect("a port is a number");
                    let ends = list(&rule[peers]);
                    if ends.is_empty() {
                        ways.push(Way {
                            namespace: None,
                            labels: None,
                            port,
                        });
                    }
                    ways.extend(ends.iter().map(|it| {
                        Way {
                            namespace: it["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
                                .as_str()
                                .map(str::to_owned),
                            labels: (!it["podSelector"].is_null()).then(|| labels(&it["podSelector"]["matchLabels"])),
                            port,
                        }
                    }));
                }
            }
        }
        ways
    }
}

impl Way {
    /// Tells whether the way's other end is `pod`.
    pub(super) fn is_to(&self, pod: &Pod) -> bool {
        self.namespace.as_ref().is_some_and(|it| *it == pod.namespace)
            && self.labels.as_ref().is_some_and(|it| fits(it, &pod.labels))
    }
}

/// Returns the pods that the operator makes of a Redis, as far as its object says what they are: they bear the labels
/// of the object, by which a policy selects all of them, whichever of the ports each has.
fn of_redis(object: &Value) -> Vec<Pod> {
    let (kind, spec) = (text(&object["kind"]), &object["spec"]);
    let name = text(&object["metadata"]["name"]);
    let asked = |field: &str, port: i64| (!spec[field].is_null()).then_some(port);
    let mut ports = BTreeSet::from([6379]);
    ports.extend((kind == "RedisCluster").then_some(16379));
    ports.extend(asked("sentinel", 26379));
    ports.extend(asked("redisExporter", 9121));
    let pod = |of: &str, made: serde_json::Value| Pod {
        by: format!("{kind} {name}{of}"),
        namespace: text(&object["metadata"]["namespace"]).to_owned(),
        labels: labels(&object["metadata"]["labels"]),
        ports: ports.clone(),
        spec: serde_yaml_ng::to_value(made).expect("JSON is YAML"),
    };
    let secret = &spec["kubernetesConfig"]["redisSecret"];
    let password = json!([{"name": "REDIS_PASSWORD", "valueFrom": {"secretKeyRef": secret}}]);
    let one = |of: &str, own: &Value| {
        let mut containers = vec![json!({
            "name": name,
            "image": spec["kubernetesConfig"]["image"],
            "resources": spec["kubernetesConfig"]["resources"],
            "securityContext": own["securityContext"],
            "env": password,
        })];
        let exporter = &spec["redisExporter"];
        if !exporter.is_null() {
            containers.push(json!({
                "name": "redis-exporter",
                "image": exporter["image"],
                "resources": exporter["resources"],
                "securityContext": exporter["securityContext"],
                "env": password,
            }));
        }
        let mut made = json!({
            "serviceAccountName": spec["serviceAccountName"],
            "securityContext": spec["podSecurityContext"],
            "topologySpreadConstraints": own["topologySpreadConstraints"],
            "initContainers": [{
                "name": "init-config",
                "image": spec["initContainer"]["image"],
                "securityContext": spec["initContainer"]["securityContext"],
            }],
            "containers": containers,
        });
        let config = &own["redisConfig"]["additionalRedisConfig"];
        if !config.is_null() {
            made["containers"][0]["volumeMounts"] =
                json!([{"name": "external-config", "mountPath": "/etc/redis/external.conf.d"}]);
            made["volumes"] = json!([{"name": "external-config", "configMap": {"name": config}}]);
        }
        pod(of, made)
    };
    let sentinel = &spec["sentinel"];
    if kind == "RedisCluster" {
        return vec![
            one("-leader", &spec["redisLeader"]),
            one("-follower", &spec["redisFollower"]),
        ];
    }
    let mut pods = vec![one("", spec)];
    if !sentinel.is_null() {
        let made = json!({
            "serviceAccountName": sentinel["serviceAccountName"],
            "securityContext": sentinel["podSecurityContext"],
            "topologySpreadConstraints": sentinel["topologySpreadConstraints"],
            "containers": [{
                "name": "sentinel",
                "image": sentinel["image"],
                "resources": sentinel["resources"],
                "securityContext": sentinel["securityContext"],
                "env": [{"name": "MASTER_PASSWORD", "valueFrom": {"secretKeyRef": secret}}],
            }],
        });
        pods.push(pod("-s", made));
    }
    pods
}

/// Tells whether a selector selects what bears some labels.
pub(super) fn fits(selector: &Labels, labels: &Labels) -> bool {
    selector.iter().all(|(key, value)| labels.get(key) == Some(value))
}

/// Returns the entries of a map of texts.
pub(super) fn labels(value: &Value) -> Labels {
    let entries = value.as_mapping().into_iter().flatten();
    entries
        .map(|(key, value)| (text(key).to_owned(), text(value).to_owned()))
        .collect()
}

/// Returns the items of a list; none where there is none.
pub(super) fn list(value: &Value) -> &[Value] {
    value.as_sequence().map_or(&[], Vec::as_slice)
}

/// Returns a text; empty where there is none.
pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
