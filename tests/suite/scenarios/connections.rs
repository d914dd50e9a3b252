//! Connections that a step's parts share: PROTOCOL 22. A pool of one never deadlocks.

use crate::{
    backends::{Backend, on_a_paused_clock, on_every_backend},
    doubles::{Play, parameters},
};
use batch_core::{Chunk, ErrorKind, Job, ListWriter, Reader, Result, Writer, testing::Scripted};
use parking_lot::Mutex;
use std::{sync::Arc, time::Duration};

on_every_backend![
    a_step_that_needs_more_than_there_are_is_refused,
    one_is_enough_for_a_reader_that_keeps_none,
    a_writer_elsewhere_leaves_the_jobs_own_to_the_reader,
];
on_a_paused_clock![nothing_is_read_ahead_where_the_next_chunk_would_wait];

/// A reader that keeps connections while the step runs, as a cursor does.
struct Cursor<R>(R, usize);

impl<R: Reader> Reader for Cursor<R> {
    type Item = R::Item;
    type Position = R::Position;

    async fn open(&mut self, resume: Option<R::Position>) -> Result<()> {
        self.0.open(resume).await
    }

    async fn read(&mut self) -> Result<Option<R::Item>> {
        self.0.read().await
    }

    fn position(&self) -> R::Position {
        self.0.position()
    }

    fn connections(&self) -> usize {
        self.1
    }
}

fn pool<B: Backend>(play: &Play<B>, size: usize) -> Scripted<B::Database> {
    Scripted::new(play.database().clone()).sharing(size)
}

async fn a_step_that_needs_more_than_there_are_is_refused<B: Backend>() {
    let play = Play::<B>::new(30).await;
    let acts = play.clone();
    let job =
        Job::new("play", &pool(&play, 2)).step("act", move |s| Ok(s.chunk(10, Cursor(acts.reader(), 2)).writer(acts.writer())));
    let refused = job.run(parameters()).await.expect_err("refused");
    assert_eq!((refused.kind(), refused.kind().exit_code()), (ErrorKind::Configuration, 2));
    let expected = "the step needs 3 connections at once and there are 2: the reader `Cursor` keeps 2, the writer's transaction needs 1; \
                    give the pool more, or take a reader that keeps none (job play, step act)";
    assert_eq!(refused.report(), expected);
    assert!(play.seen(|seen| seen.reader_opens.is_empty() && seen.writer_opens.is_empty()), "nothing was opened");
}

async fn one_is_enough_for_a_reader_that_keeps_none<B: Backend>() {
    let play = Play::<B>::new(30).await;
    let acts = play.clone();
    let job = Job::new("play", &pool(&play, 1))
        .step("act", move |s| Ok(s.chunk(10, acts.reader()).processor(acts.processor()).writer(acts.writer())));
    assert_eq!(play.check(job.run(parameters()).await.expect("a run")).await.tells(), "COMPLETED R=30 W=30 C=3");
    play.assert_all_written();
}

/// The reader may keep every connection of the job's database, but not more.
async fn a_writer_elsewhere_leaves_the_jobs_own_to_the_reader<B: Backend>() {
    for (keeps, completes) in [(1, true), (2, false)] {
        let (play, other) = (Play::<B>::new(30).await, B::create().await);
        let (acts, rows) = (play.clone(), Scripted::new(play.database().clone()).sharing(1));
        let job = Job::new("play", &Scripted::new(other.database().clone()).sharing(1))
            .step("act", move |s| Ok(s.chunk(10, Cursor(acts.reader(), keeps)).transaction(&rows).writer(acts.writer())));
        let kind = job.run(parameters()).await.err().map(|error| error.kind());
        assert_eq!(kind, (!completes).then_some(ErrorKind::Configuration));
        assert_eq!(play.list().len(), if completes { 30 } else { 0 });
    }
}

/// Notes how many items were processed when each write ended, a minute after it began.
struct Slow<B: Backend>(Play<B>, Arc<Mutex<Vec<usize>>>);

impl<B: Backend, C: Send> Writer<i64, C> for Slow<B> {
    async fn write(&mut self, _: &mut C, _: Chunk<'_, i64>) -> Result<()> {
        tokio::time::sleep(Duration::from_secs(60)).await;
        self.1.lock().push(self.0.seen(|seen| seen.processed.len()));
        Ok(())
    }
}

/// A reader of pages, or a processor that looks something up, would wait for the connection of the chunk that is being written.
async fn nothing_is_read_ahead_where_the_next_chunk_would_wait<B: Backend>() {
    for (size, keeps, processed) in [(1, 0, [10, 20, 30]), (2, 1, [10, 20, 30]), (2, 0, [20, 30, 30]), (3, 1, [20, 30, 30])] {
        let (play, notes) = (Play::<B>::new(30).await, Arc::new(Mutex::new(Vec::new())));
        let (acts, noted) = (play.clone(), notes.clone());
        let job = Job::new("play", &pool(&play, size)).step("act", move |s| {
            let step = s.chunk(10, Cursor(acts.reader(), keeps)).processor(acts.processor());
            Ok(step.writer((Slow(acts.clone(), noted.clone()), ListWriter::new())))
        });
        let done = job.run(parameters()).await.expect("a run");
        assert_eq!(done.status.as_str(), "COMPLETED");
        assert_eq!(*notes.lock(), processed, "{size} connections, of which the reader keeps {keeps}");
    }
}
