//! The database that a URL names, of whatever kind.

mod connection;

use crate::{MySql, Postgres, Sqlite};
use batch_core::{
    BoxError, Error, ErrorKind, JobRepository, Ledger, Overlap, Request, Result, Transactions,
    repository::{Commit, CommitError},
    transaction::{LedgerGuard, LedgerKey, LedgerState},
};
use sqlx::{AssertSqlSafe, raw_sql};
use std::{fmt, sync::Arc};

pub use connection::{Connection, Driven};

/// A database that a URL names: for programs that take a `--database`.
///
/// Use writers that fit every database ([`SqlInsert`](crate::SqlInsert) and its like); a writer or tasklet with SQL of its own matches the
/// [`Connection`] it is lent. A program for one database names [`Sqlite`], [`Postgres`] or [`MySql`], and is lent the driver's connection.
#[derive(Debug, Clone)]
pub enum Database {
    /// An SQLite file.
    Sqlite(Sqlite),
    /// A PostgreSQL database.
    Postgres(Postgres),
    /// A MySQL or MariaDB database.
    MySql(MySql),
}

/// Does `$body` with the handle, whichever it is.
macro_rules! each {
    ($self:expr, $handle:ident => $body:expr) => {
        match $self {
            Self::Sqlite($handle) => $body,
            Self::Postgres($handle) => $body,
            Self::MySql($handle) => $body,
        }
    };
}

/// Does `$body` with the handle and the transaction that it began; one of another handle's is an error.
macro_rules! both {
    ($self:expr, $tx:expr, $handle:ident, $inner:ident => $body:expr, else $other:expr) => {
        match ($self, $tx) {
            (Self::Sqlite($handle), Connection::Sqlite($inner)) => $body,
            (Self::Postgres($handle), Connection::Postgres($inner)) => $body,
            (Self::MySql($handle), Connection::MySql($inner)) => $body,
            _ => $other,
        }
    };
}

impl Database {
    /// Opens what `url` names, with the default options, and brings the repository's tables up to date: `sqlite://file`,
    /// `postgres://user@host/database`, `mysql://user@host/database`, `mariadb://..`.
    ///
    /// # Errors
    /// Those of [`Sqlite::open`], [`Postgres::open`] and [`MySql::open`]; kind `Configuration` for another scheme.
    pub async fn open(url: &str) -> Result<Self, Error> {
        match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => Sqlite::open(url).await.map(Self::Sqlite),
            Some("postgres" | "postgresql") => Postgres::open(url).await.map(Self::Postgres),
            Some("mysql" | "mariadb") => MySql::open(url).await.map(Self::MySql),
            scheme => {
                let shown: String = scheme.unwrap_or_default().chars().take(20).collect();
                let message = format!(
                    "unknown database {shown:?}; known are sqlite://file, postgres://user@host/name, mysql://user@host/name"
                );
                Err(Error::new(ErrorKind::Configuration, message))
            }
        }
    }

    /// Runs statements without values outside chunks, such as those that create tables; returns how many rows they changed.
    ///
    /// # Errors
    /// What the database says.
    pub async fn execute(&self, sql: &str) -> Result<u64> {
        let sql = AssertSqlSafe(sql.to_owned());
        Ok(each!(self, db => raw_sql(sql).execute(db.pool()).await?.rows_affected()))
    }

    /// Closes the connections of this handle and of its clones; a later call opens them again.
    pub async fn close(&self) {
        each!(self, db => db.close().await);
    }
}

/// The file, or the database's name and its server; never a user or a password.
impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        each!(self, db => f.write_str(&db.store.place.name))
    }
}

fn stranger() -> BoxError {
    "the transaction was begun by another database".into()
}

impl Transactions for Database {
    type Conn = Connection;
    type Tx = Connection;

    async fn begin(&self) -> Result<Connection> {
        Ok(match self {
            Self::Sqlite(db) => Connection::Sqlite(db.begin().await?),
            Self::Postgres(db) => Connection::Postgres(db.begin().await?),
            Self::MySql(db) => Connection::MySql(db.begin().await?),
        })
    }

    async fn begin_late(&self) -> Result<Connection> {
        Ok(match self {
            Self::Sqlite(db) => Connection::Sqlite(db.begin_late().await?),
            Self::Postgres(db) => Connection::Postgres(db.begin_late().await?),
            Self::MySql(db) => Connection::MySql(db.begin_late().await?),
        })
    }

    fn conn(tx: &mut Connection) -> &mut Connection {
        tx
    }

    async fn savepoint(&self, tx: &mut Connection) -> Result<()> {
        both!(self, tx, db, tx => db.savepoint(tx).await, else Err(stranger()))
    }

    async fn release(&self, tx: &mut Connection, check: bool) -> Result<()> {
        both!(self, tx, db, tx => db.release(tx, check).await, else Err(stranger()))
    }

    async fn rollback_to(&self, tx: &mut Connection) -> Result<()> {
        both!(self, tx, db, tx => db.rollback_to(tx).await, else Err(stranger()))
    }

    async fn commit(&self, tx: Connection, commit: &Commit) -> Result<Option<Request>, CommitError> {
        both!(self, tx, db, tx => db.commit(tx, commit).await, else Err(CommitError::Refused(stranger())))
    }

    async fn rollback(&self, tx: Connection) -> Result<()> {
        both!(self, tx, db, tx => db.rollback(tx).await, else Err(stranger()))
    }

    async fn abandon(&self, tx: Connection) {
        both!(self, tx, db, tx => db.abandon(tx).await, else ());
    }

    fn is_transient(&self, error: &BoxError) -> bool {
        each!(self, db => db.is_transient(error))
    }

    fn is_fatal(&self, error: &BoxError) -> bool {
        each!(self, db => db.is_fatal(error))
    }

    fn explain(&self, error: BoxError) -> BoxError {
        each!(self, db => db.explain(error))
    }

    fn repository(&self) -> Arc<dyn JobRepository> {
        each!(self, db => db.repository())
    }

    fn relaxed(&self) -> Option<Self> {
        match self {
            Self::Sqlite(db) => db.relaxed().map(Self::Sqlite),
            Self::Postgres(db) => db.relaxed().map(Self::Postgres),
            Self::MySql(db) => db.relaxed().map(Self::MySql),
        }
    }

    fn overlap(&self) -> Option<Overlap> {
        each!(self, db => db.overlap())
    }

    fn connections(&self) -> Option<usize> {
        each!(self, db => db.connections())
    }
}

impl Ledger for Database {
    async fn claim(&self, key: &LedgerKey, holder: i64) -> Result<LedgerState, Error> {
        each!(self, db => db.claim(key, holder).await)
    }

    async fn commit_with_ledger(&self, tx: Connection, guard: &LedgerGuard, entry: &str) -> Result<(), CommitError> {
        both!(self, tx, db, tx => db.commit_with_ledger(tx, guard, entry).await, else Err(CommitError::Refused(stranger())))
    }
}
