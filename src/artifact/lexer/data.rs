//! JSON.

use super::{AFTER_BACKSLASH, Trouble};
use crate::artifact::place::Spot;

/// Where in a JSON text the reading stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Json {
    at: At,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    /// Before a value or a key.
    #[default]
    Expect,
    /// Behind a whole one.
    After,
    Word,
    Placed,
    /// One of the above, depending on a branch.
    Either,
    String,
    Escape,
}

impl Json {
    pub(crate) fn is_outside(&self) -> bool {
        !matches!(self.at, At::String | At::Escape)
    }

    pub(crate) fn feed(&mut self, ch: char, decoded: &mut String) -> Result<(), Trouble> {
        self.at = match (self.at, ch) {
            (At::Escape, _) => {
                decoded.push(if ch == 'n' { '\n' } else { ch });
                At::String
            }
            (At::String, '\\') => At::Escape,
            (At::String, '"') => At::After,
            (At::String, '\n') => return Trouble::new("a line ends inside of a string", "close the string"),
            (At::String, _) => {
                decoded.push(ch);
                At::String
            }
            (at, ' ' | '\t' | '\n' | '\r') => match at {
                At::Word | At::Placed => At::After,
                at => at,
            },
            (_, ',' | '[' | '{') => At::Expect,
            (At::Placed, ':') => return Trouble::new("a bare value is a key here", "put it in double quotes"),
            (_, ':') => At::Expect,
            (_, ']' | '}') => At::After,
            (At::Placed, _) => return Trouble::new("text follows a bare value", "put the whole in double quotes"),
            (_, '"') => At::String,
            _ => At::Word,
        };
        Ok(())
    }

    pub(crate) fn value(&mut self) -> Result<Spot, Trouble> {
        match self.at {
            At::Expect => {
                self.at = At::Placed;
                Ok(Spot::JsonValue)
            }
            At::String => Ok(Spot::JsonString),
            At::Escape => Err(AFTER_BACKSLASH),
            At::After | At::Word | At::Placed | At::Either => Trouble::new(
                "a bare value may follow another one here",
                "put a comma between, or double quotes around it",
            ),
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) -> bool {
        if self.at == other.at {
            return true;
        }
        if self.is_outside() && other.is_outside() {
            self.at = At::Either;
            return true;
        }
        false
    }

    pub(crate) fn end(&self) -> Result<(), Trouble> {
        if self.is_outside() {
            return Ok(());
        }
        Trouble::new("the text ends inside of a string", "close it")
    }
}
