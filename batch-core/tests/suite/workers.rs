//! Several chunks processed at once.

use batch_core::{
    BatchStatus, Chunk, ErrorKind, Job, JobExecution, ListReader, ListWriter, Memory, Parameters, Processor, Reader, Result, Writer,
};
use parking_lot::Mutex;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::{Barrier, Semaphore};

const CHUNK: usize = 3;

fn numbers(count: u64) -> ListReader<u64> {
    ListReader::new((0..count).collect::<Vec<_>>())
}

/// Lets the first item of a chunk pass when the first items of so many chunks are there.
struct Together {
    barrier: Option<Arc<Barrier>>,
    now: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Processor<u64> for Together {
    type Out = u64;

    async fn process(&self, item: u64) -> Result<Option<u64>> {
        if item.is_multiple_of(CHUNK as u64) {
            let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
            match &self.barrier {
                Some(barrier) => {
                    barrier.wait().await;
                }
                // Later chunks are done sooner.
                None => tokio::time::sleep(Duration::from_millis(90 - item)).await,
            }
            self.now.fetch_sub(1, Ordering::SeqCst);
        }
        Ok(Some(item * 10))
    }
}

async fn processed(workers: usize, together: bool) -> (JobExecution, Vec<u64>, usize) {
    let (most, list) = (Arc::new(AtomicUsize::new(0)), ListWriter::new());
    let (seen, writer, barrier) = (most.clone(), list.clone(), together.then(|| Arc::new(Barrier::new(workers))));
    let job = Job::new("load", &Memory::new()).step("rows", move |s| {
        let together = Together { barrier: barrier.clone(), now: Arc::default(), most: seen.clone() };
        Ok(s.chunk(CHUNK, numbers(90)).processor(together).writer(writer.clone()).workers(workers))
    });
    let execution = job.run(Parameters::new()).await.unwrap();
    (execution, list.items(), most.load(Ordering::SeqCst))
}

#[tokio::test]
async fn so_many_chunks_are_processed_at_once_and_written_in_order() {
    for workers in [1, 2, 3, 5] {
        let (execution, items, most) = processed(workers, true).await;
        assert_eq!(execution.status, BatchStatus::Completed);
        assert_eq!(items, (0..90).map(|n| n * 10).collect::<Vec<_>>());
        assert_eq!((most, execution.steps[0].counts.commits), (workers, 30));
    }
}

#[tokio::test(start_paused = true)]
async fn chunks_that_are_processed_sooner_than_the_ones_before_wait_for_their_turn() {
    let (execution, items, most) = processed(4, false).await;
    assert_eq!(execution.status, BatchStatus::Completed);
    assert_eq!(items, (0..90).map(|n| n * 10).collect::<Vec<_>>());
    assert_eq!(most, 4);
}

/// Counts what was read, and writes only what it is let.
#[derive(Clone)]
struct Gate {
    let_through: Arc<Semaphore>,
    read: Arc<AtomicUsize>,
    /// How many items had been read by the time each chunk was written.
    seen: Arc<Mutex<Vec<usize>>>,
}

impl Writer<u64> for Gate {
    async fn write(&mut self, (): &mut (), _: Chunk<'_, u64>) -> Result<()> {
        // Everybody else has gone as far as they can by the time that this wakes.
        tokio::time::sleep(Duration::from_secs(1)).await;
        self.seen.lock().push(self.read.load(Ordering::SeqCst));
        self.let_through.acquire().await?.forget();
        Ok(())
    }
}

struct Counting(ListReader<u64>, Arc<AtomicUsize>);

impl Reader for Counting {
    type Item = u64;
    type Position = <ListReader<u64> as Reader>::Position;

    async fn open(&mut self, position: Option<Self::Position>) -> Result<()> {
        self.0.open(position).await
    }

    async fn read(&mut self) -> Result<Option<u64>> {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.read().await
    }

    fn position(&self) -> Self::Position {
        self.0.position()
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_chunks_are_in_memory_than_are_read_ahead_and_processed_and_written() {
    for (ahead, workers) in [(1, 2), (2, 3), (4, 2)] {
        let gate = Gate { let_through: Arc::new(Semaphore::new(100)), read: Arc::default(), seen: Arc::default() };
        let writer = gate.clone();
        let job = Job::new("load", &Memory::new()).step("rows", move |s| {
            let reader = Counting(numbers(90), writer.read.clone());
            Ok(s.chunk(CHUNK, reader).map(|n: u64| Ok(n)).writer(writer.clone()).read_ahead(ahead).workers(workers))
        });
        assert_eq!(job.run(Parameters::new()).await.unwrap().status, BatchStatus::Completed);
        let seen: Vec<usize> = gate.seen.lock().iter().take(10).copied().collect();
        let expected: Vec<usize> = (0..10).map(|chunk| (chunk + 1 + ahead + workers) * CHUNK).collect();
        assert_eq!(seen, expected, "read ahead {ahead}, workers {workers}");
    }
}

/// A job whose item 20, of the seventh chunk, is refused at first.
fn broken(memory: &Memory, list: &ListWriter<u64>, bad: Option<u64>) -> Job<Memory> {
    let list = list.clone();
    Job::new("load", memory).step("rows", move |s| {
        let check = move |n: u64| if Some(n) == bad { Err("no such product".into()) } else { Ok(n) };
        Ok(s.chunk(CHUNK, numbers(90)).map(check).writer(list.clone()).workers(4))
    })
}

#[tokio::test]
async fn a_chunk_that_fails_keeps_those_before_it_and_a_restart_does_those_behind_it() {
    let (memory, list) = (Memory::new(), ListWriter::new());
    let failed = broken(&memory, &list, Some(20)).run(Parameters::new()).await.unwrap();
    assert_eq!(failed.status, BatchStatus::Failed);
    assert!(failed.exit_status.message.contains("item 20"), "{}", failed.exit_status.message);
    assert_eq!((list.items(), failed.steps[0].counts.read), ((0..18).collect::<Vec<_>>(), 18));
    let done = broken(&memory, &list, None).run(Parameters::new()).await.unwrap();
    assert_eq!((done.status, list.items()), (BatchStatus::Completed, (0..90).collect::<Vec<_>>()));
}

#[tokio::test]
async fn a_limit_of_records_ends_the_run_where_it_says_though_more_chunks_might_be_processed() {
    let (memory, list) = (Memory::new(), ListWriter::new());
    for stopped_at in [10, 20] {
        let run = broken(&memory, &list, None).launch(Parameters::new()).limit(10).run().await.unwrap();
        assert_eq!((run.status, list.items().len()), (BatchStatus::Stopped, stopped_at));
    }
}

#[tokio::test]
async fn workers_without_chunks_to_process_are_refused() {
    let job = Job::new("load", &Memory::new())
        .step("rows", |s| Ok(s.chunk(CHUNK, numbers(9)).writer(ListWriter::new()).read_ahead(0).workers(2)));
    let error = job.run(Parameters::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(
        error.to_string().contains("no chunk is read ahead") && error.to_string().contains("leave out `.workers(2)`"),
        "{error}"
    );
}
