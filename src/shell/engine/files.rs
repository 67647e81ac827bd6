//! The files of a project as inputs of the database: read once, then only what changed.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;
use salsa::{Durability, Setter};

use super::Changed;
use crate::artifact::fresh::Stir;
use crate::artifact::standing::Standing;
use crate::db::{Database, Override, Project, SourceFile, is_shared, pack_path};
use crate::problem::{Place, Problem};
use crate::rule::set::is_rule_file;
use crate::shell::discover::{self, Gathered, Include, Interest, Root, Text, Witness};
use crate::shell::report::Sources;
use crate::shell::shared::Shared;
use crate::shell::stat::{Opened, Time};
use crate::value::Name;
use crate::yaml;

/// How many files are read again as fast one after the other.
const FEW: usize = 100;

/// Whatever is less durable makes salsa keep, of each question that a query asks, that its arguments are still in use:
/// a quarter of all that it keeps.
const PROJECT: Durability = Durability::MEDIUM;

/// The inputs that were set, by path.
#[derive(Default)]
pub(super) struct Files {
    project: Option<Project>,
    root: BTreeMap<Name, SourceFile>,
    included: BTreeMap<Name, SourceFile>,
    own: BTreeMap<Name, SourceFile>,
    /// What may have changed; everything before the first reading.
    pending: Pending,
    /// What could not be read.
    pub(super) problems: Vec<Problem>,
    /// How much the last reading has changed.
    pub(super) stir: Stir,
    /// What there is to watch.
    pub(super) interest: Arc<Interest>,
    /// On what it depends that a reading finds the same.
    pub(super) witnesses: Vec<Witness>,
    /// What was found out of packs from elsewhere.
    pub(super) shared: Shared,
    /// The project whose packs are used instead of this one's own, for a case of its tests.
    packs_of: Option<Root>,
}

#[derive(Default)]
enum Pending {
    #[default]
    Anything,
    Paths(Vec<String>),
}

impl Files {
    /// Returns the project, once it was read.
    pub(super) fn project(&self) -> Option<Project> {
        self.project
    }

    /// Returns the files with these texts, as if they had been read: the root, what it includes, the project's own.
    /// `witnesses` are those of the reading that this stands for.
    pub(super) fn known(db: &mut Database, texts: [Vec<Text>; 3], witnesses: Vec<Witness>) -> Self {
        let mut files = Self {
            pending: Pending::Paths(Vec::new()),
            witnesses,
            ..Self::default()
        };
        let [root, included, own] = texts;
        set(db, &mut files.root, root);
        set(db, &mut files.included, included);
        set(db, &mut files.own, own);
        files.found(db);
        files
    }

    /// Returns the file of the spec at `path`: the root, or one that it includes.
    pub(super) fn of_spec(&self, path: &str) -> Option<SourceFile> {
        self.root.get(path).or_else(|| self.included.get(path)).copied()
    }

    /// Returns the file of rules, or the template, of the project's own packs at `path`.
    pub(super) fn of_packs(&self, path: &str) -> Option<SourceFile> {
        self.own.get(path).filter(|_| is_of_packs(path)).copied()
    }

    /// Returns the file at `path` that the spec or the project's own packs are read from, if an edit of it may be gone on
    /// from.
    pub(super) fn editable(&self, path: &str) -> Option<SourceFile> {
        self.of_spec(path).or_else(|| self.of_packs(path))
    }

    /// Takes down in `standing` how the files at `paths` stand before they are edited; none where others than those of
    /// the spec and of the project's own packs are among them.
    pub(super) fn note<'p>(
        &self,
        db: &Database,
        project: Project,
        paths: impl Iterator<Item = &'p str>,
        standing: &mut Standing,
    ) -> Option<()> {
        let mut of_spec = Vec::new();
        for path in paths {
            match self.of_spec(path) {
                Some(file) => of_spec.push(file),
                None => {
                    self.of_packs(path)?;
                    standing.note_packs();
                }
            }
        }
        standing.note(db, project, &of_spec);
        Some(())
    }

    /// Tells whether the packs are those of the project.
    pub(super) fn are_own(&self) -> bool {
        self.packs_of.is_none()
    }

    /// Takes note no longer of which files of the spec and the packs were edited, and returns them; none where others have
    /// changed.
    pub(super) fn take_edited(&mut self) -> Option<Vec<String>> {
        let Pending::Paths(paths) = &self.pending else {
            return None;
        };
        let concerned = paths.iter().filter(|it| self.interest.concerns(it));
        let mut edited: Vec<String> = concerned.cloned().collect();
        edited.sort();
        edited.dedup();
        if !edited.iter().all(|it| self.editable(it).is_some()) {
            return None;
        }
        self.pending = Pending::Paths(Vec::new());
        Some(edited)
    }

    /// Uses the packs of the project at `root`.
    pub(super) fn packs_of(&mut self, root: Root) {
        self.packs_of = Some(root);
    }

    /// Takes notice of what changed on the disk.
    pub(super) fn notice(&mut self, changed: &Changed) {
        match (&mut self.pending, changed) {
            (Pending::Paths(known), Changed::Paths(paths)) => known.extend(paths.iter().cloned()),
            (Pending::Anything, _) => {}
            (_, Changed::Anything) => self.pending = Pending::Anything,
        }
    }

    /// Tells whether all on which the last reading depended looks as it did then, and is older than when it `began`.
    pub(super) fn are_as_read(&self, folder: &Path, began: Time) -> bool {
        let opened = Opened::new(folder);
        let holds = |it: &Witness| it.still_holds(&opened, began);
        matches!(&self.pending, Pending::Paths(paths) if paths.is_empty()) && self.witnesses.par_iter().all(holds)
    }

    /// Brings the inputs up to date; `None` where the root file can't be read.
    pub(super) fn load(&mut self, db: &mut Database, root: &Root, overrides: &[Override]) -> Option<Project> {
        let pending = std::mem::replace(&mut self.pending, Pending::Paths(Vec::new()));
        match pending {
            Pending::Paths(paths) if self.project.is_some() && self.update(db, root, &paths) => {
                self.stir = if paths.len() > FEW { Stir::Much } else { Stir::Little };
            }
            _ => {
                self.stir = Stir::Much;
                self.read(db, root);
            }
        }
        let project = self.project?;
        self.override_with(db, project, overrides);
        Some(project)
    }

    /// Reads again the files at `paths`; `false` where files came or went, so that all must be looked for.
    fn update(&mut self, db: &mut Database, root: &Root, paths: &[String]) -> bool {
        let concerned: Vec<String> = paths.iter().filter(|it| self.interest.concerns(it)).cloned().collect();
        let known = |path: &String| self.included.contains_key(path.as_str()) || self.own.contains_key(path.as_str());
        // What is kept of packs from elsewhere is compared with what was locked.
        if !concerned.iter().all(|it| known(it) && !is_shared(it)) {
            return false;
        }
        let (texts, problems) = discover::read(&root.folder, &concerned);
        if !problems.is_empty() || texts.len() != concerned.len() {
            return false;
        }
        for Text { path, text, .. } in texts {
            if let Some(file) = self.included.get(&path).or_else(|| self.own.get(&path)).copied()
                && **file.text(db) != *text
            {
                file.set_text(db).to(text);
            }
        }
        true
    }

    /// Reads all files, and sets those inputs that differ.
    fn read(&mut self, db: &mut Database, root: &Root) {
        let spec = root.spec.clone();
        let Gathered {
            root: text,
            included,
            mut own,
            mut shared,
            interest,
            witnesses,
            problems,
        } = discover::gather(root, |text| includes(&spec, text));
        self.interest = Arc::new(interest);
        self.witnesses = witnesses;
        self.problems = problems;
        if let Some(other) = &self.packs_of {
            let other = discover::gather(other, |_| Vec::new());
            let errors = other.shared.problems.iter().filter(|it| it.is_error());
            self.problems.extend(errors.cloned());
            (own, shared) = (other.own, other.shared);
        }
        // Without the packs that it asks for, all that a spec says of them would be wrong.
        let is_whole = !shared.problems.iter().any(Problem::is_error);
        self.shared = shared;
        let Some(text) = text.filter(|_| is_whole) else {
            self.project = None;
            return;
        };
        set(db, &mut self.root, vec![text]);
        set(db, &mut self.included, included);
        set(db, &mut self.own, own);
        self.found(db);
    }

    /// Tells the project which files there are.
    fn found(&mut self, db: &mut Database) {
        let Some(first) = self.root.values().next().copied() else {
            return;
        };
        let included: Vec<SourceFile> = self.included.values().copied().collect();
        let own: Vec<SourceFile> = self.own.values().copied().collect();
        // There is one project in a database, though it could not be read for a while.
        self.project = self.project.or_else(|| Project::try_get(db));
        match self.project {
            None => {
                let files = super::built_in::built_in().iter().map(|(path, text)| {
                    SourceFile::builder(Name::from(*path), Arc::from(*text))
                        .durability(Durability::HIGH)
                        .new(db)
                });
                let files: Vec<SourceFile> = files.collect();
                let project = Project::builder(first, included, files, own, Vec::new());
                self.project = Some(project.durability(PROJECT).new(db));
            }
            Some(project) => {
                if *project.included(db) != included {
                    project.set_included(db).to(included);
                }
                if *project.own(db) != own {
                    project.set_own(db).to(own);
                }
            }
        }
    }

    /// Sets what a run sets apart from the files.
    pub(super) fn override_with(&self, db: &mut Database, project: Project, overrides: &[Override]) {
        if project.overrides(db) != overrides {
            project.set_overrides(db).to(overrides.to_vec());
        }
    }

    /// Gives the file at `path` the text that it once had; none where it was not there. The disk is not asked.
    pub(super) fn put_back(&mut self, db: &mut Database, path: &Name, text: Option<Arc<str>>) {
        if let Some(root) = self.root.get(path) {
            if let Some(text) = text.filter(|it| **root.text(db) != **it) {
                root.set_text(db).to(text);
            }
            return;
        }
        let is_own = ["rules/", "templates/"]
            .iter()
            .any(|it| pack_path(path).starts_with(it));
        let files = if is_own && !self.included.contains_key(path) {
            &mut self.own
        } else {
            &mut self.included
        };
        match (files.get(path).copied(), text) {
            (Some(file), Some(text)) => {
                if **file.text(db) != *text {
                    file.set_text(db).to(text);
                }
                return;
            }
            (Some(_), None) => {
                files.remove(path);
            }
            (None, Some(text)) => {
                let file = SourceFile::builder(path.clone(), text).durability(PROJECT).new(db);
                files.insert(path.clone(), file);
            }
            (None, None) => return,
        }
        self.found(db);
    }

    /// Returns the texts of all files, for printing problems.
    pub(super) fn sources(&self, db: &Database, project: Project) -> Sources {
        // A file of the project stands in the place of a built-in one of its path.
        let files = project.built_in(db).iter();
        let files = files
            .chain(self.root.values())
            .chain(self.included.values())
            .chain(self.own.values());
        let files = files.map(|it| (it.path(db).clone(), it.text(db).clone()));
        let set = project.overrides(db).iter().map(|it| (it.file(), it.yaml.clone()));
        let lock = self
            .shared
            .lock_text
            .iter()
            .map(|it| (it.path.clone(), it.text.clone()));
        lock.chain(files).chain(set).collect()
    }
}

/// Tells whether a file at `path` is one of rules, or a template, of the project's own packs.
pub(super) fn is_of_packs(path: &str) -> bool {
    !is_shared(path) && (path.starts_with("templates/") || is_rule_file(path))
}

/// Makes `known` hold `texts` and nothing else, touching only what differs.
fn set(db: &mut Database, known: &mut BTreeMap<Name, SourceFile>, texts: Vec<Text>) {
    let mut next = BTreeMap::new();
    for Text { path, text, .. } in texts {
        let file = match known.remove(&path) {
            None => SourceFile::builder(path.clone(), text).durability(PROJECT).new(db),
            Some(file) => {
                if **file.text(db) != *text {
                    file.set_text(db).to(text);
                }
                file
            }
        };
        next.insert(path, file);
    }
    *known = next;
}

/// Returns the globs under `include` in the text of the root file.
pub(in crate::shell) fn includes(file: &Name, text: &str) -> Vec<Include> {
    // A root file that holds all itself is parsed elsewhere.
    if !text.contains("include") {
        return Vec::new();
    }
    let (root, _) = yaml::parse(text);
    let Some(list) = root.as_ref().and_then(|it| it.get("include")) else {
        return Vec::new();
    };
    let globs = list.items().iter().filter_map(|it| {
        Some(Include {
            glob: it.as_str()?.into(),
            place: Some(Place::Text(file.clone(), it.span)),
        })
    });
    globs.collect()
}
