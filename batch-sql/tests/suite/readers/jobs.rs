//! Whole jobs that read, look up and write in their own database, over a pool of one.

use super::support::Item;
use batch_core::{BatchStatus, Chunk, Job, JobExecution, Parameters, Result, Transactions, Writer};
use batch_sql::{
    Bind, Claim, Connection, Database, Driven, Keyset, MySql, MySqlOptions, Postgres, PostgresOptions, SqlCursor, SqlSource,
    Sqlite, SqliteOptions, desc,
};
use sqlx::{AssertSqlSafe, Executor, MySqlConnection, PgConnection, SqliteConnection};
use std::{
    future::Future,
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// A handle of the job's database.
trait Handle: Transactions<Conn: Runs> + Clone + SqlSource<Item> + Bind<&'static str> {
    fn run(&self, sql: &str) -> impl Future<Output = ()> + Send;
    fn number(&self, sql: &str) -> impl Future<Output = Result<i64, sqlx::Error>> + Send;
}

/// A connection lent to a writer.
trait Runs: Send {
    fn run(&mut self, sql: String) -> impl Future<Output = Result<(), sqlx::Error>> + Send;
}

macro_rules! handle {
    ($handle:ty, $conn:ty) => {
        impl Handle for $handle {
            async fn run(&self, sql: &str) {
                sqlx::raw_sql(AssertSqlSafe(sql)).execute(self.pool()).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
            }

            async fn number(&self, sql: &str) -> Result<i64, sqlx::Error> {
                sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(self.pool()).await
            }
        }

        impl Runs for $conn {
            async fn run(&mut self, sql: String) -> Result<(), sqlx::Error> {
                Executor::execute(&mut *self, sqlx::raw_sql(AssertSqlSafe(sql))).await.map(drop)
            }
        }
    };
}

handle!(Sqlite, SqliteConnection);
handle!(Postgres, PgConnection);
handle!(MySql, MySqlConnection);

/// The database that a URL names, of whatever kind.
impl Handle for Database {
    async fn run(&self, sql: &str) {
        self.execute(sql).await.unwrap();
    }

    async fn number(&self, sql: &str) -> Result<i64, sqlx::Error> {
        match self {
            Self::Sqlite(db) => db.number(sql).await,
            Self::Postgres(db) => db.number(sql).await,
            Self::MySql(db) => db.number(sql).await,
        }
    }
}

impl Runs for Connection {
    async fn run(&mut self, sql: String) -> Result<(), sqlx::Error> {
        match self.driver() {
            Driven::Sqlite(conn) => conn.run(sql).await,
            Driven::Postgres(conn) => conn.run(sql).await,
            Driven::MySql(conn) => conn.run(sql).await,
        }
    }
}

/// Copies items, and marks them done; fails once, in the middle.
#[derive(Clone)]
struct Copy(Arc<AtomicBool>);

impl<C: Runs + 'static> Writer<Item, C> for Copy {
    async fn write(&mut self, conn: &mut C, items: Chunk<'_, Item>) -> Result<()> {
        for item in items.items() {
            conn.run(format!("INSERT INTO copied (id) VALUES ({})", item.id)).await?;
            conn.run(format!("UPDATE item SET status = 'DONE' WHERE id = {}", item.id)).await?;
            if item.id == 50 && !self.0.swap(true, Ordering::Relaxed) {
                return Err("once".into());
            }
        }
        Ok(())
    }
}

async fn fill(db: &impl Handle) {
    db.run(
        "CREATE TABLE item (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR(20) NOT NULL, status VARCHAR(9) NOT NULL, claimed_by VARCHAR(50))",
    )
    .await;
    db.run("CREATE TABLE copied (id BIGINT NOT NULL PRIMARY KEY)").await;
    let rows: Vec<_> = (1..=100).map(|id| format!("({id}, 'n{id}', 'NEW')")).collect();
    db.run(&format!("INSERT INTO item (id, name, status) VALUES {}", rows.join(", "))).await;
}

/// Fails, and is run again.
async fn twice<D: Handle>(job: &Job<D>) -> JobExecution {
    let parameters = Parameters::new().set("day", "monday");
    let first = job.run(parameters.clone()).await.unwrap();
    assert_eq!(first.status, BatchStatus::Failed);
    job.run(parameters).await.unwrap()
}

async fn demand_each_once<D: Handle>(db: &D, last: &JobExecution) {
    assert_eq!(last.status, BatchStatus::Completed, "{:?}", last.exit_status);
    assert_eq!(db.number("SELECT count(*) FROM copied").await.unwrap(), 100);
    assert_eq!(db.number("SELECT count(*) FROM item WHERE status = 'DONE'").await.unwrap(), 100);
}

macro_rules! on_every_handle {
    ($name:ident) => {
        mod $name {
            use super::*;

            const ONE: NonZeroU32 = NonZeroU32::MIN;

            #[tokio::test]
            async fn sqlite() {
                let folder = tempfile::tempdir().unwrap();
                let url = format!("sqlite://{}", folder.path().join("job.db").display());
                super::$name(&SqliteOptions::new().pool_size(ONE).open(&url).await.unwrap()).await;
            }

            #[tokio::test]
            async fn postgres() {
                let url = batch_testkit::Postgres::shared().database().await.url();
                super::$name(&PostgresOptions::new().pool_size(ONE).open(&url).await.unwrap()).await;
            }

            #[tokio::test]
            async fn mariadb() {
                let url = batch_testkit::MariaDb::shared().database().await.url();
                super::$name(&MySqlOptions::new().pool_size(ONE).open(&url).await.unwrap()).await;
            }

            #[tokio::test]
            async fn by_url() {
                for database in
                    [batch_testkit::Postgres::shared().database().await, batch_testkit::MariaDb::shared().database().await]
                {
                    super::$name(&Database::open(&database.url()).await.unwrap()).await;
                }
            }
        }
    };
}

on_every_handle!(pages_are_copied_once_over_a_restart);
async fn pages_are_copied_once_over_a_restart<D: Handle>(db: &D) {
    fill(db).await;
    let (failed, look_up) = (Arc::new(AtomicBool::new(false)), db.clone());
    let job = Job::new("copy", db).step("copy", move |s| {
        let look_up = look_up.clone();
        let items = Keyset::<Item, _>::table(s.database(), "item").columns(["id", "name"]).key([desc("id")]).page_size(7);
        let known = async move |item: Item| {
            let sql = format!("SELECT count(*) FROM item WHERE id = {}", item.id);
            assert_eq!(look_up.number(&sql).await?, 1);
            Ok(item)
        };
        Ok(s.chunk(10, items).then(known).writer(Copy(failed.clone())))
    });
    demand_each_once(db, &twice(&job).await).await;
}

on_every_handle!(a_cursor_is_copied_once_over_a_restart);
async fn a_cursor_is_copied_once_over_a_restart<D: Handle>(db: &D) {
    fill(db).await;
    let failed = Arc::new(AtomicBool::new(false));
    let job = Job::new("copy", db).step("copy", move |s| {
        let items = SqlCursor::<Item, _>::query(s.database(), "SELECT id, name FROM item ORDER BY id DESC").batch_size(7);
        Ok(s.chunk(10, items).writer(Copy(failed.clone())))
    });
    demand_each_once(db, &twice(&job).await).await;
}

on_every_handle!(a_queue_is_worked_off_once_over_a_restart);
async fn a_queue_is_worked_off_once_over_a_restart<D: Handle>(db: &D) {
    fill(db).await;
    let failed = Arc::new(AtomicBool::new(false));
    let job = Job::new("copy", db).step("copy", move |s| {
        let items = Claim::<Item, _>::table(s, s.database(), "item").key(["id"]).pending("status = ?").bind("NEW");
        Ok(s.chunk(10, items.claimed_by("claimed_by").batch_size(7)).writer(Copy(failed.clone())))
    });
    demand_each_once(db, &twice(&job).await).await;
}
