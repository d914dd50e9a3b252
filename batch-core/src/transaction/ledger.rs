//! The ledger: a step's progress in the database of its rows, where that is not the repository's.

use super::{LedgerEntry, Transactions};
use crate::{error::Error, execution::StepExecution, repository::CommitError};
use async_trait::async_trait;
use std::future::Future;

/// A database that keeps, beside the rows of a step, how far the step is: one row of a table for each step of an instance.
///
/// That row is the step's checkpoint; the repository, in another database, follows it by at most one commit. What holds of a step's
/// row in the repository holds of it: whoever takes the step over raises its epoch first and reads it after.
///
/// # Behavior
/// - `claim` inserts a missing row, raises its epoch, which waits for a commit in flight, and reads it after that, in one
///   transaction of its own. From then on no commit of an earlier epoch counts.
/// - `claim` by an earlier step execution than the last one is refused with kind `NotOwner` and changes nothing: a process that was
///   taken over, and wakes up, cannot fence its successor.
/// - `commit_with_ledger` writes the entry under its guard and commits it with the rows, waiting for the disk whatever the
///   connection's settings; where the guard does not hold, nothing is committed and the error is [`CommitError::NotOwner`].
/// - Rows and entry are rolled back together.
/// - Repositories, instances and steps of other names are apart.
#[diagnostic::on_unimplemented(
    message = "`{Self}` keeps no ledger, so rows cannot be committed there exactly once",
    label = "not a database with a ledger",
    note = "`.transaction(&other)` takes the handle of a database; files, brokers and HTTP go with `.without_transaction()`"
)]
pub trait Ledger: Transactions {
    /// Takes the row at `key` for the step execution `holder`, and says what is in it.
    fn claim(&self, key: &LedgerKey, holder: i64) -> impl Future<Output = Result<LedgerState, Error>> + Send;

    /// Writes `entry` with the rows of `tx` and commits them.
    fn commit_with_ledger(
        &self,
        tx: Self::Tx,
        guard: &LedgerGuard,
        entry: &str,
    ) -> impl Future<Output = Result<(), CommitError>> + Send;
}

/// Whose row of a ledger.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LedgerKey {
    /// [`JobRepository::id`](crate::JobRepository::id): two repositories number their instances alike.
    pub repository: String,
    /// The job instance.
    pub instance: i64,
    /// The step's name.
    pub step: String,
}

/// What must still be true of a ledger's row for a commit to count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerGuard {
    /// Whose row.
    pub key: LedgerKey,
    /// The epoch of the last claim.
    pub epoch: i64,
    /// Commits of the ledger's row so far; its own count, which no repository can set back.
    pub commit_no: i64,
}

/// A ledger's row, just claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerState {
    /// The new epoch.
    pub epoch: i64,
    /// Commits so far.
    pub commit_no: i64,
    /// What the last of them wrote; none before the first.
    pub entry: Option<String>,
}

/// The ledger of the step under way, as the engine uses it. Made by `.transaction(&other)` of a chunk step.
#[async_trait]
pub trait StepLedger: Send + Sync {
    /// Takes the ledger for `step` of `instance`; returns the last commit in it.
    ///
    /// # Errors
    /// - `NotOwner`: a later step execution has taken it.
    /// - `NeedsOperator`: the entry cannot be read.
    async fn claim(&self, instance: i64, step: &StepExecution) -> Result<Option<LedgerEntry>, Error>;

    /// Finds out what became of a commit whose answer was lost: how many commits there are beyond those known before.
    ///
    /// # Errors
    /// `NotOwner` where a later step execution has taken the ledger.
    async fn resolve(&self) -> Result<i64, Error>;
}
