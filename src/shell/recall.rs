//! What the last run wanted: as long as no file that it read has changed, the next one need not derive it again.
//!
//! One flat file, disposable: what is missing, damaged, of another `gen` or of another project is no answer, and the
//! run derives everything. Nothing in it is trusted further than that: a path is checked as any other.

use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::discover::{self, Witness};
use super::disk::{CACHE, Disk, Flush};
use super::engine::{Ask, Environment, Extent, Outcome};
use super::report::Sources;
use super::seal::{self, Sort};
use super::stat::{Opened, Time};
use crate::fingerprint::Fingerprint;
use crate::plan::{ArtifactPath, Mode, Wanted};
use crate::problem::{Label, Place, Problem, Severity, Span};
use crate::value::Name;

const SORT: &Sort = b"genrcl2\n";

/// The outcome of an earlier run that still holds.
#[derive(Debug)]
pub(super) struct Recalled {
    outcome: Outcome,
    /// The environment of each artifact, beside the outcome's own list.
    within: Vec<Name>,
    /// That nothing has changed since.
    pub(super) since: Since,
}

impl Recalled {
    /// Returns the part of the outcome that `ask` is about; `None` where that is another question.
    pub(super) fn outcome(&self, ask: &Ask) -> Option<Outcome> {
        let is_known = |name: &Name| self.outcome.environments.iter().any(|it| it.name == *name);
        if !ask.overrides.is_empty() || !ask.environments.iter().all(is_known) {
            return None;
        }
        let mut outcome = self.outcome.clone();
        if !ask.environments.is_empty() {
            let mut within = self.within.iter();
            outcome
                .wanted
                .retain(|_| within.next().is_some_and(|it| ask.environments.contains(it)));
        }
        Some(outcome)
    }
}

/// Why what an earlier run found out is no answer.
pub(super) enum Stale {
    /// There is nothing, or nothing that can be used: why, in words.
    Nothing(String),
    /// Files or folders have changed since.
    Changed(Since),
}

/// What has changed since an earlier run.
#[derive(Debug)]
pub(super) struct Since {
    /// By which the run is known.
    pub(super) run: Fingerprint,
    /// On what the run depended.
    pub(super) witnesses: Vec<Witness>,
    /// Which of them may have changed.
    pub(super) changed: Vec<usize>,
}

impl Since {
    /// Says of the project in `folder` what may have changed.
    pub(super) fn in_words(&self, folder: &Path) -> String {
        let changed = self.changed.iter().filter_map(|it| self.witnesses.get(*it));
        let paths: Vec<&Path> = changed.map(|it| &*it.path).collect();
        // Where a file changes, so does its folder, which says less.
        let (folders, files): (Vec<&Path>, Vec<&Path>) = paths.iter().partition(|it| folder.join(it).is_dir());
        let named = if files.is_empty() { &folders } else { &files };
        let shown = |path: &Path| match path.as_os_str().is_empty() {
            true => "`.`".to_owned(),
            false => format!("`{}`", path.display()),
        };
        match named.as_slice() {
            [] => "something may have changed".to_owned(),
            [one] => format!("{} may have changed", shown(one)),
            [first, more @ ..] => format!("{} and {} more may have changed", shown(first), more.len()),
        }
    }
}

/// Returns what the run kept that `maker` made, or why that is no answer.
pub(super) fn load(disk: &Disk, maker: Fingerprint) -> Result<Recalled, Stale> {
    let missing = |_| Stale::Nothing("no earlier run is remembered".to_owned());
    let bytes = disk.read_small(&path()).map_err(missing)?;
    let damaged = || Stale::Nothing("what an earlier run kept is damaged".to_owned());
    let (run, body) = seal::open(SORT, &bytes).ok_or_else(damaged)?;
    let kept: Kept<'_> = postcard::from_bytes(body).map_err(|_| damaged())?;
    if kept.maker != maker {
        return Err(Stale::Nothing("another `gen` was run last".to_owned()));
    }
    let root = disk.root();
    let opened = Opened::new(root);
    let witnesses = kept.witnesses.par_iter().with_min_len(64).enumerate();
    let changed: Vec<usize> = witnesses
        .filter(|(_, it)| !it.still_holds(&opened, kept.began))
        .map(|it| it.0)
        .collect();
    let since = |witnesses, changed| Since {
        run,
        witnesses,
        changed,
    };
    if changed.is_empty() {
        let (outcome, within) = kept.recalled(root).ok_or_else(damaged)?;
        let since = since(kept.witnesses.into_owned(), changed);
        return Ok(Recalled { outcome, within, since });
    }
    Err(Stale::Changed(since(kept.witnesses.into_owned(), changed)))
}

/// What there is to keep of a run.
pub(super) struct Found<'a> {
    /// By what the program is known that found it.
    pub(super) maker: Fingerprint,
    /// When it began, by the clock of the files.
    pub(super) began: Time,
    /// On what it depends.
    pub(super) witnesses: &'a [Witness],
    /// What all environments want, with none left out.
    pub(super) outcome: &'a Outcome,
    /// The environment of each artifact.
    pub(super) within: &'a [Name],
}

/// Keeps `found` for the next run, and returns by what it is known; none where it can't be kept. That is nobody's
/// concern: it saves time only.
pub(super) fn save(disk: &Disk, found: &Found<'_>) -> Option<Fingerprint> {
    // A path that is no text can't be kept.
    let body = postcard::to_stdvec(&Kept::of(found)?).ok()?;
    let (run, bytes) = seal::seal(SORT, &body);
    disk.replace_small(&path(), &bytes, Flush::Later).ok()?;
    Some(run)
}

fn path() -> String {
    format!("{CACHE}/outcome")
}

/// The file's body.
#[derive(Serialize, Deserialize)]
struct Kept<'a> {
    maker: Fingerprint,
    /// When the run began that found this: what is not older may have changed after it was read, within one tick.
    began: Time,
    witnesses: std::borrow::Cow<'a, [Witness]>,
    /// Names and folders.
    environments: Vec<(&'a str, &'a str)>,
    /// Names of rules and environments, which many artifacts share.
    names: Vec<&'a str>,
    artifacts: Vec<Artifact<'a>>,
    #[serde(borrow)]
    warnings: Vec<Warning<'a>>,
}

#[derive(Serialize, Deserialize)]
struct Artifact<'a> {
    path: &'a str,
    /// Places in the list of names.
    rule: u32,
    environment: u32,
    digest: Fingerprint,
    is_executable: bool,
}

#[derive(Serialize, Deserialize)]
struct Warning<'a> {
    code: &'a str,
    message: &'a str,
    /// Files, ranges and texts.
    labels: Vec<(&'a str, u32, u32, &'a str)>,
    help: Option<&'a str>,
}

impl<'a> Kept<'a> {
    /// Returns what is to be written of `found`; `None` where it is not worth it, since an error is sure to change.
    fn of(found: &Found<'a>) -> Option<Self> {
        let mut names: Vec<&str> = Vec::new();
        let rules = found.outcome.wanted.iter().map(|it| it.rule.as_str());
        names.extend(rules.chain(found.within.iter().map(Name::as_str)));
        names.sort_unstable();
        names.dedup();
        let place = |name: &str| names.binary_search(&name).ok().and_then(|it| u32::try_from(it).ok());
        let artifacts = found.outcome.wanted.iter().zip(found.within);
        let artifacts = artifacts.map(|(it, environment)| {
            Some(Artifact {
                path: it.path.as_str(),
                rule: place(&it.rule)?,
                environment: place(environment)?,
                digest: it.digest,
                is_executable: it.mode == Mode::Executable,
            })
        });
        let artifacts = artifacts.collect::<Option<_>>()?;
        let environments = found.outcome.environments.iter();
        Some(Self {
            maker: found.maker,
            began: found.began,
            witnesses: found.witnesses.into(),
            environments: environments.map(|it| (it.name.as_str(), it.folder.as_str())).collect(),
            artifacts,
            warnings: found.outcome.problems.iter().map(Warning::of).collect::<Option<_>>()?,
            names,
        })
    }

    /// Returns the outcome that was kept, with the texts of the files below `root` in which a warning stands, and the
    /// environment of each artifact.
    fn recalled(&self, root: &Path) -> Option<(Outcome, Vec<Name>)> {
        let names: Vec<Name> = self.names.iter().map(|it| Name::from(*it)).collect();
        let name = |at: u32| names.get(at as usize).cloned();
        let wanted = |it: &Artifact<'_>| {
            let mode = if it.is_executable {
                Mode::Executable
            } else {
                Mode::Plain
            };
            let path = ArtifactPath::parse(it.path).ok()?;
            Some(Wanted::known(path, name(it.rule)?, it.digest, mode))
        };
        let environment = |it: &(&str, &str)| Environment {
            name: it.0.into(),
            folder: it.1.to_owned(),
        };
        let files = self.warnings.iter().flat_map(|it| it.labels.iter().map(|it| it.0));
        let mut files: Vec<String> = files.map(str::to_owned).collect();
        files.sort();
        files.dedup();
        let within = self.artifacts.iter().map(|it| name(it.environment));
        let outcome = Outcome {
            wanted: self.artifacts.iter().map(wanted).collect::<Option<_>>()?,
            extent: Extent::Whole,
            problems: self.warnings.iter().map(Warning::problem).collect(),
            sources: sources(root, &files),
            environments: self.environments.iter().map(environment).collect(),
        };
        Some((outcome, within.collect::<Option<_>>()?))
    }
}

/// Returns the texts of `files`: the project's own, or a built-in pack's.
fn sources(root: &Path, files: &[String]) -> Sources {
    let built_in = super::engine::built_in();
    let (of_packs, own): (Vec<String>, Vec<String>) = files.iter().cloned().partition(|it| {
        let is_own = root.join(it).is_file();
        !is_own && built_in.contains_key(it.as_str())
    });
    let (texts, _) = discover::read(root, &own);
    let own = texts.into_iter().map(|it| (it.path, it.text));
    let of_packs = of_packs.iter().filter_map(|path| {
        let text: Arc<str> = (*built_in.get(path.as_str())?).into();
        Some((Name::from(path.as_str()), text))
    });
    own.chain(of_packs).collect()
}

impl<'a> Warning<'a> {
    fn of(problem: &'a Problem) -> Option<Self> {
        let label = |it: &'a Label| match &it.place {
            Place::Text(file, span) => Some((file.as_str(), span.start, span.end, &*it.text)),
            Place::Rule(_) | Place::Within(..) | Place::Field { .. } => None,
        };
        (problem.severity == Severity::Warning).then_some(())?;
        Some(Self {
            code: &problem.code,
            message: &problem.message,
            labels: problem.labels.iter().map(label).collect::<Option<_>>()?,
            help: problem.help.as_deref(),
        })
    }

    fn problem(&self) -> Problem {
        let labels = self.labels.iter().map(|(file, start, end, text)| Label {
            place: Place::Text(
                Name::from(*file),
                Span {
                    start: *start,
                    end: *end,
                },
            ),
            text: (*text).into(),
        });
        Problem {
            labels: labels.collect(),
            help: self.help.map(Into::into),
            ..Problem::warning(self.code.to_owned(), self.message)
        }
    }
}
