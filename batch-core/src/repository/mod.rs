//! What the engine writes, and the contract of a place to keep it.

mod commit;
pub mod conformance;
mod explorer;
mod launch;
mod lock;
mod memory;
mod operator;
mod owner;
mod purge;

use crate::{
    error::Error,
    execution::{BatchStatus, UnitRecord},
};
use async_trait::async_trait;
use std::sync::Arc;

pub use commit::{Commit, CommitError, Guard, Resolved};
pub use explorer::{JobExplorer, Page};
pub use launch::{JobEnd, Launch, Launched, StepEnd, StepStart, StepStarted, TakenOver, UnitStart};
pub use lock::{HeldLock, Locks};
pub use memory::Memory;
pub use operator::JobOperator;
pub use owner::{Living, Owner};
pub use purge::{Purge, Purged};

/// Keeps instances, executions, checkpoints and leases, so that a job that failed, was stopped or was killed can go on.
///
/// Every backend passes the public suite in [`conformance`].
///
/// # Behavior
/// - At most one execution of an instance is active, whoever launches at the same time.
/// - `launch` refuses with kind `AlreadyRunning`, `AlreadyComplete` or `NeedsOperator`; each names the execution and what to do.
/// - `launch` takes over from an owner that is provably gone, or whose lease is over: it closes the old execution and its steps
///   as FAILED and raises their epoch before it reads a checkpoint.
/// - `start_step`, `start_unit`, `commit`, `end_step` and `end_job` do nothing and report "not the owner" once the execution was taken
///   over.
/// - `start_step` inserts the inherited checkpoint, context and commit number with the new row.
/// - A `commit` writes counts, checkpoint, context, skip records and the log of units together, or nothing.
/// - `renew` revives a lease that is over and that nobody took.
/// - The cost of each call does not depend on the length of the history.
/// - Errors of the store itself have kind `Unavailable`, and are transient where waiting may help.
#[async_trait]
pub trait JobRepository: std::fmt::Debug + Send + Sync + 'static {
    /// What tells this repository from every other, in ledgers of other databases: made at random with the repository, and kept with
    /// it. A copy of the repository has the same.
    async fn id(&self) -> Result<String, Error>;

    /// Finds or creates the instance and begins a new execution of it, with its lease.
    async fn launch(&self, launch: &Launch) -> Result<Launched, Error>;

    /// Begins a step execution with what the last try of it left, or says why it does not begin.
    async fn start_step(&self, start: &StepStart) -> Result<StepStarted, Error>;

    /// Begins an attempt at a unit: writes its row IN_PROGRESS and counts the attempt, where the execution is ours and active; returns
    /// the row. An answer that was lost may count one attempt too many.
    async fn start_unit(&self, start: &UnitStart) -> Result<UnitRecord, Error>;

    /// What the unit log of a step says of `keys`, some hundreds at a time, in any order; those that never began are left out.
    async fn find_units(&self, instance: i64, step: &str, keys: &[String]) -> Result<Vec<UnitRecord>, Error>;

    /// Commits a chunk of a step whose rows are in no transaction of this repository.
    async fn commit(&self, commit: &Commit) -> Result<Option<Request>, CommitError>;

    /// Finds out what became of a commit whose answer was lost: raises the step's epoch, which waits for a commit in flight,
    /// then reads its commit number. Kind `NotOwner` where the step is no longer ours.
    async fn resolve(&self, guard: &Guard) -> Result<Resolved, Error>;

    /// Ends a step execution.
    async fn end_step(&self, end: &StepEnd) -> Result<(), Error>;

    /// Ends a job execution and gives up its lease.
    async fn end_job(&self, end: &JobEnd) -> Result<(), Error>;

    /// Renews the lease; `Err` of kind `NotOwner` once the execution was closed or taken over.
    async fn renew(&self, lease: &Lease) -> Result<Option<Request>, Error>;

    /// Asks something of an active execution, or takes the question back with `None`. Kind `NotFound`, or `Configuration` where
    /// the execution is not active.
    async fn request(&self, execution: i64, request: Option<Request>) -> Result<(), Error>;

    /// Gives up an execution that is not active, so that its instance is never restarted; returns the status it had. Kind
    /// `AlreadyRunning` for an active one.
    async fn abandon(&self, execution: i64) -> Result<BatchStatus, Error>;

    /// Deletes one batch of what `purge` means, and says how much that was; in a dry run counts all of it. The instances are locked
    /// against launches while they are deleted.
    async fn purge(&self, purge: &Purge) -> Result<Purged, Error>;

    /// Named locks that everybody shares who uses the same store.
    fn locks(&self) -> Arc<dyn Locks>;

    /// The reading side.
    fn explorer(&self) -> Arc<dyn JobExplorer>;

    /// The same repository on connections of its own, for a thread with a runtime of its own: the one that renews the lease. Default:
    /// none is needed, since the calls depend on no runtime.
    fn apart(&self) -> Option<Arc<dyn JobRepository>> {
        None
    }
}

/// A new [`JobRepository::id`].
pub fn random_id() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// What identifies an owner's hold on an execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The execution held.
    pub execution: i64,
    /// Random token of the owner.
    pub token: String,
    /// How long a renewal lasts.
    pub ttl: std::time::Duration,
}

/// What an operator asks of an active execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Request {
    /// End after the current chunk, restartable.
    Stop,
    /// Wait after the current chunk, until the request is taken back.
    Pause,
}

impl Request {
    /// The word stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "STOP",
            Self::Pause => "PAUSE",
        }
    }

    /// Reads the stored word; anything else asks nothing.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Stop, Self::Pause].into_iter().find(|r| r.as_str() == word)
    }
}
