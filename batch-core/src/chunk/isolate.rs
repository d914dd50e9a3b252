//! One write call, or, where items are refused and may be skipped, as many as it takes to find them by halves.

use super::{
    batch::{Batch, Effort, Failure, Skipped},
    sink::{Sink, write_failure},
};
use crate::{
    error::{BoxError, FailedItems, panicked},
    execution::Phase,
    item::{Chunk, Writer},
    listener::ItemError,
    step::{StepRun, is_transient},
    transaction::Transactions,
};
use futures_util::FutureExt;
use std::{panic::AssertUnwindSafe, time::Duration};

/// What was written of a chunk.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) kept: usize,
    pub(super) skips: Vec<Skipped>,
    /// Calls of the writer.
    pub(super) calls: u32,
    /// How long the transaction was open, and how much of that its commit took, where it came to one.
    pub(super) open_time: Duration,
    pub(super) commit_time: Duration,
}

impl Parts {
    /// What the chunk took in all, this attempt being the last.
    pub(super) fn effort(&self, write_time: Duration, attempts: u32) -> Effort {
        let Self { open_time, commit_time, calls: write_calls, .. } = *self;
        Effort { write_time, open_time, commit_time, attempts, write_calls }
    }
}

/// Why a transaction cannot go on.
pub(super) struct Broken {
    pub(super) failure: Failure,
    /// The connection may be busy with a statement that nobody waits for.
    pub(super) busy: bool,
    /// The writer may have made something durable.
    pub(super) flushed: bool,
}

impl Broken {
    pub(super) fn before(failure: Failure) -> Self {
        Self { failure, busy: false, flushed: false }
    }
}

impl<Out, W, T> Sink<W, T, Out>
where
    Out: Send + Sync + 'static,
    W: Writer<Out, T::Conn>,
    T: Transactions,
{
    /// Writes the whole chunk; k refused items of n cost at most 2k * ceil(log2 n) + 1 calls.
    pub(super) async fn write_parts(
        &mut self,
        tx: &mut T::Tx,
        batch: &Batch<Out>,
        run: &StepRun,
        checking: bool,
        parts: &mut Parts,
    ) -> Result<(), Broken> {
        let isolates = self.isolates();
        let mut todo = Vec::new();
        if !batch.outs.is_empty() {
            todo.push((0, batch.outs.len()));
        }
        while let Some((from, to)) = todo.pop() {
            parts.calls += 1;
            let Err(error) = self.write_part(tx, batch, (from, to), isolates, checking).await? else {
                parts.kept += to - from;
                continue;
            };
            self.report(batch, (from, to), run, &error);
            let error = match self.named(error) {
                Ok(failed) => {
                    self.skip_named(batch, (from, to), *failed, run, parts)?;
                    continue;
                }
                Err(error) => error,
            };
            if !isolates || !self.may_skip(&error) {
                return Err(Broken::before(write_failure((to - from == 1).then(|| batch.place(from)), error)));
            }
            if let Err(gone) = self.transactions.rollback_to(tx).await {
                tracing::warn!(error = %gone, "the transaction ended by itself");
                return Err(Broken::before(write_failure(None, error)));
            }
            self.writer.rollback_to(parts.kept);
            if to - from > 1 {
                let middle = from + (to - from) / 2;
                todo.push((middle, to));
                todo.push((from, middle));
            } else {
                self.skip_one(batch, from, error, run, parts)?;
            }
        }
        Ok(())
    }

    /// Whether the error is one of items, and the policy lets them be left out.
    fn may_skip(&self, error: &BoxError) -> bool {
        self.skip.matches(error) && !is_transient(&*self.transactions, error) && !self.transactions.is_fatal(error)
    }

    /// One write call; the outer error ends the transaction.
    async fn write_part(
        &mut self,
        tx: &mut T::Tx,
        batch: &Batch<Out>,
        (from, to): (usize, usize),
        isolates: bool,
        checking: bool,
    ) -> Result<Result<(), BoxError>, Broken> {
        if isolates {
            self.transactions.savepoint(tx).await.map_err(|e| Broken::before(write_failure(None, e)))?;
        }
        let items = batch.chunk(from, to, &self.origin);
        let outcome = call(&mut self.writer, T::conn(tx), items, self.chunk_limit).await.map_err(busy)?;
        match outcome {
            Ok(()) if isolates => Ok(self.transactions.release(tx, checking).await),
            result => Ok(result),
        }
    }

    /// The items that the writer itself names as refused, where skipping is allowed and a transaction does not undo the others.
    fn named(&self, error: BoxError) -> Result<Box<FailedItems>, BoxError> {
        if self.skip.is_set() && !self.transactions.undoes_writes() { error.downcast() } else { Err(error) }
    }

    fn skip_named(
        &self,
        batch: &Batch<Out>,
        (from, to): (usize, usize),
        failed: FailedItems,
        run: &StepRun,
        parts: &mut Parts,
    ) -> Result<(), Broken> {
        parts.kept += (to - from).saturating_sub(failed.0.len());
        for (index, error) in failed.0 {
            if !self.may_skip(&error) {
                return Err(Broken::before(write_failure(Some(batch.place(from + index)), error)));
            }
            self.skip_one(batch, from + index, error, run, parts)?;
        }
        Ok(())
    }

    fn skip_one(&self, batch: &Batch<Out>, index: usize, error: BoxError, run: &StepRun, parts: &mut Parts) -> Result<(), Broken> {
        let skips = run.execution.counts.skips() + (batch.skips.len() + parts.skips.len()) as u64 + 1;
        if !self.skip.allows(skips) {
            return Err(Broken::before(write_failure(Some(batch.place(index)), super::over_limit(&self.skip, error))));
        }
        let letter = self.hooks.letter.and_then(|letter| batch.outs.get(index).and_then(letter));
        parts.skips.push(Skipped::new(Phase::Write, batch.place(index), letter, error));
        Ok(())
    }

    fn report(&self, batch: &Batch<Out>, (from, to): (usize, usize), run: &StepRun, error: &BoxError) {
        let place = (to - from == 1).then(|| batch.place(from));
        run.listeners.on_error(&ItemError {
            phase: Phase::Write,
            number: place.map(|p| p.0),
            line: place.and_then(|p| p.1),
            error,
        });
        self.hooks.on_error.iter().for_each(|hook| hook(&batch.outs[from..to], error));
    }
}

/// Calls the writer; the outer error leaves a connection on which a statement may still run.
pub(super) async fn call<Out, C: Send, W: Writer<Out, C>>(
    writer: &mut W,
    conn: &mut C,
    items: Chunk<'_, Out>,
    limit: Option<Duration>,
) -> Result<Result<(), BoxError>, BoxError> {
    let call = AssertUnwindSafe(async { writer.write(conn, items).await }).catch_unwind();
    let outcome = match limit {
        None => call.await,
        Some(limit) => match tokio::time::timeout(limit, call).await {
            Ok(outcome) => outcome,
            Err(_) => return Err(format!("writing the chunk took longer than {limit:?}").into()),
        },
    };
    outcome.map_err(|panic| panicked("the writer", panic.as_ref()))
}

fn busy(error: BoxError) -> Broken {
    Broken { busy: true, ..Broken::before(write_failure(None, error)) }
}
