//! One call of the user's function inside a transaction.

use crate::{
    error::{BoxError, Result, panicked},
    transaction::Transactions,
};
use futures_util::FutureExt;
use std::{future::Future, panic::AssertUnwindSafe, time::Duration};

/// Why a call did not succeed.
pub(super) struct Failure {
    pub(super) error: BoxError,
    /// A statement may still run on the connection that nobody waits for.
    pub(super) connection_busy: bool,
}

impl Failure {
    fn busy(error: BoxError) -> Self {
        Self { error, connection_busy: true }
    }
}

/// What messages call the function and one call of it.
pub(super) struct Names {
    pub(super) function: &'static str,
    pub(super) call: &'static str,
}

/// Awaits `call` for at most `limit`; its time limit and its panics are errors.
pub(super) async fn guarded<V>(
    names: &Names,
    limit: Option<Duration>,
    call: impl Future<Output = Result<V>>,
) -> Result<V, Failure> {
    let call = AssertUnwindSafe(call).catch_unwind();
    let result = match limit {
        None => call.await,
        Some(limit) => match tokio::time::timeout(limit, call).await {
            Ok(result) => result,
            Err(_) => return Err(Failure::busy(format!("{} took longer than {limit:?}", names.call).into())),
        },
    };
    match result {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Failure { error, connection_busy: false }),
        Err(panic) => Err(Failure::busy(panicked(names.function, panic.as_ref()))),
    }
}

/// Ends a transaction that is not committed. Its rows vanish even where this fails: the connection is closed then.
pub(super) async fn give_up<T: Transactions>(transactions: &T, tx: T::Tx, connection_busy: bool) {
    if connection_busy {
        transactions.abandon(tx).await;
    } else if let Err(error) = transactions.rollback(tx).await {
        tracing::warn!(%error, "a rollback failed; the connection is given up");
    }
}
