//! MySQL and MariaDB.

mod link;

use super::{
    kind::{Begin, Kind},
    nodelay,
};
use crate::{error::says, sql::Flavor};
use batch_core::{Error, ErrorKind};
use sqlx::{AssertSqlSafe, MySqlConnection, mysql::MySqlConnectOptions};
use std::time::{Duration, Instant};

/// MySQL or MariaDB.
#[derive(Debug, Clone, Copy)]
pub struct MySqlKind;

/// Between two looks whether a connection is gone.
const POLL: Duration = Duration::from_millis(5);

impl Kind for MySqlKind {
    type Db = sqlx::MySql;
    type Conn = MySqlConnection;
    type Connect = MySqlConnectOptions;

    const NAME: &'static str = "MySql";
    const SCHEMES: &'static [&'static str] = &["mysql", "mariadb"];

    /// There are no deferred constraints.
    const CHECK: &'static str = "RELEASE SAVEPOINT batch_part";

    /// It is a setting of the whole server.
    const RELAXES: bool = false;

    const PREPARES: bool = false;

    fn place(connect: &MySqlConnectOptions) -> Result<String, Error> {
        let Some(database) = connect.get_database() else {
            let message = "the database URL names no database: mysql://user@host/database";
            return Err(Error::new(ErrorKind::Configuration, message));
        };
        Ok(match connect.get_socket() {
            Some(socket) => format!("{database} at {}", socket.display()),
            None => format!("{database} at {}:{}", connect.get_host(), connect.get_port()),
        })
    }

    async fn flavor(conn: &mut MySqlConnection) -> Result<Flavor, sqlx::Error> {
        let version: String = sqlx::query_scalar("SELECT VERSION()").fetch_one(conn).await?;
        Ok(if version.contains("MariaDB") { Flavor::MariaDb } else { Flavor::MySql })
    }

    async fn greet(conn: &mut MySqlConnection, connect: &MySqlConnectOptions) -> Result<i64, sqlx::Error> {
        if connect.get_socket().is_none() {
            nodelay::set(connect.get_port());
        }
        sqlx::query_scalar("SELECT CAST(CONNECTION_ID() AS SIGNED)").fetch_one(conn).await
    }

    fn begin(begin: &Begin) -> String {
        // Whole seconds, at least one.
        let (lock, idle) = (begin.lock.as_secs().max(1), begin.idle.as_secs().max(1));
        let idle = match begin.flavor {
            Flavor::MariaDb => format!("SESSION idle_transaction_timeout = {idle}"),
            // Also ends a connection that is idle outside a transaction; the next borrower opens another.
            _ => format!("SESSION wait_timeout = {idle}"),
        };
        let (level, access) = if begin.snapshot { ("REPEATABLE READ", "READ ONLY") } else { ("READ COMMITTED", "READ WRITE") };
        let savepoint = if begin.chunk { "; SAVEPOINT batch_chunk" } else { "" };
        format!(
            "SET SESSION innodb_lock_wait_timeout = {lock}, {idle}; SET TRANSACTION ISOLATION LEVEL {level}; \
             START TRANSACTION {access}{savepoint}"
        )
    }

    async fn kill(conn: &mut MySqlConnection, number: i64, limit: Duration) -> Result<(), sqlx::Error> {
        match sqlx::raw_sql(AssertSqlSafe(format!("KILL CONNECTION {number}"))).execute(&mut *conn).await {
            Ok(_) => {}
            // It is gone already.
            Err(e) if says(&e, "Unknown thread") => return Ok(()),
            Err(e) => return Err(e),
        }
        let begun = Instant::now();
        let sql = "SELECT CAST(count(*) AS SIGNED) FROM information_schema.processlist WHERE id = ?";
        while begun.elapsed() < limit {
            if sqlx::query_scalar::<_, i64>(sql).bind(number).fetch_one(&mut *conn).await? == 0 {
                break;
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }
}
