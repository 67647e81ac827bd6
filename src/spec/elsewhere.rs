//! Packs from elsewhere, as the root file asks for them under `packs`, and as `gen.lock` repeats what was asked for.
//!
//! Nothing is looked up here: what stands where a request points to, the shell finds out.

use std::fmt;

use crate::problem::{Place, Problem, Span, closest};
use crate::value::Name;
use crate::yaml::{Data, Entry, Yaml};

/// The keys of a request.
pub const KEYS: [&str; 6] = ["path", "git", "rev", "tag", "branch", "dir"];

/// A pack that is wanted, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The pack.
    pub name: Name,
    /// Where it is.
    pub source: Source,
}

/// Where a pack is kept: what holds `rules/NAME/` and `templates/NAME/`, as a project does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A folder, relative to the project or absolute.
    Folder(Name),
    /// A repository of git.
    Git {
        /// Its URL, or the path of a local one, relative to the project or absolute.
        repository: Name,
        /// What of its history.
        revision: Revision,
        /// A folder in it; empty for its top.
        dir: Name,
    },
}

/// What of the history of a repository is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revision {
    /// What the repository itself holds for current.
    Head,
    /// A commit.
    Commit(Name),
    /// A tag.
    Tag(Name),
    /// The last commit of a branch.
    Branch(Name),
}

/// What is wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub span: Span,
    /// The fact.
    pub message: String,
    /// What is wrong right there.
    pub label: &'static str,
    /// What to type.
    pub help: String,
}

impl Fault {
    /// Returns the problem, which stands at `place`.
    #[must_use]
    pub fn problem(self, place: Place) -> Problem {
        Problem::error("spec::pack_source", self.message)
            .at(place, self.label)
            .help(self.help)
    }
}

impl Source {
    /// Returns what it says, key by key, in the order in which it is written.
    #[must_use]
    pub fn keys(&self) -> Vec<(&'static str, &Name)> {
        match self {
            Self::Folder(path) => vec![("path", path)],
            Self::Git {
                repository,
                revision,
                dir,
            } => {
                let revision = match revision {
                    Revision::Head => None,
                    Revision::Commit(it) => Some(("rev", it)),
                    Revision::Tag(it) => Some(("tag", it)),
                    Revision::Branch(it) => Some(("branch", it)),
                };
                let dir = Some(("dir", dir)).filter(|it| !it.1.is_empty());
                [("git", repository)].into_iter().chain(revision).chain(dir).collect()
            }
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> = self
            .keys()
            .iter()
            .map(|(key, value)| format!("{key} {value}"))
            .collect();
        f.write_str(&words.join(" "))
    }
}

/// Returns the packs that the map `yaml` asks for, each with the entry that does, and what is wrong with it.
/// Keys of a request that are in `others` are somebody else's. `text` is that of the file.
#[must_use]
pub fn requests<'y>(yaml: &'y Yaml, others: &[&str], text: &str) -> (Vec<(Request, &'y Entry)>, Vec<Fault>) {
    let mut faults = Vec::new();
    let entries = yaml.entries().iter();
    let read = entries.filter_map(|entry| {
        let request = request(entry, others, text).map_err(|it| faults.push(it)).ok();
        Some((request?, entry))
    });
    (read.collect(), faults)
}

fn request(entry: &Entry, others: &[&str], text: &str) -> Result<Request, Fault> {
    if !is_name(&entry.key) {
        return Err(Fault {
            span: entry.key_span,
            message: format!("`{}` can't be the name of a pack", entry.key),
            label: "names a folder",
            help: "a name holds letters, digits, `-` and `_`, and begins with a letter".to_owned(),
        });
    }
    let source = source(entry, others, text)?;
    Ok(Request {
        name: Name::from(&*entry.key),
        source,
    })
}

/// Tells whether a pack may be called so: the name becomes that of a folder.
fn is_name(name: &str) -> bool {
    let is_plain = |it: char| it.is_ascii_alphanumeric() || it == '-' || it == '_';
    name.chars().all(is_plain) && name.starts_with(|it: char| it.is_ascii_alphabetic()) && name.len() <= 64
}

/// What a request says under one key.
struct Said<'y> {
    key: &'static str,
    value: Name,
    entry: &'y Entry,
}

fn wrong(span: Span, message: String, label: &'static str) -> Fault {
    Fault {
        span,
        message,
        label,
        help: "write `{path: FOLDER}`, or `{git: REPOSITORY, tag: NAME}`, with `rev` or `branch` for `tag`, and `dir: \
               FOLDER` for a folder in it"
            .to_owned(),
    }
}

fn source(entry: &Entry, others: &[&str], text: &str) -> Result<Source, Fault> {
    let name = &entry.key;
    let said = said(entry, others, text)?;
    let get = |key: &str| said.iter().find(|it| it.key == key).map(|it| it.value.clone());
    match (get("path"), get("git")) {
        (Some(path), None) => match said.iter().find(|it| it.key != "path") {
            None => Ok(Source::Folder(path)),
            Some(Said { key, entry, .. }) => {
                let message = format!("`{key}` is of a repository, and `path` is a folder");
                Err(wrong(entry.key_span, message, "says nothing of a folder"))
            }
        },
        (None, Some(repository)) => Ok(Source::Git {
            repository,
            revision: revision(&said)?,
            dir: dir(&said)?,
        }),
        (Some(_), Some(_)) => {
            let message = format!("the pack `{name}` is kept in one place, and both `path` and `git` are said");
            Err(wrong(entry.value.span, message, "two places"))
        }
        (None, None) => {
            let message = format!("nothing says where the pack `{name}` is kept");
            Err(wrong(entry.value.span, message, "neither `path` nor `git`"))
        }
    }
}

/// Returns what `entry` says, key by key.
fn said<'y>(entry: &'y Entry, others: &[&str], text: &str) -> Result<Vec<Said<'y>>, Fault> {
    let name = &entry.key;
    if !matches!(entry.value.data, Data::Map(_)) {
        let message = format!(
            "where the pack `{name}` is kept wants a map, found {}",
            entry.value.noun()
        );
        return Err(wrong(entry.value.span, message, "says no place"));
    }
    let own = entry.value.entries().iter().filter(|it| !others.contains(&&*it.key));
    own.map(|field| {
        let Some(key) = KEYS.into_iter().find(|it| **it == *field.key) else {
            let message = format!("`{}` says nothing of where a pack is kept", field.key);
            let fault = wrong(field.key_span, message, "unknown");
            let near = closest(&field.key, &KEYS).map(|it| format!("did you mean `{it}`?"));
            let help = near.unwrap_or_else(|| fault.help.clone());
            return Err(Fault { help, ..fault });
        };
        let Some(value) = written(&field.value, text) else {
            let message = format!(
                "`{key}` of the pack `{name}` wants a text, found {}",
                field.value.noun()
            );
            return Err(wrong(field.value.span, message, "says no place"));
        };
        if value.is_empty() || value.contains(|it: char| it.is_control()) {
            let message = format!("`{key}` of the pack `{name}` is no name, but empty or more than a line");
            return Err(wrong(field.value.span, message, "names nothing"));
        }
        Ok(Said {
            key,
            value,
            entry: field,
        })
    })
    .collect()
}

fn revision(said: &[Said<'_>]) -> Result<Revision, Fault> {
    let mut named = said.iter().filter(|it| ["rev", "tag", "branch"].contains(&it.key));
    let first = named.next();
    if let (Some(first), Some(second)) = (first, named.next()) {
        let (first, key) = (first.key, second.key);
        let message = format!("`{first}` and `{key}` both say what of the repository is wanted");
        return Err(wrong(second.entry.key_span, message, "the second of them"));
    }
    Ok(match first {
        None => Revision::Head,
        Some(it) if it.key == "rev" => Revision::Commit(it.value.clone()),
        Some(it) if it.key == "tag" => Revision::Tag(it.value.clone()),
        Some(it) => Revision::Branch(it.value.clone()),
    })
}

/// Returns the folder that is named within the repository.
fn dir(said: &[Said<'_>]) -> Result<Name, Fault> {
    let Some(Said { value, entry, .. }) = said.iter().find(|it| it.key == "dir") else {
        return Ok(Name::default());
    };
    let dir = value.trim_start_matches("./").trim_end_matches('/');
    let mut steps = dir.split('/');
    let is_inside = !dir.contains('\\') && steps.all(|it| !["", ".", ".."].contains(&it));
    if is_inside || [".", "./"].contains(&&**value) {
        return Ok(Name::from(if is_inside { dir } else { "" }));
    }
    let message = format!("`{value}` is no folder within the repository");
    Err(wrong(entry.value.span, message, "leads out of it"))
}

/// Returns the text of `yaml`. A tag or a commit may look like a number.
fn written(yaml: &Yaml, text: &str) -> Option<Name> {
    let written = match &yaml.data {
        Data::String(it) => &*it.content,
        Data::Int(_) | Data::Double { .. } => yaml.source(text),
        Data::Null | Data::Bool(_) | Data::List(_) | Data::Map(_) => return None,
    };
    Some(Name::from(written))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml;

    fn read(text: &str) -> Result<String, String> {
        let yaml = yaml::parse(text).0.expect("it is YAML");
        let (found, faults) = requests(&yaml, &["commit"], text);
        match (found.first(), faults.first()) {
            (Some((request, _)), None) => Ok(format!("{}: {}", request.name, request.source)),
            (_, fault) => Err(fault.map_or(String::new(), |it| format!("{} [{}]", it.message, it.span.of(text)))),
        }
    }

    #[test]
    fn a_request_is_a_folder_or_a_repository() {
        let right = |text, said: &str| assert_eq!(read(text), Ok(said.to_owned()));
        right("a: {path: ../packs}", "a: path ../packs");
        right("a: {git: ../packs.git}", "a: git ../packs.git");
        right("a: {git: 'git@host:x/y', tag: 1.10}", "a: git git@host:x/y tag 1.10");
        right("a: {rev: 0123456, git: x, dir: ./b/c/}", "a: git x rev 0123456 dir b/c");
        right("a: {git: x, dir: .}", "a: git x");
        right("a: {git: x, branch: main, commit: 12}", "a: git x branch main");
    }

    #[test]
    fn what_says_no_place_or_two_is_wrong() {
        let wrong = |text, said: &str| assert_eq!(read(text), Err(said.to_owned()));
        wrong(
            "a: ../packs",
            "where the pack `a` is kept wants a map, found a text [../packs]",
        );
        wrong("a: {}", "nothing says where the pack `a` is kept [{}]");
        wrong("a: {tag: v1}", "nothing says where the pack `a` is kept [{tag: v1}]");
        wrong(
            "a: {path: x, tag: v1}",
            "`tag` is of a repository, and `path` is a folder [tag]",
        );
        wrong(
            "a: {git: x, tag: v1, rev: 1}",
            "`tag` and `rev` both say what of the repository is wanted [rev]",
        );
        wrong("a: {url: x}", "`url` says nothing of where a pack is kept [url]");
        wrong(
            "a: {path: [x]}",
            "`path` of the pack `a` wants a text, found a list [[x]]",
        );
        wrong(
            "a: {path: ''}",
            "`path` of the pack `a` is no name, but empty or more than a line ['']",
        );
        wrong(
            "a: {git: x, dir: a/../..}",
            "`a/../..` is no folder within the repository [a/../..]",
        );
        wrong("a: {git: x, dir: /a}", "`/a` is no folder within the repository [/a]");
        wrong("../a: {path: x}", "`../a` can't be the name of a pack [../a]");
        wrong("'': {path: x}", "`` can't be the name of a pack ['']");
    }
}
