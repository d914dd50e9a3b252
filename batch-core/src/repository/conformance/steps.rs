//! How a step begins, and with what.

use super::{
    Fixture,
    story::{Run, launch, started},
};
use crate::{
    execution::{BatchStatus, Counts, StepExecution},
    repository::{Launch, Owner, StepStart, StepStarted},
};
use std::num::NonZeroU32;

/// STARTED, for the first time, from the beginning; stored as it was returned.
pub async fn a_first_start_has_nothing<F: Fixture>(f: &F) {
    let run = Run::begin(f).await;
    let step = run.start("load").await;
    assert_eq!((step.name.as_str(), step.status, step.execution_id), ("load", BatchStatus::Started, run.id()));
    assert_eq!((step.start_no, step.commit_no, step.counts), (1, 0, Counts::default()));
    assert!(step.checkpoint.is_start() && step.context.is_empty() && step.ended.is_none());
    let stored = &run.stored().await.steps[0];
    assert_eq!((stored.id, stored.epoch, stored.commit_no), (step.id, step.epoch, step.commit_no));
}

/// Checkpoint, context and commit number are inherited; counts begin anew; the start is counted.
pub async fn a_restart_inherits_what_was_committed<F: Fixture>(f: &F) {
    let before = failed_after_two_commits(f).await;
    let run = Run::begin(f).await;
    let step = run.start("load").await;
    assert_eq!((&step.checkpoint, &step.context), (&before.checkpoint, &before.context));
    assert_eq!((step.commit_no, step.start_no, step.counts), (2, 2, Counts::default()));
    assert_eq!(step.status, BatchStatus::Started);
    assert_ne!(step.id, before.id);
    // Inherited in the row too, not only in the answer.
    assert_eq!(run.stored().await.steps[0].checkpoint, before.checkpoint);
}

/// A try that committed nothing does not lose what an earlier one had committed.
pub async fn a_restart_passes_on_what_a_try_without_commits_inherited<F: Fixture>(f: &F) {
    let before = failed_after_two_commits(f).await;
    let second = Run::begin(f).await;
    let idle = second.start("load").await;
    second.end_step(&idle, BatchStatus::Failed).await;
    second.end(BatchStatus::Failed).await;
    let third = Run::begin(f).await;
    let mut step = third.start("load").await;
    assert_eq!((&step.checkpoint, &step.context), (&before.checkpoint, &before.context));
    assert_eq!((step.commit_no, step.start_no), (2, 3));
    third.commit(&mut step).await;
    assert_eq!(third.stored().await.steps[0].commit_no, 3);
}

/// The answer is the completed execution; no row is added.
pub async fn a_completed_step_is_not_started_again<F: Fixture>(f: &F) {
    let done = completed(f).await;
    let run = Run::begin(f).await;
    let outcome = run.try_start(&run.start_of("load")).await.unwrap();
    assert!(matches!(&outcome, StepStarted::Complete(step) if step.id == done.id && step.counts == done.counts), "{outcome:?}");
    assert!(run.stored().await.steps.is_empty());
}

/// From the beginning, with nothing but the commit number of before: an idempotency key or a guard never comes twice.
pub async fn a_completed_step_can_run_again_from_its_beginning<F: Fixture>(f: &F) {
    let done = completed(f).await;
    let run = Run::begin(f).await;
    let step = started(run.try_start(&StepStart { rerun: true, ..run.start_of("load") }).await.unwrap());
    assert!(step.checkpoint.is_start() && step.context.is_empty());
    assert_eq!((step.commit_no, step.start_no), (done.commit_no, 2));
}

/// Two starts are allowed, whatever became of them; the third is refused, and adds no row.
pub async fn a_start_limit_counts_all_tries<F: Fixture>(f: &F) {
    for status in [BatchStatus::Failed, BatchStatus::Stopped] {
        let run = Run::begin(f).await;
        let step = started(run.try_start(&limited(&run, 2)).await.unwrap());
        run.end_step(&step, status).await;
        run.end(status).await;
    }
    let run = Run::begin(f).await;
    let outcome = run.try_start(&limited(&run, 2)).await.unwrap();
    assert!(matches!(outcome, StepStarted::LimitReached(2)), "{outcome:?}");
    assert!(run.stored().await.steps.is_empty());
    assert_eq!(started(run.try_start(&limited(&run, 3)).await.unwrap()).start_no, 3);
}

/// However often: a limit of one start is enough for a step that completed at its first.
pub async fn passing_over_a_completed_step_is_no_start<F: Fixture>(f: &F) {
    completed(f).await;
    for _ in 0..2 {
        let run = Run::begin(f).await;
        let outcome = run.try_start(&limited(&run, 1)).await.unwrap();
        assert!(matches!(outcome, StepStarted::Complete(_)), "{outcome:?}");
        run.end(BatchStatus::Failed).await;
    }
}

/// A step of the same name in another instance starts from its own beginning.
pub async fn steps_of_other_instances_are_apart<F: Fixture>(f: &F) {
    completed(f).await;
    let other = Run::of(f, Launch { job_key: "another".to_owned(), ..launch(Owner::current()) }).await;
    let step = started(other.try_start(&limited(&other, 1)).await.unwrap());
    assert_eq!((step.start_no, step.commit_no), (1, 0));
    assert!(step.checkpoint.is_start());
}

async fn failed_after_two_commits<F: Fixture>(f: &F) -> StepExecution {
    let run = Run::begin(f).await;
    let mut step = run.start("load").await;
    run.commit(&mut step).await;
    run.commit(&mut step).await;
    run.end_step(&step, BatchStatus::Failed).await;
    run.end(BatchStatus::Failed).await;
    step
}

/// The step of a job that then failed elsewhere.
async fn completed<F: Fixture>(f: &F) -> StepExecution {
    let run = Run::begin(f).await;
    let mut step = run.start("load").await;
    run.commit(&mut step).await;
    run.end_step(&step, BatchStatus::Completed).await;
    run.end(BatchStatus::Failed).await;
    step
}

fn limited<F: Fixture>(run: &Run<'_, F>, starts: u32) -> StepStart {
    StepStart { start_limit: NonZeroU32::new(starts), ..run.start_of("load") }
}
