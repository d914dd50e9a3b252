//! PostgreSQL's connection, as the repository uses it.

use crate::sql::{Answer, Cell, Done, Link, Named, Statement, Value, collect, unknown_type};
use async_trait::async_trait;
use sqlx::{
    Arguments, AssertSqlSafe, Column, Encode, Executor, PgConnection, Postgres, Row, Type, TypeInfo, ValueRef,
    postgres::{PgArguments, PgQueryResult, PgRow},
    raw_sql,
};
use std::sync::Arc;

#[async_trait]
impl Link for PgConnection {
    async fn run(&mut self, statement: Statement) -> Result<Answer, sqlx::Error> {
        let query = sqlx::query_with(AssertSqlSafe(statement.text), arguments(statement.values)).persistent(statement.keep);
        collect(self.fetch_many(query), done).await
    }

    async fn script(&mut self, text: Arc<str>) -> Result<Answer, sqlx::Error> {
        collect(self.fetch_many(raw_sql(AssertSqlSafe(text))), done).await
    }
}

fn done(result: &PgQueryResult) -> Done {
    Done { changed: result.rows_affected(), inserted: 0 }
}

fn arguments(values: Vec<Value>) -> PgArguments {
    let mut arguments = PgArguments::default();
    for value in values {
        match value {
            Value::Int(number) => add(&mut arguments, number),
            Value::Text(text) => add(&mut arguments, text),
            Value::Time(time) => add(&mut arguments, time),
        }
    }
    arguments
}

/// Numbers, texts and times always encode.
fn add<'t, T: Encode<'t, Postgres> + Type<Postgres> + 't>(arguments: &mut PgArguments, value: T) {
    let _ = Arguments::add(arguments, value);
}

impl Named for PgRow {
    fn cells(&self) -> Result<Vec<Cell>, sqlx::Error> {
        self.columns()
            .iter()
            .map(|column| {
                let at = column.ordinal();
                match column.type_info().name() {
                    _ if self.try_get_raw(at)?.is_null() => Ok(Cell::Null),
                    "INT8" => self.try_get(at).map(Cell::Int),
                    "INT4" => self.try_get(at).map(|n: i32| Cell::Int(n.into())),
                    "INT2" => self.try_get(at).map(|n: i16| Cell::Int(n.into())),
                    "TEXT" | "VARCHAR" | "NAME" => self.try_get(at).map(Cell::Text),
                    "TIMESTAMPTZ" => self.try_get(at).map(Cell::Time),
                    // What `SELECT some_function()` returns that returns nothing.
                    "VOID" => Ok(Cell::Null),
                    "BOOL" => self.try_get(at).map(|is: bool| Cell::Int(is.into())),
                    other => Err(unknown_type(column.name(), other)),
                }
            })
            .collect()
    }
}
