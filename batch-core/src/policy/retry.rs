//! What is tried again, and how often.

use super::Backoff;
use crate::error::{BoxError, Panicked};
use std::{fmt, sync::Arc, time::Duration};

type Test = Arc<dyn Fn(&BoxError) -> bool + Send + Sync>;

/// Attempts for an item in reading and processing, and for a chunk in writing.
///
/// Transient errors are retried (deadlock, busy, connection lost, [`Transient`](crate::Transient)); `.on(..)` widens that. A panic is
/// never retried, a [`BadRecord`](crate::BadRecord) neither: the reader stands after it. An error that is retried and also
/// skippable is skipped when its attempts are used up, unless it is transient.
///
/// Default, also where a step sets none: 5 attempts for transient errors, 50 ms doubling to 2 s with half jitter; items are then not
/// retried in processing, since that needs a copy.
#[derive(Clone)]
pub struct Retry {
    attempts: u32,
    backoff: Backoff,
    on: Option<Test>,
}

impl Retry {
    /// At most so many attempts, the first included; no wait between them.
    pub fn times(attempts: u32) -> Self {
        Self { attempts: attempts.max(1), backoff: Backoff::NONE, on: None }
    }

    /// Waits so long, doubling with each attempt.
    #[must_use]
    pub fn exponential(self, initial: Duration) -> Self {
        self.backoff(Backoff::exponential(initial))
    }

    /// Waits so long each time.
    #[must_use]
    pub fn constant(self, wait: Duration) -> Self {
        self.backoff(Backoff::constant(wait))
    }

    /// Waits as `backoff` says.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Also retries errors for which `test` holds; walk the causes with [`caused_by`](crate::caused_by).
    #[must_use]
    pub fn on(mut self, test: impl Fn(&BoxError) -> bool + Send + Sync + 'static) -> Self {
        self.on = Some(match self.on {
            None => Arc::new(test),
            Some(before) => Arc::new(move |e| before(e) || test(e)),
        });
        self
    }

    /// Whether to try again after `made` attempts, the last of which failed with `error`.
    pub fn again(&self, made: u32, error: &BoxError, transient: bool) -> bool {
        made < self.attempts && !error.is::<Panicked>() && (transient || self.on.as_ref().is_some_and(|on| on(error)))
    }

    /// The wait before the next attempt; `random` is from 0 to 1.
    pub fn wait(&self, made: u32, random: f64) -> Duration {
        self.backoff.wait(made, random)
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self::times(5).backoff(Backoff::exponential(Duration::from_millis(50)).at_most(Duration::from_secs(2)).jitter(0.5))
    }
}

impl fmt::Debug for Retry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retry").field("attempts", &self.attempts).field("backoff", &self.backoff).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::Retry;
    use crate::error::BoxError;

    #[test]
    fn a_limit_of_three_is_three_attempts() {
        let (retry, error) = (Retry::times(3), BoxError::from("busy"));
        let again: Vec<_> = (1..=3).map(|made| retry.again(made, &error, true)).collect();
        assert_eq!(again, [true, true, false]);
    }

    #[test]
    fn other_errors_are_retried_only_where_asked_for() {
        let (a, b) = (BoxError::from("a"), BoxError::from("b"));
        assert!(!Retry::times(3).again(1, &a, false));
        let retry = Retry::times(3).on(|e| e.to_string() == "a");
        assert!(retry.again(1, &a, false) && !retry.again(1, &b, false));
    }

    #[test]
    fn a_panic_is_never_retried() {
        let panic = crate::error::panicked("the writer", &"out of memory");
        assert!(!Retry::times(3).on(|_| true).again(1, &panic, false));
    }
}
