//! `gen completions`: a script that teaches a shell the commands and flags.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::super::report::{Exit, Report};
use super::Cli;

/// Print a completion script for a shell
#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

pub(super) fn run(args: &CompletionsArgs, report: &Report) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "gen", &mut script);
    report.result(&String::from_utf8_lossy(&script));
    Exit::Done
}
