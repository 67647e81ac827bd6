//! How many instructions two plans take at 1,000 services: one where nothing has changed, and one after an edit of a field.
//!
//! Times of a busy machine say little; instructions are nearly the same anywhere. Callgrind counts them, with one
//! thread, in the release build. `instructions.txt` holds what they were; a run fails that takes 5 % more, or so much
//! less that the file should say so. Another libc or another compiler moves them too: then, as after a change that is
//! meant, renew the file.
//!
//!     cargo bench --bench instructions               compares with the file
//!     cargo bench --bench instructions -- --write    renews it
//!
//! `VALGRIND` names the program, where it is not the one that the shell finds: `VALGRIND=$(.ci/judges --valgrind)`.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a measurement needs programs, a disk and a place to tell"
)]

mod callgrind;
#[expect(dead_code, reason = "another bench asks for more")]
mod machine;
#[expect(dead_code, reason = "another bench asks for more")]
mod monorepo;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use callgrind::GEN;
use machine::Storage;

const N_SERVICES: usize = 1_000;
/// How far a count may be from what is kept.
const TOLERANCE: f64 = 0.05;
const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/instructions.txt");
const HEAD: &str = "\
# Instructions of a process at 1,000 services, by callgrind, with one thread. Compared within 5 %, and renewed, by
# `cargo bench --bench instructions`: see there.
";

fn main() {
    let storage = Storage::find();
    let folder = storage.folder.path().join("counted");
    monorepo::write(&folder, N_SERVICES);
    let plan = |program: &mut Command| {
        program.args(["plan", "-C"]).arg(&folder);
        callgrind::quiet(program);
    };
    callgrind::quiet(Command::new(GEN).args(["apply", "-C"]).arg(&folder));
    // What was written within the last tick of the clock is not trusted: the first plan after it reads again.
    sleep(Duration::from_secs(1));
    plan(&mut Command::new(GEN));
    let counts = |what: &str| {
        let out = storage.folder.path().join("callgrind.out");
        plan(&mut callgrind::counting(&out));
        (what.to_owned(), total(&out))
    };
    let nothing = counts("gen plan, nothing changed");
    edit(&folder);
    let one_field = counts("gen plan, one field edited");
    let counts = [nothing, one_field];
    if std::env::args().any(|it| it == "--write") {
        let lines = counts.iter().map(|(what, count)| format!("{what}: {count}\n"));
        fs::write(KEPT, HEAD.to_owned() + &lines.collect::<String>()).expect("the file is ours");
    }
    compare(&counts);
}

/// Returns the sum that stands in a file of callgrind's.
fn total(out: &Path) -> u64 {
    let text = fs::read_to_string(out).expect("callgrind writes it");
    let line = text.lines().find_map(|it| it.strip_prefix("totals: "));
    line.and_then(|it| it.trim().parse().ok()).expect("callgrind counts")
}

/// Edits one field of one service.
fn edit(folder: &Path) {
    let at = N_SERVICES / 2;
    let text = monorepo::service(at);
    let (before, after) = text.split_once("replicas: ").expect("the generator writes it");
    let after = after.split_once('\n').expect("more lines follow").1;
    let text = format!("{before}replicas: 100\n{after}");
    fs::write(folder.join(monorepo::path(at)), text).expect("the storage can be written");
    sleep(Duration::from_secs(1));
}

/// Says each count beside what is kept, and fails where one is too far from it.
fn compare(counts: &[(String, u64)]) {
    let kept = fs::read_to_string(KEPT).expect("`instructions.txt` is there");
    let kept_of = |what: &str| {
        let line = kept.lines().find_map(|it| it.strip_prefix(what)?.strip_prefix(": "));
        line.and_then(|it| it.parse::<u64>().ok())
            .unwrap_or_else(|| panic!("`{what}` is not in {KEPT}"))
    };
    let mut beyond = String::new();
    for (what, count) in counts {
        let kept = kept_of(what);
        let change = *count as f64 / kept as f64 - 1.0;
        println!(
            "instructions: {what}: {count}, {:+.1} % of what is kept",
            change * 100.0
        );
        if change.abs() > TOLERANCE {
            let _ = writeln!(beyond, "{what}: {count} instructions, {kept} are kept");
        }
    }
    assert!(
        beyond.is_empty(),
        "{beyond}if that is meant: cargo bench --bench instructions -- --write"
    );
}
