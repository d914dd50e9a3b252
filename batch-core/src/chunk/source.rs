//! Filling a chunk: reading, then processing, with no transaction open.

use super::{
    batch::{Batch, Failure, Skipped},
    hooks::InputHooks,
};
use crate::{
    control::Allowance,
    error::{BadRecord, BoxError, Result, Transient, caused_by, find, panicked},
    execution::Phase,
    item::{Processor, Reader},
    listener::ItemError,
    policy::{Completion, Filling, Retry, Skip},
    step::Listeners,
};
use futures_util::{FutureExt, StreamExt, stream::FuturesOrdered};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The reading half of a chunk step; moves to a task of its own while the chunk before is being written.
pub(super) struct Source<R: Reader, P> {
    pub(super) reader: R,
    pub(super) processor: P,
    pub(super) completion: Completion,
    pub(super) skip: Skip,
    /// The user's retry policy; processing is retried only with one.
    pub(super) retry: Option<Retry>,
    pub(super) concurrent: usize,
    pub(super) item_limit: Option<Duration>,
    pub(super) chunk_limit: Option<Duration>,
    pub(super) hooks: InputHooks<R::Item>,
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
}

impl<R: Reader, P: Processor<R::Item>> Source<R, P> {
    /// Fills `batch` with the next chunk; what goes wrong is in the batch, and judged when its turn comes.
    pub(super) async fn fill(&mut self, batch: &mut Batch<P::Out>) {
        batch.begin(self.next);
        self.items.clear();
        let cancel = self.surroundings.cancel.clone();
        let limit = self.chunk_limit;
        let filling = async {
            self.read(batch).await;
            crate::failpoint!("chunk.read");
            if !batch.stopped && batch.failure.is_none() {
                self.process(batch).await;
            }
            crate::failpoint!("chunk.processed");
        };
        let late = tokio::select! {
            biased;
            late = within(limit, filling) => late,
            () = cancel.cancelled() => {
                batch.stopped = true;
                None
            }
        };
        if let Some(limit) = late {
            let error = format!("reading and processing the chunk took longer than {limit:?}").into();
            batch.failure = Some(Failure { phase: Phase::Process, number: None, line: None, error });
        }
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

    async fn process(&mut self, batch: &mut Batch<P::Out>) {
        batch.outs.reserve(self.items.len());
        if self.concurrent > 1 || self.item_limit.is_some() || self.hooks.copy.is_some() {
            self.process_each(batch).await;
        } else {
            self.process_all(batch).await;
        }
    }

    /// The fast way: one loop over the items, one catch of panics a chunk.
    async fn process_all(&mut self, batch: &mut Batch<P::Out>) {
        let mut items = std::mem::take(&mut self.items);
        let count = items.len();
        {
            let mut rest = items.drain(..);
            while batch.failure.is_none() {
                let caught = if P::IS_SYNC {
                    catch_unwind(AssertUnwindSafe(|| process_now(&self.processor, &mut rest, batch)))
                } else {
                    AssertUnwindSafe(process_rest(&self.processor, &mut rest, batch)).catch_unwind().await
                };
                let error = match caught {
                    Ok(Ok(())) => break,
                    Ok(Err(error)) => error,
                    Err(panic) => panicked("the processor", panic.as_ref()),
                };
                let place = batch.place_of_item(count - rest.len() - 1);
                self.surroundings.on_error(place, &error);
                self.refuse(batch, place, None, error);
            }
        }
        self.items = items;
    }

    /// The careful way: retries, time limits, copies for dead letters, several items at once.
    async fn process_each(&mut self, batch: &mut Batch<P::Out>) {
        let items = std::mem::take(&mut self.items);
        let mut waiting = items.into_iter().enumerate();
        let one = One {
            processor: &self.processor,
            retry: self.retry.as_ref(),
            limit: self.item_limit,
            hooks: &self.hooks,
            surroundings: &self.surroundings,
        };
        let mut flying = FuturesOrdered::new();
        loop {
            while flying.len() < self.concurrent
                && let Some((index, item)) = waiting.next()
            {
                flying.push_back(one.process(batch.place_of_item(index), item));
            }
            let Some((place, outcome)) = flying.next().await else { break };
            match outcome {
                Ok(out) => keep(batch, out),
                Err(Refused { error, item }) => {
                    self.refuse(batch, place, item, error);
                    if batch.failure.is_some() {
                        break;
                    }
                }
            }
        }
    }

    /// Skips an item that the processor refused, or fails the chunk.
    fn refuse(&self, batch: &mut Batch<P::Out>, (number, line): Place, item: Option<R::Item>, error: BoxError) {
        if let Some(item) = &item {
            self.hooks.on_error.iter().for_each(|hook| hook(item, &error));
        }
        if self.skip.matches(&error) && !(self.surroundings.transient)(&error) {
            let letter = item.and_then(|item| self.hooks.letter.and_then(|letter| letter(&item)));
            batch.dropped.push(index(batch.outs.len()));
            batch.skips.push(Skipped::new(Phase::Process, (number, line), letter, error));
        } else {
            batch.failure = Some(Failure { phase: Phase::Process, number: Some(number), line, error });
        }
    }
}

/// Whether a reader passed the record at fault; what it wraps as transient it did not.
pub(super) fn is_bad_record(error: &BoxError) -> bool {
    error.is::<BadRecord>() || (find::<BadRecord>(error).is_some() && !caused_by::<Transient>(error, |_| true))
}

/// What processing one item needs; apart from the source, whose items other tasks must not share.
struct One<'a, In, P> {
    processor: &'a P,
    retry: Option<&'a Retry>,
    limit: Option<Duration>,
    hooks: &'a InputHooks<In>,
    surroundings: &'a Surroundings,
}

impl<In, P> Clone for One<'_, In, P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<In, P> Copy for One<'_, In, P> {}

impl<In: Send, P: Processor<In>> One<'_, In, P> {
    async fn process(self, place: Place, item: In) -> (Place, Result<Option<P::Out>, Refused<In>>) {
        let mut item = item;
        let mut made = 0;
        loop {
            let spare = self.hooks.copy.map(|copy| copy(&item));
            let error = match AssertUnwindSafe(within_item(self.limit, self.processor.process(item))).catch_unwind().await {
                Ok(Ok(out)) => return (place, Ok(out)),
                Ok(Err(error)) => error,
                Err(panic) => panicked("the processor", panic.as_ref()),
            };
            made += 1;
            self.surroundings.on_error(place, &error);
            match (self.retry, spare) {
                (Some(retry), Some(spare)) if retry.again(made, &error, (self.surroundings.transient)(&error)) => {
                    tokio::time::sleep(retry.wait(made, fastrand::f64())).await;
                    item = spare;
                }
                (_, spare) => return (place, Err(Refused { error, item: spare })),
            }
        }
    }
}

/// Number and line of a record.
type Place = (u64, Option<u64>);

/// An item that could not be processed, with its copy where one was kept.
struct Refused<In> {
    error: BoxError,
    item: Option<In>,
}

impl Surroundings {
    fn on_error(&self, (number, line): Place, error: &BoxError) {
        self.listeners.on_error(&ItemError { phase: Phase::Process, number: Some(number), line, error });
    }
}

/// `None` when the deadline passed first; `read_chunk` is cancel-safe but for what it already pushed, which stays.
async fn read_until<R: Reader>(
    reader: &mut R,
    want: usize,
    items: &mut Vec<R::Item>,
    deadline: Option<Instant>,
) -> Option<Result<bool>> {
    let read = AssertUnwindSafe(reader.read_chunk(want, items)).catch_unwind();
    let caught = match deadline {
        None => read.await,
        Some(deadline) => tokio::time::timeout_at(deadline, read).await.ok()?,
    };
    Some(caught.unwrap_or_else(|panic| Err(panicked("the reader", panic.as_ref()))))
}

async fn process_rest<In, P: Processor<In>>(
    processor: &P,
    rest: &mut impl Iterator<Item = In>,
    batch: &mut Batch<P::Out>,
) -> Result<()> {
    for item in rest {
        keep(batch, processor.process(item).await?);
    }
    Ok(())
}

/// [`process_rest`] without futures: they cost more than the whole loop.
fn process_now<In, P: Processor<In>>(processor: &P, rest: &mut impl Iterator<Item = In>, batch: &mut Batch<P::Out>) -> Result<()> {
    for item in rest {
        keep(batch, processor.process_now(item)?);
    }
    Ok(())
}

#[inline]
fn keep<Out>(batch: &mut Batch<Out>, out: Option<Out>) {
    match out {
        Some(out) => batch.outs.push(out),
        None => {
            batch.filtered += 1;
            batch.dropped.push(index(batch.outs.len()));
        }
    }
}

/// Positions within a chunk fit 32 bits: a chunk of more items would not fit memory.
fn index(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

/// Gives the limit back when `work` took longer.
async fn within(limit: Option<Duration>, work: impl Future<Output = ()>) -> Option<Duration> {
    match limit {
        None => {
            work.await;
            None
        }
        Some(limit) => tokio::time::timeout(limit, work).await.is_err().then_some(limit),
    }
}

async fn within_item<Out>(limit: Option<Duration>, work: impl Future<Output = Result<Out>>) -> Result<Out> {
    match limit {
        None => work.await,
        Some(limit) => {
            tokio::time::timeout(limit, work).await.unwrap_or_else(|_| Err(format!("the item took longer than {limit:?}").into()))
        }
    }
}
