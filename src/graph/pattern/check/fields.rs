//! The filters of a pattern: each field known, each value of its field's type.

use super::{Check, list};
use crate::graph::pattern::{Filter, FilterSyntax};
use crate::kind::{NoMember, Schema, Type};
use crate::problem::Problem;
use crate::value::{Name, Path, Value};

impl Check<'_> {
    pub(super) fn filters(
        &mut self,
        filters: &[&FilterSyntax],
        ty: &Type,
        default_of: &dyn Fn(&FilterSyntax) -> Vec<Name>,
    ) -> Vec<Filter> {
        let mut checked: Vec<Filter> = Vec::new();
        for filter in filters {
            if let Some(earlier) = checked.iter().find(|it| it.path == filter.path) {
                if earlier.value != filter.value {
                    let message = format!("`{}` is asked to hold two values at once", filter.path);
                    let problem = Problem::error("pattern::repeated_field", message)
                        .at((self.place)(filter.path_span), "asked before")
                        .help("keep one of them; alternatives are asked under `when:`, with `in`");
                    self.report(problem);
                }
                continue;
            }
            if let Err(problem) = self.filter(filter, ty) {
                self.report(problem);
                continue;
            }
            checked.push(Filter {
                path: filter.path.clone(),
                value: filter.value.clone(),
                default_of: default_of(filter),
            });
        }
        checked
    }

    fn filter(&self, filter: &FilterSyntax, ty: &Type) -> Result<(), Problem> {
        let mut at = ty.clone();
        for step in &filter.path.0 {
            let member = self
                .schema
                .member(&at, step)
                .map_err(|why| self.unknown_field(filter, &at, step, why))?;
            if member.relation.is_some() {
                let message = format!("`{step}` is a relation, and a pattern filters by fields alone");
                let problem = Problem::error("pattern::unknown_field", message);
                let problem = problem.at((self.place)(filter.path_span), "holds facts");
                return Err(problem.help(format!("ask for it under `when:`, as in `has(s.{step})`")));
            }
            at = member.ty;
        }
        self.value(filter, &at)
    }

    fn unknown_field(&self, filter: &FilterSyntax, ty: &Type, step: &Name, why: NoMember) -> Problem {
        let problem = |message: String, label: &str| {
            Problem::error("pattern::unknown_field", message).at((self.place)(filter.path_span), label)
        };
        match why {
            NoMember::Unknown(known) => {
                let problem = problem(format!("{} has no field `{step}`", owner(ty)), "unknown");
                problem.suggest(step, known.iter().map(|it| &**it))
            }
            NoMember::Ambiguous(known) => problem(format!("`{step}` is a relation of several packs"), "holds facts")
                .help(format!(
                    "ask for it under `when:`, as one of {}",
                    list(&known.into_iter().collect(), "or")
                )),
            NoMember::NotInAll(lacking) => {
                let lacking = list(&lacking.into_iter().collect(), "and");
                problem(format!("{} has `{step}` not in all its kinds", owner(ty)), "not common")
                    .help(format!("{lacking} lacks it: name kinds that have it"))
            }
            NoMember::NoMembers => {
                problem(format!("a {ty} has no fields, so no `{step}`"), "goes too far").help("end the path before it")
            }
        }
    }

    fn value(&self, filter: &FilterSyntax, ty: &Type) -> Result<(), Problem> {
        let wrong = |expected: String| {
            let found = filter.value.noun();
            let message = format!("`{}` holds {expected}, and can't be {found}", filter.path);
            Problem::error("pattern::wrong_type", message)
                .at((self.place)(filter.value_span), format!("this is {found}"))
        };
        let fits = match (ty, &filter.value) {
            (Type::Any, _)
            | (Type::Bool, Value::Bool(_))
            | (Type::Int, Value::Int(_))
            | (Type::Double, Value::Int(_) | Value::Double(_))
            | (Type::String | Type::Text, Value::String(_)) => true,
            (Type::Choice(choices), Value::String(value)) if !choices.contains(value) => {
                let message = format!("`{}` is never `{value}`", filter.path);
                let problem = Problem::error("pattern::wrong_type", message);
                let problem = problem.at((self.place)(filter.value_span), "not one of its values");
                return Err(problem.suggest(value, choices.iter().map(|it| &**it)));
            }
            (Type::Choice(_), Value::String(_)) => true,
            _ => false,
        };
        if fits {
            return Ok(());
        }
        Err(match ty {
            Type::Bool => wrong("a boolean".into()).help("write `true` or `false`"),
            Type::Int => wrong("a whole number".into()).help("write it without quotes: `{replicas: 2}`"),
            Type::Double => wrong("a number".into()).help("write it without quotes: `{bar: 0.5}`"),
            Type::String | Type::Text | Type::Choice(_) => wrong("a string".into()).help("a string stands in quotes"),
            ty => wrong(format!("a {ty}"))
                .help("a pattern filters by strings, numbers and truths; ask for this under `when:`"),
        })
    }
}

/// The default of a field of an edge, by its path.
pub(super) fn default<'a>(schema: &'a Schema, kind: &Name, path: &Path) -> Option<&'a Value> {
    let (first, rest) = path.0.split_first()?;
    let field = schema.edges.get(kind)?.fields.fields.get(first)?;
    field.default.as_ref()?.at(rest)
}

fn owner(ty: &Type) -> String {
    match ty {
        Type::Node(kinds) if kinds.is_empty() => "a node of any kind".to_owned(),
        Type::Node(kinds) | Type::Edge(kinds) => list(&kinds.iter().cloned().collect(), "or"),
        ty => format!("a {ty}"),
    }
}
