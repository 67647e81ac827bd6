//! Expressions over a small made-up world: tubes, stations and the air between them.

mod checks;
mod judge;
mod oracle;
mod pages;
mod reads;
mod runs;
pub(crate) mod world;
