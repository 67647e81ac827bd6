//! Where each part of a printed file comes from: the template's line, and what each value was made of.
//!
//! Made on demand, by printing the file once more with notes; a run that is not asked for it pays nothing.

mod leaf;
mod trace;

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::artifact::data::Note;
use crate::artifact::format;
use crate::artifact::instance::{self, Cell, Template};
use crate::artifact::text::{ContextPath, Step};
use crate::db::{Db, Project, View};
use crate::fact::matching::{self, Match};
use crate::problem::{Problem, Span};
use crate::rule::expression::{Bound, Uses};
use crate::rule::file::Reach;
use crate::rule::model::Rule;
use crate::rule::set;
use crate::spec::{self, Written};
use crate::value::{Address, Map, Name, Path, Value};

use leaf::text_place;
use trace::{Frame, Tracer, reads, rule_frame};

/// A file and where its parts come from.
#[derive(Clone, Debug)]
pub struct Blame {
    /// The text.
    pub text: String,
    /// Where the rule stands that prints it.
    pub rule: Option<(Name, Span)>,
    /// Its lines, in order.
    pub lines: Vec<Line>,
}

/// Where one line of a file comes from.
#[derive(Clone, Debug, Default)]
pub struct Line {
    /// The range of the template that begins it; none for the head, which is the engine's own.
    pub template: Option<(Name, Span)>,
    /// The values in it, in order.
    pub values: Vec<Origin>,
}

/// A printed value and what it was made of.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The value.
    pub value: Value,
    /// How the template calls it, where that is a name.
    pub name: Option<Name>,
    /// What it was made of; where there is nothing, the rule itself says it.
    pub inputs: Vec<Input>,
}

/// What an input is to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The value is made of it.
    Made,
    /// It decided which value it is.
    Decides,
}

/// Something that a value was made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// What it is to the value.
    pub role: Role,
    /// What it is.
    pub what: What,
    /// What it holds.
    pub value: Value,
    /// Where it comes from.
    pub whence: Whence,
}

/// What an input is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// A field of a node.
    Field(Address, Path),
    /// The name of a node, or its kind.
    Node(Address),
    /// A fact about a node.
    Fact(Address, Name),
    /// A field of a fact that no rule gives.
    Default(Name, Path),
    /// An edge: its kind and its ends.
    Edge(Name, Address, Address),
    /// The name or folder of an environment.
    Environment,
    /// A table of the rule's pack.
    Data,
    /// A word of the rule itself.
    Rule(Name),
}

/// Where an input comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whence {
    /// The spec says it: the line that counts, then those that it overrode.
    Spec(Vec<Written>),
    /// A pack's default.
    Default(Name, Span),
    /// A rule.
    Rule(Name, Option<(Name, Span)>),
    /// The engine itself.
    Engine,
}

/// Returns where the file at `path`, made at `cell`, comes from.
///
/// # Errors
///
/// What can't be printed where it stands.
pub fn blame(db: &dyn Db, project: Project, cell: &Cell, path: &str) -> Result<Blame, Vec<Problem>> {
    explained(db, project, cell, path, Detail::Values)
}

/// Returns the range of a template that begins each line of the file at `path`, made at `cell`; for the head, which is the
/// engine's own, none.
///
/// # Errors
///
/// What can't be printed where it stands.
pub fn templates(
    db: &dyn Db,
    project: Project,
    cell: &Cell,
    path: &str,
) -> Result<Vec<Option<(Name, Span)>>, Vec<Problem>> {
    let made = explained(db, project, cell, path, Detail::Lines)?;
    Ok(made.lines.into_iter().map(|it| it.template).collect())
}

/// What is told of a file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Detail {
    Lines,
    /// The values in each line, too.
    Values,
}

fn explained(db: &dyn Db, project: Project, cell: &Cell, path: &str, detail: Detail) -> Result<Blame, Vec<Problem>> {
    let (Some(rule), compiled) = (
        set::rule(db, project, cell.rule.clone()),
        instance::template(db, project, cell.rule.clone()),
    ) else {
        return Err(Vec::new());
    };
    let (Some(template), Some(artifact)) = (&compiled.template, &rule.artifact) else {
        return Err(compiled.problems.clone());
    };
    let (instances, problems) = instance::instances(db, project, cell, rule, &compiled.projections);
    let Some(instance) = instances.into_iter().find(|it| *it.path == *path) else {
        return Err(problems);
    };
    let references = artifact.references.as_ref();
    let frame = Rc::new(frame(db, project, cell, rule, path));
    let mut blamer = Blamer {
        tracer: Tracer::new(db, project, references),
        rule,
        frame,
        context: &instance.context,
        detail,
    };
    let place = blamer.tracer.rule(&cell.rule);
    let (text, lines) = match &**template {
        Template::Text(template, format) => {
            let rendered = template.render_with_origins(&instance.context);
            let (text, origins) = rendered.map_err(|it| it.into_iter().map(|it| it.problem).collect::<Vec<_>>())?;
            let printed = format::with_head(&text, *format, &cell.rule);
            (printed.clone(), blamer.text(&text, &printed, &origins))
        }
        Template::Data(template) => {
            let (document, notes) = template.render_with_notes(&instance.context)?;
            let head = format!("Code generated by gen from {}; DO NOT EDIT.", cell.rule);
            let lines = document.lines(&[&head]);
            let text: String = lines.iter().flat_map(|it| [it.text.as_str(), "\n"]).collect();
            let lines = lines.into_iter().map(|it| Line {
                template: it.origin.map(|span| (document.file.clone(), span)),
                values: match detail {
                    Detail::Lines => Vec::new(),
                    Detail::Values => blamer.noted(&it.notes, &notes),
                },
            });
            (text, lines.collect())
        }
    };
    Ok(Blame {
        text,
        rule: place,
        lines,
    })
}

/// Returns where a field of a node comes from, the node itself for no field.
#[must_use]
pub fn whence(db: &dyn Db, project: Project, environment: u16, node: &Address, path: &Path) -> Whence {
    Tracer::new(db, project, None).whence(View::finished(environment), node, path)
}

/// Returns where a rule stands.
#[must_use]
pub fn rule_place(db: &dyn Db, project: Project, id: &Name) -> Option<(Name, Span)> {
    let source = set::source(db, project, id.clone()).as_ref()?;
    text_place(&source.name.place())
}

/// Returns the characters of a value, for people.
#[must_use]
pub fn shown(value: &Value) -> Option<String> {
    leaf::shown(value)
}

/// Returns the variables of the match that prints the file at `path`.
fn frame(db: &dyn Db, project: Project, cell: &Cell, rule: &Rule, path: &str) -> Frame {
    let view = View::finished(cell.environment);
    let Some(artifact) = &rule.artifact else {
        return rule_frame(view, rule, Match::default());
    };
    let dir = match rule.reach {
        Reach::Across => "",
        Reach::Each => spec::environments(db, project)
            .get(usize::from(cell.environment))
            .map_or("", |it| &it.dir),
    };
    let within = path.strip_prefix(dir).map_or(path, |it| it.trim_start_matches('/'));
    let matches = matching::matches(db, project, view, rule, &artifact.per[0], &cell.node);
    let found = matches.found.into_iter().find(|found| {
        let made = matching::evaluated(db, project, view, rule, &cell.node, |run| {
            run.text(&artifact.path, found)
        });
        made.is_ok_and(|it| it == within)
    });
    rule_frame(view, rule, found.unwrap_or_default())
}

struct Blamer<'a> {
    tracer: Tracer<'a>,
    rule: &'a Rule,
    frame: Rc<Frame>,
    context: &'a Map,
    detail: Detail,
}

impl Blamer<'_> {
    /// Returns the lines of `printed`, which is `text` with a head.
    fn text(&mut self, text: &str, printed: &str, origins: &[crate::artifact::text::Origin]) -> Vec<Line> {
        let added = printed.len() - text.len();
        let at = text.bytes().zip(printed.bytes()).take_while(|(a, b)| a == b).count();
        // The head stands before a whole line.
        let at = text[..at].rfind('\n').map_or(0, |it| it + 1);
        let mut lines = Vec::new();
        let mut next = 0;
        let mut start = 0;
        for line in printed.split_inclusive('\n') {
            let end = start + line.len();
            let mut blamed = Line::default();
            let is_head = added > 0 && start >= at && end <= at + added;
            if !is_head {
                let moved = if start >= at + added { added } else { 0 };
                let range = start - moved..end - moved;
                while origins.get(next).is_some_and(|it| it.range.end as usize <= range.start) {
                    next += 1;
                }
                for origin in origins[next..]
                    .iter()
                    .take_while(|it| (it.range.start as usize) < range.end)
                {
                    let template = || (origin.file.clone(), origin.span);
                    blamed.template.get_or_insert_with(template);
                    if let Some(path) = &origin.path
                        && self.detail == Detail::Values
                    {
                        let printed = origin.range.of(text);
                        let value = self.printed(path, printed);
                        blamed.values.push(value);
                    }
                }
            }
            lines.push(blamed);
            start = end;
        }
        lines
    }

    /// Explains the value at `path` of the context, which was printed as `printed`.
    fn printed(&mut self, path: &ContextPath, printed: &str) -> Origin {
        let keys: Vec<Name> = path
            .0
            .iter()
            .map(|it| match it {
                Step::Member(name) => name.clone(),
                Step::Index(nth) => nth.to_string().into(),
            })
            .collect();
        let value = self.at(&keys);
        // A key of a map is printed under the path of its item.
        let value = match value {
            Some(it) if !matches!(it, Value::Map(_) | Value::List(_)) => it,
            _ => Value::string(printed),
        };
        let inputs = self.given(&keys, &value);
        Origin {
            value,
            name: Some(path.to_string().into()),
            inputs,
        }
    }

    fn at(&self, keys: &[Name]) -> Option<Value> {
        let (first, rest) = keys.split_first()?;
        let mut value = self.context.get(first)?;
        for key in rest {
            value = match value {
                Value::List(items) => items.get(key.parse::<usize>().ok()?)?,
                other => other.get(key)?,
            };
        }
        Some(value.clone())
    }

    /// Explains what the rule gives under `keys`.
    fn given(&mut self, keys: &[Name], value: &Value) -> Vec<Input> {
        let artifact = self.rule.artifact.as_ref();
        let with = artifact.and_then(|it| it.with.iter().find(|it| keys.first() == Some(&it.0)));
        let Some((name, expression)) = with else {
            return Vec::new();
        };
        let keys = &keys[1..];
        let reads = reads(expression.ty(), keys, self.tracer.schema);
        let uses = expression.uses_for(&reads, self.tracer.schema);
        let frame = self.frame.clone();
        let inputs = self.tracer.inputs(&uses, &frame, value, keys);
        self.or_rule(inputs, Some(name), value)
    }

    /// Where nothing was read that is there, the rule itself says the value.
    fn or_rule(&self, inputs: Vec<Input>, with: Option<&Name>, value: &Value) -> Vec<Input> {
        if !inputs.is_empty() {
            return inputs;
        }
        let source = set::source(self.tracer.db, self.tracer.project, self.rule.id.clone());
        let written = source.as_ref().and_then(|it| it.artifact.as_ref());
        let written = written.and_then(|it| it.with.iter().find(|it| Some(&it.0) == with));
        let place = written.and_then(|it| text_place(&it.1.place()));
        let place = place.or_else(|| self.tracer.rule(&self.rule.id));
        vec![Input {
            role: Role::Made,
            what: What::Rule(self.rule.id.clone()),
            value: value.clone(),
            whence: Whence::Rule(self.rule.id.clone(), place),
        }]
    }

    /// Explains the values that `notes` speaks of.
    fn noted(&mut self, which: &[u32], notes: &[Note]) -> Vec<Origin> {
        let mut origins = Vec::new();
        for first in which {
            let mut next = *first;
            while let Some(note) = (next as usize).checked_sub(1).and_then(|it| notes.get(it)) {
                let inputs = self.note(note);
                origins.push(Origin {
                    value: note.value.clone(),
                    name: None,
                    inputs,
                });
                next = note.also;
            }
        }
        origins
    }

    fn note(&mut self, note: &Note) -> Vec<Input> {
        if reads_nothing(&note.uses) {
            return Vec::new();
        }
        let mut given = BTreeMap::new();
        let artifact = self.rule.artifact.as_ref();
        for (name, expression) in artifact.iter().flat_map(|it| &it.with) {
            given.insert(name.clone(), (expression.clone(), Some(self.frame.clone()), None));
        }
        for (name, expression, item) in &note.each {
            given.insert(name.clone(), (expression.clone(), None, Some(item.clone())));
        }
        let bound = self
            .context
            .iter()
            .map(|(name, value)| (name.clone(), Bound::Value(value.clone())));
        let frame = Rc::new(Frame {
            view: self.frame.view,
            bound: bound.collect(),
            given,
        });
        let inputs = self.tracer.inputs(&note.uses, &frame, &note.value, &note.keys);
        let with = note.uses.variables.keys().next();
        self.or_rule(inputs, with, &note.value)
    }
}

fn reads_nothing(uses: &Uses) -> bool {
    uses.variables.is_empty() && uses.graph.is_empty()
}
