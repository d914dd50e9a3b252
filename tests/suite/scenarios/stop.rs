//! Stopping, pausing, abandoning, and what operators read: rows ST.

use crate::{
    backends::{Backend, on_a_paused_clock, on_every_backend},
    doubles::{Always, Busy, Diary, Fault, Once, Play, parameters},
};
use batch_core::{
    BatchStatus, ChunkReport, Context, ErrorKind, Job, JobRepository, Listener, Page, Phase, Repeat, Request, Result, Retry, Scope,
    StepExecution, StopHandle, Transactions,
};
use parking_lot::Mutex;
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;

on_every_backend![
    st01_a_stopped_tasklet_begins_again_then_the_next_step_runs,
    st03_an_abandoned_execution_is_never_restarted,
    st04_a_running_execution_is_neither_abandoned_nor_launched_again,
    st05_a_stop_between_chunks_ends_the_run,
    st07_an_unknown_job_is_an_error_not_an_empty_list,
    st09_each_start_with_other_parameters_is_an_instance,
    st10_the_executions_of_an_instance_are_its_tries,
    an_operator_stops_a_run_with_its_next_commit,
    a_run_stopped_before_it_began_starts_no_step,
    a_stop_between_steps_goes_on_with_the_next_one,
    nothing_is_asked_of_an_execution_that_ended,
];
on_a_paused_clock![
    st05_a_stop_in_the_middle_ends_within_the_chunk,
    a_stop_ends_every_back_off,
    a_paused_run_waits_until_it_is_resumed,
    a_stop_ends_a_pause,
    an_operator_pauses_and_resumes_a_run,
];

/// Calls a function after each chunk.
struct AfterChunk<F>(F);

#[async_trait::async_trait]
impl<F: Fn(&StepExecution) + Send + Sync + 'static> Listener for AfterChunk<F> {
    async fn after_chunk(&self, report: &ChunkReport<'_>) -> Result<()> {
        (self.0)(report.step);
        Ok(())
    }
}

/// Asks something of the running execution after its first chunk or as its step begins.
struct Asks(Arc<dyn JobRepository>, Request);

#[async_trait::async_trait]
impl Listener for Asks {
    async fn after_chunk(&self, report: &ChunkReport<'_>) -> Result<()> {
        match report.step.counts.commits {
            1 => Ok(self.0.request(report.step.execution_id, Some(self.1)).await?),
            _ => Ok(()),
        }
    }
}

/// ST01: the step's own word for its end is a listener's.
async fn st01_a_stopped_tasklet_begins_again_then_the_next_step_runs<B: Backend>() {
    let (play, stop, last) = (Play::<B>::new(3).await, StopHandle::new(), Arc::new(Mutex::new(u32::MAX)));
    let (stops, turns, acts) = (stop.clone(), last.clone(), play.clone());
    let job = Job::new("play", play.database())
        .step("endless", move |s: &Scope<B::Database>| {
            let (stops, turns) = (stops.clone(), turns.clone());
            let turn = async move |_: &mut B::Conn, cx: &mut Context| {
                let turn = cx.get::<u32>("turn").unwrap_or(0) + 1;
                cx.set("turn", turn)?;
                if turn == 5 {
                    stops.stop();
                }
                Ok(if turn < *turns.lock() { Repeat::Again } else { Repeat::Finished })
            };
            Ok(s.tasklet(turn).listener(Diary::new().exits("CANCELED")))
        })
        .step("next", move |s| Ok(acts.chunk(s, 10)));
    let first = play.run_with(&job, parameters(), &stop).await.execution;
    assert_eq!((first.status, first.exit_code(), first.steps.len()), (BatchStatus::Stopped, 3, 1));
    assert_eq!((first.steps[0].exit_status.code.as_str(), first.steps[0].context.get("turn").ok()), ("CANCELED", Some(5)));
    *last.lock() = 7;
    let second = play.run(&job).await.execution;
    assert_eq!((second.status, second.exit_code(), second.steps.len()), (BatchStatus::Completed, 0, 2));
    assert_eq!((second.steps[0].start_no, second.context.get("turn").ok()), (2, Some(7)));
    play.assert_all_written();
}

/// ST03.
async fn st03_an_abandoned_execution_is_never_restarted<B: Backend>() {
    for how in ["STOPPED", "FAILED", "COMPLETED"] {
        let play = Play::<B>::new(30).await;
        let job = play.job(|p, s| p.chunk(s, 10));
        let play = if how == "FAILED" { play.fails(Phase::Read, [11], Fault::Y, Once) } else { play };
        let limit = if how == "STOPPED" { 10 } else { 100 };
        let id = job.launch(parameters()).limit(limit).run().await.expect("a run").id;
        let repository = play.database().repository();
        assert_eq!(repository.abandon(id).await.map(BatchStatus::as_str).ok(), Some(how));
        let abandoned = play.explorer().execution(id).await.expect("the execution");
        assert_eq!((abandoned.status, abandoned.exit_code()), (BatchStatus::Abandoned, 6));
        let refused = play.refused(&job, parameters()).await;
        assert_eq!((refused.kind(), refused.kind().exit_code()), (ErrorKind::NeedsOperator, 6), "{how}: {}", refused.report());
    }
}

/// What was refused while the step ran.
type Refusals = Arc<Mutex<Vec<ErrorKind>>>;

struct Meddles<B: Backend>(Play<B>, Refusals);

#[async_trait::async_trait]
impl<B: Backend> Listener for Meddles<B> {
    async fn before_step(&self, step: &StepExecution) -> Result<()> {
        let abandoned = self.0.database().repository().abandon(step.execution_id).await;
        let launched = self.0.job(|p, s| p.chunk(s, 10)).run(parameters()).await;
        self.1.lock().extend(abandoned.err().map(|e| e.kind()));
        self.1.lock().extend(launched.err().map(|e| e.kind()));
        Ok(())
    }
}

/// ST04, on the first try and on a restart.
async fn st04_a_running_execution_is_neither_abandoned_nor_launched_again<B: Backend>() {
    let (play, refusals) = (Play::<B>::new(30).await.fails(Phase::Read, [11], Fault::Y, Once), Refusals::default());
    let job = play.job(|p, s| p.chunk(s, 10)).listener(Meddles(play.clone(), refusals.clone()));
    assert_eq!(play.run(&job).await.tells(), "FAILED R=10 W=10 C=1");
    assert_eq!(play.run(&job).await.tells(), "COMPLETED R=20 W=20 C=2");
    assert_eq!(*refusals.lock(), [ErrorKind::AlreadyRunning; 4]);
    assert_eq!(ErrorKind::AlreadyRunning.exit_code(), 4);
    play.assert_all_written();
}

async fn st05_a_stop_between_chunks_ends_the_run<B: Backend>() {
    let (play, stop) = (Play::<B>::new(5).await, StopHandle::new());
    let stops = stop.clone();
    let job = play.job(move |p, s| {
        let stops = stops.clone();
        p.chunk(s, 2).listener(AfterChunk(move |_: &StepExecution| stops.stop()))
    });
    let ran = play.run_with(&job, parameters(), &stop).await;
    assert_eq!((ran.tells(), ran.execution.exit_code()), ("STOPPED R=2 W=2 C=1".to_owned(), 3));
    assert_eq!((ran.step().status, ran.step().exit_status.code.as_str()), (BatchStatus::Stopped, "STOPPED"));
    assert_eq!(play.seen(|seen| (seen.reader_closes, seen.writer_closes, seen.finishes)), (1, 1, 0));
    assert_eq!(play.run(&job).await.tells(), "COMPLETED R=3 W=3 C=2");
    play.assert_all_written();
}

/// ST05: 500 ms a record, stopped after 1.2 s; the chunk being read then is dropped.
async fn st05_a_stop_in_the_middle_ends_within_the_chunk<B: Backend>() {
    let (play, stop) = (Play::<B>::new(5).await, StopHandle::new());
    let job = play.job(|p, s| p.chunk_of(s, 2, p.reader().takes(Duration::from_millis(500))));
    let begun = tokio::time::Instant::now();
    let asks = async {
        sleep(Duration::from_millis(1200)).await;
        stop.stop();
    };
    let (ran, ()) = tokio::join!(play.run_with(&job, parameters(), &stop), asks);
    assert_eq!((ran.tells(), begun.elapsed().as_millis() / 10), ("STOPPED R=2 W=2 C=1".to_owned(), 120));
    assert_eq!(play.run(&job).await.tells(), "COMPLETED R=3 W=3 C=2");
    play.assert_all_written();
}

/// ST07.
async fn st07_an_unknown_job_is_an_error_not_an_empty_list<B: Backend>() {
    let explorer = Play::<B>::new(0).await.explorer();
    let kinds = [
        explorer.instance_count("nobody").await.err().map(|e| e.kind()),
        explorer.instances("nobody", Page::all()).await.err().map(|e| e.kind()),
        explorer.instance("nobody", "key").await.err().map(|e| e.kind()),
        explorer.running("nobody").await.err().map(|e| e.kind()),
        explorer.execution(4711).await.err().map(|e| e.kind()),
        explorer.executions(4711).await.err().map(|e| e.kind()),
        explorer.steps(4711).await.err().map(|e| e.kind()),
        explorer.skips(4711, Page::all()).await.err().map(|e| e.kind()),
    ];
    assert_eq!(kinds, [Some(ErrorKind::NotFound); 8]);
    assert_eq!(ErrorKind::NotFound.exit_code(), 2);
}

/// ST09.
async fn st09_each_start_with_other_parameters_is_an_instance<B: Backend>() {
    let play = Play::<B>::new(1).await;
    let job = play.job(|p, s| p.chunk(s, 10));
    for run in 0..10 {
        play.run_with(&job, parameters().set("run", run), &StopHandle::new()).await;
    }
    let explorer = play.explorer();
    assert_eq!(explorer.job_names().await.ok(), Some(vec!["play".to_owned()]));
    assert_eq!(explorer.instance_count("play").await.ok(), Some(10));
    let all = explorer.instances("play", Page::first(10)).await.expect("instances");
    assert_eq!(all.len(), 10);
    assert!(all.iter().map(|i| i.id).rev().is_sorted(), "newest first");
    assert_eq!(explorer.instances("play", Page { offset: 8, limit: 5 }).await.expect("instances"), all[8..]);
    assert_eq!(explorer.instance("play", &all[3].job_key).await.ok(), Some(Some(all[3].clone())));
}

/// ST10.
async fn st10_the_executions_of_an_instance_are_its_tries<B: Backend>() {
    let play = Play::<B>::new(30).await.fails(Phase::Read, [11], Fault::Y, Once);
    let job = play.job(|p, s| p.chunk(s, 10));
    let (first, second) = (play.run(&job).await.execution, play.run(&job).await.execution);
    let tries = play.explorer().executions(first.instance.id).await.expect("executions");
    assert_eq!(tries.iter().map(|e| e.id).collect::<Vec<_>>(), [second.id, first.id]);
    assert_eq!(tries.iter().map(|e| e.status.as_str()).collect::<Vec<_>>(), ["COMPLETED", "FAILED"]);
    assert!(play.explorer().running("play").await.expect("running").is_empty());
}

async fn an_operator_stops_a_run_with_its_next_commit<B: Backend>() {
    let play = Play::<B>::new(50).await;
    let repository = play.database().repository();
    let job = play.job(move |p, s| p.chunk(s, 10).listener(Asks(repository.clone(), Request::Stop)));
    assert_eq!(play.run(&job).await.tells(), "STOPPED R=20 W=20 C=2");
    assert_eq!(play.run(&job).await.tells(), "STOPPED R=20 W=20 C=2");
    assert_eq!(play.run(&job).await.tells(), "COMPLETED R=10 W=10 C=1");
    play.assert_all_written();
}

async fn a_run_stopped_before_it_began_starts_no_step<B: Backend>() {
    let (play, stop) = (Play::<B>::new(5).await, StopHandle::new());
    let job = play.job(|p, s| p.chunk(s, 2));
    stop.stop();
    let ran = play.run_with(&job, parameters(), &stop).await;
    assert_eq!((ran.tells(), ran.execution.steps.len()), ("STOPPED".to_owned(), 0));
    assert_eq!(play.run(&job).await.tells(), "COMPLETED R=5 W=5 C=3");
}

async fn a_stop_between_steps_goes_on_with_the_next_one<B: Backend>() {
    let (play, stop) = (Play::<B>::new(3).await, StopHandle::new());
    let (stops, acts) = (stop.clone(), play.clone());
    let job = play
        .job(move |p, s| {
            let stops = stops.clone();
            p.chunk(s, 10).listener(AfterChunk(move |_: &StepExecution| stops.stop()))
        })
        .step("next", move |s| Ok(acts.chunk(s, 10)));
    let first = play.run_with(&job, parameters(), &stop).await.execution;
    let steps: Vec<_> = first.steps.iter().map(|s| (s.name.as_str(), s.status.as_str())).collect();
    assert_eq!((first.status, steps), (BatchStatus::Stopped, vec![("act", "COMPLETED")]));
    let second = play.run(&job).await.execution;
    assert_eq!((second.status, second.steps.len(), second.steps[0].name.as_str()), (BatchStatus::Completed, 1, "next"));
    assert_eq!(play.list(), [0, 1, 2, 0, 1, 2]);
}

async fn nothing_is_asked_of_an_execution_that_ended<B: Backend>() {
    let play = Play::<B>::new(5).await;
    let job = play.job(|p, s| p.chunk(s, 2));
    let id = play.run(&job).await.execution.id;
    let repository = play.database().repository();
    let kind = |asked: Result<(), batch_core::Error>| asked.err().map(|e| e.kind());
    assert_eq!(kind(repository.request(id, Some(Request::Stop)).await), Some(ErrorKind::Configuration));
    assert_eq!(kind(repository.request(id + 100, Some(Request::Stop)).await), Some(ErrorKind::NotFound));
}

/// Nothing is open during a back-off, and a stop ends it at once; what was read ahead is dropped.
async fn a_stop_ends_every_back_off<B: Backend>() {
    for phase in [Phase::Read, Phase::Process, Phase::Write] {
        let (play, stop) = (Play::<B>::new(30).await.fails(phase, [15], Busy, Always), StopHandle::new());
        let hour = Duration::from_secs(3600);
        let job = play.job(move |p, s| p.chunk(s, 10).retry(Retry::times(100).constant(hour)));
        let begun = tokio::time::Instant::now();
        let asks = async {
            sleep(Duration::from_secs(1)).await;
            stop.stop();
        };
        let (ran, ()) = tokio::join!(play.run_with(&job, parameters(), &stop), asks);
        assert_eq!((ran.tells(), begun.elapsed().as_secs()), ("STOPPED R=10 W=10 C=1".to_owned(), 1), "{phase}");
        play.heal();
        assert_eq!(play.run(&job).await.tells(), "COMPLETED R=20 W=20 C=2");
        play.assert_all_written();
    }
}

async fn a_paused_run_waits_until_it_is_resumed<B: Backend>() {
    let (play, stop) = (Play::<B>::new(30).await, StopHandle::new());
    let pauses = stop.clone();
    let job = play.job(move |p, s| {
        let pauses = pauses.clone();
        let once = AfterChunk(move |step: &StepExecution| {
            if step.counts.commits == 1 {
                pauses.pause()
            }
        });
        p.chunk(s, 10).listener(once)
    });
    let resumes = async {
        sleep(Duration::from_secs(3600)).await;
        assert_eq!(play.boundaries(), [10]);
        stop.resume();
    };
    let (ran, ()) = tokio::join!(play.run_with(&job, parameters(), &stop), resumes);
    assert_eq!(ran.tells(), "COMPLETED R=30 W=30 C=3");
    play.assert_all_written();
}

async fn a_stop_ends_a_pause<B: Backend>() {
    let (play, stop) = (Play::<B>::new(30).await, StopHandle::new());
    let pauses = stop.clone();
    let job = play.job(move |p, s| {
        let pauses = pauses.clone();
        p.chunk(s, 10).listener(AfterChunk(move |_: &StepExecution| pauses.pause()))
    });
    let stops = async {
        sleep(Duration::from_secs(3600)).await;
        stop.stop();
    };
    let (ran, ()) = tokio::join!(play.run_with(&job, parameters(), &stop), stops);
    assert_eq!(ran.tells(), "STOPPED R=10 W=10 C=1");
}

async fn an_operator_pauses_and_resumes_a_run<B: Backend>() {
    let play = Play::<B>::new(30).await;
    let repository = play.database().repository();
    let asks = repository.clone();
    let job = play.job(move |p, s| p.chunk(s, 10).listener(Asks(asks.clone(), Request::Pause)));
    let resumes = async {
        sleep(Duration::from_secs(3600)).await;
        assert_eq!(play.boundaries(), [10, 20]);
        let running = play.explorer().running("play").await.expect("running");
        repository.request(running[0].id, None).await.expect("resumed");
    };
    let (ran, ()) = tokio::join!(play.run(&job), resumes);
    assert_eq!(ran.tells(), "COMPLETED R=30 W=30 C=3");
    play.assert_all_written();
}
