//! Looking at the next item without consuming it.

use crate::{
    error::Result,
    item::{BoxReader, Reader, Total},
};
use std::fmt;

/// A reader whose next item can be looked at first, for readers that group records.
///
/// An item looked at counts as not read: position, bytes and lines are those before it, and a restart reads it again.
pub struct Peek<R: Reader> {
    inner: R,
    peeked: Option<Peeked<R>>,
    /// The line of an item that was looked at when the lines were asked for.
    line: Option<u64>,
}

/// What `peek` saw, and where the reader stood before; `None` is the end, which the inner reader is not asked for again.
struct Peeked<R: Reader> {
    item: Option<R::Item>,
    position: R::Position,
    bytes: u64,
}

impl<R: Reader + fmt::Debug> fmt::Debug for Peek<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peek").field("inner", &self.inner).field("peeked", &self.peeked.is_some()).finish_non_exhaustive()
    }
}

impl<R: Reader<Position: Clone>> Peek<R> {
    /// Wraps `inner`, which must not be open yet.
    pub fn new(inner: R) -> Self {
        Self { inner, peeked: None, line: None }
    }

    /// The next item, which `read` will return; `None` at the end. Cancel-safe.
    ///
    /// # Errors
    /// Those of the inner reader's `read`. A bad record is consumed by it: it is reported once, here.
    pub async fn peek(&mut self) -> Result<Option<&R::Item>> {
        if self.peeked.is_none() {
            let (position, bytes) = (self.inner.position(), self.inner.bytes());
            let item = self.inner.read().await?;
            self.peeked = Some(Peeked { item, position, bytes });
        }
        Ok(self.peeked.as_ref().and_then(|p| p.item.as_ref()))
    }

    /// The item that was looked at: the outer `Option` is whether one was, the inner one is the end.
    fn take(&mut self) -> Option<Option<R::Item>> {
        match self.peeked.as_mut()?.item.take() {
            Some(item) => {
                self.peeked = None;
                Some(Some(item))
            }
            None => Some(None),
        }
    }
}

#[deny(clippy::missing_trait_methods)]
impl<R: Reader<Position: Clone>> Reader for Peek<R> {
    type Item = R::Item;
    type Position = R::Position;

    async fn open(&mut self, resume: Option<R::Position>) -> Result<()> {
        self.inner.open(resume).await
    }

    async fn read(&mut self) -> Result<Option<R::Item>> {
        match self.take() {
            Some(item) => Ok(item),
            None => self.inner.read().await,
        }
    }

    fn position(&self) -> R::Position {
        self.peeked.as_ref().map_or_else(|| self.inner.position(), |p| p.position.clone())
    }

    async fn read_chunk(&mut self, max: usize, into: &mut Vec<R::Item>) -> Result<bool> {
        if into.len() >= max {
            return Ok(true);
        }
        match self.take() {
            Some(None) => return Ok(false),
            Some(Some(item)) => into.push(item),
            None => {}
        }
        self.inner.read_chunk(max, into).await
    }

    fn total(&self) -> Option<Total> {
        self.inner.total()
    }

    fn bytes(&self) -> u64 {
        self.peeked.as_ref().map_or_else(|| self.inner.bytes(), |p| p.bytes)
    }

    fn take_lines(&mut self, lines: &mut Vec<u64>) {
        self.inner.take_lines(lines);
        if let Some(line) = self.line.take() {
            lines.insert(0, line);
        }
        if self.peeked.as_ref().is_some_and(|p| p.item.is_some()) {
            self.line = lines.pop();
        }
    }

    fn connections(&self) -> usize {
        self.inner.connections()
    }

    async fn close(&mut self) -> Result<()> {
        self.inner.close().await
    }

    fn boxed(self) -> BoxReader<R::Item> {
        BoxReader::new(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::{ListReader, reader_conformance};

    /// Looks ahead before every read.
    struct Ahead(Peek<ListReader<u32>>);

    impl Reader for Ahead {
        type Item = u32;
        type Position = u64;
        async fn open(&mut self, resume: Option<u64>) -> Result<()> {
            self.0.open(resume).await?;
            self.0.peek().await.map(drop)
        }
        async fn read(&mut self) -> Result<Option<u32>> {
            let item = self.0.read().await?;
            self.0.peek().await?;
            Ok(item)
        }
        fn position(&self) -> u64 {
            self.0.position()
        }
    }

    #[tokio::test]
    async fn a_peeking_reader_conforms() {
        reader_conformance(|| Peek::new(ListReader::new([1, 2, 3]))).await;
        reader_conformance(|| Ahead(Peek::new(ListReader::new([1, 2, 3])))).await;
    }

    #[tokio::test]
    async fn the_position_is_before_the_peeked_item() {
        let mut reader = Peek::new(ListReader::new([1, 2]));
        assert_eq!(reader.read().await.unwrap(), Some(1));
        assert_eq!(reader.peek().await.unwrap(), Some(&2));
        assert_eq!(reader.position(), 1);
        let mut chunk = Vec::new();
        assert!(!reader.read_chunk(5, &mut chunk).await.unwrap());
        assert_eq!((chunk, reader.position()), (vec![2], 2));
        assert_eq!(reader.peek().await.unwrap(), None);
        assert_eq!(reader.read().await.unwrap(), None);
    }

    /// Yields its lines as items.
    struct Lines(u64, Vec<u64>);

    impl Reader for Lines {
        type Item = u64;
        type Position = u64;
        async fn open(&mut self, _: Option<u64>) -> Result<()> {
            Ok(())
        }
        async fn read(&mut self) -> Result<Option<u64>> {
            self.0 += 1;
            self.1.push(self.0);
            Ok(Some(self.0))
        }
        fn position(&self) -> u64 {
            self.0
        }
        fn bytes(&self) -> u64 {
            10 * self.0
        }
        fn take_lines(&mut self, lines: &mut Vec<u64>) {
            *lines = std::mem::take(&mut self.1);
        }
    }

    #[tokio::test]
    async fn the_line_of_a_peeked_item_is_told_with_the_item() {
        let (mut reader, mut lines) = (Peek::new(Lines(0, Vec::new())), Vec::new());
        reader.read().await.unwrap();
        reader.peek().await.unwrap();
        reader.take_lines(&mut lines);
        assert_eq!((lines.clone(), reader.bytes()), (vec![1], 10));
        reader.read().await.unwrap();
        reader.read().await.unwrap();
        reader.take_lines(&mut lines);
        assert_eq!((lines, reader.bytes()), (vec![2, 3], 30));
    }
}
