//! A plan in lines, as plan, apply, check and watch print it.
//!
//! Words, not colours, say what happens to a file.

use std::fmt::Write as _;

use crate::plan::{Change, Entry, Intent, Kept, Plan, Resolution};
use crate::problem::Problem;

/// Whether something is about to happen, or has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tense {
    /// As a plan says it.
    Future,
    /// As an apply says it.
    Past,
}

/// Returns a line for each entry of `plan`, with its reasons below.
pub(super) fn lines(plan: &Plan, tense: Tense) -> String {
    let width = plan.entries.iter().map(|it| it.path.as_str().chars().count()).max();
    let width = width.unwrap_or(0).min(72);
    plan.entries.iter().map(|it| line(it, tense, width)).collect()
}

/// What to do where `gen apply` would refuse.
pub(super) const UNDECIDED: &str = "files that were edited by hand, or that gen did not write, wait for a decision: \
                                    `gen apply --overwrite=PATH` or `--adopt=PATH`";

/// Counts the errors among `problems`.
pub(super) fn invalid(problems: &[Problem]) -> String {
    match problems.iter().filter(|it| it.is_error()).count() {
        1 => "invalid: 1 error".to_owned(),
        n => format!("invalid: {n} errors"),
    }
}

/// Counts files.
pub(super) fn n_files(n: usize) -> String {
    match n {
        1 => "1 file".to_owned(),
        n => format!("{n} files"),
    }
}

/// Says that all files are as wanted; of none it says so, since that is seldom meant.
pub(super) fn as_wanted(n: usize) -> String {
    match n {
        0 => "no rule wants a file, see which platforms the spec names".to_owned(),
        1 => "1 file is as wanted".to_owned(),
        n => format!("{n} files are as wanted"),
    }
}

/// Returns a line for each file that the user chose to keep.
pub(super) fn kept(plan: &Plan) -> String {
    let line = |it: &Kept| format!("{:<10} {}  {}\n", "kept", it.path, it.rule);
    plan.kept.iter().map(line).collect()
}

/// Says how to take back what keeps files from being generated, where there are any.
pub(super) fn how_to_take_back(plan: &Plan) -> Option<String> {
    let first = plan.kept.first()?;
    Some(format!(
        "{} as it was when you chose so: `gen apply --overwrite={}` takes the generated content again",
        if plan.kept.len() == 1 {
            "1 file is kept"
        } else {
            "some files are kept, each"
        },
        first.path
    ))
}

/// Returns the line of `entry`, its path padded to `width`, with its reasons below.
pub(super) fn line(entry: &Entry, tense: Tense, width: usize) -> String {
    let mut text = format!(
        "{:<10} {:<width$}  {}",
        word(entry, tense),
        entry.path.as_str(),
        entry.rule
    );
    match &entry.change {
        Change::Moved { from } => _ = write!(text, "  from {from}"),
        Change::Obstructed(why) => _ = write!(text, "  {why}"),
        _ => {}
    }
    text.push('\n');
    for reason in &entry.reasons {
        let change = match (&reason.old, &reason.new) {
            (Some(old), Some(new)) => format!(": {old} → {new}"),
            (None, Some(new)) => format!(": {new}, new"),
            (Some(old), None) => format!(": was {old}"),
            (None, None) => String::new(),
        };
        _ = writeln!(text, "           because {}{change}", reason.input);
    }
    text
}

fn word(entry: &Entry, tense: Tense) -> &'static str {
    use Tense::{Future, Past};
    match (&entry.change, entry.resolution, tense) {
        (Change::EditedByHand(_), Resolution::Open, _) => "edited",
        (Change::Foreign, Resolution::Open, _) => "foreign",
        (Change::Obstructed(_), ..) => "obstructed",
        (Change::EditedByHand(_) | Change::Foreign, Resolution::Adopt, Future) => "keep",
        (Change::EditedByHand(_) | Change::Foreign, Resolution::Adopt, Past) => "kept",
        (Change::Create, _, Future) => "create",
        (Change::Create, _, Past) => "created",
        (Change::Delete | Change::EditedByHand(Intent::Delete), _, Future) => "delete",
        (Change::Delete | Change::EditedByHand(Intent::Delete), _, Past) => "deleted",
        (Change::Update | Change::EditedByHand(Intent::Write) | Change::Foreign, _, Future) => "update",
        (Change::Update | Change::EditedByHand(Intent::Write) | Change::Foreign, _, Past) => "updated",
        (Change::Moved { .. }, _, Future) => "move",
        (Change::Moved { .. }, _, Past) => "moved",
        (Change::Adopt, _, Future) => "adopt",
        (Change::Adopt, _, Past) => "adopted",
        (Change::Forget, _, Future) => "forget",
        (Change::Forget, _, Past) => "forgot",
    }
}
