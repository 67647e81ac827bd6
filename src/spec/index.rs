//! The names of all files together: which nodes and environments there are, and who says something of whom.
//!
//! It is made again only when a name comes or goes, not when a field changes.

mod known;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::file::{EnvironmentInfo, PROJECT, Settings, lowered_file};
use super::overrides::overrides;
use crate::db::{Db, Project, SourceFile, spec_files};
use crate::kind::pack;
use crate::value::{Address, Map, Name, Value};
pub use known::{KeptIndex, KnownNames, Names};

/// What an overlay does to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Touch {
    Changes,
    Removes,
}

/// The names of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Outline {
    nodes: Vec<(Address, Vec<(Name, Touch)>)>,
    overlays: Vec<(Name, Vec<(Address, Touch)>)>,
    /// The platforms that are named anywhere in it.
    platforms: BTreeSet<Name>,
}

/// Where a node is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) file: SourceFile,
    /// Which of the file's nodes it is.
    pub(super) nth: usize,
}

/// One environment against the base.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Difference {
    /// The nodes that some overlay speaks of.
    pub(super) touched: BTreeSet<Address>,
    /// The files whose overlays speak of nodes, the root first.
    pub(super) files: Vec<SourceFile>,
    /// All nodes, where they are others than in the base.
    addresses: Option<Vec<Address>>,
    /// Nodes that only an overlay declares.
    pub(super) added: BTreeSet<Address>,
    /// Nodes that an overlay takes away, but that no spec declares.
    pub(super) pointless: BTreeSet<Address>,
}

/// The names of all files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Index {
    addresses: Vec<Address>,
    slots: Vec<Slot>,
    differences: Vec<Difference>,
    /// The platforms that are named anywhere: all on which a node may be, and maybe more.
    pub(super) platforms: BTreeSet<Name>,
    /// Nodes that are declared twice: first, then again.
    pub(super) duplicates: Vec<(Address, Slot, Slot)>,
    /// Environments that a file speaks of and the root does not declare.
    pub(super) unknown_environments: Vec<(SourceFile, Name)>,
}

/// Returns what the root file says to the engine.
#[salsa::tracked(returns(ref))]
pub fn settings(db: &dyn Db, project: Project) -> Settings {
    lowered_file(db, project.root(db)).settings.clone()
}

/// Returns the environments, sorted by name: a nameless one where none is declared.
#[salsa::tracked(returns(deref))]
pub fn environments(db: &dyn Db, project: Project) -> Vec<EnvironmentInfo> {
    let declared = &settings(db, project).environments;
    if declared.is_empty() {
        return vec![EnvironmentInfo::default()];
    }
    declared.clone()
}

/// Returns the address of the node that stands for the whole project.
#[salsa::tracked(returns(clone))]
pub fn project_address(db: &dyn Db, project: Project) -> Address {
    let name = &settings(db, project).name;
    Address::new(
        PROJECT,
        if name.is_empty() {
            Name::from(PROJECT)
        } else {
            name.clone()
        },
    )
}

/// Returns the nodes that the spec declares in the environment at `environment`, sorted.
pub fn addresses(db: &dyn Db, project: Project, environment: u16) -> &[Address] {
    index(db, project).addresses(Some(environment))
}

#[salsa::tracked(returns(ref))]
fn outline(db: &dyn Db, file: SourceFile) -> Arc<Outline> {
    let lowered = lowered_file(db, file);
    let touch = |saying: bool| if saying { Touch::Changes } else { Touch::Removes };
    let nodes = lowered.nodes.iter().map(|it| {
        let overlays = it
            .overlays
            .iter()
            .map(|(name, saying)| (name.clone(), touch(saying.is_some())));
        (it.address.clone(), overlays.collect())
    });
    let known = Project::try_get(db).map_or_else(Vec::new, |it| known_platforms(db, it));
    let mut platforms = BTreeSet::new();
    let own = lowered
        .nodes
        .iter()
        .flat_map(|it| it.overlays.iter().filter_map(|it| it.1.as_ref()));
    let of_others = lowered
        .overlays
        .iter()
        .flat_map(|it| it.nodes.iter().filter_map(|it| it.1.as_ref()));
    for fields in lowered.nodes.iter().map(|it| &it.fields).chain(own).chain(of_others) {
        fields.iter().for_each(|it| add_named(&it.1, &known, &mut platforms));
    }
    let overlays = lowered.overlays.iter().map(|it| {
        let nodes = it
            .nodes
            .iter()
            .map(|(address, saying)| (address.clone(), touch(saying.is_some())));
        (it.environment.clone(), nodes.collect())
    });
    Arc::new(Outline {
        nodes: nodes.collect(),
        overlays: overlays.collect(),
        platforms,
    })
}

/// Returns the platforms that packs are for.
fn known_platforms(db: &dyn Db, project: Project) -> Vec<&Name> {
    let packs = pack::packs(db, project).iter();
    packs.filter_map(|it| it.platform.as_ref()).collect()
}

/// Adds to `found` those of the platforms `known` whose names stand in `value`, whatever they mean there.
fn add_named(value: &Value, known: &[&Name], found: &mut BTreeSet<Name>) {
    match value {
        Value::String(text) if known.contains(&text) => _ = found.insert(text.clone()),
        Value::List(items) => items.iter().for_each(|it| add_named(it, known, found)),
        Value::Map(map) => map.iter().for_each(|it| add_named(&it.1, known, found)),
        _ => {}
    }
}

/// Returns the platforms that the spec names anywhere: all on which a node that it declares may be, and maybe more.
#[salsa::tracked(returns(ref))]
pub fn platforms(db: &dyn Db, project: Project) -> BTreeSet<Name> {
    index(db, project).platforms.clone()
}

/// Returns the names of all files.
#[salsa::tracked(returns(ref))]
pub fn index(db: &dyn Db, project: Project) -> Index {
    if let Some(known) = KnownNames::try_get(db) {
        return known.index(db).clone();
    }
    let files = || spec_files(db, project);
    let mut found: Vec<(Address, Slot)> = Vec::new();
    for file in files() {
        let nodes = outline(db, file).nodes.iter().enumerate();
        found.extend(nodes.map(|(nth, (address, _))| (address.clone(), Slot { file, nth })));
    }
    // A stable sort: of two declarations the one of the first file counts, and within a file the first.
    found.sort_by(|a, b| a.0.cmp(&b.0));
    let mut result = Index::default();
    for (address, slot) in found {
        if result.addresses.last() == Some(&address) {
            let first = result.slots[result.slots.len() - 1];
            result.duplicates.push((address, first, slot));
            continue;
        }
        result.addresses.push(address);
        result.slots.push(slot);
    }
    let environments = environments(db, project);
    let mut differences: BTreeMap<&Name, Difference> = environments
        .iter()
        .map(|it| (&it.name, Difference::default()))
        .collect();
    let mut removed: BTreeMap<&Name, BTreeSet<Address>> = BTreeMap::new();
    let mut unknown = Vec::new();
    for file in files() {
        let outline = outline(db, file);
        let root_overlays = outline.overlays.iter().flat_map(|(name, nodes)| {
            nodes
                .iter()
                .map(move |(address, touch)| (name, address, *touch, Some(file)))
        });
        let own_overlays = outline
            .nodes
            .iter()
            .flat_map(|(address, overlays)| overlays.iter().map(move |(name, touch)| (name, address, *touch, None)));
        unknown.extend(outline.overlays.iter().map(|it| (file, &it.0)));
        for (name, address, touch, holder) in root_overlays.chain(own_overlays) {
            unknown.push((file, name));
            let Some((name, _)) = differences.get_key_value(name) else {
                continue;
            };
            let name: &Name = name;
            let Some(difference) = differences.get_mut(name) else {
                continue;
            };
            difference.touched.insert(address.clone());
            if let Some(file) = holder.filter(|it| difference.files.last() != Some(it)) {
                difference.files.push(file);
            }
            // Later layers win: a node that one removes and a later one speaks of is there again.
            let gone = removed.entry(name).or_default();
            match touch {
                Touch::Removes => gone.insert(address.clone()),
                Touch::Changes => gone.remove(address),
            };
        }
    }
    result.platforms = files()
        .flat_map(|it| outline(db, it).platforms.iter().cloned())
        .collect();
    let known = known_platforms(db, project);
    for (only, address, saying) in &overrides(db, project).layers {
        let fields = saying.iter().flat_map(Map::iter);
        fields.for_each(|it| add_named(&it.1, &known, &mut result.platforms));
        // What is set everywhere is in the base too, unless it takes a node away.
        let named = differences.iter_mut().filter(|it| match only {
            Some(name) => *it.0 == name,
            None => saying.is_none(),
        });
        for (name, difference) in named {
            difference.touched.insert(address.clone());
            let gone = removed.entry(name).or_default();
            match saying {
                Some(_) => gone.remove(address),
                None => gone.insert(address.clone()),
            };
        }
    }
    unknown.retain(|(_, name)| !differences.contains_key(name));
    result.unknown_environments = unknown.into_iter().map(|(file, name)| (file, name.clone())).collect();
    result.unknown_environments.dedup();
    for (name, mut difference) in differences {
        let gone = removed.remove(name).unwrap_or_default();
        let is_new = |it: &&Address| !gone.contains(*it) && result.addresses.binary_search(it).is_err();
        difference.added = difference.touched.iter().filter(is_new).cloned().collect();
        let is_unknown = |it: &&Address| result.addresses.binary_search(it).is_err();
        difference.pointless = gone.iter().filter(is_unknown).cloned().collect();
        if !gone.is_empty() || !difference.added.is_empty() {
            let kept = result.addresses.iter().filter(|it| !gone.contains(*it));
            let mut all: Vec<Address> = kept.chain(&difference.added).cloned().collect();
            all.sort();
            difference.addresses = Some(all);
        }
        result.differences.push(difference);
    }
    result
}

impl Index {
    /// Returns the nodes of an environment, or of the base.
    #[must_use]
    pub fn addresses(&self, environment: Option<u16>) -> &[Address] {
        let difference = environment.and_then(|it| self.differences.get(usize::from(it)));
        match difference.and_then(|it| it.addresses.as_ref()) {
            Some(addresses) => addresses,
            None => &self.addresses,
        }
    }

    /// Tells whether a node is there in an environment, or in the base.
    #[must_use]
    pub fn has(&self, environment: Option<u16>, address: &Address) -> bool {
        self.addresses(environment).binary_search(address).is_ok()
    }

    /// Tells whether a node is there in the base or any environment.
    #[must_use]
    pub fn has_anywhere(&self, address: &Address) -> bool {
        self.has(None, address) || self.differences.iter().any(|it| it.added.contains(address))
    }

    /// Returns the names of the nodes of `kind` in an environment, or in the base.
    pub fn names(&self, environment: Option<u16>, kind: &str) -> impl Iterator<Item = &Name> {
        let all = self.addresses(environment);
        let start = all.partition_point(|it| &*it.kind < kind);
        all[start..]
            .iter()
            .take_while(move |it| &*it.kind == kind)
            .map(|it| &it.name)
    }

    /// Tells whether an overlay of the environment speaks of the node.
    #[must_use]
    pub fn touches(&self, environment: u16, address: &Address) -> bool {
        self.difference(environment)
            .is_some_and(|it| it.touched.contains(address))
    }

    /// Tells whether the environment has other nodes than the base.
    #[must_use]
    pub fn renames(&self, environment: u16) -> bool {
        self.difference(environment).is_some_and(|it| it.addresses.is_some())
    }

    /// Tells whether the environment is the base: no overlay says anything.
    #[must_use]
    pub fn is_base(&self, environment: u16) -> bool {
        self.difference(environment)
            .is_none_or(|it| it.touched.is_empty() && it.addresses.is_none())
    }

    pub(super) fn difference(&self, environment: u16) -> Option<&Difference> {
        self.differences.get(usize::from(environment))
    }

    pub(super) fn slot(&self, address: &Address) -> Option<Slot> {
        let at = self.addresses.binary_search(address).ok()?;
        Some(self.slots[at])
    }
}
