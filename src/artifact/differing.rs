//! How much of a node differs after an edit, and which rules read that much of it.
//!
//! Most edits change one field, and most rules never look at it: what they say of the node stands.

use std::collections::BTreeMap;

use crate::graph::pattern::Pattern;
use crate::kind::{Reads, Type};
use crate::rule::expression::{Uses, add_reads};
use crate::rule::model::Rule;
use crate::value::{Map, Name, Path, Value};

/// How much of a node differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Difference {
    /// It came, or went, or nobody knows.
    Whole,
    /// What stands at these paths, each as deep as it can be.
    Fields(Vec<Path>),
}

impl Difference {
    /// Returns what differs between the fields of a node before and after.
    pub(super) fn between(before: &Map, after: &Map) -> Self {
        let mut found = Vec::new();
        compare(before, after, &mut Vec::new(), &mut found);
        Self::Fields(found)
    }

    /// Tells whether nothing differs.
    pub(super) fn is_nothing(&self) -> bool {
        matches!(self, Self::Fields(paths) if paths.is_empty())
    }

    /// Tells whether what stands at one of `paths` may differ.
    pub(super) fn meets(&self, paths: &[&Path]) -> bool {
        match self {
            Self::Whole => true,
            Self::Fields(own) => own.iter().any(|it| {
                paths
                    .iter()
                    .any(|path| it.0.starts_with(&path.0) || path.0.starts_with(&it.0))
            }),
        }
    }

    /// Tells whether whoever reads `fields` of a node of `kind` may see a difference.
    pub(super) fn concerns(&self, kind: &Name, fields: &Fields) -> bool {
        let read = || [fields.of_kind.get(kind), Some(&fields.of_any)].into_iter().flatten();
        match self {
            Self::Whole => true,
            Self::Fields(paths) => paths.iter().any(|path| read().any(|it| sees(it, &path.0))),
        }
    }
}

fn compare(before: &Map, after: &Map, way: &mut Vec<Name>, found: &mut Vec<Path>) {
    // Of the many nodes of a large file few have changed, and to see that nothing has is quicker than to look for it.
    if before == after {
        return;
    }
    let gone = before.iter().filter(|(name, _)| after.get(name).is_none());
    for (name, _) in after.iter().chain(gone) {
        way.push(name.clone());
        match (before.get(name), after.get(name)) {
            (Some(Value::Map(before)), Some(Value::Map(after))) => compare(before, after, way, found),
            (before, after) if before == after => {}
            _ => found.push(Path(way.clone())),
        }
        way.pop();
    }
}

fn sees(fields: &Reads, path: &[Name]) -> bool {
    match path.split_first() {
        Some((first, rest)) if !fields.whole => fields.members.get(first).is_some_and(|it| sees(it, rest)),
        _ => true,
    }
}

/// What is read of nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fields {
    of_kind: BTreeMap<Name, Reads>,
    /// Of nodes of which it is not known what they are.
    of_any: Reads,
}

impl Fields {
    /// Returns what `rule` reads where its expressions read `uses`, what its patterns compare included.
    pub(super) fn new(rule: &Rule, uses: &Uses) -> Self {
        let mut fields = Self::default();
        let inner = rule.body.unless.iter().chain(&rule.body.exists);
        let inner = inner.map(|it| &**it.walk.pattern());
        let patterns: Vec<&Pattern> = inner.chain([&*rule.body.pattern]).collect();
        for (name, reads) in &uses.variables {
            match patterns.iter().find_map(|it| it.variable(name)).map(|it| it.ty.clone()) {
                Some(Type::Node(kinds)) => fields.add(&kinds, reads),
                Some(_) => {}
                // A name for a value: nodes may stand anywhere in it.
                None => add_nested(&mut fields.of_any, reads),
            }
        }
        for used in &uses.graph {
            let kinds: Vec<Name> = used.kind.iter().cloned().collect();
            fields.add(&kinds, &used.reads);
            used.field.iter().for_each(|it| fields.add(&kinds, &at(&it.0)));
        }
        uses.reached.iter().for_each(|it| fields.add(&[], &it.reads));
        for (kinds, path) in patterns.iter().flat_map(|it| it.filtered()) {
            fields.add(kinds, &at(&path.0));
        }
        fields
    }

    /// Adds what is read of a node of one of `kinds`, of any where there are none.
    fn add(&mut self, kinds: &[Name], reads: &Reads) {
        if kinds.is_empty() {
            add_members(&mut self.of_any, reads);
        }
        for kind in kinds {
            add_members(self.of_kind.entry(kind.clone()).or_default(), reads);
        }
    }
}

/// Adds what is read of one node: of the node itself that is its address, which can't differ.
fn add_members(fields: &mut Reads, reads: &Reads) {
    for (name, reads) in &reads.members {
        add_reads(fields.members.entry(name.clone()).or_default(), &leaves_whole(reads));
    }
}

fn add_nested(fields: &mut Reads, reads: &Reads) {
    add_members(fields, reads);
    for inner in reads.members.values().chain(reads.each.as_deref()) {
        add_nested(fields, inner);
    }
}

/// Returns that all of what stands at `path` is read.
fn at(path: &[Name]) -> Reads {
    match path.split_first() {
        None => Reads {
            whole: true,
            ..Reads::default()
        },
        Some((first, rest)) => Reads {
            members: [(first.clone(), at(rest))].into(),
            ..Reads::default()
        },
    }
}

/// Returns `reads` so that what is named, and not looked into any further, is read whole.
fn leaves_whole(reads: &Reads) -> Reads {
    Reads {
        whole: reads.whole || reads.each.is_some() || reads.members.is_empty(),
        members: reads
            .members
            .iter()
            .map(|(name, it)| (name.clone(), leaves_whole(it)))
            .collect(),
        each: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(entries: &[(&str, Value)]) -> Map {
        entries
            .iter()
            .map(|(name, it)| (Name::from(*name), it.clone()))
            .collect()
    }

    #[test]
    fn the_deepest_paths_differ() {
        let before = map(&[
            ("a", Value::Map(map(&[("b", Value::Int(1)), ("c", Value::Int(2))]))),
            ("d", Value::Int(3)),
            ("e", Value::Int(4)),
        ]);
        let after = map(&[
            ("a", Value::Map(map(&[("b", Value::Int(1)), ("c", Value::Int(5))]))),
            ("d", Value::Map(Map::default())),
            ("f", Value::Int(6)),
        ]);
        let Difference::Fields(paths) = Difference::between(&before, &after) else {
            panic!("both are there")
        };
        let paths: Vec<String> = paths.iter().map(ToString::to_string).collect();
        assert_eq!(paths, ["a.c", "d", "f", "e"]);
    }

    #[test]
    fn a_difference_is_seen_from_above_and_from_below() {
        let differs = |path: &str| Difference::Fields(vec![Path::parse(path)]);
        let service = Name::from("service");
        let mut reads = Fields::default();
        reads.add(std::slice::from_ref(&service), &at(&Path::parse("a.b").0));
        for (path, seen) in [
            ("a", true),
            ("a.b", true),
            ("a.b.c", true),
            ("a.c", false),
            ("b", false),
        ] {
            assert_eq!(differs(path).concerns(&service, &reads), seen, "{path}");
        }
        assert!(!differs("a.b").concerns(&Name::from("infra"), &reads));
        assert!(Difference::Whole.concerns(&service, &Fields::default()));
    }
}
