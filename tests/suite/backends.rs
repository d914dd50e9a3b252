//! The databases that every scenario runs on.

use batch_core::{Ledger, Memory, Result};
use batch_sql::{Sqlite, SqliteOptions};
use sqlx::SqliteConnection;
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

/// A test of each scenario for every backend, named `scenario::backend`.
macro_rules! on_every_backend {
    ($($scenario:ident),* $(,)?) => { $(
        mod $scenario {
            use crate::backends::{InMemory, InSqlite, ReadAhead};

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
