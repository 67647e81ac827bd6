//! POSIX shell, with the few extensions of bash that change where a string ends.

use super::{AFTER_BACKSLASH, Guard, Skips, Trouble};
use crate::artifact::place::{Ident, Spot};

/// Where in a shell text the reading stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shell {
    modes: Vec<Mode>,
    lex: Lex,
    word: Word,
    /// The heredocs whose text begins after this line.
    pending: Vec<Heredoc>,
    /// A text within which a line break can't be written, as the lines of some formats.
    one_line: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Heredoc {
    delimiter: Box<str>,
    tabs: bool,
    expands: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Mode {
    Code,
    Paren,
    Backtick,
    Single,
    Ansi,
    Double,
    Parameter,
    Arithmetic { depth: usize },
    Heredoc { heredoc: Heredoc, line: Option<String> },
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Lex {
    Normal,
    Escape,
    Dollar,
    DollarParen,
    Less,
    Delimiter {
        tabs: bool,
        name: String,
        quoted: bool,
        quote: Option<char>,
        begun: bool,
    },
    Comment,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    /// Between words.
    Between,
    /// Within one.
    Inside,
    /// Right after a value.
    Placed,
}

impl Default for Shell {
    fn default() -> Self {
        Self {
            modes: vec![Mode::Code],
            lex: Lex::Normal,
            word: Word::Between,
            pending: Vec::new(),
            one_line: false,
        }
    }
}

impl Shell {
    /// Returns a shell in whose values no line break may stand.
    pub(crate) fn on_one_line() -> Self {
        Self {
            one_line: true,
            ..Self::default()
        }
    }

    /// Tells whether a line break here ends a command, and no string or heredoc goes on.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.modes.len() == 1 && matches!(self.lex, Lex::Normal | Lex::Comment) && self.pending.is_empty()
    }

    /// Tells whether what goes on is a heredoc.
    pub(crate) fn is_in_heredoc(&self) -> bool {
        matches!(self.modes.last(), Some(Mode::Heredoc { .. }))
    }

    pub(crate) fn is_in_code(&self) -> bool {
        let in_code = matches!(
            self.modes.last(),
            Some(Mode::Code | Mode::Paren | Mode::Backtick) | None
        );
        in_code && matches!(self.lex, Lex::Normal | Lex::Less)
    }

    pub(crate) fn nesting(&self) -> usize {
        self.modes.len()
    }

    pub(crate) fn feed(&mut self, ch: char, decoded: &mut String) -> Result<(), Trouble> {
        match self.modes.last_mut() {
            Some(Mode::Single) => {
                if ch == '\'' {
                    self.modes.pop();
                } else {
                    decoded.push(ch);
                }
                Ok(())
            }
            Some(Mode::Ansi) => {
                if self.lex == Lex::Escape {
                    self.lex = Lex::Normal;
                } else if ch == '\\' {
                    self.lex = Lex::Escape;
                } else if ch == '\'' {
                    self.modes.pop();
                }
                Ok(())
            }
            Some(Mode::Arithmetic { depth }) => {
                match ch {
                    '(' => *depth += 1,
                    ')' if *depth == 0 => {
                        self.modes.pop();
                    }
                    ')' => *depth -= 1,
                    _ => {}
                }
                Ok(())
            }
            Some(Mode::Heredoc { .. }) => {
                self.feed_heredoc(ch, decoded);
                Ok(())
            }
            Some(Mode::Double) => {
                self.feed_double(ch, decoded);
                Ok(())
            }
            Some(Mode::Parameter) => {
                self.feed_parameter(ch);
                Ok(())
            }
            _ => self.feed_code(ch),
        }
    }

    fn feed_double(&mut self, ch: char, decoded: &mut String) {
        if self.lex == Lex::Escape {
            self.lex = Lex::Normal;
            decoded.push(ch);
            return;
        }
        if self.dollar(ch) {
            return;
        }
        match ch {
            '"' => {
                self.modes.pop();
            }
            '\\' => self.lex = Lex::Escape,
            '$' => self.lex = Lex::Dollar,
            '`' => self.modes.push(Mode::Backtick),
            _ => decoded.push(ch),
        }
    }

    /// Goes on after a `$`; answers whether `ch` belonged to it.
    fn dollar(&mut self, ch: char) -> bool {
        let in_code = matches!(self.modes.last(), Some(Mode::Code | Mode::Paren | Mode::Backtick));
        match self.lex {
            Lex::Dollar => {
                self.lex = Lex::Normal;
                match ch {
                    '(' => self.lex = Lex::DollarParen,
                    '{' => self.modes.push(Mode::Parameter),
                    '\'' if in_code => self.modes.push(Mode::Ansi),
                    '$' => {}
                    _ => return false,
                }
                true
            }
            Lex::DollarParen => {
                self.lex = Lex::Normal;
                if ch == '(' {
                    self.modes.push(Mode::Arithmetic { depth: 1 });
                    return true;
                }
                self.modes.push(Mode::Paren);
                self.word = Word::Between;
                let mut unused = String::new();
                let _ = self.feed(ch, &mut unused);
                true
            }
            _ => false,
        }
    }

    fn feed_parameter(&mut self, ch: char) {
        if self.lex == Lex::Escape {
            self.lex = Lex::Normal;
            return;
        }
        if self.dollar(ch) {
            return;
        }
        match ch {
            '}' => {
                self.modes.pop();
            }
            '\\' => self.lex = Lex::Escape,
            '$' => self.lex = Lex::Dollar,
            '"' => self.modes.push(Mode::Double),
            '`' => self.modes.push(Mode::Backtick),
            _ => {}
        }
    }

    fn feed_heredoc(&mut self, ch: char, decoded: &mut String) {
        let Some(Mode::Heredoc { heredoc, line }) = self.modes.last_mut() else {
            return;
        };
        if ch == '\n' {
            let skips = if heredoc.tabs { Skips::Tabs } else { Skips::Nothing };
            let closes = line.as_deref().is_some_and(|it| skips.closes(it, &heredoc.delimiter));
            self.lex = Lex::Normal;
            if closes {
                self.modes.pop();
                self.next_heredoc();
            } else {
                *line = Some(String::new());
                decoded.push('\n');
            }
            return;
        }
        if let Some(line) = line {
            line.push(ch);
        }
        if !heredoc.expands {
            decoded.push(ch);
            return;
        }
        if self.lex == Lex::Escape {
            self.lex = Lex::Normal;
            decoded.push(ch);
            return;
        }
        if self.dollar(ch) {
            return;
        }
        match ch {
            '\\' => self.lex = Lex::Escape,
            '$' => self.lex = Lex::Dollar,
            '`' => self.modes.push(Mode::Backtick),
            _ => decoded.push(ch),
        }
    }

    fn next_heredoc(&mut self) {
        self.word = Word::Between;
        if !self.pending.is_empty() {
            let heredoc = self.pending.remove(0);
            self.modes.push(Mode::Heredoc {
                heredoc,
                line: Some(String::new()),
            });
        }
    }

    fn feed_code(&mut self, ch: char) -> Result<(), Trouble> {
        if self.lex == Lex::Less {
            self.lex = Lex::Normal;
            if ch == '<' {
                self.lex = Lex::Delimiter {
                    tabs: false,
                    name: String::new(),
                    quoted: false,
                    quote: None,
                    begun: false,
                };
                return Ok(());
            }
        }
        match &mut self.lex {
            Lex::Comment => {
                if ch == '\n' {
                    self.lex = Lex::Normal;
                    self.next_heredoc();
                }
                return Ok(());
            }
            Lex::Escape => {
                self.lex = Lex::Normal;
                if ch != '\n' {
                    self.word = Word::Inside;
                }
                return Ok(());
            }
            _ => {}
        }
        if self.feed_delimiter(ch) || self.dollar(ch) {
            return Ok(());
        }
        let placed = self.word == Word::Placed;
        match ch {
            '\n' => self.next_heredoc(),
            ' ' | '\t' | '\r' | ';' | '&' | '|' => self.word = Word::Between,
            '<' | '>' if placed => {
                return Trouble::new(
                    "a redirection follows a value, which could be read as its number",
                    "put a blank between",
                );
            }
            '<' => {
                self.lex = Lex::Less;
                self.word = Word::Between;
            }
            '>' => self.word = Word::Between,
            '#' if self.word == Word::Between => self.lex = Lex::Comment,
            '(' if placed => {
                return Trouble::new("a `(` follows a value", "put the value in quotes, or a blank between");
            }
            '(' => {
                self.modes.push(Mode::Paren);
                self.word = Word::Between;
            }
            ')' => {
                if self.modes.last() == Some(&Mode::Paren) {
                    self.modes.pop();
                    self.word = Word::Inside;
                } else {
                    self.word = Word::Between;
                }
            }
            '`' => {
                if self.modes.last() == Some(&Mode::Backtick) {
                    self.modes.pop();
                } else {
                    self.modes.push(Mode::Backtick);
                }
                self.word = Word::Inside;
            }
            _ => {
                self.word = Word::Inside;
                match ch {
                    '\'' => self.modes.push(Mode::Single),
                    '"' => self.modes.push(Mode::Double),
                    '\\' => self.lex = Lex::Escape,
                    '$' => self.lex = Lex::Dollar,
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Goes on within the word after `<<`; answers whether `ch` belonged to it.
    fn feed_delimiter(&mut self, ch: char) -> bool {
        let Lex::Delimiter {
            tabs,
            name,
            quoted,
            quote,
            begun,
        } = &mut self.lex
        else {
            return false;
        };
        match (ch, *quote) {
            (_, Some(open)) if ch == open => *quote = None,
            (_, Some(_)) => name.push(ch),
            ('-', None) if !*begun && !*tabs => *tabs = true,
            ('<', None) if !*begun => {
                // `<<<` takes a word, not a heredoc.
                self.lex = Lex::Normal;
            }
            (' ' | '\t', None) if !*begun => {}
            ('\'' | '"', None) => {
                (*quoted, *begun) = (true, true);
                *quote = Some(ch);
            }
            ('\\', None) => (*quoted, *begun) = (true, true),
            (' ' | '\t' | '\n' | ';' | '&' | '|' | '<' | '>' | ')', None) => {
                let heredoc = Heredoc {
                    delimiter: name.as_str().into(),
                    tabs: *tabs,
                    expands: !*quoted,
                };
                self.pending.push(heredoc);
                self.lex = Lex::Normal;
                return false;
            }
            _ => {
                *begun = true;
                name.push(ch);
            }
        }
        true
    }

    pub(crate) fn value(&mut self, next: Option<char>) -> Result<Spot, Trouble> {
        let one_line = self.one_line;
        match &self.lex {
            Lex::Escape => return Err(AFTER_BACKSLASH),
            Lex::Dollar | Lex::DollarParen => {
                return Trouble::new(
                    "a value stands right after a `$`, where it would be a variable's name",
                    "write the variable out, or escape the `$`",
                );
            }
            Lex::Comment => return Ok(Spot::Comment { end: None }),
            Lex::Delimiter { .. } => {
                return Trouble::new("a value stands in a heredoc's delimiter", "write the delimiter out");
            }
            Lex::Less | Lex::Normal => {}
        }
        self.lex = Lex::Normal;
        match self.modes.last_mut() {
            Some(Mode::Single) => Ok(Spot::ShellSingle { one_line }),
            Some(Mode::Double) => Ok(Spot::ShellDouble { one_line }),
            Some(Mode::Arithmetic { .. }) => Ok(Spot::Number),
            Some(Mode::Heredoc { heredoc, line }) => {
                let starts_line = line.as_deref().is_some_and(|it| it.trim_start_matches('\t').is_empty());
                *line = None;
                Ok(Spot::ShellHeredoc {
                    delimiter: heredoc.delimiter.clone(),
                    tabs: heredoc.tabs,
                    expands: heredoc.expands,
                    starts_line,
                })
            }
            Some(Mode::Ansi) => Trouble::new("a value stands in `$'…'`", "use plain single quotes"),
            Some(Mode::Parameter) => Trouble::new(
                "a value stands within `${…}`",
                "give it to a variable first: `x='{{value}}'`",
            ),
            Some(Mode::Backtick) => Trouble::new("a value stands between back-ticks", "write `$(…)` instead"),
            _ if self.word == Word::Between && next == Some('=') => {
                self.word = Word::Inside;
                Ok(Spot::Identifier {
                    ident: Ident::Variable,
                    first: true,
                })
            }
            _ => {
                self.word = Word::Placed;
                Ok(Spot::ShellWord { one_line })
            }
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) -> bool {
        if self.lex != other.lex || self.pending != other.pending || self.modes.len() != other.modes.len() {
            return false;
        }
        for (a, b) in self.modes.iter_mut().zip(&other.modes) {
            match (a, b) {
                (
                    Mode::Heredoc { heredoc, line },
                    Mode::Heredoc {
                        heredoc: other_heredoc,
                        line: other_line,
                    },
                ) if heredoc == other_heredoc => {
                    if line != other_line {
                        *line = None;
                    }
                }
                (a, b) if a == b => {}
                _ => return false,
            }
        }
        if self.word != other.word {
            self.word = Word::Placed;
        }
        true
    }

    pub(crate) fn end(&self) -> Result<(), Trouble> {
        let closing = match self.modes.last() {
            Some(Mode::Heredoc { heredoc, line }) => {
                let skips = if heredoc.tabs { Skips::Tabs } else { Skips::Nothing };
                self.modes.len() == 2
                    && self.pending.is_empty()
                    && line.as_deref().is_some_and(|it| skips.closes(it, &heredoc.delimiter))
            }
            _ => self.is_at_rest() || (self.modes.len() == 1 && self.lex == Lex::Dollar),
        };
        if closing {
            return Ok(());
        }
        Trouble::new("the text ends inside of a string, a bracket or a heredoc", "close it")
    }

    pub(crate) fn guard(&self) -> Guard {
        match self.modes.last() {
            Some(Mode::Heredoc { heredoc, line: None }) => Guard::Line {
                delimiter: heredoc.delimiter.clone(),
                skips: if heredoc.tabs { Skips::Tabs } else { Skips::Nothing },
                double: false,
            },
            _ => Guard::None,
        }
    }

    pub(crate) fn describe(&self) -> &'static str {
        match (self.modes.last(), &self.lex) {
            (Some(Mode::Single | Mode::Ansi), _) => "inside of single quotes",
            (Some(Mode::Double), _) => "inside of double quotes",
            (Some(Mode::Heredoc { .. }), _) => "inside of a heredoc",
            (_, Lex::Comment) => "inside of a comment",
            _ => "between words",
        }
    }
}
