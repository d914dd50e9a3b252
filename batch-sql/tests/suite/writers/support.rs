//! A database of a test's own, and a connection to it.

use batch_core::{Chunk, Result, Writer};
use batch_sql::SqlConn;
use batch_testkit::{MariaDb, Postgres};
use serde::Serialize;
use sqlx::{AssertSqlSafe, Connection, MySqlConnection, PgConnection, SqliteConnection, raw_sql};
use std::future::Future;

/// What tests do with any kind of connection.
pub(crate) trait Db: SqlConn {
    const BRAND: Brand;

    fn fresh() -> impl Future<Output = Self> + Send;
    fn sql(&mut self, sql: &str) -> impl Future<Output = ()> + Send;
    fn numbers(&mut self, sql: &str) -> impl Future<Output = Vec<i64>> + Send;
    fn texts(&mut self, sql: &str) -> impl Future<Output = Vec<Option<String>>> + Send;
    fn values(&mut self, sql: &str) -> impl Future<Output = Vec<Stored>> + Send;
}

/// A row as the driver reads it.
pub(crate) type Stored = (i64, Option<i64>, Option<f64>, Option<String>, Option<Vec<u8>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Brand {
    Sqlite,
    Postgres,
    MariaDb,
}

impl Brand {
    /// Around names.
    pub(crate) fn quote(self) -> char {
        if self == Self::MariaDb { '`' } else { '"' }
    }
}

macro_rules! db {
    ($connection:ty, $brand:ident, $url:expr) => {
        impl Db for $connection {
            const BRAND: Brand = Brand::$brand;

            async fn fresh() -> Self {
                Self::connect(&$url).await.unwrap()
            }

            async fn sql(&mut self, sql: &str) {
                raw_sql(AssertSqlSafe(sql)).execute(self).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
            }

            async fn numbers(&mut self, sql: &str) -> Vec<i64> {
                sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(self).await.unwrap_or_else(|e| panic!("{sql}: {e}"))
            }

            async fn texts(&mut self, sql: &str) -> Vec<Option<String>> {
                sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(self).await.unwrap_or_else(|e| panic!("{sql}: {e}"))
            }

            async fn values(&mut self, sql: &str) -> Vec<Stored> {
                sqlx::query_as(AssertSqlSafe(sql)).fetch_all(self).await.unwrap_or_else(|e| panic!("{sql}: {e}"))
            }
        }
    };
}

db!(SqliteConnection, Sqlite, "sqlite::memory:");
db!(PgConnection, Postgres, Postgres::shared().database().await.url());
db!(MySqlConnection, MariaDb, MariaDb::shared().database().await.url());

/// The same test on each database: `name::sqlite`, `name::postgres`, `name::mariadb`.
macro_rules! on_every_database {
    ($($test:ident),* $(,)?) => { $(
        mod $test {
            use $crate::writers::support::Db;

            #[tokio::test]
            async fn sqlite() {
                super::$test(&mut sqlx::SqliteConnection::fresh().await).await;
            }

            #[tokio::test]
            async fn postgres() {
                super::$test(&mut sqlx::PgConnection::fresh().await).await;
            }

            #[tokio::test]
            async fn mariadb() {
                super::$test(&mut sqlx::MySqlConnection::fresh().await).await;
            }
        }
    )* };
}

pub(crate) use on_every_database;

/// Writes one chunk and keeps it; of a refused one nothing stays, and the transaction goes on behind the savepoint.
pub(crate) async fn write<D: Db, T: Sync + 'static>(db: &mut D, writer: &mut impl Writer<T, D>, items: &[T]) -> Result<()> {
    db.sql("BEGIN").await;
    db.sql("SAVEPOINT part").await;
    let outcome = writer.write(db, Chunk::from(items)).await;
    if outcome.is_err() {
        db.sql("ROLLBACK TO SAVEPOINT part").await;
    }
    assert_eq!(db.texts("SELECT 'usable'").await[0].as_deref(), Some("usable"));
    db.sql("COMMIT").await;
    outcome
}

/// The error of a chunk that must be refused.
pub(crate) async fn refusal<D: Db, T: Sync + 'static>(db: &mut D, writer: &mut impl Writer<T, D>, items: &[T]) -> String {
    let error = write(db, writer, items).await.unwrap_err();
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

#[derive(Debug, Serialize, Clone)]
pub(crate) struct Item {
    pub(crate) id: i64,
    pub(crate) name: Option<String>,
    pub(crate) price: f64,
    pub(crate) sold: bool,
}

pub(crate) fn item(id: i64) -> Item {
    Item { id, name: (id % 3 != 0).then(|| format!("n{id}")), price: id as f64 / 4.0, sold: id % 2 == 0 }
}

pub(crate) fn items(ids: impl IntoIterator<Item = i64>) -> Vec<Item> {
    ids.into_iter().map(item).collect()
}

pub(crate) async fn item_table(db: &mut impl Db) {
    db.sql("CREATE TABLE item (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR(100), price DOUBLE PRECISION, sold BOOLEAN)").await;
}

/// Each row of `item` as `id|name|price|sold`, by id.
pub(crate) async fn rows(db: &mut impl Db) -> Vec<String> {
    let sold = "CASE WHEN sold THEN 1 ELSE 0 END";
    let sql = format!("SELECT id, CAST({sold} AS {0}), price, name, NULL FROM item ORDER BY id", integer(db));
    let rows = db.values(&sql).await;
    rows.into_iter().map(|(id, sold, price, name, _)| shown(id, name.as_ref(), price, sold == Some(1))).collect()
}

fn integer<D: Db>(_: &D) -> &'static str {
    if D::BRAND == Brand::MariaDb { "SIGNED" } else { "BIGINT" }
}

fn shown(id: i64, name: Option<&String>, price: Option<f64>, sold: bool) -> String {
    format!("{id}|{name:?}|{price:?}|{sold}")
}

/// What [`rows`] shows of items.
pub(crate) fn expected<'i>(items: impl IntoIterator<Item = &'i Item>) -> Vec<String> {
    let mut items: Vec<_> = items.into_iter().collect();
    items.sort_by_key(|item| item.id);
    items.into_iter().map(|item| shown(item.id, item.name.as_ref(), Some(item.price), item.sold)).collect()
}

pub(crate) fn brand<D: Db>(_: &D) -> Brand {
    D::BRAND
}
