//! The order in which relations are derived: each after all that its rules read.
//!
//! A read in an expression is an aggregate (it sees all facts of the relation), so a relation that reads itself,
//! by whatever way round, has no meaning: such a cycle is a problem, shown whole.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};

use crate::db::{Db, Project};
use crate::graph::pattern::Walk;
use crate::kind::pack;
use crate::problem::{Place, Problem};
use crate::rule::model::Rule;
use crate::rule::set;
use crate::value::Name;

/// The relations in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Strata {
    /// The stratum of each relation, from 0. What may be gathered from any number of nodes has an odd one: whoever reads
    /// only what is known near by does not have it gathered.
    pub of: BTreeMap<Name, u16>,
    /// The relations that are read in a circle.
    pub problems: Vec<Problem>,
}

/// Returns the strata of all relations of a project.
#[salsa::tracked(returns(ref))]
pub fn strata(db: &dyn Db, project: Project) -> Strata {
    let rules: Vec<Arc<Rule>> = set::ids(db, project)
        .iter()
        .filter_map(|id| set::rule(db, project, id.clone()).clone())
        .filter(|it| !it.facts.is_empty())
        .collect();
    let mut gathered: BTreeSet<Name> = BTreeSet::new();
    let mut reads: BTreeMap<Name, BTreeMap<Name, Name>> = BTreeMap::new();
    for relation in pack::schema(db, project).relations.keys() {
        reads.entry(relation.clone()).or_default();
    }
    for rule in &rules {
        for fact in &rule.facts {
            if rule.body.walks.get(&fact.of).is_some_and(Walk::gathers) {
                gathered.insert(fact.relation.clone());
            }
            for read in rule.body.uses().relations.into_iter().chain(fact.uses().relations) {
                reads
                    .entry(fact.relation.clone())
                    .or_default()
                    .insert(read, rule.id.clone());
            }
        }
    }
    stratify(&reads, &gathered)
}

/// Orders relations; `reads` says of each which ones it reads, and the rule that does. Those that are `gathered` are kept
/// apart.
fn stratify(reads: &BTreeMap<Name, BTreeMap<Name, Name>>, gathered: &BTreeSet<Name>) -> Strata {
    let mut graph: DiGraph<Name, ()> = DiGraph::new();
    let index: BTreeMap<&Name, NodeIndex> = reads.keys().map(|it| (it, graph.add_node(it.clone()))).collect();
    for (relation, read) in reads {
        for read in read.keys().filter_map(|it| index.get(it)) {
            graph.add_edge(index[relation], *read, ());
        }
    }
    let mut strata = Strata::default();
    // Reverse topological order: what is read comes before what reads it.
    for component in kosaraju_scc(&graph) {
        let names: BTreeSet<&Name> = component.iter().map(|it| &graph[*it]).collect();
        let circular = names.len() > 1 || names.iter().any(|it| reads[*it].contains_key(*it));
        if circular {
            strata.problems.push(circle(&names, reads));
        }
        let below = names
            .iter()
            .flat_map(|it| reads[*it].keys())
            .filter_map(|it| strata.of.get(it))
            .max();
        let even = below.map_or(0, |it| it / 2 * 2 + 2);
        let stratum = |it: &Name| even + u16::from(gathered.contains(it));
        strata.of.extend(names.into_iter().map(|it| (it.clone(), stratum(it))));
    }
    strata
}

fn circle(names: &BTreeSet<&Name>, reads: &BTreeMap<Name, BTreeMap<Name, Name>>) -> Problem {
    let list: Vec<String> = names.iter().map(|it| format!("`{it}`")).collect();
    let mut problem = Problem::error(
        "rule::circular_relations",
        format!("{} are derived from one another", list.join(", ")),
    )
    .help("break the circle: let one of the rules read the graph, or a relation of its own, instead");
    for name in names {
        for (read, rule) in reads[*name].iter().filter(|it| names.contains(it.0)) {
            problem = problem.at(Place::Rule(rule.clone()), format!("derives `{name}` from `{read}`"));
        }
    }
    problem
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(edges: &[(&str, &[&str])]) -> BTreeMap<Name, BTreeMap<Name, Name>> {
        let one = |it: &&str| (Name::from(*it), Name::from("p/rule"));
        edges
            .iter()
            .map(|(name, read)| (Name::from(*name), read.iter().map(one).collect()))
            .collect()
    }

    #[test]
    fn a_relation_comes_after_what_it_reads() {
        let gathered = BTreeSet::from(["b".into(), "d".into()]);
        let strata = stratify(
            &reads(&[("a", &["b", "c"]), ("b", &["c"]), ("c", &[]), ("d", &[])]),
            &gathered,
        );
        assert!(strata.problems.is_empty());
        let of = |it: &str| strata.of[it];
        assert_eq!((of("c"), of("b"), of("a"), of("d")), (0, 3, 4, 1));
    }

    #[test]
    fn a_circle_is_shown_whole() {
        let strata = stratify(&reads(&[("a", &["b"]), ("b", &["a"]), ("c", &["c"])]), &BTreeSet::new());
        assert_eq!(strata.problems.len(), 2);
        assert_eq!(strata.problems.iter().map(|it| it.labels.len()).max(), Some(2));
    }
}
