//! Leases, requests, and the end of executions.

use super::state::{Now, State};
use crate::{
    error::{Error, ErrorKind},
    execution::{BatchStatus, ExitStatus},
    repository::{JobEnd, Lease, Request},
};

impl State {
    pub(super) fn renew(&mut self, lease: &Lease, now: &Now) -> Result<Option<Request>, Error> {
        let execution = self.held(lease)?;
        execution.until = now.uptime.saturating_add(lease.ttl);
        Ok(execution.request)
    }

    pub(super) fn end_job(&mut self, end: &JobEnd) -> Result<(), Error> {
        let execution = self.held(&end.lease)?;
        execution.row.status = end.status;
        execution.row.exit_status = ExitStatus::new(&end.exit_status.code, &end.exit_status.message);
        execution.row.ended = Some(end.at);
        execution.row.last_updated = end.at;
        let instance = execution.row.instance.clone();
        self.no_longer_active(&instance, end.lease.execution);
        Ok(())
    }

    pub(super) fn request(&mut self, id: i64, request: Option<Request>, now: &Now) -> Result<(), Error> {
        let execution = self.execution_mut(id)?;
        if !execution.row.status.is_active() {
            let message = format!("the execution is {}, so nothing can be asked of it", execution.row.status);
            return Err(Error::new(ErrorKind::Configuration, message).with("execution", id));
        }
        execution.request = request;
        execution.row.last_updated = now.wall;
        Ok(())
    }

    pub(super) fn abandon(&mut self, id: i64, now: &Now) -> Result<BatchStatus, Error> {
        let execution = self.execution_mut(id)?;
        let status = execution.row.status;
        if status.is_active() {
            let message = format!("the execution is {status} in {}: stop it first, then abandon it", execution.owner);
            return Err(Error::new(ErrorKind::AlreadyRunning, message).with("execution", id));
        }
        execution.row.status = BatchStatus::Abandoned;
        execution.row.last_updated = now.wall;
        let instance = execution.row.instance.id;
        if let Some(instance) = self.instances.get_mut(&instance) {
            instance.abandoned = true;
        }
        Ok(status)
    }
}
