//! Reading ahead, items at once, and what is handed from step to step.

use crate::{
    backends::{Backend, on_a_paused_clock, on_every_backend},
    doubles::{Always, Busy, Fault, Once, Play, parameters},
};
use batch_core::{
    BatchStatus, Chunk, Context, DryRun, Job, ListWriter, Phase, Repeat, Result, Retry, Scope, StopHandle, Transactions, Writer,
};
use parking_lot::Mutex;
use std::{sync::Arc, time::Duration};

on_every_backend![
    the_next_chunk_is_judged_in_its_turn,
    a_limit_reached_ahead_is_judged_in_its_turn,
    a_failed_write_drops_what_was_read_ahead,
    values_saved_by_a_step_reach_later_steps_and_tries,
    a_turn_is_one_transaction,
    a_transient_error_repeats_the_turn,
    a_dry_run_leaves_nothing,
];
on_a_paused_clock![
    as_many_chunks_are_read_ahead_as_allowed,
    items_processed_at_once_stay_in_order,
    an_item_that_fails_among_many_is_skipped_alone
];

const SECOND: Duration = Duration::from_secs(1);

/// PROTOCOL 19: the chunk before decides first, however far the next ones are.
async fn the_next_chunk_is_judged_in_its_turn<B: Backend>() {
    for ahead in 0..3 {
        for phase in [Phase::Read, Phase::Process] {
            let play = Play::<B>::new(30).await.fails(phase, [15], Fault::Y, Always).fails(Phase::Write, [5], Fault::X, Once);
            let job = play.job(move |p, s| p.chunk(s, 10).read_ahead(ahead));
            let first = play.run(&job).await;
            assert_eq!((first.tells(), first.message().ends_with("x at 5")), ("FAILED".to_owned(), true), "{}", first.message());
            let second = play.run(&job).await;
            assert_eq!(second.tells(), "FAILED R=10 W=10 C=1");
            assert!(second.message().ends_with("y at 15"), "{}", second.message());
        }
    }
}

/// PROTOCOL 19: what the chunk before leaves out in writing counts first.
async fn a_limit_reached_ahead_is_judged_in_its_turn<B: Backend>() {
    for (limit, tells) in [(3, "COMPLETED R=30 W=27 SR=2 SW=1 C=3"), (2, "FAILED R=10 W=9 SW=1 C=1")] {
        for ahead in 0..3 {
            let play = Play::<B>::new(30).await;
            let play = play.fails(Phase::Write, [5], Fault::X, Always).fails(Phase::Read, [15, 16], Fault::BadRecord, Always);
            let job = play.job(move |p, s| p.chunk(s, 10).skip(limit).read_ahead(ahead));
            assert_eq!(play.run(&job).await.tells(), tells, "{ahead} ahead");
        }
    }
}

async fn a_failed_write_drops_what_was_read_ahead<B: Backend>() {
    let play = Play::<B>::new(50).await.fails(Phase::Write, [5], Fault::X, Once).fails(Phase::Write, [15, 25], Busy, Once);
    let job = play.job(|p, s| p.chunk(s, 10).read_ahead(3).retry(Retry::times(2)));
    assert_eq!(play.run(&job).await.tells(), "FAILED");
    assert_eq!(play.run(&job).await.tells(), "COMPLETED R=50 W=50 C=5");
    assert_eq!(play.seen(|seen| seen.reader_opens.clone()), [None, None]);
    assert_eq!(play.seen(|seen| (seen.reader_closes, seen.writer_closes)), (2, 2));
    play.assert_all_written();
}

/// Notes how many items were processed when each write ended, a minute after it began.
struct Slow<B: Backend>(Play<B>, Arc<Mutex<Vec<usize>>>);

impl<B: Backend, C: Send> Writer<i64, C> for Slow<B> {
    async fn write(&mut self, _: &mut C, _: Chunk<'_, i64>) -> Result<()> {
        tokio::time::sleep(60 * SECOND).await;
        self.1.lock().push(self.0.seen(|seen| seen.processed.len()));
        Ok(())
    }
}

async fn as_many_chunks_are_read_ahead_as_allowed<B: Backend>() {
    for (ahead, processed) in [(0, [10, 20, 30, 40, 50]), (1, [20, 30, 40, 50, 50]), (3, [40, 50, 50, 50, 50])] {
        let (play, notes) = (Play::<B>::new(50).await, Arc::new(Mutex::new(Vec::new())));
        let noted = notes.clone();
        let job = play.job(move |p, s| {
            let slow = Slow(p.clone(), noted.clone());
            s.chunk(10, p.reader()).processor(p.processor()).writer(slow).read_ahead(ahead)
        });
        assert_eq!(play.run(&job).await.tells(), "COMPLETED R=50 W=50 C=5");
        assert_eq!(*notes.lock(), processed, "{ahead} ahead");
    }
}

/// The first of each ten takes longest.
fn later_is_faster(value: i64) -> Duration {
    SECOND * (10 - u32::try_from(value % 10).unwrap_or(0))
}

async fn items_processed_at_once_stay_in_order<B: Backend>() {
    for (concurrent, seconds) in [(1, 165), (10, 30)] {
        let play = Play::<B>::new(30).await;
        let job = play.job(move |p, s| {
            let step = s.chunk(10, p.reader()).processor(p.processor().takes(later_is_faster).filters(13)).writer(p.writer());
            step.concurrent(concurrent)
        });
        let begun = tokio::time::Instant::now();
        assert_eq!(play.run(&job).await.tells(), "COMPLETED R=30 W=29 F=1 C=3");
        assert_eq!((play.writes(), begun.elapsed().as_secs()), ("[0-9][10-12,14-19][20-29]".to_owned(), seconds));
    }
}

async fn an_item_that_fails_among_many_is_skipped_alone<B: Backend>() {
    let play = Play::<B>::new(30).await.fails(Phase::Process, [0, 9, 14], Fault::X, Always);
    let job = play.job(|p, s| {
        let step = s.chunk(10, p.reader()).processor(p.processor().takes(later_is_faster)).writer(p.writer());
        step.concurrent(4).skip(3)
    });
    assert_eq!(play.run(&job).await.tells(), "COMPLETED R=30 W=27 SP=3 C=3");
    play.assert_written_except(&[0, 9, 14]);
}

/// A step that is passed over on a restart still hands on what it saved; a failed one hands on nothing to others.
async fn values_saved_by_a_step_reach_later_steps_and_tries<B: Backend>() {
    let play = Play::<B>::new(3).await.fails(Phase::Process, [0], Fault::Y, Once);
    let (acts, found) = (play.clone(), Arc::new(Mutex::new(Vec::new())));
    let finds = found.clone();
    let job = Job::new("play", play.database())
        .step("counts", |s: &Scope<B::Database>| {
            Ok(s.tasklet(async move |_: &mut B::Conn, cx: &mut Context| {
                cx.set("count", 3)?;
                cx.set("name", "three")
            }))
        })
        .step("uses", move |s| {
            finds.lock().push((s.context::<i64>("count")?, s.saved().contains("own")));
            Ok(acts.chunk(s, 10))
        });
    assert!(play.run(&job).await.message().ends_with("y at 0"));
    let ran = play.run(&job).await;
    assert_eq!((ran.tells(), ran.execution.steps.len()), ("COMPLETED R=3 W=3 C=1".to_owned(), 1));
    assert_eq!(*found.lock(), [(3, false), (3, false)]);
    assert_eq!(ran.execution.context.get::<String>("name").ok().as_deref(), Some("three"));
    let other = play.run_with(&job, parameters().set("run", 2), &StopHandle::new()).await;
    assert_eq!(other.execution.steps.len(), 2, "another instance begins without any");
}

/// Rows and saved values of a turn that fails are gone together.
async fn a_turn_is_one_transaction<B: Backend>() {
    let play = Play::<B>::new(3).await.fails(Phase::Process, [2], Fault::Y, Once);
    let job = play.job(|p, s| {
        let p = p.clone();
        s.tasklet(async move |conn: &mut B::Conn, cx: &mut Context| {
            let next = cx.get("next").unwrap_or(0);
            B::insert(conn, &[next]).await?;
            cx.set("next", next + 1)?;
            p.meets(Phase::Process, next)?;
            p.seen(|seen| seen.list.push(next));
            Ok(if next < 2 { Repeat::Again } else { Repeat::Finished })
        })
    });
    let first = play.run(&job).await;
    assert_eq!((first.tells(), first.step().context.get("next").ok()), ("FAILED C=2".to_owned(), Some(2)));
    assert_eq!(first.message(), "the tasklet failed (job play, step act): y at 2");
    let second = play.run(&job).await;
    assert_eq!((second.tells(), second.step().context.get("next").ok()), ("COMPLETED C=1".to_owned(), Some(3)));
    play.assert_all_written();
}

async fn a_transient_error_repeats_the_turn<B: Backend>() {
    let play = Play::<B>::new(1).await.fails(Phase::Process, [0], Busy, Once);
    let job = play.job(|p, s| {
        let p = p.clone();
        s.tasklet(async move |conn: &mut B::Conn, _: &mut Context| {
            B::insert(conn, &[0]).await?;
            p.meets(Phase::Process, 0)?;
            p.seen(|seen| seen.list.push(0));
            Ok(())
        })
    });
    let ran = play.run(&job).await;
    assert_eq!((ran.tells(), ran.step().counts.rollbacks), ("COMPLETED C=1".to_owned(), 1));
    play.assert_all_written();
}

/// Skips are found as in earnest; a writer outside the transaction is neither opened nor flushed.
async fn a_dry_run_leaves_nothing<B: Backend>() {
    let play = Play::<B>::new(30).await.fails(Phase::Write, [15], Fault::X, Always);
    let (dry, list, acts) = (DryRun::new(play.database()), ListWriter::new(), play.clone());
    let listed = list.clone();
    let job =
        Job::new("play", &dry).step("act", move |s| Ok(s.chunk(10, acts.reader()).writer((acts.writer(), listed.clone())).skip(1)));
    let execution = job.run(parameters()).await.expect("a run");
    let counts = execution.steps[0].counts;
    assert_eq!((execution.status, counts.read, counts.written, counts.write_skips), (BatchStatus::Completed, 30, 29, 1));
    assert!(play.explorer().job_names().await.expect("names").is_empty());
    assert_eq!((play.list(), list.items()), (vec![], vec![]));
    assert!(play.backend.table().await.unwrap_or_default().is_empty());
    assert_eq!(play.seen(|seen| (seen.writer_opens.len(), seen.finishes)), (0, 0));
    assert!(dry.is_dry_run());
}
