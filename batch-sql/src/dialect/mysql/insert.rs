//! Inserts rows in blocks.

use super::{Plan, run, statements, values::Row};
use crate::{
    dialect::{
        blocks::{Limits, cut},
        target::Target,
    },
    error::Refused,
    row::RowError,
};
use batch_core::{BoxError, Result};
use serde::Serialize;
use sqlx::{MySqlConnection, mysql::MySqlDatabaseError};

/// Beyond 1,024 rows a statement takes longer than several together.
const LIMITS: Limits = Limits { values: 65_535, rows: 1_024, block: 256 };

impl Plan {
    pub(super) async fn insert<T: Serialize>(&mut self, conn: &mut MySqlConnection, target: &Target, items: &[T]) -> Result<()> {
        let mut todo: Vec<&[T]> = self.blocks.cut(LIMITS, target.columns.len(), items).collect();
        todo.reverse();
        while let Some(block) = todo.pop() {
            let mut row = Row::new(&self.meanings, block.len());
            block.iter().try_for_each(|item| target.bind(item, &mut row))?;
            if row.bytes > self.most_bytes {
                let at = todo.len();
                todo.extend(halves(block, row.bytes)?);
                todo[at..].reverse();
                continue;
            }
            let sql = self.blocks.text(block.len(), || statements::insert(target, self.is_guarded, block.len()));
            run(conn, sql, row.arguments).await.map_err(|error| explain(error, target))?;
        }
        Ok(())
    }
}

/// What to try instead of a block whose statement would be too long, for which the server would close the connection.
pub(super) fn halves<R>(block: &[R], bytes: u64) -> Result<impl Iterator<Item = &[R]> + use<'_, R>, RowError> {
    match block.len() / 2 {
        0 => Err(RowError::new(format!(
            "the item takes about {bytes} bytes, more than the server's max_allowed_packet lets a statement have"
        ))),
        half => Ok(cut(block, half, false)),
    }
}

/// An item that met a row by a key which is not the writer's.
fn explain(error: sqlx::Error, target: &Target) -> BoxError {
    let is_guard = |e: &MySqlDatabaseError| e.number() == statements::IS_OTHER_KEY;
    match &error {
        sqlx::Error::Database(e) if e.try_downcast_ref::<MySqlDatabaseError>().is_some_and(is_guard) => RowError::new(format!(
            "the item has the value of another row in a unique key of table `{}` that is not ({})",
            target.table,
            target.action.key().join(", ")
        ))
        .into(),
        _ => Refused::from(error).into(),
    }
}
