//! Whatever a string holds, every reader gets it back.

use std::sync::LazyLock;

use proptest::prelude::*;

use crate::artifact::counts;
use crate::artifact::data::{DataFormat, Datum, Document, Kind};
use crate::problem::Span;
use crate::value::{Double, Name};
use crate::yaml::{self, Data};

fn datum(kind: Kind) -> Datum {
    Datum {
        note: 0,
        at: Span::default(),
        comment: None,
        kind,
    }
}

fn string(text: &str) -> Datum {
    datum(Kind::String(text.into()))
}

fn map(entries: Vec<(&str, Datum)>) -> Datum {
    datum(Kind::Map(
        entries.into_iter().map(|(key, it)| (Name::from(key), it)).collect(),
    ))
}

fn print(format: DataFormat, document: Datum) -> String {
    let document = Document {
        file: "t".into(),
        format,
        documents: vec![document],
        around: None,
    };
    document.print(&["made by a test"])
}

/// A string as key, as value, in lists, and at the end.
fn everywhere(text: &str) -> Datum {
    map(vec![
        ("plain", string(text)),
        (
            "nested",
            map(vec![
                (
                    "list",
                    datum(Kind::List(vec![
                        string(text),
                        map(vec![("in", string(text)), ("after", string("x"))]),
                    ])),
                ),
                (
                    "lists",
                    datum(Kind::List(vec![datum(Kind::List(vec![string(text), string(text)]))])),
                ),
            ]),
        ),
        ("keys", map(vec![(text, datum(Kind::Int(1)))])),
        ("last", string(text)),
    ])
}

fn expected(text: &str) -> serde_json::Value {
    serde_json::json!({
        "plain": text,
        "nested": {"list": [text, {"in": text, "after": "x"}], "lists": [[text, text]]},
        "keys": {text: 1},
        "last": text,
    })
}

fn ours(yaml: &yaml::Yaml) -> serde_json::Value {
    match &yaml.data {
        Data::Null => serde_json::Value::Null,
        Data::Bool(truth) => (*truth).into(),
        Data::Int(number) => (*number).into(),
        Data::Double { value, .. } => (*value).into(),
        Data::String(text) => (*text.content).into(),
        Data::List(items) => items.iter().map(ours).collect(),
        Data::Map(entries) => entries.iter().map(|it| (it.key.to_string(), ours(&it.value))).collect(),
    }
}

/// What readers of YAML 1.1 take for something else than a string: the tag repository's patterns.
static OLD: LazyLock<regex::Regex> = LazyLock::new(|| {
    regex::Regex::new(
        r"(?x)^(
        y|Y|yes|Yes|YES|n|N|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF
        |~|null|Null|NULL|<<|=
        |[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(:[0-5]?[0-9])+
        |[-+]?([0-9][0-9_]*)?\.[0-9.]*([eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+\.[0-9_]*
        |[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)
        |[-+]?[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]+)?|0o[0-7]+
        |[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt]|[\ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}.*
        )$",
    )
    .unwrap()
});

fn holds(text: &str) {
    let yaml = print(DataFormat::Yaml, everywhere(text));
    let theirs: serde_json::Value =
        serde_yaml_ng::from_str(&yaml).unwrap_or_else(|it| panic!("{text:?}: {it}\n{yaml}"));
    assert_eq!(theirs, expected(text), "serde_yaml_ng: {text:?}\n{yaml}");
    let (document, mistakes) = yaml::parse(&yaml);
    assert!(mistakes.is_empty(), "{text:?}: {mistakes:?}\n{yaml}");
    assert_eq!(ours(&document.unwrap()), expected(text), "our reader: {text:?}\n{yaml}");
    let first = yaml.lines().find_map(|it| it.strip_prefix("plain: ")).unwrap();
    let bare = !first.starts_with(['"', '|']);
    assert!(!(bare && OLD.is_match(first)), "YAML 1.1: {text:?}\n{yaml}");
    let json = print(DataFormat::Json, everywhere(text));
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&json).unwrap(),
        expected(text),
        "{json}"
    );
    let toml = print(DataFormat::Toml, everywhere(text));
    let table: toml_edit::DocumentMut = toml.parse().unwrap_or_else(|it| panic!("{text:?}: {it}\n{toml}"));
    assert_eq!(table["plain"].as_str(), Some(text), "{toml}");
    assert_eq!(table["nested"]["list"][0].as_str(), Some(text), "{toml}");
    assert_eq!(table["nested"]["list"][1]["in"].as_str(), Some(text), "{toml}");
    assert_eq!(table["keys"][text].as_integer(), Some(1), "{toml}");
}

#[test]
fn hard_strings_come_back() {
    for text in [
        "",
        " ",
        "a ",
        " a",
        "y",
        "N",
        "no",
        "On",
        "off",
        "YES",
        "true",
        "False",
        "null",
        "~",
        "NULL",
        "0",
        "007",
        "1_000",
        "0x1F",
        "0b11",
        "0o17",
        "1e3",
        "1e+3",
        "1.",
        ".5",
        "-1",
        "+1",
        "1:20",
        "190:20:30",
        "80:80",
        "2001-01-01",
        "2001-1-1 1:00:00",
        ".inf",
        "-.INF",
        ".nan",
        "<<",
        "=",
        "-",
        "- a",
        "--flag",
        "-x",
        "---",
        "--- a",
        "...",
        "...a",
        "a: b",
        "a:b",
        "a:",
        ":a",
        "a #b",
        "a#b",
        "#a",
        "?",
        "? a",
        "!x",
        "&x",
        "*x",
        "%x",
        "@x",
        "`x`",
        "'x'",
        "\"x\"",
        "{x}",
        "[x]",
        "a, b",
        "|",
        ">",
        "a\n",
        "a\nb",
        "a\nb\n",
        "a\n\nb\n",
        "a\n\n",
        "\na",
        " a\nb",
        "a\n b\n",
        "a \nb",
        "a\n\tb",
        "a\tb",
        "a\r\nb",
        "a\rb",
        "\u{85}",
        "\u{2028}",
        "\u{feff}",
        "\u{0}",
        "\u{7f}",
        "\u{9f}",
        "\u{a0}",
        "\u{e000}",
        "\u{fffe}",
        "\u{10ffff}",
        "é",
        "日本",
        "🐱",
        "\\",
        "\\n",
        "$x",
        "${x}",
        "a\u{300}",
        "//x",
        "/x: y",
        "10.0.0.1",
        "1.2.3",
        "12:30:45.5",
        "0x",
        "e3",
        "1e",
        "0.",
        "-e5",
        "a\n---\nb",
        "a\n...\nb",
        "# a\nb",
        "x: |\n  y\n",
        "null\n",
        "\t",
        "\ta",
        "a\n\u{85}b",
        "inf",
        "NaN",
        "-inf",
        "+.inf",
        "١٢",
    ] {
        holds(text);
    }
}

proptest! {
    // Two properties: so it is the number of strings of a test of two places.
    #![proptest_config(ProptestConfig { cases: counts::n_strings(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_string_comes_back(text in "[-a-eynoTZxX0-9_.:,#&*!|>'\"%@`{}\\[\\]?~=<$\\\\/+ \\t\\n\\r\u{0}\u{1b}\u{7f}\u{85}\u{a0}\u{2028}\u{feff}é漢🐱]{0,12}") {
        holds(&text);
    }

    #[test]
    fn any_character_comes_back(text in any::<String>()) {
        holds(&text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_number_comes_back(number in any::<f64>().prop_filter("finite", |it| it.is_finite()), whole in any::<i64>()) {
        let data = || map(vec![("d", datum(Kind::Double(Double(number)))), ("i", datum(Kind::Int(whole)))]);
        let yaml: serde_yaml_ng::Value = serde_yaml_ng::from_str(&print(DataFormat::Yaml, data())).unwrap();
        prop_assert_eq!(yaml["d"].as_f64(), Some(number));
        prop_assert!(yaml["d"].is_f64());
        prop_assert_eq!(yaml["i"].as_i64(), Some(whole));
        let toml: toml_edit::DocumentMut = print(DataFormat::Toml, data()).parse().unwrap();
        prop_assert_eq!(toml["d"].as_float(), Some(number));
        let json: serde_json::Value = serde_json::from_str(&print(DataFormat::Json, data())).unwrap();
        prop_assert!(json["d"].is_f64());
        prop_assert_eq!(json["i"].as_i64(), Some(whole));
    }

    #[test]
    fn no_comment_breaks_out(text in any::<String>()) {
        let mut item = map(vec![("a", string("b"))]);
        item.comment = Some(text.as_str().into());
        let inner = datum(Kind::List(vec![datum(Kind::List(vec![item.clone()])), item.clone()]));
        let document = map(vec![("x", item), ("y", inner)]);
        let yaml = print(DataFormat::Yaml, document.clone());
        let read: serde_json::Value = serde_yaml_ng::from_str(&yaml).unwrap_or_else(|it| panic!("{it}\n{yaml}"));
        prop_assert_eq!(read, serde_json::json!({"x": {"a": "b"}, "y": [[{"a": "b"}], {"a": "b"}]}));
        let (_, mistakes) = yaml::parse(&yaml);
        prop_assert!(mistakes.is_empty(), "{mistakes:?}\n{yaml}");
        let toml = print(DataFormat::Toml, document);
        prop_assert!(toml.parse::<toml_edit::DocumentMut>().is_ok(), "{toml}");
    }
}
