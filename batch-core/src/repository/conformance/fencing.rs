//! A process whose execution was taken over, and that does not know, changes nothing.

use super::{
    Fixture,
    story::{Run, gone, is_not_owner, refusal},
};
use crate::{
    error::ErrorKind,
    execution::{BatchStatus, StepExecution},
};

/// A run that was taken over in the middle of a step, and the one that took over.
async fn zombie<F: Fixture>(f: &F) -> (Run<'_, F>, StepExecution, Run<'_, F>) {
    let old = Run::by(f, gone()).await;
    let mut step = old.start("load").await;
    old.commit(&mut step).await;
    let new = Run::begin(f).await;
    (old, step, new)
}

/// Neither counts nor checkpoint nor skips change.
pub async fn an_old_owner_cannot_commit<F: Fixture>(f: &F) {
    let (old, step, _new) = zombie(f).await;
    let before = old.stored().await;
    assert!(is_not_owner(&old.repository.commit(&old.chunk(&step)).await));
    assert_eq!(old.stored().await, before);
    let skips = old.repository.explorer().skips(step.id, crate::Page::all()).await.unwrap();
    assert_eq!(skips.len(), 1);
}

/// Reported as not the owner, whether its commit had counted or not.
pub async fn an_old_owner_cannot_resolve<F: Fixture>(f: &F) {
    let (old, step, _new) = zombie(f).await;
    let before = old.stored().await;
    assert_eq!(refusal(&old.repository.resolve(&old.guard(&step)).await), Some(ErrorKind::NotOwner));
    assert_eq!(old.stored().await, before);
}

/// Woken between two steps, it does not begin the next one.
pub async fn an_old_owner_cannot_start_a_step<F: Fixture>(f: &F) {
    let (old, _, new) = zombie(f).await;
    let outcome = old.try_start(&old.start_of("publish")).await;
    assert_eq!(refusal(&outcome), Some(ErrorKind::NotOwner));
    assert_eq!(old.stored().await.steps.len(), 1);
    assert_eq!(new.start("publish").await.start_no, 1);
}

/// The step stays FAILED, and its values do not reach the job.
pub async fn an_old_owner_cannot_end_a_step<F: Fixture>(f: &F) {
    let (old, step, _new) = zombie(f).await;
    let before = old.stored().await;
    let mut end = old.end_of(&step, BatchStatus::Completed);
    end.job_context = Some(super::story::context("total", 1));
    assert_eq!(refusal(&old.repository.end_step(&end).await), Some(ErrorKind::NotOwner));
    assert_eq!(old.stored().await, before);
}

/// The execution stays FAILED, and the new one active.
pub async fn an_old_owner_cannot_end_the_job<F: Fixture>(f: &F) {
    let (old, _, new) = zombie(f).await;
    let before = old.stored().await;
    let outcome = old.repository.end_job(&old.job_end(BatchStatus::Completed)).await;
    assert_eq!(refusal(&outcome), Some(ErrorKind::NotOwner));
    assert_eq!(old.stored().await, before);
    assert_eq!(new.stored().await.status, BatchStatus::Started);
}

/// Neither its own lease nor, under the new execution's number, the other's.
pub async fn an_old_owner_cannot_renew<F: Fixture>(f: &F) {
    let (old, _, new) = zombie(f).await;
    assert_eq!(refusal(&old.repository.renew(&old.lease).await), Some(ErrorKind::NotOwner));
    let mut foreign = old.lease.clone();
    foreign.execution = new.id();
    assert_eq!(refusal(&old.repository.renew(&foreign).await), Some(ErrorKind::NotOwner));
}

/// Whatever the old owner tried, the new one goes on and completes.
pub async fn an_old_owner_does_not_disturb_the_new_one<F: Fixture>(f: &F) {
    let (old, stale, new) = zombie(f).await;
    let mut step = new.start("load").await;
    assert!(is_not_owner(&old.repository.commit(&old.chunk(&stale)).await));
    new.commit(&mut step).await;
    assert!(old.repository.end_step(&old.end_of(&stale, BatchStatus::Failed)).await.is_err());
    new.end_step(&step, BatchStatus::Completed).await;
    new.end(BatchStatus::Completed).await;
    let stored = new.stored().await;
    assert_eq!((stored.status, stored.steps[0].status), (BatchStatus::Completed, BatchStatus::Completed));
    assert_eq!(stored.steps[0].checkpoint.read, 6);
}
