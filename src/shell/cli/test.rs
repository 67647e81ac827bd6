//! `gen test`: runs the cases of packs.

use std::path::PathBuf;

use clap::Args;

use super::super::report::Exit;
use super::Session;

/// Run the test cases of packs
#[derive(Debug, Args)]
pub(super) struct TestArgs {
    /// Packs, or folders of cases; all if none is named
    #[arg(value_name = "PACK")]
    packs: Vec<PathBuf>,
}

pub(super) fn run(args: &TestArgs, session: &mut Session) -> Exit {
    let answer = session.engine.test(&args.packs);
    session.show(answer, |cases| {
        let mut n_failed = 0;
        for case in &cases {
            match &case.outcome {
                Ok(()) => session.report.result(&format!("ok      {}\n", case.name)),
                Err(difference) => {
                    n_failed += 1;
                    session.report.result(&format!("FAILED  {}\n", case.name));
                    session.report.diff(difference);
                }
            }
        }
        session
            .report
            .note(&format!("{} cases, {n_failed} failed", cases.len()));
        if n_failed == 0 { Exit::Done } else { Exit::Failed }
    })
}
