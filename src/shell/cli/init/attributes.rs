//! `gen init --gitattributes`: a block of `.gitattributes` that tells git and those who show its diffs what is generated.
//!
//! On request only. What stands outside of the marks of the block is somebody else's, and stays.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::super::super::discover;
use super::super::super::disk::{Disk, Flush};
use super::super::super::manifest::{FOLDER, Manifest};
use super::super::super::shared::lock::LOCK;
use crate::db::SHARED;
use crate::problem::{Place, Problem, Span};
use crate::value::Name;

/// The file, beside the root file: its patterns are relative to the folder in which it stands.
pub(super) const FILE: &str = ".gitattributes";
const BEGIN: &str = "# Begin of what `gen init --gitattributes` writes.";
const END: &str = "# End of what `gen init --gitattributes` writes.";

/// What became of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Became {
    /// It is new.
    Created,
    /// It has another block.
    Updated,
    /// It is as it was.
    Unchanged,
}

/// What was written.
pub(super) struct Attributed {
    /// What became of the file.
    pub(super) became: Became,
    /// Whether a generated file is on record.
    pub(super) has_files: bool,
}

/// Writes the block for the project in `folder`.
///
/// # Errors
/// A problem where the file can't be read or written, or its marks are torn.
pub(super) fn write(folder: &Path) -> Result<Attributed, Problem> {
    let failed = |error: &std::io::Error| {
        Problem::error("shell::write_failed", format!("`{FILE}` can't be written: {error}"))
            .help("give yourself the right to write to this folder")
    };
    let disk = Disk::open(folder).map_err(|it| failed(&it))?;
    let old = match disk.stat(FILE) {
        Err(_) => None,
        Ok(metadata) if metadata.is_file() => {
            let (mut texts, mut problems) = discover::read(folder, &[FILE.to_owned()]);
            Some(texts.pop().ok_or_else(|| problems.remove(0))?.text)
        }
        Ok(_) => {
            let message = format!("`{FILE}` is a link or a folder, and no plain file");
            return Err(Problem::error("shell::no_plain_file", message).help("put a plain file there, or none"));
        }
    };
    let (manifest, _) = Manifest::load(&disk)?;
    let mut generated = Folder::default();
    // What somebody keeps by hand is no generated file.
    for record in manifest.records().iter().filter(|it| it.declined.is_none()) {
        generated.add(record.path.as_str());
    }
    let new = joined(old.as_deref().unwrap_or_default(), &block(&disk, &generated))?;
    let became = match old {
        Some(old) if *old == *new => Became::Unchanged,
        Some(_) => Became::Updated,
        None => Became::Created,
    };
    if became != Became::Unchanged {
        let written = disk.replace_small(FILE, new.as_bytes(), Flush::Now);
        written.map_err(|it| failed(&it))?;
    }
    Ok(Attributed {
        became,
        has_files: !generated.is_empty(),
    })
}

fn block(disk: &Disk, generated: &Folder) -> String {
    let mut lines = vec![BEGIN.to_owned()];
    let files = generated.patterns(disk, "").1;
    lines.extend(files.iter().map(|it| format!("{it} linguist-generated")));
    // Both sides of a merge are taken, as from a conflict; `gen apply` settles what they disagree on.
    lines.push(format!("/{FOLDER}/** linguist-generated merge=union"));
    lines.push(format!("/{SHARED}** linguist-vendored -text"));
    lines.push(format!("/{LOCK} linguist-generated -text"));
    lines.push(END.to_owned());
    lines.join("\n") + "\n"
}

/// Returns `old` with `block` in the place of the one that stands there, or behind all of it.
fn joined(old: &str, block: &str) -> Result<String, Problem> {
    let mut begins = Vec::new();
    let mut ends = Vec::new();
    let mut start = 0;
    for line in old.split_inclusive('\n') {
        let next = start + line.len();
        match line.trim_end() {
            BEGIN => begins.push(start..next),
            END => ends.push(start..next),
            _ => {}
        }
        start = next;
    }
    match (&begins[..], &ends[..]) {
        ([], []) => {
            let end = if old.is_empty() || old.ends_with('\n') {
                ""
            } else {
                "\n"
            };
            Ok(format!("{old}{end}{block}"))
        }
        ([begin], [end]) if begin.end <= end.start => Ok(format!("{}{block}{}", &old[..begin.start], &old[end.end..])),
        _ => {
            let first = begins.iter().chain(&ends).next().cloned().unwrap_or_default();
            let place = Place::Text(Name::from(FILE), Span::new(first.start, first.end));
            let message = format!("the marks of gen's block in `{FILE}` are torn: one begins it, and one ends it");
            Err(Problem::error("shell::torn_block", message)
                .at(place, "one of them")
                .help("delete the block with its marks; it is written anew"))
        }
    }
}

/// Generated files, by folder.
#[derive(Debug, Default)]
struct Folder {
    files: BTreeSet<String>,
    folders: BTreeMap<String, Folder>,
}

impl Folder {
    fn add(&mut self, path: &str) {
        match path.split_once('/') {
            Some((folder, rest)) => self.folders.entry(folder.to_owned()).or_default().add(rest),
            None => _ = self.files.insert(path.to_owned()),
        }
    }

    fn is_empty(&self) -> bool {
        self.files.is_empty() && self.folders.is_empty()
    }

    /// Tells whether nothing but generated files stands below this folder, which is the one at `path`; and returns the
    /// patterns for those. One pattern stands for a folder that holds nothing else.
    fn patterns(&self, disk: &Disk, path: &str) -> (bool, Vec<String>) {
        let mut patterns: Vec<String> = self
            .files
            .iter()
            .map(|it| pattern(&format!("{path}/{it}"), ""))
            .collect();
        let mut is_whole = true;
        for (name, folder) in &self.folders {
            let path = format!("{path}/{name}");
            let (is_whole_there, below) = folder.patterns(disk, &path);
            is_whole &= is_whole_there;
            if is_whole_there {
                patterns.push(pattern(&path, "/**"));
            } else {
                patterns.extend(below);
            }
        }
        let found = disk.list(path.trim_start_matches('/')).unwrap_or_default();
        is_whole &= found
            .iter()
            .all(|it| self.files.contains(it) || self.folders.contains_key(it));
        patterns.sort();
        (is_whole, patterns)
    }
}

/// Returns the pattern that `path` alone fits, with `wild` behind it, as `.gitattributes` writes it.
fn pattern(path: &str, wild: &str) -> String {
    let mut escaped = String::new();
    for letter in path.chars() {
        if ['*', '?', '[', '\\'].contains(&letter) {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped.push_str(wild);
    // Between quotes, a letter behind a backslash is itself again.
    if escaped.contains([' ', '"']) {
        format!("\"{}\"", escaped.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        escaped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_stands_in_the_place_of_the_old_one_alone() {
        let block = format!("{BEGIN}\nnew\n{END}\n");
        let old = format!("{BEGIN}\nold\n{END}\n");
        for (before, after) in [("", ""), ("*.png binary\n", ""), ("a\n", "b\n"), ("", "b")] {
            let joined = joined(&format!("{before}{old}{after}"), &block);
            assert_eq!(joined, Ok(format!("{before}{block}{after}")));
        }
        assert_eq!(joined("", &block), Ok(block.clone()));
        assert_eq!(joined("*.png binary", &block), Ok(format!("*.png binary\n{block}")));
        for torn in [
            format!("{BEGIN}\nold\n"),
            format!("{END}\n"),
            format!("{old}{old}"),
            format!("{END}\n{BEGIN}\n"),
        ] {
            assert_eq!(
                joined(&torn, &block).map_err(|it| it.code),
                Err("shell::torn_block".into())
            );
        }
    }

    #[test]
    fn a_pattern_is_of_one_path() {
        assert_eq!(pattern("/a/b.yaml", ""), "/a/b.yaml");
        assert_eq!(pattern("/a", "/**"), "/a/**");
        assert_eq!(pattern("/a*[b]", "/**"), "/a\\*\\[b]/**");
        assert_eq!(pattern("/a b\"c?", ""), "\"/a b\\\"c\\\\?\"");
    }
}
