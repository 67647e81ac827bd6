//! References within a text: `${KIND.NAME.ATTRIBUTE}`, `${?…}`, and `$${` for a literal `${`.
//!
//! Only how they are written stands here; whether a node and its attribute exist is checked by `spec`.

use std::sync::Arc;

use crate::value::{Address, Name, Reference, Segment, Text};

/// A reference within a text, and which bytes of the text write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention {
    /// What is mentioned.
    pub reference: Arc<Reference>,
    /// The first byte of the `${`, and one past the `}`.
    pub whole: (usize, usize),
    /// The bytes of the kind.
    pub kind: (usize, usize),
    /// The bytes of the name, without its quotes.
    pub name: (usize, usize),
    /// The bytes of the attribute, without its quotes.
    pub attribute: (usize, usize),
}

/// A `${` that begins no reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadReference {
    /// The first byte of the `${`.
    pub start: usize,
    /// One past the last byte that belongs to it.
    pub end: usize,
    /// What is wrong with it.
    pub why: &'static str,
}

/// A text in pieces, with what is mentioned in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mentions {
    /// The text, with `$${` undone.
    pub text: Text,
    /// The references in it.
    pub mentions: Vec<Mention>,
    /// What looks like one and is none; it stands in the text as it is.
    pub bad: Vec<BadReference>,
}

/// Tells whether `content` holds anything that [`read`] would turn into something else.
#[must_use]
pub fn is_plain(content: &str) -> bool {
    !content.contains("${")
}

/// Returns the pieces of `content`.
#[must_use]
pub fn read(content: &str) -> Mentions {
    let mut segments: Vec<Segment> = Vec::new();
    let mut result = Mentions::default();
    let mut literal = 0;
    let mut at = 0;
    let bytes = content.as_bytes();
    let push = |segments: &mut Vec<Segment>, part: &str| segments.push(Segment::Literal(part.into()));
    while at < bytes.len() {
        if bytes[at..].starts_with(b"$${") {
            push(&mut segments, &content[literal..at]);
            push(&mut segments, "${");
            at += 3;
            literal = at;
        } else if bytes[at..].starts_with(b"${") {
            match mention(content, at) {
                Ok(found) => {
                    push(&mut segments, &content[literal..at]);
                    at = found.whole.1;
                    literal = at;
                    segments.push(Segment::Reference(found.reference.clone()));
                    result.mentions.push(found);
                }
                Err(bad) => {
                    at = bad.end.max(at + 2);
                    result.bad.push(bad);
                }
            }
        } else {
            at += 1;
        }
    }
    push(&mut segments, &content[literal..]);
    result.text = Text::new(segments);
    result
}

/// Reads the reference whose `${` stands at `start`.
fn mention(content: &str, start: usize) -> Result<Mention, BadReference> {
    let Some(length) = closing(&content[start..]) else {
        let end = content[start..]
            .find(char::is_whitespace)
            .map_or(content.len(), |it| start + it);
        return Err(BadReference {
            start,
            end,
            why: "its brace is never closed",
        });
    };
    let end = start + length;
    let bad = |why| BadReference { start, end, why };
    let mut at = start + 2;
    let required = content.as_bytes()[at] != b'?';
    at += usize::from(!required);
    let (kind, next) = word(content, at, end).ok_or(bad("no kind stands first in it"))?;
    let (name, next) = step(content, next, end).ok_or(bad("it has no name"))?;
    let (attribute, next) = step(content, next, end).ok_or(bad("it has no attribute"))?;
    if next != end - 1 {
        return Err(bad("something stands behind its attribute"));
    }
    let part = |(from, to): (usize, usize)| Name::from(&content[from..to]);
    Ok(Mention {
        reference: Arc::new(Reference {
            node: Address::new(part(kind), part(name)),
            attribute: part(attribute),
            required,
            manner: None,
        }),
        whole: (start, end),
        kind,
        name,
        attribute,
    })
}

/// Returns the length of what begins with `${`, up to the brace that closes it; braces within quotes do not count.
fn closing(text: &str) -> Option<usize> {
    let mut quoted = false;
    for (at, byte) in text.bytes().enumerate().skip(2) {
        match byte {
            b'"' => quoted = !quoted,
            b'}' if !quoted => return Some(at + 1),
            b'\n' => return None,
            _ => {}
        }
    }
    None
}

/// Reads `.word` or `["…"]`; returns its bytes and where it ends.
fn step(content: &str, at: usize, end: usize) -> Option<((usize, usize), usize)> {
    let rest = &content[at..end];
    if let Some(quoted) = rest.strip_prefix("[\"") {
        let length = quoted.find("\"]")?;
        let start = at + 2;
        return (length > 0).then_some(((start, start + length), start + length + 2));
    }
    rest.strip_prefix('.')?;
    word(content, at + 1, end)
}

/// Tells whether a name that needs no quotes in a reference may hold `it`.
#[must_use]
pub fn is_part(it: char) -> bool {
    it.is_alphanumeric() || it == '_' || it == '-'
}

fn word(content: &str, at: usize, end: usize) -> Option<((usize, usize), usize)> {
    let length = content[at..end].find(|it| !is_part(it))?;
    (length > 0).then_some(((at, at + length), at + length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(content: &str) -> String {
        let read = read(content);
        assert!(read.bad.is_empty(), "{:?}", read.bad);
        let segments = read.text.segments().iter().map(|it| match it {
            Segment::Literal(text) => format!("{text:?}"),
            Segment::Reference(it) => format!("<{} {} {}>", it.node, it.attribute, it.required),
            Segment::Code { .. } => unreachable!("a spec has no code"),
        });
        segments.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn references_are_cut_out_of_a_text() {
        assert_eq!(
            shown("mongodb://admin@${infra.mongodb.address}/authn"),
            r#""mongodb://admin@" <infra.mongodb address true> "/authn""#
        );
        assert_eq!(shown("${?service.auth-api.port_1}"), "<service.auth-api port_1 false>");
        assert_eq!(
            shown(r#"${service["a.b"].address}"#),
            r#"<service["a.b"] address true>"#
        );
        assert_eq!(shown(r#"${secret.Orders["k.1"]}"#), "<secret.Orders k.1 true>");
    }

    #[test]
    fn a_doubled_dollar_is_literal() {
        assert_eq!(shown("a$${HOME}b"), r#""a${HOME}b""#);
        assert_eq!(shown("$$${a.b.c}"), r#""$${a.b.c}""#);
        assert_eq!(shown("$5 $$ $"), r#""$5 $$ $""#);
    }

    #[test]
    fn what_is_no_reference_is_told() {
        let why = |content: &str| read(content).bad.iter().map(|it| it.why).collect::<Vec<_>>();
        assert_eq!(why("x ${HOME} y"), ["it has no name"]);
        assert_eq!(why("${service.auth}"), ["it has no attribute"]);
        assert_eq!(why("${service.auth.url.x}"), ["something stands behind its attribute"]);
        assert_eq!(why("${service.auth.url"), ["its brace is never closed"]);
        assert_eq!(why("${}"), ["no kind stands first in it"]);
        assert_eq!(why("${?}"), ["no kind stands first in it"]);
        assert_eq!(why("${"), ["its brace is never closed"]);
        assert_eq!(why("${ä"), ["its brace is never closed"]);
    }

    #[test]
    fn places_are_exact() {
        let content = r#"x${service["a.b"].url}"#;
        let mention = &read(content).mentions[0];
        assert_eq!(&content[mention.name.0..mention.name.1], "a.b");
        assert_eq!(&content[mention.attribute.0..mention.attribute.1], "url");
        assert_eq!(mention.whole, (1, content.len()));
    }
}
