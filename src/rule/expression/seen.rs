//! Values while an expression runs: stored ones as they are, and what an expression makes of them.
//!
//! A stored value is never copied: it is shared. It remembers from where it is seen, so that a node in it can be
//! asked for its fields in the right environment.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::db::View;
use crate::value::{Address, Map, Name, Value};

/// A variable of an expression: what a pattern bound, or what a rule computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bound {
    /// A node, asked when it is read.
    Node(Address),
    /// A node as another environment or phase has it.
    Elsewhere(View, Address),
    /// An edge.
    Edge(Arc<BoundEdge>),
    /// A value; nodes in it are asked when they are read.
    Value(Value),
    /// Several of them, in order.
    List(Arc<[Bound]>),
    /// Several of them, by name.
    Record(Arc<BTreeMap<Name, Bound>>),
}

/// What the variables of an expression are, by name. They are few.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables(Vec<(Name, Bound)>);

impl Variables {
    /// Returns what the variable `name` is.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Bound> {
        self.0.iter().find(|it| *it.0 == *name).map(|it| &it.1)
    }

    /// Binds the variable `name`, in place of what it was.
    pub fn insert(&mut self, name: Name, bound: Bound) {
        match self.0.iter_mut().find(|it| it.0 == name) {
            Some(known) => known.1 = bound,
            None => self.0.push((name, bound)),
        }
    }

    /// Unbinds the variable `name`.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|it| *it.0 != *name);
    }
}

impl FromIterator<(Name, Bound)> for Variables {
    fn from_iter<T: IntoIterator<Item = (Name, Bound)>>(variables: T) -> Self {
        let mut all = Self::default();
        for (name, bound) in variables {
            all.insert(name, bound);
        }
        all
    }
}

impl<const N: usize> From<[(Name, Bound); N]> for Variables {
    fn from(variables: [(Name, Bound); N]) -> Self {
        variables.into_iter().collect()
    }
}

/// An edge that a pattern bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundEdge {
    /// Its kind.
    pub kind: Name,
    /// Where it starts.
    pub from: Address,
    /// Where it ends.
    pub to: Address,
    /// Its fields.
    pub fields: Map,
}

/// A value while an expression runs.
#[derive(Clone, Debug)]
pub(crate) enum Seen {
    /// A stored value, and from where its nodes are seen.
    Plain(View, Value),
    /// A list that an expression made, and its weight.
    List(Arc<[Seen]>, usize),
    /// A map that an expression made, and its weight.
    Record(Arc<BTreeMap<Name, Seen>>, usize),
    /// An edge.
    Edge(View, Arc<BoundEdge>),
    /// What `.?` gives: a value, or none.
    Optional(Option<Arc<Seen>>),
}

impl Seen {
    /// Returns `bound` as seen from `view`.
    pub(crate) fn bound(view: View, bound: &Bound) -> Self {
        match bound {
            Bound::Node(address) => Self::Plain(view, Value::Node(address.clone())),
            Bound::Elsewhere(view, address) => Self::Plain(*view, Value::Node(address.clone())),
            Bound::Edge(edge) => Self::Edge(view, edge.clone()),
            Bound::Value(value) => Self::Plain(view, value.clone()),
            Bound::List(items) => Self::list(items.iter().map(|it| Self::bound(view, it)).collect()),
            Bound::Record(fields) => {
                let fields = fields.iter().map(|(name, it)| (name.clone(), Self::bound(view, it)));
                Self::record(fields)
            }
        }
    }

    /// Returns what a variable is bound to that holds this, for who looks from `own`.
    pub(crate) fn to_bound(&self, own: View) -> Bound {
        match self {
            Self::Plain(view, value) if *view == own => Bound::Value(value.clone()),
            Self::Plain(view, Value::Node(node)) => Bound::Elsewhere(*view, node.clone()),
            Self::Plain(view, Value::List(items)) => {
                let items = items.iter().map(|it| Self::Plain(*view, it.clone()).to_bound(own));
                Bound::List(items.collect())
            }
            Self::Plain(view, Value::Map(fields)) => {
                let fields = fields
                    .iter()
                    .map(|(name, it)| (name.clone(), Self::Plain(*view, it.clone()).to_bound(own)));
                Bound::Record(Arc::new(fields.collect()))
            }
            Self::Plain(_, value) => Bound::Value(value.clone()),
            Self::List(items, _) => Bound::List(items.iter().map(|it| it.to_bound(own)).collect()),
            Self::Record(fields, _) => {
                let fields = fields.iter().map(|(name, it)| (name.clone(), it.to_bound(own)));
                Bound::Record(Arc::new(fields.collect()))
            }
            Self::Edge(_, edge) => Bound::Edge(edge.clone()),
            Self::Optional(inner) => inner.as_ref().map_or(Bound::Value(Value::Null), |it| it.to_bound(own)),
        }
    }

    /// Returns a value that holds no node.
    pub(crate) fn of(value: impl Into<Value>) -> Self {
        Self::Plain(View::finished(0), value.into())
    }

    /// Returns the list of `items`.
    pub(crate) fn list(items: Vec<Self>) -> Self {
        let weight = items.iter().fold(1, |all: usize, it| all.saturating_add(it.weight()));
        Self::List(items.into(), weight)
    }

    /// Returns the map of `fields`.
    pub(crate) fn record(fields: impl IntoIterator<Item = (Name, Self)>) -> Self {
        let fields: BTreeMap<Name, Self> = fields.into_iter().collect();
        let weight = fields
            .values()
            .fold(1, |all: usize, it| all.saturating_add(it.weight()));
        Self::Record(Arc::new(fields), weight)
    }

    /// Returns the optional that holds `inner`.
    pub(crate) fn optional(inner: Option<Self>) -> Self {
        Self::Optional(inner.map(Arc::new))
    }

    /// Returns the stored value, without looking into what an expression made.
    pub(crate) fn plain(&self) -> Option<&Value> {
        match self {
            Self::Plain(_, value) => Some(value),
            _ => None,
        }
    }

    /// Returns the value as it is stored and printed.
    pub(crate) fn value(&self) -> Value {
        match self {
            Self::Plain(_, value) => value.clone(),
            Self::List(items, _) => Value::List(items.iter().map(Self::value).collect()),
            Self::Record(fields, _) => fields.iter().map(|(name, it)| (name.clone(), it.value())).collect(),
            Self::Edge(_, edge) => edge
                .fields
                .iter()
                .cloned()
                .chain([
                    (Name::from("from"), Value::Node(edge.from.clone())),
                    (Name::from("kind"), Value::String(edge.kind.clone())),
                    (Name::from("to"), Value::Node(edge.to.clone())),
                ])
                .collect(),
            Self::Optional(inner) => inner.as_ref().map_or(Value::Null, |it| it.value()),
        }
    }

    /// Returns the items of a list, if it is one.
    pub(crate) fn items(&self) -> Option<Vec<Self>> {
        match self {
            Self::Plain(view, Value::List(items)) => {
                Some(items.iter().map(|it| Self::Plain(*view, it.clone())).collect())
            }
            Self::List(items, _) => Some(items.to_vec()),
            _ => None,
        }
    }

    /// Returns the entries of a map in the order of their keys, if it is one.
    pub(crate) fn entries(&self) -> Option<Vec<(Name, Self)>> {
        match self {
            Self::Plain(view, Value::Map(map)) => Some(
                map.iter()
                    .map(|(key, it)| (key.clone(), Self::Plain(*view, it.clone())))
                    .collect(),
            ),
            Self::Record(fields, _) => Some(fields.iter().map(|(key, it)| (key.clone(), it.clone())).collect()),
            _ => None,
        }
    }

    /// Returns the number of entries or items, if it has any.
    pub(crate) fn len(&self) -> Option<usize> {
        match self {
            Self::Plain(_, Value::List(items)) => Some(items.len()),
            Self::Plain(_, Value::Map(map)) => Some(map.len()),
            Self::List(items, _) => Some(items.len()),
            Self::Record(fields, _) => Some(fields.len()),
            _ => None,
        }
    }

    /// Returns how many values it is when it is written out. A list that holds another twice is shared in memory, but
    /// whoever walks it meets both: weights must be bounded, else few signs make a list that nobody can print.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::Plain(_, Value::List(items)) => items.len() + 1,
            Self::Plain(_, Value::Map(map)) => map.len() + 1,
            Self::List(_, weight) | Self::Record(_, weight) => *weight,
            Self::Optional(Some(inner)) => inner.weight(),
            _ => 1,
        }
    }

    /// Names its type for people.
    pub(crate) fn noun(&self) -> &'static str {
        match self {
            Self::Plain(_, value) => value.noun(),
            Self::List(..) => "a list",
            Self::Record(..) => "a map",
            Self::Edge(..) => "an edge",
            Self::Optional(_) => "an optional value",
        }
    }
}

/// Tells whether two values are equal, a whole number and a double of one size being so.
pub(crate) fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Int(_) | Value::Double(_), Value::Int(_) | Value::Double(_)) => order(a, b) == Ordering::Equal,
        (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| equal(a, b)),
        (Value::Map(a), Value::Map(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a.0 == b.0 && equal(&a.1, &b.1))
        }
        _ => a == b,
    }
}

/// Returns which of two values comes first: numbers by size, strings by code points, lists item by item.
pub(crate) fn order(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Int(a), Value::Double(b)) => int_and_double(*a, b.0),
        (Value::Double(a), Value::Int(b)) => int_and_double(*b, a.0).reverse(),
        (Value::Double(a), Value::Double(b)) => a.0.partial_cmp(&b.0).unwrap_or(Ordering::Equal),
        (Value::List(a), Value::List(b)) => {
            let differing = a.iter().zip(b.iter()).map(|(a, b)| order(a, b));
            differing
                .into_iter()
                .find(|it| *it != Ordering::Equal)
                .unwrap_or_else(|| a.len().cmp(&b.len()))
        }
        _ => a.cmp(b),
    }
}

/// Compares exactly, though not every whole number is a double.
fn int_and_double(int: i64, double: f64) -> Ordering {
    if double >= 9_223_372_036_854_775_808.0 {
        return Ordering::Less;
    }
    if double < -9_223_372_036_854_775_808.0 {
        return Ordering::Greater;
    }
    #[expect(clippy::cast_possible_truncation, reason = "the range was checked above")]
    let whole = double.trunc() as i64;
    int.cmp(&whole)
        .then_with(|| 0.0_f64.partial_cmp(&double.fract()).unwrap_or(Ordering::Equal))
}
