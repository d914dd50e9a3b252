//! Inserts items as rows.

use super::{
    row::RowError,
    shape::{self, Shapes, Statement},
};
use crate::dialect::{Dialect, SqlConn};
use batch_core::{Chunk, Result, Writer};
use serde::Serialize;
use serde_json::Value;
use std::{fmt, marker::PhantomData};

/// Inserts each item as a row of a table; the columns are the names of the item's fields.
///
/// Rows go in blocks of several a statement, inside the chunk's transaction, so a restart neither loses nor repeats one. Fields are
/// numbers, booleans, texts, bytes, `Option`s of these, and what serialises as a text (dates, ids). NULL is `None`.
///
/// # Errors
/// - Opening: the table's name is not `[A-Za-z_][A-Za-z0-9_]{0,62}`.
/// - Writing: an item is no struct, a field is a list, a map or NaN (the error names the field), or the database refuses a row.
pub struct SqlInsert<T> {
    shapes: Shapes,
    kind: Insert,
    item: PhantomData<fn(T)>,
}

#[derive(Debug, Clone, Copy)]
struct Insert {
    ignore: bool,
}

impl<T> SqlInsert<T> {
    /// Inserts into `table`.
    pub fn into(table: &str) -> Self {
        Self { shapes: Shapes::new(table), kind: Insert { ignore: false }, item: PhantomData }
    }

    /// Leaves rows alone whose primary or unique key is in the table already; such an item counts as written. Default: an error.
    #[must_use]
    pub fn on_conflict_ignore(mut self) -> Self {
        self.kind.ignore = true;
        self
    }
}

impl<T: Serialize + Sync + 'static, C: SqlConn> Writer<T, C> for SqlInsert<T> {
    async fn write(&mut self, conn: &mut C, items: Chunk<'_, T>) -> Result<()> {
        let Some(first) = items.first() else { return Ok(()) };
        self.shapes.check([])?;
        self.shapes.learn(first, &self.kind)?;
        for block in self.shapes.blocks(conn.dialect(), &self.kind, items.items()) {
            let values = self.shapes.values(conn, block)?;
            conn.run(self.shapes.text(conn.dialect(), &self.kind, block.len()), values).await?;
        }
        self.shapes.keep();
        Ok(())
    }

    async fn open(&mut self, _: Option<Value>) -> Result<()> {
        self.shapes.check([])
    }
}

impl Statement for Insert {
    fn text(&self, dialect: &Dialect, table: &str, columns: &[String], rows: usize) -> String {
        let insert = shape::insert(dialect, table, columns, rows);
        if self.ignore { insert + " ON CONFLICT DO NOTHING" } else { insert }
    }

    fn check(&self, _: &[String]) -> Result<(), RowError> {
        Ok(())
    }
}

impl<T> Clone for SqlInsert<T> {
    fn clone(&self) -> Self {
        Self { shapes: self.shapes.clone(), kind: self.kind, item: PhantomData }
    }
}

impl<T> fmt::Debug for SqlInsert<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlInsert").field("shapes", &self.shapes).field("kind", &self.kind).finish()
    }
}
