//! The fields of a fixture's edges, read from its spec as YAML.

use std::collections::{BTreeMap, BTreeSet};

use serde_yaml_ng::Value;

use super::{Call, Pairs, name_of};
use crate::project::Tree;

/// What a reference mentions of a node's main port.
const MAIN: [&str; 4] = ["address", "host", "port", "url"];

/// What the spec says of its services and infrastructure.
pub(super) struct Spec {
    services: BTreeMap<String, Value>,
    infra: BTreeMap<String, Value>,
    secrets: BTreeMap<String, Value>,
}

impl Spec {
    pub(super) fn of(fixture: &Tree) -> Self {
        let mut spec = Self {
            services: BTreeMap::new(),
            infra: BTreeMap::new(),
            secrets: BTreeMap::new(),
        };
        let is_spec = |path: &str| path == "gen.yaml" || path.starts_with("services/");
        for (_, found) in fixture.iter().filter(|it| is_spec(it.0)) {
            let file: Value = serde_yaml_ng::from_slice(&found.bytes).expect("a spec is YAML");
            spec.services.extend(entries(&file["services"]));
            spec.infra.extend(entries(&file["infra"]));
            spec.secrets.extend(entries(&file["secrets"]));
        }
        spec
    }

    /// Returns who calls whom, with the ports that the edges name or the texts mention.
    pub(super) fn calls(&self, edges: &Pairs) -> Vec<Call> {
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
    pub(super) fn routes(&self, edges: &Pairs) -> Pairs {
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

    /// Tells whether a service of that name is declared.
    pub(super) fn is_service(&self, name: &str) -> bool {
        self.services.contains_key(name)
    }

    /// Returns who reads what in the store of secrets: where a key that it mentions comes from.
    pub(super) fn secrets(&self, edges: &Pairs) -> Pairs {
        let mut pairs = Pairs::new();
        for (from, to) in edges {
            let mut mentioned = Vec::new();
            mentions(&self.services[&name_of(from)], to, &mut mentioned);
            let secret = &self.secrets[&name_of(to)];
            let role = secret["vault"]["role"].as_str().unwrap_or_default();
            let made = match secret["vault"]["engine"].as_str() {
                Some("pki") => Some(format!("pki/issue/{role}")),
                Some("transit") => Some(format!("transit/sign/{role}")),
                _ => None,
            };
            if let Some(path) = made {
                pairs.insert((name_of(from), path));
                continue;
            }
            for key in mentioned {
                let own = secret["keys"][&*key].get("source").and_then(Value::as_str);
                let path = own.or_else(|| secret.get("path").and_then(Value::as_str));
                pairs.insert((name_of(from), path.map_or_else(|| name_of(to), str::to_owned)));
            }
        }
        pairs
    }

    /// Returns the name in the registry that a call is for.
    pub(super) fn name(&self, call: &Call) -> String {
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
    pub(super) fn registered(&self, address: &str) -> bool {
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
