//! The artifacts of one rule at one node: their paths, the fingerprints of what they are printed from, and the
//! printing itself.
//!
//! No rendered text is kept in a memo: the memo holds a fingerprint of the context, and whoever sees that it
//! changed asks for the text.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::artifact::data::{DataTemplate, Document};
use crate::artifact::format::Format;
use crate::artifact::text::TextTemplate;
use crate::db::{Db, Project, SourceFile, View};
use crate::fact::{self, matching, matching::Match};
use crate::fingerprint::Fingerprint;
use crate::kind::{Reads, Type, pack};
use crate::problem::{Place, Problem};
use crate::rule::compile::Rule;
use crate::rule::file::{Mode, Reach};
use crate::rule::set;
use crate::spec;
use crate::value::{Address, Map, Name, Path, Segment, Text, Value};

/// One artifact: where it goes, and the fingerprint of all that it is printed from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// The path within the project, the environment's folder included.
    pub path: Name,
    /// The rule that prints it, as `pack/name`.
    pub rule: Name,
    /// Of the context, the template and the rule together.
    pub fingerprint: Fingerprint,
    /// Whether it may be run.
    pub mode: Mode,
}

/// What one rule prints at one node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Artifacts {
    /// The artifacts, in the order of their bindings.
    pub artifacts: Vec<Artifact>,
    /// What failed.
    pub problems: Vec<Problem>,
}

/// Where artifacts are made: a rule at a node in an environment.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cell {
    /// The environment, by its place in the sorted list.
    pub environment: u16,
    /// The rule, as `pack/name`.
    pub rule: Name,
    /// The node.
    pub node: Address,
}

/// A template of either sort.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Template {
    /// Printed from text with places.
    Text(TextTemplate),
    /// Printed from data.
    Data(DataTemplate),
}

/// The template of a rule, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiled {
    /// The template.
    pub template: Option<Arc<Template>>,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
    /// Of its source and that of its partials.
    pub fingerprint: Fingerprint,
}
