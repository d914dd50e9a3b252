//! Chunks in flight: what they overlap, and what they must not do.

use crate::table::{Table, TableTx};
use async_trait::async_trait;
use batch_core::{
    BatchStatus, Chunk, ChunkReport, Counts, ErrorKind, Job, JobExecution, JobExplorer, ListReader, ListWriter, Listener, Memory,
    Page, Parameters, Result, Retry, Scope, Step, StepExecution, StopHandle, Transactions, Writer,
};
use parking_lot::Mutex;
use std::{sync::Arc, time::Duration};

/// Inserts its items, each after what the test asks for.
#[derive(Clone, Default)]
struct Insert {
    refuses: Vec<u64>,
    panics: Option<u64>,
    /// Each item but the first needs the row before it.
    chained: bool,
    /// Locks the row of each item's key, modulo this.
    locks: Option<u64>,
    takes: Duration,
}

impl Writer<u64, TableTx> for Insert {
    async fn write(&mut self, conn: &mut TableTx, items: Chunk<'_, u64>) -> Result<()> {
        if !self.takes.is_zero() {
            tokio::time::sleep(self.takes).await;
        }
        for item in items.iter().copied() {
            tokio::task::yield_now().await;
            if self.panics == Some(item) {
                std::panic::resume_unwind(Box::new("a broken writer"));
            }
            if self.refuses.contains(&item) || (self.chained && item > 0 && !conn.has(item - 1)) {
                return Err(format!("row {item} is refused").into());
            }
            if let Some(keys) = self.locks {
                conn.lock(item % keys).await?;
            }
            conn.insert(item);
        }
        Ok(())
    }
}

struct Ran {
    execution: JobExecution,
    table: Table,
    skips: Vec<u64>,
}

async fn load(items: u64, in_flight: usize, writer: Insert, skip: u64) -> Ran {
    let table = Table::new(Memory::new());
    let job = Job::new("load", &table).step("rows", move |s| {
        let items: Vec<u64> = (0..items).collect();
        Ok(s.chunk(3, ListReader::new(items)).writer(writer.clone()).skip(skip).in_flight(in_flight).read_ahead(4))
    });
    let execution = job.run(Parameters::new()).await.unwrap();
    let step = &execution.steps[0];
    let skips = table.memory.explorer_skips(step.id).await;
    Ran { skips, execution, table }
}

#[async_trait]
trait Skips {
    async fn explorer_skips(&self, step: i64) -> Vec<u64>;
}

#[async_trait]
impl Skips for Memory {
    async fn explorer_skips(&self, step: i64) -> Vec<u64> {
        self.skips(step, Page::all()).await.unwrap().iter().map(|skip| skip.number).collect()
    }
}

/// What does not depend on how chunks overlap.
fn counts(execution: &JobExecution) -> Counts {
    Counts { rollbacks: 0, ..execution.steps[0].counts }
}

#[tokio::test]
async fn as_many_are_written_at_once_as_asked_for_and_all_commit_in_order() {
    for in_flight in [1, 2, 3, 8] {
        let ran = load(300, in_flight, Insert::default(), 0).await;
        assert_eq!(ran.execution.status, BatchStatus::Completed);
        assert_eq!(ran.table.rows(), (0..300).collect::<Vec<_>>(), "in order");
        assert_eq!((ran.table.most_open(), ran.table.open()), (in_flight, 0));
        assert_eq!(counts(&ran.execution).commits, 100);
        assert_eq!(ran.table.begun(), 100, "none was in vain");
    }
}

const WHILE: Duration = Duration::from_millis(10);

/// Takes as long for each chunk as writing one does, as a slow commit would.
struct Slow;

#[async_trait]
impl Listener for Slow {
    async fn after_chunk(&self, _: &ChunkReport<'_>) -> Result<()> {
        tokio::time::sleep(WHILE).await;
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn while_one_commits_the_next_is_written_whichever_was_done_first() {
    let table = Table::new(Memory::new());
    let job = Job::new("load", &table).step("rows", |s| {
        let rows = s.chunk(3, ListReader::new((0..120).collect::<Vec<u64>>()));
        Ok(rows.writer(Insert { takes: WHILE, ..Insert::default() }).in_flight(2).listener(Slow))
    });
    let begun = tokio::time::Instant::now();
    job.run(Parameters::new()).await.unwrap();
    let took = begun.elapsed();
    assert!(took < 43 * WHILE, "40 chunks took {took:?}: some were written, or committed, with nothing beside them");
}

#[tokio::test]
async fn bad_items_are_skipped_as_they_are_one_chunk_at_a_time() {
    let bad = vec![0, 1, 4, 50, 51, 52, 98, 119];
    let ran = load(120, 4, Insert { refuses: bad.clone(), ..Insert::default() }, 8).await;
    let alone = load(120, 1, Insert { refuses: bad.clone(), ..Insert::default() }, 8).await;
    assert_eq!(ran.skips, bad);
    assert_eq!((ran.table.rows(), counts(&ran.execution)), (alone.table.rows(), counts(&alone.execution)));
    assert_eq!(
        ran.execution.steps[0].counts.rollbacks, alone.execution.steps[0].counts.rollbacks,
        "flights in vain are not counted"
    );
}

/// Every other chunk has an item that the processor refuses.
async fn processed(in_flight: usize, skip: u64) -> Ran {
    let table = Table::new(Memory::new());
    let job = Job::new("load", &table).step("rows", move |s| {
        let items: Vec<u64> = (0..120).collect();
        let rows = s.chunk(3, ListReader::new(items)).map(|n: u64| if n % 6 == 1 { Err("odd".into()) } else { Ok(n) });
        Ok(rows.writer(Insert::default()).skip(skip).in_flight(in_flight).read_ahead(4))
    });
    let execution = job.run(Parameters::new()).await.unwrap();
    let skips = table.memory.explorer_skips(execution.steps[0].id).await;
    Ran { skips, execution, table }
}

#[tokio::test]
async fn chunks_with_items_that_the_processor_refused_fly_and_are_judged_at_the_front() {
    let (ran, alone) = (processed(4, 20).await, processed(1, 20).await);
    assert_eq!((ran.table.most_open(), ran.table.begun()), (4, 40), "none was in vain");
    assert_eq!((ran.table.rows(), ran.skips, counts(&ran.execution)), (alone.table.rows(), alone.skips, counts(&alone.execution)));

    let (ran, alone) = (processed(4, 10).await, processed(1, 10).await);
    assert_eq!(ran.execution.exit_status.message, alone.execution.exit_status.message);
    assert!(ran.execution.exit_status.message.contains("item 61"), "{}", ran.execution.exit_status.message);
    assert_eq!((ran.table.rows(), ran.skips, counts(&ran.execution)), (alone.table.rows(), alone.skips, counts(&alone.execution)));
    assert_eq!(ran.table.open(), 0, "it and what flew behind it are undone");
}

#[tokio::test]
async fn the_item_beyond_the_limit_fails_the_step_behind_all_that_comes_before() {
    let ran = load(120, 4, Insert { refuses: vec![20, 70, 71], ..Insert::default() }, 2).await;
    assert_eq!(ran.execution.status, BatchStatus::Failed);
    assert!(ran.execution.exit_status.message.contains("item 71"), "{}", ran.execution.exit_status.message);
    assert_eq!(ran.table.rows(), (0..69).filter(|n| *n != 20).collect::<Vec<_>>());
    assert_eq!(ran.table.open(), 0, "what flew behind it is undone");
}

/// A foreign key to a row of the chunk before fails in flight, and would be skipped as bad.
#[tokio::test]
async fn a_row_that_needs_one_of_the_chunk_before_is_not_taken_for_a_bad_one() {
    let ran = load(120, 4, Insert { chained: true, ..Insert::default() }, 100).await;
    assert_eq!((ran.table.rows(), ran.skips), ((0..120).collect(), vec![]));
    assert!(ran.table.begun() < 40 + 3 * 8, "it soon goes on one at a time: {}", ran.table.begun());
}

/// The chunk at the front waits for a lock of the one behind, which waits for it: no database sees that.
#[tokio::test(start_paused = true)]
async fn chunks_that_lock_the_same_rows_do_not_wait_for_each_other_for_ever() {
    for keys in [1, 2, 4, 5, 7] {
        let ran = load(60, 4, Insert { locks: Some(keys), ..Insert::default() }, 0).await;
        assert_eq!(ran.execution.status, BatchStatus::Completed, "{}", ran.execution.exit_status.message);
        assert_eq!(ran.table.rows(), (0..60).collect::<Vec<_>>());
    }
}

/// The first chunk is refused while the second one is written and the others wait for its lock, which the table gives up after a second.
#[tokio::test(start_paused = true)]
async fn what_is_written_is_rolled_back_before_those_are_waited_for_that_wait_for_its_locks() {
    let begun = tokio::time::Instant::now();
    let ran = load(12, 4, Insert { refuses: vec![0], locks: Some(1), ..Insert::default() }, 1).await;
    assert_eq!((ran.table.rows(), ran.skips), ((1..12).collect(), vec![0]));
    assert!(begun.elapsed() < std::time::Duration::from_secs(1), "{:?} of the clock that stands still", begun.elapsed());
}

#[tokio::test]
async fn a_writer_that_panics_fails_the_step_at_its_chunk() {
    let ran = load(60, 4, Insert { panics: Some(31), ..Insert::default() }, 0).await;
    assert!(ran.execution.exit_status.message.contains("a broken writer"), "{}", ran.execution.exit_status.message);
    assert_eq!((ran.table.rows(), ran.table.open()), ((0..30).collect(), 0));
}

/// Notes the numbers of first records, and stops, pauses or fails where it is told.
#[derive(Clone, Default)]
struct Notes {
    events: Arc<Mutex<Vec<String>>>,
    fails_before: Option<usize>,
    stops_after: Option<(u64, StopHandle)>,
}

#[async_trait]
impl Listener for Notes {
    async fn before_chunk(&self, _: &StepExecution) -> Result<()> {
        let mut events = self.events.lock();
        events.push("before".to_owned());
        let before = events.iter().filter(|event| *event == "before").count();
        if self.fails_before == Some(before) { Err("no more".into()) } else { Ok(()) }
    }

    async fn after_chunk(&self, report: &ChunkReport<'_>) -> Result<()> {
        self.events.lock().push(format!("after {}", report.step.counts.read));
        if let Some((read, stop)) = &self.stops_after
            && *read == report.step.counts.read
        {
            stop.stop();
        }
        Ok(())
    }
}

async fn heard(notes: &Notes, stop: &StopHandle, writer: Insert) -> (JobExecution, Table) {
    let table = Table::new(Memory::new());
    let heard = notes.clone();
    let job = Job::new("load", &table).step("rows", move |s| {
        let items: Vec<u64> = (0..30).collect();
        Ok(s.chunk(3, ListReader::new(items)).writer(writer.clone()).in_flight(3).listener(heard.clone()))
    });
    let execution = job.launch(Parameters::new()).stop_handle(stop).run().await.unwrap();
    (execution, table)
}

#[tokio::test]
async fn listeners_hear_of_each_chunk_once_and_in_order() {
    let notes = Notes::default();
    let (execution, _) = heard(&notes, &StopHandle::new(), Insert { chained: true, ..Insert::default() }).await;
    assert_eq!(execution.status, BatchStatus::Completed);
    let events = notes.events.lock().clone();
    let after: Vec<String> = events.iter().filter(|event| event.starts_with("after")).cloned().collect();
    assert_eq!(after, (1..=10).map(|chunk| format!("after {}", chunk * 3)).collect::<Vec<_>>());
    assert_eq!(events.len(), 20, "{events:?}");
}

#[tokio::test]
async fn a_listener_that_refuses_a_chunk_fails_the_step_behind_those_before() {
    let notes = Notes { fails_before: Some(5), ..Notes::default() };
    let (execution, table) = heard(&notes, &StopHandle::new(), Insert::default()).await;
    assert_eq!((execution.status, table.rows()), (BatchStatus::Failed, (0..12).collect()));
    assert!(execution.exit_status.message.contains("a listener failed before a chunk"), "{}", execution.exit_status.message);
}

#[tokio::test]
async fn a_stop_leaves_nothing_open_and_a_restart_goes_on() {
    let stop = StopHandle::new();
    let notes = Notes { stops_after: Some((9, stop.clone())), ..Notes::default() };
    let (execution, table) = heard(&notes, &stop, Insert::default()).await;
    assert_eq!((execution.status, table.rows(), table.open()), (BatchStatus::Stopped, (0..9).collect(), 0));
    assert_eq!(execution.steps[0].checkpoint.read, 9);
}

#[tokio::test]
async fn failures_that_pass_are_retried_at_the_front() {
    let failing = Arc::new(Mutex::new(vec![7_u64, 8, 40]));
    let table = Table::new(Memory::new());
    let job = Job::new("load", &table).step("rows", move |s: &Scope<Table>| {
        let items: Vec<u64> = (0..60).collect();
        let writer = Passing(failing.clone());
        Ok(s.chunk(3, ListReader::new(items)).writer(writer).retry(Retry::times(2).on(|_| true)).in_flight(4))
    });
    let execution = job.run(Parameters::new()).await.unwrap();
    assert_eq!((execution.status, table.rows()), (BatchStatus::Completed, (0..60).collect()));
}

/// Refuses each of some items once.
#[derive(Clone)]
struct Passing(Arc<Mutex<Vec<u64>>>);

impl Writer<u64, TableTx> for Passing {
    async fn write(&mut self, conn: &mut TableTx, items: Chunk<'_, u64>) -> Result<()> {
        tokio::task::yield_now().await;
        for item in items.iter().copied() {
            let mut failing = self.0.lock();
            if let Some(at) = failing.iter().position(|n| *n == item) {
                failing.remove(at);
                return Err("once".into());
            }
            drop(failing);
            conn.insert(item);
        }
        Ok(())
    }
}

async fn refused<S: Step, D: Transactions + Clone>(database: &D, step: impl Fn(&Scope<D>) -> S + Send + Sync + 'static) -> String {
    let job = Job::new("load", database).step("rows", move |s| Ok(step(s)));
    let error = job.run(Parameters::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
    error.to_string()
}

#[tokio::test]
async fn what_cannot_be_undone_or_overlapped_is_refused() {
    let numbers = || ListReader::new(vec![1_u64, 2, 3]);
    let list = ListWriter::new();
    let writer = list.clone();
    let error = refused(&Memory::new(), move |s| s.chunk(1, numbers()).writer(writer.clone()).in_flight(2)).await;
    assert!(error.contains("not undone by its transaction") && error.contains("leave out `.in_flight(2)`"), "{error}");
    assert!(list.items().is_empty());
    let table = Table::new(Memory::new());
    let error = refused(&table, move |s| s.chunk(1, numbers()).writer(Insert::default()).in_flight(9)).await;
    assert!(error.contains("opened for 8 chunks at once: `chunks_at_once`"), "{error}");
    let error = refused(&table, move |s| s.chunk(1, numbers()).writer(Insert::default()).read_ahead(0).in_flight(2)).await;
    assert!(error.contains("no chunk is read ahead"), "{error}");
}
