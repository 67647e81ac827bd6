//! What a rule says of the effect of a plan: a thing that comes and goes, an amount that grows and shrinks, a value
//! that becomes another.

use super::{Compiler, EffectRule, Variables};
use crate::kind::Type;
use crate::rule::model::Amount;

impl Compiler<'_> {
    pub(super) fn effect(&mut self, known: &Variables) -> Option<EffectRule> {
        let source = self.source.effect.as_ref()?;
        let of = self.string(&source.of, known);
        let mut word = |written: &Option<_>| written.as_ref().and_then(|it| self.string(it, known));
        let (new, gone, value) = (word(&source.new), word(&source.gone), word(&source.value));
        let amount = source.amount.as_ref().and_then(|(amount, unit)| {
            let expression = self.expression(amount, known)?;
            self.wants(&Type::Double, expression.ty(), amount.place(), "an amount")?;
            Some(Amount {
                expression,
                unit: self.string(unit, known)?,
            })
        });
        Some(EffectRule {
            of: of?,
            new,
            gone,
            amount,
            value,
        })
    }
}
