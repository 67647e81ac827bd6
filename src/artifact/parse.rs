//! The last look at a printed text: a real parser of its format reads it before anything is written.
//!
//! It judges grammar alone. Whether a platform accepts what the file says is the platform's own tool's to tell.

use std::fmt;

use super::format::Format;
use super::lexer::Lexer;
use super::text::Origin;
use crate::problem::{Place, Problem, Span};
use crate::value::Value;

/// Why a text is not of its format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseFailure {
    /// What the parser says, on one line.
    pub message: String,
    /// Where in the text; a range of [`Origin`](super::text::Origin)s leads from here to the template's line.
    pub span: Span,
}

impl fmt::Display for ParseFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl ParseFailure {
    /// Returns what is wrong with the artifact at `path`, at the line of the template that printed it.
    #[must_use]
    pub fn problem(&self, path: &str, origins: &[Origin]) -> Problem {
        let message = format!("`{path}` would not be readable: {}", self.message);
        let problem = Problem::error("artifact::unparsable", message)
            .help("close in the template what it opens; print values that bring their own syntax with `json` or `hcl`");
        let at = origins.partition_point(|it| it.range.end <= self.span.start);
        match origins.get(at).or(origins.last()) {
            Some(origin) => problem.at(Place::Text(origin.file.clone(), origin.span), "printed here"),
            None => problem,
        }
    }
}

/// Reads `text` by a parser of `format`.
///
/// # Errors
///
/// The first mistake that the parser finds.
pub fn check_output(format: Format, text: &str) -> Result<(), ParseFailure> {
    match format {
        Format::Plain => Ok(()),
        Format::Hcl => hcl(text),
        Format::Shell => shell(text),
        Format::Json => json(text),
        Format::Toml => toml_text(text),
        Format::Yaml => yaml(text),
        Format::Ini => ini(text),
        Format::Env => env(text),
        Format::Dockerfile => dockerfile(text),
        Format::Caddyfile => caddyfile(text),
    }
}

/// Tells whether every string of `value` is of characters that the format does not read as its own, so that a text in which
/// nothing else changed need not be parsed again.
#[must_use]
pub fn safe_characters(format: Format, value: &Value) -> bool {
    let mut left = vec![value];
    // Within a format whose strings all stand in double quotes, more is plain.
    let plain: &[u8] = match format {
        Format::Hcl => b" _./:@+,-'()=|&;<>!?~[]^",
        _ => b" _./:@+,-",
    };
    let safe = |text: &str| text.bytes().all(|it| it.is_ascii_alphanumeric() || plain.contains(&it));
    while let Some(value) = left.pop() {
        match value {
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Double(_) => {}
            Value::String(text) => {
                if !safe(text) {
                    return false;
                }
            }
            Value::Text(_) => return false,
            Value::List(items) => left.extend(items.iter()),
            Value::Map(map) => {
                for (key, item) in map {
                    if !safe(key) {
                        return false;
                    }
                    left.push(item);
                }
            }
            Value::Node(address) => {
                if !safe(&address.kind) || !safe(&address.name) {
                    return false;
                }
            }
        }
    }
    true
}

const MAX_DEPTH: usize = 100;

fn failure<T>(message: impl Into<String>, start: usize, end: usize) -> Result<T, ParseFailure> {
    Err(ParseFailure {
        message: message.into(),
        span: Span::new(start, end.max(start)),
    })
}

/// Returns the position of a line and a column, both from one, the column in characters.
fn position(text: &str, line: usize, col: usize) -> usize {
    let start = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum::<usize>();
    let rest = text.get(start..).unwrap_or("");
    start
        + rest
            .char_indices()
            .nth(col.saturating_sub(1))
            .map_or(rest.len(), |(at, _)| at)
}

/// Refuses brackets nested so deeply that a parser that calls itself could run out of stack. Those that stand in strings
/// and comments are none: the lexer of the format says where these are.
fn bounded(format: Format, text: &str) -> Result<(), ParseFailure> {
    let mut lexer = Lexer::of_format(format);
    let mut decoded = String::new();
    let mut depth = 0_usize;
    for (at, ch) in text.char_indices() {
        let in_code = lexer.is_in_code();
        // What the lexer can't follow is for the parser to tell.
        let _ = lexer.feed(ch, &mut decoded);
        decoded.clear();
        match ch {
            '[' | '{' | '(' if in_code => depth += 1,
            ']' | '}' | ')' if in_code => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth.max(lexer.nesting()) > MAX_DEPTH {
            return failure("brackets are nested too deeply", at, at + ch.len_utf8());
        }
    }
    Ok(())
}

fn hcl(text: &str) -> Result<(), ParseFailure> {
    bounded(Format::Hcl, text)?;
    match hcl_edit::parser::parse_body(text) {
        Ok(_) => Ok(()),
        Err(error) => {
            let at = error.location();
            let at = position(text, at.line(), at.column());
            failure(one_line(error.message()), at, at + 1)
        }
    }
}

fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<&str>>().join(" ")
}

fn shell(text: &str) -> Result<(), ParseFailure> {
    use brush_parser::{ParseError, Parser, ParserOptions, SourceInfo};
    bounded(Format::Shell, text)?;
    let at = |it: &brush_parser::SourcePosition| {
        let natural = |it: i32| usize::try_from(it).unwrap_or(0);
        position(text, natural(it.line), natural(it.column))
    };
    let options = ParserOptions::default();
    if let Some(number) = overlong_number(text, &options) {
        let start = at(&number.location().start);
        let message = format!("`{}` is too large for the number of a file", number.to_str());
        return failure(message, start, start + number.to_str().len());
    }
    let source = SourceInfo { source: String::new() };
    let mut parser = Parser::new(text.as_bytes(), &options, &source);
    match parser.parse_program() {
        Ok(_) => Ok(()),
        Err(ParseError::ParsingNearToken(token)) => {
            let start = at(&token.location().start);
            failure(
                format!("a shell can't read on at `{}`", token.to_str()),
                start,
                start + 1,
            )
        }
        Err(ParseError::Tokenizing { inner, position }) => {
            let start = position.as_ref().map_or(text.len(), at);
            failure(one_line(&inner.to_string()), start, start)
        }
        Err(ParseError::ParsingAtEndOfInput) => failure("a command is never ended", text.len(), text.len()),
    }
}

/// Returns the first number before a redirection that is larger than the parser can hold: it would panic.
fn overlong_number(text: &str, options: &brush_parser::ParserOptions) -> Option<brush_parser::Token> {
    use brush_parser::Token;
    /// So many digits fit in each case.
    const FITTING: usize = 9;
    let is_digit = |it: char| it.is_ascii_digit();
    // Few texts have such a number anywhere, and the others need not be taken apart twice.
    if !text.split(|it| !is_digit(it)).any(|it| it.len() > FITTING) {
        return None;
    }
    // What can't be taken apart is for the parser to tell.
    let tokens = brush_parser::uncached_tokenize_str(text, &options.tokenizer_options()).ok()?;
    let mut pairs = tokens.iter().zip(tokens.iter().skip(1));
    let is_redirected = |(word, next): &(&Token, &Token)| match (word, next) {
        (Token::Word(word, at), Token::Operator(operator, then)) => {
            let is_number = word.len() > FITTING && word.chars().all(is_digit);
            is_number && operator.starts_with(['<', '>']) && at.end.index == then.start.index
        }
        _ => false,
    };
    pairs.find(is_redirected).map(|it| it.0.clone())
}

fn json(text: &str) -> Result<(), ParseFailure> {
    match serde_json::from_str::<serde::de::IgnoredAny>(text) {
        Ok(_) => Ok(()),
        Err(error) => {
            let line = position(text, error.line(), 1);
            let at = (line + error.column().saturating_sub(1)).min(text.len());
            failure(one_line(&error.to_string()), at, at + 1)
        }
    }
}

fn toml_text(text: &str) -> Result<(), ParseFailure> {
    bounded(Format::Toml, text)?;
    match toml::from_str::<toml::Table>(text) {
        Ok(_) => Ok(()),
        Err(error) => {
            let span = error.span().unwrap_or(0..text.len());
            failure(one_line(error.message()), span.start, span.end)
        }
    }
}

fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_inclusive('\n').scan(0, |at, line| {
        let start = *at;
        *at += line.len();
        Some((start, line.trim_end_matches(['\n', '\r'])))
    })
}

fn ini(text: &str) -> Result<(), ParseFailure> {
    for (at, line) in lines(text) {
        let trimmed = line.trim();
        let end = at + line.len();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let Some(section) = trimmed.strip_prefix('[') {
            if !section.ends_with(']') || section.len() < 2 {
                return failure("a section is never closed", at, end);
            }
            continue;
        }
        match trimmed.find(['=', ':']) {
            Some(0) => return failure("a line has no key", at, end),
            Some(_) => {}
            None => return failure("a line is neither a section nor `key = value`", at, end),
        }
    }
    Ok(())
}

fn env(text: &str) -> Result<(), ParseFailure> {
    let mut rest = text;
    let mut at = 0;
    while !rest.is_empty() {
        let line = rest.split_inclusive('\n').next().unwrap_or("");
        let trimmed = line.trim();
        let end = at + line.trim_end().len();
        let mut used = line.len();
        if !trimmed.is_empty() && !trimmed.starts_with('#') {
            let assignment = trimmed.strip_prefix("export ").unwrap_or(trimmed);
            let Some((key, value)) = assignment.split_once('=') else {
                return failure("a line is no `KEY=value`", at, end);
            };
            let name = |it: &str| it.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_');
            if key.is_empty() || !name(key) || key.starts_with(|it: char| it.is_ascii_digit()) {
                return failure(format!("`{key}` is no variable's name"), at, at + key.len());
            }
            if let Some(quote @ ('\'' | '"')) = value.trim_start().chars().next() {
                let from = line.find(quote).unwrap_or(0);
                let Some(close) = closing(&rest[from..], quote) else {
                    return failure("a quote is never closed", at + from, end);
                };
                let after = from + close + 1;
                let tail = rest[after..].split('\n').next().unwrap_or("");
                if !tail.trim().is_empty() && !tail.trim_start().starts_with('#') {
                    return failure("text follows a closed quote", at + after, at + after + tail.len());
                }
                used = (after + tail.len() + 1).min(rest.len());
            }
        }
        at += used;
        rest = &rest[used..];
    }
    Ok(())
}

/// Returns the position of the quote that closes the one at the start of `text`.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, ch) in text.char_indices().skip(1) {
        match ch {
            _ if escaped => escaped = false,
            '\\' if quote == '"' => escaped = true,
            _ if ch == quote => return Some(at),
            _ => {}
        }
    }
    None
}

const INSTRUCTIONS: [&str; 18] = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

fn dockerfile(text: &str) -> Result<(), ParseFailure> {
    let mut first = true;
    let mut all = lines(text);
    while let Some((start, line)) = all.next() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        let mut joined = line.trim_start().to_owned();
        while joined.ends_with('\\') {
            joined.pop();
            joined.push(' ');
            match all.next() {
                Some((_, next)) if next.trim_start().starts_with('#') => joined.push('\\'),
                Some((_, next)) => joined.push_str(next),
                None => break,
            }
        }
        let end = start + line.len();
        let (word, rest) = joined.split_once(char::is_whitespace).unwrap_or((&joined, ""));
        let word = word.to_ascii_uppercase();
        if !INSTRUCTIONS.contains(&word.as_str()) {
            return failure(format!("`{word}` is no instruction"), start, end);
        }
        if first && word != "FROM" && word != "ARG" {
            return failure("the first instruction is neither `FROM` nor `ARG`", start, end);
        }
        first = first && word == "ARG";
        let rest = rest.trim();
        if rest.is_empty() {
            return failure(format!("`{word}` has no arguments"), start, end);
        }
        if ["RUN", "COPY", "ADD"].contains(&word.as_str()) && rest.contains("<<") {
            heredocs(rest, start, end, &mut all)?;
        } else if rest.starts_with('[') && rest.ends_with(']') {
            if serde_json::from_str::<Vec<String>>(rest).is_err() {
                return failure("the list of arguments is no JSON list of strings", start, end);
            }
        } else if word == "RUN" {
            let command = rest.split_whitespace().skip_while(|it| it.starts_with("--"));
            if command.clone().next().is_some() {
                let from = rest.find(command.clone().next().unwrap_or("")).unwrap_or(0);
                shell(&rest[from..]).or_else(|it| failure(it.message, start, end))?;
            }
        } else if rest.chars().filter(|it| *it == '"').count() % 2 == 1 && !rest.contains("\\\"") {
            return failure("a quote is never closed", start, end);
        }
    }
    if first {
        return failure("there is no `FROM`", 0, text.len());
    }
    Ok(())
}

fn heredocs<'a>(
    rest: &str,
    start: usize,
    end: usize,
    all: &mut impl Iterator<Item = (usize, &'a str)>,
) -> Result<(), ParseFailure> {
    for word in unquoted_words(rest) {
        let word = word.trim_start_matches(|it: char| it.is_ascii_digit());
        let Some(word) = word.strip_prefix("<<").filter(|it| !it.contains('<')) else {
            continue;
        };
        let delimiter = word.strip_prefix('-').unwrap_or(word).trim_matches(['"', '\'']);
        if !delimiter.is_empty() && !all.any(|(_, line)| line.trim_start_matches('\t') == delimiter) {
            return failure(format!("the heredoc `{delimiter}` is never closed"), start, end);
        }
    }
    Ok(())
}

/// Returns the words of a line, each with its quotes; a blank within quotes, or behind a `\\`, ends none.
fn unquoted_words(line: &str) -> Vec<&str> {
    let (mut words, mut start) = (Vec::new(), 0);
    let (mut quote, mut is_escaped) = (None, false);
    for (at, ch) in line.char_indices().chain([(line.len(), ' ')]) {
        match quote {
            _ if is_escaped => is_escaped = false,
            Some('\'') | None if ch == '\'' => quote = if quote.is_none() { Some(ch) } else { None },
            Some('\'') => {}
            _ if ch == '\\' => is_escaped = true,
            Some('"') | None if ch == '"' => quote = if quote.is_none() { Some(ch) } else { None },
            None if ch.is_whitespace() => {
                words.push(&line[start..at]);
                start = at + ch.len_utf8();
            }
            _ => {}
        }
    }
    words
}

fn caddyfile(text: &str) -> Result<(), ParseFailure> {
    let mut open: Vec<usize> = Vec::new();
    let mut quote: Option<(char, usize)> = None;
    let mut escaped = false;
    let mut comment = false;
    let mut word = String::new();
    for (at, ch) in text.char_indices().chain([(text.len(), '\n')]) {
        if let Some((sign, _)) = quote {
            match ch {
                _ if escaped => escaped = false,
                '\\' if sign == '"' => escaped = true,
                _ if ch == sign && at < text.len() => quote = None,
                _ => {}
            }
            continue;
        }
        if comment {
            comment = ch != '\n';
            continue;
        }
        match ch {
            '#' if word.is_empty() => comment = true,
            '"' | '`' if word.is_empty() => quote = Some((ch, at)),
            _ if ch.is_whitespace() => {
                match word.as_str() {
                    "}" if open.pop().is_none() => return failure("a `}` closes nothing", at - 1, at),
                    _ if word.ends_with('{') && !word.starts_with('{') || word == "{" => open.push(at),
                    _ => {}
                }
                word.clear();
            }
            _ => word.push(ch),
        }
    }
    if let Some((_, at)) = quote {
        return failure("a quote is never closed", at, at + 1);
    }
    match open.pop() {
        Some(at) => failure("a `{` is never closed", at - 1, at),
        None => Ok(()),
    }
}

fn yaml(text: &str) -> Result<(), ParseFailure> {
    // The reader knows one document; a stream is read in its parts.
    let mut start = 0;
    let mut ends: Vec<usize> = text.match_indices("\n---").map(|(at, _)| at + 1).collect();
    ends.retain(|at| matches!(text.as_bytes().get(at + 3), None | Some(b'\n' | b' ' | b'\r')));
    ends.push(text.len());
    for end in ends {
        let (_, mistakes) = crate::yaml::parse(&text[start..end]);
        if let Some(mistake) = mistakes.first() {
            let at = start + mistake.span.start as usize;
            return failure(mistake.kind.to_string(), at, at + 1);
        }
        start = end;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn right_texts_are_read_and_wrong_ones_fail_at_their_place() {
        let right = [
            (
                Format::Hcl,
                "job \"x\" {\n  a = <<-EOT\n    $${b} %%{c}\n  EOT\n  env = { \"a.b\" = \"x\" }\n}\n",
            ),
            (
                Format::Shell,
                "#!/bin/sh\nset -eu\nfor x in a b; do\n  echo \"$x\" | cat <<EOF\n$x\nEOF\ndone\n",
            ),
            // A long number is one of a file only where a redirection follows.
            (
                Format::Shell,
                "x=99999999999 # 99999999999>x\necho '99999999999>x' 99999999999 >x 2>&1\nexit 99999999999",
            ),
            (Format::Json, "{\"a\": [1, null]}"),
            (Format::Yaml, "a: 1\n---\na: 2\n"),
            (Format::Toml, "[a]\nb = 1\n"),
            (Format::Ini, "; x\n[a]\nb = 1\nc: 2\n"),
            (Format::Env, "# x\nexport A=1\nB='a\nb'\nC=\"x\" # y\n"),
            (
                Format::Dockerfile,
                "# syntax=a/b\nARG X\nFROM a\nRUN a \\\n  && b\nRUN <<EOF\nx (\nEOF\nCMD [\"a\"]\n",
            ),
            (
                Format::Caddyfile,
                "a.example {\n  respond \"x }\" {\n  }\n  # {\n  root {env.X}\n}\n",
            ),
        ];
        for (format, text) in right {
            assert_eq!(check_output(format, text), Ok(()), "{text}");
        }
        let wrong = [
            (Format::Hcl, "a = 1\nb = [1,,2]\n", 2),
            (Format::Shell, "echo a\nif true; then\n", 3),
            (Format::Shell, "echo 'a\n", 2),
            (Format::Shell, "echo a\necho b 99999999999>x\n", 2),
            (Format::Json, "{\n\"a\": ,}", 2),
            (Format::Yaml, "a: 1\nb: [1\n", 3),
            (Format::Toml, "a = 1\nb = x\n", 2),
            (Format::Ini, "a = 1\nb\n", 2),
            (Format::Env, "A=1\n2B=1\n", 2),
            (Format::Env, "A='x\n", 1),
            (Format::Dockerfile, "FROM a\nCMD [\"a\",]\n", 2),
            (Format::Dockerfile, "RUN a\n", 1),
            (Format::Caddyfile, "a {\n", 1),
            (Format::Caddyfile, "}\n", 1),
        ];
        for (format, text, line) in wrong {
            let failure = check_output(format, text).expect_err(text);
            let at = (failure.span.start as usize).min(text.len());
            let found = text[..at].matches('\n').count() + 1;
            assert!(found.abs_diff(line) <= 1, "{text}: line {found}, {failure}");
        }
    }

    #[test]
    fn deep_brackets_overflow_no_stack() {
        for format in Format::ALL {
            let _ = check_output(format, &format!("a = {}", "[".repeat(100_000)));
            let _ = check_output(format, &"{\"a\":".repeat(100_000));
            let _ = check_output(format, &format!("a = {}", "\"${".repeat(100_000)));
            let _ = check_output(format, &format!("a {}", "$(b ".repeat(100_000)));
        }
    }

    #[test]
    fn brackets_in_strings_and_comments_are_none() {
        let open = "[{(".repeat(200);
        for (format, text) in [
            (Format::Hcl, format!("a = \"{open}\" # {open}\nb = <<E\n{open}\nE\n")),
            (
                Format::Shell,
                format!("echo '{open}' \"{open}\" # {open}\ncat <<E\n{open}\nE\n"),
            ),
            (Format::Toml, format!("a = \"{open}\" # {open}\nb = '{open}'\n")),
        ] {
            assert_eq!(check_output(format, &text), Ok(()), "{}", format.name());
        }
    }

    #[test]
    fn safe_values_are_known() {
        let safe = |format, text: &str| safe_characters(format, &Value::list([Value::from(text), Value::Int(1)]));
        for format in Format::ALL {
            assert!(safe(format, "a-b/c:1"));
            for hostile in ["a\"b", "a\nb", "a\\b", "${a}", "%{a}", "a`b", "a*/b", "#a", "{{a}}"] {
                assert!(!safe(format, hostile), "{hostile:?} in {}", format.name());
            }
        }
        assert!(safe(Format::Hcl, "PathPrefix('/a') && b") && !safe(Format::Shell, "PathPrefix('/a')"));
    }
}
