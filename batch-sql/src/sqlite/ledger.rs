//! The ledger of steps whose rows are in this database while their repository is another one.

use super::{Sqlite, SqliteTx, Store, session::Session};
use crate::{
    error::{Fail, Outcome},
    repository::{checkpoint::refused, record},
};
use batch_core::{
    Error, ErrorKind, Ledger, failpoint,
    repository::CommitError,
    transaction::{LedgerGuard, LedgerKey, LedgerState},
};
use sqlx::Row;

/// A row that is there already stays as it is.
const INSERT: &str = "INSERT INTO @ledger (repository, instance_id, step_name, holder, epoch, commit_no, last_updated)
    VALUES (?, ?, ?, ?, 0, 0, ?) ON CONFLICT (repository, instance_id, step_name) DO NOTHING";
/// Waits for a commit in flight; a later holder keeps the row.
const CLAIM: &str = "UPDATE @ledger SET epoch = epoch + 1, holder = ?, last_updated = ?
    WHERE repository = ? AND instance_id = ? AND step_name = ? AND holder <= ?";
/// After the epoch was raised, so that nothing changes it any more.
const READ: &str = "SELECT epoch, commit_no, entry FROM @ledger WHERE repository = ? AND instance_id = ? AND step_name = ?";
/// In the chunk's transaction: fails if the user ended it, since the savepoint set at its begin is gone then.
const NOTE: &str = "RELEASE batch_chunk; UPDATE @ledger SET entry = ?, commit_no = commit_no + 1, last_updated = ?
    WHERE repository = ? AND instance_id = ? AND step_name = ? AND epoch = ? AND commit_no = ? RETURNING commit_no";

/// What the tests of query plans look at.
#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[INSERT, CLAIM, READ, NOTE];

impl Ledger for Sqlite {
    async fn claim(&self, key: &LedgerKey, holder: i64) -> Result<LedgerState, Error> {
        let store = &*self.store;
        let doing = store.error("taking the ledger of a step");
        if !store.writer.make_durable(store.wait).await.map_err(|e| doing(Fail::Store(e)))? {
            return Err(store.busy());
        }
        let mut session = store.begin(store.wait).await.map_err(&doing)?;
        let outcome = take(&mut session, store, key, holder).await;
        session.end(outcome).await.map_err(&doing)
    }

    async fn commit_with_ledger(&self, mut tx: SqliteTx, guard: &LedgerGuard, entry: &str) -> Result<(), CommitError> {
        if let Err(error) = note(&mut tx, &self.store, guard, entry).await {
            tx.undo().await;
            return Err(error);
        }
        failpoint!("sqlite.commit.guarded");
        tx.finish().await
    }
}

async fn take(session: &mut Session, store: &Store, key: &LedgerKey, holder: i64) -> Outcome<LedgerState> {
    let now = record::time(store.now());
    let insert = session.query(INSERT).bind(key.repository.clone()).bind(key.instance).bind(key.step.clone());
    session.execute(insert.bind(holder).bind(now.clone())).await?;
    let claim = session.query(CLAIM).bind(holder).bind(now);
    let claim = claim.bind(key.repository.clone()).bind(key.instance).bind(key.step.clone()).bind(holder);
    if session.execute(claim).await? == 0 {
        return Err(Error::new(ErrorKind::NotOwner, "a later step execution has taken the ledger").into());
    }
    let read = session.query(READ).bind(key.repository.clone()).bind(key.instance).bind(key.step.clone());
    let row = session.row(read).await?.ok_or(sqlx::Error::RowNotFound)?;
    Ok(LedgerState { epoch: row.try_get("epoch")?, commit_no: row.try_get("commit_no")?, entry: row.try_get("entry")? })
}

async fn note(tx: &mut SqliteTx, store: &Store, guard: &LedgerGuard, entry: &str) -> Result<(), CommitError> {
    let LedgerKey { repository, instance, step } = &guard.key;
    let query = sqlx::query(store.texts.get(NOTE)).bind(entry).bind(record::time(store.now()));
    let query = query.bind(repository).bind(instance).bind(step).bind(guard.epoch).bind(guard.commit_no);
    let rows = query.fetch_all(tx.conn()).await.map_err(refused)?;
    if rows.is_empty() { Err(CommitError::NotOwner) } else { Ok(()) }
}
