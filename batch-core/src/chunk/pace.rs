//! What commits take, on its way back to the filling of the next chunks, where their size is adaptive.

use super::batch::{Batch, Effort};
use crate::policy::{Adaptive, Goal, Seen, Steering, Verdict};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// The commits' side: learns from each chunk and sets the size of the next one to be filled.
#[derive(Debug)]
pub(super) struct Pace {
    policy: Adaptive,
    steering: Steering,
    next: NextSize,
    /// Whether it was told that the size has settled.
    told: bool,
}

/// The size of the next chunk; shared by the two sides, which may be on two tasks.
#[derive(Debug, Clone)]
pub(super) struct NextSize(Arc<AtomicUsize>);

impl NextSize {
    pub(super) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Pace {
    pub(super) fn new(policy: Adaptive) -> Self {
        let steering = Steering::new(policy);
        let next = NextSize(Arc::new(AtomicUsize::new(steering.size())));
        Self { policy, steering, next, told: false }
    }

    pub(super) fn next_size(&self) -> NextSize {
        self.next.clone()
    }

    /// Learns from a committed chunk of `step`; to be called in the order of the commits.
    pub(super) fn committed<Out>(&mut self, batch: &Batch<Out>, effort: &Effort, step: &str) {
        let time = match self.policy.goal() {
            Goal::Latency => effort.write_time,
            Goal::LockTime => effort.open_time,
        };
        let at_once = effort.attempts == 1 && effort.write_calls == 1;
        match self.steering.observe(Seen { asked: batch.size, items: batch.items(), time, at_once }) {
            Verdict::Keep => {}
            Verdict::Changed { from, to, median } => {
                self.next.0.store(to, Ordering::Relaxed);
                let target = self.policy.target();
                tracing::debug!(step, from, to, ?median, ?target, "the size of the chunks changes");
            }
            Verdict::Settled { median } => {
                if !std::mem::replace(&mut self.told, true) {
                    let (size, target) = (self.steering.size(), self.policy.target());
                    tracing::info!(step, size, ?median, ?target, "the size of the chunks has settled");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
