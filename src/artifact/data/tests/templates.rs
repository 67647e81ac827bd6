//! Templates filled, and mistakes in them.

use std::collections::BTreeMap;

use crate::artifact::data::{DataFormat, DataTemplate, Document};
use crate::problem::{Place, Problem, Span};
use crate::rule::expression::testing::{bound, map, reference, schema, types};
use crate::rule::expression::{Projection, Scope};
use crate::value::{Map, Name, Segment, Text, Value};

fn compile(source: &str, format: DataFormat) -> (Option<DataTemplate>, Vec<Problem>) {
    let schema = schema();
    let mut types = types();
    types.retain(|name, _| name.len() > 1 || **name == *"s");
    let scope = Scope::new(&schema, types);
    DataTemplate::compile(source, &Name::from("templates/tubes/t"), format, &scope)
}

fn render(source: &str, format: DataFormat) -> Result<Document, Vec<Problem>> {
    let (template, problems) = compile(source, format);
    let template = template.unwrap_or_else(|| panic!("{source}\n{problems:#?}"));
    bound(|it| template.render(it))
}

#[track_caller]
fn prints(source: &str, expected: &str) {
    let document = render(source, DataFormat::Yaml).unwrap_or_else(|it| panic!("{source}\n{it:#?}"));
    assert_eq!(document.print(&[]), expected, "{source}");
}

#[test]
fn values_keep_their_types() {
    prints(
        "name: ${s.name}\nbore: ${s.bore}\nlabel: bore ${s.bore}\n\"${s.name}-x\": \"1\"\nlist: [1, '${s.bore}', 'no']\nliteral: $${x}\ndouble: 1.50\n",
        "name: a\nbore: 80\nlabel: bore 80\na-x: \"1\"\nlist:\n  - 1\n  - 80\n  - \"no\"\nliteral: ${x}\ndouble: 1.5\n",
    );
    prints(
        "tags: ${s.tags}\nports: ${s.ports}\n",
        "tags:\n  - fast\n  - dry\nports:\n  http:\n    port: 80\n    static: true\n  raw:\n    port: 81\n",
    );
    prints("[]", "[]\n");
    prints("a: {}\nb: []\n", "a: {}\nb: []\n");
    prints("a: |\n  x ${s.name}\n  y\n", "a: |\n  x a\n  y\n");
}

#[test]
fn nulls_are_left_out_unless_they_are_asked_for() {
    prints(
        "a: \"${has(s.scaling) ? s.bore : null}\"\nb: null\nc: $null\nd: [null, 1]\ne: $$null\n",
        "c: null\nd:\n  - 1\ne: $null\n",
    );
    prints("\"${has(s.label) ? 'x' : null}\": 1\nb: 2\n", "b: 2\n");
}

#[test]
fn items_are_repeated() {
    prints(
        "ports:\n  - {$each: {p: s.ports}, name: '${p.key}', port: '${p.value.port}'}\n  - name: last\n",
        "ports:\n  - name: http\n    port: 80\n  - name: raw\n    port: 81\n  - name: last\n",
    );
    prints(
        "- {$each: {t: s.tags, n: names}, $if: \"t != n\", $value: '${t}/${n}'}\n",
        "- fast/b\n- fast/a\n- dry/b\n- dry/a\n",
    );
    prints(
        "- {$each: {p: s.ports, t: s.tags}, $if: has(p.value.static) && p.value.static, x: '${t}'}\n",
        "- x: fast\n- x: dry\n",
    );
    prints(
        "ports: {first: 1, $each: {p: s.ports}, $key: '${p.key}', $value: '${p.value.port}'}\n",
        "ports:\n  first: 1\n  http: 80\n  raw: 81\n",
    );
    prints(
        "x:\n  $each: {p: s.ports}\n  $if: p.key == 'raw'\n  $key: ${p.key}\n  $value: {m: '${p.value.port}'}\n",
        "x:\n  raw:\n    m: 81\n",
    );
    prints(
        "$each: {w: s.waits_for}\nname: ${w.node.name}\n---\nlast: 1\n",
        "name: b\n---\nlast: 1\n",
    );
}

#[test]
fn parts_are_kept_or_dropped() {
    prints(
        "a: {$if: has(s.label), x: '${s.label}'}\nb: {$if: s.bore > 1, x: 1}\nc: [{$if: false, $value: 1}, 2]\n",
        "b:\n  x: 1\nc:\n  - 2\n",
    );
    prints(
        "a: {$merge: s.ports, raw: 1}\nb: {x: 1, $merge: [\"{'y': 2}\", \"{'x': 3}\"]}\n",
        "a:\n  http:\n    port: 80\n    static: true\n  raw: 1\nb:\n  x: 3\n  \"y\": 2\n",
    );
}

#[test]
fn comments_are_printed_where_they_belong() {
    prints(
        "$comment: of ${s.name}\na: {$comment: \"two\\nlines\", x: 1}\nb:\n  - {$comment: item, y: {$comment: deep, z: 1}}\n  - [{$comment: first, v: 1}]\n",
        "# of a\n# two\n# lines\na:\n  x: 1\nb:\n  # item\n  - # deep\n    \"y\":\n      z: 1\n  - # first\n    - v: 1\n",
    );
}

#[test]
fn a_dollar_key_can_be_written() {
    prints("$$ref: x\n$$${s.name}: y\n", "$ref: x\n${s.name}: \"y\"\n");
}

#[test]
fn other_formats_are_printed_too() {
    let json = render(
        r#"{"name": "${s.name}", "list": [{"$each": {"p": "s.ports"}, "n": "${p.value.port}"}], "e": {}}"#,
        DataFormat::Json,
    );
    assert_eq!(
        json.unwrap().print(&["no head"]),
        "{\n  \"name\": \"a\",\n  \"list\": [\n    {\n      \"n\": 80\n    },\n    {\n      \"n\": 81\n    }\n  ],\n  \"e\": {}\n}\n"
    );
    let toml = render(
        "title = \"${s.name}\"\nlist = [1, 2]\n[a.b]\nx = \"${s.bore}\"\n\"$comment\" = \"about b\"\n[[items]]\n\"$each\" = {p = \"s.ports\"}\nname = \"${p.key}\"\n",
        DataFormat::Toml,
    );
    assert_eq!(
        toml.unwrap().print(&["head"]),
        "# head\ntitle = \"a\"\nlist = [1, 2]\n\n[a]\n\n# about b\n[a.b]\nx = 80\n\n[[items]]\nname = \"http\"\n\n[[items]]\nname = \"raw\"\n"
    );
}

#[test]
fn code_stands_only_where_its_language_runs() {
    let code = Value::text(Text::new([
        Segment::Literal("{{ a".into()),
        Segment::Code {
            language: "go-template".into(),
            source: "{{ .X }}".into(),
        },
    ]));
    let context: Map = [(Name::from("text"), code)].into_iter().collect();
    let fill = |source: &str| {
        let (template, problems) = compile(source, DataFormat::Yaml);
        template
            .unwrap_or_else(|| panic!("{problems:#?}"))
            .render_context(&context)
    };
    let filled = fill("x: {$lang: go-template, y: 'written {{ .Y }} ${text}'}\n")
        .unwrap()
        .print(&[]);
    assert!(
        filled.contains("written {{ .Y }} ") && filled.ends_with("{{ .X }}\n") && filled.contains("{{\"{{\"}} a"),
        "{filled}"
    );
    assert_eq!(fill("x: ${text}\n").unwrap_err()[0].code, "data::code_without_language");
    let reference: Map = [(Name::from("text"), reference())].into_iter().collect();
    let (template, _) = compile("x: ${text}\n", DataFormat::Yaml);
    let problems = template.unwrap().render_context(&reference).unwrap_err();
    assert_eq!(problems[0].code, "data::unresolved_reference");
}

#[test]
fn a_context_of_what_is_read_is_enough() {
    let source = "name: ${s.name}\nwaits: [{$each: {w: s.waits_for}, name: '${w.node.name}', bore: '${w.node.bore}'}]\nports: {$each: {p: s.ports}, $key: '${p.key}', $value: '${p.value.port}'}\nhome: '${has(s.home) ? s.home.value : null}'\n";
    let (template, problems) = compile(source, DataFormat::Yaml);
    let template = template.unwrap_or_else(|| panic!("{problems:#?}"));
    let schema = schema();
    let reads = &template.reads()["s"];
    assert!(!reads.whole && !reads.members["waits_for"].whole && !reads.members["ports"].whole);
    let scope = Scope::new(&schema, types());
    let (expression, _) = crate::rule::expression::Expression::compile("s", &"x".into(), &|it| it, &scope);
    let expression = expression.unwrap();
    let projection = Projection::new(expression.ty(), reads, &schema);
    let context = bound(|it| expression.evaluate_for(it, &projection)).unwrap();
    assert_eq!(
        context.get("waits_for").unwrap(),
        &Value::list([map([(
            "node",
            map([("name", Value::from("b")), ("bore", Value::Int(40))])
        )])])
    );
    let context: Map = [(Name::from("s"), context)].into_iter().collect();
    let direct = bound(|it| template.render(it)).unwrap().print(&[]);
    assert_eq!(template.render_context(&context).unwrap().print(&[]), direct);
    assert!(template.uses().relations.contains("tubes/waits_for") && template.uses().relations.contains("tubes/home"));
}

#[test]
fn each_line_knows_where_it_comes_from() {
    let source = "a: 1\nb:\n  - {$each: {t: s.tags}, x: '${t}'}\nc: |\n  one ${s.name}\n  two\n";
    let document = render(source, DataFormat::Yaml).unwrap();
    let line_of = |span: Option<Span>| span.map(|it| source[..it.start as usize].matches('\n').count() + 1);
    let lines: Vec<(String, Option<usize>)> = document
        .lines(&["head"])
        .into_iter()
        .map(|it| (it.text, line_of(it.origin)))
        .collect();
    let expected = [
        ("# head", None),
        ("a: 1", Some(1)),
        ("b:", Some(3)),
        ("  - x: fast", Some(3)),
        ("  - x: dry", Some(3)),
        ("c: |", Some(4)),
        ("  one a", Some(4)),
        ("  two", Some(4)),
    ];
    assert_eq!(lines, expected.map(|(text, line)| (text.to_owned(), line)));
}

#[track_caller]
fn wrong(source: &str, format: DataFormat, code: &str, at: &str) {
    let (template, mut problems) = compile(source, format);
    if let Some(template) = template {
        problems = bound(|it| template.render(it)).expect_err(source);
    }
    let Place::Text(_, span) = &problems[0].labels[0].place else {
        panic!("{source}")
    };
    assert_eq!(
        (&*problems[0].code, span.of(source)),
        (code, at),
        "{source}\n{problems:#?}"
    );
}

#[test]
fn mistakes_are_shown_where_they_stand() {
    let yaml = DataFormat::Yaml;
    wrong("a: \"${s.nope}\"", yaml, "expression::unknown_member", "nope");
    wrong(
        "a:\n  - b: 'it''s ${s.label}'",
        yaml,
        "expression::may_be_absent",
        "label",
    );
    wrong("\"x${s.nope}\": 1", yaml, "expression::unknown_member", "nope");
    wrong("${s.nope}: 1", yaml, "expression::unknown_member", "nope");
    wrong("a: {$if: s.bore, x: 1}", yaml, "data::wrong_directive", "s.bore");
    wrong("a: {$if: s.nope, x: 1}", yaml, "expression::unknown_member", "nope");
    wrong("a: {$eahc: 1}", yaml, "data::unknown_directive", "$eahc");
    wrong("- {$each: {t: s.bore}, x: 1}", yaml, "data::wrong_directive", "s.bore");
    wrong("- {$each: s.tags, x: 1}", yaml, "data::wrong_directive", "s.tags");
    wrong("- {$each: {s: s.tags}, x: 1}", yaml, "data::wrong_directive", "s");
    wrong(
        "- {$each: {'a b': s.tags}, x: 1}",
        yaml,
        "data::wrong_directive",
        "'a b'",
    );
    wrong(
        "a: {$each: {t: s.tags}, x: 1}",
        yaml,
        "data::wrong_directive",
        "{$each: {t: s.tags}, x: 1}",
    );
    wrong(
        "a: {$key: x, $value: 1}",
        yaml,
        "data::wrong_directive",
        "{$key: x, $value: 1}",
    );
    wrong(
        "- {$each: {t: s.tags}, $key: '${t}', $value: 1}",
        yaml,
        "data::wrong_directive",
        "{$each: {t: s.tags}, $key: '${t}', $value: 1}",
    );
    wrong(
        "a: {$value: 1, b: 2}",
        yaml,
        "data::wrong_directive",
        "{$value: 1, b: 2}",
    );
    wrong("a: {$merge: s.tags}", yaml, "data::wrong_directive", "s.tags");
    wrong("a: ${s}", yaml, "data::node_value", "${s}");
    wrong("a: ${s.waits_for}", yaml, "data::node_value", "${s.waits_for}");
    wrong("a: {$lang: perl}", yaml, "data::unknown_language", "perl");
    wrong("${s.tags}: 1", yaml, "data::wrong_key", "${s.tags}");
    wrong("a: {\"${s.name}\": 1, \"a\": 2}", yaml, "data::duplicate_key", "\"a\"");
    wrong("a: ${many[5000]}", yaml, "expression::failed", "[");
    wrong(
        "x: ${s.bore} ${text}",
        yaml,
        "data::unresolved_reference",
        "${s.bore} ${text}",
    );
    wrong(
        "- {$each: {a: many, b: many, c: many}, x: 1}",
        yaml,
        "data::too_large",
        "1",
    );
    wrong("a: [1", yaml, "yaml::syntax", "[");
    wrong("{a: 1}", DataFormat::Json, "data::syntax", "a");
    wrong(
        "{\"$comment\": \"x\"}",
        DataFormat::Json,
        "data::wrong_directive",
        "\"x\"",
    );
    wrong(
        "{\"$if\": false}",
        DataFormat::Json,
        "data::wrong_documents",
        "{\"$if\": false}",
    );
    wrong("a = ", DataFormat::Toml, "data::syntax", "");
    wrong("a = \"$null\"", DataFormat::Toml, "data::wrong_value", "\"$null\"");
    wrong(
        "a = \"x ${s.nope}\"",
        DataFormat::Toml,
        "expression::unknown_member",
        "nope",
    );
    wrong("a = nan", DataFormat::Toml, "data::wrong_value", "nan");
    wrong("a: 1\n---\nb: ${s.nope}", yaml, "expression::unknown_member", "nope");
}

#[test]
fn what_is_not_there_costs_nothing() {
    let (template, _) = compile("a: 1\n", DataFormat::Yaml);
    assert_eq!(template.unwrap().reads(), &BTreeMap::new());
    let (template, problems) = compile("", DataFormat::Yaml);
    assert!(problems.is_empty());
    assert_eq!(
        template.unwrap().render_context(&Map::default()).unwrap().print(&[]),
        ""
    );
}
