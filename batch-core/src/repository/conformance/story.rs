//! What the suite's stories are told with: owners, runs of a job, and refusals.

use super::Fixture;
use crate::{
    error::{Error, ErrorKind},
    execution::{BatchStatus, Checkpoint, Context, Counts, ExitStatus, JobExecution, Parameters, Phase, SkipRecord, StepExecution},
    repository::{
        Commit, CommitError, Guard, JobEnd, JobExplorer, JobRepository, Launch, Launched, Lease, Owner, Request, StepEnd,
        StepStart, StepStarted, owner::Living,
    },
    transaction::Transactions,
};
use serde_json::json;
use std::{sync::Arc, time::Duration};

pub(super) const TTL: Duration = Duration::from_secs(30);
pub(super) const JOB: &str = "import";

/// A process that provably is no more.
pub(super) fn gone() -> Owner {
    Owner { pid: u32::MAX, ..Owner::current() }
}

/// A process of which nothing can be told: the lease decides.
pub(super) fn elsewhere() -> Owner {
    Owner { namespace: "pid:[1]".to_owned(), host: "elsewhere".to_owned(), ..Owner::current() }
}

pub(super) fn launch(owner: Owner) -> Launch {
    let parameters = Parameters::new().set("run", 1);
    Launch { job_name: JOB.to_owned(), job_key: parameters.key(), parameters, owner, ttl: TTL, restartable: true }
}

pub(super) fn repository<F: Fixture>(f: &F) -> Arc<dyn JobRepository> {
    f.database().repository()
}

pub(super) fn explorer<F: Fixture>(f: &F) -> Arc<dyn JobExplorer> {
    repository(f).explorer()
}

/// Why it was refused; `None` where it was not.
pub(super) fn refusal<T>(outcome: &Result<T, Error>) -> Option<ErrorKind> {
    outcome.as_ref().err().map(Error::kind)
}

/// A launch that succeeded, seen by its owner, who lives until this is dropped.
pub(super) struct Run<'f, F> {
    pub(super) f: &'f F,
    pub(super) repository: Arc<dyn JobRepository>,
    pub(super) launched: Launched,
    pub(super) lease: Lease,
    _held: Living,
}

impl<'f, F: Fixture> Run<'f, F> {
    /// By this very process.
    pub(super) async fn begin(f: &'f F) -> Self {
        Self::by(f, Owner::current()).await
    }

    pub(super) async fn by(f: &'f F, owner: Owner) -> Self {
        Self::of(f, launch(owner)).await
    }

    pub(super) async fn of(f: &'f F, launch: Launch) -> Self {
        let held = launch.owner.hold();
        let repository = repository(f);
        let launched = repository.launch(&launch).await.unwrap();
        let lease = Lease { execution: launched.execution.id, token: launch.owner.token, ttl: launch.ttl };
        Self { f, repository, launched, lease, _held: held }
    }

    pub(super) fn id(&self) -> i64 {
        self.launched.execution.id
    }

    pub(super) fn instance(&self) -> i64 {
        self.launched.execution.instance.id
    }

    /// The execution as it is stored, with its steps.
    pub(super) async fn stored(&self) -> JobExecution {
        explorer(self.f).execution(self.id()).await.unwrap()
    }

    pub(super) fn start_of(&self, name: &str) -> StepStart {
        StepStart { lease: self.lease.clone(), instance: self.instance(), name: name.to_owned(), start_limit: None, rerun: false }
    }

    pub(super) async fn try_start(&self, start: &StepStart) -> Result<StepStarted, Error> {
        self.repository.start_step(start).await
    }

    /// Starts a step that has to start.
    pub(super) async fn start(&self, name: &str) -> StepExecution {
        started(self.try_start(&self.start_of(name)).await.unwrap())
    }

    pub(super) fn guard(&self, step: &StepExecution) -> Guard {
        Guard { step: step.id, epoch: step.epoch, commit_no: step.commit_no, lease: self.lease.clone() }
    }

    /// The commit of a chunk of three records, one of them skipped.
    pub(super) fn chunk(&self, step: &StepExecution) -> Commit {
        let added = Counts { read: 3, written: 2, write_skips: 1, commits: 1, ..Counts::default() };
        let read = step.checkpoint.read + 3;
        Commit {
            guard: self.guard(step),
            counts: step.counts + added,
            added,
            checkpoint: Checkpoint {
                version: Checkpoint::VERSION,
                read,
                reader: json!({"byte": 10 * read}),
                writer: json!([read, null]),
            },
            context: Some(context("seen", read)),
            skips: vec![skip(read - 1)],
            units: Vec::new(),
            at: self.f.now(),
        }
    }

    /// Commits a chunk that has to count.
    pub(super) async fn commit(&self, step: &mut StepExecution) -> Option<Request> {
        let commit = self.chunk(step);
        let request = self.repository.commit(&commit).await.unwrap();
        step.commit_no += 1;
        step.counts = commit.counts;
        step.checkpoint = commit.checkpoint;
        step.context = commit.context.unwrap_or_default();
        request
    }

    pub(super) fn end_of(&self, step: &StepExecution, status: BatchStatus) -> StepEnd {
        StepEnd {
            guard: self.guard(step),
            status,
            exit_status: ExitStatus::new(status.as_str(), "for a reason"),
            counts: step.counts,
            job_context: None,
            at: self.f.now(),
        }
    }

    pub(super) async fn end_step(&self, step: &StepExecution, status: BatchStatus) {
        self.repository.end_step(&self.end_of(step, status)).await.unwrap();
    }

    pub(super) fn job_end(&self, status: BatchStatus) -> JobEnd {
        JobEnd {
            lease: self.lease.clone(),
            status,
            exit_status: ExitStatus::new(status.as_str(), "for a reason"),
            at: self.f.now(),
        }
    }

    pub(super) async fn end(&self, status: BatchStatus) {
        self.repository.end_job(&self.job_end(status)).await.unwrap();
    }
}

pub(super) fn started(outcome: StepStarted) -> StepExecution {
    let StepStarted::Started(step) = outcome else { return unexpected(&outcome) };
    *step
}

#[expect(clippy::panic, reason = "a test's failure is a panic")]
fn unexpected(outcome: &StepStarted) -> StepExecution {
    panic!("the step did not start: {outcome:?}")
}

pub(super) fn context(key: &str, value: u64) -> Context {
    let mut context = Context::default();
    context.set(key, value).unwrap();
    context
}

pub(super) fn skip(number: u64) -> SkipRecord {
    SkipRecord {
        phase: Phase::Write,
        number,
        line: Some(number + 2),
        byte: None,
        column: Some("price".to_owned()),
        reason: format!("record {number} is bad"),
        item: Some("{\"price\":-1}".to_owned()),
    }
}

pub(super) fn is_not_owner<T: std::fmt::Debug>(outcome: &Result<T, CommitError>) -> bool {
    matches!(outcome, Err(CommitError::NotOwner))
}
