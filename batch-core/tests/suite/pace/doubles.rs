//! A reader, a processor, a writer and a database for whom time passes only as they say.

use batch_core::{
    BoxError, Chunk, ChunkReport, JobRepository, ListReader, ListWriter, Listener, ManualClock, Memory, Processor, Reader, Request,
    Result, Transactions, Undo, Writer,
    repository::{Commit, CommitError},
};
use parking_lot::Mutex;
use serde_json::Value;
use std::{sync::Arc, time::Duration};

pub const SECOND: Duration = Duration::from_secs(1);

/// Numbers from 0, each of which takes its time.
pub struct SlowReader {
    pub clock: ManualClock,
    pub a_record: Duration,
    /// So many of them; those behind take none.
    pub slow: u64,
    pub list: ListReader<u64>,
}

impl SlowReader {
    pub fn new(clock: &ManualClock, records: u64, a_record: Duration) -> Self {
        Self { clock: clock.clone(), a_record, slow: records, list: ListReader::new((0..records).collect::<Vec<_>>()) }
    }
}

impl Reader for SlowReader {
    type Item = u64;
    type Position = u64;

    async fn open(&mut self, resume: Option<u64>) -> Result<()> {
        self.list.open(resume).await
    }

    async fn read(&mut self) -> Result<Option<u64>> {
        let item = self.list.read().await?;
        if item.is_some_and(|item| item < self.slow) {
            self.clock.advance(self.a_record);
        }
        Ok(item)
    }

    fn position(&self) -> u64 {
        self.list.position()
    }
}

/// Passes items on, each after its time.
pub struct SlowProcessor {
    pub clock: ManualClock,
    pub an_item: Duration,
}

impl Processor<u64> for SlowProcessor {
    type Out = u64;

    async fn process(&self, item: u64) -> Result<Option<u64>> {
        self.clock.advance(self.an_item);
        Ok(Some(item))
    }
}

/// Writes into a list: so long a call and so long an item.
#[derive(Clone)]
pub struct SlowWriter {
    pub clock: ManualClock,
    pub list: ListWriter<u64>,
    pub a_call: Duration,
    pub an_item: Duration,
    /// Refuses multiples of it.
    pub refuses: Option<u64>,
    /// Whether it lets other tasks run first, so that the next chunk is read ahead.
    pub waits: bool,
}

impl SlowWriter {
    pub fn new(clock: &ManualClock, list: &ListWriter<u64>, a_call: Duration, an_item: Duration) -> Self {
        Self { clock: clock.clone(), list: list.clone(), a_call, an_item, refuses: None, waits: false }
    }
}

impl Writer<u64> for SlowWriter {
    async fn write(&mut self, conn: &mut (), items: Chunk<'_, u64>) -> Result<()> {
        if self.waits {
            // Once to have the task for reading ahead started, once for that task.
            // By a paused clock: long enough for the next chunks to be filled meanwhile.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.clock.advance(self.a_call + self.an_item * u32::try_from(items.len()).unwrap());
        match self.refuses {
            Some(number) if items.iter().any(|item| item.is_multiple_of(number)) => {
                Err(format!("multiples of {number} are refused").into())
            }
            _ => self.list.write(conn, items).await,
        }
    }

    async fn open(&mut self, saved: Option<Value>) -> Result<()> {
        Writer::<u64>::open(&mut self.list, saved).await
    }

    fn rollback_to(&mut self, items: usize) {
        Writer::<u64>::rollback_to(&mut self.list, items);
    }

    async fn flush(&mut self) -> Result<Value> {
        Writer::<u64>::flush(&mut self.list).await
    }

    fn undo(&self) -> Undo {
        Undo::Rewind
    }
}

/// The in-memory database where beginning and committing take their time.
#[derive(Debug, Clone)]
pub struct SlowDatabase {
    pub memory: Memory,
    pub clock: ManualClock,
    pub begin: Duration,
    pub commit: Duration,
}

impl Transactions for SlowDatabase {
    type Conn = ();
    type Tx = ();

    async fn begin(&self) -> Result<()> {
        self.clock.advance(self.begin);
        self.memory.begin().await
    }

    fn conn(tx: &mut ()) -> &mut () {
        tx
    }

    async fn savepoint(&self, tx: &mut ()) -> Result<()> {
        self.memory.savepoint(tx).await
    }

    async fn release(&self, tx: &mut (), check: bool) -> Result<()> {
        self.memory.release(tx, check).await
    }

    async fn rollback_to(&self, tx: &mut ()) -> Result<()> {
        self.memory.rollback_to(tx).await
    }

    async fn commit(&self, tx: (), commit: &Commit) -> Result<Option<Request>, CommitError> {
        self.clock.advance(self.commit);
        Transactions::commit(&self.memory, tx, commit).await
    }

    async fn rollback(&self, tx: ()) -> Result<()> {
        self.memory.rollback(tx).await
    }

    async fn abandon(&self, tx: ()) {
        Transactions::abandon(&self.memory, tx).await;
    }

    fn is_transient(&self, error: &BoxError) -> bool {
        self.memory.is_transient(error)
    }

    fn repository(&self) -> Arc<dyn JobRepository> {
        self.memory.repository()
    }

    fn undoes_writes(&self) -> bool {
        self.memory.undoes_writes()
    }
}

/// What a report says of time: in seconds reading, processing, writing, open, committing; then attempts and calls.
pub type Phases = ([u64; 5], u32, u32);

/// Keeps what each chunk took, and how many records were read for it.
#[derive(Clone, Default)]
pub struct Stopwatch(Arc<Mutex<Vec<(u64, Phases)>>>);

impl Stopwatch {
    /// Since the last look.
    pub fn phases(&self) -> Vec<Phases> {
        std::mem::take(&mut *self.0.lock()).into_iter().map(|(_, phases)| phases).collect()
    }

    /// Records of each chunk since the last look.
    pub fn sizes(&self) -> Vec<u64> {
        std::mem::take(&mut *self.0.lock()).into_iter().map(|(read, _)| read).collect()
    }
}

#[async_trait::async_trait]
impl Listener for Stopwatch {
    async fn after_chunk(&self, r: &ChunkReport<'_>) -> Result<()> {
        let seconds = [r.read_time, r.process_time, r.write_time, r.open_time, r.commit_time].map(|time| time.as_secs());
        self.0.lock().push((r.chunk.read, (seconds, r.attempts, r.write_calls)));
        Ok(())
    }
}
