//! What runs again after an edit, and what is printed again, by name.

use crate::monorepo::{Files, World};

const PACK: &str = "
pack: post
doc: Pneumatic post.
kinds:
  project: {fields: {}}
  service:
    collection: services
    attributes: {address: Where it is.}
    fields:
      doc: {type: string, doc: Nobody reads it.}
      weight: {type: int, default: 1}
      tags: list(string)
      env: map(text)
      depends_on: {edge: depends_on}
edges:
  depends_on: {from: service, to: service, fields: {required: {type: bool, default: true}}}
  references: {yields_to: depends_on, fields: {required: {type: bool, default: true}, attributes: list(string)}}
  starts_after: {fields: {required: bool}}
relations:
  reference: {of: service, fields: {attribute: string, value: text}}
  mark: {of: service, fields: {value: string}}
  waits_for: {of: service, fields: {name: string}}
  serves: {of: service, fields: {name: string}}
";

const RULES: &str = "
rules:
  - rule: reference
    match: (s:service)
    facts: [{reference: {of: s, attribute: address, value: 'tube:${s.name}-${s.weight}'}}]
  - rule: mark
    match: (s:service)
    each: {t: s.tags}
    facts: [{mark: {of: s, value: '${t}'}}]
  - rule: waits
    match: (s:service)-[:depends_on]->(t:service)
    facts:
      - waits_for: {of: s, name: '${t.name}'}
      - serves: {of: t, name: '${s.name}'}
  - rule: line
    match: (s:service)
    artifact:
      path: lines/${s.name}.ini
      template: post/line.ini.hbs
      references: post/reference
      with: {name: s.name, marks: s.mark, waits: s.waits_for, env: s.env}
  - rule: served
    match: (s:service)
    artifact: {path: 'served/${s.name}.yaml', template: post/served.yaml, with: {served: s.serves}}
  - rule: registry
    match: (p:project)
    artifact: {path: registry.json, template: post/registry.json, with: {all: nodes('service')}}
";

const LINE: &str = "[{{name}}]
{{#each marks}}
mark = {{value}}
{{/each}}
{{#each waits}}
wait = {{name}}
{{/each}}
{{#each env}}
{{@key}} = {{this}}
{{/each}}
";

fn files() -> Files {
    let files = [
        ("gen.yaml", "version: 0.2\nname: post\n"),
        ("parts/a.yaml", "service: a\ndoc: The first.\ntags: [x]\nweight: 3\n"),
        (
            "parts/b.yaml",
            "service: b\ndepends_on: [a]\ntags: [y]\nenv: {A: 'at ${service.a.address}'}\n",
        ),
        ("parts/c.yaml", "service: c\ntags: [z]\n"),
        ("parts/d.yaml", "service: d\ndepends_on: [b]\n"),
        ("rules/post/pack.yaml", PACK),
        ("rules/post/rules.yaml", RULES),
        ("templates/post/line.ini.hbs", LINE),
        (
            "templates/post/served.yaml",
            "served: [{$each: {x: served}, $value: '${x.name}'}]\n",
        ),
        (
            "templates/post/registry.json",
            "{\"all\": [{\"$each\": {\"s\": \"all\"}, \"$value\": \"${s.name}\"}]}\n",
        ),
    ];
    files.map(|(path, text)| (path.to_owned(), text.to_owned())).into()
}

/// What runs where a field of one service differs. No `snapshot`: the graph is the same.
const FIELD: [&str; 11] = [
    "all_findings",
    "artifacts",
    "complete_node",
    "declared_at",
    "facts",
    "file_findings",
    "finished_node",
    "lowered_file",
    "node_edges",
    "outline",
    "read_by",
];

/// Makes one edit of a fresh project: puts `new` in the place of `old` in one file.
#[track_caller]
fn edited(path: &str, old: &str, new: &str) -> World {
    let mut files = files();
    let mut world = World::of(&files);
    assert!(world.outcome().problems.is_empty(), "{:#?}", world.outcome().problems);
    assert_eq!(world.printed().len(), 9);
    world.take_ran();
    let text = files.get_mut(path).expect("the file is there");
    assert!(text.contains(old), "`{old}` does not stand in {path}");
    *text = text.replacen(old, new, 1);
    world.edit(&files);
    world.refresh();
    assert!(world.outcome().problems.is_empty(), "{:#?}", world.outcome().problems);
    let fresh = World::of(&files).outcome();
    assert_eq!(world.outcome().difference(&fresh), None);
    world
}

#[test]
fn a_comment_of_the_spec_prints_nothing() {
    let world = edited("parts/b.yaml", "service: b\n", "# moved\n\nservice: b\n");
    assert!(world.printed().is_empty());
    // The file is read; that it says the same is where it ends.
    assert_eq!(world.take_ran(), ["lowered_file"]);
}

#[test]
fn a_tag_prints_its_own_artifacts() {
    let world = edited("parts/b.yaml", "tags: [y]", "tags: [y, w]");
    assert_eq!(world.printed(), ["lines/b.ini"]);
    assert_eq!(world.take_ran(), FIELD);
}

#[test]
fn a_field_that_nobody_reads_prints_nothing() {
    let world = edited("parts/a.yaml", "The first.", "The very first.");
    assert!(world.printed().is_empty());
    assert_eq!(world.take_ran(), FIELD);
}

#[test]
fn an_edge_prints_what_stands_at_both_ends() {
    let world = edited("parts/c.yaml", "tags: [z]", "tags: [z]\ndepends_on: [a]");
    assert_eq!(world.printed(), ["lines/c.ini", "served/a.yaml"]);
    assert_eq!(
        world.take_ran(),
        [
            "adjacent",
            "all_findings",
            "artifacts",
            "complete_node",
            "declared_at",
            "facts",
            "file_findings",
            "finished_node",
            "lowered_file",
            "node_edges",
            "of_kind",
            "outline",
            "problems",
            "read_by",
            "snapshot"
        ]
    );

    let world = edited("parts/d.yaml", "depends_on: [b]", "depends_on: []");
    assert_eq!(world.printed(), ["lines/d.ini", "served/b.yaml"]);
}

#[test]
fn what_is_mentioned_prints_who_mentions_it() {
    let world = edited("parts/a.yaml", "weight: 3", "weight: 4");
    assert_eq!(world.printed(), ["lines/b.ini"]);
}

#[test]
fn a_service_more_prints_its_own_and_the_registry() {
    let world = edited(
        "gen.yaml",
        "name: post\n",
        "name: post\nservices: {e: {depends_on: [c]}}\n",
    );
    assert_eq!(
        world.printed(),
        ["lines/e.ini", "registry.json", "served/c.yaml", "served/e.yaml"]
    );
}

#[test]
fn a_comment_of_a_rule_file_prints_nothing() {
    let world = edited(
        "rules/post/rules.yaml",
        "  - rule: waits",
        "\n  # moved\n  - rule: waits",
    );
    assert!(world.printed().is_empty());
    assert_eq!(
        world.take_ran(),
        [
            "compiled",
            "ids",
            "mode",
            "rule_file",
            "source",
            "sources",
            "template",
            "template_fingerprint"
        ]
    );
}

#[test]
fn a_rule_prints_its_own_artifacts() {
    let world = edited(
        "rules/post/rules.yaml",
        "served: s.serves}",
        "served: 's.serves.filter(x, x.name != \"d\")'}",
    );
    assert_eq!(
        world.printed(),
        ["served/a.yaml", "served/b.yaml", "served/c.yaml", "served/d.yaml"]
    );
}

#[test]
fn a_template_prints_its_own_artifacts() {
    let world = edited("templates/post/registry.json", "\"all\": [", "\"everything\": [");
    assert_eq!(world.printed(), ["registry.json"]);
    assert_eq!(world.take_ran(), ["artifacts", "template", "template_fingerprint"]);
}
