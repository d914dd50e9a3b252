//! How a server is started.

use crate::server::{Brand, MariaDb, Postgres};

/// The settings of a [`Server`](crate::Server), whose defaults are durable commits and no TCP port.
#[derive(Debug, Clone)]
pub struct Options {
    pub(crate) brand: &'static dyn Brand,
    pub(crate) tcp: bool,
    pub(crate) durable: bool,
}

impl Options {
    /// A server of PostgreSQL.
    pub fn postgres() -> Self {
        Self::of(&Postgres)
    }

    /// A server of MariaDB.
    pub fn mariadb() -> Self {
        Self::of(&MariaDb)
    }

    fn of(brand: &'static dyn Brand) -> Self {
        Self { brand, tcp: false, durable: true }
    }

    /// Listens on a free port of 127.0.0.1, too: see [`Server::port`](crate::Server::port).
    #[must_use]
    pub fn with_tcp(mut self) -> Self {
        self.tcp = true;
        self
    }

    /// Doesn't wait for the disk at a commit, which is many times as fast.
    ///
    /// What was committed still outlives a killed server, since the operating system has it; it would not outlive a crash of that.
    #[must_use]
    pub fn without_fsync(mut self) -> Self {
        self.durable = false;
        self
    }
}
