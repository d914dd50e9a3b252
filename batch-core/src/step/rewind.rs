//! Going back with a database that lost its last commits in a crash.

use super::run::{StepRun, patiently, resolve};
use crate::{
    error::Error,
    execution::{Counts, StepExecution},
};

/// Asks the repository where the step is, after making everything before durable; takes its answer over where it is another than
/// ours, and says so.
///
/// Raising the epoch is a commit that waits for the disk, so every chunk that was committed before is on the disk after it.
///
/// # Errors
/// - `NotOwner`: the step was taken over.
/// - `Unavailable`: the repository does not answer for as long as the lease lasts.
pub(crate) async fn went_back(run: &mut StepRun) -> Result<bool, Error> {
    let (more, _) = resolve(run).await?;
    if more == 0 {
        return Ok(false);
    }
    let stored = stored(run).await?;
    tracing::warn!(chunks = -more, read = stored.checkpoint.read, "the database lost commits in a crash; they are done again");
    let counts = Counts { rollbacks: run.execution.counts.rollbacks, ..stored.counts };
    let step = &mut run.execution;
    (step.commit_no, step.counts, step.checkpoint, step.context) = (stored.commit_no, counts, stored.checkpoint, stored.context);
    Ok(true)
}

async fn stored(run: &StepRun) -> Result<StepExecution, Error> {
    let explorer = run.repository.explorer();
    let steps = patiently(run, || explorer.steps(run.execution.execution_id)).await?;
    steps.into_iter().find(|step| step.id == run.execution.id).ok_or_else(|| run.not_owner())
}
