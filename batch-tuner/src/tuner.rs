//! The tuner and its settings.

use crate::{
    Dimension, Limits, Setting, Trial, Tuning,
    measurement::{Kind, Measure, Measurement},
    runner::Runner,
    search::{self, Rules},
    watch::Enough,
};
use batch_core::{Clock, DryRun, Error, ErrorKind, Job, Parameters, Result, SystemClock, Transactions};
use std::{
    fmt,
    future::{Ready, ready},
    num::NonZeroU32,
    sync::Arc,
    time::Duration,
};

/// Chunk sizes that are tried where nothing else is said.
const CHUNKS: [usize; 9] = [1, 10, 50, 100, 500, 1000, 5000, 10_000, 50_000];

type MakeParameters = Box<dyn Fn(Setting) -> Parameters + Send + Sync>;
type Hear = Box<dyn Fn(&TrialDone) + Send + Sync>;

/// Runs a job with one setting after the other, and recommends the best.
///
/// Each trial is an instance of its own: it neither goes on from a real run of the job nor is gone on from by one, and its record is
/// deleted from the repository after it (that of a tuner that was killed stays, under the job name `batch-tuner`). A trial ends after
/// [`Self::trial_time`] and [`Self::min_chunks`], or where the input or the [`Self::sample`] does; so small chunks see less of the input
/// than large ones. Its throughput is taken from its first commit to its last.
///
/// The first round goes upwards, and ends where it stops paying: where two numbers in a row bring less than 2 %, where a limit is broken, or
/// where chunks get too large for the input or the time. Later rounds are in random order; what cannot become the best is given up. Last, one
/// chunk of each number that is left is made to fail just before its commit, to see what a retry costs.
///
/// The recommendation is the smallest number within [`Self::tolerance`] of the best that keeps to the limits, with its reason.
#[must_use = "a tuner does nothing until `.run()` is awaited"]
pub struct Tuner<D, J, P> {
    pub(crate) database: D,
    pub(crate) job: J,
    pub(crate) prepare: P,
    pub(crate) parameters: MakeParameters,
    pub(crate) step: Option<Arc<str>>,
    pub(crate) sample: Option<u64>,
    pub(crate) enough: Enough,
    pub(crate) clock: Arc<dyn Clock>,
    from: Setting,
    dimensions: Vec<(Dimension, Vec<usize>)>,
    rules: Rules,
    seed: Option<u64>,
    hear: Option<Hear>,
}

/// A trial that was made.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TrialDone {
    /// Which, from 1; the first one only warms up.
    pub number: u64,
    /// With what.
    pub setting: Setting,
    /// Whether a chunk was made to fail in it; its speed then tells nothing.
    pub retried: bool,
    /// Records read a second.
    pub items_per_second: f64,
    /// Chunks committed.
    pub chunks: usize,
}

/// The `prepare` of a tuner that needs none.
pub type Unprepared<D> = fn(&Trial<D>) -> Ready<Result<()>>;

impl<D, J> Tuner<DryRun<D>, J, Unprepared<DryRun<D>>>
where
    D: Transactions + Clone,
    J: Fn(&Trial<DryRun<D>>) -> Job<DryRun<D>>,
{
    /// Rolls back every chunk of every trial: nothing is needed but the job, and what it does in its transactions changes nothing.
    ///
    /// What is not in the figures then: the commit with its wait for the disk, which is what small chunks pay most, and whatever grows with the
    /// table. Recommendations are lower than those of [`Tuner::committed`], which is to be preferred where there is a scratch target. Writers
    /// outside the transaction (files, brokers) are given items, but never opened or flushed.
    pub fn rolled_back(database: &D, job: J) -> Self {
        Self::committed(&DryRun::new(database), |_| ready(Ok(())), job)
    }
}

impl<D, J, P> Tuner<D, J, P>
where
    D: Transactions + Clone,
    J: Fn(&Trial<D>) -> Job<D>,
    P: AsyncFn(&Trial<D>) -> Result<()>,
{
    /// Commits as a real run does, into a scratch target that `prepare` makes or empties before each trial.
    ///
    /// The job must write where `prepare` says, never into a table that matters: its rows stay until the next `prepare`. Empty the
    /// target after the last trial yourself. A ledger in another database keeps one row a trial.
    pub fn committed(database: &D, prepare: P, job: J) -> Self {
        Self {
            database: database.clone(),
            job,
            prepare,
            parameters: Box::new(|_| Parameters::new()),
            step: None,
            sample: None,
            enough: Enough { chunks: 4, time: Duration::from_secs(1) },
            clock: Arc::new(SystemClock),
            from: Setting::default(),
            dimensions: vec![(Dimension::Chunk, CHUNKS.to_vec())],
            rules: Rules {
                rounds: 5,
                budget: Duration::from_secs(180),
                min_chunks: 4,
                tolerance: 0.05,
                limits: Limits::default(),
                exhaustive: false,
            },
            seed: None,
            hear: None,
        }
    }

    /// Gives the job parameters, which may depend on the setting. Default: none.
    pub fn parameters(mut self, parameters: impl Fn(Setting) -> Parameters + Send + Sync + 'static) -> Self {
        self.parameters = Box::new(parameters);
        self
    }

    /// Measures the step of that name alone; those before it run as they do. Default: all chunks of all steps that run.
    pub fn step(mut self, name: &str) -> Self {
        self.step = Some(name.into());
        self
    }

    /// Reads at most so many records in a trial, of all steps. Default: no limit.
    pub fn sample(mut self, records: u64) -> Self {
        self.sample = Some(records);
        self
    }

    /// Ends a trial after that time, once it has [`Self::min_chunks`]. Default: 1 s.
    pub fn trial_time(mut self, time: Duration) -> Self {
        self.enough.time = time;
        self
    }

    /// Lets a trial commit at least so many chunks, where the input has them; 2 at least. Default: 4.
    pub fn min_chunks(mut self, chunks: usize) -> Self {
        self.enough.chunks = chunks.max(2);
        self.rules.min_chunks = chunks.max(2);
        self
    }

    /// Tries every number that is left so often. Default: 5, with which the interval of a median is sure to 94 %.
    pub fn rounds(mut self, rounds: NonZeroU32) -> Self {
        self.rules.rounds = rounds.get();
        self
    }

    /// Begins no trial after that time. Default: 3 min.
    pub fn budget(mut self, time: Duration) -> Self {
        self.rules.budget = time;
        self
    }

    /// Tries every number in every round, and gives none up. Default: off.
    pub fn exhaustive(mut self) -> Self {
        self.rules.exhaustive = true;
        self
    }

    /// Sets the numbers that are not tuned. Default: chunks of 1,000, nothing at once.
    pub fn from(mut self, setting: Setting) -> Self {
        self.from = setting;
        self
    }

    /// Chunk sizes to try. Default: 1, 10, 50, 100, 500, 1,000, 5,000, 10,000, 50,000; empty does not tune it.
    pub fn chunks(self, sizes: impl IntoIterator<Item = usize>) -> Self {
        self.try_all(Dimension::Chunk, sizes)
    }

    /// Numbers of items processed at once to try, at the chunk size that was found. Default: not tuned.
    pub fn concurrent(self, items: impl IntoIterator<Item = usize>) -> Self {
        self.try_all(Dimension::Concurrent, items)
    }

    /// Numbers of chunks processed at once to try, after those. Default: not tuned.
    pub fn workers(self, workers: impl IntoIterator<Item = usize>) -> Self {
        self.try_all(Dimension::Workers, workers)
    }

    /// Numbers of chunks written at once to try, after those. Default: not tuned.
    pub fn in_flight(self, chunks: impl IntoIterator<Item = usize>) -> Self {
        self.try_all(Dimension::InFlight, chunks)
    }

    /// How much throughput may be given up for a smaller number, as a share of the best. Default: 0.05.
    pub fn tolerance(mut self, share: f64) -> Self {
        self.rules.tolerance = share.clamp(0.0, 0.9);
        self
    }

    /// Recommends nothing whose transactions are open longer, at the 99th percentile. Default: no limit.
    pub fn max_lock_time(mut self, limit: Duration) -> Self {
        self.rules.limits.lock_ms = Some(limit.as_secs_f64() * 1e3);
        self
    }

    /// Recommends nothing for which the process needs so many bytes more than before. Default: no limit.
    ///
    /// Memory is measured on Linux, in the first dimension alone: what its largest trials left to the allocator hides what later ones need.
    /// For another dimension give `.chunks([])` and [`Self::from`] in a process of its own.
    pub fn max_memory(mut self, bytes: u64) -> Self {
        self.rules.limits.memory_bytes = Some(bytes);
        self
    }

    /// Repeats the order of an earlier tuning. Default: at random; the report has it.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Reads the time from `clock`; what happens within chunks is timed by [`Job::clock`]. Default: the machine's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Tells of each trial when it was made.
    pub fn on_trial(mut self, hear: impl Fn(&TrialDone) + Send + Sync + 'static) -> Self {
        self.hear = Some(Box::new(hear));
        self
    }

    /// Makes the trials.
    ///
    /// # Errors
    /// Kind `Failed` where a trial failed, committed nothing, or its target could not be prepared; `Configuration` where nothing is to be
    /// tuned; else those of [`Job::run`]. What was measured until then is lost.
    pub async fn run(self) -> Result<Tuning, Error> {
        if self.dimensions.is_empty() {
            return Err(Error::new(ErrorKind::Configuration, "nothing is tuned; give `.chunks(..)` or another dimension numbers"));
        }
        let seed = self.seed.unwrap_or_else(|| fastrand::u32(..).into());
        let mut runner = Runner::new(&self);
        let (curves, recommended) = search::tune(&mut runner, &self.rules, self.from, &self.dimensions, seed).await?;
        Ok(Tuning {
            version: Tuning::VERSION,
            seconds: runner.elapsed().as_secs_f64(),
            job: runner.job,
            rolled_back: self.database.is_dry_run(),
            seed,
            rounds: self.rules.rounds,
            tolerance: self.rules.tolerance,
            limits: self.rules.limits,
            curves,
            recommended,
        })
    }

    pub(crate) fn tell(&self, trial: &Trial<D>, kind: Kind, measured: &Measurement) {
        if let Some(hear) = &self.hear {
            hear(&TrialDone {
                number: trial.number,
                setting: trial.setting,
                retried: kind == Kind::Retried,
                items_per_second: measured.items_per_second(),
                chunks: measured.chunks.len(),
            });
        }
    }

    /// Sets what is tried in a dimension; dimensions keep their order.
    fn try_all(mut self, dimension: Dimension, values: impl IntoIterator<Item = usize>) -> Self {
        let mut values: Vec<usize> = values.into_iter().filter(|value| *value > 0).collect();
        values.sort_unstable();
        values.dedup();
        self.dimensions.retain(|(other, _)| *other != dimension);
        if !values.is_empty() {
            self.dimensions.push((dimension, values));
            self.dimensions.sort_by_key(|(dimension, _)| *dimension as u8);
        }
        self
    }
}

impl<D, J, P> fmt::Debug for Tuner<D, J, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tuner").field("dimensions", &self.dimensions).field("rules", &self.rules).finish_non_exhaustive()
    }
}
