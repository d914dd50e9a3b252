//! A chunk's transaction: the writer's rows and the checkpoint, together.

use super::{Kind, Server, kind::Begin, live::ServerLive, store::ServerStore};
use crate::{
    error::{self, Class, Fail, class, is_elsewhere},
    repository::{SqlRepository, checkpoint},
    session::{self, insert_all},
    slot::Lent,
    sql::{Answer, Link, Statement, Texts, Value},
};
use batch_core::{
    BoxError, JobRepository, Overlap, Request, Result, Transactions, failpoint,
    repository::{Commit, CommitError},
};
use std::sync::{Arc, atomic::Ordering};

/// An open chunk transaction on a server.
///
/// Dropped without an end, it closes its connection, and the server undoes what was done.
pub struct ServerTx<K: Kind> {
    lent: Lent<ServerLive<K>>,
    /// Whether the connection was not lent since the savepoint was set.
    clean: bool,
    /// What is still to be sent first.
    late: Option<Begin>,
}

/// What ends a transaction.
enum Ending {
    /// The checkpoint is all of it.
    Alone(Statement),
    /// Checkpoint and COMMIT; whether the connection keeps the checkpoint's statement from then on.
    Text { text: String, prepares: bool },
}

impl<K: Kind> Transactions for Server<K> {
    type Conn = K::Conn;
    type Tx = ServerTx<K>;

    async fn begin(&self) -> Result<ServerTx<K>> {
        let store = &self.store;
        let lent = store.begin_chunk(&self.chunk()).await.map_err(|fail| store.not_begun(fail))?;
        failpoint!("server.begun");
        Ok(ServerTx { lent, clean: true, late: None })
    }

    async fn begin_late(&self) -> Result<ServerTx<K>> {
        let store = &self.store;
        let lent = store.lend(&store.chunks, store.wait).await.map_err(|fail| store.not_begun(fail))?;
        Ok(ServerTx::late(lent, self.chunk()))
    }

    fn conn(tx: &mut ServerTx<K>) -> &mut K::Conn {
        tx.clean = false;
        tx.lent.conn()
    }

    /// The point is the savepoint that was set when the chunk began, so that marking it the first time costs nothing. Setting it again asks
    /// whether the transaction still lives: a user's COMMIT and BEGIN would pass unseen until the commit.
    async fn savepoint(&self, tx: &mut ServerTx<K>) -> Result<()> {
        if !tx.clean {
            tx.run("RELEASE SAVEPOINT batch_chunk; SAVEPOINT batch_chunk").await?;
            tx.clean = true;
        }
        Ok(())
    }

    async fn release(&self, tx: &mut ServerTx<K>, check: bool) -> Result<()> {
        if check && !K::CHECK.is_empty() {
            tx.run(K::CHECK).await?;
        }
        Ok(())
    }

    async fn rollback_to(&self, tx: &mut ServerTx<K>) -> Result<()> {
        tx.run("ROLLBACK TO SAVEPOINT batch_chunk").await?;
        tx.clean = true;
        Ok(())
    }

    async fn commit(&self, tx: ServerTx<K>, commit: &Commit) -> Result<Option<Request>, CommitError> {
        self.store.end(tx, commit).await
    }

    async fn rollback(&self, tx: ServerTx<K>) -> Result<()> {
        tx.undo().await;
        Ok(())
    }

    async fn abandon(&self, tx: ServerTx<K>) {
        let number = tx.lent.live().number;
        drop(tx);
        if let Err(error) = self.store.kill(number).await {
            tracing::warn!(%error, "a connection could not be ended; the server ends its transaction when it notices");
        }
    }

    fn is_transient(&self, error: &BoxError) -> bool {
        error::is_transient(error)
    }

    fn is_fatal(&self, error: &BoxError) -> bool {
        error::is_fatal(error)
    }

    fn explain(&self, error: BoxError) -> BoxError {
        error::explain(error, &self.store.place)
    }

    fn repository(&self) -> Arc<dyn JobRepository> {
        Arc::new(SqlRepository::new(self.store.clone()))
    }

    fn relaxed(&self) -> Option<Self> {
        K::RELAXES.then(|| Self { relaxed: true, ..self.clone() })
    }

    fn overlap(&self) -> Option<Overlap> {
        Some(Overlap { at_once: self.store.chunks_at_once, idle: self.store.beginning(self.store.wait).idle })
    }

    /// Those of the pool, and the chunk's own.
    fn connections(&self) -> Option<usize> {
        Some(1 + self.store.pool.options().get_max_connections() as usize)
    }
}

impl<K: Kind> Server<K> {
    fn chunk(&self) -> Begin {
        Begin { chunk: true, synchronous: self.relaxed.then_some(false), ..self.store.beginning(self.store.wait) }
    }
}

impl<K: Kind> ServerStore<K> {
    fn not_begun(&self, fail: Fail) -> BoxError {
        match fail {
            Fail::Store(e) => self.place.of(error::store("beginning a chunk", e)).into(),
            Fail::Refused(e) => e.into(),
        }
    }

    /// Writes the checkpoint and commits: one round trip, unless there are very many skip records.
    pub(super) async fn end(&self, mut tx: ServerTx<K>, commit: &Commit) -> Result<Option<Request>, CommitError> {
        let skips = checkpoint::skips_before(commit);
        if let Err(error) = self.note(&mut tx, &skips).await {
            tx.undo().await;
            return Err(checkpoint::refused(error));
        }
        let ending = self.ending(&mut tx, commit);
        let is_alone = matches!(ending, Ending::Alone(_));
        self.statements.fetch_add(1, Ordering::Relaxed);
        failpoint!("server.commit.sending");
        let sent = tx.send(ending, &self.texts).await;
        failpoint!("server.commit.answered");
        if sent.as_ref().is_err_and(is_elsewhere) {
            self.prepares.store(false, Ordering::Relaxed);
        }
        match sent {
            Ok(answer) => {
                tx.lent.give_back();
                match answer.rows.first() {
                    None if is_alone => Err(CommitError::NotOwner),
                    // What an operator asks came back with the guard, before the COMMIT: the chunk is committed whatever it says.
                    row => Ok(checkpoint::request(row).unwrap_or_default()),
                }
            }
            Err(error) => Err(tx.failed(error).await),
        }
    }

    async fn note(&self, tx: &mut ServerTx<K>, skips: &[Vec<Value>]) -> Result<(), sqlx::Error> {
        if !skips.is_empty() {
            tx.start().await?;
        }
        insert_all(tx.lent.conn(), &self.texts, checkpoint::SKIPS, skips, &self.statements).await
    }

    /// All that is still to be sent.
    fn ending(&self, tx: &mut ServerTx<K>, commit: &Commit) -> Ending {
        let texts = &self.texts;
        let Some(begin) = tx.late.take() else {
            let prepared = tx.lent.live().prepared;
            let text = format!("{}{}", checkpoint::STILL_OPEN, checkpoint::and_commit(texts, commit, prepared));
            return Ending::Text { text, prepares: false };
        };
        if checkpoint::is_alone(texts, commit) {
            let prepares = self.prepares.load(Ordering::Relaxed);
            return Ending::Alone(checkpoint::alone(texts, commit, prepares, begin.synchronous));
        }
        let prepares = self.prepares(&tx.lent);
        let prepare = if prepares { checkpoint::prepare(texts) + "; " } else { String::new() };
        let begin = K::begin(&Begin { chunk: false, ..begin });
        let rest = checkpoint::and_commit(texts, commit, prepares || tx.lent.live().prepared);
        Ending::Text { text: format!("{begin}; {prepare}{rest}"), prepares }
    }
}

impl<K: Kind> ServerTx<K> {
    /// A transaction that begins with its commit.
    pub(super) fn late(lent: Lent<ServerLive<K>>, begin: Begin) -> Self {
        Self { lent, clean: true, late: Some(begin) }
    }

    /// Sends what begins the transaction, if that was put off.
    async fn start(&mut self) -> Result<(), sqlx::Error> {
        let Some(begin) = self.late.take() else { return Ok(()) };
        self.lent.conn().script(K::begin(&begin).into()).await.map(drop)
    }

    pub(super) fn conn(&mut self) -> &mut K::Conn {
        self.lent.conn()
    }

    async fn send(&mut self, ending: Ending, texts: &Texts) -> Result<Answer, sqlx::Error> {
        let (text, prepares) = match ending {
            Ending::Alone(statement) => return session::run(self.lent.conn(), texts, statement).await,
            Ending::Text { text, prepares } => (text, prepares),
        };
        let sent = self.lent.conn().script(text.into()).await;
        // What was prepared stays so where the guard refuses, since it came first.
        let live = self.lent.live_mut();
        live.prepared = (live.prepared || prepares) && !sent.as_ref().is_err_and(is_elsewhere);
        sent
    }

    /// Ends a transaction whose COMMIT was answered.
    pub(super) fn committed(self) {
        self.lent.give_back();
    }

    async fn run(&mut self, text: &'static str) -> Result<(), sqlx::Error> {
        self.start().await?;
        self.lent.conn().script(text.into()).await.map(drop)
    }

    /// What a failure of guard and COMMIT means: an answer of the server says that nothing was committed, no answer says nothing.
    pub(super) async fn failed(self, error: sqlx::Error) -> CommitError {
        let is_answer = matches!(error, sqlx::Error::Database(_)) && class(&error) != Class::Lost;
        if !is_answer {
            self.lent.close().await;
            return CommitError::Unknown(error.into());
        }
        self.undo().await;
        if checkpoint::is_refused_by_guard(&error) { CommitError::NotOwner } else { checkpoint::refused(error) }
    }

    /// Rolls back; a connection that does not come back clean is closed, which does the same.
    async fn undo(mut self) {
        if self.late.is_some() {
            return self.lent.give_back();
        }
        match self.run("ROLLBACK").await {
            Ok(()) => self.lent.give_back(),
            Err(_) => self.lent.close().await,
        }
    }
}
