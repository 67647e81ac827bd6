//! What there is to say of one node, and of one rule.

use std::collections::BTreeSet;

use serde::Serialize;

use super::blame::{self, BlamedInput, Spot};
use super::{Answer, Ask, Engine, answer};
use crate::artifact::provenance::{self, shown};
use crate::db::{Project, View};
use crate::fact::matching::trial::{Trial, trial};
use crate::fact::{self, shape};
use crate::kind::pack;
use crate::problem::{Place, Problem};
use crate::rule::model::Rule;
use crate::rule::set;
use crate::shell::report::Sources;
use crate::spec;
use crate::value::{Address, Name, Path, Value};

/// What there is to say of a node in one environment.
#[derive(Clone, Debug, Serialize)]
pub struct NodePage {
    /// Its address.
    pub node: Name,
    /// The environment, where the spec names any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<Name>,
    /// Where it comes from.
    pub declared: BlamedInput,
    /// Its fields.
    pub fields: Vec<BlamedInput>,
    /// Its edges, both ways.
    pub edges: Vec<EdgeLine>,
    /// The facts about it.
    pub facts: Vec<FactLine>,
    /// The files that are made for it: the path and the rule.
    pub files: Vec<(Name, Name)>,
}

/// An edge at a node.
#[derive(Clone, Debug, Serialize)]
pub struct EdgeLine {
    /// Its kind.
    pub kind: Name,
    /// Where it starts.
    pub from: Name,
    /// Where it ends.
    pub to: Name,
    /// Its fields.
    pub fields: String,
}

/// A fact about a node.
#[derive(Clone, Debug, Serialize)]
pub struct FactLine {
    /// The relation.
    pub relation: Name,
    /// What it says.
    pub value: String,
    /// The rules that derive it, and where they stand.
    pub rules: Vec<(Name, Option<Spot>)>,
}

/// What there is to say of a rule.
#[derive(Clone, Debug, Serialize)]
pub struct RulePage {
    /// Its name.
    pub rule: Name,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doc: Option<Name>,
    /// Where it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Spot>,
    /// Its pattern.
    pub pattern: Name,
    /// In each environment, how far it comes at each node of its kinds.
    pub nodes: Vec<RuleAtNode>,
}

/// How far a rule comes at a node.
#[derive(Clone, Debug, Serialize)]
pub struct RuleAtNode {
    /// The environment, where the spec names any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<Name>,
    /// The node.
    pub node: Name,
    /// How many times it holds.
    pub holds: usize,
    /// At which step it fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fails: Option<String>,
    /// Where that stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Spot>,
}

/// What an argument of `explain` stands for, apart from files.
#[derive(Clone, Debug)]
pub enum Thing {
    /// A node, in each environment that is asked for.
    Node(Vec<NodePage>),
    /// A rule.
    Rule(Box<RulePage>),
}

impl Engine {
    /// Returns what there is to say of what `name` names: a node, or a rule, at `node` alone if there is one.
    pub fn explain(&mut self, ask: &Ask, name: &str, node: Option<&str>) -> Answer<Thing> {
        let outcome = self.outcome(ask);
        let Some(project) = self.files.project() else {
            return answer(None, outcome.problems, outcome.sources);
        };
        let sources = self.files.sources(&self.db, project);
        let mut problems: Vec<Problem> = outcome.problems.into_iter().filter(Problem::is_error).collect();
        if let Some(rule) = self.rule_named(project, name) {
            let page = self.rule_page(project, &sources, ask, &rule, node);
            return match page {
                Ok(page) => answer(Some(Thing::Rule(Box::new(page))), problems, sources),
                Err(problem) => {
                    problems.push(problem);
                    answer(None, problems, sources)
                }
            };
        }
        if set::written(&self.db, project).contains(name) {
            problems.push(not_in_force(name));
            return answer(None, problems, sources);
        }
        let views = self.views(project, ask);
        let pages: Vec<NodePage> = match self.node_named(project, &views, name) {
            Ok(address) => views
                .into_iter()
                .filter_map(|(view, environment)| self.node_page(project, &sources, view, environment, &address))
                .collect(),
            Err(problem) => {
                problems.push(problem);
                return answer(None, problems, sources);
            }
        };
        answer(Some(Thing::Node(pages)), problems, sources)
    }

    /// Returns the node of this address in `views`, or the only one of this name: one that a rule adds, too.
    fn node_named(&self, project: Project, views: &[(View, Option<Name>)], name: &str) -> Result<Address, Problem> {
        let snapshots = views.iter().map(|it| shape::snapshot(&self.db, project, it.0));
        let known: BTreeSet<&Address> = snapshots.flat_map(|it| it.nodes()).collect();
        let whole = shape::parse_address(name).filter(|it| known.contains(it));
        let mut named = known
            .iter()
            .filter(|it| *it.name == *name && *it.kind != *shape::PROJECT);
        match (whole, named.next(), named.next()) {
            (Some(address), ..) => Ok(address),
            (None, Some(address), None) => Ok((*address).clone()),
            _ => {
                let mut all: Vec<String> = known.iter().map(ToString::to_string).collect();
                all.extend(set::ids(&self.db, project).iter().map(ToString::to_string));
                all.extend(self.state.fresh.keys().map(ToString::to_string));
                Err(unknown(name, &all))
            }
        }
    }

    fn views(&self, project: Project, ask: &Ask) -> Vec<(View, Option<Name>)> {
        let all = (0_u16..).zip(spec::environments(&self.db, project));
        let asked = all.filter(|(_, it)| ask.environments.is_empty() || ask.environments.contains(&it.name));
        asked
            .map(|(nth, it)| (View::finished(nth), Some(it.name.clone()).filter(|it| !it.is_empty())))
            .collect()
    }

    /// Returns the rule of this full name, or the only one of this name.
    fn rule_named(&self, project: Project, name: &str) -> Option<Name> {
        let ids = set::ids(&self.db, project);
        if let Some(id) = ids.iter().find(|it| &***it == name) {
            return Some(id.clone());
        }
        let mut named = ids.iter().filter(|it| it.rsplit('/').next() == Some(name));
        match (named.next(), named.next()) {
            (Some(id), None) => Some(id.clone()),
            _ => None,
        }
    }

    fn node_page(
        &self,
        project: Project,
        sources: &Sources,
        view: View,
        environment: Option<Name>,
        address: &Address,
    ) -> Option<NodePage> {
        let db = &self.db;
        salsa::attach(db, || {
            let node = shape::node(db, project, view, address)?;
            let whence =
                |path: &Path, value: &Value| self.whence(project, sources, view.environment, address, path, value);
            let mut fields = Vec::new();
            leaves(
                &Path::default(),
                &Value::Map(node.fields.clone()),
                &mut |path, value| {
                    fields.push(whence(path, value));
                },
            );
            let snapshot = shape::snapshot(db, project, view);
            let mut edges = Vec::new();
            if let Some(at) = snapshot.index(address) {
                for kind in snapshot.edge_kinds() {
                    let line = |from: &Address, to: &Address, fields: &crate::value::Map| EdgeLine {
                        kind: kind.clone(),
                        from: from.to_string().into(),
                        to: to.to_string().into(),
                        fields: written(&Value::Map(fields.clone())),
                    };
                    let out = snapshot.outgoing(at, &kind);
                    edges.extend(out.map(|(far, fields)| line(address, snapshot.address(far), fields)));
                    let into = snapshot.incoming(at, &kind);
                    edges.extend(into.map(|(far, fields)| line(snapshot.address(far), address, fields)));
                }
            }
            let mut facts = Vec::new();
            let relations = pack::schema(db, project).relations.keys();
            for relation in relations {
                for fact in fact::of(db, project, view.environment, address, relation) {
                    let place = |id: &Name| {
                        let found = provenance::rule_place(db, project, id);
                        (
                            id.clone(),
                            found.and_then(|(file, span)| blame::spot(sources, &file, span, None)),
                        )
                    };
                    facts.push(FactLine {
                        relation: relation.clone(),
                        value: written(&Value::Map(fact.fields.clone())),
                        rules: fact.rules.iter().map(place).collect(),
                    });
                }
            }
            let of_node = |it: &&crate::artifact::fresh::Fresh| {
                it.cell.node == *address && it.cell.environment == view.environment
            };
            let files = self.state.fresh.iter().filter(|it| of_node(&it.1));
            Some(NodePage {
                node: address.to_string().into(),
                environment,
                declared: whence(&Path::default(), &Value::Null),
                fields,
                edges,
                facts,
                files: files.map(|(path, it)| (path.clone(), it.rule.clone())).collect(),
            })
        })
    }

    fn rule_page(
        &self,
        project: Project,
        sources: &Sources,
        ask: &Ask,
        id: &Name,
        node: Option<&str>,
    ) -> Result<RulePage, Problem> {
        let db = &self.db;
        let source = set::source(db, project, id.clone());
        let at = provenance::rule_place(db, project, id);
        let mut page = RulePage {
            rule: id.clone(),
            doc: source.as_ref().and_then(|it| it.doc.clone()),
            at: at.and_then(|(file, span)| blame::spot(sources, &file, span, None)),
            pattern: source
                .as_ref()
                .and_then(|it| it.pattern.as_ref())
                .map_or_else(Name::default, |it| it.text.clone()),
            nodes: Vec::new(),
        };
        let Some(rule) = set::rule(db, project, id.clone()) else {
            return Ok(page);
        };
        let anchor = anchor(rule);
        for (view, environment) in self.views(project, ask) {
            let nodes = match node {
                None => shape::nodes_of(db, project, view, rule, &anchor),
                Some(name) => vec![self.node_named(project, &[(view, environment.clone())], name)?],
            };
            for address in nodes {
                let tried = salsa::attach(db, || trial(db, project, view, rule, &anchor, &address));
                let (holds, fails, place) = self.said(project, id, rule, &anchor, tried);
                page.nodes.push(RuleAtNode {
                    environment: environment.clone(),
                    node: address.to_string().into(),
                    holds,
                    fails,
                    at: place.and_then(|it| match it {
                        Place::Text(file, span) => blame::spot(sources, &file, span, None),
                        _ => None,
                    }),
                });
            }
        }
        Ok(page)
    }

    fn said(
        &self,
        project: Project,
        id: &Name,
        rule: &Rule,
        anchor: &Name,
        tried: Trial,
    ) -> (usize, Option<String>, Option<Place>) {
        let source = set::source(&self.db, project, id.clone());
        let source = source.as_ref();
        match tried {
            Trial::Holds(n) => (n, None, None),
            Trial::OtherKind => {
                let kinds: Vec<String> = rule.body.kinds_of(anchor).iter().map(ToString::to_string).collect();
                let text = format!("`{anchor}` is of another kind: {}", kinds.join(" or "));
                (0, Some(text), source.and_then(|it| Some(it.pattern.as_ref()?.place())))
            }
            Trial::NoMatch => {
                let pattern = source.and_then(|it| it.pattern.as_ref());
                let text = format!("`match` finds nothing: {}", pattern.map_or("", |it| &it.text));
                (0, Some(text), pattern.map(|it| it.place()))
            }
            Trial::Exists(nth) => {
                let written = source.and_then(|it| it.exists.get(nth));
                let text = format!("`exists` finds nothing: {}", written.map_or("", |it| &it.text));
                (0, Some(text), written.map(|it| it.place()))
            }
            Trial::Unless(nth) => {
                let written = source.and_then(|it| it.unless.get(nth));
                let text = format!("`unless` finds something: {}", written.map_or("", |it| &it.text));
                (0, Some(text), written.map(|it| it.place()))
            }
            Trial::Empty(nth) => {
                let written = source.and_then(|it| it.each.get(nth));
                let text = written.map_or_else(String::new, |it| format!("{}: {}", it.0, it.1.text));
                let text = format!("`each` walks nothing: {text}");
                (0, Some(text), written.map(|it| it.1.place()))
            }
            Trial::When(nth) => {
                let written = source.and_then(|it| it.when.get(nth));
                let text = format!("`when` does not hold: {}", rule.body.when[nth].source());
                (0, Some(text), written.map(|it| it.place()))
            }
            Trial::Failed(reason) => (0, Some(format!("it fails: {reason}")), None),
        }
    }
}

/// Returns the variable around which a rule is run.
fn anchor(rule: &Rule) -> Name {
    let of_artifact = rule.artifact.as_ref().map(|it| it.per[0].clone());
    let of_facts = || rule.facts.first().map(|it| it.of.clone());
    let of_finding = || rule.finding.as_ref().map(|it| it.at.clone());
    let first = || rule.body.pattern.first().map(|it| it.name.clone());
    of_artifact
        .or_else(of_facts)
        .or_else(of_finding)
        .or_else(first)
        .unwrap_or_default()
}

/// How many things are suggested of which one may be meant.
const SUGGESTED: usize = 3;

fn unknown(name: &str, known: &[String]) -> Problem {
    let message = format!("there is no node, rule, file or problem `{name}`");
    let problem = Problem::error("explain::unknown", message);
    // A name without its kind, its pack or its folder.
    let bare = |it: &'_ String| -> usize { it.rfind('/').or_else(|| it.find('.')).map_or(0, |at| at + 1) };
    let whole = known.iter().map(|it| (it.as_str(), it));
    let shortened = known.iter().filter(|it| bare(it) > 0).map(|it| (&it[bare(it)..], it));
    let written: Vec<(&str, &String)> = whole.chain(shortened).collect();
    let names: Vec<&str> = written.iter().map(|it| it.0).collect();
    let meant = match names.contains(&name) {
        true => Some(name),
        false => crate::problem::closest(name, &names),
    };
    let named = written.iter().filter(|it| Some(it.0) == meant);
    let mut named: Vec<String> = named.map(|it| format!("`{}`", it.1)).collect();
    if named.is_empty() {
        return problem
            .help("name a node as `service.orders`, a rule as `pack/rule`, a file by its path, a problem by its code");
    }
    if named.len() > SUGGESTED {
        named.truncate(SUGGESTED);
        named.push("others".to_owned());
    }
    problem.help(format!("did you mean {}?", named.join(" or ")))
}

fn not_in_force(rule: &str) -> Problem {
    Problem::error("explain::not_in_force", format!("the rule `{rule}` says nothing in this project")).help(
        "it is disabled or replaced, or its pack is for platforms that nothing in the spec names: `--platform` asks what if",
    )
}

fn leaves(path: &Path, value: &Value, each: &mut dyn FnMut(&Path, &Value)) {
    match value {
        Value::Map(map) if !map.is_empty() => map
            .iter()
            .for_each(|(key, it)| leaves(&path.join(key.clone()), it, each)),
        Value::Map(_) => {}
        Value::List(items) if !items.is_empty() => {
            for (nth, it) in items.iter().enumerate() {
                leaves(&path.join(nth.to_string()), it, each);
            }
        }
        Value::List(_) | Value::Null => {}
        scalar => each(path, scalar),
    }
}

/// Writes a value on one line.
fn written(value: &Value) -> String {
    match value {
        Value::Map(map) => {
            let entries: Vec<String> = map.iter().map(|(key, it)| format!("{key}: {}", written(it))).collect();
            format!("{{{}}}", entries.join(", "))
        }
        Value::List(items) => format!("[{}]", items.iter().map(written).collect::<Vec<_>>().join(", ")),
        Value::Null => "null".to_owned(),
        scalar => shown(scalar).unwrap_or_default(),
    }
}
