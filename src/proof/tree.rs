//! A printed file as a tree of texts with their places: one form for all formats that have fields.

use hcl_edit::expr::{Expression, ObjectKey};
use hcl_edit::structure::{Body, Structure};

use crate::artifact::format::Format;
use crate::problem::Span;
use crate::value::Value;
use crate::yaml::{self, Data, Yaml};

/// A value of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub shape: Shape,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A scalar, as text.
    Leaf(String),
    /// Items.
    List(Vec<Tree>),
    /// Entries in their order. A key may stand there more than once, as a block of HCL does; its labels are keys within it.
    Map(Vec<(String, Tree)>),
}

impl Tree {
    /// Returns the text, if this is a scalar.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.shape {
            Shape::Leaf(text) => Some(text),
            _ => None,
        }
    }

    /// Returns `text` as a whole.
    #[must_use]
    pub fn of_text(text: &str) -> Self {
        Self {
            span: Span::new(0, text.len()),
            shape: Shape::Leaf(text.to_owned()),
        }
    }

    /// Returns `value`, which stands nowhere.
    #[must_use]
    pub fn of_value(value: &Value) -> Self {
        let shape = match value {
            Value::List(items) => Shape::List(items.iter().map(Self::of_value).collect()),
            Value::Map(map) => Shape::Map(
                map.iter()
                    .map(|(key, it)| (key.to_string(), Self::of_value(it)))
                    .collect(),
            ),
            Value::Null => Shape::List(Vec::new()),
            Value::Bool(it) => Shape::Leaf(it.to_string()),
            Value::Int(it) => Shape::Leaf(it.to_string()),
            Value::String(it) => Shape::Leaf(it.to_string()),
            other => Shape::Leaf(crate::artifact::provenance::shown(other).unwrap_or_default()),
        };
        Self {
            span: Span::default(),
            shape,
        }
    }
}

/// Returns the documents of `text`, a file at `path`: of YAML as many as it holds, none of a format without fields. What no
/// suffix tells is tried as HCL, which many programs call by a name of their own.
#[must_use]
pub fn documents(path: &str, text: &str) -> Vec<Tree> {
    match Format::from_path(path) {
        Format::Yaml | Format::Json => yaml_documents(text),
        Format::Hcl | Format::Plain => hcl(text).into_iter().collect(),
        _ => Vec::new(),
    }
}

fn yaml_documents(text: &str) -> Vec<Tree> {
    let mut trees = Vec::new();
    let mut start = 0;
    while start <= text.len() {
        let end = text[start..].find("\n---\n").map_or(text.len(), |it| start + it + 1);
        if let (Some(root), _) = yaml::parse(&text[start..end]) {
            trees.push(of_yaml(&root, &text[start..end], start));
        }
        start = end + "---\n".len();
    }
    trees
}

fn of_yaml(yaml: &Yaml, text: &str, by: usize) -> Tree {
    let shape = match &yaml.data {
        Data::List(items) => Shape::List(items.iter().map(|it| of_yaml(it, text, by)).collect()),
        Data::Map(entries) => {
            let entries = entries
                .iter()
                .map(|it| (it.key.to_string(), of_yaml(&it.value, text, by)));
            Shape::Map(entries.collect())
        }
        Data::String(it) => Shape::Leaf(it.content.to_string()),
        _ => Shape::Leaf(yaml.source(text).trim().to_owned()),
    };
    Tree {
        span: yaml.span.shifted(u32::try_from(by).unwrap_or(u32::MAX)),
        shape,
    }
}

fn hcl(text: &str) -> Option<Tree> {
    let body = hcl_edit::parser::parse_body(text).ok()?;
    Some(of_body(&body, text))
}

fn span(it: &impl hcl_edit::Span) -> Span {
    it.span().map_or_else(Span::default, |it| Span::new(it.start, it.end))
}

fn of_body(body: &Body, text: &str) -> Tree {
    let entry = |it: &Structure| match it {
        Structure::Attribute(it) => (it.key.as_str().to_owned(), of_expression(&it.value, text)),
        Structure::Block(block) => {
            let mut tree = of_body(&block.body, text);
            tree.span = span(&block.ident);
            for label in block.labels.iter().rev() {
                tree = Tree {
                    span: span(label),
                    shape: Shape::Map(vec![(label.as_str().to_owned(), tree)]),
                };
            }
            (block.ident.as_str().to_owned(), tree)
        }
    };
    Tree {
        span: span(body),
        shape: Shape::Map(body.iter().map(entry).collect()),
    }
}

fn of_expression(expression: &Expression, text: &str) -> Tree {
    let span = span(expression);
    let shape = match expression {
        Expression::Array(items) => Shape::List(items.iter().map(|it| of_expression(it, text)).collect()),
        Expression::Object(object) => {
            let key = |it: &ObjectKey| match it {
                ObjectKey::Ident(it) => it.as_str().to_owned(),
                ObjectKey::Expression(it) => it
                    .as_str()
                    .map_or_else(|| it.to_string().trim().to_owned(), str::to_owned),
            };
            Shape::Map(
                object
                    .iter()
                    .map(|(name, it)| (key(name), of_expression(it.expr(), text)))
                    .collect(),
            )
        }
        Expression::String(it) => Shape::Leaf(it.value().clone()),
        // What holds code of another language stands as it is written.
        _ => Shape::Leaf(span.of(text).trim_matches('"').to_owned()),
    };
    Tree { span, shape }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_gives_its_places() {
        let text = "a: 1\n---\nb: [x, y]\n";
        let trees = documents("t.yaml", text);
        let Shape::Map(entries) = &trees[1].shape else {
            panic!("a map")
        };
        let Shape::List(items) = &entries[0].1.shape else {
            panic!("a list")
        };
        assert_eq!((items[1].text(), items[1].span.of(text)), (Some("y"), "y"));
        let text = "job \"a\" {\n  n = \"x\"\n  t {\n    d = <<EOH\nhere ${it}\nEOH\n  }\n}\n";
        let trees = documents("a.job", text);
        let Shape::Map(entries) = &trees[0].shape else {
            panic!("a map")
        };
        let Shape::Map(labels) = &entries[0].1.shape else {
            panic!("a map")
        };
        assert_eq!((entries[0].0.as_str(), labels[0].0.as_str()), ("job", "a"));
        let Shape::Map(inner) = &labels[0].1.shape else {
            panic!("a map")
        };
        assert_eq!((inner[0].1.text(), inner[0].1.span.of(text)), (Some("x"), "\"x\""));
        let Shape::Map(inner) = &inner[1].1.shape else {
            panic!("a map")
        };
        assert!(
            inner[0].1.text().is_some_and(|it| it.contains("here ${it}")),
            "{inner:?}"
        );
    }
}
