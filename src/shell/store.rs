//! Applies a plan: all of it or nothing, whenever the process dies or the disk fails.
//!
//! The order is: the intent, flushed; every new file beside its old one; then they change places one by one; the
//! manifest; one flush; the old files and the intent are deleted. An error on the way puts everything back. A
//! process that dies leaves the intent, and whoever takes the lock next finishes (if all files had changed places) or
//! restores. Which changes are right is not decided here.

mod intent;
mod lock;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use rayon::prelude::*;

use super::disk::{self, Disk, Held, Seen, temporary};
use super::manifest::Manifest;
use super::stat::Stat;
use crate::fingerprint::Fingerprint;
use crate::plan::{ArtifactPath, Change, Entry, Found, Intent as Wish, Mode, Plan, Record, Resolution};
use crate::problem::Problem;
use intent::{Action, Intent, Old};
pub use lock::{Lock, Patience};

/// The project's files, with the right to change them.
#[derive(Debug)]
pub struct Store<'d> {
    disk: &'d Disk,
    _lock: Lock,
}

/// What was done.
#[derive(Debug)]
pub struct Applied {
    /// What the manifest says now.
    pub manifest: Manifest,
    /// The files that were written, for the index.
    pub seen: Vec<Seen>,
    /// What did not go as it should, though everything is written.
    pub problems: Vec<Problem>,
}

/// How an interrupted apply was settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// There was none.
    Nothing,
    /// All files had changed: the rest was done.
    Finished,
    /// Some had: all are as they were.
    Restored,
}

/// Tells whether an apply was interrupted and waits for the next one to settle it.
#[must_use]
pub fn is_interrupted(disk: &Disk) -> bool {
    !matches!(Intent::load(disk), Ok(None))
}

/// How many files one thread takes at once: less is not worth a second thread.
const AT_ONCE: usize = 64;

/// Prints the bytes of an artifact.
pub type Print<'p> = dyn Fn(&ArtifactPath) -> Result<Arc<[u8]>, Problem> + Sync + 'p;

impl<'d> Store<'d> {
    /// Takes the lock, and settles what an interrupted apply has left.
    ///
    /// # Errors
    /// A problem where another process holds the lock, or the disk refuses.
    pub fn open(disk: &'d Disk, patience: Patience) -> Result<(Self, Recovery), Problem> {
        let lock = Lock::take(disk, patience)?;
        let store = Self { disk, _lock: lock };
        let recovery = store.recover()?;
        Ok((store, recovery))
    }

    /// Carries out `plan`, of which `print` gives the contents; `manifest` is what the plan was made of.
    ///
    /// # Errors
    /// A problem, and everything is as it was. The plan's obstacles are errors.
    pub fn apply(&self, plan: &Plan, mut manifest: Manifest, print: &Print<'_>) -> Result<Applied, Problem> {
        if let Some(obstacle) = plan.obstacles().into_iter().next() {
            return Err(obstacle);
        }
        self.check_unchanged(plan)?;
        let work = Work::of(plan, &manifest, self.disk);
        manifest.edit(&work.intent.touched(), &work.intent.after);
        if work.intent.actions.is_empty() {
            manifest.save(self.disk).map_err(|it| failed("the manifest", &it))?;
            return Ok(Applied {
                manifest,
                seen: Vec::new(),
                problems: Vec::new(),
            });
        }
        self.change_files(&work, manifest, print)
    }

    /// Replaces whole files that need not be gen's: each of `texts` says what a file holds and what it is to hold.
    ///
    /// # Errors
    /// A problem, and everything is as it was: where a file holds something else, say.
    pub fn rewrite(&self, texts: &BTreeMap<ArtifactPath, (Fingerprint, Arc<[u8]>)>) -> Result<(), Problem> {
        let (manifest, _) = Manifest::load(self.disk)?;
        let paths: Vec<&ArtifactPath> = texts.keys().collect();
        let (found, _) = self.disk.look(&paths, disk::unknown);
        let mut work = Work {
            intent: Intent::default(),
            modes: Vec::new(),
            rights: Rights::OfOld,
        };
        for ((path, (old, new)), found) in texts.iter().zip(found) {
            let Found::File(digest, mode) = found else {
                let problem = Problem::error("shell::no_plain_file", format!("`{path}` is no plain file any more"));
                return Err(problem.help("gen writes through no link: put the file itself there"));
            };
            if digest != *old {
                return Err(changed_meanwhile(path));
            }
            // What is on record of a file of gen's stays: it counts as edited by hand then.
            work.intent.before.extend(manifest.get(path).cloned());
            work.act(path, Old::File(digest), Some((Fingerprint::of(new), mode)));
        }
        work.intent.after.clone_from(&work.intent.before);
        let print = |path: &ArtifactPath| Ok(texts[path].1.clone());
        self.change_files(&work, manifest, &print).map(|_| ())
    }

    /// Refuses a plan that no longer fits: someone changed a file since it was looked at.
    fn check_unchanged(&self, plan: &Plan) -> Result<(), Problem> {
        let mut expected: Vec<(&ArtifactPath, &Found)> = plan.entries.iter().map(|it| (&it.path, &it.found)).collect();
        expected.extend(plan.moved_from());
        let paths: Vec<&ArtifactPath> = expected.iter().map(|it| it.0).collect();
        let (found, _) = self.disk.look(&paths, disk::unknown);
        match expected
            .iter()
            .zip(&found)
            .find(|((_, expected), found)| expected != found)
        {
            None => Ok(()),
            Some(((path, _), _)) => Err(changed_meanwhile(path)),
        }
    }

    fn change_files(&self, work: &Work, mut manifest: Manifest, print: &Print<'_>) -> Result<Applied, Problem> {
        let mut intent = work.intent.clone();
        intent.folders = self.missing_folders(&intent.actions);
        let changed = intent
            .save(self.disk)
            .map_err(|it| failed("the record of the apply", &it))
            .and_then(|()| self.write_beside(&intent, work, print))
            .and_then(|()| self.change_places(&intent, &mut manifest));
        if let Err(problem) = changed {
            if !self.disk.calls.is_dead() {
                self.undo(&intent)?;
            }
            return Err(problem);
        }
        // From here on nothing is lost any more: all is written, flushed, and on record.
        let problems = self.finish(&intent).err().into_iter().collect();
        let seen = intent
            .actions
            .par_iter()
            .with_min_len(AT_ONCE)
            .filter_map(|it| self.seen(&it.path, it.new?))
            .collect();
        Ok(Applied {
            manifest,
            seen,
            problems,
        })
    }

    fn seen(&self, path: &ArtifactPath, digest: Fingerprint) -> Option<Seen> {
        let metadata = self.disk.stat(path.as_str()).ok()?;
        Some((path.to_string(), Stat::of(&metadata), digest))
    }

    fn missing_folders(&self, actions: &[Action]) -> Vec<String> {
        let mut known: BTreeSet<&str> = BTreeSet::new();
        let mut missing = Vec::new();
        for action in actions.iter().filter(|it| it.new.is_some()) {
            for folder in action.path.folders() {
                if known.insert(folder) && self.disk.stat(folder).is_err() {
                    missing.push(folder.to_owned());
                }
            }
        }
        missing
    }

    /// Writes each new file beside its old one.
    fn write_beside(&self, intent: &Intent, work: &Work, print: &Print<'_>) -> Result<(), Problem> {
        for folder in &intent.folders {
            self.disk.make_folder(folder).map_err(|it| failed(folder, &it))?;
        }
        let writes = intent
            .actions
            .par_iter()
            .zip(&work.modes)
            .filter(|(action, _)| action.new.is_some());
        writes
            .map(|(action, mode)| {
                let path = &action.path;
                let content = print(path)?;
                let like = match work.rights {
                    Rights::OfMode => None,
                    Rights::OfOld => Some(path.as_str()),
                };
                self.disk
                    .write_new(&temporary(path.as_str()), &content, *mode, like)
                    .map_err(|it| failed(path.as_str(), &it))
            })
            .collect()
    }

    fn change_places(&self, intent: &Intent, manifest: &mut Manifest) -> Result<(), Problem> {
        let change_place = |action: &Action| {
            let path = action.path.as_str();
            let beside = temporary(path);
            let done = match (action.new, action.old) {
                (None, _) => self.disk.take_away(path, &beside),
                (Some(_), Old::Nothing) => self.disk.put(&beside, path),
                (Some(_), _) => self.disk.swap(&beside, path, &aside(path)),
            };
            done.map_err(|it| failed(path, &it))
        };
        let actions = intent.actions.par_iter().with_min_len(AT_ONCE);
        actions.map(change_place).collect::<Result<(), Problem>>()?;
        let shards = manifest.save(self.disk).map_err(|it| failed("the manifest", &it))?;
        let mut written: Vec<&str> = intent.actions.iter().map(|it| it.path.as_str()).collect();
        written.extend(shards.iter().map(String::as_str));
        self.disk.sync(&written).map_err(|it| failed("the disk", &it))
    }

    /// Deletes what is left over, folders that became empty among it, and the intent.
    fn finish(&self, intent: &Intent) -> Result<(), Problem> {
        let replaced = intent
            .actions
            .par_iter()
            .with_min_len(AT_ONCE)
            .filter(|it| it.old != Old::Nothing);
        replaced
            .map(|it| self.clean(&it.path))
            .collect::<Result<(), Problem>>()?;
        let mut emptied: BTreeSet<&str> = BTreeSet::new();
        for action in intent.actions.iter().filter(|it| it.new.is_none()) {
            emptied.extend(action.path.folders());
        }
        // The inner ones sort behind the outer ones. One that is not empty stays.
        for folder in emptied.into_iter().rev() {
            self.disk.remove_folder(folder);
        }
        Intent::remove(self.disk).map_err(|it| failed("the record of the apply", &it))
    }

    fn clean(&self, path: &ArtifactPath) -> Result<(), Problem> {
        let path = path.as_str();
        for left in [temporary(path), aside(path)] {
            self.disk.clean(&left).map_err(|it| failed(&left, &it))?;
        }
        Ok(())
    }

    /// Settles an apply that was interrupted.
    fn recover(&self) -> Result<Recovery, Problem> {
        let intent = match Intent::load(self.disk) {
            Ok(None) => return Ok(Recovery::Nothing),
            Ok(Some(intent)) => intent,
            Err(error) => {
                return Err(
                    failed("the record of an interrupted apply", &error).help("if it is damaged, delete `.gen/cache`")
                );
            }
        };
        let is_whole = intent
            .actions
            .iter()
            .all(|it| matches!(self.state(it), State::New | State::Theirs));
        if is_whole {
            self.save_records(&intent.after, &intent)?;
            self.finish(&intent)?;
            Ok(Recovery::Finished)
        } else {
            self.undo(&intent)?;
            Ok(Recovery::Restored)
        }
    }

    /// Puts `records` into the manifest for the files of `intent`.
    fn save_records(&self, records: &[Record], intent: &Intent) -> Result<(), Problem> {
        let (mut manifest, _) = Manifest::load(self.disk)?;
        manifest.edit(&intent.touched(), records);
        manifest.save(self.disk).map_err(|it| failed("the manifest", &it))?;
        Ok(())
    }

    /// Puts files and records back, and deletes the intent.
    fn undo(&self, intent: &Intent) -> Result<(), Problem> {
        self.restore(intent)?;
        self.save_records(&intent.before, intent)?;
        Intent::remove(self.disk).map_err(|it| failed("the record of the apply", &it))
    }

    /// Puts every file back, and deletes what is left over. What someone else has changed since stays.
    fn restore(&self, intent: &Intent) -> Result<(), Problem> {
        for action in intent.actions.iter().rev() {
            self.restore_one(action)
                .map_err(|it| failed(action.path.as_str(), &it))?;
            self.clean(&action.path)?;
        }
        for folder in intent.folders.iter().rev() {
            self.disk.remove_folder(folder);
        }
        Ok(())
    }

    fn restore_one(&self, action: &Action) -> io::Result<()> {
        let path = action.path.as_str();
        let (beside, aside) = (temporary(path), aside(path));
        let state = self.state(action);
        if matches!(state, State::Old | State::Theirs) {
            return Ok(());
        }
        if action.old == Old::Nothing {
            // What stands there was written by this apply, whole or torn.
            return self.disk.clean(path);
        }
        let holder = [&beside, &aside]
            .into_iter()
            .find(|it| is_old(&self.disk.probe(it), action.old));
        let is_free = state == State::Gone || action.new.is_none();
        match holder {
            Some(holder) if is_free => self.disk.put(holder, path),
            Some(holder) => {
                // The places are taken from whichever of the two files does not hold the old content.
                let by = if *holder == beside { &aside } else { &beside };
                self.disk.clean(by)?;
                self.disk.swap(holder, path, by)
            }
            // Nothing to restore from: what stands there is as good as it gets.
            None => Ok(()),
        }
    }

    fn state(&self, action: &Action) -> State {
        let held = self.disk.probe(action.path.as_str());
        match (held, action.new) {
            (Held::Nothing, None) => State::New,
            (Held::File { digest, .. }, Some(new)) if digest == new => State::New,
            (held, _) if is_old(&held, action.old) => State::Old,
            (Held::Nothing, Some(_)) => State::Gone,
            (Held::File { is_torn: true, .. }, Some(_)) => State::Torn,
            _ => State::Theirs,
        }
    }
}

/// What a file holds, seen from an apply that was interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// What the apply writes.
    New,
    /// What stood there before it.
    Old,
    /// Nothing, though something stood there.
    Gone,
    /// Half a file, as a loss of power leaves it.
    Torn,
    /// Something else: somebody has changed it since.
    Theirs,
}

fn is_old(held: &Held, old: Old) -> bool {
    match (held, old) {
        (Held::Nothing, Old::Nothing) => true,
        (Held::File { digest, .. }, Old::File(old)) => *digest == old,
        (Held::Link(target), Old::Link(old)) => *target == old,
        _ => false,
    }
}

/// Returns where an old file stands for a moment on systems that can't let two files change places at once.
fn aside(path: &str) -> String {
    temporary(path) + "~"
}

/// The files and records that a plan changes.
struct Work {
    intent: Intent,
    /// The mode of each action's file.
    modes: Vec<Mode>,
    rights: Rights,
}

/// What may be done with a new file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rights {
    /// What its mode says, as far as the user's mask lets it.
    OfMode,
    /// What may be done with the old one.
    OfOld,
}

impl Work {
    fn of(plan: &Plan, manifest: &Manifest, disk: &Disk) -> Self {
        let mut work = Self {
            intent: Intent::default(),
            modes: Vec::new(),
            rights: Rights::OfMode,
        };
        for entry in &plan.entries {
            work.add(entry, manifest, disk);
        }
        work
    }

    fn add(&mut self, entry: &Entry, manifest: &Manifest, disk: &Disk) {
        let path = &entry.path;
        let record = |digest, declined| Record {
            path: path.clone(),
            digest,
            declined,
            rule: entry.rule.clone(),
        };
        self.intent.before.extend(manifest.get(path).cloned());
        let (after, action) = match (&entry.change, entry.resolution, entry.wanted, &entry.found) {
            // What is merged goes on under another name.
            (Change::Delete, ..)
            | (Change::EditedByHand(Wish::Delete), Resolution::Overwrite | Resolution::Merge, ..) => (None, Some(None)),
            (Change::Forget, ..) | (Change::EditedByHand(Wish::Delete), ..) => (None, None),
            (_, Resolution::Merge, Some((wanted, mode)), _) => {
                let merged = entry.merged.expect("a merge is made before it is written");
                // With conflicts it is no file that the user has chosen yet: it stays edited, and what is wanted now
                // is what the next merge goes on from.
                let record = match merged.n_conflicts {
                    0 if merged.digest == wanted => record(wanted, None),
                    0 => record(merged.digest, Some(wanted)),
                    _ => record(wanted, None),
                };
                (Some(record), Some(Some((merged.digest, mode))))
            }
            (Change::Adopt, _, Some((digest, _)), _) => (Some(record(digest, None)), None),
            (_, Resolution::Adopt, Some((wanted, _)), Found::File(digest, _)) => {
                (Some(record(*digest, Some(wanted))), None)
            }
            (_, _, Some((digest, mode)), _) => (Some(record(digest, None)), Some(Some((digest, mode)))),
            (_, _, None, _) => (manifest.get(path).cloned(), None),
        };
        self.intent.after.extend(after);
        if let Some(write) = action {
            let old = match entry.found {
                Found::File(digest, _) => Old::File(digest),
                Found::Link => match disk.probe(path.as_str()) {
                    Held::Link(target) => Old::Link(target),
                    _ => Old::Nothing,
                },
                _ => Old::Nothing,
            };
            self.act(path, old, write);
        }
        if let (Change::Moved { from }, Some((digest, _))) = (&entry.change, entry.wanted) {
            self.intent.before.extend(manifest.get(from).cloned());
            self.act(from, Old::File(digest), None);
        }
    }

    fn act(&mut self, path: &ArtifactPath, old: Old, write: Option<(Fingerprint, Mode)>) {
        self.intent.actions.push(Action {
            path: path.clone(),
            old,
            new: write.map(|it| it.0),
        });
        self.modes.push(write.map_or(Mode::Plain, |it| it.1));
    }
}

fn changed_meanwhile(path: &ArtifactPath) -> Problem {
    let message = format!("`{path}` changed while the plan was made");
    Problem::error("shell::changed_meanwhile", message).help("run the command again")
}

fn failed(what: &str, error: &io::Error) -> Problem {
    Problem::error("shell::write_failed", format!("`{what}` can't be written: {error}"))
        .help("nothing has changed; mend the cause and run the command again")
}

#[cfg(test)]
mod tests;
