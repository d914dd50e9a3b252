//! Updates and deletes rows by their keys.

use super::{
    Plan,
    insert::halves,
    run, statements,
    values::{self, Kept, Own},
};
use crate::{
    dialect::{
        blocks::{Limits, cut},
        target::{Action, Misses, Target},
    },
    error::Refused,
};
use batch_core::Result;
use serde::Serialize;
use sqlx::{MySqlConnection, mysql::MySqlArguments};

/// An update compares a row's key with all those before it, once a column: beyond 32 rows that costs more than it saves.
const UPDATE: Limits = Limits { values: 65_535, rows: 32, block: 32 };
const DELETE: Limits = Limits { values: 65_535, rows: 128, block: 128 };

type Row = Vec<Own>;

impl Plan {
    /// In blocks where the key is unique: then as many rows as keys means that each key met its one row.
    pub(super) async fn by_key<T: Serialize>(
        &mut self,
        conn: &mut MySqlConnection,
        target: &Target,
        misses: Misses,
        items: &[T],
    ) -> Result<()> {
        let limits = if matches!(target.action, Action::Delete { .. }) { DELETE } else { UPDATE };
        let most = if self.is_unique { limits.most(places(target).len()) } else { 1 };
        for block in cut(items, most, false) {
            let rows = self.rows(target, block)?;
            self.blocks_by_key(conn, target, misses, &rows).await?;
        }
        Ok(())
    }

    fn rows<T: Serialize>(&self, target: &Target, items: &[T]) -> Result<Vec<Row>> {
        let mut rows = Vec::with_capacity(items.len());
        for item in items {
            let mut kept = Kept::new(&self.meanings);
            target.bind(item, &mut kept)?;
            rows.push(kept.values);
        }
        Ok(rows)
    }

    async fn blocks_by_key(&mut self, conn: &mut MySqlConnection, target: &Target, misses: Misses, rows: &[Row]) -> Result<()> {
        let mut todo = vec![rows];
        while let Some(block) = todo.pop() {
            let bytes: u64 = arguments(target, block).map(|value| values::size(value.fitted())).sum();
            if bytes > self.most_bytes {
                let at = todo.len();
                todo.extend(halves(block, bytes)?);
                todo[at..].reverse();
                continue;
            }
            let met = self.run_by_key(conn, target, block).await?;
            match &target.action {
                _ if met == block.len() as u64 => {}
                Action::Update { .. } if block.len() > 1 => self.one_by_one(conn, target, misses, block).await?,
                _ => misses.judge_all(block.len() as u64, met.min(block.len() as u64), met)?,
            }
        }
        Ok(())
    }

    /// Updates again in the order of the items: so the last of several items of one key stays, and a miss is found.
    async fn one_by_one(&mut self, conn: &mut MySqlConnection, target: &Target, misses: Misses, rows: &[Row]) -> Result<()> {
        for row in rows.chunks(1) {
            misses.judge(self.run_by_key(conn, target, row).await?)?;
        }
        Ok(())
    }

    /// How many rows the statement met, changed or not: the driver always asks for those found (CLIENT_FOUND_ROWS).
    async fn run_by_key(&mut self, conn: &mut MySqlConnection, target: &Target, rows: &[Row]) -> Result<u64> {
        let sql = self.blocks.text(rows.len(), || statements::by_key(target, rows.len()));
        let mut bound = MySqlArguments::default();
        arguments(target, rows).for_each(|value| values::bind(&mut bound, value.fitted()));
        Ok(run(conn, sql, bound).await.map_err(Refused::from)?)
    }
}

/// The values for the placeholders, in their order: for each column that is set, each row's key and value; then each row's key.
fn arguments<'r>(target: &Target, rows: &'r [Row]) -> impl Iterator<Item = &'r Own> + use<'r> {
    let parts: Vec<Vec<usize>> = parts(target);
    parts.into_iter().flat_map(move |part| rows.iter().flat_map(move |row| part.clone().into_iter().map(move |at| &row[at])))
}

/// The places of a row's values in each part of the statement.
fn parts(target: &Target) -> Vec<Vec<usize>> {
    let key = target.key_places();
    let deletes = matches!(target.action, Action::Delete { .. });
    let set = if deletes { Vec::new() } else { target.other_places() };
    let cases = set.into_iter().map(|other| key.iter().copied().chain([other]).collect());
    cases.chain([key.clone()]).collect()
}

/// The places of a row's values in the whole of it.
fn places(target: &Target) -> Vec<usize> {
    parts(target).concat()
}
