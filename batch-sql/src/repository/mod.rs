//! The job repository in SQL.

pub(crate) mod checkpoint;
mod explorer;
mod identity;
mod launch;
pub(crate) mod lease;
mod operate;
pub(crate) mod owners;
#[cfg(test)]
mod plans;
mod purge;
mod record;
mod step;
mod takeover;
pub(crate) mod unit;

use crate::{
    error::{Class, Fail, Outcome, class, is_deadlock},
    session::Session,
    store::Store,
};
use async_trait::async_trait;
use batch_core::{
    BatchStatus, Error, JobExplorer, JobRepository, Locks, Request, UnitRecord, failpoint,
    repository::{
        Commit, CommitError, Guard, JobEnd, Launch, Launched, Lease, Purge, Purged, Resolved, StepEnd, StepStart, StepStarted,
        UnitStart,
    },
};
use std::sync::Arc;

/// Tries of a launch that is chosen to give way, or whose connection is lost: its answer is recognised by its token.
const TRIES: u32 = 10;

/// The repository of one database; each call is one short transaction on a connection of its own.
#[derive(Debug, Clone)]
pub(crate) struct SqlRepository {
    store: Arc<dyn Store>,
}

impl SqlRepository {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    async fn launch_once(&self, launch: &Launch) -> Outcome<Result<Launched, Error>> {
        let store = &*self.store;
        launch::launch(store.begin(store.launch_wait()).await?, store, launch).await
    }

    async fn begin(&self) -> Outcome<Session> {
        self.store.begin(self.store.wait()).await
    }
}

/// Whether a launch that failed so is begun again.
fn is_repeated(fail: &Fail, tried: u32) -> bool {
    matches!(fail, Fail::Store(e) if is_deadlock(e) || (class(e) == Class::Lost && tried == 1))
}

#[async_trait]
impl JobRepository for SqlRepository {
    async fn id(&self) -> Result<String, Error> {
        let doing = self.store.error("asking for the repository's id");
        let mut session = self.begin().await.map_err(&doing)?;
        let outcome = identity::id(&mut session, &*self.store).await;
        session.end(outcome).await.map_err(&doing)
    }

    async fn launch(&self, launch: &Launch) -> Result<Launched, Error> {
        let mut tried = 0;
        let answer = loop {
            tried += 1;
            match self.launch_once(launch).await {
                Ok(answer) => break answer,
                Err(fail) if tried < TRIES && is_repeated(&fail, tried) => {}
                Err(fail) => return Err(self.store.blocked(launch, fail).await),
            }
        };
        failpoint!("launch.claimed");
        if let Ok(launched) = &answer {
            self.store.holds(launched.execution.id, launch.ttl);
        }
        answer
    }

    async fn start_step(&self, start: &StepStart) -> Result<StepStarted, Error> {
        let doing = self.store.error("starting the step");
        let session = self.begin().await.map_err(&doing)?;
        let started = step::start(session, &*self.store, start).await.map_err(&doing)?;
        failpoint!("step.started");
        Ok(started)
    }

    async fn start_unit(&self, start: &UnitStart) -> Result<UnitRecord, Error> {
        let doing = self.store.error("starting a unit");
        let mut session = self.begin().await.map_err(&doing)?;
        let outcome = unit::start(&mut session, start).await;
        session.end(outcome).await.map_err(&doing)
    }

    async fn find_units(&self, instance: i64, step: &str, keys: &[String]) -> Result<Vec<UnitRecord>, Error> {
        let doing = self.store.error("looking units up");
        let mut session = self.store.read().await.map_err(&doing)?;
        let outcome = unit::find(&mut session, instance, step, keys).await;
        session.end(outcome).await.map_err(&doing)
    }

    async fn commit(&self, commit: &Commit) -> Result<Option<Request>, CommitError> {
        self.store.commit(commit).await
    }

    async fn resolve(&self, guard: &Guard) -> Result<Resolved, Error> {
        let doing = self.store.error("finding out what became of a commit");
        let mut session = self.begin().await.map_err(&doing)?;
        let outcome = step::resolve(&mut session, guard).await;
        session.end(outcome).await.map_err(&doing)
    }

    async fn end_step(&self, end: &StepEnd) -> Result<(), Error> {
        failpoint!("step.ending");
        let doing = self.store.error("ending the step");
        let mut session = self.begin().await.map_err(&doing)?;
        let outcome = step::end(&mut session, end).await;
        session.end(outcome).await.map_err(&doing)
    }

    async fn end_job(&self, end: &JobEnd) -> Result<(), Error> {
        failpoint!("job.ending");
        let doing = self.store.error("ending the job");
        let mut session = self.begin().await.map_err(&doing)?;
        let outcome = launch::end(&mut session, end).await;
        session.end(outcome).await.map_err(&doing)?;
        self.store.released(end.lease.execution);
        Ok(())
    }

    async fn renew(&self, lease: &Lease) -> Result<Option<Request>, Error> {
        let doing = self.store.error("renewing the lease");
        if self.store.is_locked_by_chunk() {
            let session = self.store.read().await.map_err(&doing)?;
            return lease::held(session, lease).await.map_err(&doing);
        }
        // A renewal that a crash of the server takes back makes the lease end sooner, which its owner notices.
        let session = self.store.begin_lightly(self.store.wait().min(lease.ttl / 3)).await.map_err(&doing)?;
        let request = lease::renew(session, self.store.timing(), lease).await.map_err(&doing)?;
        self.store.holds(lease.execution, lease.ttl);
        Ok(request)
    }

    async fn request(&self, execution: i64, request: Option<Request>) -> Result<(), Error> {
        let doing = self.store.error("asking something of an execution");
        let mut session = self.begin().await.map_err(&doing)?;
        let outcome = operate::request(&mut session, &*self.store, execution, request).await;
        session.end(outcome).await.map_err(&doing)
    }

    async fn abandon(&self, execution: i64) -> Result<BatchStatus, Error> {
        let doing = self.store.error("abandoning the execution");
        let mut session = self.begin().await.map_err(&doing)?;
        let outcome = operate::abandon(&mut session, &*self.store, execution).await;
        session.end(outcome).await.map_err(&doing)
    }

    async fn purge(&self, purge: &Purge) -> Result<Purged, Error> {
        let doing = self.store.error("deleting history");
        let mut session = self.begin().await.map_err(&doing)?;
        let outcome = purge::purge(&mut session, &*self.store, purge).await;
        session.end(outcome).await.map_err(&doing)
    }

    fn locks(&self) -> Arc<dyn Locks> {
        self.store.clone().locks()
    }

    fn explorer(&self) -> Arc<dyn JobExplorer> {
        Arc::new(self.clone())
    }

    fn apart(&self) -> Option<Arc<dyn JobRepository>> {
        Some(Arc::new(Self::new(self.store.apart()?)))
    }
}
