//! Where the time of an answer goes, part by part: the core names its parts, and the clock stands here.

use std::time::{Duration, Instant};

/// The parts that were gone through, in order.
#[derive(Debug, Default)]
pub(super) struct Laps {
    done: Vec<(&'static str, Duration)>,
    open: Option<(&'static str, Instant)>,
}

impl Laps {
    /// Begins the part called `name`, and ends the one before it.
    pub(super) fn begin(&mut self, name: &'static str) {
        self.end();
        self.open = Some((name, Instant::now()));
    }

    /// Ends the last part.
    pub(super) fn end(&mut self) {
        if let Some((name, start)) = self.open.take() {
            self.done.push((name, start.elapsed()));
        }
    }

    /// Returns the parts so far, and begins anew.
    pub(super) fn take(&mut self) -> Vec<(&'static str, Duration)> {
        self.end();
        std::mem::take(&mut self.done)
    }
}
