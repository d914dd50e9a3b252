//! Work that goes on when nobody waits for it.

use batch_core::{BoxError, Result};
use std::future::Future;
use tokio::task::{JoinError, JoinHandle};

/// One piece of work on a task of its own.
///
/// A `read` that is dropped must have consumed nothing, and a connection must not be left in the middle of an answer: so the work is
/// never dropped, and the next `read` waits for the same.
#[derive(Debug)]
pub(super) struct Work<T>(Option<JoinHandle<Result<T>>>);

impl<T> Default for Work<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Send + 'static> Work<T> {
    /// The outcome of the work under way, or of what `begin` makes. Cancel-safe.
    pub(super) async fn outcome<F>(&mut self, begin: impl FnOnce() -> Result<F>) -> Result<T>
    where
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let handle = match &mut self.0 {
            Some(handle) => handle,
            none => none.insert(tokio::spawn(begin()?)),
        };
        let outcome = handle.await;
        self.0 = None;
        outcome.map_err(broken)?
    }

    /// Waits for the work under way, whatever comes of it.
    pub(super) async fn settle(&mut self) {
        if let Some(handle) = self.0.take() {
            let _ = handle.await;
        }
    }
}

/// A panic on the task goes on here, so that who reads sees it as if there were no task.
pub(super) fn broken(error: JoinError) -> BoxError {
    match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(_) => "the runtime ended while rows were read".into(),
    }
}
