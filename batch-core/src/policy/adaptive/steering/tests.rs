//! Chunks of a simulated database: a + b * n, with noise, outliers and chunks read ahead.

use super::{KEPT, Seen, Steering, Verdict, whole};
use crate::policy::Adaptive;
use proptest::{prelude::*, test_runner::TestRunner};
use std::{collections::VecDeque, time::Duration};

const TARGET: Duration = Duration::from_millis(50);

/// A step under way.
struct Simulation {
    steering: Steering,
    /// Sizes of the chunks that are filled and not committed; the first is the next to commit.
    filled: VecDeque<usize>,
    random: fastrand::Rng,
    noise: Noise,
    changes: Vec<(usize, usize)>,
}

/// What makes equal chunks unequal.
#[derive(Debug, Clone, Copy, Default)]
struct Noise {
    /// The greatest part by which a time is off, either way.
    spread: f64,
    /// How many of a thousand chunks take twenty times as long.
    stalls: u32,
}

/// Seconds that a chunk takes, and an item.
#[derive(Debug, Clone, Copy)]
struct Cost {
    chunk: f64,
    item: f64,
}

impl Cost {
    fn of(self, items: usize) -> f64 {
        self.chunk + self.item * items as f64
    }

    fn ratio(self, items: usize) -> f64 {
        self.of(items) / TARGET.as_secs_f64()
    }

    /// Whether chunks of that size are as near to the target as the bounds let them be, and, below 4 items, whole items.
    fn is_met(self, items: usize, (min, max): (usize, usize)) -> bool {
        let (low, high) = (*KEPT.start(), *KEPT.end());
        let long_enough = self.ratio(items) >= low || whole(items as f64 / self.ratio(items)) == items || items == max;
        long_enough && (self.ratio(items) <= high || items == min)
    }
}

impl Simulation {
    /// `ahead` chunks are always filled before a size that changes reaches the next.
    fn new(policy: Adaptive, ahead: usize, noise: Noise, seed: u64) -> Self {
        let steering = Steering::new(policy);
        let filled = std::iter::repeat_n(steering.size(), ahead).collect();
        Self { steering, filled, random: fastrand::Rng::with_seed(seed), noise, changes: Vec::new() }
    }

    fn size(&self) -> usize {
        self.steering.size()
    }

    /// Fills a chunk and commits the first of those that are filled; the change that it brings about.
    fn chunk(&mut self, cost: Cost) -> Verdict {
        self.filled.push_back(self.size());
        let asked = self.filled.pop_front().unwrap();
        let off = 1.0 + self.noise.spread * (2.0 * self.random.f64() - 1.0);
        let stall = if self.random.u32(0..1000) < self.noise.stalls { 20.0 } else { 1.0 };
        let time = Duration::from_secs_f64(cost.of(asked) * off * stall);
        let verdict = self.steering.observe(Seen { asked, items: asked, time, at_once: true });
        if let Verdict::Changed { from, to, .. } = verdict {
            self.changes.push((from, to));
        }
        verdict
    }

    fn chunks(&mut self, cost: Cost, count: usize) {
        for _ in 0..count {
            self.chunk(cost);
        }
    }
}

/// Bounds, and a start within them or not.
fn policies() -> impl Strategy<Value = ((usize, usize), usize)> {
    ((1usize..200, 0usize..100_000), 1usize..200_000).prop_map(|((min, more), start)| ((min, min + more), start))
}

/// Up to nine tenths of the target a commit; from a thousandth of the target an item down to a hundred-thousandth of that.
fn costs() -> impl Strategy<Value = Cost> {
    let target = TARGET.as_secs_f64();
    (0.0..0.9, -8.0..0.5).prop_map(move |(chunk, item): (f64, f64)| Cost { chunk: chunk * target, item: target * 10f64.powf(item) })
}

fn run<S: Strategy>(strategy: S, test: impl Fn(S::Value)) {
    let config = ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() };
    let test = |value| {
        test(value);
        Ok(())
    };
    TestRunner::new(config).run(&strategy, test).unwrap();
}

fn adaptive((min, max): (usize, usize), start: usize) -> Adaptive {
    Adaptive::latency(TARGET).between(min, max).start(start)
}

/// Seventeen doublings from 1 to 100,000 and a few smaller steps, of seven chunks each; each waits for the chunks ahead.
fn soon(ahead: usize) -> usize {
    (17 + 7) * (7 + ahead)
}

#[test]
fn it_comes_to_rest_at_the_target_whatever_chunks_cost_and_however_many_are_ahead() {
    run((policies(), costs(), costs(), 0usize..=8), |((bounds, start), first, then, ahead)| {
        let mut simulation = Simulation::new(adaptive(bounds, start), ahead, Noise::default(), 1);
        for cost in [first, then] {
            simulation.chunks(cost, soon(ahead));
            assert!(
                cost.is_met(simulation.size(), bounds),
                "{} items, {} of the target",
                simulation.size(),
                cost.ratio(simulation.size())
            );
            simulation.changes.clear();
            simulation.chunks(cost, 200);
            assert_eq!(simulation.changes, [], "it rests");
        }
    });
}

#[test]
fn it_never_leaves_its_bounds_and_never_jumps() {
    let noise = (0.0..0.9, 0u32..300).prop_map(|(spread, stalls)| Noise { spread, stalls });
    run((policies(), costs(), costs(), noise, any::<u64>()), |((bounds, start), first, then, noise, seed)| {
        let mut simulation = Simulation::new(adaptive(bounds, start), 2, noise, seed);
        assert_eq!(simulation.size(), start.clamp(bounds.0, bounds.1));
        simulation.chunks(first, 300);
        simulation.chunks(then, 300);
        for (from, to) in simulation.changes {
            assert!((bounds.0..=bounds.1).contains(&to), "{to}");
            assert!(to != from && to <= 2 * from && to >= from / 2, "{from} to {to}");
        }
    });
}

/// Deterministic, since chance could break any bound on noise.
#[test]
fn with_noise_stalls_and_changing_costs_it_stays_near_the_target_and_seldom_changes() {
    let (mut changes, mut far) = (0, 0);
    for seed in 0..1000 {
        let mut random = fastrand::Rng::with_seed(!seed);
        let (ahead, target) = (random.usize(0..=8), TARGET.as_secs_f64());
        let mut cost = Cost { chunk: 0.75 * target * random.f64(), item: target * 10f64.powf(-4.0 + 2.5 * random.f64()) };
        let noise = Noise { spread: 0.2, stalls: 30 };
        let mut simulation = Simulation::new(adaptive((1, 1_000_000), 100), ahead, noise, seed);
        for _ in 0..2 {
            simulation.chunks(cost, soon(ahead));
            simulation.changes.clear();
            for _ in 0..500 {
                simulation.chunk(cost);
                let ratio = cost.ratio(simulation.size());
                assert!((0.4..2.5).contains(&ratio), "seed {seed}: {} items, {ratio} of the target", simulation.size());
                far += usize::from(!(0.7..1.4).contains(&ratio));
            }
            assert!(simulation.changes.len() <= 20, "seed {seed}: {:?}", simulation.changes);
            changes += simulation.changes.len();
            cost.item *= 8f64.powf(2.0 * random.f64() - 1.0);
        }
    }
    // Of a million chunks.
    assert!(changes <= 2000 && far <= 1000, "{changes} changes, {far} chunks far from the target");
}

#[test]
fn chunks_ahead_delay_the_way_and_do_not_change_it() {
    let cost = Cost { chunk: 0.02, item: 0.000_007 };
    let way = |ahead| {
        let mut simulation = Simulation::new(adaptive((1, 100_000), 10), ahead, Noise::default(), 1);
        simulation.chunks(cost, soon(ahead));
        simulation.changes
    };
    let alone = way(0);
    assert_eq!(alone.iter().map(|change| change.1).collect::<Vec<_>>(), [20, 40, 80, 160, 320, 640, 1280, 2560, 4285]);
    for ahead in 1..=8 {
        assert_eq!(way(ahead), alone, "{ahead} ahead");
    }
}

/// Where most of the time is the commit's own, a size far from the best one takes hardly less time: the slope finds it all the same.
#[test]
fn a_large_cost_of_the_commit_does_not_keep_chunks_small() {
    run((0.0..0.8, 1000f64..50_000.0, 1i32..4), |(chunk, best, part)| {
        let target = TARGET.as_secs_f64();
        let cost = Cost { chunk: chunk * target, item: (1.0 - chunk) * target / best };
        let start = whole(best / 10f64.powi(part));
        let mut simulation = Simulation::new(adaptive((1, 100_000), start), 1, Noise::default(), 1);
        simulation.chunks(cost, soon(1));
        let part = simulation.size() as f64 / best;
        assert!((0.85..1.01).contains(&part), "{part} of the best size, {chunk} of the target for a commit");
    });
}

fn seen(asked: usize, items: usize, millis: u64) -> Seen {
    Seen { asked, items, time: Duration::from_millis(millis), at_once: true }
}

/// The size after seven such chunks.
fn after(steering: &mut Steering, items: usize, millis: u64) -> usize {
    for _ in 0..7 {
        steering.observe(seen(steering.size(), items, millis));
    }
    steering.size()
}

#[test]
fn three_slow_chunks_of_seven_change_nothing_four_do() {
    let mut steering = Steering::new(adaptive((10, 1000), 100));
    after(&mut steering, 100, 50);
    for round in 0..5 {
        for slow in [true, false, true, false, true, false, false] {
            let verdict = steering.observe(seen(100, 100, if slow { 5000 } else { 50 }));
            assert!(!matches!(verdict, Verdict::Changed { .. }), "round {round}");
        }
    }
    let verdicts = [(); 4].map(|()| steering.observe(seen(100, 100, 5000)));
    let halved = Verdict::Changed { from: 100, to: 50, median: Duration::from_secs(5) };
    assert_eq!(verdicts.iter().filter(|v| **v == halved).count(), 1, "{verdicts:?}");
}

#[test]
fn one_slow_chunk_at_the_very_beginning_changes_nothing() {
    for slow in 0..3 {
        let mut steering = Steering::new(adaptive((10, 1000), 100));
        for chunk in 0..7 {
            let verdict = steering.observe(seen(100, 100, if chunk == slow { 5000 } else { 50 }));
            assert!(!matches!(verdict, Verdict::Changed { .. }), "chunk {chunk}, after a slow one at {slow}");
        }
    }
}

#[test]
fn a_size_that_rests_is_told_once() {
    let mut steering = Steering::new(adaptive((10, 1000), 100));
    let verdicts: Vec<_> = (0..30).map(|_| steering.observe(seen(100, 100, 48))).collect();
    let settled = Verdict::Settled { median: Duration::from_millis(48) };
    assert_eq!(verdicts.iter().position(|v| *v == settled), Some(6));
    assert_eq!(verdicts.iter().filter(|v| **v == Verdict::Keep).count(), 29);
}

#[test]
fn chunks_of_another_size_without_items_or_with_faults_do_not_count() {
    let mut steering = Steering::new(adaptive((10, 1000), 100));
    let slow = seen(100, 100, 5000);
    for other in [Seen { asked: 200, ..slow }, Seen { items: 0, ..slow }, Seen { at_once: false, ..slow }] {
        for _ in 0..20 {
            assert_eq!(steering.observe(other), Verdict::Keep);
        }
    }
    assert_eq!(after(&mut steering, 100, 50), 100);
}

#[test]
fn chunks_that_end_early_shrink_the_size_where_they_are_slow_and_never_grow_it() {
    let mut steering = Steering::new(adaptive((1, 1000), 800));
    assert_eq!(after(&mut steering, 80, 5), 800);
    assert_eq!(after(&mut steering, 80, 70), 400);
    assert_eq!(after(&mut steering, 80, 70), 200);
    assert_eq!(after(&mut steering, 80, 70), 100);
    assert_eq!(after(&mut steering, 80, 70), 57);
}

#[test]
fn what_cannot_be_reached_ends_at_a_bound() {
    let rests_at = |policy: Adaptive, cost: Cost| {
        let mut simulation = Simulation::new(policy.between(5, 5000).start(100), 1, Noise::default(), 1);
        simulation.chunks(cost, soon(1));
        simulation.size()
    };
    let cost = Cost { chunk: 0.08, item: 0.000_001 };
    assert_eq!(rests_at(adaptive((1, 1), 1), cost), 5, "a commit alone takes longer");
    assert_eq!(rests_at(Adaptive::lock_time(Duration::ZERO), cost), 5, "no time at all");
    assert_eq!(rests_at(Adaptive::lock_time(Duration::MAX), cost), 5000, "all the time there is");
    assert_eq!(rests_at(adaptive((1, 1), 1), Cost { chunk: 0.0, item: 0.0 }), 5000, "no time passes");
}
