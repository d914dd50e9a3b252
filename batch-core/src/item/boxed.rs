//! A reader behind a box: the one place where item types are erased.

use super::{Reader, Total};
use crate::error::Result;
use futures_util::future::BoxFuture;
use serde_json::Value;

/// Any reader of `I`, chosen at run time; its position is the inner one's JSON.
///
/// Costs one allocation a chunk, and one an item only where items are read one at a time.
pub struct BoxReader<I>(Box<dyn ErasedReader<I>>);

impl<I: Send + 'static> BoxReader<I> {
    pub(super) fn new<R: Reader<Item = I>>(reader: R) -> Self {
        Self(Box::new(reader))
    }
}

impl<I> std::fmt::Debug for BoxReader<I> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BoxReader")
    }
}

#[deny(clippy::missing_trait_methods)]
impl<I: Send + 'static> Reader for BoxReader<I> {
    type Item = I;
    type Position = Value;

    async fn open(&mut self, resume: Option<Value>) -> Result<()> {
        self.0.erased_open(resume).await
    }

    async fn read(&mut self) -> Result<Option<I>> {
        self.0.erased_read().await
    }

    fn position(&self) -> Value {
        self.0.erased_position()
    }

    // `async fn`, since `-> impl Future` would capture `into`'s lifetime only by name (E0700).
    async fn read_chunk(&mut self, max: usize, into: &mut Vec<I>) -> Result<bool> {
        self.0.erased_read_chunk(max, into).await
    }

    fn total(&self) -> Option<Total> {
        self.0.erased_total()
    }

    fn bytes(&self) -> u64 {
        self.0.erased_bytes()
    }

    fn take_lines(&mut self, lines: &mut Vec<u64>) {
        self.0.erased_take_lines(lines);
    }

    fn connections(&self) -> usize {
        self.0.erased_connections()
    }

    async fn close(&mut self) -> Result<()> {
        self.0.erased_close().await
    }

    fn boxed(self) -> BoxReader<I> {
        self
    }
}

/// [`Reader`] with its futures boxed; other names, so that a method call on a concrete reader is never ambiguous.
trait ErasedReader<I>: Send {
    fn erased_open(&mut self, resume: Option<Value>) -> BoxFuture<'_, Result<()>>;
    fn erased_read(&mut self) -> BoxFuture<'_, Result<Option<I>>>;
    fn erased_read_chunk<'a>(&'a mut self, max: usize, into: &'a mut Vec<I>) -> BoxFuture<'a, Result<bool>>;
    fn erased_position(&self) -> Value;
    fn erased_total(&self) -> Option<Total>;
    fn erased_bytes(&self) -> u64;
    fn erased_take_lines(&mut self, lines: &mut Vec<u64>);
    fn erased_connections(&self) -> usize;
    fn erased_close(&mut self) -> BoxFuture<'_, Result<()>>;
}

impl<R: Reader> ErasedReader<R::Item> for R {
    fn erased_open(&mut self, resume: Option<Value>) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let resume = resume.map(serde_json::from_value).transpose()?;
            self.open(resume).await
        })
    }

    fn erased_read(&mut self) -> BoxFuture<'_, Result<Option<R::Item>>> {
        Box::pin(self.read())
    }

    fn erased_read_chunk<'a>(&'a mut self, max: usize, into: &'a mut Vec<R::Item>) -> BoxFuture<'a, Result<bool>> {
        Box::pin(self.read_chunk(max, into))
    }

    fn erased_position(&self) -> Value {
        // A position that does not serialise would be a reader that cannot seek; the engine checks that at its first commit.
        serde_json::to_value(self.position()).unwrap_or(Value::Null)
    }

    fn erased_total(&self) -> Option<Total> {
        self.total()
    }

    fn erased_bytes(&self) -> u64 {
        self.bytes()
    }

    fn erased_take_lines(&mut self, lines: &mut Vec<u64>) {
        self.take_lines(lines);
    }

    fn erased_connections(&self) -> usize {
        self.connections()
    }

    fn erased_close(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.close())
    }
}
