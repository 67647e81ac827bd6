//! What is wanted against what is on record against what stands on disk.
//!
//! Pure: the shell looks at the disk and hands in what it found, and carries out what comes back. A file that
//! was edited by hand, or that was never gen's, is neither replaced nor deleted unless the user said so.

pub mod cause;
pub mod decision;
pub mod diff;
pub mod effect;
pub mod fields;
pub mod json;
pub mod markdown;
pub mod merge;
pub mod path;
pub mod reason;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

pub use decision::{Chosen, Coverage, Decisions, Resolution, Scope};
pub use effect::Effect;
pub use path::ArtifactPath;
pub use reason::Reason;

use crate::fingerprint::Fingerprint;
use crate::problem::Problem;
use crate::value::Name;

/// Whether a file can be run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mode {
    /// A file to read.
    #[default]
    Plain,
    /// A script.
    Executable,
}

impl Mode {
    /// Returns the mode of `content` in the format named `format`: shell with a first line `#!…` can be run.
    #[must_use]
    pub fn of(format: &str, content: &[u8]) -> Self {
        if format == "shell" && content.starts_with(b"#!") {
            Self::Executable
        } else {
            Self::Plain
        }
    }
}

/// What an artifact holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// It was printed.
    Printed(Arc<[u8]>),
    /// It was not: the cache knows what it would be. The bytes are printed on demand.
    Known(Fingerprint),
}

/// An artifact as the rules want it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Where it stands.
    pub path: ArtifactPath,
    /// The rule that wants it, with its pack: `tubes/line`.
    pub rule: Name,
    /// The fingerprint of its content.
    pub digest: Fingerprint,
    /// Its content.
    pub content: Content,
    /// Whether it can be run.
    pub mode: Mode,
    /// Why it differs from the last time, as far as that is known.
    pub reasons: Vec<Reason>,
}

impl Wanted {
    /// Returns the artifact at `path` that `rule` printed.
    #[must_use]
    pub fn printed(path: ArtifactPath, rule: Name, content: Arc<[u8]>, mode: Mode) -> Self {
        Self {
            path,
            rule,
            digest: Fingerprint::of(&content),
            content: Content::Printed(content),
            mode,
            reasons: Vec::new(),
        }
    }

    /// Returns the artifact at `path` of which `rule` would print what has the fingerprint `digest`.
    #[must_use]
    pub fn known(path: ArtifactPath, rule: Name, digest: Fingerprint, mode: Mode) -> Self {
        Self {
            path,
            rule,
            digest,
            content: Content::Known(digest),
            mode,
            reasons: Vec::new(),
        }
    }
}

/// What is on record of a file that is gen's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Record {
    /// Where it stands.
    pub path: ArtifactPath,
    /// What it held when it was written or adopted.
    pub digest: Fingerprint,
    /// What was wanted when the user chose to keep the file as it stood; `None` for a file that gen wrote.
    pub declined: Option<Fingerprint>,
    /// The rule that wanted it.
    pub rule: Name,
}

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Found {
    /// Nothing.
    Absent,
    /// A file.
    File(Fingerprint, Mode),
    /// A folder.
    Folder,
    /// A symbolic link. It is never written through.
    Link,
    /// A device, a socket, a pipe.
    Other,
    /// The path can't be reached or read, for this reason.
    Blocked(Arc<str>),
}

/// A path with what is wanted there and what is on record of it; at least one of the two.
#[derive(Clone, Copy, Debug)]
pub struct Site<'a> {
    /// The path.
    pub path: &'a ArtifactPath,
    /// What the rules want.
    pub wanted: Option<&'a Wanted>,
    /// What the manifest says.
    pub recorded: Option<&'a Record>,
}

/// What becomes of one path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// Nothing stands there yet.
    Create,
    /// It is gen's and its content changes.
    Update,
    /// It is gen's and no rule wants it any more.
    Delete,
    /// The same rule wrote the same content elsewhere.
    Moved {
        /// Where it stood.
        from: ArtifactPath,
    },
    /// It already holds what is wanted; only the record is missing or old.
    Adopt,
    /// It is gone and no rule wants it; only the record is left.
    Forget,
    /// It is gen's, but no longer holds what gen wrote. What gen would do follows.
    EditedByHand(Intent),
    /// It stands there, holds something else, and was never gen's.
    Foreign,
    /// A file can't be written there at all.
    Obstructed(Arc<str>),
}

/// What gen would do with a file that was edited by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Intent {
    /// Write what is wanted.
    Write,
    /// Delete it, since no rule wants it.
    Delete,
}

impl Change {
    /// Names the change as people and machines read it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Moved { .. } => "move",
            Self::Adopt => "adopt",
            Self::Forget => "forget",
            Self::EditedByHand(_) => "edited-by-hand",
            Self::Foreign => "foreign",
            Self::Obstructed(_) => "obstructed",
        }
    }

    /// Tells whether only the user can say what becomes of the file.
    #[must_use]
    pub fn needs_decision(&self) -> bool {
        matches!(self, Self::EditedByHand(_) | Self::Foreign)
    }
}

/// A path at which something is to be done or decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The path.
    pub path: ArtifactPath,
    /// What becomes of it.
    pub change: Change,
    /// What the user decided, where only the user can.
    pub resolution: Resolution,
    /// The rule that wants it, or wanted it.
    pub rule: Name,
    /// The fingerprint and mode of what is wanted.
    pub wanted: Option<(Fingerprint, Mode)>,
    /// What stands there.
    pub found: Found,
    /// For a file that is created: the one that goes at the same time, made by the same rule under an old name.
    pub instead_of: Option<ArtifactPath>,
    /// For such a file: what can't be done in place, as its rule says.
    pub note: Option<Name>,
    /// What is written where the two are merged, once that is made.
    pub merged: Option<Merge>,
    /// Why.
    pub reasons: Vec<Reason>,
}

/// What a merge writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Merge {
    /// The fingerprint of the merged content.
    pub digest: Fingerprint,
    /// How many conflicts are marked in it.
    pub n_conflicts: usize,
}

/// A file that the user chose to keep as it stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Where it stands.
    pub path: ArtifactPath,
    /// The rule that wants another content.
    pub rule: Name,
}

/// What would change, in the order of the paths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The paths at which something is to be done or decided.
    pub entries: Vec<Entry>,
    /// How many files are as wanted, those included that the user chose to keep.
    pub n_unchanged: usize,
    /// Those of them that hold what the user chose to keep, and the rules that want another content.
    pub kept: Vec<Kept>,
    /// What it does in effect, in words of the rules; `None` where that is not known, or was not asked.
    pub effects: Option<Vec<Effect>>,
    moved_from: Vec<(ArtifactPath, Found)>,
}

/// As many files may be deleted without a word.
const FEW: usize = 20;

/// How many paths undergo which change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Files to create.
    pub create: usize,
    /// Files to update.
    pub update: usize,
    /// Files to delete.
    pub delete: usize,
    /// Files that move.
    #[serde(rename = "move")]
    pub moved: usize,
    /// Files that are as wanted, and come on record.
    pub adopt: usize,
    /// Records of files that are gone.
    pub forget: usize,
    /// Files edited by hand on which nothing is decided.
    pub edited_by_hand: usize,
    /// Files of others on which nothing is decided.
    pub foreign: usize,
    /// Paths at which no file can be written.
    pub obstructed: usize,
    /// Files that are as wanted.
    pub unchanged: usize,
    /// Files among the unchanged that the user chose to keep as they are.
    pub kept: usize,
    /// Files among the created that take the place of one that goes, under a new name.
    #[serde(skip_serializing_if = "is_zero")]
    pub renamed: usize,
    /// Files among the deleted in whose place one of those comes.
    #[serde(skip)]
    pub replaced: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it so")]
fn is_zero(n: &usize) -> bool {
    *n == 0
}

impl Plan {
    /// Counts the changes. A file on which the user decided counts as what is done with it.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts {
            unchanged: self.n_unchanged,
            kept: self.kept.len(),
            ..Counts::default()
        };
        let replaced: BTreeSet<&ArtifactPath> = self.entries.iter().filter_map(|it| it.instead_of.as_ref()).collect();
        for entry in &self.entries {
            counts.renamed += usize::from(entry.instead_of.is_some());
            counts.replaced += usize::from(entry.change == Change::Delete && replaced.contains(&entry.path));
            *match (&entry.change, entry.resolution) {
                (Change::Create, _) => &mut counts.create,
                (Change::Delete, _)
                | (Change::EditedByHand(Intent::Delete), Resolution::Overwrite | Resolution::Merge) => {
                    &mut counts.delete
                }
                (Change::Update, _)
                | (Change::EditedByHand(_), Resolution::Merge)
                | (Change::EditedByHand(Intent::Write) | Change::Foreign, Resolution::Overwrite) => &mut counts.update,
                (Change::Moved { .. }, _) => &mut counts.moved,
                (Change::Adopt, _) | (Change::EditedByHand(Intent::Write) | Change::Foreign, Resolution::Adopt) => {
                    &mut counts.adopt
                }
                (Change::Forget, _) | (Change::EditedByHand(Intent::Delete), Resolution::Adopt) => &mut counts.forget,
                (Change::EditedByHand(_), Resolution::Open) => &mut counts.edited_by_hand,
                (Change::Foreign, Resolution::Open | Resolution::Merge) => &mut counts.foreign,
                (Change::Obstructed(_), _) => &mut counts.obstructed,
            } += 1;
        }
        counts
    }

    /// Pairs files that come under a new name with those that go under the old one, where a reason says so, or where
    /// the names, old and new, are `known`.
    pub fn pair_renamed(&mut self, known: &[(Name, Name)]) {
        let is_going = |it: &&Entry| matches!(it.change, Change::Delete | Change::EditedByHand(Intent::Delete));
        let going = self.entries.iter().filter(is_going);
        let mut going: BTreeMap<String, (ArtifactPath, Name)> = going
            .map(|it| (it.path.to_string(), (it.path.clone(), it.rule.clone())))
            .collect();
        for entry in self.entries.iter_mut().filter(|it| it.change == Change::Create) {
            let of_rule = |old: &String| going.get(old).is_some_and(|it| it.1 == entry.rule);
            let mut names = known
                .iter()
                .cloned()
                .chain(entry.reasons.iter().filter_map(Reason::names));
            let old =
                names.find_map(|(old, new)| reason::under(entry.path.as_str(), &new, &old).into_iter().find(of_rule));
            entry.instead_of = old.and_then(|it| going.remove(&it)).map(|it| it.0);
        }
    }

    /// Decides that edits by hand go on in the file that takes the place of theirs, for those paths where `is_carried`
    /// says so.
    pub fn carry(&mut self, is_carried: impl Fn(&ArtifactPath) -> bool) {
        let is_edited =
            |it: &Entry| it.change == Change::EditedByHand(Intent::Delete) && matches!(it.found, Found::File(..));
        let mut edited: BTreeMap<ArtifactPath, &mut Entry> = BTreeMap::new();
        let mut coming: Vec<&mut Entry> = Vec::new();
        for entry in &mut self.entries {
            if is_edited(entry) && is_carried(&entry.path) {
                edited.insert(entry.path.clone(), entry);
            } else if entry.instead_of.is_some() {
                coming.push(entry);
            }
        }
        for entry in coming {
            if let Some(edited) = entry.instead_of.as_ref().and_then(|it| edited.get_mut(it)) {
                edited.resolution = Resolution::Merge;
                entry.resolution = Resolution::Merge;
            }
        }
    }

    /// Tells whether everything is as wanted and on record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns where moved files stand now, and what is known to stand there.
    pub fn moved_from(&self) -> impl Iterator<Item = (&ArtifactPath, &Found)> {
        self.moved_from.iter().map(|(path, found)| (path, found))
    }

    /// Returns a warning where so many of `n_recorded` files are to go that it may be a mistake.
    #[must_use]
    pub fn deletes_most(&self, n_recorded: usize) -> Option<Problem> {
        let n_deleted = self.counts().delete;
        (n_deleted > FEW && n_deleted * 2 > n_recorded).then(|| {
            let message = format!("{n_deleted} of {n_recorded} generated files are to be deleted");
            Problem::warning("plan::deletes_most", message)
                .help("no rule wants them any more: see that the spec still says what they were made from")
        })
    }

    /// Returns what keeps the plan from being applied: files on which nobody decided, paths that can't be written.
    #[must_use]
    pub fn obstacles(&self) -> Vec<Problem> {
        self.entries.iter().filter_map(obstacle).collect()
    }
}

fn obstacle(entry: &Entry) -> Option<Problem> {
    let path = &entry.path;
    let choose = || match entry.change {
        Change::EditedByHand(_) => format!(
            "`--overwrite={path}` takes the generated content, `--adopt={path}` keeps the file as it is, `--merge={path}` joins both"
        ),
        _ => format!("`--overwrite={path}` takes the generated content, `--adopt={path}` keeps the file as it is"),
    };
    match (&entry.change, entry.resolution) {
        (Change::EditedByHand(Intent::Write), Resolution::Open) => Some(
            Problem::error(
                "plan::edited_by_hand",
                format!("`{path}` was edited by hand since it was generated"),
            )
            .help(choose()),
        ),
        (Change::EditedByHand(Intent::Delete), Resolution::Open) => Some(
            Problem::error(
                "plan::edited_by_hand",
                format!("`{path}` was edited by hand, and no rule wants it any more"),
            )
            .help(format!(
                "`--overwrite={path}` deletes it, `--adopt={path}` keeps it as your own, `--merge={path}` carries your \
                 change to the file that takes its place, where a name has changed"
            )),
        ),
        (Change::Foreign, Resolution::Open) => Some(
            Problem::error(
                "plan::foreign_file",
                format!("`{path}` stands there already, and gen did not write it"),
            )
            .help(choose()),
        ),
        (Change::Obstructed(why), _) => Some(
            Problem::error("plan::obstructed", format!("`{path}` can't be written: {why}"))
                .help("move what stands there out of the way, or let the rule print to another path"),
        ),
        _ => None,
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of_them = |n: usize, what: &str| match n {
            0 => String::new(),
            n => format!(" ({n} {what})"),
        };
        let kept = of_them(self.kept, "kept as you chose");
        // What takes the place of another is listed as one that moves; the other goes with it.
        let to_move = format!("to move{}", of_them(self.renamed, "changed"));
        let parts = [
            (self.create - self.renamed, "to create"),
            (self.update, "to update"),
            (self.moved + self.renamed, to_move.as_str()),
            (self.delete - self.replaced, "to delete"),
            (self.adopt, "to adopt"),
            (self.forget, "to forget"),
            (self.edited_by_hand, "edited by hand"),
            (self.foreign, "not gen's"),
            (self.obstructed, "obstructed"),
            (self.unchanged, "unchanged"),
        ];
        let mut said = parts
            .iter()
            .filter(|(n, _)| *n > 0)
            .map(|(n, what)| format!("{n} {what}"));
        match said.next() {
            None => f.write_str("nothing to do"),
            Some(first) => {
                f.write_str(&first)?;
                said.try_for_each(|it| write!(f, ", {it}"))?;
                f.write_str(&kept)
            }
        }
    }
}

/// Joins what is wanted with what is on record, by path; what `scope` does not cover is left out.
///
/// Both must be sorted by path, each path once.
#[must_use]
pub fn sites<'a>(wanted: &'a [Wanted], recorded: &'a [Record], scope: &Scope) -> Vec<Site<'a>> {
    debug_assert!(
        wanted.is_sorted_by(|a, b| a.path < b.path),
        "artifacts come sorted by path"
    );
    debug_assert!(
        recorded.is_sorted_by(|a, b| a.path < b.path),
        "records come sorted by path"
    );
    let mut sites = Vec::with_capacity(wanted.len().max(recorded.len()));
    let (mut wanted, mut recorded) = (wanted.iter().peekable(), recorded.iter().peekable());
    loop {
        let order = match (wanted.peek(), recorded.peek()) {
            (None, None) => break,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(a), Some(b)) => a.path.cmp(&b.path),
        };
        let wanted = if order.is_le() { wanted.next() } else { None };
        let recorded = if order.is_ge() { recorded.next() } else { None };
        let path = wanted.map(|it| &it.path).or(recorded.map(|it| &it.path));
        if let Some(path) = path.filter(|it| scope.covers(it)) {
            sites.push(Site { path, wanted, recorded });
        }
    }
    sites
}

/// Returns what is wanted at `path`, of a list in the order of its paths.
#[must_use]
pub fn wanted_at<'w>(wanted: &'w [Wanted], path: &ArtifactPath) -> Option<&'w Wanted> {
    let at = wanted.binary_search_by(|it| it.path.cmp(path)).ok()?;
    Some(&wanted[at])
}

/// Joins what is wanted with what is on record at `paths` alone, as [`sites`] does.
#[must_use]
pub fn sites_at<'a>(
    paths: &'a BTreeSet<ArtifactPath>,
    wanted: &'a [Wanted],
    recorded: &'a [Record],
    scope: &Scope,
) -> Vec<Site<'a>> {
    let site = |path: &'a ArtifactPath| {
        let wanted = wanted_at(wanted, path);
        let recorded = recorded
            .binary_search_by(|it| it.path.cmp(path))
            .ok()
            .map(|at| &recorded[at]);
        (wanted.is_some() || recorded.is_some()).then_some(Site { path, wanted, recorded })
    };
    paths.iter().filter(|it| scope.covers(it)).filter_map(site).collect()
}

/// Plans what becomes of each site, of which `found` says, in the same order, what stands there.
#[must_use]
pub fn plan(sites: &[Site<'_>], found: &[Found], decisions: &Decisions) -> Plan {
    assert_eq!(sites.len(), found.len(), "each site is looked at once");
    let mut plan = Plan::default();
    for (site, found) in sites.iter().zip(found) {
        match verdict(site, found) {
            Verdict::Fresh => plan.n_unchanged += 1,
            Verdict::Kept if decisions.names_to_overwrite(site.path) => {
                let change = Change::EditedByHand(Intent::Write);
                plan.entries.push(entry(site, found, change, decisions));
            }
            Verdict::Kept => {
                plan.n_unchanged += 1;
                plan.kept.extend(site.wanted.map(|it| Kept {
                    path: it.path.clone(),
                    rule: it.rule.clone(),
                }));
            }
            Verdict::Changes(change) => plan.entries.push(entry(site, found, change, decisions)),
        }
    }
    find_moves(&mut plan, sites);
    plan
}

enum Verdict {
    Fresh,
    /// As the user chose to keep it.
    Kept,
    Changes(Change),
}

fn verdict(site: &Site<'_>, found: &Found) -> Verdict {
    let recorded = site.recorded;
    let edited_or_foreign = |intent| match recorded {
        Some(_) => Change::EditedByHand(intent),
        None => Change::Foreign,
    };
    let Some(wanted) = site.wanted else {
        return Verdict::Changes(match (found, recorded) {
            (Found::File(digest, _), Some(record)) if *digest == record.digest && record.declined.is_none() => {
                Change::Delete
            }
            (Found::File(..) | Found::Link, _) => Change::EditedByHand(Intent::Delete),
            // What stands there now is no file of gen's; nothing is left but the record.
            (Found::Absent | Found::Folder | Found::Other, _) => Change::Forget,
            (Found::Blocked(why), _) => Change::Obstructed(why.clone()),
        });
    };
    let change = match found {
        Found::Absent => Change::Create,
        Found::Folder => Change::Obstructed("a folder stands there".into()),
        Found::Other => Change::Obstructed("what stands there is no file".into()),
        Found::Blocked(why) => Change::Obstructed(why.clone()),
        Found::Link => edited_or_foreign(Intent::Write),
        Found::File(digest, mode) if *digest == wanted.digest => {
            if wanted.mode == Mode::Executable && *mode == Mode::Plain {
                Change::Update
            } else {
                match recorded {
                    Some(record)
                        if record.digest == *digest && record.rule == wanted.rule && record.declined.is_none() =>
                    {
                        return Verdict::Fresh;
                    }
                    _ => Change::Adopt,
                }
            }
        }
        Found::File(digest, _) => match recorded {
            Some(record) if record.digest == *digest => match record.declined {
                None => Change::Update,
                Some(declined) if declined == wanted.digest => return Verdict::Kept,
                // The user kept the file against another content than the one that is wanted now.
                Some(_) => Change::EditedByHand(Intent::Write),
            },
            _ => edited_or_foreign(Intent::Write),
        },
    };
    Verdict::Changes(change)
}

fn entry(site: &Site<'_>, found: &Found, change: Change, decisions: &Decisions) -> Entry {
    let resolution = match decisions.for_path(site.path) {
        // A link that is to stay has no content that could be on record.
        Resolution::Adopt if *found == Found::Link && site.wanted.is_some() => Resolution::Open,
        // Only a file of which it is known what was written can be merged.
        Resolution::Merge if change != Change::EditedByHand(Intent::Write) || !matches!(found, Found::File(..)) => {
            Resolution::Open
        }
        decided if change.needs_decision() => decided,
        _ => Resolution::Open,
    };
    let rule = site.wanted.map(|it| &it.rule).or(site.recorded.map(|it| &it.rule));
    Entry {
        path: site.path.clone(),
        change,
        resolution,
        rule: rule.cloned().expect("a site is wanted or recorded"),
        wanted: site.wanted.map(|it| (it.digest, it.mode)),
        found: found.clone(),
        instead_of: None,
        note: None,
        merged: None,
        reasons: site.wanted.map(|it| it.reasons.clone()).unwrap_or_default(),
    }
}

/// Turns a deletion and a creation of one content by one rule into a move.
fn find_moves(plan: &mut Plan, sites: &[Site<'_>]) {
    let entries = &mut plan.entries;
    if !entries.iter().any(|it| it.change == Change::Create) {
        return;
    }
    let mut gone: BTreeMap<(Fingerprint, Name), Vec<ArtifactPath>> = BTreeMap::new();
    for entry in entries.iter().rev().filter(|it| it.change == Change::Delete) {
        if let Found::File(digest, _) = entry.found {
            gone.entry((digest, entry.rule.clone()))
                .or_default()
                .push(entry.path.clone());
        }
    }
    let mut moved: Vec<(ArtifactPath, Found)> = Vec::new();
    for entry in entries.iter_mut().filter(|it| it.change == Change::Create) {
        let Some((digest, _)) = entry.wanted else { continue };
        // A file that was deleted by hand and comes back was not moved.
        let is_recorded = sites
            .binary_search_by(|site| site.path.cmp(&entry.path))
            .is_ok_and(|at| sites[at].recorded.is_some());
        if is_recorded {
            continue;
        }
        if let Some(from) = gone.get_mut(&(digest, entry.rule.clone())).and_then(Vec::pop) {
            moved.push((from.clone(), Found::File(digest, Mode::Plain)));
            entry.change = Change::Moved { from };
        }
    }
    moved.sort();
    entries.retain(|entry| {
        let place = moved.binary_search_by(|it| it.0.cmp(&entry.path));
        match place.ok().filter(|_| entry.change == Change::Delete) {
            None => true,
            Some(at) => {
                moved[at].1 = entry.found.clone();
                false
            }
        }
    });
    plan.moved_from = moved;
}

#[cfg(test)]
mod tests;
