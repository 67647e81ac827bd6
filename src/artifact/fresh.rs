//! All artifacts of a project: from nothing, or after an edit only those that may have changed.
//!
//! After an edit the changed nodes are walked backwards through the rules ([`candidates`]); only those artifacts are
//! asked of salsa, and only those whose fingerprint changed are printed again. Debug builds ask for all of them as
//! well and compare.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use crate::artifact::candidates::{self, Before};
use crate::artifact::instance::{self, Artifact, Artifacts, Cell, Printed};
use crate::db::{Database, Project, SourceFile, View};
use crate::fact::{self, finding, shape};
use crate::fingerprint::Fingerprint;
use crate::kind::pack;
use crate::problem::{Place, Problem};
use crate::rule::file::{Mode, Reach};
use crate::rule::model::Rule;
use crate::rule::{set, strata};
use crate::spec;
use crate::value::{Address, Name};

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
    /// Its text, where this run printed it.
    pub text: Option<Arc<str>>,
}

/// All that one run found out, for the next one to begin from.
#[derive(Clone, Debug, Default)]
pub struct State {
    before: Option<Before>,
    /// The last state without an error, where this one has one.
    good: Option<Box<State>>,
    cells: BTreeMap<Cell, Arc<Artifacts>>,
    /// What stands at each path.
    pub fresh: BTreeMap<Name, Fresh>,
    /// What is wrong, in no particular order.
    pub problems: Vec<Problem>,
    /// The paths that this run printed, sorted.
    pub printed: Vec<Name>,
    /// The paths at which something else stands than after the run that this one went on from; `None` where it went
    /// on from none.
    pub differing: Option<BTreeSet<Name>>,
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

/// Returns the state of the project now, going on from what the last run found out.
#[must_use]
pub fn refresh(db: &Database, project: Project, last: State, read_back: ReadBack) -> State {
    let last = match last.good {
        Some(good) => *good,
        None => last,
    };
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
    let now = Before::now(db, project);
    let cells = match &last.before {
        None => cells(db, project),
        Some(before) => candidates::candidates(db, project, before, &now),
    };
    let asked: Vec<Asked> = cells
        .into_par_iter()
        .map_with(db.clone(), |db, cell| {
            salsa::attach(db, || asked(db, project, cell, &last.fresh))
        })
        .collect();
    state.cells = last.cells;
    if last.before.as_ref().is_some_and(|it| it.has_lost(&now)) {
        state.cells.retain(|cell, _| candidates::is_there(db, project, cell));
    }
    let mut texts = BTreeMap::new();
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
        if artifacts.artifacts.is_empty() && artifacts.problems.is_empty() {
            state.cells.remove(&cell);
        } else {
            state.cells.insert(cell, artifacts);
        }
    }
    debug_assert!(
        same_cells(db, project, &state.cells),
        "an artifact outside of the candidates differs"
    );
    state.before = Some(now);
    let told = state.problems.len();
    state
        .problems
        .extend(state.cells.values().flat_map(|it| it.problems.iter().cloned()));
    let cells = std::mem::take(&mut state.cells);
    let wanted = by_path(&cells, &mut state.problems);
    let gone = state.print(db, project, wanted, last.fresh, texts, read_back);
    if last.before.is_some() {
        state.differing = Some(state.printed.iter().cloned().chain(gone).collect());
    }
    state.cells = cells;
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

/// Asks what is made at `cell`, and prints what is not `known`.
fn asked(db: &Database, project: Project, cell: Cell, known: &BTreeMap<Name, Fresh>) -> Asked {
    let artifacts = instance::artifacts(db, project, cell.clone()).clone();
    let is_stale = |it: &Artifact| known.get(&it.path).is_none_or(|known| known.source != it.fingerprint);
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
    cells: &'a BTreeMap<Cell, Arc<Artifacts>>,
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

impl State {
    /// Takes over what is fresh from the last run, and of the rest the `texts` that are printed already. Returns the
    /// paths at which nothing is wanted any more.
    fn print(
        &mut self,
        db: &Database,
        project: Project,
        wanted: BTreeMap<Name, (&Cell, &Artifact)>,
        last: BTreeMap<Name, Fresh>,
        mut texts: BTreeMap<(Name, Fingerprint), Printed>,
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
                    self.fresh.insert(
                        path,
                        Fresh {
                            text: None,
                            cell,
                            ..known
                        },
                    );
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
                Err(problems) => self.problems.extend(problems),
                Ok((content, text)) => {
                    let fresh = Fresh {
                        rule: artifact.rule,
                        mode: artifact.mode,
                        cell,
                        source: artifact.fingerprint,
                        content,
                        text: Some(text.into()),
                    };
                    self.printed.push(path.clone());
                    self.fresh.insert(path, fresh);
                }
            }
        }
        last.into_keys().collect()
    }
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

/// Tells whether rules derive a node of this address in any environment.
fn is_derived(db: &Database, project: Project, address: &Address) -> bool {
    let environments = (0_u16..).zip(spec::environments(db, project));
    environments.into_iter().any(|(it, _)| {
        shape::derived(db, project, View::finished(it))
            .nodes
            .contains_key(address)
    })
}

/// Tells whether the template of the rule `id` is compiled though nothing may be printed by it: mistakes in it are
/// told in any case.
fn is_checked(db: &Database, project: Project, id: &Name) -> bool {
    cfg!(debug_assertions) || !instance::is_given(db, project, id)
}

/// Compiles all rules, reads all files and checks their names, in parallel: whoever asks for one after the other finds
/// them made.
fn read(db: &Database, project: Project) {
    let files: Vec<SourceFile> = project.included(db).iter().copied().chain([project.root(db)]).collect();
    set::ids(db, project).par_iter().for_each_with(db.clone(), |db, id| {
        if is_checked(db, project, id) {
            instance::template(db, project, id.clone());
        } else {
            set::rule(db, project, id.clone());
        }
    });
    files.par_iter().for_each_with(db.clone(), |db, file| {
        spec::lowered_file(db, *file);
    });
    files
        .par_iter()
        .for_each_with(db.clone(), |db, file| spec::check_file(db, *file));
    for (environment, _) in (0_u16..).zip(spec::environments(db, project)) {
        let nodes = spec::addresses(db, project, environment).par_iter();
        nodes.for_each_with(db.clone(), |db, node| shape::declare(db, project, environment, node));
    }
}

/// Returns what is wrong with the spec, the packs, the graph and the facts, and what rules find fault with.
fn problems(db: &Database, project: Project) -> (Vec<Problem>, Ground) {
    read(db, project);
    let mut problems = spec::problems_given(db, project, &|it| is_derived(db, project, it));
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
        problems.extend(shape::problems(db, project, environment));
        let snapshot = shape::snapshot(db, project, View::finished(environment));
        let found: Vec<Vec<Problem>> = snapshot
            .nodes()
            .par_iter()
            .map_with(db.clone(), |db, node| {
                let mut problems = fact::problems(db, project, environment, node);
                problems.extend(salsa::attach(db, || finding::at(db, project, environment, node)));
                problems
            })
            .collect();
        problems.extend(found.into_iter().flatten());
    }
    (problems, Ground::Sound)
}
