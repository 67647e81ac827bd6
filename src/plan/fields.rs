//! The difference of two files by field: for YAML, JSON, TOML and HCL, beside the difference of their lines.
//!
//! Items of a list are known by their `name` where each has one, else by their place.

use hcl_edit::structure::{Body, Structure};
use serde::Serialize;

use crate::yaml::{self, Data, Yaml};

/// A field that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldChange {
    /// The way to it.
    pub path: String,
    /// What it was; none where it did not exist.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    /// What it is; none where it no longer exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
}

/// A file as a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Tree {
    Leaf(String),
    Map(Vec<(String, Tree)>),
}

/// Returns the fields in which two versions of the file at `path` differ; none where its format has no fields, or one
/// of the two can't be read. What no suffix tells is tried as HCL, which many programs call by a name of their own.
#[must_use]
pub fn changes(path: &str, old: &[u8], new: &[u8]) -> Option<Vec<FieldChange>> {
    let (old, new) = (std::str::from_utf8(old).ok()?, std::str::from_utf8(new).ok()?);
    let read: fn(&str) -> Option<Tree> = match path.rsplit('.').next()? {
        "yaml" | "yml" | "json" => yaml_tree,
        "toml" => toml_tree,
        _ => hcl_tree,
    };
    let mut found = Vec::new();
    compare(String::new(), Some(&read(old)?), Some(&read(new)?), &mut found);
    Some(found)
}

impl FieldChange {
    /// Says it on one line.
    #[must_use]
    pub fn sentence(&self) -> String {
        let path = &self.path;
        match (&self.old, &self.new) {
            (Some(old), Some(new)) => format!("{path}: {old} → {new}"),
            (None, Some(new)) => format!("{path}: {new}, new"),
            (Some(old), None) => format!("{path}: {old}, gone"),
            (None, None) => path.clone(),
        }
    }
}

fn compare(path: String, old: Option<&Tree>, new: Option<&Tree>, found: &mut Vec<FieldChange>) {
    if old == new {
        return;
    }
    let entries = |tree: Option<&Tree>| match tree {
        Some(Tree::Map(entries)) => Some(entries.clone()),
        None => Some(Vec::new()),
        Some(Tree::Leaf(_)) => None,
    };
    let is_map = |tree: Option<&Tree>| matches!(tree, Some(Tree::Map(entries)) if !entries.is_empty());
    if let (Some(before), Some(after)) = (entries(old), entries(new))
        && (is_map(old) || is_map(new))
    {
        let get = |entries: &[(String, Tree)], key: &str| entries.iter().find(|it| it.0 == key).map(|it| it.1.clone());
        let gone = before.iter().filter(|it| get(&after, &it.0).is_none());
        for (key, _) in after.iter().chain(gone) {
            let path = if path.is_empty() || key.starts_with('[') {
                format!("{path}{key}")
            } else {
                format!("{path}.{key}")
            };
            compare(path, get(&before, key).as_ref(), get(&after, key).as_ref(), found);
        }
        return;
    }
    let shown = |tree: Option<&Tree>| match tree {
        Some(Tree::Leaf(text)) => Some(text.clone()),
        Some(Tree::Map(_)) => Some("{…}".to_owned()),
        None => None,
    };
    found.push(FieldChange {
        path,
        old: shown(old),
        new: shown(new),
    });
}

/// Names the items of a list.
fn items(items: Vec<Tree>) -> Tree {
    let name = |item: &Tree| match item {
        Tree::Map(entries) => entries.iter().find(|it| it.0 == "name").and_then(|it| match &it.1 {
            Tree::Leaf(text) => Some(text.clone()),
            Tree::Map(_) => None,
        }),
        Tree::Leaf(_) => None,
    };
    let names: Option<Vec<String>> = items.iter().map(name).collect();
    let mut sorted = names.clone().unwrap_or_default();
    sorted.sort();
    sorted.dedup();
    let are_names = sorted.len() == items.len();
    let key = |nth: usize| match &names {
        Some(names) if are_names => format!("[{}]", names[nth]),
        _ => format!("[{nth}]"),
    };
    Tree::Map(items.into_iter().enumerate().map(|(nth, it)| (key(nth), it)).collect())
}

fn yaml_tree(text: &str) -> Option<Tree> {
    let documents: Vec<&str> = text.split("\n---\n").collect();
    let trees: Option<Vec<Tree>> = documents
        .iter()
        .map(|it| {
            let (root, mistakes) = yaml::parse(it);
            if mistakes.is_empty() {
                Some(of_yaml(&root?, it))
            } else {
                None
            }
        })
        .collect();
    let mut trees = trees?;
    if trees.len() == 1 {
        trees.pop()
    } else {
        Some(items(trees))
    }
}

fn of_yaml(yaml: &Yaml, text: &str) -> Tree {
    match &yaml.data {
        Data::List(list) => items(list.iter().map(|it| of_yaml(it, text)).collect()),
        Data::Map(entries) => Tree::Map(
            entries
                .iter()
                .map(|it| (it.key.to_string(), of_yaml(&it.value, text)))
                .collect(),
        ),
        Data::String(it) => Tree::Leaf(it.content.trim_end_matches('\n').to_owned()),
        _ => Tree::Leaf(yaml.source(text).trim().to_owned()),
    }
}

fn toml_tree(text: &str) -> Option<Tree> {
    fn of(value: &toml::Value) -> Tree {
        match value {
            toml::Value::Table(table) => Tree::Map(table.iter().map(|(key, it)| (key.clone(), of(it))).collect()),
            toml::Value::Array(list) => items(list.iter().map(of).collect()),
            toml::Value::String(text) => Tree::Leaf(text.clone()),
            toml::Value::Integer(number) => Tree::Leaf(number.to_string()),
            toml::Value::Float(number) => Tree::Leaf(number.to_string()),
            toml::Value::Boolean(truth) => Tree::Leaf(truth.to_string()),
            toml::Value::Datetime(time) => Tree::Leaf(time.to_string()),
        }
    }
    let table: toml::Table = toml::from_str(text).ok()?;
    Some(of(&toml::Value::Table(table)))
}

fn hcl_tree(text: &str) -> Option<Tree> {
    let body: Body = hcl_edit::parser::parse_body(text).ok()?;
    Some(of_body(&body))
}

fn of_body(body: &Body) -> Tree {
    let mut entries: Vec<(String, Tree)> = Vec::new();
    for structure in body {
        match structure {
            Structure::Attribute(it) => {
                entries.push((
                    it.key.to_string().trim().to_owned(),
                    Tree::Leaf(it.value.to_string().trim().to_owned()),
                ));
            }
            Structure::Block(block) => {
                let labels: Vec<&str> = block
                    .labels
                    .iter()
                    .map(hcl_edit::structure::BlockLabel::as_str)
                    .collect();
                let base = if labels.is_empty() {
                    block.ident.to_string().trim().to_owned()
                } else {
                    format!("{}[{}]", block.ident.to_string().trim(), labels.join(", "))
                };
                let n_before = entries
                    .iter()
                    .filter(|it| it.0 == base || it.0.starts_with(&format!("{base}#")))
                    .count();
                let key = if n_before == 0 {
                    base
                } else {
                    format!("{base}#{}", n_before + 1)
                };
                entries.push((key, of_body(&block.body)));
            }
        }
    }
    Tree::Map(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(path: &str, old: &str, new: &str) -> Vec<String> {
        let found = changes(path, old.as_bytes(), new.as_bytes()).expect("both can be read");
        found.iter().map(FieldChange::sentence).collect()
    }

    #[test]
    fn fields_of_each_format_are_compared() {
        let old = "spec:\n  replicas: 2\n  list:\n    - name: a\n      x: 1\n    - name: b\n      x: 2\n";
        let new = "spec:\n  replicas: 6\n  list:\n    - name: b\n      x: 3\n";
        assert_eq!(
            told("a.yaml", old, new),
            [
                "spec.replicas: 2 → 6",
                "spec.list[b].x: 2 → 3",
                "spec.list[a].name: a, gone",
                "spec.list[a].x: 1, gone"
            ]
        );
        assert_eq!(
            told("a.yaml", "a: 1\n---\nb: 1\n", "a: 1\n---\nb: 2\n"),
            ["[1].b: 1 → 2"]
        );
        assert_eq!(told("a.json", "{\"a\": [1, 2]}", "{\"a\": [1, 3]}"), ["a[1]: 2 → 3"]);
        assert_eq!(told("a.toml", "[a]\nb = 1\n", "[a]\nb = \"x\"\n"), ["a.b: 1 → x"]);
        assert_eq!(
            told(
                "a.hcl",
                "job \"o\" {\n  group \"o\" { count = 2 }\n  x {}\n}\n",
                "job \"o\" {\n  group \"o\" { count = 6 }\n  x { y = 1 }\n}\n"
            ),
            ["job[o].group[o].count: 2 → 6", "job[o].x.y: 1, new"]
        );
        assert_eq!(changes("a.sh", b"x", b"y"), None);
        assert_eq!(changes("a.json", b"{", b"{}"), None);
    }
}
