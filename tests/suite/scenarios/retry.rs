//! Retries: rows RT. Thirty values in chunks of ten, unless a row says otherwise.
//!
//! "Limit n" of a row is `Retry::times(n + 1)`: ours counts attempts of an item and phase, or of a chunk in writing (A7). A failed
//! write is repeated as the same chunk (A6), never item by item, and no retry loses an item (A4).

use crate::{
    backends::{Backend, on_a_paused_clock, on_every_backend},
    doubles::{Always, Busy, Fault, Once, Panic, Play, Twice, is_x},
};
use batch_core::{Completion, Phase, Retry};
use std::time::Duration;

on_every_backend![
    rt01_to_rt06_a_busy_reader_is_asked_again,
    rt09_attempts_are_counted_for_each_record,
    rt10_a_reader_that_stays_busy_fails_the_step,
    rt11_and_rt12_a_failed_item_is_processed_again,
    rt15_an_item_that_always_fails_uses_up_its_attempts,
    rt16_and_rt17_a_failed_write_is_repeated_as_the_same_chunk,
    rt20_a_limit_of_four_bears_three_busy_records,
    rt22_a_limit_without_a_class_retries_transient_errors,
    rt23_a_panic_is_never_retried,
    rt24_another_class_is_not_retried,
    rt25_without_a_skip_limit_nothing_is_isolated,
    a_write_that_stays_busy_leaves_nothing_behind,
    items_processed_at_once_are_retried_alone_and_stay_in_order,
];
on_a_paused_clock![
    transient_errors_are_retried_without_a_policy,
    back_off_in_reading_and_writing_loses_nothing,
    a_busy_reader_of_chunks_by_time_is_asked_again
];

const THREE_CHUNKS: &str = "[0-9][10-19][20-29]";

/// RT01, RT02, RT05, RT06.
async fn rt01_to_rt06_a_busy_reader_is_asked_again<B: Backend>() {
    for busy in [vec![0], vec![5], vec![9], vec![10], vec![29], vec![28, 29]] {
        let play = Play::<B>::new(30).await.fails(Phase::Read, busy, Busy, Once);
        let job = play.job(|p, s| p.chunk(s, 10).retry(Retry::times(2)));
        let ran = play.run(&job).await;
        assert_eq!((ran.tells(), ran.step().counts.rollbacks), ("COMPLETED R=30 W=30 C=3".to_owned(), 0));
        assert_eq!(play.writes(), THREE_CHUNKS);
        play.assert_all_written();
    }
}

/// RT09: theirs counts over the step and fails; each of ours has attempts of its own (A7).
async fn rt09_attempts_are_counted_for_each_record<B: Backend>() {
    for size in [Completion::count(10), Completion::count(10).or_bytes(1_000_000)] {
        let play = Play::<B>::new(30).await.fails(Phase::Read, [27, 28, 29], Busy, Once);
        let job = play.job(move |p, s| p.chunk(s, size.clone()).retry(Retry::times(2)));
        assert_eq!(play.run(&job).await.tells(), "COMPLETED R=30 W=30 C=3");
        play.assert_all_written();
    }
}

/// RT10: ten attempts in all, where theirs makes eleven.
async fn rt10_a_reader_that_stays_busy_fails_the_step<B: Backend>() {
    let play = Play::<B>::new(30).await.fails(Phase::Read, [27, 28, 29], Busy, Always);
    let job = play.job(|p, s| p.chunk(s, 10).retry(Retry::times(10)).skip(10));
    let ran = play.run(&job).await;
    assert_eq!(ran.tells(), "FAILED R=20 W=20 C=2");
    assert_eq!(ran.message(), "the record cannot be read (job play, step act, item 27): x at 27");
    assert_eq!(play.seen(|seen| seen.read_calls), 27 + 10);
    play.heal();
    assert_eq!(play.run(&job).await.tells(), "COMPLETED R=10 W=10 C=1");
    play.assert_all_written();
}

/// RT11, RT12: the same item is offered again (A5).
async fn rt11_and_rt12_a_failed_item_is_processed_again<B: Backend>() {
    for value in [0, 5, 9, 10, 29] {
        let play = Play::<B>::new(30).await.fails(Phase::Process, [value], Fault::X, Once);
        let job = play.job(|p, s| p.chunk(s, 10).retry(Retry::times(2).on(is_x)));
        let ran = play.run(&job).await;
        assert_eq!((ran.tells(), ran.step().counts.rollbacks), ("COMPLETED R=30 W=30 C=3".to_owned(), 0));
        assert_eq!(play.writes(), THREE_CHUNKS);
        assert_eq!(play.seen(|seen| seen.processed.iter().filter(|v| **v == value).count()), 2);
        play.assert_all_written();
    }
}

/// RT15.
async fn rt15_an_item_that_always_fails_uses_up_its_attempts<B: Backend>() {
    let play = Play::<B>::new(30).await.fails(Phase::Process, [0], Fault::X, Always);
    let job = play.job(|p, s| p.chunk(s, 10).retry(Retry::times(10).on(is_x)));
    let ran = play.run(&job).await;
    assert_eq!(ran.tells(), "FAILED");
    assert_eq!(ran.message(), "the item cannot be processed (job play, step act, item 0, line 2): x at 0");
    assert_eq!(play.seen(|seen| seen.processed.clone()), [0; 10]);
    assert_eq!(play.writes(), "");
}

/// RT16, RT17: the whole chunk once more, not singly (A6).
async fn rt16_and_rt17_a_failed_write_is_repeated_as_the_same_chunk<B: Backend>() {
    let cases = [
        (0, "[0-9][0-9][10-19][20-29]"),
        (5, "[0-9][0-9][10-19][20-29]"),
        (9, "[0-9][0-9][10-19][20-29]"),
        (10, "[0-9][10-19][10-19][20-29]"),
        (29, "[0-9][10-19][20-29][20-29]"),
    ];
    for (value, writes) in cases {
        let play = Play::<B>::new(30).await.fails(Phase::Write, [value], Fault::X, Once);
        let job = play.job(|p, s| p.chunk(s, 10).retry(Retry::times(2).on(is_x)));
        let ran = play.run(&job).await;
        assert_eq!((ran.tells(), ran.step().counts.rollbacks), ("COMPLETED R=30 W=30 C=3".to_owned(), 1));
        assert_eq!(play.writes(), writes);
        play.assert_all_written();
    }
}

/// RT20.
async fn rt20_a_limit_of_four_bears_three_busy_records<B: Backend>() {
    let play = Play::<B>::new(30).await.fails(Phase::Read, [8, 13, 22], Busy, Once);
    let job = play.job(|p, s| p.chunk(s, 31).retry(Retry::times(4)));
    assert_eq!(play.run(&job).await.tells(), "COMPLETED R=30 W=30 C=1");
    play.assert_all_written();
}

/// RT22: without a class, ours retries transient errors only.
async fn rt22_a_limit_without_a_class_retries_transient_errors<B: Backend>() {
    let play = Play::<B>::new(1).await.fails(Phase::Process, [0], Busy, Twice);
    let job = play.job(|p, s| p.chunk(s, 10).retry(Retry::times(3)));
    assert_eq!(play.run(&job).await.tells(), "COMPLETED R=1 W=1 C=1");
    assert_eq!(play.seen(|seen| seen.processed.len()), 3);
}

/// RT23, in each phase, although the policy would retry any error.
async fn rt23_a_panic_is_never_retried<B: Backend>() {
    let cases = [
        (Phase::Read, "the record cannot be read (job play, step act, item 0): the reader panicked: scripted at 0"),
        (
            Phase::Process,
            "the item cannot be processed (job play, step act, item 0, line 2): the processor panicked: scripted at 0",
        ),
        (Phase::Write, "the chunk cannot be written (job play, step act): the writer panicked: scripted at 0"),
    ];
    for (phase, message) in cases {
        let play = Play::<B>::new(1).await.fails(phase, [0], Panic, Once);
        let job = play.job(|p, s| p.chunk(s, 10).retry(Retry::times(3).on(|_| true)));
        let ran = play.run(&job).await;
        assert_eq!((ran.tells(), ran.message()), ("FAILED".to_owned(), message));
        assert_eq!(play.run(&job).await.tells(), "COMPLETED R=1 W=1 C=1");
        play.assert_all_written();
    }
}

/// RT24.
async fn rt24_another_class_is_not_retried<B: Backend>() {
    for phase in [Phase::Process, Phase::Write] {
        let play = Play::<B>::new(1).await.fails(phase, [0], Fault::Y, Once);
        let job = play.job(|p, s| p.chunk(s, 10).retry(Retry::times(3).on(is_x)));
        let ran = play.run(&job).await;
        assert_eq!((ran.tells(), ran.step().counts.rollbacks), ("FAILED".to_owned(), 1));
        assert_eq!(play.seen(|seen| seen.processed.len()), 1);
    }
}

/// RT25: R is the committed one (A3).
async fn rt25_without_a_skip_limit_nothing_is_isolated<B: Backend>() {
    let play = Play::<B>::new(3).await.fails(Phase::Write, [1], Fault::X, Always);
    let job = play.job(|p, s| p.chunk(s, 3).retry(Retry::times(3)));
    let ran = play.run(&job).await;
    assert_eq!((ran.tells(), ran.step().counts.rollbacks), ("FAILED".to_owned(), 1));
    assert_eq!((play.writes(), play.list()), ("[0-2]".to_owned(), vec![]));
}

async fn a_write_that_stays_busy_leaves_nothing_behind<B: Backend>() {
    let play = Play::<B>::new(30).await.fails(Phase::Write, [15], Busy, Always);
    let job = play.job(|p, s| p.chunk(s, 10).retry(Retry::times(3)).skip(100));
    let ran = play.run(&job).await;
    assert_eq!((ran.tells(), ran.step().counts.rollbacks), ("FAILED R=10 W=10 C=1".to_owned(), 3));
    assert_eq!(play.writes(), "[0-9][10-19][10-19][10-19]");
    assert_eq!(play.list(), (0..10).collect::<Vec<_>>());
    play.heal();
    assert_eq!(play.run(&job).await.tells(), "COMPLETED R=20 W=20 C=2");
    play.assert_all_written();
}

async fn items_processed_at_once_are_retried_alone_and_stay_in_order<B: Backend>() {
    let play = Play::<B>::new(30).await.fails(Phase::Process, [3, 4, 17], Fault::X, Twice);
    let job = play.job(|p, s| p.chunk(s, 10).concurrent(4).retry(Retry::times(3).on(is_x)));
    assert_eq!(play.run(&job).await.tells(), "COMPLETED R=30 W=30 C=3");
    assert_eq!(play.seen(|seen| seen.processed.len()), 30 + 6);
    assert_eq!(play.writes(), THREE_CHUNKS);
    play.assert_all_written();
}

/// Five attempts is the default; items are not retried in processing, since that needs a copy.
async fn transient_errors_are_retried_without_a_policy<B: Backend>() {
    let play = Play::<B>::new(30).await.fails(Phase::Read, [3, 4, 5, 6, 7], Busy, Once).fails(Phase::Write, [15], Busy, Twice);
    let job = play.job(|p, s| p.chunk(s, 10));
    assert_eq!(play.run(&job).await.tells(), "COMPLETED R=30 W=30 C=3");
    assert_eq!(play.writes(), "[0-9][10-19][10-19][10-19][20-29]");
    play.assert_all_written();

    let play = Play::<B>::new(30).await.fails(Phase::Write, [15], Busy, Always);
    let job = play.job(|p, s| p.chunk(s, 10));
    assert_eq!(play.run(&job).await.tells(), "FAILED R=10 W=10 C=1");
    assert_eq!(play.writes(), format!("[0-9]{}", "[10-19]".repeat(5)));

    let play = Play::<B>::new(30).await.fails(Phase::Process, [15], Busy, Once);
    let job = play.job(|p, s| p.chunk(s, 10));
    assert_eq!(play.run(&job).await.tells(), "FAILED R=10 W=10 C=1");
}

async fn back_off_in_reading_and_writing_loses_nothing<B: Backend>() {
    let play = Play::<B>::new(30).await.fails(Phase::Read, [11, 12], Busy, Twice).fails(Phase::Write, [13, 25], Busy, Twice);
    let job = play.job(|p, s| p.chunk(s, 10).retry(Retry::times(3).exponential(Duration::from_secs(60))));
    let begun = tokio::time::Instant::now();
    let ran = play.run(&job).await;
    assert_eq!((ran.tells(), ran.step().counts.rollbacks), ("COMPLETED R=30 W=30 C=3".to_owned(), 4));
    // Two waits for each of the four, which do not grow: exponential back-off stops at 30 s or where it begins.
    assert_eq!(begun.elapsed().as_secs(), 8 * 60);
    play.assert_all_written();
}

async fn a_busy_reader_of_chunks_by_time_is_asked_again<B: Backend>() {
    let play = Play::<B>::new(30).await.fails(Phase::Read, [0, 5, 29], Busy, Twice);
    let job = play.job(|p, s| {
        let reader = p.reader().takes(Duration::from_millis(100));
        let size = Completion::count(40).or_time(Duration::from_secs(1));
        p.chunk_of(s, size, reader).retry(Retry::times(3).constant(Duration::from_millis(200)))
    });
    play.run(&job).await;
    play.assert_all_written();
}
