//! A step of turns: an async function that borrows the connection and the context.

use super::{
    Ended, Step, StepRun,
    attempt::{Names, give_up, guarded},
    run::{Decided, decide_commit, is_transient},
    sealed::Sealed,
};
use crate::{
    error::{BoxError, Error, ErrorKind, Result},
    execution::{Checkpoint, Context, Counts},
    listener::Listener,
    policy::Retry,
    repository::Request,
    transaction::Transactions,
};
use futures_util::future::BoxFuture;
use std::{fmt, future::Future, sync::Arc, time::Duration};

const NAMES: Names = Names { function: "the tasklet", call: "the turn" };

/// Whether a tasklet wants another turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// The step is done.
    Finished,
    /// Another turn, in a transaction of its own.
    Again,
}

impl From<()> for Repeat {
    fn from((): ()) -> Self {
        Self::Finished
    }
}

/// An async function of a borrowed connection and context; implemented for closures and `async fn`s, never by hand.
#[diagnostic::on_unimplemented(
    message = "this is not a tasklet over `{C}` connections",
    label = "not `async fn(&mut {C}, &mut Context) -> Result<()>`",
    note = "write the argument types out: `async move |c: &mut {C}, cx: &mut Context| ..`, or name an `async fn`"
)]
pub trait WorkFn<'a, C: 'a>: Clone + Send + Sync {
    /// `()` or [`Repeat`].
    type Out: Into<Repeat> + Send;
    /// The turn.
    type Fut: Future<Output = Result<Self::Out>> + Send + 'a;

    /// Begins a turn.
    fn call(self, conn: &'a mut C, context: &'a mut Context) -> Self::Fut;
}

impl<'a, C: 'a, F, Fut, O> WorkFn<'a, C> for F
where
    F: FnOnce(&'a mut C, &'a mut Context) -> Fut + Clone + Send + Sync,
    Fut: Future<Output = Result<O>> + Send + 'a,
    O: Into<Repeat> + Send,
{
    type Out = O;
    type Fut = Fut;

    fn call(self, conn: &'a mut C, context: &'a mut Context) -> Fut {
        self(conn, context)
    }
}

/// A step that calls a function until it is finished, one transaction a turn. Made by [`Scope::tasklet`](crate::Scope::tasklet).
#[must_use = "a tasklet does nothing until it is returned to `Job::step`"]
pub struct TaskletStep<T, F> {
    transactions: T,
    work: F,
    retry: Retry,
    turn_limit: Option<Duration>,
    time_limit: Option<Duration>,
    listeners: Vec<Arc<dyn Listener>>,
}

impl<T, F> TaskletStep<T, F> {
    pub(crate) fn new(transactions: T, work: F) -> Self {
        Self { transactions, work, retry: Retry::default(), turn_limit: None, time_limit: None, listeners: Vec::new() }
    }

    /// Repeats a failed turn by this policy instead of the default one.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Fails the step when one turn takes longer; its transaction is rolled back.
    pub fn turn_limit(mut self, limit: Duration) -> Self {
        self.turn_limit = Some(limit);
        self
    }

    /// Fails the step when it takes longer in all; the current turn is ended first.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = Some(limit);
        self
    }

    /// Adds a listener of this step.
    pub fn listener(mut self, listener: impl Listener) -> Self {
        self.listeners.push(Arc::new(listener));
        self
    }
}

impl<T, F> fmt::Debug for TaskletStep<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskletStep").field("retry", &self.retry).finish_non_exhaustive()
    }
}

impl<T, F> Sealed for TaskletStep<T, F> {}

impl<T: Transactions, F: for<'a> WorkFn<'a, T::Conn> + 'static> Step for TaskletStep<T, F> {
    fn run<'a>(self: Box<Self>, run: &'a mut StepRun) -> BoxFuture<'a, Result<Ended, Error>> {
        Box::pin(async move { self.turns(run).await })
    }

    fn listeners(&mut self) -> Vec<Arc<dyn Listener>> {
        std::mem::take(&mut self.listeners)
    }

    fn time_limit(&self) -> Option<Duration> {
        self.time_limit
    }
}

impl<T: Transactions, F: for<'a> WorkFn<'a, T::Conn> + 'static> TaskletStep<T, F> {
    async fn turns(&self, run: &mut StepRun) -> Result<Ended, Error> {
        if run.execution.checkpoint.reader == finished() {
            return Ok(Ended::Completed);
        }
        let mut made = 0;
        loop {
            if run.ending()? {
                return Ok(Ended::Stopped);
            }
            match self.turn(run).await? {
                Turn::Done(Repeat::Finished, _) => return Ok(Ended::Completed),
                Turn::Done(Repeat::Again, request) => {
                    made = 0;
                    run.obey(request).await?;
                    tokio::task::yield_now().await;
                }
                Turn::Undone { error, transient } => {
                    made += 1;
                    run.execution.counts.rollbacks += 1;
                    if !self.retry.again(made, &error, transient) {
                        return Err(run.error(ErrorKind::Failed, "the tasklet failed").because(self.transactions.explain(error)));
                    }
                    run.back_off(&self.retry, made).await;
                }
            }
        }
    }

    async fn turn(&self, run: &mut StepRun) -> Result<Turn, Error> {
        let mut context = run.execution.context.clone();
        let mut tx = match self.transactions.begin().await {
            Ok(tx) => tx,
            Err(error) => return Ok(self.undone(error)),
        };
        let work = async { self.work.clone().call(T::conn(&mut tx), &mut context).await };
        let worked = guarded(&NAMES, self.turn_limit, work).await.map(Into::into);
        let repeat = match worked {
            Ok(repeat) => repeat,
            Err(failure) => {
                give_up(&self.transactions, tx, failure.connection_busy).await;
                return Ok(self.undone(failure.error));
            }
        };
        let mut checkpoint = run.execution.checkpoint.clone();
        checkpoint.version = Checkpoint::VERSION;
        if repeat == Repeat::Finished {
            checkpoint.reader = finished();
        }
        let commit = run.commit(Counts { commits: 1, ..Counts::default() }, checkpoint, Some(context), Vec::new());
        let outcome = self.transactions.commit(tx, &commit).await;
        match decide_commit(run, &self.transactions, outcome).await? {
            Decided::Committed(request) => {
                run.committed(commit);
                Ok(Turn::Done(repeat, request))
            }
            Decided::Undone { error, transient } => Ok(Turn::Undone { error, transient }),
        }
    }

    fn undone(&self, error: BoxError) -> Turn {
        let transient = is_transient(&self.transactions, &error);
        Turn::Undone { error, transient }
    }
}

/// What the last turn's commit leaves where a chunk step keeps its reader's position: a process that dies before the step is
/// recorded as COMPLETED must not have the turn repeated.
fn finished() -> serde_json::Value {
    "finished".into()
}

enum Turn {
    Done(Repeat, Option<Request>),
    Undone { error: BoxError, transient: bool },
}
