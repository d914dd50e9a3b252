//! SQLite's connection, as the repository uses it.

use crate::sql::{Answer, Cell, Done, Link, Named, Statement, Value, collect, stored, unknown_type};
use async_trait::async_trait;
use sqlx::{
    Arguments, AssertSqlSafe, Column, Encode, Executor, Row, Sqlite, SqliteConnection, Type, TypeInfo, ValueRef,
    query::Query,
    raw_sql,
    sqlite::{SqliteArguments, SqliteQueryResult, SqliteRow},
};
use std::sync::Arc;

#[async_trait]
impl Link for SqliteConnection {
    async fn run(&mut self, statement: Statement) -> Result<Answer, sqlx::Error> {
        let keep = statement.keep;
        let query: Query<'_, Sqlite, _> =
            sqlx::query_with(AssertSqlSafe(statement.text), arguments(statement.values)).persistent(keep);
        collect(self.fetch_many(query), done).await
    }

    async fn script(&mut self, text: Arc<str>) -> Result<Answer, sqlx::Error> {
        collect(self.fetch_many(raw_sql(AssertSqlSafe(text))), done).await
    }
}

fn done(result: &SqliteQueryResult) -> Done {
    Done { changed: result.rows_affected(), inserted: result.last_insert_rowid() }
}

fn arguments(values: Vec<Value>) -> SqliteArguments {
    let mut arguments = SqliteArguments::default();
    for value in values {
        match value {
            Value::Int(number) => add(&mut arguments, number),
            Value::Text(text) => add(&mut arguments, text),
            Value::Time(time) => add(&mut arguments, time.map(stored)),
        }
    }
    arguments
}

/// Numbers and texts always encode.
fn add<'t, T: Encode<'t, Sqlite> + Type<Sqlite> + 't>(arguments: &mut SqliteArguments, value: T) {
    let _ = Arguments::add(arguments, value);
}

impl Named for SqliteRow {
    fn cells(&self) -> Result<Vec<Cell>, sqlx::Error> {
        self.columns()
            .iter()
            .map(|column| {
                let at = column.ordinal();
                let value = self.try_get_raw(at)?;
                match value.type_info().name() {
                    _ if value.is_null() => Ok(Cell::Null),
                    "INTEGER" | "BOOLEAN" => self.try_get_unchecked(at).map(Cell::Int),
                    "TEXT" => self.try_get_unchecked(at).map(Cell::Text),
                    other => Err(unknown_type(column.name(), other)),
                }
            })
            .collect()
    }
}
