//! Processing the items of a chunk: in one loop, or with care for each.

use super::{
    batch::{Batch, Failure, Skipped},
    hooks::InputHooks,
    source::{Source, Surroundings, index},
};
use crate::{
    error::{BoxError, Result, panicked},
    execution::Phase,
    item::{Processor, Reader},
    listener::ItemError,
    policy::Retry,
};
use futures_util::{FutureExt, StreamExt, stream::FuturesOrdered};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

impl<R: Reader, P: Processor<R::Item>> Source<R, P> {
    /// Processes the items read into the batch's outputs.
    pub(super) async fn process(&mut self, batch: &mut Batch<P::Out>) {
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
            let error = match AssertUnwindSafe(within_item(self.limit, async { self.processor.process(item).await }))
                .catch_unwind()
                .await
            {
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
