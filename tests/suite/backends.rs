//! The databases that every scenario runs on.

use batch_core::{Ledger, Memory, Result};
use batch_sql::{MySql, Postgres, Sqlite, SqliteOptions};
use batch_testkit::MariaDb;
use sqlx::{MySqlConnection, PgConnection, SqliteConnection};
use std::{fmt::Debug, future::Future};
use tempfile::TempDir;

/// A new database for one play, with a table of values where it has tables.
pub(crate) trait Backend: Sized + Send + Sync + 'static {
    type Conn: Send + 'static;
    type Database: Ledger<Conn = Self::Conn> + Clone + Debug;

    /// Whether writers wait, so that the next chunks are read and processed meanwhile.
    const WAITS: bool;

    fn create() -> impl Future<Output = Self> + Send;

    fn database(&self) -> &Self::Database;

    /// Inserts `values` into the table; without tables, nothing.
    fn insert(conn: &mut Self::Conn, values: &[i64]) -> impl Future<Output = Result<()>> + Send;

    /// The values in the table, in the order of their insertion; `None` without tables.
    fn table(&self) -> impl Future<Output = Option<Vec<i64>>> + Send;
}

/// The in-memory repository; its writers never wait, so nothing is read ahead.
pub(crate) struct InMemory(Memory);

/// The in-memory repository with writers that wait: every next chunk is filled on a task of its own.
pub(crate) struct ReadAhead(Memory);

macro_rules! in_memory {
    ($backend:ident, $waits:literal) => {
        impl Backend for $backend {
            type Conn = ();
            type Database = Memory;

            const WAITS: bool = $waits;

            async fn create() -> Self {
                Self(Memory::new())
            }

            fn database(&self) -> &Memory {
                &self.0
            }

            async fn insert(_: &mut (), _: &[i64]) -> Result<()> {
                Ok(())
            }

            async fn table(&self) -> Option<Vec<i64>> {
                None
            }
        }
    };
}

in_memory!(InMemory, false);
in_memory!(ReadAhead, true);

/// An SQLite database in a folder of its own; values go into a table in the chunk's transaction.
pub(crate) struct InSqlite {
    database: Sqlite,
    _folder: TempDir,
}

impl Backend for InSqlite {
    type Conn = SqliteConnection;
    type Database = Sqlite;

    const WAITS: bool = true;

    async fn create() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite://{}", folder.path().join("play.db").display());
        let database = SqliteOptions::new().power_cut_may_lose_last_commits().open(&url).await.expect("a database");
        let create = "CREATE TABLE played (nr INTEGER PRIMARY KEY AUTOINCREMENT, value INTEGER NOT NULL)";
        sqlx::query(create).execute(database.pool()).await.expect("a table");
        Self { database, _folder: folder }
    }

    fn database(&self) -> &Sqlite {
        &self.database
    }

    async fn insert(conn: &mut SqliteConnection, values: &[i64]) -> Result<()> {
        for value in values {
            sqlx::query("INSERT INTO played (value) VALUES (?)").bind(value).execute(&mut *conn).await?;
        }
        Ok(())
    }

    async fn table(&self) -> Option<Vec<i64>> {
        let rows = sqlx::query_scalar("SELECT value FROM played ORDER BY nr").fetch_all(self.database.pool()).await;
        Some(rows.expect("the table is read"))
    }
}

/// A new database on a private server; values go into a table in the chunk's transaction.
macro_rules! on_a_server {
    ($backend:ident, $handle:ident, $conn:ident, $server:expr, $table:literal, $insert:literal) => {
        pub(crate) struct $backend {
            database: $handle,
            _place: batch_testkit::Database,
        }

        impl Backend for $backend {
            type Conn = $conn;
            type Database = $handle;

            const WAITS: bool = true;

            async fn create() -> Self {
                let place = $server.database().await;
                let database = $handle::open(&place.url()).await.expect("a database");
                sqlx::query($table).execute(database.pool()).await.expect("a table");
                Self { database, _place: place }
            }

            fn database(&self) -> &$handle {
                &self.database
            }

            async fn insert(conn: &mut $conn, values: &[i64]) -> Result<()> {
                for value in values {
                    sqlx::query($insert).bind(value).execute(&mut *conn).await?;
                }
                Ok(())
            }

            async fn table(&self) -> Option<Vec<i64>> {
                let rows = sqlx::query_scalar("SELECT value FROM played ORDER BY nr").fetch_all(self.database.pool()).await;
                Some(rows.expect("the table is read"))
            }
        }
    };
}

on_a_server! {
    InPostgres, Postgres, PgConnection, batch_testkit::Postgres::shared(),
    "CREATE TABLE played (nr bigserial PRIMARY KEY, value bigint NOT NULL)", "INSERT INTO played (value) VALUES ($1)"
}

on_a_server! {
    InMariaDb, MySql, MySqlConnection, MariaDb::shared(),
    "CREATE TABLE played (nr BIGINT AUTO_INCREMENT PRIMARY KEY, value BIGINT NOT NULL)", "INSERT INTO played (value) VALUES (?)"
}

/// A test of each scenario for every backend, named `scenario::backend`.
macro_rules! on_every_backend {
    ($($scenario:ident),* $(,)?) => { $(
        mod $scenario {
            use crate::backends::{InMariaDb, InMemory, InPostgres, InSqlite, ReadAhead};

            #[tokio::test(start_paused = true)]
            async fn memory() {
                super::$scenario::<InMemory>().await;
            }

            #[tokio::test(start_paused = true)]
            async fn read_ahead() {
                super::$scenario::<ReadAhead>().await;
            }

            #[tokio::test]
            async fn sqlite() {
                super::$scenario::<InSqlite>().await;
            }

            #[tokio::test]
            async fn postgres() {
                super::$scenario::<InPostgres>().await;
            }

            #[tokio::test]
            async fn mariadb() {
                super::$scenario::<InMariaDb>().await;
            }
        }
    )* };
}

/// The same for scenarios in which time passes: only backends that wait for nothing but the clock, which stands still meanwhile.
macro_rules! on_a_paused_clock {
    ($($scenario:ident),* $(,)?) => { $(
        mod $scenario {
            use crate::backends::{InMemory, ReadAhead};

            #[tokio::test(start_paused = true)]
            async fn memory() {
                super::$scenario::<InMemory>().await;
            }

            #[tokio::test(start_paused = true)]
            async fn read_ahead() {
                super::$scenario::<ReadAhead>().await;
            }
        }
    )* };
}

pub(crate) use {on_a_paused_clock, on_every_backend};
