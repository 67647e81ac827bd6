//! Values: what a field of a node, a fact or a context holds.
//!
//! Maps are sorted by key, so that two specs that say the same in another order are equal. A text that
//! mentions other nodes stays in pieces until an artifact prints it. No value knows where it was written.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

use rustc_hash::FxHasher;
use serde::{Deserialize, Serialize};

/// A short string that is shared rather than copied: a name, a key, a path.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Name(Arc<str>);

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// By code points. The same allocation is known to be equal without a look at it.
impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        if Arc::ptr_eq(&self.0, &other.0) {
            return Ordering::Equal;
        }
        self.0.cmp(&other.0)
    }
}

impl Name {
    /// Returns the string itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for Name {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for Name {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl Serialize for Name {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <std::borrow::Cow<'de, str>>::deserialize(deserializer).map(|it| Self::from(&*it))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

/// The identity of a node: its kind and its name, printed `service.orders`. It is shared rather than copied.
#[derive(Clone)]
pub struct Address(Arc<Identity>);

/// What an [`Address`] holds.
pub struct Identity {
    /// The kind of the node.
    pub kind: Name,
    /// Its name, unique within the kind.
    pub name: Name,
    /// Of both: an address is looked up far more often than it is made.
    hash: u64,
}

impl Address {
    /// Returns the address of the `kind` named `name`.
    pub fn new(kind: impl Into<Name>, name: impl Into<Name>) -> Self {
        let (kind, name) = (kind.into(), name.into());
        let mut hasher = FxHasher::default();
        (&kind, &name).hash(&mut hasher);
        let hash = hasher.finish();
        Self(Arc::new(Identity { kind, name, hash }))
    }
}

impl Serialize for Address {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&self.kind, &self.name).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <(Name, Name)>::deserialize(deserializer).map(|(kind, name)| Self::new(kind, name))
    }
}

impl PartialEq for Address {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || (self.0.hash == other.0.hash && self.0.name == other.0.name && self.0.kind == other.0.kind)
    }
}

impl Eq for Address {}

impl Hash for Address {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash.hash(state);
    }
}

impl Deref for Address {
    type Target = Identity;
    fn deref(&self) -> &Identity {
        &self.0
    }
}

impl PartialOrd for Address {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// By kind, then by name. The same allocation is known to be equal without a look at it.
impl Ord for Address {
    fn cmp(&self, other: &Self) -> Ordering {
        if Arc::ptr_eq(&self.0, &other.0) {
            return Ordering::Equal;
        }
        (&self.0.kind, &self.0.name).cmp(&(&other.0.kind, &other.0.name))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.contains(['.', '"', ' ']) {
            write!(f, "{}[{:?}]", self.kind, &*self.name)
        } else {
            write!(f, "{}.{}", self.kind, self.name)
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The way to a field through maps, from the node inwards: `deployment.ports.http`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Path(pub Vec<Name>);

impl Path {
    /// Returns the path that `text` writes with dots.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self(text.split('.').filter(|it| !it.is_empty()).map(Name::from).collect())
    }

    /// Returns this path with one more step.
    #[must_use]
    pub fn join(&self, step: impl Into<Name>) -> Self {
        let mut steps = self.0.clone();
        steps.push(step.into());
        Self(steps)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(".")?;
            }
            f.write_str(step)?;
        }
        Ok(())
    }
}

/// A finite double with a total order.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Double(pub f64);

impl PartialEq for Double {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Double {}

impl PartialOrd for Double {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Double {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl Hash for Double {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

/// A mention of another node's attribute within a text: `${service.auth.address}`, `${?…}` where it may be missing.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reference {
    /// The node that is mentioned.
    pub node: Address,
    /// What of it is wanted.
    pub attribute: Name,
    /// Whether the start may go on without it.
    pub required: bool,
    /// The manner in which it is written, where a rule has asked for one.
    pub manner: Option<Name>,
}

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Segment {
    /// Characters that mean themselves: escaped wherever they are printed.
    Literal(Name),
    /// Another node's attribute, not yet written out.
    Reference(Arc<Reference>),
    /// Source text of a language, made by a rule: printed as it is where that language runs.
    Code {
        /// The language by its grammar, such as `go-template`.
        language: Name,
        /// The source text.
        source: Name,
    },
}

/// A text in pieces. Neighbouring literals are always joined, so equal texts compare equal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Text(Arc<[Segment]>);

impl Text {
    /// Returns the text of `segments`, with empty literals dropped and neighbouring ones joined.
    pub fn new(segments: impl IntoIterator<Item = Segment>) -> Self {
        let mut joined: Vec<Segment> = Vec::new();
        for segment in segments {
            match (joined.last_mut(), segment) {
                (_, Segment::Literal(text)) if text.is_empty() => {}
                (Some(Segment::Literal(before)), Segment::Literal(text)) => {
                    *before = Name::from(format!("{before}{text}"));
                }
                (_, segment) => joined.push(segment),
            }
        }
        Self(joined.into())
    }

    /// Returns the pieces.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// Returns the characters, if they all mean themselves.
    #[must_use]
    pub fn as_plain(&self) -> Option<&str> {
        match &*self.0 {
            [] => Some(""),
            [Segment::Literal(text)] => Some(text),
            _ => None,
        }
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::new([Segment::Literal(text.into())])
    }
}

/// What a field holds. A string without references and code is always a [`Value::String`], never a [`Value::Text`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Value {
    /// Nothing.
    #[default]
    Null,
    /// A truth.
    Bool(bool),
    /// A whole number. CPU is in millicores, memory in bytes, a duration in milliseconds.
    Int(i64),
    /// A finite number.
    Double(Double),
    /// Characters that mean themselves.
    String(Name),
    /// A text with references or code in it.
    Text(Text),
    /// Values in an order that matters.
    List(Arc<[Value]>),
    /// Values by name.
    Map(Map),
    /// A node, by its address.
    Node(Address),
}

impl Value {
    /// Returns the string `text`.
    pub fn string(text: impl Into<Name>) -> Self {
        Self::String(text.into())
    }

    /// Returns `text` as a value, plain where it can be.
    #[must_use]
    pub fn text(text: Text) -> Self {
        match text.as_plain() {
            Some(plain) => Self::string(plain),
            None => Self::Text(text),
        }
    }

    /// Returns a list of `items`.
    pub fn list(items: impl IntoIterator<Item = Self>) -> Self {
        Self::List(items.into_iter().collect())
    }

    /// Returns the characters of a plain string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the pieces of a string, plain or not.
    #[must_use]
    pub fn as_text(&self) -> Option<Text> {
        match self {
            Self::String(text) => Some(Text::new([Segment::Literal(text.clone())])),
            Self::Text(text) => Some(text.clone()),
            _ => None,
        }
    }

    /// Returns the map.
    #[must_use]
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// Returns the items of a list.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// Returns the value under `key`, if this is a map that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_map()?.get(key)
    }

    /// Returns the value at the end of `path`.
    #[must_use]
    pub fn at(&self, path: &[Name]) -> Option<&Value> {
        path.iter().try_fold(self, |value, step| value.get(step))
    }

    /// Names the type of this value for people, as in "expected a number, found a list".
    #[must_use]
    pub fn noun(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a boolean",
            Self::Int(_) => "a whole number",
            Self::Double(_) => "a number",
            Self::String(_) | Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
            Self::Node(_) => "a node",
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::string(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl FromIterator<(Name, Value)> for Value {
    fn from_iter<T: IntoIterator<Item = (Name, Value)>>(entries: T) -> Self {
        Self::Map(entries.into_iter().collect())
    }
}

/// Values by name, sorted by name; cheap to clone.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Map(Arc<[(Name, Value)]>);

/// In how many entries a key is quicker found one after the other.
const FEW: usize = 24;

impl Map {
    /// Returns the value under `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        // Most keys differ in their length already, which stands beside the pointer.
        if self.0.len() <= FEW {
            return self.0.iter().find(|(it, _)| **it == *key).map(|it| &it.1);
        }
        let at = self.0.binary_search_by(|(it, _)| (**it).cmp(key)).ok()?;
        Some(&self.0[at].1)
    }

    /// Returns the value at the end of `path`.
    #[must_use]
    pub fn at(&self, path: &[Name]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        self.get(first)?.at(rest)
    }

    /// Returns the entries in the order of their keys.
    pub fn iter(&self) -> std::slice::Iter<'_, (Name, Value)> {
        self.0.iter()
    }

    /// Returns the number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Tells whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns this map with `value` under `key`, in place of what was there.
    #[must_use]
    pub fn with(&self, key: impl Into<Name>, value: Value) -> Self {
        self.iter().cloned().chain([(key.into(), value)]).collect()
    }
}

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.0.iter().map(|(key, value)| (key, value)))
            .finish()
    }
}

impl<'a> IntoIterator for &'a Map {
    type Item = &'a (Name, Value);
    type IntoIter = std::slice::Iter<'a, (Name, Value)>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Of two values with one key the later one stays.
impl FromIterator<(Name, Value)> for Map {
    fn from_iter<T: IntoIterator<Item = (Name, Value)>>(entries: T) -> Self {
        let mut entries: Vec<(Name, Value)> = entries.into_iter().collect();
        if entries.is_sorted_by(|a, b| a.0 < b.0) {
            return Self(entries.into());
        }
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        let mut unique: Vec<(Name, Value)> = Vec::with_capacity(entries.len());
        for entry in entries {
            match unique.last_mut() {
                Some(last) if last.0 == entry.0 => *last = entry,
                _ => unique.push(entry),
            }
        }
        Self(unique.into())
    }
}
