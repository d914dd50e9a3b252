//! Connections that are lent to one borrower each.

use crate::{
    error::{Class, class},
    sql::{Answer, Link},
};
use parking_lot::Mutex;
use std::{
    fmt,
    future::Future,
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A connection with what belongs to it.
pub(crate) trait Live: Sized + Send + 'static {
    /// The driver's connection.
    type Conn: Link;
    /// How to open one.
    type Options: Clone + Send + Sync + 'static;

    /// Opens a connection.
    fn open(options: &Self::Options) -> impl Future<Output = Result<Self, sqlx::Error>> + Send;

    /// The connection itself.
    fn conn(&mut self) -> &mut Self::Conn;

    /// Closes it and waits for that; a statement that still runs is interrupted.
    fn close(self) -> impl Future<Output = ()> + Send;
}

/// A place for so many connections, each opened when it is first needed and again after one was dropped; borrowers queue.
pub(crate) struct Slot<L: Live> {
    options: Arc<L::Options>,
    idle: Arc<Mutex<Vec<L>>>,
    permits: Arc<Semaphore>,
}

impl<L: Live> Slot<L> {
    /// As many connections as borrowers.
    pub(crate) const MANY: usize = Semaphore::MAX_PERMITS;

    pub(crate) fn new(options: L::Options, connections: usize) -> Self {
        Self { options: Arc::new(options), idle: Arc::default(), permits: Arc::new(Semaphore::new(connections)) }
    }

    /// Borrows a connection; `None` when others kept them longer than `limit`.
    pub(crate) async fn lend(&self, limit: Duration) -> Result<Option<Lent<L>>, sqlx::Error> {
        // The semaphore is never closed.
        let Some(Ok(permit)) = within(limit, self.permits.clone().acquire_owned()).await else { return Ok(None) };
        let idle = self.idle.lock().pop();
        let kept = idle.is_some();
        let live = match idle {
            Some(live) => live,
            None => L::open(&self.options).await?,
        };
        Ok(Some(Lent { live, kept, options: self.options.clone(), idle: self.idle.clone(), permit }))
    }

    /// Takes a connection that was opened elsewhere.
    pub(crate) fn keep(&self, live: L) {
        self.idle.lock().push(live);
    }

    /// Closes the connections that nobody borrows at the moment.
    pub(crate) async fn close(&self) {
        let idle = std::mem::take(&mut *self.idle.lock());
        for live in idle {
            live.close().await;
        }
    }
}

impl<L: Live> fmt::Debug for Slot<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").finish_non_exhaustive()
    }
}

/// A borrowed connection. Dropped, it takes the connection with it: whatever was open on it is undone by the database.
pub(crate) struct Lent<L: Live> {
    live: L,
    /// Whether it was open before, so that the server may have closed it meanwhile.
    kept: bool,
    options: Arc<L::Options>,
    idle: Arc<Mutex<Vec<L>>>,
    permit: OwnedSemaphorePermit,
}

impl<L: Live> Lent<L> {
    pub(crate) fn conn(&mut self) -> &mut L::Conn {
        self.live.conn()
    }

    pub(crate) fn live(&self) -> &L {
        &self.live
    }

    pub(crate) fn live_mut(&mut self) -> &mut L {
        &mut self.live
    }

    pub(crate) fn was_kept(&self) -> bool {
        self.kept
    }

    /// Runs the first text since it was lent. One that lay idle may have been closed by the server: another is opened in its place then.
    pub(crate) async fn first(&mut self, text: Arc<str>) -> Result<Answer, sqlx::Error> {
        match self.conn().script(text.clone()).await {
            Err(e) if self.kept && class(&e) == Class::Lost => {
                self.live = L::open(&self.options).await?;
                self.kept = false;
                self.conn().script(text).await
            }
            sent => sent,
        }
    }

    /// Returns a connection with nothing open on it.
    pub(crate) fn give_back(self) {
        let Self { live, idle, permit, .. } = self;
        idle.lock().push(live);
        drop(permit);
    }

    /// Closes the connection and waits for that.
    pub(crate) async fn close(self) {
        self.live.close().await;
    }
}

/// Awaits `future` for at most `limit` of real time; tokio's clock may be paused by a test.
pub(crate) async fn within<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    let begun = Instant::now();
    let mut future = pin!(future);
    loop {
        let rest = limit.saturating_sub(begun.elapsed());
        match tokio::time::timeout(rest, &mut future).await {
            Ok(output) => return Some(output),
            Err(_) if begun.elapsed() >= limit => return None,
            Err(_) => {}
        }
    }
}
