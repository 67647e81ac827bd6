//! Look-ups: `join: a.x = b.y`, and what parts of a pattern want one.

use super::{Compiler, Variables, part_of};
use crate::graph::pattern::Pattern;
use crate::kind::Type;
use crate::problem::{Problem, Span};
use crate::rule::expression::{Expression, fits};
use crate::rule::file::Written;
use crate::rule::model::Join;

impl Compiler<'_> {
    /// Reads `a.x = b.y`: the one equals sign that is no part of `==`, `<=`, `>=` or `!=` and not within quotes.
    pub(super) fn join(&mut self, written: &Written, known: &Variables, pattern: &Pattern) -> Option<Join> {
        let Some((left, right)) = split_join(&written.text) else {
            let problem = Problem::error("rule::wrong_join", "a look-up needs two sides and one `=` between them")
                .at(written.place(), "expected `a.field = b.field`")
                .help("write `a.field = b.field`, with a single `=`");
            self.problems.push(problem);
            return None;
        };
        let [of_left, of_right] =
            [(0, left.len()), (left.len() + 1, written.text.len())].map(|it| Span::new(it.0, it.1));
        let (left, mut problems) = self.side(left, written, of_left, known);
        let (right, more) = self.side(right, written, of_right, known);
        problems.extend(more);
        self.problems.extend(written.located(problems));
        let (left, right) = (left?, right?);
        let item = |ty: &Type| match ty {
            Type::List(item) => (**item).clone(),
            other => other.clone(),
        };
        if !fits(&item(left.ty()), &item(right.ty())) && !fits(&item(right.ty()), &item(left.ty())) {
            let message = format!("`{}` is never equal to `{}`", left.ty(), right.ty());
            let problem = Problem::error("rule::wrong_join", message)
                .at(written.place(), "compares two different types")
                .help("make both of one type: `string(…)`, `int(…)`");
            self.problems.push(problem);
            return None;
        }
        let variable = |side: &Expression| {
            let mut read = side.uses().variables.keys().filter(|it| part_of(pattern, it).is_some());
            let first = read.next()?.clone();
            read.all(|it| *it == first).then_some(first)
        };
        match (variable(&left), variable(&right)) {
            (Some(a), Some(b)) if part_of(pattern, &a) != part_of(pattern, &b) => Some(Join {
                sides: [(a, left), (b, right)],
            }),
            _ => {
                let problem = Problem::error(
                    "rule::wrong_join",
                    "a look-up joins two parts of the pattern by one variable of each",
                )
                .at(
                    written.place(),
                    "expected `a.field = b.field` with `a` and `b` in different paths",
                )
                .help("read one variable on each side; what the two parts share needs no look-up");
                self.problems.push(problem);
                None
            }
        }
    }

    /// Compiles one side of a look-up: an expression, or a path that leads through sets (`a.claims_port.value`).
    fn side(&self, text: &str, written: &Written, span: Span, known: &Variables) -> (Option<Expression>, Vec<Problem>) {
        let mapped = self.through_sets(text.trim(), known);
        // What a path is written as instead stands nowhere: the path does.
        let place = |it: Span| {
            let own = if mapped.is_some() { span } else { it.shifted(span.start) };
            own.shifted(written.start)
        };
        let source = mapped.as_deref().unwrap_or(text);
        Expression::compile(source, &written.file, &place, &self.scope(known))
    }

    /// Writes a path that leads through a list as the expression that maps it; `None` where it leads through none.
    fn through_sets(&self, text: &str, known: &Variables) -> Option<String> {
        let steps: Vec<&str> = text.split('.').collect();
        let is_name = |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_');
        if !steps.iter().all(|it| is_name(it)) {
            return None;
        }
        let mut ty = known.get(steps[0])?.clone();
        for (at, step) in steps.iter().enumerate().skip(1) {
            if let Type::List(item) = &ty {
                self.schema.member(item, step).ok()?;
                let (set, rest) = (steps[..at].join("."), steps[at..].join("."));
                return Some(format!("{set}.map(it, it.{rest})"));
            }
            ty = self.schema.member(&ty, step).ok()?.ty;
        }
        None
    }

    /// Reports a pattern in several unconnected parts that no look-up joins: it would be a product of all pairs.
    pub(super) fn unjoined(&mut self, pattern: &Pattern) {
        let parts = pattern.parts().len();
        if parts > 2 {
            let problem = Problem::error(
                "rule::too_many_parts",
                format!("the pattern falls into {parts} unconnected parts"),
            )
            .at(self.pattern_place(), "at most two can be joined")
            .help("connect them by edges, or split the rule in two with a relation between them");
            self.problems.push(problem);
        } else if parts == 2 && self.source.join.is_empty() {
            let problem = Problem::error("rule::unjoined", "the pattern falls into two unconnected parts")
                .at(self.pattern_place(), "this would try every pair of nodes")
                .help("connect the parts by an edge, or add `join: a.field = b.field`");
            self.problems.push(problem);
        }
    }
}

fn split_join(text: &str) -> Option<(&str, &str)> {
    let bytes = text.as_bytes();
    let mut quote = None;
    let mut found = None;
    for (at, byte) in bytes.iter().enumerate() {
        match (quote, byte) {
            (Some(open), byte) if open == *byte => quote = None,
            (Some(_), _) => {}
            (None, b'\'' | b'"') => quote = Some(*byte),
            (None, b'=') => {
                let before = at.checked_sub(1).map(|it| bytes[it]);
                let part_of_more =
                    matches!(before, Some(b'=' | b'!' | b'<' | b'>')) || bytes.get(at + 1) == Some(&b'=');
                if part_of_more || found.replace(at).is_some() {
                    return None;
                }
            }
            (None, _) => {}
        }
    }
    let at = found?;
    Some((&text[..at], &text[at + 1..]))
}
