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

#[cfg(feature = "failpoints")]
pub use armed::{hit, passages};

#[cfg(feature = "failpoints")]
mod armed {
    use parking_lot::Mutex;
    use rustix::process::{Signal, getpid, kill_process};
    use std::{collections::BTreeMap, sync::LazyLock};

    static PASSED: Mutex<BTreeMap<&'static str, u64>> = Mutex::new(BTreeMap::new());

    static ARMED: LazyLock<Vec<(String, Signal, u64)>> = LazyLock::new(|| {
        let text = std::env::var("BATCH_FAILPOINT").unwrap_or_default();
        text.split(';')
            .filter_map(|point| {
                let (name, action) = point.split_once('=')?;
                let (action, pass) = action.split_once('@')?;
                let signal = if action == "stop" { Signal::STOP } else { Signal::KILL };
                Some((name.to_owned(), signal, pass.parse().ok()?))
            })
            .collect()
    });

    /// Counts a passage of `name` and acts where it is armed.
    pub fn hit(name: &'static str) {
        let passed = {
            let mut all = PASSED.lock();
            let passed = all.entry(name).or_default();
            *passed += 1;
            *passed
        };
        if let Some((_, signal, _)) = ARMED.iter().find(|(armed, _, pass)| armed == name && *pass == passed) {
            let _ = kill_process(getpid(), *signal);
            if *signal == Signal::STOP {
                wait_for_stop();
            }
        }
    }

    /// The kernel may hand the signal to another thread, and this one must not go on meanwhile: once the signal is no longer pending,
    /// the process is about to stop, and this thread stops on its way back from the system call that found that out.
    fn wait_for_stop() {
        while std::fs::read_to_string("/proc/self/status").is_ok_and(|status| is_pending(&status)) {
            std::thread::yield_now();
        }
    }

    fn is_pending(status: &str) -> bool {
        let set = status.lines().find_map(|line| line.strip_prefix("ShdPnd:"));
        let stop = 1_u64 << (Signal::STOP.as_raw() - 1);
        set.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()).is_some_and(|set| set & stop != 0)
    }

    /// How often this process passed each point.
    pub fn passages() -> BTreeMap<&'static str, u64> {
        PASSED.lock().clone()
    }
}
