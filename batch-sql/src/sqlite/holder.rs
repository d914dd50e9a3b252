//! Who holds the file's write lock, as the kernel tells.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

/// The byte of the shared-memory file that SQLite's WAL locks for writing.
const WRITE_LOCK: &str = "120";

/// The process that holds the write lock of the database at `path`; `None` where the kernel does not tell.
pub(crate) fn pid(path: &Path) -> Option<u32> {
    let mut shm = path.as_os_str().to_owned();
    shm.push("-shm");
    let inode = fs::metadata(shm).ok()?.ino().to_string();
    let locks = fs::read_to_string("/proc/locks").ok()?;
    locks.lines().find_map(|line| held_by(line, &inode))
}

/// Reads `1: POSIX  ADVISORY  WRITE 4711 fd:01:262163 120 120`; a line with `->` is a process that waits.
fn held_by(line: &str, inode: &str) -> Option<u32> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [_, "POSIX", _, "WRITE", pid, file, WRITE_LOCK, _] = fields[..] else { return None };
    (file.rsplit(':').next() == Some(inode)).then(|| pid.parse().ok()).flatten().filter(|pid| *pid != 0)
}

/// Whether the process is stopped by a signal, and so keeps its locks without end.
pub(crate) fn is_stopped(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| matches!(rest.trim_start().chars().next(), Some('T' | 't')))
}

#[cfg(test)]
mod tests {
    use super::held_by;

    #[test]
    fn the_line_of_the_write_lock_names_its_process() {
        assert_eq!(held_by("7: POSIX  ADVISORY  WRITE 4711 fd:01:99 120 120", "99"), Some(4711));
        assert_eq!(held_by("7: POSIX  ADVISORY  WRITE 4711 fd:01:98 120 120", "99"), None);
        assert_eq!(held_by("7: POSIX  ADVISORY  READ 4711 fd:01:99 123 123", "99"), None);
        assert_eq!(held_by("7: -> POSIX  ADVISORY  WRITE 4711 fd:01:99 120 120", "99"), None);
    }
}
