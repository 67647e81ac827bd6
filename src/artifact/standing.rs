//! What the spec says of the nodes of some files, taken down before the files are edited, to tell afterwards what differs.
//!
//! Most edits change a field or two. Then all other nodes stand as they were, and need neither be completed nor looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use crate::artifact::differing::Difference;
use crate::artifact::told::Told;
use crate::db::{Database, Project, SourceFile, View};
use crate::fact::shape;
use crate::problem::Problem;
use crate::spec::file::PROJECT;
use crate::spec::{self, Completed, Declared, Names};
use crate::value::{Address, Path};

/// What the spec said of the nodes of some files.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// Whether files of packs are edited as well.
    has_packs: bool,
    files: Vec<(SourceFile, Names)>,
    /// Before overlays.
    base: BTreeMap<Address, Said>,
    /// By environment.
    nodes: Vec<BTreeMap<Address, Said>>,
}

/// What the spec says of a node, in one environment or before overlays: while the project and the rules say the same, all that it holds
/// follows from this.
#[derive(Clone, Debug, PartialEq)]
struct Said(Option<Arc<Declared>>);

/// What differs in one environment.
#[derive(Clone, Debug, Default)]
pub struct Differing {
    /// The nodes that hold something else.
    pub(super) differences: BTreeMap<Address, Difference>,
    /// The nodes whose edges may be others.
    pub rewired: BTreeSet<Address>,
    /// The nodes of which the spec says something else, whether or not they hold something else by that.
    said: BTreeSet<Address>,
}

/// What an edit has come to.
#[derive(Clone, Debug)]
pub enum Edit {
    /// By environment what differs, and nothing else does; and what is told of the files now.
    Nodes(Vec<Differing>, Told),
    /// Something is wrong with the files.
    Wrong,
    /// More than what nodes hold may differ: names, overlays, the project, what the root file says to the engine; or what
    /// stands wrong behind the overlays of all environments.
    More,
}

impl Standing {
    /// Takes down what the spec says of the nodes of `files` now; of a file that is known already, that stays.
    pub fn note(&mut self, db: &Database, project: Project, files: &[SourceFile]) {
        let known: FxHashSet<SourceFile> = self.files.iter().map(|it| it.0).collect();
        let new = files.par_iter().filter(|it| !known.contains(it));
        let new = new.map_with(db.clone(), |db, it| (*it, Names::of(db, *it)));
        let new: Vec<(SourceFile, Names)> = new.collect();
        let environments = spec::environments(db, project);
        self.nodes.resize(environments.len(), BTreeMap::new());
        let nodes: Vec<&Address> = new.iter().flat_map(|it| it.1.nodes()).collect();
        self.base.extend(Said::all(db, project, None, &nodes));
        for (environment, said) in (0_u16..).zip(&mut self.nodes) {
            said.extend(Said::all(db, project, Some(environment), &nodes));
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

    /// Returns what the edits since have come to, where `told` was told of the files before.
    #[must_use]
    pub fn edit(&self, db: &Database, project: Project, told: &Told) -> Edit {
        // Of what can't be read of the root file, all others may depend.
        let is_named_alike = |db: &mut Database, (file, names): &(SourceFile, Names)| match spec::is_torn(db, *file) {
            true => *file != project.root(db),
            false => Names::of(db, *file) == *names,
        };
        if !self.files.par_iter().map_with(db.clone(), is_named_alike).all(|it| it) {
            return Edit::More;
        }
        let is_misread = |(file, _): &(SourceFile, Names)| {
            let problems = &spec::lowered_file(db, *file).problems;
            problems.iter().any(Problem::is_error)
        };
        if self.files.iter().any(is_misread) {
            return Edit::Wrong;
        }
        let mut differing = Vec::new();
        for (environment, nodes) in (0_u16..).zip(&self.nodes) {
            let mut here = Differing::default();
            for (node, before, now) in changed(db, project, Some(environment), nodes) {
                if !before.compare((db, project, environment), node, &now, &mut here) {
                    return Edit::More;
                }
                here.said.insert(node.clone());
            }
            differing.push(here);
        }
        let said: BTreeSet<Address> = differing.iter().flat_map(|it| it.said.iter().cloned()).collect();
        // Where overlays hide a change, it is in the base that something may be wrong now.
        if changed(db, project, None, &self.base)
            .iter()
            .any(|it| !said.contains(it.0))
        {
            return Edit::More;
        }
        let ask = |db: &mut Database, (file, _): &(SourceFile, Names)| (*file, told.now(db, project, *file, &said));
        let found: Vec<(SourceFile, Vec<Problem>)> = self.files.par_iter().map_with(db.clone(), ask).collect();
        match found.iter().flat_map(|it| &it.1).any(Problem::is_error) {
            true => Edit::Wrong,
            false => Edit::Nodes(differing, told.with(db, found)),
        }
    }
}

/// Returns those nodes of which the spec says something else now than `before`, with both.
fn changed<'n>(
    db: &Database,
    project: Project,
    environment: Option<u16>,
    before: &'n BTreeMap<Address, Said>,
) -> Vec<(&'n Address, &'n Said, Said)> {
    let nodes: Vec<&Address> = before.keys().collect();
    let now = Said::all(db, project, environment, &nodes).into_iter();
    let both = before
        .iter()
        .zip(now)
        .map(|((node, before), now)| (node, before, now.1));
    both.filter(|it| *it.1 != it.2).collect()
}

impl Said {
    fn all(db: &Database, project: Project, environment: Option<u16>, nodes: &[&Address]) -> Vec<(Address, Self)> {
        let now = nodes.par_iter().map_with(db.clone(), |db, node| {
            let said = match environment {
                Some(environment) => spec::declared(db, project, environment, node),
                None => spec::declared_in(db, project, None, node),
            };
            ((*node).clone(), Self(said))
        });
        now.collect()
    }

    /// Adds to `found` how the node differs now, of which the spec says something else; `false` where what others may
    /// mention of it differs.
    fn compare(
        &self,
        (db, project, environment): (&Database, Project, u16),
        node: &Address,
        now: &Self,
        found: &mut Differing,
    ) -> bool {
        let (Self(Some(then)), Self(Some(now))) = (self, now) else {
            return false;
        };
        if *node.kind == *PROJECT {
            // All others inherit from it.
            return false;
        }
        let completion = spec::completion(db, project);
        let before = shape::holding(db, project, environment, node, then);
        let Some(after) = shape::node(db, project, View::finished(environment), node) else {
            return false;
        };
        let is_unsupported = completion.schema().unsupported.iter().any(|it| it.kind == node.kind);
        if is_unsupported && shape::is_derived(db, project, node) {
            // Of what a rule derives, too, it is told which fields no platform can honour.
            return false;
        }
        let difference = Difference::between(&before.fields, &after.fields);
        let kind = completion.schema().kinds.get(&node.kind);
        let of_mentions: Vec<&Path> = kind.iter().filter_map(|it| it.attributes_from.as_ref()).collect();
        if difference.meets(&of_mentions) {
            return false;
        }
        if before.mentioned != after.mentioned || (&then.edges, &then.open) != (&now.edges, &now.open) {
            found.rewired.insert(node.clone());
        }
        if difference.is_nothing() {
            return true;
        }
        // What edges hold by default may depend on the node to which they lead.
        let defaults = completion.schema().edge_defaults.values().flatten();
        let fits = |it: &Completed, default| completion.fits(default, node, &|path| it.fields.at(&path.0).cloned());
        let snapshot = shape::snapshot(db, project, View::finished(environment));
        if defaults.into_iter().any(|it| fits(&before, it) != fits(after, it))
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
