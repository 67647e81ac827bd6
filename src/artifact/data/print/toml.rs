//! TOML 1.0: values first, then tables under their headers, both in the order of the template.

use super::super::document::{Datum, Kind};
use super::{Printer, double, is_printable};
use crate::value::Name;

/// Prints a file of one map.
pub(super) fn print(printer: &mut Printer, datum: &Datum) {
    if let Some(comment) = &datum.comment {
        printer.comment(0, comment);
    }
    if let Kind::Map(entries) = &datum.kind {
        table(printer, "", entries);
    }
}

/// How an entry of a table is written.
enum Form<'a> {
    Value,
    Table(&'a [(Name, Datum)]),
    Tables(Vec<&'a [(Name, Datum)]>),
}

fn form(datum: &Datum) -> Form<'_> {
    match &datum.kind {
        Kind::Map(entries) => Form::Table(entries),
        Kind::List(items) if !items.is_empty() => {
            let maps = items.iter().map(|it| match &it.kind {
                Kind::Map(entries) => Some(&**entries),
                _ => None,
            });
            maps.collect::<Option<Vec<_>>>().map_or(Form::Value, Form::Tables)
        }
        _ => Form::Value,
    }
}

fn table(printer: &mut Printer, path: &str, entries: &[(Name, Datum)]) {
    for (name, datum) in entries {
        if matches!(form(datum), Form::Value) {
            printer.at(datum);
            if let Some(comment) = &datum.comment {
                printer.comment(0, comment);
            }
            key(printer, name);
            printer.push(" = ");
            value(printer, datum);
            printer.push("\n");
        }
    }
    for (name, datum) in entries {
        let mut inner = Printer::default();
        key(&mut inner, name);
        let path = if path.is_empty() {
            inner.text
        } else {
            format!("{path}.{}", inner.text)
        };
        match form(datum) {
            Form::Value => {}
            Form::Table(entries) => {
                header(printer, datum, &format!("[{path}]"));
                table(printer, &path, entries);
            }
            Form::Tables(tables) => {
                let items = if let Kind::List(items) = &datum.kind {
                    &**items
                } else {
                    &[]
                };
                for (item, entries) in items.iter().zip(tables) {
                    header(printer, item, &format!("[[{path}]]"));
                    table(printer, &path, entries);
                }
            }
        }
    }
}

fn header(printer: &mut Printer, datum: &Datum, header: &str) {
    if !printer.text.is_empty() {
        printer.push("\n");
    }
    printer.at(datum);
    if let Some(comment) = &datum.comment {
        printer.comment(0, comment);
    }
    printer.push(header);
    printer.push("\n");
}

fn value(printer: &mut Printer, datum: &Datum) {
    printer.at(datum);
    match &datum.kind {
        // A null is refused before it gets here.
        Kind::Null => printer.push("\"\""),
        Kind::Bool(truth) => printer.push(if *truth { "true" } else { "false" }),
        Kind::Int(number) => printer.push(&number.to_string()),
        Kind::Double(number) => printer.push(&double(number.0)),
        Kind::String(text) => string(printer, text),
        Kind::Code(source) => printer.push(source),
        Kind::List(items) => {
            printer.push("[");
            for (at, item) in items.iter().enumerate() {
                printer.push(if at > 0 { ", " } else { "" });
                value(printer, item);
            }
            printer.push("]");
        }
        Kind::Map(entries) => {
            printer.push(if entries.is_empty() { "{" } else { "{ " });
            for (at, (name, item)) in entries.iter().enumerate() {
                printer.push(if at > 0 { ", " } else { "" });
                key(printer, name);
                printer.push(" = ");
                value(printer, item);
            }
            printer.push(if entries.is_empty() { "}" } else { " }" });
        }
    }
}

fn key(printer: &mut Printer, name: &str) {
    let is_bare = !name.is_empty()
        && name
            .chars()
            .all(|it| it.is_ascii_alphanumeric() || matches!(it, '_' | '-'));
    if is_bare {
        printer.push(name);
    } else {
        string(printer, name);
    }
}

fn string(printer: &mut Printer, text: &str) {
    printer.push("\"");
    for char in text.chars() {
        match char {
            '"' => printer.push("\\\""),
            '\\' => printer.push("\\\\"),
            '\n' => printer.push("\\n"),
            '\r' => printer.push("\\r"),
            '\t' => printer.push("\\t"),
            _ if is_printable(char) => printer.text.push(char),
            _ if u32::from(char) <= 0xffff => printer.push(&format!("\\u{:04X}", u32::from(char))),
            _ => printer.push(&format!("\\U{:08X}", u32::from(char))),
        }
    }
    printer.push("\"");
}
