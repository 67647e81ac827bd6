//! `gen fmt`: the project's own YAML, in the uniform layout.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::Args;

use super::super::discover::{self, MOST_BYTES, Text};
use super::super::layout::{self, Layout};
use super::super::report::{Exit, Report, Sources};
use super::super::session;
use super::super::store::Patience;
use super::{Session, listing, usage};
use crate::plan::diff::unified;
use crate::problem::Problem;

/// Format the spec, what it includes, and the files of the project's own packs
#[derive(Debug, Args)]
pub(super) struct FmtArgs {
    /// Files, or folders of them; all that gen reads of the project's own if none is named, `-` for stdin
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Write nothing, name each file that is not formatted, and exit with 1 if there is one
    #[arg(long)]
    check: bool,
    /// Write nothing, and show what would change
    #[arg(long)]
    diff: bool,
    /// Wait while another process applies
    #[arg(long)]
    wait: bool,
}

/// What stands for the name of a file that is read from stdin.
const STDIN: &str = "<stdin>";

impl FmtArgs {
    /// Tells whether a text is read from stdin, for which there need not be a project.
    pub(super) fn reads_stdin(&self) -> bool {
        self.paths.iter().any(|it| it == Path::new("-"))
    }

    fn writes(&self) -> bool {
        !self.check && !self.diff
    }
}

pub(super) fn run(args: &FmtArgs, session: &mut Session) -> Exit {
    let paths = match session.relative(&args.paths) {
        Ok(paths) => paths,
        Err(problem) => return session.fail(problem),
    };
    let mut layout = session.timed("format", |it| layout::of_project(&it.disk, it.engine.root(), &paths));
    layout::keep_writable(&session.disk, &mut layout);
    if args.writes() && !layout.texts.is_empty() {
        let patience = if args.wait { Patience::Wait } else { Patience::Fail };
        match session.timed("write", |it| session::rewrite(&it.disk, &layout.texts, patience)) {
            Ok(recovery) => listing::settled(recovery)
                .into_iter()
                .for_each(|it| session.report.note(it)),
            Err(problem) => {
                layout.problems.push(problem);
                session.report.problems(&layout.problems, &layout.sources);
                return Exit::Failed;
            }
        }
    }
    let exit = show(args, &layout, &session.report);
    if layout.n_same + layout.texts.len() > 0 {
        session.report.note(&said(args, &layout));
    }
    exit
}

pub(super) fn run_on_stdin(args: &FmtArgs, report: &Report) -> Exit {
    if args.paths.len() > 1 {
        return usage("`-` stands alone: files are not formatted together with stdin");
    }
    let text = match read_stdin() {
        Ok(text) => text,
        Err(problem) => {
            report.problems(&[problem], &Sources::default());
            return Exit::Failed;
        }
    };
    let layout = layout::of_text(text.clone());
    if !args.writes() {
        return show(args, &layout, report);
    }
    report.problems(&layout.problems, &layout.sources);
    if !layout.problems.is_empty() {
        return Exit::Failed;
    }
    report.result(layout.texts.values().next().map_or(&*text.text, |it| &*it.1));
    Exit::Done
}

fn read_stdin() -> Result<Text, Problem> {
    let mut bytes = Vec::new();
    let stdin = std::io::stdin().lock();
    if let Err(error) = stdin.take(MOST_BYTES + 1).read_to_end(&mut bytes) {
        let problem = Problem::error("shell::unreadable", format!("stdin can't be read: {error}"));
        return Err(problem.help("give it a text, or name files"));
    }
    if bytes.len() as u64 > MOST_BYTES {
        return Err(discover::too_large(STDIN, bytes.len() as u64));
    }
    Ok(Text::known(STDIN.into(), discover::decoded(STDIN, bytes)?))
}

/// Prints what is wrong, and which files were formatted or are to be.
fn show(args: &FmtArgs, layout: &Layout, report: &Report) -> Exit {
    report.problems(&layout.problems, &layout.sources);
    let word = if args.writes() { "formatted" } else { "format" };
    for (path, (old, new)) in &layout.texts {
        report.result(&format!("{word:<10} {path}\n"));
        if args.diff {
            let (old, new) = (old.as_bytes(), new.as_bytes());
            report.diff(&unified((path, path), Some(old), Some(new), 3));
        }
    }
    let is_wrong = layout.problems.iter().any(Problem::is_error);
    let is_refused = args.check && !layout.texts.is_empty();
    if is_wrong || is_refused {
        Exit::Failed
    } else {
        Exit::Done
    }
}

fn said(args: &FmtArgs, layout: &Layout) -> String {
    let n_changed = layout.texts.len();
    let same = match layout.n_same {
        0 => String::new(),
        1 => "; 1 was so already".to_owned(),
        n => format!("; {n} were so already"),
    };
    let all = listing::n_files(n_changed + layout.n_same);
    match (n_changed, args.writes()) {
        (0, _) => format!(
            "no changes: {} {}",
            all,
            if layout.n_same == 1 {
                "is formatted"
            } else {
                "are formatted"
            }
        ),
        (n, true) => format!("formatted {}{same}", listing::n_files(n)),
        (1, false) => format!("1 of {all} is not formatted: `gen fmt` does it"),
        (n, false) => format!("{n} of {all} are not formatted: `gen fmt` does it"),
    }
}
