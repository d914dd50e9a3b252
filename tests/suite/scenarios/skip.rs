//! Skips: rows SK. Thirty values in chunks of ten, unless a row says otherwise.
//!
//! R counts records skipped in reading too (A3); those do not use up a place in the chunk (A2). What cannot be written is found
//! by halves (A8), where the sources write one item at a time.

use crate::{
    backends::{Backend, on_every_backend},
    doubles::{Always, Diary, Fault, Once, Panic, Play, Y, is_x},
};
use batch_core::{BoxError, Phase, Retry, Skip, caused_by};
use parking_lot::Mutex;
use std::sync::Arc;

on_every_backend![
    sk01_a_bad_record_is_left_out,
    sk03_everything_may_be_skipped,
    sk04_one_bad_record_too_many_fails_the_step,
    sk05_items_skipped_in_processing_leave_a_chunk_short,
    sk08_the_limit_is_shared_by_the_three_phases,
    sk10_the_first_skip_is_told_before_the_second_fails_the_step,
    sk11_many_skips_within_a_high_limit,
    sk12_counts_are_readable_after_the_step_and_from_the_repository,
    sk13_except_wins_over_on,
    sk14_classes_are_matched_by_rules,
    sk15_write_listeners_get_the_items_of_the_failed_call,
    sk17_an_item_that_cannot_be_written_is_tried_again_then_skipped,
    sk18_an_item_that_cannot_be_processed_is_tried_again_then_skipped,
    sk20_two_of_three_cannot_be_written,
    sk22_one_of_five_cannot_be_written,
    sk24_skips_in_reading_and_writing_together,
    sk27_what_is_never_skipped_fails_the_step,
    sk28_causes_are_walked,
    a_panic_of_the_processor_is_the_items,
    a_panic_of_the_writer_is_never_skipped,
    a_transient_error_is_never_skipped,
];

/// SK01.
async fn sk01_a_bad_record_is_left_out<B: Backend>() {
    for (bad, writes) in [
        (0, "[1-10][11-20][21-29]"),
        (5, "[0-4,6-10][11-20][21-29]"),
        (9, "[0-8,10][11-20][21-29]"),
        (10, "[0-9][11-20][21-29]"),
        (29, "[0-9][10-19][20-28]"),
    ] {
        let play = Play::<B>::new(30).await.fails(Phase::Read, [bad], Fault::BadRecord, Always);
        let job = play.job(|p, s| p.chunk(s, 10).skip(1));
        let ran = play.run(&job).await;
        assert_eq!((ran.tells(), ran.step().counts.rollbacks), ("COMPLETED R=30 W=29 SR=1 C=3".to_owned(), 0));
        assert_eq!(play.writes(), writes);
        play.assert_written_except(&[bad]);
    }
}

/// SK03.
async fn sk03_everything_may_be_skipped<B: Backend>() {
    let play = Play::<B>::new(30).await.fails(Phase::Read, 0..30, Fault::BadRecord, Always);
    let job = play.job(|p, s| p.chunk(s, 10).skip(Skip::unlimited()));
    let ran = play.run(&job).await;
    assert_eq!((ran.tells(), ran.step().counts.rollbacks), ("COMPLETED R=30 SR=30 C=1".to_owned(), 0));
    assert_eq!(play.writes(), "");
}

/// SK04: 0 fails in the first chunk, 19 in the second; the third one's counts are not shown (A3).
async fn sk04_one_bad_record_too_many_fails_the_step<B: Backend>() {
    let play = Play::<B>::new(30).await.fails(Phase::Read, [0, 19, 29], Fault::BadRecord, Always);
    let job = play.job(|p, s| p.chunk(s, 10).skip(2));
    let ran = play.run(&job).await;
    assert_eq!((ran.tells(), ran.step().counts.rollbacks), ("FAILED R=22 W=20 SR=2 C=2".to_owned(), 1));
    let expected = "the record cannot be read (job play, step act, item 29): the skip limit of 2 is reached, and this item failed too: \
                    x at 29";
    assert_eq!(ran.message(), expected);
    // The limit is of one step execution (A9), so a restart gets by with one skip.
    assert_eq!(play.run(&job).await.tells(), "COMPLETED R=8 W=7 SR=1 C=1");
    play.assert_written_except(&[0, 19, 29]);
}

/// SK05.
async fn sk05_items_skipped_in_processing_leave_a_chunk_short<B: Backend>() {
    for concurrent in [1, 4] {
        let play = Play::<B>::new(30).await.fails(Phase::Process, [0, 29], Fault::X, Always);
        let job = play.job(move |p, s| p.chunk(s, 10).concurrent(concurrent).skip(2));
        assert_eq!(play.run(&job).await.tells(), "COMPLETED R=30 W=28 SP=2 C=3");
        assert_eq!(play.writes(), "[1-9][10-19][20-28]");
        play.assert_written_except(&[0, 29]);
    }
}

/// SK08, and one less: the last one fails the step.
async fn sk08_the_limit_is_shared_by_the_three_phases<B: Backend>() {
    for (limit, tells) in [(3, "COMPLETED R=30 W=27 SR=1 SP=1 SW=1 C=3"), (2, "FAILED R=21 W=19 SR=1 SP=1 C=2")] {
        let play = Play::<B>::new(30)
            .await
            .fails(Phase::Read, [9], Fault::BadRecord, Always)
            .fails(Phase::Process, [19], Fault::X, Always)
            .fails(Phase::Write, [29], Fault::X, Always);
        let job = play.job(move |p, s| p.chunk(s, 10).skip(limit));
        assert_eq!(play.run(&job).await.tells(), tells);
    }
}

/// SK10: in reading and processing both fail in one chunk; in writing, whose rows give calls, values of the same chunks.
async fn sk10_the_first_skip_is_told_before_the_second_fails_the_step<B: Backend>() {
    for (phase, fault, values) in [
        (Phase::Read, Fault::BadRecord, [1, 2]),
        (Phase::Process, Fault::X, [5, 7]),
        (Phase::Process, Fault::X, [6, 7]),
        (Phase::Write, Fault::X, [4, 10]),
        (Phase::Write, Fault::X, [4, 5]),
    ] {
        let (play, diary) = (Play::<B>::new(30).await.fails(phase, values, fault, Always), Diary::new());
        let heard = diary.clone();
        let job = play.job(move |p, s| p.chunk(s, 2).skip(1).listener(heard.clone()));
        assert!(play.run(&job).await.tells().starts_with("FAILED"));
        assert_eq!(diary.of("skip"), [format!("skip:{phase}@{}", values[0])], "{values:?}");
    }
}

/// SK11.
async fn sk11_many_skips_within_a_high_limit<B: Backend>() {
    for (phase, fault, values, tells) in [
        (Phase::Read, Fault::BadRecord, vec![1, 3], "COMPLETED R=30 W=28 SR=2 C=10"),
        (Phase::Process, Fault::X, vec![7, 13], "COMPLETED R=30 W=28 SP=2 C=10"),
        (Phase::Write, Fault::X, vec![6, 15, 24], "COMPLETED R=30 W=27 SW=3 C=10"),
    ] {
        let diary = Diary::new();
        let play = Play::<B>::new(30).await.fails(phase, values.clone(), fault, Always);
        let heard = diary.clone();
        let job = play.job(move |p, s| p.chunk(s, 3).skip(1000).listener(heard.clone()));
        assert_eq!(play.run(&job).await.tells(), tells);
        assert_eq!(diary.of("skip"), values.iter().map(|v| format!("skip:{phase}@{v}")).collect::<Vec<_>>());
        play.assert_written_except(&values);
    }
}

/// SK12.
async fn sk12_counts_are_readable_after_the_step_and_from_the_repository<B: Backend>() {
    for (phase, fault, values) in [
        (Phase::Read, Fault::BadRecord, vec![1, 3, 4, 12]),
        (Phase::Process, Fault::X, vec![7, 13]),
        (Phase::Write, Fault::X, vec![0, 11, 22]),
    ] {
        let play = Play::<B>::new(30).await.fails(phase, values.clone(), fault, Always);
        let job = play.job(|p, s| p.chunk(s, 10).skip(1000));
        let ran = play.run(&job).await;
        let c = play.explorer().steps(ran.execution.id).await.expect("steps")[0].counts;
        let count = match phase {
            Phase::Read => c.read_skips,
            Phase::Process => c.process_skips,
            Phase::Write => c.write_skips,
        };
        assert_eq!((count, c.skips()), (values.len() as u64, values.len() as u64));
    }
}

/// SK13.
async fn sk13_except_wins_over_on<B: Backend>() {
    let (play, diary) = (Play::<B>::new(30).await, Diary::new());
    let play = play.fails(Phase::Process, [1], Fault::X, Always).fails(Phase::Process, [2], Fault::Y, Always);
    let heard = diary.clone();
    let job = play.job(move |p, s| {
        let parent = |e: &BoxError| is_x(e) || caused_by::<Y>(e, |_| true);
        let skip = Skip::unlimited().on(parent).except(|e| caused_by::<Y>(e, |_| true));
        p.chunk(s, 10).skip(skip).listener(heard.clone())
    });
    assert_eq!(play.run(&job).await.tells(), "FAILED");
    assert_eq!(diary.of("skip"), ["skip:PROCESS@1"]);
}

/// SK14: our rule has no ancestry: `on` widens, any `except` wins, and causes count as the error itself (A11).
async fn sk14_classes_are_matched_by_rules<B: Backend>() {
    let any = Skip::limit(1);
    let x = Skip::limit(1).on(is_x);
    let y = Skip::limit(1).on(|e| caused_by::<Y>(e, |_| true));
    let both = x.clone().on(|e| caused_by::<Y>(e, |_| true));
    let not_x = Skip::limit(1).except(is_x);
    let never = Skip::limit(0).on(is_x);
    for (skip, skips) in [(any, true), (x, true), (y, false), (both, true), (not_x, false), (never, false)] {
        for (phase, fault) in [(Phase::Read, Fault::BadRecord), (Phase::Process, Fault::X), (Phase::Write, Fault::X)] {
            let play = Play::<B>::new(3).await.fails(phase, [1], fault, Always);
            let skip = skip.clone();
            let job = play.job(move |p, s| p.chunk(s, 10).skip(skip.clone()));
            let ended = play.run(&job).await.tells();
            assert_eq!(ended.starts_with("COMPLETED"), skips, "{phase}: {ended}");
        }
    }
}

/// SK15: values from 10, chunks of three; the whole call first, then its halves as far as they fail.
async fn sk15_write_listeners_get_the_items_of_the_failed_call<B: Backend>() {
    let play = Play::<B>::new(30).await.fails(Phase::Write, [17, 26, 35], Fault::X, Always);
    let calls: Arc<Mutex<Vec<Vec<i64>>>> = Arc::default();
    let heard = calls.clone();
    let job = play.job(move |p, s| {
        let heard = heard.clone();
        let step = s.chunk(3, p.reader()).map(|v| Ok(v + 10)).writer(p.writer());
        step.skip(100).on_write_error(move |items, _| heard.lock().push(items.to_vec()))
    });
    assert_eq!(play.run(&job).await.tells(), "COMPLETED R=30 W=27 SW=3 C=10");
    let whole: Vec<_> = calls.lock().iter().filter(|call| call.len() == 3).cloned().collect();
    assert_eq!(whole, [[16, 17, 18], [25, 26, 27], [34, 35, 36]]);
    let last: Vec<_> = calls.lock().iter().filter(|call| call.len() == 1).flatten().copied().collect();
    assert_eq!(last, [17, 26, 35]);
}

/// SK17: retried first, then skipped (A10); by halves instead of singly (A8).
async fn sk17_an_item_that_cannot_be_written_is_tried_again_then_skipped<B: Backend>() {
    for value in [0, 5, 9, 10, 29] {
        let play = Play::<B>::new(30).await.fails(Phase::Write, [value], Fault::X, Always);
        let job = play.job(|p, s| p.chunk(s, 10).retry(Retry::times(2).on(is_x)).skip(1));
        assert_eq!(play.run(&job).await.tells(), "COMPLETED R=30 W=29 SW=1 C=3");
        let calls = play.seen(|seen| seen.writes.iter().filter(|call| call.contains(&value)).count());
        assert!(calls >= 2, "tried again before it is skipped");
        play.assert_written_except(&[value]);
    }
}

/// SK18: the item is tried again and skipped while the chunk is being filled, so nothing is rolled back.
async fn sk18_an_item_that_cannot_be_processed_is_tried_again_then_skipped<B: Backend>() {
    for value in [0, 5, 9, 10, 29] {
        let play = Play::<B>::new(30).await.fails(Phase::Process, [value], Fault::X, Always);
        let job = play.job(|p, s| p.chunk(s, 10).retry(Retry::times(2).on(is_x)).skip(1));
        let ran = play.run(&job).await;
        assert_eq!((ran.tells(), ran.step().counts.rollbacks), ("COMPLETED R=30 W=29 SP=1 C=3".to_owned(), 0));
        assert_eq!(play.seen(|seen| seen.processed.iter().filter(|v| **v == value).count()), 2);
        play.assert_written_except(&[value]);
    }
}

/// SK20.
async fn sk20_two_of_three_cannot_be_written<B: Backend>() {
    let play = Play::<B>::new(3).await.fails(Phase::Write, [1, 2], Fault::X, Always);
    let job = play.job(|p, s| p.chunk(s, 3).skip(Skip::unlimited()));
    assert_eq!(play.run(&job).await.tells(), "COMPLETED R=3 W=1 SW=2 C=1");
    assert_eq!(play.writes(), "[0-2][0][1-2][1][2]");
    play.assert_written_except(&[1, 2]);
}

/// SK22.
async fn sk22_one_of_five_cannot_be_written<B: Backend>() {
    let play = Play::<B>::new(5).await.fails(Phase::Write, [2], Fault::X, Always);
    let job = play.job(|p, s| p.chunk(s, 5).skip(1));
    assert_eq!(play.run(&job).await.tells(), "COMPLETED R=5 W=4 SW=1 C=1");
    assert_eq!(play.writes(), "[0-4][0-1][2-4][2][3-4]");
    play.assert_written_except(&[2]);
}

/// SK24, with doubles in place of the file: chunks are refilled behind bad records (A2).
async fn sk24_skips_in_reading_and_writing_together<B: Backend>() {
    for concurrent in [1, 4] {
        let play = Play::<B>::new(6).await;
        let play = play.fails(Phase::Read, [2, 4], Fault::BadRecord, Always).fails(Phase::Write, [3], Fault::X, Always);
        let job = play.job(move |p, s| p.chunk(s, 2).concurrent(concurrent).retry(Retry::times(3)).skip(3));
        assert_eq!(play.run(&job).await.tells(), "COMPLETED R=6 W=3 SR=2 SW=1 C=2");
        play.assert_written_except(&[2, 3, 4]);
    }
}

/// SK27.
async fn sk27_what_is_never_skipped_fails_the_step<B: Backend>() {
    let play = Play::<B>::new(3).await.fails(Phase::Process, [2], Fault::X, Always);
    let job = play.job(|p, s| p.chunk(s, 3).retry(Retry::times(1)).skip(Skip::unlimited().except(|_| true)));
    let ran = play.run(&job).await;
    assert_eq!(ran.tells(), "FAILED");
    assert!(ran.message().ends_with("item 2, line 4): x at 2"), "{}", ran.message());
}

/// SK28: the reader's error is a bad record because of an X.
async fn sk28_causes_are_walked<B: Backend>() {
    let play = Play::<B>::new(3).await.fails(Phase::Read, [1], Fault::BadRecord, Once);
    let job = play.job(|p, s| p.chunk(s, 3).skip(Skip::limit(1).on(is_x)));
    assert_eq!(play.run(&job).await.tells(), "COMPLETED R=3 W=2 SR=1 C=1");
}

async fn a_panic_of_the_processor_is_the_items<B: Backend>() {
    for concurrent in [1, 4] {
        let play = Play::<B>::new(30).await.fails(Phase::Process, [4, 17], Panic, Always);
        let job = play.job(move |p, s| p.chunk(s, 10).concurrent(concurrent).skip(2));
        assert_eq!(play.run(&job).await.tells(), "COMPLETED R=30 W=28 SP=2 C=3");
        play.assert_written_except(&[4, 17]);
    }
}

async fn a_panic_of_the_writer_is_never_skipped<B: Backend>() {
    let play = Play::<B>::new(30).await.fails(Phase::Write, [15], Panic, Once);
    let job = play.job(|p, s| p.chunk(s, 10).skip(Skip::unlimited()));
    assert_eq!(play.run(&job).await.tells(), "FAILED R=10 W=10 C=1");
    assert_eq!(play.run(&job).await.tells(), "COMPLETED R=20 W=20 C=2");
    play.assert_all_written();
}

async fn a_transient_error_is_never_skipped<B: Backend>() {
    for phase in [Phase::Read, Phase::Process, Phase::Write] {
        let play = Play::<B>::new(30).await.fails(phase, [15], Fault::Busy, Always);
        let job = play.job(|p, s| p.chunk(s, 10).retry(Retry::times(2)).skip(Skip::unlimited()));
        assert_eq!(play.run(&job).await.tells(), "FAILED R=10 W=10 C=1", "{phase}");
    }
}
