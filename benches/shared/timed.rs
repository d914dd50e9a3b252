//! Wall time and processor time of the same work.

use crate::measure::median;
use batch_core::Result;
use rustix::time::{ClockId, clock_gettime};
use std::time::Instant;

/// What each round took, in seconds.
#[derive(Default)]
pub struct Times {
    wall: Vec<f64>,
    processor: Vec<f64>,
}

impl Times {
    /// Awaits `work` and notes what it took: of all threads, where it is the processor's time.
    pub async fn note<T>(&mut self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let (begun, used) = (Instant::now(), processor());
        let done = work.await?;
        self.wall.push(begun.elapsed().as_secs_f64());
        self.processor.push(processor() - used);
        Ok(done)
    }

    /// Medians of wall time and processor time.
    pub fn medians(&self) -> (f64, f64) {
        (median(self.wall.clone()), median(self.processor.clone()))
    }
}

fn processor() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
