//! When chunks are filled on a task of their own.

use super::doubles::{SECOND, SlowReader};
use batch_core::{BatchStatus, Chunk, Job, ManualClock, Memory, Parameters, Result, Writer};
use parking_lot::Mutex;
use std::sync::Arc;

/// Waits for a moment.
#[derive(Clone)]
struct Waiting;

impl Writer<u64> for Waiting {
    async fn write(&mut self, (): &mut (), _: Chunk<'_, u64>) -> Result<()> {
        tokio::task::yield_now().await;
        Ok(())
    }
}

/// For ten numbers in chunks of two, whether each was read on a task; the first `slow` of them take long.
async fn away(slow: u64) -> Vec<bool> {
    let (clock, seen) = (ManualClock::at(chrono::Utc::now()), Arc::new(Mutex::new(Vec::new())));
    let (working, away) = (clock.clone(), seen.clone());
    let job = Job::new("ahead", &Memory::new()).clock(clock).step("step", move |s| {
        let away = away.clone();
        let reader = SlowReader { slow, ..SlowReader::new(&working, 10, SECOND) };
        let note = move |n: u64| {
            away.lock().push(tokio::task::try_id().is_some());
            Ok(n)
        };
        Ok(s.chunk(2, reader).map(note).writer(Waiting).read_ahead(1))
    });
    assert_eq!(job.run(Parameters::new()).await.unwrap().status, BatchStatus::Completed);
    std::mem::take(&mut *seen.lock())
}

/// Which costs a thread's waking for each chunk; so one slow chunk, as the first often is, must not decide for all that follow.
#[tokio::test(start_paused = true)]
async fn a_source_that_became_quick_is_read_on_the_steps_own_task_again() {
    let (own, task) = ([false; 2], [true; 2]);
    assert_eq!(away(1).await, [own, task, own, own, own].concat());
    assert_eq!(away(3).await, [own, task, task, own, own].concat());
    assert_eq!(away(10).await, [own, task, task, task, task].concat(), "it stays slow");
}
