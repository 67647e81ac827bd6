//! The `cel` crate's parser as the judge of ours: both accept the same texts, and find the same in them.
//!
//! One difference is meant: ours refuses what nests deeper than `parse` allows, wherever the crate's own bounds lie.
//! What CEL has and we have not is accepted by both parsers; here it counts as refused, since the checker refuses it.

#![allow(
    clippy::disallowed_methods,
    reason = "the packs and the cases are read from the disk"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use cel::common::ast::{EntryExpr, Expr, IdedExpr, LiteralValue, SourceInfo, operators};
use proptest::prelude::*;

use super::super::parse;
use super::super::syntax::{Form, Syntax};
use super::super::tree::Asked;
use crate::rule::interpolation::{Piece, pieces};
use crate::value::Value;
use crate::yaml::{self, Data, Yaml};

/// What a parser makes of a text: its tree, or nothing where it refuses it.
type Verdict = Option<String>;

/// Returns the verdict of ours; `Err` where the text nests deeper than it reads.
fn ours(source: &str) -> Result<Verdict, ()> {
    match parse::parse(source) {
        Ok(syntax) => Ok(shown(&syntax)),
        Err(mistake) if mistake.0.code == "expression::too_deep" => Err(()),
        Err(_) => Ok(None),
    }
}

fn shown(it: &Syntax<'_>) -> Verdict {
    let at = it.sign.start;
    let mark = |asked: Asked| if asked == Asked::Optionally { "?" } else { "" };
    let all = |items: &[Syntax<'_>]| Some(items.iter().map(shown).collect::<Option<Vec<_>>>()?.join(" "));
    Some(match &it.form {
        Form::Foreign(_) => return None,
        Form::Literal(Value::Double(number)) => format!("{:?}@{at}", number.0),
        Form::Literal(Value::Null) => format!("null@{at}"),
        Form::Literal(Value::Bool(truth)) => format!("{truth:?}@{at}"),
        Form::Literal(Value::Int(number)) => format!("{number}@{at}"),
        Form::Literal(value) => format!("{:?}@{at}", value.as_str()?),
        Form::Name(name) => format!("{}@{at}", bare(name)),
        Form::Member(of, name, asked) => format!("({} .{}{name:?})", shown(of)?, mark(*asked)),
        Form::Index(parts, asked) => format!("({} [@{at}{} {})", shown(&parts[0])?, mark(*asked), shown(&parts[1])?),
        Form::Call(name, args) => format!("({} {})", bare(name), all(args)?),
        Form::Method(of, name, args) => format!("({} .{name} {})", shown(of)?, all(args)?),
        Form::List(items) => {
            let items = items
                .iter()
                .map(|(it, asked)| Some(format!("{}{}", mark(*asked), shown(it)?)));
            format!("[@{at} {}]", items.collect::<Option<Vec<_>>>()?.join(" "))
        }
        Form::Map(entries) => {
            let entries = entries
                .iter()
                .map(|(key, value, asked)| Some(format!("{}{}:{}", mark(*asked), shown(key)?, shown(value)?)));
            format!("{{@{at} {}}}", entries.collect::<Option<Vec<_>>>()?.join(" "))
        }
        Form::Not(of) => format!("(!@{at} {})", shown(of)?),
        Form::Negate(of) => format!("(-@{at} {})", shown(of)?),
        Form::And(sides) => format!("(&&@{at} {})", all(&**sides)?),
        Form::Or(sides) => format!("(||@{at} {})", all(&**sides)?),
        Form::Binary(sign, sides) => format!("({}@{at} {})", sign.sign(), all(&**sides)?),
        Form::Conditional(parts) => format!("(?@{at} {})", all(&**parts)?),
    })
}

/// Returns the verdict of the crate.
fn theirs(source: &str) -> Verdict {
    let parser = cel::Env::default()
        .parser()
        .enable_optional_syntax(true)
        .enable_ident_escape_syntax(true);
    let (tree, info) = parser.parse_with_source_info(source).ok()?;
    judged(&tree, &info)
}

fn judged(it: &IdedExpr, info: &SourceInfo) -> Verdict {
    let at = info.offset_for(it.id).map_or(0, |it| it.0);
    let all = |items: &[IdedExpr]| {
        let items = items.iter().map(|it| judged(it, info));
        Some(items.collect::<Option<Vec<_>>>()?.join(" "))
    };
    Some(match &it.expr {
        Expr::Literal(literal) => match literal {
            LiteralValue::Null => format!("null@{at}"),
            LiteralValue::Boolean(truth) => format!("{:?}@{at}", truth.inner()),
            LiteralValue::Int(number) => format!("{}@{at}", number.inner()),
            LiteralValue::Double(number) => format!("{:?}@{at}", number.inner()),
            LiteralValue::String(text) => format!("{:?}@{at}", text.inner()),
            LiteralValue::UInt(_) | LiteralValue::Bytes(_) => return None,
        },
        Expr::Ident(name) => {
            // The crate gives the place of the name, without the point before it.
            format!("{name}@{at}")
        }
        Expr::Select(select) => format!("({} .{:?})", judged(&select.operand, info)?, select.field),
        Expr::Call(call) => match (&*call.func_name, &*call.args, &call.target) {
            (operators::OPT_SELECT, [of, name], None) => {
                let Expr::Literal(LiteralValue::String(name)) = &name.expr else {
                    return None;
                };
                format!("({} .?{:?})", judged(of, info)?, name.inner())
            }
            (operators::INDEX, [of, key], None) => {
                format!("({} [@{at} {})", judged(of, info)?, judged(key, info)?)
            }
            (operators::OPT_INDEX, [of, key], None) => {
                format!("({} [@{at}? {})", judged(of, info)?, judged(key, info)?)
            }
            (operators::CONDITIONAL, args, None) => format!("(?@{at} {})", all(args)?),
            (operators::LOGICAL_NOT, args, None) => format!("(!@{at} {})", all(args)?),
            (operators::NEGATE, args, None) => format!("(-@{at} {})", all(args)?),
            (operators::IN, args, None) => format!("(in@{at} {})", all(args)?),
            (name, args, None) if name.starts_with('_') && name.ends_with('_') && name.len() < 6 && args.len() == 2 => {
                format!("({}@{at} {})", name.trim_matches('_'), all(args)?)
            }
            (name, args, None) => format!("({name} {})", all(args)?),
            (name, args, Some(of)) => format!("({} .{name} {})", judged(of, info)?, all(args)?),
        },
        Expr::List(list) => {
            let items = list.elements.iter().enumerate().map(|(index, it)| {
                let mark = if list.optional_indices.contains(&index) {
                    "?"
                } else {
                    ""
                };
                Some(format!("{mark}{}", judged(it, info)?))
            });
            format!("[@{at} {}]", items.collect::<Option<Vec<_>>>()?.join(" "))
        }
        Expr::Map(map) => {
            let entries = map.entries.iter().map(|it| {
                let EntryExpr::MapEntry(entry) = &it.expr else {
                    return None;
                };
                let mark = if entry.optional { "?" } else { "" };
                let (key, value) = (judged(&entry.key, info)?, judged(&entry.value, info)?);
                Some(format!("{mark}{key}:{value}"))
            });
            format!("{{@{at} {}}}", entries.collect::<Option<Vec<_>>>()?.join(" "))
        }
        Expr::Struct(_) | Expr::Comprehension(_) | Expr::Unspecified => return None,
    })
}

/// Returns a name from the root without what may stand between its point and its word.
fn bare(name: &str) -> String {
    let lines = name.lines().map(|it| it.split("//").next().unwrap_or_default());
    lines.collect::<String>().replace(char::is_whitespace, "")
}

#[track_caller]
fn agree(source: &str) {
    if let Ok(ours) = ours(source) {
        assert_eq!(ours, theirs(source), "{source:?}");
    }
}

#[test]
fn both_parsers_agree_on_the_edges_of_the_grammar() {
    for source in [
        "--1",
        "-1",
        "- 1",
        "---1",
        "-1.5",
        "!-1",
        "-!a",
        "!-a",
        "!!a",
        "!!!a",
        "-a.b",
        "-1.size()",
        "1 - -1",
        "1-1",
        "-9223372036854775808",
        "9223372036854775808",
        "-0x8000000000000000",
        "0x",
        "0X1",
        "1e",
        "1e5",
        "1.e5",
        ".5",
        "a.5",
        "1..5",
        "1u",
        "0x1u",
        "-1u",
        "1uu",
        "01",
        "1in[1]",
        "a in b in c",
        "a < b == c",
        "a == b < c",
        "a ? b : c ? d : e",
        "a ? b ? c : d : e",
        "a ?b:c",
        "a||b&&c||d",
        "a&&b&&c&&d&&e&&f&&g",
        "a||b||c||d||e",
        "a.b.c",
        "a.?b",
        "a.?b.c",
        "a.?b(c)",
        "a.`b-c`",
        "a.`b`(c)",
        "`a`",
        "a.``",
        "a.`é`",
        "a[?b]",
        "a[? b ]",
        "a[]",
        "a[b,]",
        "f(a,)",
        "f(,)",
        "f()",
        "a.f()",
        "a.f(b, c)",
        ".a",
        ". a",
        ".a.b",
        ".f(a)",
        ".1a",
        ".true",
        ".if",
        "[,]",
        "[a,]",
        "[a,,]",
        "[?a]",
        "[?]",
        "{,}",
        "{a: b,}",
        "{?a: b}",
        "{a}",
        "{a: }",
        "{: b}",
        "A{}",
        "A.b{c: d}",
        "A{,}",
        "A{?b: c,}",
        "A{`b`: c}",
        "(A){}",
        "a.f(){}",
        "a[0]{}",
        "A{1: 2}",
        "if",
        "a.if",
        "a.if()",
        "if()",
        "a.in",
        "a.true",
        "true",
        "true.a",
        "null()",
        "in",
        "x.y.z(a)(b)",
        "(a)(b)",
        "()",
        "(a",
        "a)",
        "a b",
        "'a' 'b'",
        "'a\\q'",
        "'\\u00e9\\x41\\X41\\101\\U0001F600'",
        "'\\uD800'",
        "'\\400'",
        "r'\\'",
        "R\"\\n\"",
        "'''a\n'b''c'''",
        "\"\"\"a\r\nb\rc\"\"\"",
        "''''a'''",
        "'''a''''",
        "''''''",
        "''",
        "'a\rb'",
        "b'a'",
        "br'\\u'",
        "rb'a'",
        "b'\\u0041'",
        "a // b",
        "a // b\n + c",
        "// a",
        "a /* b */",
        "a\u{a0}",
        "\u{b}a",
        "\u{c}a",
        "ñ",
        "año",
        "'ñ' + 'ñ'",
        "'ñ' = a",
        "a = b",
        "a & b",
        "a | b",
        "a ! b",
        "a;",
        "$a",
        "${a}",
        "@a",
        "a:b",
        "?a",
        "a ? b",
        "a ? b :",
        "a.",
        "a..b",
        "1.a",
        "a.\nb",
        "a\n.\nb ( c )",
        "[1,2][0].a",
        "{'a': 1}.a",
        "'a'.b",
        "1 + 2 * 3 - 4 / 5 % 6",
        "a + b + c",
        "a - (b - c)",
        "1e999",
        "-1e999",
        "a.map(x, x)",
        "has(a.b)",
        "cel.bind(x, 1, x)",
        "1 in [1] && !(a in b)",
        "a != b",
        "!a == b",
    ] {
        agree(source);
    }
}

/// Adds all strings of a file, and the expressions in them.
fn strings(yaml: &Yaml, all: &mut BTreeSet<String>) {
    match &yaml.data {
        Data::String(text) => {
            all.insert(text.content.to_string());
            for piece in pieces(&text.content) {
                if let Piece::Source(source, _) = piece {
                    all.insert(source.to_owned());
                }
            }
        }
        Data::List(items) => items.iter().for_each(|it| strings(it, all)),
        Data::Map(entries) => entries.iter().for_each(|it| strings(&it.value, all)),
        _ => {}
    }
}

fn read(folder: &Path, all: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            read(&path, all);
        } else if path.extension().is_some_and(|it| it == "yaml") {
            let text = fs::read(&path).expect("the file can be read");
            if let (Some(root), _) = yaml::parse(&String::from_utf8_lossy(&text)) {
                strings(&root, all);
            }
        }
    }
}

#[test]
fn both_parsers_agree_on_every_string_of_the_packs_and_the_cases() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = BTreeSet::new();
    for folder in ["rules", "templates", "tests/cases"] {
        read(&root.join(folder), &mut all);
    }
    assert!(all.len() > 5_000, "{}", all.len());
    let short = all.iter().filter(|it| it.len() < 2_000);
    let n_expressions = short.filter(|it| {
        agree(it);
        theirs(it).is_some()
    });
    assert!(n_expressions.count() > 2_000);
}

/// Tokens, some of which are none; with and without blanks between them they make expressions and mistakes.
const TOKENS: [&str; 62] = [
    "a", "b", "name", "_x", "if", "in", "true", "null", "`a.b`", "0", "1", "42u", "0x1F", "1.5", "1e3", ".5", "'a'",
    "\"b\"", "r'\\'", "'\\n'", "'\\q'", "b'c'", "'''d'''", "(", ")", "[", "]", "{", "}", ",", ".", "?", ":", "+", "-",
    "*", "/", "%", "!", "<", ">", "<=", ">=", "==", "!=", "&&", "||", "=", "&", "ñ", "$", "\n", "// c\n", "has(", ".?",
    "[?", ".map(x, ", "'", "1 ", " in ", "a.b", "f(a)",
];

fn expression() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["a", "b", "s.name", "x.?y", "`q`.z", ".r", "s.`t-u`"]);
    let literal = prop::sample::select(vec![
        "1",
        "-1",
        "0x1f",
        "2.5",
        ".5e1",
        "'a'",
        "r'\\d'",
        "'\\u00e9'",
        "\"\"\"a\n\"\"\"",
        "true",
        "null",
        "7u",
        "b'x'",
    ]);
    let leaf = prop_oneof![name.prop_map(str::to_owned), literal.prop_map(str::to_owned)];
    leaf.prop_recursive(5, 40, 4, |inner| {
        let signs = prop::sample::select(vec![
            "+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||", " in ", "&& ", " ||\n",
        ]);
        let some = prop::collection::vec(inner.clone(), 0..4);
        prop_oneof![
            (inner.clone(), signs, inner.clone()).prop_map(|(a, sign, b)| format!("{a}{sign}{b}")),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("{a} ? {b} : {c}")),
            inner.clone().prop_map(|it| format!("({it})")),
            inner.clone().prop_map(|it| format!("!{it}")),
            inner.clone().prop_map(|it| format!("-{it}")),
            inner.clone().prop_map(|it| format!("{it}.m")),
            inner.clone().prop_map(|it| format!("{it}.?o")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a}[{b}]")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a}[?{b}]")),
            some.clone().prop_map(|it| format!("f({})", it.join(", "))),
            (inner.clone(), some.clone()).prop_map(|(of, it)| format!("{of}.g({})", it.join(","))),
            some.clone().prop_map(|it| format!("[{}]", it.join(", ?"))),
            some.prop_map(|it| format!(
                "{{{}}}",
                it.iter().map(|it| format!("{it}: {it}")).collect::<Vec<_>>().join(",")
            )),
            inner.prop_map(|it| format!("M{{a: {it}}}")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn both_parsers_agree_on_expressions(source in expression()) {
        agree(&source);
    }

    #[test]
    fn both_parsers_agree_on_broken_expressions(source in expression(), token in prop::sample::select(&TOKENS[..]), at in 0.0..1.0_f64, n_lost in 0..3_usize) {
        let chars: Vec<char> = source.chars().collect();
        let at = (at * chars.len() as f64) as usize;
        let before: String = chars[..at].iter().collect();
        let after: String = chars[(at + n_lost).min(chars.len())..].iter().collect();
        agree(&format!("{before}{token}{after}"));
    }

    #[test]
    fn both_parsers_agree_on_any_tokens(tokens in prop::collection::vec(prop::sample::select(&TOKENS[..]), 1..12), between in prop::sample::select(vec!["", " "])) {
        agree(&tokens.join(between));
    }
}
