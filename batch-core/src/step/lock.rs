//! Waiting for a named lock.

use super::StepRun;
use crate::{
    error::{Error, ErrorKind},
    repository::HeldLock,
};
use std::time::Duration;
use tokio::time::Instant;

/// After so long a waiting run looks whether it was asked to end. Not by dropping the wait, which would cancel a statement.
const TURN: Duration = Duration::from_millis(500);

/// Takes the lock `name`, waiting at most for `wait`; `None` when the run was asked to end meanwhile.
///
/// # Errors
/// Those of [`Locks::acquire`](crate::repository::Locks::acquire).
pub(crate) async fn take_lock(run: &StepRun, name: &str, wait: Duration) -> Result<Option<Box<dyn HeldLock>>, Error> {
    let (locks, begun) = (run.repository.locks(), Instant::now());
    loop {
        let turn = wait.saturating_sub(begun.elapsed()).min(TURN);
        match locks.acquire(name, turn).await {
            Ok(held) => return Ok(Some(held)),
            Err(error) if error.kind() != ErrorKind::AlreadyRunning || begun.elapsed() >= wait => return Err(error),
            Err(_) if run.control.is_stopped() => return Ok(None),
            Err(_) => {}
        }
    }
}
