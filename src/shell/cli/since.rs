//! `--since REV`, as plan and affected share it.

use super::super::engine::{Engine, Outcome, Texts};
use super::super::git::Repository;
use super::super::report::{Exit, Sources};
use super::super::since::{self, Since};
use super::{AskArgs, Session};
use crate::plan::{Coverage, Scope};
use crate::problem::Problem;

/// What there is to compare, and how it compares.
pub(super) struct Compared {
    /// What the rules want now.
    pub(super) outcome: Outcome,
    /// What has changed since; nothing where something is wrong.
    pub(super) since: Since,
}

impl Compared {
    /// Returns what is wrong, now or then, and the texts in which it stands.
    pub(super) fn problems(&self) -> (Vec<Problem>, &Sources) {
        if self.since.problems.iter().any(Problem::is_error) && !self.since.sources.is_empty() {
            return (self.since.problems.clone(), &self.since.sources);
        }
        let all = self.outcome.problems.iter().chain(&self.since.problems);
        (all.cloned().collect(), &self.outcome.sources)
    }
}

/// Compares what `args` ask for over `range`, at `paths` or everywhere.
///
/// # Errors
/// How the process ends where that can't be read; it has been said.
pub(super) fn compare(
    session: &mut Session,
    args: &AskArgs,
    range: &str,
    paths: Vec<String>,
    texts: Texts,
) -> Result<Compared, Exit> {
    let read = session.timed("read git", |it| {
        let repository = Repository::around(it.disk.root())?;
        let range = repository.range(range)?;
        let then = since::snapshot(&repository, &range.then)?;
        let now = range.now.map(|it| since::snapshot(&repository, &it)).transpose()?;
        Ok((range.then.name, then, now))
    });
    let (name, then, now) = read.map_err(|it| session.fail(it))?;
    let is_on_disk = now.is_none();
    if let Some(now) = now {
        let root = session.engine.root().clone();
        session.engine = Engine::of(root, &now.inputs, now.problems);
    }
    let ask = session.ask(args)?;
    let outcome = if is_on_disk {
        session.outcome(&ask)
    } else {
        session.timed("derive", |it| it.engine.outcome(&ask))
    };
    // The environments are those of the artifacts on both sides already.
    let scope = Scope {
        environments: Vec::new(),
        elsewhere: Coverage::Covered,
        paths,
    };
    let since = if outcome.is_invalid() {
        Since::default()
    } else {
        session.timed("compare", |it| {
            since::since(&mut it.engine, &ask, &outcome, (&name, then), &scope, texts)
        })
    };
    Ok(Compared { outcome, since })
}
