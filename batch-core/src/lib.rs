//! Chunk-oriented batch jobs.

pub mod clock;
pub mod error;
pub mod execution;
#[macro_use]
pub mod failpoint;
pub mod item;
pub mod listener;
pub mod repository;
pub mod transaction;

pub use clock::{Clock, ManualClock, SystemClock};
pub use error::{BadRecord, BoxError, Error, ErrorKind, FailedItems, ItemProblem, Result, Transient, caused_by};
pub use execution::{
    BatchStatus, Checkpoint, Context, Counts, ExitStatus, JobExecution, JobInstance, JobKeyFormat, Parameter, ParameterValue,
    Parameters, Phase, Secret, SkipRecord, StepExecution,
};
pub use item::{BoxReader, Chain, Chunk, Identity, Map, Processor, Reader, Then, Total, Undo, Writer, filter_map, map};
pub use item::{Classify, ListReader, ListWriter, MultiReader, Peek, classify, iter, stream, try_iter, try_stream};
pub use listener::{ChunkReport, ItemError, Listener};
pub use repository::{JobExplorer, JobOperator, JobRepository, Memory, Owner, Page, Request};
pub use transaction::Transactions;
