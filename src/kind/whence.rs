//! Where packs declare fields: from a field of a node, an edge or a fact back to the line of a `pack.yaml`.
//!
//! Asked only when a line is blamed or a node is explained, so the files are parsed again for it.

use crate::db::{Db, Project, pack_files, pack_path};
use crate::problem::Span;
use crate::value::{Name, Path};
use crate::yaml::{self, Yaml};

/// What a field belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of<'a> {
    /// A kind of node.
    Kind(&'a str),
    /// A kind of edge.
    Edge(&'a str),
    /// A relation, as `pack/name`.
    Relation(&'a str),
}

/// Returns where the default of the field at `path` stands, or the field's declaration where it has none.
#[must_use]
pub fn field(db: &dyn Db, project: Project, of: Of<'_>, path: &Path) -> Option<(Name, Span)> {
    let (list, name, pack) = match of {
        Of::Kind(name) => ("kinds", name, None),
        Of::Edge(name) => ("edges", name, None),
        Of::Relation(id) => {
            let (pack, name) = id.split_once('/')?;
            ("relations", name, Some(pack))
        }
    };
    let mut nearest: Option<(usize, Name, Span)> = None;
    for file in pack_files(db, project) {
        let path_of_file = file.path(db);
        let Some(folder) = pack_path(path_of_file)
            .strip_prefix("rules/")
            .and_then(|it| it.strip_suffix("/pack.yaml"))
        else {
            continue;
        };
        if pack.is_some_and(|it| it != folder) {
            continue;
        }
        let (Some(root), _) = yaml::parse(file.text(db)) else {
            continue;
        };
        let Some(fields) = root.get(list).and_then(|it| it.get(name)?.get("fields")) else {
            continue;
        };
        if let Some((left, span)) = descend(fields, &path.0) {
            let is_nearer = nearest.as_ref().is_none_or(|(best, ..)| left < *best);
            if is_nearer {
                nearest = Some((left, path_of_file.clone(), span));
            }
        }
    }
    nearest.map(|(_, file, span)| (file, span))
}

/// Returns how many steps of `steps` the declarations do not speak of, and where the last stands that they do.
fn descend(fields: &Yaml, steps: &[Name]) -> Option<(usize, Span)> {
    let mut best: Option<(usize, Span)> = None;
    for entry in fields.entries() {
        let keys = Path::parse(&entry.key);
        let Some(rest) = steps.strip_prefix(keys.0.as_slice()) else {
            continue;
        };
        let found = match entry.value.get("fields") {
            // The keys of a map and the places in a list are declared by nobody.
            Some(inner) => descend(inner, rest).or_else(|| descend(inner, rest.get(1..)?)),
            None if entry.value.get("type").is_none() && entry.value.get("values").is_none() => {
                descend(&entry.value, rest)
            }
            None => None,
        };
        let own = || {
            (
                rest.len(),
                entry.value.get("default").map_or(entry.key_span, |it| it.span),
            )
        };
        let found = found.unwrap_or_else(own);
        if best.is_none_or(|it| found.0 < it.0) {
            best = Some(found);
        }
    }
    best
}
