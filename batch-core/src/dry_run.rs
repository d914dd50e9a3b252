//! Everything runs, nothing is kept.

use crate::{
    error::{BoxError, Result},
    repository::{Commit, CommitError, JobRepository, Memory, Request},
    transaction::{Overlap, StepLedger, Transactions},
};
use std::sync::Arc;

/// A database of which every chunk is rolled back: readers, processors and writers run as they would, and constraints are checked.
///
/// The job's progress is kept in memory, so that a dry run neither needs nor leaves an execution. Writers outside the transaction are
/// only given items, never opened or flushed. What one chunk writes the next one does not see: a duplicate is found only within its
/// chunk, or where it was in the table before. Named locks are the dry run's own: nobody else is waited for.
#[derive(Debug, Clone)]
pub struct DryRun<D> {
    inner: D,
    memory: Memory,
}

impl<D: Transactions + Clone> DryRun<D> {
    /// Runs over `database` without keeping anything in it.
    pub fn new(database: &D) -> Self {
        Self { inner: database.clone(), memory: Memory::new() }
    }

    /// The database behind.
    pub fn inner(&self) -> &D {
        &self.inner
    }
}

#[deny(clippy::missing_trait_methods)]
impl<D: Transactions + Clone> Transactions for DryRun<D> {
    type Conn = D::Conn;
    type Tx = D::Tx;

    async fn begin(&self) -> Result<D::Tx> {
        self.inner.begin().await
    }

    async fn begin_late(&self) -> Result<D::Tx> {
        self.inner.begin_late().await
    }

    fn conn(tx: &mut D::Tx) -> &mut D::Conn {
        D::conn(tx)
    }

    async fn savepoint(&self, tx: &mut D::Tx) -> Result<()> {
        self.inner.savepoint(tx).await
    }

    async fn release(&self, tx: &mut D::Tx, _check: bool) -> Result<()> {
        // A chunk that is never committed shows what a commit would refuse only when it is asked now.
        self.inner.release(tx, true).await
    }

    async fn rollback_to(&self, tx: &mut D::Tx) -> Result<()> {
        self.inner.rollback_to(tx).await
    }

    async fn commit(&self, tx: D::Tx, commit: &Commit) -> Result<Option<Request>, CommitError> {
        self.inner.rollback(tx).await.map_err(CommitError::Refused)?;
        JobRepository::commit(&self.memory, commit).await
    }

    async fn rollback(&self, tx: D::Tx) -> Result<()> {
        self.inner.rollback(tx).await
    }

    async fn abandon(&self, tx: D::Tx) {
        self.inner.abandon(tx).await;
    }

    fn is_transient(&self, error: &BoxError) -> bool {
        self.inner.is_transient(error)
    }

    fn is_fatal(&self, error: &BoxError) -> bool {
        self.inner.is_fatal(error)
    }

    fn explain(&self, error: BoxError) -> BoxError {
        self.inner.explain(error)
    }

    fn repository(&self) -> Arc<dyn JobRepository> {
        self.memory.repository()
    }

    fn ledger(&self) -> Option<&dyn StepLedger> {
        None
    }

    fn relaxed(&self) -> Option<Self> {
        Some(Self { inner: self.inner.relaxed()?, memory: self.memory.clone() })
    }

    fn overlap(&self) -> Option<Overlap> {
        self.inner.overlap()
    }

    fn undoes_writes(&self) -> bool {
        self.inner.undoes_writes()
    }

    fn is_dry_run(&self) -> bool {
        true
    }

    fn connections(&self) -> Option<usize> {
        self.inner.connections()
    }
}
