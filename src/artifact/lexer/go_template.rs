//! Text with actions in `{{…}}`, in the grammar of Go's `text/template`.

use super::{AFTER_BACKSLASH, Trouble};
use crate::artifact::place::Spot;

/// Where in a go-template the reading stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct GoTemplate {
    at: At,
    /// The first word of the action, which says whether it prints anything.
    word: String,
    word_done: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    #[default]
    Text,
    Brace,
    Action,
    ActionBrace,
    Quoted,
    Escape,
    Raw,
    Comment {
        star: bool,
    },
}

/// Actions that print nothing themselves.
const SILENT: [&str; 11] = [
    "if", "else", "end", "range", "with", "define", "block", "template", "break", "continue", "",
];

impl GoTemplate {
    pub(crate) fn feed(&mut self, ch: char, decoded: &mut String) -> Result<(), Trouble> {
        self.at = match (self.at, ch) {
            (At::Text, '{') => At::Brace,
            (At::Text, _) => {
                decoded.push(ch);
                At::Text
            }
            (At::Brace, '{') => {
                self.word.clear();
                self.word_done = false;
                At::Action
            }
            (At::Brace, _) => {
                decoded.push('{');
                decoded.push(ch);
                At::Text
            }
            (At::Action, '"') => At::Quoted,
            (At::Action, '`') => At::Raw,
            (At::Action, '*') if self.word == "/" => At::Comment { star: false },
            (At::Action, '}') => At::ActionBrace,
            (At::Action, _) => {
                self.note(ch);
                At::Action
            }
            (At::ActionBrace, '}') => {
                if !SILENT.contains(&self.word.as_str()) {
                    decoded.push('0');
                }
                // Back in the text it is the same as before any action, so that branches can meet.
                self.word.clear();
                self.word_done = false;
                At::Text
            }
            (At::ActionBrace, _) => At::Action,
            (At::Quoted, '"') | (At::Raw, '`') => {
                self.word_done = true;
                if self.word.is_empty() {
                    self.word.push('"');
                }
                At::Action
            }
            (At::Quoted, '\\') => At::Escape,
            (At::Quoted, '\n') => {
                return Trouble::new("a line ends inside of a string of an action", "close the string");
            }
            (At::Escape, _) => At::Quoted,
            (At::Comment { star: true }, '/') => {
                self.word.clear();
                self.word_done = true;
                At::Action
            }
            (At::Comment { .. }, _) => At::Comment { star: ch == '*' },
            (at, _) => at,
        };
        Ok(())
    }

    fn note(&mut self, ch: char) {
        if self.word_done {
            return;
        }
        match ch {
            '-' if self.word.is_empty() => {}
            ' ' | '\t' | '\n' if self.word.is_empty() => {}
            ' ' if self.word.starts_with('$') => {}
            ' ' | '\t' | '\n' | '(' | '|' => self.word_done = true,
            // `$x := …` prints nothing; `$x` alone does, and is taken for a value.
            '=' if self.word.ends_with(':') => {
                self.word.clear();
                self.word_done = true;
            }
            _ => self.word.push(ch),
        }
    }

    pub(crate) fn value(&mut self) -> Result<Spot, Trouble> {
        match self.at {
            At::Text => Ok(Spot::GoText { after_brace: false }),
            At::Brace => {
                self.at = At::Text;
                Ok(Spot::GoText { after_brace: true })
            }
            At::Quoted => Ok(Spot::GoString),
            At::Raw => Ok(Spot::Backtick),
            At::Action => {
                self.word.push('0');
                Ok(Spot::Number)
            }
            At::Escape => Err(AFTER_BACKSLASH),
            At::ActionBrace => Trouble::new("a value stands between two braces", "close the action first"),
            At::Comment { .. } => Ok(Spot::Comment { end: Some("*/") }),
        }
    }

    pub(crate) fn end(&self) -> Result<(), Trouble> {
        match self.at {
            At::Text | At::Brace => Ok(()),
            _ => Trouble::new("the text ends inside of an action", "close it with `}}`"),
        }
    }
}
