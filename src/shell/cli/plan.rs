//! `gen plan`: what would change, and why.

use std::path::PathBuf;

use clap::Args;

use super::super::engine::Texts;
use super::super::report::{Exit, ProblemFormat, Sources, problems};
use super::super::session;
use super::super::since;
use super::listing::{self, Length, Tense};
use super::since::compare;
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
    /// Compare with what would be generated at a revision of git, whatever output stands on the disk: REV against the
    /// spec, rules and templates on the disk, REV..REV2, or REV...REV2 from where the two parted
    #[arg(long, value_name = "REV")]
    since: Option<String>,
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
    /// Returns how problems are printed.
    pub(super) fn format(&self) -> ProblemFormat {
        ProblemFormat::beside(self.json)
    }
}

/// All that is said of a plan.
#[derive(Default)]
struct Made {
    planned: session::Planned,
    why: Option<&'static str>,
    diffs: Vec<Difference>,
    found: Vec<Problem>,
    sources: Sources,
}

pub(super) fn run(args: &PlanArgs, session: &mut Session) -> Exit {
    let paths = match session.relative(&args.paths) {
        Ok(paths) => paths,
        Err(problem) => return session.fail(problem),
    };
    let made = match &args.since {
        Some(range) => made_since(args, session, range, paths),
        None => made(args, session, paths),
    };
    let mut made = match made {
        Ok(made) => made,
        Err(exit) => return exit,
    };
    let is_wrong = made.found.iter().any(Problem::is_error);
    if args.json {
        problems::sort(&mut made.found);
        let document = json::document(&made.planned.plan, |at| made.diffs.get(at).cloned());
        let mut document = serde_json::to_value(document).expect("a plan is plain data");
        document["problems"] = problems::machine(&made.found, &made.sources);
        session.add_timings(&mut document);
        session.report.result(&format!("{document:#}\n"));
    } else {
        session.report.problems(&made.found, &made.sources);
        if is_wrong {
            session.report.note(&listing::invalid(&made.found));
        } else {
            show(args, session, &made.planned, &made.diffs);
            if let Some(note) = made.why {
                session.report.note(note);
            }
        }
    }
    if is_wrong {
        Exit::Failed
    } else if args.detailed_exitcode && !made.planned.is_fresh() {
        Exit::Pending
    } else {
        Exit::Done
    }
}

/// Plans against what stands on the disk.
fn made(args: &PlanArgs, session: &mut Session, paths: Vec<String>) -> Result<Made, Exit> {
    let ask = session.ask(&args.ask)?;
    let outcome = session.outcome(&ask);
    let scope = session::scope(&ask, &outcome, paths);
    let mut made = Made {
        found: outcome.problems.clone(),
        ..Made::default()
    };
    if !outcome.is_invalid() {
        made.planned = session.timed("compare", |it| {
            session::prepare(&it.disk, &outcome, &scope, &Decisions::default())
        });
        session::keep_fresh_inputs(&session.disk, &session.engine, &ask, &scope, &made.planned);
        made.found.append(&mut made.planned.problems);
    }
    if !made.found.iter().any(Problem::is_error) {
        let why = session.timed("reasons", |it| {
            session::give_reasons(&it.disk, &mut it.engine, &ask, &mut made.planned)
        });
        made.why = listing::unknown(why);
        made.found.append(&mut made.planned.problems);
    }
    if args.diff && !made.found.iter().any(Problem::is_error) {
        let plan = &made.planned.plan;
        match session::diffs(&session.disk, &mut session.engine, &outcome, plan, args.context) {
            Ok(diffs) => made.diffs = diffs,
            Err(problems) => made.found.extend(problems),
        }
    }
    made.sources = match outcome.sources.is_empty() && !made.found.is_empty() {
        true => session.engine.sources(),
        false => outcome.sources,
    };
    Ok(made)
}

/// Plans against what was wanted at a revision.
fn made_since(args: &PlanArgs, session: &mut Session, range: &str, paths: Vec<String>) -> Result<Made, Exit> {
    let texts = if args.diff { Texts::Printed } else { Texts::Unprinted };
    let compared = compare(session, &args.ask, range, paths, texts)?;
    let (found, sources) = compared.problems();
    let mut made = Made {
        found,
        sources: sources.clone(),
        ..Made::default()
    };
    if args.diff && !made.found.iter().any(Problem::is_error) {
        let context = args.context;
        match since::diffs(&mut session.engine, &compared.outcome, &compared.since, context) {
            Ok(diffs) => made.diffs = diffs,
            Err(problems) => made.found.extend(problems),
        }
    }
    made.planned.plan = compared.since.plan;
    Ok(made)
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
