//! Going on from what was found out before, by this process or an earlier one: where an edit changes what nodes hold, or what
//! rules print that do nothing else, nothing is looked at but the files that it changed and what lies around them.
//!
//! The database is told the names and the graph as they were, and the state of the run that found them. Whether they
//! stand is decided on the way; where they don't, all of it is derived. Debug builds derive it in any case and compare.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use salsa::Setter as _;
use serde::{Deserialize, Serialize};

use super::files::{Files, includes, is_of_packs};
use super::{Ask, Engine};
use crate::artifact::fresh::{self, ReadBack, State, Stir};
use crate::artifact::kept::{self, Kept};
use crate::artifact::reads;
use crate::artifact::seen::{PackEdit, Printing};
use crate::artifact::standing::{Differing, Edit, Standing};
use crate::db::{Database, Project, SourceFile, spec_files};
use crate::fact::shape::{self, KnownGraph, KnownGraphs};
use crate::fingerprint::Fingerprint;
use crate::problem::Problem;
use crate::shell::discover::{self, SPEC_NAMES, Text, Witness};
use crate::shell::disk::{CACHE, Disk, Flush};
use crate::shell::recall::Since;
use crate::shell::seal::{self, HEAD, Sort};
use crate::shell::shared;
use crate::value::Name;

const SORT: &Sort = b"gensta4\n";

/// After so many queries, or after twice as many as there are files where that is more, what was derived around edits is
/// forgotten: else it would grow to what a run from nothing holds.
const FORGETS_AFTER: usize = if cfg!(debug_assertions) { 500 } else { 4_000 };

fn path() -> String {
    format!("{CACHE}/state")
}

/// What an earlier process found out, and what has changed since.
#[derive(Debug)]
pub(super) struct Resumable {
    bytes: Vec<u8>,
    since: Since,
}

/// What has been edited since an earlier process kept its state.
#[derive(Debug)]
pub(super) struct Edited {
    /// By what is known all that it had read.
    pub(super) inputs: Fingerprint,
    /// The files that hold something else now, and what they held then.
    pub(super) texts: Vec<(Name, Arc<str>)>,
}

/// The file's body.
#[derive(Serialize, Deserialize)]
struct Body<'a> {
    /// The run that this is of.
    run: Fingerprint,
    /// By what is known all that it read.
    inputs: Fingerprint,
    /// The root file, what it includes, the project's own: paths and texts.
    #[serde(borrow)]
    texts: [Vec<(&'a str, &'a str)>; 3],
    /// What could not be found or read.
    problems: Vec<Problem>,
    #[serde(borrow)]
    kept: Kept<'a>,
}

impl Resumable {
    /// Reads what was kept of the run that `since` speaks of; none where that is missing, damaged or of another run.
    pub(super) fn load(disk: &Disk, since: Since) -> Option<Self> {
        let bytes = disk.read_small(&path()).ok()?;
        seal::open(SORT, &bytes)?;
        Some(Self { bytes, since })
    }

    fn body(&self) -> Option<Body<'_>> {
        let body: Body<'_> = postcard::from_bytes(self.bytes.get(HEAD..)?).ok()?;
        (body.run == self.since.run).then_some(body)
    }
}

impl Engine {
    /// Keeps for a later process what the run found out that is known by `run`, if nothing is wrong.
    pub(super) fn keep(&mut self, disk: &Disk, run: Fingerprint) {
        let (Some(project), Some(inputs)) = (self.files.project(), self.inputs()) else {
            return;
        };
        self.state.find_asleep(&self.db, project);
        let files: Vec<SourceFile> = spec_files(&self.db, project).collect();
        let kept = kept::keep(&self.db, project, &self.state, &files, |kept| {
            postcard::to_stdvec(&Borrowed {
                run,
                inputs: inputs.fingerprint(),
                texts: [
                    vec![(inputs.root.as_str(), &*inputs.text)],
                    borrowed(&inputs.included),
                    borrowed(&inputs.own),
                ],
                problems: &self.files.problems,
                kept,
            })
        });
        let written = kept.and_then(Result::ok).and_then(|body| {
            let (_, bytes) = seal::seal(SORT, &body);
            disk.replace_small(&path(), &bytes, Flush::Later).ok()
        });
        if written.is_none() {
            // What is old is of no use, and only takes room.
            let _: std::io::Result<()> = disk.remove_small(&path());
        }
    }

    /// Goes on from what an earlier process found out.
    ///
    /// # Errors
    /// Why that is not enough, in words.
    pub(super) fn resume(&mut self, resumable: &Resumable) -> Result<Project, &'static str> {
        const DAMAGED: &str = "the state that was kept is damaged, or of another run";
        const UNREADABLE: &str = "a file can't be read";
        let body = resumable.body().ok_or(DAMAGED)?;
        let edited = self.edited(resumable, &body);
        let (paths, seen) =
            edited.ok_or("files came or went, or others than those of the spec, rules and templates changed")?;
        let witnesses = self.witnesses(&resumable.since, seen);
        let mut db = self.db.anew();
        let text = |(path, text): &(&str, &str)| Text::known(Name::from(*path), (*text).into());
        let texts = body.texts.each_ref().map(|it| it.iter().map(text).collect());
        let files = Files::known(&mut db, texts, witnesses);
        let project = files.project().ok_or(DAMAGED)?;
        let all: Vec<SourceFile> = spec_files(&db, project).collect();
        let last = body.kept.restore(&db, project, &all).ok_or(DAMAGED)?;
        fresh::compile(&db, project);
        let mut standing = Standing::default();
        let noted = files.note(&db, project, paths.iter().map(String::as_str), &mut standing);
        noted.ok_or(DAMAGED)?;
        let (texts, problems) = discover::read(&self.root.folder, &paths);
        if !problems.is_empty() || texts.len() != paths.len() {
            return Err(UNREADABLE);
        }
        let mut files = files;
        files.problems.clone_from(&body.problems);
        let mut before = Vec::new();
        for Text { path, text, .. } in texts {
            let known = files.editable(&path).map(|it| it.text(&db).clone());
            before.extend(known.filter(|it| **it != *text).map(|it| (path.clone(), it)));
            files.put_back(&mut db, &path, Some(text));
        }
        let mut tried = Self {
            db,
            files,
            state: last,
            standing,
            is_resumed: true,
            edited: Some(Edited {
                inputs: body.inputs,
                texts: before,
            }),
            read_back: self.read_back,
            began: self.began,
            ..Self::open(self.root.clone())
        };
        let step = tried.step(project);
        step.map_err(|_| "nodes or rules came, went or have other names, or something changed that all of them read")?;
        tried.laps = std::mem::take(&mut self.laps);
        *self = tried;
        Ok(project)
    }

    /// Tells whether the last outcome went on from what was found out before, and the rest was not looked at.
    #[must_use]
    pub fn is_resumed(&self) -> bool {
        self.is_resumed
    }

    /// Tells whether it is of use to keep what the last outcome found out: it was derived, or no file holds something
    /// else than what was kept before.
    #[must_use]
    pub fn is_worth_keeping(&self) -> bool {
        !self.is_resumed || self.edited.as_ref().is_some_and(|it| it.texts.is_empty())
    }

    /// Makes ready for edits, once an outcome was carried out: from here on only what an edit changes is looked at, and
    /// what was derived of all else is forgotten.
    pub fn make_ready(&mut self) {
        let n_files = self.files.project().map_or(0, |it| spec_files(&self.db, it).count());
        let most_ran = FORGETS_AFTER.max(2 * n_files);
        let n_ran = self.db.n_ran().zip(self.n_ran).map(|(now, then)| now - then);
        let is_ready = self.is_resumed && n_ran.is_some_and(|it| it < most_ran);
        let is_between = is_ready || !self.standing.is_empty() || !self.files.are_own();
        let project = self.files.project().filter(|_| !is_between);
        let Some(project) = project.filter(|it| it.overrides(&self.db).is_empty()) else {
            return;
        };
        self.state.find_asleep(&self.db, project);
        let before: Vec<SourceFile> = spec_files(&self.db, project).collect();
        let bytes = kept::keep(&self.db, project, &self.state, &before, |it| postcard::to_stdvec(it));
        let anew = self.anew(self.db.counting_anew());
        let (Some(Ok(bytes)), Some((db, files, project))) = (bytes, anew) else {
            return;
        };
        // All that was known goes before any of it is made again: side by side, the two would leave holes behind.
        self.state = State::default();
        (self.db, self.files) = (db, files);
        let files: Vec<SourceFile> = spec_files(&self.db, project).collect();
        let kept: Option<Kept<'_>> = postcard::from_bytes(&bytes).ok();
        match kept.and_then(|it| it.restore(&self.db, project, &files)) {
            Some(state) => {
                fresh::compile(&self.db, project);
                self.state = state;
                self.is_resumed = true;
                self.n_ran = self.db.n_ran();
            }
            None => self.forget(),
        }
    }

    /// Takes in the edits of files that were noticed, where the graph is known; none where more may have changed.
    pub(super) fn advance(&mut self, ask: &Ask) -> Option<Project> {
        let project = self.files.project().filter(|_| ask.overrides.is_empty())?;
        let paths = self.files.take_edited()?;
        let mut of_spec = paths.iter().filter_map(|it| self.files.of_spec(it));
        // What stands wrong in the root file may change what others held before it.
        let is_root_wrong = self.standing.has(project.root(&self.db));
        if is_root_wrong && of_spec.any(|it| !self.standing.has(it)) {
            return None;
        }
        let edited = paths.iter().map(String::as_str);
        self.files.note(&self.db, project, edited, &mut self.standing)?;
        let (texts, problems) = discover::read(&self.root.folder, &paths);
        if !problems.is_empty() || texts.len() != paths.len() {
            return None;
        }
        for Text { path, text, .. } in texts {
            self.files.put_back(&mut self.db, &path, Some(text));
        }
        self.edited = None;
        self.step(project).ok()?;
        Some(project)
    }

    /// Brings the state up to date with the edits since the files stood as they were taken down.
    ///
    /// # Errors
    /// The last state, for what it says, where more may have changed than that tells.
    pub(super) fn step(&mut self, project: Project) -> Result<(), Box<State>> {
        let last = std::mem::take(&mut self.state);
        let moved = |file: SourceFile| {
            let path = file.path(&self.db);
            let of_reading = self.files.problems.iter().any(|it| it.is_placed_in(path));
            of_reading || last.told().is_some_and(|it| it.is_placed_in(path))
        };
        if self.standing.files().any(moved) {
            return Err(Box::new(last));
        }
        let of_packs = match self.standing.has_packs() {
            true => last.pack_edit(&self.db, project),
            false => PackEdit::Printing(Printing::default()),
        };
        let told = last.told().cloned().unwrap_or_default();
        let of_spec = self.standing.edit(&self.db, project, &told);
        match (of_spec, of_packs) {
            (Edit::More, _) | (_, PackEdit::More) => return Err(Box::new(last)),
            (_, PackEdit::Wrong(mistakes)) => {
                self.state = last.with_mistakes(&self.db, project, self.standing.files(), mistakes);
            }
            (Edit::Wrong, PackEdit::Printing(_)) => {
                self.state = last.with_mistakes(&self.db, project, self.standing.files(), Vec::new());
            }
            (Edit::Nodes(nodes, told), PackEdit::Printing(rules)) => {
                if !self.rewire(project, &nodes) {
                    return Err(Box::new(last));
                }
                reads::forget(&mut self.db, &rules.stale);
                let edited = fresh::Edited { nodes, rules, told };
                self.state = fresh::resume(&self.db, project, last, edited, self.read_back)?;
                reads::learn(&mut self.db, project, self.state.holding.iter());
                self.standing = Standing::default();
            }
        }
        debug_assert!(
            self.is_as_derived(),
            "what a run finds that goes on from an earlier one differs"
        );
        Ok(())
    }

    /// Makes anew the edges that an edit may have changed; `false` where the graph can't be so.
    fn rewire(&mut self, project: Project, edit: &[Differing]) -> bool {
        if edit.iter().all(|it| it.rewired.is_empty()) {
            return true;
        }
        let environments = (0_u16..).zip(edit);
        let graphs = environments.map(|(at, it)| shape::rewired(&self.db, project, at, &it.rewired));
        let Some(graphs) = graphs.collect::<Option<Vec<KnownGraph>>>() else {
            return false;
        };
        KnownGraphs::get(&self.db).set_of(&mut self.db).to(graphs);
        true
    }

    /// Returns the files of the spec and the packs that may have changed, and what was looked at to find no others; none
    /// where other things have.
    fn edited(&self, resumable: &Resumable, body: &Body<'_>) -> Option<(Vec<String>, Vec<Witness>)> {
        let [root, included, own] = &body.texts;
        let folder = &self.root.folder;
        let since = &resumable.since;
        let stands_in = |files: &[(&str, &str)], path: &str| files.binary_search_by(|it| it.0.cmp(path)).is_ok();
        let mut edited = Vec::new();
        let mut moved = Vec::new();
        for at in &since.changed {
            let path = since.witnesses.get(*at)?.path.to_str()?;
            let is_root = root.first().is_some_and(|it| it.0 == path);
            if is_root || stands_in(included, path) || stands_in(own, path) && is_of_packs(path) {
                edited.push(path.to_owned());
            // A folder somewhere else is one of a pack that may have changed there.
            } else if folder.join(path).is_dir() && !Path::new(path).is_absolute() {
                moved.push(path);
            } else {
                return None;
            }
        }
        let seen = match moved.is_empty() {
            true => Vec::new(),
            false => self.finds_the_same(body, &moved)?,
        };
        edited.sort();
        edited.dedup();
        Some((edited, seen))
    }

    /// Looks for the files of the project where in the `moved` folders something has come or gone. Returns what was looked
    /// at; none where a file has come or gone that is looked for.
    fn finds_the_same<'m>(&self, body: &Body<'_>, moved: &[&'m str]) -> Option<Vec<Witness>> {
        let folder = &self.root.folder;
        let [root, included, own] = &body.texts;
        let mut others = SPEC_NAMES.iter().filter(|it| ***it != *self.root.spec);
        if others.any(|it| folder.join(it).exists()) {
            return None;
        }
        let includes = includes(&self.root.spec, root.first()?.1);
        let packs = shared::includes(&self.root.spec, root.first()?.1);
        let below = |moved: &&'m str| {
            let found = discover::expand_below(folder, &includes, moved)?;
            Some((*moved, found, discover::own_below(folder, &packs, moved)?))
        };
        let few = moved.iter().map(below).collect::<Option<Vec<_>>>();
        let walks = few.filter(|_| body.problems.is_empty()).unwrap_or_else(|| {
            let found = discover::expand(folder, &includes);
            vec![("", found, discover::own(folder, &packs))]
        });
        let mut seen = Vec::new();
        let mut problems = Vec::new();
        for (top, mut found, own_found) in walks {
            found.files.retain(|it| **it != *self.root.spec);
            if !are_found(&found.files, included, top) || !are_found(&own_found.files, own, top) {
                return None;
            }
            seen.extend(found.witnesses.into_iter().chain(own_found.witnesses));
            problems.extend(found.problems.into_iter().chain(own_found.problems));
        }
        (problems == body.problems).then_some(seen)
    }

    /// Returns how everything looks now on which the run depended, before anything of it is read: what was `seen` by now
    /// as it looked then.
    fn witnesses(&self, since: &Since, seen: Vec<Witness>) -> Vec<Witness> {
        let mut first_seen: BTreeMap<PathBuf, Witness> = BTreeMap::new();
        for witness in seen {
            first_seen.entry(witness.path.clone()).or_insert(witness);
        }
        let mut witnesses = since.witnesses.clone();
        let mut changed = since.changed.iter().copied().peekable();
        for (at, witness) in witnesses.iter_mut().enumerate() {
            let has_changed = changed.next_if_eq(&at).is_some();
            match first_seen.remove(&witness.path) {
                Some(now) => *witness = now,
                None if has_changed => *witness = Witness::of(&self.root.folder, &*witness.path),
                None => {}
            }
        }
        witnesses.extend(first_seen.into_values());
        witnesses
    }

    /// Forgets what was taken over, so that the next outcome is derived from the files.
    pub(super) fn forget(&mut self) {
        self.db = self.db.anew();
        self.files = Files::default();
        self.state = State::default();
        self.standing = Standing::default();
        self.edited = None;
        self.is_resumed = false;
    }

    /// Derives everything from the inputs as they are set now.
    pub(super) fn derive_anew(&mut self) -> Project {
        let (db, files, project) = self
            .anew(self.db.anew())
            .expect("a project that was resumed has a root file");
        let how = (Stir::Much, ReadBack::default());
        let laps = &mut self.laps;
        self.state = fresh::refresh(&db, project, State::default(), how, &mut |it| laps.begin(it));
        self.laps.end();
        self.db = db;
        self.files = files;
        self.standing = Standing::default();
        self.is_resumed = false;
        project
    }

    /// Makes `db`, which is empty, know nothing but the inputs as they are set now.
    fn anew(&self, mut db: Database) -> Option<(Database, Files, Project)> {
        let project = self.files.project()?;
        let texts = |files: &[SourceFile]| {
            let text = |it: &SourceFile| Text::known(it.path(&self.db).clone(), it.text(&self.db).clone());
            files.iter().map(text).collect::<Vec<_>>()
        };
        let (root, included) = (project.root(&self.db), project.included(&self.db));
        let all = [texts(&[root]), texts(included), texts(project.own(&self.db))];
        let mut files = Files::known(&mut db, all, self.files.witnesses.clone());
        files.interest = self.files.interest.clone();
        files.problems = self.files.problems.clone();
        let project = files.project()?;
        Some((db, files, project))
    }

    /// Tells whether deriving everything comes to the same.
    pub(super) fn is_as_derived(&self) -> bool {
        let Some((db, _, project)) = self.anew(Database::default()) else {
            return false;
        };
        let how = (Stir::Much, ReadBack::default());
        let derived = fresh::refresh(&db, project, State::default(), how, &mut |_| {});
        let told = |problems: &[Problem]| {
            let mut problems = problems.to_vec();
            problems.sort();
            problems.dedup();
            problems
        };
        let is_wrong = !self.standing.is_empty();
        (is_wrong || derived.fresh == self.state.fresh) && told(&derived.problems) == told(&self.state.problems)
    }
}

/// Tells whether the files that were `found` below `folder` are those of the `known` ones that lie there; both are sorted.
fn are_found(found: &[String], known: &[(&str, &str)], folder: &str) -> bool {
    let lies_there = |path: &str| {
        let below = path.strip_prefix(folder);
        folder.is_empty() || below.is_some_and(|it| it.starts_with('/'))
    };
    let known = known.iter().map(|it| it.0).filter(|it| lies_there(it));
    found.iter().map(String::as_str).eq(known)
}

fn borrowed(texts: &BTreeMap<Name, Arc<str>>) -> Vec<(&str, &str)> {
    texts.iter().map(|(path, text)| (path.as_str(), &**text)).collect()
}

/// The body as it is written.
#[derive(Serialize)]
struct Borrowed<'a, 'k> {
    run: Fingerprint,
    inputs: Fingerprint,
    texts: [Vec<(&'a str, &'a str)>; 3],
    problems: &'a [Problem],
    kept: &'a Kept<'k>,
}
