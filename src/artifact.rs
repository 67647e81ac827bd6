//! Artifacts: templates compiled with places and types, formats, escapes, and the lines' provenance.
//!
//! No file is read here, and nothing but text and values is printed from. A template is compiled once, with
//! all its mistakes found then, and rendered many times.

pub mod asleep;
pub mod candidates;
#[cfg(test)]
mod counts;
pub mod data;
mod differing;
pub mod format;
pub mod found;
pub mod fresh;
pub mod instance;
pub mod kept;
mod lexer;
pub mod literal;
pub mod parse;
mod place;
pub mod provenance;
pub mod reads;
pub mod seen;
pub mod standing;
pub mod text;
pub mod told;
