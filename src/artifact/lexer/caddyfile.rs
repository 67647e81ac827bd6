//! Caddyfile: words, quotes, back-ticks, braces.

use super::{AFTER_BACKSLASH, Trouble};
use crate::artifact::place::{Ident, Spot};

/// Where in a Caddyfile the reading stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Caddyfile {
    at: At,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    #[default]
    Between,
    Word,
    Less,
    Quoted,
    Escape,
    Backtick,
    Comment,
}

impl Caddyfile {
    pub(crate) fn feed(&mut self, ch: char, decoded: &mut String) -> Result<(), Trouble> {
        self.at = match (self.at, ch) {
            (At::Escape, _) => {
                decoded.push(ch);
                At::Quoted
            }
            (At::Quoted, '\\') => At::Escape,
            (At::Quoted, '"') | (At::Backtick, '`') => At::Word,
            (At::Quoted | At::Backtick, _) => {
                decoded.push(ch);
                self.at
            }
            (_, '\n') => At::Between,
            (At::Comment, _) => At::Comment,
            (_, ' ' | '\t' | '\r') => At::Between,
            (At::Between, '#') => At::Comment,
            (At::Between, '"') => At::Quoted,
            (At::Between, '`') => At::Backtick,
            (At::Between, '<') => At::Less,
            (At::Less, '<') => {
                return Trouble::new("this format's heredocs are not known here", "use back-ticks");
            }
            _ => {
                decoded.push(ch);
                At::Word
            }
        };
        Ok(())
    }

    pub(crate) fn value(&mut self) -> Result<Spot, Trouble> {
        let ident = Ident::CaddyfileWord;
        match self.at {
            At::Between => {
                self.at = At::Word;
                Ok(Spot::Identifier { ident, first: true })
            }
            At::Word | At::Less => {
                self.at = At::Word;
                Ok(Spot::Identifier { ident, first: false })
            }
            At::Quoted => Ok(Spot::CaddyfileQuoted),
            At::Backtick => Ok(Spot::CaddyfileBacktick),
            At::Escape => Err(AFTER_BACKSLASH),
            At::Comment => Ok(Spot::Comment { end: None }),
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) -> bool {
        let bare = |at| matches!(at, At::Between | At::Word);
        if bare(self.at) && bare(other.at) && self.at != other.at {
            self.at = At::Word;
        }
        self.at == other.at
    }

    pub(crate) fn end(&self) -> Result<(), Trouble> {
        match self.at {
            At::Quoted | At::Backtick | At::Escape => Trouble::new("the text ends inside of quotes", "close them"),
            _ => Ok(()),
        }
    }
}
