//! The systems of two deployment specifications, line by line: each thing that they show, and where its counterpart
//! stands in what is generated for `fixtures/generator` and `fixtures/webapp`, in the form that is valid today. The
//! lines are in `seeds.txt`.

use std::collections::BTreeMap;

use serde_yaml_ng::Value;

use super::objects::Objects;
use crate::project::tree;
use crate::say;
use crate::tidy::top;

#[test]
fn each_line_of_the_two_specifications_has_its_counterpart() {
    let files = tree(&top().join("fixtures"));
    let mut known: BTreeMap<&str, Objects> = BTreeMap::new();
    let (mut faults, mut n_lines) = (Vec::new(), 0);
    for line in include_str!("seeds.txt").lines() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        n_lines += 1;
        let columns: Vec<&str> = line.split(" | ").collect();
        let [_, folder, object, place] = columns[..] else {
            panic!("a line has four columns: {line}");
        };
        let (kind, name) = object.split_once(' ').expect("an object has a kind and a name");
        let (place, wanted) = place.split_once(" = ").expect("a place holds something");
        let objects = known
            .entry(folder)
            .or_insert_with(|| Objects::of(&files, &format!("{folder}/")));
        let steps: Vec<&str> = place.split('/').collect();
        let found = below(objects.one(kind, name), &steps);
        if !found.iter().any(|it| it == wanted) {
            faults.push(format!("{line}\n    there stands {found:?}"));
        }
    }
    say(&format!("cluster: {n_lines} lines of two specifications"));
    assert!(faults.is_empty(), "lines without a counterpart:\n{}", faults.join("\n"));
}

/// Returns all that stands at a place, as text.
fn below(value: &Value, steps: &[&str]) -> Vec<String> {
    let Some((step, further)) = steps.split_first() else {
        return match value {
            Value::String(text) => vec![text.clone()],
            Value::Number(number) => vec![number.to_string()],
            Value::Bool(truth) => vec![truth.to_string()],
            _ => Vec::new(),
        };
    };
    match (value, *step) {
        (Value::Sequence(items), "*") => items.iter().flat_map(|it| below(it, further)).collect(),
        (Value::Sequence(items), one) if one.starts_with('[') => {
            let (key, wanted) = one[1..one.len() - 1]
                .split_once('=')
                .expect("an item is known by a value");
            let fitting = items.iter().filter(|it| below(it, &[key]) == [wanted]);
            fitting.flat_map(|it| below(it, further)).collect()
        }
        (Value::Sequence(items), at) => {
            let item = at.parse::<usize>().ok().and_then(|it| items.get(it));
            item.map_or_else(Vec::new, |it| below(it, further))
        }
        (value, key) => below(&value[key.replace("~1", "/")], further),
    }
}
