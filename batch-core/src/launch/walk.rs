//! From step to step.

use super::{Running, lock::StepLock, persist::persist};
use crate::{
    control::Ending,
    error::{Error, ErrorKind, panicked},
    execution::{BatchStatus, ExitStatus, StepExecution},
    job::Node,
    repository::{StepEnd, StepStart, StepStarted},
    scope::Scope,
    step::{Ended, Step, StepRun, caught},
    transaction::Transactions,
};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio_util::task::AbortOnDropHandle;
use tracing::{Instrument, instrument::WithSubscriber};

impl<D: Transactions + Clone> Running<'_, D> {
    /// Runs the steps in order, to the first that does not complete.
    pub(super) async fn walk(&mut self) -> Result<Ended, Error> {
        let job = self.job;
        for node in &job.nodes {
            match self.control.ending() {
                None => {}
                Some(Ending::Stop) => return Ok(Ended::Stopped),
                Some(Ending::Lost) => {
                    return Err(self.error(ErrorKind::NotOwner, "the execution was taken over by another process", node));
                }
                Some(Ending::Unreachable) => {
                    return Err(self.error(
                        ErrorKind::Unavailable,
                        "the repository did not answer for as long as the lease lasts",
                        node,
                    ));
                }
                Some(Ending::TimedOut(limit)) => return Err(self.error(ErrorKind::Failed, &limit, node)),
            }
            let Some(step) = self.start(node).await? else { continue };
            let span = tracing::info_span!("step", name = node.name, execution = step.id);
            if self.step(node, step).instrument(span).await? == Ended::Stopped {
                return Ok(Ended::Stopped);
            }
        }
        Ok(Ended::Completed)
    }

    /// Records the start of a step; `None` when an earlier try completed it.
    async fn start(&self, node: &Node<D>) -> Result<Option<StepExecution>, Error> {
        let start = StepStart {
            lease: self.lease.clone(),
            instance: self.execution.instance.id,
            name: node.name.clone(),
            start_limit: node.options.start_limit,
            rerun: node.options.rerun,
        };
        let started =
            persist(&*self.job.clock, self.lease.ttl, || self.repository.start_step(&start), || self.begun(&node.name)).await;
        match started.map_err(|e| e.with("job", &self.job.name).with("step", &node.name))? {
            StepStarted::Started(step) => Ok(Some(*step)),
            StepStarted::Complete(step) => {
                tracing::info!(step = node.name, execution = step.execution_id, "an earlier try completed the step");
                Ok(None)
            }
            StepStarted::LimitReached(limit) => {
                let message = format!("start limit exceeded: the step may be started {limit} times in all");
                Err(self.error(ErrorKind::Failed, &message, node))
            }
        }
    }

    /// The step of this execution that is under way, where the answer to its start was lost.
    async fn begun(&self, name: &str) -> Option<StepStarted> {
        let steps = self.repository.explorer().steps(self.lease.execution).await.ok()?;
        steps.into_iter().find(|s| s.name == name && s.status.is_active()).map(|s| StepStarted::Started(Box::new(s)))
    }

    /// Whether the step was ended so, where the answer to its end was lost.
    async fn step_ended(&self, step: i64, status: BatchStatus) -> Option<()> {
        let steps = self.repository.explorer().steps(self.lease.execution).await.ok()?;
        steps.iter().any(|s| s.id == step && s.status == status).then_some(())
    }

    async fn step(&mut self, node: &Node<D>, execution: StepExecution) -> Result<Ended, Error> {
        crate::failpoint!("step.started");
        let run = StepRun {
            job: self.job.name.clone(),
            instance: self.execution.instance.id,
            execution,
            lease: self.lease.clone(),
            repository: self.repository.clone(),
            listeners: self.listeners.clone(),
            control: self.control.clone(),
            allowance: self.allowance.clone(),
            clock: self.job.clock.clone(),
        };
        let mut lock = match StepLock::take(&node.options, &run).await {
            Ok(Some(lock)) => lock,
            Ok(None) => {
                let outcome = run.ending().map(|_| Ended::Stopped);
                return self.end_step(run, outcome).await;
            }
            Err(error) => return self.end_step(run, Err(error)).await,
        };
        let (run, outcome) = self.work(node, run).await;
        let outcome = lock.check(outcome, &run).await;
        let ended = self.end_step(run, outcome).await;
        lock.release().await;
        ended
    }

    /// Makes the step and runs it; once more where the database went back in a crash, from the checkpoint that is left.
    async fn work(&self, node: &Node<D>, run: StepRun) -> (StepRun, Result<Ended, Error>) {
        let step = match self.make(node, &run) {
            Ok(step) => step,
            Err(error) => return (run, Err(error)),
        };
        let _deadline =
            run.control.deadline(step.time_limit(), |limit| Ending::TimedOut(format!("the step took longer than {limit:?}")));
        let (mut run, mut ended) = on_a_worker(step, run, true).await;
        while matches!(ended, Ok(Ended::Rewound)) {
            match self.make(node, &run) {
                Ok(step) => (run, ended) = on_a_worker(step, run, false).await,
                Err(error) => return (run, Err(error)),
            }
        }
        (run, ended)
    }

    /// Builds the step from what is known now.
    fn make(&self, node: &Node<D>, run: &StepRun) -> Result<Box<dyn Step>, Error> {
        let mut context = self.context.clone();
        context.merge(&run.execution.context);
        let scope = Scope {
            database: self.job.database.clone(),
            parameters: self.parameters.clone(),
            context,
            step: node.name.clone(),
            execution_id: run.execution.execution_id,
            step_execution_id: run.execution.id,
        };
        let made = std::panic::catch_unwind(AssertUnwindSafe(|| (node.make)(&scope)));
        made.unwrap_or_else(|panic| Err(panicked("its factory", panic.as_ref()))).map_err(|error| {
            let kind = error.downcast_ref::<Error>().map_or(ErrorKind::Failed, Error::kind);
            self.error(kind, "the step cannot be built", node).because(error)
        })
    }

    async fn end_step(&mut self, mut run: StepRun, outcome: Result<Ended, Error>) -> Result<Ended, Error> {
        if outcome.as_ref().is_err_and(|e| e.kind() == ErrorKind::NotOwner) {
            return outcome;
        }
        let (status, mut exit_status) = match &outcome {
            Ok(Ended::Completed) => (BatchStatus::Completed, BatchStatus::Completed.into()),
            Ok(Ended::Stopped | Ended::Rewound) => (BatchStatus::Stopped, BatchStatus::Stopped.into()),
            Err(error) => (BatchStatus::Failed, ExitStatus::new("FAILED", &error.report())),
        };
        run.execution.status = status;
        run.execution.exit_status = exit_status.clone();
        for listener in run.listeners.back() {
            let said = caught(listener.after_step(&run.execution)).await;
            if let Some(Some(own)) = run.listeners.note("after a step", said) {
                exit_status = own;
            }
        }
        let promoted = status == BatchStatus::Completed && !run.execution.context.is_empty();
        if promoted {
            self.context.merge(&run.execution.context);
        }
        let at = self.job.clock.now();
        let end = StepEnd {
            guard: run.guard(),
            status,
            exit_status: exit_status.clone(),
            counts: run.execution.counts,
            job_context: promoted.then(|| self.context.clone()),
            at,
        };
        crate::failpoint!("step.ending");
        let ended = persist(
            &*self.job.clock,
            self.lease.ttl,
            || self.repository.end_step(&end),
            || self.step_ended(end.guard.step, status),
        )
        .await;
        crate::failpoint!("step.ended");
        (run.execution.exit_status, run.execution.ended, run.execution.last_updated) = (exit_status, Some(at), at);
        self.execution.steps.push(run.execution);
        self.execution.context = self.context.clone();
        outcome.and_then(|outcome| ended.map(|()| outcome))
    }

    fn error(&self, kind: ErrorKind, message: &str, node: &Node<D>) -> Error {
        Error::new(kind, message).with("job", &self.job.name).with("step", &node.name)
    }
}

/// Runs the step on a task of its own where there are worker threads: the thread that waits for a whole runtime is woken for each answer of
/// a database by another one, while a worker waits for it itself.
async fn on_a_worker(step: Box<dyn Step>, mut run: StepRun, first: bool) -> (StepRun, Result<Ended, Error>) {
    let work = async move {
        let ended = guarded(step, &mut run, first).await;
        (run, ended)
    };
    if Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread {
        return work.await;
    }
    match AbortOnDropHandle::new(tokio::spawn(work.in_current_span().with_current_subscriber())).await {
        Ok(done) => done,
        Err(lost) => match lost.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is being shut down, and this task with it.
            Err(_) => std::future::pending().await,
        },
    }
}

/// Runs the step; a panic in it that nothing closer catches (a listener, a writer that flushes) is its failure.
async fn guarded(step: Box<dyn Step>, run: &mut StepRun, first: bool) -> Result<Ended, Error> {
    let running = async { if first { enter(step, run).await } else { step.run(run).await } };
    let caught = AssertUnwindSafe(running).catch_unwind().await;
    caught.unwrap_or_else(|panic| Err(run.error(ErrorKind::Failed, "the step broke off").because(panicked("it", panic.as_ref()))))
}

async fn enter(mut step: Box<dyn Step>, run: &mut StepRun) -> Result<Ended, Error> {
    for listener in step.listeners() {
        run.listeners.add(listener);
    }
    for listener in run.listeners.each() {
        listener
            .before_step(&run.execution)
            .await
            .map_err(|e| run.error(ErrorKind::Failed, "a listener failed before the step").because(e))?;
    }
    step.run(run).await
}
