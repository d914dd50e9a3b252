//! Launches and takeovers.

use super::state::{Execution, Instance, Now, State};
use crate::{
    error::{Error, ErrorKind},
    execution::{BatchStatus, ExitStatus, JobExecution, JobInstance, Parameters},
    repository::{Launch, Launched, Owner, TakenOver},
};
use std::collections::HashMap;

impl State {
    pub(super) fn launch(&mut self, launch: &Launch, now: &Now) -> Result<Launched, Error> {
        let instance = self.find_or_create(launch);
        if let Some(mine) = self.already_launched(&instance, &launch.owner) {
            return Ok(mine);
        }
        let taken_over = self.take_over(&instance, launch, now)?;
        let previous = self.last_execution(instance.id);
        self.may_run(&instance, launch, previous.as_ref())?;
        let execution = self.begin(instance, launch, previous.as_ref(), now);
        Ok(Launched { execution, previous, taken_over })
    }

    fn find_or_create(&mut self, launch: &Launch) -> JobInstance {
        let known = self.jobs.get(&launch.job_name).and_then(|job| job.by_key.get(&launch.job_key));
        if let Some(instance) = known.and_then(|id| self.instances.get(id)) {
            return instance.row.clone();
        }
        let id = self.next_id();
        let row = JobInstance { id, job_name: launch.job_name.clone(), job_key: launch.job_key.clone() };
        let job = self.jobs.entry(launch.job_name.clone()).or_default();
        job.instances.push(id);
        job.by_key.insert(launch.job_key.clone(), id);
        let instance = Instance {
            row: row.clone(),
            executions: Vec::new(),
            active: None,
            abandoned: false,
            steps: HashMap::new(),
            units: HashMap::new(),
        };
        self.instances.insert(id, instance);
        row
    }

    /// What this very owner launched before, whose answer did not arrive.
    fn already_launched(&self, instance: &JobInstance, owner: &Owner) -> Option<Launched> {
        let instance = self.instances.get(&instance.id)?;
        let active = self.executions.get(&instance.active?).filter(|e| e.owner.token == owner.token)?;
        let before = instance.executions.iter().rev().nth(1).and_then(|id| self.executions.get(id));
        Some(Launched { execution: active.row.clone(), previous: before.map(without_parameters), taken_over: None })
    }

    /// Closes the active execution, if there is one and its owner is gone.
    fn take_over(&mut self, instance: &JobInstance, launch: &Launch, now: &Now) -> Result<Option<TakenOver>, Error> {
        let Some(id) = self.instances.get(&instance.id).and_then(|i| i.active) else { return Ok(None) };
        let active = self.execution(id)?;
        let owner = active.owner.to_string();
        let Some(reason) = active.owner.gone().or_else(|| lease_over(active, now)) else {
            return Err(already_running(active, now));
        };
        let message = format!("taken over by {} from {owner}: {reason}", launch.owner);
        self.close(id, &message, now)?;
        Ok(Some(TakenOver { execution: id, owner, reason }))
    }

    fn close(&mut self, id: i64, message: &str, now: &Now) -> Result<(), Error> {
        let exit = ExitStatus::new(BatchStatus::Failed.as_str(), message);
        let closed = self.execution_mut(id)?;
        closed.row.status = BatchStatus::Failed;
        closed.row.exit_status = exit.clone();
        closed.row.ended = Some(now.wall);
        closed.row.last_updated = now.wall;
        let (instance, steps) = (closed.row.instance.clone(), closed.steps.clone());
        for id in steps {
            let open = self.steps.get_mut(&id).map(|s| &mut s.row).filter(|s| s.status.is_active());
            let Some(step) = open else { continue };
            step.status = BatchStatus::Failed;
            step.exit_status = exit.clone();
            step.epoch += 1;
            step.ended = Some(now.wall);
            step.last_updated = now.wall;
        }
        self.no_longer_active(&instance, id);
        Ok(())
    }

    fn last_execution(&self, instance: i64) -> Option<JobExecution> {
        let id = self.instances.get(&instance)?.executions.last()?;
        self.executions.get(id).map(without_parameters)
    }

    fn may_run(&self, instance: &JobInstance, launch: &Launch, previous: Option<&JobExecution>) -> Result<(), Error> {
        let Some(previous) = previous else { return Ok(()) };
        let (kind, what) = if previous.status == BatchStatus::Completed {
            (ErrorKind::AlreadyComplete, "is complete: launch with other identifying parameters to run it again")
        } else if self.instance(instance.id)?.abandoned {
            (ErrorKind::NeedsOperator, "was abandoned and is not restarted: launch with other identifying parameters")
        } else if launch.restartable {
            return Ok(());
        } else {
            (ErrorKind::NeedsOperator, "did not complete, and the job is not restartable: launch with other identifying parameters")
        };
        Err(Error::new(kind, format!("the job instance {what}")).with("job", &launch.job_name).with("execution", previous.id))
    }

    fn begin(&mut self, instance: JobInstance, launch: &Launch, previous: Option<&JobExecution>, now: &Now) -> JobExecution {
        let id = self.next_id();
        if let Some(instance) = self.instances.get_mut(&instance.id) {
            instance.executions.push(id);
            instance.active = Some(id);
        }
        self.jobs.entry(instance.job_name.clone()).or_default().active.insert(id);
        let row = JobExecution {
            id,
            instance,
            parameters: launch.parameters.stored(),
            status: BatchStatus::Started,
            exit_status: BatchStatus::Started.into(),
            created: now.wall,
            started: Some(now.wall),
            ended: None,
            last_updated: now.wall,
            context: previous.map(|p| p.context.clone()).unwrap_or_default(),
            steps: Vec::new(),
        };
        let until = now.uptime.saturating_add(launch.ttl);
        let execution = Execution { row: row.clone(), owner: launch.owner.clone(), until, request: None, steps: Vec::new() };
        self.executions.insert(id, execution);
        row
    }
}

fn without_parameters(execution: &Execution) -> JobExecution {
    JobExecution { parameters: Parameters::new(), ..execution.row.clone() }
}

fn lease_over(execution: &Execution, now: &Now) -> Option<String> {
    let late = now.uptime.checked_sub(execution.until)?;
    Some(format!("its lease was over for {late:.0?}"))
}

fn already_running(execution: &Execution, now: &Now) -> Error {
    let left = execution.until.saturating_sub(now.uptime).as_secs_f64();
    let message = format!(
        "the job instance is running in {}, whose lease lasts another {left:.0} s: wait for its end, stop it, or launch again when \
         its lease is over",
        execution.owner
    );
    Error::new(ErrorKind::AlreadyRunning, message).with("job", &execution.row.instance.job_name).with("execution", execution.row.id)
}
