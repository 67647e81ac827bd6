//! Why the files of a plan change, and which of them take the place of others.

use super::Planned;
use crate::fingerprint::Fingerprint;
use crate::plan::reason::{self, Reason, Sort};
use crate::plan::{Change, Entry, Plan};
use crate::shell::disk::Disk;
use crate::shell::engine::{Ask, Engine};
use crate::shell::inputs::Inputs;
use crate::value::Name;

/// What is known of the reasons of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Nothing was to be asked, or all of it is known.
    Known,
    /// What the last apply read is not known.
    NoRecord,
    /// Some files were not made from what the last apply here read.
    OtherInputs,
}

/// Says why each file of the plan changes, as far as what the last apply read tells it. Never a wrong reason: one is
/// given only where the old inputs print what is on record.
pub fn give_reasons(disk: &Disk, engine: &mut Engine, ask: &Ask, planned: &mut Planned) -> Why {
    let paths: Vec<Name> = planned
        .plan
        .entries
        .iter()
        .filter(|it| reason::is_asked(it))
        .map(|it| Name::from(it.path.as_str()))
        .collect();
    if paths.is_empty() || planned.manifest.records().is_empty() {
        // Where nothing is on record, all is new.
        planned.plan.effects = Some(if paths.is_empty() {
            Vec::new()
        } else {
            engine.effects_of_all(ask)
        });
        return Why::Known;
    }
    let Some(between) = engine.since_applied(disk, ask) else {
        return Why::NoRecord;
    };
    let rewound = engine.rewind(&between, ask, &paths);
    let mut why = Why::Known;
    // What the old inputs did in effect counts only where all that changes was made from them.
    let mut is_known = true;
    let manifest = &planned.manifest;
    for entry in planned.plan.entries.iter_mut().filter(|it| reason::is_asked(it)) {
        let record = manifest.get(&entry.path);
        let recorded = record.map(|it| it.declined.unwrap_or(it.digest));
        let was = rewound.was.get(entry.path.as_str());
        let was = was.map(|it| Fingerprint::of(it.as_bytes()));
        let wanted = entry.wanted.map(|it| it.0);
        is_known &= recorded == was;
        let on_disk = |what: &str| Reason::of(Sort::Disk, None, what);
        if recorded.is_some() && entry.change == Change::Create {
            entry.reasons.push(on_disk("the file is gone from the disk"));
        }
        if recorded == wanted {
            let is_mode = entry.change == Change::Update;
            entry
                .reasons
                .extend(is_mode.then(|| on_disk("the file can't be run any more")));
            continue;
        }
        if recorded == was {
            let known = rewound.reasons.get(entry.path.as_str());
            entry.reasons.extend(known.into_iter().flatten().cloned());
        } else {
            entry.reasons.extend(engine.built_in_reasons(&rewound, &entry.rule));
        }
        if entry.reasons.is_empty() {
            why = Why::OtherInputs;
        }
    }
    planned.problems.extend(rewound.problems);
    planned.plan.effects = is_known.then(|| rewound.effects.clone());
    pair_renamed(engine, &mut planned.plan, &[]);
    why
}

/// Pairs files of `plan` that come under a new name with those that go, as reasons or the `known` names tell, and says
/// what can't be done in place.
pub fn pair_renamed(engine: &Engine, plan: &mut Plan, known: &[(Name, Name)]) {
    plan.pair_renamed(known);
    let is_moved = |it: &&mut Entry| match &it.change {
        Change::Moved { from } => {
            let mut names = known.iter().cloned().chain(it.reasons.iter().filter_map(Reason::names));
            names.any(|(old, new)| {
                reason::under(it.path.as_str(), &new, &old)
                    .iter()
                    .any(|it| it == from.as_str())
            })
        }
        _ => it.instead_of.is_some(),
    };
    for entry in plan.entries.iter_mut().filter(is_moved) {
        entry.note = engine.said_of_a_rename(&entry.rule);
    }
}

/// Says why each file of `plan` changes, of which `old` is what all files were made from before.
pub fn give_reasons_since(old: &Inputs, engine: &mut Engine, ask: &Ask, plan: &mut Plan) {
    let asked = plan.entries.iter().filter(|it| reason::is_asked(it));
    let paths: Vec<Name> = asked.map(|it| Name::from(it.path.as_str())).collect();
    if paths.is_empty() {
        return;
    }
    let between = engine.between(old);
    if let Some(reason) = between.as_one_reason() {
        // Another save may come while this is found out, and would wait.
        let asked = plan.entries.iter_mut().filter(|it| reason::is_asked(it));
        asked.for_each(|it| it.reasons.push(reason.clone()));
        return;
    }
    let mut rewound = engine.rewind(&between, ask, &paths);
    for entry in &mut plan.entries {
        entry
            .reasons
            .extend(rewound.reasons.remove(entry.path.as_str()).unwrap_or_default());
    }
}
