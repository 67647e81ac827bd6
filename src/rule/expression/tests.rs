//! Expressions over a small made-up world: tubes, stations and the air between them.

mod checks;
mod reads;
mod runs;
mod world;
