//! Inserts items, or updates the rows that have their key.

use super::{
    row::RowError,
    shape::{self, Shapes, Statement},
};
use crate::dialect::{Dialect, SqlConn};
use batch_core::{Chunk, Result, Writer};
use serde::Serialize;
use serde_json::Value;
use std::{fmt, marker::PhantomData};

/// Inserts each item as a row, or updates the row that has the same key; columns are the names of the item's fields.
///
/// The key columns need a primary key or a unique index. Writing an item twice leaves one row, so this writer also fits a
/// database whose transaction is not the repository's. Blocks, fields and errors are those of [`SqlInsert`](crate::SqlInsert).
pub struct SqlUpsert<T> {
    shapes: Shapes,
    kind: Upsert,
    item: PhantomData<fn(T)>,
}

#[derive(Debug, Clone)]
struct Upsert {
    keys: Vec<String>,
}

impl<T> SqlUpsert<T> {
    /// Writes into `table`; name its key next.
    pub fn into(table: &str) -> Self {
        Self { shapes: Shapes::new(table), kind: Upsert { keys: Vec::new() }, item: PhantomData }
    }

    /// The columns that tell rows apart.
    #[must_use]
    pub fn key<const N: usize>(mut self, columns: [&str; N]) -> Self {
        self.kind.keys = columns.map(str::to_owned).to_vec();
        self
    }
}

impl<T: Serialize + Sync + 'static, C: SqlConn> Writer<T, C> for SqlUpsert<T> {
    async fn write(&mut self, conn: &mut C, items: Chunk<'_, T>) -> Result<()> {
        let Some(first) = items.first() else { return Ok(()) };
        self.shapes.check(&self.kind.keys)?;
        self.shapes.learn(first, &self.kind)?;
        for block in self.shapes.blocks(conn.dialect(), &self.kind, items.items()) {
            let values = self.shapes.values(conn, block)?;
            conn.run(self.shapes.text(conn.dialect(), &self.kind, block.len()), values).await?;
        }
        self.shapes.keep();
        Ok(())
    }

    async fn open(&mut self, _: Option<Value>) -> Result<()> {
        self.shapes.check(&self.kind.keys)?;
        Ok(demand_key(&self.kind.keys, "SqlUpsert::into(table).key([..])")?)
    }
}

/// Without a key a statement would mean every row.
pub(super) fn demand_key(keys: &[String], how: &str) -> Result<(), RowError> {
    if keys.is_empty() { Err(RowError::new(format!("the writer has no key; name its columns: {how}"))) } else { Ok(()) }
}

/// Key columns must be fields of the item.
pub(super) fn demand_fields(keys: &[String], columns: &[String]) -> Result<(), RowError> {
    match keys.iter().find(|key| !columns.contains(key)) {
        Some(key) => Err(RowError::new(format!("the key column `{key}` is not a field of the item"))),
        None => Ok(()),
    }
}

impl Statement for Upsert {
    fn text(&self, dialect: &Dialect, table: &str, columns: &[String], rows: usize) -> String {
        let rest = columns.iter().filter(|c| !self.keys.contains(c));
        let set: Vec<_> = rest.map(|c| format!("{0} = excluded.{0}", dialect.quoted(c))).collect();
        let action = if set.is_empty() { "NOTHING".to_owned() } else { format!("UPDATE SET {}", set.join(", ")) };
        let insert = shape::insert(dialect, table, columns, rows);
        format!("{insert} ON CONFLICT ({}) DO {action}", shape::list(dialect, &self.keys))
    }

    fn check(&self, columns: &[String]) -> Result<(), RowError> {
        demand_key(&self.keys, "SqlUpsert::into(table).key([..])")?;
        demand_fields(&self.keys, columns)
    }
}

impl<T> Clone for SqlUpsert<T> {
    fn clone(&self) -> Self {
        Self { shapes: self.shapes.clone(), kind: self.kind.clone(), item: PhantomData }
    }
}

impl<T> fmt::Debug for SqlUpsert<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlUpsert").field("shapes", &self.shapes).field("kind", &self.kind).finish()
    }
}
