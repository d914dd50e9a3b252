//! SIGTERM and Ctrl-C.

use crate::control::StopHandle;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::task::AbortOnDropHandle;

/// What a shell reports for a process that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

/// Stops the run at the first signal and ends the process at the second; the listening ends with the guard.
pub(super) fn listen(stop: &StopHandle) -> AbortOnDropHandle<()> {
    let stop = stop.clone();
    // Not in the task: a signal that comes before the task's first turn would end the process.
    let signals = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    AbortOnDropHandle::new(tokio::spawn(async move {
        let (Ok(mut terminate), Ok(mut interrupt)) = signals else {
            tracing::error!("signals cannot be listened to");
            return;
        };
        for seen in 0.. {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if seen > 0 {
                // The execution stays STARTED; the next launch sees that this process is gone and takes it over.
                std::process::exit(INTERRUPTED);
            }
            tracing::info!("ending after the current chunk; a second signal ends at once");
            stop.stop();
        }
    }))
}
