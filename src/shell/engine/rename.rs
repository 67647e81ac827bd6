//! A node under another name: what is edited in the spec, tried out before anything is written.
//!
//! The new texts are put into the database, and all is derived from them: what the new spec says, but for the name, must
//! be what the old one says. Afterwards the engine stands where it will once the files are written.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::blame::{self, Spot};
use super::{Answer, Ask, Engine, Outcome, Wish, answer};
use crate::artifact::fresh::{self, ReadBack, Stir};
use crate::db::{Project, View};
use crate::fact::shape;
use crate::kind::reference;
use crate::problem::{Place, Problem, Span};
use crate::shell::report::Sources;
use crate::spec::rename::{self, Declarations, Other, Rename};
use crate::spec::{self, index};
use crate::value::{Address, Name, Path};

/// An edit of the spec, for people and machines.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct EditLine {
    /// Where.
    #[serde(flatten)]
    pub at: Spot,
    /// The way to it through the file: `services.web.depends_on.orders`.
    pub path: Name,
    /// What stands there.
    pub old: Name,
    /// What stands there then.
    pub new: Name,
}

/// A line that says the old name and stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct LeftLine {
    /// Where.
    #[serde(flatten)]
    pub at: Spot,
    /// The line.
    pub text: Name,
}

/// A node under another name.
#[derive(Clone, Debug)]
pub struct Renamed {
    /// The node.
    pub from: Address,
    /// What it is called then.
    pub to: Address,
    /// The edits, in the order of the files.
    pub edits: Vec<EditLine>,
    /// Where the name is said otherwise.
    pub left: Vec<LeftLine>,
    /// The files that are edited: what they hold, and what they hold then.
    pub texts: BTreeMap<Name, (Arc<str>, Arc<str>)>,
    /// What the rules want then.
    pub outcome: Outcome,
}

impl Engine {
    /// Renames the node that `from` names to `to`, both as `KIND.NAME` or as a name alone. The disk is not asked.
    pub fn rename(&mut self, from: &str, to: &str) -> Answer<Renamed> {
        let ask = Ask::default();
        let before = self.derive(&ask, Wish::All);
        let Some(project) = self.files.project().filter(|_| !before.is_invalid()) else {
            return answer(None, before.problems, before.sources);
        };
        let sources = self.files.sources(&self.db, project);
        let names = self.declared_node(project, from);
        let names = names.and_then(|from| Ok((self.new_name(project, &from, to)?, from)));
        let (to, from) = match names {
            Ok(names) => names,
            Err(problem) => return answer(None, self.located(project, &[*problem]), sources),
        };
        let found = rename::rename(&self.db, project, &from, &to.name);
        if !found.problems.is_empty() {
            return answer(None, found.problems, sources);
        }
        let said = Declarations::now(&self.db, project);
        let texts = self.put_edits(&found);
        let last = std::mem::take(&mut self.state);
        self.state = fresh::refresh(
            &self.db,
            project,
            last,
            (Stir::Little, ReadBack::default()),
            &mut |_| {},
        );
        let outcome = self.told(project, &ask, Wish::All);
        if outcome.is_invalid() {
            let problems = vec![breaks_the_spec(&from, &to, &outcome.problems)];
            return answer(None, problems, outcome.sources);
        }
        if let Some(problem) = self.difference(project, &said, &from, &to) {
            let problems = self.located(project, &[problem]);
            return answer(None, problems, self.files.sources(&self.db, project));
        }
        let renamed = Renamed {
            edits: edit_lines(&found, &sources),
            left: left_lines(&found, &sources, &texts),
            from,
            to,
            texts,
            outcome,
        };
        answer(Some(renamed), Vec::new(), sources)
    }

    /// Returns the node of the spec that `name` names.
    fn declared_node(&self, project: Project, name: &str) -> Result<Address, Box<Problem>> {
        let db = &self.db;
        let mut all: Vec<Address> = Vec::new();
        for (environment, _) in (0_u16..).zip(spec::environments(db, project)) {
            all.extend(spec::addresses(db, project, environment).iter().cloned());
        }
        all.extend(index::index(db, project).addresses(None).iter().cloned());
        all.sort();
        all.dedup();
        let (own, all): (Vec<Address>, Vec<Address>) = all
            .into_iter()
            .partition(|it| *it == spec::project_address(db, project));
        if own.iter().any(|it| it.to_string() == name) {
            let message = format!("`{name}` is the project itself");
            return Err(Box::new(
                Problem::error("rename::bad_name", message)
                    .at(field(&own[0]), "its name stands here")
                    .help("edit `name` in the root file; it is named nowhere else"),
            ));
        }
        let given = shape::parse_address(name);
        let is_meant = |it: &Address| given.as_ref() == Some(it) || *it.name == *name;
        let found: Vec<Address> = all.iter().filter(|it| is_meant(it)).cloned().collect();
        match found.as_slice() {
            [only] => return Ok(only.clone()),
            [] => {}
            several => {
                let names: Vec<String> = several.iter().map(|it| format!("`{it}`")).collect();
                let message = format!("`{name}` may be {}", names.join(" or "));
                let problem = Problem::error("rename::unknown_node", message);
                return Err(Box::new(problem.help("name its kind too")));
            }
        }
        let derived = self.standing_nodes(project).into_iter();
        if let Some(node) = derived
            .filter(|it| is_meant(it))
            .find(|it| all.binary_search(it).is_err())
        {
            let message = format!("`{node}` is derived by a rule, no spec declares it");
            let help = format!("`gen explain {node}` says from what: rename that, or declare it in the spec");
            return Err(Box::new(Problem::error("rename::derived", message).help(help)));
        }
        let known: Vec<String> = match &given {
            Some(_) => all.iter().map(ToString::to_string).collect(),
            None => all.iter().map(|it| it.name.to_string()).collect(),
        };
        let problem = Problem::error("rename::unknown_node", format!("no spec declares a node `{name}`"));
        Err(Box::new(problem.suggest(name, known.iter().map(String::as_str))))
    }

    /// Returns all nodes of the finished graphs.
    fn standing_nodes(&self, project: Project) -> Vec<Address> {
        let mut nodes: Vec<Address> = Vec::new();
        for (environment, _) in (0_u16..).zip(spec::environments(&self.db, project)) {
            let snapshot = shape::snapshot(&self.db, project, View::finished(environment));
            nodes.extend(snapshot.nodes().iter().cloned());
        }
        nodes.sort();
        nodes.dedup();
        nodes
    }

    /// Returns the address that `from` is to have, if nothing speaks against it.
    fn new_name(&self, project: Project, from: &Address, name: &str) -> Result<Address, Box<Problem>> {
        let bad = |message: String, help: String| Err(Box::new(Problem::error("rename::bad_name", message).help(help)));
        let schema = crate::kind::pack::schema(&self.db, project);
        let short = match name.split_once('.') {
            Some((kind, rest)) if *kind == *from.kind => rest,
            Some((kind, rest)) if schema.kinds.contains_key(kind) => {
                let message = format!("`{from}` can't become `{name}`: a rename keeps the kind");
                return bad(message, format!("write `{}.{rest}`", from.kind));
            }
            _ => name,
        };
        let is_word = short.chars().all(reference::is_part) && short.starts_with(char::is_alphanumeric);
        if !is_word {
            let message = format!("`{short}` can't be the name of a node");
            let help =
                "letters, digits, `-` and `_`, a letter or a digit first: so that it can be written in references";
            return bad(message, help.to_owned());
        }
        let to = Address::new(from.kind.clone(), short);
        if to == *from {
            return bad(format!("`{from}` is called so already"), "give another name".to_owned());
        }
        if index::index(&self.db, project).has_anywhere(&to) {
            let problem = Problem::error("rename::taken", format!("there is a node `{to}` already"));
            return Err(Box::new(
                problem
                    .at(field(&to), "bears the name")
                    .help("give another name, or rename that one first"),
            ));
        }
        if self.standing_nodes(project).binary_search(&to).is_ok() {
            let problem = Problem::error("rename::taken", format!("a rule derives a node `{to}` already"));
            return Err(Box::new(problem.help(format!("`gen explain {to}` says from what"))));
        }
        Ok(to)
    }

    /// Gives the files their new texts, and returns the old and the new ones.
    fn put_edits(&mut self, found: &Rename) -> BTreeMap<Name, (Arc<str>, Arc<str>)> {
        let mut by_file: BTreeMap<&Name, Vec<&rename::Edit>> = BTreeMap::new();
        for edit in &found.edits {
            by_file.entry(&edit.file).or_default().push(edit);
        }
        let mut texts = BTreeMap::new();
        for (path, edits) in by_file {
            let file = self.files.of_spec(path).expect("a file of the spec was searched");
            let old = file.text(&self.db).clone();
            let new: Arc<str> = rename::edited(&old, edits).into();
            self.files.put_back(&mut self.db, path, Some(new.clone()));
            texts.insert(path.clone(), (old, new));
        }
        texts
    }

    /// Says what the spec says otherwise than before, apart from the name.
    fn difference(&self, project: Project, before: &Declarations, from: &Address, to: &Address) -> Option<Problem> {
        let after = Declarations::now(&self.db, project);
        if let Some((node, other)) = before.differing(&after, from, to) {
            let problem = match &other {
                Other::New => breaks(from, to, &format!("there would be a node `{node}` too")),
                Other::Gone => breaks(from, to, &format!("there would be no node `{node}` any more")),
                Other::Edge(kind, end) => breaks(
                    from,
                    to,
                    &format!("the edge `{kind}` from `{node}` to `{end}` would change"),
                ),
                Other::Field(path) => breaks(from, to, &format!("`{path}` of `{node}` would change with the name"))
                    .help(format!(
                        "write `{path}` out first, so that it no longer follows from the name"
                    )),
            };
            let path = match other {
                Other::Field(path) => path,
                _ => Path::default(),
            };
            let environment = None;
            return Some(problem.at(
                Place::Field {
                    environment,
                    node,
                    path,
                },
                "this changes",
            ));
        }
        let stands = self.standing_nodes(project).binary_search(from).is_ok();
        stands.then(|| {
            breaks(from, to, &format!("a rule would derive `{from}` anew"))
                .help(format!("`gen explain {from}` says by which rule and from what"))
        })
    }
}

fn breaks(from: &Address, to: &Address, why: &str) -> Problem {
    Problem::error(
        "rename::changes_more",
        format!("to call `{from}` `{to}` would change more than the name: {why}"),
    )
}

/// Returns what is wrong with a rename after which `problems` would be found: the first of them tells what comes of it,
/// at its place in the spec as it would be.
fn breaks_the_spec(from: &Address, to: &Address, problems: &[Problem]) -> Problem {
    let in_spec = |it: &&Problem| match it.labels.first().map(|it| &it.place) {
        Some(Place::Text(file, _)) => !file.starts_with("templates/") && !file.starts_with("rules/"),
        _ => false,
    };
    let errors = || problems.iter().filter(|it| it.is_error());
    let Some(first) = errors().find(in_spec).or_else(|| errors().next()) else {
        return breaks(from, to, "nothing is written");
    };
    let problem = breaks(from, to, &format!("{}; nothing is written", first.message));
    Problem {
        labels: first.labels.clone(),
        help: first.help.clone(),
        ..problem
    }
}

fn field(node: &Address) -> Place {
    Place::Field {
        environment: None,
        node: node.clone(),
        path: Path::default(),
    }
}

fn edit_lines(found: &Rename, sources: &Sources) -> Vec<EditLine> {
    let line = |it: &rename::Edit| {
        let text = sources.get(&it.file)?;
        Some(EditLine {
            at: blame::spot(sources, &it.file, it.span, None)?,
            path: it.path.to_string().into(),
            old: it.span.of(text).into(),
            new: it.new.as_str().into(),
        })
    };
    found.edits.iter().filter_map(line).collect()
}

/// Returns the lines that say the old name, as they stand once `texts` are written: no edit adds or takes a line.
fn left_lines(found: &Rename, sources: &Sources, texts: &BTreeMap<Name, (Arc<str>, Arc<str>)>) -> Vec<LeftLine> {
    let line = |(file, span): &(Name, Span)| {
        let at = blame::spot(sources, file, *span, None)?;
        let now = texts.get(file).map(|it| &*it.1).or_else(|| sources.get(file))?;
        let text = now.lines().nth(at.line - 1)?;
        Some(LeftLine {
            text: text.trim().into(),
            at,
        })
    };
    let mut lines: Vec<LeftLine> = found.left.iter().filter_map(line).collect();
    lines.dedup_by(|a, b| a.at.file == b.at.file && a.at.line == b.at.line);
    lines
}
