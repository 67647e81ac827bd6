//! Strings: tests, parts, and texts that hold code.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Meter, characters, whole};
use crate::language;
use crate::value::{Address, Name, Reference, Segment, Text, Value};

pub(super) fn contains(meter: &mut Meter, args: &[Value]) -> Result<Value, String> {
    let (text, part) = (characters(&args[0])?, characters(&args[1])?);
    meter.spend_bytes(text.len())?;
    Ok(text.contains(part).into())
}

pub(super) fn starts_with(_: &mut Meter, args: &[Value]) -> Result<Value, String> {
    Ok(characters(&args[0])?.starts_with(characters(&args[1])?).into())
}

pub(super) fn ends_with(_: &mut Meter, args: &[Value]) -> Result<Value, String> {
    Ok(characters(&args[0])?.ends_with(characters(&args[1])?).into())
}

/// Returns the compiled pattern.
///
/// # Errors
///
/// Says what is wrong with it.
pub(crate) fn pattern(source: &str) -> Result<regex::Regex, String> {
    regex::RegexBuilder::new(source)
        .size_limit(1 << 20)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "the pattern is too large".to_owned(),
            other => other.to_string().lines().last().unwrap_or_default().trim().to_owned(),
        })
}

thread_local! {
    /// Patterns that were met on this thread. What they match depends on nothing but themselves.
    static PATTERNS: RefCell<BTreeMap<String, regex::Regex>> = const { RefCell::new(BTreeMap::new()) };
}

pub(super) fn matches(meter: &mut Meter, args: &[Value]) -> Result<Value, String> {
    let (text, source) = (characters(&args[0])?, characters(&args[1])?);
    meter.spend_bytes(text.len())?;
    PATTERNS.with_borrow_mut(|known| {
        if let Some(pattern) = known.get(source) {
            return Ok(pattern.is_match(text).into());
        }
        meter.spend(100)?;
        let pattern = pattern(source)?;
        let found = pattern.is_match(text);
        if known.len() < 256 {
            known.insert(source.to_owned(), pattern);
        }
        Ok(found.into())
    })
}

pub(super) fn lower(meter: &mut Meter, args: &[Value]) -> Result<Value, String> {
    let text = characters(&args[0])?;
    meter.spend_bytes(text.len())?;
    Ok(Value::string(text.to_lowercase()))
}

pub(super) fn upper(meter: &mut Meter, args: &[Value]) -> Result<Value, String> {
    let text = characters(&args[0])?;
    meter.spend_bytes(text.len())?;
    Ok(Value::string(text.to_uppercase()))
}

pub(super) fn trim(_: &mut Meter, args: &[Value]) -> Result<Value, String> {
    Ok(Value::from(characters(&args[0])?.trim()))
}

pub(super) fn split(meter: &mut Meter, args: &[Value]) -> Result<Value, String> {
    let (text, separator) = (characters(&args[0])?, characters(&args[1])?);
    meter.spend(text.len())?;
    if separator.is_empty() {
        let mut buffer = [0; 4];
        return Ok(Value::list(
            text.chars().map(|it| Value::from(&*it.encode_utf8(&mut buffer))),
        ));
    }
    Ok(Value::list(text.split(separator).map(Value::from)))
}

pub(super) fn replace(meter: &mut Meter, args: &[Value]) -> Result<Value, String> {
    let (text, from, to) = (characters(&args[0])?, characters(&args[1])?, characters(&args[2])?);
    let n = if from.is_empty() {
        text.len() + 1
    } else {
        text.len() / from.len()
    };
    meter.spend_bytes(text.len().saturating_add(n.saturating_mul(to.len())))?;
    Ok(Value::string(text.replace(from, to)))
}

pub(super) fn substring(meter: &mut Meter, args: &[Value]) -> Result<Value, String> {
    let text = characters(&args[0])?;
    meter.spend_bytes(text.len())?;
    let n = text.chars().count();
    let at = |value: Option<&Value>| match value {
        None => Ok(n),
        Some(value) => {
            let at = whole(value)?;
            let fits = usize::try_from(at).ok().filter(|at| *at <= n);
            fits.ok_or_else(|| format!("{at} lies outside of a string of {n} characters"))
        }
    };
    let (from, to) = (at(args.get(1))?, at(args.get(2))?);
    if from > to {
        return Err(format!("{from} comes after {to}"));
    }
    Ok(Value::string(
        text.chars().skip(from).take(to - from).collect::<String>(),
    ))
}

pub(super) fn index_of(meter: &mut Meter, args: &[Value]) -> Result<Value, String> {
    let (text, part) = (characters(&args[0])?, characters(&args[1])?);
    meter.spend_bytes(text.len())?;
    Ok(position(text, text.find(part)))
}

pub(super) fn last_index_of(meter: &mut Meter, args: &[Value]) -> Result<Value, String> {
    let (text, part) = (characters(&args[0])?, characters(&args[1])?);
    meter.spend_bytes(text.len())?;
    Ok(position(text, text.rfind(part)))
}

fn position(text: &str, byte: Option<usize>) -> Value {
    match byte {
        Some(byte) => Value::Int(i64::try_from(text[..byte].chars().count()).unwrap_or(i64::MAX)),
        None => Value::Int(-1),
    }
}

/// Returns what a value looks like inside of a text.
pub(crate) fn printed(value: &Value) -> Result<Text, String> {
    match value {
        Value::Bool(truth) => Ok(Text::from(if *truth { "true" } else { "false" })),
        Value::Int(number) => Ok(Text::from(&*number.to_string())),
        Value::Double(number) => Ok(Text::from(&*number.0.to_string())),
        other => other
            .as_text()
            .ok_or_else(|| format!("{} has no place inside of a text", other.noun())),
    }
}

pub(super) fn string(_: &mut Meter, args: &[Value]) -> Result<Value, String> {
    printed(&args[0]).map(Value::text)
}

pub(super) fn is_plain(_: &mut Meter, args: &[Value]) -> Result<Value, String> {
    Ok(matches!(args[0], Value::String(_)).into())
}

pub(super) fn literals(meter: &mut Meter, args: &[Value]) -> Result<Value, String> {
    match &args[0] {
        Value::Text(text) => {
            meter.spend(text.segments().len())?;
            let literals = text.segments().iter().filter_map(|it| match it {
                Segment::Literal(literal) => Some(Value::String(literal.clone())),
                _ => None,
            });
            Ok(Value::list(literals))
        }
        other => Ok(Value::list([Value::string(characters(other)?)])),
    }
}

pub(super) fn mentions(meter: &mut Meter, args: &[Value]) -> Result<Value, String> {
    let Value::Text(text) = &args[0] else {
        return Ok(Value::list([]));
    };
    meter.spend(text.segments().len())?;
    let mut nodes: Vec<String> = text
        .segments()
        .iter()
        .filter_map(|it| match it {
            Segment::Reference(reference) => Some(reference.node.to_string()),
            _ => None,
        })
        .collect();
    nodes.sort();
    nodes.dedup();
    Ok(Value::list(nodes.into_iter().map(Value::string)))
}

pub(super) fn written_as(meter: &mut Meter, args: &[Value]) -> Result<Value, String> {
    let manner = Name::from(characters(&args[0])?);
    let Value::Text(text) = &args[1] else {
        return Ok(args[1].clone());
    };
    meter.spend(text.segments().len())?;
    let segments = text.segments().iter().map(|it| match it {
        Segment::Reference(reference) => {
            let manner = Some(manner.clone());
            Segment::Reference(Arc::new(Reference {
                manner,
                ..(**reference).clone()
            }))
        }
        other => other.clone(),
    });
    Ok(Value::text(Text::new(segments)))
}

pub(super) fn mention(_: &mut Meter, args: &[Value]) -> Result<Value, String> {
    let (address, attribute) = (characters(&args[0])?, characters(&args[1])?);
    let (kind, name) = address
        .split_once('.')
        .ok_or_else(|| format!("`{address}` is no address, as `infra.cache` is"))?;
    Ok(Value::text(Text::new([Segment::Reference(Arc::new(Reference {
        node: Address::new(kind, name),
        attribute: attribute.into(),
        required: true,
        manner: None,
    }))])))
}

pub(super) fn code(_: &mut Meter, args: &[Value]) -> Result<Value, String> {
    let (language, source) = (characters(&args[0])?, characters(&args[1])?);
    Ok(Value::text(Text::new([Segment::Code {
        language: language.into(),
        source: source.into(),
    }])))
}

pub(super) fn quoted(meter: &mut Meter, args: &[Value]) -> Result<Value, String> {
    let (language, text) = (characters(&args[0])?, characters(&args[1])?);
    meter.spend_bytes(text.len())?;
    let quoted = language::quote(language, text).map_err(|it| it.to_string())?;
    Ok(Value::string(quoted))
}
