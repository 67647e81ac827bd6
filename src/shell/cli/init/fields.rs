//! What a compose file says in words of its own, as a spec says it: which key is which field, and how its value is written, is data
//! (`table`). What the table has no word for, and what can't be written as a spec would have it, is left out and named.

use super::print::value;
use super::table::lines;
use super::tree::Tree;
use crate::kind::Bare;
use crate::kind::credential;
use crate::kind::unit;
use crate::yaml::{Data, Yaml};

/// The longest value of what is left out that is named with its key.
const LONGEST: usize = 40;

/// What is said of a service or of infrastructure: what a spec says too, and what is left out.
#[derive(Default)]
pub(super) struct Said {
    pub(super) fields: Tree,
    pub(super) left_out: Vec<String>,
}

impl Said {
    /// Takes over what stands at `path` of the compose file, by the lines of the table that tell `what`.
    pub(super) fn take(&mut self, what: &'static str, path: &str, yaml: &Yaml, text: &str) {
        if yaml.data == Data::Null {
            return;
        }
        if let Some(line) = lines(what).find(|it| it.file == path) {
            match line.name.zip(written(line.word.unwrap_or_default(), yaml, text)) {
                Some((field, written)) => self.fields.put(&field.split('.').collect::<Vec<_>>(), written),
                None => self.leave_out(path, yaml, text),
            }
            return;
        }
        let within = |it: &str| it.strip_prefix(path).is_some_and(|it| it.starts_with('.'));
        if yaml.entries().is_empty() || !lines(what).any(|it| within(it.file)) {
            self.leave_out(path, yaml, text);
            return;
        }
        for entry in yaml.entries() {
            self.take(what, &format!("{path}.{}", entry.key), &entry.value, text);
        }
    }

    /// Names what stands at `path` as left out, with each value that is short and no secret.
    pub(super) fn leave_out(&mut self, path: &str, yaml: &Yaml, text: &str) {
        let items: Vec<&Yaml> = match &yaml.data {
            Data::List(items) => items.iter().collect(),
            _ => vec![yaml],
        };
        self.leave_out_all(path, &items, text);
    }

    /// Names `items` of the list at `path` as left out, if there are any.
    pub(super) fn leave_out_all(&mut self, path: &str, items: &[&Yaml], text: &str) {
        if items.is_empty() {
            return;
        }
        let is_shown = |it: &String| {
            it.len() <= LONGEST
                && !it.starts_with('-')
                && !it.contains(char::is_whitespace)
                && credential::looks_like(it, Some(path)).is_none()
        };
        let mut shown: Vec<String> = items.iter().filter_map(|it| plain(it, text)).filter(is_shown).collect();
        if !shown.is_empty() && shown.len() < items.len() {
            shown.push("…".to_owned());
        }
        shown.insert(0, path.to_owned());
        self.left_out.push(shown.join(" "));
    }
}

/// Returns a value as a spec writes one of this type, if it can be written so.
fn written(ty: &str, yaml: &Yaml, text: &str) -> Option<String> {
    let scalar = || settled(&plain(yaml, text)?);
    let whole = || scalar()?.parse::<u32>().ok();
    match ty {
        "text" => quoted(&scalar()?),
        "flag" => scalar().filter(|it| ["true", "false"].contains(&it.as_str())),
        "count" => whole().map(|it| it.to_string()),
        "number" => whole().filter(|it| *it > 0).map(|it| it.to_string()),
        "cpu" => unit::cpu(&scalar()?, Bare::Cores, 1000)
            .ok()
            .filter(|it| *it > 0)
            .map(unit::cpu_text),
        "size" => size(&scalar()?),
        "time" => scalar().filter(|it| !it.contains(char::is_whitespace) && unit::duration(it).is_ok_and(|it| it > 0)),
        "word" => {
            let word = scalar()?;
            lines("word").find(|it| it.file == word)?.name.map(str::to_owned)
        }
        "list" => list(yaml, text)?
            .iter()
            .map(|it| quoted(it))
            .collect::<Option<Vec<_>>>()
            .map(|it| joined(&it)),
        "words" => {
            let words = match yaml.as_str() {
                Some(line) => words(&settled(line)?)?,
                None => list(yaml, text)?,
            };
            Some(joined(&words.iter().map(|it| value(it)).collect::<Vec<_>>())).filter(|_| !words.is_empty())
        }
        "labels" => labels(yaml, text),
        _ => None,
    }
}

fn joined(items: &[String]) -> String {
    format!("[{}]", items.join(", "))
}

/// Returns a text in quotes; one that holds what looks like a reference has no form where none may stand.
fn quoted(text: &str) -> Option<String> {
    (!text.contains("${")).then(|| value(text))
}

/// Returns the name of a database or a user, where it is a plain one, as every platform takes it.
pub(super) fn name_of(written: &str) -> Option<String> {
    let is_plain = |it: &String| {
        it.starts_with(|it: char| it.is_ascii_lowercase() || it == '_')
            && it
                .chars()
                .all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '_')
    };
    settled(written).filter(is_plain)
}

/// Returns a scalar without its quotes.
pub(super) fn plain(yaml: &Yaml, text: &str) -> Option<String> {
    match &yaml.data {
        Data::String(content) => Some(content.content.to_string()),
        Data::Bool(_) | Data::Int(_) | Data::Double { .. } => Some(yaml.source(text).to_owned()),
        Data::Null | Data::List(_) | Data::Map(_) => None,
    }
}

/// Returns a scalar or a list of scalars as a list.
fn list(yaml: &Yaml, text: &str) -> Option<Vec<String>> {
    let items = match &yaml.data {
        Data::List(items) => items.as_slice(),
        _ => std::slice::from_ref(yaml),
    };
    items.iter().map(|it| settled(&plain(it, text)?)).collect()
}

/// Returns a text without what Compose puts in for variables: each has its default; without one it comes from outside.
pub(super) fn settled(text: &str) -> Option<String> {
    let mut settled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        settled.push_str(before);
        rest = if let Some(after) = after.strip_prefix('$') {
            settled.push('$');
            after
        } else {
            let (inner, after) = after.strip_prefix('{')?.split_once('}')?;
            let (name, default) = inner.split_once('-')?;
            let name = name.strip_suffix(':').unwrap_or(name);
            let is_name = name.chars().all(|it| it.is_ascii_alphanumeric() || it == '_');
            settled.push_str(Some(default).filter(|it| is_name && !it.contains('$'))?);
            after
        };
    }
    settled.push_str(rest);
    Some(settled)
}

/// Returns the words of a line as a shell splits them, which Compose does without one; none where a quote is open.
fn words(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut rest = line.chars().peekable();
    while let Some(character) = rest.next() {
        match (quote, character) {
            (None, it) if it.is_whitespace() => words.extend(word.take()),
            (None, '\'' | '"') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (Some(open), it) if it == open => quote = None,
            (None, '\\') => word.get_or_insert_default().push(rest.next()?),
            (Some('"'), '\\') if rest.peek().is_some_and(|it| "\"\\$`".contains(*it)) => {
                word.get_or_insert_default().push(rest.next()?);
            }
            (_, it) => word.get_or_insert_default().push(it),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

/// Returns a size: what Compose counts in letters is binary.
fn size(text: &str) -> Option<String> {
    let text = text.to_ascii_lowercase();
    let digits = text
        .find(|it: char| !it.is_ascii_digit() && it != '.')
        .unwrap_or(text.len());
    let unit = match &text[digits..] {
        "" | "b" => "B",
        "k" | "kb" => "Ki",
        "m" | "mb" => "Mi",
        "g" | "gb" => "Gi",
        _ => return None,
    };
    let bytes = unit::memory(&format!("{}{unit}", &text[..digits]), Bare::Refused).ok()?;
    let text = unit::memory_text(bytes);
    let unit = if text.ends_with(char::is_numeric) { "B" } else { "" };
    (bytes > 0).then(|| format!("{text}{unit}"))
}

/// Returns labels that every platform can keep: all of them, or none.
fn labels(yaml: &Yaml, text: &str) -> Option<String> {
    let is_plain = |it: &str| {
        !it.is_empty() && it.len() < 64 && it.chars().all(|it| it.is_ascii_alphanumeric() || "-_./".contains(it))
    };
    let mut tree = Tree::default();
    for (key, content) in pairs(yaml, text) {
        if !is_plain(&key) || !is_plain(&content) || content.contains('/') {
            return None;
        }
        tree.put(&[key.as_str()], value(&content));
    }
    Some(tree.flow()).filter(|_| tree != Tree::default())
}

/// Returns names and values, whether they stand in a map or in a list of `NAME=value`.
pub(super) fn pairs(yaml: &Yaml, text: &str) -> Vec<(String, String)> {
    let entries = yaml.entries().iter();
    let entries = entries.map(|it| (it.key.to_string(), plain(&it.value, text).unwrap_or_default()));
    let items = yaml.items().iter().filter_map(Yaml::as_str).map(|it| {
        let (name, value) = it.split_once('=').unwrap_or((it, ""));
        (name.to_owned(), value.to_owned())
    });
    entries.chain(items).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_split_as_a_shell_does() {
        let split = |line: &str| words(line).map(|it| it.join("|"));
        assert_eq!(
            split("a  --b='c d' \"e \\\" $x\" f\\ g ''").as_deref(),
            Some("a|--b=c d|e \" $x|f g|")
        );
        assert_eq!(split("a 'b"), None);
    }

    #[test]
    fn a_variable_has_its_default_or_comes_from_outside() {
        assert_eq!(settled("x:${TAG:-1.2}-${OS-deb}$$").as_deref(), Some("x:1.2-deb$"));
        for outer in ["${TAG}", "$TAG", "${A:?b-c}", "${A:-${B}}", "${A:-1"] {
            assert_eq!(settled(outer), None, "{outer}");
        }
    }

    #[test]
    fn a_letter_of_a_size_is_binary() {
        assert_eq!(size("512M").as_deref(), Some("512Mi"));
        assert_eq!(size("1.5gb").as_deref(), Some("1536Mi"));
        assert_eq!(size("2097152").as_deref(), Some("2Mi"));
        assert_eq!(size("1000").as_deref(), Some("1000B"));
        assert_eq!(size("lots"), None);
    }
}
