//! `gen`: a declarative rule engine over a dependency graph.
//!
//! Data runs one way, and the modules stand in that order; none uses one that comes after it:
//!
//! spec files → nodes and edges → facts → artifacts → plan → disk
//!
//! [`db`] holds what a query may read, [`problem`] what can be wrong, [`value`] and [`kind`] what things are made of.
//! [`language`] knows what else reads a text. [`yaml`] and [`spec`] read what people write, [`graph`] is what can be walked,
//! [`rule`] is the language of the packs, [`fact`] what follows from it, [`artifact`] what is printed, [`proof`] whether
//! it holds together, [`plan`] what would change. [`shell`] alone touches the machine.

pub mod artifact;
pub mod db;
pub mod fact;
pub mod fingerprint;
pub mod graph;
pub mod kind;
pub mod language;
pub mod plan;
pub mod problem;
pub mod proof;
pub mod rule;
#[expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the border: all IO lives here"
)]
pub mod shell;
pub mod spec;
pub mod value;
pub mod yaml;
