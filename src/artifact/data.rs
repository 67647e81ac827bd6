//! Data templates: a YAML, JSON or TOML file with `${CEL}` in it, filled and then serialised.
//!
//! Indentation, quoting and injection are no topic here: what is filled in is data, and a printer writes it so that a
//! reader of the format gets it back. Text formats have templates of their own.

mod compile;
mod document;
mod holes;
mod language;
mod print;
mod render;
mod source;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::db::{Db, View};
use crate::kind::Reads;
use crate::problem::Problem;
use crate::rule::expression::{Bindings, Bound, GraphFunction, Scope, Uses, World};
use crate::value::{Address, Map, Name, Value};

use compile::{Compiler, Part};
use render::Renderer;

pub use document::{Around, Datum, Document, Kind};
pub use print::PrintedLine;
pub use render::Note;

/// The formats that a data template may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DataFormat {
    /// YAML, written so that readers of 1.1 and 1.2 agree.
    Yaml,
    /// JSON.
    Json,
    /// TOML 1.0.
    Toml,
}

/// A compiled data template, cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct DataTemplate(Arc<Compiled>);

#[derive(Debug, PartialEq, Eq)]
struct Compiled {
    file: Name,
    format: DataFormat,
    documents: Vec<Part>,
    uses: Uses,
}

impl DataTemplate {
    /// Compiles the text of `file`, whose expressions may speak of what is in `scope`.
    ///
    /// There is a template only where there is no error.
    pub fn compile(source: &str, file: &Name, format: DataFormat, scope: &Scope<'_>) -> (Option<Self>, Vec<Problem>) {
        let (written, mut problems) = source::read(source, file, format);
        let mut compiler = Compiler::new(file, format);
        let documents = written.iter().filter_map(|it| compiler.document(it, scope)).collect();
        problems.extend(compiler.problems);
        if problems.iter().any(Problem::is_error) {
            return (None, problems);
        }
        let compiled = Compiled {
            file: file.clone(),
            format,
            documents,
            uses: compiler.uses,
        };
        (Some(Self(Arc::new(compiled))), problems)
    }

    /// Returns what it reads.
    #[must_use]
    pub fn uses(&self) -> &Uses {
        &self.0.uses
    }

    /// Returns what it reads of each variable.
    #[must_use]
    pub fn reads(&self) -> &BTreeMap<Name, Reads> {
        &self.0.uses.variables
    }

    /// Returns the data, with every expression evaluated.
    ///
    /// # Errors
    ///
    /// Everything that failed, each at its place in the template.
    pub fn render(&self, bindings: &Bindings<'_>) -> Result<Document, Vec<Problem>> {
        self.run(bindings, None).map(|it| it.0)
    }

    /// Returns the data for a context, and what is noted of each value in it.
    ///
    /// # Errors
    ///
    /// Everything that failed, each at its place in the template.
    pub fn render_with_notes(&self, context: &Map) -> Result<(Document, Vec<Note>), Vec<Problem>> {
        self.run(&bindings(&variables(context)), Some(Box::default()))
    }

    fn run(
        &self,
        bindings: &Bindings<'_>,
        notes: Option<Box<render::Notes>>,
    ) -> Result<(Document, Vec<Note>), Vec<Problem>> {
        let mut renderer = Renderer::new(bindings, &self.0.file, self.0.format);
        renderer.notes = notes;
        let documents = renderer.documents(&self.0.documents);
        if !renderer.problems.is_empty() {
            return Err(renderer.problems);
        }
        let document = Document {
            file: self.0.file.clone(),
            format: self.0.format,
            documents,
            around: renderer.around,
        };
        Ok((document, renderer.notes.map(|it| it.all).unwrap_or_default()))
    }

    /// Returns the data for a context in which nothing is left to be asked: its nodes are maps of what is read.
    ///
    /// # Errors
    ///
    /// Everything that failed, each at its place in the template.
    pub fn render_context(&self, context: &Map) -> Result<Document, Vec<Problem>> {
        self.render(&bindings(&variables(context)))
    }
}

fn variables(context: &Map) -> BTreeMap<Name, Bound> {
    let bound = |(name, value): &(Name, Value)| (name.clone(), Bound::Value(value.clone()));
    context.iter().map(bound).collect()
}

fn bindings(variables: &BTreeMap<Name, Bound>) -> Bindings<'_> {
    Bindings {
        view: View::finished(0),
        variables,
        world: &Nowhere,
    }
}

impl fmt::Debug for DataTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DataTemplate({})", self.0.file)
    }
}

/// The world of a context that is complete: there is nothing else to read.
#[derive(Debug)]
struct Nowhere;

impl World for Nowhere {
    fn field(&self, _: &dyn Db, _: View, _: &Address, _: &str) -> Option<Value> {
        None
    }

    fn facts(&self, _: &dyn Db, _: View, _: &Address, _: &str) -> Option<Value> {
        None
    }

    fn call(&self, _: &dyn Db, _: View, _: GraphFunction, _: &[Value]) -> Result<Value, String> {
        Err("a template can't ask the graph: let the rule ask, and hand it over".to_owned())
    }
}
