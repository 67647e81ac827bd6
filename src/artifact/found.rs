//! What is wrong with nodes, kept from run to run: facts that fail or contradict, and what rules find fault with.
//!
//! Which nodes are asked again is decided by the candidates of an edit.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::db::{Database, Project, View};
use crate::fact::finding::{self, Sight};
use crate::fact::{self, shape};
use crate::problem::Problem;
use crate::spec;
use crate::value::Address;

/// A node in an environment, by its place in the sorted list.
pub type Spot = (u16, Address);

/// Who finds fault with a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Finder {
    /// The rules whose facts speak of it.
    Facts,
    /// The rules that look so far.
    Rules(Sight),
}

/// Who is asked about which node.
pub type Question = (Spot, Finder);

/// The problems of those nodes that have any.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found(BTreeMap<Question, Vec<Problem>>);

impl Finder {
    /// Returns what everybody is asked about a node.
    pub fn all_about(spot: &Spot) -> impl Iterator<Item = Question> {
        let rules = Sight::ALL.into_iter().map(Self::Rules);
        [Self::Facts].into_iter().chain(rules).map(|it| (spot.clone(), it))
    }

    fn asked(self, db: &Database, project: Project, (environment, node): &Spot) -> Vec<Problem> {
        match self {
            Self::Facts => fact::problems(db, project, *environment, node),
            Self::Rules(sight) => salsa::attach(db, || finding::at(db, project, *environment, sight, node).to_vec()),
        }
    }
}

impl Found {
    /// Asks all nodes.
    #[must_use]
    pub fn all(db: &Database, project: Project) -> Self {
        let mut found = Self::default();
        for (environment, _) in (0_u16..).zip(spec::environments(db, project)) {
            let nodes = shape::snapshot(db, project, View::finished(environment)).nodes();
            let spots = nodes.iter().map(|it| (environment, it.clone()));
            let questions: Vec<Question> = spots
                .flat_map(|it| Finder::all_about(&it).collect::<Vec<_>>())
                .collect();
            found.ask(db, project, &questions);
        }
        found
    }

    /// Asks these questions again; where nodes were lost, nothing is found of them.
    #[must_use]
    pub fn again(mut self, db: &Database, project: Project, questions: &[Question], has_lost: bool) -> Self {
        if has_lost {
            let n_environments = spec::environments(db, project).len();
            self.0.retain(|((environment, node), _), _| {
                let view = View::finished(*environment);
                usize::from(*environment) < n_environments && shape::snapshot(db, project, view).index(node).is_some()
            });
        }
        for question in questions {
            self.0.remove(question);
        }
        self.ask(db, project, questions);
        self
    }

    fn ask(&mut self, db: &Database, project: Project, questions: &[Question]) {
        let answers = questions.par_iter();
        let answers = answers.map_with(db.clone(), |db, (spot, finder)| finder.asked(db, project, spot));
        let found = questions.iter().cloned().zip(answers.collect::<Vec<_>>());
        self.0.extend(found.filter(|it| !it.1.is_empty()));
    }

    /// Returns all of them.
    pub fn problems(&self) -> impl Iterator<Item = Problem> {
        self.0.values().flatten().cloned()
    }
}
