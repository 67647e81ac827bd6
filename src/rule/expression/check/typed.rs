//! The type of a part of an expression, with what the checker knows beyond it.

use std::collections::BTreeSet;

use super::super::reads::Trace;
use super::super::types;
use crate::kind::Type;
use crate::value::Value;

/// The type of a part of an expression.
#[derive(Clone, Debug)]
pub(crate) struct Typed {
    /// The type of the value.
    pub(crate) ty: Type,
    /// Whether it is an optional that holds such a value or none.
    pub(crate) optional: bool,
    /// Whether it may be null instead.
    pub(crate) nullable: bool,
    /// Whether it is `[]` or `{}`, which fits every list or map.
    pub(crate) empty: bool,
    /// The value itself, where it is written out.
    pub(crate) literal: Option<Value>,
    /// Where it comes from.
    pub(crate) traces: Vec<Trace>,
    /// Paths from each item that are known to be there.
    pub(crate) items: BTreeSet<String>,
    /// Paths of maps that have each item as a key.
    pub(crate) keys_of: BTreeSet<String>,
    /// Whether a mistake was found in it, so that nothing more is said of it.
    pub(crate) broken: bool,
}

impl Typed {
    /// Returns the type `ty` of a value that comes from `traces`.
    pub(crate) fn new(ty: Type, traces: Vec<Trace>) -> Self {
        Self {
            ty,
            optional: false,
            nullable: false,
            empty: false,
            literal: None,
            traces,
            items: BTreeSet::new(),
            keys_of: BTreeSet::new(),
            broken: false,
        }
    }

    /// Returns what stands for a part that is wrong.
    pub(crate) fn broken() -> Self {
        Self {
            broken: true,
            ..Self::new(Type::Any, Vec::new())
        }
    }

    /// Tells whether a walk over its type, or over where it comes from, would meet too many parts.
    pub(crate) fn is_too_large(&self) -> bool {
        let mut left = MAX_PARTS;
        count_type(&self.ty, &mut left);
        count_traces(&self.traces, &mut left);
        left == 0
    }

    /// Returns the words for it in messages.
    pub(crate) fn words(&self) -> String {
        if self.optional {
            format!("optional({})", self.ty)
        } else if self.nullable && self.ty != Type::Null {
            format!("{} or null", self.ty)
        } else {
            self.ty.to_string()
        }
    }

    /// Returns what two branches have in common, if they have a type.
    pub(crate) fn join(self, other: Self) -> Option<Self> {
        if self.optional != other.optional && !self.broken && !other.broken {
            return None;
        }
        let ty = match (&self.ty, &other.ty) {
            (Type::Null, ty) | (ty, Type::Null) => ty.clone(),
            (ty, _) if other.empty && same_shape(ty, &other.ty) => ty.clone(),
            (_, ty) if self.empty && same_shape(ty, &self.ty) => ty.clone(),
            (a, b) => types::join(a, b)?,
        };
        let null = Type::Null;
        let items = &self.items & &other.items;
        let keys_of = &self.keys_of & &other.keys_of;
        let mut traces = self.traces;
        traces.extend(other.traces);
        Some(Self {
            nullable: self.nullable || other.nullable || (self.ty == null) != (other.ty == null),
            optional: self.optional,
            empty: self.empty && other.empty,
            broken: self.broken || other.broken,
            items,
            keys_of,
            ..Self::new(ty, traces)
        })
    }
}

/// The most parts that a type may have, those that are shared counted each time they are met.
const MAX_PARTS: usize = 20_000;

fn count_type(ty: &Type, left: &mut usize) {
    *left = left.saturating_sub(1);
    if *left == 0 {
        return;
    }
    match ty {
        Type::List(item) | Type::Map(item) => count_type(item, left),
        Type::Record(record) => {
            for field in record.fields.values() {
                count_type(&field.ty, left);
                if *left == 0 {
                    return;
                }
            }
        }
        _ => {}
    }
}

fn count_traces(traces: &[Trace], left: &mut usize) {
    for trace in traces {
        *left = left.saturating_sub(1);
        if *left == 0 {
            return;
        }
        match trace {
            Trace::At(_) => {}
            Trace::Each(items) => count_traces(items, left),
            Trace::Members(members) => members.values().for_each(|it| count_traces(it, left)),
        }
    }
}

fn same_shape(a: &Type, b: &Type) -> bool {
    matches!(
        (a, b),
        (Type::List(_), Type::List(_)) | (Type::Map(_) | Type::Record(_), Type::Map(_) | Type::Record(_))
    )
}

/// Returns the type that all of `types` have, `any` where they differ too much.
pub(crate) fn common(types: impl IntoIterator<Item = Type>) -> Type {
    let mut types = types.into_iter();
    let Some(first) = types.next() else { return Type::Any };
    types
        .try_fold(first, |all, it| types::join(&all, &it))
        .unwrap_or(Type::Any)
}
