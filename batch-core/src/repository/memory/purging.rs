//! Deleting history.

use super::state::{Instance, Now, State};
use crate::{
    execution::BatchStatus,
    repository::{Purge, Purged},
};

impl State {
    /// Deletes one batch; counts everything in a dry run.
    pub(super) fn purge(&mut self, purge: &Purge, now: &Now) -> Purged {
        let mut found = self.purgeable(purge, now);
        if !purge.dry_run {
            found.truncate(purge.batch.get() as usize);
        }
        let mut purged = Purged::default();
        for id in found {
            let executions = self.instances.get(&id).map_or(0, |i| i.executions.len() as u64);
            purged += Purged { instances: 1, executions };
            if !purge.dry_run {
                self.forget(id);
            }
        }
        purged
    }

    /// Oldest first.
    fn purgeable(&self, purge: &Purge, now: &Now) -> Vec<i64> {
        let Some(job) = self.jobs.get(&purge.job) else { return Vec::new() };
        let older = job.instances.len().saturating_sub(usize::try_from(purge.keep_last).unwrap_or(usize::MAX));
        let is_success = |id: &&i64| self.newest(**id).is_some_and(|status| status.0 == BatchStatus::Completed);
        let last_success = job.instances.iter().rev().find(is_success).filter(|_| purge.keep_last_success);
        let candidates = job.instances.iter().take(older).filter(|id| Some(*id) != last_success);
        candidates.filter(|id| self.instances.get(id).is_some_and(|i| self.is_over(i, purge, now))).copied().collect()
    }

    fn newest(&self, instance: i64) -> Option<(BatchStatus, chrono::DateTime<chrono::Utc>)> {
        let id = self.instances.get(&instance)?.executions.last()?;
        self.executions.get(id).map(|e| (e.row.status, e.row.ended.unwrap_or(e.row.last_updated)))
    }

    fn is_over(&self, instance: &Instance, purge: &Purge, now: &Now) -> bool {
        let Some((status, ended)) = self.newest(instance.row.id) else { return false };
        let given_up = purge.restartable_before(now.wall).is_some_and(|before| ended <= before);
        let final_ = status == BatchStatus::Completed || instance.abandoned || given_up;
        instance.active.is_none() && final_ && ended <= purge.ended_before(now.wall)
    }

    fn forget(&mut self, id: i64) {
        let Some(instance) = self.instances.remove(&id) else { return };
        for execution in instance.executions.iter().filter_map(|id| self.executions.remove(id)) {
            execution.steps.iter().for_each(|step| drop(self.steps.remove(step)));
        }
        if let Some(job) = self.jobs.get_mut(&instance.row.job_name) {
            job.instances.retain(|known| *known != id);
            job.by_key.remove(&instance.row.job_key);
        }
    }
}
