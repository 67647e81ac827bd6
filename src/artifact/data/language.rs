//! Strings that another language reads after the file has been parsed.
//!
//! What the template itself writes there is source of that language; what a value brings means itself, so it is
//! escaped for the innermost language first and for the outermost last.

use crate::language::escape;
use crate::value::{Name, Segment, Text};

/// Returns the characters of a value's text where `languages` (outermost first) read it.
pub(super) fn characters(text: &Text, languages: &[Name]) -> Result<String, (&'static str, String)> {
    let mut all = String::new();
    for segment in text.segments() {
        match segment {
            Segment::Literal(text) => all.push_str(&escaped(text, languages)?),
            Segment::Code { language, source } => match languages.iter().position(|it| it == language) {
                Some(at) => all.push_str(&escaped(source, &languages[..at])?),
                None => {
                    let message = format!("a value holds code in `{language}`, which nothing runs here");
                    return Err(("data::code_without_language", message));
                }
            },
            Segment::Reference(reference) => {
                let message = format!(
                    "`${{{}.{}}}` has not been written out",
                    reference.node, reference.attribute
                );
                return Err(("data::unresolved_reference", message));
            }
        }
    }
    Ok(all)
}

/// Returns `text` so that it means itself after all of `languages` have read it.
fn escaped(text: &str, languages: &[Name]) -> Result<String, (&'static str, String)> {
    let mut text = text.to_owned();
    for language in languages.iter().rev() {
        text = escape(language, &text)
            .map_err(|error| ("data::cannot_escape", error.to_string()))?
            .into_owned();
    }
    Ok(text)
}
