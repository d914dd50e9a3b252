//! A transaction of the repository's own.

use super::{Store, Texts, slot::Lent};
use crate::error::Outcome;
use batch_core::failpoint;
use sqlx::{Executor, Sqlite, SqliteConnection, query::Query, raw_sql, sqlite::SqliteArguments, sqlite::SqliteRow};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// A statement with its values.
pub(crate) type Bound = Query<'static, Sqlite, SqliteArguments>;

/// A connection inside a transaction. Dropped without [`Session::end`], it takes the connection with it, and nothing happened.
pub(crate) struct Session {
    lent: Lent,
    texts: Arc<Texts>,
    statements: Arc<AtomicU64>,
}

impl Session {
    pub(super) fn new(lent: Lent, store: &Store) -> Self {
        Self { lent, texts: store.texts.clone(), statements: store.statements.clone() }
    }

    /// A statement of the repository; `@step` in the template is its table `step`.
    pub(crate) fn query(&self, template: &'static str) -> Bound {
        sqlx::query(self.texts.get(template))
    }

    /// Runs a statement; returns how many rows it changed.
    pub(crate) async fn execute(&mut self, query: Bound) -> Result<u64, sqlx::Error> {
        self.count();
        Ok(query.execute(self.lent.conn()).await?.rows_affected())
    }

    /// Runs a statement that returns at most one row.
    pub(crate) async fn row(&mut self, query: Bound) -> Result<Option<SqliteRow>, sqlx::Error> {
        Ok(self.rows(query).await?.pop())
    }

    /// Runs a statement that returns rows.
    pub(crate) async fn rows(&mut self, query: Bound) -> Result<Vec<SqliteRow>, sqlx::Error> {
        self.count();
        query.fetch_all(self.lent.conn()).await
    }

    /// Runs several statements without values.
    pub(crate) async fn script(&mut self, template: &'static str) -> Result<(), sqlx::Error> {
        self.lent.conn().execute(raw_sql(self.texts.get(template))).await.map(drop)
    }

    /// The connection itself.
    pub(crate) fn conn(&mut self) -> &mut SqliteConnection {
        self.count();
        self.lent.conn()
    }

    /// Rolls back.
    pub(crate) async fn undo(self) {
        // The outcome is the error given, which the caller has already.
        let _ = self.end::<()>(Err(sqlx::Error::RowNotFound.into())).await;
    }

    /// Commits after success and rolls back after a failure.
    pub(crate) async fn end<T>(mut self, outcome: Outcome<T>) -> Outcome<T> {
        let end = if outcome.is_ok() { "COMMIT" } else { "ROLLBACK" };
        failpoint!("sqlite.session.ending");
        let ended = self.lent.conn().execute(raw_sql(end)).await;
        failpoint!("sqlite.session.ended");
        match (outcome, ended) {
            (outcome, Ok(_)) => {
                self.lent.give_back();
                outcome
            }
            // The connection is closed, which rolls back what may still be open.
            (Ok(_), Err(e)) => {
                self.lent.close().await;
                Err(e.into())
            }
            (Err(fail), Err(_)) => {
                self.lent.close().await;
                Err(fail)
            }
        }
    }

    fn count(&self) {
        self.statements.fetch_add(1, Ordering::Relaxed);
    }
}
