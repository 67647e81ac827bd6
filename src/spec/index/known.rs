//! The names of all files, kept from one run to the next, and the names of one file at some time.

#![expect(missing_docs, reason = "salsa's macros write public functions without docs")]

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Difference, Index, Outline, Slot, outline};
use crate::db::{Db, SourceFile};
use crate::spec::file::{Overlay, Settings, lowered_file};
use crate::value::{Address, Name};

/// The names as an earlier run found them, where there is reason to believe that they stand.
#[salsa::input(debug, singleton)]
pub struct KnownNames {
    /// The names.
    #[returns(ref)]
    pub index: Index,
}

/// An index as it is kept: nodes and files by their number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptIndex {
    addresses: Vec<u32>,
    /// For each of the addresses its file, and which of the file's nodes it is.
    slots: Vec<(u32, u32)>,
    differences: Vec<KeptDifference>,
    platforms: BTreeSet<Name>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct KeptDifference {
    touched: Vec<u32>,
    files: Vec<u32>,
    addresses: Option<Vec<u32>>,
    added: Vec<u32>,
}

/// What one file says that concerns more than the nodes it declares, at some time: their names, what it says to the
/// engine, and its overlays of nodes that may be declared elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    outline: Arc<Outline>,
    settings: Settings,
    overlays: Vec<Overlay>,
}

impl Names {
    /// Returns what `file` says now.
    #[must_use]
    pub fn of(db: &dyn Db, file: SourceFile) -> Self {
        let lowered = lowered_file(db, file);
        Self {
            outline: outline(db, file).clone(),
            settings: lowered.settings.clone(),
            overlays: lowered.overlays.clone(),
        }
    }

    /// Returns the nodes that the file declares.
    pub fn nodes(&self) -> impl Iterator<Item = &Address> {
        self.outline.nodes.iter().map(|it| &it.0)
    }
}

impl Index {
    /// Returns the index with nodes and files by their number; none where something is wrong with the names.
    #[must_use]
    pub fn kept(
        &self,
        node: &mut dyn FnMut(&Address) -> u32,
        file: &dyn Fn(SourceFile) -> Option<u32>,
    ) -> Option<KeptIndex> {
        if !self.duplicates.is_empty() || !self.unknown_environments.is_empty() {
            return None;
        }
        let slots = self
            .slots
            .iter()
            .map(|it| Some((file(it.file)?, u32::try_from(it.nth).ok()?)));
        let slots = slots.collect::<Option<Vec<_>>>()?;
        let mut differences = Vec::new();
        for it in &self.differences {
            if !it.pointless.is_empty() {
                return None;
            }
            differences.push(KeptDifference {
                touched: it.touched.iter().map(&mut *node).collect(),
                files: it.files.iter().map(|it| file(*it)).collect::<Option<_>>()?,
                addresses: it.addresses.as_ref().map(|it| it.iter().map(&mut *node).collect()),
                added: it.added.iter().map(&mut *node).collect(),
            });
        }
        Some(KeptIndex {
            addresses: self.addresses.iter().map(node).collect(),
            slots,
            differences,
            platforms: self.platforms.clone(),
        })
    }
}

impl KeptIndex {
    /// Returns the index, of which `nodes` and `files` are those of the numbers; none where one is out of range.
    #[must_use]
    pub fn index(&self, nodes: &[Address], files: &[SourceFile]) -> Option<Index> {
        let node = |at: &u32| nodes.get(*at as usize).cloned();
        let file = |at: u32| files.get(at as usize).copied();
        if self.addresses.len() != self.slots.len() {
            return None;
        }
        let slots = self.slots.iter().map(|(at, nth)| {
            let nth = *nth as usize;
            Some(Slot { file: file(*at)?, nth })
        });
        let difference = |it: &KeptDifference| {
            Some(Difference {
                touched: it.touched.iter().map(node).collect::<Option<_>>()?,
                files: it.files.iter().map(|it| file(*it)).collect::<Option<_>>()?,
                addresses: match &it.addresses {
                    Some(all) => Some(all.iter().map(node).collect::<Option<_>>()?),
                    None => None,
                },
                added: it.added.iter().map(node).collect::<Option<_>>()?,
                pointless: BTreeSet::new(),
            })
        };
        Some(Index {
            addresses: self.addresses.iter().map(node).collect::<Option<_>>()?,
            slots: slots.collect::<Option<_>>()?,
            differences: self.differences.iter().map(difference).collect::<Option<_>>()?,
            platforms: self.platforms.clone(),
            ..Index::default()
        })
    }
}
