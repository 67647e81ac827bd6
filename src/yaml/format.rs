//! The layout of a YAML text, made uniform: what `gen fmt` does to a file. What the text says stays, and so do its lines.
//!
//! Two spaces a level, the items of a list under its key too; one space behind `:`, `-` and `,`, none within brackets; no
//! white at an end of a line, one empty line at most. Comments go with what follows them. No line is broken or
//! joined, nothing is reordered, no quote is touched, and a block text is moved as a whole. The reader says where what
//! stands; nothing is parsed here.

mod align;
mod lines;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use super::mark::{Mark, Sort};
use super::{Data, Mistake, Yaml, document, parse};

/// Why a text is not formatted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unformatted {
    /// It can't be read.
    Mistakes(Vec<Mistake>),
    /// It would say something else, or lose a comment: a mistake of this module, which did not get past it.
    Changed,
}

/// Returns `text` in the uniform layout.
///
/// The result is read again and compared: it has the same value, and the same tokens and comments in the same order.
///
/// # Errors
/// Why there is none.
pub fn formatted(text: &str) -> Result<String, Unformatted> {
    let (value, mistakes) = parse(text);
    if !mistakes.is_empty() {
        return Err(Unformatted::Mistakes(mistakes));
    }
    let plain = plain(text);
    let marks = document::marks(&plain);
    let result = lines::lay_out(&plain, &marks);
    let (again, mistakes) = parse(&result);
    let is_same = mistakes.is_empty()
        && says_the_same(value.as_ref(), again.as_ref())
        && words(&plain, &marks) == words(&result, &document::marks(&result));
    if is_same { Ok(result) } else { Err(Unformatted::Changed) }
}

/// Returns `text` without a byte order mark, and with one way to end a line.
fn plain(text: &str) -> Cow<'_, str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.contains('\r') {
        text.replace("\r\n", "\n").replace('\r', "\n").into()
    } else {
        text.into()
    }
}

fn says_the_same(one: Option<&Yaml>, other: Option<&Yaml>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => is_same(one, other),
        (None, None) => true,
        _ => false,
    }
}

/// Tells whether both are the same, wherever they stand.
fn is_same(one: &Yaml, other: &Yaml) -> bool {
    match (&one.data, &other.data) {
        (Data::String(one), Data::String(other)) => one.content == other.content && one.style == other.style,
        (Data::List(one), Data::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Data::Map(one), Data::Map(other)) => {
            let pairs = || one.iter().zip(other);
            one.len() == other.len()
                && pairs().all(|(one, other)| one.key == other.key && is_same(&one.value, &other.value))
        }
        (one, other) => one == other,
    }
}

/// Returns the tokens of a text and its comments, each with its first line: of what else there is, the value tells.
fn words<'t>(text: &'t str, marks: &[Mark]) -> Vec<(Option<Sort>, &'t str)> {
    let mut words = Vec::new();
    let mut end = 0;
    let tokens = marks.iter().filter_map(|it| match it {
        Mark::Token(token) => Some(token),
        _ => None,
    });
    for token in tokens {
        words.extend(comments(&text[end..token.start]));
        end = token.end;
        if !matches!(token.sort, Sort::Text(_)) {
            let first = text[token.start..end].lines().next().unwrap_or_default();
            words.push((Some(token.sort), trimmed(first)));
        }
    }
    words.extend(comments(&text[end..]));
    words
}

/// Returns the comments in what stands between two tokens.
fn comments(between: &str) -> impl Iterator<Item = (Option<Sort>, &str)> {
    between
        .split('\n')
        .map(trimmed)
        .filter(|it| !it.is_empty())
        .map(|it| (None, it))
}

/// Returns `text` without the white around it.
fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}
