//! Whole values as literals of a language: what the printers `json`, `yaml`, `hcl` and `sh` print.

use crate::language::{self, EscapeError};
use crate::value::{Text, Value};

/// A printer of whole values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Printer {
    /// JSON on one line.
    Json,
    /// YAML on one line, in flow style.
    Yaml,
    /// An HCL expression on one line.
    Hcl,
    /// Shell words: one for a scalar, one an item for a list.
    Sh,
}

impl Printer {
    /// All printers, by name.
    pub const ALL: [Self; 4] = [Self::Hcl, Self::Json, Self::Sh, Self::Yaml];

    /// Returns the printer called `name`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }

    /// Returns its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Yaml => "yaml",
            Self::Hcl => "hcl",
            Self::Sh => "sh",
        }
    }

    /// Returns `value` as a literal.
    ///
    /// # Errors
    ///
    /// What the language has no way to write: references and code within a literal, maps as shell words.
    pub fn print(self, value: &Value) -> Result<String, EscapeError> {
        let mut out = String::new();
        match self {
            Self::Json | Self::Yaml => json(value, 0, &mut out)?,
            Self::Hcl => hcl(value, 0, &mut out)?,
            Self::Sh => words(value, &mut out)?,
        }
        Ok(out)
    }
}

const MAX_DEPTH: usize = 100;

fn too_deep() -> EscapeError {
    EscapeError::new("the value is nested too deeply to be printed")
}

fn plain(text: &Text) -> Result<&str, EscapeError> {
    text.as_plain()
        .ok_or_else(|| EscapeError::new("a text with references or code in it can't be part of a literal"))
}

fn json(value: &Value, depth: usize, out: &mut String) -> Result<(), EscapeError> {
    if depth > MAX_DEPTH {
        return Err(too_deep());
    }
    let string = |text: &str, out: &mut String| {
        out.push('"');
        out.push_str(&language::json_string(text));
        out.push('"');
    };
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Value::Int(number) => out.push_str(&number.to_string()),
        Value::Double(number) => out.push_str(&double(number.0)),
        Value::String(text) => string(text, out),
        Value::Text(text) => string(plain(text)?, out),
        Value::Node(address) => string(&address.to_string(), out),
        Value::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at > 0 { ", " } else { "" });
                json(item, depth + 1, out)?;
            }
            out.push(']');
        }
        Value::Map(map) => {
            out.push('{');
            for (at, (key, item)) in map.iter().enumerate() {
                out.push_str(if at > 0 { ", " } else { "" });
                string(key, out);
                out.push_str(": ");
                json(item, depth + 1, out)?;
            }
            out.push('}');
        }
    }
    Ok(())
}

fn hcl(value: &Value, depth: usize, out: &mut String) -> Result<(), EscapeError> {
    if depth > MAX_DEPTH {
        return Err(too_deep());
    }
    let string = |text: &str, out: &mut String| {
        out.push('"');
        out.push_str(&language::hcl_quoted(text, None));
        out.push('"');
    };
    match value {
        Value::String(text) => string(text, out),
        Value::Text(text) => string(plain(text)?, out),
        Value::Node(address) => string(&address.to_string(), out),
        Value::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at > 0 { ", " } else { "" });
                hcl(item, depth + 1, out)?;
            }
            out.push(']');
        }
        Value::Map(map) if map.is_empty() => out.push_str("{}"),
        Value::Map(map) => {
            out.push_str("{ ");
            for (at, (key, item)) in map.iter().enumerate() {
                out.push_str(if at > 0 { ", " } else { "" });
                string(key, out);
                out.push_str(" = ");
                hcl(item, depth + 1, out)?;
            }
            out.push_str(" }");
        }
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Double(_) => json(value, depth, out)?,
    }
    Ok(())
}

fn words(value: &Value, out: &mut String) -> Result<(), EscapeError> {
    let scalar = |value: &Value, out: &mut String| match value {
        Value::String(text) => language::shell_word(text).map(|it| out.push_str(&it)),
        Value::Text(text) => language::shell_word(plain(text)?).map(|it| out.push_str(&it)),
        Value::Null => Err(EscapeError::new("nothing can't be printed as a shell word")),
        Value::List(_) | Value::Map(_) => Err(EscapeError::new(
            "only scalars and lists of scalars can be printed as shell words",
        )),
        other => json(other, 0, out),
    };
    let Value::List(items) = value else {
        return scalar(value, out);
    };
    for (at, item) in items.iter().enumerate() {
        out.push_str(if at > 0 { " " } else { "" });
        scalar(item, out)?;
    }
    Ok(())
}

/// Returns `number` so that every format reads a number, never a whole one.
pub(crate) fn double(number: f64) -> String {
    let text = number.to_string();
    if text.contains(['.', 'e', 'E']) || !number.is_finite() {
        text
    } else {
        format!("{text}.0")
    }
}

/// Returns milliseconds as Go, systemd and people write a duration: `30s`, `1m30s`, `250ms`.
#[must_use]
pub fn duration(milliseconds: i64) -> String {
    let units = [(3_600_000, "h"), (60_000, "m"), (1_000, "s"), (1, "ms")];
    let mut rest = milliseconds.unsigned_abs();
    let mut out = String::from(if milliseconds < 0 { "-" } else { "" });
    for (size, unit) in units {
        if rest >= size {
            out.push_str(&format!("{}{unit}", rest / size));
            rest %= size;
        }
    }
    if milliseconds == 0 {
        out.push_str("0s");
    }
    out
}

/// Returns bytes in the largest binary unit that holds them whole: `256Mi`.
#[must_use]
pub fn memory(bytes: i64) -> String {
    let units = [(1_i64 << 40, "Ti"), (1 << 30, "Gi"), (1 << 20, "Mi"), (1 << 10, "Ki")];
    let unit = units.iter().find(|(size, _)| bytes != 0 && bytes % size == 0);
    match unit {
        Some((size, unit)) => format!("{}{unit}", bytes / size),
        None => bytes.to_string(),
    }
}

/// Returns millicores in whole cores where they are whole: `2`, `250m`.
#[must_use]
pub fn cpu(millicores: i64) -> String {
    if millicores % 1_000 == 0 {
        (millicores / 1_000).to_string()
    } else {
        format!("{millicores}m")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Name;

    fn sample() -> Value {
        let list = Value::list([Value::Int(1), Value::Null, Value::from("a\"${b}")]);
        [(Name::from("k"), list), (Name::from("b"), Value::Bool(true))]
            .into_iter()
            .collect()
    }

    #[test]
    fn each_printer_prints_its_literal() {
        assert_eq!(
            Printer::Json.print(&sample()).unwrap(),
            r#"{"b": true, "k": [1, null, "a\"${b}"]}"#
        );
        assert_eq!(
            Printer::Hcl.print(&sample()).unwrap(),
            r#"{ "b" = true, "k" = [1, null, "a\"$${b}"] }"#
        );
        let words = Value::list([Value::from("a b"), Value::Int(2)]);
        assert_eq!(Printer::Sh.print(&words).unwrap(), "'a b' 2");
        assert!(Printer::Sh.print(&sample()).is_err());
    }

    #[test]
    fn quantities_are_printed_with_their_units() {
        assert_eq!(duration(90_000), "1m30s");
        assert_eq!(duration(250), "250ms");
        assert_eq!(duration(0), "0s");
        assert_eq!(memory(256 << 20), "256Mi");
        assert_eq!(memory(1_500), "1500");
        assert_eq!(cpu(2_000), "2");
        assert_eq!(cpu(250), "250m");
    }
}
