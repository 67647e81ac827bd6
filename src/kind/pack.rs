//! The packs of a project: their order, and the one schema that they declare together.
//!
//! A pack is a folder with a `pack.yaml`. Rule and template files are read elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::declare::{Join, Pack};
use super::offer::{self, Generator, Pattern};
use super::typed::Reader;
use super::{Field, Record, Schema, Type, form};
use crate::db::{Db, Project, SourceFile, pack_files};
use crate::problem::{Place, Problem, Span, closest};
use crate::value::{Name, Path, Value};
use crate::yaml::{self, Data, Yaml};

/// A pack, as its head describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackInfo {
    /// Its name.
    pub name: Name,
    /// One sentence for its reader.
    pub doc: Arc<str>,
    /// A spec that shows what it is for, as its reader would write it; empty where it has none.
    pub example: Arc<str>,
    /// The platform that it is for, as nodes name it.
    pub platform: Option<Name>,
    /// The platforms for which its rules are, its own among them; none where they are for all.
    pub platforms: Vec<Name>,
    /// The packs that it needs.
    pub requires: Vec<Name>,
    /// The packs that it speaks of where they are there.
    pub optional: Vec<Name>,
    /// How a catalogue of generators lists it, if one does.
    pub generator: Option<Generator>,
    /// The ways to run a whole project that it offers, by name.
    pub patterns: Vec<Pattern>,
    /// Its `pack.yaml`.
    pub file: SourceFile,
}

/// Returns what all packs declare together.
pub fn schema(db: &dyn Db, project: Project) -> &Schema {
    schema_of(db, project)
}

/// Returns the same as the rules and templates of `pack` see it: where relations bear one name, its own is meant.
pub fn schema_seen_from<'db>(db: &'db dyn Db, project: Project, pack: &Name) -> &'db Schema {
    match seen_from(db, project, pack.clone()) {
        Some(schema) => schema,
        None => schema(db, project),
    }
}

/// Returns the schema as `pack` sees it, where that differs from what all see.
#[salsa::tracked(returns(ref))]
fn seen_from(db: &dyn Db, project: Project, pack: Name) -> Option<Arc<Schema>> {
    let shared = schema(db, project);
    let (own, others): (Vec<_>, Vec<_>) = shared.relations.values().partition(|it| it.pack == pack);
    let names: BTreeSet<&Name> = others.iter().map(|it| &it.name).collect();
    let differs = own.iter().any(|it| names.contains(&it.name));
    differs.then(|| {
        Arc::new(Schema {
            seen_from: Some(pack),
            ..shared.clone()
        })
    })
}

/// Returns the packs, each behind those it needs, else by name.
pub fn packs(db: &dyn Db, project: Project) -> &[PackInfo] {
    packs_of(db, project)
}

/// Returns what is wrong with the packs' files.
pub fn pack_problems(db: &dyn Db, project: Project) -> &[Problem] {
    &joined(db, project).2
}

// Three queries, so that a moved line in a pack changes the places of its problems and not the schema.
#[salsa::tracked(returns(deref))]
fn schema_of(db: &dyn Db, project: Project) -> Arc<Schema> {
    joined(db, project).0.clone()
}

#[salsa::tracked(returns(deref))]
fn packs_of(db: &dyn Db, project: Project) -> Vec<PackInfo> {
    joined(db, project).1.clone()
}

struct Head {
    info: PackInfo,
    path: Name,
    text: Arc<str>,
    yaml: Yaml,
    /// Whether the project brings it. Built-in packs come first, so that they own what both declare.
    is_own: bool,
    /// Where the packs it names stand.
    names: Vec<(Name, Place)>,
    /// Where the platforms it names stand.
    platforms: Vec<(Name, Place)>,
    own_place: Place,
}

type Joined = (Arc<Schema>, Vec<PackInfo>, Vec<Problem>);

#[salsa::tracked(returns(ref))]
fn joined(db: &dyn Db, project: Project) -> Joined {
    let mut problems = Vec::new();
    let mut heads: BTreeMap<Name, Head> = BTreeMap::new();
    for file in pack_files(db, project).iter().filter(|it| is_pack_file(it.path(db))) {
        let is_own = project.own(db).contains(file);
        let Some(head) = head(db, *file, is_own, &mut problems) else {
            continue;
        };
        if let Some(first) = heads.get(&head.info.name) {
            let message = format!("two packs bear the name `{}`", head.info.name);
            let problem = Problem::error("pack::duplicate_pack", message)
                .at(head.own_place, "second")
                .at(first.own_place.clone(), "first")
                .help("give one of them, and its folder, another name");
            problems.push(problem);
            continue;
        }
        heads.insert(head.info.name.clone(), head);
    }
    let order = order(&heads, &mut problems);
    let mut platforms: Vec<Name> = heads.values().filter_map(|it| it.info.platform.clone()).collect();
    platforms.sort();
    platforms.dedup();
    for (name, place) in heads.values().flat_map(|it| &it.platforms) {
        if !platforms.contains(name) {
            let problem = Problem::error(
                "pack::unknown_platform",
                format!("no pack is for the platform `{name}`"),
            )
            .at(place.clone(), "no such platform")
            .suggest(name, platforms.iter().map(|it| &**it));
            problems.push(problem);
        }
    }
    let mut join = Join::of(platforms.into());
    let packs: Vec<Pack<'_>> = order
        .iter()
        .map(|name| {
            let head = &heads[name];
            Pack {
                name: &head.info.name,
                file: &head.path,
                text: &head.text,
                yaml: &head.yaml,
                is_given: !head.is_own,
                may_use: reach(&heads, name),
            }
        })
        .collect();
    packs.iter().for_each(|it| join.edges(it));
    packs.iter().for_each(|it| join.kinds(it));
    packs.iter().for_each(|it| join.rest(it));
    check(&mut join);
    share_defaults(&mut join.schema);
    problems.append(&mut join.problems);
    problems.sort();
    problems.dedup();
    let infos = order.iter().map(|it| heads[it].info.clone()).collect();
    (Arc::new(join.schema), infos, problems)
}

fn is_pack_file(path: &str) -> bool {
    path == "pack.yaml" || path.ends_with("/pack.yaml")
}

fn head(db: &dyn Db, file: SourceFile, is_own: bool, problems: &mut Vec<Problem>) -> Option<Head> {
    let path = file.path(db).clone();
    let text = file.text(db).clone();
    let (yaml, mistakes) = yaml::parse(&text);
    problems.extend(mistakes.iter().map(|it| it.problem(&path)));
    let mut reader = Reader::new(&path, &text);
    let Some(yaml) = yaml else {
        if mistakes.is_empty() {
            problems.push(no_name(reader.place(Span::default()), "nothing is written here"));
        }
        return None;
    };
    form::check(&mut reader, &yaml);
    let named = yaml.entry("pack");
    if !matches!(yaml.data, Data::Map(_)) {
        problems.append(&mut reader.problems);
        return None;
    }
    let misspelt = || yaml.entries().iter().any(|it| closest(&it.key, &["pack"]).is_some());
    if named.is_none() && !misspelt() {
        let first = yaml.entries().first().map_or(yaml.span, |it| it.key_span);
        problems.push(no_name(reader.place(first), "no `pack` in this file"));
    }
    problems.append(&mut reader.problems);
    // A pack without a name goes by that of its folder, so that nothing else is told of it.
    let folder = path.rsplit('/').nth(1).unwrap_or_default();
    let name = named.and_then(|it| it.value.as_str()).unwrap_or(folder);
    if name != folder {
        let place = reader.place(named.map_or(yaml.span, |it| it.value.span));
        let message = format!("the pack `{name}` stands in the folder `{folder}`");
        let problem = Problem::error("pack::other_folder", message).at(place, "the folder bears another name");
        problems.push(problem.help(format!("write `pack: {folder}`, or name the folder `{name}`")));
    }
    let mut names = Vec::new();
    let list = |key: &str| {
        let items = yaml.get(key).map(Yaml::items).unwrap_or_default();
        let found = items
            .iter()
            .filter_map(|it| Some((Name::from(it.as_str()?), reader.place(it.span))));
        let found: Vec<(Name, Place)> = found.collect();
        let only: Vec<Name> = found.iter().map(|it| it.0.clone()).collect();
        (found, only)
    };
    let (required, requires) = list("requires");
    let (_, optional) = list("optional");
    let (named_platforms, mut platforms) = list("platforms");
    names.extend(required);
    let text_of = |key: &str| yaml.get(key).and_then(Yaml::as_str);
    let platform = text_of("platform").map(Name::from);
    platforms.extend(platform.clone());
    let info = PackInfo {
        name: Name::from(name),
        doc: text_of("doc").unwrap_or("").into(),
        example: text_of("example").unwrap_or("").into(),
        platform,
        platforms,
        requires,
        optional,
        generator: offer::generator(&yaml),
        patterns: offer::patterns(&yaml, &text),
        file,
    };
    let own_place = reader.place(named.map_or(yaml.span, |it| it.value.span));
    Some(Head {
        info,
        path,
        text: text.clone(),
        yaml,
        is_own,
        names,
        platforms: named_platforms,
        own_place,
    })
}

fn no_name(place: Place, label: &str) -> Problem {
    Problem::error("pack::no_name", "a pack has no name")
        .at(place, label)
        .help("write `pack: NAME` at its head")
}

/// Returns the names of the packs, each behind those it needs, else by name.
fn order(heads: &BTreeMap<Name, Head>, problems: &mut Vec<Problem>) -> Vec<Name> {
    for head in heads.values() {
        for (name, place) in head.names.iter().filter(|it| !heads.contains_key(&it.0)) {
            let message = format!("`{}` requires the pack `{name}`, which is not there", head.info.name);
            let problem = Problem::error("pack::unknown_pack", message)
                .at(place.clone(), "no such pack")
                .suggest(name, heads.keys().map(|it| &**it));
            problems.push(problem);
        }
    }
    let mut waiting: BTreeMap<&Name, BTreeSet<&Name>> = heads
        .iter()
        .map(|(name, head)| {
            let needs = head.info.requires.iter().chain(&head.info.optional);
            (name, needs.filter(|it| heads.contains_key(*it)).collect())
        })
        .collect();
    let mut order = Vec::new();
    while !waiting.is_empty() {
        let free = waiting.iter().filter(|(_, needs)| needs.is_empty()).map(|it| it.0);
        let next = match free.min_by_key(|it| (heads[**it].is_own, **it)) {
            Some(name) => (*name).clone(),
            None => {
                let cycle = cycle(&waiting);
                let message = format!("packs need each other: {}", cycle.join(" → "));
                let first = Name::from(&*cycle[0]);
                let mut problem = Problem::error("pack::requires_cycle", message);
                for name in cycle.iter().skip(1) {
                    let place = heads[&**name].own_place.clone();
                    problem = problem.at(place, "part of the cycle");
                }
                problems.push(problem.help("take one of them out of `requires` or `optional`"));
                first
            }
        };
        waiting.remove(&next);
        waiting.values_mut().for_each(|it| {
            it.remove(&next);
        });
        order.push(next);
    }
    order
}

/// Returns a cycle among packs that all wait, its first name again at its end.
fn cycle(waiting: &BTreeMap<&Name, BTreeSet<&Name>>) -> Vec<String> {
    let mut way: Vec<&Name> = Vec::new();
    let mut at = waiting.keys().next().copied();
    while let Some(name) = at {
        if let Some(start) = way.iter().position(|it| *it == name) {
            let names = way[start..].iter().chain([&name]);
            return names.map(|it| it.to_string()).collect();
        }
        way.push(name);
        at = waiting[name].iter().next().copied();
    }
    unreachable!("every pack that waits waits for one that waits")
}

/// Returns `name` and all packs that it needs, and that those need.
fn reach(heads: &BTreeMap<Name, Head>, name: &Name) -> BTreeSet<Name> {
    let mut found = BTreeSet::from([name.clone()]);
    let mut open = vec![name.clone()];
    while let Some(next) = open.pop() {
        let Some(head) = heads.get(&next) else { continue };
        for needed in head.info.requires.iter().chain(&head.info.optional) {
            if found.insert(needed.clone()) {
                open.push(needed.clone());
            }
        }
    }
    found
}

/// Looks up every name, now that all packs have spoken.
fn check(join: &mut Join) {
    let schema = &join.schema;
    let mut problems = Vec::new();
    for (kind, place) in &join.kinds {
        if !schema.kinds.contains_key(kind) {
            let problem = Problem::error("pack::unknown_kind", format!("`{kind}` is no kind of node"))
                .at(place.clone(), "unknown kind")
                .suggest(kind, schema.kinds.keys().map(|it| &**it));
            problems.push(problem);
        }
    }
    for (kind, path, place) in &join.fields {
        let Some(known) = schema.kinds.get(kind) else {
            let problem = Problem::error("pack::unknown_kind", format!("`{kind}` is no kind of node"))
                .at(place.clone(), "a field of this kind is named")
                .suggest(kind, schema.kinds.keys().map(|it| &**it));
            problems.push(problem);
            continue;
        };
        if let Err((step, names)) = field_at(&Type::Record(known.fields.clone()), path) {
            let message = format!("`{path}` is no field of `{kind}`: `{step}` is unknown");
            let problem = Problem::error("pack::dangling_field", message)
                .at(place.clone(), "no such field")
                .suggest(&step, names.iter().map(|it| &**it));
            problems.push(problem);
        }
    }
    for (kind, place) in &join.configs {
        let known = schema.kinds.get(kind);
        if known.is_none_or(|it| it.collection.is_none()) {
            let message = match known {
                Some(_) => format!("`{kind}` can't be the config of a generator: no spec declares nodes of it"),
                None => format!("`{kind}` is no kind of node"),
            };
            let problem = Problem::error("pack::bad_generator", message)
                .at(place.clone(), "named here")
                .suggest(
                    kind,
                    schema
                        .kinds
                        .values()
                        .filter(|it| it.collection.is_some())
                        .map(|it| &*it.name),
                );
            problems.push(problem);
        }
    }
    for (alias, place) in schema.aliases.iter().zip(&join.aliases) {
        let Some(kind) = schema.kinds.get(&alias.kind) else {
            continue;
        };
        let record = Type::Record(kind.fields.clone());
        let (Ok(own), Ok(neutral)) = (field_at(&record, &alias.own), field_at(&record, &alias.neutral)) else {
            continue;
        };
        if alias.shape.is_none() && !same_measure(&own, &neutral) {
            let message = format!("`{}` is {own}, but `{}` is {neutral}", alias.own, alias.neutral);
            let problem = Problem::error("pack::alias_type", message)
                .at(place.clone(), "they can't stand for each other")
                .help("give both one type, or say by `as` what the one becomes");
            problems.push(problem);
        }
    }
    for kind in schema.kinds.values() {
        for (key, path, wanted) in [
            ("platforms", &kind.platforms, Type::List(Arc::new(Type::String))),
            ("core_mhz", &kind.core_mhz, Type::Int),
        ] {
            let Some(path) = path else { continue };
            let found = field_at(&Type::Record(kind.fields.clone()), path);
            let Some(found) = found.ok().filter(|it| !same_shape(it, &wanted)) else {
                continue;
            };
            let message = format!("`{key}` of `{}` names `{path}`, which is {found}", kind.name);
            let stands = |it: &&(Name, Path, Place)| it.0 == kind.name && it.1 == *path;
            let problem =
                Problem::error("pack::wrong_form", message).help(format!("name a field of the type `{wanted}`"));
            problems.push(match join.fields.iter().find(stands) {
                Some((_, _, place)) => problem.at(place.clone(), "of another type"),
                None => problem,
            });
        }
    }
    for (edge, other) in &schema.yields {
        if !schema.edges.contains_key(other) {
            let problem = Problem::error(
                "pack::unknown_edge",
                format!("`{edge}` yields to `{other}`, which is no kind of edge"),
            )
            .suggest(other, schema.edges.keys().map(|it| &**it));
            problems.push(problem);
        }
    }
    join.problems.append(&mut problems);
}

/// Gives each pack's own field the default of the neutral one, where it has none of its own.
fn share_defaults(schema: &mut Schema) {
    let Schema { kinds, aliases, .. } = schema;
    for alias in aliases.iter().filter(|it| it.shape.is_none()) {
        let Some(kind) = kinds.get_mut(&alias.kind) else {
            continue;
        };
        let Some(neutral) = field(&kind.fields, &alias.neutral.0).cloned() else {
            continue;
        };
        if let Some(own) = field_mut(Arc::make_mut(&mut kind.fields), &alias.own.0) {
            share_default(own, &neutral);
        }
    }
}

fn share_default(own: &mut Field, neutral: &Field) {
    if own.default.is_none() {
        own.default.clone_from(&neutral.default);
    }
    share_in_type(&mut own.ty, &neutral.ty);
}

fn share_in_type(own: &mut Type, neutral: &Type) {
    match (own, neutral) {
        (Type::Record(own), Type::Record(neutral)) if *own != *neutral => {
            for (name, field) in &mut Arc::make_mut(own).fields {
                if let Some(neutral) = neutral.fields.get(name) {
                    share_default(field, neutral);
                }
            }
        }
        (Type::List(own), Type::List(neutral)) | (Type::Map(own), Type::Map(neutral)) if *own != *neutral => {
            share_in_type(Arc::make_mut(own), neutral);
        }
        _ => {}
    }
}

fn field<'r>(record: &'r Record, steps: &[Name]) -> Option<&'r Field> {
    let [first, rest @ ..] = steps else { return None };
    let found = record.fields.get(first)?;
    match &found.ty {
        _ if rest.is_empty() => Some(found),
        Type::Record(inner) => field(inner, rest),
        _ => None,
    }
}

fn field_mut<'r>(record: &'r mut Record, steps: &[Name]) -> Option<&'r mut Field> {
    let [first, rest @ ..] = steps else { return None };
    let found = record.fields.get_mut(first)?;
    if rest.is_empty() {
        return Some(found);
    }
    match &mut found.ty {
        Type::Record(inner) => field_mut(Arc::make_mut(inner), rest),
        _ => None,
    }
}

/// Returns the platforms on which nodes are that name none.
#[must_use]
pub fn default_platforms(schema: &Schema) -> BTreeSet<Name> {
    let defaults = schema.kinds.values().filter_map(|kind| {
        let named_by = field(&kind.fields, &kind.platforms.as_ref()?.0)?;
        named_by.default.as_ref()?.as_list()
    });
    let names = defaults.flatten().filter_map(Value::as_str);
    names.map(Name::from).collect()
}

/// Tells whether both types are the same, a choice being a string.
fn same_shape(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::List(a), Type::List(b)) => same_shape(a, b),
        (Type::Choice(_), Type::String) => true,
        _ => a == b,
    }
}

/// Tells whether values of both types mean the same, whatever a number without a unit means in each.
fn same_measure(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::Cpu { .. }, Type::Cpu { .. }) | (Type::Memory { .. }, Type::Memory { .. }) => true,
        (Type::List(a), Type::List(b)) | (Type::Map(a), Type::Map(b)) => same_measure(a, b),
        (Type::Record(a), Type::Record(b)) => a.fields.iter().all(|(name, field)| {
            let other = b.fields.get(name);
            other.is_none_or(|it| same_measure(&field.ty, &it.ty))
        }),
        _ => a == b,
    }
}

/// Returns the type at the end of `path`, from a value of type `ty`.
///
/// # Errors
///
/// The first step that is no field, and those that are known there.
pub fn field_at(ty: &Type, path: &Path) -> Result<Type, (Name, Vec<Name>)> {
    let mut ty = ty.clone();
    for step in &path.0 {
        ty = match &ty {
            Type::Record(record) => match record.fields.get(step) {
                Some(Field { ty, .. }) => ty.clone(),
                None => return Err((step.clone(), record.fields.keys().cloned().collect())),
            },
            Type::Map(item) => (**item).clone(),
            Type::Any => Type::Any,
            _ => return Err((step.clone(), Vec::new())),
        };
    }
    Ok(ty)
}
