//! The only place that prints: results to stdout, all words to people to stderr.
//!
//! What is printed is made elsewhere or by `report/`; here it is decided where it goes and how it looks.

mod excerpt;
pub mod exit;
pub mod formats;
pub mod problems;

use std::env;
use std::io::{self, ErrorKind, IsTerminal as _, Write};
use std::sync::Arc;

use clap::ValueEnum;

use crate::db::Trace;
use crate::problem::Problem;
pub use exit::Exit;
pub use problems::{ProblemFormat, Sources};

/// Whether output is coloured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How much is said beside the results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Volume {
    /// Problems alone.
    Quiet,
    /// What was done, too.
    #[default]
    Normal,
    /// Each step, with its time.
    Log,
    /// Each query, and why it runs.
    Trace,
}

/// Prints.
#[derive(Clone, Copy, Debug)]
pub struct Report {
    format: ProblemFormat,
    volume: Volume,
    paints_results: bool,
    look: problems::Look,
}

impl Report {
    /// Returns a report for the streams of this process.
    #[must_use]
    pub fn new(color: Color, volume: Volume, format: ProblemFormat) -> Self {
        let (out, err) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        Self {
            format,
            volume,
            paints_results: paints(color, out),
            look: problems::Look {
                is_colored: paints(color, err),
                frame: match (is_set("NO_GRAPHICS"), err) {
                    (true, _) => problems::Frame::Narrated,
                    (false, true) => problems::Frame::Lines,
                    (false, false) => problems::Frame::Ascii,
                },
            },
        }
    }

    /// Returns how problems are printed.
    #[must_use]
    pub fn format(&self) -> ProblemFormat {
        self.format
    }

    /// Prints `problems`, in the order of their places.
    ///
    /// For machines they are a result, for people they are not.
    pub fn problems(&self, problems: &[Problem], sources: &Sources) {
        let text = problems::render(problems, sources, self.format, self.look);
        match self.format {
            ProblemFormat::Full | ProblemFormat::Concise => print(&mut io::stderr().lock(), &text),
            _ => print(&mut io::stdout().lock(), &text),
        }
    }

    /// Prints a result. Control characters other than ends of lines and tabs are made visible on a terminal.
    pub fn result(&self, text: &str) {
        let mut out = io::stdout().lock();
        if out.is_terminal() {
            print(&mut out, &visible(text));
        } else {
            print(&mut out, text);
        }
    }

    /// Prints a difference, coloured by the first character of each line.
    pub fn diff(&self, text: &str) {
        if !self.paints_results {
            return self.result(text);
        }
        let mut painted = String::with_capacity(text.len() + 64);
        for line in visible(text).split_inclusive('\n') {
            let (body, end) = line.strip_suffix('\n').map_or((line, ""), |it| (it, "\n"));
            let color = match body.as_bytes() {
                [b'+', ..] => "\u{1b}[32m",
                [b'-', ..] => "\u{1b}[31m",
                [b'@', ..] => "\u{1b}[36m",
                _ => "",
            };
            let reset = if color.is_empty() { "" } else { "\u{1b}[0m" };
            painted.extend([color, body, reset, end]);
        }
        print(&mut io::stdout().lock(), &painted);
    }

    /// Says what was done, to people.
    pub fn note(&self, text: &str) {
        if self.volume >= Volume::Normal {
            print(&mut io::stderr().lock(), &format!("{}\n", visible(text)));
        }
    }

    /// Returns who is told of each query that runs, where somebody asked for it.
    #[must_use]
    pub fn tracer(&self) -> Option<Trace> {
        let report = *self;
        (self.volume >= Volume::Trace)
            .then(|| -> Trace { Arc::new(move |text| report.log(|| format!("trace: {text}"))) })
    }

    /// Says how a step went, to people who asked for it.
    pub fn log(&self, text: impl FnOnce() -> String) {
        if self.volume >= Volume::Log {
            print(&mut io::stderr().lock(), &format!("{}\n", visible(&text())));
        }
    }
}

/// Writes `text`. A reader that has gone away is no error: it has read what it wanted.
fn print(stream: &mut impl Write, text: &str) {
    if let Err(error) = stream.write_all(text.as_bytes()).and_then(|()| stream.flush())
        && error.kind() != ErrorKind::BrokenPipe
    {
        // There is nowhere left to say it, but for the other stream.
        let _: io::Result<()> = writeln!(io::stderr().lock(), "gen: the output can't be written: {error}");
    }
}

fn is_set(variable: &str) -> bool {
    env::var_os(variable).is_some_and(|it| !it.is_empty())
}

fn paints(color: Color, is_terminal: bool) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            let is_forced = ["FORCE_COLOR", "CLICOLOR_FORCE"]
                .iter()
                .any(|it| is_set(it) && env::var_os(it).is_some_and(|it| it != "0"));
            let is_dumb = env::var_os("TERM").is_some_and(|it| it == "dumb");
            !is_set("NO_COLOR") && (is_forced || (is_terminal && !is_dumb))
        }
    }
}

/// Returns `text` without characters that would command the terminal.
fn visible(text: &str) -> String {
    let hidden = |it: char| it.is_control() && !matches!(it, '\n' | '\t');
    text.chars()
        .map(|it| if hidden(it) { '\u{fffd}' } else { it })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_commands_the_terminal() {
        assert_eq!(visible("a\u{1b}[31m\tb\r\n"), "a\u{fffd}[31m\tb\u{fffd}\n");
    }
}
