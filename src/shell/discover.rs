//! Finds a project and its files, and reads them.
//!
//! What the files mean is for others: all that is known here are the name of the root file, globs, and that
//! `rules/` and `templates/` may stand beside it.

mod below;
mod tree;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use globset::{GlobBuilder, GlobMatcher};
use ignore::{WalkBuilder, WalkState};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::shared::{self, Shared};
use super::stat::{Opened, Stat, Time};
use crate::problem::{Place, Problem, Span};
use crate::value::Name;
pub use below::{expand_below, own_below};
pub use tree::{Tree, gather_tree};

/// The names of the root file; the first one wins.
pub const SPEC_NAMES: [&str; 2] = ["gen.yaml", "hatmax.yml"];
/// The largest file that is read.
pub const MOST_BYTES: u64 = 16 << 20;
/// What a project may bring of its own, on top of what is built in.
const OWN: [&str; 3] = ["rules/**/*.yaml", "rules/**/*.yml", "templates/**"];

/// A project: its folder and its root file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// The folder that holds the root file.
    pub folder: PathBuf,
    /// The name of the root file.
    pub spec: Name,
}

impl Root {
    /// Returns the root of a project that has no files: all that is known of it is what is built in.
    #[must_use]
    pub fn empty(folder: PathBuf) -> Self {
        Self {
            folder,
            spec: Name::default(),
        }
    }

    /// Tells whether there is a project at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.spec.is_empty()
    }
}

/// A file that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// Its path relative to the project, with forward slashes.
    pub path: Name,
    /// Its content.
    pub text: Arc<str>,
    /// What the file looked like before it was read; `None` where there is none.
    pub stat: Option<Stat>,
}

impl Text {
    /// Returns the text of a file that was not read from the disk now.
    #[must_use]
    pub fn known(path: Name, text: Arc<str>) -> Self {
        Self { path, text, stat: None }
    }
}

/// A file or folder on which it depends which files there are, or what they hold, and how it looked before anyone
/// looked into it: while all of a project's witnesses look the same, reading it again finds the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witness {
    /// Its path relative to the project, or an absolute one.
    pub path: PathBuf,
    /// How it looked; `None` where there was nothing.
    pub stat: Option<Stat>,
}

impl Witness {
    /// Returns how `path`, relative to `root`, looks now.
    #[must_use]
    pub fn of(root: &Path, path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let stat = Stat::at(&root.join(&path));
        Self { path, stat }
    }

    /// Tells whether it looks the same now, and is older than when the run `began` that took it down: what is not may
    /// have changed after it was read, within one tick of the clock.
    #[must_use]
    pub(super) fn still_holds(&self, root: &Opened<'_>, began: Time) -> bool {
        !self.stat.is_some_and(|it| it.is_as_young_as(began)) && root.stat(&self.path) == self.stat
    }
}

/// A glob of `include`, and where it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Include {
    /// The glob, relative to the project.
    pub glob: Name,
    /// Where it stands.
    pub place: Option<Place>,
}

impl Include {
    /// Returns the include of a glob that is written nowhere.
    pub fn of(glob: impl Into<Name>) -> Self {
        Self {
            glob: glob.into(),
            place: None,
        }
    }

    fn at(&self, problem: Problem, label: &'static str) -> Problem {
        match &self.place {
            Some(place) => problem.at(place.clone(), label),
            None => problem,
        }
    }

    fn pattern(&self) -> Result<Pattern, Problem> {
        Pattern::parse(&self.glob).map_err(|why| {
            let message = format!("the path `{}` can't be included: {why}", self.glob);
            let help = "write a path relative to the root file, such as `services/*/service.yaml`";
            self.at(Problem::error("shell::bad_include", message).help(help), "this one")
        })
    }
}

/// What there is to watch: the folders in which the files of a project stand or may appear.
#[derive(Clone, Debug, Default)]
pub struct Interest {
    /// Folders, relative to the project; the root is the empty one. Each is watched by itself, not what lies below.
    pub folders: BTreeSet<String>,
    matchers: Vec<GlobMatcher>,
}

impl Interest {
    /// Adds the files for which `glob` stands.
    pub fn add(&mut self, glob: &str) {
        self.matchers.extend(matcher(glob).ok());
    }

    /// Adds all of `other`.
    fn extend(&mut self, other: Self) {
        self.folders.extend(other.folders);
        self.matchers.extend(other.matchers);
    }

    /// Tells whether a change of the file at `path`, relative to the project, can change what is generated.
    #[must_use]
    pub fn concerns(&self, path: &str) -> bool {
        self.folders.contains(path) || self.matchers.iter().any(|it| it.is_match(path))
    }
}

/// What globs stand for.
#[derive(Clone, Debug, Default)]
pub struct Expanded {
    /// The files, sorted, each once.
    pub files: Vec<String>,
    /// What to watch for more of them.
    pub interest: Interest,
    /// On what it depends which files these are.
    pub witnesses: Vec<Witness>,
    /// What is wrong with the globs.
    pub problems: Vec<Problem>,
}

/// All files of a project.
#[derive(Clone, Debug)]
pub struct Gathered {
    /// The root file; `None` where it can't be read.
    pub root: Option<Text>,
    /// What it includes, sorted by path.
    pub included: Vec<Text>,
    /// Rules and templates of its own and of packs from elsewhere, sorted by path.
    pub own: Vec<Text>,
    /// What was found out of packs from elsewhere; its texts are among those above.
    pub shared: Shared,
    /// What to watch.
    pub interest: Interest,
    /// On what all of this depends.
    pub witnesses: Vec<Witness>,
    /// What can't be found or read.
    pub problems: Vec<Problem>,
}

/// Returns the project in which the folder `from` lies.
///
/// # Errors
/// A problem where neither it nor a folder above holds a root file.
pub fn find_root(from: &Path) -> Result<Root, Problem> {
    let start = fs::canonicalize(from).map_err(|error| {
        Problem::error(
            "shell::no_folder",
            format!("the folder `{}` can't be used: {error}", from.display()),
        )
        .help("name a folder that is there by `-C DIR`")
    })?;
    for folder in start.ancestors() {
        if let Some(spec) = SPEC_NAMES.iter().find(|it| folder.join(it).is_file()) {
            return Ok(Root {
                folder: folder.to_path_buf(),
                spec: Name::from(*spec),
            });
        }
    }
    if let Some(name) = SPEC_NAMES.iter().find(|it| start.join(it).is_dir()) {
        let message = format!("`{name}` is a folder here, and no file");
        return Err(Problem::error("shell::no_spec", message).help("the root file of a project bears this name"));
    }
    Err(
        Problem::error("shell::no_spec", "no `gen.yaml` in this folder or one above it")
            .help("`gen init` writes one from what stands here; `-C DIR` looks elsewhere"),
    )
}

/// Reads all files of the project at `root`. `includes` finds the globs in the text of the root file.
#[must_use]
pub fn gather(root: &Root, includes: impl FnOnce(&str) -> Vec<Include>) -> Gathered {
    if root.is_empty() {
        let text = Text::known(SPEC_NAMES[0].into(), "".into());
        return Gathered {
            root: Some(text),
            included: Vec::new(),
            own: Vec::new(),
            shared: Shared::default(),
            interest: Interest::default(),
            witnesses: Vec::new(),
            problems: Vec::new(),
        };
    }
    // Another root file may come to stand there, or go.
    let mut witnesses = vec![Witness::of(&root.folder, "")];
    let (mut read_root, mut problems) = read(&root.folder, std::slice::from_ref(&root.spec.to_string()));
    let others = SPEC_NAMES.iter().filter(|it| ***it != *root.spec);
    problems.extend(others.filter(|it| root.folder.join(it).is_file()).map(|other| {
        let message = format!(
            "both `{}` and `{other}` stand here, and only the first is read",
            root.spec
        );
        let start = Place::Text(root.spec.clone(), Span::default());
        Problem::warning("shell::two_specs", message)
            .at(start, "read")
            .help("delete one of the two")
    }));
    let spec = read_root.pop();
    let includes = spec.as_ref().map(|it| includes(&it.text)).unwrap_or_default();
    let mut expanded = expand(&root.folder, &includes);
    expanded.files.retain(|it| **it != *root.spec);
    let (included, more) = read(&root.folder, &expanded.files);
    let own = own(&root.folder, &[]);
    let (mut own_texts, even_more) = read(&root.folder, &own.files);
    let mut shared = spec
        .as_ref()
        .map(|it| shared::gather(&root.folder, it, &own_texts))
        .unwrap_or_default();
    own_texts.append(&mut shared.texts);
    own_texts.sort_by(|a, b| a.path.cmp(&b.path));
    problems.extend(
        expanded
            .problems
            .into_iter()
            .chain(own.problems)
            .chain(more)
            .chain(even_more)
            .chain(shared.problems.iter().cloned()),
    );
    let texts = spec.iter().chain(&included).chain(&own_texts);
    witnesses.extend(texts.map(|it| Witness {
        path: it.path.as_str().into(),
        stat: it.stat,
    }));
    witnesses.extend(expanded.witnesses);
    witnesses.extend(own.witnesses);
    witnesses.append(&mut shared.expanded.witnesses);
    let mut interest = expanded.interest;
    interest.extend(own.interest);
    interest.extend(std::mem::take(&mut shared.expanded.interest));
    interest.folders.insert(String::new());
    SPEC_NAMES.iter().for_each(|it| interest.add(it));
    Gathered {
        root: spec,
        included,
        own: own_texts,
        shared,
        interest,
        witnesses,
        problems,
    }
}

/// Returns the rules and templates that the project at `root` brings of its own, and those for which `packs` stand.
#[must_use]
pub fn own(root: &Path, packs: &[Include]) -> Expanded {
    let mut expanded = expand(root, &own_globs(packs));
    // A project need not bring any.
    expanded.problems.retain(Problem::is_error);
    expanded
}

fn own_globs(packs: &[Include]) -> Vec<Include> {
    OWN.map(Include::of).into_iter().chain(packs.iter().cloned()).collect()
}

/// Returns the files below `root` for which `includes` stand.
///
/// A path is walked segment by segment, so that `services/*/service.yaml` lists one folder and asks for one file in
/// each of those in it. Below `**` everything is walked, but neither hidden folders nor what `.gitignore` names.
#[must_use]
pub fn expand(root: &Path, includes: &[Include]) -> Expanded {
    let mut expanded = Expanded::default();
    for include in includes {
        let glob = &include.glob;
        let pattern = match include.pattern() {
            Ok(pattern) => pattern,
            Err(problem) => {
                expanded.problems.push(problem);
                continue;
            }
        };
        let found = Mutex::new(Found::default());
        pattern.walk(root, String::new(), 0, &found);
        let found = found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        if found.files.is_empty() {
            let is_folder = root.join(&**glob).is_dir();
            let problem = pattern.without_file(glob, is_folder);
            expanded.problems.push(include.at(problem, "included here"));
        }
        expanded.files.extend(found.files);
        expanded.interest.folders.extend(found.folders);
        expanded.witnesses.extend(found.witnesses);
        expanded.interest.matchers.push(pattern.whole);
        expanded.problems.extend(found.problems);
    }
    expanded.files.sort();
    expanded.files.dedup();
    expanded
}

enum Segment {
    Literal(String),
    Wild(GlobMatcher),
    /// `**`, or something else that spans folders, with all that follows, as one glob.
    Deep(GlobMatcher),
}

struct Pattern {
    segments: Vec<Segment>,
    whole: GlobMatcher,
}

#[derive(Default)]
struct Found {
    files: Vec<String>,
    folders: Vec<String>,
    witnesses: Vec<Witness>,
    problems: Vec<Problem>,
}

fn matcher(glob: &str) -> Result<GlobMatcher, String> {
    let glob = GlobBuilder::new(glob).literal_separator(true).build();
    glob.map(|it| it.compile_matcher()).map_err(|it| it.kind().to_string())
}

impl Pattern {
    fn parse(glob: &str) -> Result<Self, String> {
        if glob.is_empty() {
            return Err("it is empty".into());
        }
        if glob.starts_with('/') || glob.contains('\\') || glob.get(1..2) == Some(":") {
            return Err("it is not relative, with forward slashes".into());
        }
        let whole = matcher(glob.trim_start_matches("./"))?;
        let mut segments = Vec::new();
        let mut rest = glob.trim_start_matches("./");
        while !rest.is_empty() {
            let (segment, after) = rest.split_once('/').unwrap_or((rest, ""));
            if segment == ".." {
                return Err("it leaves the project".into());
            }
            let count = |it: char| segment.matches(it).count();
            if segment.contains("**") || count('{') != count('}') || count('[') != count(']') {
                segments.push(Segment::Deep(matcher(rest)?));
                break;
            }
            match segment {
                "" | "." => {}
                it if it.contains(['*', '?', '[', '{']) => segments.push(Segment::Wild(matcher(it)?)),
                it => segments.push(Segment::Literal(it.to_owned())),
            }
            rest = after;
        }
        Ok(Self { segments, whole })
    }

    fn is_literal(&self) -> bool {
        self.segments.iter().all(|it| matches!(it, Segment::Literal(_)))
    }

    /// Returns what is wrong where no file is found under it.
    fn without_file(&self, glob: &str, is_folder: bool) -> Problem {
        if self.is_literal() && is_folder {
            let files = format!("write `{}/*.yaml` for the files in it", glob.trim_end_matches('/'));
            Problem::error("shell::include_missing", format!("`{glob}` is a folder, and no file")).help(files)
        } else if self.is_literal() {
            Problem::error("shell::include_missing", format!("the file `{glob}` does not exist"))
                .help("write the file, or its path from the folder of the root file")
        } else {
            Problem::warning("shell::include_matches_nothing", format!("`{glob}` matches no file"))
                .help("`*` matches within one folder, `**` through folders; files that git ignores are left out")
        }
    }

    fn walk(&self, root: &Path, folder: String, index: usize, found: &Mutex<Found>) {
        let note = |note: &dyn Fn(&mut Found)| {
            note(&mut found.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        };
        let is_last = index + 1 == self.segments.len();
        let join = |name: &str| {
            if folder.is_empty() {
                name.to_owned()
            } else {
                format!("{folder}/{name}")
            }
        };
        match self.segments.get(index) {
            None => {}
            Some(Segment::Literal(name)) => {
                let path = join(name);
                let before = Witness::of(root, &*folder);
                note(&|it| it.witnesses.push(before.clone()));
                if !is_last {
                    // Watched too: the next folder may not be there yet.
                    note(&|it| it.folders.push(folder.clone()));
                    self.walk(root, path, index + 1, found);
                } else if root.join(&path).is_file() {
                    note(&|it| {
                        it.folders.push(folder.clone());
                        it.files.push(path.clone());
                    });
                } else if root.join(&folder).is_dir() {
                    note(&|it| it.folders.push(folder.clone()));
                }
            }
            Some(Segment::Wild(matcher)) => {
                let before = Witness::of(root, &*folder);
                note(&|it| it.witnesses.push(before.clone()));
                let Ok(entries) = fs::read_dir(root.join(&folder)) else {
                    return;
                };
                note(&|it| it.folders.push(folder.clone()));
                let names: Vec<String> = entries
                    .filter_map(|it| it.ok()?.file_name().into_string().ok())
                    .filter(|it| matcher.is_match(it) && !it.starts_with('.'))
                    .collect();
                names.par_iter().with_min_len(32).for_each(|name| {
                    let path = join(name);
                    if is_last && root.join(&path).is_file() {
                        note(&|it| it.files.push(path.clone()));
                    } else if !is_last && root.join(&path).is_dir() {
                        self.walk(root, path, index + 1, found);
                    } else {
                        // A link that leads nowhere may lead somewhere later.
                        let now = Witness::of(root, path);
                        note(&|it| it.witnesses.push(now.clone()));
                    }
                });
            }
            Some(Segment::Deep(matcher)) => walk_deep(root, &folder, matcher, found),
        }
    }
}

fn walk_deep(root: &Path, folder: &str, matcher: &GlobMatcher, found: &Mutex<Found>) {
    let start = root.join(folder);
    let ignored_by = |above: &Path| Witness::of(root, above.join(".gitignore"));
    {
        let mut found = found.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        found.witnesses.push(Witness::of(root, folder));
        found.witnesses.extend(start.ancestors().skip(1).map(ignored_by));
    }
    if !start.is_dir() {
        return;
    }
    let mut builder = WalkBuilder::new(&start);
    builder
        .standard_filters(false)
        .hidden(true)
        .git_ignore(true)
        .parents(true)
        .require_git(false);
    builder.build_parallel().run(|| {
        Box::new(|entry| {
            let lock = || found.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    let problem = Problem::warning("shell::unreadable", format!("a folder can't be read: {error}"))
                        .help("give yourself the right to read it, or leave it out of `include`");
                    lock().problems.push(problem);
                    return WalkState::Continue;
                }
            };
            let inside = entry.path().strip_prefix(&start).ok().and_then(Path::to_str);
            let Some(inside) = inside.map(|it| it.replace('\\', "/")) else {
                return WalkState::Continue;
            };
            let slash = if folder.is_empty() || inside.is_empty() {
                ""
            } else {
                "/"
            };
            let path = format!("{folder}{slash}{inside}");
            if entry.file_type().is_some_and(|it| it.is_dir()) {
                // A file of ignored names that comes to stand here changes the folder itself.
                let before = Witness::of(root, &*path);
                let ignored = ignored_by(entry.path());
                let mut found = lock();
                found.witnesses.push(before);
                found.witnesses.extend(ignored.stat.is_some().then_some(ignored));
                found.folders.push(path);
            } else if matcher.is_match(&inside) {
                lock().files.push(path);
            }
            WalkState::Continue
        })
    });
}

/// Reads the files at `paths` below `root`, in parallel, in their order.
#[must_use]
pub fn read(root: &Path, paths: &[String]) -> (Vec<Text>, Vec<Problem>) {
    let texts: Vec<Result<Text, Problem>> = paths.par_iter().map(|path| read_one(root, path)).collect();
    let mut problems = Vec::new();
    let texts = texts
        .into_iter()
        .filter_map(|it| it.map_err(|it| problems.push(it)).ok());
    (texts.collect(), problems)
}

fn read_one(root: &Path, path: &str) -> Result<Text, Problem> {
    let unreadable = |error: std::io::Error| {
        let help = match error.kind() {
            std::io::ErrorKind::PermissionDenied => "give yourself the right to read it",
            std::io::ErrorKind::IsADirectory => "a file is wanted at this path, not a folder",
            _ => "see that it is a file, and that it can be read",
        };
        Problem::error("shell::unreadable", format!("`{path}` can't be read: {error}")).help(help)
    };
    let place = root.join(path);
    let metadata = fs::metadata(&place).map_err(unreadable)?;
    if metadata.len() > MOST_BYTES {
        return Err(too_large(path, metadata.len()));
    }
    let bytes = fs::read(&place).map_err(unreadable)?;
    Ok(Text {
        path: path.into(),
        text: decoded(path, bytes)?,
        stat: Some(Stat::of(&metadata)),
    })
}

pub(super) fn too_large(path: &str, n_bytes: u64) -> Problem {
    let mebibytes = n_bytes >> 20;
    Problem::error("shell::too_large", format!("`{path}` is {mebibytes} MiB large"))
        .help("a spec, rule or template file holds at most 16 MiB")
}

/// Returns the text that the file at `path` holds.
pub(super) fn decoded(path: &str, bytes: Vec<u8>) -> Result<Arc<str>, Problem> {
    String::from_utf8(bytes).map(Arc::from).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = valid.iter().filter(|it| **it == b'\n').count() + 1;
        Problem::error("shell::not_utf8", format!("`{path}` is not UTF-8 in line {line}"))
            .help("save the file as UTF-8")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for file in files {
            let place = folder.path().join(file);
            fs::create_dir_all(place.parent().expect("below")).expect("made");
            fs::write(place, "x: 1\n").expect("written");
        }
        folder
    }

    fn expand(root: &Path, glob: &str) -> (Vec<String>, Vec<String>) {
        let expanded = super::expand(root, &[Include::of(glob)]);
        (
            expanded.files,
            expanded.problems.iter().map(|it| it.code.to_string()).collect(),
        )
    }

    #[test]
    fn the_root_is_found_upward() {
        let folder = project(&["hatmax.yml", "services/a/x"]);
        let root = find_root(&folder.path().join("services/a")).expect("found");
        assert_eq!(
            (&*root.spec, root.folder.join("services").is_dir()),
            ("hatmax.yml", true)
        );
        fs::write(folder.path().join("services/gen.yaml"), "").expect("written");
        assert_eq!(
            &*find_root(&folder.path().join("services/a")).expect("found").spec,
            "gen.yaml"
        );
    }

    #[test]
    fn globs_find_their_files() {
        let folder = project(&[
            "services/a/service.yaml",
            "services/b/service.yaml",
            "services/b/deep/service.yaml",
            "services/.hidden/service.yaml",
            "teams/x/y/gen.yaml",
            "teams/skipped/gen.yaml",
            "teams/.venv/gen.yaml",
        ]);
        fs::write(folder.path().join(".gitignore"), "skipped/\n").expect("written");
        let root = folder.path();
        let services = ["services/a/service.yaml", "services/b/service.yaml"]
            .map(String::from)
            .to_vec();
        assert_eq!(expand(root, "services/*/service.yaml"), (services.clone(), vec![]));
        assert_eq!(
            expand(root, "./services/{a,b}/service.yaml"),
            (services.clone(), vec![])
        );
        assert_eq!(expand(root, "{services/a,services/b}/service.yaml"), (services, vec![]));
        assert_eq!(
            expand(root, "teams/**/gen.yaml"),
            (vec!["teams/x/y/gen.yaml".into()], vec![])
        );
        assert_eq!(
            expand(root, "teams/none.yaml"),
            (vec![], vec!["shell::include_missing".to_owned()])
        );
        assert_eq!(
            expand(root, "teams/*.yaml"),
            (vec![], vec!["shell::include_matches_nothing".to_owned()])
        );
        for wrong in ["../x", "/etc/x", "a/../../x", "", "a[", "C:/x"] {
            assert_eq!(
                expand(root, wrong),
                (vec![], vec!["shell::bad_include".to_owned()]),
                "{wrong}"
            );
        }
    }

    #[test]
    fn what_is_watched_is_where_files_may_appear() {
        let folder = project(&["gen.yaml", "services/a/service.yaml", "services/b/other.txt"]);
        let root = find_root(folder.path()).expect("found");
        let gathered = gather(&root, |_| {
            vec![Include {
                glob: "services/*/service.yaml".into(),
                place: None,
            }]
        });
        let folders: Vec<&str> = gathered.interest.folders.iter().map(String::as_str).collect();
        assert_eq!(folders, ["", "services", "services/a", "services/b"]);
        assert!(gathered.interest.concerns("services/b/service.yaml") && gathered.interest.concerns("gen.yaml"));
        assert!(gathered.interest.concerns("templates/x/y.hbs") && gathered.interest.concerns("services/b"));
        assert!(!gathered.interest.concerns("services/b/other.txt"));
        assert_eq!(gathered.included.len(), 1);
    }

    #[test]
    fn what_can_not_be_read_is_said() {
        let folder = project(&["fine"]);
        fs::write(folder.path().join("latin1"), b"a: 1\nb: \xe9\n").expect("written");
        fs::File::create(folder.path().join("large"))
            .and_then(|it| it.set_len(MOST_BYTES + 1))
            .expect("written");
        let paths = ["fine", "latin1", "large", "none"].map(String::from);
        let (texts, problems) = read(folder.path(), &paths);
        let codes: Vec<&str> = problems.iter().map(|it| &*it.code).collect();
        assert_eq!(
            (texts.len(), codes),
            (1, vec!["shell::not_utf8", "shell::too_large", "shell::unreadable"])
        );
        assert!(problems[0].message.contains("line 2"));
    }
}
