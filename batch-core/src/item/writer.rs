//! The contract of a writer, and the chunk it is given.

use super::encoder::{Encoded, Encoder};
use crate::error::Result;
use serde_json::Value;
use std::{any::Any, future::Future, ops::Deref};

/// Writes the items of a chunk, with the driver's own connection inside the chunk's transaction.
///
/// Only `write` is required; the rest is for writers that keep effects outside the transaction (files, brokers).
///
/// # Behavior
/// - `open` is called once before all else, with what the last committed `flush` returned, and again after a commit that failed:
///   the writer then goes back to exactly that state.
/// - `open` changes nothing that was ever committed: the engine makes sure only after it that the step is still its own, or, of a
///   writer that keeps nothing outside the transaction, with each commit. Locks that it takes keep others away from there on, so what is
///   to be removed is removed by the first `flush`.
/// - `write` gets at most a chunk. It may be called several times between two flushes: when the chunk is written again, or by
///   halves to find the items at fault.
/// - `Err` of `write` means that none of its items is written, unless it is a [`FailedItems`](crate::FailedItems). A
///   [`RefusedItem`](crate::RefusedItem) says which item is at fault.
/// - `rollback_to(n)` follows every rollback: only the first `n` items written since the last flush stay.
/// - `flush` makes what was written durable before the checkpoint names it.
/// - `finish` is called when the step has committed its last chunk, before the step is COMPLETED; a restart may call it again.
/// - `close` is called once, after success and after failure, also when `open` failed.
/// - In a dry run only `write` and `rollback_to(0)` are called: `write` must not reach outside without `flush`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot write `{Item}` items in a `{Conn}` transaction",
    label = "not a writer of `{Item}` in `{Conn}`",
    note = "items are the last processor's output; the transaction is the job's database unless `.transaction(..)` says otherwise",
    note = "`NoWriter`: call `.writer(w)` · a writer of files or messages implements `Writer<Item, Conn>` for every `Conn`"
)]
pub trait Writer<Item, Conn = ()>: Send + 'static {
    /// Writes all items, or none of them.
    fn write(&mut self, conn: &mut Conn, items: Chunk<'_, Item>) -> impl Future<Output = Result<()>> + Send;

    /// Makes the writer ready, at the state that `saved` describes.
    fn open(&mut self, saved: Option<Value>) -> impl Future<Output = Result<()>> + Send {
        let _ = saved;
        async { Ok(()) }
    }

    /// Keeps the first `items` written since the last flush and forgets the rest. An absolute count, so that composites agree.
    fn rollback_to(&mut self, items: usize) {
        let _ = items;
    }

    /// Makes what was written durable; returns what `open` gets on a restart.
    fn flush(&mut self) -> impl Future<Output = Result<Value>> + Send {
        async { Ok(Value::Null) }
    }

    /// Publishes the whole, once everything is committed.
    fn finish(&mut self) -> impl Future<Output = Result<()>> + Send {
        async { Ok(()) }
    }

    /// Lets go of what `open` took.
    fn close(&mut self) -> impl Future<Output = Result<()>> + Send {
        async { Ok(()) }
    }

    /// What undoes a `write`. Default: the transaction.
    fn undo(&self) -> Undo {
        Undo::Transaction
    }

    /// Whether everything that it writes is in the transaction, and nothing is kept beside it. Default: where `undo` says so.
    ///
    /// [`Durability::Step`](crate::Durability::Step) and [`ChunkStep::in_flight`](crate::ChunkStep::in_flight) ask for it.
    fn is_transactional(&self) -> bool {
        self.undo() == Undo::Transaction
    }

    /// Whether `write` uses the connection that it is lent. Default: it does.
    ///
    /// Where it does not, as for files, the chunk's transaction may begin together with its commit, which saves a round trip.
    fn uses_connection(&self) -> bool {
        true
    }

    /// What makes the items of a chunk ready to be sent, where that can be done without the connection. Default: nothing.
    ///
    /// Asked for before each chunk is written. The engine calls it with the items of the next one, on another thread and before the
    /// transaction of that begins; so `write` has less to do while a transaction is open. Not called for parts of a chunk.
    fn encoder(&self) -> Option<Encoder<Item>> {
        None
    }
}

/// What undoes a writer's effects; decides whether a chunk can be written again by halves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Undo {
    /// The transaction that the connection is in, and nothing else.
    Transaction,
    /// [`Writer::rollback_to`].
    Rewind,
    /// Nothing has to: writing an item twice is the same as writing it once.
    Idempotent,
}

/// The items of one write call.
pub struct Chunk<'a, T> {
    items: &'a [T],
    numbers: Numbers<'a>,
    origin: &'a str,
    encoded: Option<&'a Encoded>,
}

/// Which record each item of a chunk came from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Numbers<'a> {
    /// All but those dropped on the way.
    Gaps(Gaps<'a>),
    /// These, as offsets from the first.
    Listed(u64, &'a [u32]),
}

impl Numbers<'_> {
    fn at(&self, index: usize) -> u64 {
        match self {
            Self::Gaps(gaps) => gaps.at(index),
            Self::Listed(first, offsets) => first + offsets.get(index).copied().map_or(0, u64::from),
        }
    }
}

/// Where records were dropped between reading and writing.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Gaps<'a> {
    /// Number of the chunk's first record.
    pub(crate) first: u64,
    /// Index of the first item of this call among the chunk's output items.
    pub(crate) start: usize,
    /// For each item dropped in processing, how many output items were before it; ascending.
    pub(crate) dropped: &'a [u32],
    /// For each record skipped in reading, how many items were before it; ascending.
    pub(crate) skipped: &'a [u32],
}

impl Gaps<'_> {
    /// Index of the input item that became output item `index` of this call.
    pub(crate) fn item(&self, index: usize) -> usize {
        let out = self.start + index;
        out + before(self.dropped, out)
    }

    /// Number of the record that became output item `index` of this call.
    pub(crate) fn at(&self, index: usize) -> u64 {
        self.of_item(self.item(index))
    }

    /// Number of the record that became input item `item` of the chunk.
    pub(crate) fn of_item(&self, item: usize) -> u64 {
        self.first + (item + before(self.skipped, item)) as u64
    }
}

fn before(gaps: &[u32], index: usize) -> usize {
    gaps.partition_point(|gap| *gap as usize <= index)
}

impl<'a, T> Chunk<'a, T> {
    pub(crate) fn new(items: &'a [T], numbers: Numbers<'a>, origin: &'a str) -> Self {
        Self { items, numbers, origin, encoded: None }
    }

    /// The same chunk with what the writer's encoder made of it.
    pub(crate) fn with_encoded(self, encoded: Option<&'a Encoded>) -> Self {
        Self { encoded, ..self }
    }

    /// What the writer's [`encoder`](Writer::encoder) made of these items, where it made an `E` of them.
    pub fn encoded<E: Any>(self) -> Option<&'a E> {
        self.encoded?.get()
    }

    /// Each item with its idempotency key: instance, step and the record's number since the instance began.
    ///
    /// The same item has the same key in every try, whatever the chunk size.
    pub fn keyed(self) -> impl Iterator<Item = (String, &'a T)> {
        self.items.iter().enumerate().map(move |(i, item)| (format!("{}/{}", self.origin, self.numbers.at(i)), item))
    }

    /// The number of item `index`, and what comes before it in its key.
    pub(crate) fn number(self, index: usize) -> (&'a str, u64) {
        (self.origin, self.numbers.at(index))
    }

    /// The items as a slice that outlives this value.
    pub fn items(self) -> &'a [T] {
        self.items
    }
}

impl<T> Clone for Chunk<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Chunk<'_, T> {}

impl<T> Deref for Chunk<'_, T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        self.items
    }
}

impl<'a, T> From<&'a [T]> for Chunk<'a, T> {
    fn from(items: &'a [T]) -> Self {
        Self::new(items, Numbers::Gaps(Gaps::default()), "test")
    }
}
