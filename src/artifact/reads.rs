//! What templates read of what they are given. A run that goes on from an earlier one knows it, so that only those
//! templates are compiled that print something new.

#![expect(missing_docs, reason = "salsa's macros write public functions without docs")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use salsa::Setter as _;

use super::instance;
use crate::db::{Database, Db, Project};
use crate::kind::Reads;
use crate::value::Name;

/// What a template reads, by the names under which things are given to it.
pub type TemplateReads = BTreeMap<Name, Reads>;

/// What the templates read of those rules that have held somewhere, where an earlier run has found it out. What the others
/// read means nothing: where one of them comes to hold, it is its conditions that have changed.
#[salsa::input(debug, singleton)]
pub struct KnownReads {
    /// By rule.
    #[returns(ref)]
    pub of: BTreeMap<Name, Arc<TemplateReads>>,
}

/// Returns what the template of `rule` reads; none where it has none, or has held nowhere so far.
pub(super) fn reads<'db>(db: &'db dyn Db, project: Project, rule: &Name) -> Option<&'db TemplateReads> {
    match KnownReads::try_get(db) {
        Some(known) => known.of(db).get(rule).map(|it| &**it),
        None => compiled(db, project, rule),
    }
}

fn compiled<'db>(db: &'db dyn Db, project: Project, rule: &Name) -> Option<&'db TemplateReads> {
    let compiled = instance::template(db, project, rule.clone());
    Some(compiled.template.as_ref()?.reads())
}

/// Returns all that an earlier run has found out.
#[must_use]
pub fn known(db: &Database) -> BTreeMap<Name, Arc<TemplateReads>> {
    KnownReads::try_get(db).map(|it| it.of(db).clone()).unwrap_or_default()
}

/// Makes the database know this instead of what it knew.
pub fn know(db: &mut Database, reads: BTreeMap<Name, Arc<TemplateReads>>) {
    if let Some(known) = KnownReads::try_get(db) {
        known.set_of(db).to(reads);
    }
}

/// Makes the database forget what the templates of these rules read, which are others now.
pub fn forget(db: &mut Database, rules: &BTreeSet<Name>) {
    let all = known(db);
    if rules.iter().any(|it| all.contains_key(it)) {
        know(db, all.into_iter().filter(|it| !rules.contains(&it.0)).collect());
    }
}

/// Makes the database know what is read by those of `rules`, which hold somewhere, that have done so for the first time.
pub fn learn<'r>(db: &mut Database, project: Project, rules: impl Iterator<Item = &'r Name>) {
    let Some(before) = KnownReads::try_get(db) else {
        return;
    };
    let new = rules.filter(|it| !before.of(db).contains_key(*it));
    let new = new.filter_map(|it| Some((it.clone(), Arc::new(compiled(db, project, it)?.clone()))));
    let new: Vec<(Name, Arc<TemplateReads>)> = new.collect();
    if !new.is_empty() {
        let mut all = known(db);
        all.extend(new);
        know(db, all);
    }
}
