//! HCL 2: attributes and blocks, quoted strings, heredocs, interpolations, comments.

use super::{AFTER_BACKSLASH, Guard, Skips, Trouble};
use crate::artifact::place::{Ident, Spot};

/// Where in an HCL text the reading stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hcl {
    modes: Vec<Mode>,
    lex: Lex,
    pos: Pos,
    /// Whether the last thing printed may be a value.
    tail: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Mode {
    Body,
    Object,
    List,
    Paren,
    Interpolation,
    Quoted {
        key: bool,
    },
    Heredoc {
        delimiter: Box<str>,
        flush: bool,
        line: Line,
    },
}

/// What is known of a heredoc's current line.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Line {
    Raw(String),
    /// It holds a value, or one of several texts.
    Mixed {
        blank: bool,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Lex {
    Normal,
    Slash,
    Less,
    Delimiter { flush: bool, name: String },
    LineComment,
    BlockComment { star: bool },
    Escape,
    Sign { sign: char, doubled: bool },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pos {
    Start,
    Key,
    Header,
    HeaderWord,
    Expect,
    Word,
    Dot,
    After,
    Placed,
    Either,
}

impl Default for Hcl {
    fn default() -> Self {
        Self {
            modes: vec![Mode::Body],
            lex: Lex::Normal,
            pos: Pos::Start,
            tail: false,
        }
    }
}

const GLUED: Trouble = Trouble {
    message: "text follows a bare value without a blank between",
    help: "put the whole in quotes",
};

impl Hcl {
    fn mode(&self) -> &Mode {
        self.modes.last().unwrap_or(&Mode::Body)
    }

    pub(crate) fn feed(&mut self, ch: char, decoded: &mut String) -> Result<(), Trouble> {
        self.tail = false;
        match self.mode() {
            Mode::Quoted { .. } | Mode::Heredoc { .. } => self.feed_text(ch, decoded),
            _ => self.feed_code(ch),
        }
    }

    pub(crate) fn is_in_code(&self) -> bool {
        let in_comment = matches!(self.lex, Lex::LineComment | Lex::BlockComment { .. });
        !in_comment && !matches!(self.mode(), Mode::Quoted { .. } | Mode::Heredoc { .. })
    }

    pub(crate) fn nesting(&self) -> usize {
        self.modes.len()
    }

    fn feed_text(&mut self, ch: char, decoded: &mut String) -> Result<(), Trouble> {
        if let Lex::Sign { sign, doubled } = self.lex {
            if ch == '{' && !doubled {
                self.note(ch);
                decoded.pop();
                self.modes.push(Mode::Interpolation);
                self.lex = Lex::Normal;
                self.pos = Pos::Expect;
                return Ok(());
            }
            self.lex = Lex::Normal;
            if ch == '{' {
                decoded.pop();
            } else if ch == sign {
                self.note(ch);
                decoded.push(ch);
                self.lex = Lex::Sign { sign, doubled: true };
                return Ok(());
            }
        }
        if self.lex == Lex::Escape {
            self.lex = Lex::Normal;
            decoded.push(match ch {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                'u' | 'U' => '?',
                _ => ch,
            });
            return Ok(());
        }
        let quoted = matches!(self.mode(), Mode::Quoted { .. });
        match ch {
            '"' if quoted => {
                if let Some(Mode::Quoted { key }) = self.modes.pop() {
                    self.pos = if key { Pos::Header } else { Pos::After };
                }
            }
            '\\' if quoted => self.lex = Lex::Escape,
            '\n' if quoted => {
                return Trouble::new(
                    "a line ends inside of a quoted string",
                    "close the string, or use a heredoc",
                );
            }
            '\n' => self.end_line(decoded),
            '$' | '%' => {
                self.note(ch);
                decoded.push(ch);
                self.lex = Lex::Sign {
                    sign: ch,
                    doubled: false,
                };
            }
            _ => {
                self.note(ch);
                decoded.push(ch);
            }
        }
        Ok(())
    }

    fn note(&mut self, ch: char) {
        if let Some(Mode::Heredoc { line, .. }) = self.modes.last_mut() {
            match line {
                Line::Raw(text) => text.push(ch),
                Line::Mixed { blank } => *blank &= ch == ' ' || ch == '\t',
            }
        }
    }

    fn end_line(&mut self, decoded: &mut String) {
        let Some(Mode::Heredoc { delimiter, line, .. }) = self.modes.last_mut() else {
            return;
        };
        let closes = matches!(line, Line::Raw(text) if text.trim() == &**delimiter);
        *line = Line::Raw(String::new());
        if closes {
            self.modes.pop();
            self.pos = self.after_newline(Pos::After);
        } else {
            decoded.push('\n');
        }
    }

    fn after_newline(&self, pos: Pos) -> Pos {
        match self.mode() {
            Mode::Body | Mode::Object => Pos::Start,
            _ if matches!(pos, Pos::Word | Pos::Placed) => Pos::After,
            _ => pos,
        }
    }

    fn feed_code(&mut self, ch: char) -> Result<(), Trouble> {
        match &mut self.lex {
            Lex::LineComment => {
                if ch == '\n' {
                    self.lex = Lex::Normal;
                    self.pos = self.after_newline(self.pos);
                }
                return Ok(());
            }
            Lex::BlockComment { star } => {
                if *star && ch == '/' {
                    self.lex = Lex::Normal;
                } else {
                    *star = ch == '*';
                }
                return Ok(());
            }
            Lex::Slash => {
                self.lex = match ch {
                    '/' => Lex::LineComment,
                    '*' => Lex::BlockComment { star: false },
                    _ => Lex::Normal,
                };
                if self.lex != Lex::Normal {
                    return Ok(());
                }
                self.pos = Pos::Expect;
            }
            Lex::Less => {
                self.lex = Lex::Normal;
                if ch == '<' {
                    self.lex = Lex::Delimiter {
                        flush: false,
                        name: String::new(),
                    };
                    return Ok(());
                }
                self.pos = Pos::Expect;
            }
            Lex::Delimiter { flush, name } => {
                match ch {
                    '-' if name.is_empty() && !*flush => *flush = true,
                    '\n' => {
                        let mode = Mode::Heredoc {
                            delimiter: name.trim().into(),
                            flush: *flush,
                            line: Line::Raw(String::new()),
                        };
                        self.modes.push(mode);
                        self.lex = Lex::Normal;
                    }
                    _ => name.push(ch),
                }
                return Ok(());
            }
            Lex::Normal | Lex::Escape | Lex::Sign { .. } => {}
        }
        self.feed_token(ch)
    }

    fn feed_token(&mut self, ch: char) -> Result<(), Trouble> {
        let in_header = matches!(self.pos, Pos::Start | Pos::Key | Pos::Header | Pos::HeaderWord);
        let holds_keys = matches!(self.mode(), Mode::Body | Mode::Object);
        match ch {
            '\n' => self.pos = self.after_newline(self.pos),
            ' ' | '\t' | '\r' => {
                self.pos = match self.pos {
                    Pos::Key | Pos::HeaderWord => Pos::Header,
                    Pos::Word | Pos::Dot | Pos::Placed => Pos::After,
                    pos => pos,
                }
            }
            '#' => self.lex = Lex::LineComment,
            '/' => self.lex = Lex::Slash,
            '"' if self.pos == Pos::Placed => return Err(GLUED),
            '"' => {
                let key = in_header && holds_keys;
                self.modes.push(Mode::Quoted { key });
            }
            '{' if in_header && *self.mode() == Mode::Body => {
                self.modes.push(Mode::Body);
                self.pos = Pos::Start;
            }
            '{' => {
                self.modes.push(Mode::Object);
                self.pos = Pos::Start;
            }
            '[' => self.open(Mode::List),
            '(' => self.open(Mode::Paren),
            '}' | ']' | ')' => {
                if self.modes.len() > 1 {
                    self.modes.pop();
                }
                self.pos = Pos::After;
            }
            ',' => {
                self.pos = if *self.mode() == Mode::Object {
                    Pos::Start
                } else {
                    Pos::Expect
                }
            }
            '<' => self.lex = Lex::Less,
            '.' if self.pos == Pos::Placed => return Err(GLUED),
            '.' => self.pos = Pos::Dot,
            '=' | ':' | '+' | '-' | '*' | '%' | '!' | '?' | '&' | '|' | '>'
                if ch != '-' || !matches!(self.pos, Pos::Key | Pos::HeaderWord | Pos::Word) =>
            {
                self.pos = Pos::Expect;
            }
            _ => {
                self.pos = match self.pos {
                    Pos::Start | Pos::Key => Pos::Key,
                    Pos::Header | Pos::HeaderWord => Pos::HeaderWord,
                    Pos::Placed => return Err(GLUED),
                    _ => Pos::Word,
                }
            }
        }
        Ok(())
    }

    fn open(&mut self, mode: Mode) {
        self.modes.push(mode);
        self.pos = Pos::Expect;
    }

    pub(crate) fn value(&mut self) -> Result<Spot, Trouble> {
        self.tail = true;
        match self.modes.last_mut() {
            Some(Mode::Quoted { .. }) => {
                if self.lex == Lex::Escape {
                    return Err(AFTER_BACKSLASH);
                }
                self.lex = Lex::Normal;
                Ok(Spot::HclQuoted)
            }
            Some(Mode::Heredoc { delimiter, flush, line }) => {
                self.lex = Lex::Normal;
                let blank = match line {
                    Line::Raw(text) => text.trim().is_empty(),
                    Line::Mixed { blank } => *blank,
                };
                *line = Line::Mixed { blank: false };
                Ok(Spot::HclHeredoc {
                    delimiter: delimiter.clone(),
                    flush: *flush,
                    starts_line: blank,
                })
            }
            _ => self.value_in_code(),
        }
    }

    fn value_in_code(&mut self) -> Result<Spot, Trouble> {
        match self.lex {
            Lex::LineComment => return Ok(Spot::Comment { end: None }),
            Lex::BlockComment { .. } => return Ok(Spot::Comment { end: Some("*/") }),
            Lex::Delimiter { .. } => {
                return Trouble::new("a value stands in a heredoc's delimiter", "write the delimiter out");
            }
            Lex::Slash | Lex::Less => self.pos = Pos::Expect,
            Lex::Normal | Lex::Escape | Lex::Sign { .. } => {}
        }
        self.lex = Lex::Normal;
        let ident = |first| Spot::Identifier {
            ident: Ident::Hcl,
            first,
        };
        let (spot, pos) = match self.pos {
            Pos::Start => (ident(true), Pos::Key),
            Pos::Key => (ident(false), Pos::Key),
            Pos::Header => (ident(true), Pos::HeaderWord),
            Pos::HeaderWord => (ident(false), Pos::HeaderWord),
            Pos::Word => (ident(false), Pos::Word),
            Pos::Dot => (ident(true), Pos::Word),
            Pos::Expect => (Spot::HclValue, Pos::Placed),
            Pos::Placed | Pos::After | Pos::Either => {
                return Trouble::new(
                    "a bare value may follow another one here",
                    "put a comma or a line break between, or quotes around it",
                );
            }
        };
        self.pos = pos;
        Ok(spot)
    }

    pub(crate) fn merge(&mut self, other: &Self) -> bool {
        if self.lex != other.lex || self.modes.len() != other.modes.len() {
            return false;
        }
        for (a, b) in self.modes.iter_mut().zip(&other.modes) {
            match (a, b) {
                (
                    Mode::Heredoc { delimiter, flush, line },
                    Mode::Heredoc {
                        delimiter: other_delimiter,
                        flush: other_flush,
                        line: other_line,
                    },
                ) if delimiter == other_delimiter && flush == other_flush => {
                    if line != other_line {
                        let blank = |line: &Line| match line {
                            Line::Raw(text) => text.trim().is_empty(),
                            Line::Mixed { blank } => *blank,
                        };
                        let blank = blank(line) || blank(other_line);
                        *line = Line::Mixed { blank };
                    }
                }
                (a, b) if a == b => {}
                _ => return false,
            }
        }
        self.tail |= other.tail;
        if self.pos != other.pos {
            let in_key = |pos| matches!(pos, Pos::Key | Pos::Header | Pos::HeaderWord);
            if in_key(self.pos) || in_key(other.pos) {
                return false;
            }
            self.pos = Pos::Either;
        }
        true
    }

    pub(crate) fn end(&self) -> Result<(), Trouble> {
        match (self.mode(), &self.lex) {
            (Mode::Body, Lex::Normal | Lex::LineComment) if self.modes.len() == 1 => Ok(()),
            (Mode::Heredoc { delimiter, line, .. }, _) if self.modes.len() == 2 => match line {
                Line::Raw(text) if text.trim() == &**delimiter => Ok(()),
                _ => Trouble::new("a heredoc is never closed", "write its delimiter on a line of its own"),
            },
            _ => Trouble::new("the file ends inside of a string, a bracket or a comment", "close it"),
        }
    }

    pub(crate) fn guard(&self, first: char) -> Guard {
        let double = self.tail && first == '{';
        match self.mode() {
            Mode::Quoted { .. } if double => Guard::Double,
            Mode::Heredoc {
                delimiter,
                line: Line::Mixed { .. },
                ..
            } => Guard::Line {
                delimiter: delimiter.clone(),
                skips: Skips::Blanks,
                double,
            },
            _ => Guard::None,
        }
    }

    pub(crate) fn describe(&self) -> &'static str {
        match (self.mode(), &self.lex) {
            (Mode::Quoted { .. }, _) => "inside of quotes",
            (Mode::Heredoc { .. }, _) => "inside of a heredoc",
            (_, Lex::LineComment | Lex::BlockComment { .. }) => "inside of a comment",
            (Mode::Object, _) => "inside of an object",
            (Mode::List, _) => "inside of a list",
            (Mode::Body, _) if self.pos == Pos::Start => "at the start of a line",
            _ => "inside of an expression",
        }
    }
}
