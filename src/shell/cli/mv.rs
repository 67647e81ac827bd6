//! `gen mv`: a node under another name, in the spec; what becomes of its files is said.

use std::fmt::Write as _;

use clap::Args;
use serde_json::json;

use super::super::engine::{Ask, Renamed};
use super::super::report::{Exit, ProblemFormat, problems};
use super::super::session::{self, Planned};
use super::super::store::Patience;
use super::Session;
use super::listing::{self, Length};
use crate::plan::{Decisions, json};

/// Rename a node in the spec, and say what becomes of its files
#[derive(Debug, Args)]
pub(super) struct MvArgs {
    /// The node: `service.orders`, or `orders` where no other kind has one of that name
    #[arg(value_name = "NODE")]
    from: String,
    /// Its new name
    #[arg(value_name = "NAME")]
    to: String,
    /// Write nothing, and show what would be edited
    #[arg(long)]
    dry_run: bool,
    /// Wait while another process applies
    #[arg(long)]
    wait: bool,
    /// Print all of it for machines
    #[arg(long)]
    json: bool,
}

impl MvArgs {
    /// Returns how problems are printed.
    pub(super) fn format(&self) -> ProblemFormat {
        ProblemFormat::beside(self.json)
    }
}

/// As many lines that say the old name otherwise are listed.
const LISTED: usize = 20;

pub(super) fn run(args: &MvArgs, session: &mut Session) -> Exit {
    let answer = session.timed("rename", |it| it.engine.rename(&args.from, &args.to));
    let Some(renamed) = answer.value else {
        session.report.problems(&answer.problems, &answer.sources);
        return Exit::Failed;
    };
    let ask = Ask::default();
    let scope = session::scope(&ask, &renamed.outcome, Vec::new());
    let mut planned = session.timed("compare", |it| {
        session::prepare(&it.disk, &renamed.outcome, &scope, &Decisions::default())
    });
    let why = session.timed("reasons", |it| {
        session::give_reasons(&it.disk, &mut it.engine, &ask, &mut planned)
    });
    let names = [(renamed.from.name.clone(), renamed.to.name.clone())];
    session::pair_renamed(&session.engine, &mut planned.plan, &names);
    if !args.dry_run {
        let patience = if args.wait { Patience::Wait } else { Patience::Fail };
        match session.timed("write", |it| session::rewrite(&it.disk, &renamed.texts, patience)) {
            Ok(recovery) => listing::settled(recovery)
                .into_iter()
                .for_each(|it| session.report.note(it)),
            Err(problem) => return session.fail(problem),
        }
    }
    let report = &session.report;
    let sources = &session.engine.sources();
    let found = [&*renamed.outcome.problems, &planned.problems].concat();
    if args.json {
        let document = json!({
            "format": json::FORMAT,
            "from": renamed.from.to_string(),
            "to": renamed.to.to_string(),
            "written": !args.dry_run,
            "edits": renamed.edits,
            "left": renamed.left,
            "plan": json::document(&planned.plan, |_| None),
            "problems": problems::machine(&found, sources),
        });
        report.result(&format!("{document:#}\n"));
        return Exit::Done;
    }
    report.problems(&found, sources);
    report.result(&edits(&renamed, args.dry_run));
    report.result(&listing::effects(&planned.plan, Length::Page));
    report.result(&listing::grouped(&planned.plan, Length::Page));
    listing::unknown(why).into_iter().for_each(|it| report.note(it));
    report.note(&said(&renamed, &planned, args.dry_run));
    Exit::Done
}

/// Returns a line for each edit, and for each line that says the old name and stays.
fn edits(renamed: &Renamed, is_dry: bool) -> String {
    let word = if is_dry { "edit" } else { "edited" };
    let mut text = String::new();
    let place = |file: &str, line: usize| format!("{file}:{line}");
    let edited = renamed.edits.iter().map(|it| place(&it.at.file, it.at.line));
    let left = renamed
        .left
        .iter()
        .take(LISTED)
        .map(|it| place(&it.at.file, it.at.line));
    let width = edited.chain(left).map(|it| it.chars().count()).max().unwrap_or(0);
    for it in &renamed.edits {
        let place = place(&it.at.file, it.at.line);
        _ = writeln!(text, "{word:<10} {place:<width$}  {} → {}  {}", it.old, it.new, it.path);
    }
    for it in renamed.left.iter().take(LISTED) {
        let place = place(&it.at.file, it.at.line);
        _ = writeln!(text, "{:<10} {place:<width$}  {}", "left", listing::excerpt(&it.text));
    }
    if renamed.left.len() > LISTED {
        let n = renamed.left.len() - LISTED;
        _ = writeln!(
            text,
            "{:<10} and {n} more lines that say `{}`",
            "left", renamed.from.name
        );
    }
    text
}

fn said(renamed: &Renamed, planned: &Planned, is_dry: bool) -> String {
    let (from, to) = (&renamed.from, &renamed.to);
    let n = renamed.edits.len();
    let places = if n == 1 {
        "1 place".to_owned()
    } else {
        format!("{n} places")
    };
    let files = listing::n_files(renamed.texts.len());
    let done = if is_dry {
        format!("nothing is written: `{from}` would become `{to}` at {places} of {files}")
    } else {
        format!("`{from}` is `{to}` now, at {places} of {files}")
    };
    match planned.is_fresh() {
        true => format!("{done}; no generated file changes"),
        false => format!("{done}; `gen apply` then: {}", planned.plan.counts()),
    }
}
