//! By what one sees that a file or folder has changed without reading it.

use std::fs::{self, Metadata};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::plan::Mode;

/// A moment of the file system's clock: seconds and nanoseconds.
pub type Time = (i64, u32);

/// By what one sees that a file has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stat {
    size: u64,
    modified: Time,
    changed: Time,
    inode: u64,
}

/// What stands at a path; a link is not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) sort: Sort,
    pub(super) mode: Mode,
    pub(super) stat: Stat,
}

/// Of what sort an entry of a folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    File,
    Folder,
    Link,
    Other,
}

/// A folder that is open, so that the way there need not be gone for each file that is looked at.
#[derive(Debug)]
pub struct Opened<'p> {
    path: &'p Path,
    #[cfg(target_os = "linux")]
    file: Option<fs::File>,
}

impl<'p> Opened<'p> {
    /// Opens the folder at `path`; where that is not possible, what lies in it is found all the same.
    #[must_use]
    pub fn new(path: &'p Path) -> Self {
        Self {
            path,
            #[cfg(target_os = "linux")]
            file: fs::File::open(path).ok(),
        }
    }

    /// Returns the stat of what stands at `path`, relative to this folder, once links are followed; none where there is
    /// nothing.
    #[must_use]
    pub fn stat(&self, path: &Path) -> Option<Stat> {
        #[cfg(target_os = "linux")]
        if let Some(folder) = self.file.as_ref().filter(|_| !path.as_os_str().is_empty()) {
            let raw = rustix::fs::statat(folder, path, rustix::fs::AtFlags::empty()).ok()?;
            return Some(Entry::of_raw(&raw).stat);
        }
        Stat::at(&self.path.join(path))
    }
}

impl Entry {
    pub(super) fn of(metadata: &Metadata) -> Self {
        let sort = match metadata.file_type() {
            it if it.is_file() => Sort::File,
            it if it.is_dir() => Sort::Folder,
            it if it.is_symlink() => Sort::Link,
            _ => Sort::Other,
        };
        #[cfg(unix)]
        let mode = {
            use std::os::unix::fs::PermissionsExt as _;
            mode_of(metadata.permissions().mode())
        };
        // Without such a bit nothing is missing.
        #[cfg(not(unix))]
        let mode = Mode::Executable;
        let stat = Stat::of(metadata);
        Self { sort, mode, stat }
    }

    #[cfg(target_os = "linux")]
    pub(super) fn of_raw(raw: &rustix::fs::Stat) -> Self {
        use rustix::fs::FileType;
        let sort = match FileType::from_raw_mode(raw.st_mode) {
            FileType::RegularFile => Sort::File,
            FileType::Directory => Sort::Folder,
            FileType::Symlink => Sort::Link,
            _ => Sort::Other,
        };
        let nanoseconds = |it: i64| u32::try_from(it).unwrap_or(0);
        let stat = Stat {
            size: u64::try_from(raw.st_size).unwrap_or(0),
            modified: (raw.st_mtime, nanoseconds(raw.st_mtime_nsec as i64)),
            changed: (raw.st_ctime, nanoseconds(raw.st_ctime_nsec as i64)),
            inode: raw.st_ino,
        };
        let mode = mode_of(raw.st_mode);
        Self { sort, mode, stat }
    }
}

#[cfg(unix)]
fn mode_of(bits: u32) -> Mode {
    if bits & 0o100 == 0 {
        Mode::Plain
    } else {
        Mode::Executable
    }
}

impl Stat {
    /// Returns the stat of what stands at `place`, once links are followed; none where there is nothing.
    #[must_use]
    pub fn at(place: &Path) -> Option<Self> {
        fs::metadata(place).ok().map(|it| Self::of(&it))
    }

    /// Returns the stat in `metadata`.
    #[must_use]
    pub fn of(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            let nanoseconds = |it: i64| u32::try_from(it).unwrap_or(0);
            Self {
                size: metadata.len(),
                modified: (metadata.mtime(), nanoseconds(metadata.mtime_nsec())),
                changed: (metadata.ctime(), nanoseconds(metadata.ctime_nsec())),
                inode: metadata.ino(),
            }
        }
        #[cfg(not(unix))]
        Self {
            size: metadata.len(),
            modified: metadata
                .modified()
                .ok()
                .and_then(|it| it.duration_since(std::time::UNIX_EPOCH).ok())
                .map_or((0, 0), |it| {
                    (i64::try_from(it.as_secs()).unwrap_or(i64::MAX), it.subsec_nanos())
                }),
            changed: (0, 0),
            inode: 0,
        }
    }

    /// Returns when the content was last written.
    #[must_use]
    pub(super) fn modified(&self) -> Time {
        self.modified
    }

    /// Tells whether the last change came at the moment `seen` or later.
    ///
    /// A second change within one tick of the clock leaves the same times, so that such a stat proves nothing of a
    /// content that was read in that tick.
    #[must_use]
    pub(super) fn is_as_young_as(&self, seen: Time) -> bool {
        self.modified >= seen || self.changed >= seen
    }

    /// Appends its bytes to `out`.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.size.to_le_bytes());
        for (seconds, nanoseconds) in [self.modified, self.changed] {
            out.extend(seconds.to_le_bytes());
            out.extend(nanoseconds.to_le_bytes());
        }
        out.extend(self.inode.to_le_bytes());
    }
}
