//! Messages by which the engine begins and ends executions.

use super::{Lease, Owner};
use crate::execution::{BatchStatus, Context, ExitStatus, JobExecution, Parameters, StepExecution};
use chrono::{DateTime, Utc};
use std::num::NonZeroU32;

/// A launch asked for.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The job's name.
    pub job_name: String,
    /// Digest of the identifying parameters.
    pub job_key: String,
    /// This try's parameters, without secrets.
    pub parameters: Parameters,
    /// Who launches.
    pub owner: Owner,
    /// How long the owner is believed alive without a sign.
    pub ttl: std::time::Duration,
    /// Whether an instance whose last try failed or was stopped may be tried again.
    pub restartable: bool,
}

/// A launch that succeeded.
#[derive(Debug, Clone)]
pub struct Launched {
    /// The new execution, STARTED; its context is what completed steps of earlier tries saved.
    pub execution: JobExecution,
    /// The try before it, without its parameters and steps.
    pub previous: Option<JobExecution>,
    /// Whose execution was closed, if one was still active.
    pub taken_over: Option<TakenOver>,
}

/// An execution that a launch closed, since its owner was gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenOver {
    /// The execution.
    pub execution: i64,
    /// Who had owned it, as a person reads it.
    pub owner: String,
    /// Why its owner counts as gone.
    pub reason: String,
}

/// A step about to begin.
#[derive(Debug, Clone)]
pub struct StepStart {
    /// The hold on the job execution.
    pub lease: Lease,
    /// The job instance.
    pub instance: i64,
    /// The step's name.
    pub name: String,
    /// How often the step may be started over all tries; none is unlimited.
    pub start_limit: Option<NonZeroU32>,
    /// Whether a step that an earlier try completed is run again from its beginning.
    pub rerun: bool,
}

/// What became of it.
#[derive(Debug, Clone)]
pub enum StepStarted {
    /// It begins; the execution carries the inherited checkpoint, context and commit number.
    Started(Box<StepExecution>),
    /// An earlier try completed it; no row was inserted.
    Complete(Box<StepExecution>),
    /// It was started as often as its limit allows; no row was inserted.
    LimitReached(u32),
}

/// An attempt at a unit of work about to begin.
#[derive(Debug, Clone)]
pub struct UnitStart {
    /// The hold on the job execution.
    pub lease: Lease,
    /// The job instance.
    pub instance: i64,
    /// The step execution that tries it.
    pub step: i64,
    /// The step's name.
    pub name: String,
    /// The unit's key, as in the log.
    pub key: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// The end of a step execution.
#[derive(Debug, Clone)]
pub struct StepEnd {
    /// What must still hold.
    pub guard: super::Guard,
    /// Final status.
    pub status: BatchStatus,
    /// How it ended.
    pub exit_status: ExitStatus,
    /// Final counts; only `rollbacks` may differ from the last commit's.
    pub counts: crate::execution::Counts,
    /// With COMPLETED: what the step leaves to later ones; merged into the job's context, its values win.
    pub job_context: Option<Context>,
    /// When.
    pub at: DateTime<Utc>,
}

/// The end of a job execution.
#[derive(Debug, Clone)]
pub struct JobEnd {
    /// The hold that ends.
    pub lease: Lease,
    /// Final status.
    pub status: BatchStatus,
    /// How it ended.
    pub exit_status: ExitStatus,
    /// When.
    pub at: DateTime<Utc>,
}
