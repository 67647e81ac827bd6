//! How many strings the tests of escaping try, and a word for people on how many there were.
#![expect(
    clippy::disallowed_methods,
    reason = "how long a test may take is no one else's to say, and what it counted is told past the capture"
)]

use std::cell::Cell;
use std::io::Write as _;

/// Whether `GEN_PROFILE` asks for all that is worth it.
pub(super) fn is_long() -> bool {
    std::env::var("GEN_PROFILE").as_deref() == Ok("long")
}

/// How many strings a place gets. Each test has two places of its format at least: so that is 5,000 a format, or 100,000.
pub(super) fn n_strings() -> u32 {
    if is_long() { 50_000 } else { 2_500 }
}

thread_local! {
    static COUNTED: Cell<(u32, u32, u32)> = const { Cell::new((0, 0, 0)) };
}

/// Adds a place, and how many of its strings were read back: those that it refused were not.
pub(super) fn add(n_strings: u32, n_read: u32) {
    let (places, strings, read) = COUNTED.get();
    COUNTED.set((places + 1, strings + n_strings, read + n_read));
}

/// Counts the places of a test, and says at its end what they were given. A test runs on one thread.
pub(super) struct Tally(&'static str);

impl Tally {
    /// Begins to count for a test of `format`.
    pub(super) fn of(format: &'static str) -> Self {
        COUNTED.set((0, 0, 0));
        Self(format)
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let (n_places, n_strings, n_read) = COUNTED.get();
        let format = self.0;
        assert!(n_strings >= 2 * self::n_strings(), "{format}: {n_strings} strings only");
        let n_refused = n_strings - n_read;
        let line = format!(
            "escapes: {format}: {n_strings} strings at {n_places} places, {n_read} read back, {n_refused} refused\n"
        );
        // Who can't be told still gets the verdict.
        let _ = std::io::stderr().write_all(line.as_bytes());
    }
}
