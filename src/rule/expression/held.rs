//! Where a value is while an expression runs: stored with a node, a rule or a variable, or made on the way.
//!
//! Most of what an expression reads it only looks at; what is stored is shared once it is kept, and not before.

use std::borrow::Cow;

use super::seen::Seen;
use crate::db::View;
use crate::value::{Address, Name, Value};

/// A value, and from where its nodes are seen.
#[derive(Clone)]
pub(super) enum Held<'a> {
    /// It is stored.
    Stored(View, &'a Value),
    /// A node that a variable is bound to.
    Node(View, &'a Address),
    /// An expression made it.
    Made(Seen),
}

impl<'a> Held<'a> {
    /// Returns the value to be kept.
    pub(super) fn seen(self) -> Seen {
        match self {
            Self::Stored(view, value) => Seen::Plain(view, value.clone()),
            Self::Node(view, node) => Seen::Plain(view, Value::Node(node.clone())),
            Self::Made(seen) => seen,
        }
    }

    /// Returns the stored value, without looking into what an expression made.
    pub(super) fn plain(&self) -> Option<&Value> {
        match self {
            Self::Stored(_, value) => Some(value),
            Self::Node(..) => None,
            Self::Made(seen) => seen.plain(),
        }
    }

    /// Returns the value as it is stored and printed.
    pub(super) fn value(&self) -> Cow<'_, Value> {
        match self {
            Self::Stored(_, value) => Cow::Borrowed(value),
            Self::Made(Seen::Plain(_, value)) => Cow::Borrowed(value),
            Self::Node(_, node) => Cow::Owned(Value::Node((*node).clone())),
            Self::Made(seen) => Cow::Owned(seen.value()),
        }
    }

    /// Returns from where the nodes of a value are seen, if it is a node.
    pub(super) fn seen_from(&self) -> Option<View> {
        match self {
            Self::Node(view, _)
            | Self::Stored(view, Value::Node(_))
            | Self::Made(Seen::Plain(view, Value::Node(_))) => Some(*view),
            _ => None,
        }
    }

    /// Returns the items of a list, if it is one.
    pub(super) fn items(&self) -> Option<Vec<Self>> {
        match self {
            Self::Stored(view, Value::List(items)) => Some(items.iter().map(|it| Self::Stored(*view, it)).collect()),
            Self::Made(seen) => Some(seen.items()?.into_iter().map(Self::Made).collect()),
            _ => None,
        }
    }

    /// Tells whether this is a list.
    pub(super) fn has_items(&self) -> bool {
        match self {
            Self::Made(Seen::List(..)) => true,
            _ => matches!(self.plain(), Some(Value::List(_))),
        }
    }

    /// Returns the item of a list at `position`.
    pub(super) fn item(&self, position: usize) -> Option<Self> {
        match self {
            Self::Stored(view, Value::List(items)) => items.get(position).map(|it| Self::Stored(*view, it)),
            Self::Made(Seen::Plain(view, Value::List(items))) => {
                let item = items.get(position)?.clone();
                Some(Self::Made(Seen::Plain(*view, item)))
            }
            Self::Made(Seen::List(items, _)) => items.get(position).cloned().map(Self::Made),
            _ => None,
        }
    }

    /// Returns the entries of a map in the order of their keys, if it is one.
    pub(super) fn entries(&self) -> Option<Vec<(Name, Self)>> {
        match self {
            Self::Stored(view, Value::Map(map)) => {
                let entries = map.iter().map(|(key, it)| (key.clone(), Self::Stored(*view, it)));
                Some(entries.collect())
            }
            Self::Made(seen) => Some(
                seen.entries()?
                    .into_iter()
                    .map(|(key, it)| (key, Self::Made(it)))
                    .collect(),
            ),
            _ => None,
        }
    }

    /// Returns the number of entries or items, if it has any.
    pub(super) fn len(&self) -> Option<usize> {
        match self {
            Self::Stored(_, Value::List(items)) => Some(items.len()),
            Self::Stored(_, Value::Map(map)) => Some(map.len()),
            Self::Made(seen) => seen.len(),
            _ => None,
        }
    }

    /// Tells whether there is nothing to walk: nothing at all, an empty list, an empty map.
    pub(super) fn holds_nothing(&self) -> bool {
        matches!(self.plain(), Some(Value::Null))
            || self.len() == Some(0)
            || matches!(self, Self::Made(Seen::Optional(None)))
    }

    /// Returns how many values it is when it is written out.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Stored(_, Value::List(items)) => items.len() + 1,
            Self::Stored(_, Value::Map(map)) => map.len() + 1,
            Self::Made(seen) => seen.weight(),
            _ => 1,
        }
    }

    /// Names its type for people.
    pub(super) fn noun(&self) -> &'static str {
        match self {
            Self::Stored(_, value) => value.noun(),
            Self::Node(..) => "a node",
            Self::Made(seen) => seen.noun(),
        }
    }
}
