//! Tests of patterns: parsing and checking by example, matching by example and against a naive matcher.

mod naive;

use super::*;
use crate::graph::{Edge, EndsByKind, Snapshot};
use crate::kind::{EdgeKind, Field, Kind, Record, Relation, Shape};
use crate::value::{Address, Map};

const LIMIT: u64 = 1_000_000;

fn record(fields: &[(&str, Type)]) -> Arc<Record> {
    let fields = fields
        .iter()
        .map(|(name, ty)| (Name::from(*name), Field::always(ty.clone(), "")));
    Arc::new(Record {
        fields: fields.collect(),
        short: None,
    })
}

fn choice(of: &[&str]) -> Type {
    Type::Choice(of.iter().map(|it| Name::from(*it)).collect())
}

fn names(of: &[&str]) -> Arc<[Name]> {
    of.iter().map(|it| Name::from(*it)).collect()
}

/// Made-up tubes: stations joined by pipes, carriers that run between stations, and clerks at stations.
fn schema() -> Schema {
    let mut schema = Schema::default();
    let press = Type::Record(record(&[("bar", Type::Int), ("on", Type::Bool)]));
    let kinds = [
        (
            "station",
            record(&[
                ("type", choice(&["hub", "end"])),
                ("press", press),
                ("wait", Type::Duration),
            ]),
        ),
        ("carrier", record(&[("label", Type::String), ("load", Type::Double)])),
        ("clerk", record(&[("label", Type::String)])),
    ];
    for (name, fields) in kinds {
        let kind = Kind {
            name: name.into(),
            pack: "tubes".into(),
            doc: "".into(),
            collection: None,
            fields,
            attributes: BTreeMap::new(),
            attributes_from: None,
            inherits: Vec::new(),
            platforms: None,
            core_mhz: None,
            usual: false,
        };
        schema.kinds.insert(name.into(), kind);
    }
    let mut pipe_fields = Record::clone(&record(&[("bore", Type::Int)]));
    let required = Field {
        default: Some(Value::Bool(true)),
        ..Field::always(Type::Bool, "")
    };
    pipe_fields.fields.insert("required".into(), required);
    let edges = [
        ("pipe", names(&["station"]), names(&["station"]), Arc::new(pipe_fields)),
        ("runs_to", names(&["carrier"]), names(&["station"]), record(&[])),
        ("knows", names(&[]), names(&["clerk"]), record(&[])),
    ];
    for (name, from, to, fields) in edges {
        let kind = EdgeKind {
            name: name.into(),
            pack: "tubes".into(),
            doc: "".into(),
            from,
            to,
            fields,
        };
        schema.edges.insert(name.into(), kind);
    }
    let line = Relation {
        name: "line".into(),
        pack: "tubes".into(),
        doc: "".into(),
        of: names(&["station"]),
        fields: record(&[]),
        shape: Shape::Set,
    };
    schema.relations.insert(line.id(), line);
    schema
}

fn place(span: Span) -> Place {
    Place::Text("rules/tubes/x.yaml".into(), span)
}

fn pattern(text: &str) -> Arc<Pattern> {
    let (pattern, problems) = Pattern::read(text, &schema(), &place);
    assert_eq!(problems, []);
    Arc::new(pattern.expect("no problem, so a pattern"))
}

/// The problems of `text`: code, message, the text under the first label, help.
fn mistakes(text: &str) -> Vec<String> {
    let (_, problems) = Pattern::read(text, &schema(), &place);
    problems.iter().map(|it| shown(it, text)).collect()
}

fn shown(problem: &Problem, text: &str) -> String {
    let Place::Text(_, span) = problem.labels[0].place else {
        panic!("a place in the pattern");
    };
    // What every mistake of syntax says besides is left out.
    let own = problem
        .help
        .as_deref()
        .filter(|it| !it.starts_with("a pattern is written"));
    let help = own.map_or(String::new(), |it| format!(" ({it})"));
    format!("{}: {} @ {}{help}", problem.code, problem.message, span.of(text))
}

#[test]
fn one_way_to_write() {
    let cases = [
        ("( s : station )", "(s:station)"),
        ("(s:station|:clerk)", "(s:station|clerk)"),
        ("()-->()", "()-[]->()"),
        ("(a)<--(b)", "(a)<-[]-(b)"),
        (
            "(a) - [ p : pipe { bore : 80 } ] -> (b)",
            "(a)-[p:pipe {bore: 80}]->(b)",
        ),
        ("(a)-[:pipe*]->(b),(c)", "(a)-[:pipe*]->(b), (c)"),
        (r#"(a {label: "it's \"x\"\n"})"#, r#"(a {label: 'it\'s "x"\n'})"#),
        ("(`a b`:station {})", "(`a b`:station)"),
        ("(a {load: -1.50, press.on: true})", "(a {load: -1.5, press.on: true})"),
        (
            "(a {load: 100000000000000000000000.0})",
            "(a {load: 100000000000000000000000.0})",
        ),
    ];
    for (text, written) in cases {
        let (syntax, problems) = Syntax::parse(text, &place);
        assert_eq!(problems, [], "{text}");
        let syntax = syntax.expect("a pattern");
        assert_eq!(syntax.to_string(), written);
        let again = Syntax::parse(written, &place).0.expect("a pattern");
        assert_eq!(again.to_string(), written);
    }
}

#[test]
fn what_is_no_pattern_says_why_and_where() {
    let cases = [
        ("", "expected a node like `(s:service)`, found the end @ "),
        ("s:station", "expected a node like `(s:service)`, found `s` @ s"),
        (
            "MATCH (s)",
            "expected a node like `(s:service)`, found `MATCH` @ MATCH (write the pattern alone, such as `(s:service)`)",
        ),
        ("(s", "expected `:`, `{` or `)`, found the end @ "),
        ("(s:)", "expected the kind of the node, found `)` @ )"),
        ("(s:station clerk)", "expected `|`, `{` or `)`, found `clerk` @ clerk"),
        (
            "(a)-[:pipe]-(b)",
            "an edge needs a direction @ -[:pipe]- (write `-[…]->`, or `<-[…]-`)",
        ),
        (
            "(a)<-[:pipe]->(b)",
            "an edge leads one way @ <-[:pipe]-> (write `-[…]->`, or `<-[…]-`)",
        ),
        (
            "(a)-[:pipe*1..3]->(b)",
            "`*` takes no bounds @ 1 (`*` alone means one step or more; write shorter paths out)",
        ),
        ("(a)-[:pipe]->", "expected a node like `(s:service)`, found the end @ "),
        (
            "(a {type = 'x'})",
            "expected `:`, found `=` @ = (a field and its value are joined by `:`; compare in other ways under `when:`)",
        ),
        (
            "(a {type: hub})",
            "expected a string, a number, `true` or `false`, found `hub` @ hub (a string stands in quotes: `'hub'`)",
        ),
        (
            "(a {type: null})",
            "expected a value, found `null` @ null (ask whether a field is absent under `when:`, with `!has(…)`)",
        ),
        ("(a {type: 'x})", "this string has no end @ 'x}) (close it with `'`)"),
        (
            "(a) WHERE a.x",
            "expected an edge, `,` or the end, found `WHERE` @ WHERE (a pattern has no `WHERE`: write the condition under `when:`)",
        ),
        (
            "(a {b: 99999999999999999999})",
            "`99999999999999999999` is too large a number @ 99999999999999999999",
        ),
        ("(ä)-[:pipe]->(ö) §", "`§` means nothing in a pattern @ §"),
    ];
    for (text, expected) in cases {
        assert_eq!(mistakes(text), [format!("pattern::syntax: {expected}")], "{text}");
    }
}

#[test]
fn unknown_names_come_with_suggestions() {
    assert_eq!(
        mistakes("(s:statoin {tpye: 'hub'})-[:pip]->(t:pipe), (u)-[:clerk]->()"),
        [
            "pattern::unknown_kind: `statoin` is no kind of node @ statoin (did you mean `station`?)",
            "pattern::unknown_kind: `pipe` is no kind of node @ pipe (`pipe` is a kind of edge, as in `(a)-[:pipe]->(b)`)",
            "pattern::unknown_edge: `pip` is no kind of edge @ pip (did you mean `pipe`?)",
            "pattern::unknown_edge: `clerk` is no kind of edge @ clerk (`clerk` is a kind of node, as in `(a:clerk)`)",
            "pattern::unknown_field: a node of any kind has no field `tpye` @ tpye (did you mean `type`?)",
        ]
    );
}

#[test]
fn fields_and_values_are_checked() {
    let cases = [
        (
            "(s:station {tpye: 'hub'})",
            "pattern::unknown_field: `station` has no field `tpye` @ tpye (did you mean `type`?)",
        ),
        (
            "(s:station {type: 'hubb'})",
            "pattern::wrong_type: `type` is never `hubb` @ 'hubb' (did you mean `hub`?)",
        ),
        (
            "(s:station {press.bar: 'x'})",
            "pattern::wrong_type: `press.bar` holds a whole number, and can't be a string @ 'x' (write it without quotes: `{replicas: 2}`)",
        ),
        (
            "(s:station {press.bra: 1})",
            "pattern::unknown_field: a record has no field `bra` @ press.bra (did you mean `bar`?)",
        ),
        (
            "(s:station {wait: 3})",
            "pattern::wrong_type: `wait` holds a duration, and can't be a whole number @ 3 \
             (a pattern filters by strings, numbers and truths; ask for this under `when:`)",
        ),
        (
            "(s:carrier|station {label: 'x'})",
            "pattern::unknown_field: `carrier` or `station` has `label` not in all its kinds @ label \
             (`station` lacks it: name kinds that have it)",
        ),
        (
            "(s:station {line: 'x'})",
            "pattern::unknown_field: `line` is a relation, and a pattern filters by fields alone @ line \
             (ask for it under `when:`, as in `has(s.line)`)",
        ),
        (
            "(a)-[:pipe {bore: 'x'}]->(b)",
            "pattern::wrong_type: `bore` holds a whole number, and can't be a string @ 'x' (write it without quotes: `{replicas: 2}`)",
        ),
        (
            "(s:station {type: 'hub'})-[:pipe]->(s {type: 'end'})",
            "pattern::repeated_field: `type` is asked to hold two values at once @ type \
             (keep one of them; alternatives are asked under `when:`, with `in`)",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(mistakes(text), [expected], "{text}");
    }
    pattern("(s:carrier|clerk {label: 'x', name: 'y'})");
    pattern("(s:carrier {load: 3})");
}

#[test]
fn an_edge_must_be_able_to_join_its_ends() {
    assert_eq!(
        mistakes("(c:clerk)-[:pipe]->(s)"),
        [
            "pattern::no_fit: no `pipe` leads from `clerk` to `carrier`, `clerk` or `station` @ -[:pipe]-> \
          (`pipe` leads from `station` to `station`)"
        ]
    );
    assert_eq!(
        mistakes("(a)-[:pipe]->(b)<-[:knows]-(c)"),
        [
            "pattern::no_fit: no `knows` leads from `carrier`, `clerk` or `station` to `station` @ <-[:knows]- \
          (`knows` leads from any node to `clerk`)"
        ]
    );
    assert_eq!(
        mistakes("(a:clerk), (a:station)"),
        [
            "pattern::conflicting_kinds: `a` can't be `station` and `clerk` at once @ (a:station) \
          (use another variable, or one kind in both places)"
        ]
    );
}

#[test]
fn variables_have_one_role() {
    assert_eq!(
        mistakes("(a)-[a:pipe]->(b)"),
        ["pattern::two_roles: `a` is a node, and can't be an edge too @ a (use another variable)"]
    );
    assert_eq!(
        mistakes("(x)-[p:pipe]->(p)"),
        ["pattern::two_roles: `p` is an edge, and can't be a node too @ p (use another variable)"]
    );
    assert_eq!(
        mistakes("(x)-[p:pipe]->()-[p:pipe]->()"),
        ["pattern::repeated_edge: the edge `p` stands twice @ p \
          (an edge is bound once; nodes may be named again to join paths)"]
    );
    assert_eq!(
        mistakes("(x)-[p:pipe*]->()"),
        ["pattern::reach_variable: `p` can't stand for the many edges of `*` @ * (leave the variable out, or the `*`)"]
    );
    assert_eq!(
        mistakes("(x), ()"),
        ["pattern::pointless: a nameless node alone asks for nothing @ () \
          (name it, give it a kind, or leave it out)"]
    );
}

#[test]
fn a_pattern_has_a_bounded_length() {
    let text = vec!["(a)"; MOST_ELEMENTS + 1].join(",");
    let (_, problems) = Pattern::read(&text, &schema(), &place);
    assert_eq!(problems[0].code, "pattern::too_long");
}

#[test]
fn kinds_are_narrowed_by_what_edges_declare() {
    let types = |text: &str| -> Vec<String> {
        let pattern = pattern(text);
        pattern
            .variables()
            .iter()
            .map(|it| format!("{}: {}", it.name, it.ty))
            .collect()
    };
    assert_eq!(types("(a)-[:runs_to]->(b)"), ["a: carrier", "b: station"]);
    assert_eq!(types("(a)-[e]->(b:clerk)"), ["a: node", "e: knows", "b: clerk"]);
    assert_eq!(
        types("(a:carrier)-[e]->(b)"),
        ["a: carrier", "e: knows|runs_to", "b: clerk|station"]
    );
    assert_eq!(types("(a)-[:runs_to|pipe*]->(b)"), ["a: carrier|station", "b: station"]);
    // From the end of the chain to its start.
    assert_eq!(
        types("(a)-[]->(b)-[]->(c)-[:pipe]->()"),
        ["a: carrier|station", "b: station", "c: station"]
    );
    assert_eq!(types("(x)"), ["x: node"]);
}

#[test]
fn a_pattern_within_another_knows_its_variables() {
    let outer = BTreeMap::from([
        (Name::from("s"), Type::Node(names(&["station"]))),
        (Name::from("p"), Type::Edge(names(&["pipe"]))),
        (Name::from("n"), Type::Int),
    ]);
    let read = |text: &str| {
        let (pattern, problems) = Pattern::read_within(text, &schema(), &outer, &place);
        (
            pattern,
            problems.iter().map(|it| it.code.to_string()).collect::<Vec<_>>(),
        )
    };
    let (inner, _) = read("(s)<-[]-(c)");
    let inner = inner.expect("a pattern");
    assert_eq!(inner.variable("s").expect("s").ty, Type::Node(names(&["station"])));
    assert_eq!(
        inner.variable("c").expect("c").ty,
        Type::Node(names(&["carrier", "station"]))
    );
    assert_eq!(read("(s:clerk)").1, ["pattern::conflicting_kinds"]);
    assert_eq!(read("(s)-[p:pipe]->()").1, ["pattern::repeated_edge"]);
    assert_eq!(read("(n)").1, ["pattern::two_roles"]);
}

#[test]
fn parts_hang_together_by_edges_and_names() {
    let pattern = pattern("(a)-[:pipe]->(b), (c:clerk), (b)-[p:pipe]->(), (:carrier)");
    let parts: Vec<String> = pattern.parts().iter().map(|it| it.join(" ")).collect();
    assert_eq!(parts, ["a b p", "c", ""]);
    assert_eq!(pattern.first().expect("named").name, Name::from("a"));
}

fn at(text: &str) -> Address {
    let (kind, name) = text.split_once('.').expect("kind.name");
    Address::new(kind, name)
}

/// `station.a -pipe-> station.b` and so on, with a `bore` of 80 on pipes that end with `!`.
fn tubes(edges: &[(&str, &str, &str)]) -> Snapshot {
    let nodes = edges.iter().flat_map(|it| [at(it.0), at(it.2)]).collect();
    let made = edges.iter().map(|(from, kind, to)| {
        let wide = kind.ends_with('!');
        let fields: Map = wide.then(|| (Name::from("bore"), Value::Int(80))).into_iter().collect();
        Edge::new(at(from), kind.trim_end_matches('!'), at(to), fields)
    });
    Snapshot::new(nodes, made.collect())
}

fn matched(snapshot: &Snapshot, text: &str, anchor: &str, node: &str) -> Vec<String> {
    let pattern = pattern(text);
    let walk = Walk::new(pattern, &[anchor], &[]).expect("the anchor is a node");
    let field = |node: &Address, field: &str| match field {
        "type" => Some(Value::string(if &*node.name == "a" { "hub" } else { "end" })),
        _ => None,
    };
    let world = Still {
        snapshot,
        field: &field,
    };
    let bindings = walk.matches(&world, &[at(node)], LIMIT).expect("few steps");
    bindings.iter().map(written).collect()
}

fn written(binding: &Binding) -> String {
    let values = binding.0.iter().map(|it| match it {
        Bound::Node(node) => node.name.to_string(),
        Bound::Edge(edge) => format!("{}>{}", edge.from.name, edge.to.name),
    });
    values.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_pattern_is_walked_from_any_anchor() {
    let snapshot = tubes(&[
        ("station.a", "pipe", "station.b"),
        ("station.b", "pipe!", "station.c"),
        ("carrier.x", "runs_to", "station.b"),
        ("carrier.y", "runs_to", "station.c"),
    ]);
    let text = "(c:carrier)-[:runs_to]->(s)-[p:pipe]->(t)";
    assert_eq!(matched(&snapshot, text, "c", "carrier.x"), ["x b b>c c"]);
    assert_eq!(matched(&snapshot, text, "t", "station.c"), ["x b b>c c"]);
    assert_eq!(matched(&snapshot, text, "c", "carrier.y"), Vec::<String>::new());
    assert_eq!(
        matched(&snapshot, "(s)-[:pipe {bore: 80}]->(t)", "t", "station.c"),
        ["b c"]
    );
    assert_eq!(
        matched(&snapshot, "(s)-[:pipe {required: true}]->(t)", "t", "station.b"),
        ["a b"]
    );
    assert_eq!(
        matched(&snapshot, "(s)-[:pipe {required: false}]->(t)", "t", "station.b"),
        Vec::<String>::new()
    );
    assert_eq!(
        matched(&snapshot, "(s {type: 'hub'})-[:pipe]->(t)", "t", "station.b"),
        ["a b"]
    );
    assert_eq!(
        matched(&snapshot, "(s {type: 'hub'})-[:pipe]->(t)", "t", "station.c"),
        Vec::<String>::new()
    );
    assert_eq!(
        matched(&snapshot, "(s {name: 'b', kind: 'station'})", "s", "station.b"),
        ["b"]
    );
    assert_eq!(matched(&snapshot, "(s), (c:carrier)", "s", "station.a"), ["a x", "a y"]);
}

#[test]
fn reach_takes_a_step_and_gives_each_target_once() {
    let snapshot = tubes(&[
        ("station.a", "pipe", "station.b"),
        ("station.a", "pipe", "station.c"),
        ("station.b", "pipe", "station.d"),
        ("station.c", "pipe", "station.d"),
        ("station.d", "pipe", "station.d"),
    ]);
    assert_eq!(
        matched(&snapshot, "(s)-[:pipe*]->(t)", "s", "station.a"),
        ["a b", "a c", "a d"]
    );
    assert_eq!(
        matched(&snapshot, "(s)-[:pipe*]->(t)", "t", "station.d"),
        ["a d", "b d", "c d", "d d"]
    );
    assert_eq!(
        matched(&snapshot, "(s)-[:pipe*]->(s)", "s", "station.a"),
        Vec::<String>::new()
    );
    assert_eq!(matched(&snapshot, "(s)-[:pipe*]->(s)", "s", "station.d"), ["d"]);
}

#[test]
fn a_join_is_a_look_up() {
    struct Joined<'a>(Still<'a>);
    impl World for Joined<'_> {
        fn outgoing(&self, node: &Address, kind: &Name, each: &mut dyn FnMut(&Address, &Map)) {
            self.0.outgoing(node, kind, each);
        }
        fn incoming(&self, node: &Address, kind: &Name, each: &mut dyn FnMut(&Address, &Map)) {
            self.0.incoming(node, kind, each);
        }
        fn of_kind(&self, _: &Name, _: &mut dyn FnMut(&Address)) {
            panic!("nothing is scanned");
        }
        fn field(&self, _: &Address, _: &Name) -> Option<Value> {
            None
        }
        fn exists(&self, node: &Address) -> bool {
            self.0.exists(node)
        }
        fn joined(&self, from: &Name, node: &Address, to: &Name, each: &mut dyn FnMut(&Address)) {
            let kind = if &**to == "k" { "clerk" } else { "station" };
            assert_ne!(from, to);
            each(&Address::new(kind, node.name.clone()));
        }
    }
    let snapshot = tubes(&[
        ("station.a", "pipe", "station.b"),
        ("station.b", "knows", "clerk.b"),
        ("station.b", "knows", "clerk.a"),
    ]);
    let world = Joined(Still {
        snapshot: &snapshot,
        field: &|_, _| None,
    });
    let pattern = pattern("(s)-[:pipe]->(t:station), (k:clerk)<-[:knows]-(u)");
    let joins = [(Name::from("k"), Name::from("t"))];
    let walk = Walk::new(pattern.clone(), &["s"], &joins).expect("names are known");
    assert_eq!(walk.scans(), Vec::<Name>::new());
    let bindings = walk.matches(&world, &[at("station.a")], LIMIT).expect("few steps");
    assert_eq!(bindings.iter().map(written).collect::<Vec<_>>(), ["a b b b"]);
    let changed = at("clerk.b");
    let touched = pattern
        .touched(&world, "s", Change::Nodes(&[changed].into()), &joins, LIMIT)
        .expect("known")
        .expect("few steps");
    assert_eq!(touched.into_iter().collect::<Vec<_>>(), [at("station.a")]);
    assert!(Walk::new(pattern, &["p"], &[]).is_err());
}

#[test]
fn the_furthest_element_that_failed_is_named() {
    let snapshot = tubes(&[("station.a", "pipe", "station.b"), ("station.b", "knows", "clerk.k")]);
    let world = Still {
        snapshot: &snapshot,
        field: &|_, _| None,
    };
    let stuck = |text: &str, node: &str| {
        let walk = Walk::new(pattern(text), &["s"], &[]).expect("names are known");
        let stuck = walk.stuck(&world, &[at(node)], LIMIT).expect("few steps");
        stuck.map(|it| format!("{} @ {}", it.element, it.span.of(text)))
    };
    let text = "(s:station)-[:pipe]->(t)-[:knows]->(k {label: 'x'})";
    assert_eq!(
        stuck(text, "station.b").as_deref(),
        Some("-[:pipe]->(t) @ -[:pipe]->(t)")
    );
    assert_eq!(
        stuck(text, "station.a").as_deref(),
        Some("-[:knows]->(k {label: 'x'}) @ -[:knows]->(k {label: 'x'})")
    );
    assert_eq!(stuck(text, "clerk.k").as_deref(), Some("(s:station) @ (s:station)"));
    assert_eq!(stuck("(s)-[:pipe]->(t)-[:knows]->(k)", "station.a"), None);
    assert_eq!(
        stuck("(k)<-[:knows]-(s)", "station.a").as_deref(),
        Some("<-[:knows]- @ <-[:knows]-")
    );
}

#[test]
fn too_much_work_is_an_error_and_no_hang() {
    let pipes: Vec<(String, String)> = (0..300)
        .map(|it| (format!("station.{it}"), format!("station.{}", it + 1)))
        .collect();
    let edges: Vec<(&str, &str, &str)> = pipes.iter().map(|(a, b)| (a.as_str(), "pipe", b.as_str())).collect();
    let snapshot = tubes(&edges);
    let world = Still {
        snapshot: &snapshot,
        field: &|_, _| None,
    };
    let pattern = pattern("(a:station), (b:station), (c:station), (d:station)");
    let walk = Walk::new(pattern, &["a"], &[]).expect("names are known");
    let overrun = walk
        .matches(&world, &[at("station.0")], 10_000)
        .expect_err("27 million bindings");
    assert_eq!(overrun.limit, 10_000);
    assert_eq!(overrun.problem(place(Span::default())).code, "pattern::too_many_steps");
}

#[test]
fn nameless_nodes_cost_no_product() {
    // A ladder: two ways at each rung, so 2^20 ways in all, and one binding.
    let mut edges = Vec::new();
    for rung in 0..20 {
        for (from, to) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let name =
                |rung: usize, side: usize| format!("station.{}{side}", char::from(b'a' + u8::try_from(rung).unwrap()));
            edges.push((name(rung, from), name(rung + 1, to)));
        }
    }
    let edges: Vec<(&str, &str, &str)> = edges.iter().map(|(a, b)| (a.as_str(), "pipe", b.as_str())).collect();
    let snapshot = tubes(&edges);
    let world = Still {
        snapshot: &snapshot,
        field: &|_, _| None,
    };
    let text = format!("(s){}-[:pipe]->(t)", "-[:pipe]->()".repeat(19));
    let walk = Walk::new(pattern(&text), &["s"], &[]).expect("names are known");
    assert_eq!(
        walk.matches(&world, &[at("station.a0")], 1_000)
            .expect("few steps")
            .len(),
        2
    );
    assert_eq!(walk.exists(&world, &[at("station.a0")], 1_000), Ok(true));
    assert_eq!(walk.exists(&world, &[at("station.b0")], 1_000), Ok(false));
}

#[test]
fn a_chain_and_a_hub_are_walked_on_a_small_stack() {
    let chain: Vec<(String, String)> = (0..100_000)
        .map(|it| (format!("station.{it}"), format!("station.{}", it + 1)))
        .collect();
    let hub: Vec<String> = (0..10_000).map(|it| format!("carrier.{it}")).collect();
    let work = move || {
        let pipes = chain.iter().map(|(a, b)| (a.as_str(), "pipe", b.as_str()));
        let runs = hub.iter().map(|it| (it.as_str(), "runs_to", "station.100000"));
        let edges: Vec<(&str, &str, &str)> = pipes.chain(runs).collect();
        let snapshot = tubes(&edges);
        let world = Still {
            snapshot: &snapshot,
            field: &|_, _| None,
        };
        let pattern = pattern("(a)-[:pipe*]->(b)<-[:runs_to]-(c)");
        let walk = Walk::new(pattern.clone(), &["a"], &[]).expect("names are known");
        let found = walk.matches(&world, &[at("station.0")], LIMIT).expect("linear");
        assert_eq!(found.len(), 10_000);
        let changed = at("carrier.7");
        let touched = pattern.touched(&world, "a", Change::Nodes(&[changed].into()), &[], LIMIT);
        assert_eq!(touched.expect("known").expect("linear").len(), 100_000);
    };
    let thread = std::thread::Builder::new().stack_size(512 << 10).spawn(work);
    thread.expect("a thread starts").join().expect("the work ends well");
}
