//! Tests of the spec, over a small made-up schema.

mod edges;
mod environments;
mod fields;
mod mistakes;
mod names;
mod places;
mod reuse;

use std::sync::Arc;

use crate::db::{Database, Override, Project, SourceFile};
use crate::kind::pack;
use crate::problem::{Place, Problem};
use crate::spec::{self, Edge, Node};
use crate::value::{Address, Map, Name, Path, Value};

/// What all tests speak of: services, infra and entities, on a platform of tubes.
pub(super) const CORE: &str = "
pack: core
doc: What every spec may say.
kinds:
  project:
    core_mhz: deployment.core_mhz
    fields:
      deployment.platforms: {type: list(string), doc: Where it runs.}
      deployment.infrastructure: {declares: infra}
      deployment.core_mhz: int
      deployment.env: map(text)
  service:
    collection: services
    platforms: deployment.platforms
    fields:
      kind: {values: [domain, job], default: domain}
      framework: string
      command: list(text)
      env: map(text)
      content: {type: any}
      old: {type: string, deprecated: write `framework`}
      depends_on: {edge: depends_on}
      owns: {edge: owns}
      mentor: {type: node(service)}
      deployment:
        platforms: list(string)
        replicas: {type: int, default: 1}
        env: map(text)
        ports: {type: map(record), short: port, fields: {port: {type: int, required: true}, static: {type: bool, default: false}}}
        resources: {type: record, fields: {cpu: cpu, memory: memory}}
        health_check: {type: record, short: path, fields: {path: text, interval: {type: duration, default: 10s}}}
        scaling: {type: record, fields: {min: int, max: int}}
    attributes: {address: Where it listens., url: The same as a URL.}
    attributes_from: deployment.ports
    inherits: {deployment: deployment}
  infra:
    collection: infra
    fields: {type: {type: string, required: true}, version: string, storage: memory, address: text, enabled: {type: bool, default: true}}
    attributes: {url: Its URL., address: Its address.}
  entity:
    collection: entities
    fields: {fields: map(string)}
  secret:
    collection: secrets
    fields: {keys: map(string)}
    attributes_from: keys
edges:
  depends_on:
    from: service
    to: [service, infra]
    fields:
      required: {type: bool, default: true}
      condition:
        values: [started, healthy, completed]
        default_from:
          - {when: kind, equals: job, value: completed}
          - {when: deployment.health_check.path, value: healthy}
          - {value: started}
      port: string
  references:
    yields_to: depends_on
    fields: {required: {type: bool, default: true}, condition: string, port: string, attributes: list(string)}
  owns: {from: service, to: entity}
";

pub(super) const TUBES: &str = "
pack: tubes
platform: tubes
doc: Pneumatic tubes.
requires: [core]
kinds:
  project:
    fields:
      deployment.tubes.line: string
      deployment.tubes.default_resources: {type: record, fields: {cpu: {type: cpu, bare: megahertz}, memory: {type: memory, bare: mebibytes}}}
  service:
    fields:
      deployment.tubes.line: string
      deployment.tubes.bore: {type: int, unit: mm, default: 80, doc: Inner width of the tube.}
      deployment.tubes.count: int
      deployment.tubes.port: int
      deployment.tubes.resources: {type: record, fields: {cpu: {type: cpu, bare: megahertz}, memory: {type: memory, bare: mebibytes}}}
    inherits: {deployment.tubes.default_resources: deployment.tubes.resources}
alias:
  deployment.tubes.count: deployment.replicas
  deployment.tubes.resources: deployment.resources
  deployment.tubes.port: {to: deployment.ports, as: {http: {port: '${value}', static: true}}}
unsupported:
  - {field: deployment.scaling, reason: a tube does not stretch}
";

/// A project in memory.
pub(super) struct Fixture {
    pub(super) db: Database,
    pub(super) project: Project,
}

pub(super) fn file(db: &Database, path: &str, text: &str) -> SourceFile {
    SourceFile::new(db, path.into(), text.into())
}

/// Returns the project of a root file and, behind it, included files by path.
pub(super) fn project(root: &str, included: &[(&str, &str)]) -> Fixture {
    project_with(
        &[("rules/core/pack.yaml", CORE), ("rules/tubes/pack.yaml", TUBES)],
        root,
        included,
        &[],
    )
}

pub(super) fn project_with(
    packs: &[(&str, &str)],
    root: &str,
    included: &[(&str, &str)],
    set: &[(&str, &str)],
) -> Fixture {
    let db = Database::default();
    let built_in = packs.iter().map(|(path, text)| file(&db, path, text)).collect();
    let included = included.iter().map(|(path, text)| file(&db, path, text)).collect();
    let root = file(&db, "gen.yaml", root);
    let overrides = set.iter().map(|(path, yaml)| Override {
        path: Path::parse(path),
        yaml: Arc::from(*yaml),
    });
    let project = Project::new(&db, root, included, built_in, Vec::new(), overrides.collect());
    Fixture { db, project }
}

impl Fixture {
    pub(super) fn problems(&self) -> Vec<Problem> {
        assert_eq!(pack::pack_problems(&self.db, self.project), [], "the packs are right");
        spec::problems(&self.db, self.project)
    }

    /// Returns each problem as its code, its message, the text under its first label, and its help.
    pub(super) fn told(&self) -> Vec<String> {
        let told = self.problems().into_iter().map(|it| {
            let under = it
                .labels
                .first()
                .map_or(String::new(), |label| self.under(&label.place));
            let help = it.help.as_deref().unwrap_or("");
            format!("{} | {} | {under} | {help}", it.code, it.message)
        });
        told.collect()
    }

    pub(super) fn under(&self, place: &Place) -> String {
        let Some((path, span)) = spec::locate(&self.db, self.project, place) else {
            return "nowhere".to_owned();
        };
        let files = [self.project.root(&self.db)].into_iter();
        let mut files = files.chain(self.project.included(&self.db).iter().copied());
        let file = files.find(|it| *it.path(&self.db) == path).expect("a file of the spec");
        span.of(file.text(&self.db)).to_owned()
    }

    pub(super) fn environment(&self, name: &str) -> u16 {
        let all = spec::environments(&self.db, self.project);
        let at = all.iter().position(|it| &*it.name == name).expect("an environment");
        u16::try_from(at).expect("few environments")
    }

    pub(super) fn node_in(&self, environment: &str, address: &str) -> Option<Node> {
        let (kind, name) = address.split_once('.').expect("KIND.NAME");
        let environment = self.environment(environment);
        let address = Address::new(kind, name);
        let completion = spec::completion(&self.db, self.project);
        let fields = |address: &Address| {
            let declared = spec::declared(&self.db, self.project, environment, address);
            let inherited = spec::inherited(&self.db, self.project, environment, &address.kind);
            completion
                .fields(address, declared.as_deref(), &Map::default(), inherited)
                .0
        };
        let declared = spec::declared(&self.db, self.project, environment, &address)?;
        let completed = fields(&address);
        let target = |address: &Address, path: &Path| Value::Map(fields(address).fields).at(&path.0).cloned();
        Some(Node {
            edges: completion.edges(&completed, &declared.edges, &[], &target),
            fields: completed.fields,
            address,
        })
    }

    pub(super) fn node(&self, address: &str) -> Node {
        self.node_in("", address).expect("a node")
    }

    /// Returns what stands at a path of a node of the only environment, as [`shown`].
    pub(super) fn at(&self, address: &str, path: &str) -> String {
        shown(Value::Map(self.node(address).fields).at(&Path::parse(path).0))
    }

    pub(super) fn at_in(&self, environment: &str, address: &str, path: &str) -> String {
        let node = self.node_in(environment, address).expect("a node");
        shown(Value::Map(node.fields).at(&Path::parse(path).0))
    }

    /// Returns the edges of a node of the only environment, one a line.
    pub(super) fn edges(&self, address: &str) -> Vec<String> {
        self.node(address).edges.iter().map(shown_edge).collect()
    }
}

pub(super) fn shown_edge(edge: &Edge) -> String {
    format!(
        "{} {} {}",
        edge.kind,
        edge.to,
        shown(Some(&Value::Map(edge.fields.clone())))
    )
}

/// Writes a value briefly: `{a: 1, b: [x]}`; a reference as `<node attribute>`.
pub(super) fn shown(value: Option<&Value>) -> String {
    use crate::value::Segment;
    let Some(value) = value else { return "absent".to_owned() };
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(it) => it.to_string(),
        Value::Int(it) => it.to_string(),
        Value::Double(it) => it.0.to_string(),
        Value::String(it) => it.to_string(),
        Value::Node(it) => format!("@{it}"),
        Value::Text(text) => {
            let pieces = text.segments().iter().map(|it| match it {
                Segment::Literal(text) => text.to_string(),
                Segment::Reference(it) => {
                    format!("<{} {}{}>", it.node, it.attribute, if it.required { "" } else { "?" })
                }
                Segment::Code { source, .. } => format!("`{source}`"),
            });
            pieces.collect()
        }
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(|it| shown(Some(it))).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Map(map) => {
            let entries: Vec<String> = map
                .iter()
                .map(|(name, it)| format!("{name}: {}", shown(Some(it))))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

pub(super) fn names(addresses: &[Address]) -> Vec<String> {
    addresses.iter().map(ToString::to_string).collect()
}

pub(super) fn name(text: &str) -> Name {
    Name::from(text)
}
