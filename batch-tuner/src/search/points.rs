//! From trials to a point of the curve.

use super::Candidate;
use crate::{
    Quantiles, Spread,
    measurement::{ChunkSample, Measurement, Retried},
    report::{Phases, Point, RetriedChunk},
};
use std::time::Duration;

/// All trials of a number together.
pub(super) fn point(candidate: &Candidate) -> Point {
    let trials: Vec<f64> = candidate.trials.iter().map(Measurement::items_per_second).collect();
    let chunks: Vec<&ChunkSample> = candidate.trials.iter().flat_map(|trial| &trial.chunks).collect();
    Point {
        value: candidate.value,
        items_per_second: Spread::of(&trials),
        trials,
        chunks: chunks.len(),
        us_per_item: phases(&chunks),
        commit_ms: Quantiles::of(chunks.iter().map(|c| ms(c.commit))),
        lock_ms: Quantiles::of(chunks.iter().map(|c| ms(c.open))),
        // What a trial before left to the allocator counts as resident: the least is nearest to what this one needs.
        memory_bytes: candidate.trials.iter().filter_map(|trial| trial.memory).min(),
        retried_chunk: candidate.retried.map(|retried| cost(retried, &chunks)),
        given_up: candidate.given_up,
    }
}

/// A retried chunk beside those that were not.
fn cost(retried: Retried, chunks: &[&ChunkSample]) -> RetriedChunk {
    let usual = Quantiles::of(chunks.iter().map(|c| ms(c.whole))).p50;
    RetriedChunk { lost_ms: ms(retried.lost), extra_ms: (ms(retried.whole) - usual).max(0.0) }
}

fn phases(chunks: &[&ChunkSample]) -> Phases {
    let items = chunks.iter().map(|c| c.items).sum::<u64>().max(1) as f64;
    let of = |time: fn(&ChunkSample) -> Duration| chunks.iter().map(|c| ms(time(c))).sum::<f64>() * 1e3 / items;
    Phases {
        read: of(|c| c.read),
        process: of(|c| c.process),
        write: of(|c| c.whole.saturating_sub(c.commit)),
        commit: of(|c| c.commit),
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::{Candidate, Measurement, point};

    #[test]
    fn memory_is_what_the_trial_that_inherited_least_needed() {
        let trial = |memory| Measurement { memory, ..Default::default() };
        let trials = vec![trial(Some(9)), trial(Some(4)), trial(None), trial(Some(7))];
        assert_eq!(point(&Candidate { trials, ..Default::default() }).memory_bytes, Some(4));
        assert_eq!(point(&Candidate { trials: vec![trial(None)], ..Default::default() }).memory_bytes, None);
    }
}
