//! SQLite: values keep their storage class, whatever their column says.

use super::driver::{Driver, Statement, foreign};
use crate::{
    reader::value::{Bytes, KeyValue, Real},
    sql::Flavor,
};
use batch_core::BoxError;
use futures_util::{FutureExt, future::BoxFuture, stream::BoxStream};
use sqlx::{Arguments, Executor, Row, Sqlite, SqliteConnection, TypeInfo, ValueRef, sqlite::SqliteArguments, sqlite::SqliteRow};

impl Driver for Sqlite {
    const FLAVOR: Flavor = Flavor::Sqlite;

    fn rows(conn: &mut SqliteConnection, statement: Statement<Self>) -> BoxStream<'_, Result<SqliteRow, sqlx::Error>> {
        let (sql, arguments, recurs) = statement.text();
        conn.fetch(sqlx::query_with(sql, arguments).persistent(recurs))
    }

    fn execute(conn: &mut SqliteConnection, statement: Statement<Self>) -> BoxFuture<'_, Result<u64, sqlx::Error>> {
        let (sql, arguments, recurs) = statement.text();
        let query = sqlx::query_with(sql, arguments).persistent(recurs);
        async move { Ok(query.execute(conn).await?.rows_affected()) }.boxed()
    }

    fn batch<'c>(conn: &'c mut SqliteConnection, sql: &'static str) -> BoxFuture<'c, Result<(), sqlx::Error>> {
        async move { conn.execute(sqlx::raw_sql(sql)).await.map(drop) }.boxed()
    }

    fn key(row: &SqliteRow, index: usize) -> Result<Option<KeyValue>, BoxError> {
        let raw = row.try_get_raw(index)?;
        if raw.is_null() {
            return Ok(None);
        }
        let class = raw.type_info().name().to_owned();
        Ok(Some(match class.as_str() {
            "INTEGER" => KeyValue::Integer(row.try_get_unchecked(index)?),
            "REAL" => KeyValue::Real(Real(row.try_get_unchecked(index)?)),
            "TEXT" => KeyValue::Text(row.try_get_unchecked(index)?),
            _ => KeyValue::Bytes(Bytes(row.try_get_unchecked(index)?)),
        }))
    }

    fn add_key(arguments: &mut SqliteArguments, value: &KeyValue) -> Result<(), BoxError> {
        match value {
            KeyValue::Integer(value) => Arguments::add(arguments, *value),
            KeyValue::Real(value) => Arguments::add(arguments, value.0),
            KeyValue::Text(value) => Arguments::add(arguments, value.clone()),
            KeyValue::Bytes(value) => Arguments::add(arguments, value.0.clone()),
            other => Err(foreign(other)),
        }
    }

    fn add_integer(arguments: &mut SqliteArguments, value: i64) -> Result<(), BoxError> {
        Arguments::add(arguments, value)
    }

    fn add_text(arguments: &mut SqliteArguments, value: &str) -> Result<(), BoxError> {
        Arguments::add(arguments, value.to_owned())
    }

    fn text(row: &SqliteRow, index: usize) -> Result<Option<String>, sqlx::Error> {
        row.try_get_unchecked(index)
    }
}
