//! Medians, quantiles, and how far they can be trusted.

use serde::{Deserialize, Serialize};

/// How sure an interval around a median must be, where there are enough trials.
const SURE: f64 = 0.9;

/// The median of several trials, and between which values it lies.
///
/// With 5 trials the lowest and the highest enclose the true median with 94 %; with more trials the interval is the narrowest
/// between two of them that does so with 90 %. Nothing is assumed of how they are distributed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Half of the trials were better, half worse.
    pub median: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

impl Spread {
    /// Of at least one trial; zeroes of none.
    pub fn of(trials: &[f64]) -> Self {
        let mut sorted = trials.to_vec();
        sorted.sort_by(f64::total_cmp);
        let Some(last) = sorted.len().checked_sub(1) else { return Self { median: 0.0, low: 0.0, high: 0.0 } };
        let median = (sorted[last / 2] + sorted[sorted.len() / 2]) / 2.0;
        let left_out = left_out(sorted.len());
        Self { median, low: sorted[left_out], high: sorted[last - left_out] }
    }

    /// Half the interval's width as a share of the median.
    pub fn noise(&self) -> f64 {
        if self.median > 0.0 { (self.high - self.low) / (2.0 * self.median) } else { 0.0 }
    }
}

/// How many of `n` sorted trials can be left out at each end, so that the rest still encloses the median surely enough.
fn left_out(n: usize) -> usize {
    // The chance that k or fewer of n trials are below the median is a binomial's lower tail.
    let mut term = 0.5_f64.powi(i32::try_from(n).unwrap_or(i32::MAX));
    let (mut tail, mut out) = (term, 0);
    for k in 1..n / 2 {
        term *= (n - k + 1) as f64 / k as f64;
        tail += term;
        if 2.0 * tail > 1.0 - SURE {
            break;
        }
        out = k;
    }
    out
}

/// Values that half, 95 % and 99 % of all chunks do not exceed; of few chunks the last ones are their maximum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Quantiles {
    /// Half of the chunks.
    pub p50: f64,
    /// 95 %.
    pub p95: f64,
    /// 99 %.
    pub p99: f64,
}

impl Quantiles {
    /// By nearest rank; zeroes of nothing.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = values.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let at = |percent: usize| sorted.get((percent * sorted.len()).div_ceil(100).saturating_sub(1)).copied().unwrap_or(0.0);
        Self { p50: at(50), p95: at(95), p99: at(99) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Quantiles, Spread, left_out};
    use proptest::prelude::*;

    #[test]
    fn the_interval_narrows_when_there_are_enough_trials() {
        // Coverages by hand: 5 trials 0.9375; 7 without one at each end 0.875, 8 so 0.930; 11 without two 0.935.
        let out: Vec<_> = [1, 2, 4, 5, 7, 8, 10, 11, 14].map(left_out).to_vec();
        assert_eq!(out, [0, 0, 0, 0, 0, 1, 1, 2, 3]);
    }

    #[test]
    fn one_slow_trial_moves_neither_median_nor_upper_end() {
        let spread = Spread::of(&[100.0, 98.0, 3.0, 101.0, 99.0]);
        assert_eq!((spread.median, spread.low, spread.high), (99.0, 3.0, 101.0));
        assert_eq!(Spread::of(&[4.0, 2.0]).median, 3.0);
        assert_eq!(Spread::of(&[]).noise(), 0.0);
    }

    #[test]
    fn quantiles_are_values_that_were_seen() {
        let hundred = Quantiles::of((1..=100).map(f64::from));
        assert_eq!((hundred.p50, hundred.p95, hundred.p99), (50.0, 95.0, 99.0));
        assert_eq!(Quantiles::of([7.0]), Quantiles { p50: 7.0, p95: 7.0, p99: 7.0 });
        assert_eq!(Quantiles::of([]), Quantiles::default());
    }

    proptest! {
        #[test]
        fn the_median_is_inside_its_interval(trials in prop::collection::vec(0.1f64..1e9, 1..40)) {
            let spread = Spread::of(&trials);
            prop_assert!(spread.low <= spread.median && spread.median <= spread.high);
            prop_assert!(trials.contains(&spread.low) && trials.contains(&spread.high));
        }

        #[test]
        fn quantiles_grow(values in prop::collection::vec(0.0f64..1e6, 1..300)) {
            let q = Quantiles::of(values.iter().copied());
            prop_assert!(q.p50 <= q.p95 && q.p95 <= q.p99);
            let within = |q: f64| values.iter().filter(|v| **v <= q).count();
            prop_assert!(within(q.p50) * 2 >= values.len() && within(q.p99) * 100 >= values.len() * 99);
        }
    }
}
