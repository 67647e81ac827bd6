//! The project's files: what stands at a path, and the single steps by which it changes.
//!
//! Each step is atomic, or repeatable. In which order they come, and what happens when one fails, is `store`'s to
//! know. Nothing here follows a symbolic link out of the project, nor into git's folder or gen's own.

use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::calls::{Calls, is_absence};
use super::stat::{Entry, Sort, Stat, Time};
use crate::fingerprint::Fingerprint;
use crate::plan::{ArtifactPath, Found, Mode};

/// The disposable part of what gen keeps.
pub const CACHE: &str = ".gen/cache";

/// Whether one of gen's own files is flushed to the device before anything else happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flush {
    /// It is.
    Now,
    /// It is with everything else, or need not be.
    Later,
}

/// A folder of which so many files are looked at is opened for it: each is found quicker from there.
const MANY: usize = 16;

/// So many folders are open at once, of the few that the system allows.
const MOST_OPEN: usize = 64;

/// A file that was read: its path, its stat before that, and its content's fingerprint.
pub type Seen = (String, Stat, Fingerprint);

/// What is known of a file by its path, the place of that among those that are looked at, and its stat alone: the
/// fingerprint of its content.
pub trait Known: Fn(&str, usize, &Stat) -> Option<Fingerprint> + Sync {}

impl<F: Fn(&str, usize, &Stat) -> Option<Fingerprint> + Sync> Known for F {}

/// Knows nothing, so that all is read.
#[must_use]
pub fn unknown(_: &str, _: usize, _: &Stat) -> Option<Fingerprint> {
    None
}

/// The files below the root of one project.
#[derive(Debug)]
pub struct Disk {
    root: PathBuf,
    pub(super) calls: Calls,
}

impl Disk {
    /// Opens the project whose root folder is `root`.
    ///
    /// # Errors
    /// The error of the system where there is no such folder.
    pub fn open(root: &Path) -> io::Result<Self> {
        Ok(Self {
            root: Calls::default().real_path(root)?,
            calls: Calls::default(),
        })
    }

    /// Returns the root folder, without links.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns where `path`, relative to the root, stands.
    #[must_use]
    pub fn place(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    // Looking.

    /// Returns what stands at each of `paths`, and the fingerprints of those files that `known` did not recognise by
    /// their stat, and that had to be read.
    #[must_use]
    pub fn look(&self, paths: &[&ArtifactPath], known: impl Known) -> (Vec<Found>, Vec<Seen>) {
        let mut folders: BTreeMap<&str, Folder> = BTreeMap::new();
        let mut n_open = 0;
        for files in paths.chunk_by(|a, b| a.folder() == b.folder()) {
            for folder in files[0].folders() {
                if !folders.contains_key(folder) {
                    let above = folder.rsplit_once('/').and_then(|(above, _)| folders.get(above));
                    let state = self.folder(folder, above);
                    folders.insert(folder, state);
                }
            }
            if let Some(Folder::Real(opened)) = folders.get_mut(files[0].folder())
                && files.len() >= MANY
                && n_open < MOST_OPEN
            {
                *opened = self.calls.open(&self.place(files[0].folder())).ok();
                n_open += 1;
            }
        }
        paths
            .par_iter()
            .with_min_len(64)
            .enumerate()
            .map(|(at, path)| {
                let opened = match folders.get(path.folder()) {
                    Some(Folder::Missing) => return (Found::Absent, None),
                    Some(Folder::Blocked(why)) => return (Found::Blocked(why.clone()), None),
                    Some(Folder::Real(opened)) => opened.as_ref(),
                    None => None,
                };
                self.look_at(path, opened, |it, stat| known(it, at, stat))
            })
            .fold(<(Vec<Found>, Vec<Seen>)>::default, |mut all, (found, seen)| {
                all.0.push(found);
                all.1.extend(seen);
                all
            })
            .reduce(Default::default, |mut all, mut more| {
                all.0.append(&mut more.0);
                all.1.append(&mut more.1);
                all
            })
    }

    fn look_at(
        &self,
        path: &ArtifactPath,
        folder: Option<&File>,
        known: impl Fn(&str, &Stat) -> Option<Fingerprint>,
    ) -> (Found, Option<Seen>) {
        let place = || self.place(path.as_str());
        let Entry { sort, mode, stat } = match self.calls.entry(folder, path.file_name(), place) {
            Ok(entry) => entry,
            Err(error) if is_absence(&error) => return (Found::Absent, None),
            Err(error) => return (Found::Blocked(error.to_string().into()), None),
        };
        match sort {
            Sort::File => {}
            Sort::Folder => return (Found::Folder, None),
            Sort::Link => return (Found::Link, None),
            Sort::Other => return (Found::Other, None),
        }
        if let Some(digest) = known(path.as_str(), &stat) {
            return (Found::File(digest, mode), None);
        }
        match self.calls.read(&place()) {
            Ok(content) => {
                let digest = Fingerprint::of(&content);
                (Found::File(digest, mode), Some((path.to_string(), stat, digest)))
            }
            Err(error) => (Found::Blocked(error.to_string().into()), None),
        }
    }

    /// Returns the state of `folder`, given that of the one above.
    fn folder(&self, folder: &str, above: Option<&Folder>) -> Folder {
        match above {
            Some(Folder::Missing) => return Folder::Missing,
            Some(Folder::Blocked(why)) => return Folder::Blocked(why.clone()),
            Some(Folder::Real(_)) | None => {}
        }
        let place = self.place(folder);
        match self.calls.stat(&place) {
            Ok(it) if it.is_dir() => Folder::Real(None),
            Ok(it) if it.is_symlink() => self.linked_folder(folder, &place),
            Ok(_) => Folder::Blocked(format!("`{folder}` is a file where a folder should be").into()),
            Err(error) if is_absence(&error) => Folder::Missing,
            Err(error) => Folder::Blocked(format!("`{folder}`: {error}").into()),
        }
    }

    fn linked_folder(&self, folder: &str, place: &Path) -> Folder {
        let Ok(real) = self.calls.real_path(place) else {
            return Folder::Blocked(format!("`{folder}` is a link that leads nowhere").into());
        };
        let Ok(inside) = real.strip_prefix(&self.root) else {
            return Folder::Blocked(format!("`{folder}` is a link that leaves the project").into());
        };
        let inside = inside.to_string_lossy().replace('\\', "/");
        if !inside.is_empty() && ArtifactPath::parse(&inside).is_err() {
            return Folder::Blocked(format!("`{folder}` is a link to `{inside}`, where gen does not write").into());
        }
        if real.is_dir() {
            Folder::Real(None)
        } else {
            Folder::Blocked(format!("`{folder}` is a link to a file where a folder should be").into())
        }
    }

    /// Returns the content at `path`, relative to the root.
    ///
    /// # Errors
    /// The error of the system.
    pub fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        self.calls.read(&self.place(path))
    }

    /// Returns what the file or link at `path` holds, without following the link: its kind and its fingerprint.
    pub(super) fn probe(&self, path: &str) -> Held {
        let place = self.place(path);
        match self.calls.stat(&place) {
            Ok(it) if it.is_symlink() => match self.calls.read_link(&place) {
                Ok(target) => Held::Link(Fingerprint::of(target.as_os_str().as_encoded_bytes())),
                Err(_) => Held::Other,
            },
            Ok(it) if it.is_file() => match self.calls.read(&place) {
                Ok(content) => Held::File {
                    digest: Fingerprint::of(&content),
                    is_torn: content.is_empty() || content.contains(&0),
                },
                Err(_) => Held::Other,
            },
            Ok(_) => Held::Other,
            Err(error) if is_absence(&error) => Held::Nothing,
            Err(_) => Held::Other,
        }
    }

    // What gen keeps for itself.

    /// Returns the names in the folder at `path`; none where it does not exist.
    ///
    /// # Errors
    /// The error of the system.
    pub fn list(&self, path: &str) -> io::Result<Vec<String>> {
        match self.calls.list(&self.place(path)) {
            Err(error) if is_absence(&error) => Ok(Vec::new()),
            it => it,
        }
    }

    /// Returns the metadata at `path`.
    ///
    /// # Errors
    /// The error of the system.
    pub fn stat(&self, path: &str) -> io::Result<Metadata> {
        self.calls.stat(&self.place(path))
    }

    /// Returns the content of one of gen's own files.
    ///
    /// # Errors
    /// The error of the system, or one for a file beyond reason.
    pub fn read_small(&self, path: &str) -> io::Result<Vec<u8>> {
        const MOST: u64 = 256 << 20;
        let place = self.place(path);
        let metadata = self.calls.stat(&place)?;
        if !metadata.is_file() || metadata.len() > MOST {
            return Err(io::Error::new(ErrorKind::InvalidData, "not a file of gen's"));
        }
        self.calls.read(&place)
    }

    /// Reads the first bytes of a file of gen's own, `most` of them.
    ///
    /// # Errors
    /// Those of the disk.
    pub(super) fn read_head(&self, path: &str, most: usize) -> io::Result<Vec<u8>> {
        self.calls.read_head(&self.place(path), most)
    }

    /// Makes a folder under `.gen`, each level of which must be a folder and no link.
    pub(super) fn make_state_folder(&self, path: &str) -> io::Result<()> {
        for (at, _) in path.match_indices('/').chain([(path.len(), "")]) {
            let place = self.place(&path[..at]);
            match self.calls.make_folder(&place) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    if !self.calls.stat(&place)?.is_dir() {
                        let text = format!("`{}` is no folder", &path[..at]);
                        return Err(io::Error::new(ErrorKind::NotADirectory, text));
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Makes the folder of the cache, which git passes over.
    pub(super) fn make_cache_folder(&self) -> io::Result<()> {
        self.make_state_folder(CACHE)?;
        let ignore = self.place(&format!("{CACHE}/.gitignore"));
        if let Err(error) = self.calls.stat(&ignore)
            && is_absence(&error)
        {
            match self.calls.create(&ignore, Mode::Plain) {
                Ok(mut file) => self.calls.write(&mut file, b"*\n")?,
                // Another process is as fast.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Returns the moment that it is now by the file system's own clock, which may not be the machine's.
    pub(super) fn now(&self) -> io::Result<Time> {
        self.make_cache_folder()?;
        let place = self.place(&format!("{CACHE}/clock"));
        // A new file each time: one that stands there may be a link to anywhere.
        match self.calls.remove(&place) {
            Err(error) if !is_absence(&error) => return Err(error),
            _ => drop(self.calls.create(&place, Mode::Plain)?),
        }
        Ok(Stat::of(&self.calls.stat(&place)?).modified())
    }

    /// Writes one of gen's own files in one step.
    pub(super) fn replace_small(&self, path: &str, content: &[u8], flush: Flush) -> io::Result<()> {
        // In the cache, so that what a dead process leaves is nobody's concern.
        self.make_cache_folder()?;
        let beside = self.place(&format!("{CACHE}/{}", temporary(&path.replace('/', "+"))));
        let _: io::Result<()> = self.calls.remove(&beside);
        let done = self.write_and_rename(&beside, &self.place(path), content, flush);
        if done.is_err() {
            let _: io::Result<()> = self.calls.remove(&beside);
        }
        done
    }

    fn write_and_rename(&self, beside: &Path, place: &Path, content: &[u8], flush: Flush) -> io::Result<()> {
        let mut file = self.calls.create(beside, Mode::Plain)?;
        self.calls.write(&mut file, content)?;
        if flush == Flush::Now {
            self.calls.flush(&file)?;
        }
        drop(file);
        self.calls.rename(beside, place)?;
        if flush == Flush::Now {
            self.flush_folder(&self.place(CACHE))?;
        }
        Ok(())
    }

    /// Deletes one of gen's own files.
    pub(super) fn remove_small(&self, path: &str) -> io::Result<()> {
        match self.calls.remove(&self.place(path)) {
            Err(error) if !is_absence(&error) => Err(error),
            _ => Ok(()),
        }
    }

    // The steps of an apply.

    /// Makes one folder. One that is there already is no error: another program may be as fast.
    pub(super) fn make_folder(&self, path: &str) -> io::Result<()> {
        match self.calls.make_folder(&self.place(path)) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            it => it,
        }
    }

    /// Deletes a folder, if it is empty and no link.
    pub(super) fn remove_folder(&self, path: &str) {
        let place = self.place(path);
        if self.calls.stat(&place).is_ok_and(|it| it.is_dir()) {
            let _: io::Result<()> = self.calls.remove_folder(&place);
        }
    }

    /// Writes `content` to the new file at `path`, over what an earlier run left there.
    pub(super) fn write_new(&self, path: &str, content: &[u8], mode: Mode, like: Option<&str>) -> io::Result<()> {
        let place = self.place(path);
        let mut file = match self.calls.create(&place, mode) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                self.calls.remove(&place)?;
                self.calls.create(&place, mode)?
            }
            it => it?,
        };
        // Before anything stands in it: who may not read the old one reads nothing of this one either.
        if let Some(like) = like {
            self.calls.permit(&place, &self.place(like))?;
        }
        self.calls.write(&mut file, content)
    }

    /// Puts the file at `new` to `path`, where nothing may stand.
    pub(super) fn put(&self, new: &str, path: &str) -> io::Result<()> {
        let (new, place) = (self.place(new), self.place(path));
        if let Some(done) = self.calls.rename_to_free(&new, &place) {
            return done;
        }
        match self.calls.stat(&place) {
            Ok(_) => Err(io::Error::from(ErrorKind::AlreadyExists)),
            Err(error) if is_absence(&error) => self.calls.rename(&new, &place),
            Err(error) => Err(error),
        }
    }

    /// Lets the files at `new` and `path` change places; where the system can't do that at once, by way of `by`.
    pub(super) fn swap(&self, new: &str, path: &str, by: &str) -> io::Result<()> {
        let (new, place, by) = (self.place(new), self.place(path), self.place(by));
        if let Some(done) = self.calls.exchange(&new, &place) {
            return done;
        }
        self.calls.rename(&place, &by)?;
        self.calls.rename(&new, &place)?;
        self.calls.rename(&by, &new)
    }

    /// Takes the file at `path` away to `aside`, where nothing of worth stands.
    pub(super) fn take_away(&self, path: &str, aside: &str) -> io::Result<()> {
        self.calls.rename(&self.place(path), &self.place(aside))
    }

    /// Deletes what is left at `path`, if anything.
    pub(super) fn clean(&self, path: &str) -> io::Result<()> {
        let place = self.place(path);
        match self.calls.stat(&place) {
            Err(error) if is_absence(&error) => Ok(()),
            Err(error) => Err(error),
            Ok(_) => self.calls.remove(&place),
        }
    }

    /// Flushes to the device what was written at `paths`: each of a few, the whole file system for many.
    pub(super) fn sync(&self, paths: &[&str]) -> io::Result<()> {
        const FEW: usize = 16;
        if paths.len() > FEW
            && let Some(done) = self.calls.flush_all(&self.calls.open(&self.root)?)
        {
            return done;
        }
        let mut folders: Vec<PathBuf> = Vec::new();
        for path in paths {
            let place = self.place(path);
            match self.calls.open(&place) {
                Ok(file) => self.calls.flush(&file)?,
                Err(error) if is_absence(&error) => {}
                Err(error) => return Err(error),
            }
            folders.extend(place.parent().map(Path::to_path_buf));
        }
        folders.sort();
        folders.dedup();
        folders.iter().try_for_each(|it| self.flush_folder(it))
    }

    fn flush_folder(&self, place: &Path) -> io::Result<()> {
        // Windows can't open a folder as a file, and keeps its entries by itself.
        if !cfg!(unix) {
            return Ok(());
        }
        match self.calls.open(place) {
            Ok(folder) => self.calls.flush(&folder),
            Err(error) if is_absence(&error) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// What stands at a path, as an apply sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    /// Nothing.
    Nothing,
    /// A file; torn, if it looks as after a loss of power.
    File { digest: Fingerprint, is_torn: bool },
    /// A link to somewhere.
    Link(Fingerprint),
    /// Something else.
    Other,
}

enum Folder {
    /// It is there, and may be open.
    Real(Option<File>),
    Missing,
    Blocked(Arc<str>),
}

/// Returns the path of the file that is written beside the one at `path`: in the same folder, so that it can be
/// renamed, and always the same, so that a later run finds it.
pub(super) fn temporary(path: &str) -> String {
    let (folder, name) = path
        .rsplit_once('/')
        .map_or(("", path), |(folder, name)| (folder, name));
    let name = &Fingerprint::of(name.as_bytes()).to_string()[..16];
    let slash = if folder.is_empty() { "" } else { "/" };
    format!("{folder}{slash}.gen~{name}")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn path(text: &str) -> ArtifactPath {
        ArtifactPath::parse(text).expect("a plain path")
    }

    fn look(disk: &Disk, at: &str) -> Found {
        disk.look(&[&path(at)], unknown).0.remove(0)
    }

    #[test]
    fn what_stands_in_the_way_is_seen() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let at = |it: &str| folder.path().join(it);
        fs::create_dir_all(at("folder/inner")).expect("made");
        fs::write(at("file"), "x").expect("written");
        let disk = Disk::open(folder.path()).expect("the folder is there");
        assert_eq!(look(&disk, "file"), Found::File(Fingerprint::of(b"x"), Mode::Plain));
        assert_eq!(look(&disk, "none/none"), Found::Absent);
        assert_eq!(look(&disk, "folder/inner"), Found::Folder);
        assert!(matches!(look(&disk, "file/x/y"), Found::Blocked(why) if why.contains("where a folder should be")));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_never_followed_out_of_the_project() {
        use std::os::unix::fs::symlink;
        let (folder, outside) = (
            tempfile::tempdir().expect("a folder"),
            tempfile::tempdir().expect("a folder"),
        );
        let at = |it: &str| folder.path().join(it);
        fs::create_dir_all(at("real")).expect("made");
        fs::create_dir_all(at(".git/hooks")).expect("made");
        fs::write(at("real/x"), "x").expect("written");
        symlink(outside.path(), at("out")).expect("linked");
        symlink("real", at("in")).expect("linked");
        symlink(".git/hooks", at("git")).expect("linked");
        symlink("nowhere", at("nowhere-link")).expect("linked");
        symlink("real/x", at("link")).expect("linked");
        let disk = Disk::open(folder.path()).expect("the folder is there");
        assert!(matches!(look(&disk, "out/x"), Found::Blocked(why) if why.contains("leaves the project")));
        assert!(matches!(look(&disk, "out/deep/er/x"), Found::Blocked(_)));
        assert!(matches!(look(&disk, "git/x"), Found::Blocked(why) if why.contains("does not write")));
        assert!(matches!(look(&disk, "nowhere-link/x"), Found::Blocked(why) if why.contains("nowhere")));
        assert_eq!(look(&disk, "in/x"), Found::File(Fingerprint::of(b"x"), Mode::Plain));
        assert_eq!(look(&disk, "link"), Found::Link);
    }
}
