//! The exit codes, in one place.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// It did what was asked, or had nothing to do.
    Done,
    /// It failed, or the files are invalid.
    Failed,
    /// Changes are pending.
    Pending,
    /// The arguments are wrong.
    Usage,
    /// The user stopped it.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Pending => 2,
            // The code that BSD's sysexits.h names EX_USAGE; clap's own 2 would read as pending changes.
            Exit::Usage => 64,
            Exit::Interrupted => 130,
        })
    }
}
