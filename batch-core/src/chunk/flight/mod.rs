//! Chunks in flight: written at once, each in a transaction of its own, committed in the order of the input.

mod caution;
mod fly;
mod line;
mod patience;
mod run;

use super::ChunkStep;
use crate::{
    error::{Error, ErrorKind},
    item::{Processor, Reader, Writer},
    step::StepRun,
    transaction::{Overlap, Transactions},
};
use std::fmt;

/// How many chunks are written at once, and how the writer of each is made.
pub(super) struct Fork<W> {
    pub(super) chunks: usize,
    pub(super) copy: fn(&W) -> W,
}

impl<W> Clone for Fork<W> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<W> Copy for Fork<W> {}

impl<W> fmt::Debug for Fork<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fork").field("chunks", &self.chunks).finish_non_exhaustive()
    }
}

/// How the step's transactions may overlap, where it asks for that; `ahead` is how many chunks may be read ahead.
///
/// # Errors
/// Kind `Configuration` where the database or the writer does not let them.
pub(super) fn overlap<R, P, W, T>(step: &ChunkStep<R, P, W, T>, ahead: usize, run: &StepRun) -> Result<Option<Overlap>, Error>
where
    R: Reader,
    P: Processor<R::Item>,
    W: Writer<P::Out, T::Conn>,
    T: Transactions,
{
    let Some(Fork { chunks, .. }) = step.fork else { return Ok(None) };
    let refused =
        |why: String| run.error(ErrorKind::Configuration, format!("{why}; leave out `.in_flight({chunks})`, or change the step"));
    if !step.transactions.undoes_writes() || !step.writer.is_transactional() {
        return Err(refused(
            "what the writer writes is not undone by its transaction, and chunks in flight are when one before fails".into(),
        ));
    }
    if ahead == 0 {
        return Err(refused("no chunk is read ahead, so that there is never more than one to write".into()));
    }
    match step.transactions.overlap() {
        None => Err(refused("the database takes one writing transaction at a time".into())),
        Some(Overlap { at_once, .. }) if at_once < chunks => {
            let message =
                format!("the database was opened for {at_once} chunks at once: `chunks_at_once` of its options says how many");
            Err(refused(message))
        }
        overlap => Ok(overlap),
    }
}
