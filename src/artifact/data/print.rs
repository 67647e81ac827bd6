//! Printing: data as text that a reader of the format reads back as it was.
//!
//! A printer of our own, because the order is the template's, comments are printed, each line knows its origin, and
//! readers of YAML 1.1 and 1.2 must agree on every string.

mod json;
mod toml;
mod yaml;

use super::DataFormat;
use super::document::{Datum, Document};
use crate::language::escape;
use crate::problem::Span;
use crate::value::Name;

/// A line of a printed file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrintedLine {
    /// Its characters, without the end of the line.
    pub text: String,
    /// Where in the template it comes from; none for the head.
    pub origin: Option<Span>,
    /// What is noted of the values in it.
    pub notes: Vec<u32>,
}

/// What is kept of a printing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// The text alone.
    Text,
    /// The text, and where each line comes from.
    Origins,
}

/// A text as it is printed, with the origin of each line.
#[derive(Default)]
pub(super) struct Printer {
    /// The text so far.
    pub(super) text: String,
    /// The language that reads the file before its format does.
    language: Option<Name>,
    /// From which byte on lines come from where, and what is noted of it; none where nobody asks.
    origins: Option<Vec<(usize, Option<Span>, u32)>>,
}

impl Printer {
    /// Says that what is printed from here on comes from `datum`.
    fn at(&mut self, datum: &Datum) {
        if let Some(origins) = &mut self.origins {
            origins.push((self.text.len(), Some(datum.at), datum.note));
        }
    }

    fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Prints what a value holds, so that it means itself to whatever reads the file first.
    fn content(&mut self, text: &str) {
        match &self.language {
            None => self.text.push_str(text),
            Some(language) => {
                let text = escape(language, text).expect("filling refuses what has no escape");
                self.text.push_str(&text);
            }
        }
    }

    fn indent(&mut self, by: usize) {
        self.text.extend(std::iter::repeat_n(' ', by));
    }

    /// Prints comment lines, each behind `#`.
    fn comment(&mut self, indent: usize, comment: &str) {
        for line in comment.split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']) {
            let line: String = line
                .chars()
                .map(|it| if is_printable(it) { it } else { '\u{fffd}' })
                .collect();
            self.indent(indent);
            self.push("#");
            if !line.trim_end().is_empty() {
                self.push(" ");
                self.content(line.trim_end());
            }
            self.push("\n");
        }
    }

    /// Returns the lines; each comes from where its first value does.
    pub(super) fn into_lines(self) -> Vec<PrintedLine> {
        let mut lines = Vec::new();
        let mut start = 0;
        let mut known = self.origins.iter().flatten().peekable();
        let mut current = None;
        let mut last: Option<u32> = None;
        for line in self.text.split_inclusive('\n') {
            let end = start + line.len();
            let mut first = None;
            let mut notes = Vec::new();
            while let Some((_, origin, note)) = known.next_if(|it| it.0 < end) {
                first = first.or(Some(*origin));
                current = *origin;
                if *note > 0 && !notes.contains(note) {
                    notes.push(*note);
                }
            }
            if first.is_none() {
                // A further line of a value.
                notes.extend(last.filter(|it| *it > 0));
            }
            last = notes.last().copied().or(last.filter(|_| first.is_none()));
            lines.push(PrintedLine {
                text: line.trim_end_matches('\n').to_owned(),
                origin: first.unwrap_or(current),
                notes,
            });
            start = end;
        }
        lines
    }
}

/// Tells whether a character may stand in a comment, and in a string without an escape, in all formats.
fn is_printable(char: char) -> bool {
    matches!(char, '\t' | ' '..='~' | '\u{a0}'..='\u{2027}' | '\u{202a}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}' | '\u{10000}'..)
}

/// Returns how a number is written in all formats: always with a point, as YAML 1.1 wants it.
fn double(number: f64) -> String {
    let text = format!("{number:?}");
    match text.split_once('e') {
        None => text,
        Some((digits, exponent)) => {
            let point = if digits.contains('.') { "" } else { ".0" };
            let sign = if exponent.starts_with('-') { "" } else { "+" };
            format!("{digits}{point}e{sign}{exponent}")
        }
    }
}

/// Prints a document under a head of comment lines.
pub(super) fn print(document: &Document, head: &[&str], keep: Keep) -> Printer {
    let mut printer = Printer::default();
    if keep == Keep::Origins {
        // What stands above the first value is the head's, where there is one.
        let head = (document.format != DataFormat::Json).then_some((0, None, 0));
        printer.origins = Some(head.into_iter().collect());
    }
    printer.language = document.around.as_ref().map(|it| it.language.clone());
    if document.format != DataFormat::Json {
        head.iter().for_each(|line| printer.comment(0, line));
    }
    let line = |printer: &mut Printer, line: Option<&Name>| {
        if let Some(line) = line.filter(|it| !it.is_empty()) {
            printer.push(line);
            printer.push("\n");
        }
    };
    line(&mut printer, document.around.as_ref().map(|it| &it.first));
    match document.format {
        DataFormat::Yaml => yaml::print(&mut printer, &document.documents),
        DataFormat::Json => document.documents.iter().for_each(|it| json::print(&mut printer, it)),
        DataFormat::Toml => document.documents.iter().for_each(|it| toml::print(&mut printer, it)),
    }
    line(&mut printer, document.around.as_ref().map(|it| &it.last));
    printer
}
