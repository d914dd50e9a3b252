//! How databases run the repository's statements: by an index, and as many of them however long the history.

use super::{checkpoint, explorer, identity, launch, lease, owners, purge, record, step, takeover, unit};
use crate::{MySql, Postgres, Sqlite, ledger, sqlite::SqliteStore};
use batch_core::{
    BatchStatus, Clock, ExitStatus, JobRepository, Owner, Parameters, SystemClock, Transactions,
    repository::{Guard, JobEnd, Launch, Lease, StepEnd, StepStart, StepStarted},
};
use sqlx::{AssertSqlSafe, Executor, Row, raw_sql};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

async fn open() -> (tempfile::TempDir, Sqlite) {
    let dir = tempfile::tempdir().unwrap();
    let db = Sqlite::open(&format!("sqlite://{}", dir.path().join("plans.db").display())).await.unwrap();
    (dir, db)
}

async fn plan(store: &SqliteStore, template: &'static str) -> String {
    let sql = format!("EXPLAIN QUERY PLAN {}", store.texts.get(template).replace("RELEASE batch_chunk; ", ""));
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
        owners::STATEMENTS,
        purge::STATEMENTS,
        identity::STATEMENTS,
        ledger::STATEMENTS,
        unit::STATEMENTS,
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
async fn one_try(repository: &dyn JobRepository, statements: &AtomicU64) -> u64 {
    let before = statements.load(Ordering::Relaxed);
    let (owner, at) = (Owner::current(), SystemClock.now());
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
    statements.load(Ordering::Relaxed) - before
}

/// The second try of an instance finds one before it, as every later one does.
async fn as_many_after_many(repository: &dyn JobRepository, statements: &AtomicU64) {
    one_try(repository, statements).await;
    let second = one_try(repository, statements).await;
    for _ in 2..500 {
        one_try(repository, statements).await;
    }
    assert_eq!(one_try(repository, statements).await, second);
    assert!(second <= 16, "{second} statements");
}

#[tokio::test]
async fn a_try_takes_as_many_statements_after_five_hundred_others_on_sqlite() {
    let (_dir, db) = open().await;
    as_many_after_many(&*db.repository(), &db.store.statements).await;
}

#[tokio::test]
async fn a_try_takes_as_many_statements_after_five_hundred_others_on_postgres() {
    let database = batch_testkit::Postgres::shared().database().await;
    let db = Postgres::open(&database.url()).await.unwrap();
    as_many_after_many(&*db.repository(), &db.store.statements).await;
}

#[tokio::test]
async fn a_try_takes_as_many_statements_after_five_hundred_others_on_mariadb() {
    let database = batch_testkit::MariaDb::shared().database().await;
    let db = MySql::open(&database.url()).await.unwrap();
    as_many_after_many(&*db.repository(), &db.store.statements).await;
}

/// With sequential scans priced out of reach, only a query that no index serves has one.
#[tokio::test]
async fn no_statement_needs_a_whole_table_on_postgres() {
    let database = batch_testkit::Postgres::shared().database().await;
    let db = Postgres::open(&database.url()).await.unwrap();
    let mut conn = db.pool().acquire().await.unwrap();
    conn.execute("SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan").await.unwrap();
    let all = [
        explorer::STATEMENTS,
        launch::STATEMENTS,
        step::STATEMENTS,
        takeover::STATEMENTS,
        lease::ON_A_SERVER,
        checkpoint::ON_POSTGRES,
        ledger::SHARED,
        unit::STATEMENTS,
    ];
    for template in all.into_iter().flatten() {
        let text = db.store.texts.get(template);
        let values = vec!["NULL"; text.matches('$').count()].join(", ");
        let execute = if values.is_empty() { "EXECUTE p".to_owned() } else { format!("EXECUTE p ({values})") };
        conn.execute(raw_sql(AssertSqlSafe(format!("PREPARE p AS {text}")))).await.unwrap();
        let rows = conn.fetch_all(raw_sql(AssertSqlSafe(format!("EXPLAIN {execute}")))).await.unwrap();
        conn.execute("DEALLOCATE p").await.unwrap();
        let plan = rows.iter().map(|r| r.get::<String, _>(0)).collect::<Vec<_>>().join("\n");
        assert!(!plan.contains("Seq Scan on batch_"), "{template}\n{plan}");
    }
}

#[test]
fn texts_are_bounded_and_hold_no_nul() {
    assert_eq!(record::clean("a\0bcd", 3), "abc");
}
