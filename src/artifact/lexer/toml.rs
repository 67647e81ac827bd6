//! TOML.

use super::{AFTER_BACKSLASH, Trouble};
use crate::artifact::place::{Ident, Spot};

/// Where in a TOML text the reading stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Toml {
    at: At,
    brackets: Vec<char>,
    key: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    /// Before a key, on a line of its own.
    #[default]
    Start,
    Key,
    Expect,
    Word,
    Placed,
    After,
    Either,
    Comment,
    /// A string, by its quote; `three` of them for one over several lines.
    String {
        quote: char,
        three: bool,
    },
    Escape {
        three: bool,
    },
    /// So many quotes in a row, before or within a string.
    Opening {
        quote: char,
        n: u8,
    },
    Closing {
        quote: char,
        n: u8,
    },
}

impl Toml {
    fn before_key(&self) -> bool {
        matches!(self.at, At::Start | At::Key)
    }

    pub(crate) fn is_in_code(&self) -> bool {
        let in_text = matches!(
            self.at,
            At::Comment | At::String { .. } | At::Escape { .. } | At::Opening { .. } | At::Closing { .. }
        );
        !in_text
    }

    pub(crate) fn feed(&mut self, ch: char, decoded: &mut String) -> Result<(), Trouble> {
        match self.at {
            At::Opening { quote, n } => {
                if ch == quote && n == 1 {
                    self.at = At::Opening { quote, n: 2 };
                    return Ok(());
                }
                if n == 2 {
                    if ch == quote {
                        self.at = At::String { quote, three: true };
                        return Ok(());
                    }
                    self.close();
                } else {
                    self.at = At::String { quote, three: false };
                }
            }
            At::Closing { quote, n } => {
                if ch == quote {
                    self.at = At::Closing { quote, n: n + 1 };
                    return Ok(());
                }
                if n >= 3 {
                    self.close();
                } else {
                    self.at = At::String { quote, three: true };
                }
            }
            _ => {}
        }
        match self.at {
            At::Escape { three } => {
                decoded.push(if ch == 'n' { '\n' } else { ch });
                self.at = At::String { quote: '"', three };
            }
            At::String { quote: '"', three } if ch == '\\' => self.at = At::Escape { three },
            At::String { quote, three: true } if ch == quote => self.at = At::Closing { quote, n: 1 },
            At::String { quote, three: false } if ch == quote => self.close(),
            At::String { three: false, .. } if ch == '\n' => {
                return Trouble::new("a line ends inside of a string", "close it, or use three quotes");
            }
            At::String { .. } => decoded.push(ch),
            At::Comment => {
                if ch == '\n' {
                    self.newline();
                }
            }
            _ => self.feed_code(ch)?,
        }
        Ok(())
    }

    fn close(&mut self) {
        self.at = if self.key { At::Key } else { At::After };
    }

    fn newline(&mut self) {
        self.at = match self.at {
            _ if self.brackets.is_empty() => At::Start,
            At::Word | At::Placed | At::Comment => At::Either,
            at => at,
        };
    }

    fn feed_code(&mut self, ch: char) -> Result<(), Trouble> {
        match ch {
            '\n' => self.newline(),
            ' ' | '\t' | '\r' => {
                if matches!(self.at, At::Word | At::Placed) {
                    self.at = At::After;
                }
            }
            '#' => self.at = At::Comment,
            '"' | '\'' => {
                if self.at == At::Placed {
                    return Trouble::new("text follows a bare value", "put the whole in quotes");
                }
                self.key = self.before_key();
                self.at = At::Opening { quote: ch, n: 1 };
            }
            '=' => self.at = At::Expect,
            '[' if self.at == At::Start && self.brackets.is_empty() => {}
            '[' => {
                self.brackets.push(ch);
                self.at = At::Expect;
            }
            '{' => {
                self.brackets.push(ch);
                self.at = At::Start;
            }
            ']' | '}' => {
                if self.brackets.pop().is_some() {
                    self.at = At::After;
                }
            }
            ',' => {
                self.at = if self.brackets.last() == Some(&'{') {
                    At::Start
                } else {
                    At::Expect
                }
            }
            _ => {
                self.at = match self.at {
                    At::Start | At::Key => At::Key,
                    At::Placed => return Trouble::new("text follows a bare value", "put the whole in quotes"),
                    _ => At::Word,
                }
            }
        }
        Ok(())
    }

    pub(crate) fn value(&mut self) -> Result<Spot, Trouble> {
        let key = |first| Spot::Identifier {
            ident: Ident::TomlKey,
            first,
        };
        match self.at {
            At::Start => {
                self.at = At::Key;
                Ok(key(true))
            }
            At::Key => Ok(key(false)),
            At::Expect => {
                self.at = At::Placed;
                Ok(Spot::TomlValue)
            }
            At::Opening { quote, n: 1 } => {
                self.at = At::String { quote, three: false };
                self.value()
            }
            At::String { quote: '"', .. } => Ok(Spot::TomlBasic),
            At::String { three, .. } => Ok(Spot::TomlLiteral { three }),
            At::Comment => Ok(Spot::Comment { end: None }),
            At::Escape { .. } => Err(AFTER_BACKSLASH),
            At::Closing { quote: '"', n: 1 | 2 } => {
                self.at = At::String {
                    quote: '"',
                    three: true,
                };
                Ok(Spot::TomlBasic)
            }
            At::Opening { .. } | At::Closing { .. } => Trouble::new(
                "a value stands right after a quote",
                "put a blank or another character between",
            ),
            At::Word | At::Placed | At::After | At::Either => Trouble::new(
                "a bare value may follow another one here",
                "put a comma between, or quotes around it",
            ),
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) -> bool {
        if self.brackets != other.brackets {
            return false;
        }
        if self.at == other.at {
            return true;
        }
        let bare = |at| matches!(at, At::Expect | At::Word | At::Placed | At::After | At::Either);
        if bare(self.at) && bare(other.at) {
            self.at = At::Either;
            return true;
        }
        false
    }

    pub(crate) fn end(&self) -> Result<(), Trouble> {
        let open = matches!(
            self.at,
            At::String { .. } | At::Escape { .. } | At::Closing { n: 1 | 2, .. } | At::Opening { n: 1, .. }
        );
        if open || !self.brackets.is_empty() {
            return Trouble::new("the text ends inside of a string or a bracket", "close it");
        }
        Ok(())
    }
}
