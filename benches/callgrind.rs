//! Runs `gen` under callgrind, which counts its instructions.

use std::path::Path;
use std::process::{Command, Stdio};

/// The binary that is measured.
pub(crate) const GEN: &str = env!("CARGO_BIN_EXE_gen");

/// Returns what runs `gen` with the arguments that are added, on one thread, and writes what it counts to `out`.
pub(crate) fn counting(out: &Path) -> Command {
    let program = std::env::var("VALGRIND").unwrap_or_else(|_| "valgrind".to_owned());
    let mut command = Command::new(program);
    command
        .arg("--tool=callgrind")
        .arg(format!("--callgrind-out-file={}", out.display()));
    command.arg(GEN).env("RAYON_NUM_THREADS", "1");
    command
}

/// Runs a program to its success, and says what it said only where it fails.
pub(crate) fn quiet(program: &mut Command) {
    let output = program.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| panic!("{program:?}: {error}"));
    assert!(
        output.status.success(),
        "{program:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
