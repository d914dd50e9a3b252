//! A report says exactly where a chunk's time went.

use super::doubles::{Phases, SECOND, SlowDatabase, SlowProcessor, SlowReader, SlowWriter, Stopwatch};
use batch_core::{
    BatchStatus, Job, ListReader, ListWriter, ManualClock, Memory, Parameters, Result, Retry,
    testing::{Fault, Scripted},
};
use std::time::Duration;

/// A world in which a begin takes 100 s and a commit 1,000 s.
fn world() -> (ManualClock, SlowDatabase) {
    let clock = ManualClock::at(chrono::Utc::now());
    let memory = Memory::new();
    (clock.clone(), SlowDatabase { memory, clock, begin: 100 * SECOND, commit: 1000 * SECOND })
}

/// Five records in chunks of two: 1 s to read one, 10 s to process one, 10,000 s to write one.
async fn phases(database: &Scripted<SlowDatabase>, clock: &ManualClock, change: impl Fn(&mut SlowWriter)) -> Vec<Phases> {
    let (watch, list) = (Stopwatch::default(), ListWriter::new());
    let mut writer = SlowWriter::new(clock, &list, Duration::ZERO, 10_000 * SECOND);
    change(&mut writer);
    let (clock, watching) = (clock.clone(), watch.clone());
    let job = Job::new("pace", database).clock(clock.clone()).step("step", move |s| {
        Ok(s.chunk(2, SlowReader::new(&clock, 5, SECOND))
            .processor(SlowProcessor { clock: clock.clone(), an_item: 10 * SECOND })
            .writer(writer.clone())
            .skip(1)
            .retry(Retry::times(3).constant(SECOND))
            .listener(watching.clone()))
    });
    assert_eq!(job.run(Parameters::new()).await.unwrap().status, BatchStatus::Completed);
    watch.phases()
}

#[tokio::test]
async fn each_phase_has_its_own_time() {
    let (clock, database) = world();
    let phases = phases(&Scripted::new(database), &clock, |_| {}).await;
    let whole = ([2, 20, 21_100, 21_000, 1000], 1, 1);
    assert_eq!(phases, [whole, whole, ([1, 10, 11_100, 11_000, 1000], 1, 1)]);
}

#[tokio::test(start_paused = true)]
async fn only_the_attempt_that_committed_was_open() {
    let (clock, database) = world();
    let database = Scripted::new(database).fail(1, Fault::CommitTransient).fail(3, Fault::Begin);
    let phases = phases(&database, &clock, |_| {}).await;
    // The script refuses a commit, and a begin, before it takes any time; in the pause after it the next chunk is read ahead.
    let refused = ([2, 20, 20_100 + 22 + 21_100, 21_000, 1000], 2, 1);
    assert_eq!(phases[..2], [refused, ([2, 20, 11 + 21_100, 21_000, 1000], 2, 1)]);
}

#[tokio::test]
async fn looking_for_a_refused_item_is_part_of_the_transaction() {
    let (clock, database) = world();
    let phases = phases(&Scripted::new(database), &clock, |writer| writer.refuses = Some(7)).await;
    // 0 and 1, then each by itself: four items written.
    assert_eq!(phases[0], ([2, 20, 41_100, 41_000, 1000], 1, 3));
}

#[tokio::test]
async fn what_is_read_ahead_has_the_time_that_it_took_itself() {
    let (clock, database) = world();
    let phases = phases(&Scripted::new(database), &clock, |writer| writer.waits = true).await;
    // The clock stands for everybody: what the next chunk takes passes for the one that is written meanwhile as well.
    let expected = [[2, 20, 21_122, 21_022, 1000], [2, 20, 21_111, 21_011, 1000], [1, 10, 11_100, 11_000, 1000]];
    assert_eq!(phases.iter().map(|p| p.0).collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn a_chunk_that_is_filtered_away_is_not_written_but_committed() {
    let (clock, database) = world();
    let watch = Stopwatch::default();
    let watching = watch.clone();
    let job = Job::new("pace", &database).clock(clock.clone()).step("step", move |s| {
        let writer = SlowWriter::new(&clock, &ListWriter::new(), SECOND, SECOND);
        Ok(s.chunk(2, SlowReader::new(&clock, 2, SECOND)).filter(|_| false).writer(writer).listener(watching.clone()))
    });
    assert_eq!(job.run(Parameters::new()).await.unwrap().status, BatchStatus::Completed);
    assert_eq!(watch.phases(), [([2, 0, 1100, 1000, 1000], 1, 0)]);
}

#[tokio::test(start_paused = true)]
async fn a_unit_tells_its_attempts_and_the_time_of_all() {
    let (clock, watch) = (ManualClock::at(chrono::Utc::now()), Stopwatch::default());
    let (working, watching) = (clock.clone(), watch.clone());
    let job = Job::new("pace", &Memory::new()).clock(clock).step("step", move |s| {
        let clock = working.clone();
        let work = async move |_: &mut (), key: u64| -> Result<()> {
            clock.advance(7 * SECOND);
            if key == 2 { Err("never".into()) } else { Ok(()) }
        };
        let retry = Retry::times(3).on(|_| true).constant(SECOND);
        Ok(s.units(ListReader::new(vec![1u64, 2]), work).retry(retry).listener(watching.clone()))
    });
    assert_eq!(job.run(Parameters::new()).await.unwrap().status, BatchStatus::Failed);
    assert_eq!(watch.phases(), [([0, 0, 7, 0, 0], 1, 0), ([0, 0, 21, 0, 0], 3, 0)]);
}
