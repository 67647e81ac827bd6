//! A plan as a comment of a pull request: grouped by cause, and never longer than such a comment may be.

use std::fmt::Write as _;

use super::reason::{Group, groups};
use super::{Change, Entry, Plan};

/// The most characters that are written; a comment holds 65,536.
pub const MOST: usize = 60_000;

/// The room for the lists of files; the rest is for the differences.
const LISTS: usize = 30_000;

/// How many files of one cause are listed.
const LISTED: usize = 30;

/// How many effects are told.
const TOLD: usize = 40;

/// How many fields of one cause are named.
const NAMED: usize = 10;

/// Returns `plan` as Markdown, with as many of `diffs`, one for each entry, as there is room for.
#[must_use]
pub fn markdown(plan: &Plan, diffs: &[String]) -> String {
    let mut text = format!("### gen plan: {}\n", plan.counts());
    text.push_str(&effects(plan));
    let groups = groups(plan);
    let mut left = plan.entries.len();
    let mut n_shown = 0;
    for group in &groups {
        let part = part(group);
        if length(&text) + length(&part) > LISTS {
            break;
        }
        text.push_str(&part);
        left -= group.entries.len();
        n_shown += 1;
    }
    if left > 0 {
        let n_groups = groups.len() - n_shown;
        _ = writeln!(
            text,
            "\n…and {left} more files of {n_groups} more causes. `gen plan --all` lists them."
        );
    }
    let mut n_left = 0;
    let mut is_open = false;
    for (entry, diff) in plan.entries.iter().zip(diffs).filter(|it| !it.1.is_empty()) {
        // A fence that is longer than any within.
        let ticks = diff.split(|it| it != '`').map(str::len).max().unwrap_or(0).max(2) + 1;
        let fence = "`".repeat(ticks);
        let block = format!("\n{}\n\n{fence}diff\n{diff}{fence}\n", code(entry.path.as_str()));
        if length(&text) + length(&block) > MOST - 200 {
            n_left += 1;
            continue;
        }
        if !is_open {
            text.push_str("\n<details><summary>Differences</summary>\n");
            is_open = true;
        }
        text.push_str(&block);
    }
    if n_left > 0 {
        _ = writeln!(text, "\n…and the differences of {n_left} more files.");
    }
    if is_open {
        text.push_str("\n</details>\n");
    }
    text
}

/// Returns what the plan does in effect, or that this is not known.
fn effects(plan: &Plan) -> String {
    let Some(effects) = &plan.effects else {
        return "\nWhat this does in effect is not known here.\n".to_owned();
    };
    if effects.is_empty() {
        return String::new();
    }
    let mut text = "\n**In effect**\n".to_owned();
    for effect in effects.iter().take(TOLD) {
        _ = write!(text, "\n- {}", code(&effect.sentence()));
    }
    if effects.len() > TOLD {
        _ = write!(text, "\n- and {} more effects", effects.len() - TOLD);
    }
    text + "\n\n**Files**\n"
}

fn length(text: &str) -> usize {
    text.chars().count()
}

fn part(group: &Group<'_>) -> String {
    let mut text = String::new();
    for reason in group.reasons.iter().take(NAMED) {
        _ = write!(text, "\n- because {}", code(&reason.sentence()));
    }
    if group.reasons.len() > NAMED {
        _ = write!(text, "\n- and {} more causes", group.reasons.len() - NAMED);
    }
    if group.reasons.is_empty() {
        text.push_str("\nThe cause is not known here:");
    }
    text.push_str("\n\n| | file | rule |\n|---|---|---|\n");
    for entry in group.entries.iter().take(LISTED) {
        _ = writeln!(
            text,
            "| {} | {} | {} |",
            word(entry),
            code(entry.path.as_str()),
            entry.rule
        );
    }
    if group.entries.len() > LISTED {
        for (entry, n) in group.by_rule() {
            _ = writeln!(text, "| {} | {n} files in all | {} |", word(entry), entry.rule);
        }
    }
    text
}

fn word(entry: &Entry) -> String {
    match &entry.change {
        Change::Moved { from } => format!("move from {}", code(from.as_str())),
        other => other.name().to_owned(),
    }
}

/// Writes `text` as code that ends nowhere but at its end.
fn code(text: &str) -> String {
    let ticks = text.split(|it| it != '`').map(str::len).max().unwrap_or(0) + 1;
    let fence = "`".repeat(ticks);
    let pad = if text.contains('`') { " " } else { "" };
    let text = text.replace('|', "\\|").replace(['\n', '\r'], " ");
    format!("{fence}{pad}{text}{pad}{fence}")
}
