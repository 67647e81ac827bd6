//! One step of a walk: what a node or an edge of a pattern admits, and where its edges lead.

use rustc_hash::FxHashSet;

use super::{EdgeElement, Filter, NodeElement, World};
use crate::graph::{Steps, TooManySteps};
use crate::value::{Address, Map, Name, Value};

/// Tells whether `node` is what `element` asks for.
pub(super) fn admits(
    world: &dyn World,
    element: &NodeElement,
    node: &Address,
    steps: &mut Steps,
) -> Result<bool, TooManySteps> {
    if !element.may_be(&node.kind) {
        return Ok(false);
    }
    for filter in &element.filters {
        steps.take()?;
        let Some((first, rest)) = filter.path.0.split_first() else {
            continue;
        };
        let holds = match first.as_str() {
            "name" => Some(Value::String(node.name.clone())),
            "kind" => Some(Value::String(node.kind.clone())),
            "address" => Some(Value::string(node.to_string())),
            _ => world.field(node, first),
        };
        if !holds
            .as_ref()
            .and_then(|it| it.at(rest))
            .is_some_and(|it| equal(it, &filter.value))
        {
            return Ok(false);
        }
    }
    Ok(true)
}

fn edge_admits(filters: &[Filter], kind: &Name, fields: &Map) -> bool {
    filters.iter().all(|filter| {
        let Some((first, rest)) = filter.path.0.split_first() else {
            return true;
        };
        match fields.get(first) {
            Some(holds) => holds.at(rest).is_some_and(|it| equal(it, &filter.value)),
            None if first.as_str() == "kind" => filter.value.as_str() == Some(kind),
            None => filter.default_of.contains(kind),
        }
    })
}

/// Compares as expressions do: numbers by what they are worth.
#[expect(
    clippy::cast_precision_loss,
    reason = "a number with a fraction is compared as a double"
)]
pub(super) fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Int(int), Value::Double(double)) | (Value::Double(double), Value::Int(int)) => {
            (*int as f64).total_cmp(&double.0).is_eq()
        }
        (a, b) => a == b,
    }
}

/// Shows each edge that `edge` asks for at `start`, by its kind, its far end and its fields.
pub(super) fn one_step(
    world: &dyn World,
    edge: &EdgeElement,
    start: &Address,
    forwards: bool,
    steps: &mut Steps,
    each: &mut dyn FnMut(&Name, &Address, &Map),
) -> Result<(), TooManySteps> {
    let mut counted = Ok(());
    for kind in edge.kinds.iter() {
        let mut visit = |node: &Address, fields: &Map| {
            counted = counted.and_then(|()| steps.take());
            if counted.is_ok() && edge_admits(&edge.filters, kind, fields) {
                each(kind, node, fields);
            }
        };
        if forwards {
            world.outgoing(start, kind, &mut visit);
        } else {
            world.incoming(start, kind, &mut visit);
        }
    }
    counted
}

/// Returns all nodes that `edge` reaches from `start`, over one step or more.
pub(super) fn reach(
    world: &dyn World,
    edge: &EdgeElement,
    start: &Address,
    forwards: bool,
    steps: &mut Steps,
) -> Result<Vec<Address>, TooManySteps> {
    let mut seen: FxHashSet<Address> = FxHashSet::default();
    let mut reached: Vec<Address> = Vec::new();
    let mut done = 0;
    let mut at = start.clone();
    loop {
        one_step(world, edge, &at, forwards, steps, &mut |_, node, _| {
            if seen.insert(node.clone()) {
                reached.push(node.clone());
            }
        })?;
        match reached.get(done) {
            Some(next) => at = next.clone(),
            None => return Ok(reached),
        }
        done += 1;
    }
}
