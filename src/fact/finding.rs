//! What rules find fault with: `deny` and `warn`, at the nodes where they hold.

use crate::db::{Db, Project, View};
use crate::fact::{matching, shape};
use crate::problem::{Place, Problem, Severity};
use crate::rule::expression::Bound;
use crate::rule::file::Reach;
use crate::rule::set;
use crate::spec;
use crate::value::{Address, Name, Path};

/// Returns what `rule` finds at one node, in one environment.
#[salsa::tracked(returns(deref))]
pub fn findings(db: &dyn Db, project: Project, environment: u16, rule: Name, anchor: Address) -> Vec<Problem> {
    let view = View::finished(environment);
    let Some(rule) = set::rule(db, project, rule) else {
        return Vec::new();
    };
    let (Some(finding), Some(first)) = (&rule.finding, rule.body.pattern.first()) else {
        return Vec::new();
    };
    let matches = matching::matches(db, project, view, rule, &first.name, &anchor);
    let mut problems = matches.problems;
    let name = spec::environments(db, project)
        .get(usize::from(environment))
        .map(|it| it.name.clone());
    for found in &matches.found {
        let said = matching::evaluated(db, project, view, rule, &anchor, |run| {
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
        let usual = || {
            format!(
                "`{}` says so; a rule is turned off by `disable: [{}]`",
                rule.id, rule.id
            )
        };
        problem.help = Some(help.unwrap_or_else(usual).into());
        problems.push(problem);
    }
    problems
}

/// Returns all that the rules find in one environment.
#[must_use]
pub fn all(db: &dyn Db, project: Project, environment: u16) -> Vec<Problem> {
    let mut problems = Vec::new();
    for id in set::ids(db, project) {
        let Some(rule) = set::rule(db, project, id.clone()) else {
            continue;
        };
        // What speaks of all environments at once is asked for in the first alone.
        if rule.finding.is_none() || (rule.reach == Reach::Across && environment != 0) {
            continue;
        }
        for anchor in shape::anchors(db, project, View::finished(environment), rule) {
            problems.extend(findings(db, project, environment, id.clone(), anchor).iter().cloned());
        }
    }
    problems
}
