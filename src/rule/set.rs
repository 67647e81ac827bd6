//! The rules of a project: all packs' files read, replaced and disabled ones left out, each compiled once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::db::{Db, Project, SourceFile, pack_files, pack_path};
use crate::fingerprint::Fingerprint;
use crate::kind::pack::{self, PackInfo};
use crate::problem::{Place, Problem};
use crate::rule::compile;
use crate::rule::file::{self, RuleSource};
use crate::rule::model::Rule;
use crate::spec;
use crate::value::{Name, Path};

/// What one rule file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleFile {
    /// The rules in the order of the file.
    pub rules: Vec<Arc<RuleSource>>,
    /// What is wrong with its form.
    pub problems: Vec<Problem>,
}

/// The rules of a project in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// The rules by their id.
    pub rules: BTreeMap<Name, Arc<RuleSource>>,
    /// What is wrong with their names.
    pub problems: Vec<Problem>,
}

/// A rule, if it could be made out, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiled {
    /// The rule.
    pub rule: Option<Arc<Rule>>,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
}

/// Returns the pack to which the file at `path` belongs: the folder under `rules/`, or `project` for one right there.
#[must_use]
pub fn pack_of(path: &str) -> Name {
    let path = pack_path(path);
    let below = path.strip_prefix("rules/").unwrap_or(path);
    match below.split_once('/') {
        Some((pack, _)) => Name::from(pack),
        None => Name::from("project"),
    }
}

/// Tells whether the file at `path` holds rules: not a pack's head or its proofs, and not a case of its tests.
#[must_use]
pub fn is_rule_file(path: &str) -> bool {
    let path = pack_path(path);
    let in_cases = path.split('/').nth(2) == Some("cases");
    let is_other = path.ends_with("/pack.yaml") || path.ends_with("/proofs.yaml");
    path.starts_with("rules/") && path.ends_with(".yaml") && !is_other && !in_cases
}

/// Returns the rules of one file.
#[salsa::tracked(returns(ref))]
pub fn rule_file(db: &dyn Db, source: SourceFile) -> RuleFile {
    let path = source.path(db);
    let (rules, problems) = file::parse(&pack_of(path), path, source.text(db));
    RuleFile {
        rules: rules.into_iter().map(Arc::new).collect(),
        problems,
    }
}

/// Returns the names of the packs whose rules are in force. A built-in pack that is for some platforms sleeps while
/// nothing speaks of one of them: no node can be there. The project's own packs are always awake.
#[salsa::tracked(returns(ref))]
fn awake(db: &dyn Db, project: Project) -> BTreeSet<Name> {
    let packs = pack::packs(db, project);
    let in_spec = spec::platforms(db, project);
    let by_default = pack::default_platforms(pack::schema(db, project));
    // A rule of the project's own may derive nodes there.
    let in_own = |platform: &Name| project.own(db).iter().any(|it| it.text(db).contains(platform.as_str()));
    let is_used = |it: &Name| in_spec.contains(it) || by_default.contains(it) || in_own(it);
    let is_called_for = |it: &PackInfo| {
        it.platforms.is_empty() || project.own(db).contains(&it.file) || it.platforms.iter().any(is_used)
    };
    let mut awake = BTreeSet::new();
    // Behind each pack stand those that need it. What one needs is awake with it, unless that is a platform itself.
    let mut needed: BTreeSet<&Name> = BTreeSet::new();
    for pack in packs.iter().rev() {
        let is_needed = pack.platform.is_none() && needed.contains(&pack.name);
        if is_needed || is_called_for(pack) {
            awake.insert(pack.name.clone());
            needed.extend(&pack.requires);
        }
    }
    awake
}

/// Tells whether the rules in `source` are in force, as far as the packs of a project tell.
fn is_in_force(db: &dyn Db, project: Project, source: SourceFile) -> bool {
    project.own(db).contains(&source) || awake(db, project).contains(&pack_of(source.path(db)))
}

/// Returns all rules in force, by their id.
#[salsa::tracked(returns(ref))]
pub fn sources(db: &dyn Db, project: Project) -> Sources {
    let mut sources = Sources::default();
    let mut all: Vec<Arc<RuleSource>> = Vec::new();
    for source in pack_files(db, project) {
        if is_rule_file(source.path(db)) && is_in_force(db, project, *source) {
            let file = rule_file(db, *source);
            all.extend(file.rules.iter().cloned());
            sources.problems.extend(file.problems.iter().cloned());
        }
    }
    for rule in &all {
        if let Some(first) = sources.rules.insert(rule.id(), rule.clone()) {
            let problem = Problem::error("rule::duplicate", format!("two rules are named `{}`", rule.id()))
                .at(rule.name.place(), "the second of them")
                .at(first.name.place(), "the first")
                .help(
                    "rename one; to stand in another rule's place, say `replaces: pack/rule` under a name of your own",
                );
            sources.problems.push(problem);
        }
    }
    let is_written = |id: &Name| all.iter().any(|it| it.id() == *id) || written(db, project).contains(id);
    replace(&all, &mut sources, &|| written(db, project));
    for id in &spec::settings(db, project).disable {
        if sources.rules.remove(id).is_none() && !is_written(id) {
            let ids = written(db, project);
            let root = Place::Field {
                environment: None,
                node: spec::project_address(db, project),
                path: Path::parse("disable"),
            };
            let problem = Problem::error("rule::unknown_disabled", format!("there is no rule `{id}` to disable"))
                .at(root, "names no rule")
                .suggest(id, ids.iter().map(|it| &**it));
            sources.problems.push(problem);
        }
    }
    sources
}

/// Takes out each rule in whose place another stands.
fn replace(all: &[Arc<RuleSource>], sources: &mut Sources, written: &dyn Fn() -> BTreeSet<Name>) {
    let mut taken: BTreeMap<Name, &RuleSource> = BTreeMap::new();
    for rule in all {
        let Some(replaced) = &rule.replaces else { continue };
        let is_awake = all.iter().any(|it| it.id() == replaced.text);
        let ids = if is_awake { BTreeSet::new() } else { written() };
        if !is_awake && !ids.contains(&replaced.text) {
            let problem = Problem::error(
                "rule::unknown_replaced",
                format!("there is no rule `{}` to replace", replaced.text),
            )
            .at(replaced.place(), "names no rule")
            .suggest(&replaced.text, ids.iter().map(|it| &**it));
            sources.problems.push(problem);
        } else if let Some(other) = taken.insert(replaced.text.clone(), rule) {
            let problem = Problem::error("rule::replaced_twice", format!("two rules replace `{}`", replaced.text))
                .at(replaced.place(), format!("`{}` does", rule.id()))
                .at(other.name.place(), format!("so does `{}`", other.id()))
                .help("let one of them stand beside it under a name of its own, or disable one");
            sources.problems.push(problem);
        }
        sources.rules.remove(&replaced.text);
    }
    for rule in all {
        let mut next = rule.replaces.as_ref();
        let mut passed = BTreeSet::new();
        while let Some(replaced) = next.filter(|it| passed.insert(it.text.clone())) {
            if replaced.text == rule.id() {
                let problem = Problem::error("rule::replaces_itself", format!("`{}` replaces itself", rule.id()))
                    .at(rule.name.place(), "so that no rule is left")
                    .help("take `replaces` away, or name the rule in whose place this one stands");
                sources.problems.push(problem);
                break;
            }
            next = all
                .iter()
                .find(|it| it.id() == replaced.text)
                .and_then(|it| it.replaces.as_ref());
        }
    }
}

/// Returns the rule `id` as it is written.
#[salsa::tracked]
pub fn source(db: &dyn Db, project: Project, id: Name) -> Option<Arc<RuleSource>> {
    sources(db, project).rules.get(&id).cloned()
}

/// The fingerprint of all that the packs declare.
#[salsa::tracked(returns(copy))]
pub fn schema_fingerprint(db: &dyn Db, project: Project) -> Fingerprint {
    Fingerprint::of_value(pack::schema(db, project))
}

/// Returns the rule `id`, compiled. A rule that only moved within its file compiles to an equal one.
#[salsa::tracked(returns(ref))]
pub fn compiled(db: &dyn Db, project: Project, id: Name) -> Compiled {
    let Some(source) = source(db, project, id) else {
        return Compiled {
            rule: None,
            problems: Vec::new(),
        };
    };
    let schema = pack::schema_seen_from(db, project, &source.pack);
    let (rule, problems) = compile::compile(source, schema, schema_fingerprint(db, project));
    Compiled {
        rule: rule.map(Arc::new),
        problems,
    }
}

/// Returns the rule `id`, if it is in force and without error: what reads it is not run again when only its
/// problems changed.
#[salsa::tracked(returns(ref))]
pub fn rule(db: &dyn Db, project: Project, id: Name) -> Option<Arc<Rule>> {
    compiled(db, project, id).rule.clone()
}

/// Returns the ids of all rules in force, sorted.
#[salsa::tracked(returns(deref))]
pub fn ids(db: &dyn Db, project: Project) -> Vec<Name> {
    sources(db, project).rules.keys().cloned().collect()
}

/// Returns the ids of all rules that are written anywhere, those too that are turned off or replaced.
#[must_use]
pub fn written(db: &dyn Db, project: Project) -> BTreeSet<Name> {
    let files = pack_files(db, project).iter().filter(|it| is_rule_file(it.path(db)));
    files
        .flat_map(|it| rule_file(db, *it).rules.iter().map(|it| it.id()))
        .collect()
}

/// Returns the rules of one pack as they are written, those too that are not in force.
#[must_use]
pub fn rules_of(db: &dyn Db, project: Project, pack: &Name) -> Vec<Arc<RuleSource>> {
    let files = pack_files(db, project).iter();
    let files = files.filter(|it| is_rule_file(it.path(db)) && pack_of(it.path(db)) == *pack);
    files.flat_map(|it| rule_file(db, *it).rules.iter().cloned()).collect()
}

/// Returns what is wrong with the rules of a project.
#[must_use]
pub fn problems(db: &dyn Db, project: Project) -> Vec<Problem> {
    let mut problems = sources(db, project).problems.clone();
    for id in ids(db, project) {
        problems.extend(compiled(db, project, id.clone()).problems.iter().cloned());
    }
    problems
}
