//! Updates the rows that have the items' keys.

use crate::dialect::{Action, Misses, SqlConn, Task};
use batch_core::{Chunk, Result, Writer};
use serde::Serialize;
use serde_json::Value;
use std::{fmt, marker::PhantomData};

/// Updates the row that has an item's key with the item's other fields.
///
/// Each item must meet exactly one row: none means a lost update, several a key that is no key. Of items of one key in a chunk, the
/// last one stays. Fields and errors are those of [`SqlInsert`](crate::SqlInsert).
///
/// `Debug` says which statement is used:
/// - PostgreSQL: `UPDATE UNNEST`, one for the whole chunk.
/// - MySQL and MariaDB: `UPDATE CASE`, of 32 rows, where the key holds a unique key of the table, else one statement a row. Where fewer
///   rows are met than there are items, the 32 are done again one by one: that is what [`allow_misses`](Self::allow_misses) costs.
/// - SQLite: `UPDATE VALUES`, of 256 rows, or as many as the chunk has where it comes again and has 1,024 at most, where the rows are
///   independent: the key holds a unique key of the table, the items set no column of any unique index, no trigger stands on the table,
///   and its definition names no collation (which an `INTEGER PRIMARY KEY` may). Else, and where SQLite would read the whole table,
///   `UPDATE for each row`, 64 of them in one call. All this is asked once a writer.
pub struct SqlUpdate<T> {
    task: Task,
    item: PhantomData<fn(T)>,
}

const KEY: &str = "SqlUpdate::table(table).key([..])";

impl<T> SqlUpdate<T> {
    /// Updates rows of `table`, or `schema.table`; name its key next.
    pub fn table(table: &str) -> Self {
        Self { task: Task::new(table, Action::Update { key: Vec::new(), misses: Misses::Refused }), item: PhantomData }
    }

    /// The columns that tell rows apart; the item's other fields are what is set.
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

impl<T: Serialize + Sync + 'static, C: SqlConn> Writer<T, C> for SqlUpdate<T> {
    async fn write(&mut self, conn: &mut C, items: Chunk<'_, T>) -> Result<()> {
        self.task.check(KEY)?;
        conn.write(&mut self.task, items).await
    }

    async fn open(&mut self, _: Option<Value>) -> Result<()> {
        self.task.check(KEY)
    }
}

impl<T> Clone for SqlUpdate<T> {
    fn clone(&self) -> Self {
        Self { task: self.task.clone(), item: PhantomData }
    }
}

impl<T> fmt::Debug for SqlUpdate<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.task.debug("SqlUpdate", f)
    }
}
