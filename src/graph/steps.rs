//! A counter that ends what would take too long.
//!
//! Time is no measure here, since the same input must give the same answer on any machine: work is counted.

use std::fmt;

/// How much work may still be done.
#[derive(Clone, Debug)]
pub struct Steps {
    left: u64,
    limit: u64,
}

/// The work came to more than its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManySteps {
    /// The limit.
    pub limit: u64,
}

impl Steps {
    /// Returns a counter that allows `limit` steps.
    #[must_use]
    pub fn new(limit: u64) -> Self {
        Self { left: limit, limit }
    }

    /// Takes one step.
    ///
    /// # Errors
    ///
    /// [`TooManySteps`] where none is left.
    pub fn take(&mut self) -> Result<(), TooManySteps> {
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(TooManySteps { limit: self.limit }),
        }
    }

    /// Returns the number of steps taken so far.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.limit - self.left
    }
}

impl fmt::Display for TooManySteps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "more than {} steps are needed", self.limit)
    }
}

impl std::error::Error for TooManySteps {}
