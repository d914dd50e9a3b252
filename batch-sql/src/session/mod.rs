//! A transaction of the repository's own.

mod borrowed;

use crate::{
    error::{Fail, Outcome},
    sql::{Answer, Flavor, Link, Row, Statement, Texts, Value},
};
use batch_core::failpoint;
use borrowed::Borrowed;
use std::{
    array, mem,
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
                self.count(1);
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

    /// Inserts many rows, at the latest with the next statement.
    pub(crate) async fn insert_all(&mut self, template: &'static str, rows: &[Vec<Value>]) -> Result<(), sqlx::Error> {
        for statement in blocks(&self.texts.clone(), template, rows) {
            self.later(statement).await?;
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

    /// Runs statements of which none needs the answer of another; what each gave back.
    pub(crate) async fn all<const N: usize>(&mut self, statements: [Statement; N]) -> Result<[Answer; N], sqlx::Error> {
        if let Some(text) = self.joined(&statements) {
            return Ok(self.send(&text).await?.apart());
        }
        let mut answers = array::from_fn(|_| Answer::default());
        for (answer, statement) in answers.iter_mut().zip(statements) {
            *answer = self.run(statement).await?;
        }
        Ok(answers)
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

    /// Runs the last statements and commits, whatever they answer; what the first gave back.
    ///
    /// As the only ones of their transaction they may run twice, where the connection is lost.
    pub(crate) async fn finish(mut self, statements: Vec<Statement>) -> Outcome<Answer> {
        let Some(text) = self.joined(&statements) else {
            let answer = self.in_turn(statements).await.map_err(Fail::from);
            return self.end(answer).await;
        };
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

    /// All of them as one text, where each has one.
    fn joined(&self, statements: &[Statement]) -> Option<String> {
        let texts: Vec<String> = statements.iter().map(|statement| self.text(statement)).collect::<Option<_>>()?;
        self.count(texts.len());
        Some(texts.join("; "))
    }

    async fn in_turn(&mut self, statements: Vec<Statement>) -> Result<Answer, sqlx::Error> {
        let mut first = None;
        for statement in statements {
            let answer = self.run(statement).await?;
            first.get_or_insert(answer);
        }
        Ok(first.unwrap_or_default())
    }

    fn put_off(&mut self, text: &str) {
        self.before.push_str(text);
        self.before.push_str("; ");
    }

    async fn run(&mut self, statement: Statement) -> Result<Answer, sqlx::Error> {
        self.count(1);
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

    fn count(&self, statements: usize) {
        self.statements.fetch_add(statements as u64, Ordering::Relaxed);
    }
}

/// Whether the database takes several statements as one text, and likes it: MySQL's driver reads what a text returns in another form.
fn takes_texts(texts: &Texts) -> bool {
    texts.flavor() == Flavor::Postgres
}

/// The statement with its values in it, where it comes once: PostgreSQL's driver prepares each in a round trip of its own.
fn text(texts: &Texts, statement: &Statement) -> Option<String> {
    let template = statement.once.as_ref().filter(|_| takes_texts(texts))?;
    Some(texts.inline(template, &statement.values))
}

/// The statements that insert rows, as few as their number allows; the template ends in VALUES and one row of placeholders.
pub(crate) fn blocks(texts: &Texts, template: &'static str, rows: &[Vec<Value>]) -> impl Iterator<Item = Statement> {
    rows.chunks(BLOCK).map(move |block| Statement::rows(template, texts, block))
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
    for statement in blocks(texts, template, rows) {
        statements.fetch_add(1, Ordering::Relaxed);
        run(link, texts, statement).await?;
    }
    Ok(())
}
