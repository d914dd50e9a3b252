//! A list as a writer, for tests.

use crate::{
    error::Result,
    item::{Chunk, Undo, Writer},
};
use parking_lot::Mutex;
use serde_json::Value;
use std::sync::Arc;

/// Writes into a list that a test reads afterwards; clones share the list.
///
/// Items join the list when they are flushed for a commit, and leave it again when the writer is opened at an earlier state. What
/// it saves is the list's length. A list serves one step execution at a time: partitions get one each.
#[derive(Debug)]
pub struct ListWriter<I> {
    list: Arc<Mutex<List<I>>>,
    pending: Vec<I>,
}

#[derive(Debug)]
struct List<I> {
    items: Vec<I>,
    calls: Vec<Vec<I>>,
    /// Length before a flush that nothing has followed yet: whoever opens without a saved state knows that it never committed.
    unconfirmed: Option<usize>,
}

impl<I: Clone> ListWriter<I> {
    /// An empty list.
    pub fn new() -> Self {
        let list = List { items: Vec::new(), calls: Vec::new(), unconfirmed: None };
        Self { list: Arc::new(Mutex::new(list)), pending: Vec::new() }
    }

    /// The items committed, in the order in which they were written.
    pub fn items(&self) -> Vec<I> {
        self.list.lock().items.clone()
    }

    /// The items of every call of `write`, whatever became of them.
    pub fn calls(&self) -> Vec<Vec<I>> {
        self.list.lock().calls.clone()
    }
}

impl<I: Clone> Default for ListWriter<I> {
    fn default() -> Self {
        Self::new()
    }
}

impl<I> Clone for ListWriter<I> {
    /// The same list; what this writer has not flushed stays its own.
    fn clone(&self) -> Self {
        Self { list: Arc::clone(&self.list), pending: Vec::new() }
    }
}

impl<I: Clone + Send + Sync + 'static, Conn: Send> Writer<I, Conn> for ListWriter<I> {
    async fn write(&mut self, _: &mut Conn, items: Chunk<'_, I>) -> Result<()> {
        let mut list = self.list.lock();
        list.unconfirmed = None;
        list.calls.push(items.to_vec());
        self.pending.extend_from_slice(items.items());
        Ok(())
    }

    async fn open(&mut self, saved: Option<Value>) -> Result<()> {
        let saved = saved.filter(|s| !s.is_null()).map(serde_json::from_value::<usize>).transpose()?;
        let mut list = self.list.lock();
        if let Some(length) = saved.or(list.unconfirmed) {
            list.items.truncate(length);
        }
        list.unconfirmed = None;
        self.pending.clear();
        Ok(())
    }

    fn rollback_to(&mut self, items: usize) {
        self.pending.truncate(items);
    }

    async fn flush(&mut self) -> Result<Value> {
        let mut list = self.list.lock();
        list.unconfirmed = Some(list.items.len());
        list.items.append(&mut self.pending);
        Ok(list.items.len().into())
    }

    async fn finish(&mut self) -> Result<()> {
        self.list.lock().unconfirmed = None;
        Ok(())
    }

    fn undo(&self) -> Undo {
        Undo::Rewind
    }

    fn uses_connection(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn write(writer: &mut ListWriter<u32>, items: &[u32]) {
        Writer::<u32>::write(writer, &mut (), items.into()).await.unwrap();
    }

    async fn flush(writer: &mut ListWriter<u32>) -> Value {
        Writer::<u32>::flush(writer).await.unwrap()
    }

    async fn open(writer: &mut ListWriter<u32>, saved: Option<Value>) {
        Writer::<u32>::open(writer, saved).await.unwrap();
    }

    #[tokio::test]
    async fn items_appear_when_they_are_flushed() {
        let mut writer = ListWriter::new();
        write(&mut writer, &[1, 2]).await;
        assert!(writer.items().is_empty());
        flush(&mut writer).await;
        assert_eq!((writer.items(), writer.calls()), (vec![1, 2], vec![vec![1, 2]]));
    }

    #[tokio::test]
    async fn a_rollback_keeps_the_first_items_since_the_last_flush() {
        let mut writer = ListWriter::new();
        write(&mut writer, &[1]).await;
        flush(&mut writer).await;
        write(&mut writer, &[2, 3]).await;
        write(&mut writer, &[4]).await;
        Writer::<u32>::rollback_to(&mut writer, 2);
        flush(&mut writer).await;
        assert_eq!(writer.items(), [1, 2, 3]);
    }

    #[tokio::test]
    async fn a_failed_commit_leaves_the_state_that_was_saved() {
        let mut writer = ListWriter::new();
        write(&mut writer, &[1]).await;
        let saved = flush(&mut writer).await;
        write(&mut writer, &[2]).await;
        flush(&mut writer).await;
        open(&mut writer, Some(saved)).await;
        assert_eq!(writer.items(), [1]);
    }

    #[tokio::test]
    async fn a_first_chunk_that_never_committed_leaves_nothing() {
        let list = ListWriter::new();
        let mut first = list.clone();
        open(&mut first, None).await;
        write(&mut first, &[1]).await;
        flush(&mut first).await;
        let mut second = list.clone();
        open(&mut second, None).await;
        assert!(list.items().is_empty());
    }

    #[tokio::test]
    async fn the_next_instance_appends() {
        let list = ListWriter::new();
        for item in [1, 2] {
            let mut writer = list.clone();
            open(&mut writer, None).await;
            write(&mut writer, &[item]).await;
            flush(&mut writer).await;
            Writer::<u32>::finish(&mut writer).await.unwrap();
        }
        assert_eq!(list.items(), [1, 2]);
    }
}
