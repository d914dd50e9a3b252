//! Runs a statement of the user's own for each item.

use batch_core::{Chunk, Result, Writer};
use sqlx::{SqliteConnection, query::Query, sqlite::SqliteArguments};
use std::{fmt, sync::Arc};

/// A statement to which values are bound: `query.bind(value)`.
pub type Bound = Query<'static, sqlx::Sqlite, SqliteArguments>;

type Bind<T> = dyn Fn(Bound, &T) -> Bound + Send + Sync;

/// Runs one statement for each item, inside the chunk's transaction: for what [`SqlInsert`](crate::SqlInsert),
/// [`SqlUpsert`](crate::SqlUpsert) and [`SqlUpdate`](crate::SqlUpdate) do not cover.
///
/// ```
/// # use batch_sql::SqlWriter;
/// struct Sale { sku: String, pieces: i64 }
///
/// let writer: SqlWriter<Sale> = SqlWriter::new("UPDATE product SET stock = stock - ? WHERE sku = ?", |query, sale: &Sale| {
///     query.bind(sale.pieces).bind(sale.sku.clone())
/// });
/// ```
///
/// # Errors
/// What the database says to the statement, or [`SqlWriter::one_row`].
pub struct SqlWriter<T> {
    sql: &'static str,
    bind: Arc<Bind<T>>,
    one_row: bool,
}

impl<T> SqlWriter<T> {
    /// Runs `sql`; `bind` puts an item's values in the order of the `?`.
    pub fn new(sql: &'static str, bind: impl Fn(Bound, &T) -> Bound + Send + Sync + 'static) -> Self {
        Self { sql, bind: Arc::new(bind), one_row: false }
    }

    /// Makes it an item's error if its statement changes no row, or several. Default: any number is right.
    #[must_use]
    pub fn one_row(mut self) -> Self {
        self.one_row = true;
        self
    }
}

impl<T: Sync + 'static> Writer<T, SqliteConnection> for SqlWriter<T> {
    async fn write(&mut self, conn: &mut SqliteConnection, items: Chunk<'_, T>) -> Result<()> {
        for item in items.items() {
            let rows = (self.bind)(sqlx::query(self.sql), item).execute(&mut *conn).await?.rows_affected();
            if self.one_row && rows != 1 {
                return Err(format!("the item's statement changed {rows} rows instead of one").into());
            }
        }
        Ok(())
    }
}

impl<T> Clone for SqlWriter<T> {
    fn clone(&self) -> Self {
        Self { sql: self.sql, bind: self.bind.clone(), one_row: self.one_row }
    }
}

impl<T> fmt::Debug for SqlWriter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlWriter").field("sql", &self.sql).field("one_row", &self.one_row).finish_non_exhaustive()
    }
}
