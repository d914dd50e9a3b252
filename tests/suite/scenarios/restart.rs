//! Restarts and start limits: rows RS.

use crate::{
    backends::{Backend, on_every_backend},
    doubles::{Always, Diary, Fault, Once, Play, Unseekable, is_x, parameters},
};
use batch_core::{
    Chunk, Context, ErrorKind, Job, ListWriter, Parameters, Phase, Repeat, Result, Scope, Skip, StepOptions, StopHandle, Writer,
};
use parking_lot::Mutex;
use std::{num::NonZeroU32, sync::Arc};

on_every_backend![
    rs01_and_rs04_a_start_limit_counts_real_starts,
    rs06_a_complete_instance_is_refused,
    rs07_the_instance_goes_on_from_its_last_try,
    rs08_a_job_that_is_not_restartable_is_refused,
    rs09_a_restart_is_a_try_of_the_same_instance,
    rs10_saved_values_are_restored,
    rs13_after_a_failed_first_step_both_run,
    rs14_two_steps_of_one_name_are_refused,
    rs15_a_job_without_steps_is_refused,
    a_step_that_reruns_begins_at_its_beginning,
    a_reader_without_positions_reads_and_drops,
    a_restart_may_use_another_chunk_size,
    a_position_of_another_reader_is_refused,
    a_limited_run_ends_stopped_and_goes_on,
    keys_of_items_are_the_same_in_every_try,
];

/// Names of the steps whose factory was called.
type Started = Arc<Mutex<Vec<&'static str>>>;

/// Adds a step without work that notes its start.
fn note<B: Backend>(job: Job<B::Database>, name: &'static str, options: StepOptions, started: &Started) -> Job<B::Database> {
    let started = started.clone();
    job.step_with(name, options, move |s: &Scope<B::Database>| {
        started.lock().push(name);
        Ok(s.chunk(1, batch_core::iter(Vec::<i64>::new())).writer(ListWriter::new()))
    })
}

/// RS01, RS04.
async fn rs01_and_rs04_a_start_limit_counts_real_starts<B: Backend>() {
    let play = Play::<B>::new(1).await.fails(Phase::Write, [0], Fault::Y, Always);
    let started = Started::default();
    let rerun = StepOptions::new().rerun();
    let three = StepOptions::new().start_limit(NonZeroU32::new(3).expect("not zero"));
    let third = play.clone();
    let mut job = Job::new("limits", play.database());
    job = note::<B>(job, "s0", StepOptions::new().start_limit(NonZeroU32::MIN), &started);
    job = note::<B>(job, "s1", rerun.clone(), &started);
    job = note::<B>(job, "s2", rerun, &started);
    job = job.step_with("s3", three.clone(), move |s| Ok(third.chunk(s, 10)));
    job = note::<B>(job, "s4", three.rerun(), &started);
    for run in 1..=3 {
        let ran = play.run(&job).await;
        assert_eq!(ran.execution.status.as_str(), "FAILED");
        let steps: Vec<_> = ran.execution.steps.iter().map(|s| (s.name.as_str(), s.status.as_str(), s.start_no)).collect();
        let expected = [("s0", "COMPLETED", 1), ("s1", "COMPLETED", run), ("s2", "COMPLETED", run), ("s3", "FAILED", run)];
        // A step that an earlier try completed has no row, and passing over it is no start.
        assert_eq!(steps, if run == 1 { &expected[..] } else { &expected[1..] });
    }
    let ran = play.run(&job).await;
    assert_eq!(ran.execution.steps.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["s1", "s2"]);
    let expected = "start limit exceeded: the step may be started 3 times in all (job limits, step s3)";
    assert_eq!((ran.execution.status.as_str(), ran.message()), ("FAILED", expected));
    assert_eq!(started.lock().iter().filter(|s| **s == "s0").count(), 1);
    assert!(!started.lock().contains(&"s4"));
}

/// RS06.
async fn rs06_a_complete_instance_is_refused<B: Backend>() {
    let play = Play::<B>::new(3).await;
    let job = play.job(|p, s| p.chunk(s, 10));
    let first = play.run(&job).await;
    let refused = play.refused(&job, parameters()).await;
    assert_eq!((refused.kind(), refused.kind().exit_code()), (ErrorKind::AlreadyComplete, 5));
    let by_number = job.restart(first.execution.id, Parameters::new()).await.expect_err("refused");
    assert_eq!(by_number.kind(), ErrorKind::AlreadyComplete);
    assert_eq!(play.explorer().executions(first.execution.instance.id).await.expect("executions").len(), 1);
}

/// RS07: a launch names an instance, and goes on from its last try; by number only that one can be restarted.
async fn rs07_the_instance_goes_on_from_its_last_try<B: Backend>() {
    let play = Play::<B>::new(30).await.fails(Phase::Read, [11, 21], Fault::Y, Once);
    let job = play.job(|p, s| p.chunk(s, 10));
    let (first, second) = (play.run(&job).await, play.run(&job).await);
    assert_eq!([first.tells(), second.tells()], ["FAILED R=10 W=10 C=1", "FAILED R=10 W=10 C=1"]);
    let refused = job.restart(first.execution.id, Parameters::new()).await.expect_err("refused");
    assert_eq!(refused.kind(), ErrorKind::Configuration);
    assert!(refused.report().contains("not the most recent one"), "{}", refused.report());
    let third = job.restart(second.execution.id, Parameters::new()).await.expect("a run");
    assert_eq!(play.check(third).await.tells(), "COMPLETED R=10 W=10 C=1");
    assert_eq!(play.refused(&job, parameters()).await.kind(), ErrorKind::AlreadyComplete);
    play.assert_all_written();
}

/// RS08.
async fn rs08_a_job_that_is_not_restartable_is_refused<B: Backend>() {
    let play = Play::<B>::new(30).await.fails(Phase::Read, [11], Fault::Y, Once);
    let job = play.job(|p, s| p.chunk(s, 10)).not_restartable();
    assert_eq!(play.run(&job).await.tells(), "FAILED R=10 W=10 C=1");
    let refused = play.refused(&job, parameters()).await;
    assert_eq!((refused.kind(), refused.kind().exit_code()), (ErrorKind::NeedsOperator, 6));
    let other = parameters().set("run", 2);
    assert_eq!(play.run_with(&job, other, &StopHandle::new()).await.tells(), "COMPLETED R=30 W=30 C=3");
}

/// RS09.
async fn rs09_a_restart_is_a_try_of_the_same_instance<B: Backend>() {
    let play = Play::<B>::new(30).await.fails(Phase::Read, [11], Fault::Y, Once);
    let job = play.job(|p, s| p.chunk(s, 10));
    let (first, second) = (play.run(&job).await.execution, play.run(&job).await.execution);
    assert_eq!(first.instance, second.instance);
    assert!(first.id < second.id);
    assert_eq!((first.step("act").map(|s| s.start_no), second.step("act").map(|s| s.start_no)), (Some(1), Some(2)));
}

/// RS10: what a failed turn set is rolled back with it, so each turn that succeeded counts.
async fn rs10_saved_values_are_restored<B: Backend>() {
    let play = Play::<B>::new(0).await;
    let broken = Arc::new(Mutex::new(true));
    let breaks = broken.clone();
    let job = Job::new("play", play.database()).step("count", move |s: &Scope<B::Database>| {
        let breaks = breaks.clone();
        Ok(s.tasklet(async move |_: &mut B::Conn, cx: &mut Context| count(cx, &breaks)))
    });
    let first = play.run(&job).await;
    assert_eq!((first.tells(), first.step().context.get("data").ok()), ("FAILED C=4".to_owned(), Some(4)));
    *broken.lock() = false;
    let second = play.run(&job).await;
    assert_eq!((second.tells(), second.step().context.get("data").ok()), ("COMPLETED C=1".to_owned(), Some(5)));
    assert_eq!(second.execution.context.get("data").ok(), Some(5));
}

/// Counts to five, and fails on the way there while `broken`.
fn count(context: &mut Context, broken: &Mutex<bool>) -> Result<Repeat> {
    let next = context.get("data").unwrap_or(0) + 1;
    context.set("data", next)?;
    match next {
        5 if *broken.lock() => Err("forced".into()),
        5 => Ok(Repeat::Finished),
        _ => Ok(Repeat::Again),
    }
}

/// RS13.
async fn rs13_after_a_failed_first_step_both_run<B: Backend>() {
    let play = Play::<B>::new(1).await.fails(Phase::Write, [0], Fault::Y, Once);
    let started = Started::default();
    let job = note::<B>(play.job(|p, s| p.chunk(s, 10)), "after", StepOptions::new(), &started);
    let first = play.run(&job).await.execution;
    assert_eq!((first.exit_status.code.as_str(), first.steps.len()), ("FAILED", 1));
    let second = play.run(&job).await.execution;
    assert_eq!((second.exit_status.code.as_str(), second.steps.len()), ("COMPLETED", 2));
    assert_eq!(*started.lock(), ["after"]);
}

/// RS14: refused (A20).
async fn rs14_two_steps_of_one_name_are_refused<B: Backend>() {
    let play = Play::<B>::new(1).await;
    let job = note::<B>(play.job(|p, s| p.chunk(s, 10)), "act", StepOptions::new(), &Started::default());
    let refused = play.refused(&job, parameters()).await;
    assert_eq!((refused.kind(), refused.kind().exit_code()), (ErrorKind::Configuration, 2));
    assert!(refused.report().contains("two steps are named `act`"), "{}", refused.report());
    assert!(play.explorer().job_names().await.expect("names").is_empty());
}

/// RS15.
async fn rs15_a_job_without_steps_is_refused<B: Backend>() {
    let play = Play::<B>::new(1).await;
    let refused = play.refused(&Job::new("empty", play.database()), Parameters::new()).await;
    assert_eq!((refused.kind(), refused.kind().exit_code()), (ErrorKind::Configuration, 2));
    assert!(refused.report().contains("no steps configured"), "{}", refused.report());
    assert!(play.explorer().job_names().await.expect("names").is_empty());
}

async fn a_step_that_reruns_begins_at_its_beginning<B: Backend>() {
    let play = Play::<B>::new(15).await;
    let (first, fails) = (play.clone(), Play::<B>::new(1).await.fails(Phase::Process, [0], Fault::Y, Once));
    let job = Job::new("play", play.database())
        .step_with("first", StepOptions::new().rerun(), move |s| Ok(first.chunk(s, 10)))
        .step("last", move |s| Ok(s.chunk(10, fails.reader()).processor(fails.processor()).writer(ListWriter::new())));
    for commits in [2, 4] {
        let ran = play.check(job.run(parameters()).await.expect("a run")).await;
        let step = ran.execution.step("first").expect("it ran");
        // Commits are counted on over the tries, so that a late commit of an earlier one can't pass for one of this.
        assert_eq!((step.counts.read, step.commit_no), (15, commits));
    }
    assert_eq!(play.seen(|s| (s.reader_opens.clone(), s.writer_opens.clone())), (vec![None, None], vec![None, None]));
    assert_eq!(play.list().len(), 30);
}

async fn a_reader_without_positions_reads_and_drops<B: Backend>() {
    let play =
        Play::<B>::new(30).await.fails(Phase::Read, [3], Fault::BadRecord, Always).fails(Phase::Process, [15], Fault::Y, Once);
    let job = play.job(|p, s| p.chunk_of(s, 10, Unseekable(p.reader())).skip(1));
    assert_eq!(play.run(&job).await.tells(), "FAILED R=11 W=10 SR=1 C=1");
    play.seen(|seen| {
        seen.read_calls = 0;
        seen.processed.clear();
    });
    assert_eq!(play.run(&job).await.tells(), "COMPLETED R=19 W=19 C=2");
    assert_eq!(play.seen(|seen| (seen.read_calls, seen.processed.len())), (31, 19));
    play.assert_written_except(&[3]);
}

async fn a_restart_may_use_another_chunk_size<B: Backend>() {
    let play = Play::<B>::new(30).await.fails(Phase::Write, [25], Fault::Y, Once);
    let small = play.job(|p, s| p.chunk(s, 7));
    assert_eq!(play.run(&small).await.tells(), "FAILED R=21 W=21 C=3");
    let large = play.job(|p, s| p.chunk(s, 100));
    assert_eq!(play.run(&large).await.tells(), "COMPLETED R=9 W=9 C=1");
    play.assert_all_written();
}

async fn a_position_of_another_reader_is_refused<B: Backend>() {
    let play = Play::<B>::new(30).await.fails(Phase::Read, [15], Fault::Y, Once);
    let job = play.job(|p, s| p.chunk(s, 10));
    play.run(&job).await;
    let other = play.job(|p, s| {
        let files = batch_core::MultiReader::new(vec![1_u32], |_| batch_core::iter(0_i64..30));
        s.chunk(10, files).writer(p.writer())
    });
    let refused = other.run(parameters()).await.expect_err("refused");
    assert_eq!((refused.kind(), refused.kind().exit_code()), (ErrorKind::NeedsOperator, 6));
    assert_eq!(play.run(&job).await.tells(), "COMPLETED R=20 W=20 C=2");
    play.assert_all_written();
}

async fn a_limited_run_ends_stopped_and_goes_on<B: Backend>() {
    let (play, diary) = (Play::<B>::new(30).await.fails(Phase::Read, [2, 3, 24], Fault::BadRecord, Always), Diary::new());
    let job = play.job(|p, s| p.chunk(s, 10).skip(10)).listener(diary.clone());
    let mut tells = Vec::new();
    for _ in 0..3 {
        let ran = play.check(job.launch(parameters()).limit(12).run().await.expect("a run")).await;
        tells.push((ran.tells(), ran.execution.exit_code()));
    }
    let stopped = |text: &str| (text.to_owned(), 3);
    assert_eq!(tells[0], stopped("STOPPED R=12 W=10 SR=2 C=1"));
    assert_eq!(tells[1], stopped("STOPPED R=12 W=12 C=2"));
    assert_eq!(tells[2], ("COMPLETED R=6 W=5 SR=1 C=1".to_owned(), 0));
    assert_eq!(diary.of("after_job"), ["after_job:STOPPED", "after_job:STOPPED", "after_job"]);
    play.assert_written_except(&[2, 3, 24]);
}

/// Notes the key of each item that it is to write.
struct Keys(Arc<Mutex<Vec<(String, i64)>>>);

impl<C: Send> Writer<i64, C> for Keys {
    async fn write(&mut self, _: &mut C, items: Chunk<'_, i64>) -> Result<()> {
        self.0.lock().extend(items.keyed().map(|(key, value)| (key, *value)));
        Ok(())
    }
}

/// PROTOCOL 16: numbered since the instance began, whatever is skipped or filtered and however large the chunks are.
async fn keys_of_items_are_the_same_in_every_try<B: Backend>() {
    let play = Play::<B>::new(12).await.fails(Phase::Read, [1], Fault::BadRecord, Always).fails(Phase::Write, [9], Fault::Y, Once);
    let keys: Arc<Mutex<Vec<(String, i64)>>> = Arc::default();
    for size in [4, 3] {
        let keys = keys.clone();
        let job = play.job(move |p, s| {
            let step = s.chunk(size, p.reader()).filter(|v| *v != 2).processor(p.processor());
            step.writer((Keys(keys.clone()), p.writer())).skip(Skip::limit(1).on(is_x))
        });
        play.run(&job).await;
    }
    let instance = play.explorer().instances("play", batch_core::Page::all()).await.expect("instances")[0].id;
    assert!(keys.lock().iter().all(|(key, value)| *key == format!("{instance}/act/{value}")), "{:?}", keys.lock());
    assert_eq!(keys.lock().iter().filter(|(_, value)| *value == 9).count(), 2);
}
