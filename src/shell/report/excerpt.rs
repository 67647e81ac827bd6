//! The lines of a file around what is said of it, for whoever draws them.
//!
//! A file with a thousand problems is large, and would be read through from its start a thousand times.

use std::ops::Range;

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

/// How many lines before and after are kept; who draws wants fewer.
const LINES: usize = 4;

/// Some lines of a file, at their places in it.
#[derive(Debug)]
pub(super) struct Excerpt {
    file: String,
    text: String,
    /// The byte at which it starts in the file.
    start: usize,
    /// The line at which it starts, from zero.
    line: usize,
}

impl Excerpt {
    /// Returns the lines of `text` that `range` touches, and some around them.
    pub(super) fn around(file: &str, text: &str, range: Range<usize>) -> Self {
        let mut breaks_before = text[..range.start].rmatch_indices('\n');
        let start = breaks_before.nth(LINES).map_or(0, |it| it.0 + 1);
        let mut breaks_after = text[range.end..].match_indices('\n');
        let end = breaks_after.nth(LINES).map_or(text.len(), |it| range.end + it.0 + 1);
        // The text may command the terminal as well. What replaces it is as long, so that the places stay.
        let hidden = |it: char| it.is_ascii_control() && !matches!(it, '\n' | '\t' | '\r');
        Self {
            file: file.to_owned(),
            text: text[start..end].replace(hidden, "?"),
            start,
            line: text[..start].matches('\n').count(),
        }
    }
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let start = span.offset().checked_sub(self.start).ok_or(MietteError::OutOfBounds)?;
        let found = self
            .text
            .read_span(&(start, span.len()).into(), lines_before, lines_after)?;
        let inside = found.span();
        Ok(Box::new(MietteSpanContents::new_named(
            self.file.clone(),
            found.data(),
            (inside.offset() + self.start, inside.len()).into(),
            self.line + found.line(),
            found.column(),
            found.line_count(),
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_span_reads_as_in_the_whole_text() {
        let text: String = (0..40).map(|it| format!("line {it}\r\n")).collect::<String>() + "the end";
        let contents = |it: &dyn SourceCode, at: usize, len: usize, around: usize| {
            let found = it.read_span(&(at, len).into(), around, around).expect("it is in there");
            let span = (found.span().offset(), found.span().len());
            (found.data().to_vec(), span, found.line(), found.column())
        };
        for at in 0..=text.len() {
            for len in [0, 1, 30] {
                let end = (at + len).min(text.len());
                let excerpt = Excerpt::around("x", &text, at..end);
                for around in [0, 1, 2] {
                    assert_eq!(
                        contents(&excerpt, at, end - at, around),
                        contents(&text, at, end - at, around),
                        "{at}, {len}, {around}"
                    );
                }
            }
        }
        assert!(Excerpt::around("x", &text, 200..201).text.len() < 100);
    }
}
