//! `.gen/manifest/`: which files are gen's, and what they held when they were written.
//!
//! Lines of text, one a file, sorted by path, so that git merges them line by line. In which shard a line stands
//! means nothing to the reader: the writer keeps shards small enough to be rewritten often, and few enough to be
//! read fast. What a manifest lists is not trusted: a path in it is checked like any other.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use rayon::prelude::*;

use super::disk::{Disk, Flush};
use crate::fingerprint::Fingerprint;
use crate::plan::{ArtifactPath, Record};
use crate::problem::{Place, Problem, Span};
use crate::value::Name;

/// The folder of the shards.
pub const FOLDER: &str = ".gen/manifest";
/// The first line of each shard.
const HEAD: &str = "# Files that `gen` wrote, and what they held. Commit this; `gen apply` keeps it.\n";
/// A folder with fewer records stands in the shard of the folder above.
const FEW: usize = 16;
/// A shard with more records is split by the hash of the path.
const MANY: usize = 512;

/// What the manifest says.
#[derive(Clone, Debug, Default)]
pub struct Manifest {
    records: Vec<Record>,
    /// The shard of each record, by its place in `shards`.
    shard_of: Vec<u32>,
    shards: Vec<Name>,
    /// Other contents on record of a path, after a merge that took both sides.
    also: BTreeMap<ArtifactPath, Vec<Record>>,
    /// Shards that are to be written: they changed, or hold conflicts or damage.
    unsettled: BTreeSet<Name>,
}

impl Manifest {
    /// Returns a manifest of `records`, each path once, of which nothing is saved yet.
    #[must_use]
    pub fn of(mut records: Vec<Record>) -> Self {
        records.sort();
        records.dedup_by(|a, b| a.path == b.path);
        let (shard_of, shards) = layout(&records);
        Self {
            unsettled: shards.iter().cloned().collect(),
            records,
            shard_of,
            shards,
            also: BTreeMap::new(),
        }
    }

    /// Returns the records, sorted by path, each path once.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Returns the record of `path`.
    #[must_use]
    pub fn get(&self, path: &ArtifactPath) -> Option<&Record> {
        let at = self.records.binary_search_by(|it| it.path.cmp(path)).ok()?;
        Some(&self.records[at])
    }

    /// Tells whether the next save writes something: a change, or the order after a merge or damage.
    #[must_use]
    pub fn is_unsettled(&self) -> bool {
        !self.unsettled.is_empty()
    }

    /// Of records that contradict each other after a merge, takes the one that fits what stands on the disk.
    pub fn settle(&mut self, found: impl Fn(&ArtifactPath) -> Option<Fingerprint>) {
        for (path, others) in std::mem::take(&mut self.also) {
            let (Some(digest), Ok(at)) = (found(&path), self.records.binary_search_by(|it| it.path.cmp(&path))) else {
                continue;
            };
            if let Some(fit) = others.into_iter().find(|it| it.digest == digest) {
                self.records[at] = fit;
            }
        }
    }

    /// Reads the manifest below the root of `disk`, with warnings of what is damaged in it.
    ///
    /// # Errors
    /// A problem where files can't be read at all.
    pub fn load(disk: &Disk) -> Result<(Self, Vec<Problem>), Problem> {
        let mut names = disk.list(FOLDER).map_err(|error| unreadable(FOLDER, &error))?;
        names.retain(|it| it.ends_with(".txt") && !it.starts_with('.'));
        names.sort_unstable();
        let shards: Vec<Result<Shard, Problem>> = names
            .into_par_iter()
            .map(|name| {
                let path = format!("{FOLDER}/{name}");
                let bytes = disk.read_small(&path).map_err(|error| unreadable(&path, &error))?;
                let text = String::from_utf8(bytes);
                let text = text.unwrap_or_else(|it| String::from_utf8_lossy(it.as_bytes()).into_owned());
                Ok(Shard::parse(name.into(), &text))
            })
            .collect();
        let mut lines: Vec<(Record, u32)> = Vec::new();
        let mut manifest = Self::default();
        let mut problems = Vec::new();
        for shard in shards {
            let mut shard = shard?;
            let number = u32::try_from(manifest.shards.len()).expect("a folder holds fewer files than that");
            if !shard.problems.is_empty() {
                manifest.unsettled.insert(shard.name.clone());
            }
            lines.extend(shard.records.into_iter().map(|it| (it, number)));
            problems.append(&mut shard.problems);
            manifest.shards.push(shard.name);
        }
        lines.sort_by(|a, b| a.0.cmp(&b.0));
        for (record, shard) in lines {
            match manifest.records.last() {
                // A merge of git's that takes both sides of a shard has twice what both have.
                Some(last) if *last == record && manifest.shard_of.last() == Some(&shard) => {}
                Some(last) if last.path == record.path => {
                    manifest.unsettled.insert(manifest.shards[shard as usize].clone());
                    manifest.also.entry(record.path.clone()).or_default().push(record);
                }
                _ => {
                    manifest.records.push(record);
                    manifest.shard_of.push(shard);
                }
            }
        }
        Ok((manifest, problems))
    }

    /// Forgets what is on record of `paths`, and takes `records` instead.
    pub fn edit(&mut self, paths: &BTreeSet<ArtifactPath>, records: &[Record]) {
        let replaced: BTreeMap<&ArtifactPath, &Record> = records.iter().map(|it| (&it.path, it)).collect();
        // An edit of known files keeps the shards as they are: no need to lay out all anew.
        let is_same = paths
            .iter()
            .all(|it| self.get(it).is_some() == replaced.contains_key(it))
            && replaced.keys().all(|it| self.get(it).is_some());
        if is_same {
            for record in records {
                if let Ok(at) = self.records.binary_search_by(|it| it.path.cmp(&record.path))
                    && self.records[at] != *record
                {
                    self.records[at] = record.clone();
                    self.unsettled.insert(self.shards[self.shard_of[at] as usize].clone());
                }
            }
            return;
        }
        let kept = self
            .records
            .iter()
            .filter(|it| !paths.contains(&it.path) && !replaced.contains_key(&it.path));
        let mut next = Self::of(kept.chain(records).cloned().collect());
        next.unsettled = std::mem::take(&mut self.unsettled);
        let differences = self.differences(&next);
        next.unsettled.extend(differences);
        *self = next;
    }

    /// Returns the shards whose lines are not the same in this manifest and in `next`.
    fn differences(&self, next: &Self) -> BTreeSet<Name> {
        let mut dirty: BTreeSet<&Name> = BTreeSet::new();
        let (mut old, mut new) = (self.lines().peekable(), next.lines().peekable());
        loop {
            let order = match (old.peek(), new.peek()) {
                (None, None) => break,
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (Some((a, _)), Some((b, _))) => a.path.cmp(&b.path),
            };
            let old_line = if order.is_le() { old.next() } else { None };
            let new_line = if order.is_ge() { new.next() } else { None };
            if old_line != new_line {
                dirty.extend(old_line.map(|it| it.1));
                dirty.extend(new_line.map(|it| it.1));
            }
        }
        dirty.into_iter().cloned().collect()
    }

    /// Writes the shards that changed since this manifest was loaded or saved; returns their paths.
    ///
    /// # Errors
    /// The first error of the disk; shards written before it stay.
    pub fn save(&mut self, disk: &Disk) -> io::Result<Vec<String>> {
        if self.unsettled.is_empty() {
            return Ok(Vec::new());
        }
        let mut texts: BTreeMap<&Name, String> = BTreeMap::new();
        let is_dirty: Vec<bool> = self.shards.iter().map(|it| self.unsettled.contains(it)).collect();
        let dirty = self
            .records
            .iter()
            .zip(&self.shard_of)
            .filter(|(_, shard)| is_dirty[**shard as usize]);
        for (record, shard) in dirty {
            let text = texts
                .entry(&self.shards[*shard as usize])
                .or_insert_with(|| HEAD.to_owned());
            text.push_str(&line(record));
            text.push('\n');
        }
        disk.make_state_folder(FOLDER)?;
        let mut paths = Vec::new();
        for shard in &self.unsettled {
            let path = format!("{FOLDER}/{shard}");
            match texts.get(shard) {
                Some(text) => disk.replace_small(&path, text.as_bytes(), Flush::Later)?,
                None => disk.remove_small(&path)?,
            }
            paths.push(path);
        }
        self.unsettled.clear();
        self.also.clear();
        Ok(paths)
    }

    fn lines(&self) -> impl Iterator<Item = (&Record, &Name)> {
        let shards = self.shard_of.iter().map(|it| &self.shards[*it as usize]);
        self.records.iter().zip(shards)
    }
}

fn unreadable(path: &str, error: &io::Error) -> Problem {
    Problem::error("shell::unreadable", format!("`{path}` can't be read: {error}"))
        .help("see that it is a file, and that it can be read")
}

/// Returns the line of `record`: `<digest> <path> <rule>`, where a file that the user kept has what was wanted
/// behind its own digest, after a `~`.
#[must_use]
pub fn line(record: &Record) -> String {
    let Record {
        path,
        digest,
        declined,
        rule,
    } = record;
    match declined {
        None => format!("{digest} {path} {rule}"),
        Some(declined) => format!("{digest}~{declined} {path} {rule}"),
    }
}

/// Returns the record that `line` holds, or what is wrong with it.
///
/// # Errors
/// A few words that say what is wrong.
pub fn parse_line(line: &str) -> Result<Record, String> {
    let form = || "a line is a digest, a path and a rule".to_owned();
    let (digest, rest) = line.split_once(' ').ok_or_else(form)?;
    let (path, rule) = rest.rsplit_once(' ').ok_or_else(form)?;
    let (digest, declined) = match digest.split_once('~') {
        None => (digest, None),
        Some((digest, declined)) => (digest, Some(declined)),
    };
    let parse = |it: &str| Fingerprint::parse(it).ok_or_else(|| "this is no digest".to_owned());
    if rule.is_empty() || rule.chars().any(|it| it.is_control() || it.is_whitespace()) {
        return Err(form());
    }
    Ok(Record {
        path: ArtifactPath::parse(path).map_err(|it| it.message.to_string())?,
        digest: parse(digest)?,
        declined: declined.map(parse).transpose()?,
        rule: rule.into(),
    })
}

/// The part of a merge conflict in which a line stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    /// One of the two, or none: its lines count.
    Live,
    /// What both sides had before: its lines are history.
    Base,
}

/// What one shard says.
struct Shard {
    name: Name,
    records: Vec<Record>,
    problems: Vec<Problem>,
}

impl Shard {
    fn parse(name: Name, text: &str) -> Self {
        let mut shard = Self {
            name,
            records: Vec::new(),
            problems: Vec::new(),
        };
        shard.read(text);
        shard
    }

    fn read(&mut self, text: &str) {
        let file = Name::from(format!("{FOLDER}/{}", self.name));
        let mut side = Side::Live;
        let mut conflict = None;
        let mut start = 0;
        for full in text.split_inclusive('\n') {
            let line = full.trim_end_matches(['\n', '\r']);
            let span = Span::new(start, start + line.len());
            start += full.len();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let marker = ["<<<<<<<", "|||||||", "=======", ">>>>>>>"]
                .iter()
                .find(|it| line.starts_with(**it));
            if let Some(marker) = marker {
                conflict = conflict.or(Some(span));
                side = if *marker == "|||||||" { Side::Base } else { Side::Live };
                continue;
            }
            if side == Side::Base {
                continue;
            }
            match parse_line(line) {
            Ok(mut record) => {
                // Most lines of a shard name one of a few rules: those share their text.
                if let Some(last) = self.records.last().filter(|it| it.rule == record.rule) {
                    record.rule = last.rule.clone();
                }
                self.records.push(record);
            }
            Err(why) => self.problems.push(
                Problem::warning("shell::manifest_damaged", "a line of the manifest is passed over")
                    .at(Place::Text(file.clone(), span), why)
                    .help("`gen apply` writes the manifest anew; a file that is on record nowhere else counts as not gen's"),
            ),
        }
        }
        if let Some(span) = conflict {
            self.problems.push(
                Problem::warning(
                    "shell::manifest_conflict",
                    "the manifest holds a merge conflict; both sides are taken",
                )
                .at(Place::Text(file, span), "here")
                .help("`gen apply` settles it"),
            );
        }
    }
}

/// Returns the shard of each record, and the names of the shards.
fn layout(records: &[Record]) -> (Vec<u32>, Vec<Name>) {
    let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
    for record in records {
        *sizes.entry(record.path.folder()).or_default() += 1;
    }
    // From the deepest folder upwards, small ones join the one above.
    let mut joins: BTreeMap<&str, &str> = BTreeMap::new();
    let mut folders: Vec<&str> = sizes.keys().copied().collect();
    folders.sort_by_key(|it| std::cmp::Reverse(it.matches('/').count() + usize::from(!it.is_empty())));
    let mut queue: std::collections::VecDeque<&str> = folders.into();
    while let Some(folder) = queue.pop_front() {
        let size = sizes.get(folder).copied().unwrap_or(0);
        if folder.is_empty() || size >= FEW || joins.contains_key(folder) {
            continue;
        }
        let above = folder.rsplit_once('/').map_or("", |(above, _)| above);
        joins.insert(folder, above);
        let known = sizes.contains_key(above);
        *sizes.entry(above).or_default() += size;
        if !known {
            // It comes after all folders of its depth, and all of these are deeper or stand before it.
            let depth = |it: &str| it.matches('/').count() + usize::from(!it.is_empty());
            let at = queue.partition_point(|it| depth(it) >= depth(above));
            queue.insert(at, above);
        }
    }
    let mut shards: BTreeMap<String, u32> = BTreeMap::new();
    let mut names = Vec::new();
    let mut last: Option<(&str, &str)> = None;
    let shard_of = records
        .iter()
        .map(|record| {
            let folder = record.path.folder();
            let home = match last {
                Some((before, home)) if before == folder => home,
                _ => {
                    let mut home = folder;
                    while let Some(above) = joins.get(home) {
                        home = above;
                    }
                    home
                }
            };
            last = Some((folder, home));
            let name = shard_name(home, sizes.get(home).copied().unwrap_or(0), &record.path);
            *shards.entry(name).or_insert_with_key(|name| {
                names.push(Name::from(name.as_str()));
                u32::try_from(names.len() - 1).expect("fewer shards than records")
            })
        })
        .collect();
    (shard_of, names)
}

/// Returns the file name of the shard of `path` in `folder`, which holds `size` records.
///
/// Lower-case letters, digits, `-`, `_` and inner dots stand for themselves, `/` is a `+`, all else is written in
/// hexadecimal: two folders never share a name, not even where case does not count.
fn shard_name(folder: &str, size: usize, path: &ArtifactPath) -> String {
    let mut name = String::new();
    for byte in folder.bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => name.push(char::from(byte)),
            b'.' if !name.is_empty() => name.push('.'),
            b'/' => name.push('+'),
            _ => name.push_str(&format!("%{byte:02x}")),
        }
    }
    if folder.is_empty() {
        name.push('+');
    }
    if name.len() > 160 {
        name.truncate(160);
        name.push_str(&format!("~{}", Fingerprint::of(folder.as_bytes())));
    }
    if size > MANY {
        // One digit, and two where a sixteenth is still large: each shard is read from a file of its own.
        let digits = if size > MANY * 64 { 2 } else { 1 };
        let hash = Fingerprint::of(path.as_str().as_bytes()).to_string();
        name.push_str(&format!("~{}", &hash[..digits]));
    }
    name.push_str(".txt");
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(path: &str, content: &str) -> Record {
        Record {
            path: ArtifactPath::parse(path).expect("a plain path"),
            digest: Fingerprint::of(content.as_bytes()),
            declined: None,
            rule: "tubes/line".into(),
        }
    }

    fn disk() -> (tempfile::TempDir, Disk) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let disk = Disk::open(folder.path()).expect("the folder is there");
        (folder, disk)
    }

    fn shards(disk: &Disk) -> Vec<String> {
        let mut names = disk.list(FOLDER).expect("the folder is there");
        names.sort();
        names
    }

    #[test]
    fn what_is_saved_is_loaded() {
        let (_folder, disk) = disk();
        let mut kept = record("a b/É.conf", "x");
        kept.declined = Some(Fingerprint::of(b"y"));
        let mut manifest = Manifest::of(vec![record("z", "1"), kept, record("a/b", "2")]);
        manifest.save(&disk).expect("saved");
        let (loaded, problems) = Manifest::load(&disk).expect("loaded");
        assert_eq!((loaded.records(), problems), (manifest.records(), vec![]));
    }

    #[test]
    fn a_save_touches_only_the_shards_that_change() {
        let (folder, disk) = disk();
        let records = |n: usize| (0..n).map(|it| record(&format!("tubes/{it:05}.conf"), "x"));
        let other = (0..20).map(|it| record(&format!("Pipes/{it}"), "x"));
        let mut manifest = Manifest::of(records(600).chain(other).collect());
        manifest.save(&disk).expect("saved");
        let names = shards(&disk);
        assert_eq!(names.len(), 17, "16 of the large folder, one of the small: {names:?}");
        assert!(names.contains(&"%50ipes.txt".to_owned()));
        manifest.edit(&BTreeSet::new(), &[record("tubes/00001.conf", "y")]);
        for name in &names {
            std::fs::write(folder.path().join(FOLDER).join(name), "").expect("emptied");
        }
        manifest.save(&disk).expect("saved");
        let written = names
            .iter()
            .filter(|it| !disk.read_small(&format!("{FOLDER}/{it}")).expect("read").is_empty());
        assert_eq!(written.count(), 1);
    }

    #[test]
    fn small_folders_share_the_shard_of_the_one_above() {
        let (_folder, disk) = disk();
        let mut manifest = Manifest::of(
            (0..100)
                .map(|it| record(&format!("services/s{it}/deploy.conf"), "x"))
                .collect(),
        );
        manifest.save(&disk).expect("saved");
        assert_eq!(shards(&disk), ["services.txt"]);
        let all = manifest.records().iter().map(|it| it.path.clone()).collect();
        manifest.edit(&all, &[]);
        manifest.save(&disk).expect("saved");
        assert_eq!(shards(&disk), Vec::<String>::new());
    }

    #[test]
    fn what_both_sides_of_a_merge_have_counts_once() {
        let (folder, disk) = disk();
        std::fs::create_dir_all(folder.path().join(FOLDER)).expect("made");
        let [a, b, c] = ["a", "b", "c"].map(|it| line(&record(it, "x")));
        let text = format!("{HEAD}{b}\n{c}\n{a}\n{b}\n");
        std::fs::write(folder.path().join(FOLDER).join("+.txt"), text).expect("written");
        let (manifest, problems) = Manifest::load(&disk).expect("loaded");
        let paths: Vec<&str> = manifest.records().iter().map(|it| it.path.as_str()).collect();
        assert_eq!(paths, ["a", "b", "c"]);
        assert!(problems.is_empty() && !manifest.is_unsettled());
    }

    #[test]
    fn a_conflict_and_damage_are_said_and_survived() {
        let (folder, disk) = disk();
        std::fs::create_dir_all(folder.path().join(FOLDER)).expect("made");
        let (ours, theirs, base) = (record("a", "ours"), record("a", "theirs"), record("a", "base"));
        let text = format!(
            "{HEAD}<<<<<<< HEAD\n{}\n||||||| base\n{}\n=======\n{}\n>>>>>>> topic\nnonsense\n{} ../../etc/passwd x/y\n{}\n",
            line(&ours),
            line(&base),
            line(&theirs),
            ours.digest,
            line(&record("b", "x")),
        );
        std::fs::write(folder.path().join(FOLDER).join("+.txt"), text).expect("written");
        let (mut manifest, problems) = Manifest::load(&disk).expect("loaded");
        let codes: Vec<&str> = problems.iter().map(|it| &*it.code).collect();
        assert_eq!(
            codes,
            [
                "shell::manifest_damaged",
                "shell::manifest_damaged",
                "shell::manifest_conflict"
            ]
        );
        assert!(manifest.is_unsettled());
        for side in [&ours, &theirs] {
            let mut manifest = manifest.clone();
            manifest.settle(|_| Some(side.digest));
            assert_eq!(manifest.get(&side.path), Some(side));
        }
        manifest.settle(|_| Some(base.digest));
        assert_ne!(
            manifest.get(&base.path),
            Some(&base),
            "what both sides had before is history"
        );
        manifest.edit(&BTreeSet::new(), &[theirs]);
        manifest.save(&disk).expect("saved");
        let (manifest, problems) = Manifest::load(&disk).expect("loaded");
        assert!(problems.is_empty() && manifest.records().len() == 2 && !manifest.is_unsettled());
    }
}
