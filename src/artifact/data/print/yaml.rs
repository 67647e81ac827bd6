//! YAML in block style, two blanks a level, that readers of YAML 1.1 and of 1.2 read alike.
//!
//! A string stands without quotes only where it is plainly a word; whatever a reader of either version could take
//! for a number, a truth, a date or a sign is put in quotes.

use super::super::document::{Datum, Kind};
use super::{Printer, double, is_printable};

/// Prints all documents of a file.
pub(super) fn print(printer: &mut Printer, documents: &[Datum]) {
    for (at, document) in documents.iter().enumerate() {
        if at > 0 || document.comment.is_some() {
            printer.at(document);
        }
        if at > 0 {
            printer.push("---\n");
        }
        if let Some(comment) = &document.comment {
            printer.comment(0, comment);
        }
        match &document.kind {
            Kind::List(items) if !items.is_empty() => list(printer, items, 0, Start::OfLine),
            Kind::Map(entries) if !entries.is_empty() => map(printer, entries, 0, Start::OfLine),
            _ => scalar(printer, document, 0),
        }
    }
}

/// Where the first line of a list or map begins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Start {
    OfLine,
    AfterDash,
}

fn begin(printer: &mut Printer, at: usize, indent: usize, start: Start) {
    if at > 0 || start == Start::OfLine {
        printer.indent(indent);
    }
}

/// Prints the comment of an item or entry. After a dash there is no line for it, so there it stands before the dash.
fn comment(printer: &mut Printer, datum: &Datum, at: usize, indent: usize, start: Start) {
    if let Some(comment) = &datum.comment {
        if at == 0 && start == Start::AfterDash {
            // The dash stands already: the comment goes behind it, and the entry on the next line.
            let mut own = Printer::default();
            own.comment(indent, comment);
            printer.push(own.text.trim_start_matches(' '));
            printer.indent(indent);
        } else {
            printer.comment(indent, comment);
        }
    }
}

fn list(printer: &mut Printer, items: &[Datum], indent: usize, start: Start) {
    for (at, item) in items.iter().enumerate() {
        printer.at(item);
        comment(printer, item, at, indent, start);
        begin(printer, at, indent, start);
        printer.push("- ");
        match &item.kind {
            Kind::List(items) if !items.is_empty() => list(printer, items, indent + 2, Start::AfterDash),
            Kind::Map(entries) if !entries.is_empty() => map(printer, entries, indent + 2, Start::AfterDash),
            _ => scalar(printer, item, indent),
        }
    }
}

fn map(printer: &mut Printer, entries: &[(crate::value::Name, Datum)], indent: usize, start: Start) {
    for (at, (key, item)) in entries.iter().enumerate() {
        printer.at(item);
        comment(printer, item, at, indent, start);
        begin(printer, at, indent, start);
        if is_plain(key) {
            printer.content(key);
        } else {
            double_quoted(printer, key);
        }
        printer.push(":");
        match &item.kind {
            Kind::List(items) if !items.is_empty() => {
                printer.push("\n");
                list(printer, items, indent + 2, Start::OfLine);
            }
            Kind::Map(entries) if !entries.is_empty() => {
                printer.push("\n");
                map(printer, entries, indent + 2, Start::OfLine);
            }
            _ => {
                printer.push(" ");
                scalar(printer, item, indent);
            }
        }
    }
}

/// Prints a value that stands on its line, and the end of the line.
fn scalar(printer: &mut Printer, datum: &Datum, indent: usize) {
    printer.at(datum);
    match &datum.kind {
        Kind::Null => printer.push("null"),
        Kind::Bool(truth) => printer.push(if *truth { "true" } else { "false" }),
        Kind::Int(number) => printer.push(&number.to_string()),
        Kind::Double(number) => printer.push(&double(number.0)),
        Kind::List(_) => printer.push("[]"),
        Kind::Map(_) => printer.push("{}"),
        Kind::Code(source) => printer.push(source),
        Kind::String(text) if is_plain(text) => printer.content(text),
        Kind::String(text) if is_block(text) => return block(printer, text, indent + 2),
        Kind::String(text) => double_quoted(printer, text),
    }
    printer.push("\n");
}

fn block(printer: &mut Printer, text: &str, indent: usize) {
    let body = text.strip_suffix('\n');
    printer.push(if body.is_some() { "|\n" } else { "|-\n" });
    for line in body.unwrap_or(text).split('\n') {
        if !line.is_empty() {
            printer.indent(indent);
            printer.content(line);
        }
        printer.push("\n");
    }
}

/// Tells whether a text of several lines can stand as it is under `|`.
///
/// What would need an indentation indicator, what blanks at the end of a line would hide, and what a reader could take
/// for a line break of its own are left to quotes.
fn is_block(text: &str) -> bool {
    let body = text.strip_suffix('\n').unwrap_or(text);
    text.contains('\n')
        && !body.is_empty()
        && !body.starts_with([' ', '\t', '\n'])
        && !body.ends_with('\n')
        && text.chars().all(|it| it == '\n' || is_printable(it))
        && body
            .split('\n')
            .all(|it| !it.ends_with([' ', '\t']) && !it.starts_with('\t'))
}

/// Words that some reader takes for something else than a string.
const WORDS: [&str; 14] = [
    "y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", ".nan", ".inf", "nan", "inf",
];

/// Tells whether a string can stand without quotes.
fn is_plain(text: &str) -> bool {
    let mut chars = text.chars();
    let Some(first) = chars.next() else { return false };
    let second = chars.next();
    let starts = first.is_ascii_alphanumeric()
        || matches!(first, '/' | '_' | '.' | '$' | '(')
        || (first.is_alphabetic() && is_printable(first))
        || (first == '-' && second.is_some_and(|it| it.is_ascii_alphabetic() || it == '-') && !text.starts_with("---"));
    let inside = text
        .chars()
        .all(|it| it.is_ascii_graphic() || it == ' ' || (it.is_alphanumeric() && is_printable(it)));
    starts
        && inside
        // Signs alone are left to quotes: YAML 1.1 takes even a point for a number.
        && text.contains(char::is_alphanumeric)
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.starts_with("...")
        && !is_numeric(text)
        && !WORDS.iter().any(|it| it.eq_ignore_ascii_case(text))
}

/// Tells whether a reader could take a string for a number in any notation, a date or a time.
fn is_numeric(text: &str) -> bool {
    text.starts_with(|it: char| it.is_ascii_digit() || matches!(it, '.' | '-' | '+'))
        && text.contains(|it: char| it.is_ascii_digit())
        && text.chars().all(|it| {
            it.is_ascii_hexdigit()
                || matches!(
                    it,
                    'x' | 'X' | 'o' | 'O' | '+' | '-' | '.' | '_' | ',' | ':' | ' ' | 'T' | 't' | 'Z' | 'z'
                )
        })
}

fn double_quoted(printer: &mut Printer, text: &str) {
    let mut inside = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '"' => inside.push_str("\\\""),
            '\\' => inside.push_str("\\\\"),
            '\n' => inside.push_str("\\n"),
            '\r' => inside.push_str("\\r"),
            '\t' => inside.push_str("\\t"),
            _ if is_printable(char) => inside.push(char),
            _ if u32::from(char) <= 0xff => inside.push_str(&format!("\\x{:02x}", u32::from(char))),
            _ if u32::from(char) <= 0xffff => inside.push_str(&format!("\\u{:04x}", u32::from(char))),
            _ => inside.push_str(&format!("\\U{:08x}", u32::from(char))),
        }
    }
    printer.push("\"");
    printer.content(&inside);
    printer.push("\"");
}
