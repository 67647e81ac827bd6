//! What the nodes of some files hold, taken down before the files are edited, to tell afterwards what differs.
//!
//! Most edits change a field or two. Then all other nodes stand as they were, and need not be looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use crate::artifact::differing::Difference;
use crate::db::{Database, Project, SourceFile, View};
use crate::fact::shape;
use crate::graph::Snapshot;
use crate::problem::Problem;
use crate::spec::file::PROJECT;
use crate::spec::{self, Completed, Completion, Declared, Names};
use crate::value::{Address, Path};

/// What the nodes of some files held.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// Whether files of packs are edited as well.
    has_packs: bool,
    files: Vec<(SourceFile, Names)>,
    /// By environment.
    nodes: Vec<BTreeMap<Address, Held>>,
}

/// What a node holds in one environment, and what the spec says of it there.
#[derive(Clone, Debug, PartialEq)]
struct Held {
    completed: Option<Arc<Completed>>,
    declared: Option<Arc<Declared>>,
}

/// What differs in one environment.
#[derive(Clone, Debug, Default)]
pub struct Differing {
    /// The nodes that hold something else.
    pub(super) differences: BTreeMap<Address, Difference>,
    /// The nodes whose edges may be others.
    pub rewired: BTreeSet<Address>,
}

/// What an edit has come to.
#[derive(Clone, Debug)]
pub enum Edit {
    /// By environment what differs, and nothing else does.
    Nodes(Vec<Differing>),
    /// Something is wrong with the files.
    Wrong,
    /// More than what nodes hold may differ: names, overlays, the project, what the root file says to the engine.
    More,
}

impl Standing {
    /// Takes down what the nodes of `files` hold now; of a file that is known already, that stays.
    pub fn note(&mut self, db: &Database, project: Project, files: &[SourceFile]) {
        let known: FxHashSet<SourceFile> = self.files.iter().map(|it| it.0).collect();
        let new = files.par_iter().filter(|it| !known.contains(it));
        let new = new.map_with(db.clone(), |db, it| (*it, Names::of(db, *it)));
        let new: Vec<(SourceFile, Names)> = new.collect();
        let environments = spec::environments(db, project);
        self.nodes.resize(environments.len(), BTreeMap::new());
        for (environment, held) in (0_u16..).zip(&mut self.nodes) {
            let nodes: Vec<&Address> = new.iter().flat_map(|it| it.1.nodes()).collect();
            let now = nodes.into_par_iter().map_with(db.clone(), |db, node| {
                (node.clone(), Held::now(db, project, environment, node))
            });
            held.extend(now.collect::<Vec<_>>());
        }
        self.files.extend(new);
    }

    /// Takes down that files of packs are edited: what their rules said is known by the state.
    pub fn note_packs(&mut self) {
        self.has_packs = true;
    }

    /// Tells whether files of packs are edited.
    #[must_use]
    pub fn has_packs(&self) -> bool {
        self.has_packs
    }

    /// Returns the files of which something was taken down.
    pub fn files(&self) -> impl Iterator<Item = SourceFile> {
        self.files.iter().map(|it| it.0)
    }

    /// Tells whether of `file` something was taken down.
    #[must_use]
    pub fn has(&self, file: SourceFile) -> bool {
        self.files.iter().any(|it| it.0 == file)
    }

    /// Tells whether nothing was taken down.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && !self.has_packs
    }

    /// Returns what the edits since have come to.
    #[must_use]
    pub fn edit(&self, db: &Database, project: Project) -> Edit {
        // Of what can't be read of the root file, all others may depend.
        let is_named_alike = |db: &mut Database, (file, names): &(SourceFile, Names)| match spec::is_torn(db, *file) {
            true => *file != project.root(db),
            false => Names::of(db, *file) == *names,
        };
        if !self.files.par_iter().map_with(db.clone(), is_named_alike).all(|it| it) {
            return Edit::More;
        }
        let is_wrong = |db: &mut Database, (file, _): &(SourceFile, Names)| {
            let problems = spec::file_problems(db, *file, &|it| shape::is_derived(db, project, it));
            problems.iter().any(Problem::is_error)
        };
        if self.files.par_iter().map_with(db.clone(), is_wrong).any(|it| it) {
            return Edit::Wrong;
        }
        let mut differing = Vec::new();
        for (environment, nodes) in (0_u16..).zip(&self.nodes) {
            let snapshot = shape::snapshot(db, project, View::finished(environment));
            let mut here = Differing::default();
            let now = nodes
                .par_iter()
                .map_with(db.clone(), |db, (node, _)| Held::now(db, project, environment, node));
            for ((node, before), now) in nodes.iter().zip(now.collect::<Vec<_>>()) {
                if !before.compare(&now, node, spec::completion(db, project), snapshot, &mut here) {
                    return Edit::More;
                }
            }
            differing.push(here);
        }
        Edit::Nodes(differing)
    }
}

impl Held {
    fn now(db: &Database, project: Project, environment: u16, node: &Address) -> Self {
        Self {
            completed: shape::node(db, project, View::finished(environment), node).cloned(),
            declared: spec::declared(db, project, environment, node),
        }
    }

    /// Adds to `found` how the node differs `now`; `false` where what others may mention of it differs.
    fn compare(
        &self,
        now: &Self,
        node: &Address,
        completion: &Completion,
        snapshot: &Snapshot,
        found: &mut Differing,
    ) -> bool {
        let (before, after) = match (&self.completed, &now.completed) {
            (Some(before), Some(after)) => (before, after),
            (None, None) => return true,
            _ => return false,
        };
        if Arc::ptr_eq(before, after) && self.declared == now.declared {
            return true;
        }
        if *node.kind == *PROJECT {
            // All others inherit from it.
            return before == after && self.declared == now.declared;
        }
        let difference = Difference::between(&before.fields, &after.fields);
        let kind = completion.schema().kinds.get(&node.kind);
        let of_mentions: Vec<&Path> = kind.iter().filter_map(|it| it.attributes_from.as_ref()).collect();
        if difference.meets(&of_mentions) {
            return false;
        }
        let edges = |it: &Self| it.declared.as_ref().map(|it| (it.edges.clone(), it.open.clone()));
        if before.mentioned != after.mentioned || edges(self) != edges(now) {
            found.rewired.insert(node.clone());
        }
        if difference.is_nothing() {
            return true;
        }
        // What edges hold by default may depend on the node to which they lead.
        let defaults = completion.schema().edge_defaults.values().flatten();
        let fits = |it: &Completed, default| completion.fits(default, node, &|path| it.fields.at(&path.0).cloned());
        if defaults.into_iter().any(|it| fits(before, it) != fits(after, it))
            && let Some(at) = snapshot.index(node)
        {
            for kind in snapshot.edge_kinds() {
                let from = snapshot.incoming(at, &kind).map(|it| snapshot.address(it.0).clone());
                found.rewired.extend(from);
            }
        }
        found.differences.insert(node.clone(), difference);
        true
    }
}
