//! A shell that outlives this process just long enough to end a server and to remove its folder.

use std::{
    io::{Result, Write},
    os::{fd::OwnedFd, unix::process::CommandExt},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
};

/// Reads process ids, an empty one for "stopped", until the last holder of the pipe is gone; a SIGKILL closes it, too.
///
/// A server that stays a zombie, for want of anybody who waits for it, is gone as well.
const SCRIPT: &str = r#"
alive() {
  state=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  case ${state##*) } in Z*|X*) return 1;; esac
}
gone() {
  tries=0
  while alive "$1"; do
    tries=$((tries + 1)); [ $tries -lt 200 ] || return 1
    sleep 0.02
  done
}
while read -r line; do server=$line; done
if [ -n "$server" ] && alive "$server"; then
  kill -s "$2" "$server"
  gone "$server" || { kill -s KILL "$server"; gone "$server"; }
fi
for try in 1 2 3 4 5; do rm -rf "$1" && break; sleep 0.2; done
"#;

/// Ends what it was told of when it is dropped, or when the process ends in any way.
#[derive(Debug)]
pub(crate) struct Watchdog {
    shell: Child,
    pipe: Option<ChildStdin>,
}

impl Watchdog {
    /// Watches a server that ends at `signal`, and its folder.
    pub(crate) fn over(folder: &Path, signal: &str) -> Self {
        let mut shell = Command::new("sh")
            .args(["-c", SCRIPT, "watchdog"])
            .args([folder.as_os_str(), signal.as_ref()])
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0) // what the terminal or a test runner sends to our group must not end it
            .spawn()
            .unwrap();
        let pipe = shell.stdin.take();
        Self { shell, pipe }
    }

    /// A copy of the pipe, into which a server's process writes its own id before it becomes the server: so none is ever unwatched.
    pub(crate) fn pipe(&self) -> Result<OwnedFd> {
        use std::os::fd::AsFd;
        self.pipe.as_ref().map(|pipe| pipe.as_fd().try_clone_to_owned()).transpose()?.ok_or(std::io::ErrorKind::BrokenPipe.into())
    }

    /// The server was waited for: its process id may be another's by now.
    pub(crate) fn forget(&mut self) {
        self.pipe.as_mut().unwrap().write_all(b"\n").unwrap();
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.pipe.take());
        self.shell.wait().ok();
    }
}
