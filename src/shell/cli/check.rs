//! `gen check`: for CI, whether everything is valid and fresh.

use clap::Args;

use super::super::report::{Exit, ProblemFormat, problems};
use super::super::session;
use super::listing::{self, Tense};
use super::{AskArgs, Session};
use crate::plan::{Decisions, Entry, json};
use crate::problem::{Place, Problem, Span};

/// Exit with 1 when something is invalid, else with 2 when something is not fresh
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    ask: AskArgs,
    /// How problems are printed
    #[arg(long, value_name = "FORMAT", default_value = "full")]
    pub(super) output_format: ProblemFormat,
}

pub(super) fn run(args: &CheckArgs, session: &mut Session) -> Exit {
    let ask = match session.ask(&args.ask) {
        Ok(ask) => ask,
        Err(exit) => return exit,
    };
    // What an earlier process found out was not read back whole.
    session
        .report
        .log(|| "derived anew: a check takes nothing over from an earlier run".to_owned());
    session.engine.read_all_back();
    let mut outcome = session.timed("derive", |it| it.engine.outcome(&ask));
    if !outcome.is_invalid() {
        let proved = session.timed("prove", |it| it.engine.prove(&ask));
        session
            .report
            .log(|| format!("{} proofs, {} do not hold", proved.n_proofs, proved.problems.len()));
        outcome.problems.extend(proved.problems);
        outcome.sources.extend(proved.sources);
    }
    let mut found = outcome.problems.clone();
    let mut planned = session::Planned::default();
    if !outcome.is_invalid() {
        let scope = session::scope(&ask, &outcome, Vec::new());
        planned = session.timed("compare", |it| {
            session::prepare(&it.disk, &outcome, &scope, &Decisions::default())
        });
        session::keep_fresh_inputs(&session.disk, &session.engine, &ask, &scope, &planned);
        found.append(&mut planned.problems);
    }
    let is_wrong = found.iter().any(Problem::is_error);
    let is_fresh = !is_wrong && planned.is_fresh();
    let report = &session.report;
    if args.output_format == ProblemFormat::Json {
        problems::sort(&mut found);
        let document = json::document(&planned.plan, |_| None);
        let mut document = serde_json::to_value(document).expect("a plan is plain data");
        document["valid"] = (!is_wrong).into();
        document["fresh"] = is_fresh.into();
        document["problems"] = problems::machine(&found, &outcome.sources);
        session.add_timings(&mut document);
        report.result(&format!("{document:#}\n"));
    } else if matches!(
        args.output_format,
        ProblemFormat::Sarif | ProblemFormat::Github | ProblemFormat::Gitlab
    ) {
        found.extend(planned.plan.entries.iter().map(not_fresh));
        report.problems(&found, &outcome.sources);
    } else {
        report.problems(&found, &outcome.sources);
        report.result(&listing::lines(&planned.plan, Tense::Future));
        report.result(&listing::kept(&planned.plan));
        listing::how_to_take_back(&planned.plan)
            .iter()
            .for_each(|it| report.note(it));
        report.note(&match (is_wrong, is_fresh) {
            (true, _) => listing::invalid(&found),
            (false, true) => format!("valid and fresh: {}", listing::n_files(planned.plan.n_unchanged)),
            (false, false) if planned.plan.is_empty() => {
                "valid, but the manifest is not settled: run `gen apply`".to_owned()
            }
            (false, false) if planned.plan.obstacles().is_empty() => {
                format!("valid, but not fresh: {}; run `gen apply`", planned.plan.counts())
            }
            (false, false) => format!(
                "valid, but not fresh: {}; {}",
                planned.plan.counts(),
                listing::UNDECIDED
            ),
        });
    }
    match (is_wrong, is_fresh) {
        (true, _) => Exit::Failed,
        (false, false) => Exit::Pending,
        (false, true) => Exit::Done,
    }
}

/// Says of a file that it is not what the rules want, where all findings are of one form.
fn not_fresh(entry: &Entry) -> Problem {
    let path = &entry.path;
    let message = format!("`{path}` is not fresh: {} by {}", entry.change.name(), entry.rule);
    Problem::error("plan::not_fresh", message)
        .at(Place::Text(path.as_str().into(), Span::new(0, 0)), "")
        .help("run `gen apply` and commit what it writes")
}
