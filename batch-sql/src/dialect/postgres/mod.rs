//! Rows in PostgreSQL: by COPY, or as arrays in one statement.

mod array;
mod binary;
mod copy;
mod kind;
mod rows;
mod statements;
mod suspicion;
mod table;
mod text;

use super::{
    Driver, SqlConn, Task,
    target::{Action, Misses, Target, mistake},
    task::{self, Own},
};
use crate::{error::Refused, row::RowError};
use array::Array;
use batch_core::{Chunk, Encoder, Result};
use copy::Encoding;
use kind::Kind;
use rows::Form;
use serde::Serialize;
use sqlx::{AssertSqlSafe, PgConnection, Postgres, query::QueryAs};
use std::sync::Arc;
use table::Column;

/// Below, COPY's second round trip costs more than it saves.
const FEW: usize = 32;

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
    /// How items become the rows of a COPY, where the table takes those.
    copying: Option<Arc<Encoding>>,
    statement: &'static str,
}

impl SqlConn for PgConnection {}

impl Driver for PgConnection {
    async fn write<T: Serialize + Sync>(&mut self, task: &mut Task, items: Chunk<'_, T>) -> Result<()> {
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
        items: Chunk<'_, T>,
    ) -> Result<()> {
        self.learn(conn, target, first).await?;
        if let Some(copying) = self.copying.as_ref().filter(|_| items.len() >= FEW) {
            self.statement = copying.copy(conn, items).await?;
            return Ok(());
        }
        match target.action {
            Action::Update { misses, .. } | Action::Delete { misses, .. } => self.count(conn, target, misses, &items).await,
            _ => self.insert(conn, target, &items).await,
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
        self.copying = self.takes_copy(target).then(|| Arc::new(Encoding::new(target, &self.columns, self.is_binary())));
        self.is_ready = true;
        Ok(())
    }

    fn takes_copy(&self, target: &Target) -> bool {
        target.action == Action::Insert && self.columns.iter().all(|column| column.takes_copy)
    }

    /// What makes chunks ready before their transaction.
    pub(super) fn encoder<T: Serialize + 'static>(&self) -> Option<Encoder<T>> {
        self.copying.as_ref().map(Encoding::encoder)
    }

    /// Whether every column has a type that values are made for here.
    fn is_binary(&self) -> bool {
        self.columns.iter().all(|column| column.kind() != Kind::Other && column.array_oid.0 != 0)
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
