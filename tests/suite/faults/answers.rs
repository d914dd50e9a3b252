//! Commits whose answer is lost, and commits that are still on their way when the job is back.

use super::fixture::{COMMIT, Scene, load, load_as, on_every_server, until};
use batch_core::Retry;
use std::time::Duration;

on_every_server!(
    a_lost_answer_to_a_commit_loses_and_repeats_nothing,
    several_lost_answers_in_one_run_are_several_times_nothing,
    a_lost_answer_needs_no_retry,
    a_commit_that_never_arrived_is_done_again,
    a_commit_still_in_flight_is_waited_for_and_counts,
    a_commit_that_comes_after_the_job_is_refused,
);

const ROWS: i64 = 100;

async fn a_lost_answer_to_a_commit_loses_and_repeats_nothing(scene: Scene) {
    for (run, chunk) in [1, 2, 5, 9, 10].into_iter().enumerate() {
        let lost = scene.proxy.on(COMMIT).nth(chunk).cut_answer();
        let done = scene.completes(&load(&scene.db, ROWS), run as i64, ROWS).await;
        lost.settled().await;
        assert_eq!(done.steps[0].counts.commits, 10, "chunk {chunk} was committed once");
    }
}

async fn several_lost_answers_in_one_run_are_several_times_nothing(scene: Scene) {
    let lost = [1, 2, 3, 7, 10].map(|chunk| scene.proxy.on(COMMIT).nth(chunk).cut_answer());
    let done = scene.completes(&load(&scene.db, ROWS), 1, ROWS).await;
    for lost in lost {
        lost.settled().await;
    }
    assert_eq!(done.steps[0].counts.commits, 10);
    assert_eq!(done.steps[0].epoch, 1 + 5, "each was settled by an epoch of its own");
}

async fn a_lost_answer_needs_no_retry(scene: Scene) {
    let lost = scene.proxy.on(COMMIT).nth(5).cut_answer();
    scene.completes(&load_as(&scene.db, ROWS, |step| step.retry(Retry::times(1))), 1, ROWS).await;
    lost.settled().await;
}

async fn a_commit_that_never_arrived_is_done_again(scene: Scene) {
    for (run, chunk) in [1, 5, 10].into_iter().enumerate() {
        let lost = scene.proxy.on(COMMIT).nth(chunk).cut_before();
        let done = scene.completes(&load(&scene.db, ROWS), run as i64, ROWS).await;
        lost.settled().await;
        assert_eq!((done.steps[0].counts.commits, done.steps[0].counts.rollbacks), (10, 1), "chunk {chunk}");
    }
}

/// The guard has been checked and the COMMIT has not: the step's row is locked, and what it says is not yet true.
async fn a_commit_still_in_flight_is_waited_for_and_counts(scene: Scene) {
    slow_commits(&scene).await;
    for (run, chunk) in [1, 5, 10].into_iter().enumerate() {
        scene.audit.execute(&format!("UPDATE slow SET at = {}", 10 * chunk)).await.unwrap();
        let late = scene.proxy.on(COMMIT).nth(chunk).delay(Duration::ZERO);
        let question = scene.proxy.on(&scene.text("UPDATE @step SET epoch")).blackhole();
        let job = load(&scene.db, ROWS);
        let asks_in_time = async {
            question.fired().await;
            until(async || is_in_flight(&scene).await).await;
            question.release();
        };
        let (done, ()) = tokio::join!(scene.completes(&job, run as i64, ROWS), asks_in_time);
        late.settled().await;
        assert_eq!((done.steps[0].counts.commits, done.steps[0].counts.rollbacks), (10, 0), "chunk {chunk}");
    }
}

/// The late COMMIT carries the epoch of before: what was decided without it stays so.
async fn a_commit_that_comes_after_the_job_is_refused(scene: Scene) {
    for (run, chunk) in [1, 5, 10].into_iter().enumerate() {
        let run = run as i64;
        let late = scene.proxy.on(COMMIT).nth(chunk).delay(Duration::from_millis(300));
        let done = scene.completes(&load(&scene.db, ROWS), run, ROWS).await;
        late.settled().await;
        scene.is_exact(&done, ROWS).await;
    }
}

/// Lets the server take its time between guard and COMMIT of the chunk that ends at the number in `slow`.
async fn slow_commits(scene: &Scene) {
    let (wait, trigger) = if scene.is_postgres() {
        (
            "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF NEW.commit_no > OLD.commit_no AND NEW.read_count = (SELECT at FROM slow) THEN PERFORM pg_sleep(0.5); END IF;
                RETURN NULL; END $$",
            "CREATE TRIGGER wait AFTER UPDATE ON batch_step FOR EACH ROW EXECUTE FUNCTION wait()",
        )
    } else {
        (
            "SELECT 1",
            "CREATE TRIGGER wait AFTER UPDATE ON batch_step FOR EACH ROW BEGIN DECLARE done INT;
                IF NEW.commit_no > OLD.commit_no AND NEW.read_count = (SELECT at FROM slow) THEN SET done = SLEEP(0.5); END IF;
                END",
        )
    };
    for sql in ["CREATE TABLE slow (at BIGINT)", "INSERT INTO slow VALUES (0)", wait, trigger] {
        scene.audit.execute(sql).await.unwrap();
    }
}

async fn is_in_flight(scene: &Scene) -> bool {
    let asleep = match scene.is_postgres() {
        true => "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'",
        false => "SELECT count(*) FROM information_schema.processlist WHERE db = DATABASE() AND state = 'User sleep'",
    };
    scene.number(asleep).await > 0
}
