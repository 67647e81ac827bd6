//! Formats without nesting: INI, dotenv, plain text, and the languages that are one flat text.

use super::Trouble;
use crate::artifact::place::{Ident, Spot};

/// Which format of lines it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grammar {
    Ini,
    Env,
}

/// Where in a file of `key = value` lines the reading stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lines {
    grammar: Grammar,
    at: At,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Start,
    Comment,
    Section,
    Key,
    /// After the sign, with nothing of the value yet.
    Value,
    /// Within the value.
    Inside,
    /// Behind a whole value.
    Placed,
    Single,
    Double,
    Escape,
}

impl Lines {
    pub(crate) fn new(grammar: Grammar) -> Self {
        Self { grammar, at: At::Start }
    }

    pub(crate) fn feed(&mut self, ch: char, decoded: &mut String) -> Result<(), Trouble> {
        let env = self.grammar == Grammar::Env;
        self.at = match (self.at, ch) {
            (At::Escape, _) => {
                decoded.push(ch);
                At::Double
            }
            (At::Single, '\'') | (At::Double, '"') => At::Inside,
            (At::Double, '\\') if env => At::Escape,
            (At::Single | At::Double, _) => {
                decoded.push(ch);
                self.at
            }
            (_, '\n') => At::Start,
            (At::Comment, _) => At::Comment,
            (At::Start, '#') => At::Comment,
            (At::Start, ';') if !env => At::Comment,
            (At::Start, '[') if !env => At::Section,
            (At::Start, ' ' | '\t' | '\r') => At::Start,
            (At::Section, _) => At::Section,
            (At::Start | At::Key, '=') => At::Value,
            (At::Start | At::Key, ':') if !env => At::Value,
            (At::Start | At::Key, _) => At::Key,
            (At::Value, ' ' | '\t' | '\r') => At::Value,
            (At::Value, '\'') if env => At::Single,
            (At::Value, '"') if env => At::Double,
            (At::Placed, ' ' | '\t' | '\r') => At::Placed,
            (At::Placed, _) if env => {
                return Trouble::new("text follows a bare value", "put the whole value in double quotes");
            }
            (At::Value | At::Inside | At::Placed, _) => {
                decoded.push(ch);
                At::Inside
            }
        };
        Ok(())
    }

    pub(crate) fn value(&mut self) -> Result<Spot, Trouble> {
        let env = self.grammar == Grammar::Env;
        let ident = if env { Ident::Variable } else { Ident::IniKey };
        let (spot, at) = match self.at {
            At::Comment => (Spot::Comment { end: None }, At::Comment),
            At::Section => (
                Spot::Identifier {
                    ident: Ident::IniKey,
                    first: true,
                },
                At::Section,
            ),
            At::Start => (Spot::Identifier { ident, first: true }, At::Key),
            At::Key => (Spot::Identifier { ident, first: false }, At::Key),
            At::Value if env => (Spot::EnvValue, At::Placed),
            At::Inside | At::Placed if env => {
                return Trouble::new(
                    "a value stands within a bare value",
                    "put the whole value in double quotes",
                );
            }
            At::Value | At::Inside | At::Placed => (Spot::IniValue, At::Inside),
            At::Single => (Spot::EnvSingle, At::Single),
            At::Double => (Spot::EnvDouble, At::Double),
            At::Escape => return Err(super::AFTER_BACKSLASH),
        };
        self.at = at;
        Ok(spot)
    }

    pub(crate) fn merge(&mut self, other: &Self) -> bool {
        if self.at == other.at {
            return true;
        }
        let in_value = |at| matches!(at, At::Value | At::Inside | At::Placed);
        if in_value(self.at) && in_value(other.at) {
            self.at = At::Placed;
            return true;
        }
        false
    }
}

/// A text that is all one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Flat {
    Plain,
    Regex,
    HclTemplate,
    DollarParen { sign: bool },
    DollarVariable { sign: bool },
    Backtick { inside: bool },
}

impl Flat {
    pub(crate) fn feed(&mut self, ch: char, decoded: &mut String) -> Result<(), Trouble> {
        match self {
            // Two of them are one that means itself.
            Self::DollarParen { sign } => *sign = ch == '$' && !*sign,
            Self::DollarVariable { sign } => *sign = ch == '$',
            Self::Backtick { inside } if ch == '`' => *inside = !*inside,
            _ => {}
        }
        decoded.push(ch);
        Ok(())
    }

    pub(crate) fn value(&mut self) -> Result<Spot, Trouble> {
        match self {
            Self::Plain => Ok(Spot::Plain),
            Self::Regex => Ok(Spot::Regex),
            Self::DollarParen { sign: true } | Self::DollarVariable { sign: true } => Trouble::new(
                "a value stands right after a `$`, where it could become a variable",
                "put something between",
            ),
            Self::HclTemplate => Ok(Spot::HclTemplate),
            Self::DollarParen { .. } => Ok(Spot::DollarParen),
            Self::DollarVariable { .. } => Ok(Spot::DollarVariable),
            Self::Backtick { inside: true } => Ok(Spot::Backtick),
            Self::Backtick { inside: false } => Ok(Spot::Number),
        }
    }

    pub(crate) fn end(&self) -> Result<(), Trouble> {
        match self {
            Self::Backtick { inside: true } => Trouble::new("a back-tick is never closed", "close it"),
            _ => Ok(()),
        }
    }
}
