//! A processor that passes values through.

use super::script::Script;
use batch_core::{Phase, Processor, Result};
use std::time::Duration;

/// Passes values through, all but those that it filters.
#[derive(Clone)]
pub(crate) struct SpyProcessor {
    pub(super) script: Script,
    pub(super) filters: Vec<i64>,
    pub(super) takes: fn(i64) -> Duration,
}

impl SpyProcessor {
    pub(crate) fn filters(mut self, value: i64) -> Self {
        self.filters.push(value);
        self
    }

    /// Makes each item wait so long, on a clock that stands still.
    pub(crate) fn takes(mut self, time: fn(i64) -> Duration) -> Self {
        self.takes = time;
        self
    }
}

impl Processor<i64> for SpyProcessor {
    type Out = i64;

    async fn process(&self, item: i64) -> Result<Option<i64>> {
        self.script.seen(|seen| seen.processed.push(item));
        let time = (self.takes)(item);
        if !time.is_zero() {
            tokio::time::sleep(time).await;
        }
        self.script.meet(Phase::Process, item)?;
        Ok((!self.filters.contains(&item)).then_some(item))
    }
}
