//! A rule that can run: its pattern, its expressions and what it says, with every name resolved.
//!
//! What it is made from and what can be wrong with it is `compile`; what it gives for a node is the fact layer's.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::fingerprint::Fingerprint;
use crate::graph::pattern::{Pattern, Walk};
use crate::kind::{Field, Record, Type};
use crate::problem::{Severity, Span};
use crate::rule::expression::{Expression, Guard, Uses};
use crate::rule::file::Reach;
use crate::rule::interpolation::Interpolation;
use crate::value::{Name, Path, Value};

/// A rule that can run.
#[derive(Clone, Debug)]
pub struct Rule {
    /// `pack/name`.
    pub id: Name,
    /// Its pack.
    pub pack: Name,
    /// The file in which it stands.
    pub file: Name,
    /// How often it runs.
    pub reach: Reach,
    /// Of all that it was made from: the rule as written, and the types that it was checked against.
    pub fingerprint: Fingerprint,
    /// What must hold.
    pub body: Body,
    /// Nodes that it derives.
    pub nodes: Vec<NodeRule>,
    /// Edges that it derives.
    pub edges: Vec<EdgeRule>,
    /// Facts that it derives.
    pub facts: Vec<FactRule>,
    /// What it finds fault with.
    pub finding: Option<FindingRule>,
    /// What it says of the effect of a plan.
    pub effect: Option<EffectRule>,
    /// What its artifact gets, if it prints one.
    pub artifact: Option<ArtifactRule>,
}

/// Two compilations of one text against the same types are the same rule.
impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && self.fingerprint == other.fingerprint
    }
}

impl Eq for Rule {}

/// What must hold for a rule to have something to say.
#[derive(Clone, Debug)]
pub struct Body {
    /// The pattern.
    pub pattern: Arc<Pattern>,
    /// Where it stands among the rule's strings.
    pub span: Span,
    /// The way through it from each of its node variables.
    pub walks: BTreeMap<Name, Walk>,
    /// Patterns none of which may match.
    pub unless: Vec<Inner>,
    /// Patterns each of which must match.
    pub exists: Vec<Inner>,
    /// Look-ups between the parts of the pattern: equal values on both sides.
    pub joins: Vec<Join>,
    /// Collections to walk.
    pub each: Vec<(Name, Expression)>,
    /// Names for expressions.
    pub lets: Vec<(Name, Expression)>,
    /// Conditions.
    pub when: Vec<Expression>,
    /// Those of the conditions, or the beginnings of them, that read one node variable alone.
    pub guards: BTreeMap<Name, Vec<Guard>>,
}

/// A pattern within the reach of the rule's own.
#[derive(Clone, Debug)]
pub struct Inner {
    /// The way through it from the nodes that it shares with the rule's pattern.
    pub walk: Walk,
    /// Their variables, in the order of the walk.
    pub shared: Vec<Name>,
    /// Where it stands among the rule's strings.
    pub span: Span,
}

/// One look-up by value between two parts of a pattern.
#[derive(Clone, Debug)]
pub struct Join {
    /// Either side: the variable that it reads, and the value or list of values.
    pub sides: [(Name, Expression); 2],
}

/// A value that a rule gives.
#[derive(Clone, Debug)]
pub enum Filled {
    /// It stands in the rule.
    Constant(Value),
    /// It is filled in.
    Text(Interpolation),
    /// Several.
    List(Vec<Filled>),
}

/// A node that a rule derives.
#[derive(Clone, Debug)]
pub struct NodeRule {
    /// Its address.
    pub address: Interpolation,
    /// Its fields.
    pub fields: Vec<(Path, Filled)>,
}

/// An edge that a rule derives.
#[derive(Clone, Debug)]
pub struct EdgeRule {
    /// The kind of edge.
    pub kind: Name,
    /// Its ends: a node, or the address of a derived one.
    pub ends: [Expression; 2],
    /// Its fields.
    pub fields: Vec<(Path, Filled)>,
}

/// A fact that a rule derives.
#[derive(Clone, Debug)]
pub struct FactRule {
    /// The relation, as `pack/name`.
    pub relation: Name,
    /// The variable it speaks of.
    pub of: Name,
    /// Its fields.
    pub fields: Vec<(Path, Filled)>,
}

/// What a rule finds fault with.
#[derive(Clone, Debug)]
pub struct FindingRule {
    /// Whether it denies or warns.
    pub severity: Severity,
    /// The sentence.
    pub message: Interpolation,
    /// The node at fault.
    pub at: Name,
    /// The field of it that is at fault, as a dotted path.
    pub field: Option<Interpolation>,
    /// What to type.
    pub help: Option<Interpolation>,
}

/// What a rule says of the effect of a plan.
#[derive(Clone, Debug)]
pub struct EffectRule {
    /// What it is of: what is the same before and after.
    pub of: Interpolation,
    /// What is said where it comes.
    pub new: Option<Interpolation>,
    /// What is said where it goes.
    pub gone: Option<Interpolation>,
    /// How much there is of it.
    pub amount: Option<Amount>,
    /// What it is at the time: its change is told.
    pub value: Option<Interpolation>,
}

/// How much there is of something.
#[derive(Clone, Debug)]
pub struct Amount {
    /// The number.
    pub expression: Expression,
    /// Of what, in the plural.
    pub unit: Interpolation,
}

/// What an artifact is made from; its template is compiled by the artifact layer.
#[derive(Clone, Debug)]
pub struct ArtifactRule {
    /// The path, relative to the environment's folder.
    pub path: Interpolation,
    /// The variables a binding of which makes one instance; the first is the anchor.
    pub per: Vec<Name>,
    /// What the template gets.
    pub with: Vec<(Name, Expression)>,
    /// The relation that says how a reference is written, as `pack/name`.
    pub references: Option<Name>,
}

impl Body {
    /// Returns the kinds of node that the variable `name` may be.
    #[must_use]
    pub fn kinds_of(&self, name: &str) -> Arc<[Name]> {
        match self.pattern.variable(name).map(|it| &it.ty) {
            Some(Type::Node(kinds)) => kinds.clone(),
            _ => [].into(),
        }
    }

    /// Returns what the expressions read that decide whether the rule holds.
    #[must_use]
    pub fn uses(&self) -> Uses {
        let mut uses = Uses::default();
        let joins = self.joins.iter().flat_map(|it| it.sides.iter().map(|it| &it.1));
        let named = self.each.iter().chain(&self.lets).map(|it| &it.1);
        for expression in joins.chain(named).chain(&self.when) {
            uses.extend(expression.uses());
        }
        uses
    }
}

impl Filled {
    /// Adds what it reads to `uses`.
    fn add_uses(&self, uses: &mut Uses) {
        match self {
            Self::Constant(_) => {}
            Self::Text(text) => uses.extend(text.uses()),
            Self::List(items) => items.iter().for_each(|it| it.add_uses(uses)),
        }
    }
}

impl NodeRule {
    /// Adds what its expressions read to `uses`.
    pub(crate) fn add_uses(&self, uses: &mut Uses) {
        uses.extend(self.address.uses());
        self.fields.iter().for_each(|it| it.1.add_uses(uses));
    }
}

impl EdgeRule {
    /// Adds what its expressions read to `uses`.
    pub(crate) fn add_uses(&self, uses: &mut Uses) {
        self.ends.iter().for_each(|it| uses.extend(it.uses()));
        self.fields.iter().for_each(|it| it.1.add_uses(uses));
    }
}

impl FactRule {
    /// Returns what the expressions of this fact read.
    #[must_use]
    pub fn uses(&self) -> Uses {
        let mut uses = Uses::default();
        self.fields.iter().for_each(|it| it.1.add_uses(&mut uses));
        uses
    }
}

impl EffectRule {
    /// Adds what its expressions read to `uses`.
    pub(crate) fn add_uses(&self, uses: &mut Uses) {
        let amount = self.amount.as_ref();
        let texts = [
            Some(&self.of),
            self.new.as_ref(),
            self.gone.as_ref(),
            self.value.as_ref(),
            amount.map(|it| &it.unit),
        ];
        texts.into_iter().flatten().for_each(|it| uses.extend(it.uses()));
        uses.extend(amount.map(|it| it.expression.uses()).unwrap_or(&Uses::default()));
    }
}

impl Rule {
    /// Tells whether it says something of nodes apart from facts and files: faults, or effects.
    #[must_use]
    pub fn speaks(&self) -> bool {
        self.finding.is_some() || self.effect.is_some()
    }
}

/// The type of the variable `environment`.
#[must_use]
pub fn environment_type() -> Type {
    let field = |doc: &str| Field::always(Type::String, doc);
    let fields = [("name", field("Its name.")), ("dir", field("The folder of its files."))];
    let fields = fields
        .into_iter()
        .map(|(name, field)| (Name::from(name), field))
        .collect();
    Type::Record(Arc::new(Record { fields, short: None }))
}

/// The type of the variable `environments` of a rule that runs across them.
#[must_use]
pub fn environments_type() -> Type {
    let Type::Record(record) = environment_type() else {
        unreachable!("an environment is a record")
    };
    let mut fields = record.fields.clone();
    let project = Type::Node([Name::from("project")].into());
    fields.insert(
        "project".into(),
        Field::always(project, "The project as this environment has it."),
    );
    Type::List(Arc::new(Type::Record(Arc::new(Record { fields, short: None }))))
}

/// The type of an item of a map that is walked.
pub(crate) fn entry_type(item: &Type) -> Type {
    let fields = [
        (Name::from("key"), Field::always(Type::String, "The key.")),
        (
            Name::from("value"),
            Field::always(item.clone(), "What stands under it."),
        ),
    ];
    Type::Record(Arc::new(Record {
        fields: fields.into_iter().collect(),
        short: None,
    }))
}
