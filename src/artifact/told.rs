//! What is told of the files of a project, kept from run to run: an edit changes what is told of the files that it edited.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::artifact::found::Found;
use crate::db::{Database, Project, SourceFile, spec_files};
use crate::fact::shape;
use crate::problem::Problem;
use crate::spec;
use crate::value::{Address, Name};

/// What is told of files, apart from what is found of nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Of single files of the spec, by their path.
    of_files: BTreeMap<Name, Vec<Problem>>,
    /// Of packs, and of all files together.
    of_all: Vec<Problem>,
}

impl Told {
    /// Sorts the `problems` of a run that also `found` some of nodes.
    #[must_use]
    pub fn new(db: &Database, project: Project, problems: &[Problem], found: &Found) -> Self {
        let mut told = Self::default();
        for file in spec_files(db, project) {
            told.ask(db, project, file);
        }
        let known: BTreeSet<Problem> = told.problems().chain(found.problems()).collect();
        told.of_all = problems.iter().filter(|it| !known.contains(it)).cloned().collect();
        told
    }

    /// Asks again what is wrong with `files`.
    #[must_use]
    pub fn again(mut self, db: &Database, project: Project, files: impl Iterator<Item = SourceFile>) -> Self {
        for file in files {
            self.ask(db, project, file);
        }
        self
    }

    /// Returns the same with what was `found` of these files now.
    #[must_use]
    pub fn with(&self, db: &Database, found: Vec<(SourceFile, Vec<Problem>)>) -> Self {
        let mut told = self.clone();
        found
            .into_iter()
            .for_each(|(file, problems)| told.put(file.path(db), problems));
        told
    }

    /// Returns what is wrong with a file now, where the spec says something else of no others than these `nodes`.
    #[must_use]
    pub fn now(&self, db: &Database, project: Project, file: SourceFile, nodes: &BTreeSet<Address>) -> Vec<Problem> {
        let is_derived = |it: &Address| shape::is_derived(db, project, it);
        match self.of_files.contains_key(file.path(db)) {
            true => spec::file_problems(db, file, &is_derived),
            false => spec::new_problems(db, file, nodes, &is_derived),
        }
    }

    fn ask(&mut self, db: &Database, project: Project, file: SourceFile) {
        let problems = spec::file_problems(db, file, &|it| shape::is_derived(db, project, it));
        self.put(file.path(db), problems);
    }

    fn put(&mut self, path: &Name, problems: Vec<Problem>) {
        if problems.is_empty() {
            self.of_files.remove(path);
        } else {
            self.of_files.insert(path.clone(), problems);
        }
    }

    /// Tells whether something else than what is told of `file` alone has its place there, which an edit of it moves.
    #[must_use]
    pub fn is_placed_in(&self, file: &Name) -> bool {
        let of_others = self.of_files.iter().filter(|it| it.0 != file).flat_map(|it| it.1);
        of_others.chain(&self.of_all).any(|it| it.is_placed_in(file))
    }

    /// Tells whether all of it is told of single files of the spec.
    #[must_use]
    pub fn is_of_files(&self) -> bool {
        self.of_all.is_empty()
    }

    /// Returns all of it.
    pub fn problems(&self) -> impl Iterator<Item = Problem> {
        self.of_files.values().flatten().chain(&self.of_all).cloned()
    }
}
