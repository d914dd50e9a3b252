//! A server as the place of rows whose repository is another database.

use super::{Kind, Server, ServerTx};
use crate::{ledger, sql::Link, store::Store};
use batch_core::{
    Error, Ledger, failpoint,
    repository::CommitError,
    transaction::{LedgerGuard, LedgerKey, LedgerState},
};

/// MySQL waits for the disk where `innodb_flush_log_at_trx_commit` is 1, its default, which no session changes.
impl<K: Kind> Ledger for Server<K> {
    async fn claim(&self, key: &LedgerKey, holder: i64) -> Result<LedgerState, Error> {
        ledger::claim(&*self.store, key, holder).await
    }

    async fn commit_with_ledger(&self, mut tx: ServerTx<K>, guard: &LedgerGuard, entry: &str) -> Result<(), CommitError> {
        let text = ledger::and_commit(&self.store.texts, guard, entry, self.store.now());
        failpoint!("server.commit.sending");
        let sent = tx.conn().script(text.into()).await;
        failpoint!("server.commit.answered");
        match sent {
            Ok(_) => {
                tx.committed();
                Ok(())
            }
            Err(error) => Err(tx.failed(error).await),
        }
    }
}
