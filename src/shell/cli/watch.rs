//! `gen watch`: applies on each save.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process;
use std::rc::Rc;
use std::sync::Arc;

use clap::Args;

use super::super::discover::Interest;
use super::super::engine::{Ask, Changed, Outcome};
use super::super::inputs::Inputs;
use super::super::report::{Exit, Sources};
use super::super::session;
use super::super::store::Patience;
use super::super::watch::{Batch, Watch, Watched};
use super::listing::{self, Tense};
use super::{AskArgs, Session};
use crate::plan::{Change, Decisions, Plan};
use crate::problem::Problem;

/// Apply on each save; an error keeps the last good output
#[derive(Debug, Args)]
pub(super) struct WatchArgs {
    #[command(flatten)]
    ask: AskArgs,
    /// Run CMD in a shell after each change of a file
    #[arg(long, value_name = "CMD")]
    exec: Option<String>,
}

pub(super) fn run(args: &WatchArgs, session: &mut Session) -> Exit {
    let watch = Watch::default();
    let stopper = watch.stopper();
    if let Err(error) = ctrlc::set_handler(move || stopper.stop()) {
        let message = format!("signals can't be handled: {error}");
        return session.fail(Problem::error("shell::signal", message).help("run `gen apply` instead"));
    }
    session.engine.begin(&session.disk);
    let ask = match session.ask(&args.ask) {
        Ok(ask) => ask,
        Err(exit) => return exit,
    };
    let unknown = session.engine.unknown_asked(&ask);
    if !unknown.is_empty() {
        session.report.problems(&unknown, &Sources::default());
        return Exit::Failed;
    }
    let root = session.disk.root().to_path_buf();
    let report = session.report;
    let notice = |problem: Problem| report.problems(&[problem], &Sources::default());
    let mut said = Vec::new();
    let mut known = Known::Nothing;
    let mut last: Option<Inputs> = None;
    let outputs = Rc::new(RefCell::new(Outputs::default()));
    let mut interest = None;
    let mut is_kept = true;
    let mut health = None;
    watch.run(&root, notice, |batch| {
        if batch == Batch::Nothing {
            if !std::mem::replace(&mut is_kept, true) {
                keep(session, &ask, known);
            }
            return None;
        }
        // What was read when it began is looked at again as soon as its folders are watched.
        if matches!(batch, Batch::Missed(_)) && known == Known::Applied && session.engine.is_as_read() {
            return None;
        }
        is_kept = false;
        if !matches!(batch, Batch::Missed(_)) {
            said.clear();
        }
        let changed = changed(&root, batch);
        let has_lost = match &changed {
            Changed::Paths(paths) => outputs.borrow().have_lost(&root, paths),
            Changed::Anything => true,
        };
        if has_lost {
            known = Known::Nothing;
        }
        session.engine.refresh(&changed);
        let planned = once(session, &ask, &mut known, &mut said);
        session.say_timings();
        let is_well = planned.is_some();
        let before = health.replace(is_well);
        let has_changed = planned.as_ref().is_some_and(|it| !it.plan.is_empty());
        let mut has_new_outputs = false;
        if let Some(mut planned) = planned {
            has_new_outputs = outputs.borrow_mut().follow(&planned.plan, session.memory.outputs());
            // All is written: from here on nobody waits.
            if let Some(last) = &last {
                session::give_reasons_since(last, &mut session.engine, &ask, &mut planned.plan);
            }
            session.report.result(&listing::lines(&planned.plan, Tense::Past));
        }
        let told = news(before, is_well, session);
        told.iter().for_each(|it| session.report.note(it));
        if known == Known::Applied && (has_changed || last.is_none()) {
            last = session.engine.inputs();
        }
        if has_changed && let Some(command) = &args.exec {
            execute(session, command);
        }
        if known == Known::Applied {
            session.engine.make_ready();
        }
        let is_same = interest
            .as_ref()
            .is_some_and(|it| Arc::ptr_eq(it, &session.engine.interest()));
        (has_new_outputs || !is_same).then(|| {
            let now = session.engine.interest();
            interest = Some(now.clone());
            watched(now, &root, &outputs)
        })
    });
    if !is_kept {
        keep(session, &ask, known);
    }
    Exit::Interrupted
}

/// Returns what is said of how it stands, where that is new: by whether it went well `before`, none where this is the
/// first time, and now.
fn news(before: Option<bool>, is_well: bool, session: &Session) -> Option<String> {
    let on_record = || format!("{} on record", listing::n_files(session.memory.outputs().count()));
    match (before, is_well) {
        (None, true) => Some(format!("watching; {}", on_record())),
        (None, false) => Some("watching; nothing is written until this is mended".to_owned()),
        (Some(false), true) => Some(format!("mended; {}", on_record())),
        _ => None,
    }
}

/// Keeps what was learnt for other processes.
fn keep(session: &mut Session, ask: &Ask, known: Known) {
    session.memory.save(&session.disk, &Outcome::default());
    if known == Known::Applied
        && *ask == Ask::default()
        && let Some(inputs) = session.engine.inputs()
    {
        inputs.save(&session.disk);
    }
}

/// What is known of the disk.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    Nothing,
    /// The last outcome stands there.
    Applied,
}

/// Applies once, and returns what was done. What was `said` is not said again.
fn once(session: &mut Session, ask: &Ask, known: &mut Known, said: &mut Vec<Problem>) -> Option<session::Planned> {
    let outcome = session.timed("derive", |it| match known {
        Known::Nothing => it.engine.outcome(ask),
        Known::Applied => it.engine.changes(ask),
    });
    let scope = session::scope(ask, &outcome, Vec::new());
    let applied = session.timed("apply", |it| {
        let decisions = Decisions::default();
        session::apply(
            &mut it.memory,
            &it.disk,
            &mut it.engine,
            session::Order {
                ask,
                outcome: &outcome,
                scope: &scope,
                decisions: &decisions,
                is_meant: false,
            },
            Patience::Wait,
        )
    });
    *known = match applied {
        Ok(_) => Known::Applied,
        Err(_) => Known::Nothing,
    };
    let report = &session.report;
    let mut n_waiting = 0;
    let (planned, problems) = match applied {
        Ok((mut planned, _)) => {
            let more = std::mem::take(&mut planned.problems);
            (Some(planned), outcome.problems.iter().cloned().chain(more).collect())
        }
        Err(refusal) => {
            n_waiting = refusal.n_waiting;
            (None, refusal.problems)
        }
    };
    if problems != *said {
        report.problems(&problems, &outcome.sources);
        match n_waiting {
            _ if planned.is_some() => {}
            0 => report.note("the last good output stays"),
            n => report.note(&format!(
                "the last good output stays; {}: `gen apply --overwrite=PATH` or `--adopt=PATH` decides, in another terminal",
                match n {
                    1 => "1 other file waits".to_owned(),
                    n => format!("{n} other files wait"),
                }
            )),
        }
        *said = problems;
    }
    planned
}

fn changed(root: &Path, batch: Batch) -> Changed {
    let (Batch::Paths(paths) | Batch::Missed(paths)) = batch else {
        return Changed::Anything;
    };
    let inside = |path: PathBuf| Some(path.strip_prefix(root).ok()?.to_str()?.replace('\\', "/"));
    Changed::Paths(paths.into_iter().filter_map(inside).collect())
}

/// The files that stand on the disk by this watch: one that somebody deletes is written again.
#[derive(Debug, Default)]
struct Outputs {
    files: BTreeSet<String>,
    folders: BTreeSet<String>,
}

impl Outputs {
    /// Takes over what is `on_record` after `plan` was carried out, where its files are not those of before; tells
    /// whether they are.
    fn follow<'a>(&mut self, plan: &Plan, on_record: impl Iterator<Item = &'a str>) -> bool {
        let is_same = plan.entries.iter().all(|it| it.change == Change::Update);
        if is_same && !self.files.is_empty() {
            return false;
        }
        self.files = on_record.map(str::to_owned).collect();
        self.folders.clear();
        for file in &self.files {
            let above = file.rmatch_indices('/').map(|it| &file[..it.0]);
            for folder in above.chain([""]) {
                if !self.folders.insert(folder.to_owned()) {
                    break;
                }
            }
        }
        true
    }

    /// Tells whether a file stands at `path`, or below it.
    fn hold(&self, path: &str) -> bool {
        self.files.contains(path) || self.folders.contains(path)
    }

    /// Tells whether something of `paths` is gone that should be there.
    fn have_lost(&self, root: &Path, paths: &[String]) -> bool {
        let is_gone = |it: &String| root.join(it).symlink_metadata().is_err();
        paths.iter().any(|it| self.hold(it) && is_gone(it))
    }
}

fn watched(interest: Arc<Interest>, root: &Path, outputs: &Rc<RefCell<Outputs>>) -> Watched {
    let mut folders: BTreeSet<PathBuf> = interest
        .folders
        .iter()
        .map(|it| root.join(it))
        .filter(|it| it.is_dir())
        .collect();
    folders.insert(root.to_path_buf());
    let of_outputs = outputs.borrow().folders.iter().map(|it| root.join(it)).collect();
    let concerns = inside(root, move |it| interest.concerns(it));
    let outputs = outputs.clone();
    Watched {
        folders,
        concerns,
        outputs: of_outputs,
        is_missed: inside(root, move |it| outputs.borrow().hold(it)),
    }
}

/// Returns what asks `question` of the paths below `root`.
fn inside(root: &Path, question: impl Fn(&str) -> bool + 'static) -> Box<dyn Fn(&Path) -> bool> {
    let root = root.to_path_buf();
    Box::new(move |path| {
        let inside = path.strip_prefix(&root).ok().and_then(Path::to_str);
        inside.is_some_and(|it| question(&it.replace('\\', "/")))
    })
}

fn execute(session: &Session, command: &str) {
    let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let ended = process::Command::new(shell)
        .args([flag, command])
        .current_dir(session.disk.root())
        .status();
    let what = match ended {
        Ok(status) if status.success() => return,
        Ok(status) => status.to_string(),
        Err(error) => error.to_string(),
    };
    let problem = Problem::warning("shell::exec", format!("`{command}` failed: {what}"))
        .help("try the command by itself; it runs in the project's folder");
    session.report.problems(&[problem], &Sources::default());
}
