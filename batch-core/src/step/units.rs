//! A step of units of work: many small independent transactions, one for each key.

mod attempt;
mod keys;
mod run;

use super::{Ended, Step, StepRun, sealed::Sealed};
use crate::{
    error::{Error, Result},
    item::Reader,
    listener::Listener,
    policy::Retry,
    transaction::Transactions,
};
use futures_util::future::BoxFuture;
use serde::Serialize;
use std::{fmt, future::Future, sync::Arc, time::Duration};

/// An async function of a borrowed connection and a unit's key; implemented for closures and `async fn`s, never by hand.
#[diagnostic::on_unimplemented(
    message = "this is not a unit of work over `{C}` connections and `{K}` keys",
    label = "not `async fn(&mut {C}, {K}) -> Result<()>`",
    note = "write the argument types out: `async move |c: &mut {C}, key: {K}| ..`, or name an `async fn`"
)]
pub trait UnitFn<'a, C: 'a, K>: Clone + Send + Sync {
    /// The work of one unit.
    type Fut: Future<Output = Result<()>> + Send + 'a;

    /// Begins an attempt.
    fn call(self, conn: &'a mut C, key: K) -> Self::Fut;
}

impl<'a, C: 'a, K, F, Fut> UnitFn<'a, C, K> for F
where
    F: FnOnce(&'a mut C, K) -> Fut + Clone + Send + Sync,
    Fut: Future<Output = Result<()>> + Send + 'a,
{
    type Fut = Fut;

    fn call(self, conn: &'a mut C, key: K) -> Fut {
        self(conn, key)
    }
}

type LockName<K> = Arc<dyn Fn(&K) -> String + Send + Sync>;

/// A step that calls a function for each key of a reader, each in a transaction of its own: one that fails undoes no other. Made by
/// [`Scope::units`](crate::Scope::units).
///
/// ```
/// use batch_core::{BatchStatus, Job, JobExplorer, JobRepository, ListReader, Memory, Page, Parameters, Result, UnitStatus};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let database = Memory::new();
/// let job = Job::new("statistics", &database).step("users", |s| {
///     let users = ListReader::new(vec![1_i64, 2, 3]);
///     let count = async move |_: &mut (), user: i64| if user == 2 { Err("no such account".into()) } else { Ok(()) };
///     let mut step = s.units(users, count).lock(|user| format!("user {user}"));
///     if let Some(user) = s.parameter::<Option<i64>>("user")? {
///         step = step.only(vec![user]); // by hand: not identifying, set with `set_other`
///     }
///     Ok(step)
/// });
///
/// let run = job.run(Parameters::new().set("month", "2026-03")).await?;
/// assert_eq!(run.status, BatchStatus::Failed); // a launch with the same parameters runs user 2 alone
/// let failed = database.explorer().units(run.instance.id, "users", Some(UnitStatus::Fail), Page::all()).await?;
/// assert_eq!((failed.len(), failed[0].key.as_str(), failed[0].error.as_deref()), (1, "2", Some("no such account")));
/// # Ok(())
/// # }
/// ```
///
/// # Behavior
/// - The unit log has a row for each instance, step name and key, see [`UnitRecord`](crate::UnitRecord); a unit's SUCCESS is committed
///   in its own transaction. A key is told by its JSON, of at most 500 characters: the same key must give the same text in every try.
/// - Keys are read from the reader's beginning in every try, 500 at a time, while no transaction is open. Units that the log says are
///   done are passed over and do not count as read; a key that comes twice is run once.
/// - Each unit: its named lock is taken, the attempt is recorded as IN_PROGRESS where the execution is still ours, the transaction
///   begins, the function is called, the lock is checked, the transaction commits, the lock is released.
/// - A transient error, a lock that is held or was lost among them, is retried by the policy with nothing open. Any other error, or the
///   last one, rolls the unit back and records it as FAIL with a skip record of phase PROCESS, whose number is the key's place among the
///   keys and whose item is the key. A panic is such an error, and never retried. Then the next unit runs.
/// - So `read = written + process_skips`, and each unit is a commit. Listeners hear a unit as a chunk of one; its context is not changed.
/// - The step ends COMPLETED when all units are done, and FAILED after all were tried when some failed: a launch with the same parameters
///   runs those again, and no other. One that was IN_PROGRESS when its process died, or when it was stopped between two attempts, is
///   run again too. A stop, and a run's limit of records, end the step between units, STOPPED.
/// - With [`StepOptions::rerun`](crate::StepOptions::rerun) a completed step runs all units again; a try after a failed one goes on with it.
///
/// # Connections
/// One for the unit's transaction while it is open, those that the reader keeps ([`Reader::connections`]), and one outside the pool for
/// the lock while it is held, where the database's locks need one.
#[must_use = "a step of units does nothing until it is returned to `Job::step`"]
pub struct UnitStep<R: Reader, T, F> {
    keys: R,
    transactions: T,
    work: F,
    options: UnitOptions<R::Item>,
    listeners: Vec<Arc<dyn Listener>>,
}

/// How units are run.
struct UnitOptions<K> {
    lock: Option<LockName<K>>,
    lock_wait: Duration,
    retry: Retry,
    unit_limit: Option<Duration>,
    time_limit: Option<Duration>,
    max_failures: Option<u64>,
    only: Option<Vec<K>>,
}

impl<R: Reader, T, F> UnitStep<R, T, F> {
    pub(crate) fn new(transactions: T, keys: R, work: F) -> Self {
        let options = UnitOptions {
            lock: None,
            lock_wait: Duration::ZERO,
            retry: Retry::default(),
            unit_limit: None,
            time_limit: None,
            max_failures: None,
            only: None,
        };
        Self { keys, transactions, work, options, listeners: Vec::new() }
    }

    /// Runs each unit only while it holds the lock that `name` gives for its key; all jobs on the same repository share the names.
    /// Default: none.
    ///
    /// Locks are not reentrant: a unit whose lock is also the step's own ([`StepOptions::lock`](crate::StepOptions::lock)) is always
    /// refused.
    pub fn lock(mut self, name: impl Fn(&R::Item) -> String + Send + Sync + 'static) -> Self {
        self.options.lock = Some(Arc::new(name));
        self
    }

    /// How long an attempt waits for its lock. Default: not at all, so that a lock that somebody holds fails the attempt, which is then
    /// retried by the policy.
    pub fn lock_wait(mut self, wait: Duration) -> Self {
        self.options.lock_wait = wait;
        self
    }

    /// Repeats a failed attempt by this policy instead of the default one.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.options.retry = retry;
        self
    }

    /// Fails an attempt whose function takes longer; it is rolled back. Waiting for the lock does not count. Default: none.
    pub fn unit_limit(mut self, limit: Duration) -> Self {
        self.options.unit_limit = Some(limit);
        self
    }

    /// Fails the step when it takes longer in all; the current unit is ended first. Default: none.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.options.time_limit = Some(limit);
        self
    }

    /// Ends the step FAILED as soon as more than `units` failed in this try; the rest is left to the next one. Default: all are tried.
    pub fn max_failures(mut self, units: u64) -> Self {
        self.options.max_failures = Some(units);
        self
    }

    /// Runs these units alone, also those that succeeded before: the run by hand. Default: all that are not done.
    ///
    /// The step ends COMPLETED where no other unit is left to do, else STOPPED, so that a launch without `only` goes on with the rest.
    /// A key that the reader does not yield fails the step, kind `Configuration`, after the others were run.
    pub fn only(mut self, keys: Vec<R::Item>) -> Self {
        self.options.only = Some(keys);
        self
    }

    /// Adds a listener of this step.
    pub fn listener(mut self, listener: impl Listener) -> Self {
        self.listeners.push(Arc::new(listener));
        self
    }
}

impl<R: Reader, T, F> fmt::Debug for UnitStep<R, T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options = &self.options;
        f.debug_struct("UnitStep").field("locks", &options.lock.is_some()).field("retry", &options.retry).finish_non_exhaustive()
    }
}

impl<R: Reader, T, F> Sealed for UnitStep<R, T, F> {}

#[diagnostic::do_not_recommend]
impl<R, T, F> Step for UnitStep<R, T, F>
where
    R: Reader<Item: Serialize + Clone + Sync>,
    T: Transactions,
    F: for<'a> UnitFn<'a, T::Conn, R::Item> + 'static,
{
    fn run<'a>(self: Box<Self>, run: &'a mut StepRun) -> BoxFuture<'a, Result<Ended, Error>> {
        Box::pin(run::run(*self, run))
    }

    fn listeners(&mut self) -> Vec<Arc<dyn Listener>> {
        std::mem::take(&mut self.listeners)
    }

    fn time_limit(&self) -> Option<Duration> {
        self.options.time_limit
    }
}
