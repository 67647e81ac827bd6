//! Where the lines of a file come from, with lines and columns: for people and for machines.

use serde::Serialize;

use super::{Answer, Engine, answer};
use crate::artifact::provenance::{self, Input, Role, What, Whence};
use crate::db::Project;
use crate::problem::{Problem, Span, closest};
use crate::shell::report::Sources;
use crate::spec;
use crate::value::Name;

/// A place that a person can go to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Spot {
    /// The file.
    pub file: Name,
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// The environment whose overlay it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<Name>,
}

/// A file and where its lines come from.
#[derive(Clone, Debug, Serialize)]
pub struct Blamed {
    /// The version of this form.
    pub format: u32,
    /// The file.
    pub path: Name,
    /// The rule that prints it.
    pub rule: Name,
    /// Where the rule stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule_at: Option<Spot>,
    /// The node for which it is printed.
    pub node: Name,
    /// The environment, where the spec names any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<Name>,
    /// Its lines.
    pub lines: Vec<BlamedLine>,
}

/// A line and where it comes from.
#[derive(Clone, Debug, Serialize)]
pub struct BlamedLine {
    /// The number of the line.
    pub line: usize,
    /// Its characters.
    pub text: String,
    /// The line of the template; none for the head, which is the engine's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<Spot>,
    /// The values in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<BlamedValue>,
}

/// A value in a line.
#[derive(Clone, Debug, Serialize)]
pub struct BlamedValue {
    /// Its characters.
    pub value: String,
    /// How the template calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// What it was made of.
    pub inputs: Vec<BlamedInput>,
}

/// Something that a value was made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BlamedInput {
    /// What it is: `field`, `node`, `fact`, `edge`, `environment`, `data`, `rule`.
    pub kind: &'static str,
    /// Whether it only decided which value it is, and is no part of it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub decides: bool,
    /// What it is called.
    pub name: String,
    /// What it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Who says so: `spec`, `default`, `rule`, `engine`; `nobody` where a field is not set.
    pub said_by: &'static str,
    /// The rule that derives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<Name>,
    /// Where it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Spot>,
    /// What it overrode, the nearest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub over: Vec<Spot>,
}

/// The version of what machines read.
const FORMAT: u32 = 1;

impl Engine {
    /// Returns where the lines of the file at `path` come from, as the last outcome wants it.
    #[must_use]
    pub fn blame(&self, path: &str) -> Answer<Blamed> {
        let Some(project) = self.files.project() else {
            return answer(None, self.files.problems.clone(), Sources::default());
        };
        let sources = self.files.sources(&self.db, project);
        let mut problems: Vec<Problem> = self.located(project, &self.state.problems);
        problems.retain(Problem::is_error);
        let Some(fresh) = self.state.fresh.get(path) else {
            if problems.is_empty() {
                problems.push(self.no_artifact(path));
            }
            return answer(None, problems, sources);
        };
        let cell = fresh.cell.clone();
        let made = salsa::attach(&self.db, || provenance::blame(&self.db, project, &cell, path));
        let made = match made {
            Ok(made) => made,
            Err(found) => {
                problems.extend(self.located(project, &found));
                return answer(None, problems, sources);
            }
        };
        let environment = spec::environments(&self.db, project).get(usize::from(cell.environment));
        let environment = environment.map(|it| it.name.clone()).filter(|it| !it.is_empty());
        let texts = made
            .text
            .split_inclusive('\n')
            .map(|it| it.trim_end_matches('\n').to_owned());
        let lines = texts.zip(made.lines).enumerate().map(|(nth, (text, line))| BlamedLine {
            line: nth + 1,
            text,
            template: line.template.and_then(|(file, span)| spot(&sources, &file, span, None)),
            values: line
                .values
                .into_iter()
                .map(|it| BlamedValue {
                    value: provenance::shown(&it.value).unwrap_or_default(),
                    name: it.name,
                    inputs: it.inputs.iter().map(|it| input(&sources, it)).collect(),
                })
                .collect(),
        });
        let blamed = Blamed {
            format: FORMAT,
            path: path.into(),
            rule: cell.rule.clone(),
            rule_at: made.rule.and_then(|(file, span)| spot(&sources, &file, span, None)),
            node: cell.node.to_string().into(),
            environment,
            lines: lines.collect(),
        };
        answer(Some(blamed), problems, sources)
    }

    pub(super) fn no_artifact(&self, path: &str) -> Problem {
        let known: Vec<&str> = self.state.fresh.keys().map(|it| &**it).collect();
        let message = format!("`{path}` is no file that the rules want");
        let problem = Problem::error("blame::no_artifact", message);
        match closest(path, &known) {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None => problem.help("`gen plan` and `gen check` list what the rules want and what stands there"),
        }
    }

    /// Returns where a field of a node comes from, as machines read it.
    pub(super) fn whence(
        &self,
        project: Project,
        sources: &Sources,
        environment: u16,
        node: &crate::value::Address,
        path: &crate::value::Path,
        value: &crate::value::Value,
    ) -> BlamedInput {
        let whence = salsa::attach(&self.db, || {
            provenance::whence(&self.db, project, environment, node, path)
        });
        let found = Input {
            role: Role::Made,
            what: What::Field(node.clone(), path.clone()),
            value: value.clone(),
            whence,
        };
        input(sources, &found)
    }
}

/// Returns an input as machines read it.
pub(super) fn input(sources: &Sources, input: &Input) -> BlamedInput {
    let (kind, name) = match &input.what {
        What::Field(node, path) => ("field", format!("{node} {path}")),
        What::Node(node) => ("node", node.to_string()),
        What::Fact(node, relation) => ("fact", format!("{relation} of {node}")),
        What::Default(relation, path) => ("field", format!("{relation} {path}")),
        What::Edge(kind, from, to) => ("edge", format!("{from} {kind} {to}")),
        What::Environment => ("environment", provenance::shown(&input.value).unwrap_or_default()),
        What::Data => ("data", "data".to_owned()),
        What::Rule(rule) => ("rule", rule.to_string()),
    };
    let value = provenance::shown(&input.value);
    let (said_by, rule, at, over) = match &input.whence {
        Whence::Spec(written) => {
            let spot = |it: &spec::Written| spot(sources, &it.file, it.span, it.environment.clone());
            let mut spots = written.iter().filter_map(spot);
            let at = spots.next();
            ("spec", None, at, spots.collect())
        }
        Whence::Default(file, span) => ("default", None, spot(sources, file, *span, None), Vec::new()),
        Whence::Rule(rule, place) => {
            let at = place.as_ref().and_then(|(file, span)| spot(sources, file, *span, None));
            ("rule", Some(rule.clone()), at, Vec::new())
        }
        Whence::Engine if kind == "field" && value.is_none() => ("nobody", None, None, Vec::new()),
        Whence::Engine => ("engine", None, None, Vec::new()),
    };
    BlamedInput {
        decides: input.role == Role::Decides,
        kind,
        name,
        value,
        said_by,
        rule,
        at,
        over,
    }
}

/// Returns where `span` of `file` begins.
pub(super) fn spot(sources: &Sources, file: &Name, span: Span, environment: Option<Name>) -> Option<Spot> {
    let text = sources.get(file)?;
    let mut at = (span.start as usize).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let before = &text[..at];
    let start = before.rfind('\n').map_or(0, |it| it + 1);
    Some(Spot {
        file: file.clone(),
        line: before.matches('\n').count() + 1,
        column: before[start..].chars().count() + 1,
        environment,
    })
}
