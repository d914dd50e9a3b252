//! PostgreSQL killed under chunks that are in flight and do not wait for its disk, the job with it or not.

use super::{
    scene::Scene,
    worker::{Kind, Orders},
};
use crate::{
    points::{Told, seed},
    process::pause,
};
use batch_testkit::{Options, Server};
use rustix::process::Signal;
use std::time::Duration;

/// Where the job stands while the server dies: chunks behind the one at the front are written or on their way.
const POINTS: [&str; 5] = [
    "chunk.begun=stop@15",
    "chunk.written=stop@15",
    "server.commit.sending=stop@15",
    "server.commit.answered=stop@15",
    "chunk.committed=stop@15",
];
/// Servers killed at moments that nobody chose.
const AT_RANDOM: usize = 12;

/// A server that writes its log no earlier than it must, so that a crash takes back what did not wait for that.
fn late() -> (Server, Scene) {
    let server = Server::start(Options::postgres().without_fsync());
    let scene = Scene::on(&server);
    scene.execute("ALTER SYSTEM SET wal_writer_delay = '10s'");
    scene.execute("SELECT pg_reload_conf()");
    (server, scene)
}

/// What a crash takes back.
struct Lost {
    commits: i64,
    /// Transactions that were open.
    open: i64,
}

/// Kills the server of a job that stands at `point`; the job dies with it or goes on after it.
fn lost(server: &Server, scene: &mut Scene, point: &str, dies: bool) -> Lost {
    let orders = scene.orders(Kind::Relaxed, 3);
    let mut worker = orders.start(point);
    worker.wait_until_stopped();
    let before = commits(scene);
    let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
        AND xact_start IS NOT NULL";
    let open = scene.number(open);
    server.stop_immediate();
    server.start_again();
    let lost = Lost { commits: before - commits(scene), open };
    scene.check(&orders);
    worker.signal(if dies { Signal::KILL } else { Signal::CONT });
    let ended = worker.finish();
    assert!(if dies { ended.killed() } else { ended.code() == Some(0) }, "{ended:?}");
    scene.check(&orders);
    scene.complete(&orders);
    lost
}

fn commits(scene: &Scene) -> i64 {
    scene.number("SELECT coalesce(sum(commit_count), 0)::bigint FROM batch_step")
}

#[test]
fn chunks_in_flight_that_a_crash_took_back_are_done_again_by_the_run_or_a_restart() {
    let (server, mut scene) = late();
    for dies in [false, true] {
        let (mut commits, mut open) = (0, 0);
        for point in POINTS {
            let told = format!("{point}, the job dies: {dies}");
            let _told = Told(&told);
            let lost = lost(&server, &mut scene, point, dies);
            (commits, open) = (commits + lost.commits, open.max(lost.open));
        }
        // A log that filled a page just before is whole, so that a single crash may take nothing back.
        assert!(commits > 0 && open > 1, "{commits} commits taken back and {open} chunks at once show nothing");
    }
}

#[test]
fn a_step_in_flight_that_ended_is_not_taken_back() {
    let (server, mut scene) = late();
    for dies in [false, true] {
        let lost = lost(&server, &mut scene, "step.ended=stop@1", dies);
        assert_eq!(lost.commits, 0, "the job dies: {dies}");
    }
}

#[test]
fn a_server_killed_under_chunks_in_flight_at_random_loses_and_repeats_nothing() {
    let seed = seed();
    let told = format!("BATCH_KILL_SEED={seed}");
    let _told = Told(&told);
    let mut random = fastrand::Rng::with_seed(seed);
    let (server, mut scene) = late();
    for _ in 0..AT_RANDOM {
        let orders = scene.orders(Kind::Relaxed, random.choice([1, 3, 10]).unwrap());
        crash_at_random(&server, &orders, &mut random);
        scene.check(&orders);
        scene.complete(&orders);
    }
}

/// The run ends well where its retries outlast the crash, else as a run does whose database is away.
fn crash_at_random(server: &Server, orders: &Orders, random: &mut fastrand::Rng) {
    let mut worker = orders.start("");
    pause(Duration::from_micros(random.u64(..150_000)));
    server.stop_immediate();
    if random.bool() {
        worker.signal(Signal::KILL);
    }
    server.start_again();
    let ended = worker.finish();
    assert!(ended.killed() || matches!(ended.code(), Some(0 | 1 | 7)), "{ended:?}");
}
