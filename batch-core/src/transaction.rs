//! The seam between guarantees: where a chunk's rows and its checkpoint are committed.

mod entry;
mod ledger;
mod ledgered;

use crate::{
    error::{BoxError, Result},
    repository::{Commit, CommitError, JobRepository, Request},
};
use std::{future::Future, sync::Arc, time::Duration};

pub use entry::LedgerEntry;
pub use ledger::{Ledger, LedgerGuard, LedgerKey, LedgerState, StepLedger};
pub use ledgered::Ledgered;

/// Transactions in which a writer's rows and the engine's checkpoint are committed together.
///
/// Implemented by a repository's own handle: a job's default transaction is its repository's.
///
/// # Behavior
/// - `begin` waits for other writers; nothing else of the engine is open meanwhile.
/// - Everything executed on `conn` until `commit` takes effect with it, or not at all.
/// - `commit` writes the checkpoint under its guard, then commits; where the guard does not hold, nothing is committed.
/// - A user's own COMMIT or ROLLBACK on `conn` is found at the latest by `commit`, which then fails with a data error.
/// - Every `Tx` ends in exactly one of `commit`, `rollback` and `abandon`.
pub trait Transactions: Send + Sync + 'static {
    /// What writers and tasklets are lent.
    type Conn: Send + 'static;
    /// An open transaction.
    type Tx: Send + 'static;

    /// Begins a transaction.
    fn begin(&self) -> impl Future<Output = Result<Self::Tx>> + Send;

    /// Begins a transaction for a writer that does not use its connection: what begins it may be sent with the commit. Default: as
    /// [`Self::begin`].
    fn begin_late(&self) -> impl Future<Output = Result<Self::Tx>> + Send {
        self.begin()
    }

    /// The connection that the transaction is open on.
    fn conn(tx: &mut Self::Tx) -> &mut Self::Conn;

    /// Marks a point to which [`Self::rollback_to`] goes back; the one marked last counts.
    fn savepoint(&self, tx: &mut Self::Tx) -> impl Future<Output = Result<()>> + Send;

    /// Forgets the point marked last and keeps what came after it. With `check`, constraints that are otherwise examined at the
    /// commit are examined now, and a violation is the error.
    fn release(&self, tx: &mut Self::Tx, check: bool) -> impl Future<Output = Result<()>> + Send;

    /// Undoes what came after the point marked last, and forgets the point. An error means that the transaction is gone.
    fn rollback_to(&self, tx: &mut Self::Tx) -> impl Future<Output = Result<()>> + Send;

    /// Writes the checkpoint and commits; returns what an operator asks of the execution.
    fn commit(&self, tx: Self::Tx, commit: &Commit) -> impl Future<Output = Result<Option<Request>, CommitError>> + Send;

    /// Undoes everything.
    fn rollback(&self, tx: Self::Tx) -> impl Future<Output = Result<()>> + Send;

    /// Ends a transaction whose connection may still be busy with a statement nobody waits for: closes the connection and waits
    /// until the database is done with it.
    fn abandon(&self, tx: Self::Tx) -> impl Future<Output = ()> + Send;

    /// Whether the chunk is worth another try: deadlock, serialization failure, busy, connection lost.
    fn is_transient(&self, error: &BoxError) -> bool;

    /// Whether no item of the chunk is at fault, so that looking for one would be in vain: a missing table, a read-only or damaged
    /// database. Default: never.
    fn is_fatal(&self, error: &BoxError) -> bool {
        let _ = error;
        false
    }

    /// The error of a chunk that finally failed, with what an operator needs to know of the store: which file, what to do. Default: as
    /// it is.
    fn explain(&self, error: BoxError) -> BoxError {
        error
    }

    /// The repository behind this handle.
    fn repository(&self) -> Arc<dyn JobRepository>;

    /// The ledger of the step under way, where `commit` leaves the checkpoint in another database than the repository's: the engine
    /// then copies each commit into the repository. Default: none, `commit` writes the repository's checkpoint itself.
    fn ledger(&self) -> Option<&dyn StepLedger> {
        None
    }

    /// The same database with chunks committed without waiting for its disk, for [`Durability::Step`](crate::Durability::Step). Default:
    /// not offered.
    ///
    /// A crash of its server may take back the last chunks: rows and checkpoint together, never one and not a later one. Calls of
    /// the repository still wait for the disk, and what was committed before such a call is on the disk after it.
    fn relaxed(&self) -> Option<Self>
    where
        Self: Sized,
    {
        None
    }

    /// How chunks may be in flight, each in a transaction of its own on a connection of its own; `None` where one has to end before the
    /// next begins. Default: `None`.
    fn overlap(&self) -> Option<Overlap> {
        None
    }

    /// Whether a rollback undoes what was done on `Conn`. Default: it does.
    fn undoes_writes(&self) -> bool {
        true
    }

    /// Whether every chunk is rolled back on purpose. Default: it is not.
    fn is_dry_run(&self) -> bool {
        false
    }

    /// Connections that the step's reader and writer share; `None` is without limit. Default: without limit.
    fn connections(&self) -> Option<usize> {
        None
    }
}

/// How transactions of one step may overlap: [`ChunkStep::in_flight`](crate::ChunkStep::in_flight).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overlap {
    /// Transactions that may be open at once.
    pub at_once: usize,
    /// How long one may lie idle before another one's end; the database ends it by itself some time later.
    pub idle: Duration,
}

/// No transaction around the writer: only the checkpoint is committed, by the repository itself.
#[derive(Debug)]
pub struct Detached {
    repository: Arc<dyn JobRepository>,
    dry_run: bool,
}

impl Detached {
    pub(crate) fn new(transactions: &impl Transactions) -> Self {
        Self { repository: transactions.repository(), dry_run: transactions.is_dry_run() }
    }
}

impl Transactions for Detached {
    type Conn = ();
    type Tx = ();

    async fn begin(&self) -> Result<()> {
        Ok(())
    }

    fn conn(tx: &mut ()) -> &mut () {
        tx
    }

    async fn savepoint(&self, _tx: &mut ()) -> Result<()> {
        Ok(())
    }

    async fn release(&self, _tx: &mut (), _check: bool) -> Result<()> {
        Ok(())
    }

    async fn rollback_to(&self, _tx: &mut ()) -> Result<()> {
        Ok(())
    }

    async fn commit(&self, _tx: (), commit: &Commit) -> Result<Option<Request>, CommitError> {
        self.repository.commit(commit).await
    }

    async fn rollback(&self, _tx: ()) -> Result<()> {
        Ok(())
    }

    async fn abandon(&self, _tx: ()) {}

    fn is_transient(&self, _error: &BoxError) -> bool {
        false
    }

    fn repository(&self) -> Arc<dyn JobRepository> {
        self.repository.clone()
    }

    fn undoes_writes(&self) -> bool {
        false
    }

    fn is_dry_run(&self) -> bool {
        self.dry_run
    }
}
