//! The connection that runs the repository's statements.

use super::{Answer, Cell, Row, Statement};
use async_trait::async_trait;
use futures_util::{Stream, TryStreamExt};
use sqlx::{Column, Either};
use std::{pin::pin, sync::Arc};

/// A driver's connection, as the repository uses it: once a chunk at most, so a box a call does not matter.
#[async_trait]
pub trait Link: Send {
    /// Runs one statement with its values.
    async fn run(&mut self, statement: Statement) -> Result<Answer, sqlx::Error>;

    /// Runs several statements without values, in one round trip; the first that fails ends it.
    async fn script(&mut self, text: Arc<str>) -> Result<Answer, sqlx::Error>;
}

/// Columns of a row, by name.
pub(crate) trait Named: sqlx::Row {
    /// The fields, decoded by their types.
    fn cells(&self) -> Result<Vec<Cell>, sqlx::Error>;
}

/// What a driver's result says beside its rows.
pub(crate) struct Done {
    pub(crate) changed: u64,
    pub(crate) inserted: i64,
}

/// Reads everything that a driver returns.
pub(crate) async fn collect<R: Named, Q>(
    results: impl Stream<Item = Result<Either<Q, R>, sqlx::Error>>,
    done: impl Fn(&Q) -> Done,
) -> Result<Answer, sqlx::Error> {
    let mut results = pin!(results);
    let mut answer = Answer::default();
    let mut names: Option<Arc<[String]>> = None;
    while let Some(result) = results.try_next().await? {
        match result {
            Either::Left(result) => {
                let Done { changed, inserted } = done(&result);
                answer.changed = changed;
                answer.inserted = inserted;
                answer.ends.push(answer.rows.len());
                // The next result set has columns of its own.
                names = None;
            }
            Either::Right(row) => {
                let names = names.get_or_insert_with(|| row.columns().iter().map(|c| c.name().to_owned()).collect()).clone();
                answer.rows.push(Row { names, cells: row.cells()? });
            }
        }
    }
    Ok(answer)
}

/// The error of a column whose type no table of the repository has.
pub(crate) fn unknown_type(column: &str, name: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("column {column} has the type {name}, which the repository does not use").into())
}
