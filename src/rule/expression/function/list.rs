//! Lists: their order, their parts, their size.

use std::collections::BTreeSet;

use super::{Meter, characters, items, whole};
use crate::rule::expression::seen::{Seen, order};
use crate::value::{Segment, Text, Value};

pub(super) fn size(_: &mut Meter, args: &[Seen]) -> Result<Seen, String> {
    let size = match args[0].plain() {
        Some(text @ (Value::String(_) | Value::Text(_))) => characters(text)?.chars().count(),
        _ => args[0].len().ok_or_else(|| format!("{} has no size", args[0].noun()))?,
    };
    Ok(Seen::of(i64::try_from(size).unwrap_or(i64::MAX)))
}

/// Orders items with their keys; equal keys keep their order.
pub(crate) fn sorted_by(meter: &mut Meter, mut keyed: Vec<(Value, Seen)>) -> Result<Seen, String> {
    let n = keyed.len();
    meter.spend(n * (usize::BITS - n.leading_zeros()) as usize)?;
    keyed.sort_by(|a, b| order(&a.0, &b.0));
    Ok(Seen::list(keyed.into_iter().map(|(_, it)| it).collect()))
}

pub(super) fn sort(meter: &mut Meter, args: &[Seen]) -> Result<Seen, String> {
    let keyed = items(&args[0])?.into_iter().map(|it| (it.value(), it)).collect();
    sorted_by(meter, keyed)
}

pub(super) fn distinct(meter: &mut Meter, args: &[Seen]) -> Result<Seen, String> {
    let items = items(&args[0])?;
    meter.spend(items.len())?;
    let mut met: BTreeSet<Value> = BTreeSet::new();
    Ok(Seen::list(
        items
            .into_iter()
            .filter(|it| met.insert(canonical(&it.value())))
            .collect(),
    ))
}

/// Returns the one value that stands for all equal ones: `1.0` for `1`.
fn canonical(value: &Value) -> Value {
    match value {
        Value::Double(number) if number.0.fract() == 0.0 && number.0.abs() < 9e15 => {
            #[expect(clippy::cast_possible_truncation, reason = "it is whole and small")]
            let whole = number.0 as i64;
            Value::Int(whole)
        }
        Value::List(items) => Value::list(items.iter().map(canonical)),
        Value::Map(map) => map.iter().map(|(key, it)| (key.clone(), canonical(it))).collect(),
        other => other.clone(),
    }
}

pub(super) fn flatten(meter: &mut Meter, args: &[Seen]) -> Result<Seen, String> {
    let mut all = Vec::new();
    for item in items(&args[0])? {
        let inner = items(&item)?;
        meter.spend(inner.len() + 1)?;
        all.extend(inner);
    }
    Ok(Seen::list(all))
}

pub(super) fn reverse(meter: &mut Meter, args: &[Seen]) -> Result<Seen, String> {
    let mut items = items(&args[0])?;
    meter.spend(items.len())?;
    items.reverse();
    Ok(Seen::list(items))
}

pub(super) fn slice(meter: &mut Meter, args: &[Seen]) -> Result<Seen, String> {
    let items = items(&args[0])?;
    meter.spend(items.len())?;
    let at = |seen: &Seen| {
        let at = whole(&seen.value())?;
        let fits = usize::try_from(at).ok().filter(|at| *at <= items.len());
        fits.ok_or_else(|| format!("{at} lies outside of a list of {}", items.len()))
    };
    let (from, to) = (at(&args[1])?, at(&args[2])?);
    items
        .get(from..to)
        .map(|it| Seen::list(it.to_vec()))
        .ok_or_else(|| format!("{from} comes after {to}"))
}

pub(super) fn first(_: &mut Meter, args: &[Seen]) -> Result<Seen, String> {
    Ok(Seen::optional(items(&args[0])?.into_iter().next()))
}

pub(super) fn last(_: &mut Meter, args: &[Seen]) -> Result<Seen, String> {
    Ok(Seen::optional(items(&args[0])?.pop()))
}

pub(super) fn join(meter: &mut Meter, args: &[Value]) -> Result<Value, String> {
    join_with(meter, &args[0], "")
}

pub(super) fn join_by(meter: &mut Meter, args: &[Value]) -> Result<Value, String> {
    join_with(meter, &args[0], characters(&args[1])?)
}

fn join_with(meter: &mut Meter, list: &Value, separator: &str) -> Result<Value, String> {
    let mut segments = Vec::new();
    for (at, item) in list.as_list().unwrap_or_default().iter().enumerate() {
        if at > 0 {
            segments.push(Segment::Literal(separator.into()));
        }
        let text = item
            .as_text()
            .ok_or_else(|| format!("only strings can be joined, not {}", item.noun()))?;
        segments.extend(text.segments().iter().cloned());
    }
    // `Text::new` joins neighbours pairwise, which is quadratic in their number: plain strings go the short way.
    if segments.iter().all(|it| matches!(it, Segment::Literal(_))) {
        let mut all = String::new();
        for segment in &segments {
            if let Segment::Literal(text) = segment {
                meter.spend(1)?;
                meter.spend_bytes(text.len())?;
                all.push_str(text);
            }
        }
        return Ok(Value::string(all));
    }
    let n = segments.len();
    meter.spend(n)?;
    Ok(Value::text(Text::new(segments)))
}

pub(super) fn itself(_: &mut Meter, args: &[Seen]) -> Result<Seen, String> {
    Ok(args[0].clone())
}
