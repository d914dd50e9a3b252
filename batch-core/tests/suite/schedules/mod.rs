//! Any schedule of failures, any policies, any chunk size: nothing lost, nothing twice, order kept, counts add up.
//!
//! Ten thousand schedules by default; `PROPTEST_CASES` asks for more. A failing one is shrunk and printed.

mod components;
mod plan;

use batch_core::{
    BatchStatus, ChunkStep, Counts, Error, Job, JobExecution, JobExplorer, JobRepository, ListWriter, Memory, Page, Parameters,
    Phase, Processor, Reader, Retry, Skip, SkipRecord, StepExecution, testing::Scripted,
};
use components::{FlakyProcessor, FlakyReader, FlakyWriter, World};
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

/// Launches the plan's job again and again until it completes, checking the repository after each try.
async fn to_the_end(plan: &Plan) {
    let memory = Memory::new();
    let world = Arc::new(World::new(plan));
    let out = ListWriter::new();
    let scripted = |memory| plan.faults.iter().fold(Scripted::new(memory), |db, (nth, fault)| db.fail(*nth, *fault));
    let (database, rows) = (scripted(memory.clone()), scripted(Memory::new()));
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
            () = database.stuck() => continue,
            () = rows.stuck() => continue,
        };
        let tries = tries(&*memory.explorer()).await;
        check_each(&tries, &out);
        if is_complete(outcome) {
            check_whole(plan, &tries, &out, &skips(&*memory.explorer(), &tries).await);
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

type Database = Scripted<Memory>;

/// The job, with its rows in `database` or, where the plan says so, in `rows`.
fn job(
    plan: &Plan,
    database: &Database,
    rows: &Database,
    world: &Arc<World>,
    out: &ListWriter<u64>,
    lenient: bool,
) -> Job<Database> {
    let job = Job::new("schedule", database).clock(world.clock.clone());
    let (plan, rows, world, out) = (plan.clone(), rows.clone(), world.clone(), out.clone());
    let parts =
        move || (FlakyReader::new(world.clone()), FlakyProcessor(world.clone()), FlakyWriter::new(world.clone(), out.clone()));
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
{
    let skip = if lenient { Skip::unlimited() } else { Skip::limit(plan.skip_limit) };
    step.skip(skip)
        .retry(Retry::times(plan.attempts).constant(Duration::from_millis(10)))
        .read_ahead(plan.ahead)
        .concurrent(plan.concurrent)
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
fn check_each(tries: &[StepExecution], out: &ListWriter<u64>) {
    for step in tries {
        assert!(step.counts.is_balanced(), "{:?}", step.counts);
        assert!(!step.status.is_active());
    }
    let sum = tries.iter().fold(Counts::default(), |sum, step| sum + step.counts);
    assert_eq!(sum.written, out.items().len() as u64, "written and what is in the list");
    assert_eq!(tries.last().map(|s| s.checkpoint.read), Some(sum.read), "the checkpoint and what was read");
    assert_eq!(tries.last().map(|s| s.commit_no), Some(sum.commits.try_into().unwrap()), "commit numbers only grow by commits");
}

/// At the end: every record is in the output, filtered or skipped, exactly once and for the right reason.
fn check_whole(plan: &Plan, tries: &[StepExecution], out: &ListWriter<u64>, skips: &[SkipRecord]) {
    let sum = tries.iter().fold(Counts::default(), |sum, step| sum + step.counts);
    let with =
        |test: &dyn Fn(Fate) -> bool| -> Vec<u64> { (0..).zip(&plan.fates).filter(|(_, f)| test(**f)).map(|(i, _)| i).collect() };
    // A constraint that a script finds violated by a single item makes that item a bad one.
    let (scripted, skips): (Vec<&SkipRecord>, Vec<&SkipRecord>) =
        skips.iter().partition(|s| s.reason.contains("scripted fault Release"));
    let unlucky: Vec<u64> = scripted.iter().map(|s| s.number).collect();
    let written: Vec<u64> = with(&Fate::is_written).into_iter().filter(|i| !unlucky.contains(i)).collect();
    assert_eq!(out.items(), written, "each good item once, in order");
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
