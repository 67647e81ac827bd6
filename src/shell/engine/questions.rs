//! What commands ask of the engine besides artifacts: bindings of a pattern, drawings, the schema, packs.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Answer, Ask, Bindings, Case, Engine, GraphForm, ListedGenerator, Origin, Pack, PackFile, answer, cases};
use crate::artifact::fresh;
use crate::db::{Override, Project, View, is_shared, pack_files, pack_path};
use crate::fact::shape;
use crate::fact::world::NODES;
use crate::graph::draw::{self, Drawing};
use crate::graph::pattern::{Bound, Pattern, Still, Walk};
use crate::graph::{Edge, Snapshot};
use crate::kind::{Schema, json_schema, pack, page};
use crate::problem::{Place, Problem};
use crate::rule::expression::World as _;
use crate::rule::set;
use crate::shell::report::Sources;
use crate::spec;
use crate::value::{self, Address, Name};

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
        let (read, problems) = Pattern::read_naming_all(pattern, schema, &place);
        let Some(read) = read else {
            return answer(None, problems, sources);
        };
        let walk = match Walk::new(Arc::new(read.clone()), &[], &[]) {
            Ok(walk) => walk,
            Err(_) => return answer(None, problems, sources),
        };
        let variables: Vec<Name> = read.variables().iter().map(|it| it.name.clone()).collect();
        let mut answers = Vec::new();
        let mut problems = problems;
        problems.extend(self.mistakes(project, ask));
        for (environment, name) in self.asked(project, ask) {
            let view = View::finished(environment);
            let snapshot = shape::snapshot(&self.db, project, view);
            let field = |node: &Address, name: &str| NODES.field(&self.db, view, node, name).map(Cow::into_owned);
            let world = Still {
                snapshot,
                field: &field,
            };
            match walk.matches(&world, &[], MAX_STEPS) {
                Err(overrun) => problems.push(overrun.problem(place(crate::problem::Span::new(0, pattern.len())))),
                Ok(found) => {
                    let mut rows: Vec<Vec<Bound>> = found.iter().map(|it| it.0.to_vec()).collect();
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

    /// Returns the graph of each environment that is asked for, drawn as one text, and the only environment that is
    /// drawn where more were asked for.
    pub fn graph(&mut self, ask: &Ask, form: GraphForm) -> Answer<(String, Option<Name>)> {
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
        let first = asked.first().map(|it| it.1.clone());
        let only = first.filter(|_| form != GraphForm::Text && asked.len() > 1);
        let problems = self.mistakes(project, ask);
        answer(Some((text, only)), problems, self.files.sources(&self.db, project))
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
        let beside = [shape::DEPENDS_ON, shape::REFERENCES].map(Name::from);
        let address = |it: u32| snapshot.address(it).clone();
        let edges = std::iter::once(&order).chain(&beside).flat_map(|kind| {
            let edges = snapshot.edges(kind);
            edges.map(|(from, to, fields)| Edge::new(address(from), kind.clone(), address(to), fields.clone()))
        });
        let drawn = Snapshot::new(nodes, edges.collect());
        Drawing::new(&drawn, std::slice::from_ref(&order), &beside)
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
        let schema = pack::schema(&self.db, project);
        let packs = pack::packs(&self.db, project).iter().map(|it| {
            let is_own = own.contains(it.file.path(&self.db));
            let is_shared = is_shared(it.file.path(&self.db));
            let origin = match self.files.shared.lock.get(&it.name).filter(|_| is_shared) {
                Some(locked) => Origin::Shared(locked.to_string().into()),
                None if is_own => Origin::Own,
                None => Origin::BuiltIn,
            };
            let listed = it.generator.as_ref().and_then(|generator| {
                let kind = schema.kinds.get(&generator.config)?;
                let files = self.files_of(project, &it.name).into_iter();
                Some(ListedGenerator {
                    generator: generator.clone(),
                    under: kind.collection.clone()?,
                    schema: json_schema::config_schema(kind),
                    templates: files.filter(|it| it.0.starts_with("templates/")).collect(),
                })
            });
            (
                it.name.clone(),
                Pack {
                    name: it.name.clone(),
                    doc: it.doc.clone(),
                    origin,
                    platform: it.platform.clone(),
                    patterns: it.patterns.clone(),
                    generator: listed,
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
        let files = self.files_of(project, name);
        if files.is_empty() {
            let known = pack::packs(&self.db, project).iter().map(|it| &*it.name);
            return answer(None, vec![unknown_pack(name, known)], Sources::default());
        }
        answer(Some(files), Vec::new(), Sources::default())
    }

    fn files_of(&self, project: Project, pack: &str) -> Vec<PackFile> {
        let db = &self.db;
        let of_pack = pack_files(db, project).iter().filter(|it| {
            let path = pack_path(it.path(db));
            let template = path.strip_prefix("templates/").and_then(|it| it.split('/').next());
            *set::pack_of(path) == *pack && path.starts_with("rules/") || template == Some(pack)
        });
        let files: BTreeMap<Name, Arc<str>> = of_pack
            .map(|it| (Name::from(pack_path(it.path(db))), it.text(db).clone()))
            .collect();
        files.into_iter().collect()
    }

    /// Returns what sets, for one run, how the whole project is run: the pattern of that name, the platforms and the
    /// framework, over what the spec says. An unknown pattern is a problem.
    pub fn choice(
        &mut self,
        pattern: Option<&str>,
        platforms: &[String],
        framework: Option<&str>,
    ) -> Answer<Vec<Override>> {
        let Some(project) = self.load(&Ask::default()) else {
            return self.unread();
        };
        let set = |path: value::Path, yaml: &str| Override {
            path,
            yaml: yaml.into(),
        };
        let mut chosen = Vec::new();
        if let Some(name) = pattern {
            let known = || pack::packs(&self.db, project).iter().flat_map(|it| &it.patterns);
            let Some(found) = known().find(|it| *it.name == *name) else {
                let problem = Problem::error("shell::unknown_pattern", format!("no pack offers the pattern `{name}`"))
                    .suggest(name, known().map(|it| &*it.name));
                return answer(None, vec![problem], Sources::default());
            };
            chosen.extend(found.set.iter().map(|(path, yaml)| set(path.clone(), yaml)));
        }
        let kind = pack::schema(&self.db, project).kinds.get("project");
        if let Some(path) = kind
            .and_then(|it| it.platforms.clone())
            .filter(|_| !platforms.is_empty())
        {
            chosen.push(set(path, &serde_json::json!(platforms).to_string()));
        }
        if let Some(framework) = framework {
            chosen.push(set(
                value::Path::parse("framework"),
                &serde_json::json!(framework).to_string(),
            ));
        }
        answer(Some(chosen), Vec::new(), Sources::default())
    }

    /// Returns the reference page of the pack named `name`, as Markdown. An unknown name is a problem.
    pub fn pack_page(&mut self, name: &str) -> Answer<String> {
        let Some(project) = self.load(&Ask::default()) else {
            return self.unread();
        };
        let db = &self.db;
        let packs = pack::packs(db, project);
        let Some(found) = packs.iter().find(|it| *it.name == *name) else {
            let problem = unknown_pack(name, packs.iter().map(|it| &*it.name));
            return answer(None, vec![problem], Sources::default());
        };
        let rules = set::rules_of(db, project, &found.name).into_iter();
        let mut rules: Vec<page::RuleNote> = rules
            .map(|it| page::RuleNote {
                name: it.name.text.clone(),
                doc: it.doc.clone().unwrap_or_default(),
                prints: it.artifact.as_ref().map(|it| it.path.text.clone()),
            })
            .collect();
        rules.sort();
        let page = page::page(pack::schema(db, project), found, &rules);
        answer(Some(page), Vec::new(), Sources::default())
    }

    /// Runs the test cases of `packs`, of all if none is named.
    ///
    /// They are named as a user who stands in the folder `from` does.
    pub fn test(&mut self, from: &Path, packs: &[PathBuf]) -> Answer<Vec<Case>> {
        match cases::run(&self.root, from, packs) {
            Ok(cases) => answer(Some(cases), Vec::new(), Sources::default()),
            Err(problem) => answer(None, vec![problem], Sources::default()),
        }
    }

    /// Returns what is wrong with what was asked and read, so that an answer may lack something.
    fn mistakes(&self, project: Project, ask: &Ask) -> Vec<Problem> {
        let mut problems = self.unknown_environments(project, ask);
        problems.extend(self.files.problems.iter().filter(|it| it.is_error()).cloned());
        problems.extend(fresh::mistakes(&self.db, project));
        self.located(project, &problems)
    }

    /// Returns what is wrong with the environments that are asked for, as far as the root file can be read.
    pub fn unknown_asked(&mut self, ask: &Ask) -> Vec<Problem> {
        if ask.environments.is_empty() {
            return Vec::new();
        }
        match self.load(ask) {
            Some(project) if !spec::is_torn(&self.db, project.root(&self.db)) => {
                self.unknown_environments(project, ask)
            }
            _ => Vec::new(),
        }
    }

    /// Returns the environments that are asked for: their places in the list, and their names.
    pub(super) fn asked(&self, project: Project, ask: &Ask) -> Vec<(u16, Name)> {
        let all = (0_u16..).zip(spec::environments(&self.db, project));
        let asked = all.filter(|(_, it)| ask.environments.is_empty() || ask.environments.contains(&it.name));
        asked.map(|(at, it)| (at, it.name.clone())).collect()
    }

    fn unread<T>(&self) -> Answer<T> {
        answer(None, self.files.problems.clone(), self.files.shared.sources())
    }
}

fn unknown_pack<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Problem {
    Problem::error("shell::unknown_pack", format!("there is no pack `{name}`")).suggest(name, known)
}
