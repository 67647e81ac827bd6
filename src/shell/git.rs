//! What git keeps of a project: revisions, and what files held in them. Read from the object store, without a checkout.
//!
//! The program `git` reads it, which is there wherever a repository is and knows each form of store (packs, alternates,
//! worktrees, partial clones, either hash); a library that did would be a large thing to carry for one flag. What is run
//! here are a few of its plumbing commands, which start no hook, no pager, no filter, and no transfer. What is fetched from
//! elsewhere, `remote` fetches, and only for who locks packs.

mod remote;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::problem::Problem;
use crate::spec::elsewhere::Revision;
pub use remote::fetch;

/// The folder of a project, within a repository.
#[derive(Debug)]
pub struct Repository {
    folder: PathBuf,
    /// The folder relative to the top of the repository, with a slash behind it; empty at the top.
    prefix: String,
}

/// A revision that there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// As the user names it.
    pub name: String,
    id: String,
}

/// What is compared with what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// The older side.
    pub then: Commit,
    /// The newer side; `None` for what stands on the disk.
    pub now: Option<Commit>,
}

/// A file of a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// What git is asked for: the name of the object or, of a link, where it stands, so that git follows it.
    object: String,
}

/// What a file of a revision holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// All of these.
    Bytes(Vec<u8>),
    /// More than is read: so many bytes.
    TooMuch(u64),
    /// It is no file after all: a link to a folder, out of the repository, or nowhere.
    Nothing,
}

/// The files of a project in a revision.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// By their paths relative to the project.
    pub files: BTreeMap<String, Blob>,
    /// The files of ignored names in the folders above, from the nearest one, each with the way from its folder to the
    /// project, with a slash behind it.
    pub above: Vec<(String, Blob)>,
}

impl Commit {
    /// Returns the hash by which git knows it.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl Repository {
    /// Returns the repository in which `folder` lies.
    ///
    /// # Errors
    /// A problem where there is no git, or no repository.
    pub fn around(folder: &Path) -> Result<Self, Problem> {
        let mut repository = Self {
            folder: folder.to_path_buf(),
            prefix: String::new(),
        };
        let prefix = repository.run(&["rev-parse", "--show-prefix"])?.map_err(|said| {
            let message = format!("`{}` lies in no repository of git that can be read", folder.display());
            Problem::error("shell::no_repository", message).help(first_line(&said, "commit the project first"))
        })?;
        repository.prefix = line(&prefix);
        Ok(repository)
    }

    /// Returns the repository whose top is `folder`: its working tree, or itself where it has none.
    ///
    /// # Errors
    /// A problem where there is no git, or no repository, or where the folder lies within one.
    pub fn at(folder: &Path) -> Result<Self, Problem> {
        let repository = Self::around(folder)?;
        let is_top = repository.prefix.is_empty() && folder.is_dir();
        if is_top {
            return Ok(repository);
        }
        let (folder, dir) = (folder.display(), repository.prefix.trim_end_matches('/'));
        let message = format!("`{folder}` is a folder within a repository, and not a repository");
        Err(Problem::error("shell::no_repository", message).help(format!(
            "name the top of the repository, and say `dir: {dir}` beside it"
        )))
    }

    /// Returns the same repository, of which only the folder `dir` is looked at; an empty one is its top.
    #[must_use]
    pub fn within(self, dir: &str) -> Self {
        let slash = if dir.is_empty() { "" } else { "/" };
        Self {
            prefix: format!("{dir}{slash}"),
            ..self
        }
    }

    /// Returns the commit that `revision` is.
    ///
    /// # Errors
    /// A problem where there is none, or no git.
    pub fn find(&self, revision: &Revision) -> Result<Commit, Problem> {
        let (noun, name, places) = match revision {
            Revision::Head => return self.commit("HEAD"),
            Revision::Commit(id) => return self.commit(id),
            Revision::Tag(tag) => ("tag", tag, ["refs/tags/", "refs/tags/"]),
            // A clone knows the branches of where it comes from.
            Revision::Branch(branch) => ("branch", branch, ["refs/heads/", "refs/remotes/origin/"]),
        };
        for place in places {
            if let Ok(found) = self.commit(&format!("{place}{name}")) {
                return Ok(Commit {
                    name: name.to_string(),
                    ..found
                });
            }
        }
        let names = self.run(&["for-each-ref", "--format=%(refname:short)", places[0], places[1]]);
        let names = names?.unwrap_or_default();
        let names = String::from_utf8_lossy(&names);
        let known = names.lines().map(|it| it.trim_start_matches("origin/"));
        Err(self
            .unknown(format!("git knows no {noun} `{name}` there"))
            .suggest(name, known))
    }

    /// Returns what `text` names: `REV` against the disk, `REV..REV2`, or `REV...REV2` from where the second parted
    /// from the first; a side that is left out is `HEAD`.
    ///
    /// # Errors
    /// A problem where it names no commit.
    pub fn range(&self, text: &str) -> Result<Range, Problem> {
        let side = |name: &str| self.commit(if name.is_empty() { "HEAD" } else { name });
        if let Some((then, now)) = text.split_once("...") {
            let (then, now) = (side(then)?, side(now)?);
            let base = self.run(&["merge-base", &then.id, &now.id])?.map_err(|_| {
                let message = format!("`{}` and `{}` have no commit in common", then.name, now.name);
                self.unknown(message)
                    .help("a shallow clone may lack it: `git fetch --unshallow` brings all of the history")
            })?;
            let then = Commit {
                id: line(&base),
                name: then.name,
            };
            return Ok(Range { then, now: Some(now) });
        }
        let (then, now) = match text.split_once("..") {
            Some((then, now)) => (then, Some(side(now)?)),
            None => (text, None),
        };
        let then = if now.is_some() { side(then)? } else { self.commit(then)? };
        Ok(Range { then, now })
    }

    fn commit(&self, name: &str) -> Result<Commit, Problem> {
        // What begins like a flag is not given to git at all.
        let found = match name {
            "" => None,
            it if it.starts_with('-') || it.contains(['\0', '\n']) => None,
            it => self
                .run(&["rev-parse", "--verify", "--quiet", &format!("{it}^{{commit}}")])?
                .ok(),
        };
        match found {
            Some(id) => Ok(Commit {
                name: name.to_owned(),
                id: line(&id),
            }),
            None => Err(self.unknown_revision(name)),
        }
    }

    fn unknown(&self, message: String) -> Problem {
        Problem::error("shell::unknown_revision", message)
    }

    fn unknown_revision(&self, name: &str) -> Problem {
        let problem = self.unknown(format!("git knows no revision `{name}` here"));
        let is_shallow = self.run(&["rev-parse", "--is-shallow-repository"]);
        if is_shallow.is_ok_and(|it| it.is_ok_and(|it| line(&it) == "true")) {
            return problem.help(
                "this clone is shallow, and holds the last commits only: `git fetch --unshallow` brings the rest",
            );
        }
        let names = self.run(&["for-each-ref", "--format=%(refname:short)"]);
        let names = names.ok().and_then(Result::ok).unwrap_or_default();
        let names = String::from_utf8_lossy(&names);
        let has_commit = || self.run(&["rev-parse", "--verify", "--quiet", "HEAD"]);
        if names.is_empty() && has_commit().is_ok_and(|it| it.is_err()) {
            return problem.help("nothing is committed here yet, so there is nothing to compare with");
        }
        problem.suggest(name, names.lines().chain(["HEAD"]))
    }

    /// Returns the files of the project in `commit`.
    ///
    /// # Errors
    /// A problem where git can't read them.
    pub fn files(&self, commit: &Commit) -> Result<Listing, Problem> {
        let folders = self.prefix.match_indices('/').map(|it| it.0 + 1);
        let folders = [0].into_iter().chain(folders).filter(|it| *it < self.prefix.len());
        let above = folders.map(|it| (format!("{}.gitignore", &self.prefix[..it]), &self.prefix[it..]));
        let above: BTreeMap<String, &str> = above.collect();
        let mut words = vec!["ls-tree", "-r", "-z", "--full-tree", &commit.id, "--"];
        if !self.prefix.is_empty() {
            words.push(&self.prefix);
            words.extend(above.keys().map(String::as_str));
        }
        let listed = self.run(&words)?.map_err(|said| unreadable(commit, &said))?;
        let mut listing = Listing::default();
        // What is no UTF-8 can't be included either.
        for entry in listed
            .split(|it| *it == 0)
            .filter_map(|it| std::str::from_utf8(it).ok())
        {
            let Some((head, path)) = entry.split_once('\t') else {
                continue;
            };
            let mut head = head.split(' ');
            let (Some(mode), Some(_), Some(id)) = (head.next(), head.next(), head.next()) else {
                continue;
            };
            let object = match mode {
                // A line is a question.
                "120000" if path.contains('\n') => continue,
                "120000" => format!("{}:{path}", commit.id),
                // A repository within the repository.
                "160000" => continue,
                _ => id.to_owned(),
            };
            match (path.strip_prefix(&self.prefix), above.get(path)) {
                (Some(inside), _) => _ = listing.files.insert(inside.to_owned(), Blob { object }),
                (None, Some(way)) => listing.above.push(((*way).to_owned(), Blob { object })),
                (None, None) => {}
            }
        }
        listing.above.sort_by_key(|it| it.0.len());
        Ok(listing)
    }

    /// Returns what `blobs` hold, in their order. Of one that holds more than `most` bytes, nothing is kept.
    ///
    /// # Errors
    /// A problem where git can't read one of them.
    pub fn contents(&self, commit: &Commit, blobs: &[&Blob], most: u64) -> Result<Vec<Held>, Problem> {
        let broken = |error: std::io::Error| unreadable(commit, error.to_string().as_bytes());
        let mut child = self
            .git(&["cat-file", "--batch", "--follow-symlinks"])
            .stdin(Stdio::piped())
            .spawn()
            .map_err(no_git)?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let (Some(mut stdin), Some(stdout)) = (stdin, stdout) else {
            return Ok(Vec::new());
        };
        let mut out = BufReader::with_capacity(1 << 16, stdout);
        let contents = std::thread::scope(move |scope| {
            // Beside the reading: either side waits where its pipe is full.
            scope.spawn(move || {
                let asked = blobs.iter().try_for_each(|it| writeln!(stdin, "{}", it.object));
                // Where git has gone away, it says so itself.
                let _: std::io::Result<()> = asked;
            });
            let contents: Result<Vec<_>, _> = blobs.iter().map(|it| content(&mut out, it, most)).collect();
            // Where it was not read to the end, git and the writer would wait for a reader.
            drop(out);
            contents
        });
        let said = ended(child).map_err(broken)?;
        contents.map_err(|error| {
            if said.is_empty() {
                broken(error)
            } else {
                unreadable(commit, &said)
            }
        })
    }

    /// Runs git, and returns what it printed or, where it failed, what it said.
    fn run(&self, words: &[&str]) -> Result<Result<Vec<u8>, Vec<u8>>, Problem> {
        let output = self.git(words).stdin(Stdio::null()).output().map_err(no_git)?;
        Ok(if output.status.success() {
            Ok(output.stdout)
        } else {
            Err(output.stderr)
        })
    }

    fn git(&self, words: &[&str]) -> Command {
        let mut command = program(&self.folder, &["--no-replace-objects"], words);
        command
            .env("GIT_LITERAL_PATHSPECS", "1")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_NO_LAZY_FETCH", "1")
            // An old git knows nothing of the word above, but no transfer has a protocol that is allowed here.
            .env("GIT_ALLOW_PROTOCOL", "none")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

/// Returns git, to be run in `folder` with `words` behind `options`; it asks nobody anything, and speaks English.
fn program(folder: &Path, options: &[&str], words: &[&str]) -> Command {
    let mut command = Command::new("git");
    command
        .arg("-C")
        .arg(folder)
        .args(["--no-pager", "-c", "core.fsmonitor=false"])
        .args(options)
        .args(words)
        .env("LC_ALL", "C")
        .env("GIT_TERMINAL_PROMPT", "0");
    // A hook of git runs with these, which speak of the repository of the hook and of a path relative to its top.
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
        command.env_remove(variable);
    }
    command
}

/// Reads what git answers to the question for `blob`, of which no more than `most` bytes are kept.
fn content(out: &mut impl BufRead, blob: &Blob, most: u64) -> std::io::Result<Held> {
    let mut head = String::new();
    out.read_line(&mut head)?;
    let words: Vec<&str> = head.trim_end().rsplitn(3, ' ').collect();
    let lost = || std::io::Error::other(format!("`{}` is not there", blob.object));
    let is_file = match words[..] {
        // A link that leads out of the repository, nowhere, or in a circle: what it holds follows.
        [_, "symlink" | "dangling" | "loop" | "notdir"] => false,
        // A link to a folder is no file.
        [_, "tree", _] => false,
        // Of which object a link speaks, git alone knows.
        [_, "blob", id] if id == blob.object || blob.object.contains(':') => true,
        _ => return Err(lost()),
    };
    let size: u64 = words[0].parse().map_err(|_| lost())?;
    if !is_file || size > most {
        std::io::copy(&mut out.take(size + 1), &mut std::io::sink())?;
        return Ok(if is_file { Held::TooMuch(size) } else { Held::Nothing });
    }
    let mut bytes = Vec::new();
    out.take(size + 1).read_to_end(&mut bytes)?;
    if bytes.pop() != Some(b'\n') || bytes.len() as u64 != size {
        return Err(lost());
    }
    Ok(Held::Bytes(bytes))
}

/// Waits for the end of `child`, and returns what it said where it failed.
fn ended(child: Child) -> std::io::Result<Vec<u8>> {
    let output = child.wait_with_output()?;
    Ok(if output.status.success() {
        Vec::new()
    } else {
        output.stderr
    })
}

fn no_git(error: std::io::Error) -> Problem {
    let message = match error.kind() {
        ErrorKind::NotFound => "the program `git` is not there".to_owned(),
        _ => format!("the program `git` can't be run: {error}"),
    };
    Problem::error("shell::no_git", message).help("install git; only `--since` and packs from git need it")
}

fn unreadable(commit: &Commit, said: &[u8]) -> Problem {
    let message = format!("git can't read `{}`", commit.name);
    Problem::error("shell::revision_unreadable", message).help(first_line(said, "see `git fsck`"))
}

fn line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.strip_suffix('\n').unwrap_or(&text).to_owned()
}

/// Returns the first line of what git `said`; `instead`, where it said nothing.
fn first_line(said: &[u8], instead: &str) -> String {
    let said = String::from_utf8_lossy(said);
    let said = said.lines().next().unwrap_or_default().trim();
    if said.is_empty() {
        instead.to_owned()
    } else {
        format!("git says: {said}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blob(object: &str) -> Blob {
        Blob { object: object.into() }
    }

    #[test]
    fn each_answer_is_read_to_its_end_and_no_more_is_kept_than_asked() {
        let answers = "a1 blob 4\n1\n34\nb2 blob 5\n12345\nc3 tree 3\nxyz\ndangling 4\nr:cd\nd4 blob 0\n\n";
        let mut out = answers.as_bytes();
        let mut next = |object| content(&mut out, &blob(object), 4).map_err(|it| it.to_string());
        assert_eq!(next("a1"), Ok(Held::Bytes(b"1\n34".into())));
        assert_eq!(next("b2"), Ok(Held::TooMuch(5)));
        assert_eq!(next("r:ab"), Ok(Held::Nothing));
        assert_eq!(next("r:cd"), Ok(Held::Nothing));
        assert_eq!(next("r:ef"), Ok(Held::Bytes(Vec::new())));
        assert_eq!(next("e5"), Err("`e5` is not there".into()), "git has ended");
    }

    #[test]
    fn an_answer_to_another_question_is_none() {
        for answer in [
            "b2 blob 1\nx\n",
            "a1 missing\n",
            "a1 commit 1\nx\n",
            "a1 blob 3\nx\n",
            "a1 blob x\n",
        ] {
            let read = content(&mut answer.as_bytes(), &blob("a1"), 9);
            assert!(read.is_err(), "{answer}");
        }
    }
}
