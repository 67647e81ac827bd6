//! Packs from elsewhere: kept in the project below `.gen/packs`, committed with it, and held to `gen.lock`.
//!
//! A run reads what is kept, and nothing else: no repository, no network. Where it is not what was locked, no run goes
//! on. To look where packs come from is for [`lock`] and [`update`](Renewal) alone; a folder that is there all the same
//! is compared, to say that it has changed.

pub mod lock;
mod renew;
mod source;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use self::lock::{LOCK, Lock, Locked};
use super::discover::{self, Expanded, Include, Text, Witness};
use super::report::Sources;
use crate::db::{SHARED, pack_path};
use crate::problem::{Place, Problem};
use crate::spec::elsewhere::{self, Request, Source};
use crate::value::Name;
use crate::yaml;
pub use renew::{Done, Renewal, Renewed, renew};

/// A pack that a root file asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// What is asked for.
    pub request: Request,
    /// Where the pack is named.
    pub name_at: Place,
    /// Where it is said from where.
    pub source_at: Place,
}

/// What a project keeps of packs from elsewhere.
#[derive(Clone, Debug, Default)]
pub struct Shared {
    /// Their files, sorted by path.
    pub texts: Vec<Text>,
    /// What to watch, and on what it depends that the same is found.
    pub expanded: Expanded,
    /// As they are locked, by name.
    pub lock: Lock,
    /// What is wrong. Nothing else can be judged where one of these is an error.
    pub problems: Vec<Problem>,
    /// The root file that asks for them; `None` where none asks for any.
    spec: Option<Text>,
    /// The lock as it is written, if there is one.
    pub lock_text: Option<Text>,
}

impl Shared {
    /// Returns the texts in which the problems stand.
    #[must_use]
    pub fn sources(&self) -> Sources {
        let texts = self.spec.iter().chain(&self.lock_text);
        texts.map(|it| (it.path.clone(), it.text.clone())).collect()
    }
}

/// What is compared: what is asked for, the text of the lock, and the files that are kept, by their paths.
pub struct Kept<'k> {
    /// What the root file asks for.
    pub asked: &'k [Asked],
    /// The text of `gen.lock`; `None` where there is none.
    pub lock: Option<&'k str>,
    /// The files of packs in the project, those from elsewhere and its own.
    pub files: BTreeMap<&'k str, &'k Arc<str>>,
}

/// Returns the packs from elsewhere that the root file `file` asks for in `text`. What is wrong there, the spec says.
#[must_use]
pub fn asked(file: &Name, text: &str) -> Vec<Asked> {
    // Most projects ask for none, and their root file is parsed elsewhere.
    if !text.contains("packs") {
        return Vec::new();
    }
    let (yaml, _) = yaml::parse(text);
    let Some(packs) = yaml.as_ref().and_then(|it| it.get("packs")) else {
        return Vec::new();
    };
    let place = |span| Place::Text(file.clone(), span);
    let (requests, _) = elsewhere::requests(packs, &[], text);
    let asked = requests.into_iter().map(|(request, entry)| Asked {
        request,
        name_at: place(entry.key_span),
        source_at: place(entry.value.span),
    });
    asked.collect()
}

/// Reads what the project at `root` keeps of the packs that its root file asks for. `own` are the files of its own packs.
#[must_use]
pub fn gather(root: &Path, spec: &Text, own: &[Text]) -> Shared {
    let asked = asked(&spec.path, &spec.text);
    if asked.is_empty() {
        return Shared::default();
    }
    let mut expanded = discover::expand(root, &globs_of(&asked));
    let mut problems: Vec<Problem> = expanded.problems.drain(..).filter(Problem::is_error).collect();
    let (texts, unreadable) = discover::read(root, &expanded.files);
    problems.extend(unreadable);
    expanded.interest.add(LOCK);
    let there: Vec<String> = [LOCK]
        .iter()
        .filter(|it| root.join(it).exists())
        .map(ToString::to_string)
        .collect();
    let (mut lock_text, unreadable) = discover::read(root, &there);
    problems.extend(unreadable);
    let lock_text = lock_text.pop();
    let read = texts.iter().chain(&lock_text);
    expanded.witnesses.extend(read.map(|it| Witness {
        path: it.path.as_str().into(),
        stat: it.stat,
    }));
    let files = texts.iter().chain(own).map(|it| (it.path.as_str(), &it.text)).collect();
    let kept = Kept {
        asked: &asked,
        lock: lock_text.as_ref().map(|it| &*it.text),
        files,
    };
    let found = verify(&kept);
    problems.extend(found.1);
    for asked in &asked {
        let changed = changed_at_its_place(root, asked, found.0.get(&asked.request.name), &mut expanded.witnesses);
        problems.extend(changed);
    }
    Shared {
        spec: Some(spec.clone()),
        lock_text,
        lock: found.0,
        texts,
        expanded,
        problems,
    }
}

/// Returns the globs of what is kept of the packs that the root file `file` asks for in `text`.
#[must_use]
pub fn includes(file: &Name, text: &str) -> Vec<Include> {
    globs_of(&asked(file, text))
}

fn globs_of(asked: &[Asked]) -> Vec<Include> {
    let globs = asked.iter().flat_map(|it| source::globs(SHARED, &it.request.name));
    globs.collect()
}

/// Compares what is kept with what was locked, and that with what is asked for. Returns the lock, and what is wrong.
#[must_use]
pub fn verify(kept: &Kept<'_>) -> (Lock, Vec<Problem>) {
    let lock = match kept.lock.map(lock::parse) {
        None => Lock::new(),
        Some(Ok(lock)) => lock,
        Some(Err(problem)) => return (Lock::new(), vec![problem]),
    };
    let problems = kept.asked.iter().flat_map(|asked| {
        let name = &asked.request.name;
        let fault = match lock.get(name) {
            None => Some(not_locked(asked, kept.lock.is_some())),
            Some(locked) if locked.request != asked.request => Some(stale(asked, locked)),
            Some(locked) => altered(kept, locked),
        };
        let head = format!("rules/{name}/pack.yaml");
        let shadowed = kept.files.contains_key(head.as_str()).then(|| {
            let message = format!("the pack `{name}` from elsewhere gives way to the one in `rules/{name}`");
            Problem::warning("shell::pack_shadowed", message)
                .at(asked.name_at.clone(), "of no effect")
                .help(format!("take `{name}` out of `packs`, or delete the folder"))
        });
        fault.into_iter().chain(shadowed)
    });
    let problems = problems.collect();
    (lock, problems)
}

fn not_locked(asked: &Asked, has_lock: bool) -> Problem {
    let name = &asked.request.name;
    let message = if has_lock {
        format!("the pack `{name}` is not in `{LOCK}`")
    } else {
        format!("the pack `{name}` is not locked: there is no `{LOCK}`")
    };
    Problem::error("shell::pack_not_locked", message)
        .at(asked.name_at.clone(), "asked for here")
        .help(format!(
            "run `gen pack lock`, and commit `{LOCK}` and `.gen/packs`: no other command looks where packs come from"
        ))
}

fn stale(asked: &Asked, locked: &Locked) -> Problem {
    let name = &asked.request.name;
    let message = format!("the pack `{name}` was locked from somewhere else than it is asked for from now");
    Problem::error("shell::lock_stale", message)
        .at(asked.source_at.clone(), "asked for here")
        .at(
            Place::Text(LOCK.into(), locked.at),
            format!("locked: {}", locked.request.source),
        )
        .help("run `gen pack lock`")
}

/// Returns what is wrong with the files that are kept of a pack, if they are not what was locked.
fn altered(kept: &Kept<'_>, locked: &Locked) -> Option<Problem> {
    let name = &locked.request.name;
    let all = kept.files.iter().filter(|it| it.0.starts_with(SHARED));
    let files: Vec<(&str, &Arc<str>)> = all
        .map(|(path, text)| (pack_path(path), *text))
        .filter(|it| is_of(it.0, name))
        .collect();
    let place = Place::Text(LOCK.into(), locked.digest_at);
    if files.is_empty() {
        let message = format!("no file of the pack `{name}` is kept in `.gen/packs`");
        return Some(
            Problem::error("shell::pack_altered", message)
                .at(place, "locked here")
                .help("`gen pack lock` puts it there; `.gen/packs` is to be committed, so see that git does not ignore it"),
        );
    }
    let found = source::digest(files);
    (found != locked.digest).then(|| {
        let message = format!("what is kept of the pack `{name}` in `.gen/packs` is not what was locked");
        Problem::error("shell::pack_altered", message)
            .at(
                place,
                format!("its files have the digest {}…", &found.to_string()[..12]),
            )
            .help(format!(
                "`gen pack lock` puts back what was locked; to change the pack, copy it by `gen pack eject {name}`"
            ))
    })
}

/// Tells whether packs call the file at `path` one of the pack `name`.
fn is_of(path: &str, name: &str) -> bool {
    let mut steps = path.split('/');
    matches!(steps.next(), Some("rules" | "templates")) && steps.next() == Some(name)
}

/// Says that a pack has changed in the folder that it comes from. Where that is not there, or can't be read, nothing is
/// said: what is kept counts.
fn changed_at_its_place(
    root: &Path,
    asked: &Asked,
    locked: Option<&Locked>,
    witnesses: &mut Vec<Witness>,
) -> Option<Problem> {
    let Source::Folder(path) = &asked.request.source else {
        return None;
    };
    let locked = locked.filter(|it| it.request == asked.request)?;
    let folder = root.join(&**path);
    witnesses.push(Witness::of(root, folder.clone()));
    let name = &asked.request.name;
    let (files, seen) = source::from_folder(&folder, name).ok()?;
    witnesses.extend(seen);
    let found = source::digest(files.iter().map(|(path, text)| (path.as_str(), text)));
    let is_there = !files.is_empty();
    (is_there && found != locked.digest).then(|| {
        let message = format!("the pack `{name}` has changed in `{path}` since it was locked");
        Problem::warning("shell::pack_changed", message)
            .at(asked.source_at.clone(), "the pack as it was locked is used")
            .help(format!("`gen pack update {name}` takes the change over"))
    })
}
