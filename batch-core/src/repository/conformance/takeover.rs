//! An execution whose owner is gone is closed, and its instance goes on.

use super::{
    Fixture,
    launches::at_once,
    story::{JOB, Run, TTL, elsewhere, explorer, gone, launch, refusal},
};
use crate::{
    error::ErrorKind,
    execution::{BatchStatus, StepExecution},
    repository::{CommitError, Owner, TakenOver},
    transaction::Transactions,
};
use futures_util::future::join;
use std::time::Duration;
use tokio::sync::watch;

const SECOND: Duration = Duration::from_secs(1);

/// A process that is provably no more is not waited for.
pub async fn an_owner_that_is_gone_is_replaced_at_once<F: Fixture>(f: &F) {
    let dead = gone();
    let old = Run::by(f, dead.clone()).await;
    let new = Run::begin(f).await;
    let TakenOver { execution, owner, reason } = new.launched.taken_over.clone().unwrap();
    assert_eq!((execution, owner), (old.id(), dead.to_string()));
    assert_eq!(reason, dead.gone().unwrap());
    assert_eq!(new.launched.previous.as_ref().unwrap().id, old.id());
    assert_eq!(new.instance(), old.instance());
}

/// Where nothing can be told of a process, its lease protects it, to its end.
pub async fn an_owner_that_may_live_is_replaced_when_its_lease_is_over<F: Fixture>(f: &F) {
    let old = Run::by(f, elsewhere()).await;
    f.advance(TTL - 2 * SECOND).await;
    let early = old.repository.launch(&launch(Owner::current())).await;
    assert_eq!(refusal(&early), Some(ErrorKind::AlreadyRunning));
    f.advance(3 * SECOND).await;
    let new = Run::begin(f).await;
    assert_eq!(new.launched.taken_over.as_ref().unwrap().execution, old.id());
}

/// A process that did not renew its lease is replaced, though it is there: it may hang.
pub async fn a_living_owner_whose_lease_is_over_is_replaced<F: Fixture>(f: &F) {
    let old = Run::begin(f).await;
    f.advance(TTL + SECOND).await;
    let new = Run::begin(f).await;
    assert_eq!(new.launched.taken_over.as_ref().unwrap().execution, old.id());
}

/// Of eight that would take over at the same time, one does.
pub async fn of_many_takeovers_at_once_one_wins<F: Fixture>(f: &F) {
    let old = Run::by(f, gone()).await;
    let outcomes = at_once(f, (0..8).map(|_| launch(Owner::current()))).await;
    let won = outcomes.iter().filter(|refused| refused.is_none()).count();
    let refused = outcomes.iter().filter(|refused| **refused == Some(ErrorKind::AlreadyRunning)).count();
    assert_eq!((won, refused), (1, 7), "{outcomes:?}");
    assert_eq!(explorer(f).executions(old.instance()).await.unwrap().len(), 2);
    assert_eq!(explorer(f).running(JOB).await.unwrap().len(), 1);
}

/// Both are FAILED and ended; the exit message says who took over; the step's epoch is raised.
pub async fn a_takeover_closes_the_execution_and_its_steps<F: Fixture>(f: &F) {
    let old = Run::by(f, gone()).await;
    let mut step = old.start("load").await;
    old.commit(&mut step).await;
    let owner = Owner::current();
    let new = Run::by(f, owner.clone()).await;
    let closed = old.stored().await;
    assert_eq!(closed.status, BatchStatus::Failed);
    assert!(closed.ended.is_some());
    assert_eq!(closed.exit_status.code, "FAILED");
    assert!(closed.exit_status.message.contains(&owner.to_string()), "{:?}", closed.exit_status.message);
    assert_eq!(closed.steps[0].status, BatchStatus::Failed);
    assert!(closed.steps[0].ended.is_some() && closed.steps[0].epoch > step.epoch);
    assert_eq!((closed.steps[0].counts, &closed.steps[0].checkpoint), (step.counts, &step.checkpoint));
    assert_eq!(new.stored().await.status, BatchStatus::Started);
}

/// A step that ended before is as it was.
pub async fn a_takeover_leaves_ended_steps_alone<F: Fixture>(f: &F) {
    let old = Run::by(f, gone()).await;
    let step = old.start("load").await;
    old.end_step(&step, BatchStatus::Completed).await;
    let before = old.stored().await.steps;
    Run::begin(f).await;
    assert_eq!(old.stored().await.steps, before);
}

/// The new try begins with the checkpoint and the commit number that the old one left.
pub async fn a_takeover_goes_on_after_the_last_commit<F: Fixture>(f: &F) {
    let old = Run::by(f, gone()).await;
    let mut before = old.start("load").await;
    old.commit(&mut before).await;
    old.commit(&mut before).await;
    let new = Run::begin(f).await;
    let step = new.start("load").await;
    assert_eq!((&step.checkpoint, &step.context), (&before.checkpoint, &before.context));
    assert_eq!((step.commit_no, step.start_no), (2, 2));
}

/// Every commit that the old owner was told of is inherited, and none is added behind the back of the new one.
pub async fn a_takeover_between_commits_loses_none<F: Fixture>(f: &F) {
    let old = Run::by(f, gone()).await;
    let step = old.start("load").await;
    let (progress, mut seen) = watch::channel(0);
    let take_over = async {
        seen.wait_for(|commits| *commits >= 3).await.unwrap();
        let new = Run::begin(f).await;
        new.start("load").await
    };
    let (commits, next) = join(commit_until_fenced(f, &old, step, progress), take_over).await;
    assert_eq!((next.commit_no, next.checkpoint.read), (commits, 3 * commits.unsigned_abs()));
    assert_eq!(old.stored().await.steps[0].commit_no, commits);
    if f.database().undoes_writes() {
        assert_eq!(f.keys().await, (1..=commits).collect::<Vec<_>>());
    }
}

/// Commits a row and a checkpoint at a time until it is told that it is no longer the owner; how many counted.
async fn commit_until_fenced<F: Fixture>(f: &F, run: &Run<'_, F>, mut step: StepExecution, progress: watch::Sender<i64>) -> i64 {
    let database = f.other();
    loop {
        let commit = run.chunk(&step);
        let mut tx = database.begin().await.unwrap();
        f.put(F::Database::conn(&mut tx), step.commit_no + 1).await.unwrap();
        match database.commit(tx, &commit).await {
            Ok(_) => (step.commit_no, step.counts, step.checkpoint) = (step.commit_no + 1, commit.counts, commit.checkpoint),
            Err(CommitError::NotOwner) => return step.commit_no,
            // Waiting for the takeover may end in a deadlock or a time-out; nothing was committed then.
            Err(other) => assert!(matches!(&other, CommitError::Refused(e) if database.is_transient(e)), "{other}"),
        }
        progress.send_replace(step.commit_no);
        tokio::task::yield_now().await;
    }
}
