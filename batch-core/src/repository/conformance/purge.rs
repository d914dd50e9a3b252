//! What is deleted of the history, and what never is.

use super::{
    Fixture,
    story::{JOB, Run, explorer, launch},
};
use crate::{
    error::ErrorKind,
    execution::{BatchStatus, Parameters},
    repository::{JobOperator, Launch, Owner, Page, Purge, Purged},
    transaction::Transactions,
};
use std::time::Duration;

fn numbered(run: i64) -> Launch {
    let parameters = Parameters::new().set("run", run);
    Launch { job_key: parameters.key(), parameters, ..launch(Owner::current()) }
}

/// An instance of its own, whose only try has a step with a commit and a skip, and ends so.
async fn ended<F: Fixture>(f: &F, run: i64, status: BatchStatus) -> i64 {
    let try_ = Run::of(f, numbered(run)).await;
    let mut step = try_.start("load").await;
    try_.commit(&mut step).await;
    try_.end_step(&step, status).await;
    try_.end(status).await;
    try_.instance()
}

async fn purge<F: Fixture>(f: &F, purge: Purge) -> Purged {
    JobOperator::new(f.database().repository()).purge(&purge).await.unwrap()
}

async fn left<F: Fixture>(f: &F) -> Vec<i64> {
    let mut ids: Vec<i64> = explorer(f).instances(JOB, Page::all()).await.unwrap().iter().map(|i| i.id).collect();
    ids.reverse();
    ids
}

/// The newest success stays, unless it is meant too.
pub async fn completed_instances_are_deleted_but_for_the_last<F: Fixture>(f: &F) {
    let mut made = Vec::new();
    for run in 1..=4 {
        made.push(ended(f, run, BatchStatus::Completed).await);
    }
    assert_eq!(purge(f, Purge::of(JOB)).await, Purged { instances: 3, executions: 3 });
    assert_eq!(left(f).await, made[3..]);
    assert_eq!(purge(f, Purge::of(JOB).last_success_too()).await.instances, 1);
}

/// All that belongs to it is gone, and it can be launched as if it had never been.
pub async fn a_deleted_instance_can_be_launched_again<F: Fixture>(f: &F) {
    let old = ended(f, 1, BatchStatus::Completed).await;
    ended(f, 2, BatchStatus::Completed).await;
    purge(f, Purge::of(JOB)).await;
    let gone = explorer(f).executions(old).await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::NotFound);
    let again = Run::of(f, numbered(1)).await;
    assert!(again.launched.previous.is_none());
    assert!(again.start("load").await.checkpoint.is_start());
}

/// Failed and stopped ones may be restarted, however old; an abandoned one may not.
pub async fn what_can_be_restarted_is_kept<F: Fixture>(f: &F) {
    let failed = ended(f, 1, BatchStatus::Failed).await;
    let stopped = ended(f, 2, BatchStatus::Stopped).await;
    let abandoned = Run::of(f, numbered(3)).await;
    abandoned.end(BatchStatus::Failed).await;
    abandoned.repository.abandon(abandoned.id()).await.unwrap();
    assert_eq!(purge(f, Purge::of(JOB)).await.instances, 1);
    assert_eq!(left(f).await, [failed, stopped]);
    assert_eq!(purge(f, Purge::of(JOB).restartable_for(Duration::from_secs(3600))).await.instances, 0);
    assert_eq!(purge(f, Purge::of(JOB).restartable_for(Duration::ZERO)).await.instances, 2);
}

/// Also where an earlier try of the same instance ended long ago.
pub async fn an_active_instance_is_kept<F: Fixture>(f: &F) {
    ended(f, 1, BatchStatus::Failed).await;
    let active = Run::of(f, numbered(1)).await;
    let all = Purge::of(JOB).last_success_too().restartable_for(Duration::ZERO);
    assert_eq!(purge(f, all).await, Purged::default());
    let mut step = active.start("load").await;
    active.commit(&mut step).await;
}

/// The newest ones, whatever became of them, and those that ended just now.
pub async fn young_and_last_instances_are_kept<F: Fixture>(f: &F) {
    for run in 1..=5 {
        ended(f, run, BatchStatus::Completed).await;
    }
    assert_eq!(purge(f, Purge::of(JOB).older_than(Duration::from_secs(3600))).await, Purged::default());
    assert_eq!(purge(f, Purge::of(JOB).keep_last(3).last_success_too()).await.instances, 2);
    assert_eq!(left(f).await.len(), 3);
}

/// It tells what would be deleted.
pub async fn a_dry_run_deletes_nothing<F: Fixture>(f: &F) {
    for run in 1..=3 {
        ended(f, run, BatchStatus::Completed).await;
    }
    let purge_all = Purge::of(JOB).batch(std::num::NonZeroU32::MIN);
    assert_eq!(purge(f, purge_all.clone().dry_run()).await.instances, 2);
    assert_eq!(left(f).await.len(), 3);
    assert_eq!(purge(f, purge_all).await.instances, 2);
}

/// And one that nobody launched has none.
pub async fn other_jobs_are_left_alone<F: Fixture>(f: &F) {
    ended(f, 1, BatchStatus::Completed).await;
    assert_eq!(purge(f, Purge::of("another").last_success_too()).await, Purged::default());
    assert_eq!(left(f).await.len(), 1);
}
