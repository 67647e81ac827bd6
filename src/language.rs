//! The languages that text may be read by, and what characters become in them, so that they mean themselves there.
//!
//! One function for each kind of place, all of them pure text to text. Which place a value stands at is decided by
//! whoever prints it; what may not stand there is refused here, never bent.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

/// A language that text may be read by after its file has been parsed, known by its grammar alone. The list is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Language {
    /// Text with actions in `{{…}}`, in the grammar of Go's `text/template`.
    GoTemplate,
    /// Text in which `$(x)` or `${x}` is looked up at run time and `$$` is a dollar.
    DollarParen,
    /// Text in which `${x}` is looked up at run time and nothing can escape it.
    DollarVariable,
    /// A POSIX shell.
    Shell,
    /// YAML 1.2.
    Yaml,
    /// JSON.
    Json,
    /// A string that is evaluated as a template of HCL 2 once more.
    Hcl,
    /// `key = value` lines under `[section]` lines.
    Ini,
    /// A regular expression, as RE2, PCRE and POSIX ERE have in common.
    Regex,
    /// An expression whose string literals stand in back-ticks.
    BacktickRule,
}

impl Language {
    /// All languages, in the order of their names.
    pub const ALL: [Self; 10] = [
        Self::BacktickRule,
        Self::DollarParen,
        Self::DollarVariable,
        Self::GoTemplate,
        Self::Hcl,
        Self::Ini,
        Self::Json,
        Self::Regex,
        Self::Shell,
        Self::Yaml,
    ];

    /// Returns the language called `name`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }

    /// Returns its name, as in `{{#lang "go-template"}}`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::GoTemplate => "go-template",
            Self::DollarParen => "dollar-paren",
            Self::DollarVariable => "dollar-variable",
            Self::Shell => "shell",
            Self::Yaml => "yaml",
            Self::Json => "json",
            Self::Hcl => "hcl",
            Self::Ini => "ini",
            Self::Regex => "regex",
            Self::BacktickRule => "backtick-rule",
        }
    }

    /// Tells whether it has a literal for strings, so that `quote` can make one.
    #[must_use]
    pub fn has_literals(self) -> bool {
        self != Self::Ini
    }
}

/// Why characters can't be written at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EscapeError {
    /// The fact, as in "a back-tick can't be written between back-ticks".
    pub message: Cow<'static, str>,
}

impl EscapeError {
    pub(crate) fn new(message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            message: message.into(),
        }
    }
}

impl fmt::Display for EscapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for EscapeError {}

type Escaped<'a> = Result<Cow<'a, str>, EscapeError>;

/// Returns `text` so that it means itself where `language` reads free text, or the inside of a double-quoted string
/// where the language has no free text (JSON, YAML, HCL). In shell it is a word or a part of one.
///
/// # Errors
///
/// An unknown language, or characters that it has no way to write.
pub fn escape<'a>(language: &str, text: &'a str) -> Escaped<'a> {
    match known(language)? {
        Language::GoTemplate => go_text(text),
        Language::DollarParen => Ok(dollar_paren(text)),
        Language::DollarVariable => dollar_variable(text),
        Language::Shell => shell_word(text),
        Language::Yaml | Language::Json => Ok(json_string(text)),
        Language::Hcl => hcl_heredoc(text, None),
        Language::Ini => ini_value(text),
        Language::Regex => regex(text),
        Language::BacktickRule => backtick(text),
    }
}

/// Returns the literal of the string `text` in the grammar of `language`, with its quotes where it has any.
///
/// # Errors
///
/// An unknown language, or characters that it has no way to write.
pub fn quote(language: &str, text: &str) -> Result<String, EscapeError> {
    match known(language)? {
        Language::GoTemplate => Ok(format!("\"{}\"", go_string(text))),
        Language::Yaml | Language::Json => Ok(format!("\"{}\"", json_string(text))),
        Language::Hcl => Ok(format!("\"{}\"", hcl_quoted(text, None))),
        Language::Shell => shell_single(text).map(|it| format!("'{it}'")),
        Language::BacktickRule => backtick(text).map(|it| format!("`{it}`")),
        Language::DollarParen | Language::DollarVariable | Language::Ini | Language::Regex => {
            escape(language, text).map(Cow::into_owned)
        }
    }
}

fn known(language: &str) -> Result<Language, EscapeError> {
    Language::parse(language).ok_or_else(|| EscapeError::new(format!("`{language}` is no known language")))
}

/// Tells whether `text` is made of characters that mean themselves in every format, wherever a word may stand.
#[must_use]
pub fn is_safe_word(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|it| it.is_ascii_alphanumeric() || b"_./:@+,-".contains(&it))
}

/// Returns the first character of `text` that prints nothing by itself, blank, tab and newline apart.
pub(crate) fn first_control(text: &str) -> Option<char> {
    text.chars().find(|it| it.is_control() && *it != '\n' && *it != '\t')
}

pub(crate) fn no_control(text: &str) -> Result<(), EscapeError> {
    match first_control(text) {
        Some(ch) => Err(EscapeError::new(format!(
            "the control character U+{:04X} can't be written here",
            u32::from(ch)
        ))),
        None => Ok(()),
    }
}

/// Refuses what YAML has no way to write outside of double quotes, and other formats have no use for: readers of YAML
/// 1.1 take the separators for line breaks.
pub(crate) fn no_mark(text: &str) -> Result<(), EscapeError> {
    if text.contains(['\u{2028}', '\u{2029}', '\u{feff}', '\u{fffe}', '\u{ffff}']) {
        return Err(EscapeError::new(
            "a byte-order mark, a separator of lines or a non-character can't be written here",
        ));
    }
    Ok(())
}

pub(crate) fn one_line(text: &str) -> Result<(), EscapeError> {
    no_control(text)?;
    if text.contains('\n') {
        return Err(EscapeError::new("a line break can't be written here"));
    }
    Ok(())
}

/// Writes each character through `with`, which answers `None` for one that stays.
fn map<'a>(text: &'a str, needs: impl Fn(char) -> bool, mut with: impl FnMut(&mut String, char)) -> Cow<'a, str> {
    let Some(first) = text.find(&needs) else {
        return Cow::Borrowed(text);
    };
    let mut out = String::with_capacity(text.len() + 8);
    out.push_str(&text[..first]);
    for ch in text[first..].chars() {
        if needs(ch) {
            with(&mut out, ch);
        } else {
            out.push(ch);
        }
    }
    Cow::Owned(out)
}

fn unicode(out: &mut String, ch: char) {
    let _ = write!(out, "\\u{:04x}", u32::from(ch));
}

/// Returns the inside of a JSON string; the characters that YAML can't print are escaped too, so it is both.
pub(crate) fn json_string(text: &str) -> Cow<'_, str> {
    let special = |ch: char| matches!(ch, '"' | '\\' | '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}');
    map(text, special, |out, ch| match ch {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\t' => out.push_str("\\t"),
        '\r' => out.push_str("\\r"),
        _ => unicode(out, ch),
    })
}

/// Returns the inside of a quoted HCL string that goes on after `before`.
pub(crate) fn hcl_quoted(text: &str, before: Option<char>) -> Cow<'_, str> {
    let special = |ch: char| matches!(ch, '"' | '\\' | '{') || ch.is_control();
    let mut last = before;
    if text.find(special).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for ch in text.chars() {
        match ch {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '{' => open_brace(&mut out, last),
            _ if ch.is_control() => unicode(&mut out, ch),
            _ => out.push(ch),
        }
        last = Some(ch);
    }
    Cow::Owned(out)
}

/// Returns a part of an HCL heredoc that goes on after `before`.
pub(crate) fn hcl_heredoc(text: &str, before: Option<char>) -> Escaped<'_> {
    no_control(text)?;
    let starts = text.starts_with('{') && matches!(before, Some('$' | '%'));
    if !starts && !text.contains("${") && !text.contains("%{") {
        return Ok(Cow::Borrowed(text));
    }
    let mut out = String::with_capacity(text.len() + 8);
    let mut last = before;
    for ch in text.chars() {
        match ch {
            '{' => open_brace(&mut out, last),
            _ => out.push(ch),
        }
        last = Some(ch);
    }
    Ok(Cow::Owned(out))
}

/// Writes a `{`: after `$` or `%` that sign is doubled, which is how HCL spells the two literally.
fn open_brace(out: &mut String, last: Option<char>) {
    if let Some(sign @ ('$' | '%')) = last {
        out.push(sign);
    }
    out.push('{');
}

/// Returns free text of a go-template. A run of `{` that could open an action becomes an action that prints it.
pub(crate) fn go_text(text: &str) -> Escaped<'_> {
    if !text.contains("{{") && !text.starts_with('{') && !text.ends_with('{') {
        return Ok(Cow::Borrowed(text));
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        let run = rest[at..].bytes().take_while(|it| *it == b'{').count();
        out.push_str(&rest[..at]);
        let touches_an_end = (at == 0 && rest.len() == text.len()) || at + run == rest.len();
        if run >= 2 || touches_an_end {
            out.push_str("{{\"");
            out.push_str(&rest[at..at + run]);
            out.push_str("\"}}");
        } else {
            out.push('{');
        }
        rest = &rest[at + run..];
    }
    out.push_str(rest);
    Ok(Cow::Owned(out))
}

/// Returns the inside of a double-quoted Go string.
pub(crate) fn go_string(text: &str) -> Cow<'_, str> {
    let special = |ch: char| matches!(ch, '"' | '\\' | '\u{feff}') || ch.is_control();
    map(text, special, |out, ch| match ch {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\t' => out.push_str("\\t"),
        '\r' => out.push_str("\\r"),
        _ => unicode(out, ch),
    })
}

/// Returns text between back-ticks.
pub(crate) fn backtick(text: &str) -> Escaped<'_> {
    one_line(text)?;
    if text.contains('`') {
        return Err(EscapeError::new("a back-tick can't be written between back-ticks"));
    }
    Ok(Cow::Borrowed(text))
}

pub(crate) fn dollar_paren(text: &str) -> Cow<'_, str> {
    if text.contains('$') {
        Cow::Owned(text.replace('$', "$$"))
    } else {
        Cow::Borrowed(text)
    }
}

/// Returns text in which run-time variables are replaced: it can only be passed on or refused.
pub(crate) fn dollar_variable(text: &str) -> Escaped<'_> {
    if text.contains("${") || text.ends_with('$') {
        return Err(EscapeError::new(
            "`${` would be looked up at run time here, and nothing escapes it",
        ));
    }
    Ok(Cow::Borrowed(text))
}

/// Returns a regular expression that matches `text` alone.
pub(crate) fn regex(text: &str) -> Escaped<'_> {
    one_line(text)?;
    let special = |ch: char| "\\.+*?()|[]{}^$".contains(ch);
    Ok(map(text, special, |out, ch| {
        out.push('\\');
        out.push(ch);
    }))
}

fn no_nul(text: &str) -> Result<(), EscapeError> {
    if text.contains('\0') {
        return Err(EscapeError::new("a shell can't hold the character U+0000"));
    }
    Ok(())
}

/// Words that a shell reads as its own grammar when they stand unquoted.
const SHELL_WORDS: [&str; 20] = [
    "if", "then", "else", "elif", "fi", "do", "done", "case", "esac", "while", "until", "for", "in", "select",
    "function", "time", "coproc", "alias", "unalias", "set",
];

/// Returns a shell word, or a part of one.
pub(crate) fn shell_word(text: &str) -> Escaped<'_> {
    if is_safe_word(text) && !SHELL_WORDS.contains(&text) {
        return Ok(Cow::Borrowed(text));
    }
    Ok(Cow::Owned(format!("'{}'", shell_single(text)?)))
}

/// Returns the inside of single quotes of a shell.
pub(crate) fn shell_single(text: &str) -> Escaped<'_> {
    no_nul(text)?;
    Ok(map(text, |it| it == '\'', |out, _| out.push_str("'\\''")))
}

/// Returns the inside of double quotes of a shell.
pub(crate) fn shell_double(text: &str) -> Escaped<'_> {
    no_nul(text)?;
    let special = |ch: char| matches!(ch, '$' | '`' | '\\' | '"');
    Ok(map(text, special, |out, ch| {
        out.push('\\');
        out.push(ch);
    }))
}

/// Returns a part of a shell's heredoc whose delimiter is unquoted.
pub(crate) fn shell_heredoc(text: &str) -> Escaped<'_> {
    no_nul(text)?;
    let special = |ch: char| matches!(ch, '$' | '`' | '\\');
    Ok(map(text, special, |out, ch| {
        out.push('\\');
        out.push(ch);
    }))
}

/// Returns the value of an INI key. Parsers differ on quotes and comments, so what they differ on is refused.
pub(crate) fn ini_value(text: &str) -> Escaped<'_> {
    one_line(text)?;
    let refuse = |message: &'static str| Err(EscapeError::new(message));
    if text.trim() != text {
        return refuse("a blank at an end of an INI value is lost");
    }
    if text.contains([';', '#', '"', '\'']) {
        return refuse("INI readers differ on `;`, `#` and quotes in a value");
    }
    if text.ends_with('\\') {
        return refuse("a `\\` at the end of an INI value continues the line");
    }
    Ok(Cow::Borrowed(text))
}

/// Returns the value of a line of a dotenv file, as compose and systemd read it.
pub(crate) fn env_value(text: &str) -> Escaped<'_> {
    no_control(text)?;
    if is_safe_word(text) {
        return Ok(Cow::Borrowed(text));
    }
    if text.ends_with('\\') {
        return Err(EscapeError::new("a `\\` at the end of a value is read in two ways"));
    }
    if !text.contains('\'') {
        return Ok(Cow::Owned(format!("'{text}'")));
    }
    if text.contains(['"', '\\', '$', '`']) {
        return Err(EscapeError::new(
            "a single quote beside `\"`, `\\`, `$` or a back-tick is read in different ways",
        ));
    }
    Ok(Cow::Owned(format!("\"{text}\"")))
}

/// Returns a whole YAML scalar: plain where no reader could take it for something else, else in double quotes.
pub(crate) fn yaml_scalar(text: &str) -> Cow<'_, str> {
    let mut bytes = text.bytes();
    let plain = bytes.next().is_some_and(|it| it.is_ascii_alphabetic() || it == b'/')
        && bytes.all(|it| it.is_ascii_alphanumeric() || b"_./-".contains(&it))
        && !YAML_WORDS.contains(&text.to_ascii_lowercase().as_str());
    if plain {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(format!("\"{}\"", json_string(text)))
    }
}

/// Words that some version of YAML takes for a truth or for nothing.
const YAML_WORDS: [&str; 9] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_has_its_name_and_unknown_ones_are_refused() {
        for language in Language::ALL {
            assert_eq!(Language::parse(language.name()), Some(language));
        }
        assert!(escape("perl", "x").is_err());
        assert!(quote("perl", "x").is_err());
    }

    #[test]
    fn a_brace_that_could_open_an_action_is_printed_by_one() {
        assert_eq!(escape("go-template", "a{{b}}").unwrap(), "a{{\"{{\"}}b}}");
        assert_eq!(escape("go-template", "{a{b{").unwrap(), "{{\"{\"}}a{b{{\"{\"}}");
        assert_eq!(escape("go-template", "a{b").unwrap(), "a{b");
    }

    #[test]
    fn what_a_language_cannot_write_is_refused() {
        assert!(escape("dollar-variable", "${X}").is_err());
        assert!(escape("dollar-variable", "a$").is_err());
        assert!(escape("backtick-rule", "a`b").is_err());
        assert!(escape("ini", "a\nb").is_err());
        assert!(escape("shell", "a\0b").is_err());
    }

    #[test]
    fn hcl_doubles_the_sign_before_a_brace() {
        assert_eq!(escape("hcl", "${a} %{b} $c {").unwrap(), "$${a} %%{b} $c {");
        assert_eq!(hcl_quoted("{x}", Some('$')), "${x}");
    }

    #[test]
    fn a_shell_word_is_quoted_where_it_must_be() {
        assert_eq!(escape("shell", "a/b-c").unwrap(), "a/b-c");
        assert_eq!(escape("shell", "it's").unwrap(), "'it'\\''s'");
        assert_eq!(escape("shell", "").unwrap(), "''");
        assert_eq!(escape("shell", "if").unwrap(), "'if'");
    }

    #[test]
    fn a_yaml_scalar_is_quoted_where_a_reader_could_err() {
        assert_eq!(yaml_scalar("orders"), "orders");
        assert_eq!(yaml_scalar("no"), "\"no\"");
        assert_eq!(yaml_scalar("15.4"), "\"15.4\"");
        assert_eq!(yaml_scalar("a: b"), "\"a: b\"");
    }
}
