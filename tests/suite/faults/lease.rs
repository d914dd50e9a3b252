//! A lease that cannot be renewed while the work goes on.

use super::fixture::{COMMIT, Scene, load, on_every_server, parameters};
use batch_core::{BatchStatus, ErrorKind, Job, StopHandle};
use batch_sql::Database;
use batch_testkit::Fault;
use std::time::Duration;

on_every_server!(
    a_run_whose_lease_cannot_be_renewed_ends_itself,
    a_run_that_was_taken_over_meanwhile_writes_nothing_more,
    a_renewal_that_is_lost_once_is_tried_again,
);

/// More than are loaded before the lease ends.
const MANY: i64 = 200_000;
const LEASE: Duration = Duration::from_millis(1500);

fn short_lease(db: &Database, rows: i64) -> Job<Database> {
    load(db, rows).lease(LEASE)
}

async fn loaded(scene: &Scene) -> i64 {
    scene.number("SELECT count(*) FROM put").await
}

/// Loses every renewal from the first chunk on; what is asked before it goes over the job's own connection.
async fn lose_renewals(scene: &Scene) -> Fault {
    scene.proxy.until_seen(COMMIT, 1).await;
    let lost = scene.proxy.on(&scene.text("UPDATE @lease")).blackhole();
    lost.fired().await;
    lost
}

async fn a_run_whose_lease_cannot_be_renewed_ends_itself(scene: Scene) {
    let job = short_lease(&scene.db, MANY);
    let (ended, lost) = tokio::join!(job.run(parameters(1)), lose_renewals(&scene));
    let ended = ended.unwrap_err();
    assert_eq!(ended.kind(), ErrorKind::Unavailable, "{}", ended.report());
    assert_eq!(ended.kind().exit_code(), 7);
    let rows = loaded(&scene).await;
    assert!(rows > 10 && rows < MANY, "{rows}: the work went on, and ended");
    assert_eq!(scene.number("SELECT count(*) FROM batch_execution WHERE status = 'FAILED'").await, 1);
    lost.release();
    scene.completes(&short_lease(&scene.audit, rows + 100), 1, rows + 100).await;
}

/// The successor finds the lease over before the run does, which trusts its own clock.
async fn a_run_that_was_taken_over_meanwhile_writes_nothing_more(scene: Scene) {
    let job = load(&scene.db, MANY).lease(3 * LEASE);
    let takes_over = async {
        let lost = lose_renewals(&scene).await;
        let hour = if scene.is_postgres() { "interval '1 hour'" } else { "INTERVAL 1 HOUR" };
        scene.audit.execute(&format!("UPDATE batch_lease SET until_time = until_time - {hour}")).await.unwrap();
        let rows = loaded(&scene).await + 10_000;
        let done = scene.completes(&short_lease(&scene.audit, rows), 1, rows).await;
        lost.release();
        (done, rows)
    };
    let (ended, (done, rows)) = tokio::join!(job.run(parameters(1)), takes_over);
    assert_eq!(ended.unwrap_err().kind(), ErrorKind::NotOwner);
    scene.is_exact(&done, rows).await;
}

async fn a_renewal_that_is_lost_once_is_tried_again(scene: Scene) {
    let renewal = scene.text("UPDATE @lease");
    let (job, stop) = (short_lease(&scene.db, MANY), StopHandle::new());
    let goes_on = async {
        scene.proxy.until_seen(COMMIT, 1).await;
        let lost = scene.proxy.on(&renewal).cut_answer();
        lost.settled().await;
        scene.proxy.until_seen(&renewal, scene.proxy.seen(&renewal) + 4).await;
        stop.stop();
    };
    let (ended, ()) = tokio::join!(job.launch(parameters(1)).stop_handle(&stop).run(), goes_on);
    assert_eq!(ended.unwrap().status, BatchStatus::Stopped);
    let rows = loaded(&scene).await;
    scene.completes(&short_lease(&scene.audit, rows + 100), 1, rows + 100).await;
}
