//! The files of a project, found in a list of paths instead of a disk: a revision of git has no folders to walk.
//!
//! The same patterns mean the same as on the disk. What is ignored there is left out here, though git may keep it; a
//! link to a folder is not followed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::{Include, Pattern, SPEC_NAMES, Segment, decoded, own_globs, too_large};
use crate::problem::{Place, Problem};
use crate::shell::git::Held;
use crate::shell::inputs::Inputs;
use crate::shell::shared::lock::LOCK;
use crate::shell::shared::{self, Asked, Kept};
use crate::value::Name;

/// The name of the files that say what git ignores.
const IGNORES: &str = ".gitignore";

/// A list of paths, and where to read what they hold.
pub struct Tree<'t> {
    /// The paths of all files, relative to the project, sorted.
    pub paths: Vec<&'t str>,
    /// What the files of ignored names in the folders above hold, from the nearest one, each with the way from its
    /// folder to the project, with a slash behind it.
    pub above: Vec<(String, Held)>,
    /// Returns what the files at these paths hold.
    #[expect(clippy::type_complexity, reason = "said once")]
    pub read: &'t dyn Fn(&[&str]) -> Result<Vec<Held>, Problem>,
}

/// Returns all files of the project in `tree`, and what is wrong with them.
///
/// There are none where no root file stands in it. `includes` finds the globs in the text of the root file.
///
/// # Errors
/// A problem where the tree itself or the root file can't be read.
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
        return problems.pop().map_or(Ok(None), Err);
    };
    let includes = includes(&path, &text);
    let asked = shared::asked(&path, &text);
    let own = own_globs(&shared::includes(&path, &text));
    let mut parse = |it: &Include| it.pattern().map_err(|it| problems.push(it)).ok();
    let includes: Vec<(Include, Pattern)> = includes
        .into_iter()
        .filter_map(|it| parse(&it).map(|pattern| (it, pattern)))
        .collect();
    let own: Vec<Pattern> = own.iter().filter_map(parse).collect();
    let ignored = tree.ignored(includes.iter().map(|it| &it.1).chain(&own))?;
    let find = |pattern: &Pattern| -> Vec<&str> {
        let matching = tree.paths.iter().copied().filter(|it| pattern.matches(it));
        let n_before = pattern.segments.len().saturating_sub(1);
        let is_ignored = |it: &str| pattern.is_deep() && ignored.names(it, n_before);
        matching.filter(|it| !is_ignored(it)).collect()
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
    let own = tree.texts(&own, &mut problems)?;
    let lock: Vec<&str> = [LOCK]
        .into_iter()
        .filter(|it| !asked.is_empty() && is_there(&it))
        .collect();
    let lock = tree.texts(&lock, &mut problems)?;
    problems.extend(wrong_with(&asked, lock.values().next(), &own));
    let inputs = Inputs {
        included: tree.texts(&included, &mut problems)?,
        own,
        root: path,
        text,
        built_in: BTreeMap::new(),
    };
    Ok(Some((inputs, problems)))
}

/// Returns what is wrong with the packs from elsewhere that are kept among the files `own`.
fn wrong_with(asked: &[Asked], lock: Option<&Arc<str>>, own: &BTreeMap<Name, Arc<str>>) -> Vec<Problem> {
    let kept = Kept {
        asked,
        lock: lock.map(|it| &**it),
        files: own.iter().map(|(path, text)| (path.as_str(), text)).collect(),
    };
    let mut problems = shared::verify(&kept).1;
    // The lock of that time is no file of now.
    let lock = Name::from(LOCK);
    let is_in_lock = |place: &Place| matches!(place, Place::Text(file, _) if *file == lock);
    for problem in &mut problems {
        problem.labels.retain(|it| !is_in_lock(&it.place));
    }
    problems
}

impl Tree<'_> {
    fn texts(&self, paths: &[&str], problems: &mut Vec<Problem>) -> Result<BTreeMap<Name, Arc<str>>, Problem> {
        let mut texts = BTreeMap::new();
        for (path, held) in paths.iter().zip((self.read)(paths)?) {
            let text = match held {
                Held::Nothing => continue,
                Held::TooMuch(n_bytes) => Err(too_large(path, n_bytes)),
                Held::Bytes(bytes) => decoded(path, bytes),
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
        let within = (self.read)(&paths)?;
        Ok(Ignored {
            within: folders.into_iter().zip(within.iter().map(parsed)).collect(),
            above: self.above.iter().map(|(way, it)| (way.clone(), parsed(it))).collect(),
        })
    }
}

/// What git is told to ignore.
struct Ignored {
    /// By folder.
    within: BTreeMap<String, Gitignore>,
    /// By the way from a folder above to the project, from the nearest one.
    above: Vec<(String, Gitignore)>,
}

impl Ignored {
    /// Tells whether a walk leaves out the file at `path`: the file itself, or a folder on the way to it. The walk begins
    /// below the first `n_before` folders, and so doesn't ask about them.
    fn names(&self, path: &str, n_before: usize) -> bool {
        let folders = path.match_indices('/').skip(n_before).map(|it| (&path[..it.0], true));
        let mut way = folders.chain([(path, false)]);
        way.any(|(it, is_folder)| self.leaves_out(it, is_folder))
    }

    /// Tells whether `path` itself is left out: the nearest word on it counts; where there is none, whether it is hidden.
    fn leaves_out(&self, path: &str, is_folder: bool) -> bool {
        let folders = path.rmatch_indices('/').map(|it| &path[..it.0]).chain([""]);
        let within = folders.filter_map(|it| self.within.get_key_value(it));
        let within = within.map(|(folder, it)| (it, path[folder.len()..].trim_start_matches('/').to_owned()));
        let above = self.above.iter().map(|(way, it)| (it, format!("{way}{path}")));
        let mut said = within.chain(above).map(|(it, inside)| it.matched(inside, is_folder));
        match said.find(|it| !it.is_none()) {
            Some(Match::Ignore(_)) => true,
            Some(Match::Whitelist(_)) => false,
            Some(Match::None) | None => path.rsplit('/').next().is_some_and(|it| it.starts_with('.')),
        }
    }
}

fn parsed(held: &Held) -> Gitignore {
    let mut builder = GitignoreBuilder::new("");
    let bytes: &[u8] = match held {
        Held::Bytes(bytes) => bytes,
        Held::TooMuch(_) | Held::Nothing => &[],
    };
    for line in String::from_utf8_lossy(bytes).lines() {
        // A line that is none is passed over, as on the disk.
        let _: Result<&mut GitignoreBuilder, ignore::Error> = builder.add_line(None, line);
    }
    builder.build().unwrap_or_else(|_| Gitignore::empty())
}

impl Pattern {
    /// Tells whether it looks through folders, and so leaves out what is hidden or ignored there.
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
                Segment::Deep(it) => return it.is_match(inside),
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
    use crate::shell::discover::{self, Root};

    /// The way to the project, the path from the top, and the text.
    const ABOVE: [(&str, &str, &str); 2] = [
        ("shop/", "apps/.gitignore", "/shop/above/b.yaml\n!d.yaml\n"),
        (
            "apps/shop/",
            ".gitignore",
            "/apps/shop/above/a.yaml\n/above/c.yaml\n/services/\nd.yaml\n",
        ),
    ];

    const FILES: [(&str, &str); 21] = [
        (".gitignore", "skipped/\n*.tmp.yaml\n"),
        ("above/a.yaml", "no"),
        ("above/b.yaml", "no"),
        ("above/c.yaml", "c"),
        ("above/d.yaml", "d"),
        ("gen.yaml", "root"),
        ("rules/mine/pack.yaml", "p"),
        ("rules/mine/.hidden.yaml", "h"),
        ("rules/mine/x.txt", "no rule"),
        ("services/.hidden/service.yaml", "no"),
        ("services/a/service.yaml", "a"),
        ("services/b/deep/service.yaml", "d"),
        ("services/b/service.yaml", "b"),
        (
            "teams/.gitignore",
            "/left/\n!left/keep.yaml\n!kept.tmp.yaml\n!.shown.yaml\n",
        ),
        ("teams/.shown.yaml", "s"),
        ("teams/kept.tmp.yaml", "k"),
        ("teams/left/.gitignore", "!gen.yaml\n"),
        ("teams/left/gen.yaml", "no"),
        ("teams/left/keep.yaml", "no"),
        ("teams/skipped/gen.yaml", "no"),
        ("templates/mine/x.hbs", "t"),
    ];

    fn includes(globs: &[&str]) -> Vec<Include> {
        globs.iter().map(|it| Include::of(*it)).collect()
    }

    fn held(text: &str) -> Held {
        Held::Bytes(text.into())
    }

    fn in_tree(globs: &[&str]) -> (Inputs, Vec<Problem>) {
        let read = |paths: &[&str]| {
            let text = |path: &&str| FILES.iter().find(|it| it.0 == *path).map(|it| held(it.1));
            Ok(paths.iter().map(|it| text(it).unwrap_or(Held::Nothing)).collect())
        };
        let tree = Tree {
            paths: FILES.iter().map(|it| it.0).collect(),
            above: ABOVE.iter().map(|it| (it.0.to_owned(), held(it.2))).collect(),
            read: &read,
        };
        let gathered = gather_tree(&tree, |_, _| includes(globs)).expect("readable");
        gathered.expect("a root file stands there")
    }

    #[test]
    fn a_tree_gives_what_the_disk_gives() {
        let top = tempfile::tempdir().expect("a temporary folder");
        let folder = top.path().join("apps/shop");
        let within = FILES.map(|(path, text)| (folder.join(path), text));
        let above = ABOVE.map(|(_, path, text)| (top.path().join(path), text));
        for (place, text) in within.into_iter().chain(above) {
            std::fs::create_dir_all(place.parent().expect("below")).expect("made");
            std::fs::write(place, text).expect("written");
        }
        let root = Root {
            folder,
            spec: "gen.yaml".into(),
        };
        for globs in [
            &["services/*/service.yaml"][..],
            &["./services/{a,b}/service.yaml", "teams/**"],
            &["{services/a,services/b}/service.yaml", "gen.yaml"],
            &["services/**/service.yaml", "services/a/service.yaml"],
            &["teams/**/*.yaml"],
            &["teams/left/**"],
            &["teams/*/**", "**/service.yaml"],
            &["above/**", "apps/**"],
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
        assert_eq!(in_tree(&["teams/**/*.yaml"]).0.included.len(), 2);
        assert_eq!(in_tree(&["above/**"]).0.included.len(), 2);
    }

    #[test]
    fn what_is_ignored_above_is_ignored_here() {
        let parsed = |text| parsed(&held(text));
        let ignored = Ignored {
            within: [("a/b".to_owned(), parsed("!x.yaml\n"))].into(),
            above: vec![
                ("shop/".to_owned(), parsed("*.yaml\n")),
                (
                    "apps/shop/".to_owned(),
                    parsed("!y.yaml\n*.txt\n/apps/shop/a/x.md\n/x.md\n"),
                ),
            ],
        };
        let names = |path| ignored.names(path, 0);
        assert!(names("a/y.yaml") && names("a/b/z.txt") && names("a/x.md"));
        assert!(!names("a/b/x.yaml") && !names("a/b/c/x.yaml") && !names("x.md"));
    }

    #[test]
    fn what_is_wrong_with_the_root_file_is_said() {
        let gathered = |held: fn() -> Held| {
            let tree = Tree {
                paths: vec!["gen.yaml"],
                above: Vec::new(),
                read: &|_| Ok(vec![held()]),
            };
            gather_tree(&tree, |_, _| Vec::new()).map(|it| it.map(|it| it.1))
        };
        let code = |held| gathered(held).expect_err("wrong").code;
        assert_eq!(code(|| Held::TooMuch(17 << 20)), "shell::too_large");
        assert_eq!(code(|| Held::Bytes(vec![0xe9])), "shell::not_utf8");
        assert_eq!(gathered(|| Held::Nothing), Ok(None));
    }
}
