//! `gen man`: the manual pages, for `man`.

use clap::error::ErrorKind;
use clap::{Args, CommandFactory as _};
use clap_mangen::Man;

use super::super::report::{Exit, Report};
use super::Cli;
use crate::problem::closest;

/// Print a manual page, in the form that `man` reads
#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// The command, as in `plan`; the page of `gen` itself where none is named
    #[arg(value_name = "COMMAND")]
    command: Option<String>,
}

pub(super) fn run(args: &ManArgs, report: &Report) -> Exit {
    let mut all = Cli::command();
    // Gives each command its whole name and what it inherits.
    all.build();
    let page = match &args.command {
        None => all.clone(),
        Some(name) => match all.find_subcommand(name) {
            Some(command) => command.clone(),
            None => {
                let known: Vec<&str> = all.get_subcommands().map(clap::Command::get_name).collect();
                let instead = match closest(name, &known) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("known here: {}", known.join(", ")),
                };
                let text = format!("there is no command `{name}`; {instead}");
                let _: std::io::Result<()> = all.error(ErrorKind::InvalidValue, text).print();
                return Exit::Usage;
            }
        },
    };
    report.result(&manual(page));
    Exit::Done
}

/// Returns the page of `command`. Its synopsis is the usage that `--help` shows: the options with their values stand
/// below.
fn manual(mut command: clap::Command) -> String {
    let usage = command.render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").trim();
    let mut roff = Vec::new();
    Man::new(command)
        .render(&mut roff)
        .expect("what is written to memory is written");
    let text = String::from_utf8_lossy(&roff).into_owned();
    let head = ".SH SYNOPSIS\n";
    let Some(at) = text.find(head).map(|it| it + head.len()) else {
        return text;
    };
    let end = text[at..].find("\n.SH").map_or(text.len(), |it| at + it);
    let escaped = usage.replace('\\', "\\\\").replace('-', "\\-");
    format!("{}{escaped}{}", &text[..at], &text[end..])
}
