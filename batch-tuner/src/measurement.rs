//! What a trial brings.

use crate::Setting;
use batch_core::Error;
use std::{future::Future, time::Duration};

/// Runs trials; the search knows them by this alone.
pub(crate) trait Measure {
    /// Runs the job once.
    fn measure(&mut self, setting: Setting, kind: Kind) -> impl Future<Output = Result<Measurement, Error>>;

    /// How long the tuning has taken so far.
    fn elapsed(&self) -> Duration;
}

/// What a trial is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// How fast it is.
    Timed,
    /// What it costs when the second chunk fails just before its commit and is tried again.
    Retried,
}

/// What was seen in one trial.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Measurement {
    /// The chunks that committed, in order.
    pub(crate) chunks: Vec<ChunkSample>,
    /// Highest memory of the process above what it had when the tuning began, in bytes.
    pub(crate) memory: Option<u64>,
    /// The input ended before the trial did.
    pub(crate) ended: bool,
    /// Of a trial whose second chunk was tried again.
    pub(crate) retried: Option<Retried>,
}

/// A chunk that was tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Retried {
    /// From the begin of the attempt that failed to its failure.
    pub(crate) lost: Duration,
    /// From its begin to the chunk's commit.
    pub(crate) whole: Duration,
}

/// One committed chunk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ChunkSample {
    /// When its commit was told, since the step began.
    pub(crate) at: Duration,
    /// Records read for it.
    pub(crate) items: u64,
    /// Time to read it.
    pub(crate) read: Duration,
    /// Time to process it.
    pub(crate) process: Duration,
    /// From the begin of writing to the commit, whatever it took.
    pub(crate) whole: Duration,
    /// How long its transaction was open, and held its locks.
    pub(crate) open: Duration,
    /// Time to commit it.
    pub(crate) commit: Duration,
}

impl Measurement {
    /// From the first commit to the last: what a long run makes once its connections are open and its read-ahead is full. Of a
    /// single chunk, from the step's begin.
    pub(crate) fn items_per_second(&self) -> f64 {
        let Some((first, rest)) = self.chunks.split_first() else { return 0.0 };
        let (items, time) = match rest.last() {
            None => (first.items, first.at),
            Some(last) => (rest.iter().map(|c| c.items).sum(), last.at.saturating_sub(first.at)),
        };
        items as f64 / time.as_secs_f64().max(1e-9)
    }
}

#[cfg(test)]
mod tests {
    use super::{ChunkSample, Measurement};
    use std::time::Duration;

    fn measured(chunks: &[(u64, u64)]) -> f64 {
        let chunk = |(at, items): &(u64, u64)| ChunkSample { at: Duration::from_millis(*at), items: *items, ..Default::default() };
        Measurement { chunks: chunks.iter().map(chunk).collect(), ..Default::default() }.items_per_second()
    }

    #[test]
    fn what_comes_before_the_first_commit_is_left_out() {
        assert_eq!(measured(&[(900, 50), (1000, 50), (1100, 50)]), 500.0);
        assert_eq!(measured(&[(500, 50)]), 100.0);
        assert_eq!(measured(&[]), 0.0);
    }
}
