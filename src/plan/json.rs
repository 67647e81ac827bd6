//! A plan as machines read it.
//!
//! `format` grows by one when a reader must change; fields that are added later are to be passed over.

use serde::Serialize;

use super::{Change, Counts, Found, Intent, Plan, Reason, Resolution};

/// The version of the form.
pub const FORMAT: u32 = 1;

/// A plan.
#[derive(Debug, Serialize)]
pub struct Document {
    /// The version of this form.
    pub format: u32,
    /// How many paths undergo which change.
    pub counts: Counts,
    /// The changes, in the order of their paths; what is unchanged is only counted.
    pub changes: Vec<ChangeDocument>,
    /// The files that the user chose to keep as they stood.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<String>,
}

/// What becomes of one path.
#[derive(Debug, Serialize)]
pub struct ChangeDocument {
    /// The path, relative to the project.
    pub path: String,
    /// The name of the change.
    pub change: &'static str,
    /// The rule that wants the file, or wanted it.
    pub rule: String,
    /// Where a moved file stood.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// For a file edited by hand: what gen would do, `write` or `delete`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intent: Option<&'static str>,
    /// For a file on which the user decides: `open`, `overwrite` or `adopt`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<&'static str>,
    /// Why no file can be written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub obstacle: Option<String>,
    /// The fingerprint of what stands there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// The fingerprint of what is wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wanted: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    /// The unified difference, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
}

/// Returns `plan` as machines read it. `diff` gives the difference at an entry, by its place in the plan.
#[must_use]
pub fn document(plan: &Plan, diff: impl Fn(usize) -> Option<String>) -> Document {
    let changes = plan.entries.iter().enumerate().map(|(at, entry)| ChangeDocument {
        path: entry.path.to_string(),
        change: entry.change.name(),
        rule: entry.rule.to_string(),
        from: match &entry.change {
            Change::Moved { from } => Some(from.to_string()),
            _ => None,
        },
        intent: match entry.change {
            Change::EditedByHand(Intent::Write) => Some("write"),
            Change::EditedByHand(Intent::Delete) => Some("delete"),
            _ => None,
        },
        decision: entry.change.needs_decision().then_some(match entry.resolution {
            Resolution::Open => "open",
            Resolution::Overwrite => "overwrite",
            Resolution::Adopt => "adopt",
        }),
        obstacle: match &entry.change {
            Change::Obstructed(why) => Some(why.to_string()),
            _ => None,
        },
        found: match entry.found {
            Found::File(digest, _) => Some(digest.to_string()),
            _ => None,
        },
        wanted: entry.wanted.map(|(digest, _)| digest.to_string()),
        reasons: entry.reasons.clone(),
        diff: diff(at),
    });
    Document {
        format: FORMAT,
        counts: plan.counts(),
        changes: changes.collect(),
        kept: plan.kept.iter().map(|it| it.path.to_string()).collect(),
    }
}
