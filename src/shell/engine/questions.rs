//! What commands ask of the engine besides artifacts: bindings of a pattern, drawings, the schema, packs.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::{Answer, Ask, Bindings, Case, Engine, GraphForm, Origin, Pack, PackFile, answer, cases};
use crate::db::{Project, View};
use crate::fact::shape;
use crate::fact::world::NODES;
use crate::graph::draw::{self, Drawing};
use crate::graph::pattern::{Bound, Pattern, Still, Walk};
use crate::graph::{Edge, Snapshot};
use crate::kind::{Schema, json_schema, pack};
use crate::problem::{Place, Problem};
use crate::rule::expression::World as _;
use crate::rule::set;
use crate::shell::report::Sources;
use crate::spec;
use crate::value::{Address, Name};

/// How many steps a query may take.
const MAX_STEPS: u64 = 50_000_000;

/// The name under which a pattern of the command line is shown.
const PATTERN: &str = "<pattern>";

impl Engine {
    /// Returns the bindings of `pattern` in each environment that is asked for: the environment's name, if it has
    /// one, and the bindings.
    pub fn query(&mut self, ask: &Ask, pattern: &str) -> Answer<Vec<(Option<Name>, Bindings)>> {
        let Some(project) = self.load(ask) else {
            return self.unread();
        };
        let mut sources = self.files.sources(&self.db, project);
        sources.insert(PATTERN.into(), pattern.into());
        let place = |span| Place::Text(PATTERN.into(), span);
        let schema = pack::schema(&self.db, project);
        let (read, problems) = Pattern::read(pattern, schema, &place);
        let Some(read) = read else {
            return answer(None, problems, sources);
        };
        let walk = match Walk::new(Arc::new(read.clone()), &[], &[]) {
            Ok(walk) => walk,
            Err(_) => return answer(None, problems, sources),
        };
        let variables: Vec<Name> = read
            .variables()
            .iter()
            .filter(|it| matches!(it.ty, crate::kind::Type::Node(_)))
            .map(|it| it.name.clone())
            .collect();
        let mut answers = Vec::new();
        let mut problems = problems;
        for (environment, name) in self.asked(project, ask) {
            let view = View::finished(environment);
            let snapshot = shape::snapshot(&self.db, project, view);
            let field = |node: &Address, name: &str| NODES.field(&self.db, view, node, name);
            let world = Still {
                snapshot,
                field: &field,
            };
            match walk.matches(&world, &[], MAX_STEPS) {
                Err(overrun) => problems.push(overrun.problem(place(crate::problem::Span::new(0, pattern.len())))),
                Ok(found) => {
                    let mut rows: Vec<Vec<Address>> = found
                        .iter()
                        .map(|it| it.0.iter().filter_map(Bound::as_node).cloned().collect())
                        .collect();
                    rows.sort();
                    rows.dedup();
                    let name = Some(name).filter(|it| !it.is_empty());
                    answers.push((
                        name,
                        Bindings {
                            variables: variables.clone(),
                            rows,
                        },
                    ));
                }
            }
        }
        answer(Some(answers), problems, sources)
    }

    /// Returns the graph of each environment that is asked for, drawn as one text.
    pub fn graph(&mut self, ask: &Ask, form: GraphForm) -> Answer<String> {
        let Some(project) = self.load(ask) else {
            return self.unread();
        };
        let mut text = String::new();
        let asked = self.asked(project, ask);
        for (environment, name) in &asked {
            let drawing = self.drawing(project, *environment);
            if asked.len() > 1 && form == GraphForm::Text {
                text.push_str(&format!("environment {name}\n"));
            }
            text.push_str(&match form {
                GraphForm::Text => draw::text(&drawing),
                GraphForm::Dot => draw::dot(&drawing),
                GraphForm::Mermaid => draw::mermaid(&drawing),
                GraphForm::Svg => draw::svg(&drawing),
            });
            // A picture is of one environment: the first that was asked for.
            if form != GraphForm::Text {
                break;
            }
        }
        let problems = shape::problems(&self.db, project, asked.first().map_or(0, |it| it.0));
        answer(
            Some(text),
            self.located(project, &problems),
            self.files.sources(&self.db, project),
        )
    }

    /// Returns what is drawn of an environment: its start order, without the node that stands for the whole project.
    fn drawing(&self, project: Project, environment: u16) -> Drawing {
        let snapshot = shape::snapshot(&self.db, project, View::finished(environment));
        let nodes = snapshot
            .nodes()
            .iter()
            .filter(|it| *it.kind != *shape::PROJECT)
            .cloned()
            .collect();
        let order = Name::from(shape::STARTS_AFTER);
        let address = |it: u32| snapshot.address(it).clone();
        let edges = snapshot.edges(&order);
        let edges =
            edges.map(|(from, to, fields)| Edge::new(address(from), order.clone(), address(to), fields.clone()));
        let drawn = Snapshot::new(nodes, edges.collect());
        Drawing::new(&drawn, std::slice::from_ref(&order))
    }

    /// Returns the JSON Schema of the spec, as the packs of this project make it.
    pub fn schema(&mut self) -> Answer<serde_json::Value> {
        let Some(project) = self.load(&Ask::default()) else {
            return self.unread();
        };
        let schema = json_schema::json_schema(pack::schema(&self.db, project));
        answer(Some(schema), Vec::new(), Sources::default())
    }

    /// Returns all that the packs of this project declare.
    pub fn declared(&mut self) -> Option<Schema> {
        let project = self.load(&Ask::default())?;
        Some(pack::schema(&self.db, project).clone())
    }

    /// Returns the packs that there are, sorted by name.
    pub fn packs(&mut self) -> Answer<Vec<Pack>> {
        let Some(project) = self.load(&Ask::default()) else {
            return self.unread();
        };
        let own: Vec<Name> = project
            .own(&self.db)
            .iter()
            .map(|it| it.path(&self.db).clone())
            .collect();
        let packs = pack::packs(&self.db, project).iter().map(|it| {
            let is_own = own.contains(it.file.path(&self.db));
            let origin = if is_own { Origin::Own } else { Origin::BuiltIn };
            (
                it.name.clone(),
                Pack {
                    name: it.name.clone(),
                    doc: it.doc.clone(),
                    origin,
                },
            )
        });
        let packs: BTreeMap<Name, Pack> = packs.collect();
        answer(Some(packs.into_values().collect()), Vec::new(), Sources::default())
    }

    /// Returns the files of the pack named `name`, sorted by path. An unknown name is a problem.
    pub fn pack_files(&mut self, name: &str) -> Answer<Vec<PackFile>> {
        let Some(project) = self.load(&Ask::default()) else {
            return self.unread();
        };
        let db = &self.db;
        let files = project.built_in(db).iter().chain(project.own(db));
        let of_pack = files.filter(|it| {
            let path = it.path(db);
            let template = path.strip_prefix("templates/").and_then(|it| it.split('/').next());
            *set::pack_of(path) == *name && path.starts_with("rules/") || template == Some(name)
        });
        let files: BTreeMap<Name, Arc<str>> = of_pack.map(|it| (it.path(db).clone(), it.text(db).clone())).collect();
        if files.is_empty() {
            let known = pack::packs(db, project).iter().map(|it| &*it.name);
            let problem =
                Problem::error("shell::unknown_pack", format!("there is no pack `{name}`")).suggest(name, known);
            return answer(None, vec![problem], Sources::default());
        }
        answer(Some(files.into_iter().collect()), Vec::new(), Sources::default())
    }

    /// Runs the test cases of `packs`, of all if none is named.
    pub fn test(&mut self, packs: &[PathBuf]) -> Answer<Vec<Case>> {
        match cases::run(&self.root, packs) {
            Ok(cases) => answer(Some(cases), Vec::new(), Sources::default()),
            Err(problem) => answer(None, vec![problem], Sources::default()),
        }
    }

    /// Returns the environments that are asked for: their places in the list, and their names.
    fn asked(&self, project: Project, ask: &Ask) -> Vec<(u16, Name)> {
        let all = (0_u16..).zip(spec::environments(&self.db, project));
        let asked = all.filter(|(_, it)| ask.environments.is_empty() || ask.environments.contains(&it.name));
        asked.map(|(at, it)| (at, it.name.clone())).collect()
    }

    fn unread<T>(&self) -> Answer<T> {
        answer(None, self.files.problems.clone(), Sources::default())
    }
}
