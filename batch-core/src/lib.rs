//! Chunk-oriented batch jobs.

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

pub use chunk::{BeforeWriter, ChunkStep, NoWriter};
pub use clock::{Clock, ManualClock, SystemClock};
pub use control::StopHandle;
pub use dry_run::DryRun;
pub use error::{BadRecord, BoxError, Error, ErrorKind, FailedItems, ItemProblem, Result, Transient, caused_by};
pub use execution::{
    BatchStatus, Checkpoint, Context, Counts, ExitStatus, JobExecution, JobInstance, JobKeyFormat, Parameter, ParameterValue,
    Parameters, Phase, Secret, SkipRecord, StepExecution,
};
pub use item::{BoxReader, Chain, Chunk, Identity, Map, Processor, Reader, Then, Total, Undo, Writer, filter_map, map};
pub use item::{Classify, ListReader, ListWriter, MultiReader, Peek, classify, iter, stream, try_iter, try_stream};
pub use job::{Job, ParameterRules, StepOptions};
pub use launch::{Run, exit_code};
pub use listener::{ChunkReport, ItemError, Listener};
pub use policy::{Backoff, Completion, Filling, Retry, Skip};
pub use progress::{Moment, Progress, Reading};
pub use repository::{JobExplorer, JobOperator, JobRepository, Memory, Owner, Page, Request};
pub use scope::Scope;
pub use step::{Ended, Repeat, Step, StepRun, TaskletStep, WorkFn};
pub use transaction::{Detached, Transactions};
