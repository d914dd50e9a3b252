//! One connection to an SQLite file, and how its running statement is interrupted.

use crate::slot::Live;
use sqlx::{ConnectOptions, Connection, Executor, SqliteConnection, sqlite::SqliteConnectOptions};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Instructions of SQLite's virtual machine between two looks at the interrupt flag: some ten microseconds.
const INSTRUCTIONS: i32 = 10_000;

/// How a connection is opened.
#[derive(Clone)]
pub(crate) struct Opening {
    connect: SqliteConnectOptions,
    polled: bool,
    durable: Arc<AtomicBool>,
}

/// Makes commits wait for the disk; SQLite changes it between transactions only.
pub(crate) const DURABLE: &str = "PRAGMA synchronous = FULL";

impl Opening {
    /// SQLite waits for locks itself.
    pub(crate) fn new(connect: SqliteConnectOptions) -> Self {
        Self { connect, polled: false, durable: Arc::default() }
    }

    /// A connection whose borrower polls for locks: SQLite reports them at once.
    pub(crate) fn polled(connect: SqliteConnectOptions) -> Self {
        Self { polled: true, ..Self::new(connect) }
    }

    /// Connections that are opened once `durable` is set wait for the disk, whatever the options say.
    pub(crate) fn durable_by(self, durable: &Arc<AtomicBool>) -> Self {
        Self { durable: durable.clone(), ..self }
    }
}

/// The interrupt is declared first, since it must be set before the connection is dropped.
pub(crate) struct SqliteLive {
    interrupt: Interrupt,
    conn: SqliteConnection,
}

impl Live for SqliteLive {
    type Conn = SqliteConnection;
    type Options = Opening;

    async fn open(options: &Opening) -> Result<Self, sqlx::Error> {
        let mut conn = options.connect.connect().await?;
        if options.polled {
            conn.execute("PRAGMA busy_timeout = 0").await?;
        }
        if options.durable.load(Ordering::Relaxed) {
            conn.execute(DURABLE).await?;
        }
        let flag = Arc::new(AtomicBool::new(false));
        let seen = flag.clone();
        conn.lock_handle().await?.set_progress_handler(INSTRUCTIONS, move || !seen.load(Ordering::Relaxed));
        Ok(Self { interrupt: Interrupt(flag), conn })
    }

    fn conn(&mut self) -> &mut SqliteConnection {
        &mut self.conn
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
