//! How a database is opened.

use super::{Sqlite, open};
use batch_core::{Clock, Error, SystemClock};
use std::{num::NonZeroU32, sync::Arc, time::Duration};

/// How to open an SQLite database; [`SqliteOptions::new`] shows every default.
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    pub(crate) full: bool,
    pub(crate) pool_size: NonZeroU32,
    pub(crate) prefix: String,
    pub(crate) wait: Duration,
    pub(crate) launch_wait: Duration,
    pub(crate) clock: Arc<dyn Clock>,
}

impl SqliteOptions {
    /// Every commit reaches the disk, a pool of 4 connections, tables named `batch_*`, waits of 30 s and 10 s, the machine's clocks.
    pub fn new() -> Self {
        Self {
            full: true,
            pool_size: NonZeroU32::MIN.saturating_add(3),
            prefix: "batch_".to_owned(),
            wait: Duration::from_secs(30),
            launch_wait: Duration::from_secs(10),
            clock: Arc::new(SystemClock),
        }
    }

    /// Commits without waiting for the disk (`synchronous = NORMAL`): a power cut or a crash of the machine loses the last commits,
    /// rows and checkpoint alike, so that a restart still fits; a crash of the process loses nothing. Commits with a ledger, of rows whose
    /// repository is another database, wait for the disk all the same. Default: off.
    #[must_use]
    pub fn power_cut_may_lose_last_commits(mut self) -> Self {
        self.full = false;
        self
    }

    /// Connections of [`Sqlite::pool`] at most. Default: 4.
    #[must_use]
    pub fn pool_size(mut self, connections: NonZeroU32) -> Self {
        self.pool_size = connections;
        self
    }

    /// What the names of the repository's tables begin with: `[A-Za-z_][A-Za-z0-9_]{0,62}`, not `sqlite_`. Default: `batch_`.
    /// A restart must use the same prefix to find what it goes on from.
    #[must_use]
    pub fn table_prefix(mut self, prefix: &str) -> Self {
        prefix.clone_into(&mut self.prefix);
        self
    }

    /// How long a chunk or a call of the repository waits for the write lock before it fails with a transient error of kind
    /// `Unavailable`. Default: 30 s.
    #[must_use]
    pub fn wait(mut self, limit: Duration) -> Self {
        self.wait = limit;
        self
    }

    /// How long a launch waits for the write lock. Default: 10 s.
    ///
    /// A living owner leaves a gap after every chunk, so a launch that waits longer than a chunk's transaction takes has met a stopped
    /// process; it fails with kind `AlreadyRunning` and names that process.
    #[must_use]
    pub fn launch_wait(mut self, limit: Duration) -> Self {
        self.launch_wait = limit;
        self
    }

    /// The clock for what is recorded and for leases. Default: the machine's.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Opens the database at `url`, as [`Sqlite::open`] does.
    ///
    /// # Errors
    /// Those of [`Sqlite::open`], and `Configuration` for a table prefix that is not allowed.
    pub async fn open(self, url: &str) -> Result<Sqlite, Error> {
        open::open(self, url).await
    }
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self::new()
    }
}
