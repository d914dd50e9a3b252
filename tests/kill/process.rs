//! Starting, signalling and waiting for workers.

use crate::worker::{ENV, Spec};
use batch_core::JobExecution;
use rustix::process::{Pid, Signal, kill_process};
use std::{
    io::Read,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

/// How long anything is waited for before the test fails: far longer than it takes on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A worker's process; killed if the test ends before it.
pub(crate) struct Worker(Child);

/// How a worker ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) said: String,
}

impl Ended {
    pub(crate) fn killed(&self) -> bool {
        self.status.signal() == Some(Signal::KILL.as_raw())
    }

    pub(crate) fn code(&self) -> Option<i32> {
        self.status.code()
    }
}

/// The command of a worker; `points` arms failpoints.
pub(crate) fn command(spec: &Spec, points: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    orders(&mut command, spec, points);
    command.args(ARGUMENTS);
    command
}

/// Runs `worker::child` alone and lets it speak.
pub(crate) const ARGUMENTS: [&str; 4] = ["--exact", "worker::child", "--nocapture", "--test-threads=1"];

/// Puts the orders into the environment of whatever starts the worker.
pub(crate) fn orders(command: &mut Command, spec: &Spec, points: &str) {
    command.env(ENV, serde_json::to_string(spec).unwrap()).env("BATCH_FAILPOINT", points);
}

impl Worker {
    pub(crate) fn start(spec: &Spec, points: &str) -> Self {
        Self::spawn(command(spec, points))
    }

    pub(crate) fn spawn(mut command: Command) -> Self {
        Self(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap())
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }

    /// Whether a signal stopped it.
    pub(crate) fn is_stopped(&self) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.id())).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T'))
    }

    /// Waits until a failpoint stopped it.
    pub(crate) fn wait_until_stopped(&mut self) {
        let mut ended = None;
        wait_until("the worker stops itself", || {
            ended = self.0.try_wait().unwrap();
            ended.is_some() || self.is_stopped()
        });
        assert!(ended.is_none(), "the worker ended before its point: {:?}", self.finish());
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }

    /// Waits for its end.
    pub(crate) fn finish(&mut self) -> Ended {
        let mut said = Vec::new();
        if let Some(mut stderr) = self.0.stderr.take() {
            stderr.read_to_end(&mut said).unwrap();
        }
        Ended { status: self.0.wait().unwrap(), said: String::from_utf8_lossy(&said).into_owned() }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Both fail where it has ended, which is all that is wanted.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// In a worker: says that it is ready, and waits until all go at once.
pub(crate) async fn wait_at(barrier: &Path) {
    std::fs::write(ready(barrier, std::process::id()), []).unwrap();
    while !barrier.exists() {
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
}

/// Lets the workers that wait at `barrier` go at once.
pub(crate) fn release(barrier: &Path, workers: &[Worker]) {
    wait_until("all workers are at the barrier", || workers.iter().all(|worker| ready(barrier, worker.id()).exists()));
    std::fs::write(barrier, []).unwrap();
}

fn ready(barrier: &Path, process: u32) -> PathBuf {
    barrier.with_file_name(format!("ready-{process}"))
}

/// In a worker: says how a run ended, and gives its exit code.
pub(crate) fn code(outcome: Result<JobExecution, batch_core::Error>) -> u8 {
    match outcome {
        Ok(execution) => {
            eprintln!("{}: {}", execution.status, execution.exit_status.message);
            execution.exit_code()
        }
        Err(error) => {
            eprintln!("{}", error.report());
            error.kind().exit_code()
        }
    }
}

/// Runs a worker to its end.
pub(crate) fn run(spec: &Spec, points: &str) -> Ended {
    Worker::start(spec, points).finish()
}

/// Looks every millisecond whether `done`, and fails after a long while.
pub(crate) fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < PATIENCE, "waited {PATIENCE:?}, and still not so: {what}");
        pause(Duration::from_millis(1));
    }
}

/// The only real wait of these tests: other processes can't be told when to go on by a paused clock.
#[expect(clippy::disallowed_methods, reason = "no runtime runs on the threads of these tests")]
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}
