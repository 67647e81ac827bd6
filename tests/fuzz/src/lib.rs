//! The fuzz targets, and what they share: the built-in packs in a database, and that a place lies in the text that it is
//! of.
//!
//! `src/bin/` gives them what libFuzzer makes up, and `tests/it/fuzz.rs`, of which this is a module too, what is kept in
//! `corpus/`. So nothing here knows libFuzzer, nor by what name it is called. Each target reads one kind of text that a user writes, and asserts what must hold of any: no panic, places within
//! the text, and that what is printed is read back. libFuzzer itself ends a target that takes too long.

pub mod data;
pub mod expression;
pub mod manifest;
pub mod pattern;
pub mod spec;
pub mod text;
pub mod yaml;

use std::fs;
use std::path::Path;

use groundplan::db::{Database, Project, SourceFile};
use groundplan::problem::{Place, Problem, Span};
use groundplan::value::Name;

/// A spec in which most kinds of fields are set, for what is asked of nodes.
pub const SPEC: &str = include_str!("../spec.yaml");

/// What a target does with an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It reads it.
    Read,
    /// It is not of the form that the target reads.
    Refused,
}

/// The project of a spec, with all that is built in.
pub struct Ground {
    /// Everything derived.
    pub db: Database,
    /// The spec.
    pub root: SourceFile,
    /// All files.
    pub project: Project,
}

impl Ground {
    /// Returns the project whose root file holds `spec`.
    #[must_use]
    pub fn of(spec: &str) -> Self {
        let db = Database::default();
        let mut above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
        let top = above.find(|it| it.join("rules").is_dir()).expect("the packs lie above");
        let mut files = Vec::new();
        let mut open = vec![top.join("rules"), top.join("templates")];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(folder).expect("the packs lie beside the tests") {
                let path = entry.expect("the packs can be read").path();
                if path.is_dir() {
                    open.push(path);
                } else {
                    let text = fs::read_to_string(&path).expect("a pack's file is a text");
                    let path = path.strip_prefix(top).expect("it lies below").to_str();
                    files.push((path.expect("it is ours").to_owned(), text));
                }
            }
        }
        files.sort();
        let files = files.into_iter();
        let built_in = files.map(|(path, text)| SourceFile::new(&db, path.into(), text.into()));
        let built_in = built_in.collect();
        let root = SourceFile::new(&db, "gen.yaml".into(), spec.into());
        let project = Project::new(&db, root, Vec::new(), built_in, Vec::new(), Vec::new());
        Self { db, root, project }
    }
}

/// Fails where `span` is no part of `text`.
pub fn lies_in(span: Span, text: &str) {
    let part = text.get(span.start as usize..span.end as usize);
    assert!(part.is_some(), "{span:?} is no part of a text of {} bytes", text.len());
}

/// Fails where a problem has no message, or a place in `file` that is no part of its `text`.
pub fn are_placed(problems: &[Problem], file: &Name, text: &str) {
    for problem in problems {
        assert!(!problem.message.is_empty(), "{problem:?}");
        for label in &problem.labels {
            match &label.place {
                Place::Text(name, span) if name == file => lies_in(*span, text),
                _ => {}
            }
        }
    }
}

/// Splits an input at its first line end: what to do, and with what.
#[must_use]
pub fn headed(bytes: &[u8]) -> Option<(&str, &str)> {
    std::str::from_utf8(bytes).ok()?.split_once('\n')
}
