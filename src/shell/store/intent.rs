//! The record of an apply that has begun: all that a later run needs to finish it, or to restore what was there.
//!
//! Written and flushed before anything else changes, deleted when everything is done. Paths in it are checked like
//! any other.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::super::disk::{CACHE, Disk, Flush};
use super::super::manifest;
use crate::fingerprint::Fingerprint;
use crate::plan::{ArtifactPath, Record};

const FIRST: &str = "gen intent 1";
const LAST: &str = "end";

/// What stood at a path when the apply began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Old {
    /// Nothing.
    Nothing,
    /// A file.
    File(Fingerprint),
    /// A link, by the fingerprint of its target.
    Link(Fingerprint),
}

/// One file that an apply changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Action {
    /// The file.
    pub(super) path: ArtifactPath,
    /// What stood there.
    pub(super) old: Old,
    /// What will; `None` where it is deleted.
    pub(super) new: Option<Fingerprint>,
}

/// All of an apply.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Intent {
    /// The folders that did not exist, the outer ones first.
    pub(super) folders: Vec<String>,
    /// The files.
    pub(super) actions: Vec<Action>,
    /// The records that go or change, as they were.
    pub(super) before: Vec<Record>,
    /// The records that come or change, as they will be.
    pub(super) after: Vec<Record>,
}

fn path() -> String {
    format!("{CACHE}/intent")
}

impl Intent {
    fn write(&self) -> String {
        let mut text = format!("{FIRST}\n");
        for folder in &self.folders {
            let _ = writeln!(text, "folder {folder}");
        }
        for Action { path, old, new } in &self.actions {
            let old = match old {
                Old::Nothing => "-".to_owned(),
                Old::File(digest) => digest.to_string(),
                Old::Link(digest) => format!("@{digest}"),
            };
            let new = new.map_or("-".to_owned(), |it| it.to_string());
            let _ = writeln!(text, "file {old} {new} {path}");
        }
        for record in &self.before {
            let _ = writeln!(text, "before {}", manifest::line(record));
        }
        for record in &self.after {
            let _ = writeln!(text, "after {}", manifest::line(record));
        }
        text + LAST + "\n"
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        if lines.next() != Some(FIRST) || lines.next_back() != Some(LAST) {
            return None;
        }
        let mut intent = Self::default();
        for line in lines {
            let (what, rest) = line.split_once(' ')?;
            match what {
                "folder" => intent.folders.push(ArtifactPath::parse(rest).ok()?.to_string()),
                "file" => intent.actions.push(parse_action(rest)?),
                "before" => intent.before.push(manifest::parse_line(rest).ok()?),
                "after" => intent.after.push(manifest::parse_line(rest).ok()?),
                _ => return None,
            }
        }
        Some(intent)
    }

    /// Returns the paths whose records change.
    pub(super) fn touched(&self) -> BTreeSet<ArtifactPath> {
        self.before
            .iter()
            .chain(&self.after)
            .map(|it| it.path.clone())
            .collect()
    }

    /// Writes the intent, flushed.
    pub(super) fn save(&self, disk: &Disk) -> std::io::Result<()> {
        disk.replace_small(&path(), self.write().as_bytes(), Flush::Now)
    }

    /// Returns the intent of an apply that was interrupted, if there is one.
    pub(super) fn load(disk: &Disk) -> std::io::Result<Option<Self>> {
        match disk.read_small(&path()) {
            Ok(bytes) => {
                let intent = std::str::from_utf8(&bytes).ok().and_then(Self::parse);
                intent
                    .map(Some)
                    .ok_or_else(|| std::io::Error::from(std::io::ErrorKind::InvalidData))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Deletes the intent.
    pub(super) fn remove(disk: &Disk) -> std::io::Result<()> {
        disk.remove_small(&path())
    }
}

fn parse_action(text: &str) -> Option<Action> {
    let (old, rest) = text.split_once(' ')?;
    let (new, path) = rest.split_once(' ')?;
    let old = match old.strip_prefix('@') {
        Some(target) => Old::Link(Fingerprint::parse(target)?),
        None if old == "-" => Old::Nothing,
        None => Old::File(Fingerprint::parse(old)?),
    };
    let new = match new {
        "-" => None,
        digest => Some(Fingerprint::parse(digest)?),
    };
    Some(Action {
        path: ArtifactPath::parse(path).ok()?,
        old,
        new,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let path = |it: &str| ArtifactPath::parse(it).expect("a plain path");
        let digest = Fingerprint::of(b"x");
        let record = Record {
            path: path("a b/c"),
            digest,
            declined: Some(digest),
            rule: "tubes/line".into(),
        };
        let intent = Intent {
            folders: vec!["a b".into()],
            actions: [
                (Old::Nothing, Some(digest)),
                (Old::File(digest), None),
                (Old::Link(digest), Some(digest)),
            ]
            .map(|(old, new)| Action {
                path: path("a b/c"),
                old,
                new,
            })
            .into(),
            before: vec![record.clone()],
            after: vec![record],
        };
        let text = intent.write();
        assert_eq!(Intent::parse(&text), Some(intent));
        for end in 0..text.len() {
            assert_eq!(Intent::parse(&text[..end]), None, "cut at {end}");
        }
        assert_eq!(Intent::parse(&text.replace("a b/c", "../c")), None);
    }
}
