//! Many launches of one instance at the same moment.

use super::{
    scene::{BRANDS, Scene},
    worker::Kind,
};
use crate::process::{Worker, wait_until};
use std::fs;

const ROUNDS: usize = 25;
const PROCESSES: usize = 8;

#[test]
fn of_eight_launches_at_once_on_a_server_one_runs() {
    for brand in BRANDS {
        let mut scene = Scene::new(brand);
        for round in 0..ROUNDS {
            let mut orders = scene.orders(Kind::Load, 10);
            if round % 2 == 1 {
                assert!(orders.start("chunk.committed=kill@3").finish().killed());
            }
            let barrier = scene.folder.path().join("go");
            orders.barrier = Some(barrier.clone());
            let mut workers: Vec<Worker> = (0..PROCESSES).map(|_| orders.start("")).collect();
            wait_until("all workers are at the barrier", || {
                workers.iter().all(|worker| scene.folder.path().join(format!("ready-{}", worker.id())).exists())
            });
            fs::write(barrier, []).unwrap();
            let ended: Vec<_> = workers.iter_mut().map(Worker::finish).collect();
            let won = ended.iter().filter(|e| e.code() == Some(0)).count();
            let refused = ended.iter().filter(|e| matches!(e.code(), Some(4 | 5))).count();
            assert_eq!((won, refused), (1, PROCESSES - 1), "{brand:?} round {round}: {ended:#?}");
            scene.check_complete(Kind::Load);
        }
    }
}
