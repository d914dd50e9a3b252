//! Writing a chunk: attempts, each in a transaction of its own, until one commits.

use super::{
    batch::{Batch, Effort, Failure, Skipped},
    hooks::OutputHooks,
    isolate::{Broken, Parts},
};
use crate::{
    error::{BoxError, Error, ErrorKind},
    execution::{Checkpoint, Context, Counts, Phase, SkipRecord},
    item::{Undo, Writer},
    policy::{Retry, Skip},
    repository::{Commit, Request},
    step::{Decided, StepRun, copied, decide_commit, is_transient},
    transaction::Transactions,
};
use serde_json::Value;
use std::{sync::Arc, time::Duration};

/// The writing half of a chunk step.
pub(super) struct Sink<W, T, Out> {
    pub(super) writer: W,
    pub(super) transactions: Arc<T>,
    pub(super) skip: Skip,
    pub(super) retry: Retry,
    pub(super) chunk_limit: Option<Duration>,
    pub(super) hooks: OutputHooks<Out>,
    /// Instance and step, the beginning of each idempotency key.
    pub(super) origin: Arc<str>,
}

/// What became of a chunk that did not fail the step.
pub(super) enum Written {
    /// Committed; what it added, what an operator asks, and how it went.
    Committed { added: Counts, request: Option<Request>, effort: Effort },
    /// The run was asked to end during a wait between attempts; nothing of the chunk is left.
    Stopped,
}

pub(super) enum Attempt {
    Committed { commit: Box<Commit>, request: Option<Request> },
    Undone { failure: Failure, transient: bool, at_commit: bool },
}

impl<Out, W, T> Sink<W, T, Out>
where
    Out: Send + Sync + 'static,
    W: Writer<Out, T::Conn>,
    T: Transactions,
{
    /// Brings the writer to the last committed state.
    pub(super) async fn open(&mut self, run: &StepRun) -> Result<(), Error> {
        if self.transactions.is_dry_run() {
            return Ok(());
        }
        let checkpoint = &run.execution.checkpoint;
        let saved = (!checkpoint.is_start()).then(|| checkpoint.writer.clone());
        self.writer.open(saved).await.map_err(|e| opening(run, "the writer cannot be opened", e))
    }

    /// Writes and commits `batch`.
    pub(super) async fn write(&mut self, batch: &Batch<Out>, run: &mut StepRun) -> Result<Written, Error> {
        let begun = run.clock.uptime();
        let (mut made, mut checking, mut attempts) = (0, false, 0);
        loop {
            let mut parts = Parts::default();
            attempts += 1;
            let (failure, transient, at_commit) = match self.attempt(batch, run, checking, &mut parts).await? {
                Attempt::Committed { commit, request } => {
                    let effort = parts.effort(run.clock.uptime().saturating_sub(begun), attempts);
                    return Ok(Written::Committed { added: adopted(*commit, run), request, effort });
                }
                Attempt::Undone { failure, transient, at_commit } => (failure, transient, at_commit),
            };
            run.execution.counts.rollbacks += 1;
            if at_commit && !transient && !checking && self.isolates() && self.skip.matches(&failure.error) {
                // Deferred constraints fail at the commit, after every part was accepted: have them examined part by part.
                checking = true;
                continue;
            }
            made += 1;
            if !self.retry.again(made, &failure.error, transient) {
                let skips: Vec<SkipRecord> = parts.skips.into_iter().map(|s| s.record).collect();
                run.listeners.on_skip(&skips);
                let error = self.transactions.explain(failure.error);
                return Err(super::failed(run, Failure { error, ..failure }));
            }
            run.back_off(&self.retry, made).await;
            if run.ending()? {
                return Ok(Written::Stopped);
            }
        }
    }

    /// One attempt; what it wrote and left out before it broke is in `parts`.
    async fn attempt(
        &mut self,
        batch: &Batch<Out>,
        run: &mut StepRun,
        checking: bool,
        parts: &mut Parts,
    ) -> Result<Attempt, Error> {
        crate::failpoint!("chunk.beginning");
        let begun = match self.writer.uses_connection() {
            true => self.transactions.begin().await,
            false => self.transactions.begin_late().await,
        };
        let mut tx = match begun {
            Ok(tx) => tx,
            Err(error) => return Ok(self.undone(write_failure(None, error), false)),
        };
        let opened = run.clock.uptime();
        crate::failpoint!("chunk.begun");
        let done = match self.write_parts(&mut tx, batch, run, checking, parts).await {
            Ok(()) => make_commit(&mut self.writer, self.transactions.is_dry_run(), batch, parts, run).await,
            Err(broken) => Err(broken),
        };
        let commit = match done {
            Ok(commit) => commit,
            Err(broken) => {
                give_up(&*self.transactions, tx, broken.busy).await;
                self.reset(run, broken.flushed).await?;
                return Ok(self.undone(broken.failure, false));
            }
        };
        let attempt = commit_chunk(&*self.transactions, tx, commit, opened, parts, run).await?;
        if matches!(attempt, Attempt::Undone { .. }) {
            self.reset(run, true).await?;
        }
        Ok(attempt)
    }

    /// Brings the writer back to the last committed state: by rewinding, or by opening it again where it may have flushed.
    async fn reset(&mut self, run: &StepRun, flushed: bool) -> Result<(), Error> {
        self.writer.rollback_to(0);
        if flushed { self.open(run).await } else { Ok(()) }
    }

    fn undone(&self, failure: Failure, at_commit: bool) -> Attempt {
        let transient = is_transient(&*self.transactions, &failure.error);
        Attempt::Undone { failure, transient, at_commit }
    }

    /// Whether all that is written is undone with its transaction.
    pub(super) fn is_transactional(&self) -> bool {
        self.transactions.undoes_writes() && self.writer.is_transactional()
    }

    /// Whether a refused chunk can be written again by halves.
    pub(super) fn isolates(&self) -> bool {
        self.skip.is_set() && (self.transactions.undoes_writes() || self.writer.undo() != Undo::Transaction)
    }
}

/// Takes over what was committed; what it added.
pub(super) fn adopted(mut commit: Commit, run: &mut StepRun) -> Counts {
    let (added, skips) = (commit.added, std::mem::take(&mut commit.skips));
    run.committed(commit);
    run.listeners.on_skip(&skips);
    added
}

/// Commits a chunk that was written, and settles what became of that.
pub(super) async fn commit_chunk<T: Transactions>(
    transactions: &T,
    tx: T::Tx,
    mut commit: Commit,
    opened: Duration,
    parts: &mut Parts,
    run: &mut StepRun,
) -> Result<Attempt, Error> {
    crate::failpoint!("chunk.committing");
    let committing = run.clock.uptime();
    let outcome = transactions.commit(tx, &commit).await;
    let committed = run.clock.uptime();
    (parts.open_time, parts.commit_time) = (committed.saturating_sub(opened), committed.saturating_sub(committing));
    match decide_commit(run, transactions, outcome).await? {
        Decided::Committed(request) => {
            let request = copied(run, transactions, &mut commit, request).await?;
            crate::failpoint!("chunk.committed");
            Ok(Attempt::Committed { commit: Box::new(commit), request })
        }
        Decided::Undone { error, transient } => {
            Ok(Attempt::Undone { failure: write_failure(None, error), transient, at_commit: true })
        }
    }
}

/// Makes the writer's part durable, asks listeners for the context, and puts the commit together.
pub(super) async fn make_commit<Out, C, W: Writer<Out, C>>(
    writer: &mut W,
    dry: bool,
    batch: &Batch<Out>,
    parts: &Parts,
    run: &StepRun,
) -> Result<Commit, Broken> {
    crate::failpoint!("chunk.written");
    let context = changed_context(run).map_err(|e| Broken::before(write_failure(None, e)))?;
    let state = if dry {
        writer.rollback_to(0);
        Value::Null
    } else {
        writer.flush().await.map_err(|e| Broken { flushed: true, ..Broken::before(write_failure(None, e)) })?
    };
    crate::failpoint!("chunk.flushed");
    let added = Counts { written: parts.kept as u64, write_skips: parts.skips.len() as u64, ..batch.counts() };
    let checkpoint =
        Checkpoint { version: Checkpoint::VERSION, read: batch.first + batch.read, reader: batch.position.clone(), writer: state };
    let mut skips: Vec<_> = batch.skips.iter().chain(&parts.skips).map(|s: &Skipped| s.record.clone()).collect();
    skips.sort_by_key(|skip| skip.number);
    Ok(run.commit(added, checkpoint, context, skips))
}

/// Ends a transaction that is not committed. Its rows vanish even where this fails: the connection is closed then.
pub(super) async fn give_up<T: Transactions>(transactions: &T, tx: T::Tx, busy: bool) {
    if busy {
        transactions.abandon(tx).await;
    } else if let Err(error) = transactions.rollback(tx).await {
        tracing::warn!(%error, "a rollback failed; the connection is given up");
    }
}

/// The error of a component that could not be opened: its own kind where it has one, else a configuration error.
pub(super) fn opening(run: &StepRun, message: &str, error: BoxError) -> Error {
    let kind = error.downcast_ref::<Error>().map_or(ErrorKind::Failed, Error::kind);
    run.error(kind, message).because(error)
}

pub(super) fn write_failure(place: Option<(u64, Option<u64>)>, error: BoxError) -> Failure {
    Failure { phase: Phase::Write, number: place.map(|p| p.0), line: place.and_then(|p| p.1), error }
}

/// The context as listeners want it saved, where they changed it.
fn changed_context(run: &StepRun) -> Result<Option<Context>, BoxError> {
    if run.listeners.is_empty() {
        return Ok(None);
    }
    let mut context = run.execution.context.clone();
    for listener in run.listeners.each() {
        listener.before_commit(&mut context)?;
    }
    Ok((context != run.execution.context).then_some(context))
}
