//! SQLite's dialect.

use super::{Dialect, Driver, SqlConn, Values};
use crate::error::Refused;
use batch_core::Result;
use futures_util::TryStreamExt;
use sqlx::{Arguments, AssertSqlSafe, Either, Encode, Executor, Sqlite, SqliteConnection, Type, sqlite::SqliteArguments};
use std::sync::Arc;

static DIALECT: Dialect = Dialect { quote: '"', max_values: 32_766, max_rows: 256 };

impl SqlConn for SqliteConnection {}

impl Driver for SqliteConnection {
    type Values = SqliteArguments;

    fn dialect(&self) -> &'static Dialect {
        &DIALECT
    }

    fn values(&self, capacity: usize) -> SqliteArguments {
        let mut values = SqliteArguments::default();
        values.reserve(capacity, 0);
        values
    }

    async fn run(&mut self, sql: Arc<str>, values: SqliteArguments) -> Result<u64> {
        Ok(sqlx::query_with(AssertSqlSafe(sql), values).execute(self).await.map_err(Refused::from)?.rows_affected())
    }

    /// `sql` holds the statement once for each row: the driver runs them all in one go and reports each.
    async fn run_each(&mut self, sql: Arc<str>, values: SqliteArguments) -> Result<Vec<u64>> {
        let mut results = self.fetch_many(sqlx::query_with(AssertSqlSafe(sql), values));
        let mut changed = Vec::new();
        while let Some(result) = results.try_next().await.map_err(Refused::from)? {
            if let Either::Left(done) = result {
                changed.push(done.rows_affected());
            }
        }
        Ok(changed)
    }
}

impl Values for SqliteArguments {
    fn null(&mut self) {
        put(self, None::<i64>);
    }

    fn integer(&mut self, value: i64) {
        put(self, value);
    }

    fn float(&mut self, value: f64) {
        put(self, value);
    }

    fn boolean(&mut self, value: bool) {
        put(self, value);
    }

    fn text(&mut self, value: &str) {
        // One allocation, where a `String` would take two.
        put(self, Arc::<str>::from(value));
    }

    fn bytes(&mut self, value: &[u8]) {
        put(self, value.to_vec());
    }
}

/// Numbers, texts and bytes always encode.
fn put<'t, T: Encode<'t, Sqlite> + Type<Sqlite> + 't>(values: &mut SqliteArguments, value: T) {
    let _ = Arguments::add(values, value);
}
