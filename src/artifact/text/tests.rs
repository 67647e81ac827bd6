//! Tests of text templates: one for each refused construct, the states of branches, loops, heredocs and languages.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::kind::{Field, Record};
use crate::value::{Map, Segment, Text, Value};

mod hostile;
mod skeleton;

fn record(fields: &[(&str, Type)]) -> Type {
    let fields = fields.iter().map(|(name, ty)| {
        let mut field = Field::always(ty.clone(), "");
        if let Some(name) = name.strip_suffix('?') {
            field.required = false;
            return (Name::from(name), field);
        }
        (Name::from(*name), field)
    });
    Type::Record(Arc::new(Record {
        fields: fields.collect(),
        short: None,
    }))
}

fn params() -> BTreeMap<Name, Type> {
    let item = record(&[("key", Type::String), ("bore", Type::Int), ("note?", Type::String)]);
    let list = |ty: &Type| Type::List(Arc::new(ty.clone()));
    let entries = [
        ("name", Type::String),
        ("text", Type::Text),
        ("n", Type::Int),
        ("on", Type::Bool),
        ("wait", Type::Duration),
        ("tags", list(&Type::String)),
        ("ports", list(&Type::Int)),
        ("items", list(&item)),
        ("env", Type::Map(Arc::new(Type::String))),
        ("any", Type::Any),
        (
            "line",
            record(&[("name", Type::String), ("note?", Type::String), ("deep?", item.clone())]),
        ),
    ];
    entries.into_iter().map(|(name, ty)| (Name::from(name), ty)).collect()
}

fn map(entries: &[(&str, Value)]) -> Value {
    entries
        .iter()
        .map(|(name, value)| (Name::from(*name), value.clone()))
        .collect()
}

fn strings(items: &[&str]) -> Value {
    Value::list(items.iter().map(|it| Value::from(*it)))
}

fn context() -> Map {
    let item = |key: &str, bore: i64| map(&[("key", key.into()), ("bore", bore.into())]);
    let entries = [
        ("name", Value::from("orders")),
        ("text", Value::from("plain")),
        ("n", Value::Int(3)),
        ("on", Value::Bool(true)),
        ("wait", Value::Int(90_000)),
        ("tags", strings(&["a", "b\"x"])),
        ("ports", Value::list([Value::Int(1), Value::Int(2)])),
        ("items", Value::list([item("x", 80), item("y", 90)])),
        ("env", map(&[("A", "1".into()), ("B", "two words".into())])),
        ("any", map(&[("k", Value::list([Value::Int(1)]))])),
        ("line", map(&[("name", "l1".into()), ("note", "hi".into())])),
    ];
    entries
        .into_iter()
        .map(|(name, value)| (Name::from(name), value))
        .collect()
}

fn compile_with(
    source: &str,
    format: Format,
    partials: &BTreeMap<Name, PartialSource>,
) -> (Option<TextTemplate>, Vec<Problem>) {
    TextTemplate::compile(
        &Name::from("t.hbs"),
        source,
        format,
        &params(),
        &Schema::default(),
        partials,
    )
}

fn compile(source: &str, format: Format) -> (Option<TextTemplate>, Vec<Problem>) {
    compile_with(source, format, &BTreeMap::new())
}

#[track_caller]
fn template(source: &str, format: Format) -> TextTemplate {
    let (template, problems) = compile(source, format);
    let shown: Vec<String> = problems
        .iter()
        .map(|it| format!("{it} {:?} {:?}", it.labels, it.help))
        .collect();
    template.unwrap_or_else(|| panic!("{source}\n{}", shown.join("\n")))
}

#[track_caller]
fn rendered(source: &str, format: Format) -> String {
    template(source, format).render(&context()).unwrap()
}

/// Returns the first problem's code, and the part of the source that its first label marks.
#[track_caller]
fn refusal(source: &str, format: Format) -> (String, String) {
    let (template, problems) = compile(source, format);
    assert!(template.is_none(), "{source} was let through");
    let problem = &problems[0];
    let crate::problem::Place::Text(file, span) = &problem.labels[0].place else {
        panic!("no place")
    };
    assert_eq!(&**file, "t.hbs");
    assert!(problem.help.is_some(), "{source}: {problem} has no help");
    (problem.code.to_string(), span.of(source).to_owned())
}

#[test]
fn a_job_is_printed_with_all_its_constructs() {
    let source = r#"{{!-- A job.
--~}}

job "{{name}}" {
  count = {{n}}
  wait  = "{{wait}}"
  tags = [
    {{#each tags}}
    "t={{this}}-{{@index}}",
    {{/each}}
  ]
  ports = [{{#each ports}}{{this}}{{#unless @last}}, {{/unless}}{{/each}}]
  {{#if line.note}}
  note = "{{line.note}}"
  {{else if on}}
  note = "on"
  {{else}}
  note = "off"
  {{/if}}
  env {
    {{#each env}}
    {{@key}} = "{{this}} {{@root.name}} {{../name}}"
    {{/each}}
  }
  {{#each items as |item at|}}
  line "{{item.key}}" { bore = {{item.bore}} }
  at = {{at}}
  {{/each}}
  all = {{hcl any}}
  data = <<EOT
{{#lang "go-template"}}
x = \{{ env "X" }} {{name}}
{{{{raw}}}}{{ y }}{{{{/raw}}}}
{{/lang}}
EOT
}
"#;
    let expected = r#"job "orders" {
  count = 3
  wait  = "1m30s"
  tags = [
    "t=a-0",
    "t=b\"x-1",
  ]
  ports = [1, 2]
  note = "hi"
  env {
    A = "1 orders orders"
    B = "two words orders orders"
  }
  line "x" { bore = 80 }
  at = 0
  line "y" { bore = 90 }
  at = 1
  all = { "k" = [1] }
  data = <<EOT
x = {{ env "X" }} orders
{{ y }}
EOT
}
"#;
    assert_eq!(rendered(source, Format::Hcl), expected);
}

#[test]
fn each_construct_that_is_not_allowed_is_refused_where_it_stands() {
    let cases = [
        ("a {{{name}}}", "template::triple_braces", "{{{name}}}"),
        ("a {{&name}}", "template::triple_braces", "{{&name}}"),
        ("{{*deco name}}", "template::decorator", "{{*deco name}}"),
        (
            "{{#*inline \"x\"}}{{/inline}}",
            "template::decorator",
            "{{#*inline \"x\"}}",
        ),
        ("{{#> x}}{{/x}}", "template::decorator", "{{#> x}}"),
        ("{{lookup env name}}", "template::unknown_helper", "{{lookup env name}}"),
        ("{{upper name}}", "template::unknown_helper", "{{upper name}}"),
        ("{{#repeat n}}{{/repeat}}", "template::unknown_helper", "{{#repeat n}}"),
        (
            "{{#if (eq n 1)}}{{/if}}",
            "template::sub_expression",
            "{{#if (eq n 1)}}",
        ),
        ("{{json (x n)}}", "template::sub_expression", "{{json (x n)}}"),
        ("C:\\{{name}}", "template::escaped_value", "\\{{name}}"),
        ("x \\{{name}}", "template::escaped_value", "\\{{name}}"),
        ("{{^}}", "template::unknown_helper", "{{^}}"),
        ("{{#if on}}x", "template::syntax", ""),
        ("{{ name", "template::syntax", "{{"),
        ("{{#if on}}x{{/each}}", "template::syntax", "{"),
        (
            "{{{{other}}}}x{{{{/other}}}}",
            "template::unknown_helper",
            "{{{{other}}}}",
        ),
        ("{{> nope}}", "template::unknown_partial", "{{> nope}}"),
        ("{{nme}}", "template::unknown_variable", "nme"),
        ("{{#if typo}}x{{/if}}", "template::unknown_variable", "typo"),
        ("{{#each tags}}{{name}}{{/each}}", "template::unknown_variable", "name"),
        ("{{../name}}", "template::unknown_variable", "../name"),
        ("{{this}}", "template::unknown_variable", "this"),
        ("{{@index}}", "template::unknown_variable", "@index"),
        ("{{#each tags}}{{@key}}{{/each}}", "template::unknown_variable", "@key"),
        ("{{line.nam}}", "template::unknown_member", "line.nam"),
        ("{{name.x}}", "template::unknown_member", "name.x"),
        ("{{line.note}}", "template::may_be_absent", "{{line.note}}"),
        ("{{any.k}}", "template::may_be_absent", "{{any.k}}"),
        ("{{tags}}", "template::not_printable", "{{tags}}"),
        ("{{env}}", "template::not_printable", "{{env}}"),
        ("{{line}}", "template::not_printable", "{{line}}"),
        ("{{#if n}}x{{/if}}", "template::condition", "{{#if n}}"),
        ("{{#if line}}x{{/if}}", "template::condition", "{{#if line}}"),
        ("{{#each name}}x{{/each}}", "template::each", "{{#each name}}"),
        (
            "{{#lang \"perl\"}}x{{/lang}}",
            "template::language",
            "{{#lang \"perl\"}}",
        ),
        ("a\u{7}b", "template::control_character", "\u{7}"),
        (
            "{{!-- delimiters: < > --}}x",
            "template::delimiters",
            "{{!-- delimiters: < > --}}",
        ),
    ];
    for (source, code, marked) in cases {
        let (found, text) = refusal(source, Format::Plain);
        assert_eq!(found, code, "{source}");
        if !marked.is_empty() {
            assert_eq!(text, marked, "{source}");
        }
    }
}

#[test]
fn a_name_is_suggested() {
    let (_, problems) = compile("{{nmae}}", Format::Plain);
    assert_eq!(problems[0].help.as_deref(), Some("did you mean `name`?"));
}

#[test]
fn all_mistakes_of_a_template_are_found_at_once() {
    let (_, problems) = compile("{{a1}} {{b1}} {{tags}}", Format::Plain);
    assert_eq!(problems.len(), 3);
}

#[test]
fn a_place_where_nothing_is_safe_is_refused_at_load() {
    let hcl = [
        ("a = {{name}}\n", "{{name}}"),
        ("a = {{n}}x\n", "x"),
        ("a = [{{n}} {{n}}]\n", "{{n}}"),
        ("a = \"\\\\{{name}}\"\n", "{{name}}"),
        ("a = <<{{name}}\nEOT\n", "{{name}}"),
        ("a = {{sh name}}\n", "{{sh name}}"),
    ];
    for (source, marked) in hcl {
        assert_eq!(
            refusal(source, Format::Hcl),
            ("template::place".to_owned(), marked.to_owned()),
            "{source}"
        );
    }
    let others = [
        (Format::Shell, "echo ${x:-{{name}}}\n", "{{name}}"),
        (Format::Shell, "echo ${{name}}\n", "{{name}}"),
        (Format::Shell, "echo `{{name}}`\n", "{{name}}"),
        (Format::Shell, "echo {{n}}>out\n", ">"),
        (Format::Shell, "echo $'{{name}}'\n", "{{name}}"),
        (Format::Json, "{\"a\": {{name}}}", "{{name}}"),
        (Format::Json, "{\"a\": {{n}}5}", "5"),
        (Format::Yaml, "- {{name}}={{n}}\n", "="),
        (Format::Yaml, "a: x{{name}}\n", "{{name}}"),
        (Format::Yaml, "a: {{name}}x\n", "x"),
        (Format::Toml, "a = {{name}}\n", "{{name}}"),
        (Format::Env, "A=x{{name}}\n", "{{name}}"),
        (Format::Dockerfile, "{{name}} x\n", "{{name}}"),
    ];
    for (format, source, marked) in others {
        assert_eq!(
            refusal(source, format),
            ("template::place".to_owned(), marked.to_owned()),
            "{source}"
        );
    }
}

#[test]
fn branches_must_meet_in_one_place() {
    let sources = [
        "a = \"{{#if on}}x\"{{/if}}\n",
        "a = {{#if on}}[{{/if}}1]\n",
        "{{#each tags}}a = \"{{/each}}\n",
        "{{#if on}}a = <<EOT\n{{/if}}x\nEOT\n",
        "a = [{{#each tags}}{{#unless @last}}[{{/unless}}{{/each}}]\n",
    ];
    for source in sources {
        assert_eq!(refusal(source, Format::Hcl).0, "template::branches_differ", "{source}");
    }
    let fine = [
        "a = \"{{#if on}}x{{else}}y{{/if}}\"\n",
        "a = [{{#each tags}}\"{{this}}\", {{/each}}]\n",
        "a = [{{#each tags}}{{#if @first}}{{else}}, {{/if}}\"{{this}}\"{{/each}}]\n",
        "a = \"{{#each tags}}{{this}}{{#unless @last}},{{/unless}}{{/each}}\"\n",
    ];
    for source in fine {
        template(source, Format::Hcl);
    }
}

#[test]
fn a_file_that_ends_inside_of_something_is_refused() {
    assert_eq!(refusal("a = \"x", Format::Hcl).0, "template::place");
    assert_eq!(refusal("a = <<EOT\nx\n", Format::Hcl).0, "template::place");
    assert_eq!(refusal("echo 'x", Format::Shell).0, "template::place");
    assert_eq!(refusal("{\"a", Format::Json).0, "template::place");
}

fn only(name: &str, value: Value) -> Map {
    context().with(name, value)
}

#[track_caller]
fn refused(source: &str, format: Format, name: &str, value: Value) -> Refused {
    let refused = template(source, format).render(&only(name, value)).unwrap_err();
    assert_eq!(refused[0].problem.code, "template::refused");
    refused[0].clone()
}

#[test]
fn a_place_where_some_values_are_safe_refuses_the_others_at_rendering() {
    let key = refused(
        "{{#each env}}{{@key}} = \"x\"\n{{/each}}",
        Format::Hcl,
        "env",
        map(&[("a.b", "x".into())]),
    );
    assert_eq!(key.path.to_string(), "env.a.b");
    refused("x = <<EOT\n{{name}}\nEOT\n", Format::Hcl, "name", "a\nEOT\nb".into());
    refused("x = <<EOT\n{{name}}\nEOT\n", Format::Hcl, "name", "EOT".into());
    refused("x = <<EOT\nE{{name}}\nEOT\n", Format::Hcl, "name", "OT".into());
    refused("x = <<EOT\n{{name}}T\nEOT\n", Format::Hcl, "name", "EO".into());
    refused("x = <<-EOT\n  {{name}}\n  EOT\n", Format::Hcl, "name", "a\nb".into());
    refused("# {{name}}\n", Format::Hcl, "name", "a\nb".into());
    refused("/* {{name}} */", Format::Hcl, "name", "a*/b".into());
    refused("cat <<EOF\n{{name}}\nEOF\n", Format::Shell, "name", "EOF".into());
    refused("{{name}}=1\n", Format::Shell, "name", "a b".into());
    let tag = refused(
        "{{#each tags}}# {{this}}\n{{/each}}",
        Format::Shell,
        "tags",
        strings(&["a", "b\nc"]),
    );
    assert_eq!(tag.path.to_string(), "tags[1]");
    assert_eq!(
        tag.problem.labels[0].place,
        crate::problem::Place::Text("t.hbs".into(), Span::new(16, 24))
    );
    refused("FROM {{name}}\n", Format::Dockerfile, "name", "a b".into());
    refused("ENV A=\"{{name}}\"\n", Format::Dockerfile, "name", "a\nb".into());
    refused("{{name}} {\n}\n", Format::Caddyfile, "name", "a b".into());
    refused("x \"{{name}}\"\n", Format::Caddyfile, "name", "{env.X}".into());
    refused("a = {{name}}\n", Format::Ini, "name", "a ; b".into());
    refused("{{any}}", Format::Plain, "any", strings(&["a"]));
    refused("{{name}}", Format::Plain, "name", Value::Null);
}

#[test]
fn a_sign_before_a_brace_never_opens_an_interpolation() {
    let source = "a = \"${{name}}{b\"\n";
    let text = template(source, Format::Hcl)
        .render(&only("name", "{x}$".into()))
        .unwrap();
    assert_eq!(text, "a = \"$${x}$${b\"\n");
}

#[test]
fn shell_values_are_quoted_by_their_place() {
    let source = "A='{{name}}' B=\"{{name}}\" C={{name}}\n{{#each env}}export {{@key}}={{this}}\n{{/each}}cat <<EOF\n{{name}}\nEOF\ncat <<'EOF'\n{{name}}\nEOF\n";
    let text = template(source, Format::Shell)
        .render(&only("name", "a'$b".into()))
        .unwrap();
    let expected = "A='a'\\''$b' B=\"a'\\$b\" C='a'\\''$b'\nexport A=1\nexport B='two words'\ncat <<EOF\na'\\$b\nEOF\ncat <<'EOF'\na'$b\nEOF\n";
    assert_eq!(text, expected);
}

#[test]
fn yaml_scalars_are_quoted_where_they_stand_alone() {
    let source = "{{name}}:\n  image: {{name}}\n  n: {{n}}\n  list: [{{name}}, {{json tags}}]\n  q: \"{{name}}={{n}}\"\n  block: |\n    {{name}}\n";
    let text = template(source, Format::Yaml)
        .render(&only("name", "a: b\nc".into()))
        .unwrap();
    let expected = "\"a: b\\nc\":\n  image: \"a: b\\nc\"\n  n: 3\n  list: [\"a: b\\nc\", [\"a\", \"b\\\"x\"]]\n  q: \"a: b\\nc=3\"\n  block: |\n    a: b\n    c\n";
    assert_eq!(text, expected);
}

#[test]
fn other_delimiters_leave_braces_alone() {
    let source = "{{!-- delimiters: << >> --}}\nx {<<name>>} \\{{ y }} {{{z}}}\n";
    let text = rendered(source, Format::Plain);
    assert_eq!(text, "x {orders} \\{{ y }} {{{z}}}\n");
    let (_, problems) = compile("{{!-- delimiters: [[ ]] --}}\nä {{ [[nme]]\n", Format::Plain);
    let crate::problem::Place::Text(_, span) = &problems[0].labels[0].place else {
        panic!()
    };
    assert_eq!(span.of("{{!-- delimiters: [[ ]] --}}\nä {{ [[nme]]\n"), "nme");
}

#[test]
fn languages_inside_are_escaped_from_the_inside_out() {
    let source = "a = <<EOT\n{{#lang \"go-template\" \"yaml\"}}\nx: {{name}}\ny: \"{{name}} \\{{ env \"{{name}}\" }}\"\n{{/lang}}\nEOT\n";
    let text = template(source, Format::Hcl)
        .render(&only("name", "{{ \"${x}".into()))
        .unwrap();
    let expected =
        "a = <<EOT\nx: \"{{\"{{\"}} \\\"$${x}\"\ny: \"{{\"{{\"}} \\\"$${x} {{ env \"{{ \\\"$${x}\" }}\"\nEOT\n";
    assert_eq!(text, expected);
    let outside = "{{#lang \"go-template\"}}a = \"x\"{{/lang}}\n";
    assert_eq!(refusal(outside, Format::Hcl).0, "template::place");
    let open = "a = \"{{#lang \"go-template\"}}\\{{ x {{/lang}}\"\n";
    assert_eq!(refusal(open, Format::Hcl).0, "template::place");
    let action = "a = \"{{#lang \"go-template\"}}\\{{ {{name}} }}{{/lang}}\"\n";
    assert_eq!(refusal(action, Format::Hcl).0, "template::place");
}

fn code(language: &str, source: &str) -> Value {
    Value::text(Text::new([
        Segment::Literal("a{{\"b ".into()),
        Segment::Code {
            language: language.into(),
            source: source.into(),
        },
    ]))
}

#[test]
fn code_is_printed_as_it_stands_where_its_language_runs() {
    let source = "a = \"{{#lang \"go-template\"}}{{text}}{{/lang}}\"\n";
    let go = template(source, Format::Hcl);
    let text = go
        .render(&only("text", code("go-template", "{{ env \"X\" }}")))
        .unwrap();
    assert_eq!(text, "a = \"a{{\\\"{{\\\"}}\\\"b {{ env \\\"X\\\" }}\"\n");
    let wrong = go.render(&only("text", code("shell", "$X"))).unwrap_err();
    assert!(wrong[0].problem.message.contains("`shell`"));
    refused("a = \"{{text}}\"\n", Format::Hcl, "text", code("go-template", "x"));
    refused("echo '{{text}}'\n", Format::Shell, "text", code("shell", "$X"));
    let shell = template("echo \"{{text}}\"\n", Format::Shell);
    let text = shell.render(&only("text", code("shell", "$X"))).unwrap();
    assert_eq!(text, "echo \"a{{\\\"b $X\"\n");
    let dollar = "a = \"{{#lang \"dollar-variable\"}}{{text}}{{/lang}}\"\n";
    let text = template(dollar, Format::Hcl)
        .render(&only("text", code("dollar-variable", "${X}")))
        .unwrap();
    assert_eq!(text, "a = \"a{{\\\"b $${X}\"\n");
    refused(dollar, Format::Hcl, "text", Value::from("${X}"));
}

#[test]
fn partials_take_what_they_declare() {
    let source = "{{!--\nparams:\n  key: string\n  bore: int\n--}}\n{{key}} {\n  bore = {{bore}}\n}\n";
    let (declared, problems) = partial_params(&"p.hbs".into(), source, &Schema::default());
    assert!(problems.is_empty());
    let partial = PartialSource {
        file: "p.hbs".into(),
        source: source.into(),
        params: declared,
    };
    let partials: BTreeMap<Name, PartialSource> = [(Name::from("line"), partial)].into();
    let call =
        "a {\n  {{#each items}}\n  {{> line key=key bore=bore}}\n  {{/each}}\n  {{> line key=\"z\" bore=1}}\n}\n";
    let (compiled, problems) = compile_with(call, Format::Hcl, &partials);
    assert_eq!(problems, []);
    let text = compiled.unwrap().render(&context()).unwrap();
    assert_eq!(
        text,
        "a {\n  x {\n    bore = 80\n  }\n  y {\n    bore = 90\n  }\n  z {\n    bore = 1\n  }\n}\n"
    );
    for wrong in [
        "{{> line key=name}}",
        "{{> line key=name bore=name}}",
        "{{> line key=name bore=n x=n}}",
        "{{> line items}}",
    ] {
        let (_, problems) = compile_with(wrong, Format::Hcl, &partials);
        assert_eq!(problems[0].code, "template::params", "{wrong}");
    }
    let itself = PartialSource {
        file: "q.hbs".into(),
        source: "{{> q}}".into(),
        params: BTreeMap::new(),
    };
    let (_, problems) = compile_with("{{> q}}", Format::Plain, &[(Name::from("q"), itself)].into());
    assert_eq!(problems[0].code, "template::too_deep");
}

#[test]
fn what_is_read_is_known() {
    let source =
        "{{name}}{{#if line.note}}{{line.note}}{{/if}}{{#each items}}{{bore}}{{/each}}{{#each tags}}x{{/each}}";
    let template = template(source, Format::Plain);
    let reads = template.reads();
    assert!(reads["name"].whole);
    assert_eq!(
        reads["line"].members.keys().map(|it| &**it).collect::<Vec<_>>(),
        ["note"]
    );
    let item = reads["items"].each.as_ref().unwrap();
    assert!(item.members["bore"].whole && !item.members.contains_key("key"));
    assert!(!reads["tags"].each.as_ref().unwrap().whole);
    assert!(!reads.contains_key("n"));
}

#[test]
fn each_byte_has_an_origin() {
    let source = "a = \"{{name}}\"\n{{#each items}}\nb = {{bore}}\n{{/each}}\n";
    let (text, origins) = template(source, Format::Hcl).render_with_origins(&context()).unwrap();
    let mut at = 0;
    for origin in &origins {
        assert_eq!(origin.range.start, at);
        at = origin.range.end;
    }
    assert_eq!(at as usize, text.len());
    let bore = origins.iter().rev().find(|it| it.path.is_some()).unwrap();
    assert_eq!(bore.range.of(&text), "90");
    assert_eq!(bore.span.of(source), "{{bore}}");
    assert_eq!(bore.path.as_ref().unwrap().to_string(), "items[1].bore");
    let raw = origins.iter().find(|it| it.range.of(&text) == "b = ").unwrap();
    assert_eq!(raw.span.of(source), "b = ");
}

#[test]
fn deep_nesting_is_refused_before_it_is_parsed() {
    let deep = format!("{}x{}", "{{#if on}}".repeat(5_000), "{{/if}}".repeat(5_000));
    assert_eq!(refusal(&deep, Format::Plain).0, "template::too_deep");
    let brackets = format!("{{{{#lang {}}}}}x{{{{/lang}}}}", "[".repeat(5_000));
    assert!(compile(&brackets, Format::Plain).0.is_none());
}

#[test]
fn documents_of_a_stream_begin_anew() {
    let text = template("---\na: {{name}}\n---\n- {{name}}\n  \n", Format::Yaml);
    assert_eq!(text.render(&context()).unwrap(), "---\na: orders\n---\n- orders\n  \n");
}

#[test]
fn a_mistake_behind_blanks_stands_where_it_is() {
    for (source, at) in [
        ("a = {{n}} \"x\ny\"\n", "\n"),
        ("a = {{n}}\n  \n  b = \"x\ny\"\n", "\n"),
        ("a = {{#if on}} \"x\ny\"{{/if}}\n", "\n"),
        ("a = {{n}} \u{85}b\n", "\u{85}"),
    ] {
        let (_, problems) = compile(source, Format::Hcl);
        let crate::problem::Place::Text(_, span) = &problems[0].labels[0].place else {
            panic!("a place in the template");
        };
        let wanted = source.rfind(&format!("{at}y")).or(source.find(at)).unwrap();
        assert_eq!((span.start as usize, span.of(source)), (wanted, at), "{source:?}");
    }
}

#[test]
fn a_mistake_at_a_long_character_stands_under_all_of_it() {
    assert_eq!(refusal("{{\u{61e}}}", Format::Plain).1, "\u{61e}");
    assert_eq!(refusal("a = \"é", Format::Hcl).1, "é");
}
