//! The command line: arguments in, exit code out.
//!
//! One file a command, with its arguments and what it does. What commands share is in [`Session`]; how things are
//! found out is not known here.

mod affected;
mod apply;
mod blame;
mod check;
mod completions;
mod explain;
mod fmt;
mod graph;
mod init;
mod listing;
mod man;
mod mv;
mod pack;
mod plan;
mod query;
mod schema;
mod since;
mod test;
mod watch;

use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};

use super::discover::{self, Root};
use super::disk::Disk;
use super::engine::{Answer, Ask, Engine, Outcome};
use super::report::{Color, Exit, ProblemFormat, Report, Sources, Volume};
use super::session;
use crate::db::{Database, Override};
use crate::problem::Problem;
use crate::value;

/// Generates every deployment file of a monorepo from one spec.
#[derive(Debug, Parser)]
#[command(name = "gen", version, about, arg_required_else_help = true, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Everywhere")]
struct Global {
    /// Run as if started in DIR
    #[arg(short = 'C', value_name = "DIR", global = true)]
    folder: Option<PathBuf>,
    /// Colour the output
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true)]
    color: Color,
    /// Print results and problems only
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Say each step and its time, or also each query that runs, and why
    #[arg(long, value_name = "WHAT", global = true, conflicts_with = "quiet")]
    log: Option<Log>,
    /// Say at the end where the time went; with --json, in the document too
    #[arg(long, global = true, conflicts_with = "quiet")]
    timings: bool,
}

/// How much is said of what a run does.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Log {
    /// Each step and its time, and why a run derived anew
    Steps,
    /// Each query that runs, each artifact that is asked for, and why
    Trace,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::InitArgs),
    Plan(plan::PlanArgs),
    Apply(apply::ApplyArgs),
    Mv(mv::MvArgs),
    Check(check::CheckArgs),
    Affected(affected::AffectedArgs),
    Blame(blame::BlameArgs),
    Explain(explain::ExplainArgs),
    Watch(watch::WatchArgs),
    Query(query::QueryArgs),
    Graph(graph::GraphArgs),
    Schema(schema::SchemaArgs),
    Fmt(fmt::FmtArgs),
    #[command(subcommand)]
    Pack(pack::PackCommand),
    Test(test::TestArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
}

/// What is asked about: arguments of all commands that derive something.
#[derive(Clone, Debug, Default, Args)]
struct AskArgs {
    /// Cover this environment only; may be repeated
    #[arg(long = "env", value_name = "NAME")]
    environments: Vec<String>,
    /// Set a field for this run alone, as in `services.orders.deployment.replicas=3`; may be repeated. The value is YAML:
    /// text with `: ` or ` #` in it stands in quotes, `--set 'services.orders.env.A="b: c"'`
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = parse_override)]
    overrides: Vec<Override>,
    /// Run the project this way, for this run alone: a pattern that a pack offers; it sets what it says over the spec
    #[arg(long = "pattern", id = "way_to_run", value_name = "NAME")]
    pattern: Option<String>,
    /// Where the services run that name no platform themselves, for this run alone; may be repeated
    #[arg(long = "platform", value_name = "NAME")]
    platforms: Vec<String>,
    /// The framework of the services that name none themselves, for this run alone
    #[arg(long, value_name = "NAME")]
    framework: Option<String>,
}

/// Says what is wrong with the arguments, as clap would.
fn usage(text: &str) -> Exit {
    let error = Cli::command().error(clap::error::ErrorKind::ArgumentConflict, text);
    let _: std::io::Result<()> = error.print();
    Exit::Usage
}

fn parse_override(text: &str) -> Result<Override, String> {
    let (path, yaml) = text.split_once('=').ok_or("a field and its value are joined by `=`")?;
    let path = value::Path::parse(path);
    if path.0.is_empty() {
        return Err("no field is named before the `=`".to_owned());
    }
    Ok(Override {
        path,
        yaml: yaml.into(),
    })
}

/// Runs the command that the arguments of this process name.
#[must_use]
pub fn run() -> ExitCode {
    let exit = match Cli::try_parse() {
        Ok(cli) => cli.run(),
        Err(error) => {
            // Help and the version go to stdout, mistakes to stderr. A reader that has gone away has read enough.
            let _: std::io::Result<()> = error.print();
            if error.use_stderr() { Exit::Usage } else { Exit::Done }
        }
    };
    exit.into()
}

impl Cli {
    fn run(self) -> Exit {
        let Self { global, command } = self;
        let report = |format| global.report(format);
        match command {
            Command::Init(args) => init::run(&args, &global.here(), &report(ProblemFormat::Full)),
            Command::Completions(args) => completions::run(&args, &report(ProblemFormat::Full)),
            Command::Man(args) => man::run(&args, &report(ProblemFormat::Full)),
            Command::Plan(args) => global.within(args.format(), |it| plan::run(&args, it)),
            Command::Apply(args) => global.within(ProblemFormat::Full, |it| apply::run(&args, it)),
            Command::Mv(args) => global.within(args.format(), |it| mv::run(&args, it)),
            Command::Check(args) => global.within(args.output_format, |it| check::run(&args, it)),
            Command::Affected(args) => global.within(ProblemFormat::Full, |it| affected::run(&args, it)),
            Command::Blame(args) => global.within(ProblemFormat::Full, |it| blame::run(&args, it)),
            Command::Explain(args) => global.within(ProblemFormat::Full, |it| explain::run(&args, it)),
            Command::Watch(args) => global.within(ProblemFormat::Full, |it| watch::run(&args, it)),
            Command::Query(args) => global.within(ProblemFormat::Full, |it| query::run(&args, it)),
            Command::Graph(args) => global.within(ProblemFormat::Full, |it| graph::run(&args, it)),
            Command::Fmt(args) if args.reads_stdin() => fmt::run_on_stdin(&args, &report(ProblemFormat::Full)),
            Command::Fmt(args) => global.within(ProblemFormat::Full, |it| fmt::run(&args, it)),
            Command::Schema(args) => global.anywhere(|it| schema::run(&args, it)),
            Command::Pack(command) if command.writes() => {
                global.within(ProblemFormat::Full, |it| pack::run(&command, it))
            }
            Command::Pack(command) => global.anywhere(|it| pack::run(&command, it)),
            Command::Test(args) => global.within(ProblemFormat::Full, |it| test::run(&args, it)),
        }
    }
}

impl Global {
    fn report(&self, format: ProblemFormat) -> Report {
        let volume = match self.log {
            _ if self.quiet => Volume::Quiet,
            None => Volume::Normal,
            Some(Log::Steps) => Volume::Log,
            Some(Log::Trace) => Volume::Trace,
        };
        Report::new(self.color, volume, format)
    }

    fn here(&self) -> PathBuf {
        self.folder.clone().unwrap_or_else(|| PathBuf::from("."))
    }

    /// Runs `command` in the project in which this process was started.
    fn within(&self, format: ProblemFormat, command: impl FnOnce(&mut Session) -> Exit) -> Exit {
        self.with(format, discover::find_root(&self.here()), command)
    }

    /// Runs `command` in the project in which this process was started; where there is none, on what is built in alone.
    fn anywhere(&self, command: impl FnOnce(&mut Session) -> Exit) -> Exit {
        let here = self.here();
        let root = match discover::find_root(&here) {
            Err(problem) if problem.code == "shell::no_spec" => Ok(Root::empty(here)),
            other => other,
        };
        self.with(ProblemFormat::Full, root, command)
    }

    fn with(
        &self,
        format: ProblemFormat,
        root: Result<Root, Problem>,
        command: impl FnOnce(&mut Session) -> Exit,
    ) -> Exit {
        let report = self.report(format);
        match root.and_then(|root| Session::open(self.here(), root, report)) {
            Ok(session) => {
                // The process ends here: to give its memory back piece by piece takes a tenth of a short run.
                let mut session = ManuallyDrop::new(session);
                session.phases = self.timings.then(Vec::new);
                let exit = command(&mut session);
                session.say_timings();
                exit
            }
            Err(problem) => {
                report.problems(&[problem], &Sources::default());
                Exit::Failed
            }
        }
    }
}

/// The project that a command works on.
struct Session {
    /// Where the user stands: paths of the command line are relative to it.
    here: PathBuf,
    disk: Disk,
    engine: Engine,
    memory: session::Memory,
    report: Report,
    /// Where the time went, in order; none where nobody asked.
    phases: Option<Vec<Phase>>,
}

/// A part of a run.
struct Phase {
    name: &'static str,
    took: Duration,
    /// Its own parts, where they are known.
    parts: Vec<(&'static str, Duration)>,
}

impl Session {
    fn open(here: PathBuf, root: Root, report: Report) -> Result<Self, Problem> {
        let unusable = |folder: &Path, error: &std::io::Error| {
            Problem::error(
                "shell::no_folder",
                format!("the folder `{}` can't be used: {error}", folder.display()),
            )
            .help("name a folder that is there by `-C DIR`")
        };
        let disk = Disk::open(&root.folder).map_err(|it| unusable(&root.folder, &it))?;
        let here = std::fs::canonicalize(&here).map_err(|it| unusable(&here, &it))?;
        Ok(Self {
            here,
            disk,
            engine: Engine::watched(root, Database::told(report.tracer())),
            memory: session::Memory::default(),
            report,
            phases: None,
        })
    }

    /// Returns `paths`, as the user writes them, relative to the project.
    fn relative(&self, paths: &[PathBuf]) -> Result<Vec<String>, Problem> {
        let relative = |path: &PathBuf| session::relative(self.disk.root(), &self.here, path);
        let paths: Vec<String> = paths.iter().map(relative).collect::<Result<_, _>>()?;
        // The root of the project stands for all of it.
        Ok(if paths.iter().any(String::is_empty) {
            Vec::new()
        } else {
            paths
        })
    }

    /// Returns what `args` ask about. What they choose lies over the spec, and what they set over that.
    ///
    /// # Errors
    /// How the process ends where they choose what is not there; that has been said.
    fn ask(&mut self, args: &AskArgs) -> Result<Ask, Exit> {
        let mut ask = Ask {
            environments: args.environments.iter().map(|it| it.as_str().into()).collect(),
            overrides: Vec::new(),
        };
        if args.pattern.is_some() || args.framework.is_some() || !args.platforms.is_empty() {
            let (pattern, framework) = (args.pattern.as_deref(), args.framework.as_deref());
            let chosen = self.engine.choice(pattern, &args.platforms, framework);
            let mut overrides = chosen.value.clone();
            let exit = self.show(chosen, |_| Exit::Done);
            ask.overrides = overrides.take().filter(|_| exit == Exit::Done).ok_or(exit)?;
        }
        ask.overrides.extend(args.overrides.iter().cloned());
        Ok(ask)
    }

    /// Prints `problem`, and returns the exit code of a failure.
    fn fail(&self, problem: Problem) -> Exit {
        self.report.problems(&[problem], &Sources::default());
        Exit::Failed
    }

    /// Says what is wrong with the arguments, as clap would.
    fn usage(&self, text: &str) -> Exit {
        usage(text)
    }

    /// Prints the problems of `answer`, and hands its value, if there is one, to `show`.
    fn show<T>(&self, answer: Answer<T>, show: impl FnOnce(T) -> Exit) -> Exit {
        self.report.problems(&answer.problems, &answer.sources);
        let is_wrong = answer.problems.iter().any(Problem::is_error);
        match answer.value {
            Some(value) if !is_wrong => show(value),
            Some(value) => {
                show(value);
                Exit::Failed
            }
            None => Exit::Failed,
        }
    }

    /// Returns what the rules want: as an earlier process found out, as far as nothing has changed since.
    fn outcome(&mut self, ask: &Ask) -> Outcome {
        let recalled = self.timed("recall", |it| it.engine.recall(&it.disk));
        let outcome = self.timed("derive", |it| it.engine.outcome(ask));
        if let Err(why) = recalled {
            let how = if self.engine.is_resumed() {
                "went on from the last run"
            } else {
                "derived anew"
            };
            let but = self.engine.anew_because().filter(|_| !self.engine.is_resumed());
            let but = but.map(|it| format!("; {it}")).unwrap_or_default();
            self.report.log(|| format!("{how}: {why}{but}"));
        }
        // What goes on from an earlier run can do so again: it is kept once it is carried out.
        if self.engine.is_worth_keeping() {
            self.remember(ask, &outcome);
        }
        outcome
    }

    /// Keeps what the rules want for a later process.
    fn remember(&mut self, ask: &Ask, outcome: &Outcome) {
        self.timed("remember", |it| it.engine.remember(&it.disk, ask, outcome));
    }

    /// Runs `step`, and says how long it took to those who asked.
    fn timed<T>(&mut self, name: &'static str, step: impl FnOnce(&mut Self) -> T) -> T {
        let start = Instant::now();
        let result = step(self);
        let took = start.elapsed();
        self.report.log(|| format!("{name}: {:.1} ms", milliseconds(took)));
        let parts = self.engine.laps();
        if let Some(phases) = &mut self.phases {
            phases.push(Phase { name, took, parts });
        }
        result
    }

    /// Says where the time went since this was said last, to those who asked.
    fn say_timings(&mut self) {
        let line = |indent: &str, name: &str, took: Duration| {
            format!("{:<24} {:>9.1} ms", format!("{indent}{name}"), milliseconds(took))
        };
        let mut lines = Vec::new();
        let mut total = Duration::ZERO;
        for phase in self.phases.iter_mut().flat_map(std::mem::take) {
            total += phase.took;
            lines.push(line("", phase.name, phase.took));
            lines.extend(phase.parts.iter().map(|(name, took)| line("  ", name, *took)));
        }
        if !lines.is_empty() {
            lines.push(line("", "total", total));
            self.report.note(&lines.join("\n"));
        }
    }

    /// Adds to `document` where the time went, for machines that asked.
    fn add_timings(&self, document: &mut serde_json::Value) {
        let part = |name: &str, took: Duration| serde_json::json!({"phase": name, "ms": milliseconds(took)});
        let phase = |it: &Phase| {
            let mut phase = part(it.name, it.took);
            if !it.parts.is_empty() {
                phase["parts"] = it.parts.iter().map(|(name, took)| part(name, *took)).collect();
            }
            phase
        };
        if let Some(phases) = &self.phases {
            document["timings"] = phases.iter().map(phase).collect();
        }
    }
}

fn milliseconds(took: Duration) -> f64 {
    (took.as_secs_f64() * 10_000.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_field_is_set_by_its_path() {
        let set = parse_override("services.orders.env.A=b=c").expect("well formed");
        assert_eq!(
            (set.path.to_string().as_str(), &*set.yaml),
            ("services.orders.env.A", "b=c")
        );
        assert!(parse_override("nothing").is_err() && parse_override("=x").is_err());
    }
}
