//! What a scalar means by the core schema of YAML 1.2, or by its tag.

use super::alias::Properties;
use super::read::Reader;
use super::scalar::Scalar;
use super::{Data, MistakeKind, Span, Yaml};

/// What the characters of a plain scalar are.
pub(super) enum Plain {
    Null,
    Bool(bool),
    Int(i64),
    IntegerTooLarge,
    Double(f64),
    NotFinite,
    String,
}

pub(super) fn plain(source: &str) -> Plain {
    let bytes = source.as_bytes();
    match bytes.first() {
        None => Plain::Null,
        Some(b'0'..=b'9' | b'+' | b'-' | b'.') => number(source),
        Some(b'~' | b'n' | b'N' | b't' | b'T' | b'f' | b'F') => match source {
            "~" | "null" | "Null" | "NULL" => Plain::Null,
            "true" | "True" | "TRUE" => Plain::Bool(true),
            "false" | "False" | "FALSE" => Plain::Bool(false),
            _ => Plain::String,
        },
        Some(_) => Plain::String,
    }
}

fn number(source: &str) -> Plain {
    let unsigned = source.strip_prefix(['+', '-']).unwrap_or(source);
    let all = |digits: &str, is_digit: fn(&u8) -> bool| !digits.is_empty() && digits.as_bytes().iter().all(is_digit);
    let int = |digits: &str, radix| i64::from_str_radix(digits, radix).map_or(Plain::IntegerTooLarge, Plain::Int);
    if all(unsigned, u8::is_ascii_digit) {
        return int(source, 10);
    }
    if let Some(digits) = source.strip_prefix("0o") {
        return if all(digits, |it| matches!(it, b'0'..=b'7')) {
            int(digits, 8)
        } else {
            Plain::String
        };
    }
    if let Some(digits) = source.strip_prefix("0x") {
        return if all(digits, u8::is_ascii_hexdigit) {
            int(digits, 16)
        } else {
            Plain::String
        };
    }
    match unsigned {
        ".inf" | ".Inf" | ".INF" => return Plain::NotFinite,
        _ => {}
    }
    if matches!(source, ".nan" | ".NaN" | ".NAN") {
        return Plain::NotFinite;
    }
    if !is_double(unsigned) {
        return Plain::String;
    }
    match source.parse::<f64>() {
        Ok(value) if value.is_finite() => Plain::Double(value),
        Ok(_) => Plain::NotFinite,
        Err(_) => Plain::String,
    }
}

/// `[0-9]+(\.[0-9]*)?` or `\.[0-9]+`, and an exponent if any.
fn is_double(unsigned: &str) -> bool {
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let is_digits = |it: &str| it.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let has_digits = !whole.is_empty() || !fraction.is_empty();
    let exponent = exponent.map(|it| it.strip_prefix(['+', '-']).unwrap_or(it));
    has_digits && is_digits(whole) && is_digits(fraction) && exponent.is_none_or(|it| !it.is_empty() && is_digits(it))
}

const CORE: &str = "tag:yaml.org,2002:";

/// What a tag asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tag {
    String,
    Int,
    Float,
    Bool,
    Null,
    List,
    Map,
    Unknown,
}

fn tag(written: &str) -> Tag {
    let verbatim = written.strip_prefix("!<").and_then(|it| it.strip_suffix('>'));
    let name = match verbatim {
        Some("!") => return Tag::String,
        Some(it) => it.strip_prefix(CORE),
        None if written == "!" => return Tag::String,
        None => written.strip_prefix("!!"),
    };
    match name {
        Some("str") => Tag::String,
        Some("int") => Tag::Int,
        Some("float") => Tag::Float,
        Some("bool") => Tag::Bool,
        Some("null") => Tag::Null,
        Some("seq") => Tag::List,
        Some("map") => Tag::Map,
        _ => Tag::Unknown,
    }
}

impl<'t> Reader<'t> {
    /// Makes the value of a scalar.
    pub(super) fn resolve(&mut self, scalar: Scalar, properties: &Properties<'t>) -> Yaml {
        if self.stopped {
            // What is not closed has no value.
            return self.null();
        }
        let span = scalar.span;
        let Some((written, at)) = properties.tag else {
            let data = if scalar.is_plain() {
                self.resolve_plain(scalar)
            } else {
                self.string(scalar)
            };
            return Yaml { span, data };
        };
        let wanted = tag(written);
        let data = match wanted {
            Tag::String => self.string(scalar),
            Tag::Unknown => {
                self.mistake(at, at + written.len(), MistakeKind::UnknownTag { tag: written.into() });
                if scalar.is_plain() {
                    self.resolve_plain(scalar)
                } else {
                    self.string(scalar)
                }
            }
            _ => {
                let data = self.resolve_plain(scalar);
                match (wanted, data) {
                    (Tag::Float, Data::Int(value)) => {
                        // A whole number beyond 2^53 is rounded, as in any reader.
                        Data::Double {
                            value: value as f64,
                            source: span.of(self.text).into(),
                        }
                    }
                    (Tag::Int, data @ Data::Int(_))
                    | (Tag::Float, data @ Data::Double { .. })
                    | (Tag::Bool, data @ Data::Bool(_))
                    | (Tag::Null, data @ Data::Null) => data,
                    (_, data) => {
                        self.mistake(at, at + written.len(), MistakeKind::WrongTag { tag: written.into() });
                        data
                    }
                }
            }
        };
        Yaml { span, data }
    }

    /// Makes the value of nothing behind properties.
    pub(super) fn tagged_null(&mut self, properties: &Properties<'t>, null: Yaml) -> Yaml {
        if properties.tag.is_none() {
            return null;
        }
        self.resolve(Scalar::empty(null.span.start as usize), properties)
    }

    /// Reports a tag that is none of lists and maps.
    pub(super) fn check_collection_tag(&mut self, properties: &Properties<'t>, value: &Yaml) {
        let Some((written, at)) = properties.tag else { return };
        let kind = match (tag(written), &value.data) {
            (Tag::List, Data::List(_)) | (Tag::Map, Data::Map(_)) => return,
            // `!` leaves a list or a map what it is.
            (Tag::String, Data::List(_) | Data::Map(_)) if !written.contains("str") => return,
            (Tag::Unknown, _) => MistakeKind::UnknownTag { tag: written.into() },
            _ => MistakeKind::WrongTag { tag: written.into() },
        };
        self.mistake(at, at + written.len(), kind);
    }

    fn resolve_plain(&mut self, scalar: Scalar) -> Data {
        let Span { start, end } = scalar.span;
        let kind = match plain(scalar.content(self.text)) {
            Plain::Null => return Data::Null,
            Plain::Bool(value) => return Data::Bool(value),
            Plain::Int(value) => return Data::Int(value),
            Plain::Double(value) => {
                return Data::Double {
                    value,
                    source: scalar.content(self.text).into(),
                };
            }
            Plain::String => return self.string(scalar),
            Plain::IntegerTooLarge => MistakeKind::IntegerTooLarge,
            Plain::NotFinite => MistakeKind::NotFinite,
        };
        self.mistake(start as usize, end as usize, kind);
        self.string(scalar)
    }

    fn string(&self, scalar: Scalar) -> Data {
        Data::String(scalar.into_text(self.text))
    }
}
