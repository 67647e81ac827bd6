//! `gen pack`: lists packs, prints one or its reference, copies one into the project, locks those from elsewhere.

use std::fs;
use std::io::{ErrorKind, Write as _};

use clap::{Args, Subcommand};
use serde_json::{Value as Json, json};

use super::super::engine::{Origin, Pack, PackFile};
use super::super::report::Exit;
use super::super::shared::{Renewal, renew};
use super::Session;
use crate::plan::ArtifactPath;
use crate::problem::Problem;

/// List, print or copy packs of rules and templates
#[derive(Debug, Subcommand)]
pub(super) enum PackCommand {
    /// List the packs
    List(ListArgs),
    /// Print the files of a pack
    Show(ShowArgs),
    /// Print the reference of a pack: all that it lets a spec say, and what it does, as Markdown
    Doc(PackArgs),
    /// Copy the files of a pack into the project, where they can be changed
    Eject(PackArgs),
    /// Keep the packs from elsewhere that the spec asks for under `packs`, and write `gen.lock`
    ///
    /// Looks up those that are new or asked for from somewhere else, and puts back what is locked where its files were
    /// changed or are gone. This and `update` alone look where packs come from; git fetches those that are not on this machine.
    Lock,
    /// Look up anew what the packs from elsewhere are where they come from, and lock that
    Update(UpdateArgs),
}

impl PackCommand {
    /// Tells whether it writes into a project, so that there must be one.
    pub(super) fn writes(&self) -> bool {
        matches!(self, Self::Eject(_) | Self::Lock | Self::Update(_))
    }
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Print them for machines, with what they offer: patterns, and generators as catalogues list them
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// The pack
    name: String,
    /// Print it for machines, with its files
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct UpdateArgs {
    /// The packs; all from elsewhere, if none is named
    names: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct PackArgs {
    /// The pack
    name: String,
}

pub(super) fn run(command: &PackCommand, session: &mut Session) -> Exit {
    match command {
        PackCommand::List(args) => list(args, session),
        PackCommand::Show(args) => {
            let packs = session.engine.packs().value.unwrap_or_default();
            let answer = session.engine.pack_files(&args.name);
            session.show(answer, |files| {
                if let Some(pack) = packs.iter().find(|it| args.json && *it.name == *args.name) {
                    let mut document = document(pack);
                    document["files"] = contents(&files);
                    session.report.result(&format!("{document:#}\n"));
                    return Exit::Done;
                }
                for (path, text) in files {
                    let end = if text.ends_with('\n') { "" } else { "\n" };
                    session.report.result(&format!("# {path}\n{text}{end}\n"));
                }
                Exit::Done
            })
        }
        PackCommand::Doc(args) => {
            let answer = session.engine.pack_page(&args.name);
            session.show(answer, |page| {
                session.report.result(&page);
                Exit::Done
            })
        }
        PackCommand::Eject(args) => {
            let answer = session.engine.pack_files(&args.name);
            session.show(answer, |files| match eject(session, &files) {
                Ok(()) => Exit::Done,
                Err(problem) => session.fail(problem),
            })
        }
        PackCommand::Lock => lock(session, &Renewal::Changed),
        PackCommand::Update(args) => lock(session, &Renewal::Too(args.names.clone())),
    }
}

fn lock(session: &Session, renewal: &Renewal) -> Exit {
    let renewed = renew(&session.disk, session.engine.root(), renewal);
    session.report.problems(&renewed.problems, &renewed.sources);
    if renewed.problems.iter().any(Problem::is_error) {
        return Exit::Failed;
    }
    let width = renewed.done.iter().map(|it| it.name.chars().count()).max().unwrap_or(0);
    for done in &renewed.done {
        let line = format!("{:<10} {:<width$}  {}\n", done.word, done.name, done.from);
        session.report.result(&line);
    }
    if renewed.done.is_empty() {
        session.report.note("the spec asks for no pack from elsewhere");
    }
    Exit::Done
}

fn list(args: &ListArgs, session: &mut Session) -> Exit {
    let answer = session.engine.packs();
    session.show(answer, |packs| {
        if args.json {
            let all: Vec<Json> = packs.iter().map(document).collect();
            session.report.result(&format!("{:#}\n", Json::Array(all)));
            return Exit::Done;
        }
        let width = packs.iter().map(|it| it.name.chars().count()).max().unwrap_or(0);
        for pack in packs {
            let (origin, from) = match &pack.origin {
                Origin::BuiltIn => ("built in", String::new()),
                Origin::Shared(from) => ("shared", format!(" ({from})")),
                Origin::Own => ("own", String::new()),
            };
            let line = format!("{:<width$}  {origin:<8}  {}{from}", pack.name, pack.doc);
            session.report.result(&format!("{}\n", line.trim_end()));
        }
        Exit::Done
    })
}

/// Returns what machines read of a pack. A generator stands there in the words of the catalogues that list such.
fn document(pack: &Pack) -> Json {
    let patterns = pack.patterns.iter().map(|pattern| {
        let set = pattern.set.iter().map(|(path, yaml)| (path.to_string(), json!(**yaml)));
        json!({"name": *pattern.name, "doc": *pattern.doc, "set": set.collect::<serde_json::Map<_, _>>()})
    });
    let is_built_in = pack.origin == Origin::BuiltIn;
    let (origin, from) = match &pack.origin {
        Origin::BuiltIn => ("built_in", None),
        Origin::Shared(from) => ("shared", Some(&**from)),
        Origin::Own => ("own", None),
    };
    let mut document = json!({
        "name": *pack.name,
        "doc": *pack.doc,
        "built_in": is_built_in,
        "origin": origin,
        "from": from,
        "platform": pack.platform.as_deref(),
        "patterns": patterns.collect::<Vec<_>>(),
    });
    if let Some(listed) = &pack.generator {
        document["generator"] = json!({
            "name": *listed.generator.name,
            "slug": *pack.name,
            "description": *pack.doc,
            "executorType": *listed.generator.executor,
            "category": *listed.generator.category,
            "icon": *listed.generator.icon,
            "isBuiltIn": is_built_in,
            "configUnder": *listed.under,
            "configSchema": listed.schema,
            "templateFiles": contents(&listed.templates),
        });
    }
    document
}

fn contents(files: &[PackFile]) -> Json {
    files
        .iter()
        .map(|(path, text)| json!({"path": **path, "content": **text}))
        .collect()
}

/// Copies `files` into the project. One that is there already stays, and nothing is copied.
fn eject(session: &Session, files: &[PackFile]) -> Result<(), Problem> {
    for (path, _) in files {
        ArtifactPath::parse(path)?;
        if session.disk.stat(path).is_ok() {
            return Err(Problem::error("shell::exists", format!("`{path}` is there already"))
                .help("move it away to copy that of the pack"));
        }
    }
    for (path, text) in files {
        let place = session.disk.place(path);
        let made = place.parent().map_or(Ok(()), fs::create_dir_all);
        let written = made.and_then(|()| fs::File::create_new(&place)?.write_all(text.as_bytes()));
        written.map_err(|error| {
            let (what, help) = if error.kind() == ErrorKind::AlreadyExists {
                ("shell::exists", "delete it first, or change it where it stands")
            } else {
                ("shell::write_failed", "give yourself the right to write to this folder")
            };
            Problem::error(what, format!("`{path}` can't be written: {error}")).help(help)
        })?;
        session.report.result(&format!("created    {path}\n"));
    }
    Ok(())
}
