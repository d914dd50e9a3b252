//! Many launches of one instance at the same moment.

use super::{
    scene::{BRANDS, Scene},
    worker::Kind,
};
use crate::race::one_wins;

const ROUNDS: usize = 25;

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
            one_wins(&barrier, || orders.start(""), &format!("{brand:?} round {round}"));
            scene.check_complete(&orders);
        }
    }
}
