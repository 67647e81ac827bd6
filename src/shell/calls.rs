//! The system calls by which gen changes a project, and looks at what it changes.
//!
//! One function a call, and no other way: so a test makes each of them fail in turn, and the list is whole. Files that
//! are only read, those of the spec, are `discover`'s. What a failure means is not known here.

use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::stat::Entry;
use crate::plan::Mode;

/// A call, named for the tests that make it fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Call {
    Stat,
    RealPath,
    Open,
    Read,
    ReadLink,
    List,
    MakeFolder,
    RemoveFolder,
    Remove,
    Rename,
    Create,
    Permit,
    /// The first half of what is written.
    Write,
    /// The other half.
    #[cfg(test)]
    WriteRest,
    Flush,
    FlushAll,
    OpenLock,
    Lock,
    Truncate,
}

/// The calls of one project's files.
#[derive(Debug, Default)]
pub(super) struct Calls {
    #[cfg(test)]
    pub(super) fault: tests::Fault,
    #[cfg(test)]
    pub(super) no_exchange: bool,
}

#[cfg_attr(
    not(test),
    expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "tests fail here")
)]
impl Calls {
    /// Passes a call, unless a test makes it fail.
    fn pass(&self, call: Call) -> io::Result<()> {
        #[cfg(test)]
        self.fault.pass(call)?;
        let _: Call = call;
        Ok(())
    }

    /// Tells whether a test has killed the process, which then does nothing more.
    pub(super) fn is_dead(&self) -> bool {
        #[cfg(test)]
        return self.fault.is_dead();
        #[cfg(not(test))]
        false
    }

    pub(super) fn stat(&self, place: &Path) -> io::Result<Metadata> {
        self.pass(Call::Stat)?;
        fs::symlink_metadata(place)
    }

    /// Returns what stands at `place` under `name`, in a folder that may be open already: then the way there need not be
    /// gone again.
    pub(super) fn entry(
        &self,
        folder: Option<&File>,
        name: &str,
        place: impl FnOnce() -> PathBuf,
    ) -> io::Result<Entry> {
        #[cfg(target_os = "linux")]
        if let Some(folder) = folder {
            self.pass(Call::Stat)?;
            let raw = rustix::fs::statat(folder, name, rustix::fs::AtFlags::SYMLINK_NOFOLLOW)?;
            return Ok(Entry::of_raw(&raw));
        }
        let _: (Option<&File>, &str) = (folder, name);
        Ok(Entry::of(&self.stat(&place())?))
    }

    pub(super) fn real_path(&self, place: &Path) -> io::Result<PathBuf> {
        self.pass(Call::RealPath)?;
        fs::canonicalize(place)
    }

    pub(super) fn open(&self, place: &Path) -> io::Result<File> {
        self.pass(Call::Open)?;
        File::open(place)
    }

    pub(super) fn read(&self, place: &Path) -> io::Result<Vec<u8>> {
        self.pass(Call::Open)?;
        self.pass(Call::Read)?;
        fs::read(place)
    }

    pub(super) fn read_head(&self, place: &Path, most: usize) -> io::Result<Vec<u8>> {
        let mut head = Vec::new();
        let file = self.open(place)?;
        self.pass(Call::Read)?;
        file.take(most as u64).read_to_end(&mut head)?;
        Ok(head)
    }

    pub(super) fn read_link(&self, place: &Path) -> io::Result<PathBuf> {
        self.pass(Call::ReadLink)?;
        fs::read_link(place)
    }

    pub(super) fn list(&self, place: &Path) -> io::Result<Vec<String>> {
        self.pass(Call::List)?;
        fs::read_dir(place)?
            .map(|it| Ok(it?.file_name().to_string_lossy().into_owned()))
            .collect()
    }

    pub(super) fn make_folder(&self, place: &Path) -> io::Result<()> {
        self.pass(Call::MakeFolder)?;
        fs::create_dir(place)
    }

    pub(super) fn remove_folder(&self, place: &Path) -> io::Result<()> {
        self.pass(Call::RemoveFolder)?;
        fs::remove_dir(place)
    }

    pub(super) fn remove(&self, place: &Path) -> io::Result<()> {
        self.pass(Call::Remove)?;
        fs::remove_file(place)
    }

    pub(super) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.pass(Call::Rename)?;
        fs::rename(from, to)
    }

    /// Renames where nothing stands at `to`; `None` where the system can't tell in one step.
    pub(super) fn rename_to_free(&self, from: &Path, to: &Path) -> Option<io::Result<()>> {
        #[cfg(target_os = "linux")]
        return self.rename_with(from, to, rustix::fs::RenameFlags::NOREPLACE);
        #[cfg(not(target_os = "linux"))]
        None
    }

    /// Lets two files change places; `None` where the system can't in one step.
    pub(super) fn exchange(&self, a: &Path, b: &Path) -> Option<io::Result<()>> {
        #[cfg(test)]
        if self.no_exchange {
            return None;
        }
        #[cfg(target_os = "linux")]
        return self.rename_with(a, b, rustix::fs::RenameFlags::EXCHANGE);
        #[cfg(not(target_os = "linux"))]
        None
    }

    #[cfg(target_os = "linux")]
    fn rename_with(&self, from: &Path, to: &Path, how: rustix::fs::RenameFlags) -> Option<io::Result<()>> {
        use rustix::io::Errno;
        if let Err(error) = self.pass(Call::Rename) {
            return Some(Err(error));
        }
        match rustix::fs::renameat_with(rustix::fs::CWD, from, rustix::fs::CWD, to, how) {
            Err(Errno::INVAL | Errno::NOSYS) => None,
            it => Some(it.map_err(Into::into)),
        }
    }

    /// Makes a file where nothing stands.
    pub(super) fn create(&self, place: &Path, mode: Mode) -> io::Result<File> {
        self.pass(Call::Create)?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(match mode {
                Mode::Plain => 0o666,
                Mode::Executable => 0o777,
            });
        }
        #[cfg(not(unix))]
        let _: Mode = mode;
        options.open(place)
    }

    /// Lets be done with the file at `place` what may be done with the one at `like`.
    pub(super) fn permit(&self, place: &Path, like: &Path) -> io::Result<()> {
        self.pass(Call::Permit)?;
        fs::set_permissions(place, fs::metadata(like)?.permissions())
    }

    pub(super) fn write(&self, file: &mut File, content: &[u8]) -> io::Result<()> {
        self.pass(Call::Write)?;
        #[cfg(test)]
        let content = {
            let (half, rest) = content.split_at(content.len() / 2);
            file.write_all(half)?;
            self.pass(Call::WriteRest)?;
            rest
        };
        file.write_all(content)
    }

    pub(super) fn truncate(&self, file: &File) -> io::Result<()> {
        self.pass(Call::Truncate)?;
        file.set_len(0)
    }

    /// Flushes one file or folder to the device.
    pub(super) fn flush(&self, file: &File) -> io::Result<()> {
        self.pass(Call::Flush)?;
        file.sync_all()
    }

    /// Flushes the whole file system of `file`; `None` where that can't be asked for.
    pub(super) fn flush_all(&self, file: &File) -> Option<io::Result<()>> {
        #[cfg(target_os = "linux")]
        return Some(
            self.pass(Call::FlushAll)
                .and_then(|()| rustix::fs::syncfs(file).map_err(Into::into)),
        );
        #[cfg(not(target_os = "linux"))]
        {
            let _: &File = file;
            None
        }
    }

    pub(super) fn open_lock(&self, place: &Path) -> io::Result<File> {
        self.pass(Call::OpenLock)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(target_os = "linux")]
        {
            // What stands there is truncated: it must not be a link to a file of the user's.
            use std::os::unix::fs::OpenOptionsExt as _;
            options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
        }
        options.open(place)
    }

    /// Takes the lock of `file`; `false` where another process holds it.
    pub(super) fn try_lock(&self, file: &File) -> io::Result<bool> {
        self.pass(Call::Lock)?;
        match file.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Waits for the lock of `file`.
    pub(super) fn lock(&self, file: &File) -> io::Result<()> {
        self.pass(Call::Lock)?;
        file.lock()
    }

    /// Returns the first bytes of `file`.
    pub(super) fn read_some(&self, file: &mut File, most: u64) -> io::Result<String> {
        self.pass(Call::Read)?;
        let mut text = String::new();
        file.take(most).read_to_string(&mut text)?;
        Ok(text)
    }
}

/// Tells whether `error` says that there is nothing, or that something above is no folder.
pub(super) fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

#[cfg(test)]
pub(super) mod tests {
    //! Where a test lets a call fail.

    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use super::*;

    /// How a call fails.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) enum Failure {
        /// The process is killed before the call.
        Kill,
        /// The call fails once by this error, if it is one that can.
        Once(ErrorKind),
        /// From this call on, each that can fails by this error: the disk is full, or read-only.
        FromThen(ErrorKind),
    }

    impl Failure {
        /// Tells whether `call` can fail so.
        fn concerns(self, call: Call) -> bool {
            let (Self::Once(kind) | Self::FromThen(kind)) = self else {
                return true;
            };
            let makes = matches!(
                call,
                Call::MakeFolder | Call::Create | Call::Write | Call::WriteRest | Call::OpenLock | Call::Rename
            );
            let flushes = matches!(call, Call::Flush | Call::FlushAll);
            let takes = matches!(call, Call::RemoveFolder | Call::Remove | Call::Truncate);
            match kind {
                ErrorKind::StorageFull => makes || flushes,
                ErrorKind::ReadOnlyFilesystem => makes || takes,
                _ => true,
            }
        }
    }

    /// The call that fails, after so many others that could have.
    #[derive(Debug, Default)]
    pub(crate) struct Fault {
        at: Option<(Failure, usize)>,
        n_passed: AtomicUsize,
        is_dead: AtomicBool,
        failed: OnceLock<Call>,
    }

    impl Fault {
        pub(crate) fn after(n_calls: usize, failure: Failure) -> Self {
            Self {
                at: Some((failure, n_calls)),
                ..Self::default()
            }
        }

        pub(super) fn pass(&self, call: Call) -> io::Result<()> {
            let Some((failure, nth)) = self.at.filter(|it| it.0.concerns(call)) else {
                return Ok(());
            };
            let n_passed = self.n_passed.fetch_add(1, Ordering::SeqCst);
            if n_passed < nth || (n_passed > nth && matches!(failure, Failure::Once(_))) {
                return Ok(());
            }
            self.failed.get_or_init(|| call);
            match failure {
                Failure::Kill => {
                    self.is_dead.store(true, Ordering::SeqCst);
                    Err(io::Error::other(format!("killed before {call:?}")))
                }
                Failure::Once(kind) | Failure::FromThen(kind) => Err(io::Error::from(kind)),
            }
        }

        pub(crate) fn is_dead(&self) -> bool {
            self.is_dead.load(Ordering::SeqCst)
        }

        /// Returns the call that failed first, if any did.
        pub(crate) fn first(&self) -> Option<Call> {
            self.failed.get().copied()
        }
    }
}
