//! MySQL and MariaDB: key values keep their type, since a text in their place would be compared by other rules, or as a float.

use super::driver::{Driver, Statement, foreign};
use crate::{
    reader::value::{Bytes, KeyValue, Real},
    sql::Flavor,
};
use batch_core::BoxError;
use futures_util::{FutureExt, future::BoxFuture, stream::BoxStream};
use sqlx::{
    Arguments, Executor, MySql, MySqlConnection, Row, Type, TypeInfo, ValueRef,
    mysql::{
        MySqlArguments, MySqlRow, MySqlTypeInfo,
        types::{MySqlTime, MySqlTimeSign},
    },
};

impl Driver for MySql {
    const FLAVOR: Flavor = Flavor::MySql;

    fn rows(conn: &mut MySqlConnection, statement: Statement<Self>) -> BoxStream<'_, Result<MySqlRow, sqlx::Error>> {
        let (sql, arguments, recurs) = statement.text();
        conn.fetch(sqlx::query_with(sql, arguments).persistent(recurs))
    }

    fn execute(conn: &mut MySqlConnection, statement: Statement<Self>) -> BoxFuture<'_, Result<u64, sqlx::Error>> {
        let (sql, arguments, recurs) = statement.text();
        let query = sqlx::query_with(sql, arguments).persistent(recurs);
        async move { Ok(query.execute(conn).await?.rows_affected()) }.boxed()
    }

    fn batch<'c>(conn: &'c mut MySqlConnection, sql: &'static str) -> BoxFuture<'c, Result<(), sqlx::Error>> {
        async move { conn.execute(sqlx::raw_sql(sql)).await.map(drop) }.boxed()
    }

    fn key(row: &MySqlRow, index: usize) -> Result<Option<KeyValue>, BoxError> {
        let raw = row.try_get_raw(index)?;
        if raw.is_null() {
            return Ok(None);
        }
        let info = raw.type_info().into_owned();
        value(row, index, &info).map(Some)
    }

    fn add_key(arguments: &mut MySqlArguments, value: &KeyValue) -> Result<(), BoxError> {
        match value {
            KeyValue::Integer(value) => Arguments::add(arguments, *value),
            KeyValue::Unsigned(value) => Arguments::add(arguments, *value),
            KeyValue::Real(value) => Arguments::add(arguments, value.0),
            KeyValue::Decimal(text) | KeyValue::Text(text) => Arguments::add(arguments, text.clone()),
            KeyValue::Bytes(bytes) => Arguments::add(arguments, bytes.0.clone()),
            KeyValue::Date(day) => Arguments::add(arguments, *day),
            KeyValue::DateTime(time) => Arguments::add(arguments, *time),
            KeyValue::Time(micros) => Arguments::add(arguments, time(*micros)?),
            KeyValue::Own(_) => Err(foreign(value)),
        }
    }

    fn add_integer(arguments: &mut MySqlArguments, value: i64) -> Result<(), BoxError> {
        Arguments::add(arguments, value)
    }

    fn add_text(arguments: &mut MySqlArguments, value: &str) -> Result<(), BoxError> {
        Arguments::add(arguments, value.to_owned())
    }

    fn text(row: &MySqlRow, index: usize) -> Result<Option<String>, sqlx::Error> {
        row.try_get_unchecked(index)
    }
}

fn value(row: &MySqlRow, index: usize, info: &MySqlTypeInfo) -> Result<KeyValue, BoxError> {
    Ok(match info.name() {
        "DECIMAL" => KeyValue::Decimal(row.try_get_unchecked(index)?),
        "FLOAT" => KeyValue::Real(Real(row.try_get_unchecked::<f32, _>(index)?.into())),
        "DOUBLE" => KeyValue::Real(Real(row.try_get_unchecked(index)?)),
        "DATE" => KeyValue::Date(row.try_get_unchecked(index)?),
        "DATETIME" | "TIMESTAMP" => KeyValue::DateTime(row.try_get_unchecked(index)?),
        "TIME" => KeyValue::Time(micros(row.try_get_unchecked(index)?)),
        // Sorted by its number, compared by its text.
        other @ ("ENUM" | "SET" | "BIT" | "JSON" | "GEOMETRY") => return Err(format!("{other} cannot be a key").into()),
        name if name.ends_with("UNSIGNED") || name == "YEAR" => KeyValue::Unsigned(row.try_get_unchecked(index)?),
        name if name.ends_with("INT") || name == "BOOLEAN" => KeyValue::Integer(row.try_get_unchecked(index)?),
        _ if <String as Type<MySql>>::compatible(info) => KeyValue::Text(row.try_get_unchecked(index)?),
        _ if <Vec<u8> as Type<MySql>>::compatible(info) => KeyValue::Bytes(Bytes(row.try_get_unchecked(index)?)),
        other => return Err(format!("{other} cannot be a key").into()),
    })
}

/// Not by way of `chrono::TimeDelta`, where sqlx loses the sign of what is shorter than a second.
fn micros(time: MySqlTime) -> i64 {
    let seconds = i64::from(time.hours()) * 3600 + i64::from(time.minutes()) * 60 + i64::from(time.seconds());
    let micros = seconds * 1_000_000 + i64::from(time.microseconds());
    // `MySqlTime::is_negative` of sqlx 0.9.0 says the opposite.
    if time.sign().is_negative() { -micros } else { micros }
}

/// The reverse of [`micros`].
fn time(micros: i64) -> Result<MySqlTime, BoxError> {
    let sign = if micros < 0 { MySqlTimeSign::Negative } else { MySqlTimeSign::Positive };
    let (seconds, micros) = (micros.unsigned_abs() / 1_000_000, micros.unsigned_abs() % 1_000_000);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    Ok(MySqlTime::new(sign, hours.try_into()?, minutes.try_into()?, seconds.try_into()?, micros.try_into()?)?)
}
