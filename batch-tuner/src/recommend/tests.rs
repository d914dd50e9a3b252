use super::recommend;
use crate::{
    Dimension, Limits, Spread,
    report::{Point, Recommendation},
};

/// A point by its throughput, with half-width of its interval, transaction time and memory.
fn point(value: usize, rate: f64, noise: f64, lock: f64, megabytes: u64) -> Point {
    let mut point = Point {
        value,
        items_per_second: Spread { median: rate, low: rate - noise, high: rate + noise },
        trials: vec![rate; 5],
        chunks: 20,
        us_per_item: Default::default(),
        commit_ms: Default::default(),
        lock_ms: Default::default(),
        memory_bytes: Some(megabytes * 1_000_000),
        retried_chunk: None,
        given_up: None,
    };
    point.lock_ms.p99 = lock;
    point
}

fn curve() -> Vec<Point> {
    vec![
        point(100, 80_000.0, 100.0, 1.0, 1),
        point(500, 96_000.0, 100.0, 5.0, 2),
        point(1000, 100_000.0, 100.0, 10.0, 4),
        point(5000, 99_000.0, 100.0, 50.0, 20),
    ]
}

fn of(points: &[Point], limits: Limits) -> Recommendation {
    recommend(Dimension::Chunk, points, 0.05, &limits)
}

#[test]
fn the_knee_comes_with_its_numbers() {
    let found = of(&curve(), Limits::default());
    assert_eq!(found.value, Some(500));
    assert_eq!(
        found.reason,
        "chunk 500: 96,000 items/s, 96 % of the best (100,000 at 1,000). 100 reaches only 80 %. \
         Its transactions last 5.00 ms (p99), and it takes 2.0 MB of memory at most."
    );
}

#[test]
fn a_limit_rules_out_what_is_faster() {
    let found = of(&curve(), Limits { lock_ms: Some(3.0), memory_bytes: None });
    assert_eq!(found.value, Some(100));
    assert_eq!(
        found.reason,
        "chunk 100: 80,000 items/s, the best within the limits. Its transactions last 1.00 ms (p99), and it takes 1.0 MB of memory at most. \
         1,000 (100,000 items/s) is ruled out: its transactions last 10.0 ms (p99), the limit is 3.00 ms."
    );
    let found = of(&curve(), Limits { lock_ms: None, memory_bytes: Some(1_500_000) });
    assert!(
        found.reason.ends_with("1,000 (100,000 items/s) is ruled out: it takes 4.0 MB, the limit is 1.5 MB."),
        "{}",
        found.reason
    );
}

#[test]
fn one_that_is_fast_enough_must_keep_to_the_limits_too() {
    let mut points = curve();
    points[1].lock_ms.p99 = 30.0;
    assert_eq!(of(&points, Limits { lock_ms: Some(20.0), memory_bytes: None }).value, Some(1000));
}

#[test]
fn nothing_is_recommended_where_everything_breaks_a_limit() {
    let found = of(&curve(), Limits { lock_ms: Some(0.5), memory_bytes: None });
    assert_eq!(found.value, None);
    assert_eq!(
        found.reason,
        "None keeps to the limits: already at 100 its transactions last 1.00 ms (p99), the limit is 0.500 ms."
    );
}

#[test]
fn the_largest_may_not_be_the_best_there_is() {
    let rising = [point(10, 10.0, 0.0, 1.0, 1), point(100, 90.0, 0.0, 2.0, 1)];
    let reason = of(&rising, Limits::default()).reason;
    assert!(reason.ends_with("It is the largest that was tried; a larger one may be faster still."), "{reason}");
}

#[test]
fn trials_that_differ_more_than_the_tolerance_are_not_sure() {
    let mut points = curve();
    points[2] = point(1000, 100_000.0, 12_000.0, 10.0, 4);
    let found = of(&points, Limits::default());
    assert_eq!((found.value, found.sure), (Some(500), false));
    assert!(
        found.reason.contains("Not sure: the trials tell throughput only to ±12 %, too little to tell 5 % apart"),
        "{}",
        found.reason
    );
}

#[test]
fn one_trial_is_never_sure() {
    let mut points = curve();
    points[1].trials.truncate(1);
    let found = of(&points, Limits::default());
    assert_eq!((found.value, found.sure), (Some(500), false));
    assert!(found.reason.ends_with("Not sure: 1 of 3 trials that are needed to see how much they differ."), "{}", found.reason);
}

#[test]
fn where_memory_is_not_measured_its_limit_does_nothing() {
    let mut points = curve();
    points.iter_mut().for_each(|point| point.memory_bytes = None);
    assert_eq!(of(&points, Limits { lock_ms: None, memory_bytes: Some(1) }).value, Some(500));
}
