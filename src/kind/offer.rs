//! What a pack offers to whoever chooses before there is a spec: a generator, as a catalogue lists it, and patterns, each
//! a way to run a whole project.
//!
//! What stands there in a wrong form is told by `form` and `declare`; here it is passed over.

use std::sync::Arc;

use crate::value::{Name, Path};
use crate::yaml::{Data, Yaml};

/// A pack as a catalogue of generators lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generator {
    /// Its name for people.
    pub name: Arc<str>,
    /// What carries out the files that it generates.
    pub executor: Arc<str>,
    /// The part of the catalogue that it stands in.
    pub category: Arc<str>,
    /// Its sign.
    pub icon: Arc<str>,
    /// The kind of node whose fields are its config.
    pub config: Name,
}

/// A way to run a whole project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// Its name, as it is chosen.
    pub name: Name,
    /// One sentence for its reader.
    pub doc: Arc<str>,
    /// The fields of the project that it sets, over what the spec says: their paths, and their values as YAML.
    pub set: Vec<(Path, Arc<str>)>,
    /// What a spec that is written for it says of each service for a beginning: paths, and values as YAML, in which
    /// `NAME` is that of the service.
    pub service: Vec<(Path, Arc<str>)>,
    /// Whether it builds the images of services, so that none need be named.
    pub builds: bool,
}

/// The keys of a generator in a `pack.yaml`.
pub(super) const GENERATOR_KEYS: [&str; 5] = ["name", "executor", "category", "icon", "config"];
/// The keys of a pattern there.
pub(super) const PATTERN_KEYS: [&str; 4] = ["doc", "set", "service", "builds"];

/// Returns the generator that the `pack.yaml` describes.
pub(super) fn generator(yaml: &Yaml) -> Option<Generator> {
    let yaml = yaml.get("generator")?;
    let text = |key: &str| yaml.get(key).and_then(Yaml::as_str).unwrap_or("");
    Some(Generator {
        name: text("name").into(),
        executor: text("executor").into(),
        category: text("category").into(),
        icon: text("icon").into(),
        config: Name::from(text("config")),
    })
}

/// Returns the patterns that the `pack.yaml` of this text describes, by name.
#[must_use]
pub fn patterns(yaml: &Yaml, text: &str) -> Vec<Pattern> {
    let entries = yaml.get("patterns").map(Yaml::entries).unwrap_or_default();
    let mut found: Vec<Pattern> = entries
        .iter()
        .map(|entry| Pattern {
            name: Name::from(&*entry.key),
            doc: entry.value.get("doc").and_then(Yaml::as_str).unwrap_or("").into(),
            set: leaves(entry.value.get("set"), text),
            service: leaves(entry.value.get("service"), text),
            builds: matches!(entry.value.get("builds").map(|it| &it.data), Some(Data::Bool(true))),
        })
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

/// Returns the entries of a map by the paths that are its keys, each value in one line of YAML.
fn leaves(yaml: Option<&Yaml>, text: &str) -> Vec<(Path, Arc<str>)> {
    let entries = yaml.map(Yaml::entries).unwrap_or_default();
    entries
        .iter()
        .map(|it| (Path::parse(&it.key), in_one_line(&it.value, text).into()))
        .collect()
}

fn in_one_line(yaml: &Yaml, text: &str) -> String {
    match &yaml.data {
        Data::Map(entries) => {
            let entries = entries
                .iter()
                .map(|it| format!("{}: {}", it.key_span.of(text), in_one_line(&it.value, text)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        Data::List(items) => {
            let items = items.iter().map(|it| in_one_line(it, text));
            format!("[{}]", items.collect::<Vec<_>>().join(", "))
        }
        _ => yaml.source(text).to_owned(),
    }
}
