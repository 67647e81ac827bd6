//! The tokens of an expression, just far enough to find its end and its depth.
//!
//! The parser proper is the `cel` crate's. It recurses, so that what is handed to it is measured here first; and
//! it wants a text that ends where the expression ends, which only a scan of strings and braces can find.

use crate::problem::Span;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name or a keyword, in back-ticks too.
    Word,
    /// A number.
    Number,
    /// A string with its quotes and prefixes.
    String,
    /// A string that never ends.
    Unclosed,
    /// One of `( [ {`.
    Open,
    /// One of `) ] }`.
    Close,
    /// `,` or `;`.
    Comma,
    /// Any other sign.
    Sign,
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
        match (token.kind, token.of(source)) {
            (Kind::Open, "{") => depth += 1,
            (Kind::Close, "}") if depth == 0 => return Some(token.span.start as usize),
            (Kind::Close, "}") => depth -= 1,
            (Kind::Unclosed, _) => return None,
            _ => {}
        }
    }
    None
}

/// Returns where `source` nests deeper than `limit`, if it does.
///
/// A chain (`a.b.c`, `1 + 1 + 1`, `!!!a`) is as deep as it has signs, since its tree is.
pub(crate) fn too_deep(source: &str, limit: usize) -> Option<Span> {
    let mut open: Vec<usize> = Vec::new();
    let mut chain = 0_usize;
    let mut depth = 0_usize;
    for token in tokens(source, 0) {
        match token.kind {
            Kind::Open => {
                open.push(chain + 1);
                depth += 1;
                chain = 0;
            }
            Kind::Close => {
                depth -= chain;
                chain = open.pop().unwrap_or_default();
                // What was open goes on as a chain: `a(1)(2)`, `a[0][1]`.
            }
            Kind::Comma => {
                depth -= chain;
                chain = 0;
            }
            Kind::Sign => {
                chain += 1;
                depth += 1;
            }
            _ => {}
        }
        if depth > limit {
            return Some(token.span);
        }
    }
    None
}

/// The tokens of a source.
pub(crate) struct Tokens<'a> {
    source: &'a str,
    at: usize,
}

impl Tokens<'_> {
    fn peek(&self) -> Option<char> {
        self.source[self.at..].chars().next()
    }

    fn skip_while(&mut self, wanted: impl Fn(char) -> bool) {
        while let Some(char) = self.peek().filter(|it| wanted(*it)) {
            self.at += char.len_utf8();
        }
    }

    fn skip_blanks(&mut self) {
        loop {
            self.skip_while(char::is_whitespace);
            if !self.source[self.at..].starts_with("//") {
                return;
            }
            self.skip_while(|it| it != '\n');
        }
    }

    fn string(&mut self, escapes: Escapes) -> Kind {
        let rest = &self.source[self.at..];
        let quote = &rest[..1];
        let triple = if quote == "'" { "'''" } else { "\"\"\"" };
        let end = if rest.starts_with(triple) { triple } else { quote };
        self.at += end.len();
        while let Some(char) = self.peek() {
            if self.source[self.at..].starts_with(end) {
                self.at += end.len();
                return Kind::String;
            }
            if char == '\n' && end.len() == 1 {
                return Kind::Unclosed;
            }
            self.at += char.len_utf8();
            if char == '\\' && escapes == Escapes::Read {
                self.at += self.peek().map_or(0, char::len_utf8);
            }
        }
        Kind::Unclosed
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
        let char = self.peek()?;
        let kind = match char {
            '\'' | '"' => self.string(Escapes::Read),
            '(' | '[' | '{' => {
                self.at += 1;
                Kind::Open
            }
            ')' | ']' | '}' => {
                self.at += 1;
                Kind::Close
            }
            ',' | ';' => {
                self.at += 1;
                Kind::Comma
            }
            '`' => {
                self.at += 1;
                self.skip_while(|it| it != '`' && it != '\n');
                self.at += usize::from(self.peek() == Some('`'));
                Kind::Word
            }
            '0'..='9' => {
                self.skip_while(|it| it.is_ascii_alphanumeric());
                Kind::Number
            }
            _ if char.is_alphabetic() || char == '_' => {
                self.skip_while(|it| it.is_alphanumeric() || it == '_');
                let prefix = &self.source[start..self.at];
                let quoted = matches!(self.peek(), Some('\'' | '"'));
                match prefix {
                    "r" | "R" | "br" | "bR" | "Br" | "BR" if quoted => self.string(Escapes::Raw),
                    "b" | "B" if quoted => self.string(Escapes::Read),
                    _ => Kind::Word,
                }
            }
            _ => {
                self.at += char.len_utf8();
                let two = self.source.get(start..start + 2).unwrap_or_default();
                if matches!(two, "&&" | "||" | "==" | "!=" | "<=" | ">=") {
                    self.at = start + 2;
                }
                Kind::Sign
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
            ("'a", None),
            ("{", None),
        ] {
            assert_eq!(closing_brace(text, 0), expected, "{text}");
        }
    }

    #[test]
    fn depth_counts_brackets_and_chains() {
        assert_eq!(too_deep("a.b + c.d", 4), None);
        assert!(too_deep(&"(".repeat(10_000), 64).is_some());
        assert!(too_deep(&format!("a{}", ".b".repeat(300)), 250).is_some());
        assert!(too_deep(&"!".repeat(300), 250).is_some());
        assert!(too_deep(&format!("f{}", "(1)".repeat(300)), 250).is_some());
        let wide = vec!["a.b"; 5_000].join(", ");
        assert_eq!(too_deep(&format!("[{wide}]"), 16), None);
    }
}
