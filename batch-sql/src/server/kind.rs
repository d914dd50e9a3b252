//! The few things in which servers differ, as far as the handle needs them.

use crate::sql::{Flavor, Link};
use batch_core::Error;
use std::{fmt, future::Future, time::Duration};

/// A kind of server; implemented by this crate alone.
pub trait Kind: sealed::Sealed + fmt::Debug + Clone + Copy + Send + Sync + 'static {
    /// The driver.
    type Db: sqlx::Database<Connection = Self::Conn>;
    /// What writers and tasklets are lent.
    type Conn: Link + sqlx::Connection<Database = Self::Db, Options = Self::Connect>;
    /// The driver's options.
    type Connect: sqlx::ConnectOptions<Connection = Self::Conn>;

    /// Its name.
    #[doc(hidden)]
    const NAME: &'static str;

    /// The schemes of its URLs.
    #[doc(hidden)]
    const SCHEMES: &'static [&'static str];

    /// What ends a savepoint's part after constraints were examined that otherwise are at the commit.
    #[doc(hidden)]
    const CHECK: &'static str;

    /// Whether a session chooses if its commits wait for the disk.
    #[doc(hidden)]
    const RELAXES: bool;

    /// The database's name and where the server is, without user and password; `Err` where no database is named.
    #[doc(hidden)]
    fn place(connect: &Self::Connect) -> Result<String, Error>;

    /// Which dialect a server speaks.
    #[doc(hidden)]
    fn flavor(conn: &mut Self::Conn) -> impl Future<Output = Result<Flavor, sqlx::Error>> + Send;

    /// Whether a connection keeps statements by name, so that the one of each commit is read and planned once.
    #[doc(hidden)]
    const PREPARES: bool;

    /// Makes a new connection ready; the number by which the server knows it.
    #[doc(hidden)]
    fn greet(conn: &mut Self::Conn, connect: &Self::Connect) -> impl Future<Output = Result<i64, sqlx::Error>> + Send;

    /// What begins a transaction, in one round trip.
    #[doc(hidden)]
    fn begin(begin: &Begin) -> String;

    /// Ends the connection of that number, and waits until the server is done with it.
    #[doc(hidden)]
    fn kill(conn: &mut Self::Conn, number: i64, limit: Duration) -> impl Future<Output = Result<(), sqlx::Error>> + Send;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::super::PostgresKind {}
    impl Sealed for super::super::MySqlKind {}
}

/// What a transaction begins with.
#[derive(Debug, Clone, Copy)]
pub struct Begin {
    pub(crate) flavor: Flavor,
    /// For a chunk, with the savepoint that tells whether the transaction still lives.
    pub(crate) chunk: bool,
    /// Sees one state and writes nothing.
    pub(crate) snapshot: bool,
    /// How long a statement waits for a lock.
    pub(crate) lock: Duration,
    /// How long the transaction may be idle before the server ends it: shorter than the lease, so that a process that hangs keeps no lock
    /// longer than that.
    pub(crate) idle: Duration,
    /// Whether the commit reaches the disk before it is answered; `None` leaves that to the server's settings.
    pub(crate) synchronous: Option<bool>,
}
