//! A chunk's transaction: the writer's rows and the checkpoint, together.

use super::{Sqlite, SqliteStore, live::SqliteLive, wait::poll};
use crate::{
    error::{self, Class, class, says},
    repository::{SqlRepository, checkpoint, lease, unit},
    session::insert_all,
    slot::Lent,
    sql::Link,
    store::Store,
};
use batch_core::{
    BoxError, JobRepository, Request, Result, Transactions, failpoint,
    repository::{Commit, CommitError, Lease},
};
use sqlx::{AssertSqlSafe, Executor, SqliteConnection, raw_sql};
use std::{
    collections::HashSet,
    sync::{Arc, atomic::Ordering},
};

/// An open chunk transaction on SQLite.
///
/// Dropped without an end, it closes its connection, and SQLite undoes what was done.
pub struct SqliteTx {
    mark: Mark,
    lent: Lent<SqliteLive>,
    /// Savepoints of the step that are open.
    depth: usize,
}

/// Says that this handle holds the file's write lock.
struct Mark(Arc<SqliteStore>);

impl Mark {
    fn new(store: &Arc<SqliteStore>) -> Self {
        store.chunk_open.store(true, Ordering::Relaxed);
        Self(store.clone())
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        self.0.chunk_open.store(false, Ordering::Relaxed);
        self.0.pace.ended();
    }
}

/// SQLite has one transaction that writes at a time; a second `begin` on the same handle waits for the first to end.
impl Transactions for Sqlite {
    type Conn = SqliteConnection;
    type Tx = SqliteTx;

    async fn begin(&self) -> Result<SqliteTx> {
        let store = &self.store;
        let Some(mut lent) = store.writer.lend(store.wait).await? else { return Err(store.busy().into()) };
        store.pace.gap().await;
        match poll(lent.conn(), "BEGIN IMMEDIATE; SAVEPOINT batch_chunk", store.wait).await {
            Ok(()) => {}
            Err(e) if class(&e) == Class::Busy => {
                lent.give_back();
                return Err(store.busy().because(e).into());
            }
            Err(e) => return Err(error::store("beginning a chunk", e).with("file", store.path.display()).into()),
        }
        failpoint!("sqlite.begun");
        Ok(SqliteTx { mark: Mark::new(store), lent, depth: 0 })
    }

    fn conn(tx: &mut SqliteTx) -> &mut SqliteConnection {
        tx.lent.conn()
    }

    async fn savepoint(&self, tx: &mut SqliteTx) -> Result<()> {
        // Outside a transaction SAVEPOINT would begin one, so the first of a chunk asks whether the transaction still lives.
        let sql = match tx.depth {
            0 => "RELEASE batch_chunk; SAVEPOINT batch_chunk; SAVEPOINT batch_part",
            _ => "SAVEPOINT batch_part",
        };
        tx.run(sql).await?;
        tx.depth += 1;
        Ok(())
    }

    async fn release(&self, tx: &mut SqliteTx, check: bool) -> Result<()> {
        if check {
            self.check_foreign_keys(tx).await?;
        }
        tx.run("RELEASE batch_part").await?;
        tx.depth = tx.depth.saturating_sub(1);
        Ok(())
    }

    async fn rollback_to(&self, tx: &mut SqliteTx) -> Result<()> {
        tx.run("ROLLBACK TO batch_part; RELEASE batch_part").await?;
        tx.depth = tx.depth.saturating_sub(1);
        Ok(())
    }

    async fn commit(&self, mut tx: SqliteTx, commit: &Commit) -> Result<Option<Request>, CommitError> {
        let request = match self.checkpoint(&mut tx, commit).await {
            Ok(request) => request,
            Err(error) => {
                tx.undo().await;
                return Err(error);
            }
        };
        failpoint!("sqlite.commit.guarded");
        tx.finish().await.map(|()| request)
    }

    async fn rollback(&self, tx: SqliteTx) -> Result<()> {
        tx.undo().await;
        Ok(())
    }

    async fn abandon(&self, tx: SqliteTx) {
        tx.lent.close().await;
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

    fn connections(&self) -> Option<usize> {
        Some(1 + self.store.pool.options().get_max_connections() as usize)
    }
}

impl SqliteTx {
    pub(super) fn link(&mut self) -> &mut SqliteConnection {
        self.lent.conn()
    }

    async fn run(&mut self, sql: &'static str) -> Result<()> {
        match self.lent.conn().execute(raw_sql(sql)).await {
            Ok(_) => Ok(()),
            Err(e) if says(&e, "no such savepoint") => {
                let message = "the chunk's transaction is gone: a statement ended it (COMMIT, ROLLBACK or ON CONFLICT ROLLBACK)";
                Err(message.into())
            }
            Err(e) => Err(e.into()),
        }
    }

    pub(super) async fn finish(mut self) -> Result<(), CommitError> {
        failpoint!("sqlite.commit.sent");
        let Err(error) = self.lent.conn().execute(raw_sql("COMMIT")).await else {
            failpoint!("sqlite.committed");
            self.lent.give_back();
            return Ok(());
        };
        match class(&error) {
            // A deferred constraint; or a lock, where COMMIT leaves the transaction open.
            Class::Constraint | Class::Busy if matches!(error, sqlx::Error::Database(_)) => {
                self.undo().await;
                Err(CommitError::Refused(error.into()))
            }
            _ => {
                self.lent.close().await;
                Err(CommitError::Unknown(error.into()))
            }
        }
    }

    /// Rolls back; a connection that does not come back clean is closed, which does the same.
    pub(super) async fn undo(mut self) {
        match self.lent.conn().execute(raw_sql("ROLLBACK")).await {
            Ok(_) => self.lent.give_back(),
            Err(e) if says(&e, "no transaction is active") => self.lent.give_back(),
            Err(_) => self.lent.close().await,
        }
        drop(self.mark);
    }
}

impl Sqlite {
    /// Writes counts, checkpoint, context, skip records, units and, now and then, the lease; the caller commits.
    async fn checkpoint(&self, tx: &mut SqliteTx, commit: &Commit) -> Result<Option<Request>, CommitError> {
        let (store, conn) = (&self.store, tx.lent.conn());
        let answer = conn.run(checkpoint::in_chunk(&store.texts, commit)).await.map_err(checkpoint::refused)?;
        if answer.rows.is_empty() {
            return Err(CommitError::NotOwner);
        }
        let skips = checkpoint::skips(commit);
        let inserted = insert_all(conn, &store.texts, checkpoint::SKIPS, &skips, &store.statements);
        inserted.await.map_err(checkpoint::refused)?;
        for statement in unit::ends(&store.texts, commit) {
            conn.run(statement).await.map_err(checkpoint::refused)?;
        }
        self.renew(conn, &commit.guard.lease).await?;
        checkpoint::request(answer.rows.first()).map_err(checkpoint::refused)
    }

    /// Renews the lease with the chunk once a third of it has passed: a second writer would have to wait for the chunk.
    async fn renew(&self, conn: &mut SqliteConnection, lease: &Lease) -> Result<(), CommitError> {
        let store = &self.store;
        let last = store.renewed.lock().get(&lease.execution).copied();
        if last.is_some_and(|last| store.clock.uptime().saturating_sub(last) < lease.ttl / 3) {
            return Ok(());
        }
        let answer = conn.run(lease::renewal(&store.texts, store.timing(), lease)).await.map_err(checkpoint::refused)?;
        if answer.changed == 0 {
            return Err(CommitError::NotOwner);
        }
        // Noted before the commit: if that fails, the next renewal comes a third later at worst.
        store.holds(lease.execution, lease.ttl);
        Ok(())
    }
}

/// A violated foreign key: table, row and parent.
type Violation = (String, Option<i64>, String);

/// Only deferred keys wait for the commit. The repository's own are left out: they grow with the history, and are not the chunk's.
const VIOLATIONS: &str = "SELECT DISTINCT m.name, c.rowid, c.parent FROM sqlite_schema m, pragma_foreign_key_check(m.name) c
    WHERE m.type = 'table' AND '\"' || m.name || '\"' NOT IN ('@execution', '@parameter', '@lease', '@step', '@skip', '@unit', '@lock')
    AND (m.sql LIKE '%DEFERRED%' OR (SELECT defer_foreign_keys FROM pragma_defer_foreign_keys))";

impl Sqlite {
    /// Finds the violations that COMMIT would. What was violated before this transaction is not its fault. Reads the tables with
    /// deferred keys in full, which only a chunk that is being isolated has to.
    async fn check_foreign_keys(&self, tx: &mut SqliteTx) -> Result<()> {
        let now = self.violations(tx.lent.conn()).await?;
        if now.is_empty() {
            return Ok(());
        }
        let Some(mut lent) = self.store.reader.lend(self.store.wait).await? else { return Err(self.store.busy().into()) };
        let before: HashSet<Violation> = self.violations(lent.conn()).await?.into_iter().collect();
        lent.give_back();
        match now.into_iter().find(|v| !before.contains(v)) {
            Some((table, Some(row), parent)) => {
                Err(format!("foreign key violated: row {row} of `{table}` has no parent in `{parent}`").into())
            }
            Some((table, None, parent)) => {
                Err(format!("foreign key violated: a row of `{table}` has no parent in `{parent}`").into())
            }
            None => Ok(()),
        }
    }

    async fn violations(&self, conn: &mut SqliteConnection) -> Result<Vec<Violation>> {
        Ok(sqlx::query_as(AssertSqlSafe(self.store.texts.get(VIOLATIONS))).fetch_all(conn).await?)
    }
}
