//! The syntax of an expression: what the parser finds, before anything is known of names and types.

use super::tree::{Asked, Binary};
use crate::problem::Span;
use crate::value::Value;

/// A part of an expression.
#[derive(Debug)]
pub(crate) struct Syntax<'s> {
    /// The token by which it is known: its sign, its name, its literal.
    pub(crate) sign: Span,
    /// All of it, without the brackets around it.
    pub(crate) whole: Span,
    /// What it is.
    pub(crate) form: Form<'s>,
}

/// What a part of an expression is. Macros are the calls that they are written as.
#[derive(Debug)]
pub(crate) enum Form<'s> {
    /// A value that is written out.
    Literal(Value),
    /// What CEL has and we have not.
    Foreign(Foreign),
    /// A variable.
    Name(&'s str),
    /// `a.b` and `a.?b`
    Member(Box<Syntax<'s>>, &'s str, Asked),
    /// `a[b]` and `a[?b]`
    Index(Box<[Syntax<'s>; 2]>, Asked),
    /// `f(a)`
    Call(&'s str, Vec<Syntax<'s>>),
    /// `a.f(b)`
    Method(Box<Syntax<'s>>, &'s str, Vec<Syntax<'s>>),
    /// `[a, ?b]`
    List(Vec<(Syntax<'s>, Asked)>),
    /// `{a: b, ?c: d}`
    Map(Vec<(Syntax<'s>, Syntax<'s>, Asked)>),
    /// `!a`
    Not(Box<Syntax<'s>>),
    /// `-a`
    Negate(Box<Syntax<'s>>),
    /// `a && b`
    And(Box<[Syntax<'s>; 2]>),
    /// `a || b`
    Or(Box<[Syntax<'s>; 2]>),
    /// Two values under another sign.
    Binary(Binary, Box<[Syntax<'s>; 2]>),
    /// `a ? b : c`
    Conditional(Box<[Syntax<'s>; 3]>),
}

/// What CEL has and we have not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Foreign {
    /// `1u`
    Unsigned,
    /// `b'a'`
    Bytes,
    /// `A{b: 1}`
    Message,
}

impl Syntax<'_> {
    /// Returns the string that is written out here, if one is.
    pub(crate) fn as_str(&self) -> Option<&str> {
        match &self.form {
            Form::Literal(value) => value.as_str(),
            _ => None,
        }
    }
}
