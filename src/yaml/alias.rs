//! Anchors, aliases and tags before values; keys and merge keys; and the bounds that keep aliases from exploding.

use rustc_hash::FxHashMap;

use super::mark::Sort;
use super::read::{Key, MAX_DEPTH, Piece, Reader, Role, is_end, is_white_or_end};
use super::scalar::is_bracket;
use super::{Data, Entry, MistakeKind, Span, Yaml};

/// What aliases may add to a file in all, in values; 64 bytes of text count as one more.
const MAX_EXPANDED: usize = 1_000_000;
/// What aliases may add to any file.
const FREE_EXPANDED: usize = 10_000;
/// What aliases may add for each value that is written.
const MAX_FACTOR: usize = 100;
/// From this number of entries on, double keys are looked for by hash.
const MANY_ENTRIES: usize = 16;

/// An anchor and a tag, as written before a value.
#[derive(Default)]
pub(super) struct Properties<'t> {
    anchor: Option<&'t str>,
    /// With the offset at which it stands.
    pub(super) tag: Option<(&'t str, usize)>,
}

/// The value of an anchor, none as long as that is being read.
pub(super) struct Anchor(Option<Kept>);

struct Kept {
    value: Yaml,
    weight: usize,
    depth: usize,
}

impl Properties<'_> {
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.anchor.is_none() && self.tag.is_none()
    }
}

impl<'t> Reader<'t> {
    /// Reads an anchor and a tag on this line, and the white behind them.
    #[inline]
    pub(super) fn read_properties(&mut self) -> Properties<'t> {
        let mut properties = Properties::default();
        while matches!(self.peek(0), b'&' | b'!') && !self.stopped {
            self.read_property(&mut properties);
        }
        properties
    }

    fn read_property(&mut self, properties: &mut Properties<'t>) {
        let start = self.at;
        let is_anchor = self.peek(0) == b'&';
        if is_anchor {
            self.at += 1;
            let name = self.read_name();
            if name.is_empty() || properties.anchor.replace(name).is_some() {
                return self.fail(start, self.at, MistakeKind::Property);
            }
            self.anchors.insert(name, Anchor(None));
        } else {
            let is_verbatim = self.peek(1) == b'<';
            while !is_white_or_end(self.peek(0)) && (is_verbatim || !is_bracket(self.peek(0))) {
                self.at += 1;
                if is_verbatim && self.bytes[self.at - 1] == b'>' {
                    break;
                }
            }
            let tag = self.slice(start, self.at);
            if is_verbatim && !tag.ends_with('>') || properties.tag.replace((tag, start)).is_some() {
                return self.fail(start, self.at, MistakeKind::Property);
            }
        }
        if !is_white_or_end(self.peek(0)) && !is_bracket(self.peek(0)) {
            return self.fail(start, self.at, MistakeKind::Property);
        }
        self.mark_token(Sort::Property, start, self.at);
        self.end = self.at;
        self.skip_white();
    }

    fn read_name(&mut self) -> &'t str {
        let start = self.at;
        while !is_white_or_end(self.peek(0)) && !is_bracket(self.peek(0)) {
            self.at += 1;
        }
        self.slice(start, self.at)
    }

    /// Adds `inner` to `outer`, of which they both are properties of one value.
    pub(super) fn join(&mut self, outer: &mut Properties<'t>, inner: Properties<'t>) {
        let is_double = outer.anchor.is_some() && inner.anchor.is_some() || outer.tag.is_some() && inner.tag.is_some();
        if is_double {
            let start = inner.tag.map_or(self.at, |(_, at)| at);
            return self.fail(start, start + 1, MistakeKind::Property);
        }
        outer.anchor = outer.anchor.or(inner.anchor);
        outer.tag = outer.tag.or(inner.tag);
    }

    /// Keeps a value for the aliases of its anchor.
    #[inline]
    pub(super) fn finish(&mut self, properties: Properties<'t>, value: Yaml) -> Yaml {
        if let Some(name) = properties.anchor {
            let kept = Kept {
                value: value.clone(),
                weight: weight(&value),
                depth: depth(&value),
            };
            self.anchors.insert(name, Anchor(Some(kept)));
        }
        value
    }

    /// Reads an alias: the value of its anchor, which keeps its place there.
    pub(super) fn read_alias(&mut self) -> Yaml {
        let start = self.at;
        self.at += 1;
        let name = self.read_name();
        self.mark_token(Sort::Alias, start, self.at);
        self.end = self.at;
        if name.is_empty() {
            let end = self.at + usize::from(!is_end(self.peek(0)));
            self.fail(start, end, MistakeKind::Property);
            return self.null();
        }
        let span = Span::new(start, self.at);
        let kind = match self.anchors.get(name) {
            None => MistakeKind::UnknownAnchor { name: name.into() },
            Some(Anchor(None)) => MistakeKind::EndlessAlias { name: name.into() },
            Some(Anchor(Some(kept))) => {
                let bound = MAX_EXPANDED.min(FREE_EXPANDED + MAX_FACTOR * self.n_nodes);
                let is_too_much = self.n_expanded + kept.weight > bound;
                if !is_too_much && self.depth + kept.depth <= MAX_DEPTH {
                    self.n_expanded += kept.weight;
                    return kept.value.clone();
                }
                if is_too_much {
                    MistakeKind::TooManyAliases
                } else {
                    MistakeKind::TooDeep
                }
            }
        };
        self.mistake(start, self.at, kind);
        Yaml { span, data: Data::Null }
    }

    /// Makes a key of a piece that began at `start`.
    pub(super) fn key(&mut self, piece: Piece, start: usize, properties: Properties<'t>) -> Key {
        match piece {
            Piece::Scalar(scalar) => {
                let span = scalar.span;
                let is_merge = scalar.is_plain() && properties.tag.is_none() && scalar.content(self.text) == "<<";
                let is_missing = scalar.is_plain() && span.start == span.end;
                if is_missing {
                    return self.missing_key(start, properties);
                }
                if !properties.is_empty() {
                    let value = self.resolve(scalar.clone(), &properties);
                    self.finish(properties, value);
                }
                let role = if is_merge { Role::Merge } else { Role::Entry };
                Key {
                    text: scalar.into_text(self.text).content,
                    span,
                    role,
                }
            }
            Piece::Value(Yaml { span, data: Data::Null }) if span.start == span.end => {
                self.missing_key(span.start as usize, properties)
            }
            Piece::Value(value) => {
                let span = Span::new(start, self.end.max(start));
                let text = match &value.data {
                    Data::List(_) | Data::Map(_) => {
                        if !self.stopped {
                            self.mistake(start, self.end.max(start), MistakeKind::ComplexKey);
                        }
                        return Key {
                            text: Box::default(),
                            span,
                            role: Role::Dropped,
                        };
                    }
                    Data::String(text) => text.content.clone(),
                    Data::Null | Data::Bool(_) | Data::Int(_) | Data::Double { .. } => value.source(self.text).into(),
                };
                Key {
                    text,
                    span,
                    role: Role::Entry,
                }
            }
        }
    }

    fn missing_key(&mut self, start: usize, properties: Properties<'t>) -> Key {
        let null = self.null();
        let span = null.span;
        self.finish(properties, null);
        if !self.stopped {
            let width = usize::from(self.peek(0) == b':');
            self.mistake(start, start.max(self.at) + width, MistakeKind::MissingKey);
        }
        Key {
            text: Box::default(),
            span,
            role: Role::Dropped,
        }
    }

    /// Adds an entry to the map that is being read.
    pub(super) fn add_entry(&mut self, key: Key, value: Yaml, merges: &mut Vec<Entry>) {
        match key.role {
            Role::Entry => self.entries.push(Entry {
                key: key.text,
                key_span: key.span,
                value,
            }),
            Role::Dropped => {}
            Role::Merge => {
                let is_map = |it: &Yaml| matches!(it.data, Data::Map(_));
                match value.data {
                    Data::Map(entries) => merges.extend(entries),
                    Data::List(items) if items.iter().all(is_map) => {
                        for item in items {
                            if let Data::Map(entries) = item.data {
                                merges.extend(entries);
                            }
                        }
                    }
                    // The mistake of an alias has been told.
                    _ if self.stopped || self.mistakes.last().is_some_and(|it| it.span == value.span) => {}
                    _ => self.mistake(key.span.start as usize, key.span.end as usize, MistakeKind::Merge),
                }
            }
        }
    }

    /// Takes the entries of the map that ends here: without double keys, and with what is merged.
    pub(super) fn take_entries(&mut self, mark: usize, merges: Vec<Entry>) -> Vec<Entry> {
        let mut entries = self.entries.split_off(mark);
        let n_own = entries.len();
        if n_own < 2 && merges.is_empty() {
            return entries;
        }
        entries.extend(merges);
        let doubles = doubles(&entries);
        if doubles.is_empty() {
            return entries;
        }
        for &(first, second) in &doubles {
            // What is merged gives way to what is written.
            if second < n_own {
                let Span { start, end } = entries[second].key_span;
                let kind = MistakeKind::DuplicateKey {
                    key: entries[second].key.clone(),
                    first: entries[first].key_span,
                };
                self.mistake(start as usize, end as usize, kind);
            }
        }
        let mut doubles = doubles.iter().map(|(_, second)| *second).peekable();
        let mut index = 0;
        entries.retain(|_| {
            let is_double = doubles.next_if_eq(&index).is_some();
            index += 1;
            !is_double
        });
        entries
    }
}

/// Returns the indices of each key that came before, and of where it came first.
fn doubles(entries: &[Entry]) -> Vec<(usize, usize)> {
    let mut doubles = Vec::new();
    if entries.len() < MANY_ENTRIES {
        for (second, entry) in entries.iter().enumerate() {
            if let Some(first) = entries[..second].iter().position(|it| it.key == entry.key) {
                doubles.push((first, second));
            }
        }
        return doubles;
    }
    let mut firsts: FxHashMap<&str, usize> = FxHashMap::default();
    for (second, entry) in entries.iter().enumerate() {
        let first = *firsts.entry(&entry.key).or_insert(second);
        if first != second {
            doubles.push((first, second));
        }
    }
    doubles
}

fn weight(value: &Yaml) -> usize {
    1 + match &value.data {
        Data::String(text) => text.content.len() / 64,
        Data::List(items) => items.iter().map(weight).sum(),
        Data::Map(entries) => entries
            .iter()
            .map(|entry| entry.key.len() / 64 + weight(&entry.value))
            .sum(),
        Data::Null | Data::Bool(_) | Data::Int(_) | Data::Double { .. } => 0,
    }
}

fn depth(value: &Yaml) -> usize {
    match &value.data {
        Data::List(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Data::Map(entries) => 1 + entries.iter().map(|entry| depth(&entry.value)).max().unwrap_or(0),
        Data::Null | Data::Bool(_) | Data::Int(_) | Data::Double { .. } | Data::String(_) => 0,
    }
}
