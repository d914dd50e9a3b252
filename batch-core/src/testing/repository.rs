//! The repository of scripted transactions: its commits without rows fail as the script says.

use super::{Call, Fault, Script, ScriptedFault};
use crate::{
    error::{BoxError, Error},
    execution::BatchStatus,
    repository::{
        Commit, CommitError, Guard, JobEnd, JobExplorer, JobRepository, Launch, Launched, Lease, Purge, Purged, Request, Resolved,
        StepEnd, StepStart, StepStarted,
    },
};
use async_trait::async_trait;
use std::sync::Arc;

#[derive(Debug)]
pub(super) struct ScriptedRepository {
    inner: Arc<dyn JobRepository>,
    script: Arc<Script>,
}

impl ScriptedRepository {
    pub(super) fn over(inner: Arc<dyn JobRepository>, script: &Arc<Script>) -> Arc<dyn JobRepository> {
        Arc::new(Self { inner, script: script.clone() })
    }
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

    async fn commit(&self, commit: &Commit) -> Result<Option<Request>, CommitError> {
        let Some(fault) = self.script.fault(Call::CommitAlone) else { return self.inner.commit(commit).await };
        let error = BoxError::from(ScriptedFault(fault));
        if fault == Fault::AloneLost {
            self.inner.commit(commit).await?;
        }
        Err(if fault == Fault::AloneTransient { CommitError::Refused(error) } else { CommitError::Unknown(error) })
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

    fn explorer(&self) -> Arc<dyn JobExplorer> {
        self.inner.explorer()
    }

    /// Renewals of the lease have no faults.
    fn apart(&self) -> Option<Arc<dyn JobRepository>> {
        self.inner.apart()
    }
}
