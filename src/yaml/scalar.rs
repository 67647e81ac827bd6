//! Plain and quoted scalars: from the file's characters to the content, and which byte came from where.

use super::mark::Sort;
use super::read::{Reader, is_end, is_white, is_white_or_end};
use super::{MistakeKind, Span, Style, Text};

/// A scalar as read, before it is known what it means.
#[derive(Clone)]
pub(super) struct Scalar {
    pub(super) span: Span,
    pub(super) style: Style,
    /// The content, if it is not just a part of the file.
    pub(super) content: Option<Content>,
}

/// A content that is put together.
#[derive(Clone, Default)]
pub(super) struct Content {
    pub(super) text: String,
    jumps: Vec<(u32, u32)>,
}

impl Content {
    /// Adds `piece`, which stands at `source` in the file or stands for what is there.
    pub(super) fn push(&mut self, piece: &str, source: usize) {
        let jump = Span::new(self.text.len(), source);
        let follows = self
            .jumps
            .last()
            .is_some_and(|(content, at)| jump.start - content == jump.end.wrapping_sub(*at));
        if !follows && !piece.is_empty() {
            self.jumps.push((jump.start, jump.end));
        }
        self.text.push_str(piece);
    }
}

impl Scalar {
    /// The scalar of nothing at all.
    pub(super) fn empty(at: usize) -> Self {
        Self {
            span: Span::new(at, at),
            style: Style::Plain,
            content: None,
        }
    }

    pub(super) fn is_plain(&self) -> bool {
        self.style == Style::Plain
    }

    /// Returns the content.
    pub(super) fn content<'a>(&'a self, text: &'a str) -> &'a str {
        match &self.content {
            Some(content) => &content.text,
            None => self.inner().of(text),
        }
    }

    pub(super) fn into_text(self, text: &str) -> Text {
        let inner = self.inner();
        match self.content {
            Some(content) => Text {
                content: content.text.into(),
                style: self.style,
                jumps: content.jumps.into_boxed_slice(),
            },
            None => Text {
                content: inner.of(text).into(),
                style: self.style,
                jumps: Box::default(),
            },
        }
    }

    fn inner(&self) -> Span {
        let quote = u32::from(matches!(self.style, Style::SingleQuoted | Style::DoubleQuoted));
        Span {
            start: self.span.start + quote,
            end: self.span.end.saturating_sub(quote),
        }
    }
}

impl Reader<'_> {
    /// Reads a plain scalar as far as its first line goes.
    pub(super) fn read_plain_line(&mut self, in_brackets: bool) -> Scalar {
        let start = self.at;
        let first = self.peek(0);
        let next = self.peek(1);
        let is_plain = match first {
            b'-' | b'?' | b':' => !(is_white_or_end(next) || in_brackets && is_bracket(next)),
            b',' | b'[' | b']' | b'{' | b'}' | b'#' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\'' | b'"' | b'%' | b'@'
            | b'`' => false,
            _ => true,
        };
        if !is_plain {
            let character = char::from(first);
            self.fail(start, start + 1, MistakeKind::UnexpectedCharacter { character });
            return Scalar::empty(start);
        }
        let end = self.skip_plain(in_brackets);
        self.mark_token(Sort::Scalar, start, end);
        self.end = end;
        Scalar {
            span: Span::new(start, end),
            style: Style::Plain,
            content: None,
        }
    }

    /// Goes to the end of the plain text on this line, and returns where its last character that is not white ends.
    fn skip_plain(&mut self, in_brackets: bool) -> usize {
        let mut at = self.at;
        loop {
            let byte = self.bytes.get(at).copied().unwrap_or(0);
            let ends = match byte {
                b'\n' | b'\r' | 0 => true,
                b':' => {
                    let next = self.bytes.get(at + 1).copied().unwrap_or(0);
                    is_white_or_end(next) || in_brackets && is_bracket(next)
                }
                b'#' => at > self.at && is_white(self.bytes[at - 1]),
                b',' | b'[' | b']' | b'{' | b'}' => in_brackets,
                _ => false,
            };
            if ends {
                break;
            }
            at += 1;
        }
        let mut end = at;
        while end > self.at && is_white(self.bytes[end - 1]) {
            end -= 1;
        }
        self.at = at;
        end
    }

    /// Reads the further lines of a plain scalar: those indented deeper than `parent`.
    pub(super) fn read_more_lines(&mut self, scalar: &mut Scalar, parent: isize) {
        while self.next_plain_line(parent) {
            let start = self.at;
            let end = self.skip_plain(false);
            if self.peek(0) == b':' {
                self.fail(self.at, self.at + 1, MistakeKind::SecondColon);
            }
            self.add_line(scalar, start, end);
            if self.stopped {
                return;
            }
        }
    }

    /// The same within brackets, where a line may be followed by more than a line end.
    pub(super) fn read_more_lines_in_brackets(&mut self, scalar: &mut Scalar, parent: isize) {
        while is_end(self.peek(0)) && self.next_plain_line(parent) {
            let start = self.at;
            let is_text = match self.peek(0) {
                b',' | b'[' | b']' | b'{' | b'}' => false,
                b':' => !(is_white_or_end(self.peek(1)) || is_bracket(self.peek(1))),
                _ => true,
            };
            if !is_text {
                return;
            }
            let end = self.skip_plain(true);
            self.add_line(scalar, start, end);
        }
    }

    fn add_line(&mut self, scalar: &mut Scalar, start: usize, end: usize) {
        let previous = scalar.span.end as usize;
        let content = scalar.content.get_or_insert_with(Content::default);
        if content.text.is_empty() {
            content.push(scalar.span.of(self.text), scalar.span.start as usize);
        }
        fold(content, self.bytes, previous, start);
        content.push(self.slice(start, end), start);
        scalar.span = Span::new(scalar.span.start as usize, end);
        self.mark_further(end);
        self.end = end;
    }

    /// Goes to the next line of a plain scalar, or stays where it is.
    fn next_plain_line(&mut self, parent: isize) -> bool {
        let (at, line, tab) = (self.at, self.line, self.tab);
        let mut indent = 0;
        while self.skip_end_of_line() {
            while self.peek(0) == b' ' {
                self.at += 1;
            }
            indent = self.column();
            self.skip_white();
        }
        if self.line == line || self.is_over() || indent <= parent || self.peek(0) == b'#' {
            (self.at, self.line, self.tab) = (at, line, tab);
            return false;
        }
        true
    }

    /// Reads a scalar in quotes, with all its lines.
    pub(super) fn read_quoted(&mut self, quote: u8, parent: isize) -> Scalar {
        let style = if quote == b'"' {
            Style::DoubleQuoted
        } else {
            Style::SingleQuoted
        };
        let start = self.at;
        self.at += 1;
        let mut content: Option<Content> = None;
        // What was read last and is not yet in the content begins here.
        let mut from = self.at;
        loop {
            let byte = self.peek(0);
            if byte == quote {
                if quote == b'\'' && self.peek(1) == b'\'' {
                    let content = content.get_or_insert_default();
                    content.push(self.slice(from, self.at + 1), from);
                    self.at += 2;
                    from = self.at;
                    continue;
                }
                break;
            }
            match byte {
                0 => {
                    self.fail(start, start + 1, MistakeKind::UnclosedQuote);
                    return Scalar::empty(start);
                }
                b'\\' if quote == b'"' && is_end(self.peek(1)) => {
                    // The line goes on: its end is no content, nor is the indentation of the next one.
                    let content = content.get_or_insert_default();
                    content.push(self.slice(from, self.at), from);
                    let end = self.at;
                    self.at += 1;
                    if !self.next_quoted_line(parent) {
                        self.fail(start, start + 1, MistakeKind::UnclosedQuote);
                        return Scalar::empty(start);
                    }
                    let n_ends = count_ends(self.bytes, end, self.at);
                    content.push(&"\n".repeat(n_ends.saturating_sub(1)), end);
                    from = self.at;
                }
                b'\\' if quote == b'"' => {
                    let content = content.get_or_insert_default();
                    content.push(self.slice(from, self.at), from);
                    self.read_escape(content);
                    from = self.at;
                }
                b'\n' | b'\r' => {
                    let content = content.get_or_insert_default();
                    let mut end = self.at;
                    while end > from && is_white(self.bytes[end - 1]) {
                        end -= 1;
                    }
                    content.push(self.slice(from, end), from);
                    if !self.next_quoted_line(parent) {
                        self.fail(start, start + 1, MistakeKind::UnclosedQuote);
                        return Scalar::empty(start);
                    }
                    fold(content, self.bytes, end, self.at);
                    from = self.at;
                }
                _ => self.at += 1,
            }
            if self.stopped {
                return Scalar::empty(start);
            }
        }
        if let Some(content) = &mut content {
            content.push(self.slice(from, self.at), from);
        }
        self.step(1);
        self.mark_token(Sort::Scalar, start, self.at);
        Scalar {
            span: Span::new(start, self.at),
            style,
            content,
        }
    }

    /// Goes to the next line of a quoted scalar, unless that lies outside of its parent.
    fn next_quoted_line(&mut self, parent: isize) -> bool {
        let mut indent = 0;
        while self.skip_end_of_line() {
            while self.peek(0) == b' ' {
                self.at += 1;
            }
            indent = self.column();
            self.skip_white();
        }
        !self.is_over() && indent > parent
    }

    /// Reads an escape of a double-quoted scalar.
    fn read_escape(&mut self, content: &mut Content) {
        let start = self.at;
        let n_digits = match self.peek(1) {
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            simple => {
                let piece = match simple {
                    b'0' => "\0",
                    b'a' => "\x07",
                    b'b' => "\x08",
                    b't' | b'\t' => "\t",
                    b'n' => "\n",
                    b'v' => "\x0b",
                    b'f' => "\x0c",
                    b'r' => "\r",
                    b'e' => "\x1b",
                    b' ' => " ",
                    b'"' => "\"",
                    b'/' => "/",
                    b'\\' => "\\",
                    b'N' => "\u{85}",
                    b'_' => "\u{a0}",
                    b'L' => "\u{2028}",
                    b'P' => "\u{2029}",
                    _ => return self.fail(start, start + 2, MistakeKind::Escape),
                };
                self.at += 2;
                return content.push(piece, start);
            }
        };
        let Some(mut code) = self.digits(start + 2, n_digits) else {
            return self.fail(start, start + 2, MistakeKind::Escape);
        };
        self.at += 2 + n_digits;
        // JSON writes characters beyond U+FFFF as two escapes.
        let is_half = n_digits == 4 && (0xd800..0xdc00).contains(&code);
        if is_half
            && self.peek(0) == b'\\'
            && self.peek(1) == b'u'
            && let Some(low @ 0xdc00..0xe000) = self.digits(self.at + 2, 4)
        {
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
            self.at += 6;
        }
        match char::from_u32(code) {
            Some(character) => content.push(character.encode_utf8(&mut [0; 4]), start),
            None => self.fail(start, self.at, MistakeKind::Escape),
        }
    }

    fn digits(&self, start: usize, n: usize) -> Option<u32> {
        let digits = self.text.get(start..start + n)?;
        let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_hex {
            u32::from_str_radix(digits, 16).ok()
        } else {
            None
        }
    }
}

/// Adds what the line ends between `from` and `to` mean: one is a space, of several the first does not count.
fn fold(content: &mut Content, bytes: &[u8], from: usize, to: usize) {
    match count_ends(bytes, from, to) {
        1 => content.push(" ", from),
        n_ends => content.push(&"\n".repeat(n_ends.saturating_sub(1)), from),
    }
}

fn count_ends(bytes: &[u8], from: usize, to: usize) -> usize {
    let is_line_end = |at: &usize| match bytes[*at] {
        b'\r' => bytes.get(at + 1) != Some(&b'\n'),
        byte => byte == b'\n',
    };
    (from..to).filter(is_line_end).count()
}

pub(super) fn is_bracket(byte: u8) -> bool {
    matches!(byte, b',' | b'[' | b']' | b'{' | b'}')
}
