//! A list as a reader, for tests and small inputs.

use super::shrunk;
use crate::{
    error::Result,
    item::{Reader, Total},
};
use std::sync::Arc;

/// Reads the items of a list; clones share the list and each read all of it.
///
/// The position is the index of the next item. A list shorter than the committed position is refused with kind `NeedsOperator`.
#[derive(Debug)]
pub struct ListReader<I> {
    items: Arc<[I]>,
    next: usize,
}

impl<I> ListReader<I> {
    /// Reads `items` in their order.
    pub fn new(items: impl Into<Vec<I>>) -> Self {
        Self { items: items.into().into(), next: 0 }
    }
}

impl<I> Clone for ListReader<I> {
    fn clone(&self) -> Self {
        Self { items: Arc::clone(&self.items), next: self.next }
    }
}

impl<I: Clone + Send + Sync + 'static> Reader for ListReader<I> {
    type Item = I;
    type Position = u64;

    async fn open(&mut self, resume: Option<u64>) -> Result<()> {
        let (position, length) = (resume.unwrap_or(0), self.items.len() as u64);
        if position > length {
            return Err(shrunk(position, Some(length)));
        }
        self.next = usize::try_from(position)?;
        Ok(())
    }

    async fn read(&mut self) -> Result<Option<I>> {
        let item = self.items.get(self.next).cloned();
        self.next += usize::from(item.is_some());
        Ok(item)
    }

    fn position(&self) -> u64 {
        self.next as u64
    }

    async fn read_chunk(&mut self, max: usize, into: &mut Vec<I>) -> Result<bool> {
        let left = self.items.get(self.next..).unwrap_or_default();
        let taken = left.len().min(max.saturating_sub(into.len()));
        into.extend(left.iter().take(taken).cloned());
        self.next += taken;
        Ok(into.len() >= max)
    }

    fn total(&self) -> Option<Total> {
        Some(Total { done: self.next as u64, of: self.items.len() as u64 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::reader_conformance;

    #[tokio::test]
    async fn a_list_is_a_conforming_reader() {
        reader_conformance(|| ListReader::new(["a", "b", "c"])).await;
        reader_conformance(|| ListReader::<u8>::new([])).await;
    }

    #[tokio::test]
    async fn clones_each_read_the_whole_list() {
        let first = ListReader::new([1, 2]);
        let mut second = first.clone();
        assert_eq!(second.read().await.unwrap(), Some(1));
        assert_eq!(first.position(), 0);
    }

    #[tokio::test]
    async fn a_list_that_became_shorter_is_refused() {
        assert!(ListReader::new([1]).open(Some(2)).await.is_err());
    }
}
