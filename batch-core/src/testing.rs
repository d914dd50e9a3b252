//! For tests of one's own: faults where and when a script says.
//!
//! Together with [`ListReader`](crate::ListReader), [`ListWriter`](crate::ListWriter), [`Memory`](crate::Memory) and
//! [`ManualClock`](crate::ManualClock) it tests a job's restart without a database. The suites that backends and readers pass are
//! [`repository::conformance`](crate::repository::conformance) and [`item::reader_conformance`](crate::item::reader_conformance).

mod repository;

use crate::{
    error::{BoxError, Error, ErrorKind, Result, caused_by},
    repository::{Commit, CommitError, JobRepository, Request},
    transaction::{Ledger, LedgerGuard, LedgerKey, LedgerState, Overlap, StepLedger, Transactions},
};
use parking_lot::Mutex;
use repository::ScriptedRepository;
use std::{error::Error as StdError, fmt, future::Future, sync::Arc};
use tokio::sync::Notify;

/// Transactions that fail where a script says, and are `D`'s own elsewhere.
///
/// ```
/// use batch_core::{Memory, testing::{Fault, Scripted}};
/// // The first commit is refused, the answer to the third is lost.
/// let database = Scripted::new(Memory::new()).fail(1, Fault::CommitTransient).fail(3, Fault::CommitLost);
/// # let _ = database;
/// ```
///
/// Clones share the script. A commit that is made to fail without having been done is rolled back first.
#[derive(Debug, Clone)]
pub struct Scripted<D> {
    inner: D,
    connections: Option<usize>,
    script: Arc<Script>,
}

#[derive(Debug, Default)]
struct Script {
    faults: Mutex<Vec<(usize, Fault)>>,
    calls: Mutex<Vec<Call>>,
    stuck: Notify,
}

/// A way to fail; each names the call it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// No transaction begins; transient, as a pool's time-out is.
    Begin,
    /// No savepoint is set: the transaction is gone.
    Savepoint,
    /// Releasing a savepoint finds a violated constraint.
    Release,
    /// Going back to a savepoint fails: the transaction is gone.
    RollbackTo,
    /// The commit is refused and nothing is committed; transient, as a deadlock is.
    CommitTransient,
    /// The commit is refused and nothing is committed; a data error, as a violated deferred constraint is.
    CommitData,
    /// The commit is done, but its answer is lost.
    CommitLost,
    /// The commit is not done, and nobody says so.
    CommitUnsent,
    /// The commit is done, and the call never returns: a run that is dropped there was killed just after a commit. See
    /// [`Scripted::stuck`].
    CommitStuck,
    /// The ledger is not taken; transient.
    Claim,
    /// The start of a unit's attempt is not recorded; transient.
    StartUnit,
    /// A named lock is found lost when it is checked; transient.
    LockLost,
    /// A commit of the repository alone is refused and nothing is committed; transient.
    RecordTransient,
    /// A commit of the repository alone is done, but its answer is lost.
    RecordLost,
    /// A commit of the repository alone is not done, and nobody says so.
    RecordUnsent,
}

/// A call of [`Transactions`], of a [`Ledger`], of the [`JobRepository`] behind, or of a named lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Call {
    /// [`Transactions::begin`]
    Begin,
    /// [`Transactions::savepoint`]
    Savepoint,
    /// [`Transactions::release`]
    Release,
    /// [`Transactions::rollback_to`]
    RollbackTo,
    /// [`Transactions::commit`], [`Ledger::commit_with_ledger`]
    Commit,
    /// [`Transactions::rollback`]
    Rollback,
    /// [`Transactions::abandon`]
    Abandon,
    /// [`Ledger::claim`]
    Claim,
    /// [`JobRepository::start_unit`]
    StartUnit,
    /// [`HeldLock::check`](crate::repository::HeldLock::check)
    CheckLock,
    /// [`JobRepository::commit`]
    Record,
}

impl Fault {
    /// The call that fails so.
    pub fn call(self) -> Call {
        match self {
            Self::Begin => Call::Begin,
            Self::Savepoint => Call::Savepoint,
            Self::Release => Call::Release,
            Self::RollbackTo => Call::RollbackTo,
            Self::CommitTransient | Self::CommitData | Self::CommitLost | Self::CommitUnsent | Self::CommitStuck => Call::Commit,
            Self::Claim => Call::Claim,
            Self::StartUnit => Call::StartUnit,
            Self::LockLost => Call::CheckLock,
            Self::RecordTransient | Self::RecordLost | Self::RecordUnsent => Call::Record,
        }
    }

    /// Whether [`Transactions::is_transient`] holds for its error.
    pub fn is_transient(self) -> bool {
        !matches!(self, Self::Release | Self::CommitData)
    }
}

/// The error of a fault that a script asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScriptedFault(pub Fault);

impl fmt::Display for ScriptedFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "scripted fault {:?}", self.0)
    }
}

impl StdError for ScriptedFault {}

impl<D: Transactions + Clone> Scripted<D> {
    /// `inner` without faults.
    pub fn new(inner: D) -> Self {
        let connections = inner.connections();
        Self { inner, connections, script: Arc::default() }
    }

    /// Says that a step's parts share so many connections, as they do of a small pool.
    pub fn sharing(mut self, connections: usize) -> Self {
        self.connections = Some(connections);
        self
    }

    /// Lets the `nth` call of the fault's kind fail, counted from 1 over all clones and from the beginning.
    pub fn fail(self, nth: usize, fault: Fault) -> Self {
        self.script.faults.lock().push((nth, fault));
        self
    }

    /// Every call made so far, in order.
    pub fn calls(&self) -> Vec<Call> {
        self.script.calls.lock().clone()
    }

    /// Completes when a call got stuck, as [`Fault::CommitStuck`] asks for.
    pub async fn stuck(&self) {
        self.script.stuck.notified().await;
    }

    /// The transactions without faults.
    pub fn inner(&self) -> &D {
        &self.inner
    }

    fn pass(&self, call: Call) -> Result<()> {
        self.script.fault(call).map_or(Ok(()), |fault| Err(ScriptedFault(fault).into()))
    }

    /// A commit as the script wants it; `commit` does it.
    async fn committed<V, Done>(&self, tx: D::Tx, commit: impl FnOnce(D::Tx) -> Done) -> Result<V, CommitError>
    where
        Done: Future<Output = Result<V, CommitError>>,
    {
        let Some(fault) = self.script.fault(Call::Commit) else { return commit(tx).await };
        let error = BoxError::from(ScriptedFault(fault));
        if matches!(fault, Fault::CommitLost | Fault::CommitStuck) {
            commit(tx).await?;
            if fault == Fault::CommitStuck {
                self.script.stuck.notify_one();
                std::future::pending::<()>().await;
            }
            return Err(CommitError::Unknown(error));
        }
        self.inner.rollback(tx).await.map_err(CommitError::Unknown)?;
        Err(if fault == Fault::CommitUnsent { CommitError::Unknown(error) } else { CommitError::Refused(error) })
    }
}

impl Script {
    /// Notes the call, and says how it fails.
    fn fault(&self, call: Call) -> Option<Fault> {
        let mut calls = self.calls.lock();
        calls.push(call);
        let nth = calls.iter().filter(|c| **c == call).count();
        self.faults.lock().iter().find(|(n, fault)| *n == nth && fault.call() == call).map(|(_, fault)| *fault)
    }
}

#[deny(clippy::missing_trait_methods)]
impl<D: Transactions + Clone> Transactions for Scripted<D> {
    type Conn = D::Conn;
    type Tx = D::Tx;

    async fn begin(&self) -> Result<D::Tx> {
        self.pass(Call::Begin)?;
        self.inner.begin().await
    }

    async fn begin_late(&self) -> Result<D::Tx> {
        self.pass(Call::Begin)?;
        self.inner.begin_late().await
    }

    fn conn(tx: &mut D::Tx) -> &mut D::Conn {
        D::conn(tx)
    }

    async fn savepoint(&self, tx: &mut D::Tx) -> Result<()> {
        self.pass(Call::Savepoint)?;
        self.inner.savepoint(tx).await
    }

    async fn release(&self, tx: &mut D::Tx, check: bool) -> Result<()> {
        self.pass(Call::Release)?;
        self.inner.release(tx, check).await
    }

    async fn rollback_to(&self, tx: &mut D::Tx) -> Result<()> {
        self.pass(Call::RollbackTo)?;
        self.inner.rollback_to(tx).await
    }

    async fn commit(&self, tx: D::Tx, commit: &Commit) -> Result<Option<Request>, CommitError> {
        self.committed(tx, |tx| self.inner.commit(tx, commit)).await
    }

    async fn rollback(&self, tx: D::Tx) -> Result<()> {
        self.pass(Call::Rollback)?;
        self.inner.rollback(tx).await
    }

    async fn abandon(&self, tx: D::Tx) {
        let _ = self.script.fault(Call::Abandon);
        self.inner.abandon(tx).await;
    }

    fn is_transient(&self, error: &BoxError) -> bool {
        caused_by::<ScriptedFault>(error, |e| e.0.is_transient()) || self.inner.is_transient(error)
    }

    fn is_fatal(&self, error: &BoxError) -> bool {
        self.inner.is_fatal(error)
    }

    fn explain(&self, error: BoxError) -> BoxError {
        self.inner.explain(error)
    }

    fn repository(&self) -> Arc<dyn JobRepository> {
        Arc::new(ScriptedRepository { inner: self.inner.repository(), script: self.script.clone() })
    }

    fn ledger(&self) -> Option<&dyn StepLedger> {
        self.inner.ledger()
    }

    fn relaxed(&self) -> Option<Self> {
        Some(Self { inner: self.inner.relaxed()?, ..self.clone() })
    }

    fn overlap(&self) -> Option<Overlap> {
        self.inner.overlap()
    }

    fn undoes_writes(&self) -> bool {
        self.inner.undoes_writes()
    }

    fn is_dry_run(&self) -> bool {
        self.inner.is_dry_run()
    }

    fn connections(&self) -> Option<usize> {
        self.connections
    }
}

impl<D: Ledger + Clone> Ledger for Scripted<D> {
    async fn claim(&self, key: &LedgerKey, holder: i64) -> Result<LedgerState, Error> {
        self.pass(Call::Claim).map_err(|e| Error::new(ErrorKind::Unavailable, "the ledger is not taken").because(e).transient())?;
        self.inner.claim(key, holder).await
    }

    async fn commit_with_ledger(&self, tx: D::Tx, guard: &LedgerGuard, entry: &str) -> Result<(), CommitError> {
        self.committed(tx, |tx| self.inner.commit_with_ledger(tx, guard, entry)).await
    }
}

#[cfg(test)]
mod tests;
