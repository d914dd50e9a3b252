//! How SQLite runs the repository's statements: by an index, and as many of them however long the history.

use super::{checkpoint, explorer, identity, launch, lease, record, step, takeover};
use crate::{
    Sqlite,
    sqlite::{Store, ledger},
};
use batch_core::{
    BatchStatus, ExitStatus, Owner, Parameters, Transactions,
    repository::{Guard, JobEnd, Launch, Lease, StepEnd, StepStart, StepStarted},
};
use sqlx::{AssertSqlSafe, Row};
use std::{sync::atomic::Ordering, time::Duration};

async fn open() -> (tempfile::TempDir, Sqlite) {
    let dir = tempfile::tempdir().unwrap();
    let db = Sqlite::open(&format!("sqlite://{}", dir.path().join("plans.db").display())).await.unwrap();
    (dir, db)
}

async fn plan(store: &Store, template: &'static str) -> String {
    let sql = format!("EXPLAIN QUERY PLAN {}", store.texts.get(template).0.replace("RELEASE batch_chunk; ", ""));
    let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&store.pool).await.unwrap();
    rows.iter().map(|r| r.get::<String, _>("detail")).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn no_statement_reads_a_whole_table() {
    let (_dir, db) = open().await;
    let all = [
        explorer::STATEMENTS,
        launch::STATEMENTS,
        step::STATEMENTS,
        takeover::STATEMENTS,
        lease::STATEMENTS,
        checkpoint::STATEMENTS,
        identity::STATEMENTS,
        ledger::STATEMENTS,
    ];
    for template in all.into_iter().flatten() {
        for line in plan(&db.store, template).await.lines() {
            let own = ["SCAN names", "SCAN json_each", "SCAN CONSTANT ROW"].iter().any(|s| line.starts_with(s));
            assert!(own || !line.contains("SCAN"), "{line}\n{template}");
            assert!(!line.contains("TEMP B-TREE"), "{line}\n{template}");
        }
    }
}

/// One whole try: launch, a step, its end, the job's end; returns how many statements that took.
async fn one_try(db: &Sqlite) -> u64 {
    let before = db.store.statements.load(Ordering::Relaxed);
    let (repository, owner, at) = (db.repository(), Owner::current(), db.store.now());
    let (parameters, ttl, token) = (Parameters::new().set("a", 1), Duration::from_secs(30), owner.token.clone());
    let launch = Launch { job_name: "j".into(), job_key: parameters.key(), parameters, owner, ttl, restartable: true };
    let execution = repository.launch(&launch).await.unwrap().execution;
    let lease = Lease { execution: execution.id, token, ttl };
    let instance = execution.instance.id;
    let start = StepStart { lease: lease.clone(), instance, name: "s".into(), start_limit: None, rerun: false };
    let StepStarted::Started(step) = repository.start_step(&start).await.unwrap() else { panic!() };
    let guard = Guard { step: step.id, epoch: step.epoch, commit_no: step.commit_no, lease: lease.clone() };
    let (status, exit_status) = (BatchStatus::Failed, ExitStatus::from(BatchStatus::Failed));
    let end = StepEnd { guard, status, exit_status: exit_status.clone(), counts: step.counts, job_context: None, at };
    repository.end_step(&end).await.unwrap();
    repository.end_job(&JobEnd { lease, status, exit_status, at }).await.unwrap();
    db.store.statements.load(Ordering::Relaxed) - before
}

#[tokio::test]
async fn a_try_takes_as_many_statements_after_two_hundred_others() {
    let (_dir, db) = open().await;
    one_try(&db).await;
    let second = one_try(&db).await;
    for _ in 2..200 {
        one_try(&db).await;
    }
    assert_eq!(one_try(&db).await, second);
    assert!(second <= 16, "{second} statements");
}

#[test]
fn texts_are_bounded_and_hold_no_nul() {
    assert_eq!(record::clean("a\0bcd", 3), "abc");
}
