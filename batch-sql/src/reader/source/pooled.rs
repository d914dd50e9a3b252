//! Handles and pools of one driver.

use super::{Bind, Driver, Fetched, KeyProblem, Query, Rows, Source, Streamed, Texts, Window, driver::Statement, stream};
use crate::{
    reader::value::KeyValue,
    server::{Kind, Server},
    sql::Flavor,
    sqlite::Sqlite,
};
use batch_core::BoxError;
use futures_util::TryStreamExt;
use sqlx::{Arguments, Encode, FromRow, Pool, Row, Type, pool::PoolConnection};
use std::fmt::Debug;
use tokio::sync::mpsc::Sender;

/// What has a pool of one driver.
pub trait Pooled: Clone + Debug + Send + Sync + 'static {
    /// The driver.
    type Driver: Driver;
    /// Whether its connections are the job's.
    const IS_JOBS: bool;

    /// The pool.
    fn connections(&self) -> &Pool<Self::Driver>;
}

impl<DB: Driver> Pooled for Pool<DB> {
    type Driver = DB;
    const IS_JOBS: bool = false;

    fn connections(&self) -> &Self {
        self
    }
}

impl Pooled for Sqlite {
    type Driver = sqlx::Sqlite;
    const IS_JOBS: bool = true;

    fn connections(&self) -> &Pool<sqlx::Sqlite> {
        self.pool()
    }
}

impl<K: Kind> Pooled for Server<K>
where
    K::Db: Driver,
{
    type Driver = K::Db;
    const IS_JOBS: bool = true;

    fn connections(&self) -> &Pool<K::Db> {
        self.pool()
    }
}

impl<P: Pooled> Source for P {
    type Arguments = <P::Driver as sqlx::Database>::Arguments;
    type Conn = PoolConnection<P::Driver>;

    fn flavor(&self) -> Flavor {
        P::Driver::FLAVOR
    }

    fn counts(&self) -> usize {
        usize::from(P::IS_JOBS)
    }

    fn arguments(&self) -> Self::Arguments {
        Self::Arguments::default()
    }

    fn add_key(arguments: &mut Self::Arguments, value: &KeyValue) -> Result<(), BoxError> {
        P::Driver::add_key(arguments, value)
    }

    fn add_integer(arguments: &mut Self::Arguments, value: i64) -> Result<(), BoxError> {
        P::Driver::add_integer(arguments, value)
    }

    fn add_text(arguments: &mut Self::Arguments, value: &str) -> Result<(), BoxError> {
        P::Driver::add_text(arguments, value)
    }

    async fn acquire(&self) -> Result<Self::Conn, sqlx::Error> {
        self.connections().acquire().await
    }

    fn discard(mut conn: Self::Conn) {
        conn.close_on_drop();
    }

    async fn batch(conn: &mut Self::Conn, sql: &'static str) -> Result<(), sqlx::Error> {
        P::Driver::batch(conn, sql).await
    }

    async fn execute(conn: &mut Self::Conn, query: Query<Self>) -> Result<u64, sqlx::Error> {
        P::Driver::execute(conn, statement(query)).await
    }

    async fn texts(conn: &mut Self::Conn, query: Query<Self>) -> Result<Vec<Texts>, sqlx::Error> {
        let mut rows = P::Driver::rows(conn, statement(query));
        let mut texts = Vec::new();
        while let Some(row) = rows.try_next().await? {
            texts.push((0..row.len()).map(|index| P::Driver::text(&row, index)).collect::<Result<_, _>>()?);
        }
        Ok(texts)
    }
}

pub(super) fn statement<P: Pooled>(query: Query<P>) -> Statement<P::Driver> {
    Statement { sql: query.sql, arguments: query.arguments, recurs: query.recurs }
}

impl<P: Pooled, V> Bind<V> for P
where
    V: Encode<'static, P::Driver> + Type<P::Driver>,
{
    fn bind(arguments: &mut Self::Arguments, value: V) -> Result<(), BoxError> {
        arguments.add(value)
    }
}

impl<P: Pooled, T> Rows<T> for P
where
    T: for<'r> FromRow<'r, <P::Driver as sqlx::Database>::Row> + Send + 'static,
{
    async fn fetch(conn: &mut Self::Conn, query: Query<Self>, keys: usize) -> Result<Vec<Fetched<T>>, sqlx::Error> {
        let mut rows = P::Driver::rows(conn, statement(query));
        let mut fetched = Vec::new();
        while let Some(row) = rows.try_next().await? {
            fetched.push(Fetched { item: T::from_row(&row), key: key::<P::Driver>(&row, keys) });
        }
        Ok(fetched)
    }

    async fn stream(
        conn: &mut Self::Conn,
        query: Query<Self>,
        window: Window,
        into: &Sender<Vec<Result<T, sqlx::Error>>>,
    ) -> Result<Streamed, sqlx::Error> {
        match P::Driver::FLAVOR {
            Flavor::Postgres => stream::held::<P, T>(conn, query, window, into).await,
            Flavor::Sqlite | Flavor::MySql | Flavor::MariaDb => stream::plain::<P, T>(conn, query, window, into).await,
        }
    }
}

/// The values of the last `keys` columns.
fn key<DB: Driver>(row: &DB::Row, keys: usize) -> Result<Vec<KeyValue>, KeyProblem> {
    let first = row.len() - keys;
    let value = |column| match DB::key(row, first + column) {
        Ok(Some(value)) => Ok(value),
        Ok(None) => Err(KeyProblem { column, reason: "is NULL".to_owned() }),
        Err(error) => Err(KeyProblem { column, reason: format!("cannot be kept: {error}") }),
    };
    (0..keys).map(value).collect()
}
