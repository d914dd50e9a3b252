//! The reference repository, in memory.

mod ending;
mod explorer;
mod launching;
mod ledger;
mod locks;
mod purging;
mod state;
mod stepping;
mod transactions;
mod units;

use super::{
    Commit, CommitError, Guard, JobEnd, JobExplorer, JobRepository, Launch, Launched, Lease, Locks, Purge, Purged, Request,
    Resolved, StepEnd, StepStart, StepStarted, UnitStart,
};
use crate::{
    clock::{Clock, SystemClock},
    error::Error,
    execution::{BatchStatus, UnitRecord},
};
use async_trait::async_trait;
use locks::LocalLocks;
use parking_lot::Mutex;
use state::{Now, State};
use std::{fmt, sync::Arc};

/// A repository that lives as long as the process: for tests, dry runs and jobs that need no restart after a crash.
///
/// Clones share one store. It is the reference of [`JobRepository`]'s behavior, and a [`Transactions`](crate::Transactions) whose
/// connection is `()`: a rollback undoes nothing that a writer did, so a chunk is written again by halves only where the writer
/// can rewind or is idempotent.
///
/// ```
/// # tokio_test(async {
/// use batch_core::{JobExplorer, JobRepository, Memory};
/// let repository = Memory::new();
/// assert!(repository.explorer().job_names().await?.is_empty());
/// # Ok(()) });
/// # fn tokio_test(test: impl Future<Output = Result<(), batch_core::Error>>) {
/// #     tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(test).unwrap();
/// # }
/// ```
#[derive(Clone)]
pub struct Memory {
    id: Arc<str>,
    state: Arc<Mutex<State>>,
    locks: LocalLocks,
    clock: Arc<dyn Clock>,
}

impl Memory {
    /// An empty repository on the machine's clocks.
    pub fn new() -> Self {
        Self::with_clock(SystemClock)
    }

    /// An empty repository that reads the time from `clock`: leases end by its uptime.
    pub fn with_clock(clock: impl Clock) -> Self {
        Self { id: super::random_id().into(), state: Arc::default(), locks: LocalLocks::default(), clock: Arc::new(clock) }
    }

    fn now(&self) -> Now {
        Now { wall: self.clock.now(), uptime: self.clock.uptime() }
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").field("clock", &self.clock).finish_non_exhaustive()
    }
}

#[async_trait]
impl JobRepository for Memory {
    async fn id(&self) -> Result<String, Error> {
        Ok(self.id.to_string())
    }

    async fn launch(&self, launch: &Launch) -> Result<Launched, Error> {
        self.state.lock().launch(launch, &self.now())
    }

    async fn start_step(&self, start: &StepStart) -> Result<StepStarted, Error> {
        self.state.lock().start_step(start, &self.now())
    }

    async fn start_unit(&self, start: &UnitStart) -> Result<UnitRecord, Error> {
        self.state.lock().start_unit(start)
    }

    async fn find_units(&self, instance: i64, step: &str, keys: &[String]) -> Result<Vec<UnitRecord>, Error> {
        self.state.lock().find_units(instance, step, keys)
    }

    async fn commit(&self, commit: &Commit) -> Result<Option<Request>, CommitError> {
        self.state.lock().commit(commit, &self.now())
    }

    async fn resolve(&self, guard: &Guard) -> Result<Resolved, Error> {
        self.state.lock().resolve(guard)
    }

    async fn end_step(&self, end: &StepEnd) -> Result<(), Error> {
        self.state.lock().end_step(end)
    }

    async fn end_job(&self, end: &JobEnd) -> Result<(), Error> {
        self.state.lock().end_job(end)
    }

    async fn renew(&self, lease: &Lease) -> Result<Option<Request>, Error> {
        self.state.lock().renew(lease, &self.now())
    }

    async fn request(&self, execution: i64, request: Option<Request>) -> Result<(), Error> {
        self.state.lock().request(execution, request, &self.now())
    }

    async fn abandon(&self, execution: i64) -> Result<BatchStatus, Error> {
        self.state.lock().abandon(execution, &self.now())
    }

    async fn purge(&self, purge: &Purge) -> Result<Purged, Error> {
        Ok(self.state.lock().purge(purge, &self.now()))
    }

    fn locks(&self) -> Arc<dyn Locks> {
        Arc::new(self.locks.clone())
    }

    fn explorer(&self) -> Arc<dyn JobExplorer> {
        Arc::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::Memory;
    use crate::{
        clock::{Clock, ManualClock},
        repository::conformance::Fixture,
        testing::Scripted,
    };
    use chrono::{DateTime, Utc};
    use std::time::Duration;

    struct InMemory(ManualClock, Memory);

    impl Fixture for InMemory {
        type Database = Scripted<Memory>;

        fn database(&self) -> Scripted<Memory> {
            Scripted::new(self.1.clone())
        }

        fn now(&self) -> DateTime<Utc> {
            self.0.now()
        }

        async fn advance(&self, by: Duration) {
            self.0.advance(by);
        }
    }

    async fn fresh() -> InMemory {
        let clock = ManualClock::at(Utc::now());
        InMemory(clock.clone(), Memory::with_clock(clock))
    }

    crate::conformance_tests!(fresh());
}
