//! One story: a script, a backend, and a job of one step.

use super::{
    processor::SpyProcessor,
    reader::SpyReader,
    script::{Fault, Script, Seen, Times, ranges},
    writer::SpyWriter,
};
use crate::backends::Backend;
use batch_core::{
    ChunkReport, ChunkStep, Completion, Error, Job, JobExecution, JobExplorer, Listener, Page, Parameters, Phase, Processor,
    Reader, Result, Scope, Step, StepExecution, StopHandle, Transactions, Undo,
};
use std::{fmt::Write, marker::PhantomData, sync::Arc, time::Duration};

/// Values 0..n through scripted doubles on a database of its own; clones share all of it.
pub(crate) struct Play<B: Backend> {
    pub(crate) backend: Arc<B>,
    script: Script,
    values: i64,
}

impl<B: Backend> Clone for Play<B> {
    fn clone(&self) -> Self {
        Self { backend: self.backend.clone(), script: self.script.clone(), values: self.values }
    }
}

type Processed<R, B> = ChunkStep<R, batch_core::Chain<batch_core::Identity, SpyProcessor>, SpyWriter<B>, <B as Backend>::Database>;

impl<B: Backend> Play<B> {
    pub(crate) async fn new(values: i64) -> Self {
        Self { backend: Arc::new(B::create().await), script: Script::default(), values }
    }

    /// Adds to the script.
    pub(crate) fn fails(self, phase: Phase, values: impl IntoIterator<Item = i64>, fault: Fault, times: Times) -> Self {
        values.into_iter().for_each(|value| self.script.fail(phase, value, fault, times));
        self
    }

    /// For doubles of a test's own.
    pub(crate) fn meets(&self, phase: Phase, value: i64) -> Result<()> {
        self.script.meet(phase, value)
    }

    pub(crate) fn heal(&self) {
        self.script.heal();
    }

    pub(crate) fn seen<V>(&self, f: impl FnOnce(&mut Seen) -> V) -> V {
        self.script.seen(f)
    }

    pub(crate) fn database(&self) -> &B::Database {
        self.backend.database()
    }

    pub(crate) fn explorer(&self) -> Arc<dyn JobExplorer> {
        self.database().repository().explorer()
    }

    pub(crate) fn reader(&self) -> SpyReader {
        let (script, values) = (self.script.clone(), self.values);
        SpyReader { script, values, next: 0, takes: Duration::ZERO, fails_to_open: false, lines: Vec::new() }
    }

    pub(crate) fn processor(&self) -> SpyProcessor {
        SpyProcessor { script: self.script.clone(), filters: Vec::new(), takes: |_| Duration::ZERO }
    }

    pub(crate) fn writer(&self) -> SpyWriter<B> {
        SpyWriter {
            script: self.script.clone(),
            pending: Vec::new(),
            takes: Duration::ZERO,
            undo: Undo::Rewind,
            fails_to_open: false,
            breaks: "",
            hangs_at: None,
            backend: PhantomData,
        }
    }

    /// The three doubles as a step.
    pub(crate) fn chunk(&self, s: &Scope<B::Database>, size: impl Into<Completion>) -> Processed<SpyReader, B> {
        self.chunk_of(s, size, self.reader())
    }

    pub(crate) fn chunk_of<R: Reader<Item = i64>>(
        &self,
        s: &Scope<B::Database>,
        size: impl Into<Completion>,
        reader: R,
    ) -> Processed<R, B> {
        self.watched(s.chunk(size, reader).processor(self.processor()).writer(self.writer()))
    }

    /// Has the boundaries of a step's commits noted.
    pub(crate) fn watched<R: Reader, P: Processor<R::Item>, W, T>(&self, step: ChunkStep<R, P, W, T>) -> ChunkStep<R, P, W, T> {
        step.listener(Boundaries(self.script.clone()))
    }

    /// A job of one step.
    pub(crate) fn job<S: Step>(&self, make: impl Fn(&Self, &Scope<B::Database>) -> S + Send + Sync + 'static) -> Job<B::Database> {
        let play = self.clone();
        Job::new("play", self.database()).step("act", move |s| Ok(make(&play, s)))
    }

    /// Runs the job to its end and compares what is returned with what is recorded.
    pub(crate) async fn run(&self, job: &Job<B::Database>) -> Ran {
        self.run_with(job, parameters(), &StopHandle::new()).await
    }

    pub(crate) async fn run_with(&self, job: &Job<B::Database>, parameters: Parameters, stop: &StopHandle) -> Ran {
        let run = job.launch(parameters).stop_handle(stop).run();
        self.check(run.await.expect("the run has an execution")).await
    }

    /// What must be true after every run.
    pub(crate) async fn check(&self, returned: JobExecution) -> Ran {
        self.check_in(&*self.explorer(), returned).await
    }

    /// The same where the repository is another database than the play's.
    pub(crate) async fn check_in(&self, explorer: &dyn JobExplorer, returned: JobExecution) -> Ran {
        let recorded = explorer.execution(returned.id).await.expect("the execution is recorded");
        assert_eq!(told(&returned), told(&recorded), "returned (left) and recorded (right) differ");
        for step in &recorded.steps {
            assert!(step.counts.is_balanced(), "the counts do not add up: {:?}", step.counts);
            let skips = explorer.skips(step.id, Page::all()).await.expect("skips are recorded");
            assert_eq!(step.counts.skips(), skips.len() as u64, "one record a skip");
        }
        if let Some(table) = self.backend.table().await {
            assert_eq!(table, self.list(), "table (left) and list (right) differ");
        }
        Ran { execution: recorded }
    }

    /// Runs a job that has no execution.
    pub(crate) async fn refused(&self, job: &Job<B::Database>, parameters: Parameters) -> Error {
        job.run(parameters).await.expect_err("the launch is refused")
    }

    /// The write calls since the last look, as in the tables: `[0-9][10-19]`.
    pub(crate) fn writes(&self) -> String {
        ranges(&self.seen(|seen| std::mem::take(&mut seen.writes)))
    }

    /// Where chunks were committed since the last look.
    pub(crate) fn boundaries(&self) -> Vec<u64> {
        self.seen(|seen| std::mem::take(&mut seen.boundaries))
    }

    /// What is written and committed.
    pub(crate) fn list(&self) -> Vec<i64> {
        self.seen(|seen| seen.list.clone())
    }

    /// The invariant of every table: each value once, in order, but for those left out.
    pub(crate) fn assert_written_except(&self, left_out: &[i64]) {
        let expected: Vec<i64> = (0..self.values).filter(|v| !left_out.contains(v)).collect();
        assert_eq!(self.list(), expected);
    }

    pub(crate) fn assert_all_written(&self) {
        self.assert_written_except(&[]);
    }
}

pub(crate) fn parameters() -> Parameters {
    Parameters::new().set("run", 1)
}

/// A run that ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) execution: JobExecution,
}

impl Ran {
    /// Status and counts of the last step, zeros left out: `COMPLETED R=30 W=30 C=3`. Rollbacks are best effort and not shown.
    pub(crate) fn tells(&self) -> String {
        let mut text = self.execution.status.to_string();
        if let Some(step) = self.execution.steps.last() {
            let c = step.counts;
            let counts = [
                ("R", c.read),
                ("W", c.written),
                ("F", c.filtered),
                ("SR", c.read_skips),
                ("SP", c.process_skips),
                ("SW", c.write_skips),
                ("C", c.commits),
            ];
            for (name, count) in counts.iter().filter(|c| c.1 > 0) {
                let _ = write!(text, " {name}={count}");
            }
        }
        text
    }

    /// Why it failed.
    pub(crate) fn message(&self) -> &str {
        &self.execution.exit_status.message
    }

    pub(crate) fn step(&self) -> &StepExecution {
        self.execution.steps.last().expect("a step was started")
    }
}

/// What must be the same in memory and in the repository.
fn told(execution: &JobExecution) -> impl PartialEq + std::fmt::Debug {
    let step = |s: &StepExecution| {
        let s = s.clone();
        ((s.id, s.name, s.status, s.exit_status, s.start_no), (s.counts, s.checkpoint, s.context, s.commit_no))
    };
    let e = execution.clone();
    let steps: Vec<_> = e.steps.iter().map(step).collect();
    ((e.id, e.instance, e.parameters, e.status, e.exit_status), (e.context, steps))
}

/// Notes how many records were consumed at each commit.
struct Boundaries(Script);

#[async_trait::async_trait]
impl Listener for Boundaries {
    async fn after_chunk(&self, report: &ChunkReport<'_>) -> Result<()> {
        self.0.seen(|seen| seen.boundaries.push(report.step.checkpoint.read));
        Ok(())
    }
}
