//! How long a written chunk waits for the ones before it.

use std::time::Duration;

/// What chunks took to write tells how long the one at the front may take, since chunks are alike; beyond, it may wait for the locks of one behind it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// No transaction may wait longer, since the database would end it.
    most: Duration,
    /// The quickest chunk's time lately. In the others there may be waits for locks, which must not make the next wait longer still.
    usual: Duration,
}

const LEAST: Duration = Duration::from_millis(100);

impl Patience {
    pub(super) fn new(most: Duration) -> Self {
        Self { most, usual: Duration::MAX }
    }

    /// The rows of a chunk were written.
    pub(super) fn wrote(&mut self, took: Duration) {
        self.usual = took.min(self.usual.saturating_mul(2));
    }

    /// From when a chunk was written to when it gives way.
    pub(super) fn wait(&self) -> Duration {
        LEAST.saturating_add(self.usual.saturating_mul(4)).min(self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::Patience;
    use std::time::Duration;

    fn waits(took: &[u64]) -> Vec<u64> {
        let mut patience = Patience::new(Duration::from_secs(10));
        let wait = |took: &u64| {
            patience.wrote(Duration::from_millis(*took));
            u64::try_from(patience.wait().as_millis()).unwrap()
        };
        took.iter().map(wait).collect()
    }

    #[test]
    fn a_chunk_that_waited_for_a_lock_does_not_make_the_next_wait_as_long() {
        assert_eq!(waits(&[10, 600, 2_500, 10]), [140, 180, 260, 140]);
    }

    #[test]
    fn chunks_that_all_take_longer_are_waited_for_and_never_too_long() {
        assert_eq!(waits(&[10, 100, 100, 100, 100, 100]), [140, 180, 260, 420, 500, 500]);
        assert_eq!(waits(&[4_000]), [10_000]);
        assert_eq!(Patience::new(Duration::from_secs(10)).wait(), Duration::from_secs(10), "nothing is known yet");
    }
}
