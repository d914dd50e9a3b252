//! A chunk's transaction on a server, and how it ends otherwise than by its commit.

use super::fixture::{OnServer, Speaks, on_every_server, until};
use crate::fixture::{commit, job_end, launch, lease, owner, step_end, step_start};
use batch_core::{
    BatchStatus, Owner, StepExecution, Transactions,
    repository::{CommitError, StepStarted},
};
use batch_sql::{PostgresKind, Server};
use std::time::Duration;

on_every_server!(
    a_users_own_end_of_the_transaction_is_found,
    a_commit_does_not_wait_for_the_executions_row,
    an_abandoned_transaction_ends_its_statement,
    connections_closed_by_the_server_are_replaced,
    the_repositorys_connections_are_replaced_too,
    a_connection_cut_in_a_chunk_is_transient,
    the_server_ends_an_idle_transaction,
    a_deadlock_is_transient_and_ends_the_transaction,
    dropping_a_transaction_undoes_it,
);

/// A step begun by a new owner.
pub(super) async fn step<K: Speaks>(f: &OnServer<K>) -> (Owner, StepExecution) {
    let me = owner();
    let launched = f.repository.launch(&launch("import", &me)).await.unwrap();
    let StepStarted::Started(step) = f.repository.start_step(&step_start(&launched, &me, "load")).await.unwrap() else { panic!() };
    (me, *step)
}

async fn stored<K: Speaks>(f: &OnServer<K>) -> i64 {
    f.number("SELECT commit_no FROM batch_step").await
}

async fn begun<K: Speaks>(f: &OnServer<K>, sql: &str) -> <Server<K> as Transactions>::Tx {
    let mut tx = f.first.begin().await.unwrap();
    K::run(Server::<K>::conn(&mut tx), sql).await.unwrap();
    tx
}

async fn a_users_own_end_of_the_transaction_is_found<K: Speaks>(f: OnServer<K>) {
    let (me, step) = step(&f).await;
    for end in ["COMMIT", "ROLLBACK", "COMMIT; BEGIN", "ROLLBACK; BEGIN"] {
        let tx = begun(&f, &format!("DELETE FROM put; INSERT INTO put (k) VALUES (1); {end}")).await;
        let Err(CommitError::Refused(error)) = f.first.commit(tx, &commit(&step, &me)).await else { panic!("{end}") };
        assert!(error.to_string().contains("ended inside the chunk"), "{end}: {error}");
        assert!(!f.first.is_transient(&error));
        assert_eq!(stored(&f).await, 0, "{end}");
    }
    let tx = begun(&f, "DELETE FROM put").await;
    f.first.commit(tx, &commit(&step, &me)).await.unwrap();
    assert_eq!(stored(&f).await, 1);
}

/// Which an operator's request, or another launch, may have locked.
async fn a_commit_does_not_wait_for_the_executions_row<K: Speaks>(f: OnServer<K>) {
    let (me, step) = step(&f).await;
    let mut other = f.stranger().await;
    K::run(&mut other, "START TRANSACTION").await.unwrap();
    K::run(&mut other, "SELECT id FROM batch_execution FOR UPDATE").await.unwrap();
    let tx = begun(&f, "INSERT INTO put (k) VALUES (1)").await;
    f.first.commit(tx, &commit(&step, &me)).await.unwrap();
    K::run(&mut other, "ROLLBACK").await.unwrap();
}

async fn an_abandoned_transaction_ends_its_statement<K: Speaks>(f: OnServer<K>) {
    let mut tx = begun(&f, "INSERT INTO put (k) VALUES (1)").await;
    let number = K::run(Server::<K>::conn(&mut tx), K::NUMBER).await.unwrap()[0];
    let mut statement = Box::pin(K::run(Server::<K>::conn(&mut tx), K::LONG));
    assert!(futures_util::poll!(&mut statement).is_pending());
    drop(statement);
    f.first.abandon(tx).await;
    let mut stranger = f.stranger().await;
    let left = match K::run(&mut stranger, &K::ending(number)).await {
        // PostgreSQL answers 0 for a process that is not there, MySQL refuses.
        Ok(killed) => killed.iter().sum(),
        Err(_) => 0,
    };
    assert_eq!(left, 0, "the connection is still there");
    let tx = begun(&f, "INSERT INTO put (k) VALUES (1)").await;
    f.first.rollback(tx).await.unwrap();
}

async fn connections_closed_by_the_server_are_replaced<K: Speaks>(f: OnServer<K>) {
    let (me, step) = step(&f).await;
    let mut tx = begun(&f, "INSERT INTO put (k) VALUES (1)").await;
    let number = K::run(Server::<K>::conn(&mut tx), K::NUMBER).await.unwrap()[0];
    f.first.rollback(tx).await.unwrap();
    f.sql(&K::ending(number)).await;
    let tx = begun(&f, "INSERT INTO put (k) VALUES (1)").await;
    f.first.commit(tx, &commit(&step, &me)).await.unwrap();
    assert_eq!(stored(&f).await, 1);
}

/// Whichever call comes after the server closed what lay idle.
async fn the_repositorys_connections_are_replaced_too<K: Speaks>(f: OnServer<K>) {
    let mut stranger = f.stranger().await;
    let mut cut = async || drop(K::run(&mut stranger, K::END_OTHERS).await.unwrap());
    let me = owner();
    cut().await;
    let launched = f.repository.launch(&launch("import", &me)).await.unwrap();
    cut().await;
    let started = f.repository.start_step(&step_start(&launched, &me, "load")).await.unwrap();
    let StepStarted::Started(step) = started else { panic!() };
    cut().await;
    f.repository.renew(&lease(launched.execution.id, &me)).await.unwrap();
    cut().await;
    f.repository.end_step(&step_end(&step, &me, BatchStatus::Completed)).await.unwrap();
    cut().await;
    f.repository.end_job(&job_end(&launched, &me, BatchStatus::Completed)).await.unwrap();
    cut().await;
    let found = f.repository.explorer().execution(launched.execution.id).await.unwrap();
    assert_eq!((found.status, found.steps.len()), (BatchStatus::Completed, 1));
}

async fn a_connection_cut_in_a_chunk_is_transient<K: Speaks>(f: OnServer<K>) {
    let (me, step) = step(&f).await;
    let mut tx = begun(&f, "INSERT INTO put (k) VALUES (1)").await;
    let number = K::run(Server::<K>::conn(&mut tx), K::NUMBER).await.unwrap()[0];
    f.sql(&K::ending(number)).await;
    // Only the repository can say what became of it.
    assert!(matches!(f.first.commit(tx, &commit(&step, &me)).await, Err(CommitError::Unknown(_))));
    let resolved = f.repository.resolve(&commit(&step, &me).guard).await.unwrap();
    assert_eq!((resolved.commit_no, stored(&f).await), (0, 0));
    let mut tx = begun(&f, "SELECT k FROM put").await;
    let number = K::run(Server::<K>::conn(&mut tx), K::NUMBER).await.unwrap()[0];
    f.sql(&K::ending(number)).await;
    let error = K::run(Server::<K>::conn(&mut tx), "SELECT k FROM put").await.unwrap_err();
    assert!(f.first.is_transient(&error), "{error}");
    f.first.rollback(tx).await.unwrap();
}

/// So that a process that hangs keeps its locks no longer than its lease.
async fn the_server_ends_an_idle_transaction<K: Speaks>(f: OnServer<K>) {
    let quick = batch_sql::ServerOptions::<K>::new().idle_limit(Duration::from_secs(1));
    let quick = quick.open(&f.database.url()).await.unwrap();
    let mut tx = quick.begin().await.unwrap();
    K::run(Server::<K>::conn(&mut tx), "INSERT INTO put (k) VALUES (1)").await.unwrap();
    let number = K::run(Server::<K>::conn(&mut tx), K::NUMBER).await.unwrap()[0];
    let listed = match K::NAME {
        "Postgres" => format!("SELECT count(*) FROM pg_stat_activity WHERE pid = {number}"),
        _ => format!("SELECT CAST(count(*) AS SIGNED) FROM information_schema.processlist WHERE id = {number}"),
    };
    until(async || f.number(&listed).await == 0).await;
    let error = K::run(Server::<K>::conn(&mut tx), "INSERT INTO put (k) VALUES (2)").await.unwrap_err();
    assert!(quick.is_transient(&error), "{error}");
    quick.rollback(tx).await.unwrap();
    assert_eq!(f.number("SELECT count(*) FROM put").await, 0);
}

async fn a_deadlock_is_transient_and_ends_the_transaction<K: Speaks>(f: OnServer<K>) {
    let (me, step) = step(&f).await;
    f.sql("INSERT INTO put (k) VALUES (1), (2)").await;
    let mut ours = begun(&f, "UPDATE put SET k = k WHERE k = 1").await;
    let mut other = f.stranger().await;
    // It changes more rows, so that it is not the one to give way.
    let begin = "START TRANSACTION; INSERT INTO put (k) VALUES (10), (11), (12), (13); UPDATE put SET k = k WHERE k = 2";
    K::run(&mut other, begin).await.unwrap();
    let theirs = tokio::spawn(async move {
        let waited = K::run(&mut other, "UPDATE put SET k = k WHERE k = 1").await;
        (waited.is_ok(), K::run(&mut other, "ROLLBACK").await.is_ok())
    });
    let outcome = K::run(Server::<K>::conn(&mut ours), "UPDATE put SET k = k WHERE k = 2").await;
    if let Err(error) = outcome {
        assert!(f.first.is_transient(&error), "{error}");
        // MariaDB has ended the transaction silently: what follows would commit by itself.
        assert!(f.first.savepoint(&mut ours).await.is_err());
        assert!(matches!(f.first.commit(ours, &commit(&step, &me)).await, Err(CommitError::Refused(_))));
    } else {
        f.first.rollback(ours).await.unwrap();
    }
    theirs.await.unwrap();
    assert_eq!(stored(&f).await, 0);
}

async fn dropping_a_transaction_undoes_it<K: Speaks>(f: OnServer<K>) {
    drop(begun(&f, "INSERT INTO put (k) VALUES (1)").await);
    // The server notices that the connection is closed.
    let mut stranger = f.stranger().await;
    K::run(&mut stranger, "INSERT INTO put (k) VALUES (1)").await.unwrap();
    assert_eq!(f.number("SELECT count(*) FROM put").await, 1);
}

/// PostgreSQL examines deferred constraints at the commit, after all savepoints passed.
#[tokio::test]
async fn a_deferred_constraint_fails_the_commit_or_the_part() {
    let f = OnServer::<PostgresKind>::fresh().await;
    f.sql("CREATE TABLE child (id bigint PRIMARY KEY, k bigint REFERENCES put DEFERRABLE INITIALLY DEFERRED)").await;
    let (me, step) = step(&f).await;
    let tx = begun(&f, "INSERT INTO child VALUES (1, 7)").await;
    let Err(CommitError::Refused(error)) = f.first.commit(tx, &commit(&step, &me)).await else { panic!() };
    assert!(!f.first.is_transient(&error) && error.to_string().contains("child_k_fkey"), "{error}");
    assert_eq!(stored(&f).await, 0);

    let mut tx = f.first.begin().await.unwrap();
    for (parent, holds) in [(8, true), (9, false)] {
        f.first.savepoint(&mut tx).await.unwrap();
        let insert = format!("INSERT INTO child VALUES ({parent}, {parent}); INSERT INTO put SELECT 8 WHERE {parent} = 8");
        PostgresKind::run(Server::conn(&mut tx), &insert).await.unwrap();
        assert_eq!(f.first.release(&mut tx, true).await.is_ok(), holds);
    }
    f.first.rollback_to(&mut tx).await.unwrap();
    f.first.commit(tx, &commit(&step, &me)).await.unwrap();
    assert_eq!((stored(&f).await, f.sql("SELECT id FROM child").await), (1, vec![8]));
}

/// A statement's error that a writer swallows leaves PostgreSQL's transaction aborted.
#[tokio::test]
async fn a_swallowed_error_fails_the_chunk() {
    let f = OnServer::<PostgresKind>::fresh().await;
    let (me, step) = step(&f).await;
    let mut tx = begun(&f, "INSERT INTO put (k) VALUES (1)").await;
    PostgresKind::run(Server::conn(&mut tx), "INSERT INTO put (k) VALUES (1)").await.unwrap_err();
    let Err(CommitError::Refused(error)) = f.first.commit(tx, &commit(&step, &me)).await else { panic!() };
    assert!(error.to_string().contains("aborted"), "{error}");
    assert_eq!((stored(&f).await, f.number("SELECT count(*) FROM put").await), (0, 0));
}

#[tokio::test]
async fn ddl_that_commits_by_itself_is_found() {
    let f = OnServer::<batch_sql::MySqlKind>::fresh().await;
    let (me, step) = step(&f).await;
    let tx = begun(&f, "INSERT INTO put (k) VALUES (1); CREATE TABLE other (id INT)").await;
    let Err(CommitError::Refused(error)) = f.first.commit(tx, &commit(&step, &me)).await else { panic!() };
    assert!(error.to_string().contains("ended inside the chunk"), "{error}");
    assert_eq!(stored(&f).await, 0);
}

/// As behind a pooler that lends connections for a transaction each.
#[tokio::test]
async fn statements_of_another_connection_are_told_as_what_they_are() {
    let f = OnServer::<PostgresKind>::fresh().await;
    for (before, statement) in [("SELECT 1::bigint", "EXECUTE kept"), ("PREPARE kept AS SELECT 1", "PREPARE kept AS SELECT 1")] {
        let mut tx = f.first.begin().await.unwrap();
        PostgresKind::run(Server::conn(&mut tx), before).await.unwrap();
        let error = PostgresKind::run(Server::conn(&mut tx), statement).await.unwrap_err();
        assert!(f.first.explain(error).to_string().contains("have it pool sessions"), "{statement}");
        f.first.rollback(tx).await.unwrap();
    }
}

/// Which a chunk's end then lacks; the next one does without.
#[tokio::test]
async fn a_statement_that_is_gone_costs_one_attempt() {
    let f = OnServer::<PostgresKind>::fresh().await;
    let (me, step) = step(&f).await;
    let tx = begun(&f, "INSERT INTO put (k) VALUES (1); DEALLOCATE ALL").await;
    let Err(CommitError::Refused(error)) = f.first.commit(tx, &commit(&step, &me)).await else { panic!() };
    assert!(f.first.is_transient(&error), "{error}");
    let tx = begun(&f, "INSERT INTO put (k) VALUES (1)").await;
    f.first.commit(tx, &commit(&step, &me)).await.unwrap();
    assert_eq!((stored(&f).await, f.number("SELECT count(*) FROM put").await), (1, 1));
}
