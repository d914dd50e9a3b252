//! Named locks: one holder at a time, whatever job or process it belongs to.

use crate::error::Error;
use async_trait::async_trait;
use std::{fmt, time::Duration};

/// Locks by name, shared by all that use the same repository.
///
/// # Behavior
/// - A name is any text; names that differ in anything, case included, are different locks.
/// - At most one holder has a lock. It is not reentrant: who takes its own lock again waits for itself, and is refused.
/// - `acquire` waits at most for `wait`, zero being one look; then it is refused with kind `AlreadyRunning`, transient, naming the lock
///   and, where it is known, its holder.
/// - `acquire` given up halfway (its future dropped) leaves no lock, at the latest as dropping a held one does.
/// - A held lock keeps one connection of its own, outside those that [`Transactions::connections`](crate::Transactions::connections)
///   counts, or none. It is taken and released while no transaction is open; `check` is called inside one, and never waits for it.
/// - A holder whose process died loses the lock: at once where the database notices, else when the lock's lease is over.
#[async_trait]
pub trait Locks: fmt::Debug + Send + Sync + 'static {
    /// Takes the lock `name`.
    async fn acquire(&self, name: &str, wait: Duration) -> Result<Box<dyn HeldLock>, Error>;
}

/// A lock that is held until it is released. Dropped, it is released too, as soon as the database can be told.
#[async_trait]
pub trait HeldLock: fmt::Debug + Send + 'static {
    /// Makes sure that the lock is still held.
    ///
    /// # Errors
    /// It was lost, or nobody can say: transient, since taking it again may succeed. Who gets one must commit nothing more under it.
    async fn check(&mut self) -> Result<(), Error>;

    /// Gives the lock back. An error is logged: the lock is then free when its connection or its lease ends.
    async fn release(self: Box<Self>);
}
