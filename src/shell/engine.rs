//! The one door between the commands and what derives artifacts from specs.
//!
//! Commands know nothing of databases, rules or templates: they open an engine, ask it, and print or carry out the
//! answer. What the questions are stands here; how they are answered lies behind the methods.

mod blame;
mod built_in;
mod cases;
mod effects;
mod explain;
mod files;
mod laps;
mod proofs;
mod questions;
mod rename;
mod resume;
mod rewind;
mod since;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rayon::prelude::*;

use super::discover::{Interest, Root, Witness};
use super::disk::Disk;
use super::recall::{self, Recalled, Stale};
use super::report::Sources;
use super::stat::Time;
use crate::artifact::fresh::{self, Fresh, ReadBack, State};
use crate::artifact::instance;
use crate::artifact::standing::Standing;
use crate::db::{Database, Override, Project};
use crate::fingerprint::Fingerprint;
pub use crate::graph::pattern::Bound;
pub use crate::kind::offer::{Generator, Pattern};
pub use crate::plan::{ArtifactPath, Content, Mode, Wanted};
use crate::problem::{Place, Problem};
use crate::rule::{file, set};
use crate::spec;
use crate::value::Name;
pub use blame::{Blamed, BlamedInput, BlamedLine, BlamedValue, Spot};
pub(crate) use built_in::{built_in, nearest_problem, patterns, platforms, problem_page, values};
pub use explain::{EdgeLine, FactLine, NodePage, RuleAtNode, RulePage, Thing};
use files::Files;
pub(in crate::shell) use files::includes;
use laps::Laps;
pub use proofs::Proved;
pub use rename::{EditLine, LeftLine, Renamed};
use resume::{Edited, Resumable};
pub use rewind::Rewound;
pub use since::{Past, Texts};

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
    /// For each match the nodes and edges, in the order of the variables; sorted.
    pub rows: Vec<Vec<Bound>>,
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
    /// A drawing.
    Svg,
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
    /// The platform that it is for, as nodes name it.
    pub platform: Option<Name>,
    /// The ways to run a whole project that it offers.
    pub patterns: Vec<Pattern>,
    /// How a catalogue of generators lists it, if one does.
    pub generator: Option<ListedGenerator>,
}

/// A generator with all that a catalogue keeps of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedGenerator {
    /// What its pack says of it.
    pub generator: Generator,
    /// The key of a spec under which configs stand, each by a name.
    pub under: Name,
    /// The JSON Schema of a config.
    pub schema: serde_json::Value,
    /// Its templates: paths and contents.
    pub templates: Vec<PackFile>,
}

/// Where a pack comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It is built in.
    BuiltIn,
    /// It comes from elsewhere, and the project keeps it: from where, and as which commit.
    Shared(Name),
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
pub struct Engine {
    root: Root,
    db: Database,
    files: Files,
    state: State,
    read_back: ReadBack,
    /// What an earlier process found out, as long as that holds.
    recalled: Option<Recalled>,
    /// What an earlier process found out, to go on from where little has changed since.
    resumable: Option<Resumable>,
    /// Whether the database was told the names and the graph, and has not derived them itself.
    is_resumed: bool,
    /// How many queries had run when it was made ready for edits.
    n_ran: Option<usize>,
    /// What has been edited since that was kept; none where it is not known any more.
    edited: Option<Edited>,
    /// What the files held that were edited since the last state without a mistake in them.
    standing: Standing,
    /// Where the time went since somebody asked.
    laps: Laps,
    /// Why the last outcome did not go on from what an earlier process found out.
    anew_because: Option<&'static str>,
    /// When the run began, by the clock of the files; `None` where nobody asked for what an earlier process found out.
    began: Option<Time>,
    #[cfg(test)]
    outcome: Option<Outcome>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("root", &self.root)
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// Opens the project at `root`. Nothing is read before something is asked.
    #[must_use]
    pub fn open(root: Root) -> Self {
        Self::watched(root, Database::default())
    }

    /// Opens the project at `root` on a database of the caller's, who may listen to what it does.
    #[must_use]
    pub fn watched(root: Root, db: Database) -> Self {
        Self {
            root,
            db,
            files: Files::default(),
            state: State::default(),
            read_back: ReadBack::default(),
            recalled: None,
            resumable: None,
            is_resumed: false,
            n_ran: None,
            edited: None,
            standing: Standing::default(),
            laps: Laps::default(),
            anew_because: None,
            began: None,
            #[cfg(test)]
            outcome: None,
        }
    }

    /// Returns an engine that always wants `outcome`.
    #[cfg(test)]
    pub(crate) fn fixed(root: Root, outcome: Outcome) -> Self {
        Self {
            outcome: Some(outcome),
            ..Self::open(root)
        }
    }

    /// Has all texts read back by parsers of their formats from now on, not only the first one of each rule.
    pub fn read_all_back(&mut self) {
        self.read_back = ReadBack::All;
    }

    /// Returns the project.
    #[must_use]
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// Takes over what an earlier process found out about the project on `disk`, if no file has changed since.
    ///
    /// # Errors
    /// Why there is nothing to take over, in words. Where little has changed, the next outcome goes on from there.
    pub fn recall(&mut self, disk: &Disk) -> Result<(), String> {
        let stale = match recall::load(disk, maker()) {
            Ok(recalled) => {
                self.recalled = Some(recalled);
                return Ok(());
            }
            Err(stale) => stale,
        };
        self.begin(disk);
        match stale {
            Stale::Nothing(why) => Err(why),
            Stale::Changed(since) => {
                let why = since.in_words(&self.root.folder);
                self.resumable = Resumable::load(disk, since);
                self.anew_because = self.resumable.is_none().then_some("no state of it was kept");
                Err(why)
            }
        }
    }

    /// Keeps for a later process what this one answered to `ask` about the files on `disk`, if that may be of use.
    pub fn remember(&mut self, disk: &Disk, ask: &Ask, outcome: &Outcome) {
        let (Some(began), Some(project)) = (self.began, self.files.project()) else {
            return;
        };
        if *ask != Ask::default() {
            return;
        }
        let environments = spec::environments(&self.db, project);
        let within = |it: &Wanted| {
            let fresh = self.state.fresh.get(it.path.as_str())?;
            let environment = match environments {
                [only] => Some(only),
                _ => self.environment_of(project, it.path.as_str(), fresh),
            };
            Some(environment.map_or_else(Name::default, |it| it.name.clone()))
        };
        // What is wanted at no path is an error, and errors are not kept.
        if let Some(within) = outcome.wanted.iter().map(within).collect::<Option<Vec<_>>>() {
            let found = recall::Found {
                maker: maker(),
                began,
                witnesses: &self.files.witnesses,
                outcome,
                within: &within,
            };
            if let Some(run) = recall::save(disk, &found) {
                self.keep(disk, run);
            }
        }
    }

    /// Takes down when files are read, so that it can be told afterwards whether they are [as they were](Self::is_as_read).
    pub fn begin(&mut self, disk: &Disk) {
        self.began = disk.now().ok();
    }

    /// Tells whether all files and folders look as they did when they were last read, none of which is as young as the
    /// run: then none of them was missed. It is no answer where files were edited since.
    #[must_use]
    pub fn is_as_read(&self) -> bool {
        let Some(began) = self.began else { return false };
        self.files.are_as_read(&self.root.folder, began)
    }

    /// Takes notice of what changed on the disk since the last answer.
    pub fn refresh(&mut self, changed: &Changed) {
        self.recalled = None;
        self.resumable = None;
        self.files.notice(changed);
    }

    /// Returns what the rules want.
    pub fn outcome(&mut self, ask: &Ask) -> Outcome {
        if let Some(outcome) = self.recalled.as_ref().and_then(|it| it.outcome(ask)) {
            return outcome;
        }
        self.recalled = None;
        if let Some(resumable) = self.resumable.take() {
            self.laps.begin("go on");
            let resumed = if ask.overrides.is_empty() {
                self.resume(&resumable)
            } else {
                Err("something is set for this run alone")
            };
            self.laps.end();
            match resumed {
                Ok(project) => return self.told(project, ask, Wish::All),
                Err(why) => self.anew_because = Some(why),
            }
        }
        self.derive(ask, Wish::All)
    }

    /// Gets ready to be asked for more than an earlier process said, where the outcome is only recalled.
    fn see_behind_recalled(&mut self, ask: &Ask) {
        let Some(recalled) = self.recalled.take() else {
            return;
        };
        let disk = Disk::open(&self.root.folder).ok();
        let resumable = disk.and_then(|it| Resumable::load(&it, recalled.since));
        let is_resumed = ask.overrides.is_empty() && resumable.is_some_and(|it| self.resume(&it).is_ok());
        if !is_resumed {
            self.derive(ask, Wish::All);
        }
    }

    /// Returns the parts of what was done since this was asked last, and how long each took.
    pub fn laps(&mut self) -> Vec<(&'static str, Duration)> {
        self.laps.take()
    }

    /// Says why the last outcome did not go on from what an earlier process found out, where it could have.
    #[must_use]
    pub fn anew_because(&self) -> Option<&'static str> {
        self.anew_because
    }

    /// Returns what the rules want where it differs from the last outcome: for whoever has carried that out.
    pub fn changes(&mut self, ask: &Ask) -> Outcome {
        self.derive(ask, Wish::Changes)
    }

    fn derive(&mut self, ask: &Ask, wish: Wish) -> Outcome {
        #[cfg(test)]
        if let Some(outcome) = &self.outcome {
            return outcome.clone();
        }
        if self.is_resumed {
            if let Some(project) = self.advance(ask) {
                return self.told(project, ask, wish);
            }
            self.forget();
        }
        self.edited = None;
        let Some(project) = self.load(ask) else {
            return Outcome {
                problems: self.files.problems.clone(),
                sources: self.files.shared.sources(),
                ..Outcome::default()
            };
        };
        let last = std::mem::take(&mut self.state);
        let how = (self.files.stir, self.read_back);
        let laps = &mut self.laps;
        self.state = fresh::refresh(&self.db, project, last, how, &mut |it| laps.begin(it));
        self.laps.end();
        self.told(project, ask, wish)
    }

    /// Returns what the rules want as of the state that was reached.
    fn told(&self, project: Project, ask: &Ask, wish: Wish) -> Outcome {
        let mut outcome = Outcome {
            problems: self.files.problems.clone(),
            environments: environments(&self.db, project),
            ..Outcome::default()
        };
        outcome.problems.extend(self.unknown_environments(project, ask));
        outcome.problems.extend(self.located(project, &self.state.problems));
        let fresh: Vec<(&Name, &Fresh)> = match (wish, &self.state.differing) {
            (Wish::Changes, Some(paths)) => {
                let parsed = paths.iter().filter_map(|it| ArtifactPath::parse(it).ok());
                outcome.extent = Extent::Only(parsed.collect());
                paths
                    .iter()
                    .filter_map(|it| self.state.fresh.get_key_value(it))
                    .collect()
            }
            _ => self.state.fresh.iter().collect(),
        };
        for (path, fresh) in fresh {
            if !ask.environments.is_empty() {
                let environment = self.environment_of(project, path, fresh);
                if !environment.is_some_and(|it| ask.environments.contains(&it.name)) {
                    continue;
                }
            }
            match ArtifactPath::parse(path) {
                Err(problem) => {
                    let problem = problem.at(Place::Rule(fresh.rule.clone()), "prints it");
                    outcome.problems.extend(self.located(project, &[problem]));
                }
                Ok(path) => {
                    let text = self.state.texts.get(path.as_str());
                    outcome.wanted.push(wanted(path, fresh, text));
                }
            }
        }
        if !outcome.problems.is_empty() {
            outcome.sources = self.files.sources(&self.db, project);
        }
        outcome
    }

    /// Returns the environment to which the artifact at `path` belongs: the one in which it is made or, of what is made of
    /// all of them, the one in whose folder it stands, if it does.
    fn environment_of(&self, project: Project, path: &str, fresh: &Fresh) -> Option<&spec::EnvironmentInfo> {
        let all = spec::environments(&self.db, project);
        let rule = set::rule(&self.db, project, fresh.cell.rule.clone()).as_ref();
        if rule.is_none_or(|it| it.reach == file::Reach::Each) {
            return all.get(usize::from(fresh.cell.environment));
        }
        let holds = |it: &&spec::EnvironmentInfo| {
            it.dir.is_empty() || path.strip_prefix(&*it.dir).is_some_and(|it| it.starts_with('/'))
        };
        all.iter().filter(holds).max_by_key(|it| it.dir.len())
    }

    /// Returns the paths that the last outcome had to print, sorted.
    #[must_use]
    pub fn printed(&self) -> &[Name] {
        &self.state.printed
    }

    /// Prints the artifacts at `paths`, of which the last outcome said only what they would be.
    ///
    /// # Errors
    /// What went wrong while printing.
    pub fn print(&mut self, paths: &[&ArtifactPath]) -> Result<Vec<Arc<[u8]>>, Vec<Problem>> {
        if !paths.is_empty() {
            self.see_behind_recalled(&Ask::default());
        }
        let Some(project) = self.files.project() else {
            return Ok(Vec::new());
        };
        let printed: Vec<Result<Arc<[u8]>, Vec<Problem>>> = paths
            .par_iter()
            .map_with(self.db.clone(), |db, path| {
                let Some(fresh) = self.state.fresh.get(path.as_str()) else {
                    return Ok([].into());
                };
                if let Some(text) = self.state.texts.get(path.as_str()) {
                    return Ok(text.as_bytes().into());
                }
                let text = salsa::attach(db, || instance::print(db, project, &fresh.cell, path.as_str()))?;
                Ok(text.into_bytes().into())
            })
            .collect();
        let mut texts = Vec::with_capacity(printed.len());
        let mut problems = Vec::new();
        for one in printed {
            match one {
                Ok(text) => texts.push(text),
                Err(found) => {
                    assert!(
                        !found.is_empty(),
                        "what is wanted is printed, or something is said of it"
                    );
                    problems.extend(found);
                }
            }
        }
        if problems.is_empty() {
            Ok(texts)
        } else {
            Err(self.located(project, &problems))
        }
    }

    /// Returns what to watch, as of the last outcome.
    #[must_use]
    pub fn interest(&self) -> Arc<Interest> {
        self.files.interest.clone()
    }

    /// Brings the inputs of the database up to date.
    fn load(&mut self, ask: &Ask) -> Option<Project> {
        if self.is_resumed {
            // What is asked now may be of more than what was gone on with.
            self.forget();
        }
        self.laps.begin("read files");
        let project = self.files.load(&mut self.db, &self.root, &ask.overrides);
        self.laps.end();
        project
    }

    fn unknown_environments(&self, project: Project, ask: &Ask) -> Vec<Problem> {
        let known: Vec<&Name> = spec::environments(&self.db, project)
            .iter()
            .map(|it| &it.name)
            .collect();
        let unknown = ask.environments.iter().filter(|it| !known.contains(it));
        unknown
            .map(|it| {
                Problem::error(
                    "shell::unknown_environment",
                    format!("the spec has no environment `{it}`"),
                )
                .suggest(it, known.iter().map(|it| &***it).filter(|it| !it.is_empty()))
            })
            .collect()
    }

    /// Gives each place of `problems` its file and span; a place that is written nowhere is left out.
    fn located(&self, project: Project, problems: &[Problem]) -> Vec<Problem> {
        let locate = |place: &Place| match place {
            Place::Text(..) => Some(place.clone()),
            Place::Rule(id) => Some(set::source(&self.db, project, id.clone()).as_ref()?.name.place()),
            Place::Within(id, span) => Some(set::source(&self.db, project, id.clone()).as_ref()?.place_of(*span)),
            Place::Field { .. } => {
                let (file, span) = spec::locate(&self.db, project, place)?;
                Some(Place::Text(file, span))
            }
        };
        let mut located: Vec<Problem> = problems.to_vec();
        for problem in &mut located {
            problem.labels.retain_mut(|label| match locate(&label.place) {
                Some(place) => {
                    label.place = place;
                    true
                }
                None => false,
            });
            problem.labels.dedup_by(|a, b| a.place == b.place);
        }
        located.sort();
        located.dedup();
        located
    }
}

/// Returns by what this program is known: another one may want something else of the same files.
fn maker() -> Fingerprint {
    let mut hasher = blake3::Hasher::new();
    let mut add = |text: &[u8]| {
        hasher.update(&(text.len() as u64).to_le_bytes()).update(text);
    };
    add(env!("CARGO_PKG_VERSION").as_bytes());
    for (path, fingerprint) in built_in::fingerprints() {
        add(path.as_bytes());
        add(&fingerprint.bytes());
    }
    let program = std::env::current_exe().ok().map(|it| Witness::of(Path::new(""), it));
    let stat = program.and_then(|it| it.stat);
    add(format!("{stat:?}").as_bytes());
    Fingerprint::from_hash(&hasher.finalize())
}

/// Of which paths an outcome is to speak.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wish {
    All,
    Changes,
}

fn wanted(path: ArtifactPath, fresh: &Fresh, text: Option<&Arc<str>>) -> Wanted {
    Wanted {
        path,
        rule: fresh.rule.clone(),
        digest: fresh.content,
        content: match text {
            Some(text) => Content::Printed(text.clone().into()),
            None => Content::Known(fresh.content),
        },
        mode: match fresh.mode {
            file::Mode::Plain => Mode::Plain,
            file::Mode::Executable => Mode::Executable,
        },
        reasons: Vec::new(),
    }
}

fn environments(db: &Database, project: Project) -> Vec<Environment> {
    let named = spec::environments(db, project).iter().filter(|it| !it.name.is_empty());
    named
        .map(|it| Environment {
            name: it.name.clone(),
            folder: it.dir.to_string(),
        })
        .collect()
}

/// Returns the answer `value`, with the files' own problems.
fn answer<T>(value: Option<T>, problems: Vec<Problem>, sources: Sources) -> Answer<T> {
    Answer {
        value,
        problems,
        sources,
    }
}
