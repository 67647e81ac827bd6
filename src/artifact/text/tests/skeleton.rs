//! Property test of the lexers: whatever template is let through, no value changes the structure of what is printed.

use hcl_edit::expr::Expression;
use hcl_edit::structure::Body;
use hcl_edit::template::Element;
use proptest::prelude::*;

use super::hostile::hostile;
use super::*;
use crate::artifact::parse::check_output;
use crate::yaml::{Data, Yaml};

fn hcl_body(body: &Body, out: &mut String) {
    for structure in body {
        if let Some(attribute) = structure.as_attribute() {
            out.push('a');
            hcl_value(&attribute.value, out);
        } else if let Some(block) = structure.as_block() {
            out.push_str(&format!("b{}(", block.labels.len()));
            hcl_body(&block.body, out);
            out.push(')');
        }
    }
}

fn hcl_text<'a>(elements: impl Iterator<Item = &'a Element>, out: &mut String) {
    for element in elements {
        if let Some(interpolation) = element.as_interpolation() {
            out.push('$');
            hcl_value(&interpolation.expr, out);
        } else if element.is_directive() {
            out.push('%');
        }
    }
    out.push('s');
}

fn hcl_value(value: &Expression, out: &mut String) {
    match value {
        Expression::String(_) => out.push('s'),
        Expression::StringTemplate(template) => hcl_text(template.iter(), out),
        Expression::HeredocTemplate(heredoc) => hcl_text(heredoc.template.iter(), out),
        Expression::Array(items) => {
            out.push('[');
            items.iter().for_each(|it| hcl_value(it, out));
            out.push(']');
        }
        Expression::Object(object) => {
            out.push('{');
            object.iter().for_each(|(_, it)| hcl_value(it.expr(), out));
            out.push('}');
        }
        _ => out.push('x'),
    }
}

fn yaml(value: &Yaml, out: &mut String) {
    match &value.data {
        Data::List(items) => {
            out.push('[');
            items.iter().for_each(|it| yaml(it, out));
            out.push(']');
        }
        Data::Map(entries) => {
            out.push('{');
            entries.iter().for_each(|it| yaml(&it.value, out));
            out.push('}');
        }
        Data::String(_) => out.push('s'),
        _ => out.push('x'),
    }
}

fn json(value: &serde_json::Value, out: &mut String) {
    match value {
        serde_json::Value::Array(items) => {
            out.push('[');
            items.iter().for_each(|it| json(it, out));
            out.push(']');
        }
        serde_json::Value::Object(map) => {
            out.push('{');
            map.values().for_each(|it| json(it, out));
            out.push('}');
        }
        serde_json::Value::String(_) => out.push('s'),
        _ => out.push('x'),
    }
}

fn shell_word(word: &str, out: &mut String) -> Option<()> {
    use brush_parser::word::{WordPiece, WordPieceWithSource};
    fn pieces(all: &[WordPieceWithSource], out: &mut String) {
        for piece in all {
            match &piece.piece {
                WordPiece::DoubleQuotedSequence(inner) => pieces(inner, out),
                WordPiece::Text(_) | WordPiece::SingleQuotedText(_) | WordPiece::EscapeSequence(_) => {}
                _ => out.push('$'),
            }
        }
    }
    pieces(
        &brush_parser::word::parse(word, &brush_parser::ParserOptions::default()).ok()?,
        out,
    );
    out.push('w');
    Some(())
}

/// Returns the structure of `text` without any of its strings.
fn skeleton(format: Format, text: &str) -> Option<String> {
    let mut out = String::new();
    match format {
        Format::Hcl => hcl_body(&hcl_edit::parser::parse_body(text).ok()?, &mut out),
        Format::Yaml => {
            let (value, mistakes) = crate::yaml::parse(text);
            mistakes.is_empty().then_some(())?;
            if let Some(value) = value {
                yaml(&value, &mut out);
            }
        }
        Format::Json => json(&serde_json::from_str(text).ok()?, &mut out),
        Format::Toml => {
            let table: toml::Table = toml::from_str(text).ok()?;
            // Tables are sorted by their keys, which are values here: only their shapes count.
            let mut shapes: Vec<String> = Vec::new();
            for value in table.values() {
                let mut shape = String::new();
                json(&serde_json::to_value(value).ok()?, &mut shape);
                shapes.push(shape);
            }
            shapes.sort();
            out = shapes.concat();
        }
        Format::Shell => {
            // After `<<` come the delimiter, the text and the delimiter again, each as a word.
            let mut heredoc = 0;
            for token in brush_parser::tokenize_str(text).ok()? {
                match token {
                    brush_parser::Token::Operator(text, _) => {
                        if text.starts_with("<<") && text != "<<<" {
                            heredoc = 3;
                        }
                        out.push_str(&text);
                    }
                    brush_parser::Token::Word(..) if heredoc > 0 => {
                        heredoc -= 1;
                        out.push('h');
                    }
                    brush_parser::Token::Word(text, _) => shell_word(&text, &mut out)?,
                }
            }
        }
        _ => return None,
    }
    Some(out)
}

fn words(format: Format) -> &'static [&'static str] {
    match format {
        Format::Hcl => &[
            "a = ",
            "b ",
            "c \"l\" {\n",
            "}\n",
            "\n",
            "\"",
            "\"",
            "[",
            "]",
            "{",
            "}",
            ", ",
            "1",
            "true",
            "<<EOT\n",
            "<<-EOT\n",
            "\nEOT\n",
            "EOT",
            "# ",
            "/* ",
            " */",
            "${",
            "}",
            "$",
            "%",
            "$${",
            "x",
            " ",
            "\\n",
            "//",
            "(",
            ")",
            " = ",
            ": ",
        ],
        Format::Yaml => &[
            "a: ", "b:\n", "  ", "- ", "\n", "\"", "\"", "'", "'", "[", "]", "{", "}", ", ", ": ", "# ", "|\n",
            "|-\n  ", ">\n", "x", " ", "1", "    ", "\n  ", "- - ", "? ", "!t ", "---\n",
        ],
        Format::Json => &[
            "{", "}", "[", "]", "\"", "\"", ": ", ", ", "1", "true", "\\\"", "\\\\", " ", "\n", "x", "\"k\": ",
        ],
        Format::Toml => &[
            "a = ", "b = ", "[t]\n", "\n", "\"", "\"", "'", "'", "\"\"\"", "'''", "[", "]", "{", "}", ", ", "1",
            "true", "# ", "x", " ", "\\n", " = ",
        ],
        _ => &[
            "echo ",
            "A=",
            " ",
            "\n",
            "'",
            "'",
            "\"",
            "\"",
            "<<EOT\n",
            "<<'EOT'\n",
            "<<-EOT\n",
            "\nEOT\n",
            "EOT",
            "$(",
            ")",
            "# ",
            "; ",
            "| ",
            "> ",
            "x",
            "\\",
            "$X",
            "${",
            "}",
            "if true; then ",
            "\nfi\n",
            "(",
            "&& ",
            "cat ",
            "`",
        ],
    }
}

fn source(format: Format) -> impl Strategy<Value = String> {
    let tags = [
        "{{name}}",
        "{{name}}",
        "{{#if on}}",
        "{{/if}}",
        "{{#each tags}}",
        "{{/each}}",
        "{{n}}",
        "{{json name}}",
    ];
    let piece = prop_oneof![
        3 => prop::sample::select(words(format)),
        2 => prop::sample::select(tags.to_vec()),
    ];
    prop::collection::vec(piece, 1..14).prop_map(|it| it.concat())
}

fn holds(format: Format) {
    let seeds = (source(format), hostile(), prop::collection::vec(hostile(), 0..3));
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 10_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let compared = std::cell::Cell::new(0);
    let result = runner.run(&seeds, |(source, name, tags)| {
        let (Some(template), _) = compile(&source, format) else {
            return Ok(());
        };
        let of = |name: &str, tags: &[&str]| only("name", name.into()).with("tags", strings(tags));
        let tame: Vec<&str> = tags.iter().map(|_| "tame").collect();
        let Ok(text) = template.render(&of("tame", &tame)) else {
            return Ok(());
        };
        let Some(wanted) = skeleton(format, &text).filter(|_| check_output(format, &text).is_ok()) else {
            return Ok(());
        };
        let wild: Vec<&str> = tags.iter().map(|it| &**it).collect();
        let Ok(text) = template.render(&of(&name, &wild)) else {
            return Ok(());
        };
        compared.set(compared.get() + 1);
        // A key that appears twice is a mistake of the spec, which only some values make.
        match check_output(format, &text) {
            Err(failure) if failure.message.contains("duplicate") || failure.message.contains("twice") => return Ok(()),
            Err(failure) => return Err(TestCaseError::fail(format!("{failure}\n{text}"))),
            Ok(()) => {}
        }
        prop_assert_eq!(skeleton(format, &text), Some(wanted), "{}", text);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    assert!(compared.get() > 100, "only {} were compared", compared.get());
}

#[test]
fn hcl_keeps_its_structure() {
    holds(Format::Hcl);
}

#[test]
fn yaml_keeps_its_structure() {
    holds(Format::Yaml);
}

#[test]
fn json_keeps_its_structure() {
    holds(Format::Json);
}

#[test]
fn toml_keeps_its_structure() {
    holds(Format::Toml);
}

#[test]
fn shell_keeps_its_structure() {
    holds(Format::Shell);
}
