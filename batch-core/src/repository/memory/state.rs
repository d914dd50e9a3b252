//! Rows and the indices by which every call finds them without looking through the history.

use super::units::UnitLog;
use crate::{
    error::{Error, ErrorKind},
    execution::{JobExecution, JobInstance, SkipRecord, StepExecution},
    repository::{Lease, Owner, Request},
    transaction::LedgerKey,
};
use chrono::{DateTime, Utc};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

/// Both times of one call.
pub(super) struct Now {
    pub(super) wall: DateTime<Utc>,
    pub(super) uptime: Duration,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) jobs: BTreeMap<String, Job>,
    pub(super) instances: BTreeMap<i64, Instance>,
    pub(super) executions: BTreeMap<i64, Execution>,
    pub(super) steps: BTreeMap<i64, Step>,
    /// Of steps that write here, while their repository is another.
    pub(super) ledger: BTreeMap<LedgerKey, Ledger>,
    last_id: i64,
}

/// What is known of a job's name.
#[derive(Default)]
pub(super) struct Job {
    /// Oldest first.
    pub(super) instances: Vec<i64>,
    pub(super) by_key: HashMap<String, i64>,
    /// Executions that are active.
    pub(super) active: BTreeSet<i64>,
}

pub(super) struct Instance {
    pub(super) row: JobInstance,
    /// Oldest first.
    pub(super) executions: Vec<i64>,
    /// At most one execution is active.
    pub(super) active: Option<i64>,
    /// Whether one of its executions was given up.
    pub(super) abandoned: bool,
    pub(super) steps: HashMap<String, LastStart>,
    /// The unit logs of its steps, by name.
    pub(super) units: HashMap<String, UnitLog>,
}

/// The last start of a step over all tries.
#[derive(Clone, Copy)]
pub(super) struct LastStart {
    pub(super) step: i64,
    pub(super) starts: u32,
}

pub(super) struct Execution {
    /// Without its steps.
    pub(super) row: JobExecution,
    pub(super) owner: Owner,
    /// Uptime at which the lease is over.
    pub(super) until: Duration,
    pub(super) request: Option<Request>,
    /// Oldest first.
    pub(super) steps: Vec<i64>,
}

pub(super) struct Step {
    pub(super) row: StepExecution,
    pub(super) skips: Vec<SkipRecord>,
}

/// How far a step of another repository is.
#[derive(Default)]
pub(super) struct Ledger {
    pub(super) holder: i64,
    pub(super) epoch: i64,
    pub(super) commit_no: i64,
    pub(super) entry: Option<String>,
}

impl State {
    pub(super) fn next_id(&mut self) -> i64 {
        self.last_id += 1;
        self.last_id
    }

    pub(super) fn job(&self, name: &str) -> Result<&Job, Error> {
        self.jobs.get(name).ok_or_else(|| not_found("job", format_args!("`{name}`")))
    }

    pub(super) fn instance(&self, id: i64) -> Result<&Instance, Error> {
        self.instances.get(&id).ok_or_else(|| not_found("instance", id))
    }

    pub(super) fn execution(&self, id: i64) -> Result<&Execution, Error> {
        self.executions.get(&id).ok_or_else(|| not_found("execution", id))
    }

    pub(super) fn execution_mut(&mut self, id: i64) -> Result<&mut Execution, Error> {
        self.executions.get_mut(&id).ok_or_else(|| not_found("execution", id))
    }

    pub(super) fn step(&self, id: i64) -> Result<&Step, Error> {
        self.steps.get(&id).ok_or_else(|| not_found("step execution", id))
    }

    /// The execution, where it is active and the lease is still its own.
    pub(super) fn held(&mut self, lease: &Lease) -> Result<&mut Execution, Error> {
        self.executions
            .get_mut(&lease.execution)
            .filter(|e| e.row.status.is_active() && e.owner.token == lease.token)
            .ok_or_else(|| not_owner(lease.execution))
    }

    /// Takes an execution that has ended out of the indices of active ones.
    pub(super) fn no_longer_active(&mut self, instance: &JobInstance, execution: i64) {
        if let Some(instance) = self.instances.get_mut(&instance.id) {
            instance.active = None;
        }
        if let Some(job) = self.jobs.get_mut(&instance.job_name) {
            job.active.remove(&execution);
        }
    }
}

fn not_found(what: &str, which: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::NotFound, format!("no {what} {which} is known"))
}

pub(super) fn not_owner(execution: i64) -> Error {
    Error::new(ErrorKind::NotOwner, "the execution ended or was taken over by another process").with("execution", execution)
}
