//! The packs of the random monorepos: pneumatic tubes, with everything that the language can say.
//!
//! Three packs, two of which shape the graph, one after the other; relations in three strata; joins, reach,
//! negation, functions of the graph, all environments at once, references written by a relation, and templates of
//! several formats.

use std::collections::BTreeMap;

use super::{Files, Order, Random};

/// What differs from one monorepo's packs to another's.
#[derive(Clone, Debug, Default)]
pub(crate) struct Packs {
    /// The number of each knob that was turned, by its name.
    pub(crate) knobs: BTreeMap<&'static str, u32>,
    /// Rules that are left out, by their place in [`RULES`].
    pub(crate) left_out: Vec<usize>,
    /// Rules on top, each with its pack.
    pub(crate) more: Vec<(&'static str, String)>,
    /// Lines that are put before rule files and templates, by their path's beginning.
    pub(crate) heads: BTreeMap<&'static str, String>,
}

const WORKS: &str = r#"
pack: works
doc: Services, and what they stand on.
kinds:
  project:
    fields:
      deployment.line: string
      deployment.memory: memory
      motto: string
  service:
    doc: What is run.
    collection: services
    attributes: {address: Where it listens., room: The number of its room.}
    attributes_from: ports
    inherits: {deployment: deployment}
    fields:
      role: {values: [shop, job], default: shop}
      doc: {type: string, doc: Nobody reads it.}
      weight: {type: int, default: 1}
      tags: list(string)
      env: map(text)
      ports: {type: map(record), short: port, fields: {port: {type: int, required: true}, fixed: {type: bool, default: false}}}
      depends_on: {edge: depends_on}
      deployment:
        line: {type: string, default: main}
        memory: memory
  station:
    doc: What services stand on.
    collection: stations
    attributes: {address: Where it is., note: What is written on it.}
    fields:
      type: {type: string, default: ""}
      room: {type: int, default: 1}
      line: {type: string}
      note: {type: text}
edges:
  depends_on:
    from: service
    to: [service, station]
    fields: &edge
      required: {type: bool, default: true}
      wait: {type: int, default: 5}
      condition:
        values: [started, healthy, completed]
        default_from:
          - {when: role, equals: job, value: completed}
          - {when: ports, value: healthy}
          - {value: started}
      port: string
  references:
    yields_to: depends_on
    fields: {<<: *edge, attributes: list(string)}
  starts_after:
    fields: *edge
relations:
  reference: {doc: How it is mentioned., of: service|station, fields: {attribute: string, value: text}}
  claim: {doc: A room that it needs., of: service|station, fields: {value: int, port: string}}
  waits_for: {doc: What must be there., of: service, shape: list, order_by: name, fields: {name: string, node: node(service|station), condition: string, rooms: int}}
"#;

const TUBES: &str = r#"
pack: tubes
platform: tubes
doc: Pneumatic tubes.
requires: [works]
kinds:
  service:
    fields:
      deployment.tubes.bore: {type: int, unit: mm, default: 80}
      deployment.tubes.weight: int
alias: {deployment.tubes.weight: {kind: service, to: weight}}
edges:
  blown_by: {from: service, to: station, fields: {bar: {type: double, default: 0.5}}}
relations:
  shell_reference: {of: service|station, fields: {attribute: string, value: text}}
  mark: {of: service, fields: {value: string}}
  far_mark: {of: service, fields: {value: string}}
  neighbour: {of: service, fields: {name: string, room: int}}
  burden: {of: service|station, shape: one, fields: {value: int, rooms: int}}
  silences: {of: service|station, fields: {name: string}}
  known: {of: service, shape: list, order_by: name, fields: {name: string, value: text}}
"#;

const VALVES: &str = r"
pack: valves
doc: What lets air through.
requires: [works, tubes]
relations:
  size_of: {of: project, shape: list, order_by: service, fields: {service: string, bore: int}}
";

/// The rules, each with its pack. `@name@` stands for a number that an edit may change.
pub(crate) const RULES: [(&str, &str); 37] = [
    ("works", "rule: reference
match: (s:service)
facts:
  - reference: {of: s, attribute: address, value: \"tube:${s.name}@reference@\"}
  - reference: {of: s, attribute: room, value: \"room of ${s.name}\"}"),
    ("tubes", "rule: shell-reference
match: (s:service|station)
each: {a: \"['address', 'room', 'note', 'http', 'admin']\"}
facts: [{shell_reference: {of: s, attribute: \"${a}\", value: \"${code('shell', '$' + env_name(s.name + '_' + a))}\"}}]"),
    ("works", "rule: port-reference
match: (s:service)
each: {p: s.ports}
facts: [{reference: {of: s, attribute: \"${p.key}\", value: \"${s.name}:${p.value.port}\"}}]"),
    ("works", "rule: station-reference
match: (t:station)
facts:
  - reference: {of: t, attribute: address, value: \"station ${t.name}, room ${t.room}\"}
  - reference: {of: t, attribute: note, value: \"${has(t.note) ? t.note : 'no note'}\"}"),
    ("works", "rule: room
match: (s:service)
each: {p: s.ports}
when: p.value.fixed || p.value.port > @room@ + 8000
facts: [{claim: {of: s, value: \"${p.value.port}\", port: \"${p.key}\"}}]"),
    ("works", "rule: station-room
match: (t:station)
facts: [{claim: {of: t, value: \"${t.room + 8000}\", port: door}}]"),
    ("works", "rule: waits
match: \"(s:service)-[d:depends_on {required: true}]->(t:service|station)\"
facts: [{waits_for: {of: s, name: \"${t.name}\", node: \"${t}\", condition: \"${d.condition}\", rooms: \"${size(t.claim)}\"}}]"),
    ("works", "rule: waits-for-references
match: \"(s:service)-[:starts_after]->(t:service|station)\"
unless: \"(s)-[:depends_on]->(t)\"
facts: [{waits_for: {of: s, name: \"${t.name}\", node: \"${t}\", condition: mentioned, rooms: \"${size(t.claim)}\"}}]"),
    // What shapes the graph: first what blows, then what lets through.
    ("tubes", "rule: blower
match: (s:service)
unless: \"(s)-[:depends_on]->(:station {type: 'blower'})\"
when: s.weight > @blower@ + 5
nodes: [{node: \"station.blower-${s.deployment.line}\", fields: {type: blower, line: \"${s.deployment.line}\"}}]
edges: [{edge: blown_by, from: s, to: \"'station.blower-' + s.deployment.line\", fields: {bar: 0.7}}]"),
    ("tubes", "rule: blower-room
match: (s:service)
when: s.weight > 8
nodes: [{node: \"station.blower-${s.deployment.line}\", fields: {room: \"${s.weight % 3}\"}}]"),
    ("valves", "rule: valve
match: \"(s:service)-[b:blown_by]->(t:station)\"
unless: \"(:service)-[:depends_on]->(t)\"
nodes: [{node: \"station.valve-${t.name}\", fields: {type: valve, room: \"${t.room}\", note: \"valve of ${t.name}\"}}]
edges: [{edge: depends_on, from: s, to: \"'station.valve-' + t.name\", fields: {required: false}}]"),
    // Facts in strata.
    ("tubes", "rule: mark
match: (s:service)
each: {t: s.tags}
facts: [{mark: {of: s, value: \"${environment.name}/${t}@mark@\"}}]"),
    ("tubes", "rule: far-mark
match: \"(s:service)-[:depends_on|references*]->(t:service)\"
each: {m: t.mark}
facts: [{far_mark: {of: s, value: \"${m.value}\"}}]"),
    ("tubes", "rule: neighbour
match: (a:service), (b:service|station)
join: a.claim.value = b.claim.value
when: a.name != b.name
each: {r: a.claim}
facts: [{neighbour: {of: a, name: \"${b.name}\", room: \"${r.value}\"}}]"),
    ("tubes", "rule: burden
match: (t:service)
let: {n: \"size(dependents(t, 'depends_on'))\"}
facts: [{burden: {of: t, value: \"${n + @burden@}\", rooms: \"${t.waits_for.map(w, w.rooms).sum()}\"}}]"),
    ("tubes", "rule: burden-of-stations
match: (t:station)
facts: [{burden: {of: t, value: \"${size(dependents(t, ['depends_on', 'blown_by']))}\", rooms: 0}}]"),
    ("tubes", "rule: silences
match: \"(s:service)-[:depends_on|references* {required: true}]->(t:service|station)\"
when: \"!same_cycle(s, t, ['depends_on', 'references'])\"
facts: [{silences: {of: t, name: \"${s.name}\"}}]"),
    ("tubes", "rule: known
match: \"(s:service)-[:references]->(t:service)\"
each: {e: t.env}
facts: [{known: {of: s, name: \"${t.name}/${e.key}\", value: \"${e.value}\"}}]"),
    ("valves", "rule: size-of
match: (p:project)
each: {s: nodes('service')}
when: has(s.burden)
facts: [{size_of: {of: p, service: \"${s.name}\", bore: \"${s.deployment.tubes.bore + s.burden.value}\"}}]"),
    // What is printed.
    ("tubes", "rule: line
match: (s:service)
artifact:
  path: lines/${s.name}.hcl
  template: tubes/line.hcl.hbs
  references: works/reference
  with: {s: s, marks: \"s.mark.map(m, m.value)\", waits: s.waits_for, neighbours: s.neighbour}"),
    ("tubes", "rule: sheet
match: (s:service)
when: s.weight > @sheet@
artifact:
  path: sheets/${s.name}.yaml
  template: tubes/sheet.yaml
  references: works/reference
  with:
    s: s
    far: \"s.far_mark.map(m, m.value)\"
    burden: \"has(s.burden) ? s.burden.value : -1\"
    deadline: \"longest(s, 'depends_on', 'wait')\"
    known: s.known"),
    ("tubes", "rule: station
match: (t:station)
artifact:
  path: stations/${t.name}.toml
  template: tubes/station.toml
  references: works/reference
  with: {t: t, silenced: t.silences, users: \"dependents(t, 'depends_on')\"}"),
    ("tubes", "rule: pair
match: \"(s:service)-[d:depends_on]->(t:service)\"
let: {condition: d.condition, wait: d.wait}
artifact:
  path: pairs/${s.name}/${t.name}.ini
  template: tubes/pair.ini.hbs
  per: [s, t]
  with: {from: s.name, to: t.name, condition: condition, wait: wait, weight: t.weight}"),
    ("tubes", "rule: stands-on
match: \"(s:service)-[:depends_on* {required: true}]->(t:station)\"
artifact: {path: \"stands/${s.name}/${t.name}.txt\", template: tubes/served.txt.hbs, per: [s, t], with: {name: t.name, weight: t.room}}"),
    ("tubes", "rule: no-cellar
match: \"(s:service {role: 'job'})\"
unless: \"(:station {type: 'cellar'})\"
artifact: {path: \"no-cellar/${s.name}.txt\", template: tubes/served.txt.hbs, with: {name: s.name, weight: s.weight}}"),
    ("tubes", "rule: served
match: (s:service)
exists: \"(:service)-[:depends_on {required: true}]->(s)\"
artifact: {path: \"served/${s.name}.txt\", template: tubes/served.txt.hbs, with: {name: s.name, weight: s.weight}}"),
    ("tubes", "rule: jobs-of
match: \"(s:service {role: 'job'})-[:depends_on*]->(t:station)\"
artifact: {path: \"jobs/${t.name}.txt\", template: tubes/served.txt.hbs, per: [t], with: {name: t.name, weight: t.room}}"),
    ("tubes", "rule: lonely
match: (s:service)
unless: [\"(s)-[:depends_on|references]->()\", \"()-[:depends_on|references]->(s)\"]
artifact: {path: \"lonely/${s.name}.txt\", template: tubes/served.txt.hbs, with: {name: s.name, weight: @lonely@}}"),
    ("tubes", "rule: wait
match: (s:service)
when: size(s.waits_for) > 0
artifact:
  path: waits/${s.name}.sh
  template: tubes/wait.sh.hbs
  executable: true
  references: tubes/shell_reference
  with: {s: s, rooms: \"s.waits_for.map(w, w.node.claim.map(r, r.value)).flatten().sort()\"}"),
    ("tubes", "rule: reached
match: (s:service)
artifact:
  path: reached/${s.name}.json
  template: tubes/reached.json
  with: {reached: \"reach(s, ['depends_on', 'references', 'blown_by'])\", above: \"dependents(s, 'starts_after')\"}"),
    ("valves", "rule: registry
match: (p:project)
artifact:
  path: registry.json
  template: tubes/registry.json
  with: {services: nodes('service'), layers: layers('starts_after'), sizes: p.size_of}"),
    ("valves", "rule: all
match: (p:project)
across: environments
artifact: {path: all.yaml, template: tubes/all.yaml, with: {environments: environments}}"),
    // Who looks for one of two things at one place.
    ("tubes", "rule: one-line
match: (a:service), (b:service)
join: [a.deployment.line = b.deployment.line, a.weight = b.weight]
when: a.name < b.name
artifact: {path: \"lines/${a.name}-${b.name}.txt\", template: tubes/served.txt.hbs, per: [a, b], with: {name: a.name, weight: b.weight}}"),
    // What rules find.
    ("works", "rule: one-room
match: (a:service), (b:service)
join: a.claim.value = b.claim.value
when: a.name < b.name
warn: \"`${a.name}` and `${b.name}` want one room\"
at: b
field: ports
help: give one of them another"),
    ("tubes", "rule: too-heavy
match: \"(s:service)-[d:depends_on]->(t:service)\"
when: t.weight > s.weight + @heavy@ + 6
deny: \"`${s.name}` can't carry `${t.name}` (${t.weight})\"
at: s
field: \"depends_on.${t.name}\""),
    ("tubes", "rule: burdened
match: (t:station)
when: has(t.burden) && t.burden.value > 6
warn: \"${t.burden.value} stand on `${t.name}` in ${environment.name}\"
at: t"),
    ("works", "rule: blown
match: (s:service)
exists: \"(s)-[:depends_on]->(:station)\"
unless: \"(s)<-[:depends_on]-(:service {role: 'job'})\"
facts: [{claim: {of: s, value: 9000, port: air}}]"),
];

const TEMPLATES: [(&str, &str); 12] = [
    (
        "tubes/line.hcl.hbs",
        "line \"{{s.name}}\" {
  bore = {{s.deployment.tubes.bore}}
  # @line@ {{s.deployment.line}}
{{#each marks}}
{{> tubes/mark value=this}}
{{/each}}
{{#each s.env as |value key|}}
  env \"{{key}}\" { value = \"{{value}}\" }
{{/each}}
{{#each waits}}
  wait \"{{name}}\" { until = \"{{condition}}\" }
{{/each}}
{{#each neighbours}}
  beside \"{{name}}\" { room = {{room}} }
{{/each}}
}
",
    ),
    (
        "tubes/_mark.hbs",
        "{{!--
params:
  value: string
--}}
  mark \"{{value}}\" {}
",
    ),
    (
        "tubes/sheet.yaml",
        "name: ${s.name}
deadline: ${deadline}
burden: ${burden}
memory: \"${has(s.deployment.memory) ? quantity(s.deployment.memory) : null}\"
far: [{$each: {m: far}, $value: \"${m}\"}]
known: [{$each: {k: known}, name: \"${k.name}\", value: \"${k.value}\"}]
version: @sheet_version@
",
    ),
    (
        "tubes/station.toml",
        "name = \"${t.name}\"
type = \"${t.type}\"
line = \"${t.?line.orValue('none')}\"
note = \"${has(t.note) ? t.note : 'nothing'}\"
silenced = [{\"$each\" = {x = \"silenced\"}, \"$value\" = \"${x.name}\"}]
users = [{\"$each\" = {u = \"users\"}, name = \"${u.name}\"}]
",
    ),
    (
        "tubes/pair.ini.hbs",
        "[{{from}}]
to = {{to}}
until = {{condition}}
wait = {{wait}}
weight = {{weight}}
",
    ),
    ("tubes/served.txt.hbs", "{{name}} weighs {{weight}}, @served@\n"),
    (
        "tubes/wait.sh.hbs",
        "#!/bin/sh
{{#each s.waits_for}}
wait_for {{name}} '{{condition}}' {{rooms}}
{{/each}}
{{#each rooms}}
open {{this}}
{{/each}}
{{#each s.env as |value key|}}
echo {{key}} {{value}}
{{/each}}
",
    ),
    (
        "tubes/reached.json",
        "{\"reached\": [{\"$each\": {\"x\": \"reached\"}, \"$value\": \"${x.address}\"}], \"above\": [{\"$each\": {\"x\": \"above\"}, \"$value\": \"${x.name}\"}]}",
    ),
    (
        "tubes/registry.json",
        "{\"services\": [{\"$each\": {\"s\": \"services\"}, \"name\": \"${s.name}\", \"weight\": \"${s.weight}\"}],
\"layers\": [{\"$each\": {\"l\": \"layers\"}, \"$value\": \"${l.map(x, x.name)}\"}],
\"sizes\": [{\"$each\": {\"x\": \"sizes\"}, \"service\": \"${x.service}\", \"bore\": \"${x.bore}\"}]}",
    ),
    (
        "tubes/all.yaml",
        "environments:
  - $each: {e: environments}
    name: ${e.name}
    folder: ${e.dir}
    motto: \"${has(e.project.motto) ? e.project.motto : null}\"
    sizes: [{$each: {x: e.project.size_of}, service: \"${x.service}\", bore: \"${x.bore}\"}]
",
    ),
    (
        "tubes/_unused.hbs",
        "{{!--
params:
  value: string
--}}
{{value}} @unused@
",
    ),
    ("tubes/unused.txt.hbs", "@unused@\n"),
];

impl Packs {
    /// Leaves out every other rule, at random.
    pub(crate) fn leave_out_some(&mut self, random: &mut Random) {
        self.left_out = (0..RULES.len()).filter(|_| random.happens(50)).collect();
    }

    /// Returns the files of the packs.
    pub(crate) fn files(&self, order: &mut Order<'_>) -> Files {
        let mut files = Files::new();
        for (pack, text) in [("works", WORKS), ("tubes", TUBES), ("valves", VALVES)] {
            files.insert(format!("rules/{pack}/pack.yaml"), self.turned(text));
        }
        let kept = RULES.iter().enumerate().filter(|(at, _)| !self.left_out.contains(at));
        let mut rules: Vec<(&str, String)> = kept.map(|(_, (pack, rule))| (*pack, (*rule).to_owned())).collect();
        rules.extend(self.more.iter().cloned());
        let mut written: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (at, (pack, rule)) in rules.into_iter().enumerate() {
            let name = format!("rules/{pack}/{}.yaml", order.file(at, 3));
            written
                .entry(name)
                .or_default()
                .push(format!("  - {}\n", self.turned(&rule).replace('\n', "\n    ")));
        }
        for (path, mut rules) in written {
            order.shuffle(&mut rules);
            files.insert(path, format!("rules:\n{}", rules.concat()));
        }
        for (path, text) in TEMPLATES {
            files.insert(format!("templates/{path}"), self.turned(text));
        }
        for (start, head) in &self.heads {
            for (_, text) in files.iter_mut().filter(|(path, _)| path.starts_with(start)) {
                text.insert_str(0, head);
            }
        }
        files
    }

    /// Returns `text` with the number of each knob in its place.
    fn turned(&self, text: &str) -> String {
        let mut parts = text.split('@');
        let mut turned = parts.next().unwrap_or_default().to_owned();
        while let (Some(knob), rest) = (parts.next(), parts.next().unwrap_or_default()) {
            turned.push_str(&self.knobs.get(knob).copied().unwrap_or(0).to_string());
            turned.push_str(rest);
        }
        turned
    }
}

/// The knobs that there are.
pub(crate) const KNOBS: [&str; 12] = [
    "reference",
    "room",
    "blower",
    "mark",
    "burden",
    "sheet",
    "lonely",
    "heavy",
    "line",
    "sheet_version",
    "served",
    "unused",
];
