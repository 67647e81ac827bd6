//! What the generated files of one environment say of who may, and who must, do what with whom.

use std::collections::BTreeMap;

use serde_yaml_ng::Value;

use super::spec::Spec;
use super::{Call, Pairs, name_of};
use crate::project::{Found, Tree};

/// The files of one environment.
pub(super) struct Folder<'a> {
    /// All files of the fixture.
    pub(super) files: &'a Tree,
    /// The environment's folder.
    pub(super) folder: &'a str,
}

impl Folder<'_> {
    /// Returns the texts below `path` by their names, without the suffix.
    fn texts(&self, path: &str) -> BTreeMap<String, String> {
        let below = format!("{}deployments/nomad/{path}/", self.folder);
        let named = |(path, found): (&String, &Found)| {
            let (name, _) = path.strip_prefix(&below)?.rsplit_once('.')?;
            let text = String::from_utf8_lossy(&found.bytes).into_owned();
            (!name.contains('/')).then(|| (name.to_owned(), text))
        };
        self.files.iter().filter_map(named).collect()
    }

    /// Tells whether a service has a job.
    pub(super) fn has_job(&self, service: &str) -> bool {
        self.texts("jobs").contains_key(service) || self.texts("vault/policies").contains_key(service)
    }

    /// Tells whether both ends of a call run on the platform, or are no service.
    pub(super) fn runs(&self, call: &Call) -> bool {
        let jobs = self.texts("jobs");
        jobs.contains_key(&call.from) && (call.to.starts_with("infra.") || jobs.contains_key(&name_of(&call.to)))
    }

    /// Tells whether the start of a pair is one that a job waits for.
    pub(super) fn waits(&self, spec: &Spec, pair: &(String, String)) -> bool {
        let call = Call {
            from: name_of(&pair.0),
            to: pair.1.clone(),
            port: None,
        };
        let is_service = pair.1.starts_with("service.");
        self.runs(&call) && (is_service || spec.registered(&pair.1))
    }

    /// Returns who may call which name.
    pub(super) fn intentions(&self) -> Pairs {
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
    pub(super) fn policies(&self) -> (Pairs, Pairs) {
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
    pub(super) fn registrations(&self, said: &Pairs) -> Pairs {
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
    pub(super) fn wait_tasks(&self) -> Pairs {
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
    pub(super) fn layers(&self) -> BTreeMap<String, usize> {
        let script = &self.files[&format!("{}scripts/deploy.sh", self.folder)].bytes;
        let script = String::from_utf8_lossy(script);
        let jobs = self.texts("jobs");
        let mut layers = BTreeMap::new();
        let mut layer = 0;
        for line in script.lines() {
            if line.contains(" \"layer ") {
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

    /// Returns who may read which secret.
    pub(super) fn secrets(&self) -> Pairs {
        let mut pairs = Pairs::new();
        for (job, text) in self.texts("vault/policies") {
            let paths = text.split("path \"").skip(1).filter_map(|it| it.split('"').next());
            pairs.extend(paths.map(|it| (job.clone(), it.trim_start_matches("secret/data/").to_owned())));
        }
        pairs
    }

    /// Returns whose alerts are silent while which other node is down, as addresses.
    pub(super) fn inhibitions(&self) -> Pairs {
        let file = &self.files[&format!("{}deployments/alertmanager/alertmanager.yml", self.folder)].bytes;
        let config: Value = serde_yaml_ng::from_slice(file).expect("a configuration is YAML");
        let component = |matchers: &Value| {
            let matchers = matchers.as_sequence().into_iter().flatten().filter_map(Value::as_str);
            let own = matchers.filter_map(|it| it.strip_prefix("component"));
            let written: Vec<String> = own
                .map(|it| it.trim_start_matches(['=', '~']).trim_matches('"').replace('\\', ""))
                .collect();
            written
                .first()
                .map(|it| it.split('|').map(str::to_owned).collect::<Vec<_>>())
        };
        let mut pairs = Pairs::new();
        for rule in config["inhibit_rules"].as_sequence().into_iter().flatten() {
            let ends = (component(&rule["source_matchers"]), component(&rule["target_matchers"]));
            let (Some(sources), Some(targets)) = ends else { continue };
            for source in &sources {
                pairs.extend(targets.iter().map(|it| (it.clone(), source.clone())));
            }
        }
        pairs
    }
}
