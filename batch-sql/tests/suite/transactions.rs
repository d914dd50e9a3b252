//! Rows and checkpoint, together or not at all.

use crate::fixture::{Fixture, commit, guard, owner};
use batch_core::{Phase, Request, SkipRecord, Transactions, repository::CommitError};
use batch_sql::{Sqlite, SqliteTx};
use sqlx::Executor;

const T: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)";

async fn run(tx: &mut SqliteTx, sql: &'static str) -> Result<(), sqlx::Error> {
    Sqlite::conn(tx).execute(sqlx::raw_sql(sql)).await.map(drop)
}

#[tokio::test]
async fn a_commit_saves_rows_counts_checkpoint_and_skips() {
    let f = Fixture::new().await;
    f.sql(T).await;
    let me = owner();
    let (_, step) = f.running(&me).await;
    let skip = SkipRecord {
        phase: Phase::Read,
        number: 3,
        line: Some(5),
        byte: None,
        column: Some("price".into()),
        reason: "not a\0 number".into(),
        item: Some("x;\"y\"".into()),
    };
    let mut commit = commit(&step, &me);
    commit.skips = vec![skip.clone(), SkipRecord { number: 4, ..skip }];
    commit.context = Some(serde_json::from_value(serde_json::json!({"seen": 1})).unwrap());
    let mut tx = f.db.begin().await.unwrap();
    run(&mut tx, "INSERT INTO t VALUES (1, 'a')").await.unwrap();
    assert_eq!(f.db.commit(tx, &commit).await.unwrap(), None);

    assert_eq!(f.number("SELECT count(*) FROM t").await, 1);
    let stored = &f.repository.explorer().steps(step.execution_id).await.unwrap()[0];
    assert_eq!((stored.counts, &stored.checkpoint, stored.commit_no), (commit.counts, &commit.checkpoint, 1));
    assert_eq!(Some(&stored.context), commit.context.as_ref());
    assert_eq!(stored.last_updated, commit.at);
    let skips = f.repository.explorer().skips(step.id, batch_core::Page::all()).await.unwrap();
    assert_eq!((skips.len(), skips[0].reason.as_str(), skips[0].line, skips[1].number), (2, "not a number", Some(5), 4));
    assert_eq!(skips[0].item.as_deref(), Some("x;\"y\""));
}

#[tokio::test]
async fn a_rolled_back_chunk_leaves_nothing() {
    let f = Fixture::new().await;
    f.sql(T).await;
    let mut tx = f.db.begin().await.unwrap();
    run(&mut tx, "INSERT INTO t VALUES (1, 'a')").await.unwrap();
    f.db.rollback(tx).await.unwrap();
    assert_eq!(f.number("SELECT count(*) FROM t").await, 0);
}

#[tokio::test]
async fn a_guard_that_does_not_hold_commits_nothing() {
    let f = Fixture::new().await;
    f.sql(T).await;
    let me = owner();
    let (_, step) = f.running(&me).await;
    for change in [(1, 0, 0), (0, 1, 0), (0, 0, 1)] {
        let mut commit = commit(&step, &me);
        commit.guard.step += change.0;
        commit.guard.epoch += change.1;
        commit.guard.commit_no += change.2;
        let mut tx = f.db.begin().await.unwrap();
        run(&mut tx, "INSERT INTO t VALUES (1, 'a')").await.unwrap();
        assert!(matches!(f.db.commit(tx, &commit).await, Err(CommitError::NotOwner)));
    }
    assert_eq!(f.number("SELECT count(*) FROM t").await, 0);
}

#[tokio::test]
async fn a_commit_brings_back_what_an_operator_asks() {
    let f = Fixture::new().await;
    let me = owner();
    let (launched, step) = f.running(&me).await;
    f.repository.request(launched.execution.id, Some(Request::Stop)).await.unwrap();
    let tx = f.db.begin().await.unwrap();
    assert_eq!(f.db.commit(tx, &commit(&step, &me)).await.unwrap(), Some(Request::Stop));
}

#[tokio::test]
async fn savepoints_isolate_parts_of_a_chunk() {
    let f = Fixture::new().await;
    f.sql(T).await;
    let me = owner();
    let (_, step) = f.running(&me).await;
    let mut tx = f.db.begin().await.unwrap();
    f.db.savepoint(&mut tx).await.unwrap();
    run(&mut tx, "INSERT INTO t VALUES (1, 'a')").await.unwrap();
    f.db.release(&mut tx, false).await.unwrap();
    f.db.savepoint(&mut tx).await.unwrap();
    run(&mut tx, "INSERT INTO t VALUES (2, 'b')").await.unwrap();
    f.db.savepoint(&mut tx).await.unwrap();
    run(&mut tx, "INSERT INTO t VALUES (3, 'c')").await.unwrap();
    f.db.rollback_to(&mut tx).await.unwrap();
    run(&mut tx, "INSERT INTO t VALUES (2, 'b')").await.unwrap_err();
    f.db.rollback_to(&mut tx).await.unwrap();
    f.db.commit(tx, &commit(&step, &me)).await.unwrap();
    assert_eq!(f.number("SELECT group_concat(id) = '1' FROM t").await, 1);
}

#[tokio::test]
async fn a_commit_of_the_users_own_is_found() {
    let f = Fixture::new().await;
    f.sql(T).await;
    let me = owner();
    let (_, step) = f.running(&me).await;
    for sql in ["COMMIT", "ROLLBACK", "COMMIT; BEGIN", "ROLLBACK; SAVEPOINT mine"] {
        let mut tx = f.db.begin().await.unwrap();
        run(&mut tx, sql).await.unwrap();
        let Err(CommitError::Refused(error)) = f.db.commit(tx, &commit(&step, &me)).await else { panic!("{sql}") };
        assert!(error.to_string().contains("leave the transaction to the step"), "{error}");
        assert!(!f.db.is_transient(&error));
    }
    let tx = f.db.begin().await.unwrap();
    f.db.commit(tx, &commit(&step, &me)).await.unwrap();
}

#[tokio::test]
async fn on_conflict_rollback_is_found_before_the_next_half_would_autocommit() {
    let f = Fixture::new().await;
    f.sql(T).await;
    f.sql("INSERT INTO t VALUES (1, 'old')").await;
    let mut tx = f.db.begin().await.unwrap();
    f.db.savepoint(&mut tx).await.unwrap();
    run(&mut tx, "INSERT INTO t VALUES (2, 'b')").await.unwrap();
    run(&mut tx, "INSERT OR ROLLBACK INTO t VALUES (1, 'new')").await.unwrap_err();
    let error = f.db.rollback_to(&mut tx).await.unwrap_err();
    assert!(error.to_string().contains("transaction is gone"), "{error}");
    f.db.rollback(tx).await.unwrap();

    let mut tx = f.db.begin().await.unwrap();
    run(&mut tx, "INSERT OR ROLLBACK INTO t VALUES (1, 'new')").await.unwrap_err();
    f.db.savepoint(&mut tx).await.unwrap_err();
    f.db.rollback(tx).await.unwrap();
    assert_eq!(f.number("SELECT count(*) FROM t").await, 1);
}

#[tokio::test]
async fn a_deferred_foreign_key_is_refused_at_the_commit_and_found_by_a_check() {
    let f = Fixture::new().await;
    f.sql(
        "CREATE TABLE parent (id INTEGER PRIMARY KEY);
         CREATE TABLE child (id INTEGER PRIMARY KEY, p INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED)",
    )
    .await;
    let me = owner();
    let (_, step) = f.running(&me).await;
    let mut tx = f.db.begin().await.unwrap();
    run(&mut tx, "INSERT INTO child VALUES (1, 7)").await.unwrap();
    let Err(CommitError::Refused(error)) = f.db.commit(tx, &commit(&step, &me)).await else { panic!() };
    assert!(!f.db.is_transient(&error), "{error}");

    let mut tx = f.db.begin().await.unwrap();
    f.db.savepoint(&mut tx).await.unwrap();
    run(&mut tx, "INSERT INTO child VALUES (1, 7)").await.unwrap();
    let error = f.db.release(&mut tx, true).await.unwrap_err();
    assert!(error.to_string().contains("row 1 of `child` has no parent in `parent`"), "{error}");
    f.db.rollback_to(&mut tx).await.unwrap();
    f.db.savepoint(&mut tx).await.unwrap();
    run(&mut tx, "INSERT INTO parent VALUES (7); INSERT INTO child VALUES (2, 7)").await.unwrap();
    f.db.release(&mut tx, true).await.unwrap();
    f.db.commit(tx, &commit(&step, &me)).await.unwrap();
    assert_eq!(f.number("SELECT count(*) FROM child").await, 1);
}

#[tokio::test]
async fn a_foreign_key_violated_before_is_not_the_chunks_fault() {
    let f = Fixture::new().await;
    f.sql(
        "CREATE TABLE parent (id INTEGER PRIMARY KEY);
         CREATE TABLE child (id INTEGER PRIMARY KEY, p INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED)",
    )
    .await;
    let mut loose = f.db.pool().acquire().await.unwrap();
    loose.execute("PRAGMA foreign_keys = OFF; INSERT INTO child VALUES (1, 7); PRAGMA foreign_keys = ON").await.unwrap();
    drop(loose);
    let mut tx = f.db.begin().await.unwrap();
    f.db.savepoint(&mut tx).await.unwrap();
    run(&mut tx, "INSERT INTO parent VALUES (8); INSERT INTO child VALUES (2, 8)").await.unwrap();
    f.db.release(&mut tx, true).await.unwrap();
    f.db.rollback(tx).await.unwrap();
}

#[tokio::test]
async fn a_dropped_transaction_undoes_itself_and_the_next_one_begins() {
    let f = Fixture::new().await;
    f.sql(T).await;
    let mut tx = f.db.begin().await.unwrap();
    run(&mut tx, "INSERT INTO t VALUES (1, 'a')").await.unwrap();
    drop(tx);
    let mut tx = f.db.begin().await.unwrap();
    run(&mut tx, "INSERT INTO t VALUES (2, 'b')").await.unwrap();
    f.db.rollback(tx).await.unwrap();
    assert_eq!(f.number("SELECT count(*) FROM t").await, 0);
}

#[tokio::test]
async fn an_abandoned_transaction_interrupts_its_statement() {
    let f = Fixture::new().await;
    let mut tx = f.db.begin().await.unwrap();
    let endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    let mut statement = Box::pin(run(&mut tx, endless));
    assert!(futures_util::poll!(&mut statement).is_pending());
    drop(statement);
    f.db.abandon(tx).await;
    let tx = f.db.begin().await.unwrap();
    f.db.rollback(tx).await.unwrap();
}

#[tokio::test]
async fn a_write_that_is_given_up_can_still_be_rolled_back() {
    let f = Fixture::new().await;
    f.sql(T).await;
    let mut tx = f.db.begin().await.unwrap();
    let mut write = Box::pin(run(&mut tx, "INSERT INTO t VALUES (1, 'a'); INSERT INTO t VALUES (2, 'b')"));
    // Begun; on a busy machine it may have ended already.
    let _ = futures_util::poll!(&mut write);
    drop(write);
    f.db.rollback(tx).await.unwrap();
    assert_eq!(f.number("SELECT count(*) FROM t").await, 0);
}

#[tokio::test]
async fn transactions_of_one_handle_follow_each_other() {
    let f = Fixture::new().await;
    f.sql(T).await;
    let tx = f.db.begin().await.unwrap();
    let db = f.db.clone();
    let second = tokio::spawn(async move { db.begin().await.unwrap() });
    f.db.rollback(tx).await.unwrap();
    f.db.rollback(second.await.unwrap()).await.unwrap();
}

#[tokio::test]
async fn a_pool_of_one_connection_is_enough() {
    let f = Fixture::with(|o| o.pool_size(std::num::NonZeroU32::MIN)).await;
    f.sql(T).await;
    let me = owner();
    let kept = f.db.pool().acquire().await.unwrap();
    let (launched, step) = f.running(&me).await;
    let mut tx = f.db.begin().await.unwrap();
    run(&mut tx, "INSERT INTO t VALUES (1, 'a')").await.unwrap();
    assert_eq!(f.repository.renew(&guard(&step, &me).lease).await.unwrap(), None);
    f.repository.explorer().execution(launched.execution.id).await.unwrap();
    f.db.commit(tx, &commit(&step, &me)).await.unwrap();
    drop(kept);
    assert_eq!(f.db.connections(), Some(2));
}

#[tokio::test]
async fn what_may_pass_is_transient_and_a_bad_row_is_not() {
    let f = Fixture::new().await;
    f.sql(T).await;
    f.sql("INSERT INTO t VALUES (1, 'a')").await;
    let mut tx = f.db.begin().await.unwrap();
    let bad: batch_core::BoxError = run(&mut tx, "INSERT INTO t VALUES (1, 'b')").await.unwrap_err().into();
    assert!(!f.db.is_transient(&bad));
    let mut other = f.db.pool().acquire().await.unwrap();
    other.execute("PRAGMA busy_timeout = 0").await.unwrap();
    let busy: batch_core::BoxError = other.execute("DELETE FROM t").await.unwrap_err().into();
    assert!(f.db.is_transient(&busy));
    f.db.rollback(tx).await.unwrap();
}
