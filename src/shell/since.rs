//! What the rules want of the files now, against what they wanted of the files at a revision: a plan for which no output
//! on the disk is looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;

use super::discover::{MOST_BYTES, Tree, gather_tree};
use super::engine::{Ask, Engine, Outcome, Past, Texts, includes};
use super::git::{Commit, Listing, Repository};
use super::inputs::Inputs;
use super::report::Sources;
use super::session;
use crate::plan::json::Difference;
use crate::plan::{
    ArtifactPath, Change, Decisions, Entry, Found, Mode, Plan, Record, Scope, Wanted, plan, sites, wanted_at,
};
use crate::problem::{Place, Problem};
use crate::value::Name;

/// A project as a revision holds it.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Its files.
    pub inputs: Inputs,
    /// What can't be found or read.
    pub problems: Vec<Problem>,
}

/// What has changed since a revision.
#[derive(Debug, Default)]
pub struct Since {
    /// The artifacts that are others now than then.
    pub plan: Plan,
    /// What was wrong then, if that forbids to compare; else what is wrong with the paths that were asked for.
    pub problems: Vec<Problem>,
    /// The texts in which the problems stand.
    pub sources: Sources,
    /// The nodes of which an artifact changes.
    pub affected: BTreeSet<Name>,
    /// Those that were such nodes then, and are no nodes any more.
    pub gone: BTreeSet<Name>,
    texts: BTreeMap<ArtifactPath, Arc<[u8]>>,
}

/// Reads the project from `commit`.
///
/// # Errors
/// A problem where git can't read it, or no project stands there.
pub fn snapshot(repository: &Repository, commit: &Commit) -> Result<Snapshot, Problem> {
    let Listing { files, above } = repository.files(commit)?;
    let read = |paths: &[&str]| {
        let blobs: Vec<_> = paths.iter().filter_map(|it| files.get(*it)).collect();
        repository.contents(commit, &blobs, MOST_BYTES)
    };
    let (ways, blobs): (Vec<_>, Vec<_>) = above.iter().map(|(way, it)| (way.clone(), it)).unzip();
    let held = repository.contents(commit, &blobs, MOST_BYTES)?;
    let tree = Tree {
        paths: files.keys().map(String::as_str).collect(),
        above: ways.into_iter().zip(held).collect(),
        read: &read,
    };
    let (inputs, problems) = gather_tree(&tree, includes)?.ok_or_else(|| {
        let name = &commit.name;
        let message = format!("no root file of this project stands in `{name}`");
        Problem::error("shell::not_in_revision", message)
            .help("name a revision in which the project stood in the same folder")
    })?;
    Ok(Snapshot { inputs, problems })
}

/// Compares `outcome`, which the engine has just made for `ask`, with what `old` came to, which is called `name`.
pub fn since(
    engine: &mut Engine,
    ask: &Ask,
    outcome: &Outcome,
    (name, old): (&str, Snapshot),
    scope: &Scope,
    texts: Texts,
) -> Since {
    let past = engine.past(&old.inputs, old.problems, ask, texts);
    if past.outcome.is_invalid() {
        let errors = past.outcome.problems.into_iter().filter(Problem::is_error);
        let root = engine.inputs().map_or_else(|| old.inputs.root.clone(), |it| it.root);
        let (problems, sources) = at_revision(name, (&old.inputs, &root), errors.collect(), &past.outcome.sources);
        return Since {
            problems,
            sources,
            ..Since::default()
        };
    }
    let mut since = Since {
        plan: planned(&past, outcome, scope),
        texts: past.texts,
        ..Since::default()
    };
    let named = scope.paths.iter().map(String::as_str);
    let records = records(&past.outcome.wanted, &outcome.wanted);
    since.problems = session::unmatched(named, &sites(&outcome.wanted, &records, scope));
    for entry in &mut since.plan.entries {
        entry.reasons = past.reasons.get(entry.path.as_str()).cloned().unwrap_or_default();
    }
    since.problems.extend(past.problems);
    since.plan.effects = Some(past.effects);
    session::pair_renamed(engine, &mut since.plan, &[]);
    let now = engine.nodes_of(since.plan.entries.iter().map(|it| it.path.as_str()));
    let mut all: BTreeSet<Name> = now.into_values().collect();
    let left = since.plan.entries.iter().map(|it| match &it.change {
        Change::Moved { from } => from,
        _ => &it.path,
    });
    all.extend(left.filter_map(|it| past.nodes.get(it.as_str()).cloned()));
    (since.affected, since.gone) = all.into_iter().partition(|it| engine.has_node(ask, it));
    since
}

/// Returns the difference at each entry of the plan of `since`, with `context` lines around each change.
///
/// # Errors
/// What went wrong while printing.
pub fn diffs(
    engine: &mut Engine,
    outcome: &Outcome,
    since: &Since,
    context: usize,
) -> Result<Vec<Difference>, Vec<Problem>> {
    let contents = session::contents(engine, outcome, &since.plan)?;
    let diff = |entry: &Entry| {
        let old = since.texts.get(&entry.path).map(|it| &**it);
        session::difference(entry, old, contents.get(&entry.path).map(|it| &**it), context)
    };
    Ok(since.plan.entries.par_iter().map(diff).collect())
}

/// Plans as if all that was wanted then had been written.
fn planned(past: &Past, outcome: &Outcome, scope: &Scope) -> Plan {
    let then = &past.outcome.wanted;
    let records = records(then, &outcome.wanted);
    let sites = sites(&outcome.wanted, &records, scope);
    let mode = |path: &ArtifactPath| wanted_at(then, path).map_or(Mode::Plain, |it| it.mode);
    let found: Vec<Found> = sites
        .iter()
        .map(|it| match it.recorded {
            Some(record) => Found::File(record.digest, mode(&record.path)),
            None => Found::Absent,
        })
        .collect();
    plan(&sites, &found, &Decisions::default())
}

/// Returns what would be on record of `then`. Who prints a file is no change as long as the file is the same.
fn records(then: &[Wanted], now: &[Wanted]) -> Vec<Record> {
    let record = |it: &Wanted| {
        let same = wanted_at(now, &it.path).filter(|now| now.digest == it.digest);
        Record {
            path: it.path.clone(),
            digest: it.digest,
            declined: None,
            rule: same.unwrap_or(it).rule.clone(),
        }
    };
    then.iter().map(record).collect()
}

/// Names the files of `problems` as git names them, since they are not those on the disk. The root file bears the name
/// `root` in them, whatever it was called then.
fn at_revision(
    name: &str,
    (inputs, root): (&Inputs, &Name),
    problems: Vec<Problem>,
    sources: &Sources,
) -> (Vec<Problem>, Sources) {
    let mut renamed = sources.clone();
    let mut problems = problems;
    for label in problems.iter_mut().flat_map(|it| &mut it.labels) {
        let Place::Text(file, _) = &mut label.place else {
            continue;
        };
        let found = if file == root {
            Some((&inputs.root, &inputs.text))
        } else {
            let (included, own) = (inputs.included.get_key_value(file), &inputs.own);
            included.or_else(|| own.get_key_value(file))
        };
        if let Some((path, text)) = found {
            *file = Name::from(format!("{name}:{path}"));
            renamed.insert(file.clone(), text.clone());
        }
    }
    (problems, renamed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fingerprint::Fingerprint;

    fn wanted(path: &str, rule: &str, text: &str) -> Wanted {
        let path = ArtifactPath::parse(path).expect("a plain path");
        Wanted::printed(path, rule.into(), text.as_bytes().into(), Mode::Plain)
    }

    #[test]
    fn the_plan_is_from_then_to_now() {
        let past = Past {
            outcome: Outcome {
                wanted: vec![
                    wanted("changed", "p/r", "1"),
                    wanted("gone", "p/r", "2"),
                    wanted("other_rule", "p/r", "3"),
                    wanted("was_here", "p/r", "4"),
                ],
                ..Outcome::default()
            },
            ..Past::default()
        };
        let now = Outcome {
            wanted: vec![
                wanted("changed", "p/r", "11"),
                wanted("is_there", "p/r", "4"),
                wanted("new", "p/r", "5"),
                wanted("other_rule", "p/s", "3"),
            ],
            ..Outcome::default()
        };
        let plan = planned(&past, &now, &Scope::default());
        let told: Vec<(&str, &str)> = plan
            .entries
            .iter()
            .map(|it| (it.path.as_str(), it.change.name()))
            .collect();
        let right = [
            ("changed", "update"),
            ("gone", "delete"),
            ("is_there", "move"),
            ("new", "create"),
        ];
        assert_eq!((told.as_slice(), plan.n_unchanged), (&right[..], 1));
        let digest = plan.entries.first().map(|it| it.found.clone());
        assert_eq!(digest, Some(Found::File(Fingerprint::of(b"1"), Mode::Plain)));
    }
}
