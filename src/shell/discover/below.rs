//! One folder of a project walked again, where something has come or gone in it since all was walked.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::{Expanded, Found, Include, Pattern, Segment, own_globs};

/// How a pattern goes on from a folder.
enum Onwards {
    /// It never comes there.
    Nowhere,
    /// By the segment at this index.
    By(usize),
    /// What it finds there hangs on folders above.
    AsAWhole,
}

impl Pattern {
    fn onwards_from(&self, folder: &str) -> Onwards {
        let names = folder.split('/').filter(|it| !it.is_empty());
        let mut segments = self.segments.iter();
        let mut index = 0;
        for name in names {
            let leads_there = match segments.next() {
                None => false,
                Some(Segment::Literal(it)) => it == name,
                Some(Segment::Wild(matcher)) => matcher.is_match(name) && !name.starts_with('.'),
                Some(Segment::Deep(_)) => return Onwards::AsAWhole,
            };
            if !leads_there {
                return Onwards::Nowhere;
            }
            index += 1;
        }
        match segments.next() {
            Some(Segment::Deep(_)) => Onwards::AsAWhole,
            _ => Onwards::By(index),
        }
    }
}

/// Returns the files for which `includes` stand in `folder` and below it, and on what that depends; `None` where it takes a
/// walk of more than this folder.
#[must_use]
pub fn expand_below(root: &Path, includes: &[Include], folder: &str) -> Option<Expanded> {
    let found = Mutex::new(Found::default());
    for include in includes {
        let pattern = include.pattern().ok()?;
        match pattern.onwards_from(folder) {
            Onwards::Nowhere => {}
            Onwards::By(index) => pattern.walk(root, folder.to_owned(), index, &found),
            Onwards::AsAWhole => return None,
        }
    }
    let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut expanded = Expanded {
        files: found.files,
        witnesses: found.witnesses,
        ..Expanded::default()
    };
    expanded.files.sort();
    expanded.files.dedup();
    found.problems.is_empty().then_some(expanded)
}

/// Does the same for the rules and templates that the project brings of its own, and those for which `packs` stand.
#[must_use]
pub fn own_below(root: &Path, packs: &[Include], folder: &str) -> Option<Expanded> {
    expand_below(root, &own_globs(packs), folder)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn below(files: &[&str], globs: &[&str], folder: &str) -> Option<Vec<String>> {
        let root = tempfile::tempdir().expect("a temporary folder");
        for file in files {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().expect("it has one")).expect("made");
            fs::write(path, "").expect("written");
        }
        let globs: Vec<Include> = globs.iter().map(|it| Include::of(*it)).collect();
        expand_below(root.path(), &globs, folder).map(|it| it.files)
    }

    #[test]
    fn only_what_lies_below_is_found() {
        let files = ["a/x/s.yaml", "a/y/s.yaml", "a/y/other.txt", "b/s.yaml", "s.yaml"];
        let globs = ["a/*/s.yaml", "*/s.yaml", "./s.yaml"];
        let found = |folder: &str| below(&files, &globs, folder).expect("no `**` is there").join(" ");
        assert_eq!(found("a/x"), "a/x/s.yaml");
        assert_eq!(found("a"), "a/x/s.yaml a/y/s.yaml");
        assert_eq!(found("b"), "b/s.yaml");
        assert_eq!(found("c"), "");
        assert_eq!(found("a/y/deeper"), "");
        assert_eq!(found(""), "a/x/s.yaml a/y/s.yaml b/s.yaml s.yaml");
    }

    #[test]
    fn hidden_folders_are_none() {
        assert_eq!(below(&["a/.x/s.yaml"], &["a/*/s.yaml"], "a/.x"), Some(Vec::new()));
    }

    #[test]
    fn what_is_ignored_hangs_on_folders_above() {
        assert_eq!(below(&["a/x/s.yaml"], &["a/**/s.yaml"], "a/x"), None);
        assert_eq!(below(&["a/x/s.yaml"], &["a/**/s.yaml"], "a"), None);
        assert_eq!(below(&["a/x/s.yaml"], &["a/**/s.yaml"], "b"), Some(Vec::new()));
    }
}
