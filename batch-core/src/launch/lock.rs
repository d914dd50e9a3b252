//! The named lock that a step may need.

use crate::{
    error::{Error, ErrorKind},
    job::StepOptions,
    repository::HeldLock,
    step::{Ended, StepRun, take_lock},
};

/// A step's lock, where it needs one.
pub(super) struct StepLock(Option<Box<dyn HeldLock>>);

impl StepLock {
    /// Takes the lock that `options` name; `None` when the run was asked to end while it waited.
    ///
    /// # Errors
    /// Somebody holds it: kind `AlreadyRunning`.
    pub(super) async fn take(options: &StepOptions, run: &StepRun) -> Result<Option<Self>, Error> {
        let Some(name) = &options.lock else { return Ok(Some(Self(None))) };
        let held = take_lock(run, name, options.lock_wait).await;
        let held = held.map_err(|e| run.error(e.kind(), "the step needs a lock that it did not get").because(e))?;
        Ok(held.map(|held| Self(Some(held))))
    }

    /// Fails a step that completed, but not under its lock.
    pub(super) async fn check(&mut self, outcome: Result<Ended, Error>, run: &StepRun) -> Result<Ended, Error> {
        match (&mut self.0, outcome) {
            (Some(held), Ok(Ended::Completed)) => held.check().await.map(|()| Ended::Completed).map_err(|error| {
                let message = "the step's lock was lost while it ran; what was committed is kept, launch again to go on";
                run.error(ErrorKind::Failed, message).because(error)
            }),
            (_, outcome) => outcome,
        }
    }

    pub(super) async fn release(self) {
        if let Some(held) = self.0 {
            held.release().await;
        }
    }
}
