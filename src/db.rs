//! The salsa database and its inputs: all that a query may read.
//!
//! The shell sets the inputs; everything else is derived from them. There is no other state.

#![expect(missing_docs, reason = "salsa's macros write public functions without docs")]

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::value::{Name, Path};

/// What a query gets: any salsa database. Queries need nothing of their own from it, so that an expression
/// that runs inside one can ask through the database which is attached to its thread.
pub use salsa::Database as Db;

/// The text of one file, as the shell last read it.
#[salsa::input(debug)]
pub struct SourceFile {
    /// The path as it is shown to people, with forward slashes: relative to the project, or to the root of the
    /// built-in packs.
    #[returns(ref)]
    pub path: Name,
    /// The content.
    #[returns(ref)]
    pub text: Arc<str>,
}

/// A field that a command sets for this run alone: `--set PATH=VALUE`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Override {
    /// The field, from the root of the spec: `services.orders.deployment.replicas`.
    pub path: Path,
    /// The value, as YAML.
    pub yaml: Arc<str>,
}

impl Override {
    /// Returns the name under which the value is shown, as if it were a file.
    #[must_use]
    pub fn file(&self) -> Name {
        Name::from(format!("--set {}", self.path))
    }
}

/// The files of one project.
#[salsa::input(debug, singleton)]
pub struct Project {
    /// The root spec file.
    #[returns(copy)]
    pub root: SourceFile,
    /// The files that it includes, sorted by path.
    #[returns(ref)]
    pub included: Vec<SourceFile>,
    /// Pack, rule and template files that are built in (`rules/…`, `templates/…`), sorted by path.
    #[returns(ref)]
    pub built_in: Vec<SourceFile>,
    /// The same of the project's own, sorted by path; they come on top.
    #[returns(ref)]
    pub own: Vec<SourceFile>,
    /// What this run sets apart from the files.
    #[returns(ref)]
    pub overrides: Vec<Override>,
}

/// Returns the files of the spec: the root, then those that it includes.
pub fn spec_files(db: &dyn Db, project: Project) -> impl Iterator<Item = SourceFile> {
    [project.root(db)]
        .into_iter()
        .chain(project.included(db).iter().copied())
}

/// Returns the files of packs that count: those that are built in, and the project's own on top of them.
///
/// An own file stands in the place of the built-in one of its path, and an own pack, rule files and all, in the place
/// of the built-in one of its name. Templates give way one by one, since rules of other packs may print them.
#[salsa::tracked(returns(deref))]
pub fn pack_files(db: &dyn Db, project: Project) -> Vec<SourceFile> {
    let own = project.own(db);
    let paths: BTreeSet<&str> = own.iter().map(|it| it.path(db).as_str()).collect();
    let is_own_pack = |path: &str| {
        let folder = path.strip_prefix("rules/").and_then(|it| it.split_once('/'));
        folder.is_some_and(|(name, _)| paths.contains(format!("rules/{name}/pack.yaml").as_str()))
    };
    let built_in = project.built_in(db).iter();
    let standing = built_in.filter(|it| !paths.contains(it.path(db).as_str()) && !is_own_pack(it.path(db)));
    standing.chain(own).copied().collect()
}

/// From where a node is seen: in one environment, at one phase of the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct View {
    /// The environment, by its place in the sorted list of them.
    pub environment: u16,
    /// How many packs' shape rules have been at work: 0 is the graph as declared, `u16::MAX` the finished one.
    pub phase: u16,
}

impl View {
    /// Returns the finished graph of the environment at `index`.
    #[must_use]
    pub fn finished(index: u16) -> Self {
        Self {
            environment: index,
            phase: u16::MAX,
        }
    }
}

/// The database of one process.
#[salsa::db]
#[derive(Clone, Default)]
pub struct Database {
    storage: salsa::Storage<Self>,
}

#[salsa::db]
impl salsa::Database for Database {}

impl Database {
    /// Returns an empty database that tells `watcher` of everything salsa does.
    #[must_use]
    pub fn watched(watcher: Box<dyn Fn(salsa::Event) + Send + Sync + 'static>) -> Self {
        Self {
            storage: salsa::Storage::new(Some(watcher)),
        }
    }
}
