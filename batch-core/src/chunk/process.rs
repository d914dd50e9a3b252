//! Processing the items of a chunk: in one loop, or with care for each.

use super::{
    batch::{Batch, Failure, Skipped},
    hooks::InputHooks,
    source::{Surroundings, index},
};
use crate::{
    error::{BoxError, Result, panicked},
    execution::Phase,
    item::{Encoder, Processor},
    listener::ItemError,
    policy::{Retry, Skip},
};
use futures_util::{FutureExt, StreamExt, stream::FuturesOrdered};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::OnceLock,
    time::Duration,
};

/// The processing half of filling; tasks that process several chunks at once share it.
pub(super) struct Processing<In, P: Processor<In>> {
    pub(super) processor: P,
    /// The writer's, which makes filled chunks ready to be sent.
    pub(super) encoder: OnceLock<Encoder<P::Out>>,
    pub(super) skip: Skip,
    /// The user's retry policy; processing is retried only with one.
    pub(super) retry: Option<Retry>,
    pub(super) concurrent: usize,
    pub(super) item_limit: Option<Duration>,
    pub(super) hooks: InputHooks<In>,
    pub(super) surroundings: Surroundings,
}

impl<In: Send, P: Processor<In>> Processing<In, P> {
    /// Processes the items read into the batch's outputs, and makes those ready to be sent.
    pub(super) async fn chunk(&self, items: &mut Vec<In>, batch: &mut Batch<P::Out>) {
        let begun = self.surroundings.clock.uptime();
        batch.outs.reserve(items.len());
        if self.concurrent > 1 || self.item_limit.is_some() || self.hooks.copy.is_some() {
            self.each(items, batch).await;
        } else {
            self.all(items, batch).await;
        }
        batch.encoded = self.encoder.get().and_then(|encoder| encoder.encode(&batch.outs));
        batch.process_time = self.surroundings.clock.uptime().saturating_sub(begun);
        crate::failpoint!("chunk.processed");
    }

    /// The fast way: one loop over the items, one catch of panics a chunk.
    async fn all(&self, items: &mut Vec<In>, batch: &mut Batch<P::Out>) {
        let count = items.len();
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

    /// The careful way: retries, time limits, copies for dead letters, several items at once.
    async fn each(&self, items: &mut Vec<In>, batch: &mut Batch<P::Out>) {
        let mut waiting = items.drain(..).enumerate();
        let mut flying = FuturesOrdered::new();
        loop {
            while flying.len() < self.concurrent
                && let Some((index, item)) = waiting.next()
            {
                flying.push_back(self.one(batch.place_of_item(index), item));
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

    async fn one(&self, place: Place, item: In) -> (Place, Result<Option<P::Out>, Refused<In>>) {
        let mut item = item;
        let mut made = 0;
        loop {
            let spare = self.hooks.copy.map(|copy| copy(&item));
            let error = match AssertUnwindSafe(within_item(self.item_limit, async { self.processor.process(item).await }))
                .catch_unwind()
                .await
            {
                Ok(Ok(out)) => return (place, Ok(out)),
                Ok(Err(error)) => error,
                Err(panic) => panicked("the processor", panic.as_ref()),
            };
            made += 1;
            self.surroundings.on_error(place, &error);
            match (&self.retry, spare) {
                (Some(retry), Some(spare)) if retry.again(made, &error, (self.surroundings.transient)(&error)) => {
                    tokio::time::sleep(retry.wait(made, fastrand::f64())).await;
                    item = spare;
                }
                (_, spare) => return (place, Err(Refused { error, item: spare })),
            }
        }
    }

    /// Skips an item that the processor refused, or fails the chunk.
    fn refuse(&self, batch: &mut Batch<P::Out>, (number, line): Place, item: Option<In>, error: BoxError) {
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

async fn within_item<Out>(limit: Option<Duration>, work: impl Future<Output = Result<Out>>) -> Result<Out> {
    match limit {
        None => work.await,
        Some(limit) => {
            tokio::time::timeout(limit, work).await.unwrap_or_else(|_| Err(format!("the item took longer than {limit:?}").into()))
        }
    }
}
