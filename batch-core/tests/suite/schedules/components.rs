//! A reader, a processor and a writer that fail as planned.

use super::plan::{Fate, Plan};
use crate::table::TableTx;
use batch_core::{BadRecord, BoxError, Chunk, ListWriter, ManualClock, Processor, Reader, Result, Transient, Undo, Writer};
use parking_lot::Mutex;
use serde_json::Value;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

/// The plan, and what is left of each record's transient failures over all tries.
pub struct World {
    fates: Vec<Fate>,
    left: Mutex<Vec<u8>>,
    seeks: bool,
    waits: u64,
    turn: AtomicU32,
    pub clock: ManualClock,
}

impl World {
    pub fn new(plan: &Plan) -> Self {
        let left = plan
            .fates
            .iter()
            .map(|f| match f {
                Fate::SlowRead(n) | Fate::SlowItem(n) | Fate::SlowWrite(n) => *n,
                _ => 0,
            })
            .collect();
        Self {
            fates: plan.fates.clone(),
            left: Mutex::new(left),
            seeks: plan.seeks,
            waits: plan.waits,
            turn: AtomicU32::new(0),
            clock: ManualClock::at(chrono::Utc::now()),
        }
    }

    fn fate(&self, number: u64) -> Option<Fate> {
        self.fates.get(usize::try_from(number).unwrap()).copied()
    }

    /// Uses up one transient failure of the record.
    fn is_slow(&self, number: u64) -> bool {
        let mut left = self.left.lock();
        let left = &mut left[usize::try_from(number).unwrap()];
        let slow = *left > 0;
        *left = left.saturating_sub(1);
        slow
    }

    /// The items before the first that a write refuses, and its error.
    fn refuses<'i>(&self, items: &'i [u64]) -> (&'i [u64], Option<BoxError>) {
        for (index, item) in items.iter().enumerate() {
            let error = match self.fate(*item).unwrap() {
                Fate::Refused => "no row".into(),
                Fate::SlowWrite(_) if self.is_slow(*item) => transient(),
                _ => continue,
            };
            return (&items[..index], Some(error));
        }
        (items, None)
    }

    async fn wait(&self) {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % 64;
        if self.waits >> turn & 1 == 1 {
            self.clock.advance(Duration::from_millis(1));
            tokio::task::yield_now().await;
        }
    }
}

fn transient() -> BoxError {
    Transient("busy".into()).into()
}

pub struct FlakyReader {
    world: Arc<World>,
    next: u64,
}

impl FlakyReader {
    pub fn new(world: Arc<World>) -> Self {
        Self { world, next: 0 }
    }
}

impl Reader for FlakyReader {
    type Item = u64;
    type Position = Option<u64>;

    async fn open(&mut self, resume: Option<Option<u64>>) -> Result<()> {
        self.next = resume.flatten().unwrap_or(0);
        Ok(())
    }

    async fn read(&mut self) -> Result<Option<u64>> {
        self.world.wait().await;
        let Some(fate) = self.world.fate(self.next) else { return Ok(None) };
        if matches!(fate, Fate::SlowRead(_)) && self.world.is_slow(self.next) {
            return Err(transient());
        }
        self.next += 1;
        if fate == Fate::BadRecord { Err(BadRecord::new("no record").into()) } else { Ok(Some(self.next - 1)) }
    }

    fn position(&self) -> Option<u64> {
        self.world.seeks.then_some(self.next)
    }
}

pub struct FlakyProcessor(pub Arc<World>);

impl Processor<u64> for FlakyProcessor {
    type Out = u64;

    async fn process(&self, item: u64) -> Result<Option<u64>> {
        self.0.wait().await;
        match self.0.fate(item).unwrap() {
            Fate::Filtered => Ok(None),
            Fate::BadItem => Err("no item".into()),
            Fate::Panics => panic_quietly(),
            Fate::SlowItem(_) if self.0.is_slow(item) => Err(transient()),
            _ => Ok(Some(item)),
        }
    }
}

/// Unwinds without the hook's message: ten thousand schedules would print a book.
fn panic_quietly() -> ! {
    std::panic::resume_unwind(Box::new("no item"))
}

/// Writes into a table; what it refuses, it refuses after having written what comes before.
#[derive(Clone)]
pub struct FlakyInsert(pub Arc<World>);

impl Writer<u64, TableTx> for FlakyInsert {
    async fn write(&mut self, conn: &mut TableTx, items: Chunk<'_, u64>) -> Result<()> {
        for _ in items.iter() {
            self.0.wait().await;
        }
        let (good, refused) = self.0.refuses(&items);
        good.iter().for_each(|item| conn.insert(*item));
        refused.map_or(Ok(()), Err)
    }
}

/// Writes into a list; what it refuses, it refuses after having written what comes before.
#[derive(Clone)]
pub struct FlakyWriter {
    world: Arc<World>,
    list: ListWriter<u64>,
}

impl FlakyWriter {
    pub fn new(world: Arc<World>, list: ListWriter<u64>) -> Self {
        Self { world, list }
    }
}

impl Writer<u64> for FlakyWriter {
    async fn write(&mut self, conn: &mut (), items: Chunk<'_, u64>) -> Result<()> {
        for _ in items.iter() {
            self.world.wait().await;
        }
        let (good, refused) = self.world.refuses(&items);
        self.list.write(conn, Chunk::from(good)).await?;
        refused.map_or(Ok(()), Err)
    }

    async fn open(&mut self, saved: Option<Value>) -> Result<()> {
        Writer::<u64>::open(&mut self.list, saved).await
    }

    fn rollback_to(&mut self, items: usize) {
        Writer::<u64>::rollback_to(&mut self.list, items);
    }

    async fn flush(&mut self) -> Result<Value> {
        self.world.wait().await;
        Writer::<u64>::flush(&mut self.list).await
    }

    fn undo(&self) -> Undo {
        Undo::Rewind
    }
}
