//! SQLite as the place of rows whose repository is another database.

use super::{Sqlite, SqliteTx, live::DURABLE};
use crate::{error::Fail, ledger, repository::checkpoint::refused, sql::Link, store::Store};
use batch_core::{
    Error, Ledger, failpoint,
    repository::CommitError,
    transaction::{LedgerGuard, LedgerKey, LedgerState},
};
use sqlx::Executor;
use std::sync::atomic::Ordering;

impl Ledger for Sqlite {
    async fn claim(&self, key: &LedgerKey, holder: i64) -> Result<LedgerState, Error> {
        self.make_durable().await?;
        ledger::claim(&*self.store, key, holder).await
    }

    async fn commit_with_ledger(&self, mut tx: SqliteTx, guard: &LedgerGuard, entry: &str) -> Result<(), CommitError> {
        let statement = ledger::in_chunk(&self.store.texts, guard, entry, self.store.now());
        let refusal = match tx.link().run(statement).await {
            Ok(answer) if answer.rows.is_empty() => CommitError::NotOwner,
            Ok(_) => {
                failpoint!("sqlite.commit.guarded");
                return tx.finish().await;
            }
            Err(error) => refused(error),
        };
        tx.undo().await;
        Err(refusal)
    }
}

impl Sqlite {
    /// Makes chunks wait for the disk from now on, whatever the options say: the ledger decides what a restart goes on from.
    async fn make_durable(&self) -> Result<(), Error> {
        let store = &*self.store;
        let doing = (store as &dyn Store).error("taking the ledger of a step");
        let failed = |e| doing(Fail::Store(e));
        store.durable.store(true, Ordering::Relaxed);
        let Some(mut lent) = store.writer.lend(store.wait).await.map_err(failed)? else { return Err(store.busy()) };
        lent.conn().execute(DURABLE).await.map_err(failed)?;
        lent.give_back();
        Ok(())
    }
}
