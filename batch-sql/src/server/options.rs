//! How a database on a server is opened.

use super::{Kind, MySqlKind, PostgresKind, Server, open};
use batch_core::{Clock, Error, SystemClock};
use std::{marker::PhantomData, num::NonZeroU32, sync::Arc, time::Duration};

/// How to open a database on a server; [`ServerOptions::new`] shows every default.
#[derive(Debug, Clone)]
pub struct ServerOptions<K> {
    pub(crate) pool_size: NonZeroU32,
    pub(crate) chunks: NonZeroU32,
    pub(crate) prefix: String,
    pub(crate) schema: Option<String>,
    pub(crate) wait: Duration,
    pub(crate) launch_wait: Duration,
    pub(crate) idle: Duration,
    pub(crate) clock: Arc<dyn Clock>,
    kind: PhantomData<K>,
}

/// How to open a PostgreSQL database.
pub type PostgresOptions = ServerOptions<PostgresKind>;

/// How to open a MySQL or MariaDB database.
pub type MySqlOptions = ServerOptions<MySqlKind>;

impl<K: Kind> ServerOptions<K> {
    /// A pool of 4 connections, 8 chunks at once, tables named `batch_*` in the connection's schema, waits of 30 s and 10 s, chunks idle for
    /// at most 20 s, the machine's clocks.
    pub fn new() -> Self {
        Self {
            pool_size: NonZeroU32::MIN.saturating_add(3),
            chunks: NonZeroU32::MIN.saturating_add(7),
            prefix: "batch_".to_owned(),
            schema: None,
            wait: Duration::from_secs(30),
            launch_wait: Duration::from_secs(10),
            idle: Duration::from_secs(20),
            clock: Arc::new(SystemClock),
            kind: PhantomData,
        }
    }

    /// Connections of [`Server::pool`] at most; a reader or a look-up waits [`Self::wait`] for one. Default: 4.
    #[must_use]
    pub fn pool_size(mut self, connections: NonZeroU32) -> Self {
        self.pool_size = connections;
        self
    }

    /// Chunk transactions at once at most, over all jobs of this handle; each has a connection of its own, opened when it is first needed.
    /// Default: 8.
    #[must_use]
    pub fn chunks_at_once(mut self, connections: NonZeroU32) -> Self {
        self.chunks = connections;
        self
    }

    /// What the names of the repository's tables begin with: `[A-Za-z_][A-Za-z0-9_]{0,62}`. Default: `batch_`. A restart must use the same
    /// prefix to find what it goes on from.
    #[must_use]
    pub fn table_prefix(mut self, prefix: &str) -> Self {
        prefix.clone_into(&mut self.prefix);
        self
    }

    /// How long a statement waits for a lock before it fails with a transient error. Default: 30 s.
    #[must_use]
    pub fn wait(mut self, limit: Duration) -> Self {
        self.wait = limit;
        self
    }

    /// How long a launch waits for the locks of an execution that is to be taken over; then it fails with kind `AlreadyRunning` and names
    /// the owner. Default: 10 s.
    #[must_use]
    pub fn launch_wait(mut self, limit: Duration) -> Self {
        self.launch_wait = limit;
        self
    }

    /// How long a transaction may be idle before the server ends it, so that a process that hangs keeps no locks; never longer than two
    /// thirds of the lease of a job that runs. Default: 20 s; MySQL counts whole seconds.
    #[must_use]
    pub fn idle_limit(mut self, limit: Duration) -> Self {
        self.idle = limit;
        self
    }

    /// The clock for what is recorded; leases run by the server's. Default: the machine's.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Opens the database at `url`, as [`Server::open`] does.
    ///
    /// # Errors
    /// Those of [`Server::open`], and `Configuration` for a table prefix or schema that is not allowed.
    pub async fn open(self, url: &str) -> Result<Server<K>, Error> {
        open::open(self, url).await
    }
}

impl ServerOptions<PostgresKind> {
    /// The schema of the repository's tables, created where it is missing. Default: the first of the connection's search path.
    #[must_use]
    pub fn schema(mut self, schema: &str) -> Self {
        self.schema = Some(schema.to_owned());
        self
    }
}

impl<K: Kind> Default for ServerOptions<K> {
    fn default() -> Self {
        Self::new()
    }
}
