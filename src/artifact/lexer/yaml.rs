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
    /// Whether a dash has just opened a node.
    dashed: bool,
    /// The column that the lines of a scalar beginning here must pass; none for the whole document.
    base: Option<usize>,
    /// The column of a key, or a dash, whose value begins on a line further down.
    above: Option<usize>,
    /// The column behind which a line goes on with the scalar above, as `base` has it.
    open: Option<Option<usize>>,
    /// Whether that scalar is more than raw text, so that nothing can go on with it.
    closed: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum At {
    #[default]
    LineStart,
    /// Where a scalar may begin.
    Between,
    Dash,
    /// So many dashes at the start of a line, which may begin a document.
    Marker(u8),
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
            if matches!(
                at,
                At::Plain { colon: false, .. } | At::Placed | At::After | At::SingleQuote
            ) && self.flow == 0
            {
                self.open = Some(self.base);
                self.closed = !matches!(at, At::Plain { .. });
            }
            if self.flow == 0
                && matches!(
                    at,
                    At::Plain { colon: true, .. } | At::PlacedColon | At::Between | At::Dash
                )
            {
                self.above = Some(if *at == At::Dash {
                    col.saturating_sub(1)
                } else {
                    self.node
                });
            }
            self.dashed = false;
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
                self.base = Some(self.node);
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
                self.dashed = true;
                self.at = At::Between;
            }
            At::Dash if ch == '-' && col == 1 && !self.dashed && self.node == 0 => self.at = At::Marker(2),
            At::Marker(2) if ch == '-' => self.at = At::Marker(3),
            At::Marker(3) if blank => {
                self.base = None;
                self.at = At::Between;
            }
            At::Dash | At::Marker(_) => {
                decoded.push(ch);
                self.at = At::Plain {
                    colon: ch == ':',
                    blank: false,
                };
            }
            At::Tag if blank => self.at = At::Between,
            At::Tag => {}
            At::Plain { colon, blank: before } => match ch {
                _ if blank && *colon => {
                    self.base = Some(self.node);
                    self.at = At::Between;
                }
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
                if *at == At::LineStart && ch == '#' {
                    self.at = At::Comment;
                    return Ok(());
                }
                if *at == At::LineStart && self.goes_on(col) {
                    if self.closed {
                        return Trouble::new(
                            "a line goes on with a scalar that ended on the line above",
                            "put the scalar in double quotes, or on one line",
                        );
                    }
                    decoded.push(ch);
                    self.at = At::Plain {
                        colon: false,
                        blank: false,
                    };
                    return Ok(());
                }
                self.node_at(col);
                self.token(ch, decoded);
            }
        }
        Ok(())
    }

    /// Tells whether a line that begins at `col` goes on with the scalar above.
    fn goes_on(&self, col: usize) -> bool {
        self.open.is_some_and(|it| it.is_none_or(|it| col > it))
    }

    /// Takes note of a token at `col`: the first one of a line or behind a dash opens a node.
    fn node_at(&mut self, col: usize) {
        if self.flow > 0 {
            return;
        }
        if self.dashed {
            self.base = Some(self.node);
            self.node = col;
        } else if self.at == At::LineStart {
            self.base = self.above.filter(|it| col > *it);
            self.node = col;
        }
        self.above = None;
        self.open = None;
        self.dashed = false;
    }

    fn token(&mut self, ch: char, decoded: &mut String) {
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
            At::LineStart if self.goes_on(self.col) => Trouble::new(
                "a value stands on a line that goes on with the scalar above",
                "put the scalar in double quotes, or on one line",
            ),
            At::LineStart | At::Between => {
                self.node_at(self.col);
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
            At::Dash
            | At::Marker(_)
            | At::Tag
            | At::Plain { .. }
            | At::Placed
            | At::PlacedColon
            | At::SingleQuote
            | At::After => Err(GLUED),
            At::Header => Trouble::new("a value stands in the head of a block scalar", "write it out"),
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) -> bool {
        if self.flow != other.flow {
            return false;
        }
        self.open = match (self.open, other.open) {
            (Some(a), Some(b)) => Some(a.zip(b).map(|(a, b)| a.min(b))),
            (a, b) => a.or(b),
        };
        self.closed |= other.closed;
        self.base = self.base.zip(other.base).map(|(a, b)| a.min(b));
        self.above = self.above.zip(other.above).map(|(a, b)| a.max(b));
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
                self.dashed &= other.dashed;
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
