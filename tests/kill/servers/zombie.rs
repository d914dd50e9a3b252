//! A process that is stopped for longer than its lease, inside a transaction and outside, and wakes when another has done its work.

use super::{
    scene::{BRANDS, Scene},
    worker::Kind,
};
use crate::process::pause;
use rustix::process::Signal;
use std::time::{Duration, Instant};

/// Where it is stopped: before its transaction, in it with rows written and locked, and when only the COMMIT is to be sent.
const POINTS: [&str; 4] = ["chunk.beginning=stop@4", "chunk.begun=stop@4", "chunk.written=stop@4", "server.commit.sending=stop@4"];

#[test]
fn a_process_that_slept_through_its_lease_commits_nothing_more() {
    for brand in BRANDS {
        let mut scene = Scene::new(brand);
        for point in POINTS {
            let mut orders = scene.orders(Kind::Load, 10);
            orders.lease = Duration::from_secs(2);
            let mut zombie = orders.start(point);
            zombie.wait_until_stopped();
            // The server ends a transaction that lies idle, and the lease runs out: until then a launch is refused.
            let begun = Instant::now();
            loop {
                let ended = orders.start("").finish();
                match ended.code() {
                    Some(0) => break,
                    Some(4) => assert!(begun.elapsed() < Duration::from_secs(60), "{brand:?} {point}: {ended:?}"),
                    _ => panic!("{brand:?} {point}: {ended:?}"),
                }
                pause(Duration::from_millis(50));
            }
            scene.check_complete(&orders);
            zombie.signal(Signal::CONT);
            let woken = zombie.finish();
            assert_eq!(woken.code(), Some(4), "{brand:?} {point}: {woken:?}");
            scene.check_complete(&orders);
        }
    }
}
