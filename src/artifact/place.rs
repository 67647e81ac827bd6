//! The places of a text at which a value may stand, what each lets through, and what a value becomes there.

use std::borrow::Cow;

use super::lexer::Skips;
use super::literal::Printer;
use crate::language::{self, EscapeError, Language};
use crate::value::{Segment, Text};

/// Words made of a closed set of characters, where no quotes can stand: other values are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ident {
    Hcl,
    Variable,
    IniKey,
    TomlKey,
    CaddyfileWord,
    DockerfileWord,
}

impl Ident {
    fn check(self, text: &str, first: bool) -> Result<(), EscapeError> {
        let starts = |ch: char| match self {
            Self::Hcl | Self::Variable => ch.is_ascii_alphabetic() || ch == '_',
            Self::IniKey => ch.is_ascii_alphanumeric() || ch == '_' || ch == '/' || ch == '.',
            Self::TomlKey => ch.is_ascii_alphanumeric() || ch == '_' || ch == '-',
            Self::CaddyfileWord | Self::DockerfileWord => language::is_safe_word(ch.encode_utf8(&mut [0; 4])),
        };
        let goes_on = |ch: char| match self {
            Self::Hcl => ch.is_ascii_alphanumeric() || ch == '_' || ch == '-',
            Self::Variable => ch.is_ascii_alphanumeric() || ch == '_',
            Self::IniKey => ch.is_ascii_alphanumeric() || "_-./@".contains(ch),
            Self::CaddyfileWord => starts(ch) || "*?=&%~".contains(ch),
            Self::DockerfileWord => starts(ch) || "=*~".contains(ch),
            Self::TomlKey => starts(ch),
        };
        let mut chars = text.chars();
        let fits = if first {
            chars.next().is_some_and(starts) && chars.all(goes_on)
        } else {
            chars.all(goes_on)
        };
        if fits {
            return Ok(());
        }
        Err(EscapeError::new(format!(
            "{} can't be written as {}, which has no quotes",
            shown(text),
            match self {
                Self::Hcl => "an identifier",
                Self::Variable => "a variable's name",
                Self::IniKey | Self::TomlKey => "a bare key",
                Self::CaddyfileWord | Self::DockerfileWord => "a bare word",
            }
        )))
    }
}

/// Returns `text` in quotes, short enough for a message.
pub(crate) fn shown(text: &str) -> String {
    let mut short: String = text.chars().take(40).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("{short:?}")
}

/// One place of one format or language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Spot {
    Plain,
    Regex,
    HclTemplate,
    DollarParen,
    DollarVariable,
    Backtick,
    /// Only numbers and truths.
    Number,
    /// A comment that ends at the line's end, or with `end`.
    Comment {
        end: Option<&'static str>,
    },
    Identifier {
        ident: Ident,
        first: bool,
    },
    HclValue,
    HclQuoted,
    HclHeredoc {
        delimiter: Box<str>,
        flush: bool,
        starts_line: bool,
    },
    ShellWord {
        one_line: bool,
    },
    ShellSingle {
        one_line: bool,
    },
    ShellDouble {
        one_line: bool,
    },
    ShellHeredoc {
        delimiter: Box<str>,
        tabs: bool,
        expands: bool,
        starts_line: bool,
    },
    JsonValue,
    JsonString,
    YamlScalar,
    YamlSingle,
    YamlDouble,
    YamlBlock {
        indent: usize,
        first: bool,
    },
    TomlValue,
    TomlBasic,
    TomlLiteral {
        three: bool,
    },
    GoText {
        after_brace: bool,
    },
    GoString,
    IniValue,
    EnvValue,
    EnvSingle,
    EnvDouble,
    DockerfileQuoted,
    DockerfileSingle,
    CaddyfileQuoted,
    CaddyfileBacktick,
}

/// What is known at load of a value that is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Characters.
    Plain,
    /// Characters that may hold code.
    Text,
    /// A number or a truth.
    Number,
    /// Known at rendering only.
    Any,
    /// What a printer prints.
    Literal(Printer),
}

impl Spot {
    /// Tells whether any characters may stand here, so that a language may be read inside.
    pub(crate) fn is_text(&self) -> bool {
        !matches!(
            self,
            Self::Number | Self::Identifier { .. } | Self::HclValue | Self::JsonValue | Self::TomlValue
        )
    }

    /// Tells whether the languages inside never see what stands here: an action's own strings, comments.
    pub(crate) fn hides_inner(&self) -> bool {
        matches!(
            self,
            Self::GoString | Self::Backtick | Self::Number | Self::Comment { .. }
        )
    }

    /// Says what stands against printing a value of `shape` here, with help.
    pub(crate) fn refuses(&self, shape: Shape) -> Option<(&'static str, &'static str)> {
        const QUOTE: &str = "put it in quotes";
        match (self, shape) {
            (Self::HclValue, Shape::Plain) => Some((
                "a string is printed where an expression is read",
                "put it in quotes, or print it whole: `{{hcl …}}`",
            )),
            (Self::HclValue, Shape::Literal(Printer::Yaml | Printer::Sh)) => {
                Some(("this printer's literals are no HCL", "use `hcl` or `json`"))
            }
            (Self::JsonValue, Shape::Plain | Shape::Text) => Some((
                "a string is printed where a JSON value is read",
                "put it in quotes, or print it whole: `{{json …}}`",
            )),
            (Self::JsonValue, Shape::Literal(Printer::Hcl | Printer::Sh)) => {
                Some(("this printer's literals are no JSON", "use `json`"))
            }
            (Self::TomlValue, Shape::Plain | Shape::Text) => {
                Some(("a string is printed where a TOML value is read", QUOTE))
            }
            (Self::TomlValue, Shape::Literal(_)) => Some((
                "no printer prints TOML",
                "print the parts one by one, or write the file as a data template",
            )),
            (Self::YamlScalar, Shape::Literal(Printer::Hcl | Printer::Sh)) => {
                Some(("this printer's literals are no YAML", "use `yaml` or `json`"))
            }
            (Self::ShellWord { .. }, Shape::Literal(Printer::Json | Printer::Yaml | Printer::Hcl)) => Some((
                "this printer's literals are no shell words",
                "put it in single quotes, or use `sh`",
            )),
            (Self::Number, Shape::Plain | Shape::Text | Shape::Literal(_)) => Some((
                "only a number or a truth may stand here",
                "put it in the quotes of the language that is read here",
            )),
            (Self::Identifier { .. }, Shape::Literal(_)) => {
                Some(("a literal is printed where a bare word is read", "print it in quotes"))
            }
            _ => None,
        }
    }

    /// Returns what the characters of `text` become here, after the character `before`.
    fn write<'a>(&self, text: &'a str, before: Option<char>) -> Result<Cow<'a, str>, EscapeError> {
        let refuse = |message: &'static str| Err(EscapeError::new(message));
        match self {
            Self::Plain => language::no_control(text)?,
            Self::Number => return refuse("only a number or a truth can be written here"),
            Self::HclValue | Self::JsonValue | Self::TomlValue => {
                return refuse("a string can't be written here without quotes");
            }
            Self::Comment { end } => {
                language::one_line(text)?;
                language::no_mark(text)?;
                if end.is_some_and(|it| text.contains(it) || text.starts_with('/') || text.ends_with('*')) {
                    return refuse("the text could close the comment");
                }
                if text.ends_with('\\') {
                    return refuse("a `\\` at the end could go on with the comment on the next line");
                }
            }
            Self::Identifier { ident, first } => ident.check(text, *first)?,
            Self::Regex => return language::regex(text),
            Self::HclTemplate => return language::hcl_heredoc(text, before),
            Self::DollarParen => return Ok(language::dollar_paren(text)),
            Self::DollarVariable => return language::dollar_variable(text),
            Self::Backtick => return language::backtick(text),
            Self::HclQuoted => return Ok(language::hcl_quoted(text, before)),
            Self::HclHeredoc { flush, starts_line, .. } => {
                if *flush && text.contains('\n') {
                    return refuse("a line break in a `<<-` heredoc changes the indentation of all its lines");
                }
                if *flush && *starts_line && text.starts_with([' ', '\t']) {
                    return refuse("a blank at the start of a line of a `<<-` heredoc may be lost");
                }
                return language::hcl_heredoc(text, before);
            }
            Self::ShellWord { one_line } => {
                line_break(*one_line, text)?;
                return language::shell_word(text);
            }
            Self::ShellSingle { one_line } => {
                line_break(*one_line, text)?;
                return language::shell_single(text);
            }
            Self::ShellDouble { one_line } => {
                line_break(*one_line, text)?;
                return language::shell_double(text);
            }
            Self::ShellHeredoc {
                tabs,
                expands,
                starts_line,
                ..
            } => {
                if *tabs && (text.contains("\n\t") || text.ends_with('\n') || (*starts_line && text.starts_with('\t')))
                {
                    return refuse("a tab at the start of a line of a `<<-` heredoc is lost");
                }
                if text.contains('\0') {
                    return refuse("a shell can't hold the character U+0000");
                }
                if *expands {
                    return language::shell_heredoc(text);
                }
            }
            Self::JsonString | Self::YamlDouble | Self::TomlBasic => return Ok(language::json_string(text)),
            Self::YamlScalar => return Ok(language::yaml_scalar(text)),
            Self::YamlSingle => {
                language::one_line(text)?;
                language::no_mark(text)?;
                return Ok(Cow::Owned(text.replace('\'', "''")));
            }
            Self::YamlBlock { indent, first } => return yaml_block(text, *indent, *first),
            Self::TomlLiteral { three } => {
                if !*three {
                    language::one_line(text)?;
                }
                language::no_control(text)?;
                if text.contains('\'') {
                    return refuse("a single quote can't be written between single quotes here");
                }
            }
            Self::GoText { after_brace } => {
                if *after_brace && text.starts_with('{') {
                    return refuse("a `{` behind a `{` would open an action");
                }
                return language::go_text(text);
            }
            Self::GoString => return Ok(language::go_string(text)),
            Self::IniValue => return language::ini_value(text),
            Self::EnvValue => return language::env_value(text),
            Self::EnvSingle => {
                language::no_control(text)?;
                if text.contains('\'') || text.ends_with('\\') {
                    return refuse("a `'`, or a `\\` at the end, can't be written between single quotes here");
                }
            }
            Self::EnvDouble => {
                language::no_control(text)?;
                if text.contains(['"', '\\', '$', '`']) {
                    return refuse("readers differ on `\"`, `\\`, `$` and back-ticks between double quotes here");
                }
            }
            Self::DockerfileQuoted => {
                language::one_line(text)?;
                return language::shell_double(text).map(|it| Cow::Owned(it.replace("\\`", "`")));
            }
            Self::DockerfileSingle => {
                language::one_line(text)?;
                if text.contains(['\'', '\\']) {
                    return refuse("a `'` or `\\` can't be written between single quotes here");
                }
            }
            Self::CaddyfileQuoted | Self::CaddyfileBacktick => return caddyfile(text, *self == Self::CaddyfileQuoted),
        }
        Ok(Cow::Borrowed(text))
    }

    /// Returns the quotes around a scalar that stands alone, and the spot between them.
    fn between_quotes(&self) -> Option<Self> {
        match self {
            Self::YamlScalar => Some(Self::YamlDouble),
            _ => None,
        }
    }

    /// Returns the delimiter that must not become a line of the text here.
    pub(crate) fn delimiter(&self) -> Option<(&str, Skips)> {
        match self {
            Self::HclHeredoc { delimiter, .. } => Some((delimiter, Skips::Blanks)),
            Self::ShellHeredoc { delimiter, tabs, .. } => {
                Some((delimiter, if *tabs { Skips::Tabs } else { Skips::Nothing }))
            }
            _ => None,
        }
    }

    fn code_language(&self) -> Option<Language> {
        match self {
            Self::HclValue => Some(Language::Hcl),
            Self::ShellWord { .. } | Self::ShellDouble { .. } => Some(Language::Shell),
            _ => None,
        }
    }
}

fn line_break(one_line: bool, text: &str) -> Result<(), EscapeError> {
    if one_line && text.contains(['\n', '\r']) {
        return Err(EscapeError::new("a line break would end the instruction here"));
    }
    Ok(())
}

fn yaml_block(text: &str, indent: usize, first: bool) -> Result<Cow<'_, str>, EscapeError> {
    let refuse = |message: &'static str| Err(EscapeError::new(message));
    language::no_control(text)?;
    language::no_mark(text)?;
    if text.is_empty() && first {
        return refuse("nothing is printed on the first line of a block scalar");
    }
    if first && text.starts_with([' ', '\t', '\n']) {
        return refuse("a blank at the start of a block scalar changes its indentation");
    }
    if text.ends_with('\n') {
        return refuse("a line break at the end of a value is lost in a block scalar");
    }
    if !text.contains('\n') {
        return Ok(Cow::Borrowed(text));
    }
    let margin = format!("\n{}", " ".repeat(indent));
    Ok(Cow::Owned(text.replace('\n', &margin)))
}

fn caddyfile(text: &str, quoted: bool) -> Result<Cow<'_, str>, EscapeError> {
    let refuse = |message: &'static str| Err(EscapeError::new(message));
    language::no_control(text)?;
    if text.contains(['{', '}']) {
        return refuse("a brace would be read as a placeholder here");
    }
    if !quoted {
        if text.contains('`') {
            return refuse("a back-tick can't be written between back-ticks");
        }
        return Ok(Cow::Borrowed(text));
    }
    if text.ends_with('\\') || text.contains("\\\"") || text.contains("\\\\") || text.contains("\\\n") {
        return refuse("a `\\` can't be written before a quote, a line break or another `\\` here");
    }
    Ok(Cow::Owned(text.replace('"', "\\\"")))
}

/// Where a placeholder stands: in its file's format, and in each language that is read inside, outermost first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) file: Spot,
    pub(crate) inner: Vec<(Language, Spot)>,
}

impl Place {
    /// Returns the spot that meets the value first.
    pub(crate) fn innermost(&self) -> &Spot {
        self.inner.last().map_or(&self.file, |(_, spot)| spot)
    }

    /// Tells whether characters that mean themselves in every format need no look here.
    pub(crate) fn passes_safe_words(&self) -> bool {
        let passes = |spot: &Spot| {
            !matches!(
                spot,
                Spot::Number
                    | Spot::Identifier { .. }
                    | Spot::HclValue
                    | Spot::JsonValue
                    | Spot::TomlValue
                    | Spot::YamlScalar
                    | Spot::ShellWord { .. }
                    | Spot::Regex
            ) && spot.delimiter().is_none()
        };
        passes(&self.file) && self.inner.iter().all(|(_, spot)| passes(spot))
    }

    /// Prints characters.
    pub(crate) fn print_string(&self, text: &str, out: &mut String) -> Result<(), EscapeError> {
        self.outward(Cow::Borrowed(text), self.inner.len(), out)
    }

    /// Prints what needs no quotes: a number, a truth, or a printer's literal.
    pub(crate) fn print_bare(&self, text: &str, literal: Option<Printer>, out: &mut String) -> Result<(), EscapeError> {
        let bare = match self.innermost() {
            Spot::HclValue | Spot::JsonValue | Spot::TomlValue | Spot::Number | Spot::YamlScalar => true,
            Spot::ShellWord { .. } => literal.is_none_or(|it| it == Printer::Sh),
            _ => false,
        };
        if !bare {
            return self.print_string(text, out);
        }
        let text = if *self.innermost() == Spot::HclValue && literal == Some(Printer::Json) {
            Cow::Owned(text.replace("${", "$${").replace("%{", "%%{"))
        } else {
            Cow::Borrowed(text)
        };
        match self.inner.len() {
            0 => {
                out.push_str(&text);
                Ok(())
            }
            n => self.outward(text, n - 1, out),
        }
    }

    /// Prints a text in pieces: characters escaped for all languages, code for those outside of its own.
    pub(crate) fn print_text(&self, text: &Text, out: &mut String) -> Result<(), EscapeError> {
        let quotes = self.innermost().between_quotes();
        let mut between = self.clone();
        if let Some(spot) = &quotes {
            match between.inner.last_mut() {
                Some(last) => last.1 = spot.clone(),
                None => between.file = spot.clone(),
            }
            self.quote(out)?;
        }
        for segment in text.segments() {
            match segment {
                Segment::Literal(literal) => between.print_string(literal, out)?,
                Segment::Reference(reference) => {
                    return Err(EscapeError::new(format!(
                        "the reference to `{}.{}` was never written out",
                        reference.node, reference.attribute
                    )));
                }
                Segment::Code { language, source } => between.print_code(language, source, out)?,
            }
        }
        if quotes.is_some() {
            self.quote(out)?;
        }
        Ok(())
    }

    fn quote(&self, out: &mut String) -> Result<(), EscapeError> {
        match self.inner.len() {
            0 => {
                out.push('"');
                Ok(())
            }
            n => self.outward(Cow::Borrowed("\""), n - 1, out),
        }
    }

    fn print_code(&self, language: &str, source: &str, out: &mut String) -> Result<(), EscapeError> {
        let at = self.inner.iter().position(|(it, _)| it.name() == language);
        match at {
            Some(at)
                if matches!(
                    self.inner[at].1,
                    Spot::GoString | Spot::Comment { .. } | Spot::ShellSingle { .. }
                ) =>
            {
                Err(EscapeError::new(format!(
                    "code of `{language}` can't be written inside of a string of that language"
                )))
            }
            Some(at) => self.outward(Cow::Borrowed(source), at, out),
            None if self.inner.is_empty() && self.file.code_language().is_some_and(|it| it.name() == language) => {
                out.push_str(source);
                Ok(())
            }
            None => Err(EscapeError::new(format!(
                "code of `{language}` stands where that language is not read"
            ))),
        }
    }

    /// Carries `text` outward through the first `n` languages and the file's format.
    fn outward(&self, mut text: Cow<'_, str>, n: usize, out: &mut String) -> Result<(), EscapeError> {
        let before = out.chars().next_back();
        for (_, spot) in self.inner[..n].iter().rev() {
            text = Cow::Owned(spot.write(&text, before)?.into_owned());
        }
        let text = self.file.write(&text, before)?;
        out.push_str(&text);
        Ok(())
    }
}
