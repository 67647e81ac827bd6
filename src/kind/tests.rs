//! Tests of pack files: order, joining, and every mistake in them.

use super::pack::{pack_problems, packs, schema};
use crate::db::{Database, Project, SourceFile};
use crate::kind::{Bare, Shape, Type};
use crate::value::{Name, Path, Value};

fn project(files: &[(&str, &str)]) -> (Database, Project) {
    let db = Database::default();
    let file = |path: &str, text: &str| SourceFile::new(&db, path.into(), text.into());
    let built_in = files
        .iter()
        .map(|(name, text)| file(&format!("rules/{name}/pack.yaml"), text))
        .collect();
    let root = file("gen.yaml", "name: x");
    let project = Project::new(&db, root, Vec::new(), built_in, Vec::new(), Vec::new());
    (db, project)
}

fn told(files: &[(&str, &str)]) -> Vec<String> {
    let (db, project) = project(files);
    let told = pack_problems(&db, project).iter().map(|it| {
        let help = it.help.as_deref().unwrap_or("");
        format!("{} | {} | {help}", it.code, it.message)
    });
    told.collect()
}

const CORE: &str = "
pack: core
kinds:
  project: {fields: {deployment.platforms: list(string)}}
  service:
    doc: A service.
    collection: services
    platforms: deployment.platforms
    usual: true
    fields:
      deployment: {platforms: list(string), replicas: {type: int, default: 1}, cpu: cpu, type: {type: string}}
      routes: {type: map(record), short: path, fields: {path: text}}
";

#[test]
fn packs_stand_behind_those_they_need_else_by_name() {
    let (db, project) = project(&[
        ("a", "pack: a\nrequires: [core]\noptional: [z, absent]\n"),
        ("b", "pack: b\ndoc: The second.\nplatform: tubes\n"),
        ("core", CORE),
        ("z", "pack: z\nrequires: [core]\n"),
    ]);
    let order: Vec<&str> = packs(&db, project).iter().map(|it| &*it.name).collect();
    assert_eq!(order, ["b", "core", "z", "a"]);
    assert_eq!(&*packs(&db, project)[0].doc, "The second.");
    assert_eq!(packs(&db, project)[0].platform, Some(Name::from("tubes")));
}

#[test]
fn a_pack_adds_fields_to_a_kind_it_requires() {
    let tubes = "
pack: tubes
requires: [core]
kinds:
  service:
    fields:
      deployment.tubes.bore: {type: int, unit: mm, default: 80, doc: Inner width.}
      deployment.tubes.count: int
      deployment.tubes.cpu: {type: cpu, bare: megahertz}
      routes.*.valve: bool
relations:
  line: {of: service, fields: {value: string, order: float}, shape: list, order_by: value}
alias: {deployment.tubes.count: deployment.replicas}
edges:
  blown_by: {from: service, to: 'service|project', fields: {bar: float}}
";
    assert_eq!(told(&[("core", CORE), ("tubes", tubes)]), [""; 0]);
    let (db, project) = project(&[("core", CORE), ("tubes", tubes)]);
    let schema = schema(&db, project);
    let service = Type::Record(schema.kinds["service"].fields.clone());
    let at = |path: &str| super::pack::field_at(&service, &Path::parse(path));
    assert_eq!(at("deployment.tubes.bore"), Ok(Type::Int));
    assert_eq!(at("deployment.type"), Ok(Type::String));
    assert_eq!(at("deployment.tubes.cpu"), Ok(Type::Cpu { bare: Bare::Megahertz }));
    assert_eq!(at("routes.main.valve"), Ok(Type::Bool));
    let relation = &schema.relations["tubes/line"];
    assert_eq!(
        relation.shape,
        Shape::List {
            order_by: Name::from("value")
        }
    );
    assert_eq!(relation.fields.fields["order"].ty, Type::Double);
    assert_eq!(schema.edges["blown_by"].to.len(), 2);
    let Ok(Type::Record(tubes)) = at("deployment.tubes") else {
        panic!("a record")
    };
    assert_eq!(
        tubes.fields["count"].default,
        Some(Value::Int(1)),
        "that of the neutral field"
    );
    assert_eq!(tubes.fields["bore"].unit, Some(Name::from("mm")));
    assert_eq!(&*tubes.fields["bore"].pack, "tubes");
}

#[test]
fn every_mistake_of_a_pack_is_told() {
    let bad = "
pack: bad
platforms: [tbues]
requires: [core, croe]
kinds:
  service:
    fields:
      deployment.replicas: int
      a: {type: strnig}
      b: {type: node(servce)}
      c: {type: int, defualt: 3, default: x}
      d: {edge: nothing}
      e: {type: choice}
      f: {type: record, short: g, fields: {h: int}}
      name: string
  other: {collection: services}
alias:
  deployment.cpu: deployment.replicas
  deployment.bad.x: deployment.replcias
unsupported: [deployment.cpu]
relations:
  r: {shape: list, fields: {x: int}}
  s: {shape: lots}
  t: {of: servic}
kidns: {}
";
    assert_eq!(
        told(&[("core", CORE), ("bad", bad)]),
        [
            "pack::alias_type | `deployment.cpu` is cpu, but `deployment.replicas` is int | give both one type, or say by `as` what the one becomes",
            "pack::bad_field | `short` names `g`, which is no field | did you mean `h`?",
            "pack::bad_field | a choice needs `values`, a list of strings | write `values: [one, other]`, numbers and `yes` and `no` in quotes",
            "pack::bad_relation | `lots` is no shape of a relation | known here: `list`, `one`, `set`",
            "pack::bad_relation | `r` is a list without an order | say by which field: `order_by: FIELD`",
            "pack::bad_unsupported | `unsupported` needs to know the platform | write `platform: NAME` at the head, and `{field: PATH, reason: …}` here",
            "pack::collection_collision | the collection `services` is that of `service` already | give this kind a collection of another name",
            "pack::dangling_field | `deployment.bad.x` is no field of `service`: `bad` is unknown | known here: `cpu`, `platforms`, `replicas`, `type`",
            "pack::dangling_field | `deployment.replcias` is no field of `service`: `replcias` is unknown | did you mean `replicas`?",
            "pack::field_collision | `deployment.replicas` of `service` is declared by `core` already | leave one of the two out, or give it another path, such as one below the pack's name",
            "pack::reserved_field | `name` can't be declared: the spec itself gives it a meaning | give the field another name",
            "pack::unknown_edge | `nothing` is no kind of edge | ",
            "pack::unknown_key | `defualt` is no key of a field's definition | did you mean `default`?",
            "pack::unknown_key | `kidns` is no key of pack.yaml | did you mean `kinds`?",
            "pack::unknown_kind | `servce` is no kind of node | did you mean `service`?",
            "pack::unknown_kind | `servic` is no kind of node | did you mean `service`?",
            "pack::unknown_pack | `bad` requires the pack `croe`, which is not there | did you mean `core`?",
            "pack::unknown_platform | no pack is for the platform `tbues` | ",
            "pack::unknown_type | `strnig` is no type | did you mean `string`?",
            "spec::wrong_type | `c` wants a whole number, found a text | write digits alone, such as `2`",
        ]
    );
}

#[test]
fn packs_must_not_need_each_other_nor_share_a_name() {
    assert_eq!(
        told(&[
            ("a", "pack: a\nrequires: [b]"),
            ("b", "pack: b\nrequires: [c]"),
            ("c", "pack: c\nrequires: [a]")
        ]),
        [
            "pack::requires_cycle | packs need each other: a → b → c → a | take one of them out of `requires` or `optional`"
        ]
    );
    assert_eq!(
        told(&[("a", "pack: a"), ("b", "pack: a")]),
        [
            "pack::duplicate_pack | two packs bear the name `a` | give one of them, and its folder, another name",
            "pack::other_folder | the pack `a` stands in the folder `b` | write `pack: b`, or name the folder `a`"
        ]
    );
    assert_eq!(
        told(&[("a", "doc: x")]),
        ["pack::no_name | a pack has no name | write `pack: NAME` at its head"]
    );
    let lone = "pack: lone\nkinds: {service: {fields: {x: int}}}\n";
    assert_eq!(
        told(&[("core", CORE), ("lone", lone)]),
        [
            "pack::not_required | `lone` adds to `service` of the pack `core`, which it does not require | write `requires: [core]` at the head of `rules/lone/pack.yaml`"
        ]
    );
}

#[test]
fn the_json_schema_knows_short_forms_choices_and_overlays() {
    let core = "
pack: core
kinds:
  project: {fields: {deployment.platforms: list(string), deployment.infrastructure: {declares: infra}}}
  infra: {collection: infra, doc: What services stand on., fields: {type: string}}
  service:
    collection: services
    fields:
      kind: {values: [domain, job], default: domain, doc: What it does.}
      ports: {type: map(record), short: port, fields: {port: int}}
      depends_on: {edge: depends_on}
      old: {type: int, unit: mm, deprecated: write `new`}
edges: {depends_on: {fields: {required: bool}}}
";
    let (db, project) = project(&[("core", core)]);
    let json = super::json_schema::json_schema(schema(&db, project));
    let service = &json["$defs"]["service"]["properties"];
    assert_eq!(service["kind"]["enum"], serde_json::json!(["domain", "job", null]));
    assert_eq!(service["kind"]["default"], "domain");
    assert_eq!(service["kind"]["description"], "What it does.");
    assert_eq!(
        service["ports"]["anyOf"][0]["additionalProperties"]["anyOf"][0]["type"],
        "integer"
    );
    assert_eq!(service["depends_on"]["anyOf"][1]["type"], "array");
    assert_eq!(service["old"]["deprecated"], true);
    assert_eq!(service["old"]["description"], "In mm. Deprecated: write `new`.");
    assert_eq!(
        service["environments"]["additionalProperties"]["anyOf"][0]["$ref"],
        "#/$defs/service"
    );
    let root = &json["anyOf"][0]["properties"];
    assert_eq!(
        root["services"]["additionalProperties"]["anyOf"][0]["$ref"],
        "#/$defs/service"
    );
    let infrastructure = &root["deployment"]["properties"]["infrastructure"];
    assert_eq!(
        infrastructure["additionalProperties"]["anyOf"][0]["$ref"],
        "#/$defs/infra"
    );
    let overlay = &json["$defs"]["overlay"]["properties"];
    assert!(overlay["dir"].is_object() && overlay["infra"].is_object() && overlay["deployment"].is_object());
    assert!(overlay.get("include").is_none());
}
