//! The tokens of an expression.
//!
//! They are CEL's, with two kinds more for what CEL has no token for, so that every text has tokens: it is the parser
//! that refuses those. A scan of tokens alone finds where an expression inside of a text ends, and how deep it nests.

use crate::problem::Span;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name or a keyword.
    Word,
    /// A name in back-ticks.
    Quoted,
    /// A whole number.
    Int,
    /// A whole number that ends in `u`.
    Unsigned,
    /// A number with a point or an exponent.
    Float,
    /// A string with its quotes and its prefix.
    String,
    /// A string of bytes.
    Bytes,
    /// A string that never ends.
    Unclosed,
    /// One of `( [ {`.
    Open,
    /// One of `) ] }`.
    Close,
    /// `,`
    Comma,
    /// Any other sign.
    Sign,
    /// What means nothing.
    Unknown,
}

/// A token and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// What it is.
    pub(crate) kind: Kind,
    /// Where it stands in the source.
    pub(crate) span: Span,
}

impl Token {
    /// Returns its characters.
    pub(crate) fn of<'a>(&self, source: &'a str) -> &'a str {
        self.span.of(source)
    }
}

/// Returns the tokens of `source` from byte `at` on, one after the other.
pub(crate) fn tokens(source: &str, at: usize) -> Tokens<'_> {
    Tokens { source, at }
}

/// Returns where the `}` stands that closes the expression which begins at byte `at`.
pub(crate) fn closing_brace(source: &str, at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for token in tokens(source, at) {
        match (token.kind, source.as_bytes()[token.span.start as usize]) {
            (Kind::Open, b'{') => depth += 1,
            (Kind::Close, b'}') if depth == 0 => return Some(token.span.start as usize),
            (Kind::Close, b'}') => depth -= 1,
            (Kind::Unclosed, _) => return None,
            _ => {}
        }
    }
    None
}

/// How deep the tokens so far nest. A chain (`a.b.c`, `1 + 1 + 1`, `!!!a`) is as deep as it has signs, since its tree
/// is.
#[derive(Default)]
pub(crate) struct Depth {
    open: Vec<usize>,
    chain: usize,
    depth: usize,
}

impl Depth {
    /// Adds a token; returns the depth behind it, and how many brackets are open.
    pub(crate) fn add(&mut self, kind: Kind) -> (usize, usize) {
        match kind {
            Kind::Open => {
                self.open.push(self.chain + 1);
                self.depth += 1;
                self.chain = 0;
            }
            Kind::Close => {
                self.depth -= self.chain;
                // What was open goes on as a chain: `a(1)(2)`, `a[0][1]`.
                self.chain = self.open.pop().unwrap_or_default();
            }
            Kind::Comma => {
                self.depth -= self.chain;
                self.chain = 0;
            }
            Kind::Sign => {
                self.chain += 1;
                self.depth += 1;
            }
            _ => {}
        }
        (self.depth, self.open.len())
    }
}

/// The tokens of a source.
pub(crate) struct Tokens<'a> {
    source: &'a str,
    at: usize,
}

impl Tokens<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.source.as_bytes().get(self.at + ahead).copied().unwrap_or(0)
    }

    fn skip_while(&mut self, wanted: impl Fn(u8) -> bool) {
        let rest = &self.source.as_bytes()[self.at..];
        self.at += rest.iter().position(|it| !wanted(*it)).unwrap_or(rest.len());
    }

    fn skip_blanks(&mut self) {
        loop {
            self.skip_while(|it| matches!(it, b' ' | b'\t' | b'\n' | b'\r' | b'\x0c'));
            if !self.source[self.at..].starts_with("//") {
                return;
            }
            self.skip_while(|it| it != b'\n');
        }
    }

    /// Reads a string from its first quote on.
    fn string(&mut self, closed: Kind, escapes: Escapes) -> Kind {
        let quote = self.peek(0);
        let is_triple = self.peek(1) == quote && self.peek(2) == quote;
        self.at += if is_triple { 3 } else { 1 };
        while self.at < self.source.len() {
            let byte = self.peek(0);
            if byte == quote && !is_triple {
                self.at += 1;
                return closed;
            }
            if byte == quote && self.peek(1) == quote && self.peek(2) == quote {
                self.at += 3;
                return closed;
            }
            if matches!(byte, b'\n' | b'\r') && !is_triple {
                return Kind::Unclosed;
            }
            let is_escape = byte == b'\\' && escapes == Escapes::Read;
            // No quote and no line break lies within a longer character.
            self.at += if is_escape { 2 } else { 1 };
        }
        self.at = self.source.len();
        Kind::Unclosed
    }

    fn number(&mut self) -> Kind {
        if self.peek(0) == b'0' && self.peek(1) == b'x' && self.peek(2).is_ascii_hexdigit() {
            self.at += 2;
            self.skip_while(|it| it.is_ascii_hexdigit());
            return self.suffix();
        }
        self.skip_while(|it| it.is_ascii_digit());
        let mut kind = Kind::Int;
        if self.peek(0) == b'.' && self.peek(1).is_ascii_digit() {
            self.at += 1;
            self.skip_while(|it| it.is_ascii_digit());
            kind = Kind::Float;
        }
        if matches!(self.peek(0), b'e' | b'E') {
            let sign = usize::from(matches!(self.peek(1), b'+' | b'-'));
            if self.peek(1 + sign).is_ascii_digit() {
                self.at += 1 + sign;
                self.skip_while(|it| it.is_ascii_digit());
                kind = Kind::Float;
            }
        }
        if kind == Kind::Int { self.suffix() } else { kind }
    }

    fn suffix(&mut self) -> Kind {
        if matches!(self.peek(0), b'u' | b'U') {
            self.at += 1;
            return Kind::Unsigned;
        }
        Kind::Int
    }

    /// Reads a word, or a string with a prefix.
    fn word(&mut self) -> Kind {
        let start = self.at;
        self.skip_while(|it| it.is_ascii_alphanumeric() || it == b'_' || !it.is_ascii());
        let word = &self.source[start..self.at];
        if matches!(self.peek(0), b'\'' | b'"') {
            match word {
                "r" | "R" => return self.string(Kind::String, Escapes::Raw),
                "b" | "B" => return self.string(Kind::Bytes, Escapes::Read),
                "br" | "bR" | "Br" | "BR" => return self.string(Kind::Bytes, Escapes::Raw),
                _ => {}
            }
        }
        if word.is_ascii() {
            return Kind::Word;
        }
        // Blanks that are none here end it, so that a label stands under the word alone.
        let is_part = |it: char| it.is_alphanumeric() || it == '_';
        let len = word.find(|it| !is_part(it)).unwrap_or(word.len());
        self.at = start + len.max(word.chars().next().map_or(0, char::len_utf8));
        if self.source[start..self.at].is_ascii() {
            Kind::Word
        } else {
            Kind::Unknown
        }
    }

    fn quoted(&mut self) -> Kind {
        self.at += 1;
        let start = self.at;
        self.skip_while(|it| it.is_ascii_alphanumeric() || b"_.-/ ".contains(&it));
        if self.at > start && self.peek(0) == b'`' {
            self.at += 1;
            return Kind::Quoted;
        }
        Kind::Unknown
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Escapes {
    Read,
    Raw,
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        self.skip_blanks();
        let start = self.at;
        let byte = *self.source.as_bytes().get(start)?;
        let kind = match byte {
            b'\'' | b'"' => self.string(Kind::String, Escapes::Read),
            b'`' => self.quoted(),
            b'0'..=b'9' => self.number(),
            b'.' if self.peek(1).is_ascii_digit() => self.number(),
            _ if byte.is_ascii_alphabetic() || byte == b'_' || !byte.is_ascii() => self.word(),
            _ => {
                let is_double = matches!(
                    (byte, self.peek(1)),
                    (b'&', b'&') | (b'|', b'|') | (b'=' | b'!' | b'<' | b'>', b'=')
                );
                self.at += if is_double { 2 } else { 1 };
                match byte {
                    b'(' | b'[' | b'{' => Kind::Open,
                    b')' | b']' | b'}' => Kind::Close,
                    b',' => Kind::Comma,
                    b'&' | b'|' | b'=' if !is_double => Kind::Unknown,
                    b'.' | b'?' | b':' | b'+' | b'-' | b'*' | b'/' | b'%' | b'!' | b'<' | b'>' => Kind::Sign,
                    b'&' | b'|' | b'=' => Kind::Sign,
                    _ => Kind::Unknown,
                }
            }
        };
        Some(Token {
            kind,
            span: Span::new(start, self.at),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_brace_inside_strings_and_maps_does_not_close() {
        for (text, expected) in [
            ("a}", Some(1)),
            ("'}'}", Some(3)),
            (r"'\'}'}", Some(5)),
            (r"r'\'}", Some(4)),
            ("{'a': {}}.a}x}", Some(11)),
            ("'''}'''}", Some(7)),
            ("a // }\n}", Some(7)),
            ("ñ`}", Some(3)),
            ("'a", None),
            ("'ñ\\", None),
            ("{", None),
        ] {
            assert_eq!(closing_brace(text, 0), expected, "{text}");
        }
    }

    #[test]
    fn depth_counts_brackets_and_chains() {
        let depth = |source: &str| {
            let mut depth = Depth::default();
            tokens(source, 0).map(|it| depth.add(it.kind).0).max()
        };
        assert_eq!(depth("a.b + c.d"), Some(3));
        assert_eq!(depth(&"(".repeat(10_000)), Some(10_000));
        assert_eq!(depth(&format!("a{}", ".b".repeat(300))), Some(300));
        assert_eq!(depth(&"!".repeat(300)), Some(300));
        assert_eq!(depth(&format!("f{}", "(1)".repeat(300))), Some(300));
        let wide = vec!["a.b"; 5_000].join(", ");
        assert_eq!(depth(&format!("[{wide}]")), Some(2));
    }

    #[test]
    fn tokens_are_as_long_as_they_can_be() {
        use Kind::*;
        let of = |source: &str| tokens(source, 0).map(|it| it.kind).collect::<Vec<_>>();
        assert_eq!(
            of("1.5e-3 .5 1e3 0x1F 7u 0xFu"),
            [Float, Float, Float, Int, Unsigned, Unsigned]
        );
        assert_eq!(of("1.e"), [Int, Sign, Word]);
        assert_eq!(of("0x 1e"), [Int, Word, Int, Word]);
        assert_eq!(of("b'' br'' rb''"), [Bytes, Bytes, Word, String]);
        assert_eq!(of("`a.b` `` = =="), [Quoted, Unknown, Unknown, Unknown, Sign]);
        assert_eq!(of("'a\n'"), [Unclosed, Unclosed]);
        assert_eq!(of("año ñ\u{a0}a"), [Unknown, Unknown, Unknown, Word]);
    }
}
