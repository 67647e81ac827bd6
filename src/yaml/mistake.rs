//! What can be wrong with a text as YAML, in the words of the one who wrote it. What is wrong with the values is not said here.

use std::fmt;

use crate::problem::{Place, Problem, Span};
use crate::value::Name;

/// A mistake, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub kind: MistakeKind,
}

/// What a mistake is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MistakeKind {
    /// A tab indents a line.
    Tab,
    /// A line is indented differently from its siblings.
    Indentation,
    /// A line of a map has no colon.
    MissingColon,
    /// A map has a value without a key.
    MissingKey,
    /// A line has two keys.
    SecondColon,
    /// A list item stands where a key must.
    UnexpectedItem,
    /// A list or an explicit key begins on the line of its key.
    BlockOnKeyLine,
    /// A quote is not closed.
    UnclosedQuote,
    /// A bracket or brace is not closed.
    UnclosedBracket {
        /// The character that opens.
        open: char,
    },
    /// A bracket is closed by the wrong one.
    WrongBracket {
        /// The character that opens.
        open: char,
        /// Where it stands.
        opened: Span,
    },
    /// Two entries in brackets are not separated.
    MissingComma {
        /// The character that opens.
        open: char,
    },
    /// Nothing stands before a comma.
    MissingItem,
    /// A `${…}` within brackets has no quotes, so that its brace would be YAML's.
    UnquotedReference,
    /// A value begins with a character that YAML keeps for itself.
    UnexpectedCharacter {
        /// The character.
        character: char,
    },
    /// A control character, or a byte order mark within the text.
    ForbiddenCharacter {
        /// The character.
        character: char,
    },
    /// A backslash escape that does not exist.
    Escape,
    /// Something other than a comment stands behind `|` or `>`.
    BlockHeader,
    /// A first, empty line of a block text has more spaces than the text.
    BlockIndentation,
    /// Something stands behind a complete value.
    AfterValue,
    /// A `%` line that is not `%YAML`.
    Directive,
    /// An anchor, alias or tag is not well-formed, or there are two of them.
    Property,
    /// A second document begins.
    SecondDocument,
    /// A line is a marker of a conflict that a merge has left.
    ConflictMarker,
    /// A key comes twice in one map.
    DuplicateKey {
        /// The key.
        key: Box<str>,
        /// Where it came first; that value holds.
        first: Span,
    },
    /// A list or a map is a key.
    ComplexKey,
    /// An alias of no anchor.
    UnknownAnchor {
        /// The name of the alias.
        name: Box<str>,
    },
    /// An alias within the value it stands for.
    EndlessAlias {
        /// The name of the alias.
        name: Box<str>,
    },
    /// Aliases that would multiply the file beyond reason.
    TooManyAliases,
    /// Too many levels.
    TooDeep,
    /// The value of `<<` is no map.
    Merge,
    /// A tag that has no meaning here.
    UnknownTag {
        /// The tag as written.
        tag: Box<str>,
    },
    /// A value that is not what its tag says.
    WrongTag {
        /// The tag as written.
        tag: Box<str>,
    },
    /// A whole number of more than 64 bits.
    IntegerTooLarge,
    /// `.inf`, `.nan`, or a number too large for a double.
    NotFinite,
    /// A text of 4 GiB or more.
    TooLarge,
}

impl fmt::Display for MistakeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = match self {
            Self::Tab => "a tab indents this line",
            Self::Indentation => "the line is not indented like those it belongs to",
            Self::MissingColon => "a key and `:` are expected here",
            Self::MissingKey => "a key is missing before `:`",
            Self::SecondColon => "a second `:` follows within one value",
            Self::UnexpectedItem => "`-` begins an item of a list, but a key is expected here",
            Self::BlockOnKeyLine => "a list can not begin on the line of its key",
            Self::UnclosedQuote => "the quote is not closed",
            Self::UnclosedBracket { open } => return write!(f, "`{open}` is not closed"),
            Self::WrongBracket { open, .. } => return write!(f, "`{open}` is closed by the wrong bracket"),
            Self::MissingComma { open } => return write!(f, "`,` or `{}` is expected here", closing(*open)),
            Self::MissingItem => "a value is expected before `,`",
            Self::UnquotedReference => "`${…}` within brackets has no quotes",
            Self::UnexpectedCharacter { character } => return write!(f, "a value can not begin with `{character}`"),
            Self::ForbiddenCharacter { character } => {
                return write!(f, "the character U+{:04X} is not allowed", u32::from(*character));
            }
            Self::Escape => "the escape does not exist",
            Self::BlockHeader => "only a comment can follow the sign of a block text",
            Self::BlockIndentation => "an empty line has more spaces than the text that follows it",
            Self::AfterValue => "the value has ended, but the line goes on",
            Self::Directive => "the line begins with `%`, but is not `%YAML 1.2`",
            Self::Property => "the anchor or tag can not stand here",
            Self::SecondDocument => "a second document begins",
            Self::ConflictMarker => "git has left a conflict: this line is one of its markers",
            Self::DuplicateKey { key, .. } => return write!(f, "the key `{key}` comes twice"),
            Self::ComplexKey => "a list or a map can not be a key",
            Self::UnknownAnchor { name } => return write!(f, "no anchor `&{name}` stands before this alias"),
            Self::EndlessAlias { name } => return write!(f, "the alias `*{name}` contains itself"),
            Self::TooManyAliases => "the aliases multiply the file beyond reason",
            Self::TooDeep => return write!(f, "the file is nested deeper than {} levels", super::read::MAX_DEPTH),
            Self::Merge => "`<<` needs a map, or a list of maps",
            Self::UnknownTag { tag } => return write!(f, "the tag `{tag}` has no meaning here"),
            Self::WrongTag { tag } => return write!(f, "the value is not what the tag `{tag}` says"),
            Self::IntegerTooLarge => "the whole number does not fit into 64 bits",
            Self::NotFinite => "the number is not finite",
            Self::TooLarge => "the file has 4 GiB or more",
        };
        f.write_str(message)
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

impl std::error::Error for Mistake {}

impl Mistake {
    /// Returns what to do about it, in the same form as the message.
    pub fn help(&self) -> &'static str {
        match &self.kind {
            MistakeKind::Tab => "indent with spaces",
            MistakeKind::Indentation => "give it as many spaces as its siblings have; quote a text that has a `: `",
            MistakeKind::MissingColon => "write `key: value`, or indent the line if it continues the value above",
            MistakeKind::MissingKey => "write the key before `:`",
            MistakeKind::SecondColon => "quote the value, or begin the inner map on a line of its own",
            MistakeKind::UnexpectedItem => "give the item a key of its own, or remove the keys before it",
            MistakeKind::BlockOnKeyLine => "begin it on the next line",
            MistakeKind::UnclosedQuote => "close the quote, and indent each further line of the text",
            MistakeKind::UnclosedBracket { .. } => "close it, and indent each line within it",
            MistakeKind::WrongBracket { .. } => "close `[` with `]` and `{` with `}`",
            MistakeKind::MissingComma { .. } => "separate by `,`; quote a text that has brackets or `: `",
            MistakeKind::MissingItem => "remove the `,`, or write `null` before it",
            MistakeKind::UnquotedReference => "quote it: \"${…}\"",
            MistakeKind::UnexpectedCharacter { .. } => "put the value in quotes",
            MistakeKind::ForbiddenCharacter { .. } => "remove it, or write it as an escape in double quotes",
            MistakeKind::Escape => "write `\\\\` for a backslash, or use single quotes",
            MistakeKind::BlockHeader => "begin the text on the next line",
            MistakeKind::BlockIndentation => "remove the spaces of the empty line",
            MistakeKind::AfterValue => "put all of the value in quotes, or remove what follows it",
            MistakeKind::Directive => "remove the line",
            MistakeKind::Property => "write one anchor and one tag at most, before the value",
            MistakeKind::SecondDocument => "write one document a file",
            MistakeKind::ConflictMarker => {
                "choose what holds of the lines between `<<<<<<<` and `>>>>>>>`, and delete the markers"
            }
            MistakeKind::DuplicateKey { .. } => "remove one of them: the first one is used",
            MistakeKind::ComplexKey => "use a text as key",
            MistakeKind::UnknownAnchor { .. } => "define the anchor above, or quote a text that begins with `*`",
            MistakeKind::EndlessAlias { .. } => "remove the alias",
            MistakeKind::TooManyAliases => "use fewer aliases of aliases",
            MistakeKind::TooDeep => "nest less",
            MistakeKind::Merge => "give it the alias of a map",
            MistakeKind::UnknownTag { .. } => "remove the tag; quote a text that begins with `!`",
            MistakeKind::WrongTag { .. } => "remove the tag, or change the value",
            MistakeKind::IntegerTooLarge => "put it in quotes, to have it as a text",
            MistakeKind::NotFinite => "put it in quotes, to have it as a text",
            MistakeKind::TooLarge => "split the file",
        }
    }

    /// Returns it as a problem of the file `file`.
    #[must_use]
    pub fn problem(&self, file: &Name) -> Problem {
        let message = self.to_string();
        let problem = match self.kind {
            MistakeKind::DuplicateKey { .. } => Problem::error("yaml::duplicate_key", message),
            MistakeKind::ConflictMarker => Problem::error("yaml::merge_conflict", message),
            MistakeKind::UnknownAnchor { .. } | MistakeKind::EndlessAlias { .. } | MistakeKind::TooManyAliases => {
                Problem::error("yaml::alias", message)
            }
            MistakeKind::TooDeep | MistakeKind::TooLarge => Problem::error("yaml::too_large", message),
            MistakeKind::ComplexKey
            | MistakeKind::Merge
            | MistakeKind::UnknownTag { .. }
            | MistakeKind::WrongTag { .. }
            | MistakeKind::IntegerTooLarge
            | MistakeKind::NotFinite => Problem::error("yaml::wrong_value", message),
            _ => Problem::error("yaml::syntax", message),
        };
        let problem = problem
            .at(Place::Text(file.clone(), self.span), "here")
            .help(self.help());
        match self.related() {
            Some((span, label)) => problem.at(Place::Text(file.clone(), span), label),
            None => problem,
        }
    }

    /// Returns a second place that belongs to the mistake, and what is there.
    pub fn related(&self) -> Option<(Span, &'static str)> {
        match &self.kind {
            MistakeKind::DuplicateKey { first, .. } => Some((*first, "first here")),
            MistakeKind::WrongBracket { opened, .. } => Some((*opened, "opened here")),
            _ => None,
        }
    }
}

fn closing(open: char) -> char {
    if open == '[' { ']' } else { '}' }
}
