//! PostgreSQL.

mod link;

use super::{
    kind::{Begin, Kind},
    nodelay,
};
use crate::sql::Flavor;
use batch_core::{Error, ErrorKind};
use sqlx::{AssertSqlSafe, Executor, PgConnection, Row, postgres::PgConnectOptions, raw_sql};
use std::{fmt::Write, time::Duration};

/// PostgreSQL.
#[derive(Debug, Clone, Copy)]
pub struct PostgresKind;

impl Kind for PostgresKind {
    type Db = sqlx::Postgres;
    type Conn = PgConnection;
    type Connect = PgConnectOptions;

    const NAME: &'static str = "Postgres";
    const SCHEMES: &'static [&'static str] = &["postgres", "postgresql"];

    const CHECK: &'static str = "SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED";

    const RELAXES: bool = true;

    const PREPARES: bool = true;

    fn place(connect: &PgConnectOptions) -> Result<String, Error> {
        let Some(database) = connect.get_database() else {
            let message = "the database URL names no database: postgres://user@host/database";
            return Err(Error::new(ErrorKind::Configuration, message));
        };
        Ok(match connect.get_socket() {
            Some(socket) => format!("{database} at {}", socket.display()),
            None => format!("{database} at {}:{}", connect.get_host(), connect.get_port()),
        })
    }

    async fn flavor(_: &mut PgConnection) -> Result<Flavor, sqlx::Error> {
        Ok(Flavor::Postgres)
    }

    async fn greet(conn: &mut PgConnection, connect: &PgConnectOptions) -> Result<i64, sqlx::Error> {
        let at_once = connect.get_socket().is_some() || nodelay::set(connect.get_port());
        // Not prepared, since it is asked once a connection.
        let sql = format!(
            "SELECT pg_backend_pid() AS pid, set_config('batch.sends_at_once', '{at_once}', false), \
             set_config('default_transaction_isolation', 'read committed', false), set_config('default_transaction_read_only', 'off', false)"
        );
        let row = conn.fetch_one(raw_sql(AssertSqlSafe(sql))).await?;
        row.try_get::<i32, _>("pid").map(i64::from)
    }

    fn begin(begin: &Begin) -> String {
        let mode = if begin.snapshot { "REPEATABLE READ READ ONLY" } else { "READ COMMITTED READ WRITE" };
        let (lock, idle) = (begin.lock.as_millis().max(1), begin.idle.as_millis().max(1));
        let mut text = format!(
            "BEGIN ISOLATION LEVEL {mode}; SET LOCAL lock_timeout = {lock}; SET LOCAL idle_in_transaction_session_timeout = {idle}"
        );
        if let Some(synchronous) = begin.synchronous {
            let _ = write!(text, "; SET LOCAL synchronous_commit = {}", if synchronous { "on" } else { "off" });
        }
        if begin.chunk {
            text.push_str("; SAVEPOINT batch_chunk");
        }
        text
    }

    async fn kill(conn: &mut PgConnection, number: i64, limit: Duration) -> Result<(), sqlx::Error> {
        // False where it does not end within the limit; the guard protects from what it does later.
        let sql = "SELECT pg_terminate_backend($1, $2) FROM pg_stat_activity WHERE pid = $1";
        let limit = i64::try_from(limit.as_millis()).unwrap_or(i64::MAX);
        let pid = i32::try_from(number).unwrap_or_default();
        sqlx::query(sql).bind(pid).bind(limit).fetch_optional(conn).await.map(drop)
    }
}
