//! SQLite's values: the column makes of them what its affinity says.

use crate::row::{Misfit, Value, Values};
use sqlx::{Arguments, Encode, Sqlite, Type, sqlite::SqliteArguments};
use std::sync::Arc;

impl Values for SqliteArguments {
    fn put(&mut self, value: Value<'_>) -> Result<(), Misfit> {
        match value {
            Value::Null => add(self, None::<i64>),
            Value::Integer(value) => add(self, value),
            Value::Float(value) => add(self, value),
            Value::Bool(value) => add(self, value),
            // One allocation, where a `String` would take two.
            Value::Text(value) => add(self, Arc::<str>::from(value)),
            Value::Bytes(value) => add(self, value.to_vec()),
        }
        Ok(())
    }
}

/// Numbers, texts and bytes always encode.
fn add<'t, T: Encode<'t, Sqlite> + Type<Sqlite> + 't>(values: &mut SqliteArguments, value: T) {
    let _ = Arguments::add(values, value);
}
