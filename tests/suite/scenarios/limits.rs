//! Time limits, panics, and runs that end in the middle.

use crate::{
    backends::{Backend, on_a_paused_clock, on_every_backend},
    doubles::{Fault, Once, Panic, Play, parameters},
};
use batch_core::{
    ChunkReport, Context, ExitStatus, Job, JobExecution, Listener, Phase, Repeat, Result, Retry, Scope, StepExecution,
};
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;

on_every_backend![
    a_panic_closes_reader_and_writer_and_is_restartable,
    a_panic_of_a_steps_factory_fails_the_step,
    a_panic_between_the_writes_fails_the_step,
    a_panic_of_a_listener_fails_the_step,
    a_panic_of_a_jobs_listener_is_heard_and_nothing_is_left_open,
    a_panic_of_a_tasklet_is_never_retried,
    a_run_that_was_dropped_is_taken_over,
];
on_a_paused_clock![
    an_item_that_takes_too_long_is_the_items,
    a_chunk_that_fills_too_slowly_fails_the_step,
    a_write_that_takes_too_long_fails_the_step,
    a_steps_limit_lets_the_chunk_end,
    a_jobs_limit_counts_over_its_steps,
    a_turn_that_takes_too_long_fails_the_step,
];

const SECOND: Duration = Duration::from_secs(1);

fn slow_at_four(value: i64) -> Duration {
    if value == 4 { 10 * SECOND } else { Duration::ZERO }
}

async fn an_item_that_takes_too_long_is_the_items<B: Backend>() {
    for (retry, skip, tells, calls) in [
        (None, 1, "COMPLETED R=30 W=29 SP=1 C=3", 1),
        (None, 0, "FAILED", 1),
        (Some(Retry::times(3).on(|_| true)), 1, "COMPLETED R=30 W=29 SP=1 C=3", 3),
    ] {
        let play = Play::<B>::new(30).await;
        let job = play.job(move |p, s| {
            let step = s.chunk(10, p.reader()).processor(p.processor().takes(slow_at_four)).writer(p.writer());
            let step = step.skip(skip).item_limit(SECOND);
            if let Some(retry) = &retry { step.retry(retry.clone()) } else { step }
        });
        let ran = play.run(&job).await;
        assert_eq!(ran.tells(), tells);
        assert!(skip > 0 || ran.message().ends_with("the item took longer than 1s"), "{}", ran.message());
        assert_eq!(play.seen(|seen| seen.processed.iter().filter(|v| **v == 4).count()), calls);
    }
}

async fn a_chunk_that_fills_too_slowly_fails_the_step<B: Backend>() {
    let play = Play::<B>::new(30).await;
    let job = play.job(|p, s| p.chunk_of(s, 10, p.reader().takes(SECOND)).chunk_limit(5 * SECOND));
    let ran = play.run(&job).await;
    assert_eq!(ran.tells(), "FAILED");
    assert!(ran.message().ends_with("reading and processing the chunk took longer than 5s"), "{}", ran.message());
    assert_eq!(play.seen(|seen| (seen.reader_closes, seen.writer_closes)), (1, 1));
    let fast = play.job(|p, s| p.chunk(s, 10));
    assert_eq!(play.run(&fast).await.tells(), "COMPLETED R=30 W=30 C=3");
    play.assert_all_written();
}

async fn a_write_that_takes_too_long_fails_the_step<B: Backend>() {
    let play = Play::<B>::new(30).await;
    let job = play.job(|p, s| s.chunk(10, p.reader()).writer(p.writer().takes(10 * SECOND)).chunk_limit(5 * SECOND).skip(100));
    let ran = play.run(&job).await;
    assert_eq!((ran.tells(), play.list()), ("FAILED".to_owned(), vec![]));
    assert!(ran.message().ends_with("writing the chunk took longer than 5s"), "{}", ran.message());
}

async fn a_steps_limit_lets_the_chunk_end<B: Backend>() {
    let play = Play::<B>::new(50).await;
    let job = play.job(|p, s| s.chunk(10, p.reader()).writer(p.writer().takes(4 * SECOND)).time_limit(10 * SECOND));
    let ran = play.run(&job).await;
    assert_eq!((ran.tells(), ran.execution.exit_code()), ("FAILED R=30 W=30 C=3".to_owned(), 1));
    let expected = "the step took longer than 10s; what was committed is kept, launch again to go on (job play, step act)";
    assert_eq!(ran.message(), expected);
    assert_eq!(play.run(&job).await.tells(), "COMPLETED R=20 W=20 C=2");
    play.assert_all_written();
}

async fn a_jobs_limit_counts_over_its_steps<B: Backend>() {
    let play = Play::<B>::new(10).await;
    let acts = play.clone();
    let slow = move |s: &Scope<B::Database>| Ok(s.chunk(5, acts.reader()).writer(acts.writer().takes(4 * SECOND)));
    let job = Job::new("play", play.database())
        .step("first", slow.clone())
        .step("second", slow.clone())
        .step("third", slow)
        .time_limit(10 * SECOND);
    let ran = play.run(&job).await;
    let steps: Vec<_> = ran.execution.steps.iter().map(|s| (s.status.as_str(), s.counts.written)).collect();
    assert_eq!(steps, [("COMPLETED", 10), ("FAILED", 5)]);
    assert!(ran.message().contains("the job took longer than 10s"), "{}", ran.message());
    let ran = play.run(&job).await;
    assert_eq!((ran.tells(), play.list().len()), ("FAILED R=10 W=10 C=2".to_owned(), 30));
    // Everything was committed; the next try finds nothing more to read.
    assert_eq!((play.run(&job).await.tells(), play.list().len()), ("COMPLETED".to_owned(), 30));
}

async fn a_turn_that_takes_too_long_fails_the_step<B: Backend>() {
    let play = Play::<B>::new(0).await;
    let job = play.job(|_, s| {
        s.tasklet(async move |_: &mut B::Conn, _: &mut Context| {
            tokio::time::sleep(10 * SECOND).await;
            Ok(())
        })
        .turn_limit(SECOND)
    });
    let ran = play.run(&job).await;
    let expected = "the tasklet failed (job play, step act): the turn took longer than 1s";
    assert_eq!((ran.tells(), ran.message()), ("FAILED".to_owned(), expected));
}

async fn a_panic_closes_reader_and_writer_and_is_restartable<B: Backend>() {
    for phase in [Phase::Read, Phase::Process, Phase::Write] {
        for concurrent in [1, 4] {
            let play = Play::<B>::new(30).await.fails(phase, [15], Panic, Once);
            let job = play.job(move |p, s| p.chunk(s, 10).concurrent(concurrent));
            let ran = play.run(&job).await;
            assert_eq!((ran.tells(), ran.execution.exit_code()), ("FAILED R=10 W=10 C=1".to_owned(), 1));
            assert!(ran.message().ends_with("panicked: scripted at 15"), "{}", ran.message());
            assert_eq!(play.seen(|seen| (seen.reader_closes, seen.writer_closes)), (1, 1));
            assert_eq!(play.run(&job).await.tells(), "COMPLETED R=20 W=20 C=2");
            play.assert_all_written();
        }
    }
}

async fn a_panic_of_a_steps_factory_fails_the_step<B: Backend>() {
    let play = Play::<B>::new(30).await.fails(Phase::Process, [-1], Panic, Once);
    let acts = play.clone();
    let job = Job::new("play", play.database()).step("act", move |s| {
        acts.meets(Phase::Process, -1)?;
        Ok(acts.chunk(s, 10))
    });
    let ran = play.run(&job).await;
    let expected = "the step cannot be built (job play, step act): its factory panicked: scripted at -1";
    assert_eq!((ran.tells(), ran.message()), ("FAILED".to_owned(), expected));
    assert_eq!(play.run(&job).await.tells(), "COMPLETED R=30 W=30 C=3");
}

async fn a_panic_between_the_writes_fails_the_step<B: Backend>() {
    for (call, committed) in [("open", 0), ("flush", 0), ("finish", 30), ("close", 30)] {
        let play = Play::<B>::new(30).await.fails(Phase::Write, [-1], Panic, Once);
        let job = play.job(move |p, s| s.chunk(10, p.reader()).writer(p.writer().breaks_in(call)));
        let ran = play.run(&job).await;
        assert_eq!((ran.execution.status.as_str(), ran.step().counts.written), ("FAILED", committed), "{call}");
        assert!(ran.message().ends_with("panicked: scripted at -1"), "{}", ran.message());
        assert_eq!(play.run(&job).await.execution.exit_code(), 0, "{call}");
        play.assert_all_written();
    }
}

/// Asks the script in one of its calls.
struct Breaks<B: Backend>(Play<B>, &'static str);

impl<B: Backend> Breaks<B> {
    fn enter(&self, call: &str) -> Result<()> {
        if self.1 == call { self.0.meets(Phase::Process, -1) } else { Ok(()) }
    }
}

#[async_trait::async_trait]
impl<B: Backend> Listener for Breaks<B> {
    async fn before_job(&self, _: &JobExecution) -> Result<()> {
        self.enter("before_job")
    }

    async fn after_job(&self, _: &JobExecution) -> Result<()> {
        self.enter("after_job")
    }

    async fn before_step(&self, _: &StepExecution) -> Result<()> {
        self.enter("before_step")
    }

    async fn after_step(&self, _: &StepExecution) -> Result<Option<ExitStatus>> {
        self.enter("after_step").map(|()| None)
    }

    async fn before_chunk(&self, _: &StepExecution) -> Result<()> {
        self.enter("before_chunk")
    }

    fn before_commit(&self, _: &mut Context) -> Result<()> {
        self.enter("before_commit")
    }

    async fn after_chunk(&self, _: &ChunkReport<'_>) -> Result<()> {
        self.enter("after_chunk")
    }
}

async fn a_panic_of_a_listener_fails_the_step<B: Backend>() {
    for (call, committed) in [("before_step", 0), ("before_chunk", 0), ("before_commit", 0), ("after_chunk", 10)] {
        let play = Play::<B>::new(30).await.fails(Phase::Process, [-1], Panic, Once);
        let job = play.job(|p, s| p.chunk(s, 10)).listener(Breaks(play.clone(), call));
        let ran = play.run(&job).await;
        assert_eq!((ran.execution.status.as_str(), ran.step().counts.written), ("FAILED", committed), "{call}");
        assert!(ran.message().ends_with("panicked: scripted at -1"), "{}", ran.message());
        assert_eq!(play.run(&job).await.execution.exit_code(), 0, "{call}");
        play.assert_all_written();
    }
}

async fn a_panic_of_a_jobs_listener_is_heard_and_nothing_is_left_open<B: Backend>() {
    for (call, status) in [("before_job", "FAILED"), ("after_step", "COMPLETED"), ("after_job", "COMPLETED")] {
        let play = Play::<B>::new(30).await.fails(Phase::Process, [-1], Panic, Once);
        let job = play.job(|p, s| p.chunk(s, 10)).listener(Breaks(play.clone(), call));
        let execution = job.run(parameters()).await.expect("a run that is recorded");
        assert_eq!(execution.status.as_str(), status, "{call}");
        assert!(play.explorer().running("play").await.expect("a known job").is_empty(), "{call}");
    }
}

/// Values 0, 1, 2, one each turn, inserted before the script is asked.
async fn turn<B: Backend>(play: &Play<B>, conn: &mut B::Conn, context: &mut Context) -> Result<Repeat> {
    let next = context.get("next").unwrap_or(0);
    B::insert(conn, &[next]).await?;
    context.set("next", next + 1)?;
    play.meets(Phase::Process, next)?;
    play.seen(|seen| seen.list.push(next));
    Ok(if next < 2 { Repeat::Again } else { Repeat::Finished })
}

async fn a_panic_of_a_tasklet_is_never_retried<B: Backend>() {
    let play = Play::<B>::new(3).await.fails(Phase::Process, [0], Fault::Busy, Once).fails(Phase::Process, [1], Panic, Once);
    let job = play.job(|p, s| {
        let p = p.clone();
        let turns = async move |conn: &mut B::Conn, cx: &mut Context| turn(&p, conn, cx).await;
        s.tasklet(turns).retry(Retry::times(5).on(|_| true))
    });
    let ran = play.run(&job).await;
    let expected = "the tasklet failed (job play, step act): the tasklet panicked: scripted at 1";
    assert_eq!((ran.tells(), ran.message()), ("FAILED C=1".to_owned(), expected));
    assert_eq!(ran.step().counts.rollbacks, 2);
    let ran = play.run(&job).await;
    assert_eq!((ran.tells(), ran.step().context.get("next").ok()), ("COMPLETED C=2".to_owned(), Some(3)));
    play.assert_all_written();
}

/// A future that is dropped leaves an execution that looks alive, but whose run is provably gone.
async fn a_run_that_was_dropped_is_taken_over<B: Backend>() {
    let (play, stuck) = (Play::<B>::new(30).await, Arc::new(Notify::new()));
    let notify = stuck.clone();
    let hangs = play.job(move |p, s| s.chunk(10, p.reader()).writer(p.writer().hangs_at(15, &notify)));
    tokio::select! {
        ended = hangs.run(parameters()) => panic!("it hangs, but ended: {ended:?}"),
        () = stuck.notified() => {}
    }
    let first = play.explorer().running("play").await.expect("running")[0].id;
    let job = play.job(|p, s| p.chunk(s, 10));
    assert_eq!(play.run(&job).await.tells(), "COMPLETED R=20 W=20 C=2");
    let closed = play.explorer().execution(first).await.expect("the first");
    assert_eq!((closed.status.as_str(), closed.steps[0].status.as_str(), closed.steps[0].counts.read), ("FAILED", "FAILED", 10));
    assert!(closed.exit_status.message.contains("taken over"), "{}", closed.exit_status.message);
    play.assert_all_written();
}
