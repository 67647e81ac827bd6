//! What is wrong with the spec beyond single files: names that nothing bears, names borne twice, fields that lack.
//!
//! Mistakes within one file are found when it is read (`file`). Places are looked for only once something is wrong.

use std::collections::BTreeSet;

use super::complete::{complete_node, completion};
use super::edge::{Found, OpenEdge, visit};
use super::file::lowered_file;
use super::index::{Slot, environments, index};
use super::layer::{Declared, declared_in, inherited_in, seen_as};
use super::locate::{Site, sites};
use super::merge;
use super::overrides::overrides;
use crate::db::{Db, Project, SourceFile, spec_files};
use crate::kind::reference::{self, Mention};
use crate::kind::{Schema, pack};
use crate::problem::{self, Place, Problem, Span};
use crate::value::{Address, Map, Name, Path, Reference, Value};
use crate::yaml::{Data, Yaml};

/// A problem, and what would solve it: a node of one of these addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Finding {
    problem: Problem,
    /// A derived node of one of these addresses makes it no problem.
    unless: Vec<Address>,
}

/// Returns all that is wrong with the spec files, sorted.
pub fn problems(db: &dyn Db, project: Project) -> Vec<Problem> {
    problems_given(db, project, &|_| false)
}

/// Returns all that is wrong with the spec files, where `is_derived` knows the nodes that rules add.
pub fn problems_given(db: &dyn Db, project: Project, is_derived: &dyn Fn(&Address) -> bool) -> Vec<Problem> {
    let mut found: Vec<Problem> = project_problems(db, project).clone();
    let standing = all_findings(db, project)
        .iter()
        .filter(|it| !it.unless.iter().any(is_derived));
    found.extend(standing.map(|it| it.problem.clone()));
    let pointless = pointless(db, project)
        .iter()
        .filter(|it| !it.unless.iter().any(is_derived));
    found.extend(pointless.map(|it| it.problem.clone()));
    found.sort();
    found.dedup();
    found
}

/// Returns what is wrong with the files one by one.
#[salsa::tracked(returns(ref))]
fn all_findings(db: &dyn Db, project: Project) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in spec_files(db, project) {
        let problems = lowered_file(db, file).problems.iter();
        found.extend(problems.map(|it| Finding {
            problem: it.clone(),
            unless: Vec::new(),
        }));
        found.extend(file_findings(db, file).iter().cloned());
    }
    found
}

/// Returns what is wrong with one file, as far as it and the names of all others tell; `is_derived`
/// knows the nodes that rules add.
#[must_use]
pub fn file_problems(db: &dyn Db, file: SourceFile, is_derived: &dyn Fn(&Address) -> bool) -> Vec<Problem> {
    problems_with(db, file, file_findings(db, file), is_derived)
}

/// Returns the same of a file with which nothing was wrong before, and in which nothing but these `nodes` is different.
#[must_use]
pub fn new_problems(
    db: &dyn Db,
    file: SourceFile,
    nodes: &BTreeSet<Address>,
    is_derived: &dyn Fn(&Address) -> bool,
) -> Vec<Problem> {
    problems_with(db, file, &findings_of(db, file, &|it| nodes.contains(it)), is_derived)
}

fn problems_with(
    db: &dyn Db,
    file: SourceFile,
    findings: &[Finding],
    is_derived: &dyn Fn(&Address) -> bool,
) -> Vec<Problem> {
    let standing = findings.iter().filter(|it| !it.unless.iter().any(is_derived));
    let of_names = standing.map(|it| it.problem.clone());
    let of_reading = lowered_file(db, file).problems.iter().cloned();
    of_reading.chain(of_names).collect()
}

/// Tells whether the YAML of a file can't be read in full, so that it may say more than what was read.
#[must_use]
pub fn is_torn(db: &dyn Db, file: SourceFile) -> bool {
    let problems = &lowered_file(db, file).problems;
    problems.iter().any(|it| it.code.starts_with("yaml::"))
}

/// Checks the names in one file, for whoever asks for all problems later: files can be checked in parallel.
pub fn check_file(db: &dyn Db, file: SourceFile) {
    file_findings(db, file);
}

/// Returns a warning for each node that an overlay takes away, but that no spec declares.
#[salsa::tracked(returns(ref))]
fn pointless(db: &dyn Db, project: Project) -> Vec<Finding> {
    let index = index(db, project);
    let mut found = Vec::new();
    for (nth, environment) in environments(db, project).iter().enumerate() {
        let nth = u16::try_from(nth).unwrap_or(u16::MAX);
        for address in index.difference(nth).into_iter().flat_map(|it| &it.pointless) {
            let place = Place::Field {
                environment: Some(environment.name.clone()),
                node: address.clone(),
                path: Path::default(),
            };
            let message = format!(
                "the environment `{}` removes `{address}`, which no spec declares",
                environment.name
            );
            let problem = Problem::warning("spec::removes_nothing", message)
                .at(place_of(db, project, &place), "removes nothing")
                .suggest(&address.name, index.names(None, &address.kind).map(|it| &**it));
            found.push(Finding {
                problem,
                unless: vec![address.clone()],
            });
        }
    }
    found
}

/// Returns what is wrong with the files taken together.
#[salsa::tracked(returns(ref))]
fn project_problems(db: &dyn Db, project: Project) -> Vec<Problem> {
    let index = index(db, project);
    let mut found = overrides(db, project).problems.clone();
    for (address, place) in &overrides(db, project).aims {
        if !index.has_anywhere(address) {
            let problem = Problem::error(
                "spec::unknown_override",
                format!("`{address}`, which is to be set, does not exist"),
            )
            .at(place.clone(), "set here")
            .suggest(&address.name, index.names(None, &address.kind).map(|it| &**it));
            found.push(problem);
        }
    }
    for (address, first, again) in &index.duplicates {
        let problem = Problem::error("spec::duplicate_node", format!("`{address}` is declared twice"))
            .at(slot_place(db, project, *again, address, true), "declared again")
            .at(slot_place(db, project, *first, address, false), "first declared here")
            .help("rename one of them, or write both into one");
        found.push(problem);
    }
    let known = environments(db, project);
    for (file, name) in &index.unknown_environments {
        found.extend(unknown_environment(db, *file, name, known.iter().map(|it| &*it.name)));
    }
    for (nth, environment) in known.iter().enumerate() {
        let nth = u16::try_from(nth).unwrap_or(u16::MAX);
        for address in index.difference(nth).into_iter().flat_map(|it| &it.added) {
            // Short names and numbered ones are alike without being mistaken for each other.
            let plain = |it: &str| it.trim_end_matches(|it: char| it.is_ascii_digit()).to_owned();
            let names = index.names(None, &address.kind).map(|it| &**it);
            let names: Vec<&str> = names.filter(|it| plain(it) != plain(&address.name)).collect();
            let Some(close) = problem::closest(&address.name, &names) else {
                continue;
            };
            // Short names are near to each other by nature, so what is said must look like an overlay of the other too.
            let other = Address::new(address.kind.clone(), close);
            if address.name.len() <= 3 && !says_less(db, project, (nth, address), &other) {
                continue;
            }
            let place = Place::Field {
                environment: Some(environment.name.clone()),
                node: address.clone(),
                path: Path::default(),
            };
            let message = format!("`{address}` exists in the environment `{}` only", environment.name);
            let place = place_of(db, project, &place);
            let problem = Problem::warning("spec::only_in_environment", message)
                .at(place, "declared by an overlay")
                .help(format!("did you mean `{close}`?"));
            found.push(problem);
        }
    }
    found
}

/// Tells whether the node, as an environment has it, says only of what the other says too, and not all of that.
fn says_less(db: &dyn Db, project: Project, (environment, node): (u16, &Address), other: &Address) -> bool {
    let (Some(own), Some(other)) = (
        declared_in(db, project, Some(environment), node),
        declared_in(db, project, None, other),
    ) else {
        return false;
    };
    let (own, other) = (&own.fields, &other.fields);
    own.len() < other.len() && own.iter().all(|(name, _)| other.get(name).is_some())
}

fn place_of(db: &dyn Db, project: Project, place: &Place) -> Place {
    let found = super::locate(db, project, place);
    found.map_or_else(|| place.clone(), |(file, span)| Place::Text(file, span))
}

/// Returns where a node's name stands in the file that declares it; the last one there, if it comes twice.
fn slot_place(db: &dyn Db, project: Project, slot: Slot, address: &Address, last: bool) -> Place {
    let schema = pack::schema(db, project);
    let text = slot.file.text(db);
    let (yaml, _) = crate::yaml::parse(text);
    let spans = yaml.as_ref().map(|it| named(schema, it, address)).unwrap_or_default();
    let span = if last { spans.last() } else { spans.first() };
    Place::Text(slot.file.path(db).clone(), span.copied().unwrap_or_default())
}

/// Returns every place at which a file declares the node.
fn named(schema: &Schema, yaml: &Yaml, address: &Address) -> Vec<Span> {
    let mut spans = Vec::new();
    for entry in yaml.entries() {
        if *entry.key == *address.kind && entry.value.as_str() == Some(&address.name) {
            spans.push(entry.value.span);
        }
        let kind = super::file::collection(schema, &entry.key);
        if kind.is_some_and(|it| it.name == address.kind) {
            spans.extend(entry.value.entry(&address.name).map(|it| it.key_span));
        }
    }
    for (path, kind) in &schema.declares {
        let map = path.0.iter().try_fold(yaml, |yaml, step| yaml.get(step));
        if *kind == address.kind
            && let Some(entry) = map.and_then(|it| it.entry(&address.name))
        {
            spans.push(entry.key_span);
        }
    }
    spans.sort();
    spans
}

fn unknown_environment<'a>(
    db: &dyn Db,
    file: SourceFile,
    name: &Name,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Vec<Problem> {
    let mut spans = Vec::new();
    let (yaml, _) = crate::yaml::parse(file.text(db));
    if let Some(yaml) = &yaml {
        environment_keys(yaml, name, 0, &mut spans);
    }
    let known: Vec<&str> = known.filter(|it| !it.is_empty()).collect();
    let problems = spans.into_iter().map(|span| {
        let problem = Problem::error(
            "spec::unknown_environment",
            format!("`{name}` is no environment of this project"),
        )
        .at(Place::Text(file.path(db).clone(), span), "unknown environment");
        if known.is_empty() {
            problem.help(format!("declare it in the root file: `environments: {{{name}: {{}}}}`"))
        } else {
            problem.suggest(name, known.iter().copied())
        }
    });
    problems.collect()
}

/// Finds the keys of overlays: those of a file, and those of a node, which stands two levels below.
fn environment_keys(yaml: &Yaml, name: &str, depth: usize, spans: &mut Vec<Span>) {
    for entry in yaml.entries() {
        if &*entry.key == "environments" {
            spans.extend(entry.value.entry(name).map(|it| it.key_span));
        } else if depth < 2 {
            environment_keys(&entry.value, name, depth + 1, spans);
        }
    }
}

/// Returns what is wrong with the names in a file's nodes, in the base and in every environment that changes them.
#[salsa::tracked(returns(ref))]
fn file_findings(db: &dyn Db, file: SourceFile) -> Vec<Finding> {
    findings_of(db, file, &|_| true)
}

/// Returns the same of those nodes that are asked for.
fn findings_of(db: &dyn Db, file: SourceFile, is_asked: &dyn Fn(&Address) -> bool) -> Vec<Finding> {
    let mut found = Vec::new();
    let Some(project) = Project::try_get(db) else {
        return found;
    };
    let index = index(db, project);
    let names = environments(db, project);
    let own = lowered_file(db, file).nodes.iter().enumerate();
    let own = own.filter(|(nth, it)| index.slot(&it.address) == Some(Slot { file, nth: *nth }));
    for (_, fragment) in own.filter(|it| is_asked(&it.1.address)) {
        check_node(db, project, None, &fragment.address, &mut found);
    }
    for (nth, environment) in names.iter().enumerate() {
        let nth = u16::try_from(nth).unwrap_or(u16::MAX);
        let Some(difference) = index.difference(nth) else {
            continue;
        };
        // A node may lose its target without being changed itself.
        let others = index.renames(nth);
        let own = lowered_file(db, file).nodes.iter().map(|it| &it.address);
        let here = own.filter(|it| index.slot(it).is_some_and(|it| it.file == file));
        let added = difference.added.iter().filter(|_| file == project.root(db));
        for address in here.chain(added).filter(|it| is_asked(it)) {
            if (others || difference.touched.contains(address)) && index.has(Some(nth), address) {
                check_node(db, project, Some((nth, &environment.name)), address, &mut found);
            }
        }
    }
    let mut result: Vec<Finding> = Vec::new();
    for finding in found {
        if !result.contains(&finding) {
            result.push(finding);
        }
    }
    result
}

type Seen<'a> = Option<(u16, &'a Name)>;

fn check_node(db: &dyn Db, project: Project, seen: Seen<'_>, address: &Address, found: &mut Vec<Finding>) {
    let nth = seen.map(|it| it.0);
    let Some(declared) = declared_in(db, project, nth, address) else {
        return;
    };
    let environment = nth.and_then(|it| seen_as(db, project, it, address));
    let complete = complete_node(db, project, environment, address.clone());
    let lacking = complete.iter().flat_map(|it| it.problems.iter().cloned());
    found.extend(lacking.map(|problem| Finding {
        problem,
        unless: Vec::new(),
    }));
    let checker = Checker {
        db,
        project,
        seen,
        address,
    };
    checker.open_edges(&declared, found);
    checker.mentions(&declared, found);
}

struct Checker<'a> {
    db: &'a dyn Db,
    project: Project,
    seen: Seen<'a>,
    address: &'a Address,
}

impl Checker<'_> {
    fn nth(&self) -> Option<u16> {
        self.seen.map(|it| it.0)
    }

    fn sites(&self) -> Vec<Site<'_>> {
        sites(self.db, self.project, self.seen.map(|it| it.1), self.address)
    }

    fn open_edges(&self, declared: &Declared, found: &mut Vec<Finding>) {
        let index = index(self.db, self.project);
        for edge in &declared.open {
            let there: Vec<&Address> = edge.candidates.iter().filter(|it| index.has(self.nth(), it)).collect();
            let place = Place::Field {
                environment: self.seen.map(|it| it.1.clone()),
                node: self.address.clone(),
                path: edge.field.join(edge.name.clone()),
            };
            let place = place_of(self.db, self.project, &place);
            let problem = if there.is_empty() {
                self.unknown_target(edge, place)
            } else {
                let names: Vec<String> = there.iter().map(|it| format!("`{it}`")).collect();
                let message = format!("`{}` may be {}", edge.name, names.join(" or "));
                Problem::error("spec::ambiguous_target", message)
                    .at(place, "which of them?")
                    .help(format!("write `{}`", there[0]))
            };
            let unless = if there.is_empty() {
                edge.candidates.clone()
            } else {
                Vec::new()
            };
            found.push(Finding { problem, unless });
        }
    }

    fn unknown_target(&self, edge: &OpenEdge, place: Place) -> Problem {
        let index = index(self.db, self.project);
        let gone = self
            .seen
            .filter(|_| edge.candidates.iter().any(|it| index.has(None, it)));
        let which = match gone {
            Some((_, environment)) => format!("which does not exist in the environment `{environment}`"),
            None => "which no spec declares".to_owned(),
        };
        let message = format!("`{}` of `{}` names `{}`, {which}", edge.field, self.address, edge.name);
        let problem = Problem::error("spec::unknown_target", message).at(place, "unknown node");
        if let Some((_, environment)) = gone {
            let path = edge.field.join(edge.name.clone());
            return problem.help(format!(
                "let the overlay `{environment}` remove `{path}` too, by `null`"
            ));
        }
        let schema = pack::schema(self.db, self.project);
        let kinds = edge.candidates.iter().map(|it| &it.kind);
        let elsewhere = schema.kinds.keys().find(|kind| {
            let address = Address::new((*kind).clone(), edge.name.clone());
            !kinds.clone().any(|it| it == *kind) && index.has(self.nth(), &address)
        });
        if let Some(kind) = elsewhere {
            return problem.help(format!(
                "`{}` is of the kind `{kind}`, to which no such edge leads",
                edge.name
            ));
        }
        let written = edge.name.split_once('.').map_or(&*edge.name, |it| it.1);
        let names: Vec<&str> = kinds
            .flat_map(|it| index.names(self.nth(), it))
            .map(|it| &**it)
            .collect();
        problem.suggest(written, names)
    }

    fn mentions(&self, declared: &Declared, found: &mut Vec<Finding>) {
        let mut bad: Vec<(Reference, Problem, Part)> = Vec::new();
        for (_, value) in &declared.fields {
            visit(value, &mut |it| match it {
                Found::Reference(reference) => {
                    if let Some((problem, part)) = self.unknown(reference) {
                        bad.push((reference.clone(), problem, part));
                    }
                }
                Found::Node(address) => {
                    if !index(self.db, self.project).has(self.nth(), address) {
                        found.push(self.unknown_node(address));
                    }
                }
            });
        }
        if bad.is_empty() {
            return;
        }
        let sites = self.sites();
        for (reference, problem, part) in bad {
            let unless = match part {
                Part::Attribute => Vec::new(),
                _ => vec![reference.node.clone()],
            };
            let label = match part {
                Part::Kind => "unknown kind",
                Part::Name => "unknown node",
                Part::Attribute => "unknown attribute",
            };
            let mut places: Vec<Place> = Vec::new();
            for site in &sites {
                let spans = written_at(site.yaml, &reference, part).into_iter();
                places.extend(spans.map(|it| Place::Text(site.file.path(self.db).clone(), it)));
            }
            for given in self.project.overrides(self.db) {
                let (yaml, _) = crate::yaml::parse(&given.yaml);
                let spans = yaml.map(|it| written_at(&it, &reference, part)).unwrap_or_default();
                places.extend(spans.into_iter().map(|it| Place::Text(given.file(), it)));
            }
            for place in places {
                found.push(Finding {
                    problem: problem.clone().at(place, label),
                    unless: unless.clone(),
                });
            }
        }
    }

    fn unknown_node(&self, address: &Address) -> Finding {
        let index = index(self.db, self.project);
        let place = Place::Field {
            environment: self.seen.map(|it| it.1.clone()),
            node: self.address.clone(),
            path: Path::default(),
        };
        let message = format!("`{}` names `{address}`, which no spec declares", self.address);
        let problem = Problem::error("spec::unknown_target", message)
            .at(place_of(self.db, self.project, &place), "names an unknown node")
            .suggest(&address.name, index.names(self.nth(), &address.kind).map(|it| &**it));
        Finding {
            problem,
            unless: vec![address.clone()],
        }
    }

    /// Returns what is unknown of a reference.
    fn unknown(&self, reference: &Reference) -> Option<(Problem, Part)> {
        let schema = pack::schema(self.db, self.project);
        let index = index(self.db, self.project);
        let node = &reference.node;
        let Some(kind) = schema.kinds.get(&node.kind) else {
            let known = schema
                .kinds
                .values()
                .filter(|it| !it.attributes.is_empty() || it.attributes_from.is_some());
            let problem = Problem::error("spec::unknown_reference", format!("`{}` is no kind of node", node.kind))
                .suggest(&node.kind, known.map(|it| &*it.name));
            return Some((problem, Part::Kind));
        };
        if !index.has(self.nth(), node) {
            let message = match self.seen.filter(|_| index.has(None, node)) {
                Some((_, environment)) => format!("`{node}` does not exist in the environment `{environment}`"),
                None => format!("`{node}` does not exist"),
            };
            let problem = Problem::error("spec::unknown_reference", message)
                .suggest(&node.name, index.names(self.nth(), &node.kind).map(|it| &**it));
            return Some((problem, Part::Name));
        }
        if kind.attributes.contains_key(&reference.attribute) {
            return None;
        }
        let own = kind
            .attributes_from
            .as_ref()
            .map(|it| self.keys(node, it))
            .unwrap_or_default();
        if own.contains(&reference.attribute) {
            return None;
        }
        let message = format!("`{node}` has no attribute `{}`", reference.attribute);
        let known = kind.attributes.keys().chain(&own);
        let problem =
            Problem::error("spec::unknown_attribute", message).suggest(&reference.attribute, known.map(|it| &**it));
        Some((problem, Part::Attribute))
    }

    /// Returns the keys of a map of another node, complete.
    fn keys(&self, node: &Address, path: &Path) -> Vec<Name> {
        let (db, project) = (self.db, self.project);
        let environment = self.nth().and_then(|it| seen_as(db, project, it, node));
        let keys = |fields: &Map| {
            let map = merge::at(fields, &path.0).and_then(Value::as_map);
            map.map(|it| it.iter().map(|(name, _)| name.clone()).collect())
                .unwrap_or_default()
        };
        if let Some(complete) = complete_node(db, project, environment, node.clone()) {
            return keys(&complete.node.fields);
        }
        // Only rules speak of it: it has what all nodes of its kind have.
        let inherited = inherited_in(db, project, environment, &node.kind);
        let nothing = Map::default();
        keys(&completion(db, project).fields(node, None, &nothing, inherited).0.fields)
    }
}

/// Which part of a reference is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Kind,
    Name,
    Attribute,
}

/// Returns the places within what a layer says at which this very reference is written.
fn written_at(yaml: &Yaml, reference: &Reference, part: Part) -> Vec<Span> {
    let mut spans = Vec::new();
    strings(yaml, &mut |yaml, content| {
        let mentions = reference::read(content).mentions;
        let same = mentions.into_iter().filter(|it| *it.reference == *reference);
        spans.extend(same.map(|it: Mention| {
            let (start, end) = match part {
                Part::Kind => it.kind,
                Part::Name => it.name,
                Part::Attribute => it.attribute,
            };
            yaml.place(start, end)
        }));
    });
    spans
}

fn strings<'y>(yaml: &'y Yaml, visit: &mut dyn FnMut(&'y Yaml, &'y str)) {
    match &yaml.data {
        Data::String(text) if !reference::is_plain(&text.content) => visit(yaml, &text.content),
        Data::List(items) => items.iter().for_each(|it| strings(it, visit)),
        Data::Map(entries) => entries.iter().for_each(|it| strings(&it.value, visit)),
        _ => {}
    }
}
