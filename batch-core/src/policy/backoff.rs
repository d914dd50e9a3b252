//! How long to wait before another attempt.

use std::time::Duration;

/// The wait between attempts; nothing is open meanwhile, and a stop ends it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backoff {
    initial: Duration,
    factor: f64,
    longest: Duration,
    jitter: f64,
}

impl Backoff {
    /// No wait.
    pub const NONE: Self = Self { initial: Duration::ZERO, factor: 1.0, longest: Duration::ZERO, jitter: 0.0 };

    /// The same wait each time.
    pub fn constant(wait: Duration) -> Self {
        Self { initial: wait, factor: 1.0, longest: wait, jitter: 0.0 }
    }

    /// Doubles from `initial` with each attempt, up to 30 s.
    pub fn exponential(initial: Duration) -> Self {
        Self { initial, factor: 2.0, longest: Duration::from_secs(30).max(initial), jitter: 0.0 }
    }

    /// Never waits longer than this.
    #[must_use]
    pub fn at_most(mut self, longest: Duration) -> Self {
        self.longest = longest;
        self
    }

    /// Takes away up to this share of each wait at random, from 0 (none) to 1 (full jitter), so that those who failed together do
    /// not come back together.
    #[must_use]
    pub fn jitter(mut self, share: f64) -> Self {
        self.jitter = share.clamp(0.0, 1.0);
        self
    }

    /// The wait before the attempt after attempt `made` (from 1); `random` is from 0 to 1.
    pub fn wait(&self, made: u32, random: f64) -> Duration {
        let power = i32::try_from(made.saturating_sub(1)).unwrap_or(i32::MAX);
        let grown = self.initial.as_secs_f64() * self.factor.powi(power);
        let capped = grown.min(self.longest.as_secs_f64());
        Duration::from_secs_f64(capped * (1.0 - self.jitter * random.clamp(0.0, 1.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::Backoff;
    use std::time::Duration;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn exponential_doubles_up_to_its_limit() {
        let backoff = Backoff::exponential(100 * MS).at_most(350 * MS);
        let waits: Vec<_> = (1..=4).map(|made| backoff.wait(made, 0.0)).collect();
        assert_eq!(waits, [100 * MS, 200 * MS, 350 * MS, 350 * MS]);
        assert_eq!(backoff.wait(u32::MAX, 0.0), 350 * MS);
    }

    #[test]
    fn jitter_only_shortens() {
        let backoff = Backoff::constant(100 * MS).jitter(0.5);
        assert_eq!((backoff.wait(1, 0.0), backoff.wait(9, 1.0)), (100 * MS, 50 * MS));
        assert_eq!(Backoff::NONE.wait(3, 0.7), Duration::ZERO);
    }
}
