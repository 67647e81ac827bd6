//! A plan in lines, as plan, apply, check and watch print it.
//!
//! Words, not colours, say what happens to a file.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::super::session::Why;
use super::super::store::Recovery;
use crate::plan::json::Difference;
use crate::plan::{ArtifactPath, Change, Entry, Intent, Kept, Plan, Reason, Resolution, reason};
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

/// Returns the beginning of a value, on one line.
pub(super) fn excerpt(text: &str) -> String {
    const SHOWN: usize = 80;
    let shown: String = text.chars().take(SHOWN).collect();
    let more = if shown.len() < text.len() { "…" } else { "" };
    format!("{}{more}", shown.replace('\n', "\\n"))
}

/// Says what is not known of the reasons of a plan.
pub(super) fn unknown(why: Why) -> Option<&'static str> {
    match why {
        Why::Known => None,
        Why::NoRecord => {
            Some("why, and to what effect, is not known: `.gen/cache` does not say what the last apply read")
        }
        Why::OtherInputs => Some(
            "where no reason is given, the file was not made from what the last apply here read; so the effect of all is \
             not known either",
        ),
    }
}

/// Says what became of an apply that was interrupted.
pub(super) fn settled(recovery: Recovery) -> Option<&'static str> {
    match recovery {
        Recovery::Nothing => None,
        Recovery::Finished => Some("an apply that was interrupted is finished"),
        Recovery::Restored => Some("an apply that was interrupted is undone"),
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
        Change::Create => {
            if let Some(from) = &entry.instead_of {
                _ = write!(text, "  from {from}, changed");
            }
        }
        Change::Obstructed(why) => _ = write!(text, "  {why}"),
        _ => {}
    }
    text.push('\n');
    because(&mut text, &entry.reasons, usize::MAX);
    but(&mut text, std::slice::from_ref(&entry));
    text
}

/// Adds what can't be done in place, each of it once.
fn but(text: &mut String, entries: &[&Entry]) {
    let notes: BTreeSet<&str> = entries.iter().filter_map(|it| it.note.as_deref()).collect();
    for note in notes {
        _ = writeln!(text, "           but {note}");
    }
}

fn because(text: &mut String, reasons: &[Reason], most: usize) {
    for reason in reasons.iter().take(most) {
        _ = writeln!(text, "           because {}", reason.sentence());
    }
    if reasons.len() > most {
        _ = writeln!(text, "           and {} more causes", reasons.len() - most);
    }
}

/// How much of a plan is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    /// Every file.
    Whole,
    /// What fits on a page: of many files those of one cause are counted.
    Page,
}

/// As many lines are listed one by one.
const PAGE: usize = 90;
/// Causes of a long plan that are told one by one, the greatest first; rules and fields of each.
const GROUPS: usize = 12;
const RULES: usize = 3;
const FIELDS: usize = 2;

/// Returns the files that go under an old name, and are told of with the one that comes.
pub(super) fn paired(plan: &Plan) -> BTreeSet<&ArtifactPath> {
    let paired: BTreeSet<&ArtifactPath> = plan.entries.iter().filter_map(|it| it.instead_of.as_ref()).collect();
    let going = plan.entries.iter().filter(|it| it.change == Change::Delete);
    going.map(|it| &it.path).filter(|it| paired.contains(it)).collect()
}

/// Effects of a plan that are told on a page.
const EFFECTS: usize = 20;

/// Returns a line for each thing that `plan` does in effect.
pub(super) fn effects(plan: &Plan, length: Length) -> String {
    let effects = plan.effects.as_deref().unwrap_or_default();
    let n_told = if length == Length::Whole {
        effects.len()
    } else {
        EFFECTS
    };
    let told = effects.iter().take(n_told);
    let mut text: String = told.map(|it| format!("{:<10} {}\n", "effect", it.sentence())).collect();
    if effects.len() > n_told {
        _ = writeln!(
            text,
            "           and {} more effects: `--all` lists every one",
            effects.len() - n_told
        );
    }
    text
}

/// Returns the entries of `plan`, those of one cause together with it below.
pub(super) fn grouped(plan: &Plan, length: Length) -> String {
    let mut groups = reason::groups(plan);
    let n_lines: usize = groups.iter().map(|it| it.entries.len() + it.reasons.len()).sum();
    let width = plan.entries.iter().map(|it| it.path.as_str().chars().count()).max();
    let width = width.unwrap_or(0).min(72);
    let alone = |entry: &Entry| {
        let entry = Entry {
            reasons: Vec::new(),
            note: None,
            ..entry.clone()
        };
        line(&entry, Tense::Future, width)
    };
    let paired = paired(plan);
    let is_told = |it: &&&Entry| !paired.contains(&it.path);
    let mut text = String::new();
    if length == Length::Whole || n_lines <= PAGE {
        for group in &groups {
            let told = group.entries.iter().filter(is_told);
            told.for_each(|it| text.push_str(&alone(it)));
            because(&mut text, group.reasons, usize::MAX);
            but(&mut text, &group.entries);
        }
        return text;
    }
    groups.sort_by_key(|it| std::cmp::Reverse(it.entries.len()));
    for group in groups.iter().take(GROUPS) {
        let by_rule = group.by_rule();
        for (first, n) in by_rule.iter().take(RULES) {
            if *n == 1 {
                text.push_str(&alone(first));
                continue;
            }
            let word = word(first, Tense::Future);
            _ = writeln!(text, "{word:<10} {n} files of {}, such as {}", first.rule, first.path);
        }
        if by_rule.len() > RULES {
            let n: usize = by_rule[RULES..].iter().map(|it| it.1).sum();
            _ = writeln!(text, "           and {n} files of {} more rules", by_rule.len() - RULES);
        }
        because(&mut text, group.reasons, FIELDS);
        but(&mut text, &group.entries);
    }
    let rest = groups.get(GROUPS..).unwrap_or_default();
    if !rest.is_empty() {
        let n: usize = rest.iter().map(|it| it.entries.len()).sum();
        _ = writeln!(
            text,
            "and {n} files of {} more causes: `--all` lists every one",
            rest.len()
        );
    }
    text
}

/// Returns the fields that differ, a line for each.
pub(super) fn fields(difference: &Difference) -> String {
    let lines = difference
        .fields
        .iter()
        .flatten()
        .map(|it| format!("           {}\n", excerpt(&it.sentence())));
    lines.collect()
}

fn word(entry: &Entry, tense: Tense) -> &'static str {
    use Tense::{Future, Past};
    match (&entry.change, entry.resolution, tense) {
        (Change::EditedByHand(_), Resolution::Open, _) => "edited",
        (Change::EditedByHand(Intent::Write) | Change::Create, Resolution::Merge, Future) => "merge",
        (Change::EditedByHand(Intent::Write) | Change::Create, Resolution::Merge, Past) => "merged",
        (Change::Foreign, Resolution::Open | Resolution::Merge, _) => "foreign",
        (Change::Obstructed(_), ..) => "obstructed",
        (Change::EditedByHand(_) | Change::Foreign, Resolution::Adopt, Future) => "keep",
        (Change::EditedByHand(_) | Change::Foreign, Resolution::Adopt, Past) => "kept",
        (Change::Create, _, Future) if entry.instead_of.is_some() => "move",
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
