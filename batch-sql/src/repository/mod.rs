//! The job repository in SQL.

pub(crate) mod checkpoint;
mod explorer;
mod identity;
mod launch;
mod lease;
mod operate;
#[cfg(test)]
mod plans;
pub(crate) mod record;
mod step;
mod takeover;

use crate::{error::Fail, sqlite::Store};
use async_trait::async_trait;
use batch_core::{
    BatchStatus, Error, JobExplorer, JobRepository, Request, failpoint,
    repository::{Commit, CommitError, Guard, JobEnd, Launch, Launched, Lease, Resolved, StepEnd, StepStart, StepStarted},
};
use std::sync::{Arc, atomic::Ordering};

/// The repository of one SQLite database; each call is one short transaction on a connection of its own.
#[derive(Debug, Clone)]
pub(crate) struct SqliteRepository {
    store: Arc<Store>,
}

impl SqliteRepository {
    pub(crate) fn new(store: Arc<Store>) -> Self {
        Self { store }
    }
}

#[async_trait]
impl JobRepository for SqliteRepository {
    async fn id(&self) -> Result<String, Error> {
        let doing = self.store.error("asking for the repository's id");
        let mut session = self.store.begin(self.store.wait).await.map_err(&doing)?;
        let outcome = identity::id(&mut session, &self.store).await;
        session.end(outcome).await.map_err(&doing)
    }

    async fn launch(&self, launch: &Launch) -> Result<Launched, Error> {
        let store = &*self.store;
        let doing = store.error("launching the job");
        let mut session = match store.begin(store.launch_wait).await {
            Ok(session) => session,
            Err(fail) => return Err(launch::blocked(store, launch, fail).await),
        };
        // A refusal may have closed the execution of a dead owner first, so it is an answer, and is committed.
        let answer = launch::launch(&mut session, store, launch).await;
        let answer = session.end(answer).await.map_err(&doing)?;
        failpoint!("launch.claimed");
        if let Ok(launched) = &answer {
            lease::remember(store, launched.execution.id);
        }
        answer
    }

    async fn start_step(&self, start: &StepStart) -> Result<StepStarted, Error> {
        let doing = self.store.error("starting the step");
        let mut session = self.store.begin(self.store.wait).await.map_err(&doing)?;
        let outcome = step::start(&mut session, &self.store, start).await;
        let started = session.end(outcome).await.map_err(&doing)?;
        failpoint!("step.started");
        Ok(started)
    }

    async fn commit(&self, commit: &Commit) -> Result<Option<Request>, CommitError> {
        let mut session = self.store.begin(self.store.wait).await.map_err(|fail| match fail {
            Fail::Store(e) => CommitError::Refused(e.into()),
            Fail::Refused(e) => CommitError::Refused(e.into()),
        })?;
        match checkpoint::write(session.conn(), &self.store, commit, checkpoint::Place::Alone).await {
            Ok(request) => {
                session.end(Ok(request)).await.map_err(|fail| CommitError::Unknown(fail.into_error("committing").into()))
            }
            Err(refusal) => {
                session.undo().await;
                Err(refusal)
            }
        }
    }

    async fn resolve(&self, guard: &Guard) -> Result<Resolved, Error> {
        let doing = self.store.error("finding out what became of a commit");
        let mut session = self.store.begin(self.store.wait).await.map_err(&doing)?;
        let outcome = step::resolve(&mut session, guard).await;
        session.end(outcome).await.map_err(&doing)
    }

    async fn end_step(&self, end: &StepEnd) -> Result<(), Error> {
        failpoint!("step.ending");
        let doing = self.store.error("ending the step");
        let mut session = self.store.begin(self.store.wait).await.map_err(&doing)?;
        let outcome = step::end(&mut session, end).await;
        session.end(outcome).await.map_err(&doing)
    }

    async fn end_job(&self, end: &JobEnd) -> Result<(), Error> {
        failpoint!("job.ending");
        let doing = self.store.error("ending the job");
        let mut session = self.store.begin(self.store.wait).await.map_err(&doing)?;
        let outcome = launch::end(&mut session, end).await;
        session.end(outcome).await.map_err(&doing)?;
        self.store.renewed.lock().remove(&end.lease.execution);
        Ok(())
    }

    async fn renew(&self, lease: &Lease) -> Result<Option<Request>, Error> {
        let doing = self.store.error("renewing the lease");
        if self.store.chunk_open.load(Ordering::Relaxed) {
            let mut session = self.store.read().await.map_err(&doing)?;
            let outcome = lease::held(&mut session, lease).await;
            return session.end(outcome).await.map_err(&doing);
        }
        let mut session = self.store.begin(self.store.wait.min(lease.ttl / 3)).await.map_err(&doing)?;
        let outcome = lease::renew(&mut session, &self.store, lease).await;
        let request = session.end(outcome).await.map_err(&doing)?;
        lease::remember(&self.store, lease.execution);
        Ok(request)
    }

    async fn request(&self, execution: i64, request: Option<Request>) -> Result<(), Error> {
        let doing = self.store.error("asking something of an execution");
        let mut session = self.store.begin(self.store.wait).await.map_err(&doing)?;
        let outcome = operate::request(&mut session, &self.store, execution, request).await;
        session.end(outcome).await.map_err(&doing)
    }

    async fn abandon(&self, execution: i64) -> Result<BatchStatus, Error> {
        let doing = self.store.error("abandoning the execution");
        let mut session = self.store.begin(self.store.wait).await.map_err(&doing)?;
        let outcome = operate::abandon(&mut session, &self.store, execution).await;
        session.end(outcome).await.map_err(&doing)
    }

    fn explorer(&self) -> Arc<dyn JobExplorer> {
        Arc::new(self.clone())
    }
}
