//! Text templates: no value breaks out of its place, whatever the template is.
//!
//! An input is a line with the format, one with the value as a JSON string, and the template.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use groundplan::artifact::format::Format;
use groundplan::artifact::parse::check_output;
use groundplan::artifact::text::{TextTemplate, parse_type};
use groundplan::kind::{Schema, Type};
use groundplan::value::{Map, Name, Value};
use groundplan::yaml::{self, Data, Yaml};

use super::{Verdict, are_placed, headed};

static PARAMS: LazyLock<BTreeMap<Name, Type>> = LazyLock::new(|| {
    let params = [
        ("name", "string"),
        ("text", "text"),
        ("n", "int"),
        ("on", "bool"),
        ("wait", "duration"),
        ("tags", "list(string)"),
        ("env", "map(string)"),
        ("any", "any"),
    ];
    let schema = Schema::default();
    let typed = params.map(|(name, ty)| (Name::from(name), parse_type(ty, &schema).expect("a type")));
    typed.into()
});

/// Returns a context in which every string is `value`.
fn context(value: &str) -> Map {
    let value = || Value::from(value);
    let map = |key: &str| Value::from_iter([(Name::from(key), value())]);
    let entries = [
        ("name", value()),
        ("text", value()),
        ("n", Value::Int(3)),
        ("on", Value::Bool(true)),
        ("wait", Value::Int(90_000)),
        ("tags", Value::list([value(), value()])),
        ("env", map("KEY")),
        ("any", map("key")),
    ];
    entries.map(|(name, it)| (Name::from(name), it)).into_iter().collect()
}

/// Fails where what must hold of any input does not hold of this one.
pub fn hold(bytes: &[u8]) -> Verdict {
    let Some((format, rest)) = headed(bytes) else {
        return Verdict::Refused;
    };
    let (Some(format), Some((value, source))) = (Format::parse(format), rest.split_once('\n')) else {
        return Verdict::Refused;
    };
    let Ok(value) = serde_json::from_str::<String>(value) else {
        return Verdict::Refused;
    };
    let name = Name::from("t");
    let (template, problems) =
        TextTemplate::compile(&name, source, format, &PARAMS, &Schema::default(), &BTreeMap::new());
    are_placed(&problems, &name, source);
    assert_eq!(template.is_none(), !problems.is_empty(), "{problems:?}");
    let Some(template) = template else {
        return Verdict::Read;
    };
    let tame = rendered(&template, "tame");
    let hostile = rendered(&template, &value);
    if let (Some(tame), Some(hostile)) = (tame, hostile)
        && !value.is_empty()
    {
        holds(format, &tame, &hostile);
    }
    Verdict::Read
}

/// Returns what is printed of `value`, if it may be; its ranges follow one another without gaps.
fn rendered(template: &TextTemplate, value: &str) -> Option<String> {
    let context = context(value);
    let plain = template.render(&context);
    let (text, origins) = template.render_with_origins(&context).ok()?;
    assert_eq!(plain.as_ref(), Ok(&text));
    let mut end = 0;
    for origin in origins {
        assert_eq!(origin.range.start, end);
        end = origin.range.end;
    }
    assert_eq!(end as usize, text.len());
    Some(text)
}

/// Fails where a text that could be read with a tame value can't be with the other, or has another shape.
fn holds(format: Format, tame: &str, hostile: &str) {
    if check_output(format, tame).is_err() {
        return;
    }
    if let Err(failure) = check_output(format, hostile) {
        // A key that the template has already is no escape.
        let is_twice = ["twice", "duplicate"].iter().any(|it| failure.message.contains(it));
        assert!(is_twice, "{failure}\n{hostile:?}\nbut\n{tame:?}");
        return;
    }
    match format {
        Format::Yaml | Format::Json => assert_eq!(shape_of_yaml(hostile), shape_of_yaml(tame), "{hostile:?}\n{tame:?}"),
        Format::Toml => assert_eq!(shape_of_toml(hostile), shape_of_toml(tame), "{hostile:?}\n{tame:?}"),
        _ => {}
    }
}

/// Returns how the values of `text` lie in one another, without what they are.
fn shape_of_yaml(text: &str) -> String {
    fn shape(yaml: &Yaml, out: &mut String) {
        match &yaml.data {
            Data::List(items) => {
                out.push('[');
                items.iter().for_each(|it| shape(it, out));
                out.push(']');
            }
            Data::Map(entries) => {
                out.push('{');
                entries.iter().for_each(|it| shape(&it.value, out));
                out.push('}');
            }
            Data::String(_) => out.push('s'),
            _ => out.push('x'),
        }
    }
    let mut out = String::new();
    if let Some(yaml) = yaml::parse(text).0 {
        shape(&yaml, &mut out);
    }
    out
}

/// Does the same for TOML, whose tables have no order.
fn shape_of_toml(text: &str) -> Vec<String> {
    fn shapes(value: &toml::Value, within: &str, out: &mut Vec<String>) {
        match value {
            toml::Value::Table(entries) => entries.values().for_each(|it| shapes(it, &format!("{within}."), out)),
            toml::Value::Array(items) => items.iter().for_each(|it| shapes(it, &format!("{within}[]"), out)),
            other => out.push(format!("{within}{}", other.type_str())),
        }
    }
    let mut out = Vec::new();
    let table: toml::Table = toml::from_str(text).expect("it was read before");
    shapes(&toml::Value::Table(table), "", &mut out);
    out.sort();
    out
}
