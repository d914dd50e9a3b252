//! Reads a table that is a queue: each row is claimed by one step at a time.

mod batch;
mod builder;
mod plan;
mod release;

use super::{fault, order, source::SqlSource, task::Work, value::KeyValue};
use batch::{Batch, Claimed, Row};
use batch_core::{JobExplorer, Reader, Result};
use plan::Plan;
use serde::{Deserialize, Serialize};
use std::{collections::VecDeque, fmt, sync::Arc};

/// Reads the rows of a queue-like table that nobody else works on, and marks them as this step's: Spring's process indicator.
///
/// ```
/// # use batch_core::{Job, Result};
/// # use batch_sql::{Claim, Postgres, SqlWriter};
/// #[derive(sqlx::FromRow)]
/// struct Task { id: i64, what: String }
///
/// // CREATE TABLE queue (id BIGINT PRIMARY KEY, what TEXT NOT NULL, status TEXT NOT NULL, claimed_by VARCHAR(50))
/// # fn example(db: &Postgres) -> Job<Postgres> {
/// Job::new("work", db).step("tasks", |s| {
///     let tasks = Claim::<Task, _>::table(s, s.database(), "queue")
///         .key(["id"])
///         .pending("status = ?").bind("NEW")
///         .claimed_by("claimed_by");
///     Ok(s.chunk(50, tasks).writer(SqlWriter::new("UPDATE queue SET status = 'DONE' WHERE id = $1", |q, t: &Task| q.bind(t.id))))
/// })
/// # }
/// ```
///
/// Any number of steps may read one table at once, in any number of processes: each row goes to one of them. A batch is claimed in a
/// short transaction of its own, on a connection that is given back with it: the rows that are pending and unclaimed, in the order of
/// the key, without those that others hold locked at that moment. `claimed_by` is then `execution/step execution`, so that the column
/// must hold a text of 40 characters. Items show the rows as they were before. An index of the pending rows by the key makes it cheap.
///
/// **The writer must take each row out of what is pending**, in its chunk's transaction. Then a row is done exactly once: a claim only
/// keeps others off. Rows that the step leaves out (skipped or filtered) stay pending and claimed until it ends, and come again in the
/// next run.
///
/// # Claims of those who are gone
/// When the step starts, and again at the end of the queue, claims whose step is over are released, and this step's own when it ends.
/// A process that was killed is over when its execution is taken over, which its next launch does. A claim of an execution that the
/// repository does not know is left alone: so all jobs that read one queue must share a repository.
///
/// # Errors
/// As [`Keyset`](crate::Keyset)'s: [`BadRecord`](batch_core::BadRecord) for a row that is no `T`,
/// [`Transient`](batch_core::Transient) for lost connections and locks; `Configuration` for a key that is not known to be unique.
///
/// # Restart
/// The rows say what is left to do, so that the position only counts. A restart claims what is pending then.
pub struct Claim<T, D: SqlSource<T>> {
    source: D,
    plan: Arc<Plan<D>>,
    explorer: Arc<dyn JobExplorer>,
    rows: VecDeque<Row<T>>,
    /// Keys whose claim may have been committed, although its answer was lost.
    doubtful: Vec<Vec<KeyValue>>,
    position: ClaimPosition,
    claiming: Work<Claimed<T>>,
}

/// How many rows a [`Claim`] consumed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimPosition {
    rows: u64,
}

impl<T: Send + 'static, D: SqlSource<T>> Claim<T, D> {
    /// The next row at hand.
    fn next(&mut self) -> Option<Result<T>> {
        let (item, key) = self.rows.pop_front()?;
        self.position.rows += 1;
        Some(item.map_err(|error| fault::bad_record(error, order::place(&order::words(&self.plan.key), &key))))
    }

    /// Claims more rows; `false` at the end.
    async fn more(&mut self) -> Result<bool> {
        let (source, plan, explorer) = (&self.source, &self.plan, &self.explorer);
        let doubtful = &self.doubtful;
        let begin = || {
            let batch = Batch { source: source.clone(), plan: plan.clone(), doubtful: doubtful.clone() };
            Ok(claim_or_release(batch, explorer.clone()))
        };
        match self.claiming.outcome(begin).await? {
            Claimed::Rows(rows) => {
                self.doubtful.clear();
                self.rows = rows.into();
                Ok(!self.rows.is_empty())
            }
            Claimed::Doubtful(keys, error) => {
                self.doubtful = keys;
                Err(fault::reading(&plan.relation.name(), error))
            }
        }
    }
}

/// At the end of the queue there may be rows that somebody claimed who is gone by now.
async fn claim_or_release<T: Send + 'static, D: SqlSource<T>>(
    batch: Batch<D>,
    explorer: Arc<dyn JobExplorer>,
) -> Result<Claimed<T>> {
    let claimed = batch.claim().await?;
    if !claimed.is_end() || release::closed(&batch.source, &batch.plan, &*explorer).await? == 0 {
        return Ok(claimed);
    }
    batch.claim().await
}

impl<T: Send + 'static, D: SqlSource<T>> Reader for Claim<T, D> {
    type Item = T;
    type Position = ClaimPosition;

    async fn open(&mut self, resume: Option<ClaimPosition>) -> Result<()> {
        Arc::make_mut(&mut self.plan).prepare(&self.source).await?;
        (self.rows, self.doubtful) = (VecDeque::new(), Vec::new());
        self.position = resume.unwrap_or_default();
        release::closed(&self.source, &self.plan, &*self.explorer).await?;
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

    fn position(&self) -> ClaimPosition {
        self.position
    }

    /// What is still claimed goes to others at once. Where that fails, it goes when one of them finds this step closed.
    async fn close(&mut self) -> Result<()> {
        self.claiming.settle().await;
        self.rows.clear();
        if !self.plan.mark.is_empty() {
            let _ = release::own(&self.source, &self.plan).await;
        }
        Ok(())
    }
}

impl<T, D: SqlSource<T>> fmt::Debug for Claim<T, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim").field("plan", &self.plan).field("position", &self.position).finish_non_exhaustive()
    }
}
