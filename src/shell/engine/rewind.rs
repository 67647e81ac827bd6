//! Why files change: the inputs are taken back step by step to what the last apply read, and each step tells by the
//! engine's own incremental run which files it changes. Afterwards the inputs are as they were.
//!
//! One mechanism: what is stale is decided here as it is in watch. What the old inputs print is at hand on the way, for
//! a merge.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::effects::{self, Asked, Concerned, Due, DueStep};
use super::{Ask, Engine, built_in};
use crate::artifact::fresh::{self, ReadBack, State, Stir};
use crate::artifact::instance;
use crate::artifact::reads::{self, TemplateReads};
use crate::artifact::standing::Standing;
use crate::db::Project;
use crate::fingerprint::Fingerprint;
use crate::plan::cause::{self, Step};
use crate::plan::reason::Sort;
use crate::plan::{Effect, Reason};
use crate::problem::Problem;
use crate::rule::set;
use crate::shell::disk::Disk;
use crate::shell::inputs::Inputs;
use crate::value::{Address, Name};

/// What was learnt on the way back.
#[derive(Clone, Debug, Default)]
pub struct Rewound {
    /// Why each file changes; none of one that does not.
    pub reasons: BTreeMap<Name, Vec<Reason>>,
    /// What the old inputs print at the paths that were asked for, where they print anything.
    pub was: BTreeMap<Name, Arc<str>>,
    /// What the new inputs do in effect that the old ones do not, and the other way round.
    pub effects: Vec<Effect>,
    /// Rules that fail to say what that is.
    pub problems: Vec<Problem>,
    /// What is built in differs: by the path of the built-in file.
    pub built_in: BTreeSet<Name>,
}

/// What differs between what was read before and what is read now.
#[derive(Clone, Debug, Default)]
pub struct Between {
    /// Files by their paths, sorted, and what they held before and now; none where they were not, or are not, there.
    files: Vec<(Name, [Option<Arc<str>>; 2])>,
    /// What is built in differs: by the path of the built-in file.
    built_in: BTreeSet<Name>,
    /// Whether both have one root file; else nothing is known of what lies between.
    has_one_root: bool,
}

/// Where the way back has led.
pub(super) struct GoneBack {
    /// The project, which may have become another.
    pub(super) project: Project,
    /// The steps by which files change.
    pub(super) reasons: BTreeMap<Name, Vec<Reason>>,
    /// Where effects may differ.
    pub(super) concerned: Concerned,
    /// Which of them belong to the files that were asked for.
    pub(super) due: Due,
}

/// So many steps are taken one by one; what is left is taken at once.
const MOST_STEPS: usize = 64;

/// Of the changes in more files than these, a watch does not find out which of them each concerns.
const MOST_FILES: usize = 64;

/// So many reasons of what is taken at once are given each file that changes by it; more are counted.
const MOST_NAMED: usize = 16;

impl Engine {
    /// Returns what the last outcome was made from; none where it could not be read.
    #[must_use]
    pub fn inputs(&self) -> Option<Inputs> {
        let project = self.files.project()?;
        let texts = |files: &[crate::db::SourceFile]| {
            let text = |it: &crate::db::SourceFile| (it.path(&self.db).clone(), it.text(&self.db).clone());
            files.iter().map(text).collect()
        };
        let root = project.root(&self.db);
        let built_in = built_in::fingerprints().iter();
        Some(Inputs {
            root: root.path(&self.db).clone(),
            text: root.text(&self.db).clone(),
            included: texts(project.included(&self.db)),
            own: texts(project.own(&self.db)),
            built_in: built_in.map(|(path, it)| (Name::from(*path), *it)).collect(),
        })
    }

    /// Returns what differs between `old` and what the last outcome was made from; of another root nothing is known, and
    /// nothing is told.
    #[must_use]
    pub fn between(&self, old: &Inputs) -> Between {
        let new = self.inputs().filter(|it| it.root == old.root);
        new.map(|it| Between::of(old, &it)).unwrap_or_default()
    }

    /// Returns what differs between what the last apply of the project on `disk` read and what the outcome of `ask` was
    /// made from; none where that is not known.
    pub fn since_applied(&mut self, disk: &Disk, ask: &Ask) -> Option<Between> {
        self.see_behind_recalled(ask);
        match &self.edited {
            Some(edited) if Inputs::known_by(disk) == Some(edited.inputs) => {
                let now = |it: &Name| Some(self.files.editable(it)?.text(&self.db).clone());
                let files = edited.texts.iter();
                let files = files.map(|(path, text)| (path.clone(), [Some(text.clone()), now(path)]));
                Some(Between {
                    files: files.filter(|it| it.1[0] != it.1[1]).collect(),
                    built_in: BTreeSet::new(),
                    has_one_root: true,
                })
            }
            _ => Inputs::load(disk).map(|it| self.between(&it)),
        }
    }

    /// Goes back by what is `between` and returns what that tells of the files at `paths`.
    pub fn rewind(&mut self, between: &Between, ask: &Ask, paths: &[Name]) -> Rewound {
        let mut rewound = Rewound::default();
        self.see_behind_recalled(ask);
        let Some(project) = self.files.project().filter(|_| between.has_one_root) else {
            return rewound;
        };
        rewound.built_in.clone_from(&between.built_in);
        let asked: BTreeSet<&Name> = paths.iter().collect();
        // What is printed now stays at hand, so that nobody has to print it again.
        let texts = std::mem::take(&mut self.state.texts);
        let printed = self.state.printed.clone();
        let present = self.present(between);
        let back = self.go_back(project, between, ask, Asked::Only(&asked));
        let project = back.project;
        rewound.reasons = back.reasons;
        for path in paths {
            let Some(fresh) = self.state.fresh.get(path) else {
                continue;
            };
            let text = match self.state.texts.get(path) {
                Some(text) => Some(text.clone()),
                None => salsa::attach(&self.db, || instance::print(&self.db, project, &fresh.cell, path))
                    .ok()
                    .map(Arc::from),
            };
            rewound.was.extend(text.map(|it| (path.clone(), it)));
        }
        match present.filter(|_| self.is_resumed) {
            Some(present) => self.return_to(present, between),
            None => {
                let concerned = (&back.concerned, &back.due);
                (rewound.effects, rewound.problems) = self.put_forward(project, between, ask, concerned);
            }
        }
        for (path, text) in texts {
            let fresh = self.state.fresh.get(&path);
            if fresh.is_some_and(|it| it.content == Fingerprint::of(text.as_bytes())) {
                self.state.texts.insert(path, text);
            }
        }
        self.state.printed = printed;
        rewound
    }

    /// Returns how all stands now, where none but files of packs are `between` and all is known of the rest.
    fn present(&self, between: &Between) -> Option<Present> {
        let are_of_packs = between.files.iter().all(|it| self.files.of_packs(&it.0).is_some());
        (self.is_resumed && are_of_packs && !between.files.is_empty()).then(|| Present {
            state: self.state.clone(),
            reads: reads::known(&self.db),
        })
    }

    /// Brings everything back to how it stood, after steps that have changed nothing but what is printed: nothing differs
    /// in effect, and nothing is printed for it.
    fn return_to(&mut self, present: Present, between: &Between) {
        for (path, [_, new]) in &between.files {
            self.files.put_back(&mut self.db, path, new.clone());
        }
        reads::know(&mut self.db, present.reads);
        self.state = present.state;
        self.standing = Standing::default();
        debug_assert!(
            self.is_as_derived(),
            "what stood before the way back differs from what is derived"
        );
    }

    /// Takes the inputs back step by step by what is `between`, and tells the steps by which each of those files changes
    /// that were `asked` for.
    pub(super) fn go_back(&mut self, project: Project, between: &Between, ask: &Ask, asked: Asked<'_>) -> GoneBack {
        let mut project = project;
        let mut concerned = Concerned::new(&self.db, project);
        let (mut due, mut step_due) = (Due::new(asked), DueStep::new());
        // What is made now, and nowhere then, is known by how it stands now.
        let now = self.owners(project, asked);
        let mut reasons: BTreeMap<Name, Vec<Reason>> = BTreeMap::new();
        let mut pending: Vec<Reason> = Vec::new();
        let mut differing: BTreeSet<Name> = BTreeSet::new();
        for step in bounded(steps(between, ask)) {
            let standing = match &step {
                Back::Flags(_) => None,
                // A file that goes leaves nothing to compare with.
                Back::Files(steps) if steps.iter().any(|it| it.text.is_none()) => None,
                Back::Files(steps) => self.standing(project, steps.iter().map(|it| &it.file)),
            };
            match step {
                Back::Flags(flags) => {
                    self.files.override_with(&mut self.db, project, &[]);
                    pending.extend(flags);
                }
                Back::Files(steps) => {
                    for step in steps {
                        self.files.put_back(&mut self.db, &step.file, step.text.clone());
                        pending.extend(step.reasons);
                    }
                }
            }
            project = self.refresh_again(project, standing);
            concerned.add(&self.db, project, self.state.concerned.as_deref());
            differing.extend(self.state.differing.iter().flatten().cloned());
            let environments = effects::names(&self.db, project);
            step_due.concern(&environments, self.state.concerned.as_deref());
            if self.state.problems.iter().any(Problem::is_error) {
                // What stands in between says nothing: this step is taken together with the next one.
                continue;
            }
            let told = summed_up(std::mem::take(&mut pending));
            for path in std::mem::take(&mut differing) {
                let is_asked = asked.has(&path);
                if let Some((within, node)) = self.owner(project, &path).or_else(|| now.get(&path).cloned()) {
                    step_due.change(&within, &node, is_asked);
                }
                if is_asked {
                    reasons.entry(path).or_default().extend(told.iter().cloned());
                }
            }
            due.add(std::mem::replace(&mut step_due, DueStep::new()));
        }
        for reasons in reasons.values_mut() {
            reasons.sort();
            reasons.dedup();
        }
        GoneBack {
            project,
            reasons,
            concerned,
            due,
        }
    }

    /// Returns the node for which the file at `path` is printed, and the environments that it is of, if it is printed.
    fn owner(&self, project: Project, path: &Name) -> Option<(Vec<Name>, Address)> {
        let fresh = self.state.fresh.get(path)?;
        let within = match self.environment_of(project, path, fresh) {
            Some(environment) => vec![environment.name.clone()],
            None => effects::names(&self.db, project),
        };
        Some((within, fresh.cell.node.clone()))
    }

    /// Returns the owners of the files that are `asked` for, by their paths.
    fn owners(&self, project: Project, asked: Asked<'_>) -> BTreeMap<Name, (Vec<Name>, Address)> {
        let Asked::Only(paths) = asked else {
            return BTreeMap::new();
        };
        let owner = |it: &&Name| Some(((*it).clone(), self.owner(project, it)?));
        paths.iter().filter_map(owner).collect()
    }

    /// Returns what can't be done in place where the file that `rule` prints goes by another name, if it says so.
    #[must_use]
    pub fn said_of_a_rename(&self, rule: &Name) -> Option<Name> {
        let source = set::source(&self.db, self.files.project()?, rule.clone());
        Some(source.as_ref()?.artifact.as_ref()?.renamed.as_ref()?.text.clone())
    }

    /// Returns those reasons that lie in what is built in, for the file that `rule` prints.
    #[must_use]
    pub fn built_in_reasons(&self, rewound: &Rewound, rule: &Name) -> Vec<Reason> {
        let Some(project) = self.files.project() else {
            return Vec::new();
        };
        let source = set::source(&self.db, project, rule.clone());
        let template = source.as_ref().and_then(|it| it.artifact.as_ref());
        let template = template.map(|it| Name::from(format!("templates/{}", it.template.text)));
        let own = template.iter().chain(source.as_ref().map(|it| &it.name.file));
        let concerned: Vec<&Name> = own.filter(|it| rewound.built_in.contains(*it)).collect();
        let reason = |file: Option<&Name>, input: String| Reason::of(Sort::Gen, file.cloned(), input);
        if concerned.is_empty() && !rewound.built_in.is_empty() {
            let n = rewound.built_in.len();
            return vec![reason(None, format!("gen itself changed: {n} built-in files"))];
        }
        concerned
            .into_iter()
            .map(|it| reason(Some(it), "changed with gen itself".to_owned()))
            .collect()
    }

    /// Brings the inputs back to what they are now; returns what differs in effect at the nodes that are `concerned`, as far as it is
    /// `due`, and the rules that fail to say so.
    pub(super) fn put_forward(
        &mut self,
        project: Project,
        between: &Between,
        ask: &Ask,
        (concerned, due): (&Concerned, &Due),
    ) -> (Vec<Effect>, Vec<Problem>) {
        let before = self.sayings(project, ask, concerned);
        let all_before = cfg!(debug_assertions).then(|| self.sayings(project, ask, &Concerned::all()));
        let standing = self.standing(project, between.files.iter().map(|it| &it.0));
        self.files.override_with(&mut self.db, project, &ask.overrides);
        for (path, [_, new]) in &between.files {
            self.files.put_back(&mut self.db, path, new.clone());
        }
        let project = self.refresh_again(project, standing);
        let (effects, problems) = self.effects_since(project, ask, &before, (concerned, due));
        if let Some(all_before) = all_before {
            let all = self.effects_since(project, ask, &all_before, (&Concerned::all(), due));
            assert!(
                all.0 == effects,
                "an effect outside of the nodes that are concerned differs"
            );
        }
        (effects, problems)
    }

    /// Takes down how the files at `paths` stand, where the database was told the graph; none where others than files of
    /// the spec and the packs are among them.
    fn standing<'p>(&self, project: Project, paths: impl Iterator<Item = &'p Name>) -> Option<Standing> {
        if !self.is_resumed {
            return None;
        }
        let mut standing = self.standing.clone();
        let paths = paths.map(Name::as_str);
        self.files.note(&self.db, project, paths, &mut standing)?;
        Some(standing)
    }

    /// Brings the state up to date after the inputs were set, from how files stood before where that is enough; returns
    /// the project, which may have become another.
    fn refresh_again(&mut self, project: Project, standing: Option<Standing>) -> Project {
        if !self.is_resumed {
            let last = std::mem::take(&mut self.state);
            let how = (Stir::Little, ReadBack::default());
            self.state = fresh::refresh(&self.db, project, last, how, &mut |_| {});
            return project;
        }
        let last = match standing {
            None => std::mem::take(&mut self.state),
            Some(standing) => {
                self.standing = standing;
                match self.step(project) {
                    Ok(()) => return project,
                    Err(last) => *last,
                }
            }
        };
        let project = self.derive_anew();
        let before = &last.fresh;
        let now = &self.state.fresh;
        let differs = |path: &&Name| now.get(*path).map(|it| it.content) != before.get(*path).map(|it| it.content);
        let differing = before.keys().chain(now.keys()).filter(differs).cloned().collect();
        self.state.differing = Some(differing);
        project
    }
}

/// How all stands, to return to it.
struct Present {
    state: State,
    reads: BTreeMap<Name, Arc<TemplateReads>>,
}

enum Back {
    Flags(Vec<Reason>),
    Files(Vec<Step>),
}

impl Between {
    /// Returns the one reason of all that changes, where so many files differ that to find out what each of them changes
    /// takes as long as to derive all of it; none where they are few.
    #[must_use]
    pub fn as_one_reason(&self) -> Option<Reason> {
        let n = self.files.len();
        let first = self.files.first().filter(|_| n > MOST_FILES)?;
        Some(Reason::of(
            cause::sort(&first.0),
            None,
            format!("some of the changes in {n} files"),
        ))
    }

    /// Returns what differs between `old` and `new`, which have one root.
    pub(super) fn of(old: &Inputs, new: &Inputs) -> Self {
        fn texts(inputs: &Inputs) -> impl Iterator<Item = (&Name, &Arc<str>)> {
            let root = [(&inputs.root, &inputs.text)].into_iter();
            root.chain(&inputs.included).chain(&inputs.own)
        }
        let then: FxHashMap<&Name, &Arc<str>> = texts(old).collect();
        let now: FxHashMap<&Name, &Arc<str>> = texts(new).collect();
        let gone = texts(old).filter(|it| now.get(it.0) != Some(&it.1));
        let come = texts(new).filter(|it| !then.contains_key(it.0));
        let differing: BTreeSet<&Name> = gone.chain(come).map(|it| it.0).collect();
        let both = |it: &Name| [&then, &now].map(|texts| texts.get(it).map(|it| Arc::clone(it)));
        let built_in = new.built_in.keys().chain(old.built_in.keys());
        let built_in = built_in.filter(|it| new.built_in.get(*it) != old.built_in.get(*it));
        Self {
            files: differing.into_iter().map(|it| (it.clone(), both(it))).collect(),
            built_in: built_in.cloned().collect(),
            has_one_root: true,
        }
    }
}

fn steps(between: &Between, ask: &Ask) -> Vec<Back> {
    let mut back = Vec::new();
    let flags: Vec<Reason> = ask
        .overrides
        .iter()
        .map(|it| Reason::of(Sort::Flag, None, format!("--set {}={}", it.path, it.yaml)))
        .collect();
    if !flags.is_empty() {
        back.push(Back::Flags(flags));
    }
    for (path, [old, new]) in &between.files {
        let steps = cause::steps(path, old.as_ref(), new.as_ref());
        if steps.is_empty() {
            // Only comments differ; the old lines are put back all the same.
            let quiet = Step {
                file: path.clone(),
                text: old.clone(),
                reasons: Vec::new(),
            };
            back.push(Back::Files(vec![quiet]));
        }
        back.extend(steps.into_iter().map(|it| Back::Files(vec![it])));
    }
    back
}

/// Returns `reasons` as they are told where they come all at once: many of them in one, since by which of them a file
/// changes is not known.
fn summed_up(reasons: Vec<Reason>) -> Vec<Reason> {
    let Some(first) = reasons.first().filter(|_| reasons.len() > MOST_NAMED) else {
        return reasons;
    };
    let files: BTreeSet<&Name> = reasons.iter().filter_map(|it| it.file.as_ref()).collect();
    let (n_changes, n_files) = (reasons.len(), files.len());
    let plural = if n_files == 1 { "" } else { "s" };
    let input = format!("some of {n_changes} more changes in {n_files} file{plural}");
    vec![Reason::of(first.sort, None, input)]
}

/// Takes what comes after the first steps at once.
fn bounded(steps: Vec<Back>) -> Vec<Back> {
    if steps.len() <= MOST_STEPS {
        return steps;
    }
    let mut steps = steps;
    let rest = steps.split_off(MOST_STEPS - 1);
    let rest = rest.into_iter().flat_map(|it| match it {
        Back::Files(steps) => steps,
        Back::Flags(_) => Vec::new(),
    });
    steps.push(Back::Files(rest.collect()));
    steps
}
