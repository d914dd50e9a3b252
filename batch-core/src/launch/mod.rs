//! Parameters to instance to execution to steps to final status: a straight line.

mod job;
mod keeper;
mod lock;
mod persist;
mod restart;
mod signal;
mod walk;

use crate::{
    control::{Allowance, Ending, StopHandle},
    error::Error,
    execution::{BatchStatus, Context, ExitStatus, JobExecution, Parameters},
    job::Job,
    repository::{JobEnd, JobRepository, Launch, Lease, Owner},
    step::{Ended, Listeners, caught},
    transaction::Transactions,
};
pub use job::exit_code;
use keeper::Keeper;
use persist::persist;
use std::sync::Arc;
use tracing::Instrument;

/// What a person reads of an execution that was stopped.
const STOPPED: &str = "ended before its end; launch again with the same parameters to go on";

/// One run of a job, about to begin. Made by [`Job::launch`].
#[must_use = "a run does nothing until `.run()` is awaited"]
#[derive(Debug)]
pub struct Run<'a, D> {
    job: &'a Job<D>,
    parameters: Parameters,
    stop: StopHandle,
    limit: Option<u64>,
    signals: bool,
    /// Name and key of another instance than the parameters say.
    instance: Option<(String, String)>,
}

impl<'a, D: Transactions + Clone> Run<'a, D> {
    pub(crate) fn new(job: &'a Job<D>, parameters: Parameters) -> Self {
        Self { job, parameters, stop: StopHandle::new(), limit: None, signals: false, instance: None }
    }

    /// Lets `handle` stop, pause and resume this run.
    pub fn stop_handle(mut self, handle: &StopHandle) -> Self {
        self.stop = handle.clone();
        self
    }

    /// Reads at most so many records in all, then ends STOPPED: another run goes on there.
    pub fn limit(mut self, records: u64) -> Self {
        self.limit = Some(records);
        self
    }

    /// Runs as the instance `key` of a job `name`, instead of that of the job's own name and its identifying parameters: for trials,
    /// which neither go on from a real run of the job nor are gone on from by one. A new `key` begins from the beginning.
    pub fn instance(mut self, name: impl Into<String>, key: impl Into<String>) -> Self {
        self.instance = Some((name.into(), key.into()));
        self
    }

    /// Ends the run after the current chunk at SIGTERM or Ctrl-C, and the process with code 130 at the second one.
    pub fn stop_on_signals(mut self) -> Self {
        self.signals = true;
        self
    }

    /// Runs the job to its end.
    ///
    /// # Errors
    /// As for [`Job::run`].
    pub async fn run(self) -> Result<JobExecution, Error> {
        let job = self.job;
        job.check()?;
        if let Some(rules) = &job.rules {
            rules.check(&self.parameters).map_err(|e| e.with("job", &job.name))?;
        }
        let _signals = self.signals.then(|| signal::listen(&self.stop));
        let owner = Owner::current();
        let _held = owner.hold();
        let repository = job.database.repository();
        let (job_name, job_key) = self.instance.unwrap_or_else(|| (job.name.clone(), self.parameters.key_as(job.key_format)));
        let launch =
            Launch { job_name, job_key, parameters: self.parameters.stored(), owner, ttl: job.lease, restartable: job.restartable };
        let launched = repository.launch(&launch).await.map_err(|e| e.with("job", &job.name))?;
        crate::failpoint!("launch.claimed");
        if let Some(gone) = &launched.taken_over {
            tracing::warn!(
                job = job.name,
                execution = gone.execution,
                owner = gone.owner,
                reason = gone.reason,
                "took over from an owner that is gone"
            );
        }
        let lease = Lease { execution: launched.execution.id, token: launch.owner.token.clone(), ttl: job.lease };
        let _keeper = Keeper::start(repository.clone(), lease.clone(), self.stop.clone());
        let _deadline = self.stop.deadline(job.time_limit, |limit| Ending::TimedOut(format!("the job took longer than {limit:?}")));
        let span = tracing::info_span!("job", name = job.name, execution = launched.execution.id);
        let running = Running {
            job,
            repository,
            lease,
            control: self.stop,
            allowance: Arc::new(Allowance::new(self.limit)),
            parameters: self.parameters,
            listeners: job.listeners.iter().cloned().fold(Listeners::default(), |mut all, l| {
                all.add(l);
                all
            }),
            context: launched.execution.context.clone(),
            execution: launched.execution,
        };
        running.run().instrument(span).await
    }
}

/// A run under way.
pub(super) struct Running<'a, D> {
    job: &'a Job<D>,
    repository: Arc<dyn JobRepository>,
    lease: Lease,
    control: StopHandle,
    allowance: Arc<Allowance>,
    parameters: Parameters,
    listeners: Listeners,
    /// What completed steps saved.
    context: Context,
    execution: JobExecution,
}

impl<D: Transactions + Clone> Running<'_, D> {
    async fn run(mut self) -> Result<JobExecution, Error> {
        let outcome = match self.before().await {
            Ok(()) => self.walk().await,
            Err(error) => Err(error),
        };
        let (status, exit_status) = match &outcome {
            Ok(Ended::Completed) => (BatchStatus::Completed, BatchStatus::Completed.into()),
            Ok(Ended::Stopped | Ended::Rewound) => (BatchStatus::Stopped, ExitStatus::new("STOPPED", STOPPED)),
            Err(error) if error.kind() == crate::ErrorKind::NotOwner => return Err(self.lost(outcome)),
            Err(error) => (BatchStatus::Failed, ExitStatus::new("FAILED", &error.report())),
        };
        self.end(status, exit_status).await?;
        let error = outcome.err();
        self.after().await;
        match error {
            // The kinds that only an operator can act on keep their exit code; the execution is recorded as FAILED all the same.
            Some(error) if error.kind() != crate::ErrorKind::Failed => Err(error),
            _ => Ok(self.execution),
        }
    }

    async fn before(&self) -> Result<(), Error> {
        for listener in self.listeners.each() {
            caught(listener.before_job(&self.execution)).await.map_err(|e| {
                Error::new(crate::ErrorKind::Failed, "a listener failed before the job").with("job", &self.job.name).because(e)
            })?;
        }
        Ok(())
    }

    async fn after(&self) {
        for listener in self.listeners.back() {
            self.listeners.note("after the job", caught(listener.after_job(&self.execution)).await);
        }
        if self.listeners.failed() > 0 {
            tracing::warn!(failed = self.listeners.failed(), "errors of listeners were noted");
        }
    }

    async fn end(&mut self, status: BatchStatus, exit_status: ExitStatus) -> Result<(), Error> {
        crate::failpoint!("job.ending");
        let at = self.job.clock.now();
        let end = JobEnd { lease: self.lease.clone(), status, exit_status: exit_status.clone(), at };
        let ended = persist(&*self.job.clock, self.lease.ttl, || self.repository.end_job(&end), || self.ended(status)).await;
        ended.map_err(|e| e.with("job", &self.job.name))?;
        crate::failpoint!("job.ended");
        let execution = &mut self.execution;
        (execution.status, execution.exit_status, execution.ended, execution.last_updated) = (status, exit_status, Some(at), at);
        Ok(())
    }

    /// Whether the execution was ended so, where the answer to its end was lost.
    async fn ended(&self, status: BatchStatus) -> Option<()> {
        let stored = self.repository.explorer().execution(self.lease.execution).await.ok()?;
        (stored.status == status).then_some(())
    }

    fn lost(&self, outcome: Result<Ended, Error>) -> Error {
        tracing::error!(execution = self.execution.id, "the execution was taken over by another process");
        match outcome {
            Err(error) => error,
            Ok(_) => Error::new(crate::ErrorKind::NotOwner, "the execution was taken over by another process"),
        }
    }
}
