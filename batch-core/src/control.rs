//! Asking a running job to end, wait or go on.

use parking_lot::Mutex;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// A handle by which other tasks, and signals, stop or pause a run of a job in this process.
///
/// Operators of other processes use [`JobOperator`](crate::JobOperator), which reaches the run with its next commit.
#[derive(Debug, Clone, Default)]
pub struct StopHandle(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    token: CancellationToken,
    ending: Mutex<Option<Ending>>,
    paused: AtomicBool,
    resumed: Notify,
}

/// Why a run ends early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Somebody asked.
    Stop,
    /// Another process took over.
    Lost,
    /// The lease is over, and the repository did not answer since.
    Unreachable,
    /// A time limit passed; which.
    TimedOut(String),
}

impl StopHandle {
    /// A handle that asks nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends the run after the current chunk, or the tasklet's current turn: STOPPED, restartable. What was read ahead is dropped, and a
    /// wait between attempts ends.
    pub fn stop(&self) {
        self.end(Ending::Stop);
    }

    /// Waits after the current chunk, with nothing open, until [`Self::resume`] or [`Self::stop`].
    pub fn pause(&self) {
        self.0.paused.store(true, Ordering::Relaxed);
    }

    /// Goes on.
    pub fn resume(&self) {
        self.0.paused.store(false, Ordering::Relaxed);
        self.0.resumed.notify_waiters();
    }

    /// Whether the run was asked to end.
    pub fn is_stopped(&self) -> bool {
        self.0.token.is_cancelled()
    }

    pub(crate) fn end(&self, ending: Ending) {
        self.0.ending.lock().get_or_insert(ending);
        self.0.token.cancel();
    }

    pub(crate) fn ending(&self) -> Option<Ending> {
        if self.is_stopped() { self.0.ending.lock().clone() } else { None }
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.0.paused.load(Ordering::Relaxed)
    }

    /// A token that is cancelled with the run, and alone.
    pub(crate) fn child(&self) -> CancellationToken {
        self.0.token.child_token()
    }

    /// Completes when the run is asked to end.
    pub(crate) async fn ended(&self) {
        self.0.token.cancelled().await;
    }

    /// Waits, but not longer than until the run is asked to end or resumed.
    pub(crate) async fn sleep(&self, wait: Duration) {
        if wait.is_zero() {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = self.ended() => {}
            () = self.0.resumed.notified() => {}
        }
    }

    /// Ends the run with `ending` when `limit` has passed, unless the guard is dropped before.
    pub(crate) fn deadline(&self, limit: Option<Duration>, ending: impl FnOnce(Duration) -> Ending + Send + 'static) -> Deadline {
        let handle = self.clone();
        Deadline(limit.map(|limit| {
            tokio::spawn(async move {
                tokio::time::sleep(limit).await;
                handle.end(ending(limit));
            })
        }))
    }
}

/// A time limit that counts while it is held.
#[derive(Debug)]
pub(crate) struct Deadline(Option<tokio::task::JoinHandle<()>>);

impl Drop for Deadline {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

/// How many more records a run may read; none is without limit.
#[derive(Debug)]
pub(crate) struct Allowance(Option<AtomicU64>);

impl Allowance {
    pub(crate) fn new(limit: Option<u64>) -> Self {
        Self(limit.map(AtomicU64::new))
    }

    /// What is left; `u64::MAX` without limit.
    pub(crate) fn left(&self) -> u64 {
        self.0.as_ref().map_or(u64::MAX, |left| left.load(Ordering::Relaxed))
    }

    /// Gives back what was spent on records that are read again.
    pub(crate) fn refund(&self, records: u64) {
        if let Some(left) = &self.0 {
            left.fetch_add(records, Ordering::Relaxed);
        }
    }

    pub(crate) fn spend(&self, records: u64) {
        if let Some(left) = &self.0 {
            left.fetch_sub(records.min(left.load(Ordering::Relaxed)), Ordering::Relaxed);
        }
    }
}
