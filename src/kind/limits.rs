//! What a field's values must be beyond their type: bounds of a number, the pattern of a text; and which are known
//! of a string that may hold others.

use std::collections::BTreeSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

use regex::{Regex, RegexBuilder};

use super::typed::Reader;
use super::{Field, Type};
use crate::problem::{Severity, nearest};
use crate::value::{Name, Value};
use crate::yaml::{Data, Yaml};

/// What each value of a field must be; of a list or map, each of what it holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Limits {
    /// The least that it may be.
    pub min: Option<Bound>,
    /// The most that it may be.
    pub max: Option<Bound>,
    /// What a text must look like.
    pub pattern: Option<Pattern>,
    /// What a name in a map with free names must look like.
    pub keys: Option<Pattern>,
    /// How to write it right.
    pub hint: Option<Name>,
    /// The values that packs know of a string that may hold others too.
    pub known: Arc<[Name]>,
}

/// So short a text is like too many others to be taken for a slip.
const LEAST_TOLD: usize = 4;

/// A bound of a number.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Bound {
    /// The number, in the unit in which values are held.
    pub value: Value,
    /// As the pack writes it.
    pub written: Name,
}

/// A regular expression, known by its text, and compiled when it is put to a text.
#[derive(Clone)]
pub struct Pattern(Arc<Written>);

struct Written {
    text: Arc<str>,
    compiled: OnceLock<Regex>,
}

impl Pattern {
    /// Returns the pattern that is written as `text`, which is known to be one.
    fn given(text: &str) -> Self {
        Self(Arc::new(Written {
            text: text.into(),
            compiled: OnceLock::new(),
        }))
    }

    /// Returns the pattern that is written as `text`.
    ///
    /// # Errors
    /// It is none, or too large a one.
    fn compile(text: &str) -> Result<Self, regex::Error> {
        Ok(Self(Arc::new(Written {
            text: text.into(),
            compiled: compiled(text)?.into(),
        })))
    }

    /// Returns the pattern as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    fn is_match(&self, text: &str) -> bool {
        let compile = || compiled(self.as_str()).expect("the tests compile what is given");
        self.0.compiled.get_or_init(compile).is_match(text)
    }
}

fn compiled(text: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(text).size_limit(1 << 20).build()
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Pattern {}

impl Hash for Pattern {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

/// A value outside of its limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outside {
    pub(super) code: &'static str,
    pub(super) label: &'static str,
    /// What may be written instead.
    pub(super) help: String,
}

impl Limits {
    /// Returns how `value` breaks these limits. A text with references is known only when it is printed, and breaks
    /// none.
    pub(super) fn broken_by(&self, value: &Value) -> Option<Outside> {
        if let (Some(pattern), Value::String(text)) = (&self.pattern, value) {
            return self.malformed(pattern, text);
        }
        let number = number(value)?;
        let below = self.min.as_ref().and_then(Bound::number).is_some_and(|it| number < it);
        let above = self.max.as_ref().and_then(Bound::number).is_some_and(|it| number > it);
        (below || above).then(|| Outside {
            code: "spec::out_of_range",
            label: if below { "too small" } else { "too large" },
            help: self.hint.as_ref().map_or_else(|| self.range(), Name::to_string),
        })
    }

    /// Returns how the name `key` in a map breaks these limits.
    pub(super) fn broken_by_key(&self, key: &str) -> Option<Outside> {
        self.malformed(self.keys.as_ref()?, key)
    }

    fn malformed(&self, pattern: &Pattern, text: &str) -> Option<Outside> {
        let hint = || match &self.hint {
            Some(hint) => hint.to_string(),
            None => format!("write what matches `{}`", pattern.as_str()),
        };
        (!pattern.is_match(text)).then(|| Outside {
            code: "spec::malformed",
            label: "malformed",
            help: hint(),
        })
    }

    /// Returns the known value for which `value` is written by mistake, as far as that can be told, and how bad that is:
    /// others are possible, but what is a letter away is meant for it, and what is near or begins one may be.
    pub(super) fn meant_by(&self, value: &Value) -> Option<(&str, Severity)> {
        let written = value.as_str().filter(|it| it.chars().count() >= LEAST_TOLD)?;
        if self.known.iter().any(|it| **it == *written) {
            return None;
        }
        let known: Vec<&str> = self.known.iter().map(|it| &**it).collect();
        let begun = || known.iter().find(|it| it.starts_with(&*written.to_lowercase()));
        let near = nearest(written, &known).map(|(distance, it)| {
            // A letter in four: `redict` may be what it says, though it is near to `redis`.
            let is_slip = distance * 4 <= written.chars().count();
            (it, if is_slip { Severity::Error } else { Severity::Warning })
        });
        near.or_else(|| Some((*begun()?, Severity::Warning)))
    }

    /// Tells whether nothing but known values is said.
    fn only_knows(&self) -> bool {
        let known = self.known.clone();
        *self
            == Self {
                known,
                ..Self::default()
            }
    }

    /// Says what may be written.
    fn range(&self) -> String {
        match (&self.min, &self.max) {
            (Some(min), Some(max)) => format!("write a value from {} to {}", min.written, max.written),
            (Some(min), None) => format!("write {} or more", min.written),
            (None, Some(max)) => format!("write {} or less", max.written),
            (None, None) => String::new(),
        }
    }
}

impl Bound {
    fn number(&self) -> Option<f64> {
        number(&self.value)
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        #[expect(
            clippy::cast_precision_loss,
            reason = "bounds are far below what a double holds exactly"
        )]
        Value::Int(it) => Some(*it as f64),
        Value::Double(it) => Some(it.0),
        _ => None,
    }
}

/// Returns what a list or map of lists and maps holds in the end.
pub(super) fn innermost(ty: &Type) -> &Type {
    match ty {
        Type::List(item) | Type::Map(item) => innermost(item),
        ty => ty,
    }
}

/// Adds the known values of `field` to those of `existing`, where it says nothing else of a field that is there.
///
/// Tells whether it did.
pub(super) fn add_known(existing: &mut Field, field: &Field) -> bool {
    let Some(limits) = &field.limits else { return false };
    let says_more = field.required || field.default.is_some() || field.deprecated.is_some() || field.unit.is_some();
    if existing.ty != field.ty || limits.known.is_empty() || !limits.only_knows() || says_more {
        return false;
    }
    let mut into = existing.limits.as_deref().cloned().unwrap_or_default();
    let known = into.known.iter().chain(limits.known.iter());
    let known: BTreeSet<Name> = known.cloned().collect();
    into.known = known.into_iter().collect();
    existing.limits = Some(Arc::new(into));
    true
}

/// Tells whether names are free somewhere in a value of the type.
fn has_keys(ty: &Type) -> bool {
    match ty {
        Type::Map(_) => true,
        Type::List(item) => has_keys(item),
        _ => false,
    }
}

/// Reads the limits that the definition of a field of the type `ty` gives, if it gives any.
pub(super) fn read(reader: &mut Reader<'_>, definition: &Yaml, ty: &Type) -> Option<Limits> {
    let inner = innermost(ty);
    let is_number = matches!(
        inner,
        Type::Int | Type::Double | Type::Duration | Type::Cpu { .. } | Type::Memory { .. }
    );
    let is_text = matches!(inner, Type::String | Type::Text);
    let takes_values = matches!(inner, Type::String | Type::Choice(_));
    let mut limits = Limits::default();
    for (key, fits) in [
        ("min", is_number),
        ("max", is_number),
        ("pattern", is_text),
        ("values", takes_values),
        ("keys", has_keys(ty)),
    ] {
        let Some(yaml) = definition.get(key) else { continue };
        if !fits {
            let message = format!("`{key}` says nothing of {ty}");
            let help = match key {
                "pattern" => "strings and texts have one",
                "values" => "choices and strings have some",
                "keys" => "maps with free names have some",
                _ => "numbers, times and sizes have one",
            };
            reader
                .error("pack::bad_field", yaml.span, message, "has no meaning here")
                .help = Some(help.into());
            continue;
        }
        match key {
            "min" => limits.min = bound(reader, yaml, inner, key),
            "max" => limits.max = bound(reader, yaml, inner, key),
            "values" => limits.known = known(reader, yaml, inner),
            "keys" => limits.keys = pattern(reader, yaml, key),
            _ => limits.pattern = pattern(reader, yaml, key),
        }
    }
    limits.hint = definition.get("hint").and_then(Yaml::as_str).map(Name::from);
    if limits.hint.is_some()
        && limits
            == (Limits {
                hint: limits.hint.clone(),
                ..Limits::default()
            })
    {
        let span = definition.get("hint").map_or(definition.span, |it| it.span);
        let message = "a `hint` helps where `min`, `max`, `pattern` or `keys` is broken".to_owned();
        reader
            .error("pack::bad_field", span, message, "nothing can be broken here")
            .help = Some("add one of them, or say it by `doc`".into());
    }
    (limits != Limits::default()).then_some(limits)
}

/// Returns the values that are known of a string; those of a choice are its type.
fn known(reader: &mut Reader<'_>, yaml: &Yaml, ty: &Type) -> Arc<[Name]> {
    if matches!(ty, Type::Choice(_)) {
        return Arc::default();
    }
    let named: BTreeSet<Name> = yaml.items().iter().filter_map(Yaml::as_str).map(Name::from).collect();
    if named.is_empty() || named.len() < yaml.items().len() {
        let message = "`values` wants a list of strings, each once".to_owned();
        reader
            .error("pack::bad_field", yaml.span, message, "no list of strings")
            .help = Some("write `values: [one, other]`, numbers and `yes` and `no` in quotes".into());
    }
    named.into_iter().collect()
}

fn bound(reader: &mut Reader<'_>, yaml: &Yaml, ty: &Type, key: &str) -> Option<Bound> {
    Some(Bound {
        value: reader.read(ty, yaml, key)?,
        written: Name::from(yaml.source(reader.text)),
    })
}

fn pattern(reader: &mut Reader<'_>, yaml: &Yaml, key: &str) -> Option<Pattern> {
    let Data::String(text) = &yaml.data else {
        let message = format!("`{key}` wants a regular expression, found {}", yaml.noun());
        reader
            .error("pack::bad_field", yaml.span, message, "expected a text")
            .help = Some("put it in quotes".into());
        return None;
    };
    if reader.is_given && !cfg!(debug_assertions) {
        return Some(Pattern::given(&text.content));
    }
    match Pattern::compile(&text.content) {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            let error = error.to_string();
            let why = error.lines().last().unwrap_or_default().trim().to_owned();
            let message = format!("`{key}` is no regular expression: {why}");
            reader
                .error("pack::bad_field", yaml.span, message, "can't be read")
                .help = Some("write it as RE2 does, in single quotes".into());
            None
        }
    }
}
