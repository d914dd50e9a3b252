//! Rows in SQLite: several a statement, since each costs a hop to the connection's thread.

mod statements;
mod values;

use super::{
    Driver, SqlConn, Task,
    blocks::{Blocks, Limits},
    target::{Action, Misses, Target},
    task::{self, Own},
};
use crate::{
    error::{Refused, says},
    row::RowError,
};
use batch_core::Result;
use futures_util::TryStreamExt;
use serde::Serialize;
use sqlx::{Arguments, AssertSqlSafe, Either, Executor, SqliteConnection, sqlite::SqliteArguments};
use std::sync::Arc;

const LIMITS: Limits = Limits { values: 32_766, rows: usize::MAX, block: 256 };
/// A text of one statement a row is so long; the driver prepares each of them for itself.
const EACH: Limits = Limits { rows: 64, block: 64, ..LIMITS };

/// What was learned of the table, and the statements made for it.
#[derive(Debug, Clone, Default)]
pub(super) struct Plan {
    /// Whether the rest is for the target's columns; not where learning failed, or was given up.
    is_ready: bool,
    /// Empty until the table was asked.
    names: Vec<String>,
    blocks: Blocks,
    statement: &'static str,
}

impl SqlConn for SqliteConnection {}

impl Driver for SqliteConnection {
    async fn write<T: Serialize + Sync>(&mut self, task: &mut Task, items: &[T]) -> Result<()> {
        task.carry_out::<Plan, T>(self, items).await
    }
}

impl Own for Plan {
    type Conn = SqliteConnection;

    fn from_plan(plan: task::Plan) -> Option<Self> {
        if let task::Plan::Sqlite(plan) = plan { Some(plan) } else { None }
    }

    fn into_plan(self) -> task::Plan {
        task::Plan::Sqlite(self)
    }

    async fn write<T: Serialize + Sync>(
        &mut self,
        conn: &mut SqliteConnection,
        target: &mut Target,
        first: &T,
        items: &[T],
    ) -> Result<()> {
        self.learn(conn, target, first).await?;
        match target.action {
            Action::Update { misses, .. } | Action::Delete { misses, .. } => self.each(conn, target, misses, items).await,
            _ => self.insert(conn, target, items).await,
        }
    }
}

impl Plan {
    pub(super) fn statement(&self) -> &'static str {
        self.statement
    }

    async fn learn<T: Serialize>(&mut self, conn: &mut SqliteConnection, target: &mut Target, first: &T) -> Result<()> {
        if !target.learn(first)? && self.is_ready {
            return Ok(());
        }
        self.is_ready = false;
        self.blocks = Blocks::default();
        self.statement = statements::kind(&target.action);
        if self.names.is_empty() {
            self.names = names(conn, &target.table).await?;
        }
        target.find(&self.names, |name, wanted| name.eq_ignore_ascii_case(wanted), String::as_str)?;
        self.is_ready = true;
        Ok(())
    }

    async fn insert<T: Serialize>(&mut self, conn: &mut SqliteConnection, target: &Target, items: &[T]) -> Result<()> {
        for block in self.blocks.cut(LIMITS, target.columns.len(), items) {
            let values = values(target, block)?;
            let sql = self.blocks.text(block.len(), || statements::insert(target, block.len()));
            sqlx::query_with(AssertSqlSafe(sql), values).execute(&mut *conn).await.map_err(Refused::from)?;
        }
        Ok(())
    }

    /// One statement a row, since each must report how many rows it met.
    async fn each<T: Serialize>(
        &mut self,
        conn: &mut SqliteConnection,
        target: &Target,
        misses: Misses,
        items: &[T],
    ) -> Result<()> {
        for block in self.blocks.cut(EACH, target.columns.len(), items) {
            let values = values(target, block)?;
            let sql = self.blocks.text(block.len(), || statements::each(target, block.len()));
            for rows in run_each(conn, sql, values).await? {
                misses.judge(rows)?;
            }
        }
        Ok(())
    }
}

/// The columns of a table or view; none where it is not there.
async fn names(conn: &mut SqliteConnection, table: &str) -> Result<Vec<String>> {
    let (schema, table) = match table.split_once('.') {
        Some((schema, table)) => (Some(schema), table),
        None => (None, table),
    };
    let sql = "SELECT name FROM pragma_table_xinfo(?, ?)";
    let query = sqlx::query_scalar(sql).bind(table.to_owned()).bind(schema.map(str::to_owned));
    match query.fetch_all(conn).await {
        Err(error) if says(&error, "unknown database") => Ok(Vec::new()),
        names => Ok(names.map_err(Refused::from)?),
    }
}

fn values<T: Serialize>(target: &Target, block: &[T]) -> Result<SqliteArguments, RowError> {
    let mut values = SqliteArguments::default();
    values.reserve(block.len() * target.columns.len(), 0);
    block.iter().try_for_each(|item| target.bind(item, &mut values)).map(|()| values)
}

/// `sql` holds the statement once for each row: the driver runs them all in one go and reports each.
async fn run_each(conn: &mut SqliteConnection, sql: Arc<str>, values: SqliteArguments) -> Result<Vec<u64>> {
    let mut results = conn.fetch_many(sqlx::query_with(AssertSqlSafe(sql), values));
    let mut changed = Vec::new();
    while let Some(result) = results.try_next().await.map_err(Refused::from)? {
        if let Either::Left(done) = result {
            changed.push(done.rows_affected());
        }
    }
    Ok(changed)
}
