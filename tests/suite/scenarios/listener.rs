//! The order in which listeners hear, and what their errors do: rows LS.

use crate::{
    backends::{Backend, on_every_backend},
    doubles::{Always, Busy, Diary, Fault, Once, Play, is_x},
};
use batch_core::{BoxError, Context, Job, JobExecution, Listener, Phase, Result, Retry, Scope, StepExecution};
use parking_lot::Mutex;
use std::sync::Arc;

on_every_backend![
    ls01_a_jobs_listener_hears_the_job_and_all_its_steps,
    ls03_each_chunk_is_heard_once_although_a_read_is_retried,
    ls05_each_chunk_is_heard_once_although_it_is_written_again,
    ls07_a_chunk_that_cannot_be_filled_is_heard_as_failed,
    ls08_the_original_error_is_heard_from_each_phase,
    ls09_errors_that_are_skipped_or_retried_are_heard_at_once,
    ls10_write_errors_come_with_the_items,
    ls11_process_errors_come_with_the_input,
    ls12_after_calls_are_heard_in_reverse,
    ls13_the_end_of_a_failed_job_is_heard,
    an_error_before_fails_what_was_about_to_happen,
    an_error_after_changes_nothing,
    a_step_passed_over_is_not_heard,
    a_skip_is_heard_once_although_its_chunk_is_written_twice,
    a_job_listener_sees_the_steps_counts_and_error,
];

/// A job whose one step tells `diary`, which fails in `fails_in`.
fn told<B: Backend>(play: &Play<B>, diary: &Diary) -> Job<B::Database> {
    let heard = diary.clone();
    play.job(move |p, s| p.chunk(s, 10).retry(Retry::times(2).on(is_x)).listener(heard.clone()))
}

/// LS01.
async fn ls01_a_jobs_listener_hears_the_job_and_all_its_steps<B: Backend>() {
    let (play, diary) = (Play::<B>::new(0).await, Diary::new());
    let more = play.clone();
    let job = play.job(|p, s| p.chunk(s, 10)).step("second", move |s| Ok(more.chunk(s, 10))).listener(diary.clone());
    play.run(&job).await;
    assert_eq!(diary.text(), "before_job before_step after_step before_step after_step after_job");
}

const CHUNK: &str = "before_chunk before_commit after_chunk";

/// LS03.
async fn ls03_each_chunk_is_heard_once_although_a_read_is_retried<B: Backend>() {
    let (play, diary) = (Play::<B>::new(30).await.fails(Phase::Read, [5], Busy, Once), Diary::new());
    play.run(&told(&play, &diary)).await;
    assert_eq!(diary.text(), format!("before_step error:READ@5 {CHUNK} {CHUNK} {CHUNK} after_step"));
}

/// LS05: the attempts of a chunk are one chunk, where theirs are two.
async fn ls05_each_chunk_is_heard_once_although_it_is_written_again<B: Backend>() {
    let (play, diary) = (Play::<B>::new(30).await.fails(Phase::Write, [0], Fault::X, Once), Diary::new());
    play.run(&told(&play, &diary)).await;
    assert_eq!(diary.text(), format!("before_step before_chunk error:WRITE before_commit after_chunk {CHUNK} {CHUNK} after_step"));

    let (play, diary) = (Play::<B>::new(30).await.fails(Phase::Process, [5], Fault::X, Once), Diary::new());
    play.run(&told(&play, &diary)).await;
    assert_eq!(diary.text(), format!("before_step error:PROCESS@5 {CHUNK} {CHUNK} {CHUNK} after_step"));
}

/// LS07.
async fn ls07_a_chunk_that_cannot_be_filled_is_heard_as_failed<B: Backend>() {
    let (play, diary) = (Play::<B>::new(30).await.fails(Phase::Read, [5], Fault::Y, Always), Diary::new());
    let heard = diary.clone();
    let job = play.job(move |p, s| p.chunk(s, 31).listener(heard.clone()));
    assert_eq!(play.run(&job).await.tells(), "FAILED");
    assert_eq!(diary.text(), "before_step error:READ@5 on_chunk_error after_step");
}

/// Keeps the text and the class of each error heard.
#[derive(Clone, Default)]
struct Errors(Arc<Mutex<Vec<String>>>);

#[async_trait::async_trait]
impl Listener for Errors {
    fn on_error(&self, error: &batch_core::ItemError<'_>) {
        self.0.lock().push(format!("{} {} {}", error.phase, error.error, is_x(error.error)));
    }

    async fn on_chunk_error(&self, _: &StepExecution, error: &(dyn std::error::Error + Send + Sync + 'static)) -> Result<()> {
        self.0.lock().push(format!("because {}", error.source().map_or_else(String::new, ToString::to_string)));
        Ok(())
    }
}

/// LS08.
async fn ls08_the_original_error_is_heard_from_each_phase<B: Backend>() {
    for (phase, fault) in [(Phase::Read, Fault::X), (Phase::Process, Fault::X), (Phase::Write, Fault::X)] {
        let (play, errors) = (Play::<B>::new(30).await.fails(phase, [0], fault, Always), Errors::default());
        let heard = errors.clone();
        let job = play.job(move |p, s| p.chunk(s, 10).listener(heard.clone()));
        assert_eq!(play.run(&job).await.tells(), "FAILED");
        assert_eq!(*errors.0.lock(), [format!("{phase} x at 0 true"), "because x at 0".to_owned()]);
    }
}

/// LS09: six jobs.
async fn ls09_errors_that_are_skipped_or_retried_are_heard_at_once<B: Backend>() {
    let cases = [(Phase::Read, Fault::BadRecord, Busy), (Phase::Process, Fault::X, Busy), (Phase::Write, Fault::X, Busy)];
    for (phase, skipped, retried) in cases {
        for (fault, times) in [(skipped, Always), (retried, Once)] {
            let (play, diary) = (Play::<B>::new(9).await.fails(phase, [4], fault, times), Diary::new());
            let heard = diary.clone();
            let job = play.job(move |p, s| p.chunk(s, 3).skip(1).retry(Retry::times(2)).listener(heard.clone()));
            let ended = play.run(&job).await.tells();
            assert!(ended.starts_with("COMPLETED R=9 W="), "{phase} {fault:?}: {ended}");
            assert!(!diary.of(&format!("error:{phase}")).is_empty(), "{phase} {fault:?}");
        }
    }
}

/// LS10: the writer fails for good at 8 doubled, which is read as 4.
async fn ls10_write_errors_come_with_the_items<B: Backend>() {
    let (play, calls) = (Play::<B>::new(10).await.fails(Phase::Write, [18], Fault::Y, Always), Arc::new(Mutex::new(Vec::new())));
    let heard = calls.clone();
    let job = play.job(move |p, s| {
        let heard = heard.clone();
        let step = s.chunk(5, p.reader()).map(|v| Ok(v * 2)).writer(p.writer());
        step.on_write_error(move |items, error: &BoxError| heard.lock().push((items.to_vec(), error.to_string())))
    });
    assert_eq!(play.run(&job).await.tells(), "FAILED R=5 W=5 C=1");
    assert_eq!(*calls.lock(), [(vec![10, 12, 14, 16, 18], "y at 18".to_owned())]);
}

/// LS11: also where the item was tried again before.
async fn ls11_process_errors_come_with_the_input<B: Backend>() {
    for retry in [Retry::times(1), Retry::times(3).on(|_| true)] {
        let (play, inputs) =
            (Play::<B>::new(10).await.fails(Phase::Process, [8], Fault::Y, Always), Arc::new(Mutex::new(Vec::new())));
        let heard = inputs.clone();
        let job = play.job(move |p, s| {
            let heard = heard.clone();
            p.chunk(s, 5).retry(retry.clone()).on_process_error(move |item, _| heard.lock().push(*item))
        });
        assert_eq!(play.run(&job).await.tells(), "FAILED R=5 W=5 C=1");
        assert_eq!(*inputs.lock(), [8]);
    }
}

/// LS12: the job's listeners stand before the step's; what comes after is heard in reverse.
async fn ls12_after_calls_are_heard_in_reverse<B: Backend>() {
    let (play, diary) = (Play::<B>::new(1).await, Diary::new());
    let own = diary.clone();
    let job = play
        .job(move |p, s| p.chunk(s, 10).listener(own.named("s1.")).listener(own.named("s2.")))
        .listener(diary.named("j1."))
        .listener(diary.named("j2."));
    play.run(&job).await;
    let expected = "j1.before_job j2.before_job j1.before_step j2.before_step s1.before_step s2.before_step \
                    j1.before_chunk j2.before_chunk s1.before_chunk s2.before_chunk \
                    j1.before_commit j2.before_commit s1.before_commit s2.before_commit \
                    s2.after_chunk s1.after_chunk j2.after_chunk j1.after_chunk \
                    s2.after_step s1.after_step j2.after_step j1.after_step j2.after_job j1.after_job";
    assert_eq!(diary.text(), expected);
}

/// LS13.
async fn ls13_the_end_of_a_failed_job_is_heard<B: Backend>() {
    let (play, diary) = (Play::<B>::new(1).await.fails(Phase::Write, [0], Fault::Y, Always), Diary::new());
    let job = play.job(|p, s| p.chunk(s, 10)).listener(diary.clone());
    assert_eq!(play.run(&job).await.tells(), "FAILED");
    let expected = "before_job before_step before_chunk error:WRITE@0 on_chunk_error after_step after_job:FAILED";
    assert_eq!(diary.text(), expected);
}

/// A12.
async fn an_error_before_fails_what_was_about_to_happen<B: Backend>() {
    for (call, message, steps) in [
        ("before_job", "a listener failed before the job (job play): before_job failed", 0),
        ("before_step", "a listener failed before the step (job play, step act): before_step failed", 1),
        ("before_chunk", "a listener failed before a chunk (job play, step act): before_chunk failed", 1),
        ("before_commit", "the chunk cannot be written (job play, step act): before_commit failed", 1),
    ] {
        let (play, diary) = (Play::<B>::new(30).await, Diary::new());
        let job = play.job(|p, s| p.chunk(s, 10)).listener(diary.fails_in(call));
        let ran = play.run(&job).await;
        assert_eq!((ran.execution.status.as_str(), ran.message()), ("FAILED", message));
        assert_eq!(ran.execution.steps.len(), steps, "{call}");
        assert_eq!(play.list(), [] as [i64; 0], "{call}");
        assert_eq!(diary.of("after_job"), ["after_job:FAILED"], "{call}");
        assert_eq!(
            (play.seen(|s| s.reader_closes), play.seen(|s| s.reader_opens.len())),
            if call == "before_job" || call == "before_step" { (0, 0) } else { (1, 1) }
        );
    }
}

/// A12.
async fn an_error_after_changes_nothing<B: Backend>() {
    for call in ["after_chunk", "after_step", "after_job"] {
        let (play, diary) = (Play::<B>::new(30).await, Diary::new());
        let job = play.job(|p, s| p.chunk(s, 10)).listener(diary.named("other.")).listener(diary.fails_in(call));
        assert_eq!(play.run(&job).await.tells(), "COMPLETED R=30 W=30 C=3");
        assert_eq!(diary.of(call).len(), diary.of(&format!("other.{call}")).len(), "{call}");
        play.assert_all_written();
    }
    let (play, diary) = (Play::<B>::new(30).await.fails(Phase::Read, [11], Fault::Y, Once), Diary::new());
    let job = play.job(|p, s| p.chunk(s, 10)).listener(diary.fails_in("on_chunk_error"));
    assert!(play.run(&job).await.message().ends_with("y at 11"));
}

async fn a_step_passed_over_is_not_heard<B: Backend>() {
    let (play, diary) = (Play::<B>::new(1).await.fails(Phase::Write, [0], Fault::Y, Once), Diary::new());
    let job = Job::new("play", play.database())
        .step("first", |s: &Scope<B::Database>| Ok(s.chunk(1, batch_core::iter([0_i64])).writer(batch_core::ListWriter::new())));
    let second = play.clone();
    let job = job.step("second", move |s| Ok(second.chunk(s, 10))).listener(diary.clone());
    play.run(&job).await;
    assert_eq!(diary.of("before_step").len(), 2);
    play.run(&job).await;
    assert_eq!(diary.of("before_step").len(), 3);
}

/// A19: an item left out in the first attempt of its chunk is told of when the second one commits.
async fn a_skip_is_heard_once_although_its_chunk_is_written_twice<B: Backend>() {
    let (play, diary) = (Play::<B>::new(30).await, Diary::new());
    let play = play
        .fails(Phase::Read, [11], Fault::BadRecord, Always)
        .fails(Phase::Process, [12], Fault::X, Always)
        .fails(Phase::Write, [13], Fault::X, Always)
        .fails(Phase::Write, [19], Busy, Once);
    let heard = diary.clone();
    let job = play.job(move |p, s| p.chunk(s, 10).skip(3).retry(Retry::times(2)).listener(heard.clone()));
    let ran = play.run(&job).await;
    assert_eq!((ran.tells(), ran.step().counts.rollbacks), ("COMPLETED R=30 W=27 SR=1 SP=1 SW=1 C=3".to_owned(), 1));
    assert_eq!(diary.of("skip"), ["skip:READ@11", "skip:PROCESS@12", "skip:WRITE@13"]);
    play.assert_written_except(&[11, 12, 13]);
}

/// Keeps what it is shown at the end.
#[derive(Clone, Default)]
struct Ends(Arc<Mutex<Vec<String>>>);

#[async_trait::async_trait]
impl Listener for Ends {
    async fn after_step(&self, step: &StepExecution) -> Result<Option<batch_core::ExitStatus>> {
        let text = format!("{} {} of {}: {}", step.status, step.counts.written, step.counts.read, step.exit_status.message);
        self.0.lock().push(text);
        Ok(None)
    }

    async fn after_job(&self, job: &JobExecution) -> Result<()> {
        self.0.lock().push(format!("{} {}", job.status, job.steps.len()));
        Ok(())
    }

    fn before_commit(&self, context: &mut Context) -> Result<()> {
        context.set("seen", true)
    }
}

async fn a_job_listener_sees_the_steps_counts_and_error<B: Backend>() {
    let (play, ends) = (Play::<B>::new(30).await.fails(Phase::Process, [21], Fault::Y, Always), Ends::default());
    let job = play.job(|p, s| p.chunk(s, 10)).listener(ends.clone());
    let ran = play.run(&job).await;
    let message = "the item cannot be processed (job play, step act, item 21, line 23): y at 21";
    assert_eq!(*ends.0.lock(), [format!("FAILED 20 of 20: {message}"), "FAILED 1".to_owned()]);
    assert_eq!(ran.step().context.get::<bool>("seen").ok(), Some(true));
}
