//! Updates the rows that have the items' keys.

use super::{
    row::RowError,
    shape::{Shapes, Statement},
    upsert::{demand_fields, demand_key},
};
use crate::dialect::{Dialect, SqlConn};
use batch_core::{Chunk, Result, Writer};
use serde::Serialize;
use serde_json::Value;
use std::{fmt, marker::PhantomData};

/// Updates the row that has an item's key with the item's other fields.
///
/// Each item must meet exactly one row: none means a lost update, several a key that is no key. Rows are updated in the order of
/// the items. Fields and errors are those of [`SqlInsert`](crate::SqlInsert).
pub struct SqlUpdate<T> {
    shapes: Shapes,
    kind: Update,
    item: PhantomData<fn(T)>,
}

#[derive(Debug, Clone)]
struct Update {
    keys: Vec<String>,
    misses: bool,
}

impl<T> SqlUpdate<T> {
    /// Updates rows of `table`; name its key next.
    pub fn table(table: &str) -> Self {
        Self { shapes: Shapes::new(table), kind: Update { keys: Vec::new(), misses: false }, item: PhantomData }
    }

    /// The columns that tell rows apart; the item's other fields are what is set.
    #[must_use]
    pub fn key<const N: usize>(mut self, columns: [&str; N]) -> Self {
        self.kind.keys = columns.map(str::to_owned).to_vec();
        self
    }

    /// Lets items pass whose key is not in the table; they count as written. Default: an error.
    #[must_use]
    pub fn allow_misses(mut self) -> Self {
        self.kind.misses = true;
        self
    }
}

impl<T: Serialize + Sync + 'static, C: SqlConn> Writer<T, C> for SqlUpdate<T> {
    async fn write(&mut self, conn: &mut C, items: Chunk<'_, T>) -> Result<()> {
        let Some(first) = items.first() else { return Ok(()) };
        self.shapes.check(&self.kind.keys)?;
        self.shapes.learn(first, &self.kind)?;
        for block in self.shapes.blocks(conn.dialect(), &self.kind, items.items()) {
            let values = self.shapes.values(conn, block)?;
            let text = self.shapes.text(conn.dialect(), &self.kind, block.len());
            self.kind.judge(&conn.run_each(text, values).await?)?;
        }
        self.shapes.keep();
        Ok(())
    }

    async fn open(&mut self, _: Option<Value>) -> Result<()> {
        self.shapes.check(&self.kind.keys)?;
        Ok(demand_key(&self.kind.keys, "SqlUpdate::table(table).key([..])")?)
    }
}

impl Update {
    fn judge(&self, changed: &[u64]) -> Result<(), RowError> {
        match changed.iter().find(|rows| **rows > 1 || (**rows == 0 && !self.misses)) {
            None => Ok(()),
            Some(0) => Err(RowError::new("no row has the item's key; SqlUpdate::allow_misses lets such items pass")),
            Some(rows) => Err(RowError::new(format!("{rows} rows have the item's key; it must be unique"))),
        }
    }
}

impl Statement for Update {
    /// The text holds so many statements, each prepared for itself.
    const MOST: usize = 64;

    /// One statement a row, since each must report how many rows it met. The values come by way of a subquery, so that their order is
    /// that of the fields.
    fn text(&self, dialect: &Dialect, table: &str, columns: &[String], rows: usize) -> String {
        let name = |c: &String| dialect.quoted(c);
        let values: Vec<_> = columns.iter().map(|c| format!("? AS {}", name(c))).collect();
        let set: Vec<_> =
            columns.iter().filter(|c| !self.keys.contains(c)).map(|c| format!("{0} = _batch_item.{0}", name(c))).collect();
        let on: Vec<_> = self.keys.iter().map(|c| format!("{table}.{0} = _batch_item.{0}", name(c))).collect();
        let one = format!(
            "UPDATE {table} SET {} FROM (SELECT {}) AS _batch_item WHERE {}",
            set.join(", "),
            values.join(", "),
            on.join(" AND ")
        );
        vec![one.as_str(); rows].join("; ")
    }

    fn check(&self, columns: &[String]) -> Result<(), RowError> {
        demand_key(&self.keys, "SqlUpdate::table(table).key([..])")?;
        demand_fields(&self.keys, columns)?;
        match columns.iter().all(|c| self.keys.contains(c)) {
            true => Err(RowError::new("the item has no field besides the key, so there is nothing to update")),
            false => Ok(()),
        }
    }
}

impl<T> Clone for SqlUpdate<T> {
    fn clone(&self) -> Self {
        Self { shapes: self.shapes.clone(), kind: self.kind.clone(), item: PhantomData }
    }
}

impl<T> fmt::Debug for SqlUpdate<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlUpdate").field("shapes", &self.shapes).field("kind", &self.kind).finish()
    }
}
