//! MySQL's and MariaDB's connection, as the repository uses it.

use crate::sql::{Answer, Cell, Done, Link, Named, Statement, Value, collect, unknown_type};
use async_trait::async_trait;
use chrono::NaiveDateTime;
use sqlx::{
    Arguments, AssertSqlSafe, Column, Encode, Executor, MySql, MySqlConnection, Row, Type, TypeInfo, ValueRef,
    mysql::{MySqlArguments, MySqlQueryResult, MySqlRow},
    raw_sql,
};
use std::sync::Arc;

const TEXTS: [&str; 12] = [
    "VARCHAR",
    "CHAR",
    "TEXT",
    "MEDIUMTEXT",
    "LONGTEXT",
    "TINYTEXT",
    "VARBINARY",
    "BINARY",
    "BLOB",
    "MEDIUMBLOB",
    "LONGBLOB",
    "TINYBLOB",
];

#[async_trait]
impl Link for MySqlConnection {
    async fn run(&mut self, statement: Statement) -> Result<Answer, sqlx::Error> {
        let query = sqlx::query_with(AssertSqlSafe(statement.text), arguments(statement.values)).persistent(statement.keep);
        collect(self.fetch_many(query), done).await
    }

    async fn script(&mut self, text: Arc<str>) -> Result<Answer, sqlx::Error> {
        collect(self.fetch_many(raw_sql(AssertSqlSafe(text))), done).await
    }
}

fn done(result: &MySqlQueryResult) -> Done {
    Done { changed: result.rows_affected(), inserted: i64::try_from(result.last_insert_id()).unwrap_or(i64::MAX) }
}

fn arguments(values: Vec<Value>) -> MySqlArguments {
    let mut arguments = MySqlArguments::default();
    for value in values {
        match value {
            Value::Int(number) => add(&mut arguments, number),
            Value::Text(text) => add(&mut arguments, text),
            // Without a zone, as the columns are: the session's zone is never consulted.
            Value::Time(time) => add(&mut arguments, time.map(|t| t.naive_utc())),
        }
    }
    arguments
}

/// Numbers, texts and times always encode.
fn add<'t, T: Encode<'t, MySql> + Type<MySql> + 't>(arguments: &mut MySqlArguments, value: T) {
    let _ = Arguments::add(arguments, value);
}

impl Named for MySqlRow {
    fn cells(&self) -> Result<Vec<Cell>, sqlx::Error> {
        self.columns()
            .iter()
            .map(|column| {
                let at = column.ordinal();
                let name = column.type_info().name();
                match name {
                    _ if self.try_get_raw(at)?.is_null() => Ok(Cell::Null),
                    "BIGINT" | "INT" | "SMALLINT" | "TINYINT" | "MEDIUMINT" | "BOOLEAN" => {
                        self.try_get_unchecked(at).map(Cell::Int)
                    }
                    "BIGINT UNSIGNED" | "INT UNSIGNED" => {
                        self.try_get_unchecked(at).map(|n: u64| Cell::Int(i64::try_from(n).unwrap_or(i64::MAX)))
                    }
                    // The protocol marks texts of a binary collation as it marks bytes.
                    name if TEXTS.contains(&name) => self.try_get_unchecked(at).map(Cell::Text),
                    "DATETIME" | "TIMESTAMP" => self.try_get_unchecked(at).map(|t: NaiveDateTime| Cell::Time(t.and_utc())),
                    other => Err(unknown_type(column.name(), other)),
                }
            })
            .collect()
    }
}
