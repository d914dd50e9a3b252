//! Updates and deletes rows by their keys.

use super::{LIMITS, Plan, distinct::distinct, statements, values};
use crate::{
    dialect::{
        blocks::{Limits, cut},
        target::{Action, Misses, Target},
    },
    error::Refused,
};
use batch_core::Result;
use futures_util::TryStreamExt;
use serde::Serialize;
use sqlx::{AssertSqlSafe, Either, Executor, SqliteConnection, sqlite::SqliteArguments};
use std::sync::Arc;

const BLOCK: Limits = Limits { rows: 1_024, ..LIMITS };
/// A text of one statement a row is so long; the driver prepares each of them for itself.
const EACH: Limits = Limits { rows: 64, block: 64, ..LIMITS };
/// So few rows are not worth a statement of their own, where others wait.
const FEW: usize = 8;

impl Plan {
    /// Whether SQLite looks each key up, in a block as in a statement for one: where it thinks the table small, it reads all of it instead,
    /// and it may be wrong.
    pub(super) async fn looks_up(conn: &mut SqliteConnection, target: &Target) -> Result<bool> {
        let block = statements::block(target, BLOCK.most(target.columns.len()).min(BLOCK.block));
        let steps = sqlx::query_as(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {block}"))).persistent(false);
        let steps: Vec<(i64, i64, i64, String)> = steps.fetch_all(conn).await.map_err(Refused::from)?;
        Ok(steps.iter().any(|(.., step)| step.starts_with("SEARCH _batch_row ")))
    }

    /// In blocks where that comes to the same: then as many rows as items means that each item met its one row.
    pub(super) async fn by_key<T: Serialize>(
        &mut self,
        conn: &mut SqliteConnection,
        target: &Target,
        misses: Misses,
        items: &[T],
    ) -> Result<()> {
        if !self.in_blocks {
            return self.each(conn, target, misses, items).await;
        }
        let is_delete = matches!(target.action, Action::Delete { .. });
        if !is_delete && distinct(target, items)? < items.len() {
            return self.runs(conn, target, misses, items).await;
        }
        for block in self.blocks.cut(BLOCK, target.columns.len(), items) {
            self.block(conn, target, misses, block).await?;
        }
        Ok(())
    }

    /// Where keys come again: a block ends before the item whose key it has, so that the last one stays.
    async fn runs<T: Serialize>(
        &mut self,
        conn: &mut SqliteConnection,
        target: &Target,
        misses: Misses,
        items: &[T],
    ) -> Result<()> {
        let most = BLOCK.most(target.columns.len()).min(BLOCK.block);
        let mut rest = items;
        while !rest.is_empty() {
            let run = distinct(target, &rest[..rest.len().min(most)])?;
            let (now, after) = rest.split_at(if run < FEW { rest.len().min(EACH.block) } else { run });
            rest = after;
            if run < FEW {
                self.each(conn, target, misses, now).await?;
                continue;
            }
            for block in cut(now, most, false) {
                self.block(conn, target, misses, block).await?;
            }
        }
        Ok(())
    }

    async fn block<T: Serialize>(
        &mut self,
        conn: &mut SqliteConnection,
        target: &Target,
        misses: Misses,
        block: &[T],
    ) -> Result<()> {
        if block.len() == 1 {
            return self.each(conn, target, misses, block).await;
        }
        let sql = self.blocks.text(block.len(), || statements::block(target, block.len()));
        let query = sqlx::query_with(AssertSqlSafe(sql), values(target, block)?);
        let met = query.execute(&mut *conn).await.map_err(Refused::from)?.rows_affected();
        let items = block.len() as u64;
        if met == items {
            return Ok(());
        }
        // Of two items with one key, the second one has no row to delete, but a row to update.
        if matches!(target.action, Action::Delete { .. }) {
            return Ok(misses.judge_all(items, met, met)?);
        }
        let missed = self.missed(conn, target, block).await?;
        let found = items.saturating_sub(missed);
        misses.judge_all(items, found, found)?;
        if met == found { Ok(()) } else { self.each(conn, target, misses, block).await }
    }

    /// How many items have keys that are not in the table.
    async fn missed<T: Serialize>(&mut self, conn: &mut SqliteConnection, target: &Target, block: &[T]) -> Result<u64> {
        let sql = self.missing.text(block.len(), || statements::missing(target, block.len()));
        let query = sqlx::query_scalar_with::<_, i64, _>(AssertSqlSafe(sql), values(target, block)?);
        Ok(query.fetch_one(conn).await.map_err(Refused::from)?.unsigned_abs())
    }

    /// One statement a row, in the order of the items; each reports how many rows it met.
    async fn each<T: Serialize>(
        &mut self,
        conn: &mut SqliteConnection,
        target: &Target,
        misses: Misses,
        items: &[T],
    ) -> Result<()> {
        for block in self.single.cut(EACH, target.columns.len(), items) {
            let values = values(target, block)?;
            let sql = self.single.text(block.len(), || statements::each(target, block.len()));
            for rows in run_each(conn, sql, values).await? {
                misses.judge(rows)?;
            }
        }
        Ok(())
    }
}

/// `sql` holds the statement once for each row: the driver runs them all in one go and reports each.
async fn run_each(conn: &mut SqliteConnection, sql: Arc<str>, values: SqliteArguments) -> Result<Vec<u64>> {
    let mut results = conn.fetch_many(sqlx::query_with(AssertSqlSafe(sql), values));
    let mut changed = Vec::new();
    while let Some(result) = results.try_next().await.map_err(Refused::from)? {
        if let Either::Left(done) = result {
            changed.push(done.rows_affected());
        }
    }
    Ok(changed)
}
