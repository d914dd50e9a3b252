//! The process of a server.

use std::{
    os::unix::process::CommandExt,
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use super::Brand;
use crate::{options::Options, site::Site, watchdog::Watchdog};

/// Tells the watchdog its own process id, then becomes the server.
const SCRIPT: &str = r#"log=$1; shift; echo $$; exec "$@" >>"$log" 2>&1"#;

/// How long a start may take, recovery included.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Process(Child);

impl Process {
    pub(super) fn start(options: &Options, site: &Site, watchdog: &Watchdog) -> Self {
        let child = site
            .command("sh")
            .args(["-c", SCRIPT, "start"])
            .arg(site.log())
            .args(site.words(&options.brand.program()))
            .args(options.brand.arguments(options, site))
            .stdin(Stdio::null())
            .stdout(watchdog.pipe().unwrap())
            .stderr(Stdio::null())
            .process_group(0) // a Ctrl-C at the terminal is the test's, which then ends the server
            .spawn();
        Self(child.unwrap())
    }

    pub(super) fn id(&self) -> u32 {
        self.0.id()
    }

    pub(super) fn wait_until_ready(&mut self, brand: &dyn Brand, site: &Site) {
        let deadline = Instant::now() + PATIENCE;
        while !brand.is_ready(self.id(), site) {
            let ended = self.0.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < deadline, "the server doesn't start ({ended:?}): {}", site.told());
            // Blocks on purpose: the clock of the test's runtime may be paused.
            thread::park_timeout(Duration::from_millis(10));
        }
    }

    /// Sends the signal and waits for the end.
    pub(super) fn end(mut self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).ok();
        self.0.wait().unwrap();
    }
}
