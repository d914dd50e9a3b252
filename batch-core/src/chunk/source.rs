//! Filling a chunk: reading, then processing (`process.rs`), with no transaction open.

use super::{
    batch::{Batch, Failure, Skipped},
    pace::NextSize,
    process::Processing,
};
use crate::{
    clock::Clock,
    control::Allowance,
    error::{BadRecord, BoxError, Result, Transient, caused_by, find, panicked},
    execution::Phase,
    item::{Processor, Reader},
    listener::ItemError,
    policy::{Completion, Filling, Retry, Skip},
    step::Listeners,
};
use futures_util::FutureExt;
use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The reading half of a chunk step; moves to a task of its own while the chunk before is being written.
pub(super) struct Source<R: Reader, P: Processor<R::Item>> {
    pub(super) reader: R,
    pub(super) processing: Arc<Processing<R::Item, P>>,
    pub(super) completion: Completion,
    /// The size of the next chunk, where it is adaptive.
    pub(super) size: Option<NextSize>,
    pub(super) skip: Skip,
    pub(super) retry: Option<Retry>,
    pub(super) chunk_limit: Option<Duration>,
    pub(super) items: Vec<R::Item>,
    /// Number of the next record.
    pub(super) next: u64,
    pub(super) surroundings: Surroundings,
}

/// What filling shares with the run.
#[derive(Clone)]
pub(super) struct Surroundings {
    pub(super) listeners: Listeners,
    pub(super) allowance: Arc<Allowance>,
    /// Cancelled when nobody wants the chunk any more.
    pub(super) cancel: CancellationToken,
    /// Whether a retry may cure an error.
    pub(super) transient: Arc<dyn Fn(&BoxError) -> bool + Send + Sync>,
    pub(super) clock: Arc<dyn Clock>,
}

impl<R: Reader, P: Processor<R::Item>> Source<R, P> {
    /// Fills `batch` with the next chunk; what goes wrong is in the batch, and judged when its turn comes.
    pub(super) async fn fill(&mut self, batch: &mut Batch<P::Out>) {
        let (limit, cancel) = (self.chunk_limit, self.surroundings.cancel.clone());
        let filling = async {
            self.read_chunk(batch).await;
            if batch.is_read() {
                self.processing.chunk(&mut self.items, batch).await;
            }
        };
        let cut = within(limit, &cancel, filling).await;
        batch.cut(cut);
    }

    /// Reads the next chunk into `items`, for somebody else to process.
    pub(super) async fn read_only(&mut self, batch: &mut Batch<P::Out>) {
        let (limit, cancel) = (self.chunk_limit, self.surroundings.cancel.clone());
        let cut = within(limit, &cancel, self.read_chunk(batch)).await;
        batch.cut(cut);
    }

    async fn read_chunk(&mut self, batch: &mut Batch<P::Out>) {
        batch.begin(self.next);
        self.items.clear();
        let begun = self.surroundings.clock.uptime();
        self.read(batch).await;
        crate::failpoint!("chunk.read");
        batch.read_time = self.surroundings.clock.uptime().saturating_sub(begun);
    }

    async fn read(&mut self, batch: &mut Batch<P::Out>) {
        let left = usize::try_from(self.surroundings.allowance.left()).unwrap_or(usize::MAX);
        if left == 0 || self.surroundings.cancel.is_cancelled() {
            batch.stopped = true;
            return;
        }
        self.read_records(batch, left).await;
        batch.read = (self.items.len() + batch.skipped.len()) as u64;
        self.next += batch.read;
        self.surroundings.allowance.spend(batch.read);
        self.reader.take_lines(&mut batch.lines);
        batch.total = self.reader.total();
        match serde_json::to_value(self.reader.position()) {
            Ok(position) => batch.position = position,
            Err(error) => batch.failure = Some(Failure { phase: Phase::Read, number: None, line: None, error: error.into() }),
        }
    }

    /// Reads at most `left` records, until the chunk is full.
    async fn read_records(&mut self, batch: &mut Batch<P::Out>, left: usize) {
        if let Some(size) = &self.size {
            self.completion.resize(size.get());
        }
        batch.size = self.completion.max_items();
        let bytes = self.reader.bytes();
        let mut deadline = self.deadline();
        let mut room = self.completion.max_items().min(left);
        let (mut failed_at, mut made) = (0, 0);
        loop {
            let want = if self.completion.is_by_count() { room } else { self.items.len() + 1 };
            match read_until(&mut self.reader, want, &mut self.items, deadline).await {
                None if self.items.is_empty() && batch.skipped.is_empty() => deadline = self.deadline(),
                None => return,
                Some(Ok(true)) => {}
                Some(Ok(false)) => {
                    batch.end = true;
                    return;
                }
                Some(Err(error)) => {
                    let at = self.items.len() + batch.skipped.len();
                    if at > failed_at {
                        (failed_at, made) = (at, 0);
                    }
                    if !self.read_failed(batch, error, &mut made).await {
                        return;
                    }
                }
            }
            room = self.completion.max_items().min(left.saturating_sub(batch.skipped.len()));
            let filling = Filling { items: self.items.len(), first: batch.first, bytes: self.reader.bytes() - bytes };
            if filling.items >= room
                || self.completion.is_full(&filling)
                || batch.skipped.len() >= self.completion.max_items().max(1000)
            {
                return;
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.completion.max_time().map(|time| Instant::now() + time)
    }

    /// Decides what a failed read means; `false` ends the chunk.
    async fn read_failed(&mut self, batch: &mut Batch<P::Out>, error: BoxError, made: &mut u32) -> bool {
        let bad = is_bad_record(&error);
        let transient = !bad && (self.surroundings.transient)(&error);
        let number = batch.first + (self.items.len() + batch.skipped.len()) as u64;
        let line = find::<BadRecord>(&error).and_then(|b| b.line);
        self.surroundings.listeners.on_error(&ItemError { phase: Phase::Read, number: Some(number), line, error: &error });
        if transient {
            *made += 1;
            let retry = self.retry.clone().unwrap_or_default();
            if retry.again(*made, &error, true) {
                tokio::time::sleep(retry.wait(*made, fastrand::f64())).await;
                return true;
            }
        }
        if bad && self.skip.matches(&error) {
            batch.skipped.push(index(self.items.len()));
            batch.skips.push(Skipped::new(Phase::Read, (number, line), None, error));
            return true;
        }
        batch.failure = Some(Failure { phase: Phase::Read, number: Some(number), line, error });
        false
    }
}

/// Whether a reader passed the record at fault; what it wraps as transient it did not.
pub(super) fn is_bad_record(error: &BoxError) -> bool {
    error.is::<BadRecord>() || (find::<BadRecord>(error).is_some() && !caused_by::<Transient>(error, |_| true))
}

/// `None` when the deadline passed first; `read_chunk` is cancel-safe but for what it already pushed, which stays.
async fn read_until<R: Reader>(
    reader: &mut R,
    want: usize,
    items: &mut Vec<R::Item>,
    deadline: Option<Instant>,
) -> Option<Result<bool>> {
    let read = AssertUnwindSafe(async { reader.read_chunk(want, items).await }).catch_unwind();
    let caught = match deadline {
        None => read.await,
        Some(deadline) => tokio::time::timeout_at(deadline, read).await.ok()?,
    };
    Some(caught.unwrap_or_else(|panic| Err(panicked("the reader", panic.as_ref()))))
}

/// Positions within a chunk fit 32 bits: a chunk of more items would not fit memory.
pub(super) fn index(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

/// Why work on a chunk was given up.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cut {
    /// It took longer than it may.
    Late(Duration),
    /// Nobody wants the chunk any more.
    Unwanted,
}

/// Works for as long as it may, and somebody wants it.
pub(super) async fn within(limit: Option<Duration>, cancel: &CancellationToken, work: impl Future<Output = ()>) -> Option<Cut> {
    let timed = async {
        match limit {
            None => {
                work.await;
                None
            }
            Some(limit) => tokio::time::timeout(limit, work).await.is_err().then_some(Cut::Late(limit)),
        }
    };
    tokio::select! {
        biased;
        cut = timed => cut,
        () = cancel.cancelled() => Some(Cut::Unwanted),
    }
}
