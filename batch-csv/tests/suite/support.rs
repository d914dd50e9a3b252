//! Files and futures of tests.

use batch_core::{BadRecord, Error, ErrorKind, Reader, Result, Writer};
use batch_csv::{CsvPosition, CsvReader, CsvWriter};
use futures_util::FutureExt;
use serde::Serialize;
use serde_json::Value;
use std::{fs, path::PathBuf};
use tempfile::TempDir;

/// The result of a future that never waits; that it does not is what makes readers cancel-safe.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().unwrap()
}

/// A folder that goes with the test.
pub(crate) struct Folder(pub(crate) TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn file(&self, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path("in.csv");
        fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }
}

/// An item or a bad record, and the position after it.
pub(crate) type Found<R> = (Result<<R as Reader>::Item, String>, <R as Reader>::Position);

/// Everything that a reader yields.
pub(crate) fn all<R: Reader>(reader: &mut R) -> Vec<Found<R>> {
    let mut found = Vec::new();
    loop {
        match now(reader.read()) {
            Ok(Some(item)) => found.push((Ok(item), reader.position())),
            Ok(None) => return found,
            Err(e) => match e.downcast::<BadRecord>() {
                Ok(bad) => found.push((Err(told(&bad)), reader.position())),
                Err(e) => panic!("{e}"),
            },
        }
    }
}

fn told(bad: &BadRecord) -> String {
    format!("{bad} @{} {:?}", bad.byte.unwrap(), bad.raw.as_deref().unwrap())
}

/// The items and the bad records of a file.
pub(crate) fn read<T>(reader: CsvReader<T>) -> Vec<Result<T, String>>
where
    CsvReader<T>: Reader<Item = T, Position = CsvPosition>,
{
    let mut reader = reader;
    now(Reader::open(&mut reader, None)).unwrap();
    all(&mut reader).into_iter().map(|(item, _)| item).collect()
}

/// The bad record that the reader finds first.
pub(crate) fn bad<R: Reader>(reader: &mut R) -> BadRecord {
    loop {
        match now(reader.read()) {
            Ok(item) => assert!(item.is_some(), "no bad record"),
            Err(e) => return *e.downcast().unwrap(),
        }
    }
}

/// The framework's error with its kind and its whole text.
pub(crate) fn refused<T>(result: Result<T>) -> (ErrorKind, String) {
    match result {
        Ok(_) => panic!("was not refused"),
        Err(e) => {
            let e = e.downcast::<Error>().unwrap();
            (e.kind(), e.report())
        }
    }
}

/// A writer's methods with the connection named, and without futures.
pub(crate) trait Now<T> {
    fn start(&mut self, saved: Option<&Value>) -> Result<()>;
    fn put(&mut self, items: &[T]) -> Result<()>;
    fn keep(&mut self, items: usize);
    fn commit(&mut self) -> Result<Value>;
    fn publish(&mut self) -> Result<()>;
    fn end(&mut self);
}

impl<T: Serialize + Send + Sync + 'static> Now<T> for CsvWriter<T> {
    fn start(&mut self, saved: Option<&Value>) -> Result<()> {
        now(Writer::<T, ()>::open(self, saved.cloned()))
    }

    fn put(&mut self, items: &[T]) -> Result<()> {
        now(self.write(&mut (), items.into()))
    }

    fn keep(&mut self, items: usize) {
        Writer::<T, ()>::rollback_to(self, items);
    }

    fn commit(&mut self) -> Result<Value> {
        now(Writer::<T, ()>::flush(self))
    }

    fn publish(&mut self) -> Result<()> {
        now(Writer::<T, ()>::finish(self))
    }

    fn end(&mut self) {
        now(Writer::<T, ()>::close(self)).unwrap();
    }
}
