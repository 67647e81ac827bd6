//! What was changed by hand, joined with what is generated now: in its place, or under a new name.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Planned, give_reasons};
use crate::fingerprint::Fingerprint;
use crate::plan::{ArtifactPath, Change, Decisions, Entry, Found, Intent, Plan, Resolution, merge};
use crate::problem::Problem;
use crate::shell::disk::Disk;
use crate::shell::engine::{Ask, Engine};
use crate::shell::manifest::Manifest;
use crate::value::Name;

/// Lets what was changed by hand go on in the file that takes the place of an edited one, where the user wants it.
pub(super) fn carry(disk: &Disk, engine: &mut Engine, ask: &Ask, decisions: &Decisions, planned: &mut Planned) {
    let is_carried = |path: &ArtifactPath| decisions.for_path(path) == Resolution::Merge;
    let is_going = |it: &Entry| it.change == Change::EditedByHand(Intent::Delete) && is_carried(&it.path);
    if planned.plan.entries.iter().any(is_going) {
        give_reasons(disk, engine, ask, planned);
        planned.plan.carry(is_carried);
    }
}

/// Merges the files for which the user wants it, and puts into `contents` what is written there.
pub(super) fn merge(
    disk: &Disk,
    engine: &mut Engine,
    ask: &Ask,
    planned: &mut Planned,
    manifest: &Manifest,
    contents: &mut BTreeMap<ArtifactPath, Arc<[u8]>>,
) -> Result<(), Vec<Problem>> {
    // What goes is merged where it comes again.
    let is_merged = |it: &Entry| it.resolution == Resolution::Merge && it.wanted.is_some();
    let entries = planned.plan.entries.iter();
    let standing: BTreeMap<ArtifactPath, Found> = entries
        .clone()
        .filter(|it| it.resolution == Resolution::Merge)
        .map(|it| (it.path.clone(), it.found.clone()))
        .collect();
    let merged = entries.filter(|it| is_merged(it));
    let paths: Vec<Name> = merged.map(|it| Name::from(stood(it).as_str())).collect();
    if paths.is_empty() {
        return Ok(());
    }
    let between = engine.since_applied(disk, ask);
    let rewound = between.map(|it| engine.rewind(&it, ask, &paths)).unwrap_or_default();
    let mut problems = Vec::new();
    for entry in planned.plan.entries.iter_mut().filter(|it| is_merged(it)) {
        let (path, from) = (&entry.path, stood(entry));
        let record = manifest.get(from).map(|it| it.declined.unwrap_or(it.digest));
        let wanted = contents.get(path).cloned().unwrap_or_default();
        let was = rewound.was.get(from.as_str()).map(|it| Arc::from(it.as_bytes()));
        let base: Option<Arc<[u8]>> = [Some(wanted.clone()), was]
            .into_iter()
            .flatten()
            .find(|it| Some(Fingerprint::of(it)) == record);
        let found = disk.read(from.as_str()).ok();
        let stands = matches!(standing.get(from), Some(Found::File(digest, _)) if found.as_deref().map(Fingerprint::of) == Some(*digest));
        let (Some(base), Some(found), true) = (base, found, stands) else {
            let message = format!("`{path}` can't be merged: what was generated there is not known any more");
            problems.push(Problem::error("plan::no_base", message).help(format!(
                "`--overwrite={path}` takes the generated content, `--adopt={path}` keeps the file as it is"
            )));
            continue;
        };
        let choose = format!("choose between the markers, then run `gen apply --merge={path}` again");
        let unsettled = merge::unsettled(&found);
        if !unsettled.is_empty() {
            let message = format!("`{path}` holds a conflict still, at line {}", list(&unsettled));
            problems.push(Problem::error("plan::merge_conflict", message).help(choose));
            continue;
        }
        let merged = merge::merge(&base, &found, &wanted);
        if !merged.conflicts.is_empty() {
            let message = format!("`{path}` is merged with conflicts, at line {}", list(&merged.conflicts));
            let problem = Problem::warning("plan::merge_conflict", message).help(choose);
            planned.problems.push(problem);
        }
        entry.merged = Some(crate::plan::Merge {
            digest: Fingerprint::of(&merged.content),
            n_conflicts: merged.conflicts.len(),
        });
        contents.insert(path.clone(), merged.content.into());
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Returns what is wrong with files of `plan` in which a merge has left conflicts: to keep such a file is no choice.
pub(super) fn torn(disk: &Disk, plan: &Plan) -> Vec<Problem> {
    let is_own = |it: &&Entry| matches!(it.change, Change::EditedByHand(_) | Change::Foreign);
    let problem = |entry: &Entry| {
        let problem = match entry.resolution {
            Resolution::Open => Problem::warning,
            Resolution::Adopt => Problem::error,
            Resolution::Overwrite | Resolution::Merge => return None,
        };
        let path = &entry.path;
        let lines = merge::unsettled(&disk.read(path.as_str()).ok()?);
        if lines.is_empty() {
            return None;
        }
        let message = format!("`{path}` holds a conflict of a merge, at line {}", list(&lines));
        Some(problem("plan::merge_conflict", message).help(format!(
            "once the spec is merged, `--overwrite={path}` takes what it makes; else choose between the markers"
        )))
    };
    plan.entries.iter().filter(is_own).filter_map(problem).collect()
}

fn list(lines: &[usize]) -> String {
    let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
    lines.join(", ")
}

/// Returns where stands what is merged into the file of `entry`.
fn stood(entry: &Entry) -> &ArtifactPath {
    entry.instead_of.as_ref().unwrap_or(&entry.path)
}
