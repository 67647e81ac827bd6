//! The tags of a template's source, found before Handlebars parses it.
//!
//! Refuses what the closed set does not know, bounds the depth of what does go to the parser, and turns a
//! template's own delimiters into the usual ones. No byte moves, so that every place stays a place of the file.

use std::collections::BTreeMap;

use crate::problem::{Place, Problem, Span};
use crate::value::Name;

/// What the scan found.
pub(super) struct Scanned {
    /// The source for Handlebars' parser, of the same length.
    pub(super) source: String,
    /// The tags by their first byte.
    pub(super) tags: BTreeMap<usize, Span>,
    pub(super) problems: Vec<Problem>,
}

/// Stand-ins for characters that Handlebars would read, in a template with its own delimiters.
const STAND_INS: [(char, char); 3] = [('{', '\u{2}'), ('}', '\u{3}'), ('\\', '\u{4}')];

const MAX_NESTING: usize = 32;

/// Returns `text` with the characters that were replaced before parsing.
pub(super) fn restore(text: &str) -> String {
    let mut text = text.to_owned();
    if text.contains(['\u{2}', '\u{3}', '\u{4}']) {
        for (ch, stand_in) in STAND_INS {
            text = text.replace(stand_in, ch.encode_utf8(&mut [0; 4]));
        }
    }
    text
}

/// Returns the text of the comment at the head of `source`, and its end.
pub(super) fn head(source: &str) -> Option<(&str, usize)> {
    let start = source.len() - source.trim_start().len();
    let rest = source[start..].strip_prefix("{{!--")?;
    let end = rest.find("--}}").into_iter().chain(rest.find("--~}}")).min()?;
    let close = if rest[end..].starts_with("--}}") { 4 } else { 5 };
    Some((&rest[..end], start + 5 + end + close))
}

/// Finds the tags of `source`, the text of `file`. `literals` tells which names after `\{{` would be variables.
pub(super) fn scan(file: &Name, source: &str, is_variable: &dyn Fn(&str) -> bool) -> Scanned {
    let mut scan = Scan {
        file,
        out: source.to_owned(),
        tags: BTreeMap::new(),
        problems: Vec::new(),
        depth: 0,
    };
    let mut chars = source.char_indices();
    if let Some((at, ch)) = chars.find(|(_, ch)| ch.is_control() && !matches!(ch, '\n' | '\t' | '\r')) {
        let problem = Problem::error(
            "template::control_character",
            "a control character stands in a template",
        )
        .help("delete it, or write the escape that the format has for it");
        scan.problems
            .push(problem.at(Place::Text(file.clone(), Span::new(at, at + ch.len_utf8())), "this one"));
    } else if u32::try_from(source.len()).is_err() {
        let problem = Problem::error("template::syntax", "a template is larger than four gigabytes")
            .help("split it into partials");
        scan.problems.push(problem);
    } else {
        scan.delimiters();
        scan.tilde_comments();
        scan.run(is_variable);
    }
    Scanned {
        source: scan.out,
        tags: scan.tags,
        problems: scan.problems,
    }
}

struct Scan<'a> {
    file: &'a Name,
    out: String,
    tags: BTreeMap<usize, Span>,
    problems: Vec<Problem>,
    depth: usize,
}

/// Returns the position behind the tag whose content begins at `from`, its strings passed over.
fn tag_end(text: &str, from: usize, close: &str) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    for (at, ch) in text.get(from..)?.char_indices() {
        match quote {
            _ if escaped => escaped = false,
            Some(_) if ch == '\\' => escaped = true,
            Some(open) if ch == open => quote = None,
            Some(_) => {}
            None if text[from + at..].starts_with(close) => return Some(from + at + close.len()),
            None if ch == '"' || ch == '\'' => quote = Some(ch),
            None => {}
        }
    }
    None
}

impl Scan<'_> {
    fn refuse(&mut self, code: &'static str, message: &str, span: (usize, usize), label: &str, help: &str) {
        let place = Place::Text(self.file.clone(), Span::new(span.0, span.1));
        self.problems
            .push(Problem::error(code, message).at(place, label).help(help));
    }

    /// Turns the template's own delimiters into braces, where its head declares some.
    fn delimiters(&mut self) {
        let Some((text, end)) = head(&self.out) else {
            return;
        };
        let line = text.lines().find_map(|it| it.trim().strip_prefix("delimiters:"));
        let Some(line) = line else {
            return;
        };
        let words: Vec<&str> = line.split_whitespace().collect();
        let fits = |it: &&str| {
            it.len() == 2
                && it
                    .bytes()
                    .all(|it| it.is_ascii_punctuation() && it != b'"' && it != b'\'')
        };
        let [open, close] = words[..] else {
            return self.wrong_delimiters(end);
        };
        if !fits(&open) || !fits(&close) || open == close || open == "{{" || open.contains('\\') {
            return self.wrong_delimiters(end);
        }
        let mut out = self.out[..end].to_owned();
        let source = &self.out;
        let mut at = end;
        while let Some(ch) = source[at..].chars().next() {
            if source[at..].starts_with(open) {
                let inside = at + 2;
                let stop = if source[inside..].starts_with("!--") {
                    let until = format!("--{close}");
                    source[inside..].find(&until).map(|it| inside + it + until.len())
                } else {
                    tag_end(source, inside, close)
                };
                let Some(stop) = stop else {
                    let help = format!("close it with `{close}`");
                    return self.refuse(
                        "template::syntax",
                        "a tag is never closed",
                        (at, inside),
                        "opened here",
                        &help,
                    );
                };
                out.push_str("{{");
                out.push_str(&source[inside..stop - 2]);
                out.push_str("}}");
                at = stop;
                continue;
            }
            let stand_in = STAND_INS.iter().find(|(it, _)| *it == ch);
            out.push(stand_in.map_or(ch, |(_, it)| *it));
            at += ch.len_utf8();
        }
        self.out = out;
    }

    fn wrong_delimiters(&mut self, end: usize) {
        self.refuse(
            "template::delimiters",
            "the head of a template declares delimiters that can't be used",
            (0, end),
            "declared here",
            "write two different pairs of ASCII signs: `delimiters: << >>`",
        );
    }

    /// Moves the blanks behind `--~}}` into the comment: Handlebars' parser does not know the `~` there.
    fn tilde_comments(&mut self) {
        let mut from = 0;
        while let Some(found) = self.out[from..].find("{{!--") {
            let start = from + found;
            let body = start + 5;
            let tilde = self.out[body..].find("--~}}");
            let usual = self.out[body..].find("--}}");
            let Some(at) = tilde.filter(|it| usual.is_none_or(|usual| *it < usual)) else {
                match usual {
                    Some(at) => from = body + at,
                    None => return,
                }
                continue;
            };
            let at = body + at;
            let blanks = self.out[at + 5..].len() - self.out[at + 5..].trim_start().len();
            let spaces = self.out[at + 5..at + 5 + blanks].to_owned();
            let moved = format!(" {spaces}--}}}}");
            self.out.replace_range(at..at + 5 + blanks, &moved);
            from = at + moved.len();
        }
    }

    fn run(&mut self, is_variable: &dyn Fn(&str) -> bool) {
        let source = self.out.clone();
        let mut at = 0;
        while let Some(found) = source[at..].find("{{") {
            let start = at + found;
            let slashes = source[at..start].bytes().rev().take_while(|it| *it == b'\\').count();
            if slashes == 1 {
                self.escaped(&source, start, is_variable);
                at = start + 2 + source[start + 2..].bytes().take_while(|it| *it == b'{').count().min(2);
                continue;
            }
            let end = if source[start..].starts_with("{{{{") {
                self.raw_block(&source, start)
            } else if source[start..].starts_with("{{!--") {
                source[start..].find("--}}").map(|it| start + it + 4)
            } else if source[start..].starts_with("{{!") {
                source[start..].find("}}").map(|it| start + it + 2)
            } else if source[start..].starts_with("{{{") {
                tag_end(&source, start + 3, "}}}").or_else(|| tag_end(&source, start + 3, "}}"))
            } else {
                tag_end(&source, start + 2, "}}")
            };
            let Some(end) = end else {
                let span = (start, start + 2);
                return self.refuse(
                    "template::syntax",
                    "a tag is never closed",
                    span,
                    "opened here",
                    "close it with `}}`, or write `\\{{` for the braces themselves",
                );
            };
            self.tags.insert(start, Span::new(start, end));
            if !source[start..].starts_with("{{{{") && !source[start..].starts_with("{{!") {
                self.tag(&source[start..end], start);
            }
            at = end;
        }
    }

    fn escaped(&mut self, source: &str, start: usize, is_variable: &dyn Fn(&str) -> bool) {
        let before = source[..start - 1].chars().next_back();
        let inside = &source[start + 2..];
        let word = inside.trim_start_matches('~');
        let length = word
            .find(|ch: char| !(ch.is_alphanumeric() || "_@./".contains(ch)))
            .unwrap_or(word.len());
        let path = &word[..length];
        let first = path
            .split(['.', '/'])
            .find(|it| !it.is_empty() && *it != "..")
            .unwrap_or("");
        let closes = word[length..].starts_with("}}");
        let glued = before.is_some_and(|ch| ch.is_alphanumeric() || matches!(ch, ':' | ')' | ']' | '\\' | '.'));
        if closes && (glued || is_variable(first)) {
            self.refuse(
                "template::escaped_value",
                "a backslash makes text of what looks like a value",
                (start - 1, start + 2 + length + 2),
                "printed as it stands here",
                "write `\\\\{{…}}` for a backslash before a value, or a raw block for braces that mean themselves",
            );
        }
    }

    fn raw_block(&mut self, source: &str, start: usize) -> Option<usize> {
        let name = source[start + 4..]
            .find("}}}}")
            .map(|it| &source[start + 4..start + 4 + it])?;
        if name.trim().trim_matches('~').trim() != "raw" {
            self.refuse(
                "template::unknown_helper",
                "a raw block bears another name than `raw`",
                (start, start + 4 + name.len() + 4),
                "this one",
                "write `{{{{raw}}}}…{{{{/raw}}}}`",
            );
        }
        let open = start + 4 + name.len() + 4;
        let close = open + source[open..].find("{{{{")?;
        let end = close + source[close..].find("}}}}")? + 4;
        Some(end)
    }

    fn tag(&mut self, tag: &str, start: usize) {
        let span = (start, start + tag.len());
        let inside = tag[2..tag.len() - 2].trim_start_matches('~').trim_start();
        let mut refuse = |code, message: &str, label: &str, help: &str| self.refuse(code, message, span, label, help);
        if inside.starts_with('{') {
            refuse(
                "template::triple_braces",
                "triple braces print a value without escaping it",
                "this tag",
                "write two braces; where a brace stands before a value, declare other delimiters in the head",
            );
        } else if inside.starts_with('&') {
            refuse(
                "template::triple_braces",
                "`&` prints a value without escaping it",
                "this tag",
                "leave the `&` out",
            );
        } else if inside.starts_with('*') || inside.starts_with("#*") {
            refuse(
                "template::decorator",
                "decorators and inline partials are not allowed",
                "this tag",
                "put the partial in a file of its own",
            );
        } else if inside.starts_with("#>") {
            refuse(
                "template::decorator",
                "partials with a block are not allowed",
                "this tag",
                "give the partial what it needs as parameters: `{{> name a=b}}`",
            );
        } else if inside.starts_with('^') || inside.starts_with("#^") {
            refuse(
                "template::unknown_helper",
                "`^` is not known here",
                "this tag",
                "write `{{else}}` or `{{#unless …}}`",
            );
        }
        let mut quote = None;
        let mut brackets = 0;
        for ch in inside.chars() {
            match quote {
                Some(open) if ch == open => quote = None,
                Some(_) => {}
                None if ch == '"' || ch == '\'' => quote = Some(ch),
                None if ch == '(' => {
                    refuse(
                        "template::sub_expression",
                        "a template computes nothing",
                        "a sub-expression",
                        "compute it in the rule, and hand it over under `with`",
                    );
                    break;
                }
                None if ch == '[' || ch == '{' => {
                    brackets += 1;
                    if brackets > 8 {
                        refuse(
                            "template::syntax",
                            "a tag nests too many brackets",
                            "this tag",
                            "make it simpler",
                        );
                        break;
                    }
                }
                None => {}
            }
        }
        if inside.starts_with('#') {
            self.depth += 1;
            if self.depth == MAX_NESTING + 1 {
                self.refuse(
                    "template::too_deep",
                    "blocks are nested too deeply",
                    span,
                    "opened here",
                    "make a partial of the inner ones",
                );
            }
        } else if inside.starts_with('/') {
            self.depth = self.depth.saturating_sub(1);
        }
    }
}
