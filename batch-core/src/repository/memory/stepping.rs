//! The life of a step: start, commits, end.

use super::state::{LastStart, Now, State, Step, not_owner};
use crate::{
    error::Error,
    execution::{BatchStatus, Checkpoint, Context, Counts, ExitStatus, StepExecution},
    repository::{Commit, CommitError, Guard, Request, Resolved, StepEnd, StepStart, StepStarted},
};

impl State {
    pub(super) fn start_step(&mut self, start: &StepStart, now: &Now) -> Result<StepStarted, Error> {
        let instance = self.held(&start.lease)?.row.instance.id;
        let last = self.instances.get(&instance).and_then(|i| i.steps.get(&start.name)).copied();
        let previous = last.and_then(|l| self.steps.get(&l.step)).map(|s| s.row.clone());
        let complete = previous.as_ref().is_some_and(|p| p.status == BatchStatus::Completed);
        if let Some(done) = previous.as_ref().filter(|_| complete && !start.rerun) {
            return Ok(StepStarted::Complete(Box::new(done.clone())));
        }
        let starts = last.map_or(0, |l| l.starts);
        if let Some(limit) = start.start_limit.filter(|limit| starts >= limit.get()) {
            return Ok(StepStarted::LimitReached(limit.get()));
        }
        let row = first_row(self.next_id(), start, starts + 1, previous, now);
        self.insert_step(instance, row.clone(), now)?;
        Ok(StepStarted::Started(Box::new(row)))
    }

    fn insert_step(&mut self, instance: i64, row: StepExecution, now: &Now) -> Result<(), Error> {
        let execution = self.execution_mut(row.execution_id)?;
        execution.steps.push(row.id);
        execution.row.last_updated = now.wall;
        if let Some(instance) = self.instances.get_mut(&instance) {
            instance.steps.insert(row.name.clone(), LastStart { step: row.id, starts: row.start_no });
        }
        self.steps.insert(row.id, Step { row, skips: Vec::new() });
        Ok(())
    }

    pub(super) fn commit(&mut self, commit: &Commit, now: &Now) -> Result<Option<Request>, CommitError> {
        let step = self.guarded(&commit.guard).ok_or(CommitError::NotOwner)?;
        step.row.commit_no += 1;
        step.row.counts = commit.counts;
        step.row.checkpoint.clone_from(&commit.checkpoint);
        if let Some(context) = &commit.context {
            step.row.context.clone_from(context);
        }
        step.row.last_updated = commit.at;
        step.skips.extend_from_slice(&commit.skips);
        let (execution, name) = (step.row.execution_id, step.row.name.clone());
        self.log_units(execution, &name, &commit.units);
        // The guard held, so the execution cannot have been taken over meanwhile.
        Ok(self.renew(&commit.guard.lease, now).unwrap_or_default())
    }

    pub(super) fn resolve(&mut self, guard: &Guard) -> Result<Resolved, Error> {
        let execution = guard.lease.execution;
        let request = self.held(&guard.lease)?.request;
        // Only the owner raises the epoch of an active step: a higher one is its own, whose answer was lost.
        let ours = self.steps.get_mut(&guard.step).map(|s| &mut s.row).filter(|s| s.status.is_active() && s.epoch >= guard.epoch);
        let step = ours.ok_or_else(|| not_owner(execution))?;
        step.epoch += 1;
        Ok(Resolved { epoch: step.epoch, commit_no: step.commit_no, request })
    }

    pub(super) fn end_step(&mut self, end: &StepEnd) -> Result<(), Error> {
        let execution = end.guard.lease.execution;
        let step = &mut self.guarded(&end.guard).ok_or_else(|| not_owner(execution))?.row;
        step.status = end.status;
        step.exit_status = ExitStatus::new(&end.exit_status.code, &end.exit_status.message);
        step.counts = end.counts;
        step.ended = Some(end.at);
        step.last_updated = end.at;
        if let Some(context) = &end.job_context {
            let job = self.execution_mut(execution)?;
            job.row.context.merge(context);
            job.row.last_updated = end.at;
        }
        Ok(())
    }

    /// The step, where all that the guard believes is true.
    fn guarded(&mut self, guard: &Guard) -> Option<&mut Step> {
        self.held(&guard.lease).ok()?;
        self.steps.get_mut(&guard.step).filter(|s| {
            let row = &s.row;
            row.execution_id == guard.lease.execution
                && row.status.is_active()
                && row.epoch == guard.epoch
                && row.commit_no == guard.commit_no
        })
    }
}

#[cfg(test)]
impl super::Memory {
    /// Sets a step back to `row` and its first `skips` skip records, as a crash does that loses later commits; the epoch stays.
    pub(crate) fn set_back(&self, row: StepExecution, skips: usize) {
        if let Some(step) = self.state.lock().steps.get_mut(&row.id) {
            let epoch = step.row.epoch;
            step.row = StepExecution { epoch, ..row };
            step.skips.truncate(skips);
        }
    }
}

/// A row with what the last start left; one that runs again after it was complete begins anew, but counts its commits on.
fn first_row(id: i64, start: &StepStart, start_no: u32, previous: Option<StepExecution>, now: &Now) -> StepExecution {
    let commit_no = previous.as_ref().map_or(0, |p| p.commit_no);
    let (checkpoint, context) = match previous {
        Some(p) if p.status != BatchStatus::Completed => (p.checkpoint, p.context),
        _ => (Checkpoint::default(), Context::default()),
    };
    StepExecution {
        id,
        execution_id: start.lease.execution,
        name: start.name.clone(),
        status: BatchStatus::Started,
        exit_status: BatchStatus::Started.into(),
        start_no,
        epoch: 1,
        commit_no,
        counts: Counts::default(),
        checkpoint,
        context,
        started: now.wall,
        ended: None,
        last_updated: now.wall,
    }
}
