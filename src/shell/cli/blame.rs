//! `gen blame`: where each line of a generated file comes from.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;

use super::super::engine::{Blamed, BlamedInput, BlamedLine, Spot};
use super::super::report::Exit;
use super::super::session;
use super::{AskArgs, Session};
use crate::plan::{Change, Decisions, Entry};
use crate::problem::Problem;

/// Show where each line of a generated file comes from: the template, the rule, and the spec behind each value
#[derive(Debug, Args)]
pub(super) struct BlameArgs {
    /// The file; FILE:LINE for one line of it
    #[arg(value_name = "FILE[:LINE]")]
    file: String,
    #[command(flatten)]
    ask: AskArgs,
    /// Print all of it for machines
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &BlameArgs, session: &mut Session) -> Exit {
    let (file, line) = split(&args.file);
    let paths = match session.relative(&[PathBuf::from(file)]) {
        Ok(paths) => paths,
        Err(problem) => return session.fail(problem),
    };
    let path = paths.first().map_or("", String::as_str);
    let ask = match session.ask(&args.ask) {
        Ok(ask) => ask,
        Err(exit) => return exit,
    };
    let outcome = session.engine.outcome(&ask);
    if outcome.is_invalid() {
        session.report.problems(&outcome.problems, &outcome.sources);
        return Exit::Failed;
    }
    let scope = session::scope(&ask, &outcome, vec![path.to_owned()]);
    let planned = session::prepare(&session.disk, &outcome, &scope, &Decisions::default());
    let otherwise = planned.plan.entries.first().and_then(stands_otherwise);
    let answer = session.engine.blame(path);
    session.show(answer, |mut blamed| {
        if let Some(line) = line {
            let n_lines = blamed.lines.len();
            blamed.lines.retain(|it| it.line == line);
            if blamed.lines.is_empty() {
                let message = format!("`{path}` has no line {line}");
                let problem = Problem::error("blame::no_line", message);
                return session.fail(problem.help(format!("it has {n_lines} of them, counted from 1")));
            }
        }
        let text = if args.json {
            let document = serde_json::to_value(&blamed).expect("it is plain data");
            format!("{document:#}\n")
        } else {
            table(&blamed)
        };
        session.report.result(&text);
        otherwise.iter().for_each(|it| session.report.note(it));
        Exit::Done
    })
}

/// Says what stands on the disk, where that is not what is blamed.
fn stands_otherwise(entry: &Entry) -> Option<String> {
    let path = &entry.path;
    let how = match entry.change {
        Change::Create | Change::Moved { .. } => "does not stand on the disk yet",
        Change::Update => "holds something older on the disk",
        Change::EditedByHand(_) => "was edited by hand on the disk",
        Change::Foreign | Change::Obstructed(_) => "is another's on the disk",
        Change::Delete | Change::Adopt | Change::Forget => return None,
    };
    Some(format!("`{path}` {how}: shown is what gen would write"))
}

/// Splits `FILE:LINE`.
fn split(text: &str) -> (&str, Option<usize>) {
    match text.rsplit_once(':') {
        Some((file, line)) if !file.is_empty() => match line.parse() {
            Ok(line) => (file, Some(line)),
            Err(_) => (text, None),
        },
        _ => (text, None),
    }
}

fn table(blamed: &Blamed) -> String {
    let mut text = format!("{}  {}", blamed.path, blamed.rule);
    if let Some(at) = &blamed.rule_at {
        _ = write!(text, " ({}:{})", at.file, at.line);
    }
    _ = write!(text, "  for {}", blamed.node);
    if let Some(environment) = &blamed.environment {
        _ = write!(text, " in {environment}");
    }
    text.push('\n');
    let width = blamed.lines.last().map_or(1, |it| it.line.to_string().len());
    for line in &blamed.lines {
        one(&mut text, line, width);
    }
    text
}

fn one(text: &mut String, line: &BlamedLine, width: usize) {
    _ = writeln!(text, "{:>width$} | {}", line.line, line.text);
    let mut say = |words: &str| _ = writeln!(text, "{:>width$} :   {words}", "");
    match &line.template {
        Some(at) => say(&format!("{}:{}", at.file, at.line)),
        None => say("the head that every generated file bears"),
    }
    let mut said: Vec<&BlamedInput> = Vec::new();
    let made = line.values.iter().flat_map(|it| &it.inputs).filter(|it| !it.decides);
    for input in made {
        if !said.contains(&input) {
            said.push(input);
            say(&words(input));
        }
    }
}

/// Says what a value was made of, on one line.
pub(super) fn words(input: &BlamedInput) -> String {
    let what = match input.kind {
        "fact" => format!("fact {}", input.name),
        "edge" => format!("edge {}", input.name),
        "environment" => format!("environment {}", input.name),
        _ => input.name.clone(),
    };
    let value = input
        .value
        .as_deref()
        .filter(|it| input.kind != "node" && input.kind != "environment" && !it.is_empty());
    let value = value.map_or_else(String::new, |it| format!(" = {}", super::listing::excerpt(it)));
    format!("{what}{value}  {}", whence(input))
}

/// Says where an input comes from.
pub(super) fn whence(input: &BlamedInput) -> String {
    let at = input.at.as_ref().map(place);
    let rule = input.rule.as_deref().unwrap_or_default();
    match (input.said_by, at) {
        ("spec", Some(at)) => {
            let over: Vec<String> = input.over.iter().map(place).collect();
            let over = if over.is_empty() {
                String::new()
            } else {
                format!(", over {}", over.join(", "))
            };
            format!("{at}{over}")
        }
        ("default", Some(at)) => format!("{at}, the pack's default"),
        ("rule", Some(at)) => format!("{at}, by {rule}"),
        ("rule", None) => format!("by {rule}"),
        ("nobody", _) => "not set".to_owned(),
        _ => "made by gen itself".to_owned(),
    }
}

/// Writes a place as editors take it.
pub(super) fn place(at: &Spot) -> String {
    let environment = at
        .environment
        .as_ref()
        .map_or_else(String::new, |it| format!(" ({it})"));
    format!("{}:{}:{}{environment}", at.file, at.line, at.column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_named_behind_the_file() {
        assert_eq!(split("a/b.yaml:12"), ("a/b.yaml", Some(12)));
        assert_eq!(split("a:b"), ("a:b", None));
        assert_eq!(split("a"), ("a", None));
    }
}
