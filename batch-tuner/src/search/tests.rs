//! The search against jobs whose costs are known, on a clock that only trials move.

use super::{Rules, tune};
use crate::{
    Curve, Dimension, Limits, Setting,
    measurement::{ChunkSample, Kind, Measure, Measurement, Retried},
};
use batch_core::Error;
use fastrand::Rng;
use futures_util::FutureExt;
use proptest::prelude::*;
use std::time::Duration;

const SIZES: [usize; 9] = [1, 10, 50, 100, 500, 1000, 5000, 10_000, 50_000];
const CHUNKS: usize = 4;
const TRIAL: f64 = 1.0;

/// A job that needs `fixed` seconds a chunk and `item` seconds an item.
#[derive(Clone)]
struct Model {
    fixed: f64,
    item: f64,
    /// More by this share for each ten thousand items of a chunk, as where memory gets scarce.
    strain: f64,
    /// Each trial is slower or faster by up to this share.
    noise: f64,
    /// Chunks at once that help.
    useful: usize,
    /// Items of the input.
    input: usize,
    random: Rng,
    elapsed: f64,
    trials: Vec<(Setting, Kind)>,
}

impl Model {
    fn new(fixed: f64, item: f64) -> Self {
        let random = Rng::with_seed(7);
        Self { fixed, item, strain: 0.0, noise: 0.0, useful: 1, input: usize::MAX, random, elapsed: 0.0, trials: Vec::new() }
    }

    fn chunk_time(&self, setting: Setting) -> f64 {
        let items = setting.chunk as f64;
        let at_once = setting.in_flight.min(self.useful) as f64;
        (self.fixed + items * self.item * (1.0 + self.strain * items / 1e4)) / at_once
    }

    fn rate(&self, setting: Setting) -> f64 {
        setting.chunk as f64 / self.chunk_time(setting)
    }

    fn timed(&self) -> Vec<usize> {
        self.trials.iter().skip(1).filter(|(_, kind)| *kind == Kind::Timed).map(|(setting, _)| setting.chunk).collect()
    }
}

impl Measure for Model {
    async fn measure(&mut self, setting: Setting, kind: Kind) -> Result<Measurement, Error> {
        self.trials.push((setting, kind));
        let time = self.chunk_time(setting) * (1.0 + self.noise * (self.random.f64() * 2.0 - 1.0));
        let wanted = (CHUNKS..50).find(|chunks| *chunks as f64 * time >= TRIAL).unwrap_or(50);
        let available = self.input / setting.chunk;
        let seconds = Duration::from_secs_f64;
        let chunk = |n: usize| ChunkSample {
            at: seconds(time * n as f64),
            items: setting.chunk as u64,
            read: seconds(time / 4.0),
            process: seconds(time / 8.0),
            whole: seconds(time),
            open: seconds(time),
            commit: seconds(self.fixed),
        };
        self.elapsed += TRIAL.max(time * wanted as f64);
        Ok(Measurement {
            chunks: (1..=wanted.min(available)).map(chunk).collect(),
            memory: Some(setting.chunk as u64 * 1000),
            ended: available < wanted,
            retried: (kind == Kind::Retried).then(|| Retried { lost: seconds(time), whole: seconds(time * 2.5) }),
        })
    }

    fn elapsed(&self) -> Duration {
        Duration::from_secs_f64(self.elapsed)
    }
}

fn rules() -> Rules {
    Rules {
        rounds: 5,
        budget: Duration::from_secs(3600),
        min_chunks: CHUNKS,
        tolerance: 0.05,
        limits: Limits::default(),
        exhaustive: false,
    }
}

fn tuned(model: &mut Model, rules: &Rules, dimensions: &[(Dimension, &[usize])]) -> (Vec<Curve>, Setting) {
    let dimensions: Vec<_> = dimensions.iter().map(|(d, values)| (*d, values.to_vec())).collect();
    tune(model, rules, Setting::default(), &dimensions, 1).now_or_never().unwrap().unwrap()
}

fn chunk(model: &mut Model, rules: &Rules) -> Curve {
    tuned(model, rules, &[(Dimension::Chunk, &SIZES)]).0.remove(0)
}

#[test]
fn the_smallest_that_is_nearly_the_best_is_recommended() {
    // 1 ms a commit and 10 µs an item: 500 make 83,333 a second, 1,000 90,909, 5,000 98,039, 10,000 99,010.
    let curve = chunk(&mut Model::new(1e-3, 1e-5), &rules());
    assert_eq!(curve.recommendation.value, Some(5000));
    assert!(curve.recommendation.sure);
    let point = curve.recommended().unwrap();
    assert!((point.rate() - 98_039.2).abs() < 0.1, "{}", point.rate());
    assert!((point.lock_ms.p99 - 51.0).abs() < 1e-6 && (point.us_per_item.commit - 0.2).abs() < 1e-6);
}

#[test]
fn going_up_ends_where_it_stops_paying() {
    let mut model = Model::new(2e-5, 1e-5);
    let curve = chunk(&mut model, &rules());
    let not_tried = curve.not_tried.unwrap();
    assert_eq!(not_tried.values, [5000, 10_000, 50_000]);
    assert_eq!(not_tried.reason, "500 and 1,000 brought less than 2 % over smaller ones");
    assert_eq!(curve.recommendation.value, Some(50));
}

#[test]
fn what_cannot_become_the_best_is_given_up_after_one_round() {
    let mut model = Model::new(1e-3, 1e-5);
    let curve = chunk(&mut model, &rules());
    let given_up: Vec<_> = curve.points.iter().map(|p| (p.value, p.given_up, p.trials.len())).collect();
    assert_eq!(given_up[..4], [(1, Some(1), 1), (10, Some(1), 1), (50, Some(1), 1), (100, Some(2), 2)]);
    assert!(given_up[5..].iter().all(|(_, round, trials)| round.is_none() && *trials == 5));
}

#[test]
fn an_exhaustive_search_tries_everything_every_round() {
    let mut model = Model::new(2e-5, 1e-5);
    let curve = chunk(&mut model, &Rules { exhaustive: true, ..rules() });
    assert_eq!(model.timed().len(), 9 * 5);
    assert!(curve.points.iter().all(|p| p.trials.len() == 5 && p.given_up.is_none()));
    assert_eq!(curve.not_tried, None);
}

#[test]
fn later_rounds_are_in_an_order_that_the_seed_repeats() {
    let order = |seed| {
        let mut model = Model::new(1e-3, 1e-5);
        let dimensions = [(Dimension::Chunk, SIZES.to_vec())];
        let exhaustive = Rules { exhaustive: true, ..rules() };
        tune(&mut model, &exhaustive, Setting::default(), &dimensions, seed).now_or_never().unwrap().unwrap();
        model.timed()
    };
    assert_eq!(order(3), order(3));
    assert_ne!(order(3), order(4));
    let rounds: Vec<Vec<usize>> = order(3).chunks(9).map(<[usize]>::to_vec).collect();
    assert_eq!(rounds[0], SIZES);
    for round in &rounds[1..] {
        let mut sorted = round.clone();
        sorted.sort_unstable();
        assert!(sorted == SIZES && *round != SIZES, "{round:?}");
    }
}

#[test]
fn a_limit_ends_the_climb_and_bounds_the_recommendation() {
    let limits = Limits { lock_ms: Some(8.0), memory_bytes: None };
    let curve = chunk(&mut Model::new(1e-3, 1e-5), &Rules { limits, ..rules() });
    assert_eq!(curve.recommendation.value, Some(500));
    assert_eq!(curve.points.last().unwrap().value, 1000, "one over the limit is measured, to show what it would bring");
    assert_eq!(curve.not_tried.unwrap().reason, "at 1,000 its transactions last 11.0 ms (p99), the limit is 8.00 ms");
}

#[test]
fn what_is_best_within_the_limits_is_not_given_up_for_what_is_beyond_them() {
    let limits = Limits { lock_ms: None, memory_bytes: Some(1000) };
    let curve = chunk(&mut Model::new(1e-3, 1e-5), &Rules { limits, ..rules() });
    assert_eq!(curve.recommendation.value, Some(1));
    assert_eq!(curve.points[0].trials.len(), 5);
}

#[test]
fn a_chunk_of_each_that_is_left_is_tried_again_once() {
    let mut model = Model::new(1e-3, 1e-5);
    let curve = chunk(&mut model, &rules());
    let retried: Vec<usize> = model.trials.iter().filter(|t| t.1 == Kind::Retried).map(|t| t.0.chunk).collect();
    let left: Vec<usize> = curve.points.iter().filter(|p| p.given_up.is_none()).map(|p| p.value).collect();
    assert_eq!(retried, left);
    let cost = curve.points.iter().find(|p| p.value == 1000).unwrap().retried_chunk.unwrap();
    assert!((cost.lost_ms - 11.0).abs() < 1e-6 && (cost.extra_ms - 16.5).abs() < 1e-6, "{cost:?}");
    assert_eq!(curve.points[0].retried_chunk, None);
}

#[test]
fn the_time_budget_ends_rounds() {
    let mut model = Model::new(1e-3, 1e-5);
    let curve = chunk(&mut model, &Rules { budget: Duration::from_secs(20), ..rules() });
    assert!(curve.cut_short.is_some_and(|rounds| rounds < 5), "{:?}", curve.cut_short);
    assert!(model.elapsed < 20.0 + 4.0, "{}", model.elapsed);
    assert!(curve.recommendation.value.is_some());
}

#[test]
fn chunks_too_large_for_the_time_are_not_tried() {
    // A thousand items a second: 4 chunks of 5,000 are 20 s, five times.
    let curve = chunk(&mut Model::new(1e-4, 1e-3), &Rules { budget: Duration::from_secs(60), exhaustive: false, ..rules() });
    assert!(curve.points.last().unwrap().value < 5000);
    assert!(curve.recommendation.value.is_some());
    let curve = chunk(&mut Model::new(1.0, 1e-3), &Rules { budget: Duration::from_secs(60), ..rules() });
    let reason = curve.not_tried.unwrap().reason;
    assert!(reason.contains("too long for a time budget of 60.0 s") || reason.contains("was over"), "{reason}");
}

#[test]
fn chunks_too_large_for_the_input_are_not_tried() {
    let mut model = Model { input: 20_000, ..Model::new(1e-2, 1e-5) };
    let curve = chunk(&mut model, &rules());
    assert_eq!(curve.not_tried.unwrap().reason, "the sample ends within 4 chunks of 10,000");
    assert_eq!(curve.points.last().unwrap().value, 10_000);
}

#[test]
fn each_dimension_is_tuned_at_what_the_ones_before_recommend() {
    let mut model = Model { useful: 4, ..Model::new(1e-3, 1e-5) };
    let in_flight: &[usize] = &[1, 2, 3, 4, 6, 8, 16];
    let (curves, setting) = tuned(&mut model, &rules(), &[(Dimension::Chunk, &SIZES), (Dimension::InFlight, in_flight)]);
    assert_eq!((setting.chunk, setting.in_flight, setting.workers), (5000, 4, 1));
    assert_eq!(curves[1].from.chunk, 5000);
    assert!(curves[0].points.iter().all(|p| p.memory_bytes.is_some()) && curves[1].points.iter().all(|p| p.memory_bytes.is_none()));
    assert_eq!(curves[1].not_tried.as_ref().unwrap().values, [16]);
}

#[test]
fn noise_is_told_where_it_hides_the_answer() {
    let steady = chunk(&mut Model { noise: 0.01, ..Model::new(1e-3, 1e-5) }, &rules());
    assert!(steady.recommendation.sure, "{}", steady.recommendation.reason);
    let noisy = chunk(&mut Model { noise: 0.4, ..Model::new(1e-3, 1e-5) }, &rules());
    assert!(!noisy.recommendation.sure && noisy.recommendation.reason.contains("Not sure"), "{}", noisy.recommendation.reason);
}

#[test]
fn the_best_is_not_given_up_for_bad_luck() {
    let wrong = (0..300).filter(|seed| {
        let mut model = Model { noise: 0.2, random: Rng::with_seed(*seed), ..Model::new(1e-3, 1e-5) };
        let curve = chunk(&mut model, &rules());
        let rate = |value: usize| model.rate(Setting::chunk(value));
        curve.points.iter().max_by(|a, b| rate(a.value).total_cmp(&rate(b.value))).unwrap().given_up.is_some()
    });
    assert_eq!(wrong.count(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// What stopping early can cost is bounded: 2 % that did not pay, twice, beside the tolerance itself.
    #[test]
    fn the_recommendation_is_near_the_best_of_all_sizes(fixed in -5.0f64..-1.0, item in -7.0f64..-4.0, strain in 0.0f64..1.0) {
        let mut model = Model { strain, ..Model::new(10f64.powf(fixed), 10f64.powf(item)) };
        let curve = chunk(&mut model, &rules());
        let best = SIZES.iter().map(|size| model.rate(Setting::chunk(*size))).fold(0.0, f64::max);
        let chosen = model.rate(Setting::chunk(curve.recommendation.value.unwrap()));
        prop_assert!(chosen >= best * 0.92, "{chosen} of {best}: {}", curve.recommendation.reason);
    }

    #[test]
    fn the_recommendation_is_within_the_tolerance_of_an_exhaustive_search(fixed in -5.0f64..-1.0, item in -7.0f64..-4.0, strain in 0.0f64..1.0) {
        let mut model = Model { strain, ..Model::new(10f64.powf(fixed), 10f64.powf(item)) };
        let curve = chunk(&mut model, &Rules { exhaustive: true, budget: Duration::MAX, ..rules() });
        let rates = SIZES.map(|size| model.rate(Setting::chunk(size)));
        let best = rates.iter().copied().fold(0.0, f64::max);
        let smallest = SIZES.iter().zip(rates).find(|(_, rate)| *rate >= best * 0.95).unwrap();
        prop_assert_eq!(curve.recommendation.value, Some(*smallest.0));
    }

    #[test]
    fn limits_are_kept(fixed in -5.0f64..-1.0, item in -7.0f64..-4.0, limit in 0.01f64..1000.0, memory in 500u64..100_000_000) {
        let limits = Limits { lock_ms: Some(limit), memory_bytes: Some(memory) };
        let mut model = Model::new(10f64.powf(fixed), 10f64.powf(item));
        let curve = chunk(&mut model, &Rules { limits, ..rules() });
        match curve.recommended() {
            Some(point) => prop_assert!(point.lock_ms.p99 <= limit && point.memory_bytes.unwrap() <= memory),
            None => prop_assert!(model.chunk_time(Setting::chunk(1)) * 1e3 > limit || memory < 1000),
        }
    }
}
