//! Data templates: what is printed is read back as what was filled in, whatever the template is.
//!
//! An input is a line with the format, and the template.

use std::collections::BTreeMap;

use groundplan::artifact::data::{DataFormat, DataTemplate, Document};
use groundplan::db::View;
use groundplan::fact::world::NODES;
use groundplan::kind::{Type, pack};
use groundplan::rule::expression::{Bindings, Bound, Scope, Variables};
use groundplan::value::{Address, Name, Value};
use groundplan::yaml::{self, Data, Yaml};

use super::{Ground, SPEC, Verdict, are_placed, headed};

/// Filled data may hold a null where a reader would see nothing; so it is compared as JSON.
type Json = serde_json::Value;

thread_local! {
    static GROUND: Ground = Ground::of(SPEC);
}

/// Fails where what must hold of any input does not hold of this one.
pub fn hold(bytes: &[u8]) -> Verdict {
    let Some((format, source)) = headed(bytes) else {
        return Verdict::Refused;
    };
    let format = match format {
        "yaml" => DataFormat::Yaml,
        "json" => DataFormat::Json,
        "toml" => DataFormat::Toml,
        _ => return Verdict::Refused,
    };
    GROUND.with(|it| fill(it, format, source));
    Verdict::Read
}

fn fill(ground: &Ground, format: DataFormat, source: &str) {
    let (db, file) = (&ground.db, Name::from("t"));
    let types = BTreeMap::from([
        (Name::from("s"), Type::Node([Name::from("service")].into())),
        (Name::from("names"), Type::List(Type::String.into())),
    ]);
    let scope = Scope::new(pack::schema(db, ground.project), types);
    let (template, problems) = DataTemplate::compile(source, &file, format, &scope);
    are_placed(&problems, &file, source);
    let Some(template) = template else {
        assert!(!problems.is_empty());
        return;
    };
    let variables: Variables = [
        (Name::from("s"), Bound::Node(Address::new("service", "orders"))),
        (
            Name::from("names"),
            Bound::Value(Value::list(["b: ", "", "é\n"].map(Value::from))),
        ),
    ]
    .into_iter()
    .collect();
    let bindings = Bindings {
        view: View::finished(0),
        variables: &variables,
        world: &NODES,
    };
    match salsa::attach(db, || template.render(&bindings)) {
        Ok(document) => reads_back(format, &document),
        Err(problems) => {
            assert!(!problems.is_empty());
            are_placed(&problems, &file, source);
        }
    }
}

/// Fails where the printed document is read as something else.
fn reads_back(format: DataFormat, document: &Document) {
    let head = ["made by a test"];
    let text = document.print(&head);
    let lines: String = document.lines(&head).into_iter().map(|it| it.text + "\n").collect();
    assert_eq!(lines.trim_end(), text.trim_end());
    let ([value], None) = (&*document.values(), &document.around) else {
        return;
    };
    let read = match format {
        DataFormat::Yaml => {
            let (read, mistakes) = yaml::parse(&text);
            assert!(mistakes.is_empty(), "{mistakes:?}\n{text}");
            read.as_ref().map_or(Json::Null, of_yaml)
        }
        DataFormat::Json => serde_json::from_str(&text).unwrap_or_else(|it| panic!("{it}\n{text}")),
        DataFormat::Toml => {
            let table: toml::Table = toml::from_str(&text).unwrap_or_else(|it| panic!("{it}\n{text}"));
            serde_json::to_value(table).expect("a date can be written")
        }
    };
    assert_eq!(read, of_value(value), "{text}");
}

fn of_yaml(yaml: &Yaml) -> Json {
    match &yaml.data {
        Data::Null => Json::Null,
        Data::Bool(truth) => (*truth).into(),
        Data::Int(number) => (*number).into(),
        Data::Double { value, .. } => (*value).into(),
        Data::String(text) => (*text.content).into(),
        Data::List(items) => items.iter().map(of_yaml).collect(),
        Data::Map(entries) => entries
            .iter()
            .map(|it| (it.key.to_string(), of_yaml(&it.value)))
            .collect(),
    }
}

fn of_value(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(truth) => (*truth).into(),
        Value::Int(number) => (*number).into(),
        Value::Double(number) => number.0.into(),
        Value::String(text) => text.as_str().into(),
        Value::Text(text) => text.as_plain().expect("a document holds no reference").into(),
        Value::Node(address) => address.to_string().into(),
        Value::List(items) => items.iter().map(of_value).collect(),
        Value::Map(entries) => entries
            .iter()
            .map(|(key, it)| (key.to_string(), of_value(it)))
            .collect(),
    }
}
