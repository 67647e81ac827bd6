//! The one type system: kinds of node and edge, and relations, as packs declare them.
//!
//! Everything that checks a name asks here: the spec reader, patterns, expressions and templates. This module
//! knows types and members; it evaluates nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::value::{Name, Path, Value};

pub mod credential;
mod declare;
mod field;
mod form;
pub mod json_schema;
pub mod limits;
pub mod offer;
pub mod pack;
pub mod page;
pub mod reference;
#[cfg(test)]
mod tests;
pub mod typed;
pub mod unit;
pub mod whence;

pub use limits::Limits;

/// The type of a field, a fact's field, an expression or a template's variable.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// Whatever a map or list of the spec holds, unchecked: a file's own content, say.
    Any,
    /// The absent value.
    Null,
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Int,
    /// A number.
    Double,
    /// A plain string: a reference in it is a mistake.
    String,
    /// A string that may hold references or code.
    Text,
    /// A span of time, held in milliseconds: `30s`, `1m30s`, `250ms`.
    Duration,
    /// Computing power, held in millicores: `2`, `0.5`, `250m`.
    Cpu {
        /// What a number without a unit means.
        bare: Bare,
    },
    /// A size, held in bytes: `256Mi`, `1G`.
    Memory {
        /// What a number without a unit means.
        bare: Bare,
    },
    /// One of a closed set of strings.
    Choice(Arc<[Name]>),
    /// Values of one type, in order.
    List(Arc<Type>),
    /// Values of one type, by free names.
    Map(Arc<Type>),
    /// Declared fields.
    Record(Arc<Record>),
    /// A node of one of these kinds; of any kind where there are none.
    Node(Arc<[Name]>),
    /// An edge of one of these kinds, as a pattern binds it.
    Edge(Arc<[Name]>),
}

/// What a number without a unit means where a unit is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bare {
    /// It is a mistake: the unit must be written.
    Refused,
    /// Whole cores.
    Cores,
    /// Megahertz, turned into millicores by what the project takes a core for (1,000 by default).
    Megahertz,
    /// Mebibytes.
    Mebibytes,
}

/// Declared fields, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Record {
    /// The fields.
    pub fields: BTreeMap<Name, Field>,
    /// The field that a scalar stands for where this record is wanted: `http: 8080` for `http: {port: 8080}`.
    pub short: Option<Name>,
}

/// One declared field.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    /// What it holds.
    pub ty: Type,
    /// One sentence for its reader.
    pub doc: Arc<str>,
    /// Whether a spec must give it.
    pub required: bool,
    /// What it holds where nothing gives it.
    pub default: Option<Value>,
    /// What to write instead, where it is deprecated.
    pub deprecated: Option<Arc<str>>,
    /// The unit of a number, for its reader.
    pub unit: Option<Name>,
    /// The kind of edge that this field of a node declares, if it does: its value is then a map from target to
    /// the edge's fields, for which a list of names is short.
    pub edge: Option<Name>,
    /// What its values must be beyond their type.
    pub limits: Option<Arc<Limits>>,
    /// The pack that declares it.
    pub pack: Name,
}

/// A kind of node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Kind {
    /// Its name, as in `(s:service)`.
    pub name: Name,
    /// The pack that declares it first.
    pub pack: Name,
    /// One sentence for its reader.
    pub doc: Arc<str>,
    /// The key of the spec under which its nodes stand (`services`), if a spec may declare them.
    pub collection: Option<Name>,
    /// All fields that the packs give it.
    pub fields: Arc<Record>,
    /// What of it a reference may name, with a sentence each.
    pub attributes: BTreeMap<Name, Arc<str>>,
    /// A map among its fields each key of which is an attribute too (the ports of a service, the keys of a secret).
    pub attributes_from: Option<Path>,
    /// Where its fields take their defaults from: a path of the project, and the path here that it fills.
    pub inherits: Vec<(Path, Path)>,
    /// The field that lists the platforms which a node is for.
    pub platforms: Option<Path>,
    /// The field that says how many megahertz a core has; of the project alone.
    pub core_mhz: Option<Path>,
    /// Whether aliases and unsupported fields are of it where they name no kind.
    pub usual: bool,
}

/// A kind of edge.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EdgeKind {
    /// Its name, as in `-[:depends_on]->`.
    pub name: Name,
    /// The pack that declares it.
    pub pack: Name,
    /// One sentence for its reader.
    pub doc: Arc<str>,
    /// The kinds at its start; any where empty.
    pub from: Arc<[Name]>,
    /// The kinds at its end; any where empty.
    pub to: Arc<[Name]>,
    /// Its fields.
    pub fields: Arc<Record>,
}

/// How many facts of a relation a node may have, and in which order they are read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// At most one; two different ones are an error.
    One,
    /// Any number, each once, sorted by their fields.
    Set,
    /// Any number, each once, sorted by this field first.
    List {
        /// The field.
        order_by: Name,
    },
}

/// A relation: what a kind of fact says of a node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Relation {
    /// Its name within the pack.
    pub name: Name,
    /// The pack that declares it.
    pub pack: Name,
    /// One sentence for its reader.
    pub doc: Arc<str>,
    /// The kinds of node that it speaks of; any where empty.
    pub of: Arc<[Name]>,
    /// The fields of one fact.
    pub fields: Arc<Record>,
    /// How many there may be.
    pub shape: Shape,
}

impl Relation {
    /// Returns `pack/name`, by which it is known everywhere.
    #[must_use]
    pub fn id(&self) -> Name {
        Name::from(format!("{}/{}", self.pack, self.name))
    }
}

/// Another word for a field: a pack's own for a neutral one.
///
/// Reading `own` gives what stands there over what stands at `neutral`; where the spec says nothing at `neutral`,
/// what stands at `own` fills it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Alias {
    /// The kind of node.
    pub kind: Name,
    /// The pack's own field.
    pub own: Path,
    /// The field that it fills and is filled from.
    pub neutral: Path,
    /// What `own` becomes at `neutral`, with the string `${value}` standing for it; `own` is then only read, never filled.
    pub shape: Option<Value>,
    /// The pack that says so.
    pub pack: Name,
}

/// A field that a pack can't honour.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Unsupported {
    /// The kind of the node.
    pub kind: Name,
    /// The field of a node that uses the platform; `*` stands for each key of a map.
    pub path: Path,
    /// The platform, as it stands in the field that lists a node's platforms.
    pub platform: Name,
    /// What to do instead, or why not.
    pub reason: Option<Arc<str>>,
    /// The pack that says so.
    pub pack: Name,
}

/// All that the packs of a project declare.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Schema {
    /// Kinds of node by name.
    pub kinds: BTreeMap<Name, Kind>,
    /// Kinds of edge by name.
    pub edges: BTreeMap<Name, EdgeKind>,
    /// Relations by `pack/name`.
    pub relations: BTreeMap<Name, Relation>,
    /// Words for words.
    pub aliases: Vec<Alias>,
    /// Fields that platforms can't honour.
    pub unsupported: Vec<Unsupported>,
    /// Maps among the project's fields that declare nodes of a kind, whose `type` is by default their name.
    pub declares: Vec<(Path, Name)>,
    /// What a field of an edge holds where nothing gives it, as its target says: by kind of edge and field.
    pub edge_defaults: BTreeMap<(Name, Name), Vec<EdgeDefault>>,
    /// Kinds of edge whose fields give way to those of another kind of edge to the same target.
    pub yields: BTreeMap<Name, Name>,
    /// The pack from which names are looked up: of relations that bear one name, its own is meant.
    pub seen_from: Option<Name>,
    /// The tables of a pack that its rules read as `data`, by the pack, with their type.
    pub data: BTreeMap<Name, (Type, Value)>,
}

/// What a field of an edge holds by default, if its target is so. The first of a list that fits counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EdgeDefault {
    /// The target's field that is looked at; none where this always fits.
    pub when: Option<Path>,
    /// What stands there; anything but nothing, an empty map and an empty list where this is none.
    pub equals: Option<Value>,
    /// What the edge's field then holds.
    pub value: Value,
}

/// What is read of a value: all of it, these of its members, or this of each of its items.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reads {
    /// Whether the value itself is printed or compared, so that no part of it may be left out.
    pub whole: bool,
    /// What is read of its members, by name.
    pub members: BTreeMap<Name, Reads>,
    /// What is read of each item, where it is a list or a map that is walked.
    pub each: Option<Box<Reads>>,
}

/// What a name stands for on a value of some type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its type.
    pub ty: Type,
    /// Whether it may be absent, so that it must be asked for with `has()` or `.?`.
    pub optional: bool,
    /// The relation, where the name is one: the facts of it on the node.
    pub relation: Option<Name>,
}

/// Why a name stands for nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoMember {
    /// It is unknown; these are known.
    Unknown(Vec<Name>),
    /// Relations of several packs bear it; these are their full names.
    Ambiguous(Vec<Name>),
    /// Some of the node's possible kinds have it, these lack it.
    NotInAll(Vec<Name>),
    /// Values of this type have no members.
    NoMembers,
}

/// The fields that every node has: its name, its kind, its address as text.
pub const NODE_FIELDS: [&str; 3] = ["name", "kind", "address"];

impl Schema {
    /// Returns what `name` stands for on a value of type `ty`.
    ///
    /// # Errors
    ///
    /// [`NoMember`] says why it stands for nothing.
    pub fn member(&self, ty: &Type, name: &str) -> Result<Member, NoMember> {
        match ty {
            Type::Any => Ok(Member {
                ty: Type::Any,
                optional: true,
                relation: None,
            }),
            Type::Map(item) => Ok(Member {
                ty: (**item).clone(),
                optional: true,
                relation: None,
            }),
            Type::Record(record) => record.member(name),
            Type::Node(kinds) => self.node_member(kinds, name),
            Type::Edge(kinds) => self.edge_member(kinds, name),
            _ => Err(NoMember::NoMembers),
        }
    }

    fn node_member(&self, kinds: &[Name], name: &str) -> Result<Member, NoMember> {
        if NODE_FIELDS.contains(&name) {
            return Ok(Member {
                ty: Type::String,
                optional: false,
                relation: None,
            });
        }
        let all: Vec<&Kind> = if kinds.is_empty() {
            self.kinds.values().collect()
        } else {
            kinds.iter().filter_map(|it| self.kinds.get(it)).collect()
        };
        let having: Vec<&Field> = all.iter().filter_map(|it| it.fields.fields.get(name)).collect();
        if let Some(first) = having.first() {
            if having.len() < all.len() {
                let lacking = all.iter().filter(|it| !it.fields.fields.contains_key(name));
                return Err(NoMember::NotInAll(lacking.map(|it| it.name.clone()).collect()));
            }
            let ty = if having.iter().all(|it| it.ty == first.ty) {
                first.ty.clone()
            } else {
                Type::Any
            };
            return Ok(Member {
                ty,
                optional: having.iter().any(|it| it.may_be_absent()),
                relation: None,
            });
        }
        self.relation_member(&all, name)
    }

    fn relation_member(&self, kinds: &[&Kind], name: &str) -> Result<Member, NoMember> {
        let named: Vec<&Relation> = self.relations_named(name);
        let Some(relation) = named.first() else {
            let fields = kinds.iter().flat_map(|it| it.fields.fields.keys().cloned());
            let relations = self.relations.values().map(|it| it.name.clone());
            let builtin = NODE_FIELDS.iter().map(|it| Name::from(*it));
            return Err(NoMember::Unknown(fields.chain(relations).chain(builtin).collect()));
        };
        if named.len() > 1 {
            return Err(NoMember::Ambiguous(named.iter().map(|it| it.id()).collect()));
        }
        let lacking: Vec<Name> = kinds
            .iter()
            .filter(|it| !relation.of.is_empty() && !relation.of.contains(&it.name))
            .map(|it| it.name.clone())
            .collect();
        if !lacking.is_empty() {
            return Err(NoMember::NotInAll(lacking));
        }
        let record = Type::Record(relation.fields.clone());
        let one = relation.shape == Shape::One;
        let ty = if one { record } else { Type::List(Arc::new(record)) };
        Ok(Member {
            ty,
            optional: one,
            relation: Some(relation.id()),
        })
    }

    /// Returns the relations that `name` may mean: one where it is `pack/name` or the own pack's, else each of that name.
    #[must_use]
    pub fn relations_named(&self, name: &str) -> Vec<&Relation> {
        let own = || self.relations.get(&*format!("{}/{name}", self.seen_from.as_ref()?));
        match self.relations.get(name).or_else(own) {
            Some(relation) => vec![relation],
            None => self.relations.values().filter(|it| *it.name == *name).collect(),
        }
    }

    fn edge_member(&self, kinds: &[Name], name: &str) -> Result<Member, NoMember> {
        let all: Vec<&EdgeKind> = if kinds.is_empty() {
            self.edges.values().collect()
        } else {
            kinds.iter().filter_map(|it| self.edges.get(it)).collect()
        };
        let ends = |pick: fn(&EdgeKind) -> &Arc<[Name]>| {
            let open = all.iter().any(|it| pick(it).is_empty());
            let mut kinds: Vec<Name> = all.iter().flat_map(|it| pick(it).iter().cloned()).collect();
            kinds.sort();
            kinds.dedup();
            Type::Node(if open { [].into() } else { kinds.into() })
        };
        match name {
            "from" => {
                return Ok(Member {
                    ty: ends(|it| &it.from),
                    optional: false,
                    relation: None,
                });
            }
            "to" => {
                return Ok(Member {
                    ty: ends(|it| &it.to),
                    optional: false,
                    relation: None,
                });
            }
            "kind" => {
                return Ok(Member {
                    ty: Type::String,
                    optional: false,
                    relation: None,
                });
            }
            _ => {}
        }
        let having: Vec<&Field> = all.iter().filter_map(|it| it.fields.fields.get(name)).collect();
        match having.first() {
            Some(first) if having.len() == all.len() => {
                let ty = if having.iter().all(|it| it.ty == first.ty) {
                    first.ty.clone()
                } else {
                    Type::Any
                };
                Ok(Member {
                    ty,
                    optional: having.iter().any(|it| it.may_be_absent()),
                    relation: None,
                })
            }
            Some(_) => {
                let lacking = all.iter().filter(|it| !it.fields.fields.contains_key(name));
                Err(NoMember::NotInAll(lacking.map(|it| it.name.clone()).collect()))
            }
            None => {
                let known = all.iter().flat_map(|it| it.fields.fields.keys().cloned());
                Err(NoMember::Unknown(
                    known.chain(["from", "to", "kind"].map(Name::from)).collect(),
                ))
            }
        }
    }
}

impl Type {
    /// Returns the type of a table that stands in a pack: a map is a record, a list holds what its items share.
    #[must_use]
    pub fn of_data(value: &Value) -> Self {
        match value {
            Value::Bool(_) => Self::Bool,
            Value::Int(_) => Self::Int,
            Value::Double(_) => Self::Double,
            Value::String(_) => Self::String,
            Value::List(items) => {
                let mut types = items.iter().map(Self::of_data);
                let first = types.next().unwrap_or(Self::Any);
                let same = types.all(|it| it == first);
                Self::List(Arc::new(if same { first } else { Self::Any }))
            }
            Value::Map(map) => {
                let fields = map
                    .iter()
                    .map(|(name, it)| (name.clone(), Field::always(Self::of_data(it), "")));
                Self::Record(Arc::new(Record {
                    fields: fields.collect(),
                    short: None,
                }))
            }
            _ => Self::Any,
        }
    }

    /// Tells whether a value of this type says nothing: null, an empty list or map, a record all of whose fields
    /// say nothing. Absent records are held as such, so that their inner lists can be walked without asking.
    #[must_use]
    pub fn is_blank(&self, value: &Value) -> bool {
        match (self, value) {
            (_, Value::Null) => true,
            (Self::Record(record), Value::Map(map)) => map.iter().all(|(name, it)| match record.fields.get(name) {
                Some(field) => field.ty.is_blank(it),
                None => false,
            }),
            (_, Value::Map(map)) => map.is_empty(),
            (_, Value::List(items)) => items.is_empty(),
            _ => false,
        }
    }
}

impl Record {
    /// Returns what `name` stands for on a record.
    ///
    /// # Errors
    ///
    /// [`NoMember::Unknown`] with all names that are known.
    pub fn member(&self, name: &str) -> Result<Member, NoMember> {
        let Some(field) = self.fields.get(name) else {
            return Err(NoMember::Unknown(self.fields.keys().cloned().collect()));
        };
        Ok(Member {
            ty: field.ty.clone(),
            optional: field.may_be_absent(),
            relation: None,
        })
    }
}

impl Field {
    /// Returns a field of this type that is always there, for records made by the engine itself.
    #[must_use]
    pub fn always(ty: Type, doc: &str) -> Self {
        Self {
            ty,
            doc: doc.into(),
            required: true,
            default: None,
            deprecated: None,
            unit: None,
            edge: None,
            limits: None,
            pack: Name::from(""),
        }
    }

    /// Tells whether a value may lack this field. Records, maps and lists are always there, if only empty.
    #[must_use]
    pub fn may_be_absent(&self) -> bool {
        let whole = matches!(self.ty, Type::Record(_) | Type::Map(_) | Type::List(_));
        !(self.required || self.default.is_some() || whole || self.edge.is_some())
    }
}

impl Type {
    /// Tells whether a value of type `given` may stand where this type is wanted.
    ///
    /// `Any` fits everywhere and takes everything; what it really holds is seen when it is used.
    #[must_use]
    pub fn accepts(&self, given: &Self) -> bool {
        let number = |it: &Self| matches!(it, Self::Int | Self::Duration | Self::Cpu { .. } | Self::Memory { .. });
        match (self, given) {
            (Self::Any, _) | (_, Self::Any) => true,
            (Self::Text | Self::String, Self::String | Self::Choice(_)) => true,
            (Self::Choice(_), Self::String) => true,
            (Self::Choice(wanted), Self::Choice(given)) => given.iter().all(|it| wanted.contains(it)),
            (Self::Double, it) => number(it) || matches!(it, Self::Double),
            (wanted, given) if number(wanted) && number(given) => true,
            (Self::List(wanted), Self::List(given)) | (Self::Map(wanted), Self::Map(given)) => wanted.accepts(given),
            (Self::Map(wanted), Self::Record(given)) => given.fields.values().all(|it| wanted.accepts(&it.ty)),
            (Self::Record(wanted), Self::Record(given)) => {
                let known = given.fields.keys().all(|it| wanted.fields.contains_key(it));
                known
                    && wanted.fields.iter().all(|(name, field)| match given.fields.get(name) {
                        Some(given) => field.ty.accepts(&given.ty),
                        None => !field.required,
                    })
            }
            (Self::Record(wanted), Self::Map(given)) => wanted.fields.values().all(|it| it.ty.accepts(given)),
            (Self::Node(wanted), Self::Node(given)) | (Self::Edge(wanted), Self::Edge(given)) => {
                wanted.is_empty() || (!given.is_empty() && given.iter().all(|it| wanted.contains(it)))
            }
            (wanted, given) => wanted == given,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let any_of = |f: &mut fmt::Formatter<'_>, what: &str, kinds: &[Name]| {
            let kinds: Vec<&str> = kinds.iter().map(|it| &**it).collect();
            if kinds.is_empty() {
                f.write_str(what)
            } else {
                f.write_str(&kinds.join("|"))
            }
        };
        match self {
            Self::Any => f.write_str("any"),
            Self::Null => f.write_str("null"),
            Self::Bool => f.write_str("bool"),
            Self::Int => f.write_str("int"),
            Self::Double => f.write_str("double"),
            Self::String => f.write_str("string"),
            Self::Text => f.write_str("text"),
            Self::Duration => f.write_str("duration"),
            Self::Cpu { .. } => f.write_str("cpu"),
            Self::Memory { .. } => f.write_str("memory"),
            Self::Choice(choices) => any_of(f, "string", choices),
            Self::List(item) => write!(f, "list({item})"),
            Self::Map(item) => write!(f, "map({item})"),
            Self::Record(_) => f.write_str("record"),
            Self::Node(kinds) => any_of(f, "node", kinds),
            Self::Edge(kinds) => any_of(f, "edge", kinds),
        }
    }
}
