//! When a chunk is full, what is retried, what is skipped: pure functions of what they are told.

mod adaptive;
mod backoff;
mod completion;
mod retry;
mod skip;

pub use adaptive::Adaptive;
pub(crate) use adaptive::{Goal, Seen, Steering, Verdict};
pub use backoff::Backoff;
pub use completion::{Completion, Filling};
pub use retry::Retry;
pub use skip::Skip;
