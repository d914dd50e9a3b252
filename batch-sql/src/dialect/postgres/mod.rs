//! Rows in PostgreSQL: by COPY, or as arrays in one statement.

mod array;
mod binary;
mod kind;
mod rows;
mod statements;
mod table;
mod text;

use super::{
    Driver, SqlConn, Task,
    target::{Action, Misses, Target, mistake},
    task::{self, Own},
};
use crate::{
    error::{Class, Refused, class},
    row::RowError,
};
use array::Array;
use batch_core::{BoxError, RefusedItem, Result};
use kind::Kind;
use rows::Form;
use serde::Serialize;
use sqlx::{AssertSqlSafe, PgConnection, Postgres, postgres::PgDatabaseError, query::QueryAs};
use std::sync::Arc;
use table::Column;

/// Below, COPY's second round trip costs more than it saves.
const FEW: usize = 32;
/// Bytes in one message of COPY; a longer one is slower.
const PIECE: usize = 64 * 1024;

/// What was learned of the table, and the statements made for it.
#[derive(Debug, Clone, Default)]
pub(super) struct Plan {
    /// Whether the rest is for the target's columns; not where learning failed, or was given up.
    is_ready: bool,
    /// All of the table's; empty until it was asked.
    table: Vec<Column>,
    /// Those that are written.
    columns: Vec<Column>,
    texts: Vec<(Form, Arc<str>)>,
    /// For the bytes of a chunk.
    room: usize,
    statement: &'static str,
}

impl SqlConn for PgConnection {}

impl Driver for PgConnection {
    async fn write<T: Serialize + Sync>(&mut self, task: &mut Task, items: &[T]) -> Result<()> {
        task.carry_out::<Plan, T>(self, items).await
    }
}

impl Own for Plan {
    type Conn = PgConnection;

    fn from_plan(plan: task::Plan) -> Option<Self> {
        if let task::Plan::Postgres(plan) = plan { Some(plan) } else { None }
    }

    fn into_plan(self) -> task::Plan {
        task::Plan::Postgres(self)
    }

    async fn write<T: Serialize + Sync>(
        &mut self,
        conn: &mut PgConnection,
        target: &mut Target,
        first: &T,
        items: &[T],
    ) -> Result<()> {
        self.learn(conn, target, first).await?;
        match target.action {
            Action::Insert if items.len() >= FEW && self.takes_copy() => self.copy(conn, target, items).await,
            Action::Update { misses, .. } | Action::Delete { misses, .. } => self.count(conn, target, misses, items).await,
            _ => self.insert(conn, target, items).await,
        }
    }
}

impl Plan {
    pub(super) fn statement(&self) -> &'static str {
        self.statement
    }

    async fn learn<T: Serialize>(&mut self, conn: &mut PgConnection, target: &mut Target, first: &T) -> Result<()> {
        if !target.learn(first)? && self.is_ready {
            return Ok(());
        }
        self.is_ready = false;
        if self.table.is_empty() {
            self.table = table::columns(conn, target).await?;
        }
        let columns = target.find(&self.table, |column, wanted| column.name == wanted, |column| &column.name)?;
        self.columns = columns.into_iter().cloned().collect();
        self.texts.clear();
        refuse_generated(target, &self.columns)?;
        self.is_ready = true;
        Ok(())
    }

    fn takes_copy(&self) -> bool {
        self.columns.iter().all(|column| column.takes_copy)
    }

    /// Whether every column has a type that values are made for here.
    fn is_binary(&self) -> bool {
        self.columns.iter().all(|column| column.kind() != Kind::Other && column.array_oid.0 != 0)
    }

    /// Nothing is sent before the whole chunk is made, so that a bad item leaves the connection as it was.
    async fn copy<T: Serialize>(&mut self, conn: &mut PgConnection, target: &Target, items: &[T]) -> Result<()> {
        let (rows, form) = rows::make(self.is_binary(), |form| rows::copied(target, &self.columns, form, self.room, items))?;
        // The next chunk is likely to be about as long.
        self.room = rows.len() + rows.len() / 16;
        self.statement = if form == Form::Binary { "COPY BINARY" } else { "COPY TEXT" };
        let mut copy = conn.copy_in_raw(&statements::copy(target, form, items.len())).await.map_err(Refused::from)?;
        for piece in rows.chunks(PIECE) {
            copy.send(piece).await.map_err(Refused::from)?;
        }
        match copy.finish().await {
            Ok(_) => Ok(()),
            Err(error) => Err(named(error, target, items.len())),
        }
    }

    async fn insert<T: Serialize>(&mut self, conn: &mut PgConnection, target: &Target, items: &[T]) -> Result<()> {
        let (sql, arrays) = self.unnest(target, items)?;
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for array in arrays {
            query = query.bind(array);
        }
        query.execute(conn).await.map_err(Refused::from)?;
        Ok(())
    }

    async fn count<T: Serialize>(&mut self, conn: &mut PgConnection, target: &Target, misses: Misses, items: &[T]) -> Result<()> {
        let (sql, arrays) = self.unnest(target, items)?;
        let mut query: QueryAs<'_, Postgres, (i64, i64, i64), _> = sqlx::query_as(AssertSqlSafe(sql));
        for array in arrays {
            query = query.bind(array);
        }
        let (keys, rows, met) = query.fetch_one(conn).await.map_err(Refused::from)?;
        let [keys, rows, met] = [keys, rows, met].map(i64::unsigned_abs);
        Ok(misses.judge_all(keys, met, rows)?)
    }

    fn unnest<T: Serialize>(&mut self, target: &Target, items: &[T]) -> Result<(Arc<str>, Vec<Array>)> {
        let (arrays, form) = rows::make(self.is_binary(), |form| rows::arrays(target, &self.columns, form, items))?;
        let rows = i32::try_from(items.len()).map_err(|_| RowError::new("a chunk has more than 2^31 items"))?;
        self.statement = match target.action {
            Action::Insert => "INSERT UNNEST",
            Action::Ignore | Action::Upsert { .. } => "INSERT UNNEST ON CONFLICT",
            Action::Update { .. } => "UPDATE UNNEST",
            Action::Delete { .. } => "DELETE UNNEST",
        };
        let arrays = self.columns.iter().zip(arrays).map(|(column, elements)| Array::new(column, form, rows, elements)).collect();
        Ok((self.text(target, form), arrays))
    }

    fn text(&mut self, target: &Target, form: Form) -> Arc<str> {
        if let Some((_, text)) = self.texts.iter().find(|(f, _)| *f == form) {
            return text.clone();
        }
        let text: Arc<str> = statements::unnest(target, &self.columns, form).into();
        self.texts.push((form, text.clone()));
        text
    }
}

/// The error of a COPY with the row that it stopped at, as the server's context of the error says it: `COPY item, line 3`. Constraints that
/// are examined at the end of the statement name none.
fn named(error: sqlx::Error, target: &Target, rows: usize) -> BoxError {
    let row = match &error {
        sqlx::Error::Database(e) if class(&error) == Class::Constraint => {
            e.try_downcast_ref::<PgDatabaseError>().and_then(|e| line(e.r#where()?, target))
        }
        _ => None,
    };
    let error = Refused::from(error).into();
    match row.and_then(|row| row.checked_sub(1)).filter(|index| *index < rows) {
        Some(index) => RefusedItem { index, error }.into(),
        None => error,
    }
}

/// The first number behind the table's name, whatever the language of the server's messages.
fn line(context: &str, target: &Target) -> Option<usize> {
    let table = target.table.rsplit('.').next()?;
    let place = context.lines().last()?.strip_prefix("COPY ")?.strip_prefix(table)?.strip_prefix(',')?;
    let digits = place.trim_start_matches(|c: char| !c.is_ascii_digit());
    digits.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// COPY would put a value where the other statements refuse it.
fn refuse_generated(target: &Target, columns: &[Column]) -> Result<(), batch_core::Error> {
    let key = target.action.key();
    let given = |column: &&Column| match target.action {
        Action::Insert | Action::Ignore | Action::Upsert { .. } => true,
        Action::Update { .. } | Action::Delete { .. } => !key.contains(&column.name),
    };
    match columns.iter().filter(given).find(|column| column.generated) {
        Some(column) => mistake(format!(
            "column `{}` of table `{}` is GENERATED ALWAYS, so no value may be given: leave the field out",
            column.name, target.table
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::line;
    use crate::dialect::target::{Action, Target};

    #[test]
    fn the_row_is_read_in_any_language() {
        let at = |table: &str, context: &str| line(context, &Target::new(table, Action::Insert));
        assert_eq!(at("item", "COPY item, line 12"), Some(12));
        assert_eq!(at("shop.item", "COPY item, Zeile 3, Spalte 7: \"x\""), Some(3));
        assert_eq!(at("item", "COPY item, 5行目"), Some(5));
        assert_eq!(at("item", "PL/pgSQL function f() line 9 at RAISE\nCOPY item, line 4"), Some(4));
        assert_eq!(at("item", "COPY item2, line 4"), None);
        assert_eq!(at("item", "SQL statement \"SELECT 1\""), None);
    }
}
