//! What a step does with single items besides processing and writing them.

use crate::error::BoxError;
use std::{fmt, sync::Arc};

/// Copies of items as they were read, and who wants them.
pub(super) struct InputHooks<In> {
    /// Set by what needs an item after it was processed: retry, dead letters, `on_process_error`.
    pub(super) copy: Option<fn(&In) -> In>,
    /// The text kept of a skipped item.
    pub(super) letter: Option<fn(&In) -> Option<String>>,
    pub(super) on_error: Vec<ItemHook<In>>,
}

/// Who wants the items of a failed write.
pub(super) struct OutputHooks<Out> {
    pub(super) letter: Option<fn(&Out) -> Option<String>>,
    pub(super) on_error: Vec<SliceHook<Out>>,
}

pub(super) type ItemHook<In> = Arc<dyn Fn(&In, &BoxError) + Send + Sync>;
pub(super) type SliceHook<Out> = Arc<dyn Fn(&[Out], &BoxError) + Send + Sync>;

impl<In> Default for InputHooks<In> {
    fn default() -> Self {
        Self { copy: None, letter: None, on_error: Vec::new() }
    }
}

impl<Out> Default for OutputHooks<Out> {
    fn default() -> Self {
        Self { letter: None, on_error: Vec::new() }
    }
}

impl<In> fmt::Debug for InputHooks<In> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InputHooks").field("copies", &self.copy.is_some()).finish_non_exhaustive()
    }
}

/// The JSON of an item, for its dead letter.
pub(super) fn json<T: serde::Serialize>(item: &T) -> Option<String> {
    serde_json::to_string(item).ok()
}
