//! Renews the lease from a thread of its own, so that a busy runtime does not look like a dead process.

use crate::{
    control::{Ending, StopHandle},
    error::{Error, ErrorKind},
    repository::{JobRepository, Lease, Request},
};
use std::{
    cell::LazyCell,
    pin::pin,
    sync::{
        Arc,
        mpsc::{RecvTimeoutError, Sender, channel},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};
use tokio::runtime::{Builder, Runtime};

/// Keeps the lease until it is dropped.
#[derive(Debug)]
pub(super) struct Keeper {
    done: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    pub(super) fn start(repository: Arc<dyn JobRepository>, lease: Lease, control: StopHandle) -> Self {
        let (done, wait) = channel();
        let thread = std::thread::Builder::new().name("batch-lease".to_owned()).spawn(move || {
            let trusted_until = Instant::now() + lease.ttl;
            // One runtime for all renewals, since a connection lives as long as the runtime that opened it; most runs end before the first.
            let runtime = LazyCell::new(|| Builder::new_current_thread().enable_all().build());
            let repository = repository.apart().unwrap_or(repository);
            let mut renewal = Renewal { repository, control, trusted_until, lease };
            while wait.recv_timeout(renewal.pause()) == Err(RecvTimeoutError::Timeout) {
                match &*runtime {
                    Ok(runtime) => renewal.renew(runtime),
                    Err(error) => return tracing::error!(%error, "no runtime for the lease could be built"),
                }
            }
        });
        match thread {
            Ok(thread) => Self { done: Some(done), thread: Some(thread) },
            Err(error) => {
                // Without renewals the run is safe, since every commit is guarded, but may be taken over when the lease ends.
                tracing::error!(%error, "no thread for the lease could be started");
                Self { done: None, thread: None }
            }
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.done.take());
        // Not joined: a renewal that waits for an unreachable repository must not hold up the end of the run.
        drop(self.thread.take());
    }
}

struct Renewal {
    repository: Arc<dyn JobRepository>,
    control: StopHandle,
    lease: Lease,
    /// Until when nobody can have taken the lease.
    trusted_until: Instant,
}

impl Renewal {
    /// A third of the lease, less when its end comes near; a third again once it is over.
    fn pause(&self) -> Duration {
        let third = self.lease.ttl / 3;
        match self.trusted_until.saturating_duration_since(Instant::now()) {
            Duration::ZERO => third,
            left => third.min(left / 2).max(Duration::from_millis(1)),
        }
    }

    fn renew(&mut self, runtime: &Runtime) {
        let sent = Instant::now();
        match runtime.block_on(self.answer()) {
            Ok(request) => {
                self.trusted_until = sent + self.lease.ttl;
                // A pause is obeyed between chunks, where the commit tells of it.
                if request == Some(Request::Stop) {
                    self.control.stop();
                }
            }
            Err(error) if error.kind() == ErrorKind::NotOwner => self.control.end(Ending::Lost),
            Err(error) => {
                tracing::warn!(error = error.report(), "the lease could not be renewed");
                if Instant::now() >= self.trusted_until {
                    self.control.end(Ending::Unreachable);
                }
            }
        }
    }

    /// The repository's answer. Where it takes longer than the lease lasts, the run ends itself meanwhile; the call is not cancelled,
    /// since that would leave its connection in an unknown state.
    async fn answer(&self) -> Result<Option<Request>, Error> {
        let now = Instant::now();
        // One that was stopped for longer than its lease asks first: where nobody took the lease, it is revived.
        let until = if now < self.trusted_until { self.trusted_until } else { now + self.lease.ttl / 3 };
        let mut renewal = pin!(self.repository.renew(&self.lease));
        tokio::select! {
            biased;
            answer = &mut renewal => return answer,
            () = tokio::time::sleep_until(until.into()) => self.control.end(Ending::Unreachable),
        }
        renewal.await
    }
}
