//! When a chunk's commit is on the disk.

use super::ChunkStep;
use crate::{
    error::{Error, ErrorKind},
    item::{Processor, Reader, Writer},
    step::{Ended, StepRun, went_back},
    transaction::Transactions,
};
use std::sync::Arc;

/// When what a chunk committed is safe from a crash of the database's server; a crash of this process loses nothing either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Durability {
    /// With the chunk: each commit waits for the database's disk. The default.
    #[default]
    Chunk,
    /// With the step: chunks are committed without waiting for the disk, and the step ends, however it does, only when all of them are on
    /// it.
    ///
    /// A crash of the server takes back the last chunks, rows and checkpoint alike. A run that lives through it sees that the database
    /// went back, makes its step again and goes on from there; a restart does so anyway. In between, other sessions may have read rows
    /// that the crash took back, and listeners may have been told of chunks (`after_chunk`) and skips that are done, and told, again.
    ///
    /// Offered by databases whose sessions choose whether a commit waits (PostgreSQL's `synchronous_commit`), and by
    /// [`Memory`](crate::Memory), which has no disk. Refused with kind `Configuration` where something outside the transaction would be
    /// ahead of the database then: a writer that keeps state or writes elsewhere ([`Writer::is_transactional`]), rows in another
    /// database than the repository's, no transaction.
    Step,
}

impl Durability {
    /// Whether a chunk failed since the database lost those before it in a crash; where that cannot be found out, the failure stands.
    pub(super) async fn is_behind(self, run: &mut StepRun, failed: &Error) -> bool {
        let may_be = self == Self::Step && failed.kind() != ErrorKind::Unavailable;
        may_be && went_back(run).await.unwrap_or(false)
    }

    /// Makes what was committed durable at the step's end, where single chunks are not. What the database lost in a crash meanwhile is
    /// done again, unless the run was asked to end.
    pub(super) async fn settle(self, run: &mut StepRun, ended: Result<Ended, Error>) -> Result<Ended, Error> {
        if self == Self::Chunk || matches!(ended, Ok(Ended::Rewound)) {
            return ended;
        }
        match (went_back(run).await, ended) {
            (Ok(true), _) => run.ending().map(|stop| if stop { Ended::Stopped } else { Ended::Rewound }),
            (Err(unsettled), Ok(_)) => Err(unsettled),
            (_, ended) => ended,
        }
    }
}

/// The step on transactions as durable as it asks for.
///
/// # Errors
/// Kind `Configuration` where they are not offered, or not enough for the writer.
pub(super) fn with_durability<R, P, W, T>(mut step: ChunkStep<R, P, W, T>, run: &StepRun) -> Result<ChunkStep<R, P, W, T>, Error>
where
    R: Reader,
    P: Processor<R::Item>,
    W: Writer<P::Out, T::Conn>,
    T: Transactions,
{
    if step.options.durability == Durability::Chunk {
        return Ok(step);
    }
    let refused = |why: &str| {
        run.error(ErrorKind::Configuration, format!("{why}; leave out `.durability(Durability::Step)`, or change the step"))
    };
    if !step.writer.is_transactional() {
        return Err(refused(
            "the writer keeps something outside the transaction, which a crash of the database would not take back",
        ));
    }
    let Some(relaxed) = step.transactions.relaxed() else {
        return Err(refused(
            "chunks can commit without waiting for the disk only in the job's own database, where it is PostgreSQL or in memory",
        ));
    };
    step.transactions = Arc::new(relaxed);
    Ok(step)
}

#[cfg(test)]
mod tests;
