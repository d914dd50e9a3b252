//! Reads one query to its end.

mod running;

use super::{
    bound::Bound,
    fault,
    source::{Bind, SqlSource, Streamed, Window},
    task::broken,
    text,
};
use batch_core::{Error, ErrorKind, Reader, Result};
use running::{Running, run};
use serde::{Deserialize, Serialize};
use std::{collections::VecDeque, fmt};

/// Rows sent from the connection at a time, unless it is told otherwise.
const BATCH: usize = 500;

/// Reads the rows of one query in its order, over one connection that it keeps until it is closed: for queries that have no key.
///
/// ```
/// # use batch_sql::{Database, SqlCursor};
/// # async fn example(db: &Database) {
/// let reader = SqlCursor::<(i64, String), _>::query(db, "SELECT id, sku FROM product WHERE price > ? ORDER BY sku, id").bind(9.5);
/// # }
/// ```
///
/// [`Keyset`](crate::Keyset) is the better choice where there is a key: it keeps no connection, and restarts where it stood. With the
/// job's own handle the connection counts as one of the job's, and a step whose pool is too small refuses to start.
///
/// # What it costs the database
/// - PostgreSQL runs it as a cursor WITH HOLD: the server runs the query to its end and keeps the rows, on disk where they are many, before
///   the first one is read. So no snapshot stays open, which would slow down every checkpoint in the same server the longer it stays,
///   and no time limit for idle transactions applies.
/// - MySQL and MariaDB send the rows as they are read. A reader that rests longer than `net_write_timeout` (60 s) loses its connection.
/// - SQLite keeps a snapshot: the write-ahead log grows until the reader is closed.
///
/// Memory is bounded by three batches of rows.
///
/// # Errors
/// A row that is no `T` is a [`BadRecord`](batch_core::BadRecord) with the row's number as the raw text. A lost connection, or none, is
/// [`Transient`](batch_core::Transient): the query is run again, and the rows that were consumed are passed over.
///
/// # Restart
/// The position is the number of rows consumed, so that the query must have an `ORDER BY` that leaves no two rows equal; one without any
/// is refused (`Configuration`). The rows consumed are passed over, so they must still be there: if fewer are, it refuses
/// (`NeedsOperator`).
pub struct SqlCursor<T, D: SqlSource<T>> {
    source: D,
    sql: String,
    bound: Bound<D>,
    batch: usize,
    rows: VecDeque<Result<T, sqlx::Error>>,
    position: CursorPosition,
    running: Option<Running<T>>,
    ended: bool,
}

/// How many rows a [`SqlCursor`] consumed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CursorPosition {
    rows: u64,
}

impl<T: Send + 'static, D: SqlSource<T>> SqlCursor<T, D> {
    /// Reads the rows of `sql`, where `?` stands for the values bound, in their order; write `??` for PostgreSQL's operator `?`.
    pub fn query(database: &D, sql: &str) -> Self {
        Self {
            source: database.clone(),
            sql: sql.to_owned(),
            bound: Bound::new(database),
            batch: BATCH,
            rows: VecDeque::new(),
            position: CursorPosition::default(),
            running: None,
            ended: false,
        }
    }

    /// The value of the next `?`: any type that sqlx can bind there.
    #[must_use]
    pub fn bind<V>(mut self, value: V) -> Self
    where
        D: Bind<V>,
    {
        self.bound.add(value);
        self
    }

    /// Rows taken from the connection at a time, at least 1. Default: 500.
    #[must_use]
    pub fn batch_size(mut self, rows: usize) -> Self {
        self.batch = rows.max(1);
        self
    }

    /// The next row at hand.
    fn next(&mut self) -> Option<Result<T>> {
        let row = self.rows.pop_front()?;
        self.position.rows += 1;
        Some(row.map_err(|error| fault::bad_record(error, format!("row {}", self.position.rows))))
    }

    /// Waits for more rows; `false` at the end. Cancel-safe: nothing is taken from the channel before all that is awaited is there.
    async fn more(&mut self) -> Result<bool> {
        if self.ended {
            return Ok(false);
        }
        let running = match &mut self.running {
            Some(running) => running,
            none => none.insert(run(&self.source, &self.sql, &self.bound, Window { pass: self.position.rows, batch: self.batch })),
        };
        if let Some(rows) = running.rows.recv().await {
            self.rows = rows.into();
            return Ok(true);
        }
        let outcome = (&mut running.task).await;
        self.running = None;
        self.judge(outcome.map_err(broken)?)?;
        Ok(false)
    }

    fn judge(&mut self, outcome: Result<Streamed, sqlx::Error>) -> Result<()> {
        match outcome {
            Ok(Streamed::All | Streamed::Unheard) => {
                self.ended = true;
                Ok(())
            }
            Ok(Streamed::TooShort(found)) => {
                let message = format!(
                    "the query has {found} rows now, but {} were committed: restore the rows before a restart",
                    self.position.rows
                );
                Err(Error::new(ErrorKind::NeedsOperator, message).into())
            }
            Err(error) => Err(fault::reading("the query", error)),
        }
    }
}

impl<T: Send + 'static, D: SqlSource<T>> Reader for SqlCursor<T, D> {
    type Item = T;
    type Position = CursorPosition;

    async fn open(&mut self, resume: Option<CursorPosition>) -> Result<()> {
        let flavor = self.source.flavor();
        self.bound.check(&self.source, &self.sql)?;
        if !text::says(flavor, &self.sql, &["ORDER", "BY"]) {
            let message =
                "the query has no ORDER BY, so that a restart could not tell which rows were read: sort it, no two rows equal";
            return Err(fault::mistake(message));
        }
        self.position = resume.unwrap_or_default();
        (self.rows, self.ended) = (VecDeque::new(), false);
        let window = Window { pass: self.position.rows, batch: self.batch };
        self.running = Some(run(&self.source, &self.sql, &self.bound, window));
        Ok(())
    }

    async fn read(&mut self) -> Result<Option<T>> {
        loop {
            if let Some(item) = self.next() {
                return item.map(Some);
            }
            if !self.more().await? {
                return Ok(None);
            }
        }
    }

    fn position(&self) -> CursorPosition {
        self.position
    }

    fn connections(&self) -> usize {
        self.source.counts()
    }

    async fn close(&mut self) -> Result<()> {
        self.rows.clear();
        if let Some(mut running) = self.running.take() {
            running.task.abort();
            let _ = (&mut running.task).await;
        }
        Ok(())
    }
}

impl<T, D: SqlSource<T>> fmt::Debug for SqlCursor<T, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlCursor").field("sql", &self.sql).field("position", &self.position).finish_non_exhaustive()
    }
}
