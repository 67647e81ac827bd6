//! What rules find fault with: `deny` and `warn`, at the nodes where they hold.

use serde::{Deserialize, Serialize};

use crate::db::{Db, Project, View};
use crate::fact::guard::Guarded;
use crate::fact::matching;
use crate::problem::{Place, Problem, Severity};
use crate::rule::expression::Bound;
use crate::rule::file::Reach;
use crate::rule::model::Rule;
use crate::spec;
use crate::value::{Address, Name, Path};

/// How far a rule looks that finds fault with a node. Rules are asked apart by it: what lies around a node is soon looked
/// at, and what is looked up takes all nodes that may be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Sight {
    /// To what lies around the node.
    Around,
    /// To all nodes that `join:` may find.
    LookUp,
    /// To all environments.
    Across,
}

impl Sight {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Around, Self::LookUp, Self::Across];

    /// Returns how far `rule` looks.
    #[must_use]
    pub fn of(rule: &Rule) -> Self {
        match rule.reach {
            Reach::Across => Self::Across,
            Reach::Each if rule.body.joins.is_empty() => Self::Around,
            Reach::Each => Self::LookUp,
        }
    }
}

/// Returns the rules that find fault with nodes of `kind`, and are anchored there.
#[salsa::tracked(returns(ref))]
fn critics(db: &dyn Db, project: Project, kind: Name, sight: Sight) -> Guarded {
    Guarded::new(db, project, &kind, |rule| match rule.body.pattern.first() {
        Some(first) if rule.finding.is_some() && Sight::of(rule) == sight => vec![(first.name.clone(), Vec::new())],
        _ => Vec::new(),
    })
}

/// Returns what the rules find that are anchored at one node, in one environment.
#[salsa::tracked(returns(deref))]
fn findings(db: &dyn Db, project: Project, environment: u16, sight: Sight, anchor: Address) -> Vec<Problem> {
    let view = View::finished(environment);
    let critics = critics(db, project, anchor.kind.clone(), sight);
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

/// Returns what the rules that look so far find at one node, in one environment.
#[must_use]
pub fn at<'db>(db: &'db dyn Db, project: Project, environment: u16, sight: Sight, anchor: &Address) -> &'db [Problem] {
    // What speaks of all environments at once is asked for in the first alone.
    let is_elsewhere = sight == Sight::Across && environment != 0;
    if is_elsewhere || critics(db, project, anchor.kind.clone(), sight).is_empty() {
        return &[];
    }
    findings(db, project, environment, sight, anchor.clone())
}
