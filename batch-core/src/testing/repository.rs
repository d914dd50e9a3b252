//! The repository behind scripted transactions.

use super::{Call, Fault, Script, ScriptedFault};
use crate::{
    error::{BoxError, Error, ErrorKind},
    execution::{BatchStatus, UnitRecord},
    repository::{
        Commit, CommitError, Guard, HeldLock, JobEnd, JobExplorer, JobRepository, Launch, Launched, Lease, Locks, Purge, Purged,
        Request, Resolved, StepEnd, StepStart, StepStarted, UnitStart,
    },
};
use async_trait::async_trait;
use std::{sync::Arc, time::Duration};

/// A repository, and its locks, that fail where the script says.
#[derive(Debug, Clone)]
pub(super) struct ScriptedRepository {
    pub(super) inner: Arc<dyn JobRepository>,
    pub(super) script: Arc<Script>,
}

fn unavailable(fault: Fault) -> Error {
    Error::new(ErrorKind::Unavailable, "the repository did not answer").transient().because(ScriptedFault(fault))
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl JobRepository for ScriptedRepository {
    async fn id(&self) -> Result<String, Error> {
        self.inner.id().await
    }

    async fn launch(&self, launch: &Launch) -> Result<Launched, Error> {
        self.inner.launch(launch).await
    }

    async fn start_step(&self, start: &StepStart) -> Result<StepStarted, Error> {
        self.inner.start_step(start).await
    }

    async fn start_unit(&self, start: &UnitStart) -> Result<UnitRecord, Error> {
        let fault = self.script.fault(Call::StartUnit);
        match fault {
            Some(fault) => Err(unavailable(fault)),
            None => self.inner.start_unit(start).await,
        }
    }

    async fn find_units(&self, instance: i64, step: &str, keys: &[String]) -> Result<Vec<UnitRecord>, Error> {
        self.inner.find_units(instance, step, keys).await
    }

    async fn commit(&self, commit: &Commit) -> Result<Option<Request>, CommitError> {
        let fault = self.script.fault(Call::Record);
        let Some(fault) = fault else { return self.inner.commit(commit).await };
        let error = BoxError::from(ScriptedFault(fault));
        match fault {
            Fault::RecordLost => {
                self.inner.commit(commit).await?;
                Err(CommitError::Unknown(error))
            }
            Fault::RecordUnsent => Err(CommitError::Unknown(error)),
            _ => Err(CommitError::Refused(error)),
        }
    }

    async fn resolve(&self, guard: &Guard) -> Result<Resolved, Error> {
        self.inner.resolve(guard).await
    }

    async fn end_step(&self, end: &StepEnd) -> Result<(), Error> {
        self.inner.end_step(end).await
    }

    async fn end_job(&self, end: &JobEnd) -> Result<(), Error> {
        self.inner.end_job(end).await
    }

    async fn renew(&self, lease: &Lease) -> Result<Option<Request>, Error> {
        self.inner.renew(lease).await
    }

    async fn request(&self, execution: i64, request: Option<Request>) -> Result<(), Error> {
        self.inner.request(execution, request).await
    }

    async fn abandon(&self, execution: i64) -> Result<BatchStatus, Error> {
        self.inner.abandon(execution).await
    }

    async fn purge(&self, purge: &Purge) -> Result<Purged, Error> {
        self.inner.purge(purge).await
    }

    fn locks(&self) -> Arc<dyn Locks> {
        Arc::new(ScriptedLocks { inner: self.inner.locks(), script: self.script.clone() })
    }

    fn explorer(&self) -> Arc<dyn JobExplorer> {
        self.inner.explorer()
    }

    /// Renewals of the lease have no faults.
    fn apart(&self) -> Option<Arc<dyn JobRepository>> {
        self.inner.apart()
    }
}

#[derive(Debug)]
struct ScriptedLocks {
    inner: Arc<dyn Locks>,
    script: Arc<Script>,
}

#[async_trait]
impl Locks for ScriptedLocks {
    async fn acquire(&self, name: &str, wait: Duration) -> Result<Box<dyn HeldLock>, Error> {
        let inner = self.inner.acquire(name, wait).await?;
        Ok(Box::new(ScriptedLock { inner, script: self.script.clone() }))
    }
}

#[derive(Debug)]
struct ScriptedLock {
    inner: Box<dyn HeldLock>,
    script: Arc<Script>,
}

#[async_trait]
impl HeldLock for ScriptedLock {
    async fn check(&mut self) -> Result<(), Error> {
        let fault = self.script.fault(Call::CheckLock);
        match fault {
            Some(fault) => Err(Error::new(ErrorKind::Failed, "the lock was lost").transient().because(ScriptedFault(fault))),
            None => self.inner.check().await,
        }
    }

    async fn release(self: Box<Self>) {
        self.inner.release().await;
    }
}
