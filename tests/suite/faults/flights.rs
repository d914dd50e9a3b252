//! Chunks in flight on real servers: commits whose answer is lost, connections that end, chunks that lock one another's rows.

use super::fixture::{BEGIN, COMMIT, Scene, cut_at_random, load, load_as, numbers, on_every_server, parameters};
use batch_core::{BatchStatus, Job, ListReader, Retry};
use batch_sql::{Database, SqlUpsert};
use serde::Serialize;
use std::time::Duration;

on_every_server!(
    a_lost_answer_in_flight_loses_and_repeats_nothing,
    a_commit_in_flight_that_never_arrived_is_done_again_in_order,
    a_flight_that_cannot_begin_is_done_again,
    connections_cut_under_chunks_in_flight_change_nothing,
    bad_rows_are_found_at_the_front,
    chunks_that_upsert_the_same_rows_end_as_they_would_one_by_one,
);

const ROWS: i64 = 300;

fn flying(db: &Database, rows: i64) -> Job<Database> {
    load_as(db, rows, |step| step.in_flight(3))
}

async fn a_lost_answer_in_flight_loses_and_repeats_nothing(scene: Scene) {
    for (run, chunk) in [1, 2, 3, 15, 29, 30].into_iter().enumerate() {
        let lost = scene.proxy.on(COMMIT).nth(chunk).cut_answer();
        let done = scene.completes(&flying(&scene.db, ROWS), run as i64, ROWS).await;
        lost.settled().await;
        assert_eq!(done.steps[0].counts.commits, 30, "chunk {chunk} was committed once");
    }
}

async fn a_commit_in_flight_that_never_arrived_is_done_again_in_order(scene: Scene) {
    for (run, chunk) in [1, 2, 15, 30].into_iter().enumerate() {
        let lost = scene.proxy.on(COMMIT).nth(chunk).cut_before();
        let done = scene.completes(&flying(&scene.db, ROWS), run as i64, ROWS).await;
        lost.settled().await;
        assert_eq!(done.steps[0].counts.commits, 30, "chunk {chunk}");
    }
}

async fn a_flight_that_cannot_begin_is_done_again(scene: Scene) {
    for (run, nth) in [1, 2, 3, 7].into_iter().enumerate() {
        let cut = scene.proxy.on(BEGIN).nth(nth).cut_before();
        scene.completes(&flying(&scene.db, ROWS), run as i64, ROWS).await;
        cut.settled().await;
    }
}

async fn connections_cut_under_chunks_in_flight_change_nothing(scene: Scene) {
    cut_at_random(&scene, 20, ROWS, flying).await;
}

/// Rows that are in the table already are refused; one at a time and in flight, the same are skipped.
async fn bad_rows_are_found_at_the_front(scene: Scene) {
    let mut outcomes = Vec::new();
    for (run, in_flight) in [(1, 1), (2, 3)] {
        for n in [0, 9, 10, 55, 56, 57, 299] {
            scene.audit.execute(&format!("INSERT INTO put (run, n) VALUES ({run}, {n})")).await.unwrap();
        }
        let job = load_as(&scene.db, ROWS, move |step| step.skip(7).in_flight(in_flight));
        let done = job.run(parameters(run)).await.unwrap();
        assert_eq!(done.status, BatchStatus::Completed, "{}", done.exit_status.message);
        let step = &done.steps[0];
        let skipped = format!("SELECT record_number FROM batch_skip WHERE step_id = {} ORDER BY record_number", step.id);
        outcomes.push((step.counts, scene.numbers(&skipped).await));
        let there = format!("SELECT count(*) FROM put WHERE run = {run}");
        assert_eq!(scene.number(&there).await, ROWS);
    }
    assert_eq!(outcomes[0], outcomes[1]);
    assert_eq!(outcomes[0].1, [0, 9, 10, 55, 56, 57, 299]);
}

/// A number that counts under a key that others have, too.
#[derive(Debug, Clone, Serialize)]
struct Shared {
    k: i64,
    n: i64,
}

/// Whoever is behind may have the row that the one at the front waits for, and waits itself for that one: no server sees that.
async fn chunks_that_upsert_the_same_rows_end_as_they_would_one_by_one(scene: Scene) {
    scene.audit.execute("CREATE TABLE latest (k BIGINT PRIMARY KEY, n BIGINT NOT NULL)").await.unwrap();
    let job = Job::new("latest", &scene.db).step("load", |s| {
        let items: Vec<Shared> = (0..200).map(|n| Shared { k: n % 7, n }).collect();
        let step = s.chunk(5, ListReader::new(items)).writer(SqlUpsert::into("latest").key(["k"]));
        Ok(step.retry(Retry::times(20).constant(Duration::from_millis(5))).in_flight(4))
    });
    let done = job.run(parameters(1)).await.unwrap();
    assert_eq!(done.status, BatchStatus::Completed, "{}", done.exit_status.message);
    assert_eq!((done.steps[0].counts.written, done.steps[0].counts.commits), (200, 40));
    let latest = numbers(&scene.audit, "SELECT n FROM latest ORDER BY n").await.unwrap();
    assert_eq!(latest, (193..200).collect::<Vec<_>>(), "of each key the last");
    scene.completes(&load(&scene.db, 10), 9, 10).await;
}
