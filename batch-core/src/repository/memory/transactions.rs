//! Chunks whose rows are in no database: the commit is the checkpoint alone.

use super::Memory;
use crate::{
    error::{BoxError, Error, Result, Transient, caused_by},
    repository::{Commit, CommitError, JobRepository, Request},
    transaction::Transactions,
};
use std::sync::Arc;

impl Transactions for Memory {
    type Conn = ();
    type Tx = ();

    async fn begin(&self) -> Result<()> {
        Ok(())
    }

    fn conn(tx: &mut ()) -> &mut () {
        tx
    }

    async fn savepoint(&self, (): &mut ()) -> Result<()> {
        Ok(())
    }

    async fn release(&self, (): &mut (), _: bool) -> Result<()> {
        Ok(())
    }

    async fn rollback_to(&self, (): &mut ()) -> Result<()> {
        Ok(())
    }

    async fn commit(&self, (): (), commit: &Commit) -> Result<Option<Request>, CommitError> {
        JobRepository::commit(self, commit).await
    }

    async fn rollback(&self, (): ()) -> Result<()> {
        Ok(())
    }

    async fn abandon(&self, (): ()) {}

    fn is_transient(&self, error: &BoxError) -> bool {
        caused_by::<Transient>(error, |_| true) || caused_by(error, Error::is_transient)
    }

    fn repository(&self) -> Arc<dyn JobRepository> {
        Arc::new(self.clone())
    }

    /// There is no disk to wait for.
    fn relaxed(&self) -> Option<Self> {
        Some(self.clone())
    }

    fn undoes_writes(&self) -> bool {
        false
    }
}
