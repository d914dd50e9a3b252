//! Inserts items as rows.

use crate::dialect::{Action, SqlConn, Task};
use batch_core::{Chunk, Encoder, Result, Writer};
use serde::Serialize;
use serde_json::Value;
use std::{fmt, marker::PhantomData};

/// Inserts each item as a row of a table; the columns are the names of the item's fields.
///
/// Rows go many at a time, inside the chunk's transaction, so a restart neither loses nor repeats one. Fields are numbers, booleans,
/// texts, bytes, `Option`s of these, and what serialises as a text: dates, decimals, ids. NULL is `None`; NaN is refused, since not
/// every database holds it. On a server a text becomes what its column is, by the server's own rules.
///
/// `Debug` says which statement is used, once rows were written:
/// - PostgreSQL: `COPY BINARY`; `COPY TEXT` where a column's type or a value has no binary form here; for few rows, over TCP on a
///   connection that is not a handle's, and with [`on_conflict_ignore`](Self::on_conflict_ignore): `INSERT UNNEST`.
/// - MySQL, MariaDB and SQLite: `INSERT VALUES`, in blocks of up to a chunk.
///
/// # Errors
/// - Opening: the table's name is neither `table` nor `schema.table`, each `[A-Za-z_][A-Za-z0-9_]{0,62}`.
/// - Writing, no item at fault: the table is not there, lacks a column, or (MySQL) cannot roll back.
/// - Writing, an item's: it is no struct, a field is a list, a map or NaN (the error names the field), the database refuses the row.
pub struct SqlInsert<T> {
    task: Task,
    item: PhantomData<fn(T)>,
}

impl<T> SqlInsert<T> {
    /// Inserts into `table`, or `schema.table`.
    pub fn into(table: &str) -> Self {
        Self { task: Task::new(table, Action::Insert), item: PhantomData }
    }

    /// Leaves rows alone whose primary or unique key is in the table already; such an item counts as written. Default: an error.
    #[must_use]
    pub fn on_conflict_ignore(mut self) -> Self {
        *self.task.action_mut() = Action::Ignore;
        self
    }
}

impl<T: Serialize + Sync + 'static, C: SqlConn> Writer<T, C> for SqlInsert<T> {
    async fn write(&mut self, conn: &mut C, items: Chunk<'_, T>) -> Result<()> {
        self.task.check("")?;
        conn.write(&mut self.task, items).await
    }

    fn encoder(&self) -> Option<Encoder<T>> {
        self.task.encoder()
    }

    async fn open(&mut self, _: Option<Value>) -> Result<()> {
        self.task.check("")
    }
}

impl<T> Clone for SqlInsert<T> {
    fn clone(&self) -> Self {
        Self { task: self.task.clone(), item: PhantomData }
    }
}

impl<T> fmt::Debug for SqlInsert<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.task.debug("SqlInsert", f)
    }
}
