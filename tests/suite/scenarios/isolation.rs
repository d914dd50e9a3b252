//! Finding what cannot be written, and what is kept of it.

use crate::{
    backends::{Backend, on_every_backend},
    doubles::{Always, Busy, Diary, Fault, Once, Play, Y, is_x},
};
use batch_core::{BadRecord, Chunk, FailedItems, ItemProblem, ListWriter, Page, Phase, Result, Skip, Undo, Writer, caused_by};
use serde::{Deserialize, Serialize};

on_every_backend![
    k_bad_of_n_cost_no_more_calls_than_promised,
    nothing_is_isolated_where_nothing_undoes_a_write,
    an_idempotent_writer_may_be_given_halves,
    isolation_ends_where_a_good_item_turns_out_transient,
    isolation_ends_at_an_error_that_is_not_skippable,
    writers_in_a_tuple_agree_after_isolation,
    items_that_a_writer_names_are_skipped_without_halves,
    items_that_a_writer_names_obey_the_policy,
    a_dead_letter_says_where_and_what,
    without_dead_letters_the_item_is_not_kept,
    skips_of_a_failed_chunk_leave_no_record,
];

/// PROTOCOL 28: 2k * ceil(log2 n) + 1.
async fn k_bad_of_n_cost_no_more_calls_than_promised<B: Backend>() {
    let cases: [(u32, &[i64]); 10] = [
        (1, &[0]),
        (2, &[1]),
        (3, &[0, 2]),
        (10, &[9]),
        (16, &[0, 15]),
        (17, &[16]),
        (100, &[0, 33, 50, 51, 99]),
        (100, &[7]),
        (8, &[0, 1, 2, 3, 4, 5, 6, 7]),
        (33, &[0, 4, 8, 12, 16, 20, 24, 28, 32]),
    ];
    for (n, bad) in cases {
        let play = Play::<B>::new(n.into()).await.fails(Phase::Write, bad.iter().copied(), Fault::X, Always);
        let job = play.job(move |p, s| p.chunk(s, n as usize).skip(100));
        let ran = play.run(&job).await;
        assert_eq!((ran.step().counts.write_skips, ran.step().counts.commits), (bad.len() as u64, 1));
        assert_eq!(ran.step().counts.rollbacks, 0, "one transaction for all of it");
        let (calls, most) = (play.seen(|s| s.writes.len()), 2 * bad.len() * n.next_power_of_two().ilog2() as usize + 1);
        assert!(calls <= most, "{calls} calls for {bad:?} of {n}, at most {most}");
        play.assert_written_except(bad);
    }
}

/// Where a rollback undoes writes, the transaction does; elsewhere the chunk fails as a whole.
async fn nothing_is_isolated_where_nothing_undoes_a_write<B: Backend>() {
    use batch_core::Transactions;
    let play = Play::<B>::new(3).await.fails(Phase::Write, [1], Fault::X, Always);
    let job = play.job(|p, s| s.chunk(3, p.reader()).writer(p.writer().undone_by(Undo::Transaction)).skip(3));
    let tells = play.run(&job).await.tells();
    if play.database().undoes_writes() {
        assert_eq!((tells.as_str(), play.writes().as_str()), ("COMPLETED R=3 W=2 SW=1 C=1", "[0-2][0][1-2][1][2]"));
    } else {
        assert_eq!((tells.as_str(), play.writes().as_str()), ("FAILED", "[0-2]"));
    }
}

async fn an_idempotent_writer_may_be_given_halves<B: Backend>() {
    let play = Play::<B>::new(3).await.fails(Phase::Write, [1], Fault::X, Always);
    let job = play.job(|p, s| s.chunk(3, p.reader()).writer(p.writer().undone_by(Undo::Idempotent)).skip(3));
    assert_eq!(play.run(&job).await.tells(), "COMPLETED R=3 W=2 SW=1 C=1");
    play.assert_written_except(&[1]);
}

/// PROTOCOL 17: the whole chunk begins anew.
async fn isolation_ends_where_a_good_item_turns_out_transient<B: Backend>() {
    let play = Play::<B>::new(4).await.fails(Phase::Write, [1], Fault::X, Always).fails(Phase::Write, [3], Busy, Once);
    let diary = Diary::new();
    let heard = diary.clone();
    let job = play.job(move |p, s| p.chunk(s, 4).skip(1).retry(batch_core::Retry::times(2)).listener(heard.clone()));
    let ran = play.run(&job).await;
    assert_eq!((ran.tells(), ran.step().counts.rollbacks), ("COMPLETED R=4 W=3 SW=1 C=1".to_owned(), 1));
    assert_eq!(play.writes(), "[0-3][0-1][0][1][2-3][0-3][0-1][0][1][2-3]");
    assert_eq!(diary.of("skip"), ["skip:WRITE@1"]);
    play.assert_written_except(&[1]);
}

async fn isolation_ends_at_an_error_that_is_not_skippable<B: Backend>() {
    let play = Play::<B>::new(4).await.fails(Phase::Write, [1], Fault::X, Always).fails(Phase::Write, [3], Fault::Y, Always);
    let job = play.job(|p, s| p.chunk(s, 4).skip(Skip::unlimited().on(is_x)));
    let ran = play.run(&job).await;
    assert_eq!((ran.tells(), play.list()), ("FAILED".to_owned(), vec![]));
    assert!(ran.message().ends_with("y at 3"), "{}", ran.message());
}

/// PROTOCOL 12.
async fn writers_in_a_tuple_agree_after_isolation<B: Backend>() {
    let play =
        Play::<B>::new(30).await.fails(Phase::Write, [0, 4, 13, 14, 29], Fault::X, Always).fails(Phase::Write, [17], Busy, Once);
    let (before, after) = (ListWriter::new(), ListWriter::new());
    let (first, last) = (before.clone(), after.clone());
    let job = play.job(move |p, s| s.chunk(10, p.reader()).writer((first.clone(), p.writer(), last.clone())).skip(5));
    assert_eq!(play.run(&job).await.tells(), "COMPLETED R=30 W=25 SW=5 C=3");
    play.assert_written_except(&[0, 4, 13, 14, 29]);
    assert_eq!((before.items(), after.items()), (play.list(), play.list()));
}

/// A broker that answers for each message, and refuses what the play's script refuses.
struct Broker<B: Backend>(Play<B>, Vec<i64>);

impl<B: Backend, C: Send> Writer<i64, C> for Broker<B> {
    async fn write(&mut self, _: &mut C, items: Chunk<'_, i64>) -> Result<()> {
        let answers: Vec<_> = items.iter().map(|v| self.0.meets(Phase::Write, *v)).collect();
        self.1.extend(items.iter().zip(&answers).filter(|(_, answer)| answer.is_ok()).map(|(v, _)| *v));
        let failed: Vec<_> = answers.into_iter().enumerate().filter_map(|(i, answer)| Some((i, answer.err()?))).collect();
        if failed.is_empty() { Ok(()) } else { Err(FailedItems(failed).into()) }
    }

    async fn flush(&mut self) -> Result<serde_json::Value> {
        let sent = std::mem::take(&mut self.1);
        self.0.seen(|seen| seen.writes.push(sent));
        Ok(serde_json::Value::Null)
    }
}

/// Without a transaction.
async fn items_that_a_writer_names_are_skipped_without_halves<B: Backend>() {
    let (play, diary) = (Play::<B>::new(10).await.fails(Phase::Write, [2, 7], Fault::X, Always), Diary::new());
    let heard = diary.clone();
    let job = play.job(move |p, s| {
        let step = s.chunk(10, p.reader()).without_transaction().writer(Broker(p.clone(), Vec::new()));
        step.skip(2).listener(heard.clone())
    });
    assert_eq!(play.run(&job).await.tells(), "COMPLETED R=10 W=8 SW=2 C=1");
    assert_eq!(play.writes(), "[0-1,3-6,8-9]");
    assert_eq!(diary.of("skip"), ["skip:WRITE@2", "skip:WRITE@7"]);
    assert_eq!(diary.of("error"), ["error:WRITE"]);
}

async fn items_that_a_writer_names_obey_the_policy<B: Backend>() {
    for (fault, message) in [(Fault::Y, "y at 7"), (Busy, "x at 7")] {
        let play = Play::<B>::new(10).await.fails(Phase::Write, [2], Fault::X, Always).fails(Phase::Write, [7], fault, Always);
        let job = play.job(|p, s| {
            let step = s.chunk(10, p.reader()).without_transaction().writer(Broker(p.clone(), Vec::new()));
            step.skip(Skip::limit(5).except(|e| caused_by::<Y>(e, |_| true))).retry(batch_core::Retry::times(2))
        });
        let ran = play.run(&job).await;
        assert_eq!(ran.tells(), "FAILED");
        assert!(ran.message().contains("item 7") && ran.message().ends_with(message), "{}", ran.message());
    }
}

#[derive(Clone, Serialize, Deserialize)]
struct Order {
    id: i64,
    price: i64,
}

async fn a_dead_letter_says_where_and_what<B: Backend>() {
    let play = Play::<B>::new(0).await;
    let job = play.job(|_, s| {
        let orders = (0..5).map(|id| match id {
            1 => {
                let mut bad = BadRecord::new("not a number");
                (bad.line, bad.byte) = (Some(3), Some(20));
                (bad.column, bad.raw) = (Some("price".to_owned()), Some("1;x".to_owned()));
                Err(bad)
            }
            _ => Ok(Order { id, price: id * 10 }),
        });
        let step = s.chunk(10, batch_core::try_iter(orders.collect::<Vec<_>>())).map(|order: Order| match order.id {
            2 => Err(ItemProblem { column: "price", reason: "too low".to_owned() }.into()),
            _ => Ok(Order { price: order.price + 1, ..order }),
        });
        step.writer(Refuses(3)).skip(10).dead_letters()
    });
    let ran = play.run(&job).await;
    assert_eq!(ran.tells(), "COMPLETED R=5 W=2 SR=1 SP=1 SW=1 C=1");
    let skips = play.explorer().skips(ran.step().id, Page::all()).await.expect("skips");
    let of = |phase| skips.iter().find(|s| s.phase == phase).expect("a record of each phase");
    let (read, process, write) = (of(Phase::Read), of(Phase::Process), of(Phase::Write));
    assert_eq!((read.number, read.line, read.byte), (1, Some(3), Some(20)));
    assert_eq!((read.column.as_deref(), read.item.as_deref()), (Some("price"), Some("1;x")));
    assert_eq!(read.reason, "not a number");
    // What the processor was given, and what it made for the writer.
    assert_eq!((process.number, process.item.as_deref()), (2, Some(r#"{"id":2,"price":20}"#)));
    assert_eq!((process.column.as_deref(), process.reason.as_str()), (Some("price"), "too low"));
    assert_eq!((write.number, write.item.as_deref()), (3, Some(r#"{"id":3,"price":31}"#)));
    assert_eq!((write.column.as_deref(), write.reason.as_str()), (Some("id"), "3 is refused"));
}

/// Refuses one order; keeps nothing.
struct Refuses(i64);

impl<C: Send> Writer<Order, C> for Refuses {
    async fn write(&mut self, _: &mut C, items: Chunk<'_, Order>) -> Result<()> {
        match items.iter().find(|order| order.id == self.0) {
            Some(order) => Err(ItemProblem { column: "id", reason: format!("{} is refused", order.id) }.into()),
            None => Ok(()),
        }
    }

    fn undo(&self) -> Undo {
        Undo::Idempotent
    }
}

/// Lines are the reader's, whatever was skipped before.
async fn without_dead_letters_the_item_is_not_kept<B: Backend>() {
    let play = Play::<B>::new(9).await.fails(Phase::Read, [2], Fault::BadRecord, Always);
    let play = play.fails(Phase::Process, [1, 5], Fault::X, Always).fails(Phase::Write, [4, 8], Fault::X, Always);
    let job = play.job(|p, s| p.chunk(s, 5).skip(10));
    let ran = play.run(&job).await;
    let skips = play.explorer().skips(ran.step().id, Page::all()).await.expect("skips");
    let mut places: Vec<_> = skips.iter().map(|s| (s.number, s.line)).collect();
    places.sort_unstable();
    assert_eq!(places, [(1, Some(3)), (2, None), (4, Some(6)), (5, Some(7)), (8, Some(10))]);
    assert!(skips.iter().all(|s| s.item.is_none() && s.byte.is_none() && s.reason == format!("x at {}", s.number)));
}

async fn skips_of_a_failed_chunk_leave_no_record<B: Backend>() {
    let (play, diary) = (Play::<B>::new(10).await, Diary::new());
    let play = play.fails(Phase::Read, [1], Fault::BadRecord, Always).fails(Phase::Process, [2], Fault::X, Always);
    let play = play.fails(Phase::Write, [3], Fault::X, Always).fails(Phase::Write, [4], Fault::Y, Once);
    let heard = diary.clone();
    let job = play.job(move |p, s| p.chunk(s, 10).skip(Skip::limit(3).on(is_x)).listener(heard.clone()));
    assert_eq!(play.run(&job).await.tells(), "FAILED");
    let mut told = diary.of("skip");
    told.sort_unstable();
    assert_eq!(told, ["skip:PROCESS@2", "skip:READ@1", "skip:WRITE@3"]);
    assert_eq!(play.run(&job).await.tells(), "COMPLETED R=10 W=7 SR=1 SP=1 SW=1 C=1");
    play.assert_written_except(&[1, 2, 3]);
}
