//! The handle of a database on a server: PostgreSQL, MySQL, MariaDB.

mod kind;
mod ledger;
mod live;
mod lock;
mod mysql;
mod nodelay;
mod open;
mod options;
mod postgres;
mod store;
mod transactions;

pub use kind::Kind;
pub use mysql::MySqlKind;
pub use options::{MySqlOptions, PostgresOptions, ServerOptions};
pub use postgres::PostgresKind;
pub use transactions::ServerTx;

use batch_core::Error;
use std::{fmt, sync::Arc};
use store::ServerStore;

/// A database on a server that holds the job repository, and in the same database the rows that jobs write.
///
/// A handle is cheap to clone; clones share its connections, all opened when they are first needed: those of [`Server::pool`], which
/// readers and your own look-ups use; one for each chunk under way; one or two for the repository's own short transactions; and one for
/// the lease of each run; and one for each named lock while it is held. Chunks never wait for the pool, so that a pool of one connection
/// cannot deadlock.
///
/// Every transaction of the framework runs at READ COMMITTED. Leases run by the server's clock.
pub struct Server<K: Kind> {
    pub(crate) store: Arc<ServerStore<K>>,
    /// Whether chunks are committed without waiting for the disk.
    relaxed: bool,
}

/// A PostgreSQL database; tested with version 15, and needs 14 or newer.
pub type Postgres = Server<PostgresKind>;

/// A MySQL or MariaDB database; tested with MariaDB 10.11. Its tables must be InnoDB's.
pub type MySql = Server<MySqlKind>;

impl<K: Kind> Server<K> {
    /// Connects by a URL, `postgres://user@host/database` or `mysql://user@host/database`, with the default options, and brings the
    /// repository's tables up to date.
    ///
    /// A Unix socket is faster than TCP: `postgres://user@localhost/database?host=/run/postgresql`,
    /// `mysql://user@localhost/database?socket=/run/mysqld/mysqld.sock`.
    ///
    /// # Errors
    /// - `Configuration`: another scheme, a URL that cannot be read, no database in it.
    /// - `Unavailable`: the server does not answer, refuses the user, or has no such database.
    /// - `NeedsOperator`: the repository's tables are of a newer version of this library.
    pub async fn open(url: &str) -> Result<Self, Error> {
        ServerOptions::<K>::new().open(url).await
    }

    /// A pool for your own queries outside chunks, and for readers; inside a chunk use the connection that the writer is lent.
    pub fn pool(&self) -> &sqlx::Pool<K::Db> {
        &self.store.pool
    }

    /// Closes all idle connections of this handle and of its clones; a later call opens them again, but not those of [`Server::pool`].
    pub async fn close(&self) {
        self.store.pool.close().await;
        self.store.chunks.close().await;
        self.store.control.close().await;
        self.store.locks.close().await;
    }
}

impl<K: Kind> Clone for Server<K> {
    fn clone(&self) -> Self {
        Self { store: self.store.clone(), relaxed: self.relaxed }
    }
}

impl<K: Kind> fmt::Debug for Server<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple(K::NAME).field(&self.store.place.name).finish()
    }
}
