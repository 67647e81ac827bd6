//! Fields of a spec by their paths, in the order in which they were found, and how YAML writes them. What they mean is not known here.

use std::ops::Deref;

use super::print::scalar;

/// Fields within a map, each with a value as YAML writes it, or a map in its turn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tree(Vec<(String, Node)>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    Leaf(String),
    Map(Tree),
}

impl Tree {
    /// Says `written` at `path`, in the place of what stands there.
    pub(super) fn put<S: Deref<Target = str>>(&mut self, path: &[S], written: impl Into<String>) {
        let [first, rest @ ..] = path else { return };
        let at = self.0.iter().position(|it| it.0 == **first).unwrap_or_else(|| {
            self.0.push((first.to_string(), Node::Map(Self::default())));
            self.0.len() - 1
        });
        let node = &mut self.0[at].1;
        if rest.is_empty() {
            *node = Node::Leaf(written.into());
            return;
        }
        if let Node::Leaf(_) = node {
            *node = Node::Map(Self::default());
        }
        if let Node::Map(below) = node {
            below.put(rest, written);
        }
    }

    /// Tells whether something is said at `path`, above it or below it.
    pub(super) fn has<S: Deref<Target = str>>(&self, path: &[S]) -> bool {
        let [first, rest @ ..] = path else { return true };
        match self.0.iter().find(|it| it.0 == **first) {
            Some((_, Node::Map(below))) => below.has(rest),
            Some((_, Node::Leaf(_))) => true,
            None => false,
        }
    }

    /// Returns the value at `path`, as YAML writes it.
    pub(super) fn get<S: Deref<Target = str>>(&self, path: &[S]) -> Option<&str> {
        let [first, rest @ ..] = path else { return None };
        match self.0.iter().find(|it| it.0 == **first)? {
            (_, Node::Map(below)) => below.get(rest),
            (_, Node::Leaf(written)) => Some(written).filter(|_| rest.is_empty()).map(String::as_str),
        }
    }

    /// Returns what is said below `key`, and takes it away.
    pub(super) fn take(&mut self, key: &str) -> Self {
        match self.0.iter().position(|it| it.0 == key).map(|at| self.0.remove(at).1) {
            Some(Node::Map(below)) => below,
            _ => Self::default(),
        }
    }

    /// Adds all that `other` says.
    pub(super) fn extend(&mut self, other: Self) {
        for (key, node) in other.0 {
            match (node, self.0.iter_mut().find(|it| it.0 == key).map(|it| &mut it.1)) {
                (Node::Map(theirs), Some(Node::Map(ours))) => ours.extend(theirs),
                (node, Some(there)) => *there = node,
                (node, None) => self.0.push((key, node)),
            }
        }
    }

    /// Returns a line for each field here, with all that is below.
    pub(super) fn lines(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(key, node)| match node {
            Node::Leaf(written) => format!("{}: {written}", scalar(key)),
            Node::Map(below) => format!("{}: {}", scalar(key), below.flow()),
        })
    }

    /// Returns all of it as one map in braces.
    pub(super) fn flow(&self) -> String {
        format!("{{{}}}", self.lines().collect::<Vec<_>>().join(", "))
    }
}
