//! The walk over the schema: every field of a spec changes an artifact, or its platform says that it can't honour it.
//!
//! For each field of the kinds below, on each platform, the spec of `fields/gen.yaml` is read with a value of that field
//! and without it. Where nothing is printed differently, the field must stand on the `unsupported` list of the
//! platform's pack, and a warning must say so. Values are made from the fields' types; what needs a context of its own
//! stands in `fields/special.yaml`. A platform answers for the fields of its own pack and of those that it requires.
//! `GEN_FIELDS` picks fields by a part of their path.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::rc::Rc;

use groundplan::db::Override;
use groundplan::fingerprint::Fingerprint;
use groundplan::kind::{Field, Record, Schema, Type};
use groundplan::shell::discover::Root;
use groundplan::shell::engine::{Ask, Engine};
use groundplan::value::{Name, Path as FieldPath};
use serde_yaml_ng::Value as Yaml;

use crate::say;
use crate::tidy::{folders_of_packs, top};

/// The platforms, each with the node of the spec that stands for all of a kind.
const PLATFORMS: [&str; 3] = ["nomad", "kubernetes", "docker-compose"];
/// Packs that stand beside that of a platform, for whose fields it answers too.
const BESIDE: [(&str, &str); 2] = [("docker-compose", "caddy"), ("docker-compose", "server")];
/// Where nodes of a kind stand in the spec, with the one whose fields are set.
const KINDS: [(&str, &str); 6] = [
    ("project", ""),
    ("service", "services.api"),
    ("infra", "infra.database"),
    ("secret", "secrets.account"),
    ("volume", "volumes.store"),
    ("variable", "variables.region"),
];

/// What a run gives: the artifacts of the platform by path, the fields that are warned of, and errors.
#[derive(PartialEq, Eq)]
struct Outcome {
    artifacts: BTreeMap<String, Fingerprint>,
    warned: BTreeSet<String>,
    errors: Vec<String>,
}

/// What the table says of the fields at and below a path.
struct Special {
    kind: String,
    path: String,
    platform: Option<String>,
    node: Option<String>,
    with: Vec<(String, String)>,
    values: Vec<String>,
    key: Option<String>,
    holds: Vec<(String, String)>,
    idle: bool,
}

/// One platform, its spec and what its packs declare.
struct Walk {
    platform: &'static str,
    engine: Engine,
    schema: Schema,
    packs: BTreeSet<String>,
    /// Packs that print for other platforms alone: what they print shows nothing here.
    of_others: BTreeSet<String>,
    special: Vec<Special>,
    used: BTreeSet<usize>,
    /// What came of the runs that several fields begin with.
    known: Vec<(Vec<Override>, Rc<Outcome>)>,
    part: String,
    n_fields: usize,
    n_unsupported: usize,
    faults: Vec<String>,
}

/// How the value of a field is set: in place, or as part of an item of a map or list.
#[derive(Clone)]
struct Place {
    kind: &'static str,
    /// The path by which the field is known, with `*` for keys.
    known: Vec<String>,
    /// What is set, below the node.
    set: Vec<String>,
    /// Within an item: whether of a map, its key, and what the item must hold.
    item: Option<(Option<String>, BTreeMap<String, String>)>,
}

#[test]
fn every_field_changes_an_artifact_of_nomad_or_is_unsupported() {
    walk("nomad");
}

#[test]
fn every_field_changes_an_artifact_of_kubernetes_or_is_unsupported() {
    walk("kubernetes");
}

#[test]
fn every_field_changes_an_artifact_of_compose_or_is_unsupported() {
    walk("docker-compose");
}

fn walk(platform: &'static str) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let mut walk = Walk::new(platform, folder.path());
    walk.all();
    say(&format!(
        "fields: {platform} answers for {}, of which it can't honour {}",
        walk.n_fields, walk.n_unsupported
    ));
    let faults = &walk.faults;
    assert!(
        faults.is_empty(),
        "{} fields are silent:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

impl Walk {
    fn new(platform: &'static str, folder: &Path) -> Self {
        let read = |name: &str| fs::read_to_string(top().join("tests/it/fields").join(name)).expect("it is kept there");
        fs::write(folder.join("gen.yaml"), read("gen.yaml").replace("PLATFORM", platform))
            .expect("the temporary folder is ours");
        let folder = folder.canonicalize().expect("the temporary folder is there");
        let mut engine = Engine::open(Root {
            folder,
            spec: Name::from("gen.yaml"),
        });
        let schema = engine.declared().expect("the spec can be read");
        let special: Vec<Yaml> = serde_yaml_ng::from_str(&read("special.yaml")).expect("the table is YAML");
        Self {
            platform,
            engine,
            schema,
            of_others: PLATFORMS
                .iter()
                .filter(|it| **it != platform)
                .flat_map(|it| closure(it))
                .filter(|it| !closure(platform).contains(it))
                .collect(),
            packs: closure(platform),
            special: special.iter().map(Special::read).collect(),
            used: BTreeSet::new(),
            known: Vec::new(),
            part: std::env::var("GEN_FIELDS").unwrap_or_default(),
            n_fields: 0,
            n_unsupported: 0,
            faults: Vec::new(),
        }
    }

    fn all(&mut self) {
        let base = self.known(&[]);
        assert_eq!(base.errors, Vec::<String>::new(), "the spec of the walk is right");
        for (kind, _) in KINDS {
            let fields = self.schema.kinds[kind].fields.clone();
            let place = Place {
                kind,
                known: Vec::new(),
                set: Vec::new(),
                item: None,
            };
            self.record(&fields, &place);
        }
        for (at, special) in self.special.iter().enumerate() {
            let elsewhere = special.platform.as_ref().is_some_and(|it| it != self.platform);
            if !elsewhere && !self.used.contains(&at) && special.platform.is_some() {
                self.faults.push(format!(
                    "{}: the table speaks of no field by `{}`",
                    self.platform, special.path
                ));
            }
        }
    }

    fn record(&mut self, record: &Record, place: &Place) {
        for (name, field) in &record.fields {
            let of_other = PLATFORMS.iter().any(|it| *it != self.platform && **it == **name);
            let declared = self.schema.declares.iter().any(|(path, _)| {
                place.kind == "project"
                    && path
                        .0
                        .iter()
                        .map(ToString::to_string)
                        .eq(place.known.iter().cloned().chain([name.to_string()]))
            });
            if of_other || declared || !self.answers_for(field) {
                continue;
            }
            let mut place = place.clone();
            place.known.push(name.to_string());
            match &place.item {
                None => place.set.push(name.to_string()),
                Some(_) => {
                    self.leaf(&place, field, &name.to_string());
                    continue;
                }
            }
            match &field.ty {
                Type::Record(inner) => self.record(inner, &place),
                Type::Map(item) | Type::List(item) if matches!(&**item, Type::Record(_)) => {
                    let Type::Record(inner) = &**item else {
                        unreachable!("it was asked")
                    };
                    let keyed = matches!(field.ty, Type::Map(_));
                    let key = self
                        .special(&place)
                        .and_then(|it| it.key.clone())
                        .unwrap_or_else(|| "k".to_owned());
                    let holds: BTreeMap<String, String> = inner
                        .fields
                        .iter()
                        .filter(|(_, it)| it.required)
                        .map(|(name, it)| (name.to_string(), self.values_in(&place, name, &it.ty).swap_remove(0)))
                        .collect();
                    // An item that need not hold anything says nothing by itself.
                    if !holds.is_empty() {
                        self.leaf_of(&place, &[wrapped(keyed.then_some(key.as_str()), &holds)]);
                    }
                    place.item = Some((keyed.then_some(key), holds));
                    place.known.push("*".to_owned());
                    self.record(inner, &place);
                }
                _ => self.leaf(&place, field, ""),
            }
        }
    }

    /// Tells whether a field is one of the platform's packs; groups bear no pack of their own.
    fn answers_for(&self, field: &Field) -> bool {
        field.pack.is_empty() || matches!(field.ty, Type::Record(_)) || self.packs.contains(&*field.pack)
    }

    fn leaf(&mut self, place: &Place, field: &Field, name: &str) {
        let values = self.values_in(place, "", &field.ty);
        let mut place = place.clone();
        let held = self.special(&place).map(|it| it.holds.clone()).unwrap_or_default();
        let own_key = self.special(&place).and_then(|it| it.key.clone());
        if let Some((key, holds)) = &mut place.item {
            holds.extend(held);
            if key.is_some() && own_key.is_some() {
                *key = own_key;
            }
        }
        let values = match &place.item {
            None => values,
            Some((key, holds)) => {
                let with = |value: &String| {
                    let mut holds = holds.clone();
                    holds.insert(name.to_owned(), value.clone());
                    wrapped(key.as_deref(), &holds)
                };
                values.iter().map(with).collect()
            }
        };
        self.leaf_of(&place, &values);
    }

    /// Judges one field: each of `values` is set, where it stands.
    fn leaf_of(&mut self, place: &Place, values: &[String]) {
        let known = place.known.join(".");
        let special = self.special_at(place);
        if let Some(at) = special {
            self.used.insert(at);
            if self.special[at].idle {
                return;
            }
        }
        if !self.part.is_empty() && !known.contains(&self.part) {
            return;
        }
        self.n_fields += 1;
        let usual = KINDS.iter().find(|it| it.0 == place.kind).map_or("", |it| it.1);
        let node = special
            .and_then(|at| self.special[at].node.clone())
            .unwrap_or_else(|| usual.to_owned());
        let context: Vec<(String, String)> = special.map(|at| self.special[at].with.clone()).unwrap_or_default();
        let path: Vec<String> = node
            .split('.')
            .filter(|it| !it.is_empty())
            .map(str::to_owned)
            .chain(place.set.iter().cloned())
            .collect();
        let mut before = overrides(&context);
        if let Some((key, holds)) = &place.item {
            before.push(set(&path, &wrapped(key.as_deref(), holds)));
        }
        let old = self.known(&before);
        let mut seen: Vec<String> = old.errors.iter().map(|it| format!("without it: {it}")).collect();
        let mut warned = false;
        let mut changed = false;
        for value in values {
            let mut now = overrides(&context);
            now.push(set(&path, value));
            let new = self.run(&now);
            warned |= new
                .warned
                .iter()
                .any(|it| fits(it, &format!("{node}.{known}"), place.kind));
            if new.errors.is_empty() && new.artifacts != old.artifacts {
                changed = true;
                break;
            }
            seen.push(format!("{value}: {}", new.errors.join("; ")));
        }
        let listed = self.schema.unsupported.iter().any(|it| {
            let listed: Vec<&str> = it.path.0.iter().map(|it| &**it).collect();
            let known: Vec<&str> = place.known.iter().map(String::as_str).collect();
            &*it.platform == self.platform && &*it.kind == place.kind && known.starts_with(&listed)
        });
        match (listed, changed, warned) {
            (true, false, true) => self.n_unsupported += 1,
            (true, false, false) => self.faults.push(format!(
                "{}: {} {known} is unsupported, but nothing warns of it: {}",
                self.platform,
                place.kind,
                seen.join(", ")
            )),
            (false, false, _) => self.faults.push(format!(
                "{}: {} {known} changes nothing ({})",
                self.platform,
                place.kind,
                seen.join(", ")
            )),
            (true, true, _) => self.faults.push(format!(
                "{}: {} {known} is said to be unsupported, but changes something",
                self.platform, place.kind
            )),
            (false, true, _) => {}
        }
    }

    /// Returns values to try for a field: those of the table, else some of its type.
    fn values_in(&self, place: &Place, name: &str, ty: &Type) -> Vec<String> {
        let mut place = place.clone();
        if !name.is_empty() {
            place.known.extend(["*".to_owned(), name.to_owned()]);
        }
        match self.special(&place) {
            Some(special) if !special.values.is_empty() && special.path == place.known.join(".") => {
                special.values.clone()
            }
            _ => values(ty),
        }
    }

    fn special(&self, place: &Place) -> Option<&Special> {
        self.special_at(place).map(|at| &self.special[at])
    }

    /// Returns the place in the table of what speaks of a field: the longest path at or above it.
    fn special_at(&self, place: &Place) -> Option<usize> {
        let known = format!("{}.", place.known.join("."));
        let fits = |it: &Special| {
            it.kind == place.kind
                && known.starts_with(&format!("{}.", it.path))
                && it.platform.as_ref().is_none_or(|it| it == self.platform)
        };
        let all = self.special.iter().enumerate().filter(|it| fits(it.1));
        all.max_by_key(|it| it.1.path.len()).map(|it| it.0)
    }

    /// Returns what comes of a run that may have been made before.
    fn known(&mut self, overrides: &[Override]) -> Rc<Outcome> {
        if let Some((_, outcome)) = self.known.iter().find(|it| it.0 == overrides) {
            return Rc::clone(outcome);
        }
        let outcome = Rc::new(self.run(overrides));
        self.known.push((overrides.to_vec(), Rc::clone(&outcome)));
        outcome
    }

    fn run(&mut self, overrides: &[Override]) -> Outcome {
        let outcome = self.engine.outcome(&Ask {
            environments: Vec::new(),
            overrides: overrides.to_vec(),
        });
        let pack = |rule: &Name| rule.split('/').next().unwrap_or_default().to_owned();
        let artifacts = outcome
            .wanted
            .iter()
            .filter(|it| !self.of_others.contains(&pack(&it.rule)));
        let artifacts = artifacts.map(|it| (it.path.to_string(), it.digest));
        let unsupported = outcome
            .problems
            .iter()
            .filter(|it| &*it.code == "spec::unsupported_field");
        // `NODE can't honour PATH of KIND.NAME`, each between back-ticks.
        let named = |message: &str| {
            let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
            format!("{}.{}", quoted[2], quoted[1])
        };
        Outcome {
            artifacts: artifacts.collect(),
            warned: unsupported.map(|it| named(&it.message)).collect(),
            errors: outcome
                .problems
                .iter()
                .filter(|it| it.is_error())
                .map(|it| it.message.to_string())
                .collect(),
        }
    }
}

/// Tells whether a warning, `KIND.NAME.PATH`, speaks of the field at `path`, `COLLECTION.NAME.PATH`, or of what is above it.
fn fits(warning: &str, path: &str, kind: &str) -> bool {
    let warning: Vec<&str> = warning.split('.').collect();
    let path: Vec<&str> = path.split('.').collect();
    let warning = &warning[2.min(warning.len())..];
    let path = &path[if kind == "project" { 1 } else { 2 }.min(path.len())..];
    warning.len() <= path.len() && warning.iter().zip(path).all(|(a, b)| a == b || *b == "*")
}

/// Returns an item of a map, or of a list, as YAML.
fn wrapped(key: Option<&str>, holds: &BTreeMap<String, String>) -> String {
    let fields: Vec<String> = holds.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    match key {
        Some(key) => format!("{{{key}: {{{}}}}}", fields.join(", ")),
        None => format!("[{{{}}}]", fields.join(", ")),
    }
}

fn set(path: &[String], yaml: &str) -> Override {
    Override {
        path: FieldPath(path.iter().map(|it| Name::from(&**it)).collect()),
        yaml: yaml.into(),
    }
}

fn overrides(context: &[(String, String)]) -> Vec<Override> {
    let path = |it: &str| it.split('.').map(str::to_owned).collect::<Vec<_>>();
    context.iter().map(|(at, yaml)| set(&path(at), yaml)).collect()
}

/// Returns values of a type, as YAML, no two alike.
fn values(ty: &Type) -> Vec<String> {
    let two = |it: [&str; 2]| it.map(str::to_owned).to_vec();
    match ty {
        Type::Bool => two(["true", "false"]),
        Type::Int => two(["7", "9"]),
        Type::Double => two(["7.5", "9.5"]),
        Type::Duration => two(["77s", "99s"]),
        Type::Cpu { .. } => two(["770m", "990m"]),
        Type::Memory { .. } => two(["770Mi", "990Mi"]),
        Type::Choice(all) => all.iter().map(|it| format!("\"{it}\"")).collect(),
        Type::List(item) => values(item).into_iter().map(|it| format!("[{it}]")).collect(),
        Type::Map(item) => values(item).into_iter().map(|it| format!("{{k: {it}}}")).collect(),
        _ => two(["sample", "other"]),
    }
}

/// Returns the pack of a platform and all that it requires, as the packs' own files say.
fn closure(platform: &str) -> BTreeSet<String> {
    let read = |pack: &str| -> Yaml {
        let text = fs::read_to_string(top().join("rules").join(pack).join("pack.yaml")).expect("the pack is there");
        serde_yaml_ng::from_str(&text).expect("a pack is YAML")
    };
    let of_platform = |pack: &String| read(pack).get("platform").and_then(Yaml::as_str) == Some(platform);
    let mut open: Vec<String> = folders_of_packs().into_iter().filter(of_platform).collect();
    open.extend(BESIDE.iter().filter(|it| it.0 == platform).map(|it| it.1.to_owned()));
    let mut found = BTreeSet::new();
    while let Some(pack) = open.pop() {
        let text = read(&pack);
        let requires = text
            .get("requires")
            .and_then(Yaml::as_sequence)
            .cloned()
            .unwrap_or_default();
        open.extend(requires.iter().filter_map(|it| it.as_str().map(str::to_owned)));
        found.insert(pack);
    }
    found
}

impl Special {
    fn read(yaml: &Yaml) -> Self {
        let text = |key: &str| yaml.get(key).and_then(Yaml::as_str).map(str::to_owned);
        let pairs = |key: &str| -> Vec<(String, String)> {
            let map = yaml.get(key).and_then(Yaml::as_mapping).cloned().unwrap_or_default();
            let text = |it: &Yaml| it.as_str().expect("a path, and YAML in quotes").to_owned();
            map.iter().map(|(at, value)| (text(at), text(value))).collect()
        };
        let values = yaml
            .get("values")
            .and_then(Yaml::as_sequence)
            .cloned()
            .unwrap_or_default();
        Self {
            kind: text("kind").expect("a kind"),
            path: text("path").expect("a path"),
            platform: text("platform"),
            node: text("node"),
            with: pairs("with"),
            values: values
                .iter()
                .map(|it| it.as_str().expect("YAML in quotes").to_owned())
                .collect(),
            key: text("key"),
            holds: pairs("holds"),
            idle: text("idle").is_some(),
        }
    }
}
