//! The rules of a project: all packs' files read, replaced and disabled ones left out, each compiled once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::db::{Db, Project, SourceFile, pack_files};
use crate::fingerprint::Fingerprint;
use crate::kind::pack;
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
    let below = path.strip_prefix("rules/").unwrap_or(path);
    match below.split_once('/') {
        Some((pack, _)) => Name::from(pack),
        None => Name::from("project"),
    }
}

/// Tells whether the file at `path` holds rules: not a pack's head or its proofs, and not a case of its tests.
fn is_rule_file(path: &str) -> bool {
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

/// Returns all rules in force, by their id.
#[salsa::tracked(returns(ref))]
pub fn sources(db: &dyn Db, project: Project) -> Sources {
    let mut sources = Sources::default();
    let mut all: Vec<Arc<RuleSource>> = Vec::new();
    for source in pack_files(db, project) {
        let path = source.path(db);
        if is_rule_file(path) {
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
    replace(&all, &mut sources);
    for id in &spec::settings(db, project).disable {
        if sources.rules.remove(id).is_none() && !all.iter().any(|it| it.id() == *id) {
            let ids: Vec<Name> = all.iter().map(|it| it.id()).collect();
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
fn replace(all: &[Arc<RuleSource>], sources: &mut Sources) {
    let mut taken: BTreeMap<Name, &RuleSource> = BTreeMap::new();
    for rule in all {
        let Some(replaced) = &rule.replaces else { continue };
        if !all.iter().any(|it| it.id() == replaced.text) {
            let ids: Vec<Name> = all.iter().map(|it| it.id()).collect();
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
    Fingerprint::of(format!("{:?}", pack::schema(db, project)).as_bytes())
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

/// Returns what is wrong with the rules of a project.
#[must_use]
pub fn problems(db: &dyn Db, project: Project) -> Vec<Problem> {
    let mut problems = sources(db, project).problems.clone();
    for id in ids(db, project) {
        problems.extend(compiled(db, project, id.clone()).problems.iter().cloned());
    }
    problems
}
