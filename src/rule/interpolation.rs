//! Text with expressions in it: `deployments/${s.name}.conf`.
//!
//! `$${` stands for `${` itself. Where the whole text is one `${…}`, the value keeps its type; else every value becomes
//! part of a text, and what can't be part of one is a mistake when the text is compiled.

use std::sync::Arc;

use crate::kind::{Reads, Schema, Type};
use crate::problem::{Place, Problem, Span};
use crate::rule::expression::{self, Bindings, Expression, Failure, Projection, Scope, Uses};
use crate::value::{Name, Segment, Text, Value};

/// A compiled text, cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interpolation {
    parts: Arc<[Part]>,
    ty: Type,
    uses: Arc<Uses>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(Name),
    Expression(Expression),
}

/// A part of a text that was evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evaluated {
    /// What the text itself writes.
    Written(Name),
    /// What an expression in it gave.
    Value(Value),
}

/// A piece of a text before its expressions are compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Characters that mean themselves.
    Literal(String),
    /// The source of an expression, and the byte of the text at which it starts.
    Source(&'a str, usize),
    /// The byte at which an expression starts that has no end.
    Unclosed(usize),
}

/// Splits `text` into its literals and the sources of its expressions.
#[must_use]
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut at = 0;
    while let Some(dollar) = text[at..].find('$').map(|it| it + at) {
        literal.push_str(&text[at..dollar]);
        let rest = &text[dollar..];
        if rest.starts_with("$${") {
            literal.push_str("${");
            at = dollar + 3;
        } else if rest.starts_with("${") {
            if !literal.is_empty() {
                pieces.push(Piece::Literal(std::mem::take(&mut literal)));
            }
            let start = dollar + 2;
            let Some(end) = expression::closing_brace(text, start) else {
                pieces.push(Piece::Unclosed(dollar));
                return pieces;
            };
            pieces.push(Piece::Source(&text[start..end], start));
            at = end + 1;
        } else {
            literal.push('$');
            at = dollar + 1;
        }
    }
    literal.push_str(&text[at..]);
    if !literal.is_empty() {
        pieces.push(Piece::Literal(literal));
    }
    pieces
}

impl Interpolation {
    /// Compiles `text`, which stands in `file` at byte `start`.
    ///
    /// There is a result only where there is no problem.
    pub fn compile(text: &str, file: &Name, start: u32, scope: &Scope<'_>) -> (Option<Self>, Vec<Problem>) {
        Self::compile_at(text, file, scope, |it| it.shifted(start))
    }

    /// Compiles `text`, a part of which stands in `file` where `place` says.
    pub fn compile_at(
        text: &str,
        file: &Name,
        scope: &Scope<'_>,
        place: impl Fn(Span) -> Span,
    ) -> (Option<Self>, Vec<Problem>) {
        let pieces = pieces(text);
        let is_whole = matches!(&*pieces, [Piece::Source(..)]);
        let mut parts = Vec::with_capacity(pieces.len());
        let mut problems = Vec::new();
        let mut uses = Uses::default();
        let mut ty = Type::String;
        for piece in pieces {
            match piece {
                Piece::Literal(literal) => parts.push(Part::Literal(literal.into())),
                Piece::Unclosed(at) => {
                    let problem = Problem::error("expression::unclosed", "an expression in a text has no end");
                    let problem = problem.help("close it with `}`, or write `$${` for the characters themselves");
                    problems.push(problem.at(Place::Text(file.clone(), place(Span::new(at, at + 2))), "opened here"));
                }
                Piece::Source(source, at) => {
                    let start = Span::new(at, at).start;
                    let (expression, found) = Expression::compile(source, file, &|it| place(it.shifted(start)), scope);
                    problems.extend(found);
                    let Some(expression) = expression else { continue };
                    uses.extend(expression.uses());
                    if is_whole {
                        ty = expression.ty().clone();
                    } else if let Some(reason) = no_place_in_text(&expression) {
                        let problem = Problem::error("expression::nothing_in_text", reason);
                        let problem = match expression.ty() {
                            Type::List(_) => problem.help("join it: `….join(', ')`"),
                            Type::Node(_) => problem.help("write `….name` or `….address`"),
                            _ => problem.help("only strings, numbers and truths can be part of a text"),
                        };
                        let whole = place(Span::new(at, at + source.len()));
                        problems.push(problem.at(Place::Text(file.clone(), whole), "can't be part of a text"));
                    } else if matches!(expression.ty(), Type::Text | Type::Any) {
                        ty = Type::Text;
                    }
                    parts.push(Part::Expression(expression));
                }
            }
        }
        if !problems.is_empty() {
            return (None, problems);
        }
        let compiled = Self {
            parts: parts.into(),
            ty,
            uses: Arc::new(uses),
        };
        (Some(compiled), problems)
    }

    /// Returns the characters, where there is no expression in it.
    #[must_use]
    pub fn constant(&self) -> Option<&str> {
        match &*self.parts {
            [] => Some(""),
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// Does the same, sharing them.
    #[must_use]
    pub fn constant_name(&self) -> Option<Name> {
        match &*self.parts {
            [] => Some(Name::default()),
            [Part::Literal(text)] => Some(text.clone()),
            _ => None,
        }
    }

    /// Returns the type of its value.
    #[must_use]
    pub fn ty(&self) -> &Type {
        &self.ty
    }

    /// Tells whether its value may be null where its type is another.
    #[must_use]
    pub fn is_nullable(&self) -> bool {
        self.whole().is_some_and(Expression::is_nullable)
    }

    /// Returns the expression, where the whole text is one.
    #[must_use]
    pub fn whole(&self) -> Option<&Expression> {
        match &*self.parts {
            [Part::Expression(expression)] => Some(expression),
            _ => None,
        }
    }

    /// Returns what it reads.
    #[must_use]
    pub fn uses(&self) -> &Uses {
        &self.uses
    }

    /// Returns what it reads where only `reads` of its value is wanted.
    #[must_use]
    pub fn uses_for(&self, reads: &Reads, schema: &Schema) -> Uses {
        match self.whole() {
            Some(expression) => expression.uses_for(reads, schema),
            None => (*self.uses).clone(),
        }
    }

    /// Returns its value.
    ///
    /// # Errors
    ///
    /// [`Failure`] says why there is none, and which part failed.
    pub fn evaluate(&self, bindings: &Bindings<'_>) -> Result<Value, Failure> {
        if let Some(expression) = self.whole() {
            return expression.evaluate(bindings);
        }
        let mut segments = Vec::with_capacity(self.parts.len());
        for part in &*self.parts {
            match part {
                Part::Literal(text) => segments.push(Segment::Literal(text.clone())),
                Part::Expression(expression) => {
                    let value = expression.evaluate(bindings)?;
                    let text = expression::printed(&value).map_err(|reason| expression.failure(reason))?;
                    segments.extend(text.segments().iter().cloned());
                }
            }
        }
        Ok(Value::text(Text::new(segments)))
    }

    /// Returns the characters that the text itself writes and the values between them, in order.
    ///
    /// # Errors
    ///
    /// [`Failure`] says why there is none, and which part failed.
    pub fn evaluate_parts(&self, bindings: &Bindings<'_>) -> Result<Vec<Evaluated>, Failure> {
        let evaluate = |part: &Part| match part {
            Part::Literal(text) => Ok(Evaluated::Written(text.clone())),
            Part::Expression(expression) => expression.evaluate(bindings).map(Evaluated::Value),
        };
        self.parts.iter().map(evaluate).collect()
    }

    /// Returns its value with just what `projection` names; nodes become maps of that.
    ///
    /// # Errors
    ///
    /// [`Failure`] says why there is none, and which part failed.
    pub fn evaluate_for(&self, bindings: &Bindings<'_>, projection: &Projection) -> Result<Value, Failure> {
        match self.whole() {
            Some(expression) => expression.evaluate_for(bindings, projection),
            None => self.evaluate(bindings),
        }
    }
}

/// Returns why an expression can't be part of a text, if it can't.
fn no_place_in_text(expression: &Expression) -> Option<String> {
    let fits = match expression.ty() {
        Type::List(_) | Type::Map(_) | Type::Record(_) | Type::Node(_) | Type::Edge(_) | Type::Null => false,
        Type::Any => true,
        _ => !expression.is_nullable(),
    };
    let or_null = if expression.is_nullable() && *expression.ty() != Type::Null {
        " or null"
    } else {
        ""
    };
    (!fits).then(|| format!("`{}{or_null}` has no place inside of a text", expression.ty()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::expression::testing::{bound, map, reference, schema, types};

    fn compile(text: &str) -> (Option<Interpolation>, Vec<Problem>) {
        let schema = schema();
        let scope = Scope::new(&schema, types());
        Interpolation::compile(text, &Name::from("rules/tubes.yaml"), 100, &scope)
    }

    #[track_caller]
    fn gives(text: &str, value: impl Into<Value>) {
        let (compiled, problems) = compile(text);
        let compiled = compiled.unwrap_or_else(|| panic!("{text}: {problems:#?}"));
        assert_eq!(bound(|it| compiled.evaluate(it)), Ok(value.into()), "{text}");
    }

    #[test]
    fn literals_and_values_meet_in_a_text() {
        gives("", "");
        gives("a$b $ $$ $1 {x}", "a$b $ $$ $1 {x}");
        gives("$${x} $$${x}", "${x} $${x}");
        gives("${s.name}.conf", "a.conf");
        gives("${s.bore}", 80);
        gives("${s.bore}mm ${1.5} ${true}", "80mm 1.5 true");
        gives("${'}'}${\"{\"}", "}{");
        gives("${{'a': {'b': 1}}}", map([("a", map([("b", Value::Int(1))]))]));
        gives("${ {'a': '}'}.a }!", "}!");
        gives("${text}", reference());
        gives("${s.tags}", Value::list(["fast", "dry"].map(Value::from)));
        let (compiled, _) = compile("<${text}>${code('shell', '$X')}");
        let compiled = compiled.unwrap();
        assert_eq!(compiled.ty(), &Type::Text);
        let value = bound(|it| compiled.evaluate(it)).unwrap();
        assert_eq!(value.as_text().unwrap().segments().len(), 4);
    }

    #[test]
    fn mistakes_are_shown_within_the_text() {
        for (text, code, at) in [
            ("a ${s.nope} b", "expression::unknown_member", "nope"),
            ("a ${s.name", "expression::unclosed", "${"),
            ("a ${'x} b", "expression::unclosed", "${"),
            ("a ${s.tags}", "expression::nothing_in_text", "s.tags"),
            ("a ${s}", "expression::nothing_in_text", "s"),
            ("a ${null}", "expression::nothing_in_text", "null"),
            (
                "a ${has(s.home) ? 1 : null}",
                "expression::nothing_in_text",
                "has(s.home) ? 1 : null",
            ),
            ("a ${}", "expression::syntax", ""),
            ("a ${s.label}", "expression::may_be_absent", "label"),
        ] {
            let (compiled, problems) = compile(text);
            assert!(compiled.is_none(), "{text}");
            let Place::Text(_, span) = &problems[0].labels[0].place else {
                panic!("{text}")
            };
            let under = &text[span.start as usize - 100..span.end as usize - 100];
            assert_eq!((&*problems[0].code, under), (code, at), "{text}");
        }
    }

    #[test]
    fn what_is_read_is_the_sum_of_the_parts() {
        let (compiled, _) = compile("${s.name} ${b.bore}");
        let compiled = compiled.unwrap();
        assert!(compiled.uses().variables["s"].members["name"].whole);
        assert!(compiled.uses().variables["b"].members["bore"].whole);
    }
}
