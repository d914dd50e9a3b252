//! Chunks whose sizes follow the time, killed again and again: each run goes on wherever the one before was, with other sizes.

use crate::{
    audit::StepRow,
    points::{Baseline, CHUNKS, ROWS, Told, baseline, seed},
    process::{Worker, pause, run},
    scene::Scene,
    worker::{KINDS, Kind},
};
use rustix::process::Signal;
use std::time::Duration;

/// Items of the first chunks of each run.
const START: usize = CHUNKS[1];
/// Kills of the jobs of each kind, at least.
const KILLS: usize = 60;
/// Chunks of one item are too slow for the first, and the largest are not slow enough for the last.
const TARGETS: [Duration; 3] = [Duration::from_nanos(1), Duration::from_millis(1), Duration::from_secs(3600)];

/// Kills, and how many of the killed runs had smaller or larger chunks than they began with.
#[derive(Debug, Default)]
struct Seen {
    kills: usize,
    shrunk: usize,
    grown: usize,
}

impl Seen {
    /// Chunks of one size would all have it but the last one; records that cannot be read are in none.
    fn add(&mut self, step: &StepRow) {
        let (items, size) = (step.counts[0] - step.counts[3], START as i64);
        self.shrunk += usize::from(items < (step.commits - 1) * size);
        self.grown += usize::from(items > step.commits * size);
    }
}

#[test]
fn wherever_a_chunk_ends_nothing_is_lost_or_repeated() {
    let seed = seed();
    let seen = std::thread::scope(|scope| {
        let of_kinds = KINDS.map(|kind| scope.spawn(move || stories(kind, seed)));
        of_kinds.map(|stories| stories.join().unwrap())
    });
    println!("killed under steered sizes: {seen:?}");
    assert!(seen.iter().any(|s| s.shrunk > 0) && seen.iter().any(|s| s.grown > 0), "sizes stayed as they were: {seen:?}");
}

fn stories(kind: Kind, seed: u64) -> Seen {
    let told = format!("BATCH_KILL_SEED={seed} {kind:?}");
    let _told = Told(&told);
    let mut random = fastrand::Rng::with_seed(seed);
    let (baseline, mut seen) = (baseline(kind, START), Seen::default());
    while seen.kills < KILLS {
        story(kind, &baseline, &mut random, &mut seen);
    }
    seen
}

/// Kills one run after the other, each with a target of its own, until one is complete.
fn story(kind: Kind, baseline: &Baseline, random: &mut fastrand::Rng, seen: &mut Seen) {
    let mut scene = Scene::new(kind, START, ROWS);
    loop {
        scene.spec.latency = random.choice(TARGETS);
        let tries = scene.state().steps.len();
        if !killed(&scene, baseline, random) {
            break;
        }
        seen.kills += 1;
        for step in scene.state().steps.get(tries..).unwrap_or_default() {
            seen.add(step);
        }
    }
    let state = scene.complete_again();
    assert_eq!(state.skips, baseline.skips, "skip records and their reasons");
}

/// Kills a run at a point that chunks pass, or at a random moment; false when it was complete before.
fn killed(scene: &Scene, baseline: &Baseline, random: &mut fastrand::Rng) -> bool {
    let ended = if random.bool() {
        let of_chunks: Vec<_> = baseline.passages.iter().filter(|(_, passed)| **passed >= ROWS / START as u64).collect();
        let (point, _) = random.choice(of_chunks).unwrap();
        run(&scene.spec, &format!("{point}=kill@{}", random.u64(1..=20)))
    } else {
        let mut worker = Worker::start(&scene.spec, "");
        pause(Duration::from_micros(random.u64(..100_000)));
        worker.signal(Signal::KILL);
        worker.finish()
    };
    assert!(ended.killed() || matches!(ended.code(), Some(0 | 5)), "{ended:?}");
    ended.killed()
}
