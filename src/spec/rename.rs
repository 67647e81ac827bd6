//! Renaming a node: every place of the spec files that names it, and what stands there under the new name.
//!
//! The files are read as `file` reads them: keys of collections and overlays, targets of edges, fields that hold a node,
//! references within texts. Nothing is written here, and nothing is guessed: a place that can't be edited to the letter
//! is a problem. Whether the new spec says the same as the old one is for [`Declarations`] to tell.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::edge::candidates;
use super::file::{collection, whole_file};
use super::index::{environments, index};
use super::layer::{Declared, declared};
use super::{Edge, OpenEdge};
use crate::db::{Db, Project, SourceFile, spec_files};
use crate::kind::reference;
use crate::kind::{EdgeKind, Field, Kind, Record, Schema, Type, pack};
use crate::problem::{Place, Problem, Span};
use crate::value::{Address, Map, Name, Path, Reference, Segment, Text, Value};
use crate::yaml::{self, Data, Entry, Yaml};

/// A place that names the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The file.
    pub file: Name,
    /// What is replaced.
    pub span: Span,
    /// What stands there then.
    pub new: String,
    /// The way to it through the file.
    pub path: Path,
}

/// What a rename edits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rename {
    /// The edits, by file and place.
    pub edits: Vec<Edit>,
    /// Places that can't be edited.
    pub problems: Vec<Problem>,
    /// Where the files say the name otherwise: in comments, paths, the names of images. These stay.
    pub left: Vec<(Name, Span)>,
}

/// Returns what is to be edited so that the node `from` is called `to`.
///
/// The spec must be free of mistakes.
pub fn rename(db: &dyn Db, project: Project, from: &Address, to: &Name) -> Rename {
    let root = project.root(db);
    let mut found = Rename::default();
    // Where only the new name stands, it may be that of another kind's node.
    let is_concerned = |it: &SourceFile| [&from.name, to].iter().any(|name| it.text(db).contains(&***name));
    for file in spec_files(db, project).filter(is_concerned) {
        let mut search = Search {
            db,
            project,
            schema: pack::schema(db, project),
            file,
            from,
            to,
            path: Vec::new(),
            edits: BTreeMap::new(),
            problems: Vec::new(),
        };
        if let Some(yaml) = yaml::parse(file.text(db)).0 {
            search.file(&yaml, file == root);
        }
        found.problems.append(&mut search.problems);
        found.edits.extend(search.edits.into_values());
    }
    let own = project.own(db).iter().copied();
    for file in spec_files(db, project).chain(own) {
        let path = file.path(db);
        let is_edited = |span: &Span| {
            let mut edits = found.edits.iter().filter(|it| it.file == *path);
            edits.any(|it| it.span.start <= span.start && span.end <= it.span.end)
        };
        let said = words(file.text(db), &from.name).filter(|it| !is_edited(it));
        found.left.extend(said.map(|it| (path.clone(), it)));
    }
    found
}

/// Returns `text` with `edits` of it made; they lie in the order of the file and apart from each other.
#[must_use]
pub fn edited<'e>(text: &str, edits: impl IntoIterator<Item = &'e Edit>) -> String {
    let mut result = String::with_capacity(text.len());
    let mut at = 0;
    for edit in edits {
        let (start, end) = (edit.span.start as usize, edit.span.end as usize);
        result.push_str(&text[at..start]);
        result.push_str(&edit.new);
        at = end;
    }
    result + &text[at..]
}

/// Returns where `text` says `word`, not as a part of a longer one.
fn words<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = Span> + 't {
    let is_part = |it: Option<char>| it.is_some_and(reference::is_part);
    let whole = move |(at, _): &(usize, &str)| {
        !is_part(text[..*at].chars().next_back()) && !is_part(text[at + word.len()..].chars().next())
    };
    text.match_indices(word)
        .filter(whole)
        .map(|(at, it)| Span::new(at, at + it.len()))
}

struct Search<'a> {
    db: &'a dyn Db,
    project: Project,
    schema: &'a Schema,
    file: SourceFile,
    from: &'a Address,
    to: &'a Name,
    path: Vec<Name>,
    /// By place: what an alias brings to several places is edited once.
    edits: BTreeMap<Span, Edit>,
    problems: Vec<Problem>,
}

impl Search<'_> {
    fn file(&mut self, yaml: &Yaml, is_root: bool) {
        if !is_root && let Some((kind, named)) = whole_file(self.schema, yaml) {
            if kind.name == self.from.kind && named.value.as_str() == Some(&*self.from.name) {
                let name = self.to.to_string();
                self.within(&named.key, |it| it.edit(named.value.span, &it.from.name, &name));
            }
            return self.node(kind, yaml);
        }
        self.layer(yaml);
        for overlay in yaml.get("environments").map(Yaml::entries).unwrap_or_default() {
            self.within("environments", |it| {
                it.within(&overlay.key, |it| it.layer(&overlay.value));
            });
        }
    }

    /// Looks through what a file or an overlay says of nodes and of the project.
    fn layer(&mut self, yaml: &Yaml) {
        let schema = self.schema;
        for (path, kind) in &schema.declares {
            let map = path.0.iter().try_fold(yaml, |yaml, step| yaml.get(step));
            if let (Some(map), Some(kind)) = (map, schema.kinds.get(kind)) {
                let before = self.path.len();
                self.path.extend(path.0.iter().cloned());
                self.nodes(kind, map);
                self.path.truncate(before);
            }
        }
        let project = schema.kinds.get(super::file::PROJECT);
        for entry in yaml.entries() {
            if let Some(kind) = collection(schema, &entry.key) {
                self.within(&entry.key, |it| it.nodes(kind, &entry.value));
            } else if let Some(field) = project.and_then(|it| it.fields.fields.get(&*entry.key)) {
                self.within(&entry.key, |it| it.field(field, &entry.value));
            }
        }
    }

    fn nodes(&mut self, kind: &Kind, map: &Yaml) {
        for entry in map.entries() {
            self.within(&entry.key, |it| {
                if kind.name == it.from.kind && *entry.key == *it.from.name {
                    let name = it.to.to_string();
                    it.edit(entry.key_span, &it.from.name, &name);
                }
                it.node(kind, &entry.value);
            });
        }
    }

    fn node(&mut self, kind: &Kind, yaml: &Yaml) {
        let record = Type::Record(kind.fields.clone());
        self.value(&record, yaml);
        for overlay in yaml.get("environments").map(Yaml::entries).unwrap_or_default() {
            self.within("environments", |it| {
                it.within(&overlay.key, |it| it.value(&record, &overlay.value));
            });
        }
    }

    fn field(&mut self, field: &Field, yaml: &Yaml) {
        let edge = field.edge.as_ref().and_then(|it| self.schema.edges.get(it));
        match edge {
            Some(edge) => self.targets(edge, yaml),
            None => self.value(&field.ty, yaml),
        }
    }

    fn value(&mut self, ty: &Type, yaml: &Yaml) {
        match (ty, &yaml.data) {
            (Type::Record(record), Data::Map(entries)) => self.record(record, entries),
            (Type::Map(item), Data::Map(entries)) => {
                for entry in entries {
                    self.within(&entry.key, |it| it.value(item, &entry.value));
                }
            }
            (_, Data::Map(entries)) => {
                for entry in entries {
                    self.within(&entry.key, |it| it.value(&Type::Any, &entry.value));
                }
            }
            (Type::List(item), Data::List(items)) => self.items(item, items),
            (_, Data::List(items)) => self.items(&Type::Any, items),
            (Type::Node(kinds), Data::String(text)) if self.is_meant(kinds, &text.content) => {
                let new = self.renamed(&text.content, false);
                self.edit(yaml.span, &text.content, &new);
            }
            (_, Data::String(text)) => self.mentions(yaml, &text.content),
            _ => {}
        }
    }

    fn items(&mut self, item: &Type, items: &[Yaml]) {
        for (at, yaml) in items.iter().enumerate() {
            self.within(&at.to_string(), |it| it.value(item, yaml));
        }
    }

    fn record(&mut self, record: &Record, entries: &[Entry]) {
        for entry in entries {
            if let Some(field) = record.fields.get(&*entry.key) {
                self.within(&entry.key, |it| it.field(field, &entry.value));
            }
        }
    }

    /// Looks through the targets of edges: the keys of a map, or a list of names.
    fn targets(&mut self, edge: &EdgeKind, yaml: &Yaml) {
        for entry in yaml.entries() {
            self.within(&entry.key, |it| {
                it.target(edge, &entry.key, entry.key_span);
                it.record(&edge.fields, entry.value.entries());
            });
        }
        for item in yaml.items() {
            let source = item.source(self.file.text(self.db));
            let written = item.as_str().unwrap_or(source);
            self.target(edge, written, item.span);
        }
    }

    fn target(&mut self, edge: &EdgeKind, written: &str, span: Span) {
        // Of the new name alone it may not be clear what is meant, here and where another node bears it.
        let index = index(self.db, self.project);
        let named = candidates(self.schema, edge, self.to);
        let other = named
            .iter()
            .find(|it| it.kind != self.from.kind && index.has_anywhere(it));
        if candidates(self.schema, edge, &Name::from(written)).contains(self.from) {
            let new = self.renamed(written, other.is_some());
            self.edit(span, written, &new);
        } else if let Some(other) = other
            && *written == **self.to
            && named.iter().any(|it| it.kind == self.from.kind)
        {
            self.edit(span, written, &other.to_string());
        }
    }

    /// Returns the new form of a target: with its kind where it had one, or where the name alone is that of another node.
    fn renamed(&self, written: &str, is_unclear: bool) -> String {
        if is_unclear || *written != *self.from.name {
            format!("{}.{}", self.from.kind, self.to)
        } else {
            self.to.to_string()
        }
    }

    fn is_meant(&self, kinds: &[Name], written: &str) -> bool {
        match written.split_once('.') {
            Some((kind, name)) if kinds.is_empty() || kinds.iter().any(|it| **it == *kind) => {
                *kind == *self.from.kind && *name == *self.from.name
            }
            _ => matches!(kinds, [kind] if *kind == self.from.kind) && *written == *self.from.name,
        }
    }

    fn mentions(&mut self, yaml: &Yaml, content: &str) {
        if reference::is_plain(content) {
            return;
        }
        for mention in reference::read(content).mentions {
            if mention.reference.node == *self.from {
                let span = yaml.place(mention.name.0, mention.name.1);
                // The name stands within a text here: quotes are those of the text.
                if span.of(self.file.text(self.db)) == &*self.from.name {
                    self.replace(span, self.to.to_string());
                } else {
                    self.refuse(yaml.place(mention.whole.0, mention.whole.1));
                }
            }
        }
    }

    /// Puts `new` in the place of the scalar at `span`, which says `old`, quoted as that is.
    fn edit(&mut self, span: Span, old: &str, new: &str) {
        let source = span.of(self.file.text(self.db));
        let quote = source.chars().next().filter(|it| matches!(it, '"' | '\''));
        let inner = quote.and_then(|it| source.strip_prefix(it)?.strip_suffix(it));
        match (quote, inner) {
            (Some(quote), Some(inner)) if *inner == *old => self.replace(span, format!("{quote}{new}{quote}")),
            (None, _) if *source == *old => self.replace(span, scalar(new)),
            _ => self.refuse(span),
        }
    }

    fn replace(&mut self, span: Span, new: String) {
        let edit = Edit {
            file: self.file.path(self.db).clone(),
            span,
            new,
            path: Path(self.path.clone()),
        };
        self.edits.insert(span, edit);
    }

    fn refuse(&mut self, span: Span) {
        let message = format!("`{}` is named here in a way that can't be edited safely", self.from);
        let problem = Problem::error("rename::not_editable", message)
            .at(
                Place::Text(self.file.path(self.db).clone(), span),
                "written otherwise than to the letter",
            )
            .help("write the name without escapes, and try again");
        self.problems.push(problem);
    }

    fn within(&mut self, step: &str, look: impl FnOnce(&mut Self)) {
        self.path.push(Name::from(step));
        look(self);
        self.path.pop();
    }
}

/// Returns `name` as a scalar that is read as a text: in quotes where YAML would read a number or nothing.
fn scalar(name: &str) -> String {
    match yaml::parse(name) {
        (Some(yaml), problems) if problems.is_empty() && yaml.as_str() == Some(name) => name.to_owned(),
        _ => format!("\"{name}\""),
    }
}

/// What is said otherwise of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Other {
    /// It was not there.
    New,
    /// It is no longer there.
    Gone,
    /// A field.
    Field(Path),
    /// An edge, by its kind and by what it leads to or names.
    Edge(Name, Name),
}

/// What a spec says of its nodes, to be compared with what it says once a node has another name.
#[derive(Debug, PartialEq, Eq)]
pub struct Declarations(BTreeMap<(u16, Address), Declared>);

impl Declarations {
    /// Returns what the spec says now, in every environment.
    pub fn now(db: &dyn Db, project: Project) -> Self {
        let kinds = &pack::schema(db, project).kinds;
        let mut all = BTreeMap::new();
        for (environment, _) in (0_u16..).zip(environments(db, project)) {
            for address in index(db, project).addresses(Some(environment)) {
                let said = declared(db, project, environment, address);
                let (Some(said), Some(kind)) = (said, kinds.get(&address.kind)) else {
                    continue;
                };
                let said = Declared {
                    fields: without_targets(&kind.fields, &said.fields),
                    ..(*said).clone()
                };
                all.insert((environment, address.clone()), said);
            }
        }
        Self(all)
    }

    /// Returns the node of which `after` says something else than this, apart from the name `to` of the node `from`: by
    /// its new address, with what differs.
    #[must_use]
    pub fn differing(&self, after: &Self, from: &Address, to: &Address) -> Option<(Address, Other)> {
        let renaming = Renaming { from, to };
        let mut left = after.0.len();
        for ((environment, address), said) in &self.0 {
            let address = renaming.address(address);
            let Some(now) = after.0.get(&(*environment, address.clone())) else {
                return Some((address, Other::Gone));
            };
            left -= 1;
            let said = renaming.declared(said);
            if said != *now {
                return Some((address, other(&said, now)));
            }
        }
        let is_new = |it: &&(u16, Address)| !self.0.keys().any(|old| (old.0, renaming.address(&old.1)) == **it);
        let new = after.0.keys().filter(|_| left > 0).find(is_new);
        new.map(|it| (it.1.clone(), Other::New))
    }
}

/// Returns `map` without the fields that declare edges: their keys are names, and the edges are compared themselves.
fn without_targets(record: &Record, map: &Map) -> Map {
    let entries = map.iter().filter_map(|(name, value)| {
        let field = record.fields.get(name)?;
        let value = match (&field.ty, value) {
            _ if field.edge.is_some() => return None,
            (Type::Record(inner), Value::Map(map)) => Value::Map(without_targets(inner, map)),
            _ => value.clone(),
        };
        Some((name.clone(), value))
    });
    entries.collect()
}

fn other(before: &Declared, after: &Declared) -> Other {
    if let Some(path) = first_difference(&before.fields, &after.fields, &Path::default()) {
        return Other::Field(path);
    }
    let named = |it: &Edge| (it.kind.clone(), Name::from(it.to.to_string()));
    let edge = lone(&before.edges, &after.edges).map(named);
    let open = || lone(&before.open, &after.open).map(|it| (it.kind.clone(), it.name.clone()));
    let (kind, to) = edge.or_else(open).expect("what is not the same differs somewhere");
    Other::Edge(kind, to)
}

/// Returns the first of `before` that is not in `after`, or else of `after` that is not in `before`.
fn lone<'a, T: PartialEq>(before: &'a [T], after: &'a [T]) -> Option<&'a T> {
    let gone = before.iter().find(|it| !after.contains(it));
    gone.or_else(|| after.iter().find(|it| !before.contains(it)))
}

fn first_difference(a: &Map, b: &Map, at: &Path) -> Option<Path> {
    for (name, value) in a {
        let path = at.join(name.clone());
        match (value, b.get(name)) {
            (_, Some(other)) if value == other => {}
            (Value::Map(a), Some(Value::Map(b))) => return first_difference(a, b, &path).or(Some(path)),
            _ => return Some(path),
        }
    }
    let new = b.iter().find(|it| a.get(&it.0).is_none());
    new.map(|it| at.join(it.0.clone()))
}

/// What a rename makes of values that hold no position.
struct Renaming<'a> {
    from: &'a Address,
    to: &'a Address,
}

impl Renaming<'_> {
    fn address(&self, address: &Address) -> Address {
        if address == self.from { self.to } else { address }.clone()
    }

    fn declared(&self, said: &Declared) -> Declared {
        let edge = |it: &Edge| Edge {
            kind: it.kind.clone(),
            to: self.address(&it.to),
            fields: self.map(&it.fields),
        };
        let open = |it: &OpenEdge| OpenEdge {
            fields: self.map(&it.fields),
            ..it.clone()
        };
        let mut edges: Vec<Edge> = said.edges.iter().map(edge).collect();
        edges.sort();
        Declared {
            fields: self.map(&said.fields),
            edges,
            open: said.open.iter().map(open).collect(),
        }
    }

    fn map(&self, map: &Map) -> Map {
        let entries = map.iter().map(|(name, value)| (name.clone(), self.value(value)));
        entries.collect()
    }

    fn value(&self, value: &Value) -> Value {
        match value {
            Value::Text(text) => Value::text(Text::new(text.segments().iter().map(|it| match it {
                Segment::Reference(it) => Segment::Reference(Arc::new(Reference {
                    node: self.address(&it.node),
                    ..(**it).clone()
                })),
                other => other.clone(),
            }))),
            Value::Node(address) => Value::Node(self.address(address)),
            Value::List(items) => Value::list(items.iter().map(|it| self.value(it))),
            Value::Map(map) => Value::Map(self.map(map)),
            other => other.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(to: &str, is_required: bool) -> Edge {
        Edge {
            kind: "depends_on".into(),
            to: Address::new("service", to),
            fields: [(Name::from("required"), Value::Bool(is_required))]
                .into_iter()
                .collect(),
        }
    }

    fn said(nodes: &[(&str, &[Edge])]) -> Declarations {
        let one = |(name, edges): &(&str, &[Edge])| {
            let declared = Declared {
                edges: edges.to_vec(),
                ..Declared::default()
            };
            ((0, Address::new("service", *name)), declared)
        };
        Declarations(nodes.iter().map(one).collect())
    }

    #[test]
    fn what_differs_apart_from_the_name_is_told() {
        let (from, to) = (Address::new("service", "a"), Address::new("service", "b"));
        let before = said(&[("a", &[]), ("web", &[edge("a", true)])]);
        let told = |after: &[(&str, &[Edge])]| {
            let other = before.differing(&said(after), &from, &to);
            other.map(|(node, other)| (node.name.to_string(), other))
        };
        let changed = |end: &str| {
            let end = Address::new("service", end).to_string();
            Some(("web".to_owned(), Other::Edge("depends_on".into(), end.into())))
        };
        assert_eq!(told(&[("b", &[]), ("web", &[edge("b", true)])]), None);
        assert_eq!(told(&[("b", &[]), ("web", &[])]), changed("b"));
        assert_eq!(told(&[("b", &[]), ("web", &[edge("b", false)])]), changed("b"));
        assert_eq!(
            told(&[("b", &[]), ("web", &[edge("b", true), edge("c", true)])]),
            changed("c")
        );
        assert_eq!(told(&[("b", &[])]), Some(("web".to_owned(), Other::Gone)));
        assert_eq!(
            told(&[("b", &[]), ("c", &[]), ("web", &[edge("b", true)])]),
            Some(("c".to_owned(), Other::New))
        );
    }
}
