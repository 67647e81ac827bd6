//! JSON, two blanks a level.

use super::super::document::{Datum, Kind};
use super::{Printer, double};

/// Prints a file of one value.
pub(super) fn print(printer: &mut Printer, datum: &Datum) {
    value(printer, datum, 0);
    printer.push("\n");
}

fn value(printer: &mut Printer, datum: &Datum, indent: usize) {
    printer.at(datum);
    match &datum.kind {
        Kind::Null => printer.push("null"),
        Kind::Bool(truth) => printer.push(if *truth { "true" } else { "false" }),
        Kind::Int(number) => printer.push(&number.to_string()),
        Kind::Double(number) => printer.push(&double(number.0)),
        Kind::String(text) => string(printer, text),
        Kind::Code(source) => printer.push(source),
        Kind::List(items) if items.is_empty() => printer.push("[]"),
        Kind::List(items) => {
            printer.push("[\n");
            for (at, item) in items.iter().enumerate() {
                printer.indent(indent + 2);
                value(printer, item, indent + 2);
                printer.push(if at + 1 < items.len() { ",\n" } else { "\n" });
            }
            printer.indent(indent);
            printer.push("]");
        }
        Kind::Map(entries) if entries.is_empty() => printer.push("{}"),
        Kind::Map(entries) => {
            printer.push("{\n");
            for (at, (key, item)) in entries.iter().enumerate() {
                printer.indent(indent + 2);
                string(printer, key);
                printer.push(": ");
                value(printer, item, indent + 2);
                printer.push(if at + 1 < entries.len() { ",\n" } else { "\n" });
            }
            printer.indent(indent);
            printer.push("}");
        }
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
            // Above the controls, these two end a line for readers that are written in JavaScript.
            _ if char.is_control() || matches!(char, '\u{2028}' | '\u{2029}') => {
                printer.push(&format!("\\u{:04x}", u32::from(char)));
            }
            _ => printer.text.push(char),
        }
    }
    printer.push("\"");
}
