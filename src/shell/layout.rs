//! The YAML that a project brings itself, for `gen fmt`: the spec, what it includes, and its own packs.
//!
//! What a layout is, is not known here. What gen has generated, packs from elsewhere and what gen does not read at all are
//! left out.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

use super::discover::{self, Include, Root, SPEC_NAMES, Text};
use super::disk::{self, Disk};
use super::engine::includes;
use super::manifest::Manifest;
use super::report::Sources;
use crate::db::is_shared;
use crate::plan::{ArtifactPath, Found};
use crate::problem::{Place, Problem, Span};
use crate::rule::set::is_rule_file;
use crate::value::Name;
use crate::yaml::format::{Unformatted, formatted};

/// Files, and what they hold once they are formatted.
#[derive(Debug, Default)]
pub struct Layout {
    /// The files that are not formatted: what they hold, and what they are to hold.
    pub texts: BTreeMap<Name, (Arc<str>, Arc<str>)>,
    /// How many files are formatted already.
    pub n_same: usize,
    /// Which files can't be formatted, and why.
    pub problems: Vec<Problem>,
    /// The texts in which problems stand.
    pub sources: Sources,
}

/// Formats the project's own files at `paths`, or below them; all, if none is named. Nothing is written.
#[must_use]
pub fn of_project(disk: &Disk, root: &Root, paths: &[String]) -> Layout {
    let mut layout = Layout::default();
    let mut missing = Vec::new();
    let (spec, without_spec) = discover::read(&root.folder, &[root.spec.to_string()]);
    let included = spec.first().map(|it| includes(&root.spec, &it.text));
    let files = find(disk, root, &included.unwrap_or_default(), &mut missing);
    let files = chosen(&files, paths, &mut layout.problems);
    let (texts, unreadable) = discover::read(&root.folder, &files);
    layout.problems.extend(unreadable);
    if paths.is_empty() {
        layout.problems.extend(missing);
    } else if !files.contains(&root.spec.to_string()) {
        // What is named is formatted whatever else is missing; without the spec it is not known what is included.
        layout.problems.extend(without_spec);
    }
    layout.sources = spec.into_iter().map(|it| (it.path, it.text)).collect();
    layout.add(texts);
    layout
}

/// Formats one text.
#[must_use]
pub fn of_text(text: Text) -> Layout {
    let mut layout = Layout::default();
    layout.add(vec![text]);
    layout
}

impl Layout {
    /// Formats `texts`.
    fn add(&mut self, texts: Vec<Text>) {
        let results: Vec<Result<String, Unformatted>> = texts.par_iter().map(|it| formatted(&it.text)).collect();
        for (Text { path, text, .. }, result) in texts.iter().zip(results) {
            match result {
                Ok(new) if new == **text => self.n_same += 1,
                Ok(new) => _ = self.texts.insert(path.clone(), (text.clone(), new.into())),
                Err(Unformatted::Mistakes(mistakes)) => {
                    self.problems.extend(mistakes.iter().map(|it| it.problem(path)));
                }
                Err(Unformatted::Changed) => self.problems.push(changed(path)),
            }
        }
        let sources = texts.into_iter().map(|it| (it.path, it.text));
        self.sources.extend(sources.collect());
    }
}

/// Takes those files out of `layout` through which gen does not write, and says why.
pub fn keep_writable(disk: &Disk, layout: &mut Layout) {
    let mut paths = Vec::new();
    layout.texts.retain(|path, _| match ArtifactPath::parse(path) {
        Ok(path) => {
            paths.push(path);
            true
        }
        Err(problem) => {
            layout.problems.push(problem);
            false
        }
    });
    let (found, _) = disk.look(&paths.iter().collect::<Vec<_>>(), disk::unknown);
    for (path, found) in paths.iter().zip(found) {
        let why = match found {
            Found::File(..) => continue,
            Found::Blocked(why) => format!("`{path}` can't be written: {why}"),
            _ => format!("`{path}` is no plain file"),
        };
        let problem = Problem::error("shell::no_plain_file", why);
        let help = "gen writes through no link: put the file itself there, or format it where it stands";
        layout.problems.push(problem.help(help));
        layout.texts.remove(path.as_str());
    }
}

/// Returns the paths of the project's own YAML.
fn find(disk: &Disk, root: &Root, included: &[Include], problems: &mut Vec<Problem>) -> Vec<String> {
    let included = discover::expand(&root.folder, included);
    let own = discover::own(&root.folder, &[]);
    problems.extend(included.problems);
    problems.extend(own.problems);
    let mut files = included.files;
    files.extend(own.files.into_iter().filter(|it| is_of_packs(it)));
    let generated = Manifest::load(disk).map(|it| it.0).unwrap_or_else(|problem| {
        problems.push(problem);
        Manifest::default()
    });
    let is_generated = |file: &String| ArtifactPath::parse(file).is_ok_and(|it| generated.get(&it).is_some());
    files.retain(|it| !is_shared(it) && !is_generated(it));
    files.push(root.spec.to_string());
    files.sort();
    files.dedup();
    files
}

/// Returns those of `files` that stand at one of `paths`, or below it.
fn chosen(files: &[String], paths: &[String], problems: &mut Vec<Problem>) -> Vec<String> {
    let is_under = |file: &str, path: &str| {
        let rest = file.strip_prefix(path);
        rest.is_some_and(|it| it.is_empty() || it.starts_with('/'))
    };
    for path in paths {
        if !files.iter().any(|file| is_under(file, path)) {
            let message = format!("`{path}` is no YAML of the project's own that gen reads, and no folder of any");
            let problem = Problem::error("shell::nothing_to_format", message);
            problems.push(problem.suggest(path, files.iter().map(String::as_str)));
        }
    }
    let is_meant = |file: &&String| paths.is_empty() || paths.iter().any(|path| is_under(file, path));
    files.iter().filter(is_meant).cloned().collect()
}

/// Tells whether a file below `rules/` is one that gen reads as YAML: a pack's head, its proofs, its rules, or the spec of
/// one of its cases.
fn is_of_packs(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    match parts.as_slice() {
        ["rules", _, "pack.yaml" | "proofs.yaml"] => true,
        ["rules", _, "cases", _, name] => SPEC_NAMES.contains(name),
        _ => is_rule_file(path),
    }
}

fn changed(path: &Name) -> Problem {
    let message = format!("`{path}` is not formatted: it would not say the same afterwards");
    Problem::error("yaml::not_formatted", message)
        .at(Place::Text(path.clone(), Span::default()), "left as it is")
        .help("that is a mistake of gen's: please report it, with the file")
}
