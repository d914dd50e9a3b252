//! The connection of a chunk's transaction, of whatever kind.

use crate::{
    MySqlKind, PostgresKind, ServerTx, Sqlite, SqliteTx,
    dialect::{Driver, SqlConn, Task},
    server::Server,
};
use batch_core::{Chunk, Result, Transactions};
use serde::Serialize;
use sqlx::{AssertSqlSafe, MySqlConnection, PgConnection, SqliteConnection, raw_sql};
use std::fmt;

/// What writers and tasklets of a [`Database`](crate::Database) are lent: a connection inside the chunk's transaction.
pub enum Connection {
    #[doc(hidden)]
    Sqlite(SqliteTx),
    #[doc(hidden)]
    Postgres(ServerTx<PostgresKind>),
    #[doc(hidden)]
    MySql(ServerTx<MySqlKind>),
}

/// A driver's own connection, for SQL of one's own.
#[derive(Debug)]
pub enum Driven<'c> {
    /// To an SQLite file.
    Sqlite(&'c mut SqliteConnection),
    /// To a PostgreSQL database.
    Postgres(&'c mut PgConnection),
    /// To a MySQL or MariaDB database.
    MySql(&'c mut MySqlConnection),
}

impl Connection {
    /// The driver's own connection: match it to run a query with values in each database's SQL.
    pub fn driver(&mut self) -> Driven<'_> {
        match self {
            Self::Sqlite(tx) => Driven::Sqlite(Sqlite::conn(tx)),
            Self::Postgres(tx) => Driven::Postgres(Server::conn(tx)),
            Self::MySql(tx) => Driven::MySql(Server::conn(tx)),
        }
    }

    /// Runs statements without values, which every database understands; returns how many rows they changed.
    ///
    /// # Errors
    /// What the database says.
    pub async fn execute(&mut self, sql: &str) -> Result<u64> {
        let sql = AssertSqlSafe(sql.to_owned());
        Ok(match self.driver() {
            Driven::Sqlite(conn) => raw_sql(sql).execute(conn).await?.rows_affected(),
            Driven::Postgres(conn) => raw_sql(sql).execute(conn).await?.rows_affected(),
            Driven::MySql(conn) => raw_sql(sql).execute(conn).await?.rows_affected(),
        })
    }
}

impl SqlConn for Connection {}

impl Driver for Connection {
    async fn write<T: Serialize + Sync>(&mut self, task: &mut Task, items: Chunk<'_, T>) -> Result<()> {
        match self.driver() {
            Driven::Sqlite(conn) => conn.write(task, items).await,
            Driven::Postgres(conn) => conn.write(task, items).await,
            Driven::MySql(conn) => conn.write(task, items).await,
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Self::Sqlite(_) => "Sqlite",
            Self::Postgres(_) => "Postgres",
            Self::MySql(_) => "MySql",
        };
        f.debug_tuple("Connection").field(&kind).finish_non_exhaustive()
    }
}
