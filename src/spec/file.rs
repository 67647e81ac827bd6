//! One spec file, read and typed: its nodes and overlays, each apart, and what is wrong with it.
//!
//! No other spec file is looked at here. What comes out knows no positions but those of its problems, so that a
//! comment or a moved line changes nothing behind it.

use std::sync::Arc;

use crate::db::{Db, Project, SourceFile};
use crate::kind::typed::{Layer, Reader};
use crate::kind::{Kind, Record, Schema, Type, pack};
use crate::problem::Problem;
use crate::spec::elsewhere::{self, Request};
use crate::spec::merge;
use crate::value::{Address, Map, Name, Value};
use crate::yaml::{self, Data, Entry, Yaml};

/// An environment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct EnvironmentInfo {
    /// Its name; empty for the only one of a project that declares none.
    pub name: Name,
    /// The folder that its artifacts' paths are relative to; empty for the project's own.
    pub dir: Name,
}

/// What the root file says to the engine itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The name of the project.
    pub name: Name,
    /// Globs of the files to include.
    pub include: Vec<Name>,
    /// Packs from elsewhere.
    pub packs: Vec<Request>,
    /// Rules to turn off.
    pub disable: Vec<Name>,
    /// The environments, sorted by name.
    pub environments: Vec<EnvironmentInfo>,
}

/// What a layer says of a node: its fields, or by `None` that it is not there.
pub type Saying = Option<Map>;

/// A node as one file declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// The node.
    pub address: Address,
    /// What is written, with short forms written out.
    pub fields: Map,
    /// The overlays that it carries itself, by environment.
    pub overlays: Vec<(Name, Saying)>,
}

/// A file's overlay of one environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlay {
    /// The environment.
    pub environment: Name,
    /// What it says of nodes, sorted by address.
    pub nodes: Vec<(Address, Saying)>,
}

/// All that one file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lowered {
    /// What it says to the engine, if it is the root file.
    pub settings: Settings,
    /// The nodes that it declares, in its order.
    pub nodes: Vec<Fragment>,
    /// The overlays that it holds.
    pub overlays: Vec<Overlay>,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
}

/// The version of the spec's grammar that is read.
const VERSION: &str = "0.2";
/// The kind of the one node that stands for the whole project.
pub const PROJECT: &str = "project";
/// The keys of the root file that the engine itself knows.
pub const ENGINE_KEYS: [&str; 6] = ["version", "name", "include", "packs", "disable", "environments"];

/// Returns what `file` says, as the project's packs let it be understood.
#[salsa::tracked(returns(ref))]
pub fn lowered_file(db: &dyn Db, file: SourceFile) -> Lowered {
    let Some(project) = Project::try_get(db) else {
        return Lowered::default();
    };
    let (yaml, mistakes) = yaml::parse(file.text(db));
    let path = file.path(db);
    let mut lowering = Lowering {
        schema: pack::schema(db, project),
        part: if project.root(db) == file {
            Part::Root
        } else {
            Part::Fragment
        },
        reader: Reader {
            core_mhz: core_mhz(db, project),
            ..Reader::new(path, file.text(db))
        },
        lowered: Lowered::default(),
    };
    let syntax = mistakes.iter().map(|it| it.problem(path));
    lowering.reader.problems.extend(syntax);
    match &yaml {
        Some(yaml) => lowering.file(yaml),
        None => {
            if lowering.part == Part::Root && lowering.reader.problems.is_empty() {
                lowering.without_name(yaml::Span::default(), "nothing is written here");
            }
            lowering.project(&[]);
        }
    }
    Lowered {
        problems: lowering.reader.problems,
        ..lowering.lowered
    }
}

/// Returns how many megahertz the project takes a core for: what the root file says in the field that the kind of the
/// project names by `core_mhz`.
#[salsa::tracked(returns(copy))]
pub fn core_mhz(db: &dyn Db, project: Project) -> i64 {
    let text = project.root(db).text(db);
    let kind = pack::schema(db, project).kinds.get(PROJECT);
    let Some(path) = kind.and_then(|it| it.core_mhz.as_ref()) else {
        return 1000;
    };
    // The root file is parsed a second time only where it speaks of this.
    if !path.0.last().is_some_and(|it| text.contains(&**it)) {
        return 1000;
    }
    let (yaml, _) = yaml::parse(text);
    let found = yaml
        .as_ref()
        .and_then(|it| path.0.iter().try_fold(it, |yaml, step| yaml.get(step)));
    match found.map(|it| &it.data) {
        Some(Data::Int(number)) if *number > 0 => *number,
        _ => 1000,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Root,
    Fragment,
}

struct Lowering<'a> {
    schema: &'a Schema,
    part: Part,
    reader: Reader<'a>,
    lowered: Lowered,
}

impl Lowering<'_> {
    fn file(&mut self, yaml: &Yaml) {
        if !matches!(yaml.data, Data::Map(_)) {
            self.wants_a_map("a spec", yaml);
            self.project(&[]);
            return;
        }
        let entries = yaml.entries();
        if self.part == Part::Fragment
            && let Some((kind, named)) = whole_file(self.schema, yaml)
        {
            let name = Name::from(named.value.as_str().unwrap_or(""));
            let rest: Vec<&Entry> = entries.iter().filter(|it| it.key != named.key).collect();
            let fragment = self.fragment(kind, name, &rest);
            self.lowered.nodes.push(fragment);
            return;
        }
        let mut project: Vec<&Entry> = Vec::new();
        for entry in entries {
            if let Some(kind) = collection(self.schema, &entry.key) {
                self.collection(kind, entry);
            } else if ENGINE_KEYS.contains(&&*entry.key) {
                self.engine_key(entry);
                // What the engine reads is a field of the project too, where a pack says so.
                if self.part == Part::Root && self.project_fields().fields.contains_key(&*entry.key) {
                    project.push(entry);
                }
            } else if self.project_fields().fields.contains_key(&*entry.key) {
                project.push(entry);
            } else {
                self.unknown_key(entry);
            }
        }
        if self.part == Part::Root && yaml.get("name").is_none() {
            let span = entries.first().map_or(yaml.span, |it| it.key_span);
            self.without_name(span, "no `name` in this file");
        }
        self.project(&project);
        if let Some(environments) = yaml.entry("environments") {
            self.environments(environments);
        }
    }

    fn project_fields(&self) -> Arc<Record> {
        let kind = self.schema.kinds.get(PROJECT);
        kind.map(|it| it.fields.clone()).unwrap_or_default()
    }

    fn unknown_key(&mut self, entry: &Entry) {
        let collections = self.schema.kinds.values().filter_map(|it| it.collection.clone());
        let mut known: Vec<Name> = collections.chain([Name::from("environments")]).collect();
        if self.part == Part::Root {
            known.extend(self.project_fields().fields.keys().cloned());
            known.extend(ENGINE_KEYS.map(Name::from));
        }
        let problem = Problem::error("spec::unknown_field", format!("`{}` is no field of a spec", entry.key))
            .at(self.reader.place(entry.key_span), "unknown field")
            .suggest(&entry.key, known.iter().map(|it| &**it));
        let mut problem = problem;
        let of = self.schema.kinds.get(&*entry.key);
        if let Some((kind, collection)) = of.and_then(|it| Some((it, it.collection.as_ref()?))) {
            problem = problem.help(match self.part {
                Part::Root => format!("each {} stands by its name under `{collection}`", kind.name),
                Part::Fragment => format!("a file that is one node names it: `{}: NAME`", kind.name),
            });
        } else if self.part == Part::Fragment {
            let nodes = self.schema.kinds.values().filter(|it| it.collection.is_some());
            let of = nodes
                .filter(|it| it.fields.fields.contains_key(&*entry.key))
                .max_by_key(|it| it.fields.fields.len());
            if let Some(kind) = of {
                problem = problem.help(format!("a file that is one {0} begins with `{0}: NAME`", kind.name));
            }
        }
        self.reader.problems.push(problem);
    }

    fn root_only(&mut self, entry: &Entry) {
        let message = format!("`{}` can stand in the root file only", entry.key);
        self.reader
            .error("spec::root_only", entry.key_span, message, "in an included file")
            .help = Some("move it to the root file".into());
    }

    fn without_name(&mut self, span: yaml::Span, label: &str) {
        let message = "the project has no name".to_owned();
        self.reader.error("spec::no_name", span, message, label).help = Some("write `name: NAME` at its head".into());
    }

    fn wants_a_map(&mut self, what: &str, yaml: &Yaml) {
        let message = format!("{what} wants a map, found {}", yaml.noun());
        self.reader
            .error("spec::wrong_type", yaml.span, message, "expected a map")
            .help = Some("write `NAME: …`, one line for each, indented below it".into());
    }

    fn engine_key(&mut self, entry: &Entry) {
        let key = &*entry.key;
        if self.part == Part::Fragment {
            if !["version", "environments"].contains(&key) {
                self.root_only(entry);
            }
            return;
        }
        let ty = match key {
            "version" | "name" => Type::String,
            "include" | "disable" => Type::List(Arc::new(Type::String)),
            "packs" => Type::Map(Arc::new(Type::Any)),
            _ => return,
        };
        let Some(value) = self.reader.read(&ty, &entry.value, key) else {
            return;
        };
        let names = || {
            value
                .as_list()
                .unwrap_or_default()
                .iter()
                .filter_map(Value::as_str)
                .map(Name::from)
        };
        let settings = &mut self.lowered.settings;
        match key {
            "name" => settings.name = value.as_str().unwrap_or("").into(),
            "include" => settings.include = names().collect(),
            "disable" => settings.disable = names().collect(),
            "version" if value.as_str() != Some(VERSION) => {
                let message = format!(
                    "there is no version `{}` of the spec's grammar",
                    value.as_str().unwrap_or("")
                );
                self.reader
                    .error(
                        "spec::unknown_version",
                        entry.value.span,
                        message,
                        "not one that is read",
                    )
                    .help = Some(format!("write `version: {VERSION}`").into());
            }
            "packs" => {
                let (found, faults) = elsewhere::requests(&entry.value, &[], self.reader.text);
                settings.packs = found.into_iter().map(|it| it.0).collect();
                for fault in faults {
                    let place = self.reader.place(fault.span);
                    self.reader.problems.push(fault.problem(place));
                }
            }
            _ => {}
        }
    }

    /// Reads the nodes of one kind.
    fn collection(&mut self, kind: &Kind, entry: &Entry) {
        if !matches!(entry.value.data, Data::Map(_) | Data::Null) {
            self.wants_a_map(&format!("`{}`", entry.key), &entry.value);
        }
        for node in entry.value.entries() {
            let fragment = self.named_fragment(kind, node);
            self.lowered.nodes.push(fragment);
        }
    }

    fn named_fragment(&mut self, kind: &Kind, entry: &Entry) -> Fragment {
        let name = Name::from(&*entry.key);
        if matches!(entry.value.data, Data::Map(_) | Data::Null) {
            let rest: Vec<&Entry> = entry.value.entries().iter().collect();
            return self.fragment(kind, name, &rest);
        }
        let record = Type::Record(kind.fields.clone());
        let value = self.reader.read(&record, &entry.value, &name);
        Fragment {
            address: Address::new(kind.name.clone(), name),
            fields: value.as_ref().and_then(Value::as_map).cloned().unwrap_or_default(),
            overlays: Vec::new(),
        }
    }

    fn fragment(&mut self, kind: &Kind, name: Name, entries: &[&Entry]) -> Fragment {
        let own = entries.iter().copied().filter(|it| &*it.key != "environments");
        let fields = self.reader.fields(&kind.fields, own, &name);
        let listed = entries.iter().find(|it| &*it.key == "environments");
        let mut overlays = Vec::new();
        for overlay in listed.map(|it| it.value.entries()).unwrap_or_default() {
            let saying = self.saying(kind, &name, &overlay.value);
            overlays.push((Name::from(&*overlay.key), saying));
        }
        Fragment {
            address: Address::new(kind.name.clone(), name),
            fields: fields.as_map().cloned().unwrap_or_default(),
            overlays,
        }
    }

    /// Reads what an overlay says of a node.
    fn saying(&mut self, kind: &Kind, name: &str, yaml: &Yaml) -> Saying {
        if yaml.data == Data::Null {
            return None;
        }
        self.reader.layer = Layer::Overlay;
        let value = self.reader.read(&Type::Record(kind.fields.clone()), yaml, name);
        self.reader.layer = Layer::Base;
        Some(value.as_ref().and_then(Value::as_map).cloned().unwrap_or_default())
    }

    /// Reads what the root file says of the project, and the nodes that its fields declare.
    fn project(&mut self, entries: &[&Entry]) {
        if self.part == Part::Fragment {
            entries.iter().for_each(|it| self.root_only(it));
            return;
        }
        let record = self.project_fields();
        let fields = self.reader.fields(&record, entries.iter().copied(), "the project");
        let mut fields = fields.as_map().cloned().unwrap_or_default();
        let schema = self.schema;
        for (path, kind) in &schema.declares {
            fields = merge::without(&fields, &path.0);
            let Some(kind) = schema.kinds.get(kind) else { continue };
            for entry in yaml_at(entries, &path.0).map(Yaml::entries).unwrap_or_default() {
                let mut fragment = self.named_fragment(kind, entry);
                if kind.fields.fields.contains_key("type") && fragment.fields.get("type").is_none() {
                    let ty = Value::String(fragment.address.name.clone());
                    self.named_as_type(kind, &ty, entry);
                    fragment.fields = fragment.fields.with("type", ty);
                }
                self.lowered.nodes.push(fragment);
            }
        }
        let name = match &*self.lowered.settings.name {
            "" => Name::from(PROJECT),
            _ => self.lowered.settings.name.clone(),
        };
        self.lowered.nodes.push(Fragment {
            address: Address::new(PROJECT, name),
            fields,
            overlays: Vec::new(),
        });
    }

    /// Warns where a node's name, which is its type as well, is nearly one that packs know.
    fn named_as_type(&mut self, kind: &Kind, ty: &Value, entry: &Entry) {
        let field = kind.fields.fields.get("type");
        if let Some(limits) = field.and_then(|it| it.limits.as_deref()) {
            self.reader.near_to_known(limits, ty, entry.key_span, "type");
        }
    }

    fn environments(&mut self, listed: &Entry) {
        if !matches!(listed.value.data, Data::Map(_) | Data::Null) {
            self.wants_a_map("`environments`", &listed.value);
        }
        for entry in listed.value.entries() {
            let name = Name::from(&*entry.key);
            if !matches!(entry.value.data, Data::Map(_) | Data::Null) {
                self.wants_a_map(&format!("the environment `{name}`"), &entry.value);
            }
            if self.part == Part::Root {
                let dir = self.dir(entry);
                let environment = EnvironmentInfo {
                    name: name.clone(),
                    dir,
                };
                self.lowered.settings.environments.push(environment);
            }
            self.overlay(name, entry.value.entries());
        }
        self.lowered.settings.environments.sort_by(|a, b| a.name.cmp(&b.name));
    }

    fn dir(&mut self, environment: &Entry) -> Name {
        let Some(yaml) = environment.value.get("dir") else {
            return Name::from(&*environment.key);
        };
        let value = self.reader.read(&Type::String, yaml, "dir");
        let dir = value
            .as_ref()
            .and_then(Value::as_str)
            .unwrap_or("")
            .trim_end_matches('/');
        let leaves = |it: &str| it == ".." || it.contains('\\') || it.contains(':');
        if dir.starts_with('/') || dir.split('/').any(leaves) {
            let message = format!("the folder `{dir}` lies outside of the project");
            self.reader
                .error("spec::bad_dir", yaml.span, message, "leaves the project")
                .help = Some("write a path relative to the project, such as `prod`".into());
            return Name::from(&*environment.key);
        }
        Name::from(if dir == "." { "" } else { dir })
    }

    fn overlay(&mut self, environment: Name, entries: &[Entry]) {
        let mut nodes: Vec<(Address, Saying)> = Vec::new();
        let mut project: Vec<&Entry> = Vec::new();
        for entry in entries {
            if let Some(kind) = collection(self.schema, &entry.key) {
                if !matches!(entry.value.data, Data::Map(_) | Data::Null) {
                    self.wants_a_map(&format!("`{}`", entry.key), &entry.value);
                }
                for node in entry.value.entries() {
                    let saying = self.saying(kind, &node.key, &node.value);
                    nodes.push((Address::new(kind.name.clone(), &*node.key), saying));
                }
            } else if self.project_fields().fields.contains_key(&*entry.key) {
                match self.part {
                    Part::Root => project.push(entry),
                    Part::Fragment => self.root_only(entry),
                }
            } else if &*entry.key != "dir" {
                self.unknown_key(entry);
            } else if self.part == Part::Fragment {
                self.root_only(entry);
            }
        }
        if !project.is_empty() {
            self.project_overlay(&project, &environment, &mut nodes);
        }
        nodes.sort_by(|a, b| a.0.cmp(&b.0));
        self.lowered.overlays.push(Overlay { environment, nodes });
    }

    fn project_overlay(&mut self, entries: &[&Entry], environment: &Name, nodes: &mut Vec<(Address, Saying)>) {
        let record = self.project_fields();
        self.reader.layer = Layer::Overlay;
        let fields = self.reader.fields(&record, entries.iter().copied(), environment);
        self.reader.layer = Layer::Base;
        let mut fields = fields.as_map().cloned().unwrap_or_default();
        let schema = self.schema;
        for (path, kind) in &schema.declares {
            fields = merge::without(&fields, &path.0);
            let Some(kind) = schema.kinds.get(kind) else { continue };
            for entry in yaml_at(entries, &path.0).map(Yaml::entries).unwrap_or_default() {
                let saying = self.saying(kind, &entry.key, &entry.value);
                nodes.push((Address::new(kind.name.clone(), &*entry.key), saying));
            }
        }
        let mut nodes = self.lowered.nodes.iter_mut();
        if let Some(project) = nodes.find(|it| &*it.address.kind == PROJECT) {
            project.overlays.push((environment.clone(), Some(fields)));
        }
    }
}

/// Returns the kind whose nodes stand under `key`.
#[must_use]
pub fn collection<'s>(schema: &'s Schema, key: &str) -> Option<&'s Kind> {
    schema.kinds.values().find(|it| it.collection.as_deref() == Some(key))
}

/// Returns the kind and the entry that names the node, if a whole file is one: `service: orders`, then its fields.
#[must_use]
pub fn whole_file<'s, 'y>(schema: &'s Schema, yaml: &'y Yaml) -> Option<(&'s Kind, &'y Entry)> {
    yaml.entries().iter().find_map(|entry| {
        let kind = schema.kinds.get(&*entry.key)?;
        (kind.collection.is_some() && entry.value.as_str().is_some()).then_some((kind, entry))
    })
}

fn yaml_at<'y>(entries: &[&'y Entry], path: &[Name]) -> Option<&'y Yaml> {
    let (first, rest) = path.split_first()?;
    let found = entries.iter().find(|it| *it.key == **first)?;
    rest.iter().try_fold(&found.value, |yaml, step| yaml.get(step))
}
