//! A job that loads numbers through a proxy, and the audit of what it left, on a way of its own.

use batch_core::{
    BatchStatus, ChunkStep, Error, ErrorKind, Identity, Job, JobExecution, ListReader, Parameters, Result, Retry, Scope,
    Transactions,
};
use batch_sql::{Database, SqlInsert};
use batch_testkit::{Proxy, Server};
use fastrand::Rng;
use serde::Serialize;
use sqlx::AssertSqlSafe;
use std::{
    future::Future,
    time::{Duration, Instant},
};

/// What a chunk is committed with, before its guard; where no skips are allowed, nothing else says so.
pub(crate) const COMMIT: &str = "RELEASE SAVEPOINT batch_chunk; ";
/// What a chunk is begun with, behind its settings; the same holds for it.
pub(crate) const BEGIN: &str = "; SAVEPOINT batch_chunk";

/// A database on `server` with a table of numbers that takes none twice, open to the job and to the audit.
pub(crate) struct Scene {
    pub(crate) place: batch_testkit::Database,
    pub(crate) proxy: Proxy,
    /// Through the proxy.
    pub(crate) db: Database,
    /// Past the proxy.
    pub(crate) audit: Database,
}

/// One number of one run.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Row {
    run: i64,
    n: i64,
}

/// The step that loads numbers, as [`load`] begins it.
pub(crate) type Load = ChunkStep<ListReader<Row>, Identity, SqlInsert<Row>, Database>;

impl Scene {
    pub(crate) async fn on(server: &Server) -> Self {
        let place = server.database().await;
        let proxy = Proxy::to(server);
        let audit = Database::open(&place.url()).await.unwrap();
        audit.execute("CREATE TABLE put (run BIGINT NOT NULL, n BIGINT NOT NULL, PRIMARY KEY (run, n))").await.unwrap();
        let db = Database::open(&place.url_through(&proxy)).await.unwrap();
        Self { place, proxy, db, audit }
    }

    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self.audit, Database::Postgres(_))
    }

    /// The text of a statement as it is sent: `@name` is a table of the repository.
    pub(crate) fn text(&self, template: &str) -> String {
        let quote = if self.is_postgres() { '"' } else { '`' };
        let words = template.split(' ').map(|word| match word.strip_prefix('@') {
            Some(name) => format!("{quote}batch_{name}{quote}"),
            None => word.to_owned(),
        });
        words.collect::<Vec<_>>().join(" ")
    }

    /// The text of the statement that writes a chunk's numbers.
    pub(crate) fn insert(&self) -> String {
        if self.is_postgres() { "INSERT INTO \"put\"".into() } else { "INSERT INTO `put`".into() }
    }

    /// The first column of a query's rows, past the proxy.
    pub(crate) async fn numbers(&self, sql: &str) -> Vec<i64> {
        numbers(&self.audit, sql).await.unwrap_or_else(|e| panic!("{sql}: {e}"))
    }

    pub(crate) async fn number(&self, sql: &str) -> i64 {
        self.numbers(sql).await[0]
    }

    /// Runs `job` to its end, which must be COMPLETED, and audits it.
    pub(crate) async fn completes(&self, job: &Job<Database>, run: i64, rows: i64) -> JobExecution {
        let execution = job.run(parameters(run)).await.unwrap_or_else(|e| panic!("run {run}: {}", e.report()));
        assert_eq!(execution.status, BatchStatus::Completed, "run {run}: {}", execution.exit_status.message);
        self.is_exact(&execution, rows).await;
        execution
    }

    /// Launches until the job is complete, and audits it.
    pub(crate) async fn completes_at_last(&self, job: &Job<Database>, run: i64, rows: i64) {
        for _ in 0..20 {
            match job.run(parameters(run)).await {
                Ok(execution) if execution.status == BatchStatus::Completed => return self.is_exact(&execution, rows).await,
                Err(error) if error.kind() == ErrorKind::AlreadyComplete => {
                    // The answer to its end alone was lost.
                    let newest = self.number("SELECT max(id) FROM batch_execution").await;
                    let execution = self.audit.repository().explorer().execution(newest).await.unwrap();
                    return self.is_exact(&execution, rows).await;
                }
                _ => {}
            }
        }
        panic!("run {run} is not complete after 20 launches");
    }

    /// Every number is there once, the counts of all tries together say so, and nothing is under way any more.
    pub(crate) async fn is_exact(&self, execution: &JobExecution, rows: i64) {
        let (instance, run) = (execution.instance.id, execution.parameters.get::<i64>("run").unwrap());
        let loaded = self.numbers(&format!("SELECT n FROM put WHERE run = {run} ORDER BY n")).await;
        assert!(loaded.iter().copied().eq(0..rows), "run {run}: {} of {rows} numbers are loaded", loaded.len());
        for (count, expected) in [
            ("read_count", rows),
            ("write_count", rows),
            ("read_skip_count + process_skip_count + write_skip_count", 0),
            ("CASE WHEN status = 'COMPLETED' THEN 1 ELSE 0 END", 1),
            ("CASE WHEN status IN ('COMPLETED', 'FAILED', 'STOPPED') THEN 0 ELSE 1 END", 0),
        ] {
            let sum = match self.is_postgres() {
                true => format!("SELECT sum({count})::bigint FROM batch_step WHERE instance_id = {instance}"),
                false => format!("SELECT CAST(sum({count}) AS SIGNED) FROM batch_step WHERE instance_id = {instance}"),
            };
            assert_eq!(self.number(&sum).await, expected, "run {run}: {count}");
        }
        let active = format!("SELECT count(*) FROM batch_execution WHERE instance_id = {instance} AND active_key IS NOT NULL");
        assert_eq!(self.number(&active).await, 0, "run {run}: an execution is still active");
        let newest = format!("SELECT id FROM batch_execution WHERE instance_id = {instance} AND status = 'COMPLETED'");
        assert_eq!(self.numbers(&newest).await, [execution.id], "run {run}");
        let leases = format!("SELECT count(*) FROM batch_lease WHERE execution_id = {}", execution.id);
        assert_eq!(self.number(&leases).await, 0, "run {run}: a lease is left");
    }
}

/// Cuts all connections of each round's job at random moments, and launches it until it is complete. A moment is a number of statements, which
/// a slow machine does not change.
pub(crate) async fn cut_at_random(scene: &Scene, rounds: i64, rows: i64, job: impl Fn(&Database, i64) -> Job<Database>) {
    let seed = std::env::var("BATCH_FAULT_SEED").map_or_else(|_| fastrand::u64(..), |seed| seed.parse().unwrap());
    println!("BATCH_FAULT_SEED={seed}");
    let mut random = Rng::with_seed(seed);
    for run in 0..rounds {
        let moments: Vec<usize> = (0..random.usize(1..4)).map(|_| random.usize(1..100)).collect();
        let job = job(&scene.db, rows);
        let cuts = async {
            for statements in moments {
                scene.proxy.until_seen("", scene.proxy.seen("") + statements).await;
                scene.proxy.cut_all();
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            _ = scene.completes_at_last(&job, run, rows) => {}
            () = cuts => {}
        }
    }
}

/// Loads the numbers up to `rows`, ten at a time, and is patient.
pub(crate) fn load(db: &Database, rows: i64) -> Job<Database> {
    load_as(db, rows, |step| step)
}

/// The same, changed.
pub(crate) fn load_as(db: &Database, rows: i64, change: impl Fn(Load) -> Load + Send + Sync + 'static) -> Job<Database> {
    Job::new("load", db).step("load", move |s| {
        let step = s.chunk(10, ListReader::new(to_load(s, rows)?)).writer(SqlInsert::into("put"));
        Ok(change(step.retry(Retry::times(20).constant(Duration::from_millis(10)))))
    })
}

fn to_load(s: &Scope<Database>, rows: i64) -> Result<Vec<Row>, Error> {
    let run = s.parameter("run")?;
    Ok((0..rows).map(|n| Row { run, n }).collect())
}

pub(crate) fn parameters(run: i64) -> Parameters {
    Parameters::new().set("run", run)
}

pub(crate) async fn numbers(db: &Database, sql: &str) -> Result<Vec<i64>> {
    let sql = AssertSqlSafe(sql.to_owned());
    Ok(match db {
        Database::Sqlite(db) => sqlx::query_scalar(sql).fetch_all(db.pool()).await?,
        Database::Postgres(db) => sqlx::query_scalar(sql).fetch_all(db.pool()).await?,
        Database::MySql(db) => sqlx::query_scalar(sql).fetch_all(db.pool()).await?,
    })
}

/// Waits until `look` says so; far longer than it takes on the slowest machine, then the test fails.
pub(crate) async fn until(look: impl AsyncFn() -> bool) {
    let begun = Instant::now();
    while !look().await {
        assert!(begun.elapsed() < Duration::from_secs(60), "it did not come to pass");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Fails a test that hangs.
pub(crate) async fn within_a_minute<V>(future: impl Future<Output = V>) -> V {
    tokio::time::timeout(Duration::from_secs(60), future).await.expect("it does not hang")
}

/// A test of each story for every server, named `story::server`.
macro_rules! on_every_server {
    ($($story:ident),* $(,)?) => { $(
        mod $story {
            use crate::faults::fixture::{Scene, within_a_minute};

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                within_a_minute(async { super::$story(Scene::on(batch_testkit::Postgres::shared()).await).await }).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn mariadb() {
                within_a_minute(async { super::$story(Scene::on(batch_testkit::MariaDb::shared()).await).await }).await;
            }
        }
    )* };
}

pub(crate) use on_every_server;
