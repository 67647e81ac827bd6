//! All artifacts of a project: from nothing, or after an edit only those that may have changed.
//!
//! After an edit the changed nodes are walked backwards through the rules ([`candidates`]); only those artifacts are
//! asked of salsa, and only those whose fingerprint changed are printed again. What is wrong with nodes is asked again
//! where it may have changed in the same way. Debug builds ask for all of it as well and compare.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use crate::artifact::candidates::{self, Before, Candidates};
use crate::artifact::found::{Found, Spot};
use crate::artifact::instance::{self, Artifact, Artifacts, Cell, Printed};
use crate::artifact::seen::{PackEdit, Printing};
use crate::artifact::standing::Differing;
use crate::artifact::told::Told;
use crate::db::{Database, Project, SourceFile, View, spec_files};
use crate::fact::shape;
use crate::fingerprint::Fingerprint;
use crate::kind::pack;
use crate::problem::{Place, Problem};
use crate::rule::file::{Mode, Reach};
use crate::rule::model::Rule;
use crate::rule::{set, strata};
use crate::spec;
use crate::value::Name;

/// What stands at one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fresh {
    /// The rule that prints it.
    pub rule: Name,
    /// Whether it may be run.
    pub mode: Mode,
    /// Where it is made.
    pub cell: Cell,
    /// Of what it is printed from.
    pub source: Fingerprint,
    /// Of its text.
    pub content: Fingerprint,
}

/// All that one run found out, for the next one to begin from.
#[derive(Clone, Debug, Default)]
pub struct State {
    before: Option<Before>,
    /// The last state without an error, where this one has one.
    good: Option<Box<State>>,
    cells: BTreeMap<Cell, Arc<Artifacts>>,
    /// Those of the cells that have a problem.
    troubled: BTreeSet<Cell>,
    /// What is told of files, where this state was gone on from.
    told: Option<Told>,
    /// What is wrong with nodes; `None` where that was not asked, since the spec itself has an error.
    found: Option<Found>,
    /// Whether what stands at each path was decided: it is what its one place makes, and it could be printed.
    is_settled: bool,
    /// What stands at each path.
    pub fresh: BTreeMap<Name, Fresh>,
    /// The texts that this run printed, by path.
    pub texts: BTreeMap<Name, Arc<str>>,
    /// What is wrong, in no particular order.
    pub problems: Vec<Problem>,
    /// The paths that this run printed, sorted.
    pub printed: Vec<Name>,
    /// The nodes of which something else may be said than after the run that this one went on from; `None` where it went on
    /// from none.
    pub concerned: Option<Vec<Spot>>,
    /// The paths at which something else stands than after the run that this one went on from; `None` where it went
    /// on from none.
    pub differing: Option<BTreeSet<Name>>,
    /// Of the rules that were asked when this run went on from another: those that hold somewhere, whether or not what they
    /// make could be printed.
    pub holding: BTreeSet<Name>,
}

/// Whether what a run stands on could be read without an error: the spec, the packs, the rules and the templates.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ground {
    Sound,
    /// What is found wrong later may only follow from an error here, and is not told.
    Shaky,
    /// Facts are derived from one another in a circle: none can be asked for.
    Circular,
}

/// Which texts are read back by a parser of their format, apart from those whose values make it needful.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReadBack {
    /// The first one of each rule, by path.
    #[default]
    First,
    /// All of them.
    All,
}

/// Whether so much has changed that the files are better read in parallel than when they are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stir {
    /// A few files.
    Little,
    /// Many, or nobody knows.
    #[default]
    Much,
}

/// An edit, with all that differs by it.
#[derive(Debug)]
pub struct Edited {
    /// By environment what differs of nodes and edges.
    pub nodes: Vec<Differing>,
    /// The rules that print from something else.
    pub rules: Printing,
    /// What is told of the files now.
    pub told: Told,
}

/// Returns the state of the project after an edit, going on from the state `last`.
///
/// # Errors
/// The last state, for what it says, where more may have changed, so that all of it must be derived.
pub fn resume(
    db: &Database,
    project: Project,
    last: State,
    edited: Edited,
    read_back: ReadBack,
) -> Result<State, Box<State>> {
    let Edited { nodes, rules, told } = edited;
    let stale = rules.stale.clone();
    let mut last = last;
    let (Some(mut before), Some(found)) = (last.before.take(), last.found.take()) else {
        return Err(Box::new(last));
    };
    let Some(Candidates {
        cells,
        questions,
        sayings,
    }) = candidates::candidates_of(db, project, &mut before, (nodes, rules))
    else {
        return Err(Box::new(last));
    };
    let found = found.again(db, project, &questions, false);
    let mut state = State {
        problems: told.problems().chain(found.problems()).collect(),
        told: Some(told),
        found: Some(found),
        before: Some(before),
        concerned: Some(sayings),
        ..State::default()
    };
    let mut asked = ask_all(db, project, cells, &last.fresh);
    // A rule that is another now may leave places at which it can't print.
    let of_those = last.cells.keys().filter(|it| stale.contains(&it.rule));
    let lost = of_those.filter(|it| !candidates::is_there(db, project, it));
    asked.extend(lost.cloned().map(Asked::nothing));
    let holds = |it: &&Asked| !it.artifacts.artifacts.is_empty() || !it.artifacts.problems.is_empty();
    state.holding = asked.iter().filter(holds).map(|it| it.cell.rule.clone()).collect();
    let settling = Settling {
        asked,
        has_lost: false,
        read_back,
    };
    state.take(db, project, last, settling);
    Ok(state)
}

/// Compiles all rules, in parallel: whoever asks for one after the other finds them made.
pub fn compile(db: &Database, project: Project) {
    let ids = set::ids(db, project).par_iter();
    ids.for_each_with(db.clone(), |db, id| {
        set::rule(db, project, id.clone());
    });
}

/// Returns the state of the project now, going on from what the last run found out.
///
/// `begins` is told which part of it comes next, for whoever has a clock.
#[must_use]
pub fn refresh(
    db: &Database,
    project: Project,
    last: State,
    (stir, read_back): (Stir, ReadBack),
    begins: &mut dyn FnMut(&'static str),
) -> State {
    let mut last = match last.good {
        Some(good) => *good,
        None => last,
    };
    begins("parse");
    if stir == Stir::Much {
        read(db, project);
    }
    begins("check");
    let (problems, ground) = problems(db, project);
    let mut state = State {
        problems,
        ..State::default()
    };
    if ground == Ground::Circular {
        // What is wanted can't be said; the next run goes on from the last good state.
        return State {
            problems: state.problems,
            good: Some(Box::new(last)),
            ..State::default()
        };
    }
    begins("candidates");
    let mut now = Before::now(db, project);
    let Candidates {
        cells,
        questions,
        sayings,
    } = match &last.before {
        None => Candidates {
            cells: cells(db, project),
            questions: Vec::new(),
            sayings: Vec::new(),
        },
        Some(before) => candidates::candidates(db, project, before, &mut now),
    };
    let has_lost = last.before.as_ref().is_some_and(|it| it.has_lost(&now));
    begins("findings");
    if ground == Ground::Sound {
        let known = last.found.take().filter(|_| last.before.is_some());
        let found = match known {
            Some(known) => known.again(db, project, &questions, has_lost),
            None => Found::all(db, project),
        };
        debug_assert!(
            found == Found::all(db, project),
            "what is found outside of the candidates differs"
        );
        state.problems.extend(found.problems());
        state.found = Some(found);
    }
    begins("facts and rendering");
    let asked = ask_all(db, project, cells, &last.fresh);
    let is_first = last.before.is_none();
    state.concerned = (!is_first).then_some(sayings);
    if !is_first && ground == Ground::Sound {
        // Where one edit came, more will come.
        now.find_asleep(db, project);
    }
    state.before = Some(now);
    begins("paths");
    let told = state.problems.len();
    let settling = Settling {
        asked,
        has_lost,
        read_back,
    };
    state.take(db, project, last, settling);
    debug_assert!(
        same_cells(db, project, &state.cells),
        "an artifact outside of the candidates differs"
    );
    if is_first {
        state.differing = None;
    }
    if ground == Ground::Shaky {
        state.problems.truncate(told);
    }
    state
}

/// One place that was asked for.
struct Asked {
    cell: Cell,
    artifacts: Arc<Artifacts>,
    /// The texts of those of its artifacts that are stale.
    printed: Vec<(usize, Printed)>,
}

impl Asked {
    /// Returns that nothing is made at `cell`.
    fn nothing(cell: Cell) -> Self {
        Self {
            cell,
            artifacts: Arc::default(),
            printed: Vec::new(),
        }
    }
}

/// Asks what is made at each of `cells`.
fn ask_all(db: &Database, project: Project, cells: Vec<Cell>, known: &BTreeMap<Name, Fresh>) -> Vec<Asked> {
    let asked = cells.into_par_iter().map_with(db.clone(), |db, cell| {
        salsa::attach(db, || asked(db, project, cell, known))
    });
    asked.collect()
}

/// Asks what is made at `cell`, and prints what is not `known`.
fn asked(db: &Database, project: Project, cell: Cell, known: &BTreeMap<Name, Fresh>) -> Asked {
    db.trace(|| format!("the rule `{}` is asked at `{}`", cell.rule, cell.node));
    let artifacts = instance::artifacts(db, project, cell.clone()).clone();
    let is_stale = |it: &Artifact| {
        let known = known.get(&it.path);
        let is_stale = known.is_none_or(|known| known.source != it.fingerprint);
        db.trace(|| match (known, is_stale) {
            (None, _) => format!("`{}` is printed: nothing is known of it", it.path),
            (_, true) => format!("`{}` is printed: what it is made of has changed", it.path),
            (_, false) => format!("`{}` stands: what it is made of is the same", it.path),
        });
        is_stale
    };
    let printed = instance::print_stale(db, project, &cell, is_stale);
    Asked {
        cell,
        artifacts,
        printed,
    }
}

/// Returns every place where an artifact may be made, as far as the nodes alone tell.
fn cells(db: &Database, project: Project) -> Vec<Cell> {
    let mut cells = Vec::new();
    for (environment, _) in (0_u16..).zip(spec::environments(db, project)) {
        let nodes = shape::snapshot(db, project, View::finished(environment))
            .nodes()
            .par_iter();
        let found: Vec<Vec<Cell>> = nodes
            .map_with(db.clone(), |db, node| {
                salsa::attach(db, || instance::cells_at(db, project, environment, node))
            })
            .collect();
        cells.extend(found.into_iter().flatten());
    }
    cells
}

/// Returns every place where an artifact may be made.
fn every_cell(db: &Database, project: Project) -> Vec<Cell> {
    let mut cells = Vec::new();
    for (environment, _) in (0_u16..).zip(spec::environments(db, project)) {
        for id in set::ids(db, project) {
            let Some(rule) = set::rule(db, project, id.clone()) else {
                continue;
            };
            cells.extend(cells_of(db, project, environment, rule));
        }
    }
    cells
}

/// Returns every place in one environment where `rule` may print an artifact.
pub(crate) fn cells_of(db: &Database, project: Project, environment: u16, rule: &Rule) -> Vec<Cell> {
    let Some(artifact) = &rule.artifact else {
        return Vec::new();
    };
    if rule.reach == Reach::Across && environment != 0 {
        return Vec::new();
    }
    let nodes = shape::nodes_of(db, project, View::finished(environment), rule, &artifact.per[0]);
    nodes
        .into_iter()
        .map(|node| Cell {
            environment,
            rule: rule.id.clone(),
            node,
        })
        .collect()
}

/// Tells whether asking for everything gives what the candidates gave.
fn same_cells(db: &Database, project: Project, known: &BTreeMap<Cell, Arc<Artifacts>>) -> bool {
    let mut seen = BTreeSet::new();
    for cell in every_cell(db, project) {
        let now = instance::artifacts(db, project, cell.clone());
        let empty = now.artifacts.is_empty() && now.problems.is_empty();
        match known.get(&cell) {
            None if empty => {}
            Some(known) if known == now => {
                seen.insert(cell);
            }
            _ => return false,
        }
    }
    seen.len() == known.len()
}

/// Returns what goes to each path; two artifacts with one path are a problem.
fn by_path<'a>(
    cells: impl Iterator<Item = (&'a Cell, &'a Arc<Artifacts>)>,
    problems: &mut Vec<Problem>,
) -> BTreeMap<Name, (&'a Cell, &'a Artifact)> {
    let mut wanted: BTreeMap<Name, (&Cell, &Artifact)> = BTreeMap::new();
    for (cell, artifacts) in cells {
        for artifact in &artifacts.artifacts {
            let Some((other, _)) = wanted.insert(artifact.path.clone(), (cell, artifact)) else {
                continue;
            };
            let problem = Problem::error("artifact::one_path", format!("two artifacts go to `{}`", artifact.path))
                .at(Place::Rule(cell.rule.clone()), format!("prints it for `{}`", cell.node))
                .at(
                    Place::Rule(other.rule.clone()),
                    format!("prints it for `{}`", other.node),
                )
                .help("put what tells the two apart into `path`");
            problems.push(problem);
        }
    }
    wanted
}

/// What one run has asked for, to be settled with what the last one left.
struct Settling {
    asked: Vec<Asked>,
    /// Whether there were places at which nothing can be made any more.
    has_lost: bool,
    read_back: ReadBack,
}

/// Texts that were printed already, by their path and what they are printed from.
type Texts = BTreeMap<(Name, Fingerprint), Printed>;

impl State {
    /// Returns the state of a run that saw `before` and found nothing that forbids to write: what it told and found, what
    /// it made in its places, and what stands at each path.
    #[must_use]
    pub fn kept(
        before: Before,
        (told, found): (Told, Found),
        cells: BTreeMap<Cell, Arc<Artifacts>>,
        fresh: BTreeMap<Name, Fresh>,
    ) -> Self {
        Self {
            before: Some(before),
            cells,
            problems: told.problems().chain(found.problems()).collect(),
            told: Some(told),
            found: Some(found),
            is_settled: true,
            fresh,
            ..Self::default()
        }
    }

    /// Returns this state with mistakes: those in `files` of the spec, and the `others`. What was wanted before them still
    /// is.
    #[must_use]
    pub fn with_mistakes(
        self,
        db: &Database,
        project: Project,
        files: impl Iterator<Item = SourceFile>,
        others: Vec<Problem>,
    ) -> Self {
        let told = self.told.clone().unwrap_or_default().again(db, project, files);
        Self {
            problems: settled(told.problems().chain(others).collect()),
            printed: Vec::new(),
            concerned: Some(Vec::new()),
            differing: Some(BTreeSet::new()),
            ..self
        }
    }

    /// Returns what this run saw, told and found, if nothing forbids to write and all is known that a later one needs to
    /// go on from it.
    #[must_use]
    pub fn to_keep(&self, db: &Database, project: Project) -> Option<(&Before, Told, &Found)> {
        let is_sound = self.is_settled && self.troubled.is_empty() && !self.problems.iter().any(Problem::is_error);
        let (before, found) = self.before.as_ref().zip(self.found.as_ref()).filter(|_| is_sound)?;
        let told = match &self.told {
            Some(told) => told.clone(),
            None => Told::new(db, project, &self.problems, found),
        };
        before.asleep().is_some().then_some((before, told, found))
    }

    /// Finds the rules that say nothing, where that is not known, for a later run to go on from this one.
    pub fn find_asleep(&mut self, db: &Database, project: Project) {
        let is_wrong = self.problems.iter().any(Problem::is_error);
        if let Some(before) = self.before.as_mut().filter(|_| !is_wrong) {
            before.find_asleep(db, project);
        }
    }

    /// Returns what the edits of packs have come to since this state was found; more than is known, where something was
    /// told of packs then.
    #[must_use]
    pub fn pack_edit(&self, db: &Database, project: Project) -> PackEdit {
        let is_quiet = self.told.as_ref().is_some_and(Told::is_of_files);
        match self.before.as_ref().filter(|_| is_quiet) {
            Some(before) => before.rules().edit(db, project),
            None => PackEdit::More,
        }
    }

    /// Returns what is told of the files, where this state was gone on from.
    #[must_use]
    pub fn told(&self) -> Option<&Told> {
        self.told.as_ref()
    }

    /// Returns what was made, by place.
    pub fn cells(&self) -> impl Iterator<Item = (&Cell, &Artifacts)> {
        self.cells.iter().map(|(cell, it)| (cell, &**it))
    }

    /// Takes over what the last run left, and what was asked for in this one.
    fn take(&mut self, db: &Database, project: Project, last: State, settling: Settling) {
        let Settling {
            asked,
            has_lost,
            read_back,
        } = settling;
        let mut last = last;
        self.cells = std::mem::take(&mut last.cells);
        self.troubled = std::mem::take(&mut last.troubled);
        if has_lost {
            self.cells.retain(|cell, _| candidates::is_there(db, project, cell));
            self.troubled.retain(|cell| self.cells.contains_key(cell));
        }
        let mut texts = Texts::new();
        let mut again: BTreeSet<Cell> = BTreeSet::new();
        // The paths at which something of the places stood that were asked for.
        let mut left: BTreeSet<Name> = BTreeSet::new();
        for Asked {
            cell,
            artifacts,
            printed,
        } in asked
        {
            for (at, text) in printed {
                let artifact = &artifacts.artifacts[at];
                texts.insert((artifact.path.clone(), artifact.fingerprint), text);
            }
            if artifacts.problems.is_empty() {
                self.troubled.remove(&cell);
            } else {
                self.troubled.insert(cell.clone());
            }
            let old = if artifacts.artifacts.is_empty() && artifacts.problems.is_empty() {
                self.cells.remove(&cell)
            } else {
                self.cells.insert(cell.clone(), artifacts)
            };
            left.extend(old.iter().flat_map(|it| it.artifacts.iter().map(|it| it.path.clone())));
            again.insert(cell);
        }
        let troubled = self.troubled.iter().filter_map(|it| self.cells.get(it));
        let told: Vec<Problem> = troubled.flat_map(|it| it.problems.iter().cloned()).collect();
        self.problems.extend(told);
        let cells = std::mem::take(&mut self.cells);
        let alone = last.is_settled && !has_lost;
        let wanted = alone.then(|| alone_wanted(&cells, &again, &last.fresh)).flatten();
        let gone = match wanted {
            Some(wanted) => {
                // What stands at all other paths is as it was.
                self.fresh = last.fresh;
                let mut touched = BTreeMap::new();
                for path in left.iter().chain(wanted.keys()) {
                    if let Some(known) = self.fresh.remove(path) {
                        touched.insert(path.clone(), known);
                    }
                }
                self.is_settled = true;
                self.print(db, project, wanted, touched, texts, read_back)
            }
            None => {
                let n_problems = self.problems.len();
                let wanted = by_path(cells.iter(), &mut self.problems);
                self.is_settled = self.problems.len() == n_problems;
                self.print(db, project, wanted, last.fresh, texts, read_back)
            }
        };
        self.differing = Some(self.printed.iter().cloned().chain(gone).collect());
        self.cells = cells;
    }

    /// Takes over what is fresh from the last run, and of the rest the `texts` that are printed already. Returns the
    /// paths at which nothing is wanted any more.
    fn print(
        &mut self,
        db: &Database,
        project: Project,
        wanted: BTreeMap<Name, (&Cell, &Artifact)>,
        last: BTreeMap<Name, Fresh>,
        mut texts: Texts,
        read_back: ReadBack,
    ) -> Vec<Name> {
        let mut last = last;
        let mut stale: Vec<(Name, Cell, Artifact, Option<Printed>, bool)> = Vec::new();
        let mut met: FxHashSet<Name> = FxHashSet::default();
        for (path, (cell, artifact)) in wanted {
            match last.remove(&path) {
                Some(known) if known.source == artifact.fingerprint => {
                    // The same text may go to the same path from another place: a node has been renamed, and what the
                    // path is made of has not.
                    let cell = cell.clone();
                    self.fresh.insert(path, Fresh { cell, ..known });
                }
                _ => {
                    let text = texts.remove(&(path.clone(), artifact.fingerprint));
                    let is_read_back = read_back == ReadBack::All || met.insert(artifact.rule.clone());
                    stale.push((path, cell.clone(), artifact.clone(), text, is_read_back));
                }
            }
        }
        let printed: Vec<_> = stale
            .into_par_iter()
            .map_with(db.clone(), |db, (path, cell, artifact, text, is_read_back)| {
                // A place that was not asked for makes what another one's artifact has hidden so far.
                let mut text = text.unwrap_or_else(|| salsa::attach(db, || instance::print(db, project, &cell, &path)));
                if is_read_back {
                    text = text.and_then(|it| instance::read_back(db, project, &cell, it));
                }
                let text = text.map(|it| (Fingerprint::of(it.as_bytes()), it));
                (path, cell, artifact, text)
            })
            .collect();
        for (path, cell, artifact, text) in printed {
            match text {
                Err(problems) => {
                    self.problems.extend(problems);
                    self.is_settled = false;
                }
                Ok((content, text)) => {
                    let fresh = Fresh {
                        rule: artifact.rule,
                        mode: artifact.mode,
                        cell,
                        source: artifact.fingerprint,
                        content,
                    };
                    self.printed.push(path.clone());
                    self.texts.insert(path.clone(), text.into());
                    self.fresh.insert(path, fresh);
                }
            }
        }
        last.into_keys().collect()
    }
}

/// Returns what the places of `again` want at their paths, if no other place wants something there.
fn alone_wanted<'a>(
    cells: &'a BTreeMap<Cell, Arc<Artifacts>>,
    again: &BTreeSet<Cell>,
    fresh: &BTreeMap<Name, Fresh>,
) -> Option<BTreeMap<Name, (&'a Cell, &'a Artifact)>> {
    let mut contested = Vec::new();
    let wanted = by_path(again.iter().filter_map(|it| cells.get_key_value(it)), &mut contested);
    let is_free = |path: &Name| fresh.get(path).is_none_or(|it| again.contains(&it.cell));
    (contested.is_empty() && wanted.keys().all(is_free)).then_some(wanted)
}

/// Leaves out what follows from a file that could be read in part only: names that stand in the rest of it.
fn settled(problems: Vec<Problem>) -> Vec<Problem> {
    let file = |it: &Problem| match it.labels.first().map(|it| &it.place) {
        Some(Place::Text(file, _)) => Some(file.clone()),
        _ => None,
    };
    let torn: BTreeSet<Name> = problems
        .iter()
        .filter(|it| it.code.starts_with("yaml::"))
        .filter_map(file)
        .collect();
    let follows = |it: &Problem| {
        let unknown = ["spec::unknown_target", "spec::unknown_reference"].contains(&&*it.code);
        !it.code.starts_with("yaml::") && (unknown || file(it).is_some_and(|it| torn.contains(&it)))
    };
    problems
        .into_iter()
        .filter(|it| torn.is_empty() || !follows(it))
        .collect()
}

/// Tells whether the template of the rule `id` is compiled though nothing may be printed by it: mistakes in it are
/// told in any case.
fn is_checked(db: &Database, project: Project, id: &Name) -> bool {
    cfg!(debug_assertions) || !instance::is_given(db, project, id)
}

/// Compiles all rules, reads all files and checks their names, in parallel: whoever asks for one after the other finds
/// them made.
fn read(db: &Database, project: Project) {
    let files: Vec<SourceFile> = spec_files(db, project).collect();
    // Which rules are in force hangs on what the files name.
    files.par_iter().for_each_with(db.clone(), |db, file| {
        spec::lowered_file(db, *file);
    });
    set::ids(db, project).par_iter().for_each_with(db.clone(), |db, id| {
        if is_checked(db, project, id) {
            instance::template(db, project, id.clone());
        } else {
            set::rule(db, project, id.clone());
        }
    });
    files
        .par_iter()
        .for_each_with(db.clone(), |db, file| spec::check_file(db, *file));
    for (environment, _) in (0_u16..).zip(spec::environments(db, project)) {
        let nodes = spec::addresses(db, project, environment).par_iter();
        nodes.for_each_with(db.clone(), |db, node| shape::declare(db, project, environment, node));
    }
}

/// Returns what is wrong with the spec, the packs and the graph: errors alone.
#[must_use]
pub fn mistakes(db: &Database, project: Project) -> Vec<Problem> {
    read(db, project);
    let found = problems(db, project).0.into_iter();
    found.filter(Problem::is_error).collect()
}

/// Returns what is wrong with the spec, the packs and the graph.
fn problems(db: &Database, project: Project) -> (Vec<Problem>, Ground) {
    let mut problems = spec::problems_given(db, project, &|it| shape::is_derived(db, project, it));
    problems.extend(pack::pack_problems(db, project).iter().cloned());
    problems.extend(set::problems(db, project));
    problems.extend(strata::strata(db, project).problems.iter().cloned());
    for id in set::ids(db, project).iter().filter(|it| is_checked(db, project, it)) {
        problems.extend(instance::template(db, project, id.clone()).problems.iter().cloned());
    }
    if problems.iter().any(Problem::is_error) {
        // What would be found fault with now follows from the mistakes above, or from what they left out.
        let circular = !strata::strata(db, project).problems.is_empty();
        return (
            settled(problems),
            if circular { Ground::Circular } else { Ground::Shaky },
        );
    }
    for (environment, _) in (0_u16..).zip(spec::environments(db, project)) {
        problems.extend(shape::problems(db, project, environment).iter().cloned());
    }
    (problems, Ground::Sound)
}
