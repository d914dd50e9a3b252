//! A chunk's commit, as the repository sees it.

use super::{Lease, Request};
use crate::{
    error::BoxError,
    execution::{Checkpoint, Context, Counts, SkipRecord, UnitRecord},
};
use chrono::{DateTime, Utc};
use std::fmt;

/// What must still be true of a step's row for a commit to count: nobody took the step over, and no commit came between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guard {
    /// The step execution.
    pub step: i64,
    /// The epoch believed in.
    pub epoch: i64,
    /// Commits so far, over all tries of the instance.
    pub commit_no: i64,
    /// The owner's hold, which a commit may renew on the way.
    pub lease: Lease,
}

/// Everything that is written with a chunk's rows. Guard, totals and checkpoint go into one statement.
#[derive(Debug, Clone)]
pub struct Commit {
    /// What must still hold.
    pub guard: Guard,
    /// The step's counts with this chunk.
    pub counts: Counts,
    /// What this chunk adds to them.
    pub added: Counts,
    /// Where the next chunk goes on.
    pub checkpoint: Checkpoint,
    /// The step's context, where this chunk changed it.
    pub context: Option<Context>,
    /// Items left out of this chunk.
    pub skips: Vec<SkipRecord>,
    /// Units of the step that end with this commit: their rows in the unit log, inserted or replaced by their keys.
    pub units: Vec<UnitRecord>,
    /// When.
    pub at: DateTime<Utc>,
}

/// What the row says after a lost answer: the chunk is committed if `commit_no` is one more than before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resolved {
    /// The new epoch.
    pub epoch: i64,
    /// Commits so far.
    pub commit_no: i64,
    /// What an operator asks.
    pub request: Option<Request>,
}

/// Why a commit did not succeed.
#[derive(Debug)]
pub enum CommitError {
    /// The guard does not hold: the step was taken over. Nothing was committed.
    NotOwner,
    /// The database refused; nothing was committed. A data error, or transient by `Transactions::is_transient`.
    Refused(BoxError),
    /// The answer was lost; [`super::JobRepository::resolve`] decides.
    Unknown(BoxError),
}

impl fmt::Display for CommitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOwner => f.write_str("the execution was taken over by another process"),
            Self::Refused(e) => write!(f, "the commit was refused: {e}"),
            Self::Unknown(e) => write!(f, "the answer to the commit was lost: {e}"),
        }
    }
}

impl std::error::Error for CommitError {}
