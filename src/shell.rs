//! The border: the only code that touches the machine.
//!
//! It reads files into the database, hands the results to the plan, and carries the plan out. It decides nothing
//! about specs, rules or templates.

pub mod discover;
pub mod disk;
pub mod index;
pub mod manifest;
pub mod report;
pub mod store;
