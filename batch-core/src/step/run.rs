//! What a running step shares with its job.

use crate::{
    clock::Clock,
    control::{Allowance, Ending, StopHandle},
    error::{BoxError, Error, ErrorKind, Transient, caused_by, panicked},
    execution::{Checkpoint, Context, Counts, SkipRecord, StepExecution},
    listener::{ItemError, Listener},
    policy::Retry,
    repository::{Commit, CommitError, Guard, JobRepository, Lease, Request},
    transaction::Transactions,
};
use futures_util::FutureExt;
use std::{
    fmt,
    future::Future,
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// A started step execution and everything it reports to.
pub struct StepRun {
    pub(crate) job: String,
    pub(crate) instance: i64,
    pub(crate) execution: StepExecution,
    pub(crate) lease: Lease,
    pub(crate) repository: Arc<dyn JobRepository>,
    pub(crate) listeners: Listeners,
    pub(crate) control: StopHandle,
    pub(crate) allowance: Arc<Allowance>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl StepRun {
    /// What the next commit demands of the step's row.
    pub(crate) fn guard(&self) -> Guard {
        let step = &self.execution;
        Guard { step: step.id, epoch: step.epoch, commit_no: step.commit_no, lease: self.lease.clone() }
    }

    /// The commit of a chunk or turn that adds `added`.
    pub(crate) fn commit(&self, added: Counts, checkpoint: Checkpoint, context: Option<Context>, skips: Vec<SkipRecord>) -> Commit {
        let counts = self.execution.counts + added;
        Commit { guard: self.guard(), counts, added, checkpoint, context, skips, units: Vec::new(), at: self.clock.now() }
    }

    /// Takes over what was committed.
    pub(crate) fn committed(&mut self, commit: Commit) {
        let step = &mut self.execution;
        step.counts = Counts { rollbacks: step.counts.rollbacks, ..commit.counts };
        step.checkpoint = commit.checkpoint;
        step.commit_no += 1;
        step.last_updated = commit.at;
        if let Some(context) = commit.context {
            step.context = context;
        }
    }

    /// A failure of this step, saying where.
    pub(crate) fn error(&self, kind: ErrorKind, message: impl Into<String>) -> Error {
        Error::new(kind, message).with("job", &self.job).with("step", &self.execution.name)
    }

    /// `Err` where the run was asked to end for a reason that is a failure; `Ok(true)` where it was asked to stop.
    pub(crate) fn ending(&self) -> Result<bool, Error> {
        match self.control.ending() {
            None => Ok(false),
            Some(Ending::Stop) => Ok(true),
            Some(Ending::Lost) => Err(self.not_owner()),
            Some(Ending::Unreachable) => {
                let message = "the repository did not answer for as long as the lease lasts; what was committed is kept";
                Err(self.error(ErrorKind::Unavailable, message))
            }
            Some(Ending::TimedOut(limit)) => {
                Err(self.error(ErrorKind::Failed, format!("{limit}; what was committed is kept, launch again to go on")))
            }
        }
    }

    /// The error of one that was taken over.
    pub(crate) fn not_owner(&self) -> Error {
        self.error(ErrorKind::NotOwner, "the execution was taken over by another process; this one wrote nothing more")
    }

    /// Obeys what an operator asks, and waits while the run is paused.
    pub(crate) async fn obey(&self, request: Option<Request>) -> Result<(), Error> {
        let mut request = request;
        loop {
            match request {
                Some(Request::Stop) => {
                    self.control.stop();
                    return Ok(());
                }
                Some(Request::Pause) => {}
                None if self.control.is_paused() => {}
                None => return Ok(()),
            }
            self.control.sleep(Duration::from_millis(200)).await;
            if self.control.is_stopped() {
                return Ok(());
            }
            request = self.repository.renew(&self.lease).await?;
        }
    }

    /// Waits before another attempt; a stop ends the wait.
    pub(crate) async fn back_off(&self, retry: &Retry, made: u32) {
        self.control.sleep(retry.wait(made, fastrand::f64())).await;
    }
}

impl fmt::Debug for StepRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StepRun").field("job", &self.job).field("execution", &self.execution).finish_non_exhaustive()
    }
}

/// Whether a retry may cure the error: by its type, or by what the database says of it.
pub(crate) fn is_transient<T: Transactions>(transactions: &T, error: &BoxError) -> bool {
    caused_by::<Transient>(error, |_| true) || caused_by::<Error>(error, Error::is_transient) || transactions.is_transient(error)
}

/// What became of a commit.
pub(crate) enum Decided {
    /// It counts; an operator may ask something.
    Committed(Option<Request>),
    /// It does not count, and nothing of it is left.
    Undone { error: BoxError, transient: bool },
}

/// Settles a commit's outcome: a lost answer is decided by the repository, never guessed.
///
/// # Errors
/// The step is no longer ours, or the repository cannot say within the lease.
pub(crate) async fn decide_commit<T: Transactions>(
    run: &mut StepRun,
    transactions: &T,
    outcome: Result<Option<Request>, CommitError>,
) -> Result<Decided, Error> {
    let error = match outcome {
        Ok(request) => return Ok(Decided::Committed(request)),
        Err(CommitError::NotOwner) => return Err(run.not_owner()),
        Err(CommitError::Refused(error)) => {
            let transient = is_transient(transactions, &error);
            return Ok(Decided::Undone { error, transient });
        }
        Err(CommitError::Unknown(error)) => error,
    };
    tracing::warn!(%error, "the answer to a commit was lost");
    let (more, request) = match transactions.ledger() {
        Some(ledger) => (patiently(run, || ledger.resolve()).await?, None),
        None => resolve(run).await?,
    };
    match more {
        1 => Ok(Decided::Committed(request)),
        0 => Ok(Decided::Undone { error, transient: true }),
        _ => Err(run.not_owner()),
    }
}

/// Asks the repository how many commits there are beyond those known, which none in flight can change any more.
pub(super) async fn resolve(run: &mut StepRun) -> Result<(i64, Option<Request>), Error> {
    let guard = run.guard();
    let resolved = patiently(run, || run.repository.resolve(&guard)).await?;
    run.execution.epoch = resolved.epoch;
    Ok((resolved.commit_no - guard.commit_no, resolved.request))
}

/// Makes sure that the execution is still ours, once the writer's locks are taken: who was taken over before that, and whose
/// successor has died since, would otherwise undo what the successor committed.
///
/// # Errors
/// Kind `NotOwner` where it was taken over.
pub(crate) async fn demand_ours(run: &StepRun) -> Result<(), Error> {
    match patiently(run, || run.repository.renew(&run.lease)).await {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotOwner => Err(run.not_owner().because(error)),
        Err(error) => Err(error),
    }
}

/// Repeats a call to the repository while its error is transient, for as long as the lease lasts.
pub(super) async fn patiently<V, Fut: Future<Output = Result<V, Error>>>(
    run: &StepRun,
    call: impl Fn() -> Fut,
) -> Result<V, Error> {
    let mut patience = Patience::new(run);
    loop {
        match call().await {
            Err(e) if e.is_transient() && patience.wait(run).await => {}
            other => return other,
        }
    }
}

/// Waits between the tries of what must not be given up before the lease is over.
pub(super) struct Patience {
    ends: Duration,
    made: u32,
}

impl Patience {
    pub(super) fn new(run: &StepRun) -> Self {
        Self { ends: run.clock.uptime() + run.lease.ttl, made: 0 }
    }

    /// Waits a little; `false` where the lease's length has passed.
    pub(super) async fn wait(&mut self, run: &StepRun) -> bool {
        if run.clock.uptime() >= self.ends {
            return false;
        }
        self.made += 1;
        let retry = Retry::times(u32::MAX).exponential(Duration::from_millis(20));
        // Not `back_off`: an outcome is settled before a stop is obeyed.
        tokio::time::sleep(retry.wait(self.made, fastrand::f64()).min(Duration::from_secs(1))).await;
        true
    }
}

/// A listener's call; its panic is its error.
pub(crate) async fn caught<V>(call: impl Future<Output = Result<V, BoxError>>) -> Result<V, BoxError> {
    let caught = AssertUnwindSafe(call).catch_unwind().await;
    caught.unwrap_or_else(|panic| Err(panicked("the listener", panic.as_ref())))
}

/// The listeners of a step: the job's, then its own.
#[derive(Clone, Default)]
pub(crate) struct Listeners {
    all: Vec<Arc<dyn Listener>>,
    failed: Arc<AtomicU64>,
}

impl Listeners {
    pub(crate) fn add(&mut self, listener: Arc<dyn Listener>) {
        self.all.push(listener);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// In the order of declaration.
    pub(crate) fn each(&self) -> impl Iterator<Item = &Arc<dyn Listener>> {
        self.all.iter()
    }

    /// In reverse, for what comes after.
    pub(crate) fn back(&self) -> impl Iterator<Item = &Arc<dyn Listener>> {
        self.all.iter().rev()
    }

    pub(crate) fn on_error(&self, error: &ItemError<'_>) {
        self.all.iter().for_each(|l| l.on_error(error));
    }

    pub(crate) fn on_skip(&self, skips: &[SkipRecord]) {
        for skip in skips {
            self.all.iter().for_each(|l| l.on_skip(skip));
        }
    }

    /// Logs and counts an error of a listener that can change nothing any more.
    pub(crate) fn note<V>(&self, what: &str, result: Result<V, BoxError>) -> Option<V> {
        result
            .inspect_err(|error| {
                self.failed.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(%error, "a listener failed {what}, which changes nothing");
            })
            .ok()
    }

    /// How many errors were noted.
    pub(crate) fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }
}
