//! Rows in MySQL and MariaDB: several a statement.

mod by_key;
mod insert;
mod statements;
mod table;
mod values;

use super::{
    Driver, SqlConn, Task,
    blocks::Blocks,
    target::{Action, Target},
    task::{self, Own},
};
use batch_core::{Chunk, Result};
use serde::Serialize;
use sqlx::{AssertSqlSafe, MySqlConnection, mysql::MySqlArguments};
use std::sync::Arc;
use table::Table;
use values::Meaning;

/// What was learned of the table, and the statements made for it.
#[derive(Debug, Clone, Default)]
pub(super) struct Plan {
    /// Whether the rest is for the target's columns; not where learning failed, or was given up.
    is_ready: bool,
    table: Option<Table>,
    meanings: Vec<Meaning>,
    blocks: Blocks,
    statement: &'static str,
    /// Whether no two rows have one key.
    is_unique: bool,
    /// Whether an upsert could meet a row by another key.
    is_guarded: bool,
    /// Of the values of a statement.
    most_bytes: u64,
}

impl SqlConn for MySqlConnection {}

impl Driver for MySqlConnection {
    async fn write<T: Serialize + Sync>(&mut self, task: &mut Task, items: Chunk<'_, T>) -> Result<()> {
        task.carry_out::<Plan, T>(self, items).await
    }
}

impl Own for Plan {
    type Conn = MySqlConnection;

    fn from_plan(plan: task::Plan) -> Option<Self> {
        if let task::Plan::MySql(plan) = plan { Some(plan) } else { None }
    }

    fn into_plan(self) -> task::Plan {
        task::Plan::MySql(self)
    }

    async fn write<T: Serialize + Sync>(
        &mut self,
        conn: &mut MySqlConnection,
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

    async fn learn<T: Serialize>(&mut self, conn: &mut MySqlConnection, target: &mut Target, first: &T) -> Result<()> {
        if !target.learn(first)? && self.is_ready {
            return Ok(());
        }
        self.is_ready = false;
        let table = match self.table.take() {
            Some(table) => table,
            None => Table::load(conn, target).await?,
        };
        let table = self.table.insert(table);
        let columns =
            target.find(&table.columns, |column, wanted| column.name.eq_ignore_ascii_case(wanted), |column| &column.name)?;
        table.check_key(target)?;
        self.meanings = columns.into_iter().map(|column| Meaning::of(column, &table.facts)).collect();
        self.blocks = Blocks::default();
        self.is_unique = table.is_unique(target.action.key());
        self.is_guarded = table.has_other_keys(target.action.key());
        // What is around the values takes far less.
        self.most_bytes = table.facts.max_packet.saturating_sub(1024);
        self.statement = self.kind(&target.action);
        self.is_ready = true;
        Ok(())
    }

    fn kind(&self, action: &Action) -> &'static str {
        match action {
            Action::Insert => "INSERT VALUES",
            Action::Ignore | Action::Upsert { .. } => "INSERT VALUES ON DUPLICATE KEY",
            Action::Update { .. } if self.is_unique => "UPDATE CASE",
            Action::Update { .. } => "UPDATE for each row",
            Action::Delete { .. } if self.is_unique => "DELETE IN",
            Action::Delete { .. } => "DELETE for each row",
        }
    }
}

async fn run(conn: &mut MySqlConnection, sql: Arc<str>, arguments: MySqlArguments) -> Result<u64, sqlx::Error> {
    Ok(sqlx::query_with(AssertSqlSafe(sql), arguments).execute(conn).await?.rows_affected())
}
