//! The contract of a processor.

use crate::error::Result;
use std::future::Future;

/// Turns an item into what is written, or filters it.
///
/// # Behavior
/// - `Ok(Some(out))` goes to the writer; `Ok(None)` filters the item, which is counted and is no skip.
/// - `Err`, and a panic, are the item's: retried or skipped by the step's policies, else the step fails.
/// - No transaction is open, and several calls may be under way at once (`.concurrent(n)`, read-ahead).
/// - An item may be processed again after a rollback of its chunk's process; effects elsewhere belong in the writer.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not process `{In}`",
    label = "does not take items of type `{In}`",
    note = "the items here are what the reader (or the processor before) yields: `{In}`",
    note = "for a closure use `.map(|x| Ok(..))`, `.filter_map(..)`, `.filter(|x| ..)` or, async, `.then(|x| async move {{ .. }})`"
)]
pub trait Processor<In>: Send + Sync + 'static {
    /// What comes out; `Sync`, since a writer borrows a slice of it across an await.
    type Out: Send + Sync + 'static;

    /// Processes one item.
    fn process(&self, item: In) -> impl Future<Output = Result<Option<Self::Out>>> + Send;

    /// Whether [`Self::process_now`] does the same without waiting; the engine then leaves the futures out of its inner loop.
    #[doc(hidden)]
    const IS_SYNC: bool = false;

    /// Processes one item without waiting; called only where `IS_SYNC`.
    #[doc(hidden)]
    fn process_now(&self, item: In) -> Result<Option<Self::Out>> {
        drop(item);
        Err("this processor has to wait".into())
    }
}
