//! What a rule denies or warns of, and where it points: at a field that its node has.

use super::{Body, Compiler, FindingRule, Variables};
use crate::kind::{Schema, Type, pack};
use crate::problem::Problem;
use crate::rule::file::Written;
use crate::rule::interpolation::Interpolation;
use crate::value::Path;

impl Compiler<'_> {
    pub(super) fn finding(&mut self, body: &Body, bound: &Variables, known: &Variables) -> Option<FindingRule> {
        let source = self.source.finding.as_ref()?;
        let message = self.string(&source.message, known);
        let help = source.help.as_ref().and_then(|it| self.string(it, known));
        let at = match &source.at {
            Some(written) => self.variable(written, bound)?,
            None => body.pattern.first()?.name.clone(),
        };
        let field = source.field.as_ref().and_then(|it| self.string(it, known));
        if let (Some(written), Some(path)) = (&source.field, field.as_ref().and_then(Interpolation::constant)) {
            self.problems
                .extend(nowhere(self.schema, written, &Path::parse(path), bound.get(&at)));
        }
        Some(FindingRule {
            severity: source.severity,
            message: message?,
            at,
            field,
            help,
        })
    }
}

/// Returns what is wrong where a finding points at `path`, written as `written`, of a node of the type `of`, and no kind
/// of that node has such a field.
fn nowhere(schema: &Schema, written: &Written, path: &Path, of: Option<&Type>) -> Option<Problem> {
    let Some(Type::Node(kinds)) = of else { return None };
    let mut unknown = None;
    for kind in kinds.iter().filter_map(|it| schema.kinds.get(it)) {
        match pack::field_at(&Type::Record(kind.fields.clone()), path) {
            Ok(_) => return None,
            Err((step, known)) => unknown = Some((&kind.name, step, known)),
        }
    }
    let (kind, step, known) = unknown?;
    let problem = Problem::error("rule::unknown_field", format!("`{path}` is no field of `{kind}`"));
    let problem = problem.at(written.place(), format!("`{step}` is unknown"));
    Some(problem.suggest(&step, known.iter().map(|it| &**it)))
}
