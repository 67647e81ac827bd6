//! Property tests: hostile strings at each kind of place are read back as they were meant, or refused.
//!
//! How many they are says `counts.rs`.

use std::cell::Cell;

use hcl_edit::expr::Expression;
use hcl_edit::structure::Body;
use hcl_edit::template::Element;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};

use super::*;
use crate::artifact::counts::{self, Tally};
use crate::artifact::parse::check_output;
use crate::yaml::Data;

/// How many strings of a megabyte each format gets.
fn n_megabytes() -> usize {
    if counts::is_long() { 20 } else { 2 }
}

const PIECES: [&str; 80] = [
    "a", "b c", "${", "$${", "%{", "%%{", "$", "%", "{", "}", "{{", "}}", "{{{", "\\", "\\\\", "\"", "'", "''",
    "\"\"\"", "'''", "`", "\n", "\n\n", "\t", " ", "  ", "#", " # ", "//", "/*", "*/", "EOT", "\nEOT\n", "  EOT", "E",
    "OT", "\r", "\r\n", "\0", "\u{7f}", "\u{85}", "\u{2028}", "\u{feff}", "é", "😀", ": ", "- ", "=", ",", "[", "]",
    "|", ">", "&", "!", "~", "null", "yes", "1", "1.5", "$(x)", "$X", "%s", "---", "no", "off", "017", "0o17", "0x1f",
    "1e3", ".inf", "<<", "\u{1b}", "\u{202e}", "\u{2066}", "\u{200b}", "\u{200d}", "\u{2029}", "?", "*",
];

pub(super) fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        9 => prop::sample::select(&PIECES[..]).prop_map(str::to_owned),
        1 => any::<char>().prop_map(|it| it.to_string()),
    ];
    let pieces = prop_oneof![
        8 => prop::collection::vec(piece.clone(), 0..6),
        1 => prop::collection::vec(piece, 40..80),
    ];
    pieces.prop_map(|it| {
        let mut text = it.concat();
        text.truncate(text.floor_char_boundary(200));
        text
    })
}

/// Renders `source` with hostile names and reads them back.
#[track_caller]
fn holds(source: &str, format: Format, read: impl Fn(&str) -> Option<String>) {
    let template = template(source, format);
    let mut runner = TestRunner::new(Config {
        cases: counts::n_strings(),
        failure_persistence: None,
        ..Config::default()
    });
    let n_read = Cell::new(0);
    let result = runner.run(&hostile(), |name| {
        let Ok(text) = template.render(&only("name", Value::string(name.clone()))) else {
            return Ok(());
        };
        if let Err(failure) = check_output(format, &text) {
            return Err(TestCaseError::fail(format!("{failure}\n{text}")));
        }
        match read(&text) {
            Some(found) if found == name => {
                n_read.set(n_read.get() + 1);
                Ok(())
            }
            found => Err(TestCaseError::fail(format!("read back {found:?} from\n{text}"))),
        }
    });
    if let Err(error) = result {
        panic!("{source}\n{error}");
    }
    counts::add(counts::n_strings(), n_read.get());
    // A place that refuses everything would pass, too.
    let tame = template.render(&only("name", "tame".into())).unwrap();
    assert_eq!(read(&tame).as_deref(), Some("tame"), "{source}");
}

/// Reads back strings of a megabyte, made of hostile ones, at one place of each format.
#[test]
fn a_megabyte_is_read_back() {
    let toml = |text: &str| Some(toml::from_str::<toml::Table>(text).ok()?.get("k")?.as_str()?.to_owned());
    let hcl = |text: &str| hcl_string(&hcl_value(text)?);
    let dockerfile = |text: &str| {
        let list: Vec<String> = serde_json::from_str(text.strip_prefix("FROM x\nCMD ")?).ok()?;
        list.into_iter().nth(1)
    };
    let caddyfile = |text: &str| {
        let inner = text.strip_prefix("a \"")?.strip_suffix("\" z\n")?;
        Some(inner.replace("\\\"", "\""))
    };
    let plain = |text: &str| Some(text.strip_suffix('\n')?.to_owned());
    let places: [(&str, Format, &Read); 10] = [
        ("a = \"{{name}}\"\n", Format::Hcl, &hcl),
        ("a = <<EOT\n{{name}}\nEOT\nb = 1\n", Format::Hcl, &heredoc),
        ("echo {{name}} z\n", Format::Shell, &|it| shell_word(it, 1)),
        ("{\"k\": \"{{name}}\"}", Format::Json, &json_value),
        ("k: {{name}}\n", Format::Yaml, &yaml_value),
        ("k = \"{{name}}\"\n", Format::Toml, &toml),
        ("K={{name}}\nL=1\n", Format::Env, &env_value),
        ("FROM x\nCMD [\"a\", \"{{name}}\"]\n", Format::Dockerfile, &dockerfile),
        ("a \"{{name}}\" z\n", Format::Caddyfile, &caddyfile),
        ("{{name}}\n", Format::Plain, &plain),
    ];
    let mut runner = TestRunner::deterministic();
    for (source, format, read) in places {
        let template = template(source, format);
        let mut n_read = 0;
        for nth in 0..n_megabytes() {
            // Every other one of letters with a few signs: a place that refuses all of the rest must take it.
            let piece = if nth % 2 == 0 {
                "a longer word \u{202e}é. ".to_owned()
            } else {
                let piece = hostile().new_tree(&mut runner).expect("a string is made").current();
                piece + "x"
            };
            let name = piece.repeat((1 << 20) / piece.len() + 1);
            let Ok(text) = template.render(&only("name", Value::string(name.clone()))) else {
                continue;
            };
            assert!(check_output(format, &text).is_ok(), "{source} {piece:?}");
            assert!(read(&text).as_deref() == Some(&name), "{source} {piece:?}");
            n_read += 1;
        }
        assert!(n_read > 0, "{source} takes none");
    }
}

type Read = dyn Fn(&str) -> Option<String>;

fn literals<'a>(elements: impl Iterator<Item = &'a Element>) -> Option<String> {
    elements
        .map(|it| it.as_literal().map(|it| it.as_str().to_owned()))
        .collect()
}

fn hcl_string(value: &Expression) -> Option<String> {
    match value {
        Expression::String(text) => Some(text.as_str().to_owned()),
        Expression::StringTemplate(template) => literals(template.iter()),
        Expression::HeredocTemplate(heredoc) => literals(heredoc.template.iter()),
        _ => None,
    }
}

fn hcl_body(text: &str) -> Option<Body> {
    hcl_edit::parser::parse_body(text).ok()
}

fn hcl_value(text: &str) -> Option<Expression> {
    Some(hcl_body(text)?.get_attribute("a")?.value.clone())
}

#[test]
fn hcl_quoted() {
    let _tally = Tally::of("hcl, quoted");
    holds("a = \"{{name}}\"\nb = 1\n", Format::Hcl, |it| {
        hcl_string(&hcl_value(it)?)
    });
    holds("a = \"<${{name}}{>\"\nb = 1\n", Format::Hcl, |it| {
        let text = hcl_string(&hcl_value(it)?)?;
        Some(text.strip_prefix("<$")?.strip_suffix("{>")?.to_owned())
    });
    holds("a = [1, \"{{name}}\"]\n", Format::Hcl, |it| match hcl_value(it)? {
        Expression::Array(items) => hcl_string(items.get(1)?),
        _ => None,
    });
    holds(
        "a = \"x${upper(\"{{name}}\")}\"\n",
        Format::Hcl,
        |it| match hcl_value(it)? {
            Expression::StringTemplate(template) => match &template.iter().nth(1)?.as_interpolation()?.expr {
                Expression::FuncCall(call) => hcl_string(call.args.iter().next()?),
                _ => None,
            },
            _ => None,
        },
    );
}

#[test]
fn hcl_labels_and_keys() {
    let _tally = Tally::of("hcl, labels and keys");
    holds("job \"{{name}}\" {\n  x = 1\n}\n", Format::Hcl, |it| {
        let body = hcl_body(it)?;
        let block = body.iter().next()?.as_block()?.clone();
        Some(block.labels.first()?.as_str().to_owned())
    });
    holds("{{name}} = 1\n", Format::Hcl, |it| {
        Some(hcl_body(it)?.iter().next()?.as_attribute()?.key.as_str().to_owned())
    });
    holds("a = { \"{{name}}\" = 1 }\n", Format::Hcl, |it| match hcl_value(it)? {
        Expression::Object(object) => match object.iter().next()?.0 {
            hcl_edit::expr::ObjectKey::Expression(key) => hcl_string(key),
            hcl_edit::expr::ObjectKey::Ident(key) => Some(key.as_str().to_owned()),
        },
        _ => None,
    });
    holds("a = {{hcl name}}\n", Format::Hcl, |it| hcl_string(&hcl_value(it)?));
    holds("a = {{json name}}\n", Format::Hcl, |it| hcl_string(&hcl_value(it)?));
}

#[test]
fn hcl_comments() {
    let _tally = Tally::of("hcl, comments");
    holds("# {{name}}\na = 1\n", Format::Hcl, |it| {
        hcl_value(it)?;
        Some(it.lines().next()?.strip_prefix("# ")?.to_owned())
    });
    holds("/*{{name}}*/ a = 1\n", Format::Hcl, |it| {
        hcl_value(it)?;
        Some(it.strip_prefix("/*")?.strip_suffix("*/ a = 1\n")?.to_owned())
    });
}

fn heredoc(text: &str) -> Option<String> {
    let text = hcl_string(&hcl_value(text)?)?;
    Some(text.strip_suffix('\n').unwrap_or(&text).to_owned())
}

#[test]
fn hcl_heredocs() {
    let _tally = Tally::of("hcl, heredocs");
    holds("a = <<EOT\n{{name}}\nEOT\nb = 1\n", Format::Hcl, heredoc);
    holds("a = <<EOT\nx{{name}}OT\nEOT\nb = 1\n", Format::Hcl, |it| {
        Some(heredoc(it)?.strip_prefix('x')?.strip_suffix("OT")?.to_owned())
    });
    holds("a = <<EOT\n{{name}}${{name}}{\nEOT\n", Format::Hcl, |it| {
        let text = heredoc(it)?;
        let half = (text.len() - 2) / 2;
        let (a, b) = (&text[..half], text.get(half + 1..text.len() - 1)?);
        (a == b && text[half..].starts_with('$') && text.ends_with('{')).then(|| a.to_owned())
    });
}

/// Runs the actions of a go-template that print a literal; anything else is no literal.
fn go_literals(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("{{") {
        out.push_str(&rest[..at]);
        let literal = rest[at..].strip_prefix("{{\"")?;
        let mut escaped = false;
        let end = literal.find(|ch| {
            let ends = ch == '"' && !escaped;
            escaped = ch == '\\' && !escaped;
            ends
        })?;
        let string: String = serde_json::from_str(&format!("\"{}\"", &literal[..end])).ok()?;
        out.push_str(&string);
        rest = literal[end + 1..].strip_prefix("}}")?;
    }
    out.push_str(rest);
    Some(out)
}

#[test]
fn languages_inside_of_hcl() {
    let _tally = Tally::of("hcl, languages within");
    holds(
        "a = <<EOT\n{{#lang \"go-template\"}}\n{{name}}\n{{/lang}}\nEOT\n",
        Format::Hcl,
        |it| go_literals(&heredoc(it)?),
    );
    holds(
        "a = \"{{#lang \"go-template\"}}<{{name}}>{{/lang}}\"\n",
        Format::Hcl,
        |it| {
            Some(
                go_literals(&hcl_string(&hcl_value(it)?)?)?
                    .strip_prefix('<')?
                    .strip_suffix('>')?
                    .to_owned(),
            )
        },
    );
    holds(
        "a = <<EOT\n{{#lang \"go-template\" \"yaml\"}}\nk: {{name}}\n{{/lang}}\nEOT\n",
        Format::Hcl,
        |it| yaml_value(&go_literals(&heredoc(it)?)?),
    );
    holds(
        "a = \"{{#lang \"go-template\" \"json\"}}{\\\"k\\\": \\\"{{name}}\\\"}{{/lang}}\"\n",
        Format::Hcl,
        |it| json_value(&go_literals(&hcl_string(&hcl_value(it)?)?)?),
    );
    holds(
        "a = \"{{#lang \"go-template\"}}\\{{\\\"{{name}}\\\"}}{{/lang}}\"\n",
        Format::Hcl,
        |it| go_literals(&hcl_string(&hcl_value(it)?)?),
    );
    holds(
        "a = \"{{#lang \"dollar-variable\"}}{{name}}{{/lang}}\"\n",
        Format::Hcl,
        |it| hcl_string(&hcl_value(it)?).filter(|it| !it.contains("${")),
    );
    holds(
        "a = \"{{#lang \"backtick-rule\"}}Path(`{{name}}`){{/lang}}\"\n",
        Format::Hcl,
        |it| {
            let text = hcl_string(&hcl_value(it)?)?;
            let inner = text.strip_prefix("Path(`")?.strip_suffix("`)")?.to_owned();
            (!inner.contains('`')).then_some(inner)
        },
    );
    holds(
        "a = <<EOT\n{{#lang \"shell\"}}\necho {{name}}\n{{/lang}}\nEOT\n",
        Format::Hcl,
        |it| shell_word(&heredoc(it)?, 1),
    );
}

/// Returns the characters of a shell word that expands nothing.
fn unquoted(word: &str) -> Option<String> {
    use brush_parser::word::WordPiece;
    fn text(piece: &WordPiece) -> Option<String> {
        match piece {
            WordPiece::Text(text) | WordPiece::SingleQuotedText(text) => Some(text.clone()),
            WordPiece::EscapeSequence(text) => Some(text.strip_prefix('\\')?.to_owned()),
            WordPiece::DoubleQuotedSequence(pieces) => pieces.iter().map(|it| text_of(&it.piece)).collect(),
            _ => None,
        }
    }
    fn text_of(piece: &WordPiece) -> Option<String> {
        text(piece)
    }
    let pieces = brush_parser::word::parse(word, &brush_parser::ParserOptions::default()).ok()?;
    pieces.iter().map(|it| text(&it.piece)).collect()
}

fn shell_tokens(text: &str) -> Option<Vec<String>> {
    let tokens = brush_parser::tokenize_str(text).ok()?;
    Some(tokens.iter().map(|it| it.to_str().to_owned()).collect())
}

fn shell_word(text: &str, at: usize) -> Option<String> {
    unquoted(shell_tokens(text)?.get(at)?)
}

#[test]
fn shell_words() {
    let _tally = Tally::of("shell, words");
    for source in [
        "echo {{name}} z\n",
        "echo '{{name}}' z\n",
        "echo \"{{name}}\" z\n",
        "echo {{sh name}} z\n",
    ] {
        holds(source, Format::Shell, |it| {
            let tokens = shell_tokens(it)?;
            (tokens.len() == 4).then(|| shell_word(it, 1))?
        });
    }
    holds("echo x{{name}}\"{{name}}\"y\n", Format::Shell, |it| {
        let word = shell_word(it, 1)?;
        let twice = word.strip_prefix('x')?.strip_suffix('y')?;
        let (a, b) = twice.split_at_checked(twice.len() / 2)?;
        (a == b).then(|| a.to_owned())
    });
    holds("A={{name}}\n", Format::Shell, |it| {
        Some(shell_word(it, 0)?.strip_prefix("A=")?.to_owned())
    });
    holds("{{name}}=1\n", Format::Shell, |it| {
        Some(shell_word(it, 0)?.strip_suffix("=1")?.to_owned())
    });
    holds("# {{name}}\necho a\n", Format::Shell, |it| {
        (shell_tokens(it)?.iter().filter(|it| *it != "\n").count() == 2).then_some(())?;
        Some(it.lines().next()?.strip_prefix("# ")?.to_owned())
    });
}

/// Reads the first heredoc as a shell does.
fn shell_heredoc(text: &str, expands: bool) -> Option<String> {
    let (_, rest) = text.split_once('\n')?;
    let mut body = String::new();
    let mut lines = rest.split('\n');
    loop {
        let line = lines.next()?;
        if line == "EOT" {
            break;
        }
        body.push_str(line);
        body.push('\n');
    }
    (lines.collect::<Vec<&str>>() == ["echo z", ""]).then_some(())?;
    body.pop();
    if !expands {
        return Some(body);
    }
    let mut out = String::new();
    let mut chars = body.chars();
    while let Some(ch) = chars.next() {
        match ch {
            '\\' => match chars.next()? {
                it @ ('$' | '`' | '\\') => out.push(it),
                '\n' => {}
                it => out.extend(['\\', it]),
            },
            '$' | '`' => return None,
            _ => out.push(ch),
        }
    }
    Some(out)
}

#[test]
fn shell_heredocs() {
    let _tally = Tally::of("shell, heredocs");
    holds("cat <<EOT\n{{name}}\nEOT\necho z\n", Format::Shell, |it| {
        shell_heredoc(it, true)
    });
    holds("cat <<'EOT'\n{{name}}\nEOT\necho z\n", Format::Shell, |it| {
        shell_heredoc(it, false)
    });
    holds("cat <<'EOT'\nE{{name}}\nEOT\necho z\n", Format::Shell, |it| {
        Some(shell_heredoc(it, false)?.strip_prefix('E')?.to_owned())
    });
}

fn json_value(text: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    Some(value.get("k")?.as_str()?.to_owned())
}

#[test]
fn json() {
    let _tally = Tally::of("json");
    holds("{\"k\": \"{{name}}\"}", Format::Json, json_value);
    holds("{\"k\": {{json name}}, \"l\": {{json tags}}}", Format::Json, json_value);
    holds("{\"{{name}}\": 1}", Format::Json, |it| {
        let value: serde_json::Value = serde_json::from_str(it).ok()?;
        Some(value.as_object()?.keys().next()?.clone())
    });
}

fn yaml_value(text: &str) -> Option<String> {
    let (value, mistakes) = crate::yaml::parse(text);
    mistakes.is_empty().then_some(())?;
    Some(value?.get("k")?.as_str()?.to_owned())
}

#[test]
fn yaml() {
    let _tally = Tally::of("yaml");
    for source in [
        "k: {{name}}\nl: 1\n",
        "k: \"{{name}}\"\nl: 1\n",
        "k: '{{name}}'\nl: 1\n",
        "k: {{yaml name}}\nl: 1\n",
        "{k: {{name}}, l: 1}\n",
        "k: |-\n  {{name}}\nl: 1\n",
        "l:\n  - {{name}}\nk: {{name}} # x\n",
    ] {
        holds(source, Format::Yaml, yaml_value);
    }
    holds("- {{name}}\n", Format::Yaml, |it| {
        let (value, mistakes) = crate::yaml::parse(it);
        mistakes.is_empty().then_some(())?;
        let value = value?;
        (value.items().len() == 1).then(|| value.items()[0].as_str().map(str::to_owned))?
    });
    holds("{{name}}: 1\n", Format::Yaml, |it| {
        let (value, mistakes) = crate::yaml::parse(it);
        mistakes.is_empty().then_some(())?;
        let value = value?;
        let Data::Map(entries) = &value.data else {
            return None;
        };
        (entries.len() == 1).then(|| entries[0].key.to_string())
    });
    holds("k: |-\n  a\n  x{{name}}\nl: 1\n", Format::Yaml, |it| {
        Some(yaml_value(it)?.strip_prefix("a\nx")?.to_owned())
    });
}

#[test]
fn toml() {
    let _tally = Tally::of("toml");
    let read = |text: &str| Some(toml::from_str::<toml::Table>(text).ok()?.get("k")?.as_str()?.to_owned());
    for source in [
        "k = \"{{name}}\"\nl = 1\n",
        "k = '{{name}}'\nl = 1\n",
        "k = \"\"\"{{name}}\"\"\"\nl = 1\n",
        "k = '''x{{name}}y'''\nl = 1\n",
    ] {
        holds(source, Format::Toml, |it| {
            let text = read(it)?;
            if !source.contains("'''x") {
                return Some(text);
            }
            Some(text.strip_prefix('x')?.strip_suffix('y')?.to_owned())
        });
    }
    holds("{{name}} = 1\n", Format::Toml, |it| {
        Some(toml::from_str::<toml::Table>(it).ok()?.keys().next()?.clone())
    });
}

#[test]
fn ini() {
    let _tally = Tally::of("ini");
    holds("[s]\nk = {{name}}\nl = 1\n", Format::Ini, |it| {
        let lines: Vec<&str> = it.split('\n').collect();
        (lines.len() == 4 && lines[2] == "l = 1").then_some(())?;
        let value = lines[1].split_once('=')?.1.trim();
        (!value.contains([';', '#'])).then(|| value.to_owned())
    });
    holds("[{{name}}]\n{{name}} = 1\n", Format::Ini, |it| {
        let (section, key) = it.strip_prefix('[')?.split_once("]\n")?;
        let key = key.strip_suffix(" = 1\n")?;
        (key == section && !key.contains(['\n', '=', ']'])).then(|| key.to_owned())
    });
}

/// Reads the value of `K` as compose and systemd do where they agree.
fn env_value(text: &str) -> Option<String> {
    let rest = text.strip_prefix("K=")?.strip_suffix("\nL=1\n")?;
    for quote in ['\'', '"'] {
        if let Some(inner) = rest.strip_prefix(quote) {
            let inner = inner.strip_suffix(quote)?;
            let odd = inner.contains(quote) || inner.ends_with('\\');
            let read = quote == '\'' || !inner.contains(['$', '\\', '`']);
            return (read && !odd).then(|| inner.to_owned());
        }
    }
    let bare = rest
        .chars()
        .all(|it| it.is_ascii_alphanumeric() || "_./:@+,-".contains(it));
    bare.then(|| rest.to_owned())
}

#[test]
fn env() {
    let _tally = Tally::of("env");
    for source in ["K={{name}}\nL=1\n", "K='{{name}}'\nL=1\n", "K=\"{{name}}\"\nL=1\n"] {
        holds(source, Format::Env, env_value);
    }
}

#[test]
fn dockerfile() {
    let _tally = Tally::of("dockerfile");
    holds("FROM x\nCMD [\"a\", \"{{name}}\"]\n", Format::Dockerfile, |it| {
        let list: Vec<String> = serde_json::from_str(it.strip_prefix("FROM x\nCMD ")?).ok()?;
        list.into_iter().nth(1)
    });
    holds("FROM x\nRUN echo {{name}} z\n", Format::Dockerfile, |it| {
        shell_word(it.strip_prefix("FROM x\nRUN ")?, 1)
    });
    holds("FROM x\nENV A=\"{{name}}\"\n", Format::Dockerfile, |it| {
        let inner = it.strip_prefix("FROM x\nENV A=\"")?.strip_suffix("\"\n")?;
        let mut out = String::new();
        let mut chars = inner.chars();
        while let Some(ch) = chars.next() {
            match ch {
                '\\' => match chars.next()? {
                    it @ ('"' | '$' | '\\') => out.push(it),
                    it => out.extend(['\\', it]),
                },
                '"' | '$' | '\n' => return None,
                _ => out.push(ch),
            }
        }
        Some(out)
    });
    holds("FROM {{name}}\n", Format::Dockerfile, |it| {
        Some(it.strip_prefix("FROM ")?.trim_end().to_owned())
    });
}

#[test]
fn caddyfile() {
    let _tally = Tally::of("caddyfile");
    holds("a \"{{name}}\" z\n", Format::Caddyfile, |it| {
        let inner = it.strip_prefix("a \"")?.strip_suffix("\" z\n")?;
        (!inner.contains('{')).then(|| inner.replace("\\\"", "\""))
    });
    holds("a `{{name}}` z\n", Format::Caddyfile, |it| {
        let inner = it.strip_prefix("a `")?.strip_suffix("` z\n")?;
        (!inner.contains(['{', '`'])).then(|| inner.to_owned())
    });
    holds("{{name}} {\n}\n", Format::Caddyfile, |it| {
        let word = it.strip_suffix(" {\n}\n")?;
        (!word.contains(|it: char| it.is_whitespace() || "{}\"`#".contains(it))).then(|| word.to_owned())
    });
}

#[test]
fn safe_templates_mean_what_handlebars_says() {
    let source = "{{#each items as |i n|}}{{n}}:{{i.key}}={{bore}}{{#if @last}}.{{else}},{{/if}}\n  {{/each}}\n{{#with line}}\n  {{name}} {{../n}}\n{{/with}}\n  {{#unless on}}\nno\n {{else if line.note~}}\n  yes {{line.note}}\n{{~/unless}}\n{{#each env}}\n{{@key}} {{this}} {{@index}}\n{{else}}none{{/each}}\n\\{{ raw }} {{{{raw}}}} {{x}} {{{{/raw}}}}\n";
    let ours = rendered(source, Format::Plain);
    let json: serde_json::Value = serde_json::from_str(
        &crate::artifact::literal::Printer::Json
            .print(&Value::Map(context()))
            .unwrap(),
    )
    .unwrap();
    let mut registry = handlebars::Handlebars::new();
    registry.register_escape_fn(handlebars::no_escape);
    registry.set_strict_mode(true);
    assert_eq!(ours, registry.render_template(source, &json).unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_source_breaks_the_compiler(
        pieces in prop::collection::vec(
            prop_oneof![
                prop::sample::select(&PIECES[..]),
                prop::sample::select(&["{{name}}", "{{#if on}}", "{{/if}}", "{{else}}", "{{#each tags}}", "{{/each}}", "{{this}}", "{{{{raw}}}}", "{{{{/raw}}}}", "{{!--", "--}}", "--~}}", "{{~name~}}", "\\{{", "{{!-- delimiters: << >> --}}", "<<name>>", "{{> x}}", "{{#lang \"yaml\"}}", "{{/lang}}", "a = \"", "<<EOT\n"][..]),
            ],
            0..12,
        ),
        at in 0..10_usize,
    ) {
        let source = pieces.concat();
        let (template, problems) = compile(&source, Format::ALL[at]);
        prop_assert_eq!(template.is_none(), !problems.is_empty());
        let rendered = template.and_then(|it| Some((it.render_with_origins(&context()).ok()?, it.render(&context()))));
        if let Some(((text, origins), plain)) = rendered {
            prop_assert_eq!(plain.unwrap(), text.clone());
            let mut end = 0;
            for origin in origins {
                prop_assert_eq!(origin.range.start, end);
                end = origin.range.end;
            }
            prop_assert_eq!(end as usize, text.len());
        }
    }
}
