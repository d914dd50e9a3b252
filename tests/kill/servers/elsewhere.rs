//! Progress in a file, rows on a server: killed again and again between the two commits.

use super::{
    scene::{BRANDS, Scene},
    worker::{Kind, ROWS},
};

/// Kills between the commit of the rows and that of their checkpoint's copy, on each server.
const KILLS: i64 = 200;

/// Each run gets one chunk further: its rows are committed and the repository does not know it.
#[test]
fn two_hundred_kills_between_the_two_commits_lose_and_repeat_nothing() {
    for brand in BRANDS {
        let (mut scene, mut kills) = (Scene::new(brand), 0);
        while kills < KILLS {
            let orders = scene.orders(Kind::Elsewhere, 1);
            let mut of_story = 0;
            while orders.start("ledger.committed=kill@1").finish().killed() {
                of_story += 1;
            }
            assert_eq!(of_story, ROWS, "one for each chunk");
            scene.complete(&orders);
            kills += of_story;
        }
        println!("| between the two commits | {brand:?} | {kills} | 0 |");
    }
}
