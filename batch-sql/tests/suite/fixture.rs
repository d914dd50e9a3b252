//! A database in a folder of its own, with a clock that stands still.

use batch_core::{
    BatchStatus, Checkpoint, Counts, Error, ExitStatus, JobRepository, ManualClock, Owner, Parameters, StepExecution, Transactions,
    repository::{Commit, Guard, JobEnd, Launch, Launched, Lease, StepEnd, StepStart, StepStarted},
};
use batch_sql::{Sqlite, SqliteOptions};
use std::{path::PathBuf, sync::Arc, time::Duration};
use tempfile::TempDir;

pub(crate) const TTL: Duration = Duration::from_secs(30);

pub(crate) struct Fixture {
    pub(crate) dir: TempDir,
    pub(crate) clock: ManualClock,
    pub(crate) db: Sqlite,
    pub(crate) repository: Arc<dyn JobRepository>,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        Self::with(|o| o).await
    }

    pub(crate) async fn with(change: impl FnOnce(SqliteOptions) -> SqliteOptions) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = ManualClock::at("2026-03-01T12:00:00Z".parse().unwrap());
        let db = change(quick(&clock)).open(&url(&dir)).await.unwrap();
        let repository = db.repository();
        Self { dir, clock, db, repository }
    }

    /// Another handle of the same database, as another process would have.
    pub(crate) async fn other(&self) -> Sqlite {
        quick(&self.clock).open(&url(&self.dir)).await.unwrap()
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join("test.db")
    }

    pub(crate) async fn sql(&self, sql: &'static str) {
        sqlx::raw_sql(sql).execute(self.db.pool()).await.unwrap();
    }

    pub(crate) async fn number(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(self.db.pool()).await.unwrap()
    }

    pub(crate) async fn text(&self, sql: &'static str) -> String {
        sqlx::query_scalar(sql).fetch_one(self.db.pool()).await.unwrap()
    }

    pub(crate) async fn launch(&self, owner: &Owner) -> Result<Launched, Error> {
        self.repository.launch(&launch("import", owner)).await
    }

    /// A launched execution with a step begun.
    pub(crate) async fn running(&self, owner: &Owner) -> (Launched, StepExecution) {
        let launched = self.launch(owner).await.unwrap();
        let step = self.step(&launched, owner, "load").await;
        (launched, step)
    }

    pub(crate) async fn step(&self, launched: &Launched, owner: &Owner, name: &str) -> StepExecution {
        match self.repository.start_step(&step_start(launched, owner, name)).await.unwrap() {
            StepStarted::Started(step) => *step,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn end_step(&self, step: &StepExecution, owner: &Owner, status: BatchStatus) -> Result<(), Error> {
        self.repository.end_step(&step_end(step, owner, status)).await
    }

    pub(crate) async fn end_job(&self, launched: &Launched, owner: &Owner, status: BatchStatus) -> Result<(), Error> {
        self.repository.end_job(&job_end(launched, owner, status)).await
    }
}

pub(crate) fn url(dir: &TempDir) -> String {
    format!("sqlite://{}?mode=rwc", dir.path().join("test.db").display())
}

fn quick(clock: &ManualClock) -> SqliteOptions {
    SqliteOptions::new().clock(Arc::new(clock.clone())).power_cut_may_lose_last_commits()
}

/// An owner of which only the lease tells whether it is alive: its process ids are another namespace's.
pub(crate) fn owner() -> Owner {
    Owner { namespace: "pid:[1]".into(), ..Owner::current() }
}

pub(crate) fn launch(job: &str, owner: &Owner) -> Launch {
    let parameters = Parameters::new().set("input", "a.csv").set_other("note", "x");
    Launch { job_name: job.into(), job_key: parameters.key(), parameters, owner: owner.clone(), ttl: TTL, restartable: true }
}

pub(crate) fn lease(execution: i64, owner: &Owner) -> Lease {
    Lease { execution, token: owner.token.clone(), ttl: TTL }
}

pub(crate) fn step_start(launched: &Launched, owner: &Owner, name: &str) -> StepStart {
    StepStart {
        lease: lease(launched.execution.id, owner),
        instance: launched.execution.instance.id,
        name: name.into(),
        start_limit: None,
        rerun: false,
    }
}

pub(crate) fn guard(step: &StepExecution, owner: &Owner) -> Guard {
    Guard { step: step.id, epoch: step.epoch, commit_no: step.commit_no, lease: lease(step.execution_id, owner) }
}

/// The commit of a chunk of ten.
pub(crate) fn commit(step: &StepExecution, owner: &Owner) -> Commit {
    let read = step.checkpoint.read + 10;
    Commit {
        guard: guard(step, owner),
        counts: Counts { read, written: read, commits: step.counts.commits + 1, ..Counts::default() },
        added: Counts { read: 10, written: 10, commits: 1, ..Counts::default() },
        checkpoint: Checkpoint { version: 1, read, reader: read.into(), writer: serde_json::Value::Null },
        context: None,
        skips: Vec::new(),
        units: Vec::new(),
        at: "2026-03-01T12:00:01.000002Z".parse().unwrap(),
    }
}

pub(crate) fn step_end(step: &StepExecution, owner: &Owner, status: BatchStatus) -> StepEnd {
    StepEnd {
        guard: guard(step, owner),
        status,
        exit_status: ExitStatus::from(status),
        counts: step.counts,
        job_context: None,
        at: "2026-03-01T12:00:02Z".parse().unwrap(),
    }
}

pub(crate) fn job_end(launched: &Launched, owner: &Owner, status: BatchStatus) -> JobEnd {
    JobEnd {
        lease: lease(launched.execution.id, owner),
        status,
        exit_status: ExitStatus::from(status),
        at: "2026-03-01T12:00:03Z".parse().unwrap(),
    }
}
