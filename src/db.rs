//! The salsa database and its inputs: all that a query may read.
//!
//! The shell sets the inputs; everything else is derived from them. There is no other state.

#![expect(missing_docs, reason = "salsa's macros write public functions without docs")]

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rustc_hash::FxHashSet;

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
    /// The same of the project's own, sorted by path; they come on top. Those of packs from elsewhere are among them,
    /// below [`SHARED`].
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

/// The folder in which a project keeps packs from elsewhere. It is laid out as the project's own folder is.
pub const SHARED: &str = ".gen/packs/";

/// Tells whether the file at `path` is one of a pack from elsewhere.
#[must_use]
pub fn is_shared(path: &str) -> bool {
    path.starts_with(SHARED)
}

/// Returns what packs call the file at `path`, wherever it is kept: `rules/…` or `templates/…`.
#[must_use]
pub fn pack_path(path: &str) -> &str {
    path.strip_prefix(SHARED).unwrap_or(path)
}

/// Returns the files of packs that count: those that are built in, on top of them those from elsewhere, and on top of all
/// the project's own.
///
/// A file stands in the place of one of its path further down, and a pack, rule files and all, in the place of one of
/// its name. Templates give way one by one, since rules of other packs may print them.
#[salsa::tracked(returns(deref))]
pub fn pack_files(db: &dyn Db, project: Project) -> Vec<SourceFile> {
    let (shared, own): (Vec<SourceFile>, Vec<SourceFile>) =
        project.own(db).iter().copied().partition(|it| is_shared(it.path(db)));
    let mut taken: BTreeSet<&str> = BTreeSet::new();
    let mut layers = Vec::new();
    for layer in [&own, &shared, project.built_in(db)] {
        let standing = layer.iter().copied().filter(|it| {
            let path = pack_path(it.path(db));
            let folder = path.strip_prefix("rules/").and_then(|it| it.split_once('/'));
            let head = folder.map(|(name, _)| format!("rules/{name}/pack.yaml"));
            !taken.contains(path) && !head.is_some_and(|it| taken.contains(it.as_str()))
        });
        layers.push(standing.collect::<Vec<_>>());
        taken.extend(layer.iter().map(|it| pack_path(it.path(db))));
    }
    layers.into_iter().rev().flatten().collect()
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
    trace: Option<Trace>,
    n_ran: Option<Arc<AtomicUsize>>,
}

/// Who is told, in words, what is asked and why.
pub type Trace = Arc<dyn Fn(&str) + Send + Sync>;

#[salsa::db]
impl salsa::Database for Database {}

impl Database {
    /// Returns an empty database that tells `watcher` of everything salsa does.
    #[must_use]
    pub fn watched(watcher: Box<dyn Fn(salsa::Event) + Send + Sync + 'static>) -> Self {
        Self {
            storage: salsa::Storage::new(Some(watcher)),
            ..Self::default()
        }
    }

    /// Returns an empty database that tells `trace` of each query that runs, and why, where somebody listens. To be told
    /// by salsa of everything costs a run from nothing two percent.
    #[must_use]
    pub fn told(trace: Option<Trace>) -> Self {
        trace.map_or_else(Self::default, |it| Self::counting(Some(it)))
    }

    /// Returns an empty database that counts the queries that run, and tells `trace` of each, and why, where somebody
    /// listens.
    #[must_use]
    pub fn counting(trace: Option<Trace>) -> Self {
        let n_ran: Arc<AtomicUsize> = Arc::default();
        let known: Mutex<FxHashSet<salsa::DatabaseKeyIndex>> = Mutex::default();
        let (count, told) = (n_ran.clone(), trace.clone());
        let watcher = move |event: salsa::Event| match (event.kind, &told) {
            (salsa::EventKind::WillExecute { database_key }, told) => {
                count.fetch_add(1, Ordering::Relaxed);
                let Some(told) = told else { return };
                let is_new = known.lock().is_ok_and(|mut it| it.insert(database_key));
                let why = if is_new {
                    "is asked for the first time"
                } else {
                    "runs again: what it read has changed"
                };
                told(&format!("{database_key:?} {why}"));
            }
            (salsa::EventKind::DidValidateMemoizedValue { database_key }, Some(told)) => {
                told(&format!("{database_key:?} stands: what it read is the same"));
            }
            _ => {}
        };
        Self {
            trace,
            n_ran: Some(n_ran),
            ..Self::watched(Box::new(watcher))
        }
    }

    /// Returns an empty database that counts if this one does, and tells the same ones of what it does.
    #[must_use]
    pub fn anew(&self) -> Self {
        match &self.n_ran {
            Some(_) => self.counting_anew(),
            None => Self::default(),
        }
    }

    /// Returns an empty database that counts, and tells the same ones of what it does.
    #[must_use]
    pub fn counting_anew(&self) -> Self {
        Self::counting(self.trace.clone())
    }

    /// Returns how many queries have run, if [they are counted](Self::counting): there are no more memos than that.
    #[must_use]
    pub fn n_ran(&self) -> Option<usize> {
        Some(self.n_ran.as_ref()?.load(Ordering::Relaxed))
    }

    /// Says why something is asked, to whoever listens.
    pub fn trace(&self, text: impl FnOnce() -> String) {
        if let Some(trace) = &self.trace {
            trace(&text());
        }
    }
}
