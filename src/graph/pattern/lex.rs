//! The words of a pattern.
//!
//! One symbol is one token: an arrow is put together by the parser, so that spaces may stand anywhere.

use crate::problem::{Place, Problem, Span};

/// One word or symbol.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Symbol(char),
    Word(String),
    String(String),
    Int(i64),
    Double(f64),
    End,
}

/// A token and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Lexed {
    pub(super) token: Token,
    pub(super) span: Span,
}

/// What keeps a text from being a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mistake {
    pub(super) span: Span,
    pub(super) message: String,
    pub(super) label: &'static str,
    pub(super) help: Option<String>,
}

impl Mistake {
    pub(super) fn new(span: Span, message: impl Into<String>) -> Self {
        Self {
            span,
            message: message.into(),
            label: "here",
            help: None,
        }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(super) fn problem(self, place: &dyn Fn(Span) -> Place) -> Problem {
        let problem = Problem::error("pattern::syntax", self.message).at(place(self.span), self.label);
        match self.help {
            Some(help) => problem.help(help),
            None => problem.help("a pattern is written `(s:service)-[d:depends_on]->(t {type: 'queue'})`"),
        }
    }
}

impl Token {
    /// Names this token for people.
    pub(super) fn noun(&self) -> String {
        match self {
            Self::Symbol(it) => format!("`{it}`"),
            Self::Word(it) => format!("`{it}`"),
            Self::String(_) => "a string".to_owned(),
            Self::Int(_) | Self::Double(_) => "a number".to_owned(),
            Self::End => "the end".to_owned(),
        }
    }
}

/// Tells whether `text` can stand as a name without back-ticks.
pub(super) fn is_word(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(starts_word) && chars.all(continues_word)
}

fn starts_word(it: char) -> bool {
    it.is_alphabetic() || it == '_'
}

fn continues_word(it: char) -> bool {
    it.is_alphanumeric() || it == '_'
}

/// Returns the tokens of `text`, with [`Token::End`] as the last.
pub(super) fn lex(text: &str) -> Result<Vec<Lexed>, Mistake> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let start = at;
        let token = match first {
            it if it.is_whitespace() => {
                at += it.len_utf8();
                continue;
            }
            '\'' | '"' | '`' => {
                let (content, length) = quoted(rest, first, start)?;
                at += length;
                if first == '`' {
                    Token::Word(content)
                } else {
                    Token::String(content)
                }
            }
            it if it.is_ascii_digit() => {
                let (token, length) = number(rest, start)?;
                at += length;
                token
            }
            it if starts_word(it) => {
                let length = rest.find(|it| !continues_word(it)).unwrap_or(rest.len());
                at += length;
                Token::Word(rest[..length].to_owned())
            }
            '(' | ')' | '[' | ']' | '{' | '}' | ':' | '|' | ',' | '.' | '*' | '-' | '<' | '>' | '=' => {
                at += 1;
                Token::Symbol(first)
            }
            it => {
                let span = Span::new(start, start + it.len_utf8());
                return Err(Mistake::new(span, format!("`{it}` means nothing in a pattern")));
            }
        };
        let span = Span::new(start, at);
        tokens.push(Lexed { token, span });
    }
    let span = Span::new(text.len(), text.len());
    tokens.push(Lexed {
        token: Token::End,
        span,
    });
    Ok(tokens)
}

/// Reads a string or a name in back-ticks; gives its content and its length with the quotes.
fn quoted(rest: &str, quote: char, start: usize) -> Result<(String, usize), Mistake> {
    let mut content = String::new();
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, it)) = chars.next() {
        if it == quote {
            if quote == '`' && chars.next_if(|next| next.1 == '`').is_some() {
                content.push('`');
                continue;
            }
            return Ok((content, at + 1));
        }
        if it != '\\' || quote == '`' {
            content.push(it);
            continue;
        }
        match chars.next() {
            Some((_, it @ ('\\' | '\'' | '"'))) => content.push(it),
            Some((_, 'n')) => content.push('\n'),
            Some((_, 't')) => content.push('\t'),
            Some((_, 'r')) => content.push('\r'),
            Some((end, it)) => {
                let span = Span::new(start + at, start + end + it.len_utf8());
                let mistake = Mistake::new(span, format!("`\\{it}` is no escape"));
                return Err(mistake.help(r"known are `\\`, `\'`, `\n`, `\r`, `\t` and `\` before a double quote"));
            }
            None => break,
        }
    }
    let span = Span::new(start, start + rest.len());
    let what = if quote == '`' { "this name" } else { "this string" };
    Err(Mistake::new(span, format!("{what} has no end")).help(format!("close it with `{quote}`")))
}

fn number(rest: &str, start: usize) -> Result<(Token, usize), Mistake> {
    let digits = |text: &str| text.find(|it: char| !it.is_ascii_digit()).unwrap_or(text.len());
    let mut length = digits(rest);
    let fraction = rest[length..].strip_prefix('.').map_or(0, digits);
    if fraction > 0 {
        length += 1 + fraction;
    }
    let text = &rest[..length];
    let span = Span::new(start, start + length);
    let token = if fraction > 0 {
        text.parse().ok().filter(|it: &f64| it.is_finite()).map(Token::Double)
    } else {
        text.parse().ok().map(Token::Int)
    };
    match token {
        Some(token) => Ok((token, length)),
        None => Err(Mistake::new(span, format!("`{text}` is too large a number"))),
    }
}
