//! A pool of one connection, which reader, processor and the job share with nobody waiting for ever.

use super::fixture::{Scene, numbers, parameters, within_a_minute};
use async_trait::async_trait;
use batch_core::{BatchStatus, Job, JobExecution, Listener, Result, StepExecution};
use batch_sql::{Database, Keyset, MySqlOptions, PostgresOptions, SqlInsert, SqliteOptions};
use serde::Serialize;
use std::{num::NonZeroU32, time::Duration};

const RUNS: i64 = 100;
const ROWS: i64 = 30;

#[derive(Debug, Serialize)]
struct Copied {
    run: i64,
    id: i64,
    looked_up: i64,
}

/// Looks into the database around each step.
struct Counting(Database);

#[async_trait]
impl Listener for Counting {
    async fn before_job(&self, _: &JobExecution) -> Result<()> {
        numbers(&self.0, "SELECT count(*) FROM item").await.map(drop)
    }

    async fn before_chunk(&self, _: &StepExecution) -> Result<()> {
        numbers(&self.0, "SELECT count(*) FROM item").await.map(drop)
    }
}

fn copy(db: &Database) -> Job<Database> {
    Job::new("copy", db).listener(Counting(db.clone())).step("copy", |s| {
        let (db, run) = (s.database().clone(), s.parameter("run")?);
        let look_up = async move |(id,): (i64,)| {
            let found = numbers(&db, &format!("SELECT id * 2 FROM item WHERE id = {id}")).await?;
            Ok(Copied { run, id, looked_up: found[0] })
        };
        let items = Keyset::<(i64,), _>::table(s.database(), "item").columns(["id"]).key(["id"]).page_size(7);
        Ok(s.chunk(10, items).then(look_up).writer(SqlInsert::into("copied")))
    })
}

async fn never_waits_for_itself(db: Database) {
    db.execute("CREATE TABLE item (id BIGINT NOT NULL PRIMARY KEY)").await.unwrap();
    db.execute("CREATE TABLE copied (run BIGINT NOT NULL, id BIGINT NOT NULL, looked_up BIGINT NOT NULL, PRIMARY KEY (run, id))")
        .await
        .unwrap();
    for id in 0..ROWS {
        db.execute(&format!("INSERT INTO item VALUES ({id})")).await.unwrap();
    }
    let job = copy(&db);
    for run in 0..RUNS {
        let done = job.run(parameters(run)).await.unwrap_or_else(|e| panic!("run {run}: {}", e.report()));
        assert_eq!(done.status, BatchStatus::Completed, "run {run}: {}", done.exit_status.message);
        let copied = numbers(&db, &format!("SELECT looked_up FROM copied WHERE run = {run} ORDER BY id")).await.unwrap();
        assert!(copied.into_iter().eq((0..ROWS).map(|id| 2 * id)), "run {run}");
    }
}

const ONE: NonZeroU32 = NonZeroU32::MIN;
/// A connection that is waited for so long is one's own.
const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pool_of_one_serves_all_in_postgres() {
    let scene = Scene::on(batch_testkit::Postgres::shared()).await;
    let db = PostgresOptions::new().pool_size(ONE).wait(SECOND).open(&scene.place.url()).await.unwrap();
    within_a_minute(never_waits_for_itself(Database::Postgres(db))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pool_of_one_serves_all_in_mariadb() {
    let scene = Scene::on(batch_testkit::MariaDb::shared()).await;
    let db = MySqlOptions::new().pool_size(ONE).wait(SECOND).open(&scene.place.url()).await.unwrap();
    within_a_minute(never_waits_for_itself(Database::MySql(db))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pool_of_one_serves_all_in_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("pool.db").display());
    let options = SqliteOptions::new().pool_size(ONE).wait(SECOND).power_cut_may_lose_last_commits();
    within_a_minute(never_waits_for_itself(Database::Sqlite(options.open(&url).await.unwrap()))).await;
}
