//! The process's memory, where the system tells it: Linux's `/proc`. Elsewhere it is not measured.

use std::fs;

/// Bytes resident now.
pub(crate) fn resident() -> Option<u64> {
    field("VmRSS:")
}

/// Forgets the highest residency so far; `false` where that is not possible.
pub(crate) fn forget_peak() -> bool {
    // 5 resets VmHWM to the present residency: proc(5), `clear_refs`.
    fs::write("/proc/self/clear_refs", "5").is_ok()
}

/// Bytes that were resident at most since the peak was forgotten.
pub(crate) fn peak() -> Option<u64> {
    field("VmHWM:")
}

fn field(name: &str) -> Option<u64> {
    kilobytes(&fs::read_to_string("/proc/self/status").ok()?, name).map(|kb| kb * 1024)
}

fn kilobytes(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{forget_peak, kilobytes, peak, resident};

    #[test]
    fn fields_are_found_by_their_whole_name() {
        let status = "Name:\tx\nVmHWM:\t    7204 kB\nVmRSS:\t    6100 kB\nVmData: many\n";
        assert_eq!((kilobytes(status, "VmHWM:"), kilobytes(status, "VmRSS:")), (Some(7204), Some(6100)));
        assert_eq!((kilobytes(status, "VmData:"), kilobytes(status, "VmSwap:")), (None, None));
    }

    #[test]
    fn a_peak_shows_what_was_used_and_freed() {
        let (Some(before), true) = (resident(), forget_peak()) else { return };
        let block = vec![1u8; 64 << 20];
        drop(std::hint::black_box(block));
        assert!(peak().unwrap() >= before + (32 << 20));
    }
}
