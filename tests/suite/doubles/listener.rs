//! A listener that writes down what it hears.

use batch_core::{
    BatchStatus, ChunkReport, Context, ExitStatus, ItemError, JobExecution, Listener, Result, SkipRecord, StepExecution,
};
use parking_lot::Mutex;
use std::sync::Arc;

/// Notes every call by name; fails in the call that it is told to fail in. Clones share the notes.
#[derive(Clone, Default)]
pub(crate) struct Diary {
    name: &'static str,
    notes: Arc<Mutex<Vec<String>>>,
    fails_in: &'static str,
    exit: Option<&'static str>,
}

impl Diary {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Another listener into the same notes, marked with its name.
    pub(crate) fn named(&self, name: &'static str) -> Self {
        Self { name, ..self.clone() }
    }

    pub(crate) fn fails_in(&self, call: &'static str) -> Self {
        Self { fails_in: call, ..self.clone() }
    }

    /// Sets the exit status of each step.
    pub(crate) fn exits(&self, code: &'static str) -> Self {
        Self { exit: Some(code), ..self.clone() }
    }

    /// Everything noted, separated by blanks.
    pub(crate) fn text(&self) -> String {
        self.notes.lock().join(" ")
    }

    /// What was noted of the calls that begin with `prefix`.
    pub(crate) fn of(&self, prefix: &str) -> Vec<String> {
        self.notes.lock().iter().filter(|n| n.starts_with(prefix)).cloned().collect()
    }

    pub(crate) fn note(&self, call: &str) {
        let name = self.name;
        self.notes.lock().push(format!("{name}{call}"));
    }

    fn hear(&self, call: &str) -> Result<()> {
        self.note(call);
        if self.fails_in == call { Err(format!("{call} failed").into()) } else { Ok(()) }
    }
}

#[async_trait::async_trait]
impl Listener for Diary {
    async fn before_job(&self, _: &JobExecution) -> Result<()> {
        self.hear("before_job")
    }

    async fn after_job(&self, job: &JobExecution) -> Result<()> {
        match job.status {
            BatchStatus::Completed => self.hear("after_job"),
            other => self.hear(&format!("after_job:{other}")),
        }
    }

    async fn before_step(&self, _: &StepExecution) -> Result<()> {
        self.hear("before_step")
    }

    async fn after_step(&self, _: &StepExecution) -> Result<Option<ExitStatus>> {
        self.hear("after_step")?;
        Ok(self.exit.map(|code| ExitStatus::new(code, "")))
    }

    async fn before_chunk(&self, _: &StepExecution) -> Result<()> {
        self.hear("before_chunk")
    }

    fn before_commit(&self, _: &mut Context) -> Result<()> {
        self.hear("before_commit")
    }

    async fn after_chunk(&self, _: &ChunkReport<'_>) -> Result<()> {
        self.hear("after_chunk")
    }

    async fn on_chunk_error(&self, _: &StepExecution, _: &(dyn std::error::Error + Send + Sync + 'static)) -> Result<()> {
        self.hear("on_chunk_error")
    }

    fn on_error(&self, error: &ItemError<'_>) {
        let at = error.number.map(|n| format!("@{n}")).unwrap_or_default();
        self.note(&format!("error:{}{at}", error.phase));
    }

    fn on_skip(&self, skip: &SkipRecord) {
        self.note(&format!("skip:{}@{}", skip.phase, skip.number));
    }
}
