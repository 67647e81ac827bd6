//! What one `pack.yaml` says, added to the schema of those before it.
//!
//! Names are looked up when all packs have spoken, in `pack`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::field::{FieldReader, insert};
use super::offer::{GENERATOR_KEYS, PATTERN_KEYS};
use super::typed::Reader;
use super::{Alias, EdgeKind, Kind, Record, Relation, Schema, Shape, Type, Unsupported};
use crate::problem::{Place, Problem};
use crate::value::{Name, Path, Value};
use crate::yaml::{Data, Entry, Yaml};

/// The schema as far as it is joined, and what is still to be checked of it.
#[derive(Default)]
pub(super) struct Join {
    pub(super) schema: Schema,
    /// The platforms that packs are for, sorted.
    pub(super) platforms: Arc<[Name]>,
    pub(super) problems: Vec<Problem>,
    /// Kinds of node that were named, and where.
    pub(super) kinds: Vec<(Name, Place)>,
    /// Fields that were named: of which kind, and where.
    pub(super) fields: Vec<(Name, Path, Place)>,
    /// Kinds whose fields are the config of a generator, and where each is named.
    pub(super) configs: Vec<(Name, Place)>,
    /// Where each alias stands, in the order of the schema's.
    pub(super) aliases: Vec<Place>,
    /// Where each field was declared.
    places: BTreeMap<(Name, Path), Place>,
    /// Packs that were told that they do not require another.
    unrequired: BTreeSet<(Name, Name)>,
    /// Where each kind of node and edge was declared first.
    declared: BTreeMap<Name, Place>,
}

/// A pack's file, about to be joined.
pub(super) struct Pack<'a> {
    pub(super) name: &'a Name,
    pub(super) file: &'a Name,
    pub(super) text: &'a str,
    pub(super) yaml: &'a Yaml,
    /// Whether it is built in.
    pub(super) is_given: bool,
    /// All packs that it may speak of: those it requires, and theirs.
    pub(super) may_use: BTreeSet<Name>,
}

const PACK_KEYS: [&str; 15] = [
    "pack",
    "platform",
    "platforms",
    "doc",
    "example",
    "requires",
    "optional",
    "kinds",
    "edges",
    "relations",
    "alias",
    "unsupported",
    "data",
    "generator",
    "patterns",
];
const KIND_KEYS: [&str; 9] = [
    "doc",
    "collection",
    "fields",
    "attributes",
    "attributes_from",
    "inherits",
    "platforms",
    "core_mhz",
    "usual",
];
const EDGE_KEYS: [&str; 5] = ["doc", "from", "to", "fields", "yields_to"];
const RELATION_KEYS: [&str; 5] = ["doc", "of", "fields", "shape", "order_by"];
/// Names that the spec itself gives a meaning to.
const RESERVED: [&str; 2] = ["name", "environments"];

impl Join {
    /// Returns an empty schema of packs that are for these platforms.
    pub(super) fn of(platforms: Arc<[Name]>) -> Self {
        Self {
            platforms,
            ..Self::default()
        }
    }

    /// Reads the keys and the kinds of edge of `pack`.
    pub(super) fn edges(&mut self, pack: &Pack<'_>) {
        let mut reader = pack.reader();
        known_keys(&mut reader, pack.yaml.entries(), &PACK_KEYS, "pack.yaml");
        for entry in pack.section("edges") {
            known_keys(&mut reader, entry.value.entries(), &EDGE_KEYS, "a kind of edge");
            let name = Name::from(&*entry.key);
            let place = reader.place(entry.key_span);
            let known = self
                .schema
                .edges
                .get(&name)
                .map(|it| (it.pack.clone(), (*it.fields).clone()));
            let mut fields = match known {
                Some((owner, fields)) => {
                    self.must_use(&mut reader, pack, &owner, entry);
                    fields
                }
                None => Record::default(),
            };
            if let Some(yaml) = entry.value.get("fields") {
                let scope = Name::from(format!("edge {name}"));
                let defaults = self.record(&mut reader, pack, &scope, &mut fields, yaml);
                for (path, list) in defaults {
                    let field = path.0.last().cloned().unwrap_or(Name::from(""));
                    self.schema.edge_defaults.insert((name.clone(), field), list);
                }
            }
            if let Some(to) = text(&entry.value, "yields_to") {
                self.schema.yields.insert(name.clone(), Name::from(to));
            }
            if let Some(known) = self.schema.edges.get_mut(&name) {
                known.fields = Arc::new(fields);
                continue;
            }
            let from = self.named_kinds(&reader, entry.value.get("from"));
            let to = self.named_kinds(&reader, entry.value.get("to"));
            self.declared.insert(Name::from(format!("edge {name}")), place);
            self.schema.edges.insert(
                name.clone(),
                EdgeKind {
                    name,
                    pack: pack.name.clone(),
                    doc: text(&entry.value, "doc").unwrap_or("").into(),
                    from,
                    to,
                    fields: Arc::new(fields),
                },
            );
        }
        self.problems.append(&mut reader.problems);
    }

    /// Reads the kinds of node of `pack`.
    pub(super) fn kinds(&mut self, pack: &Pack<'_>) {
        let mut reader = pack.reader();
        for entry in pack.section("kinds") {
            self.kind(&mut reader, pack, entry);
        }
        self.problems.append(&mut reader.problems);
    }

    fn kind(&mut self, reader: &mut Reader<'_>, pack: &Pack<'_>, entry: &Entry) {
        known_keys(reader, entry.value.entries(), &KIND_KEYS, "a kind");
        let name = Name::from(&*entry.key);
        let collection = text(&entry.value, "collection").map(Name::from);
        let mut kind = match self.schema.kinds.remove(&name) {
            Some(known) => {
                self.must_use(reader, pack, &known.pack.clone(), entry);
                known
            }
            None => {
                self.declared.insert(name.clone(), reader.place(entry.key_span));
                Kind {
                    name: name.clone(),
                    pack: pack.name.clone(),
                    doc: "".into(),
                    collection: None,
                    fields: Arc::default(),
                    attributes: BTreeMap::new(),
                    attributes_from: None,
                    inherits: Vec::new(),
                    platforms: None,
                    core_mhz: None,
                    usual: false,
                }
            }
        };
        if kind.doc.is_empty() {
            kind.doc = text(&entry.value, "doc").unwrap_or("").into();
        }
        if let Some(collection) = collection {
            self.collection(reader, &mut kind, collection, &entry.value);
        }
        if let Some(yaml) = entry.value.get("fields") {
            let fields = Arc::make_mut(&mut kind.fields);
            self.record(reader, pack, &name, fields, yaml);
        }
        for attribute in entries(&entry.value, "attributes") {
            let doc = attribute.value.as_str().unwrap_or("").into();
            if kind.attributes.insert(Name::from(&*attribute.key), doc).is_some() {
                let message = format!("the attribute `{}` of `{name}` is declared twice", attribute.key);
                reader
                    .error("pack::field_collision", attribute.key_span, message, "declared again")
                    .help = Some("leave one of the two out".into());
            }
        }
        for (key, field) in [
            ("attributes_from", &mut kind.attributes_from),
            ("platforms", &mut kind.platforms),
            ("core_mhz", &mut kind.core_mhz),
        ] {
            if let Some(path) = entry.value.get(key) {
                let from = Path::parse(path.as_str().unwrap_or(""));
                self.fields.push((name.clone(), from.clone(), reader.place(path.span)));
                *field = Some(from);
            }
        }
        kind.usual |= entry
            .value
            .get("usual")
            .is_some_and(|it| matches!(it.data, Data::Bool(true)));
        for inherited in entries(&entry.value, "inherits") {
            let from = Path::parse(&inherited.key);
            let into = Path::parse(inherited.value.as_str().unwrap_or(""));
            self.fields
                .push((Name::from("project"), from.clone(), reader.place(inherited.key_span)));
            self.fields
                .push((name.clone(), into.clone(), reader.place(inherited.value.span)));
            kind.inherits.push((from, into));
        }
        self.schema.kinds.insert(name, kind);
    }

    fn collection(&mut self, reader: &mut Reader<'_>, kind: &mut Kind, collection: Name, yaml: &Yaml) {
        let span = yaml.get("collection").map_or(yaml.span, |it| it.span);
        let other = self
            .schema
            .kinds
            .values()
            .find(|it| it.collection.as_ref() == Some(&collection));
        if let Some(other) = other {
            let message = format!("the collection `{collection}` is that of `{}` already", other.name);
            reader.error("pack::collection_collision", span, message, "taken").help =
                Some("give this kind a collection of another name".into());
        } else if let Some(known) = kind.collection.clone().filter(|it| *it != collection) {
            let message = format!("nodes of `{}` stand under `{known}` already", kind.name);
            reader
                .error("pack::collection_collision", span, message, "a second collection")
                .help = Some("leave it out: a kind has one collection".into());
        } else {
            kind.collection = Some(collection);
        }
    }

    /// Adds declared fields to `record`; returns those whose default their target gives.
    fn record(
        &mut self,
        reader: &mut Reader<'_>,
        pack: &Pack<'_>,
        scope: &Name,
        record: &mut Record,
        yaml: &Yaml,
    ) -> Vec<(Path, Vec<super::EdgeDefault>)> {
        let mut fields = FieldReader {
            reader,
            pack: pack.name,
            edges: &self.schema.edges,
            platforms: &self.platforms,
            kinds: &mut self.kinds,
        };
        let mut defaults = Vec::new();
        for declared in fields.fields(yaml) {
            let place = reader.place(declared.span);
            if let [only] = declared.path.0.as_slice()
                && RESERVED.contains(&&**only)
                && &**scope != "project"
                // Facts and edges are no nodes; their scopes have two words.
                && !scope.contains(' ')
            {
                let message = format!("`{only}` can't be declared: the spec itself gives it a meaning");
                reader
                    .error("pack::reserved_field", declared.span, message, "reserved")
                    .help = Some("give the field another name".into());
                continue;
            }
            if let Some((kind, span)) = declared.declares {
                self.kinds.push((kind.clone(), reader.place(span)));
                self.schema.declares.push((declared.path.clone(), kind));
            }
            let key = (scope.clone(), declared.path.clone());
            if let Err(owner) = insert(record, &declared.path.0, declared.field) {
                let message = format!("`{}` of `{scope}` is declared by `{owner}` already", declared.path);
                let mut problem = Problem::error("pack::field_collision", message)
                    .at(place, "declared again")
                    .help("leave one of the two out, or give it another path, such as one below the pack's name");
                if let Some(first) = self.places.get(&key) {
                    problem = problem.at(first.clone(), "first declared here");
                }
                self.problems.push(problem);
                continue;
            }
            self.places.entry(key).or_insert(place);
            if !declared.default_from.is_empty() {
                defaults.push((declared.path, declared.default_from));
            }
        }
        defaults
    }

    /// Checks that a pack which adds to something of `owner` says that it needs it; says so once.
    fn must_use(&mut self, reader: &mut Reader<'_>, pack: &Pack<'_>, owner: &Name, entry: &Entry) {
        let is_told = !self.unrequired.insert((pack.name.clone(), owner.clone()));
        if owner == pack.name || pack.may_use.contains(owner) || is_told {
            return;
        }
        let message = format!(
            "`{}` adds to `{}` of the pack `{owner}`, which it does not require",
            pack.name, entry.key
        );
        let requires = pack.yaml.entry("requires");
        let required: Vec<&str> = requires
            .map(|it| it.value.items())
            .unwrap_or_default()
            .iter()
            .filter_map(Yaml::as_str)
            .collect();
        let list = required
            .iter()
            .copied()
            .chain([&**owner])
            .collect::<Vec<_>>()
            .join(", ");
        reader
            .error(
                "pack::not_required",
                entry.key_span,
                message,
                "declared by another pack",
            )
            .help = Some(format!("write `requires: [{list}]` at the head of `{}`", pack.file).into());
    }

    /// Reads relations, aliases and unsupported fields of `pack`.
    pub(super) fn rest(&mut self, pack: &Pack<'_>) {
        let mut reader = pack.reader();
        for entry in pack.section("relations") {
            self.relation(&mut reader, pack, entry);
        }
        for entry in pack.section("alias") {
            self.alias(&mut reader, pack, entry);
        }
        if let Some(list) = pack.yaml.get("unsupported") {
            for item in list.items() {
                self.unsupported(&mut reader, pack, item);
            }
        }
        if let Some(yaml) = pack.yaml.get("data")
            && let Some(value) = shape(&mut reader, yaml)
        {
            self.schema
                .data
                .insert(pack.name.clone(), (Type::of_data(&value), value));
        }
        self.offers(&mut reader, pack);
        self.problems.append(&mut reader.problems);
    }

    /// Checks what `pack` offers to be chosen; what it is, `offer` reads.
    fn offers(&mut self, reader: &mut Reader<'_>, pack: &Pack<'_>) {
        if let Some(generator) = pack.yaml.entry("generator") {
            known_keys(reader, generator.value.entries(), &GENERATOR_KEYS, "a generator");
            if text(&generator.value, "name").is_none() {
                let message = format!("the generator of the pack `{}` has no name", pack.name);
                reader
                    .error("pack::bad_generator", generator.key_span, message, "no `name` in it")
                    .help = Some("write `name: …`, as a catalogue shall list it".into());
            }
            match generator.value.get("config") {
                Some(config) => self
                    .configs
                    .push((Name::from(config.as_str().unwrap_or("")), reader.place(config.span))),
                None => {
                    let message = format!("the generator of the pack `{}` has no config", pack.name);
                    reader
                        .error("pack::bad_generator", generator.key_span, message, "no `config` in it")
                        .help = Some("write `config: KIND`: the kind of node whose fields are its config".into());
                }
            }
        }
        let usual = self.schema.kinds.values().find(|it| it.usual);
        let usual = usual.map_or(Name::from("project"), |it| it.name.clone());
        for pattern in pack.section("patterns") {
            known_keys(reader, pattern.value.entries(), &PATTERN_KEYS, "a pattern");
            for (key, kind) in [("set", &Name::from("project")), ("service", &usual)] {
                for field in entries(&pattern.value, key) {
                    let place = reader.place(field.key_span);
                    self.fields.push((kind.clone(), Path::parse(&field.key), place));
                }
            }
        }
    }

    fn relation(&mut self, reader: &mut Reader<'_>, pack: &Pack<'_>, entry: &Entry) {
        known_keys(reader, entry.value.entries(), &RELATION_KEYS, "a relation");
        let name = Name::from(&*entry.key);
        let mut fields = Record::default();
        if let Some(yaml) = entry.value.get("fields") {
            let scope = Name::from(format!("relation {}/{name}", pack.name));
            self.record(reader, pack, &scope, &mut fields, yaml);
            // A fact has all fields of its relation, but for those that say they may be absent.
            for entry in yaml.entries().iter().filter(|it| it.value.get("required").is_none()) {
                if let Some(field) = fields.fields.get_mut(&*entry.key).filter(|it| it.default.is_none()) {
                    field.required = true;
                }
            }
        }
        let order_by = text(&entry.value, "order_by").map(Name::from);
        let shape = match (text(&entry.value, "shape"), order_by) {
            (Some("one"), _) => Shape::One,
            (None | Some("set"), None) => Shape::Set,
            (None | Some("list"), Some(order_by)) if fields.fields.contains_key(&order_by) => Shape::List { order_by },
            (written, order_by) => {
                let problem = match (written, order_by) {
                    (None | Some("list"), Some(order_by)) => Problem::error(
                        "pack::bad_relation",
                        format!("`{name}` is ordered by `{order_by}`, no field of it"),
                    )
                    .suggest(&order_by, fields.fields.keys().map(|it| &**it)),
                    (Some("list"), None) => {
                        Problem::error("pack::bad_relation", format!("`{name}` is a list without an order"))
                            .help("say by which field: `order_by: FIELD`")
                    }
                    (written, _) => {
                        let written = written.unwrap_or("");
                        Problem::error("pack::bad_relation", format!("`{written}` is no shape of a relation"))
                            .suggest(written, ["one", "set", "list"])
                    }
                };
                self.problems
                    .push(problem.at(reader.place(entry.key_span), "of this relation"));
                Shape::Set
            }
        };
        let relation = Relation {
            of: self.named_kinds(reader, entry.value.get("of")),
            name,
            pack: pack.name.clone(),
            doc: text(&entry.value, "doc").unwrap_or("").into(),
            fields: Arc::new(fields),
            shape,
        };
        self.schema.relations.insert(relation.id(), relation);
    }

    fn alias(&mut self, reader: &mut Reader<'_>, pack: &Pack<'_>, entry: &Entry) {
        known_keys(reader, entry.value.entries(), &["kind", "to", "as"], "an alias");
        let to = match &entry.value.data {
            Data::Map(_) => entry.value.get("to"),
            _ => Some(&entry.value),
        };
        let Some((neutral, at)) = to.and_then(|it| Some((it.as_str()?, it.span))) else {
            let message = format!("the alias `{}` stands for nothing", entry.key);
            reader
                .error("pack::dangling_alias", entry.value.span, message, "no field is named")
                .help = Some("write `own.field: neutral.field`, or `{to: neutral.field, as: …}`".into());
            return;
        };
        let Some(kind) = self.kind_of(&entry.value) else {
            let message = format!("nothing says of which kind of node the alias `{}` is", entry.key);
            reader
                .error("pack::dangling_alias", entry.key_span, message, "of which kind?")
                .help = Some("write `own.field: {kind: KIND, to: neutral.field}`".into());
            return;
        };
        let alias = Alias {
            own: Path::parse(&entry.key),
            neutral: Path::parse(neutral),
            shape: entry.value.get("as").and_then(|it| shape(reader, it)),
            pack: pack.name.clone(),
            kind: kind.clone(),
        };
        self.fields
            .push((kind.clone(), alias.own.clone(), reader.place(entry.key_span)));
        self.fields.push((kind, alias.neutral.clone(), reader.place(at)));
        self.aliases.push(reader.place(entry.key_span));
        self.schema.aliases.push(alias);
    }

    fn unsupported(&mut self, reader: &mut Reader<'_>, pack: &Pack<'_>, item: &Yaml) {
        known_keys(
            reader,
            item.entries(),
            &["kind", "field", "reason"],
            "an unsupported field",
        );
        let field = item.as_str().or(text(item, "field"));
        let platform = text(pack.yaml, "platform");
        let kind = self.kind_of(item);
        let (Some(field), Some(platform), Some(kind)) = (field, platform, &kind) else {
            let (message, help) = match (field, platform) {
                (None, _) => (
                    "an item of `unsupported` names no field",
                    "write `- {field: PATH, reason: …}`",
                ),
                (_, None) => (
                    "`unsupported` needs to know the platform",
                    "write `platform: NAME` at the head, and `{field: PATH, reason: …}` here",
                ),
                _ => (
                    "nothing says of which kind of node this field is",
                    "write `{kind: KIND, field: PATH}`, or say `usual: true` of the kind that is meant where none is named",
                ),
            };
            reader
                .error("pack::bad_unsupported", item.span, message.to_owned(), "incomplete")
                .help = Some(help.into());
            return;
        };
        if self.schema.kinds.get(kind).is_some_and(|it| it.platforms.is_none()) {
            let message = format!("no field of `{kind}` names its platforms");
            reader
                .error("pack::bad_unsupported", item.span, message, "applies to no node")
                .help = Some(format!("add `platforms: PATH` to the kind `{kind}`").into());
            return;
        }
        let path = Path::parse(field);
        self.fields.push((kind.clone(), path.clone(), reader.place(item.span)));
        self.schema.unsupported.push(Unsupported {
            kind: kind.clone(),
            path,
            platform: Name::from(platform),
            reason: text(item, "reason").map(Into::into),
            pack: pack.name.clone(),
        });
    }

    /// Returns the kind that an alias or an unsupported field is of: the one that is named, else the usual one.
    fn kind_of(&self, yaml: &Yaml) -> Option<Name> {
        if let Some(named) = text(yaml, "kind") {
            return Some(Name::from(named));
        }
        let mut usual = self.schema.kinds.values().filter(|it| it.usual);
        let only = usual.next()?.name.clone();
        usual.next().is_none().then_some(only)
    }

    /// Reads `service`, `service|infra` or a list of them.
    fn named_kinds(&mut self, reader: &Reader<'_>, yaml: Option<&Yaml>) -> Arc<[Name]> {
        let Some(yaml) = yaml else { return [].into() };
        let mut names = Vec::new();
        let parts = std::slice::from_ref(yaml).iter().chain(yaml.items());
        for part in parts {
            for name in part
                .as_str()
                .unwrap_or("")
                .split('|')
                .map(str::trim)
                .filter(|it| !it.is_empty())
            {
                names.push(Name::from(name));
                self.kinds.push((Name::from(name), reader.place(part.span)));
            }
        }
        names.into()
    }
}

impl Pack<'_> {
    fn reader(&self) -> Reader<'_> {
        Reader {
            is_given: self.is_given,
            ..Reader::new(self.file, self.text)
        }
    }

    fn section(&self, key: &str) -> &[Entry] {
        entries(self.yaml, key)
    }
}

fn entries<'y>(yaml: &'y Yaml, key: &str) -> &'y [Entry] {
    yaml.get(key).map(Yaml::entries).unwrap_or_default()
}

fn text<'y>(yaml: &'y Yaml, key: &str) -> Option<&'y str> {
    yaml.get(key).and_then(Yaml::as_str)
}

/// Reads the shape of an alias, in which `${value}` is no reference, or a table of a pack.
fn shape(reader: &mut Reader<'_>, yaml: &Yaml) -> Option<Value> {
    Some(match &yaml.data {
        Data::String(text) => Value::string(&*text.content),
        Data::Map(entries) => entries
            .iter()
            .filter_map(|it| Some((Name::from(&*it.key), shape(reader, &it.value)?)))
            .collect(),
        Data::List(items) => Value::list(items.iter().filter_map(|it| shape(reader, it))),
        _ => return reader.read(&Type::Any, yaml, "as"),
    })
}

fn known_keys<'y>(reader: &mut Reader<'_>, entries: impl IntoIterator<Item = &'y Entry>, known: &[&str], of: &str) {
    for entry in entries {
        if known.contains(&&*entry.key) {
            continue;
        }
        let problem = Problem::error("pack::unknown_key", format!("`{}` is no key of {of}", entry.key))
            .at(reader.place(entry.key_span), "unknown key")
            .suggest(&entry.key, known.iter().copied());
        reader.problems.push(problem);
    }
}
