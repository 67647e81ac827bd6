//! Random monorepos on a platform that does not exist, and databases that read them.
//!
//! All is drawn from a seed and nothing from a clock, so that a failure can be had again. What the packs of the
//! platform say stands in `monorepo/packs.rs`; what an edit does to a monorepo in `monorepo/edit.rs`.

mod edit;
mod packs;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use groundplan::artifact::candidates::{self, Before};
use groundplan::artifact::fresh::{self, ReadBack, State, Stir};
use groundplan::artifact::instance::{self, Artifacts, Cell};
use groundplan::db::{Database, Project, SourceFile, View};
use groundplan::fact::shape;
use groundplan::problem::{Place, Problem};
use groundplan::rule::file::Reach;
use groundplan::rule::set;
use groundplan::spec;
use salsa::Setter as _;

pub(crate) use self::packs::Packs;

/// Files by their path.
pub(crate) type Files = BTreeMap<String, String>;

/// Numbers that look random and follow from a seed (splitmix64).
#[derive(Clone, Debug)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// Returns the next number.
    pub(crate) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Returns a number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).expect("small");
        usize::try_from(self.number() % end.max(1)).expect("small")
    }

    /// Tells whether something happens that happens so often in a hundred times.
    pub(crate) fn happens(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// Returns one of `items`.
    pub(crate) fn one_of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// Brings `items` into another order.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
    }
}

/// The order in which a monorepo is written down.
#[derive(Debug)]
pub(crate) enum Order<'a> {
    /// By name, each thing in its own file.
    Sorted,
    /// Another one, and in other files.
    Random(&'a mut Random),
}

impl Order<'_> {
    fn shuffle<T>(&mut self, items: &mut [T]) {
        if let Self::Random(random) = self {
            random.shuffle(items);
        }
    }

    /// Returns the file among `n_files` in which a thing is written that has the place `at` of its own.
    fn file(&mut self, at: usize, n_files: usize) -> usize {
        match self {
            Self::Sorted => at % n_files,
            Self::Random(random) => random.below(n_files),
        }
    }
}

/// A service as its line of the spec says it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Service {
    /// Its fields, each as YAML on one line.
    pub(crate) fields: BTreeMap<&'static str, String>,
    /// Its variables, each as a YAML string.
    pub(crate) env: BTreeMap<String, String>,
    /// What it depends on, each with the edge's fields as YAML on one line.
    pub(crate) depends_on: BTreeMap<String, String>,
    /// Its own overlays, by environment.
    pub(crate) overlays: BTreeMap<&'static str, String>,
    /// The file that it stands in.
    pub(crate) file: usize,
}

/// An environment as the root says it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment {
    /// Its folder, where it names one.
    pub(crate) dir: Option<&'static str>,
    /// What it changes of services, each as YAML on one line.
    pub(crate) services: BTreeMap<String, String>,
}

/// A monorepo.
#[derive(Clone, Debug, Default)]
pub(crate) struct Monorepo {
    /// Its services.
    pub(crate) services: BTreeMap<String, Service>,
    /// Its stations, each as YAML on one line.
    pub(crate) stations: BTreeMap<String, String>,
    /// Its environments.
    pub(crate) environments: BTreeMap<&'static str, Environment>,
    /// Fields of the root, each as YAML on one line.
    pub(crate) root: BTreeMap<&'static str, String>,
    /// What the packs of this monorepo say otherwise than those of others.
    pub(crate) packs: Packs,
    /// A line that makes nothing: a comment, or a mistake in the spec.
    pub(crate) line: String,
}

/// How many files the services stand in.
const N_FILES: usize = 5;

impl Monorepo {
    /// Returns a monorepo of so many services.
    pub(crate) fn random(random: &mut Random, n_services: usize) -> Self {
        let mut repo = Self::default();
        for name in ["blue", "red", "blower-a"] {
            repo.stations.insert(name.to_owned(), edit::station(random));
        }
        for name in ["dev", "prod"] {
            repo.environments.insert(name, Environment::default());
        }
        for _ in 0..n_services {
            repo.add_service(random);
        }
        for _ in 0..n_services {
            repo.add_edge(random);
            repo.set_variable(random);
        }
        repo
    }

    /// Returns the files of this monorepo, packs included.
    pub(crate) fn files(&self, mut order: Order<'_>) -> Files {
        let mut files = self.packs.files(&mut order);
        let mut parts: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for (name, service) in &self.services {
            parts
                .entry(order.file(service.file, N_FILES))
                .or_default()
                .push(service.line(name, &mut order));
        }
        for (file, mut lines) in parts {
            order.shuffle(&mut lines);
            files.insert(format!("parts/{file}.yaml"), format!("services:\n{}", lines.concat()));
        }
        files.insert("gen.yaml".to_owned(), self.root_file(&mut order));
        files
    }

    fn root_file(&self, order: &mut Order<'_>) -> String {
        let mut lines = vec!["version: 0.2\n".to_owned(), "name: post\n".to_owned()];
        lines.extend(self.root.iter().map(|(key, value)| format!("{key}: {value}\n")));
        let mut stations: Vec<String> = self
            .stations
            .iter()
            .map(|(name, it)| format!("  {name}: {it}\n"))
            .collect();
        order.shuffle(&mut stations);
        if !stations.is_empty() {
            lines.push(format!("stations:\n{}", stations.concat()));
        }
        let mut environments: Vec<String> = Vec::new();
        for (name, environment) in &self.environments {
            let mut entries: Vec<String> = environment.dir.iter().map(|it| format!("dir: \"{it}\"")).collect();
            let mut services: Vec<String> = environment
                .services
                .iter()
                .map(|(name, it)| format!("{name}: {it}"))
                .collect();
            order.shuffle(&mut services);
            if !services.is_empty() {
                entries.push(format!("services: {{{}}}", services.join(", ")));
            }
            order.shuffle(&mut entries);
            environments.push(format!("  {name}: {{{}}}\n", entries.join(", ")));
        }
        order.shuffle(&mut environments);
        if !environments.is_empty() {
            lines.push(format!("environments:\n{}", environments.concat()));
        }
        order.shuffle(&mut lines);
        lines.push(self.line.clone());
        lines.concat()
    }
}

impl Service {
    /// Returns the line of the spec that says this.
    fn line(&self, name: &str, order: &mut Order<'_>) -> String {
        let mut entries: Vec<String> = self.fields.iter().map(|(key, it)| format!("{key}: {it}")).collect();
        for (key, map) in [("env", &self.env), ("depends_on", &self.depends_on)] {
            let mut inner: Vec<String> = map.iter().map(|(key, it)| format!("{key}: {it}")).collect();
            order.shuffle(&mut inner);
            if !inner.is_empty() {
                entries.push(format!("{key}: {{{}}}", inner.join(", ")));
            }
        }
        let overlays: Vec<String> = self.overlays.iter().map(|(key, it)| format!("{key}: {it}")).collect();
        if !overlays.is_empty() {
            entries.push(format!("environments: {{{}}}", overlays.join(", ")));
        }
        order.shuffle(&mut entries);
        format!("  {name}: {{{}}}\n", entries.join(", "))
    }
}

/// An artifact as it would be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Printed {
    /// The rule that prints it.
    pub(crate) rule: String,
    /// Whether it may be run.
    pub(crate) mode: String,
    /// What it holds.
    pub(crate) text: Arc<str>,
}

/// All that a run gives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// The artifacts by their path.
    pub(crate) artifacts: BTreeMap<String, Printed>,
    /// What is wrong, with its places as files and spans, sorted.
    pub(crate) problems: Vec<Problem>,
}

impl Outcome {
    /// Returns what differs between two outcomes, cut to what can be read.
    pub(crate) fn difference(&self, other: &Self) -> Option<String> {
        let mut text = String::new();
        let paths: BTreeSet<&String> = self.artifacts.keys().chain(other.artifacts.keys()).collect();
        for path in paths {
            let (ours, theirs) = (self.artifacts.get(path), other.artifacts.get(path));
            if ours != theirs {
                let shown = |it: Option<&Printed>| {
                    it.map_or("nothing".to_owned(), |it| {
                        format!("{} {}\n{}", it.rule, it.mode, it.text)
                    })
                };
                let _ = writeln!(text, "── {path}\n{}\n── but\n{}", shown(ours), shown(theirs));
            }
        }
        let ours: BTreeSet<&Problem> = self.problems.iter().collect();
        let theirs: BTreeSet<&Problem> = other.problems.iter().collect();
        for problem in ours.symmetric_difference(&theirs) {
            let side = if ours.contains(*problem) {
                "only the first"
            } else {
                "only the second"
            };
            let _ = writeln!(text, "{side} has the problem {problem:?}");
        }
        (self != other).then(|| text.chars().take(4_000).collect())
    }

    /// Returns the problems without their places, sorted.
    pub(crate) fn messages(&self) -> Vec<String> {
        let mut messages: Vec<String> = self
            .problems
            .iter()
            .map(|it| format!("{}: {} ({:?})", it.code, it.message, it.help))
            .collect();
        messages.sort();
        messages
    }
}

/// A database that reads some files, and what it found out.
pub(crate) struct World {
    pub(crate) db: Database,
    pub(crate) project: Project,
    files: BTreeMap<String, SourceFile>,
    /// What the last run found out.
    pub(crate) state: State,
    texts: BTreeMap<String, Arc<str>>,
    ran: Arc<Mutex<Vec<String>>>,
}

/// Everything that is printed or may be, by where it is made.
pub(crate) type Cells = BTreeMap<Cell, Artifacts>;

impl World {
    /// Returns a database that has read `files` and made nothing of them yet.
    pub(crate) fn new(files: &Files) -> Self {
        let ran: Arc<Mutex<Vec<String>>> = Arc::default();
        let log = Arc::clone(&ran);
        let db = Database::watched(Box::new(move |event| {
            if let salsa::EventKind::WillExecute { database_key } = event.kind {
                log.lock()
                    .expect("no listener panics")
                    .push(format!("{database_key:?}"));
            }
        }));
        let inputs: BTreeMap<String, SourceFile> = files
            .iter()
            .map(|(path, text)| {
                (
                    path.clone(),
                    SourceFile::new(&db, path.as_str().into(), text.as_str().into()),
                )
            })
            .collect();
        let project = Project::new(
            &db,
            inputs["gen.yaml"],
            sort(&inputs, is_part),
            Vec::new(),
            sort(&inputs, is_pack),
            Vec::new(),
        );
        Self {
            db,
            project,
            files: inputs,
            state: State::default(),
            texts: BTreeMap::new(),
            ran,
        }
    }

    /// Returns a database that has made everything of `files`.
    pub(crate) fn of(files: &Files) -> Self {
        let mut world = Self::new(files);
        world.refresh();
        world
    }

    /// Lets the database read `files`, touching only what differs, as the shell does.
    pub(crate) fn edit(&mut self, files: &Files) {
        for (path, text) in files {
            match self.files.get(path).copied() {
                None => {
                    let file = SourceFile::new(&self.db, path.as_str().into(), text.as_str().into());
                    self.files.insert(path.clone(), file);
                }
                Some(file) => {
                    if **file.text(&self.db) != **text {
                        file.set_text(&mut self.db).to(text.as_str().into());
                    }
                }
            }
        }
        self.files.retain(|path, _| files.contains_key(path));
        let (included, own) = (sort(&self.files, is_part), sort(&self.files, is_pack));
        if *self.project.included(&self.db) != included {
            self.project.set_included(&mut self.db).to(included);
        }
        if *self.project.own(&self.db) != own {
            self.project.set_own(&mut self.db).to(own);
        }
    }

    /// Brings the artifacts up to date.
    pub(crate) fn refresh(&mut self) {
        let last = std::mem::take(&mut self.state);
        self.state = fresh::refresh(
            &self.db,
            self.project,
            last,
            (Stir::Little, ReadBack::First),
            &mut |_| {},
        );
        self.texts
            .retain(|path, _| self.state.fresh.contains_key(path.as_str()));
        let printed = self.state.texts.iter();
        self.texts
            .extend(printed.map(|(path, text)| (path.to_string(), text.clone())));
    }

    /// Returns the names of the queries that ran since this was last asked, each once, sorted.
    pub(crate) fn take_ran(&self) -> Vec<String> {
        let ran = std::mem::take(&mut *self.ran.lock().expect("no listener panics"));
        let names = ran.iter().map(|it| it.split('(').next().unwrap_or_default().to_owned());
        names.collect::<BTreeSet<String>>().into_iter().collect()
    }

    /// Returns the paths that the last run printed.
    pub(crate) fn printed(&self) -> Vec<&str> {
        self.state.printed.iter().map(|it| &**it).collect()
    }

    /// Returns all that the last run gave.
    pub(crate) fn outcome(&self) -> Outcome {
        let artifacts = self.state.fresh.iter().map(|(path, fresh)| {
            let text = self.texts[path.as_str()].clone();
            let printed = Printed {
                rule: fresh.rule.to_string(),
                mode: format!("{:?}", fresh.mode),
                text,
            };
            (path.to_string(), printed)
        });
        let mut problems: Vec<Problem> = self.state.problems.iter().map(|it| self.located(it)).collect();
        problems.sort();
        problems.dedup();
        Outcome {
            artifacts: artifacts.collect(),
            problems,
        }
    }

    /// Returns `problem` with each place as a file and a span.
    fn located(&self, problem: &Problem) -> Problem {
        let mut problem = problem.clone();
        problem.labels.retain_mut(|label| {
            let place = match &label.place {
                place @ Place::Text(..) => Some(place.clone()),
                Place::Rule(id) => set::source(&self.db, self.project, id.clone())
                    .as_ref()
                    .map(|it| it.name.place()),
                Place::Within(id, span) => set::source(&self.db, self.project, id.clone())
                    .as_ref()
                    .map(|it| it.place_of(*span)),
                place @ Place::Field { .. } => {
                    spec::locate(&self.db, self.project, place).map(|(file, span)| Place::Text(file, span))
                }
            };
            if let Some(place) = &place {
                label.place = place.clone();
            }
            place.is_some()
        });
        problem
    }

    /// Returns what is made everywhere, each place asked for by name.
    pub(crate) fn cells(&self) -> Cells {
        let (db, project) = (&self.db, self.project);
        let mut cells = Cells::new();
        for (environment, _) in (0_u16..).zip(spec::environments(db, project)) {
            for id in set::ids(db, project) {
                let Some(rule) = set::rule(db, project, id.clone()) else {
                    continue;
                };
                let Some(artifact) = &rule.artifact else { continue };
                if rule.reach == Reach::Across && environment != 0 {
                    continue;
                }
                for node in shape::nodes_of(db, project, View::finished(environment), rule, &artifact.per[0]) {
                    let cell = Cell {
                        environment,
                        rule: id.clone(),
                        node,
                    };
                    cells.insert(cell.clone(), Artifacts::clone(instance::artifacts(db, project, cell)));
                }
            }
        }
        cells.retain(|_, it| *it != Artifacts::default());
        cells
    }

    /// Returns the graph and the rules as they are now.
    pub(crate) fn before(&self) -> Before {
        Before::now(&self.db, self.project)
    }

    /// Returns the places at which something differs between `old` and now, and which the walk backwards from
    /// `before` does not name, and how many places it does name.
    pub(crate) fn missed(&self, before: &Before, old: &Cells) -> (Vec<Cell>, usize) {
        let named: BTreeSet<Cell> = candidates::candidates(&self.db, self.project, before, &mut self.before())
            .cells
            .into_iter()
            .collect();
        let new = self.cells();
        let all: BTreeSet<&Cell> = old.keys().chain(new.keys()).collect();
        let is_there = |cell: &Cell| candidates::is_there(&self.db, self.project, cell);
        // A place that is there no more needs no name: nothing can be made at it.
        let missed = all
            .into_iter()
            .filter(|it| old.get(it) != new.get(it) && !named.contains(it) && is_there(it));
        (missed.cloned().collect(), named.len())
    }
}

fn is_pack(path: &str) -> bool {
    path.starts_with("rules/") || path.starts_with("templates/")
}

fn is_part(path: &str) -> bool {
    path.starts_with("parts/")
}

/// Returns the files of one sort by path.
fn sort(files: &BTreeMap<String, SourceFile>, sort: fn(&str) -> bool) -> Vec<SourceFile> {
    files
        .iter()
        .filter(|(path, _)| sort(path))
        .map(|(_, file)| *file)
        .collect()
}
