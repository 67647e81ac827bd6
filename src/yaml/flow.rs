//! Lists and maps in brackets.

use super::alias::Properties;
use super::mark::Sort;
use super::read::{Key, Piece, Reader, Role, is_white_or_end};
use super::scalar::{Scalar, is_bracket};
use super::{Data, MistakeKind, Span, Yaml};

impl<'t> Reader<'t> {
    /// Reads a list or a map in brackets. All its lines but the last must be indented deeper than `parent`.
    pub(super) fn read_brackets(&mut self, parent: isize) -> Yaml {
        let start = self.at;
        let open = char::from(self.peek(0));
        if !self.enter(start) {
            return self.null();
        }
        self.mark_token(Sort::OpenBracket, start, start + 1);
        self.step(1);
        let data = if open == '[' {
            let mark = self.items.len();
            while self.next_in_brackets(start, parent) {
                let item = self.read_item(start, parent);
                self.items.push(item);
                self.read_separator(start, parent);
            }
            Data::List(self.items.split_off(mark))
        } else {
            let mark = self.entries.len();
            let mut merges = Vec::new();
            while self.next_in_brackets(start, parent) {
                let (key, value) = self.read_pair(start, parent);
                self.add_entry(key, value, &mut merges);
                self.read_separator(start, parent);
            }
            Data::Map(self.take_entries(mark, merges))
        };
        self.depth -= 1;
        Yaml {
            span: Span::new(start, self.end.max(start)),
            data,
        }
    }

    /// Goes to the next entry, or behind the closing bracket.
    fn next_in_brackets(&mut self, start: usize, parent: isize) -> bool {
        if self.stopped || !self.gap_in_brackets(start, parent) {
            return false;
        }
        match self.peek(0) {
            b']' | b'}' => {
                self.read_closing(start);
                false
            }
            b',' => {
                self.fail(self.at, self.at + 1, MistakeKind::MissingItem);
                false
            }
            _ => true,
        }
    }

    fn read_closing(&mut self, start: usize) {
        let is_right = self.peek(0) == if self.bytes[start] == b'[' { b']' } else { b'}' };
        if is_right {
            self.mark_token(Sort::CloseBracket, self.at, self.at + 1);
            self.step(1);
        } else {
            let open = char::from(self.bytes[start]);
            let opened = Span::new(start, start + 1);
            self.fail(self.at, self.at + 1, MistakeKind::WrongBracket { open, opened });
        }
    }

    fn read_separator(&mut self, start: usize, parent: isize) {
        if self.stopped || !self.gap_in_brackets(start, parent) {
            return;
        }
        match self.peek(0) {
            b',' => {
                self.mark_token(Sort::Comma, self.at, self.at + 1);
                self.step(1);
            }
            b']' | b'}' => {}
            b'{' if self.at > 0 && self.bytes[self.at - 1] == b'$' => {
                let rest = self.slice(self.at, self.bytes.len());
                let line = rest.lines().next().unwrap_or_default();
                let end = line.find('}').map_or(self.at + 1, |it| self.at + it + 1);
                self.fail(self.at - 1, end, MistakeKind::UnquotedReference);
            }
            _ => {
                let open = char::from(self.bytes[start]);
                let end = self.at
                    + self
                        .slice(self.at, self.bytes.len())
                        .chars()
                        .next()
                        .map_or(0, char::len_utf8);
                self.fail(self.at, end, MistakeKind::MissingComma { open });
            }
        }
    }

    /// Goes to the next content within the bracket at `start`. There is none if it is not closed.
    fn gap_in_brackets(&mut self, start: usize, parent: isize) -> bool {
        self.gap();
        let is_closing = matches!(self.peek(0), b']' | b'}');
        let is_outside = self.line > start && self.column() <= parent && !is_closing;
        if self.is_over() || is_outside {
            let open = char::from(self.bytes[start]);
            self.fail(start, start + 1, MistakeKind::UnclosedBracket { open });
        }
        !self.stopped
    }

    /// Reads an item of a list, which may be a map of one entry: `[a: b]`.
    fn read_item(&mut self, start: usize, parent: isize) -> Yaml {
        let begin = self.at;
        let line = self.line;
        let is_explicit = self.peek(0) == b'?' && is_white_or_end(self.peek(1));
        if !is_explicit {
            let (piece, properties) = self.read_piece_in_brackets(start, parent);
            let is_one_line = self.line == line;
            if !self.stopped && is_one_line {
                self.skip_white();
            }
            if self.stopped || !is_one_line || !self.is_colon_in_brackets(&piece) {
                let node = self.close(piece, &properties);
                return self.finish(properties, node);
            }
            let key = self.key(piece, begin, properties);
            let value = self.read_value_in_brackets(start, parent);
            return self.pair(begin, key, value);
        }
        let (key, value) = self.read_pair(start, parent);
        self.pair(begin, key, value)
    }

    fn pair(&mut self, begin: usize, key: Key, value: Yaml) -> Yaml {
        self.n_nodes += 1;
        let mark = self.entries.len();
        let mut merges = Vec::new();
        if self.depth >= super::read::MAX_DEPTH {
            self.fail(begin, begin + 1, MistakeKind::TooDeep);
        } else {
            self.add_entry(key, value, &mut merges);
        }
        let entries = self.take_entries(mark, merges);
        Yaml {
            span: Span::new(begin, self.end.max(begin)),
            data: Data::Map(entries),
        }
    }

    fn read_pair(&mut self, start: usize, parent: isize) -> (Key, Yaml) {
        if self.peek(0) == b'?' && is_white_or_end(self.peek(1)) {
            self.mark_token(Sort::Question, self.at, self.at + 1);
            self.step(1);
            if !self.gap_in_brackets(start, parent) {
                let span = Span::new(self.end, self.end);
                return (
                    Key {
                        text: Box::default(),
                        span,
                        role: Role::Dropped,
                    },
                    self.null(),
                );
            }
        }
        let begin = self.at;
        let (piece, properties) = self.read_piece_in_brackets(start, parent);
        let has_value = !self.stopped && self.gap_in_brackets(start, parent) && self.is_colon_in_brackets(&piece);
        let key = self.key(piece, begin, properties);
        let value = if has_value {
            self.read_value_in_brackets(start, parent)
        } else {
            self.null()
        };
        (key, value)
    }

    /// Reads the value behind the colon that stands here.
    fn read_value_in_brackets(&mut self, start: usize, parent: isize) -> Yaml {
        self.mark_token(Sort::Colon, self.at, self.at + 1);
        self.step(1);
        if !self.gap_in_brackets(start, parent) {
            return self.null();
        }
        let (piece, properties) = self.read_piece_in_brackets(start, parent);
        let node = self.close(piece, &properties);
        self.finish(properties, node)
    }

    /// Reads one value with its properties; that of nothing, where there is none.
    fn read_piece_in_brackets(&mut self, start: usize, parent: isize) -> (Piece, Properties<'t>) {
        self.n_nodes += 1;
        let mut properties = self.read_properties();
        while !properties.is_empty() && self.is_line_done() && !self.stopped {
            if !self.gap_in_brackets(start, parent) {
                break;
            }
            let more = self.read_properties();
            if more.is_empty() {
                break;
            }
            self.join(&mut properties, more);
        }
        let next = self.peek(1);
        let piece = match self.peek(0) {
            _ if self.stopped => Piece::Scalar(Scalar::empty(self.end)),
            b',' | b']' | b'}' => Piece::Scalar(Scalar::empty(self.end)),
            b':' if is_white_or_end(next) || is_bracket(next) => Piece::Scalar(Scalar::empty(self.end)),
            quote @ (b'"' | b'\'') => Piece::Scalar(self.read_quoted(quote, parent)),
            b'[' | b'{' => Piece::Value(self.read_brackets(parent)),
            b'*' => Piece::Value(self.read_alias()),
            _ => {
                let mut scalar = self.read_plain_line(true);
                if !self.stopped {
                    self.read_more_lines_in_brackets(&mut scalar, parent);
                }
                Piece::Scalar(scalar)
            }
        };
        (piece, properties)
    }

    /// Whether a colon stands here that ends a key; behind a quote or a bracket nothing need follow it.
    fn is_colon_in_brackets(&self, key: &Piece) -> bool {
        let is_closed = match key {
            Piece::Scalar(scalar) => !scalar.is_plain(),
            Piece::Value(_) => self.at > 0 && matches!(self.bytes[self.at - 1], b']' | b'}'),
        };
        let next = self.peek(1);
        self.peek(0) == b':' && (is_closed || is_white_or_end(next) || is_bracket(next))
    }
}
