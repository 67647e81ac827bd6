//! Where the tokens of a text stand: what the reader notes down for [`format`](super::format), and for nobody else.
//!
//! What is no token is white, an end of a line, or a comment.

use super::read::Reader;

/// What the reader comes by, in the order of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// A list or a map in lines begins.
    Open(Block),
    /// It ends.
    Close,
    /// The next token begins a key of it.
    Key,
    /// Something that is written.
    Token(Token),
}

/// A list or a map in lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// At which column its dashes or keys stand.
    pub(super) column: usize,
    /// What it is.
    pub(super) shape: Shape,
}

/// What a block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    List,
    Map,
}

/// Something that is written, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) sort: Sort,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    /// `%YAML 1.2`
    Directive,
    /// `---` or `...`
    Marker,
    /// The `-` of an item.
    Dash,
    /// The `?` of a key.
    Question,
    /// The `:` behind a key.
    Colon,
    /// An anchor or a tag.
    Property,
    /// `*name`
    Alias,
    /// A plain or quoted scalar, which may have several lines.
    Scalar,
    /// The `|` or `>` of a block text, with what belongs to it.
    Header,
    /// The lines of a block text, without the last end of a line. It may be one empty line.
    Text(Indent),
    /// `[` or `{`
    OpenBracket,
    /// `]` or `}`
    CloseBracket,
    /// `,`
    Comma,
}

/// How a block text is indented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Indent {
    /// By how many spaces.
    pub(super) width: usize,
    /// By how many more than what it belongs to, where its header says so.
    pub(super) explicit: Option<usize>,
}

impl Reader<'_> {
    #[inline]
    pub(super) fn mark(&mut self, mark: Mark) {
        if let Some(marks) = &mut self.marks {
            marks.push(mark);
        }
    }

    #[inline]
    pub(super) fn mark_token(&mut self, sort: Sort, start: usize, end: usize) {
        self.mark(Mark::Token(Token { sort, start, end }));
    }

    /// Notes that a map has begun at `begin`, with a key that was read before one knew that it is one.
    #[inline]
    pub(super) fn mark_map(&mut self, begin: usize, column: isize) {
        if let Some(marks) = &mut self.marks {
            let is_before = |mark: &Mark| !matches!(mark, Mark::Token(it) if it.start >= begin);
            let at = marks.iter().rposition(is_before).map_or(0, |it| it + 1);
            marks.splice(at..at, [Mark::Open(Block::new(column, Shape::Map)), Mark::Key]);
        }
    }

    /// Notes that the last scalar goes on to `end`.
    #[inline]
    pub(super) fn mark_further(&mut self, end: usize) {
        if let Some(Mark::Token(token)) = self.marks.as_mut().and_then(|it| it.last_mut()) {
            token.end = end;
        }
    }
}

impl Block {
    pub(super) fn new(column: isize, shape: Shape) -> Self {
        Self {
            column: column.unsigned_abs(),
            shape,
        }
    }
}
