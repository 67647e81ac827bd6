//! `gen`: a declarative rule engine over a dependency graph.
//!
//! Data runs one way, and the modules stand in that order; none uses one that comes after it:
//!
//! spec files → nodes and edges → facts → artifacts → plan → disk

pub mod db;
pub mod fingerprint;
pub mod kind;
pub mod plan;
pub mod problem;
pub mod value;

#[expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the border: all IO lives here"
)]
pub mod shell;
