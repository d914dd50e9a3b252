//! From what chunks took to the size of the next: no clock, no chance.

use super::Adaptive;
use std::{ops::RangeInclusive, time::Duration};

/// Chunks that a decision looks at, by their median: three of them may be slow for reasons of their own.
const WINDOW: usize = 7;
/// Chunks that are enough where their median is far off.
const FEW: usize = 3;
/// Median by target that is far off.
const FAR: f64 = 2.0;
/// Median by target that a settled size keeps: wide enough that a spread of a fifth between chunks hardly ever leaves it.
const KEPT: RangeInclusive<f64> = 0.8..=1.25;
/// By how much one decision grows the size, or shrinks it, at most.
const STEP: f64 = 2.0;
/// By how much the size must grow to be worth it, while it is still on its way.
const WORTH: f64 = 1.1;
/// The least part of a chunk's time that is taken to grow with its items: with less, a small error would seem to be worth a large step.
const LEAST_SHARE: f64 = 0.05;

/// The size of a step's chunks, and what is known about it.
///
/// A chunk of n items is taken to need a + b * n. While b is unknown, a = 0 is assumed: growing by target / time then never overshoots,
/// whatever a is. Once the size was changed, two sizes and their times tell b.
#[derive(Debug)]
pub(crate) struct Steering {
    policy: Adaptive,
    size: usize,
    /// The last chunks of this size, in a ring.
    last: [Chunk; WINDOW],
    /// Chunks of this size so far.
    seen: usize,
    /// The median at the size before, on the way to the target.
    before: Option<Chunk>,
    settled: bool,
}

/// A committed chunk.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Seen {
    /// The size that it was to have.
    pub(crate) asked: usize,
    /// The items that it has.
    pub(crate) items: usize,
    /// How long it took.
    pub(crate) time: Duration,
    /// Whether it was written at the first attempt and in one call.
    pub(crate) at_once: bool,
}

/// What follows from a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Keep,
    /// The size is now another; chunks took so long.
    Changed {
        from: usize,
        to: usize,
        median: Duration,
    },
    /// The size came to rest; chunks take so long.
    Settled {
        median: Duration,
    },
}

#[derive(Debug, Clone, Copy, Default)]
struct Chunk {
    items: usize,
    time: Duration,
}

impl Steering {
    pub(crate) fn new(policy: Adaptive) -> Self {
        let last = [Chunk::default(); WINDOW];
        Self { policy, size: policy.first(), last, seen: 0, before: None, settled: false }
    }

    /// Items of the next chunk.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Learns from a chunk, in the order of the commits.
    pub(crate) fn observe(&mut self, seen: Seen) -> Verdict {
        if seen.asked != self.size || seen.items == 0 || !seen.at_once {
            return Verdict::Keep;
        }
        self.last[self.seen % WINDOW] = Chunk { items: seen.items, time: seen.time };
        self.seen += 1;
        let Some(median) = self.median() else { return Verdict::Keep };
        let (from, to) = (self.size, self.wanted(median));
        if to != from {
            (self.size, self.seen, self.before, self.settled) = (to, 0, Some(median), false);
            return Verdict::Changed { from, to, median: median.time };
        }
        if std::mem::replace(&mut self.settled, true) {
            return Verdict::Keep;
        }
        // What was learnt on the way is not true for ever.
        self.before = None;
        Verdict::Settled { median: median.time }
    }

    /// The middle one of the last chunks, where they are enough to decide.
    fn median(&self) -> Option<Chunk> {
        let mut last = self.last;
        let last = &mut last[..self.seen.min(WINDOW)];
        last.sort_unstable_by_key(|chunk| chunk.time);
        let median = *last.get(last.len().saturating_sub(1) / 2)?;
        let far = !(1.0 / FAR..=FAR).contains(&self.ratio(median));
        (last.len() >= if far { FEW } else { WINDOW }).then_some(median)
    }

    /// The size that `median` asks for.
    fn wanted(&self, median: Chunk) -> usize {
        let ratio = self.ratio(median);
        let factor = (1.0 + (1.0 / ratio - 1.0) / self.share(median)).clamp(1.0 / STEP, STEP);
        let items = median.items as f64 * factor;
        let size = if ratio > *KEPT.end() {
            // A chunk that ended early may ask for less than half.
            whole(items).clamp(self.size / 2, self.size)
        } else if ratio < *KEPT.start() || (!self.settled && factor >= WORTH) {
            // A step that begins with 1 item may need 2 to learn that the second costs little.
            let unknown = self.before.is_none() && !self.settled;
            whole(if unknown { items.ceil() } else { items }).max(self.size)
        } else {
            self.size
        };
        self.policy.within_bounds(size)
    }

    /// How much of a chunk's time grows with its items.
    fn share(&self, median: Chunk) -> f64 {
        let Some(before) = self.before else { return 1.0 };
        let items = median.items as f64;
        let an_item = (median.time.as_secs_f64() - before.time.as_secs_f64()) / (items - before.items as f64);
        let share = an_item * items / median.time.as_secs_f64();
        if share.is_finite() { share.clamp(LEAST_SHARE, 1.0) } else { 1.0 }
    }

    fn ratio(&self, chunk: Chunk) -> f64 {
        chunk.time.as_secs_f64() / self.policy.target().max(Duration::from_nanos(1)).as_secs_f64()
    }
}

/// Rounded down, so that growing does not overshoot; but for an error of the arithmetic.
fn whole(items: f64) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "truncation is wanted, and items are not negative")]
    let whole = (items + 1e-6) as usize;
    whole
}

#[cfg(test)]
mod tests;
