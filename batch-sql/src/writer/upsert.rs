//! Inserts items, or updates the rows that have their key.

use crate::dialect::{Action, SqlConn, Task};
use batch_core::{Chunk, Result, Writer};
use serde::Serialize;
use serde_json::Value;
use std::{fmt, marker::PhantomData};

/// Inserts each item as a row, or updates the row that has the same key; columns are the names of the item's fields.
///
/// The key columns need a primary key or a unique index of just these. Writing an item twice leaves one row, so this writer also fits a
/// database whose transaction is not the repository's; of items of one key in a chunk, the last one stays. Fields and errors are those
/// of [`SqlInsert`](crate::SqlInsert). `Debug` says `INSERT UNNEST ON CONFLICT` on PostgreSQL, `INSERT VALUES ON DUPLICATE KEY` on MySQL
/// and MariaDB, `INSERT VALUES ON CONFLICT` on SQLite.
///
/// MySQL takes the row of any unique key for the one to update. Where the table has other unique keys than this one, an item that meets
/// the row of another key is refused, as the other databases do.
pub struct SqlUpsert<T> {
    task: Task,
    item: PhantomData<fn(T)>,
}

const KEY: &str = "SqlUpsert::into(table).key([..])";

impl<T> SqlUpsert<T> {
    /// Writes into `table`, or `schema.table`; name its key next.
    pub fn into(table: &str) -> Self {
        Self { task: Task::new(table, Action::Upsert { key: Vec::new() }), item: PhantomData }
    }

    /// The columns that tell rows apart.
    #[must_use]
    pub fn key<const N: usize>(mut self, columns: [&str; N]) -> Self {
        self.task.action_mut().set_key(columns);
        self
    }
}

impl<T: Serialize + Sync + 'static, C: SqlConn> Writer<T, C> for SqlUpsert<T> {
    async fn write(&mut self, conn: &mut C, items: Chunk<'_, T>) -> Result<()> {
        self.task.check(KEY)?;
        conn.write(&mut self.task, items).await
    }

    async fn open(&mut self, _: Option<Value>) -> Result<()> {
        self.task.check(KEY)
    }
}

impl<T> Clone for SqlUpsert<T> {
    fn clone(&self) -> Self {
        Self { task: self.task.clone(), item: PhantomData }
    }
}

impl<T> fmt::Debug for SqlUpsert<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.task.debug("SqlUpsert", f)
    }
}
