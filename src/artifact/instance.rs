//! The artifacts of one rule at one node: their paths, the fingerprints of what they are printed from, and the
//! printing itself.
//!
//! No rendered text is kept in a memo: the memo holds a fingerprint of the context, and whoever sees that it
//! changed asks for the text.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::artifact::data::{DataTemplate, Document};
use crate::artifact::format::Format;
use crate::artifact::text::TextTemplate;
use crate::db::{Db, Project, SourceFile, View};
use crate::fact::{self, matching, matching::Match};
use crate::fingerprint::Fingerprint;
use crate::kind::{Reads, Type, pack};
use crate::problem::{Place, Problem};
use crate::rule::compile::Rule;
use crate::rule::file::{Mode, Reach};
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
}

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Template {
    /// Printed from text with places.
    Text(TextTemplate),
    /// Printed from data.
    Data(DataTemplate),
}

/// The template of a rule, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiled {
    /// The template.
    pub template: Option<Arc<Template>>,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
    /// Of its source and that of its partials.
    pub fingerprint: Fingerprint,
}

/// Returns the template file named `name`: the project's own before a built-in one.
#[salsa::tracked(returns(copy))]
fn template_file(db: &dyn Db, project: Project, name: Name) -> Option<SourceFile> {
    let path = format!("templates/{name}");
    let find = |files: &[SourceFile]| {
        files.binary_search_by(|it| it.path(db).as_str().cmp(&path)).ok().map(|at| files[at])
    };
    find(project.own(db)).or_else(|| find(project.built_in(db)))
}

/// Returns the names of all templates, for suggestions.
fn template_names(db: &dyn Db, project: Project) -> Vec<String> {
    let files = project.own(db).iter().chain(project.built_in(db));
    files.filter_map(|it| it.path(db).strip_prefix("templates/").map(str::to_owned)).collect()
}

/// Returns the template of the rule `id`, compiled against the types of what the rule gives it.
#[salsa::tracked(returns(ref))]
pub fn template(db: &dyn Db, project: Project, id: Name) -> Compiled {
    let mut compiled = Compiled { template: None, problems: Vec::new(), fingerprint: Fingerprint::of(b"") };
    let (Some(rule), Some(source)) = (set::rule(db, project, id.clone()), set::source(db, project, id)) else {
        return compiled;
    };
    let (Some(artifact), Some(written)) = (&rule.artifact, &source.artifact) else { return compiled };
    let name = &written.template.text;
    let Some(file) = template_file(db, project, name.clone()) else {
        let names = template_names(db, project);
        let problem = Problem::error("rule::unknown_template", format!("there is no template `{name}`"))
            .at(written.template.place(), "names no file under `templates/`")
            .suggest(name, names.iter().map(String::as_str));
        compiled.problems.push(problem);
        return compiled;
    };
    let types: BTreeMap<Name, Type> =
        artifact.with.iter().map(|(name, expression)| (name.clone(), expression.ty().clone())).collect();
    let text = file.text(db);
    let path = file.path(db);
    let format = match &written.format {
        None => Format::of_path(name.strip_suffix(".hbs").unwrap_or(name)),
        Some(named) => match Format::parse(&named.text) {
            Some(format) => format,
            None => {
                let problem = Problem::error("rule::unknown_format", format!("`{}` is no format", named.text))
                    .at(named.place(), "not one that can be printed")
                    .suggest(&named.text, Format::NAMES);
                compiled.problems.push(problem);
                return compiled;
            }
        },
    };
    let schema = pack::schema(db, project);
    let (template, problems) = if name.ends_with(".hbs") {
        let partials = partials(db, project);
        let (template, problems) = TextTemplate::compile(path, text, format, &types, schema, &partials);
        (template.map(Template::Text), problems)
    } else {
        let (template, problems) = DataTemplate::compile(path, text, format, &types, schema);
        (template.map(Template::Data), problems)
    };
    compiled.problems.extend(problems);
    if !compiled.problems.iter().any(Problem::is_error) {
        compiled.template = template.map(Arc::new);
    }
    compiled.fingerprint = Fingerprint::of(format!("{path}\n{text}\n{format:?}").as_bytes());
    compiled
}

/// Returns the context of an artifact: what its `with` gives, cut down to what the template reads.
struct Instance {
    path: Name,
    context: Map,
}

/// Returns what the rule of `cell` prints at its node.
#[salsa::tracked(returns(ref))]
pub fn artifacts(db: &dyn Db, project: Project, cell: Cell) -> Artifacts {
    let mut made = Artifacts::default();
    let Some(rule) = set::rule(db, project, cell.rule.clone()) else { return made };
    let compiled = template(db, project, cell.rule.clone());
    let Some(template) = &compiled.template else { return made };
    let mode = mode(db, project, &cell.rule);
    let (instances, problems) = instances(db, project, &cell, rule, template);
    made.problems = problems;
    for instance in instances {
        let mut hasher = Hashing(blake3::Hasher::new());
        (rule.fingerprint, compiled.fingerprint, &instance.path, mode, &instance.context).hash(&mut hasher);
        made.artifacts.push(Artifact {
            path: instance.path,
            rule: cell.rule.clone(),
            fingerprint: Fingerprint::from_hash(&hasher.0.finalize()),
            mode,
        });
    }
    made
}

/// Prints the artifact of `cell` that goes to `path`.
///
/// # Errors
///
/// What can't be printed where it stands.
pub fn print(db: &dyn Db, project: Project, cell: &Cell, path: &str) -> Result<String, Vec<Problem>> {
    let Some(rule) = set::rule(db, project, cell.rule.clone()) else { return Err(Vec::new()) };
    let Some(template) = &template(db, project, cell.rule.clone()).template else { return Err(Vec::new()) };
    let (instances, problems) = instances(db, project, cell, rule, template);
    match instances.into_iter().find(|it| *it.path == *path) {
        None => Err(problems),
        Some(instance) => template.print(&instance.context, &cell.rule),
    }
}

fn mode(db: &dyn Db, project: Project, rule: &Name) -> Mode {
    let source = set::source(db, project, rule.clone());
    source.as_ref().and_then(|it| it.artifact.as_ref()).map_or(Mode::Plain, |it| it.mode)
}

/// A hasher that the standard library's `Hash` can feed and that gives a fingerprint.
struct Hashing(blake3::Hasher);

impl Hasher for Hashing {
    fn finish(&self) -> u64 {
        let mut first = [0; 8];
        first.copy_from_slice(&self.0.finalize().as_bytes()[..8]);
        u64::from_le_bytes(first)
    }
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
}
