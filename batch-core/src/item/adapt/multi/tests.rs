//! Stories of several inputs.

use super::*;
use crate::{
    error::BoxError,
    item::{ListReader, iter, reader_conformance, stream, try_iter},
};
use futures_util::{FutureExt, StreamExt};
use parking_lot::Mutex;
use std::sync::Arc;

#[tokio::test]
async fn inputs_of_any_length_are_one_conforming_reader() {
    for lengths in [vec![], vec![0], vec![3], vec![0, 2, 0, 0, 1, 0], vec![1, 1]] {
        let sources = lengths.clone();
        reader_conformance(move || MultiReader::new(sources.clone(), |n: u32| iter(10 * n..11 * n))).await;
    }
}

#[tokio::test]
async fn inputs_that_cannot_seek_are_read_and_dropped() {
    reader_conformance(|| MultiReader::new([2, 0, 3], |n: u32| stream(futures_util::stream::iter(10 * n..11 * n)))).await;
    reader_conformance(|| MultiReader::new([2, 0, 3], |n: u32| stream(futures_util::stream::iter(10 * n..11 * n)).boxed())).await;
}

#[tokio::test]
async fn bad_records_are_passed_on_and_counted() {
    let story = |n: u32| (0..n).map(|i| if i == 1 { Err(BadRecord::new("one")) } else { Ok(i) });
    reader_conformance(move || MultiReader::new([1, 2, 3], move |n| try_iter(story(n)))).await;
    let streams = move |n| crate::item::try_stream(futures_util::stream::iter(story(n)));
    reader_conformance(move || MultiReader::new([1, 2, 3], streams)).await;
}

#[tokio::test]
async fn fewer_inputs_than_were_committed_are_refused() {
    let mut reader = MultiReader::new([1], |n: u32| iter(0..n));
    let refused = reader.open(Some(MultiPosition { source: 2, read: 0, at: None })).await.unwrap_err();
    assert!(refused.to_string().contains("there are 1"));
}

#[tokio::test]
async fn progress_grows_to_the_whole() {
    let mut reader = MultiReader::new([2, 4], |n: u32| ListReader::new((0..n).collect::<Vec<_>>()));
    let mut seen = Vec::new();
    while reader.read().await.unwrap().is_some() {
        let total = reader.total().unwrap();
        seen.push(100 * total.done / total.of);
    }
    let end = reader.total().unwrap();
    assert_eq!((seen, end.done), (vec![25, 50, 62, 75, 87, 100], end.of));
}

/// Waits at every step, writes down what is called, and knows its lines.
struct Slow(u32, u32, Vec<u64>, Log);

impl Slow {
    async fn note(&self, what: &str) {
        self.3.lock().push(format!("{what} {}", self.0));
        tokio::task::yield_now().await;
    }
}

impl Reader for Slow {
    type Item = u32;
    type Position = u32;
    async fn open(&mut self, resume: Option<u32>) -> Result<()> {
        self.note("open").await;
        self.1 = resume.unwrap_or(0);
        if self.0 == 66 { Err("no such file".into()) } else { Ok(()) }
    }
    async fn read(&mut self) -> Result<Option<u32>> {
        tokio::task::yield_now().await;
        self.1 += 1;
        self.2.extend((self.1 <= 2).then_some(u64::from(self.1)));
        Ok((self.1 <= 2).then_some(self.1).map(|i| 10 * self.0 + i))
    }
    fn position(&self) -> u32 {
        self.1
    }
    fn bytes(&self) -> u64 {
        u64::from(self.1.min(2))
    }
    fn take_lines(&mut self, lines: &mut Vec<u64>) {
        *lines = std::mem::take(&mut self.2);
    }
    async fn close(&mut self) -> Result<()> {
        self.note("close").await;
        Ok(())
    }
}

type Log = Arc<Mutex<Vec<String>>>;

fn slow(sources: &[u32]) -> (impl Reader<Item = u32> + use<>, Log) {
    let log = Log::default();
    let shared = Arc::clone(&log);
    (MultiReader::new(sources.to_vec(), move |n| Slow(n, 0, Vec::new(), Arc::clone(&shared))), log)
}

#[tokio::test]
async fn each_input_is_opened_and_closed_once_though_every_read_is_dropped() {
    let (mut reader, log) = slow(&[1, 2]);
    reader.open(None).await.unwrap();
    let mut read = Vec::new();
    loop {
        assert!(reader.read().now_or_never().is_none_or(|end| matches!(end, Ok(None))));
        match reader.read().await.unwrap() {
            Some(item) => read.push(item),
            None => break,
        }
    }
    reader.close().await.unwrap();
    assert_eq!(read, [11, 12, 21, 22]);
    assert_eq!(*log.lock(), ["open 1", "close 1", "open 2", "close 2"]);
}

#[tokio::test]
async fn a_reader_dropped_on_its_way_to_the_next_input_is_closed() {
    let (mut reader, log) = slow(&[1, 2]);
    assert!(reader.read().now_or_never().is_none());
    reader.close().await.unwrap();
    assert_eq!(*log.lock(), ["open 1", "close 1"]);
}

#[tokio::test]
async fn an_input_that_does_not_open_is_closed_once() {
    let (mut reader, log) = slow(&[1, 66]);
    let mut chunk = Vec::new();
    assert!(reader.read_chunk(9, &mut chunk).await.unwrap_err().to_string().contains("no such file"));
    reader.close().await.unwrap();
    assert_eq!(chunk, [11, 12]);
    assert_eq!(*log.lock(), ["open 1", "close 1", "open 66", "close 66"]);
}

#[tokio::test]
async fn lines_and_bytes_go_over_the_border_of_inputs() {
    let (mut reader, _) = slow(&[1, 2, 3]);
    let (mut chunk, mut lines) = (Vec::new(), Vec::new());
    assert!(reader.read_chunk(3, &mut chunk).await.unwrap());
    reader.take_lines(&mut lines);
    assert_eq!((lines.clone(), reader.bytes()), (vec![1, 2, 1], 3));
    assert!(!reader.read_chunk(9, &mut chunk).await.unwrap());
    reader.take_lines(&mut lines);
    assert_eq!((lines, reader.bytes()), (vec![2, 1, 2], 6));
}

#[tokio::test]
async fn what_a_dropped_chunk_pushed_is_counted() {
    let waits = |n: u32| {
        let items = futures_util::stream::iter(0..n).then(|i| async move {
            if i == 2 {
                tokio::task::yield_now().await;
            }
            i
        });
        stream(items)
    };
    let mut reader = MultiReader::new([5], waits);
    let mut chunk = Vec::new();
    assert!(reader.read_chunk(5, &mut chunk).now_or_never().is_none());
    assert_eq!((chunk.len(), reader.position()), (2, MultiPosition { source: 0, read: 2, at: Some(()) }));
    let position = serde_json::from_value(serde_json::json!(reader.position())).unwrap();
    let mut other = MultiReader::new([5], waits);
    other.open(Some(position)).await.unwrap();
    assert_eq!(other.read().await.unwrap(), Some(2));
}

#[tokio::test]
async fn a_transient_error_of_opening_is_tried_again() {
    let tries = Arc::new(Mutex::new(0));
    let mut reader = MultiReader::new([()], move |()| Flaky(Arc::clone(&tries)));
    assert!(reader.read().await.is_err());
    assert_eq!(reader.read().await.unwrap(), None);
}

/// Opens at the second try.
struct Flaky(Arc<Mutex<u32>>);

impl Reader for Flaky {
    type Item = u32;
    type Position = ();
    async fn open(&mut self, _: Option<()>) -> Result<()> {
        let mut tries = self.0.lock();
        *tries += 1;
        if *tries == 1 { Err(Box::new(crate::Transient("busy".into())) as BoxError) } else { Ok(()) }
    }
    async fn read(&mut self) -> Result<Option<u32>> {
        Ok(None)
    }
    fn position(&self) {}
}
