//! Where something was written: from a node and a path back to a file and a span.
//!
//! Asked only when a problem is printed or a line is blamed, so files are parsed again for it; a few stay at hand.

use std::sync::Arc;

use super::file::{PROJECT, collection, whole_file};
use super::index::{environments, index, project_address};
use super::overrides;
use crate::db::{Db, Project, SourceFile};
use crate::kind::{Schema, Type, pack};
use crate::problem::{Place, Span};
use crate::value::{Address, Name, Path};
use crate::yaml::{self, Entry, Yaml};

/// Where one layer gives a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The file, or the flag that sets it.
    pub file: Name,
    /// Where in it.
    pub span: Span,
    /// The environment whose overlay it is; none for the base.
    pub environment: Option<Name>,
}

/// What one layer says of a node, where it is written.
pub(super) struct Site<'db> {
    /// The environment whose overlay it is.
    pub(super) environment: Option<Name>,
    pub(super) file: SourceFile,
    /// Where the node is named.
    pub(super) key: Span,
    /// What is said of it.
    pub(super) yaml: &'db Yaml,
}

#[salsa::tracked(returns(ref), lru = 32)]
fn parsed(db: &dyn Db, file: SourceFile) -> Option<Arc<Yaml>> {
    yaml::parse(file.text(db)).0.map(Arc::new)
}

/// Returns where `place` is written: the winning layer's field, else the nearest thing around it.
pub fn locate(db: &dyn Db, project: Project, place: &Place) -> Option<(Name, Span)> {
    match place {
        Place::Text(file, span) => Some((file.clone(), *span)),
        Place::Rule(_) | Place::Within(..) => None,
        Place::Field {
            environment,
            node,
            path,
        } => {
            let set = overrides::place(db, project, environment.as_ref(), node, &paths(db, project, node, path));
            if set.is_some() && !path.0.is_empty() {
                return set;
            }
            let ways = ways(db, project, environment.as_ref(), node, path);
            let exact = ways.iter().find(|it| it.missing == 0);
            let best = exact.or_else(|| {
                // The first of those that come nearest; a way around is no better than the node itself.
                ways.iter().filter(|it| it.direct).min_by_key(|it| it.missing)
            });
            best.map(|it| (it.file.path(db).clone(), it.span))
        }
    }
}

/// Returns where every layer that gives the field writes it, the winning one first.
pub fn origin(db: &dyn Db, project: Project, environment: u16, address: &Address, path: &Path) -> Vec<Written> {
    let name = environments(db, project).get(usize::from(environment));
    let name = name.map(|it| &it.name);
    let set = overrides::place(db, project, name, address, &paths(db, project, address, path));
    let set = set.map(|(file, span)| Written {
        file,
        span,
        environment: None,
    });
    let mut found: Vec<Written> = set.into_iter().collect();
    for way in ways(db, project, name, address, path) {
        let place = Written {
            file: way.file.path(db).clone(),
            span: way.span,
            environment: way.environment,
        };
        if way.missing == 0 && !found.contains(&place) {
            found.push(place);
        }
    }
    found
}

/// How far a layer leads towards a field.
struct Way {
    environment: Option<Name>,
    file: SourceFile,
    span: Span,
    /// How many steps of the path it lacks.
    missing: usize,
    /// Whether it is the path that was asked for, of the node itself.
    direct: bool,
}

/// Returns all ways to a field: as asked, by its aliases, by what the project gives; each from the topmost layer.
fn ways(db: &dyn Db, project: Project, environment: Option<&Name>, node: &Address, path: &Path) -> Vec<Way> {
    let schema = pack::schema(db, project);
    let mut result = Vec::new();
    let Some(kind) = schema.kinds.get(&node.kind) else {
        return result;
    };
    let paths = paths(db, project, node, path);
    let record = Type::Record(kind.fields.clone());
    let of_node = sites(db, project, environment, node);
    for (nth, path) in paths.iter().enumerate() {
        result.extend(of_node.iter().map(|it| way(it, &record, path, nth == 0)));
    }
    if kind.inherits.is_empty() || &*node.kind == PROJECT {
        return result;
    }
    let Some(root) = schema.kinds.get(PROJECT) else {
        return result;
    };
    let record = Type::Record(root.fields.clone());
    let of_project = sites(db, project, environment, &project_address(db, project));
    for path in &paths {
        // The last rule that fills a path wins over those before it.
        for (from, into) in kind.inherits.iter().rev() {
            let Some(path) = moved(path, into, from) else { continue };
            result.extend(of_project.iter().map(|it| way(it, &record, &path, false)));
        }
    }
    result
}

/// Returns the paths by which a spec may give a field: as asked, and by its aliases.
fn paths(db: &dyn Db, project: Project, node: &Address, path: &Path) -> Vec<Path> {
    let mut paths = vec![path.clone()];
    let aliases = pack::schema(db, project).aliases.iter();
    for alias in aliases.filter(|it| it.kind == node.kind) {
        if alias.shape.is_none() {
            paths.extend(moved(path, &alias.own, &alias.neutral));
            paths.extend(moved(path, &alias.neutral, &alias.own));
        } else if path.0.starts_with(&alias.neutral.0) {
            paths.push(alias.own.clone());
        }
    }
    paths
}

/// Returns `path` with `to` in place of `from` at its start.
fn moved(path: &Path, from: &Path, to: &Path) -> Option<Path> {
    let rest = path.0.strip_prefix(from.0.as_slice())?;
    Some(Path(to.0.iter().chain(rest).cloned().collect()))
}

fn way(site: &Site<'_>, record: &Type, path: &Path, direct: bool) -> Way {
    let mut ty = record.clone();
    let mut at = site.yaml;
    let mut span = site.key;
    let mut missing = path.0.len();
    let mut steps = path.0.as_slice();
    while let Some((step, rest)) = steps.split_first() {
        let next = match &ty {
            Type::Record(it) => it.fields.get(step).map(|it| it.ty.clone()),
            Type::List(item) | Type::Map(item) => Some((**item).clone()),
            _ => Some(Type::Any),
        };
        let short = matches!(&ty, Type::Record(it) if it.short.as_ref() == Some(step));
        let mut n_steps = 1;
        if let Some(entry) = at.entry(step) {
            at = &entry.value;
            span = entry.key_span;
        } else if let Some((entry, n)) = dotted(at, steps) {
            at = &entry.value;
            span = entry.key_span;
            n_steps = n;
        } else if let Some(item) = item(at, step) {
            at = item;
            span = item.span;
        } else if short && at.entries().is_empty() {
            span = at.span;
        } else {
            break;
        }
        missing -= n_steps;
        steps = &rest[n_steps - 1..];
        ty = next.unwrap_or(Type::Any);
    }
    if missing == 0 && !path.0.is_empty() && at.entries().is_empty() && at.span.start < at.span.end {
        span = at.span;
    }
    Way {
        environment: site.environment.clone(),
        file: site.file,
        span,
        missing,
        direct,
    }
}

/// Returns the entry whose key is made of the first steps, joined by dots, and how many these are.
fn dotted<'y>(yaml: &'y Yaml, steps: &[Name]) -> Option<(&'y Entry, usize)> {
    (2..=steps.len()).find_map(|n| {
        let names: Vec<&str> = steps[..n].iter().map(|it| &**it).collect();
        Some((yaml.entry(&names.join("."))?, n))
    })
}

/// Returns what stands under `step` in a map or a list.
pub(super) fn step_into<'y>(yaml: &'y Yaml, step: &str) -> Option<&'y Yaml> {
    yaml.get(step).or_else(|| item(yaml, step))
}

/// Returns the item of a list that `step` means: the name in a list of names, or its place in the list.
fn item<'y>(list: &'y Yaml, step: &str) -> Option<&'y Yaml> {
    let items = list.items();
    let named = items.iter().find(|it| it.as_str() == Some(step));
    named.or_else(|| items.get(step.parse::<usize>().ok()?))
}

/// Returns what each layer says of a node in an environment, or in the base; the topmost first.
pub(super) fn sites<'db>(
    db: &'db dyn Db,
    project: Project,
    environment: Option<&Name>,
    address: &Address,
) -> Vec<Site<'db>> {
    let schema = pack::schema(db, project);
    let index = index(db, project);
    let mut result = Vec::new();
    let root = project.root(db);
    let slot = index.slot(address);
    let base = slot.and_then(|it| {
        let yaml = parsed(db, it.file).as_deref()?;
        let (key, yaml) = written_node(schema, yaml, address, it.file == root)?;
        Some(Site {
            environment: None,
            file: it.file,
            key,
            yaml,
        })
    });
    if let Some(environment) = environment {
        if let Some(base) = base.as_ref().filter(|_| &*address.kind != PROJECT)
            && let Some(entry) = base.yaml.get("environments").and_then(|it| it.entry(environment))
        {
            result.push(Site {
                environment: Some(environment.clone()),
                file: base.file,
                key: entry.key_span,
                yaml: &entry.value,
            });
        }
        let named = environments(db, project).iter().position(|it| it.name == *environment);
        let difference = named.and_then(|it| index.difference(u16::try_from(it).ok()?));
        let mut files: Vec<SourceFile> = difference.map(|it| it.files.clone()).unwrap_or_default();
        if &*address.kind == PROJECT {
            files = vec![root];
        }
        for file in files.into_iter().rev() {
            let overlay = parsed(db, file)
                .as_deref()
                .and_then(|it| it.get("environments")?.entry(environment));
            let Some(overlay) = overlay else { continue };
            if &*address.kind == PROJECT {
                result.push(Site {
                    environment: Some(environment.clone()),
                    file,
                    key: overlay.key_span,
                    yaml: &overlay.value,
                });
            } else if let Some((key, yaml)) = written_node(schema, &overlay.value, address, file == root) {
                result.push(Site {
                    environment: Some(environment.clone()),
                    file,
                    key,
                    yaml,
                });
            }
        }
    }
    result.extend(base);
    result
}

/// Finds what a file, or an overlay in it, says of a node.
pub(super) fn written_node<'y>(
    schema: &Schema,
    yaml: &'y Yaml,
    address: &Address,
    is_root: bool,
) -> Option<(Span, &'y Yaml)> {
    if &*address.kind == PROJECT {
        let key = yaml.entry("name").map_or(
            Span {
                end: yaml.span.start,
                ..yaml.span
            },
            |it| it.value.span,
        );
        return is_root.then_some((key, yaml));
    }
    if !is_root
        && let Some((kind, entry)) = whole_file(schema, yaml)
        && kind.name == address.kind
    {
        return Some((entry.value.span, yaml));
    }
    let listed = yaml
        .entries()
        .iter()
        .filter(|it| collection(schema, &it.key).is_some_and(|kind| kind.name == address.kind));
    let declaring = schema.declares.iter().filter(|it| it.1 == address.kind);
    let declaring = declaring.filter_map(|(path, _)| path.0.iter().try_fold(yaml, |yaml, step| yaml.get(step)));
    let mut maps = listed.map(|it| &it.value).chain(declaring);
    let entry = maps.find_map(|it| it.entry(&address.name))?;
    Some((entry.key_span, &entry.value))
}
