//! Stop, pause, resume, abandon, purge.

use super::{JobExplorer, JobRepository, Purge, Purged, Request};
use crate::{error::Error, execution::BatchStatus};
use std::sync::Arc;

/// What an operator does to executions, whichever process runs them.
///
/// A request is heard by the next commit, or by the next renewal of the lease where no commit comes: at the latest after a third of
/// the lease. The last request counts: a stop that was not heard yet is replaced by a pause, and taken back by a resume.
///
/// # Errors
/// All calls: kind `NotFound` where no execution has that number; `Unavailable` where the repository does not answer.
///
/// ```
/// # use batch_core::{ErrorKind, JobOperator, Memory};
/// # use std::sync::Arc;
/// # let test = async {
/// let operator = JobOperator::new(Arc::new(Memory::new()));
/// let refused = operator.stop(7).await.unwrap_err();
/// assert_eq!(refused.kind(), ErrorKind::NotFound);
/// # };
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(test);
/// ```
#[derive(Debug, Clone)]
pub struct JobOperator {
    repository: Arc<dyn JobRepository>,
}

impl JobOperator {
    /// Operates on the executions of `repository`.
    pub fn new(repository: Arc<dyn JobRepository>) -> Self {
        Self { repository }
    }

    /// Lets a running execution end after its current chunk, STOPPED and restartable. Returns when it was asked, not when it ended.
    ///
    /// # Errors
    /// Kind `Configuration` where the execution is not active.
    pub async fn stop(&self, execution: i64) -> Result<(), Error> {
        self.repository.request(execution, Some(Request::Stop)).await
    }

    /// Lets a running execution wait after its current chunk, with nothing open, until it is resumed or stopped.
    ///
    /// It keeps its lease meanwhile; a process that dies while it waits is taken over as any other, and the next try is not paused.
    ///
    /// # Errors
    /// As for [`Self::stop`].
    pub async fn pause(&self, execution: i64) -> Result<(), Error> {
        self.repository.request(execution, Some(Request::Pause)).await
    }

    /// Lets a paused execution go on. One that was not paused goes on as it did.
    ///
    /// # Errors
    /// As for [`Self::stop`].
    pub async fn resume(&self, execution: i64) -> Result<(), Error> {
        self.repository.request(execution, None).await
    }

    /// Gives up an execution that has ended, so that its instance is never launched again; returns the status it had.
    ///
    /// # Errors
    /// Kind `AlreadyRunning` where the execution is active: stop it first, or let a launch take over from a dead process.
    pub async fn abandon(&self, execution: i64) -> Result<BatchStatus, Error> {
        self.repository.abandon(execution).await
    }

    /// Deletes history, in batches of one transaction each, and says how much. Jobs may run and be launched meanwhile.
    ///
    /// What is deleted when an error ends it stays deleted; the next call goes on.
    pub async fn purge(&self, purge: &Purge) -> Result<Purged, Error> {
        let mut all = Purged::default();
        loop {
            let batch = self.repository.purge(purge).await?;
            all += batch;
            if purge.dry_run || batch.instances < purge.batch.get().into() {
                return Ok(all);
            }
            tokio::task::yield_now().await;
        }
    }

    /// The reading side of the same repository.
    pub fn explorer(&self) -> Arc<dyn JobExplorer> {
        self.repository.explorer()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        error::ErrorKind,
        execution::Parameters,
        repository::{JobEnd, Launch, Lease, Memory, Owner},
    };
    use chrono::Utc;
    use std::time::Duration;

    async fn running(memory: &Memory) -> Lease {
        let (owner, ttl) = (Owner::current(), Duration::from_secs(30));
        let launch = Launch {
            job_name: "import".to_owned(),
            job_key: String::new(),
            parameters: Parameters::new(),
            owner: owner.clone(),
            ttl,
            restartable: true,
        };
        let execution = memory.launch(&launch).await.unwrap().execution.id;
        Lease { execution, token: owner.token, ttl }
    }

    #[tokio::test]
    async fn the_last_request_counts() {
        let memory = Memory::new();
        let lease = running(&memory).await;
        let operator = JobOperator::new(Arc::new(memory.clone()));
        operator.stop(lease.execution).await.unwrap();
        assert_eq!(memory.renew(&lease).await.unwrap(), Some(Request::Stop));
        operator.pause(lease.execution).await.unwrap();
        assert_eq!(memory.renew(&lease).await.unwrap(), Some(Request::Pause));
        operator.resume(lease.execution).await.unwrap();
        assert_eq!(memory.renew(&lease).await.unwrap(), None);
    }

    #[tokio::test]
    async fn only_what_ended_is_abandoned_and_only_what_runs_is_stopped() {
        let memory = Memory::new();
        let lease = running(&memory).await;
        let operator = JobOperator::new(Arc::new(memory.clone()));
        assert_eq!(operator.abandon(lease.execution).await.unwrap_err().kind(), ErrorKind::AlreadyRunning);
        let status = BatchStatus::Failed;
        memory.end_job(&JobEnd { lease: lease.clone(), status, exit_status: status.into(), at: Utc::now() }).await.unwrap();
        assert_eq!(operator.stop(lease.execution).await.unwrap_err().kind(), ErrorKind::Configuration);
        assert_eq!(operator.abandon(lease.execution).await.unwrap(), status);
        let stored = operator.explorer().execution(lease.execution).await.unwrap();
        assert_eq!(stored.status, BatchStatus::Abandoned);
    }
}
