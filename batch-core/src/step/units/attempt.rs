//! One unit: attempts, each under its lock and in a transaction of its own, until one commits or none is left.

use super::{
    super::{
        StepRun,
        attempt::{Names, give_up, guarded},
        run::{Decided, decide_commit, is_transient},
        take_lock,
    },
    UnitFn, UnitOptions,
    keys::Unit,
};
use crate::{
    error::{BoxError, Error, ErrorKind, Result, chain, panicked},
    execution::{Checkpoint, Counts, Phase, SkipRecord, UnitRecord, UnitStatus},
    listener::ItemError,
    policy::Retry,
    repository::{Commit, HeldLock, Request, UnitStart},
    transaction::Transactions,
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

const NAMES: Names = Names { function: "the unit", call: "the unit" };

/// What runs units.
pub(super) struct Worker<T, F, K> {
    pub(super) transactions: T,
    pub(super) work: F,
    pub(super) options: UnitOptions<K>,
}

/// What became of a unit.
pub(super) enum Outcome {
    /// It is committed; an operator may ask something.
    Done(Option<Request>),
    /// It is recorded as failed.
    Failed(BoxError, Option<Request>),
    /// The run was asked to end between two attempts.
    Stopped,
}

enum Attempt {
    Committed(Option<Request>),
    Undone {
        error: BoxError,
        transient: bool,
    },
    /// The run was asked to end while it waited for the lock.
    Stopped,
}

impl<T, F, K> Worker<T, F, K>
where
    T: Transactions,
    F: for<'a> UnitFn<'a, T::Conn, K>,
    K: Clone + Send + Sync,
{
    /// Runs `unit` to its end; `checkpoint` is saved with it, whatever that is.
    pub(super) async fn run(&self, mut unit: Unit<K>, checkpoint: Checkpoint, run: &mut StepRun) -> Result<Outcome, Error> {
        let mut made = 0;
        loop {
            let (error, transient) = match self.attempt(&mut unit, &checkpoint, run).await? {
                Attempt::Committed(request) => return Ok(Outcome::Done(request)),
                Attempt::Undone { error, transient } => (error, transient),
                Attempt::Stopped => return Ok(Outcome::Stopped),
            };
            made += 1;
            run.execution.counts.rollbacks += 1;
            let number = Some(unit.number);
            run.listeners.on_error(&ItemError { phase: Phase::Process, number, line: None, error: &error });
            if !self.options.retry.again(made, &error, transient) {
                let error = self.transactions.explain(error);
                let request = self.record_failure(&unit, &error, checkpoint, run).await?;
                return Ok(Outcome::Failed(error, request));
            }
            run.back_off(&self.options.retry, made).await;
            if run.ending()? {
                return Ok(Outcome::Stopped);
            }
        }
    }

    /// One attempt, under the unit's lock where it has one.
    async fn attempt(&self, unit: &mut Unit<K>, checkpoint: &Checkpoint, run: &mut StepRun) -> Result<Attempt, Error> {
        let mut lock = match self.lock(unit, run).await {
            Ok(Some(lock)) => lock,
            Ok(None) => return Ok(Attempt::Stopped),
            Err(error) => return Ok(self.undone(error)),
        };
        let attempt = self.locked(unit, checkpoint, &mut lock, run).await;
        if let Some(lock) = lock {
            lock.release().await;
        }
        attempt
    }

    /// The unit's lock, where it needs one; `None` when the run was asked to end meanwhile.
    async fn lock(&self, unit: &Unit<K>, run: &StepRun) -> Result<Option<Option<Box<dyn HeldLock>>>> {
        let Some(name) = &self.options.lock else { return Ok(Some(None)) };
        let name = catch_unwind(AssertUnwindSafe(|| name(&unit.key)))
            .map_err(|panic| panicked("the function that names the lock", panic.as_ref()))?;
        let held = take_lock(run, &name, self.options.lock_wait).await?;
        Ok(held.map(Some))
    }

    async fn locked(
        &self,
        unit: &mut Unit<K>,
        checkpoint: &Checkpoint,
        lock: &mut Option<Box<dyn HeldLock>>,
        run: &mut StepRun,
    ) -> Result<Attempt, Error> {
        let record = match run.repository.start_unit(&start(unit, run)).await {
            Ok(record) => record,
            Err(error) if error.kind() == ErrorKind::NotOwner => return Err(run.not_owner().because(error)),
            Err(error) => return Ok(self.undone(error.into())),
        };
        unit.attempts = record.attempts;
        crate::failpoint!("unit.started");
        let mut tx = match self.transactions.begin().await {
            Ok(tx) => tx,
            Err(error) => return Ok(self.undone(error)),
        };
        let work = async { self.work.clone().call(T::conn(&mut tx), unit.key.clone()).await };
        if let Err(failure) = guarded(&NAMES, self.options.unit_limit, work).await {
            give_up(&self.transactions, tx, failure.connection_busy).await;
            return Ok(self.undone(failure.error));
        }
        crate::failpoint!("unit.worked");
        if let Some(lock) = lock
            && let Err(error) = lock.check().await
        {
            give_up(&self.transactions, tx, false).await;
            return Ok(Attempt::Undone { error: error.into(), transient: true });
        }
        let mut commit = run.commit(Counts { written: 1, ..tried() }, checkpoint.clone(), None, Vec::new());
        commit.units.push(record.succeeded(commit.at));
        let outcome = self.transactions.commit(tx, &commit).await;
        crate::failpoint!("unit.committed");
        match decide_commit(run, &self.transactions, outcome).await? {
            Decided::Committed(request) => {
                run.committed(commit);
                Ok(Attempt::Committed(request))
            }
            Decided::Undone { error, transient } => Ok(Attempt::Undone { error, transient }),
        }
    }

    /// Records a unit that was given up: its row and a skip record, in a commit of the repository alone.
    async fn record_failure(
        &self,
        unit: &Unit<K>,
        error: &BoxError,
        checkpoint: Checkpoint,
        run: &mut StepRun,
    ) -> Result<Option<Request>, Error> {
        let reason = chain(error.as_ref());
        let skip = SkipRecord {
            phase: Phase::Process,
            number: unit.number,
            line: None,
            byte: None,
            column: None,
            reason: reason.clone(),
            item: Some(unit.text.clone()),
        };
        let mut commit = run.commit(Counts { process_skips: 1, ..tried() }, checkpoint, None, vec![skip]);
        commit.units.push(failed(unit, reason, &commit, run));
        let request = self.record(&mut commit, run).await?;
        run.listeners.on_skip(&commit.skips);
        run.committed(commit);
        crate::failpoint!("unit.failed");
        Ok(request)
    }

    /// Commits by the repository alone, again where that may help, for as long as the lease lasts.
    async fn record(&self, commit: &mut Commit, run: &mut StepRun) -> Result<Option<Request>, Error> {
        let retry = Retry::times(u32::MAX).exponential(Duration::from_millis(20));
        let give_up = run.clock.uptime() + run.lease.ttl;
        for made in 1.. {
            commit.guard = run.guard();
            let outcome = run.repository.commit(commit).await;
            let (error, transient) = match decide_commit(run, &self.transactions, outcome).await? {
                Decided::Committed(request) => return Ok(request),
                Decided::Undone { error, transient } => (error, transient),
            };
            if !transient || run.clock.uptime() >= give_up {
                return Err(run.error(ErrorKind::Unavailable, "the failure of a unit cannot be recorded").because(error));
            }
            // A stop does not end this wait: what is known of the unit is recorded first.
            run.ending()?;
            tokio::time::sleep(retry.wait(made, fastrand::f64()).min(Duration::from_secs(1))).await;
        }
        Ok(None)
    }

    fn undone(&self, error: BoxError) -> Attempt {
        let transient = is_transient(&self.transactions, &error);
        Attempt::Undone { error, transient }
    }
}

/// What every unit that was tried counts.
fn tried() -> Counts {
    Counts { read: 1, commits: 1, ..Counts::default() }
}

fn start<K>(unit: &Unit<K>, run: &StepRun) -> UnitStart {
    UnitStart {
        lease: run.lease.clone(),
        instance: run.instance,
        step: run.execution.id,
        name: run.execution.name.clone(),
        key: unit.text.clone(),
        at: run.clock.now(),
    }
}

/// The row of a unit that failed; also of one whose lock was never free, and that never began.
fn failed<K>(unit: &Unit<K>, reason: String, commit: &Commit, run: &StepRun) -> UnitRecord {
    let record = UnitRecord {
        key: unit.text.clone(),
        status: UnitStatus::Fail,
        attempts: unit.attempts,
        error: None,
        step: run.execution.id,
        started: commit.at,
        ended: None,
    };
    record.failed(reason, commit.at)
}
