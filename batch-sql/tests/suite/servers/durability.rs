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

/// Notes each chunk that it is told of, and kills the server once after at least eight, while as many as `behind` are under way.
#[derive(Clone)]
struct Kills {
    server: Arc<Server>,
    behind: usize,
    heard: Arc<Mutex<Heard>>,
}

#[derive(Default)]
struct Heard {
    begun: usize,
    told: Vec<u64>,
    killed: bool,
}

#[async_trait::async_trait]
impl Listener for Kills {
    async fn before_chunk(&self, _: &StepExecution) -> Result<()> {
        self.heard.lock().begun += 1;
        Ok(())
    }

    async fn after_chunk(&self, report: &ChunkReport<'_>) -> Result<()> {
        let kills = {
            let mut heard = self.heard.lock();
            heard.told.push(report.step.checkpoint.read);
            let kills = !heard.killed && heard.told.len() >= 8 && heard.begun >= heard.told.len() + self.behind;
            heard.killed |= kills;
            kills
        };
        if kills {
            let server = self.server.clone();
            let restart = move || {
                server.stop_immediate();
                server.start_again();
            };
            tokio::task::spawn_blocking(restart).await?;
        }
        Ok(())
    }
}

const ROWS: i64 = 200;

/// Loads rows in chunks of ten, on a server that writes its log no earlier than it must; what it wrote outlives it without the disk.
async fn killed(durability: Durability, in_flight: usize) -> (Vec<i64>, StepExecution, Vec<u64>) {
    let server = tokio::task::spawn_blocking(|| Server::start(Options::postgres().without_fsync())).await.unwrap();
    let database = server.database().await;
    let db = Postgres::open(&database.url()).await.unwrap();
    sqlx::query("CREATE TABLE put (key bigint PRIMARY KEY)").execute(db.pool()).await.unwrap();
    sqlx::query("ALTER SYSTEM SET wal_writer_delay = '10s'").execute(db.pool()).await.unwrap();
    sqlx::query("SELECT pg_reload_conf()").execute(db.pool()).await.unwrap();
    let kills = Kills { server: Arc::new(server), behind: in_flight - 1, heard: Arc::default() };
    let heard = kills.heard.clone();
    let job = Job::new("load", &db).step("rows", move |s| {
        let step = s.chunk(10, batch_core::iter(0..ROWS)).writer(Rows);
        Ok(step.durability(durability).in_flight(in_flight).listener(kills.clone()))
    });
    let done = job.run(Parameters::new()).await.unwrap();
    assert_eq!(done.status, BatchStatus::Completed, "{}", done.exit_status.message);
    let rows = sqlx::query_scalar("SELECT key FROM put ORDER BY key").fetch_all(db.pool()).await.unwrap();
    let step = db.repository().explorer().steps(done.id).await.unwrap().remove(0);
    assert_eq!(step.counts, done.steps[0].counts, "returned and recorded");
    let heard = std::mem::take(&mut *heard.lock());
    assert!(heard.killed, "never were so many chunks under way");
    (rows, step, heard.told)
}

fn assert_whole(rows: &[i64], step: &StepExecution) {
    assert_eq!(rows, (0..ROWS).collect::<Vec<_>>());
    assert_eq!((step.counts.read, step.counts.written, step.counts.commits, step.commit_no), (200, 200, 20, 20));
    assert_eq!(step.checkpoint.read, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chunk_that_waited_for_the_disk_is_never_taken_back() {
    for in_flight in [1, 3] {
        let (rows, step, told) = killed(Durability::Chunk, in_flight).await;
        assert_whole(&rows, &step);
        assert_eq!(told, (1..=20).map(|n| 10 * n).collect::<Vec<_>>());
    }
}

/// A log that filled a page just before the crash is whole, so that one crash may take nothing back.
async fn assert_done_again(in_flight: usize) {
    for _ in 0..5 {
        let (rows, step, told) = killed(Durability::Step, in_flight).await;
        assert_whole(&rows, &step);
        if told.len() > 20 {
            return assert!(told.windows(2).any(|pair| pair[1] <= pair[0]), "the run went back: {told:?}");
        }
    }
    panic!("no crash took anything back, so the test shows nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chunks_that_a_crash_took_back_are_done_again() {
    assert_done_again(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chunks_in_flight_that_a_crash_took_back_are_done_again() {
    assert_done_again(3).await;
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
