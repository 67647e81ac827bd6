//! Spec files and their overlays, lowered to nodes and edges.
//!
//! The reading of one file ([`file`]) stands alone, so that files can be read in parallel; [`index`] knows the names
//! of all; [`layer`] lays what is said of one node over each other; [`complete`] fills in what nobody said.
//! Nothing that leaves this module but [`locate`] knows where it was written. The words of a spec come from packs:
//! the engine itself knows `version`, `name`, `include`, `packs`, `disable` and `environments`.

pub mod check;
pub mod complete;
pub mod edge;
pub mod elsewhere;
pub mod file;
pub mod index;
pub mod layer;
pub mod locate;
pub mod merge;
mod overrides;
pub mod rename;
#[cfg(test)]
mod tests;

pub use check::{check_file, file_problems, is_torn, new_problems, problems, problems_given};
pub use complete::{Complete, Completed, Completion, complete_node, completion};
pub use edge::{Edge, OpenEdge};
pub use file::{EnvironmentInfo, Settings, lowered_file};
pub use index::{KeptIndex, KnownNames, Names, addresses, environments, platforms, project_address, settings};
pub use layer::{Declared, declared, declared_in, inherited, inherited_in, seen_as};
pub use locate::{Written, locate, origin};

use crate::value::{Address, Map};

/// A node with all its fields and edges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// What it is called everywhere.
    pub address: Address,
    /// Its fields, complete.
    pub fields: Map,
    /// Its edges, sorted by kind and target, complete.
    pub edges: Vec<Edge>,
}
