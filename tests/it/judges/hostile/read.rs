//! Artifacts read back: by a parser of their format, then what a platform does with the strings in them.
//!
//! All of it becomes JSON without an order, since a hostile name sorts in another place than a harmless one.

use std::collections::{BTreeMap, BTreeSet};

use hcl_edit::expr::{Expression, ObjectKey};
use hcl_edit::structure::Body;
use hcl_edit::template::Element;
use serde_json::{Map, Value, json};

/// The words of all fields, and the strings that stand for them.
pub(super) struct Words {
    strings: Vec<String>,
    is_hostile: Vec<bool>,
}

impl Words {
    /// Returns the words with these strings, of which those are counted that are hostile.
    pub(super) fn new(strings: Vec<String>, is_hostile: Vec<bool>) -> Self {
        Self { strings, is_hostile }
    }

    /// Returns `text` with the strings in the places of the words.
    pub(super) fn put_into(&self, text: &str) -> String {
        self.put(text, &mut BTreeSet::new())
    }

    fn put(&self, text: &str, seen: &mut BTreeSet<usize>) -> String {
        let mut made = String::new();
        let mut rest = text;
        while let Some((start, end, field)) = next_word(rest) {
            made.push_str(&rest[..start]);
            made.push_str(&self.strings[field]);
            if self.is_hostile[field] {
                seen.insert(field);
            }
            rest = &rest[end..];
        }
        made + rest
    }

    /// Returns a harmless value as it is meant, sorted; adds the fields that stand in it to `seen`.
    pub(super) fn meant(&self, tame: &Value, seen: &mut BTreeSet<usize>) -> Value {
        sorted(&self.meant_within(tame, seen))
    }

    fn meant_within(&self, tame: &Value, seen: &mut BTreeSet<usize>) -> Value {
        match tame {
            Value::String(text) => Value::String(self.put(text, seen)),
            Value::Array(items) => items.iter().map(|it| self.meant_within(it, seen)).collect(),
            Value::Object(map) => {
                let entries = map
                    .iter()
                    .map(|(key, it)| (self.put(key, seen), self.meant_within(it, seen)));
                Value::Object(entries.collect())
            }
            other => other.clone(),
        }
    }
}

/// Returns the fields whose words stand in `text`.
pub(super) fn words_in(text: &str) -> Vec<usize> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, end, field)) = next_word(rest) {
        found.push(field);
        rest = &rest[end..];
    }
    found
}

/// Returns the first `q…z` with a number in it: where it starts and ends, and the number.
fn next_word(text: &str) -> Option<(usize, usize, usize)> {
    for (start, _) in text.match_indices('q') {
        let digits = text[start + 1..].bytes().take_while(u8::is_ascii_digit).count();
        let end = start + 1 + digits;
        if digits > 0 && text[end..].starts_with('z') {
            return Some((start, end + 1, text[start + 1..end].parse().expect("these are digits")));
        }
    }
    None
}

/// Returns `value` with all lists in the order of what stands in them.
pub(super) fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(sorted).collect();
            items.sort_by_cached_key(Value::to_string);
            Value::Array(items)
        }
        Value::Object(map) => {
            let all: BTreeMap<&String, Value> = map.iter().map(|(key, it)| (key, sorted(it))).collect();
            Value::Object(all.into_iter().map(|(key, it)| (key.clone(), it)).collect())
        }
        other => other.clone(),
    }
}

/// Adds a line for each place at which two values differ.
pub(super) fn differences(at: &str, meant: &Value, found: &Value, lines: &mut Vec<String>) {
    match (meant, found) {
        _ if meant == found => {}
        (Value::Array(meant), Value::Array(found)) if meant.len() == found.len() => {
            for (nth, (meant, found)) in meant.iter().zip(found).enumerate() {
                differences(&format!("{at}[{nth}]"), meant, found, lines);
            }
        }
        (Value::Object(meant), Value::Object(found)) if meant.keys().eq(found.keys()) => {
            for (key, meant) in meant {
                differences(&format!("{at}.{key}"), meant, &found[key], lines);
            }
        }
        _ => lines.push(format!("{at}: meant {meant}, found {found}")),
    }
}

/// Returns what the artifact at `path` says.
pub(super) fn artifact(path: &str, text: &str) -> Result<Value, String> {
    let suffix = path.rsplit('.').next().unwrap_or_default();
    match suffix {
        "nomad" | "hcl" => {
            let body = hcl_edit::parser::parse_body(text).map_err(|error| error.to_string())?;
            Ok(settled(&hcl(&body)))
        }
        "yaml" => yaml(text).map(|it| expanded(&it)),
        "sh" => shell(text),
        _ => Err(format!("no parser reads `.{suffix}`")),
    }
}

/// Returns a job as the platform's own parser reads it, with the languages in it read too.
pub(super) fn job(parsed: &Value) -> Result<Value, String> {
    Ok(settled(parsed))
}

fn yaml(text: &str) -> Result<Value, String> {
    use serde::Deserialize as _;
    let documents = serde_yaml_ng::Deserializer::from_str(text).map(Value::deserialize);
    documents
        .collect::<Result<Vec<Value>, _>>()
        .map(Value::Array)
        .map_err(|error| error.to_string())
}

/// Returns a body as JSON: its arguments, and under `blocks` its blocks with their types and labels.
fn hcl(body: &Body) -> Value {
    let mut map = Map::new();
    let mut blocks = Vec::new();
    for structure in body {
        if let Some(attribute) = structure.as_attribute() {
            map.insert(attribute.key.as_str().to_owned(), expression(&attribute.value));
        } else if let Some(block) = structure.as_block() {
            let labels: Vec<&str> = block.labels.iter().map(|it| it.as_str()).collect();
            blocks.push(json!({"type": block.ident.as_str(), "labels": labels, "body": hcl(&block.body)}));
        }
    }
    map.insert("blocks".to_owned(), Value::Array(blocks));
    Value::Object(map)
}

fn expression(value: &Expression) -> Value {
    let elements = |elements: &mut dyn Iterator<Item = &Element>| -> String {
        let element = |it: &Element| match it {
            Element::Literal(text) => text.as_str().to_owned(),
            // A sign that no text of ours holds, so that what is evaluated is never taken for what is meant.
            Element::Interpolation(it) => format!("\u{1}{}\u{1}", it.expr.to_string().trim()),
            Element::Directive(_) => "\u{1}".to_owned(),
        };
        elements.map(element).collect()
    };
    match value {
        Expression::String(text) => Value::String(text.as_str().to_owned()),
        Expression::StringTemplate(template) => Value::String(elements(&mut template.iter())),
        Expression::HeredocTemplate(heredoc) => Value::String(elements(&mut heredoc.template.iter())),
        Expression::Array(items) => items.iter().map(expression).collect(),
        Expression::Object(object) => {
            let entries = object.iter().map(|(key, it)| {
                let key = match key {
                    ObjectKey::Ident(name) => name.as_str().to_owned(),
                    ObjectKey::Expression(key) => expression(key).as_str().unwrap_or_default().to_owned(),
                };
                (key, expression(it.expr()))
            });
            Value::Object(entries.collect())
        }
        Expression::Bool(truth) => Value::Bool(*truth.value()),
        other => Value::String(format!("\u{1}{}\u{1}", other.to_string().trim())),
    }
}

/// Returns a job with its templates read, its variables in one place, and its drivers' configs evaluated a second time.
///
/// It knows both forms of a job: that of [`hcl`], and that which the platform's own parser gives.
fn settled(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(settled).collect(),
        Value::Object(map) if map.get("type").is_some_and(|it| it == "task") => task(map, "body"),
        Value::Object(map) if map.contains_key("Templates") => task(map, ""),
        Value::Object(map) => map.iter().map(|(key, it)| (key.clone(), settled(it))).collect(),
        other => other.clone(),
    }
}

fn task(map: &Map<String, Value>, body: &str) -> Value {
    let mut variables = Map::new();
    let mut rest = Map::new();
    let mut templates = Vec::new();
    if body.is_empty() {
        for (key, value) in map {
            match (key.as_str(), value) {
                ("Env", Value::Object(env)) => variables.extend(env.clone()),
                ("Templates", Value::Array(all)) => {
                    for it in all {
                        templates.push((it["DestPath"].clone(), it["EmbeddedTmpl"].clone()));
                    }
                }
                ("Config", config) => _ = rest.insert(key.clone(), evaluated(config)),
                _ => _ = rest.insert(key.clone(), value.clone()),
            }
        }
    } else {
        rest.insert("labels".to_owned(), map["labels"].clone());
        for (key, value) in map[body].as_object().expect("a body is a map") {
            let Value::Array(blocks) = value else {
                rest.insert(key.clone(), value.clone());
                continue;
            };
            for block in blocks {
                match block["type"].as_str() {
                    Some("env") => variables.extend(block["body"].as_object().expect("a body is a map").clone()),
                    Some("template") => {
                        templates.push((block["body"]["destination"].clone(), block["body"]["data"].clone()));
                    }
                    Some("config") => _ = rest.insert("config".to_owned(), evaluated(&block["body"])),
                    _ => {
                        let key = format!("blocks {}", block["type"]);
                        let blocks = rest.entry(key).or_insert_with(|| json!([]));
                        blocks
                            .as_array_mut()
                            .expect("it was made as one")
                            .push(block["body"].clone());
                    }
                }
            }
        }
    }
    variables.remove("blocks");
    let mut read = Vec::new();
    for (path, text) in templates {
        let path = path.as_str().unwrap_or_default().to_owned();
        let text = text.as_str().unwrap_or_default();
        let printed = go_template(text);
        match path.as_str() {
            "secrets/variables.env" => match printed.and_then(|it| env_lines(&it)) {
                Ok(lines) => variables.extend(lines),
                Err(why) => read.push(json!([path, why, text])),
            },
            "local/config.yaml" => read.push(json!([
                path,
                printed.and_then(|it| yaml(&it)).unwrap_or_else(Value::from)
            ])),
            "local/wait.sh" => read.push(json!([
                path,
                printed.and_then(|it| shell(&it)).unwrap_or_else(Value::from)
            ])),
            _ => read.push(json!([path, printed.unwrap_or_else(|why| why)])),
        }
    }
    rest.insert("variables".to_owned(), Value::Object(variables));
    rest.insert("templates".to_owned(), Value::Array(read));
    Value::Object(rest)
}

/// A name that the platform knows at run time: whoever writes it means that it is replaced.
const KNOWN: &str = "${NOMAD_TASK_DIR}";

/// Returns what becomes of a driver's config when the client evaluates its strings.
fn evaluated(config: &Value) -> Value {
    match config {
        Value::String(text) => {
            let mut made = String::new();
            let mut rest = text.as_str();
            while let Some(at) = rest.find(['$', '%']) {
                made.push_str(&rest[..at]);
                rest = &rest[at..];
                let sign = &rest[..1];
                if rest[1..].starts_with(sign) && rest[2..].starts_with('{') {
                    made.push_str(&rest[1..3]);
                    rest = &rest[3..];
                } else if rest.starts_with(KNOWN) {
                    made.push_str(KNOWN);
                    rest = &rest[KNOWN.len()..];
                } else {
                    // What the client would replace is marked, so that it is never taken for what is meant.
                    made.push_str(if rest[1..].starts_with('{') { "\u{1}" } else { sign });
                    rest = &rest[1..];
                }
            }
            Value::String(made + rest)
        }
        Value::Array(items) => items.iter().map(evaluated).collect(),
        Value::Object(map) => map.iter().map(|(key, it)| (key.clone(), evaluated(it))).collect(),
        other => other.clone(),
    }
}

/// Returns the variables of a file of them, each on a line with its value as JSON.
fn env_lines(text: &str) -> Result<Map<String, Value>, String> {
    let mut variables = Map::new();
    for line in text.lines().filter(|it| !it.trim().is_empty()) {
        let (key, value) = line.split_once('=').ok_or_else(|| format!("no variable: {line:?}"))?;
        let value: Value = serde_json::from_str(value).map_err(|error| format!("{error}: {line:?}"))?;
        variables.insert(key.to_owned(), value);
    }
    Ok(variables)
}

/// Returns what a template of Go prints, with each action that looks something up in its place as a word.
fn go_template(text: &str) -> Result<String, String> {
    let mut defined: BTreeMap<String, String> = BTreeMap::new();
    // What is printed at each level of blocks, and the name under which it is kept.
    let mut open: Vec<(Option<String>, String)> = vec![(None, String::new())];
    let mut rest = text;
    let mut trims = false;
    loop {
        let at = rest.find("{{");
        let mut literal = &rest[..at.unwrap_or(rest.len())];
        if trims {
            literal = literal.trim_start();
        }
        let Some(at) = at else {
            open.last_mut().expect("the first is never closed").1.push_str(literal);
            break;
        };
        let (words, after, marks) = action(&rest[at + 2..])?;
        let literal = if marks.0 { literal.trim_end() } else { literal };
        open.last_mut().expect("the first is never closed").1.push_str(literal);
        trims = marks.1;
        rest = after;
        let (_, printed) = open.last_mut().expect("the first is never closed");
        let all: Vec<&str> = words.iter().map(|it| it.0.as_str()).collect();
        match (words.first().is_some_and(|it| it.1), &all[..]) {
            (true, [string]) => printed.push_str(string),
            (false, ["define", name]) => open.push((Some((*name).to_owned()), String::new())),
            (false, ["with" | "range" | "if", ..]) => {
                let head = format!("({}:", all.join(" "));
                open.push((None, head));
            }
            (false, ["end"]) => {
                let (name, text) = open.pop().filter(|_| !open.is_empty()).ok_or("an `end` too many")?;
                match name {
                    Some(name) => _ = defined.insert(name, text),
                    None => open
                        .last_mut()
                        .expect("the first is never closed")
                        .1
                        .push_str(&format!("{text})")),
                }
            }
            (false, ["executeTemplate", name, "|", "toJSON"]) => {
                let text = defined.get(*name).ok_or_else(|| format!("no template {name:?}"))?;
                printed.push_str(&json!(text).to_string());
            }
            (false, [head @ .., "|", "toJSON"]) => printed.push_str(&json!(head.join(" ")).to_string()),
            _ => printed.push_str(&format!("({})", all.join(" "))),
        }
    }
    match &open[..] {
        [(_, text)] => Ok(text.clone()),
        _ => Err("a block is not closed".to_owned()),
    }
}

/// An action's words, each with whether it is a string; what stands behind it; whether it trims on either side.
type Action<'t> = (Vec<(String, bool)>, &'t str, (bool, bool));

/// Reads an action up to its closing braces.
fn action(text: &str) -> Result<Action<'_>, String> {
    let before = text.strip_prefix("- ").is_some();
    let mut rest = text.strip_prefix('-').filter(|_| before).unwrap_or(text);
    let mut words = Vec::new();
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix("-}}") {
            return Ok((words, after, (before, true)));
        } else if let Some(after) = rest.strip_prefix("}}") {
            return Ok((words, after, (before, false)));
        } else if let Some(string) = rest.strip_prefix('"') {
            let mut escaped = false;
            let end = string.find(|it| {
                let ends = it == '"' && !escaped;
                escaped = it == '\\' && !escaped;
                ends
            });
            let end = end.ok_or_else(|| format!("a string is not closed: {rest:?}"))?;
            let source = &rest[..end + 2];
            let read = serde_json::from_str(source).map_err(|error| format!("{error}: {source:?}"))?;
            words.push((read, true));
            rest = &rest[end + 2..];
        } else {
            let end = rest
                .find(|it: char| it.is_whitespace() || "\"{}".contains(it) || (it == '-' && rest.starts_with("-}}")));
            let end = end.ok_or_else(|| format!("an action is not closed: {rest:?}"))?;
            if end == 0 {
                return Err(format!("no action: {rest:?}"));
            }
            words.push((rest[..end].to_owned(), false));
            rest = &rest[end..];
        }
    }
}

/// Returns a manifest with the arguments and variables of its containers as the kubelet expands them.
fn expanded(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(expanded).collect(),
        Value::Object(map) => {
            if let Some(Value::String(name)) = map.get("name").filter(|_| is_made_name(map)) {
                // A volume's name is made of the path, which stands beside it as it is.
                let mut rest = map.clone();
                let kind = name.split('-').next().unwrap_or_default();
                rest.insert("name".to_owned(), Value::from(kind));
                return Value::Object(rest);
            }
            let is_container = map.contains_key("image");
            let entry = |(key, it): (&String, &Value)| {
                let expands = is_container && ["command", "args", "env"].contains(&key.as_str());
                (key.clone(), if expands { expand_all(it) } else { expanded(it) })
            };
            Value::Object(map.iter().map(entry).collect())
        }
        other => other.clone(),
    }
}

/// Tells whether a map is a volume of a pod, or its mount.
fn is_made_name(map: &Map<String, Value>) -> bool {
    map.contains_key("mountPath") || map.contains_key("emptyDir")
}

fn expand_all(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(expand_all).collect(),
        Value::Object(map) => {
            let entry =
                |(key, it): (&String, &Value)| (key.clone(), if key == "name" { it.clone() } else { expand_all(it) });
            Value::Object(map.iter().map(entry).collect())
        }
        Value::String(text) => Value::String(expand(text)),
        other => other.clone(),
    }
}

/// Does what the kubelet does: `$$` is a dollar sign, `$(NAME)` a variable, which is marked here.
fn expand(text: &str) -> String {
    let mut made = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        made.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            made.push('$');
            rest = after;
        } else if let Some((name, after)) = rest.strip_prefix('(').and_then(|it| it.split_once(')')) {
            made.push_str(&format!("\u{1}{name}\u{1}"));
            rest = after;
        } else {
            made.push('$');
        }
    }
    made + rest
}

/// Returns the words of a script as the characters that a program gets, what is expanded in them between signs of its own.
fn shell(text: &str) -> Result<Value, String> {
    let tokens = brush_parser::tokenize_str(text).map_err(|error| error.to_string())?;
    Ok(tokens.iter().map(|it| Value::String(unquoted(it.to_str()))).collect())
}

fn unquoted(word: &str) -> String {
    use brush_parser::word::{WordPiece, WordPieceWithSource};
    fn plain(pieces: &[WordPieceWithSource]) -> String {
        let piece = |it: &WordPieceWithSource| match &it.piece {
            WordPiece::Text(text) | WordPiece::SingleQuotedText(text) => text.clone(),
            WordPiece::EscapeSequence(text) => text.strip_prefix('\\').unwrap_or(text).to_owned(),
            WordPiece::DoubleQuotedSequence(pieces) => plain(pieces),
            WordPiece::CommandSubstitution(text) | WordPiece::BackquotedCommandSubstitution(text) => {
                format!("\u{1}{text}\u{1}")
            }
            expanded => format!("\u{1}{expanded:?}\u{1}"),
        };
        pieces.iter().map(piece).collect()
    }
    match brush_parser::word::parse(word, &brush_parser::ParserOptions::default()) {
        Ok(pieces) => plain(&pieces),
        Err(_) => format!("\u{1}{word}\u{1}"),
    }
}
