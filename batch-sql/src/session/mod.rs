//! A transaction of the repository's own.

mod borrowed;

use crate::{
    error::{Fail, Outcome},
    sql::{Answer, Flavor, Link, Row, Statement, Texts, Value},
};
use batch_core::failpoint;
use borrowed::Borrowed;
use std::{
    mem,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// A connection inside a transaction. Dropped without [`Session::end`], it takes the connection with it, and nothing happened.
///
/// Each round trip counts, since a run makes some twenty of them one after the other, whatever it does: so what begins the transaction, what
/// needs no answer and what ends it go with the statements between them, where the database takes several as one text.
pub(crate) struct Session {
    lent: Box<dyn Borrowed>,
    texts: Arc<Texts>,
    statements: Arc<AtomicU64>,
    /// What goes before the next statement, each with its semicolon.
    before: String,
    /// Whether nothing was sent yet.
    unsent: bool,
}

/// Rows in one statement at most: so many placeholders fit in every database.
const BLOCK: usize = 1000;

impl Session {
    /// On a connection with an open transaction.
    pub(crate) fn new(lent: impl Borrowed + 'static, texts: Arc<Texts>, statements: Arc<AtomicU64>) -> Self {
        Self { lent: Box::new(lent), texts, statements, before: String::new(), unsent: false }
    }

    /// On a connection where `begin` is sent with the first statement.
    pub(crate) fn late(lent: impl Borrowed + 'static, texts: Arc<Texts>, statements: Arc<AtomicU64>, begin: &str) -> Self {
        Self { before: format!("{begin}; "), unsent: true, ..Self::new(lent, texts, statements) }
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

    /// Runs a statement that returns nothing and cannot change the wrong number of rows, at the latest with the next one.
    pub(crate) async fn later(&mut self, statement: Statement) -> Result<(), sqlx::Error> {
        match self.text(&statement) {
            Some(text) => {
                self.count();
                self.put_off(&text);
                Ok(())
            }
            None => self.execute(statement).await.map(drop),
        }
    }

    /// Runs a statement; returns how many rows it changed.
    pub(crate) async fn execute(&mut self, statement: Statement) -> Result<u64, sqlx::Error> {
        Ok(self.run(statement).await?.changed)
    }

    /// Runs an INSERT of one row that ends in `{id}` or `{or_find}`; returns the row's number.
    pub(crate) async fn insert(&mut self, statement: Statement) -> Result<i64, sqlx::Error> {
        self.run(statement).await?.number()
    }

    /// Inserts many rows, at the latest with the next statement; the template ends in `VALUES`.
    pub(crate) async fn insert_all(&mut self, template: &'static str, rows: &[Vec<Value>]) -> Result<(), sqlx::Error> {
        if !takes_texts(&self.texts) {
            self.flush().await?;
            return insert_all(self.lent.link(), &self.texts, template, rows, &self.statements).await;
        }
        for block in rows.chunks(BLOCK) {
            self.count();
            self.put_off(&Statement::rows_inline(template, &self.texts, block));
        }
        Ok(())
    }

    /// Runs a statement that returns at most one row.
    pub(crate) async fn row(&mut self, statement: Statement) -> Result<Option<Row>, sqlx::Error> {
        Ok(self.rows(statement).await?.pop())
    }

    /// Runs a statement that returns rows.
    pub(crate) async fn rows(&mut self, statement: Statement) -> Result<Vec<Row>, sqlx::Error> {
        Ok(self.run(statement).await?.rows)
    }

    /// Runs statements of which none needs the answer of another; the rows of each.
    pub(crate) async fn all<const N: usize>(&mut self, statements: [Statement; N]) -> Result<[Vec<Row>; N], sqlx::Error> {
        let texts: Option<Vec<String>> = statements.iter().map(|statement| self.text(statement)).collect();
        if let Some(texts) = texts {
            texts.iter().for_each(|_| self.count());
            return Ok(self.send(&texts.join("; ")).await?.apart());
        }
        let mut all = [const { Vec::new() }; N];
        for (rows, statement) in all.iter_mut().zip(statements) {
            *rows = self.rows(statement).await?;
        }
        Ok(all)
    }

    /// Runs several statements without values, in one round trip to a server; their rows.
    pub(crate) async fn script(&mut self, template: &'static str) -> Result<Vec<Row>, sqlx::Error> {
        let text = self.texts.get(template);
        Ok(self.send(&text).await?.rows)
    }

    /// Creates a schema, whose name was checked, where it is missing.
    pub(crate) async fn make_schema(&mut self, schema: &str) -> Result<(), sqlx::Error> {
        self.send(&format!("CREATE SCHEMA IF NOT EXISTS \"{schema}\"")).await.map(drop)
    }

    /// Rolls back.
    pub(crate) async fn undo(self) {
        // The outcome is the error given, which the caller has already.
        let _ = self.end::<()>(Err(sqlx::Error::RowNotFound.into())).await;
    }

    /// Runs the last statement and commits, whatever it answers.
    ///
    /// As the only one of its transaction it may run twice, where the connection is lost.
    pub(crate) async fn finish(mut self, statement: Statement) -> Outcome<Answer> {
        let Some(text) = self.text(&statement) else {
            let answer = self.run(statement).await.map_err(Fail::from);
            return self.end(answer).await;
        };
        self.count();
        failpoint!("session.ending");
        let sent = self.send(&format!("{text}; COMMIT")).await;
        failpoint!("session.ended");
        match sent {
            Ok(answer) => {
                self.lent.give_back();
                Ok(answer)
            }
            Err(error) => self.end(Err(error.into())).await,
        }
    }

    /// Commits after success and rolls back after a failure.
    pub(crate) async fn end<T>(mut self, outcome: Outcome<T>) -> Outcome<T> {
        failpoint!("session.ending");
        let ended = if outcome.is_ok() { self.send("COMMIT").await.map(drop) } else { self.roll_back().await };
        failpoint!("session.ended");
        match (outcome, ended) {
            (outcome, Ok(())) => {
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

    async fn roll_back(&mut self) -> Result<(), sqlx::Error> {
        if self.unsent {
            return Ok(());
        }
        self.lent.link().script("ROLLBACK".into()).await.map(drop)
    }

    fn text(&self, statement: &Statement) -> Option<String> {
        text(&self.texts, statement)
    }

    fn put_off(&mut self, text: &str) {
        self.before.push_str(text);
        self.before.push_str("; ");
    }

    async fn run(&mut self, statement: Statement) -> Result<Answer, sqlx::Error> {
        self.count();
        if let Some(text) = self.text(&statement) {
            return self.send(&text).await;
        }
        self.flush().await?;
        self.lent.link().run(statement).await
    }

    /// Sends what was put off.
    async fn flush(&mut self) -> Result<(), sqlx::Error> {
        if self.before.is_empty() {
            return Ok(());
        }
        let text = mem::take(&mut self.before);
        self.send(text.trim_end_matches("; ")).await.map(drop)
    }

    /// Sends a text after what was put off.
    async fn send(&mut self, text: &str) -> Result<Answer, sqlx::Error> {
        let text = (mem::take(&mut self.before) + text).into();
        match mem::take(&mut self.unsent) {
            true => self.lent.first(text).await,
            false => self.lent.link().script(text).await,
        }
    }

    fn count(&self) {
        self.statements.fetch_add(1, Ordering::Relaxed);
    }
}

/// Whether the database takes several statements as one text, and likes it: MySQL's driver reads what a text returns in another form.
fn takes_texts(texts: &Texts) -> bool {
    texts.flavor() == Flavor::Postgres
}

/// The statement with its values in it, where it comes once: PostgreSQL's driver prepares each in a round trip of its own.
fn text(texts: &Texts, statement: &Statement) -> Option<String> {
    let template = statement.once.filter(|_| takes_texts(texts))?;
    Some(texts.inline(template, &statement.values))
}

/// Runs a statement.
pub(crate) async fn run(link: &mut dyn Link, texts: &Texts, statement: Statement) -> Result<Answer, sqlx::Error> {
    match text(texts, &statement) {
        Some(text) => link.script(text.into()).await,
        None => link.run(statement).await,
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
        match takes_texts(texts) {
            true => link.script(Statement::rows_inline(template, texts, block).into()).await?,
            false => link.run(Statement::rows(template, texts, block)).await?,
        };
    }
    Ok(())
}
