//! A job: named steps, run in order.

mod rules;

use crate::{
    clock::{Clock, SystemClock},
    error::{Error, ErrorKind, Result},
    execution::JobKeyFormat,
    listener::Listener,
    scope::Scope,
    step::Step,
    transaction::Transactions,
};
use std::{fmt, num::NonZeroU32, sync::Arc, time::Duration};

pub use rules::ParameterRules;

/// Named steps over a database that keeps their progress.
///
/// A job is a description: it can be run many times, and a restart needs nothing but the same job and parameters. Steps run in the
/// order they were added; a step that an earlier try of the instance completed is passed over.
#[must_use = "a job does nothing until it is run"]
pub struct Job<D> {
    pub(crate) name: String,
    pub(crate) database: D,
    pub(crate) nodes: Vec<Node<D>>,
    pub(crate) listeners: Vec<Arc<dyn Listener>>,
    pub(crate) rules: Option<ParameterRules>,
    pub(crate) restartable: bool,
    pub(crate) lease: Duration,
    pub(crate) time_limit: Option<Duration>,
    pub(crate) key_format: JobKeyFormat,
    pub(crate) clock: Arc<dyn Clock>,
}

type Factory<D> = Box<dyn Fn(&Scope<D>) -> Result<Box<dyn Step>> + Send + Sync>;

/// A step's name, how to make it, and how often it may start.
pub(crate) struct Node<D> {
    pub(crate) name: String,
    pub(crate) make: Factory<D>,
    pub(crate) options: StepOptions,
}

/// How a step is started over the tries of an instance, and what it needs for that.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StepOptions {
    pub(crate) start_limit: Option<NonZeroU32>,
    pub(crate) rerun: bool,
    pub(crate) lock: Option<String>,
    pub(crate) lock_wait: Duration,
}

impl StepOptions {
    /// Any number of starts; a completed step is not run again; no lock.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts the step at most so often over all tries, completed and failed ones counted; one more fails the job.
    #[must_use]
    pub fn start_limit(mut self, starts: NonZeroU32) -> Self {
        self.start_limit = Some(starts);
        self
    }

    /// Runs the step again from its beginning although an earlier try completed it.
    #[must_use]
    pub fn rerun(mut self) -> Self {
        self.rerun = true;
        self
    }

    /// Runs the step only while it holds the lock `name`, which all jobs on the same repository share.
    ///
    /// It is taken when the start of the step was recorded, which counts as a start, and released when its end was. A step that does not
    /// get it is FAILED, and the run ends with kind `AlreadyRunning`, exit code 4, restartable. A lock that was lost meanwhile (its
    /// connection broke, its process hung) fails a step that completed; commits in between are not undone, since only their guard
    /// protects them. Units whose own lock has the same name are always refused.
    ///
    /// Keeps one connection outside the pool while the step runs, where the database's locks need one.
    #[must_use]
    pub fn lock(mut self, name: impl Into<String>) -> Self {
        self.lock = Some(name.into());
        self
    }

    /// How long the step waits for its lock; a stop ends the wait. Default: not at all.
    #[must_use]
    pub fn lock_wait(mut self, wait: Duration) -> Self {
        self.lock_wait = wait;
        self
    }
}

impl<D: Transactions + Clone> Job<D> {
    /// A job without steps, whose progress is kept in `database`. The name is part of every instance's identity.
    pub fn new(name: &str, database: &D) -> Self {
        Self {
            name: name.to_owned(),
            database: database.clone(),
            nodes: Vec::new(),
            listeners: Vec::new(),
            rules: None,
            restartable: true,
            lease: Duration::from_secs(30),
            time_limit: None,
            key_format: JobKeyFormat::default(),
            clock: Arc::new(SystemClock),
        }
    }

    /// Adds a step. `make` is called at each start of it, so that nothing is left over from another run: build readers and writers
    /// inside it.
    pub fn step<S: Step>(self, name: &str, make: impl Fn(&Scope<D>) -> Result<S> + Send + Sync + 'static) -> Self {
        self.step_with(name, StepOptions::default(), make)
    }

    /// Adds a step with a start limit, one that needs a lock, or one that is run again after it completed.
    pub fn step_with<S: Step>(
        mut self,
        name: &str,
        options: StepOptions,
        make: impl Fn(&Scope<D>) -> Result<S> + Send + Sync + 'static,
    ) -> Self {
        let make: Factory<D> = Box::new(move |scope| Ok(Box::new(make(scope)?)));
        self.nodes.push(Node { name: name.to_owned(), make, options });
        self
    }

    /// Adds a listener to the job and all its steps.
    pub fn listener(mut self, listener: impl Listener) -> Self {
        self.listeners.push(Arc::new(listener));
        self
    }

    /// Refuses parameters that do not follow `rules`. Default: any parameters.
    pub fn parameters(mut self, rules: ParameterRules) -> Self {
        self.rules = Some(rules);
        self
    }

    /// Refuses to try an instance again once a try of it failed or was stopped.
    pub fn not_restartable(mut self) -> Self {
        self.restartable = false;
        self
    }

    /// How long this process counts as alive without a sign, where another one cannot see it. Default: 30 s.
    pub fn lease(mut self, ttl: Duration) -> Self {
        self.lease = ttl;
        self
    }

    /// Fails a run that takes longer; the current chunk is ended first. Default: none.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = Some(limit);
        self
    }

    /// Computes the job key as another Spring Batch generation does. Default: Spring Batch 6.
    pub fn key_format(mut self, format: JobKeyFormat) -> Self {
        self.key_format = format;
        self
    }

    /// Reads the time from `clock`. Default: the machine's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The job's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is wrong with the job itself.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let wrong = |message: String| Err(Error::new(ErrorKind::Configuration, message).with("job", &self.name));
        if self.nodes.is_empty() {
            return wrong("no steps configured; add one with `.step(..)`".to_owned());
        }
        for (i, node) in self.nodes.iter().enumerate() {
            if self.nodes[..i].iter().any(|n| n.name == node.name) {
                return wrong(format!("two steps are named `{}`; a restart could not tell them apart", node.name));
            }
        }
        if self.lease < Duration::from_millis(10) {
            return wrong(format!("a lease of {:?} is too short to be renewed; use at least 10 ms", self.lease));
        }
        Ok(())
    }
}

impl<D> fmt::Debug for Job<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps: Vec<&str> = self.nodes.iter().map(|n| n.name.as_str()).collect();
        f.debug_struct("Job").field("name", &self.name).field("steps", &steps).finish_non_exhaustive()
    }
}
