//! Transactions in another database than the repository's.

use super::{Ledger, LedgerEntry, LedgerGuard, LedgerKey, Overlap, StepLedger, Transactions};
use crate::{
    error::{BoxError, Error, Result},
    execution::StepExecution,
    repository::{Commit, CommitError, JobRepository, Request},
};
use async_trait::async_trait;
use parking_lot::Mutex;
use std::{fmt, sync::Arc};

/// Rows in `U`, with a ledger row there that is the step's checkpoint; progress in the job's repository. Made by
/// [`ChunkStep::transaction`](crate::ChunkStep::transaction).
///
/// A chunk commits twice: in `U`, rows and ledger together, after which it counts; then in the repository. A restart that finds the
/// ledger one commit ahead copies that commit first.
pub struct Ledgered<U> {
    target: U,
    repository: Arc<dyn JobRepository>,
    connections: Option<usize>,
    dry_run: bool,
    /// What the job's own database says of errors: processors may ask it too.
    transient: Arc<dyn Fn(&BoxError) -> bool + Send + Sync>,
    hold: Mutex<Option<Hold>>,
}

/// A ledger's row that was claimed.
#[derive(Clone)]
struct Hold {
    guard: LedgerGuard,
    holder: i64,
}

impl<U: Ledger> Ledgered<U> {
    /// Rows in `target`, progress in the repository of `transactions`.
    pub(crate) fn new<T: Transactions>(target: U, transactions: Arc<T>) -> Self {
        Self {
            target,
            repository: transactions.repository(),
            // The writer's is the target's own: the reader may keep all of the job's database.
            connections: transactions.connections().map(|job| job + 1),
            dry_run: transactions.is_dry_run(),
            transient: Arc::new(move |error| transactions.is_transient(error)),
            hold: Mutex::default(),
        }
    }

    async fn take(&self, key: LedgerKey, holder: i64) -> Result<Option<String>, Error> {
        let state = self.target.claim(&key, holder).await?;
        crate::failpoint!("ledger.claimed");
        let guard = LedgerGuard { key, epoch: state.epoch, commit_no: state.commit_no };
        *self.hold.lock() = Some(Hold { guard, holder });
        Ok(state.entry)
    }

    fn held(&self) -> Option<Hold> {
        self.hold.lock().clone()
    }

    /// Every chunk of a dry run is rolled back, and the repository is one in memory.
    async fn pretend(&self, tx: U::Tx, commit: &Commit) -> Result<Option<Request>, CommitError> {
        self.target.rollback(tx).await.map_err(CommitError::Refused)?;
        self.repository.commit(commit).await
    }
}

impl<U: fmt::Debug> fmt::Debug for Ledgered<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ledgered").field(&self.target).finish()
    }
}

#[async_trait]
impl<U: Ledger> StepLedger for Ledgered<U> {
    async fn claim(&self, instance: i64, step: &StepExecution) -> Result<Option<LedgerEntry>, Error> {
        let key = LedgerKey { repository: self.repository.id().await?, instance, step: step.name.clone() };
        let entry = self.take(key, step.id).await?;
        entry.as_deref().map(LedgerEntry::decode).transpose()
    }

    async fn resolve(&self) -> Result<i64, Error> {
        let Some(Hold { guard, holder }) = self.held() else { return Ok(0) };
        self.take(guard.key, holder).await?;
        Ok(self.held().map_or(0, |now| now.guard.commit_no - guard.commit_no))
    }
}

#[deny(clippy::missing_trait_methods)]
impl<U: Ledger> Transactions for Ledgered<U> {
    type Conn = U::Conn;
    type Tx = U::Tx;

    async fn begin(&self) -> Result<U::Tx> {
        self.target.begin().await
    }

    async fn begin_late(&self) -> Result<U::Tx> {
        self.target.begin_late().await
    }

    fn conn(tx: &mut U::Tx) -> &mut U::Conn {
        U::conn(tx)
    }

    async fn savepoint(&self, tx: &mut U::Tx) -> Result<()> {
        self.target.savepoint(tx).await
    }

    async fn release(&self, tx: &mut U::Tx, check: bool) -> Result<()> {
        self.target.release(tx, check || self.dry_run).await
    }

    async fn rollback_to(&self, tx: &mut U::Tx) -> Result<()> {
        self.target.rollback_to(tx).await
    }

    /// Commits the rows with their ledger; the engine copies the commit into the repository then.
    async fn commit(&self, tx: U::Tx, commit: &Commit) -> Result<Option<Request>, CommitError> {
        if self.dry_run {
            return self.pretend(tx, commit).await;
        }
        let Some(Hold { guard, .. }) = self.held() else {
            self.target.rollback(tx).await.map_err(CommitError::Refused)?;
            return Err(CommitError::NotOwner);
        };
        self.target.commit_with_ledger(tx, &guard, &LedgerEntry::of(commit).encode()).await?;
        if let Some(hold) = &mut *self.hold.lock() {
            hold.guard.commit_no = guard.commit_no + 1;
        }
        crate::failpoint!("ledger.committed");
        Ok(None)
    }

    async fn rollback(&self, tx: U::Tx) -> Result<()> {
        self.target.rollback(tx).await
    }

    async fn abandon(&self, tx: U::Tx) {
        self.target.abandon(tx).await;
    }

    fn is_transient(&self, error: &BoxError) -> bool {
        self.target.is_transient(error) || (self.transient)(error)
    }

    fn is_fatal(&self, error: &BoxError) -> bool {
        self.target.is_fatal(error)
    }

    fn explain(&self, error: BoxError) -> BoxError {
        self.target.explain(error)
    }

    fn repository(&self) -> Arc<dyn JobRepository> {
        self.repository.clone()
    }

    fn ledger(&self) -> Option<&dyn StepLedger> {
        if self.dry_run { None } else { Some(self) }
    }

    fn relaxed(&self) -> Option<Self> {
        None
    }

    /// Ledger rows are compared and written by the commit alone, which waits for the one before.
    fn overlap(&self) -> Option<Overlap> {
        self.target.overlap()
    }

    fn undoes_writes(&self) -> bool {
        self.target.undoes_writes()
    }

    fn is_dry_run(&self) -> bool {
        self.dry_run
    }

    fn connections(&self) -> Option<usize> {
        self.connections
    }
}
