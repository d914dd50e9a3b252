//! Databases of a test's own, as readers see them.

use batch_core::{BadRecord, Error, ErrorKind, Reader, caused_by};
use batch_sql::{Bind, SqlSource};
use batch_testkit::{MariaDb, Postgres};
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use sqlx::{
    AssertSqlSafe, MySqlPool, PgPool, SqlitePool,
    mysql::MySqlPoolOptions,
    postgres::PgPoolOptions,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};
use std::{fmt::Debug, future::Future, time::Duration};
use tempfile::TempDir;

/// A row whose name must be a text.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub(crate) struct Item {
    pub(crate) id: i64,
    pub(crate) name: String,
}

/// What tests do with any kind of database.
pub(crate) trait Db:
    SqlSource<Item> + SqlSource<(i64,)> + SqlSource<(i64, i64, i64)> + Bind<i64> + Bind<&'static str> + Bind<String>
{
    const BRAND: Brand;

    fn run(&self, sql: &str) -> impl Future<Output = ()> + Send;
    fn numbers(&self, sql: &str) -> impl Future<Output = Vec<i64>> + Send;
    /// Whether a connection is free, now or soon.
    fn has_free(&self) -> impl Future<Output = bool> + Send;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Brand {
    Sqlite,
    Postgres,
    MariaDb,
}

macro_rules! db {
    ($pool:ty, $brand:ident) => {
        impl Db for $pool {
            const BRAND: Brand = Brand::$brand;

            async fn run(&self, sql: &str) {
                sqlx::raw_sql(AssertSqlSafe(sql)).execute(self).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
            }

            async fn numbers(&self, sql: &str) -> Vec<i64> {
                sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(self).await.unwrap_or_else(|e| panic!("{sql}: {e}"))
            }

            async fn has_free(&self) -> bool {
                self.acquire().await.is_ok()
            }
        }
    };
}

db!(SqlitePool, Sqlite);
db!(PgPool, Postgres);
db!(MySqlPool, MariaDb);

pub(crate) fn brand<D: Db>(_: &D) -> Brand {
    D::BRAND
}

/// A database that is gone with its home.
pub(crate) struct Home<D> {
    pub(crate) db: D,
    _folder: Option<TempDir>,
}

const SOON: Duration = Duration::from_secs(2);

pub(crate) async fn sqlite(connections: u32) -> Home<SqlitePool> {
    let folder = tempfile::tempdir().unwrap();
    let file = SqliteConnectOptions::new().filename(folder.path().join("rows.db")).create_if_missing(true);
    let file = file.journal_mode(sqlx::sqlite::SqliteJournalMode::Wal).synchronous(sqlx::sqlite::SqliteSynchronous::Off);
    let db = SqlitePoolOptions::new().max_connections(connections).acquire_timeout(SOON).connect_with(file).await.unwrap();
    Home { db, _folder: Some(folder) }
}

pub(crate) async fn postgres(connections: u32) -> Home<PgPool> {
    let url = Postgres::shared().database().await.url();
    let db = PgPoolOptions::new().max_connections(connections).acquire_timeout(SOON).connect(&url).await.unwrap();
    Home { db, _folder: None }
}

pub(crate) async fn mariadb(connections: u32) -> Home<MySqlPool> {
    let url = MariaDb::shared().database().await.url();
    let db = MySqlPoolOptions::new().max_connections(connections).acquire_timeout(SOON).connect(&url).await.unwrap();
    Home { db, _folder: None }
}

/// The same test on a database of each kind: `on_every_server!(test_function, connections)`.
macro_rules! on_every_server {
    ($name:ident) => {
        on_every_server!($name, 4);
    };
    ($name:ident, $connections:literal) => {
        mod $name {
            #[tokio::test]
            async fn sqlite() {
                let home = $crate::readers::support::sqlite($connections).await;
                super::$name(&home.db).await;
            }
            #[tokio::test]
            async fn postgres() {
                let home = $crate::readers::support::postgres($connections).await;
                super::$name(&home.db).await;
            }
            #[tokio::test]
            async fn mariadb() {
                let home = $crate::readers::support::mariadb($connections).await;
                super::$name(&home.db).await;
            }
        }
    };
}
pub(crate) use on_every_server;

/// `item` with so many rows; each seventh has no name that is a text. SQLite's driver takes NULL for an empty one.
pub(crate) async fn items(db: &impl Db, rows: i64) {
    db.run("CREATE TABLE item (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR(20))").await;
    let none = if brand(db) == Brand::Sqlite { "x'ff'" } else { "NULL" };
    let values: Vec<_> =
        (1..=rows).map(|id| if id % 7 == 0 { format!("({id}, {none})") } else { format!("({id}, 'n{id}')") }).collect();
    for block in values.chunks(500) {
        db.run(&format!("INSERT INTO item VALUES {}", block.join(", "))).await;
    }
}

/// Opens a reader at its beginning and reads it to its end; `None` is a bad record.
pub(crate) async fn read_all<R: Reader>(mut reader: R) -> Vec<Option<R::Item>> {
    reader.open(None).await.unwrap();
    let rows = rest(&mut reader).await;
    reader.close().await.unwrap();
    rows
}

pub(crate) async fn rest<R: Reader>(reader: &mut R) -> Vec<Option<R::Item>> {
    let mut rows = Vec::new();
    loop {
        match reader.read().await {
            Ok(Some(item)) => rows.push(Some(item)),
            Ok(None) => return rows,
            Err(e) if caused_by::<BadRecord>(&e, |_| true) => rows.push(None),
            Err(e) => panic!("{e:?}"),
        }
    }
}

/// What a reader says that cannot be opened.
pub(crate) async fn refusal<R: Reader>(mut reader: R) -> Error {
    let error = reader.open(None).await.unwrap_err();
    reader.close().await.unwrap();
    *error.downcast::<Error>().unwrap()
}

pub(crate) async fn mistake<R: Reader>(reader: R) -> String {
    let error = refusal(reader).await;
    assert_eq!(error.kind(), ErrorKind::Configuration, "{error:?}");
    error.report()
}

/// The position, as it comes back from the repository.
pub(crate) fn saved<R: Reader>(reader: &R) -> R::Position {
    let json = serde_json::to_string(&reader.position()).unwrap();
    serde_json::from_str(&json).unwrap_or_else(|e| panic!("{json}: {e}"))
}

/// So many values, the same in each run.
pub(crate) fn drawn<S: Strategy>(strategy: &S, count: usize) -> Vec<S::Value> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}
