//! A transaction of the repository's own.

use crate::{
    error::{Fail, Outcome},
    slot::{Lent, Live},
    sql::{Answer, Flavor, Link, Row, Statement, Texts, Value},
};
use async_trait::async_trait;
use batch_core::failpoint;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// A borrowed connection, whichever driver's.
#[async_trait]
pub(crate) trait Borrowed: Send {
    fn link(&mut self) -> &mut dyn Link;
    fn give_back(self: Box<Self>);
    async fn close(self: Box<Self>);
}

#[async_trait]
impl<L: Live> Borrowed for Lent<L> {
    fn link(&mut self) -> &mut dyn Link {
        self.conn()
    }

    fn give_back(self: Box<Self>) {
        Lent::give_back(*self);
    }

    async fn close(self: Box<Self>) {
        Lent::close(*self).await;
    }
}

/// A connection inside a transaction. Dropped without [`Session::end`], it takes the connection with it, and nothing happened.
pub(crate) struct Session {
    lent: Box<dyn Borrowed>,
    texts: Arc<Texts>,
    statements: Arc<AtomicU64>,
}

/// Rows in one statement at most: so many placeholders fit in every database.
const BLOCK: usize = 1000;

impl Session {
    pub(crate) fn new(lent: impl Borrowed + 'static, texts: Arc<Texts>, statements: Arc<AtomicU64>) -> Self {
        Self { lent: Box::new(lent), texts, statements }
    }

    pub(crate) fn texts(&self) -> &Arc<Texts> {
        &self.texts
    }

    /// A statement of the repository; `@step` in the template is its table `step`.
    pub(crate) fn query(&self, template: &'static str) -> Statement {
        Statement::new(self.texts.get(template))
    }

    /// A statement of those that a run needs once: it is not worth being prepared where that costs a round trip.
    pub(crate) fn once(&self, template: &'static str) -> Statement {
        self.query(template).once(template)
    }

    /// Runs a statement; returns how many rows it changed.
    pub(crate) async fn execute(&mut self, statement: Statement) -> Result<u64, sqlx::Error> {
        self.count();
        Ok(run(self.lent.link(), &self.texts, statement).await?.changed)
    }

    /// Runs an INSERT of one row that ends in `{id}` or `{or_find}`; returns the row's number.
    pub(crate) async fn insert(&mut self, statement: Statement) -> Result<i64, sqlx::Error> {
        self.count();
        let answer = run(self.lent.link(), &self.texts, statement).await?;
        match answer.rows.first() {
            Some(row) => row.get("id"),
            None => Ok(answer.inserted),
        }
    }

    /// Inserts many rows; the template ends in `VALUES`.
    pub(crate) async fn insert_all(&mut self, template: &'static str, rows: &[Vec<Value>]) -> Result<(), sqlx::Error> {
        insert_all(self.lent.link(), &self.texts, template, rows, &self.statements).await
    }

    /// Runs a statement that returns at most one row.
    pub(crate) async fn row(&mut self, statement: Statement) -> Result<Option<Row>, sqlx::Error> {
        Ok(self.rows(statement).await?.pop())
    }

    /// Runs a statement that returns rows.
    pub(crate) async fn rows(&mut self, statement: Statement) -> Result<Vec<Row>, sqlx::Error> {
        self.count();
        Ok(run(self.lent.link(), &self.texts, statement).await?.rows)
    }

    /// Runs several statements without values, in one round trip to a server; their rows.
    pub(crate) async fn script(&mut self, template: &'static str) -> Result<Vec<Row>, sqlx::Error> {
        Ok(self.lent.link().script(self.texts.get(template)).await?.rows)
    }

    /// Creates a schema, whose name was checked, where it is missing.
    pub(crate) async fn make_schema(&mut self, schema: &str) -> Result<(), sqlx::Error> {
        self.lent.link().script(format!("CREATE SCHEMA IF NOT EXISTS \"{schema}\"").into()).await.map(drop)
    }

    /// Rolls back.
    pub(crate) async fn undo(self) {
        // The outcome is the error given, which the caller has already.
        let _ = self.end::<()>(Err(sqlx::Error::RowNotFound.into())).await;
    }

    /// Commits after success and rolls back after a failure.
    pub(crate) async fn end<T>(mut self, outcome: Outcome<T>) -> Outcome<T> {
        let end = if outcome.is_ok() { "COMMIT" } else { "ROLLBACK" };
        failpoint!("session.ending");
        let ended = self.lent.link().script(end.into()).await;
        failpoint!("session.ended");
        match (outcome, ended) {
            (outcome, Ok(_)) => {
                self.lent.give_back();
                outcome
            }
            // The connection is closed, which rolls back what may still be open.
            (Ok(_), Err(e)) => {
                self.lent.close().await;
                Err(Fail::Store(e))
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

/// Runs a statement. PostgreSQL's driver prepares each in a round trip of its own, so what comes once goes there as a text with its values.
pub(crate) async fn run(link: &mut dyn Link, texts: &Texts, statement: Statement) -> Result<Answer, sqlx::Error> {
    match &statement.once {
        Some(template) if texts.flavor() == Flavor::Postgres => link.script(texts.inline(template, &statement.values).into()).await,
        _ => link.run(statement).await,
    }
}

/// Inserts rows in as few statements as their number allows.
pub(crate) async fn insert_all(
    link: &mut dyn Link,
    texts: &Texts,
    template: &'static str,
    rows: &[Vec<Value>],
    statements: &AtomicU64,
) -> Result<(), sqlx::Error> {
    for block in rows.chunks(BLOCK) {
        statements.fetch_add(1, Ordering::Relaxed);
        match texts.flavor() {
            Flavor::Postgres => link.script(Statement::rows_inline(template, texts, block).into()).await?,
            _ => link.run(Statement::rows(template, texts, block)).await?,
        };
    }
    Ok(())
}
