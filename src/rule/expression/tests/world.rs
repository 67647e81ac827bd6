//! A schema and a world of made-up things.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::db::{Database, Db, View};
use crate::kind::{Bare, EdgeKind, Field, Kind, Record, Relation, Schema, Shape, Type};
use crate::problem::{Place, Problem};
use crate::rule::expression::{
    Bindings, Bound, BoundEdge, Expression, Failure, GraphFunction, ProjectScope, Scope, Variables, World,
};
use crate::value::{Address, Map, Name, Reference, Segment, Text, Value};

/// Returns a field of type `ty` that may be absent.
pub(crate) fn optional(ty: Type) -> Field {
    Field {
        required: false,
        ..Field::always(ty, "")
    }
}

/// Returns a record of `fields`.
pub(crate) fn record<const N: usize>(fields: [(&str, Field); N]) -> Arc<Record> {
    Arc::new(Record {
        fields: fields.into_iter().map(|(name, it)| (Name::from(name), it)).collect(),
        short: None,
    })
}

fn always(ty: Type) -> Field {
    Field::always(ty, "")
}

fn list(ty: Type) -> Type {
    Type::List(Arc::new(ty))
}

/// Returns the type of nodes of one kind.
pub(crate) fn node(kind: &str) -> Type {
    Type::Node([Name::from(kind)].into())
}

fn choice(of: &[&str]) -> Type {
    Type::Choice(of.iter().map(|it| Name::from(*it)).collect())
}

/// Returns what the pack of tubes declares.
pub(crate) fn schema() -> Schema {
    let port = Type::Record(record([("port", always(Type::Int)), ("static", optional(Type::Bool))]));
    let station = record([
        ("bore", always(Type::Int)),
        ("weight", optional(Type::Double)),
        ("cpu", always(Type::Cpu { bare: Bare::Cores })),
        ("memory", always(Type::Memory { bare: Bare::Refused })),
        ("interval", optional(Type::Duration)),
        ("mode", optional(choice(&["push", "pull"]))),
        ("label", optional(Type::String)),
        ("tags", always(list(Type::String))),
        ("platforms", always(list(choice(&["tubes", "pipes"])))),
        ("env", always(Type::Map(Arc::new(Type::Text)))),
        ("ports", always(Type::Map(Arc::new(port)))),
        ("raw", optional(Type::Any)),
        (
            "scaling",
            Field {
                required: false,
                ..always(Type::Record(record([
                    ("min", optional(Type::Int)),
                    ("max", optional(Type::Int)),
                ])))
            },
        ),
    ]);
    let kind = |name: &str, fields: Arc<Record>| Kind {
        name: name.into(),
        pack: "core".into(),
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
    let relation = |pack: &str, name: &str, of: &[&str], fields: Arc<Record>, shape: Shape| Relation {
        name: name.into(),
        pack: pack.into(),
        doc: "".into(),
        of: of.iter().map(|it| Name::from(*it)).collect(),
        fields,
        shape,
    };
    let value = || record([("value", always(Type::String))]);
    let mut schema = Schema::default();
    let tank = record([("bore", always(Type::Int)), ("litres", always(Type::Int))]);
    for it in [
        kind("station", station),
        kind("tank", tank),
        kind("project", record([])),
    ] {
        schema.kinds.insert(it.name.clone(), it);
    }
    for (name, from, to) in [("blown_by", "station", "tank"), ("sends_to", "station", "station")] {
        schema.edges.insert(
            name.into(),
            EdgeKind {
                name: name.into(),
                pack: "tubes".into(),
                doc: "".into(),
                from: [Name::from(from)].into(),
                to: [Name::from(to)].into(),
                fields: record([("bar", always(Type::Double)), ("required", optional(Type::Bool))]),
            },
        );
    }
    for it in [
        relation("tubes", "tag", &["station"], value(), Shape::Set),
        relation("tubes", "home", &["station"], value(), Shape::One),
        relation("a", "both", &[], value(), Shape::Set),
        relation("b", "both", &[], value(), Shape::Set),
        relation(
            "tubes",
            "waits_for",
            &["station"],
            record([("node", always(node("station"))), ("why", optional(Type::Text))]),
            Shape::Set,
        ),
    ] {
        schema.relations.insert(it.id(), it);
    }
    schema
}

/// Answers from constants: `station.a` sends to `station.b`, both are blown by `tank.t`.
#[derive(Debug)]
pub(crate) struct Tubes;

/// Returns the map of `entries`.
pub(crate) fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    entries.into_iter().map(|(name, it)| (Name::from(name), it)).collect()
}

/// Returns the address of a station.
pub(crate) fn station(name: &str) -> Address {
    Address::new("station", name)
}

/// Returns a text with a reference in it.
pub(crate) fn reference() -> Value {
    Value::text(Text::new([
        Segment::Literal("tcp://".into()),
        Segment::Reference(Arc::new(Reference {
            node: station("b"),
            attribute: "address".into(),
            required: true,
            manner: None,
        })),
    ]))
}

impl World for Tubes {
    fn field<'d>(&self, _: &'d dyn Db, view: View, node: &Address, name: &str) -> Option<Cow<'d, Value>> {
        field(view, node, name).map(Cow::Owned)
    }

    fn facts<'d>(&self, _: &'d dyn Db, _: View, node: &Address, relation: &str) -> Option<Cow<'d, Value>> {
        facts(node, relation).map(Cow::Owned)
    }

    fn call(&self, _: &dyn Db, _: View, function: GraphFunction, args: &[Value]) -> Result<Value, String> {
        match function {
            GraphFunction::Reach => {
                assert_eq!(args[1], Value::list([Value::from("sends_to")]));
                Ok(Value::list([Value::Node(station("b"))]))
            }
            GraphFunction::SameCycle => Ok(Value::Bool(args[0] == args[1])),
            GraphFunction::Longest => Ok(Value::Int(7)),
            _ => Err("the graph is closed today".to_owned()),
        }
    }
}

fn field(view: View, node: &Address, name: &str) -> Option<Value> {
    if &*node.kind == "tank" {
        return (name == "bore").then_some(Value::Int(200));
    }
    let second = &*node.name == "b";
    Some(match name {
        "bore" => Value::Int(if second { 40 } else { 80 } + i64::from(view.environment)),
        "cpu" => Value::Int(250),
        "memory" => Value::Int(256 << 20),
        "interval" if second => Value::Int(90_000),
        "mode" if second => Value::from("pull"),
        "tags" => Value::list(["fast", "dry"].map(Value::from)),
        "platforms" => Value::list([Value::from("tubes")]),
        "env" => map([("LOG", Value::from("info")), ("PEER", reference())]),
        "ports" => map([
            ("http", map([("port", Value::Int(80)), ("static", Value::Bool(true))])),
            ("raw", map([("port", Value::Int(81))])),
        ]),
        "raw" if second => map([("deep", map([("x", Value::Int(1))]))]),
        "scaling" if second => map([("max", Value::Int(3))]),
        _ => return None,
    })
}

fn facts(node: &Address, relation: &str) -> Option<Value> {
    match (relation, &*node.name) {
        ("tubes/tag" | "a/both", _) => {
            Some(Value::list(["x", "y"].map(|it| {
                map([("value", Value::from(&*format!("{}-{it}", node.name)))])
            })))
        }
        ("tubes/home", "b") => Some(map([("value", Value::from("north"))])),
        ("tubes/waits_for", "a") => Some(Value::list([map([("node", Value::Node(station("b")))])])),
        ("tubes/home", _) => None,
        _ => Some(Value::list([])),
    }
}

/// Returns the variables of the tests and their types.
pub(crate) fn types() -> BTreeMap<Name, Type> {
    [
        ("s", node("station")),
        ("b", node("station")),
        ("t", node("tank")),
        ("any", Type::Node(["station", "tank"].map(Name::from).into())),
        ("p", node("project")),
        ("e", Type::Edge([Name::from("sends_to")].into())),
        ("text", Type::Text),
        ("names", list(Type::String)),
        ("many", list(Type::Int)),
    ]
    .map(|(name, ty)| (Name::from(name), ty))
    .into()
}

/// Returns what the variables of the tests are.
pub(crate) fn variables() -> Variables {
    let edge = BoundEdge {
        kind: "sends_to".into(),
        from: station("a"),
        to: station("b"),
        fields: Map::from_iter([(Name::from("bar"), Value::Int(2))]),
    };
    [
        ("s", Bound::Node(station("a"))),
        ("b", Bound::Node(station("b"))),
        ("t", Bound::Node(Address::new("tank", "t"))),
        ("any", Bound::Node(Address::new("tank", "t"))),
        ("p", Bound::Node(Address::new("project", "p"))),
        ("e", Bound::Edge(Arc::new(edge))),
        ("text", Bound::Value(reference())),
        ("names", Bound::Value(Value::list(["b", "a"].map(Value::from)))),
        ("many", Bound::Value(Value::list((0..2_000).map(Value::Int)))),
    ]
    .map(|(name, it)| (Name::from(name), it))
    .into()
}

/// Compiles an expression that starts at byte 100 of a file.
pub(crate) fn compile(source: &str) -> (Option<Expression>, Vec<Problem>) {
    compile_in(source, ProjectScope::Elsewhere)
}

/// Compiles an expression of a rule that is anchored here or there.
pub(crate) fn compile_in(source: &str, project: ProjectScope) -> (Option<Expression>, Vec<Problem>) {
    let schema = schema();
    let scope = Scope {
        project,
        ..Scope::new(&schema, types())
    };
    Expression::compile(source, &Name::from("rules/tubes.yaml"), &|it| it.shifted(100), &scope)
}

/// Runs `run` with the bindings of the tests and a database attached.
pub(crate) fn bound<T>(run: impl FnOnce(&Bindings<'_>) -> T) -> T {
    let db = Database::default();
    let variables = variables();
    let bindings = Bindings {
        view: View::finished(0),
        variables: &variables,
        world: &Tubes,
    };
    salsa::attach(&db, || run(&bindings))
}

/// Returns the value of an expression that has no problem.
pub(crate) fn evaluate(source: &str) -> Result<Value, Failure> {
    let (expression, problems) = compile_in(source, ProjectScope::Anchored);
    let Some(expression) = expression else {
        panic!("{source}: {problems:#?}");
    };
    bound(|bindings| expression.evaluate(bindings))
}

/// Returns the source under the main label of a problem.
pub(crate) fn under<'a>(problem: &Problem, source: &'a str) -> &'a str {
    match &problem.labels[0].place {
        Place::Text(_, span) => &source[span.start as usize - 100..span.end as usize - 100],
        _ => "",
    }
}
