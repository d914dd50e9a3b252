//! Chunk-oriented batch jobs that can be killed at any moment.
//!
//! A [`Job`] is a list of steps. A chunk step reads items with a [`Reader`], turns them into others with [`Processor`]s or closures, and
//! writes them with a [`Writer`], so many at a time; each chunk's rows and its checkpoint commit together. A job that failed, was stopped
//! or was killed goes on after its last committed chunk when it is run again with the same parameters.
//!
//! ```
//! use batch_core::{BatchStatus, Job, ListReader, ListWriter, Memory, Parameters, Result};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<()> {
//! let database = Memory::new(); // a database of batch-sql keeps progress and rows for good
//! let prices = ListWriter::new();
//!
//! let target = prices.clone();
//! let job = Job::new("reprice", &database).step("prices", move |s| {
//!     let percent: i64 = s.parameter("percent")?;
//!     Ok(s.chunk(2, ListReader::new(vec!["100", "250", "free", "30"]))
//!         .map(|text: &str| Ok(text.parse::<i64>()?))
//!         .map(move |price| Ok(price * percent / 100))
//!         .writer(target.clone())
//!         .skip(1))
//! });
//!
//! let done = job.run(Parameters::new().set("percent", 110)).await?;
//! assert_eq!(done.status, BatchStatus::Completed);
//! assert_eq!(prices.items(), [110, 275, 33]);
//! let counts = done.steps[0].counts;
//! assert_eq!((counts.read, counts.written, counts.process_skips, counts.commits), (4, 3, 1, 2));
//! # Ok(())
//! # }
//! ```
//!
//! In reading order: [`Job`] and what its steps are made from, [`Scope`]; its three kinds of steps, of chunks ([`ChunkStep`]), of turns
//! ([`TaskletStep`]) and of units of work ([`UnitStep`]); the contracts [`Reader`], [`Processor`], [`Writer`]; the policies [`Completion`] and [`Adaptive`],
//! [`Retry`], [`Skip`]; [`Listener`] and [`Progress`]; [`Transactions`], the seam between guarantees; [`JobRepository`], [`JobExplorer`] and
//! [`JobOperator`]; [`Locks`] by name; what is stored, from [`JobExecution`] on; and [`testing`] for tests of your own.

#[macro_use]
pub mod failpoint;

mod chunk;
pub mod clock;
mod control;
mod dry_run;
pub mod error;
pub mod execution;
pub mod item;
mod job;
mod launch;
pub mod listener;
pub mod policy;
mod progress;
pub mod repository;
mod scope;
mod step;
pub mod testing;
pub mod transaction;

pub use chunk::{BeforeWriter, ChunkStep, Durability, NoWriter};
pub use clock::{Clock, ManualClock, SystemClock};
pub use control::StopHandle;
pub use dry_run::DryRun;
pub use error::{BadRecord, BoxError, Error, ErrorKind, FailedItems, ItemProblem, RefusedItem, Result, Transient, caused_by};
pub use execution::{
    BatchStatus, Checkpoint, Context, Counts, ExitStatus, JobExecution, JobInstance, JobKeyFormat, Parameter, ParameterValue,
    Parameters, Phase, Secret, SkipRecord, StepExecution, UnitCounts, UnitRecord, UnitStatus,
};
pub use item::{BoxReader, Chain, Chunk, Encoder, Identity, Map, Processor, Reader, Then, Total, Undo, Writer, filter_map, map};
pub use item::{Classify, ListReader, ListWriter, MultiReader, Peek, classify, iter, stream, try_iter, try_stream};
pub use job::{Job, ParameterRules, StepOptions};
pub use launch::{Run, exit_code};
pub use listener::{ChunkReport, ItemError, Listener};
pub use policy::{Adaptive, Backoff, Completion, Filling, Retry, Skip};
pub use progress::{Moment, Progress, Reading};
pub use repository::{HeldLock, JobExplorer, JobOperator, JobRepository, Locks, Memory, Owner, Page, Purge, Purged, Request};
pub use scope::Scope;
pub use step::{Ended, Repeat, Step, StepRun, TaskletStep, UnitFn, UnitStep, WorkFn};
pub use transaction::{Detached, Ledger, Ledgered, Overlap, Transactions};
