//! Rows and checkpoint together: rows TX. An inventory of 99; each order takes one.

use crate::{
    backends::{Backend, on_a_paused_clock, on_every_backend},
    doubles::{Always, Busy, Fault, Once, Play},
};
use batch_core::{
    Job, Phase,
    testing::{Fault as At, Scripted},
};
use std::time::Duration;

on_every_backend![
    tx01_every_order_is_taken_once,
    tx02_a_failed_chunk_takes_nothing,
    a_commit_that_was_refused_is_repeated_whole,
    a_commit_whose_answer_was_lost_counts_once,
    a_commit_that_was_never_sent_is_repeated,
    a_transaction_that_does_not_begin_is_tried_again,
    a_savepoint_that_is_gone_fails_the_attempt,
    a_deferred_refusal_is_found_among_the_items,
    a_busy_flush_repeats_the_chunk,
    what_was_not_published_is_published_by_a_restart,
    a_writer_that_cannot_be_closed_fails_the_step,
];
on_a_paused_clock![tx05_a_slow_chunk_is_not_killed];

/// TX01: the writer takes from the inventory, since reading is outside the transaction (A20).
async fn tx01_every_order_is_taken_once<B: Backend>() {
    let play = Play::<B>::new(99).await;
    let job = play.job(|p, s| p.chunk(s, 5));
    assert_eq!(play.run(&job).await.tells(), "COMPLETED R=99 W=99 C=20");
    assert_eq!(play.seen(|seen| seen.reader_opens.clone()), [None]);
    assert_eq!(99 - play.list().len(), 0);
    play.assert_all_written();
}

/// TX02: theirs rolls back two orders of the third chunk; so does ours, which had inserted them.
async fn tx02_a_failed_chunk_takes_nothing<B: Backend>() {
    let play = Play::<B>::new(99).await.fails(Phase::Write, [20], Fault::Y, Always);
    let job = play.job(|p, s| p.chunk(s, 9));
    assert_eq!(play.run(&job).await.tells(), "FAILED R=18 W=18 C=2");
    assert_eq!((play.list().len(), 99 - play.list().len()), (18, 81));
    play.heal();
    assert_eq!(play.run(&job).await.tells(), "COMPLETED R=81 W=81 C=9");
    play.assert_all_written();
}

/// TX05.
async fn tx05_a_slow_chunk_is_not_killed<B: Backend>() {
    let play = Play::<B>::new(99).await;
    let job = play.job(|p, s| s.chunk(50, p.reader()).writer(p.writer().takes(Duration::from_secs(10))));
    assert_eq!(play.run(&job).await.tells(), "COMPLETED R=99 W=99 C=2");
    play.assert_all_written();
}

/// Thirty orders in chunks of ten on transactions that fail as scripted; one bad order where skips are allowed.
async fn through<B: Backend>(faults: &[(usize, At)], skip: u64) -> (Play<B>, Scripted<B::Database>, String) {
    let play = Play::<B>::new(30).await;
    let database = faults.iter().fold(Scripted::new(play.database().clone()), |all, (nth, at)| all.fail(*nth, *at));
    let acts = play.clone();
    let job = Job::new("play", &database)
        .step("act", move |s| Ok(s.chunk(10, acts.reader()).processor(acts.processor()).writer(acts.writer()).skip(skip)));
    let run = job.run(crate::doubles::parameters());
    let tells = play.check(run.await.expect("a run")).await.tells();
    (play, database, tells)
}

/// PROTOCOL 12: the writer had flushed, and is opened again at the last committed state.
async fn a_commit_that_was_refused_is_repeated_whole<B: Backend>() {
    for nth in 1..=3 {
        let (play, _, tells) = through::<B>(&[(nth, At::CommitTransient)], 0).await;
        assert_eq!(tells, "COMPLETED R=30 W=30 C=3");
        assert_eq!(play.seen(|s| s.writer_opens.clone()), [None, (nth > 1).then_some(10 * (nth as u64 - 1))]);
        play.assert_all_written();
    }
}

/// PROTOCOL 7.
async fn a_commit_whose_answer_was_lost_counts_once<B: Backend>() {
    let (play, _, tells) = through::<B>(&[(1, At::CommitLost), (2, At::CommitLost), (3, At::CommitLost)], 0).await;
    assert_eq!(tells, "COMPLETED R=30 W=30 C=3");
    assert_eq!(play.writes(), "[0-9][10-19][20-29]");
    play.assert_all_written();
}

/// PROTOCOL 7.
async fn a_commit_that_was_never_sent_is_repeated<B: Backend>() {
    let (play, _, tells) = through::<B>(&[(1, At::CommitUnsent), (3, At::CommitUnsent), (4, At::CommitLost)], 0).await;
    assert_eq!(tells, "COMPLETED R=30 W=30 C=3");
    assert_eq!(play.writes(), "[0-9][0-9][10-19][10-19][20-29]");
    play.assert_all_written();
}

async fn a_transaction_that_does_not_begin_is_tried_again<B: Backend>() {
    let (play, _, tells) = through::<B>(&[(1, At::Begin), (3, At::Begin), (4, At::Begin)], 0).await;
    assert_eq!(tells, "COMPLETED R=30 W=30 C=3");
    assert_eq!(play.writes(), "[0-9][10-19][20-29]");
    play.assert_all_written();
}

/// PROTOCOL 9.
async fn a_savepoint_that_is_gone_fails_the_attempt<B: Backend>() {
    let (play, _, tells) = through::<B>(&[(2, At::Savepoint), (5, At::Savepoint)], 3).await;
    assert_eq!(tells, "COMPLETED R=30 W=30 C=3");
    play.assert_all_written();
}

/// PROTOCOL 10: refused at the commit, the chunk is written again by halves that are examined one by one.
async fn a_deferred_refusal_is_found_among_the_items<B: Backend>() {
    // The second transaction's release of [10-19], then of [10-14], [10-11] and [10] find the violation; the rest passes.
    let faults = [(2, At::CommitData), (3, At::Release), (4, At::Release), (5, At::Release), (6, At::Release)];
    let (play, _, tells) = through::<B>(&faults, 3).await;
    assert_eq!(tells, "COMPLETED R=30 W=29 SW=1 C=3");
    play.assert_written_except(&[10]);
    let (_, _, refused) = through::<B>(&[(2, At::CommitData)], 0).await;
    assert_eq!(refused, "FAILED R=10 W=10 C=1");
}

/// The writer may have made something durable, so it is opened again where the last commit left it.
async fn a_busy_flush_repeats_the_chunk<B: Backend>() {
    let play = Play::<B>::new(30).await.fails(Phase::Write, [-1], Busy, Once);
    let job = play.job(|p, s| s.chunk(10, p.reader()).writer(p.writer().breaks_in("flush")));
    let ran = play.run(&job).await;
    assert_eq!((ran.tells(), ran.step().counts.rollbacks), ("COMPLETED R=30 W=30 C=3".to_owned(), 1));
    assert_eq!(play.seen(|seen| seen.writer_opens.len()), 2);
    play.assert_all_written();
}

async fn what_was_not_published_is_published_by_a_restart<B: Backend>() {
    let play = Play::<B>::new(30).await.fails(Phase::Write, [-1], Fault::Y, Once);
    let job = play.job(|p, s| s.chunk(10, p.reader()).writer(p.writer().breaks_in("finish")));
    let ran = play.run(&job).await;
    assert_eq!(ran.tells(), "FAILED R=30 W=30 C=3");
    assert_eq!(ran.message(), "the writer could not publish what it wrote (job play, step act): y at -1");
    assert_eq!(play.run(&job).await.tells(), "COMPLETED");
    assert_eq!(play.seen(|seen| (seen.finishes, seen.writer_closes)), (1, 2));
    play.assert_all_written();
}

async fn a_writer_that_cannot_be_closed_fails_the_step<B: Backend>() {
    let play = Play::<B>::new(30).await.fails(Phase::Write, [-1], Fault::Y, Once);
    let job = play.job(|p, s| s.chunk(10, p.reader()).writer(p.writer().breaks_in("close")));
    let ran = play.run(&job).await;
    assert_eq!(ran.message(), "the writer could not be closed (job play, step act): y at -1");
    assert_eq!((ran.tells(), play.run(&job).await.tells()), ("FAILED R=30 W=30 C=3".to_owned(), "COMPLETED".to_owned()));
    play.assert_all_written();
}
