//! Waits for changes of files and calls back, once for each burst of them.
//!
//! It knows nothing of specs: which folders to watch, and which paths in them matter, it is told after each call.
//! A save is seen at the moment the file is closed or renamed, without waiting for quiet; what comes while a call
//! runs is one more call. Where the system has no watches left, it looks again and again instead.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode, CreateKind, MetadataKind, ModifyKind, RenameMode};
use notify::{Config, ErrorKind, Event, EventKind, PollWatcher, RecommendedWatcher, RecursiveMode, Watcher};

use crate::problem::Problem;

/// How long a finished save waits for the save of another file.
const NEIGHBOUR: Duration = Duration::from_millis(2);
/// How long a burst of saves must be over: a checkout writes file after file.
const BURST: Duration = Duration::from_millis(25);
/// How long a file that is half written, or gone, is given to become whole.
const SETTLE: Duration = Duration::from_millis(50);
/// How long changes may go on before they are acted upon all the same.
const LONGEST: Duration = Duration::from_secs(2);
/// How long git may hold its lock.
const LONGEST_GIT: Duration = Duration::from_secs(20);
/// How long nothing must have changed for what can wait to be done.
const REST: Duration = Duration::from_millis(300);
/// How often folders are looked at where they can't be watched.
const POLL: Duration = Duration::from_millis(500);

/// What changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Batch {
    /// These paths; a folder stands for all that is in it.
    Paths(BTreeSet<PathBuf>),
    /// Maybe something in these folders, before they were watched.
    Missed(BTreeSet<PathBuf>),
    /// It is not known: anything may have.
    Anything,
    /// Nothing, for a while: there is time for what nobody waits for. It comes once after each of the others.
    Nothing,
}

/// What to watch from now on.
pub struct Watched {
    /// The folders, each by itself.
    pub folders: BTreeSet<PathBuf>,
    /// Tells whether a change at a path matters.
    pub concerns: Box<dyn Fn(&Path) -> bool>,
    /// Folders in which it matters only that something is gone. Where the system has too few watches, these are left out.
    pub outputs: BTreeSet<PathBuf>,
    /// Tells whether it matters that a path is gone.
    pub is_missed: Box<dyn Fn(&Path) -> bool>,
}

impl Default for Watched {
    fn default() -> Self {
        Self {
            folders: BTreeSet::new(),
            concerns: Box::new(|_| false),
            outputs: BTreeSet::new(),
            is_missed: Box::new(|_| false),
        }
    }
}

enum Message {
    Event(notify::Result<Event>),
    Stop,
}

/// Ends a watch from another thread.
#[derive(Clone, Debug)]
pub struct Stopper(Sender<Message>);

impl Stopper {
    /// Ends the watch, after the call that runs.
    pub fn stop(&self) {
        // A watch that has ended already hears nothing.
        let _ = self.0.send(Message::Stop);
    }
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Event(event) => event.fmt(f),
            Self::Stop => f.write_str("Stop"),
        }
    }
}

/// A watch that has not begun.
#[derive(Debug)]
pub struct Watch {
    sender: Sender<Message>,
    receiver: Receiver<Message>,
}

impl Default for Watch {
    fn default() -> Self {
        let (sender, receiver) = channel();
        Self { sender, receiver }
    }
}

impl Watch {
    /// Returns what ends this watch.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        Stopper(self.sender.clone())
    }

    /// Calls `on_change` now, whenever something changes below `root`, and when nothing has for a while, until the
    /// stopper is used. It returns what is to be watched from then on; none where that stays as it was, as it does
    /// after [`Batch::Nothing`]. `notice` hears what does not go as it should; the watch goes on.
    pub fn run(
        self,
        root: &Path,
        mut notice: impl FnMut(Problem),
        mut on_change: impl FnMut(Batch) -> Option<Watched>,
    ) {
        let mut backend = Backend::new(self.sender.clone(), &mut notice);
        let mut changes = Changes::default();
        let mut watched = Watched::default();
        let mut next = on_change(Batch::Anything);
        // When what can wait is done; none once it was.
        let mut rest = Some(Instant::now() + REST);
        loop {
            let is_new = next.is_some();
            watched = next.unwrap_or(watched);
            if is_new || std::mem::take(&mut backend.has_lost) {
                // What appeared in a folder before it was watched was not heard of.
                for folder in backend.watch(&watched, &mut notice) {
                    changes.add(folder, Urgency::Settled);
                    changes.is_heard = false;
                }
            }
            loop {
                let message = match changes.deadline().or(rest) {
                    None => self.receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
                    Some(deadline) => {
                        let left = deadline.saturating_duration_since(Instant::now());
                        self.receiver.recv_timeout(left)
                    }
                };
                match message {
                    Ok(Message::Event(event)) => changes.hear(event, &mut backend, &watched),
                    Err(RecvTimeoutError::Timeout) if changes.deadline().is_none() => {
                        rest = None;
                        on_change(Batch::Nothing);
                    }
                    Err(RecvTimeoutError::Timeout) => {
                        if !changes.waits_for_git(root) {
                            break;
                        }
                    }
                    Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                }
            }
            next = on_change(changes.take());
            rest = Some(Instant::now() + REST);
        }
    }
}

/// How soon a change is acted upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Urgency {
    /// More is to come, most likely.
    Unsettled,
    /// The file is whole.
    Settled,
}

/// What was heard since the last call.
#[derive(Debug, Default)]
struct Changes {
    paths: BTreeSet<PathBuf>,
    is_anything: bool,
    /// Whether an event said so, and not only that a folder is new.
    is_heard: bool,
    first: Option<Instant>,
    due: Option<Instant>,
}

impl Changes {
    fn hear(&mut self, event: notify::Result<Event>, backend: &mut Backend, watched: &Watched) {
        let event = match event {
            Ok(event) if !event.need_rescan() => event,
            // Events were lost, or the system is in trouble: look at everything.
            _ => {
                self.is_anything = true;
                self.is_heard = true;
                self.wait(SETTLE);
                return;
            }
        };
        for (path, urgency) in classify(&event) {
            let is_gone = matches!(
                event.kind,
                EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(RenameMode::From))
            );
            if is_gone {
                backend.forget(path);
            }
            if (watched.concerns)(path)
                || (is_gone && (watched.is_missed)(path))
                || (!watched.outputs.contains(path) && path.is_dir())
            {
                self.add(path.clone(), urgency);
                self.is_heard = true;
            }
        }
    }

    fn add(&mut self, path: PathBuf, urgency: Urgency) {
        let is_new = self.paths.insert(path);
        let is_burst = self.paths.len() > 1 && (is_new || self.due.is_some());
        self.wait(match (urgency, is_burst) {
            (Urgency::Unsettled, _) => SETTLE,
            (Urgency::Settled, true) => BURST,
            (Urgency::Settled, false) => NEIGHBOUR,
        });
    }

    fn wait(&mut self, time: Duration) {
        let now = Instant::now();
        let first = *self.first.get_or_insert(now);
        self.due = Some((now + time).min(first + LONGEST));
    }

    fn deadline(&self) -> Option<Instant> {
        self.due
    }

    /// Tells whether git is at work in `root`, and waits some more if it is: a checkout is one change.
    fn waits_for_git(&mut self, root: &Path) -> bool {
        let now = Instant::now();
        let is_patient = self.first.is_some_and(|it| now < it + LONGEST_GIT);
        let waits = is_patient && root.join(".git/index.lock").exists();
        if waits {
            self.due = Some(now + BURST);
        }
        waits
    }

    fn take(&mut self) -> Batch {
        let changes = std::mem::take(self);
        if changes.is_anything {
            Batch::Anything
        } else if changes.is_heard {
            Batch::Paths(changes.paths)
        } else {
            Batch::Missed(changes.paths)
        }
    }
}

/// Returns the paths of `event` that changed, and whether they have come to rest.
fn classify(event: &Event) -> Vec<(&PathBuf, Urgency)> {
    use Urgency::{Settled, Unsettled};
    let urgency = match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) | EventKind::Create(CreateKind::Folder) => Settled,
        EventKind::Access(_) => return Vec::new(),
        EventKind::Modify(ModifyKind::Name(RenameMode::From)) => Unsettled,
        EventKind::Modify(ModifyKind::Name(RenameMode::Both)) => {
            return event.paths.iter().zip([Unsettled, Settled]).collect();
        }
        EventKind::Modify(ModifyKind::Name(_)) => Settled,
        // Rights and owners; a time that was written is all that polling sees of a new content.
        EventKind::Modify(ModifyKind::Metadata(it)) if it != MetadataKind::WriteTime => return Vec::new(),
        _ => Unsettled,
    };
    event.paths.iter().map(|it| (it, urgency)).collect()
}

/// The system's watches, or what stands in for them.
struct Backend {
    sender: Sender<Message>,
    watcher: Option<Box<dyn Watcher>>,
    folders: BTreeSet<PathBuf>,
    polls: bool,
    /// Whether there are watches for outputs too.
    has_room: bool,
    /// Whether folders are watched no longer that were gone for a while.
    has_lost: bool,
}

impl Backend {
    fn new(sender: Sender<Message>, notice: &mut dyn FnMut(Problem)) -> Self {
        let mut backend = Self {
            watcher: None,
            folders: BTreeSet::new(),
            polls: false,
            has_room: true,
            has_lost: false,
            sender,
        };
        match RecommendedWatcher::new(backend.handler(), Config::default()) {
            Ok(watcher) => backend.watcher = Some(Box::new(watcher)),
            Err(error) => backend.poll(&error, notice),
        }
        backend
    }

    fn handler(&self) -> impl Fn(notify::Result<Event>) + Send + 'static {
        let sender = self.sender.clone();
        move |event| {
            // Nobody listens any more once the watch has ended.
            let _ = sender.send(Message::Event(event));
        }
    }

    /// Polls from now on, since the system said `error`.
    fn poll(&mut self, error: &notify::Error, notice: &mut dyn FnMut(Problem)) {
        let problem = Problem::warning(
            "shell::watch_limit",
            format!(
                "the system can't watch all folders of this project ({error}); they are looked at twice a second instead"
            ),
        );
        notice(if cfg!(target_os = "linux") {
            problem.help(
                "raise the limit: `sudo sysctl fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=1024`",
            )
        } else {
            problem
        });
        let config = Config::default().with_poll_interval(POLL);
        self.polls = true;
        self.has_room = false;
        self.folders.clear();
        self.watcher = PollWatcher::new(self.handler(), config)
            .ok()
            .map(|it| Box::new(it) as Box<dyn Watcher>);
    }

    /// Watches the folders of `watched` and no others; returns those that were not watched before, but for those of
    /// outputs.
    fn watch(&mut self, watched: &Watched, notice: &mut dyn FnMut(Problem)) -> Vec<PathBuf> {
        let (has_room, outputs) = (self.has_room, &watched.outputs);
        let is_wanted = |it: &PathBuf| watched.folders.contains(it) || (has_room && outputs.contains(it));
        for folder in self.folders.iter().filter(|it| !is_wanted(it)) {
            if let Some(watcher) = &mut self.watcher {
                // One that is gone is watched no longer by itself.
                let _ = watcher.unwatch(folder);
            }
        }
        self.folders.retain(is_wanted);
        let new: Vec<PathBuf> = watched.folders.difference(&self.folders).cloned().collect();
        let of_outputs = has_room
            .then(|| outputs.difference(&self.folders))
            .into_iter()
            .flatten();
        let of_outputs: Vec<PathBuf> = of_outputs
            .filter(|it| !watched.folders.contains(*it))
            .cloned()
            .collect();
        for folder in new.iter().chain(&of_outputs) {
            let Some(watcher) = &mut self.watcher else { break };
            match watcher.watch(folder, RecursiveMode::NonRecursive) {
                Ok(()) => _ = self.folders.insert(folder.clone()),
                Err(error) if self.has_room && !outputs.is_empty() && is_limit(&error) => {
                    self.has_room = false;
                    let message = format!(
                        "the system can't watch the folders of all outputs ({error}): one that is deleted is written again by `gen apply` alone"
                    );
                    notice(Problem::warning("shell::watch_limit", message));
                    return self.watch(watched, notice);
                }
                Err(error) if !self.polls && is_limit(&error) => {
                    self.poll(&error, notice);
                    return self.watch(watched, notice);
                }
                // It is gone already: the folder above says so.
                Err(_) => {}
            }
        }
        new.into_iter().filter(|it| self.folders.contains(it)).collect()
    }

    /// Takes note that `path` is gone, and with it the watch, if it was a folder: one that comes back under the same
    /// name is another folder.
    fn forget(&mut self, path: &Path) {
        // In the order of paths, what is in a folder stands right behind it.
        let from = self.folders.range::<Path, _>((Bound::Included(path), Bound::Unbounded));
        let gone: Vec<PathBuf> = from.take_while(|it| it.starts_with(path)).cloned().collect();
        for folder in gone {
            self.folders.remove(&folder);
            self.has_lost = true;
            if let Some(watcher) = &mut self.watcher {
                let _ = watcher.unwatch(&folder);
            }
        }
    }
}

fn is_limit(error: &notify::Error) -> bool {
    match &error.kind {
        ErrorKind::MaxFilesWatch => true,
        // No space for watches, too many files in this process, too many in the system.
        ErrorKind::Io(error) => matches!(error.raw_os_error(), Some(28 | 24 | 23)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::thread;

    const SOON: Duration = Duration::from_secs(10);

    /// A watch over the `.yaml` files in the folders of `root` that stand there at each call.
    struct Case {
        folder: tempfile::TempDir,
        stopper: Stopper,
        calls: Receiver<Batch>,
        thread: Option<thread::JoinHandle<()>>,
    }

    impl Case {
        fn new() -> Self {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let root = fs::canonicalize(folder.path()).expect("there");
            fs::create_dir(root.join("a")).expect("made");
            fs::write(root.join("a/x.yaml"), "1").expect("written");
            let watch = Watch::default();
            let stopper = watch.stopper();
            let (sender, calls) = channel();
            let thread = thread::spawn(move || {
                let on_change = |batch| {
                    let entries = fs::read_dir(&root)
                        .expect("there")
                        .filter_map(|it| Some(it.ok()?.path()));
                    let folders = entries.filter(|it| it.is_dir()).chain([root.clone()]).collect();
                    sender.send(batch).expect("heard");
                    Some(Watched {
                        folders,
                        concerns: Box::new(|it| it.extension().is_some_and(|it| it == "yaml")),
                        outputs: BTreeSet::new(),
                        is_missed: Box::new(|it| it.extension().is_some_and(|it| it == "out")),
                    })
                };
                watch.run(&root, |_| {}, on_change);
            });
            let case = Self {
                folder,
                stopper,
                calls,
                thread: Some(thread),
            };
            assert_eq!(case.next(), Batch::Anything);
            // The folders that are watched since.
            assert!(matches!(case.next(), Batch::Missed(it) if it.len() == 2));
            case
        }

        /// Returns the next change.
        fn next(&self) -> Batch {
            let mut calls = std::iter::repeat_with(|| self.calls.recv_timeout(SOON).expect("a call"));
            calls.find(|it| *it != Batch::Nothing).expect("calls without end")
        }

        fn at(&self, path: &str) -> PathBuf {
            fs::canonicalize(self.folder.path()).expect("there").join(path)
        }

        fn expect(&self, path: &str) {
            let batch = self.next();
            assert!(
                matches!(&batch, Batch::Paths(it) | Batch::Missed(it) if it.contains(&self.at(path))),
                "{path}: {batch:?}"
            );
        }
    }

    impl Drop for Case {
        fn drop(&mut self) {
            self.stopper.stop();
            if let Some(thread) = self.thread.take() {
                let ended = thread.join();
                assert!(ended.is_ok() || thread::panicking());
            }
        }
    }

    #[test]
    fn a_rest_is_told_once_after_each_change() {
        let case = Case::new();
        for n in 0..2 {
            // What concerns nobody does not put it off.
            let start = Instant::now();
            let rested = loop {
                fs::write(case.at("a/log.txt"), "a line").expect("written");
                match case.calls.recv_timeout(REST / 10) {
                    Err(RecvTimeoutError::Timeout) if start.elapsed() < SOON => {}
                    other => break other,
                }
            };
            assert_eq!(rested, Ok(Batch::Nothing), "{n}");
            assert!(case.calls.recv_timeout(2 * REST).is_err(), "{n}: twice");
            fs::write(case.at("a/x.yaml"), "2").expect("written");
            case.expect("a/x.yaml");
        }
    }

    #[test]
    fn each_way_to_save_is_heard_once() {
        let case = Case::new();
        fs::write(case.at("a/x.yaml"), "in place").expect("written");
        case.expect("a/x.yaml");
        fs::write(case.at("a/.x.swp"), "beside").expect("written");
        fs::rename(case.at("a/.x.swp"), case.at("a/x.yaml")).expect("renamed");
        case.expect("a/x.yaml");
        fs::remove_file(case.at("a/x.yaml")).expect("removed");
        fs::write(case.at("a/x.yaml"), "anew").expect("written");
        case.expect("a/x.yaml");
        fs::rename(case.at("a/x.yaml"), case.at("a/x.yaml~")).expect("renamed");
        fs::write(case.at("a/x.yaml"), "with a backup").expect("written");
        case.expect("a/x.yaml");
        fs::write(case.at("a/other.txt"), "nobody's concern").expect("written");
        assert!(case.calls.recv_timeout(Duration::from_millis(200)).is_err());
    }

    #[test]
    fn of_what_is_made_only_its_loss_is_heard() {
        let case = Case::new();
        fs::write(case.at("a/x.out"), "made").expect("written");
        fs::write(case.at("a/x.out"), "made again").expect("written");
        assert!(case.calls.recv_timeout(Duration::from_millis(200)).is_err());
        fs::remove_file(case.at("a/x.out")).expect("removed");
        case.expect("a/x.out");
    }

    #[test]
    fn folders_that_appear_and_go_are_heard_of() {
        let case = Case::new();
        fs::create_dir(case.at("b")).expect("made");
        fs::write(case.at("b/y.yaml"), "1").expect("written");
        case.expect("b");
        // Once more, since the file may have come before the watch.
        case.expect("b");
        fs::write(case.at("b/y.yaml"), "2").expect("written");
        case.expect("b/y.yaml");
        fs::remove_dir_all(case.at("b")).expect("removed");
        case.expect("b/y.yaml");
        fs::create_dir(case.at("b")).expect("made");
        case.expect("b");
        case.expect("b");
        fs::write(case.at("b/y.yaml"), "3").expect("written");
        case.expect("b/y.yaml");
    }

    #[test]
    fn a_checkout_is_one_call() {
        let case = Case::new();
        fs::create_dir(case.at(".git")).expect("made");
        case.expect(".git");
        case.expect(".git");
        fs::write(case.at(".git/index.lock"), "").expect("written");
        for n in 0..200 {
            fs::write(case.at(&format!("a/{n}.yaml")), "1").expect("written");
        }
        thread::sleep(Duration::from_millis(100));
        fs::remove_file(case.at(".git/index.lock")).expect("removed");
        let batch = case.next();
        assert!(matches!(&batch, Batch::Paths(it) if it.len() == 200), "{batch:?}");
        assert!(case.calls.recv_timeout(Duration::from_millis(200)).is_err());
    }

    #[test]
    fn what_is_half_written_is_given_time_and_what_is_whole_is_not() {
        let now = Instant::now();
        let mut changes = Changes::default();
        changes.add("a".into(), Urgency::Unsettled);
        assert!(changes.deadline().is_some_and(|it| it >= now + SETTLE));
        changes.add("a".into(), Urgency::Settled);
        assert!(changes.deadline().is_some_and(|it| it < now + SETTLE));
        changes.add("b".into(), Urgency::Settled);
        assert!(changes.deadline().is_some_and(|it| it >= now + BURST));
    }
}
