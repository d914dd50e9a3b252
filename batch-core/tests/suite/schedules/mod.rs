//! Any schedule of failures, any policies, any chunk size: nothing lost, nothing twice, order kept, counts add up.
//!
//! Ten thousand schedules by default; `PROPTEST_CASES` asks for more. A failing one is shrunk and printed.

mod components;
mod plan;

use crate::table::Table;
use batch_core::{
    BatchStatus, ChunkStep, Counts, Error, Job, JobExecution, JobExplorer, JobRepository, Ledger, ListWriter, Memory, Page,
    Parameters, Phase, Processor, Reader, Retry, Skip, SkipRecord, StepExecution, Writer, testing::Scripted,
};
use components::{FlakyInsert, FlakyProcessor, FlakyReader, FlakyWriter, World};
use plan::{Fate, Plan};
use proptest::{prelude::ProptestConfig, test_runner::TestRunner};
use std::{sync::Arc, time::Duration};

/// Tries after which the operator lifts the skip limit; by then every passing fault is used up.
const PATIENCE: usize = 12;

#[test]
fn nothing_is_lost_and_nothing_is_done_twice() {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(10_000);
    let config = ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 4096, ..ProptestConfig::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    TestRunner::new(config)
        .run(&plan::plans(), |plan| {
            runtime.block_on(to_the_end(&plan));
            Ok(())
        })
        .unwrap();
}

/// Where rows go, and what is there.
trait Place: Ledger + Clone {
    type Out: Clone + Send + Sync + 'static;
    type Writer: Writer<u64, Self::Conn> + Clone;

    fn make(memory: Memory) -> Self;
    fn out(database: &Self, rows: &Self, elsewhere: bool) -> Self::Out;
    fn written(out: &Self::Out) -> Vec<u64>;
    fn writer(world: Arc<World>, out: &Self::Out) -> Self::Writer;
}

impl Place for Memory {
    type Out = ListWriter<u64>;
    type Writer = FlakyWriter;

    fn make(memory: Memory) -> Self {
        memory
    }

    fn out(_: &Self, _: &Self, _: bool) -> ListWriter<u64> {
        ListWriter::new()
    }

    fn written(out: &ListWriter<u64>) -> Vec<u64> {
        out.items()
    }

    fn writer(world: Arc<World>, out: &ListWriter<u64>) -> FlakyWriter {
        FlakyWriter::new(world, out.clone())
    }
}

impl Place for Table {
    type Out = Self;
    type Writer = FlakyInsert;

    fn make(memory: Memory) -> Self {
        Self::new(memory)
    }

    fn out(database: &Self, rows: &Self, elsewhere: bool) -> Self {
        if elsewhere { rows.clone() } else { database.clone() }
    }

    fn written(out: &Self) -> Vec<u64> {
        assert_eq!(out.open(), 0, "every transaction ended with its run");
        out.rows()
    }

    fn writer(world: Arc<World>, _: &Self) -> FlakyInsert {
        FlakyInsert(world)
    }
}

async fn to_the_end(plan: &Plan) {
    if plan.in_flight > 1 { on::<Table>(plan).await } else { on::<Memory>(plan).await }
}

/// Launches the plan's job again and again until it completes, checking the repository after each try.
async fn on<D: Place>(plan: &Plan) {
    let memory = Memory::new();
    let world = Arc::new(World::new(plan));
    let places = (D::make(memory.clone()), D::make(Memory::new()));
    let out = D::out(&places.0, &places.1, plan.elsewhere);
    let scripted = |place| plan.faults.iter().fold(Scripted::new(place), |db, (nth, fault)| db.fail(*nth, *fault));
    let (database, rows) = (scripted(places.0), scripted(places.1));
    for attempt in 0.. {
        assert!(attempt < 10 * PATIENCE, "the job does not end");
        let job = job(plan, &database, &rows, &world, &out, attempt >= PATIENCE);
        let mut run = job.launch(Parameters::new());
        if let Some(limit) = plan.limit {
            run = run.limit(limit);
        }
        let outcome = tokio::select! {
            outcome = run.run() => outcome,
            // The run is dropped just after a commit, as by a kill: the next one takes over.
            () = database.stuck() => { tokio::task::yield_now().await; continue },
            () = rows.stuck() => { tokio::task::yield_now().await; continue },
        };
        let tries = tries(&*memory.explorer()).await;
        check_each(&tries, &D::written(&out));
        if is_complete(outcome) {
            check_whole(plan, &tries, &D::written(&out), &skips(&*memory.explorer(), &tries).await);
            return;
        }
    }
}

fn is_complete(outcome: Result<JobExecution, Error>) -> bool {
    match outcome {
        Ok(execution) => execution.status == BatchStatus::Completed,
        Err(error) => panic!("a launch was refused: {}", error.report()),
    }
}

/// The job, with its rows in `database` or, where the plan says so, in `rows`.
fn job<D: Place>(
    plan: &Plan,
    database: &Scripted<D>,
    rows: &Scripted<D>,
    world: &Arc<World>,
    out: &D::Out,
    lenient: bool,
) -> Job<Scripted<D>> {
    let job = Job::new("schedule", database).clock(world.clock.clone());
    let (plan, rows, world, out) = (plan.clone(), rows.clone(), world.clone(), out.clone());
    let parts = move || (FlakyReader::new(world.clone()), FlakyProcessor(world.clone()), D::writer(world.clone(), &out));
    if plan.elsewhere {
        job.step("step", move |s| {
            let (reader, processor, writer) = parts();
            let step = s.chunk(plan.size(), reader).processor(processor).transaction(&rows).writer(writer);
            Ok(with_policies(step, &plan, lenient))
        })
    } else {
        job.step("step", move |s| {
            let (reader, processor, writer) = parts();
            Ok(with_policies(s.chunk(plan.size(), reader).processor(processor).writer(writer), &plan, lenient))
        })
    }
}

fn with_policies<R, P, W, T>(step: ChunkStep<R, P, W, T>, plan: &Plan, lenient: bool) -> ChunkStep<R, P, W, T>
where
    R: Reader<Item: Clone>,
    P: Processor<R::Item>,
    W: Clone,
{
    let skip = if lenient { Skip::unlimited() } else { Skip::limit(plan.skip_limit) };
    step.skip(skip)
        .retry(Retry::times(plan.attempts).constant(Duration::from_millis(10)))
        .read_ahead(plan.ahead)
        .concurrent(plan.concurrent)
        .workers(plan.workers)
        .in_flight(plan.in_flight)
}

async fn tries(explorer: &dyn JobExplorer) -> Vec<StepExecution> {
    let instance = explorer.instances("schedule", Page::all()).await.unwrap().remove(0);
    let mut steps = Vec::new();
    for execution in explorer.executions(instance.id).await.unwrap().into_iter().rev() {
        steps.extend(explorer.steps(execution.id).await.unwrap());
    }
    steps
}

async fn skips(explorer: &dyn JobExplorer, tries: &[StepExecution]) -> Vec<SkipRecord> {
    let mut all = Vec::new();
    for step in tries {
        all.extend(explorer.skips(step.id, Page::all()).await.unwrap());
    }
    all
}

/// After every try: the counts close, and metadata agrees with data.
fn check_each(tries: &[StepExecution], out: &[u64]) {
    for step in tries {
        assert!(step.counts.is_balanced(), "{:?}", step.counts);
        assert!(!step.status.is_active());
    }
    let sum = tries.iter().fold(Counts::default(), |sum, step| sum + step.counts);
    assert_eq!(sum.written, out.len() as u64, "written and what is in the list");
    assert_eq!(tries.last().map(|s| s.checkpoint.read), Some(sum.read), "the checkpoint and what was read");
    assert_eq!(tries.last().map(|s| s.commit_no), Some(sum.commits.try_into().unwrap()), "commit numbers only grow by commits");
}

/// At the end: every record is in the output, filtered or skipped, exactly once and for the right reason.
fn check_whole(plan: &Plan, tries: &[StepExecution], out: &[u64], skips: &[SkipRecord]) {
    let sum = tries.iter().fold(Counts::default(), |sum, step| sum + step.counts);
    let with =
        |test: &dyn Fn(Fate) -> bool| -> Vec<u64> { (0..).zip(&plan.fates).filter(|(_, f)| test(**f)).map(|(i, _)| i).collect() };
    // A constraint that a script finds violated by a single item makes that item a bad one.
    let (scripted, skips): (Vec<&SkipRecord>, Vec<&SkipRecord>) =
        skips.iter().partition(|s| s.reason.contains("scripted fault Release"));
    let unlucky: Vec<u64> = scripted.iter().map(|s| s.number).collect();
    let written: Vec<u64> = with(&Fate::is_written).into_iter().filter(|i| !unlucky.contains(i)).collect();
    assert_eq!(out, written, "each good item once, in order");
    let refused: Vec<u64> = with(&|f| f == Fate::Refused).into_iter().filter(|i| !unlucky.contains(i)).collect();
    let of = |phase| -> Vec<u64> {
        let mut numbers: Vec<u64> = skips.iter().filter(|s| s.phase == phase).map(|s| s.number).collect();
        numbers.sort_unstable();
        numbers
    };
    assert_eq!(of(Phase::Read), with(&|f| f == Fate::BadRecord));
    assert_eq!(of(Phase::Process), with(&|f| matches!(f, Fate::BadItem | Fate::Panics)));
    assert_eq!(of(Phase::Write), refused);
    assert_eq!(sum.read, plan.fates.len() as u64);
    assert_eq!(sum.filtered, with(&|f| f == Fate::Filtered).len() as u64);
    assert_eq!(sum.skips(), (skips.len() + scripted.len()) as u64);
}
