//! Chunks whose size is steered, in whole jobs.

use super::doubles::{SECOND, SlowDatabase, SlowReader, SlowWriter, Stopwatch};
use batch_core::{
    Adaptive, BatchStatus, Completion, Counts, Job, JobExplorer, JobRepository, ListWriter, ManualClock, Memory, Page, Parameters,
    Retry,
    testing::{Fault, Scripted},
};
use std::time::Duration;

/// A begin takes 20 s, a commit 10 s, an item 1 s: 100 items are open for 110 s, and take 130 s with the begin.
struct World {
    clock: ManualClock,
    memory: Memory,
    list: ListWriter<u64>,
    watch: Stopwatch,
    /// How the next step's writer differs.
    waits: bool,
    refuses: Option<u64>,
    ahead: usize,
    records: u64,
}

impl World {
    fn new(records: u64) -> Self {
        Self {
            clock: ManualClock::at(chrono::Utc::now()),
            memory: Memory::new(),
            list: ListWriter::new(),
            watch: Stopwatch::default(),
            waits: false,
            refuses: None,
            ahead: 1,
            records,
        }
    }

    fn database(&self) -> Scripted<SlowDatabase> {
        let (memory, clock) = (self.memory.clone(), self.clock.clone());
        Scripted::new(SlowDatabase { memory, clock, begin: 20 * SECOND, commit: 10 * SECOND })
    }

    fn job(&self, database: &Scripted<SlowDatabase>, size: impl Into<Completion>) -> Job<Scripted<SlowDatabase>> {
        let (clock, watch, records, size, ahead) = (self.clock.clone(), self.watch.clone(), self.records, size.into(), self.ahead);
        let mut writer = SlowWriter::new(&self.clock, &self.list, Duration::ZERO, SECOND);
        (writer.waits, writer.refuses) = (self.waits, self.refuses);
        Job::new("pace", database).clock(clock.clone()).step("step", move |s| {
            Ok(s.chunk(size.clone(), SlowReader::new(&clock, records, Duration::ZERO))
                .writer(writer.clone())
                .skip(u64::MAX)
                .retry(Retry::times(3).constant(SECOND))
                .read_ahead(ahead)
                .listener(watch.clone()))
        })
    }

    /// Runs to the end; the records of each chunk.
    async fn sizes(&self, size: impl Into<Completion>) -> Vec<u64> {
        self.sizes_on(&self.database(), size).await
    }

    async fn sizes_on(&self, database: &Scripted<SlowDatabase>, size: impl Into<Completion>) -> Vec<u64> {
        let done = self.job(database, size).run(Parameters::new()).await.unwrap();
        assert_eq!(done.status, BatchStatus::Completed, "{}", done.exit_status.message);
        self.watch.sizes()
    }

    fn assert_all_written(&self) {
        assert!(self.list.items().iter().copied().eq(0..self.records), "each once, in order");
    }
}

/// Runs of equal sizes: how many chunks of how many records.
fn runs(sizes: &[u64]) -> Vec<(usize, u64)> {
    sizes.chunk_by(|a, b| a == b).map(|run| (run.len(), run[0])).collect()
}

#[tokio::test(start_paused = true)]
async fn the_size_goes_to_the_lock_time_and_stays() {
    let world = World::new(3000);
    let sizes = world.sizes(Adaptive::lock_time(110 * SECOND).start(10)).await;
    // Three chunks where they are far off; the fourth size comes within the band, and the slope says how far it is from there.
    assert_eq!(runs(&sizes), [(3, 10), (3, 20), (3, 40), (7, 80), (22, 100), (1, 30)]);
    world.assert_all_written();
}

#[tokio::test(start_paused = true)]
async fn latency_counts_the_wait_for_a_transaction() {
    let sizes = World::new(3000).sizes(Adaptive::latency(110 * SECOND).start(10)).await;
    // 30 s a chunk, and 80 s for its items.
    assert_eq!(runs(&sizes), [(3, 10), (3, 20), (7, 40), (32, 80), (1, 70)]);
}

#[tokio::test(start_paused = true)]
async fn chunks_read_ahead_have_the_size_of_before() {
    for ahead in 0..4 {
        let mut world = World::new(3000);
        (world.waits, world.ahead) = (true, ahead);
        let sizes = world.sizes(Adaptive::lock_time(110 * SECOND).start(10)).await;
        let runs = runs(&sizes);
        let order: Vec<u64> = runs.iter().map(|run| run.1).collect();
        assert_eq!(order[..5], [10, 20, 40, 80, 100], "{ahead} ahead");
        assert_eq!(
            (runs[0].0, runs[1].0),
            (3 + ahead, 3 + ahead),
            "{ahead} ahead: what was filled meanwhile is written before the new size"
        );
        world.assert_all_written();
    }
}

#[tokio::test(start_paused = true)]
async fn whichever_ends_a_chunk_first_ends_it() {
    let world = World::new(1000);
    let policy = Completion::adaptive(Adaptive::lock_time(110 * SECOND).start(20));
    let sizes = world.sizes(policy.clone().or_when(|f| f.items == 15 && f.first >= 500)).await;
    // Those that end early are fast, and grow nothing.
    assert_eq!(runs(&sizes), [(3, 20), (3, 40), (4, 80), (33, 15), (1, 5)]);
    world.assert_all_written();
}

#[tokio::test(start_paused = true)]
async fn chunks_with_refused_items_and_chunks_tried_again_do_not_count() {
    let mut world = World::new(200);
    world.refuses = Some(5);
    assert_eq!(runs(&world.sizes(Adaptive::lock_time(SECOND).between(1, 10).start(10)).await), [(20, 10)]);

    let world = World::new(80);
    let database = (0..8).fold(world.database(), |database, n| database.fail(2 * n + 1, Fault::CommitTransient));
    let sizes = world.sizes_on(&database, Adaptive::lock_time(SECOND).between(1, 10).start(10)).await;
    assert_eq!(runs(&sizes), [(8, 10)]);
}

/// The kill comes just after a commit whose answer nobody hears, the failures between two; in each try the sizes change on the way.
#[tokio::test(start_paused = true)]
async fn whatever_the_sizes_were_a_restart_goes_on_after_the_last_commit() {
    for nth in [2, 5, 11] {
        for fault in [Fault::CommitStuck, Fault::CommitData, Fault::CommitLost, Fault::CommitUnsent] {
            let mut world = World::new(1500);
            world.waits = true;
            let database = world.database().fail(nth, fault).fail(nth + 7, fault).fail(nth + 23, Fault::CommitStuck);
            let job = world.job(&database, Adaptive::lock_time(110 * SECOND).start(10));
            loop {
                let done = tokio::select! {
                    done = job.run(Parameters::new()) => done.unwrap(),
                    () = database.stuck() => {
                        assert_eq!(world.watch.sizes()[0], 10, "each try begins anew");
                        continue;
                    }
                };
                let sizes = world.watch.sizes();
                assert!(sizes.first().is_none_or(|first| *first == 10), "{sizes:?}");
                if done.status == BatchStatus::Completed {
                    break;
                }
            }
            world.assert_all_written();
            let sum = sum(&*world.memory.explorer()).await;
            assert_eq!((sum.read, sum.written, sum.skips()), (1500, 1500, 0), "{fault:?} at {nth}");
            assert!(sum.commits < 60, "the sizes grew: {}", sum.commits);
        }
    }
}

/// The counts of all tries.
async fn sum(explorer: &dyn JobExplorer) -> Counts {
    let instance = explorer.instances("pace", Page::all()).await.unwrap().remove(0);
    let mut sum = Counts::default();
    for execution in explorer.executions(instance.id).await.unwrap() {
        for step in explorer.steps(execution.id).await.unwrap() {
            sum += step.counts;
        }
    }
    sum
}
