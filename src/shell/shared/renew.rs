//! `gen pack lock` and `gen pack update`: looks where packs come from, keeps what is there, and writes the lock.
//!
//! All packs are read before anything is written, and the lock is written last: where a run is cut off, what is kept does
//! not fit the lock, which the next run of any command says.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use ignore::gitignore::Gitignore;

use super::lock::{self, LOCK, Lock, Locked};
use super::source::{self, Files, Taken};
use super::{Asked, asked, is_of};
use crate::db::{SHARED, pack_path};
use crate::fingerprint::Digest;
use crate::problem::{Place, Problem, Span};
use crate::shell::discover::{self, Root, Text};
use crate::shell::disk::{Disk, Flush};
use crate::shell::report::Sources;
use crate::spec::elsewhere;
use crate::value::Name;
use crate::yaml;

/// Of which packs it is looked up anew what they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// Of those that are new, or asked for from somewhere else. What is locked stays what it is.
    Changed,
    /// Of these too; of all, if none is named.
    Too(Vec<String>),
}

/// What became of a pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// In one word.
    pub word: &'static str,
    /// The pack.
    pub name: Name,
    /// From where it comes, and as which commit.
    pub from: String,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Renewed {
    /// By the name of the pack. Empty where an error kept all as it was.
    pub done: Vec<Done>,
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// The texts in which that stands.
    pub sources: Sources,
}

/// Locks the packs from elsewhere that the project on `disk` asks for.
#[must_use]
pub fn renew(disk: &Disk, root: &Root, renewal: &Renewal) -> Renewed {
    let mut renewed = Renewed::default();
    let (specs, problems) = discover::read(&root.folder, &[root.spec.to_string()]);
    renewed.problems = problems;
    let Some(spec) = specs.first() else {
        return renewed;
    };
    let old_text = discover::read(&root.folder, &[LOCK.to_owned()]).0;
    for Text { path, text, .. } in specs.iter().chain(&old_text) {
        renewed.sources.insert(path.clone(), text.clone());
    }
    let (yaml, mistakes) = yaml::parse(&spec.text);
    renewed
        .problems
        .extend(mistakes.iter().map(|it| it.problem(&spec.path)));
    if let Some(packs) = yaml.as_ref().and_then(|it| it.get("packs")) {
        let faults = elsewhere::requests(packs, &[], &spec.text).1;
        let faults = faults.into_iter().map(|it| {
            let place = Place::Text(spec.path.clone(), it.span);
            it.problem(place)
        });
        renewed.problems.extend(faults);
    }
    let asked = asked(&spec.path, &spec.text);
    renewed.problems.extend(unknown(&asked, renewal));
    // One that is damaged tells nothing: all of it is looked up anew.
    let old = old_text
        .first()
        .and_then(|it| lock::parse(&it.text).ok())
        .unwrap_or_default();
    let mut packs: BTreeMap<Name, Pack> = BTreeMap::new();
    for asked in &asked {
        match pack(&root.folder, asked, old.get(&asked.request.name), renewal) {
            Ok(pack) => _ = packs.insert(asked.request.name.clone(), pack),
            Err(problems) => renewed.problems.extend(problems),
        }
    }
    if renewed.problems.iter().any(Problem::is_error) {
        return renewed;
    }
    if let Err(problem) = write(disk, &packs, old_text.first().map(|it| &*it.text)) {
        renewed.problems.push(problem);
        return renewed;
    }
    renewed.problems.extend(ignored(&root.folder, &packs));
    let gone = old.iter().filter(|it| !packs.contains_key(it.0));
    let gone = gone.map(|(_, locked)| done("removed", locked));
    renewed.done = packs.values().map(|it| done(it.word, &it.locked)).chain(gone).collect();
    renewed.done.sort_by(|a, b| a.name.cmp(&b.name));
    renewed
}

/// A pack as it is to be kept.
struct Pack {
    word: &'static str,
    locked: Locked,
    /// Its files; `None` where they are kept already.
    files: Option<Files>,
}

fn done(word: &'static str, locked: &Locked) -> Done {
    Done {
        word,
        name: locked.request.name.clone(),
        from: locked.to_string(),
    }
}

/// Returns what is wrong with the names of a renewal.
fn unknown(asked: &[Asked], renewal: &Renewal) -> Vec<Problem> {
    let Renewal::Too(names) = renewal else {
        return Vec::new();
    };
    let known = || asked.iter().map(|it| it.request.name.as_str());
    let wrong = names.iter().filter(|it| !known().any(|known| known == it.as_str()));
    let problem = |it: &String| {
        let message = format!("the spec asks for no pack `{it}` from elsewhere");
        Problem::error("shell::unknown_pack", message).suggest(it, known())
    };
    wrong.map(problem).collect()
}

/// Returns what is to be kept of the pack that is `asked` for, and that was locked as `old`.
fn pack(root: &Path, asked: &Asked, old: Option<&Locked>, renewal: &Renewal) -> Result<Pack, Vec<Problem>> {
    let request = &asked.request;
    let is_named = match renewal {
        Renewal::Changed => false,
        Renewal::Too(names) => names.is_empty() || names.iter().any(|it| **it == *request.name),
    };
    let take = |pinned: Option<&Name>| -> Result<(Taken, Digest), Vec<Problem>> {
        let taken = source::take(root, &request.name, &request.source, pinned);
        let taken = taken.map_err(|problems| {
            let placed = |it: Problem| it.at(asked.source_at.clone(), "asked for here");
            problems.into_iter().map(placed).collect::<Vec<_>>()
        })?;
        let digest = source::digest(taken.files.iter().map(|(path, text)| (path.as_str(), text)));
        Ok((taken, digest))
    };
    let kept = kept(root, &request.name);
    if let Some(old) = old.filter(|it| it.request == *request && !is_named) {
        if kept == Some(old.digest) {
            return Ok(Pack {
                word: "unchanged",
                locked: old.clone(),
                files: None,
            });
        }
        let (taken, digest) = take(old.commit.as_ref())?;
        if digest != old.digest {
            return Err(vec![other_than_locked(asked, old)]);
        }
        return Ok(Pack {
            word: "restored",
            locked: old.clone(),
            files: Some(taken.files),
        });
    }
    let (taken, digest) = take(None)?;
    let same = old.is_some_and(|it| it.digest == digest && it.commit == taken.commit && it.request == *request);
    let word = match old {
        _ if same && kept == Some(digest) => "unchanged",
        Some(_) => "updated",
        None => "locked",
    };
    Ok(Pack {
        word,
        locked: Locked {
            request: request.clone(),
            commit: taken.commit,
            digest,
            at: Span::default(),
            digest_at: Span::default(),
        },
        files: Some(taken.files),
    })
}

fn other_than_locked(asked: &Asked, old: &Locked) -> Problem {
    let name = &asked.request.name;
    let message = format!("what is to be found of the pack `{name}` is not what was locked");
    Problem::error("shell::pack_altered", message)
        .at(asked.source_at.clone(), "found here")
        .at(Place::Text(LOCK.into(), old.digest_at), "locked here")
        .help(format!("`gen pack update {name}` takes what is there now"))
}

/// Returns the digest of what is kept of the pack `name`; none where that can't be read, or nothing is.
fn kept(root: &Path, name: &Name) -> Option<Digest> {
    let found = discover::expand(root, &source::globs(SHARED, name));
    let (texts, problems) = discover::read(root, &found.files);
    let files = texts.iter().map(|it| (pack_path(&it.path), &it.text));
    let files: BTreeMap<&str, &Arc<str>> = files.collect();
    (problems.is_empty() && !files.is_empty()).then(|| source::digest(files))
}

/// Keeps the files of `packs`, lets go of all others, and writes the lock.
fn write(disk: &Disk, packs: &BTreeMap<Name, Pack>, old: Option<&str>) -> Result<(), Problem> {
    let failed = |path: &str, error: &std::io::Error| {
        Problem::error("shell::write_failed", format!("`{path}` can't be written: {error}"))
            .help("give yourself the right to write to this folder; then run the command again")
    };
    let wanted: BTreeMap<String, &Arc<str>> = packs
        .values()
        .flat_map(|it| it.files.iter().flatten())
        .map(|(path, text)| (format!("{SHARED}{path}"), text))
        .collect();
    let stays = |path: &str| {
        let path = pack_path(path);
        let of = packs.iter().find(|it| is_of(path, it.0));
        of.is_some_and(|it| it.1.files.as_ref().is_none_or(|it| it.contains_key(path)))
    };
    for path in below(disk, SHARED.trim_end_matches('/')) {
        if !stays(&path) {
            disk.remove_small(&path).map_err(|it| failed(&path, &it))?;
        }
    }
    let mut folders: BTreeSet<&str> = BTreeSet::new();
    for (path, text) in &wanted {
        let folder = path.rsplit_once('/').map_or("", |it| it.0);
        let made = if folders.insert(folder) {
            disk.make_state_folder(folder)
        } else {
            Ok(())
        };
        let is_same = || disk.read_small(path).is_ok_and(|it| *it == *text.as_bytes());
        let written = made.and_then(|()| match is_same() {
            true => Ok(()),
            false => disk.replace_small(path, text.as_bytes(), Flush::Later),
        });
        written.map_err(|it| failed(path, &it))?;
    }
    let lock: Lock = packs
        .iter()
        .map(|(name, it)| (name.clone(), it.locked.clone()))
        .collect();
    let text = lock::print(&lock);
    let written = match old {
        Some(old) if lock.is_empty() && !old.is_empty() => disk.remove_small(LOCK),
        Some(old) if old == text => Ok(()),
        None if lock.is_empty() => Ok(()),
        _ => disk.replace_small(LOCK, text.as_bytes(), Flush::Now),
    };
    written.map_err(|it| failed(LOCK, &it))
}

/// Returns all files and links below `folder`, and lets go of folders in which there are none.
fn below(disk: &Disk, folder: &str) -> Vec<String> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_owned()];
    let is_folder = |path: &str| disk.stat(path).is_ok_and(|it| it.is_dir());
    while let Some(folder) = open.pop() {
        if !is_folder(&folder) {
            continue;
        }
        for name in disk.list(&folder).unwrap_or_default() {
            let path = format!("{folder}/{name}");
            if is_folder(&path) {
                open.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files
}

/// Says that git ignores what is to be committed, as far as the files of ignored names tell.
fn ignored(root: &Path, packs: &BTreeMap<Name, Pack>) -> Option<Problem> {
    let (names, _) = Gitignore::new(root.join(".gitignore"));
    let is_named = |path: &str| names.matched_path_or_any_parents(path, false).is_ignore();
    let path = packs.iter().find_map(|(name, pack)| {
        let files: Vec<String> = match &pack.files {
            Some(files) => files.keys().map(|it| format!("{SHARED}{it}")).collect(),
            None => vec![format!("{SHARED}rules/{name}/pack.yaml")],
        };
        let found = discover::expand(root, &source::globs(SHARED, name)).files;
        files
            .into_iter()
            .find(|it| is_named(it) || found.binary_search(it).is_err())
    });
    let path = path.or_else(|| (!packs.is_empty() && is_named(LOCK)).then(|| LOCK.to_owned()))?;
    let is_there = fs::symlink_metadata(root.join(&path)).is_ok();
    is_there.then(|| {
        let message = format!("git ignores `{path}`, so that no clone has it");
        Problem::warning("shell::pack_ignored", message)
            .help("write `!/.gen/packs/**` at the end of `.gitignore`, and ignore `.gen/cache/` alone of `.gen`")
    })
}
