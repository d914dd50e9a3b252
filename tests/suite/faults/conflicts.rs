//! Transactions that have to give way: they are done again, and no item is to blame.

use super::fixture::{Load, Scene, load_as, on_every_server, until};
use batch_core::Transactions;
use batch_sql::{Connection, Database, MySqlOptions, PostgresOptions};
use std::time::Duration;

on_every_server!(
    a_server_that_refuses_some_transactions_is_asked_again,
    a_lock_that_is_held_too_long_is_waited_for_again,
    the_victim_of_a_deadlock_is_done_again,
);

const ROWS: i64 = 50;

/// Items may be skipped; none must be.
fn skipping(step: Load) -> Load {
    step.skip(10)
}

/// What `db` is, through the proxy, with a wait for locks of one second.
async fn impatient(scene: &Scene) -> Database {
    let (url, second) = (scene.place.url_through(&scene.proxy), Duration::from_secs(1));
    match &scene.db {
        Database::Postgres(_) => Database::Postgres(PostgresOptions::new().wait(second).open(&url).await.unwrap()),
        _ => Database::MySql(MySqlOptions::new().wait(second).open(&url).await.unwrap()),
    }
}

/// Sequences count on when a transaction is rolled back.
async fn a_server_that_refuses_some_transactions_is_asked_again(scene: Scene) {
    let refuse = if scene.is_postgres() {
        "CREATE SEQUENCE tries; CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE made bigint := nextval('tries'); BEGIN
            IF made % 25 = 1 THEN RAISE EXCEPTION 'give way' USING ERRCODE = '40001'; END IF;
            IF made % 25 = 2 THEN RAISE EXCEPTION 'give way' USING ERRCODE = '40P01'; END IF;
            IF made % 25 = 3 THEN RAISE EXCEPTION 'give way' USING ERRCODE = '55P03'; END IF;
            RETURN NEW; END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON put FOR EACH ROW EXECUTE FUNCTION refuse()"
    } else {
        "CREATE SEQUENCE tries; CREATE TRIGGER refuse BEFORE INSERT ON put FOR EACH ROW BEGIN
            DECLARE made BIGINT DEFAULT NEXTVAL(tries);
            IF made % 25 = 1 THEN SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1205, MESSAGE_TEXT = 'give way'; END IF;
            IF made % 25 = 2 THEN SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213, MESSAGE_TEXT = 'give way'; END IF;
            IF made % 25 = 3 THEN SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1020, MESSAGE_TEXT = 'give way'; END IF; END"
    };
    scene.audit.execute(refuse).await.unwrap();
    let done = scene.completes(&load_as(&scene.db, ROWS, skipping), 1, ROWS).await;
    assert!(done.steps[0].counts.rollbacks >= 6, "{:?}", done.steps[0].counts);
}

/// A transaction of somebody else's with rows of the job's: numbers of `others` first, so that it weighs more than a chunk.
async fn somebody(scene: &Scene, others: i64) -> Connection {
    let mut tx = scene.audit.begin().await.unwrap();
    for n in 0..others {
        tx.execute(&format!("INSERT INTO put VALUES (-1, {n})")).await.unwrap();
    }
    tx.execute("INSERT INTO put VALUES (1, 25)").await.unwrap();
    tx
}

async fn a_lock_that_is_held_too_long_is_waited_for_again(scene: Scene) {
    let somebody = somebody(&scene, 0).await;
    let db = impatient(&scene).await;
    let job = load_as(&db, ROWS, skipping);
    let gives_up = async {
        scene.proxy.until_seen("ROLLBACK", 1).await;
        scene.audit.rollback(somebody).await.unwrap();
    };
    let (done, ()) = tokio::join!(scene.completes(&job, 1, ROWS), gives_up);
    assert!(done.steps[0].counts.rollbacks >= 1, "{:?}", done.steps[0].counts);
}

async fn the_victim_of_a_deadlock_is_done_again(scene: Scene) {
    let mut somebody = somebody(&scene, 100).await;
    let job = load_as(&scene.db, ROWS, skipping);
    let crosses = async {
        until(async || is_waiting(&scene).await).await;
        if scene.is_postgres() {
            // There the victim is who finds the deadlock.
            somebody.execute("SET LOCAL deadlock_timeout = '60s'").await.unwrap();
        }
        somebody.execute("INSERT INTO put VALUES (1, 20)").await.unwrap();
        scene.audit.rollback(somebody).await.unwrap();
    };
    let (done, ()) = tokio::join!(scene.completes(&job, 1, ROWS), crosses);
    assert!(done.steps[0].counts.rollbacks >= 1, "{:?}", done.steps[0].counts);
}

/// Whether the job waits for a lock.
async fn is_waiting(scene: &Scene) -> bool {
    let waiting = match scene.is_postgres() {
        true => "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
        // Whatever has run for so long waits: the table of lock waits is refreshed only when nobody looks at it.
        false => {
            "SELECT count(*) FROM information_schema.processlist
                WHERE db = DATABASE() AND id <> CONNECTION_ID() AND command <> 'Sleep' AND time_ms > 200"
        }
    };
    scene.number(waiting).await > 0
}
