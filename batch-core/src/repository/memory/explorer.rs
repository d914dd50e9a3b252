//! What operators read.

use super::{Memory, state::State};
use crate::{
    error::Error,
    execution::{JobExecution, JobInstance, SkipRecord, StepExecution, UnitCounts, UnitRecord, UnitStatus},
    repository::{JobExplorer, Page},
};
use async_trait::async_trait;

#[async_trait]
impl JobExplorer for Memory {
    async fn job_names(&self) -> Result<Vec<String>, Error> {
        Ok(self.state.lock().jobs.keys().cloned().collect())
    }

    async fn instances(&self, job: &str, page: Page) -> Result<Vec<JobInstance>, Error> {
        let state = self.state.lock();
        let newest_first = state.job(job)?.instances.iter().rev();
        window(newest_first, page).map(|id| state.instance(*id).map(|i| i.row.clone())).collect()
    }

    async fn instance_count(&self, job: &str) -> Result<u64, Error> {
        self.state.lock().job(job).map(|j| j.instances.len() as u64)
    }

    async fn instance(&self, job: &str, key: &str) -> Result<Option<JobInstance>, Error> {
        let state = self.state.lock();
        state.job(job)?.by_key.get(key).map(|id| state.instance(*id).map(|i| i.row.clone())).transpose()
    }

    async fn executions(&self, instance: i64) -> Result<Vec<JobExecution>, Error> {
        let state = self.state.lock();
        let newest_first = state.instance(instance)?.executions.iter().rev();
        newest_first.map(|id| state.execution(*id).map(|e| e.row.clone())).collect()
    }

    async fn execution(&self, id: i64) -> Result<JobExecution, Error> {
        let state = self.state.lock();
        let mut execution = state.execution(id)?.row.clone();
        execution.steps = state.steps_of(id)?;
        Ok(execution)
    }

    async fn running(&self, job: &str) -> Result<Vec<JobExecution>, Error> {
        let state = self.state.lock();
        let newest_first = state.job(job)?.active.iter().rev();
        newest_first.map(|id| state.execution(*id).map(|e| e.row.clone())).collect()
    }

    async fn steps(&self, execution: i64) -> Result<Vec<StepExecution>, Error> {
        self.state.lock().steps_of(execution)
    }

    async fn skips(&self, step: i64, page: Page) -> Result<Vec<SkipRecord>, Error> {
        let state = self.state.lock();
        Ok(window(state.step(step)?.skips.iter(), page).cloned().collect())
    }

    async fn units(&self, instance: i64, step: &str, status: Option<UnitStatus>, page: Page) -> Result<Vec<UnitRecord>, Error> {
        let state = self.state.lock();
        let wanted = state.units(instance, step)?.filter(|unit| status.is_none_or(|status| unit.status == status));
        Ok(window(wanted, page).cloned().collect())
    }

    async fn unit_counts(&self, instance: i64, step: &str) -> Result<UnitCounts, Error> {
        let mut counts = UnitCounts::default();
        self.state.lock().units(instance, step)?.for_each(|unit| counts.add(unit.status, 1));
        Ok(counts)
    }
}

impl State {
    fn steps_of(&self, execution: i64) -> Result<Vec<StepExecution>, Error> {
        self.execution(execution)?.steps.iter().map(|id| self.step(*id).map(|s| s.row.clone())).collect()
    }
}

fn window<I: Iterator>(rows: I, page: Page) -> impl Iterator<Item = I::Item> {
    let size = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    rows.skip(size(page.offset)).take(size(page.limit))
}
