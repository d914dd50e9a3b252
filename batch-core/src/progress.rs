//! How far a run is, how fast, and how long it will still take.

use crate::{
    error::Result,
    execution::{Counts, ExitStatus, StepExecution},
    item::Total,
    listener::{ChunkReport, Listener},
};
use async_trait::async_trait;
use parking_lot::Mutex;
use std::time::{Duration, Instant};

/// A listener that tells `show` after every chunk how far the step is.
///
/// `show` runs between chunks: draw, print or send, but do not wait.
pub struct Progress<F> {
    show: F,
    meter: Mutex<Option<Meter>>,
}

impl<F: Fn(&Reading<'_>) + Send + Sync + 'static> Progress<F> {
    /// Reports to `show`.
    pub fn new(show: F) -> Self {
        Self { show, meter: Mutex::new(None) }
    }

    fn tell(&self, step: &StepExecution, total: Option<Total>, moment: Moment) {
        let now = Instant::now();
        let mut slot = self.meter.lock();
        if moment == Moment::Began {
            *slot = None;
        }
        let meter = slot.get_or_insert_with(|| Meter::new(now));
        meter.observe(step.counts.read, total, now);
        let (rate, left) = (meter.rate(), meter.left());
        (self.show)(&Reading { step, moment, counts: step.counts, total: meter.total, elapsed: now - meter.began, rate, left });
    }
}

impl<F> std::fmt::Debug for Progress<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Progress")
    }
}

#[async_trait]
impl<F: Fn(&Reading<'_>) + Send + Sync + 'static> Listener for Progress<F> {
    async fn before_step(&self, step: &StepExecution) -> Result<()> {
        self.tell(step, None, Moment::Began);
        Ok(())
    }

    async fn after_chunk(&self, report: &ChunkReport<'_>) -> Result<()> {
        self.tell(report.step, report.total, Moment::Chunk);
        Ok(())
    }

    async fn after_step(&self, step: &StepExecution) -> Result<Option<ExitStatus>> {
        self.tell(step, None, Moment::Ended);
        Ok(None)
    }
}

/// When a reading was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The step begins; its checkpoint says where.
    Began,
    /// A chunk committed.
    Chunk,
    /// The step ended, however.
    Ended,
}

/// A step's progress at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    /// The step.
    pub step: &'a StepExecution,
    /// Which moment.
    pub moment: Moment,
    /// What this try did so far.
    pub counts: Counts,
    /// How far the reader is, in its own unit, where it knows.
    pub total: Option<Total>,
    /// Since the step began.
    pub elapsed: Duration,
    /// Records a second over this try; 0 while nothing is known.
    pub rate: f64,
    /// How long it will still take at the speed so far, where the reader knows its total.
    pub left: Option<Duration>,
}

/// Speed and time left from what was seen at which time; time is passed in.
#[derive(Debug, Clone)]
struct Meter {
    began: Instant,
    now: Instant,
    records: u64,
    first: Option<u64>,
    total: Option<Total>,
}

impl Meter {
    fn new(began: Instant) -> Self {
        Self { began, now: began, records: 0, first: None, total: None }
    }

    fn observe(&mut self, records: u64, total: Option<Total>, now: Instant) {
        (self.records, self.now) = (records, now);
        if let Some(total) = total {
            self.total = Some(total);
            self.first.get_or_insert(total.done);
        }
    }

    fn rate(&self) -> f64 {
        let seconds = (self.now - self.began).as_secs_f64();
        if seconds > 0.0 { self.records as f64 / seconds } else { 0.0 }
    }

    fn left(&self) -> Option<Duration> {
        let total = self.total?;
        // Only what this try did tells its speed: a restart begins with much behind it.
        let done = total.done.checked_sub(self.first?).filter(|done| *done > 0)?;
        let seconds = (self.now - self.began).as_secs_f64() / done as f64 * total.of.saturating_sub(total.done) as f64;
        Duration::try_from_secs_f64(seconds).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::{Meter, Total};
    use std::time::{Duration, Instant};

    #[test]
    fn a_restart_is_measured_by_what_it_did_itself() {
        let began = Instant::now();
        let mut meter = Meter::new(began);
        meter.observe(0, Some(Total { done: 800, of: 1000 }), began);
        assert_eq!((meter.rate(), meter.left()), (0.0, None));
        meter.observe(10, Some(Total { done: 900, of: 1000 }), began + Duration::from_secs(5));
        assert_eq!((meter.rate(), meter.left()), (2.0, Some(Duration::from_secs(5))));
    }
}
