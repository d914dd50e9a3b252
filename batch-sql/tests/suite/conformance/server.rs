//! Two handles of a new database on a server; the second stands for another process.

use batch_core::{Result, Transactions, repository::conformance};
use batch_sql::{Kind, Server, ServerOptions};
use batch_testkit::Database;
use chrono::{DateTime, SubsecRound, Utc};
use sqlx::{AssertSqlSafe, Executor, Row, raw_sql};
use std::time::Duration;

pub(super) struct OnServer<K: Kind> {
    first: Server<K>,
    second: Server<K>,
    _database: Database,
}

/// What the fixture needs of a driver: statements as texts.
pub(super) trait Speaks: Kind {
    /// What lets so many microseconds pass for leases.
    fn earlier(micros: u128) -> String;
    fn run(conn: &mut Self::Conn, sql: String) -> impl Future<Output = Result<Vec<i64>>> + Send;
}

impl Speaks for batch_sql::PostgresKind {
    fn earlier(micros: u128) -> String {
        format!("UPDATE batch_lease SET until_time = until_time - {micros} * interval '1 microsecond'")
    }

    async fn run(conn: &mut Self::Conn, sql: String) -> Result<Vec<i64>> {
        let rows = conn.fetch_all(raw_sql(AssertSqlSafe(sql))).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }
}

impl Speaks for batch_sql::MySqlKind {
    fn earlier(micros: u128) -> String {
        format!("UPDATE batch_lease SET until_time = until_time - INTERVAL {micros} MICROSECOND")
    }

    async fn run(conn: &mut Self::Conn, sql: String) -> Result<Vec<i64>> {
        let rows = conn.fetch_all(raw_sql(AssertSqlSafe(sql))).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }
}

impl<K: Speaks> OnServer<K> {
    pub(super) async fn fresh(server: &batch_testkit::Server) -> Self {
        let database = server.database().await;
        let url = database.url();
        let open = || ServerOptions::<K>::new().open(&url);
        let (first, second) = (open().await.unwrap(), open().await.unwrap());
        let fixture = Self { first, second, _database: database };
        fixture.sql("CREATE TABLE put (k BIGINT PRIMARY KEY)".to_owned()).await;
        fixture
    }

    async fn sql(&self, sql: String) -> Vec<i64> {
        let mut conn = self.first.pool().acquire().await.unwrap();
        K::run(&mut *conn, sql).await.unwrap()
    }
}

impl<K: Speaks> conformance::Fixture for OnServer<K>
where
    K::Conn: Send,
{
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
        self.sql(K::earlier(by.as_micros())).await;
    }

    async fn put(&self, conn: &mut <Server<K> as Transactions>::Conn, key: i64) -> Result<()> {
        K::run(conn, format!("INSERT INTO put (k) VALUES ({key})")).await.map(drop)
    }

    async fn keys(&self) -> Vec<i64> {
        self.sql("SELECT k FROM put ORDER BY k".to_owned()).await
    }
}
