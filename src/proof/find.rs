//! Where things are named in a document: a way through its tree, what must hold there, and what is taken.

use std::collections::BTreeMap;
use std::sync::Arc;

use regex::Regex;

use super::Documents;
use super::tree::{Shape, Tree};
use crate::problem::{Place, Span};
use crate::value::{Address, Name};

/// A printed file, a fact or an edge, as proofs read it.
#[derive(Clone, Debug)]
pub struct Document {
    /// Where it stands.
    pub origin: Origin,
    /// Its path within the folder of the environment; else empty.
    pub path: Name,
    /// Its characters; else empty.
    pub text: Arc<str>,
    /// Its documents.
    pub trees: Vec<Tree>,
}

/// Where a document stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// At this path.
    File(Name),
    /// It speaks of this node, or begins there.
    Node(Address),
}

/// Something that is named somewhere.
#[derive(Clone, Debug)]
pub struct Thing {
    /// By what it is known, and what is said of it.
    pub values: BTreeMap<Name, Arc<str>>,
    /// Where.
    pub place: Place,
    /// In which document.
    pub document: Origin,
}

/// Where things are named.
#[derive(Clone, Debug)]
pub enum Source {
    /// In some documents.
    In(Within),
    /// In all of these at once: where they name values alike, these are equal.
    Join(Vec<Source>),
}

/// Where things are named in some documents.
#[derive(Clone, Debug)]
pub struct Within {
    /// Which documents.
    pub of: Of,
    /// What their paths are like; named groups are values.
    pub file: Option<Regex>,
    /// The way from the root of each document; the text as a whole where there is none.
    pub at: Option<Way>,
    /// What must stand, or must not, at a way from there.
    pub filters: Vec<Filter>,
    /// What the text there is like; each match is a thing, named groups are values.
    pub find: Option<Regex>,
    /// What is taken at ways from there.
    pub take: Vec<(Name, Take)>,
    /// What a value is where nothing is taken.
    pub otherwise: BTreeMap<Name, Arc<str>>,
}

/// Which documents.
#[derive(Clone, Debug)]
pub enum Of {
    /// What these rules print.
    Rules(Vec<Name>),
    /// The facts of this relation.
    Fact(Name),
    /// The edges of these kinds.
    Edges(Vec<Name>),
}

/// What must stand, or must not, somewhere.
#[derive(Clone, Debug)]
pub struct Filter {
    /// The way to it.
    pub way: Way,
    /// What the whole of it is like.
    pub like: Regex,
    /// Whether it must not be so.
    pub is_negated: bool,
}

/// What is taken.
#[derive(Clone, Debug)]
pub struct Take {
    /// The way to it.
    pub way: Way,
    /// What is taken of it: the first group of each match.
    pub find: Option<Regex>,
}

/// A way through a tree. Lists are passed through: each of their items is gone to.
#[derive(Clone, Debug)]
pub struct Way {
    is_absolute: bool,
    steps: Vec<Step>,
}

#[derive(Clone, Debug)]
enum Step {
    Key(Name),
    /// Any key, which may be a value.
    Any(Option<Name>),
    /// Any number of keys.
    Deep,
}

type Values = BTreeMap<Name, Arc<str>>;

impl Way {
    /// Reads a way: keys with dots between them, a key with dots in quotes, `*` for any, `{name}` for any that is a value, `**`
    /// for any number of them; `.` for where one stands, `/` before it for the root of the document.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (is_absolute, text) = match text.strip_prefix('/') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let mut steps = Vec::new();
        let mut rest = if text == "." { "" } else { text };
        while !rest.is_empty() {
            let (key, after) = match rest.strip_prefix('"') {
                Some(quoted) => {
                    let (key, after) = quoted.split_once('"')?;
                    steps.push(Step::Key(key.into()));
                    ("", after)
                }
                None => rest.split_at(rest.find('.').unwrap_or(rest.len())),
            };
            match key {
                "" if !rest.starts_with('"') => return None,
                "" => {}
                "*" => steps.push(Step::Any(None)),
                "**" => steps.push(Step::Deep),
                key => match key.strip_prefix('{').and_then(|it| it.strip_suffix('}')) {
                    Some(name) => steps.push(Step::Any(Some(name.into()))),
                    None => steps.push(Step::Key(key.into())),
                },
            }
            rest = match after.strip_prefix('.') {
                Some("") => return None,
                Some(next) => next,
                None if after.is_empty() => after,
                None => return None,
            };
        }
        Some(Self { is_absolute, steps })
    }

    /// Returns the names of the values on the way.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.steps.iter().filter_map(|it| match it {
            Step::Any(name) => name.as_ref(),
            _ => None,
        })
    }

    fn from<'t>(&self, root: &'t Tree, spot: &'t Tree) -> Vec<(&'t Tree, Values)> {
        let mut found = Vec::new();
        let start = if self.is_absolute { root } else { spot };
        walk(start, &self.steps, &Values::new(), &mut found);
        found
    }
}

/// The depth of a tree is bounded by its parser, and so are these calls.
fn walk<'t>(tree: &'t Tree, steps: &[Step], values: &Values, found: &mut Vec<(&'t Tree, Values)>) {
    if let Shape::List(items) = &tree.shape {
        items.iter().for_each(|it| walk(it, steps, values, found));
        return;
    }
    let Some((first, rest)) = steps.split_first() else {
        found.push((tree, values.clone()));
        return;
    };
    if matches!(first, Step::Deep) {
        walk(tree, rest, values, found);
    }
    let Shape::Map(entries) = &tree.shape else {
        return;
    };
    for (key, value) in entries {
        match first {
            Step::Key(wanted) if **wanted == **key => walk(value, rest, values, found),
            Step::Key(_) => {}
            Step::Any(None) => walk(value, rest, values, found),
            Step::Any(Some(name)) => {
                let mut values = values.clone();
                values.insert(name.clone(), key.as_str().into());
                walk(value, rest, &values, found);
            }
            Step::Deep => walk(value, steps, values, found),
        }
    }
}

impl Source {
    /// Returns what is named in `documents`.
    #[must_use]
    pub fn things(&self, documents: &Documents) -> Vec<Thing> {
        match self {
            Self::In(within) => within.documents(documents).flat_map(|it| within.things(it)).collect(),
            Self::Join(sources) => {
                let mut sources = sources.iter().map(|it| it.things(documents));
                let first = sources.next().unwrap_or_default();
                sources.fold(first, |so_far, next| join(&so_far, &next))
            }
        }
    }

    /// Calls `seen` with each of the places in documents that this names.
    pub fn visit<'s>(&'s self, seen: &mut impl FnMut(&'s Within)) {
        match self {
            Self::In(within) => seen(within),
            Self::Join(sources) => sources.iter().for_each(|it| it.visit(seen)),
        }
    }

    /// Returns the names of all values that a thing may have.
    #[must_use]
    pub fn names(&self) -> Vec<Name> {
        let mut names = Vec::new();
        self.visit(&mut |it| {
            names.extend(it.take.iter().map(|it| it.0.clone()));
            names.extend(it.otherwise.keys().cloned());
            names.extend(it.at.iter().flat_map(Way::names).cloned());
            let patterns = it.file.iter().chain(&it.find);
            names.extend(patterns.flat_map(|it| it.capture_names().flatten().map(Name::from)));
        });
        names
    }
}

/// Returns the pairs of things that agree in the values that both have.
fn join(left: &[Thing], right: &[Thing]) -> Vec<Thing> {
    let (Some(first), Some(other)) = (left.first(), right.first()) else {
        return Vec::new();
    };
    let shared: Vec<&Name> = first
        .values
        .keys()
        .filter(|it| other.values.contains_key(*it))
        .collect();
    let key =
        |it: &Thing| -> Vec<Option<Arc<str>>> { shared.iter().map(|name| it.values.get(*name).cloned()).collect() };
    let mut by_key: BTreeMap<_, Vec<&Thing>> = BTreeMap::new();
    for thing in right {
        by_key.entry(key(thing)).or_default().push(thing);
    }
    let mut joined = Vec::new();
    for thing in left {
        for other in by_key.get(&key(thing)).into_iter().flatten() {
            let mut thing = thing.clone();
            thing
                .values
                .extend(other.values.iter().map(|(name, it)| (name.clone(), it.clone())));
            joined.push(thing);
        }
    }
    joined
}

impl Within {
    fn documents<'d>(&'d self, documents: &'d Documents) -> impl Iterator<Item = &'d Document> {
        let (names, all) = match &self.of {
            Of::Rules(rules) => (rules.as_slice(), &documents.printed),
            Of::Fact(relation) => (std::slice::from_ref(relation), &documents.facts),
            Of::Edges(kinds) => (kinds.as_slice(), &documents.edges),
        };
        names.iter().filter_map(|it| all.get(it)).flatten()
    }

    fn things(&self, document: &Document) -> Vec<Thing> {
        let mut values = Values::new();
        if let Some(file) = &self.file {
            let Some(found) = file.captures(&document.path) else {
                return Vec::new();
            };
            values.extend(named(file, &found));
        }
        let mut things = Vec::new();
        match &self.at {
            None if matches!(document.origin, Origin::File(_)) => {
                let whole = Tree::of_text(&document.text);
                self.at_spot(document, &whole, &whole, &values, &mut things);
            }
            at => {
                let here = Way {
                    is_absolute: false,
                    steps: Vec::new(),
                };
                for root in document.trees.iter().filter(|it| self.holds(true, it, it)) {
                    for (spot, on_the_way) in at.as_ref().unwrap_or(&here).from(root, root) {
                        let values = values.iter().map(|(name, it)| (name.clone(), it.clone()));
                        let values = values.chain(on_the_way).collect();
                        self.at_spot(document, root, spot, &values, &mut things);
                    }
                }
            }
        }
        things
    }

    /// Tells whether all filters hold at `spot` that begin at the root, or all others.
    fn holds(&self, is_absolute: bool, root: &Tree, spot: &Tree) -> bool {
        let mut filters = self.filters.iter().filter(|it| it.way.is_absolute == is_absolute);
        filters.all(|filter| {
            let found = filter.way.from(root, spot);
            let is_so = found
                .iter()
                .any(|it| it.0.text().is_some_and(|it| filter.like.is_match(it)));
            is_so != filter.is_negated
        })
    }

    fn at_spot(&self, document: &Document, root: &Tree, spot: &Tree, values: &Values, things: &mut Vec<Thing>) {
        let is_like = |it: &Regex| spot.text().is_some_and(|text| it.is_match(text));
        if !self.find.as_ref().is_none_or(is_like) || !self.holds(false, root, spot) {
            return;
        }
        let place = |span: Span| match &document.origin {
            Origin::File(path) => Place::Text(path.clone(), span),
            Origin::Node(node) => Place::Field {
                environment: None,
                node: node.clone(),
                path: crate::value::Path::default(),
            },
        };
        let mut found: Vec<(Values, Span)> = Vec::new();
        match (&self.find, spot.text()) {
            (None, _) | (_, None) => found.push((values.clone(), spot.span)),
            (Some(find), Some(text)) => {
                let mut from = spot.span.start as usize;
                for captures in find.captures_iter(text) {
                    let whole = &captures[0];
                    // Where the file writes the text as it is, that is the place of the match.
                    let at = document
                        .text
                        .get(from..spot.span.end as usize)
                        .and_then(|it| it.find(whole));
                    let span = at.map_or(spot.span, |at| Span::new(from + at, from + at + whole.len()));
                    from = at.map_or(from, |at| from + at + whole.len());
                    let values = values.iter().map(|(name, it)| (name.clone(), it.clone()));
                    found.push((values.chain(named(find, &captures)).collect(), span));
                }
            }
        }
        for (name, take) in &self.take {
            let mut taken: Vec<Arc<str>> = Vec::new();
            let found_there = take.way.from(root, spot);
            for text in found_there.iter().filter_map(|it| it.0.text()) {
                match &take.find {
                    None => taken.push(text.into()),
                    Some(find) => taken.extend(
                        find.captures_iter(text)
                            .filter_map(|it| Some(it.get(1)?.as_str().into())),
                    ),
                }
            }
            if taken.is_empty() {
                taken.extend(self.otherwise.get(name).cloned());
            }
            found = found
                .into_iter()
                .flat_map(|(values, span)| {
                    taken.iter().map(move |it| {
                        let mut values = values.clone();
                        values.insert(name.clone(), it.clone());
                        (values, span)
                    })
                })
                .collect();
        }
        things.extend(found.into_iter().map(|(mut values, span)| {
            for (name, value) in &self.otherwise {
                values.entry(name.clone()).or_insert_with(|| value.clone());
            }
            Thing {
                values,
                place: place(span),
                document: document.origin.clone(),
            }
        }));
    }
}

fn named(pattern: &Regex, found: &regex::Captures<'_>) -> Vec<(Name, Arc<str>)> {
    let names = pattern.capture_names().flatten();
    names
        .filter_map(|it| Some((Name::from(it), found.name(it)?.as_str().into())))
        .collect()
}
