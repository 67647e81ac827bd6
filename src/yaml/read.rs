//! The block structure: maps, lists, and what stands before a value. Scalars and brackets are read elsewhere.
//!
//! The reader goes over the bytes once. Every `read_*` function begins at the first byte of its thing. After a value
//! that can not be a key it leaves the reader *settled*: at the first byte of the next line that has content, or at
//! the end. A mistake in the syntax stops the reader; what is open then is closed as it is.

use rustc_hash::FxHashMap;

use super::alias::{Anchor, Properties};
use super::mark::{Block, Mark, Shape, Sort};
use super::scalar::Scalar;
use super::{Data, Entry, Mistake, MistakeKind, Span, Yaml};

/// How deep lists and maps may lie in each other, aliases included. It bounds all recursion over values.
pub(super) const MAX_DEPTH: usize = 64;

/// Whether a list or a map may begin where a value does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// It may: nothing but indentation, `-` or `?` stands before.
    Line,
    /// It may not: a key stands before.
    AfterKey,
}

/// A key, as a text.
pub(super) struct Key {
    pub(super) text: Box<str>,
    pub(super) span: Span,
    pub(super) role: Role,
}

/// What becomes of the value of a key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// An entry.
    Entry,
    /// Its entries are merged: the key is `<<`.
    Merge,
    /// Nothing: the key is a mistake.
    Dropped,
}

/// A value on one line, before it is known whether it is a key.
pub(super) enum Piece {
    Scalar(Scalar),
    Value(Yaml),
}

pub(super) struct Reader<'t> {
    pub(super) text: &'t str,
    pub(super) bytes: &'t [u8],
    /// Where the reader is.
    pub(super) at: usize,
    /// Where the line begins that it is in.
    pub(super) line: usize,
    /// Where the last thing ended that was content.
    pub(super) end: usize,
    /// The first tab within the indentation of the line.
    pub(super) tab: Option<usize>,
    pub(super) stopped: bool,
    pub(super) depth: usize,
    pub(super) n_nodes: usize,
    pub(super) n_expanded: usize,
    pub(super) anchors: FxHashMap<&'t str, Anchor>,
    pub(super) mistakes: Vec<Mistake>,
    /// The entries of all open maps: so each map is allocated once, at its size.
    pub(super) entries: Vec<Entry>,
    /// The items of all open lists.
    pub(super) items: Vec<Yaml>,
    /// Where what stands, where somebody asked for it.
    pub(super) marks: Option<Vec<Mark>>,
}

impl<'t> Reader<'t> {
    /// Reads a value that belongs to what stands at column `parent`: to a key, or to something behind which there is room
    /// for lists and maps.
    pub(super) fn read_node(&mut self, parent: isize, room: Room, behind: Room) -> Yaml {
        self.n_nodes += 1;
        let mut room = room;
        let mut outer = Properties::default();
        loop {
            let begin = self.at;
            let inner = self.read_properties();
            if self.stopped {
                return self.null();
            }
            if inner.is_empty() || !self.is_line_done() {
                let node = self.read_content(parent, room, begin, inner, &mut outer);
                return self.finish(outer, node);
            }
            self.join(&mut outer, inner);
            room = Room::Line;
            if self.stopped || !self.next_line(parent, behind) {
                let node = self.null();
                let node = self.tagged_null(&outer, node);
                return self.finish(outer, node);
            }
        }
    }

    /// Reads a value behind its properties: those on the same line, which may belong to a key, are `inner`.
    fn read_content(
        &mut self,
        parent: isize,
        room: Room,
        begin: usize,
        inner: Properties<'t>,
        outer: &mut Properties<'t>,
    ) -> Yaml {
        let is_block = matches!(self.peek(0), b'-' | b'?') && is_white_or_end(self.peek(1));
        if is_block && (room == Room::AfterKey || !inner.is_empty()) {
            self.fail(self.at, self.at + 1, MistakeKind::BlockOnKeyLine);
            return self.null();
        }
        let column = self.column_of(begin);
        match self.peek(0) {
            b'-' if is_block => return self.read_list(column, outer),
            b'?' if is_block => {
                self.mark(Mark::Open(Block::new(column, Shape::Map)));
                return self.read_map(column, None, outer);
            }
            b'|' | b'>' => {
                self.join(outer, inner);
                let scalar = self.read_block(parent);
                self.settle();
                return self.resolve(scalar, outer);
            }
            _ => {}
        }
        let start = self.at;
        let line = self.line;
        let mut piece = if self.is_colon() {
            Piece::Scalar(Scalar::empty(self.at))
        } else {
            self.read_piece(parent)
        };
        if self.stopped {
            return self.close(piece, outer);
        }
        if self.line == line {
            self.skip_white();
            if self.is_colon() {
                if room == Room::AfterKey {
                    self.fail(self.at, self.at + 1, MistakeKind::SecondColon);
                    return self.close(piece, outer);
                }
                self.mark_map(begin, column);
                let key = self.key(piece, start, inner);
                return self.read_map(column, Some(key), outer);
            }
        }
        self.join(outer, inner);
        if let Piece::Scalar(scalar) = &mut piece
            && scalar.is_plain()
        {
            self.read_more_lines(scalar, parent);
        }
        if !self.stopped {
            self.settle();
        }
        self.close(piece, outer)
    }

    /// Reads what may be a key: of a plain scalar its first line only.
    fn read_piece(&mut self, parent: isize) -> Piece {
        match self.peek(0) {
            quote @ (b'"' | b'\'') => Piece::Scalar(self.read_quoted(quote, parent)),
            b'[' | b'{' => Piece::Value(self.read_brackets(parent)),
            b'*' => Piece::Value(self.read_alias()),
            _ => Piece::Scalar(self.read_plain_line(false)),
        }
    }

    /// Makes the value of a piece that is no key.
    pub(super) fn close(&mut self, piece: Piece, properties: &Properties<'t>) -> Yaml {
        match piece {
            Piece::Scalar(scalar) => self.resolve(scalar, properties),
            Piece::Value(value) => {
                self.check_collection_tag(properties, &value);
                value
            }
        }
    }

    fn read_list(&mut self, column: isize, properties: &Properties<'t>) -> Yaml {
        let start = self.at;
        let mark = self.items.len();
        self.mark(Mark::Open(Block::new(column, Shape::List)));
        if self.enter(start) {
            loop {
                self.mark_token(Sort::Dash, self.at, self.at + 1);
                self.step(1);
                self.skip_white();
                let item = self.read_value(column, Room::Line);
                self.items.push(item);
                if self.is_over() || self.column() < column {
                    break;
                }
                if self.column() > column {
                    self.check_tab();
                    self.fail_line(MistakeKind::Indentation);
                    break;
                }
                if !(self.peek(0) == b'-' && is_white_or_end(self.peek(1))) {
                    break;
                }
            }
            self.depth -= 1;
        }
        self.mark(Mark::Close);
        let items = self.items.split_off(mark);
        let value = Yaml {
            span: Span::new(start, self.end.max(start)),
            data: Data::List(items),
        };
        self.check_collection_tag(properties, &value);
        value
    }

    /// Reads a map whose keys stand at `column`; the first key may have been read already.
    fn read_map(&mut self, column: isize, first: Option<Key>, properties: &Properties<'t>) -> Yaml {
        let mark = self.entries.len();
        let start = first.as_ref().map_or(self.at, |key| key.span.start as usize);
        let mut merges = Vec::new();
        if self.enter(start) {
            let mut next = first;
            while let Some((key, room)) = self.next_key(next.take(), column) {
                // A `?` may have no value, and the colon below it another key's.
                let is_its = room == Room::AfterKey || self.column() == column;
                let value = if is_its && self.is_colon() {
                    self.mark_token(Sort::Colon, self.at, self.at + 1);
                    self.step(1);
                    self.skip_white();
                    self.read_value(column, room)
                } else {
                    self.null()
                };
                self.add_entry(key, value, &mut merges);
                if self.is_over() || self.column() < column {
                    break;
                }
                if self.column() > column {
                    self.check_tab();
                    self.fail_line(MistakeKind::Indentation);
                    break;
                }
            }
            self.depth -= 1;
        }
        self.mark(Mark::Close);
        let entries = self.take_entries(mark, merges);
        let value = Yaml {
            span: Span::new(start, self.end.max(start)),
            data: Data::Map(entries),
        };
        self.check_collection_tag(properties, &value);
        value
    }

    /// Reads a key, up to its colon, unless it is there already. Behind a `?` a list or map may begin on the line.
    fn next_key(&mut self, read: Option<Key>, column: isize) -> Option<(Key, Room)> {
        if let Some(key) = read {
            return Some((key, Room::AfterKey));
        }
        if self.peek(0) == b'?' && is_white_or_end(self.peek(1)) {
            self.mark_token(Sort::Question, self.at, self.at + 1);
            self.step(1);
            self.skip_white();
            let start = self.at;
            let node = self.read_value(column, Room::Line);
            let key = self.key(Piece::Value(node), start, Properties::default());
            let has_value = !self.is_over() && self.column() == column && self.is_colon();
            return if self.stopped {
                None
            } else if has_value || self.is_over() || self.column() <= column {
                Some((key, Room::Line))
            } else {
                self.fail_line(MistakeKind::Indentation);
                None
            };
        }
        if self.is_colon() {
            let key = self.key(Piece::Scalar(Scalar::empty(self.at)), self.at, Properties::default());
            return Some((key, Room::AfterKey));
        }
        if self.peek(0) == b'-' && is_white_or_end(self.peek(1)) {
            self.fail(self.at, self.at + 1, MistakeKind::UnexpectedItem);
            return None;
        }
        self.mark(Mark::Key);
        let properties = self.read_properties();
        let start = self.at;
        let line = self.line;
        if self.stopped {
            return None;
        }
        let piece = if self.is_colon() {
            Piece::Scalar(Scalar::empty(self.at))
        } else {
            self.read_piece(column)
        };
        if self.stopped {
            return None;
        }
        let end = self.end;
        self.skip_white();
        if self.line != line || !self.is_colon() {
            self.fail(start, end.max(start), MistakeKind::MissingColon);
            return None;
        }
        Some((self.key(piece, start, properties), Room::AfterKey))
    }

    /// Reads the value behind a `:`, `-` or `?`, on the same line or below.
    fn read_value(&mut self, column: isize, room: Room) -> Yaml {
        if self.is_line_done() {
            if self.next_line(column, room) {
                return self.read_node(column, Room::Line, room);
            }
            self.n_nodes += 1;
            return self.null();
        }
        self.read_node(column, room, room)
    }

    /// Goes to the next line with content, and says whether it belongs to what stands at column `parent`.
    ///
    /// The items of a list may stand right below the key of the list.
    fn next_line(&mut self, parent: isize, room: Room) -> bool {
        self.gap();
        if self.is_over() {
            return false;
        }
        let is_item = self.peek(0) == b'-' && is_white_or_end(self.peek(1));
        let belongs = self.column() > parent || room == Room::AfterKey && is_item && self.column() == parent;
        if belongs {
            self.check_tab();
        }
        belongs && !self.stopped
    }
}

pub(super) fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

pub(super) fn is_end(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r' | 0)
}

pub(super) fn is_white_or_end(byte: u8) -> bool {
    is_white(byte) || is_end(byte)
}
