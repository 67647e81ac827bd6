//! What rules say of the effects of two states of the inputs, at the nodes that a way between them concerns.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;

use super::{Ask, Engine};
use crate::artifact::found::Spot;
use crate::db::{Database, Project, View};
use crate::fact::effect::Topic;
use crate::fact::{effect, shape};
use crate::graph::Snapshot;
use crate::plan::effect::{Effect, Said, between};
use crate::problem::{Problem, Severity};
use crate::shell::report::Sources;
use crate::spec;
use crate::value::{Address, Name};

/// The nodes at which something else may be said, on the way from one state back to another.
pub(super) struct Concerned {
    environments: Vec<Name>,
    /// None where that may be all.
    spots: Option<BTreeSet<Spot>>,
}

/// The files on account of which effects are told.
#[derive(Clone, Copy, Debug)]
pub(super) enum Asked<'a> {
    /// All that change.
    All,
    /// These of them.
    Only(&'a BTreeSet<&'a Name>),
}

impl Asked<'_> {
    pub(super) fn has(self, path: &Name) -> bool {
        match self {
            Self::All => true,
            Self::Only(paths) => paths.contains(path),
        }
    }
}

/// By which steps files change that were asked for, and at which nodes: what else the steps do in effect has happened
/// already, or is left for later.
#[derive(Default)]
pub(super) struct Due {
    /// None where all is told.
    steps: Option<Vec<DueStep>>,
}

/// What one step does.
#[derive(Clone, Debug, Default)]
pub(super) struct DueStep {
    /// The nodes that it concerns, in each environment; none where that may be all.
    nodes: Option<BTreeSet<(Name, Address)>>,
    /// The nodes of which files change, and whether any of these was asked for.
    own: BTreeMap<(Name, Address), bool>,
    /// The environments in which a file changes that was asked for.
    environments: BTreeSet<Name>,
}

impl DueStep {
    pub(super) fn new() -> Self {
        Self {
            nodes: Some(BTreeSet::new()),
            ..Self::default()
        }
    }

    /// Adds the nodes that are concerned: all, where that is not known.
    pub(super) fn concern(&mut self, environments: &[Name], spots: Option<&[Spot]>) {
        let named = |(at, node): &Spot| Some((environments.get(usize::from(*at))?.clone(), node.clone()));
        match (&mut self.nodes, spots) {
            (Some(all), Some(spots)) => all.extend(spots.iter().filter_map(named)),
            (all, _) => *all = None,
        }
    }

    /// Adds a file of a node that changes, in these environments.
    pub(super) fn change(&mut self, environments: &[Name], node: &Address, is_asked: bool) {
        for environment in environments {
            *self.own.entry((environment.clone(), node.clone())).or_default() |= is_asked;
            if is_asked {
                self.environments.insert(environment.clone());
            }
        }
    }

    fn tells(&self, environment: Option<&Name>, node: &Address, is_new: bool) -> bool {
        let Some(environment) = environment else {
            let mut own = self.own.iter().filter(|it| it.0.1 == *node).map(|it| *it.1).peekable();
            return match own.peek() {
                Some(_) => own.any(|it| it),
                None => !self.environments.is_empty(),
            };
        };
        let key = (environment.clone(), node.clone());
        let is_concerned = is_new || self.nodes.as_ref().is_none_or(|it| it.contains(&key));
        let own = self.own.get(&key).copied();
        is_concerned && own.unwrap_or_else(|| self.environments.contains(environment))
    }
}

impl Due {
    /// Returns that of a way back on which these files were `asked` for.
    pub(super) fn new(asked: Asked<'_>) -> Self {
        match asked {
            Asked::All => Self { steps: None },
            Asked::Only(_) => Self {
                steps: Some(Vec::new()),
            },
        }
    }

    pub(super) fn add(&mut self, step: DueStep) {
        if let Some(steps) = &mut self.steps {
            steps.push(step);
        }
    }

    fn tells(&self, environment: Option<&Name>, node: &Address, is_new: bool) -> bool {
        let steps = self.steps.as_ref();
        steps.is_none_or(|it| it.iter().any(|it| it.tells(environment, node, is_new)))
    }
}

/// What is said of a state, and which nodes it has.
pub(super) struct Sayings {
    said: Said,
    /// Rules that fail to say something.
    problems: Vec<Problem>,
    nodes: BTreeMap<Option<Name>, Arc<Snapshot>>,
}

impl Concerned {
    pub(super) fn new(db: &Database, project: Project) -> Self {
        Self {
            environments: names(db, project),
            spots: Some(BTreeSet::new()),
        }
    }

    /// Returns all nodes.
    pub(super) fn all() -> Self {
        Self {
            environments: Vec::new(),
            spots: None,
        }
    }

    /// Adds the nodes that one step concerned: all, where that is not known.
    pub(super) fn add(&mut self, db: &Database, project: Project, spots: Option<&[Spot]>) {
        let same = names(db, project) == self.environments;
        match (&mut self.spots, spots.filter(|_| same)) {
            (Some(all), Some(spots)) => all.extend(spots.iter().cloned()),
            (all, _) => *all = None,
        }
    }

    fn has(&self, environment: u16, node: &Address) -> bool {
        let spots = self.spots.as_ref();
        spots.is_none_or(|it| it.contains(&(environment, node.clone())))
    }
}

/// Returns the node as it is known in two states: the project is one node, whatever it is called.
fn whichever(node: &Address) -> Address {
    match &*node.kind {
        shape::PROJECT => Address::new(shape::PROJECT, ""),
        _ => node.clone(),
    }
}

/// Returns the names of the environments of the project.
pub(super) fn names(db: &Database, project: Project) -> Vec<Name> {
    spec::environments(db, project)
        .iter()
        .map(|it| it.name.clone())
        .collect()
}

impl Engine {
    /// Returns what is said of the state as it is now, at the nodes that are `concerned`.
    pub(super) fn sayings(&self, project: Project, ask: &Ask, concerned: &Concerned) -> Sayings {
        self.sayings_where(project, ask, |environment, _, node| concerned.has(environment, node))
    }

    /// Returns what is different from what was said `before`, at the nodes that are `concerned` and those that are new, as
    /// far as it is `due`.
    pub(super) fn effects_since(
        &self,
        project: Project,
        ask: &Ask,
        before: &Sayings,
        (concerned, due): (&Concerned, &Due),
    ) -> (Vec<Effect>, Vec<Problem>) {
        let after = self.sayings_where(project, ask, |environment, name, node| {
            let was_there = before.nodes.get(name).is_some_and(|it| it.index(node).is_some());
            !was_there || concerned.has(environment, node)
        });
        let is_new = |(name, node, _): &(Option<Name>, Address, Topic)| {
            before.nodes.get(name).is_none_or(|it| it.index(node).is_none())
        };
        let due = |said: &Said| -> Said {
            let told = said
                .iter()
                .filter(|it| due.tells(it.0.0.as_ref(), &it.0.1, is_new(it.0)));
            let key =
                |(name, node, topic): &(Option<Name>, Address, Topic)| (name.clone(), whichever(node), topic.clone());
            told.map(|(at, it)| (key(at), it.clone())).collect()
        };
        let (old, new) = (due(&before.said), due(&after.said));
        let environments: Vec<Name> = after.nodes.into_keys().flatten().collect();
        (
            between(&old, &new, &environments),
            self.located(project, &after.problems),
        )
    }

    /// Returns what all that the inputs say does in effect, where nothing was there before.
    pub fn effects_of_all(&mut self, ask: &Ask) -> Vec<Effect> {
        self.see_behind_recalled(ask);
        let Some(project) = self.files.project() else {
            return Vec::new();
        };
        let said = self.sayings_where(project, ask, |_, _, _| true);
        let environments: Vec<Name> = said.nodes.into_keys().flatten().collect();
        between(&Said::new(), &said.said, &environments)
    }

    /// Returns the texts of all files as they are now, for problems that come up after the outcome.
    pub fn sources(&self) -> Sources {
        let project = self.files.project();
        project.map_or_else(Sources::default, |it| self.files.sources(&self.db, it))
    }

    fn sayings_where(
        &self,
        project: Project,
        ask: &Ask,
        is_asked: impl Fn(u16, &Option<Name>, &Address) -> bool + Sync,
    ) -> Sayings {
        let (mut said, mut nodes, mut problems) = (Said::new(), BTreeMap::new(), Vec::new());
        let asked = self.asked(project, ask).into_iter();
        let each = asked.map(|(environment, name)| (Some(environment), Some(name)));
        for (within, name) in each.chain([(None, None)]) {
            // What is said of all environments at once is said at the nodes of the first, whichever are asked for.
            let environment = within.unwrap_or(0);
            let snapshot = shape::snapshot(&self.db, project, View::finished(environment));
            let found: Vec<(Address, (effect::Sayings, Vec<Problem>))> = snapshot
                .nodes()
                .par_iter()
                .filter(|it| is_asked(environment, &name, it))
                .map_with(self.db.clone(), |db, node| {
                    let said = salsa::attach(db, || effect::at(db, project, within, node));
                    (node.clone(), said)
                })
                .collect();
            for (node, (sayings, failed)) in found {
                // Nothing is made from these words: where they fail, the plan holds all the same.
                problems.extend(failed.into_iter().map(|it| Problem {
                    severity: Severity::Warning,
                    ..it
                }));
                let sayings = sayings.into_iter();
                said.extend(sayings.map(|(topic, it)| ((name.clone(), node.clone(), topic), it)));
            }
            nodes.insert(name, snapshot.clone());
        }
        Sayings { said, problems, nodes }
    }
}
