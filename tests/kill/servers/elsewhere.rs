//! Progress in a file, rows on a server: killed again and again between the two commits.

use super::{
    scene::{BRANDS, Scene},
    worker::{Kind, ROWS},
};

/// Kills between the commit of the rows and that of their checkpoint's copy, on each server.
const KILLS: i64 = 200;

/// Each run gets one chunk further: its rows are committed and the repository does not know it. What was in flight behind is lost.
#[test]
fn two_hundred_kills_between_the_two_commits_lose_and_repeat_nothing() {
    for brand in BRANDS {
        let (mut scene, mut kills) = (Scene::new(brand), 0);
        for kind in [Kind::Elsewhere, Kind::FlightElsewhere].into_iter().cycle() {
            if kills >= KILLS {
                break;
            }
            let orders = scene.orders(kind, 1);
            for chunk in 0..ROWS {
                let ended = orders.start("ledger.committed=kill@1").finish();
                assert!(ended.killed(), "{brand:?} {kind:?}: one for each chunk, but not for chunk {chunk}: {ended:?}");
                scene.check(&orders);
            }
            scene.complete(&orders);
            kills += ROWS;
        }
        println!("| between the two commits | {brand:?} | {kills} | 0 |");
    }
}
