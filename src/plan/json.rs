//! A plan as machines read it.
//!
//! `format` grows by one when a reader must change; fields that are added later are to be passed over.

use serde::Serialize;

use super::fields::FieldChange;
use super::{Change, Counts, Effect, Found, Intent, Plan, Reason, Resolution};
use std::collections::BTreeMap;

/// The version of the form.
pub const FORMAT: u32 = 1;

/// A plan.
#[derive(Debug, Serialize)]
pub struct Document {
    /// The version of this form.
    pub format: u32,
    /// How many paths undergo which change.
    pub counts: Counts,
    /// What the changes do in effect; null where that is not known.
    pub effects: Option<Vec<Effect>>,
    /// The changes, in the order of their paths; what is unchanged is only counted.
    pub changes: Vec<ChangeDocument>,
    /// What changed in the inputs, each with how many files change by it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<CauseDocument>,
    /// The files that the user chose to keep as they stood.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<String>,
}

/// Something that changed in the inputs.
#[derive(Debug, Serialize)]
pub struct CauseDocument {
    /// What it is.
    #[serde(flatten)]
    pub reason: Reason,
    /// How many files change by it.
    pub files: usize,
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
    /// For a file that is created under a new name: the one that goes with the old name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<String>,
    /// For such a file: what can't be done in place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
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
    /// The fields that differ, if the difference was asked for and the format has fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fields: Option<Vec<FieldChange>>,
    /// The unified difference, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
}

/// The difference at one path, by line and by field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// By line.
    pub text: String,
    /// By field, where the format has any.
    pub fields: Option<Vec<FieldChange>>,
}

/// Returns `plan` as machines read it. `diff` gives the difference at an entry, by its place in the plan.
#[must_use]
pub fn document(plan: &Plan, diff: impl Fn(usize) -> Option<Difference>) -> Document {
    let mut causes: BTreeMap<&Reason, usize> = BTreeMap::new();
    for reason in plan.entries.iter().flat_map(|it| &it.reasons) {
        *causes.entry(reason).or_default() += 1;
    }
    let cause = |(reason, files): (&Reason, usize)| CauseDocument {
        reason: reason.clone(),
        files,
    };
    let changes = plan.entries.iter().enumerate().map(|(at, entry)| ChangeDocument {
        path: entry.path.to_string(),
        change: entry.change.name(),
        rule: entry.rule.to_string(),
        from: match &entry.change {
            Change::Moved { from } => Some(from.to_string()),
            _ => None,
        },
        instead_of: entry.instead_of.as_ref().map(ToString::to_string),
        note: entry.note.as_ref().map(ToString::to_string),
        intent: match entry.change {
            Change::EditedByHand(Intent::Write) => Some("write"),
            Change::EditedByHand(Intent::Delete) => Some("delete"),
            _ => None,
        },
        decision: entry.change.needs_decision().then_some(match entry.resolution {
            Resolution::Open => "open",
            Resolution::Overwrite => "overwrite",
            Resolution::Adopt => "adopt",
            Resolution::Merge => "merge",
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
        fields: diff(at).and_then(|it| it.fields),
        diff: diff(at).map(|it| it.text),
    });
    Document {
        format: FORMAT,
        counts: plan.counts(),
        effects: plan.effects.clone(),
        changes: changes.collect(),
        causes: causes.into_iter().map(cause).collect(),
        kept: plan.kept.iter().map(|it| it.path.to_string()).collect(),
    }
}
