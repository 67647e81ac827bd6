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
    let mut result = declared(db, project);
    let environments = environments(db, project).iter();
    let mut layers: Layers<'_> = environments.map(|it| (&it.name, Layered::default())).collect();
    result.unknown_environments = lay_overlays(db, project, &mut layers);
    let named = spec_files(db, project).flat_map(|it| outline(db, it).platforms.iter().cloned());
    result.platforms = named.collect();
    lay_overrides(db, project, &mut layers, &mut result.platforms);
    for layered in layers.into_values() {
        result.differences.push(layered.difference(&result.addresses));
    }
    result
}

/// Returns the nodes that the files declare.
fn declared(db: &dyn Db, project: Project) -> Index {
    let mut found: Vec<(Address, Slot)> = Vec::new();
    for file in spec_files(db, project) {
        let nodes = outline(db, file).nodes.iter().enumerate();
        found.extend(nodes.map(|(nth, (address, _))| (address.clone(), Slot { file, nth })));
    }
    // A stable sort: of two declarations the one of the first file counts, and within a file the first.
    found.sort_by(|a, b| a.0.cmp(&b.0));
    let mut index = Index::default();
    for (address, slot) in found {
        if index.addresses.last() == Some(&address) {
            let first = index.slots[index.slots.len() - 1];
            index.duplicates.push((address, first, slot));
            continue;
        }
        index.addresses.push(address);
        index.slots.push(slot);
    }
    index
}

/// What overlays say of each environment, by its name.
type Layers<'e> = BTreeMap<&'e Name, Layered>;

/// What the overlays of an environment say, as far as they are laid.
#[derive(Default)]
struct Layered {
    difference: Difference,
    removed: BTreeSet<Address>,
}

impl Layered {
    /// Lays what one overlay says of `node` over the rest: one that an overlay removes, and a later one speaks of, is
    /// there again.
    fn lay(&mut self, node: &Address, touch: Touch) {
        self.difference.touched.insert(node.clone());
        match touch {
            Touch::Removes => self.removed.insert(node.clone()),
            Touch::Changes => self.removed.remove(node),
        };
    }

    /// Returns how the environment differs from the `declared` nodes, which are sorted.
    fn difference(self, declared: &[Address]) -> Difference {
        let Self {
            mut difference,
            removed,
        } = self;
        let is_new = |it: &&Address| declared.binary_search(it).is_err();
        let touched = difference.touched.iter().filter(|it| !removed.contains(*it));
        difference.added = touched.filter(is_new).cloned().collect();
        difference.pointless = removed.iter().filter(is_new).cloned().collect();
        if !removed.is_empty() || !difference.added.is_empty() {
            let kept = declared.iter().filter(|it| !removed.contains(*it));
            let mut all: Vec<Address> = kept.chain(&difference.added).cloned().collect();
            all.sort();
            difference.addresses = Some(all);
        }
        difference
    }
}

/// Lays the overlays of all files, and returns the environments that they name and that are not declared, with the
/// files that do.
fn lay_overlays(db: &dyn Db, project: Project, layers: &mut Layers<'_>) -> Vec<(SourceFile, Name)> {
    let mut named = Vec::new();
    for file in spec_files(db, project) {
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
        named.extend(outline.overlays.iter().map(|it| (file, &it.0)));
        for (name, address, touch, holder) in root_overlays.chain(own_overlays) {
            named.push((file, name));
            let Some(layered) = layers.get_mut(name) else { continue };
            let files = &mut layered.difference.files;
            files.extend(holder.filter(|it| files.last() != Some(it)));
            layered.lay(address, touch);
        }
    }
    named.retain(|(_, name)| !layers.contains_key(name));
    let mut unknown: Vec<_> = named.into_iter().map(|(file, name)| (file, name.clone())).collect();
    unknown.dedup();
    unknown
}

/// Lays what this run sets apart from the files, and adds the platforms that it names.
fn lay_overrides(db: &dyn Db, project: Project, layers: &mut Layers<'_>, platforms: &mut BTreeSet<Name>) {
    let known = known_platforms(db, project);
    for (only, address, saying) in &overrides(db, project).layers {
        let fields = saying.iter().flat_map(Map::iter);
        fields.for_each(|it| add_named(&it.1, &known, platforms));
        let touch = match saying {
            Some(_) => Touch::Changes,
            None => Touch::Removes,
        };
        // What is set everywhere is in the base too, unless it takes a node away.
        let concerned = layers.iter_mut().filter(|it| match only {
            Some(name) => *it.0 == name,
            None => saying.is_none(),
        });
        concerned.for_each(|it| it.1.lay(address, touch));
    }
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
