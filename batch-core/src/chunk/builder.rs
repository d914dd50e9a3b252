//! How a chunk step is put together.

use super::{
    ChunkStep, Durability, Fork, Options,
    hooks::{InputHooks, OutputHooks, json},
};
use crate::{
    error::{BoxError, Result},
    item::{Chain, Identity, Map, Processor, Reader, Then, Writer},
    listener::Listener,
    policy::{Completion, Retry, Skip},
    transaction::{Detached, Ledger, Ledgered, Transactions},
};
use serde::Serialize;
use std::{future::Future, sync::Arc, time::Duration};

/// The place of a writer that is not chosen yet.
#[derive(Debug, Clone, Copy)]
pub struct NoWriter;

/// Holds while no writer is chosen: processors go before it.
#[diagnostic::on_unimplemented(message = "processors go before `.writer(..)`", label = "move this call before `.writer(..)`")]
pub trait BeforeWriter: before_writer::Sealed {}

impl BeforeWriter for NoWriter {}

mod before_writer {
    pub trait Sealed {}
    impl Sealed for super::NoWriter {}
}

impl<R: Reader, T: Transactions> ChunkStep<R, Identity, NoWriter, T>
where
    R::Item: Sync,
{
    pub(crate) fn new(completion: Completion, reader: R, transactions: T) -> Self {
        Self {
            reader,
            processor: Identity,
            writer: NoWriter,
            transactions: Arc::new(transactions),
            completion,
            options: Options::default(),
            fork: None,
            input_hooks: InputHooks::default(),
            output_hooks: OutputHooks::default(),
        }
    }
}

/// Before the writer.
impl<R: Reader, P: Processor<R::Item>, W, T: Transactions> ChunkStep<R, P, W, T> {
    /// Turns each item into another by a closure; its `Err` is the item's.
    pub fn map<O: Send + Sync + 'static>(
        self,
        f: impl Fn(P::Out) -> Result<O> + Send + Sync + 'static,
    ) -> ChunkStep<R, impl Processor<R::Item, Out = O>, NoWriter, T>
    where
        W: BeforeWriter,
    {
        self.chain(Map(move |item| f(item).map(Some)))
    }

    /// Turns each item into another by a closure, or filters it with `Ok(None)`.
    pub fn filter_map<O: Send + Sync + 'static>(
        self,
        f: impl Fn(P::Out) -> Result<Option<O>> + Send + Sync + 'static,
    ) -> ChunkStep<R, impl Processor<R::Item, Out = O>, NoWriter, T>
    where
        W: BeforeWriter,
    {
        self.chain(Map(f))
    }

    /// Keeps the items for which `f` holds; the others are counted as filtered.
    pub fn filter(
        self,
        f: impl Fn(&P::Out) -> bool + Send + Sync + 'static,
    ) -> ChunkStep<R, impl Processor<R::Item, Out = P::Out>, NoWriter, T>
    where
        W: BeforeWriter,
    {
        self.chain(Map(move |item| Ok(f(&item).then_some(item))))
    }

    /// Turns each item into another by an asynchronous closure, which is cloned for each item.
    pub fn then<O: Send + Sync + 'static, Fut: Future<Output = Result<O>> + Send + 'static>(
        self,
        f: impl FnOnce(P::Out) -> Fut + Clone + Send + Sync + 'static,
    ) -> ChunkStep<R, impl Processor<R::Item, Out = O>, NoWriter, T>
    where
        W: BeforeWriter,
    {
        self.chain(Then(f))
    }

    /// Adds a processor.
    pub fn processor<Q: Processor<P::Out>>(self, processor: Q) -> ChunkStep<R, Chain<P, Q>, NoWriter, T>
    where
        W: BeforeWriter,
    {
        self.chain(processor)
    }

    /// Writes to another database than the job's, exactly once: the chunk's rows are committed there together with a ledger row, which
    /// is the step's checkpoint; the job's repository gets a copy of each commit.
    ///
    /// A restart claims the ledger before it opens the reader, which fences a process that was taken over, and goes on from there. Where
    /// the ledger and the repository cannot have come from each other, as when one of them was restored from a backup, the step
    /// fails with kind `NeedsOperator`. `other` keeps its ledger in a table of its own. Commits there wait for the disk.
    pub fn transaction<U: Ledger + Clone>(self, other: &U) -> ChunkStep<R, P, NoWriter, Ledgered<U>>
    where
        W: BeforeWriter,
    {
        let transactions = Ledgered::new(other.clone(), self.transactions.clone());
        self.with(|p| p, NoWriter, Arc::new(transactions))
    }

    /// Commits the checkpoint without a transaction around the writer: for files, brokers, HTTP. Nothing stays open while it writes, and
    /// what it wrote is repeated where the process dies before the checkpoint, unless the writer goes back by itself.
    pub fn without_transaction(self) -> ChunkStep<R, P, NoWriter, Detached>
    where
        W: BeforeWriter,
    {
        let transactions = Detached::new(&*self.transactions);
        self.with(|p| p, NoWriter, Arc::new(transactions))
    }

    /// Sets the writer of what the last processor yields; a tuple writes to several.
    pub fn writer<V: Writer<P::Out, T::Conn>>(self, writer: V) -> ChunkStep<R, P, V, T>
    where
        W: BeforeWriter,
    {
        let transactions = self.transactions.clone();
        self.with(|p| p, writer, transactions)
    }

    fn chain<Q: Processor<P::Out>>(self, processor: Q) -> ChunkStep<R, Chain<P, Q>, NoWriter, T> {
        let transactions = self.transactions.clone();
        self.with(|p| Chain(p, processor), NoWriter, transactions)
    }

    fn with<Q: Processor<R::Item>, V, U>(
        self,
        processor: impl FnOnce(P) -> Q,
        writer: V,
        transactions: Arc<U>,
    ) -> ChunkStep<R, Q, V, U> {
        ChunkStep {
            reader: self.reader,
            processor: processor(self.processor),
            writer,
            transactions,
            completion: self.completion,
            options: self.options,
            fork: None,
            input_hooks: self.input_hooks,
            output_hooks: OutputHooks::default(),
        }
    }
}

/// After the writer.
impl<R: Reader, P: Processor<R::Item>, W, T> ChunkStep<R, P, W, T> {
    /// Leaves out up to so many failing items, each with a skip record; the next one fails the step. Default: 0.
    ///
    /// A number, or a [`Skip`] that chooses by error. The limit counts reading, processing and writing together, in one step execution.
    pub fn skip(mut self, skip: impl Into<Skip>) -> Self {
        self.options.skip = skip.into();
        self
    }

    /// Tries reads, items and chunks again by this policy. Items are copied before they are processed.
    pub fn retry(mut self, retry: Retry) -> Self
    where
        R::Item: Clone,
    {
        self.options.retry = Some(retry);
        self.input_hooks.copy = Some(R::Item::clone);
        self
    }

    /// Keeps the JSON of each item skipped in processing or writing with its skip record. Items are copied before they are processed.
    pub fn dead_letters(mut self) -> Self
    where
        R::Item: Clone + Serialize,
        P::Out: Serialize,
    {
        self.input_hooks.copy = Some(R::Item::clone);
        self.input_hooks.letter = Some(json::<R::Item>);
        self.output_hooks.letter = Some(json::<P::Out>);
        self
    }

    /// Calls `f` with each item that finally failed in processing. Items are copied before they are processed.
    pub fn on_process_error(mut self, f: impl Fn(&R::Item, &BoxError) + Send + Sync + 'static) -> Self
    where
        R::Item: Clone,
    {
        self.input_hooks.copy = Some(R::Item::clone);
        self.input_hooks.on_error.push(Arc::new(f));
        self
    }

    /// Calls `f` with the items of each write call that failed.
    pub fn on_write_error(mut self, f: impl Fn(&[P::Out], &BoxError) + Send + Sync + 'static) -> Self {
        self.output_hooks.on_error.push(Arc::new(f));
        self
    }

    /// Says when committed chunks are on the database's disk. Default: [`Durability::Chunk`], each before the next begins.
    pub fn durability(mut self, durability: Durability) -> Self {
        self.options.durability = durability;
        self
    }

    /// Adds a listener of this step.
    pub fn listener(mut self, listener: impl Listener) -> Self {
        self.options.listeners.push(Arc::new(listener));
        self
    }

    /// Reads and processes up to so many chunks while one is being written. Default: 1; 0 turns it off.
    pub fn read_ahead(mut self, chunks: usize) -> Self {
        self.options.ahead = chunks;
        self
    }

    /// Processes up to so many chunks at once, each on a task of its own, for processors that compute. They are written in the order of
    /// the input, so a restart goes on behind the last of an unbroken row of chunks. Default: 1.
    ///
    /// It pays where processing takes longer than reading and writing, and the runtime has threads for it; a processor that waits gains more
    /// from [`concurrent`](Self::concurrent), which is about the items of one chunk. So many chunks more are in memory, and `on_error` may hear of
    /// items out of their order. A chunk that fails is judged when its turn comes; those processed behind it are dropped, and done again by a
    /// restart.
    ///
    /// # Errors
    /// Kind `Configuration` at the start: no chunk is read ahead (`.read_ahead(0)`, or the reader leaves no connection for it).
    pub fn workers(mut self, chunks: usize) -> Self {
        self.options.workers = chunks.max(1);
        self
    }

    /// Writes up to so many chunks at once, each in a transaction of its own on a connection of its own. They commit in the order of the
    /// input, each with its checkpoint, so a restart goes on behind the last of an unbroken row of chunks. Default: 1.
    ///
    /// The database inserts one chunk while another one commits, which pays where it has a core to spare. The chunks must commute: what
    /// one writes is not seen by the one behind it, and may be locked by it. Each has a copy of the writer.
    ///
    /// # When a chunk fails
    /// Those behind it are rolled back. The one at the front alone may be isolated, retried and judged by limits; what fails further
    /// behind is rolled back, and done again once it is at the front, since it may have needed a row of the chunk before. Where a chunk is
    /// not written by the time that one behind it has waited for some while, it may wait for a lock of that one, which the database cannot
    /// see: the one behind is rolled back. After either the step goes on one chunk at a time for a while. `on_error` and
    /// `on_write_error` hear of attempts at the front alone, and rollbacks behind it are not counted.
    ///
    /// # Errors
    /// Kind `Configuration` at the start: the database takes one transaction at a time (SQLite) or fewer than that (`chunks_at_once` of a
    /// server's options); the writer keeps something outside the transaction, or there is none; the reader leaves no connection to read ahead with.
    pub fn in_flight(mut self, chunks: usize) -> Self
    where
        W: Clone,
    {
        self.fork = (chunks > 1).then_some(Fork { chunks, copy: W::clone });
        self
    }

    /// Processes up to so many items at once, for processors that wait; order is kept. For those that compute see
    /// [`workers`](Self::workers). Default: 1.
    pub fn concurrent(mut self, items: usize) -> Self {
        self.options.concurrent = items.max(1);
        self
    }

    /// Fails an item whose processing takes longer; it may be retried or skipped. Default: none.
    pub fn item_limit(mut self, limit: Duration) -> Self {
        self.options.item_limit = Some(limit);
        self
    }

    /// Fails the step when filling a chunk, or one write call, takes longer. Default: none.
    pub fn chunk_limit(mut self, limit: Duration) -> Self {
        self.options.chunk_limit = Some(limit);
        self
    }

    /// Fails the step when it takes longer in all; the current chunk is ended first. Default: none.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.options.step_limit = Some(limit);
        self
    }
}
