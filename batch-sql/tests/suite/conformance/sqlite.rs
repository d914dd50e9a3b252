//! The suite that every backend passes.

use crate::fixture::Fixture;
use batch_core::{Clock, Result, repository::conformance};
use batch_sql::Sqlite;
use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;
use std::time::Duration;

/// A second handle stands for another process.
struct TwoHandles(Fixture, Sqlite);

impl conformance::Fixture for TwoHandles {
    type Database = Sqlite;

    fn database(&self) -> Sqlite {
        self.0.db.clone()
    }

    fn other(&self) -> Sqlite {
        self.1.clone()
    }

    fn now(&self) -> DateTime<Utc> {
        self.0.clock.now()
    }

    async fn advance(&self, by: Duration) {
        self.0.clock.advance(by);
    }

    async fn put(&self, conn: &mut SqliteConnection, key: i64) -> Result<()> {
        sqlx::query("INSERT INTO put (key) VALUES (?)").bind(key).execute(conn).await?;
        Ok(())
    }

    async fn keys(&self) -> Vec<i64> {
        sqlx::query_scalar("SELECT key FROM put ORDER BY key").fetch_all(self.0.db.pool()).await.unwrap()
    }
}

async fn fresh() -> TwoHandles {
    let first = Fixture::new().await;
    first.sql("CREATE TABLE put (key INTEGER PRIMARY KEY)").await;
    let second = first.other().await;
    TwoHandles(first, second)
}

batch_core::conformance_tests!(fresh());
