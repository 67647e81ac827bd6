//! From the marks of a text to its lines.

use super::align::{self, Comment, Line};
use super::trimmed;
use crate::yaml::mark::{Block, Indent, Mark, Shape, Sort, Token};

/// By how many spaces a level is indented.
const STEP: usize = 2;

/// Returns `text` in the uniform layout. Its lines end with `\n`, and `marks` are its own.
pub(super) fn lay_out(text: &str, marks: &[Mark]) -> String {
    let mut writer = Writer::new(text, indent_of_root(text, marks));
    for mark in marks {
        match mark {
            Mark::Open(block) => writer.open(*block),
            Mark::Close => writer.closed.extend(writer.levels.pop()),
            Mark::Key => writer.is_entry = true,
            Mark::Token(token) => writer.token(*token),
        }
    }
    writer.finish()
}

/// Returns the indentation of what stands at the root: none, unless a text there would be the bound of a document then.
fn indent_of_root(text: &str, marks: &[Mark]) -> usize {
    let is_bound = |token: &Token| {
        let text = &text[token.start..token.end];
        let rest = text.strip_prefix("---").or_else(|| text.strip_prefix("..."));
        token.sort == Sort::Scalar && rest.is_some_and(|it| it.is_empty() || it.starts_with([' ', '\t', '\n']))
    };
    let mut depth = 0;
    let mut is_key = false;
    for mark in marks {
        match mark {
            Mark::Open(_) => depth += 1,
            Mark::Close => depth -= 1,
            Mark::Token(token) if (depth == 0 || depth == 1 && is_key) && is_bound(token) => return STEP,
            Mark::Key | Mark::Token(_) => {}
        }
        is_key = matches!(mark, Mark::Key);
    }
    0
}

/// A list or a map in lines.
#[derive(Clone, Copy, Debug)]
struct Level {
    /// The column at which its dashes or keys stood.
    old: usize,
    /// The column at which they will stand.
    new: usize,
    shape: Shape,
}

/// A bracket that is open.
#[derive(Clone, Copy, Debug)]
struct Bracket {
    /// The indentation of the line on which it opens; what it holds is indented deeper.
    base: usize,
    /// Where it opens behind a key: the column at which that stood.
    key: Option<usize>,
}

impl Bracket {
    /// Returns where it closes that closed at `column`, if it does so at the beginning of a line.
    ///
    /// Strict readers want what belongs to a key to stand deeper than it, up to the bracket: who wrote it so keeps it.
    fn closing(self, column: usize) -> usize {
        match self.key {
            Some(key) if column > key => self.base + STEP,
            _ => self.base,
        }
    }
}

struct Writer<'t> {
    text: &'t str,
    /// The indentation of what stands at the root.
    root: usize,
    lines: Vec<Line<'t>>,
    /// The line that is being written.
    line: String,
    /// The indentation of the line, where it begins with no item and no key.
    begins_with_value: Option<usize>,
    /// The levels that are open, the innermost last.
    levels: Vec<Level>,
    /// Those that have ended since the last token, the innermost first.
    closed: Vec<Level>,
    brackets: Vec<Bracket>,
    /// The level of the last token, where a value may follow that belongs to it.
    holder: Option<Level>,
    /// Whether the next token begins a key.
    is_entry: bool,
    last: Option<Token>,
    /// The header of the last block text.
    header: &'t str,
    /// The number of the line that the last token ends on.
    row: usize,
    /// Whether the last line that was read is empty.
    is_after_empty: bool,
}

impl<'t> Writer<'t> {
    fn new(text: &'t str, root: usize) -> Self {
        Self {
            text,
            root,
            lines: Vec::new(),
            line: String::new(),
            begins_with_value: None,
            levels: Vec::new(),
            closed: Vec::new(),
            brackets: Vec::new(),
            holder: None,
            is_entry: false,
            last: None,
            header: "",
            row: 0,
            is_after_empty: false,
        }
    }

    fn open(&mut self, block: Block) {
        self.levels.push(Level {
            old: block.column,
            new: self.below(self.root),
            shape: block.shape,
        });
    }

    /// Returns where what belongs to the innermost level stands, or `at_root` where there is none.
    fn below(&self, at_root: usize) -> usize {
        self.levels.last().map_or(at_root, |it| it.new + STEP)
    }

    /// Returns where the further lines of a value stand.
    fn within(&self) -> usize {
        self.brackets
            .last()
            .map_or(self.below(self.root + STEP), |it| it.base + STEP)
    }

    fn token(&mut self, token: Token) {
        let end = self.last.map_or(0, |it| it.end);
        let between = &self.text[end..token.start];
        match self.last {
            Some(last) if !between.contains('\n') => {
                let space = if is_apart(last.sort, token.sort) { " " } else { "" };
                self.line.push_str(space);
            }
            _ => self.begin_line(between, token),
        }
        match token.sort {
            Sort::Text(indent) => self.block_text(token, indent),
            Sort::Scalar => self.scalar(token),
            _ => self.line.push_str(trimmed(&self.text[token.start..token.end])),
        }
        match token.sort {
            Sort::OpenBracket => {
                let bracket = self.opened();
                self.brackets.push(bracket);
            }
            Sort::CloseBracket => _ = self.brackets.pop(),
            Sort::Header => self.header = &self.text[token.start..token.end],
            _ => {}
        }
        match token.sort {
            Sort::Dash | Sort::Question | Sort::Colon if self.brackets.is_empty() => {
                self.holder = self.levels.last().copied();
            }
            Sort::Property => {}
            _ => self.holder = None,
        }
        self.closed.clear();
        self.is_entry = false;
        self.last = Some(token);
    }

    /// Ends the line, writes what stands `between`, and begins the line of `token`.
    fn begin_line(&mut self, between: &'t str, token: Token) {
        let column = self.column(token.start);
        let is_level = self.is_entry || matches!(token.sort, Sort::Dash | Sort::Question | Sort::Colon);
        let (indent, begins_with_value) = match (self.brackets.last(), token.sort) {
            (Some(bracket), Sort::CloseBracket) => (bracket.closing(column), true),
            (Some(bracket), _) => (bracket.base + STEP, true),
            (None, Sort::Directive | Sort::Marker) => (0, false),
            (None, _) if is_level => (self.levels.last().map_or(self.root, |it| it.new), false),
            (None, _) => (self.below(self.root), true),
        };
        self.between(between, Some(column), indent);
        if self.is_after_empty && !self.lines.is_empty() {
            self.lines.push(Line::default());
        }
        self.is_after_empty = false;
        self.begins_with_value = begins_with_value.then_some(indent);
        if !matches!(token.sort, Sort::Text(_)) {
            self.line = " ".repeat(indent);
        }
    }

    /// Writes what stands `between` two tokens on several lines: comments, and one empty line of those in a row. The next
    /// token stands at `column`, and will be indented by `indent`.
    fn between(&mut self, between: &'t str, column: Option<usize>, indent: usize) {
        let mut pieces = between.split('\n').peekable();
        let mut at = self.last.map_or(0, |it| it.end);
        // Below such a text an empty line would be one more of it, which a line with a tab is not.
        let is_text = |it: Token| matches!(it.sort, Sort::Text(_) | Sort::Header);
        let mut keeps_lines = self.last.is_some_and(is_text) && self.header.contains('+');
        if self.last.is_some()
            && let Some(rest) = pieces.next()
        {
            let comment = (!trimmed(rest).is_empty()).then(|| self.comment(rest, at));
            let text = std::mem::take(&mut self.line);
            self.lines.push(Line { text, comment });
            at += rest.len() + 1;
            self.row += 1;
        }
        while let Some(piece) = pieces.next() {
            // What stands before the next token is its indentation.
            if pieces.peek().is_none() && column.is_some() {
                break;
            }
            if trimmed(piece).is_empty() {
                self.is_after_empty = !keeps_lines;
            } else {
                keeps_lines = false;
                self.comment_line(piece, at, column, indent);
            }
            at += piece.len() + 1;
            self.row += 1;
        }
    }

    fn comment_line(&mut self, piece: &'t str, at: usize, column: Option<usize>, indent: usize) {
        let comment = self.comment(piece, at);
        let above = self.lines.last().and_then(|it| it.comment);
        let goes_on = above.is_some_and(|it| it.row + 1 == comment.row && it.column == comment.column)
            && column != Some(comment.column)
            && !self.last.is_some_and(|it| it.sort == Sort::Header);
        if goes_on {
            let text = String::new();
            let comment = Some(comment);
            return self.lines.push(Line { text, comment });
        }
        if self.is_after_empty && !self.lines.is_empty() {
            self.lines.push(Line::default());
        }
        self.is_after_empty = false;
        let place = self.place_of_comment(comment.column, column, indent);
        let text = " ".repeat(place) + comment.text;
        self.lines.push(Line { text, comment: None });
    }

    /// Returns where a comment line that stood at `old` will stand: with what follows, unless it stood deeper and at a
    /// level that ends there.
    fn place_of_comment(&self, old: usize, column: Option<usize>, indent: usize) -> usize {
        if let Some(bracket) = self.brackets.last() {
            return bracket.base + STEP;
        }
        // What has no value has one that is commented out.
        if let Some(holder) = self.holder
            && old > holder.old
            && column.is_none_or(|it| it <= holder.old)
        {
            return holder.new + STEP;
        }
        let is_its = |it: &&Level| it.old <= old && column.is_none_or(|column| it.old > column);
        self.closed.iter().find(is_its).map_or(indent, |it| it.new)
    }

    /// Returns the comment in `piece`, of which all else is white, and which begins at `at`.
    fn comment(&self, piece: &'t str, at: usize) -> Comment<'t> {
        let white = &piece[..piece.len() - piece.trim_start_matches([' ', '\t']).len()];
        let line = self.text[..at].rfind('\n').map_or(0, |it| it + 1);
        Comment {
            text: trimmed(piece),
            row: self.row,
            column: self.text[line..at + white.len()].chars().count(),
            gap: if white.contains('\t') { 1 } else { white.len() },
        }
    }

    /// Returns the column of what stands at `at`.
    fn column(&self, at: usize) -> usize {
        at - self.text[..at].rfind('\n').map_or(0, |it| it + 1)
    }

    fn opened(&self) -> Bracket {
        match (self.begins_with_value, self.levels.last()) {
            (Some(base), _) => Bracket { base, key: None },
            (None, None) => Bracket {
                base: self.root,
                key: None,
            },
            (None, Some(level)) => match level.shape {
                Shape::List => Bracket {
                    base: level.new + STEP,
                    key: None,
                },
                Shape::Map => Bracket {
                    base: level.new,
                    key: Some(level.old),
                },
            },
        }
    }

    /// Writes a plain or quoted scalar. The white around its line ends is none of its content, unless it is escaped.
    fn scalar(&mut self, token: Token) {
        let text = &self.text[token.start..token.end];
        let indent = self.within();
        let n_lines = text.split('\n').count();
        for (index, line) in text.split('\n').enumerate() {
            let mut line = line;
            if index > 0 {
                self.lines.push(Line {
                    text: std::mem::take(&mut self.line),
                    comment: None,
                });
                self.row += 1;
                line = line.trim_start_matches([' ', '\t']);
            }
            if index + 1 < n_lines {
                line = without_end(line, text.starts_with('"'));
            }
            if index > 0 && !line.is_empty() {
                self.line = " ".repeat(indent);
            }
            self.line.push_str(line);
        }
    }

    /// Writes the lines of a block text, moved as a whole.
    fn block_text(&mut self, token: Token, indent: Indent) {
        let above = self.levels.last();
        let place = match indent.explicit {
            Some(deeper) => above.map_or(0, |it| it.new) + deeper,
            None => self.below(self.root + STEP),
        };
        for (index, line) in self.text[token.start..token.end].split('\n').enumerate() {
            if index > 0 {
                self.lines.push(Line {
                    text: std::mem::take(&mut self.line),
                    comment: None,
                });
                self.row += 1;
            }
            let n_spaces = line.bytes().take(indent.width).take_while(|it| *it == b' ').count();
            let line = &line[n_spaces..];
            if !line.is_empty() {
                self.line = " ".repeat(place) + line;
            }
        }
    }

    fn finish(mut self) -> String {
        let end = self.last.map_or(0, |it| it.end);
        self.between(&self.text[end..], None, 0);
        // Where a block text ends with the file, an end of a line would be one more of its content.
        let ends_within_text = self.last.is_some_and(|it| {
            matches!(it.sort, Sort::Text(_)) && it.end == self.text.len() && !self.header.contains('-')
        });
        let mut text = align::join(self.lines).join("\n");
        if !text.is_empty() && !ends_within_text {
            text.push('\n');
        }
        text
    }
}

/// Returns `line` without the white at its end. Behind a backslash of a text `in_quotes` that is escaped.
fn without_end(line: &str, in_quotes: bool) -> &str {
    let short = line.trim_end_matches([' ', '\t']);
    let n_backslashes = short.len() - short.trim_end_matches('\\').len();
    let is_escaped = in_quotes && n_backslashes % 2 == 1 && short.len() < line.len();
    &line[..short.len() + usize::from(is_escaped)]
}

/// Tells whether a space stands between two tokens on one line.
fn is_apart(left: Sort, right: Sort) -> bool {
    match (left, right) {
        // A value that is not there is seen to be missing: `{a: }`.
        (Sort::Colon, _) => true,
        (Sort::OpenBracket, _) | (_, Sort::CloseBracket | Sort::Comma) => false,
        // The colon would be a part of the name.
        (left, Sort::Colon) => left == Sort::Alias,
        _ => true,
    }
}
