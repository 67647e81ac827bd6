//! Lexers that say at which place of its format each placeholder of a template stands.
//!
//! They read a template's raw text with holes in it. They do not validate: what they can't follow is left to the
//! parser that reads the finished file. What the text between quotes means is handed on to the languages inside.

pub(crate) mod caddyfile;
pub(crate) mod data;
pub(crate) mod dockerfile;
pub(crate) mod go_template;
pub(crate) mod hcl;
pub(crate) mod lines;
pub(crate) mod shell;
pub(crate) mod toml;
pub(crate) mod yaml;

use super::format::Format;
use super::place::Spot;
use crate::language::Language;

/// Why the lexer can't go on, or why no value may stand where one stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) message: &'static str,
    pub(crate) help: &'static str,
}

impl Trouble {
    pub(crate) fn new<T>(message: &'static str, help: &'static str) -> Result<T, Self> {
        Err(Self { message, help })
    }
}

/// One format or language, part of the way through a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Lexer {
    Hcl(hcl::Hcl),
    Shell(shell::Shell),
    Dockerfile(dockerfile::Dockerfile),
    Caddyfile(caddyfile::Caddyfile),
    Json(data::Json),
    Yaml(yaml::Yaml),
    Toml(toml::Toml),
    GoTemplate(go_template::GoTemplate),
    Lines(lines::Lines),
    Flat(lines::Flat),
}

impl Lexer {
    /// Returns the lexer at the start of a file of `format`.
    pub(crate) fn of_format(format: Format) -> Self {
        match format {
            Format::Hcl => Self::Hcl(hcl::Hcl::default()),
            Format::Shell => Self::Shell(shell::Shell::default()),
            Format::Dockerfile => Self::Dockerfile(dockerfile::Dockerfile::default()),
            Format::Caddyfile => Self::Caddyfile(caddyfile::Caddyfile::default()),
            Format::Json => Self::Json(data::Json::default()),
            Format::Yaml => Self::Yaml(yaml::Yaml::default()),
            Format::Toml => Self::Toml(toml::Toml::default()),
            Format::Ini => Self::Lines(lines::Lines::new(lines::Grammar::Ini)),
            Format::Env => Self::Lines(lines::Lines::new(lines::Grammar::Env)),
            Format::Plain => Self::Flat(lines::Flat::Plain),
        }
    }

    /// Returns the lexer at the start of a text of `language`.
    pub(crate) fn of_language(language: Language) -> Self {
        match language {
            Language::GoTemplate => Self::GoTemplate(go_template::GoTemplate::default()),
            Language::Shell => Self::of_format(Format::Shell),
            Language::Yaml => Self::of_format(Format::Yaml),
            Language::Json => Self::of_format(Format::Json),
            Language::Hcl => Self::Flat(lines::Flat::HclTemplate),
            Language::Ini => Self::of_format(Format::Ini),
            Language::DollarParen => Self::Flat(lines::Flat::DollarParen { sign: false }),
            Language::DollarVariable => Self::Flat(lines::Flat::DollarVariable { sign: false }),
            Language::Regex => Self::Flat(lines::Flat::Regex),
            Language::BacktickRule => Self::Flat(lines::Flat::Backtick { inside: false }),
        }
    }

    /// Reads one character; what it means to a language inside is added to `decoded`.
    pub(crate) fn feed(&mut self, ch: char, decoded: &mut String) -> Result<(), Trouble> {
        match self {
            Self::Hcl(it) => it.feed(ch, decoded),
            Self::Shell(it) => it.feed(ch, decoded),
            Self::Dockerfile(it) => it.feed(ch, decoded),
            Self::Caddyfile(it) => it.feed(ch, decoded),
            Self::Json(it) => it.feed(ch, decoded),
            Self::Yaml(it) => it.feed(ch, decoded),
            Self::Toml(it) => it.feed(ch, decoded),
            Self::GoTemplate(it) => it.feed(ch, decoded),
            Self::Lines(it) => it.feed(ch, decoded),
            Self::Flat(it) => it.feed(ch, decoded),
        }
    }

    /// Reads a value that is printed here, before the raw character `next`, and says at which spot it stands.
    pub(crate) fn value(&mut self, next: Option<char>) -> Result<Spot, Trouble> {
        match self {
            Self::Hcl(it) => it.value(),
            Self::Shell(it) => it.value(next),
            Self::Dockerfile(it) => it.value(next),
            Self::Caddyfile(it) => it.value(),
            Self::Json(it) => it.value(),
            Self::Yaml(it) => it.value(),
            Self::Toml(it) => it.value(),
            Self::GoTemplate(it) => it.value(),
            Self::Lines(it) => it.value(),
            Self::Flat(it) => it.value(),
        }
    }

    /// Takes in another way to come here. Answers whether the two agree on where "here" is.
    pub(crate) fn merge(&mut self, other: &Self) -> bool {
        match (&mut *self, other) {
            (Self::Hcl(a), Self::Hcl(b)) => a.merge(b),
            (Self::Shell(a), Self::Shell(b)) => a.merge(b),
            (Self::Dockerfile(a), Self::Dockerfile(b)) => a.merge(b),
            (Self::Caddyfile(a), Self::Caddyfile(b)) => a.merge(b),
            (Self::Yaml(a), Self::Yaml(b)) => a.merge(b),
            (Self::Json(a), Self::Json(b)) => a.merge(b),
            (Self::Toml(a), Self::Toml(b)) => a.merge(b),
            (Self::Lines(a), Self::Lines(b)) => a.merge(b),
            (a, b) => a == b,
        }
    }

    /// Tells whether what comes next is read as code: neither as a string nor as a comment.
    pub(crate) fn is_in_code(&self) -> bool {
        match self {
            Self::Hcl(it) => it.is_in_code(),
            Self::Shell(it) => it.is_in_code(),
            Self::Toml(it) => it.is_in_code(),
            _ => true,
        }
    }

    /// Returns how many strings and brackets are open, one within the other, as far as this format counts them.
    pub(crate) fn nesting(&self) -> usize {
        match self {
            Self::Hcl(it) => it.nesting(),
            Self::Shell(it) => it.nesting(),
            _ => 0,
        }
    }

    /// Tells whether the text read so far may end here.
    pub(crate) fn end(&self) -> Result<(), Trouble> {
        match self {
            Self::Hcl(it) => it.end(),
            Self::Shell(it) => it.end(),
            Self::Caddyfile(it) => it.end(),
            Self::Json(it) => it.end(),
            Self::Yaml(it) => it.end(),
            Self::Toml(it) => it.end(),
            Self::GoTemplate(it) => it.end(),
            Self::Dockerfile(it) => it.end(),
            Self::Flat(it) => it.end(),
            Self::Lines(_) => Ok(()),
        }
    }

    /// Says what the renderer must look at before it prints raw text that begins with `first`.
    pub(crate) fn guard(&self, first: char) -> Guard {
        match self {
            Self::Hcl(it) => it.guard(first),
            Self::Shell(it) => it.guard(),
            _ => Guard::None,
        }
    }

    /// Describes where it is, for a label.
    pub(crate) fn describe(&self) -> &'static str {
        match self {
            Self::Hcl(it) => it.describe(),
            Self::Shell(it) => it.describe(),
            _ => "somewhere else",
        }
    }
}

/// What must hold when raw text follows a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Guard {
    /// Nothing.
    #[default]
    None,
    /// A `$` or `%` that a value ended with must be doubled, since a `{` follows.
    Double,
    /// The line that a value stands on must not be this delimiter of a heredoc.
    Line {
        /// The delimiter.
        delimiter: Box<str>,
        /// The blanks before it that its language skips.
        skips: Skips,
        /// Whether the raw text begins with a `{` as well.
        double: bool,
    },
}

/// Which blanks may stand before a heredoc's delimiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Skips {
    Nothing,
    Tabs,
    Blanks,
}

impl Skips {
    /// Tells whether `line` closes the heredoc of `delimiter`. Readers of HCL differ on what may follow the
    /// delimiter on its line, so there its beginning is enough.
    pub(crate) fn closes(self, line: &str, delimiter: &str) -> bool {
        match self {
            Self::Nothing => line == delimiter,
            Self::Tabs => line.trim_start_matches('\t') == delimiter,
            Self::Blanks => line.trim_start().starts_with(delimiter),
        }
    }
}

pub(crate) const AFTER_BACKSLASH: Trouble = Trouble {
    message: "a value stands right after a backslash, which would swallow its first character",
    help: "double the backslash, or put the value elsewhere",
};
