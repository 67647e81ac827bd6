//! What to write where a rule gives a value of one type and another is wanted.

use crate::kind::Type;

/// Returns how a value of one type becomes one of another.
pub(super) fn advice(wanted: &Type, given: &Type) -> &'static str {
    match (wanted, given) {
        (Type::Bool, Type::List(_) | Type::Map(_) | Type::Record(_)) => "ask for its size: `size(…) > 0`",
        (Type::Bool, Type::String | Type::Text | Type::Choice(_)) => "compare it: `… != ''`",
        (Type::Bool, _) => "ask a question: `has(…)`, `… > 0`, `… == …`",
        (Type::String, Type::List(_)) => "join it: `${….join(', ')}`",
        (Type::String | Type::Text, Type::Node(_)) => "write `${….name}` or `${….address}`",
        (Type::String, Type::Text) => "only a text without references is a string: ask `is_plain(…)` first",
        (Type::String | Type::Text, _) => "make it a part of a text, or write `${string(…)}`",
        (Type::Int, _) => "write a whole number, or `${int(…)}`",
        (Type::Double, _) => "write a number, or `${double(…)}`",
        (Type::List(_), _) => "write a list: `[…]`",
        (Type::Node(_), _) => "name a node of another kind, or match other kinds",
        _ => "give it as the pack declares it",
    }
}
