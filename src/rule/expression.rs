//! Expressions: CEL, checked against the packs' types before it runs, and lazy over nodes while it does.
//!
//! The syntax is CEL's. All of it is here, from the tokens to the evaluation, since an expression must be refused where
//! it stands, must always end, and reads a node only where it says so. Nothing here knows rules: what an expression's
//! value is used for is decided by whoever compiles it.

mod check;
mod evaluate;
mod function;
mod held;
mod parse;
mod quoted;
mod reads;
mod scan;
mod seen;
mod syntax;
#[cfg(test)]
mod tests;
mod tree;
mod types;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::db::{Db, View};
use crate::kind::{Reads, Schema, Type};
use crate::problem::{Place, Problem, Span};
use crate::value::{Address, Name, Value};

use check::{Checker, Typed};
use evaluate::Evaluator;
use held::Held;
use reads::{Places, Trace};
use tree::Tree;

pub use check::Present;
pub use function::{Function, GraphFunction, MAX_PROJECT_STEPS, MAX_STEPS, Style, Wanted, markdown};
pub use reads::{GraphUse, Projection, Reached, Uses, add_reads};
pub(crate) use scan::closing_brace;
pub use seen::{Bound, BoundEdge, Variables};
pub use types::fits;

#[cfg(test)]
pub(crate) use tests::world as testing;

/// Returns what a value looks like inside of a text, if it has a place there.
pub(crate) use function::printed;

/// What an expression may speak of.
#[derive(Clone, Debug)]
pub struct Scope<'a> {
    /// What the packs declare.
    pub schema: &'a Schema,
    /// The variables and their types.
    pub variables: BTreeMap<Name, Type>,
    /// Whether it may ask for all nodes.
    pub project: ProjectScope,
    /// What is known to be there, because a condition has asked for it.
    pub present: Present,
    /// What `data` stands for, where no variable bears that name.
    pub data: Option<&'a (Type, Value)>,
}

impl<'a> Scope<'a> {
    /// Returns a scope of these variables that may not ask for all nodes.
    #[must_use]
    pub fn new(schema: &'a Schema, variables: BTreeMap<Name, Type>) -> Self {
        Self {
            schema,
            variables,
            project: ProjectScope::Elsewhere,
            present: Present::default(),
            data: None,
        }
    }
}

/// Whether an expression may ask for `nodes(kind)` and all `layers(edge)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProjectScope {
    /// It belongs to a rule of the whole project, and may.
    Anchored,
    /// It belongs to another rule, and may not.
    Elsewhere,
}

impl ProjectScope {
    /// Returns how many steps an evaluation may take.
    #[must_use]
    pub fn most_steps(self) -> u64 {
        match self {
            Self::Anchored => MAX_PROJECT_STEPS,
            Self::Elsewhere => MAX_STEPS,
        }
    }
}

/// A compiled expression, cheap to clone.
#[derive(Clone)]
pub struct Expression(Arc<Compiled>);

struct Compiled {
    source: Box<str>,
    file: Name,
    variables: BTreeMap<Name, Type>,
    tree: Tree,
    ty: Type,
    nullable: bool,
    most_steps: u64,
    ensures: Present,
    uses: Uses,
    places: Places,
    traces: Vec<Trace>,
}

/// What an expression runs against.
#[derive(Clone, Copy, Debug)]
pub struct Bindings<'a> {
    /// From where nodes are seen.
    pub view: View,
    /// What the variables are.
    pub variables: &'a Variables,
    /// Who answers for nodes.
    pub world: &'static dyn World,
}

/// Answers what expressions ask of nodes. It has no state: everything is in the database, which is attached while
/// an expression runs (`salsa::attach`, or any tracked function around it).
pub trait World: fmt::Debug + Send + Sync {
    /// Returns a field of a node, if it is there.
    fn field<'d>(&self, db: &'d dyn Db, view: View, node: &Address, name: &str) -> Option<Cow<'d, Value>>;

    /// Returns the facts of a relation (by its full name) on a node: a list of maps, or one map or none where the
    /// relation's shape is `one`.
    fn facts<'d>(&self, db: &'d dyn Db, view: View, node: &Address, relation: &str) -> Option<Cow<'d, Value>>;

    /// Returns the graph's answer.
    ///
    /// # Errors
    ///
    /// Says in the user's words why there is none.
    fn call(&self, db: &dyn Db, view: View, function: GraphFunction, args: &[Value]) -> Result<Value, String>;

    /// Returns the value of a variable that nobody binds, since it is the same everywhere in a view.
    fn variable<'d>(&self, _db: &'d dyn Db, _view: View, _name: &str) -> Option<&'d Value> {
        None
    }
}

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The reason, in the user's words.
    pub message: Arc<str>,
    /// The part of the expression that failed. It is boxed since most evaluations succeed, and hand on what is as large as
    /// the larger of the two.
    pub place: Box<Place>,
}

impl Failure {
    /// Returns it as a problem, where it stands in the file of the rule.
    #[must_use]
    pub fn problem(self) -> Problem {
        Problem::error("expression::failed", self.message)
            .at(*self.place, "failed here")
            .help("let the rule's `when` leave such nodes out, or decide it by `condition ? one : other`")
    }
}

impl Expression {
    /// Compiles `source`, a part of which stands in `file` where `place` says.
    ///
    /// There is an expression only where there is no problem.
    pub fn compile(
        source: &str,
        file: &Name,
        place: &dyn Fn(Span) -> Span,
        scope: &Scope<'_>,
    ) -> (Option<Self>, Vec<Problem>) {
        let syntax = match parse::parse(source) {
            Ok(syntax) => syntax,
            Err(mistake) => {
                let (problem, span, label) = *mistake;
                return (None, vec![problem.at(Place::Text(file.clone(), place(span)), label)]);
            }
        };
        let mut checker = Checker {
            source,
            file,
            place,
            scope,
            locals: Vec::new(),
            n_locals: 0,
            present: scope.present.0.clone(),
            places: Places::default(),
            problems: Vec::new(),
        };
        let (tree, typed) = checker.check(&syntax);
        if typed.optional && checker.problems.is_empty() {
            let message = format!("the expression is `{}`", typed.words());
            let problem = Problem::error("expression::wrong_type", message);
            let problem = problem.help("give it a value with `.orValue(…)`");
            let place = Place::Text(file.clone(), place(syntax.sign));
            checker.problems.push(problem.at(place, "may hold nothing"));
        }
        if !checker.problems.is_empty() {
            return (None, checker.problems);
        }
        let ensures = Present(checker.follows(&syntax).if_true);
        let compiled = Compiled::new(source, file, scope, tree, typed, ensures, checker.places);
        (Some(Self(Arc::new(compiled))), Vec::new())
    }

    /// Returns the type of its value.
    #[must_use]
    pub fn ty(&self) -> &Type {
        &self.0.ty
    }

    /// Tells whether its value may be null where its type is another.
    #[must_use]
    pub fn is_nullable(&self) -> bool {
        self.0.nullable
    }

    /// Returns the failure of the whole expression.
    pub(crate) fn failure(&self, message: impl Into<Arc<str>>) -> Failure {
        Failure {
            message: message.into(),
            place: Box::new(Place::Text(self.0.file.clone(), self.0.tree.span)),
        }
    }

    /// Returns the source.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// Returns the conditions of which this one is made by `&&`, from its start up to the first that reads anything
    /// but `variable`.
    pub(crate) fn guards(&self, variable: &str) -> impl Iterator<Item = Guard> {
        let mut all = Vec::new();
        self.0.tree.conjuncts(&mut all);
        let leading = all.into_iter().take_while(|it| it.reads_only(variable));
        leading.map(move |it| self.guard(variable, it, Asks::Truth))
    }

    /// Returns the condition that this is a collection with something in it, if it reads nothing but `variable`.
    pub(crate) fn filled(&self, variable: &str) -> Option<Guard> {
        let tree = &self.0.tree;
        tree.reads_only(variable)
            .then(|| self.guard(variable, tree, Asks::Items))
    }

    fn guard(&self, variable: &str, tree: &Tree, asks: Asks) -> Guard {
        let mut members = Vec::new();
        let asks_no_graph = tree.reads_members(&mut members);
        // The whole expression may reach nodes that this part of it does not.
        let reached = &self.0.uses.reached;
        let reaches = |it: &Reached| match &it.relation {
            Some(relation) => members.iter().any(|(_, of)| of.as_ref() == Some(relation)),
            None => members.iter().any(|(name, _)| it.path.0.last() == Some(name)),
        };
        let is_alone = asks_no_graph && !reached.iter().any(reaches);
        let relations = members.into_iter().filter_map(|it| it.1).collect();
        Guard {
            variable: Name::from(variable),
            file: self.0.file.clone(),
            tree: tree.clone(),
            asks,
            relations: is_alone.then_some(relations),
        }
    }

    /// Returns what is known to be there wherever this condition holds.
    #[must_use]
    pub fn ensures(&self) -> &Present {
        &self.0.ensures
    }

    /// Returns what it reads, its whole value being wanted. Of a node that is its address alone.
    #[must_use]
    pub fn uses(&self) -> &Uses {
        &self.0.uses
    }

    /// Returns what it reads where only `reads` of its value is wanted.
    #[must_use]
    pub fn uses_for(&self, reads: &Reads, schema: &Schema) -> Uses {
        let mut places = self.0.places.clone();
        places.read(&self.0.traces, &self.0.ty, reads, schema);
        places.uses()
    }

    /// Returns its value; nodes stay addresses.
    ///
    /// # Errors
    ///
    /// [`Failure`] says why there is none, and which part failed.
    pub fn evaluate(&self, bindings: &Bindings<'_>) -> Result<Value, Failure> {
        self.run(bindings, |_, place| Ok(place.value().into_owned()))
    }

    /// Returns its value with just what `projection` names; nodes become maps of that.
    ///
    /// # Errors
    ///
    /// [`Failure`] says why there is none, and which part failed.
    pub fn evaluate_for(&self, bindings: &Bindings<'_>, projection: &Projection) -> Result<Value, Failure> {
        self.run(bindings, |evaluator, place| evaluator.project(place, projection))
    }

    /// Returns its value as a variable may be bound to it: nodes of other environments stay those of there.
    ///
    /// # Errors
    ///
    /// [`Failure`] says why there is none, and which part failed.
    pub fn evaluate_bound(&self, bindings: &Bindings<'_>) -> Result<Bound, Failure> {
        self.run(bindings, |_, place| Ok(place.clone().seen().to_bound(bindings.view)))
    }

    fn run<T>(
        &self,
        bindings: &Bindings<'_>,
        finish: impl for<'e> Fn(&mut Evaluator<'e>, &Held<'e>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let run = |db: Option<&dyn Db>| {
            let mut evaluator = Evaluator::new(bindings, db, &self.0.file, self.0.most_steps);
            let place = evaluator.place(&self.0.tree)?;
            finish(&mut evaluator, &place)
        };
        match salsa::with_attached_database(|db| run(Some(db))) {
            Some(result) => result,
            None => run(None),
        }
    }
}

/// A condition on one variable: a part of a rule's conditions, or that there is something to walk, by which most nodes
/// are told from those that the rule is about.
#[derive(Clone, Debug)]
pub struct Guard {
    variable: Name,
    file: Name,
    tree: Tree,
    asks: Asks,
    relations: Option<Vec<Name>>,
}

/// What must be so of the value of a [`Guard`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asks {
    /// It is true.
    Truth,
    /// It is no collection, or one that is not empty.
    Items,
}

/// The same is asked of the same variable, wherever it stands.
impl PartialEq for Guard {
    fn eq(&self, other: &Self) -> bool {
        self.variable == other.variable && self.asks == other.asks && self.tree == other.tree
    }
}

impl Guard {
    /// Returns the variable that it reads.
    #[must_use]
    pub fn variable(&self) -> &Name {
        &self.variable
    }

    /// Returns the relations whose facts it reads on the node; `None` where it asks the graph or other nodes as well.
    #[must_use]
    pub fn relations(&self) -> Option<&[Name]> {
        self.relations.as_deref()
    }

    /// Tells whether it holds; `None` where it fails.
    #[must_use]
    pub fn holds(&self, db: &dyn Db, bindings: &Bindings<'_>) -> Option<bool> {
        let mut evaluator = Evaluator::new(bindings, Some(db), &self.file, MAX_STEPS);
        match self.asks {
            Asks::Truth => evaluator.truth(&self.tree).ok(),
            Asks::Items => evaluator.place(&self.tree).ok().map(|it| !it.holds_nothing()),
        }
    }
}

impl Compiled {
    fn new(
        source: &str,
        file: &Name,
        scope: &Scope<'_>,
        tree: Tree,
        typed: Typed,
        ensures: Present,
        places: Places,
    ) -> Self {
        let mut all = places.clone();
        all.whole(&typed.traces);
        Self {
            source: source.into(),
            file: file.clone(),
            variables: scope.variables.clone(),
            tree,
            ty: typed.ty,
            nullable: typed.nullable,
            most_steps: scope.project.most_steps(),
            ensures,
            uses: all.uses(),
            places,
            traces: typed.traces,
        }
    }
}

/// Two expressions are equal that say the same of variables of the same types.
impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || (self.0.source == other.0.source
                && self.0.tree.span == other.0.tree.span
                && self.0.file == other.0.file
                && self.0.variables == other.0.variables)
    }
}

impl Eq for Expression {}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expression({:?}: {})", self.0.source, self.0.ty)
    }
}
