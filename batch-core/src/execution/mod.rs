//! What a repository stores: plain data, no I/O.

mod context;
mod counts;
mod job;
mod parameters;
mod status;
mod step;
mod unit;

pub use context::Context;
pub use counts::Counts;
pub use job::{JobExecution, JobInstance};
pub use parameters::{JobKeyFormat, Parameter, ParameterValue, Parameters, Secret};
pub use status::{BatchStatus, ExitStatus};
pub use step::{Checkpoint, Phase, SkipRecord, StepExecution};
pub use unit::{UnitCounts, UnitRecord, UnitStatus};
