//! The facts of one node, each with its cause.
//!
//! One memo holds all facts of one stratum that speak of one node: many small memos cost ten times the memory.
//! No query here calls its own kind on a neighbour of the same stratum, so a chain of any length is no stack of calls.

pub mod effect;
pub mod finding;
pub mod guard;
pub mod matching;
pub mod shape;
pub mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use rustc_hash::{FxHashMap, FxHashSet};

use crate::db::{Db, Project, View};
use crate::fact::guard::{Entry, Guarded};
use crate::kind::{Relation, Shape, Type, pack};
use crate::problem::{Place, Problem};
use crate::rule::{set, strata};
use crate::value::{Address, Map, Name, Path, Value};

/// One fact.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fact {
    /// Its fields.
    pub fields: Map,
    /// The rules that derive it, sorted.
    pub rules: Vec<Name>,
}

/// The facts of one stratum that speak of one node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The facts of each relation that has any.
    pub of: BTreeMap<Name, Known>,
    /// What failed, and what contradicts.
    pub problems: Vec<Problem>,
}

/// The facts of one relation that speak of one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The facts, in the order in which they are read.
    pub facts: Arc<[Fact]>,
    /// What an expression reads: their fields, as a list, or of the one that may be.
    pub value: Value,
}

impl Known {
    fn new(facts: Vec<Fact>, shape: &Shape) -> Self {
        let mut fields = facts.iter().map(|it| Value::Map(it.fields.clone()));
        let value = match (shape, facts.as_slice()) {
            (Shape::One, [_, ..]) => fields.next().unwrap_or_default(),
            _ => Value::list(fields),
        };
        Self {
            facts: facts.into(),
            value,
        }
    }
}

/// Where the facts of each relation are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Layout {
    /// By relation.
    of: FxHashMap<Name, Kept>,
    /// For each stratum the kinds of node of which facts may speak.
    kinds: Vec<FxHashSet<Name>>,
}

/// Where the facts of a relation are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kept {
    stratum: u16,
    is_one: bool,
}

/// Returns where the facts of each relation are kept.
#[salsa::tracked(returns(ref))]
fn layout(db: &dyn Db, project: Project) -> Layout {
    let relations = &pack::schema(db, project).relations;
    let strata = &strata::strata(db, project).of;
    let kept = strata.iter().map(|(name, stratum)| {
        let is_one = relations.get(name).is_some_and(|it| it.shape == Shape::One);
        let stratum = *stratum;
        (name.clone(), Kept { stratum, is_one })
    });
    let mut layout = Layout {
        of: kept.collect(),
        kinds: vec![FxHashSet::default(); strata.values().max().map_or(0, |it| usize::from(*it) + 1)],
    };
    for id in set::ids(db, project) {
        let rule = set::rule(db, project, id.clone()).as_ref();
        for fact in rule.iter().flat_map(|it| &it.facts) {
            let variable = rule.and_then(|it| it.body.pattern.variable(&fact.of));
            if let (Some(Type::Node(kinds)), Some(stratum)) = (variable.map(|it| &it.ty), strata.get(&fact.relation)) {
                layout.kinds[usize::from(*stratum)].extend(kinds.iter().cloned());
            }
        }
    }
    layout
}

/// Returns which facts of which rules speak of nodes of `kind` in `stratum`.
#[salsa::tracked(returns(ref))]
fn sources(db: &dyn Db, project: Project, kind: Name, stratum: u16) -> Guarded {
    let of = &strata::strata(db, project).of;
    Guarded::new(db, project, &kind, |rule| {
        // Facts of one rule about one variable share its matches.
        let mut by_subject: BTreeMap<&Name, Vec<usize>> = BTreeMap::new();
        for (at, fact) in rule.facts.iter().enumerate() {
            if of.get(&fact.relation) == Some(&stratum) {
                by_subject.entry(&fact.of).or_default().push(at);
            }
        }
        by_subject.into_iter().map(|(of, facts)| (of.clone(), facts)).collect()
    })
}

/// Returns the facts of one stratum that speak of the node at `address`.
#[salsa::tracked(returns(ref))]
pub fn facts(db: &dyn Db, project: Project, environment: u16, address: Address, stratum: u16) -> Facts {
    let view = View::finished(environment);
    let mut facts = Facts::default();
    let mut found: BTreeMap<&Name, BTreeMap<Map, BTreeSet<Name>>> = BTreeMap::new();
    let sources = sources(db, project, address.kind.clone(), stratum);
    for Entry {
        rule,
        anchor,
        facts: of,
        ..
    } in sources.admitted(db, view, &address)
    {
        let matches = matching::matches(db, project, view, rule, anchor, &address);
        facts.problems.extend(matches.problems);
        for one in &matches.found {
            for fact in of.iter().map(|it| &rule.facts[*it]) {
                let record =
                    matching::evaluated(db, project, view, rule, &address, |run| run.fields(&fact.fields, one));
                match record {
                    Ok(record) => {
                        let causes = found.entry(&fact.relation).or_default().entry(record).or_default();
                        causes.insert(rule.id.clone());
                    }
                    Err(problem) => facts.problems.push(problem),
                }
            }
        }
    }
    let schema = pack::schema(db, project);
    for (id, records) in found {
        let Some(relation) = schema.relations.get(id) else {
            continue;
        };
        let records = records.into_iter().map(|(fields, rules)| Fact {
            fields: with_defaults(&fields, relation),
            rules: rules.into_iter().collect(),
        });
        let ordered = ordered(records.collect(), relation, &address, environment, &mut facts.problems);
        facts.of.insert(id.clone(), Known::new(ordered, &relation.shape));
    }
    facts
}

fn with_defaults(fields: &Map, relation: &Relation) -> Map {
    let absent = relation
        .fields
        .fields
        .iter()
        .filter(|(name, _)| fields.get(name).is_none());
    let defaults = absent.filter_map(|(name, field)| Some((name.clone(), field.default.clone()?)));
    defaults.chain(fields.iter().cloned()).collect()
}

/// Brings the facts of a relation into the order in which they are read; two where one may be are a problem.
fn ordered(
    mut facts: Vec<Fact>,
    relation: &Relation,
    address: &Address,
    environment: u16,
    problems: &mut Vec<Problem>,
) -> Vec<Fact> {
    match &relation.shape {
        Shape::Set => {}
        Shape::List { order_by } => facts.sort_by(|a, b| a.fields.get(order_by).cmp(&b.fields.get(order_by))),
        Shape::One => {
            if let [first, second, ..] = &facts[..] {
                let difference = first
                    .fields
                    .iter()
                    .find(|(name, value)| second.fields.get(name) != Some(value));
                let difference = difference.map_or_else(String::new, |(name, _)| format!(" (they differ in `{name}`)"));
                let problem = Problem::error(
                    "rule::two_facts",
                    format!(
                        "`{address}` has two facts of `{}`, which allows one{difference}",
                        relation.name
                    ),
                )
                .at(Place::Rule(second.rules[0].clone()), "derives one")
                .at(Place::Rule(first.rules[0].clone()), "derives another")
                .at(
                    Place::Field {
                        environment: None,
                        node: address.clone(),
                        path: Path::default(),
                    },
                    "of this node",
                )
                .help("let one of the rules hold only where the other does not, or make the relation's shape `set`");
                problems.push(problem);
                let _ = environment;
                facts.truncate(1);
            }
        }
    }
    facts
}

/// Returns the facts of one stratum that speak of the node at `address`; none, and nothing to remember, where there is no
/// rule for them.
fn in_stratum<'db>(
    db: &'db dyn Db,
    project: Project,
    environment: u16,
    address: &Address,
    stratum: u16,
) -> Option<&'db Facts> {
    let kinds = &layout(db, project).kinds[usize::from(stratum)];
    kinds
        .contains(&address.kind)
        .then(|| facts(db, project, environment, address.clone(), stratum))
}

/// Returns the facts of `relation` that speak of the node at `address`.
#[must_use]
pub fn of<'db>(db: &'db dyn Db, project: Project, environment: u16, address: &Address, relation: &str) -> &'db [Fact] {
    let kept = layout(db, project).of.get(relation);
    let facts = kept.and_then(|it| in_stratum(db, project, environment, address, it.stratum));
    facts.and_then(|it| it.of.get(relation)).map_or(&[], |it| &it.facts)
}

/// Returns the facts of `relation` that speak of the node at `address`, as an expression reads them: a list of maps, or
/// one map or none where the relation's shape is `one`.
#[must_use]
pub fn value<'db>(
    db: &'db dyn Db,
    project: Project,
    environment: u16,
    address: &Address,
    relation: &str,
) -> Option<&'db Value> {
    static NOTHING: LazyLock<Value> = LazyLock::new(|| Value::list([]));
    let Some(kept) = layout(db, project).of.get(relation) else {
        return Some(&NOTHING);
    };
    let facts = in_stratum(db, project, environment, address, kept.stratum);
    match facts.and_then(|it| it.of.get(relation)) {
        Some(known) => Some(&known.value),
        None => (!kept.is_one).then_some(&*NOTHING),
    }
}

/// Returns what failed while the facts of the node at `address` were derived.
#[must_use]
pub fn problems(db: &dyn Db, project: Project, environment: u16, address: &Address) -> Vec<Problem> {
    (0_u16..)
        .take(layout(db, project).kinds.len())
        .filter_map(|it| in_stratum(db, project, environment, address, it))
        .flat_map(|it| it.problems.iter().cloned())
        .collect()
}
