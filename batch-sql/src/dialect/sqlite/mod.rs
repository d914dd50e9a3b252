//! Rows in SQLite: several a statement, since each costs a hop to the connection's thread.

mod by_key;
mod distinct;
mod statements;
mod table;
mod values;

use super::{
    Driver, SqlConn, Task,
    blocks::{Blocks, Limits},
    target::{Action, Target},
    task::{self, Own},
};
use crate::{error::Refused, row::RowError};
use batch_core::{Chunk, Result};
use serde::Serialize;
use sqlx::{Arguments, AssertSqlSafe, SqliteConnection, sqlite::SqliteArguments};
use table::{Column, Keys};

const LIMITS: Limits = Limits { values: 32_766, rows: usize::MAX, block: 256 };

/// What was learned of the table, and the statements made for it.
#[derive(Debug, Clone, Default)]
pub(super) struct Plan {
    /// Whether the rest is for the target's columns; not where learning failed, or was given up.
    is_ready: bool,
    /// Empty until the table was asked.
    columns: Vec<Column>,
    /// Whether one statement may change the rows of several items.
    in_blocks: bool,
    blocks: Blocks,
    /// Statements for one row each.
    single: Blocks,
    /// What asks for keys that are not there.
    missing: Blocks,
    statement: &'static str,
}

impl SqlConn for SqliteConnection {}

impl Driver for SqliteConnection {
    async fn write<T: Serialize + Sync>(&mut self, task: &mut Task, items: Chunk<'_, T>) -> Result<()> {
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
        items: Chunk<'_, T>,
    ) -> Result<()> {
        self.learn(conn, target, first).await?;
        match target.action {
            Action::Update { misses, .. } | Action::Delete { misses, .. } => self.by_key(conn, target, misses, &items).await,
            _ => self.insert(conn, target, &items).await,
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
        (self.blocks, self.single, self.missing) = Default::default();
        if self.columns.is_empty() {
            self.columns = table::columns(conn, target).await?;
        }
        target.find(&self.columns, |column, wanted| column.name.eq_ignore_ascii_case(wanted), |column| &column.name)?;
        self.in_blocks = self.takes_blocks(conn, target).await?;
        self.statement = statements::kind(&target.action, self.in_blocks);
        self.is_ready = true;
        Ok(())
    }

    async fn takes_blocks(&self, conn: &mut SqliteConnection, target: &Target) -> Result<bool> {
        if !matches!(target.action, Action::Update { .. } | Action::Delete { .. }) {
            return Ok(true);
        }
        let keys = Keys::load(conn, target, &self.columns).await?;
        Ok(keys.is_some_and(|keys| keys.take_blocks(target, &self.columns)) && Self::looks_up(conn, target).await?)
    }

    async fn insert<T: Serialize>(&mut self, conn: &mut SqliteConnection, target: &Target, items: &[T]) -> Result<()> {
        for block in self.blocks.cut(LIMITS, target.columns.len(), items) {
            let values = values(target, block)?;
            let sql = self.blocks.text(block.len(), || statements::insert(target, block.len()));
            sqlx::query_with(AssertSqlSafe(sql), values).execute(&mut *conn).await.map_err(Refused::from)?;
        }
        Ok(())
    }
}

fn values<T: Serialize>(target: &Target, block: &[T]) -> Result<SqliteArguments, RowError> {
    let mut values = SqliteArguments::default();
    values.reserve(block.len() * target.columns.len(), 0);
    block.iter().try_for_each(|item| target.bind(item, &mut values)).map(|()| values)
}
