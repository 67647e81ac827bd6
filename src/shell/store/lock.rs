//! The lock that lets one apply at a time change the project.
//!
//! It is held by the system, not by the file: a process that dies leaves nothing behind.

use std::fs::File;

use super::super::disk::{CACHE, Disk};
use crate::problem::Problem;

/// What to do while another process holds the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Say who holds it, and fail.
    Fail,
    /// Wait for it.
    Wait,
}

/// The lock, held until this is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of the project of `disk`.
    ///
    /// # Errors
    /// A problem that names the holder.
    pub fn take(disk: &Disk, patience: Patience) -> Result<Self, Problem> {
        let path = format!("{CACHE}/lock");
        let failed = |error: std::io::Error| {
            Problem::error("shell::lock", format!("the lock `{path}` can't be taken: {error}"))
                .help("gen writes below `.gen`; the folder must be writable, on a file system that knows locks")
        };
        disk.make_cache_folder().map_err(failed)?;
        let calls = &disk.calls;
        let mut file = calls.open_lock(&disk.place(&path)).map_err(failed)?;
        if !calls.try_lock(&file).map_err(failed)? {
            if patience == Patience::Fail {
                // Where a locked file can't be read, the name of the holder stays unknown.
                let holder = calls.read_some(&mut file, 64).unwrap_or_default();
                let holder = holder.trim();
                let who = if holder.is_empty() || !holder.bytes().all(|it| it.is_ascii_digit()) {
                    "another process".to_owned()
                } else {
                    format!("the process {holder}")
                };
                return Err(
                    Problem::error("shell::locked", format!("{who} is applying changes to this project"))
                        .help("wait until it is done, or let gen wait with `--wait`"),
                );
            }
            calls.lock(&file).map_err(failed)?;
        }
        let pid = format!("{}\n", std::process::id());
        let note = calls
            .truncate(&file)
            .and_then(|()| calls.write(&mut file, pid.as_bytes()));
        note.map_err(failed)?;
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_says_who_is_first() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let disk = Disk::open(folder.path()).expect("the folder is there");
        let first = Lock::take(&disk, Patience::Fail).expect("free");
        let problem = Lock::take(&disk, Patience::Fail).expect_err("held");
        assert!(problem.message.contains(&std::process::id().to_string()), "{problem}");
        drop(first);
        Lock::take(&disk, Patience::Wait).expect("free again");
    }
}
