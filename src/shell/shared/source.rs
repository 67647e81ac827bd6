//! A pack where it is kept: read from a folder, or from a commit of a repository.
//!
//! What leads out of the folder or the repository is refused, and nothing of it is run. A repository that is not on
//! this machine is fetched, which only `gen pack lock` and `update` ask for.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use crate::fingerprint::Digest;
use crate::plan::ArtifactPath;
use crate::problem::Problem;
use crate::shell::discover::{self, Include, MOST_BYTES, Text, Witness};
use crate::shell::git::{self, Held, Repository};
use crate::spec::elsewhere::{Revision, Source};
use crate::value::Name;

/// The files of a pack, by what packs call them: `rules/NAME/…`, `templates/NAME/…`.
pub(super) type Files = BTreeMap<Name, Arc<str>>;

/// A pack that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Taken {
    /// Its files.
    pub files: Files,
    /// The commit that they are of.
    pub commit: Option<Name>,
}

/// Returns the digest of a pack's files.
#[must_use]
pub(super) fn digest<'f>(files: impl IntoIterator<Item = (&'f str, &'f Arc<str>)>) -> Digest {
    let parts = files
        .into_iter()
        .flat_map(|(path, text)| [path.as_bytes(), text.as_bytes()]);
    Digest::of(parts)
}

/// Returns the globs under which the files of the pack `name` stand, below the folder `above`.
#[must_use]
pub(super) fn globs(above: &str, name: &str) -> [Include; 3] {
    ["rules/NAME/**/*.yaml", "rules/NAME/**/*.yml", "templates/NAME/**"]
        .map(|it| Include::of(format!("{above}{}", it.replace("NAME", name))))
}

/// Tells whether the file at `path` is one of the pack `name`. Its tests are not: they are run where the pack is kept.
fn belongs(path: &str, name: &str) -> bool {
    let below = |folder: &str| path.strip_prefix(folder)?.strip_prefix(name)?.strip_prefix('/');
    let is_hidden = path.split('/').any(|it| it.starts_with('.'));
    let is_rule = below("rules/").is_some_and(|it| {
        let is_yaml = it.ends_with(".yaml") || it.ends_with(".yml");
        is_yaml && !it.starts_with("cases/")
    });
    !is_hidden && (is_rule || below("templates/").is_some())
}

/// Reads the pack `name` from where `source` says. Paths are relative to `root`. Of a repository it is the commit
/// `pinned`, if one is named, whatever the source says.
///
/// # Errors
/// What is wrong with it.
pub(super) fn take(root: &Path, name: &str, source: &Source, pinned: Option<&Name>) -> Result<Taken, Vec<Problem>> {
    let files = match source {
        Source::Folder(path) => Taken {
            files: from_folder(&root.join(&**path), name)?.0,
            commit: None,
        },
        Source::Git {
            repository,
            revision,
            dir,
        } => {
            let pinned = pinned.map(|it| Revision::Commit(it.clone()));
            let revision = pinned.as_ref().unwrap_or(revision);
            if is_url(repository) {
                let into = tempfolder().map_err(|it| vec![it])?;
                let taken = git::fetch(repository, revision, &into.0)
                    .map_err(|it| vec![it])
                    .and_then(|it| from_git(it, name, revision, dir));
                taken?
            } else {
                let place = root.join(repository.trim_end_matches('/'));
                let repository = Repository::at(&place).map_err(|it| vec![it])?;
                from_git(repository, name, revision, dir)?
            }
        }
    };
    if files.files.contains_key(format!("rules/{name}/pack.yaml").as_str()) {
        Ok(files)
    } else {
        let message = format!("there is no `rules/{name}/pack.yaml` there, and so no pack `{name}`");
        let help = format!(
            "name the folder that holds `rules/{name}/` and `templates/{name}/`, as a project does; of a repository, by `dir`"
        );
        Err(vec![Problem::error("shell::no_pack_there", message).help(help)])
    }
}

/// Tells whether a repository is not on this machine, as git tells it.
fn is_url(repository: &str) -> bool {
    let is_short = || {
        let host = repository.split('/').next().unwrap_or_default();
        host.split_once(':').is_some_and(|it| it.0.len() > 1)
    };
    repository.contains("://") || is_short()
}

/// Reads the pack `name` from `folder`; returns on what it depends, too, that it holds the same.
///
/// # Errors
/// What is wrong with it.
pub(super) fn from_folder(folder: &Path, name: &str) -> Result<(Files, Vec<Witness>), Vec<Problem>> {
    let real = fs::canonicalize(folder).map_err(|error| {
        let message = format!("the folder `{}` can't be used: {error}", folder.display());
        vec![
            Problem::error("shell::no_pack_there", message)
                .help("name a folder that is there, relative to the root file"),
        ]
    })?;
    let mut found = discover::expand(&real, &globs("", name));
    found.problems.retain(Problem::is_error);
    found.files.retain(|it| belongs(it, name));
    let leaves = |path: &&String| !fs::canonicalize(real.join(path)).is_ok_and(|it| it.starts_with(&real));
    found
        .problems
        .extend(found.files.iter().filter(leaves).map(|it| link(it)));
    let (texts, problems) = discover::read(&real, &found.files);
    found.problems.extend(problems);
    found.problems.extend(paths(found.files.iter()));
    if !found.problems.is_empty() {
        return Err(found.problems);
    }
    let witnesses = found.witnesses.into_iter().chain(texts.iter().map(|it| Witness {
        path: it.path.as_str().into(),
        stat: it.stat,
    }));
    let witnesses = witnesses.map(|it| Witness {
        path: real.join(it.path),
        ..it
    });
    let files = texts.iter().map(|Text { path, text, .. }| (path.clone(), text.clone()));
    Ok((files.collect(), witnesses.collect()))
}

fn from_git(repository: Repository, name: &str, revision: &Revision, dir: &str) -> Result<Taken, Vec<Problem>> {
    let one = |problem: Problem| vec![problem];
    let commit = repository.find(revision).map_err(one)?;
    let repository = repository.within(dir);
    let listing = repository.files(&commit).map_err(one)?;
    let (names, blobs): (Vec<&String>, Vec<_>) = listing.files.iter().filter(|it| belongs(it.0, name)).unzip();
    let mut problems: Vec<Problem> = paths(names.iter().copied()).collect();
    let mut files = Files::new();
    for (path, held) in names
        .into_iter()
        .zip(repository.contents(&commit, &blobs, MOST_BYTES).map_err(one)?)
    {
        let text = match held {
            Held::Bytes(bytes) => discover::decoded(path, bytes),
            Held::TooMuch(n_bytes) => Err(discover::too_large(path, n_bytes)),
            Held::Nothing => Err(link(path)),
        };
        match text {
            Ok(text) => _ = files.insert(Name::from(path.as_str()), text),
            Err(problem) => problems.push(problem),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(Taken {
        files,
        commit: Some(Name::from(commit.id())),
    })
}

fn link(path: &str) -> Problem {
    Problem::error(
        "shell::pack_link",
        format!("`{path}` is a link that leads to no file of the pack's own place"),
    )
    .help("put the file itself there")
}

/// Returns what is wrong with the paths of a pack's files: they become those of files of the project.
fn paths<'p>(paths: impl Iterator<Item = &'p String>) -> impl Iterator<Item = Problem> {
    paths.filter_map(|it| ArtifactPath::parse(it).err())
}

/// A folder that goes when it is no longer used.
struct Temporary(std::path::PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // What is left lies among the other temporary files of the system.
        let _: std::io::Result<()> = fs::remove_dir_all(&self.0);
    }
}

fn tempfolder() -> Result<Temporary, Problem> {
    let made = (0..100).find_map(|at| {
        let name = format!("gen-{}-{at}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        // One that is there is somebody else's.
        fs::create_dir(&folder).ok().map(|()| Temporary(folder))
    });
    made.ok_or_else(|| {
        let folder = std::env::temp_dir();
        let message = format!("no folder can be made in `{}`", folder.display());
        Problem::error("shell::write_failed", message).help("give yourself the right to write there, or set `TMPDIR`")
    })
}
