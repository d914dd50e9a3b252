//! Chunks as large as a time allows.

mod steering;

use std::time::Duration;

pub(crate) use steering::{Seen, Steering, Verdict};

/// Steers the number of items of a chunk so that chunks take about as long as a target says; a [`Completion`](super::Completion).
///
/// ```
/// # use batch_core::{Job, ListReader, ListWriter, Memory};
/// use batch_core::Adaptive;
/// use std::time::Duration;
/// # let job = Job::new("import", &Memory::new()).step("rows", |s| {
/// # let reader = ListReader::new(vec![1]);
/// // Nobody shall wait for our rows' locks for much longer than 50 ms.
/// # Ok(
/// s.chunk(Adaptive::lock_time(Duration::from_millis(50)).between(50, 5000), reader)
/// # .writer(ListWriter::new()))
/// # });
/// ```
///
/// # Behavior
/// - A step begins with [`start`](Self::start) items a chunk and never leaves the bounds of [`between`](Self::between). A restart begins
///   with `start` too: it goes on after the last commit, whatever the sizes were.
/// - The size changes when the median of the last chunks is more than a fifth below the target or a quarter above it, to at most twice or
///   half of what it was: the last 7 chunks, or, where the median is more than twice off, 3 of them. One slow commit changes nothing.
/// - Only chunks that were filled at the present size count, so that chunks read ahead delay a change but never make it swing.
/// - Chunks that were tried again, in which a refused item was looked for, or of which nothing was left to write, do not count: their time
///   does not come from the size. Where all chunks are such, the size stays as it is.
/// - Chunks ended earlier, by [`or_time`](super::Completion::or_time), [`or_bytes`](super::Completion::or_bytes) or the end of the input,
///   count with the items that they have: too slow, they shrink the size; fast, they leave it.
/// - Where a commit alone takes longer than the target, the size goes to the lower bound. A target of several times that is met best.
///
/// Each change is logged at level `debug`; that the size has settled at level `info`, once a step.
///
/// The memory that a step takes grows with the largest chunk: the upper bound times [chunks ahead](crate::ChunkStep::read_ahead) + 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Adaptive {
    goal: Goal,
    target: Duration,
    min: usize,
    max: usize,
    start: usize,
}

/// Which of a chunk's times is steered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Goal {
    Latency,
    LockTime,
}

impl Adaptive {
    /// From the begin of writing to the commit, waiting for a transaction included: [`ChunkReport::write_time`](crate::ChunkReport).
    pub fn latency(target: Duration) -> Self {
        Self::new(Goal::Latency, target)
    }

    /// While the chunk's transaction is open, and other sessions may wait for its locks: [`ChunkReport::open_time`](crate::ChunkReport).
    pub fn lock_time(target: Duration) -> Self {
        Self::new(Goal::LockTime, target)
    }

    fn new(goal: Goal, target: Duration) -> Self {
        Self { goal, target, min: 10, max: 10_000, start: 100 }
    }

    /// At least `min` items, at most `max`, each at least 1. Default: 10 to 10,000.
    #[must_use]
    pub fn between(mut self, min: usize, max: usize) -> Self {
        (self.min, self.max) = (min.max(1), max.max(min).max(1));
        self
    }

    /// Items of the first chunks; brought within the bounds. Default: 100.
    #[must_use]
    pub fn start(mut self, items: usize) -> Self {
        self.start = items;
        self
    }

    pub(crate) fn goal(&self) -> Goal {
        self.goal
    }

    pub(crate) fn target(&self) -> Duration {
        self.target
    }

    /// Items of the first chunks, within the bounds.
    pub(crate) fn first(&self) -> usize {
        self.within_bounds(self.start)
    }

    fn within_bounds(&self, items: usize) -> usize {
        items.clamp(self.min, self.max)
    }
}
