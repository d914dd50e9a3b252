//! Rows and checkpoint are committed together, or neither.

use super::{
    Fixture,
    story::{Run, explorer, is_not_owner},
};
use crate::{
    execution::StepExecution,
    repository::{Page, Request},
    transaction::Transactions,
};

/// A transaction with these rows in it.
async fn begun<F: Fixture>(f: &F, keys: &[i64]) -> <F::Database as Transactions>::Tx {
    let mut tx = f.database().begin().await.unwrap();
    for key in keys {
        f.put(F::Database::conn(&mut tx), *key).await.unwrap();
    }
    tx
}

/// What stays where a rollback undoes rows; a handle that undoes none has nothing to show.
async fn expect_rows<F: Fixture>(f: &F, keys: &[i64]) {
    if f.database().undoes_writes() {
        assert_eq!(f.keys().await, keys);
    }
}

async fn expect_untouched<F: Fixture>(f: &F, run: &Run<'_, F>, step: &StepExecution) {
    let stored = run.stored().await.steps[0].clone();
    assert_eq!((stored.commit_no, stored.counts), (step.commit_no, step.counts));
    assert_eq!((&stored.checkpoint, &stored.context), (&step.checkpoint, &step.context));
    assert!(explorer(f).skips(step.id, Page::all()).await.unwrap().is_empty());
}

/// Both are there, and the next transaction begins.
pub async fn a_commit_leaves_rows_and_checkpoint<F: Fixture>(f: &F) {
    let run = Run::begin(f).await;
    let step = run.start("load").await;
    let commit = run.chunk(&step);
    assert_eq!(f.database().commit(begun(f, &[1, 2]).await, &commit).await.unwrap(), None);
    expect_rows(f, &[1, 2]).await;
    let stored = run.stored().await.steps[0].clone();
    assert_eq!((stored.commit_no, stored.counts, &stored.checkpoint), (1, commit.counts, &commit.checkpoint));
    assert_eq!(explorer(f).skips(step.id, Page::all()).await.unwrap(), commit.skips);
    f.database().rollback(begun(f, &[3]).await).await.unwrap();
}

/// The answer of the commit carries it.
pub async fn a_commit_tells_what_an_operator_asks<F: Fixture>(f: &F) {
    let run = Run::begin(f).await;
    let step = run.start("load").await;
    f.database().repository().request(run.id(), Some(Request::Pause)).await.unwrap();
    let request = f.database().commit(begun(f, &[]).await, &run.chunk(&step)).await.unwrap();
    assert_eq!(request, Some(Request::Pause));
}

/// Neither rows nor checkpoint, though a write was done.
pub async fn a_rollback_leaves_nothing<F: Fixture>(f: &F) {
    let run = Run::begin(f).await;
    let step = run.start("load").await;
    f.database().rollback(begun(f, &[1]).await).await.unwrap();
    expect_rows(f, &[]).await;
    expect_untouched(f, &run, &step).await;
    f.database().commit(begun(f, &[1]).await, &run.chunk(&step)).await.unwrap();
    expect_rows(f, &[1]).await;
}

/// As a rollback; the next transaction begins.
pub async fn a_transaction_that_is_given_up_leaves_nothing<F: Fixture>(f: &F) {
    let run = Run::begin(f).await;
    let step = run.start("load").await;
    f.database().abandon(begun(f, &[1]).await).await;
    expect_rows(f, &[]).await;
    expect_untouched(f, &run, &step).await;
    f.database().commit(begun(f, &[1]).await, &run.chunk(&step)).await.unwrap();
    expect_rows(f, &[1]).await;
}

/// Not the rows, not the skips; the right guard then works.
pub async fn a_commit_under_a_wrong_guard_commits_nothing<F: Fixture>(f: &F) {
    let run = Run::begin(f).await;
    let step = run.start("load").await;
    for (epoch, commit_no) in [(-1, 0), (1, 0), (0, 1), (0, -1)] {
        let mut commit = run.chunk(&step);
        commit.guard.epoch += epoch;
        commit.guard.commit_no += commit_no;
        assert!(is_not_owner(&f.database().commit(begun(f, &[1]).await, &commit).await), "epoch {epoch}, number {commit_no}");
        expect_rows(f, &[]).await;
        expect_untouched(f, &run, &step).await;
    }
    f.database().commit(begun(f, &[1]).await, &run.chunk(&step)).await.unwrap();
    expect_rows(f, &[1]).await;
}

/// What came before the point stays, and what comes after the return; again and again.
pub async fn a_savepoint_undoes_a_part<F: Fixture>(f: &F) {
    let (run, database) = (Run::begin(f).await, f.database());
    let step = run.start("load").await;
    let mut tx = begun(f, &[1]).await;
    for key in [2, 3] {
        database.savepoint(&mut tx).await.unwrap();
        f.put(F::Database::conn(&mut tx), key).await.unwrap();
        database.rollback_to(&mut tx).await.unwrap();
    }
    f.put(F::Database::conn(&mut tx), 4).await.unwrap();
    database.commit(tx, &run.chunk(&step)).await.unwrap();
    expect_rows(f, &[1, 4]).await;
}

/// With and without the check of constraints.
pub async fn a_released_savepoint_keeps_its_part<F: Fixture>(f: &F) {
    let (run, database) = (Run::begin(f).await, f.database());
    let step = run.start("load").await;
    let mut tx = begun(f, &[]).await;
    for (key, check) in [(1, false), (2, true)] {
        database.savepoint(&mut tx).await.unwrap();
        f.put(F::Database::conn(&mut tx), key).await.unwrap();
        database.release(&mut tx, check).await.unwrap();
    }
    database.commit(tx, &run.chunk(&step)).await.unwrap();
    expect_rows(f, &[1, 2]).await;
}

/// A key that is there already is the item's fault: the transaction goes on without it.
pub async fn a_refused_row_is_no_reason_to_retry<F: Fixture>(f: &F) {
    let (run, database) = (Run::begin(f).await, f.database());
    if !database.undoes_writes() {
        return;
    }
    let step = run.start("load").await;
    let mut tx = begun(f, &[1]).await;
    database.savepoint(&mut tx).await.unwrap();
    let refused = f.put(F::Database::conn(&mut tx), 1).await.unwrap_err();
    assert!(!database.is_transient(&refused), "{refused}");
    database.rollback_to(&mut tx).await.unwrap();
    f.put(F::Database::conn(&mut tx), 2).await.unwrap();
    database.commit(tx, &run.chunk(&step)).await.unwrap();
    expect_rows(f, &[1, 2]).await;
}
