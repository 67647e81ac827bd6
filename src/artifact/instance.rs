//! The artifacts of one rule at one node: their paths, the fingerprints of what they are printed from, and the
//! printing itself.
//!
//! No rendered text is kept in a memo: the memo holds a fingerprint of the context, and whoever sees that it
//! changed asks for the text.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use crate::artifact::data::{DataFormat, DataTemplate};
use crate::artifact::format::{self, Format};
use crate::artifact::parse;
use crate::artifact::text::{PartialSource, TextTemplate, partial_params};
use crate::db::{Db, Project, SHARED, SourceFile, View, pack_files, pack_path};
use crate::fact;
use crate::fact::guard::Guarded;
use crate::fact::matching::{self, Match, Matches};
use crate::fingerprint::Fingerprint;
use crate::kind::{Reads, Type, pack};
use crate::problem::{Place, Problem};
use crate::rule::expression::{Bound, Projection, Scope};
use crate::rule::file::{Mode, Reach};
use crate::rule::model::{ArtifactRule, Rule};
use crate::rule::set;
use crate::spec;
use crate::value::{Address, Map, Name, Path, Segment, Text, Value};

/// One artifact: where it goes, and the fingerprint of all that it is printed from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// The path within the project, the environment's folder included.
    pub path: Name,
    /// The rule that prints it, as `pack/name`.
    pub rule: Name,
    /// Of the context, the template and the rule together.
    pub fingerprint: Fingerprint,
    /// Whether it may be run.
    pub mode: Mode,
}

/// What one rule prints at one node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Artifacts {
    /// The artifacts, in the order of their bindings.
    pub artifacts: Vec<Artifact>,
    /// What failed.
    pub problems: Vec<Problem>,
    contexts: Contexts,
}

/// What artifacts are printed from, until somebody has printed them: it is neither made twice, nor kept.
///
/// It is no part of what an artifact is: where it is gone, it is made again.
#[derive(Debug, Default)]
struct Contexts(Mutex<Vec<Instance>>);

impl Clone for Contexts {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Contexts {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Contexts {}

impl Contexts {
    fn take(&self) -> Vec<Instance> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A template is what its sources and its types make it.
impl PartialEq for Compiled {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
            && self.problems == other.problems
            && self.projections == other.projections
    }
}

impl Eq for Compiled {}

/// Where artifacts are made: a rule at a node in an environment.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cell {
    /// The environment, by its place in the sorted list.
    pub environment: u16,
    /// The rule, as `pack/name`.
    pub rule: Name,
    /// The node.
    pub node: Address,
}

/// A template of either sort.
#[derive(Clone, Debug)]
pub enum Template {
    /// Printed from text with places, in this format.
    Text(TextTemplate, Format),
    /// Printed from data.
    Data(DataTemplate),
}

/// The template of a rule, and what is wrong with it.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The template.
    pub template: Option<Arc<Template>>,
    /// What it reads of each value that the rule gives it, in the order of the rule.
    pub(super) projections: Vec<Projection>,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
    /// Of its source and that of its partials.
    pub fingerprint: Fingerprint,
}

/// Returns the template file named `name`: the project's own before one from elsewhere, and that before a built-in one.
#[salsa::tracked(returns(copy))]
fn template_file(db: &dyn Db, project: Project, name: Name) -> Option<SourceFile> {
    let path = format!("templates/{name}");
    let shared = format!("{SHARED}{path}");
    let find = |files: &[SourceFile], path: &str| {
        let at = files.binary_search_by(|it| it.path(db).as_str().cmp(path));
        at.ok().map(|at| files[at])
    };
    let own = project.own(db);
    let found = find(own, &path).or_else(|| find(own, &shared));
    found.or_else(|| find(project.built_in(db), &path))
}

/// Returns the names of all templates, for suggestions.
fn template_names(db: &dyn Db, project: Project) -> Vec<String> {
    let files = pack_files(db, project);
    files
        .iter()
        .filter_map(|it| pack_path(it.path(db)).strip_prefix("templates/").map(str::to_owned))
        .collect()
}

/// Returns the template of the rule `id`, compiled against the types of what the rule gives it.
#[salsa::tracked(returns(ref))]
pub fn template(db: &dyn Db, project: Project, id: Name) -> Compiled {
    let mut compiled = Compiled {
        template: None,
        projections: Vec::new(),
        problems: Vec::new(),
        fingerprint: template_fingerprint(db, project, id.clone()),
    };
    let (Some(rule), Some(source)) = (set::rule(db, project, id.clone()), set::source(db, project, id)) else {
        return compiled;
    };
    let (Some(artifact), Some(written)) = (&rule.artifact, &source.artifact) else {
        return compiled;
    };
    let name = &written.template.text;
    let Some(file) = template_file(db, project, name.clone()) else {
        let names = template_names(db, project);
        let problem = Problem::error("rule::unknown_template", format!("there is no template `{name}`"))
            .at(written.template.place(), "names no file under `templates/`")
            .suggest(name, names.iter().map(String::as_str));
        compiled.problems.push(problem);
        return compiled;
    };
    let types = types(artifact);
    let text = file.text(db);
    let path = file.path(db);
    let format = match &written.format {
        None => Format::from_path(name.strip_suffix(".hbs").unwrap_or(name)),
        Some(named) => match Format::parse(&named.text) {
            Some(format) => format,
            None => {
                let problem = Problem::error("rule::unknown_format", format!("`{}` is no format", named.text))
                    .at(named.place(), "not one that can be printed")
                    .suggest(&named.text, Format::ALL.iter().map(|it| it.name()));
                compiled.problems.push(problem);
                return compiled;
            }
        },
    };
    let schema = pack::schema_seen_from(db, project, &rule.pack);
    let (template, problems) = if name.ends_with(".hbs") {
        let partials = partials(db, project);
        let (template, found) = TextTemplate::compile(path, text, format, &types, schema, &partials.of);
        let mut problems = partials.problems.clone();
        problems.extend(found);
        (template.map(|it| Template::Text(it, format)), problems)
    } else {
        let format = match format {
            Format::Json => DataFormat::Json,
            Format::Toml => DataFormat::Toml,
            Format::Yaml => DataFormat::Yaml,
            _ => {
                let problem = Problem::error("rule::no_template", format!("`{name}` is no template"))
                    .at(written.template.place(), "neither text with places nor data")
                    .help("name it `….hbs`, or give it the suffix of a data format: `.yaml`, `.json`, `.toml`");
                compiled.problems.push(problem);
                return compiled;
            }
        };
        let scope = Scope::new(schema, types);
        let (template, problems) = DataTemplate::compile(text, path, format, &scope);
        (template.map(Template::Data), problems)
    };
    compiled.problems.extend(problems);
    if !compiled.problems.iter().any(Problem::is_error) {
        let nothing = Reads::default();
        let reads = |name: &Name| {
            template
                .as_ref()
                .and_then(|it| it.reads().get(name))
                .unwrap_or(&nothing)
        };
        let with = artifact.with.iter();
        compiled.projections = with
            .map(|(name, it)| Projection::new(it.ty(), reads(name), schema))
            .collect();
        compiled.template = template.map(Arc::new);
    }
    compiled
}

/// Returns the types of what a rule gives its template.
fn types(artifact: &ArtifactRule) -> BTreeMap<Name, Type> {
    let with = artifact.with.iter();
    with.map(|(name, expression)| (name.clone(), expression.ty().clone()))
        .collect()
}

/// Returns the fingerprint of all that the template of the rule `id` is compiled from, without compiling it.
#[salsa::tracked(returns(copy))]
pub fn template_fingerprint(db: &dyn Db, project: Project, id: Name) -> Fingerprint {
    let (Some(rule), Some(source)) = (set::rule(db, project, id.clone()), set::source(db, project, id)) else {
        return Fingerprint::of(b"");
    };
    let (Some(artifact), Some(written)) = (&rule.artifact, &source.artifact) else {
        return Fingerprint::of(b"");
    };
    let Some(file) = template_file(db, project, written.template.text.clone()) else {
        return Fingerprint::of(b"");
    };
    let text = file.text(db);
    let mut bytes = Vec::new();
    write_text(file.path(db), &mut bytes);
    write_text(text, &mut bytes);
    bytes.extend(Fingerprint::of_value(&types(artifact)).bytes());
    for (_, partial) in partials(db, project).named_in(text) {
        write_text(&partial.source, &mut bytes);
    }
    Fingerprint::of(&bytes)
}

/// Tells whether nothing of the project's own takes part in the template of the rule `id`: the tests of the built-in
/// packs have checked it, so that a run need not.
#[must_use]
pub fn is_given(db: &dyn Db, project: Project, id: &Name) -> bool {
    let own = project.own(db);
    let changes_others = |it: &SourceFile| {
        let path = pack_path(it.path(db));
        path.starts_with("templates/") || path.ends_with("/pack.yaml")
    };
    let is_own = |file: &Name| own.binary_search_by(|it| it.path(db).cmp(file)).is_ok();
    let source = set::source(db, project, id.clone());
    !own.iter().any(changes_others) && source.as_ref().is_some_and(|it| !is_own(&it.name.file))
}

/// The partials of a project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Partials {
    /// By their name, `PACK/NAME`.
    of: BTreeMap<Name, PartialSource>,
    /// What is wrong with their heads.
    problems: Vec<Problem>,
}

impl Partials {
    /// Returns the partials that `text` may print: those whose names stand in it, in whatever way, and those that stand in these.
    fn named_in<'p>(&'p self, text: &'p str) -> BTreeMap<&'p Name, &'p PartialSource> {
        let mut named = BTreeMap::new();
        let mut texts = vec![text];
        while let Some(text) = texts.pop() {
            for (name, partial) in self.of.iter().filter(|it| text.contains(it.0.as_str())) {
                if named.insert(name, partial).is_none() {
                    texts.push(&partial.source);
                }
            }
        }
        named
    }
}

/// Returns what is wrong with the heads of the partials of a project.
#[must_use]
pub fn partial_problems(db: &dyn Db, project: Project) -> &[Problem] {
    &partials(db, project).problems
}

/// Returns the partials of a project: the files `templates/PACK/_NAME.hbs`.
#[salsa::tracked(returns(ref))]
fn partials(db: &dyn Db, project: Project) -> Partials {
    let mut partials = Partials::default();
    for file in pack_files(db, project) {
        let path = file.path(db);
        let Some(rest) = pack_path(path)
            .strip_prefix("templates/")
            .and_then(|it| it.strip_suffix(".hbs"))
        else {
            continue;
        };
        let Some((folder, name)) = rest.rsplit_once("/_") else {
            continue;
        };
        let source = file.text(db).clone();
        let (params, found) = partial_params(path, &source, pack::schema(db, project));
        partials.problems.extend(found);
        partials.of.insert(
            Name::from(format!("{folder}/{name}")),
            PartialSource {
                file: path.clone(),
                source,
                params,
            },
        );
    }
    partials
}

/// One artifact before it is printed: its path, and what its `with` gives, cut down to what the template reads.
#[derive(Debug)]
pub(super) struct Instance {
    pub(super) path: Name,
    pub(super) context: Map,
}

impl Instance {
    /// Returns the fingerprint of all that it is printed from.
    fn fingerprint(&self, rule: &Rule, compiled: &Compiled, mode: Mode) -> Fingerprint {
        let mut bytes: Vec<u8> = Vec::with_capacity(4_096);
        bytes.extend(rule.fingerprint.bytes());
        bytes.extend(compiled.fingerprint.bytes());
        bytes.push(u8::from(mode == Mode::Executable));
        write_text(&self.path, &mut bytes);
        write_map(&self.context, &mut bytes);
        Fingerprint::of(&bytes)
    }
}

/// Writes a text so that no other texts in a row write the same bytes.
fn write_text(text: &str, bytes: &mut Vec<u8>) {
    bytes.extend((text.len() as u64).to_le_bytes());
    bytes.extend(text.as_bytes());
}

fn write_map(map: &Map, bytes: &mut Vec<u8>) {
    bytes.extend((map.len() as u64).to_le_bytes());
    for (key, value) in map {
        write_text(key, bytes);
        write_value(value, bytes);
    }
}

/// Writes a value so that no other value writes the same bytes.
fn write_value(value: &Value, bytes: &mut Vec<u8>) {
    match value {
        Value::Null => bytes.push(0),
        Value::Bool(truth) => bytes.extend([1, u8::from(*truth)]),
        Value::Int(number) => {
            bytes.push(2);
            bytes.extend(number.to_le_bytes());
        }
        Value::Double(number) => {
            bytes.push(3);
            bytes.extend(number.0.to_bits().to_le_bytes());
        }
        Value::String(text) => {
            bytes.push(4);
            write_text(text, bytes);
        }
        Value::Text(text) => {
            bytes.push(5);
            bytes.extend((text.segments().len() as u64).to_le_bytes());
            for segment in text.segments() {
                write_segment(segment, bytes);
            }
        }
        Value::List(items) => {
            bytes.push(6);
            bytes.extend((items.len() as u64).to_le_bytes());
            items.iter().for_each(|it| write_value(it, bytes));
        }
        Value::Map(map) => {
            bytes.push(7);
            write_map(map, bytes);
        }
        Value::Node(node) => {
            bytes.push(8);
            write_text(&node.kind, bytes);
            write_text(&node.name, bytes);
        }
    }
}

fn write_segment(segment: &Segment, bytes: &mut Vec<u8>) {
    match segment {
        Segment::Literal(text) => {
            bytes.push(0);
            write_text(text, bytes);
        }
        Segment::Reference(it) => {
            bytes.extend([1, u8::from(it.required), u8::from(it.manner.is_some())]);
            for text in [&it.node.kind, &it.node.name, &it.attribute] {
                write_text(text, bytes);
            }
            it.manner.iter().for_each(|it| write_text(it, bytes));
        }
        Segment::Code { language, source } => {
            bytes.push(2);
            write_text(language, bytes);
            write_text(source, bytes);
        }
    }
}

impl Template {
    /// Returns what the template reads of each value that its rule gives it.
    #[must_use]
    pub fn reads(&self) -> &BTreeMap<Name, Reads> {
        match self {
            Self::Text(template, _) => template.reads(),
            Self::Data(template) => template.reads(),
        }
    }

    /// Prints the artifact of `rule` at `node` from its context.
    fn print(&self, context: &Map, rule: &Name, node: &Address) -> Result<String, Vec<Problem>> {
        let at = |problem: Problem| printed_for(problem, node);
        match self {
            Self::Data(template) => {
                let head = format!("Code generated by gen from {rule}; DO NOT EDIT.");
                match template.render_context(context) {
                    Ok(document) => Ok(document.print(&[&head])),
                    Err(problems) => Err(problems.into_iter().map(at).collect()),
                }
            }
            Self::Text(template, format) => {
                let printed = template.render(context);
                let text = printed.map_err(|it| it.into_iter().map(|it| at(it.problem)).collect::<Vec<_>>())?;
                let text = format::with_head(&text, *format, rule);
                if !context.iter().all(|(_, it)| parse::safe_characters(*format, it)) || cfg!(debug_assertions) {
                    self.read(&text, rule, node)?;
                }
                Ok(text)
            }
        }
    }

    /// Reads what was printed by a parser of its format; data is serialised, and needs no second look.
    fn read(&self, text: &str, rule: &Name, node: &Address) -> Result<(), Vec<Problem>> {
        let Self::Text(_, format) = self else {
            return Ok(());
        };
        parse::check_output(*format, text).map_err(|failure| {
            let message = format!("what `{rule}` prints is not valid {}: {failure}", format.name());
            let line = failure.span.of(text).lines().next().unwrap_or_default().trim();
            let problem = Problem::error("artifact::not_parsed", message)
                .at(Place::Rule(rule.clone()), format!("prints `{line}`"))
                .help("mend the template, or print the value by `{{json …}}` or within quotes");
            vec![printed_for(problem, node)]
        })
    }
}

fn printed_for(problem: Problem, node: &Address) -> Problem {
    let place = Place::Field {
        environment: None,
        node: node.clone(),
        path: Path::default(),
    };
    problem.at(place, "printed for this node")
}

/// Returns the matches of `rule` at the node of `cell`.
fn matches(db: &dyn Db, project: Project, cell: &Cell, rule: &Rule, artifact: &ArtifactRule) -> Matches {
    let view = View::finished(cell.environment);
    matching::matches(db, project, view, rule, &artifact.per[0], &cell.node)
}

/// Returns the artifacts that `rule` wants at the node of `cell`, one for each distinct binding of its `per`.
pub(super) fn instances(
    db: &dyn Db,
    project: Project,
    cell: &Cell,
    rule: &Rule,
    projections: &[Projection],
) -> (Vec<Instance>, Vec<Problem>) {
    let Some(artifact) = &rule.artifact else {
        return (Vec::new(), Vec::new());
    };
    let matches = matches(db, project, cell, rule, artifact);
    matched(db, project, cell, (rule, artifact), matches, projections)
}

/// Returns the artifacts that `rule` wants for its `matches` at the node of `cell`.
fn matched(
    db: &dyn Db,
    project: Project,
    cell: &Cell,
    (rule, artifact): (&Rule, &ArtifactRule),
    matches: Matches,
    projections: &[Projection],
) -> (Vec<Instance>, Vec<Problem>) {
    let view = View::finished(cell.environment);
    let mut problems = matches.problems;
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut instances = Vec::new();
    let dir = match rule.reach {
        Reach::Across => "",
        Reach::Each => spec::environments(db, project)
            .get(usize::from(cell.environment))
            .map_or("", |it| &it.dir),
    };
    for found in &matches.found {
        if matches.found.len() > 1 {
            let key: Vec<String> = artifact.per.iter().map(|it| format!("{:?}", found.get(it))).collect();
            if !seen.insert(key.join("\n")) {
                continue;
            }
        }
        let made = matching::evaluated(db, project, view, rule, &cell.node, |run| {
            let path = run.text(&artifact.path, found)?;
            let mut context = Vec::with_capacity(artifact.with.len());
            for ((name, expression), projection) in artifact.with.iter().zip(projections) {
                context.push((name.clone(), run.projected(expression, found, projection)?));
            }
            Ok((path, context))
        });
        match made {
            Err(problem) => problems.push(problem),
            Ok((path, context)) => {
                let path = if dir.is_empty() { path } else { format!("{dir}/{path}") };
                let mut resolver = Resolver {
                    db,
                    project,
                    cell,
                    environment: environment_of(&artifact.per, found, cell.environment),
                    relation: artifact.references.as_ref(),
                    problems: &mut problems,
                };
                let context = context
                    .into_iter()
                    .map(|(name, value)| (name, resolver.value(&value, None, 0)))
                    .collect();
                instances.push(Instance {
                    path: Name::from(path),
                    context,
                });
            }
        }
    }
    (instances, problems)
}

/// Returns the environment that an artifact speaks of which is made for each of several: that of the item of
/// `environments` among what it is made for.
fn environment_of(per: &[Name], found: &Match, own: u16) -> u16 {
    let project = per.iter().find_map(|it| match found.get(it)? {
        Bound::Record(fields) => fields.get("project"),
        _ => None,
    });
    match project {
        Some(Bound::Elsewhere(view, _)) => view.environment,
        _ => own,
    }
}

/// How many references a reference may lead through.
pub(crate) const MAX_REFERENCES: usize = 8;

/// Writes out the references in a context as the relation of the artifact says.
struct Resolver<'a> {
    db: &'a dyn Db,
    project: Project,
    cell: &'a Cell,
    /// The one whose facts say how references are written.
    environment: u16,
    relation: Option<&'a Name>,
    problems: &'a mut Vec<Problem>,
}

impl Resolver<'_> {
    fn value(&mut self, value: &Value, manner: Option<&Name>, depth: usize) -> Value {
        match value {
            Value::Text(text) => Value::text(self.text(text, manner, depth)),
            Value::List(items) => Value::list(items.iter().map(|it| self.value(it, manner, depth))),
            Value::Map(map) => map
                .iter()
                .map(|(key, it)| (key.clone(), self.value(it, manner, depth)))
                .collect(),
            other => other.clone(),
        }
    }

    /// What a reference leads to is written in its manner too.
    fn text(&mut self, text: &Text, manner: Option<&Name>, depth: usize) -> Text {
        let mut segments = Vec::new();
        for segment in text.segments() {
            let Segment::Reference(reference) = segment else {
                segments.push(segment.clone());
                continue;
            };
            let manner = reference.manner.as_ref().or(manner);
            let written = if depth < MAX_REFERENCES {
                self.written(&reference.node, &reference.attribute, manner)
            } else {
                None
            };
            match written {
                Some(Value::String(text)) => segments.push(Segment::Literal(text)),
                Some(Value::Text(text)) => {
                    segments.extend(self.text(&text, manner, depth + 1).segments().iter().cloned())
                }
                _ => self.unwritten(&reference.node, &reference.attribute),
            }
        }
        Text::new(segments)
    }

    /// Returns what the fact of this manner says, else the one of none.
    fn written(&self, node: &Address, attribute: &str, manner: Option<&Name>) -> Option<Value> {
        let facts = fact::of(self.db, self.project, self.environment, node, self.relation?);
        let of_manner = |manner: Option<&str>| {
            facts.iter().find(|it| {
                let field = |name: &str| it.fields.get(name).and_then(Value::as_str);
                field("attribute") == Some(attribute) && field("manner") == manner
            })
        };
        let fact = manner.and_then(|it| of_manner(Some(it))).or_else(|| of_manner(None))?;
        fact.fields.get("value").cloned()
    }

    fn unwritten(&mut self, node: &Address, attribute: &str) {
        let rule = &self.cell.rule;
        let message = format!("`{rule}` can't write `${{{node}.{attribute}}}`");
        let problem = Problem::error("artifact::unwritten_reference", message);
        let problem = match self.relation {
            None => problem
                .at(Place::Rule(rule.clone()), "says no relation that writes references")
                .help("add `references: PACK/RELATION` to the artifact"),
            Some(relation) => problem
                .at(Place::Rule(rule.clone()), format!("writes references by `{relation}`"))
                .help(format!(
                    "no rule derives a fact of `{relation}` for `{attribute}` of `{node}` here"
                )),
        };
        let place = Place::Field {
            environment: None,
            node: self.cell.node.clone(),
            path: Path::default(),
        };
        self.problems.push(problem.at(place, "mentions it"));
    }
}

/// Returns what the rule of `cell` prints at its node.
#[salsa::tracked(returns(ref))]
pub fn artifacts(db: &dyn Db, project: Project, cell: Cell) -> Arc<Artifacts> {
    let mut made = Artifacts::default();
    let rule = set::rule(db, project, cell.rule.clone());
    let Some((rule, artifact)) = rule.as_ref().and_then(|it| Some((it, it.artifact.as_ref()?))) else {
        return Arc::new(made);
    };
    let matches = matches(db, project, &cell, rule, artifact);
    if matches.found.is_empty() {
        // A template that prints nothing is not compiled.
        made.problems = matches.problems;
        return Arc::new(made);
    }
    let compiled = template(db, project, cell.rule.clone());
    if compiled.template.is_none() {
        return Arc::new(made);
    }
    let mode = mode(db, project, cell.rule.clone());
    let (instances, problems) = matched(db, project, &cell, (rule, artifact), matches, &compiled.projections);
    made.problems = problems;
    for instance in &instances {
        made.artifacts.push(Artifact {
            path: instance.path.clone(),
            rule: cell.rule.clone(),
            fingerprint: instance.fingerprint(rule, compiled, mode),
            mode,
        });
    }
    made.contexts = Contexts(Mutex::new(instances));
    Arc::new(made)
}

/// An artifact's text, or what can't be printed where it stands.
pub type Printed = Result<String, Vec<Problem>>;

/// Prints those artifacts of `cell` that `is_stale` picks, each with its place among them.
pub fn print_stale(
    db: &dyn Db,
    project: Project,
    cell: &Cell,
    is_stale: impl Fn(&Artifact) -> bool,
) -> Vec<(usize, Printed)> {
    let made = artifacts(db, project, cell.clone());
    let mut contexts = made.contexts.take();
    let stale = made.artifacts.iter().enumerate().filter(|it| is_stale(it.1));
    stale
        .map(|(at, artifact)| {
            // Of two artifacts with one path the first one's text is as good as the other's: they are refused together.
            let known = contexts.iter().position(|it| it.path == artifact.path);
            let printed = match known.map(|it| contexts.swap_remove(it)) {
                Some(instance) => print_from(db, project, cell, &instance),
                None => print(db, project, cell, &artifact.path),
            };
            (at, printed)
        })
        .collect()
}

/// Prints the artifact of `cell` that goes to `path`.
///
/// # Errors
///
/// What can't be printed where it stands.
pub fn print(db: &dyn Db, project: Project, cell: &Cell, path: &str) -> Printed {
    let Some(rule) = set::rule(db, project, cell.rule.clone()) else {
        return Err(Vec::new());
    };
    let compiled = template(db, project, cell.rule.clone());
    let Some(template) = &compiled.template else {
        return Err(Vec::new());
    };
    let (instances, problems) = instances(db, project, cell, rule, &compiled.projections);
    match instances.into_iter().find(|it| *it.path == *path) {
        None => Err(problems),
        Some(instance) => template.print(&instance.context, &cell.rule, &cell.node),
    }
}

/// Reads the text of an artifact of `cell` by a parser of its format, whatever it was printed from.
///
/// # Errors
///
/// Where the parser can't read on.
pub fn read_back(db: &dyn Db, project: Project, cell: &Cell, text: String) -> Printed {
    match &template(db, project, cell.rule.clone()).template {
        None => Ok(text),
        Some(template) => template.read(&text, &cell.rule, &cell.node).map(|()| text),
    }
}

fn print_from(db: &dyn Db, project: Project, cell: &Cell, instance: &Instance) -> Printed {
    match &template(db, project, cell.rule.clone()).template {
        None => Err(Vec::new()),
        Some(template) => template.print(&instance.context, &cell.rule, &cell.node),
    }
}

/// Returns the rules that print artifacts of nodes of `kind`.
#[salsa::tracked(returns(ref))]
fn printers(db: &dyn Db, project: Project, kind: Name, reach: Reach) -> Guarded {
    Guarded::new(db, project, &kind, |rule| match &rule.artifact {
        Some(artifact) if rule.reach == reach => vec![(artifact.per[0].clone(), Vec::new())],
        _ => Vec::new(),
    })
}

/// Returns where artifacts may be made at `node`: the rules whose conditions on the node alone hold.
#[must_use]
pub fn cells_at(db: &dyn Db, project: Project, environment: u16, node: &Address) -> Vec<Cell> {
    let reaches = [Reach::Each, Reach::Across].into_iter();
    let reaches = reaches.filter(|it| *it == Reach::Each || environment == 0);
    let mut cells = Vec::new();
    for reach in reaches {
        let printers = printers(db, project, node.kind.clone(), reach);
        let admitted = printers.admitted(db, View::finished(environment), node);
        cells.extend(admitted.map(|it| Cell {
            environment,
            rule: it.rule.id.clone(),
            node: node.clone(),
        }));
    }
    cells
}

/// A firewall: a rule that only moved within its file makes the same artifacts.
#[salsa::tracked(returns(copy))]
fn mode(db: &dyn Db, project: Project, rule: Name) -> Mode {
    let source = set::source(db, project, rule);
    source
        .as_ref()
        .and_then(|it| it.artifact.as_ref())
        .map_or(Mode::Plain, |it| it.mode)
}
