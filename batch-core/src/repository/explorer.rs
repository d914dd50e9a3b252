//! What operators read.

use crate::{
    error::Error,
    execution::{JobExecution, JobInstance, SkipRecord, StepExecution, UnitCounts, UnitRecord, UnitStatus},
};
use async_trait::async_trait;

/// Reads what a repository keeps; never changes it.
///
/// # Behavior
/// - Lists are newest first, except steps, skips and units, which are in the order they happened or first began.
/// - A job name that the repository never saw is an error of kind `NotFound`, not an empty list.
#[async_trait]
pub trait JobExplorer: std::fmt::Debug + Send + Sync + 'static {
    /// Names of all jobs ever launched, sorted.
    async fn job_names(&self) -> Result<Vec<String>, Error>;

    /// Instances of a job.
    async fn instances(&self, job: &str, page: Page) -> Result<Vec<JobInstance>, Error>;

    /// How many instances a job has.
    async fn instance_count(&self, job: &str) -> Result<u64, Error>;

    /// The instance of a job with that key.
    async fn instance(&self, job: &str, key: &str) -> Result<Option<JobInstance>, Error>;

    /// All tries of an instance, without their steps.
    async fn executions(&self, instance: i64) -> Result<Vec<JobExecution>, Error>;

    /// One try with its steps.
    async fn execution(&self, id: i64) -> Result<JobExecution, Error>;

    /// Active executions of a job, without their steps.
    async fn running(&self, job: &str) -> Result<Vec<JobExecution>, Error>;

    /// Step executions of a try.
    async fn steps(&self, execution: i64) -> Result<Vec<StepExecution>, Error>;

    /// Items that a step execution left out.
    async fn skips(&self, step: i64, page: Page) -> Result<Vec<SkipRecord>, Error>;

    /// Units of the step `step` of an instance, over all tries; only those of `status` where it is given. None where the step has no
    /// units, or never began; kind `NotFound` for an unknown instance.
    async fn units(&self, instance: i64, step: &str, status: Option<UnitStatus>, page: Page) -> Result<Vec<UnitRecord>, Error>;

    /// How many units the step has, by status.
    async fn unit_counts(&self, instance: i64, step: &str) -> Result<UnitCounts, Error>;
}

/// A window of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// How many to pass over.
    pub offset: u64,
    /// How many to return at most.
    pub limit: u64,
}

impl Page {
    /// The first `limit` rows.
    pub fn first(limit: u64) -> Self {
        Self { offset: 0, limit }
    }

    /// Everything.
    pub fn all() -> Self {
        Self { offset: 0, limit: i64::MAX as u64 }
    }
}
