//! Chunks and checkpoints: rows CK.

use crate::{
    backends::{Backend, on_a_paused_clock, on_every_backend},
    doubles::{Always, Diary, Fault, Once, Play, parameters},
};
use batch_core::{BatchStatus, Completion, Context, Listener, Phase, Result, StopHandle};
use std::time::Duration;

on_every_backend![
    ck01_a_chunk_holds_ten_items_by_default,
    ck02_a_fresh_start_has_no_checkpoint,
    ck03_a_failed_read_restarts_from_the_last_commit,
    ck04_a_failure_just_behind_a_boundary_restarts_there,
    ck06_boundaries_by_a_function_hold_on_restart_too,
    ck11_the_failed_steps_saved_values_are_readable,
    ck12_what_failed_before_is_behind_on_restart,
    ck14_the_last_chunk_may_be_short,
    ck15_the_failure_names_the_item,
    ck16_nothing_is_read_past_the_end,
    ck17_no_state_leaks_from_run_to_run,
    ck19_reader_and_writer_are_closed_after_a_failure,
    ck21_reader_and_writer_are_closed_when_one_cannot_be_opened,
    ck23_filtered_is_not_skipped,
    ck24_one_chunk_may_hold_everything,
    ck25_times_are_in_order,
    a_chunk_ends_when_its_bytes_are_read,
    a_chunk_whose_items_are_all_filtered_commits_without_a_write,
    a_chunk_ends_after_a_thousand_read_skips,
    empty_input_completes_without_a_chunk,
];
on_a_paused_clock![ck08_a_chunk_ends_when_its_time_is_over, ck09_without_a_time_limit_only_the_count_ends_a_chunk];

/// CK01.
async fn ck01_a_chunk_holds_ten_items_by_default<B: Backend>() {
    let play = Play::<B>::new(30).await;
    let job = play.job(|p, s| s.chunk(Completion::default(), p.reader()).writer(p.writer()));
    assert_eq!(play.run(&job).await.tells(), "COMPLETED R=30 W=30 C=3");
    assert_eq!(play.writes(), "[0-9][10-19][20-29]");
}

/// CK02.
async fn ck02_a_fresh_start_has_no_checkpoint<B: Backend>() {
    let play = Play::<B>::new(3).await;
    let job = play.job(|p, s| p.chunk(s, 10));
    assert_eq!(play.run(&job).await.tells(), "COMPLETED R=3 W=3 C=1");
    assert_eq!(play.seen(|seen| (seen.reader_opens.clone(), seen.writer_opens.clone())), (vec![None], vec![None]));
    assert_eq!(play.seen(|seen| seen.finishes), 1);
}

/// CK03.
async fn ck03_a_failed_read_restarts_from_the_last_commit<B: Backend>() {
    let play = Play::<B>::new(30).await.fails(Phase::Read, [11], Fault::Y, Once);
    let job = play.job(|p, s| p.chunk(s, 7));
    let first = play.run(&job).await;
    assert_eq!(first.tells(), "FAILED R=7 W=7 C=1");
    assert_eq!((play.writes(), play.boundaries()), ("[0-6]".to_owned(), vec![7]));

    let second = play.run(&job).await;
    assert_eq!(second.tells(), "COMPLETED R=23 W=23 C=4");
    assert_eq!(play.boundaries(), [14, 21, 28, 30]);
    assert_eq!(play.seen(|s| (s.reader_opens.clone(), s.writer_opens.clone())), (vec![None, Some(7)], vec![None, Some(7)]));
    assert_eq!(first.execution.instance, second.execution.instance);
    play.assert_all_written();
}

/// CK04.
async fn ck04_a_failure_just_behind_a_boundary_restarts_there<B: Backend>() {
    let play = Play::<B>::new(30).await.fails(Phase::Read, [11], Fault::Y, Once);
    let job = play.job(|p, s| p.chunk(s, 10));
    assert_eq!(play.run(&job).await.tells(), "FAILED R=10 W=10 C=1");
    assert_eq!(play.writes(), "[0-9]");
    assert_eq!(play.run(&job).await.tells(), "COMPLETED R=20 W=20 C=2");
    assert_eq!(play.seen(|s| s.reader_opens.clone()), [None, Some(10)]);
    assert_eq!(play.boundaries(), [10, 20, 30]);
    play.assert_all_written();
}

/// CK06.
async fn ck06_boundaries_by_a_function_hold_on_restart_too<B: Backend>() {
    const BOUNDARIES: [u64; 8] = [4, 9, 13, 15, 20, 22, 27, 30];
    let play = Play::<B>::new(30).await.fails(Phase::Read, [11], Fault::Y, Once);
    let job = play.job(|p, s| p.chunk(s, Completion::count(100).or_when(|f| BOUNDARIES.contains(&(f.first + f.items as u64)))));
    assert_eq!(play.run(&job).await.tells(), "FAILED R=9 W=9 C=2");
    assert_eq!(play.boundaries(), [4, 9]);
    assert_eq!(play.run(&job).await.tells(), "COMPLETED R=21 W=21 C=6");
    assert_eq!(play.boundaries(), [13, 15, 20, 22, 27, 30]);
    play.assert_all_written();
}

/// CK08: reads of 500 ms and a limit of 10 s give 20 items; the read under way at the limit is dropped and repeated.
async fn ck08_a_chunk_ends_when_its_time_is_over<B: Backend>() {
    let play = Play::<B>::new(30).await;
    let job = play.job(|p, s| {
        let reader = p.reader().takes(Duration::from_millis(500));
        p.chunk_of(s, Completion::count(40).or_time(Duration::from_secs(10)), reader)
    });
    assert_eq!(play.run(&job).await.tells(), "COMPLETED R=30 W=30 C=2");
    assert_eq!(play.boundaries(), [20, 30]);
    play.assert_all_written();
}

/// CK09.
async fn ck09_without_a_time_limit_only_the_count_ends_a_chunk<B: Backend>() {
    for size in [Completion::count(40), Completion::count(40).or_time(Duration::ZERO)] {
        let play = Play::<B>::new(30).await;
        let job = play.job(move |p, s| p.chunk_of(s, size.clone(), p.reader().takes(Duration::from_millis(500))));
        assert_eq!(play.run(&job).await.tells(), "COMPLETED R=30 W=30 C=1");
        assert_eq!(play.boundaries(), [30]);
    }
}

/// Saves how often it was asked.
struct Saves;

impl Listener for Saves {
    fn before_commit(&self, context: &mut Context) -> Result<()> {
        let before: u32 = context.get("commits").unwrap_or(0);
        context.set("commits", before + 1)
    }
}

/// CK11: a chunk step's values are saved with its commits, here by a listener.
async fn ck11_the_failed_steps_saved_values_are_readable<B: Backend>() {
    let play = Play::<B>::new(30).await.fails(Phase::Read, [11], Fault::Y, Once);
    let job = play.job(|p, s| p.chunk(s, 10).listener(Saves));
    let first = play.run(&job).await;
    assert_eq!(first.tells(), "FAILED R=10 W=10 C=1");
    let steps = play.explorer().steps(first.execution.id).await.expect("steps");
    assert_eq!((steps[0].status, steps[0].context.get::<u32>("commits").ok()), (BatchStatus::Failed, Some(1)));
    assert_eq!(play.run(&job).await.step().context.get::<u32>("commits").ok(), Some(3));
}

/// CK12: R of the rolled-back chunk is not shown (A3), and the empty tail is no commit (A1).
async fn ck12_what_failed_before_is_behind_on_restart<B: Backend>() {
    let play = Play::<B>::new(30).await.fails(Phase::Read, [13], Fault::Y, Once);
    let job = play.job(|p, s| p.chunk(s, 10));
    assert_eq!(play.run(&job).await.tells(), "FAILED R=10 W=10 C=1");
    let play = play.fails(Phase::Read, [3], Fault::Y, Always);
    assert_eq!(play.run(&job).await.tells(), "COMPLETED R=20 W=20 C=2");
    play.assert_all_written();
}

/// CK14.
async fn ck14_the_last_chunk_may_be_short<B: Backend>() {
    for concurrent in [1, 4] {
        let play = Play::<B>::new(5).await;
        let job = play.job(move |p, s| p.chunk(s, 2).concurrent(concurrent));
        let ran = play.run(&job).await;
        assert_eq!((ran.tells(), ran.step().counts.rollbacks), ("COMPLETED R=5 W=5 C=3".to_owned(), 0));
        assert_eq!(play.writes(), "[0-1][2-3][4]");
        play.assert_all_written();
    }
}

/// CK15: our message names the item by the record's number and line; R is the committed one (A3).
async fn ck15_the_failure_names_the_item<B: Backend>() {
    for concurrent in [1, 4] {
        let play = Play::<B>::new(5).await.fails(Phase::Process, [1], Fault::Y, Always);
        let job = play.job(move |p, s| p.chunk(s, 2).concurrent(concurrent));
        let ran = play.run(&job).await;
        assert_eq!((ran.tells(), ran.step().counts.rollbacks), ("FAILED".to_owned(), 1));
        let expected = "the item cannot be processed (job play, step act, item 1, line 3): y at 1";
        assert_eq!((ran.message(), ran.step().exit_status.message.as_str()), (expected, expected));
        assert_eq!(play.writes(), "");
    }
}

/// CK16.
async fn ck16_nothing_is_read_past_the_end<B: Backend>() {
    for (concurrent, size) in [(1, 10), (4, 10), (1, 5), (1, 3)] {
        let play = Play::<B>::new(5).await;
        let job = play.job(move |p, s| p.chunk(s, size).concurrent(concurrent));
        play.run(&job).await;
        assert_eq!(play.seen(|seen| seen.read_calls), 6, "chunks of {size}");
    }
}

/// CK17.
async fn ck17_no_state_leaks_from_run_to_run<B: Backend>() {
    let play = Play::<B>::new(1).await;
    let job = play.job(|p, s| p.chunk(s, 10));
    for run in [1, 2] {
        let ran = play.run_with(&job, parameters().set("run", run), &StopHandle::new()).await;
        assert_eq!(ran.tells(), "COMPLETED R=1 W=1 C=1");
    }
    assert_eq!(play.list(), [0, 0]);
}

/// CK19.
async fn ck19_reader_and_writer_are_closed_after_a_failure<B: Backend>() {
    let play = Play::<B>::new(30).await.fails(Phase::Read, [6], Fault::Y, Always);
    let job = play.job(|p, s| p.chunk(s, 3));
    assert_eq!(play.run(&job).await.tells(), "FAILED R=6 W=6 C=2");
    assert_eq!(play.seen(|seen| (seen.read_calls, seen.reader_closes, seen.writer_closes, seen.finishes)), (7, 1, 1, 0));
}

/// CK21.
async fn ck21_reader_and_writer_are_closed_when_one_cannot_be_opened<B: Backend>() {
    let play = Play::<B>::new(30).await;
    let job = play.job(|p, s| p.chunk_of(s, 10, p.reader().fails_to_open()));
    let ran = play.run(&job).await;
    assert_eq!(ran.tells(), "FAILED");
    assert_eq!(ran.message(), "the reader cannot be opened (job play, step act): the reader is out of order");
    assert_eq!(play.seen(|seen| (seen.reader_closes, seen.writer_closes, seen.read_calls)), (1, 1, 0));

    let play = Play::<B>::new(30).await;
    let job = play.job(|p, s| s.chunk(10, p.reader()).writer(p.writer().fails_to_open()));
    let ran = play.run(&job).await;
    assert_eq!(ran.tells(), "FAILED");
    assert_eq!(ran.message(), "the writer cannot be opened (job play, step act): the writer is out of order");
    assert_eq!(play.seen(|seen| (seen.reader_closes, seen.writer_closes, seen.read_calls)), (1, 1, 0));
}

/// CK23.
async fn ck23_filtered_is_not_skipped<B: Backend>() {
    for concurrent in [1, 4] {
        let play = Play::<B>::new(9).await;
        let job = play
            .job(move |p, s| s.chunk(31, p.reader()).processor(p.processor().filters(3)).writer(p.writer()).concurrent(concurrent));
        assert_eq!(play.run(&job).await.tells(), "COMPLETED R=9 W=8 F=1 C=1");
        play.assert_written_except(&[3]);
    }
}

/// CK24.
async fn ck24_one_chunk_may_hold_everything<B: Backend>() {
    let play = Play::<B>::new(9).await;
    let job = play.job(|p, s| p.chunk(s, 31));
    assert_eq!(play.run(&job).await.tells(), "COMPLETED R=9 W=9 C=1");
    assert_eq!(play.writes(), "[0-8]");
}

/// CK25.
async fn ck25_times_are_in_order<B: Backend>() {
    let play = Play::<B>::new(9).await;
    let job = play.job(|p, s| p.chunk(s, 3));
    let execution = play.run(&job).await.execution;
    let (started, ended) = (execution.started.expect("started"), execution.ended.expect("ended"));
    let step = &execution.steps[0];
    let step_ended = step.ended.expect("the step ended");
    let order = [execution.created, started, step.started, step_ended, ended];
    assert!(order.is_sorted(), "{order:?}");
    assert!(execution.last_updated >= ended && step.last_updated >= step_ended);
}

async fn a_chunk_ends_when_its_bytes_are_read<B: Backend>() {
    let play = Play::<B>::new(10).await;
    let job = play.job(|p, s| p.chunk(s, Completion::count(100).or_bytes(35)));
    assert_eq!(play.run(&job).await.tells(), "COMPLETED R=10 W=10 C=3");
    assert_eq!(play.boundaries(), [4, 8, 10]);
    play.assert_all_written();
}

/// PROTOCOL 23.
async fn a_chunk_whose_items_are_all_filtered_commits_without_a_write<B: Backend>() {
    let play = Play::<B>::new(6).await;
    let job = play.job(|p, s| p.watched(s.chunk(2, p.reader()).filter(|v| *v < 2 || *v > 3).writer(p.writer())));
    assert_eq!(play.run(&job).await.tells(), "COMPLETED R=6 W=4 F=2 C=3");
    assert_eq!((play.writes(), play.boundaries()), ("[0-1][4-5]".to_owned(), vec![2, 4, 6]));
}

/// PROTOCOL 23.
async fn a_chunk_ends_after_a_thousand_read_skips<B: Backend>() {
    let play = Play::<B>::new(2500).await.fails(Phase::Read, 0..2500, Fault::BadRecord, Once);
    let job = play.job(|p, s| p.chunk(s, 10).skip(10_000));
    assert_eq!(play.run(&job).await.tells(), "COMPLETED R=2500 SR=2500 C=3");
    assert_eq!((play.writes(), play.boundaries()), (String::new(), vec![1000, 2000, 2500]));
}

/// A1.
async fn empty_input_completes_without_a_chunk<B: Backend>() {
    let play = Play::<B>::new(0).await;
    let diary = Diary::new();
    let heard = diary.clone();
    let job = play.job(move |p, s| p.chunk(s, 10).listener(heard.clone()));
    assert_eq!(play.run(&job).await.tells(), "COMPLETED");
    assert_eq!(diary.text(), "before_step after_step");
    assert_eq!(play.seen(|seen| seen.finishes), 1);
}
