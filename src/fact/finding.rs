//! What rules find fault with: `deny` and `warn`, at the nodes where they hold.

use crate::db::{Db, Project, View};
use crate::fact::guard::Guarded;
use crate::fact::matching;
use crate::problem::{Place, Problem, Severity};
use crate::rule::expression::Bound;
use crate::rule::file::Reach;
use crate::rule::model::Rule;
use crate::spec;
use crate::value::{Address, Name, Path};

/// Returns the rules that find fault with nodes of `kind`, and are anchored there.
#[salsa::tracked(returns(ref))]
fn critics(db: &dyn Db, project: Project, kind: Name, reach: Reach) -> Guarded {
    Guarded::new(db, project, &kind, |rule| match rule.body.pattern.first() {
        Some(first) if rule.finding.is_some() && rule.reach == reach => vec![(first.name.clone(), Vec::new())],
        _ => Vec::new(),
    })
}

/// Returns what the rules find that are anchored at one node, in one environment.
#[salsa::tracked(returns(deref))]
fn findings(db: &dyn Db, project: Project, environment: u16, reach: Reach, anchor: Address) -> Vec<Problem> {
    let view = View::finished(environment);
    let critics = critics(db, project, anchor.kind.clone(), reach);
    let found = critics.admitted(db, view, &anchor);
    found
        .flat_map(|it| found_by(db, project, environment, &it.rule, &it.anchor, &anchor))
        .collect()
}

fn found_by(
    db: &dyn Db,
    project: Project,
    environment: u16,
    rule: &Rule,
    variable: &Name,
    anchor: &Address,
) -> Vec<Problem> {
    let view = View::finished(environment);
    let Some(finding) = &rule.finding else {
        return Vec::new();
    };
    let matches = matching::matches(db, project, view, rule, variable, anchor);
    let mut problems = matches.problems;
    let name = spec::environments(db, project)
        .get(usize::from(environment))
        .map(|it| it.name.clone());
    for found in &matches.found {
        let said = matching::evaluated(db, project, view, rule, anchor, |run| {
            let help = finding.help.as_ref().map(|it| run.text(it, found)).transpose()?;
            let field = finding.field.as_ref().map(|it| run.text(it, found)).transpose()?;
            Ok((
                run.text(&finding.message, found)?,
                help,
                Path::parse(&field.unwrap_or_default()),
            ))
        });
        let (message, help, path) = match said {
            Ok(said) => said,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        let code = rule.id.replace('/', "::");
        let mut problem = match finding.severity {
            Severity::Error => Problem::error(code, message),
            Severity::Warning => Problem::warning(code, message),
        };
        if let Some(Bound::Node(node)) = found.get(&finding.at) {
            let environment = name.clone().filter(|it| !it.is_empty());
            problem = problem.at(
                Place::Field {
                    environment,
                    node: node.clone(),
                    path,
                },
                "here",
            );
        }
        problem.help = help.map(Into::into);
        problems.push(problem);
    }
    problems
}

/// Returns all that the rules find at one node, in one environment.
#[must_use]
pub fn at(db: &dyn Db, project: Project, environment: u16, anchor: &Address) -> Vec<Problem> {
    // What speaks of all environments at once is asked for in the first alone.
    let reaches = [Reach::Each, Reach::Across].into_iter();
    let reaches = reaches.filter(|it| *it == Reach::Each || environment == 0);
    let asked = reaches.filter(|it| !critics(db, project, anchor.kind.clone(), *it).is_empty());
    asked
        .flat_map(|it| findings(db, project, environment, it, anchor.clone()).iter().cloned())
        .collect()
}
