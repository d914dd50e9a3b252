//! Which trials are made, in which order, and when there are enough.

mod climb;
mod points;

use crate::{
    Dimension, Limits, Setting,
    measurement::{Kind, Measure, Measurement, Retried},
    recommend::{best, broken, recommend},
    report::{Curve, NotTried, Point},
};
use batch_core::Error;
use fastrand::Rng;
use points::point;
use std::time::Duration;

/// How the search goes.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub(crate) rounds: u32,
    pub(crate) budget: Duration,
    pub(crate) min_chunks: usize,
    pub(crate) tolerance: f64,
    pub(crate) limits: Limits,
    /// Every number in every round.
    pub(crate) exhaustive: bool,
}

/// A number and its trials so far.
#[derive(Debug, Default)]
struct Candidate {
    value: usize,
    trials: Vec<Measurement>,
    retried: Option<Retried>,
    given_up: Option<u32>,
}

/// Tunes one dimension after the other, each at what was recommended before.
pub(crate) async fn tune<M: Measure>(
    measure: &mut M,
    rules: &Rules,
    from: Setting,
    dimensions: &[(Dimension, Vec<usize>)],
    seed: u64,
) -> Result<(Vec<Curve>, Setting), Error> {
    let mut random = Rng::with_seed(seed);
    let (mut curves, mut setting) = (Vec::new(), from);
    // Whoever comes first would pay for cold caches and new connections.
    measure.measure(from, Kind::Timed).await?;
    for (done, (dimension, values)) in dimensions.iter().enumerate() {
        let left = u32::try_from(dimensions.len() - done).unwrap_or(u32::MAX);
        let ends = measure.elapsed() + rules.budget.saturating_sub(measure.elapsed()) / left;
        let remembers = done > 0;
        let mut search = Search { measure, rules, random: &mut random, ends, dimension: *dimension, from: setting, remembers };
        let curve = search.curve(values).await?;
        if let Some(value) = curve.recommendation.value {
            setting = setting.with(*dimension, value);
        }
        curves.push(curve);
    }
    Ok((curves, setting))
}

/// The search in one dimension.
struct Search<'a, M> {
    measure: &'a mut M,
    rules: &'a Rules,
    random: &'a mut Rng,
    /// When the time budget is over, by the measure's clock.
    ends: Duration,
    dimension: Dimension,
    from: Setting,
    /// Other dimensions came before: what their largest trials left to the allocator hides what these need.
    remembers: bool,
}

impl<M: Measure> Search<'_, M> {
    /// Goes up once, then through what is left in random order, round after round; at last fails a chunk of each.
    async fn curve(&mut self, values: &[usize]) -> Result<Curve, Error> {
        let (mut candidates, not_tried) = self.climb(values).await?;
        self.give_up(&mut candidates, 1);
        let mut cut_short = None;
        for round in 2..=self.rules.rounds {
            if !self.round(&mut candidates).await? {
                cut_short = Some(round - 1);
                break;
            }
            self.give_up(&mut candidates, round);
        }
        self.retry(&mut candidates).await?;
        Ok(self.told(&candidates, not_tried, cut_short))
    }

    /// One more trial of each that is left; `false` where the time was over before all of them were made.
    async fn round(&mut self, candidates: &mut [Candidate]) -> Result<bool, Error> {
        let mut order: Vec<usize> = (0..candidates.len()).filter(|i| candidates[*i].given_up.is_none()).collect();
        self.random.shuffle(&mut order);
        for i in order {
            if self.is_over() {
                return Ok(false);
            }
            candidates[i].trials.push(self.trial(candidates[i].value, Kind::Timed).await?);
        }
        Ok(true)
    }

    /// Leaves out those that even with luck come nowhere near what the best surely makes: what luck may still bring halves with each
    /// round, from twice their best trial after the first one.
    fn give_up(&self, candidates: &mut [Candidate], round: u32) {
        let points: Vec<Point> = candidates.iter().map(point).collect();
        let Some(best) = best(&points, &self.rules.limits).map(|p| p.items_per_second.low) else { return };
        let luck = 1.0 + 0.5_f64.powi(i32::try_from(round).unwrap_or(i32::MAX) - 1);
        for (candidate, point) in candidates.iter_mut().zip(&points).filter(|(c, _)| c.given_up.is_none()) {
            let highest = point.trials.iter().copied().fold(0.0, f64::max);
            if !self.rules.exhaustive && highest * luck < best * (1.0 - self.rules.tolerance) {
                candidate.given_up = Some(round);
            }
        }
    }

    /// Lets one chunk of each that is left fail.
    async fn retry(&mut self, candidates: &mut [Candidate]) -> Result<(), Error> {
        for candidate in candidates.iter_mut().filter(|candidate| candidate.given_up.is_none()) {
            if !self.is_over() {
                candidate.retried = self.trial(candidate.value, Kind::Retried).await?.retried;
            }
        }
        Ok(())
    }

    fn told(&self, candidates: &[Candidate], not_tried: Option<NotTried>, cut_short: Option<u32>) -> Curve {
        let points: Vec<Point> = candidates.iter().map(point).collect();
        let recommendation = recommend(self.dimension, &points, self.rules.tolerance, &self.rules.limits);
        Curve { dimension: self.dimension, from: self.from, points, not_tried, cut_short, recommendation }
    }

    async fn trial(&mut self, value: usize, kind: Kind) -> Result<Measurement, Error> {
        let measured = self.measure.measure(self.setting(value), kind).await?;
        let memory = measured.memory.filter(|_| !self.remembers);
        Ok(Measurement { memory, ..measured })
    }

    fn setting(&self, value: usize) -> Setting {
        self.from.with(self.dimension, value)
    }

    fn is_over(&self) -> bool {
        self.measure.elapsed() >= self.ends
    }

    fn breaks(&self, candidate: &Candidate) -> Option<String> {
        broken(&point(candidate), &self.rules.limits)
    }
}

#[cfg(test)]
mod tests;
