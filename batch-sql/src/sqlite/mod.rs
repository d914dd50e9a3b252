//! The handle of an SQLite database.

mod holder;
mod ledger;
mod link;
mod live;
mod lock;
mod open;
mod options;
mod store;
mod transactions;
mod url;
mod wait;

pub use options::SqliteOptions;
pub(crate) use store::SqliteStore;
pub use transactions::SqliteTx;

use batch_core::Error;
use sqlx::SqlitePool;
use std::{fmt, sync::Arc};

/// An SQLite database that holds the job repository, and in the same file the rows that jobs write.
///
/// A handle is cheap to clone; clones share its connections: one for chunk transactions, one for the repository's own, one for
/// reading, and [`Sqlite::pool`]. The file is in WAL mode and every commit is on the disk before the next chunk begins, unless
/// [`SqliteOptions`] say otherwise. SQLite has one writer at a time: chunk transactions of one handle follow each other, and leave
/// other processes a gap of 4 ms at least every 200 ms. A named lock is a row, and keeps no connection.
#[derive(Clone)]
pub struct Sqlite {
    pub(crate) store: Arc<SqliteStore>,
}

impl Sqlite {
    /// Opens `sqlite://path` or `sqlite:path` with the default options, and brings the repository's tables up to date.
    ///
    /// A missing file is created, unless the URL says `?mode=rw`.
    ///
    /// # Errors
    /// - `Configuration`: another scheme, a folder that does not exist, a path that is no database, a read-only or in-memory database.
    /// - `Unavailable`: the file or its folder is not writable, or another process keeps it locked.
    /// - `NeedsOperator`: the file is damaged, or its tables are of a newer version of this library.
    pub async fn open(url: &str) -> Result<Self, Error> {
        SqliteOptions::new().open(url).await
    }

    /// A pool for your own queries outside chunks; its connections open when they are first needed.
    ///
    /// A statement that writes waits up to 5 s for the chunk under way; inside a chunk use the connection that the writer is lent.
    pub fn pool(&self) -> &SqlitePool {
        &self.store.pool
    }

    /// Closes all connections of this handle and of its clones, after what is under way; a later call opens them again, but
    /// not those of [`Sqlite::pool`].
    pub async fn close(&self) {
        self.store.pool.close().await;
        self.store.writer.close().await;
        self.store.control.close().await;
        self.store.reader.close().await;
    }
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sqlite").field(&self.store.path).finish()
    }
}
