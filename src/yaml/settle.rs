//! Moving between things: spaces, comments, line ends, columns, and what stops the reader.

use super::read::{MAX_DEPTH, Reader, is_end, is_white, is_white_or_end};
use super::{Data, Mistake, MistakeKind, Span, Yaml};

impl<'t> Reader<'t> {
    /// Returns the byte that stands `ahead` of the reader, 0 behind the end.
    #[inline]
    pub(super) fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    pub(super) fn slice(&self, start: usize, end: usize) -> &'t str {
        self.text.get(start..end).unwrap_or_default()
    }

    /// Consumes `n` bytes of content.
    pub(super) fn step(&mut self, n: usize) {
        self.at += n;
        self.end = self.at;
    }

    #[inline]
    pub(super) fn skip_white(&mut self) {
        while is_white(self.peek(0)) {
            self.at += 1;
        }
    }

    /// Consumes a line end, if there is one.
    pub(super) fn skip_end_of_line(&mut self) -> bool {
        let n = match self.peek(0) {
            b'\n' => 1,
            b'\r' if self.peek(1) == b'\n' => 2,
            b'\r' => 1,
            _ => return false,
        };
        self.at += n;
        self.line = self.at;
        self.tab = None;
        true
    }

    /// Goes to the next content, over spaces, comments and empty lines.
    pub(super) fn gap(&mut self) {
        loop {
            let white = self.at;
            while self.peek(0) == b' ' {
                self.at += 1;
            }
            if self.peek(0) == b'\t' {
                if white == self.line {
                    self.tab = Some(self.at);
                }
                self.skip_white();
            }
            if self.is_comment() {
                while !is_end(self.peek(0)) {
                    self.at += 1;
                }
            }
            if !self.skip_end_of_line() {
                return;
            }
        }
    }

    /// Goes to the next line with content after a value; anything else on this line is a mistake.
    pub(super) fn settle(&mut self) {
        let line = self.line;
        let is_new = self.at == self.line;
        self.gap();
        if self.line == line && !is_new && self.at < self.bytes.len() && !self.stopped {
            let start = self.at;
            let mut end = self.at;
            while !is_end(self.bytes.get(end).copied().unwrap_or(0)) {
                end += 1;
            }
            let end = start + self.slice(start, end).trim_end().len();
            self.fail(start, end, MistakeKind::AfterValue);
        }
    }

    pub(super) fn is_comment(&self) -> bool {
        self.peek(0) == b'#'
            && (self.at == self.line || self.at.checked_sub(1).is_some_and(|it| is_white_or_end(self.bytes[it])))
    }

    /// Whether nothing but white and a comment is left of the line. The reader stands behind white.
    pub(super) fn is_line_done(&self) -> bool {
        is_end(self.peek(0)) || self.is_comment()
    }

    /// Whether a colon stands here that ends a key of a block map.
    #[inline]
    pub(super) fn is_colon(&self) -> bool {
        self.peek(0) == b':' && is_white_or_end(self.peek(1))
    }

    /// Whether the document ends here.
    pub(super) fn is_over(&self) -> bool {
        self.stopped
            || self.at >= self.bytes.len()
            || self.at == self.line && (self.is_at_marker(b'-') || self.is_at_marker(b'.'))
    }

    pub(super) fn is_at_marker(&self, byte: u8) -> bool {
        self.at == self.line
            && self.peek(0) == byte
            && self.peek(1) == byte
            && self.peek(2) == byte
            && is_white_or_end(self.peek(3))
    }

    pub(super) fn column(&self) -> isize {
        self.column_of(self.at)
    }

    pub(super) fn column_of(&self, at: usize) -> isize {
        at.saturating_sub(self.line).cast_signed()
    }

    /// Opens a list or a map, unless that is one level too many.
    pub(super) fn enter(&mut self, start: usize) -> bool {
        if self.depth >= MAX_DEPTH {
            self.fail(start, start + 1, MistakeKind::TooDeep);
            return false;
        }
        self.depth += 1;
        true
    }

    pub(super) fn check_tab(&mut self) {
        if let Some(tab) = self.tab
            && !self.stopped
        {
            self.fail(tab, tab + 1, MistakeKind::Tab);
        }
    }

    /// Returns the value that stands nowhere, right behind the last content.
    pub(super) fn null(&self) -> Yaml {
        Yaml {
            span: Span::new(self.end, self.end),
            data: Data::Null,
        }
    }

    pub(super) fn mistake(&mut self, start: usize, end: usize, kind: MistakeKind) {
        self.mistakes.push(Mistake {
            span: Span::new(start, end),
            kind,
        });
    }

    /// Stops the reader. Only the first mistake in the syntax counts.
    pub(super) fn fail(&mut self, start: usize, end: usize, kind: MistakeKind) {
        if self.stopped {
            return;
        }
        // The span may end within a character, or behind the text.
        let mut end = end.min(self.bytes.len()).max(start.min(self.bytes.len()));
        while !self.text.is_char_boundary(end) {
            end += 1;
        }
        self.mistake(start.min(end), end, kind);
        self.stopped = true;
    }

    /// Stops the reader because of the rest of this line.
    pub(super) fn fail_line(&mut self, kind: MistakeKind) {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let line = rest.lines().next().unwrap_or_default().trim_end();
        self.fail(self.at, self.at + line.len(), kind);
    }
}
