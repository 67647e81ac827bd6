//! `gen`: a declarative rule engine over a dependency graph.

pub mod yaml;
