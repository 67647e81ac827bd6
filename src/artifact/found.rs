//! What is wrong with nodes, kept from run to run: facts that fail or contradict, and what rules find fault with.
//!
//! Which nodes are asked again is decided by the candidates of an edit.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::db::{Database, Project, View};
use crate::fact::{self, finding, shape};
use crate::problem::Problem;
use crate::spec;
use crate::value::Address;

/// A node in an environment, by its place in the sorted list.
pub type Spot = (u16, Address);

/// The problems of those nodes that have any.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found(BTreeMap<Spot, Vec<Problem>>);

impl Found {
    /// Asks all nodes.
    #[must_use]
    pub fn all(db: &Database, project: Project) -> Self {
        let mut found = Self::default();
        for (environment, _) in (0_u16..).zip(spec::environments(db, project)) {
            let nodes = shape::snapshot(db, project, View::finished(environment)).nodes();
            let spots: Vec<Spot> = nodes.iter().map(|it| (environment, it.clone())).collect();
            found.ask(db, project, &spots);
        }
        found
    }

    /// Asks the nodes at `spots` again; where nodes were lost, nothing is found of them.
    #[must_use]
    pub fn again(mut self, db: &Database, project: Project, spots: &[Spot], has_lost: bool) -> Self {
        if has_lost {
            let n_environments = spec::environments(db, project).len();
            self.0.retain(|(environment, node), _| {
                let view = View::finished(*environment);
                usize::from(*environment) < n_environments && shape::snapshot(db, project, view).index(node).is_some()
            });
        }
        for spot in spots {
            self.0.remove(spot);
        }
        self.ask(db, project, spots);
        self
    }

    fn ask(&mut self, db: &Database, project: Project, spots: &[Spot]) {
        let found: Vec<Vec<Problem>> = spots
            .par_iter()
            .map_with(db.clone(), |db, (environment, node)| {
                let mut problems = fact::problems(db, project, *environment, node);
                problems.extend(salsa::attach(db, || finding::at(db, project, *environment, node)));
                problems
            })
            .collect();
        let found = spots.iter().cloned().zip(found);
        self.0.extend(found.filter(|it| !it.1.is_empty()));
    }

    /// Returns all of them.
    pub fn problems(&self) -> impl Iterator<Item = Problem> {
        self.0.values().flatten().cloned()
    }
}
