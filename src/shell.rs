//! The border: the only code that touches the machine.
//!
//! It reads files into the database, hands the results to the plan, and carries the plan out. It decides nothing
//! about specs, rules or templates.

mod calls;
pub mod cli;
pub mod discover;
pub mod disk;
pub mod engine;
pub mod git;
pub mod index;
pub mod inputs;
pub mod layout;
pub mod manifest;
mod recall;
pub mod report;
mod seal;
pub mod session;
pub mod shared;
pub mod since;
pub mod stat;
pub mod store;
pub mod watch;
