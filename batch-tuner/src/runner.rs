//! Running a trial for real.

use crate::{
    Setting, Trial, Tuner,
    measurement::{Kind, Measure, Measurement},
    memory,
    watch::Watch,
};
use batch_core::{
    BatchStatus, Error, ErrorKind, Job, JobExecution, JobOperator, Purge, Result, StopHandle, Transactions, repository::random_id,
};
use std::time::Duration;

/// The job name under which trials are recorded, and purged.
const RECORDED_AS: &str = "batch-tuner";

/// Runs the user's job with one setting after the other.
pub(crate) struct Runner<'a, D, J, P> {
    tuner: &'a Tuner<D, J, P>,
    began: Duration,
    trials: u64,
    /// Memory before the first trial.
    memory: Option<u64>,
    /// The job's own name.
    pub(crate) job: String,
}

impl<'a, D, J, P> Runner<'a, D, J, P>
where
    D: Transactions + Clone,
    J: Fn(&Trial<D>) -> Job<D>,
    P: AsyncFn(&Trial<D>) -> Result<()>,
{
    pub(crate) fn new(tuner: &'a Tuner<D, J, P>) -> Self {
        Self { tuner, began: tuner.clock.uptime(), trials: 0, memory: memory::resident(), job: String::new() }
    }

    /// Runs the job as an instance of its own, which is deleted afterwards.
    async fn run(&self, job: &Job<D>, setting: Setting, stop: &StopHandle) -> Result<JobExecution, Error> {
        let mut run = job.launch((self.tuner.parameters)(setting)).instance(RECORDED_AS, random_id()).stop_handle(stop);
        if let Some(sample) = self.tuner.sample {
            run = run.limit(sample);
        }
        let ran = run.run().await;
        let forget = Purge::of(RECORDED_AS).last_success_too().restartable_for(Duration::ZERO);
        let forgotten = JobOperator::new(self.tuner.database.repository()).purge(&forget).await;
        let execution = ran?;
        forgotten?;
        Ok(execution)
    }

    fn failed(setting: Setting, message: &str) -> Error {
        Error::new(ErrorKind::Failed, message).with("chunk", setting.chunk)
    }
}

impl<D, J, P> Measure for Runner<'_, D, J, P>
where
    D: Transactions + Clone,
    J: Fn(&Trial<D>) -> Job<D>,
    P: AsyncFn(&Trial<D>) -> Result<()>,
{
    async fn measure(&mut self, setting: Setting, kind: Kind) -> Result<Measurement, Error> {
        self.trials += 1;
        let trial = Trial { database: self.tuner.database.clone(), setting, number: self.trials };
        (self.tuner.prepare)(&trial)
            .await
            .map_err(|e| Self::failed(setting, "the target of a trial cannot be prepared").because(e))?;
        let stop = StopHandle::new();
        let watch = Watch::new(&stop, self.tuner.clock.clone(), kind, self.tuner.enough.clone(), self.tuner.step.clone());
        let job = (self.tuner.job)(&trial).listener(watch.clone());
        job.name().clone_into(&mut self.job);
        let memory = memory::forget_peak().then_some(self.memory).flatten();
        let execution = self.run(&job, setting, &stop).await?;
        let memory = memory.and_then(|before| Some(memory::peak()?.saturating_sub(before)));
        let seen = watch.into_seen();
        let ended = !stop.is_stopped();
        if execution.status == BatchStatus::Failed && kind == Kind::Timed {
            return Err(Self::failed(setting, "a trial failed").because(execution.exit_status.message));
        }
        if seen.chunks.is_empty() && kind == Kind::Timed {
            return Err(Self::failed(setting, "a trial committed no chunk: no step of that name, or nothing to read"));
        }
        let measured = Measurement { chunks: seen.chunks, memory, ended, retried: seen.retried };
        self.tuner.tell(&trial, kind, &measured);
        Ok(measured)
    }

    fn elapsed(&self) -> Duration {
        self.tuner.clock.uptime().saturating_sub(self.began)
    }
}
