//! When a chunk is full.

use super::Adaptive;
use std::{fmt, sync::Arc, time::Duration};

type Test = Arc<dyn Fn(&Filling) -> bool + Send + Sync>;

/// Ends a chunk by count, time or bytes, whichever comes first, or by a function of one's own.
///
/// A number is a count: `s.chunk(1000, reader)`. An [`Adaptive`] is a count that is steered to a target time. Records skipped in reading do not count, items filtered or skipped in processing do.
/// A restart may use another policy: it goes on after the last commit, wherever that was.
#[derive(Clone)]
pub struct Completion {
    count: usize,
    time: Option<Duration>,
    bytes: Option<u64>,
    when: Option<Test>,
    adaptive: Option<Adaptive>,
}

/// A chunk being filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filling {
    /// Items in it.
    pub items: usize,
    /// Number of its first record since the instance began.
    pub first: u64,
    /// Bytes read for it, where the reader counts them.
    pub bytes: u64,
}

impl Completion {
    /// Items of a chunk where nothing is said (Jakarta Batch's default).
    pub const DEFAULT_COUNT: usize = 10;

    /// Ends a chunk at so many items, at least 1.
    pub fn count(items: usize) -> Self {
        Self { count: items.max(1), time: None, bytes: None, when: None, adaptive: None }
    }

    /// Ends a chunk at a number of items that is steered by what the chunks before took.
    pub fn adaptive(policy: Adaptive) -> Self {
        Self { adaptive: Some(policy), ..Self::count(policy.first()) }
    }

    /// Ends a chunk also when so much time has passed since its first read; a chunk without items goes on waiting. Zero is no limit.
    #[must_use]
    pub fn or_time(mut self, time: Duration) -> Self {
        self.time = (!time.is_zero()).then_some(time);
        self
    }

    /// Ends a chunk also when so many bytes were read for it, by [`Reader::bytes`](crate::Reader::bytes). Zero is no limit.
    #[must_use]
    pub fn or_bytes(mut self, bytes: u64) -> Self {
        self.bytes = (bytes > 0).then_some(bytes);
        self
    }

    /// Ends a chunk also when `full` says so, asked after each item.
    #[must_use]
    pub fn or_when(mut self, full: impl Fn(&Filling) -> bool + Send + Sync + 'static) -> Self {
        self.when = Some(Arc::new(full));
        self
    }

    /// At most so many items; as long as no chunk was committed, where that is adaptive.
    pub fn max_items(&self) -> usize {
        self.count
    }

    /// At most so long.
    pub fn max_time(&self) -> Option<Duration> {
        self.time
    }

    /// What steers the count.
    pub(crate) fn steered(&self) -> Option<Adaptive> {
        self.adaptive
    }

    /// Ends the next chunks at so many items.
    pub(crate) fn resize(&mut self, items: usize) {
        self.count = items.max(1);
    }

    /// Whether the count alone decides, so that items need not be looked at one by one.
    pub fn is_by_count(&self) -> bool {
        self.bytes.is_none() && self.when.is_none()
    }

    /// Whether the chunk is full, its time aside.
    pub fn is_full(&self, filling: &Filling) -> bool {
        filling.items >= self.count
            || self.bytes.is_some_and(|bytes| filling.bytes >= bytes)
            || (filling.items > 0 && self.when.as_ref().is_some_and(|full| full(filling)))
    }
}

impl Default for Completion {
    fn default() -> Self {
        Self::count(Self::DEFAULT_COUNT)
    }
}

impl From<usize> for Completion {
    fn from(items: usize) -> Self {
        Self::count(items)
    }
}

impl From<Adaptive> for Completion {
    fn from(policy: Adaptive) -> Self {
        Self::adaptive(policy)
    }
}

impl fmt::Debug for Completion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Completion")
            .field("count", &self.count)
            .field("time", &self.time)
            .field("bytes", &self.bytes)
            .field("adaptive", &self.adaptive)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{Completion, Filling};

    #[test]
    fn whichever_comes_first() {
        let policy = Completion::count(10).or_bytes(100).or_when(|f| (f.first + f.items as u64).is_multiple_of(7));
        let at = |items, first, bytes| policy.is_full(&Filling { items, first, bytes });
        assert!(at(10, 1, 0) && at(3, 1, 100) && at(2, 5, 0));
        assert!(!at(3, 1, 99) && !at(0, 7, 0));
    }
}
