//! The files of a project, found in a list of paths instead of a disk: a revision of git has no folders to walk.
//!
//! The same patterns mean the same as on the disk. What is ignored there is left out here, though git may keep it; a
//! link to a folder is not followed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::{Include, MOST_BYTES, OWN, Pattern, SPEC_NAMES, Segment, decoded, too_large};
use crate::problem::Problem;
use crate::shell::inputs::Inputs;
use crate::value::Name;

/// The name of the files that say what git ignores.
const IGNORES: &str = ".gitignore";

/// A list of paths, and where to read what they hold.
pub struct Tree<'t> {
    /// The paths of all files, relative to the project, sorted.
    pub paths: Vec<&'t str>,
    /// What the files of ignored names in the folders above hold, from the nearest one.
    pub above: Vec<Vec<u8>>,
    /// Returns what the files at these paths hold; none where that is no file after all.
    #[expect(clippy::type_complexity, reason = "said once")]
    pub read: &'t dyn Fn(&[&str]) -> Result<Vec<Option<Vec<u8>>>, Problem>,
}

/// Reads all files of the project in `tree`, and says what can't be found or read; none where no root file stands in it. `includes` finds the globs in the
/// text of the root file.
///
/// # Errors
/// A problem where the tree itself can't be read.
pub fn gather_tree(
    tree: &Tree<'_>,
    includes: impl FnOnce(&Name, &str) -> Vec<Include>,
) -> Result<Option<(Inputs, Vec<Problem>)>, Problem> {
    let is_there = |it: &&&str| tree.paths.binary_search(it).is_ok();
    let Some(root) = SPEC_NAMES.iter().find(is_there) else {
        return Ok(None);
    };
    let mut problems = Vec::new();
    let Some((path, text)) = tree.texts(&[root], &mut problems)?.pop_first() else {
        return Ok(None);
    };
    let includes = includes(&path, &text);
    let own = OWN.map(|it| Include {
        glob: it.into(),
        place: None,
    });
    let mut parse = |it: &Include| it.pattern().map_err(|it| problems.push(it)).ok();
    let includes: Vec<(Include, Pattern)> = includes
        .into_iter()
        .filter_map(|it| parse(&it).map(|pattern| (it, pattern)))
        .collect();
    let own: Vec<Pattern> = own.iter().filter_map(parse).collect();
    let ignored = tree.ignored(includes.iter().map(|it| &it.1).chain(&own))?;
    let find = |pattern: &Pattern| -> Vec<&str> {
        let (is_deep, all) = (pattern.is_deep(), tree.paths.iter().copied());
        let matching = all.filter(|it| pattern.matches(it));
        matching.filter(|it| !is_deep || !ignored.names(it)).collect()
    };
    let mut included = BTreeSet::new();
    for (include, pattern) in &includes {
        let found = find(pattern);
        if found.is_empty() {
            let folder = format!("{}/", include.glob.trim_end_matches('/'));
            let is_folder = tree.paths.iter().any(|it| it.starts_with(&folder));
            let problem = pattern.without_file(&include.glob, is_folder);
            problems.push(include.at(problem, "included here"));
        }
        included.extend(found);
    }
    included.remove(root);
    let own: BTreeSet<&str> = own.iter().flat_map(find).collect();
    let included: Vec<&str> = included.into_iter().collect();
    let own: Vec<&str> = own.into_iter().collect();
    let inputs = Inputs {
        included: tree.texts(&included, &mut problems)?,
        own: tree.texts(&own, &mut problems)?,
        root: path,
        text,
        built_in: BTreeMap::new(),
    };
    Ok(Some((inputs, problems)))
}

impl Tree<'_> {
    fn texts(&self, paths: &[&str], problems: &mut Vec<Problem>) -> Result<BTreeMap<Name, Arc<str>>, Problem> {
        let mut texts = BTreeMap::new();
        for (path, bytes) in paths.iter().zip((self.read)(paths)?) {
            let Some(bytes) = bytes else { continue };
            let n_bytes = bytes.len() as u64;
            let text = if n_bytes > MOST_BYTES {
                Err(too_large(path, n_bytes))
            } else {
                decoded(path, bytes)
            };
            match text {
                Ok(text) => _ = texts.insert(Name::from(*path), text),
                Err(problem) => problems.push(problem),
            }
        }
        Ok(texts)
    }

    /// Reads what is ignored where `patterns` look through folders.
    fn ignored<'p>(&self, patterns: impl Iterator<Item = &'p Pattern>) -> Result<Ignored, Problem> {
        let mut folders: BTreeSet<&str> = BTreeSet::new();
        for pattern in patterns.filter(|it| it.is_deep()) {
            for path in self.paths.iter().filter(|it| pattern.matches(it)) {
                folders.extend(path.rmatch_indices('/').map(|it| &path[..it.0]).chain([""]));
            }
        }
        let is_there = |folder: &str| {
            let path = format!("{folder}{}{IGNORES}", if folder.is_empty() { "" } else { "/" });
            let at = self.paths.binary_search(&path.as_str()).ok()?;
            Some((folder.to_owned(), self.paths[at]))
        };
        let (folders, paths): (Vec<String>, Vec<&str>) = folders.into_iter().filter_map(is_there).unzip();
        let texts = (self.read)(&paths)?.into_iter().map(Option::unwrap_or_default);
        let mut ignored = Ignored {
            within: folders.into_iter().zip(texts.map(|it| parsed(&it))).collect(),
            above: Vec::new(),
        };
        ignored.above.extend(self.above.iter().map(|it| parsed(it)));
        Ok(ignored)
    }
}

/// What git is told to ignore.
struct Ignored {
    /// By folder.
    within: BTreeMap<String, Gitignore>,
    /// By the folders above, from the nearest one.
    above: Vec<Gitignore>,
}

impl Ignored {
    /// Tells whether the file at `path` is ignored: the nearest word on it counts.
    fn names(&self, path: &str) -> bool {
        let folders = path.rmatch_indices('/').map(|it| &path[..it.0]).chain([""]);
        let within = folders.filter_map(|it| self.within.get_key_value(it));
        let within = within.map(|(folder, it)| (it, path[folder.len()..].trim_start_matches('/')));
        let mut said = within
            .chain(self.above.iter().map(|it| (it, path)))
            .map(|(it, inside)| it.matched_path_or_any_parents(inside, false));
        said.find(|it| !it.is_none()).is_some_and(|it| it.is_ignore())
    }
}

fn parsed(bytes: &[u8]) -> Gitignore {
    let mut builder = GitignoreBuilder::new("");
    for line in String::from_utf8_lossy(bytes).lines() {
        // A line that is none is passed over, as on the disk.
        let _: Result<&mut GitignoreBuilder, ignore::Error> = builder.add_line(None, line);
    }
    builder.build().unwrap_or_else(|_| Gitignore::empty())
}

impl Pattern {
    /// Tells whether it looks through folders, and so leaves out what is hidden or ignored.
    fn is_deep(&self) -> bool {
        matches!(self.segments.last(), Some(Segment::Deep(_)))
    }

    fn matches(&self, path: &str) -> bool {
        let mut rest = Some(path);
        for segment in &self.segments {
            let Some(inside) = rest else { return false };
            let (name, after) = match inside.split_once('/') {
                Some((name, after)) => (name, Some(after)),
                None => (inside, None),
            };
            let fits = match segment {
                Segment::Literal(it) => it == name,
                Segment::Wild(it) => it.is_match(name) && !name.starts_with('.'),
                Segment::Deep(it) => return it.is_match(inside) && !inside.split('/').any(|it| it.starts_with('.')),
            };
            if !fits {
                return false;
            }
            rest = after;
        }
        rest.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Place;
    use crate::shell::discover::{self, Root};

    const FILES: [(&str, &str); 14] = [
        (".gitignore", "skipped/\n*.tmp.yaml\n"),
        ("gen.yaml", "root"),
        ("rules/mine/pack.yaml", "p"),
        ("rules/mine/.hidden.yaml", "h"),
        ("rules/mine/x.txt", "no rule"),
        ("services/.hidden/service.yaml", "no"),
        ("services/a/service.yaml", "a"),
        ("services/b/deep/service.yaml", "d"),
        ("services/b/service.yaml", "b"),
        ("teams/.gitignore", "/left/\n!kept.tmp.yaml\n"),
        ("teams/kept.tmp.yaml", "k"),
        ("teams/left/gen.yaml", "no"),
        ("teams/skipped/gen.yaml", "no"),
        ("templates/mine/x.hbs", "t"),
    ];

    fn includes(globs: &[&str]) -> Vec<Include> {
        let include = |it: &&str| Include {
            glob: Name::from(*it),
            place: None::<Place>,
        };
        globs.iter().map(include).collect()
    }

    fn in_tree(globs: &[&str]) -> (Inputs, Vec<Problem>) {
        let read = |paths: &[&str]| {
            let text = |path: &&str| FILES.iter().find(|it| it.0 == *path).map(|it| it.1.into());
            Ok(paths.iter().map(text).collect())
        };
        let tree = Tree {
            paths: FILES.iter().map(|it| it.0).collect(),
            above: Vec::new(),
            read: &read,
        };
        let gathered = gather_tree(&tree, |_, _| includes(globs)).expect("readable");
        gathered.expect("a root file stands there")
    }

    #[test]
    fn a_tree_gives_what_the_disk_gives() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (path, text) in FILES {
            let place = folder.path().join(path);
            std::fs::create_dir_all(place.parent().expect("below")).expect("made");
            std::fs::write(place, text).expect("written");
        }
        let root = Root {
            folder: folder.path().to_path_buf(),
            spec: "gen.yaml".into(),
        };
        for globs in [
            &["services/*/service.yaml"][..],
            &["./services/{a,b}/service.yaml", "teams/**"],
            &["{services/a,services/b}/service.yaml", "gen.yaml"],
            &["services/**/service.yaml", "services/a/service.yaml"],
            &["teams/**/*.yaml"],
            &["teams/kept.tmp.yaml", "teams/left/gen.yaml", "teams/left"],
            &["teams/none.yaml", "none/*.yaml", "../x", "a["],
        ] {
            let disk = discover::gather(&root, |_| includes(globs));
            let (tree, problems) = in_tree(globs);
            let texts = |texts: &[discover::Text]| -> BTreeMap<Name, Arc<str>> {
                texts.iter().map(|it| (it.path.clone(), it.text.clone())).collect()
            };
            assert_eq!(tree.included, texts(&disk.included), "{globs:?}");
            assert_eq!(tree.own, texts(&disk.own), "{globs:?}");
            let sorted = |problems: &[Problem]| {
                let mut problems = problems.to_vec();
                problems.sort();
                problems
            };
            assert_eq!(sorted(&problems), sorted(&disk.problems), "{globs:?}");
        }
        assert_eq!(in_tree(&["teams/**/*.yaml"]).0.included.len(), 1);
    }

    #[test]
    fn what_is_ignored_above_is_ignored_here() {
        let ignored = Ignored {
            within: [("a/b".to_owned(), parsed(b"!x.yaml\n"))].into(),
            above: vec![parsed(b"*.yaml\n"), parsed(b"!y.yaml\n*.txt\n")],
        };
        assert!(ignored.names("a/y.yaml") && ignored.names("a/b/z.txt"));
        assert!(!ignored.names("a/b/x.yaml") && !ignored.names("a/b/c/x.yaml") && !ignored.names("x.md"));
    }
}
