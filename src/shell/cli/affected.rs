//! `gen affected`: the nodes of which an artifact changes.

use clap::Args;

use super::super::engine::Texts;
use super::super::report::Exit;
use super::since::compare;
use super::{AskArgs, Session, listing};
use crate::problem::Problem;

/// List the nodes whose artifacts have changed since a revision of git, as a CI matrix takes them
#[derive(Debug, Args)]
pub(super) struct AffectedArgs {
    /// A revision: REV against what stands on the disk, REV..REV2, or REV...REV2 from where the two parted
    #[arg(long, value_name = "REV")]
    since: String,
    #[command(flatten)]
    ask: AskArgs,
    /// Print them as a JSON array
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &AffectedArgs, session: &mut Session) -> Exit {
    let compared = match compare(session, &args.ask, &args.since, Vec::new(), Texts::Unprinted) {
        Ok(compared) => compared,
        Err(exit) => return exit,
    };
    let (problems, sources) = compared.problems();
    session.report.problems(&problems, sources);
    if problems.iter().any(Problem::is_error) {
        session.report.note(&listing::invalid(&problems));
        return Exit::Failed;
    }
    let affected = &compared.since.affected;
    if args.json {
        let names: Vec<&str> = affected.iter().map(|it| it.as_str()).collect();
        session.report.result(&format!("{}\n", serde_json::json!(names)));
    } else {
        let lines: String = affected.iter().map(|it| format!("{it}\n")).collect();
        session.report.result(&lines);
    }
    if !compared.since.gone.is_empty() {
        let gone: Vec<String> = compared.since.gone.iter().map(|it| format!("`{it}`")).collect();
        session
            .report
            .note(&format!("not listed, since they are gone: {}", gone.join(", ")));
    }
    Exit::Done
}
