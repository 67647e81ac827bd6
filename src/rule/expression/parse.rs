//! From source to syntax tree, by the parser of the `cel` crate, whose complaints are put in our words.
//!
//! The parser is built without macros: they reach the checker as the calls that they are written as.

use std::sync::LazyLock;

use cel::common::ast::{IdedExpr, SourceInfo};

use super::scan::{self, Kind};
use crate::problem::{Problem, Span};

/// How deep an expression may nest. The parser takes about 2 KiB of stack a level in a debug build.
const MAX_DEPTH: usize = 200;

/// How deep brackets alone may nest, which costs the parser most.
const MAX_BRACKETS: usize = 48;

/// The most bytes that an expression may have.
const MAX_BYTES: usize = 1 << 16;

/// The environment without functions and macros.
static BARE: LazyLock<cel::Env> = LazyLock::new(cel::Env::default);

/// Returns the syntax tree of `source` and the places of its parts, or what is wrong where.
pub(super) fn parse(source: &str) -> Result<(IdedExpr, SourceInfo), (Problem, Span, &'static str)> {
    if source.len() > MAX_BYTES {
        let problem = Problem::error("expression::too_deep", "the expression is longer than 64 KiB")
            .help("split it: a part can be a fact of its own");
        return Err((problem, Span::new(0, 1), "starts here"));
    }
    let mut open = 0_usize;
    let mut any = false;
    for token in scan::tokens(source, 0) {
        any = true;
        match token.kind {
            Kind::Unclosed => {
                let problem = Problem::error("expression::syntax", "a string is not closed")
                    .help("close it with the quote that opens it; within, write `\\'` or `\\\"`");
                return Err((problem, token.span, "opened here"));
            }
            Kind::Open => open += 1,
            Kind::Close => open = open.saturating_sub(1),
            _ => {}
        }
        if open > MAX_BRACKETS {
            return Err(too_deep(token.span));
        }
    }
    if !any {
        let problem = Problem::error("expression::syntax", "the expression is empty")
            .help("write an expression, or leave it out");
        return Err((problem, Span::new(0, source.len()), "nothing here"));
    }
    if let Some(span) = scan::too_deep(source, MAX_DEPTH) {
        return Err(too_deep(span));
    }
    let parser = BARE
        .parser()
        .enable_optional_syntax(true)
        .enable_ident_escape_syntax(true);
    parser.parse_with_source_info(source).map_err(|errors| {
        let first = errors.errors.first();
        let message = first.map_or("", |it| &*it.msg);
        let at = first.map_or(0, |it| offset(source, it.pos));
        complaint(source, message, at)
    })
}

fn too_deep(span: Span) -> (Problem, Span, &'static str) {
    let problem = Problem::error("expression::too_deep", "the expression nests too deep");
    let problem = problem.help("split it: a part can be a fact of its own");
    (problem, span, "too deep from here on")
}

/// Returns the byte of a line and column as the parser counts them, both from one.
fn offset(source: &str, (line, column): (isize, isize)) -> usize {
    let line = usize::try_from(line - 1).unwrap_or(0);
    let column = usize::try_from(column - 1).unwrap_or(0);
    let start: usize = source.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = &source[start.min(source.len())..];
    let within = rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at);
    start + within
}

fn complaint(source: &str, message: &str, at: usize) -> (Problem, Span, &'static str) {
    let token = scan::tokens(source, 0).find(|it| it.span.end as usize > at);
    let Some(token) = token.filter(|_| !message.contains("input '<EOF>'")) else {
        let problem = Problem::error("expression::syntax", "the expression ends too early")
            .help("close what is open, and write both sides of each sign: `a && b`, `condition ? one : other`");
        let end = source.trim_end().len();
        return (problem, Span::new(end, end), "something is missing here");
    };
    let text = token.of(source);
    let is_too_large = message.contains("invalid int literal");
    let message = if is_too_large {
        format!("`{text}` is too large for a whole number")
    } else {
        format!("`{text}` is not expected here")
    };
    let problem = Problem::error("expression::syntax", message);
    let problem = match text {
        "=" => problem.help("compare with `==`"),
        "and" | "&" => problem.help("write `&&`"),
        "or" | "|" => problem.help("write `||`"),
        "not" => problem.help("write `!`"),
        "if" | "then" | "else" => problem.help("write `condition ? one : other`"),
        "${" | "$" => problem.help("this is an expression already: leave `${…}` out"),
        _ if is_too_large => problem.help("write it as a double: `1e20`"),
        _ => problem.help("an expression is CEL: `a.b == 'c' && size(d) > 0`"),
    };
    (problem, token.span, "not expected")
}
