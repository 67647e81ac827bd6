//! Problems as text: for people at length or in one line each, and for machines.
//!
//! The order is that of the places, so that it does not depend on who found what first.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::sync::Arc;

use clap::ValueEnum;
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NarratableReportHandler, SourceCode};
use serde_json::json;

use super::excerpt::Excerpt;
use super::formats;
use crate::problem::{Place, Problem, Severity, Span};
use crate::value::Name;

/// The width of what is printed at length.
const WIDTH: usize = 100;

/// How problems are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ProblemFormat {
    /// With the lines they stand on.
    #[default]
    Full,
    /// One line each.
    Concise,
    /// For machines.
    Json,
    /// SARIF 2.1.0.
    Sarif,
    /// Annotations of GitHub, errors first, ten of a level.
    Github,
    /// A code quality report of GitLab.
    Gitlab,
}

impl ProblemFormat {
    /// Returns how problems are printed beside a result: into the document itself, if one is printed.
    #[must_use]
    pub fn beside(is_document: bool) -> Self {
        if is_document { Self::Json } else { Self::Full }
    }
}

/// How problems at length are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// With lines, for terminals.
    Lines,
    /// With the characters of ASCII, for files.
    Ascii,
    /// In words alone, to be read aloud.
    Narrated,
}

/// What problems at length look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Whether colours are used.
    pub is_colored: bool,
    /// How they are drawn.
    pub frame: Frame,
}

/// The texts in which problems stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources(BTreeMap<Name, Arc<str>>);

impl Sources {
    /// Returns the text of the file at `path`.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(|it| &**it)
    }

    /// Tells whether no text is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds the text of a file.
    pub fn insert(&mut self, path: Name, text: Arc<str>) {
        self.0.insert(path, text);
    }

    /// Adds the texts of `others`.
    pub fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// Returns the position of `at`, a byte, in the file at `path`: line and column from 1, the column in characters.
    #[must_use]
    pub fn position(&self, path: &str, at: u32) -> Option<(usize, usize)> {
        let text = self.get(path)?;
        let before = &text[..boundary(text, at as usize)];
        let start = before.rfind('\n').map_or(0, |it| it + 1);
        Some((before.matches('\n').count() + 1, before[start..].chars().count() + 1))
    }
}

impl FromIterator<(Name, Arc<str>)> for Sources {
    fn from_iter<T: IntoIterator<Item = (Name, Arc<str>)>>(files: T) -> Self {
        Self(files.into_iter().collect())
    }
}

/// Returns the nearest end of a character at or before `at`.
fn boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Sorts `problems` by file, span and code, and drops what was said before.
pub fn sort(problems: &mut Vec<Problem>) {
    fn key(problem: &Problem) -> (bool, Option<&Place>, &str, &Problem) {
        let place = problem.labels.first().map(|it| &it.place);
        (place.is_none(), place, &problem.code, problem)
    }
    problems.sort_by(|a, b| key(a).cmp(&key(b)));
    problems.dedup();
}

/// Returns `problems` as text. `look` matters to the full form alone.
#[must_use]
pub fn render(problems: &[Problem], sources: &Sources, format: ProblemFormat, look: Look) -> String {
    let mut problems = problems.to_vec();
    sort(&mut problems);
    match format {
        ProblemFormat::Full => problems.iter().map(|it| full(it, sources, look)).collect(),
        ProblemFormat::Concise => problems.iter().map(|it| concise(it, sources)).collect(),
        ProblemFormat::Json => {
            let document = json!({"format": 1, "problems": machine(&problems, sources)});
            format!("{document:#}\n")
        }
        ProblemFormat::Sarif => formats::sarif(&problems, sources),
        ProblemFormat::Github => formats::github(&problems, sources),
        ProblemFormat::Gitlab => formats::gitlab(&problems, sources),
    }
}

/// Returns `problems`, in their order, as machines read them.
#[must_use]
pub fn machine(problems: &[Problem], sources: &Sources) -> serde_json::Value {
    let label = |label: &crate::problem::Label| match &label.place {
        Place::Text(file, span) => {
            let start = sources.position(file, span.start);
            let end = sources.position(file, span.end);
            json!({
                "file": &**file,
                "start": span.start, "end": span.end,
                "line": start.map(|it| it.0), "column": start.map(|it| it.1),
                "end_line": end.map(|it| it.0), "end_column": end.map(|it| it.1),
                "text": &*label.text,
            })
        }
        Place::Rule(id) | Place::Within(id, _) => json!({"rule": &**id, "text": &*label.text}),
        Place::Field {
            environment,
            node,
            path,
        } => json!({
            "environment": environment.as_deref(),
            "node": node.to_string(),
            "field": path.to_string(),
            "text": &*label.text,
        }),
    };
    let problem = |problem: &Problem| {
        json!({
            "severity": severity(problem),
            "code": problem.code,
            "message": &*problem.message,
            "help": problem.help.as_deref(),
            "labels": problem.labels.iter().map(label).collect::<Vec<_>>(),
        })
    };
    problems.iter().map(problem).collect()
}

fn severity(problem: &Problem) -> &'static str {
    match problem.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn concise(problem: &Problem, sources: &Sources) -> String {
    let mut line = String::new();
    match problem.labels.first().map(|it| &it.place) {
        Some(Place::Text(file, span)) => match sources.position(file, span.start) {
            Some((row, column)) => _ = write!(line, "{file}:{row}:{column}: "),
            None => _ = write!(line, "{file}: "),
        },
        Some(place) => _ = write!(line, "{}: ", field(place)),
        None => {}
    }
    _ = write!(line, "{}[{}]: {}", severity(problem), problem.code, problem.message);
    super::visible(&line).replace('\n', " ") + "\n"
}

/// Names a place that is no text.
fn field(place: &Place) -> String {
    match place {
        Place::Text(file, _) => file.to_string(),
        Place::Rule(id) | Place::Within(id, _) => format!("rule {id}"),
        Place::Field {
            environment,
            node,
            path,
        } => {
            let environment = environment.as_ref().map_or(String::new(), |it| format!(" in `{it}`"));
            let dot = if path.0.is_empty() { "" } else { "." };
            format!("{node}{dot}{path}{environment}")
        }
    }
}

fn full(problem: &Problem, sources: &Sources, look: Look) -> String {
    let shown = Shown::of(problem, sources);
    let mut text = String::new();
    let drawn = match look.frame {
        Frame::Narrated => NarratableReportHandler::new().render_report(&mut text, &shown),
        Frame::Lines | Frame::Ascii => {
            let theme = match (look.frame, look.is_colored) {
                (Frame::Lines, true) => GraphicalTheme::unicode(),
                (Frame::Lines, false) => GraphicalTheme::unicode_nocolor(),
                (_, true) => GraphicalTheme {
                    styles: miette::ThemeStyles::ansi(),
                    ..GraphicalTheme::ascii()
                },
                (_, false) => GraphicalTheme::none(),
            };
            GraphicalReportHandler::new_themed(theme)
                .with_width(WIDTH)
                .with_links(false)
                .render_report(&mut text, &shown)
        }
    };
    match drawn {
        Ok(()) => text + "\n",
        Err(fmt::Error) => concise(problem, sources),
    }
}

/// A problem in the form that miette draws: one file each, further files as related ones.
#[derive(Debug)]
struct Shown {
    severity: Severity,
    code: Option<String>,
    message: String,
    help: Option<String>,
    source: Option<Excerpt>,
    labels: Vec<(Span, String)>,
    related: Vec<Self>,
}

impl Shown {
    fn of(problem: &Problem, sources: &Sources) -> Self {
        let mut shown = Self {
            severity: problem.severity,
            code: Some(problem.code.to_string()),
            message: super::visible(&problem.message),
            help: problem.help.as_ref().map(|it| super::visible(it)),
            source: None,
            labels: Vec::new(),
            related: Vec::new(),
        };
        let mut files: Vec<(&Name, Vec<(Span, String)>)> = Vec::new();
        let mut elsewhere = Vec::new();
        for label in &problem.labels {
            let text = super::visible(&label.text);
            match &label.place {
                Place::Text(file, span) if sources.get(file).is_some() => {
                    match files.iter_mut().find(|(known, _)| *known == file) {
                        Some((_, labels)) => labels.push((*span, text)),
                        None => files.push((file, vec![(*span, text)])),
                    }
                }
                place if text.is_empty() => elsewhere.push(format!("at {}", field(place))),
                place => elsewhere.push(format!("at {}: {text}", field(place))),
            }
        }
        for line in elsewhere {
            shown.message.push_str(&format!("\n{line}"));
        }
        let mut files = files.into_iter();
        if let Some((file, labels)) = files.next() {
            shown.show(file, labels, sources);
        }
        for (file, labels) in files {
            let mut related = Self {
                severity: Severity::Warning,
                code: None,
                message: format!("see also `{file}`"),
                help: None,
                source: None,
                labels: Vec::new(),
                related: Vec::new(),
            };
            related.show(file, labels, sources);
            shown.related.push(related);
        }
        shown
    }

    fn show(&mut self, file: &Name, labels: Vec<(Span, String)>, sources: &Sources) {
        let text = sources.get(file).unwrap_or_default();
        let fit = |it: u32| boundary(text, it as usize);
        let labels = labels
            .into_iter()
            .map(|(span, label)| (Span::new(fit(span.start), fit(span.end)), label));
        self.labels = labels.collect();
        let start = self.labels.iter().map(|it| it.0.start).min().unwrap_or_default();
        let end = self.labels.iter().map(|it| it.0.end).max().unwrap_or_default();
        self.source = Some(Excerpt::around(file, text, start as usize..end as usize));
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Shown {}

impl Diagnostic for Shown {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.code.as_ref().map(|it| Box::new(it) as Box<dyn fmt::Display>)
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match (self.severity, self.code.as_ref()) {
            (_, None) => miette::Severity::Advice,
            (Severity::Error, _) => miette::Severity::Error,
            (Severity::Warning, _) => miette::Severity::Warning,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|it| Box::new(it) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|it| it as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let labels = self.labels.iter().enumerate().map(|(at, (span, text))| {
            let text = (!text.is_empty()).then(|| text.clone());
            let (start, length) = (span.start as usize, (span.end - span.start) as usize);
            if at == 0 {
                LabeledSpan::new_primary_with_span(text, (start, length))
            } else {
                LabeledSpan::new(text, start, length)
            }
        });
        (!self.labels.is_empty()).then(|| Box::new(labels) as Box<dyn Iterator<Item = LabeledSpan>>)
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        let related = self.related.iter().map(|it| it as &dyn Diagnostic);
        (!self.related.is_empty()).then(|| Box::new(related) as Box<dyn Iterator<Item = &'a dyn Diagnostic>>)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Address, Path};

    fn sources() -> Sources {
        let file = |path: &str, text: &str| (Name::from(path), Arc::from(text));
        [
            file("gen.yaml", "services:\n  ördersé: {kind: \u{1b}x}\n"),
            file("b.yaml", "b: 1\n"),
        ]
        .into_iter()
        .collect()
    }

    // Not by their full names: these codes have no pages.
    fn error(code: &'static str, message: &str) -> Problem {
        Problem::error(code, message)
    }

    fn warning(code: &'static str, message: &str) -> Problem {
        Problem::warning(code, message)
    }

    fn problems() -> Vec<Problem> {
        let at = |file: &str, start, end| Place::Text(file.into(), Span::new(start, end));
        vec![
            error("tubes::last", "no place at all"),
            warning("tubes::field", "a field").at(
                Place::Field {
                    environment: Some("prod".into()),
                    node: Address::new("service", "orders"),
                    path: Path::parse("a.b"),
                },
                "here",
            ),
            error("tubes::kind", "the kind `\u{1b}x` is not known")
                .at(at("gen.yaml", 30, 999), "unknown")
                .at(at("b.yaml", 0, 1), "declared here")
                .at(at("gone.yaml", 0, 1), "was here")
                .help("did you mean `x`?"),
            error("tubes::name", "the name is odd").at(at("gen.yaml", 12, 21), "this one"),
        ]
    }

    #[test]
    fn one_line_each_in_the_order_of_places() {
        let mut twice = problems();
        twice.extend(problems());
        let text = render(&twice, &sources(), ProblemFormat::Concise, LOOK);
        assert_eq!(
            text,
            "gen.yaml:2:3: error[tubes::name]: the name is odd\n\
             gen.yaml:2:19: error[tubes::kind]: the kind `\u{fffd}x` is not known\n\
             service.orders.a.b in `prod`: warning[tubes::field]: a field\n\
             error[tubes::last]: no place at all\n"
        );
    }

    const LOOK: Look = Look {
        is_colored: false,
        frame: Frame::Ascii,
    };

    #[test]
    fn at_length_with_lines_of_several_files() {
        let text = render(&problems()[2..3], &sources(), ProblemFormat::Full, LOOK);
        for part in [
            "tubes::kind",
            "gen.yaml",
            "b.yaml",
            "declared here",
            "at gone.yaml: was here",
            "did you mean",
        ] {
            assert!(text.contains(part), "no {part} in:\n{text}");
        }
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn machines_get_positions() {
        let text = render(&problems()[3..], &sources(), ProblemFormat::Json, LOOK);
        let document: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let label = &document["problems"][0]["labels"][0];
        assert_eq!(
            (&label["line"], &label["column"], &label["end_column"]),
            (&2.into(), &3.into(), &10.into())
        );
    }
}
