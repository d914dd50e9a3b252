//! One connection that is lent to one borrower at a time.

use super::wait::within;
use sqlx::{ConnectOptions, Connection, Executor, SqliteConnection, sqlite::SqliteConnectOptions};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::{Mutex, OwnedMutexGuard};

/// Instructions of SQLite's virtual machine between two looks at the interrupt flag: some ten microseconds.
const INSTRUCTIONS: i32 = 10_000;

/// SQLite changes it between transactions only.
const DURABLE: &str = "PRAGMA synchronous = FULL";

/// A place for one connection, opened when it is first needed and again after one was dropped; borrowers queue.
#[derive(Clone)]
pub(crate) struct Slot {
    options: SqliteConnectOptions,
    polled: bool,
    /// Whether commits wait for the disk whatever the options say.
    durable: Arc<AtomicBool>,
    place: Arc<Mutex<Option<Live>>>,
}

impl Slot {
    pub(crate) fn new(options: SqliteConnectOptions) -> Self {
        Self { options, polled: false, durable: Arc::default(), place: Arc::default() }
    }

    /// A connection whose borrower polls for locks: SQLite reports them at once.
    pub(crate) fn polled(options: SqliteConnectOptions) -> Self {
        Self { polled: true, ..Self::new(options) }
    }

    /// Borrows the connection; `None` when others kept it longer than `limit`.
    pub(crate) async fn lend(&self, limit: Duration) -> Result<Option<Lent>, sqlx::Error> {
        let Some(mut place) = within(limit, self.place.clone().lock_owned()).await else { return Ok(None) };
        let live = match place.take() {
            Some(live) => live,
            None => Live::open(self).await?,
        };
        Ok(Some(Lent { live, place }))
    }

    /// Makes commits wait for the disk from now on, also on connections that are opened later; `false` when a borrower kept the
    /// connection longer than `limit`.
    pub(crate) async fn make_durable(&self, limit: Duration) -> Result<bool, sqlx::Error> {
        self.durable.store(true, Ordering::Relaxed);
        let Some(mut lent) = self.lend(limit).await? else { return Ok(false) };
        lent.conn().execute(DURABLE).await?;
        lent.give_back();
        Ok(true)
    }

    /// Closes the connection once nobody borrows it.
    pub(crate) async fn close(&self) {
        if let Some(live) = self.place.lock().await.take() {
            live.close().await;
        }
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").finish_non_exhaustive()
    }
}

/// A borrowed connection. Dropped, it takes the connection with it: whatever was open on it is undone by SQLite.
pub(crate) struct Lent {
    live: Live,
    place: OwnedMutexGuard<Option<Live>>,
}

impl Lent {
    pub(crate) fn conn(&mut self) -> &mut SqliteConnection {
        &mut self.live.conn
    }

    /// Returns a connection with nothing open on it.
    pub(crate) fn give_back(self) {
        let Self { live, mut place } = self;
        *place = Some(live);
    }

    /// Closes the connection and waits for that; a statement that still runs is interrupted.
    pub(crate) async fn close(self) {
        self.live.close().await;
    }
}

/// The interrupt is declared first, since it must be set before the connection is dropped.
struct Live {
    interrupt: Interrupt,
    conn: SqliteConnection,
}

impl Live {
    async fn open(slot: &Slot) -> Result<Self, sqlx::Error> {
        let mut conn = slot.options.connect().await?;
        if slot.polled {
            conn.execute("PRAGMA busy_timeout = 0").await?;
        }
        if slot.durable.load(Ordering::Relaxed) {
            conn.execute(DURABLE).await?;
        }
        let flag = Arc::new(AtomicBool::new(false));
        let seen = flag.clone();
        conn.lock_handle().await?.set_progress_handler(INSTRUCTIONS, move || !seen.load(Ordering::Relaxed));
        Ok(Self { interrupt: Interrupt(flag), conn })
    }

    async fn close(self) {
        let Self { interrupt, conn } = self;
        drop(interrupt);
        // An error of closing has nobody to go to: SQLite undoes what was open either way.
        let _ = conn.close().await;
    }
}

/// Ends the running statement when it is dropped.
struct Interrupt(Arc<AtomicBool>);

impl Drop for Interrupt {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
