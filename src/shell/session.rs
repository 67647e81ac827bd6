//! From an outcome to a plan, and from a plan to the disk: the way that plan, apply, check and watch share.
//!
//! Nothing is printed here, and nothing is decided about contents.

mod merge;
mod reasons;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path};
use std::sync::Arc;

use rayon::prelude::*;

use super::disk::{CACHE, Disk, Seen};
use super::engine::{Ask, Engine, Extent, Outcome};
use super::index::Index;
use super::inputs::Inputs;
use super::manifest::{self, Manifest};
use super::stat::Stat;
use super::store::{self, Patience, Recovery, Store};
use crate::fingerprint::Fingerprint;
use crate::plan::json::Difference;
use crate::plan::{
    ArtifactPath, Change, Content, Coverage, Decisions, Entry, Found, Plan, Scope, Site, plan, sites, sites_at,
    wanted_at,
};
use crate::problem::Problem;
use crate::value::Name;

pub use reasons::{Why, give_reasons, give_reasons_since, pair_renamed};

/// A plan, and what it was made of.
#[derive(Debug, Default)]
pub struct Planned {
    /// What would change.
    pub plan: Plan,
    /// What is on record.
    pub manifest: Manifest,
    /// What is wrong with the records and the paths; warnings, unless nothing can be planned.
    pub problems: Vec<Problem>,
}

impl Planned {
    /// Tells whether everything is as wanted and on record.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.plan.is_empty() && !self.manifest.is_unsettled()
    }

    /// Tells whether something is wrong that forbids to write.
    #[must_use]
    pub fn is_invalid(&self) -> bool {
        self.problems.iter().any(Problem::is_error)
    }
}

/// Returns what a command covers that asks for `ask` and `paths`.
#[must_use]
pub fn scope(ask: &Ask, outcome: &Outcome, paths: Vec<String>) -> Scope {
    let covered = |name: &Name| match ask.environments.is_empty() || ask.environments.contains(name) {
        true => Coverage::Covered,
        false => Coverage::LeftOut,
    };
    Scope {
        environments: outcome
            .environments
            .iter()
            .map(|it| (it.folder.clone(), covered(&it.name)))
            .collect(),
        elsewhere: if ask.environments.is_empty() {
            Coverage::Covered
        } else {
            Coverage::LeftOut
        },
        paths,
    }
}

/// What a process knows from its last apply, and need not read again.
#[derive(Debug, Default)]
pub struct Memory {
    /// The manifest, and the time of its folder: another process may have written it since.
    manifest: Option<(Manifest, Stat)>,
    /// What was written, for the index.
    seen: Vec<Seen>,
}

impl Memory {
    fn manifest(&mut self, disk: &Disk) -> Result<(Manifest, Vec<Problem>), Problem> {
        let now = disk.stat(manifest::FOLDER).ok().map(|it| Stat::of(&it));
        match self.manifest.take() {
            Some((manifest, then)) if Some(then) == now => Ok((manifest, Vec::new())),
            _ => Manifest::load(disk),
        }
    }

    fn keep(&mut self, disk: &Disk, manifest: Manifest) {
        let now = disk.stat(manifest::FOLDER).ok().map(|it| Stat::of(&it));
        self.manifest = now.map(|now| (manifest, now));
    }

    /// Returns the paths of all files that are on record, as far as they are known.
    pub fn outputs(&self) -> impl Iterator<Item = &str> {
        let manifest = self.manifest.as_ref().map(|it| it.0.records());
        manifest.unwrap_or_default().iter().map(|it| it.path.as_str())
    }

    /// Writes to the index what was learnt, so that the next process need not read it.
    pub fn save(&mut self, disk: &Disk, outcome: &Outcome) {
        let index = Index::load(disk, &index_path());
        let manifest = self.manifest.as_ref().map(|it| &it.0);
        remember(disk, &index, std::mem::take(&mut self.seen), manifest, outcome);
    }
}

/// Plans what `outcome` wants, in `scope`, against what is on record and on `disk`.
#[must_use]
pub fn prepare(disk: &Disk, outcome: &Outcome, scope: &Scope, decisions: &Decisions) -> Planned {
    prepare_with(&mut Memory::default(), disk, outcome, scope, decisions)
}

fn prepare_with(memory: &mut Memory, disk: &Disk, outcome: &Outcome, scope: &Scope, decisions: &Decisions) -> Planned {
    let (mut manifest, mut problems) = match memory.manifest(disk) {
        Ok(known) => known,
        Err(problem) => {
            return Planned {
                problems: vec![problem],
                ..Planned::default()
            };
        }
    };
    if store::is_interrupted(disk) {
        problems.push(
            Problem::warning("shell::interrupted", "an earlier apply was interrupted")
                .help("`gen apply` finishes it, or puts back what was there"),
        );
    }
    let files: Vec<(&ArtifactPath, &Name)> = outcome.wanted.iter().map(|it| (&it.path, &it.rule)).collect();
    problems.extend(crate::plan::path::collisions(&files));
    if problems.iter().any(Problem::is_error) {
        return Planned {
            manifest,
            problems,
            ..Planned::default()
        };
    }
    // A few files are read faster than the index of all.
    let index = match outcome.extent {
        Extent::Whole => Index::load(disk, &index_path()),
        Extent::Only(_) => Index::default(),
    };
    let (found, seen, digests) = {
        let sites = join(&manifest, outcome, scope);
        let paths: Vec<&ArtifactPath> = sites.iter().map(|it| it.path).collect();
        let (found, seen) = disk.look(&paths, |path: &str, at: usize, stat: &Stat| {
            index.digest(path, at, stat)
        });
        let digest = |(path, found): (&&ArtifactPath, &Found)| match found {
            Found::File(digest, _) => Some(((*path).clone(), *digest)),
            _ => None,
        };
        let mut digests: BTreeMap<ArtifactPath, Fingerprint> = BTreeMap::new();
        if manifest.is_unsettled() {
            digests.extend(paths.iter().zip(&found).filter_map(digest));
        }
        (found, seen, digests)
    };
    manifest.settle(|path| digests.get(path).copied());
    let sites = join(&manifest, outcome, scope);
    let plan = plan(&sites, &found, decisions);
    let named = scope.paths.iter().map(String::as_str);
    let named = named.chain(decisions.overwrite.named()).chain(decisions.adopt.named());
    let named = named.chain(decisions.merge.named());
    problems.extend(unmatched(named, &sites));
    problems.extend(plan.deletes_most(manifest.records().len()));
    problems.extend(merge::torn(disk, &plan));
    drop(sites);
    if outcome.extent == Extent::Whole {
        remember(disk, &index, seen, Some(&manifest), outcome);
    }
    Planned {
        plan,
        manifest,
        problems,
    }
}

fn join<'a>(manifest: &'a Manifest, outcome: &'a Outcome, scope: &Scope) -> Vec<Site<'a>> {
    match &outcome.extent {
        Extent::Whole => sites(&outcome.wanted, manifest.records(), scope),
        Extent::Only(paths) => sites_at(paths, &outcome.wanted, manifest.records(), scope),
    }
}

/// What a user wants to have carried out.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    /// What was asked for.
    pub ask: &'a Ask,
    /// What the rules want.
    pub outcome: &'a Outcome,
    /// What of it is covered.
    pub scope: &'a Scope,
    /// What is to become of files that are not as they were written.
    pub decisions: &'a Decisions,
    /// Whether somebody looks on who meant it, where most of what is generated is to be deleted.
    pub is_meant: bool,
}

/// Why nothing was carried out.
#[derive(Debug, Default)]
pub struct Refusal {
    /// What stands in the way.
    pub problems: Vec<Problem>,
    /// How many files wait only because others are to be decided on.
    pub n_waiting: usize,
}

impl From<Vec<Problem>> for Refusal {
    fn from(problems: Vec<Problem>) -> Self {
        Self { problems, n_waiting: 0 }
    }
}

/// Carries out what [`prepare`] plans, under the lock; also says how an interrupted apply was settled.
///
/// # Errors
/// What stands in the way; nothing has changed then.
pub fn apply(
    memory: &mut Memory,
    disk: &Disk,
    engine: &mut Engine,
    order: Order<'_>,
    patience: Patience,
) -> Result<(Planned, Recovery), Refusal> {
    let Order {
        ask,
        outcome,
        scope,
        decisions,
        is_meant,
    } = order;
    if outcome.is_invalid() {
        return Err(outcome.problems.clone().into());
    }
    let (store, recovery) = Store::open(disk, patience).map_err(|it| vec![it])?;
    let mut planned = prepare_with(memory, disk, outcome, scope, decisions);
    if planned.is_invalid() {
        return Err(planned.problems.into());
    }
    if !is_meant && let Some(problem) = planned.plan.deletes_most(planned.manifest.records().len()) {
        let help = "`gen apply` deletes them, if that is meant";
        return Err(vec![Problem::error("plan::deletes_most", problem.message).help(help)].into());
    }
    merge::carry(disk, engine, ask, decisions, &mut planned);
    let obstacles = planned.plan.obstacles();
    if !obstacles.is_empty() {
        let n_waiting = planned.plan.entries.len() - obstacles.len();
        planned.problems.extend(obstacles);
        return Err(Refusal {
            problems: planned.problems,
            n_waiting,
        });
    }
    let manifest = std::mem::take(&mut planned.manifest);
    if planned.plan.is_empty() && !manifest.is_unsettled() {
        memory.keep(disk, manifest);
        return Ok((planned, recovery));
    }
    let mut contents = contents(engine, outcome, &planned.plan)?;
    merge::merge(disk, engine, ask, &mut planned, &manifest, &mut contents)?;
    let print = |path: &ArtifactPath| Ok(contents.get(path).expect("each file of the plan was printed").clone());
    let applied = store.apply(&planned.plan, manifest, &print).map_err(|it| vec![it])?;
    planned.problems.extend(applied.problems);
    memory.keep(disk, applied.manifest);
    memory.seen.extend(applied.seen);
    Ok((planned, recovery))
}

/// Returns the content of each file that `plan` writes.
pub(super) fn contents(
    engine: &mut Engine,
    outcome: &Outcome,
    plan: &Plan,
) -> Result<BTreeMap<ArtifactPath, Arc<[u8]>>, Vec<Problem>> {
    let mut contents = BTreeMap::new();
    let mut unknown = Vec::new();
    for entry in &plan.entries {
        match wanted_at(&outcome.wanted, &entry.path).map(|it| &it.content) {
            Some(Content::Printed(bytes)) => _ = contents.insert(entry.path.clone(), bytes.clone()),
            Some(Content::Known(_)) => unknown.push(&entry.path),
            None => {}
        }
    }
    let printed = engine.print(&unknown)?;
    for (path, bytes) in unknown.iter().zip(&printed) {
        if wanted_at(&outcome.wanted, path).is_some_and(|it| it.digest != Fingerprint::of(bytes)) {
            return Err(vec![
                Problem::error(
                    "shell::stale_cache",
                    format!("the cache promised another content of `{path}` than what was printed"),
                )
                .help("delete `.gen/cache` and run the command again"),
            ]);
        }
    }
    contents.extend(unknown.into_iter().cloned().zip(printed));
    Ok(contents)
}

/// Returns the difference at each entry of `plan`, with `context` lines around each change.
///
/// # Errors
/// What went wrong while printing artifacts of which only the fingerprint was known.
pub fn diffs(
    disk: &Disk,
    engine: &mut Engine,
    outcome: &Outcome,
    plan: &Plan,
    context: usize,
) -> Result<Vec<Difference>, Vec<Problem>> {
    let contents = contents(engine, outcome, plan)?;
    let taken: BTreeSet<&ArtifactPath> = plan.entries.iter().filter_map(|it| it.instead_of.as_ref()).collect();
    let diff = |entry: &Entry| {
        // What comes under a new name is compared with what goes under the old one, which needs no word of its own.
        let old = match (&entry.found, &entry.instead_of) {
            (Found::File(..), _) if entry.change == Change::Delete && taken.contains(&entry.path) => {
                return Difference::default();
            }
            (Found::File(..), _) => disk.read(entry.path.as_str()).ok(),
            (_, Some(from)) => disk.read(from.as_str()).ok(),
            _ => None,
        };
        let new = contents.get(&entry.path).map(|it| &**it);
        difference(entry, old.as_deref(), new, context)
    };
    Ok(plan.entries.par_iter().map(diff).collect())
}

/// Returns the difference at `entry` between what was there and what comes.
pub(super) fn difference(entry: &Entry, old: Option<&[u8]>, new: Option<&[u8]>, context: usize) -> Difference {
    // A file that only comes on record, or moves, has no difference.
    let is_changed = entry.wanted.map(|it| it.0) != old.map(Fingerprint::of);
    if !is_changed || matches!(entry.change, Change::Moved { .. }) {
        return Difference::default();
    }
    let path = entry.path.as_str();
    let from = entry.instead_of.as_ref().map_or(path, ArtifactPath::as_str);
    let both = old.zip(new);
    Difference {
        text: crate::plan::diff::unified((from, path), old, new, context),
        fields: both.and_then(|(old, new)| crate::plan::fields::changes(path, old, new)),
    }
}

/// Writes new texts of files of the spec: all of them or none. Says what became of an apply that was interrupted.
///
/// # Errors
/// What stands in the way; nothing has changed then.
pub fn rewrite(
    disk: &Disk,
    texts: &BTreeMap<Name, (Arc<str>, Arc<str>)>,
    patience: Patience,
) -> Result<Recovery, Problem> {
    let mut all = BTreeMap::new();
    for (path, (old, new)) in texts {
        let path = ArtifactPath::parse(path)?;
        all.insert(path, (Fingerprint::of(old.as_bytes()), Arc::from(new.as_bytes())));
    }
    let (store, recovery) = Store::open(disk, patience)?;
    store.rewrite(&all)?;
    Ok(recovery)
}

/// Keeps what was read for the next plan, where all that it makes is written.
pub fn keep_inputs(disk: &Disk, engine: &Engine, ask: &Ask, scope: &Scope, planned: &Planned) {
    if !planned.plan.is_empty() && is_whole(ask, scope) {
        engine.inputs().iter().for_each(|it| it.save(disk));
    } else {
        keep_fresh_inputs(disk, engine, ask, scope, planned);
    }
}

/// Keeps what was read for the next plan where all that it makes stands there already: in a clone, or on another branch,
/// where nobody here has applied it.
pub fn keep_fresh_inputs(disk: &Disk, engine: &Engine, ask: &Ask, scope: &Scope, planned: &Planned) {
    // What was not read again is what was kept last.
    if is_whole(ask, scope)
        && planned.is_fresh()
        && !planned.is_invalid()
        && let Some(inputs) = engine.inputs()
        && Inputs::known_by(disk) != Some(inputs.fingerprint())
    {
        inputs.save(disk);
    }
}

/// Tells whether all is covered, and nothing is set for one run.
fn is_whole(ask: &Ask, scope: &Scope) -> bool {
    ask.environments.is_empty() && ask.overrides.is_empty() && scope.paths.is_empty()
}

fn index_path() -> String {
    format!("{CACHE}/outputs")
}

/// Keeps in the index what was read, if anything was.
fn remember(disk: &Disk, index: &Index, seen: Vec<Seen>, manifest: Option<&Manifest>, outcome: &Outcome) {
    if seen.is_empty() {
        return;
    }
    let is_wanted = |path: &str| outcome.wanted.binary_search_by(|it| it.path.as_str().cmp(path)).is_ok();
    let is_recorded = |path: &str| {
        let records = manifest.map(Manifest::records).unwrap_or_default();
        records.binary_search_by(|it| it.path.as_str().cmp(path)).is_ok()
    };
    index.save(disk, &index_path(), seen, |path| is_recorded(path) || is_wanted(path));
}

/// Says which of `named` hold none of the paths of `sites`.
pub(super) fn unmatched<'a>(named: impl Iterator<Item = &'a str>, sites: &[Site<'_>]) -> Vec<Problem> {
    let missing = named.filter(|name| !sites.iter().any(|it| it.path.is_under(name)));
    let problem = |name: &str| {
        Problem::error(
            "plan::no_such_path",
            format!("`{name}` is no artifact, and no folder of artifacts"),
        )
        .suggest(name, sites.iter().map(|it| it.path.as_str()))
    };
    missing.map(problem).collect()
}

/// Returns `path`, as a user in the folder `from` writes it, relative to the project at `root`; `""` is the root.
///
/// # Errors
/// A problem where it leaves the project.
pub fn relative(root: &Path, from: &Path, path: &Path) -> Result<String, Problem> {
    let outside = || {
        Problem::error(
            "plan::unsafe_path",
            format!("`{}` lies outside of the project", path.display()),
        )
        .help("name a path below the folder of the root file")
    };
    let mut parts: Vec<String> = Vec::new();
    for part in from.join(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => _ = parts.pop().ok_or_else(outside)?,
            Component::Prefix(_) | Component::RootDir => parts.clear(),
            Component::Normal(name) => parts.push(name.to_str().ok_or_else(outside)?.to_owned()),
        }
    }
    let inside = root.components().filter_map(|it| match it {
        Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
        _ => None,
    });
    let inside: Vec<String> = inside.collect();
    let rest = parts.strip_prefix(inside.as_slice()).ok_or_else(outside)?;
    Ok(rest.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Chosen, Mode, Wanted};
    use crate::shell::discover::Root;
    use crate::shell::engine::Environment;

    fn wanted(path: &str, content: &str) -> Wanted {
        let path = ArtifactPath::parse(path).expect("a plain path");
        Wanted::printed(path, "tubes/line".into(), content.as_bytes().into(), Mode::Plain)
    }

    fn outcome(wanted: &[(&str, &str)]) -> Outcome {
        Outcome {
            wanted: wanted
                .iter()
                .map(|(path, content)| self::wanted(path, content))
                .collect(),
            ..Outcome::default()
        }
    }

    fn run(disk: &Disk, outcome: &Outcome, scope: &Scope, decisions: &Decisions) -> Result<Planned, Vec<Problem>> {
        let root = Root {
            folder: disk.root().to_path_buf(),
            spec: "gen.yaml".into(),
        };
        let mut engine = Engine::fixed(root, outcome.clone());
        let mut memory = Memory::default();
        let applied = apply(
            &mut memory,
            disk,
            &mut engine,
            Order {
                ask: &Ask::default(),
                outcome,
                scope,
                decisions,
                is_meant: true,
            },
            Patience::Fail,
        );
        memory.save(disk, outcome);
        applied.map(|it| it.0).map_err(|it| it.problems)
    }

    #[test]
    fn a_plan_after_an_apply_is_empty_with_and_without_the_index() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let disk = Disk::open(folder.path()).expect("the folder is there");
        let outcome = outcome(&[("a/x", "1"), ("b", "2")]);
        let all = Scope::default();
        run(&disk, &outcome, &all, &Decisions::default()).expect("applied");
        for _ in 0..2 {
            let planned = prepare(&disk, &outcome, &all, &Decisions::default());
            assert!(planned.is_fresh() && planned.problems.is_empty(), "{planned:?}");
        }
        assert!(folder.path().join(".gen/cache/outputs").is_file());
        std::fs::remove_dir_all(folder.path().join(".gen/cache")).expect("removed");
        assert!(prepare(&disk, &outcome, &all, &Decisions::default()).is_fresh());
        std::fs::write(folder.path().join("b"), "3").expect("written");
        assert_eq!(
            prepare(&disk, &outcome, &all, &Decisions::default())
                .plan
                .counts()
                .edited_by_hand,
            1
        );
    }

    #[test]
    fn what_is_remembered_holds_until_another_process_writes() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let disk = Disk::open(folder.path()).expect("the folder is there");
        let (all, none) = (Scope::default(), Decisions::default());
        let mut memory = Memory::default();
        let step = |memory: &mut Memory, outcome: &Outcome| {
            let root = Root {
                folder: disk.root().to_path_buf(),
                spec: "gen.yaml".into(),
            };
            let mut engine = Engine::fixed(root, outcome.clone());
            let ask = Ask::default();
            let order = Order {
                ask: &ask,
                outcome,
                scope: &all,
                decisions: &none,
                is_meant: true,
            };
            let applied = apply(memory, &disk, &mut engine, order, Patience::Fail);
            applied.expect("applied").0.plan.counts().to_string()
        };
        let first = outcome(&[("a/x", "1"), ("b", "2"), ("c", "3")]);
        assert_eq!(step(&mut memory, &first), "3 to create");
        let path = |it: &str| ArtifactPath::parse(it).expect("a plain path");
        let next = Outcome {
            extent: Extent::Only([path("b"), path("c"), path("d")].into()),
            ..outcome(&[("b", "22"), ("d", "4")])
        };
        assert_eq!(step(&mut memory, &next), "1 to create, 1 to update, 1 to delete");
        let last = outcome(&[("a/x", "1"), ("b", "22"), ("d", "4")]);
        assert_eq!(step(&mut Memory::default(), &last), "3 unchanged");
        let other = outcome(&[("a/x", "1"), ("b", "other"), ("d", "4")]);
        assert_eq!(step(&mut Memory::default(), &other), "1 to update, 2 unchanged");
        let only = Outcome {
            extent: Extent::Only([path("b")].into()),
            ..outcome(&[("b", "22")])
        };
        assert_eq!(step(&mut memory, &only), "1 to update");
    }

    #[test]
    fn an_environment_that_was_not_asked_for_is_left_alone() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let disk = Disk::open(folder.path()).expect("the folder is there");
        let environments = ["dev", "prod"].map(|it| Environment {
            name: it.into(),
            folder: it.into(),
        });
        let both = Outcome {
            environments: environments.into(),
            ..outcome(&[("dev/a", "1"), ("prod/a", "1")])
        };
        run(
            &disk,
            &both,
            &scope(&Ask::default(), &both, vec![]),
            &Decisions::default(),
        )
        .expect("applied");
        let dev = Outcome {
            environments: both.environments.clone(),
            ..outcome(&[("dev/a", "2")])
        };
        let ask = Ask {
            environments: vec!["dev".into()],
            ..Ask::default()
        };
        let planned = run(&disk, &dev, &scope(&ask, &dev, vec![]), &Decisions::default()).expect("applied");
        assert_eq!(planned.plan.counts().to_string(), "1 to update");
        assert!(folder.path().join("prod/a").is_file());
        let (manifest, _) = Manifest::load(&disk).expect("loaded");
        assert_eq!(manifest.records().len(), 2);
    }

    #[test]
    fn a_conflict_in_the_manifest_is_settled_by_what_stands_there() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let disk = Disk::open(folder.path()).expect("the folder is there");
        let all = Scope::default();
        run(
            &disk,
            &outcome(&[("a", "ours"), ("b", "x")]),
            &all,
            &Decisions::default(),
        )
        .expect("applied");
        let shard = folder.path().join(".gen/manifest/+.txt");
        let text = std::fs::read_to_string(&shard).expect("text");
        let (ours, theirs) = (
            Fingerprint::of(b"ours").to_string(),
            Fingerprint::of(b"theirs").to_string(),
        );
        let line = format!("{ours} a tubes/line\n");
        let conflict = format!(
            "<<<<<<< HEAD\n{line}=======\n{}>>>>>>> topic\n",
            line.replace(&ours, &theirs)
        );
        std::fs::write(&shard, text.replace(&line, &conflict)).expect("written");
        std::fs::write(folder.path().join("a"), "theirs").expect("written");
        let next = outcome(&[("a", "newer"), ("b", "x")]);
        let planned = prepare(&disk, &next, &all, &Decisions::default());
        assert_eq!(planned.plan.counts().to_string(), "1 to update, 1 unchanged");
        assert!(!planned.is_fresh());
        run(&disk, &next, &all, &Decisions::default()).expect("applied");
        assert!(prepare(&disk, &next, &all, &Decisions::default()).is_fresh());
        assert!(!std::fs::read_to_string(&shard).expect("text").contains("<<<"));
    }

    #[test]
    fn a_name_that_fits_nothing_is_an_error() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let disk = Disk::open(folder.path()).expect("the folder is there");
        let scope = Scope {
            paths: vec!["tubes/ordres".into()],
            ..Scope::default()
        };
        let planned = prepare(&disk, &outcome(&[("tubes/orders", "1")]), &scope, &Decisions::default());
        assert_eq!(planned.problems[0].code, "plan::no_such_path");
        let decisions = Decisions {
            overwrite: Chosen::Under(["pipes".to_owned()].into()),
            adopt: Chosen::None,
            ..Decisions::default()
        };
        let planned = prepare(&disk, &outcome(&[("tubes/orders", "1")]), &Scope::default(), &decisions);
        assert_eq!(planned.problems[0].code, "plan::no_such_path");
    }

    #[test]
    fn paths_of_users_become_paths_of_the_project() {
        let relative = |from: &str, path: &str| relative(Path::new("/p"), Path::new(from), Path::new(path)).ok();
        assert_eq!(relative("/p/a", "../b/./c").as_deref(), Some("b/c"));
        assert_eq!(relative("/p/a", ".").as_deref(), Some("a"));
        assert_eq!(relative("/p", "/p/x/").as_deref(), Some("x"));
        assert_eq!(relative("/p", "../q"), None);
        assert_eq!(relative("/p", "../../.."), None);
    }
}
