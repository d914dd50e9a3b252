//! How far steps of other repositories are that write here.

use super::{Memory, state::State};
use crate::{
    error::{Error, ErrorKind},
    repository::CommitError,
    transaction::{Ledger, LedgerGuard, LedgerKey, LedgerState},
};

impl Ledger for Memory {
    async fn claim(&self, key: &LedgerKey, holder: i64) -> Result<LedgerState, Error> {
        self.state.lock().claim(key, holder)
    }

    async fn commit_with_ledger(&self, (): (), guard: &LedgerGuard, entry: &str) -> Result<(), CommitError> {
        self.state.lock().note(guard, entry)
    }
}

impl State {
    fn claim(&mut self, key: &LedgerKey, holder: i64) -> Result<LedgerState, Error> {
        let row = self.ledger.entry(key.clone()).or_default();
        if row.holder > holder {
            return Err(taken(row.holder));
        }
        row.holder = holder;
        row.epoch += 1;
        Ok(LedgerState { epoch: row.epoch, commit_no: row.commit_no, entry: row.entry.clone() })
    }

    fn note(&mut self, guard: &LedgerGuard, entry: &str) -> Result<(), CommitError> {
        let row = self.ledger.get_mut(&guard.key).filter(|row| row.epoch == guard.epoch && row.commit_no == guard.commit_no);
        let row = row.ok_or(CommitError::NotOwner)?;
        row.commit_no += 1;
        row.entry = Some(entry.to_owned());
        Ok(())
    }
}

fn taken(holder: i64) -> Error {
    Error::new(ErrorKind::NotOwner, "a later step execution has taken the ledger").with("step execution", holder)
}
