//! What was read of nodes, facts and edges, and which of it a value can come from.

use std::collections::BTreeMap;

use crate::db::View;
use crate::problem::{Place, Span};
use crate::rule::expression::BoundEdge;
use crate::value::{Address, Map, Name, Path, Segment, Value};

/// Something that was read, before it is explained.
#[derive(Clone, Debug)]
pub(super) struct Leaf {
    pub(super) read: Read,
    pub(super) value: Value,
    /// The keys and places of collections on the way.
    pub(super) keys: Vec<Name>,
    /// The same for all items of one collection.
    pub(super) group: String,
}

#[derive(Clone, Debug)]
pub(super) enum Read {
    Field(View, Address, Path),
    Fact(View, Address, Name, usize, Path),
    Node(View, Address),
    Edge(View, BoundEdge, Path),
    Environment,
    Data,
}

/// The way through collections.
#[derive(Clone, Debug, Default)]
pub(super) struct Trail {
    pub(super) keys: Vec<Name>,
    pub(super) group: String,
}

impl Trail {
    pub(super) fn item(&self, of: &Path, key: &Name) -> Self {
        let mut keys = self.keys.clone();
        keys.push(key.clone());
        Self {
            keys,
            group: format!("{}{of}[]", self.group),
        }
    }
}

pub(super) fn plain(read: Read, value: Value) -> Leaf {
    Leaf {
        read,
        value,
        keys: Vec::new(),
        group: String::new(),
    }
}

pub(super) fn is_entry(item: &Value) -> bool {
    item.as_map()
        .is_some_and(|it| it.len() == 2 && it.get("key").is_some() && it.get("value").is_some())
}

/// Keeps what was read under `key`, if anything was.
pub(super) fn under(leaves: Vec<Leaf>, key: Option<&Name>) -> Vec<Leaf> {
    let Some(key) = key else { return leaves };
    let is_under = |it: &Leaf| it.keys.contains(key);
    if leaves.iter().any(is_under) {
        leaves.into_iter().filter(is_under).collect()
    } else {
        leaves
    }
}

/// Keeps what `item` holds, if it holds anything of it.
pub(super) fn within(leaves: Vec<Leaf>, item: &Value) -> Vec<Leaf> {
    let mut held = Vec::new();
    scalars(item, &mut |it| held.push(it.clone()));
    let is_within = |it: &Leaf| held.contains(&it.value);
    // One place in a list, where a place is known by holding all of the item.
    let mut places: BTreeMap<&[Name], usize> = BTreeMap::new();
    for leaf in leaves.iter().filter(|it| is_within(it)) {
        *places.entry(leaf.keys.get(..1).unwrap_or_default()).or_default() += 1;
    }
    let most = places.values().max().copied().unwrap_or_default();
    let best: Vec<Vec<Name>> = places
        .iter()
        .filter(|it| *it.1 == most)
        .map(|it| it.0.to_vec())
        .collect();
    if most == 0 {
        return leaves;
    }
    let is_best = |it: &Leaf| is_within(it) && best.iter().any(|keys| it.keys.starts_with(keys));
    leaves.iter().filter(|it| is_best(it)).cloned().collect()
}

/// Returns the leaf that stands for the key itself.
pub(super) fn cut(leaf: Leaf, key: &Name) -> Option<Leaf> {
    let cut = |path: &Path| {
        let at = path.0.iter().position(|it| it == key)?;
        Some(Path(path.0[..=at].to_vec()))
    };
    let read = match &leaf.read {
        Read::Field(view, node, path) => Read::Field(*view, node.clone(), cut(path)?),
        other => other.clone(),
    };
    Some(Leaf {
        read,
        value: Value::String(key.clone()),
        ..leaf
    })
}

/// Of several items of one collection, keeps those that the value can come from.
pub(super) fn narrowed(leaves: Vec<Leaf>, value: &Value, keys: &[Name]) -> Vec<Leaf> {
    let mut groups: BTreeMap<String, Vec<Leaf>> = BTreeMap::new();
    for leaf in leaves {
        groups.entry(leaf.group.clone()).or_default().push(leaf);
    }
    let mut kept = Vec::new();
    for (group, leaves) in groups {
        if group.is_empty() || leaves.len() == 1 {
            kept.extend(leaves);
            continue;
        }
        let choose = |fits: &dyn Fn(&Leaf) -> bool, of: &[Leaf]| -> Option<Vec<Leaf>> {
            let found: Vec<Leaf> = of.iter().filter(|it| fits(it)).cloned().collect();
            (!found.is_empty()).then_some(found)
        };
        let is_equal = |it: &Leaf| it.value == *value;
        let is_keyed = |it: &Leaf| !keys.is_empty() && keys.iter().any(|key| it.keys.contains(key));
        let found = match choose(&is_equal, &leaves) {
            Some(equal) if equal.len() > 1 => choose(&is_keyed, &equal).unwrap_or(equal),
            Some(equal) => equal,
            None => choose(&|it| agrees(&it.value, value), &leaves)
                .or_else(|| choose(&is_keyed, &leaves))
                .unwrap_or(leaves),
        };
        kept.extend(found);
    }
    kept
}

/// So many things that were read are all named where none of them looks like the value.
const FEW: usize = 4;

/// Divides what was read into what the value was made of and what only decided about it. What many things decide, none of
/// which looks like it, is a word of the rule.
pub(super) fn divided(leaves: Vec<Leaf>, value: &Value, keys: &[Name]) -> (Vec<Leaf>, Vec<Leaf>) {
    let last = |leaf: &Leaf| match &leaf.read {
        Read::Field(.., path) | Read::Fact(.., path) | Read::Edge(_, _, path) => path.0.last().cloned(),
        _ => None,
    };
    // What goes by the same name may be written in another unit.
    let is_called = |it: &Leaf| keys.last().is_some_and(|key| last(it).as_ref() == Some(key));
    let is_equal = |it: &Leaf| it.value == *value;
    let is_named = |it: &Leaf| is_equal(it) && is_called(it);
    let is_part = |it: &Leaf| agrees(&it.value, value);
    let ways: [&dyn Fn(&Leaf) -> bool; 4] = [&is_named, &is_equal, &is_part, &is_called];
    for fits in ways {
        if leaves.iter().any(fits) {
            return leaves.into_iter().partition(fits);
        }
    }
    match leaves.len() <= FEW {
        true => (leaves, Vec::new()),
        false => (Vec::new(), leaves),
    }
}

/// Tells whether `part` may be a part of what was printed.
pub(super) fn agrees(part: &Value, whole: &Value) -> bool {
    if part == whole {
        return true;
    }
    match (shown(part), shown(whole)) {
        (Some(part), Some(whole)) => part.len() > 1 && whole.contains(&part),
        _ => false,
    }
}

/// Tells whether `item` is what a template gets of `stored`: its references are written out, and what nobody reads of a
/// map is left out.
pub(super) fn is_printed(item: &Value, stored: &Value) -> bool {
    match (item, stored) {
        (Value::Map(item), Value::Map(stored)) => is_printed_map(item, stored),
        (Value::List(items), Value::List(stored)) => {
            items.len() == stored.len() && items.iter().zip(stored.iter()).all(|(item, it)| is_printed(item, it))
        }
        (Value::String(_) | Value::Text(_), Value::Text(_)) => true,
        _ => item == stored,
    }
}

/// Tells the same of maps.
pub(super) fn is_printed_map(item: &Map, stored: &Map) -> bool {
    let mut members = item.iter();
    members.all(|(name, it)| stored.get(name).is_some_and(|stored| is_printed(it, stored)))
}

/// Returns the characters of a scalar.
pub(super) fn shown(value: &Value) -> Option<String> {
    match value {
        Value::Bool(it) => Some(it.to_string()),
        Value::Int(it) => Some(it.to_string()),
        Value::Double(it) => Some(it.0.to_string()),
        Value::String(it) => Some(it.to_string()),
        Value::Text(text) => Some(
            text.segments()
                .iter()
                .map(|it| match it {
                    Segment::Literal(text) => text.to_string(),
                    Segment::Reference(it) => format!("${{{}.{}}}", it.node, it.attribute),
                    Segment::Code { source, .. } => source.to_string(),
                })
                .collect(),
        ),
        Value::Node(it) => Some(it.to_string()),
        Value::Null | Value::List(_) | Value::Map(_) => None,
    }
}

pub(super) fn scalars(value: &Value, each: &mut dyn FnMut(&Value)) {
    match value {
        Value::List(items) => items.iter().for_each(|it| scalars(it, each)),
        Value::Map(map) => map.iter().for_each(|it| scalars(&it.1, each)),
        other => each(other),
    }
}

/// Returns the field that mentions `node`.
pub(super) fn mention(fields: &Map, node: &Address, at: &Path) -> Option<Path> {
    fields.iter().find_map(|(name, value)| {
        let path = at.join(name.clone());
        match value {
            Value::Text(text) => {
                let is_mentioned = text
                    .segments()
                    .iter()
                    .any(|it| matches!(it, Segment::Reference(it) if it.node == *node));
                is_mentioned.then_some(path)
            }
            Value::Map(map) => mention(map, node, &path),
            Value::List(items) => items.iter().enumerate().find_map(|(nth, item)| {
                let inner: Map = [(Name::from(nth.to_string()), item.clone())].into_iter().collect();
                mention(&inner, node, &path)
            }),
            _ => None,
        }
    })
}

/// Returns the file and range of a place in a text.
pub(super) fn text_place(place: &Place) -> Option<(Name, Span)> {
    match place {
        Place::Text(file, span) => Some((file.clone(), *span)),
        _ => None,
    }
}

/// Returns what a list or a map holds, each by its place or its key.
pub(super) fn children(value: &Value) -> impl Iterator<Item = (Name, &Value)> {
    let items = value.as_list().unwrap_or_default().iter().enumerate();
    let items = items.map(|(nth, it)| (Name::from(nth.to_string()), it));
    let entries = value.as_map().into_iter().flatten();
    items.chain(entries.map(|(key, it)| (key.clone(), it)))
}

/// Tells whether something stands at `path` of `fields`: what stands in a list belongs to the list.
pub(super) fn stands_at(fields: &Map, path: &[Name]) -> bool {
    (1..=path.len()).any(|n| match fields.at(&path[..n]) {
        Some(Value::List(_)) => true,
        Some(_) => n == path.len(),
        None => false,
    })
}
