//! Time, passed in.

use chrono::{DateTime, SubsecRound, Utc};
use parking_lot::Mutex;
use std::{fmt, sync::Arc, time::Duration};

/// Where the repository and the engine read the time.
///
/// Waiting is tokio's (`tokio::time`), which tests pause; this trait is for what is recorded and compared.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Wall time, for what people read; whole microseconds, since databases store no more.
    fn now(&self) -> DateTime<Utc>;
    /// Time since the machine booted, suspension included: no clock change moves it. Leases on a local file use it.
    fn uptime(&self) -> Duration;
}

/// The machine's clocks.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6)
    }

    fn uptime(&self) -> Duration {
        let t = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        Duration::new(t.tv_sec.try_into().unwrap_or(0), t.tv_nsec.try_into().unwrap_or(0))
    }
}

/// A clock that stands still until a test moves it; clones share the time.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<Mutex<(DateTime<Utc>, Duration)>>);

impl ManualClock {
    /// Starts at `now`, one day after boot.
    pub fn at(now: DateTime<Utc>) -> Self {
        Self(Arc::new(Mutex::new((now, Duration::from_secs(86_400)))))
    }

    /// Moves both times forward.
    pub fn advance(&self, by: Duration) {
        let mut time = self.0.lock();
        time.0 += by;
        time.1 += by;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        self.0.lock().0
    }

    fn uptime(&self) -> Duration {
        self.0.lock().1
    }
}
