//! Many launches of one instance at the same moment.

use crate::{
    process::{Worker, release, run},
    scene::Scene,
    worker::{KINDS, Spec},
};
use std::path::Path;

const ROUNDS: usize = 100;
const PROCESSES: usize = 8;

#[test]
fn of_eight_launches_at_once_one_runs() {
    for round in 0..ROUNDS {
        let scene = Scene::new(KINDS[round / 2 % 3], 10, 200);
        let restarts = round % 2 == 1;
        if restarts {
            assert!(run(&scene.spec, "chunk.committed=kill@3").killed());
        }
        race(&scene, round);
        let state = scene.completed();
        assert_eq!(state.executions.len(), 1 + usize::from(restarts), "round {round}");
    }
}

fn race(scene: &Scene, round: usize) {
    let barrier = scene.path().join("go");
    let spec = Spec { barrier: Some(barrier.clone()), ..scene.spec.clone() };
    one_wins(&barrier, || Worker::start(&spec, ""), &format!("round {round}"));
}

/// Starts workers that wait at `barrier`, and lets them go at once: one runs, the others are refused.
pub(crate) fn one_wins(barrier: &Path, start: impl Fn() -> Worker, told: &str) {
    let mut workers: Vec<Worker> = (0..PROCESSES).map(|_| start()).collect();
    release(barrier, &workers);
    let ended: Vec<_> = workers.iter_mut().map(Worker::finish).collect();
    let won = ended.iter().filter(|e| e.code() == Some(0)).count();
    let refused = ended.iter().filter(|e| matches!(e.code(), Some(4 | 5))).count();
    assert_eq!((won, refused), (1, PROCESSES - 1), "{told}: {ended:#?}");
}
