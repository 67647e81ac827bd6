//! `gen test`: runs the cases of packs.

use std::path::PathBuf;

use clap::Args;

use super::super::report::Exit;
use super::Session;

/// Run the test cases of packs
#[derive(Debug, Args)]
pub(super) struct TestArgs {
    /// Names of packs, folders of packs or of cases, or single cases; all if none is named
    #[arg(value_name = "PACK")]
    packs: Vec<PathBuf>,
}

pub(super) fn run(args: &TestArgs, session: &mut Session) -> Exit {
    let answer = session.engine.test(&session.here, &args.packs);
    session.show(answer, |cases| {
        let mut n_failed = 0;
        for case in &cases {
            match &case.outcome {
                Ok(()) => session.report.result(&format!("ok      {}\n", case.name)),
                Err(difference) => {
                    n_failed += 1;
                    session.report.result(&format!("FAILED  {}\n", case.name));
                    let end = if difference.ends_with('\n') { "" } else { "\n" };
                    session.report.diff(&format!("{difference}{end}"));
                }
            }
        }
        session.report.note(&match cases.len() {
            1 => format!("1 case, {n_failed} failed"),
            n => format!("{n} cases, {n_failed} failed"),
        });
        if n_failed == 0 { Exit::Done } else { Exit::Failed }
    })
}
