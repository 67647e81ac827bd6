//! Everything that is tested from outside: the binary, the golden folders, what the real tools say, and tidiness.
//!
//! The environment of the test process decides what is done, never that of `gen`: `UPDATE_EXPECT=1` rewrites what is
//! expected, `GEN_CASES` picks golden folders by a part of their name, `GEN_JUDGES` names the folder of the judges.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests read files and run programs; the border is that of the library"
)]

mod agents;
mod asleep;
mod attributes;
mod blame;
mod cases;
mod cluster;
mod containers;
mod docs;
mod edges;
mod fields;
mod fixtures;
mod fmt;
mod formats;
mod fuzz;
mod hooks;
mod incremental;
mod init;
mod judges;
mod live;
mod monorepo;
mod project;
mod proofs;
mod properties;
mod recall;
mod rename;
mod reports;
mod resume;
mod server;
mod shared;
mod since;
mod size;
mod tags;
mod tidy;
mod tour;
mod watch;
mod words;

use std::io::Write as _;

/// Writes `line` to the real stderr, past the capture of the test harness.
fn say(line: &str) {
    std::io::stderr()
        .write_all(format!("{line}\n").as_bytes())
        .expect("stderr takes a line");
}

/// What is done with what is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// It is compared.
    Compare,
    /// It is written anew.
    Update,
}

/// Returns the mode that `UPDATE_EXPECT` asks for.
fn mode() -> Mode {
    match std::env::var("UPDATE_EXPECT").as_deref() {
        Err(_) | Ok("" | "0") => Mode::Compare,
        Ok("1") => Mode::Update,
        Ok(other) => panic!("UPDATE_EXPECT is `{other}`: it is 1, or not set"),
    }
}
