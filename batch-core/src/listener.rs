//! Callbacks around jobs, steps, chunks, errors and skips.

use crate::{
    error::{BoxError, Result},
    execution::{Context, Counts, ExitStatus, JobExecution, Phase, SkipRecord, StepExecution},
    item::Total,
};
use async_trait::async_trait;
use std::time::Duration;

/// Hears what happens; every method has a default that does nothing.
///
/// Given to a job it hears all its steps, given to a step it hears that step. `before_*` are called in the order of declaration,
/// `after_*` in reverse.
///
/// # Behavior
/// - An error of `before_job`, `before_step`, `before_chunk` or `before_commit` fails what was about to happen.
/// - An error of the others is logged and counted, and changes nothing: they run after the commit, with no transaction open.
/// - `on_error` is called at once, also for an error that is then retried or skipped; `on_skip` once an item, when the chunk has
///   committed or finally failed.
/// - What must happen together with the chunk's rows belongs in the writer.
/// - Under [`Durability::Step`](crate::Durability::Step) a crash of the database may take back a chunk that was told of; it is told
///   again when it is done again.
#[async_trait]
pub trait Listener: Send + Sync + 'static {
    /// Before the first step.
    async fn before_job(&self, _job: &JobExecution) -> Result<()> {
        Ok(())
    }

    /// After the last step, with the final status.
    async fn after_job(&self, _job: &JobExecution) -> Result<()> {
        Ok(())
    }

    /// Before a step that is really started; not for one that an earlier try completed.
    async fn before_step(&self, _step: &StepExecution) -> Result<()> {
        Ok(())
    }

    /// After a step, before its end is recorded; may set its exit status.
    async fn after_step(&self, _step: &StepExecution) -> Result<Option<ExitStatus>> {
        Ok(None)
    }

    /// Before a chunk is written.
    async fn before_chunk(&self, _step: &StepExecution) -> Result<()> {
        Ok(())
    }

    /// Just before a chunk commits: the only place where a chunk step's saved context is changed.
    fn before_commit(&self, _context: &mut Context) -> Result<()> {
        Ok(())
    }

    /// After a chunk committed.
    async fn after_chunk(&self, _report: &ChunkReport<'_>) -> Result<()> {
        Ok(())
    }

    /// After a chunk failed for good.
    async fn on_chunk_error(&self, _step: &StepExecution, _error: &(dyn std::error::Error + Send + Sync + 'static)) -> Result<()> {
        Ok(())
    }

    /// When an item fails, before it is decided what to do.
    fn on_error(&self, _error: &ItemError<'_>) {}

    /// When an item was skipped for good.
    fn on_skip(&self, _skip: &SkipRecord) {}
}

/// A committed chunk, as listeners see it, or a unit of work, of which `write_time` and `attempts` alone are measured.
///
/// Times are by the job's clock ([`Job::clock`](crate::Job::clock)). Reading and processing overlap with the writing of the chunks before,
/// where they are [read ahead](crate::ChunkStep::read_ahead): the sum of all times may be more than has passed.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct ChunkReport<'a> {
    /// The step, with its counts and checkpoint after the commit.
    pub step: &'a StepExecution,
    /// What this chunk alone added.
    pub chunk: Counts,
    /// How far the reader is, where it knows.
    pub total: Option<Total>,
    /// Reading its records: retries included, and with [`or_time`](crate::Completion::or_time) the wait for more of them.
    pub read_time: Duration,
    /// Processing its items, retries included, and making them ready to be sent where the writer has an [`encoder`](crate::Writer::encoder).
    pub process_time: Duration,
    /// From the begin of writing to the commit, whatever it took: the wait for a transaction, every attempt, the pauses between them.
    pub write_time: Duration,
    /// How long the transaction that committed was open, and so held its locks: from the answer to its begin to the answer to its commit.
    pub open_time: Duration,
    /// The commit alone: checkpoint and COMMIT, with the wait for the database's disk.
    pub commit_time: Duration,
    /// Transactions that it took; more than one where earlier ones were rolled back.
    pub attempts: u32,
    /// Calls of the writer in the last of them: more than one where refused items were looked for, none where no item was left.
    pub write_calls: u32,
}

impl<'a> ChunkReport<'a> {
    /// A report of `step` with nothing else in it yet, for tests of listeners.
    pub fn new(step: &'a StepExecution) -> Self {
        Self {
            step,
            chunk: Counts::default(),
            total: None,
            read_time: Duration::ZERO,
            process_time: Duration::ZERO,
            write_time: Duration::ZERO,
            open_time: Duration::ZERO,
            commit_time: Duration::ZERO,
            attempts: 1,
            write_calls: 0,
        }
    }
}

/// An item that failed.
#[derive(Debug)]
pub struct ItemError<'a> {
    /// Where.
    pub phase: Phase,
    /// Number of the record since the instance began, where one item is at fault; a write call of several has none.
    pub number: Option<u64>,
    /// Its line, where the reader knows lines.
    pub line: Option<u64>,
    /// Why.
    pub error: &'a BoxError,
}
