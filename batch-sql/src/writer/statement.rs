//! Runs a statement of the user's own for each item.

use batch_core::{Chunk, Result, Writer};
use sqlx::{Database, MySql, MySqlConnection, PgConnection, Postgres, Sqlite, SqliteConnection, query::Query};
use std::{fmt, sync::Arc};

/// A statement to which values are bound: `query.bind(value)`.
pub type Bound<D = Sqlite> = Query<'static, D, <D as Database>::Arguments>;

type Bind<T, D> = dyn Fn(Bound<D>, &T) -> Bound<D> + Send + Sync;

/// Runs one statement for each item, inside the chunk's transaction: for what [`SqlInsert`](crate::SqlInsert),
/// [`SqlUpsert`](crate::SqlUpsert), [`SqlUpdate`](crate::SqlUpdate) and [`SqlDelete`](crate::SqlDelete) do not cover.
///
/// The statement is in the words of one database, `D`, which the job's database decides where the type is not written out.
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
pub struct SqlWriter<T, D: Database = Sqlite> {
    sql: &'static str,
    bind: Arc<Bind<T, D>>,
    one_row: bool,
}

impl<T, D: Database> SqlWriter<T, D> {
    /// Runs `sql`; `bind` puts an item's values in the order of the placeholders: `?`, or `$1`, `$2` on PostgreSQL.
    pub fn new(sql: &'static str, bind: impl Fn(Bound<D>, &T) -> Bound<D> + Send + Sync + 'static) -> Self {
        Self { sql, bind: Arc::new(bind), one_row: false }
    }

    /// Makes it an item's error if its statement meets no row, or several. Default: any number is right.
    #[must_use]
    pub fn one_row(mut self) -> Self {
        self.one_row = true;
        self
    }

    fn judge(&self, rows: u64) -> Result<()> {
        match self.one_row && rows != 1 {
            true => Err(format!("the item's statement changed {rows} rows instead of one").into()),
            false => Ok(()),
        }
    }
}

/// For each driver by itself: so its connection tells which database a writer is for, and its results say how many rows were met.
macro_rules! write_on {
    ($database:ty, $connection:ty) => {
        impl<T: Sync + 'static> Writer<T, $connection> for SqlWriter<T, $database> {
            async fn write(&mut self, conn: &mut $connection, items: Chunk<'_, T>) -> Result<()> {
                for item in items.items() {
                    let query = (self.bind)(sqlx::query(self.sql), item);
                    self.judge(query.execute(&mut *conn).await?.rows_affected())?;
                }
                Ok(())
            }
        }
    };
}

write_on!(Sqlite, SqliteConnection);
write_on!(Postgres, PgConnection);
write_on!(MySql, MySqlConnection);

impl<T, D: Database> Clone for SqlWriter<T, D> {
    fn clone(&self) -> Self {
        Self { sql: self.sql, bind: self.bind.clone(), one_row: self.one_row }
    }
}

impl<T, D: Database> fmt::Debug for SqlWriter<T, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlWriter").field("sql", &self.sql).field("one_row", &self.one_row).finish_non_exhaustive()
    }
}
