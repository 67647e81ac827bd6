//! `gen plan`: what would change, and why.

use std::path::PathBuf;

use clap::Args;

use super::super::report::{Exit, ProblemFormat, problems};
use super::super::session;
use super::listing::{self, Length, Tense};
use super::{AskArgs, Session};
use crate::plan::json::Difference;
use crate::plan::{Decisions, json, markdown};
use crate::problem::Problem;

/// Show what would change, and why
#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    /// Artifacts, or folders of them; all if none is named
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    ask: AskArgs,
    /// Show the difference of each file
    #[arg(long)]
    diff: bool,
    /// Lines to show around each change, with --diff
    #[arg(long, value_name = "N", default_value_t = 3)]
    context: usize,
    /// List every file, however many there are
    #[arg(long)]
    all: bool,
    /// Print all of it for machines
    #[arg(long)]
    json: bool,
    /// Print a comment for a pull request, of 60,000 characters at most
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
    /// Exit with 2 when something would change
    #[arg(long)]
    detailed_exitcode: bool,
}

impl PlanArgs {
    /// Returns how problems are printed: into the document itself, if one is printed.
    pub(super) fn format(&self) -> ProblemFormat {
        if self.json {
            ProblemFormat::Json
        } else {
            ProblemFormat::Full
        }
    }
}

pub(super) fn run(args: &PlanArgs, session: &mut Session) -> Exit {
    let paths = match session.relative(&args.paths) {
        Ok(paths) => paths,
        Err(problem) => return session.fail(problem),
    };
    let ask = match session.ask(&args.ask) {
        Ok(ask) => ask,
        Err(exit) => return exit,
    };
    let outcome = session.outcome(&ask);
    let scope = session::scope(&ask, &outcome, paths);
    let mut found = outcome.problems.clone();
    let mut planned = session::Planned::default();
    if !outcome.is_invalid() {
        planned = session.timed("compare", |it| {
            session::prepare(&it.disk, &outcome, &scope, &Decisions::default())
        });
        found.append(&mut planned.problems);
    }
    let why = if found.iter().any(Problem::is_error) {
        session::Why::Known
    } else {
        session.timed("reasons", |it| {
            session::give_reasons(&it.disk, &mut it.engine, &ask, &mut planned)
        })
    };
    found.append(&mut planned.problems);
    let mut diffs = Vec::new();
    if args.diff && !found.iter().any(Problem::is_error) {
        let made = session::diffs(
            &session.disk,
            &mut session.engine,
            &outcome,
            &planned.plan,
            args.context,
        );
        match made {
            Ok(made) => diffs = made,
            Err(problems) => found.extend(problems),
        }
    }
    let is_wrong = found.iter().any(Problem::is_error);
    if args.json {
        problems::sort(&mut found);
        let document = json::document(&planned.plan, |at| diffs.get(at).cloned());
        let mut document = serde_json::to_value(document).expect("a plan is plain data");
        document["problems"] = problems::machine(&found, &outcome.sources);
        session.report.result(&format!("{document:#}\n"));
    } else {
        session.report.problems(&found, &outcome.sources);
        if is_wrong {
            session.report.note(&listing::invalid(&found));
        } else {
            show(args, session, &planned, &diffs);
            if let Some(note) = listing::unknown(why) {
                session.report.note(note);
            }
        }
    }
    if is_wrong {
        Exit::Failed
    } else if args.detailed_exitcode && !planned.is_fresh() {
        Exit::Pending
    } else {
        Exit::Done
    }
}

fn show(args: &PlanArgs, session: &Session, planned: &session::Planned, diffs: &[Difference]) {
    let report = &session.report;
    if args.markdown {
        let texts: Vec<String> = diffs.iter().map(|it| it.text.clone()).collect();
        return report.result(&markdown::markdown(&planned.plan, &texts));
    }
    let length = if args.all { Length::Whole } else { Length::Page };
    report.result(&listing::effects(&planned.plan, length));
    if args.diff {
        let paired = listing::paired(&planned.plan);
        let entries = planned.plan.entries.iter().zip(diffs);
        for (entry, diff) in entries.filter(|it| !paired.contains(&it.0.path)) {
            report.result(&listing::line(entry, Tense::Future, 0));
            report.result(&listing::fields(diff));
            report.diff(&diff.text);
        }
    } else {
        report.result(&listing::grouped(&planned.plan, length));
    }
    report.result(&listing::kept(&planned.plan));
    listing::how_to_take_back(&planned.plan)
        .iter()
        .for_each(|it| report.note(it));
    if planned.is_fresh() {
        report.note(&format!("no changes: {}", listing::as_wanted(planned.plan.n_unchanged)));
        return;
    }
    report.note(&planned.plan.counts().to_string());
    if !planned.plan.obstacles().is_empty() {
        report.note(listing::UNDECIDED);
    }
}
