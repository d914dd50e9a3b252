//! PostgreSQL is killed under a running job, with and without commits that wait for its disk: PROTOCOL 27.

use batch_core::{
    BatchStatus, Chunk, ChunkReport, Durability, Job, Listener, Parameters, Result, StepExecution, Transactions, Writer,
};
use batch_sql::Postgres;
use batch_testkit::{Options, Server};
use parking_lot::Mutex;
use sqlx::PgConnection;
use std::sync::Arc;

/// Inserts each item as a row; the key would refuse a second one.
#[derive(Clone, Copy)]
struct Rows;

impl Writer<i64, PgConnection> for Rows {
    async fn write(&mut self, conn: &mut PgConnection, items: Chunk<'_, i64>) -> Result<()> {
        sqlx::query("INSERT INTO put SELECT unnest($1::bigint[])").bind(items.to_vec()).execute(conn).await?;
        Ok(())
    }
}

/// Notes each chunk that it is told of, and kills the server after the eighth.
#[derive(Clone)]
struct Kills(Arc<Server>, Arc<Mutex<Vec<u64>>>);

#[async_trait::async_trait]
impl Listener for Kills {
    async fn after_chunk(&self, report: &ChunkReport<'_>) -> Result<()> {
        let told = {
            let mut told = self.1.lock();
            told.push(report.step.checkpoint.read);
            told.len()
        };
        if told == 8 {
            let server = self.0.clone();
            let restart = move || {
                server.stop_immediate();
                server.start_again();
            };
            tokio::task::spawn_blocking(restart).await?;
        }
        Ok(())
    }
}

/// A hundred rows in chunks of ten, on a server that writes its log no earlier than it must.
async fn killed(durability: Durability) -> (Vec<i64>, StepExecution, Vec<u64>) {
    let server = tokio::task::spawn_blocking(|| Server::start(Options::postgres())).await.unwrap();
    let (server, told) = (Arc::new(server), Arc::new(Mutex::new(Vec::new())));
    let database = server.database().await;
    let db = Postgres::open(&database.url()).await.unwrap();
    sqlx::query("CREATE TABLE put (key bigint PRIMARY KEY)").execute(db.pool()).await.unwrap();
    sqlx::query("ALTER SYSTEM SET wal_writer_delay = '10s'").execute(db.pool()).await.unwrap();
    sqlx::query("SELECT pg_reload_conf()").execute(db.pool()).await.unwrap();
    let kills = Kills(server, told.clone());
    let job = Job::new("load", &db).step("rows", move |s| {
        let step = s.chunk(10, batch_core::iter(0_i64..100)).writer(Rows);
        Ok(step.durability(durability).listener(kills.clone()))
    });
    let done = job.run(Parameters::new()).await.unwrap();
    assert_eq!(done.status, BatchStatus::Completed, "{}", done.exit_status.message);
    let rows = sqlx::query_scalar("SELECT key FROM put ORDER BY key").fetch_all(db.pool()).await.unwrap();
    let step = db.repository().explorer().steps(done.id).await.unwrap().remove(0);
    assert_eq!(step.counts, done.steps[0].counts, "returned and recorded");
    let told = told.lock().clone();
    (rows, step, told)
}

fn assert_whole(rows: &[i64], step: &StepExecution) {
    assert_eq!(rows, (0..100).collect::<Vec<_>>());
    assert_eq!((step.counts.read, step.counts.written, step.counts.commits, step.commit_no), (100, 100, 10, 10));
    assert_eq!(step.checkpoint.read, 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chunk_that_waited_for_the_disk_is_never_taken_back() {
    let (rows, step, told) = killed(Durability::Chunk).await;
    assert_whole(&rows, &step);
    assert_eq!(told, (1..=10).map(|n| 10 * n).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chunks_that_a_crash_took_back_are_done_again() {
    let (rows, step, told) = killed(Durability::Step).await;
    assert_whole(&rows, &step);
    assert!(told.len() > 10, "the crash took nothing back, so the test shows nothing: {told:?}");
    assert!(told[8] <= 80, "the run went back: {told:?}");
}

#[tokio::test]
async fn a_relaxed_chunk_does_not_wait_and_the_repository_does() {
    let database = batch_testkit::Postgres::shared().database().await;
    let db = Postgres::open(&database.url()).await.unwrap();
    for (handle, expected) in [(db.clone(), "on"), (db.relaxed().unwrap(), "off")] {
        let mut tx = handle.begin().await.unwrap();
        let set: String = sqlx::query_scalar("SHOW synchronous_commit").fetch_one(Postgres::conn(&mut tx)).await.unwrap();
        assert_eq!(set, expected);
        handle.rollback(tx).await.unwrap();
    }
}

#[tokio::test]
async fn mysql_has_one_setting_for_the_whole_server() {
    let database = batch_testkit::MariaDb::shared().database().await;
    assert!(batch_sql::MySql::open(&database.url()).await.unwrap().relaxed().is_none());
}
