//! What a job runs with, and how it is launched.

use crate::{
    R,
    memory::{NoTxs, state},
    url,
};

use oxide_batch::*;
use std::{num::NonZeroU64, sync::Arc, time::Duration};

pub struct Now;

impl BackoffSleeper for Now {
    fn sleep<'a>(&'a self, _d: Duration, _s: &'a StopToken) -> BoxFuture<'a, BackoffOutcome> {
        Box::pin(async { BackoffOutcome::Elapsed })
    }
}

pub fn rev(s: &str) -> R<ComponentRevision> {
    Ok(ComponentRevision::new(s)?)
}

pub struct Env {
    pub repo: Arc<dyn JobRepository>,
    pub pg: Option<PostgresJobRepository>,
    pub txs: Arc<dyn ChunkTransactionManager>,
    pub ids: Arc<SequentialIdGenerator>,
    pub mode: ChunkDeliveryMode,
    pub chunk: u32,
    pub wl: String,
    pub run: String,
}

impl Env {
    pub async fn open(workload: &str, chunk: u32, run: String) -> R<Self> {
        let ids = Arc::new(SequentialIdGenerator::new(NonZeroU64::MIN));
        let wl = workload.to_owned();
        if workload == "w4m" {
            let repo = Arc::new(InMemoryJobRepository::new(Arc::new(SystemClock), ids.clone()));
            return Ok(Self { repo, pg: None, txs: Arc::new(NoTxs), ids, mode: ChunkDeliveryMode::AtLeastOnce, chunk, wl, run });
        }
        let pg = PostgresJobRepository::connect(cfg()?, Arc::new(SystemClock)).await?;
        let txs = Arc::new(PostgresChunkTransactionManager::new(pg.clone(), state()));
        let mode = ChunkDeliveryMode::AtomicSameResource;
        Ok(Self { repo: Arc::new(pg.clone()), pg: Some(pg), txs, ids, mode, chunk, wl, run })
    }

    pub fn builder<I, O, A: ItemReader<I>, B: ItemProcessor<I, O>, C: ItemWriter<O>>(
        &self,
        r: A,
        p: B,
        w: C,
    ) -> R<ChunkPipelineBuilder<I, O, A, B, C>> {
        let restart = ChunkRestartContract::new(
            StateSchemaId::new("bench.position")?,
            StateSchemaVersion::new(1)?,
            StateSchemaId::new("bench.context")?,
            StateSchemaVersion::new(1)?,
            self.mode,
        );
        Ok(ChunkPipelineBuilder::new(
            StepName::new("load")?,
            ChunkSize::new(self.chunk)?,
            r,
            rev("reader-v1")?,
            p,
            rev("processor-v1")?,
            w,
            rev("writer-v1")?,
            rev("checkpoint-v1")?,
            restart,
            self.txs.clone(),
        ))
    }
    pub async fn launch<
        I: Send + Sync + 'static,
        O: Send + Sync + 'static,
        A: ItemReader<I> + Send + 'static,
        B: ItemProcessor<I, O> + Send + 'static,
        C: ItemWriter<O> + Send + 'static,
    >(
        &self,
        b: ChunkPipelineBuilder<I, O, A, B, C>,
    ) -> R<(bool, u64)> {
        let name = if self.wl == "w5r" { "w5" } else { &self.wl };
        let e_chunk = self.chunk;
        let mut job =
            b.build_chunk_job(JobName::new(format!("bench-{name}"))?, DefinitionRevision::new(format!("v1-c{}", e_chunk))?)?;
        let params = JobParameters::try_from_iter([(
            ParameterName::new("run")?,
            JobParameter::new(ParameterValue::string(self.run.clone())?, ParameterRole::Identifying),
        )])?;
        let (_src, stop) = StopSource::new();
        let report =
            JobLauncher::new(self.repo.as_ref(), &SystemClock, self.ids.as_ref()).launch_chunk(&mut job, &params, &stop).await?;
        let ok = report.launch().job_execution().metadata().status() == BatchStatus::Completed;
        let n = report.chunk().map_or(0, |c| c.committed_counts().written().get());
        if !ok {
            eprintln!("status {:?} {:?}", report.launch().job_execution().metadata().status(), report.chunk().map(|c| c.outcome()));
        }
        if let Some(c) = report.chunk() {
            if c.rollback_count() > 0 {
                eprintln!("skips {:?} retries {:?} rollbacks {}", c.skip_counts(), c.retry_counts(), c.rollback_count())
            }
        }
        Ok((ok, n))
    }
    pub fn fault(&self, rules: Vec<FaultRule>, retry: u32, skip: u64) -> R<FaultRuntime> {
        let policy = FaultPolicy::new(
            FaultClassifier::new(ClassifierRevision::new("bench-v1")?, rules)?,
            RetryLimit::new(retry)?,
            RetryStateLimit::new(64)?,
            SkipLimit::new(skip),
            BackoffPolicy::none(),
        )?;
        let store = Arc::new(PostgresFaultState::new(self.pg.clone().ok_or("pg")?, &policy));
        Ok(FaultRuntime::new(policy, Arc::new(Now), store, self.mode)?)
    }
}

pub fn cfg() -> R<PostgresConfig> {
    Ok(PostgresConfig::new(url())?.with_tls_mode(TlsMode::Plaintext))
}
