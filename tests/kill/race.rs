//! Many launches of one instance at the same moment.

use crate::{
    process::{Worker, run, wait_until},
    scene::Scene,
    worker::{KINDS, Spec},
};
use std::fs;

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
    let mut workers: Vec<Worker> = (0..PROCESSES).map(|_| Worker::start(&spec, "")).collect();
    wait_until("all workers are at the barrier", || {
        workers.iter().all(|worker| scene.path().join(format!("ready-{}", worker.id())).exists())
    });
    fs::write(barrier, []).unwrap();
    let ended: Vec<_> = workers.iter_mut().map(Worker::finish).collect();
    let won = ended.iter().filter(|e| e.code() == Some(0)).count();
    let refused = ended.iter().filter(|e| matches!(e.code(), Some(4 | 5))).count();
    assert_eq!((won, refused), (1, PROCESSES - 1), "round {round}: {ended:#?}");
}
