//! What expressions are worth.

use super::world::{bound, compile, compile_in, evaluate, map, reference};
use crate::kind::{Reads, Type};
use crate::rule::expression::function::TABLE;
use crate::rule::expression::{ProjectScope, Projection};
use crate::value::{Double, Name, Segment, Value};

#[track_caller]
fn gives(source: &str, value: impl Into<Value>) {
    assert_eq!(evaluate(source), Ok(value.into()), "{source}");
}

#[track_caller]
fn fails(source: &str, message: &str) {
    let failure = evaluate(source).expect_err(source);
    assert!(failure.message.contains(message), "{source}: {}", failure.message);
}

#[test]
fn each_example_of_the_table_is_true() {
    for row in TABLE.iter().filter(|it| !it.example.is_empty()) {
        gives(row.example, true);
    }
}

#[test]
fn fields_facts_and_edges_are_read() {
    gives("s.name + '/' + s.kind + '/' + s.address", "a/station/station.a");
    gives("s.bore + 1", 81);
    gives("s.tag.map(t, t.value).join(',')", "a-x,a-y");
    gives("s['tubes/tag'][0].value", "a-x");
    gives("has(s.home) ? s.home.value : 'none'", "none");
    gives("has(b.home.value) && b.home.value == 'north'", true);
    gives("s.waits_for.map(w, w.node.bore)", Value::list([Value::Int(40)]));
    gives("e.to.bore", 40);
    gives("e.kind", "sends_to");
    gives("e.bar * 2", 4);
    gives("any.bore", 200);
    gives("reach(s, 'sends_to').map(n, n.name)", Value::list([Value::from("b")]));
    gives("same_cycle(s, b, ['sends_to', 'blown_by'])", false);
    gives("longest(s, 'sends_to', 'bar') > 6", true);
    gives("s == e.from", true);
    gives("has(s.ports.http) ? s.ports.http.port : 0", 80);
}

#[test]
fn what_is_absent_is_asked_for() {
    gives("s.?label.orValue('x')", "x");
    gives("b.?raw.?deep.?x.orValue(0)", 1);
    gives("s.?raw.deep.x.orValue(0)", 0);
    gives("has(s.scaling)", false);
    gives("has(b.scaling)", true);
    gives("has(b.scaling.max) ? b.scaling.max : 0", 3);
    gives("has(s.scaling.max) ? s.scaling.max : 0", 0);
    gives("s.ports[?'nope'].hasValue()", false);
    gives("'http' in s.ports ? s.ports['http'].port : 0", 80);
    gives("s.ports.all(p, s.ports[p].port > 1)", true);
    gives("s.ports.exists(k, v, k == 'raw' && v.?static.orValue(false))", false);
    gives("{'a': 1, ?'b': s.?label}", map([("a", Value::Int(1))]));
    gives("[1, ?s.?bore]", Value::list([1, 80].map(Value::Int)));
    gives("b.?interval.optMap(i, seconds(i)).orValue(0)", 90);
}

#[test]
fn numbers_of_both_kinds_mix() {
    gives("1 + 1.5", Value::Double(Double(2.5)));
    gives("7 / 2", 3);
    gives("7 / 2.0", Value::Double(Double(3.5)));
    gives("1 == 1.0 && [1] == [1.0] && 2 > 1.5", true);
    gives("-7 % 3", -1);
    gives("9007199254740993 == 9007199254740992.0", false);
    gives("[3, 1.5, 2].sort() == [1.5, 2, 3]", true);
    gives("[1, 2.5].sum()", Value::Double(Double(3.5)));
}

#[test]
fn one_side_that_decides_wins_over_a_failure() {
    gives("1 / 0 > 1 || true", true);
    gives("true || 1 / 0 > 1", true);
    gives("1 / 0 > 1 && false", false);
    gives("[0, 1].exists(x, 1 / x == 1)", true);
    fails("1 / 0 > 1 || false", "division by zero");
    fails("[0, 1].all(x, 1 / x == 1)", "division by zero");
}

#[test]
fn failures_say_what_and_where() {
    fails("1 % 0", "division by zero");
    fails("9223372036854775807 + 1", "too large");
    fails("1.0 / 0.0", "division by zero");
    fails("many[5000]", "position 5000 lies outside of a list of 2000");
    fails("dyn(1) + dyn('x')", "can't stand between");
    fails("int('x')", "`x` is no whole number");
    fails("text.contains('x')", "no characters yet");
    fails("'x'.matches(s.name + '(')", "matches");
    fails("nodes('tank').size()", "the graph is closed today");
    fails("[1].slice(0, 2)", "2 lies outside");
    let (expression, _) = compile("1 + s.bore / (s.bore - 80)");
    let failure = bound(|it| expression.unwrap().evaluate(it)).unwrap_err();
    assert_eq!(failure.problem().labels[0].place, {
        use crate::problem::{Place, Span};
        Place::Text("rules/tubes.yaml".into(), Span { start: 111, end: 112 })
    });
}

#[test]
fn texts_keep_their_pieces() {
    gives("text == s.env['PEER']".replace("s.env['PEER']", "text").as_str(), true);
    let value = evaluate("'<' + text + '>'").unwrap();
    let text = value.as_text().unwrap();
    assert_eq!(text.segments().len(), 3);
    assert_eq!(text.segments()[0], Segment::Literal("<tcp://".into()));
    assert_eq!(
        evaluate("[text, 'x'].join()")
            .unwrap()
            .as_text()
            .unwrap()
            .segments()
            .len(),
        3
    );
    gives("'LOG' in s.env && s.env.LOG.startsWith('inf')", true);
    gives("string(text)", reference());
    gives("is_plain(text)", false);
    let code = evaluate("code('go-template', '{{ x }}') + '!'").unwrap();
    assert!(matches!(code.as_text().unwrap().segments()[0], Segment::Code { .. }));
}

#[test]
fn names_are_made_to_fit() {
    gives("dns_label('Web_1', 63) == dns_label('web-1', 63)", false);
    for source in [
        "dns_label('Web_1', 63)",
        "dns_label('x'.replace('x', 'abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0123456789'), 20)",
        "dns_label('___', 63)",
    ] {
        let Value::String(label) = evaluate(source).unwrap() else {
            panic!("{source}")
        };
        assert!(
            label.len() <= 63 && label.chars().all(|it| it.is_ascii_alphanumeric() || it == '-'),
            "{label}"
        );
        assert!(
            label.starts_with(|it: char| it.is_ascii_alphanumeric()) && !label.ends_with('-'),
            "{label}"
        );
    }
    gives("env_name('1-a')", "_1_A");
    gives("duration_text(250)", "250ms");
    gives("cores(2000)", "2");
    gives("quantity(1000)", "1000");
    gives("path_prefixes('a//b/')", Value::list(["a", "a//b"].map(Value::from)));
}

#[test]
fn a_reader_gets_just_what_it_names() {
    let reads = |members: &[&str]| Reads {
        members: members
            .iter()
            .map(|it| {
                let whole = Reads {
                    whole: true,
                    ..Reads::default()
                };
                (Name::from(*it), whole)
            })
            .collect(),
        ..Reads::default()
    };
    let (expression, _) = compile("{'all': s.waits_for.map(w, w.node), 'one': s}");
    let expression = expression.unwrap();
    let schema = super::world::schema();
    let wanted = Reads {
        members: [
            (
                Name::from("all"),
                Reads {
                    each: Some(Box::new(reads(&["name", "bore"]))),
                    ..Reads::default()
                },
            ),
            (Name::from("one"), reads(&["tag", "label", "address"])),
        ]
        .into(),
        ..Reads::default()
    };
    let projection = Projection::new(expression.ty(), &wanted, &schema);
    let value = bound(|it| expression.evaluate_for(it, &projection)).unwrap();
    let tags = Value::list(["a-x", "a-y"].map(|it| map([("value", Value::from(it))])));
    assert_eq!(
        value,
        map([
            (
                "all",
                Value::list([map([("name", Value::from("b")), ("bore", Value::Int(40))])])
            ),
            ("one", map([("tag", tags), ("address", Value::from("station.a"))])),
        ])
    );
    let uses = expression.uses_for(&wanted, &schema);
    assert!(uses.relations.contains("tubes/tag") && uses.relations.contains("tubes/waits_for"));
    assert!(uses.variables["s"].members.contains_key("label"));
    assert_eq!(uses.reached[0].reads.members.len(), 2);
}

#[test]
fn evaluation_always_ends() {
    for source in [
        "many.all(a, many.all(b, many.all(c, a + b + c >= 0)))",
        "many.map(a, many.map(b, b)).size()",
        "cel.bind(a, 'aaaaaaaaaaaaaaaa', cel.bind(b, a+a+a+a+a+a+a+a, cel.bind(c, b+b+b+b+b+b+b+b, cel.bind(d, c+c+c+c+c+c+c+c, cel.bind(f, d+d+d+d+d+d+d+d, cel.bind(g, f+f+f+f+f+f+f+f, g+g+g+g+g+g+g+g)))))).size()",
        "cel.bind(a, many + many, cel.bind(b, a + a + a + a + a + a, cel.bind(c, b + b + b + b + b + b + b, (c + c + c + c + c + c).size())))",
        "many.map(a, string(a).split('').join('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa').replace('', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')).join().split('').map(x, x + x).size()",
    ] {
        let (expression, problems) = compile_in(source, ProjectScope::Elsewhere);
        let expression = expression.unwrap_or_else(|| panic!("{source}: {problems:#?}"));
        let failure = bound(|it| expression.evaluate(it)).expect_err(source);
        assert!(failure.message.contains("steps"), "{source}: {}", failure.message);
    }
    let doubled = (0..24).fold("dyn([1])".to_owned(), |inner, _| {
        format!("cel.bind(x, {inner}, dyn([x, x]))")
    });
    // What the checker can follow it refuses; what it can't is weighed when it runs.
    let (expression, problems) = compile(&doubled);
    match expression {
        Some(expression) => assert!(bound(|it| expression.evaluate(it)).is_err()),
        None => assert_eq!(problems[0].code, "expression::too_deep"),
    }
    gives("many.map(a, a * 2).filter(a, a > 10).size()", 1994);
}

#[test]
fn types_are_exact() {
    for (source, ty) in [
        ("1 + 1", "int"),
        ("1 + 1.0", "double"),
        ("s.cpu * 2", "cpu"),
        ("s.memory / 2", "memory"),
        ("s.name", "string"),
        ("s.env", "map(text)"),
        ("s.tags.map(t, t.size())", "list(int)"),
        ("'x' + text", "text"),
        ("s.waits_for.map(w, w.node)", "list(station)"),
        ("reach(s, 'blown_by')", "list(tank)"),
        ("dependents(t, 'blown_by')", "list(station)"),
        ("reach(s, ['blown_by', 'sends_to'])[0]", "station|tank"),
        ("nodes('tank')", "list(tank)"),
        ("layers('sends_to')", "list(list(station))"),
        ("has(s.home) ? [] : s.tags", "list(string)"),
        ("s.?mode.orValue('push')", "string"),
        ("s.ports.values()", "list(record)"),
        ("entries(s.ports)[0].value.port", "int"),
        ("{'a': 1}.transformMap(k, v, string(v))", "map(string)"),
        ("[1, 'a']", "list(any)"),
        ("e.from", "station"),
        ("s.bore > 1 && true", "bool"),
        ("[s, t]", "list(station|tank)"),
    ] {
        let (expression, problems) = compile_in(source, ProjectScope::Anchored);
        let expression = expression.unwrap_or_else(|| panic!("{source}: {problems:#?}"));
        assert_eq!(expression.ty().to_string(), ty, "{source}");
    }
    let (expression, _) = compile("has(s.home) ? null : s.bore");
    let expression = expression.unwrap();
    assert_eq!((expression.ty(), expression.is_nullable()), (&Type::Int, true));
}
