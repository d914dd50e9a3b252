//! Who runs an execution, and whether that process is provably gone.

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::{collections::HashSet, fmt, fs, sync::LazyLock};

/// Tokens of the runs under way in this very process, so that a run whose future was dropped counts as gone.
static LIVE: LazyLock<Mutex<HashSet<String>>> = LazyLock::new(Mutex::default);

/// The identity of a process that runs an execution, with a random token for this run.
///
/// "Provably gone" is judged only inside one process id namespace of one boot: a container shows the same boot id and no such
/// process. Elsewhere the lease decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// Host name.
    pub host: String,
    /// The kernel's id of this boot.
    pub boot: String,
    /// Process id namespace, as the kernel names it.
    pub namespace: String,
    /// Process id.
    pub pid: u32,
    /// When the process started, in clock ticks since boot: tells it from a later one with the same id.
    pub started: u64,
    /// Random, of this run alone.
    pub token: String,
}

impl Owner {
    /// This process, with a new token.
    pub fn current() -> Self {
        let pid = std::process::id();
        Self {
            host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            boot: boot_id(),
            namespace: pid_namespace(),
            pid,
            started: process(pid).map_or(0, |p| p.1),
            token: super::random_id(),
        }
    }

    /// Why the owner is provably gone; `None` where it may be alive, and the lease decides.
    pub fn gone(&self) -> Option<String> {
        if self.boot.is_empty() || self.namespace.is_empty() || self.boot != boot_id() || self.namespace != pid_namespace() {
            return None;
        }
        if self.pid == std::process::id() && process(self.pid).map_or(0, |p| p.1) == self.started {
            let live = LIVE.lock().contains(&self.token);
            return (!live).then(|| format!("its run inside process {} was dropped", self.pid));
        }
        match process(self.pid) {
            None => Some(format!("process {} no longer exists", self.pid)),
            Some((state, _)) if state == 'Z' || state == 'X' => Some(format!("process {} is dead", self.pid)),
            Some((_, started)) if started != self.started => Some(format!("process {} is another one by now", self.pid)),
            Some(_) => None,
        }
    }

    /// Marks this run as alive until the guard is dropped: inside its own process an owner without one counts as gone.
    #[must_use = "the owner counts as gone once this is dropped"]
    pub fn hold(&self) -> Living {
        LIVE.lock().insert(self.token.clone());
        Living(self.token.clone())
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} on host {}", self.pid, self.host)
    }
}

/// Keeps a run's token among the living.
#[derive(Debug)]
pub struct Living(String);

impl Drop for Living {
    fn drop(&mut self) {
        LIVE.lock().remove(&self.0);
    }
}

fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|s| s.trim().to_owned()).unwrap_or_default()
}

fn pid_namespace() -> String {
    fs::read_link("/proc/self/ns/pid").map(|p| p.to_string_lossy().into_owned()).unwrap_or_default()
}

/// State letter and start time of a process, from the fields after the command's closing bracket.
fn process(pid: u32) -> Option<(char, u64)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?.chars().next()?;
    Some((state, fields.nth(18)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::Owner;

    #[test]
    fn this_run_is_alive_while_held_and_gone_after() {
        let owner = Owner::current();
        let held = owner.hold();
        assert_eq!(owner.gone(), None);
        drop(held);
        assert!(owner.gone().is_some());
    }

    #[test]
    fn a_process_that_never_was_is_gone_and_one_of_another_namespace_is_not() {
        let owner = Owner { pid: u32::MAX, ..Owner::current() };
        assert!(owner.gone().is_some());
        assert_eq!(Owner { namespace: "pid:[1]".into(), ..owner.clone() }.gone(), None);
        assert_eq!(Owner { boot: "another".into(), ..owner }.gone(), None);
    }

    #[test]
    fn a_recycled_process_id_is_another_process() {
        let owner = Owner { pid: std::process::id(), started: 1, ..Owner::current() };
        assert!(owner.gone().unwrap().contains("another one"));
    }
}
