//! The one door between the commands and what derives artifacts from specs.
//!
//! Commands know nothing of databases, rules or templates: they open an engine, ask it, and print or carry out the
//! answer. What the questions are stands here; how they are answered lies behind the methods.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use super::discover::{Interest, Root};
use super::report::Sources;
use crate::db::Override;
pub use crate::plan::{ArtifactPath, Content, Mode, Wanted};
use crate::problem::Problem;
use crate::value::{Address, Name};

/// What a command asks about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ask {
    /// The environments by name; all, if empty.
    pub environments: Vec<Name>,
    /// Fields that are set for this run alone.
    pub overrides: Vec<Override>,
}

/// An environment and its folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// Its name.
    pub name: Name,
    /// Its folder relative to the project; empty for one that stands at the root.
    pub folder: String,
}

/// Of which paths an outcome speaks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Extent {
    /// Of all: what is not wanted is to go.
    #[default]
    Whole,
    /// Of these: all others are as the last outcome of this engine wanted them. What is not wanted of these is to go.
    Only(BTreeSet<ArtifactPath>),
}

/// What the rules want, and what is wrong.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The artifacts of the environments that were asked for, sorted by path. Worth nothing while a problem is an error.
    pub wanted: Vec<Wanted>,
    /// Of which paths `wanted` speaks.
    pub extent: Extent,
    /// What is wrong, each place with its file and span.
    pub problems: Vec<Problem>,
    /// The texts of at least those files in which problems stand.
    pub sources: Sources,
    /// All environments of the spec, those included that were not asked for; none if it names none.
    pub environments: Vec<Environment>,
}

impl Outcome {
    /// Tells whether something is wrong that forbids to write.
    #[must_use]
    pub fn is_invalid(&self) -> bool {
        self.problems.iter().any(Problem::is_error)
    }
}

/// An answer that may come with problems.
#[derive(Clone, Debug)]
pub struct Answer<T> {
    /// The answer; `None` where there is none.
    pub value: Option<T>,
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// The texts of the files in which problems stand.
    pub sources: Sources,
}

/// The bindings that match a pattern.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bindings {
    /// The variables, in the order of the pattern.
    pub variables: Vec<Name>,
    /// For each match the nodes, in the order of the variables; sorted.
    pub rows: Vec<Vec<Address>>,
}

/// The form in which the graph is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum GraphForm {
    /// Layers in start order, and cycles.
    #[default]
    Text,
    /// Graphviz.
    Dot,
    /// Mermaid.
    Mermaid,
}

/// A pack, in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pack {
    /// Its name.
    pub name: Name,
    /// What it is for.
    pub doc: Arc<str>,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where a pack comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It is built in.
    BuiltIn,
    /// The project brings it.
    Own,
}

/// A file of a pack: its path as the project would hold it (`rules/…`, `templates/…`), and its content.
pub type PackFile = (Name, Arc<str>);

/// A case of a pack's tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Its name: the pack and the case.
    pub name: Name,
    /// How it ended; a failure with the difference.
    pub outcome: Result<(), Arc<str>>,
}

/// What may have changed since the last answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// These paths, relative to the project, and nothing else.
    Paths(Vec<String>),
    /// Anything.
    Anything,
}

/// Derives artifacts from the files of one project.
#[derive(Debug)]
pub struct Engine {
    root: Root,
    #[cfg(test)]
    outcome: Option<Outcome>,
}

impl Engine {
    /// Opens the project at `root`. Nothing is read before something is asked.
    #[must_use]
    pub fn open(root: Root) -> Self {
        Self {
            root,
            #[cfg(test)]
            outcome: None,
        }
    }

    /// Returns an engine that always wants `outcome`.
    #[cfg(test)]
    pub(crate) fn fixed(root: Root, outcome: Outcome) -> Self {
        Self {
            root,
            outcome: Some(outcome),
        }
    }

    /// Returns the project.
    #[must_use]
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// Takes notice of what changed on the disk since the last answer.
    pub fn refresh(&mut self, changed: &Changed) {
        let _: &Changed = changed;
    }

    /// Returns what the rules want.
    pub fn outcome(&mut self, ask: &Ask) -> Outcome {
        let _: &Ask = ask;
        #[cfg(test)]
        if let Some(outcome) = &self.outcome {
            return outcome.clone();
        }
        Outcome {
            problems: vec![not_built()],
            ..Outcome::default()
        }
    }

    /// Prints the artifacts at `paths`, of which the last outcome said only what they would be.
    ///
    /// # Errors
    /// What went wrong while printing.
    pub fn print(&mut self, paths: &[&ArtifactPath]) -> Result<Vec<Arc<[u8]>>, Vec<Problem>> {
        if paths.is_empty() {
            Ok(Vec::new())
        } else {
            Err(vec![not_built()])
        }
    }

    /// Returns what to watch, as of the last outcome.
    #[must_use]
    pub fn interest(&self) -> Interest {
        Interest::default()
    }

    /// Returns the bindings of `pattern` in each environment that is asked for: the environment's name, if it has
    /// one, and the bindings.
    pub fn query(&mut self, ask: &Ask, pattern: &str) -> Answer<Vec<(Option<Name>, Bindings)>> {
        let _: (&Ask, &str) = (ask, pattern);
        no_answer()
    }

    /// Returns the graph of each environment that is asked for, drawn as one text.
    pub fn graph(&mut self, ask: &Ask, form: GraphForm) -> Answer<String> {
        let _: (&Ask, GraphForm) = (ask, form);
        no_answer()
    }

    /// Returns the JSON Schema of the spec, as the packs of this project make it.
    pub fn schema(&mut self) -> Answer<serde_json::Value> {
        no_answer()
    }

    /// Returns the packs that there are, sorted by name.
    pub fn packs(&mut self) -> Answer<Vec<Pack>> {
        no_answer()
    }

    /// Returns the files of the pack named `name`, sorted by path. An unknown name is a problem.
    pub fn pack_files(&mut self, name: &str) -> Answer<Vec<PackFile>> {
        let _: &str = name;
        no_answer()
    }

    /// Runs the test cases of `packs`, of all if none is named.
    pub fn test(&mut self, packs: &[PathBuf]) -> Answer<Vec<Case>> {
        let _: &[PathBuf] = packs;
        no_answer()
    }
}

fn not_built() -> Problem {
    Problem::error("engine::not_built", "this build has no engine behind its commands")
}

fn no_answer<T>() -> Answer<T> {
    Answer {
        value: None,
        problems: vec![not_built()],
        sources: Sources::default(),
    }
}
