//! How types relate: what fits where, what may be equal, what two branches have in common.
//!
//! It knows nothing of expressions; the types themselves and their members are those of `kind.rs`.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::kind::{Field, Record, Type};
use crate::value::Name;

/// Tells whether every value of type `have` may stand where `want` is wanted.
///
/// A number without a unit fits where one with a unit is wanted: a rule computes in millicores, bytes and
/// milliseconds. `any` fits everywhere, and is checked when it is met.
#[must_use]
pub fn fits(have: &Type, want: &Type) -> bool {
    match (have, want) {
        (Type::Any, _) | (_, Type::Any) => true,
        (Type::Int, Type::Double | Type::Duration | Type::Cpu { .. } | Type::Memory { .. }) => true,
        (Type::Cpu { .. }, Type::Cpu { .. } | Type::Int | Type::Double) => true,
        (Type::Memory { .. }, Type::Memory { .. } | Type::Int | Type::Double) => true,
        (Type::Duration, Type::Int | Type::Double) => true,
        (Type::String | Type::Choice(_), Type::String | Type::Text) => true,
        (Type::Choice(have), Type::Choice(want)) => have.iter().all(|it| want.contains(it)),
        (Type::List(have), Type::List(want)) | (Type::Map(have), Type::Map(want)) => fits(have, want),
        (Type::Record(have), Type::Map(want)) => have.fields.values().all(|it| fits(&it.ty, want)),
        (Type::Record(have), Type::Record(want)) => {
            let known = have.fields.keys().all(|it| want.fields.contains_key(it));
            known
                && want.fields.iter().all(|(name, want)| match have.fields.get(name) {
                    Some(have) => fits(&have.ty, &want.ty) && (!have.may_be_absent() || want.may_be_absent()),
                    None => !want.required,
                })
        }
        (Type::Map(have), Type::Record(want)) => want.fields.values().all(|it| !it.required && fits(have, &it.ty)),
        (Type::Node(have), Type::Node(want)) | (Type::Edge(have), Type::Edge(want)) => {
            want.is_empty() || (!have.is_empty() && have.iter().all(|it| want.contains(it)))
        }
        _ => have == want,
    }
}

/// Tells whether a value of type `a` can equal one of type `b` at all.
pub(crate) fn may_equal(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::Any, _) | (_, Type::Any) => true,
        (Type::Choice(a), Type::Choice(b)) => a.iter().any(|it| b.contains(it)),
        (Type::List(a), Type::List(b)) | (Type::Map(a), Type::Map(b)) => may_equal(a, b),
        (Type::Record(_), Type::Record(_) | Type::Map(_)) | (Type::Map(_), Type::Record(_)) => true,
        (Type::Node(a), Type::Node(b)) | (Type::Edge(a), Type::Edge(b)) => {
            a.is_empty() || b.is_empty() || a.iter().any(|it| b.contains(it))
        }
        _ => a == b || (is_text(a) && is_text(b)) || (is_number(a) && is_number(b) && unit(a, b).is_some()),
    }
}

/// Returns the type that values of both types have, if there is one but `any`.
pub(crate) fn join(a: &Type, b: &Type) -> Option<Type> {
    if a == b {
        return Some(a.clone());
    }
    Some(match (a, b) {
        (Type::Any, _) | (_, Type::Any) => Type::Any,
        (Type::List(a), Type::List(b)) => Type::List(Arc::new(join(a, b)?)),
        (Type::Map(a), Type::Map(b)) => Type::Map(Arc::new(join(a, b)?)),
        (Type::Record(a), Type::Record(b)) => join_records(a, b),
        (Type::Record(record), Type::Map(item)) | (Type::Map(item), Type::Record(record)) => {
            let all = record
                .fields
                .values()
                .try_fold((**item).clone(), |all, it| join(&all, &it.ty));
            Type::Map(Arc::new(all?))
        }
        (Type::Node(a), Type::Node(b)) => Type::Node(join_kinds(a, b)),
        (Type::Edge(a), Type::Edge(b)) => Type::Edge(join_kinds(a, b)),
        _ if is_text(a) && is_text(b) => {
            if *a == Type::Text || *b == Type::Text {
                Type::Text
            } else {
                Type::String
            }
        }
        _ if is_number(a) && is_number(b) => unit(a, b)?,
        _ => return None,
    })
}

fn join_kinds(a: &Arc<[Name]>, b: &Arc<[Name]>) -> Arc<[Name]> {
    if a.is_empty() || b.is_empty() {
        return [].into();
    }
    let mut all: Vec<Name> = a.iter().chain(b.iter()).cloned().collect();
    all.sort();
    all.dedup();
    all.into()
}

fn join_records(a: &Record, b: &Record) -> Type {
    let mut fields: BTreeMap<Name, Field> = BTreeMap::new();
    let optional = |field: &Field| Field {
        required: false,
        default: None,
        ..field.clone()
    };
    for (name, field) in &a.fields {
        let joined = match b.fields.get(name) {
            Some(other) => Field {
                ty: join(&field.ty, &other.ty).unwrap_or(Type::Any),
                required: !field.may_be_absent() && !other.may_be_absent(),
                default: None,
                ..field.clone()
            },
            None => optional(field),
        };
        fields.insert(name.clone(), joined);
    }
    for (name, field) in &b.fields {
        fields.entry(name.clone()).or_insert_with(|| optional(field));
    }
    Type::Record(Arc::new(Record { fields, short: None }))
}

/// Tells whether values of this type are strings, with references or without.
pub(crate) fn is_text(ty: &Type) -> bool {
    matches!(ty, Type::String | Type::Choice(_) | Type::Text)
}

/// Tells whether values of this type are numbers, with a unit or without.
pub(crate) fn is_number(ty: &Type) -> bool {
    matches!(
        ty,
        Type::Int | Type::Double | Type::Duration | Type::Cpu { .. } | Type::Memory { .. }
    )
}

/// Tells whether values of this type are whole numbers.
pub(crate) fn is_whole(ty: &Type) -> bool {
    is_number(ty) && *ty != Type::Double
}

/// Returns the type of the sum of two numbers; none where their units differ.
pub(crate) fn unit(a: &Type, b: &Type) -> Option<Type> {
    match (a, b) {
        (Type::Int, other) | (other, Type::Int) => Some(other.clone()),
        (Type::Cpu { .. }, Type::Cpu { .. }) | (Type::Memory { .. }, Type::Memory { .. }) => Some(a.clone()),
        (Type::Double, _) | (_, Type::Double) => Some(Type::Double),
        _ if a == b => Some(a.clone()),
        _ => None,
    }
}
