//! The stat index: what a file held when it was last read, and by what to see that it still does.
//!
//! As git's: size, times and inode of a file, and a file whose time is not older than the index itself is read
//! again, since it may have changed within one tick of the clock. Disposable; damage means an empty index.

use std::cmp::Ordering;
use std::io;

use super::disk::{Disk, Flush, Seen};
use super::seal::{self, HEAD, Sort};
use super::stat::{Stat, Time};
use crate::fingerprint::Fingerprint;

const SORT: &Sort = b"genidx1\n";
/// Size, two times, inode and digest of one entry, behind its path.
const FIXED: usize = 8 + 12 + 12 + 8 + 16;

/// What files held when they were last read.
#[derive(Debug, Default)]
pub struct Index {
    bytes: Vec<u8>,
    /// Where each entry begins, sorted by path.
    starts: Vec<u32>,
    /// When the index was written.
    written: Time,
}

impl Index {
    /// Reads the index in the file at `path`, below the root of `disk`. A missing or damaged one is empty.
    #[must_use]
    pub fn load(disk: &Disk, path: &str) -> Self {
        let (Ok(bytes), Ok(metadata)) = (disk.read_small(path), disk.stat(path)) else {
            return Self::default();
        };
        let written = Stat::of(&metadata).modified();
        Self::parse(bytes, written).unwrap_or_default()
    }

    fn parse(bytes: Vec<u8>, written: Time) -> Option<Self> {
        seal::open(SORT, &bytes)?;
        let mut starts = Vec::new();
        let mut at = HEAD;
        while at < bytes.len() {
            starts.push(u32::try_from(at).ok()?);
            let length = u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?);
            at += 2 + usize::from(length) + FIXED;
        }
        (at == bytes.len()).then_some(Self { bytes, starts, written })
    }

    /// Returns the path at `start` and what follows it.
    fn entry(&self, start: u32) -> (&[u8], &[u8]) {
        let start = start as usize;
        let length = usize::from(u16::from_le_bytes([self.bytes[start], self.bytes[start + 1]]));
        self.bytes[start + 2..start + 2 + length + FIXED].split_at(length)
    }

    /// Returns the fingerprint of the file at `path`, if its `stat` says that it is the same as when it was read. It is
    /// looked for around the place `near`: whoever asks for many, sorted, finds most where they stand in his list.
    #[must_use]
    pub fn digest(&self, path: &str, near: usize, stat: &Stat) -> Option<Fingerprint> {
        if stat.is_as_young_as(self.written) {
            return None;
        }
        let (_, fixed) = self.entry(self.find(path.as_bytes(), near)?);
        let mut same = Vec::with_capacity(FIXED);
        stat.write(&mut same);
        let (stat, digest) = fixed.split_at(FIXED - 16);
        (stat == same)
            .then(|| digest.try_into().map(Fingerprint::from_bytes).ok())
            .flatten()
    }

    /// Returns where the entry of `path` begins: looked for in steps that double away from `near`, then between the last two.
    fn find(&self, path: &[u8], near: usize) -> Option<u32> {
        let compare = |start: &u32| self.entry(*start).0.cmp(path);
        let near = near.min(self.starts.len());
        let (before, from) = self.starts.split_at(near);
        let between = match from.first().map(compare) {
            Some(Ordering::Equal) => return from.first().copied(),
            Some(Ordering::Less) => {
                let mut reach = 1;
                while from.get(reach).is_some_and(|it| compare(it).is_lt()) {
                    reach *= 2;
                }
                &from[reach / 2..from.len().min(reach + 1)]
            }
            Some(Ordering::Greater) | None => {
                let mut reach = 1;
                while near.checked_sub(reach).is_some_and(|it| compare(&before[it]).is_gt()) {
                    reach *= 2;
                }
                &before[near.saturating_sub(reach)..near - reach / 2]
            }
        };
        between.binary_search_by(compare).ok().map(|at| between[at])
    }

    /// Writes an index with what this one says, `seen` instead where both speak of a path, and without what
    /// `keep` does not want. A failure is nobody's concern: the index saves time only.
    pub fn save(&self, disk: &Disk, path: &str, mut seen: Vec<Seen>, keep: impl Fn(&str) -> bool) {
        seen.sort_by(|a, b| a.0.cmp(&b.0));
        seen.dedup_by(|a, b| a.0 == b.0);
        let mut body: Vec<u8> = Vec::with_capacity(self.bytes.len());
        let mut new = seen.iter().peekable();
        let put = |body: &mut Vec<u8>, (path, stat, digest): &Seen| {
            if let Ok(length) = u16::try_from(path.len()) {
                body.extend(length.to_le_bytes());
                body.extend(path.as_bytes());
                stat.write(body);
                body.extend(digest.bytes());
            }
        };
        for start in &self.starts {
            let (path, _) = self.entry(*start);
            while let Some(it) = new.next_if(|it| it.0.as_bytes() < path) {
                put(&mut body, it);
            }
            if let Some(it) = new.next_if(|it| it.0.as_bytes() == path) {
                put(&mut body, it);
            } else if std::str::from_utf8(path).is_ok_and(&keep) {
                let start = *start as usize;
                body.extend(&self.bytes[start..start + 2 + path.len() + FIXED]);
            }
        }
        new.for_each(|it| put(&mut body, it));
        let (_, bytes) = seal::seal(SORT, &body);
        let _: io::Result<()> = disk.replace_small(path, &bytes, Flush::Later);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = ".gen/cache/outputs";

    #[test]
    fn an_entry_holds_until_its_file_changes() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let disk = Disk::open(folder.path()).expect("the folder is there");
        let write = |text: &str| std::fs::write(folder.path().join("a"), text).expect("written");
        write("x");
        // The file is older than the index by more than a tick.
        std::thread::sleep(std::time::Duration::from_millis(20));
        let stat = Stat::of(&disk.stat("a").expect("there"));
        let seen = vec![
            ("b".to_owned(), stat, Fingerprint::of(b"b")),
            ("a".to_owned(), stat, Fingerprint::of(b"x")),
        ];
        Index::default().save(&disk, PATH, seen, |_| true);
        let index = Index::load(&disk, PATH);
        assert_eq!(index.digest("a", 0, &stat), Some(Fingerprint::of(b"x")));
        assert_eq!(index.digest("c", 0, &stat), None);
        write("y");
        assert_eq!(index.digest("a", 0, &Stat::of(&disk.stat("a").expect("there"))), None);

        index.save(&disk, PATH, vec![("c".to_owned(), stat, Fingerprint::of(b"c"))], |it| {
            it != "b"
        });
        let index = Index::load(&disk, PATH);
        let known = ["a", "b", "c"].map(|it| index.digest(it, 0, &stat).is_some());
        assert_eq!(known, [true, false, true]);
    }

    #[test]
    fn an_entry_is_found_from_wherever_it_is_looked_for() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let disk = Disk::open(folder.path()).expect("the folder is there");
        let stat = Stat::of(&disk.stat("").expect("there"));
        let name = |at: usize| format!("{at:02}");
        for n in [0, 1, 2, 3, 7, 8, 20] {
            // Every other name is left out.
            let seen = (0..n).map(|at| (name(at * 2), stat, Fingerprint::of(name(at * 2).as_bytes())));
            Index::default().save(&disk, PATH, seen.collect(), |_| true);
            let index = Index::load(&disk, PATH);
            for (at, near) in (0..=n * 2).flat_map(|at| (0..n + 3).map(move |near| (at, near))) {
                let name = name(at);
                let found = index.find(name.as_bytes(), near).map(|it| index.entry(it).0);
                let expected = (at % 2 == 0 && at < n * 2).then_some(name.as_bytes());
                assert_eq!(found, expected, "{name} of {n} near {near}");
            }
        }
    }

    #[test]
    fn a_file_as_young_as_the_index_is_read_again() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let disk = Disk::open(folder.path()).expect("the folder is there");
        std::fs::write(folder.path().join("a"), "x").expect("written");
        let stat = Stat::of(&disk.stat("a").expect("there"));
        Index::default().save(&disk, PATH, vec![("a".to_owned(), stat, Fingerprint::of(b"x"))], |_| {
            true
        });
        let index = Index {
            written: stat.modified(),
            ..Index::load(&disk, PATH)
        };
        assert_eq!(index.digest("a", 0, &stat), None);
    }

    #[test]
    fn a_damaged_index_is_empty() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let disk = Disk::open(folder.path()).expect("the folder is there");
        std::fs::write(folder.path().join("a"), "x").expect("written");
        let stat = Stat::of(&disk.stat("a").expect("there"));
        Index::default().save(&disk, PATH, vec![("a".to_owned(), stat, Fingerprint::of(b"x"))], |_| {
            true
        });
        let mut bytes = disk.read_small(PATH).expect("there");
        for at in 0..bytes.len() {
            bytes[at] ^= 1;
            assert!(Index::parse(bytes.clone(), (0, 0)).is_none(), "byte {at}");
            bytes[at] ^= 1;
        }
        assert!(Index::parse(bytes, (0, 0)).is_some());
    }
}
