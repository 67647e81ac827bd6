//! `gen explain`: what there is to say of a node, a rule, a file or the code of a problem.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;

use super::super::engine::{NodePage, RulePage, Thing, nearest_problem, problem_page};
use super::super::report::Exit;
use super::super::session;
use super::blame::{place, whence, words};
use super::listing::{self, Tense};
use super::{AskArgs, Session};
use crate::plan::Decisions;
use crate::problem::Problem;

/// Say what there is to say of a node, a rule, a generated file, or the code of a problem
#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// A node (`service.orders`, or `orders` alone), a rule (`pack/rule`), a file, or a code (`spec::unknown_target`)
    #[arg(value_name = "THING")]
    thing: String,
    /// The node at which a rule is tried
    #[arg(value_name = "NODE")]
    node: Option<String>,
    #[command(flatten)]
    ask: AskArgs,
    /// List defaults, and nodes at which a rule does not hold, too
    #[arg(long)]
    all: bool,
    /// Print all of it for machines
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &ExplainArgs, session: &mut Session) -> Exit {
    if args.thing.contains("::") {
        return code(args, session);
    }
    let ask = match session.ask(&args.ask) {
        Ok(ask) => ask,
        Err(exit) => return exit,
    };
    let outcome = session.engine.outcome(&ask);
    let relative = session.relative(&[PathBuf::from(&args.thing)]);
    if let Ok(paths) = relative
        && let [path] = paths.as_slice()
        && is_file(session, &outcome, path)
    {
        return file(args, session, path);
    }
    let answer = session.engine.explain(&ask, &args.thing, args.node.as_deref());
    session.show(answer, |thing| {
        let text = match (&thing, args.json) {
            (Thing::Node(pages), true) => format!("{:#}\n", serde_json::json!({"format": 1, "nodes": pages})),
            (Thing::Rule(page), true) => format!("{:#}\n", serde_json::json!({"format": 1, "rule": page})),
            (Thing::Node(pages), false) => pages.iter().map(|it| node(it, args.all)).collect(),
            (Thing::Rule(page), false) => rule(page, args.all || args.node.is_some()),
        };
        session.report.result(&text);
        Exit::Done
    })
}

fn code(args: &ExplainArgs, session: &Session) -> Exit {
    match problem_page(&args.thing) {
        Some(page) => {
            session.report.result(page);
            Exit::Done
        }
        None => {
            let message = format!("there is no problem `{}`", args.thing);
            let problem = Problem::error("explain::unknown", message);
            session.fail(problem.help(match nearest_problem(&args.thing) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "its code stands above each problem; a rule's own findings bear the rule's name".to_owned(),
            }))
        }
    }
}

fn is_file(session: &Session, outcome: &super::super::engine::Outcome, path: &str) -> bool {
    let is_wanted = outcome.wanted.iter().any(|it| it.path.as_str() == path);
    let is_recorded = || {
        let manifest = super::super::manifest::Manifest::load(&session.disk);
        manifest.is_ok_and(|it| it.0.records().iter().any(|it| it.path.as_str() == path))
    };
    is_wanted || is_recorded()
}

/// Says whether a file is fresh, and why not.
fn file(args: &ExplainArgs, session: &mut Session, path: &str) -> Exit {
    let ask = match session.ask(&args.ask) {
        Ok(ask) => ask,
        Err(exit) => return exit,
    };
    let outcome = session.engine.outcome(&ask);
    if outcome.is_invalid() {
        session.report.problems(&outcome.problems, &outcome.sources);
        return Exit::Failed;
    }
    let scope = session::scope(&ask, &outcome, vec![path.to_owned()]);
    let mut planned = session::prepare(&session.disk, &outcome, &scope, &Decisions::default());
    let why = session::give_reasons(&session.disk, &mut session.engine, &ask, &mut planned);
    if args.json {
        let document = crate::plan::json::document(&planned.plan, |_| None);
        let mut document = serde_json::to_value(document).expect("a plan is plain data");
        document["path"] = path.into();
        document["fresh"] = planned.is_fresh().into();
        session.report.result(&format!("{document:#}\n"));
        return Exit::Done;
    }
    let blamed = session.engine.blame(path).value;
    let mut text = String::new();
    if let Some(blamed) = &blamed {
        _ = write!(text, "{path}  {}", blamed.rule);
        if let Some(at) = &blamed.rule_at {
            _ = write!(text, " ({}:{})", at.file, at.line);
        }
        _ = writeln!(text, "  for {}", blamed.node);
    }
    if planned.plan.entries.is_empty() {
        let kept = planned.plan.kept.iter().any(|it| it.path.as_str() == path);
        text.push_str(if kept {
            "kept, as you chose\n"
        } else {
            "fresh: it holds what the rule prints now\n"
        });
    }
    for entry in &planned.plan.entries {
        text.push_str(&listing::line(entry, Tense::Future, 0));
    }
    session.report.result(&text);
    if let Some(note) = listing::unknown(why) {
        session.report.note(note);
    }
    Exit::Done
}

fn node(page: &NodePage, all: bool) -> String {
    let mut text = page.node.to_string();
    if let Some(environment) = &page.environment {
        _ = write!(text, " in {environment}");
    }
    _ = writeln!(text, "  {}", whence(&page.declared));
    let mut n_defaults = 0;
    for field in &page.fields {
        if field.said_by == "default" && !all {
            n_defaults += 1;
            continue;
        }
        let words = words(field);
        _ = writeln!(
            text,
            "  {}",
            words.strip_prefix(&*page.node).unwrap_or(&words).trim_start()
        );
    }
    if n_defaults > 0 {
        _ = writeln!(
            text,
            "  and {n_defaults} fields as the packs have them: `--all` lists them"
        );
    }
    if !page.edges.is_empty() {
        text.push_str("edges\n");
    }
    for edge in &page.edges {
        let fields = if edge.fields == "{}" { "" } else { &edge.fields };
        _ = writeln!(text, "  {} -[{}]-> {}  {fields}", edge.from, edge.kind, edge.to);
    }
    if !page.facts.is_empty() {
        text.push_str("facts\n");
    }
    for fact in &page.facts {
        let rules: Vec<String> = fact
            .rules
            .iter()
            .map(|(rule, at)| {
                at.as_ref()
                    .map_or_else(|| rule.to_string(), |at| format!("{rule} ({})", place(at)))
            })
            .collect();
        _ = writeln!(
            text,
            "  {} {}  by {}",
            fact.relation,
            listing::excerpt(&fact.value),
            rules.join(", ")
        );
    }
    if !page.files.is_empty() {
        text.push_str("files\n");
    }
    for (path, rule) in &page.files {
        _ = writeln!(text, "  {path}  {rule}");
    }
    text.lines().map(|it| format!("{}\n", it.trim_end())).collect()
}

fn rule(page: &RulePage, all: bool) -> String {
    let mut text = page.rule.to_string();
    if let Some(at) = &page.at {
        _ = write!(text, "  {}", place(at));
    }
    text.push('\n');
    if let Some(doc) = &page.doc {
        _ = writeln!(text, "  {doc}");
    }
    _ = writeln!(text, "  match {}", page.pattern);
    let n_held = page.nodes.iter().filter(|it| it.holds > 0).count();
    _ = writeln!(text, "holds at {n_held} of {} nodes", page.nodes.len());
    for it in page.nodes.iter().filter(|it| all || it.holds > 0) {
        let environment = it
            .environment
            .as_ref()
            .map_or_else(String::new, |it| format!(" in {it}"));
        _ = write!(text, "  {}{environment}", it.node);
        match (&it.fails, it.holds) {
            (Some(why), _) => _ = write!(text, ": {why}"),
            (None, 1) => {}
            (None, n) => _ = write!(text, ": {n} times"),
        }
        if let Some(at) = &it.at {
            _ = write!(text, "  {}", place(at));
        }
        text.push('\n');
    }
    text
}
