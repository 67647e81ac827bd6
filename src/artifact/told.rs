//! What is told of the files of a project, kept from run to run: an edit changes what is told of the files that it edited.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::artifact::found::Found;
use crate::db::{Database, Project, SourceFile, spec_files};
use crate::fact::shape;
use crate::problem::Problem;
use crate::spec;
use crate::value::Name;

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

    fn ask(&mut self, db: &Database, project: Project, file: SourceFile) {
        let path = file.path(db).clone();
        let problems = spec::file_problems(db, file, &|it| shape::is_derived(db, project, it));
        if problems.is_empty() {
            self.of_files.remove(&path);
        } else {
            self.of_files.insert(path, problems);
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
