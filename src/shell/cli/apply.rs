//! `gen apply`: does what a plan shows.

use std::path::PathBuf;

use clap::Args;

use super::super::report::{Exit, Sources};
use super::super::session;
use super::super::store::Patience;
use super::listing::{self, Tense};
use super::{AskArgs, Session};
use crate::plan::{Chosen, Decisions};
use crate::problem::Problem;

/// Write the files that a plan shows, all or none
#[derive(Debug, Args)]
pub(super) struct ApplyArgs {
    /// Artifacts, or folders of them; all if none is named
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    ask: AskArgs,
    /// Let the generated content replace files that were edited by hand or that gen did not write: those at PATH, or all
    #[arg(long, value_name = "PATH", num_args = 0..=1, require_equals = true, default_missing_value = ALL)]
    overwrite: Vec<PathBuf>,
    /// Keep such files as they are, on record, until something else is generated: those at PATH, or all
    #[arg(long, value_name = "PATH", num_args = 0..=1, require_equals = true, default_missing_value = ALL)]
    adopt: Vec<PathBuf>,
    /// Merge what was edited by hand with what is generated now: those at PATH, or all. Conflicts are marked in the file
    #[arg(long, value_name = "PATH", num_args = 0..=1, require_equals = true, default_missing_value = ALL)]
    merge: Vec<PathBuf>,
    /// Wait while another process applies
    #[arg(long)]
    wait: bool,
}

/// What a flag without a path means: the folder of the user, which is all if that is the root.
const ALL: &str = ".";

pub(super) fn run(args: &ApplyArgs, session: &mut Session) -> Exit {
    let decided = decisions(args, session).and_then(|it| Ok((it, session.relative(&args.paths)?)));
    let (decisions, paths) = match decided {
        Ok(decided) => decided,
        Err(Wrong::Usage(text)) => {
            return session.usage(text);
        }
        Err(Wrong::Problem(problem)) => return session.fail(problem),
    };
    let ask = match session.ask(&args.ask) {
        Ok(ask) => ask,
        Err(exit) => return exit,
    };
    let outcome = session.outcome(&ask);
    let scope = session::scope(&ask, &outcome, paths);
    let patience = if args.wait { Patience::Wait } else { Patience::Fail };
    let applied = session.timed("apply", |it| {
        session::apply(
            &mut it.memory,
            &it.disk,
            &mut it.engine,
            session::Order {
                ask: &ask,
                outcome: &outcome,
                scope: &scope,
                decisions: &decisions,
                is_meant: true,
            },
            patience,
        )
    });
    session.memory.save(&session.disk, &outcome);
    if let Ok((planned, _)) = &applied {
        if !session.engine.is_worth_keeping() {
            session.remember(&ask, &outcome);
        }
        session::keep_inputs(&session.disk, &session.engine, &ask, &scope, planned);
    }
    let report = &session.report;
    let (planned, recovery) = match applied {
        Ok(applied) => applied,
        Err(refusal) => {
            report.problems(&refusal.problems, &outcome.sources);
            return Exit::Failed;
        }
    };
    listing::settled(recovery).into_iter().for_each(|it| report.note(it));
    report.problems(&outcome.problems, &outcome.sources);
    report.problems(&planned.problems, &Sources::default());
    report.result(&listing::lines(&planned.plan, Tense::Past));
    let is_torn = planned
        .plan
        .entries
        .iter()
        .any(|it| it.merged.is_some_and(|it| it.n_conflicts > 0));
    report.note(&if planned.plan.is_empty() {
        format!("nothing to do: {}", listing::as_wanted(planned.plan.n_unchanged))
    } else {
        let changed = planned.plan.entries.len();
        format!("done: {changed} changed, {} unchanged", planned.plan.n_unchanged)
    });
    if is_torn { Exit::Failed } else { Exit::Done }
}

enum Wrong {
    Usage(&'static str),
    Problem(Problem),
}

impl From<Problem> for Wrong {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

fn decisions(args: &ApplyArgs, session: &Session) -> Result<Decisions, Wrong> {
    let decisions = Decisions {
        overwrite: chosen(&args.overwrite, session)?,
        adopt: chosen(&args.adopt, session)?,
        merge: chosen(&args.merge, session)?,
    };
    let all = [&decisions.overwrite, &decisions.adopt, &decisions.merge];
    let mut named: Vec<&str> = all.iter().flat_map(|it| it.named()).collect();
    let n_named = named.len();
    named.sort_unstable();
    named.dedup();
    if named.len() < n_named || all.iter().filter(|it| ***it == Chosen::All).count() > 1 {
        return Err(Wrong::Usage(
            "`--overwrite`, `--adopt` and `--merge` contradict each other: name different paths",
        ));
    }
    Ok(decisions)
}

fn chosen(paths: &[PathBuf], session: &Session) -> Result<Chosen, Problem> {
    if paths.is_empty() {
        return Ok(Chosen::None);
    }
    let paths = session.relative(paths)?;
    Ok(if paths.is_empty() {
        Chosen::All
    } else {
        Chosen::Under(paths.into_iter().collect())
    })
}
