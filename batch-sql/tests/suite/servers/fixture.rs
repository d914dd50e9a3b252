//! Two handles of a new database on a server; the second stands for another process.

use batch_core::{JobRepository, Result, Transactions, repository::conformance};
use batch_sql::{Kind, MySqlKind, PostgresKind, Server, ServerOptions};
use batch_testkit::{Database, MariaDb, Postgres};
use chrono::{DateTime, SubsecRound, Utc};
use sqlx::{AssertSqlSafe, Executor, Row, raw_sql};
use std::{sync::Arc, time::Duration};

pub(crate) struct OnServer<K: Kind> {
    pub(crate) database: Database,
    pub(crate) first: Server<K>,
    pub(crate) second: Server<K>,
    pub(crate) repository: Arc<dyn JobRepository>,
}

/// What the tests need of a driver: statements as texts, and the few words that differ.
pub(crate) trait Speaks: Kind {
    /// What lets so many microseconds pass for leases.
    fn earlier(micros: u128) -> String;
    /// A statement that takes a minute.
    const LONG: &'static str;
    /// The number of this connection, and what ends the one of a number.
    const NUMBER: &'static str;
    fn ending(number: i64) -> String;
    /// What ends all connections but this one.
    const END_OTHERS: &'static str;

    /// The server shared by the tests.
    fn server() -> &'static batch_testkit::Server;

    fn run(conn: &mut Self::Conn, sql: &str) -> impl Future<Output = Result<Vec<i64>>> + Send;
}

impl Speaks for PostgresKind {
    const LONG: &'static str = "SELECT 1::bigint FROM pg_sleep(60)";
    const NUMBER: &'static str = "SELECT pg_backend_pid()::bigint";
    const END_OTHERS: &'static str = "SELECT pg_terminate_backend(pid, 60000)::int::bigint FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";

    fn earlier(micros: u128) -> String {
        format!("UPDATE batch_lease SET until_time = until_time - {micros} * interval '1 microsecond'")
    }

    fn ending(number: i64) -> String {
        format!("SELECT pg_terminate_backend({number})::int::bigint")
    }

    fn server() -> &'static batch_testkit::Server {
        Postgres::shared()
    }

    async fn run(conn: &mut Self::Conn, sql: &str) -> Result<Vec<i64>> {
        let rows = conn.fetch_all(raw_sql(AssertSqlSafe(sql))).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }
}

impl Speaks for MySqlKind {
    const LONG: &'static str = "SELECT CAST(SLEEP(60) AS SIGNED)";
    const NUMBER: &'static str = "SELECT CAST(CONNECTION_ID() AS SIGNED)";
    const END_OTHERS: &'static str = "BEGIN NOT ATOMIC FOR session IN (SELECT id FROM information_schema.processlist
        WHERE db = DATABASE() AND id <> CONNECTION_ID()) DO EXECUTE IMMEDIATE CONCAT('KILL ', session.id); END FOR; END";

    fn earlier(micros: u128) -> String {
        format!("UPDATE batch_lease SET until_time = until_time - INTERVAL {micros} MICROSECOND")
    }

    fn ending(number: i64) -> String {
        format!("KILL CONNECTION {number}")
    }

    fn server() -> &'static batch_testkit::Server {
        MariaDb::shared()
    }

    async fn run(conn: &mut Self::Conn, sql: &str) -> Result<Vec<i64>> {
        let rows = conn.fetch_all(raw_sql(AssertSqlSafe(sql))).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }
}

impl<K: Speaks> OnServer<K> {
    pub(crate) async fn fresh() -> Self {
        Self::with(|options| options).await
    }

    pub(crate) async fn with(change: impl Fn(ServerOptions<K>) -> ServerOptions<K>) -> Self {
        let database = K::server().database().await;
        let url = database.url();
        let open = || change(ServerOptions::<K>::new()).open(&url);
        let (first, second) = (open().await.unwrap(), open().await.unwrap());
        let repository = first.repository();
        let fixture = Self { database, first, second, repository };
        fixture.sql("CREATE TABLE put (k BIGINT PRIMARY KEY)").await;
        fixture
    }

    /// Runs statements outside chunks.
    pub(crate) async fn sql(&self, sql: &str) -> Vec<i64> {
        let mut conn = self.second.pool().acquire().await.unwrap();
        K::run(&mut *conn, sql).await.unwrap()
    }

    pub(crate) async fn number(&self, sql: &str) -> i64 {
        self.sql(sql).await[0]
    }

    /// A connection that no handle knows.
    pub(crate) async fn stranger(&self) -> K::Conn {
        <K::Conn as sqlx::Connection>::connect(&self.database.url()).await.unwrap()
    }
}

impl<K: Speaks> conformance::Fixture for OnServer<K> {
    type Database = Server<K>;

    fn database(&self) -> Server<K> {
        self.first.clone()
    }

    fn other(&self) -> Server<K> {
        self.second.clone()
    }

    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6)
    }

    async fn advance(&self, by: Duration) {
        self.sql(&K::earlier(by.as_micros())).await;
    }

    async fn put(&self, conn: &mut <Server<K> as Transactions>::Conn, key: i64) -> Result<()> {
        K::run(conn, &format!("INSERT INTO put (k) VALUES ({key})")).await.map(drop)
    }

    async fn keys(&self) -> Vec<i64> {
        self.sql("SELECT k FROM put ORDER BY k").await
    }
}

/// Waits until `look` says so; far longer than it takes on the slowest machine, then the test fails.
pub(crate) async fn until(look: impl AsyncFn() -> bool) {
    let begun = std::time::Instant::now();
    while !look().await {
        assert!(begun.elapsed() < Duration::from_secs(60), "it did not come to pass");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A test of each function for every server, named `function::server`.
macro_rules! on_every_server {
    ($($test:ident),* $(,)?) => { $(
        mod $test {
            use crate::servers::fixture::OnServer;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                super::$test(OnServer::<batch_sql::PostgresKind>::fresh().await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn mariadb() {
                super::$test(OnServer::<batch_sql::MySqlKind>::fresh().await).await;
            }
        }
    )* };
}

pub(crate) use on_every_server;
