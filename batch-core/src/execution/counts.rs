//! The counts of a step execution.

use serde::{Deserialize, Serialize};
use std::ops::{Add, AddAssign};

/// What a step execution did; all but `rollbacks` change only by a commit.
///
/// After every commit `read = written + filtered + read_skips + process_skips + write_skips`: unlike Spring Batch's, `read`
/// counts a record that was skipped in reading, so that the sum always closes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Records consumed from the reader, bad ones included.
    pub read: u64,
    /// Items that the writer took.
    pub written: u64,
    /// Items for which the processor returned `Ok(None)`.
    pub filtered: u64,
    /// Records skipped because they could not be read.
    pub read_skips: u64,
    /// Items skipped because they could not be processed.
    pub process_skips: u64,
    /// Items skipped because they could not be written.
    pub write_skips: u64,
    /// Chunks committed.
    pub commits: u64,
    /// Attempts of a chunk given up; savepoints do not count. Best effort: a killed process does not count its own.
    pub rollbacks: u64,
}

impl Counts {
    /// Skips of the three phases together, which share one limit.
    pub fn skips(&self) -> u64 {
        self.read_skips + self.process_skips + self.write_skips
    }

    /// What was added since `before`; rollbacks left out.
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            read: self.read - before.read,
            written: self.written - before.written,
            filtered: self.filtered - before.filtered,
            read_skips: self.read_skips - before.read_skips,
            process_skips: self.process_skips - before.process_skips,
            write_skips: self.write_skips - before.write_skips,
            commits: self.commits - before.commits,
            rollbacks: 0,
        }
    }

    /// Whether every record read is accounted for once.
    pub fn is_balanced(&self) -> bool {
        self.read == self.written + self.filtered + self.skips()
    }
}

impl Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            read: self.read + other.read,
            written: self.written + other.written,
            filtered: self.filtered + other.filtered,
            read_skips: self.read_skips + other.read_skips,
            process_skips: self.process_skips + other.process_skips,
            write_skips: self.write_skips + other.write_skips,
            commits: self.commits + other.commits,
            rollbacks: self.rollbacks + other.rollbacks,
        }
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}
