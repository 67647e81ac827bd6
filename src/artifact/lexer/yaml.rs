//! YAML, as far as it takes to know where a scalar begins and ends.

use super::{AFTER_BACKSLASH, Trouble};
use crate::artifact::place::Spot;

/// Where in a YAML text the reading stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Yaml {
    at: At,
    flow: usize,
    col: usize,
    /// The column of the last key or dash that began on this line.
    node: usize,
    /// The column of the node whose plain scalar a deeper line would go on with.
    open: Option<usize>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum At {
    #[default]
    LineStart,
    /// Where a scalar may begin.
    Between,
    Dash,
    Tag,
    Plain {
        colon: bool,
        blank: bool,
    },
    /// Behind a quoted scalar, a bracket or a value with a blank after it.
    After,
    Placed,
    PlacedColon,
    Single,
    SingleQuote,
    Double,
    Escape,
    Comment,
    /// Behind `|` or `>`, before the line ends.
    Header,
    Block {
        parent: usize,
        indent: Option<usize>,
        /// Whether only blanks have been read of the line.
        margin: bool,
    },
}

const GLUED: Trouble = Trouble {
    message: "a plain scalar is put together from a value and other text, so its quotes can't be chosen",
    help: "put the whole scalar in double quotes",
};

impl Yaml {
    pub(crate) fn feed(&mut self, ch: char, decoded: &mut String) -> Result<(), Trouble> {
        let col = self.col;
        self.col = if ch == '\n' { 0 } else { col + 1 };
        match self.at.clone() {
            At::Single => match ch {
                '\'' => self.at = At::SingleQuote,
                _ => decoded.push(ch),
            },
            At::SingleQuote if ch == '\'' => {
                decoded.push(ch);
                self.at = At::Single;
            }
            At::Double => match ch {
                '"' => self.at = At::After,
                '\\' => self.at = At::Escape,
                _ => decoded.push(ch),
            },
            At::Escape => {
                decoded.push(if ch == 'n' { '\n' } else { ch });
                self.at = At::Double;
            }
            At::Comment => {
                if ch == '\n' {
                    self.at = At::LineStart;
                }
            }
            At::Header => {
                if ch == '\n' {
                    self.at = At::Block {
                        parent: self.node,
                        indent: None,
                        margin: true,
                    };
                }
            }
            At::Block { parent, indent, margin } => return self.feed_block(ch, col, (parent, indent, margin), decoded),
            at => return self.feed_structure(&at, ch, col, decoded),
        }
        Ok(())
    }

    fn feed_block(
        &mut self,
        ch: char,
        col: usize,
        (parent, indent, margin): (usize, Option<usize>, bool),
        decoded: &mut String,
    ) -> Result<(), Trouble> {
        let block = |indent, margin| At::Block { parent, indent, margin };
        if ch == '\n' {
            decoded.push(ch);
            self.at = block(indent, true);
        } else if margin && ch == ' ' {
            if indent.is_some_and(|it| col >= it) {
                decoded.push(ch);
            }
        } else if margin && col <= parent {
            self.at = At::LineStart;
            self.open = None;
            return self.feed_structure(&At::LineStart, ch, col, decoded);
        } else {
            decoded.push(ch);
            self.at = block(indent.or(Some(col)), false);
        }
        Ok(())
    }

    fn feed_structure(&mut self, at: &At, ch: char, col: usize, decoded: &mut String) -> Result<(), Trouble> {
        if ch == '\n' {
            if matches!(at, At::Plain { colon: false, .. } | At::Placed | At::After) && self.flow == 0 {
                self.open = Some(self.node);
            }
            self.at = if self.flow > 0 { At::Between } else { At::LineStart };
            return Ok(());
        }
        let blank = matches!(ch, ' ' | '\t' | '\r');
        match at {
            At::Placed => match ch {
                _ if blank => self.at = At::After,
                ':' => self.at = At::PlacedColon,
                ',' | ']' | '}' if self.flow > 0 => self.punctuation(ch),
                _ => return Err(GLUED),
            },
            At::PlacedColon => {
                if !blank {
                    return Err(GLUED);
                }
                self.at = At::Between;
            }
            At::After | At::SingleQuote => match ch {
                ':' => self.at = At::PlacedColon,
                '#' => self.at = At::Comment,
                ',' | ']' | '}' if self.flow > 0 => self.punctuation(ch),
                _ if blank => self.at = At::After,
                _ => return Err(GLUED),
            },
            At::Dash if blank => {
                self.node = col - 1;
                self.at = At::Between;
            }
            At::Tag if blank => self.at = At::Between,
            At::Tag => {}
            At::Plain { colon, blank: before } => match ch {
                _ if blank && *colon => self.at = At::Between,
                '#' if *before => self.at = At::Comment,
                ',' | ']' | '}' if self.flow > 0 => self.punctuation(ch),
                _ => {
                    decoded.push(ch);
                    self.at = At::Plain {
                        colon: ch == ':',
                        blank,
                    };
                }
            },
            _ if blank && matches!(at, At::LineStart | At::Between) => {}
            _ => {
                let continues = *at == At::LineStart && self.open.is_some_and(|it| col > it);
                if *at == At::LineStart || matches!(at, At::Between if self.begins_key(ch)) {
                    if !continues {
                        self.open = None;
                    }
                    if *at == At::LineStart {
                        self.node = col;
                    }
                }
                if continues {
                    decoded.push(ch);
                    self.at = At::Plain {
                        colon: false,
                        blank: false,
                    };
                } else {
                    self.token(ch, col, decoded);
                }
            }
        }
        Ok(())
    }

    fn begins_key(&self, ch: char) -> bool {
        self.flow == 0 && !matches!(ch, '|' | '>')
    }

    fn token(&mut self, ch: char, col: usize, decoded: &mut String) {
        self.at = match ch {
            '\'' => At::Single,
            '"' => At::Double,
            '#' => At::Comment,
            '-' | '?' => At::Dash,
            '!' | '&' => At::Tag,
            '|' | '>' if self.flow == 0 => At::Header,
            '[' | '{' => {
                self.flow += 1;
                At::Between
            }
            ',' | ']' | '}' if self.flow > 0 => {
                self.punctuation(ch);
                return;
            }
            _ => {
                // After a dash the key's own column is what its children must pass.
                if self.flow == 0 && self.at == At::Between && self.node + 2 == col {
                    self.node = col;
                }
                decoded.push(ch);
                At::Plain {
                    colon: ch == ':',
                    blank: false,
                }
            }
        };
    }

    fn punctuation(&mut self, ch: char) {
        if ch == ',' {
            self.at = At::Between;
        } else {
            self.flow = self.flow.saturating_sub(1);
            self.at = At::After;
        }
    }

    pub(crate) fn value(&mut self) -> Result<Spot, Trouble> {
        match self.at.clone() {
            At::Single => Ok(Spot::YamlSingle),
            At::Double => Ok(Spot::YamlDouble),
            At::Escape => Err(AFTER_BACKSLASH),
            At::Comment => Ok(Spot::Comment { end: None }),
            At::LineStart if self.open.is_some_and(|it| self.col > it) => Trouble::new(
                "a value stands on a line that goes on with the scalar above",
                "put the scalar in double quotes, or on one line",
            ),
            At::LineStart | At::Between => {
                if self.at == At::LineStart {
                    self.node = self.col;
                    self.open = None;
                }
                self.at = At::Placed;
                Ok(Spot::YamlScalar)
            }
            At::Block { parent, indent, margin } => {
                if margin && self.col <= parent {
                    // The line lies outside of the block.
                    self.at = At::LineStart;
                    self.open = None;
                    return self.value();
                }
                let first = indent.is_none();
                let indent = indent.unwrap_or(self.col);
                self.at = At::Block {
                    parent,
                    indent: Some(indent),
                    margin: false,
                };
                Ok(Spot::YamlBlock { indent, first })
            }
            At::Dash | At::Tag | At::Plain { .. } | At::Placed | At::PlacedColon | At::SingleQuote | At::After => {
                Err(GLUED)
            }
            At::Header => Trouble::new("a value stands in the head of a block scalar", "write it out"),
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) -> bool {
        if self.flow != other.flow {
            return false;
        }
        self.open = match (self.open, other.open) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        let after = |at: &At| matches!(at, At::Placed | At::After | At::SingleQuote);
        match (&mut self.at, &other.at) {
            (
                At::Block { parent, indent, margin },
                At::Block {
                    parent: other_parent,
                    indent: other_indent,
                    margin: other_margin,
                },
            ) => {
                if parent != other_parent || margin != other_margin {
                    return false;
                }
                if let (Some(a), Some(b)) = (*indent, *other_indent)
                    && a != b
                {
                    return false;
                }
                *indent = indent.or(*other_indent);
                true
            }
            (a, b) if a == b => {
                self.node = self.node.min(other.node);
                *a != At::LineStart || self.col == other.col
            }
            (a, b) if after(a) && after(b) => {
                *a = At::Placed;
                true
            }
            // A line after a block scalar, or after none.
            (At::LineStart, At::Block { margin: true, .. }) if self.col == other.col => {
                *self = other.clone();
                true
            }
            (At::Block { margin: true, .. }, At::LineStart) if self.col == other.col => true,
            (a, b) if self.flow > 0 && (after(a) || *a == At::Between) && (after(b) || *b == At::Between) => {
                *a = At::After;
                true
            }
            _ => false,
        }
    }

    pub(crate) fn end(&self) -> Result<(), Trouble> {
        if self.flow == 0 && !matches!(self.at, At::Single | At::Double | At::Escape) {
            return Ok(());
        }
        Trouble::new("the text ends inside of quotes or brackets", "close them")
    }
}
