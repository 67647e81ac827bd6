//! By what one sees that a file or folder has changed without reading it.

use std::fs::Metadata;

use serde::{Deserialize, Serialize};

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

impl Stat {
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
