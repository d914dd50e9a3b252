//! Named points of the protocol at which a test kills or stops the process. Without the feature they are nothing.

/// Marks a point of the protocol: `failpoint!("chunk.committed")`.
///
/// With the feature `failpoints`, the environment variable `BATCH_FAILPOINT` arms points: `chunk.committed=kill@3` kills the process
/// when it passes the point for the third time, `=stop@3` stops it (SIGSTOP). Several are separated by `;`.
#[macro_export]
macro_rules! failpoint {
    ($name:literal) => {
        #[cfg(feature = "failpoints")]
        $crate::failpoint::hit($name);
    };
}

/// Counts a passage of `name` and acts where it is armed.
#[cfg(feature = "failpoints")]
pub fn hit(name: &str) {
    use rustix::process::{Signal, getpid, kill_process};
    use std::{
        collections::HashMap,
        sync::{
            LazyLock,
            atomic::{AtomicU64, Ordering},
        },
    };

    static ARMED: LazyLock<HashMap<String, (Signal, u64, AtomicU64)>> = LazyLock::new(|| {
        let text = std::env::var("BATCH_FAILPOINT").unwrap_or_default();
        text.split(';')
            .filter_map(|point| {
                let (name, action) = point.split_once('=')?;
                let (action, pass) = action.split_once('@')?;
                let signal = if action == "stop" { Signal::STOP } else { Signal::KILL };
                Some((name.to_owned(), (signal, pass.parse().ok()?, AtomicU64::new(0))))
            })
            .collect()
    });
    if let Some((signal, pass, passed)) = ARMED.get(name)
        && passed.fetch_add(1, Ordering::Relaxed) + 1 == *pass
    {
        let _ = kill_process(getpid(), *signal);
    }
}
