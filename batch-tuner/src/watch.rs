//! The listener that watches a trial, ends it when it has seen enough, and lets a chunk fail where that is the trial.

use crate::measurement::{ChunkSample, Kind, Retried};
use async_trait::async_trait;
use batch_core::{ChunkReport, Clock, Context, Listener, Result, StepExecution, StopHandle, Transient};
use parking_lot::Mutex;
use std::{sync::Arc, time::Duration};

/// Chunks of a trial in which the second one fails: one before, itself, one after.
const RETRIED_CHUNKS: usize = 3;

/// When a trial has seen enough.
#[derive(Debug, Clone)]
pub(crate) struct Enough {
    pub(crate) chunks: usize,
    pub(crate) time: Duration,
}

/// Hears the step that is tuned.
#[derive(Debug, Clone)]
pub(crate) struct Watch {
    stop: StopHandle,
    clock: Arc<dyn Clock>,
    kind: Kind,
    enough: Enough,
    /// The step that is tuned; none is every step.
    step: Option<Arc<str>>,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) chunks: Vec<ChunkSample>,
    pub(crate) retried: Option<Retried>,
    began: Option<Duration>,
    /// Whether the step under way is the one that is tuned.
    listens: bool,
    writing: Option<Duration>,
    lost: Option<Duration>,
}

impl Watch {
    pub(crate) fn new(stop: &StopHandle, clock: Arc<dyn Clock>, kind: Kind, enough: Enough, step: Option<Arc<str>>) -> Self {
        Self { stop: stop.clone(), clock, kind, enough, step, seen: Arc::default() }
    }

    /// What was seen.
    pub(crate) fn into_seen(self) -> Seen {
        std::mem::take(&mut self.seen.lock())
    }

    fn has_enough(&self, chunks: usize, time: Duration) -> bool {
        match self.kind {
            Kind::Timed => chunks >= self.enough.chunks && time >= self.enough.time,
            Kind::Retried => chunks >= RETRIED_CHUNKS,
        }
    }
}

#[async_trait]
impl Listener for Watch {
    async fn before_step(&self, step: &StepExecution) -> Result<()> {
        let mut seen = self.seen.lock();
        seen.listens = self.step.as_ref().is_none_or(|name| **name == *step.name);
        if seen.listens {
            seen.began.get_or_insert_with(|| self.clock.uptime());
        }
        Ok(())
    }

    async fn before_chunk(&self, _step: &StepExecution) -> Result<()> {
        self.seen.lock().writing = Some(self.clock.uptime());
        Ok(())
    }

    fn before_commit(&self, _context: &mut Context) -> Result<()> {
        let mut seen = self.seen.lock();
        let fails = self.kind == Kind::Retried && seen.listens && seen.chunks.len() == 1 && seen.lost.is_none();
        if !fails {
            return Ok(());
        }
        seen.lost = seen.writing.map(|began| self.clock.uptime().saturating_sub(began));
        Err(Transient("the tuner lets this attempt fail, to see what it costs".into()).into())
    }

    async fn after_chunk(&self, report: &ChunkReport<'_>) -> Result<()> {
        let mut seen = self.seen.lock();
        let Some(began) = seen.began.filter(|_| seen.listens) else { return Ok(()) };
        let sample = sample(report, self.clock.uptime().saturating_sub(began));
        if let Some(lost) = seen.lost.filter(|_| seen.chunks.len() == 1) {
            seen.retried = Some(Retried { lost, whole: sample.whole });
        }
        seen.chunks.push(sample);
        if self.has_enough(seen.chunks.len(), sample.at) {
            self.stop.stop();
        }
        Ok(())
    }
}

fn sample(report: &ChunkReport<'_>, at: Duration) -> ChunkSample {
    ChunkSample {
        at,
        items: report.chunk.read,
        read: report.read_time,
        process: report.process_time,
        whole: report.write_time,
        open: report.open_time,
        commit: report.commit_time,
    }
}
