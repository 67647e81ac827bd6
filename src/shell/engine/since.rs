//! Two states of a project in one database: as it stands now, and as it stood at another time.
//!
//! What both have in common is parsed, derived and fingerprinted once. The way back is the one that tells the reasons
//! of an ordinary plan.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::effects::Asked;
use super::files::Files;
use super::rewind::Between;
use super::{Ask, Engine, Outcome, Wish, environments};
use crate::artifact::fresh::{self, ReadBack, State, Stir};
use crate::db::{Database, View};
use crate::fact::shape;
use crate::plan::{ArtifactPath, Effect, Reason};
use crate::problem::Problem;
use crate::shell::discover::{Root, Text};
use crate::shell::inputs::Inputs;
use crate::value::Name;

/// Whether the texts of then are wanted, or what they amount to alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Texts {
    /// Fingerprints are enough.
    Unprinted,
    /// Those that are others now, or nowhere.
    Printed,
}

/// How the project stood then.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// What the rules wanted.
    pub outcome: Outcome,
    /// What is otherwise in effect now than then.
    pub effects: Vec<Effect>,
    /// Rules that fail to say what that is.
    pub problems: Vec<Problem>,
    /// Why files are others now than then.
    pub reasons: BTreeMap<Name, Vec<Reason>>,
    /// The texts that were asked for.
    pub texts: BTreeMap<ArtifactPath, Arc<[u8]>>,
    /// The nodes of the files that are others now, or nowhere.
    pub nodes: BTreeMap<Name, Name>,
}

impl Engine {
    /// Opens the project at `root` with the files `inputs`, whatever stands on the disk, of which `problems` were found
    /// while they were read.
    #[must_use]
    pub fn of(root: Root, inputs: &Inputs, problems: Vec<Problem>) -> Self {
        let mut db = Database::default();
        let text = |(path, text): (&Name, &Arc<str>)| Text::known(path.clone(), text.clone());
        let texts = [
            vec![text((&inputs.root, &inputs.text))],
            inputs.included.iter().map(text).collect(),
            inputs.own.iter().map(text).collect(),
        ];
        let mut files = Files::known(&mut db, texts, Vec::new());
        files.problems = problems;
        let mut engine = Self::watched(root, db);
        if let Some(project) = files.project() {
            let how = (Stir::Much, ReadBack::default());
            let laps = &mut engine.laps;
            engine.state = fresh::refresh(&engine.db, project, State::default(), how, &mut |it| laps.begin(it));
            engine.laps.end();
        }
        engine.files = files;
        engine
    }

    /// Returns what `ask` came to when the files were `old`, of which `problems` were found while they were read, and
    /// why files are others since. Afterwards everything is as it was.
    pub fn past(&mut self, old: &Inputs, problems: Vec<Problem>, ask: &Ask, texts: Texts) -> Past {
        self.see_behind_recalled(ask);
        let (Some(project), Some(new)) = (self.files.project(), self.inputs()) else {
            return Past::default();
        };
        // A root file is the root file, by whichever of its names.
        let old = Inputs {
            root: new.root.clone(),
            ..old.clone()
        };
        let between = Between::of(&old, &new);
        let now = self.state.fresh.clone();
        let printed = std::mem::take(&mut self.state.texts);
        let found = std::mem::replace(&mut self.files.problems, problems);
        let back = self.go_back(project, &between, ask, Asked::All);
        let project = back.project;
        let mut ask_then = ask.clone();
        let environments = environments(&self.db, project);
        ask_then
            .environments
            .retain(|it| environments.iter().any(|known| known.name == *it));
        let mut past = Past {
            outcome: self.told(project, &ask_then, Wish::All),
            reasons: back.reasons,
            ..Past::default()
        };
        if ask_then.environments.is_empty() && !ask.environments.is_empty() {
            // None of what is asked for was there.
            past.outcome.wanted.clear();
        }
        if !past.outcome.is_invalid() {
            let differs = |it: &&ArtifactPath| {
                let now = now.get(it.as_str());
                let then = self.state.fresh.get(it.as_str());
                now.map(|it| (it.content, it.mode)) != then.map(|it| (it.content, it.mode))
            };
            let wanted = past.outcome.wanted.iter().map(|it| &it.path);
            let differing: Vec<&ArtifactPath> = wanted.filter(differs).collect();
            past.nodes = self.nodes_of(differing.iter().map(|it| it.as_str()));
            if texts == Texts::Printed {
                match self.print(&differing) {
                    Ok(texts) => past.texts = differing.into_iter().cloned().zip(texts).collect(),
                    Err(problems) => past.outcome.problems.extend(problems),
                }
            }
        }
        (past.effects, past.problems) = self.put_forward(project, &between, ask, (&back.concerned, &back.due));
        self.files.problems = found;
        self.state.texts = printed;
        past
    }

    /// Returns the nodes for which the files at `paths` are printed, by path.
    pub fn nodes_of<'p>(&self, paths: impl Iterator<Item = &'p str>) -> BTreeMap<Name, Name> {
        let node = |path: &str| {
            let (path, fresh) = self.state.fresh.get_key_value(path)?;
            Some((path.clone(), Name::from(fresh.cell.node.to_string())))
        };
        paths.filter_map(node).collect()
    }

    /// Tells whether there is a node at `address` in one of the environments that are asked for.
    #[must_use]
    pub fn has_node(&self, ask: &Ask, address: &str) -> bool {
        let (Some(project), Some(address)) = (self.files.project(), shape::parse_address(address)) else {
            return false;
        };
        let mut asked = self.asked(project, ask).into_iter();
        asked.any(|(environment, _)| {
            let snapshot = shape::snapshot(&self.db, project, View::finished(environment));
            snapshot.index(&address).is_some()
        })
    }
}
