//! What every reader must do, as one test.

#![expect(clippy::unwrap_used, reason = "a test's failure is a panic")]

use crate::{
    error::{BadRecord, BoxError, Transient, caused_by},
    item::Reader,
};
use futures_util::{FutureExt, task::noop_waker};
use serde_json::Value;
use std::{
    fmt::Debug,
    future::Future,
    pin::pin,
    task::{Context, Poll},
};

/// Checks the `# Behavior` of a [`Reader`]: a test calls it with a function that makes readers of the same input.
///
/// Opened at each position, a reader yields the rest; `read_chunk` yields what `read` yields; `read`, dropped at each of its
/// awaits, consumed nothing. Keep the input small: it is read several times for each of its records.
///
/// # Panics
/// The reader does not behave so, or fails otherwise than by bad records.
pub async fn reader_conformance<R>(make: impl Fn() -> R)
where
    R: Reader<Item: PartialEq + Debug>,
{
    let whole = positions(&make).await;
    let records: Vec<_> = whole.iter().filter_map(|(_, record)| record.as_ref()).collect();
    for (done, (position, _)) in whole.iter().enumerate() {
        let rest = read_all(resumed(&make, position.clone(), done).await).await;
        assert_eq!(rest.iter().collect::<Vec<_>>(), records[done..], "resumed at {position}");
    }
    for size in 1..=records.len() + 1 {
        let read = read_in_chunks(resumed(&make, Value::Null, 0).await, size).await;
        assert_eq!(read.iter().collect::<Vec<_>>(), records, "read in chunks of {size}");
    }
    for polls in 1..1_000 {
        let (read, dropped) = read_dropping(&make, polls).await;
        assert_eq!(read.iter().collect::<Vec<_>>(), records, "each read dropped at its await number {polls}");
        if !dropped {
            break;
        }
    }
}

/// An item, or the text of a bad record's error.
type Record<I> = Result<I, String>;

/// Every record with the position before it, and the position at the end with none.
async fn positions<R: Reader>(make: impl Fn() -> R) -> Vec<(Value, Option<Record<R::Item>>)> {
    let mut reader = resumed(&make, Value::Null, 0).await;
    let mut found = Vec::new();
    loop {
        let position = serde_json::to_value(reader.position()).unwrap();
        let record = next(&mut reader).await;
        let end = record.is_none();
        found.push((position, record));
        if end {
            reader.close().await.unwrap();
            return found;
        }
    }
}

/// A reader opened at `position`; where that is null, `done` records are read and dropped, as the engine does.
async fn resumed<R: Reader>(make: impl Fn() -> R, position: Value, done: usize) -> R {
    let mut reader = make();
    let seeks = !position.is_null();
    let position = seeks.then(|| serde_json::from_value(position).unwrap());
    reader.open(position).await.unwrap();
    for _ in 0..if seeks { 0 } else { done } {
        next(&mut reader).await;
    }
    reader
}

async fn next<R: Reader>(reader: &mut R) -> Option<Record<R::Item>> {
    loop {
        match reader.read().await {
            Ok(item) => return item.map(Ok),
            Err(e) if caused_by::<Transient>(&e, |_| true) => {}
            Err(e) => return Some(Err(bad(&e))),
        }
    }
}

fn bad(error: &BoxError) -> String {
    assert!(caused_by::<BadRecord>(error, |_| true), "neither transient nor a bad record: {error}");
    error.to_string()
}

async fn read_all<R: Reader>(mut reader: R) -> Vec<Record<R::Item>> {
    let mut read = Vec::new();
    while let Some(record) = next(&mut reader).await {
        read.push(record);
    }
    reader.close().await.unwrap();
    read
}

async fn read_in_chunks<R: Reader>(mut reader: R, size: usize) -> Vec<Record<R::Item>> {
    let mut read = Vec::new();
    loop {
        let mut chunk = Vec::new();
        let outcome = reader.read_chunk(size, &mut chunk).await;
        assert!(chunk.len() <= size && (!matches!(outcome, Ok(true)) || chunk.len() == size), "a chunk has {size} items");
        read.extend(chunk.into_iter().map(Ok));
        match outcome {
            Ok(true) => {}
            Ok(false) => break,
            Err(e) if caused_by::<Transient>(&e, |_| true) => {}
            Err(e) => read.push(Err(bad(&e))),
        }
    }
    reader.close().await.unwrap();
    read
}

/// Reads all, each record after a `read` dropped when it was polled so often; says whether one was still waiting by then.
///
/// From the position after each drop a second reader must find the same next record.
async fn read_dropping<R>(make: &impl Fn() -> R, polls: usize) -> (Vec<Record<R::Item>>, bool)
where
    R: Reader<Item: PartialEq + Debug>,
{
    let mut reader = resumed(make, Value::Null, 0).await;
    let (mut read, mut dropped) = (Vec::new(), false);
    loop {
        let record = match poll(reader.read(), polls).await {
            Poll::Ready(Ok(item)) => item.map(Ok),
            Poll::Ready(Err(e)) if caused_by::<Transient>(&e, |_| true) => continue,
            Poll::Ready(Err(e)) => Some(Err(bad(&e))),
            Poll::Pending => {
                dropped = true;
                let position = serde_json::to_value(reader.position()).unwrap();
                let mut other = resumed(make, position, read.len()).await;
                let record = next(&mut reader).await;
                assert_eq!(next(&mut other).await, record, "a read that was dropped moved the position");
                record
            }
        };
        match record {
            Some(record) => read.push(record),
            None => break,
        }
    }
    reader.close().await.unwrap();
    (read, dropped)
}

/// Polls so often, then drops the future; in between other tasks have a turn.
async fn poll<F: Future>(future: F, polls: usize) -> Poll<F::Output> {
    let mut future = pin!(future);
    for turn in 0..polls {
        if let Poll::Ready(output) = future.poll_unpin(&mut Context::from_waker(&noop_waker())) {
            return Poll::Ready(output);
        }
        if turn + 1 < polls {
            tokio::task::yield_now().await;
        }
    }
    Poll::Pending
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Result;

    /// Takes its item before it waits, and so loses it when it is dropped.
    struct Careless(u32);

    impl Reader for Careless {
        type Item = u32;
        type Position = u32;
        async fn open(&mut self, resume: Option<u32>) -> Result<()> {
            self.0 = resume.unwrap_or(0);
            Ok(())
        }
        async fn read(&mut self) -> Result<Option<u32>> {
            self.0 += 1;
            tokio::task::yield_now().await;
            Ok((self.0 <= 3).then_some(self.0))
        }
        fn position(&self) -> u32 {
            self.0
        }
    }

    #[tokio::test]
    #[should_panic(expected = "dropped")]
    async fn a_reader_that_loses_an_item_when_dropped_is_found() {
        reader_conformance(|| Careless(0)).await;
    }

    /// Forgets where it was asked to go on.
    struct Forgetful(Careless);

    impl Reader for Forgetful {
        type Item = u32;
        type Position = u32;
        async fn open(&mut self, _: Option<u32>) -> Result<()> {
            Ok(())
        }
        async fn read(&mut self) -> Result<Option<u32>> {
            self.0.read().await
        }
        fn position(&self) -> u32 {
            self.0.position()
        }
    }

    #[tokio::test]
    #[should_panic(expected = "resumed at 1")]
    async fn a_reader_that_does_not_resume_is_found() {
        reader_conformance(|| Forgetful(Careless(0))).await;
    }
}
