//! `gen query`: the bindings of a pattern.

use clap::Args;
use serde_json::{Map, Value, json};

use super::super::engine::{Bindings, Bound};
use super::super::report::Exit;
use super::{AskArgs, Session};
use crate::value::{self, Name};

/// Print the nodes and edges that match a pattern, such as `(a:service)-[:depends_on]->(b)`
#[derive(Debug, Args)]
pub(super) struct QueryArgs {
    /// The pattern
    pattern: String,
    #[command(flatten)]
    ask: AskArgs,
    /// Print an array of objects, from variable to address; an edge is an object of its kind, ends and fields
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &QueryArgs, session: &mut Session) -> Exit {
    let ask = match session.ask(&args.ask) {
        Ok(ask) => ask,
        Err(exit) => return exit,
    };
    let answer = session.engine.query(&ask, &args.pattern);
    session.show(answer, |found| {
        let text = if args.json { machine(&found) } else { table(&found) };
        session.report.result(&text);
        Exit::Done
    })
}

type Found = [(Option<Name>, Bindings)];

/// Returns one array for all environments. Each object names its environment, where there is more than one.
fn machine(found: &Found) -> String {
    let mut rows = Vec::new();
    for (environment, bindings) in found {
        for row in &bindings.rows {
            let mut object: Map<String, Value> = Map::new();
            for (variable, node) in bindings.variables.iter().zip(row) {
                object.insert(variable.to_string(), json_of(node));
            }
            if let Some(environment) = environment.as_ref().filter(|_| found.len() > 1) {
                object.insert("$environment".to_owned(), environment.as_str().into());
            }
            rows.push(Value::Object(object));
        }
    }
    format!("{:#}\n", json!(rows))
}

/// Returns an address for a node, and an object for an edge: its kind, its ends and its fields.
fn json_of(bound: &Bound) -> Value {
    match bound {
        Bound::Node(node) => node.to_string().into(),
        Bound::Edge(edge) => {
            let fields: Map<String, Value> = edge
                .fields
                .iter()
                .map(|(name, it)| (name.to_string(), plain(it)))
                .collect();
            json!({
                "kind": edge.kind.as_str(),
                "from": edge.from.to_string(),
                "to": edge.to.to_string(),
                "fields": fields,
            })
        }
    }
}

fn text_of(bound: &Bound) -> String {
    match bound {
        Bound::Node(node) => node.to_string(),
        Bound::Edge(edge) => {
            let fields: Vec<String> = edge
                .fields
                .iter()
                .map(|(name, it)| format!("{name}: {}", plain(it)))
                .collect();
            if fields.is_empty() {
                edge.kind.to_string()
            } else {
                format!("{} {{{}}}", edge.kind, fields.join(", "))
            }
        }
    }
}

/// Returns the value of a field as JSON.
fn plain(value: &value::Value) -> Value {
    match value {
        value::Value::Null => Value::Null,
        value::Value::Bool(it) => json!(it),
        value::Value::Int(it) => json!(it),
        value::Value::Double(it) => json!(it.0),
        value::Value::String(it) => json!(it.as_str()),
        value::Value::Text(it) => json!(it.as_plain().unwrap_or("…")),
        value::Value::Node(it) => json!(it.to_string()),
        value::Value::List(items) => items.iter().map(plain).collect(),
        value::Value::Map(map) => Value::Object(map.iter().map(|(name, it)| (name.to_string(), plain(it))).collect()),
    }
}

fn table(found: &Found) -> String {
    let mut text = String::new();
    for (environment, bindings) in found {
        if let Some(environment) = environment.as_ref().filter(|_| found.len() > 1) {
            text.push_str(&format!("# {environment}\n"));
        }
        let head = bindings.variables.iter().map(Name::to_string).collect();
        let rows = bindings.rows.iter().map(|row| row.iter().map(text_of).collect());
        let rows: Vec<Vec<String>> = std::iter::once(head).chain(rows).collect();
        let width = |column: usize| rows.iter().map(|it| it[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..bindings.variables.len()).map(width).collect();
        for row in &rows {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Address;

    fn found(environments: &[&str]) -> Vec<(Option<Name>, Bindings)> {
        let bindings = Bindings {
            variables: vec!["a".into(), "b".into()],
            rows: vec![vec![
                Bound::Node(Address::new("service", "orders")),
                Bound::Node(Address::new("infra", "postgres")),
            ]],
        };
        environments
            .iter()
            .map(|it| (Some(Name::from(*it)), bindings.clone()))
            .collect()
    }

    #[test]
    fn bindings_are_a_table_or_an_array() {
        assert_eq!(
            table(&found(&["dev"])),
            "a               b\nservice.orders  infra.postgres\n"
        );
        let json: Value = serde_json::from_str(&machine(&found(&["dev"]))).expect("JSON");
        assert_eq!(json, json!([{"a": "service.orders", "b": "infra.postgres"}]));
        let json: Value = serde_json::from_str(&machine(&found(&["dev", "prod"]))).expect("JSON");
        assert_eq!(json[1]["$environment"], "prod");
    }
}
