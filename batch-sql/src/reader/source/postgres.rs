//! PostgreSQL: key values travel as text, which every type has in an exact form.

use super::driver::{Driver, Statement, foreign};
use crate::{reader::value::KeyValue, sql::Flavor};
use batch_core::BoxError;
use futures_util::{FutureExt, future::BoxFuture, stream::BoxStream};
use sqlx::{Arguments, Executor, PgConnection, Postgres, Row, postgres::PgArguments, postgres::PgRow};

impl Driver for Postgres {
    const FLAVOR: Flavor = Flavor::Postgres;

    fn rows(conn: &mut PgConnection, statement: Statement<Self>) -> BoxStream<'_, Result<PgRow, sqlx::Error>> {
        let (sql, arguments, recurs) = statement.text();
        conn.fetch(sqlx::query_with(sql, arguments).persistent(recurs))
    }

    fn execute(conn: &mut PgConnection, statement: Statement<Self>) -> BoxFuture<'_, Result<u64, sqlx::Error>> {
        let (sql, arguments, recurs) = statement.text();
        let query = sqlx::query_with(sql, arguments).persistent(recurs);
        async move { Ok(query.execute(conn).await?.rows_affected()) }.boxed()
    }

    fn batch<'c>(conn: &'c mut PgConnection, sql: &'static str) -> BoxFuture<'c, Result<(), sqlx::Error>> {
        async move { conn.execute(sqlx::raw_sql(sql)).await.map(drop) }.boxed()
    }

    fn key(row: &PgRow, index: usize) -> Result<Option<KeyValue>, BoxError> {
        Ok(Self::text(row, index)?.map(KeyValue::Text))
    }

    fn add_key(arguments: &mut PgArguments, value: &KeyValue) -> Result<(), BoxError> {
        match value {
            KeyValue::Text(text) => Arguments::add(arguments, text.clone()),
            other => Err(foreign(other)),
        }
    }

    fn add_integer(arguments: &mut PgArguments, value: i64) -> Result<(), BoxError> {
        Arguments::add(arguments, value)
    }

    fn add_text(arguments: &mut PgArguments, value: &str) -> Result<(), BoxError> {
        Arguments::add(arguments, value.to_owned())
    }

    fn text(row: &PgRow, index: usize) -> Result<Option<String>, sqlx::Error> {
        row.try_get_unchecked(index)
    }
}
