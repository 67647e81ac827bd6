//! A checked expression: every name resolved, every function found. The evaluator walks it.

use super::function::{Function, Run};
use crate::kind::Type;
use crate::problem::Span;
use crate::value::{Name, Value};

/// A part of an expression. Where it stands makes no difference between two of them.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    /// Where its sign or name stands in the file.
    pub(crate) span: Span,
    /// What it does.
    pub(crate) op: Op,
}

impl PartialEq for Tree {
    fn eq(&self, other: &Self) -> bool {
        self.op == other.op
    }
}

impl Tree {
    /// Adds the conditions of which this one is made by `&&` to `all`, in their order.
    pub(crate) fn conjuncts<'t>(&'t self, all: &mut Vec<&'t Self>) {
        match &self.op {
            Op::And(sides) => sides.iter().for_each(|it| it.conjuncts(all)),
            _ => all.push(self),
        }
    }

    /// Tells whether `variable` is the only variable of the rule that this reads.
    pub(crate) fn reads_only(&self, variable: &str) -> bool {
        let only = |it: &Self| it.reads_only(variable);
        match &self.op {
            Op::Literal(_) | Op::Local(_) => true,
            Op::Variable(name) => **name == *variable,
            Op::Member(member) => only(&member.of),
            Op::Index(of, key, _) => only(of) && only(key),
            Op::Has(of, _) | Op::Not(of) | Op::Negate(of) => only(of),
            Op::List(items) => items.iter().all(|it| only(&it.0)),
            Op::Map(entries) => entries.iter().all(|it| only(&it.0) && only(&it.1)),
            Op::And(sides) | Op::Or(sides) | Op::Bind(sides) | Op::OptionalMap(sides) | Op::Binary(_, sides) => {
                sides.iter().all(only)
            }
            Op::Conditional(parts) => parts.iter().all(only),
            Op::Call(_, args) => args.iter().all(only),
            Op::Fold(fold) => only(&fold.of) && fold.test.iter().chain(&fold.body).all(only),
            Op::Broken => false,
        }
    }
}

impl Tree {
    /// Adds the members that this reads to `members`, each with its relation if it stands for facts; `false` where it asks
    /// the graph as well.
    pub(crate) fn reads_members(&self, members: &mut Vec<(Name, Option<Name>)>) -> bool {
        let mut all = |parts: &[&Self]| parts.iter().all(|it| it.reads_members(members));
        match &self.op {
            Op::Literal(_) | Op::Variable(_) | Op::Local(_) => true,
            Op::Member(member) => {
                members.push((member.name.clone(), member.relation.clone()));
                member.of.reads_members(members)
            }
            Op::Index(of, key, _) => all(&[of, key]),
            Op::Has(of, _) | Op::Not(of) | Op::Negate(of) => all(&[of]),
            Op::List(items) => items.iter().all(|it| all(&[&it.0])),
            Op::Map(entries) => entries.iter().all(|it| all(&[&it.0, &it.1])),
            Op::And(sides) | Op::Or(sides) | Op::Bind(sides) | Op::OptionalMap(sides) | Op::Binary(_, sides) => {
                all(&[&sides[0], &sides[1]])
            }
            Op::Conditional(parts) => parts.iter().all(|it| all(&[it])),
            Op::Call(function, args) => {
                !matches!(function.run, Run::Graph(_) | Run::Macro) && args.iter().all(|it| all(&[it]))
            }
            Op::Fold(fold) => all(&[&fold.of]) && fold.test.iter().chain(&fold.body).all(|it| all(&[it])),
            Op::Broken => false,
        }
    }
}

/// What a part of an expression does.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Op {
    /// A value that is written out.
    Literal(Value),
    /// A variable of the rule.
    Variable(Name),
    /// A variable of a macro, by its place on the stack.
    Local(usize),
    /// A member by name.
    Member(Box<Member>),
    /// A member or an item by a value.
    Index(Box<Tree>, Box<Tree>, Asked),
    /// Whether a member or an item is there.
    Has(Box<Tree>, Box<Type>),
    /// A list; an optional item may be left out.
    List(Vec<(Tree, Asked)>),
    /// A map; an optional entry may be left out.
    Map(Vec<(Tree, Tree, Asked)>),
    /// Both.
    And(Box<[Tree; 2]>),
    /// Either.
    Or(Box<[Tree; 2]>),
    /// The contrary.
    Not(Box<Tree>),
    /// The negative.
    Negate(Box<Tree>),
    /// One of two, by a third.
    Conditional(Box<[Tree; 3]>),
    /// Two values under one sign.
    Binary(Binary, Box<[Tree; 2]>),
    /// A function.
    Call(&'static Function, Vec<Tree>),
    /// A walk over a list or a map.
    Fold(Box<Fold>),
    /// A value with a name.
    Bind(Box<[Tree; 2]>),
    /// Something made of what an optional holds.
    OptionalMap(Box<[Tree; 2]>),
    /// What an expression with a mistake becomes; it is never run.
    Broken,
}

/// A member by name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Member {
    /// Of what.
    pub(crate) of: Tree,
    /// Its name.
    pub(crate) name: Name,
    /// The relation whose facts it stands for, on a node.
    pub(crate) relation: Option<Name>,
    /// What it is where it is not there.
    pub(crate) absent: Absent,
    /// Whether the result is an optional.
    pub(crate) asked: Asked,
}

/// What a member is where it is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Absent {
    /// A failure.
    Failure,
    /// The empty list.
    List,
    /// The empty map.
    Map,
}

/// Whether something may be missing without a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// It must be there.
    Plainly,
    /// It becomes an optional.
    Optionally,
}

/// A sign between two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binary {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Remainder,
    /// `==`
    Equal,
    /// `!=`
    Differ,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `in`
    In,
}

impl Binary {
    /// Returns how it is written.
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
            Self::Equal => "==",
            Self::Differ => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::In => "in",
        }
    }
}

/// A walk over a list or a map.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fold {
    /// What is made of it.
    pub(crate) make: Make,
    /// What is walked.
    pub(crate) of: Tree,
    /// What is bound on the way.
    pub(crate) binds: Binds,
    /// Which items count.
    pub(crate) test: Option<Tree>,
    /// What each of them becomes.
    pub(crate) body: Option<Tree>,
}

/// What a walk binds at each step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binds {
    /// The item, or the key of a map.
    Item,
    /// The key or the position, and the value.
    Both,
}

/// What a walk makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Make {
    /// Whether the test holds everywhere.
    All,
    /// Whether it holds somewhere.
    Exists,
    /// Whether it holds exactly once.
    ExistsOne,
    /// The items for which it holds.
    Filter,
    /// The bodies.
    List,
    /// The bodies by their keys.
    Map,
    /// The entries of the bodies.
    Entries,
    /// The items by the order of the bodies.
    Sorted,
}
