//! The checker: a walk over the syntax tree that gives each part its type, and refuses what can't be meant.
//!
//! The parser accepts any name, and an evaluator that met an unknown one could still answer (`a.nope || true`), so
//! every name, type and number of arguments is settled here. What is left for the run is what depends on values.

mod call;
mod literal;
mod macros;
mod operator;
mod present;
mod typed;

use std::collections::BTreeSet;

use super::Scope;
use super::reads::Places;
use super::syntax::{Form, Syntax};
use super::tree::{Absent, Asked, Member as MemberTree, Op, Tree};
use crate::kind::{NoMember, Type};
use crate::problem::{Place, Problem, Span};
use crate::value::Name;

pub use present::Present;
pub(crate) use typed::Typed;

/// The name under which a pack's rules read its tables.
const DATA: &str = "data";

/// The state of a walk.
pub(crate) struct Checker<'a> {
    /// The source of the expression.
    pub(crate) source: &'a str,
    /// The file it stands in.
    pub(crate) file: &'a Name,
    /// Returns where a part of it stands in the file.
    pub(crate) place: &'a dyn Fn(Span) -> Span,
    /// What it may speak of.
    pub(crate) scope: &'a Scope<'a>,
    /// The variables of the macros around.
    pub(crate) locals: Vec<Local>,
    /// How many of them there were.
    pub(crate) n_locals: usize,
    /// What is known to be there.
    pub(crate) present: BTreeSet<String>,
    /// What was read.
    pub(crate) places: Places,
    /// What is wrong.
    pub(crate) problems: Vec<Problem>,
}

/// A variable of a macro.
pub(crate) struct Local {
    name: String,
    key: String,
    typed: Typed,
}

/// How a member is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ask {
    /// It must be there.
    Strictly,
    /// Within `has()`, which answers for the whole way.
    Within,
    /// With `.?`.
    Optionally,
}

impl Ask {
    /// Returns how a member is asked for that is written so.
    fn or(self, asked: Asked) -> Self {
        if self != Self::Within && asked == Asked::Optionally {
            Self::Optionally
        } else {
            self
        }
    }
}

impl Checker<'_> {
    /// Returns an expression in its checked form, and its type.
    pub(crate) fn check(&mut self, it: &Syntax<'_>) -> (Tree, Typed) {
        let (tree, typed) = self.part(it);
        let makes = matches!(
            it.form,
            Form::List(_) | Form::Map(_) | Form::Conditional(_) | Form::Call(..) | Form::Method(..)
        );
        // A few signs can make a type that doubles at each step: `cel.bind(x, {'a': x, 'b': x}, …)`.
        if makes && !typed.broken && typed.is_too_large() {
            let problem = Problem::error("expression::too_deep", "the value has too many parts to be checked");
            return self.refuse(problem, it.sign, "too large from here on");
        }
        (tree, typed)
    }

    fn part(&mut self, it: &Syntax<'_>) -> (Tree, Typed) {
        match &it.form {
            Form::Literal(value) => self.literal(it, value),
            Form::Foreign(what) => self.foreign(it, *what),
            Form::Name(name) => self.variable(it, name),
            Form::Member(..) | Form::Index(..) => self.member(it, Ask::Strictly),
            Form::Call(name, args) => self.call(it, name, args),
            Form::Method(target, name, args) => self.method(it, target, name, args),
            Form::List(items) => self.list(it, items),
            Form::Map(entries) => self.map(it, entries),
            Form::Not(inner) => self.not(it, inner),
            Form::Negate(inner) => self.negate(it, inner),
            Form::And(sides) => self.both(it, sides, Op::And),
            Form::Or(sides) => self.both(it, sides, Op::Or),
            Form::Binary(sign, sides) => self.binary(it, *sign, sides),
            Form::Conditional(parts) => self.conditional(it, parts),
        }
    }

    /// Returns a part of the checked form.
    fn tree(&self, it: &Syntax<'_>, op: Op) -> Tree {
        Tree {
            span: (self.place)(it.sign),
            op,
        }
    }

    /// Takes a problem down.
    fn report(&mut self, problem: Problem, span: Span, label: impl Into<std::sync::Arc<str>>) {
        let place = Place::Text(self.file.clone(), (self.place)(span));
        let mut problem = problem.at(place, label);
        if problem.help.is_none() {
            problem.help = usual_help(&problem.code).map(Into::into);
        }
        self.problems.push(problem);
    }

    /// Takes a problem down, and returns what stands for the part that is wrong.
    fn refuse(&mut self, problem: Problem, span: Span, label: impl Into<std::sync::Arc<str>>) -> (Tree, Typed) {
        self.report(problem, span, label);
        let tree = Tree {
            span: (self.place)(span),
            op: Op::Broken,
        };
        (tree, Typed::broken())
    }

    fn variable(&mut self, it: &Syntax<'_>, name: &str) -> (Tree, Typed) {
        if let Some(at) = self.locals.iter().rposition(|it| it.name == name) {
            return (self.tree(it, Op::Local(at)), self.locals[at].typed.clone());
        }
        if let Some((name, ty)) = self.scope.variables.get_key_value(name) {
            let traces = vec![self.places.variable(name)];
            return (
                self.tree(it, Op::Variable(name.clone())),
                Typed::new(ty.clone(), traces),
            );
        }
        if name == DATA
            && let Some((ty, value)) = self.scope.data
        {
            let typed = Typed::new(ty.clone(), Vec::new());
            return (self.tree(it, Op::Literal(value.clone())), typed);
        }
        let known: Vec<&str> = self
            .locals
            .iter()
            .map(|it| &*it.name)
            .chain(self.scope.variables.keys().map(|it| &**it))
            .chain(self.scope.data.map(|_| DATA))
            .collect();
        let problem = Problem::error("expression::unknown_name", format!("`{name}` is no variable here"));
        let problem = problem.suggest(name, known.iter().copied());
        self.refuse(problem, it.sign, "not a variable")
    }

    /// Checks `a.b`, `a.?b`, `a['b']` and `a[?'b']`.
    fn member(&mut self, it: &Syntax<'_>, ask: Ask) -> (Tree, Typed) {
        match &it.form {
            Form::Member(of, name, asked) => {
                let of = self.way(of, ask);
                let path = self.path(it);
                self.member_of(it, of, name, path, ask.or(*asked), it.sign)
            }
            Form::Index(parts, asked) => self.index(it, parts, ask, *asked),
            _ => self.check(it),
        }
    }

    /// Checks what a member is asked of, which within `has()` may be missing itself.
    fn way(&mut self, operand: &Syntax<'_>, ask: Ask) -> (Tree, Typed) {
        let ask = if ask == Ask::Within { ask } else { Ask::Strictly };
        self.member(operand, ask)
    }

    fn index(&mut self, it: &Syntax<'_>, [of, key]: &[Syntax<'_>; 2], ask: Ask, asked: Asked) -> (Tree, Typed) {
        let map = of;
        let of = self.way(map, ask);
        let ask = ask.or(asked);
        let path = self.path(it);
        if let Some(name) = key.as_str()
            && !matches!(of.1.ty, Type::List(_))
        {
            return self.member_of(it, of, name, path, ask, key.sign);
        }
        let (of_tree, of) = of;
        let (key_tree, key_typed) = self.check(key);
        self.places.whole(&key_typed.traces);
        if of.broken || key_typed.broken {
            return (self.tree(it, Op::Broken), Typed::broken());
        }
        let (item, wants_number) = match &of.ty {
            Type::List(item) => ((**item).clone(), true),
            Type::Map(item) => ((**item).clone(), false),
            Type::Record(record) => (typed::common(record.fields.values().map(|it| it.ty.clone())), false),
            Type::Any => (Type::Any, matches!(key_typed.ty, Type::Int)),
            other => {
                let problem = Problem::error("expression::wrong_type", format!("`{other}` can't be indexed"));
                let problem = match other {
                    Type::Node(_) | Type::Edge(_) => problem.help("write the name of the member in quotes"),
                    _ => problem,
                };
                return self.refuse(problem, it.sign, "neither a list nor a map");
            }
        };
        let fits = match &key_typed.ty {
            Type::Any => true,
            ty if wants_number => super::types::is_whole(ty),
            ty => super::types::is_text(ty),
        };
        if !fits || key_typed.optional {
            let wanted = if wants_number { "int" } else { "string" };
            let message = format!("`{}` is indexed by `{wanted}`, not by `{}`", of.ty, key_typed.words());
            return self.refuse(Problem::error("expression::wrong_type", message), key.sign, "wrong key");
        }
        let traces = self.places.each(&of.traces, &item);
        let known = path.as_ref().is_some_and(|it| self.present.contains(it));
        if ask == Ask::Strictly && !of.optional && !known && matches!(of.ty, Type::Map(_) | Type::Record(_)) {
            let (map, key) = (self.text(map), self.text(key));
            let problem = Problem::error("expression::may_be_absent", format!("`{map}` may lack the key `{key}`"))
                .help(format!(
                    "ask first: `{key} in {map}`, or write `{map}[?{key}].orValue(…)`"
                ));
            self.report(problem, it.sign, "may be absent");
        }
        let optional = ask == Ask::Optionally || (of.optional && ask == Ask::Strictly);
        let asked = if optional { Asked::Optionally } else { Asked::Plainly };
        let tree = self.tree(it, Op::Index(Box::new(of_tree), Box::new(key_tree), asked));
        let mut typed = Typed::new(item, traces);
        typed.optional = optional;
        (tree, typed)
    }

    fn member_of(
        &mut self,
        it: &Syntax<'_>,
        of: (Tree, Typed),
        name: &str,
        path: Option<String>,
        ask: Ask,
        span: Span,
    ) -> (Tree, Typed) {
        let (of_tree, of) = of;
        if of.broken {
            return (self.tree(it, Op::Broken), Typed::broken());
        }
        let member = match self.scope.schema.member(&of.ty, name) {
            Ok(member) => member,
            Err(reason) => {
                let mut problem = no_member(&of.ty, name, reason);
                if name.contains('/') {
                    problem = problem.suggest(name, self.scope.schema.relations.keys().map(|it| &**it));
                }
                return self.refuse(problem, span, "not known here");
            }
        };
        let name = Name::from(name);
        let known = path.as_ref().is_some_and(|it| self.present.contains(it));
        if ask == Ask::Strictly && member.optional && !known && !of.optional {
            let (whole, operand) = (self.text(it), self.operand_text(it));
            let help = if is_identifier(&name) {
                format!("ask first: `has({whole})`, or write `{operand}.?{name}.orValue(…)`")
            } else {
                format!("ask first: `has({whole})`, or write `{operand}[?'{name}'].orValue(…)`")
            };
            let problem = Problem::error("expression::may_be_absent", format!("`{whole}` may be absent")).help(help);
            self.report(problem, span, "may be absent");
            if member.ty == Type::Any {
                return (self.tree(it, Op::Broken), Typed::broken());
            }
        }
        let traces = self
            .places
            .member(&of.traces, &name, member.relation.as_ref(), &member.ty);
        let optional = ask == Ask::Optionally || (of.optional && ask == Ask::Strictly);
        let absent = match &member.ty {
            Type::List(_) if !member.optional => Absent::List,
            Type::Map(_) | Type::Record(_) if !member.optional => Absent::Map,
            _ => Absent::Failure,
        };
        let tree = self.tree(
            it,
            Op::Member(Box::new(MemberTree {
                of: of_tree,
                name,
                relation: member.relation,
                absent,
                asked: if optional { Asked::Optionally } else { Asked::Plainly },
            })),
        );
        let mut typed = Typed::new(member.ty, traces);
        typed.optional = optional;
        (tree, typed)
    }

    /// Checks the argument of `has()`.
    fn has(&mut self, it: &Syntax<'_>, field: &Syntax<'_>) -> (Tree, Typed) {
        if !matches!(field.form, Form::Member(..) | Form::Index(..)) {
            let problem = Problem::error("expression::bad_macro", "`has` asks for a field, as in `has(a.b)`");
            return self.refuse(problem, field.sign, "not a field");
        }
        let (tree, typed) = self.member(field, Ask::Within);
        self.places.whole(&typed.traces);
        (
            self.tree(it, Op::Has(Box::new(tree), Box::new(typed.ty))),
            Typed::new(Type::Bool, Vec::new()),
        )
    }

    /// Returns the source of an expression.
    fn text(&self, it: &Syntax<'_>) -> &str {
        it.whole.of(self.source)
    }

    /// Returns the source of what a member is asked of.
    fn operand_text(&self, it: &Syntax<'_>) -> &str {
        match &it.form {
            Form::Member(of, ..) => self.text(of),
            Form::Index(parts, _) => self.text(&parts[0]),
            _ => "",
        }
    }
}

fn is_identifier(name: &str) -> bool {
    !name.starts_with(|it: char| it.is_ascii_digit())
        && !name.is_empty()
        && name.chars().all(|it| it.is_ascii_alphanumeric() || it == '_')
}

/// Returns what to type where no better advice is known than the code gives.
fn usual_help(code: &str) -> Option<&'static str> {
    Some(match code {
        "expression::wrong_type" => "`int(…)`, `double(…)` and `string(…)` convert, `dyn(…)` forgets a type",
        "expression::never_equal" => "compare values of one type: `int(…)`, `double(…)` and `string(…)` convert",
        "expression::unknown_member" => "read what the value has: the fields of its kind, or facts of a relation",
        "expression::bad_macro" => "write `has(a.b)`, `list.map(x, x.name)`, `map.all(k, v, v > 0)`",
        "expression::unknown_name" => "only what `match`, `each`, `let` or `with` names can be read",
        "expression::too_deep" => "split it: a part can be a fact of its own",
        _ => return None,
    })
}

fn no_member(ty: &Type, name: &str, reason: NoMember) -> Problem {
    match reason {
        NoMember::Unknown(known) => {
            let message = match ty {
                Type::Record(_) => format!("there is no field `{name}` here"),
                _ => format!("`{ty}` has no field or relation `{name}`"),
            };
            let problem = Problem::error("expression::unknown_member", message);
            problem.suggest(name, known.iter().map(|it| &**it))
        }
        NoMember::Ambiguous(known) => {
            let known: Vec<String> = known.iter().map(|it| format!("['{it}']")).collect();
            let message = format!("several packs have a relation `{name}`");
            Problem::error("expression::ambiguous_member", message).help(format!("write one of {}", known.join(", ")))
        }
        NoMember::NotInAll(lacking) => {
            let lacking: Vec<String> = lacking.iter().map(|it| format!("`{it}`")).collect();
            let message = format!("`{name}` is not known of {}", lacking.join(", "));
            Problem::error("expression::not_in_all_kinds", message)
                .help("match fewer kinds, or read only what all of them have")
        }
        NoMember::NoMembers => {
            let message = format!("`{ty}` has no fields");
            Problem::error("expression::unknown_member", message)
        }
    }
}
