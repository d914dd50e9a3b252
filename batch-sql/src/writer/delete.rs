//! Deletes the rows that have the items' keys.

use crate::dialect::{Action, Misses, SqlConn, Task};
use batch_core::{Chunk, Result, Writer};
use serde::Serialize;
use serde_json::Value;
use std::{fmt, marker::PhantomData};

/// Deletes the row that has an item's key.
///
/// Each item must meet exactly one row, so two items of one key in a chunk are an error, too. Of an item's fields only those of the key
/// are looked at. Fields and errors are those of [`SqlInsert`](crate::SqlInsert).
///
/// `Debug` says which statement is used: `DELETE UNNEST` on PostgreSQL, one for the whole chunk; `DELETE IN` on MySQL and MariaDB, where
/// the key holds a unique key of the table, else one statement a row; on SQLite `DELETE IN` where the key is one unique column of a table
/// without triggers, named collations and foreign keys that refer to it, else `DELETE for each row`, 64 of them in one call.
///
/// ```
/// # use batch_sql::SqlDelete;
/// #[derive(serde::Serialize)]
/// struct Expired { id: i64 }
///
/// let writer: SqlDelete<Expired> = SqlDelete::from("session").key(["id"]).allow_misses();
/// ```
pub struct SqlDelete<T> {
    task: Task,
    item: PhantomData<fn(T)>,
}

const KEY: &str = "SqlDelete::from(table).key([..])";

impl<T> SqlDelete<T> {
    /// Deletes rows of `table`, or `schema.table`; name its key next.
    pub fn from(table: &str) -> Self {
        Self { task: Task::new(table, Action::Delete { key: Vec::new(), misses: Misses::Refused }), item: PhantomData }
    }

    /// The columns that tell rows apart; the item's other fields are not looked at.
    #[must_use]
    pub fn key<const N: usize>(mut self, columns: [&str; N]) -> Self {
        self.task.action_mut().set_key(columns);
        self
    }

    /// Lets items pass whose key is not in the table; they count as written. Default: an error.
    #[must_use]
    pub fn allow_misses(mut self) -> Self {
        self.task.action_mut().allow_misses();
        self
    }
}

impl<T: Serialize + Sync + 'static, C: SqlConn> Writer<T, C> for SqlDelete<T> {
    async fn write(&mut self, conn: &mut C, items: Chunk<'_, T>) -> Result<()> {
        self.task.check(KEY)?;
        conn.write(&mut self.task, items).await
    }

    async fn open(&mut self, _: Option<Value>) -> Result<()> {
        self.task.check(KEY)
    }
}

impl<T> Clone for SqlDelete<T> {
    fn clone(&self) -> Self {
        Self { task: self.task.clone(), item: PhantomData }
    }
}

impl<T> fmt::Debug for SqlDelete<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.task.debug("SqlDelete", f)
    }
}
